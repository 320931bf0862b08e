/* people.c - see people.h. */
#include "core/archive/people.h"

#include "core/archive/reading.h"
#include "core/archive/recorder.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/series.h"

#include <sodium.h>
#include <stdlib.h>

enum { REMEMBERED = 256 };

struct person {
	char *account, *name; /* name: as it is shown */
	char *folded;
};

struct people {
	struct archive *archive;
	pthread_mutex_t lock;
	struct person ring[REMEMBERED];
	size_t count, next;

	/* A connection of its own: names are looked up by who holds one from the pool. */
	pthread_mutex_t registry_lock;
	struct registry *registry;
};

static void person_done(struct person *p)
{
	if (p->name)
		sodium_memzero(p->name, strlen(p->name));
	if (p->folded)
		sodium_memzero(p->folded, strlen(p->folded));
	free(p->account);
	free(p->name);
	free(p->folded);
	*p = (struct person){ NULL, NULL, NULL };
}

struct people *people_new(struct archive *a)
{
	struct people *p = xcalloc(1, sizeof(*p));

	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_mutex_init(&p->registry_lock, NULL);
	p->archive = a;
	return p;
}

void people_free(struct people *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		person_done(&p->ring[i]);
	registry_free(p->registry);
	(void)pthread_mutex_destroy(&p->registry_lock);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

int people_fold(struct str name, struct buf *ret, struct err *err)
{
	struct str trimmed = str_trim(name);
	size_t n;

	if (trimmed.n == 0 || trimmed.n > ACCOUNT_NAME_MAX)
		return err_set(err, ERR_INVALID, tr("an account's name has 1 to %d bytes"),
			ACCOUNT_NAME_MAX);
	for (size_t at = 0; at < trimmed.n; at += n) {
		int32_t c = text_char((struct str){ trimmed.p + at, trimmed.n - at }, &n);

		if (c < 0 || text_is_unsafe_char(c))
			return err_set(err, ERR_INVALID,
				tr("an account's name has a character that cannot be shown"));
	}
	return text_add_nfkc(ret, trimmed, err);
}

void people_note(struct people *p, struct str account, struct str name)
{
	_cleanup_(buf_done) struct buf folded = BUF_INIT;
	struct person *at;

	if (people_fold(name, &folded, NULL) < 0)
		return;
	(void)pthread_mutex_lock(&p->lock);
	at = &p->ring[p->next];
	p->next = (p->next + 1) % REMEMBERED;
	if (p->count < REMEMBERED)
		p->count++;
	person_done(at);
	at->account = str_dup(account);
	at->name = str_dup(name);
	at->folded = str_dup(buf_str(&folded));
	(void)pthread_mutex_unlock(&p->lock);
}

/* The account of a folded name, or the name of an account, among those remembered. */
static bool recall(struct people *p, struct str folded, struct str account, struct buf *ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->count && !found; i++) {
		const struct person *q = &p->ring[i];

		if (folded.p && str_is(folded, q->folded)) {
			buf_adds(ret, q->account);
			found = true;
		} else if (account.p && str_is(account, q->account)) {
			buf_adds(ret, q->name);
			found = true;
		}
	}
	(void)pthread_mutex_unlock(&p->lock);
	return found;
}

/* ---- from the registry ---- */

struct found {
	struct people *people;
	struct buf account, name;
};

static int take_row(void *context, const struct registry_row *row, struct err *err)
{
	struct found *f = context;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct row_text text;
	int r;

	if (row->destroyed || !str_is(row->series, SERIES_ACCOUNT))
		return 0;
	r = reading_row(f->people->archive, row, &doc, &text, err);
	if (r < 0)
		return r;
	buf_add_str(&f->account, row->number);
	buf_add_str(&f->name, text.title);
	return 1;
}

static int query(
	struct people *p, struct str folded, struct str account, struct found *f, struct err *err)
{
	struct registry_lookup lookup = { .kind = LOOKUP_ACCOUNT };
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	int r;

