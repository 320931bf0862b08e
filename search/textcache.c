/* textcache.c - see textcache.h. */
#include "search/textcache.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/tr.h"
#include "search/extract_wire.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>

enum {
	SEAL_VERSION = 1,
	SCHEMA_VERSION = 1,
	APPLICATION_ID = 0x4d585431, /* "MXT1" */
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	SEAL_OVERHEAD = 1 + NONCE_BYTES + TAG_BYTES,
	ID_BYTES = TEXTCACHE_ID_BYTES,
	BUSY_MS = 5000,
	FLAG_NAME_DIFFERS = 1,
	FLAG_IS_CUT = 2,
	FLAG_SCAN = 4
};

static const char context_text[15] = "muniment text 1";

enum { AD_BYTES = sizeof(context_text) + 3 * ID_BYTES };

struct textcache {
	pthread_mutex_t lock;
	sqlite3 *db;
	uint8_t archive[ID_BYTES];
};

/* ---- text to bytes and back ---- */

static void add_string(struct buf *b, struct str s)
{
	buf_add_be32(b, (uint32_t)s.n);
	buf_add_str(b, s);
}

void textcache_serialise(const struct extracted *text, struct buf *ret)
{
	uint8_t flags =
		(uint8_t)((text->name_differs ? FLAG_NAME_DIFFERS : 0) |
			  (text->is_cut ? FLAG_IS_CUT : 0) | (text->scanned > 0 ? FLAG_SCAN : 0));

	buf_addc(ret, (char)text->reason);
	buf_addc(ret, (char)flags);
	add_string(ret, str_of(text->media_type));
	add_string(ret, text->title);
	add_string(ret, text->author);
	add_string(ret, text->date);
	if (flags & FLAG_SCAN) {
		buf_add_be32(ret, text->scanned);
		buf_add_be32(ret, text->total);
	}
	buf_add_be32(ret, (uint32_t)text->page_count);
	for (size_t i = 0; i < text->page_count; i++) {
		buf_add_be32(ret, text->pages[i].number);
		buf_add_be32(ret, text->pages[i].attachment);
		if (flags & FLAG_SCAN)
			buf_addc(ret, (char)text->pages[i].sure);
		add_string(ret, text->pages[i].label);
		add_string(ret, text->pages[i].text);
	}
}

static bool take(struct str *from, size_t n, struct str *ret)
{
	if (from->n < n)
		return false;
	*ret = (struct str){ from->p, n };
	from->p += n;
	from->n -= n;
	return true;
}

static bool take_u32(struct str *from, uint32_t *ret)
{
	struct str raw;

	if (!take(from, 4, &raw))
		return false;
	*ret = get_be32((const uint8_t *)raw.p);
	return true;
}

static bool take_string(struct str *from, struct str *ret)
{
	uint32_t n;

	return take_u32(from, &n) && take(from, n, ret);
}

static bool take_head(struct str *from, struct extracted *e, bool *ret_scan)
{
	struct str raw, type;
	struct date date;

	if (!take(from, 2, &raw) || (uint8_t)raw.p[0] >= EXTRACT_REASON_COUNT ||
		(uint8_t)raw.p[1] > (FLAG_NAME_DIFFERS | FLAG_IS_CUT | FLAG_SCAN))
		return false;
	*ret_scan = raw.p[1] & FLAG_SCAN;
	e->reason = (enum extract_reason)raw.p[0];
	e->name_differs = raw.p[1] & FLAG_NAME_DIFFERS;
	e->is_cut = raw.p[1] & FLAG_IS_CUT;
	if (!take_string(from, &type) || type.n >= sizeof(e->media_type) ||
		!wire_is_clean_line(type) || !take_string(from, &e->title) ||
		!wire_is_clean_line(e->title) || !take_string(from, &e->author) ||
		!wire_is_clean_line(e->author) || !take_string(from, &e->date))
		return false;
	memcpy(e->media_type, type.p, type.n);
	if (*ret_scan &&
		(!take_u32(from, &e->scanned) || !take_u32(from, &e->total) || e->scanned == 0))
		return false;
	return e->date.n == 0 || date_parse(e->date, &date, NULL) == 0;
}

static bool take_sure(struct str *from, uint8_t *ret)
{
	struct str raw;

	if (!take(from, 1, &raw) || (uint8_t)raw.p[0] > 100)
		return false;
	*ret = (uint8_t)raw.p[0];
	return true;
}

