/* journal_private.h - what the files of the journal share: the frame's bytes, segments, the walk
 * over them. */
#ifndef MUN_STORE_JOURNAL_PRIVATE_H
#define MUN_STORE_JOURNAL_PRIVATE_H

#include "store/journal.h"

#include <pthread.h>

enum {
	JOURNAL_BLOCK = 4096,
	SECTOR = 512, /* a disk writes one whole or not at all */
	FRAME_HEADER = 160,
	FRAME_SUMMED = 128, /* bytes of the header under its own checksum */
	FRAME_DIGEST = 32,
	SEGMENT_BYTES = 16 << 20,
	SEGMENT_NAME_MAX = 24,
};

/* ---- frame.c ---- */

/* What the header says. */
struct frame_head {
	uint32_t volume;
	uint64_t number, segment, body_bytes;
	struct digest previous;
	uint32_t objects, keys, packs, deletes;
	struct oid head, head_before;
};

/* The whole frame, with padding, for a body of that size. */
uint64_t frame_bytes(uint64_t body_bytes);

/* The header at the start of `bytes` (at least FRAME_HEADER of them), its checksum and limits
 * checked. Errors: ERR_CORRUPT, ERR_LIMIT, ERR_UNSUPPORTED. */
int frame_head_parse(struct str bytes, struct frame_head *ret, struct err *err);

/* Write the frame into `out`, frame_bytes(frame_body_bytes(f)) long; its last FRAME_DIGEST bytes
 * are its digest. */
void frame_encode(
	const struct frame *f, uint64_t segment, const struct digest *previous, uint8_t *out);

bool is_all_zero(const void *p, size_t n);

/* ---- segment.c: the files ---- */

struct segment {
	uint64_t number, bytes;
	uint64_t used;	     /* JOURNAL_BLOCK when it holds no frame */
	uint64_t last_frame; /* 0 when it holds none */
	int fd;
};

/* "00000001.seg"; kinds: "seg", "new" (being made), "old" (freed, perhaps not yet overwritten). */
char *segment_name(uint64_t number, const char *kind, char out[SEGMENT_NAME_MAX]);
/* True for such a name of that kind. */
bool segment_name_parse(const char *name, const char *kind, uint64_t *ret);

/* Make a segment with real zeros, durably. Errors: ERR_FULL: nothing is left behind. */
int segment_make(int dir, const struct id *archive, uint64_t number, uint64_t bytes,
	struct segment *ret, struct err *err);
/* Grow one that holds no frame. Errors: ERR_FULL: it is as before. */
int segment_grow(struct segment *s, const struct id *archive, uint64_t bytes, struct err *err);
/* Open and check the header. Errors: ERR_CORRUPT. */
int segment_open(int dir, const struct id *archive, uint64_t number, bool writable,
	struct segment *ret, struct err *err);
/* Take "<number>.seg" out of use: it is "<number>.old" afterwards, durably. */
int segment_retire(int dir, uint64_t number, struct err *err);
/* Overwrite "<number>.old" with zeros, durably, then give it another number, or remove it when
 * `fresh` is 0. */
int segment_recycle(int dir, const struct id *archive, uint64_t number, uint64_t fresh,
	uint64_t bytes, struct segment *ret, struct err *err);
void segment_close(struct segment *s);

/* All numbers of one kind, in order; free() *ret. */
int segment_list(int dir, const char *kind, uint64_t **ret, size_t *ret_count, struct err *err);

/* ---- journal.c, journal_open.c: the journal; what its parts are for stands on top of journal.c ---- */

struct journal {
	int dir;
	struct id archive;
	uint64_t segment_bytes;
	unsigned spare;

	pthread_mutex_t files, lock;
	struct segment *segments;
	size_t count, current;
	uint64_t *old;
	size_t old_count;
	uint64_t next_segment;
	uint64_t last_frame, freed;
	bool failed;

	/* The writer's alone. */
	struct digest digest; /* zeros: the next frame begins a chain */
	uint8_t *buffer;
	size_t room;
};

void journal_add_segment(struct journal *j, const struct segment *s);
void journal_add_old(struct journal *j, uint64_t number);

/* ---- journal_scan.c: the walk ---- */

/* Where the frames end and what stands there. */
enum tail_kind {
	TAIL_CLEAN, /* zeros */
	TAIL_TORN,  /* a frame that was being written when the power went */
	TAIL_BAD,   /* anything else */
};

struct scan {
	uint64_t frames, first, last; /* numbers, 0 when there is none */
	uint64_t last_bytes;  /* of the last frame, which ends at `offset` when the tail is clean */
	struct digest digest; /* of the last frame */
	size_t segment;	      /* where it ends: index */
	uint64_t offset;
	enum tail_kind tail;
	uint64_t tail_frame; /* the number that the frame there should have */
	uint64_t tail_bytes; /* up to the last byte that is not zero */
};

/* Walk all frames of open segments in order, set their `used` and `last_frame`, and find the end.
 * `next` is the first frame that keys.db has not applied, 0 when that is not known. Of frames before it only headers
 * and chain are looked at, but for the last frame of all; so `each`, which may be NULL, is not called for them. Errors:
 * ERR_CORRUPT (damage before the last frame). */
int journal_scan(struct segment *segments, size_t count, uint64_t next,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	struct scan *ret, struct err *err);

/* After a scan: every frame from number `from` on, checked. *ret_clean is false when something else than frames was
 * met. Errors: as above, and those of `each`. */
int journal_scan_frames(struct segment *segments, size_t count, uint64_t from,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	bool *ret_clean, struct err *err);

/* After a scan: the headers of all frames. */
int journal_scan_heads(const struct segment *segments, size_t count,
	void (*each)(void *context, const struct frame_head *head), void *context, struct err *err);

#endif
