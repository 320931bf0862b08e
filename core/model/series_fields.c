/* series_fields.c - the form of a series out of YAML. Two tables decide: which types there are and what goes with each,
 * and which members a field may have and who reads them. A new type or member is a new row. */
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/series_parse.h"

#include <stdio.h>

enum option {
	WITH_PATTERN = 1 << 0,
	WITH_LENGTH = 1 << 1,
	WITH_RANGE = 1 << 2,
	WITH_CHOICES = 1 << 3,
	WITH_CHECK = 1 << 4,
	WITH_COLUMNS = 1 << 5,
	ONLY_OUTSIDE_ROWS = 1 << 6 /* of a member: not in a column */
};

static const struct type_row {
	const char *word;
	unsigned options;
	size_t max_chars;
	bool sensitive;
} types[] = {
	[FIELD_TEXT] = { "text", WITH_PATTERN | WITH_LENGTH, 200, false },
	[FIELD_LONG_TEXT] = { "long_text", WITH_LENGTH, 5000, false },
	[FIELD_CODE] = { "code", WITH_PATTERN | WITH_LENGTH | WITH_CHECK, 64, false },
	[FIELD_DATE] = { "date", 0, 10, false },
	[FIELD_INSTANT] = { "instant", 0, 20, false },
	[FIELD_MONEY] = { "money", WITH_RANGE, 0, false },
	[FIELD_INTEGER] = { "integer", WITH_RANGE, 0, false },
	[FIELD_CHOICE] = { "choice", WITH_CHOICES, 64, false },
	[FIELD_PERSON] = { "person", WITH_LENGTH, 50, false },
	[FIELD_PHONE] = { "phone", 0, 20, true },
	[FIELD_ADDRESS] = { "address", WITH_LENGTH, 200, true },
	[FIELD_ID_CARD] = { "id_card", 0, 18, true },
	[FIELD_ROWS] = { "rows", WITH_COLUMNS, 0, false },
};

const char *field_type_word(enum field_type type)
{
	return types[type].word;
}

struct reading {
	struct series_whole *whole;
	struct series_field *field;
	bool in_row;
	struct err *err;
};

static int read_fields(struct series_whole *whole, const struct yaml_node *node, bool in_row,
	size_t max, const struct series_field **ret, size_t *ret_count, struct err *err);

/* ---- members ---- */

static int read_field_label(struct reading *reading, const struct yaml_node *node)
{
	return series_read_label(reading->whole, node, NULL, &reading->field->label, reading->err);
}

static int read_type(struct reading *reading, const struct yaml_node *node)
{
	const char *words[ARRAY_LEN(types)];
	size_t i = 0;
	int r;

	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		words[k] = types[k].word;
	r = yaml_is_word(node, words, ARRAY_LEN(words), &i, reading->err);
	if (r == 0)
		reading->field->type = (enum field_type)i;
	return r;
}

static int read_required(struct reading *reading, const struct yaml_node *node)
{
	return yaml_is_bool(node, &reading->field->required, reading->err);
}

static int read_sensitive(struct reading *reading, const struct yaml_node *node)
{
	bool sensitive = false;
	int r = yaml_is_bool(node, &sensitive, reading->err);

	if (r == 0 && !sensitive && types[reading->field->type].sensitive)
		return yaml_error(node, reading->err,
			tr("a field of type '%s' is always sensitive"),
			types[reading->field->type].word);
	if (r == 0)
		reading->field->sensitive = sensitive;
	return r;
}

static int read_several(struct reading *reading, const struct yaml_node *node)
{
	return yaml_is_bool(node, &reading->field->several, reading->err);
}

static int read_length(struct reading *reading, const struct yaml_node *node)
{
	int64_t v = 0;
	int r = yaml_is_int(node, 1, FIELD_MAX_CHARS, &v, reading->err);

	if (r == 0)
		reading->field->max_chars = (size_t)v;
	return r;
}

/* Whole numbers; of money in yuan. */
static int read_bound(struct reading *reading, const struct yaml_node *node, int64_t *ret)
{
	int64_t v = 0, most = (int64_t)1 << 50;
	int r = yaml_is_int(node, -most, most, &v, reading->err);

	if (r == 0)
		*ret = reading->field->type == FIELD_MONEY ? v * 100 : v;
	return r;
}

static int read_min(struct reading *reading, const struct yaml_node *node)
{
	return read_bound(reading, node, &reading->field->min);
}

static int read_max(struct reading *reading, const struct yaml_node *node)
{
	return read_bound(reading, node, &reading->field->max);
}

static int read_pattern(struct reading *reading, const struct yaml_node *node)
{
	return series_read_pattern(reading->whole, node, &reading->field->pattern,
		&reading->field->pattern_text, reading->err);
}

