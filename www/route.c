/* route.c - see route.h: which route a path means, and what is checked before its handler runs.
 *
 * The order of the checks is what a client is told first: the address, the method, the length and kind of
 * the body, where the request comes from (another site's page may not make a browser act), who asks, and
 * whether that one may. */
#include "www/route.h"

#include "www/cache.h"
#include "www/inside.h"
#include "www/problem.h"

#include "core/archive/log.h"
#include "core/base/clock.h"

#include <strings.h>

const struct route_group *const route_groups[] = {
	&api_status, &api_records, &api_parts, &api_search, &api_series, &api_keep, &api_session,
	&api_accounts, &api_drafts, &api_uploads, &api_jobs, &api_export,
	&pages, /* the last: everything else is the user interface's */
};
const size_t route_group_count = ARRAY_LEN(route_groups);

/* ---- finding ---- */

/* "{rest...}" at the end of a pattern takes all that is left, slashes too. */
static bool takes_rest(struct str piece)
{
	return piece.n > 5 && piece.p[0] == '{' && memcmp(piece.p + piece.n - 4, "...}", 4) == 0;
}

static bool matches(const char *pattern, struct str path, struct str *values, size_t *ret_count)
{
	struct str want = str_of(pattern + 1), have = { path.p + 1, path.n - 1 };

	*ret_count = 0;
	for (;;) {
		struct str rest = have, piece = str_cut(&want, '/'), got = str_cut(&have, '/');

		if (takes_rest(piece)) {
			values[(*ret_count)++] = rest;
			return true;
		}
		if (piece.n > 1 && piece.p[0] == '{') {
			if (got.n == 0)
				return false;
			values[(*ret_count)++] = got;
		} else if (!str_eq(piece, got)) {
			return false;
		}
		if (!want.p || !have.p)
			return !want.p && !have.p;
	}
}

static bool is_method(const struct route *route, enum exchange_method method)
{
	return route->method == method || (route->method == METHOD_GET && method == METHOD_HEAD);
}

int route_find(struct exchange *x, struct err *err)
{
	static const char *const names[] = { "GET, HEAD", "HEAD", "POST", "PUT", "PATCH",
		"DELETE" };
	_cleanup_(buf_done) struct buf allow = BUF_INIT_MAX(200);
	struct str values[EXCHANGE_MAX_VALUES];
	size_t count;

	for (size_t g = 0; g < route_group_count; g++) {
		for (size_t i = 0; i < route_groups[g]->count; i++) {
			const struct route *route = &route_groups[g]->routes[i];

			/* The pages of the interface take every address but those of the API. */
			if ((route->flags & ROUTE_SHELL) && str_starts(x->path, "/api/"))
				continue;
			if (!matches(route->pattern, x->path, values, &count))
				continue;
			if (!is_method(route, x->method)) {
				if (!(route->flags & ROUTE_SHELL) || allow.n == 0)
					buf_addf(&allow, "%s%s", allow.n ? ", " : "",
						names[route->method]);
				continue;
			}
			for (size_t v = 0; v < count; v++) {
				int r = exchange_decode(x, values[v], false, &x->values[v], err);

				if (r < 0)
					return r;
			}
			x->route = route;
			return 0;
		}
	}
	if (allow.n == 0)
		return err_set(err, ERR_NOTFOUND, tr("there is nothing at this address"));
	exchange_set(x, "Allow", "%s", allow.p);
	return err_set(err, ERR_UNSUPPORTED, tr("this cannot be done at this address"));
}

/* ---- checks before the body ---- */

/* A page of another site can make a browser send requests here, but not without the browser saying so. */
static bool is_cross_site(const struct exchange *x)
{
	struct str site = exchange_header(x, "Sec-Fetch-Site"),
		   origin = exchange_header(x, "Origin"), host = exchange_header(x, "Host");

	if (site.p && !str_is(site, "same-origin") && !str_is(site, "none"))
		return true;
	if (!origin.p)
		return false;
	return !str_starts(origin, "https://") || origin.n != host.n + 8 ||
	       strncasecmp(origin.p + 8, host.p, host.n) != 0;
}

static bool has_media(const struct exchange *x, const char *media)
{
	struct str type = exchange_header(x, "Content-Type"), name = str_trim(str_cut(&type, ';'));

	return name.n == strlen(media) && strncasecmp(name.p, media, name.n) == 0;
}

