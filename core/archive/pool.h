/* pool.h - connections that one thread uses at a time (registry, full-text readers), kept open between uses.
 *
 * Any thread may take; who took gives back. When the files behind them are replaced, pool_renew makes every
 * connection of before be closed as it comes back. */
#ifndef MUN_ARCHIVE_POOL_H
#define MUN_ARCHIVE_POOL_H

#include "core/base/err.h"

struct pool;

struct pool_kind {
	int (*open)(void *context, void **ret, struct err *err);
	void (*close)(void *item);
};

struct pool *pool_new(const struct pool_kind *kind, void *context);
/* Everything must have been given back. */
void pool_free(struct pool *p);
DEFINE_CLEANUP(struct pool *, pool_free)

struct pooled {
	struct pool *pool;
	void *item;
	uint64_t generation;
};

int pool_take(struct pool *p, struct pooled *ret, struct err *err);
/* A zeroed one is fine; for _cleanup_. */
void pool_give(struct pooled *p);
void pool_renew(struct pool *p);

/* Wait until everything was given back, close it all, and let nobody take until pool_release: while the
 * files are replaced. Who holds one must not wait for another, or for whoever calls this. */
void pool_hold(struct pool *p);
void pool_release(struct pool *p);

#endif
