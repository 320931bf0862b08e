/* generation.h - the folders of the full-text index, and which of them counts.
 *
 *   index/current            one line: "muniment-index 1 generation 7 shards 2"
 *   index/rebuild            the same for the generation that is being rebuilt, if one is
 *   index/lock, lock-rebuild who holds them (flock) may write to that generation
 *   index/generation-7/shard-0, shard-1     Xapian databases
 *
 * A generation is made whole before `current` names it, and is removed when nothing names it. */
#ifndef MUN_SEARCH_GENERATION_H
#define MUN_SEARCH_GENERATION_H

#include "core/base/buf.h"

enum generation_which { GENERATION_CURRENT, GENERATION_REBUILD };

struct generation {
	uint64_t number;
	unsigned shards;
};

/* The named generation. Errors: ERR_NOTFOUND when there is none, ERR_CORRUPT. */
int generation_read(
	const char *path, enum generation_which which, struct generation *ret, struct err *err);
/* Let the name stand for this one, durably. */
int generation_name(
	const char *path, enum generation_which which, const struct generation *g, struct err *err);
int generation_unname(const char *path, enum generation_which which, struct err *err);
/* Make the folders of a new one, whose number was never used; ret->shards is given. */
int generation_make(const char *path, struct generation *ret, struct err *err);
/* Remove what nothing names. */
int generation_sweep(const char *path, struct err *err);
/* The right to write, until the descriptor is closed; returns it. Errors: ERR_LOCKED. */
int generation_lock(const char *path, enum generation_which which, struct err *err);
/* Append "PATH/generation-N/shard-K". */
void generation_add_shard_path(
	struct buf *b, const char *path, const struct generation *g, unsigned shard);

#endif
