/* archive.h - an archive that is open in this process: the store, and all that follows it.
 *
 * Threads: any number may call verbs on one struct archive. */
#ifndef MUN_ARCHIVE_ARCHIVE_H
#define MUN_ARCHIVE_ARCHIVE_H

#include "core/base/secret.h"
#include "core/model/id.h"

struct archive;
struct settings;

/* ---- making one ---- */

struct init_custodian {
	const char *label;
	const struct secret *passphrase;
};

struct init_options {
	const struct init_custodian *custodians; /* two or more; none with `demonstration` */
	size_t custodian_count;
	const char *operator_name; /* the first account, u-00001 */
	const char *host_name;	   /* in the certificate; NULL: "localhost" */
	/* Unseals by itself with passphrases that stand in the program; flagged in archive.json and in the
	 * first commit. */
	bool demonstration;
	bool cheap_passphrases; /* tests: custody at the demonstration's cost */
};

struct init_made {
	struct id archive;
	char account[48];	      /* of the operator */
	char signer[64];	      /* "SHA256:..." of the key that signs commits */
	char certificate[3 * 32 + 1]; /* SHA-256 of the TLS certificate, "AB:CD:..." */
	size_t series;		      /* definitions filed */
};

/* Make an archive in a folder that does not exist or is empty. It is closed again, sealed, afterwards.
 * Errors: ERR_EXISTS, ERR_INVALID (fewer than two custodians, a passphrase, a label), ERR_FULL ... */
int archive_init(const char *path, const struct init_options *options, struct init_made *ret,
	struct err *err);

/* ---- opening ---- */

enum archive_open_flags {
	ARCHIVE_WRITABLE = 1 << 0, /* take the writer's lock: ERR_LOCKED names who has it */
	ARCHIVE_RESIDENT = 1 << 1, /* for status */
};

/* Opens sealed. */
int archive_open(const char *path, unsigned flags, struct archive **ret, struct err *err);
/* Lets followers finish what is at hand (up to `drain_ms`), then closes all. NULL is fine. */
void archive_close(struct archive *a, int64_t drain_ms);

/* The root key from two custodians' passphrases, whoever they are. `ret_who`, which may be NULL, gets two
 * labels (borrowed until custody changes). Unsealed already: fine. Errors: ERR_CRYPTO (which of the two was
 * wrong), ERR_INVALID (twice the same person). */
int archive_unseal(struct archive *a, const struct secret *first, const struct secret *second,
	const char *ret_who[2], struct err *err);
/* With the passphrases of the demonstration, only where the archive's first commit says that it is one:
 * else ERR_DENIED. */
int archive_unseal_demonstration(struct archive *a, struct err *err);
int archive_seal(struct archive *a, struct err *err);

bool archive_is_sealed(struct archive *a);
bool archive_is_demonstration(struct archive *a);

/* Descriptor of the archive's folder, owned by the store. */
int archive_dir(const struct archive *a);
struct settings *archive_settings(struct archive *a);

#endif
