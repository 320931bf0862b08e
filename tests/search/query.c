/* The query grammar: what each way of typing becomes, and where it goes wrong. */
#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/base/tr.h"
#include "search/query.h"

static void check_query(struct str text, const char *expected)
{
	_cleanup_(query_freep) struct query *q = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(query_parse(text, &q, &err), err);
	query_describe(q, &b);
	ck_assert_str_eq(b.p, expected);
}

#define QUERY(text, expected) check_query(STR(text), expected)

static void check_fails(struct str text, int code, const char *at)
{
	_cleanup_(query_freep) struct query *q = NULL;
	struct err err = ERR_INIT;

	ck_fails(query_parse(text, &q, &err), err, code);
	ck_assert_msg(
		str_starts(str_of(err.text), at), "'%s' does not begin with '%s'", err.text, at);
	ck_assert_ptr_null(q);
}

#define FAILS(text, at) check_fails(STR(text), ERR_INVALID, "character " at " of the query: ")

START_TEST(words_and_operators)
{
	QUERY("", "ALL");
	QUERY(" \t　", "ALL");
	QUERY("Recalled", "(SAME W:recal Z:recal)");
	QUERY("recall plan", "(AND (SAME W:recal Z:recal) (SAME W:plan Z:plan))");
	QUERY("recall AND plan", "(AND (SAME W:recal Z:recal) (SAME W:plan Z:plan))");
	QUERY("recall OR plan or",
		"(OR (SAME W:recal Z:recal) (AND (SAME W:plan Z:plan) (SAME W:or Z:or)))");
	QUERY("召回 或 计划", "(OR W:召回 W:计划)");
	QUERY("召回 且 计划", "(AND W:召回 W:计划)");
	QUERY("或者", "W:或者");
	QUERY("召回 -计划", "(NOT W:召回 W:计划)");
	QUERY("-计划 召回 NOT a", "(NOT W:召回 W:计划 W:a)");
	QUERY("非 计划", "(NOT ALL W:计划)");
	QUERY("非无菌", "(AND W:非无 W:无菌)");
	QUERY("a - b", "(AND W:a W:b)");
	QUERY("--a", "(NOT ALL (NOT ALL W:a))");
	QUERY("(a OR b) c", "(AND (OR W:a W:b) W:c)");
	QUERY("（a ＯＲ b） c", "(AND (OR W:a W:b) W:c)");
	QUERY("(a -b) OR (-c)", "(OR (NOT W:a W:b) (NOT ALL W:c))");
	QUERY("医疗器械（召回）", "(AND (AND W:医疗 W:疗器 W:器械) W:召回)");
	QUERY("召", "(CHARACTER W:召)");
}
END_TEST

START_TEST(phrases)
{
	QUERY("\"Recall plans\"", "(PHRASE W:recall W:plans)");
	QUERY("“责任到人”", "(PHRASE W:责任 W:任到 W:到人)");
	QUERY("「责任」到『人』", "(AND W:责任 (CHARACTER W:到) (CHARACTER W:人))");
	QUERY("\"ISO 标\"", "(PHRASE W:iso W:标)");
	QUERY("＂plans＂", "W:plans");
	QUERY("\"SOP-012灭菌\"", "(PHRASE W:sop W:012 W:灭菌)");
	QUERY("\"\" a", "W:a");
	QUERY("“第十条 超出”", "(PHRASE W:第十 W:十条 W:超出)");
	QUERY("“召 回 计划”", "(PHRASE W:召回 W:回计 W:计划)");
	QUERY("“2025年5月20日”", "(PHRASE W:2025 W:年 W:5 W:月 W:20 W:日)");
}
END_TEST