static int read_check(struct reading *reading, const struct yaml_node *node)
{
	static const char *const words[] = { "none", "uscc" };
	size_t i = 0;
	int r = yaml_is_word(node, words, ARRAY_LEN(words), &i, reading->err);

	if (r == 0)
		reading->field->check = (enum field_check)i;
	return r;
}

static bool is_name(struct str name)
{
	if (name.n == 0 || name.n > 64 || name.p[0] < 'a' || name.p[0] > 'z')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] < 'a' || name.p[i] > 'z') && (name.p[i] < '0' || name.p[i] > '9') &&
			name.p[i] != '_')
			return false;
	return true;
}

static int check_name(const struct yaml_node *node, struct err *err)
{
	if (is_name(node->name))
		return 0;
	return yaml_error_name(node, err,
		tr("'%.*s' is not a name; expected at most 64 of a-z, 0-9 and '_', a letter first"),
		STR_ARG(text_cut(node->name, 80)));
}

static bool labels_clash(const struct label *a, const struct label *b)
{
	return strcmp(a->zh, b->zh) == 0 || strcmp(a->en, b->en) == 0;
}

static int read_choice(
	struct reading *reading, const struct yaml_node *node, struct series_choice *choice)
{
	const struct yaml_node *code = yaml_get(node, "code");
	int r = check_name(node, reading->err);

	choice->name = arena_text(reading->whole->arena, node->name);
	choice->code = "";
	if (r == 0)
		r = series_read_label(reading->whole, node, "code", &choice->label, reading->err);
	if (r == 0 && code)
		r = series_read_code(reading->whole, code, &choice->code, reading->err);
	return r;
}

static int read_choices(struct reading *reading, const struct yaml_node *node)
{
	struct series_choice *choices;
	int r = yaml_is_map(node, reading->err);

	if (r < 0)
		return r;
	if (node->count == 0 || node->count > SERIES_MAX_CHOICES)
		return yaml_error(node, reading->err, tr("expected 1 to %d entries, found %zu"),
			SERIES_MAX_CHOICES, node->count);
	choices = arena_zero(reading->whole->arena, node->count, sizeof(*choices));
	for (size_t i = 0; i < node->count; i++) {
		r = read_choice(reading, node->children[i], &choices[i]);
		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++)
			if (labels_clash(&choices[k].label, &choices[i].label))
				return yaml_error_name(node->children[i], reading->err,
					tr("'%s' and '%s' have the same label"), choices[k].name,
					choices[i].name);
	}
	reading->field->choices = choices;
	reading->field->choice_count = node->count;
	return 0;
}

static int read_columns(struct reading *reading, const struct yaml_node *node)
{
	return read_fields(reading->whole, node, true, SERIES_MAX_COLUMNS, &reading->field->columns,
		&reading->field->column_count, reading->err);
}

static int read_max_rows(struct reading *reading, const struct yaml_node *node)
{
	int64_t v = 0;
	int r = yaml_is_int(node, 1, FIELD_MAX_ROWS, &v, reading->err);

	if (r == 0)
		reading->field->max_rows = (size_t)v;
	return r;
}

/* {other_field: [choice, choice]}; what the names mean is checked when all fields are known. */
static int read_required_when(struct reading *reading, const struct yaml_node *node)
{
	const struct yaml_node *values;
	const char **words;
	int r = yaml_is_map(node, reading->err);

	if (r < 0)
		return r;
	if (node->count != 1)
		return yaml_error(
			node, reading->err, tr("expected one field, found %zu"), node->count);
	values = node->children[0];
	r = yaml_is_list(values, reading->err);
	if (r < 0)
		return r;
	if (values->count == 0 || values->count > SERIES_MAX_CHOICES)
		return yaml_error(values, reading->err, tr("expected 1 to %d entries, found %zu"),
			SERIES_MAX_CHOICES, values->count);
	words = arena_zero(reading->whole->arena, values->count, sizeof(*words));
	for (size_t i = 0; i < values->count; i++) {
		struct str word = { 0 };

		r = yaml_is_text(values->children[i], &word, reading->err);
		if (r < 0)
			return r;
		words[i] = arena_text(reading->whole->arena, word);
	}
	reading->field->when = arena_text(reading->whole->arena, values->name);
	reading->field->when_values = words;
	reading->field->when_count = values->count;
	return 0;
}

/* In the order in which they are read: the type decides what the others mean. */
static const struct member {
	const char *name;
	unsigned option; /* 0: goes with every type */
	bool needed;
	int (*read)(struct reading *reading, const struct yaml_node *node);
} members[] = {
	{ "type", 0, true, read_type },
	{ "label", 0, true, read_field_label },
	{ "required", 0, false, read_required },
	{ "required_when", ONLY_OUTSIDE_ROWS, false, read_required_when },
	{ "sensitive", 0, false, read_sensitive },
	{ "max_chars", WITH_LENGTH, false, read_length },
	{ "min", WITH_RANGE, false, read_min },
	{ "max", WITH_RANGE, false, read_max },
	{ "pattern", WITH_PATTERN, false, read_pattern },
	{ "check", WITH_CHECK, false, read_check },
	{ "choices", WITH_CHOICES, true, read_choices },
	{ "several", WITH_CHOICES | ONLY_OUTSIDE_ROWS, false, read_several },
	{ "columns", WITH_COLUMNS, true, read_columns },
	{ "max_rows", WITH_COLUMNS, false, read_max_rows },
};

