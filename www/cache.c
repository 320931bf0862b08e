/* cache.c - see cache.h: as many places as there are slots, each for whatever came last. */
#include "www/cache.h"

#include "core/base/clock.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 512, TAG_ROOM = 80 };

struct slot {
	struct buf key, body; /* empty key: nothing here */
	char tag[TAG_ROOM];
	struct verb_stamp stamp;
	int64_t made; /* clock_ticks */
};

struct cache {
	pthread_mutex_t lock;
	uint8_t salt[crypto_shorthash_KEYBYTES];
	struct slot slots[SLOTS];
};

struct cache *cache_new(void)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	(void)pthread_mutex_init(&c->lock, NULL);
	randombytes_buf(c->salt, sizeof(c->salt));
	for (size_t i = 0; i < SLOTS; i++) {
		buf_init(&c->slots[i].key, 1 << 16);
		buf_init(&c->slots[i].body, CACHE_MAX_BYTES + 1);
	}
	return c;
}

static void slot_clear(struct slot *s)
{
	if (s->key.n == 0)
		return;
	buf_wipe(&s->key);
	buf_wipe(&s->body);
	buf_init(&s->key, 1 << 16);
	buf_init(&s->body, CACHE_MAX_BYTES + 1);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		slot_clear(&c->slots[i]);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct slot *slot_of(struct cache *c, struct str key)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t n;

	(void)crypto_shorthash(hash, (const uint8_t *)key.p, key.n, c->salt);
	memcpy(&n, hash, sizeof(n));
	return &c->slots[n % SLOTS];
}

static bool is_old(const struct slot *s, int64_t now)
{
	return now - s->made > (int64_t)CACHE_MS * 1000000;
}

bool cache_find(struct cache *c, struct str key, const struct verb_stamp *stamp,
	struct buf *ret_body, char *tag, size_t room)
{
	struct slot *s = slot_of(c, key);
	bool found;

	(void)pthread_mutex_lock(&c->lock);
	found = s->key.n > 0 && str_eq(buf_str(&s->key), key) &&
		memcmp(&s->stamp, stamp, sizeof(*stamp)) == 0 && !is_old(s, clock_ticks());
	if (found) {
		buf_add_str(ret_body, buf_str(&s->body));
		(void)snprintf(tag, room, "%s", s->tag);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

void cache_put(struct cache *c, struct str key, const struct verb_stamp *stamp, struct str body,
	struct str tag)
{
	struct slot *s = slot_of(c, key);

	if (body.n > CACHE_MAX_BYTES || tag.n >= TAG_ROOM)
		return;
	(void)pthread_mutex_lock(&c->lock);
	slot_clear(s);
	buf_add_str(&s->key, key);
	buf_add_str(&s->body, body);
	(void)snprintf(s->tag, sizeof(s->tag), "%.*s", STR_ARG(tag));
	s->stamp = *stamp;
	s->made = clock_ticks();
	if (s->key.failed || s->body.failed)
		slot_clear(s);
	(void)pthread_mutex_unlock(&c->lock);
}

void cache_tidy(struct cache *c, bool is_sealed)
{
	int64_t now = clock_ticks();

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		if (is_sealed || is_old(&c->slots[i], now))
			slot_clear(&c->slots[i]);
	}
	(void)pthread_mutex_unlock(&c->lock);
}
