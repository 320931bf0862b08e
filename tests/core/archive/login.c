/* login.c - logging in: what is right, wrong, too often, too late; with a clock that stands where the test puts it. */
#include "core/archive/login.h"

#include "core/archive/archive.h"
#include "core/archive/inside.h"
#include "core/archive/people.h"
#include "core/archive/turns.h"
#include "core/base/clock.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 2026-11-22 02:00:00 UTC, the beginning of a TOTP step. */
enum { NOON = 1795312800 };
static const char good[] = "correct horse battery";
static const uint8_t totp[TOTP_SECRET_BYTES] = "12345678901234567890";

struct world {
	const char *path;
	struct archive *archive;
};

static void unseal(struct world *w)
{
	_cleanup_(secret_freep) struct secret *one =
		secret_copy(custodian_passphrases[0], strlen(custodian_passphrases[0]));
	_cleanup_(secret_freep) struct secret *two =
		secret_copy(custodian_passphrases[1], strlen(custodian_passphrases[1]));
	struct err err = ERR_INIT;

	ck_ok(archive_unseal(w->archive, one, two, NULL, &err), err);
}

static struct login *gate(struct world *w)
{
	struct login *l = NULL;
	struct err err = ERR_INIT;

	ck_ok(login_of(w->archive, &l, &err), err);
	return l;
}

static void open_again(struct world *w)
{
	struct err err = ERR_INIT;

	ck_ok(archive_open(w->path, ARCHIVE_WRITABLE, &w->archive, &err), err);
	unseal(w);
}

static void give(struct world *w, const char *password, bool must_change)
{
	_cleanup_(secret_freep) struct secret *s = secret_copy(password, strlen(password));
	struct err err = ERR_INIT;

	ck_ok(login_give_password(gate(w), "u-00001", s, must_change, &err), err);
}

/* An archive whose operator has a password and a second factor. */
static void world_begin(struct world *w)
{
	struct err err = ERR_INIT;

	clock_set(NOON);
	w->path = world_new();
	open_again(w);
	ck_ok(settings_set(w->archive->settings, SETTING_LOGIN_MIB, STR("8"), &err), err);
	ck_ok(settings_set(w->archive->settings, SETTING_LOGIN_PASSES, STR("1"), &err), err);
	give(w, good, false);
	ck_ok(login_give_totp(gate(w), "u-00001", totp, true, &err), err);
}

static void world_end(struct world *w)
{
	archive_close(w->archive, 0);
	clock_set(-1);
}

static const char *code_at(int64_t instant)
{
	static _Thread_local char code[TOTP_DIGITS + 1];

	totp_code(totp, instant, code);
	return code;
}

static int try(struct world *w, const char *name, const char *password, const char *code,
	bool enrol, struct login_answer *ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *s = secret_copy(password, strlen(password));
	const struct login_request q = { .name = str_of(name),
		.password = s,
		.code = str_of(code),
		.peer = STR("127.0.0.1"),
		.language = TR_EN,
		.enrol = enrol };

	login_answer_init(ret);
	return login_enter(w->archive, &q, ret, err);
}

static enum login_outcome outcome(
	struct world *w, const char *name, const char *password, const char *code)
{
	struct login_answer answer;
	struct err err = ERR_INIT;
	enum login_outcome o;

	ck_ok(try(w, name, password, code, false, &answer, &err), err);
	o = answer.outcome;
	login_answer_done(&answer);
	return o;
}

/* In, with the code of now. */
static void enter(struct world *w, char token[LOGIN_TOKEN_TEXT])
{
	struct login_answer answer;
	struct err err = ERR_INIT;

	ck_ok(try(w, OPERATOR, good, code_at(clock_now()), false, &answer, &err), err);
	ck_assert_int_eq(answer.outcome, LOGIN_IN);
	memcpy(token, answer.token, LOGIN_TOKEN_TEXT);
	login_answer_done(&answer);
}

static int session(struct world *w, const char *token)
{
	struct login_session s;

	return login_session(w->archive, str_of(token), &s, NULL);
}

