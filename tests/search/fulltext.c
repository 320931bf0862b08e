/* The full-text index through its C face: what is found, by whom, in which order, and what survives
 * what. */
#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "search/fulltext.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const struct str open_scope = { "all", 3 }, closed_scope = { "qms-only", 8 };

static struct secret *key;

static struct fulltext_options options(void)
{
	secret_init();
	if (!key)
		key = secret_copy("0123456789abcdef", TERM_KEY_BYTES);
	return (struct fulltext_options){ .key = key };
}

static struct fulltext *open_new(const char *path)
{
	struct fulltext_options o = options();
	struct fulltext *ft = NULL;
	struct err err = ERR_INIT;

	ck_ok(fulltext_open(path, &o, &ft, &err), err);
	return ft;
}

static struct fulltext_reader *open_reader(const char *path)
{
	struct fulltext_options o = options();
	struct fulltext_reader *r = NULL;
	struct err err = ERR_INIT;

	ck_ok(fulltext_reader_open(path, &o, &r, &err), err);
	return r;
}

static struct id id_of(unsigned n)
{
	struct id id = { { 0 } };

	/* Spread over the shards as random ids are. */
	for (size_t i = 0; i < sizeof(id.b); i++)
		id.b[i] = (uint8_t)((n + 1) * 2654435761u >> (i % 4 * 8));
	id.b[15] = (uint8_t)n;
	id.b[14] = (uint8_t)(n >> 8);
	return id;
}

struct sample {
	const char *day, *series, *department, *number, *title, *body;
	const struct str *scope;
};

static const struct sample samples[] = {
	{ "2025-05-20", "资质审核记录", "运营部", "资质审核记录-20250520-001", "供应商资质审核",
		"国械注准20203140123 的产品，依据安市监函〔2023〕201 号。联系人电话 13812345678。",
		&open_scope },
	{ "2025-06-30", "程序文件", "质量部", "QMS-QC-CX-2025-V1.0", "医疗器械召回控制程序",
		"召回计划应当明确责任到人。See SOP-012灭菌 for recalled devices.", &open_scope },
	{ "2024-12-31", "程序文件", "质量部", "QMS-QC-CX-2024-V1.0", "灭菌控制程序",
		"sterilisation of devices；召回\n计划 is elsewhere", &closed_scope },
	{ "2025-01-01", "订单", "运营部", "202505200001", "订单", "Recall nothing.", &open_scope },
};

static void put_sample(struct fulltext *ft, unsigned n)
{
	const struct sample *s = &samples[n % ARRAY_LEN(samples)];
	const struct fulltext_text texts[] = {
		{ FULLTEXT_TITLE, str_of(s->title) },
		{ FULLTEXT_NUMBER, str_of(s->number) },
		{ FULLTEXT_BODY, str_of(s->body) },
		{ FULLTEXT_SENSITIVE, STR("陕西省 西安市") },
	};
	struct fulltext_document d = {
		.record = id_of(n),
		.series = str_of(s->series),
		.department = str_of(s->department),
		.type = STR("txt"),
		.scopes = s->scope,
		.scope_count = 1,
		.texts = texts,
		.text_count = ARRAY_LEN(texts),
	};
	struct date date;
	struct err err = ERR_INIT;
	int y, m, day;

	ck_assert_int_eq(sscanf(s->day, "%d-%d-%d", &y, &m, &day), 3);
	date = (struct date){ y, m, day };
	d.day = day_of_date(date);
	ck_ok(fulltext_put(ft, &d, &err), err);
}

static void commit(struct fulltext *ft, const char *watermark)
{
	struct err err = ERR_INIT;

	ck_ok(fulltext_commit(ft, str_of(watermark), &err), err);
}

static void ck_watermark(struct fulltext *ft, const char *expected)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(fulltext_watermark(ft, &b, &err), err);
	ck_assert_str_eq(b.p, expected);
}

static struct fulltext *filled(const char *path)
{
	struct fulltext *ft = open_new(path);

