#include "tests/harness.h"

#include "core/base/arena.h"
#include "core/base/map.h"

/* Against a plain array: the same answers after every one of many puts and removals, with keys that
 * crowd. */
START_TEST(agrees_with_an_array)
{
	enum { KEYS = 300, STEPS = 20000 };
	static int values[KEYS];
	void *expected[KEYS] = { NULL };
	struct map m;
	uint32_t seed = 1;

	map_init(&m);
	for (int step = 0; step < STEPS; step++) {
		size_t i;
		struct map_key key = { { 0 } };
		void *value;

		seed = seed * 1664525 + 1013904223;
		i = seed >> 8 & 0x1ff;
		if (i >= KEYS)
			continue;
		value = seed & 0x80000000 ? &values[i] : NULL;
		key.b[4] =
			(uint8_t)i; /* the home looks at the second half only: all keys collide */
		key.b[5] = (uint8_t)(i >> 8);
		key.b[8] = (uint8_t)(i % 3);
		ck_assert_ptr_eq(map_put(&m, &key, value), expected[i]);
		expected[i] = value;
		key.b[8] = (uint8_t)((seed >> 3) % 3);
		if (key.b[8] != i % 3)
			ck_assert_ptr_null(map_get(&m, &key));
	}
	for (size_t i = 0; i < KEYS; i++) {
		struct map_key key = { { 0 } };

		key.b[4] = (uint8_t)i;
		key.b[5] = (uint8_t)(i >> 8);
		key.b[8] = (uint8_t)(i % 3);
		ck_assert_ptr_eq(map_get(&m, &key), expected[i]);
	}
	map_done(&m);
}
END_TEST

START_TEST(arena_pieces_do_not_overlap)
{
	_cleanup_(arena_freep) struct arena *a = arena_new(100);
	char *p[50];

	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		p[i] = arena_take(a, i * 7);
		ck_assert_uint_eq((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, i * 7);
	}
	for (size_t i = 1; i < ARRAY_LEN(p); i++)
		ck_assert_int_eq(p[i][i * 7 - 1], (int)i);
	ck_assert_str_eq(arena_text(a, STR("卷宗")), "卷宗");
}
END_TEST

TESTS("core/base/map", agrees_with_an_array, arena_pieces_do_not_overlap)
