/* api_session.c - logging in and out, one's own password and sessions; and the two steps of unsealing,
 * which come before.
 *
 * What is decided, core/archive/login.h decides; here it becomes statuses and a cookie. A log-in that is
 * refused is 401 with the reason as `code`: "credentials", "second_factor", "enrol" (with what the
 * authenticator app needs); 429 "wait" with Retry-After; 503 "busy" with Retry-After. */
#include "www/inside.h"

#include "core/archive/desk.h"
#include "core/archive/login.h"
#include "core/archive/qr.h"

#include <sodium.h>
#include <unistd.h>

/* ---- secrets of a body ---- */

/* Out of the body into locked memory; what the parser kept of it is wiped. */
static int take_secret(
	const struct json *body, const char *name, struct secret **ret, struct err *err)
{
	struct str text;
	int r = json_need_text(body, name, &text, err);

	if (r < 0)
		return r;
	*ret = text.n > 0 ? secret_copy(text.p, text.n) : NULL;
	/* The document is ours, and nobody looks at this member again. */
	sodium_memzero((void *)(uintptr_t)text.p, text.n);
	return 0;
}

static int only(const struct json *body, const char *const *names, size_t n, struct err *err)
{
	return json_only_members(body, names, n, err);
}

/* ---- answers ---- */

static void set_cookie(struct exchange *x, const char *token)
{
	exchange_set(x, "Set-Cookie", "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s",
		SESSION_COOKIE, token, token[0] ? "" : "; Max-Age=0");
}

static void say_session(struct exchange *x, const struct login_session *s)
{
	struct buf *b = &x->reply;

	say_cstr(b, "account", s->account);
	say_cstr(b, "name", s->name);
	say_cstr(b, "role", access_main_role(s->roles));
	say_list(b, "roles");
	for (unsigned role = 1; role <= ROLE_ALL; role <<= 1) {
		if (s->roles & role)
			say_item(b, str_of(access_role_word(role)));
	}
	say_end_list(b);
	say_bool(b, "must_change", s->must_change);
	say_cstr(b, "language", tr_language_name(s->language));
	say_instant(b, "began", s->began);
	say_instant(b, "expires", s->ends);
}

static int say_enrolment(struct exchange *x, const struct login_answer *answer, struct err *err)
{
	_cleanup_(freep) struct qr *qr = xcalloc(1, sizeof(*qr));
	_cleanup_(buf_wipe) struct buf svg = BUF_INIT;
	int r = qr_make(buf_str(&answer->uri), qr, err);

	if (r < 0)
		return r;
	qr_svg(qr, &svg);
	say_map(&x->reply, "enrol");
	say_text(&x->reply, "uri", buf_str(&answer->uri));
	say_text(&x->reply, "secret", buf_str(&answer->secret));
	say_text(&x->reply, "qr", buf_str(&svg));
	say_end_map(&x->reply);
	return 0;
}

/* Refused: the reason is the problem's code. */
static int refuse(struct exchange *x, enum login_outcome outcome, int64_t retry, struct err *err)
{
	x->fail_code = login_outcome_word(outcome);
	x->fail_status = outcome == LOGIN_WAIT ? 429 : 401;
	if (outcome == LOGIN_WAIT) {
		exchange_set(x, "Retry-After", "%lld", (long long)retry);
		say_int(&x->reply, "retry_after", retry);
	}
	return err_set(err, ERR_DENIED, "%s", login_outcome_text(outcome));
}

static int busy(struct exchange *x, int r)
{
	if (r == -ERR_BUSY)
		exchange_set(x, "Retry-After", "%d", LOGIN_RETRY_SECONDS);
	return r;
}

static int answer_login(struct exchange *x, const struct login_answer *answer, struct err *err)
{
	if (answer->outcome == LOGIN_ENROL) {
		int r = say_enrolment(x, answer, err);

		if (r < 0)
			return r;
	}
	if (answer->outcome != LOGIN_IN)
		return refuse(x, answer->outcome, answer->retry_after, err);
	/* The cookie of before is gone from the browser: its session goes, too. */
	if (x->has_session)
		(void)login_leave(x->www->archive, &x->session, NULL);
	set_cookie(x, answer->token);
	x->status = 201;
	buf_addc(&x->reply, '{');
	say_session(x, &answer->session);
	say_int(&x->reply, "recovery_left", answer->recovery_left);
	if (answer->recovery_count > 0) {
		say_list(&x->reply, "recovery");
		for (unsigned i = 0; i < answer->recovery_count; i++)
			say_item(&x->reply, str_of(answer->recovery[i]));
		say_end_list(&x->reply);
	}
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return 0;
}

/* ---- log in, log out ---- */

static int log_in(struct exchange *x, bool enrol, struct err *err)
{
	static const char *const names[] = { "name", "password", "code", "language" };
	_cleanup_(login_answer_done) struct login_answer answer;
	_cleanup_(secret_freep) struct secret *password = NULL;
	struct login_request q = {
		.peer = str_of(x->peer), .code = STR(""), .language = x->language, .enrol = enrol
	};
	struct str language = STR("");
	const struct json *body;
	int r;

	login_answer_init(&answer);
	if ((r = exchange_json(x, &body, err)) < 0 ||
		(r = only(body, names, ARRAY_LEN(names), err)) < 0 ||
		(r = json_need_text(body, "name", &q.name, err)) < 0 ||
		(r = json_may_text(body, "code", &q.code, err)) < 0 ||
		(r = json_may_text(body, "language", &language, err)) < 0 ||
		(r = take_secret(body, "password", &password, err)) < 0)
		return r;
	q.password = password;
	if (language.n > 0)
		q.language = str_is(language, "en") ? TR_EN : TR_ZH;
	r = login_enter(x->www->archive, &q, &answer, err);
	return r < 0 ? busy(x, r) : answer_login(x, &answer, err);
}

