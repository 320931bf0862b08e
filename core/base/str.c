/* str.c - see str.h. */
#include "core/base/str.h"
#include "core/base/tr.h"

#include <stdlib.h>

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *text)
{
	return str_eq(a, str_of(text));
}

bool str_starts(struct str a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

bool str_ends(struct str a, const char *suffix)
{
	size_t n = strlen(suffix);

	return a.n >= n && memcmp(a.p + a.n - n, suffix, n) == 0;
}

struct str str_cut(struct str *rest, char sep)
{
	struct str head = *rest;
	const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;

	if (!at) {
		*rest = (struct str){ NULL, 0 };
		return head;
	}
	head.n = (size_t)(at - head.p);
	rest->p = at + 1;
	rest->n -= head.n + 1;
	return head;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str a)
{
	while (a.n > 0 && is_space(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n > 0 && is_space(a.p[a.n - 1]))
		a.n--;
	return a;
}

int str_to_u64(struct str a, uint64_t max, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;

	if (a.n == 0 || (a.n > 1 && a.p[0] == '0'))
		return err_set(err, ERR_INVALID, tr("'%.*s' is not a whole number"), STR_ARG(a));
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] < '0' || a.p[i] > '9')
			return err_set(
				err, ERR_INVALID, tr("'%.*s' is not a whole number"), STR_ARG(a));
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(a.p[i] - '0'), &v) || v > max)
			return err_set(err, ERR_LIMIT, tr("'%.*s' is more than %llu"), STR_ARG(a),
				(unsigned long long)max);
	}
	*ret = v;
	return 0;
}

/* The length of the well-formed character at p, or 0 (Unicode 15, table 3-7). */
static size_t utf8_length(const uint8_t *p, size_t n)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t length;

	if (p[0] == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		length = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (n < length || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* Eight bytes, each from 1 to 127. */
static bool is_plain_ascii(const uint8_t *p)
{
	const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return ((w | (w - ones)) & tops) == 0;
}

bool str_is_utf8(struct str a)
{
	const uint8_t *p = (const uint8_t *)a.p;
	size_t n = a.n;

	while (n > 0) {
		size_t length;

		if (n >= 8 && is_plain_ascii(p)) {
			p += 8;
			n -= 8;
			continue;
		}
		length = utf8_length(p, n);

		if (length == 0)
			return false;
		p += length;
		n -= length;
	}
	return true;
}

char *str_dup(struct str a)
{
	char *copy = xcalloc(1, a.n + 1);

	if (a.n)
		memcpy(copy, a.p, a.n);
	return copy;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

char *xstrdup(const char *text)
{
	return str_dup(str_of(text));
}

void freep(void *p)
{
	free(*(void **)p);
}
