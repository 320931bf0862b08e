/* forge.h - what somebody with the disk, and sometimes with the server's key, could do to an archive. For
 * tests of verify. */
#ifndef MUN_TESTS_STORE_FORGE_H
#define MUN_TESTS_STORE_FORGE_H

#include "store/tree_cache.h"
#include "store/volume.h"
#include "tests/store/fixture.h"

/* The volume of a closed archive, its head, and a pack that is being written. */
struct forge {
	const struct fixture *f;
	struct id archive;
	struct keys *keys;
	struct signer *server, *stranger;
	int dir, volumes;
	struct volume *volume;
	struct pack_writer *pack;
	struct tree_cache *trees;
	struct oid head;
	struct slip_blob hung[8]; /* new envelopes, not yet on the content branch */
	size_t hung_count;
	struct commit last; /* of the head; its strings live in `text` */
	struct buf text;
	void *memory;
};

/* Open a closed archive's folder (a copy) at its newest volume. */
void forge_init(struct forge *g, const struct fixture *f, const char *path);
/* Finish the pack, set main to g->head. */
void forge_done(struct forge *g);

/* A blob into the pack and, when path is not NULL, into the tree. */
struct oid forge_blob(
	struct forge *g, struct str content, const char *path, struct digest *ret_sha256);
/* A commit that follows the head as the writer would make it, with the tree as it stands; changed by the
 * caller before. */
struct commit forge_next(struct forge *g, enum commit_act act);
/* Sign it, write it, make it the head. */
void forge_commit(struct forge *g, struct commit *c, const struct signer *signer);
/* The same from finished bytes. */
void forge_raw_commit(struct forge *g, struct str text);
/* The head's text again, and the tree cache at its tree. */
void forge_reload(struct forge *g);

#endif
