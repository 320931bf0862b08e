/* session.c - log-in, own password, sealing and unsealing, drafts: through the dispatcher, without a socket. */
#include "www/inside.h"

#include "core/archive/inside.h"
#include "core/archive/login.h"
#include "core/base/clock.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* 2026-11-22 02:00:00 UTC, the beginning of a TOTP step. */
enum { NOON = 1795312800 };
static const char good[] = "correct horse battery";
static const uint8_t totp[TOTP_SECRET_BYTES] = "12345678901234567890";

struct world {
	struct archive *archive;
	struct www *www;
	char cookie[128];
	char has_body;
	/* Of the last answer. */
	unsigned status;
	struct json *doc;
	char retry_after[32];
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

static void world_begin(struct world *w, unsigned roles)
{
	_cleanup_(secret_freep) struct secret *s = secret_copy(good, strlen(good));
	struct www_options o = { .workers = 1 };
	struct err err = ERR_INIT;
	struct login *l = NULL;

	*w = (struct world){ .status = 0 };
	clock_set(NOON);
	ck_ok(archive_open(world_new(), ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &w->archive, &err),
		err);
	unseal(w);
	ck_ok(settings_set(w->archive->settings, SETTING_LOGIN_MIB, STR("8"), &err), err);
	ck_ok(settings_set(w->archive->settings, SETTING_LOGIN_PASSES, STR("1"), &err), err);
	ck_ok(login_of(w->archive, &l, &err), err);
	ck_ok(login_give_password(l, "u-00001", s, false, &err), err);
	ck_ok(login_give_totp(l, "u-00001", totp, true, &err), err);
	ck_ok(login_set_roles(l, "u-00001", roles, &err), err);
	o.archive = w->archive;
	ck_ok(www_start(&o, &w->www, &err), err);
}

static void world_end(struct world *w)
{
	json_free(w->doc);
	www_free(w->www);
	archive_close(w->archive, 0);
	clock_set(-1);
}

static struct str look_up(void *source, const char *name)
{
	const struct world *w = source;

