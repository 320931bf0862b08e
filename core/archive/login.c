/* login.c - log-ins as they are kept: opening, roles, and what an operator may do to them. See login.h.
 *
 * The row in state.db is what counts; `known` repeats of it what every request asks (roles, must_change). A change goes
 * through login_change alone, which writes the one and then the other. */
#include "core/archive/login.h"

#include "core/archive/log.h"
#include "core/archive/login_inside.h"
#include "core/archive/people.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	RUNNING_MAX = 2, /* passwords that are checked at a time */
	WAITING_MAX = 4,
	EACH_MAX = 3, /* of these, from one address */
	TIDY_SECONDS = 30
};

struct known {
	struct known *next;
	char account[48];
	char name[LOGIN_NAME_ROOM]; /* "": not asked for yet */
	unsigned roles;
	bool must_change;
};

/* ---- what is known ---- */

static void know(struct login *l, struct str account, const struct credential *c)
{
	struct known *k;

	(void)pthread_mutex_lock(&l->known_lock);
	for (k = l->known; k && !str_is(account, k->account); k = k->next)
		;
	if (!k && account.n < sizeof(k->account)) {
		k = xcalloc(1, sizeof(*k));
		memcpy(k->account, account.p, account.n);
		k->next = l->known;
		l->known = k;
	}
	if (k) {
		k->roles = c->roles;
		k->must_change = c->must_change;
	}
	(void)pthread_mutex_unlock(&l->known_lock);
}

static bool recall(struct login *l, const char *account, unsigned *ret_roles, bool *ret_must_change)
{
	const struct known *k;

	(void)pthread_mutex_lock(&l->known_lock);
	for (k = l->known; k && strcmp(k->account, account) != 0; k = k->next)
		;
	if (k) {
		*ret_roles = k->roles;
		*ret_must_change = k->must_change;
	}
	(void)pthread_mutex_unlock(&l->known_lock);
	return k != NULL;
}

unsigned login_roles(struct login *l, const char *account)
{
	unsigned roles = 0;
	bool must_change;

	(void)recall(l, account, &roles, &must_change);
	return roles;
}

bool login_must_change(struct login *l, const char *account)
{
	unsigned roles;
	bool must_change = false;

	(void)recall(l, account, &roles, &must_change);
	return must_change;
}

/* Names that nobody has keep their failures in rows of their own, which begin so and end by themselves. */
static bool is_stranger(struct str account)
{
	return account.n > 0 && account.p[0] == '?';
}

static int take_row(void *context, const struct state_row *row, struct err *err)
{
	struct login *l = context;
	_cleanup_(credential_done) struct credential c = { .roles = 0 };

	(void)err;
	if (!is_stranger(row->owner) && credential_parse(row->value, &c, NULL) == 0)
		know(l, row->owner, &c);
	return 0;
}

/* ---- changing ---- */

struct changing {
	login_changer *change;
	void *context;
	struct credential *credential;
	bool may_make, is_stranger;
};

static int change_row(void *context, const struct state_row *now, struct buf *value, int64_t *ends,
	struct err *err)
{
	struct changing *g = context;
	int r;

	if (!now && !g->may_make)
		return err_set(err, ERR_NOTFOUND,
			tr("this account cannot log in: give it a password with 'muniment account "
			   "password'"));
	if (now) {
		r = credential_parse(now->value, g->credential, err);
		if (r < 0)
			return r;
	}
	r = g->change(g->context, g->credential, err);
	if (r != 0)
		return r;
	*ends = g->is_stranger ? clock_now() + LOCK_FORGET_SECONDS : 0;
	credential_write(g->credential, value);
	return 0;
}

int login_change(struct login *l, struct str account, bool may_make, login_changer *change,
	void *context, struct err *err)
{
	_cleanup_(credential_done) struct credential c = { .roles = 0 };
	struct changing g = { change, context, &c, may_make, is_stranger(account) };
	int r;

	(void)pthread_mutex_lock(&l->change_lock);
	r = state_change(l->state, STATE_LOGIN, account, STR(""), change_row, &g, err);
	if (r == 0 && !g.is_stranger)
		know(l, account, &c);
	(void)pthread_mutex_unlock(&l->change_lock);
	return r;
}

void login_cost(struct login *l, struct password_cost *ret)
{
	struct settings *s = l->archive->settings;

	ret->passes = (uint64_t)settings_int(s, SETTING_LOGIN_PASSES);
	ret->bytes = (size_t)settings_int(s, SETTING_LOGIN_MIB) << 20;
}

void login_name(struct login *l, const char *account, struct buf *ret)
{
	people_name(l->archive->people, str_of(account), ret);
}

/* ---- opening ---- */

static struct secret *subkey(const struct secret *key, const char *name)
{
	struct secret *s = secret_new(KEY_BYTES);

