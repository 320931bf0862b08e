/* custody.h - any two of n custodians together hold the root key (FORMAT.md, section 3; 001-D 3.1, STO-03).
 *
 * A struct custody is custody.json in memory: no secrets in it that are not sealed. One thread. The
 * functions over a const one may be called by several. After custody_add or custody_remove, custody_save
 * before custody_combine. */
#ifndef MUN_STORE_CUSTODY_H
#define MUN_STORE_CUSTODY_H

#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/model/id.h"

enum {
	CUSTODY_MAX_CUSTODIANS = 32,
	CUSTODY_LABEL_MAX = 120,
	PASSPHRASE_MIN = 8,
	PASSPHRASE_MAX = 1024
};

/* What Argon2id may cost. DEMONSTRATION is for archives that carry the flag, and for tests. */
enum custody_cost { CUSTODY_COST_FULL, CUSTODY_COST_DEMONSTRATION };

struct custody;

struct custodian_info {
	struct id id;
	const char *label; /* borrowed */
};

struct custody *custody_new(const struct id *archive);
void custody_free(struct custody *c);
DEFINE_CLEANUP(struct custody *, custody_free)

int custody_load(int dir, struct custody **ret, struct err *err);
/* Write custody.json (replaced as a whole), with its MAC under the root key. At least two custodians, or
 * ERR_INVALID. */
int custody_save(struct custody *c, int dir, const struct secret *root, struct err *err);
/* The parser alone, for fuzzing. */
int custody_parse(struct str text, struct custody **ret, struct err *err);

size_t custody_count(const struct custody *c);
struct custodian_info custody_at(const struct custody *c, size_t i);
/* By label or by a beginning of the id that fits one custodian only. Errors: ERR_NOTFOUND, ERR_INVALID. */
int custody_find(const struct custody *c, const char *who, struct id *ret, struct err *err);
uint64_t custody_epoch(const struct custody *c);

/* Enrol somebody: a pair of shares with everybody who is there already. Labels are unique. A passphrase is checked for
 * length; the same passphrase as an enrolled custodian's cannot be seen. Needs the root key: an unsealed archive.
 * Errors: ERR_EXISTS (label), ERR_INVALID (passphrase, label), ERR_LIMIT. */
int custody_add(struct custody *c, const struct secret *root, const char *label,
	const struct secret *passphrase, enum custody_cost cost, struct id *ret, struct err *err);
/* Take somebody out. At least two must stay: ERR_INVALID. */
int custody_remove(struct custody *c, const struct id *who, struct err *err);

/* Open one custodian's secret with the passphrase (Argon2id runs here: about a second and 256 MiB; one at a time in the
 * process). Errors: ERR_CRYPTO, wrong passphrase. */
int custody_open_secret(const struct custody *c, const struct id *who,
	const struct secret *passphrase, struct secret **ret, struct err *err);
/* The custodian whose secret the passphrase opens, tried in turn. Errors: ERR_CRYPTO. */
int custody_open_any(const struct custody *c, const struct secret *passphrase, struct id *ret_who,
	struct secret **ret, struct err *err);
/* Two different custodians' secrets give the root key; the MAC of the whole file is checked with it.
 * Errors: ERR_INVALID (twice the same person), ERR_CRYPTO (shares), ERR_CORRUPT (MAC). */
int custody_combine(const struct custody *c, const struct id *a, const struct secret *secret_a,
	const struct id *b, const struct secret *secret_b, struct secret **ret_root,
	struct err *err);

/* Rotation of the root key must never leave keys whose shares are not on disk. So: custody_rotate, custody_save_next,
 * keys_rotate, custody_settle, in this order; and custody_settle before every custody_load, to finish what
 * a crash left.
 *
 * New shares of a new root for everybody, epoch + 1, in memory. */
int custody_rotate(struct custody *c, const struct secret *new_root, struct err *err);
/* Write custody.next.json beside custody.json. */
int custody_save_next(struct custody *c, int dir, const struct secret *root, struct err *err);
/* With the epoch of keys.db (keys_epoch): custody.next.json takes the place of custody.json when its epoch
 * is that one, and is removed when it is a later one (the keys were not rotated). Nothing to do when there
 * is no such file. */
int custody_settle(int dir, uint64_t keys_epoch, struct err *err);

#endif
