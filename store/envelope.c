/* envelope.c - see envelope.h; FORMAT.md, section 5, has the bytes.
 *
 * The one idea: the key that encrypts an envelope is used for this envelope alone, because it is
 * drawn from the record key and a random salt. So nonces can simply count segments, and no two
 * messages ever meet under one key and nonce.
 *
 *   record key, salt --BLAKE2b-512--> K (encrypts) ‖ C (stands in the header and commits to K)
 *   segment j: AES-256-GCM(K, nonce = j ‖ 000 ‖ last?, data = archive ‖ record ‖ header without C)
 *
 * 1. Everything in the header is bound: bytes 0 to 87 as associated data of every segment, C by
 * being recomputed.
 * 2. Segments cannot be dropped, repeated or reordered: the nonce holds their place, and whether
 * one is the last.
 * 3. An envelope opens under one record key only (GCM alone does not promise that): C is compared
 * first, in constant time.
 * 4. On failure no plaintext is left behind, also not that of segments which were good. */
#include "store/envelope.h"
#include "store/envelope_private.h"

#include "core/base/bytes.h"
#include "core/base/tr.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>
#include <stdlib.h>

enum {
	FORMAT = 1,
	SUITE_AES_GCM = 1,
	SEGMENT_LOG = 16,
	SALT_AT = 56,
	SALT = 32,
	COMMITMENT_AT = 88,
	COMMITMENT = 32,
	NONCE = 12,
	BOUND = 2 * ID_BYTES + COMMITMENT_AT, /* bytes of associated data */
};

static const char magic[4] = { 'M', 'U', 'N', 'E' };

/* What one envelope is sealed or opened with. */
struct cipher {
	gnutls_aead_cipher_hd_t handle;
	uint8_t commitment[COMMITMENT];
	uint8_t bound[BOUND];
};

static uint64_t segment_count(uint64_t plain_bytes)
{
	return plain_bytes ? (plain_bytes + ENVELOPE_SEGMENT - 1) / ENVELOPE_SEGMENT : 1;
}

size_t envelope_size(uint64_t plain_bytes)
{
	return ENVELOPE_HEADER + plain_bytes + segment_count(plain_bytes) * ENVELOPE_TAG;
}

/* Derive K and C from the record key and the header's salt, and make the cipher ready. It fails
 * only when the library is broken or memory is out. */
static void cipher_init(struct cipher *c, const struct envelope_binding *binding,
	const uint8_t record_key[32], const uint8_t header[ENVELOPE_HEADER])
{
	static const char context[] = "muniment envelope 1";
	uint8_t text[sizeof(context) - 1 + SALT], derived[64];
	gnutls_datum_t key = { derived, 32 };

	memcpy(text, context, sizeof(context) - 1);
	memcpy(text + sizeof(context) - 1, header + SALT_AT, SALT);
	if (crypto_generichash(derived, sizeof(derived), text, sizeof(text), record_key, 32) != 0)
		abort();
	if (gnutls_aead_cipher_init(&c->handle, GNUTLS_CIPHER_AES_256_GCM, &key) < 0)
		abort();
	memcpy(c->commitment, derived + 32, COMMITMENT);
	sodium_memzero(derived, sizeof(derived));
	memcpy(c->bound, binding->archive.b, ID_BYTES);
	memcpy(c->bound + ID_BYTES, binding->record.b, ID_BYTES);
	memcpy(c->bound + 2 * ID_BYTES, header, COMMITMENT_AT);
}

static void cipher_done(struct cipher *c)
{
	gnutls_aead_cipher_deinit(c->handle);
}

static void segment_nonce(uint64_t j, uint64_t count, uint8_t nonce[NONCE])
{
	put_be64(nonce, j);
	put_be32(nonce + 8, j + 1 == count);
}

static size_t segment_bytes(uint64_t j, uint64_t plain_bytes)
{
	uint64_t left = plain_bytes - j * ENVELOPE_SEGMENT;

	return left < ENVELOPE_SEGMENT ? left : ENVELOPE_SEGMENT;
}

static bool part_is_zero(const struct envelope_head *head)
{
	return sodium_is_zero(head->part.b, sizeof(head->part.b));
}

/* What is wrong with a header's values, or NULL: the same rules for what we seal and for what we
 * open. */
static const char *head_fault(const struct envelope_head *h)
{
	if (h->kind != ENVELOPE_MANIFEST && h->kind != ENVELOPE_PART)
		return "kind";
	if (h->chunks == 0 || h->chunk >= h->chunks ||
		(h->kind == ENVELOPE_MANIFEST && h->chunks != 1))
		return "chunk";
	if (part_is_zero(h) != (h->kind == ENVELOPE_MANIFEST))
		return "part";
	if (h->plain_bytes > ENVELOPE_CHUNK_MAX)
		return "size";
	if (h->chunk + 1 < h->chunks && h->plain_bytes != ENVELOPE_CHUNK_MAX)
		return "size";
	if (h->chunk > 0 && h->plain_bytes == 0)
		return "size";
	return NULL;
}

static void head_write(const struct envelope_head *h, const uint8_t salt[SALT], uint8_t *at)
{
	memcpy(at, magic, sizeof(magic));
	at[4] = FORMAT;
	at[5] = SUITE_AES_GCM;
	at[6] = (uint8_t)h->kind;
	at[7] = SEGMENT_LOG;
	memcpy(at + 8, h->key.b, ID_BYTES);
	memcpy(at + 24, h->part.b, ID_BYTES);
	put_be32(at + 40, h->chunk);
	put_be32(at + 44, h->chunks);
	put_be64(at + 48, h->plain_bytes);
	memcpy(at + SALT_AT, salt, SALT);
}

