/* ledger.c - see ledger.h.
 *
 * Rows are keyed by sequence number, so that filing appends to the tables; the indexes are over
 * short values: the id; for a number its serial behind a hash of what stands before it, so that
 * numbers that are drawn one after the other lie side by side; eight bytes of a request key. An
 * index over values that are long and random would make every record dirty a page of its own.
 *
 * synchronous=NORMAL: after a power cut the last transactions may be missing, and the mark then
 * says from where to read the history again.
 *
 * Two connections. The writer of the store looks up four things for every record, and must not wait
 * for a transaction of the applier, nor open one of its own for every look: so the second
 * connection keeps one snapshot open, which is dropped just before something is committed. Whoever
 * looks afterwards sees it; and a checkpoint, which follows a commit, finds no reader in its way. */
#include "store/ledger.h"

#include "core/base/map.h"
#include "core/base/tr.h"

#include <sqlite3.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEDGER_FORMAT = 4 };

static const char schema[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE head (sequence INTEGER PRIMARY KEY, record BLOB NOT NULL, version INTEGER "
	"NOT NULL,"
	" destroyed INTEGER NOT NULL, volume INTEGER NOT NULL, slip BLOB NOT NULL, slip_oid BLOB "
	"NOT NULL,"
	" number_key INTEGER NOT NULL, number TEXT NOT NULL, folder TEXT NOT NULL);"
	"CREATE UNIQUE INDEX head_record ON head (record);"
	"CREATE INDEX head_number ON head (number_key);"
	/* Few or none, and looked for at every start. */
	"CREATE INDEX head_destroyed ON head (destroyed) WHERE destroyed >= 1;"
	"CREATE TABLE request (short INTEGER NOT NULL, hash BLOB NOT NULL, record BLOB NOT NULL);"
	"CREATE INDEX request_short ON request (short);"
	/* Commits that say whose keys sign: the first of each volume, and those with Act: keys. */
	"CREATE TABLE signing (actions INTEGER PRIMARY KEY, volume INTEGER NOT NULL, oid BLOB NOT "
	"NULL);"
	"CREATE TABLE serial (scope TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;";

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	PUT_MARK,
	PUT_HEAD,
	PUT_DESTROYED,
	PUT_REQUEST,
	PUT_SERIAL,
	PUT_SIGNING,
	PUT_FINISHED,
	CLEAR_HEAD,
	CLEAR_REQUEST,
	CLEAR_SERIAL,
	CLEAR_SIGNING,
	CLEAR_MARK,
	BEGIN_READ, /* from here on: also of the reader */
	COMMIT_READ,
	GET_MARK,
	FIND_RECORD,
	FIND_NUMBER,
	FIND_SEQUENCE,
	FIND_REQUEST,
	FIND_SERIAL,
	FIND_DESTROYED,
	FIND_SIGNING,
	STATEMENTS
};

#define HEAD_COLUMNS \
	"SELECT record, sequence, version, destroyed, volume, slip, slip_oid, number, folder " \
	"FROM head "

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[BEGIN_READ] = "BEGIN",
	[COMMIT_READ] = "COMMIT",
	[PUT_MARK] = "INSERT OR REPLACE INTO meta VALUES ('mark', ?1)",
	[GET_MARK] = "SELECT value FROM meta WHERE name = 'mark'",
	[PUT_HEAD] = "INSERT INTO head VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)"
		     " ON CONFLICT (sequence) DO UPDATE SET version = ?3, volume = ?4, slip = ?5, "
		     "slip_oid = ?6",
	[PUT_DESTROYED] = "UPDATE head SET destroyed = 1 WHERE record = ?1 AND destroyed = 0",
	[PUT_FINISHED] = "UPDATE head SET destroyed = 2 WHERE record = ?1",
	[CLEAR_HEAD] = "DELETE FROM head",
	[CLEAR_REQUEST] = "DELETE FROM request",
	[CLEAR_SERIAL] = "DELETE FROM serial",
	[CLEAR_SIGNING] = "DELETE FROM signing",
	[CLEAR_MARK] = "DELETE FROM meta WHERE name = 'mark'",
	[PUT_REQUEST] = "INSERT INTO request VALUES (?1, ?2, ?3)",
	[PUT_SERIAL] = "INSERT INTO serial VALUES (?1, ?2)"
		       " ON CONFLICT (scope) DO UPDATE SET last = max(last, ?2)",
	[PUT_SIGNING] = "INSERT OR REPLACE INTO signing VALUES (?1, ?2, ?3)",
	[FIND_SIGNING] = "SELECT volume, oid FROM signing ORDER BY actions",
	[FIND_RECORD] = HEAD_COLUMNS "WHERE record = ?1",
	[FIND_NUMBER] = HEAD_COLUMNS "WHERE number_key = ?1 AND number = ?2",
	[FIND_SEQUENCE] = HEAD_COLUMNS "WHERE sequence = ?1",
	[FIND_REQUEST] = "SELECT record FROM request WHERE short = ?1 AND hash = ?2",
	[FIND_SERIAL] = "SELECT last FROM serial WHERE scope = ?1",
	[FIND_DESTROYED] = "SELECT record FROM head WHERE destroyed >= 1 AND destroyed <= ?1 ORDER "
			   "BY sequence",
};

