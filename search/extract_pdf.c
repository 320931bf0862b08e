/* extract_pdf.c - PDF, by poppler's programs, which inherit the jail.
 *
 * pdfinfo says whether a password is needed and what the document says of itself; pdftotext gives
 * the pages, with a form feed after each; when there is no text, pdfimages says whether there are
 * pictures instead. All three read the document from descriptor 0.
 *
 * Text comes in the order in which it was written into the page (-raw). Office programs write a table
 * row by row and cell by cell; guessing columns from the layout tears rows apart and takes the second
 * line of a paragraph for one.
 *
 * Justified Chinese text comes out with spaces inside the words, because the gaps between the
 * characters were stretched: a line in which most of the characters stand alone is drawn together.
 */
#include "search/extract_program.h"

enum { MAX_INFO_BYTES = 1 << 20 };

bool job_is_pdf(struct str input)
{
	size_t n = input.n < 1024 ? input.n : 1024;
	const char *at = memmem(input.p, n, "%PDF-", 5);

	if (!at || str_starts(input, "PK\003\004"))
		return false;
	return at == input.p || at[-1] == '\n' || at[-1] == '\r' || at - input.p < 16;
}

/* ---- what it says of itself ---- */

static enum extract_reason read_info(struct job *j)
{
	static const char *const argv[] = { "/usr/bin/pdfinfo", "-enc", "UTF-8", "-rawdates", "-",
		NULL };
	static const struct {
		const char *label;
		enum wire_kind kind;
	} lines[] = { { "Title:", WIRE_TITLE }, { "Author:", WIRE_AUTHOR },
		{ "CreationDate:", WIRE_DATE } };
	struct buf out = BUF_INIT_MAX(MAX_INFO_BYTES);
	enum extract_reason why = program_run(argv, true, &out);

	if (why == EXTRACT_DAMAGED && memmem(out.p, out.n, "Incorrect password", 18))
		why = EXTRACT_ENCRYPTED;
	for (struct str rest = buf_str(&out); rest.p && why == EXTRACT_OK;) {
		struct str line = str_cut(&rest, '\n');

		for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
			struct str value = { line.p, line.n };
			size_t n = strlen(lines[i].label);

			if (!str_starts(line, lines[i].label))
				continue;
			value = str_trim((struct str){ line.p + n, line.n - n });
			if (lines[i].kind == WIRE_DATE)
				job_set_date(j, value);
			else
				job_set_line(j, lines[i].kind, value);
		}
	}
	buf_done(&out);
	return why;
}

/* ---- text ---- */

/* True when the Chinese characters of a line stand apart: more often with a space between two than
 * without. */
static bool is_stretched(struct str line)
{
	size_t apart = 0, together = 0;
	uint32_t before = 0;
	bool space = false;

	for (size_t at = 0; at < line.n;) {
		uint32_t c = utf8_next(line, &at);

		if (c == ' ') {
			space = true;
			continue;
		}
		if (is_cjk(before) && is_cjk(c))
			*(space ? &apart : &together) += 1;
		before = c;
		space = false;
	}
	return apart >= 4 && apart > together;
}

/* Without the spaces between Chinese characters. */
static void add_together(struct job *j, struct str line)
{
	uint32_t before = 0;

	for (size_t at = 0; at < line.n;) {
		size_t from = at, next;
		uint32_t c = utf8_next(line, &at);

		if (c == ' ' && is_cjk(before)) {
			for (next = at; next < line.n && line.p[next] == ' '; next++)
				;
			at = next;
			if (next < line.n && is_cjk(utf8_next(line, &next)))
				continue;
		}
		job_text(j, (struct str){ line.p + from, at - from });
		before = c;
	}
}

static void add_page(struct job *j, struct str page)
{
	for (struct str rest = page; rest.p && !job_is_full(j);) {
		struct str line = str_cut(&rest, '\n');

		if (is_stretched(line))
			add_together(j, line);
		else
			job_text(j, line);
		job_text(j, STR("\n"));
	}
}

static enum extract_reason read_pages(struct job *j)
{
	static const char *const argv[] = { "/usr/bin/pdftotext", "-q", "-raw", "-enc", "UTF-8",
		"-eol", "unix", "-", "-", NULL };
	struct buf out = BUF_INIT_MAX(j->limits.max_text_bytes + (1 << 20));
	enum extract_reason why = program_run(argv, false, &out);
	uint32_t number = 0;

	for (struct str rest = buf_str(&out); rest.p && why == EXTRACT_OK && !job_is_full(j);) {
		job_page(j, ++number, STR(""));
		add_page(j, str_cut(&rest, '\f'));
	}
	if (out.failed)
		job_cut(j);
	buf_done(&out);
	return why;
}

/* True when the document has pictures: pdfimages lists them below two lines of heading. */
static bool has_pictures(void)
{
	static const char *const argv[] = { "/usr/bin/pdfimages", "-list", "-", NULL };
	struct buf out = BUF_INIT_MAX(MAX_INFO_BYTES);
	size_t lines = 0;

	if (program_run(argv, false, &out) == EXTRACT_OK)
		for (size_t i = 0; i < out.n; i++)
			lines += out.p[i] == '\n';
	buf_done(&out);
	return lines > 2;
}

enum extract_reason read_pdf(struct job *j)
{
	enum extract_reason why = read_info(j);

	if (why == EXTRACT_OK)
		why = read_pages(j);
	if (why != EXTRACT_OK || j->pages > 0 || j->page.n > 0 || j->is_cut)
		return why;
	return has_pictures() ? EXTRACT_PICTURE : EXTRACT_BLANK;
}