	(void)crypto_generichash(s->p, s->n, (const uint8_t *)name, strlen(name), key->p, key->n);
	return s;
}

static int open_inner(struct login *l, struct err *err)
{
	struct archive *a = l->archive;
	_cleanup_(secret_freep) struct secret *key = NULL;
	_cleanup_(secret_freep) struct secret *tokens = NULL;
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct session_limits limits = { settings_int(a->settings, SETTING_LOGIN_IDLE_MINUTES) * 60,
		settings_int(a->settings, SETTING_LOGIN_HOURS) * 3600 };
	int r = keys_purpose(store_keys(a->store), "state", &key, err);

	if (r < 0)
		return r;
	tokens = subkey(key, "muniment session token 1");
	l->recovery_key = subkey(key, "muniment recovery 1");
	l->stranger_key = subkey(key, "muniment stranger 1");
	archive_path(a, STATE_FILE, &path);
	r = state_open(path.p, store_archive(a->store), key, &l->state, err);
	if (r == 0)
		r = state_expire(l->state, err);
	if (r >= 0)
		r = state_each(l->state, STATE_LOGIN, (struct str){ NULL, 0 }, take_row, l, err);
	if (r >= 0)
		r = sessions_new(l->state, tokens->p, &limits, &l->sessions, err);
	return r < 0 ? r : 0;
}

/* ---- now and then ---- */

static void *keep_tidy(void *context)
{
	struct login *l = context;

	(void)pthread_mutex_lock(&l->tidy_lock);
	while (!l->ending) {
		int64_t until = clock_ticks() + (int64_t)TIDY_SECONDS * 1000000000;
		struct timespec t = { .tv_sec = (time_t)(until / 1000000000) };

		if (pthread_cond_timedwait(&l->end, &l->tidy_lock, &t) == 0)
			continue;
		(void)pthread_mutex_unlock(&l->tidy_lock);
		login_tidy(l);
		(void)pthread_mutex_lock(&l->tidy_lock);
	}
	(void)pthread_mutex_unlock(&l->tidy_lock);
	return NULL;
}

static void start_tidying(struct login *l)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&l->tidy_lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&l->end, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (l->sessions && (l->archive->flags & ARCHIVE_RESIDENT))
		l->has_thread = pthread_create(&l->thread, NULL, keep_tidy, l) == 0;
}

static void end_tidying(struct login *l)
{
	(void)pthread_mutex_lock(&l->tidy_lock);
	l->ending = true;
	(void)pthread_cond_signal(&l->end);
	(void)pthread_mutex_unlock(&l->tidy_lock);
	if (l->has_thread)
		(void)pthread_join(l->thread, NULL);
	(void)pthread_cond_destroy(&l->end);
	(void)pthread_mutex_destroy(&l->tidy_lock);
}

int login_open(struct archive *a, struct login **ret, struct err *err)
{
	struct login *l = xcalloc(1, sizeof(*l));
	int r;

	(void)pthread_mutex_init(&l->change_lock, NULL);
	(void)pthread_mutex_init(&l->known_lock, NULL);
	l->archive = a;
	l->turns = turns_new(RUNNING_MAX, WAITING_MAX, EACH_MAX);
	r = open_inner(l, err);
	start_tidying(l);
	if (r < 0)
		login_close(l);
	else
		*ret = l;
	return r;
}

void login_close(struct login *l)
{
	if (!l)
		return;
	end_tidying(l);
	sessions_free(l->sessions);
	state_close(l->state);
	turns_free(l->turns);
	secret_free(l->recovery_key);
	secret_free(l->stranger_key);
	while (l->known) {
		struct known *k = l->known;

		l->known = k->next;
		free(k);
	}
	(void)pthread_mutex_destroy(&l->known_lock);
	(void)pthread_mutex_destroy(&l->change_lock);
	free(l);
}

/* Opened by whoever needs it first: most commands do not. */
int login_of(struct archive *a, struct login **ret, struct err *err)
{
	int r = 0;

	if (!(a->flags & ARCHIVE_WRITABLE))
		return err_set(err, ERR_UNSUPPORTED,
			tr("the archive was opened for reading only: nobody can log in"));
	(void)pthread_mutex_lock(&a->login_lock);
	if (!a->login)
		r = login_open(a, &a->login, err);
	atomic_store(&a->login_failed, r < 0);
	*ret = a->login;
	(void)pthread_mutex_unlock(&a->login_lock);
	return r;
}

struct state *login_state(struct login *l)
{
	return l->state;
}

/* ---- sessions ---- */

int login_enter_gate(struct archive *a, struct login **ret, struct err *err)
{
	int r;

	(void)pthread_rwlock_rdlock(&a->gate);
	if (store_is_sealed(a->store))
		r = err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it"));
	else
		r = login_of(a, ret, err);
	if (r < 0)
		(void)pthread_rwlock_unlock(&a->gate);
	return r;
}

