/* form_text.c - values from what people type and to what people read. Everything here may change with taste; what is
 * stored does not. */
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/form.h"

/* ---- reading ---- */

static int read_money(struct str typed, int64_t *ret)
{
	bool negative = str_starts(typed, "-");
	struct str rest = { typed.p + negative, typed.n - negative };
	struct str yuan = str_cut(&rest, '.'), fen = rest.p ? rest : STR("00");
	uint64_t whole = 0;
	int64_t v;

	if (str_to_u64(yuan, (uint64_t)1 << 50, &whole, NULL) < 0 || fen.n != 2 || fen.p[0] < '0' ||
		fen.p[0] > '9' || fen.p[1] < '0' || fen.p[1] > '9')
		return -ERR_INVALID;
	v = (int64_t)whole * 100 + (fen.p[0] - '0') * 10 + (fen.p[1] - '0');
	*ret = negative ? -v : v;
	return 0;
}

static int read_number(
	const struct series_field *field, struct str typed, struct value *ret, struct err *err)
{
	bool negative = typed.n > 1 && typed.p[0] == '-';
	struct str digits = { typed.p + negative, typed.n - negative };
	uint64_t v = 0;
	int64_t number = 0;

	if (field->type == FIELD_MONEY) {
		if (read_money(typed, &number) < 0)
			return err_set(err, ERR_INVALID,
				tr("expected an amount with two decimals such as 198.00 (REC-04)"));
	} else if (str_to_u64(digits, INT64_MAX, &v, NULL) < 0) {
		return err_set(err, ERR_INVALID, tr("expected %s"), tr("a whole number"));
	} else {
		number = negative ? -(int64_t)v : (int64_t)v;
	}
	*ret = VALUE_OF_INT(number);
	return 0;
}

static int read_instant(struct str typed, struct arena *arena, struct value *ret, struct err *err)
{
	char text[21];
	int64_t at = 0;
	int r = str_ends(typed, "Z") ? instant_parse(typed, &at, err)
				     : instant_parse_local(typed, &at, err);

	if (r == 0)
		*ret = VALUE_OF_TEXT(str_of(arena_text(arena, str_of(instant_format(at, text)))));
	return r;
}

/* A choice by name, label or code; what is none stays as it is and is refused by the check. */
static struct str choice_name(
	const struct series_field *field, struct str typed, struct arena *arena)
{
	const struct series_choice *choice = series_find_choice(field, typed);

	return str_of(arena_text(arena, choice ? str_of(choice->name) : typed));
}

/* Cut at the next of the separators that people use in a list: ; , and their Chinese forms. */
static struct str cut_item(struct str *rest)
{
	static const char *const separators[] = { ";", ",", "；", "，", "、" };

	for (size_t i = 0; i < rest->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(separators); k++) {
			struct str here = { rest->p + i, rest->n - i };
			struct str head = { rest->p, i };

			if (!str_starts(here, separators[k]))
				continue;
			*rest = (struct str){ here.p + strlen(separators[k]),
				here.n - strlen(separators[k]) };
			return str_trim(head);
		}
	return str_trim(str_cut(rest, '\0'));
}

static void read_list(
	const struct series_field *field, struct str typed, struct arena *arena, struct value *ret)
{
	struct str *items = arena_zero(arena, typed.n + 1, sizeof(*items));
	size_t n = 0;

	while (typed.p) {
		struct str item = cut_item(&typed);

		if (item.n > 0)
			items[n++] = choice_name(field, item, arena);
	}
	*ret = (struct value){ .kind = VALUE_LIST, .list = items, .count = n };
}

static int read_cell(const struct series_field *field, struct str typed, struct arena *arena,
	struct value *ret, struct err *err);

/* Columns in the order of the definition, separated by '|'; an empty one is left out. */
static int read_row(const struct series_field *table, struct str line, struct arena *arena,
	struct row *row, struct err *err)
{
	struct field *fields = arena_zero(arena, table->column_count, sizeof(*fields));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && line.p; i++) {
		struct str cell = str_trim(str_cut(&line, '|'));

		if (i == table->column_count)
			return err_set(
				err, ERR_INVALID, tr("more than %zu columns"), table->column_count);
		if (cell.n == 0)
			continue;
		fields[n].name = str_of(table->columns[i].name);
		r = read_cell(&table->columns[i], cell, arena, &fields[n++].value, err);
		if (r < 0)
			r = err_prefix(err, r, "%s", label_text(&table->columns[i].label));
	}
	*row = (struct row){ fields, n };
	return r;
}

static int read_rows(const struct series_field *table, struct str typed, struct arena *arena,
	struct value *ret, struct err *err)
{
	struct row *rows = arena_zero(arena, table->max_rows, sizeof(*rows));
	size_t n = 0;
	int r = 0;

	while (r == 0 && typed.p) {
		struct str line = str_trim(str_cut(&typed, '\n'));

		if (line.n == 0)
			continue;
		if (n == table->max_rows)
			return err_set(err, ERR_LIMIT, tr("%zu rows; at most %zu are accepted"),
				n + 1, table->max_rows);
		r = read_row(table, line, arena, &rows[n++], err);
		if (r < 0)
			r = err_prefix(err, r, tr("row %zu"), n);
	}
	*ret = (struct value){ .kind = VALUE_ROWS, .rows = rows, .count = n };
	return r;
}

