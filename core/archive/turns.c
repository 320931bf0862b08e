/* turns.c - see turns.h. */
#include "core/archive/turns.h"

#include "core/base/str.h"
#include "core/base/tr.h"

#include <pthread.h>
#include <stdlib.h>

struct turns {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	unsigned max_running, max_waiting, running, waiting;
};

struct turns *turns_new(unsigned max_running, unsigned max_waiting)
{
	struct turns *t = xcalloc(1, sizeof(*t));

	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->freed, NULL);
	t->max_running = max_running;
	t->max_waiting = max_waiting;
	return t;
}

void turns_free(struct turns *t)
{
	if (!t)
		return;
	(void)pthread_cond_destroy(&t->freed);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

/* The lock is held. */
static void await_turn(struct turns *t)
{
	t->waiting++;
	while (t->running >= t->max_running)
		(void)pthread_cond_wait(&t->freed, &t->lock);
	t->waiting--;
	t->running++;
}

void turns_wait(struct turns *t)
{
	(void)pthread_mutex_lock(&t->lock);
	await_turn(t);
	(void)pthread_mutex_unlock(&t->lock);
}

int turns_take(struct turns *t, struct err *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&t->lock);
	if (t->running >= t->max_running && t->waiting >= t->max_waiting)
		r = err_set(err, ERR_BUSY,
			tr("too many passwords are being checked just now; try again in a moment"));
	else
		await_turn(t);
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

void turns_give(struct turns *t)
{
	(void)pthread_mutex_lock(&t->lock);
	t->running--;
	(void)pthread_cond_signal(&t->freed);
	(void)pthread_mutex_unlock(&t->lock);
}

unsigned turns_running(struct turns *t)
{
	unsigned n;

	(void)pthread_mutex_lock(&t->lock);
	n = t->running;
	(void)pthread_mutex_unlock(&t->lock);
	return n;
}

unsigned turns_waiting(struct turns *t)
{
	unsigned n;

	(void)pthread_mutex_lock(&t->lock);
	n = t->waiting;
	(void)pthread_mutex_unlock(&t->lock);
	return n;
}
