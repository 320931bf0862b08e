/* nearest.h - "did you mean": the word of a list that a mistyped one is closest to. */
#ifndef MUN_MAIN_NEAREST_H
#define MUN_MAIN_NEAREST_H

#include <stddef.h>

/* Keep the best candidate so far: start with { .word = typed }. */
struct nearest {
	const char *word, *best;
	size_t distance;
};

void nearest_offer(struct nearest *n, const char *candidate);
/* The best candidate when it is close enough to be meant (a third of its letters), else NULL. */
const char *nearest_take(const struct nearest *n);

#endif