	for (unsigned i = 0; i < ARRAY_LEN(samples); i++)
		put_sample(ft, i);
	commit(ft, "one");
	return ft;
}

/* The samples that a request finds, in order, as digits: "13". */
static void search(struct fulltext_reader *r, const char *text, struct fulltext_request request,
	const char *expected)
{
	_cleanup_(query_freep) struct query *query = NULL;
	struct fulltext_result result;
	struct err err = ERR_INIT;
	char found[64] = "";

	ck_ok(query_parse(str_of(text), &query, &err), err);
	request.query = query;
	if (request.limit == 0)
		request.limit = 50;
	ck_ok(fulltext_search(r, &request, &result, &err), err);
	for (size_t i = 0; i < result.hit_count; i++)
		found[i] = (char)('0' + result.hits[i].key.record.b[15]);
	ck_assert_msg(
		strcmp(found, expected) == 0, "%s: found %s, expected %s", text, found, expected);
	fulltext_result_done(&result);
}

static const struct fulltext_request everything = { .all_scopes = true };

#define FINDS(text, expected) search(r, text, everything, expected)

START_TEST(finds_words_phrases_and_numbers)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);

	FINDS("召回计划", "12");
	FINDS("\"责任到人\"", "1");
	FINDS("“责任人”", "");
	FINDS("召", "12");
	FINDS("械", "10");
	FINDS("任", "1");
	FINDS("人", "10");
	FINDS("灭", "21");
	FINDS("标题:程", "21");
	FINDS("标题:械", "1");
	FINDS("召回 -任", "2");
	FINDS("锌", "");
	FINDS("recalling", "31");
	FINDS("\"recalled devices\"", "1");
	FINDS("\"devices recalled\"", "");
	FINDS("ＤＥＶＩＣＥＳ", "21");
	FINDS("title:召回", "1");
	FINDS("标题:灭菌", "2");
	FINDS("灭菌 -title:灭菌", "1");
	FINDS("sterilisation OR 审核", "02");

	FINDS("SOP-012灭菌", "1");
	FINDS("sop－012", "1");
	FINDS("SOP 012", "1");
	FINDS("SOP-01", "");
	FINDS("SOP-01*", "1");
	FINDS("QMS-QC-CX-2025-V1.0", "1");
	FINDS("ｑｍｓ—qc_cx-2025-v1.0", "1");
	FINDS("QMS-QC-CX*", "21");
	FINDS("QMS-QC", "21");
	FINDS("number:QMS-QC-CX-2024-V1.0", "2");
	FINDS("编号:QMS-QC-CX-2024", "");
	FINDS("编号:QMS-QC-CX-2024*", "2");
	FINDS("202505200001", "3");
	FINDS("2025052000", "3");
	FINDS("20250520", "03");
	FINDS("资质审核记录-20250520-001", "0");
	FINDS("资质审核记录－20250520－００１", "0");
	FINDS("资质审核记录-20250520*", "0");
	FINDS("资质审核记录-20250520-002", "");
	FINDS("国械注准20203140123", "0");
	FINDS("国械注准２０２０３１４０１２３", "0");
	FINDS("国械注准2020314*", "0");
	FINDS("国械注进20203140123", "");
	FINDS("20203140123", "0");
	FINDS("安市监函〔2023〕201 号", "0");
	FINDS("安市监函〔2023〕201号", "0");
	FINDS("安市监函[2023]201号", "0");
	FINDS("安市监函（2023）201号", "0");
	FINDS("安市监函(2023) 第201号", "0");
	FINDS("市监函【２０２３】２０１", "0");
	FINDS("\"安市监函〔2023〕201号\"", "0");
	FINDS("安市监函〔2023〕20*", "0");
	FINDS("安市监函〔2023*", "0");
	FINDS("安市监函〔2023〕202号", "");
	FINDS("安市监函〔2024〕201号", "");
	FINDS("陕市监函〔2023〕201号", "");
}
END_TEST

