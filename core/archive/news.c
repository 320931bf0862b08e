/* news.c - see news.h. */
#include "core/archive/news.h"

#include "core/archive/inside.h"

#include <stdlib.h>

struct item {
	const char *name;
	char *json;
	size_t n;
};

struct watcher {
	void (*wake)(void *context);
	void *context;
};

struct news {
	pthread_mutex_t lock;
	struct item ring[NEWS_RING]; /* event number i stands at i % NEWS_RING; the first is 1 */
	uint64_t last;
	struct watcher *watchers;
	size_t watcher_count, watcher_room;
};

struct news *news_new(void)
{
	struct news *n = xcalloc(1, sizeof(*n));

	(void)pthread_mutex_init(&n->lock, NULL);
	return n;
}

void news_free(struct news *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < NEWS_RING; i++)
		free(n->ring[i].json);
	free(n->watchers);
	(void)pthread_mutex_destroy(&n->lock);
	free(n);
}

void news_tell(struct news *n, const char *name, struct str members)
{
	_cleanup_(buf_done) struct buf json = BUF_INIT_MAX(NEWS_MAX_BYTES);
	struct item *item;

	buf_addc(&json, '{');
	buf_add_str(&json, members);
	buf_addc(&json, '}');
	if (buf_check(&json, NULL) < 0)
		return;
	(void)pthread_mutex_lock(&n->lock);
	item = &n->ring[++n->last % NEWS_RING];
	free(item->json);
	*item = (struct item){ .name = name, .n = json.n };
	item->json = buf_detach(&json);
	for (size_t i = 0; i < n->watcher_count; i++)
		n->watchers[i].wake(n->watchers[i].context);
	(void)pthread_mutex_unlock(&n->lock);
}

bool news_watch(struct news *n, void (*wake)(void *context), void *context)
{
	bool fits;

	(void)pthread_mutex_lock(&n->lock);
	fits = n->watcher_count < NEWS_WATCHERS;
	if (fits && n->watcher_count == n->watcher_room) {
		n->watcher_room = n->watcher_room ? 2 * n->watcher_room : 16;
		n->watchers = reallocarray(n->watchers, n->watcher_room, sizeof(*n->watchers));
		if (!n->watchers)
			abort();
	}
	if (fits)
		n->watchers[n->watcher_count++] = (struct watcher){ wake, context };
	(void)pthread_mutex_unlock(&n->lock);
	return fits;
}

void news_unwatch(struct news *n, void *context)
{
	(void)pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->watcher_count; i++) {
		if (n->watchers[i].context == context) {
			n->watchers[i] = n->watchers[--n->watcher_count];
			break;
		}
	}
	(void)pthread_mutex_unlock(&n->lock);
}

uint64_t news_last(struct news *n)
{
	uint64_t last;

	(void)pthread_mutex_lock(&n->lock);
	last = n->last;
	(void)pthread_mutex_unlock(&n->lock);
	return last;
}

const char *news_next(struct news *n, uint64_t *at, struct buf *ret)
{
	const char *name = NULL;

	(void)pthread_mutex_lock(&n->lock);
	if (*at < n->last) {
		uint64_t next = *at + 1;
		const struct item *item;

		if (n->last > NEWS_RING && next <= n->last - NEWS_RING)
			next = n->last - NEWS_RING + 1;
		item = &n->ring[next % NEWS_RING];
		buf_add(ret, item->json, item->n);
		name = item->name;
		*at = next;
	}
	(void)pthread_mutex_unlock(&n->lock);
	return name;
}

struct news *archive_news(struct archive *a)
{
	return a->news;
}
