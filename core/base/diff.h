/* diff.h - what two sequences of texts have in common: the shortest way from one to the other (Myers, "An O(ND)
 * difference algorithm and its variations", 1986), with a ceiling on the work.
 *
 * Pure; any thread. */
#ifndef MUN_BASE_DIFF_H
#define MUN_BASE_DIFF_H

#include "core/base/str.h"

enum {
	DIFF_MAX_ITEMS = 200000, /* of each side */
	/* Items that only one side has, at most: beyond it what stands between the common beginning and the common end
	 * counts as replaced whole. Memory grows with its square (8 MiB), time with it times the length. */
	DIFF_MAX_EDITS = 1000,
};

enum diff_op { DIFF_SAME, DIFF_REMOVED, DIFF_ADDED };

/* `count` items: from `before` on (SAME, REMOVED), from `after` on (SAME, ADDED). */
struct diff_run {
	enum diff_op op;
	size_t before, after, count;
};

/* The runs in order, removed before added where both stand at one place; free() *ret. *ret_exact (may be NULL) is
 * false when the ceiling was met. Errors: ERR_LIMIT. */
int diff_items(const struct str *before, size_t before_count, const struct str *after,
	size_t after_count, size_t max_edits, struct diff_run **ret, size_t *ret_count,
	bool *ret_exact, struct err *err);

#endif
