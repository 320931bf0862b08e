/* sshsig.c - see sshsig.h.
 *
 * The bytes, from OpenSSH's PROTOCOL.sshsig; str(x) is a big-endian 32-bit length and x:
 *
 *   what is signed   "SSHSIG" str(namespace) str("") str("sha512") str(SHA-512 of the message)
 *   the signature    "SSHSIG" 1 (32 bit) str(public key) str(namespace) str("") str("sha512")
 * str(signature) public key       str("ssh-ed25519") str(32 bytes) signature str("ssh-ed25519")
 * str(64 bytes)
 *
 * In text: base64 in lines of 70 between a BEGIN and an END line. For one key, namespace and
 * signature there is exactly one such text, so a checker takes both out of where they must stand,
 * writes the text again and compares. */
#include "store/sshsig.h"

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum {
	PUBLIC_BLOB = 4 + 11 + 4 + 32,
	SIGNATURE_BLOB = 4 + 11 + 4 + 64,
	LINE = 70,
	NAMESPACE_MAX = 32,
	/* Of the whole signature, and of the text that is signed. */
	BLOB_MAX = 6 + 4 + 4 + PUBLIC_BLOB + 4 + NAMESPACE_MAX + 4 + 4 + 6 + 4 + SIGNATURE_BLOB,
	SIGNED_MAX = 6 + 4 + NAMESPACE_MAX + 4 + 4 + 6 + 4 + crypto_hash_sha512_BYTES,
	PUBLIC_AT = 6 + 4 + 4 + 4 + 11 + 4, /* the 32 bytes in the signature; its 64 end it */
	ARMORED_MAX = 1024,
};

