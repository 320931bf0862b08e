/* secret.c - see secret.h. */
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/base/tr.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

void secret_init(void)
{
	if (sodium_init() < 0)
		abort();
}

struct secret *secret_new(size_t n)
{
	struct secret *s = xcalloc(1, sizeof(*s));

	s->p = sodium_malloc(n);
	if (!s->p)
		abort();
	s->n = n;
	sodium_memzero(s->p, n);
	return s;
}

struct secret *secret_random(size_t n)
{
	struct secret *s = secret_new(n);

	randombytes_buf(s->p, n);
	return s;
}

struct secret *secret_copy(const void *p, size_t n)
{
	struct secret *s = secret_new(n);

	memcpy(s->p, p, n);
	return s;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	sodium_free(s->p);
	free(s);
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->n == b->n && sodium_memcmp(a->p, b->p, a->n) == 0;
}

/* ---- many keys ---- */

enum { KEYS_IN_BLOCK = 512 };

/* What is free hangs together through its own bytes: the address of the next stands where a key was. */
struct secret_keys {
	pthread_mutex_t lock;
	uint8_t *first;
	uint8_t **blocks;
	size_t block_count, out;
};

static uint8_t *next_of(const uint8_t *key)
{
	uint8_t *next;

	memcpy(&next, key, sizeof(next));
	return next;
}

static void hang(struct secret_keys *k, uint8_t *key)
{
	memcpy(key, &k->first, sizeof(k->first));
	k->first = key;
}

struct secret_keys *secret_keys_new(void)
{
	struct secret_keys *k = xcalloc(1, sizeof(*k));

	(void)pthread_mutex_init(&k->lock, NULL);
	return k;
}

void secret_keys_free(struct secret_keys *k)
{
	if (!k)
		return;
	assert(k->out == 0);
	for (size_t i = 0; i < k->block_count; i++)
		sodium_free(k->blocks[i]);
	free(k->blocks);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
}

static void add_block(struct secret_keys *k)
{
	uint8_t *block = sodium_allocarray(KEYS_IN_BLOCK, KEY_BYTES);

	k->blocks = reallocarray(k->blocks, k->block_count + 1, sizeof(*k->blocks));
	if (!block || !k->blocks)
		abort();
	k->blocks[k->block_count++] = block;
	for (size_t i = KEYS_IN_BLOCK; i-- > 0;)
		hang(k, block + i * KEY_BYTES);
}

uint8_t *secret_keys_take(struct secret_keys *k)
{
	uint8_t *key;

	(void)pthread_mutex_lock(&k->lock);
	if (!k->first)
		add_block(k);
	key = k->first;
	k->first = next_of(key);
	k->out++;
	(void)pthread_mutex_unlock(&k->lock);
	memset(key, 0, KEY_BYTES);
	return key;
}

void secret_keys_give(struct secret_keys *k, uint8_t *key)
{
	if (!key)
		return;
	sodium_memzero(key, KEY_BYTES);
	(void)pthread_mutex_lock(&k->lock);
	hang(k, key);
	k->out--;
	(void)pthread_mutex_unlock(&k->lock);
}

int secret_read_fd(int fd, size_t max_bytes, struct secret **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *room = secret_new(max_bytes + 1);
	size_t n = 0;

	while (n <= max_bytes) {
		ssize_t got = read(fd, room->p + n, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, tr("cannot read a passphrase"));
		if (got == 0 || room->p[n] == '\n')
			break;
		n++;
	}
	if (n > 0 && room->p[n - 1] == '\r')
		n--;
	if (n > max_bytes)
		return err_set(err, ERR_LIMIT, tr("a passphrase has at most %zu bytes"), max_bytes);
	if (n == 0)
		return err_set(err, ERR_INVALID, tr("the passphrase is empty"));
	*ret = secret_copy(room->p, n);
	return 0;
}
