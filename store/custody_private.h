/* custody_private.h - struct custody, shared by custody.c (the file) and custody_secret.c (the secrets). */
#ifndef MUN_STORE_CUSTODY_PRIVATE_H
#define MUN_STORE_CUSTODY_PRIVATE_H

#include "store/custody.h"

#include "core/base/buf.h"

enum {
	CUSTODY_FORMAT = 1,
	CUSTODY_PUBLIC = 32,
	CUSTODY_SALT = 16,
	CUSTODY_BOX = 24 + 32 + 16,   /* nonce, secret key, tag */
	CUSTODY_SHARE = 32 + 32 + 16, /* crypto_box_seal of 32 bytes */
	CUSTODY_MAC = 32,
	CUSTODY_MAX_PAIRS = CUSTODY_MAX_CUSTODIANS * (CUSTODY_MAX_CUSTODIANS - 1) / 2,
	/* What a file may ask of us, so that a changed one cannot make unsealing last for ever. */
	CUSTODY_OPS_MIN = 2,
	CUSTODY_OPS_MAX = 16,
};
#define CUSTODY_MEM_MIN ((uint64_t)64 << 20)
#define CUSTODY_MEM_MAX ((uint64_t)1 << 30)

struct custodian {
	struct id id;
	char label[CUSTODY_LABEL_MAX + 1];
	uint64_t ops, mem;
	uint8_t public[CUSTODY_PUBLIC], salt[CUSTODY_SALT], box[CUSTODY_BOX];
};

struct custody_pair {
	struct id a, b; /* a < b */
	uint8_t to_a[CUSTODY_SHARE], to_b[CUSTODY_SHARE];
};

struct custody {
	struct id archive;
	uint64_t epoch;
	struct custodian custodians[CUSTODY_MAX_CUSTODIANS]; /* by id */
	size_t custodian_count;
	struct custody_pair pairs[CUSTODY_MAX_PAIRS]; /* by (a, b) */
	size_t pair_count;
	uint8_t mac[CUSTODY_MAC]; /* as it was read or saved */
};

/* The canonical JSON; without "mac" it is what the MAC covers. No LF at the end. */
void custody_format(const struct custody *c, bool with_mac, struct buf *ret);
/* ERR_INVALID when it may not be a custodian's name. */
int custody_label_check(struct str label, struct err *err);
struct custodian *custody_get(const struct custody *c, const struct id *who);
int custody_order(const struct id *a, const struct id *b);
/* Bring custodians and pairs into their order. */
void custody_sort(struct custody *c);

/* BLAKE2b-256 of the file under the root key. */
void custody_mac(const struct custody *c, const struct secret *root, uint8_t ret[CUSTODY_MAC]);
/* Associated data of a custodian's box. */
enum { CUSTODY_BOUND = 20 + 2 * ID_BYTES + CUSTODY_PUBLIC };
void custody_bound(
	const struct custody *c, const struct custodian *who, uint8_t ret[CUSTODY_BOUND]);

#endif