START_TEST(the_right_way_in)
{
	struct login_answer answer;
	struct login_session s;
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, ""), LOGIN_SECOND_FACTOR);
	ck_ok(try(&w, OPERATOR, good, code_at(NOON), false, &answer, &err), err);
	ck_assert_int_eq(answer.outcome, LOGIN_IN);
	ck_assert_str_eq(answer.session.name, OPERATOR);
	ck_assert_str_eq(answer.session.account, "u-00001");
	ck_assert_uint_eq(strlen(answer.token), LOGIN_TOKEN_TEXT - 1);
	ck_ok(login_session(w.archive, str_of(answer.token), &s, &err), err);
	ck_assert_uint_eq(s.roles, ROLE_READER);
	ck_assert_str_eq(s.peer, "127.0.0.1");
	ck_assert_int_eq(s.language, TR_EN);
	ck_ok(login_leave(w.archive, &s, &err), err);
	ck_fails(login_session(w.archive, str_of(answer.token), &s, &err), err, ERR_NOTFOUND);
	/* The token stands nowhere on disk. */
	ck_assert(!stands_anywhere(w.path, answer.token));
	login_answer_done(&answer);
	world_end(&w);
}
END_TEST

START_TEST(wrong_ways_in)
{
	struct login_answer answer;
	struct err err = ERR_INIT;
	struct world w;
	char much[1200];

	world_begin(&w);
	ck_assert_int_eq(outcome(&w, OPERATOR, "not the password", ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(outcome(&w, "nobody at all", good, ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(outcome(&w, "u-00099", good, ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(outcome(&w, "?1", good, ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(outcome(&w, "system", good, ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, "000000"), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, "12345"), LOGIN_SECOND_FACTOR);
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	ck_fails(try(&w, OPERATOR, much, "", false, &answer, &err), err, ERR_INVALID);
	ck_fails(try(&w, much, good, "", false, &answer, &err), err, ERR_INVALID);
	ck_fails(try(&w, "", good, "", false, &answer, &err), err, ERR_INVALID);
	world_end(&w);
}
END_TEST

/* One step to both sides, each code once, and none older than the last. */
START_TEST(codes_serve_once)
{
	struct world w;

	world_begin(&w);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON - 60)), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON + 60)), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON - 30)), LOGIN_IN);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON - 30)), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON + 30)), LOGIN_IN);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON)), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON + 30)), LOGIN_SECOND_FACTOR);
	/* Also after a restart. */
	archive_close(w.archive, 0);
	open_again(&w);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON + 30)), LOGIN_SECOND_FACTOR);
	clock_set(NOON + 60);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON + 60)), LOGIN_IN);
	world_end(&w);
}
END_TEST

