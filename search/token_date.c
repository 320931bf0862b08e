/* token_date.c - dates in running text, in the ways that people write them. */
#include "search/token.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static const char *skip_spaces(const char *p, const char *end)
{
	for (int i = 0; i < 2 && p < end && *p == ' '; i++)
		p++;
	return p;
}

static const char *skip_text(const char *p, const char *end, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(end - p) >= n && memcmp(p, text, n) == 0 ? p + n : NULL;
}

/* One or two digits, two where `exact`; NULL when there is no number from 1 to `max`. */
static const char *take_number(const char *p, const char *end, bool exact, int max, int *ret)
{
	int digits = 0;

	*ret = 0;
	while (p < end && is_digit(*p) && digits < 2) {
		*ret = *ret * 10 + (*p++ - '0');
		digits++;
	}
	return digits >= (exact ? 2 : 1) && *ret >= 1 && *ret <= max ? p : NULL;
}

/* 年10月9日 */
static const char *match_chinese(const char *p, const char *end, int *ret_month, int *ret_day)
{
	const char *q = skip_text(skip_spaces(p, end), end, "年"), *day;

	if (q)
		q = take_number(skip_spaces(q, end), end, false, 12, ret_month);
	if (q)
		q = skip_text(skip_spaces(q, end), end, "月");
	if (q)
		q = take_number(skip_spaces(q, end), end, false, 31, ret_day);
	if (!q)
		return NULL;
	q = skip_spaces(q, end);
	day = skip_text(q, end, "日");
	return day ? day : skip_text(q, end, "号");
}

/* -10-09, /10/9, .10.09, 1009 */
static const char *match_signs(const char *p, const char *end, int *ret_month, int *ret_day)
{
	char sign = p < end && (*p == '-' || *p == '/' || *p == '.') ? *p : 0;
	const char *q = take_number(p + (sign != 0), end, !sign, 12, ret_month);

	if (!q || (sign && (q == end || *q != sign)))
		return NULL;
	q = take_number(q + (sign != 0), end, !sign, 31, ret_day);
	if (!q || q == end)
		return q;
	/* What goes on is a code, except for the hour of 2026-10-09T09:30. */
	if (is_alnum(*q) && !(sign && *q == 't' && end - q > 1 && is_digit(q[1])))
		return NULL;
	if ((*q == '-' || *q == '_' || *q == '/' || *q == '.') && end - q > 1 && is_alnum(q[1]))
		return NULL;
	return q;
}

size_t token_date_match(const char *p, const char *end, char ret_date[9])
{
	const char *q;
	int month, day;

	if (end - p < 8 || (memcmp(p, "19", 2) != 0 && memcmp(p, "20", 2) != 0) ||
		!is_digit(p[2]) || !is_digit(p[3]))
		return 0;
	q = match_signs(p + 4, end, &month, &day);
	if (!q)
		q = match_chinese(p + 4, end, &month, &day);
	if (!q)
		return 0;
	memcpy(ret_date, p, 4);
	ret_date[4] = (char)('0' + month / 10);
	ret_date[5] = (char)('0' + month % 10);
	ret_date[6] = (char)('0' + day / 10);
	ret_date[7] = (char)('0' + day % 10);
	ret_date[8] = '\0';
	return (size_t)(q - p);
}
