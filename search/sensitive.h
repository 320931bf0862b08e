/* sensitive.h - phone and identity numbers of people in running text: found, so that they get no
 * words in the index, and masked wherever text is shown.
 *
 * A mobile number of the mainland is 11 digits that begin with 13 to 19, perhaps after +86, perhaps
 * with spaces or hyphens as 3-4-4. An identity number (GB 11643) is 17 digits with a real birth
 * date and a check digit, perhaps with spaces or hyphens as 6-8-4. Full-width digits count as
 * digits. */
#ifndef MUN_SEARCH_SENSITIVE_H
#define MUN_SEARCH_SENSITIVE_H

#include "core/base/buf.h"

/* A folded text in which a digit stands at p: the number of bytes of the sensitive number that
 * begins there, or 0. The caller sees to it that no digit stands before p. *ret_value receives its
 * digits alone (NUL at the end). */
size_t sensitive_match(const char *p, const char *end, char ret_value[19]);

/* Every sensitive number in a text that is not folded, in order: the bytes [start, end) that it takes, and its digits.
 * Errors: ERR_LIMIT. */
typedef void sensitive_found(void *context, size_t start, size_t end, const char *value);
int sensitive_find(struct str text, sensitive_found *found, void *context, struct err *err);

/* Append `text` with sensitive numbers masked: 138****5678, 6101**********1234. Errors: ERR_LIMIT.
 */
int sensitive_mask(struct str text, struct buf *ret, struct err *err);

/* Append one value, as sensitive_match gives it, masked. */
void sensitive_add_masked(const char *value, struct buf *ret);

#endif
