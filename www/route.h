/* route.h - what can be asked over HTTP: tables of routes, and the dispatcher.
 *
 * How to add routes: write www/api_THING.c with
 *
 *	static int take(struct exchange *x, struct err *err) { ... }
 *	static const struct route_param params[] = { { "q", PARAM_TEXT, "query" }, { NULL } };
 *	static const struct route routes[] = {
 *		{ METHOD_GET, "/api/v1/things/{thing}", ROUTE_READER, .verb = "thing.show", .params = params },
 *		{ METHOD_POST, "/api/v1/things", ROUTE_FILER, .run = take, .flags = ROUTE_JSON },
 *	};
 *	const struct route_group api_things = { routes, ARRAY_LEN(routes) };
 *
 * and add `api_things` to route.h and to the list in route.c, the file to www/meson.build, and each route to
 * openapi.json (a test compares both ways).
 *
 * A route with `verb` and no `run` is done by the dispatcher: parameters, {placeholders} and (with ROUTE_JSON) the
 * members of the body become the request of that verb, with `as` = the account of the session, and its reply is the
 * answer. A placeholder becomes the member of its name. A handler does the same with www_verb() (www.h) where it has
 * something to add.
 *
 * A handler returns 0 with x->status, headers and body set, or an error, of which the dispatcher makes
 * application/problem+json (problem.h); what it had put into x->reply then (members, after the brace) goes out beside
 * the error. It runs on a worker, so it may wait; ROUTE_QUICK ones run on a network thread, and must not. */
#ifndef MUN_WWW_ROUTE_H
#define MUN_WWW_ROUTE_H

#include "www/exchange.h"

enum route_need {
	ROUTE_PUBLIC,  /* anybody, sealed or not */
	ROUTE_SESSION, /* somebody who is logged in, whatever the role */
	ROUTE_READER,  /* the same; what exactly may be read core/archive/access.h says */
	ROUTE_FILER,   /* a session whose role may write */
};

enum route_flags {
	ROUTE_QUICK = 1 << 0,  /* memory only: no worker */
	ROUTE_JSON = 1 << 1,   /* the body is a JSON object: application/json, at most
				EXCHANGE_MAX_JSON, or EXCHANGE_MAX_STRANGER where it is public */
	ROUTE_BYTES = 1 << 2,  /* the body is application/octet-stream, at most body_max */
	ROUTE_SHELL = 1 << 3,  /* a page of the user interface, not of the API */
	ROUTE_CACHED = 1 << 5, /* a verb's reply, kept for a moment: cache.h */
	ROUTE_LONG = 1 << 4,   /* its answer is a stream that stays open: no limit on time */
};

enum param_kind {
	PARAM_TEXT,
	PARAM_INT,
	PARAM_BOOL,  /* 1, true; 0, false */
	PARAM_LIST,  /* may come several times */
	PARAM_OPAQUE /* what a reply called `next`: exchange_add_opaque */
};

struct route_param {
	const char *name;
	enum param_kind kind;
	const char
		*member; /* of the verb's request; NULL: the same name; "": for the handler alone */
};

typedef int route_run(struct exchange *x, struct err *err);

struct route {
	enum exchange_method method;
	const char *pattern;
	enum route_need need;
	route_run *run;
	const char *verb;
	const struct route_param *params; /* ends in a NULL name; others but `lang` are refused */
	unsigned flags;
	size_t body_max; /* with ROUTE_BYTES */
};

struct route_group {
	const struct route *routes;
	size_t count;
};

extern const struct route_group api_status, api_records, api_parts, api_search, api_series,
	api_keep, api_session, api_accounts, api_drafts, api_uploads, api_jobs, api_export, pages;
extern const struct route_group *const route_groups[];
extern const size_t route_group_count;

/* The route for a path (as it came) and method, and its decoded values. Errors: ERR_NOTFOUND (no such path);
 * ERR_UNSUPPORTED (not by this method; `Allow` is set). */
int route_find(struct exchange *x, struct err *err);

/* ---- the dispatcher ---- */

/* With the head of a request in x (target, method, header look-up, peer): find the route, check session, origin,
 * content type and length. False when the answer (a problem) is in x already. */
bool dispatch_head(struct exchange *x, const char *target);
/* How large the body may be; dispatch_head was true. */
size_t dispatch_body_max(const struct exchange *x);
/* With the body in x: the answer. Never fails: what failed is the answer. */
void dispatch(struct exchange *x);
/* The answer without running anything, when it was just given (ROUTE_CACHED). */
bool dispatch_cached(struct exchange *x);
/* Make the answer a problem, outside of handlers (a body that is too long, a queue that is full). */
void dispatch_refuse(struct exchange *x, unsigned status, int code, const char *text);

#endif
