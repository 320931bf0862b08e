/* state.c - see state.h; the bytes of a row are in state_row.c. */
#include "core/archive/state.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>

enum {
	APPLICATION_ID = 0x4d535431, /* "MST1" */
	SCHEMA_VERSION = 1,
	BUSY_MS = 5000,
	SEALED_MAX = STATE_VALUE_MAX + 4096
};

/* A row whose value is nothing and whose place is fixed: it opens only with the right key. */
static const struct str probe_name = { "muniment", 8 };
static const enum state_kind probe_kind = (enum state_kind)0;

struct state {
	pthread_mutex_t lock;
	sqlite3 *db;
	struct id archive;
	struct secret *keys; /* struct state_keys, in locked memory */
	uint64_t damaged;
};

static const struct state_keys *keys(const struct state *s)
{
	return (const struct state_keys *)(const void *)s->keys->p;
}

/* ---- SQLite ---- */

static int fail(const struct state *s, struct err *err)
{
	int code = s->db ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
	const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return err_set(err, ERR_FULL, tr("the state of sessions and drafts: %s"), text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_LOCKED, tr("the state of sessions and drafts: %s"), text);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ERR_CORRUPT, tr("the state of sessions and drafts: %s"), text);
	default:
		return err_set(err, ERR_IO, tr("the state of sessions and drafts: %s"), text);
	}
}

static void finalizep(sqlite3_stmt **st)
{
	(void)sqlite3_finalize(*st);
}

static int run(struct state *s, const char *sql, struct err *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(s, err);
}

static int prepare(struct state *s, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	return sqlite3_prepare_v2(s->db, sql, -1, ret, NULL) == SQLITE_OK ? 0 : fail(s, err);
}

static int number(struct state *s, const char *sql, int64_t *ret, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *st = NULL;
	int r = prepare(s, sql, &st, err);

	if (r < 0)
		return r;
	if (sqlite3_step(st) != SQLITE_ROW)
		return fail(s, err);
	*ret = sqlite3_column_int64(st, 0);
	return 0;
}

/* Kind, owner and name into parameters 1 to 3. */
static void bind_place(sqlite3_stmt *st, const struct state_place *place)
{
	(void)sqlite3_bind_int(st, 1, (int)place->kind);
	(void)sqlite3_bind_blob(st, 2, place->owner, 16, SQLITE_STATIC);
	(void)sqlite3_bind_blob(st, 3, place->name, 16, SQLITE_STATIC);
}

static void place_of(const struct state *s, enum state_kind kind, struct str owner, struct str name,
	struct state_place *ret)
{
	*ret = (struct state_place){ .kind = kind };
	state_hash(keys(s), kind, owner, ret->owner);
	state_hash(keys(s), kind, name, ret->name);
}

static bool has_ended(int64_t ends)
{
	return ends != 0 && ends <= clock_now();
}

/* ---- one row; the lock is held ---- */

static int write_row(
	struct state *s, struct state_place *place, const struct state_row *row, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *st = NULL;
	_cleanup_(buf_done) struct buf sealed = BUF_INIT_MAX(SEALED_MAX);
	int r;

	if (row->owner.n > STATE_NAME_MAX || row->name.n > STATE_NAME_MAX ||
		row->value.n > STATE_VALUE_MAX)
		return err_set(err, ERR_LIMIT, tr("more than %d bytes cannot be kept here"),
			STATE_VALUE_MAX);
	place->ends = row->ends;
	state_row_seal(keys(s), &s->archive, place, row, &sealed);
	r = buf_check(&sealed, err);
	if (r == 0)
		r = prepare(s,
			"INSERT OR REPLACE INTO state(kind, owner, name, ends, sealed) "
			"VALUES(?, ?, ?, ?, ?)",
			&st, err);
	if (r < 0)
		return r;
	bind_place(st, place);
	(void)sqlite3_bind_int64(st, 4, place->ends);
	(void)sqlite3_bind_blob64(st, 5, sealed.p, sealed.n, SQLITE_STATIC);
	return sqlite3_step(st) == SQLITE_DONE ? 0 : fail(s, err);
}

/* The sealed bytes in the third column of a row, opened. */
static int open_row(struct state *s, const struct state_place *place, sqlite3_stmt *st, int column,
	struct buf *plain, struct state_row *ret, struct err *err)
{
	const void *p = sqlite3_column_blob(st, column);
	int n = sqlite3_column_bytes(st, column), r;

	r = state_row_open(keys(s), &s->archive, place,
		(struct str){ p ? p : "", n > 0 ? (size_t)n : 0 }, plain, ret, err);
	if (r < 0)
		s->damaged++;
	return r;
}

