/* exchange.h - one request and its reply, whatever carried them.
 *
 * Handlers see this and nothing of libmicrohttpd: server.c fills it from a connection, tests and the fuzz target
 * fill it by hand. Memory of a request (decoded texts, header values) comes from the arena and lives as long as the
 * exchange. One thread at a time.
 *
 * A reply is a status, headers and one body: what stands in `reply` (JSON mostly), or a text that outlives the
 * exchange (exchange_fixed), or a stream whose bytes come piece by piece (exchange_stream). */
#ifndef MUN_WWW_EXCHANGE_H
#define MUN_WWW_EXCHANGE_H

#include "www/session.h"

#include "core/base/arena.h"
#include "core/base/json.h"
#include "core/base/tr.h"

struct www;
struct route;

enum {
	EXCHANGE_MAX_TARGET = 8192, /* bytes of path and query; more is 414 */
	EXCHANGE_MAX_QUERY = 64,    /* parameters; more is 400 */
	EXCHANGE_MAX_VALUES = 4,    /* {placeholders} of a route */
	EXCHANGE_MAX_HEADERS = 24,  /* of a reply */
	EXCHANGE_MAX_JSON = 4 << 20,
	EXCHANGE_MAX_STRANGER = 16 << 10, /* bytes of a body from who is not logged in */
	EXCHANGE_MAX_DEPTH = 32,
};

enum exchange_method {
	METHOD_GET,
	METHOD_HEAD, /* answered as GET, without the body */
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OTHER
};

struct exchange_pair {
	struct str name, value;
};

/* Bytes of a body that are not there all at once. Called on a network thread, never two at a time. */
struct exchange_stream {
	/* Put up to n bytes into p. The number; STREAM_END; STREAM_FAILED, which cuts the connection; or STREAM_WAIT
	 * when there is nothing now: then nobody asks again before exchange_wake() was called for the waker. Must
	 * not block. */
	int64_t (*read)(void *context, uint64_t at, char *p, size_t n);
	/* The body is out, or the client went away; called once, on any thread. */
	void (*close)(void *context);
};
enum { STREAM_WAIT = 0, STREAM_END = -1, STREAM_FAILED = -2 };
#define STREAM_UNKNOWN UINT64_MAX /* a size that is not known: chunked */

struct waker;

struct exchange {
	struct www *www;
	struct arena *arena;
	const struct route *route; /* NULL until one was found */

	/* ---- the request ---- */
	enum exchange_method method;
	const char *method_name;
	struct str target; /* as it came: "/a%20b?c=d" */
	struct str path;   /* its first half, as it came */
	struct str values
		[EXCHANGE_MAX_VALUES]; /* of the route's {placeholders} in their order, decoded */
	struct exchange_pair query[EXCHANGE_MAX_QUERY]; /* decoded */
	size_t query_count;
	/* The first header of that name, or p == NULL. */
	struct str (*header)(void *source, const char *name);
	void *header_source;
	struct buf body;
	char peer[64]; /* address of the client, without port */
	bool is_local; /* it is a loopback address */
	bool has_session;
	struct login_session session;
	enum tr_language language;

	/* ---- the reply ---- */
	unsigned status; /* 200 unless somebody says another */
	struct exchange_pair headers[EXCHANGE_MAX_HEADERS];
	size_t header_count;
	struct buf reply;
	struct str fixed; /* instead of it; lives longer than the exchange */
	const struct exchange_stream *stream;
	void *stream_context;
	uint64_t stream_bytes;
	struct waker *waker; /* to be given to whoever wakes the stream; NULL where nobody can */
	/* How a failure that the handler returns is told, where its error's code does not say it: 0 and
	 * NULL otherwise. */
	unsigned fail_status;
	const char *fail_code;
	bool is_conditional; /* If-None-Match is compared with the ETag of the reply */

	struct json *json; /* of the body, once it was parsed */
};

struct exchange *exchange_new(struct www *www);
void exchange_free(struct exchange *x);
DEFINE_CLEANUP(struct exchange *, exchange_free)

/* ---- looking at the request ---- */

enum exchange_method exchange_method_of(const char *name);
/* Take the target apart: path and decoded parameters. Errors: ERR_INVALID (not a path, bad escapes, not UTF-8,
 * NUL), ERR_LIMIT. */
int exchange_parse_target(struct exchange *x, const char *target, struct err *err);
/* Undo %XX (and + in a query) into the arena. Errors: ERR_INVALID. */
int exchange_decode(
	struct exchange *x, struct str text, bool is_query, struct str *ret, struct err *err);
/* The value of a parameter; p == NULL when there is none. */
struct str exchange_query(const struct exchange *x, const char *name);
struct str exchange_header(const struct exchange *x, const char *name);
/* The value of a cookie; p == NULL when there is none. */
struct str exchange_cookie(const struct exchange *x, const char *name);
/* Says which language the answer is in, from ?lang, the session and Accept-Language, and sets it for this thread. */
void exchange_choose_language(struct exchange *x);
/* The body, which must be a JSON object; parsed once, freed with the exchange. Errors: ERR_INVALID, ERR_LIMIT. */
int exchange_json(struct exchange *x, const struct json **ret, struct err *err);

/* ---- making the reply ---- */

/* Add a header. A value with a control character, or one header too many, is a mistake of ours that must not reach
 * the client as anything else: the header is left out and the status becomes 500. */
void exchange_set(struct exchange *x, const char *name, const char *fmt, ...) _printf_(3, 4);
/* As set before, or p == NULL. */
struct str exchange_get(const struct exchange *x, const char *name);
/* Content-Disposition for a file of that name: `inline` or `attachment`, with a plain name for old readers and the
 * right one in UTF-8 (RFC 6266). */
void exchange_disposition(struct exchange *x, bool is_inline, struct str name);
/* JSON whose braces stand in `reply` already. */
void exchange_is_json(struct exchange *x);
void exchange_stream(
	struct exchange *x, const struct exchange_stream *stream, void *context, uint64_t bytes);
/* Forget all that was said: to say something else instead. Closes the stream. */
void exchange_reset_reply(struct exchange *x);

/* The stream has bytes again (or has ended): it is asked soon. Any thread; harmless when nobody waits. */
void exchange_wake(struct waker *waker);
struct waker *exchange_waker_ref(struct waker *waker);
void exchange_waker_unref(struct waker *waker);

/* ---- validators ---- */

/* True when a list like `"a", W/"b"` or `*` names this tag (given without quotation marks). */
bool exchange_tag_matches(struct str list, struct str tag);

enum range_kind {
	RANGE_NONE, /* all bytes: no header, or one that may be ignored (several ranges, another unit) */
	RANGE_FROM, /* from `first` up to and with `last` (UINT64_MAX: to the end) */
	RANGE_LAST, /* the last `last` bytes */
	RANGE_WRONG /* none that could exist */
};
struct range {
	enum range_kind kind;
	uint64_t first, last;
};
struct range range_parse(struct str header);
/* With the size known: false when there is no such byte (416). */
bool range_resolve(const struct range *r, uint64_t size, uint64_t *ret_first, uint64_t *ret_last);

#endif
