/* limits.c - what is refused at the door, and what still goes through: people, names, sizes, forms. */
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(strangers_do_nothing)
{
	struct desk *d = world_desk(world_new());
	struct json *reply;

	say_fails(d, ERR_DENIED, NULL, NULL, 0, "file",
		"{'as':'张三','series':'GEN','department':'运营部','title':'x'}");
	say_fails(d, ERR_DENIED, NULL, NULL, 0, "file",
		"{'as':'u-00099','series':'GEN','department':'运营部','title':'x'}");
	reply = say(d, "account.add", "{'name':'张三'}");
	ck_assert_str_eq(text_at(reply, "id"), "u-00002");
	json_free(reply);
	say_fails(d, ERR_EXISTS, NULL, NULL, 0, "account.add", "{'name':' 张三 '}");
	json_free(say(d, "file", "{'as':'张三','series':'GEN','department':'运营部','title':'x'}"));
	json_free(say(
		d, "file", "{'as':'u-00002','series':'GEN','department':'运营部','title':'x'}"));
	reply = say(d, "log", "{'limit':1}");
	ck_assert_str_eq(text_at(reply, "actions.0.account"), "u-00002");
	ck_assert_str_eq(text_at(reply, "actions.0.name"), "张三");
	ck_assert_int_eq(int_at(reply, "actions.0.uid"), getuid());
	json_free(reply);
	desk_free(d);
}
END_TEST

static void file_named(struct desk *d, int code, const char *name)
{
	int fd = text_fd("x");

	if (code)
		say_fails(d, code, NULL, &fd, 1, "file",
			"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':"
			"'%s'}]}",
			name);
	else
		json_free(say_with(d, &fd, 1, "file",
			"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':"
			"'%s'}]}",
			name));
}

START_TEST(names_of_files)
{
	struct desk *d = world_desk(world_new());
	char longest[256], longer[257];

	memset(longest, 'a', 255);
	longest[255] = 0;
	memset(longer, 'a', 256);
	longer[256] = 0;
	file_named(d, 0, "召回计划（终稿）.docx");
	file_named(d, 0, longest);
	file_named(d, ERR_LIMIT, longer);
	file_named(d, ERR_INVALID, "a\\nb.txt");
	file_named(d, ERR_INVALID, "a\\u202eb.txt");
	file_named(d, ERR_INVALID, "a\\u0007.txt");
	file_named(d, ERR_INVALID, "..");
	file_named(d, ERR_INVALID, "");
	desk_free(d);
}
END_TEST

START_TEST(sizes_of_parts)
{
	struct desk *d = world_desk(world_new());
	char bytes[2049] = { 0 };
	int fds[3];

	json_free(say(d, "config.set", "{'name':'parts.max_bytes','value':'2048'}"));
	json_free(say(d, "config.set", "{'name':'parts.max_count','value':'2'}"));
	fds[0] = bytes_fd(bytes, 2049);
	say_fails(d, ERR_LIMIT, NULL, fds, 1, "file",
		"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a'}]}");
	for (int i = 0; i < 3; i++)
		fds[i] = bytes_fd(bytes, 2048);
	say_fails(d, ERR_LIMIT, NULL, fds, 3, "file",
		"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a'},"
		"{'fd':1,'name':'b'},{'fd':2,'name':'c'}]}");
	for (int i = 0; i < 2; i++)
		fds[i] = bytes_fd(bytes, 2048);
	json_free(say_with(d, fds, 2, "file",
		"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a'},{'"
		"fd':1,'name':'b'}]}"));
	desk_free(d);
}
END_TEST

START_TEST(pipes)
{
	struct desk *d = world_desk(world_new());
	struct json *reply;
	_cleanup_(buf_done) struct buf bytes = BUF_INIT;
	const char *number;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "through a pipe", 14), 14);
	(void)close(ends[1]);
	reply = say_with(d, ends, 1, "file",
		"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a.txt'}"
		"]}");
	number = text_at(reply, "number");
	json_free(reply);
	get_part(d, number, "a.txt", &bytes);
	ck_assert_str_eq(bytes.p, "through a pipe");
	/* One that ends before the size it promised. */
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	(void)close(ends[1]);
	say_fails(d, ERR_INVALID, NULL, ends, 1, "file",
		"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a.txt',"
		"'size':2}]}");
	desk_free(d);
}
END_TEST

