/* verbs_login.c - how accounts log in, seen by who keeps them; and one's own sessions. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/log.h"
#include "core/archive/login.h"
#include "core/archive/people.h"
#include "core/archive/say.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

#include <sodium.h>
#include <stdio.h>

/* ---- one's own sessions ---- */

enum { SESSION_ID_BYTES = 16 };

int verb_session_list(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	struct login_session list[LOGIN_SESSIONS_MAX];
	struct buf *b = call->reply;
	struct login *l;
	size_t count;
	int r = args_only(call, names, err);

	if (r == 0)
		r = login_of(a, &l, err);
	if (r < 0)
		return r;
	count = login_sessions(l, call->account, list);
	say_list(b, "sessions");
	for (size_t i = 0; i < count; i++) {
		say_map(b, NULL);
		say_hex(b, "session", list[i].id, SESSION_ID_BYTES);
		say_cstr(b, "from", list[i].peer);
		say_instant(b, "began", list[i].began);
		say_instant(b, "seen", list[i].seen);
		say_instant(b, "expires", list[i].ends);
		say_end_map(b);
	}
	say_end_list(b);
	return 0;
}

int verb_session_end(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "session", NULL };
	struct login_session list[LOGIN_SESSIONS_MAX];
	uint8_t id[SESSION_ID_BYTES];
	struct login *l;
	size_t count;
	int r;

	if ((r = args_only(call, names, err)) < 0 ||
		(r = json_need_hex(call->args, "session", id, sizeof(id), err)) < 0 ||
		(r = login_of(a, &l, err)) < 0)
		return r;
	count = login_sessions(l, call->account, list);
	for (size_t i = 0; i < count; i++) {
		if (memcmp(list[i].id, id, sizeof(id)) == 0)
			return login_end_one(l, list[i].id, err);
	}
	return err_set(err, ERR_NOTFOUND, tr("this account has no such session"));
}

/* ---- accounts ---- */

/* The account that a request means, and log-ins open. */
static int take_account(struct archive *a, const struct verb_call *call, struct login **ret,
	char ret_account[ACCOUNT_MAX + 1], struct err *err)
{
	struct str who;
	int r = json_need_text(call->args, "account", &who, err);

	if (r == 0)
		r = people_resolve(a->people, who, ret_account, err);
	return r < 0 ? r : login_of(a, ret, err);
}

static const char *actor(const struct verb_call *call)
{
	return call->account[0] ? call->account : "the command line";
}

int verb_account_password(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "account", "keep", NULL };
	_cleanup_(secret_freep) struct secret *password = NULL;
	char account[ACCOUNT_MAX + 1];
	bool keep = false;
	struct login *l;
	int r;

	if ((r = args_only(call, names, err)) < 0 ||
		(r = args_bool(call->args, "keep", &keep, err)) < 0 ||
		(r = take_account(a, call, &l, account, err)) < 0)
		return r;
	if (call->fd_count == 0)
		password = password_draw();
	else if ((r = verb_read_secret(call->fds[0], &password, err)) < 0)
		return r;
	/* Who may set a password that holds is the person, or whoever owns the machine. */
	if (keep && call->caller.origin != ACCESS_OWNER)
		return err_set(err, ERR_DENIED,
			tr("a password that somebody else chose must be changed at log-in"));
	r = login_give_password(l, account, password, !keep, err);
	if (r < 0)
		return r;
	log_line(LOG_LEVEL_NOTICE, "%s was given a password by %s", account, actor(call));
	say_cstr(call->reply, "account", account);
	say_bool(call->reply, "must_change", !keep);
	if (call->fd_count == 0)
		say_text(call->reply, "password",
			(struct str){ (const char *)password->p, password->n });
	return 0;
}

static int draw_totp(struct login *l, const char *account, struct buf *reply, struct err *err)
{
	_cleanup_(buf_wipe) struct buf text = BUF_INIT, uri = BUF_INIT;
	uint8_t secret[TOTP_SECRET_BYTES];
	int r;

	randombytes_buf(secret, sizeof(secret));
	r = login_give_totp(l, account, secret, true, err);
	if (r == 0) {
		login_say_totp(l, account, secret, &text, &uri);
		say_text(reply, "secret", buf_str(&text));
		say_text(reply, "uri", buf_str(&uri));
	}
	sodium_memzero(secret, sizeof(secret));
	return r;
}

static int show_code(struct login *l, const char *account, struct buf *reply, struct err *err)
{
	char code[TOTP_DIGITS + 1];
	int r = login_present_code(l, account, code, err);

	if (r < 0)
		return r;
	say_cstr(reply, "code", code);
	say_int(reply, "seconds", TOTP_PERIOD - clock_now() % TOTP_PERIOD);
	return 0;
}

