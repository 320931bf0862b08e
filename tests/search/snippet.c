/* Snippets: the right place on the right page, marked, masked, in one line of the right width. */
#include "tests/harness.h"

#include "core/base/text.h"
#include "search/sensitive.h"
#include "search/snippet.h"

static struct query *parsed(const char *text)
{
	struct query *q = NULL;
	struct err err = ERR_INIT;

	ck_ok(query_parse(str_of(text), &q, &err), err);
	return q;
}

static const struct snippet_options plain = {
	.columns = 40, .start = { "[", 1 }, .end = { "]", 1 }
};

static void check(const char *query, struct snippet_options options, const char *const *texts,
	size_t count, uint32_t page, const char *expected)
{
	_cleanup_(query_freep) struct query *q = parsed(query);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct snippet_page pages[8];
	uint32_t found_page;
	size_t index;
	bool met;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < count; i++)
		pages[i] = (struct snippet_page){ (uint32_t)i + 1, str_of(texts[i]) };
	ck_ok(snippet_make(q, pages, count, &options, &b, &found_page, &index, &met, &err), err);
	ck_assert_str_eq(b.p, expected);
	ck_assert_uint_eq(found_page, page);
	if (page > 0)
		ck_assert_uint_eq(index, page - 1);
}

#define SNIPPET(query, text, expected) \
	check(query, plain, (const char *const[]){ text }, 1, 1, expected)

START_TEST(marks_what_was_found)
{
	SNIPPET("召回", "医疗器械召回。", "医疗器械[召回]。");
	/* Pieces of a word say nothing where the word stands whole. */
	SNIPPET("召回计划", "召回计划，计划", "[召回计划]，计划");
	SNIPPET("召回计划", "召回，计划，回计", "[召回]，[计划]，[回计]");
	SNIPPET("召回计划 计划", "召回计划，计划", "[召回计划]，[计划]");
	SNIPPET("召", "召回", "[召]回");
	SNIPPET("recall", "We recalled it; RECALLING.", "We [recalled] it; [RECALLING].");
	SNIPPET("\"recall plan\"", "recall a recall plan", "recall a [recall plan]");
	SNIPPET("“不移动、不拆托”", "产品不移动，不拆托。", "产品[不移动，不拆托]。");
	SNIPPET("and/or", "R&D and/or QA", "R&D [and/or] QA");
	SNIPPET("“责任到人”", "责任人，责任到人", "责任人，[责任到人]");
	SNIPPET("SOP-012", "见ＳＯＰ－０１２灭菌", "见[ＳＯＰ－０１２]灭菌");
	SNIPPET("SOP*", "见SOP-012", "见[SOP-012]");
	SNIPPET("监函〔2023〕201号", "依据监函[2023] 201 号。", "依据[监函[2023] 201 号]。");
	SNIPPET("国械注准20203140123", "（国械注准20203140123）", "（[国械注准20203140123]）");
	SNIPPET("title:召回 -计划", "召回计划", "[召回]计划");
	SNIPPET("部门:质量部", "质量部", "质量部");
}
END_TEST

START_TEST(chooses_the_place_where_most_is_met)
{
	SNIPPET("alpha beta",
		"alpha one two three four five six seven eight nine ten eleven twelve alpha beta "
		"thirteen fourteen fifteen sixteen",
		"…twelve [alpha beta] thirteen fourteen…");
	check("召回 计划", plain,
		(const char *const[]){
			"  \n", "这里只有召回一个词", "这里有召回也有计划", "召回计划" },
		4, 3, "这里有[召回]也有[计划]");
	check("nothing", plain, (const char *const[]){ " \n\t", "第二页\n的开头" }, 2, 2,
		"第二页 的开头");
	/* The ways of writing a code are one thing: the place with both words is better. */
	check("SOP-012 召回", plain, (const char *const[]){ "SOP-012，SOP012", "SOP012 和召回" }, 2,
		2, "[SOP012] 和[召回]");
	check("nothing", plain, (const char *const[]){ " " }, 1, 0, "");
	check("nothing", plain, NULL, 0, 0, "");
}
END_TEST

