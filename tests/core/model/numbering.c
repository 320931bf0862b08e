#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/model/numbering.h"

#include <stdio.h>

static const struct number_code codes[] = {
	{ STR("department"), STR("QC") },
	{ STR("type"), STR("CX") },
	{ STR("series"), STR("QR-QC-001") },
	{ STR("bad"), STR("a/b") },
};

static struct number_input input_of(int y, int m, int d)
{
	return (struct number_input){ .day = day_of_date((struct date){ y, m, d }),
		.codes = codes,
		.code_count = ARRAY_LEN(codes),
		.version = STR("1.0") };
}

static void check_number(const char *text, uint64_t serial, const char *number, const char *scope)
{
	_cleanup_(number_rule_freep) struct number_rule *rule = NULL;
	_cleanup_(number_plan_done) struct number_plan plan = {
		.scope = BUF_INIT, .head = BUF_INIT, .tail = BUF_INIT
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT, back = BUF_INIT;
	struct number_input input = input_of(2025, 5, 20);
	struct err err = ERR_INIT;
	uint64_t read = 99;

	ck_ok(number_rule_parse(str_of(text), &rule, &err), err);
	ck_ok(number_plan_make(rule, &input, &plan, &err), err);
	ck_ok(number_plan_add(&plan, serial, &b, &err), err);
	ck_assert_str_eq(b.p, number);
	ck_assert_str_eq(plan.scope.p, scope);
	ck_ok(number_read(rule, buf_str(&b), &back, &read, &err), err);
	ck_assert_uint_eq(read, serial);
	ck_assert_str_eq(back.p, scope);
}

/* STO-02, REC-08, REC-09, DOC-02: the numbers of the field. */
START_TEST(the_numbers_of_the_field)
{
	check_number("资质审核记录-{date}-{serial:3}", 1, "资质审核记录-20250520-001",
		"资质审核记录-20250520-*");
	check_number("{date}{serial:4}", 1, "202505200001", "20250520*");
	check_number("QM-{date}{serial:4}", 9999, "QM-202505209999", "QM-20250520*");
	check_number("QMS-{code:department}-{code:type}-{year}-{serial:2}-V{version}", 3,
		"QMS-QC-CX-2025-03-V1.0", "QMS-QC-CX-2025-*-V*");
	check_number("QMS-{code:department}-{code:type}-{year}-V{version}", 0,
		"QMS-QC-CX-2025-V1.0", "");
	check_number("u-{serial:5+}", 1, "u-00001", "u-*");
	check_number("u-{serial:5+}", 123456, "u-123456", "u-*");
	check_number("DEF-{code:series}", 0, "DEF-QR-QC-001", "");
	check_number(
		"{year}年{month}月第{serial:2+}号", 100, "2025年05月第100号", "2025年05月第*号");
}
END_TEST

/* REC-10: behind the last serial no number is given, and the reason is named. */
START_TEST(rec_10_a_day_has_9999_numbers)
{
	_cleanup_(number_rule_freep) struct number_rule *rule = NULL;
	_cleanup_(number_plan_done) struct number_plan plan = {
		.scope = BUF_INIT, .head = BUF_INIT, .tail = BUF_INIT
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct number_input input = input_of(2025, 5, 20);
	struct err err = ERR_INIT;

	ck_ok(number_rule_parse(STR("QM-{date}{serial:4}"), &rule, &err), err);
	ck_ok(number_plan_make(rule, &input, &plan, &err), err);
	ck_assert_uint_eq(number_plan_last(&plan), 9999);
	ck_ok(number_plan_add(&plan, 9999, &b, &err), err);
	buf_reset(&b);
	ck_fails(number_plan_add(&plan, 10000, &b, &err), err, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.text, "REC-10"));
	ck_assert_uint_eq(b.n, 0);
}
END_TEST

START_TEST(bad_rules_are_refused)
{
	static const char *const bad[] = { "", "{", "{}", "{serial}", "{serial:0}", "{serial:10}",
		"{serial:04}", "{serial:3-}", "{day}", "a/{serial:3}", "a*{serial:3}", "a}",
		"{serial:2}{serial:2}", "{version}-{version}", "{serial:2+}{date}", "{serial:2+}1",
		"{code:a}{code:b}", "{code:A}", "{code:}", "{version}.1", "a\n{serial:3}",
		"e\xcc\x81{serial:3}", "a\xff{serial:3}" };
	struct number_rule *rule = NULL;
	struct err err = ERR_INIT;
	char many[200] = "";

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(number_rule_parse(str_of(bad[i]), &rule, &err) == -ERR_INVALID,
			"accepted: %s", bad[i]);
	for (size_t i = 0; i < NUMBER_SLOTS_MAX; i++)
		memcpy(many + i * 6, "{year}", 7);
	ck_ok(number_rule_parse(str_of(many), &rule, &err), err);
	number_rule_free(rule);
	rule = NULL;
	memcpy(many + NUMBER_SLOTS_MAX * 6, "x", 2);
	ck_fails(number_rule_parse(str_of(many), &rule, &err), err, ERR_LIMIT);
	ck_assert_ptr_null(rule);
}
END_TEST

START_TEST(what_is_missing_or_unsafe_makes_no_number)
{
	static const char *const bad[] = { "{code:none}-1", "{code:bad}", "{code:series}-x",
		".x{serial:3}", "-x{serial:3}", " x{serial:3}" };
	struct number_input input = input_of(2025, 5, 20);
	struct number_plan plan;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct number_rule *rule = NULL;

		ck_ok(number_rule_parse(str_of(bad[i]), &rule, &err), err);
		ck_assert_msg(number_plan_make(rule, &input, &plan, &err) == -ERR_INVALID,
			"made: %s", bad[i]);
		number_rule_free(rule);
	}
}
END_TEST