static int check_body(struct exchange *x, struct err *err)
{
	struct str length = exchange_header(x, "Content-Length");
	const char *media = x->route->flags & ROUTE_JSON    ? "application/json"
			    : x->route->flags & ROUTE_BYTES ? "application/octet-stream"
							    : NULL;
	uint64_t n = 0;
	bool has_body;

	if (length.p && str_to_u64(length, INT64_MAX, &n, NULL) < 0)
		return err_set(err, ERR_INVALID, tr("Content-Length is no number"));
	has_body = n > 0 || exchange_header(x, "Transfer-Encoding").p;
	if (n > dispatch_body_max(x)) {
		x->fail_status = 413;
		return err_set(err, ERR_LIMIT, tr("the body has more than %zu bytes"),
			dispatch_body_max(x));
	}
	if (media && has_body && !has_media(x, media)) {
		x->fail_status = 415;
		return err_set(err, ERR_UNSUPPORTED, tr("the body must be %s"), media);
	}
	return 0;
}

static int check_session(struct exchange *x, struct err *err)
{
	struct session_source *source = &x->www->sessions;
	struct str token = exchange_cookie(x, SESSION_COOKIE);
	int r = -ERR_NOTFOUND;

	if (token.p && token.n > 0 && token.n <= 200)
		r = source->find(source->context, token, &x->session, NULL);
	x->has_session = r == 0;
	if (x->route->need == ROUTE_PUBLIC)
		return 0;
	if (!x->has_session) {
		if (r == -ERR_SEALED || archive_is_sealed(x->www->archive))
			return err_set(err, ERR_SEALED,
				tr("the archive is sealed: two custodians must unseal it"));
		x->fail_status = 401;
		x->fail_code = "session";
		return err_set(err, ERR_DENIED, tr("please log in"));
	}
	if (x->route->need == ROUTE_FILER && !(x->session.roles & ROLE_FILER))
		return err_set(err, ERR_DENIED, tr("'%s' may read, but not file"), x->session.name);
	return 0;
}

static int check_head(struct exchange *x, const char *target, struct err *err)
{
	int r = exchange_parse_target(x, target, err);

	exchange_choose_language(x);
	if (r < 0) {
		x->fail_status = r == -ERR_LIMIT && x->path.n == 0 ? 414 : 400;
		return r;
	}
	r = route_find(x, err);
	if (r < 0) {
		x->fail_status = r == -ERR_UNSUPPORTED ? 405 : 0;
		return r;
	}
	r = check_body(x, err);
	if (r < 0)
		return r;
	if (x->method != METHOD_GET && x->method != METHOD_HEAD && is_cross_site(x))
		return err_set(err, ERR_DENIED, tr("another site may not ask for this"));
	r = check_session(x, err);
	exchange_choose_language(x);
	return r;
}

static void set_common(struct exchange *x);

bool dispatch_head(struct exchange *x, const char *target)
{
	struct err err = ERR_INIT;
	int r = check_head(x, target, &err);

	if (r == 0)
		return true;
	/* The sentence was made before the language was known for sure where the address is wrong: that is fine. */
	problem_say(x, 0, &err, STR(""));
	set_common(x);
	return false;
}

size_t dispatch_body_max(const struct exchange *x)
{
	/* Strangers must not fill the room that bodies share. */
	if (x->route->flags & ROUTE_JSON)
		return x->route->need == ROUTE_PUBLIC ? EXCHANGE_MAX_STRANGER : EXCHANGE_MAX_JSON;
	return x->route->flags & ROUTE_BYTES ? x->route->body_max : 0;
}

void dispatch_refuse(struct exchange *x, unsigned status, int code, const char *text)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, code, "%s", text);
	x->fail_status = 0;
	x->fail_code = NULL;
	problem_say(x, status, &err, STR(""));
	set_common(x);
}

/* ---- the answer ---- */

/* What every answer carries. Pages and files of the user interface bring their own policy. */
static void set_common(struct exchange *x)
{
	if (!exchange_get(x, "Content-Security-Policy").p)
		exchange_set(x, "Content-Security-Policy",
			"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox");
	if (!exchange_get(x, "Cache-Control").p)
		exchange_set(x, "Cache-Control", "no-store");
	exchange_set(x, "X-Content-Type-Options", "nosniff");
	exchange_set(x, "Referrer-Policy", "no-referrer");
	exchange_set(x, "Cross-Origin-Resource-Policy", "same-origin");
}

static int check_query(struct exchange *x, struct err *err)
{
	for (size_t i = 0; i < x->query_count; i++) {
		const struct route_param *p = x->route->params;

		while (p && p->name && !str_is(x->query[i].name, p->name))
			p++;
		if ((p && p->name) || str_is(x->query[i].name, "lang") ||
			(x->route->flags & ROUTE_SHELL))
			continue;
		say_text(&x->reply, "field", x->query[i].name);
		return err_set(err, ERR_INVALID, tr("there is no parameter '%.*s' here"),
			STR_ARG(x->query[i].name));
	}
	return 0;
}