/* A connection, its statements, and who may use it now. */
struct side {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	pthread_mutex_t lock;
	bool in_snapshot; /* of the reader */
};

struct ledger {
	bool writable;
	struct side writer, reader; /* locked in this order */
};

/* A full disk also shows where memory is shared by a file (-shm), and then only by errno. */
static bool is_full(const struct side *l, int code)
{
	return (code & 0xff) == SQLITE_FULL ||
	       ((code & 0xff) == SQLITE_IOERR && sqlite3_system_errno(l->db) == ENOSPC);
}

static int fail(const struct side *l, int code, struct err *err)
{
	int primary = code & 0xff;

	if (is_full(l, code))
		return err_set(err, ERR_FULL, tr("the ledger (derived/ledger.db): %s"),
			tr("the disk is full"));
	return err_set(err,
		primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? ERR_CORRUPT : ERR_IO,
		tr("the ledger (derived/ledger.db): %s"), sqlite3_errmsg(l->db));
}

static void reset(sqlite3_stmt **st)
{
	if (*st)
		(void)sqlite3_reset(*st);
}

static int run(struct side *l, enum statement which, struct err *err)
{
	int rc = sqlite3_step(l->statements[which]);

	(void)sqlite3_reset(l->statements[which]);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : fail(l, rc, err);
}