static int read_cell(const struct series_field *field, struct str typed, struct arena *arena,
	struct value *ret, struct err *err)
{
	switch (field->type) {
	case FIELD_MONEY:
	case FIELD_INTEGER:
		return read_number(field, typed, ret, err);
	case FIELD_INSTANT:
		return read_instant(typed, arena, ret, err);
	case FIELD_ROWS:
		return read_rows(field, typed, arena, ret, err);
	case FIELD_CHOICE:
		if (field->several)
			read_list(field, typed, arena, ret);
		else
			*ret = VALUE_OF_TEXT(choice_name(field, typed, arena));
		return 0;
	default:
		*ret = VALUE_OF_TEXT(((struct str){ arena_text(arena, typed), typed.n }));
		return 0;
	}
}

int form_read(const struct series_field *field, struct str typed, struct arena *arena,
	struct value *ret, struct err *err)
{
	struct value value;
	int r = 0;

	typed = str_trim(typed);
	if (typed.n == 0)
		r = err_set(err, ERR_INVALID, tr("the value is empty; leave the field out"));
	else if (typed.n > MANIFEST_MAX_TEXT)
		r = err_set(err, ERR_LIMIT, tr("more than %zu bytes are not accepted here"),
			(size_t)MANIFEST_MAX_TEXT);
	else if (!str_is_utf8(typed))
		r = err_set(err, ERR_INVALID, tr("the text is not UTF-8"));
	else
		r = read_cell(field, typed, arena, &value, err);
	if (r < 0)
		return err_prefix(err, r, "%s", label_text(&field->label));
	r = form_check_value(field, &value, err);
	if (r == 0)
		*ret = value;
	return r;
}

/* ---- showing ---- */

/* The first `head` and the last `tail` characters, stars between. */
static void add_ends(struct buf *b, struct str text, size_t head, size_t tail)
{
	size_t chars = text_chars(text), i = 0;

	if (chars <= head + tail) {
		buf_adds(b, "****");
		return;
	}
	for (size_t at = 0, n; at < text.n; at += n, i++) {
		(void)text_char((struct str){ text.p + at, text.n - at }, &n);
		if (i < head || i >= chars - tail)
			buf_add(b, text.p + at, n);
		else if (i == head)
			buf_adds(b, "****");
	}
}

/* To the district: what stands behind 区 or 县 (or 市, where there is neither) is hidden. */
static void add_district(struct buf *b, struct str text)
{
	static const char *const ends[] = { "区", "县", "市" };

	for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
		const char *at = memmem(text.p, text.n, ends[k], strlen(ends[k]));

		if (!at)
			continue;
		buf_add(b, text.p, (size_t)(at - text.p) + strlen(ends[k]));
		buf_adds(b, " XX 街道");
		return;
	}
	buf_adds(b, "****");
}

static void add_masked(const struct series_field *field, struct str text, struct buf *b)
{
	switch (field->type) {
	case FIELD_PHONE:
	case FIELD_ID_CARD:
		add_ends(b, text, 3, 4);
		break;
	case FIELD_ADDRESS:
		add_district(b, text);
		break;
	case FIELD_PERSON:
		add_ends(b, text, 1, 0);
		break;
	default:
		buf_adds(b, "****");
	}
}

static void add_number(const struct series_field *field, int64_t v, struct buf *b)
{
	uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v;

	if (field->type == FIELD_MONEY)
		buf_addf(b, "%s%llu.%02llu", v < 0 ? "-" : "", (unsigned long long)(size / 100),
			(unsigned long long)(size % 100));
	else
		buf_addf(b, "%lld", (long long)v);
}

static void add_text(const struct series_field *field, struct str text, struct buf *b)
{
	const struct series_choice *choice = NULL;
	char local[17];
	int64_t at;

	if (field->type == FIELD_CHOICE)
		choice = series_find_choice(field, text);
	if (choice)
		buf_adds(b, label_text(&choice->label));
	else if (field->type == FIELD_INSTANT && instant_parse(text, &at, NULL) == 0)
		buf_adds(b, instant_format_local(at, local));
	else
		buf_add_str(b, text);
}

static void show_row(
	const struct series_field *table, const struct row *row, unsigned flags, struct buf *b)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (i)
			buf_adds(b, " | ");
		for (size_t k = 0; k < row->field_count; k++)
			if (str_is(row->fields[k].name, table->columns[i].name))
				form_show(&table->columns[i], &row->fields[k].value, flags, b);
	}
}

void form_show(
	const struct series_field *field, const struct value *value, unsigned flags, struct buf *b)
{
	bool mask = field->sensitive && (flags & FORM_MASK);

	if (mask && value->kind == VALUE_TEXT) {
		add_masked(field, value->text, b);
		return;
	}
	if (mask) {
		buf_adds(b, "****");
		return;
	}
	switch (value->kind) {
	case VALUE_TEXT:
		add_text(field, value->text, b);
		break;
	case VALUE_INT:
		add_number(field, value->number, b);
		break;
	case VALUE_LIST:
		for (size_t i = 0; i < value->count; i++) {
			buf_adds(b, i ? tr_pick("、", ", ") : "");
			add_text(field, value->list[i], b);
		}
		break;
	case VALUE_ROWS:
		for (size_t i = 0; i < value->count; i++) {
			buf_adds(b, i ? "\n" : "");
			show_row(field, &value->rows[i], flags, b);
		}
		break;
	}
}
