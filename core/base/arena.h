/* arena.h - memory that is freed all at once: for what belongs to one request, one frame, one
 * parse. One thread. */
#ifndef MUN_BASE_ARENA_H
#define MUN_BASE_ARENA_H

#include "core/base/str.h"

struct arena;

/* Blocks of up to about `block_bytes` (0: 64 KiB), the first ones smaller; larger pieces get a block of
 * their own. Aborts when memory is out. */
struct arena *arena_new(size_t block_bytes);
/* Frees everything that was taken. */
void arena_free(struct arena *a);
DEFINE_CLEANUP(struct arena *, arena_free)

/* n bytes aligned for anything; not cleared. */
void *arena_take(struct arena *a, size_t n) __attribute__((returns_nonnull));
/* count * size zero bytes. */
void *arena_zero(struct arena *a, size_t count, size_t size) __attribute__((returns_nonnull));
void *arena_copy(struct arena *a, const void *p, size_t n) __attribute__((returns_nonnull));
/* A copy that ends in NUL. */
char *arena_text(struct arena *a, struct str s) __attribute__((returns_nonnull));
/* How many bytes were asked for so far. */
size_t arena_bytes(const struct arena *a);

#endif
