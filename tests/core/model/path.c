#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/model/path.h"

static int64_t day(int y, int m, int d)
{
	return day_of_date((struct date){ y, m, d });
}

/* STO-02: year-month, kind of record, department, then the record. */
START_TEST(sto_02_the_path_of_a_record)
{
	static const struct {
		uint64_t sequence;
		const char *path;
	} good[] = {
		{ 0, "2025-05/资质审核记录/运营部/0000/00/资质审核记录-20250520-001" },
		{ 31, "2025-05/资质审核记录/运营部/0000/00/资质审核记录-20250520-001" },
		{ 32, "2025-05/资质审核记录/运营部/0000/01/资质审核记录-20250520-001" },
		{ 1023, "2025-05/资质审核记录/运营部/0000/31/资质审核记录-20250520-001" },
		{ 1024, "2025-05/资质审核记录/运营部/0001/00/资质审核记录-20250520-001" },
		{ 10240000 + 33, "2025-05/资质审核记录/运营部/10000/01/资质审核记录-20250520-001" },
	};
	struct err err = ERR_INIT;
	struct path path;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		ck_ok(path_add(&b, day(2025, 5, 20), STR("资质审核记录"), STR("运营部"),
			      good[i].sequence, STR("资质审核记录-20250520-001"), &err),
			err);
		ck_assert_str_eq(b.p, good[i].path);
		ck_ok(path_parse(buf_str(&b), &path, &err), err);
		ck_assert_int_eq(path.year, 2025);
		ck_assert_int_eq(path.month, 5);
		ck_assert(str_is(path.series_title, "资质审核记录"));
		ck_assert(str_is(path.department, "运营部"));
		ck_assert(str_is(path.number, "资质审核记录-20250520-001"));
		ck_assert(path.first_sequence == good[i].sequence / 32 * 32);
	}
}
END_TEST

START_TEST(unsafe_components_are_refused)
{
	static const struct str bad[] = { STR(""), STR("."), STR(".."), STR(".x"), STR("-x"),
		STR("a/b"), STR("a\\b"), STR("a*"), STR("a\n"), STR("a\x7f"), STR(" a"), STR("a "),
		STR("　a"), STR("a　"), STR(".git"),
		STR("a\xe2\x80\xae"
		    "b"),
		STR("\xff"), STR("e\xcc\x81"), { "a\0b", 3 } };
	struct err err = ERR_INIT;
	char text[PATH_COMPONENT_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf b = BUF_INIT;

		ck_fails(path_check_component(bad[i], "x", &err), err, ERR_INVALID);
		ck_fails(path_add(&b, 0, bad[i], STR("b"), 0, STR("c"), &err), err, ERR_INVALID);
		ck_fails(path_add(&b, 0, STR("a"), bad[i], 0, STR("c"), &err), err, ERR_INVALID);
		ck_fails(path_add(&b, 0, STR("a"), STR("b"), 0, bad[i], &err), err, ERR_INVALID);
		buf_done(&b);
	}
	memset(text, 'a', sizeof(text));
	ck_ok(path_check_component((struct str){ text, PATH_COMPONENT_MAX }, "x", &err), err);
	ck_fails(path_check_component((struct str){ text, sizeof(text) }, "x", &err), err,
		ERR_LIMIT);
	ck_ok(path_check_component(STR("安市监函〔2023〕201号"), "x", &err), err);
	ck_ok(path_check_component(STR("a b-é.pdf"), "x", &err), err);
}
END_TEST

START_TEST(only_our_own_paths_are_read)
{
	static const char *const bad[] = { "", "2025-05", "2025-05/a/b/0000/00/",
		"2025-05/a/b/0000/00", "2025-13/a/b/0000/00/c", "2025-5/a/b/0000/00/c",
		"1899-05/a/b/0000/00/c", "2025-05/a/b/000/00/c", "2025-05/a/b/00001/00/c",
		"2025-05/a/b/0000/32/c", "2025-05/a/b/0000/0/c", "2025-05/a/b/0000/00/c/d",
		"2025-05//b/0000/00/c", "2025-05/a/../0000/00/c", "/2025-05/a/b/0000/00/c" };
	struct err err = ERR_INIT;
	struct path path;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(path_parse(str_of(bad[i]), &path, &err) == -ERR_INVALID,
			"accepted: %s", bad[i]);
}
END_TEST

TESTS("core/model/path", sto_02_the_path_of_a_record, unsafe_components_are_refused,
	only_our_own_paths_are_read)