	if (strcasecmp(name, "Cookie") == 0 && w->cookie[0])
		return str_of(w->cookie);
	if (strcasecmp(name, "Content-Type") == 0 && w->has_body)
		return STR("application/json");
	return (struct str){ NULL, 0 };
}

/* Ask; single quotes in the body stand for double ones. */
static void ask(struct world *w, const char *method, const char *target, const char *body)
{
	_cleanup_(exchange_freep) struct exchange *x = exchange_new(w->www);
	struct str text;

	w->has_body = body[0] != '\0';
	x->method = exchange_method_of(method);
	x->method_name = method;
	x->header = look_up;
	x->header_source = w;
	(void)snprintf(x->peer, sizeof(x->peer), "192.0.2.7");
	if (dispatch_head(x, target)) {
		buf_adds(&x->body, body);
		for (char *p = x->body.p; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		dispatch(x);
	}
	json_free(TAKE_PTR(w->doc));
	w->status = x->status;
	if (x->reply.n > 0 && x->reply.p[0] == '{')
		ck_assert_int_eq(
			json_parse(buf_str(&x->reply), NULL, JSON_ALLOW_FLOATS, &w->doc, NULL), 0);
	text = exchange_get(x, "Set-Cookie");
	if (text.p) {
		ck_assert(str_ends(text, "; Path=/; Secure; HttpOnly; SameSite=Strict") ||
			  str_ends(text, "; SameSite=Strict; Max-Age=0"));
		text = str_cut(&text, ';');
		(void)snprintf(w->cookie, sizeof(w->cookie), "%.*s", STR_ARG(text));
	}
	text = exchange_get(x, "Retry-After");
	(void)snprintf(w->retry_after, sizeof(w->retry_after), "%.*s", STR_ARG(text));
}

/* The answer to who wants to hear what happens. */
static struct exchange *listen_once(struct world *w)
{
	struct exchange *x = exchange_new(w->www);

	x->method = METHOD_GET;
	x->method_name = "GET";
	x->header = look_up;
	x->header_source = w;
	w->has_body = false;
	if (dispatch_head(x, "/api/v1/events"))
		dispatch(x);
	return x;
}

/* A problem with that code. */
static void refused(struct world *w, unsigned status, const char *code)
{
	ck_assert_uint_eq(w->status, status);
	ck_assert_str_eq(text_at(w->doc, "code"), code);
}

static const char *login_body(const char *password, bool with_code)
{
	static char text[256];
	char code[TOTP_DIGITS + 1];

	totp_code(totp, clock_now(), code);
	(void)snprintf(text, sizeof(text), "{'name':'" OPERATOR "','password':'%s'%s%s%s}",
		password, with_code ? ",'code':'" : "", with_code ? code : "",
		with_code ? "'" : "");
	return text;
}

START_TEST(in_and_out)
{
	struct world w;

	world_begin(&w, ROLE_FILER);
	ask(&w, "GET", "/api/v1/session", "");
	refused(&w, 401, "session");
	ask(&w, "POST", "/api/v1/session", login_body("not the password", true));
	refused(&w, 401, "credentials");
	ask(&w, "POST", "/api/v1/session", login_body(good, false));
	refused(&w, 401, "second_factor");
	ck_assert_str_eq(w.cookie, "");
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ck_assert_uint_eq(w.status, 201);
	ck_assert_str_eq(text_at(w.doc, "account"), "u-00001");
	ck_assert_str_eq(text_at(w.doc, "name"), OPERATOR);
	ck_assert_str_eq(text_at(w.doc, "role"), "filer");
	ck_assert_uint_eq(strlen(w.cookie), strlen(SESSION_COOKIE "=") + LOGIN_TOKEN_TEXT - 1);
	ask(&w, "PATCH", "/api/v1/session", "{'language':'en'}");
	ck_assert_uint_eq(w.status, 200);
	ask(&w, "PATCH", "/api/v1/session", "{'language':'xx'}");
	refused(&w, 400, "invalid");
	ask(&w, "GET", "/api/v1/session", "");
	ck_assert_str_eq(text_at(w.doc, "language"), "en");
	ask(&w, "GET", "/api/v1/sessions", "");
	ck_assert_uint_eq(count_at(w.doc, "sessions"), 1);
	ck_assert_str_eq(text_at(w.doc, "sessions.0.from"), "192.0.2.7");
	/* Who logs in again leaves no session behind whose cookie nobody has any more. */
	clock_set(NOON + TOTP_PERIOD);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ck_assert_uint_eq(w.status, 201);
	ask(&w, "GET", "/api/v1/sessions", "");
	ck_assert_uint_eq(count_at(w.doc, "sessions"), 1);
	ask(&w, "DELETE", "/api/v1/session", "");
	ck_assert_uint_eq(w.status, 204);
	ck_assert_str_eq(w.cookie, SESSION_COOKIE "=");
	ask(&w, "GET", "/api/v1/session", "");
	refused(&w, 401, "session");
	world_end(&w);
}
END_TEST

START_TEST(bodies_of_all_kinds)
{
	static const char *const bodies[] = { "", "{", "[]", "{}", "{'name':'x'}",
		"{'name':1,'password':'x'}", "{'name':'x','password':null}",
		"{'name':'x','password':'y','more':1}", "{'name':'','password':'y'}",
		"{'name':'x','password':''}", "{'name':'x','password':'y','code':7}" };
	struct world w;

	world_begin(&w, ROLE_READER);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		ask(&w, "POST", "/api/v1/session", bodies[i]);
		refused(&w, 400, "invalid");
		ask(&w, "POST", "/api/v1/session/enrol", bodies[i]);
		refused(&w, 400, "invalid");
	}
	world_end(&w);
}
END_TEST

/* Events come as long as the session does, and for nobody who may not read. */
START_TEST(events_end_with_the_session)
{
	struct exchange *x;
	struct login *l = NULL;
	struct world w;
	char room[4096];

	world_begin(&w, ROLE_READER);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ck_assert_uint_eq(w.status, 201);
	x = listen_once(&w);
	ck_assert_uint_eq(x->status, 200);
	ck_assert_int_gt(x->stream->read(x->stream_context, 0, room, sizeof(room)), 0);
	ck_assert_int_eq(x->stream->read(x->stream_context, 0, room, sizeof(room)), STREAM_WAIT);
	ask(&w, "DELETE", "/api/v1/session", "");
	ck_assert_uint_eq(w.status, 204);
	ck_assert_int_eq(x->stream->read(x->stream_context, 0, room, sizeof(room)), STREAM_END);
	exchange_free(x);
	/* An operator reads nothing. */
	ck_assert_int_eq(login_of(w.archive, &l, NULL), 0);
	ck_assert_int_eq(login_set_roles(l, "u-00001", ROLE_OPERATOR, NULL), 0);
	clock_set(NOON + TOTP_PERIOD);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ck_assert_uint_eq(w.status, 201);
	x = listen_once(&w);
	ck_assert_uint_eq(x->status, 403);
	exchange_free(x);
	world_end(&w);
}
END_TEST

START_TEST(too_often)
{
	struct world w;

	world_begin(&w, ROLE_READER);
	for (int i = 0; i < LOCK_FREE_FAILURES; i++) {
		ask(&w, "POST", "/api/v1/session", login_body("not the password", true));
		refused(&w, 401, "credentials");
	}
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	refused(&w, 429, "wait");
	ck_assert_str_eq(w.retry_after, "30");
	ck_assert_int_eq(int_at(w.doc, "retry_after"), 30);
	world_end(&w);
}
END_TEST

START_TEST(enrolment_and_a_password_of_ones_own)
{
	_cleanup_(secret_freep) struct secret *s = secret_copy(good, strlen(good));
	struct login *l = NULL;
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w, ROLE_FILER);
	ck_ok(login_of(w.archive, &l, &err), err);
	ck_ok(login_give_totp(l, "u-00001", totp, false, &err), err);
	ck_ok(login_give_password(l, "u-00001", s, true, &err), err);
	ask(&w, "POST", "/api/v1/session", login_body(good, false));
	refused(&w, 401, "enrol");
	ck_assert_uint_eq(strlen(text_at(w.doc, "enrol.secret")), 32);
	ck_assert(str_starts(str_of(text_at(w.doc, "enrol.qr")), "<svg "));
	ask(&w, "POST", "/api/v1/session/enrol", login_body(good, true));
	ck_assert_uint_eq(w.status, 201);
	ck_assert_uint_eq(count_at(w.doc, "recovery"), RECOVERY_CODES);
	ck_assert(bool_at(w.doc, "must_change"));
	ask(&w, "GET", "/api/v1/records", "");
	refused(&w, 403, "denied");
	ask(&w, "POST", "/api/v1/session/password", "{'old':'wrong','new':'another password'}");
	refused(&w, 401, "credentials");
	ask(&w, "POST", "/api/v1/session/password",
		"{'old':'correct horse battery','new':'short'}");
	refused(&w, 400, "invalid");
	ck_assert_str_eq(text_at(w.doc, "field"), "new");
	ask(&w, "POST", "/api/v1/session/password",
		"{'old':'correct horse battery','new':'another password'}");
	ck_assert_uint_eq(w.status, 204);
	ask(&w, "GET", "/api/v1/records", "");
	ck_assert_uint_eq(w.status, 200);
	world_end(&w);
}
END_TEST

