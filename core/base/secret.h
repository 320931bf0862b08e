/* secret.h - bytes that must not leak: keys and passphrases.
 *
 * They live in libsodium's guarded, locked memory, are zeroed when freed, never enter a buf, a log or a
 * message, and are compared in constant time. A struct secret belongs to one owner; reading from several
 * threads is fine. */
#ifndef MUN_BASE_SECRET_H
#define MUN_BASE_SECRET_H

#include "core/base/err.h"

enum { KEY_BYTES = 32 };

struct secret {
	uint8_t *p;
	size_t n;
};

/* n zero bytes. Aborts when locked memory is out: it is bounded and small. */
struct secret *secret_new(size_t n);
struct secret *secret_random(size_t n);
struct secret *secret_copy(const void *p, size_t n);
void secret_free(struct secret *s);
DEFINE_CLEANUP(struct secret *, secret_free)

bool secret_equal(const struct secret *a, const struct secret *b);

/* Up to max_bytes from a descriptor, to its end or the first newline (which is dropped): how a passphrase
 * comes from a file, a pipe or a terminal. Empty is ERR_INVALID, longer ERR_LIMIT. */
int secret_read_fd(int fd, size_t max_bytes, struct secret **ret, struct err *err);

/* sodium_init and what goes with it; once, before any thread. Aborts when the library does not work. */
void secret_init(void);

#endif
