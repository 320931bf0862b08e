/* json.c - see json.h. A struct json is jansson's json_t under another name; nothing of jansson
 * shows outside.
 *
 * jansson refuses by itself: members twice, bad UTF-8, lone surrogates, NUL, what follows the
 * value, whole numbers beyond int64_t. Depth and count are looked at before it starts, for it
 * recurses and allocates. */
#include "core/base/json.h"
#include "core/base/hex.h"
#include "core/base/tr.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

const struct json_limits json_default_limits = { .bytes = 1 << 20, .depth = 32, .values = 200000 };

static json_t *inside(const struct json *value)
{
	return (json_t *)(uintptr_t)value;
}

static const struct json *outside(const json_t *value)
{
	return (const struct json *)value;
}

/* Nesting, and an upper bound of the number of values: every value but the first follows a '[', '{'
 * or ','. */
static int check_shape(struct str text, const struct json_limits *limits, struct err *err)
{
	size_t depth = 0, values = 1;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '"')
			quoted = true;
		else if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		if (c == '[' || c == '{' || c == ',')
			values++;
		if (depth > limits->depth)
			return err_set(err, ERR_LIMIT,
				tr("JSON is nested more than %zu levels deep"), limits->depth);
		if (values > limits->values)
			return err_set(err, ERR_LIMIT, tr("JSON has more than %zu values"),
				limits->values);
	}
	return 0;
}

static bool has_float(const json_t *value)
{
	const json_t *child;
	const char *name;
	size_t i;

	if (json_is_real(value))
		return true;
	json_array_foreach(value, i, child) if (has_float(child)) return true;
	json_object_foreach(
		(json_t *)(uintptr_t)value, name, child) if (has_float(child)) return true;
	return false;
}

int json_parse(struct str text, const struct json_limits *limits, unsigned flags, struct json **ret,
	struct err *err)
{
	json_error_t error;
	json_t *root;
	int r;

	if (!limits)
		limits = &json_default_limits;
	if (text.n > limits->bytes)
		return err_set(err, ERR_LIMIT, tr("more than %zu bytes are not accepted here"),
			limits->bytes);
	r = check_shape(text, limits, err);
	if (r < 0)
		return r;
	root = json_loadb(
		text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!root)
		return err_set(err, ERR_INVALID, tr("not JSON at line %d, column %d: %s"),
			error.line, error.column, error.text);
	if (!(flags & JSON_ALLOW_FLOATS) && has_float(root)) {
		json_decref(root);
		return err_set(err, ERR_INVALID,
			tr("a number with a fraction or exponent is not accepted here"));
	}
	*ret = (struct json *)root;
	return 0;
}

void json_free(struct json *doc)
{
	json_decref((json_t *)doc);
}

enum json_kind json_kind_of(const struct json *value)
{
	switch (json_typeof(inside(value))) {
	case JSON_OBJECT:
		return JSON_KIND_MAP;
	case JSON_ARRAY:
		return JSON_KIND_LIST;
	case JSON_STRING:
		return JSON_KIND_TEXT;
	case JSON_INTEGER:
		return JSON_KIND_INT;
	case JSON_REAL:
		return JSON_KIND_FLOAT;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_KIND_BOOL;
	case JSON_NULL:
		break;
	}
	return JSON_KIND_NULL;
}

bool json_bool(const struct json *value)
{
	assert(json_kind_of(value) == JSON_KIND_BOOL);
	return json_is_true(inside(value));
}

int64_t json_int(const struct json *value)
{
	assert(json_kind_of(value) == JSON_KIND_INT);
	return json_integer_value(inside(value));
}

struct str json_text(const struct json *value)
{
	assert(json_kind_of(value) == JSON_KIND_TEXT);
	return (struct str){ json_string_value(inside(value)), json_string_length(inside(value)) };
}

size_t json_list_count(const struct json *list)
{
	return json_array_size(inside(list));
}

const struct json *json_list_at(const struct json *list, size_t i)
{
	return outside(json_array_get(inside(list), i));
}

