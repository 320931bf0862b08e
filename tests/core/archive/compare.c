/* Two versions beside each other, proofs, suggestions. */
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <stdio.h>

static const char *file_text(struct desk *d, const char *text)
{
	int fd = text_fd(text);
	struct json *reply = say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'质量管理部','title':'封口记录','date':'2026-10-13',"
		"'fields':{'责任人':'沈听雨'},'parts':[{'fd':0,'name':'记录.txt'}]}");
	const char *number = text_at(reply, "number");

	json_free(reply);
	return number;
}

static void revise_text(struct desk *d, const char *number, int base, const char *text)
{
	int fd = text_fd(text);

	json_free(say_with(d, &fd, 1, "revise",
		"{'number':'%s','base':%d,'title':'封口记录（修订）','fields':{'责任人':'顾行舟'},"
		"'parts':[{'fd':0,'name':'记录.txt'}],'reason':'更正'}",
		number, base));
}

START_TEST(two_versions)
{
	const char *path = world_new(), *number;
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	struct json *reply;

	number = file_text(d, "第一行\n第二行\n第三行\n第四行\n第五行\n温度 135 度\n第七行\n");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "differences", "{'number':'%s'}", number);
	revise_text(d, number, 1, "第一行\n第二行\n第三行\n第四行\n第五行\n温度 138 度\n第七行\n");
	reply = say(d, "differences", "{'number':'%s'}", number);
	ck_assert_int_eq(int_at(reply, "from"), 1);
	ck_assert_int_eq(int_at(reply, "to"), 2);
	ck_assert_uint_eq(count_at(reply, "fields"), 2);
	ck_assert_str_eq(text_at(reply, "fields.0.member"), "title");
	ck_assert_str_eq(text_at(reply, "fields.1.label"), "Person responsible");
	ck_assert_uint_eq(count_at(reply, "parts"), 1);
	ck_assert_str_eq(text_at(reply, "text.0.part"), "记录.txt");
	ck_assert(bool_at(reply, "text.0.exact"));
	ck_assert_str_eq(text_at(reply, "text.0.hunks.0.op"), "skipped");
	ck_assert_int_eq(int_at(reply, "text.0.hunks.0.count"), 2);
	ck_assert_str_eq(text_at(reply, "text.0.hunks.1.lines.0"), "第三行");
	ck_assert_str_eq(text_at(reply, "text.0.hunks.2.op"), "removed");
	ck_assert_str_eq(text_at(reply, "text.0.hunks.2.lines.0"), "温度 135 度");
	ck_assert_str_eq(text_at(reply, "text.0.hunks.3.op"), "added");
	ck_assert_str_eq(text_at(reply, "text.0.hunks.3.lines.0"), "温度 138 度");
	ck_assert_str_eq(text_at(reply, "text.0.hunks.4.op"), "same");
	json_free(reply);
	/* The other way round, and a version with itself. */
	reply = say(d, "differences", "{'number':'%s','from':2,'to':1}", number);
	ck_assert_str_eq(text_at(reply, "text.0.hunks.2.lines.0"), "温度 138 度");
	json_free(reply);
	reply = say(d, "differences", "{'number':'%s','from':2,'to':2}", number);
	ck_assert_uint_eq(count_at(reply, "fields") + count_at(reply, "text"), 0);
	json_free(reply);
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "differences", "{'number':'%s','to':3}", number);
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "differences", "{'number':'x'}");
}
END_TEST

START_TEST(a_proof_names_what_can_be_checked)
{
	const char *path = world_new(), *number;
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	struct json *first, *second;

	number = file_text(d, "一");
	revise_text(d, number, 1, "二");
	first = say(d, "proof", "{'number':'%s','version':1}", number);
	second = say(d, "proof", "{'number':'%s'}", number);
	ck_assert_int_eq(int_at(second, "version"), 2);
	ck_assert_str_ne(text_at(first, "commit"), text_at(second, "commit"));
	ck_assert_str_eq(text_at(first, "signature"), "good");
	ck_assert_int_eq(int_at(second, "envelope_count"), 2);
	ck_assert_uint_eq(count_at(second, "envelopes"), 2);
	ck_assert_str_ne(
		text_at(second, "envelopes.0.sha256"), text_at(first, "envelopes.0.sha256"));
	ck_assert(count_at(second, "commands") >= 6);
	json_free(first);
	json_free(second);
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "proof", "{'number':'%s','version':3}", number);
}
END_TEST

START_TEST(suggestions_are_what_would_be_found)
{
	const char *path = world_new(), *number;
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	struct json *reply;

	number = file_text(d, "灭菌柜");
	json_free(say(d, "search", "{'query':'封口','fresh':true}"));
	reply = say(d, "suggest", "{'query':'封口'}");
	ck_assert_uint_eq(count_at(reply, "suggestions"), 1);
	ck_assert_str_eq(text_at(reply, "suggestions.0.text"), "封口记录");
	ck_assert_str_eq(text_at(reply, "suggestions.0.kind"), "title");
	json_free(reply);
	reply = say(d, "suggest", "{'query':'%.24s'}", number);
	ck_assert_str_eq(text_at(reply, "suggestions.0.kind"), "number");
	ck_assert_str_eq(text_at(reply, "suggestions.0.text"), number);
	json_free(reply);
	/* Half a query is no mistake. */
	reply = say(d, "suggest", "{'query':'(封口 \\\"记'}");
	ck_assert_uint_eq(count_at(reply, "suggestions"), 0);
	json_free(reply);
	reply = say(d, "suggest", "{'query':'  '}");
	ck_assert_uint_eq(count_at(reply, "suggestions"), 0);
	json_free(reply);
}
END_TEST

TESTS("core/archive/compare", two_versions, a_proof_names_what_can_be_checked,
	suggestions_are_what_would_be_found)
