#include "tests/harness.h"

#include "core/base/clock.h"

START_TEST(days_are_cut_in_shanghai)
{
	char date[11], text[21], local[17];

	/* 2026-11-20 16:00 UTC is midnight in Shanghai. */
	ck_assert_str_eq(date_format(day_of(1795190399), date), "2026-11-20");
	ck_assert_str_eq(date_format(day_of(1795190400), date), "2026-11-21");
	ck_assert_str_eq(instant_format(1795190400, text), "2026-11-20T16:00:00Z");
	ck_assert_str_eq(instant_format_local(1795190400, local), "2026-11-21 00:00");
}
END_TEST

START_TEST(every_day_goes_both_ways)
{
	int64_t first = day_of_date((struct date){ 1900, 1, 1 });
	int64_t last = day_of_date((struct date){ 2999, 12, 31 });

	ck_assert_int_eq(day_of_date((struct date){ 1970, 1, 1 }), 0);
	ck_assert_int_eq(last - first, 401766);
	for (int64_t day = first; day <= last; day++)
		ck_assert_int_eq(day_of_date(date_of_day(day)), day);
}
END_TEST

START_TEST(only_real_days_are_dates)
{
	static const char *const bad[] = { "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1",
		"26-01-01", "2026/01/01", "2026-04-31", "1899-12-31", "3000-01-01", "2026-01-0x",
		"" };
	struct err err = ERR_INIT;
	struct date date;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_fails(date_parse(str_of(bad[i]), &date, &err), err, ERR_INVALID);
	ck_ok(date_parse(STR("2024-02-29"), &date, &err), err);
	ck_assert_int_eq(date.day, 29);
}
END_TEST

START_TEST(the_clock_can_stand)
{
	clock_set(42);
	ck_assert_int_eq(clock_now(), 42);
	clock_set(-1);
	ck_assert_int_gt(clock_now(), 1700000000);
}
END_TEST

START_TEST(instants_go_both_ways)
{
	static const char *const bad[] = { "", "2026-11-21", "2026-11-21T09:02:11",
		"2026-11-21 09:02:11Z", "2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z",
		"2026-02-30T09:00:00Z", "2026-11-21T9:02:11ZZ" };
	struct err err = ERR_INIT;
	char text[21];
	int64_t at = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_fails(instant_parse(str_of(bad[i]), &at, &err), err, ERR_INVALID);
	ck_assert_int_eq(at, 7);
	ck_ok(instant_parse(STR("2026-11-21T09:02:11Z"), &at, &err), err);
	ck_assert_str_eq(instant_format(at, text), "2026-11-21T09:02:11Z");
	ck_ok(instant_parse_local(STR("2026-11-21 17:02:11"), &at, &err), err);
	ck_assert_str_eq(instant_format(at, text), "2026-11-21T09:02:11Z");
	ck_ok(instant_parse_local(STR("2026-11-22 00:00"), &at, &err), err);
	ck_assert_str_eq(instant_format(at, text), "2026-11-21T16:00:00Z");
	ck_fails(instant_parse_local(STR("2026-11-22 0:00"), &at, &err), err, ERR_INVALID);
	ck_fails(instant_parse_local(STR("2026-11-22 00:00:"), &at, &err), err, ERR_INVALID);
}
END_TEST

TESTS("core/base/clock", days_are_cut_in_shanghai, every_day_goes_both_ways,
	only_real_days_are_dates, the_clock_can_stand, instants_go_both_ways)
