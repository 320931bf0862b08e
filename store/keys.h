/* keys.h - keys.db: purpose keys and record keys, each wrapped by the root key (FORMAT.md, section 4).
 *
 * One struct keys per process. It is opened sealed; keys_unseal hands it the root key. Look-ups may come from any
 * thread; writes (keys_apply, keys_delete ...) from one thread at a time. */
#ifndef MUN_STORE_KEYS_H
#define MUN_STORE_KEYS_H

#include "core/base/secret.h"
#include "core/model/id.h"

enum { WRAPPED_BYTES = 72 };

struct wrapped_key {
	struct id key, record;
	uint64_t epoch;
	uint8_t wrapped[WRAPPED_BYTES];
};

/* As bytes, in frames: key id, record id, epoch, wrapped. */
enum { WRAPPED_KEY_BYTES = 2 * ID_BYTES + 8 + WRAPPED_BYTES };
void wrapped_key_write(const struct wrapped_key *w, uint8_t ret[WRAPPED_KEY_BYTES]);
void wrapped_key_read(const uint8_t bytes[WRAPPED_KEY_BYTES], struct wrapped_key *ret);

struct keys;

/* Make keys.db in a directory; nothing is in it but meta. Durable. Errors: ERR_EXISTS. */
int keys_create(int dir, const char *dir_path, const struct id *archive, struct err *err);
/* Errors: ERR_NOTFOUND, ERR_CORRUPT (not such a file, or of another archive), ERR_UNSUPPORTED. */
int keys_open(const char *dir_path, const struct id *archive, bool writable, struct keys **ret,
	struct err *err);
void keys_free(struct keys *k);
DEFINE_CLEANUP(struct keys *, keys_free)

/* Take a copy of the root key (32 bytes) of an epoch; forget it. Errors: ERR_CONFLICT, the database is of
 * another epoch: keys that were drawn now could never be opened again. */
int keys_unseal(struct keys *k, const struct secret *root, uint64_t epoch, struct err *err);
void keys_seal(struct keys *k);
bool keys_are_sealed(struct keys *k);
/* Of the root key under which the database is wrapped; known also when sealed. */
uint64_t keys_epoch(struct keys *k);

/* Draw a key for a record (or for one part of it) and wrap it. Any thread; nothing is stored: it travels in the frame.
 * Errors: ERR_SEALED. */
int keys_draw(struct keys *k, const struct id *record, struct wrapped_key *ret_wrapped,
	uint8_t ret_key[32], struct err *err);
/* Wrap a key whose plaintext is known under the root of today: `w` names key and record. Errors: ERR_SEALED. */
int keys_wrap(struct keys *k, struct wrapped_key *w, const uint8_t key[32], struct err *err);
/* Open a wrapped key. Errors: ERR_SEALED, ERR_CRYPTO. */
int keys_unwrap(struct keys *k, const struct wrapped_key *w, uint8_t ret_key[32], struct err *err);

/* Look a record key up by key id and open it. Errors: ERR_NOTFOUND (destroyed, or never there), ERR_SEALED,
 * ERR_CRYPTO. */
int keys_find(struct keys *k, const struct id *key, const struct id *record, uint8_t ret_key[32],
	struct err *err);

/* In one durable transaction: add keys (a key that is there already with the same bytes is fine), delete keys (one that
 * is not there is fine), and remember the frame up to which this holds (never less than before). Errors:
 * ERR_CONFLICT, a key that is there with other bytes, or one that was wrapped under another root; ERR_FULL.
 * Nothing is changed then. */
int keys_apply(struct keys *k, const struct wrapped_key *add, size_t add_count,
	const struct id *delete, size_t delete_count, uint64_t frame, struct err *err);
/* Delete every key of these records, in one durable transaction; how many rows there were. */
int keys_delete_records(struct keys *k, const struct id *records, size_t count,
	uint64_t *ret_deleted, struct err *err);
/* The frame of the last keys_apply. */
int keys_applied_frame(struct keys *k, uint64_t *ret, struct err *err);
/* Copy the WAL into the database and cut it to nothing, so that deleted rows are nowhere in the files. */
int keys_truncate_wal(struct keys *k, struct err *err);

/* Purpose keys: 32 random bytes under a name (at most 32 bytes). Makes one when it is missing and the
 * database is writable. Any thread. Errors: ERR_SEALED, ERR_NOTFOUND (missing, opened for reading),
 * ERR_CRYPTO. */
int keys_purpose(struct keys *k, const char *name, struct secret **ret, struct err *err);

/* Whether there is one of this name. */
int keys_has_purpose(struct keys *k, const char *name, bool *ret, struct err *err);
/* In one durable transaction: what is the key of `from` becomes that of `to`, and `from` is gone, as is
 * what `to` was; with `to` NULL `from` is only gone. Errors: as keys_purpose, but nothing is made. */
int keys_move_purpose(struct keys *k, const char *from, const char *to, struct err *err);

/* Every record key in order of key id, for verify. Callback returns 0 to go on; it may call back into `k`.
 * Keys that are added or deleted meanwhile may or may not be seen. */
int keys_each(struct keys *k,
	int (*each)(void *context, const struct wrapped_key *w, struct err *err), void *context,
	struct err *err);
int keys_count(struct keys *k, uint64_t *ret, struct err *err);
/* The database file as a whole: every page, the indexes against their table; and, when unsealed, that every
 * purpose key opens. Errors: ERR_CORRUPT, ERR_CRYPTO. */
int keys_check(struct keys *k, struct err *err);

/* Wrap every key anew under a new root, in one transaction, and leave nothing of the old ones in the files;
 * `k` then holds the new root and epoch + 1. No key may be on its way from keys_draw to keys_apply, and no
 * frame with keys may be unapplied. New shares must be durable before (custody_save_next), or a crash here
 * loses the archive. */
int keys_rotate(struct keys *k, const struct secret *new_root, struct err *err);

#endif
