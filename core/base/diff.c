/* diff.c - see diff.h.
 *
 * With x items of the first side and y of the second used up, k = x - y is a diagonal. For each number of edits d the
 * farthest x on every diagonal from -d to d is kept; a step down adds an item of the second side, a step right removes
 * one of the first, and along equal items the way is free. When the end is reached the kept rows are walked back.
 *
 * What both sides begin and end with is cut off first: most versions differ in few places. */
#include "core/base/diff.h"

#include "core/base/map.h"
#include "core/base/tr.h"

#include <stdlib.h>

struct sides {
	const uint64_t *a, *b; /* items as keys: equal ones are equal texts */
	size_t n, m;
};

struct runs {
	struct diff_run *all;
	size_t count, room;
};

static void add_run(struct runs *r, enum diff_op op, size_t before, size_t after, size_t count)
{
	struct diff_run *last = r->count ? &r->all[r->count - 1] : NULL;

	if (count == 0)
		return;
	if (last && last->op == op &&
		last->before + (op != DIFF_ADDED ? last->count : 0) == before &&
		last->after + (op != DIFF_REMOVED ? last->count : 0) == after) {
		last->count += count;
		return;
	}
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->all = reallocarray(r->all, r->room, sizeof(*r->all));
		if (!r->all)
			abort();
	}
	r->all[r->count++] = (struct diff_run){ op, before, after, count };
}

/* ---- Myers ---- */

/* Row d holds d + 1 values, of diagonals -d, -d + 2 ... d. */
static size_t row_at(size_t d)
{
	return d * (d + 1) / 2;
}

/* The farthest x with d edits on the diagonal whose place in row d is i, before equal items are followed. */
static size_t reach(const uint32_t *row, size_t d, size_t i)
{
	if (d == 0)
		return 0;
	/* Row d - 1: place i is the diagonal above (a step right comes from it), i - 1 the one below. */
	if (i == 0)
		return row[0];
	if (i == d)
		return (size_t)row[d - 1] + 1;
	return row[i] > row[i - 1] ? row[i] : (size_t)row[i - 1] + 1;
}

/* Fill rows until the end is reached. The number of edits, or SIZE_MAX. */
static size_t search(const struct sides *s, size_t max, uint32_t *rows)
{
	for (size_t d = 0; d <= max; d++) {
		const uint32_t *before = d ? rows + row_at(d - 1) : NULL;
		uint32_t *row = rows + row_at(d);

		for (size_t i = 0; i <= d; i++) {
			int64_t k = 2 * (int64_t)i - (int64_t)d;
			size_t x = reach(before, d, i);
			int64_t y = (int64_t)x - k;

			/* Beyond a side's end there is nothing; such a place leads nowhere. */
			while (x < s->n && y >= 0 && y < (int64_t)s->m && s->a[x] == s->b[y]) {
				x++;
				y++;
			}
			row[i] = (uint32_t)x;
			if (x >= s->n && y >= (int64_t)s->m && x == s->n && y == (int64_t)s->m)
				return d;
		}
	}
	return SIZE_MAX;
}

struct edit {
	bool adds;
	size_t x, y; /* where it stands */
};

/* From the end back to the beginning: the edits, in order. */
static void walk_back(const struct sides *s, const uint32_t *rows, size_t d, struct edit *edits)
{
	size_t i = (size_t)(((int64_t)s->n - (int64_t)s->m + (int64_t)d) / 2);

	for (; d > 0; d--) {
		const uint32_t *before = rows + row_at(d - 1);
		int64_t k = 2 * (int64_t)i - (int64_t)d;
		bool adds = i == 0 || (i < d && before[i] > before[i - 1]);
		size_t x = adds ? before[i] : (size_t)before[i - 1];
		/* x is where the step begins: on diagonal k + 1 (adding) or k - 1 (removing). */
		size_t y = (size_t)((int64_t)x - (adds ? k + 1 : k - 1));

		edits[d - 1] = (struct edit){ adds, x, y };
		if (!adds)
			i--;
	}
}

