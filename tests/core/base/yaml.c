#include "tests/harness.h"

#include "core/base/yaml.h"

#include <stdlib.h>

static int parse(const char *text, struct yaml **ret, struct err *err)
{
	return yaml_parse(str_of(text), "x.yaml", NULL, ret, err);
}

START_TEST(maps_keep_order_and_places)
{
	_cleanup_(yaml_freep) struct yaml *yaml = NULL;
	const struct yaml_node *root, *b;
	struct err err = ERR_INIT;

	ck_ok(parse("# 注释\nb: {x: 1, y: \"\"}\na:\n  - 质量\n  - 'no'\n", &yaml, &err), err);
	root = yaml_root(yaml);
	ck_assert_int_eq(root->kind, YAML_KIND_MAP);
	ck_assert_uint_eq(root->count, 2);
	b = root->children[0];
	ck_assert(str_is(b->name, "b"));
	ck_assert_uint_eq(b->name_line, 2);
	ck_assert_uint_eq(b->column, 4);
	ck_assert(yaml_get(b, "y")->quoted);
	ck_assert(!yaml_get(b, "x")->quoted);
	ck_assert(str_is(yaml_get(root, "a")->children[0]->text, "质量"));
	ck_assert_uint_eq(yaml_get(root, "a")->children[1]->line, 5);
	ck_assert_ptr_null(yaml_get(root, "c"));
}
END_TEST

START_TEST(what_is_refused_says_where)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "", "x.yaml:1:1: the file is empty" },
		{ "# only a comment\n", "x.yaml:2:1: the file is empty" },
		{ "a: 1\nb: 2\na: 3\n",
			"x.yaml:3:1: 'a' stands here a second time; the first is in line 1" },
		{ "a: &x 1\n", "x.yaml:1:4: anchors, aliases and tags are not accepted here" },
		{ "a: *x\n", "x.yaml:1:4: anchors, aliases and tags are not accepted here" },
		{ "a: !!str 1\n", "x.yaml:1:4: anchors, aliases and tags are not accepted here" },
		{ "a: !!map {}\n", "x.yaml:1:4: anchors, aliases and tags are not accepted here" },
		{ "&a b: 1\n", "x.yaml:1:1: anchors, aliases and tags are not accepted here" },
		{ "%YAML 1.1\n---\na: 1\n", "x.yaml:1:1: directives are not accepted here" },
		{ "a: 1\n---\nb: 1\n", "x.yaml:2:1: a second document is not accepted here" },
		{ "? [a]\n: 1\n", "x.yaml:1:3: expected a name, found a list, a map or an alias" },
		{ "a: \"\\0\"\n", "x.yaml:1:4: the text is not UTF-8" },
		{ "a: 1\nb: \xff\n", "x.yaml:2: the text is not UTF-8" },
	};
	struct yaml *yaml = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_fails(parse(bad[i].text, &yaml, &err), err, ERR_INVALID);
		ck_assert_str_eq(err.text, bad[i].error);
	}
	ck_fails(parse("a: [1\n", &yaml, &err), err, ERR_INVALID);
	ck_assert_ptr_null(yaml);
}
END_TEST

START_TEST(limits_hold_on_both_sides)
{
	const struct yaml_limits limits = { .bytes = 20, .depth = 2, .nodes = 5 };
	static const char *const good[] = { "{a: {b: 1}}", "[1, 2, 3, 4]", "a: 90123456789012345" };
	static const char *const bad[] = { "{a: {b: []}}", "[1, 2, 3, 4, 5]",
		"a: 901234567890123456" };
	struct yaml *yaml = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_ok(yaml_parse(str_of(good[i]), "f", &limits, &yaml, &err), err);
		yaml_free(yaml);
		ck_fails(yaml_parse(str_of(bad[i]), "f", &limits, &yaml, &err), err, ERR_LIMIT);
	}
}
END_TEST

START_TEST(many_brackets_end_soon)
{
	char *deep = malloc(200001);
	struct yaml *yaml = NULL;
	struct err err = ERR_INIT;

	memset(deep, '[', 200000);
	deep[200000] = '\0';
	ck_fails(parse(deep, &yaml, &err), err, ERR_LIMIT);
	for (size_t i = 0; i < 200000; i += 2)
		memcpy(deep + i, "{a", 2);
	ck_assert_int_lt(parse(deep, &yaml, &err), 0);
	free(deep);
}
END_TEST

START_TEST(typed_questions_say_what_was_found)
{
	static const char *const names[] = { "n", "t", "l", "w", "q" };
	static const char *const words[] = { "left", "right" };
	_cleanup_(yaml_freep) struct yaml *yaml = NULL;
	const struct yaml_node *root, *node = NULL;
	struct err err = ERR_INIT;
	struct str text;
	size_t word = 9;
	int64_t v = 0;
	bool yes = false;

	ck_ok(parse("n: -12\nt: true\nl: [x]\nw: rihgt\nq: '5'\n", &yaml, &err), err);
	root = yaml_root(yaml);
	ck_ok(yaml_is_int(yaml_get(root, "n"), -12, 0, &v, &err), err);
	ck_assert_int_eq(v, -12);
	ck_fails(yaml_is_int(yaml_get(root, "n"), -11, 0, &v, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "x.yaml:1:4: expected a number from -11 to 0, found -12");
	ck_fails(yaml_is_int(yaml_get(root, "q"), 0, 9, &v, &err), err, ERR_INVALID);
	ck_ok(yaml_is_bool(yaml_get(root, "t"), &yes, &err), err);
	ck_assert(yes);
	ck_fails(yaml_is_text(yaml_get(root, "l"), &text, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "x.yaml:3:4: expected a text, found a list");
	ck_fails(yaml_is_word(yaml_get(root, "w"), words, 2, &word, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "x.yaml:4:4: expected one of left, right; found 'rihgt'");
	ck_fails(yaml_need(root, "z", &node, &err), err, ERR_INVALID);
	ck_ok(yaml_need(root, "n", &node, &err), err);
	ck_ok(yaml_only_names(root, names, 5, &err), err);
	ck_fails(yaml_only_names(root, names, 4, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "x.yaml:5:1: expected one of n, t, l, w; found 'q'");
	ck_fails(yaml_is_map(yaml_get(root, "l"), &err), err, ERR_INVALID);
	ck_fails(yaml_is_list(root, &err), err, ERR_INVALID);
}
END_TEST

TESTS("core/base/yaml", maps_keep_order_and_places, what_is_refused_says_where,
	limits_hold_on_both_sides, many_brackets_end_soon, typed_questions_say_what_was_found)