int verb_account_totp(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "account", "action", NULL };
	char account[ACCOUNT_MAX + 1];
	struct str action = STR("reset");
	struct login *l;
	int r;

	if ((r = args_only(call, names, err)) < 0 ||
		(r = json_may_text(call->args, "action", &action, err)) < 0 ||
		(r = take_account(a, call, &l, account, err)) < 0)
		return r;
	say_cstr(call->reply, "account", account);
	if (str_is(action, "code"))
		return show_code(l, account, call->reply, err);
	if (str_is(action, "reset"))
		r = login_give_totp(l, account, NULL, false, err);
	else if (!str_is(action, "draw"))
		return err_set(err, ERR_INVALID, tr("'action' is 'reset', 'draw' or 'code'"));
	else if (call->caller.origin != ACCESS_OWNER)
		/* A second factor that an operator knows would be none. */
		return err_set(err, ERR_DENIED,
			tr("a second factor is drawn by the person at log-in, or on the command "
			   "line of the machine"));
	else
		r = draw_totp(l, account, call->reply, err);
	if (r == 0)
		log_line(LOG_LEVEL_NOTICE, "the second factor of %s was %s by %s", account,
			str_is(action, "reset") ? "taken away" : "drawn", actor(call));
	return r;
}

static int take_roles(const struct verb_call *call, unsigned *ret, struct err *err)
{
	const struct json *list;
	int r = json_need_list(call->args, "roles", &list, err);

	if (r < 0)
		return r;
	*ret = 0;
	for (size_t i = 0; i < json_list_count(list); i++) {
		const struct json *v = json_list_at(list, i);
		unsigned role =
			json_kind_of(v) == JSON_KIND_TEXT ? access_role_of(json_text(v)) : 0;

		if (!role)
			return err_set(
				err, ERR_INVALID, tr("a role is one of: reader, filer, operator"));
		*ret |= role;
	}
	return 0;
}

static void say_roles(struct buf *b, unsigned roles)
{
	say_list(b, "roles");
	for (unsigned role = 1; role <= ROLE_ALL; role <<= 1) {
		if (roles & role)
			say_item(b, str_of(access_role_word(role)));
	}
	say_end_list(b);
}

int verb_account_role(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "account", "roles", NULL };
	char account[ACCOUNT_MAX + 1];
	struct login *l;
	unsigned roles;
	int r;

	if ((r = args_only(call, names, err)) < 0 || (r = take_roles(call, &roles, err)) < 0 ||
		(r = take_account(a, call, &l, account, err)) < 0)
		return r;
	if (call->caller.origin != ACCESS_OWNER && strcmp(account, call->account) == 0)
		return err_set(err, ERR_DENIED,
			tr("nobody changes the own roles: another operator must do it"));
	r = login_set_roles(l, account, roles, err);
	if (r < 0)
		return r;
	log_line(LOG_LEVEL_NOTICE, "%s has the roles %s%s%s by %s", account,
		roles & ROLE_READER ? "reader " : "", roles & ROLE_FILER ? "filer " : "",
		roles & ROLE_OPERATOR ? "operator " : "", actor(call));
	say_cstr(call->reply, "account", account);
	say_roles(call->reply, roles);
	return 0;
}

int verb_account_unlock(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "account", NULL };
	char account[ACCOUNT_MAX + 1];
	struct login *l;
	int r;

	if ((r = args_only(call, names, err)) < 0 ||
		(r = take_account(a, call, &l, account, err)) < 0 ||
		(r = login_unlock(l, account, err)) < 0)
		return r;
	log_line(LOG_LEVEL_NOTICE, "%s was unlocked by %s", account, actor(call));
	say_cstr(call->reply, "account", account);
	return 0;
}

/* Of one account, or of everybody: after a token may have been stolen. */
int verb_account_end(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "account", NULL };
	char account[ACCOUNT_MAX + 1] = "";
	bool one = json_map_get(call->args, "account") != NULL;
	struct login *l;
	int r = args_only(call, names, err);

	if (r == 0)
		r = one ? take_account(a, call, &l, account, err) : login_of(a, &l, err);
	if (r < 0)
		return r;
	say_int(call->reply, "ended", login_end(l, one ? account : NULL, NULL));
	log_line(LOG_LEVEL_NOTICE, "the sessions of %s were ended by %s",
		one ? account : "everybody", actor(call));
	return 0;
}

/* What `account.list` says of log-ins, to those who keep accounts. */
void verb_say_login(
	struct archive *a, const struct verb_call *call, struct str account, struct buf *b)
{
	struct login_account look;
	char id[ACCOUNT_MAX + 1];
	struct login *l;

	if (!(a->flags & ARCHIVE_WRITABLE) || account.n > ACCOUNT_MAX ||
		access_check(a, &call->caller, ACCESS_ADMINISTER, NULL, NULL) < 0 ||
		login_of(a, &l, NULL) < 0)
		return;
	(void)snprintf(id, sizeof(id), "%.*s", STR_ARG(account));
	if (login_look(l, id, &look, NULL) < 0)
		return;
	say_roles(b, look.roles);
	say_bool(b, "password", look.has_password);
	say_bool(b, "must_change", look.must_change);
	say_bool(b, "second_factor", look.has_totp);
	say_int(b, "recovery_left", look.recovery_left);
	say_int(b, "failures", look.failures);
	say_int(b, "wait", look.wait);
	say_int(b, "sessions", look.sessions);
}
