/* wrap.h - keys under the root key: the 72 bytes of FORMAT.md, section 4. Pure; any thread. Private to store/. */
#ifndef MUN_STORE_WRAP_H
#define MUN_STORE_WRAP_H

#include "store/keys.h"

enum { WRAP_NONCE = 24, PURPOSE_NAME_MAX = 32 };

/* Wrap a key into w->wrapped; w's ids and epoch are bound. A nonce serves once. */
void record_key_wrap(const struct secret *root, const struct id *archive,
	const uint8_t nonce[WRAP_NONCE], const uint8_t key[KEY_BYTES], struct wrapped_key *w);
/* False when the root key, the archive, an id, the epoch or a byte is another than at wrapping. */
bool record_key_unwrap(const struct secret *root, const struct id *archive,
	const struct wrapped_key *w, uint8_t ret_key[KEY_BYTES]);

/* The same for a purpose key, bound to its name (at most PURPOSE_NAME_MAX bytes). */
void purpose_key_wrap(const struct secret *root, const struct id *archive, uint64_t epoch,
	const char *name, const uint8_t nonce[WRAP_NONCE], const uint8_t key[KEY_BYTES],
	uint8_t ret_wrapped[WRAPPED_BYTES]);
bool purpose_key_unwrap(const struct secret *root, const struct id *archive, uint64_t epoch,
	const char *name, const uint8_t wrapped[WRAPPED_BYTES], uint8_t ret_key[KEY_BYTES]);

#endif
