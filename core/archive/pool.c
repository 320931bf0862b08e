/* pool.c - see pool.h. */
#include "core/archive/pool.h"

#include "core/base/str.h"

#include <pthread.h>
#include <stdlib.h>

enum { KEPT = 8 };

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;
	size_t out; /* taken, or about to be */
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
	(void)pthread_cond_init(&p->changed, NULL);
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
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

static void came_back(struct pool *p)
{
	p->out--;
	(void)pthread_cond_broadcast(&p->changed);
}

int pool_take(struct pool *p, struct pooled *ret, struct err *err)
{
	struct pooled taken = { .pool = p };
	int r = 0;

	(void)pthread_mutex_lock(&p->lock);
	while (p->held)
		(void)pthread_cond_wait(&p->changed, &p->lock);
	p->out++;
	taken.generation = p->generation;
	if (p->count > 0)
		taken.item = p->kept[--p->count];
	(void)pthread_mutex_unlock(&p->lock);
	if (!taken.item)
		r = p->kind->open(p->context, &taken.item, err);
	if (r < 0) {
		(void)pthread_mutex_lock(&p->lock);
		came_back(p);
		(void)pthread_mutex_unlock(&p->lock);
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
	(void)pthread_mutex_lock(&p->lock);
	came_back(p);
	(void)pthread_mutex_unlock(&p->lock);
	taken->pool = NULL;
}

void pool_hold(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->held = true;
	while (p->out > 0)
		(void)pthread_cond_wait(&p->changed, &p->lock);
	p->generation++;
	close_kept(p);
	(void)pthread_mutex_unlock(&p->lock);
}

void pool_release(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->held = false;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

void pool_renew(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->generation++;
	close_kept(p);
	(void)pthread_mutex_unlock(&p->lock);
}