/* 1: found and opened; 0: not there, or it has ended. */
static int read_row(struct state *s, struct state_place *place, struct buf *plain,
	struct state_row *ret, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *st = NULL;
	int r = prepare(s,
		"SELECT ends, sealed FROM state WHERE kind = ? AND owner = ? AND name = ?", &st,
		err);

	if (r < 0)
		return r;
	bind_place(st, place);
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		place->ends = sqlite3_column_int64(st, 0);
		if (has_ended(place->ends))
			return 0;
		r = open_row(s, place, st, 1, plain, ret, err);
		return r < 0 ? r : 1;
	case SQLITE_DONE:
		return 0;
	default:
		return fail(s, err);
	}
}

int state_put(struct state *s, enum state_kind kind, struct str owner, struct str name,
	int64_t ends, struct str value, struct err *err)
{
	struct state_row row = { kind, owner, name, clock_now(), ends, value };
	struct state_place place;
	int r;

	place_of(s, kind, owner, name, &place);
	(void)pthread_mutex_lock(&s->lock);
	r = write_row(s, &place, &row, err);
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

int state_get(struct state *s, enum state_kind kind, struct str owner, struct str name,
	struct buf *ret, int64_t *ret_changed, struct err *err)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(SEALED_MAX);
	struct state_place place;
	struct state_row row;
	int r;

	place_of(s, kind, owner, name, &place);
	(void)pthread_mutex_lock(&s->lock);
	r = read_row(s, &place, &plain, &row, err);
	(void)pthread_mutex_unlock(&s->lock);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOTFOUND, tr("it is not there, or not any more"));
	buf_add_str(ret, row.value);
	if (ret_changed)
		*ret_changed = row.changed;
	return buf_check(ret, err);
}

