/* custody_secret.c - passphrases, shares and the root key; see custody.h and FORMAT.md, section 3.
 *
 * 1. The root key, the halves of a pair and custodians' secret keys are in locked memory only, and zeroed with it.
 * 2. One custodian's passphrase opens halves that are uniformly random, whatever the root key is.
 * 3. A file that was changed by somebody without the root key is noticed when two have opened it (the MAC), before the
 *    root key is used for anything. */
#include "store/custody_private.h"

#include "core/base/tr.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CUSTODY_BOX == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES +
				      crypto_box_SECRETKEYBYTES +
				      crypto_aead_xchacha20poly1305_ietf_ABYTES,
	"box");
_Static_assert(CUSTODY_SHARE == KEY_BYTES + crypto_box_SEALBYTES, "share");
_Static_assert(CUSTODY_PUBLIC == crypto_box_PUBLICKEYBYTES, "public key");
_Static_assert(CUSTODY_SALT == crypto_pwhash_argon2id_SALTBYTES, "salt");

enum { BOX_NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES };

/* Argon2id takes up to 256 MiB: whoever comes while one runs waits. The one lock of the process that is not
 * in a struct, because the memory is the process's. */
static pthread_mutex_t argon_lock = PTHREAD_MUTEX_INITIALIZER;

static int passphrase_check(const struct secret *passphrase, struct err *err)
{
	if (passphrase->n < PASSPHRASE_MIN || passphrase->n > PASSPHRASE_MAX)
		return err_set(err, ERR_INVALID, tr("a passphrase has from %d to %d bytes"),
			PASSPHRASE_MIN, PASSPHRASE_MAX);
	return 0;
}

/* The key that a custodian's box is sealed with. */
static int passphrase_key(const struct custodian *who, const struct secret *passphrase,
	struct secret **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *key =
		secret_new(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
	int r;

	(void)pthread_mutex_lock(&argon_lock);
	r = crypto_pwhash_argon2id(key->p, key->n, (const char *)passphrase->p, passphrase->n,
		who->salt, who->ops, who->mem, crypto_pwhash_argon2id_ALG_ARGON2ID13);
	(void)pthread_mutex_unlock(&argon_lock);
	if (r != 0)
		return err_set(err, ERR_IO, tr("opening a passphrase needs %llu MiB of memory"),
			(unsigned long long)(who->mem >> 20));
	*ret = TAKE_PTR(key);
	return 0;
}

void custody_bound(const struct custody *c, const struct custodian *who, uint8_t ret[CUSTODY_BOUND])
{
	static const char context[20] = "muniment custodian 1";

	memcpy(ret, context, sizeof(context));
	memcpy(ret + sizeof(context), c->archive.b, ID_BYTES);
	memcpy(ret + sizeof(context) + ID_BYTES, who->id.b, ID_BYTES);
	memcpy(ret + sizeof(context) + 2 * ID_BYTES, who->public, CUSTODY_PUBLIC);
}

void custody_mac(const struct custody *c, const struct secret *root, uint8_t ret[CUSTODY_MAC])
{
	struct buf text = BUF_INIT;

	buf_adds(&text, "muniment custody 1");
	custody_format(c, false, &text);
	if (text.failed || crypto_generichash(ret, CUSTODY_MAC, (const uint8_t *)text.p, text.n,
				   root->p, root->n) != 0)
		abort(); /* out of memory, for the size is bounded */
	buf_done(&text);
}

/* Two random halves of the root key, one for each. */
static void make_pair(struct custody *c, const struct custodian *one, const struct custodian *two,
	const struct secret *root)
{
	_cleanup_(secret_freep) struct secret *s = secret_random(KEY_BYTES),
					      *t = secret_new(KEY_BYTES);
	struct custody_pair *p = &c->pairs[c->pair_count++];
	bool in_order = custody_order(&one->id, &two->id) < 0;
	const struct custodian *a = in_order ? one : two, *b = in_order ? two : one;

	for (size_t i = 0; i < KEY_BYTES; i++)
		t->p[i] = root->p[i] ^ s->p[i];
	p->a = a->id;
	p->b = b->id;
	if (crypto_box_seal(p->to_a, s->p, KEY_BYTES, a->public) != 0 ||
		crypto_box_seal(p->to_b, t->p, KEY_BYTES, b->public) != 0)
		abort(); /* only for a public key of small order: ours are made by crypto_box_keypair */
}

/* A key pair, its secret half under the passphrase. */
static int make_custodian(const struct custody *c, const struct secret *passphrase,
	enum custody_cost cost, struct custodian *ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *secret = secret_new(crypto_box_SECRETKEYBYTES);
	_cleanup_(secret_freep) struct secret *key = NULL;
	uint8_t bound[CUSTODY_BOUND];
	int r;

	ret->ops = cost == CUSTODY_COST_FULL ? crypto_pwhash_argon2id_OPSLIMIT_MODERATE
					     : crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE;
	ret->mem = cost == CUSTODY_COST_FULL ? crypto_pwhash_argon2id_MEMLIMIT_MODERATE
					     : crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE;
	randombytes_buf(ret->salt, sizeof(ret->salt));
	r = passphrase_key(ret, passphrase, &key, err);
	if (r < 0)
		return r;
	(void)crypto_box_keypair(ret->public, secret->p);
	custody_bound(c, ret, bound);
	randombytes_buf(ret->box, BOX_NONCE);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(ret->box + BOX_NONCE, NULL, secret->p,
		    secret->n, bound, sizeof(bound), NULL, ret->box, key->p) != 0)
		abort();
	return 0;
}