	if (!p->registry) {
		archive_path(p->archive, ARCHIVE_DERIVED "/" ARCHIVE_REGISTRY, &path);
		r = registry_open(path.p, false, &p->registry, err);
		if (r < 0)
			return r;
	}
	if (!folded.p)
		return registry_by_number(p->registry, account, take_row, f, err);
	lookup_hash(p->archive->registry_key, LOOKUP_ACCOUNT, folded, lookup.hash);
	return registry_by_lookup(p->registry, &lookup, take_row, f, err);
}

/* By folded name, or by account. 1: found, and remembered. */
static int look_up(
	struct people *p, struct str folded, struct str account, struct found *f, struct err *err)
{
	int r;

	f->people = p;
	(void)pthread_mutex_lock(&p->registry_lock);
	r = query(p, folded, account, f, err);
	(void)pthread_mutex_unlock(&p->registry_lock);
	if (r < 0 || f->account.n == 0)
		return r < 0 ? r : 0;
	people_note(p, buf_str(&f->account), buf_str(&f->name));
	return 1;
}

void people_hold(struct people *p)
{
	(void)pthread_mutex_lock(&p->registry_lock);
	registry_free(TAKE_PTR(p->registry));
}

void people_release(struct people *p)
{
	(void)pthread_mutex_unlock(&p->registry_lock);
}

static void found_done(struct found *f)
{
	buf_done(&f->account);
	buf_wipe(&f->name);
}

static int unknown(struct str who, struct err *err)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT;

	text_add_safe(&safe, who);
	return err_set(err, ERR_DENIED,
		tr("there is no account '%s': see 'muniment account list', or have it made with "
		   "'muniment account add'"),
		safe.p);
}

static int resolve(struct people *p, struct str who, bool may_wait,
	char ret_account[ACCOUNT_MAX + 1], struct err *err)
{
	_cleanup_(buf_wipe) struct buf folded = BUF_INIT;
	_cleanup_(buf_done) struct buf account = BUF_INIT;
	struct found f = { .account = BUF_INIT, .name = BUF_INIT };
	int r = people_fold(who, &folded, NULL);

	if (r < 0)
		return unknown(who, err);
	if (!recall(p, buf_str(&folded), (struct str){ NULL, 0 }, &account)) {
		r = look_up(p, buf_str(&folded), (struct str){ NULL, 0 }, &f, err);
		/* A follower that is behind (after a crash, while rebuilding) may not have it yet. */
		if (r == 0 && may_wait && p->archive->recorder &&
			recorder_catch_up(p->archive, 10000))
			r = look_up(p, buf_str(&folded), (struct str){ NULL, 0 }, &f, err);
		if (r == 0)
			r = look_up(p, (struct str){ NULL, 0 }, who, &f, err);
		buf_add_str(&account, buf_str(&f.account));
		found_done(&f);
		if (r < 0)
			return r;
	}
	if (account.n == 0 || account.n > ACCOUNT_MAX)
		return unknown(who, err);
	memcpy(ret_account, account.p, account.n + 1);
	return 0;
}

int people_resolve(
	struct people *p, struct str who, char ret_account[ACCOUNT_MAX + 1], struct err *err)
{
	return resolve(p, who, true, ret_account, err);
}

int people_look(
	struct people *p, struct str who, char ret_account[ACCOUNT_MAX + 1], struct err *err)
{
	return resolve(p, who, false, ret_account, err);
}

void people_name(struct people *p, struct str account, struct buf *ret)
{
	struct found f = { .account = BUF_INIT, .name = BUF_INIT };

	if (str_is(account, ACCOUNT_SYSTEM)) {
		buf_adds(ret, tr("the program"));
		return;
	}
	if (recall(p, (struct str){ NULL, 0 }, account, ret))
		return;
	if (look_up(p, (struct str){ NULL, 0 }, account, &f, NULL) > 0)
		buf_add_str(ret, buf_str(&f.name));
	found_done(&f);
}
