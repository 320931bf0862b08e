/* store.h - the truth: what core/archive/ asks of store/. Open, unseal, write durably, read back,
 * follow, destroy.
 *
 * One process at a time may open a store for writing (ERR_LOCKED names the other); any number may
 * read. A store opens sealed: history, slips and ciphertext can be read and verified; store_unseal
 * brings the keys, and with them content and writing.
 *
 * Threads: every function may be called from any thread unless it says otherwise. Inside, two
 * threads work: the writer (writer.c) makes commits and appends frames; the applier (applier.c)
 * turns frames into packs behind it. */
#ifndef MUN_STORE_STORE_H
#define MUN_STORE_STORE_H

#include "store/checkpoint.h"
#include "store/commit.h"
#include "store/custody.h"
#include "store/journal.h"
#include "store/keys.h"
#include "store/pack.h"

#include <semaphore.h>

struct store;

/* What the libraries below want to be told before they are first used: once, before any thread. Without it everything
 * works, more slowly. */
void store_init(void);

struct store_options {
	bool writable;
	uint64_t volume_max_bytes;  /* roll over when a volume's packs pass this; 0: 64 GiB */
	uint64_t pending_max_bytes; /* the writer waits while more is not yet in packs; 0: 64 MiB */
	uint64_t journal_segment_bytes; /* 0: journal.h's default */
	unsigned merge_packs;	/* merge when this many packs of like size stand together; 0: 16 */
	int64_t apply_delay_ms; /* how long frames may wait for company before they are packed; 0:
				   500 */
};

/* What opening found and did, for the log and for `status`. */
struct store_found {
	struct journal_found journal;
	uint64_t frames_replayed;
	uint64_t destructions_finished;
	uint64_t orphans_removed; /* packs in incoming/ that no frame adopted */
	bool ledger_rebuilt;
};

/* Make an empty archive in a folder that does not exist or is empty: archive.json, keys.db with its
 * purpose keys, journal, and the first commit of volume 1, signed. custody.json is the caller's to
 * write, before this. Errors: ERR_EXISTS. */
int store_create(const char *path, const struct id *archive, bool demonstration,
	const struct secret *root, struct err *err);

/* Open, sealed. With options->writable: take the lock, replay the journal, finish destructions.
 * `ret_found` may be NULL. */
int store_open(const char *path, const struct store_options *options, struct store **ret,
	struct store_found *ret_found, struct err *err);
/* Flush everything into packs (when writable and healthy), stop the threads, forget the keys, give
 * the lock back. */
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)

/* Bring the keys and start writing. A wrong root is ERR_CRYPTO. */
int store_unseal(struct store *s, const struct secret *root, uint64_t epoch, struct err *err);
/* Finish what is queued, flush, forget every key. Reading of clear text goes on. */
int store_seal(struct store *s, struct err *err);
bool store_is_sealed(struct store *s);

const struct id *store_archive(const struct store *s);
bool store_is_demonstration(const struct store *s);
bool store_is_writable(const struct store *s);
const char *store_path(const struct store *s);
/* Descriptor of the archive's folder, owned by the store. */
int store_dir(const struct store *s);
/* The key store, for custody (rotation) and purposes. */
struct keys *store_keys(struct store *s);
/* Public key that signs ordinary commits. Errors: ERR_SEALED. */
int store_server_key(struct store *s, struct public_key *ret, struct err *err);

/* ---- writing ---- */

/* One chunk of a part, sealed by the caller (envelope.h). */
struct change_chunk {
	struct slip_blob blob; /* hashes, size and name, from the caller; volume 0: new, the writer
				* fills it in; else where an earlier version has it */
	struct str sealed;     /* the envelope's bytes; empty when it exists already or lies in an
				  adopted pack */
};

struct change_part {
	struct id part;
	const struct change_chunk *chunks;
	size_t chunk_count;
};

/* What the writer knows when it asks for the manifest. */
struct drawn {
	struct str number;
	uint64_t sequence, version;
};

struct change_record {
	struct id record;
	/* The version that the caller saw; 0 files a new record. Another newest version than this
	 * is ERR_CONFLICT. */
	uint64_t base_version;

