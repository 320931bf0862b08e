/* hints.h - rows of the registry that are known already when a record is filed.
 *
 * The recorder can make every row from the store alone, and does so after a crash; but in a bulk filing it
 * would decrypt and parse what the filing thread had in its hands a second ago. So that thread leaves a
 * hint. Hints are bounded in memory: one that finds no room is not kept, one that is missing costs time,
 * nothing else. Any thread. */
#ifndef MUN_ARCHIVE_HINTS_H
#define MUN_ARCHIVE_HINTS_H

#include "core/base/secret.h"
#include "core/model/manifest.h"

struct hints;

struct hint {
	struct id key;
	uint8_t *record_key; /* in locked memory */
	const char *type;
	int64_t day;
	struct str series, department, head; /* head: row_say_head */
};

/* `keys` is where copies of record keys go; borrowed. */
struct hints *hints_new(struct secret_keys *keys);
void hints_free(struct hints *h);

/* The row of a new record (version 1), as its manifest will be but for the number. Copies all. */
void hints_leave(struct hints *h, const struct manifest *m, const struct id *key,
	const uint8_t record_key[32]);
/* The hint of a record, taken out: hint_free it. NULL when there is none. */
struct hint *hints_take(struct hints *h, const struct id *record);
void hint_free(struct hints *h, struct hint *hint);

#endif
