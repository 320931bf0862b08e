/* turns.c - see turns.h. */
#include "core/archive/turns.h"

#include "core/base/str.h"
#include "core/base/tr.h"

#include <pthread.h>
#include <stdlib.h>

/* Where somebody who runs or waits comes from. */
struct place {
	struct place *next;
	unsigned count;
	char *from;
};

struct turns {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	unsigned max_running, max_waiting, max_each, running, waiting;
	struct place *places;
};

struct turns *turns_new(unsigned max_running, unsigned max_waiting, unsigned max_each)
{
	struct turns *t = xcalloc(1, sizeof(*t));

	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->freed, NULL);
	t->max_running = max_running;
	t->max_waiting = max_waiting;
	t->max_each = max_each;
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

static struct place **find_place(struct turns *t, struct str from)
{
	struct place **at = &t->places;

	while (*at && !str_is(from, (*at)->from))
		at = &(*at)->next;
	return at;
}

static void enter_place(struct turns *t, struct str from)
{
	struct place **at = find_place(t, from);

	if (!*at) {
		*at = xcalloc(1, sizeof(**at));
		(*at)->from = str_dup(from);
	}
	(*at)->count++;
}

static void leave_place(struct turns *t, struct str from)
{
	struct place **at = find_place(t, from), *place = *at;

	if (!place || --place->count > 0)
		return;
	*at = place->next;
	free(place->from);
	free(place);
}

static bool is_full(struct turns *t, struct str from)
{
	const struct place *place = from.n > 0 ? *find_place(t, from) : NULL;

	return (t->running >= t->max_running && t->waiting >= t->max_waiting) ||
	       (place && place->count >= t->max_each);
}

int turns_take(struct turns *t, struct str from, struct err *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&t->lock);
	if (is_full(t, from)) {
		r = err_set(err, ERR_BUSY,
			tr("too many passwords are being checked just now; try again in a moment"));
	} else {
		if (from.n > 0)
			enter_place(t, from);
		await_turn(t);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

void turns_give(struct turns *t, struct str from)
{
	(void)pthread_mutex_lock(&t->lock);
	t->running--;
	if (from.n > 0)
		leave_place(t, from);
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
