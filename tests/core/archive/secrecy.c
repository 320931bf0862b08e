/* secrecy.c - a stolen copy of the folder says nothing: no word of what was filed stands in any file,
 * neither while the archive is in use nor after it was closed; and what was destroyed is gone from all that
 * follows the store. */
#include "core/archive/inside.h"
#include "core/archive/indexer.h"
#include "core/archive/recorder.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>

/* Words that stand in a title, a name, a reason, a field, a file's name, or the text; none of them in what
 * paths show. */
static const char *const words[] = { "不良事件", "灭菌过程", "责任到人", "sterilisation", "SOP-012",
	"附件甲乙", "张晓梅", "13812345678", "补充归档", "陕西省西安市" };

static struct json *file_secrets(struct desk *d)
{
	int fd = text_fd("关于不良事件的报告\n灭菌过程 sterilisation SOP-012 责任到人\n联系人 "
			 "张晓梅 13812345678 陕西省西安市\n");

	return say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'不良事件 "
		"灭菌过程','reason':'补充归档','date':'2025-01-02',"
		"'fields':{'responsible':'张晓梅','description':'责任到人'},'parts':[{'fd':0,'name'"
		":'附件甲乙.txt','note':'SOP-012'}]}");
}

static void nothing_stands(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (stands_anywhere(path, words[i]))
			ck_abort_msg("'%s' stands in a file", words[i]);
	}
	ck_assert(!stands_anywhere(path, OPERATOR));
}

START_TEST(no_word_in_any_file)
{
	const char *path = world_new();
	struct desk *d = world_desk(path);
	struct json *reply;

	json_free(file_secrets(d));
	reply = say(d, "search", "{'query':'责任到人'}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	ck_assert(has(reply, "hits.0.snippet"));
	json_free(reply);
	nothing_stands(path);
	json_free(say(d, "revise",
		"{'number':'一般质量记录-20250102-0001','base':1,'title':'不良事件 灭菌过程 二'}"));
	json_free(say(d, "reindex", "{'text':true}"));
	json_free(say(d, "compact", "{}"));
	json_free(say(d, "checkpoint", "{}"));
	nothing_stands(path);
	desk_free(d);
	nothing_stands(path);
	/* The test itself can find something. */
	ck_assert(stands_anywhere(path, "一般质量记录-20250102-0001"));
}
END_TEST

START_TEST(destroyed_is_gone)
{
	const char *path = world_new();
	_cleanup_(secret_freep) struct secret *one =
		secret_copy(custodian_passphrases[0], strlen(custodian_passphrases[0]));
	_cleanup_(secret_freep) struct secret *two =
		secret_copy(custodian_passphrases[1], strlen(custodian_passphrases[1]));
	struct desk *d = world_desk(path);
	struct json *reply = file_secrets(d);
	const char *number = text_at(reply, "number");
	struct id action = id_random(), record, part;
	struct extracted *text = NULL;
	struct archive *a;
	struct err err = ERR_INIT;

	ck_ok(id_parse(str_of(text_at(reply, "record")), &record, &err), err);
	json_free(reply);
	reply = say(d, "show", "{'number':'%s'}", number);
	ck_ok(id_parse(str_of(text_at(reply, "parts.0.id")), &part, &err), err);
	json_free(reply);
	json_free(
		say(d, "file", "{'series':'GEN','department':'运营部','title':'另一份 不良事件'}"));
	reply = say(d, "search", "{'query':'不良事件'}");
	ck_assert_int_eq(int_at(reply, "count"), 2);
	json_free(reply);
	desk_free(d);

	ck_ok(archive_open(path, ARCHIVE_WRITABLE, &a, &err), err);
	ck_ok(archive_unseal(a, one, two, NULL, &err), err);
	ck_assert_int_eq(textcache_has(a->texts, record.b, part.b, &err), 1);
	ck_ok(store_destroy(a->store, &record, "u-00001", 0, &action, clock_now(), &err), err);
	ck_assert(indexer_catch_up(a, 20000, NULL));
	ck_assert(recorder_catch_up(a, 20000));
	ck_assert_int_eq(textcache_has(a->texts, record.b, part.b, &err), 0);
	(void)text;
	archive_close(a, 10000);

	d = world_desk(path);
	reply = say(d, "search", "{'query':'不良事件'}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	json_free(reply);
	say_fails(d, ERR_DESTROYED, NULL, NULL, 0, "show", "{'number':'%s'}", number);
	reply = say(d, "list", "{'series':'GEN'}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	json_free(reply);
	reply = say(d, "list", "{'series':'GEN','destroyed':true,'order':'filed'}");
	ck_assert_int_eq(int_at(reply, "count"), 2);
	ck_assert_str_eq(text_at(reply, "rows.0.number"), number);
	ck_assert_str_eq(text_at(reply, "rows.0.department"), "运营部");
	ck_assert(bool_at(reply, "rows.0.destroyed"));
	ck_assert(!has(reply, "rows.0.title"));
	json_free(reply);
	json_free(say(d, "reindex", "{}"));
	reply = say(d, "list", "{'series':'GEN','destroyed':true,'order':'filed'}");
	ck_assert_str_eq(text_at(reply, "rows.0.number"), number);
	ck_assert_str_eq(text_at(reply, "rows.0.series"), "GEN");
	json_free(reply);
	reply = say(d, "verify", "{'level':'full'}");
	if (!bool_at(reply, "good"))
		ck_abort_msg("%s: %s", text_at(reply, "findings.0.where"),
			text_at(reply, "findings.0.text"));
	json_free(reply);
	desk_free(d);
}
END_TEST

TESTS("archive secrecy", no_word_in_any_file, destroyed_is_gone)
