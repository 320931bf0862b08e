/* tree_cache.h - the trees of a branch, kept in memory where they are being written.
 *
 * libgit2's tree builder costs 0.2 ms and more a commit; this cache loads a directory once,
 * remembers which ones changed, and writes only those. A directory of records (their own folders)
 * is forgotten as soon as it is written, so memory follows the number of places that are being
 * filed into, not the number of records. One thread. */
#ifndef MUN_STORE_TREE_CACHE_H
#define MUN_STORE_TREE_CACHE_H

#include "store/object.h"

struct tree_cache;

/* Reads a tree's content, appended to `ret`. */
typedef int (*tree_load)(void *context, const struct oid *oid, struct buf *ret, struct err *err);
/* Takes a new tree's content; the bytes are borrowed for the call. */
typedef int (*tree_emit)(void *context, const struct oid *oid, struct str content, struct err *err);

struct tree_cache *tree_cache_new(tree_load load, void *context);
void tree_cache_free(struct tree_cache *c);
DEFINE_CLEANUP(struct tree_cache *, tree_cache_free)

/* Forget everything and begin at this root (zeros: an empty one). */
void tree_cache_reset(struct tree_cache *c, const struct oid *root);

/* Add a file, or a whole directory that was written already, at a path like "a/b/c". Directories on
 * the way are made. Errors: ERR_EXISTS (nothing is ever replaced), ERR_CORRUPT, ERR_INVALID (the
 * path). */
int tree_cache_add_file(
	struct tree_cache *c, struct str path, const struct oid *blob, struct err *err);
int tree_cache_add_tree(
	struct tree_cache *c, struct str path, const struct oid *tree, struct err *err);
/* Take an entry out; directories that become empty go too. Errors: ERR_NOTFOUND. */
int tree_cache_remove(struct tree_cache *c, struct str path, struct err *err);

/* Write what changed, children first, and give the root's name. */
int tree_cache_write(
	struct tree_cache *c, tree_emit emit, void *context, struct oid *ret_root, struct err *err);

/* One tree of files, out of names (sorted by bytes) and blobs. */
struct tree_file {
	struct str name;
	struct oid oid;
};
void tree_of_files(const struct tree_file *files, size_t count, struct buf *ret);

#endif