/* Five failures cost nothing but themselves; from then on the wait doubles, for the right password too. */
static void wait_grows(const char *name, const char *wrong)
{
	struct login_answer answer;
	struct err err = ERR_INIT;
	int64_t wait = LOCK_FIRST_SECONDS, now = NOON;
	struct world w;

	world_begin(&w);
	for (int i = 0; i < LOCK_FREE_FAILURES; i++)
		ck_assert_int_eq(outcome(&w, name, wrong, ""), LOGIN_CREDENTIALS);
	for (int i = 0; i < 9; i++) {
		ck_ok(try(&w, name, good, "", false, &answer, &err), err);
		ck_assert_int_eq(answer.outcome, LOGIN_WAIT);
		ck_assert_int_eq(answer.retry_after, wait);
		login_answer_done(&answer);
		now += wait - 1;
		clock_set(now);
		ck_assert_int_eq(outcome(&w, name, good, ""), LOGIN_WAIT);
		clock_set(++now);
		ck_assert_int_eq(outcome(&w, name, wrong, ""), LOGIN_CREDENTIALS);
		wait = wait * 2 < LOCK_MAX_SECONDS ? wait * 2 : LOCK_MAX_SECONDS;
	}
	ck_assert_int_eq(wait, LOCK_MAX_SECONDS);
	/* A day without any, and they are forgotten. */
	clock_set(now + LOCK_FORGET_SECONDS);
	for (int i = 0; i < LOCK_FREE_FAILURES; i++)
		ck_assert_int_eq(outcome(&w, name, wrong, ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(outcome(&w, name, wrong, ""), LOGIN_WAIT);
	world_end(&w);
}

START_TEST(the_wait_grows)
{
	wait_grows(OPERATOR, "not the password");
}
END_TEST

START_TEST(the_wait_grows_for_nobody_too)
{
	wait_grows("nobody at all", "not the password");
}
END_TEST

START_TEST(the_right_password_ends_the_count)
{
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w);
	for (int i = 1; i < LOCK_FREE_FAILURES; i++)
		ck_assert_int_eq(outcome(&w, OPERATOR, "not the password", ""), LOGIN_CREDENTIALS);
	/* Without a code nothing is counted, and nothing forgotten. */
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(outcome(&w, OPERATOR, good, ""), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON)), LOGIN_IN);
	for (int i = 0; i < LOCK_FREE_FAILURES; i++)
		ck_assert_int_eq(outcome(&w, OPERATOR, "not the password", ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, ""), LOGIN_WAIT);
	ck_ok(login_unlock(gate(&w), "u-00001", &err), err);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, ""), LOGIN_SECOND_FACTOR);
	/* Wrong codes count as wrong passwords do. */
	for (int i = 0; i < LOCK_FREE_FAILURES; i++)
		ck_assert_int_eq(outcome(&w, OPERATOR, good, "000000"), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, code_at(NOON + 30)), LOGIN_WAIT);
	world_end(&w);
}
END_TEST

START_TEST(enrolment)
{
	struct login_answer answer;
	struct err err = ERR_INIT;
	uint8_t drawn[TOTP_SECRET_BYTES];
	char secret[64], code[TOTP_DIGITS + 1], recovery[RECOVERY_TEXT];
	struct world w;

	world_begin(&w);
	ck_ok(login_give_totp(gate(&w), "u-00001", NULL, false, &err), err);
	ck_ok(try(&w, OPERATOR, good, "", false, &answer, &err), err);
	ck_assert_int_eq(answer.outcome, LOGIN_ENROL);
	ck_assert_uint_eq(answer.secret.n, 32);
	ck_assert(str_starts(buf_str(&answer.uri), "otpauth://totp/Muniment%20"));
	memcpy(secret, answer.secret.p, answer.secret.n + 1);
	login_answer_done(&answer);
	/* The same secret until it is confirmed; a code without `enrol` confirms nothing. */
	ck_ok(try(&w, OPERATOR, good, "000000", false, &answer, &err), err);
	ck_assert_int_eq(answer.outcome, LOGIN_ENROL);
	ck_assert_str_eq(answer.secret.p, secret);
	login_answer_done(&answer);
	ck_ok(try(&w, OPERATOR, good, "000000", true, &answer, &err), err);
	ck_assert_int_eq(answer.outcome, LOGIN_ENROL);
	login_answer_done(&answer);
	for (size_t i = 0, bits = 0, n = 0, v = 0; i < 32; i++) {
		v = v << 5 | (size_t)(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", secret[i]) -
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
		bits += 5;
		if (bits >= 8) {
			drawn[n++] = (uint8_t)(v >> (bits -= 8));
			v &= ((size_t)1 << bits) - 1;
		}
	}
	totp_code(drawn, NOON, code);
	ck_ok(try(&w, OPERATOR, good, code, true, &answer, &err), err);
	ck_assert_int_eq(answer.outcome, LOGIN_IN);
	ck_assert_uint_eq(answer.recovery_count, RECOVERY_CODES);
	memcpy(recovery, answer.recovery[3], sizeof(recovery));
	login_answer_done(&answer);
	/* A recovery code opens once, however it is typed. */
	for (char *p = recovery; *p; p++)
		*p = *p == '-' ? ' ' : *p >= 'a' ? (char)(*p - 32) : *p;
	ck_ok(try(&w, OPERATOR, good, recovery, false, &answer, &err), err);
	ck_assert_int_eq(answer.outcome, LOGIN_IN);
	ck_assert(answer.used_recovery);
	ck_assert_uint_eq(answer.recovery_left, RECOVERY_CODES - 1);
	ck_assert_uint_eq(answer.recovery_count, 0);
	login_answer_done(&answer);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, recovery), LOGIN_SECOND_FACTOR);
	world_end(&w);
}
END_TEST