START_TEST(sensitive_values_need_the_right)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	struct fulltext_request may = everything;

	may.may_unmask = true;
	FINDS("13812345678", "");
	search(r, "13812345678", may, "0");
	search(r, "138 1234 5678", may, "0");
	search(r, "13812345679", may, "");
	search(r, "1381234*", may, "");
	search(r, "1381", may, "");
	search(r, "西安", may, "");
	FINDS("电话 -13812345678", "0");
}
END_TEST

START_TEST(fields_filters_and_dates)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	const struct fulltext_filter filters[] = {
		{ FULLTEXT_FACET_SERIES, STR("程序文件") },
		{ FULLTEXT_FACET_SERIES, STR("订单") },
		{ FULLTEXT_FACET_YEAR, STR("2025") },
	};
	struct fulltext_request request = everything;

	FINDS("门类:程序文件", "12");
	FINDS("部门:运营部 -订单", "0");
	FINDS("类型:ＴＸＴ", "1032");
	FINDS("类型:pdf", "");
	FINDS("年:2025", "103");
	FINDS("日期:2025-01-01", "3");
	FINDS("日期:2024-12-31..2025-05-20", "032");
	FINDS("日期:..2024", "2");
	FINDS("日期:2025-05-21..", "1");
	FINDS("召回 日期:2025-06", "1");

	request.filters = filters;
	request.filter_count = 3;
	search(r, "", request, "13");
	request.filter_count = 2;
	search(r, "recall", request, "31");
	request.filter_count = 0;
	request.day_from = day_of_date((struct date){ 2025, 1, 1 });
	request.day_to = day_of_date((struct date){ 2025, 5, 20 });
	search(r, "", request, "03");
	request.order = FULLTEXT_OLDEST_FIRST;
	search(r, "", request, "30");
}
END_TEST

static struct fulltext_result run(struct fulltext_reader *r, const struct fulltext_request *request)
{
	struct fulltext_result result;
	struct err err = ERR_INIT;

	ck_ok(fulltext_search(r, request, &result, &err), err);
	return result;
}

/* Records on every ninth day of three years; ranges of every kind find those that are inside. */
START_TEST(ranges_of_days_are_exact)
{
	enum { STEP = 9, RECORDS = 3 * 365 / STEP };
	const int64_t first = day_of_date((struct date){ 2023, 1, 1 });
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = open_new(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = NULL;
	struct fulltext_request request = { .all_scopes = true, .count_up_to = 1000 };
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < RECORDS; i++) {
		struct fulltext_document d = { .record = id_of(i), .day = first + i * STEP };

		ck_ok(fulltext_put(ft, &d, &err), err);
	}
	commit(ft, "");
	r = open_reader(path);
	for (int64_t from = first; from < first + 500; from += 13)
		for (int64_t days = 0; days < 800; days += 23) {
			struct fulltext_result result;
			uint64_t expected = 0;

			request.day_from = from;
			request.day_to = from + days;
			for (int64_t day = first; day < first + RECORDS * STEP; day += STEP)
				expected += day >= from && day <= from + days;
			ck_ok(fulltext_search(r, &request, &result, &err), err);
			ck_assert_uint_eq(result.count, expected);
			fulltext_result_done(&result);
		}
}
END_TEST