/* The least that a page takes: what bounds their number before memory is asked for. */
enum { PAGE_MIN_BYTES = 16 };

static bool take_pages(struct str *from, struct extracted *e, bool is_scan)
{
	uint32_t count;

	if (!take_u32(from, &count) || count > from->n / PAGE_MIN_BYTES)
		return false;
	e->pages = count ? calloc(count, sizeof(*e->pages)) : NULL;
	if (count && !e->pages)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct extracted_page *page = &e->pages[i];

		if (!take_u32(from, &page->number) || !take_u32(from, &page->attachment) ||
			(is_scan && !take_sure(from, &page->sure)) ||
			!take_string(from, &page->label) || !wire_is_clean_line(page->label) ||
			!take_string(from, &page->text) || !wire_is_clean(page->text))
			return false;
		e->text_bytes += page->text.n;
		e->page_count = i + 1;
	}
	return from->n == 0;
}

int textcache_parse(struct str bytes, struct extracted **ret, struct err *err)
{
	_cleanup_(extracted_freep) struct extracted *e = xcalloc(1, sizeof(*e));
	struct str rest = { NULL, bytes.n };
	bool is_scan = false;

	e->bytes = malloc(bytes.n ? bytes.n : 1);
	if (!e->bytes)
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	if (bytes.n)
		memcpy(e->bytes, bytes.p, bytes.n);
	e->byte_count = bytes.n;
	rest.p = e->bytes;
	if (!take_head(&rest, e, &is_scan) || !take_pages(&rest, e, is_scan))
		return err_set(err, ERR_CORRUPT, tr("a kept text is damaged; run reindex --text"));
	*ret = TAKE_PTR(e);
	return 0;
}

/* ---- sealing ---- */

static void associate(
	const struct textcache *t, const uint8_t *record, const uint8_t *part, uint8_t ad[AD_BYTES])
{
	memcpy(ad, context_text, sizeof(context_text));
	memcpy(ad + sizeof(context_text), t->archive, ID_BYTES);
	memcpy(ad + sizeof(context_text) + ID_BYTES, record, ID_BYTES);
	memcpy(ad + sizeof(context_text) + (size_t)2 * ID_BYTES, part, ID_BYTES);
}

static void seal(const struct textcache *t, const uint8_t *record, const uint8_t *part,
	const struct secret *key, struct str plain, struct buf *ret)
{
	uint8_t ad[AD_BYTES];
	uint8_t *out = buf_extend(ret, plain.n + SEAL_OVERHEAD);

	if (!out)
		return;
	associate(t, record, part, ad);
	out[0] = SEAL_VERSION;
	randombytes_buf(out + 1, NONCE_BYTES);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + 1 + NONCE_BYTES, NULL,
		(const uint8_t *)plain.p, plain.n, ad, sizeof(ad), NULL, out + 1, key->p);
}

static int unseal(const struct textcache *t, const uint8_t *record, const uint8_t *part,
	const struct secret *key, const uint8_t *sealed, size_t n, struct buf *ret, struct err *err)
{
	uint8_t ad[AD_BYTES];
	uint8_t *out;

	if (n >= 1 && sealed[0] > SEAL_VERSION)
		return err_set(err, ERR_UNSUPPORTED, tr("a kept text is of a newer version"));
	out = n < SEAL_OVERHEAD || sealed[0] != SEAL_VERSION ? NULL
							     : buf_extend(ret, n - SEAL_OVERHEAD);
	if (n >= SEAL_OVERHEAD && !out && sealed[0] == SEAL_VERSION)
		return buf_check(ret, err);
	associate(t, record, part, ad);
	if (!out || crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
			    sealed + 1 + NONCE_BYTES, n - 1 - NONCE_BYTES, ad, sizeof(ad),
			    sealed + 1, key->p) < 0)
		return err_set(err, ERR_CORRUPT, tr("a kept text is damaged; run reindex --text"));
	return 0;
}

/* ---- SQLite ---- */