static void tell(struct runs *r, const struct edit *edits, size_t count, const struct sides *s,
	size_t offset)
{
	size_t x = 0, y = 0;

	for (size_t e = 0; e < count; e++) {
		add_run(r, DIFF_SAME, offset + x, offset + y, edits[e].x - x);
		x = edits[e].x;
		y = edits[e].y;
		if (edits[e].adds)
			add_run(r, DIFF_ADDED, offset + x, offset + y++, 1);
		else
			add_run(r, DIFF_REMOVED, offset + x++, offset + y, 1);
	}
	add_run(r, DIFF_SAME, offset + x, offset + y, s->n - x);
}

static bool compare(const struct sides *s, size_t max_edits, size_t offset, struct runs *r)
{
	size_t max = s->n + s->m < max_edits ? s->n + s->m : max_edits, d;
	uint32_t *rows;
	struct edit *edits;

	if (s->n == 0 || s->m == 0) {
		add_run(r, DIFF_REMOVED, offset, offset, s->n);
		add_run(r, DIFF_ADDED, offset + s->n, offset, s->m);
		return true;
	}
	rows = reallocarray(NULL, row_at(max + 1), sizeof(*rows));
	edits = calloc(max + 1, sizeof(*edits));
	if (!rows || !edits)
		abort();
	d = search(s, max, rows);
	if (d != SIZE_MAX) {
		walk_back(s, rows, d, edits);
		tell(r, edits, d, s, offset);
	} else {
		add_run(r, DIFF_REMOVED, offset, offset, s->n);
		add_run(r, DIFF_ADDED, offset + s->n, offset, s->m);
	}
	free(rows);
	free(edits);
	return d != SIZE_MAX;
}

/* ---- the whole ---- */

static uint64_t *keys_of(const struct str *items, size_t count)
{
	uint64_t *keys = calloc(count + 1, sizeof(*keys));

	if (!keys)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct map_key key = map_key(items[i].p, items[i].n);

		memcpy(&keys[i], key.b, sizeof(keys[i]));
	}
	return keys;
}

/* Removed before added, where both stand at one place: as people read it. */
static void put_in_order(struct runs *r)
{
	for (size_t i = 0; i + 1 < r->count; i++) {
		struct diff_run *one = &r->all[i], *two = one + 1;

		if (one->op == DIFF_ADDED && two->op == DIFF_REMOVED) {
			struct diff_run added = *one;

			*one = (struct diff_run){ DIFF_REMOVED, two->before, added.after,
				two->count };
			*two = (struct diff_run){ DIFF_ADDED, one->before + one->count, added.after,
				added.count };
			if (i > 0)
				i -= 2; /* another removal may stand before it now */
		}
	}
}

static void join(struct runs *r)
{
	struct runs joined = { NULL, 0, 0 };

	for (size_t i = 0; i < r->count; i++)
		add_run(&joined, r->all[i].op, r->all[i].before, r->all[i].after, r->all[i].count);
	free(r->all);
	*r = joined;
}

int diff_items(const struct str *before, size_t before_count, const struct str *after,
	size_t after_count, size_t max_edits, struct diff_run **ret, size_t *ret_count,
	bool *ret_exact, struct err *err)
{
	struct runs runs = { NULL, 0, 0 };
	size_t n = before_count, m = after_count, head = 0, tail = 0;
	uint64_t *a, *b;
	bool exact;

	if (n > DIFF_MAX_ITEMS || m > DIFF_MAX_ITEMS)
		return err_set(
			err, ERR_LIMIT, tr("more than %d lines are not compared"), DIFF_MAX_ITEMS);
	a = keys_of(before, n);
	b = keys_of(after, m);
	while (head < n && head < m && a[head] == b[head])
		head++;
	while (tail < n - head && tail < m - head && a[n - 1 - tail] == b[m - 1 - tail])
		tail++;
	add_run(&runs, DIFF_SAME, 0, 0, head);
	exact = compare(&(struct sides){ a + head, b + head, n - head - tail, m - head - tail },
		max_edits < DIFF_MAX_EDITS ? max_edits : DIFF_MAX_EDITS, head, &runs);
	put_in_order(&runs);
	add_run(&runs, DIFF_SAME, n - tail, m - tail, tail);
	join(&runs);
	free(a);
	free(b);
	*ret = runs.all;
	*ret_count = runs.count;
	if (ret_exact)
		*ret_exact = exact;
	return 0;
}
