/* envelope.h - one encrypted blob: sealing and opening (FORMAT.md, section 5, has the bytes).
 *
 * Pure functions over memory; any thread. The record key is 32 bytes, in locked memory at the
 * caller's. */
#ifndef MUN_STORE_ENVELOPE_H
#define MUN_STORE_ENVELOPE_H

#include "core/base/buf.h"
#include "core/model/id.h"

enum envelope_kind { ENVELOPE_MANIFEST = 1, ENVELOPE_PART = 2 };

enum {
	ENVELOPE_HEADER = 120,
	ENVELOPE_SEGMENT = 65536,
	ENVELOPE_TAG = 16,
	ENVELOPE_CHUNK_MAX = 4 << 20, /* plaintext in one envelope */
};

/* What an envelope is bound to besides its own header. */
struct envelope_binding {
	struct id archive, record;
};

struct envelope_head {
	enum envelope_kind kind;
	struct id key, part; /* part: zeros for a manifest */
	uint32_t chunk, chunks;
	uint64_t plain_bytes;
};

/* The size of the envelope around n bytes of plaintext. */
size_t envelope_size(uint64_t plain_bytes);

/* Seal n = head->plain_bytes bytes (at most ENVELOPE_CHUNK_MAX) and append the envelope to `ret`.
 * Draws the salt. Errors: ERR_LIMIT. */
int envelope_seal(const struct envelope_binding *binding, const struct envelope_head *head,
	const uint8_t record_key[32], const void *plain, struct buf *ret, struct err *err);

/* The header alone, checked as far as it can be without a key. Errors: ERR_CORRUPT, ERR_UNSUPPORTED
 * (suite, format). */
int envelope_head(struct str sealed, struct envelope_head *ret, struct err *err);

/* Open the whole envelope and append the plaintext to `ret`; nothing is appended on failure.
 * Errors: ERR_CRYPTO (another key), ERR_CORRUPT (the bytes were changed), ERR_UNSUPPORTED. */
int envelope_open(const struct envelope_binding *binding, const uint8_t record_key[32],
	struct str sealed, struct buf *ret, struct err *err);

/* A key for one purpose out of a record key: BLAKE2b-256(record key, name). */
void envelope_subkey(const uint8_t record_key[32], const char *name, uint8_t ret[32]);

#endif
