/* tls.h - the self-signed certificate that an archive begins with: tls/key.pem and tls/certificate.pem. The
 * operator may replace both. */
#ifndef MUN_ARCHIVE_TLS_H
#define MUN_ARCHIVE_TLS_H

#include "core/base/err.h"

#define TLS_DIR "tls"
#define TLS_KEY "key.pem"
#define TLS_CERTIFICATE "certificate.pem"

enum { TLS_FINGERPRINT = 3 * 32 + 1 };

/* For a host name, and for localhost. ECDSA P-256, valid for ten years. `ret`: SHA-256 of the certificate,
 * "AB:CD:...". */
int tls_make(int archive_dir, const char *host, char ret[TLS_FINGERPRINT], struct err *err);

#endif
