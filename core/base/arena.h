/* arena.h - memory that goes all at once: what one request, job or parsed document needs.
 *
 * A ceiling from birth; an allocation that would pass it gives NULL and the arena remembers
 * (`arena_check`). Nothing that lives longer may point into an arena. Threads: one at a time. */
#ifndef MUN_BASE_ARENA_H
#define MUN_BASE_ARENA_H

#include "core/base/str.h"

struct arena;

struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_free)

/* count * size zero bytes, aligned for anything; NULL when that would pass the ceiling. Zero bytes
 * give a pointer. */
void *arena_take(struct arena *arena, size_t count, size_t size);
/* A copy that ends in NUL (not counted); { NULL, 0 } when out of room. */
struct str arena_str(struct arena *arena, struct str text);
/* 0, or ERR_LIMIT when an allocation was refused. */
int arena_check(const struct arena *arena, struct err *err);

#endif