START_TEST(readers_read)
{
	struct world w;

	world_begin(&w, ROLE_READER);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ck_assert_uint_eq(w.status, 201);
	ask(&w, "GET", "/api/v1/records", "");
	ck_assert_uint_eq(w.status, 200);
	ask(&w, "GET", "/api/v1/views", "");
	ck_assert_uint_eq(w.status, 200);
	ask(&w, "GET", "/api/v1/drafts", "");
	refused(&w, 403, "denied");
	ask(&w, "POST", "/api/v1/seal", "{}");
	refused(&w, 403, "denied");
	ask(&w, "GET", "/api/v1/accounts", "");
	ck_assert_uint_eq(w.status, 200);
	ck_assert(!has(w.doc, "accounts.0.roles"));
	world_end(&w);
}
END_TEST

START_TEST(two_people_unseal)
{
	struct world w;

	world_begin(&w, ROLE_FILER);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ask(&w, "POST", "/api/v1/seal", "{}");
	ck_assert_uint_eq(w.status, 200);
	ask(&w, "GET", "/api/v1/session", "");
	refused(&w, 503, "sealed");
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	refused(&w, 503, "sealed");
	ask(&w, "POST", "/api/v1/unseal", "{'passphrase':'no such passphrase'}");
	refused(&w, 403, "credentials");
	ask(&w, "POST", "/api/v1/unseal", "{'passphrase':''}");
	refused(&w, 400, "invalid");
	ask(&w, "POST", "/api/v1/unseal", "{'passphrase':'first passphrase'}");
	ck_assert_uint_eq(w.status, 200);
	ck_assert(!bool_at(w.doc, "unsealed"));
	ck_assert_int_eq(int_at(w.doc, "needed"), 1);
	ck_assert_str_eq(text_at(w.doc, "by.0"), custodian_labels[0]);
	/* The same person twice is one person. */
	ask(&w, "POST", "/api/v1/unseal", "{'passphrase':'first passphrase'}");
	ck_assert(!bool_at(w.doc, "unsealed"));
	/* Five minutes are over: the second is a first. */
	clock_set(NOON + 300);
	ask(&w, "POST", "/api/v1/unseal", "{'passphrase':'second passphrase'}");
	ck_assert(!bool_at(w.doc, "unsealed"));
	clock_set(NOON + 300 + 299);
	ask(&w, "POST", "/api/v1/unseal", "{'passphrase':'first passphrase'}");
	ck_assert(bool_at(w.doc, "unsealed"));
	ck_assert_str_eq(text_at(w.doc, "by.0"), custodian_labels[1]);
	ck_assert_str_eq(text_at(w.doc, "by.1"), custodian_labels[0]);
	/* The session is still the same one. */
	ask(&w, "GET", "/api/v1/session", "");
	ck_assert_uint_eq(w.status, 200);
	ask(&w, "POST", "/api/v1/unseal", "{'passphrase':'first passphrase'}");
	ck_assert(bool_at(w.doc, "already"));
	world_end(&w);
}
END_TEST

