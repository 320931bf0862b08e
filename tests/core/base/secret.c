#include "tests/harness.h"

#include "core/base/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

START_TEST(keys_are_zero_distinct_and_used_again)
{
	enum { KEYS = 1300 };
	static uint8_t *taken[KEYS];
	_cleanup_(secret_keys_freep) struct secret_keys *k = secret_keys_new();
	uint8_t *first;

	secret_keys_give(k, NULL);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < KEYS; i++) {
			taken[i] = secret_keys_take(k);
			ck_assert(sodium_is_zero(taken[i], KEY_BYTES));
			memset(taken[i], (int)(i % 255) + 1, KEY_BYTES);
		}
		for (size_t i = 0; i < KEYS; i++)
			for (size_t b = 0; b < KEY_BYTES; b++)
				ck_assert_uint_eq(taken[i][b], i % 255 + 1);
		for (size_t i = 0; i < KEYS; i++)
			secret_keys_give(k, taken[i]);
	}
	first = secret_keys_take(k);
	ck_assert(sodium_is_zero(first, KEY_BYTES));
	secret_keys_give(k, first);
	ck_assert_ptr_eq(secret_keys_take(k), first);
	secret_keys_give(k, first);
}
END_TEST

static void *take_and_give(void *context)
{
	struct secret_keys *k = context;

	for (int i = 0; i < 2000; i++) {
		uint8_t *one = secret_keys_take(k), *two = secret_keys_take(k);

		memset(one, 1, KEY_BYTES);
		memset(two, 2, KEY_BYTES);
		ck_assert_uint_eq(one[KEY_BYTES - 1], 1);
		secret_keys_give(k, one);
		ck_assert_uint_eq(two[0], 2);
		secret_keys_give(k, two);
	}
	return NULL;
}

START_TEST(keys_from_several_threads)
{
	_cleanup_(secret_keys_freep) struct secret_keys *k = secret_keys_new();
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, k), 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

TESTS("core/base/secret", keys_are_zero_distinct_and_used_again, keys_from_several_threads)
