/* wrap.c - see wrap.h. */
#include "store/wrap.h"

#include "core/base/bytes.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

_Static_assert(WRAPPED_BYTES == WRAP_NONCE + KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	"nonce, key, tag");
_Static_assert(WRAP_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");

/* Associated data: a context, then fixed-size fields, then (purposes) the name. */
struct bound {
	uint8_t b[32 + 3 * ID_BYTES + 8 + PURPOSE_NAME_MAX];
	size_t n;
};

static void bind(struct bound *a, const void *p, size_t n)
{
	assert(a->n + n <= sizeof(a->b));
	memcpy(a->b + a->n, p, n);
	a->n += n;
}

static void bind_epoch(struct bound *a, uint64_t epoch)
{
	uint8_t raw[8];

	put_be64(raw, epoch);
	bind(a, raw, sizeof(raw));
}

static struct bound record_bound(const struct id *archive, const struct wrapped_key *w)
{
	static const char context[] = "muniment record key 1";
	struct bound a = { .n = 0 };

	bind(&a, context, sizeof(context) - 1);
	bind(&a, archive->b, ID_BYTES);
	bind(&a, w->record.b, ID_BYTES);
	bind(&a, w->key.b, ID_BYTES);
	bind_epoch(&a, w->epoch);
	return a;
}

static struct bound purpose_bound(const struct id *archive, uint64_t epoch, const char *name)
{
	static const char context[] = "muniment purpose key 1";
	struct bound a = { .n = 0 };

	assert(strlen(name) <= PURPOSE_NAME_MAX);
	bind(&a, context, sizeof(context) - 1);
	bind(&a, archive->b, ID_BYTES);
	bind_epoch(&a, epoch);
	bind(&a, name, strlen(name));
	return a;
}

static void wrap(const struct secret *root, const struct bound *a, const uint8_t nonce[WRAP_NONCE],
	const uint8_t key[KEY_BYTES], uint8_t ret[WRAPPED_BYTES])
{
	assert(root->n == KEY_BYTES);
	memcpy(ret, nonce, WRAP_NONCE);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(
		    ret + WRAP_NONCE, NULL, key, KEY_BYTES, a->b, a->n, NULL, nonce, root->p) != 0)
		abort();
}

static bool unwrap(const struct secret *root, const struct bound *a,
	const uint8_t wrapped[WRAPPED_BYTES], uint8_t ret_key[KEY_BYTES])
{
	assert(root->n == KEY_BYTES);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(ret_key, NULL, NULL, wrapped + WRAP_NONCE,
		       WRAPPED_BYTES - WRAP_NONCE, a->b, a->n, wrapped, root->p) == 0;
}

void record_key_wrap(const struct secret *root, const struct id *archive,
	const uint8_t nonce[WRAP_NONCE], const uint8_t key[KEY_BYTES], struct wrapped_key *w)
{
	struct bound a = record_bound(archive, w);

	wrap(root, &a, nonce, key, w->wrapped);
}

bool record_key_unwrap(const struct secret *root, const struct id *archive,
	const struct wrapped_key *w, uint8_t ret_key[KEY_BYTES])
{
	struct bound a = record_bound(archive, w);

	return unwrap(root, &a, w->wrapped, ret_key);
}

void purpose_key_wrap(const struct secret *root, const struct id *archive, uint64_t epoch,
	const char *name, const uint8_t nonce[WRAP_NONCE], const uint8_t key[KEY_BYTES],
	uint8_t ret_wrapped[WRAPPED_BYTES])
{
	struct bound a = purpose_bound(archive, epoch, name);

	wrap(root, &a, nonce, key, ret_wrapped);
}

bool purpose_key_unwrap(const struct secret *root, const struct id *archive, uint64_t epoch,
	const char *name, const uint8_t wrapped[WRAPPED_BYTES], uint8_t ret_key[KEY_BYTES])
{
	struct bound a = purpose_bound(archive, epoch, name);

	return unwrap(root, &a, wrapped, ret_key);
}
