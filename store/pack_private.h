/* pack_private.h - what the files of the pack module share with each other and with their tests. */
#ifndef MUN_STORE_PACK_PRIVATE_H
#define MUN_STORE_PACK_PRIVATE_H

#include "store/pack.h"

enum {
	PACK_HEADER = 12,
	PACK_TRAILER = 20,
	INDEX_HEADER = 8,
	INDEX_FANOUT = 256 * 4,
	PACK_NAME_MAX = 64, /* "pack-<40 digits>.bitmap" and its NUL fit */
};

/* Offsets from this one on stand in the index's table of 64-bit offsets. Git fixes it at 2^31;
 * tests lower it. */
void pack_set_large_offset(struct pack_writer *w, uint64_t limit);

/* "pack-<name>.<kind>" */
char *pack_file_name(const struct oid *name, const char *kind, char out[PACK_NAME_MAX]);

/* A reader over two descriptors, which it takes over whatever happens. */
int pack_open_fds(int pack_fd, int index_fd, struct pack_reader **ret, struct err *err);
/* The writer's side of a raw copy: begin; pieces of the entry as it lies in another pack; then its
 * checksum, which must fit. */
int pack_raw_begin(struct pack_writer *w, const struct oid *oid, struct err *err);
int pack_raw_bytes(struct pack_writer *w, const void *p, size_t n, struct err *err);
int pack_raw_end(struct pack_writer *w, uint32_t crc, struct err *err);
bool pack_has(const struct pack_writer *w, const struct oid *oid);

#endif
