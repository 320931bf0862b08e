/* pack.h - git packs of stored (not deflated) whole objects, with their index: written, and copied
 * from pack to pack.
 *
 * Why an own writer: everything here is ciphertext or small clear text; deflate saves 1 % and costs
 * most of the time, and libgit2's writers pack whole trees or search deltas. Reading for use goes
 * through libgit2 (volume.h).
 *
 * A writer belongs to one thread. Nothing is visible under its final name before pack_finish. */
#ifndef MUN_STORE_PACK_H
#define MUN_STORE_PACK_H

#include "store/object.h"

struct pack_writer;

/* Begin "tmp_pack_<random>" in a directory (git's own name for such files: no reader looks at
 * them). The writer buffers; its memory does not grow with the bytes written, only with the number
 * of objects (about 40 bytes each). */
int pack_begin(int dir, struct pack_writer **ret, struct err *err);
/* Add an object; one that is in already is skipped (*ret_new says so; may be NULL). */
int pack_add(struct pack_writer *w, enum object_type type, const struct oid *oid, const void *p,
	size_t n, bool *ret_new, struct err *err);
/* An object in pieces: begin with its type, name and length, add exactly that many bytes, then end.
 * One that is in already is ERR_EXISTS, and changes nothing. After any other failure the pack
 * cannot be finished. */
int pack_add_begin(struct pack_writer *w, enum object_type type, const struct oid *oid, uint64_t n,
	struct err *err);
int pack_add_bytes(struct pack_writer *w, const void *p, size_t n, struct err *err);
int pack_add_end(struct pack_writer *w, struct err *err);

size_t pack_objects(const struct pack_writer *w);
uint64_t pack_bytes(const struct pack_writer *w);

/* Write trailer and index, sync both, rename to pack-<name>.pack, then .idx, sync the directory.
 * Frees the writer's files whatever happens; pack_free afterwards. The name is the SHA-1 of the
 * sorted object names, so the same objects give the same name; when a sound pack of that name is
 * there it stays, for a reader may have it open. An empty pack is not written: ERR_INVALID. */
int pack_finish(struct pack_writer *w, struct oid *ret_name, struct err *err);
/* Drop what was not finished. */
void pack_free(struct pack_writer *w);
DEFINE_CLEANUP(struct pack_writer *, pack_free)

/* ---- reading one pack that Muniment wrote, entry by entry: for merging, verifying and adopting
 * ---- */

struct pack_reader;

/* Open pack-<name>.pack and .idx, check headers, trailers' place and that the index fits the pack;
 * the objects themselves are not looked at. A reader belongs to one thread. Errors: ERR_CORRUPT,
 * ERR_NOTFOUND. */
int pack_open(int dir, const struct oid *name, struct pack_reader **ret, struct err *err);
void pack_close(struct pack_reader *p);
DEFINE_CLEANUP(struct pack_reader *, pack_close)
size_t pack_count(const struct pack_reader *p);
uint64_t pack_file_bytes(const struct pack_reader *p);
/* SHA-1 of the pack's bytes and of the index against their trailers. */
int pack_check_sums(struct pack_reader *p, struct err *err);

struct pack_entry {
	enum object_type type;
	struct oid oid;
	uint64_t bytes; /* of the content */
};
/* Entry i in order of offset. Errors: ERR_CORRUPT, ERR_UNSUPPORTED (a delta: stock git repacked
 * it). */
int pack_entry_at(struct pack_reader *p, size_t i, struct pack_entry *ret, struct err *err);
/* Its content, inflated (whatever the compression), appended to `ret`; the name is not recomputed
 * here. */
int pack_entry_read(struct pack_reader *p, size_t i, struct buf *ret, struct err *err);
/* Copy entry i as raw bytes into a writer, unless it has that object already. Only the index's
 * CRC-32 is checked. */
int pack_copy(struct pack_reader *from, size_t i, struct pack_writer *to, struct err *err);

/* The names of all packs ("pack-<40 hex>.pack" with an .idx) in a directory; free() *ret. */
int pack_list(int dir, struct oid **ret, size_t *ret_count, struct err *err);

/* Merge packs into one, leaving out the objects for which `drop` says true (drop may be NULL). The
 * new pack is durable and visible, then the old ones (.idx first) are removed and the directory
 * synced. *ret_name is zeros when nothing was left. After a failure everything that must stay is
 * still there, perhaps twice. */
int pack_merge(int dir, const struct oid *names, size_t count,
	bool (*drop)(void *context, const struct oid *oid), void *context, struct oid *ret_name,
	struct err *err);

/* Move a pack from one directory to another of the same file system, durably; one that has arrived
 * already is fine. */
int pack_move(int from, int to, const struct oid *name, struct err *err);
/* Remove a pack, durably. One that is not there is fine. */
int pack_remove(int dir, const struct oid *name, struct err *err);
/* Remove what an interrupted writer, merge or removal left: temporary files, packs without index. At start, with no
 * writer about, and after the journal was replayed: a move that was interrupted leaves a pack without index, too.
 * `ret_removed` may be NULL. */
int pack_sweep(int dir, size_t *ret_removed, struct err *err);

#endif
