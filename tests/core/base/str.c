#include "tests/harness.h"

#include "core/base/hex.h"
#include "core/base/str.h"
#include "core/base/tr.h"

START_TEST(numbers_are_strict)
{
	static const char *const bad[] = { "", "-1", "+1", "01", " 1", "1 ", "1x",
		"18446744073709551616" };
	struct err err = ERR_INIT;
	uint64_t v = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_lt(str_to_u64(str_of(bad[i]), UINT64_MAX, &v, &err), 0);
	ck_assert_uint_eq(v, 7);
	ck_ok(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v, &err), err);
	ck_assert(v == UINT64_MAX);
	ck_ok(str_to_u64(STR("10"), 10, &v, &err), err);
	ck_fails(str_to_u64(STR("11"), 10, &v, &err), err, ERR_LIMIT);
}
END_TEST

START_TEST(utf8_is_what_unicode_says)
{
	static const char *const good[] = { "", "a", "é", "卷宗", "𠮷", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe5\x8d", "a\xff" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(str_is_utf8(str_of(good[i])), "good %zu", i);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!str_is_utf8(str_of(bad[i])), "bad %zu", i);
	ck_assert(!str_is_utf8((struct str){ "a\0b", 3 }));
	/* Wherever it stands beside the eight bytes that are looked at together. */
	for (size_t i = 0; i < 20; i++) {
		char text[20];

		memset(text, 0x7f, sizeof(text));
		ck_assert(str_is_utf8((struct str){ text, sizeof(text) }));
		text[i] = '\0';
		ck_assert(!str_is_utf8((struct str){ text, sizeof(text) }));
		text[i] = (char)0x80;
		ck_assert(!str_is_utf8((struct str){ text, sizeof(text) }));
	}
}
END_TEST

START_TEST(cut_walks_all_fields)
{
	struct str rest = STR("a::b");

	ck_assert(str_is(str_cut(&rest, ':'), "a"));
	ck_assert(str_is(str_cut(&rest, ':'), ""));
	ck_assert(rest.p != NULL);
	ck_assert(str_is(str_cut(&rest, ':'), "b"));
	ck_assert(rest.p == NULL);
}
END_TEST

START_TEST(hex_is_lower_case_only)
{
	struct err err = ERR_INIT;
	uint8_t raw[2];

	ck_ok(hex_decode(STR("00ff"), raw, 2, &err), err);
	ck_assert_int_eq(raw[1], 0xff);
	ck_fails(hex_decode(STR("00FF"), raw, 2, &err), err, ERR_INVALID);
	ck_fails(hex_decode(STR("00f"), raw, 2, &err), err, ERR_INVALID);
}
END_TEST

START_TEST(messages_follow_the_thread)
{
	struct err err = ERR_INIT;
	uint64_t v;

	tr_set_language(TR_ZH);
	ck_fails(str_to_u64(STR("x"), 1, &v, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "‘x’不是整数");
	tr_set_language(TR_EN);
	ck_fails(str_to_u64(STR("x"), 1, &v, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "'x' is not a whole number");
}
END_TEST

START_TEST(error_words_go_both_ways)
{
	for (int code = 0; code < ERR_CODE_COUNT; code++)
		ck_assert_int_eq(err_from_word(err_word(-code)), code);
	ck_assert_int_eq(err_from_word("no such word"), ERR_UNKNOWN);
}
END_TEST

TESTS("core/base/str", numbers_are_strict, utf8_is_what_unicode_says, cut_walks_all_fields,
	hex_is_lower_case_only, messages_follow_the_thread, error_words_go_both_ways)