START_TEST(access_rules_hits_counts_and_facets)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	struct fulltext_request request = {
		.scopes = &open_scope, .scope_count = 1, .facets = true
	};
	const struct str both[] = { open_scope, closed_scope };
	struct fulltext_result result;
	struct buf b = BUF_INIT;

	search(r, "", request, "103");
	search(r, "NOT zebra", request, "103");
	search(r, "-recall", request, "0");
	search(r, "灭菌 OR 召回", request, "1");
	result = run(r, &request);
	ck_assert_uint_eq(result.count, 3);
	ck_assert(result.count_is_exact);
	for (size_t i = 0; i < result.facet_count; i++)
		buf_addf(&b, "%d %s %llu, ", result.facets[i].kind, result.facets[i].value,
			(unsigned long long)result.facets[i].count);
	ck_assert_str_eq(b.p, "0 程序文件 1, 0 订单 1, 0 资质审核记录 1, 1 运营部 2, 1 质量部 1, "
			      "2 txt 3, 3 2025 3, ");
	fulltext_result_done(&result);

	request.scope_count = 0;
	result = run(r, &request);
	ck_assert_uint_eq(result.count + result.facet_count + result.hit_count, 0);
	fulltext_result_done(&result);

	request.scopes = both;
	request.scope_count = 2;
	search(r, "", request, "1032");
	buf_done(&b);
}
END_TEST

START_TEST(pages_of_a_list_join_without_gap)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = open_new(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = NULL;
	struct fulltext_result all, page;
	size_t at = 0;

	for (unsigned i = 0; i < 200; i++)
		put_sample(ft, i);
	commit(ft, "");
	r = open_reader(path);
	for (int order = FULLTEXT_BY_RELEVANCE; order <= FULLTEXT_OLDEST_FIRST; order++) {
		struct fulltext_request request = {
			.all_scopes = true, .limit = 1000, .order = order
		};

		all = run(r, &request);
		ck_assert_uint_eq(all.hit_count, 200);
		ck_assert_uint_eq(all.count, 200);
		request.limit = 7;
		for (at = 0; at < 200; at += 7) {
			if (order == FULLTEXT_BY_RELEVANCE)
				request.offset = at;
			else if (at > 0)
				request.after = &all.hits[at - 1].key;
			page = run(r, &request);
			ck_assert_uint_eq(page.hit_count, at < 196 ? 7 : 4);
			for (size_t i = 0; i < page.hit_count; i++)
				ck_assert(id_equal(
					&page.hits[i].key.record, &all.hits[at + i].key.record));
			fulltext_result_done(&page);
		}
		fulltext_result_done(&all);
	}
}
END_TEST

START_TEST(nothing_is_seen_before_the_commit)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	struct err err = ERR_INIT;
	uint64_t documents, bytes, revision = fulltext_revision(ft);

	put_sample(ft, 4);
	ck_ok(fulltext_remove(ft, &(struct id){ { 1 } }, &err), err);
	struct id first = id_of(0);
	ck_ok(fulltext_remove(ft, &first, &err), err);
	fulltext_pending(ft, &documents, &bytes);
	ck_assert_uint_eq(documents, 3);
	ck_assert_uint_gt(bytes, 100);
	ck_ok(fulltext_reader_refresh(r, 0, &err), err);
	FINDS("审核", "0");
	ck_watermark(ft, "one");
	ck_assert_uint_eq(fulltext_revision(ft), revision);

	commit(ft, "two");
	fulltext_pending(ft, &documents, &bytes);
	ck_assert_uint_eq(documents, 0);
	FINDS("审核", "0");
	ck_ok(fulltext_reader_refresh(r, fulltext_revision(ft), &err), err);
	FINDS("审核", "4");
	ck_watermark(ft, "two");
	ck_assert_uint_ne(fulltext_revision(ft), revision);
	ck_ok(fulltext_count(ft, &documents, &err), err);
	ck_assert_uint_eq(documents, 4);

	/* What was not committed is lost; what was, is there. */
	put_sample(ft, 5);
	fulltext_freep(&ft);
	ft = open_new(path);
	ck_watermark(ft, "two");
	ck_ok(fulltext_count(ft, &documents, &err), err);
	ck_assert_uint_eq(documents, 4);
}
END_TEST

START_TEST(the_threshold_of_the_environment_does_not_matter)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = NULL;
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(setenv("XAPIAN_FLUSH_THRESHOLD", "1", 1), 0);
	ft = filled(path);
	r = open_reader(path);
	for (unsigned i = 4; i < 30; i++)
		put_sample(ft, i);
	ck_watermark(ft, "one");
	ck_ok(fulltext_reader_refresh(r, 0, &err), err);
	FINDS("审核", "0");
	ck_assert_int_eq(unsetenv("XAPIAN_FLUSH_THRESHOLD"), 0);
}
END_TEST

