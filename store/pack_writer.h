/* pack_writer.h - what is inside a writer of packs: shared by pack_write.c, which adds objects, and
 * pack_finish.c, which makes a pack and an index of them. */
#ifndef MUN_STORE_PACK_WRITER_H
#define MUN_STORE_PACK_WRITER_H

#include "core/base/hash.h"
#include "store/pack_private.h"

enum { BUFFER_BYTES = 1 << 20 };

/* What the index says about one object. */
struct item {
	struct oid oid;
	uint32_t crc;
	uint64_t offset;
};

/* A file that is written from its begin to its end through a buffer. */
struct sink {
	int fd;
	uint8_t *buffer;
	size_t used;
	uint64_t flushed; /* bytes of the file before buffer[0] */
	size_t crc_from;  /* from here on the buffer's bytes are not in `crc` yet */
	uint32_t crc;
	struct hash *hash; /* may be NULL */
};

struct pack_writer {
	int dir;
	char pack_name[PACK_NAME_MAX], index_name[PACK_NAME_MAX];
	struct sink sink;
	struct item *items;
	size_t count, room;
	/* Open addressing, at most half full: 1 + the place in items, 0 where free. */
	uint32_t *slots;
	size_t slot_count;
	uint64_t large_offset;
	int failed; /* the first failure; nothing works after it */

	/* The object that is being added. */
	bool is_open;
	uint64_t left; /* content bytes to come */
	size_t block_left;
	uint32_t adler;
};

int sink_flush(struct sink *s, struct err *err);
int sink_add(struct sink *s, const void *p, size_t n, struct err *err);

/* Keep the first failure: what was written so far is not a pack any more. Returns r. */
int pack_keep(struct pack_writer *w, int r);
int pack_refuse_failed(const struct pack_writer *w, struct err *err);

#endif
