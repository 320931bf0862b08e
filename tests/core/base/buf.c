#include "tests/harness.h"

#include "core/base/buf.h"
#include "core/base/hex.h"

START_TEST(empty_is_a_string)
{
	struct buf b = BUF_INIT;

	ck_assert_str_eq(b.p, "");
	buf_done(&b);
	ck_assert_str_eq(b.p, "");
}
END_TEST

START_TEST(ceiling_has_two_sides)
{
	struct buf b = BUF_INIT_MAX(5);
	struct err err = ERR_INIT;

	buf_adds(&b, "12345");
	ck_ok(buf_check(&b, &err), err);
	buf_addc(&b, '6');
	ck_fails(buf_check(&b, &err), err, ERR_LIMIT);
	ck_assert_str_eq(b.p, "12345");
	buf_done(&b);
}
END_TEST

START_TEST(failed_stays_failed_until_reset)
{
	struct buf b = BUF_INIT_MAX(2);

	buf_addf(&b, "%d", 123);
	ck_assert(b.failed);
	buf_addc(&b, '1');
	ck_assert_uint_eq(b.n, 0);
	buf_reset(&b);
	buf_addc(&b, '1');
	ck_assert_str_eq(b.p, "1");
	buf_done(&b);
}
END_TEST

START_TEST(whole_numbers_in_decimal)
{
	struct buf b = BUF_INIT;

	buf_add_u64(&b, 0);
	buf_addc(&b, ' ');
	buf_add_u64(&b, 10);
	buf_addc(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_addc(&b, ' ');
	buf_add_padded(&b, 7, 4);
	buf_add_padded(&b, 12345, 4);
	buf_add_padded(&b, 0, 2);
	buf_add_padded(&b, 1, 99);
	ck_assert_str_eq(b.p, "0 10 18446744073709551615 00071234500"
			      "00000000000000000001");
	buf_done(&b);
}
END_TEST

START_TEST(base64_is_strict)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	base64_add(&b, "any", 3);
	base64_add(&b, "a", 1);
	ck_assert_str_eq(b.p, "YW55YQ==");
	buf_reset(&b);
	ck_ok(base64_decode(STR("YW55"), &b, err.code ? NULL : &err), err);
	ck_assert_str_eq(b.p, "any");
	ck_fails(base64_decode(STR("YW5"), &b, &err), err, ERR_INVALID);
	ck_fails(base64_decode(STR("YW 55"), &b, &err), err, ERR_INVALID);
	ck_fails(base64_decode(STR("YW5\x94"), &b, &err), err, ERR_INVALID);
	ck_assert_str_eq(b.p, "any");
	buf_done(&b);
}
END_TEST

START_TEST(long_messages_end_on_a_character)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;

	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "卷");
	(void)err_set(&err, ERR_INVALID, "%s", b.p);
	ck_assert(str_is_utf8(str_of(err.text)));
	ck_assert(str_ends(str_of(err.text), "卷…"));
	(void)err_prefix(&err, -ERR_INVALID, "x%s", "y");
	ck_assert(str_is_utf8(str_of(err.text)));
	ck_assert(str_starts(str_of(err.text), "xy: 卷"));
	buf_done(&b);
}
END_TEST

TESTS("core/base/buf", empty_is_a_string, ceiling_has_two_sides, failed_stays_failed_until_reset,
	whole_numbers_in_decimal, base64_is_strict, long_messages_end_on_a_character)
