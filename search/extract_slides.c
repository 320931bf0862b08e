/* extract_slides.c - .pptx: one page a slide, in the order of the presentation, with its notes and
 * comments. */
#include "search/extract_opc.h"

#include <stdlib.h>

enum { MAX_SLIDES = 10000 };

struct slides {
	struct job *job;
	char **ids; /* of relations, in order */
	size_t count, room;
	struct xml_skip skip;
	int in_text;
};

static void on_list_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct slides *s = context;
	struct str id = xml_relation_id(a);

	if (strcmp(name, "sldId") != 0 || !id.p || s->count >= MAX_SLIDES)
		return;
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		char **ids = reallocarray(s->ids, room, sizeof(*ids));

		if (!ids)
			return;
		s->ids = ids;
		s->room = room;
	}
	s->ids[s->count++] = str_dup(id);
}

/* The number of the slide and the date of the day are no text of the author's. */
static const char *const skipped[] = { "Fallback", "fld", NULL };

static void on_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct slides *s = context;

	(void)a;
	if (xml_skip_start(&s->skip, name, skipped))
		return;
	if (strcmp(name, "t") == 0 || strcmp(name, "text") == 0)
		s->in_text++;
	else if (strcmp(name, "br") == 0)
		job_break(s->job, '\n');
}

static void on_end(void *context, const char *name)
{
	struct slides *s = context;

	if (xml_skip_end(&s->skip))
		return;
	if (strcmp(name, "t") == 0 || strcmp(name, "text") == 0)
		s->in_text--;
	if (strcmp(name, "p") == 0 || strcmp(name, "tr") == 0 || strcmp(name, "text") == 0)
		job_break(s->job, '\n');
	else if (strcmp(name, "tc") == 0)
		job_break(s->job, '\t');
}

static void on_text(void *context, struct str text)
{
	struct slides *s = context;

	if (s->in_text > 0 && s->skip.depth == 0)
		job_text(s->job, text);
}

static enum extract_reason read_part(struct slides *s, struct zip *z, const char *part)
{
	static const struct xml_handler handler = { on_start, on_end, on_text };

	s->skip.depth = 0;
	s->in_text = 0;
	job_soft_break(s->job, '\n');
	return xml_read(s->job, z, part, &handler, s);
}

static enum extract_reason read_slide(struct slides *s, struct zip *z, const char *part)
{
	static const char *const types[] = { "diagramData", "notesSlide", "comments" };
	_cleanup_(opc_done) struct opc_relations relations = { 0 };
	enum extract_reason why = read_part(s, z, part);

	if (why != EXTRACT_OK)
		return why;
	why = opc_relations(s->job, z, part, &relations);
	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (size_t i = 0; i < relations.count && why == EXTRACT_OK; i++)
			if (strcmp(relations.rows[i].type, types[t]) == 0)
				why = read_part(s, z, relations.rows[i].target);
	if (why == EXTRACT_BOMB)
		return why;
	if (why != EXTRACT_OK)
		job_cut(s->job);
	return EXTRACT_OK;
}

static enum extract_reason read_all(struct slides *s, struct zip *z)
{
	static const struct xml_handler list = { .start = on_list_start };
	_cleanup_(freep) char *main = opc_main(s->job, z);
	_cleanup_(opc_done) struct opc_relations relations = { 0 };
	enum extract_reason why;

	if (!main)
		return EXTRACT_DAMAGED;
	read_properties(s->job, z, "docProps/core.xml");
	why = opc_relations(s->job, z, main, &relations);
	if (why == EXTRACT_OK)
		why = xml_read(s->job, z, main, &list, s);
	for (size_t i = 0; i < s->count && why == EXTRACT_OK; i++) {
		const char *part = opc_target(&relations, str_of(s->ids[i]));

		job_page(s->job, (uint32_t)i + 1, STR(""));
		if (part)
			why = read_slide(s, z, part);
	}
	return why;
}

enum extract_reason read_slides(struct job *j)
{
	_cleanup_(zip_closep) struct zip *z = NULL;
	struct slides s = { .job = j };
	enum extract_reason why = zip_open(j, &z);

	if (why != EXTRACT_OK)
		return why;
	why = read_all(&s, z);
	for (size_t i = 0; i < s.count; i++)
		free(s.ids[i]);
	free(s.ids);
	return why;
}
