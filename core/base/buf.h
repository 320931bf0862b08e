/* buf.h - a growing run of bytes with a ceiling.
 *
 * The contract: `p` is never NULL and p[n] is always NUL, so that a buf can be used wherever a C string can.
 * Every buf has a ceiling from birth (BUF_DEFAULT_MAX unless told). A call that would pass the ceiling, or
 * for which memory is out, changes nothing but sets `failed`; calls on a failed buf do nothing. So a builder
 * appends without checks and asks once, at the end, with buf_check(). */
#ifndef MUN_BASE_BUF_H
#define MUN_BASE_BUF_H

#include "core/base/str.h"

#define BUF_DEFAULT_MAX ((size_t)64 << 20)

struct buf {
	char *p;
	size_t n, room, max;
	bool failed;
};

#define BUF_INIT BUF_INIT_MAX(BUF_DEFAULT_MAX)
#define BUF_INIT_MAX(limit) \
	{ \
		.p = buf_empty, .max = (limit) \
	}

extern char buf_empty[1];

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
/* Zero the bytes, then free them: for plaintext that must not linger. */
void buf_wipe(struct buf *b);
/* Length 0, memory kept, `failed` cleared. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *text);
void buf_add_str(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
/* In decimal; for texts that are written by the hundred thousand. */
void buf_add_u64(struct buf *b, uint64_t v);
/* The same with zeros before it, up to `digits` (at most 20). */
void buf_add_padded(struct buf *b, uint64_t v, size_t digits);
void buf_add_be16(struct buf *b, uint16_t v);
void buf_add_be32(struct buf *b, uint32_t v);
void buf_add_be64(struct buf *b, uint64_t v);

/* Room for n more bytes at the end, counted in already; NULL when failed. */
void *buf_extend(struct buf *b, size_t n);
/* Shorten to n bytes. */
void buf_cut(struct buf *b, size_t n);

/* 0, or ERR_LIMIT with the ceiling named. */
int buf_check(const struct buf *b, struct err *err);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

/* The bytes, now the caller's to free(); the buf is empty again. Never NULL. */
char *buf_detach(struct buf *b);

#endif
