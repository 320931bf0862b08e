/* login_enter.c - a password and a code are judged. See login.h.
 *
 * A try goes in three steps. *Charge*: is the account waiting? If not, the try is written down as a failure
 * before it is looked at; so any number of tries side by side are counted, and a crash forgives none.
 * *Check*: Argon2id, in turns, under no lock. *Settle*: against the row as it is now (the password may have
 * been changed, the code used, meanwhile), everything else is decided and written in one step; success
 * takes the charge back.
 *
 * A name that nobody has goes through the same steps, with a row of its own among STRANGERS rows and a password that
 * does not fit, so that neither answer nor time nor wait tells who has an account. */
#include "core/archive/login_inside.h"

#include "core/archive/log.h"
#include "core/archive/people.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/tr.h"

#include <sodium.h>
#include <stdio.h>

enum { STRANGERS = 1024 };

const char *login_outcome_word(enum login_outcome outcome)
{
	static const char *const words[] = { "in", "credentials", "second_factor", "enrol",
		"wait" };

	return words[outcome];
}

const char *login_outcome_text(enum login_outcome outcome)
{
	switch (outcome) {
	case LOGIN_IN:
		return tr("logged in");
	case LOGIN_CREDENTIALS:
		return tr("name or password is wrong");
	case LOGIN_SECOND_FACTOR:
		return tr("the code of the second factor is needed; each code serves once");
	case LOGIN_ENROL:
		return tr("set up the second factor: read the picture with an authenticator app, "
			  "and type the code that it shows");
	case LOGIN_WAIT:
		return tr("too many failed attempts; wait before you try again");
	}
	return "";
}

void login_answer_init(struct login_answer *answer)
{
	*answer = (struct login_answer){
		.outcome = LOGIN_CREDENTIALS, .secret = BUF_INIT, .uri = BUF_INIT
	};
}

void login_answer_done(struct login_answer *answer)
{
	buf_wipe(&answer->secret);
	buf_wipe(&answer->uri);
	sodium_memzero(answer->token, sizeof(answer->token));
	sodium_memzero(answer->recovery, sizeof(answer->recovery));
}

/* ---- one try ---- */

struct
try {
	struct login *login;
	struct str account; /* or "?" and a number */
	const struct secret *password;
	struct str code, from;
	bool enrol;
	bool may_skip_code;	  /* a session whose second factor is fresh */
	const struct secret *new; /* a change of the password, or NULL */
	struct login_answer *answer;

	char hash[PASSWORD_HASH_MAX];	  /* as it was when the try was charged */
	char new_hash[PASSWORD_HASH_MAX]; /* "": none */
	bool fits;
	bool is_waiting; /* the next try will have to wait */
};

static void try_done(struct try *t)
{
	sodium_memzero(t->hash, sizeof(t->hash));
	sodium_memzero(t->new_hash, sizeof(t->new_hash));
}

static int charge(void *context, struct credential *c, struct err *err)
{
	struct try *t = context;
	int64_t now = clock_now();

	(void)err;
	t->answer->retry_after = lock_wait(&c->lock, now);
	if (t->answer->retry_after > 0) {
		t->answer->outcome = LOGIN_WAIT;
		return 1;
	}
	memcpy(t->hash, c->hash, sizeof(t->hash));
	lock_fail(&c->lock, now);
	t->is_waiting = c->lock.until > now;
	return 0;
}

/* The charge was for nothing: the password was right, and no code was tried. */
static void take_charge_back(struct try *t, struct credential *c)
{
	if (c->lock.failures > 0)
		c->lock.failures--;
	c->lock.until = 0;
	t->is_waiting = false;
}

/* Work that costs the same whether there is a password or not. */
static int check(struct try *t, struct err *err)
{
	struct password_cost cost;
	uint8_t out[32];
	static const uint8_t salt[crypto_pwhash_SALTBYTES];
	int r = 0;

	login_cost(t->login, &cost);
	if (t->hash[0])
		t->fits = password_fits(t->password, t->hash);
	else if (crypto_pwhash(out, sizeof(out), (const char *)t->password->p, t->password->n, salt,
			 cost.passes, cost.bytes, crypto_pwhash_ALG_ARGON2ID13) < 0)
		r = err_set(err, ERR_LIMIT, tr("there is no memory to check a password"));
	sodium_memzero(out, sizeof(out));
	if (t->fits && t->new)
		r = password_hash(t->new, &cost, t->new_hash, err);
	else if (t->fits && password_needs_rehash(t->hash, &cost))
		r = password_hash(t->password, &cost, t->new_hash, err);
	return r;
}

