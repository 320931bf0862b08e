/* bench.h - what the bench programs share: numbers with a seed, time, medians, a table of ratios.
 *
 * A bench measures both sides in the same minute, in turn, and prints the ratio of medians; it
 * asserts nothing about time. */
#ifndef MUN_TESTS_BENCH_H
#define MUN_TESTS_BENCH_H

#include "core/base/buf.h"

/* xorshift: the same numbers for the same seed. */
uint64_t bench_random(uint64_t *seed);
/* n bytes of text that looks like a record: Chinese sentences and numbers. */
void bench_text(uint64_t *seed, size_t n, struct buf *ret);

double bench_now(void);	      /* seconds, monotone */
double bench_cpu(void);	      /* seconds of this process, all threads */
double bench_child_cpu(void); /* of all children that ended */
double bench_median(double *values, size_t count);

/* "what   ours   theirs   ratio   bar   ok/MISSED": ratio must be at least (or, with at_most, at
 * most) the bar. */
void bench_head(void);
void bench_row(const char *what, const char *unit, double ours, double theirs, double ratio,
	double bar, bool at_most);
/* A line without a bar. */
void bench_note(const char *what, const char *unit, double ours, double theirs, double ratio);

/* A folder below $TMPDIR (default /tmp); bench_remove takes it away. */
char *bench_folder(void);
void bench_remove(const char *path);

#endif
