/* cache.h - answers that were just given, for clients who ask for the same thing again and again.
 *
 * An answer stands for a caller, an address and a language, and holds as long as the archive's stamp
 * (verb.h) is what it was, at most CACHE_MS. What is here is plaintext: cache_tidy wipes what has grown
 * old, and everything once the archive is sealed. Any thread. */
#ifndef MUN_WWW_CACHE_H
#define MUN_WWW_CACHE_H

#include "core/archive/verb.h"

enum { CACHE_MS = 2000, CACHE_MAX_BYTES = 32 << 10 };

struct cache;

struct cache *cache_new(void);
void cache_free(struct cache *c);

/* The body is appended, and `tag` (room bytes) is the entity tag. False: not there. */
bool cache_find(struct cache *c, struct str key, const struct verb_stamp *stamp,
	struct buf *ret_body, char *tag, size_t room);
/* `stamp` was taken before the answer was made. Larger bodies are not kept. */
void cache_put(struct cache *c, struct str key, const struct verb_stamp *stamp, struct str body,
	struct str tag);
/* About once a second. */
void cache_tidy(struct cache *c, bool is_sealed);

#endif
