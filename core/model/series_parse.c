/* series_parse.c - a series definition out of YAML: the members of the file, and what they have to do with each other.
 * The fields of the form are read in series_fields.c. */
#include "core/model/series_parse.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/path.h"
#include "core/model/retention.h"

#include <stdlib.h>

enum { MAX_LABEL_CHARS = 100, MAX_CODE_BYTES = 32, MAX_RETENTION = 16, SAMPLE_DAY = 20228 };

/* ---- pieces that several members share ---- */

static int read_line(
	struct series_whole *whole, const struct yaml_node *node, const char **ret, struct err *err)
{
	struct err inner = ERR_INIT;
	struct str text = { 0 };
	int r = yaml_is_text(node, &text, err);

	if (r < 0)
		return r;
	if (text_check_line(text, &inner) < 0)
		return yaml_error(node, err, "%s", inner.text);
	if (text_chars(text) > MAX_LABEL_CHARS)
		return yaml_error(node, err, tr("expected at most %d characters, found %zu"),
			MAX_LABEL_CHARS, text_chars(text));
	*ret = arena_text(whole->arena, text);
	return 0;
}

int series_read_label(struct series_whole *whole, const struct yaml_node *node, const char *also,
	struct label *ret, struct err *err)
{
	const char *const names[] = { "zh", "en", also };
	const struct yaml_node *zh = NULL, *en = NULL;
	int r = yaml_only_names(node, names, also ? 3 : 2, err);

	if (r == 0)
		r = yaml_need(node, "zh", &zh, err);
	if (r == 0)
		r = yaml_need(node, "en", &en, err);
	if (r == 0)
		r = read_line(whole, zh, &ret->zh, err);
	return r < 0 ? r : read_line(whole, en, &ret->en, err);
}

int series_read_pattern(struct series_whole *whole, const struct yaml_node *node,
	const struct pattern **ret, const char **ret_text, struct err *err)
{
	struct err inner = ERR_INIT;
	struct pattern *pattern = NULL;
	struct str text = { 0 };
	int r = yaml_is_text(node, &text, err);

	if (r < 0)
		return r;
	if (whole->pattern_count == SERIES_MAX_PATTERNS)
		return yaml_error(node, err, tr("the definition has more than %d patterns"),
			SERIES_MAX_PATTERNS);
	if (pattern_parse(text, &pattern, &inner) < 0)
		return yaml_error(node, err, "%s", inner.text);
	whole->patterns[whole->pattern_count++] = pattern;
	*ret = pattern;
	*ret_text = arena_text(whole->arena, text);
	return 0;
}

int series_read_code(
	struct series_whole *whole, const struct yaml_node *node, const char **ret, struct err *err)
{
	struct str text = { 0 };
	int r = yaml_is_text(node, &text, err);
	bool good = r == 0 && text.n <= MAX_CODE_BYTES && text.p[0] != '-';

	for (size_t i = 0; good && i < text.n; i++)
		good = (text.p[i] >= 'A' && text.p[i] <= 'Z') ||
		       (text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == '-';
	if (r == 0 && !good)
		return yaml_error(node, err,
			tr("expected a code of at most %d of A-Z, 0-9 and '-', found '%.*s'"),
			MAX_CODE_BYTES, STR_ARG(text_cut(text, 80)));
	if (r == 0)
		*ret = arena_text(whole->arena, text);
	return r;
}

static int read_component(struct series_whole *whole, const struct yaml_node *node,
	const char *what, const char **ret, struct err *err)
{
	struct err inner = ERR_INIT;
	int r = read_line(whole, node, ret, err);

	if (r == 0 && path_check_component(str_of(*ret), what, &inner) < 0)
		return yaml_error(node, err, "%s", inner.text);
	return r;
}

/* ---- members of the file ---- */

static int read_series_code(
	struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	return series_read_code(whole, node, &whole->series.code, err);
}

static int read_title(struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	int r = series_read_label(whole, node, NULL, &whole->series.title, err);

	return r < 0 ? r
		     : read_component(whole, yaml_get(node, "zh"), TR_MARK("the title"),
			       &whole->series.title.zh, err);
}

static int read_number(struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	struct err inner = ERR_INIT;
	struct str text = { 0 };
	int r = yaml_is_text(node, &text, err);

	if (r < 0)
		return r;
	if (number_rule_parse(text, &whole->number, &inner) < 0)
		return yaml_error(node, err, "%s", inner.text);
	whole->series.number = whole->number;
	whole->series.number_text = arena_text(whole->arena, text);
	return 0;
}

static int read_number_label(
	struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	return series_read_label(whole, node, NULL, &whole->series.number_label, err);
}

static int read_given(struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	return series_read_pattern(
		whole, node, &whole->series.given, &whole->series.given_text, err);
}

static int read_department(struct series_whole *whole, const struct yaml_node *node,
	struct series_department *department, struct err *err)
{
	static const char *const names[] = { "name", "code" };
	const struct yaml_node *name = NULL, *code = yaml_get(node, "code");
	int r;