static enum login_outcome change(
	struct world *w, const char *token, const char *old, const char *new, const char *code)
{
	_cleanup_(secret_freep) struct secret *o = secret_copy(old, strlen(old));
	_cleanup_(secret_freep) struct secret *n = secret_copy(new, strlen(new));
	enum login_outcome result;
	struct login_session s;
	struct err err = ERR_INIT;
	int64_t wait;

	ck_ok(login_session(w->archive, str_of(token), &s, &err), err);
	if (login_change_password(w->archive, &s, o, n, str_of(code), &result, &wait, &err) < 0) {
		ck_assert_int_eq(err.code, -ERR_INVALID);
		return LOGIN_WAIT;
	}
	return result;
}

START_TEST(a_given_password_must_be_changed)
{
	char token[LOGIN_TOKEN_TEXT], other[LOGIN_TOKEN_TEXT];
	struct access_caller who;
	struct login_session s;
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w);
	give(&w, good, true);
	enter(&w, other);
	clock_set(NOON + 30);
	enter(&w, token);
	ck_ok(login_session(w.archive, str_of(token), &s, &err), err);
	ck_assert(s.must_change);
	login_caller(&s, &who);
	ck_fails(access_check(w.archive, &who, ACCESS_LOOK, NULL, &err), err, ERR_DENIED);
	ck_ok(access_check(w.archive, &who, ACCESS_OWN, NULL, &err), err);
	ck_assert_int_eq(
		change(&w, token, "wrong old one", "another password", ""), LOGIN_CREDENTIALS);
	ck_assert_int_eq(change(&w, token, good, "too short", ""), LOGIN_WAIT);
	ck_assert_int_eq(change(&w, token, good, "xxxxxxxxxxxxxxx", ""), LOGIN_WAIT);
	ck_assert_int_eq(change(&w, token, good, good, ""), LOGIN_WAIT);
	ck_assert_int_eq(change(&w, token, good, "我是" OPERATOR "，我的口令很长", ""), LOGIN_WAIT);
	ck_assert_int_eq(change(&w, token, good, "another password", ""), LOGIN_IN);
	ck_ok(access_check(w.archive, &who, ACCESS_LOOK, NULL, &err), err);
	/* Every other session has ended, this one goes on. */
	ck_assert_int_eq(session(&w, other), -ERR_NOTFOUND);
	ck_assert_int_eq(session(&w, token), 0);
	/* The second factor is not fresh for ever. */
	clock_set(NOON + 30 + LOGIN_FRESH_SECONDS - 1);
	ck_assert_int_eq(change(&w, token, "another password", good, ""), LOGIN_IN);
	clock_set(NOON + 30 + LOGIN_FRESH_SECONDS);
	ck_assert_int_eq(change(&w, token, good, "another password", ""), LOGIN_SECOND_FACTOR);
	ck_assert_int_eq(
		change(&w, token, good, "another password", code_at(clock_now())), LOGIN_IN);
	world_end(&w);
}
END_TEST

