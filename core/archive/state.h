/* state.h - state.db: what is neither truth nor derived: log-ins, sessions, drafts, views, jobs (store/FORMAT.md, 14).
 *
 * It cannot be rebuilt, so it is backed up; losing it costs people their sessions and drafts, never a record. Rows are
 * small, belong to an owner (an account, or nobody), have a name that is unique for kind and owner, and may end at an
 * instant. Everything about a row but its kind, its end and how large it is, is sealed under the archive's
 * key for state.
 *
 * Every change is durable when its function returns. Any thread; a lock inside orders them. */
#ifndef MUN_ARCHIVE_STATE_H
#define MUN_ARCHIVE_STATE_H

#include "core/base/buf.h"
#include "core/base/secret.h"
#include "core/model/id.h"

#define STATE_FILE "state.db"

/* What a row is. Numbers are on disk and never reused. */
enum state_kind {
	STATE_LOGIN = 1,   /* owner: account; name "" (credential.h) */
	STATE_SESSION = 2, /* owner: account; name: hash of the token (session.h) */
	STATE_DRAFT = 3,   /* owner: account; name: the draft's */
	STATE_VIEW = 4,	   /* owner: account; name: the view's */
	STATE_JOB = 5,
	STATE_UPLOAD = 6,
	STATE_KIND_COUNT
};

enum {
	STATE_NAME_MAX = 128,	  /* bytes of an owner, of a name */
	STATE_VALUE_MAX = 1 << 20 /* bytes */
};

struct state;

/* A row, opened. Views; they live as long as the callback runs. */
struct state_row {
	enum state_kind kind;
	struct str owner, name;
	int64_t changed; /* instant */
	int64_t ends;	 /* instant from which it is as if it were not there; 0: never */
	struct str value;
};

/* Open, or make, state.db in a folder. `key` is the archive's key for state; a copy is kept. Errors:
 * ERR_CORRUPT (no such file, or damaged), ERR_UNSUPPORTED (a newer version), ERR_CRYPTO (of another
 * archive, or another key). */
int state_open(const char *path, const struct id *archive, const struct secret *key,
	struct state **ret, struct err *err);
void state_close(struct state *s);
DEFINE_CLEANUP(struct state *, state_close)

/* Write a row, whatever was there. Errors: ERR_LIMIT, ERR_FULL, ERR_IO. */
int state_put(struct state *s, enum state_kind kind, struct str owner, struct str name,
	int64_t ends, struct str value, struct err *err);
/* The value of a row that has not ended is appended to `ret`. Errors: ERR_NOTFOUND, ERR_CORRUPT. */
int state_get(struct state *s, enum state_kind kind, struct str owner, struct str name,
	struct buf *ret, int64_t *ret_changed, struct err *err);
/* 1 when there was one, 0 when not. */
int state_delete(
	struct state *s, enum state_kind kind, struct str owner, struct str name, struct err *err);

/* Read, think, write, with nobody between. `now` is NULL when there is no such row (or it has ended); append the new
 * value to `value`, and set *ends, which is that of before (0 for a new one). Return 0 to write, 1 to leave it as
 * it is, a negative code to fail. `change` must not call the state. Returns what `change` returned, or an error. */
typedef int state_changer(void *context, const struct state_row *now, struct buf *value,
	int64_t *ends, struct err *err);
int state_change(struct state *s, enum state_kind kind, struct str owner, struct str name,
	state_changer *change, void *context, struct err *err);

/* Every row of a kind that has not ended, in no order that means anything; of one owner, or of all (owner.p == NULL).
 * Rows that do not open are left out, and counted by state_damaged. `each` may call the state; a result
 * other than 0 stops, and is returned. */
typedef int state_each_fn(void *context, const struct state_row *row, struct err *err);
int state_each(struct state *s, enum state_kind kind, struct str owner, state_each_fn *each,
	void *context, struct err *err);
/* How many rows of a kind an owner has, those that have ended left out. */
int state_count(
	struct state *s, enum state_kind kind, struct str owner, uint64_t *ret, struct err *err);
/* Take away every row that has ended; returns how many. */
int state_expire(struct state *s, struct err *err);
/* Rows that did not open, since the file was opened. */
uint64_t state_damaged(struct state *s);

/* ---- the bytes of a row, for tests and fuzzing (state_row.c). Pure. ---- */

struct state_keys {
	uint8_t seal[32], hash[32];
};
/* What stands in clear beside the sealed bytes, and is bound to them. */
struct state_place {
	enum state_kind kind;
	uint8_t owner[16], name[16];
	int64_t ends;
};
void state_keys_derive(const struct secret *key, struct state_keys *ret);
void state_hash(const struct state_keys *k, enum state_kind kind, struct str text, uint8_t ret[16]);
void state_row_seal(const struct state_keys *k, const struct id *archive,
	const struct state_place *place, const struct state_row *row, struct buf *ret);
/* The plaintext is appended to `ret`, and `ret_row` looks into it. Errors: ERR_CORRUPT, ERR_UNSUPPORTED. */
int state_row_open(const struct state_keys *k, const struct id *archive,
	const struct state_place *place, struct str sealed, struct buf *ret,
	struct state_row *ret_row, struct err *err);
/* Only the plaintext's parser. */
int state_row_parse(struct str plain, struct state_row *ret, struct err *err);

#endif
