/* secret.c - see secret.h. */
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/base/tr.h"

#include <errno.h>
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
