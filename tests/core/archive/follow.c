/* follow.c - imports, and what follows the store: registry, index, text cache. Deleted, interrupted,
 * rebuilt: they say the same. */
#include "core/archive/inside.h"
#include "core/base/file.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DOCUMENTS = 30 };

/* A document that has its own word and shares others. */
static int document_fd(int i)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"第%d号 监督检查通报\n责任到人。\nSOP-%03d 灭菌 sterilisation\n安市监函〔2023〕%d "
		"号\n词%c%c\n",
		i, i, 200 + i, 'a' + i % 26, 'a' + i / 26);
	return text_fd(text);
}

/* Import documents from..to-1 as one batch. */
static struct json *import(struct desk *d, int from, int to, const char *more)
{
	_cleanup_(buf_done) struct buf args = BUF_INIT;
	int fds[DOCUMENTS + 2];
	struct json *reply;

	buf_addf(&args, "{%s'department':'合规部','documents':[", more);
	for (int i = from; i < to; i++) {
		fds[i - from] = document_fd(i);
		buf_addf(&args, "%s{'fd':%d,'name':'document-%d.txt','date':'2025-0%d-1%d'}",
			i > from ? "," : "", i - from, i, 1 + i % 9, i % 10);
	}
	buf_adds(&args, "]}");
	reply = say_with(d, fds, (size_t)(to - from), "file.batch", "%s", args.p);
	return reply;
}

/* Every list and a number of searches, as one text. Times are taken out: they are no part of the answer. */
static char *everything(struct desk *d)
{
	static const char *const questions[][2] = {
		{ "list", "{'limit':1000,'order':'filed'}" },
		{ "list", "{'limit':1000,'order':'newest'}" },
		{ "list", "{'limit':1000,'order':'number','series':'EXT'}" },
		{ "list", "{'limit':7,'order':'oldest','department':'合规部'}" },
		{ "account.list", "{}" },
		{ "series.list", "{}" },
		{ "search", "{'query':'监督检查','limit':100,'facets':true}" },
		{ "search", "{'query':'\\\"责任到人\\\"','order':'newest','limit':100}" },
		{ "search", "{'query':'SOP-012灭菌','limit':100}" },
		{ "search", "{'query':'安市监函〔2023〕205 号'}" },
		{ "search", "{'query':'title:document','order':'oldest','limit':5,'offset':3}" },
		{ "search", "{'query':'门类:外来文件 "
			    "date:2025-03..2025-05','limit':100,'order':'oldest'}" },
		{ "search", "{'query':'','limit':0,'facets':true}" },
	};
	_cleanup_(buf_done) struct buf all = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		struct json *reply = say(d, questions[i][0], "%s", questions[i][1]);
		_cleanup_(buf_done) struct buf one = BUF_INIT;
		char *took;

		ck_assert_int_eq(json_add_canonical(&one, reply, NULL), 0);
		took = strstr(one.p, "\"took_us\"");
		if (took)
			*took = 0;
		buf_addf(&all, "%s %s: %s\n", questions[i][0], questions[i][1], one.p);
		json_free(reply);
	}
	return buf_detach(&all);
}

static void same(char *before, char *after)
{
	size_t i = 0;

	while (before[i] && before[i] == after[i])
		i++;
	if (before[i] != after[i])
		ck_abort_msg("from byte %zu on: %.300s\nnow: %.300s", i,
			before + (i > 60 ? i - 60 : 0), after + (i > 60 ? i - 60 : 0));
	free(before);
	free(after);
}

static uint64_t indexed(struct desk *d)
{
	struct json *reply;
	uint64_t n;

	/* A search waits until all that was filed can be found. */
	json_free(say(d, "search", "{'query':'x'}"));
	reply = say(d, "status", "{}");
	n = (uint64_t)int_at(reply, "indexed");
	json_free(reply);
	return n;
}

START_TEST(an_import_files_nothing_twice)
{
	const char *path = world_new();
	struct desk *d = world_desk(path);
	struct json *reply = import(d, 0, 10, "");

	ck_assert_int_eq(int_at(reply, "filed"), 10);
	ck_assert_str_eq(text_at(reply, "results.0.number"), "外来文件-20250110-0001");
	json_free(reply);
	/* Interrupted after ten of twenty: the same again, all twenty; a copy with another name is the same content. */
	desk_free(d);
	d = world_desk(path);
	reply = import(d, 0, 20, "");
	ck_assert_int_eq(int_at(reply, "filed"), 10);
	ck_assert_int_eq(int_at(reply, "existing"), 10);
	ck_assert_str_eq(text_at(reply, "results.0.outcome"), "existing");
	ck_assert_str_eq(text_at(reply, "results.0.number"), "外来文件-20250110-0001");
	ck_assert_str_eq(text_at(reply, "results.19.outcome"), "filed");
	json_free(reply);
	reply = import(d, 0, 20, "'allow_copies':true,");
	ck_assert_int_eq(int_at(reply, "filed"), 20);
	json_free(reply);
	/* The same content twice in one batch. */
	{
		int fds[2] = { document_fd(25), document_fd(25) };

		reply = say_with(d, fds, 2, "file.batch",
			"{'department':'合规部','documents':[{'fd':0,'name':'a.txt'},{'fd':1,'name'"
			":'b.txt'}]}");
		ck_assert_int_eq(int_at(reply, "filed"), 1);
		ck_assert_str_eq(
			text_at(reply, "results.0.number"), text_at(reply, "results.1.number"));
		ck_assert_str_eq(
			text_at(reply, "results.0.record"), text_at(reply, "results.1.record"));
		json_free(reply);
	}
	ck_assert_uint_eq(indexed(d), 41);
	desk_free(d);
}
END_TEST

