/* fold.h - one spelling for what people take to be the same: NFKC, case, widths, dashes and
 * quotation marks.
 *
 * Text is folded before it is indexed, and again before it is queried, by this code alone: Ａ, A
 * and a are one, ﬁ is fi, Ⅲ is iii, a voiced half-width kana is one kana, every dash is '-', “ and
 * ” are '"', every space is ' '. What is not UTF-8 becomes a space. Folded text is for finding,
 * never for showing, so each of its bytes knows where it came from. */
#ifndef MUN_SEARCH_FOLD_H
#define MUN_SEARCH_FOLD_H

#include "core/base/buf.h"

/* A fold may be used again and again; its memory is kept. Plaintext: wiped when done. */
struct fold {
	struct buf text;
	/* at[i] is the offset in the source of the character from which byte i of `text` came;
	 * at[text.n] is the length of the source. */
	uint32_t *at;
	size_t at_room;
};

enum { FOLD_SOURCE_MAX = 8 << 20 };

void fold_init(struct fold *f);
void fold_done(struct fold *f);
/* Fold a text; what the fold held before is gone. Errors: ERR_LIMIT (more than FOLD_SOURCE_MAX, or
 * no memory). */
int fold_text(struct fold *f, struct str source, struct err *err);

/* The character at p < end of well-formed UTF-8, and its length. */
static inline uint32_t utf8_at(const char *p, size_t *ret_n)
{
	const uint8_t *u = (const uint8_t *)p;

	if (u[0] < 0x80) {
		*ret_n = 1;
		return u[0];
	}
	if (u[0] < 0xe0) {
		*ret_n = 2;
		return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
	}
	if (u[0] < 0xf0) {
		*ret_n = 3;
		return (u[0] & 0xfu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
	}
	*ret_n = 4;
	return (u[0] & 7u) << 18 | (u[1] & 0x3fu) << 12 | (u[2] & 0x3fu) << 6 | (u[3] & 0x3fu);
}

#endif
