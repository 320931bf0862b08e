/* terms.c - hashing terms. */
#include "search/terms.h"

#include <sodium.h>

_Static_assert(TERM_KEY_BYTES == crypto_shorthash_KEYBYTES, "a term key is a SipHash key");
_Static_assert(TERM_HASH_BYTES == crypto_shorthash_BYTES, "a hashed term is a SipHash");

void term_hash(const uint8_t key[TERM_KEY_BYTES], enum term_kind kind, struct str text,
	uint8_t out[TERM_HASH_BYTES])
{
	uint8_t plain[1 + TERM_TEXT_MAX];
	size_t n = text.n < TERM_TEXT_MAX ? text.n : TERM_TEXT_MAX;

	plain[0] = (uint8_t)kind;
	if (n > 0)
		memcpy(plain + 1, text.p, n);
	(void)crypto_shorthash(out, plain, n + 1, key);
}