START_TEST(is_one_line_of_the_right_width)
{
	SNIPPET("计划",
		"第一章 "
		"总则\n第一条　为了加强管理，制定本规定。企业应当制定召回\n计划，并且明确责任，逐级"
		"落实到每一个人。",
		"…制定召回[计划]，并且明确责任，逐级落实到每…");
	/* The heading is longer, but many lines are as long as these. */
	SNIPPET("梳理",
		"关于开展医疗器械质量安全专项整治和监督检查工作的通知（摘录本）\n"
		"组织风险会商，建立风险清单责任制和销号\n制，对监督检查、监督抽检、不良事件监测、\n"
		"网络销售监测、投诉举报、舆情监测等工作\n中发现的风险信息及时梳理，责任到人，及时\n"
		"处置、逐一销号。\n",
		"…信息及时[梳理]，责任到人，及时处置、逐一销…");
	SNIPPET("word", "a  b\tc   word", "a b c [word]");
	/* A line that ends before it is full is a paragraph, a cell, an item. */
	SNIPPET("word", "a b\nc   word", "…c [word]");
	SNIPPET("计划", "编号\r\n召回\t计划\n批号\t二", "…召回 [计划] 批号 二");
	SNIPPET("计划", "召 回 计 划", "召 回 [计 划]");
	SNIPPET("safe",
		"un\xe2\x80\xae"
		"safe\x1b[31m safe \xff\xfe end",
		"…safe[31m [safe] end");

	_cleanup_(query_freep) struct query *q = parsed("召回");
	_cleanup_(buf_done) struct buf text = BUF_INIT, b = BUF_INIT;
	struct snippet_options options = { .columns = 31 };
	struct snippet_page page = { 7, { NULL, 0 } };
	uint32_t number;
	size_t index;
	bool met;
	struct err err = ERR_INIT;

	for (int i = 0; i < 5000; i++)
		buf_adds(&text, "企业 ABC 应当");
	buf_adds(&text, "召回");
	for (int i = 0; i < 5000; i++)
		buf_adds(&text, "企业 ABC 应当");
	page.text = buf_str(&text);
	ck_ok(snippet_make(q, &page, 1, &options, &b, &number, &index, &met, &err), err);
	ck_assert_uint_eq(number, 7);
	ck_assert_ptr_nonnull(strstr(b.p, "召回"));
	ck_assert(str_is_utf8(buf_str(&b)));
	ck_assert_uint_ge(text_width(buf_str(&b)), 28);
	ck_assert_uint_le(text_width(buf_str(&b)), 33);
}
END_TEST

START_TEST(html_is_escaped_but_marks_are_not)
{
	struct snippet_options html = {
		.start = STR("<mark>"), .end = STR("</mark>"), .html = true
	};

	check("bc", html, (const char *const[]){ "<a&\"bc\">" }, 1, 1,
		"&lt;a&amp;&quot;<mark>bc</mark>&quot;&gt;");
}
END_TEST

START_TEST(sensitive_numbers_are_masked)
{
	struct snippet_options unmask = plain;

	unmask.unmask = true;
	SNIPPET("电话", "电话13812345678，110105 19491231 002X",
		"[电话]138****5678，1101**********002X");
	SNIPPET("电话", "电话１３８－１２３４－５６７８", "[电话]138****5678");
	check("13812345678", unmask, (const char *const[]){ "电话13812345678" }, 1, 1,
		"电话[13812345678]");
	check("13812345678", plain, (const char *const[]){ "电话13812345678" }, 1, 1,
		"电话[138****5678]");
	/* a line that would begin or end inside the number does not show half of it */
	struct snippet_options narrow = plain;
	narrow.columns = 12;
	check("xyz", narrow, (const char *const[]){ "13812345678xyz" }, 1, 1, "…[xyz]");
	check("abc", narrow, (const char *const[]){ "abc 13812345678" }, 1, 1, "[abc]…");
}
END_TEST

START_TEST(masking_whole_texts)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(sensitive_mask(STR("a 13812345678 b 13812345678。"), &b, &err), err);
	ck_assert_str_eq(b.p, "a 138****5678 b 138****5678。");
}
END_TEST

START_TEST(titles_are_marked_whole)
{
	_cleanup_(query_freep) struct query *q = parsed("title:召回 电话");
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(snippet_mark(q, STR("器械召回 13812345678"), &plain, &b, &err), err);
	ck_assert_str_eq(b.p, "器械[召回] 138****5678");
	buf_reset(&b);
	ck_ok(snippet_mark(NULL, STR("器械召回"), &plain, &b, &err), err);
	ck_assert_str_eq(b.p, "器械召回");
}
END_TEST

TESTS("search/snippet", marks_what_was_found, chooses_the_place_where_most_is_met,
	is_one_line_of_the_right_width, html_is_escaped_but_marks_are_not,
	sensitive_numbers_are_masked, masking_whole_texts, titles_are_marked_whole)
