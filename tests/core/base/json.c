#include "tests/harness.h"

#include "core/base/json.h"

#include <stdio.h>
#include <stdlib.h>

static int parse(const char *text, struct json **ret, struct err *err)
{
	return json_parse(str_of(text), NULL, 0, ret, err);
}

/* The canonical form of a text, to be freed. */
static char *canonical(const char *text)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(parse(text, &doc, &err), err);
	ck_ok(json_add_canonical(&b, doc, &err), err);
	ck_ok(buf_check(&b, &err), err);
	return buf_detach(&b);
}

START_TEST(what_is_not_strict_json_is_refused)
{
	static const char *const bad[] = { "", " ", "{", "[1,]", "{\"a\":1,}", "{'a':1}", "{a:1}",
		"01", "+1", "[1] x", "[1][2]", "nul", "\"\t\"", "\"\\x\"", "\"\\u0000\"",
		"\"\\ud800\"", "\"\xff\"", "\"\xed\xa0\x80\"", "{\"a\":1,\"a\":2}",
		"{\"a\":1,\"\\u0061\":2}", "9223372036854775808", "-9223372036854775809", "// x\n1",
		"\xef\xbb\xbf{}", "NaN", "Infinity" };
	struct json *doc = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(parse(bad[i], &doc, &err) == -ERR_INVALID, "accepted: %s", bad[i]);
	ck_assert_ptr_null(doc);
}
END_TEST

START_TEST(fractions_only_where_allowed)
{
	static const char *const floats[] = { "1.0", "1e2", "[[{\"a\":1.5}]]", "-0.0" };
	struct json *doc = NULL;
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(floats); i++) {
		ck_fails(parse(floats[i], &doc, &err), err, ERR_INVALID);
		ck_ok(json_parse(str_of(floats[i]), NULL, JSON_ALLOW_FLOATS, &doc, &err), err);
		ck_fails(json_add_canonical(&b, doc, &err), err, ERR_INVALID);
		json_free(doc);
	}
	buf_done(&b);
}
END_TEST

START_TEST(limits_hold_on_both_sides)
{
	const struct json_limits limits = { .bytes = 12, .depth = 2, .values = 4 };
	static const char *const good[] = { "[[1]]", "[1,2,3]", "{\"a\":[1]}", "\"[[[[\"",
		"\"123456789\\\"\"  " };
	static const char *const bad[] = { "[[[1]]]", "[1,2,3,4]", "\"12345678901\"" };
	struct json *doc = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 4; i++) {
		ck_ok(json_parse(str_of(good[i]), &limits, 0, &doc, &err), err);
		json_free(doc);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_fails(json_parse(str_of(bad[i]), &limits, 0, &doc, &err), err, ERR_LIMIT);
}
END_TEST

START_TEST(a_thousand_brackets_do_not_recurse)
{
	char *deep = malloc(500001);
	struct json *doc = NULL;
	struct err err = ERR_INIT;

	memset(deep, '[', 500000);
	deep[500000] = '\0';
	ck_fails(parse(deep, &doc, &err), err, ERR_LIMIT);
	free(deep);
}
END_TEST