/* DOC-04: editions are 1.0, 1.1, 2.0 ... */
START_TEST(doc_04_editions)
{
	static const char *const bad[] = { "", "1", "1.", ".1", "01.0", "1.00", "1.0.0", "a.b",
		"1000.0" };
	_cleanup_(number_rule_freep) struct number_rule *rule = NULL;
	struct number_input input = input_of(2025, 5, 20);
	struct number_plan plan;
	struct err err = ERR_INIT;

	ck_ok(number_rule_parse(STR("D-V{version}"), &rule, &err), err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		input.version = str_of(bad[i]);
		ck_fails(number_plan_make(rule, &input, &plan, &err), err, ERR_INVALID);
	}
	input.version = STR("2.10");
	ck_ok(number_plan_make(rule, &input, &plan, &err), err);
	number_plan_done(&plan);
}
END_TEST

START_TEST(numbers_of_another_rule_are_not_read)
{
	static const char *const bad[] = { "", "QM-", "QM-202505200000", "QM-20250520001",
		"QM-2025052000012", "QM-202513200001", "QM-202502290001", "QM-20250520000x",
		"qm-202505200001", "XQM-202505200001" };
	_cleanup_(number_rule_freep) struct number_rule *rule = NULL, *wide = NULL;
	_cleanup_(buf_done) struct buf scope = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t serial;

	ck_ok(number_rule_parse(STR("QM-{date}{serial:4}"), &rule, &err), err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_fails(
			number_read(rule, str_of(bad[i]), &scope, &serial, &err), err, ERR_INVALID);
	ck_assert_uint_eq(scope.n, 0);
	ck_ok(number_rule_parse(STR("u-{serial:3+}"), &wide, &err), err);
	ck_fails(number_read(wide, STR("u-0123"), NULL, NULL, &err), err, ERR_INVALID);
	ck_fails(number_read(wide, STR("u-12"), NULL, NULL, &err), err, ERR_INVALID);
	ck_fails(number_read(wide, STR("u-1234567890123"), NULL, NULL, &err), err, ERR_INVALID);
	ck_ok(number_read(wide, STR("u-1234"), NULL, &serial, &err), err);
	ck_assert_uint_eq(serial, 1234);
}
END_TEST

/* Whatever a rule makes, it reads: every serial, many days. */
START_TEST(made_numbers_are_read_back)
{
	static const char *const rules[] = { "{date}{serial:4}", "{serial:1+}-{month}",
		"{code:department}_{serial:3}{year}", "件{version}卷{serial:2}",
		"{code:type}-{serial:2+}号" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		_cleanup_(number_rule_freep) struct number_rule *rule = NULL;

		ck_ok(number_rule_parse(str_of(rules[i]), &rule, &err), err);
		for (uint64_t n = 1; n < 3000; n = n * 3 / 2 + 1) {
			struct number_input input = input_of(
				1900 + (int)(n % 1100), 1 + (int)(n % 12), 1 + (int)(n % 28));
			struct number_plan plan;
			struct buf b = BUF_INIT, scope = BUF_INIT;
			uint64_t serial = 0;

			ck_ok(number_plan_make(rule, &input, &plan, &err), err);
			if (n <= number_plan_last(&plan)) {
				ck_ok(number_plan_add(&plan, n, &b, &err), err);
				ck_ok(number_read(rule, buf_str(&b), &scope, &serial, &err), err);
				ck_assert_uint_eq(serial, n);
				ck_assert(str_eq(buf_str(&scope), buf_str(&plan.scope)));
			}
			number_plan_done(&plan);
			buf_done(&b);
			buf_done(&scope);
		}
	}
}
END_TEST

TESTS("core/model/numbering", the_numbers_of_the_field, rec_10_a_day_has_9999_numbers,
	bad_rules_are_refused, what_is_missing_or_unsafe_makes_no_number, doc_04_editions,
	numbers_of_another_rule_are_not_read, made_numbers_are_read_back)
