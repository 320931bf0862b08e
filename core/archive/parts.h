/* parts.h - parts of a record on their way in: read from a descriptor, hashed, sealed chunk by chunk.
 *
 * On the caller's thread, 4 MiB of plaintext at a time. Small parts travel in the journal frame; once an
 * action has much of them, and for every larger part, the sealed chunks go straight into a pack in
 * incoming/ that the action adopts. */
#ifndef MUN_ARCHIVE_PARTS_H
#define MUN_ARCHIVE_PARTS_H

#include "core/archive/inside.h"
#include "core/base/arena.h"
#include "core/model/manifest.h"
#include "store/pack.h"

enum {
	PARTS_INLINE_MAX = 1 << 20,   /* bytes of a part that may travel in the frame */
	PARTS_INLINE_TOTAL = 4 << 20, /* of all parts of one action */
	PARTS_SPOOL_MAX = 64 << 20,   /* what comes through a pipe without saying how much it is */
};

/* Where plaintext comes from. */
struct source {
	int fd;
	bool owned; /* fd is ours to close */
	bool seekable;
	const char *memory; /* instead of a descriptor: borrowed, or `loaded` */
	char *loaded;	    /* ours, wiped when it is done with */
	uint64_t bytes;	    /* how much there is */
	uint64_t at;
	bool is_hashed; /* memory, or what the tap gives, has this SHA-256 */
	struct digest sha256;
	/* Instead of a descriptor: the next n bytes from somewhere else (upload.h). */
	int (*tap)(void *context, void *p, size_t n, struct err *err);
	void (*tap_done)(void *context);
	void *tap_context;
};

/* Look at a descriptor. `size` is what the request says of one that is not a file, or UINT64_MAX. Errors:
 * ERR_INVALID (a directory, a device), ERR_LIMIT (larger than the setting). */
int source_open(struct archive *a, struct verb_call *call, int fd, uint64_t size,
	struct source *ret, struct err *err);
void source_done(struct source *s);
/* Exactly n bytes more; from a file at its own offset, whatever the descriptor's position. Errors:
 * ERR_INVALID (it ended early). */
int source_read(struct verb_call *call, struct source *s, void *p, size_t n, struct err *err);
/* A descriptor without looking at how much there is: for source_read_some. */
int source_open_any(struct verb_call *call, int fd, struct source *ret, struct err *err);
/* Up to n bytes more; fewer only where it ended: *ret_n says how many. */
int source_read_some(struct verb_call *call, struct source *s, void *p, size_t n, size_t *ret_n,
	struct err *err);
/* SHA-256 of all; the source is at its beginning again. Only for seekable ones. A small file is in memory afterwards
 * and is not read a second time. */
int source_hash(struct verb_call *call, struct source *s, struct digest *ret, struct err *err);

/* All parts of one action. */
struct intake {
	struct archive *archive;
	struct arena *arena; /* keeps the sealed chunks */
	size_t inline_bytes;
	struct pack_writer *pack; /* NULL until one is needed */
	struct oid packs[1];
	size_t pack_count;
};

void intake_init(struct intake *in, struct archive *a, struct arena *arena);
/* Drops a pack that was not finished. */
void intake_done(struct intake *in);

/* Whose key seals a part. */
struct part_key {
	struct id record, key;
	const uint8_t *record_key;
};

/* Read, hash and seal one part: fills ret->bytes and sha256 (id, name and media are the caller's) and the chunks. */
int intake_part(struct intake *in, struct verb_call *call, struct source *s,
	const struct part_key *key, struct manifest_part *part, struct change_part *ret,
	struct err *err);
/* Make the pack durable: before the change is handed to the writer. */
int intake_finish(struct intake *in, struct err *err);

/* What a file's name promises; "application/octet-stream" when nothing. */
const char *part_media(const char *name);

#endif