START_TEST(the_canonical_form_is_the_one_of_rfc_8785)
{
	static const char *const pairs[][2] = {
		{ " { \"b\" : 1 , \"a\" : [ true , false , null ] } ",
			"{\"a\":[true,false,null],\"b\":1}" },
		{ "\"\\u00e9\\u5377\\ud842\\udfb7\"", "\"é卷𠮷\"" },
		{ "\"\\/ \\\\ \\\" \\b\\f\\n\\r\\t \\u001F \\u007f\"",
			"\"/ \\\\ \\\" \\b\\f\\n\\r\\t \\u001f \x7f\"" },
		{ "{\"乙\":1,\"a\":2,\"é\":3,\"\":4,\"A\":5}",
			"{\"\":4,\"A\":5,\"a\":2,\"é\":3,\"乙\":1}" },
		{ "-0", "0" },
		{ "[-9223372036854775808,9223372036854775807]",
			"[-9223372036854775808,9223372036854775807]" },
		{ "{}", "{}" },
		{ "[]", "[]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		_cleanup_(freep) char *once = canonical(pairs[i][0]);
		_cleanup_(freep) char *twice = canonical(once);

		ck_assert_str_eq(once, pairs[i][1]);
		ck_assert_str_eq(once, twice);
	}
}
END_TEST

/* A pseudo-random value, `depth` levels at most, written in a sloppy but legal way. */
static void add_random(struct buf *b, uint32_t *seed, int depth)
{
	static const char *const texts[] = { "\"\"", "\"质量\"", "\"\\u8d28\\u0001\"",
		"\"a\\/b\\n\"", "\"𠮷\\\"\"" };
	uint32_t pick = (*seed = *seed * 1103515245 + 12345) >> 16;
	uint32_t n = pick / 8 % 5;

	if (depth == 0 || pick % 8 < 2) {
		buf_addf(b, " %d ", (int)(pick % 2000) - 1000);
		return;
	}
	if (pick % 8 < 4) {
		buf_adds(b, texts[pick / 8 % ARRAY_LEN(texts)]);
		return;
	}
	buf_adds(b, pick % 8 < 6 ? "[ " : "{ ");
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_adds(b, " , ");
		if (pick % 8 >= 6)
			buf_addf(b, "\"%c%u名\" : ", 'z' - (char)((i * 7 + pick) % 26), i);
		add_random(b, seed, depth - 1);
	}
	buf_adds(b, pick % 8 < 6 ? "]" : "}");
}

START_TEST(canonical_of_canonical_is_the_same)
{
	uint32_t seed = 20250520;

	for (int i = 0; i < 3000; i++) {
		struct buf b = BUF_INIT;
		char *once, *twice;

		add_random(&b, &seed, 5);
		once = canonical(b.p);
		twice = canonical(once);
		ck_assert_str_eq(once, twice);
		free(once);
		free(twice);
		buf_done(&b);
	}
}
END_TEST

START_TEST(members_are_asked_for_by_kind)
{
	static const char *const names[] = { "n", "t", "h", "l", "b" };
	_cleanup_(json_freep) struct json *doc = NULL;
	const struct json *list = NULL;
	struct err err = ERR_INIT;
	struct str text = { 0 };
	int64_t v = 0;
	bool yes = false;
	uint8_t raw[2];

	ck_ok(parse("{\"n\":7,\"t\":\"x\",\"h\":\"00ff\",\"l\":[1,2],\"b\":true}", &doc, &err),
		err);
	ck_ok(json_need_int(doc, "n", 0, 7, &v, &err), err);
	ck_assert_int_eq(v, 7);
	ck_fails(json_need_int(doc, "n", 0, 6, &v, &err), err, ERR_INVALID);
	ck_fails(json_need_int(doc, "t", 0, 6, &v, &err), err, ERR_INVALID);
	ck_fails(json_need_text(doc, "missing", &text, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "member 'missing' is missing");
	ck_ok(json_may_text(doc, "missing", &text, &err), err);
	ck_assert_ptr_null(text.p);
	ck_ok(json_need_text(doc, "t", &text, &err), err);
	ck_assert(str_is(text, "x"));
	ck_ok(json_need_hex(doc, "h", raw, 2, &err), err);
	ck_fails(json_need_hex(doc, "h", raw, 1, &err), err, ERR_INVALID);
	ck_ok(json_need_bool(doc, "b", &yes, &err), err);
	ck_assert(yes);
	ck_ok(json_need_list(doc, "l", &list, &err), err);
	ck_assert_uint_eq(json_list_count(list), 2);
	ck_assert_int_eq(json_int(json_list_at(list, 1)), 2);
	ck_ok(json_only_members(doc, names, 5, &err), err);
	ck_fails(json_only_members(doc, names, 4, &err), err, ERR_INVALID);
	ck_fails(json_only_members(list, names, 4, &err), err, ERR_INVALID);
}
END_TEST

START_TEST(a_text_that_is_not_utf8_is_never_written)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	json_add_text(&b, STR("a\xff"));
	ck_fails(buf_check(&b, &err), err, ERR_LIMIT);
	buf_done(&b);
}
END_TEST

TESTS("core/base/json", what_is_not_strict_json_is_refused, fractions_only_where_allowed,
	limits_hold_on_both_sides, a_thousand_brackets_do_not_recurse,
	the_canonical_form_is_the_one_of_rfc_8785, canonical_of_canonical_is_the_same,
	members_are_asked_for_by_kind, a_text_that_is_not_utf8_is_never_written)
