/* internal.h - struct store from the inside, for the files that are its parts: store.c, writer*.c,
 * applier.c, read.c, destroy.c.
 *
 * Who may touch what:
 *   queue, stop, flush_to ...      under `lock`
 *   w (the writer's state)         who set `writing`, once the writer's thread runs
 *   content, packs of volumes      under `packs_lock`
 *   pending, ledger, keys, volumes have locks of their own
 *
 * Destruction holds `whole` for writing from its tombstone until all is taken away, verify holds it for reading: half a
 * destruction looks like a fault. */
#ifndef MUN_STORE_INTERNAL_H
#define MUN_STORE_INTERNAL_H

#include "store/ledger.h"
#include "store/pack.h"
#include "store/pending.h"
#include "store/store.h"
#include "store/tree_cache.h"
#include "store/volume.h"

#define ACCOUNT_SERVER "server"

enum { STORE_MAX_VOLUMES = 10000 };

/* Staged facts of the frame that is being built: what later changes of the same frame must see. */
struct staged {
	struct map heads, numbers, requests; /* -> struct pending_head */
	struct map serials;		     /* map_key(scope) -> last serial + 1, as a pointer */
};

struct writer {
	uint32_t volume;
	struct oid head;
	struct digest previous; /* SHA-256 of the commit at head */
	uint64_t actions, records;
	int64_t last_time;     /* no commit may be dated before it */
	int64_t volume_year;   /* of the first commit of the volume */
	uint64_t volume_bytes; /* in packs and frames, roughly */
	struct tree_cache *trees;
	struct pending_frame *building;
	struct staged staged;
	struct signer *signer;
	struct buf path; /* for one at a time */
};

/* Where the content branch stands. */
struct content {
	uint32_t volume; /* 0: not loaded */
	struct tree_cache *trees;
	uint64_t packs; /* next p */
};

struct store {
	char *path;
	int dir, volumes_dir, incoming_dir, lock_fd;
	struct store_options options;
	struct id archive;
	bool demonstration;

	struct keys *keys;
	struct ledger *ledger;
	struct journal *journal;
	struct pending pending;
	struct secret *requests; /* purpose key */

	pthread_mutex_t volumes_lock;
	struct volume **volumes; /* [number - 1] */
	uint32_t volume_count;	 /* that exist on disk */

	pthread_mutex_t lock;
	pthread_cond_t work, space; /* the writer waits: for changes; for room */
	pthread_cond_t frames;	    /* the applier waits for frames */
	pthread_cond_t applied;	    /* flushers wait for the applier */
	struct change *queue, **queue_last;
	bool unsealed, stopping, failed, applier_stopping, flush_now;
	bool held, writing; /* destruction holds the writer; it is inside a frame */
	int applier_error;  /* the last apply failed: code, text below */
	struct err applier_err;
	uint64_t published_frame, applied_frame;
	uint32_t published_volume;
	struct oid published_head;
	uint64_t published_actions, published_records;
	pthread_t writer_thread, applier_thread;
	bool writer_runs, applier_runs;
	int applier_language; /* of who started it */

	struct writer w;
	/* Who changes packs: the applier while it applies or merges, destruction while it takes
	 * away. */
	pthread_mutex_t packs_lock;
	struct content content;
	pthread_rwlock_t whole;

	store_applied on_applied;
	void *on_applied_context;
};

/* store.c */
int store_volume(struct store *s, uint32_t number, struct volume **ret, struct err *err);
/* Bytes of its packs and indexes. */
int store_volume_bytes(struct store *s, uint32_t number, uint64_t *ret, struct err *err);
/* A volume that the applier is about to fill: made when it does not exist. */
int store_make_volume(struct store *s, uint32_t number, struct volume **ret, struct err *err);

/* Bytes of a pack in a folder; 0 when it is not there. */
uint64_t store_pack_bytes(int dir, const struct oid *name);

/* writer.c */
int writer_start(struct store *s, struct err *err);
void writer_stop(struct store *s);
/* Write the first commit of a volume that follows the present one (none: volume 1), and wait for it
 * to be durable. Before the thread runs. */
int writer_open_first(struct store *s, struct err *err);

/* Accounts stand in commits for ever: opaque ids, never names of people. */
bool writer_is_account(const char *account);
/* Nobody appends and everything is applied, until release. */
int writer_hold(struct store *s, struct err *err);
void writer_release(struct store *s);
/* Another key of the server: its commit, signed by the old one and durable when this returns; the writer signs with the
 * new one from then on. The caller holds the writer. */
struct key_change {
	const struct signer *next;
	const char *account;
	uint32_t uid;
	const struct id *action;
	int64_t time;
};
int writer_change_keys(struct store *s, const struct key_change *change, struct err *err);

/* signers.c */
struct signing_key {
	char signer[COMMIT_ACCOUNT_MAX + 1];
	struct public_key key;
	int64_t after, before; /* times of its enrolment (0: from the beginning) and retirement */
	bool is_retired;
};
/* Every key that ever signed, in the order of enrolment: struct signing_key, appended to `ret`. */
int signers_list(struct store *s, struct buf *ret, struct err *err);

/* rotate.c: finish what a change of the server's key began, before the writer takes its key. */
int rotate_settle(struct store *s, struct err *err);

/* applier.c */
int applier_start(struct store *s, struct err *err);
/* So many bytes are pending that it does not wait for company; s->lock is held. */
bool applier_has_enough(const struct store *s);
/* Finish what is pending, then end. */
void applier_stop(struct store *s);
/* Apply frames now, on this thread: replay at start. */
int applier_replay(struct store *s, uint64_t *ret_frames, struct err *err);
/* Catch the ledger up with the history. */
int applier_follow(struct store *s, bool *ret_rebuilt, struct err *err);
/* Remove packs from incoming/ that nothing adopted. */
int applier_remove_orphans(struct store *s, uint64_t *ret, struct err *err);

/* The content branch: root tree of a volume's (zeros: none yet); its commit of what
 * s->content.trees holds, written into a pack; forget what is in memory of it. */
int content_root(struct store *s, struct volume *v, struct oid *ret, struct err *err);
int content_root_of(struct str commit, uint32_t volume, struct oid *ret, struct err *err);
int content_commit(struct store *s, struct pack_writer *w, struct oid *ret, struct err *err);
void content_forget(struct store *s);

/* read.c: a facts_reader over pending frames and volumes */
struct volume_facts {
	struct store *store;
	uint32_t volume;
};
void read_facts_reader(struct volume_facts *v, struct facts_reader *ret);
/* Every action after a count, in order; non-zero from `each` stops. */
int read_each_action(struct store *s, uint64_t after,
	int (*each)(void *context, struct facts *f, struct err *err), void *context,
	struct err *err);
/* Views into f. */
void event_of_fact(const struct facts *f, size_t i, struct store_event *ret);
/* A file of a volume's main. */
int read_main_file(
	struct store *s, uint32_t volume, struct str path, struct buf *ret, struct err *err);
/* Signed for the server by `server`; NULL: by its purpose key. */
int read_checkpoint(struct store *s, const struct signer *server, struct buf *ret, struct err *err);
int read_object(struct store *s, uint32_t volume, const struct oid *oid, enum object_type *ret_type,
	struct buf *ret, struct err *err);

/* destroy.c */
/* Do again what tombstones began: at every start, before anything is served. */
int destroy_finish_all(struct store *s, uint64_t *ret_finished, struct err *err);

#endif
