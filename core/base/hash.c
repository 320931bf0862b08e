/* hash.c - see hash.h. */
#include "core/base/hash.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

struct hash {
	gnutls_hash_hd_t handle;
};

static void must(int r)
{
	if (r < 0)
		abort();
}

void sha256(const void *p, size_t n, uint8_t out[SHA256_BYTES])
{
	must(gnutls_hash_fast(GNUTLS_DIG_SHA256, p, n, out));
}

void sha1(const void *p, size_t n, uint8_t out[SHA1_BYTES])
{
	must(gnutls_hash_fast(GNUTLS_DIG_SHA1, p, n, out));
}

static struct hash *hash_new(gnutls_digest_algorithm_t kind)
{
	struct hash *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	must(gnutls_hash_init(&h->handle, kind));
	return h;
}

struct hash *sha256_new(void)
{
	return hash_new(GNUTLS_DIG_SHA256);
}

struct hash *sha1_new(void)
{
	return hash_new(GNUTLS_DIG_SHA1);
}

void hash_add(struct hash *h, const void *p, size_t n)
{
	must(gnutls_hash(h->handle, p, n));
}

void hash_take(struct hash *h, uint8_t *out)
{
	gnutls_hash_output(h->handle, out);
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	gnutls_hash_deinit(h->handle, NULL);
	free(h);
}
