/* certificate.h - the key and certificate that connections begin with, replaced while others go on. Any thread. */
#ifndef MUN_WWW_CERTIFICATE_H
#define MUN_WWW_CERTIFICATE_H

#include "core/base/err.h"

#include <gnutls/abstract.h>

struct certificate;

/* From tls/ in the archive's folder: certificate.pem (with the chain behind it) and key.pem. Errors: ERR_NOTFOUND,
 * ERR_INVALID (they do not parse, or do not belong together). */
int certificate_open(int archive_dir, struct certificate **ret, struct err *err);
/* Read both again; on failure the old ones stay. Connections that began with the old one end with it. */
int certificate_reload(struct certificate *c, struct err *err);
void certificate_free(struct certificate *c);
DEFINE_CLEANUP(struct certificate *, certificate_free)

/* SHA-256, "AB:CD:..." */
void certificate_fingerprint(struct certificate *c, char out[3 * 32 + 1]);

/* What is in use: valid until certificate_free. */
void certificate_now(struct certificate *c, gnutls_pcert_st **ret_chain, unsigned *ret_count,
	gnutls_privkey_t *ret_key);

#endif
