/* extract_word.c - .docx: body, notes, comments, headers and footers, each once.
 *
 * Text is what stands in w:t, behind the number that Word counts for the paragraph; what revision marks say
 * was deleted or moved away is not text of the document, and the fallback of a drawing repeats what its
 * first choice said. */
#include "search/extract_numbering.h"

#include <stdlib.h>

enum { MAX_HEADERS = 64 };

enum { MAX_STYLE_BYTES = 64, MAX_NUMBER_BYTES = 256 };

struct word {
	struct job *job;
	struct numbering *numbering;
	struct xml_skip skip;
	int in_text;

	/* of the paragraph: where it stands in which list, and what is written before its first word */
	bool in_properties;
	int64_t list, level;
	struct buf style, number;
};

static const char *const skipped[] = { "del", "moveFrom", "delText", "delInstrText", "instrText",
	"Fallback", "tabs", "rPr", "sectPr", "pPrChange", "tblPr", "tblGrid", "tcPr", "trPr", "rt",
	"fldData", NULL };

static void start_property(struct word *w, const char *name, const struct xml_attributes *a)
{
	if (strcmp(name, "pStyle") == 0)
		buf_add_str(&w->style, xml_attribute(a, "val"));
	else if (strcmp(name, "numId") == 0)
		w->list = xml_attribute_number(a, "val", 0);
	else if (strcmp(name, "ilvl") == 0)
		w->level = xml_attribute_number(a, "val", 0);
}

static void start_properties(struct word *w)
{
	w->in_properties = true;
	w->list = w->level = NUMBERING_NONE;
	buf_reset(&w->style);
	buf_reset(&w->number);
}

static void end_properties(struct word *w)
{
	w->in_properties = false;
	numbering_next(w->numbering, buf_str(&w->style), w->list, w->level, &w->number);
}

static void on_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct word *w = context;

	if (xml_skip_start(&w->skip, name, skipped))
		return;
	if (w->in_properties)
		start_property(w, name, a);
	else if (strcmp(name, "t") == 0)
		w->in_text++;
	else if (strcmp(name, "tab") == 0 || strcmp(name, "ptab") == 0)
		job_text(w->job, STR("\t"));
	else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0)
		job_break(w->job, '\n');
	else if (strcmp(name, "noBreakHyphen") == 0)
		job_text(w->job, STR("-"));
	else if (strcmp(name, "p") == 0)
		job_soft_break(w->job, '\n');
	else if (strcmp(name, "pPr") == 0)
		start_properties(w);
}

static void on_end(void *context, const char *name)
{
	struct word *w = context;

	if (xml_skip_end(&w->skip))
		return;
	if (strcmp(name, "pPr") == 0)
		end_properties(w);
	else if (strcmp(name, "t") == 0)
		w->in_text--;
	else if (strcmp(name, "tc") == 0)
		job_break(w->job, '\t');
	else if (strcmp(name, "p") == 0 || strcmp(name, "tr") == 0)
		job_break(w->job, '\n');
	if (strcmp(name, "p") == 0)
		buf_reset(&w->number);
}

static void on_text(void *context, struct str text)
{
	struct word *w = context;

	if (w->in_text <= 0 || w->skip.depth > 0 || text.n == 0)
		return;
	if (w->number.n > 0) {
		buf_addc(&w->number, ' ');
		job_text(w->job, buf_str(&w->number));
		buf_reset(&w->number);
	}
	job_text(w->job, text);
}

static enum extract_reason read_part(
	struct job *j, struct zip *z, struct numbering *numbering, const char *part)
{
	static const struct xml_handler handler = { on_start, on_end, on_text };
	struct word w = { .job = j,
		.numbering = numbering,
		.style = BUF_INIT_MAX(MAX_STYLE_BYTES),
		.number = BUF_INIT_MAX(MAX_NUMBER_BYTES) };
	enum extract_reason why = xml_read(j, z, part, &handler, &w);

	buf_done(&w.style);
	buf_done(&w.number);
	return why;
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

static void read_headings(struct job *j, struct zip *z, struct numbering *numbering,
	const struct opc_relations *relations)
{
	struct heading known[MAX_HEADERS];
	size_t count = 0;

	for (size_t i = 0; i < relations->count && count < MAX_HEADERS; i++) {
		const struct opc_relation *row = &relations->rows[i];
		size_t from = j->page.n;

		if (strcmp(row->type, "header") != 0 && strcmp(row->type, "footer") != 0)
			continue;
		job_break(j, '\n');
		if (read_part(j, z, numbering, row->target) != EXTRACT_OK)
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
	_cleanup_(numbering_freep) struct numbering *numbering = NULL;
	enum extract_reason why = zip_open(j, &z);

	if (why != EXTRACT_OK)
		return why;
	main = opc_main(j, z);
	if (!main)
		return EXTRACT_DAMAGED;
	read_properties(j, z, "docProps/core.xml");
	why = opc_relations(j, z, main, &relations);
	numbering = numbering_new(j, z, &relations);
	if (why == EXTRACT_OK)
		why = read_part(j, z, numbering, main);
	if (why != EXTRACT_OK)
		return why;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const char *target = opc_first(&relations, others[i]);

		job_break(j, '\n');
		if (target)
			why = read_part(j, z, numbering, target);
		if (why == EXTRACT_BOMB)
			return why;
		if (why != EXTRACT_OK)
			job_cut(j);
		why = EXTRACT_OK;
	}
	read_headings(j, z, numbering, &relations);
	return EXTRACT_OK;
}
