/* verify_private.h - what the files of verify share: the state of one check. */
#ifndef MUN_STORE_VERIFY_PRIVATE_H
#define MUN_STORE_VERIFY_PRIVATE_H

#include "core/base/arena.h"
#include "store/internal.h"
#include "store/verify.h"

/* What the history said so far about one record. */
struct verify_record {
	struct id record;
	uint64_t sequence, version;
	uint32_t volume; /* of the newest slip */
	struct digest slip;
	const char *number, *folder;
	bool destroyed;
	struct verify_record *next;
};

/* One envelope that a slip named first. */
struct verify_envelope {
	struct slip_blob blob;
	struct verify_record *owner;
	struct id part; /* zeros: manifest */
	uint32_t chunk, chunks;
	bool in_content;
	struct verify_envelope *next;
};

struct verify_key {
	struct id key;
	struct verify_record *owner;
	bool found;
	struct verify_key *next;
};

struct verify_signer {
	struct str name;
	struct public_key key;
	bool retired;
};

/* Where a volume's two branches stood when the check began. What is written from then on is not looked at, so that
 * a check takes its time while people work. */
struct verify_heads {
	struct oid main, content;
};

struct verify {
	struct store *store;
	const struct verify_options *options;
	struct verify_result *result;
	struct arena *arena;
	struct verify_heads *heads; /* [volume - 1] */
	uint32_t volumes;

	struct map records;   /* record id -> verify_record */
	struct map numbers;   /* map_key(number) -> verify_record */
	struct map serials;   /* map_key(scope) -> last serial, as a pointer */
	struct map envelopes; /* SHA-256 (16 bytes) -> verify_envelope */
	struct map keys;      /* key id -> verify_key */
	struct verify_record *first_record, **last_record;
	struct verify_envelope *first_envelope, **last_envelope;
	struct verify_key *first_key;

	struct verify_signer *signers;
	size_t signer_count, signer_room;

	/* Where the chain stands. */
	struct digest previous;
	uint64_t actions, records_filed, done, total;
	int64_t last_time;	/* no commit may be dated before it */
	struct oid last_head;	/* of the volume before */
	bool checkpoint_signed; /* by the server's key of that place */
	bool stopped;
};

void verify_found(struct verify *v, enum verify_fault fault, uint32_t volume, const char *where,
	const char *fmt, ...) _printf_(5, 6);
/* One step of work done; true when the caller asked to stop. */
bool verify_step(struct verify *v);

/* Whether what the ledger says of a record (r: what the history said of it, NULL: nothing) is newer than this check,
 * and stands in the history by now. */
bool verify_is_newer(struct verify *v, const struct id *record, const struct verify_record *r);

/* verify_history.c */
int verify_volume(struct verify *v, uint32_t volume, struct err *err);
/* verify_tree.c: the files that `after` has and `before` (zeros: empty) does not; anything else is
 * a fault. */
struct verify_file {
	const char *path;
	struct oid oid;
};
int verify_added(struct verify *v, uint32_t volume, const char *commit, const struct oid *before,
	const struct oid *after, struct verify_file **ret, size_t *ret_count, struct err *err);
/* verify_packs.c */
int verify_packs(struct verify *v, uint32_t volume, struct err *err);
/* verify_content.c */
int verify_content_branch(struct verify *v, uint32_t volume, struct err *err);
int verify_envelopes(struct verify *v, struct err *err);
int verify_keys(struct verify *v, struct err *err);
int verify_ledger(struct verify *v, struct err *err);
int verify_journal(struct verify *v, struct err *err);

#endif