int custody_add(struct custody *c, const struct secret *root, const char *label,
	const struct secret *passphrase, enum custody_cost cost, struct id *ret, struct err *err)
{
	struct custodian *who = &c->custodians[c->custodian_count];
	int r = custody_label_check(str_of(label), err);

	if (r == 0)
		r = passphrase_check(passphrase, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->custodian_count; i++)
		if (strcmp(c->custodians[i].label, label) == 0)
			return err_set(
				err, ERR_EXISTS, tr("there is a custodian '%s' already"), label);
	if (c->custodian_count == CUSTODY_MAX_CUSTODIANS)
		return err_set(err, ERR_LIMIT, tr("there are at most %d custodians"),
			CUSTODY_MAX_CUSTODIANS);
	memset(who, 0, sizeof(*who));
	who->id = id_random();
	memcpy(who->label, label, strlen(label));
	r = make_custodian(c, passphrase, cost, who, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->custodian_count; i++)
		make_pair(c, &c->custodians[i], who, root);
	*ret = who->id;
	c->custodian_count++;
	custody_sort(c);
	return 0;
}

int custody_remove(struct custody *c, const struct id *who, struct err *err)
{
	size_t kept = 0;
	struct custodian *gone = custody_get(c, who);

	if (!gone)
		return err_set(err, ERR_NOTFOUND, tr("there is no such custodian"));
	if (c->custodian_count <= 2)
		return err_set(err, ERR_INVALID,
			tr("two custodians at least must stay; add another one first"));
	for (size_t i = 0; i < c->pair_count; i++)
		if (!id_equal(&c->pairs[i].a, who) && !id_equal(&c->pairs[i].b, who))
			c->pairs[kept++] = c->pairs[i];
	c->pair_count = kept;
	*gone = c->custodians[--c->custodian_count];
	custody_sort(c);
	return 0;
}

int custody_open_secret(const struct custody *c, const struct id *who,
	const struct secret *passphrase, struct secret **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *secret = secret_new(crypto_box_SECRETKEYBYTES);
	_cleanup_(secret_freep) struct secret *key = NULL;
	const struct custodian *custodian = custody_get(c, who);
	uint8_t bound[CUSTODY_BOUND];
	int r;

	if (!custodian)
		return err_set(err, ERR_NOTFOUND, tr("there is no such custodian"));
	/* One that could not have been set cannot be right; no need to work for it. */
	if (passphrase_check(passphrase, NULL) < 0)
		return err_set(err, ERR_CRYPTO, tr("the passphrase of custodian '%s' is wrong"),
			custodian->label);
	r = passphrase_key(custodian, passphrase, &key, err);
	if (r < 0)
		return r;
	custody_bound(c, custodian, bound);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(secret->p, NULL, NULL,
		    custodian->box + BOX_NONCE, CUSTODY_BOX - BOX_NONCE, bound, sizeof(bound),
		    custodian->box, key->p) != 0)
		return err_set(err, ERR_CRYPTO, tr("the passphrase of custodian '%s' is wrong"),
			custodian->label);
	*ret = TAKE_PTR(secret);
	return 0;
}