	/* A new record: its number, given whole (scope empty), or drawn: `scope` with one '*', for
	 * which the writer puts the next serial of that scope in `serial_digits` digits (more
	 * digits than that is ERR_LIMIT, REC-10, unless it may widen). Where the number has more
	 * left out in its scope than the serial, number_head and number_tail say what stands before
	 * and behind it. */
	struct str number, scope, number_head, number_tail;
	unsigned serial_digits;
	bool serial_may_widen;
	/* A new record: "2025-05/<series>/<department>" (core/model/path.h). */
	struct str folder;

	/* Keyed hash of an idempotency key (store_request): a record that was filed or revised
	 * under it before is not written again; ret_existing says so, and the ret_ members tell of
	 * that one. */
	bool has_request;
	struct id request;

	/* Keys that this version brings, and the one (brought now or earlier) that seals the
	 * manifest. */
	const struct wrapped_key *keys;
	size_t key_count;
	struct id manifest_key_id;
	const uint8_t *manifest_key; /* 32 bytes */

	const struct change_part *parts; /* all parts of this version, in the manifest's order */
	size_t part_count;

	/* Called by the writer (any thread), once, after number and version are known: append the
	 * canonical JSON. Must be quick and must not call the store. */
	int (*manifest)(void *context, const struct drawn *drawn, struct buf *ret, struct err *err);
	void *context;

	/* Set on success. */
	bool ret_existing;
	uint64_t ret_sequence, ret_version;
	char *ret_number; /* free() it */
};

/* One action: one signed commit. All of its records are written, or none. */
struct change {
	enum commit_act act; /* ACT_FILE or ACT_REVISE */
	struct id action;
	const char *account; /* "u-00001" */
	uint32_t uid;
	int64_t time; /* UTC; not before the last commit's, else that one's is used */
	struct change_record *records;
	size_t record_count;
	const struct oid *packs; /* in incoming/, durable, with new chunks of large parts */
	size_t pack_count;

	/* Set when it is answered. */
	int result;
	struct err err;
	struct oid ret_commit;
	uint32_t ret_volume;
	size_t ret_failed; /* which record was at fault */

	/* The writer's: */
	int language;	 /* of who asked: errors arise on another thread */
	sem_t *answered; /* who waits for it; NULL: nobody */
	struct change *next;
};

/* Hand a change to the writer and wait for the answer; success means durable. The bytes it points
 * to may go afterwards. Errors: what records say; ERR_SEALED; ERR_FULL (nothing was drawn);
 * ERR_UNKNOWN (the outcome is not known: the store stops writing, and after opening anew the same
 * request key tells). */
int store_write(struct store *s, struct change *c, struct err *err);

/* BLAKE2b-128(requests key, text): what a request line holds. Errors: ERR_SEALED. */
int store_request(struct store *s, const void *p, size_t n, struct id *ret, struct err *err);

/* Open a pack for large parts in incoming/ (pack.h); finished packs are adopted by a change or
 * removed at the next start. */
int store_incoming(struct store *s, struct pack_writer **ret, struct err *err);

/* Everything answered so far is in packs and refs when this returns: before cloning, backing up,
 * checkpointing. */
int store_flush(struct store *s, struct err *err);

/* ---- destruction: the primitive (DESIGN of disposal comes above it) ---- */

/* Destroy all versions of a record, FORMAT.md section 11, completely: returns when keys, content,
 * journal bytes and packs are rid of it. Derived data are the caller's. One at a time, and not while
 * store_verify runs: the others wait. Errors: ERR_NOTFOUND, ERR_DESTROYED. */
int store_destroy(struct store *s, const struct id *record, const char *account, uint32_t uid,
	const struct id *action, int64_t time, struct err *err);

/* ---- reading ---- */

/* A record's newest state, from the ledger and what is not yet in it. */
struct record_head {
	struct id record;
	uint64_t sequence, version;
	bool destroyed;
	uint32_t volume; /* of the newest slip */
	struct digest slip;
	struct oid slip_oid;
	char *number, *folder; /* folder: "2025-05/<series>/<department>/0000/00/<number>" */
};
void record_head_done(struct record_head *h);