START_TEST(sessions_end)
{
	char token[LOGIN_TOKEN_TEXT];
	int64_t idle = 30 * 60, whole = 12 * 3600, began;
	struct world w;

	world_begin(&w);
	enter(&w, token);
	clock_set(NOON + idle - 1);
	ck_assert_int_eq(session(&w, token), 0);
	clock_set(NOON + 2 * idle - 1);
	ck_assert_int_eq(session(&w, token), -ERR_NOTFOUND);
	/* However busy it is, after twelve hours it ends. */
	began = clock_now();
	enter(&w, token);
	for (int64_t t = began; t < began + whole; t += idle - 1) {
		clock_set(t);
		ck_assert_int_eq(session(&w, token), 0);
	}
	clock_set(began + whole - 1);
	ck_assert_int_eq(session(&w, token), 0);
	clock_set(began + whole);
	ck_assert_int_eq(session(&w, token), -ERR_NOTFOUND);
	world_end(&w);
}
END_TEST

START_TEST(sealing_and_restarts_keep_sessions)
{
	char token[LOGIN_TOKEN_TEXT];
	struct login_session s;
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w);
	enter(&w, token);
	ck_ok(archive_seal(w.archive, &err), err);
	ck_fails(login_session(w.archive, str_of(token), &s, &err), err, ERR_SEALED);
	unseal(&w);
	ck_assert_int_eq(session(&w, token), 0);
	clock_set(NOON + 600);
	ck_assert_int_eq(session(&w, token), 0);
	archive_close(w.archive, 0);
	/* It was sealed for too long: the ends came nearer all the same. */
	clock_set(NOON + 600 + 30 * 60 - 1);
	open_again(&w);
	ck_assert_int_eq(session(&w, token), 0);
	archive_close(w.archive, 0);
	clock_set(clock_now() + 30 * 60);
	open_again(&w);
	ck_assert_int_eq(session(&w, token), -ERR_NOTFOUND);
	world_end(&w);
}
END_TEST

START_TEST(tokens_of_all_kinds)
{
	static const char *const wrong[] = { "", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"../../../../../../../../../../../../etc/shado" };
	char token[LOGIN_TOKEN_TEXT];
	struct world w;

	world_begin(&w);
	enter(&w, token);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_int_eq(session(&w, wrong[i]), -ERR_NOTFOUND);
	token[7] = token[7] == 'A' ? 'B' : 'A';
	ck_assert_int_eq(session(&w, token), -ERR_NOTFOUND);
	world_end(&w);
}
END_TEST

START_TEST(an_account_has_so_many_sessions)
{
	char first[LOGIN_TOKEN_TEXT], second[LOGIN_TOKEN_TEXT], token[LOGIN_TOKEN_TEXT];
	struct login_session list[LOGIN_SESSIONS_MAX];
	struct world w;

	world_begin(&w);
	enter(&w, first);
	for (int i = 1; i < LOGIN_SESSIONS_MAX; i++) {
		clock_set(NOON + i * 30);
		enter(&w, i == 1 ? second : token);
	}
	ck_assert_uint_eq(login_sessions(gate(&w), "u-00001", list), LOGIN_SESSIONS_MAX);
	clock_set(NOON + LOGIN_SESSIONS_MAX * 30);
	enter(&w, token);
	ck_assert_int_eq(session(&w, first), -ERR_NOTFOUND);
	ck_assert_int_eq(session(&w, second), 0);
	ck_assert_uint_eq(login_sessions(gate(&w), "u-00001", list), LOGIN_SESSIONS_MAX);
	ck_assert_uint_eq(login_end(gate(&w), "u-00001", NULL), LOGIN_SESSIONS_MAX);
	ck_assert_int_eq(session(&w, token), -ERR_NOTFOUND);
	world_end(&w);
}
END_TEST

