/* extract_job.c - see extract_job.h: text on its way out of the jail. */
#include "search/extract_job.h"
#include "core/base/clock.h"

/* Types, titles and frames beside the text itself. */
enum { OVERHEAD_BYTES = 16 << 20 };

/* Less than this may unpack at any ratio. */
enum { RATIO_FREE_BYTES = 16 << 20 };

void job_init(struct job *j, struct str input, enum extract_hint hint,
	const struct extract_limits *limits)
{
	*j = (struct job){ .input = input,
		.hint = hint,
		.limits = *limits,
		.text_left = limits->max_text_bytes,
		.file_bytes_left = limits->max_file_bytes };
	buf_init(&j->head, OVERHEAD_BYTES);
	buf_init(&j->body, limits->max_text_bytes + limits->max_file_bytes + OVERHEAD_BYTES);
	buf_init(&j->page, limits->max_text_bytes + 16);
	buf_init(&j->label, WIRE_MAX_LINE);
	wire_begin(&j->head);
}

void job_done(struct job *j)
{
	buf_done(&j->head);
	buf_done(&j->body);
	buf_done(&j->page);
	buf_done(&j->label);
}

/* ---- characters ---- */

/* The length that the first byte of a character promises, and its bits; 0 for a byte that begins
 * none. */
static size_t begins(unsigned char c, uint32_t *bits)
{
	if (c < 0x80) {
		*bits = c;
		return 1;
	}
	if (c >= 0xc2 && c < 0xe0) {
		*bits = c & 0x1fU;
		return 2;
	}
	if (c >= 0xe0 && c < 0xf0) {
		*bits = c & 0x0fU;
		return 3;
	}
	if (c >= 0xf0 && c < 0xf5) {
		*bits = c & 0x07U;
		return 4;
	}
	return 0;
}