void login_leave_gate(struct archive *a)
{
	(void)pthread_rwlock_unlock(&a->gate);
}

/* The name of who is logged in; looked up once. */
static void add_name(struct login *l, struct login_session *s)
{
	_cleanup_(buf_wipe) struct buf name = BUF_INIT;
	struct known *k;

	(void)pthread_mutex_lock(&l->known_lock);
	for (k = l->known; k && strcmp(k->account, s->account) != 0; k = k->next)
		;
	if (k)
		memcpy(s->name, k->name, sizeof(s->name));
	(void)pthread_mutex_unlock(&l->known_lock);
	if (!k || s->name[0])
		return;
	login_name(l, s->account, &name);
	if (name.n == 0 || name.n >= sizeof(s->name))
		return;
	memcpy(s->name, name.p, name.n + 1);
	(void)pthread_mutex_lock(&l->known_lock);
	memcpy(k->name, s->name, sizeof(k->name)); /* nobody leaves the list while it is open */
	(void)pthread_mutex_unlock(&l->known_lock);
}

int login_session(struct archive *a, struct str token, struct login_session *ret, struct err *err)
{
	struct login_session s;
	struct login *l = NULL;
	int r = 0;

	/* Who seals or unseals may wait for long verbs; this must not. */
	if (pthread_rwlock_tryrdlock(&a->gate) != 0)
		return err_set(err, ERR_SEALED,
			tr("the archive is being sealed or unsealed; try again in a moment"));
	if (store_is_sealed(a->store))
		r = err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it"));
	if (r == 0)
		r = login_of(a, &l, err);
	if (r == 0)
		r = sessions_find(l->sessions, token, &s, err);
	if (r == 0 && (!recall(l, s.account, &s.roles, &s.must_change) || !s.roles))
		r = err_set(err, ERR_NOTFOUND, tr("this account cannot log in any more"));
	if (r == 0)
		add_name(l, &s);
	login_leave_gate(a);
	if (r == 0)
		*ret = s;
	return r;
}

bool login_is_live(struct archive *a, const struct login_session *session)
{
	struct login *l = NULL;
	bool live = true;

	if (pthread_rwlock_tryrdlock(&a->gate) != 0)
		return true;
	if (!store_is_sealed(a->store) && login_of(a, &l, NULL) == 0)
		live = sessions_is_live(l->sessions, session->id) &&
		       login_roles(l, session->account) != 0;
	login_leave_gate(a);
	return live;
}

void login_caller(const struct login_session *session, struct access_caller *ret)
{
	*ret = (struct access_caller){ .origin = ACCESS_SESSION };
	memcpy(ret->account, session->account, sizeof(ret->account));
}

int login_leave(struct archive *a, const struct login_session *session, struct err *err)
{
	struct login *l = NULL;
	int r = login_enter_gate(a, &l, err);

	if (r < 0)
		return r;
	r = sessions_end(l->sessions, session->id, err);
	login_leave_gate(a);
	return r;
}

int login_set_language(struct archive *a, const struct login_session *session,
	enum tr_language language, struct err *err)
{
	struct login *l = NULL;
	int r = login_enter_gate(a, &l, err);

	if (r < 0)
		return r;
	r = sessions_set_language(l->sessions, session->id, language, err);
	login_leave_gate(a);
	return r;
}

size_t login_sessions(
	struct login *l, const char *account, struct login_session ret[LOGIN_SESSIONS_MAX])
{
	size_t count = sessions_list(l->sessions, account, ret);

	for (size_t i = 0; i < count; i++)
		(void)recall(l, account, &ret[i].roles, &ret[i].must_change);
	return count;
}

int login_end_one(struct login *l, const uint8_t id[LOGIN_HASH_BYTES], struct err *err)
{
	return sessions_end(l->sessions, id, err);
}

unsigned login_end(struct login *l, const char *account, const uint8_t *keep)
{
	return sessions_end_all(l->sessions, account, keep);
}

void login_tidy(struct login *l)
{
	sessions_tidy(l->sessions, LOGIN_SEEN_SECONDS);
	(void)state_expire(l->state, NULL);
}

/* ---- what an operator does ---- */

static int copy_out(void *context, struct credential *c, struct err *err)
{
	(void)err;
	*(struct credential *)context = *c;
	return 1;
}

