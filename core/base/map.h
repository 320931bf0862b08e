/* map.h - from 16-byte keys to pointers, in memory. Keys are ids or the beginning of a hash, so
 * their last eight bytes are random already; what is not random goes through map_key. One thread, or a lock of
 * the owner's. */
#ifndef MUN_BASE_MAP_H
#define MUN_BASE_MAP_H

#include "core/base/str.h"

struct map_key {
	uint8_t b[16];
};

struct map {
	struct map_slot *slots;
	size_t used, room; /* room: a power of two, or 0 */
};

void map_init(struct map *m);
/* The values are the owner's. */
void map_done(struct map *m);

/* NULL when it is not there. */
void *map_get(const struct map *m, const void *key16);
/* The value that stood there before, or NULL. A NULL value removes. */
void *map_put(struct map *m, const void *key16, void *value);

/* BLAKE2b-128 of any text: a key for what is not random. */
struct map_key map_key(const void *p, size_t n);

#endif
