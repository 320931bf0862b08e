/* keys_db.h - what keys.c and keys_rotate.c share: struct keys, and SQLite connections with prepared statements.
 *
 * A connection is used by whoever holds its lock. Private to these files. */
#ifndef MUN_STORE_KEYS_DB_H
#define MUN_STORE_KEYS_DB_H

#include "store/wrap.h"

#include <pthread.h>
#include <sqlite3.h>

enum { KEYS_FORMAT = 1 };

enum keys_statement {
	KEYS_BEGIN,
	KEYS_COMMIT,
	KEYS_ROLLBACK,
	KEYS_META,	    /* name -> value */
	KEYS_SET_META,	    /* value, name */
	KEYS_INSERT,	    /* key, record, epoch, wrapped; nothing when the key is there */
	KEYS_DELETE,	    /* key */
	KEYS_DELETE_RECORD, /* record */
	KEYS_FIND,	    /* key -> rowid, key, record, epoch, wrapped */
	KEYS_BY_KEY,	    /* key, limit -> as above, greater keys in order */
	KEYS_BY_ROW,	    /* rowid, limit -> as above, greater rows in order */
	KEYS_REWRAP,	    /* epoch, wrapped, rowid */
	KEYS_COUNT,	    /* -> number of record keys */
	KEYS_PURPOSE,	    /* name -> epoch, wrapped */
	KEYS_PURPOSES,	    /* -> name, epoch, wrapped */
	KEYS_SET_PURPOSE,   /* name, epoch, wrapped */
	KEYS_DROP_PURPOSE,  /* name */
	KEYS_STATEMENTS
};

struct keys_db {
	sqlite3 *db;
	sqlite3_stmt *st[KEYS_STATEMENTS];
	pthread_mutex_t lock;
};

struct keys {
	struct id archive;
	bool writable;
	struct keys_db writer, reader; /* writer: only when writable */
	pthread_rwlock_t root_lock;
	struct secret *root; /* NULL while sealed */
	uint64_t epoch;	     /* of the database */
};

/* Make the tables in an empty file. */
int keys_db_create(const char *path, const struct id *archive, struct err *err);
/* Connect and check format, archive and that nothing but our tables is in it. */
int keys_db_open(struct keys_db *d, const char *path, const struct id *archive, bool writable,
	struct err *err);
void keys_db_close(struct keys_db *d);

/* Report SQLite's failure. */
int keys_db_fail(struct keys_db *d, int rc, struct err *err);
/* Run a statement that gives no row. */
int keys_db_run(struct keys_db *d, enum keys_statement which, struct err *err);
/* Step to the next row: 1, 0 at the end (and reset), or an error (and reset). */
int keys_db_next(struct keys_db *d, enum keys_statement which, struct err *err);
/* End a transaction: commit when r is 0, else (or when that fails) as if nothing had been. */
int keys_db_end(struct keys_db *d, int r, struct err *err);
/* Bring the WAL home and cut it to nothing. Nobody else may be reading: ERR_LOCKED. */
int keys_db_truncate_wal(struct keys_db *d, struct err *err);
/* SQLite's own check of the whole file. */
int keys_db_check(struct keys_db *d, struct err *err);
/* A whole number from meta. */
int keys_db_meta(struct keys_db *d, const char *name, uint64_t *ret, struct err *err);
int keys_db_set_meta(struct keys_db *d, const char *name, uint64_t v, struct err *err);
int keys_db_set_purpose(struct keys_db *d, const char *name, uint64_t epoch,
	const uint8_t wrapped[WRAPPED_BYTES], struct err *err);
/* Up to max rows of KEYS_BY_KEY or KEYS_BY_ROW, whose first parameter is bound. `rowids` may be NULL. */
int keys_db_chunk(struct keys_db *d, enum keys_statement which, struct wrapped_key *rows,
	int64_t *rowids, size_t max, size_t *ret_count, struct err *err);
/* The row under KEYS_FIND, KEYS_BY_KEY or KEYS_BY_ROW. Errors: ERR_CORRUPT. */
int keys_db_row(struct keys_db *d, enum keys_statement which, struct wrapped_key *ret,
	int64_t *ret_rowid, struct err *err);
/* All purpose keys, into KEYS_MAX_PURPOSES rows. Errors: ERR_CORRUPT. */
struct keys_purpose_row {
	char name[PURPOSE_NAME_MAX + 1];
	uint64_t epoch;
	uint8_t wrapped[WRAPPED_BYTES];
};
enum { KEYS_MAX_PURPOSES = 64 };
int keys_db_purposes(
	struct keys_db *d, struct keys_purpose_row *ret, size_t *ret_count, struct err *err);
/* 72 bytes in column `at` and the epoch in the one before. Errors: ERR_CORRUPT. */
int keys_db_wrapped(struct keys_db *d, enum keys_statement which, int at, uint64_t *ret_epoch,
	uint8_t ret[WRAPPED_BYTES], struct err *err);

void keys_db_bind(struct keys_db *d, enum keys_statement which, int at, const void *p, size_t n);
void keys_db_bind_u64(struct keys_db *d, enum keys_statement which, int at, uint64_t v);

#endif