START_TEST(roles_decide)
{
	static const struct {
		enum access_act act;
		unsigned roles;
	} rules[] = { { ACCESS_LOOK, ROLE_READER | ROLE_FILER }, { ACCESS_FILE, ROLE_FILER },
		{ ACCESS_JOB, ROLE_FILER | ROLE_OPERATOR },
		{ ACCESS_SEAL, ROLE_FILER | ROLE_OPERATOR }, { ACCESS_PEOPLE, ROLE_ALL },
		{ ACCESS_ADMINISTER, ROLE_OPERATOR } };
	struct access_caller who = { .origin = ACCESS_SESSION, .account = "u-00001" };
	const struct access_caller nobody = { .origin = ACCESS_NOBODY };
	struct access_caller owner = { .origin = ACCESS_OWNER, .uid = getuid() };
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w);
	for (unsigned roles = 0; roles <= ROLE_ALL; roles++) {
		ck_ok(login_set_roles(gate(&w), "u-00001", roles, &err), err);
		for (size_t i = 0; i < ARRAY_LEN(rules); i++)
			ck_assert_int_eq(access_check(w.archive, &who, rules[i].act, NULL, NULL),
				roles & rules[i].roles ? 0 : -ERR_DENIED);
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		ck_fails(access_check(w.archive, &nobody, rules[i].act, NULL, &err), err,
			ERR_DENIED);
		ck_ok(access_check(w.archive, &owner, rules[i].act, NULL, &err), err);
	}
	ck_ok(access_check(w.archive, &nobody, ACCESS_STATE, NULL, &err), err);
	owner.uid = getuid() + 1;
	ck_fails(access_check(w.archive, &owner, ACCESS_LOOK, NULL, &err), err, ERR_DENIED);
	/* An account without roles does not even come in. */
	ck_ok(login_set_roles(gate(&w), "u-00001", 0, &err), err);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, ""), LOGIN_CREDENTIALS);
	world_end(&w);
}
END_TEST

/* A verb called over HTTP: the session's account acts, and its roles decide. */
START_TEST(verbs_ask)
{
	_cleanup_(buf_done) struct buf reply = BUF_INIT;
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call call = { .caller = { .origin = ACCESS_SESSION, .account = "u-00001" },
		.reply = &reply };
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w);
	ck_ok(json_parse(STR("{\"series\":\"GEN\",\"department\":\"运营部\",\"title\":\"t\"}"),
		      NULL, 0, &args, &err),
		err);
	call.args = args;
	ck_fails(verb_run(w.archive, STR("file"), &call, &err), err, ERR_DENIED);
	ck_ok(login_set_roles(gate(&w), "u-00001", ROLE_FILER, &err), err);
	ck_ok(verb_run(w.archive, STR("file"), &call, &err), err);
	ck_assert_str_eq(call.account, "u-00001");
	json_free(TAKE_PTR(args));
	ck_ok(json_parse(STR("{\"as\":\"u-00001\",\"series\":\"GEN\",\"department\":\"运营部\","
			     "\"title\":\"t\"}"),
		      NULL, 0, &args, &err),
		err);
	call.args = args;
	ck_fails(verb_run(w.archive, STR("file"), &call, &err), err, ERR_DENIED);
	json_free(TAKE_PTR(args));
	ck_ok(json_parse(STR("{}"), NULL, 0, &args, &err), err);
	call.args = args;
	ck_ok(archive_seal(w.archive, &err), err);
	ck_fails(verb_run(w.archive, STR("file"), &call, &err), err, ERR_SEALED);
	ck_fails(verb_run(w.archive, STR("config.list"), &call, &err), err, ERR_SEALED);
	world_end(&w);
}
END_TEST

struct racer {
	struct world *w;
	enum login_outcome outcome;
	pthread_t thread;
};

static void *race(void *context)
{
	struct racer *r = context;

	r->outcome = outcome(r->w, OPERATOR, good, code_at(NOON));
	return NULL;
}

/* One code, shown by several at the same time, opens once. */
START_TEST(a_code_serves_once_side_by_side)
{
	struct racer racers[3];
	struct world w;
	int in = 0;

	world_begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		racers[i] = (struct racer){ .w = &w };
		ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		(void)pthread_join(racers[i].thread, NULL);
		in += racers[i].outcome == LOGIN_IN;
	}
	ck_assert_int_eq(in, 1);
	world_end(&w);
}
END_TEST

static void *wait_for_turn(void *context)
{
	struct err err = ERR_INIT;

	ck_ok(turns_take(context, STR(""), &err), err);
	turns_give(context, STR(""));
	return NULL;
}

