/* session.c - see session.h.
 *
 * A handful of sessions for each of some hundred people: a hash table from the first 16 bytes of a token's hash, and a
 * list. A stranger cannot choose what a token hashes to, so the table cannot be made slow. */
#include "core/archive/session.h"

#include "core/archive/state.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/map.h"
#include "core/base/tr.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION = 1, HEAD = 2 + 8 + 8 + 8 + 1 };

struct session {
	struct login_session s;
	int64_t kept; /* `seen` as it is on disk */
	struct session *next, **link;
};

struct sessions {
	pthread_mutex_t lock;
	struct state *state;
	struct session_limits limits;
	struct secret *key;
	struct map by_hash;
	struct session *first;
};

/* ---- bytes ---- */

bool token_parse(struct str text, uint8_t ret[LOGIN_TOKEN_BYTES])
{
	size_t n = 0;
	const char *end = NULL;

	return text.n == LOGIN_TOKEN_TEXT - 1 &&
	       sodium_base642bin(ret, LOGIN_TOKEN_BYTES, text.p, text.n, NULL, &n, &end,
		       sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       n == LOGIN_TOKEN_BYTES && end == text.p + text.n;
}

void session_write(const struct login_session *session, struct buf *ret)
{
	size_t n = strnlen(session->peer, LOGIN_PEER_MAX - 1);

	buf_addc(ret, VERSION);
	buf_addc(ret, (char)session->language);
	buf_add_be64(ret, (uint64_t)session->began);
	buf_add_be64(ret, (uint64_t)session->seen);
	buf_add_be64(ret, (uint64_t)session->proved);
	buf_addc(ret, (char)n);
	buf_add(ret, session->peer, n);
}

int session_parse(struct str bytes, struct login_session *ret, struct err *err)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	struct login_session s = { .roles = 0 };

	if (bytes.n < HEAD || p[0] != VERSION || p[1] > TR_EN || p[26] >= LOGIN_PEER_MAX ||
		bytes.n != HEAD + (size_t)p[26] || get_be64(p + 2) > INT64_MAX / 2 ||
		get_be64(p + 10) > INT64_MAX / 2 || get_be64(p + 18) > INT64_MAX / 2 ||
		memchr(p + HEAD, '\0', p[26]))
		return err_set(err, ERR_CORRUPT, tr("a session is damaged"));
	s.language = (enum tr_language)p[1];
	s.began = (int64_t)get_be64(p + 2);
	s.seen = (int64_t)get_be64(p + 10);
	s.proved = (int64_t)get_be64(p + 18);
	memcpy(s.peer, p + HEAD, p[26]);
	*ret = s;
	return 0;
}

/* ---- the table; the lock is held ---- */

static void hash_token(const struct sessions *s, const uint8_t token[LOGIN_TOKEN_BYTES],
	uint8_t ret[LOGIN_HASH_BYTES])
{
	(void)crypto_generichash(
		ret, LOGIN_HASH_BYTES, token, LOGIN_TOKEN_BYTES, s->key->p, s->key->n);
}

static int64_t end_of(const struct sessions *s, const struct login_session *l)
{
	int64_t idle = l->seen + s->limits.idle, whole = l->began + s->limits.whole;

	return idle < whole ? idle : whole;
}

static struct session *insert(struct sessions *s, const struct login_session *l)
{
	struct session *at = xcalloc(1, sizeof(*at));

	at->s = *l;
	at->kept = l->seen;
	at->next = s->first;
	at->link = &s->first;
	if (at->next)
		at->next->link = &at->next;
	s->first = at;
	(void)map_put(&s->by_hash, at->s.id, at);
	return at;
}

static void drop(struct sessions *s, struct session *at)
{
	(void)map_put(&s->by_hash, at->s.id, NULL);
	*at->link = at->next;
	if (at->next)
		at->next->link = at->link;
	sodium_memzero(at, sizeof(*at));
	free(at);
}

static struct session *find(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES])
{
	struct session *at = map_get(&s->by_hash, id);

	return at && sodium_memcmp(at->s.id, id, LOGIN_HASH_BYTES) == 0 ? at : NULL;
}

static struct str name_of(const struct login_session *l)
{
	return (struct str){ (const char *)l->id, LOGIN_HASH_BYTES };
}

/* ---- the disk; the lock is not held, for a request must not wait for a disk ---- */

static int write_row(struct sessions *s, const struct login_session *l, struct err *err)
{
	_cleanup_(buf_done) struct buf value = BUF_INIT;

	session_write(l, &value);
	return state_put(s->state, STATE_SESSION, str_of(l->account), name_of(l), end_of(s, l),
		buf_str(&value), err);
}

