/* exchange.c - see exchange.h: the request taken apart, the reply put together. */
#include "www/exchange.h"

#include "core/base/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct exchange *exchange_new(struct www *www)
{
	struct exchange *x = xcalloc(1, sizeof(*x));

	x->www = www;
	x->arena = arena_new(2048);
	x->status = 200;
	buf_init(&x->body, EXCHANGE_MAX_JSON);
	buf_init(&x->reply, BUF_DEFAULT_MAX);
	return x;
}

static void close_stream(struct exchange *x)
{
	if (x->stream && x->stream->close)
		x->stream->close(x->stream_context);
	x->stream = NULL;
	x->stream_context = NULL;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	close_stream(x);
	json_free(x->json);
	buf_wipe(&x->body);
	buf_wipe(&x->reply);
	arena_free(x->arena);
	free(x);
}

/* ---- the request ---- */

enum exchange_method exchange_method_of(const char *name)
{
	static const char *const names[] = { [METHOD_GET] = "GET",
		[METHOD_HEAD] = "HEAD",
		[METHOD_POST] = "POST",
		[METHOD_PUT] = "PUT",
		[METHOD_PATCH] = "PATCH",
		[METHOD_DELETE] = "DELETE" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0)
			return (enum exchange_method)i;
	}
	return METHOD_OTHER;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int exchange_decode(
	struct exchange *x, struct str text, bool is_query, struct str *ret, struct err *err)
{
	char *out = arena_take(x->arena, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%') {
			int high = i + 2 < text.n ? digit_of(text.p[i + 1]) : -1;
			int low = i + 2 < text.n ? digit_of(text.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return err_set(err, ERR_INVALID,
					tr("the address has a '%%' without two hexadecimal "
					   "digits"));
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && is_query) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	*ret = (struct str){ out, n };
	return str_is_utf8(*ret) ? 0 : err_set(err, ERR_INVALID, tr("the address is not UTF-8"));
}

static int parse_query(struct exchange *x, struct str rest, struct err *err)
{
	while (rest.p && rest.n > 0) {
		struct str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
		struct exchange_pair *pair;
		int r;

		if (name.n == 0 && value.n == 0)
			continue;
		if (x->query_count == EXCHANGE_MAX_QUERY)
			return err_set(err, ERR_LIMIT,
				tr("the address has more than %d parameters"), EXCHANGE_MAX_QUERY);
		pair = &x->query[x->query_count];
		r = exchange_decode(x, name, true, &pair->name, err);
		if (r == 0)
			r = exchange_decode(x, value, true, &pair->value, err);
		if (r < 0)
			return r;
		x->query_count++;
	}
	return 0;
}

int exchange_parse_target(struct exchange *x, const char *target, struct err *err)
{
	struct str rest;
	size_t n = strnlen(target, EXCHANGE_MAX_TARGET + 1);

	if (n > EXCHANGE_MAX_TARGET)
		return err_set(err, ERR_LIMIT, tr("the address has more than %d bytes"),
			EXCHANGE_MAX_TARGET);
	x->target = rest = (struct str){ arena_copy(x->arena, target, n + 1), n };
	x->path = str_cut(&rest, '?');
	if (x->path.n == 0 || x->path.p[0] != '/')
		return err_set(err, ERR_INVALID, tr("the address does not begin with '/'"));
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)x->target.p[i] <= ' ' || x->target.p[i] == 0x7f)
			return err_set(err, ERR_INVALID,
				tr("the address has a character that does not belong there"));
	}
	return parse_query(x, rest, err);
}

struct str exchange_query(const struct exchange *x, const char *name)
{
	for (size_t i = 0; i < x->query_count; i++) {
		if (str_is(x->query[i].name, name))
			return x->query[i].value;
	}
	return (struct str){ NULL, 0 };
}

struct str exchange_header(const struct exchange *x, const char *name)
{
	return x->header ? x->header(x->header_source, name) : (struct str){ NULL, 0 };
}

struct str exchange_cookie(const struct exchange *x, const char *name)
{
	struct str rest = exchange_header(x, "Cookie");

