#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/model/id.h"

START_TEST(text_is_strict)
{
	struct id id;
	struct err err = ERR_INIT;

	ck_ok(id_parse(STR("000102030405060708090a0b0c0d0e0f"), &id, &err), err);
	ck_assert_uint_eq(id.b[15], 15);
	ck_fails(id_parse(STR("000102030405060708090A0b0c0d0e0f"), &id, &err), err, ERR_INVALID);
	ck_fails(id_parse(STR("000102030405060708090a0b0c0d0e0"), &id, &err), err, ERR_INVALID);
	ck_fails(id_parse(STR("000102030405060708090a0b0c0d0e0f0"), &id, &err), err, ERR_INVALID);
}
END_TEST

/* Later ones are greater; those of one second differ. */
START_TEST(ordered_by_the_second)
{
	struct id before, one, two, after;

	clock_set(1795251731);
	before = id_ordered();
	clock_set(1795251732);
	one = id_ordered();
	two = id_ordered();
	clock_set(1795251733);
	after = id_ordered();
	clock_set(-1);
	ck_assert_int_lt(memcmp(before.b, one.b, ID_BYTES), 0);
	ck_assert_int_lt(memcmp(one.b, after.b, ID_BYTES), 0);
	ck_assert_int_eq(memcmp(one.b, two.b, 5), 0);
	ck_assert(!id_equal(&one, &two));
	ck_assert(!memcmp(one.b, (const uint8_t[]){ 0, 0x6b, 0x01, 0x5e, 0x14 }, 5));
}
END_TEST

TESTS("core/model/id", text_is_strict, ordered_by_the_second)
