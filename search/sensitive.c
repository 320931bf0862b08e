/* sensitive.c - finding and masking phone and identity numbers. */
#include "search/sensitive.h"

#include "search/fold.h"

enum { MOBILE_DIGITS = 11, IDENTITY_DIGITS = 18 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_gap(char c)
{
	return c == ' ' || c == '-';
}

/* Digits in groups of the given lengths (0 ends), one space or hyphen allowed between groups.
 * Returns the bytes that they take, or 0; `out` gets the digits. With `x`, the last one may be the
 * letter x. */
static size_t match_groups(
	const char *p, const char *end, const uint8_t groups[4], bool x, char *out)
{
	const char *start = p;

	for (int g = 0; groups[g]; g++) {
		if (g > 0 && p + 1 < end && is_gap(*p))
			p++;
		for (int i = 0; i < groups[g]; i++, p++) {
			if (p == end)
				return 0;
			if (x && !groups[g + 1] && i + 1 == groups[g] && *p == 'x')
				*out++ = 'x';
			else if (is_digit(*p))
				*out++ = *p;
			else
				return 0;
		}
	}
	*out = '\0';
	if (p < end && is_digit(*p))
		return 0;
	return (size_t)(p - start);
}

static size_t match_mobile(const char *p, const char *end, char *out)
{
	static const uint8_t groups[4] = { 3, 4, 4 };

	if (end - p < MOBILE_DIGITS || p[0] != '1' || p[1] < '3' || p[1] > '9')
		return 0;
	return match_groups(p, end, groups, false, out);
}

static int number_of(const char *digits, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++)
		v = v * 10 + (digits[i] - '0');
	return v;
}

/* GB 11643: birth date at 6, and ISO 7064 MOD 11-2 over all. */
static bool is_identity(const char digits[IDENTITY_DIGITS])
{
	static const uint8_t weight[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int year = number_of(digits + 6, 4), month = number_of(digits + 10, 2),
	    day = number_of(digits + 12, 2), sum = 0;

	if (year < 1850 || year > 2150 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(weight); i++)
		sum += weight[i] * (digits[i] - '0');
	return digits[17] == "10x98765432"[sum % 11];
}

static size_t match_identity(const char *p, const char *end, char *out)
{
	static const uint8_t groups[4] = { 6, 8, 4 };
	size_t n;

	if (end - p < IDENTITY_DIGITS || p[0] == '0')
		return 0;
	n = match_groups(p, end, groups, true, out);
	return n && is_identity(out) ? n : 0;
}

size_t sensitive_match(const char *p, const char *end, char ret_value[19])
{
	const char *q = p;
	size_t n;

	n = match_mobile(p, end, ret_value);
	if (n == 0)
		n = match_identity(p, end, ret_value);
	if (n > 0)
		return n;
	if (end - q > 2 && q[0] == '0' && q[1] == '0')
		q += 2;
	if (end - q > 2 && q[0] == '8' && q[1] == '6') {
		q += 2;
		if (is_gap(*q))
			q++;
		n = match_mobile(q, end, ret_value);
		if (n > 0)
			return n + (size_t)(q - p);
	}
	return 0;
}

void sensitive_add_masked(const char *value, struct buf *ret)
{
	size_t n = strlen(value), head = n == MOBILE_DIGITS ? 3 : 4;

	buf_add(ret, value, head);
	for (size_t i = head; i + 4 < n; i++)
		buf_addc(ret, '*');
	for (size_t i = n - 4; i < n; i++)
		buf_addc(ret, value[i] == 'x' ? 'X' : value[i]);
}

int sensitive_find(struct str text, sensitive_found *found, void *context, struct err *err)
{
	_cleanup_(fold_done) struct fold f;
	const char *p, *end;
	int r;

	fold_init(&f);
	r = fold_text(&f, text, err);
	if (r < 0)
		return r;
	p = f.text.p;
	end = p + f.text.n;
	while (p < end) {
		char value[19];
		size_t at = (size_t)(p - f.text.p), n = 0;

		if (is_digit(*p) && (at == 0 || !is_digit(p[-1])))
			n = sensitive_match(p, end, value);
		if (n > 0)
			found(context, f.at[at], f.at[at + n], value);
		p += n > 0 ? n : 1;
	}
	return 0;
}

struct masking {
	struct str text;
	size_t shown;
	struct buf *ret;
};

static void mask_one(void *context, size_t start, size_t end, const char *value)
{
	struct masking *m = context;

	buf_add(m->ret, m->text.p + m->shown, start - m->shown);
	sensitive_add_masked(value, m->ret);
	m->shown = end;
}

int sensitive_mask(struct str text, struct buf *ret, struct err *err)
{
	struct masking m = { text, 0, ret };
	int r = sensitive_find(text, mask_one, &m, err);

	if (r < 0)
		return r;
	buf_add(ret, text.p + m.shown, text.n - m.shown);
	return buf_check(ret, err);
}
