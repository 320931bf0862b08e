/* buf.c - see buf.h. */
#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/tr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char buf_empty[1];

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT_MAX(max);
}

void buf_done(struct buf *b)
{
	if (b->p != buf_empty)
		free(b->p);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->p != buf_empty)
		explicit_bzero(b->p, b->room);
	buf_done(b);
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p != buf_empty)
		b->p[0] = '\0';
}

/* Make room for n more bytes and the NUL behind them. */
static bool grow(struct buf *b, size_t n)
{
	size_t need, room;
	char *p;

	if (b->failed)
		return false;
	if (n > b->max || b->n > b->max - n) {
		b->failed = true;
		return false;
	}
	need = b->n + n + 1;
	if (need <= b->room)
		return true;
	room = b->room < 128 ? 256 : b->room * 2;
	if (room < need)
		room = need;
	p = b->p == buf_empty ? malloc(room) : realloc(b->p, room);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->room = room;
	return true;
}

void *buf_extend(struct buf *b, size_t n)
{
	char *at;

	if (!grow(b, n))
		return NULL;
	at = b->p + b->n;
	b->n += n;
	b->p[b->n] = '\0';
	return at;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *at = n ? buf_extend(b, n) : NULL;

	if (at)
		memcpy(at, p, n);
}

void buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_addc(struct buf *b, char c)
{
	char *at = b->n + 1 < b->room && b->n < b->max && !b->failed ? b->p + b->n++
								     : buf_extend(b, 1);

	if (at) {
		at[0] = c;
		at[1] = '\0';
	}
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *at;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	at = buf_extend(b, (size_t)n);
	if (!at)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(at, (size_t)n + 1, fmt, ap);
	va_end(ap);
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	buf_add_padded(b, v, 1);
}

void buf_add_padded(struct buf *b, uint64_t v, size_t digits)
{
	char text[20];
	size_t at = sizeof(text);

	if (digits > sizeof(text))
		digits = sizeof(text);
	while (v || sizeof(text) - at < digits) {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	}
	buf_add(b, text + at, sizeof(text) - at);
}

void buf_add_be16(struct buf *b, uint16_t v)
{
	uint8_t raw[2];

	put_be16(raw, v);
	buf_add(b, raw, sizeof(raw));
}

void buf_add_be32(struct buf *b, uint32_t v)
{
	uint8_t raw[4];

	put_be32(raw, v);
	buf_add(b, raw, sizeof(raw));
}

void buf_add_be64(struct buf *b, uint64_t v)
{
	uint8_t raw[8];

	put_be64(raw, v);
	buf_add(b, raw, sizeof(raw));
}

void buf_cut(struct buf *b, size_t n)
{
	if (n >= b->n)
		return;
	b->n = n;
	b->p[n] = '\0';
}

int buf_check(const struct buf *b, struct err *err)
{
	if (b->failed)
		return err_set(
			err, ERR_LIMIT, tr("more than %zu bytes are not accepted here"), b->max);
	return 0;
}

char *buf_detach(struct buf *b)
{
	char *p = b->p == buf_empty ? xcalloc(1, 1) : b->p;

	buf_init(b, b->max);
	return p;
}