int custody_open_any(const struct custody *c, const struct secret *passphrase, struct id *ret_who,
	struct secret **ret, struct err *err)
{
	for (size_t i = 0; i < c->custodian_count; i++) {
		struct err why =
			ERR_INIT; /* one that does not fit is no failure yet: nothing is reported */
		int r = custody_open_secret(c, &c->custodians[i].id, passphrase, ret, &why);

		if (r == 0)
			*ret_who = c->custodians[i].id;
		else if (r != -ERR_CRYPTO && err)
			*err = why;
		if (r != -ERR_CRYPTO)
			return r;
	}
	return err_set(err, ERR_CRYPTO, tr("the passphrase is no custodian's"));
}

static const struct custody_pair *find_pair(
	const struct custody *c, const struct id *a, const struct id *b)
{
	for (size_t i = 0; i < c->pair_count; i++)
		if (id_equal(&c->pairs[i].a, a) && id_equal(&c->pairs[i].b, b))
			return &c->pairs[i];
	return NULL;
}

static bool open_half(const struct custodian *who, const struct secret *secret,
	const uint8_t share[CUSTODY_SHARE], struct secret *ret)
{
	return secret->n == crypto_box_SECRETKEYBYTES &&
	       crypto_box_seal_open(ret->p, share, CUSTODY_SHARE, who->public, secret->p) == 0;
}

int custody_combine(const struct custody *c, const struct id *a, const struct secret *secret_a,
	const struct id *b, const struct secret *secret_b, struct secret **ret_root,
	struct err *err)
{
	_cleanup_(secret_freep) struct secret *s = secret_new(KEY_BYTES),
					      *t = secret_new(KEY_BYTES),
					      *root = secret_new(KEY_BYTES);
	const struct custody_pair *pair;
	uint8_t mac[CUSTODY_MAC];

	if (id_equal(a, b))
		return err_set(err, ERR_INVALID,
			tr("two different custodians are needed, not one of them twice"));
	if (custody_order(a, b) > 0)
		return custody_combine(c, b, secret_b, a, secret_a, ret_root, err);
	pair = find_pair(c, a, b);
	if (!pair || !custody_get(c, a) || !custody_get(c, b))
		return err_set(err, ERR_NOTFOUND, tr("there is no such custodian"));
	if (!open_half(custody_get(c, a), secret_a, pair->to_a, s) ||
		!open_half(custody_get(c, b), secret_b, pair->to_b, t))
		return err_set(err, ERR_CRYPTO, tr("the shares of two custodians do not open"));
	for (size_t i = 0; i < KEY_BYTES; i++)
		root->p[i] = s->p[i] ^ t->p[i];
	custody_mac(c, root, mac);
	if (sodium_memcmp(mac, c->mac, sizeof(mac)) != 0)
		return err_set(err, ERR_CORRUPT,
			tr("the custody file (custody.json) was changed without the root key"));
	*ret_root = TAKE_PTR(root);
	return 0;
}

int custody_rotate(struct custody *c, const struct secret *new_root, struct err *err)
{
	if (c->custodian_count < 2)
		return err_set(err, ERR_INVALID,
			tr("two custodians at least must stay; add another one first"));
	c->pair_count = 0;
	for (size_t i = 0; i < c->custodian_count; i++)
		for (size_t j = i + 1; j < c->custodian_count; j++)
			make_pair(c, &c->custodians[i], &c->custodians[j], new_root);
	c->epoch++;
	custody_sort(c);
	return 0;
}
