/* hash.h - SHA-256 (what trust rests on) and SHA-1 (what git calls its objects by), from GnuTLS, which uses
 * the processor's instructions. Cannot fail but for a broken library, which aborts. */
#ifndef MUN_BASE_HASH_H
#define MUN_BASE_HASH_H

#include "core/base/macros.h"

enum { SHA256_BYTES = 32, SHA1_BYTES = 20 };

void sha256(const void *p, size_t n, uint8_t out[SHA256_BYTES]);
void sha1(const void *p, size_t n, uint8_t out[SHA1_BYTES]);

/* The same over pieces. */
struct hash;
struct hash *sha256_new(void);
struct hash *sha1_new(void);
void hash_add(struct hash *h, const void *p, size_t n);
/* The digest so far; the hash starts afresh. `out` has room for the kind's bytes. */
void hash_take(struct hash *h, uint8_t *out);
void hash_free(struct hash *h);
DEFINE_CLEANUP(struct hash *, hash_free)

#endif