START_TEST(what_the_title_says_comes_first)
{
	static const char *const titles[] = { "召回计划", "会议纪要", "Recall plan", "Minutes" };
	static const char *const bodies[] = {
		"一次性使用输液器，批号若干，涉及经销商若干家，说明原因、范围、时间、办法、责任人和"
		"联系方式。",
		"召回计划，召回计划，召回计划，召回计划。",
		"Lots, dates, reasons and a list of dealers, with whom to ask and what to do.",
		"The recall plan, the recall plan, and the recall plan.",
	};
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = open_new(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = NULL;
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < ARRAY_LEN(titles); i++) {
		const struct fulltext_text texts[] = { { FULLTEXT_TITLE, str_of(titles[i]) },
			{ FULLTEXT_BODY, str_of(bodies[i]) } };
		struct fulltext_document d = {
			.record = id_of(i), .day = i, .texts = texts, .text_count = 2
		};

		ck_ok(fulltext_put(ft, &d, &err), err);
	}
	commit(ft, "");
	r = open_reader(path);
	FINDS("召回计划", "01");
	FINDS("\"召回计划\"", "01");
	FINDS("召回 计划 年:1970", "01");
	FINDS("计划 -不在", "01");
	FINDS("recalled plans", "23");
	FINDS("\"recall plan\"", "23");
	FINDS("召回 若干 OR 纪要", "10");
}
END_TEST

START_TEST(most_of_the_words_come_near)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	struct fulltext_request near = { .all_scopes = true, .near = true };

	FINDS("召回责任", "");
	search(r, "召回责任", near, "1");
	search(r, "医疗器械审核", near, "1");
	search(r, "recalled devices gadgets", near, "132");
	search(r, "召回责任 -灭菌", near, "");
	search(r, "召回责任 年:2025", near, "1");
	search(r, "召回责任 年:2024", near, "2");
	search(r, "召回责任 年:2023", near, "");
	search(r, "召回责任 SOP-012", near, "1");
	search(r, "召回责任 SOP-013", near, "");
	search(r, "“召回责任”", near, "");
	search(r, "召回责任 “到人责任”", near, "");
	search(r, "召回", near, "");
	search(r, "年:2025", near, "");
	search(r, "", near, "");
	search(r, "召回 铜锌锡", near, "");
	/* Rights hold as ever. */
	near.all_scopes = false;
	near.scopes = &closed_scope;
	near.scope_count = 1;
	search(r, "召回责任", near, "2");
	search(r, "医疗器械审核", near, "");
}
END_TEST

START_TEST(replacing_replaces)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = NULL;
	const struct fulltext_text text = { FULLTEXT_BODY, STR("纯属虚构") };
	struct fulltext_document d = { .record = id_of(1), .texts = &text, .text_count = 1 };
	struct err err = ERR_INIT;

	ck_ok(fulltext_put(ft, &d, &err), err);
	commit(ft, "");
	r = open_reader(path);
	FINDS("虚构", "1");
	FINDS("\"纯属虚构\"", "1");
	FINDS("\"责任到人\"", "");
	FINDS("年:1970", "1");
}
END_TEST

