/* args.c - see args.h. */
#include "core/archive/args.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"

static int wrong(const char *name, const char *expected, struct err *err)
{
	return err_set(err, ERR_INVALID, tr("member '%s' must be %s"), name, expected);
}

struct known {
	const char *const *names;
	struct str stranger;
};

static int check_name(void *context, struct str name, const struct json *value)
{
	static const char *const always[] = { "as", "fresh" };
	struct known *k = context;

	(void)value;
	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		if (str_is(name, always[i]))
			return 0;
	}
	for (const char *const *n = k->names; *n; n++) {
		if (str_is(name, *n))
			return 0;
	}
	k->stranger = name;
	return 1;
}

int args_only(const struct verb_call *call, const char *const *names, struct err *err)
{
	struct known k = { .names = names };
	_cleanup_(buf_done) struct buf safe = BUF_INIT;

	if (json_map_each(call->args, check_name, &k) == 0)
		return 0;
	text_add_safe(&safe, k.stranger);
	return err_set(err, ERR_INVALID,
		tr("the request has a member '%s' that this verb does not know"), safe.p);
}

int args_bool(const struct json *map, const char *name, bool *ret, struct err *err)
{
	return json_map_get(map, name) ? json_need_bool(map, name, ret, err) : 0;
}

int args_day(
	const struct json *map, const char *name, int64_t *ret, bool *ret_given, struct err *err)
{
	struct str text = { NULL, 0 };
	struct date date;
	int r = json_may_text(map, name, &text, err);

	if (ret_given)
		*ret_given = text.p != NULL;
	if (r < 0 || !text.p)
		return r;
	r = date_parse(text, &date, err);
	if (r == 0)
		*ret = day_of_date(date);
	return r;
}

static int of_kind(const struct json *map, const char *name, enum json_kind kind,
	const char *expected, const struct json **ret, struct err *err)
{
	const struct json *value = json_map_get(map, name);

	*ret = NULL;
	if (!value)
		return 0;
	if (json_kind_of(value) != kind)
		return wrong(name, expected, err);
	*ret = value;
	return 0;
}

int args_list(const struct json *map, const char *name, const struct json **ret, struct err *err)
{
	int r = of_kind(map, name, JSON_KIND_LIST, tr("a list of texts"), ret, err);

	for (size_t i = 0; r == 0 && *ret && i < json_list_count(*ret); i++) {
		struct str text;

		r = args_list_text(*ret, i, name, &text, err);
	}
	return r;
}

int args_list_text(
	const struct json *list, size_t i, const char *name, struct str *ret, struct err *err)
{
	const struct json *item = json_list_at(list, i);

	if (json_kind_of(item) != JSON_KIND_TEXT)
		return wrong(name, tr("a list of texts"), err);
	*ret = json_text(item);
	return 0;
}

int args_maps(const struct json *map, const char *name, const struct json **ret, struct err *err)
{
	int r = of_kind(map, name, JSON_KIND_LIST, tr("a list of objects"), ret, err);

	for (size_t i = 0; r == 0 && *ret && i < json_list_count(*ret); i++) {
		if (json_kind_of(json_list_at(*ret, i)) != JSON_KIND_MAP)
			return wrong(name, tr("a list of objects"), err);
	}
	return r;
}

int args_map(const struct json *map, const char *name, const struct json **ret, struct err *err)
{
	return of_kind(map, name, JSON_KIND_MAP, tr("an object"), ret, err);
}

int args_fd(const struct verb_call *call, const struct json *map, int *ret, struct err *err)
{
	int64_t place;
	int r = json_need_int(map, "fd", 0, INT32_MAX, &place, err);

	if (r < 0)
		return r;
	if ((uint64_t)place >= call->fd_count)
		return err_set(err, ERR_INVALID,
			tr("descriptor %lld did not come with the request"), (long long)place);
	*ret = call->fds[place];
	return 0;
}
