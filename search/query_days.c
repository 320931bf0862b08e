/* query_days.c - dates in a query: 2025, 2025-05, 2025/5/20, 20250520, 2025年5月20日, and ranges of
 * them. */
#include "search/query_build.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

enum { YEAR_MIN = 1900, YEAR_MAX = 2999 };

static bool take_number(struct str *text, size_t digits_min, size_t digits_max, int *ret)
{
	size_t n = 0;
	int v = 0;

	while (n < text->n && n < digits_max && text->p[n] >= '0' && text->p[n] <= '9')
		v = v * 10 + (text->p[n++] - '0');
	if (n < digits_min)
		return false;
	text->p += n;
	text->n -= n;
	*ret = v;
	return true;
}

static bool take(struct str *text, const char *sign)
{
	if (!str_starts(*text, sign))
		return false;
	text->p += strlen(sign);
	text->n -= strlen(sign);
	return true;
}

/* What separates year, month and day, and may stand behind the last. */
static bool take_separator(struct str *text, const char *chinese)
{
	return take(text, chinese) || take(text, "-") || take(text, "/") || take(text, ".");
}

static int64_t last_day_of(int year, int month)
{
	struct date next = { month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1 };

	return day_of_date(next) - 1;
}

/* The days that a date, a month or a year takes. */
static bool days_of(struct str text, int64_t *ret_from, int64_t *ret_to)
{
	struct date date = { 0, 1, 1 };
	bool compact, has_month = false, has_day = false;
	int64_t day;

	if (!take_number(&text, 4, 4, &date.year) || date.year < YEAR_MIN || date.year > YEAR_MAX)
		return false;
	compact = text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9';
	if (compact || take_separator(&text, "年"))
		has_month = take_number(&text, compact ? 2 : 1, 2, &date.month);
	if (has_month && (compact || take_separator(&text, "月")))
		has_day = take_number(&text, compact ? 2 : 1, 2, &date.day);
	if (has_day)
		(void)take(&text, "日");
	if (text.n > 0 || date.month < 1 || date.month > 12)
		return false;
	day = day_of_date(date);
	if (has_day && (date.day < 1 || day > last_day_of(date.year, date.month)))
		return false;
	*ret_from = day;
	*ret_to = has_day ? day : last_day_of(date.year, has_month ? date.month : 12);
	return true;
}

/* Where a range is cut: a..b, a~b, a至b; false when it is a single date. */
static bool cut_range(struct str text, struct str *ret_from, struct str *ret_to)
{
	static const char *const signs[] = { "..", "~", "至" };

	for (size_t s = 0; s < ARRAY_LEN(signs); s++) {
		size_t n = strlen(signs[s]);

		for (size_t i = 0; i + n <= text.n; i++) {
			if (memcmp(text.p + i, signs[s], n) != 0)
				continue;
			*ret_from = (struct str){ text.p, i };
			*ret_to = (struct str){ text.p + i + n, text.n - i - n };
			return true;
		}
	}
	return false;
}

struct query_node *query_build_days(struct query_parse *q, size_t from, size_t to)
{
	struct str text = { q->fold.text.p + from, to - from }, first, last;
	struct query_node *node = query_node_new(q, QUERY_DAYS, from);
	int64_t ignored;

	if (!node)
		return NULL;
	node->day_from = INT64_MIN;
	node->day_to = INT64_MAX;
	if (!cut_range(text, &first, &last)) {
		if (days_of(text, &node->day_from, &node->day_to))
			return node;
	} else if (first.n + last.n > 0 &&
		   (first.n == 0 || days_of(first, &node->day_from, &ignored)) &&
		   (last.n == 0 || days_of(last, &ignored, &node->day_to)) &&
		   node->day_from <= node->day_to) {
		return node;
	}
	return query_fail(q, ERR_INVALID, from,
		tr("not a date or range: write 2025, 2025-05, 2025-05-20 or "
		   "2025-01-01..2025-06-30"));
}
