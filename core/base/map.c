/* map.c - see map.h. Open addressing with linear probing; removal shifts followers back, so there
 * are no graves. */
#include "core/base/map.h"

#include <sodium.h>
#include <stdlib.h>

struct map_slot {
	struct map_key key;
	void *value;
};

void map_init(struct map *m)
{
	*m = (struct map){ NULL, 0, 0 };
}

void map_done(struct map *m)
{
	free(m->slots);
	map_init(m);
}

static size_t home(const struct map *m, const struct map_key *key)
{
	uint64_t h;

	memcpy(&h, key->b + 8, sizeof(h)); /* ids of one second begin alike */
	return (size_t)(h * 0x9e3779b97f4a7c15u >> 17) & (m->room - 1);
}

/* The slot that holds the key, or the free one where it would go. */
static size_t find(const struct map *m, const struct map_key *key)
{
	size_t i = home(m, key);

	while (m->slots[i].value && memcmp(&m->slots[i].key, key, sizeof(*key)) != 0)
		i = (i + 1) & (m->room - 1);
	return i;
}

void *map_get(const struct map *m, const void *key16)
{
	struct map_key key;

	if (m->used == 0)
		return NULL;
	memcpy(&key, key16, sizeof(key));
	return m->slots[find(m, &key)].value;
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->room = old.room ? old.room * 2 : 64;
	m->slots = xcalloc(m->room, sizeof(*m->slots));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].value)
			m->slots[find(m, &old.slots[i].key)] = old.slots[i];
	free(old.slots);
}

static void take_out(struct map *m, size_t hole)
{
	size_t i = hole;

	for (;;) {
		size_t want;

		i = (i + 1) & (m->room - 1);
		if (!m->slots[i].value)
			break;
		want = home(m, &m->slots[i].key);
		/* Leave it when its home lies (cyclically) behind the hole and not behind itself.
		 */
		if (((i - want) & (m->room - 1)) < ((i - hole) & (m->room - 1)))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole].value = NULL;
	m->used--;
}

void *map_put(struct map *m, const void *key16, void *value)
{
	struct map_key key;
	void *before;
	size_t i;

	if (value && (m->used + 1) * 4 > m->room * 3)
		grow(m);
	if (m->room == 0)
		return NULL;
	memcpy(&key, key16, sizeof(key));
	i = find(m, &key);
	before = m->slots[i].value;
	if (!value) {
		if (before)
			take_out(m, i);
		return before;
	}
	m->slots[i] = (struct map_slot){ key, value };
	if (!before)
		m->used++;
	return before;
}

struct map_key map_key(const void *p, size_t n)
{
	struct map_key key;

	(void)crypto_generichash(key.b, sizeof(key.b), p, n, NULL, 0);
	return key;
}