static void bind_blob(sqlite3_stmt *st, int at, const void *p, size_t n)
{
	(void)sqlite3_bind_blob(st, at, p, (int)n, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *st, int at, struct str s)
{
	(void)sqlite3_bind_text(st, at, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
}

static int64_t first_half(const void *key16)
{
	int64_t h;

	memcpy(&h, key16, sizeof(h));
	return h;
}

/* Where a number stands in the index: 32 bits of a hash of what stands before its last digits (nine
 * at most), and those. Different numbers may have the same. */
static int64_t number_key(struct str number)
{
	struct str head = number;
	struct map_key key;
	uint64_t serial = 0;

	while (head.n > 0 && number.n - head.n < 9 && head.p[head.n - 1] >= '0' &&
		head.p[head.n - 1] <= '9')
		head.n--;
	for (size_t i = head.n; i < number.n; i++)
		serial = serial * 10 + (uint64_t)(number.p[i] - '0');
	key = map_key(head.n ? head.p : "", head.n);
	return (int64_t)(((uint64_t)first_half(key.b) & 0xffffffff00000000u) | serial);
}

/* Whether the file is a ledger of this archive and format; anything else is thrown away by the
 * caller. */
static bool is_ours(struct side *l, const struct id *archive)
{
	sqlite3_stmt *st = NULL;
	char text[ID_TEXT];
	bool ours = false;

	if (sqlite3_prepare_v2(l->db,
		    "SELECT a.value, f.value FROM meta AS a, meta AS f"
		    " WHERE a.name = 'archive' AND f.name = 'format'",
		    -1, &st, NULL) == SQLITE_OK &&
		sqlite3_step(st) == SQLITE_ROW) {
		const char *value = (const char *)sqlite3_column_text(st, 0);

		(void)hex_encode(archive->b, sizeof(archive->b), text);
		ours = value && strcmp(value, text) == 0 &&
		       sqlite3_column_int(st, 1) == LEDGER_FORMAT;
	}
	(void)sqlite3_finalize(st);
	return ours;
}

static int make(struct side *l, const struct id *archive)
{
	char text[ID_TEXT], meta[160];

	(void)snprintf(meta, sizeof(meta),
		"INSERT INTO meta VALUES ('format', %d), ('archive', '%s'); PRAGMA user_version = "
		"%d",
		LEDGER_FORMAT, hex_encode(archive->b, sizeof(archive->b), text), LEDGER_FORMAT);
	if (sqlite3_exec(l->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_exec(l->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_exec(l->db, meta, NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	return 0;
}

static int exec(struct side *l, const char *text)
{
	return sqlite3_exec(l->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static int connect(struct side *l, const char *path, int flags)
{
	if (sqlite3_open_v2(path, &l->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return -1;
	(void)sqlite3_busy_timeout(l->db, 5000);
	return exec(l, "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY");
}

static int connect_writer(struct side *l, const char *path)
{
	int r = connect(l, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	/* Names, requests and contents are hashes: filing many touches pages all over the tree. So those
	 * stay in memory, and are written back when many changes of them have come together. */
	return r < 0 ? r
		     : exec(l, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			       "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000");
}

/* Beside a writer the shared memory of the WAL must be opened as the writer has it. */
static int connect_reader(struct ledger *l, const char *path)
{
	int r = connect(
		&l->reader, path, l->writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);

	return r < 0 ? r : exec(&l->reader, "PRAGMA query_only = ON");
}

static void remove_files(const char *path)
{
	static const char *const tails[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		_cleanup_(buf_done) struct buf name = BUF_INIT;

		buf_addf(&name, "%s%s", path, tails[i]);
		(void)unlink(name.p);
	}
}

/* A writer's file: one that is not ours is thrown away. */
static int open_writer(struct ledger *l, const char *path, const struct id *archive)
{
	int r = connect_writer(&l->writer, path);

	if (r == 0 && is_ours(&l->writer, archive))
		return 0;
	(void)sqlite3_close(TAKE_PTR(l->writer.db));
	remove_files(path);
	r = connect_writer(&l->writer, path);
	return r < 0 ? r : make(&l->writer, archive);
}

static int prepare(struct side *l, enum statement first, struct err *err)
{
	for (size_t i = first; i < STATEMENTS; i++) {
		int rc = sqlite3_prepare_v3(
			l->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &l->statements[i], NULL);

		if (rc != SQLITE_OK)
			return fail(l, rc, err);
	}
	return 0;
}

static int cannot_open(const struct side *l, struct err *err)
{
	const bool full = l->db && is_full(l, sqlite3_errcode(l->db));

	return err_set(err, full ? ERR_FULL : ERR_IO,
		tr("cannot open the ledger (derived/ledger.db): %s"),
		full	? tr("the disk is full")
		: l->db ? sqlite3_errmsg(l->db)
			: "");
}

int ledger_open(const char *derived_path, const struct id *archive, bool writable,
	struct ledger **ret, struct err *err)
{
	_cleanup_(ledger_freep) struct ledger *l = xcalloc(1, sizeof(*l));
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	int r = 0;

	l->writable = writable;
	(void)pthread_mutex_init(&l->writer.lock, NULL);
	(void)pthread_mutex_init(&l->reader.lock, NULL);
	buf_addf(&path, "%s/ledger.db", derived_path);
	if (writable && open_writer(l, path.p, archive) < 0)
		return cannot_open(&l->writer, err);
	if (connect_reader(l, path.p) < 0 || !is_ours(&l->reader, archive))
		return cannot_open(&l->reader, err);
	if (writable)
		r = prepare(&l->writer, BEGIN, err);
	if (r == 0)
		r = prepare(&l->reader, BEGIN_READ, err);
	if (r == 0)
		*ret = TAKE_PTR(l);
	return r;
}

static void side_done(struct side *l)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(l->statements[i]);
	(void)sqlite3_close(l->db);
	(void)pthread_mutex_destroy(&l->lock);
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	/* The reader first: the last one to go brings the WAL home, which only the writer may. */
	side_done(&l->reader);
	side_done(&l->writer);
	free(l);
}

/* ---- the reader's snapshot ---- */

/* Lock the reader; with a snapshot when a writer of this process drops it in time. */
static void begin_read(struct ledger *l)
{
	(void)pthread_mutex_lock(&l->reader.lock);
	if (l->writable && !l->reader.in_snapshot)
		l->reader.in_snapshot = run(&l->reader, BEGIN_READ, NULL) == 0;
}

static void end_read(struct ledger *l)
{
	(void)pthread_mutex_unlock(&l->reader.lock);
}

/* What was written since BEGIN becomes visible; or is taken back after a failure. The reader is kept out while
 * its snapshot would be in the way. */
static int end_write(struct ledger *l, int r, struct err *err)
{
	(void)pthread_mutex_lock(&l->reader.lock);
	if (l->reader.in_snapshot)
		(void)run(&l->reader, COMMIT_READ, NULL);
	l->reader.in_snapshot = false;
	if (r == 0)
		r = run(&l->writer, COMMIT, err);
	if (r < 0 && !sqlite3_get_autocommit(l->writer.db))
		(void)run(&l->writer, ROLLBACK, NULL);
	(void)pthread_mutex_unlock(&l->reader.lock);
	return r;
}

/* ---- the mark ---- */

/* The mark is one blob: volume (4), actions (8), records (8), commit (20). */
static int get_mark(struct side *l, struct ledger_mark *ret, struct err *err)
{
	_cleanup_(reset) sqlite3_stmt *st = l->statements[GET_MARK];
	const uint8_t *p;
	int rc = sqlite3_step(st);

	*ret = (struct ledger_mark){ 0 };
	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return fail(l, rc, err);
	p = sqlite3_column_blob(st, 0);
	if (sqlite3_column_bytes(st, 0) != (int)sizeof(*ret))
		return err_set(err, ERR_CORRUPT, tr("the ledger (derived/ledger.db): %s"), "mark");
	memcpy(ret, p, sizeof(*ret));
	return 0;
}

int ledger_mark(struct ledger *l, struct ledger_mark *ret, struct err *err)
{
	int r;

	begin_read(l);
	r = get_mark(&l->reader, ret, err);
	end_read(l);
	return r;
}

/* ---- writing ---- */

static int put_slip(struct side *l, const struct facts *f, const struct fact *fact, struct err *err)
{
	const struct slip *slip = &fact->slip;
	sqlite3_stmt *st = l->statements[PUT_HEAD];

	(void)sqlite3_bind_int64(st, 1, (int64_t)slip->sequence);
	bind_blob(st, 2, slip->record.b, sizeof(slip->record.b));
	(void)sqlite3_bind_int64(st, 3, (int64_t)slip->version);
	(void)sqlite3_bind_int64(st, 4, f->commit.volume);
	bind_blob(st, 5, fact->sha256.b, sizeof(fact->sha256.b));
	bind_blob(st, 6, fact->oid.b, sizeof(fact->oid.b));
	(void)sqlite3_bind_int64(st, 7, number_key(slip->number));
	bind_text(st, 8, slip->number);
	bind_text(st, 9, fact->folder);
	return run(l, PUT_HEAD, err);
}

/* The requests of a transaction go in sorted: as they come, each is somewhere else in the index. */
struct asked {
	int64_t first;
	const struct slip *slip;
};

static int by_first(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static int put_requests(struct side *l, struct buf *asked, struct err *err)
{
	struct asked *list = (struct asked *)(void *)asked->p;
	size_t count = asked->n / sizeof(*list);
	int r = buf_check(asked, err);

	if (r == 0 && count > 0)
		qsort(list, count, sizeof(*list), by_first);
	for (size_t i = 0; i < count && r == 0; i++) {
		sqlite3_stmt *st = l->statements[PUT_REQUEST];
		const struct slip *slip = list[i].slip;

		(void)sqlite3_bind_int64(st, 1, list[i].first);
		bind_blob(st, 2, slip->request.b, sizeof(slip->request.b));
		bind_blob(st, 3, slip->record.b, sizeof(slip->record.b));
		r = run(l, PUT_REQUEST, err);
	}
	return r;
}

/* Serials rise within an action: only the last one of a scope needs writing. */
static bool is_last_of_scope(const struct facts *f, size_t i)
{
	return i + 1 == f->count || f->facts[i + 1].is_tombstone ||
	       !str_eq(f->facts[i].slip.scope, f->facts[i + 1].slip.scope) ||
	       f->facts[i + 1].slip.serial < f->facts[i].slip.serial;
}

static int put_signing(struct side *l, const struct facts *f, struct err *err)
{
	sqlite3_stmt *st = l->statements[PUT_SIGNING];

	if (f->commit.act != ACT_OPEN && f->commit.act != ACT_KEYS)
		return 0;
	(void)sqlite3_bind_int64(st, 1, (int64_t)f->commit.actions);
	(void)sqlite3_bind_int64(st, 2, f->commit.volume);
	bind_blob(st, 3, f->oid.b, sizeof(f->oid.b));
	return run(l, PUT_SIGNING, err);
}

static int put_action(struct side *l, const struct facts *f, struct buf *asked, struct err *err)
{
	int r = put_signing(l, f, err);

	for (size_t i = 0; i < f->count && r == 0; i++) {
		const struct fact *fact = &f->facts[i];

		if (fact->is_tombstone) {
			bind_blob(l->statements[PUT_DESTROYED], 1, fact->tombstone.record.b,
				ID_BYTES);
			r = run(l, PUT_DESTROYED, err);
			continue;
		}
		r = put_slip(l, f, fact, err);
		if (fact->slip.has_request) {
			const struct asked one = { first_half(fact->slip.request.b), &fact->slip };

			buf_add(asked, &one, sizeof(one));
		}
		if (r == 0 && fact->slip.serial && is_last_of_scope(f, i)) {
			sqlite3_stmt *st = l->statements[PUT_SERIAL];

			bind_text(st, 1, fact->slip.scope);
			(void)sqlite3_bind_int64(st, 2, (int64_t)fact->slip.serial);
			r = run(l, PUT_SERIAL, err);
		}
	}
	return r;
}

static int put_all(struct side *l, const struct facts *actions, size_t count, struct err *err)
{
	_cleanup_(buf_done) struct buf asked = BUF_INIT;
	struct ledger_mark mark;
	int r = get_mark(l, &mark, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		const struct commit *c = &actions[i].commit;
		struct ledger_mark next;

		if (mark.volume && c->actions <= mark.actions)
			continue;
		if (c->actions != mark.actions + 1)
			return err_set(err, ERR_CONFLICT, tr("the ledger is behind the history"));
		r = put_action(l, &actions[i], &asked, err);
		memset(&next, 0, sizeof(next)); /* its padding is stored too */
		next.volume = c->volume;
		next.commit = actions[i].oid;
		next.actions = c->actions;
		next.records = c->records;
		mark = next;
	}
	if (r == 0)
		r = put_requests(l, &asked, err);
	if (r == 0) {
		bind_blob(l->statements[PUT_MARK], 1, &mark, sizeof(mark));
		r = run(l, PUT_MARK, err);
	}
	return r;
}

int ledger_apply(struct ledger *l, const struct facts *actions, size_t count, struct err *err)
{
	int r;

	(void)pthread_mutex_lock(&l->writer.lock);
	r = run(&l->writer, BEGIN, err);
	if (r == 0)
		r = end_write(l, put_all(&l->writer, actions, count, err), err);
	(void)pthread_mutex_unlock(&l->writer.lock);
	return r;
}

int ledger_finished(struct ledger *l, const struct id *record, struct err *err)
{
	int r;

	(void)pthread_mutex_lock(&l->writer.lock);
	r = run(&l->writer, BEGIN, err);
	if (r == 0) {
		bind_blob(l->writer.statements[PUT_FINISHED], 1, record->b, sizeof(record->b));
		r = end_write(l, run(&l->writer, PUT_FINISHED, err), err);
	}
	(void)pthread_mutex_unlock(&l->writer.lock);
	return r;
}

int ledger_clear(struct ledger *l, struct err *err)
{
	static const enum statement all[] = { CLEAR_HEAD, CLEAR_REQUEST, CLEAR_SERIAL,
		CLEAR_SIGNING, CLEAR_MARK };
	int r;

	(void)pthread_mutex_lock(&l->writer.lock);
	r = run(&l->writer, BEGIN, err);
	if (r == 0) {
		for (size_t i = 0; i < ARRAY_LEN(all) && r == 0; i++)
			r = run(&l->writer, all[i], err);
		r = end_write(l, r, err);
	}
	(void)pthread_mutex_unlock(&l->writer.lock);
	return r;
}

/* ---- looking up ---- */

static int copy_blob(sqlite3_stmt *st, int column, void *out, size_t n)
{
	const void *p = sqlite3_column_blob(st, column);

	if (!p || sqlite3_column_bytes(st, column) != (int)n)
		return -ERR_CORRUPT;
	memcpy(out, p, n);
	return 0;
}

static char *copy_text(sqlite3_stmt *st, int column)
{
	const char *p = (const char *)sqlite3_column_text(st, column);

	return xstrdup(p ? p : "");
}

/* Most look-ups of the store's writer find nothing: nobody asks why then. */
static int nothing(const char *what, struct err *err)
{
	return err ? err_set(err, ERR_NOTFOUND, "%s", tr(what)) : -ERR_NOTFOUND;
}

static int find(struct side *l, enum statement which, struct record_head *ret, struct err *err)
{
	_cleanup_(reset) sqlite3_stmt *st = l->statements[which];
	struct record_head h = { .version = 0 };
	int rc = sqlite3_step(st);

	if (rc == SQLITE_DONE)
		return nothing(TR_MARK("there is no such record"), err);
	if (rc != SQLITE_ROW)
		return fail(l, rc, err);
	if (copy_blob(st, 0, h.record.b, sizeof(h.record.b)) < 0 ||
		copy_blob(st, 5, h.slip.b, sizeof(h.slip.b)) < 0 ||
		copy_blob(st, 6, h.slip_oid.b, sizeof(h.slip_oid.b)) < 0)
		return err_set(err, ERR_CORRUPT, tr("the ledger (derived/ledger.db): %s"), "head");
	h.sequence = (uint64_t)sqlite3_column_int64(st, 1);
	h.version = (uint64_t)sqlite3_column_int64(st, 2);
	h.destroyed = sqlite3_column_int(st, 3) != 0;
	h.volume = (uint32_t)sqlite3_column_int64(st, 4);
	h.number = copy_text(st, 7);
	h.folder = copy_text(st, 8);
	*ret = h;
	return 0;
}

int ledger_find(struct ledger *l, const struct id *record, struct record_head *ret, struct err *err)
{
	int r;

	begin_read(l);
	bind_blob(l->reader.statements[FIND_RECORD], 1, record->b, sizeof(record->b));
	r = find(&l->reader, FIND_RECORD, ret, err);
	end_read(l);
	return r;
}

int ledger_find_number(
	struct ledger *l, struct str number, struct record_head *ret, struct err *err)
{
	sqlite3_stmt *st = l->reader.statements[FIND_NUMBER];
	int64_t key = number_key(number);
	int r;

	begin_read(l);
	(void)sqlite3_bind_int64(st, 1, key);
	bind_text(st, 2, number);
	r = find(&l->reader, FIND_NUMBER, ret, err);
	end_read(l);
	return r;
}

int ledger_find_sequence(
	struct ledger *l, uint64_t sequence, struct record_head *ret, struct err *err)
{
	int r;

	begin_read(l);
	(void)sqlite3_bind_int64(l->reader.statements[FIND_SEQUENCE], 1, (int64_t)sequence);
	r = find(&l->reader, FIND_SEQUENCE, ret, err);
	end_read(l);
	return r;
}

int ledger_find_request(
	struct ledger *l, const struct id *request, struct id *ret_record, struct err *err)
{
	sqlite3_stmt *st = l->reader.statements[FIND_REQUEST];
	int rc, r = 0;

	begin_read(l);
	(void)sqlite3_bind_int64(st, 1, first_half(request->b));
	bind_blob(st, 2, request->b, sizeof(request->b));
	rc = sqlite3_step(st);
	if (rc == SQLITE_DONE)
		r = nothing(TR_MARK("there is no such request"), err);
	else if (rc != SQLITE_ROW)
		r = fail(&l->reader, rc, err);
	else if (copy_blob(st, 0, ret_record->b, sizeof(ret_record->b)) < 0)
		r = err_set(err, ERR_CORRUPT, tr("the ledger (derived/ledger.db): %s"), "request");
	(void)sqlite3_reset(st);
	end_read(l);
	return r;
}

int ledger_serial(struct ledger *l, struct str scope, uint64_t *ret, struct err *err)
{
	sqlite3_stmt *st = l->reader.statements[FIND_SERIAL];
	int rc, r = 0;

	begin_read(l);
	bind_text(st, 1, scope);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(st, 0);
	else if (rc == SQLITE_DONE)
		*ret = 0;
	else
		r = fail(&l->reader, rc, err);
	(void)sqlite3_reset(st);
	end_read(l);
	return r;
}

static int list_destroyed(struct side *l, bool unfinished_only, struct buf *ids, struct err *err)
{
	sqlite3_stmt *st = l->statements[FIND_DESTROYED];
	int rc;

	(void)sqlite3_bind_int(st, 1, unfinished_only ? 1 : 2);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct id id;

		if (copy_blob(st, 0, id.b, sizeof(id.b)) == 0)
			buf_add(ids, id.b, sizeof(id.b));
	}
	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE ? buf_check(ids, err) : fail(l, rc, err);
}

int ledger_signing(
	struct ledger *l, struct ledger_signing **ret, size_t *ret_count, struct err *err)
{
	_cleanup_(buf_done) struct buf rows = BUF_INIT;
	sqlite3_stmt *st = l->reader.statements[FIND_SIGNING];
	int rc, r = 0;

	begin_read(l);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct ledger_signing row = { .volume = (uint32_t)sqlite3_column_int64(st, 0) };

		if (copy_blob(st, 1, row.commit.b, sizeof(row.commit.b)) == 0)
			buf_add(&rows, &row, sizeof(row));
	}
	(void)sqlite3_reset(st);
	if (rc != SQLITE_DONE)
		r = fail(&l->reader, rc, err);
	end_read(l);
	if (r == 0)
		r = buf_check(&rows, err);
	if (r < 0)
		return r;
	*ret_count = rows.n / sizeof(struct ledger_signing);
	*ret = xcalloc(*ret_count + 1, sizeof(struct ledger_signing));
	if (rows.n)
		memcpy(*ret, rows.p, rows.n);
	return 0;
}

int ledger_destroyed(struct ledger *l, bool unfinished_only,
	int (*each)(void *context, const struct id *record, struct err *err), void *context,
	struct err *err)
{
	_cleanup_(buf_done) struct buf ids = BUF_INIT;
	int r;

	begin_read(l);
	r = list_destroyed(&l->reader, unfinished_only, &ids, err);
	end_read(l);
	for (size_t i = 0; i + ID_BYTES <= ids.n && r == 0; i += ID_BYTES) {
		struct id id;

		memcpy(id.b, ids.p + i, sizeof(id.b));
		r = each(context, &id, err);
	}
	return r;
}