START_TEST(forms)
{
	struct desk *d = world_desk(world_new());
	struct json *reply;

	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "file", "{'series':'NONE','title':'t'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file", "{'series':'GEN','title':'t'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'QR-QC-001','department':'人事部','title':'t'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'QR-QC-001','department':'运营部','title':'t'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'GEN','department':'运营部','title':'t','fields':{'nonsense':'x'}}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'GEN','department':'运营部','title':'t','fields':{'record_date':'2025-"
		"02-30'}}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'GEN','department':'运营部','title':'a\\nb'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'GEN','department':'../x','title':'t'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'GEN','department':'运营部','title':'t','x':1}");
	reply = say(d, "file",
		"{'series':'DOC','department':'质量管理部','title':'灭菌过程控制程序','fields':{'"
		"type':'程序文件',"
		"'version':'1.0','approval_date':'2025-03-01'}}");
	ck_assert_str_eq(text_at(reply, "number"), "QMS-QC-CX-2025-01-V1.0");
	json_free(reply);
	reply = say(d, "file",
		"{'series':'DOC','department':'质量管理部','title':'灭菌过程控制程序','number':'"
		"QMS-QC-CX-2025-V1.0',"
		"'fields':{'type':'procedure','version':'1.0'}}");
	ck_assert_str_eq(text_at(reply, "number"), "QMS-QC-CX-2025-V1.0");
	json_free(reply);
	say_fails(d, ERR_EXISTS, NULL, NULL, 0, "file",
		"{'series':'DOC','department':'质量管理部','title':'x','number':'QMS-QC-CX-2025-V1."
		"0',"
		"'fields':{'type':'procedure','version':'1.0'}}");
	desk_free(d);
}
END_TEST

START_TEST(a_request_is_answered_once)
{
	struct desk *d = world_desk(world_new());
	struct json *one, *two;
	const char *number;

	one = say(
		d, "file", "{'series':'GEN','department':'运营部','title':'t','request':'key 1'}");
	two = say(
		d, "file", "{'series':'GEN','department':'运营部','title':'t','request':'key 1'}");
	number = text_at(one, "number");
	ck_assert(!bool_at(one, "existing"));
	ck_assert(bool_at(two, "existing"));
	ck_assert_str_eq(text_at(one, "number"), text_at(two, "number"));
	ck_assert_str_eq(text_at(one, "record"), text_at(two, "record"));
	json_free(one);
	json_free(two);
	one = say(d, "revise", "{'number':'%s','base':1,'title':'u','request':'key 2'}", number);
	two = say(d, "revise", "{'number':'%s','base':1,'title':'u','request':'key 2'}", number);
	ck_assert(!bool_at(one, "existing"));
	ck_assert(bool_at(two, "existing"));
	ck_assert_int_eq(int_at(two, "version"), 2);
	json_free(one);
	json_free(two);
	desk_free(d);
}
END_TEST

/* Whatever is given again as it stands: no version comes of it, nor of a reason alone. */
START_TEST(a_revision_changes_something)
{
	static const char *const nothing[] = { "", "'title':'t'", "'fields':{'responsible':'李雷'}",
		"'department':'运营部','date':'2025-03-04','reason':'again'",
		"'parts':[{'fd':0,'name':'a.txt'}]" };
	static const char *const something[] = { "'title':'u'", "'fields':{'responsible':''}",
		"'date':'2025-03-05'", "'parts':[{'fd':0,'name':'b.txt'}]", "'remove':['a.txt']" };
	struct desk *d = world_desk(world_new());
	int fd = text_fd("one");
	struct json *reply;

	json_free(say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'t','number':'一','date':'2025-03-"
		"04','"
		"fields':{'responsible':'李雷'},'parts':[{'fd':0,'name':'a.txt'}]}"));
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		fd = text_fd("one");
		say_fails(d, ERR_INVALID, NULL, &fd, 1, "revise", "{'number':'一','base':1%s%s}",
			*nothing[i] ? "," : "", nothing[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(something); i++) {
		fd = text_fd("one");
		reply = say_with(
			d, &fd, 1, "revise", "{'number':'一','base':%zu,%s}", i + 1, something[i]);
		ck_assert_int_eq(int_at(reply, "version"), (int)i + 2);
		json_free(reply);
	}
	desk_free(d);
}
END_TEST

