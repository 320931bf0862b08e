/* form.c - is a version right by its definition? Values one by one, then what they have to do with each other. Messages
 * show a value only where the field is not sensitive: they may end up on a screen or in a log. */
#include "core/model/form.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/form_codes.h"
#include "core/model/pattern.h"

#include <stdarg.h>
#include <stdio.h>

enum { PHONE_MIN_DIGITS = 5 };

/* What a message may show of a value. */
static struct str shown(const struct series_field *field, struct str text)
{
	return field->sensitive ? STR("***") : text_cut(text, 60);
}

static int wrong_text(
	const struct series_field *field, struct str text, const char *expected, struct err *err)
{
	struct str part = shown(field, text);

	return err_set(err, ERR_INVALID, tr("expected %s, found '%.*s'"), expected, STR_ARG(part));
}

/* ---- one value ---- */

static int check_length(const struct series_field *field, struct str text, struct err *err)
{
	size_t n = text_chars(text);

	if (n > field->max_chars)
		return err_set(err, ERR_LIMIT, tr("%zu characters; at most %zu are accepted"), n,
			field->max_chars);
	return 0;
}

static int check_line_text(const struct series_field *field, struct str text, struct err *err)
{
	int r = text_check_line(text, err);

	return r < 0 ? r : check_length(field, text, err);
}

static int check_pattern_text(const struct series_field *field, struct str text, struct err *err)
{
	struct str part = shown(field, text);
	int r = check_line_text(field, text, err);

	if (r < 0)
		return r;
	if (field->pattern && !pattern_matches(field->pattern, text))
		return err_set(err, ERR_INVALID, tr("'%.*s' does not look like %s"), STR_ARG(part),
			field->pattern_text);
	if (field->check == CHECK_USCC && !form_is_uscc(text))
		return err_set(err, ERR_INVALID,
			tr("'%.*s' is not a unified social credit code: 18 characters of which the "
			   "last "
			   "checks the others"),
			STR_ARG(part));
	return 0;
}

static int check_long_text(const struct series_field *field, struct str text, struct err *err)
{
	if (!str_is_utf8(text))
		return err_set(err, ERR_INVALID, tr("the text is not UTF-8"));
	return check_length(field, text, err);
}

static int check_date(const struct series_field *field, struct str text, struct err *err)
{
	struct date date;

	(void)field;
	return date_parse(text, &date, err);
}

static int check_instant(const struct series_field *field, struct str text, struct err *err)
{
	int64_t at;

	(void)field;
	return instant_parse(text, &at, err);
}

static int check_choice(const struct series_field *field, struct str text, struct err *err)
{
	_cleanup_(buf_done) struct buf known = BUF_INIT;

	for (size_t i = 0; i < field->choice_count; i++) {
		if (str_is(text, field->choices[i].name))
			return 0;
		buf_addf(&known, "%s%s", i ? "、" : "", label_text(&field->choices[i].label));
	}
	return err_set(err, ERR_INVALID, tr("expected one of %s; found '%.*s'"), known.p,
		STR_ARG(shown(field, text)));
}

static int check_phone(const struct series_field *field, struct str text, struct err *err)
{
	size_t digits = 0;
	bool good = text.n <= field->max_chars;

	for (size_t i = 0; good && i < text.n; i++) {
		digits += text.p[i] >= '0' && text.p[i] <= '9';
		good = (text.p[i] >= '0' && text.p[i] <= '9') ||
		       (text.p[i] != '\0' && strchr("+-() ", text.p[i]));
	}
	if (!good || digits < PHONE_MIN_DIGITS)
		return wrong_text(field, text, tr("a telephone number"), err);
	return 0;
}

static int check_id_card(const struct series_field *field, struct str text, struct err *err)
{
	return form_is_id_card(text) ? 0
				     : wrong_text(field, text,
					       tr("an identity-card number of 18 characters"), err);
}