int login_look(struct login *l, const char *account, struct login_account *ret, struct err *err)
{
	_cleanup_(credential_done) struct credential c = { .roles = 0 };
	struct login_session list[LOGIN_SESSIONS_MAX];
	int r = login_change(l, str_of(account), false, copy_out, &c, NULL);

	*ret = (struct login_account){ .roles = 0 };
	if (r == -ERR_NOTFOUND)
		return 0;
	if (r < 0)
		return err_set(err, -r, tr("the log-in of an account is damaged"));
	ret->roles = c.roles;
	ret->has_password = c.hash[0] != '\0';
	ret->must_change = c.must_change;
	ret->has_totp = c.totp_confirmed;
	ret->password_set = c.set_at;
	ret->failures = c.lock.failures;
	ret->wait = lock_wait(&c.lock, clock_now());
	ret->recovery_left = (unsigned)c.recovery_count;
	ret->sessions = (unsigned)sessions_list(l->sessions, account, list);
	return 0;
}

static int set_roles(void *context, struct credential *c, struct err *err)
{
	(void)err;
	c->roles = *(const unsigned *)context;
	return 0;
}

int login_set_roles(struct login *l, const char *account, unsigned roles, struct err *err)
{
	int r = login_change(l, str_of(account), true, set_roles, &roles, err);

	if (r == 0 && roles == 0)
		(void)login_end(l, account, NULL);
	return r;
}

struct giving {
	const char *hash;
	bool must_change;
	const uint8_t *totp;
	bool confirmed;
};

static int give_password(void *context, struct credential *c, struct err *err)
{
	const struct giving *g = context;

	(void)err;
	if (!c->hash[0] && !c->roles)
		c->roles = ROLE_READER;
	memcpy(c->hash, g->hash, sizeof(c->hash));
	c->must_change = g->must_change;
	c->set_at = clock_now();
	c->lock = (struct lock_count){ 0 };
	return 0;
}

int login_give_password(struct login *l, const char *account, const struct secret *password,
	bool must_change, struct err *err)
{
	_cleanup_(buf_wipe) struct buf name = BUF_INIT;
	char hash[PASSWORD_HASH_MAX];
	struct giving g = { .hash = hash, .must_change = must_change };
	struct password_cost cost;
	int r;

	login_name(l, account, &name);
	login_cost(l, &cost);
	r = password_check(password, buf_str(&name), err);
	if (r == 0)
		r = turns_take(l->turns, STR(""), err);
	if (r < 0)
		return r;
	r = password_hash(password, &cost, hash, err);
	turns_give(l->turns, STR(""));
	if (r == 0)
		r = login_change(l, str_of(account), true, give_password, &g, err);
	if (r == 0)
		(void)login_end(l, account, NULL);
	sodium_memzero(hash, sizeof(hash));
	return r;
}

static int give_totp(void *context, struct credential *c, struct err *err)
{
	const struct giving *g = context;

	(void)err;
	c->has_totp = g->totp != NULL;
	c->totp_confirmed = g->totp && g->confirmed;
	if (g->totp)
		memcpy(c->totp, g->totp, sizeof(c->totp));
	else
		sodium_memzero(c->totp, sizeof(c->totp));
	c->last_step = 0;
	c->recovery_count = 0;
	sodium_memzero(c->recovery, sizeof(c->recovery));
	return 0;
}

int login_give_totp(struct login *l, const char *account, const uint8_t *secret, bool confirmed,
	struct err *err)
{
	struct giving g = { .totp = secret, .confirmed = confirmed };
	int r = login_change(l, str_of(account), true, give_totp, &g, err);

	if (r == 0)
		(void)login_end(l, account, NULL);
	return r;
}

void login_say_totp(struct login *l, const char *account, const uint8_t *secret,
	struct buf *ret_text, struct buf *ret_uri)
{
	_cleanup_(buf_wipe) struct buf name = BUF_INIT;
	char issuer[32], id[2 * 4 + 1];

	login_name(l, account, &name);
	hex_encode(store_archive(l->archive->store)->b, 4, id);
	(void)snprintf(issuer, sizeof(issuer), "Muniment %s", id);
	totp_secret_text(secret, ret_text);
	totp_uri(secret, str_of(issuer), buf_str(&name), ret_uri);
}

int login_present_code(
	struct login *l, const char *account, char ret[TOTP_DIGITS + 1], struct err *err)
{
	_cleanup_(credential_done) struct credential c = { .roles = 0 };
	int r;

	if (!archive_is_demonstration(l->archive))
		return err_set(err, ERR_DENIED,
			tr("codes are shown for demonstration archives only; here they come from "
			   "the person's own app"));
	r = login_change(l, str_of(account), false, copy_out, &c, err);
	if (r < 0)
		return r;
	if (!c.has_totp)
		return err_set(err, ERR_NOTFOUND, tr("this account has no second factor yet"));
	totp_code(c.totp, clock_now(), ret);
	return 0;
}

static int unlock(void *context, struct credential *c, struct err *err)
{
	(void)context;
	(void)err;
	c->lock = (struct lock_count){ 0 };
	return 0;
}

int login_unlock(struct login *l, const char *account, struct err *err)
{
	return login_change(l, str_of(account), false, unlock, NULL, err);
}
