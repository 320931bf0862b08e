/* init.c - making an archive, and opening it with any two custodians. */
#include "core/archive/inside.h"
#include "core/archive/tls.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdlib.h>

static struct secret *secret_of(const char *text)
{
	return secret_copy(text, strlen(text));
}

static struct archive *open_unsealed(const char *path)
{
	_cleanup_(secret_freep) struct secret *one = secret_of(custodian_passphrases[0]);
	_cleanup_(secret_freep) struct secret *two = secret_of(custodian_passphrases[1]);
	struct archive *a;
	struct err err = ERR_INIT;

	ck_ok(archive_open(path, ARCHIVE_WRITABLE, &a, &err), err);
	ck_ok(archive_unseal(a, one, two, NULL, &err), err);
	return a;
}

START_TEST(refused_and_left_as_it_was)
{
	_cleanup_(secret_freep) struct secret *one = secret_of("first passphrase");
	_cleanup_(secret_freep) struct secret *brief = secret_of("short");
	_cleanup_(secret_freep) struct secret *known = secret_of(demonstration_passphrases[0]);
	const struct init_custodian alone[] = { { "甲", one } };
	const struct init_custodian twins[] = { { "甲", one }, { "乙", one } };
	const struct init_custodian weak[] = { { "甲", one }, { "乙", brief } };
	const struct init_custodian public[] = { { "甲", one }, { "乙", known } };
	struct init_options o = { .operator_name = OPERATOR, .cheap_passphrases = true };
	const char *path = harness_dir();
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, NULL);
	struct init_made made;
	struct err err = ERR_INIT;
	char **names;
	size_t count;

	o.custodians = alone;
	o.custodian_count = 1;
	ck_fails(archive_init(path, &o, &made, &err), err, ERR_INVALID);
	o.custodians = twins;
	o.custodian_count = 2;
	ck_fails(archive_init(path, &o, &made, &err), err, ERR_INVALID);
	o.custodians = weak;
	ck_fails(archive_init(path, &o, &made, &err), err, ERR_INVALID);
	o.custodians = public;
	ck_fails(archive_init(path, &o, &made, &err), err, ERR_DENIED);
	ck_ok(file_list(dir, &names, &count, &err), err);
	ck_assert_uint_eq(count, 0);
	free(names);
	/* A folder with something in it is nobody's new archive. */
	ck_ok(file_replace(dir, "mine", "x", 1, &err), err);
	o.demonstration = true;
	o.custodian_count = 0;
	ck_fails(archive_init(path, &o, &made, &err), err, ERR_EXISTS);
	ck_assert(file_exists(dir, "mine"));
}
END_TEST

START_TEST(any_two_unseal)
{
	const char *path = world_new();
	struct desk *d = world_desk(path);
	_cleanup_(secret_freep) struct secret *third = secret_of(custodian_passphrases[2]);
	_cleanup_(secret_freep) struct secret *second = secret_of(custodian_passphrases[1]);
	_cleanup_(secret_freep) struct secret *wrong = secret_of("wrong passphrase");
	struct json *reply;
	struct archive *a;
	const char *who[2];
	struct err err = ERR_INIT;
	int fd = desk_secret_fd(third, &err);

	reply = say_with(d, &fd, 1, "custodian.add", "{'label':'%s'}", custodian_labels[2]);
	json_free(reply);
	fd = desk_secret_fd(third, &err);
	say_fails(d, ERR_EXISTS, NULL, &fd, 1, "custodian.add", "{'label':'%s'}",
		custodian_labels[2]);
	reply = say(d, "custodian.list", "{}");
	ck_assert_uint_eq(count_at(reply, "custodians"), 3);
	json_free(reply);
	desk_free(d);

	ck_ok(archive_open(path, ARCHIVE_WRITABLE, &a, &err), err);
	ck_fails(archive_unseal(a, third, third, NULL, &err), err, ERR_INVALID);
	ck_fails(archive_unseal(a, third, wrong, NULL, &err), err, ERR_CRYPTO);
	ck_fails(archive_unseal_demonstration(a, &err), err, ERR_DENIED);
	ck_assert(archive_is_sealed(a));
	ck_ok(archive_unseal(a, third, second, who, &err), err);
	ck_assert_str_eq(who[0], custodian_labels[2]);
	ck_assert(!archive_is_sealed(a));
	ck_ok(archive_seal(a, &err), err);
	ck_assert(archive_is_sealed(a));
	ck_ok(archive_unseal(a, second, third, NULL, &err), err);
	archive_close(a, 0);
}
END_TEST