START_TEST(an_index_that_does_not_follow_is_made_up_for)
{
	const char *path = world_new();
	struct desk *d = world_desk(path);
	struct json *reply;

	json_free(say(d, "config.set", "{'name':'index.follow','value':'false'}"));
	desk_free(d);
	d = world_desk(path);
	json_free(import(d, 0, 5, ""));
	reply = say(d, "list", "{'series':'EXT'}");
	ck_assert_uint_eq(count_at(reply, "rows"), 5);
	json_free(reply);
	reply = say(d, "search", "{'query':'责任到人'}");
	ck_assert_int_eq(int_at(reply, "count"), 0);
	json_free(reply);
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "reindex", "{}");
	json_free(say(d, "config.set", "{'name':'index.follow','value':'true'}"));
	desk_free(d);
	d = world_desk(path);
	reply = say(d, "search", "{'query':'责任到人'}");
	ck_assert_int_eq(int_at(reply, "count"), 5);
	json_free(reply);
	desk_free(d);
}
END_TEST

START_TEST(one_bad_document_stops_nobody)
{
	struct desk *d = world_desk(world_new());
	int fds[5] = { document_fd(0), document_fd(1), document_fd(2), text_fd(""),
		document_fd(3) };
	struct json *reply = say_with(d, fds, 5, "file.batch",
		"{'series':'GEN','department':'合规部','documents':[{'fd':0,'name':'a.txt','number'"
		":'甲-1'},"
		"{'fd':1,'name':'x\\u202e.txt'},{'fd':2,'name':'c.txt','number':'甲-1'},{'fd':3,'"
		"name':'empty.txt'},"
		"{'fd':4,'name':'d.txt'}]}");

	ck_assert_int_eq(int_at(reply, "filed"), 3);
	ck_assert_int_eq(int_at(reply, "refused"), 2);
	ck_assert_str_eq(text_at(reply, "results.0.number"), "甲-1");
	ck_assert_str_eq(text_at(reply, "results.1.code"), "invalid");
	ck_assert_str_eq(text_at(reply, "results.2.code"), "exists");
	ck_assert_str_eq(text_at(reply, "results.3.outcome"), "filed");
	json_free(reply);
	desk_free(d);
}
END_TEST

/* Said once, not once for every document. */
START_TEST(a_batch_needs_a_department)
{
	struct desk *d = world_desk(world_new());
	int fds[2] = { document_fd(0), document_fd(1) };

	say_fails(d, ERR_INVALID, NULL, fds, 1, "file.batch",
		"{'documents':[{'fd':0,'name':'a.txt'}]}");
	json_free(say(d, "config.set", "{'name':'filing.department','value':'合规部'}"));
	json_free(say_with(d, fds + 1, 1, "file.batch", "{'documents':[{'fd':0,'name':'b.txt'}]}"));
	desk_free(d);
}
END_TEST

START_TEST(reindex_changes_no_answer)
{
	struct desk *d = world_desk(world_new());
	struct json *reply;
	char *before;

	json_free(import(d, 0, DOCUMENTS, ""));
	json_free(say(d, "revise",
		"{'number':'外来文件-20250110-0001','base':1,'title':'document 修订'}"));
	before = everything(d);
	ck_assert_ptr_nonnull(strstr(before, "【"));
	reply = say(d, "reindex", "{}");
	ck_assert_int_eq(int_at(reply, "documents"), DOCUMENTS);
	ck_assert(!bool_at(reply, "resumed"));
	json_free(reply);
	same(strdup(before), everything(d));
	json_free(say(d, "reindex", "{'text':true}"));
	same(strdup(before), everything(d));
	json_free(say(d, "compact", "{}"));
	same(before, everything(d));
	reply = say(d, "verify", "{'level':'full'}");
	if (!bool_at(reply, "good"))
		ck_abort_msg("%s: %s", text_at(reply, "findings.0.where"),
			text_at(reply, "findings.0.text"));
	json_free(reply);
	desk_free(d);
}
END_TEST