START_TEST(mixed_words_and_numbers)
{
	QUERY("SOP-012灭菌",
		"(EITHER (AND (EITHER C:sop-012 C:sop012 W:sop012 (PHRASE W:sop W:012) N:sop-012"
		" O:sop-012) W:灭菌)"
		" N:sop-012灭菌 O:sop-012灭菌)");
	QUERY("ＱＭＳ－QC—cx-2025-V1.0",
		"(EITHER C:qms-qc-cx-2025-v1.0 C:qmsqccx2025v10 W:qmsqccx2025v10"
		" (PHRASE W:qms W:qc W:cx W:2025 W:v1.0)"
		" N:qms-qc-cx-2025-v1.0 O:qms-qc-cx-2025-v1.0)");
	QUERY("国械注准20203140123", "(EITHER (PHRASE W:国械 W:械注 W:注准 W:20203140123)"
				     " N:国械注准20203140123 O:国械注准20203140123)");
	QUERY("202505200001", "(EITHER W:202505200001 O:202505200001)");
	QUERY("2025", "W:2025");
	static const char record[] = "(EITHER (PHRASE W:记录 W:20250520 W:001)"
				     " N:记录-20250520-001 O:记录-20250520-001)";
	QUERY("记录-20250520-001", record);
	QUERY("记录－20250520—001", record);
	static const char letter[] =
		"(EITHER (PHRASE W:监函 W:〔2023〕201) N:监函〔2023〕201 O:监函〔2023〕201)";
	QUERY("监函〔2023〕201", letter);
	QUERY("监函(2023)201", letter);
	QUERY("监函（２０２３）２０１", letter);
	QUERY("监函 [ 2023 ] 第201", letter);
	QUERY("监函〔2023〕201 号", letter);
	QUERY("SOP012", "(EITHER W:sop012 (PHRASE W:sop W:012) C:sop012 O:sop012)");
	QUERY("2025年", "(EITHER (PHRASE W:2025 W:年) N:2025年 O:2025年)");
	QUERY("10月9日召回",
		"(EITHER (AND (PHRASE W:10 W:月 W:9 W:日) W:召回) N:10月9日召回 O:10月9日召回)");
	QUERY("24小时", "(EITHER (PHRASE W:24 W:小时) N:24小时 O:24小时)");
	QUERY("第5章", "(EITHER (PHRASE W:第 W:5 W:章) N:第5章 O:第5章)");
	QUERY("37号", "(EITHER (AND W:37 W:号) N:37号 O:37号)");
	QUERY("37 号", "(EITHER (AND W:37 W:号) N:37号 O:37号)");
	QUERY("14:00", "(EITHER (PHRASE W:14 W:00) N:14:00 O:14:00)");
	/* Spaces for looks. */
	QUERY("保存 5 年", "(AND W:保存 (EITHER (PHRASE W:5 W:年) N:5年 O:5年))");
	QUERY("第 5 章", "(EITHER (PHRASE W:第 W:5 W:章) N:第5章 O:第5章)");
	QUERY("2025 年 9 月", "(EITHER (PHRASE W:2025 W:年 W:9 W:月) N:2025年9月 O:2025年9月)");
	QUERY("2025 年 9 月 30 日", "U:20250930");
	QUERY("2025 年内部",
		"(EITHER (AND (PHRASE W:2025 W:年) W:内部) N:2025年内部 O:2025年内部)");
	QUERY("5 或 6", "(OR W:5 W:6)");
	QUERY("2025 计划", "(AND W:2025 W:计划)");
	QUERY("2025 年", "(EITHER (PHRASE W:2025 W:年) N:2025年 O:2025年)");
	QUERY("ISO 年", "(AND (SAME W:iso Z:iso) (CHARACTER W:年))");
	QUERY("附件1", "(EITHER (PHRASE W:附件 W:1) N:附件1 O:附件1)");
	QUERY("表2", "(EITHER (PHRASE W:表 W:2) N:表2 O:表2)");
	QUERY("召回2025", "(EITHER (AND W:召回 W:2025) N:召回2025 O:召回2025)");
	/* Letters and digits, with a space between them or without. */
	QUERY("5g", "(EITHER W:5g (PHRASE W:5 W:g))");
	QUERY("0.05mm", "(EITHER W:0.05mm (PHRASE W:0.05 W:mm) C:0.05mm O:0.05mm)");
	QUERY("0.05 mm", "(EITHER (EITHER (PHRASE W:0.05 W:mm) W:0.05mm) N:0.05mm O:0.05mm)");
	QUERY("10 µg/g",
		"(EITHER (EITHER (PHRASE W:10 W:μg W:g) (PHRASE W:10μg W:g)) N:10μg/g O:10μg/g)");
	QUERY("ISO13485", "(EITHER W:iso13485 (PHRASE W:iso W:13485) C:iso13485 O:iso13485)");
	QUERY("YY/T0287", "(EITHER C:yy/t0287 C:yyt0287 W:yyt0287 (PHRASE W:yy W:t0287) "
			  "(PHRASE W:yy W:t W:0287) N:yy/t0287 O:yy/t0287)");
	QUERY("YY/T 0287", "(EITHER (EITHER (PHRASE W:yy W:t W:0287) (PHRASE W:yy W:t0287)) "
			   "N:yy/t0287 O:yy/t0287)");
	QUERY("5 mmol", "(AND W:5 (SAME W:mmol Z:mmol))");
	QUERY("标题:5mm", "(EITHER S:5mm (PHRASE S:5 S:mm))");
	QUERY("年:2025 年", "(AND DAYS 20089..20453 (CHARACTER W:年))");
}
END_TEST

