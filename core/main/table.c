/* table.c - see table.h. */
#include "core/main/table.h"

#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>

enum { GAP = 2 };

struct cell {
	char *text;
	enum term_style style;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct cell *cells;
	size_t count, room;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->columns = columns;
	t->column_count = count;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

/* Takes the text. */
static void add_cell(struct table *t, enum term_style style, char *text)
{
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct cell *cells = xcalloc(room, sizeof(*cells));

		if (t->count)
			memcpy(cells, t->cells, t->count * sizeof(*cells));
		free(t->cells);
		t->cells = cells;
		t->room = room;
	}
	t->cells[t->count++] = (struct cell){ text, style };
}

void table_add_styled(struct table *t, enum term_style style, struct str text)
{
	struct buf b = BUF_INIT;

	text_add_safe(&b, text);
	add_cell(t, style, buf_detach(&b));
}

void table_add_sentence(struct table *t, struct str text)
{
	struct buf b = BUF_INIT;

	term_add_sentence(&b, text);
	add_cell(t, TERM_PLAIN, buf_detach(&b));
}

void table_add(struct table *t, struct str text)
{
	table_add_styled(t, TERM_PLAIN, text);
}

void table_add_number(struct table *t, uint64_t number)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_addf(&b, "%llu", (unsigned long long)number);
	table_add(t, buf_str(&b));
}

size_t table_rows(const struct table *t)
{
	return t->count / t->column_count;
}

static size_t widest(const struct table *t, size_t column)
{
	size_t width = text_width(str_of(phrase_text(&t->columns[column].title)));

	for (size_t i = column; i < t->count; i += t->column_count) {
		size_t w = text_width(str_of(t->cells[i].text));

		width = w > width ? w : width;
	}
	return width;
}

/* Take from the widest column that may shrink until all fit, or none can. */
static void shrink(const struct table *t, size_t *widths, size_t room)
{
	for (;;) {
		size_t total = 0, victim = t->column_count;

		for (size_t i = 0; i < t->column_count; i++) {
			const struct table_column *c = &t->columns[i];

			total += widths[i] + (i ? GAP : 0);
			if (c->shrinks && widths[i] > c->shrinks &&
				(victim == t->column_count || widths[i] > widths[victim]))
				victim = i;
		}
		if (total <= room || victim == t->column_count)
			return;
		widths[victim]--;
	}
}

static void print_cell(const struct term *term, struct str text, enum term_style style,
	size_t width, bool is_right, bool is_last)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t own = text_width(text);

	if (own > width)
		text_add_padded(&b, text, width);
	else
		buf_add_str(&b, text);
	own = text_width(buf_str(&b));
	if (is_right)
		(void)fprintf(term->file, "%*s", (int)(width - own), "");
	if (style != TERM_PLAIN)
		(void)fputs(term_style(term, style), term->file);
	(void)fputs(b.p, term->file);
	if (style != TERM_PLAIN)
		(void)fputs(term_style(term, TERM_PLAIN), term->file);
	if (!is_right && !is_last)
		(void)fprintf(term->file, "%*s", (int)(width - own), "");
	if (!is_last)
		(void)fprintf(term->file, "%*s", GAP, "");
}

void table_print(const struct table *t, const struct term *term)
{
	_cleanup_(freep) size_t *widths = xcalloc(t->column_count, sizeof(*widths));
	size_t room = term_columns(term);

	assert(t->count % t->column_count == 0);
	if (t->count == 0)
		return;
	for (size_t i = 0; i < t->column_count; i++)
		widths[i] = widest(t, i);
	if (room)
		shrink(t, widths, room);
	for (size_t i = 0; i < t->column_count; i++)
		print_cell(term, str_of(phrase_text(&t->columns[i].title)), TERM_BOLD, widths[i],
			t->columns[i].is_right, i + 1 == t->column_count);
	(void)fputc('\n', term->file);
	for (size_t i = 0; i < t->count; i++) {
		size_t column = i % t->column_count;
		bool is_last = column + 1 == t->column_count;

		print_cell(term, str_of(t->cells[i].text), t->cells[i].style, widths[column],
			t->columns[column].is_right, is_last);
		if (is_last)
			(void)fputc('\n', term->file);
	}
}
