/* hints.c - see hints.h. */
#include "core/archive/hints.h"

#include "core/archive/row.h"
#include "core/base/map.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_BYTES = 16 << 20 };

struct kept {
	struct hint hint; /* first: a hint is its kept */
	struct id record;
	struct kept *next, **at; /* of all that are here */
	size_t text_bytes;
	char text[];
};

struct hints {
	pthread_mutex_t lock;
	struct secret_keys *keys;
	struct map by_record;
	struct kept *first;
	size_t bytes;
};

struct hints *hints_new(struct secret_keys *keys)
{
	struct hints *h = xcalloc(1, sizeof(*h));

	(void)pthread_mutex_init(&h->lock, NULL);
	h->keys = keys;
	map_init(&h->by_record);
	return h;
}

static void take_out(struct hints *h, struct kept *k)
{
	(void)map_put(&h->by_record, k->record.b, NULL);
	*k->at = k->next;
	if (k->next)
		k->next->at = k->at;
	h->bytes -= sizeof(*k) + k->text_bytes;
}

void hint_free(struct hints *h, struct hint *hint)
{
	struct kept *k = (struct kept *)hint;

	if (!k)
		return;
	secret_keys_give(h->keys, hint->record_key);
	explicit_bzero(k->text, k->text_bytes);
	free(k);
}

void hints_free(struct hints *h)
{
	if (!h)
		return;
	while (h->first) {
		struct kept *k = h->first;

		take_out(h, k);
		hint_free(h, &k->hint);
	}
	map_done(&h->by_record);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

static struct str copy(struct kept *k, struct str text)
{
	char *at = k->text + k->text_bytes;

	memcpy(at, text.p, text.n);
	k->text_bytes += text.n;
	return (struct str){ at, text.n };
}

static struct kept *make(struct hints *h, const struct manifest *m, const struct id *key,
	const uint8_t record_key[32])
{
	_cleanup_(buf_wipe) struct buf head = BUF_INIT;
	struct kept *k;

	row_say_head(m, &head);
	if (buf_check(&head, NULL) < 0)
		return NULL;
	k = calloc(1, sizeof(*k) + head.n + m->series.n + m->department.n);
	if (!k)
		return NULL;
	k->record = m->record;
	k->hint = (struct hint){ .key = *key, .type = row_type(m), .day = m->day };
	k->hint.series = copy(k, m->series);
	k->hint.department = copy(k, m->department);
	k->hint.head = copy(k, buf_str(&head));
	k->hint.record_key = secret_keys_take(h->keys);
	memcpy(k->hint.record_key, record_key, KEY_BYTES);
	return k;
}

void hints_leave(struct hints *h, const struct manifest *m, const struct id *key,
	const uint8_t record_key[32])
{
	struct kept *k, *before;

	(void)pthread_mutex_lock(&h->lock);
	if (h->bytes > MAX_BYTES) {
		(void)pthread_mutex_unlock(&h->lock);
		return;
	}
	(void)pthread_mutex_unlock(&h->lock);
	k = make(h, m, key, record_key);
	if (!k)
		return;
	(void)pthread_mutex_lock(&h->lock);
	before = map_get(&h->by_record, k->record.b);
	if (before)
		take_out(h, before);
	(void)map_put(&h->by_record, k->record.b, k);
	k->next = h->first;
	k->at = &h->first;
	if (k->next)
		k->next->at = &k->next;
	h->first = k;
	h->bytes += sizeof(*k) + k->text_bytes;
	(void)pthread_mutex_unlock(&h->lock);
	hint_free(h, before ? &before->hint : NULL);
}

struct hint *hints_take(struct hints *h, const struct id *record)
{
	struct kept *k;

	(void)pthread_mutex_lock(&h->lock);
	k = map_get(&h->by_record, record->b);
	if (k)
		take_out(h, k);
	(void)pthread_mutex_unlock(&h->lock);
	return k ? &k->hint : NULL;
}
