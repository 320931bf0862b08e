/* tls.c - see tls.h. */
#include "core/archive/tls.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>
#include <stdio.h>

enum { YEARS = 10, YEAR_SECONDS = 365 * 86400, SERIAL_BYTES = 16 };

static int failed(int code, struct err *err)
{
	return err_set(
		err, ERR_CRYPTO, tr("cannot make the certificate: %s"), gnutls_strerror(code));
}

static int describe(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *host)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	int64_t now = clock_now();
	uint8_t serial[SERIAL_BYTES], id[64];
	size_t id_size = sizeof(id);
	int r;

	randombytes_buf(serial, sizeof(serial));
	serial[0] &= 0x7f;
	serial[0] |= 0x40;
	if ((r = gnutls_x509_crt_set_version(crt, 3)) < 0 ||
		(r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial))) < 0 ||
		(r = gnutls_x509_crt_set_activation_time(crt, (time_t)(now - 3600))) < 0 ||
		(r = gnutls_x509_crt_set_expiration_time(
			 crt, (time_t)(now + (int64_t)YEARS * YEAR_SECONDS))) < 0 ||
		(r = gnutls_x509_crt_set_dn_by_oid(
			 crt, GNUTLS_OID_X520_COMMON_NAME, 0, host, (unsigned)strlen(host))) < 0 ||
		(r = gnutls_x509_crt_set_key(crt, key)) < 0 ||
		(r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1)) < 0 ||
		(r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) < 0 ||
		(r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0)) < 0 ||
		(r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host,
			 (unsigned)strlen(host), GNUTLS_FSAN_SET)) < 0 ||
		(r = gnutls_x509_crt_set_subject_alt_name(
			 crt, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_APPEND)) < 0 ||
		(r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback,
			 sizeof(loopback), GNUTLS_FSAN_APPEND)) < 0 ||
		(r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &id_size)) < 0 ||
		(r = gnutls_x509_crt_set_subject_key_id(crt, id, id_size)) < 0)
		return r;
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

static void add_fingerprint(const gnutls_datum_t *der, char ret[TLS_FINGERPRINT])
{
	uint8_t digest[SHA256_BYTES];

	sha256(der->data, der->size, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(
			ret + 3 * i, 4, "%02X%s", digest[i], i + 1 < SHA256_BYTES ? ":" : "");
}

static int store_pem(
	int archive_dir, const gnutls_datum_t *key, const gnutls_datum_t *crt, struct err *err)
{
	_cleanup_(closep) int dir = file_make_dir(archive_dir, TLS_DIR, err);
	int r;

	if (dir < 0)
		return dir;
	r = file_replace(dir, TLS_KEY, key->data, key->size, err);
	return r < 0 ? r : file_replace(dir, TLS_CERTIFICATE, crt->data, crt->size, err);
}

static int export(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, int archive_dir,
	char ret[TLS_FINGERPRINT], struct err *err)
{
	gnutls_datum_t key_pem = { NULL, 0 }, crt_pem = { NULL, 0 }, der = { NULL, 0 };
	int r = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem);

	if (r == 0)
		r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem);
	if (r == 0)
		r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
	if (r < 0) {
		r = failed(r, err);
	} else {
		add_fingerprint(&der, ret);
		r = store_pem(archive_dir, &key_pem, &crt_pem, err);
	}
	if (key_pem.data)
		sodium_memzero(key_pem.data, key_pem.size);
	gnutls_free(key_pem.data);
	gnutls_free(crt_pem.data);
	gnutls_free(der.data);
	return r;
}

int tls_make(int archive_dir, const char *host, char ret[TLS_FINGERPRINT], struct err *err)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int r = gnutls_x509_privkey_init(&key);

	if (r == 0)
		r = gnutls_x509_crt_init(&crt);
	if (r == 0)
		r = gnutls_x509_privkey_generate2(key, GNUTLS_PK_ECDSA,
			GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0, NULL, 0);
	if (r == 0)
		r = describe(crt, key, host);
	r = r < 0 ? failed(r, err) : export(crt, key, archive_dir, ret, err);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return r;
}
