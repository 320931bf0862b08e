/* pattern.h - small regular expressions for definitions: what a field or a number must look like.
 *
 * Literals, `.`, classes [A-Z0-9_] and [^...], \d (an ASCII digit), \ before any sign, groups ( |
 * ), and the repetitions ? * + {n} {n,} {n,m}. Works on characters, not bytes; the whole text must
 * match. Time is bounded by length of text times length of pattern whatever the pattern is, so a
 * definition cannot hang the server. */
#ifndef MUN_MODEL_PATTERN_H
#define MUN_MODEL_PATTERN_H

#include "core/base/str.h"

struct pattern;

/* Errors: ERR_INVALID with the place in the pattern; ERR_LIMIT (256 bytes, 1,000 steps after
 * repetitions). */
int pattern_parse(struct str text, struct pattern **ret, struct err *err);
void pattern_free(struct pattern *pattern);
DEFINE_CLEANUP(struct pattern *, pattern_free)

bool pattern_matches(const struct pattern *pattern, struct str text);

#endif
