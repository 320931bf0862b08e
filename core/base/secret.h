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

/* Many keys of 32 bytes that come and go: guarded pages with room for many, because each page of its own costs several
 * system calls, and every thread of the process an interrupt. Any thread. */
struct secret_keys;
struct secret_keys *secret_keys_new(void);
/* Every key must have been given back. */
void secret_keys_free(struct secret_keys *k);
DEFINE_CLEANUP(struct secret_keys *, secret_keys_free)
/* KEY_BYTES zeros. */
uint8_t *secret_keys_take(struct secret_keys *k);
/* Zeroed at once. NULL is fine. */
void secret_keys_give(struct secret_keys *k, uint8_t *key);

/* Up to max_bytes from a descriptor, to its end or the first newline (which is dropped): how a passphrase
 * comes from a file, a pipe or a terminal. Empty is ERR_INVALID, longer ERR_LIMIT. */
int secret_read_fd(int fd, size_t max_bytes, struct secret **ret, struct err *err);

/* sodium_init and what goes with it; once, before any thread. Aborts when the library does not work. */
void secret_init(void);

#endif