static void give_recovery(struct try *t, struct credential *c)
{
	struct login_answer *answer = t->answer;

	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		recovery_draw(answer->recovery[i]);
		(void)recovery_hash(t->login->recovery_key->p, t->account,
			str_of(answer->recovery[i]), c->recovery[i]);
	}
	c->recovery_count = answer->recovery_count = RECOVERY_CODES;
}

/* No code was confirmed yet. */
static void settle_enrolment(struct try *t, struct credential *c)
{
	uint64_t step = 0;

	if (t->enrol && c->has_totp)
		step = totp_match(c->totp, t->code, clock_now(), 0);
	if (step > 0) {
		c->totp_confirmed = true;
		c->last_step = step;
		give_recovery(t, c);
		t->answer->outcome = LOGIN_IN;
		return;
	}
	if (!c->has_totp)
		randombytes_buf(c->totp, sizeof(c->totp));
	c->has_totp = true;
	t->answer->outcome = LOGIN_ENROL;
	if (t->code.n == 0 || !t->enrol)
		take_charge_back(t, c);
}

static void settle_code(struct try *t, struct credential *c)
{
	uint8_t hash[RECOVERY_HASH_BYTES];
	uint64_t step = totp_match(c->totp, t->code, clock_now(), c->last_step);

	t->answer->outcome = LOGIN_SECOND_FACTOR;
	if (t->code.n == 0 && t->may_skip_code) {
		t->answer->outcome = LOGIN_IN;
	} else if (t->code.n == 0) {
		take_charge_back(t, c);
	} else if (step > 0) {
		c->last_step = step;
		t->answer->outcome = LOGIN_IN;
	} else if (recovery_hash(t->login->recovery_key->p, t->account, t->code, hash) &&
		   recovery_use(c, hash)) {
		t->answer->used_recovery = true;
		t->answer->outcome = LOGIN_IN;
	}
}

static void say_enrolment(struct try *t, const struct credential *c)
{
	char account[48];

	(void)snprintf(account, sizeof(account), "%.*s", STR_ARG(t->account));
	login_say_totp(t->login, account, c->totp, &t->answer->secret, &t->answer->uri);
}

static int settle(void *context, struct credential *c, struct err *err)
{
	struct try *t = context;
	struct login_answer *answer = t->answer;

	(void)err;
	answer->outcome = LOGIN_CREDENTIALS;
	/* Bytes of one length, and no secret between two readings of one row. */
	if (!t->fits || c->roles == 0 || memcmp(t->hash, c->hash, sizeof(t->hash)) != 0)
		return 1;
	if (c->totp_confirmed)
		settle_code(t, c);
	else
		settle_enrolment(t, c);
	if (answer->outcome == LOGIN_ENROL)
		say_enrolment(t, c);
	if (answer->outcome == LOGIN_IN) {
		c->lock = (struct lock_count){ 0 };
		answer->recovery_left = (unsigned)c->recovery_count;
		if (t->new_hash[0])
			memcpy(c->hash, t->new_hash, sizeof(c->hash));
		if (t->new) {
			c->must_change = false;
			c->set_at = clock_now();
		}
	}
	return 0;
}

static int decide(struct try *t, struct err *err)
{
	int r = turns_take(t->login->turns, t->from, err);

	if (r < 0)
		return r;
	r = login_change(t->login, t->account, true, charge, t, err);
	if (r == 0)
		r = check(t, err);
	else if (r > 0)
		r = 1;
	turns_give(t->login->turns, t->from);
	if (r != 0)
		return r < 0 ? r : 0;
	r = login_change(t->login, t->account, true, settle, t, err);
	return r < 0 ? r : 0;
}

/* ---- log in ---- */

/* Which of the rows for strangers. */
static void stranger_of(struct login *l, struct str name, char ret[ACCOUNT_MAX + 1])
{
	uint8_t hash[16];

	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)name.p, name.n,
		l->stranger_key->p, l->stranger_key->n);
	(void)snprintf(ret, ACCOUNT_MAX + 1, "?%u", get_be32(hash) % STRANGERS);
}

static int enter(struct login *l, const struct login_request *q, struct login_answer *answer,
	struct err *err)
{
	char account[ACCOUNT_MAX + 1];
	struct err inner = ERR_INIT;
	struct try t = { .login = l,
		.password = q->password,
		.code = str_trim(q->code),
		.from = q->peer,
		.enrol = q->enrol,
		.answer = answer };
	int r = people_look(l->archive->people, q->name, account, &inner);