/* For the types whose value is a text. */
static int (*const text_checks[])(
	const struct series_field *field, struct str text, struct err *err) = {
	[FIELD_TEXT] = check_pattern_text,
	[FIELD_LONG_TEXT] = check_long_text,
	[FIELD_CODE] = check_pattern_text,
	[FIELD_DATE] = check_date,
	[FIELD_INSTANT] = check_instant,
	[FIELD_CHOICE] = check_choice,
	[FIELD_PERSON] = check_line_text,
	[FIELD_PHONE] = check_phone,
	[FIELD_ADDRESS] = check_line_text,
	[FIELD_ID_CARD] = check_id_card,
	[FIELD_ROWS] = NULL,
};

static int check_number(const struct series_field *field, int64_t v, struct err *err)
{
	int64_t unit = field->type == FIELD_MONEY ? 100 : 1;

	if (v < field->min || v > field->max)
		return err_set(err, ERR_INVALID, tr("expected a number from %lld to %lld"),
			(long long)(field->min / unit), (long long)(field->max / unit));
	return 0;
}

static int check_several(
	const struct series_field *field, const struct value *value, struct err *err)
{
	int r = 0;

	if (value->count > field->choice_count)
		return err_set(err, ERR_INVALID, tr("a choice stands there twice"));
	for (size_t i = 0; r == 0 && i < value->count; i++) {
		r = check_choice(field, value->list[i], err);
		for (size_t k = 0; r == 0 && k < i; k++)
			if (str_eq(value->list[k], value->list[i]))
				r = err_set(err, ERR_INVALID, tr("a choice stands there twice"));
	}
	return r;
}

