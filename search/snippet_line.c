/* snippet_line.c - see snippet_line.h.
 *
 * Two kinds of text break lines: pages, where a line ends because it is full, wherever that falls in a sentence; and
 * documents of paragraphs, table cells and list items, where it ends because it is over. A break behind a line that is
 * nearly as long as the longest around, or as long as many of them, is one of the first kind. */
#include "search/snippet_line.h"

#include "core/base/text.h"
#include "search/sensitive.h"

enum {
	NUMBER_BYTES = 128,   /* how far a sensitive number may reach out of what is shown */
	BYTES_PER_COLUMN = 8, /* at most, but for characters that take no column */
	FULL_LINE_MIN = 24,   /* columns; lines of a few words say nothing */
	LINES_BYTES = 16384,  /* on either side, looked at for how long lines are */
	WIDTH_MAX = 255,      /* columns; longer ones are paragraphs */
	ALIKE = 4	      /* columns by which full lines may differ */
};

/* A stretch of the source as it may be shown: one line, single spaces (none where a line of Chinese was broken), no
 * unsafe characters. Sensitive numbers are looked for in this and not in the source, as leaving something out may
 * join digits. */
struct clean {
	struct buf text;
	struct buf at; /* uint32_t for each byte of `text`: where it came from */
	struct buf secrets;
	size_t offset; /* of what is being looked through */
};

struct secret_range {
	size_t start, end; /* in the clean text */
	char value[19];
};

struct line {
	const struct clean *clean;
	const struct snippet_options *options;
	struct buf *ret;
	const struct snippet_mark_range *marks;
	size_t mark_count, mark;
	size_t left;	/* columns */
	size_t start_n; /* of `ret`, before the first character */
	bool marked, space;
	size_t space_i;
	/* As it was before the Latin word that is being written, to take half a word back; n 0 outside of one. */
	struct {
		size_t n, i;
		bool marked;
	} word;
};

