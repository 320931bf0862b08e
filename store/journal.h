/* journal.h - frames that make a write durable before it is in a pack (FORMAT.md, section 10;
 * invariants 1 and 2).
 *
 * One writer at a time appends; one applier thread frees. journal_append returns after fdatasync. A
 * failed append or sync is final: every later append fails with ERR_UNKNOWN until the journal is
 * opened anew (and its frames replayed). */
#ifndef MUN_STORE_JOURNAL_H
#define MUN_STORE_JOURNAL_H

#include "store/keys.h"
#include "store/object.h"

struct journal;

/* A frame as it is written, and as replay gives it. Pointers are borrowed for the call. */
struct frame_object {
	enum object_type type;
	bool is_envelope;
	struct oid oid;
	struct str content;
	const struct digest *sha256; /* of the content, where it is known; not written */
};

struct frame {
	uint32_t volume;
	uint64_t number; /* set by append */
	struct oid head, head_before;
	const struct frame_object *objects;
	size_t object_count;
	const struct wrapped_key *keys;
	size_t key_count;
	const struct oid *packs; /* adopted from incoming/ */
	size_t pack_count;
	const struct id *deletes; /* key ids */
	size_t delete_count;
};

struct journal_options {
	uint64_t segment_bytes; /* 0: 16 MiB; a frame that is larger gets a segment of its own size
				 */
	unsigned spare;		/* preallocated segments kept ready; 0: 2 */
};

enum { FRAME_MAX_BYTES = 1 << 30 };

/* What was found at opening besides good frames. */
struct journal_found {
	uint64_t frames;      /* to be replayed */
	bool dropped_tail;    /* an unfinished last frame: harmless */
	bool set_aside;	      /* a bad last frame was copied to journal/aside-<n>: report it */
	uint64_t aside_frame; /* also one of an earlier start that nobody has acknowledged */
	uint64_t missing; /* frames that keys.db has applied and the journal lost, though earlier
			     ones are in it */
};

/* Open or create the journal in a directory. `next` is the frame number that follows the last one
 * ever applied (from keys.db) and is used when the journal is empty. Errors: ERR_CORRUPT (damage
 * before the last frame). */
int journal_open(int dir, const struct id *archive, uint64_t next,
	const struct journal_options *options, struct journal **ret,
	struct journal_found *ret_found, struct err *err);
void journal_free(struct journal *j);
DEFINE_CLEANUP(struct journal *, journal_free)

/* The number of the last frame whose new head is_done() knows as one that main has reached; 0 when there is none.
 * Reads headers only: nothing need be replayed up to it. */
int journal_find_done(struct journal *j,
	bool (*is_done)(void *context, uint32_t volume, const struct oid *head), void *context,
	uint64_t *ret_frame, struct err *err);
/* Every frame from this number on that is not freed, oldest first, checked again. */
int journal_replay(struct journal *j, uint64_t from,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	struct err *err);

/* Reserve room for a frame with that many body bytes before anything is drawn. Errors: ERR_FULL,
 * ERR_LIMIT; the journal stays usable. */
int journal_reserve(struct journal *j, uint64_t body_bytes, struct err *err);
/* Bytes of body that this frame needs. */
uint64_t frame_body_bytes(const struct frame *f);

/* Append and make durable; sets f->number. Errors: ERR_UNKNOWN after a failed write or sync. */
int journal_append(struct journal *j, struct frame *f, struct err *err);
/* All frames up to this number are applied: their segments are zeroed and reused, or kept when a
 * later frame is in them. */
int journal_free_until(struct journal *j, uint64_t frame, struct err *err);
/* Everything applied, nobody appending: overwrite all used bytes with zeros, now and durably
 * (destruction, clean exit). */
int journal_wipe(struct journal *j, struct err *err);

/* Overwrite all that was ever set aside: it may hold keys and envelopes of any record, and is too damaged
 * to be searched for them. The files stay, with zeros, until somebody acknowledges them. */
int journal_wipe_aside(struct journal *j, struct err *err);

/* Forget a frame that was set aside: overwrite and remove its copy. Errors: ERR_NOTFOUND. */
int journal_acknowledge(int dir, uint64_t frame, struct err *err);

uint64_t journal_last_frame(struct journal *j);

/* Reading only, for verify on a sealed or running archive: check all frames in a journal directory
 * without changing anything. Errors: ERR_CORRUPT; ERR_CONFLICT (the process that owns it freed
 * segments meanwhile: flush and try again). */
int journal_check(int dir, const struct id *archive,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	struct journal_found *ret_found, struct err *err);
/* The parser of one frame from memory, for replay and fuzzing: `bytes` begins at the header. Frees:
 * free(*ret_memory). */
int frame_parse(struct str bytes, uint64_t segment, struct frame *ret, void **ret_memory,
	uint8_t ret_digest[32], struct err *err);

#endif