static const struct field *find(const struct field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static int check_row(const struct series_field *table, const struct row *row, struct err *err)
{
	size_t known = 0;
	int r;

	for (size_t i = 0; i < table->column_count; i++) {
		const struct series_field *column = &table->columns[i];
		const struct field *cell = find(row->fields, row->field_count, column->name);

		known += cell != NULL;
		if (!cell && column->required)
			return err_set(err, ERR_INVALID, tr("'%s' is missing"),
				label_text(&column->label));
		r = cell ? form_check_value(column, &cell->value, err) : 0;
		if (r < 0)
			return r;
	}
	if (known != row->field_count)
		return err_set(err, ERR_INVALID, tr("a column is not known here"));
	return 0;
}

static int check_rows(const struct series_field *field, const struct value *value, struct err *err)
{
	int r = 0;

	if (value->count > field->max_rows)
		return err_set(err, ERR_LIMIT, tr("%zu rows; at most %zu are accepted"),
			value->count, field->max_rows);
	for (size_t i = 0; r == 0 && i < value->count; i++) {
		r = check_row(field, &value->rows[i], err);
		if (r < 0)
			r = err_prefix(err, r, tr("row %zu"), i + 1);
	}
	return r;
}

static enum value_kind kind_of(const struct series_field *field)
{
	if (field->type == FIELD_ROWS)
		return VALUE_ROWS;
	if (field->type == FIELD_MONEY || field->type == FIELD_INTEGER)
		return VALUE_INT;
	return field->several ? VALUE_LIST : VALUE_TEXT;
}

static int check_by_kind(
	const struct series_field *field, const struct value *value, struct err *err)
{
	if (value->kind != kind_of(field))
		return err_set(err, ERR_INVALID, tr("the value has another type than '%s'"),
			field_type_word(field->type));
	switch (value->kind) {
	case VALUE_INT:
		return check_number(field, value->number, err);
	case VALUE_LIST:
		return check_several(field, value, err);
	case VALUE_ROWS:
		return check_rows(field, value, err);
	case VALUE_TEXT:
		break;
	}
	return text_checks[field->type](field, value->text, err);
}

int form_check_value(const struct series_field *field, const struct value *value, struct err *err)
{
	int r = check_by_kind(field, value, err);

	return r < 0 ? err_prefix(err, r, "%s", label_text(&field->label)) : 0;
}

/* ---- a whole version ---- */

struct checking {
	struct arena *arena;
	struct form_problem *problems;
	int count;
};

static void add_problem(struct checking *checking, const char *field, const char *text)
{
	checking->problems[checking->count++] = (struct form_problem){
		.field = arena_text(checking->arena, str_of(field)),
		.text = arena_text(checking->arena, str_of(text)),
	};
}

static void check_departments(
	struct checking *checking, const struct series *series, const struct manifest *m)
{
	struct err err = ERR_INIT;

	if (!str_is(m->series, series->code) || !digest_equal(&m->definition, &series->sha256))
		add_problem(checking, "series",
			tr("the version does not name this definition of the series"));
	if (series_check_department(series, m->department, &err) < 0)
		add_problem(checking, "department", err.text);
}

/* The drawn number of a first version is exactly what the rule makes; later ones keep it whatever their fields say. */
static int check_drawn(
	const struct series *series, const struct manifest *m, struct arena *arena, struct err *err)
{
	_cleanup_(buf_done) struct buf made = BUF_INIT;
	struct number_input input;
	struct number_plan plan;
	uint64_t serial = 0;
	int r = number_read(series->number, m->number, NULL, &serial, err);

	if (r < 0 || m->version > 1)
		return r;
	r = form_number_input(series, m, arena, &input, err);
	if (r == 0)
		r = number_plan_make(series->number, &input, &plan, err);
	if (r < 0)
		return r;
	r = number_plan_add(&plan, serial ? serial : 1, &made, err);
	number_plan_done(&plan);
	if (r == 0 && !str_eq(buf_str(&made), m->number))
		r = err_set(err, ERR_INVALID,
			tr("'%.*s' is not the number of this record; its rule "
			   "makes '%s'"),
			STR_ARG(m->number), made.p);
	return r;
}

static int check_brought(const struct series *series, struct str number, struct err *err)
{
	if (!series->given)
		return err_set(err, ERR_INVALID,
			tr("numbers of series '%s' are drawn, not brought"),
			label_text(&series->title));
	if (!pattern_matches(series->given, number))
		return err_set(err, ERR_INVALID, tr("'%.*s' does not look like %s"),
			STR_ARG(text_cut(number, 80)), series->given_text);
	return number_check(number, err);
}

static void check_numbers(
	struct checking *checking, const struct series *series, const struct manifest *m)
{
	struct err err = ERR_INIT;
	int r = m->drawn ? check_drawn(series, m, checking->arena, &err)
			 : check_brought(series, m->number, &err);

	if (r < 0)
		add_problem(checking, "number", err.text);
}

static bool one_of(const struct series_field *field, struct str value)
{
	for (size_t i = 0; i < field->when_count; i++)
		if (str_is(value, field->when_values[i]))
			return true;
	return false;
}

static bool is_required(const struct series_field *field, const struct manifest *m)
{
	const struct field *other = field->when ? manifest_field(m, field->when) : NULL;

	if (field->required || !other)
		return field->required;
	if (other->value.kind == VALUE_TEXT)
		return one_of(field, other->value.text);
	for (size_t i = 0; other->value.kind == VALUE_LIST && i < other->value.count; i++)
		if (one_of(field, other->value.list[i]))
			return true;
	return false;
}

static void check_fields(
	struct checking *checking, const struct series *series, const struct manifest *m)
{
	char text[ERR_TEXT_MAX];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < series->field_count; i++) {
		const struct series_field *field = &series->fields[i];
		const struct field *found = manifest_field(m, field->name);

		if (!found && is_required(field, m)) {
			(void)snprintf(text, sizeof(text), tr("'%s' is missing"),
				label_text(&field->label));
			add_problem(checking, field->name, text);
		} else if (found && form_check_value(field, &found->value, &err) < 0) {
			add_problem(checking, field->name, err.text);
		}
	}
	for (size_t i = 0; i < m->field_count; i++) {
		bool known = false;

		for (size_t k = 0; k < series->field_count; k++)
			known = known || str_is(m->fields[i].name, series->fields[k].name);
		if (known)
			continue;
		(void)snprintf(text, sizeof(text), tr("field '%.*s' is not known here"),
			STR_ARG(text_cut(m->fields[i].name, 80)));
		add_problem(checking, arena_text(checking->arena, m->fields[i].name), text);
	}
}

