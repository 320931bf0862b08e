#include "tests/harness.h"

#include "core/model/pattern.h"

#include <stdlib.h>

START_TEST(what_matches_and_what_does_not)
{
	static const struct {
		const char *pattern, *good[4], *bad[6];
	} cases[] = {
		{ "", { "" }, { "a" } },
		{ "abc", { "abc" }, { "", "ab", "abcd", "xabc" } },
		{ "a|bc|", { "a", "bc", "" }, { "abc", "b" } },
		{ "a(b|c)*d", { "ad", "abd", "acbcbd" }, { "a", "abxd" } },
		{ "a?b+", { "b", "ab", "abbb" }, { "a", "aab" } },
		{ "[A-Z0-9-]+", { "QR-QC-001" }, { "", "qr", "A_" } },
		{ "[^a-c]", { "d", "卷" }, { "a", "", "dd" } },
		{ "[]x]", { NULL }, { NULL } },
		{ ".{2,3}", { "卷宗", "abc" }, { "a", "abcd" } },
		{ "x{2}", { "xx" }, { "x", "xxx" } },
		{ "x{0}y", { "y" }, { "xy" } },
		{ "(ab){2,}", { "abab", "ababab" }, { "ab", "aba" } },
		{ "\\d{4}\\.\\[", { "2025.[" }, { "2025a[", "٢٠٢٥.[" } },
		{ "(a*)*b", { "b", "aaab" }, { "aaac" } },
		{ "安市监函〔\\d{4}〕\\d+号", { "安市监函〔2023〕201号" },
			{ "安市监函〔23〕201号" } },
		{ "QMS-[A-Z]+-[A-Z]+-\\d{4}(-\\d{2,})?-V\\d+\\.\\d+",
			{ "QMS-QC-CX-2025-V1.0", "QMS-QC-CX-2025-03-V1.0" },
			{ "QMS-QC-CX-25-V1.0", "QMS-QC-CX-2025-3-V1.0", "QMS-QC-2025-V1.0" } },
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pattern *p = NULL;

		if (!cases[i].good[0]) {
			ck_fails(pattern_parse(str_of(cases[i].pattern), &p, &err), err,
				ERR_INVALID);
			continue;
		}
		ck_ok(pattern_parse(str_of(cases[i].pattern), &p, &err), err);
		for (size_t k = 0; k < 4 && cases[i].good[k]; k++)
			ck_assert_msg(pattern_matches(p, str_of(cases[i].good[k])), "%s: %s",
				cases[i].pattern, cases[i].good[k]);
		for (size_t k = 0; k < 6 && cases[i].bad[k]; k++)
			ck_assert_msg(!pattern_matches(p, str_of(cases[i].bad[k])), "%s: not %s",
				cases[i].pattern, cases[i].bad[k]);
		pattern_free(p);
	}
}
END_TEST

START_TEST(bad_patterns_say_where)
{
	static const char *const bad[] = { "*", "+a", "?", "{2}", "a{", "a{x}", "a{2", "a{3,2}",
		"(", "(a", ")", "a)", "[", "[a", "[]", "[z-a]", "\\", "\\w", "^a", "a$", "a**", "]",
		"}", "[a\\", "\xff" };
	struct pattern *p = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(pattern_parse(str_of(bad[i]), &p, &err) == -ERR_INVALID,
			"accepted: %s", bad[i]);
	ck_fails(pattern_parse(STR("ab[z-a]"), &p, &err), err, ERR_INVALID);
	ck_assert_str_eq(err.text, "pattern, at byte 7: a range runs backwards");
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(limits_hold_on_both_sides)
{
	struct pattern *p = NULL;
	struct err err = ERR_INIT;
	char text[258];

	memset(text, 'a', sizeof(text));
	ck_ok(pattern_parse((struct str){ text, 256 }, &p, &err), err);
	pattern_free(p);
	p = NULL;
	ck_fails(pattern_parse((struct str){ text, 257 }, &p, &err), err, ERR_LIMIT);
	ck_ok(pattern_parse(STR("a{200}"), &p, &err), err);
	pattern_free(p);
	p = NULL;
	ck_fails(pattern_parse(STR("a{201}"), &p, &err), err, ERR_LIMIT);
	ck_fails(pattern_parse(STR("((a{100}){100}){100}"), &p, &err), err, ERR_LIMIT);
	ck_fails(pattern_parse(STR("((((((((((((((((((a))))))))))))))))))"), &p, &err), err,
		ERR_LIMIT);
	ck_assert_ptr_null(p);
}
END_TEST

/* A pattern that makes backtracking matchers take for ever is only linear here. */
START_TEST(no_pattern_is_slow)
{
	struct pattern *p = NULL;
	struct err err = ERR_INIT;
	char *text = malloc(65536);

	memset(text, 'a', 65536);
	ck_ok(pattern_parse(STR("(a|a)*(a*)*(a?){50}b"), &p, &err), err);
	ck_assert(!pattern_matches(p, (struct str){ text, 65536 }));
	pattern_free(p);
	free(text);
}
END_TEST

TESTS("core/model/pattern", what_matches_and_what_does_not, bad_patterns_say_where,
	limits_hold_on_both_sides, no_pattern_is_slow)