size_t snippet_char_start(struct str text, size_t at)
{
	while (at > 0 && at < text.n && ((uint8_t)text.p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static void clean_done(struct clean *c)
{
	buf_wipe(&c->text);
	buf_wipe(&c->at);
	buf_wipe(&c->secrets);
}

static void clean_add(struct clean *c, struct str text, size_t from)
{
	uint32_t at = (uint32_t)from;

	buf_add_str(&c->text, text);
	for (size_t i = 0; i < text.n; i++)
		buf_add(&c->at, &at, sizeof(at));
}

static bool is_space_char(int32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x3000 || c == 0x2028 ||
	       c == 0x2029;
}

/* Kept in order; what overlaps one that is known says nothing new. */
static void add_secret(void *context, size_t start, size_t end, const char *value)
{
	struct clean *c = context;
	struct secret_range range = { start + c->offset, end + c->offset, "" }, *all;
	size_t n = c->secrets.n / sizeof(range), i;

	all = (struct secret_range *)(void *)c->secrets.p;
	for (i = n; i > 0 && all[i - 1].end > range.start; i--)
		if (all[i - 1].start < range.end)
			return;
	memcpy(range.value, value, strlen(value) + 1);
	buf_add(&c->secrets, &range, sizeof(range));
	if (c->secrets.failed)
		return;
	all = (struct secret_range *)(void *)c->secrets.p;
	memmove(&all[i + 1], &all[i], (n - i) * sizeof(range));
	all[i] = range;
}

/* ---- where lines end ---- */

/* The lines around a place, by their widths in columns. */
struct lines {
	uint16_t count[WIDTH_MAX + 1];
	size_t all, longest;
};

static size_t width_of(struct str line)
{
	size_t width = text_width(line);

	return width < WIDTH_MAX ? width : WIDTH_MAX;
}

static void look_at_lines(struct str page, size_t at, struct lines *ret)
{
	size_t from = at > LINES_BYTES ? snippet_char_start(page, at - LINES_BYTES) : 0,
	       to = page.n - at > LINES_BYTES ? snippet_char_start(page, at + LINES_BYTES) : page.n;
	struct str rest = { page.p + from, to - from };

	*ret = (struct lines){ .all = 0 };
	while (rest.n > 0) {
		size_t width = width_of(str_cut(&rest, '\n'));

		ret->count[width]++;
		ret->all += width > 0;
		if (width > ret->longest)
			ret->longest = width;
	}
}

/* Whether the line that ends at `at` ends because it is full. */
static bool is_full_line(struct str page, size_t at, const struct lines *lines)
{
	size_t start = at, alike = 0, width;

	while (start > 0 && page.p[start - 1] != '\n' && at - start < LINES_BYTES)
		start--;
	start = snippet_char_start(page, start);
	width = width_of((struct str){ page.p + start, at - start });
	if (width < FULL_LINE_MIN)
		return false;
	for (size_t w = width - ALIKE; w <= width + ALIKE && w <= WIDTH_MAX; w++)
		alike += lines->count[w];
	return 8 * width >= 7 * lines->longest || (alike >= 3 && 5 * alike >= lines->all);
}

/* ---- what may be shown ---- */

static bool is_full_width_digit(int32_t c)
{
	return c >= 0xff10 && c <= 0xff19;
}

/* White space [from, to) between wide characters that is nothing: a full line was broken there, once. */
static bool is_broken_line(
	struct str page, size_t from, size_t to, bool in_number, const struct lines *lines)
{
	const char *line = memchr(page.p + from, '\n', to - from);

	if (!line || memchr(line + 1, '\n', (size_t)(page.p + to - line - 1)))
		return false;
	/* A number in full-width digits stays one, so that it is seen and masked. */
	return in_number || is_full_line(page, (size_t)(line - page.p), lines);
}

static int clean_make(struct clean *c, struct str text, size_t from, size_t to, struct err *err)
{
	size_t space_at = 0, n;
	struct lines lines;
	bool space = false, after_wide = false;
	int32_t before = 0;

	buf_init(&c->text, BUF_DEFAULT_MAX);
	buf_init(&c->at, BUF_DEFAULT_MAX);
	buf_init(&c->secrets, BUF_DEFAULT_MAX);
	c->offset = 0;
	look_at_lines(text, from, &lines);
	for (size_t at = from; at < to; at += n) {
		int32_t code = text_char((struct str){ text.p + at, to - at }, &n);
		bool wide, in_number;

		if (is_space_char(code)) {
			space_at = space ? space_at : at;
			space = true;
		} else if (code >= 0 && !text_is_unsafe_char(code)) {
			wide = text_width((struct str){ text.p + at, n }) == 2;
			in_number = is_full_width_digit(before) && is_full_width_digit(code);
			if (space && c->text.n > 0 &&
				!(wide && after_wide &&
					is_broken_line(text, space_at, at, in_number, &lines)))
				clean_add(c, STR(" "), space_at);
			clean_add(c, (struct str){ text.p + at, n }, at);
			after_wide = wide;
			before = code;
			space = false;
		}
	}
	if (buf_check(&c->text, err) < 0 || buf_check(&c->at, err) < 0)
		return -ERR_LIMIT;
	return sensitive_find(buf_str(&c->text), add_secret, c, err);
}

static uint32_t clean_at(const struct clean *c, size_t i)
{
	return ((const uint32_t *)(const void *)c->at.p)[i];
}

static void add_char(struct line *l, struct str c)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };

	if (l->options->html && c.n == 1)
		for (size_t i = 0; i < ARRAY_LEN(entities); i++)
			if (*c.p == entities[i].c) {
				buf_adds(l->ret, entities[i].entity);
				return;
			}
	buf_add_str(l->ret, c);
}

static void set_marked(struct line *l, bool marked)
{
	if (marked == l->marked)
		return;
	buf_add_str(l->ret, marked ? l->options->start : l->options->end);
	l->marked = marked;
}

/* Whether what came from this place of the source is marked; places never go back. */
static bool is_marked(struct line *l, size_t at)
{
	while (l->mark < l->mark_count && l->marks[l->mark].end <= at)
		l->mark++;
	return l->mark < l->mark_count && l->marks[l->mark].start <= at;
}

/* What makes words and numbers that are not to be cut, in either width. */
static bool is_alnum(const char *p)
{
	size_t n = (uint8_t)*p < 0x80 ? 1 : strnlen(p, 4);
	int32_t c = text_char((struct str){ p, n }, &n);

	if (c >= 0xff01 && c <= 0xff5e)
		c -= 0xfee0;
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Write a piece that came from the clean text's byte i; false when the line is full. A space waits for what follows. */
static bool write_piece(struct line *l, struct str piece, size_t i)
{
	size_t width = text_width(piece) + l->space;

	if (*piece.p == ' ') {
		l->space = true;
		l->space_i = i;
		l->word.n = 0;
		return true;
	}
	if (width > l->left)
		return false;
	if (!is_alnum(piece.p)) {
		l->word.n = 0;
	} else if (l->word.n == 0) {
		l->word.n = l->ret->n;
		l->word.i = i;
		l->word.marked = l->marked;
	}
	if (l->space) {
		set_marked(l, is_marked(l, clean_at(l->clean, l->space_i)));
		buf_addc(l->ret, ' ');
		l->space = false;
	}
	set_marked(l, is_marked(l, clean_at(l->clean, i)));
	add_char(l, piece);
	l->left -= width;
	return true;
}

/* The line is full before the clean text's byte i: a Latin word that is not whole goes, unless it is all there is. */
static size_t take_half_word_back(struct line *l, size_t i)
{
	if (l->word.n <= l->start_n || !is_alnum(l->clean->text.p + i))
		return i;
	buf_cut(l->ret, l->word.n);
	l->marked = l->word.marked;
	return l->word.i;
}

/* Write from the clean text's byte i until the line is full or the text ends; returns where it stopped. */
static size_t write_line(struct line *l, size_t i)
{
	const struct str text = buf_str(&l->clean->text);
	const struct secret_range *s = (const void *)l->clean->secrets.p,
				  *end = s + l->clean->secrets.n / sizeof(*s);

	l->start_n = l->ret->n;
	while (i < text.n) {
		struct str piece = { text.p + i, 0 };

		while (s < end && s->end <= i)
			s++;
		if (!l->options->unmask && s < end && s->start <= i) {
			struct buf masked = BUF_INIT;
			bool fits;

			sensitive_add_masked(s->value, &masked);
			fits = write_piece(l, buf_str(&masked), i);
			buf_done(&masked);
			l->word.n = 0;
			if (!fits)
				break;
			i = s->end;
			continue;
		}
		(void)text_char((struct str){ piece.p, text.n - i }, &piece.n);
		if (!write_piece(l, piece, i)) {
			i = take_half_word_back(l, i);
			break;
		}
		i += piece.n;
	}
	set_marked(l, false);
	return i;
}

/* Write the line, again and again until it shows no sensitive number: cutting a longer row of digits can make one. */
static int write_safe_line(
	struct line *l, struct clean *c, size_t i, size_t *ret_stopped, struct err *err)
{
	const struct line before = *l;
	size_t start = l->ret->n, known;
	int r;

	do {
		buf_cut(l->ret, start);
		*l = before;
		*ret_stopped = write_line(l, i);
		known = c->secrets.n;
		c->offset = i;
		r = sensitive_find(
			(struct str){ c->text.p + i, *ret_stopped - i }, add_secret, c, err);
		if (r < 0 || (r = buf_check(&c->secrets, err)) < 0)
			return r;
	} while (c->secrets.n > known && !l->options->unmask);
	return 0;
}

bool snippet_is_blank(struct str text)
{
	for (size_t i = 0, n; i < text.n; i += n) {
		int32_t c = text_char((struct str){ text.p + i, text.n - i }, &n);

		if (c >= 0 && !is_space_char(c) && !text_is_unsafe_char(c))
			return false;
	}
	return true;
}

static bool ends_sentence(int32_t c)
{
	return c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff1b || c == '!' || c == '?';
}

size_t snippet_line_start(struct str page, size_t start, size_t lead)
{
	size_t at = start, good = start, columns = 0;
	struct lines lines;
	int32_t next = -1;

	look_at_lines(page, start, &lines);
	while (at > 0 && columns < lead) {
		size_t before = snippet_char_start(page, at - 1), n;
		int32_t c = text_char((struct str){ page.p + before, at - before }, &n);

		if (ends_sentence(c) || (c == '\n' && !is_full_line(page, before, &lines)))
			return at;
		if (next < 0 || !(c < 0x80 && next < 0x80 && c > ' ' && next > ' '))
			good = at;
		columns += text_width((struct str){ page.p + before, at - before });
		next = c;
		at = before;
	}
	return at == 0 ? 0 : good;
}

int snippet_line_add(struct str page, size_t from, size_t columns,
	const struct snippet_mark_range *marks, size_t mark_count,
	const struct snippet_options *options, struct buf *ret, struct err *err)
{
	/* What is shown, and on both sides as much as a number could reach. */
	size_t first = from > NUMBER_BYTES ? snippet_char_start(page, from - NUMBER_BYTES) : 0,
	       room = columns * BYTES_PER_COLUMN + NUMBER_BYTES,
	       last = room < page.n - from ? snippet_char_start(page, from + room) : page.n, i = 0;
	struct clean clean;
	struct line line = { .clean = &clean,
		.options = options,
		.ret = ret,
		.marks = marks,
		.mark_count = mark_count,
		.left = columns };
	int r = clean_make(&clean, page, first, last, err);

	if (r == 0) {
		while (i < clean.text.n && (clean_at(&clean, i) < from || clean.text.p[i] == ' '))
			i++;
		if (i > 0 || first > 0)
			buf_adds(ret, "…");
		r = write_safe_line(&line, &clean, i, &i, err);
		if (i < clean.text.n ||
			!snippet_is_blank((struct str){ page.p + last, page.n - last }))
			buf_adds(ret, "…");
	}
	clean_done(&clean);
	return r < 0 ? r : buf_check(ret, err);
}
