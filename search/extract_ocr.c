/* extract_ocr.c - text out of pictures: scanned PDFs and photographs, by tesseract.
 *
 * A page of a PDF is drawn by pdftoppm, as many pixels high as A4 has at 300 dpi whatever its size, so that no page is
 * too large; a picture is read as it is. Tesseract answers a table with one row for each piece of a line: where it
 * stands, how sure it is (0 to 100), its characters. Lines are put together here, because the spaces between words
 * can be told from the gaps only: Chinese is cut into pieces that have none between them. */
#include "search/extract_ocr.h"
#include "search/extract_kind.h"
#include "search/extract_program.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	COLUMNS = 12,	/* level page block par line word left top width height conf text */
	SURE_WORD = 20, /* what is less certain is a stain, a seal, a line of a table */
	SURE_PAGE = 40,
	MAX_TABLE_BYTES = 16 << 20,
};

/* ---- the table ---- */

struct piece {
	uint32_t page, block, par, line, left, width, height, sure;
	struct str text;
};

static bool take_number(struct str text, uint32_t *ret)
{
	uint64_t v;
	size_t n = 0;

	/* "96.400566": the fraction does not matter. */
	while (n < text.n && text.p[n] != '.')
		n++;
	if (str_to_u64((struct str){ text.p, n }, 1000000, &v, NULL) < 0)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* False for every row that is no piece of text. */
static bool parse_row(struct str row, struct piece *ret)
{
	struct str columns[COLUMNS];
	uint32_t *const numbers[COLUMNS] = { NULL, &ret->page, &ret->block, &ret->par, &ret->line,
		NULL, &ret->left, NULL, &ret->width, &ret->height, &ret->sure, NULL };

	for (size_t i = 0; i + 1 < COLUMNS; i++) {
		if (!row.p)
			return false;
		columns[i] = str_cut(&row, '\t');
	}
	if (!row.p || !str_is(columns[0], "5"))
		return false;
	for (size_t i = 0; i < COLUMNS; i++) {
		if (numbers[i] && !take_number(columns[i], numbers[i]))
			return false;
	}
	ret->text = str_trim(row);
	return ret->text.n > 0 && ret->sure <= 100;
}

static uint32_t first_char(struct str text)
{
	size_t at = 0;

	return utf8_next(text, &at);
}

static uint32_t last_char(struct str text)
{
	uint32_t c = 0;

	for (size_t at = 0; at < text.n;)
		c = utf8_next(text, &at);
	return c;
}

/* Whether there is a space between two pieces of a line: between two Chinese characters only where a whole character
 * would have room. */
static bool is_apart(const struct piece *a, const struct piece *b)
{
	uint32_t height = a->height > b->height ? a->height : b->height;
	uint32_t end = a->left + a->width, gap = b->left > end ? b->left - end : 0;
	bool left = is_cjk(last_char(a->text)), right = is_cjk(first_char(b->text));

	if (left && right)
		return gap > height + height / 4;
	return (!left && !right) || gap > height / 3;
}

struct page {
	uint64_t sure, chars; /* how sure, over all characters */
	struct piece last;
	struct buf text;
};

static void add_piece(struct page *p, const struct piece *piece)
{
	const struct piece *last = &p->last;
	uint64_t chars = 0;

	if (p->text.n > 0 && (piece->block != last->block || piece->par != last->par))
		buf_adds(&p->text, "\n\n");
	else if (p->text.n > 0 && piece->line != last->line)
		buf_addc(&p->text, '\n');
	else if (p->text.n > 0 && is_apart(last, piece))
		buf_addc(&p->text, ' ');
	buf_add_str(&p->text, piece->text);
	for (size_t at = 0; at < piece->text.n; chars++)
		(void)utf8_next(piece->text, &at);
	p->sure += chars * piece->sure;
	p->chars += chars;
	p->last = *piece;
}

static void end_page(struct job *j, struct page *p, uint32_t number)
{
	uint32_t sure = p->chars ? (uint32_t)(p->sure / p->chars) : 0;

	if (sure >= SURE_PAGE) {
		job_page(j, number, STR(""));
		job_sure(j, sure);
		job_text(j, buf_str(&p->text));
		job_page(j, number, STR(""));
	}
	buf_reset(&p->text);
	p->sure = p->chars = 0;
}

void ocr_take(struct job *j, struct str table, uint32_t first)
{
	struct page p = { .text = BUF_INIT_MAX(MAX_TABLE_BYTES) };
	uint32_t number = 0;

	while (table.p && !job_is_full(j)) {
		struct piece piece;

		if (!parse_row(str_cut(&table, '\n'), &piece) || piece.sure < SURE_WORD)
			continue;
		if (piece.page != number)
			end_page(j, &p, first + number - 1);
		number = piece.page;
		add_piece(&p, &piece);
	}
	end_page(j, &p, first + number - 1);
	buf_done(&p.text);
}

/* ---- the programs ---- */

#define TESSERACT \
	"/usr/bin/tesseract", "stdin", "stdout", "-l", "chi_sim", "--psm", "6", "tsv", NULL

static enum extract_reason read_picture(struct job *j)
{
	static const char *const argv[] = { TESSERACT };
	struct buf table = BUF_INIT_MAX(MAX_TABLE_BYTES);
	enum extract_reason why = program_run(argv, false, &table);

	if (why == EXTRACT_OK)
		ocr_take(j, buf_str(&table), 1);
	job_total(j, 1);
	buf_done(&table);
	return why;
}

static enum extract_reason read_page(struct job *j, uint32_t number)
{
	char text[16];
	const char *const draw[] = { "/usr/bin/pdftoppm", "-q", "-gray", "-scale-to", "3508", "-f",
		text, "-l", text, "-", NULL };
	static const char *const argv[] = { TESSERACT };
	struct buf table = BUF_INIT_MAX(MAX_TABLE_BYTES);
	enum extract_reason why;

	(void)snprintf(text, sizeof(text), "%u", number);
	why = program_pipe(draw, argv, &table);
	if (why == EXTRACT_OK)
		ocr_take(j, buf_str(&table), number);
	buf_done(&table);
	return why;
}

static enum extract_reason count_pages(uint32_t *ret)
{
	static const char *const argv[] = { "/usr/bin/pdfinfo", "-", NULL };
	struct buf out = BUF_INIT_MAX(1 << 20);
	enum extract_reason why = program_run(argv, false, &out);
	uint64_t pages = 0;

	for (struct str rest = buf_str(&out); rest.p && why == EXTRACT_OK;) {
		struct str line = str_cut(&rest, '\n');

		if (str_starts(line, "Pages:"))
			(void)str_to_u64(str_trim((struct str){ line.p + 6, line.n - 6 }),
				WIRE_MAX_PAGES, &pages, NULL);
	}
	buf_done(&out);
	*ret = (uint32_t)pages;
	return why == EXTRACT_OK && pages == 0 ? EXTRACT_DAMAGED : why;
}

/* A page that cannot be read does not keep the others from being read; when none can, the last reason counts. */
static enum extract_reason read_scanned_pdf(struct job *j)
{
	enum extract_reason last = EXTRACT_OK, why;
	uint32_t total, good = 0;

	why = count_pages(&total);
	if (why != EXTRACT_OK)
		return why;
	job_total(j, total);
	for (uint32_t i = 0; i < j->scan_count && !job_is_full(j); i++) {
		uint32_t number = j->scan_first + i;

		if (number > total)
			break;
		why = read_page(j, number);
		if (why == EXTRACT_NO_PROGRAM)
			return why;
		if (why == EXTRACT_OK)
			good++;
		else
			last = why;
	}
	return good > 0 ? EXTRACT_OK : last;
}

enum extract_reason read_scan(struct job *j)
{
	if (job_is_pdf(j->input)) {
		job_set_type(j, kind_media_type(KIND_PDF));
		return read_scanned_pdf(j);
	}
	return read_picture(j);
}