START_TEST(a_list_is_of_records)
{
	struct desk *d = world_desk(world_new());
	struct json *reply;

	for (int i = 0; i < 5; i++)
		json_free(say(d, "file",
			"{'series':'GEN','department':'运营部','title':'t','number':'甲 %d'}", i));
	reply = say(d, "list", "{'order':'number','limit':2}");
	ck_assert_int_eq(int_at(reply, "count"), 5);
	ck_assert_str_eq(text_at(reply, "next.number"), "甲 1");
	json_free(reply);
	reply = say(d, "list", "{'order':'number','limit':2,'after':'甲 1'}");
	ck_assert_str_eq(text_at(reply, "rows.0.number"), "甲 2");
	json_free(reply);
	reply = say(d, "list", "{'order':'newest','after':'甲 3'}");
	ck_assert_str_eq(text_at(reply, "rows.0.number"), "甲 2");
	ck_assert_uint_eq(count_at(reply, "rows"), 3);
	json_free(reply);
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "list", "{'after':'乙'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "list", "{'after':7}");
	reply = say(d, "list", "{'all':true,'limit':1000}");
	ck_assert_int_gt(int_at(reply, "count"), 10);
	json_free(reply);
	reply = say(d, "list", "{'series':'ACC'}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	json_free(reply);
	desk_free(d);
}
END_TEST

START_TEST(a_definition_is_revised)
{
	static const char yaml[] =
		"series: T-1\ntitle: {zh: 试验门类, en: Trial}\nnumber: \"T-{date}-{serial:2}\"\n"
		"departments: any\nretention: [R-GEN]\nsensitivity: internal\nfields:\n"
		"  a:\n    label: {zh: 甲, en: A}\n    type: text\n%s";
	struct desk *d = world_desk(world_new());
	struct json *reply;
	char text[1024];
	int fd;

	(void)snprintf(text, sizeof(text), yaml, "");
	fd = text_fd(text);
	reply = say_with(d, &fd, 1, "series.add", "{}");
	ck_assert(bool_at(reply, "changed"));
	ck_assert_str_eq(text_at(reply, "number"), "DEF-T-1");
	json_free(reply);
	json_free(say(d, "file",
		"{'series':'T-1','department':'运营部','title':'t','date':'2025-01-02','fields':{'"
		"a':'x'}}"));
	fd = text_fd(text);
	reply = say_with(d, &fd, 1, "series.add", "{}");
	ck_assert(!bool_at(reply, "changed"));
	json_free(reply);
	(void)snprintf(text, sizeof(text), yaml, "    required: true\n");
	fd = text_fd(text);
	reply = say_with(d, &fd, 1, "series.add", "{'reason':'甲为必填'}");
	ck_assert_int_eq(int_at(reply, "version"), 2);
	json_free(reply);
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "file",
		"{'series':'试验门类','department':'运营部','title':'t'}");
	/* What was filed under the older one is read under it. */
	reply = say(d, "show", "{'number':'T-20250102-01'}");
	ck_assert_str_eq(text_at(reply, "fields.0.name"), "a");
	json_free(reply);
	say_fails(d, ERR_DENIED, NULL, NULL, 0, "file",
		"{'series':'ACC','department':'档案系统','title':'李华','fields':{'name':'李华','"
		"state':'active'}}");
	say_fails(d, ERR_DENIED, NULL, NULL, 0, "revise",
		"{'number':'DEF-T-1','base':2,'title':'x'}");
	fd = text_fd("series: [");
	say_fails(d, ERR_INVALID, NULL, &fd, 1, "series.add", "{}");
	desk_free(d);
}
END_TEST

START_TEST(settings_are_kept)
{
	const char *path = world_new();
	struct desk *d = world_desk(path);
	struct json *reply;

	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "config.get", "{'name':'nonsense'}");
	say_fails(
		d, ERR_INVALID, NULL, NULL, 0, "config.set", "{'name':'log.level','value':'loud'}");
	say_fails(d, ERR_LIMIT, NULL, NULL, 0, "config.set",
		"{'name':'extract.workers','value':'33'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "config.set",
		"{'name':'extract.workers','value':'0'}");
	json_free(say(d, "config.set", "{'name':'extract.workers','value':'32'}"));
	json_free(say(d, "config.set", "{'name':'filing.department','value':'质量\\\"管理部'}"));
	desk_free(d);
	d = world_desk(path);
	reply = say(d, "config.get", "{'name':'extract.workers'}");
	ck_assert_str_eq(text_at(reply, "value"), "32");
	json_free(reply);
	reply = say(d, "config.get", "{'name':'filing.department'}");
	ck_assert_str_eq(text_at(reply, "value"), "质量\"管理部");
	json_free(reply);
	reply = say(d, "config.list", "{}");
	ck_assert_uint_ge(count_at(reply, "settings"), 15);
	json_free(reply);
	desk_free(d);
}
END_TEST

TESTS("archive limits", strangers_do_nothing, names_of_files, sizes_of_parts, pipes, forms,
	a_request_is_answered_once, a_revision_changes_something, a_list_is_of_records,
	a_definition_is_revised, settings_are_kept)