START_TEST(one_writer_one_key)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = NULL, *second = NULL;
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = NULL;
	_cleanup_(secret_freep) struct secret *other = NULL, *short_key = NULL;
	struct fulltext_options o = options();
	struct err err = ERR_INIT;

	ck_fails(fulltext_reader_open(path, &o, &r, &err), err, ERR_NOTFOUND);
	ft = filled(path);
	ck_fails(fulltext_open(path, &o, &second, &err), err, ERR_LOCKED);
	fulltext_freep(&ft);
	ft = NULL;
	other = secret_copy("0123456789abcdeX", TERM_KEY_BYTES);
	o.key = other;
	ck_fails(fulltext_open(path, &o, &ft, &err), err, ERR_CRYPTO);
	ck_fails(fulltext_reader_open(path, &o, &r, &err), err, ERR_CRYPTO);
	short_key = secret_copy("0123456789abcde", TERM_KEY_BYTES - 1);
	o.key = short_key;
	ck_fails(fulltext_open(path, &o, &ft, &err), err, ERR_CRYPTO);
	o = options();
	o.shards = FULLTEXT_SHARDS_MAX + 1;
	ck_fails(fulltext_open(path, &o, &ft, &err), err, ERR_LIMIT);
}
END_TEST

START_TEST(damage_is_named)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(closep) int dir = -1;
	struct fulltext_options o = options();
	struct fulltext_reader *r = NULL;
	struct err err = ERR_INIT;

	fulltext_freep(&ft);
	ft = NULL;
	dir = file_open_dir(AT_FDCWD, path, &err);
	ck_ok(file_replace(dir, "current", "muniment-index 1 generation 1 shards 0\n", 39, &err),
		err);
	ck_fails(fulltext_open(path, &o, &ft, &err), err, ERR_CORRUPT);
	ck_fails(fulltext_reader_open(path, &o, &r, &err), err, ERR_CORRUPT);
	ck_ok(file_replace(dir, "current", "muniment-index 1 generation 9 shards 2\n", 39, &err),
		err);
	ck_assert_int_lt(fulltext_reader_open(path, &o, &r, &err), 0);
}
END_TEST

START_TEST(limits_of_a_document)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = open_new(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = NULL;
	struct str scopes[FULLTEXT_SCOPES_MAX + 1];
	struct fulltext_text text = { FULLTEXT_BODY, { NULL, 0 } };
	struct fulltext_document d = {
		.record = id_of(1), .texts = &text, .text_count = 1, .scopes = scopes
	};
	struct fulltext_request request = everything;
	struct fulltext_result result;
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		scopes[i] = STR("x");
	d.scope_count = FULLTEXT_SCOPES_MAX + 1;
	ck_fails(fulltext_put(ft, &d, &err), err, ERR_LIMIT);
	d.scope_count = FULLTEXT_SCOPES_MAX;
	/* The text is cut before the phone number that crosses the limit. */
	while (b.n < FULLTEXT_TEXT_MAX - 6)
		buf_adds(&b, "a ");
	buf_adds(&b, "13812345678 zebra");
	text.text = buf_str(&b);
	ck_ok(fulltext_put(ft, &d, &err), err);
	commit(ft, "");
	buf_done(&b);
	r = open_reader(path);
	FINDS("a", "1");
	FINDS("zebra", "");
	FINDS("13812", "");
	request.limit = FULLTEXT_LIMIT_MAX + 1;
	ck_fails(fulltext_search(r, &request, &result, &err), err, ERR_LIMIT);
	request.limit = FULLTEXT_LIMIT_MAX;
	request.offset = FULLTEXT_OFFSET_MAX + 1;
	ck_fails(fulltext_search(r, &request, &result, &err), err, ERR_LIMIT);
	ck_fails(fulltext_commit(ft, (struct str){ "x", FULLTEXT_WATERMARK_MAX + 1 }, &err), err,
		ERR_LIMIT);
}
END_TEST

static size_t folders(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(d)))
		n += str_starts(str_of(entry->d_name), "generation-");
	closedir(d);
	return n;
}

