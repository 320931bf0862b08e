/* stem.h - the common stem of an English word's forms (Snowball, "english"): recalls, recalled,
 * recalling: recal. */
#ifndef MUN_SEARCH_STEM_H
#define MUN_SEARCH_STEM_H

#include "core/base/str.h"

/* One thread at a time. */
struct stemmer;

/* NULL when memory is out. */
struct stemmer *stemmer_new(void);
void stemmer_free(struct stemmer *s);
DEFINE_CLEANUP(struct stemmer *, stemmer_free)

/* The stem of a lower-case word; at most `room` bytes are written to out. Returns its length; 0
 * when it has none or it does not fit. */
size_t stemmer_english(struct stemmer *s, struct str word, char *out, size_t room);

#endif