static const char begin_line[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char end_line[] = "-----END SSH SIGNATURE-----";

struct signer {
	struct secret *secret; /* libsodium's form: the seed and the public key */
	struct public_key key;
};

struct signer *signer_new(const struct secret *seed)
{
	struct signer *s = xcalloc(1, sizeof(*s));

	assert(seed->n == crypto_sign_SEEDBYTES);
	s->secret = secret_new(crypto_sign_SECRETKEYBYTES);
	(void)crypto_sign_seed_keypair(s->key.b, s->secret->p, seed->p);
	return s;
}

struct signer *signer_again(const struct signer *s)
{
	struct signer *copy = xcalloc(1, sizeof(*copy));

	copy->secret = secret_copy(s->secret->p, s->secret->n);
	copy->key = s->key;
	return copy;
}

void signer_free(struct signer *s)
{
	if (!s)
		return;
	secret_free(s->secret);
	free(s);
}

const struct public_key *signer_public(const struct signer *s)
{
	return &s->key;
}

void signer_sign_raw(const struct signer *s, const void *p, size_t n, uint8_t ret[64])
{
	(void)crypto_sign_detached(ret, NULL, p, n, s->secret->p);
}

bool public_key_verify_raw(
	const struct public_key *key, const void *p, size_t n, const uint8_t signature[64])
{
	return crypto_sign_verify_detached(signature, p, n, key->b) == 0;
}

/* Writers for text on the stack: no allocation for each commit. */
static uint8_t *put_raw(uint8_t *at, const void *p, size_t n)
{
	memcpy(at, p, n);
	return at + n;
}

static uint8_t *put_str(uint8_t *at, const void *p, size_t n)
{
	put_be32(at, (uint32_t)n);
	return n ? put_raw(at + 4, p, n) : at + 4;
}

static uint8_t *put_typed(uint8_t *at, const void *p, size_t n)
{
	return put_str(put_str(at, "ssh-ed25519", 11), p, n);
}

static size_t signed_text(const char *name_space, const void *p, size_t n, uint8_t out[SIGNED_MAX])
{
	uint8_t digest[crypto_hash_sha512_BYTES], *at;

	assert(strlen(name_space) <= NAMESPACE_MAX);
	(void)crypto_hash_sha512(digest, p, n);
	at = put_raw(out, "SSHSIG", 6);
	at = put_str(at, name_space, strlen(name_space));
	at = put_str(at, NULL, 0);
	at = put_str(at, "sha512", 6);
	at = put_str(at, digest, sizeof(digest));
	return (size_t)(at - out);
}

/* The bytes of a signature; returns how many. */
static size_t put_blob(const char *name_space, const struct public_key *key,
	const uint8_t signature[64], uint8_t out[BLOB_MAX])
{
	uint8_t *at = put_raw(out, "SSHSIG", 6);

	assert(strlen(name_space) <= NAMESPACE_MAX);
	put_be32(at, 1);
	put_be32(at + 4, PUBLIC_BLOB);
	at = put_typed(at + 8, key->b, sizeof(key->b));
	at = put_str(at, name_space, strlen(name_space));
	at = put_str(at, NULL, 0);
	at = put_str(at, "sha512", 6);
	put_be32(at, SIGNATURE_BLOB);
	at = put_typed(at + 4, signature, 64);
	return (size_t)(at - out);
}

static void armor(const char *name_space, const struct public_key *key, const uint8_t signature[64],
	struct buf *ret)
{
	uint8_t blob[BLOB_MAX];
	char text[sodium_base64_ENCODED_LEN(BLOB_MAX, sodium_base64_VARIANT_ORIGINAL)];
	size_t n = put_blob(name_space, key, signature, blob);

	(void)sodium_bin2base64(text, sizeof(text), blob, n, sodium_base64_VARIANT_ORIGINAL);
	n = strlen(text);
	buf_adds(ret, begin_line);
	for (size_t i = 0; i < n; i += LINE) {
		buf_add(ret, text + i, n - i < LINE ? n - i : LINE);
		buf_addc(ret, '\n');
	}
	buf_adds(ret, end_line);
}

void sshsig_sign(
	const struct signer *s, const char *name_space, const void *p, size_t n, struct buf *ret)
{
	uint8_t text[SIGNED_MAX], signature[64];

	signer_sign_raw(s, text, signed_text(name_space, p, n, text), signature);
	armor(name_space, &s->key, signature, ret);
}

void sshsig_sign_bytes(
	const struct signer *s, const char *name_space, const void *p, size_t n, struct buf *ret)
{
	uint8_t text[SIGNED_MAX], signature[64], blob[BLOB_MAX];

	signer_sign_raw(s, text, signed_text(name_space, p, n, text), signature);
	buf_add(ret, blob, put_blob(name_space, &s->key, signature, blob));
}

/* The bytes again from the key and the signature that stand in them must be the same bytes. */
int sshsig_verify_bytes(struct str bytes, const char *name_space, const void *p, size_t n,
	struct public_key *ret, struct err *err)
{
	uint8_t text[SIGNED_MAX], again[BLOB_MAX], signature[64];
	struct public_key key;

	if (bytes.n >= PUBLIC_AT + 32 + 64 && bytes.n <= BLOB_MAX) {
		memcpy(key.b, bytes.p + PUBLIC_AT, sizeof(key.b));
		memcpy(signature, bytes.p + bytes.n - 64, 64);
	} else {
		bytes.n = 0;
	}
	if (bytes.n == 0 || put_blob(name_space, &key, signature, again) != bytes.n ||
		memcmp(again, bytes.p, bytes.n) != 0)
		return err_set(err, ERR_INVALID,
			tr("not an Ed25519 signature in the SSH format for '%s'"), name_space);
	if (!public_key_verify_raw(&key, text, signed_text(name_space, p, n, text), signature))
		return err_set(err, ERR_CRYPTO, tr("a signature does not fit what it signs"));
	*ret = key;
	return 0;
}

int sshsig_verify(struct str armored, const char *name_space, const void *p, size_t n,
	struct public_key *ret, struct err *err)
{
	struct buf again = BUF_INIT_MAX(ARMORED_MAX);
	struct str inner = armored;
	uint8_t blob[BLOB_MAX];
	size_t got = 0;
	bool same = false;

	if (armored.n <= ARMORED_MAX && str_starts(armored, begin_line) &&
		str_ends(armored, end_line) && armored.n >= sizeof(begin_line) + sizeof(end_line)) {
		inner.p += sizeof(begin_line) - 1;
		inner.n -= sizeof(begin_line) + sizeof(end_line) - 2;
		same = sodium_base642bin(blob, sizeof(blob), inner.p, inner.n, "\n", &got, NULL,
			       sodium_base64_VARIANT_ORIGINAL) == 0 &&
		       got >= PUBLIC_AT + 32 + 64;
	}
	if (same) { /* its lines, too, must be those that are written */
		struct public_key key;

		memcpy(key.b, blob + PUBLIC_AT, sizeof(key.b));
		armor(name_space, &key, blob + got - 64, &again);
		same = str_eq(buf_str(&again), armored);
	}
	buf_done(&again);
	return sshsig_verify_bytes(
		(struct str){ (const char *)blob, same ? got : 0 }, name_space, p, n, ret, err);
}

void public_key_add(struct buf *b, const struct public_key *key)
{
	uint8_t blob[PUBLIC_BLOB];

	(void)put_typed(blob, key->b, sizeof(key->b));
	base64_add(b, blob, sizeof(blob));
}

int public_key_parse(struct str base64, struct public_key *ret, struct err *err)
{
	struct buf blob = BUF_INIT;
	uint8_t expected[PUBLIC_BLOB];
	bool good = base64.n < 2 * (size_t)PUBLIC_BLOB && base64_decode(base64, &blob, NULL) == 0 &&
		    blob.n == PUBLIC_BLOB;

	if (good) {
		(void)put_typed(expected, (uint8_t *)blob.p + PUBLIC_BLOB - 32, 32);
		good = memcmp(blob.p, expected, sizeof(expected)) == 0;
	}
	if (good)
		memcpy(ret->b, expected + PUBLIC_BLOB - 32, sizeof(ret->b));
	buf_done(&blob);
	if (!good)
		return err_set(err, ERR_INVALID, tr("not an Ed25519 public key in the SSH format"));
	return 0;
}

void public_key_fingerprint(const struct public_key *key, struct buf *ret)
{
	uint8_t blob[PUBLIC_BLOB], digest[SHA256_BYTES];

	(void)put_typed(blob, key->b, sizeof(key->b));
	sha256(blob, sizeof(blob), digest);
	buf_adds(ret, "SHA256:");
	base64_add(ret, digest, sizeof(digest));
	buf_cut(ret, ret->n - 1); /* 32 bytes end in one '=', which ssh-keygen leaves out */
}