static int delete_row(struct sessions *s, const struct login_session *l, struct err *err)
{
	int r = state_delete(s->state, STATE_SESSION, str_of(l->account), name_of(l), err);

	return r < 0 ? r : 0;
}

/* A session that is in the table. One that ended meanwhile must not come back by being written. */
static int keep(struct sessions *s, const struct login_session *l, struct err *err)
{
	int r = write_row(s, l, err);
	struct session *at;

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&s->lock);
	at = find(s, l->id);
	if (at)
		at->kept = l->seen;
	(void)pthread_mutex_unlock(&s->lock);
	return at ? 0 : delete_row(s, l, err);
}

/* ---- opening ---- */

static int take_row(void *context, const struct state_row *row, struct err *err)
{
	struct sessions *s = context;
	struct login_session l;

	(void)err;
	if (row->name.n != LOGIN_HASH_BYTES || row->owner.n == 0 ||
		row->owner.n >= sizeof(l.account) || session_parse(row->value, &l, NULL) < 0)
		return 0;
	memcpy(l.id, row->name.p, LOGIN_HASH_BYTES);
	memcpy(l.account, row->owner.p, row->owner.n);
	(void)insert(s, &l);
	return 0;
}

int sessions_new(struct state *state, const uint8_t key[32], const struct session_limits *limits,
	struct sessions **ret, struct err *err)
{
	_cleanup_(sessions_freep) struct sessions *s = xcalloc(1, sizeof(*s));
	int r;

	(void)pthread_mutex_init(&s->lock, NULL);
	map_init(&s->by_hash);
	s->state = state;
	s->limits = *limits;
	s->key = secret_copy(key, 32);
	r = state_each(state, STATE_SESSION, (struct str){ NULL, 0 }, take_row, s, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void sessions_free(struct sessions *s)
{
	if (!s)
		return;
	sessions_tidy(s, 1);
	while (s->first)
		drop(s, s->first);
	map_done(&s->by_hash);
	secret_free(s->key);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- one ---- */

static int gone(struct err *err)
{
	return err_set(
		err, ERR_NOTFOUND, tr("please log in: there is no session, or it has ended"));
}

/* Room for one more of an account: the one that was not seen for the longest goes. True: *ret is that one. */
static bool make_room(struct sessions *s, const char *account, struct login_session *ret)
{
	struct session *oldest = NULL;
	unsigned count = 0;

	for (struct session *at = s->first; at; at = at->next) {
		if (strcmp(at->s.account, account) != 0)
			continue;
		count++;
		if (!oldest || at->s.seen <= oldest->s.seen)
			oldest = at;
	}
	if (count < LOGIN_SESSIONS_MAX)
		return false;
	*ret = oldest->s;
	drop(s, oldest);
	return true;
}

int sessions_begin(struct sessions *s, const char *account, enum tr_language language,
	struct str peer, char ret_token[LOGIN_TOKEN_TEXT], struct login_session *ret,
	struct err *err)
{
	uint8_t token[LOGIN_TOKEN_BYTES];
	struct login_session l = { .language = language }, oldest;
	bool is_full;
	int r;

	l.began = l.seen = l.proved = clock_now();
	(void)snprintf(l.account, sizeof(l.account), "%s", account);
	if (peer.n >= LOGIN_PEER_MAX || memchr(peer.p ? peer.p : "", '\0', peer.n))
		peer.n = 0;
	memcpy(l.peer, peer.n ? peer.p : "", peer.n);
	randombytes_buf(token, sizeof(token));
	(void)sodium_bin2base64(ret_token, LOGIN_TOKEN_TEXT, token, sizeof(token),
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	hash_token(s, token, l.id);
	sodium_memzero(token, sizeof(token));
	r = write_row(s, &l, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&s->lock);
	is_full = make_room(s, account, &oldest);
	(void)insert(s, &l);
	(void)pthread_mutex_unlock(&s->lock);
	if (is_full)
		(void)delete_row(s, &oldest, NULL);
	*ret = l;
	ret->ends = end_of(s, &l);
	return 0;
}

int sessions_find(struct sessions *s, struct str token, struct login_session *ret, struct err *err)
{
	uint8_t bytes[LOGIN_TOKEN_BYTES], id[LOGIN_HASH_BYTES];
	int64_t now = clock_now();
	struct session *at;

	if (!token_parse(token, bytes))
		return gone(err);
	hash_token(s, bytes, id);
	sodium_memzero(bytes, sizeof(bytes));
	(void)pthread_mutex_lock(&s->lock);
	at = find(s, id);
	/* Its row has an end of its own, no later than this. */
	if (at && end_of(s, &at->s) <= now) {
		drop(s, at);
		at = NULL;
	}
	if (at) {
		if (now > at->s.seen)
			at->s.seen = now;
		*ret = at->s;
		ret->ends = end_of(s, &at->s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return at ? 0 : gone(err);
}

bool sessions_is_live(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES])
{
	const struct session *at;
	bool live;

	(void)pthread_mutex_lock(&s->lock);
	at = find(s, id);
	live = at && end_of(s, &at->s) > clock_now();
	(void)pthread_mutex_unlock(&s->lock);
	return live;
}

static int change(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES],
	const enum tr_language *language, bool proved, struct err *err)
{
	struct login_session l;
	struct session *at;

	(void)pthread_mutex_lock(&s->lock);
	at = find(s, id);
	if (at && language)
		at->s.language = *language;
	if (at && proved)
		at->s.proved = clock_now();
	if (at)
		l = at->s;
	(void)pthread_mutex_unlock(&s->lock);
	return at ? keep(s, &l, err) : gone(err);
}

int sessions_set_language(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES],
	enum tr_language language, struct err *err)
{
	return change(s, id, &language, false, err);
}

int sessions_prove(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES], struct err *err)
{
	return change(s, id, NULL, true, err);
}

int sessions_end(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES], struct err *err)
{
	struct login_session l;
	struct session *at;

	(void)pthread_mutex_lock(&s->lock);
	at = find(s, id);
	if (at) {
		l = at->s;
		drop(s, at);
	}
	(void)pthread_mutex_unlock(&s->lock);
	/* Whatever the disk says: here it is gone; there it has an end of its own. */
	return at ? delete_row(s, &l, err) : 0;
}

/* ---- many ---- */

/* Take one out of the table that is of this account (NULL: anybody's) and not `keep_id`. */
static bool take_one(
	struct sessions *s, const char *account, const uint8_t *keep_id, struct login_session *ret)
{
	struct session *at;

