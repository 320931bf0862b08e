/* facts.h - what one action on main says, read back out of commit, list, slips and tombstones.
 *
 * The ledger, the followers and replay after a crash all learn of writes in this form and no other,
 * whether the objects come from a frame or from a volume; only of what the writer of this very
 * process has just written are the facts its own (pending.h). Pure but for the reader that the
 * caller gives. */
#ifndef MUN_STORE_FACTS_H
#define MUN_STORE_FACTS_H

#include "core/base/arena.h"
#include "store/commit.h"

/* Finds a file that an action added: its content appended to `ret`, by its path and SHA-256; the
 * commit tells the tree. */
struct facts_reader {
	int (*commit)(void *context, const struct oid *oid, struct buf *ret, struct err *err);
	int (*file)(void *context, const struct commit *commit, const struct listed *file,
		struct oid *ret_oid, struct buf *ret, struct err *err);
	void *context;
};

struct fact {
	struct digest sha256; /* of the slip or tombstone */
	struct oid oid;
	struct str path;   /* "<folder>/<hi>/<lo>/<number>/v1" */
	struct str folder; /* without the file's name */
	bool is_tombstone;
	struct slip slip; /* one of the two */
	struct tombstone tombstone;
	struct str manifest_sealed; /* where it is at hand; else empty */
};

struct facts {
	struct oid oid;
	struct digest sha256; /* of the commit */
	struct commit commit;
	struct fact *facts; /* in the order of their sequence numbers, as they were written */
	size_t count;
	struct arena *arena; /* everything above lives here */
	void **foreign;	     /* memory of the parsers */
	size_t foreign_count, foreign_room;
};

/* Errors: those of the reader; ERR_CORRUPT when something does not fit its SHA-256 or its form. */
int facts_read(const struct facts_reader *reader, const struct oid *commit, struct facts *ret,
	struct err *err);
void facts_done(struct facts *f);
/* In the order of their sequence numbers: records of one action may have dates and departments, and so paths, in any
 * order. */
void facts_sort(struct fact *facts, size_t count);

#endif
