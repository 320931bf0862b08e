/* The way from one sequence to the other: it leads there, is the shortest, and is bounded. */
#include "tests/harness.h"

#include "core/base/diff.h"

#include <stdio.h>
#include <stdlib.h>

enum { ITEMS_MAX = 4000 };

/* One item for each character. */
static size_t split(const char *text, struct str *items)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		items[i] = (struct str){ text + i, 1 };
	return n;
}

/* "=abc-d+e": what to keep, to take away, to add; checked to lead from a to b. */
static const char *walk(const char *a, const char *b, size_t max, bool *ret_exact)
{
	static struct str before[ITEMS_MAX], after[ITEMS_MAX];
	static char out[3 * ITEMS_MAX];
	size_t n = split(a, before), m = split(b, after), count, x = 0, y = 0, at = 0;
	struct diff_run *runs;
	struct err err = ERR_INIT;

	ck_ok(diff_items(before, n, after, m, max, &runs, &count, ret_exact, &err), err);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(runs[i].before, x);
		ck_assert_uint_eq(runs[i].after, y);
		ck_assert_uint_gt(runs[i].count, 0);
		out[at++] = "=-+"[runs[i].op];
		for (size_t k = 0; k < runs[i].count; k++) {
			out[at++] = runs[i].op == DIFF_ADDED ? b[y] : a[x];
			if (runs[i].op == DIFF_SAME)
				ck_assert_int_eq(a[x], b[y]);
			x += runs[i].op != DIFF_ADDED;
			y += runs[i].op != DIFF_REMOVED;
		}
	}
	ck_assert_uint_eq(x, n);
	ck_assert_uint_eq(y, m);
	out[at] = '\0';
	free(runs);
	return out;
}

START_TEST(the_way_is_the_shortest)
{
	static const struct {
		const char *a, *b, *way;
	} rows[] = { { "", "", "" }, { "abc", "abc", "=abc" }, { "", "abc", "+abc" },
		{ "abc", "", "-abc" }, { "abc", "abd", "=ab-c+d" }, { "abc", "xbc", "-a+x=bc" },
		{ "abcd", "acd", "=a-b=cd" }, { "acd", "abcd", "=a+b=cd" },
		{ "abc", "xyz", "-abc+xyz" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_str_eq(walk(rows[i].a, rows[i].b, 1000, NULL), rows[i].way);
}
END_TEST

/* Length of the longest common subsequence, by the table that needs no thought. */
static size_t common(const char *a, const char *b)
{
	static size_t table[64][64];
	size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0)
				table[i][j] = 0;
			else if (a[i - 1] == b[j - 1])
				table[i][j] = table[i - 1][j - 1] + 1;
			else
				table[i][j] = table[i - 1][j] > table[i][j - 1] ? table[i - 1][j]
										: table[i][j - 1];
		}
	}
	return table[n][m];
}

START_TEST(any_two_sequences)
{
	uint32_t luck = 1;

	for (int round = 0; round < 5000; round++) {
		char a[40], b[40];
		size_t lengths[2], edits = 0;
		const char *way;

		for (int side = 0; side < 2; side++) {
			char *p = side ? b : a;

			luck = luck * 1664525U + 1013904223U;
			lengths[side] = luck >> 27;
			for (size_t i = 0; i < lengths[side]; i++) {
				luck = luck * 1664525U + 1013904223U;
				p[i] = (char)('a' + (luck >> 24) % 4);
			}
			p[lengths[side]] = '\0';
		}
		way = walk(a, b, 1000, NULL);
		for (const char *c = way, *op = way; *c; c++) {
			if (strchr("=-+", *c))
				op = c;
			else
				edits += *op != '=';
		}
		ck_assert_msg(
			edits == lengths[0] + lengths[1] - 2 * common(a, b), "%s %s %s", a, b, way);
	}
}
END_TEST

START_TEST(the_ceiling_holds)
{
	bool exact = true;

	ck_assert_str_eq(walk("xabcdefy", "xghijkly", 11, &exact), "=x-abcdef+ghijkl=y");
	ck_assert(!exact);
	ck_assert_str_eq(walk("xabcdefy", "xghijkly", 12, &exact), "=x-abcdef+ghijkl=y");
	ck_assert(exact);
}
END_TEST

START_TEST(too_many_are_refused)
{
	struct str *items = xcalloc(DIFF_MAX_ITEMS + 1, sizeof(*items));
	struct diff_run *runs;
	size_t count;

	for (size_t i = 0; i <= DIFF_MAX_ITEMS; i++)
		items[i] = STR("x");
	ck_assert_int_eq(
		diff_items(items, DIFF_MAX_ITEMS + 1, items, 1, 10, &runs, &count, NULL, NULL),
		-ERR_LIMIT);
	ck_assert_int_eq(
		diff_items(items, DIFF_MAX_ITEMS, items, 1, 10, &runs, &count, NULL, NULL), 0);
	ck_assert_uint_eq(count, 2);
	free(runs);
	free(items);
}
END_TEST

TESTS("core/base/diff", the_way_is_the_shortest, any_two_sequences, the_ceiling_holds,
	too_many_are_refused)
