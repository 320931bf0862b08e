/* feed.h - events of the store on their way to a follower (recorder, indexer).
 *
 * The store tells of each action when it is in packs; a follower works slower, on a thread of its own.
 * Between them stands this queue, with a ceiling on its memory. When it is full, what comes is dropped and
 * the follower is told to walk the history from its own watermark instead: so a feed never makes the store
 * wait, never grows, and nothing is lost. That is also how a follower begins: it is behind until it has
 * walked once.
 *
 * Threads: the store's applier pushes, one follower takes, anybody may wait. */
#ifndef MUN_ARCHIVE_FEED_H
#define MUN_ARCHIVE_FEED_H

#include "store/store.h"

enum { FEED_DEFAULT_BYTES = 16 << 20 };

struct feed;

/* `with_manifests`: copy the sealed manifests, too. */
struct feed *feed_new(size_t max_bytes, bool with_manifests);
void feed_free(struct feed *f);
DEFINE_CLEANUP(struct feed *, feed_free)

void feed_push(struct feed *f, const struct store_event *events, size_t count);

/* Copies that belong to the taker: one block of memory. */
struct feed_batch {
	struct store_event *events;
	size_t count;
	void *memory;
};
void feed_batch_done(struct feed_batch *b);

enum feed_news { FEED_STOP, FEED_BEHIND, FEED_EVENTS, FEED_TIMEOUT };

/* Wait up to timeout_ms (-1: for ever) for news. FEED_BEHIND: walk the store from the watermark (what is
 * pushed from now on is kept, and may be seen twice). FEED_EVENTS: at most `most` events, but whole
 * actions. */
enum feed_news feed_take(struct feed *f, size_t most, int timeout_ms, struct feed_batch *ret);
/* From now on every feed_take gives FEED_STOP. */
void feed_stop(struct feed *f);
bool feed_is_stopped(struct feed *f);
/* Make the follower walk again. */
void feed_set_behind(struct feed *f);

/* The follower says how far it is; others wait until it is that far. */
void feed_reached(struct feed *f, uint64_t actions);
uint64_t feed_position(struct feed *f);
/* Until the follower has reached `actions`, or clock_ticks() passes `deadline`, or *give_up (may be NULL)
 * becomes true. False: not reached. */
bool feed_wait(struct feed *f, uint64_t actions, int64_t deadline, const _Atomic bool *give_up);

#endif
