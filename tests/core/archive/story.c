/* story.c - the path of a newcomer, through the verbs: make an archive, file, find, read, revise, prove. */
#include "core/base/hash.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PLAN \
	"医疗器械召回计划\n第一条 质量管理部负责召回计划的制定，责任到人。\nSOP-012灭菌 " \
	"procedure\n"

static const char *file_plan(struct desk *d)
{
	int fd = text_fd(PLAN);
	struct json *reply = say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'质量管理部','title':'召回工作记录','date':'2025-05-"
		"20',"
		"'fields':{'responsible':'李华'},'parts':[{'fd':0,'name':'plan.txt'}],'reason':'"
		"归档'}");
	const char *number = text_at(reply, "number");

	ck_assert_int_eq(int_at(reply, "version"), 1);
	ck_assert(!bool_at(reply, "existing"));
	json_free(reply);
	return number;
}

START_TEST(filed_found_read)
{
	struct desk *d = world_desk(world_new());
	const char *number = file_plan(d);
	_cleanup_(buf_done) struct buf bytes = BUF_INIT;
	struct json *reply;

	ck_assert_str_eq(number, "一般质量记录-20250520-0001");
	reply = say(d, "search", "{'query':'召回计划','facets':true}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	ck_assert_str_eq(text_at(reply, "hits.0.number"), number);
	ck_assert_str_eq(text_at(reply, "hits.0.title"), "召回工作记录");
	ck_assert_ptr_nonnull(strstr(text_at(reply, "hits.0.snippet"), "【"));
	ck_assert_str_eq(text_at(reply, "hits.0.part"), "plan.txt");
	ck_assert_str_eq(text_at(reply, "hits.0.type"), "txt");
	ck_assert_uint_ge(count_at(reply, "facets"), 4);
	json_free(reply);

	reply = say(d, "show", "{'number':'%s'}", number);
	ck_assert_str_eq(text_at(reply, "title"), "召回工作记录");
	ck_assert_str_eq(text_at(reply, "name"), OPERATOR);
	ck_assert_str_eq(text_at(reply, "reason"), "归档");
	ck_assert_str_eq(text_at(reply, "fields.0.text"), "李华");
	ck_assert_str_eq(text_at(reply, "parts.0.text.reason"), "ok");
	ck_assert_str_eq(text_at(reply, "history.0.signature"), "good");
	ck_assert_ptr_nonnull(strstr(text_at(reply, "history.0.fingerprint"), "SHA256:"));
	json_free(reply);

	get_part(d, number, "plan.txt", &bytes);
	ck_assert_str_eq(bytes.p, PLAN);
	desk_free(d);
}
END_TEST

START_TEST(revised)
{
	struct desk *d = world_desk(world_new());
	const char *number = file_plan(d);
	struct json *reply, *detail;
	int fd;

	reply = say(d, "revise",
		"{'number':'%s','base':1,'title':'召回工作记录（修订）','reason':'更正题名'}",
		number);
	ck_assert_int_eq(int_at(reply, "version"), 2);
	json_free(reply);
	/* Somebody who saw version 1 only is shown both. */
	say_fails(d, ERR_CONFLICT, &detail, NULL, 0, "revise",
		"{'number':'%s','base':1,'title':'x'}", number);
	ck_assert_str_eq(text_at(detail, "base.title"), "召回工作记录");
	ck_assert_str_eq(text_at(detail, "head.title"), "召回工作记录（修订）");
	json_free(detail);
	fd = text_fd("第二个附件 灭菌记录");
	reply = say_with(d, &fd, 1, "revise",
		"{'number':'%s','base':2,'parts':[{'fd':0,'name':'second.txt'}],'fields':{'"
		"responsible':''}}",
		number);
	ck_assert_int_eq(int_at(reply, "version"), 3);
	json_free(reply);

	reply = say(d, "show", "{'number':'%s','version':1}", number);
	ck_assert_str_eq(text_at(reply, "title"), "召回工作记录");
	ck_assert_uint_eq(count_at(reply, "parts"), 1);
	ck_assert_uint_eq(count_at(reply, "history"), 3);
	for (int i = 0; i < 3; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "history.%d.signature", i);
		ck_assert_str_eq(text_at(reply, path), "good");
	}
	json_free(reply);
	reply = say(d, "log", "{'number':'%s'}", number);
	ck_assert_str_eq(text_at(reply, "versions.0.changes.0.member"), "field");
	ck_assert_str_eq(text_at(reply, "versions.1.changes.0.before"), "召回工作记录");
	json_free(reply);
	reply = say(d, "search", "{'query':'灭菌记录'}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	ck_assert_str_eq(text_at(reply, "hits.0.part"), "second.txt");
	ck_assert_int_eq(int_at(reply, "hits.0.version"), 3);
	json_free(reply);
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "show", "{'number':'%s','version':4}", number);
	desk_free(d);
}
END_TEST

START_TEST(kept_over_a_restart)
{
	const char *path = world_new(), *number;
	struct desk *d = world_desk(path);
	_cleanup_(buf_done) struct buf bytes = BUF_INIT;
	struct json *reply;

	number = file_plan(d);
	desk_free(d);
	d = world_desk(path);
	reply = say(d, "list", "{'series':'GEN'}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	ck_assert_str_eq(text_at(reply, "rows.0.title"), "召回工作记录");
	ck_assert_str_eq(text_at(reply, "rows.0.name"), OPERATOR);
	json_free(reply);
	get_part(d, number, "1", &bytes);
	ck_assert_str_eq(bytes.p, PLAN);
	reply = say(d, "log", "{}");
	ck_assert_str_eq(text_at(reply, "actions.0.act"), "file");
	ck_assert_str_eq(text_at(reply, "actions.0.name"), OPERATOR);
	json_free(reply);
	reply = say(d, "status", "{}");
	ck_assert(!bool_at(reply, "sealed"));
	ck_assert_int_eq(int_at(reply, "lag.index"), 0);
	json_free(reply);
	desk_free(d);
}
END_TEST

START_TEST(large_part_and_ranges)
{
	struct desk *d = world_desk(world_new());
	enum { BYTES = 9 << 20, FROM = (4 << 20) - 10, TO = (4 << 20) + 20 };
	char *big = malloc(BYTES);
	_cleanup_(buf_done) struct buf all = BUF_INIT, range = BUF_INIT;
	struct json *reply;
	const char *number;
	int fd, out, kept;

	ck_assert_ptr_nonnull(big);
	for (size_t i = 0; i < BYTES; i++)
		big[i] = (char)((i * 2654435761u) >> 13);
	fd = bytes_fd(big, BYTES);
	reply = say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'大文件','parts':[{'fd':0,'name':'"
		"big.bin'}]}");
	number = text_at(reply, "number");
	json_free(reply);
	get_part(d, number, "big.bin", &all);
	ck_assert_uint_eq(all.n, BYTES);
	ck_assert_int_eq(memcmp(all.p, big, BYTES), 0);
	out = bytes_fd("", 0);
	kept = dup(out);
	reply = say_with(d, &out, 1, "get", "{'number':'%s','part':'1','from':%d,'to':%d}", number,
		FROM, TO);
	ck_assert_int_eq(int_at(reply, "written"), TO - FROM + 1);
	ck_assert(!bool_at(reply, "complete"));
	json_free(reply);
	read_fd(kept, &range);
	ck_assert_int_eq(memcmp(range.p, big + FROM, TO - FROM + 1), 0);
	free(big);
	desk_free(d);
}
END_TEST

TESTS("archive story", filed_found_read, revised, kept_over_a_restart, large_part_and_ranges)
