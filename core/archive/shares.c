/* shares.c - see shares.h. */
#include "core/archive/shares.h"

#include "core/base/clock.h"
#include "core/base/str.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct shares {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct secret *secret; /* NULL: none waits */
	struct id who;
	int64_t until;	 /* instant, by the clock of the archive */
	int64_t wipe_at; /* ticks, by a clock that nobody sets */
	bool has_thread, ending;
	pthread_t thread;
};

static void forget(struct shares *s)
{
	secret_free(TAKE_PTR(s->secret));
	s->until = 0;
}

static void wait_until(struct shares *s, int64_t ticks)
{
	struct timespec t = { .tv_sec = (time_t)(ticks / 1000000000),
		.tv_nsec = (long)(ticks % 1000000000) };

	(void)pthread_cond_timedwait(&s->changed, &s->lock, &t);
}

static void *watch(void *context)
{
	struct shares *s = context;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		if (!s->secret)
			(void)pthread_cond_wait(&s->changed, &s->lock);
		else if (clock_ticks() < s->wipe_at)
			wait_until(s, s->wipe_at);
		else
			forget(s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct shares *shares_new(void)
{
	struct shares *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return s;
}

void shares_free(struct shares *s)
{
	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	forget(s);
	s->ending = true;
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	if (s->has_thread)
		(void)pthread_join(s->thread, NULL);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

struct secret *shares_take(struct shares *s, const struct id *who, struct id *ret_who)
{
	struct secret *secret = NULL;

	(void)pthread_mutex_lock(&s->lock);
	if (s->secret && clock_now() >= s->until)
		forget(s);
	if (s->secret && !id_equal(who, &s->who)) {
		secret = TAKE_PTR(s->secret);
		*ret_who = s->who;
		s->until = 0;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return secret;
}

int64_t shares_hold(struct shares *s, const struct id *who, struct secret **secret)
{
	int64_t until;

	(void)pthread_mutex_lock(&s->lock);
	forget(s);
	/* Without somebody to wipe it, it does not wait. */
	if (!s->has_thread && pthread_create(&s->thread, NULL, watch, s) == 0)
		s->has_thread = true;
	if (s->has_thread) {
		s->secret = TAKE_PTR(*secret);
		s->who = *who;
		s->until = clock_now() + SHARE_SECONDS;
		s->wipe_at = clock_ticks() + (int64_t)SHARE_SECONDS * 1000000000;
	}
	until = s->until;
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	return until;
}

int64_t shares_until(struct shares *s)
{
	int64_t until;

	(void)pthread_mutex_lock(&s->lock);
	until = s->secret && clock_now() < s->until ? s->until : 0;
	(void)pthread_mutex_unlock(&s->lock);
	return until;
}

void shares_forget(struct shares *s)
{
	(void)pthread_mutex_lock(&s->lock);
	forget(s);
	(void)pthread_mutex_unlock(&s->lock);
}