	(void)pthread_mutex_lock(&s->lock);
	for (at = s->first; at; at = at->next) {
		if ((!account || strcmp(at->s.account, account) == 0) &&
			(!keep_id || memcmp(at->s.id, keep_id, LOGIN_HASH_BYTES) != 0))
			break;
	}
	if (at) {
		*ret = at->s;
		drop(s, at);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return at != NULL;
}

unsigned sessions_end_all(struct sessions *s, const char *account, const uint8_t *keep_id)
{
	struct login_session l;
	unsigned count = 0;

	while (take_one(s, account, keep_id, &l)) {
		(void)delete_row(s, &l, NULL);
		count++;
	}
	return count;
}

static int younger_first(const void *a, const void *b)
{
	const struct login_session *x = a, *y = b;

	return x->seen < y->seen ? 1 : x->seen > y->seen ? -1 : 0;
}

size_t sessions_list(
	struct sessions *s, const char *account, struct login_session ret[LOGIN_SESSIONS_MAX])
{
	int64_t now = clock_now();
	size_t count = 0;

	(void)pthread_mutex_lock(&s->lock);
	for (const struct session *at = s->first; at && count < LOGIN_SESSIONS_MAX; at = at->next) {
		if (strcmp(at->s.account, account) != 0 || end_of(s, &at->s) <= now)
			continue;
		ret[count] = at->s;
		ret[count++].ends = end_of(s, &at->s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	qsort(ret, count, sizeof(*ret), younger_first);
	return count;
}

/* One that was seen since it was written, `least` seconds or more; those that have ended go. */
static bool find_unkept(struct sessions *s, int64_t least, struct login_session *ret)
{
	int64_t now = clock_now();
	bool found = false;

	(void)pthread_mutex_lock(&s->lock);
	for (struct session *at = s->first, *next; at && !found; at = next) {
		next = at->next;
		if (end_of(s, &at->s) <= now) {
			drop(s, at);
		} else if (at->s.seen - at->kept >= least) {
			found = true;
			*ret = at->s;
			/* Also when it cannot be written: once is enough. */
			at->kept = at->s.seen;
		}
	}
	(void)pthread_mutex_unlock(&s->lock);
	return found;
}

void sessions_tidy(struct sessions *s, int64_t least)
{
	struct login_session l;

	while (find_unkept(s, least, &l))
		(void)keep(s, &l, NULL);
}