	while (rest.p) {
		struct str value = str_trim(str_cut(&rest, ';')), key = str_cut(&value, '=');

		if (str_is(key, name))
			return value.p ? value : STR("");
	}
	return (struct str){ NULL, 0 };
}

/* The language that comes first in the list, of those that we speak; weights are not read: browsers sort. */
static bool accepted_language(struct str list, enum tr_language *ret)
{
	while (list.p) {
		struct str item = str_trim(str_cut(&list, ','));

		if (item.n >= 2 && strncasecmp(item.p, "zh", 2) == 0) {
			*ret = TR_ZH;
			return true;
		}
		if (item.n >= 2 && strncasecmp(item.p, "en", 2) == 0) {
			*ret = TR_EN;
			return true;
		}
	}
	return false;
}

void exchange_choose_language(struct exchange *x)
{
	struct str asked = exchange_query(x, "lang");

	x->language = TR_ZH;
	if (!accepted_language(asked, &x->language)) {
		if (x->has_session)
			x->language = x->session.language;
		else
			(void)accepted_language(
				exchange_header(x, "Accept-Language"), &x->language);
	}
	tr_set_language(x->language);
}

int exchange_json(struct exchange *x, const struct json **ret, struct err *err)
{
	static const struct json_limits limits = { EXCHANGE_MAX_JSON, EXCHANGE_MAX_DEPTH, 200000 };
	struct str text = x->body.n ? buf_str(&x->body) : STR("{}");
	int r = x->json ? 0 : json_parse(text, &limits, 0, &x->json, err);

	if (r < 0)
		return r;
	if (json_kind_of(x->json) != JSON_KIND_MAP)
		return err_set(err, ERR_INVALID, tr("a request is a JSON object"));
	*ret = x->json;
	return 0;
}

/* ---- the reply ---- */

void exchange_set(struct exchange *x, const char *name, const char *fmt, ...)
{
	char *text = NULL;
	va_list list;
	int n;

	va_start(list, fmt);
	n = vasprintf(&text, fmt, list);
	va_end(list);
	for (int i = 0; i < n; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			n = -1;
	}
	if (n < 0 || n > 8000 || x->header_count == EXCHANGE_MAX_HEADERS) {
		x->status = 500;
		free(text);
		return;
	}
	x->headers[x->header_count++] = (struct exchange_pair){ str_of(name),
		{ arena_copy(x->arena, text, (size_t)n + 1), (size_t)n } };
	free(text);
}

struct str exchange_get(const struct exchange *x, const char *name)
{
	for (size_t i = 0; i < x->header_count; i++) {
		if (strcasecmp(x->headers[i].name.p, name) == 0)
			return x->headers[i].value;
	}
	return (struct str){ NULL, 0 };
}

/* What RFC 8187 calls attr-char. */
static bool is_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && c < 0x80 && strchr("!#$&+-.^_`|~", c));
}

void exchange_disposition(struct exchange *x, bool is_inline, struct str name)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT_MAX(4096), full = BUF_INIT_MAX(8192);

	if (name.n > 1000)
		name.n = 1000;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		/* Old readers: letters, digits and a few signs, one "_" for each other character. */
		if (is_plain(c) || c == ' ' || c == '(' || c == ')')
			buf_addc(&plain, (char)c);
		else if (c < 0x80 || c >= 0xc0)
			buf_addc(&plain, '_');
		if (is_plain(c))
			buf_addc(&full, (char)c);
		else
			buf_addf(&full, "%%%02X", c);
	}
	exchange_set(x, "Content-Disposition", "%s; filename=\"%s\"; filename*=UTF-8''%s",
		is_inline ? "inline" : "attachment", plain.p, full.p);
}

void exchange_is_json(struct exchange *x)
{
	exchange_set(x, "Content-Type", "application/json; charset=utf-8");
}

void exchange_stream(
	struct exchange *x, const struct exchange_stream *stream, void *context, uint64_t bytes)
{
	x->stream = stream;
	x->stream_context = context;
	x->stream_bytes = bytes;
}

void exchange_reset_reply(struct exchange *x)
{
	close_stream(x);
	x->status = 200;
	x->header_count = 0;
	x->fixed = (struct str){ NULL, 0 };
	x->is_conditional = false;
	buf_reset(&x->reply);
}