	if (r < 0 && r != -ERR_DENIED) {
		if (err)
			*err = inner;
		return r;
	}
	if (r < 0)
		stranger_of(l, q->name, account);
	t.account = str_of(account);
	r = decide(&t, err);
	try_done(&t);
	if (r < 0)
		return r;
	if (t.is_waiting && answer->outcome != LOGIN_IN && answer->outcome != LOGIN_WAIT)
		log_line(LOG_LEVEL_WARNING, "too many failed log-ins of %s, the last from %.*s",
			account[0] == '?' ? "a name that nobody has" : account, STR_ARG(q->peer));
	if (answer->outcome != LOGIN_IN) {
		log_line(LOG_LEVEL_INFO, "log-in of %s: %s", account[0] == '?' ? "nobody" : account,
			login_outcome_word(answer->outcome));
		return 0;
	}
	r = sessions_begin(
		l->sessions, account, q->language, q->peer, answer->token, &answer->session, err);
	if (r < 0)
		return r;
	log_line(LOG_LEVEL_NOTICE, "%s logged in%s", account,
		answer->used_recovery ? " with a recovery code" : "");
	return 0;
}

static int check_request(
	struct str name, const struct secret *password, struct str code, struct err *err)
{
	if (name.n == 0 || name.n > 4 * ACCOUNT_NAME_MAX || !password || password->n == 0 ||
		password->n > 4 * PASSWORD_MAX || code.n > 64)
		return err_set(err, ERR_INVALID, tr("a name and a password are needed"));
	return 0;
}

static void add_session_name(struct login *l, struct login_session *s)
{
	_cleanup_(buf_wipe) struct buf name = BUF_INIT;

	login_name(l, s->account, &name);
	if (name.n < sizeof(s->name))
		memcpy(s->name, name.p, name.n + 1);
}

int login_enter(struct archive *a, const struct login_request *request, struct login_answer *ret,
	struct err *err)
{
	struct login *l;
	int r = check_request(request->name, request->password, request->code, err);

	if (r == 0)
		r = login_enter_gate(a, &l, err);
	if (r < 0)
		return r;
	r = enter(l, request, ret, err);
	if (r == 0 && ret->outcome == LOGIN_IN) {
		ret->session.roles = login_roles(l, ret->session.account);
		ret->session.must_change = login_must_change(l, ret->session.account);
		add_session_name(l, &ret->session);
	}
	login_leave_gate(a);
	return r;
}

/* ---- a new password ---- */

static int change_password(
	struct login *l, const struct login_session *session, struct try *t, struct err *err)
{
	_cleanup_(buf_wipe) struct buf name = BUF_INIT;
	int r;

	login_name(l, session->account, &name);
	r = password_check(t->new, buf_str(&name), err);
	if (r < 0)
		return r;
	if (secret_equal(t->password, t->new))
		return err_set(err, ERR_INVALID, tr("the new password is the old one"));
	r = decide(t, err);
	if (r < 0 || t->answer->outcome != LOGIN_IN)
		return r;
	(void)sessions_end_all(l->sessions, session->account, session->id);
	if (t->code.n > 0)
		(void)sessions_prove(l->sessions, session->id, NULL);
	log_line(LOG_LEVEL_NOTICE, "%s has a new password", session->account);
	return 0;
}

int login_change_password(struct archive *a, const struct login_session *session,
	const struct secret *old, const struct secret *new, struct str code,
	enum login_outcome *ret_outcome, int64_t *ret_retry_after, struct err *err)
{
	struct login_answer answer;
	struct try t = { .account = str_of(session->account),
		.password = old,
		.new = new,
		.code = str_trim(code),
		.from = str_of(session->peer),
		.may_skip_code = clock_now() - session->proved < LOGIN_FRESH_SECONDS,
		.answer = &answer };
	int r = check_request(t.account, old, code, err);

	if (r == 0 && (!new || new->n == 0))
		r = err_set(err, ERR_INVALID, tr("a name and a password are needed"));
	if (r == 0)
		r = login_enter_gate(a, &t.login, err);
	if (r < 0)
		return r;
	login_answer_init(&answer);
	r = change_password(t.login, session, &t, err);
	login_leave_gate(a);
	if (r == 0) {
		*ret_outcome = answer.outcome;
		*ret_retry_after = answer.retry_after;
	}
	login_answer_done(&answer);
	try_done(&t);
	return r;
}