uint32_t utf8_next(struct str text, size_t *at)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i = *at;
	uint32_t c = 0;
	size_t n = begins((unsigned char)text.p[i], &c);

	*at = i + 1;
	if (n == 0 || n > text.n - i)
		return 0xfffd;
	for (size_t k = 1; k < n; k++) {
		unsigned char next = (unsigned char)text.p[i + k];

		if ((next & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (next & 0x3fU);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0xfffd;
	*at = i + n;
	return c;
}

static void add_char(struct buf *b, uint32_t c)
{
	char raw[4];
	size_t n = 0;

	if (c < 0x80) {
		raw[n++] = (char)c;
	} else if (c < 0x800) {
		raw[n++] = (char)(0xc0 | c >> 6);
		raw[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		raw[n++] = (char)(0xe0 | c >> 12);
		raw[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		raw[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		raw[n++] = (char)(0xf0 | c >> 18);
		raw[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		raw[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		raw[n++] = (char)(0x80 | (c & 0x3f));
	}
	buf_add(b, raw, n);
}

bool is_cjk(uint32_t c)
{
	return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x3001 && c <= 0x303f) ||
	       (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff01 && c <= 0xff60) ||
	       (c >= 0x20000 && c <= 0x3ffff);
}

/* Nothing that a reader sees, but that changes how it is seen or found: controls, byte order mark,
 * soft hyphen, zero-width characters, changes of direction. */
static bool is_invisible(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0xad ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

static bool is_space(uint32_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == 0xa0;
}

/* One line of clean text out of whatever bytes: white space runs become one space, at most max
 * bytes. */
static void add_line(struct buf *b, struct str text, size_t max)
{
	bool space = false;

	for (size_t at = 0; at < text.n;) {
		uint32_t c = utf8_next(text, &at);

		if (is_space(c)) {
			space = b->n > 0;
			continue;
		}
		if (is_invisible(c))
			continue;
		if (b->n + 5 > max)
			return;
		if (space)
			buf_addc(b, ' ');
		space = false;
		add_char(b, c);
	}
}

/* ---- what a document says of itself ---- */

void job_set_type(struct job *j, const char *media_type)
{
	char clean[WIRE_MAX_TYPE];
	size_t n = 0;

	for (const char *p = media_type; *p && n < sizeof(clean); p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(".+/-", c))
			clean[n++] = c;
		else
			break;
	}
	if (n > 0)
		wire_add(&j->head, WIRE_TYPE, (struct str){ clean, n });
}

static bool is_first(struct job *j, enum wire_kind kind)
{
	uint32_t bit = 1u << kind;
	bool first = !(j->seen_lines & bit);

	j->seen_lines |= bit;
	return first;
}

void job_set_line(struct job *j, enum wire_kind kind, struct str text)
{
	struct buf line = BUF_INIT_MAX(WIRE_MAX_LINE);

	add_line(&line, text, WIRE_MAX_LINE);
	if (line.n > 0 && is_first(j, kind))
		wire_add(&j->head, kind, buf_str(&line));
	buf_done(&line);
}

void job_set_date(struct job *j, struct str text)
{
	struct date real;
	char date[10];
	size_t n = 0;

	if (str_starts(text, "D:"))
		text = (struct str){ text.p + 2, text.n - 2 };
	for (size_t i = 0; i < text.n && n < sizeof(date); i++) {
		char c = text.p[i];

		if (c == '-' && (n == 4 || n == 7)) {
			date[n++] = c;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		if (n == 4 || n == 7)
			date[n++] = '-';
		date[n++] = c;
	}
	if (date_parse((struct str){ date, n }, &real, NULL) < 0)
		return;
	if (is_first(j, WIRE_DATE))
		wire_add(&j->head, WIRE_DATE, (struct str){ date, sizeof(date) });
}

/* ---- pages and text ---- */

static void end_page(struct job *j)
{
	while (j->page.n > 0 && strchr(" \t\n", j->page.p[j->page.n - 1]))
		buf_cut(&j->page, j->page.n - 1);
	if (j->page.n > 0 && j->pages == WIRE_MAX_PAGES)
		job_cut(j);
	else if (j->page.n > 0 && j->sure > 0) {
		wire_add_scan(&j->body, j->number, j->sure, buf_str(&j->page));
		j->pages++;
	} else if (j->page.n > 0) {
		wire_add_page(&j->body, j->number, buf_str(&j->label), buf_str(&j->page));
		j->pages++;
	}
	buf_reset(&j->page);
	buf_reset(&j->label);
	j->before = 0;
	j->pending = 0;
	j->was_space = j->space_broke = false;
	j->sure = 0;
}

void job_page(struct job *j, uint32_t number, struct str label)
{
	end_page(j);
	j->number = number;
	add_line(&j->label, label, WIRE_MAX_LINE);
}

/* What stands between the text so far and the next character. */
static void add_gap(struct job *j, uint32_t c)
{
	bool joins = j->space_broke && is_cjk(j->before) && is_cjk(c);

	if (j->before && j->pending)
		buf_addc(&j->page, j->pending);
	else if (j->before && j->was_space && !joins)
		buf_addc(&j->page, ' ');
	j->pending = 0;
	j->was_space = j->space_broke = false;
}

/* A line break in text that is kept as it stands: no spaces before it, no more than one empty line.
 */
static void add_line_break(struct job *j)
{
	struct buf *b = &j->page;

	while (b->n > 0 && (b->p[b->n - 1] == ' ' || b->p[b->n - 1] == '\t'))
		buf_cut(b, b->n - 1);
	if (b->n == 0 || (b->n > 1 && b->p[b->n - 1] == '\n' && b->p[b->n - 2] == '\n'))
		return;
	buf_addc(b, '\n');
	j->before = '\n';
}

static uint32_t as_line_break(struct str text, size_t *at, uint32_t c)
{
	if (c == '\r' && *at < text.n && text.p[*at] == '\n')
		(*at)++;
	return c == '\r' || c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029 ? '\n' : c;
}

void job_text(struct job *j, struct str text)
{
	for (size_t at = 0; at < text.n && !job_is_full(j);) {
		size_t from = at, before;
		uint32_t c = as_line_break(text, &at, utf8_next(text, &at));

		if (j->space == SPACE_COLLAPSE && is_space(c)) {
			j->was_space = true;
			j->space_broke |= c == '\n';
			continue;
		}
		if (is_invisible(c))
			continue;
		if (j->text_left == 0 && is_space(c))
			continue;
		before = j->page.n;
		if (j->space == SPACE_COLLAPSE || j->pending)
			add_gap(j, c);
		if (c == '\n') {
			add_line_break(j);
		} else if (c == 0xfffd) {
			add_char(&j->page, c);
			j->before = c;
		} else {
			buf_add(&j->page, text.p + from, at - from);
			j->before = c;
		}
		if (j->page.n > before && j->page.n - before > j->text_left) {
			buf_cut(&j->page, before);
			job_cut(j);
			j->text_left = 0;
		} else if (j->page.n > before) {
			j->text_left -= j->page.n - before;
		}
	}
}

void job_break(struct job *j, char c)
{
	j->pending = c;
}

void job_soft_break(struct job *j, char c)
{
	if (!j->pending)
		j->pending = c;
}

void job_file(struct job *j, struct str name, struct str bytes)
{
	struct buf line = BUF_INIT_MAX(WIRE_MAX_LINE);

	if (bytes.n == 0)
		return;
	if (j->files >= j->limits.max_files || bytes.n > j->file_bytes_left) {
		job_cut(j);
		return;
	}
	add_line(&line, name, WIRE_MAX_LINE);
	wire_add_file(&j->body, buf_str(&line), bytes);
	buf_done(&line);
	j->files++;
	j->file_bytes_left -= bytes.n;
}

void job_sure(struct job *j, uint32_t percent)
{
	j->sure = percent > 100 ? 100 : percent;
}

void job_total(struct job *j, uint32_t pages)
{
	if (is_first(j, WIRE_TOTAL))
		wire_add_total(&j->head, pages);
}

void job_cut(struct job *j)
{
	j->is_cut = true;
}

enum extract_reason job_unpacked(struct job *j, size_t n, size_t packed)
{
	j->unpacked += n;
	if (j->unpacked > j->limits.max_unpacked_bytes)
		return EXTRACT_BOMB;
	if (j->unpacked > RATIO_FREE_BYTES && j->unpacked / j->limits.max_ratio > packed)
		return EXTRACT_BOMB;
	return EXTRACT_OK;
}

void job_end(struct job *j, enum extract_reason reason)
{
	end_page(j);
	if (reason == EXTRACT_OK && j->pages == 0 && j->files == 0 && !j->is_cut)
		reason = EXTRACT_BLANK;
	if (j->body.failed || j->head.failed || j->page.failed) {
		buf_reset(&j->head);
		wire_begin(&j->head);
		reason = EXTRACT_MEMORY;
	}
	if (reason != EXTRACT_OK)
		buf_reset(&j->body);
	else if (j->is_cut)
		wire_add(&j->body, WIRE_CUT, STR(""));
	wire_end(&j->body, reason);
}
