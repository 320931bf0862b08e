/* fold.c - folding, with a fast lane.
 *
 * utf8proc knows everything and is slow. Nearly all bytes of an archive are ASCII or unified Han,
 * which fold to themselves (letters to lower case) whatever stands around them, provided that no
 * combining mark follows. So those are copied, full-width ASCII is shifted, and only the rest goes
 * through utf8proc, in clusters of a character and its marks. */
#include "search/fold.h"

#include "core/base/tr.h"

#include <stdlib.h>

#include <utf8proc.h>

/* Source characters in one cluster; marks beyond begin a new one. One character decomposes into 18
 * at most. */
enum { CLUSTER_MAX = 16, CLUSTER_ROOM = CLUSTER_MAX * 18 };

void fold_init(struct fold *f)
{
	*f = (struct fold){ .at = NULL };
	/* Three bytes can become 33 (U+FDFA); honest text hardly grows. */
	buf_init(&f->text, (size_t)4 * FOLD_SOURCE_MAX);
}

void fold_done(struct fold *f)
{
	buf_wipe(&f->text);
	free(f->at);
	f->at = NULL;
	f->at_room = 0;
}

static bool grow_map(struct fold *f, size_t n)
{
	size_t room = f->at_room;
	uint32_t *at;

	if (n <= room)
		return true;
	while (room < n)
		room = room ? room * 2 : 4096;
	at = reallocarray(f->at, room, sizeof(*at));
	if (!at)
		return false;
	f->at = at;
	f->at_room = room;
	return true;
}

static void put(struct fold *f, const char *p, size_t n, size_t at)
{
	size_t before = f->text.n;

	if (!grow_map(f, before + n + 1)) {
		f->text.failed = true;
		return;
	}
	buf_add(&f->text, p, n);
	if (f->text.failed)
		return;
	for (size_t i = 0; i < n; i++)
		f->at[before + i] = (uint32_t)at;
}

/* The character at the head of [p, p + n), strictly; 0 with *ret_n = 1 where the bytes are none. */
static uint32_t decode(const char *p, size_t n, size_t *ret_n)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t used = utf8proc_iterate((const uint8_t *)p, (utf8proc_ssize_t)n, &c);

	if (used <= 0 || c == 0) {
		*ret_n = 1;
		return 0;
	}
	*ret_n = (size_t)used;
	return (uint32_t)c;
}

/* True when the bytes at p cannot be a mark that changes the ASCII or Han character before them. */
static bool is_harmless(const uint8_t *p, size_t n)
{
	if (n == 0 || p[0] < 0x80 || (p[0] >= 0xe4 && p[0] <= 0xe9))
		return true;
	if (n < 3)
		return false;
	if (p[0] == 0xe3) /* punctuation up to U+3029 */
		return p[1] == 0x80 && p[2] < 0xaa;
	return p[0] == 0xef && (p[1] == 0xbc || p[1] == 0xbd);
}

static bool is_mark(uint32_t c)
{
	if (c < 0x300)
		return false;
	if (c == 0xff9e || c == 0xff9f || (c >= 0x1160 && c <= 0x11ff))
		return true;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		return true;
	default:
		return false;
	}
}

/* What people take to be the same though Unicode does not. */
static uint32_t unify(uint32_t c)
{
	if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
		return '-';
	switch (c) {
	case 0x2018: /* ‘ */
	case 0x2019: /* ’ */
		return '\'';
	case 0x201c: /* “ */
	case 0x201d: /* ” */
		return '"';
	case 0x85:
	case 0x2028:
	case 0x2029:
		return '\n';
	case 0x301c: /* 〜 */
		return '~';
	default:
		return c;
	}
}

/* A cluster of n bytes that the fast lane does not know. */
static void put_cluster(struct fold *f, const char *p, size_t n, size_t at)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE |
					  UTF8PROC_IGNORE | UTF8PROC_CASEFOLD;
	utf8proc_int32_t c[CLUSTER_ROOM];
	utf8proc_ssize_t count;

	count = utf8proc_decompose(
		(const uint8_t *)p, (utf8proc_ssize_t)n, c, CLUSTER_ROOM, options);
	if (count < 0 || count > CLUSTER_ROOM)
		return;
	count = utf8proc_normalize_utf32(c, count, options);
	for (utf8proc_ssize_t i = 0; i < count; i++) {
		uint8_t bytes[4];
		utf8proc_ssize_t used;

		used = utf8proc_encode_char((utf8proc_int32_t)unify((uint32_t)c[i]), bytes);
		put(f, (const char *)bytes, (size_t)used, at);
	}
}

/* Bytes of the cluster that begins at p: a character of `first` bytes and the marks behind it. */
static size_t cluster_length(const char *p, size_t n, size_t first)
{
	size_t length = first;

	for (int i = 1; i < CLUSTER_MAX && length < n; i++) {
		size_t used;

		if ((uint8_t)p[length] < 0x80 || !is_mark(decode(p + length, n - length, &used)))
			break;
		length += used;
	}
	return length;
}

/* Fold what stands at p and say how many bytes of source that were. */
static size_t fold_one(struct fold *f, const char *p, size_t n, size_t at)
{
	const uint8_t *u = (const uint8_t *)p;
	size_t used, length;
	char c;

	if (u[0] < 0x80 && is_harmless(u + 1, n - 1)) {
		c = p[0];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		put(f, c ? &c : " ", 1, at);
		return 1;
	}
	if (decode(p, n, &used) == 0) {
		put(f, " ", 1, at);
		return 1;
	}
	/* 4E00 to 9FFF */
	if (u[0] >= 0xe4 && u[0] <= 0xe9 && (u[0] > 0xe4 || u[1] >= 0xb8) &&
		is_harmless(u + used, n - used)) {
		put(f, p, used, at);
		return used;
	}
	length = cluster_length(p, n, used);
	put_cluster(f, p, length, at);
	return length;
}

int fold_text(struct fold *f, struct str source, struct err *err)
{
	buf_reset(&f->text);
	if (source.n > FOLD_SOURCE_MAX)
		return err_set(err, ERR_LIMIT, tr("more than %zu bytes of text at once"),
			(size_t)FOLD_SOURCE_MAX);
	for (size_t i = 0; i < source.n && !f->text.failed;)
		i += fold_one(f, source.p + i, source.n - i, i);
	if (!f->text.failed && !grow_map(f, f->text.n + 1))
		f->text.failed = true;
	if (f->text.failed)
		return err_set(err, ERR_LIMIT, tr("out of memory for text"));
	f->at[f->text.n] = (uint32_t)source.n;
	return 0;
}
