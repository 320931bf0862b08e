/* extract_numbering.h - the numbers of paragraphs in Word, which stand nowhere in the text: 第十六条, 4.2.3, (a).
 *
 * A paragraph names a list and a level, itself or through its style; the list says how to count and what to write
 * around it. Whoever searches for "第十六条" means what stands on the page. */
#ifndef MUN_SEARCH_EXTRACT_NUMBERING_H
#define MUN_SEARCH_EXTRACT_NUMBERING_H

#include "search/extract_opc.h"

struct numbering;

/* From the parts that the document points to; either may be missing or broken: then there are no numbers. Never
 * NULL. */
struct numbering *numbering_new(
	struct job *j, struct zip *z, const struct opc_relations *relations);
void numbering_free(struct numbering *n);
DEFINE_CLEANUP(struct numbering *, numbering_free)

enum { NUMBERING_NONE = -1 };

/* Count a paragraph and append what stands before it, if anything. list and level as the paragraph says, or
 * NUMBERING_NONE; style: its style, or empty. */
void numbering_next(
	struct numbering *n, struct str style, int64_t list, int64_t level, struct buf *ret);

/* One number in one of Word's formats ("chineseCounting", "lowerRoman" ...); decimal for one that is not known. */
void numbering_format(uint32_t number, const char *format, struct buf *ret);

#endif
