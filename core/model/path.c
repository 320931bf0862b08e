/* path.c - see path.h. */
#include "core/model/path.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <strings.h>

enum { RECORDS_PER_LEAF = 32, LEAVES_PER_BRANCH = 32, FIRST_YEAR = 1900, LAST_YEAR = 2999 };

static bool is_forbidden_char(int32_t c)
{
	return c == '/' || c == '\\' || c == '*' || text_is_unsafe_char(c);
}

static bool has_blank_end(struct str name)
{
	return name.p[0] == ' ' || name.p[name.n - 1] == ' ' || str_starts(name, "　") ||
	       str_ends(name, "　");
}

static bool is_git_folder(struct str name)
{
	return name.n == 4 && strncasecmp(name.p, ".git", 4) == 0;
}

int path_check_component(struct str name, const char *what, struct err *err)
{
	if (name.n == 0)
		return err_set(err, ERR_INVALID, tr("%s is empty"), tr(what));
	if (name.n > PATH_COMPONENT_MAX)
		return err_set(err, ERR_LIMIT, tr("%s has %zu bytes; at most %d are accepted"),
			tr(what), name.n, PATH_COMPONENT_MAX);
	if (!str_is_utf8(name))
		return err_set(err, ERR_INVALID, tr("%s is not UTF-8"), tr(what));
	for (size_t i = 0, n; i < name.n; i += n) {
		int32_t c = text_char((struct str){ name.p + i, name.n - i }, &n);

		if (is_forbidden_char(c))
			return err_set(err, ERR_INVALID,
				tr("%s has the character U+%04X, which may not stand in a path"),
				tr(what), (unsigned)c);
	}
	if (name.p[0] == '.' || name.p[0] == '-' || has_blank_end(name) || is_git_folder(name))
		return err_set(err, ERR_INVALID,
			tr("%s is '%.*s'; it may not begin with '.' or '-', nor begin or end with "
			   "a "
			   "blank"),
			tr(what), STR_ARG(name));
	if (!text_is_nfc(name))
		return err_set(err, ERR_INVALID, tr("%s '%.*s' is not in Unicode's NFC form"),
			tr(what), STR_ARG(name));
	return 0;
}

int path_add(struct buf *b, int64_t day, struct str series_title, struct str department,
	uint64_t sequence, struct str number, struct err *err)
{
	struct date date = date_of_day(day);
	int r;

	if (date.year < FIRST_YEAR || date.year > LAST_YEAR)
		return err_set(err, ERR_INVALID, tr("the year %d is not from %d to %d"), date.year,
			FIRST_YEAR, LAST_YEAR);
	r = path_check_component(series_title, TR_MARK("the series"), err);
	if (r == 0)
		r = path_check_component(department, TR_MARK("the department"), err);
	if (r == 0)
		r = path_check_component(number, TR_MARK("the number"), err);
	if (r < 0)
		return r;
	buf_addf(b, "%04d-%02d/", date.year, date.month);
	buf_add_str(b, series_title);
	buf_addc(b, '/');
	buf_add_str(b, department);
	buf_addf(b, "/%04llu/%02llu/",
		(unsigned long long)(sequence / (RECORDS_PER_LEAF * LEAVES_PER_BRANCH)),
		(unsigned long long)(sequence / RECORDS_PER_LEAF % LEAVES_PER_BRANCH));
	buf_add_str(b, number);
	return buf_check(b, err);
}

/* Digits of at least `width`, with leading zeros only to fill it. */
static bool read_padded(struct str text, size_t width, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.n < width || text.n > 17 || (text.n > width && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = v;
	return true;
}

static bool read_month(struct str text, struct path *path)
{
	uint64_t year, month;

	if (text.n != 7 || text.p[4] != '-' || !read_padded((struct str){ text.p, 4 }, 4, &year) ||
		!read_padded((struct str){ text.p + 5, 2 }, 2, &month))
		return false;
	path->year = (int)year;
	path->month = (int)month;
	return year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12;
}

int path_parse(struct str text, struct path *ret, struct err *err)
{
	struct str rest = text, month = str_cut(&rest, '/');
	struct path path = { .series_title = str_cut(&rest, '/') };
	struct str branch, leaf;
	uint64_t high = 0, low = 0;
	int r;

	path.department = str_cut(&rest, '/');
	branch = str_cut(&rest, '/');
	leaf = str_cut(&rest, '/');
	path.number = rest;
	if (text.n > PATH_MAX_BYTES || !read_month(month, &path) ||
		!read_padded(branch, 4, &high) || leaf.n != 2 || !read_padded(leaf, 2, &low) ||
		low >= LEAVES_PER_BRANCH || !rest.p)
		return err_set(err, ERR_INVALID, tr("'%.*s' is not the path of a record"),
			STR_ARG(text_cut(text, PATH_COMPONENT_MAX)));
	r = path_check_component(path.series_title, TR_MARK("the series"), err);
	if (r == 0)
		r = path_check_component(path.department, TR_MARK("the department"), err);
	if (r == 0)
		r = path_check_component(path.number, TR_MARK("the number"), err);
	if (r < 0)
		return r;
	path.first_sequence = (high * LEAVES_PER_BRANCH + low) * RECORDS_PER_LEAF;
	*ret = path;
	return 0;
}