START_TEST(beginnings)
{
	QUERY("QMS-QC-*",
		"(EITHER (EITHER (PHRASE W:qms W:qc) N:qms-qc O:qms-qc) O:qms-qc- E:qms-qc-)");
	QUERY("国械注准2020*", "(EITHER (EITHER (AND (AND W:国械 W:械注 W:注准) W:2020) "
			       "N:国械注准2020 O:国械注准2020)"
			       " O:国械注准2020 (AND (PHRASE W:国械 W:械注 W:注准) E:2020))");
	QUERY("监函〔2023*",
		"(EITHER (EITHER (AND W:监函 W:2023) N:监函〔2023 O:监函〔2023) O:监函〔2023"
		" (AND W:监函 E:〔2023))");
	QUERY("recall*", "(EITHER (SAME W:recal Z:recal) O:recall E:recall)");
	FAILS("a ab*", "3");
	FAILS("number:ab*", "8");
}
END_TEST

START_TEST(fields)
{
	QUERY("标题:召回计划", "(AND S:召回 S:回计 S:计划)");
	QUERY("title:\"recall plan\"", "(PHRASE S:recall S:plan)");
	QUERY("Title：plans body", "(AND (SAME S:plan T:plan) (SAME W:bodi Z:bodi))");
	QUERY("title:(a OR b) c", "(AND (OR S:a S:b) W:c)");
	QUERY("title:SOP-012", "(PHRASE S:sop S:012)");
	QUERY("title: -a", "(NOT ALL S:a)");
	QUERY("编号:安市监函［2023］201号", "N:安市监函〔2023〕201");
	QUERY("number:QMS-QC*", "O:qms-qc");
	QUERY("编号:资质记录-2025*", "O:资质记录-2025");
	QUERY("编号:资质记录*", "(EITHER O:资质记录 (PHRASE W:资质 W:质记 W:记录))");
	QUERY("门类:资质审核记录 部门:\" 运营部 \"", "(AND R:资质审核记录 D:运营部)");
	QUERY("TYPE:PDF", "X:pdf");
	QUERY("备注:x", "(AND W:备注 W:x)");
	QUERY("http://a.b", "(AND (SAME W:http Z:http) (EITHER (PHRASE W:a W:b) N:a.b O:a.b))");
	FAILS("title:", "7");
	FAILS("编号: ", "5");
	FAILS("敏感:", "4");
	FAILS("敏感:\" \"", "5");
	FAILS("series:\"a", "8");
}
END_TEST

static void check_days(struct str text, const char *from, const char *to)
{
	_cleanup_(query_freep) struct query *q = NULL;
	const struct query_node *node;
	struct err err = ERR_INIT;
	char day[11];

	ck_ok(query_parse(text, &q, &err), err);
	node = query_root(q);
	ck_assert_int_eq(node->op, QUERY_DAYS);
	if (!from)
		ck_assert_int_eq(node->day_from, INT64_MIN);
	else
		ck_assert_str_eq(date_format(node->day_from, day), from);
	if (!to)
		ck_assert_int_eq(node->day_to, INT64_MAX);
	else
		ck_assert_str_eq(date_format(node->day_to, day), to);
}

