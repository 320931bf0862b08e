/* extract_xml.c - see extract_xml.h. */
#include "search/extract_xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

struct xml_attributes {
	const xmlChar **row; /* localname, prefix, URI, value, end: five to each */
	int count;
};

struct reader {
	struct job *job;
	xmlParserCtxtPtr parser;
	const struct xml_handler *handler;
	void *context;
	enum extract_reason why;
	int depth;
	bool is_full;
};

struct str xml_attribute(const struct xml_attributes *a, const char *name)
{
	for (int i = 0; i < a->count; i++) {
		const xmlChar **row = a->row + (ptrdiff_t)i * 5;

		if (strcmp((const char *)row[0], name) == 0)
			return (struct str){ (const char *)row[3], (size_t)(row[4] - row[3]) };
	}
	return (struct str){ NULL, 0 };
}

struct str xml_relation_id(const struct xml_attributes *a)
{
	for (int i = 0; i < a->count; i++) {
		const xmlChar **row = a->row + (ptrdiff_t)i * 5;

		if (row[2] && str_ends(str_of((const char *)row[2]), "/relationships") &&
			strcmp((const char *)row[0], "id") == 0)
			return (struct str){ (const char *)row[3], (size_t)(row[4] - row[3]) };
	}
	return (struct str){ NULL, 0 };
}

uint32_t xml_attribute_number(const struct xml_attributes *a, const char *name, uint32_t otherwise)
{
	struct str text = xml_attribute(a, name);
	uint64_t n;

	if (!text.p || str_to_u64(text, UINT32_MAX, &n, NULL) < 0)
		return otherwise;
	return (uint32_t)n;
}

static void stop(struct reader *r, enum extract_reason why)
{
	if (r->why == EXTRACT_OK)
		r->why = why;
	xmlStopParser(r->parser);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	int namespace_count, const xmlChar **namespaces, int attribute_count, int defaulted,
	const xmlChar **attributes)
{
	struct reader *r = context;
	struct xml_attributes a = { attributes, attribute_count };

	(void)prefix, (void)uri, (void)namespace_count, (void)namespaces, (void)defaulted;
	if (++r->depth > XML_MAX_DEPTH) {
		stop(r, EXTRACT_BOMB);
		return;
	}
	if (r->handler->start)
		r->handler->start(r->context, (const char *)name, &a);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = context;

	(void)prefix, (void)uri;
	r->depth--;
	if (r->handler->end)
		r->handler->end(r->context, (const char *)name);
}

static void on_text(void *context, const xmlChar *text, int n)
{
	struct reader *r = context;

	if (r->handler->text)
		r->handler->text(r->context, (struct str){ (const char *)text, (size_t)n });
}

static void on_document_type(
	void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	(void)name, (void)public_id, (void)system_id;
	stop(context, EXTRACT_BOMB);
}

static enum extract_reason on_chunk(void *context, const char *p, size_t n)
{
	struct reader *r = context;
	int failed = xmlParseChunk(r->parser, p, (int)n, 0);

	if (r->why != EXTRACT_OK)
		return r->why;
	if (failed)
		return EXTRACT_DAMAGED;
	r->is_full = job_is_full(r->job);
	return r->is_full ? EXTRACT_EMPTY : EXTRACT_OK;
}

enum extract_reason xml_read(struct job *j, struct zip *z, const char *member,
	const struct xml_handler *handler, void *context)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_document_type };
	struct reader r = { .job = j, .handler = handler, .context = context, .why = EXTRACT_OK };
	enum extract_reason why;

	r.parser = xmlCreatePushParserCtxt(&sax, &r, NULL, 0, NULL);
	if (!r.parser)
		return EXTRACT_MEMORY;
	(void)xmlCtxtUseOptions(
		r.parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	why = zip_read(z, member, on_chunk, &r);
	if (why == EXTRACT_OK && xmlParseChunk(r.parser, NULL, 0, 1) != 0)
		why = r.why != EXTRACT_OK ? r.why : EXTRACT_DAMAGED;
	xmlFreeParserCtxt(r.parser);
	return r.is_full ? EXTRACT_OK : why;
}

int xml_find(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	return -1;
}

bool xml_skip_start(struct xml_skip *s, const char *name, const char *const *names)
{
	if (s->depth > 0) {
		s->depth++;
		return true;
	}
	for (; *names; names++)
		if (strcmp(name, *names) == 0) {
			s->depth = 1;
			return true;
		}
	return false;
}

bool xml_skip_end(struct xml_skip *s)
{
	if (s->depth == 0)
		return false;
	s->depth--;
	return true;
}