static void *wait_patiently(void *context)
{
	turns_wait(context);
	turns_give(context, STR(""));
	return NULL;
}

START_TEST(turns_are_bounded)
{
	struct turns *t = turns_new(1, 2, 2);
	struct err err = ERR_INIT;
	pthread_t threads[3];

	ck_ok(turns_take(t, STR("here"), &err), err);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_turn, t), 0);
		while (turns_waiting(t) != i + 1)
			(void)sched_yield();
	}
	ck_fails(turns_take(t, STR(""), &err), err, ERR_BUSY);
	ck_assert_int_eq(pthread_create(&threads[2], NULL, wait_patiently, t), 0);
	while (turns_waiting(t) != 3)
		(void)sched_yield();
	ck_assert_uint_eq(turns_running(t), 1);
	turns_give(t, STR("here"));
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		(void)pthread_join(threads[i], NULL);
	ck_assert_uint_eq(turns_running(t) + turns_waiting(t), 0);
	turns_free(t);
	/* Two from one address, however much room there is. */
	t = turns_new(4, 0, 2);
	ck_ok(turns_take(t, STR("here"), &err), err);
	ck_ok(turns_take(t, STR("here"), &err), err);
	ck_fails(turns_take(t, STR("here"), &err), err, ERR_BUSY);
	ck_ok(turns_take(t, STR("there"), &err), err);
	turns_give(t, STR("here"));
	ck_ok(turns_take(t, STR("here"), &err), err);
	ck_ok(turns_take(t, STR(""), &err), err);
	ck_fails(turns_take(t, STR("elsewhere"), &err), err, ERR_BUSY);
	turns_give(t, STR(""));
	turns_give(t, STR("there"));
	turns_give(t, STR("here"));
	turns_give(t, STR("here"));
	turns_free(t);
}
END_TEST

/* Without its state the archive still opens, and says what is wrong. */
START_TEST(a_state_that_is_damaged)
{
	_cleanup_(buf_done) struct buf reply = BUF_INIT;
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call call = { .caller = { .origin = ACCESS_OWNER }, .reply = &reply };
	char path[512];
	struct login *l = NULL;
	struct err err = ERR_INIT;
	struct world w;
	FILE *f;

	world_begin(&w);
	archive_close(w.archive, 0);
	(void)snprintf(path, sizeof(path), "%s/state.db", w.path);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(fprintf(f, "%0999d", 0), 0);
	(void)fclose(f);
	ck_ok(archive_open(w.path, ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &w.archive, &err), err);
	unseal(&w);
	ck_fails(login_of(w.archive, &l, &err), err, ERR_CORRUPT);
	ck_assert_int_eq(session(&w, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), -ERR_CORRUPT);
	ck_ok(json_parse(STR("{}"), NULL, 0, &args, &err), err);
	call.args = args;
	ck_ok(verb_run(w.archive, STR("account.list"), &call, &err), err);
	buf_reset(&reply);
	ck_ok(verb_run(w.archive, STR("status"), &call, &err), err);
	ck_assert_ptr_nonnull(strstr(reply.p, "state.db cannot be opened"));
	/* Moved away, it is made anew: nobody has a password, and nothing else is missing. */
	ck_assert_int_eq(unlink(path), 0);
	ck_ok(login_of(w.archive, &l, &err), err);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, ""), LOGIN_CREDENTIALS);
	give(&w, good, false);
	ck_assert_int_eq(outcome(&w, OPERATOR, good, ""), LOGIN_ENROL);
	world_end(&w);
}
END_TEST

TESTS("core/archive/login", a_code_serves_once_side_by_side, turns_are_bounded,
	a_state_that_is_damaged, the_right_way_in, wrong_ways_in, codes_serve_once, the_wait_grows,
	the_wait_grows_for_nobody_too, the_right_password_ends_the_count, enrolment,
	a_given_password_must_be_changed, sessions_end, sealing_and_restarts_keep_sessions,
	tokens_of_all_kinds, an_account_has_so_many_sessions, roles_decide, verbs_ask)
