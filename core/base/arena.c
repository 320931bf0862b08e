/* arena.c - see arena.h. */
#include "core/base/arena.h"

#include <stdlib.h>

struct block {
	struct block *next;
	size_t used, room;
	_Alignas(16) uint8_t p[];
};

enum { FIRST_BYTES = 16 << 10 };

struct arena {
	struct block *blocks;
	size_t next_bytes, block_bytes, taken;
};

struct arena *arena_new(size_t block_bytes)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->block_bytes = block_bytes ? block_bytes : 65536;
	a->next_bytes = a->block_bytes < FIRST_BYTES ? a->block_bytes : FIRST_BYTES;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->blocks) {
		struct block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	free(a);
}

void *arena_take(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	size_t need = (n + 15) & ~(size_t)15, room;
	void *p;

	if (need < n)
		abort();
	if (!b || b->room - b->used < need) {
		room = need > a->next_bytes ? need : a->next_bytes;
		if (a->next_bytes < a->block_bytes)
			a->next_bytes *= 2;
		b = malloc(sizeof(*b) + room);
		if (!b)
			abort();
		b->used = 0;
		b->room = room;
		b->next = a->blocks;
		a->blocks = b;
	}
	p = b->p + b->used;
	b->used += need;
	a->taken += n;
	return p;
}

void *arena_zero(struct arena *a, size_t count, size_t size)
{
	size_t n;
	void *p;

	if (__builtin_mul_overflow(count, size, &n))
		abort();
	p = arena_take(a, n);
	memset(p, 0, n);
	return p;
}

void *arena_copy(struct arena *a, const void *p, size_t n)
{
	void *copy = arena_take(a, n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_text(struct arena *a, struct str s)
{
	char *copy = arena_take(a, s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

size_t arena_bytes(const struct arena *a)
{
	return a->taken;
}