START_TEST(compaction_keeps_everything)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	struct err err = ERR_INIT;
	struct id first = id_of(0);

	ck_ok(fulltext_remove(ft, &first, &err), err);
	ck_ok(fulltext_compact(ft, &err), err);
	ck_assert_uint_eq(folders(path), 1);
	ck_watermark(ft, "one");
	/* a reader of the old generation still answers, and goes over when it looks */
	FINDS("审核", "0");
	ck_ok(fulltext_reader_refresh(r, fulltext_revision(ft), &err), err);
	FINDS("审核", "");
	FINDS("召回计划", "12");
	FINDS("\"责任到人\"", "1");
	put_sample(ft, 4);
	commit(ft, "two");
	ck_ok(fulltext_reader_refresh(r, fulltext_revision(ft), &err), err);
	FINDS("审核", "4");
	ck_ok(fulltext_compact(ft, &err), err);
	fulltext_freep(&ft);
	ft = open_new(path);
	ck_watermark(ft, "two");
}
END_TEST

START_TEST(readers_follow_a_busy_writer)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	struct err err = ERR_INIT;

	for (unsigned i = 4; i < 40; i++) {
		put_sample(ft, i);
		commit(ft, "");
		if (i % 10 == 0)
			ck_ok(fulltext_compact(ft, &err), err);
		/* never refreshed: many commits behind it gives what it knew, or what is true now
		 */
		struct fulltext_result result =
			run(r, &(struct fulltext_request){
				       .all_scopes = true, .limit = 100, .facets = true });
		ck_assert_uint_ge(result.hit_count, 4);
		fulltext_result_done(&result);
	}
}
END_TEST

START_TEST(rebuild_stops_goes_on_and_replaces)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path), *rebuild = NULL;
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *r = open_reader(path);
	struct fulltext_options o = options();
	struct err err = ERR_INIT;

	o.which = FULLTEXT_REBUILD;
	o.shards = 3;
	ck_ok(fulltext_open(path, &o, &rebuild, &err), err);
	ck_watermark(rebuild, "");
	put_sample(rebuild, 3);
	put_sample(rebuild, 2);
	commit(rebuild, "half");
	put_sample(rebuild, 1);
	fulltext_freep(&rebuild);
	rebuild = NULL;
	FINDS("审核", "0");
	ck_ok(fulltext_compact(ft, &err), err);
	ck_ok(fulltext_reader_refresh(r, 0, &err), err);
	FINDS("审核", "0");

	ck_ok(fulltext_open(path, &o, &rebuild, &err), err);
	ck_watermark(rebuild, "half");
	put_sample(rebuild, 1);
	ck_fails(fulltext_swap_in(rebuild, &err), err, ERR_INVALID);
	commit(rebuild, "whole");
	ck_fails(fulltext_swap_in(rebuild, &err), err, ERR_LOCKED);
	fulltext_freep(&ft);
	ft = NULL;
	ck_ok(fulltext_swap_in(rebuild, &err), err);
	ck_assert_uint_eq(folders(path), 1);
	ck_ok(fulltext_reader_refresh(r, 0, &err), err);
	FINDS("审核", "");
	FINDS("召回计划", "12");
	put_sample(rebuild, 0);
	commit(rebuild, "more");
	fulltext_freep(&rebuild);
	rebuild = NULL;
	ft = open_new(path);
	ck_watermark(ft, "more");

	ck_ok(fulltext_open(path, &o, &rebuild, &err), err);
	fulltext_freep(&rebuild);
	rebuild = NULL;
	ck_assert_uint_eq(folders(path), 2);
	fulltext_freep(&ft);
	ft = NULL;
	ck_ok(fulltext_drop_rebuild(path, &err), err);
	ck_assert_uint_eq(folders(path), 1);
}
END_TEST

static void copy_tree(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct dirent *entry;
	struct err err = ERR_INIT;
	_cleanup_(closep) int out = file_make_dir(AT_FDCWD, to, &err);

	ck_assert(d && out >= 0);
	while ((entry = readdir(d))) {
		struct buf b = BUF_INIT;

		if (entry->d_type == DT_REG) {
			ck_ok(file_read_whole(dirfd(d), entry->d_name, &b, &err), err);
			ck_ok(file_replace(out, entry->d_name, b.p, b.n, &err), err);
		}
		buf_done(&b);
	}
	closedir(d);
}

