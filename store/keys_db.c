/* keys_db.c - see keys_db.h; FORMAT.md, section 4, has the tables.
 *
 * Rows of record_key are appended (a table with row numbers), and so nearly are the entries of
 * the indexes, for the ids of keys and records begin with the time (id_ordered): an index over
 * random values would make every added key dirty a page of its own. */
#include "store/keys_db.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char schema[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE purpose (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, wrapped BLOB NOT "
	"NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE record_key (key BLOB PRIMARY KEY NOT NULL, record BLOB NOT NULL,"
	" epoch INTEGER NOT NULL, wrapped BLOB NOT NULL);"
	"CREATE INDEX record_key_record ON record_key (record);";

#define ROW "SELECT rowid, key, record, epoch, wrapped FROM record_key "

static const char *const sql[KEYS_STATEMENTS] = {
	[KEYS_BEGIN] = "BEGIN IMMEDIATE",
	[KEYS_COMMIT] = "COMMIT",
	[KEYS_ROLLBACK] = "ROLLBACK",
	[KEYS_META] = "SELECT value FROM meta WHERE name = ?1",
	[KEYS_SET_META] = "UPDATE meta SET value = ?1 WHERE name = ?2",
	[KEYS_INSERT] = "INSERT INTO record_key (key, record, epoch, wrapped)"
			" VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO NOTHING",
	[KEYS_DELETE] = "DELETE FROM record_key WHERE key = ?1",
	[KEYS_DELETE_RECORD] = "DELETE FROM record_key WHERE record = ?1",
	[KEYS_FIND] = ROW "WHERE key = ?1",
	[KEYS_BY_KEY] = ROW "WHERE key > ?1 ORDER BY key LIMIT ?2",
	[KEYS_BY_ROW] = ROW "WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
	[KEYS_REWRAP] = "UPDATE record_key SET epoch = ?1, wrapped = ?2 WHERE rowid = ?3",
	[KEYS_COUNT] = "SELECT count(*) FROM record_key",
	[KEYS_PURPOSE] = "SELECT epoch, wrapped FROM purpose WHERE name = ?1",
	[KEYS_PURPOSES] = "SELECT name, epoch, wrapped FROM purpose ORDER BY name",
	[KEYS_SET_PURPOSE] = "INSERT OR REPLACE INTO purpose (name, epoch, wrapped)"
			     " VALUES (?1, ?2, ?3)",
	[KEYS_DROP_PURPOSE] = "DELETE FROM purpose WHERE name = ?1",
};

/* For every connection. The file may have been made by somebody else: its schema gets no trust. */
static const char settings[] =
	"PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
	"PRAGMA cache_size = -4096;";

/* For the one that writes. Deleted keys are overwritten; what was answered for is on the disk. A
 * checkpoint waits for 16 MiB, so that a page of the index that many writes touch is written back
 * once. */
static const char writer_settings[] =
	"PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;"
	"PRAGMA wal_autocheckpoint = 4000;";

/* A full disk also shows where memory is shared by a file (-shm), and then only by errno. */
static bool is_full(const struct keys_db *d, int rc)
{
	return (rc & 0xff) == SQLITE_FULL ||
	       ((rc & 0xff) == SQLITE_IOERR && sqlite3_system_errno(d->db) == ENOSPC);
}

int keys_db_fail(struct keys_db *d, int rc, struct err *err)
{
	static const struct {
		int sqlite, code;
	} codes[] = {
		{ SQLITE_CORRUPT, ERR_CORRUPT },
		{ SQLITE_NOTADB, ERR_CORRUPT },
		{ SQLITE_BUSY, ERR_LOCKED },
		{ SQLITE_READONLY, ERR_DENIED },
	};
	int code = ERR_IO;

	if (is_full(d, rc))
		return err_set(
			err, ERR_FULL, tr("the key store (keys.db): %s"), tr("the disk is full"));
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if ((rc & 0xff) == codes[i].sqlite)
			code = codes[i].code;
	return err_set(err, code, tr("the key store (keys.db): %s"), sqlite3_errmsg(d->db));
}