int envelope_seal_with_salt(const struct envelope_binding *binding,
	const struct envelope_head *head, const uint8_t record_key[32], const uint8_t salt[SALT],
	const void *plain, struct buf *ret, struct err *err)
{
	const uint8_t *from = plain;
	uint64_t count = segment_count(head->plain_bytes);
	struct cipher c;
	uint8_t *to;

	if (head->plain_bytes > ENVELOPE_CHUNK_MAX)
		return err_set(err, ERR_LIMIT, tr("an envelope holds at most %d bytes, not %llu"),
			ENVELOPE_CHUNK_MAX, (unsigned long long)head->plain_bytes);
	if (head_fault(head))
		return err_set(err, ERR_INVALID, tr("an envelope cannot have such a %s"),
			head_fault(head));
	to = buf_extend(ret, envelope_size(head->plain_bytes));
	if (!to)
		return buf_check(ret, err);
	head_write(head, salt, to);
	cipher_init(&c, binding, record_key, to);
	memcpy(to + COMMITMENT_AT, c.commitment, COMMITMENT);
	to += ENVELOPE_HEADER;
	for (uint64_t j = 0; j < count; j++) {
		size_t n = segment_bytes(j, head->plain_bytes), room = n + ENVELOPE_TAG;
		uint8_t nonce[NONCE];

		segment_nonce(j, count, nonce);
		if (gnutls_aead_cipher_encrypt(c.handle, nonce, NONCE, c.bound, BOUND, ENVELOPE_TAG,
			    from, n, to, &room) < 0 ||
			room != n + ENVELOPE_TAG)
			abort();
		from += n;
		to += room;
	}
	cipher_done(&c);
	return 0;
}

int envelope_seal(const struct envelope_binding *binding, const struct envelope_head *head,
	const uint8_t record_key[32], const void *plain, struct buf *ret, struct err *err)
{
	uint8_t salt[SALT];

	randombytes_buf(salt, sizeof(salt));
	return envelope_seal_with_salt(binding, head, record_key, salt, plain, ret, err);
}

int envelope_head(struct str sealed, struct envelope_head *ret, struct err *err)
{
	const uint8_t *p = (const uint8_t *)sealed.p;
	struct envelope_head h = { 0 };
	const char *fault;

	if (sealed.n < ENVELOPE_HEADER || memcmp(p, magic, sizeof(magic)) != 0)
		return err_set(err, ERR_CORRUPT, tr("not an envelope"));
	if (p[4] != FORMAT || p[5] != SUITE_AES_GCM)
		return err_set(err, ERR_UNSUPPORTED,
			tr("an envelope of format %d, suite %d needs a newer program"), p[4], p[5]);
	if (p[7] != SEGMENT_LOG)
		return err_set(
			err, ERR_CORRUPT, tr("an envelope's header is damaged: %s"), "segment");
	h.kind = p[6];
	memcpy(h.key.b, p + 8, ID_BYTES);
	memcpy(h.part.b, p + 24, ID_BYTES);
	h.chunk = get_be32(p + 40);
	h.chunks = get_be32(p + 44);
	h.plain_bytes = get_be64(p + 48);
	fault = head_fault(&h);
	if (fault)
		return err_set(err, ERR_CORRUPT, tr("an envelope's header is damaged: %s"), fault);
	*ret = h;
	return 0;
}

/* Open all segments into `to`. */
static int open_segments(
	const struct cipher *c, const struct envelope_head *head, const uint8_t *from, uint8_t *to)
{
	uint64_t count = segment_count(head->plain_bytes);

	for (uint64_t j = 0; j < count; j++) {
		size_t n = segment_bytes(j, head->plain_bytes), room = n;
		uint8_t nonce[NONCE];

		segment_nonce(j, count, nonce);
		if (gnutls_aead_cipher_decrypt(c->handle, nonce, NONCE, c->bound, BOUND,
			    ENVELOPE_TAG, from, n + ENVELOPE_TAG, to, &room) < 0 ||
			room != n)
			return -ERR_CORRUPT;
		from += n + ENVELOPE_TAG;
		to += n;
	}
	return 0;
}

int envelope_open(const struct envelope_binding *binding, const uint8_t record_key[32],
	struct str sealed, struct buf *ret, struct err *err)
{
	const uint8_t *p = (const uint8_t *)sealed.p;
	size_t before = ret->n;
	struct envelope_head head;
	struct cipher c;
	uint8_t *to;
	int r = envelope_head(sealed, &head, err);

	if (r < 0)
		return r;
	if (sealed.n != envelope_size(head.plain_bytes))
		return err_set(err, ERR_CORRUPT, tr("an envelope has %zu bytes instead of %zu"),
			sealed.n, envelope_size(head.plain_bytes));
	to = buf_extend(ret, head.plain_bytes);
	if (!to)
		return buf_check(ret, err);
	cipher_init(&c, binding, record_key, p);
	if (sodium_memcmp(c.commitment, p + COMMITMENT_AT, COMMITMENT) != 0)
		r = err_set(err, ERR_CRYPTO, tr("an envelope does not open with this key"));
	else if (open_segments(&c, &head, p + ENVELOPE_HEADER, to) < 0)
		r = err_set(err, ERR_CORRUPT,
			tr("an envelope was changed, or belongs to another record"));
	cipher_done(&c);
	if (r < 0) {
		sodium_memzero(to, head.plain_bytes);
		buf_cut(ret, before);
	}
	return r;
}

void envelope_subkey(const uint8_t record_key[32], const char *name, uint8_t ret[32])
{
	if (crypto_generichash(ret, 32, (const uint8_t *)name, strlen(name), record_key, 32) != 0)
		abort();
}