	department->code = "";
	if (node->kind == YAML_KIND_TEXT)
		return read_component(
			whole, node, TR_MARK("the department"), &department->name, err);
	r = yaml_only_names(node, names, ARRAY_LEN(names), err);
	if (r == 0)
		r = yaml_need(node, "name", &name, err);
	if (r == 0)
		r = read_component(whole, name, TR_MARK("the department"), &department->name, err);
	return r < 0 || !code ? r : series_read_code(whole, code, &department->code, err);
}

static int read_departments(
	struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	static const char *const any[] = { "any" };
	struct series_department *departments;
	size_t i = 0;
	int r = 0;

	if (node->kind == YAML_KIND_TEXT) {
		r = yaml_is_word(node, any, 1, &i, err);
		whole->series.any_department = r == 0;
		return r;
	}
	r = yaml_is_list(node, err);
	if (r == 0 && (node->count == 0 || node->count > SERIES_MAX_DEPARTMENTS))
		r = yaml_error(node, err, tr("expected 1 to %d entries, found %zu"),
			SERIES_MAX_DEPARTMENTS, node->count);
	if (r < 0)
		return r;
	departments = arena_zero(whole->arena, node->count, sizeof(*departments));
	for (i = 0; r == 0 && i < node->count; i++) {
		r = read_department(whole, node->children[i], &departments[i], err);
		for (size_t k = 0; r == 0 && k < i; k++)
			if (strcmp(departments[k].name, departments[i].name) == 0 ||
				(departments[i].code[0] &&
					strcmp(departments[k].code, departments[i].code) == 0))
				r = yaml_error(node->children[i], err,
					tr("department '%s' or its code stands here twice"),
					departments[i].name);
	}
	whole->series.departments = departments;
	whole->series.department_count = node->count;
	return r;
}

static int read_retention(struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	const char **classes;
	int r = yaml_is_list(node, err);

	if (r == 0 && (node->count == 0 || node->count > MAX_RETENTION))
		r = yaml_error(node, err, tr("expected 1 to %d entries, found %zu"), MAX_RETENTION,
			node->count);
	if (r < 0)
		return r;
	classes = arena_zero(whole->arena, node->count, sizeof(*classes));
	for (size_t i = 0; i < node->count; i++) {
		const struct retention_class *class;
		struct str text = { 0 };

		r = yaml_is_text(node->children[i], &text, err);
		if (r < 0)
			return r;
		class = retention_find(text);
		if (!class)
			return yaml_error(node->children[i], err,
				tr("expected a retention class such as R-GEN, found '%.*s'"),
				STR_ARG(text_cut(text, 80)));
		classes[i] = class->code;
	}
	whole->series.retention = classes;
	whole->series.retention_count = node->count;
	return 0;
}

static const char *const sensitivities[] = { [SENSITIVITY_PUBLIC] = "public",
	[SENSITIVITY_INTERNAL] = "internal",
	[SENSITIVITY_RESTRICTED] = "restricted" };

const char *sensitivity_word(enum sensitivity sensitivity)
{
	return sensitivities[sensitivity];
}

static int read_sensitivity(
	struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	size_t i = 0;
	int r = yaml_is_word(node, sensitivities, ARRAY_LEN(sensitivities), &i, err);

	if (r == 0)
		whole->series.sensitivity = (enum sensitivity)i;
	return r;
}

/* After the fields, which it names. */
static int read_date(struct series_whole *whole, const struct yaml_node *node, struct err *err)
{
	struct str name = { 0 };
	int r = yaml_is_text(node, &name, err);

	for (size_t i = 0; r == 0 && i < whole->series.field_count; i++) {
		const struct series_field *field = &whole->series.fields[i];

		if (str_is(name, field->name) &&
			(field->type == FIELD_DATE || field->type == FIELD_INSTANT))
			whole->series.date_field = field;
	}
	if (r == 0 && !whole->series.date_field)
		r = yaml_error(node, err,
			tr("expected a field of type date or instant, found '%.*s'"),
			STR_ARG(text_cut(name, 80)));
	return r;
}

/* ---- what the number needs ---- */

static const struct series_field *find(const struct series *series, struct str name)
{
	for (size_t i = 0; i < series->field_count; i++)
		if (str_is(name, series->fields[i].name))
			return &series->fields[i];
	return NULL;
}

static bool all_departments_have_codes(const struct series *series)
{
	for (size_t i = 0; i < series->department_count; i++)
		if (!series->departments[i].code[0])
			return false;
	return !series->any_department;
}

static bool gives_code(const struct series_field *field)
{
	if (!field || !field->required || field->several || field->sensitive)
		return false;
	if (field->type == FIELD_TEXT || field->type == FIELD_CODE)
		return true;
	for (size_t i = 0; i < field->choice_count; i++)
		if (!field->choices[i].code[0])
			return false;
	return field->type == FIELD_CHOICE;
}

static int check_number_parts(
	const struct series *series, const struct yaml_node *node, struct err *err)
{
	for (size_t i = 0;; i++) {
		struct str name = number_rule_code(series->number, i);

		if (name.n == 0)
			break;
		if (str_is(name, "department") && !all_departments_have_codes(series))
			return yaml_error(node, err,
				tr("{code:department} needs a code at every department"));
		if (!str_is(name, "department") && !gives_code(find(series, name)))
			return yaml_error(node, err,
				tr("{code:%.*s} needs a required field of that name: a text, a "
				   "code, or "
				   "a choice with codes"),
				STR_ARG(name));
	}
	if (number_rule_has_version(series->number)) {
		const struct series_field *version = find(series, STR("version"));

		if (!version || version->type != FIELD_TEXT || !version->required)
			return yaml_error(node, err,
				tr("{version} needs a required field 'version' of type text"));
	}
	return 0;
}

/* Would the rule make a number at all? With codes that are as harmless as can be. */
static int check_number_sample(
	const struct series *series, const struct yaml_node *node, struct err *err)
{
	struct number_code codes[NUMBER_SLOTS_MAX];
	struct number_input input = { .day = SAMPLE_DAY, .codes = codes, .version = STR("1.0") };
	struct err inner = ERR_INIT;
	struct number_plan plan;

	for (; number_rule_code(series->number, input.code_count).n > 0; input.code_count++)
		codes[input.code_count] =
			(struct number_code){ number_rule_code(series->number, input.code_count),
				STR("X") };
	if (number_plan_make(series->number, &input, &plan, &inner) < 0)
		return yaml_error(node, err, "%s", inner.text);
	number_plan_done(&plan);
	return 0;
}

/* ---- the whole ---- */

/* In the order in which they are read. */
static const struct member {
	const char *name;
	bool needed;
	int (*read)(struct series_whole *whole, const struct yaml_node *node, struct err *err);
} members[] = {
	{ "series", true, read_series_code },
	{ "title", true, read_title },
	{ "number", true, read_number },
	{ "number_label", false, read_number_label },
	{ "given", false, read_given },
	{ "departments", true, read_departments },
	{ "retention", true, read_retention },
	{ "sensitivity", false, read_sensitivity },
	{ "fields", true, series_read_fields },
	{ "date", false, read_date },
};

static int read_members(struct series_whole *whole, const struct yaml_node *root, struct err *err)
{
	const char *names[ARRAY_LEN(members)];
	int r;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		names[i] = members[i].name;
	r = yaml_only_names(root, names, ARRAY_LEN(names), err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(members); i++) {
		const struct yaml_node *node = yaml_get(root, members[i].name);

		if (!node && members[i].needed)
			r = yaml_need(root, members[i].name, &node, err);
		else if (node)
			r = members[i].read(whole, node, err);
	}
	if (r == 0)
		r = check_number_parts(&whole->series, yaml_get(root, "number"), err);
	return r < 0 ? r : check_number_sample(&whole->series, yaml_get(root, "number"), err);
}

int series_parse(struct str text, const char *file, struct series **ret, struct err *err)
{
	_cleanup_(yaml_freep) struct yaml *yaml = NULL;
	struct series_whole *whole;
	int r = yaml_parse(text, file, NULL, &yaml, err);

	if (r < 0)
		return r;
	whole = xcalloc(1, sizeof(*whole));
	whole->arena = arena_new(16 << 10);
	whole->series.text = arena_text(whole->arena, text);
	whole->series.text_bytes = text.n;
	whole->series.given_text = "";
	whole->series.number_label = (struct label){ "编号", "Number" };
	whole->series.sensitivity = SENSITIVITY_INTERNAL;
	sha256(text.p, text.n, whole->series.sha256.b);
	r = read_members(whole, yaml_root(yaml), err);
	if (r < 0)
		series_free(&whole->series);
	else
		*ret = &whole->series;
	return r;
}

void series_free(struct series *series)
{
	struct series_whole *whole = (struct series_whole *)series;

	if (!whole)
		return;
	for (size_t i = 0; i < whole->pattern_count; i++)
		pattern_free(whole->patterns[i]);
	number_rule_free(whole->number);
	arena_free(whole->arena);
	free(whole);
}