START_TEST(deleted_by_hand)
{
	const char *path = world_new();
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, NULL);
	struct desk *d = world_desk(path);
	struct err err = ERR_INIT;
	char *before;

	json_free(import(d, 0, DOCUMENTS, ""));
	before = everything(d);
	desk_free(d);
	ck_ok(file_remove_tree(dir, "derived", &err), err);
	d = world_desk(path);
	same(strdup(before), everything(d));
	desk_free(d);
	ck_ok(file_remove_tree(dir, "derived", &err), err);
	ck_ok(file_remove_tree(dir, "cache", &err), err);
	d = world_desk(path);
	same(strdup(before), everything(d));
	desk_free(d);
	/* Rubbish instead of the registry and the index is as good as nothing. */
	ck_ok(file_replace(dir, "derived/" ARCHIVE_REGISTRY, "rubbish", 7, &err), err);
	ck_ok(file_unlink(dir, "derived/" ARCHIVE_REGISTRY "-wal", &err), err);
	ck_ok(file_replace(dir, "derived/" ARCHIVE_INDEX "/current", "rubbish", 7, &err), err);
	d = world_desk(path);
	same(before, everything(d));
	desk_free(d);
}
END_TEST

/* A copy of the folder, taken while everything runs, is what a crash leaves: each follower goes on from its
 * own watermark. */
START_TEST(followers_resume_after_a_crash)
{
	const char *path = world_new();
	struct desk *d = world_desk(path), *e;
	const char *copies[3];
	char *after;
	struct json *reply;

	for (int i = 0; i < 3; i++) {
		json_free(import(d, 10 * i, 10 * i + 10, ""));
		copies[i] = world_copy(path);
	}
	after = everything(d);
	desk_free(d);
	for (int i = 0; i < 3; i++) {
		e = world_desk(copies[i]);
		/* What was filed before the crash is there; the rest is filed again, and only the rest. */
		reply = import(e, 0, 30, "");
		ck_assert_int_eq(int_at(reply, "existing"), 10 * (i + 1));
		ck_assert_int_eq(int_at(reply, "filed"), 30 - 10 * (i + 1));
		json_free(reply);
		reply = say(e, "search", "{'query':'责任到人','limit':100}");
		ck_assert_int_eq(int_at(reply, "count"), 30);
		json_free(reply);
		reply = say(e, "verify", "{'level':'full'}");
		ck_assert(bool_at(reply, "good"));
		json_free(reply);
		desk_free(e);
	}
	free(after);
}
END_TEST

static int stop_at_once(void *context, const struct verb_progress *p)
{
	int *calls = context;

	(void)p;
	return ++*calls >= 2;
}

START_TEST(a_reindex_that_was_stopped)
{
	struct desk *d = world_desk(world_new());
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	char *before;
	int calls = 0, r;

	json_free(import(d, 0, DOCUMENTS, ""));
	before = everything(d);
	r = desk_call(
		d, "reindex", STR("{\"text\":true}"), NULL, 0, stop_at_once, &calls, &reply, &err);
	json_free(reply);
	if (r < 0)
		ck_fails(r, err, ERR_CANCELLED);
	same(strdup(before), everything(d));
	json_free(say(d, "reindex", "{}"));
	same(before, everything(d));
	desk_free(d);
}
END_TEST

START_TEST(texts_are_read_in_the_jail)
{
	struct desk *d = world_desk(world_new());
	int fd = text_fd("%PDF-1.7\nbroken"), out, kept;
	struct json *reply = say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'坏文件','parts':[{'fd':0,'name':'"
		"broken.pdf'}]}");
	const char *number = text_at(reply, "number");
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	json_free(reply);
	reply = say(d, "search", "{'query':'坏文件'}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	json_free(reply);
	reply = say(d, "show", "{'number':'%s'}", number);
	ck_assert_str_ne(text_at(reply, "parts.0.text.reason"), "ok");
	ck_assert_ptr_nonnull(text_at(reply, "parts.0.text.sentence"));
	json_free(reply);
	json_free(import(d, 3, 4, ""));
	json_free(say(d, "search", "{'query':'x'}"));
	out = bytes_fd("", 0);
	kept = dup(out);
	reply = say_with(d, &out, 1, "text", "{'number':'外来文件-20250413-0001'}");
	ck_assert_str_eq(text_at(reply, "reason"), "ok");
	json_free(reply);
	read_fd(kept, &text);
	ck_assert_ptr_nonnull(strstr(text.p, "责任到人"));
	desk_free(d);
}
END_TEST

TESTS("archive follow", an_index_that_does_not_follow_is_made_up_for, an_import_files_nothing_twice,
	one_bad_document_stops_nobody, a_batch_needs_a_department, reindex_changes_no_answer,
	deleted_by_hand, followers_resume_after_a_crash, a_reindex_that_was_stopped,
	texts_are_read_in_the_jail)
