/* registry.h - the SQLite database behind lists and look-ups. Derived: it may be deleted and is
 * made again from the store.
 *
 * A row per record. In clear stand only ids, codes, states, days and numbers, which the store's
 * paths show too; all text for people is one blob that the caller seals under a key of the record's
 * own, so that destroying that key kills every remnant of the row. What must be found by equality
 * (a licence, a phone number) is looked up by keyed hash in a table of its own.
 *
 * WAL, synchronous=NORMAL: a power cut may lose the last transactions, never their order; the
 * watermark of each volume, written in the same transaction as the rows, says where to go on.
 *
 * A struct registry is one connection: one thread at a time. One may write, any number read. */
#ifndef MUN_SEARCH_REGISTRY_H
#define MUN_SEARCH_REGISTRY_H

#include "core/base/buf.h"
#include "core/model/id.h"

enum {
	REGISTRY_HASH_BYTES = 16,
	REGISTRY_SEALED_MAX = 1 << 20, /* of one row */
	REGISTRY_LIST_MAX = 10000      /* rows of one page of a list */
};

struct registry_row {
	struct id record;
	uint64_t sequence; /* position of its filing in the archive: unique, ascending */
	struct str number, series, department, type, state;
	int64_t day;
	uint32_t version; /* newest */
	uint32_t volume;  /* that holds it */
	bool destroyed;	  /* only number, codes and dates are left */
	struct str sealed;
};

/* Up to where the rows show a volume. */
struct registry_mark {
	uint32_t volume;
	struct oid commit;
	uint64_t actions; /* commits applied */
};

struct registry;

/* Make the file if there is none (its folder must be there). Errors: ERR_UNSUPPORTED (another
 * version) and ERR_CORRUPT: delete it and build it again. ERR_LOCKED: another process is writing.
 */
int registry_open(const char *path, bool for_writing, struct registry **ret, struct err *err);
void registry_free(struct registry *r);
DEFINE_CLEANUP(struct registry *, registry_free)

/* ---- writing: begin, any number of changes, commit ---- */

int registry_begin(struct registry *r, struct err *err);
/* Insert or replace by record id. */
int registry_put(struct registry *r, const struct registry_row *row, struct err *err);
/* Remove the row and its look-ups; the bytes are overwritten (secure_delete). One that is not there
 * is fine. */
int registry_remove(struct registry *r, const struct id *record, struct err *err);
/* Replace all look-ups of a record: `hashes` are count pairs of kind and keyed hash. */
struct registry_lookup {
	uint32_t kind; /* what the value is; numbers of the caller's */
	uint8_t hash[REGISTRY_HASH_BYTES];
};
int registry_set_lookups(struct registry *r, const struct id *record,
	const struct registry_lookup *lookups, size_t count, struct err *err);
int registry_set_mark(struct registry *r, const struct registry_mark *mark, struct err *err);
/* Every row, look-up and mark. Who reads sees all of the old ones until the commit. */
int registry_clear(struct registry *r, struct err *err);
int registry_commit(struct registry *r, struct err *err);
/* Undo since begin; nothing when not begun. */
void registry_rollback(struct registry *r);
/* Copy the write-ahead log into the file and empty it: what was removed before is then in neither.
 */
int registry_checkpoint(struct registry *r, struct err *err);

/* ---- reading ---- */

/* Called for each row; its views end with the call. Not 0 stops: negative is handed on as the error
 * (set err), positive is a good end. */
typedef int registry_each(void *context, const struct registry_row *row, struct err *err);

/* Errors: ERR_NOTFOUND. */
int registry_get(struct registry *r, const struct id *record, registry_each *each, void *context,
	struct err *err);
/* Every record of that number, exactly as written, by sequence; 0 calls when there is none. */
int registry_by_number(
	struct registry *r, struct str number, registry_each *each, void *context, struct err *err);
int registry_by_lookup(struct registry *r, const struct registry_lookup *lookup,
	registry_each *each, void *context, struct err *err);

enum registry_order {
	REGISTRY_NEWEST_FIRST, /* by day, then sequence, both downwards */
	REGISTRY_OLDEST_FIRST,
	REGISTRY_BY_NUMBER,   /* bytes of the number, then sequence */
	REGISTRY_BY_SEQUENCE, /* as filed */
	REGISTRY_BY_SEQUENCE_DOWN,
	REGISTRY_ORDER_COUNT
};

struct registry_filter {
	struct str series, department, state, type; /* p == NULL: any */
	struct str not_series[2];		    /* p == NULL in the first: none left out */
	int64_t day_from, day_to;		    /* both included; both 0: any day */
	bool with_destroyed;
};

/* Where the page before ended: copied from its last row. */
struct registry_key {
	int64_t day;	   /* for NEWEST_FIRST, OLDEST_FIRST */
	struct str number; /* for BY_NUMBER */
	uint64_t sequence; /* always */
	struct id record;  /* for the caller; not looked at */
};

/* At most `limit` rows in order, behind `after` (NULL: from the start). */
int registry_list(struct registry *r, const struct registry_filter *filter,
	enum registry_order order, const struct registry_key *after, size_t limit,
	registry_each *each, void *context, struct err *err);
int registry_count(struct registry *r, const struct registry_filter *filter, uint64_t *ret_count,
	struct err *err);

enum registry_column {
	REGISTRY_SERIES,
	REGISTRY_DEPARTMENT,
	REGISTRY_STATE,
	REGISTRY_TYPE,
	REGISTRY_COLUMN_COUNT
};
/* How many records each value of a column has, by value. */
typedef int registry_tally_each(void *context, struct str value, uint64_t count, struct err *err);
int registry_tally(struct registry *r, const struct registry_filter *filter,
	enum registry_column column, registry_tally_each *each, void *context, struct err *err);

/* Every volume's mark, by volume; free() *ret. */
int registry_marks(
	struct registry *r, struct registry_mark **ret, size_t *ret_count, struct err *err);
/* The highest sequence of any row, destroyed ones too; 0 when there is none. */
int registry_last_sequence(struct registry *r, uint64_t *ret_sequence, struct err *err);

#endif