/* Errors: ERR_NOTFOUND. A destroyed record is found, with `destroyed` set. */
int store_find(struct store *s, const struct id *record, struct record_head *ret, struct err *err);
int store_find_number(struct store *s, struct str number, struct record_head *ret, struct err *err);
int store_find_sequence(
	struct store *s, uint64_t sequence, struct record_head *ret, struct err *err);
/* The record that a request key wrote. Errors: ERR_NOTFOUND. */
int store_find_request(
	struct store *s, const struct id *request, struct id *ret_record, struct err *err);

/* A version's slip as text (version 0: the newest), with the volume and path it stands at. */
int store_slip(struct store *s, const struct record_head *h, uint64_t version, struct buf *ret_text,
	uint32_t *ret_volume, struct err *err);
/* Open one envelope that a slip names; appended to `ret`. The ciphertext's SHA-256 is checked
 * first. Errors: ERR_DESTROYED, ERR_SEALED, ERR_CORRUPT, ERR_CRYPTO. */
int store_open_blob(struct store *s, const struct id *record, const struct slip_blob *blob,
	struct buf *ret, struct err *err);
/* The key of a record by key id, from what is pending or keys.db. Errors: ERR_NOTFOUND, ERR_SEALED.
 */
int store_record_key(struct store *s, const struct id *key, const struct id *record,
	uint8_t ret_key[32], struct err *err);
/* Raw objects: for verify. */
int store_read(struct store *s, uint32_t volume, const struct oid *oid, enum object_type *ret_type,
	struct buf *ret, struct err *err);
/* Newest head of `main` of a volume, pending frames included; and the newest volume's number. */
int store_main(struct store *s, uint32_t volume, struct oid *ret, struct err *err);
uint32_t store_volumes(struct store *s);

struct store_counts {
	uint64_t actions, records, frames, pending_frames, pending_bytes, last_frame;
	uint32_t volumes;
	bool failed; /* stopped after a write of unknown outcome */
};
void store_count(struct store *s, struct store_counts *ret);

/* ---- following: for the registry and the index ---- */

/* One version (or destruction) of one record. Strings are borrowed for the call. */
struct store_event {
	uint32_t volume;
	struct oid commit;
	uint64_t actions; /* the action's count: the watermark */
	enum commit_act act;
	struct id action;
	int64_t time;
	struct str account;
	uint32_t uid;
	struct id record;
	uint64_t sequence, version;
	struct str number, folder;
	struct slip_blob manifest;
	struct str manifest_sealed; /* empty when it must be read */
	bool last_of_action;
};

/* Called on the applier's thread for all events of an action that has just become part of the
 * packs, in order. */
typedef void (*store_applied)(void *context, const struct store_event *events, size_t count);
/* Set before store_unseal. */
void store_on_applied(struct store *s, store_applied each, void *context);

/* Every event after the action with count `after` (0: all), in order, from the packs. Stop by
 * returning non-zero. */
int store_walk(struct store *s, uint64_t after,
	int (*each)(void *context, const struct store_event *event, struct err *err), void *context,
	struct err *err);

/* ---- proof ---- */

/* Flush, and state every volume's head, signed. */
int store_checkpoint(struct store *s, struct buf *ret, struct err *err);
/* allowed_signers lines for ssh-keygen and verify-archive.sh, appended to `ret`: every key that ever signed, and from
 * when to when. */
int store_allowed_signers(struct store *s, struct buf *ret, struct err *err);

/* ---- other keys; each is finished or taken back at the next start, whatever happens meanwhile ---- */

/* Sign with a new key of the server from now on: a commit that the old key signs retires it and enrols the
 * new one, and the old one is then forgotten. Export the allowed signers anew afterwards. */
int store_rotate_server(struct store *s, const char *account, uint32_t uid, const struct id *action,
	int64_t time, struct err *err);
/* A new root key for the custodians who are in `c` (somebody may just have been taken out): new shares,
 * every wrapped key wrapped anew, nothing of the old ones left in the files. Writers wait. Keys that were
 * drawn before are wrapped anew when their change comes. *ret_root is set as soon as the keys are under it,
 * also when what comes then fails. On failure `c` must be loaded again, after custody_settle. */
int store_rotate_root(
	struct store *s, struct custody *c, struct secret **ret_root, struct err *err);

#endif
