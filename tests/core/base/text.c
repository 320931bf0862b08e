#include "tests/harness.h"

#include "core/base/text.h"

START_TEST(full_width_becomes_half_width)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(text_add_nfkc(&b, STR("ＳＯＰ－０１２ ｶﾞ ①"), &err), err);
	ck_assert_str_eq(b.p, "SOP-012 ガ 1");
	ck_fails(text_add_nfkc(&b, STR("质\xff"), &err), err, ERR_INVALID);
	ck_assert(text_is_nfc(STR("é卷宗")));
	ck_assert(!text_is_nfc(STR("e\xcc\x81")));
	ck_assert(!text_is_nfc(STR("\xff")));
	buf_reset(&b);
	ck_ok(text_add_nfc(&b, STR("卷宗，ＳＯＰ e\xcc\x81 \xef\xa4\x80"), &err), err);
	ck_assert_str_eq(b.p, "卷宗，ＳＯＰ é 豈");
	ck_fails(text_add_nfc(&b, STR("质\xff"), &err), err, ERR_INVALID);
}
END_TEST

/* Every character, and what is cut short or not one. */
START_TEST(characters_are_those_of_unicode)
{
	static const struct str bad[] = { STR("\x80"), STR("\xe8\xb4"),
		STR("\xe8\xb4"
		    "a"),
		STR("\xe8"
		    "aa"),
		STR("\xed\xa0\x80"), STR("\xe0\x80\x80"), STR("\xf4\x90\x80\x80") };
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t n;

	for (int32_t c = 0; c < 0x110000; c++) {
		if (c == 0xd800)
			c = 0xe000;
		buf_reset(&b);
		text_add_char(&b, c);
		if (text_char(buf_str(&b), &n) != c || n != b.n)
			ck_abort_msg("U+%04x", (unsigned)c);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_lt(text_char(bad[i], &n), 0);
}
END_TEST

START_TEST(wide_characters_take_two_columns)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	ck_assert_uint_eq(text_width(STR("卷宗 ab")), 7);
	ck_assert_uint_eq(text_width(STR("e\xcc\x81\xff")), 2);
	ck_assert_uint_eq(text_chars(STR("卷宗\xff")), 3);
	ck_assert_uint_eq(text_cut(STR("卷宗"), 3).n, 3);
	ck_assert_uint_eq(text_cut(STR("卷宗"), 1).n, 0);
	text_add_padded(&b, STR("卷宗"), 6);
	ck_assert_str_eq(b.p, "卷宗  ");
	buf_reset(&b);
	text_add_padded(&b, STR("质量管理部"), 6);
	ck_assert_str_eq(b.p, "质量… ");
	buf_reset(&b);
	text_add_padded(&b, STR("质量管理部"), 5);
	ck_assert_str_eq(b.p, "质量…");
}
END_TEST

START_TEST(what_could_deceive_is_shown_as_escapes)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	text_add_safe(&b, STR("a\n\t\x1b[31m\xe2\x80\xae"
			      "fdp.exe\\质\xff\xe8\xb4"));
	ck_assert_str_eq(b.p, "a\\n\\t\\x1b[31m\\u{202e}fdp.exe\\\\质\\xff\\xe8\\xb4");
}
END_TEST

START_TEST(file_names_are_made_clean_or_refused)
{
	static const struct str bad[] = { STR(""), STR("."), STR(".."), STR("a/"), STR("a/.."),
		STR("a\nb"),
		STR("a\xe2\x80\xae"
		    "b"),
		STR("\xff.txt"), STR("a\x7f"), { "a\0b", 3 } };
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	char name[257];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_fails(text_add_file_name(&b, bad[i], &err), err, ERR_INVALID);
	ck_assert_uint_eq(b.n, 0);
	ck_ok(text_add_file_name(&b, STR("..\\..\\etc/../召回计划 v1.pdf"), &err), err);
	ck_assert_str_eq(b.p, "召回计划 v1.pdf");
	buf_reset(&b);
	memset(name, 'a', sizeof(name));
	ck_ok(text_add_file_name(&b, (struct str){ name, 255 }, &err), err);
	buf_reset(&b);
	ck_fails(text_add_file_name(&b, (struct str){ name, 256 }, &err), err, ERR_LIMIT);
	ck_assert_uint_eq(b.n, 0);
}
END_TEST

TESTS("core/base/text", full_width_becomes_half_width, characters_are_those_of_unicode,
	wide_characters_take_two_columns, what_could_deceive_is_shown_as_escapes,
	file_names_are_made_clean_or_refused)