static int run_verb(struct exchange *x, struct err *err)
{
	_cleanup_(buf_wipe) struct buf members = BUF_INIT_MAX(VERB_MAX_REQUEST);
	int r = www_members(x, &members, err);

	if (r == 0 && (x->route->flags & ROUTE_JSON))
		r = www_body_members(x, &members, err);
	if (r == 0)
		r = buf_check(&members, err);
	return r < 0 ? r : www_answer_verb(x, x->route->verb, buf_str(&members), err);
}

static bool is_not_modified(const struct exchange *x)
{
	struct str wanted = exchange_header(x, "If-None-Match"), tag = exchange_get(x, "ETag");

	if (!x->is_conditional || !wanted.p || tag.n < 2 || x->status != 200 ||
		(x->method != METHOD_GET && x->method != METHOD_HEAD))
		return false;
	return exchange_tag_matches(wanted, (struct str){ tag.p + 1, tag.n - 2 });
}

static void say_not_modified(struct exchange *x)
{
	struct exchange_pair headers[EXCHANGE_MAX_HEADERS];
	size_t n = x->header_count;

	memcpy(headers, x->headers, sizeof(headers));
	exchange_reset_reply(x);
	for (size_t i = 0; i < n; i++) {
		if (strncasecmp(headers[i].name.p, "Content-", 8) != 0 ||
			str_is(headers[i].name, "Content-Security-Policy"))
			x->headers[x->header_count++] = headers[i];
	}
	x->status = 304;
}

/* ---- answers that were just given ---- */

static bool cache_key(const struct exchange *x, struct buf *key, struct verb_stamp *stamp)
{
	struct access_caller caller;
	const struct access_subject subject = { SUBJECT_RECORD, x->values[0] };

	if (!(x->route->flags & ROUTE_CACHED) || !x->has_session || x->body.n > 0)
		return false;
	memset(stamp, 0, sizeof(*stamp));
	login_caller(&x->session, &caller);
	buf_addf(key, "%s %d %.*s", x->session.account, x->language, STR_ARG(x->target));
	return !key->failed && verb_peek(x->www->archive, str_of(x->route->verb), &caller, &subject,
				       stamp, NULL) == 0;
}

bool dispatch_cached(struct exchange *x)
{
	_cleanup_(buf_done) struct buf key = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	struct verb_stamp stamp;
	char tag[100];

	if (!cache_key(x, &key, &stamp) ||
		!cache_find(x->www->cache, buf_str(&key), &stamp, &x->reply, tag, sizeof(tag)))
		return false;
	exchange_is_json(x);
	exchange_set(x, "ETag", "%s", tag);
	set_common(x);
	return true;
}

/* The stamp is of before: what changed while the answer was made makes it old at once. */
static void keep(struct exchange *x, struct str key, const struct verb_stamp *stamp)
{
	struct str tag = exchange_get(x, "ETag");

	if (key.n > 0 && x->status == 200 && tag.p && !x->stream && !x->reply.failed)
		cache_put(x->www->cache, key, stamp, buf_str(&x->reply), tag);
}

void dispatch(struct exchange *x)
{
	_cleanup_(buf_done) struct buf key = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	struct verb_stamp stamp;
	struct err err = ERR_INIT;
	int r;

	tr_set_language(x->language);
	if (!cache_key(x, &key, &stamp))
		buf_reset(&key);
	r = check_query(x, &err);
	if (r == 0)
		r = x->route->run ? x->route->run(x, &err) : run_verb(x, &err);
	if (r == 0 && x->reply.failed)
		r = err_set(&err, ERR_LIMIT, tr("the answer is too large to be sent"));
	if (r == 0 && x->status == 500)
		r = err_set(&err, ERR_IO, tr("the answer cannot be sent"));
	if (r < 0) {
		struct str members = x->reply.failed ? STR("") : buf_str(&x->reply);

		if (members.n > 0 && members.p[0] == '{') {
			members.p++;
			members.n--;
		}
		if (problem_status(err.code) >= 500 && err.code != -ERR_SEALED &&
			err.code != -ERR_CANCELLED && err.code != -ERR_BUSY)
			log_err(LOG_LEVEL_WARNING, x->route->pattern, &err);
		problem_say(x, 0, &err, members);
	} else if (is_not_modified(x)) {
		say_not_modified(x);
	} else {
		keep(x, buf_str(&key), &stamp);
	}
	set_common(x);
}