size_t json_map_count(const struct json *map)
{
	return json_object_size(inside(map));
}

const struct json *json_map_get(const struct json *map, const char *name)
{
	return outside(json_object_get(inside(map), name));
}

int json_map_each(const struct json *map,
	int (*each)(void *context, struct str name, const struct json *value), void *context)
{
	const char *name;
	json_t *value;
	int r;

	json_object_foreach(inside(map), name, value)
	{
		r = each(context, str_of(name), outside(value));
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---- members ---- */

static int wrong(const char *name, const char *expected, struct err *err)
{
	return err_set(err, ERR_INVALID, tr("member '%s' must be %s"), name, expected);
}

static const char *kind_text(enum json_kind kind)
{
	switch (kind) {
	case JSON_KIND_NULL:
		return tr("null");
	case JSON_KIND_BOOL:
		return tr("true or false");
	case JSON_KIND_INT:
		return tr("a whole number");
	case JSON_KIND_FLOAT:
		return tr("a number");
	case JSON_KIND_TEXT:
		return tr("a text");
	case JSON_KIND_LIST:
		return tr("a list");
	case JSON_KIND_MAP:
		break;
	}
	return tr("a map");
}

static int need(const struct json *map, const char *name, enum json_kind kind,
	const struct json **ret, struct err *err)
{
	const struct json *value = json_map_get(map, name);

	if (!value)
		return err_set(err, ERR_INVALID, tr("member '%s' is missing"), name);
	if (json_kind_of(value) != kind)
		return wrong(name, kind_text(kind), err);
	*ret = value;
	return 0;
}

int json_need_map(
	const struct json *map, const char *name, const struct json **ret, struct err *err)
{
	return need(map, name, JSON_KIND_MAP, ret, err);
}

int json_need_list(
	const struct json *map, const char *name, const struct json **ret, struct err *err)
{
	return need(map, name, JSON_KIND_LIST, ret, err);
}

int json_need_text(const struct json *map, const char *name, struct str *ret, struct err *err)
{
	const struct json *value = NULL;
	int r = need(map, name, JSON_KIND_TEXT, &value, err);

	if (r == 0)
		*ret = json_text(value);
	return r;
}

int json_need_int(const struct json *map, const char *name, int64_t min, int64_t max, int64_t *ret,
	struct err *err)
{
	const struct json *value = NULL;
	int r = need(map, name, JSON_KIND_INT, &value, err);

	if (r < 0)
		return r;
	if (json_int(value) < min || json_int(value) > max)
		return err_set(err, ERR_INVALID, tr("member '%s' is %lld, not from %lld to %lld"),
			name, (long long)json_int(value), (long long)min, (long long)max);
	*ret = json_int(value);
	return 0;
}

int json_need_bool(const struct json *map, const char *name, bool *ret, struct err *err)
{
	const struct json *value = NULL;
	int r = need(map, name, JSON_KIND_BOOL, &value, err);

	if (r == 0)
		*ret = json_bool(value);
	return r;
}

int json_need_hex(const struct json *map, const char *name, void *out, size_t n, struct err *err)
{
	struct str text = { 0 };
	int r = json_need_text(map, name, &text, err);

	if (r < 0)
		return r;
	r = hex_decode(text, out, n, err);
	return r < 0 ? err_prefix(err, r, tr("member '%s'"), name) : 0;
}

int json_may_text(const struct json *map, const char *name, struct str *ret, struct err *err)
{
	return json_map_get(map, name) ? json_need_text(map, name, ret, err) : 0;
}

int json_may_int(const struct json *map, const char *name, int64_t min, int64_t max, int64_t *ret,
	struct err *err)
{
	return json_map_get(map, name) ? json_need_int(map, name, min, max, ret, err) : 0;
}

int json_only_members(const struct json *value, const char *const *names, size_t n, struct err *err)
{
	const char *name;
	json_t *child;

	if (json_kind_of(value) != JSON_KIND_MAP)
		return err_set(err, ERR_INVALID, tr("expected %s, found %s"), tr("a map"),
			kind_text(json_kind_of(value)));
	json_object_foreach(inside(value), name, child)
	{
		size_t i = 0;

		while (i < n && strcmp(names[i], name) != 0)
			i++;
		if (i == n)
			return err_set(
				err, ERR_INVALID, tr("member '%.100s' is not known here"), name);
	}
	return 0;
}

/* ---- canonical out ---- */

static void add_escape(struct buf *b, unsigned char c)
{
	static const char short_form[] = { ['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
		['"'] = '"',
		['\\'] = '\\' };

	buf_addc(b, '\\');
	if (short_form[c])
		buf_addc(b, short_form[c]);
	else
		buf_addf(b, "u%04x", c);
}

static bool is_escaped(char c)
{
	return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

void json_add_text(struct buf *b, struct str text)
{
	size_t from = 0, i = 0;
	char *at;

	if (!str_is_utf8(text)) {
		b->failed = true;
		return;
	}
	while (i < text.n && !is_escaped(text.p[i]))
		i++;
	if (i == text.n) { /* nearly all texts */
		at = buf_extend(b, text.n + 2);
		if (!at)
			return;
		at[0] = at[text.n + 1] = '"';
		if (text.n)
			memcpy(at + 1, text.p, text.n);
		return;
	}
	buf_addc(b, '"');
	for (; i < text.n; i++) {
		if (!is_escaped(text.p[i]))
			continue;
		buf_add(b, text.p + from, i - from);
		add_escape(b, (unsigned char)text.p[i]);
		from = i + 1;
	}
	if (text.n > from)
		buf_add(b, text.p + from, text.n - from);
	buf_addc(b, '"');
}

void json_add_int(struct buf *b, int64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (v < 0)
		buf_addc(b, '-');
	buf_add(b, digits + at, sizeof(digits) - at);
}

void json_add_name(struct buf *b, const char *name)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		buf_addc(b, ',');
	json_add_text(b, str_of(name));
	buf_addc(b, ':');
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_map(struct buf *b, json_t *map, struct err *err)
{
	_cleanup_(freep) const char **names = xcalloc(json_object_size(map) + 1, sizeof(*names));
	const char *name;
	json_t *value;
	size_t n = 0;
	int r;

	json_object_foreach(map, name, value) names[n++] = name;
	qsort(names, n, sizeof(*names), compare_names);
	buf_addc(b, '{');
	for (size_t i = 0; i < n; i++) {
		json_add_name(b, names[i]);
		r = json_add_canonical(b, outside(json_object_get(map, names[i])), err);
		if (r < 0)
			return r;
	}
	buf_addc(b, '}');
	return 0;
}

static int add_list(struct buf *b, const json_t *list, struct err *err)
{
	const json_t *value;
	size_t i;
	int r;

	buf_addc(b, '[');
	json_array_foreach(list, i, value)
	{
		if (i > 0)
			buf_addc(b, ',');
		r = json_add_canonical(b, outside(value), err);
		if (r < 0)
			return r;
	}
	buf_addc(b, ']');
	return 0;
}

int json_add_canonical(struct buf *b, const struct json *value, struct err *err)
{
	switch (json_kind_of(value)) {
	case JSON_KIND_MAP:
		return add_map(b, inside(value), err);
	case JSON_KIND_LIST:
		return add_list(b, inside(value), err);
	case JSON_KIND_TEXT:
		json_add_text(b, json_text(value));
		break;
	case JSON_KIND_INT:
		json_add_int(b, json_int(value));
		break;
	case JSON_KIND_BOOL:
		buf_adds(b, json_bool(value) ? "true" : "false");
		break;
	case JSON_KIND_NULL:
		buf_adds(b, "null");
		break;
	case JSON_KIND_FLOAT:
		return err_set(err, ERR_INVALID,
			tr("a number with a fraction or exponent is not accepted here"));
	}
	return 0;
}