static void check_day(
	struct checking *checking, const struct series *series, const struct manifest *m)
{
	struct err err = ERR_INIT;
	int64_t day = m->day;

	if (form_day(series, m->fields, m->field_count, m->day, &day, &err) < 0)
		return; /* the field's own problem, reported there */
	if (day != m->day)
		add_problem(checking, "date",
			tr("the record's date is not that of the field that gives it"));
}

int form_check(const struct series *series, const struct manifest *m, struct arena *arena,
	const struct form_problem **ret)
{
	enum { BESIDE_FIELDS = 8 };
	struct checking checking = { .arena = arena };

	checking.problems = arena_zero(arena, series->field_count + m->field_count + BESIDE_FIELDS,
		sizeof(*checking.problems));
	check_departments(&checking, series, m);
	check_day(&checking, series, m);
	check_fields(&checking, series, m);
	if (checking.count == 0)
		check_numbers(&checking, series, m);
	*ret = checking.problems;
	return checking.count;
}

/* ---- what others need from the fields ---- */

static struct str code_of(const struct series *series, const struct manifest *m, struct str name)
{
	const struct series_department *department;
	const struct series_field *field;
	const struct series_choice *choice;
	const struct field *found;

	if (str_is(name, "department")) {
		department = series_find_department(series, m->department);
		return str_of(department ? department->code : NULL);
	}
	field = series_find_field(series, name);
	found = field ? manifest_field(m, field->name) : NULL;
	if (!found || found->value.kind != VALUE_TEXT)
		return (struct str){ NULL, 0 };
	if (field->type != FIELD_CHOICE)
		return found->value.text;
	choice = series_find_choice(field, found->value.text);
	return str_of(choice ? choice->code : NULL);
}

int form_number_input(const struct series *series, const struct manifest *m, struct arena *arena,
	struct number_input *ret, struct err *err)
{
	struct number_code *codes = arena_zero(arena, NUMBER_SLOTS_MAX, sizeof(*codes));
	const struct field *version = manifest_field(m, "version");
	struct number_input input = { .day = m->day, .codes = codes };

	for (;; input.code_count++) {
		struct str name = number_rule_code(series->number, input.code_count);

		if (name.n == 0)
			break;
		codes[input.code_count] = (struct number_code){ name, code_of(series, m, name) };
		if (codes[input.code_count].value.n == 0)
			return err_set(err, ERR_INVALID,
				tr("the number needs '%.*s', which is missing"), STR_ARG(name));
	}
	if (version && version->value.kind == VALUE_TEXT)
		input.version = version->value.text;
	*ret = input;
	return 0;
}

int form_day(const struct series *series, const struct field *fields, size_t count,
	int64_t filing_day, int64_t *ret, struct err *err)
{
	const struct series_field *field = series->date_field;
	const struct field *found = field ? find(fields, count, field->name) : NULL;
	struct date date;
	int64_t at = 0;
	int r;

	if (!found) {
		*ret = filing_day;
		return 0;
	}
	r = form_check_value(field, &found->value, err);
	if (r < 0)
		return r;
	if (field->type == FIELD_INSTANT) {
		(void)instant_parse(found->value.text, &at, NULL);
		*ret = day_of(at);
	} else {
		(void)date_parse(found->value.text, &date, NULL);
		*ret = day_of_date(date);
	}
	return 0;
}
