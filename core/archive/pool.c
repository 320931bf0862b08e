/* pool.c - see pool.h. */
#include "core/archive/pool.h"

#include "core/base/str.h"

#include <pthread.h>
#include <stdlib.h>

enum { KEPT = 8 };

struct pool {
	pthread_mutex_t lock;
	const struct pool_kind *kind;
	void *context;
	uint64_t generation;
	void *kept[KEPT];
	size_t count;
};

struct pool *pool_new(const struct pool_kind *kind, void *context)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	(void)pthread_mutex_init(&p->lock, NULL);
	p->kind = kind;
	p->context = context;
	return p;
}

static void close_kept(struct pool *p)
{
	while (p->count > 0)
		p->kind->close(p->kept[--p->count]);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	close_kept(p);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

int pool_take(struct pool *p, struct pooled *ret, struct err *err)
{
	struct pooled taken = { .pool = p };
	int r;

	(void)pthread_mutex_lock(&p->lock);
	taken.generation = p->generation;
	if (p->count > 0)
		taken.item = p->kept[--p->count];
	(void)pthread_mutex_unlock(&p->lock);
	if (!taken.item) {
		r = p->kind->open(p->context, &taken.item, err);
		if (r < 0)
			return r;
	}
	*ret = taken;
	return 0;
}

void pool_give(struct pooled *taken)
{
	struct pool *p = taken->pool;
	bool keep;

	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	keep = taken->generation == p->generation && p->count < KEPT;
	if (keep)
		p->kept[p->count++] = taken->item;
	(void)pthread_mutex_unlock(&p->lock);
	if (!keep)
		p->kind->close(taken->item);
	taken->pool = NULL;
}

void pool_renew(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->generation++;
	close_kept(p);
	(void)pthread_mutex_unlock(&p->lock);
}
