/* extract_html.c - see extract_html.h; libxml2's HTML parser as a stream, so that no tree is built.
 */
#include "search/extract_html.h"
#include "search/extract_xml.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <strings.h>

enum { MAX_DEPTH = 2000, HEAD_BYTES = 2048, CHUNK_BYTES = 1 << 16, MAX_TITLE_BYTES = 1 << 16 };

struct html {
	struct job *job;
	htmlParserCtxtPtr parser;
	bool is_document, in_title;
	struct xml_skip skip;
	struct buf title;
	int depth;
	enum extract_reason why;
};

static const char *const skipped[] = { "script", "style", "template", "iframe", "object", "svg",
	"math", NULL };

/* Elements that stand on lines of their own. */
static const char *const blocks[] = { "p", "div", "br", "hr", "li", "ul", "ol", "dl", "dt", "dd",
	"tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "section",
	"article", "header", "footer", "nav", "aside", "main", "figure", "figcaption", "form",
	"fieldset", "option", "address", "caption", "body", "title" };

static void add_line_break(struct html *h, const char *name)
{
	if (xml_find(name, blocks, ARRAY_LEN(blocks)) >= 0)
		job_break(h->job, '\n');
	else if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0)
		job_soft_break(h->job, '\t');
}

static void on_start(void *context, const xmlChar *element, const xmlChar **attributes)
{
	const char *name = (const char *)element;
	struct html *h = context;

	(void)attributes;
	if (++h->depth > MAX_DEPTH) {
		h->why = EXTRACT_BOMB;
		xmlStopParser(h->parser);
		return;
	}
	if (xml_skip_start(&h->skip, name, skipped))
		return;
	add_line_break(h, name);
	if (strcmp(name, "title") == 0)
		h->in_title = true;
}

static void on_end(void *context, const xmlChar *element)
{
	const char *name = (const char *)element;
	struct html *h = context;

	h->depth--;
	if (xml_skip_end(&h->skip))
		return;
	add_line_break(h, name);
	if (strcmp(name, "title") == 0)
		h->in_title = false;
}

static void on_text(void *context, const xmlChar *text, int n)
{
	struct str s = { (const char *)text, (size_t)n };
	struct html *h = context;

	if (h->skip.depth > 0)
		return;
	if (h->in_title)
		buf_add_str(&h->title, s);
	job_text(h->job, s);
}

static void feed(struct html *h, struct str utf8)
{
	while (utf8.n > 0 && h->why == EXTRACT_OK && !job_is_full(h->job)) {
		size_t n = utf8.n < CHUNK_BYTES ? utf8.n : CHUNK_BYTES;

		(void)htmlParseChunk(h->parser, utf8.p, (int)n, 0);
		utf8.p += n;
		utf8.n -= n;
	}
	if (h->why == EXTRACT_OK)
		(void)htmlParseChunk(h->parser, NULL, 0, 1);
}

enum extract_reason html_text(struct job *j, struct str utf8, bool is_document)
{
	htmlSAXHandler sax = { .startElement = on_start,
		.endElement = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.ignorableWhitespace = on_text };
	struct html h = { .job = j,
		.is_document = is_document,
		.title = BUF_INIT_MAX(MAX_TITLE_BYTES),
		.why = EXTRACT_OK };
	enum job_space before = j->space;

	h.parser = htmlCreatePushParserCtxt(&sax, &h, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	if (!h.parser)
		return EXTRACT_MEMORY;
	(void)htmlCtxtUseOptions(h.parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
						   HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
						   HTML_PARSE_IGNORE_ENC);
	j->space = SPACE_COLLAPSE;
	feed(&h, utf8);
	j->space = before;
	htmlFreeParserCtxt(h.parser);
	if (is_document)
		job_set_line(j, WIRE_TITLE, buf_str(&h.title));
	buf_done(&h.title);
	return h.why;
}

char *html_charset(struct str bytes)
{
	size_t n = bytes.n < HEAD_BYTES ? bytes.n : HEAD_BYTES;

	for (size_t i = 0; i + 8 < n; i++) {
		size_t from, to;

		if (strncasecmp(bytes.p + i, "charset", 7) != 0)
			continue;
		for (from = i + 7; from < n && strchr(" =\"'\t", bytes.p[from]) && bytes.p[from];
			from++)
			;
		for (to = from; to < n && to - from < 40 && !strchr(" \"'/>;\t\r\n", bytes.p[to]);
			to++)
			;
		if (to > from)
			return str_dup((struct str){ bytes.p + from, to - from });
	}
	return NULL;
}

enum extract_reason read_html(struct job *j)
{
	_cleanup_(freep) char *charset = html_charset(j->input);
	struct buf utf8 = BUF_INIT_MAX(j->limits.max_unpacked_bytes);
	enum extract_reason why = EXTRACT_TYPE;

	if (text_to_utf8(j->input, charset, &utf8))
		why = html_text(j, buf_str(&utf8), true);
	if (utf8.failed)
		why = EXTRACT_BOMB;
	buf_done(&utf8);
	return why;
}
