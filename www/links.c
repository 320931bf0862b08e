/* links.c - see links.h. */
#include "www/links.h"

#include "www/listen.h"

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/base/tr.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { SECOND = 1000000000 };

struct link {
	struct links *links;
	int fd;
	char peer[64];
	bool is_local;
	_Atomic int phase;
	_Atomic int64_t since; /* clock_ticks when the phase began */
	_Atomic uint64_t moved;
	struct link *next, **at;
};

struct links {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct link *first;
	unsigned head_seconds;
	void (*beat)(void *context);
	void *beat_context;
	bool ending;
	pthread_t thread;
};

static bool is_too_slow(const struct link *link, int64_t now)
{
	int64_t seconds = (now - atomic_load(&link->since)) / SECOND;

	switch ((enum link_phase)atomic_load(&link->phase)) {
	case LINK_HEAD:
		return seconds > link->links->head_seconds;
	case LINK_BODY:
	case LINK_ANSWER:
		return seconds >
		       LINK_GRACE_SECONDS + (int64_t)(atomic_load(&link->moved) / LINK_RATE);
	case LINK_WORK:
	case LINK_STREAM:
		break;
	}
	return false;
}

static void *watch(void *context)
{
	struct links *l = context;

	(void)pthread_mutex_lock(&l->lock);
	while (!l->ending) {
		int64_t now = clock_ticks();
		struct timespec until;

		for (struct link *link = l->first; link; link = link->next) {
			/* The descriptor is open as long as the link is in the list. */
			if (is_too_slow(link, now))
				(void)shutdown(link->fd, SHUT_RDWR);
		}
		if (l->beat)
			l->beat(l->beat_context);
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		(void)pthread_cond_timedwait(&l->wake, &l->lock, &until);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return NULL;
}

int links_start(unsigned head_seconds, void (*beat)(void *context), void *beat_context,
	struct links **ret, struct err *err)
{
	struct links *l = xcalloc(1, sizeof(*l));
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_cond_init(&l->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	l->head_seconds = head_seconds;
	l->beat = beat;
	l->beat_context = beat_context;
	if (pthread_create(&l->thread, NULL, watch, l) != 0) {
		free(l);
		return err_set(err, ERR_IO, tr("cannot start a thread"));
	}
	*ret = l;
	return 0;
}

void links_stop(struct links *l)
{
	if (!l)
		return;
	(void)pthread_mutex_lock(&l->lock);
	l->ending = true;
	(void)pthread_cond_signal(&l->wake);
	(void)pthread_mutex_unlock(&l->lock);
	(void)pthread_join(l->thread, NULL);
	(void)pthread_cond_destroy(&l->wake);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

struct link *link_add(struct links *l, int fd, const struct sockaddr *peer)
{
	struct link *link = xcalloc(1, sizeof(*link));

	link->links = l;
	link->fd = fd;
	link->is_local = peer_text(peer, link->peer, sizeof(link->peer));
	link_phase(link, LINK_HEAD);
	(void)pthread_mutex_lock(&l->lock);
	link->next = l->first;
	link->at = &l->first;
	if (link->next)
		link->next->at = &link->next;
	l->first = link;
	(void)pthread_mutex_unlock(&l->lock);
	return link;
}

void link_remove(struct link *link)
{
	if (!link)
		return;
	(void)pthread_mutex_lock(&link->links->lock);
	*link->at = link->next;
	if (link->next)
		link->next->at = link->at;
	(void)pthread_mutex_unlock(&link->links->lock);
	free(link);
}

const char *link_peer(const struct link *link, bool *ret_is_local)
{
	*ret_is_local = link->is_local;
	return link->peer;
}

void link_phase(struct link *link, enum link_phase phase)
{
	atomic_store(&link->moved, 0);
	atomic_store(&link->since, clock_ticks());
	atomic_store(&link->phase, (int)phase);
}

void link_moved(struct link *link, uint64_t bytes)
{
	atomic_fetch_add(&link->moved, bytes);
}