START_TEST(dates)
{
	check_days(STR("日期:2025-01-01..2025-06-30"), "2025-01-01", "2025-06-30");
	check_days(STR("date:2024-02"), "2024-02-01", "2024-02-29");
	check_days(STR("年:2025"), "2025-01-01", "2025-12-31");
	check_days(STR("year:2024..2025"), "2024-01-01", "2025-12-31");
	check_days(STR("日期：2025年5月20日"), "2025-05-20", "2025-05-20");
	check_days(STR("date:20250520"), "2025-05-20", "2025-05-20");
	check_days(STR("date:2025/5/2～2025.12.31"), "2025-05-02", "2025-12-31");
	check_days(STR("date:2025-05.."), "2025-05-01", NULL);
	check_days(STR("date:..2025-05"), NULL, "2025-05-31");
	check_days(STR("date:1900..2999-12-31"), "1900-01-01", "2999-12-31");
	FAILS("a date:2025-02-29", "8");
	FAILS("date:2025-13", "6");
	FAILS("date:1899", "6");
	FAILS("date:3000", "6");
	FAILS("date:..", "6");
	FAILS("date:2025..2024", "6");
	FAILS("date:2025-05-20x", "6");
}
END_TEST

START_TEST(dates_in_text)
{
	QUERY("2025年5月20日", "U:20250520");
	QUERY("2025年5月20日召回",
		"(EITHER (AND U:20250520 W:召回) N:2025年5月20日召回 O:2025年5月20日召回)");
	QUERY("20250520", "(EITHER W:20250520 O:20250520 U:20250520)");
	QUERY("2025-05-20", "(EITHER C:2025-05-20 (PHRASE W:2025 W:05 W:20) N:2025-05-20"
			    " O:2025-05-20 U:20250520)");
	QUERY("标题:2025年5月20日", "(PHRASE S:2025 S:年 S:5 S:月 S:20 S:日)");
}
END_TEST

START_TEST(errors_name_the_character)
{
	FAILS("召回 (计划", "4");
	FAILS("召回 计划)", "6");
	FAILS("a “b", "3");
	FAILS("a OR", "5");
	FAILS("OR a", "1");
	FAILS("a OR OR b", "6");
	FAILS("a AND", "6");
	FAILS("(a OR )", "7");
	FAILS("a NOT", "3");
	FAILS("。！", "1");
	FAILS("()", "1");
	FAILS("\xff\xfe()", "1");
}
END_TEST

START_TEST(limits_have_two_sides)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_(query_freep) struct query *q = NULL;
	struct err err = ERR_INIT;

	while (b.n < QUERY_BYTES_MAX)
		buf_addc(&b, ' ');
	ck_ok(query_parse(buf_str(&b), &q, &err), err);
	buf_addc(&b, ' ');
	query_freep(&q);
	q = NULL;
	check_fails(buf_str(&b), ERR_LIMIT, "a query has at most 4096 bytes");

	for (int depth = QUERY_DEPTH_MAX - 1; depth <= QUERY_DEPTH_MAX; depth++) {
		buf_reset(&b);
		for (int i = 0; i < depth; i++)
			buf_addc(&b, '(');
		buf_addc(&b, 'a');
		for (int i = 0; i < depth; i++)
			buf_addc(&b, ')');
		if (depth < QUERY_DEPTH_MAX)
			check_query(buf_str(&b), "W:a");
		else
			check_fails(buf_str(&b), ERR_LIMIT, "character 33 ");
	}

	buf_reset(&b);
	for (int i = 0; i < (QUERY_NODES_MAX - 3) / 2; i++)
		buf_adds(&b, "a ");
	ck_ok(query_parse(buf_str(&b), &q, &err), err);
	buf_adds(&b, "a ");
	check_fails(buf_str(&b), ERR_LIMIT, "character ");
}
END_TEST

START_TEST(sensitive_values_are_asked_for_whole)
{
	_cleanup_(query_freep) struct query *q = NULL;
	struct err err = ERR_INIT;

	QUERY("138 1234 5678", "P:13812345678");
	QUERY("电话:13812345678", "(AND W:电话 P:13812345678)");
	QUERY("\"电话 13812345678\"", "(AND P:13812345678 W:电话)");
	QUERY("number:138-1234-5678", "P:13812345678");
	QUERY("敏感:138-1234-5678", "P:13812345678");
	QUERY("Sensitive：\"王 敏\"", "P:王敏");
	ck_ok(query_parse(STR("a -13812345678"), &q, &err), err);
	ck_assert(query_is_sensitive(q));
	query_freep(&q);
	q = NULL;
	ck_ok(query_parse(STR("13812345"), &q, &err), err);
	ck_assert(!query_is_sensitive(q));
}
END_TEST

TESTS("search/query", words_and_operators, phrases, mixed_words_and_numbers, beginnings, fields,
	dates, dates_in_text, errors_name_the_character, limits_have_two_sides,
	sensitive_values_are_asked_for_whole)
