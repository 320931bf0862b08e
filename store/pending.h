/* pending.h - frames that are durable in the journal but not yet in packs, and what they say:
 * objects, keys, heads.
 *
 * The writer publishes a frame when its fdatasync has returned; the applier takes it out when
 * packs, keys and refs are durable. In between, reads look here first. Any thread; one lock inside.
 */
#ifndef MUN_STORE_PENDING_H
#define MUN_STORE_PENDING_H

#include "core/base/arena.h"
#include "core/base/map.h"
#include "store/facts.h"
#include "store/journal.h"
#include "store/store.h"

#include <pthread.h>

/* A head while it is not yet in the ledger; strings live in its frame's arena. */
struct pending_head {
	struct record_head head;
	bool has_request;
	struct id request;
	struct map_key number_key;
};

/* An action in a frame. What it says is there already when this process wrote it, so that nobody
 * reads it back: NULL in a replayed frame, and of a destruction. Lives in the frame's arena. */
struct pending_action {
	struct oid commit;
	const struct facts *facts;
};

/* One frame in memory. The writer fills it, alone; once published it does not change. */
struct pending_frame {
	struct frame frame; /* the arrays below */
	struct frame_object *objects;
	struct wrapped_key *keys;
	struct oid *packs;
	struct id *deletes;
	struct pending_head **heads;
	struct pending_action *commits; /* in order */
	size_t object_room, key_room, pack_room, delete_room, head_count, head_room, commit_count,
		commit_room;
	uint64_t bytes;
	struct arena *arena;
	struct pending_frame *next;
};

struct pending_frame *pending_frame_new(uint32_t volume);
void pending_frame_free(struct pending_frame *f);
DEFINE_CLEANUP(struct pending_frame *, pending_frame_free)
/* Copies the content into the frame's arena; returns the copy. */
struct str pending_frame_add(
	struct pending_frame *f, enum object_type type, const struct oid *oid, struct str content);
/* The same for an envelope, of which the SHA-256 is known (copied, too). */
struct str pending_frame_add_envelope(struct pending_frame *f, const struct oid *oid,
	const struct digest *sha256, struct str content);
void pending_frame_add_key(struct pending_frame *f, const struct wrapped_key *key);
void pending_frame_add_pack(struct pending_frame *f, const struct oid *pack);
void pending_frame_add_delete(struct pending_frame *f, const struct id *key);
void pending_frame_add_commit(struct pending_frame *f, const struct oid *commit);
/* What the last commit says; in the frame's arena. */
void pending_frame_add_facts(struct pending_frame *f, const struct facts *facts);
void pending_frame_add_head(struct pending_frame *f, struct pending_head *head);

struct pending {
	pthread_rwlock_t lock;
	struct pending_frame *first, **last;
	uint64_t frames, bytes;
	struct map objects, keys, heads, numbers, requests;
};

void pending_init(struct pending *p);
void pending_done(struct pending *p);

void pending_publish(struct pending *p, struct pending_frame *f);
/* The oldest `count` frames are in packs: forget and free them. */
void pending_retire(struct pending *p, size_t count);

/* The object's content, appended to `ret`; false when it is not pending. */
bool pending_object(
	struct pending *p, const struct oid *oid, enum object_type *ret_type, struct buf *ret);
/* The newest pending head of a volume's main; false when no frame of it is pending. */
bool pending_main(struct pending *p, uint32_t volume, struct oid *ret);
bool pending_key(struct pending *p, const struct id *key, struct wrapped_key *ret);
/* Copies of a head (record_head_done); false when there is none. */
bool pending_find(struct pending *p, const struct id *record, struct record_head *ret);
bool pending_find_number(struct pending *p, struct str number, struct record_head *ret);
bool pending_find_request(struct pending *p, const struct id *request, struct id *ret_record);

#endif
