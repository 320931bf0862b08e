/* feed.c - see feed.h. */
#include "core/archive/feed.h"

#include "core/base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* One pushed action: its events and their strings in one block. */
struct parcel {
	struct parcel *next;
	size_t count, bytes;
	struct store_event events[];
};

struct feed {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t max_bytes, bytes, count;
	bool with_manifests, behind, stopped;
	struct parcel *first, **last;
	uint64_t position;
};

struct feed *feed_new(size_t max_bytes, bool with_manifests)
{
	struct feed *f = xcalloc(1, sizeof(*f));
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	f->max_bytes = max_bytes;
	f->with_manifests = with_manifests;
	f->behind = true;
	f->last = &f->first;
	return f;
}

static void drop_all(struct feed *f)
{
	while (f->first) {
		struct parcel *p = f->first;

		f->first = p->next;
		free(p);
	}
	f->last = &f->first;
	f->bytes = f->count = 0;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	drop_all(f);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- copies ---- */

static size_t strings_of(const struct store_event *e, bool with_manifest)
{
	return e->account.n + e->number.n + e->folder.n +
	       (with_manifest ? e->manifest_sealed.n : 0);
}

static void copy_str(struct str *s, char **at)
{
	memcpy(*at, s->p ? s->p : "", s->n);
	s->p = *at;
	*at += s->n;
}

/* Copy events into `to`, their strings from `at` on; returns the end of the strings. */
static char *copy_events(struct store_event *to, const struct store_event *from, size_t count,
	bool with_manifests, char *at)
{
	for (size_t i = 0; i < count; i++) {
		to[i] = from[i];
		copy_str(&to[i].account, &at);
		copy_str(&to[i].number, &at);
		copy_str(&to[i].folder, &at);
		if (with_manifests)
			copy_str(&to[i].manifest_sealed, &at);
		else
			to[i].manifest_sealed = (struct str){ NULL, 0 };
	}
	return at;
}

static struct parcel *wrap(const struct store_event *events, size_t count, bool with_manifests)
{
	size_t bytes = sizeof(struct parcel) + count * sizeof(*events);
	struct parcel *p;

	for (size_t i = 0; i < count; i++)
		bytes += strings_of(&events[i], with_manifests);
	p = malloc(bytes);
	if (!p)
		return NULL;
	p->next = NULL;
	p->count = count;
	p->bytes = bytes;
	(void)copy_events(p->events, events, count, with_manifests, (char *)(p->events + count));
	return p;
}

void feed_push(struct feed *f, const struct store_event *events, size_t count)
{
	struct parcel *p = count ? wrap(events, count, f->with_manifests) : NULL;

	if (count == 0)
		return;
	(void)pthread_mutex_lock(&f->lock);
	if (!p || f->bytes + p->bytes > f->max_bytes) {
		drop_all(f);
		f->behind = true;
		free(p);
	} else {
		*f->last = p;
		f->last = &p->next;
		f->bytes += p->bytes;
		f->count += count;
	}
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

/* ---- taking ---- */

static void absolute(int64_t ticks, struct timespec *ret)
{
	ret->tv_sec = ticks / 1000000000;
	ret->tv_nsec = ticks % 1000000000;
}

/* The first parcels with at most `most` events, but at least one parcel, as one block. */
static void take_parcels(struct feed *f, size_t most, struct feed_batch *ret)
{
	struct parcel *end = f->first;
	size_t count = 0, strings = 0;
	struct store_event *to;
	char *at;

	for (; end && (count == 0 || count + end->count <= most); end = end->next) {
		count += end->count;
		strings += end->bytes - sizeof(*end) - end->count * sizeof(*to);
	}
	ret->memory = xcalloc(1, count * sizeof(*to) + strings + 1);
	ret->events = to = ret->memory;
	ret->count = count;
	at = (char *)(to + count);
	while (f->first != end) {
		struct parcel *p = f->first;

		at = copy_events(to, p->events, p->count, f->with_manifests, at);
		to += p->count;
		f->first = p->next;
		f->bytes -= p->bytes;
		f->count -= p->count;
		free(p);
	}
	if (!f->first)
		f->last = &f->first;
}

enum feed_news feed_take(struct feed *f, size_t most, int timeout_ms, struct feed_batch *ret)
{
	int64_t deadline = clock_ticks() + (int64_t)timeout_ms * 1000000;
	enum feed_news news = FEED_TIMEOUT;
	struct timespec until;

	*ret = (struct feed_batch){ 0 };
	absolute(deadline, &until);
	(void)pthread_mutex_lock(&f->lock);
	while (!f->stopped && !f->behind && !f->first) {
		int e = timeout_ms < 0 ? pthread_cond_wait(&f->changed, &f->lock)
				       : pthread_cond_timedwait(&f->changed, &f->lock, &until);

		if (e != 0)
			break;
	}
	if (f->stopped) {
		news = FEED_STOP;
	} else if (f->behind) {
		f->behind = false;
		drop_all(f);
		news = FEED_BEHIND;
	} else if (f->first) {
		take_parcels(f, most, ret);
		news = FEED_EVENTS;
	}
	(void)pthread_mutex_unlock(&f->lock);
	return news;
}

void feed_batch_done(struct feed_batch *b)
{
	free(b->memory);
	*b = (struct feed_batch){ 0 };
}

static void set_flag(struct feed *f, bool *flag)
{
	(void)pthread_mutex_lock(&f->lock);
	*flag = true;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

void feed_stop(struct feed *f)
{
	set_flag(f, &f->stopped);
}

void feed_set_behind(struct feed *f)
{
	set_flag(f, &f->behind);
}

bool feed_is_stopped(struct feed *f)
{
	bool stopped;

	(void)pthread_mutex_lock(&f->lock);
	stopped = f->stopped;
	(void)pthread_mutex_unlock(&f->lock);
	return stopped;
}

/* ---- how far ---- */

void feed_reached(struct feed *f, uint64_t actions)
{
	(void)pthread_mutex_lock(&f->lock);
	f->position = actions;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

uint64_t feed_position(struct feed *f)
{
	uint64_t position;

	(void)pthread_mutex_lock(&f->lock);
	position = f->position;
	(void)pthread_mutex_unlock(&f->lock);
	return position;
}

bool feed_wait(struct feed *f, uint64_t actions, int64_t deadline, const _Atomic bool *give_up)
{
	bool reached;

	(void)pthread_mutex_lock(&f->lock);
	while (f->position < actions && !f->stopped && !(give_up && atomic_load(give_up))) {
		int64_t now = clock_ticks(), step = now + 100000000;
		struct timespec until;

		if (now >= deadline)
			break;
		absolute(step < deadline ? step : deadline, &until);
		(void)pthread_cond_timedwait(&f->changed, &f->lock, &until);
	}
	reached = f->position >= actions;
	(void)pthread_mutex_unlock(&f->lock);
	return reached;
}