static int damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, tr("the key store (keys.db) is damaged"));
}

static int exec(struct keys_db *d, const char *text, struct err *err)
{
	int rc = sqlite3_exec(d->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : keys_db_fail(d, rc, err);
}

static int connect(struct keys_db *d, const char *path, int flags, struct err *err)
{
	int rc = sqlite3_open_v2(path, &d->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return keys_db_fail(d, rc, err);
	(void)sqlite3_busy_timeout(d->db, 10000);
	(void)sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return exec(d, settings, err);
}

int keys_db_create(const char *path, const struct id *archive, struct err *err)
{
	struct keys_db d = { .db = NULL };
	char id[ID_TEXT], meta[256];
	int r = connect(&d, path, SQLITE_OPEN_READWRITE, err);

	(void)snprintf(meta, sizeof(meta),
		"INSERT INTO meta VALUES ('format', %d), ('archive', '%s'), ('epoch', 1),"
		" ('frame', 0);",
		KEYS_FORMAT, hex_encode(archive->b, sizeof(archive->b), id));
	if (r == 0)
		r = exec(&d, writer_settings, err);
	if (r == 0)
		r = exec(&d, "BEGIN;", err);
	if (r == 0)
		r = exec(&d, schema, err);
	if (r == 0)
		r = exec(&d, meta, err);
	if (r == 0)
		r = exec(&d, "COMMIT;", err);
	if (sqlite3_close(d.db) != SQLITE_OK && r == 0)
		r = damaged(err);
	return r;
}

/* Three tables and one index as we made them, and nothing else: triggers, views or other columns
 * would run with our statements. */
static int check_schema(struct keys_db *d, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc, found = 0;

	rc = sqlite3_prepare_v2(
		d->db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", -1, &st, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		const char *text;

		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		text = (const char *)sqlite3_column_text(st, 0);
		found += text && strstr(schema, text) ? 1 : 100;
	}
	(void)sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		return keys_db_fail(d, rc, err);
	return found == 4 ? 0 : damaged(err);
}

static int prepare(struct keys_db *d, struct err *err)
{
	for (size_t i = 0; i < KEYS_STATEMENTS; i++) {
		int rc = sqlite3_prepare_v3(
			d->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &d->st[i], NULL);

		if (rc != SQLITE_OK)
			return keys_db_fail(d, rc, err);
	}
	return 0;
}

static int check_meta(struct keys_db *d, const struct id *archive, struct err *err)
{
	uint64_t format = 0;
	char id[ID_TEXT];
	const char *found;
	int r = keys_db_meta(d, "format", &format, err);

	if (r < 0)
		return r;
	if (format != KEYS_FORMAT)
		return err_set(err, ERR_UNSUPPORTED,
			tr("the key store (keys.db) has format %llu; this program knows %d"),
			(unsigned long long)format, KEYS_FORMAT);
	keys_db_bind(d, KEYS_META, 1, "archive", 7);
	r = keys_db_next(d, KEYS_META, err);
	if (r <= 0)
		return r < 0 ? r : damaged(err);
	found = (const char *)sqlite3_column_text(d->st[KEYS_META], 0);
	if (!found || strcmp(found, hex_encode(archive->b, sizeof(archive->b), id)) != 0)
		r = err_set(
			err, ERR_CORRUPT, tr("the key store (keys.db) belongs to another archive"));
	(void)sqlite3_reset(d->st[KEYS_META]);
	return r < 0 ? r : 0;
}

int keys_db_open(struct keys_db *d, const char *path, const struct id *archive, bool writable,
	struct err *err)
{
	int r;

	memset(d, 0, sizeof(*d));
	(void)pthread_mutex_init(&d->lock, NULL);
	if (!file_exists(AT_FDCWD, path))
		return err_set(err, ERR_NOTFOUND, tr("there is no key store '%s'"), path);
	r = connect(d, path, writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, err);
	if (r == 0)
		r = check_schema(d, err);
	if (r == 0 && writable)
		r = exec(d, writer_settings, err);
	if (r == 0)
		r = prepare(d, err);
	if (r == 0)
		r = check_meta(d, archive, err);
	return r;
}

void keys_db_close(struct keys_db *d)
{
	for (size_t i = 0; i < KEYS_STATEMENTS; i++)
		(void)sqlite3_finalize(d->st[i]);
	(void)sqlite3_close(d->db);
	(void)pthread_mutex_destroy(&d->lock);
}

int keys_db_run(struct keys_db *d, enum keys_statement which, struct err *err)
{
	int rc = sqlite3_step(d->st[which]);
	int r = rc == SQLITE_DONE ? 0 : keys_db_fail(d, rc, err);

	(void)sqlite3_reset(d->st[which]);
	return r;
}

int keys_db_next(struct keys_db *d, enum keys_statement which, struct err *err)
{
	int rc = sqlite3_step(d->st[which]), r;

	if (rc == SQLITE_ROW)
		return 1;
	r = rc == SQLITE_DONE ? 0 : keys_db_fail(d, rc, err);
	(void)sqlite3_reset(d->st[which]);
	return r;
}

int keys_db_end(struct keys_db *d, int r, struct err *err)
{
	if (r == 0)
		r = keys_db_run(d, KEYS_COMMIT, err);
	if (r < 0 && !sqlite3_get_autocommit(d->db))
		(void)keys_db_run(d, KEYS_ROLLBACK, NULL);
	return r;
}

int keys_db_truncate_wal(struct keys_db *d, struct err *err)
{
	int rc = sqlite3_wal_checkpoint_v2(d->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	return rc == SQLITE_OK ? 0 : keys_db_fail(d, rc, err);
}

int keys_db_check(struct keys_db *d, struct err *err)
{
	sqlite3_stmt *st = NULL;
	const char *text = NULL;
	int rc, r;

	rc = sqlite3_prepare_v2(d->db, "PRAGMA integrity_check(1)", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(st, 0);
	if (rc != SQLITE_ROW)
		r = keys_db_fail(d, rc, err);
	else if (!text || strcmp(text, "ok") != 0)
		r = err_set(err, ERR_CORRUPT, tr("the key store (keys.db): %s"), text ? text : "");
	else
		r = 0;
	(void)sqlite3_finalize(st);
	return r;
}

void keys_db_bind(struct keys_db *d, enum keys_statement which, int at, const void *p, size_t n)
{
	/* Names are TEXT, all else is BLOB; SQLite never takes one for the other. */
	bool is_name = (which == KEYS_META && at == 1) || (which == KEYS_SET_META && at == 2) ||
		       (which == KEYS_PURPOSE && at == 1) ||
		       (which == KEYS_SET_PURPOSE && at == 1) ||
		       (which == KEYS_DROP_PURPOSE && at == 1);

	if (is_name)
		(void)sqlite3_bind_text(d->st[which], at, p, (int)n, SQLITE_STATIC);
	else
		(void)sqlite3_bind_blob(d->st[which], at, p, (int)n, SQLITE_STATIC);
}

void keys_db_bind_u64(struct keys_db *d, enum keys_statement which, int at, uint64_t v)
{
	(void)sqlite3_bind_int64(d->st[which], at, (sqlite3_int64)v);
}

int keys_db_meta(struct keys_db *d, const char *name, uint64_t *ret, struct err *err)
{
	sqlite3_stmt *st = d->st[KEYS_META];
	int r;

	keys_db_bind(d, KEYS_META, 1, name, strlen(name));
	r = keys_db_next(d, KEYS_META, err);
	if (r <= 0)
		return r < 0 ? r : damaged(err);
	if (sqlite3_column_type(st, 0) == SQLITE_INTEGER && sqlite3_column_int64(st, 0) >= 0) {
		*ret = (uint64_t)sqlite3_column_int64(st, 0);
		r = 0;
	} else {
		r = damaged(err);
	}
	(void)sqlite3_reset(st);
	return r;
}

int keys_db_set_meta(struct keys_db *d, const char *name, uint64_t v, struct err *err)
{
	keys_db_bind_u64(d, KEYS_SET_META, 1, v);
	keys_db_bind(d, KEYS_SET_META, 2, name, strlen(name));
	return keys_db_run(d, KEYS_SET_META, err);
}

static bool take_blob(sqlite3_stmt *st, int at, void *ret, size_t n)
{
	if (sqlite3_column_type(st, at) != SQLITE_BLOB || (size_t)sqlite3_column_bytes(st, at) != n)
		return false;
	memcpy(ret, sqlite3_column_blob(st, at), n);
	return true;
}

int keys_db_wrapped(struct keys_db *d, enum keys_statement which, int at, uint64_t *ret_epoch,
	uint8_t ret[WRAPPED_BYTES], struct err *err)
{
	sqlite3_stmt *st = d->st[which];
	sqlite3_int64 epoch = sqlite3_column_int64(st, at - 1);

	if (sqlite3_column_type(st, at - 1) != SQLITE_INTEGER || epoch < 1 ||
		!take_blob(st, at, ret, WRAPPED_BYTES))
		return damaged(err);
	*ret_epoch = (uint64_t)epoch;
	return 0;
}

int keys_db_row(struct keys_db *d, enum keys_statement which, struct wrapped_key *ret,
	int64_t *ret_rowid, struct err *err)
{
	sqlite3_stmt *st = d->st[which];

	if (!take_blob(st, 1, ret->key.b, sizeof(ret->key.b)) ||
		!take_blob(st, 2, ret->record.b, sizeof(ret->record.b)))
		return damaged(err);
	if (ret_rowid)
		*ret_rowid = sqlite3_column_int64(st, 0);
	return keys_db_wrapped(d, which, 4, &ret->epoch, ret->wrapped, err);
}

int keys_db_chunk(struct keys_db *d, enum keys_statement which, struct wrapped_key *rows,
	int64_t *rowids, size_t max, size_t *ret_count, struct err *err)
{
	size_t count = 0;
	int r = 0;

	keys_db_bind_u64(d, which, 2, max);
	while (count < max && (r = keys_db_next(d, which, err)) > 0) {
		r = keys_db_row(d, which, &rows[count], rowids ? &rowids[count] : NULL, err);
		if (r < 0)
			break;
		count++;
	}
	(void)sqlite3_reset(d->st[which]);
	*ret_count = count;
	return r < 0 ? r : 0;
}

int keys_db_set_purpose(struct keys_db *d, const char *name, uint64_t epoch,
	const uint8_t wrapped[WRAPPED_BYTES], struct err *err)
{
	keys_db_bind(d, KEYS_SET_PURPOSE, 1, name, strlen(name));
	keys_db_bind_u64(d, KEYS_SET_PURPOSE, 2, epoch);
	keys_db_bind(d, KEYS_SET_PURPOSE, 3, wrapped, WRAPPED_BYTES);
	return keys_db_run(d, KEYS_SET_PURPOSE, err);
}

int keys_db_purposes(
	struct keys_db *d, struct keys_purpose_row *ret, size_t *ret_count, struct err *err)
{
	size_t count = 0;
	int r;

	while ((r = keys_db_next(d, KEYS_PURPOSES, err)) > 0) {
		const char *name = (const char *)sqlite3_column_text(d->st[KEYS_PURPOSES], 0);

		if (!name || strlen(name) > PURPOSE_NAME_MAX || count == KEYS_MAX_PURPOSES) {
			r = damaged(err);
			break;
		}
		memcpy(ret[count].name, name, strlen(name) + 1);
		r = keys_db_wrapped(
			d, KEYS_PURPOSES, 2, &ret[count].epoch, ret[count].wrapped, err);
		if (r < 0)
			break;
		count++;
	}
	(void)sqlite3_reset(d->st[KEYS_PURPOSES]);
	*ret_count = count;
	return r;
}
