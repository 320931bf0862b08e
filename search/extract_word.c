/* extract_word.c - .docx: body, notes, comments, headers and footers, each once.
 *
 * Text is what stands in w:t; what revision marks say was deleted or moved away is not text of the
 * document, and the fallback of a drawing repeats what its first choice said. */
#include "search/extract_opc.h"

#include <stdlib.h>

enum { MAX_HEADERS = 64 };

struct word {
	struct job *job;
	struct xml_skip skip;
	int in_text;
};

static const char *const skipped[] = { "del", "moveFrom", "delText", "delInstrText", "instrText",
	"Fallback", "pPr", "rPr", "sectPr", "tblPr", "tblGrid", "tcPr", "trPr", "rt", "fldData",
	NULL };

static void on_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct word *w = context;

	(void)a;
	if (xml_skip_start(&w->skip, name, skipped))
		return;
	if (strcmp(name, "t") == 0)
		w->in_text++;
	else if (strcmp(name, "tab") == 0 || strcmp(name, "ptab") == 0)
		job_text(w->job, STR("\t"));
	else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0)
		job_break(w->job, '\n');
	else if (strcmp(name, "noBreakHyphen") == 0)
		job_text(w->job, STR("-"));
	else if (strcmp(name, "p") == 0)
		job_soft_break(w->job, '\n');
}

static void on_end(void *context, const char *name)
{
	struct word *w = context;

	if (xml_skip_end(&w->skip))
		return;
	if (strcmp(name, "t") == 0)
		w->in_text--;
	else if (strcmp(name, "p") == 0 || strcmp(name, "tr") == 0)
		job_break(w->job, '\n');
	else if (strcmp(name, "tc") == 0)
		job_break(w->job, '\t');
}

static void on_text(void *context, struct str text)
{
	struct word *w = context;

	if (w->in_text > 0 && w->skip.depth == 0)
		job_text(w->job, text);
}

static enum extract_reason read_part(struct job *j, struct zip *z, const char *part)
{
	static const struct xml_handler handler = { on_start, on_end, on_text };
	struct word w = { .job = j };

	return xml_read(j, z, part, &handler, &w);
}

/* Where the text of a header or footer stands in the page: the same one again is taken back. */
struct heading {
	size_t from, n;
};

static bool is_repeated(const struct job *j, const struct heading *known, size_t count, size_t from)
{
	size_t n = j->page.n - from;

	for (size_t i = 0; i < count; i++)
		if (known[i].n == n && memcmp(j->page.p + known[i].from, j->page.p + from, n) == 0)
			return true;
	return false;
}

static void read_headings(struct job *j, struct zip *z, const struct opc_relations *relations)
{
	struct heading known[MAX_HEADERS];
	size_t count = 0;

	for (size_t i = 0; i < relations->count && count < MAX_HEADERS; i++) {
		const struct opc_relation *row = &relations->rows[i];
		size_t from = j->page.n;

		if (strcmp(row->type, "header") != 0 && strcmp(row->type, "footer") != 0)
			continue;
		job_break(j, '\n');
		if (read_part(j, z, row->target) != EXTRACT_OK)
			job_cut(j);
		if (is_repeated(j, known, count, from))
			buf_cut(&j->page, from);
		else
			known[count++] = (struct heading){ from, j->page.n - from };
	}
}

enum extract_reason read_word(struct job *j)
{
	static const char *const others[] = { "footnotes", "endnotes", "comments" };
	_cleanup_(zip_closep) struct zip *z = NULL;
	_cleanup_(freep) char *main = NULL;
	_cleanup_(opc_done) struct opc_relations relations = { 0 };
	enum extract_reason why = zip_open(j, &z);

	if (why != EXTRACT_OK)
		return why;
	main = opc_main(j, z);
	if (!main)
		return EXTRACT_DAMAGED;
	read_properties(j, z, "docProps/core.xml");
	why = opc_relations(j, z, main, &relations);
	if (why == EXTRACT_OK)
		why = read_part(j, z, main);
	if (why != EXTRACT_OK)
		return why;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const char *target = opc_first(&relations, others[i]);

		job_break(j, '\n');
		if (target)
			why = read_part(j, z, target);
		if (why == EXTRACT_BOMB)
			return why;
		if (why != EXTRACT_OK)
			job_cut(j);
		why = EXTRACT_OK;
	}
	read_headings(j, z, &relations);
	return EXTRACT_OK;
}
