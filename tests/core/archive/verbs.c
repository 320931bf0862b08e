/* verbs.c - doc/verbs.md says what verb_table says: every verb is there, with what it needs; the request's
 * members that it names are accepted, and no others; the replies have no member that it does not name. */
#include "core/archive/inside.h"
#include "core/base/file.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct buf doc = BUF_INIT;

static void read_doc(void)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct err err = ERR_INIT;

	buf_addf(&path, "%s/doc/verbs.md",
		getenv("MUNIMENT_SOURCE") ? getenv("MUNIMENT_SOURCE") : ".");
	ck_ok(file_read_whole(AT_FDCWD, path.p, &doc, &err), err);
}

/* The row of a verb: | `name` | needs | request | reply | */
struct documented {
	struct str needs, request, reply;
};

static bool find_row(const char *verb, struct documented *ret)
{
	_cleanup_(buf_done) struct buf head = BUF_INIT;
	struct str rest;
	const char *at;

	buf_addf(&head, "\n| `%s` |", verb);
	at = strstr(doc.p, head.p);
	if (!at)
		return false;
	rest = str_of(at + head.n);
	rest = str_cut(&rest, '\n');
	ret->needs = str_trim(str_cut(&rest, '|'));
	ret->request = str_trim(str_cut(&rest, '|'));
	ret->reply = str_trim(str_cut(&rest, '|'));
	return true;
}

static bool mentions(struct str text, const char *word)
{
	return memmem(text.p, text.n, word, strlen(word)) != NULL;
}

START_TEST(every_verb_is_documented)
{
	read_doc();
	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *v = &verb_table[i];
		struct documented d;

		if (!find_row(v->name, &d))
			ck_abort_msg("doc/verbs.md has no row for '%s'", v->name);
		if (mentions(d.needs, "unsealed") !=
				((v->flags & (VERB_UNSEALED | VERB_LEVEL)) != 0) ||
			mentions(d.needs, "writes") != ((v->flags & VERB_WRITES) != 0) ||
			mentions(d.needs, "actor") != ((v->flags & VERB_ACTOR) != 0) ||
			mentions(d.needs, "fd") != (v->fds_max > 0))
			ck_abort_msg("doc/verbs.md: what '%s' needs is not what the table says",
				v->name);
		if (i > 0)
			ck_assert_int_lt(strcmp(verb_table[i - 1].name, v->name), 0);
	}
	buf_done(&doc);
}
END_TEST

/* ---- requests ---- */

static struct archive *open_unsealed(void)
{
	_cleanup_(secret_freep) struct secret *one =
		secret_copy(custodian_passphrases[0], strlen(custodian_passphrases[0]));
	_cleanup_(secret_freep) struct secret *two =
		secret_copy(custodian_passphrases[1], strlen(custodian_passphrases[1]));
	struct archive *a;
	struct err err = ERR_INIT;

	ck_ok(archive_open(world_new(), ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &a, &err), err);
	ck_ok(archive_unseal(a, one, two, NULL, &err), err);
	return a;
}

/* True when the verb refuses the member as one that it does not know. */
static bool is_unknown(struct archive *a, const struct verb *v, struct str member)
{
	_cleanup_(json_freep) struct json *args = NULL;
	_cleanup_(buf_done) struct buf text = BUF_INIT, reply = BUF_INIT;
	struct verb_call call = {
		.caller = { .origin = ACCESS_OWNER }, .reply = &reply, .fd_count = v->fds_min
	};
	struct err err = ERR_INIT;
	int fds[4];

	for (size_t i = 0; i < v->fds_min; i++)
		fds[i] = text_fd("x");
	call.fds = fds;
	buf_addf(&text, "{\"as\":\"%s\",\"%.*s\":null}", OPERATOR, STR_ARG(member));
	ck_ok(json_parse(buf_str(&text), NULL, 0, &args, &err), err);
	call.args = args;
	(void)verb_run(a, str_of(v->name), &call, &err);
	for (size_t i = 0; i < v->fds_min; i++)
		(void)close(fds[i]);
	return strstr(err.text, "that this verb does not know") != NULL;
}

