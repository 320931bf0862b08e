/* problem.h - what is answered when something failed: application/problem+json (RFC 9457).
 *
 *	{"type":"about:blank","title":"Not Found","status":404,"code":"notfound","detail":"<a sentence>", ...}
 *
 * `code` is err_word() and never changes its meaning, `detail` is for people, in their language. What a
 * verb said beside its error (`field`, `rule`, both versions of a conflict) stands there as further
 * members. */
#ifndef MUN_WWW_PROBLEM_H
#define MUN_WWW_PROBLEM_H

#include "www/exchange.h"

/* The status that goes with an error; code may be negative. */
unsigned problem_status(int code);
/* "Not Found" ... */
const char *problem_title(unsigned status);
/* Replace the reply. `status` 0: by the error's code. `members` (JSON members without braces) go behind the others. */
void problem_say(struct exchange *x, unsigned status, const struct err *err, struct str members);

#endif
