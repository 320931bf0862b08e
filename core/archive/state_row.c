/* state_row.c - the bytes of a row of state.db (store/FORMAT.md, 14). */
#include "core/archive/state.h"

#include "core/base/bytes.h"
#include "core/base/tr.h"

#include <sodium.h>

enum {
	ROW_VERSION = 1,
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	OVERHEAD = 1 + NONCE + TAG,
	HEAD = 2 + 2 + 8, /* lengths of owner and name, when it was changed */
};

static const char seal_name[] = "muniment state seal 1";
static const char hash_name[] = "muniment state hash 1";
static const char context_name[16] = "muniment state 1";

enum { AD = sizeof(context_name) + ID_BYTES + 1 + 16 + 16 + 8 };

static void subkey(const struct secret *key, const char *name, uint8_t ret[32])
{
	(void)crypto_generichash(ret, 32, (const uint8_t *)name, strlen(name), key->p, key->n);
}

void state_keys_derive(const struct secret *key, struct state_keys *ret)
{
	subkey(key, seal_name, ret->seal);
	subkey(key, hash_name, ret->hash);
}

void state_hash(const struct state_keys *k, enum state_kind kind, struct str text, uint8_t ret[16])
{
	crypto_generichash_state h;
	const uint8_t head = (uint8_t)kind;

	(void)crypto_generichash_init(&h, k->hash, sizeof(k->hash), 16);
	(void)crypto_generichash_update(&h, &head, 1);
	(void)crypto_generichash_update(&h, (const uint8_t *)text.p, text.n);
	(void)crypto_generichash_final(&h, ret, 16);
}

static void associate(const struct id *archive, const struct state_place *place, uint8_t ad[AD])
{
	memcpy(ad, context_name, sizeof(context_name));
	ad += sizeof(context_name);
	memcpy(ad, archive->b, ID_BYTES);
	ad += ID_BYTES;
	*ad++ = (uint8_t)place->kind;
	memcpy(ad, place->owner, 16);
	memcpy(ad + 16, place->name, 16);
	put_be64(ad + 32, (uint64_t)place->ends);
}

void state_row_seal(const struct state_keys *k, const struct id *archive,
	const struct state_place *place, const struct state_row *row, struct buf *ret)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(STATE_VALUE_MAX + 4096);
	uint8_t ad[AD], *out;

	buf_add_be16(&plain, (uint16_t)row->owner.n);
	buf_add_be16(&plain, (uint16_t)row->name.n);
	buf_add_be64(&plain, (uint64_t)row->changed);
	buf_add_str(&plain, row->owner);
	buf_add_str(&plain, row->name);
	buf_add_str(&plain, row->value);
	if (plain.failed)
		ret->failed = true;
	out = buf_extend(ret, plain.n + OVERHEAD);
	if (!out)
		return;
	associate(archive, place, ad);
	out[0] = ROW_VERSION;
	randombytes_buf(out + 1, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + 1 + NONCE, NULL,
		(const uint8_t *)plain.p, plain.n, ad, sizeof(ad), NULL, out + 1, k->seal);
}

static int damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, tr("a row of the state is damaged"));
}

int state_row_parse(struct str plain, struct state_row *ret, struct err *err)
{
	const uint8_t *p = (const uint8_t *)plain.p;
	size_t owner, name;

	if (plain.n < HEAD)
		return damaged(err);
	owner = get_be16(p);
	name = get_be16(p + 2);
	if (owner > STATE_NAME_MAX || name > STATE_NAME_MAX || plain.n - HEAD < owner + name ||
		plain.n - HEAD - owner - name > STATE_VALUE_MAX || get_be64(p + 4) > INT64_MAX)
		return damaged(err);
	ret->changed = (int64_t)get_be64(p + 4);
	ret->owner = (struct str){ plain.p + HEAD, owner };
	ret->name = (struct str){ plain.p + HEAD + owner, name };
	ret->value = (struct str){ plain.p + HEAD + owner + name, plain.n - HEAD - owner - name };
	return 0;
}

int state_row_open(const struct state_keys *k, const struct id *archive,
	const struct state_place *place, struct str sealed, struct buf *ret,
	struct state_row *ret_row, struct err *err)
{
	const uint8_t *in = (const uint8_t *)sealed.p;
	uint8_t ad[AD], hash[16], *out;
	size_t start = ret->n;
	int r;

	if (sealed.n >= 1 && in[0] > ROW_VERSION)
		return err_set(
			err, ERR_UNSUPPORTED, tr("a row of the state is of a newer version"));
	if (sealed.n < OVERHEAD || in[0] != ROW_VERSION)
		return damaged(err);
	out = buf_extend(ret, sealed.n - OVERHEAD);
	if (!out)
		return buf_check(ret, err);
	associate(archive, place, ad);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in + 1 + NONCE,
		    sealed.n - 1 - NONCE, ad, sizeof(ad), in + 1, k->seal) < 0)
		return damaged(err);
	r = state_row_parse((struct str){ ret->p + start, ret->n - start }, ret_row, err);
	if (r < 0)
		return r;
	/* What it says inside must be what it was found by. */
	state_hash(k, place->kind, ret_row->owner, hash);
	if (sodium_memcmp(hash, place->owner, 16) != 0)
		return damaged(err);
	state_hash(k, place->kind, ret_row->name, hash);
	if (sodium_memcmp(hash, place->name, 16) != 0)
		return damaged(err);
	ret_row->kind = place->kind;
	ret_row->ends = place->ends;
	return 0;
}