/* The next `word` outside of parentheses that is a plain name. */
static bool next_member(struct str *rest, struct str *ret)
{
	int depth = 0;

	while (rest->n > 0) {
		char c = *rest->p;
		struct str word;

		rest->p++;
		rest->n--;
		depth += (c == '(') - (c == ')');
		if (c != '`')
			continue;
		word = str_cut(rest, '`');
		if (!rest->p)
			*rest = (struct str){ "", 0 };
		if (depth == 0 && word.n > 0 &&
			strspn(word.p, "abcdefghijklmnopqrstuvwxyz_") >= word.n) {
			*ret = word;
			return true;
		}
	}
	return false;
}

START_TEST(requests_are_as_documented)
{
	struct archive *a = open_unsealed();

	read_doc();
	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *v = &verb_table[i];
		struct documented d;
		struct str member;

		/* This one would only make the others fail. */
		if (strcmp(v->name, "seal") == 0)
			continue;
		ck_assert(find_row(v->name, &d));
		while (next_member(&d.request, &member)) {
			if (is_unknown(a, v, member))
				ck_abort_msg("'%s' does not know the member '%.*s' of doc/verbs.md",
					v->name, STR_ARG(member));
		}
		if (!is_unknown(a, v, STR("nonsense")))
			ck_abort_msg("'%s' takes members that it does not know", v->name);
	}
	archive_close(a, 0);
	buf_done(&doc);
}
END_TEST

/* ---- replies ---- */

struct checked {
	const char *verb;
	struct str reply;
};

static int check_member(void *context, struct str name, const struct json *value)
{
	const struct checked *c = context;
	char word[64];

	(void)value;
	(void)snprintf(word, sizeof(word), "`%.*s`", STR_ARG(name));
	if (!mentions(c->reply, word))
		ck_abort_msg(
			"doc/verbs.md does not tell of %s in the reply of '%s'", word, c->verb);
	return 0;
}

static void check_reply(
	struct desk *d, const int *fds, size_t count, const char *verb, const char *args)
{
	struct json *reply = say_with(d, fds, count, verb, "%s", args);
	struct documented row;
	struct checked c = { .verb = verb };

	ck_assert(find_row(verb, &row));
	c.reply = row.reply;
	if (strcmp(row.reply.p, "one of these") == 0)
		return;
	(void)json_map_each(reply, check_member, &c);
	json_free(reply);
}

START_TEST(replies_are_as_documented)
{
	static const char *const calls[][2] = {
		{ "status", "{}" },
		{ "custodian.list", "{}" },
		{ "account.list", "{}" },
		{ "account.add", "{'name':'张三'}" },
		{ "config.list", "{}" },
		{ "series.list", "{}" },
		{ "series.show", "{'series':'QR-QC-001'}" },
		{ "series.show", "{'series':'GEN'}" },
		{ "revise", "{'number':'甲','base':1,'title':'乙'}" },
		{ "search", "{'query':'甲','facets':true}" },
		{ "list", "{'limit':1}" },
		{ "show", "{'number':'甲'}" },
		{ "log", "{}" },
		{ "log", "{'number':'甲'}" },
		{ "verify", "{'level':'full'}" },
		{ "verify", "{}" },
		{ "reindex", "{}" },
		{ "compact", "{}" },
		{ "checkpoint", "{}" },
		{ "signers", "{}" },
	};
	struct desk *d = world_desk(world_new());
	int fd = text_fd("甲乙丙");

	read_doc();
	check_reply(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'甲','number':'甲','reason':'丙','"
		"parts':[{'fd':0,'name':'a.txt'}]}");
	fd = text_fd("丁");
	check_reply(d, &fd, 1, "file.batch",
		"{'department':'运营部','documents':[{'fd':0,'name':'b.txt'}]}");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		check_reply(d, NULL, 0, calls[i][0], calls[i][1]);
	fd = bytes_fd("", 0);
	check_reply(d, &fd, 1, "get", "{'number':'甲','part':'1'}");
	fd = bytes_fd("", 0);
	check_reply(d, &fd, 1, "text", "{'number':'甲'}");
	desk_free(d);
	buf_done(&doc);
}
END_TEST

TESTS("archive verbs", every_verb_is_documented, requests_are_as_documented,
	replies_are_as_documented)