START_TEST(drafts_and_views)
{
	char name[80], target[128];
	struct world w;

	world_begin(&w, ROLE_FILER);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ask(&w, "PUT", "/api/v1/drafts/d1",
		"{'content':{'series':'GEN','title':'半成品','fields':{'a':'b'}}}");
	ck_assert_uint_eq(w.status, 200);
	ck_assert_int_eq(int_at(w.doc, "version"), 1);
	ask(&w, "PUT", "/api/v1/drafts/d1", "{'version':1,'content':{'title':'x'}}");
	ck_assert_int_eq(int_at(w.doc, "version"), 2);
	ask(&w, "PUT", "/api/v1/drafts/d1", "{'version':1,'content':{'title':'y'}}");
	refused(&w, 409, "conflict");
	ck_assert_int_eq(int_at(w.doc, "version"), 2);
	ask(&w, "GET", "/api/v1/drafts/d1", "");
	ck_assert_str_eq(text_at(w.doc, "content.title"), "x");
	ask(&w, "GET", "/api/v1/drafts", "");
	ck_assert_uint_eq(count_at(w.doc, "drafts"), 1);
	ck_assert_str_eq(text_at(w.doc, "drafts.0.title"), "x");
	/* It is no record, and stands nowhere in clear. */
	ask(&w, "GET", "/api/v1/views/d1", "");
	refused(&w, 404, "notfound");
	ck_assert(!stands_anywhere(w.archive->path, "半成品"));
	ask(&w, "DELETE", "/api/v1/drafts/d1", "");
	ck_assert(bool_at(w.doc, "deleted"));
	ask(&w, "GET", "/api/v1/drafts/d1", "");
	refused(&w, 404, "notfound");
	ask(&w, "PUT", "/api/v1/views/%2e%2e", "{'content':{}}");
	refused(&w, 400, "invalid");
	memset(name, 'a', 65);
	name[65] = '\0';
	(void)snprintf(target, sizeof(target), "/api/v1/views/%s", name);
	ask(&w, "PUT", target, "{'content':{}}");
	refused(&w, 400, "invalid");
	(void)snprintf(target, sizeof(target), "/api/v1/views/%s", name + 1);
	ask(&w, "PUT", target, "{'content':{'query':'召回'}}");
	ck_assert_uint_eq(w.status, 200);
	/* Ninety days without a change, and a draft is gone; a view stays. */
	ask(&w, "PUT", "/api/v1/drafts/d2", "{'content':{}}");
	clock_set(NOON + 90 * 86400);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ask(&w, "GET", "/api/v1/drafts", "");
	ck_assert_uint_eq(count_at(w.doc, "drafts"), 0);
	ask(&w, "GET", "/api/v1/views", "");
	ck_assert_uint_eq(count_at(w.doc, "views"), 1);
	ck_assert_str_eq(text_at(w.doc, "views.0.query"), "召回");
	world_end(&w);
}
END_TEST