int state_delete(
	struct state *s, enum state_kind kind, struct str owner, struct str name, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *st = NULL;
	struct state_place place;
	int r;

	place_of(s, kind, owner, name, &place);
	(void)pthread_mutex_lock(&s->lock);
	r = prepare(s, "DELETE FROM state WHERE kind = ? AND owner = ? AND name = ?", &st, err);
	if (r == 0) {
		bind_place(st, &place);
		r = sqlite3_step(st) == SQLITE_DONE ? sqlite3_changes(s->db) : fail(s, err);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

static int change_row(struct state *s, struct state_place *place, struct state_row *row,
	state_changer *change, void *context, struct err *err)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(SEALED_MAX);
	_cleanup_(buf_wipe) struct buf value = BUF_INIT_MAX(SEALED_MAX);
	struct state_row now;
	int64_t ends = 0;
	int r = read_row(s, place, &plain, &now, err);

	if (r < 0)
		return r;
	if (r > 0)
		ends = now.ends;
	r = change(context, r > 0 ? &now : NULL, &value, &ends, err);
	if (r != 0)
		return r;
	r = buf_check(&value, err);
	if (r < 0)
		return r;
	row->value = buf_str(&value);
	row->ends = ends;
	return write_row(s, place, row, err);
}

int state_change(struct state *s, enum state_kind kind, struct str owner, struct str name,
	state_changer *change, void *context, struct err *err)
{
	struct state_row row = { .kind = kind, .owner = owner, .name = name };
	struct state_place place;
	int r;

	place_of(s, kind, owner, name, &place);
	row.changed = clock_now();
	(void)pthread_mutex_lock(&s->lock);
	r = change_row(s, &place, &row, change, context, err);
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

/* ---- many rows ---- */

/* The next row behind `place` of the kind (and owner, unless any): 1, or 0 when there is none. One that does not open
 * has *ret_opens false. */
static int next_row(struct state *s, struct state_place *place, bool any_owner, struct buf *plain,
	struct state_row *row, bool *ret_opens, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *st = NULL;
	int r = prepare(s,
		any_owner ? "SELECT owner, name, ends, sealed FROM state WHERE kind = ?1 AND "
			    "(owner, name) > (?2, ?3) ORDER BY owner, name LIMIT 1"
			  : "SELECT owner, name, ends, sealed FROM state WHERE kind = ?1 AND "
			    "owner = ?2 AND name > ?3 ORDER BY name LIMIT 1",
		&st, err);

	if (r < 0)
		return r;
	bind_place(st, place);
	r = sqlite3_step(st);
	if (r != SQLITE_ROW)
		return r == SQLITE_DONE ? 0 : fail(s, err);
	if (sqlite3_column_bytes(st, 0) != 16 || sqlite3_column_bytes(st, 1) != 16)
		return err_set(err, ERR_CORRUPT, tr("a row of the state is damaged"));
	memcpy(place->owner, sqlite3_column_blob(st, 0), 16);
	memcpy(place->name, sqlite3_column_blob(st, 1), 16);
	place->ends = sqlite3_column_int64(st, 2);
	*ret_opens = !has_ended(place->ends) && open_row(s, place, st, 3, plain, row, NULL) == 0;
	return 1;
}

int state_each(struct state *s, enum state_kind kind, struct str owner, state_each_fn *each,
	void *context, struct err *err)
{
	/* Starts before the first: no hash is all zeros but by a chance of one in 2^128. */
	struct state_place place = { .kind = kind };
	int r;

	if (owner.p)
		state_hash(keys(s), kind, owner, place.owner);
	do {
		_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(SEALED_MAX);
		struct state_row row;
		bool opens = false;

		(void)pthread_mutex_lock(&s->lock);
		r = next_row(s, &place, !owner.p, &plain, &row, &opens, err);
		(void)pthread_mutex_unlock(&s->lock);
		if (r <= 0)
			return r;
		r = opens ? each(context, &row, err) : 0;
	} while (r == 0);
	return r;
}

int state_count(
	struct state *s, enum state_kind kind, struct str owner, uint64_t *ret, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *st = NULL;
	uint8_t hash[16];
	int r;

	state_hash(keys(s), kind, owner, hash);
	(void)pthread_mutex_lock(&s->lock);
	r = prepare(s,
		"SELECT COUNT(*) FROM state WHERE kind = ? AND owner = ? AND (ends = 0 OR ends > "
		"?)",
		&st, err);
	if (r == 0) {
		(void)sqlite3_bind_int(st, 1, (int)kind);
		(void)sqlite3_bind_blob(st, 2, hash, 16, SQLITE_STATIC);
		(void)sqlite3_bind_int64(st, 3, clock_now());
		if (sqlite3_step(st) == SQLITE_ROW)
			*ret = (uint64_t)sqlite3_column_int64(st, 0);
		else
			r = fail(s, err);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

int state_expire(struct state *s, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *st = NULL;
	int r;

	(void)pthread_mutex_lock(&s->lock);
	r = prepare(s, "DELETE FROM state WHERE ends <> 0 AND ends <= ?", &st, err);
	if (r == 0) {
		(void)sqlite3_bind_int64(st, 1, clock_now());
		r = sqlite3_step(st) == SQLITE_DONE ? sqlite3_changes(s->db) : fail(s, err);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

uint64_t state_damaged(struct state *s)
{
	uint64_t n;

	(void)pthread_mutex_lock(&s->lock);
	n = s->damaged;
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- opening ---- */

/* The probe of a new file is written; that of an old one must open. */
static int probe(struct state *s, bool is_new, struct err *err)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(SEALED_MAX);
	struct state_row row = { .kind = probe_kind, .name = probe_name };
	struct state_place place;
	int r;

	place_of(s, probe_kind, row.owner, row.name, &place);
	if (is_new)
		return write_row(s, &place, &row, err);
	r = read_row(s, &place, &plain, &row, NULL);
	return r > 0 ? 0
		     : err_set(err, ERR_CRYPTO,
			       tr("the state of sessions and drafts is of another archive or "
				  "key"));
}

static int set_up(struct state *s, struct err *err)
{
	int64_t id = 0, version = 0;
	int r = run(s,
		"PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"PRAGMA trusted_schema=OFF",
		err);

	if (r == 0)
		r = number(s, "PRAGMA application_id", &id, err);
	if (r == 0)
		r = number(s, "PRAGMA user_version", &version, err);
	if (r < 0)
		return r;
	if (id == APPLICATION_ID && version > SCHEMA_VERSION)
		return err_set(err, ERR_UNSUPPORTED,
			tr("the state of sessions and drafts is of a newer version"));
	if (id == APPLICATION_ID)
		return probe(s, false, err);
	if (id != 0 || version != 0)
		return err_set(err, ERR_CORRUPT, tr("this file holds no state"));
	r = run(s,
		"BEGIN IMMEDIATE;"
		"CREATE TABLE state(kind INTEGER NOT NULL, owner BLOB NOT NULL, name BLOB NOT "
		"NULL,"
		" ends INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY(kind, owner, name))"
		" WITHOUT ROWID",
		err);
	if (r == 0)
		r = probe(s, true, err);
	return r < 0 ? r
		     : run(s, "PRAGMA application_id=1297306673; PRAGMA user_version=1; COMMIT",
			       err);
}

int state_open(const char *path, const struct id *archive, const struct secret *key,
	struct state **ret, struct err *err)
{
	_cleanup_(state_closep) struct state *s = xcalloc(1, sizeof(*s));
	int r;

	(void)pthread_mutex_init(&s->lock, NULL);
	s->archive = *archive;
	s->keys = secret_new(sizeof(struct state_keys));
	state_keys_derive(key, (struct state_keys *)(void *)s->keys->p);
	if (sqlite3_open_v2(path, &s->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_NOFOLLOW,
		    NULL) != SQLITE_OK)
		return fail(s, err);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	r = set_up(s, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	(void)sqlite3_close_v2(s->db);
	(void)pthread_mutex_destroy(&s->lock);
	secret_free(s->keys);
	free(s);
}