static void set_defaults(struct series_field *field)
{
	field->max_chars = types[field->type].max_chars;
	field->sensitive = types[field->type].sensitive;
	field->min = field->type == FIELD_MONEY ? 0 : -((int64_t)1 << 52);
	field->max = (int64_t)1 << 52;
	field->max_rows = FIELD_MAX_ROWS;
	field->pattern_text = "";
}

static int read_member(
	struct reading *reading, const struct yaml_node *node, const struct member *member)
{
	const struct yaml_node *child = yaml_get(node, member->name);
	unsigned options =
		types[reading->field->type].options | (reading->in_row ? 0 : ONLY_OUTSIDE_ROWS);
	bool fits = (member->option & ~options) == 0;

	if (child && !fits && reading->in_row && (member->option & ONLY_OUTSIDE_ROWS))
		return yaml_error_name(
			child, reading->err, tr("'%s' does not go into a column"), member->name);
	if (child && !fits)
		return yaml_error_name(child, reading->err, tr("'%s' does not go with type '%s'"),
			member->name, types[reading->field->type].word);
	if (!child && fits && member->needed)
		return yaml_need(node, member->name, &child, reading->err);
	return child ? member->read(reading, child) : 0;
}

static int read_field(struct series_whole *whole, const struct yaml_node *node, bool in_row,
	struct series_field *field, struct err *err)
{
	struct reading reading = { whole, field, in_row, err };
	const char *names[ARRAY_LEN(members)];
	int r = check_name(node, err);

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		names[i] = members[i].name;
	if (r == 0)
		r = yaml_only_names(node, names, ARRAY_LEN(names), err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(members); i++) {
		r = read_member(&reading, node, &members[i]);
		if (i == 0)
			set_defaults(field);
	}
	if (r < 0)
		return r;
	field->name = arena_text(whole->arena, node->name);
	if (in_row && field->type == FIELD_ROWS)
		return yaml_error(node, err, tr("a table cannot stand in a table"));
	if (field->min > field->max)
		return yaml_error(node, err, tr("'min' is more than 'max'"));
	return 0;
}

static int read_fields(struct series_whole *whole, const struct yaml_node *node, bool in_row,
	size_t max, const struct series_field **ret, size_t *ret_count, struct err *err)
{
	struct series_field *fields;
	int r = yaml_is_map(node, err);

	if (r < 0)
		return r;
	if (node->count > max || (in_row && node->count == 0))
		return yaml_error(
			node, err, tr("expected at most %zu fields, found %zu"), max, node->count);
	fields = arena_zero(whole->arena, node->count, sizeof(*fields));
	for (size_t i = 0; i < node->count; i++) {
		r = read_field(whole, node->children[i], in_row, &fields[i], err);
		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++)
			if (labels_clash(&fields[k].label, &fields[i].label))
				return yaml_error_name(node->children[i], err,
					tr("'%s' and '%s' have the same label"), fields[k].name,
					fields[i].name);
	}
	*ret = fields;
	*ret_count = node->count;
	return 0;
}

/* Names in required_when must be a choice field of this form and some of its choices. */
static int resolve_when(const struct series *series, const struct series_field *field,
	const struct yaml_node *node, struct err *err)
{
	const struct yaml_node *when = yaml_get(node, "required_when")->children[0];
	const struct series_field *other = NULL;

	for (size_t i = 0; i < series->field_count; i++)
		if (strcmp(series->fields[i].name, field->when) == 0)
			other = &series->fields[i];
	if (!other || other->type != FIELD_CHOICE || other == field)
		return yaml_error_name(when, err,
			tr("expected another field of this form of type choice, found '%s'"),
			field->when);
	for (size_t i = 0; i < field->when_count; i++) {
		size_t k = 0;

		while (k < other->choice_count &&
			strcmp(other->choices[k].name, field->when_values[i]) != 0)
			k++;
		if (k == other->choice_count)
			return yaml_error(when->children[i], err,
				tr("'%s' is not a choice of '%s'"), field->when_values[i],
				other->name);
	}
	return 0;
}

int series_read_fields(struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	struct series *series = &whole->series;
	int r = read_fields(
		whole, node, false, SERIES_MAX_FIELDS, &series->fields, &series->field_count, err);

	for (size_t i = 0; r == 0 && i < series->field_count; i++)
		if (series->fields[i].when)
			r = resolve_when(series, &series->fields[i], node->children[i], err);
	return r;
}