static int fail(const struct textcache *t, struct err *err)
{
	int code = t->db ? sqlite3_errcode(t->db) : SQLITE_NOMEM;
	const char *text = t->db ? sqlite3_errmsg(t->db) : sqlite3_errstr(code);

	/* Where memory is shared by a file (-shm) only errno says that the disk is full. */
	if ((code & 0xff) == SQLITE_FULL ||
		((code & 0xff) == SQLITE_IOERR && t->db && sqlite3_system_errno(t->db) == ENOSPC))
		return err_set(err, ERR_FULL, tr("the kept texts: %s"), tr("the disk is full"));
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_LOCKED, tr("the kept texts: %s"), text);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ERR_CORRUPT, tr("the kept texts: %s"), text);
	default:
		return err_set(err, ERR_IO, tr("the kept texts: %s"), text);
	}
}

static int run(struct textcache *t, const char *sql, struct err *err)
{
	return sqlite3_exec(t->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(t, err);
}

static void finalizep(sqlite3_stmt **s)
{
	(void)sqlite3_finalize(*s);
}

static int prepare(struct textcache *t, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	return sqlite3_prepare_v2(t->db, sql, -1, ret, NULL) == SQLITE_OK ? 0 : fail(t, err);
}

static int bind_ids(struct textcache *t, sqlite3_stmt *s, const uint8_t *record,
	const uint8_t *part, struct err *err)
{
	if (sqlite3_bind_blob(s, 1, record, ID_BYTES, SQLITE_TRANSIENT) != SQLITE_OK ||
		(part && sqlite3_bind_blob(s, 2, part, ID_BYTES, SQLITE_TRANSIENT) != SQLITE_OK))
		return fail(t, err);
	return 0;
}

static int number(struct textcache *t, const char *sql, int *ret, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r = prepare(t, sql, &s, err);

	if (r < 0)
		return r;
	if (sqlite3_step(s) != SQLITE_ROW)
		return fail(t, err);
	*ret = sqlite3_column_int(s, 0);
	return 0;
}

/* Newer than the first files of this version, which get it when they are opened. */
static const char scan_table[] =
	"CREATE TABLE IF NOT EXISTS scan(record BLOB NOT NULL, part BLOB NOT NULL,"
	" PRIMARY KEY(record, part)) WITHOUT ROWID";

static int set_up(struct textcache *t, struct err *err)
{
	int id = 0, version = 0;
	int r = run(t,
		"PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", err);

	if (r == 0)
		r = number(t, "PRAGMA application_id", &id, err);
	if (r == 0)
		r = number(t, "PRAGMA user_version", &version, err);
	if (r < 0)
		return r;
	if (id == APPLICATION_ID && version > SCHEMA_VERSION)
		return err_set(err, ERR_UNSUPPORTED, tr("the kept texts are of a newer version"));
	if (id == APPLICATION_ID)
		return run(t, scan_table, err);
	if (id != 0 || version != 0)
		return err_set(err, ERR_CORRUPT, tr("this file does not hold kept texts"));
	return run(t,
		"BEGIN IMMEDIATE;"
		"CREATE TABLE text(record BLOB NOT NULL, part BLOB NOT NULL, sealed BLOB NOT NULL,"
		" PRIMARY KEY(record, part)) WITHOUT ROWID;"
		"CREATE TABLE scan(record BLOB NOT NULL, part BLOB NOT NULL, PRIMARY KEY(record, "
		"part))"
		" WITHOUT ROWID;"
		"PRAGMA application_id=1297634353; PRAGMA user_version=1;"
		"COMMIT",
		err);
}

int textcache_open(const char *path, const uint8_t archive_id[TEXTCACHE_ID_BYTES],
	struct textcache **ret, struct err *err)
{
	_cleanup_(textcache_closep) struct textcache *t = xcalloc(1, sizeof(*t));
	int r;

	(void)pthread_mutex_init(&t->lock, NULL);
	memcpy(t->archive, archive_id, ID_BYTES);
	if (sqlite3_open_v2(path, &t->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK)
		return fail(t, err);
	(void)sqlite3_busy_timeout(t->db, BUSY_MS);
	r = set_up(t, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}

void textcache_close(struct textcache *t)
{
	if (!t)
		return;
	(void)sqlite3_close_v2(t->db);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

static int insert(struct textcache *t, const uint8_t *record, const uint8_t *part,
	struct str sealed, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r = prepare(
		t, "INSERT OR REPLACE INTO text(record, part, sealed) VALUES(?, ?, ?)", &s, err);

	if (r == 0)
		r = bind_ids(t, s, record, part, err);
	if (r < 0)
		return r;
	if (sqlite3_bind_blob64(s, 3, sealed.p, sealed.n, SQLITE_STATIC) != SQLITE_OK ||
		sqlite3_step(s) != SQLITE_DONE)
		return fail(t, err);
	return 0;
}

int textcache_put(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], const struct secret *key,
	const struct extracted *text, struct err *err)
{
	struct buf plain = BUF_INIT_MAX(SIZE_MAX / 4), sealed = BUF_INIT_MAX(SIZE_MAX / 4);
	int r;

	textcache_serialise(text, &plain);
	r = buf_check(&plain, err);
	if (r == 0) {
		seal(t, record, part, key, buf_str(&plain), &sealed);
		r = buf_check(&sealed, err);
	}
	buf_wipe(&plain);
	if (r == 0) {
		(void)pthread_mutex_lock(&t->lock);
		r = insert(t, record, part, buf_str(&sealed), err);
		(void)pthread_mutex_unlock(&t->lock);
	}
	buf_done(&sealed);
	return r;
}

/* The sealed bytes of a row; ERR_NOTFOUND. */
static int find(struct textcache *t, const uint8_t *record, const uint8_t *part, struct buf *ret,
	struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r = prepare(t, "SELECT sealed FROM text WHERE record = ? AND part = ?", &s, err);

	if (r == 0)
		r = bind_ids(t, s, record, part, err);
	if (r < 0)
		return r;
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		buf_add(ret, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
		return buf_check(ret, err);
	case SQLITE_DONE:
		return err_set(err, ERR_NOTFOUND, tr("no text is kept for this part"));
	default:
		return fail(t, err);
	}
}

int textcache_get(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], const struct secret *key, struct extracted **ret,
	struct err *err)
{
	struct buf sealed = BUF_INIT_MAX(SIZE_MAX / 4), plain = BUF_INIT_MAX(SIZE_MAX / 4);
	int r;

	(void)pthread_mutex_lock(&t->lock);
	r = find(t, record, part, &sealed, err);
	(void)pthread_mutex_unlock(&t->lock);
	if (r == 0)
		r = unseal(t, record, part, key, (const uint8_t *)sealed.p, sealed.n, &plain, err);
	if (r == 0)
		r = textcache_parse(buf_str(&plain), ret, err);
	buf_done(&sealed);
	buf_wipe(&plain);
	return r;
}

int textcache_has(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r;

	(void)pthread_mutex_lock(&t->lock);
	r = prepare(t, "SELECT 1 FROM text WHERE record = ? AND part = ?", &s, err);
	if (r == 0)
		r = bind_ids(t, s, record, part, err);
	if (r == 0) {
		int step = sqlite3_step(s);

		r = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : fail(t, err);
	}
	finalizep(&s);
	s = NULL;
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

static int delete_rows(struct textcache *t, const char *sql, const uint8_t *record, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r = prepare(t, sql, &s, err);

	if (r == 0)
		r = bind_ids(t, s, record, NULL, err);
	if (r < 0)
		return r;
	return sqlite3_step(s) == SQLITE_DONE ? 0 : fail(t, err);
}

/* Move the WAL into the database, whose freed pages are zeroed, and cut it to nothing. */
static int empty_wal(struct textcache *t, struct err *err)
{
	int busy = 0;
	int r = number(t, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, err);

	if (r == 0 && busy)
		return err_set(err, ERR_LOCKED,
			tr("the kept texts are in use, so deleted ones are not overwritten yet"));
	return r;
}

int textcache_forget(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES], struct err *err)
{
	int r;

	(void)pthread_mutex_lock(&t->lock);
	r = delete_rows(t, "DELETE FROM text WHERE record = ?", record, err);
	if (r == 0)
		r = delete_rows(t, "DELETE FROM scan WHERE record = ?", record, err);
	if (r == 0)
		r = empty_wal(t, err);
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

struct position {
	uint8_t record[ID_BYTES], part[ID_BYTES];
	uint64_t bytes;
};

/* The row behind a position: 1, 0 at the end. */
static int next(struct textcache *t, bool is_first, struct position *at, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r = prepare(t,
		is_first ? "SELECT record, part, length(sealed) FROM text ORDER BY record, part "
			   "LIMIT 1"
			 : "SELECT record, part, length(sealed) FROM text WHERE (record, part) > "
			   "(?, ?)"
			   " ORDER BY record, part LIMIT 1",
		&s, err);

	if (r == 0 && !is_first)
		r = bind_ids(t, s, at->record, at->part, err);
	if (r < 0)
		return r;
	r = sqlite3_step(s);
	if (r == SQLITE_DONE)
		return 0;
	if (r != SQLITE_ROW)
		return fail(t, err);
	if (sqlite3_column_bytes(s, 0) != ID_BYTES || sqlite3_column_bytes(s, 1) != ID_BYTES)
		return err_set(err, ERR_CORRUPT, tr("this file does not hold kept texts"));
	memcpy(at->record, sqlite3_column_blob(s, 0), ID_BYTES);
	memcpy(at->part, sqlite3_column_blob(s, 1), ID_BYTES);
	at->bytes = (uint64_t)sqlite3_column_int64(s, 2);
	return 1;
}

int textcache_each(struct textcache *t,
	int (*row)(void *context, const uint8_t record[TEXTCACHE_ID_BYTES],
		const uint8_t part[TEXTCACHE_ID_BYTES], uint64_t sealed_bytes, struct err *err),
	void *context, struct err *err)
{
	struct position at;
	bool is_first = true;

	for (;;) {
		int r;

		(void)pthread_mutex_lock(&t->lock);
		r = next(t, is_first, &at, err);
		(void)pthread_mutex_unlock(&t->lock);
		if (r <= 0)
			return r;
		is_first = false;
		r = row(context, at.record, at.part, at.bytes, err);
		if (r != 0)
			return r;
	}
}

/* ---- scans that wait ---- */

static int scan_run(struct textcache *t, const char *sql, const uint8_t *record,
	const uint8_t *part, struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r;

	(void)pthread_mutex_lock(&t->lock);
	r = prepare(t, sql, &s, err);
	if (r == 0)
		r = bind_ids(t, s, record, part, err);
	if (r == 0 && sqlite3_step(s) != SQLITE_DONE)
		r = fail(t, err);
	(void)sqlite3_finalize(TAKE_PTR(s));
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

int textcache_scan_add(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], struct err *err)
{
	return scan_run(
		t, "INSERT OR IGNORE INTO scan(record, part) VALUES(?, ?)", record, part, err);
}

int textcache_scan_done(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], struct err *err)
{
	return scan_run(t, "DELETE FROM scan WHERE record = ? AND part = ?", record, part, err);
}

int textcache_scan_next(struct textcache *t, uint8_t record[TEXTCACHE_ID_BYTES],
	uint8_t part[TEXTCACHE_ID_BYTES], struct err *err)
{
	_cleanup_(finalizep) sqlite3_stmt *s = NULL;
	int r;

	(void)pthread_mutex_lock(&t->lock);
	r = prepare(t,
		"SELECT record, part FROM scan WHERE (record, part) > (?, ?)"
		" ORDER BY record, part LIMIT 1",
		&s, err);
	if (r == 0)
		r = bind_ids(t, s, record, part, err);
	if (r == 0) {
		int step = sqlite3_step(s);

		if (step == SQLITE_DONE)
			r = -ERR_NOTFOUND;
		else if (step != SQLITE_ROW)
			r = fail(t, err);
		else if (sqlite3_column_bytes(s, 0) != ID_BYTES ||
			 sqlite3_column_bytes(s, 1) != ID_BYTES)
			r = err_set(
				err, ERR_CORRUPT, tr("a kept text is damaged; run reindex --text"));
	}
	if (r == 0) {
		memcpy(record, sqlite3_column_blob(s, 0), ID_BYTES);
		memcpy(part, sqlite3_column_blob(s, 1), ID_BYTES);
	}
	(void)sqlite3_finalize(TAKE_PTR(s));
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

int textcache_scan_count(struct textcache *t, uint64_t *ret, struct err *err)
{
	int n = 0, r;

	(void)pthread_mutex_lock(&t->lock);
	r = number(t, "SELECT count(*) FROM scan", &n, err);
	(void)pthread_mutex_unlock(&t->lock);
	if (r == 0)
		*ret = (uint64_t)n;
	return r;
}