START_TEST(custodians_come_and_go)
{
	struct desk *d = world_desk(world_new());
	_cleanup_(secret_freep) struct secret *third = secret_of(custodian_passphrases[2]);
	_cleanup_(secret_freep) struct secret *first = secret_of(custodian_passphrases[0]);
	struct err err = ERR_INIT;
	int fds[2];

	say_fails(d, ERR_INVALID, NULL, NULL, 0, "custodian.remove", "{'who':'%s'}",
		custodian_labels[0]);
	fds[0] = desk_secret_fd(third, &err);
	json_free(say_with(d, fds, 1, "custodian.add", "{'label':'%s'}", custodian_labels[2]));
	fds[0] = desk_secret_fd(third, &err);
	fds[1] = desk_secret_fd(first, &err);
	json_free(say_with(d, fds, 2, "custodian.drill", "{}"));
	json_free(say(d, "custodian.remove", "{'who':'%s'}", custodian_labels[0]));
	fds[0] = desk_secret_fd(third, &err);
	fds[1] = desk_secret_fd(first, &err);
	say_fails(d, ERR_CRYPTO, NULL, fds, 2, "custodian.drill", "{}");
	desk_free(d);
}
END_TEST

START_TEST(demonstration_opens_by_itself)
{
	const struct init_options o = { .operator_name = OPERATOR, .demonstration = true };
	const struct desk_options without_asking = { .as = OPERATOR };
	const char *path = harness_dir();
	struct init_made made;
	struct desk *d;
	struct err err = ERR_INIT;

	ck_ok(archive_init(path, &o, &made, &err), err);
	ck_ok(desk_open(path, &without_asking, &d, &err), err);
	json_free(say(d, "series.list", "{}"));
	ck_assert(desk_is_demonstration(d));
	desk_free(d);
}
END_TEST

START_TEST(everything_is_made)
{
	const char *path = world_new();
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, NULL);
	struct desk *d = world_desk(path);
	struct json *reply = say(d, "series.list", "{}");

	ck_assert_uint_ge(count_at(reply, "series"), 8);
	ck_assert_int_eq(int_at(reply, "series.0.version"), 1);
	json_free(reply);
	reply = say(d, "series.show", "{'series':'资质审核记录'}");
	ck_assert_str_eq(text_at(reply, "code"), "QR-QC-001");
	ck_assert_str_eq(text_at(reply, "record_number"), "DEF-QR-QC-001");
	json_free(reply);
	reply = say(d, "account.list", "{}");
	ck_assert_str_eq(text_at(reply, "accounts.0.name"), OPERATOR);
	ck_assert_str_eq(text_at(reply, "accounts.0.id"), "u-00001");
	json_free(reply);
	ck_assert(file_exists(dir, TLS_DIR "/" TLS_KEY));
	ck_assert(file_exists(dir, TLS_DIR "/" TLS_CERTIFICATE));
	ck_assert(file_exists(dir, SETTINGS_FILE));
	desk_free(d);
}
END_TEST

START_TEST(sealed_says_so)
{
	struct archive *a = open_unsealed(world_new());
	_cleanup_(json_freep) struct json *args = NULL;
	_cleanup_(buf_done) struct buf reply = BUF_INIT;
	struct verb_call call = { .caller = { .origin = ACCESS_OWNER }, .reply = &reply };
	struct err err = ERR_INIT;

	ck_ok(json_parse(STR("{\"query\":\"x\"}"), NULL, 0, &args, &err), err);
	call.args = args;
	ck_ok(verb_run(a, STR("search"), &call, &err), err);
	ck_ok(archive_seal(a, &err), err);
	ck_fails(verb_run(a, STR("search"), &call, &err), err, ERR_SEALED);
	json_free(args);
	ck_ok(json_parse(STR("{}"), NULL, 0, &args, &err), err);
	call.args = args;
	buf_reset(&reply);
	ck_ok(verb_run(a, STR("status"), &call, &err), err);
	ck_assert_ptr_nonnull(strstr(reply.p, "\"sealed\":true"));
	ck_fails(verb_run(a, STR("nonsense"), &call, &err), err, ERR_NOTFOUND);
	archive_close(a, 0);
}
END_TEST

TESTS("archive init", refused_and_left_as_it_was, any_two_unseal, custodians_come_and_go,
	demonstration_opens_by_itself, everything_is_made, sealed_says_so)
