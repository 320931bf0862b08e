/* certificate.c - see certificate.h. Generations that were replaced are kept to the end: a handshake may be
 * at work with them, and there are as many as an operator sends signals. */
#include "www/certificate.h"

#include "core/archive/tls.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/str.h"
#include "core/base/tr.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHAIN_MAX = 16, PEM_MAX = 1 << 20 };

struct generation {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned count;
	gnutls_privkey_t key;
	struct generation *before;
};

struct certificate {
	int dir; /* of the archive; borrowed */
	pthread_mutex_t lock;
	struct generation *now;
};

static void generation_free(struct generation *g)
{
	while (g) {
		struct generation *before = g->before;

		for (unsigned i = 0; i < g->count; i++)
			gnutls_pcert_deinit(&g->chain[i]);
		if (g->key)
			gnutls_privkey_deinit(g->key);
		free(g);
		g = before;
	}
}
DEFINE_CLEANUP(struct generation *, generation_free)

static gnutls_datum_t datum(const struct buf *b)
{
	return (gnutls_datum_t){ (unsigned char *)b->p, (unsigned)b->n };
}

/* The key must be the certificate's: else every handshake would fail, and nobody would know why. */
static int check_pair(const struct generation *g, struct err *err)
{
	unsigned char have[64], want[64];
	size_t have_n = sizeof(have), want_n = sizeof(want);

	if (gnutls_privkey_verify_params(g->key) < 0 ||
		gnutls_pubkey_get_key_id(
			g->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, want, &want_n) < 0)
		return err_set(err, ERR_INVALID, tr("the key in tls/key.pem is damaged"));
	{
		gnutls_pubkey_t pub;
		int r = gnutls_pubkey_init(&pub);

		if (r == 0)
			r = gnutls_pubkey_import_privkey(pub, g->key, 0, 0);
		if (r == 0)
			r = gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, have, &have_n);
		gnutls_pubkey_deinit(pub);
		if (r < 0 || have_n != want_n || memcmp(have, want, have_n) != 0)
			return err_set(err, ERR_INVALID,
				tr("tls/key.pem is not the key of tls/certificate.pem"));
	}
	return 0;
}

static int load(int archive_dir, struct generation **ret, struct err *err)
{
	_cleanup_(buf_wipe) struct buf key = BUF_INIT_MAX(PEM_MAX);
	_cleanup_(buf_done) struct buf chain = BUF_INIT_MAX(PEM_MAX);
	_cleanup_(generation_freep) struct generation *g = xcalloc(1, sizeof(*g));
	gnutls_datum_t key_pem, chain_pem;
	unsigned count = CHAIN_MAX;
	int r;

	if ((r = file_read_whole(archive_dir, TLS_DIR "/" TLS_KEY, &key, err)) < 0 ||
		(r = file_read_whole(archive_dir, TLS_DIR "/" TLS_CERTIFICATE, &chain, err)) < 0)
		return r;
	key_pem = datum(&key);
	chain_pem = datum(&chain);
	r = gnutls_pcert_list_import_x509_raw(g->chain, &count, &chain_pem, GNUTLS_X509_FMT_PEM, 0);
	if (r < 0 || count == 0)
		return err_set(err, ERR_INVALID, tr("tls/certificate.pem cannot be read: %s"),
			gnutls_strerror(r));
	g->count = count;
	r = gnutls_privkey_init(&g->key);
	if (r == 0)
		r = gnutls_privkey_import_x509_raw(g->key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (r < 0)
		return err_set(
			err, ERR_INVALID, tr("tls/key.pem cannot be read: %s"), gnutls_strerror(r));
	r = check_pair(g, err);
	if (r == 0)
		*ret = TAKE_PTR(g);
	return r;
}

int certificate_open(int archive_dir, struct certificate **ret, struct err *err)
{
	struct generation *g = NULL;
	struct certificate *c;
	int r = load(archive_dir, &g, err);

	if (r < 0)
		return r;
	c = xcalloc(1, sizeof(*c));
	c->dir = archive_dir;
	c->now = g;
	(void)pthread_mutex_init(&c->lock, NULL);
	*ret = c;
	return 0;
}

int certificate_reload(struct certificate *c, struct err *err)
{
	struct generation *g = NULL;
	int r = load(c->dir, &g, err);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&c->lock);
	g->before = c->now;
	c->now = g;
	(void)pthread_mutex_unlock(&c->lock);
	return 0;
}

void certificate_free(struct certificate *c)
{
	if (!c)
		return;
	generation_free(c->now);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

void certificate_fingerprint(struct certificate *c, char out[3 * 32 + 1])
{
	uint8_t digest[SHA256_BYTES];

	(void)pthread_mutex_lock(&c->lock);
	sha256(c->now->chain[0].cert.data, c->now->chain[0].cert.size, digest);
	(void)pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(
			out + 3 * i, 4, "%02X%s", digest[i], i + 1 < SHA256_BYTES ? ":" : "");
}

void certificate_now(struct certificate *c, gnutls_pcert_st **ret_chain, unsigned *ret_count,
	gnutls_privkey_t *ret_key)
{
	(void)pthread_mutex_lock(&c->lock);
	*ret_chain = c->now->chain;
	*ret_count = c->now->count;
	*ret_key = c->now->key;
	(void)pthread_mutex_unlock(&c->lock);
}