START_TEST(a_shard_that_missed_a_commit_holds_the_watermark_back)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);
	char shard[4096], kept[4096];
	struct err err = ERR_INIT;

	(void)snprintf(shard, sizeof(shard), "%s/generation-1/shard-1", path);
	(void)snprintf(kept, sizeof(kept), "%s/kept", path);
	fulltext_freep(&ft);
	copy_tree(shard, kept);
	ft = open_new(path);
	for (unsigned i = 4; i < 8; i++)
		put_sample(ft, i);
	commit(ft, "two");
	fulltext_freep(&ft);
	ck_ok(file_remove_tree(AT_FDCWD, shard, &err), err);
	ck_assert_int_eq(rename(kept, shard), 0);

	ft = open_new(path);
	ck_watermark(ft, "one");
	for (unsigned i = 4; i < 8; i++)
		put_sample(ft, i);
	commit(ft, "two");
	uint64_t count;
	ck_ok(fulltext_count(ft, &count, &err), err);
	ck_assert_uint_eq(count, 8);
	ck_watermark(ft, "two");
	put_sample(ft, 8);
	commit(ft, "three");
	fulltext_freep(&ft);
	ft = open_new(path);
	ck_watermark(ft, "three");
}
END_TEST

static size_t files_with(const char *path, struct str needle)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	struct err err = ERR_INIT;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d))) {
		struct buf b = BUF_INIT;
		char below[4096];

		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			(void)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
			n += files_with(below, needle);
		} else if (entry->d_type == DT_REG) {
			ck_ok(file_read_whole(dirfd(d), entry->d_name, &b, &err), err);
			n += memmem(b.p, b.n, needle.p, needle.n) != NULL;
		}
		buf_done(&b);
	}
	closedir(d);
	return n;
}

START_TEST(no_text_is_in_the_files)
{
	static const char *const words[] = { "责任", "召回", "sterilisation", "recal", "sop-012",
		"qms-qc", "20203140123", "13812345678", "qms-only", "〔2023〕201" };
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = filled(path);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		ck_assert_msg(files_with(path, str_of(words[i])) == 0, "'%s' is there", words[i]);
	/* and the search for it works: paths show these */
	ck_assert_uint_gt(files_with(path, STR("程序文件")), 0);
}
END_TEST

static void *ask_for_all(void *context)
{
	struct fulltext_reader *r = open_reader(context);
	const struct fulltext_request request = { .all_scopes = true, .limit = 1 };

	for (int i = 0; i < 2000; i++) {
		struct fulltext_result result = { .hits = NULL };
		struct err err = ERR_INIT;

		ck_ok(fulltext_search(r, &request, &result, &err), err);
		ck_assert_uint_eq(result.count, 4);
		fulltext_result_done(&result);
	}
	fulltext_reader_free(r);
	return NULL;
}

/* Readers share nothing, least of all an object of the library: under a sanitizer for threads this shows. */
START_TEST(everything_is_asked_for_at_once)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = open_new(path);
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < 4; i++)
		put_sample(ft, i);
	ck_ok(fulltext_commit(ft, STR("x"), &err), err);
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, ask_for_all, (void *)(uintptr_t)path), 0);
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

TESTS("search/fulltext", finds_words_phrases_and_numbers, sensitive_values_need_the_right,
	fields_filters_and_dates, ranges_of_days_are_exact, access_rules_hits_counts_and_facets,
	pages_of_a_list_join_without_gap, nothing_is_seen_before_the_commit,
	the_threshold_of_the_environment_does_not_matter, what_the_title_says_comes_first,
	most_of_the_words_come_near, replacing_replaces, one_writer_one_key, damage_is_named,
	limits_of_a_document, compaction_keeps_everything, readers_follow_a_busy_writer,
	rebuild_stops_goes_on_and_replaces, a_shard_that_missed_a_commit_holds_the_watermark_back,
	no_text_is_in_the_files, everything_is_asked_for_at_once)
