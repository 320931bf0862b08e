/* range.c - the parts of exchange.h about ranges and entity tags (RFC 9110, 13 and 14). */
#include "www/exchange.h"

static const struct range all = { .kind = RANGE_NONE };
static const struct range wrong = { .kind = RANGE_WRONG };

/* Digits; a number that is too large for us is larger than anything there is. */
static bool read_number(struct str text, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.n == 0)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		if (v > (uint64_t)INT64_MAX / 10 - 1)
			v = (uint64_t)INT64_MAX / 10 - 1; /* stays absurd */
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = v;
	return true;
}

struct range range_parse(struct str header)
{
	struct range r = { .kind = RANGE_FROM, .last = UINT64_MAX };
	struct str rest = header, unit, first;

	if (!header.p || header.n > 200)
		return all;
	unit = str_trim(str_cut(&rest, '='));
	if (!rest.p || !str_is(unit, "bytes") || memchr(rest.p, ',', rest.n))
		return all;
	rest = str_trim(rest);
	first = str_trim(str_cut(&rest, '-'));
	if (!rest.p)
		return wrong;
	rest = str_trim(rest);
	if (first.n == 0) {
		r.kind = RANGE_LAST;
		return read_number(rest, &r.last) ? r : wrong;
	}
	if (!read_number(first, &r.first) || (rest.n > 0 && !read_number(rest, &r.last)))
		return wrong;
	return r.last < r.first ? wrong : r;
}

bool range_resolve(const struct range *r, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t first = r->first, last = r->last;

	switch (r->kind) {
	case RANGE_NONE:
		*ret_first = 0;
		*ret_last = size ? size - 1 : 0;
		return true;
	case RANGE_WRONG:
		return false;
	case RANGE_LAST:
		if (last == 0 || size == 0)
			return false;
		first = last < size ? size - last : 0;
		last = size - 1;
		break;
	case RANGE_FROM:
		if (first >= size)
			return false;
		if (last >= size)
			last = size - 1;
		break;
	}
	*ret_first = first;
	*ret_last = last;
	return true;
}

bool exchange_tag_matches(struct str list, struct str tag)
{
	while (list.p) {
		struct str item = str_trim(str_cut(&list, ','));

		if (str_is(item, "*"))
			return true;
		if (str_starts(item, "W/")) {
			item.p += 2;
			item.n -= 2;
		}
		if (item.n == tag.n + 2 && item.p[0] == '"' && item.p[item.n - 1] == '"' &&
			memcmp(item.p + 1, tag.p, tag.n) == 0)
			return true;
	}
	return false;
}
