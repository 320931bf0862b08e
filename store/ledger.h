/* ledger.h - derived/ledger.db: where each record stands, for the writer and for look-ups while
 * sealed.
 *
 * Everything in it follows from the history and is in clear there. It may be deleted; opening the
 * store rebuilds it. The applier writes; any thread reads (ledger.c says how). */
#ifndef MUN_STORE_LEDGER_H
#define MUN_STORE_LEDGER_H

#include "store/facts.h"
#include "store/store.h"

struct ledger;

/* How far it has come: the last action that is in it. */
struct ledger_mark {
	uint32_t volume; /* 0: nothing is in it */
	struct oid commit;
	uint64_t actions, records;
};

/* Opens or makes it. A file that is damaged, of another archive or of another format is made anew,
 * empty. */
int ledger_open(const char *derived_path, const struct id *archive, bool writable,
	struct ledger **ret, struct err *err);
void ledger_free(struct ledger *l);
DEFINE_CLEANUP(struct ledger *, ledger_free)

int ledger_mark(struct ledger *l, struct ledger_mark *ret, struct err *err);
/* The actions of one apply, in order, in one transaction. An action whose count is not above the mark's is
 * skipped; one that does not follow on the mark is ERR_CONFLICT and nothing is applied: the history must be
 * read from the mark on. */
int ledger_apply(struct ledger *l, const struct facts *actions, size_t count, struct err *err);

/* ERR_NOTFOUND when there is none. Heads: record_head_done(). */
int ledger_find(
	struct ledger *l, const struct id *record, struct record_head *ret, struct err *err);
int ledger_find_number(
	struct ledger *l, struct str number, struct record_head *ret, struct err *err);
int ledger_find_sequence(
	struct ledger *l, uint64_t sequence, struct record_head *ret, struct err *err);
int ledger_find_request(
	struct ledger *l, const struct id *request, struct id *ret_record, struct err *err);
/* 0 for a scope that was never used. */
int ledger_serial(struct ledger *l, struct str scope, uint64_t *ret, struct err *err);
/* Records with a tombstone, oldest first: all, or only those whose destruction is not yet known to
 * be finished. */
int ledger_destroyed(struct ledger *l, bool unfinished_only,
	int (*each)(void *context, const struct id *record, struct err *err), void *context,
	struct err *err);
int ledger_finished(struct ledger *l, const struct id *record, struct err *err);
/* The commits that say whose keys sign (the first of each volume, those with Act: keys), oldest first; free() them. */
struct ledger_signing {
	uint32_t volume;
	struct oid commit;
};
int ledger_signing(
	struct ledger *l, struct ledger_signing **ret, size_t *ret_count, struct err *err);
/* Empty it: it knows of more than the history does (an older copy of the volumes was put back). */
int ledger_clear(struct ledger *l, struct err *err);

#endif
