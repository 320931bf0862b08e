/* sshsig.h - Ed25519 signatures in the SSH signature format, as git makes and ssh-keygen checks them
 * (PROTOCOL.sshsig). */
#ifndef MUN_STORE_SSHSIG_H
#define MUN_STORE_SSHSIG_H

#include "core/base/buf.h"
#include "core/base/secret.h"
#include "core/model/id.h"

struct public_key {
	uint8_t b[32];
};

/* A signing key out of a 32-byte seed. */
struct signer;
struct signer *signer_new(const struct secret *seed);
struct signer *signer_again(const struct signer *s); /* a copy */
void signer_free(struct signer *s);
DEFINE_CLEANUP(struct signer *, signer_free)
const struct public_key *signer_public(const struct signer *s);

/* The armored signature of n bytes in a namespace ("git"), without a newline at its end, appended to `ret`. */
void sshsig_sign(
	const struct signer *s, const char *name_space, const void *p, size_t n, struct buf *ret);

/* Whether the armored text is a signature of the n bytes in that namespace; says whose. Strict about every
 * byte of the form. Errors: ERR_INVALID (not such a signature), ERR_CRYPTO (does not verify). */
int sshsig_verify(struct str armored, const char *name_space, const void *p, size_t n,
	struct public_key *ret, struct err *err);

/* The same without the armor: the bytes that the base64 of an armored signature holds. */
void sshsig_sign_bytes(
	const struct signer *s, const char *name_space, const void *p, size_t n, struct buf *ret);
int sshsig_verify_bytes(struct str bytes, const char *name_space, const void *p, size_t n,
	struct public_key *ret, struct err *err);

/* The base64 of "ssh-ed25519" and the key, as in allowed_signers and Enrol lines; and back. */
void public_key_add(struct buf *b, const struct public_key *key);
int public_key_parse(struct str base64, struct public_key *ret, struct err *err);
/* "SHA256:..." as ssh-keygen -l prints it. */
void public_key_fingerprint(const struct public_key *key, struct buf *ret);

/* An Ed25519 signature of plain bytes, and its check: for checkpoints. */
void signer_sign_raw(const struct signer *s, const void *p, size_t n, uint8_t ret[64]);
bool public_key_verify_raw(
	const struct public_key *key, const void *p, size_t n, const uint8_t signature[64]);

#endif