static int post_session(struct exchange *x, struct err *err)
{
	return log_in(x, false, err);
}

static int post_enrol(struct exchange *x, struct err *err)
{
	return log_in(x, true, err);
}

static int get_session(struct exchange *x, struct err *err)
{
	(void)err;
	buf_addc(&x->reply, '{');
	say_session(x, &x->session);
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return 0;
}

static int delete_session(struct exchange *x, struct err *err)
{
	int r = login_leave(x->www->archive, &x->session, err);

	if (r < 0)
		return r;
	set_cookie(x, "");
	x->status = 204;
	return 0;
}

static int patch_session(struct exchange *x, struct err *err)
{
	static const char *const names[] = { "language" };
	struct login_session s = x->session;
	struct str language;
	const struct json *body;
	int r;

	if ((r = exchange_json(x, &body, err)) < 0 ||
		(r = only(body, names, ARRAY_LEN(names), err)) < 0 ||
		(r = json_need_text(body, "language", &language, err)) < 0)
		return r;
	if (!str_is(language, "zh") && !str_is(language, "en")) {
		say_cstr(&x->reply, "field", "language");
		return err_set(err, ERR_INVALID, tr("the language is 'zh' or 'en'"));
	}
	s.language = str_is(language, "en") ? TR_EN : TR_ZH;
	r = login_set_language(x->www->archive, &s, s.language, err);
	if (r < 0)
		return r;
	buf_addc(&x->reply, '{');
	say_session(x, &s);
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return 0;
}

static int post_password(struct exchange *x, struct err *err)
{
	static const char *const names[] = { "old", "new", "code" };
	_cleanup_(secret_freep) struct secret *old = NULL;
	_cleanup_(secret_freep) struct secret *new = NULL;
	enum login_outcome outcome;
	struct str code = STR("");
	const struct json *body;
	int64_t retry;
	int r;

	if ((r = exchange_json(x, &body, err)) < 0 ||
		(r = only(body, names, ARRAY_LEN(names), err)) < 0 ||
		(r = json_may_text(body, "code", &code, err)) < 0 ||
		(r = take_secret(body, "old", &old, err)) < 0 ||
		(r = take_secret(body, "new", &new, err)) < 0)
		return r;
	r = login_change_password(
		x->www->archive, &x->session, old, new, code, &outcome, &retry, err);
	if (r == -ERR_INVALID)
		say_cstr(&x->reply, "field", "new");
	if (r < 0)
		return busy(x, r);
	if (outcome != LOGIN_IN)
		return refuse(x, outcome, retry, err);
	x->status = 204;
	return 0;
}

/* ---- unsealing ---- */

/* The first of two people gets until when the other has time; the second opens the archive. */
static int post_unseal(struct exchange *x, struct err *err)
{
	static const char *const names[] = { "passphrase" };
	_cleanup_(secret_freep) struct secret *passphrase = NULL;
	const struct json *body;
	int fd, r;

	if ((r = exchange_json(x, &body, err)) < 0 ||
		(r = only(body, names, ARRAY_LEN(names), err)) < 0 ||
		(r = take_secret(body, "passphrase", &passphrase, err)) < 0)
		return r;
	if (!passphrase)
		return err_set(err, ERR_INVALID, tr("the passphrase is empty"));
	fd = desk_secret_fd(passphrase, err);
	if (fd < 0)
		return fd;
	buf_addc(&x->reply, '{');
	r = www_verb(x, "unseal", STR(""), &fd, 1, &x->reply, err);
	(void)close(fd);
	if (r == -ERR_CRYPTO)
		x->fail_code = "credentials";
	if (r < 0)
		return busy(x, r);
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return 0;
}

static const struct route routes[] = {
	{ METHOD_POST, "/api/v1/unseal", ROUTE_PUBLIC, .run = post_unseal, .flags = ROUTE_JSON },
	{ METHOD_POST, "/api/v1/session", ROUTE_PUBLIC, .run = post_session, .flags = ROUTE_JSON },
	{ METHOD_POST, "/api/v1/session/enrol", ROUTE_PUBLIC, .run = post_enrol,
		.flags = ROUTE_JSON },
	{ METHOD_GET, "/api/v1/session", ROUTE_SESSION, .run = get_session },
	{ METHOD_DELETE, "/api/v1/session", ROUTE_SESSION, .run = delete_session },
	{ METHOD_PATCH, "/api/v1/session", ROUTE_SESSION, .run = patch_session,
		.flags = ROUTE_JSON },
	{ METHOD_POST, "/api/v1/session/password", ROUTE_SESSION, .run = post_password,
		.flags = ROUTE_JSON },
	{ METHOD_GET, "/api/v1/sessions", ROUTE_SESSION, .verb = "session.list" },
	{ METHOD_DELETE, "/api/v1/sessions/{session}", ROUTE_SESSION, .verb = "session.end" },
};
const struct route_group api_session = { routes, ARRAY_LEN(routes) };