START_TEST(operators_keep_accounts)
{
	char target[128];
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w, ROLE_READER);
	ask(&w, "POST", "/api/v1/session", login_body(good, true));
	ask(&w, "POST", "/api/v1/accounts", "{'name':'林知远'}");
	refused(&w, 403, "denied");
	ck_ok(login_set_roles(w.archive->login, "u-00001", ROLE_OPERATOR, &err), err);
	ask(&w, "POST", "/api/v1/accounts", "{'name':'林知远'}");
	ck_assert_uint_eq(w.status, 200);
	ck_assert_str_eq(text_at(w.doc, "id"), "u-00002");
	/* An operator does not thereby read, but runs jobs. */
	ask(&w, "GET", "/api/v1/records", "");
	refused(&w, 403, "denied");
	ask(&w, "POST", "/api/v1/jobs", "{'verb':'compact'}");
	ck_assert_uint_eq(w.status, 202);
	/* Where the folder is, and which process, is nobody's affair over HTTP. */
	ask(&w, "GET", "/api/v1/status", "");
	ck_assert_ptr_nonnull(json_map_get(w.doc, "archive"));
	ck_assert_ptr_null(json_map_get(w.doc, "path"));
	ck_assert_ptr_null(json_map_get(w.doc, "pid"));
	ask(&w, "POST", "/api/v1/accounts/u-00002/password", "");
	ck_assert_uint_eq(strlen(text_at(w.doc, "password")), 24);
	ck_assert(bool_at(w.doc, "must_change"));
	ask(&w, "PUT", "/api/v1/accounts/u-00002/roles", "{'roles':['filer','reader']}");
	ck_assert_uint_eq(count_at(w.doc, "roles"), 2);
	ask(&w, "PUT", "/api/v1/accounts/u-00002/roles", "{'roles':['boss']}");
	refused(&w, 400, "invalid");
	ask(&w, "PUT", "/api/v1/accounts/u-00001/roles", "{'roles':['filer']}");
	refused(&w, 403, "denied");
	(void)snprintf(target, sizeof(target), "/api/v1/accounts/%s/unlock",
		"%E6%9E%97%E7%9F%A5%E8%BF%9C");
	ask(&w, "POST", target, "");
	ck_assert_str_eq(text_at(w.doc, "account"), "u-00002");
	ask(&w, "DELETE", "/api/v1/accounts/u-00002/second-factor", "");
	ck_assert_uint_eq(w.status, 200);
	ask(&w, "DELETE", "/api/v1/accounts/u-00001/sessions", "");
	ck_assert_int_eq(int_at(w.doc, "ended"), 1);
	ask(&w, "GET", "/api/v1/session", "");
	refused(&w, 401, "session");
	world_end(&w);
}
END_TEST

TESTS("www/session", operators_keep_accounts, in_and_out, bodies_of_all_kinds,
	events_end_with_the_session, too_often, enrolment_and_a_password_of_ones_own, readers_read,
	two_people_unseal, drafts_and_views)
