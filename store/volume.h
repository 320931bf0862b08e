/* volume.h - one bare git repository: made by us, read through libgit2 (the only place that knows
 * it), refs moved with fsync.
 *
 * A struct volume may be used by many threads at once for reading. */
#ifndef MUN_STORE_VOLUME_H
#define MUN_STORE_VOLUME_H

#include "store/object.h"

struct volume;

/* Make volumes/NNNN.git: config, HEAD, empty refs and objects/pack, each durable. One that is there
 * already is completed. */
int volume_create(int volumes_dir, uint32_t number, struct err *err);
int volume_open(int volumes_dir, const char *volumes_path, uint32_t number, struct volume **ret,
	struct err *err);
void volume_free(struct volume *v);
DEFINE_CLEANUP(struct volume *, volume_free)

uint32_t volume_number(const struct volume *v);
/* Descriptor of objects/pack, owned by the volume. */
int volume_pack_dir(const struct volume *v);
/* The numbers of all volumes in order; free() *ret. A gap is ERR_CORRUPT. */
int volume_list(int volumes_dir, uint32_t **ret, size_t *ret_count, struct err *err);

/* The content of an object, appended to `ret`. The name is recomputed from what was read (SHA-1 by
 * GnuTLS): bytes that do not fit their name are ERR_CORRUPT. Errors: ERR_NOTFOUND. */
int volume_read(struct volume *v, const struct oid *oid, enum object_type *ret_type,
	struct buf *ret, struct err *err);
/* The same without recomputing the name, for a caller who compares the SHA-256 of what was read, which is
 * stronger and costs as much: of large blobs the two together would be the most of what opening them costs.
 * */
int volume_read_unnamed(struct volume *v, const struct oid *oid, struct buf *ret, struct err *err);
bool volume_has(struct volume *v, const struct oid *oid);
/* Call after packs were removed or added behind libgit2's back: handles are opened anew. */
void volume_refresh(struct volume *v);

/* A ref, "refs/heads/main" or "refs/heads/content"; zeros when it does not exist. */
int volume_ref(struct volume *v, const char *name, struct oid *ret, struct err *err);
/* True when a volume has a history, without opening it: "refs/heads/main" stands in a file of its own or, where stock
 * git made the folder (a clone, a restored copy), in packed-refs. */
bool volume_has_main(int volumes_dir, uint32_t number);
/* Write <ref>.lock, sync, rename, sync the directory. */
int volume_set_ref(struct volume *v, const char *name, const struct oid *oid, struct err *err);

/* An entry of a tree's content; `name` is a view into it. */
struct tree_entry {
	uint32_t mode; /* 0100644 or 040000 */
	struct str name;
	struct oid oid;
};
/* The next entry of a tree; *rest is cut. Errors: ERR_CORRUPT. Returns 1 when there was one, 0 at
 * the end. */
int tree_next(struct str *rest, struct tree_entry *ret, struct err *err);
/* Find a path ("a/b/c") below a root tree. Errors: ERR_NOTFOUND. */
int volume_find(struct volume *v, const struct oid *root, struct str path, struct tree_entry *ret,
	struct err *err);

#endif
