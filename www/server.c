/* server.c - see server.h.
 *
 * The life of a request: libmicrohttpd calls `begin` with its target, then `handle` when the head is there
 * (dispatch_head), again for each piece of the body, and once more at its end; then it is answered at once
 * or suspended and handed to a worker, after which `handle` is called a last time and sends the answer.
 * `end` is called in any case.
 *
 * 1. A connection is suspended and resumed under the lock of its waker, so that a wake-up is never lost and never comes
 *    before the sleep.
 * 2. Everything that a suspended connection needs belongs to its carrier, which lives until `end`.
 * 3. No connection is suspended when the daemon is stopped: workers have run dry, streams were told to end. */
#include "www/server.h"

#include "www/cache.h"
#include "www/certificate.h"
#include "www/inside.h"
#include "www/links.h"
#include "www/workers.h"

#include "core/archive/log.h"
#include "core/base/clock.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum {
	BLOCK = 64 << 10,	/* of a streamed answer */
	SMALL_BODY = 64 << 10,	/* not counted */
	BODIES_MAX = 256 << 20, /* bytes of all bodies that are being received or worked on */
	DRAIN_MAX = 16 << 20,	/* what is read and dropped of a body that is refused */
	BEATS_OF_STREAM = 15,	/* a stream with nothing to say is asked so often */
	MEMORY_PER_CONNECTION = 24 << 10, /* for its head, among others */
};

struct waker {
	_Atomic unsigned refs;
	pthread_mutex_t lock;
	struct MHD_Connection *connection; /* NULL: gone */
	bool is_asleep, was_woken;
	struct waker *next, **at; /* in the server's list, for beats and for stopping */
};

struct server {
	struct www *www;
	struct MHD_Daemon *daemon;
	struct certificate *certificate;
	struct links *links;
	pthread_mutex_t lock;
	struct waker *wakers; /* of streams */
	_Atomic uint64_t bodies;
	_Atomic unsigned requests;
	unsigned beats; /* of the watching thread */
};

enum phase { PHASE_HEAD, PHASE_BODY, PHASE_REFUSED, PHASE_WORK, PHASE_READY, PHASE_SENT };

struct carrier {
	struct server *server;
	struct exchange *x;
	struct MHD_Connection *connection;
	struct link *link;
	struct waker *waker;
	_Atomic int phase;
	char *target;
	const char *method;
	uint64_t reserved; /* of server->bodies */
	uint64_t dropped, sent;
	int64_t began;
};

/* ---- waking ---- */

static struct waker *waker_new(struct MHD_Connection *connection)
{
	struct waker *w = xcalloc(1, sizeof(*w));

	atomic_store(&w->refs, 1);
	(void)pthread_mutex_init(&w->lock, NULL);
	w->connection = connection;
	return w;
}

struct waker *exchange_waker_ref(struct waker *w)
{
	if (w)
		atomic_fetch_add(&w->refs, 1);
	return w;
}

void exchange_waker_unref(struct waker *w)
{
	if (!w || atomic_fetch_sub(&w->refs, 1) != 1)
		return;
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

void exchange_wake(struct waker *w)
{
	if (!w)
		return;
	(void)pthread_mutex_lock(&w->lock);
	if (w->connection && w->is_asleep) {
		w->is_asleep = false;
		MHD_resume_connection(w->connection);
	} else {
		w->was_woken = true;
	}
	(void)pthread_mutex_unlock(&w->lock);
}

/* Invariant 1: called by the connection's own thread. False: it was woken meanwhile, so go on. */
static bool fall_asleep(struct waker *w)
{
	bool sleeps;

	(void)pthread_mutex_lock(&w->lock);
	sleeps = !w->was_woken;
	w->was_woken = false;
	if (sleeps) {
		w->is_asleep = true;
		MHD_suspend_connection(w->connection);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return sleeps;
}

static void waker_list(struct server *s, struct waker *w)
{
	(void)pthread_mutex_lock(&s->lock);
	w->next = s->wakers;
	w->at = &s->wakers;
	if (w->next)
		w->next->at = &w->next;
	s->wakers = w;
	(void)pthread_mutex_unlock(&s->lock);
}

static void waker_unlist(struct server *s, struct waker *w)
{
	(void)pthread_mutex_lock(&s->lock);
	if (w->at) {
		*w->at = w->next;
		if (w->next)
			w->next->at = w->at;
		w->at = NULL;
	}
	(void)pthread_mutex_unlock(&s->lock);
}

static void wake_streams(struct server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	for (struct waker *w = s->wakers; w; w = w->next)
		exchange_wake(w);
	(void)pthread_mutex_unlock(&s->lock);
}

/* By the watching thread, about once a second. */
static void beat(void *context)
{
	struct server *s = context;

	cache_tidy(s->www->cache, archive_is_sealed(s->www->archive));
	if (++s->beats % BEATS_OF_STREAM == 0)
		wake_streams(s);
}

/* ---- the answer ---- */

static ssize_t read_stream(void *context, uint64_t at, char *p, size_t n)
{
	struct carrier *c = context;
	struct exchange *x = c->x;

	for (;;) {
		int64_t got;

		if (atomic_load(&c->server->www->cancelling))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		got = x->stream->read(x->stream_context, at, p, n);
		if (got > 0) {
			c->sent += (uint64_t)got;
			link_moved(c->link, (uint64_t)got);
			return (ssize_t)got;
		}
		if (got == STREAM_END)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (got != STREAM_WAIT)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		if (fall_asleep(c->waker))
			return 0;
	}
}

static struct MHD_Response *make_response(struct carrier *c)
{
	struct exchange *x = c->x;
	struct str body = x->fixed.p ? x->fixed : buf_str(&x->reply);
	struct MHD_Response *response;

	/* The exchange outlives the answer: nothing is copied. */
	if (x->stream)
		response = MHD_create_response_from_callback(
			x->stream_bytes == STREAM_UNKNOWN ? MHD_SIZE_UNKNOWN : x->stream_bytes,
			BLOCK, read_stream, c, NULL);
	else
		response = MHD_create_response_from_buffer(
			body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_PERSISTENT);
	for (size_t i = 0; response && i < x->header_count; i++) {
		if (MHD_add_response_header(
			    response, x->headers[i].name.p, x->headers[i].value.p) != MHD_YES) {
			MHD_destroy_response(response);
			return NULL;
		}
	}
	return response;
}

static enum MHD_Result send_answer(struct carrier *c)
{
	struct exchange *x = c->x;
	struct MHD_Response *response = make_response(c);
	enum MHD_Result sent;

	if (!response)
		return MHD_NO;
	if (!x->stream) {
		c->sent = x->fixed.p ? x->fixed.n : x->reply.n;
		link_phase(c->link, LINK_ANSWER);
		link_moved(c->link, c->sent);
	} else {
		waker_list(c->server, c->waker);
		link_phase(c->link,
			x->route && (x->route->flags & ROUTE_LONG) ? LINK_STREAM : LINK_ANSWER);
	}
	sent = MHD_queue_response(c->connection, x->status, response);
	MHD_destroy_response(response);
	atomic_store(&c->phase, PHASE_SENT);
	return sent;
}

/* ---- work ---- */

static void work(void *context)
{
	struct carrier *c = context;
	struct metrics *m = &c->server->www->metrics;

	atomic_fetch_sub(&m->waiting, 1);
	atomic_fetch_add(&m->running, 1);
	dispatch(c->x);
	atomic_fetch_sub(&m->running, 1);
	atomic_store(&c->phase, PHASE_READY);
	exchange_wake(c->waker);
}

static enum MHD_Result begin_work(struct carrier *c)
{
	struct metrics *m = &c->server->www->metrics;
	struct exchange *x = c->x;

	link_phase(c->link, LINK_WORK);
	if ((x->route->flags & ROUTE_CACHED) && dispatch_cached(x))
		return send_answer(c);
	if (x->route->flags & ROUTE_QUICK) {
		dispatch(x);
		return send_answer(c);
	}
	atomic_store(&c->phase, PHASE_WORK);
	atomic_fetch_add(&m->waiting, 1);
	if (!workers_offer(c->server->www->workers, work, c)) {
		atomic_fetch_sub(&m->waiting, 1);
		atomic_fetch_add(&m->refused, 1);
		exchange_set(x, "Retry-After", "1");
		dispatch_refuse(
			x, 503, ERR_LIMIT, tr("too many requests at a time; try again soon"));
		return send_answer(c);
	}
	/* If the worker was quicker, this does not sleep. */
	return fall_asleep(c->waker) ? MHD_YES : send_answer(c);
}

/* ---- the body ---- */

/* Room for a large body among all of them. */
static bool reserve(struct carrier *c, uint64_t bytes)
{
	if (bytes <= SMALL_BODY || c->reserved >= bytes)
		return true;
	if (atomic_fetch_add(&c->server->bodies, bytes - c->reserved) + bytes - c->reserved >
		BODIES_MAX) {
		atomic_fetch_sub(&c->server->bodies, bytes - c->reserved);
		return false;
	}
	c->reserved = bytes;
	return true;
}

static void refuse_body(struct carrier *c, unsigned status, const char *text)
{
	if (status == 503)
		exchange_set(c->x, "Retry-After", "1");
	dispatch_refuse(c->x, status, ERR_LIMIT, text);
	atomic_store(&c->phase, PHASE_REFUSED);
}

static enum MHD_Result take_body(struct carrier *c, const char *p, size_t *n)
{
	struct exchange *x = c->x;
	size_t max;

	link_moved(c->link, *n);
	atomic_fetch_add(&c->server->www->metrics.bytes_in, *n);
	if (atomic_load(&c->phase) == PHASE_REFUSED) {
		/* An answer can be sent only after the body: a short rest is dropped, a long one is cut. */
		c->dropped += *n;
		*n = 0;
		return c->dropped > DRAIN_MAX ? MHD_NO : MHD_YES;
	}
	max = dispatch_body_max(x);
	if (*n > max - x->body.n) {
		refuse_body(c, 413, tr("the body is larger than it may be here"));
	} else if (!reserve(c, x->body.n + *n)) {
		refuse_body(c, 503, tr("too much is being received at a time; try again soon"));
	} else {
		buf_add(&x->body, p, *n);
	}
	*n = 0;
	return MHD_YES;
}

/* ---- what libmicrohttpd calls ---- */

static struct str look_up(void *source, const char *name)
{
	struct carrier *c = source;

	return str_of(MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name));
}

/* With the target of a request, before anything else of it was looked at. */
static void *begin(void *context, const char *target, struct MHD_Connection *connection)
{
	struct carrier *c = xcalloc(1, sizeof(*c));

	(void)connection;
	c->server = context;
	c->target = xstrdup(target);
	c->began = clock_ticks();
	atomic_fetch_add(&c->server->requests, 1);
	return c;
}

static struct link *link_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* Headers of which two would be two requests in one: what we check must be what whoever stands between saw. */
static const char *const single_headers[] = { "Host", "Origin", "Sec-Fetch-Site", "Content-Type",
	"If-Match", "Upload-Offset" };

struct head_check {
	unsigned seen; /* bits of single_headers */
	bool is_wrong;
};

static enum MHD_Result check_header(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct head_check *check = context;

	(void)kind;
	(void)value;
	for (size_t i = 0; i < ARRAY_LEN(single_headers); i++) {
		if (strcasecmp(name, single_headers[i]) != 0)
			continue;
		check->is_wrong = check->is_wrong || (check->seen & 1U << i);
		check->seen |= 1U << i;
	}
	return MHD_YES;
}

static bool is_ambiguous(struct MHD_Connection *connection)
{
	struct head_check check = { .seen = 0 };

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, check_header, &check);
	return check.is_wrong;
}

static enum MHD_Result take_head(
	struct carrier *c, struct MHD_Connection *connection, const char *method)
{
	struct exchange *x = exchange_new(c->server->www);
	const char *length =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
	uint64_t bytes = 0;

	c->x = x;
	c->connection = connection;
	c->method = method;
	c->link = link_of(connection);
	if (!c->link)
		return MHD_NO;
	c->waker = waker_new(connection);
	x->waker = c->waker;
	x->method = exchange_method_of(method);
	x->header = look_up;
	x->header_source = c;
	(void)snprintf(x->peer, sizeof(x->peer), "%s", link_peer(c->link, &x->is_local));
	link_phase(c->link, LINK_BODY);
	atomic_store(&c->phase, PHASE_BODY);
	if (length && str_to_u64(str_of(length), INT64_MAX, &bytes, NULL) < 0)
		bytes = INT64_MAX;
	if (is_ambiguous(connection)) {
		exchange_choose_language(x);
		dispatch_refuse(
			x, 400, ERR_INVALID, tr("a header of the request stands there twice"));
		return send_answer(c);
	}
	if (!dispatch_head(x, c->target)) {
		/* Answering before the body was read closes the connection: only where it is long, or where the
		 * client waits to hear whether it shall come. */
		atomic_store(&c->phase, PHASE_REFUSED);
		return bytes > DRAIN_MAX || (bytes > 0 && look_up(c, "Expect").p) ? send_answer(c)
										  : MHD_YES;
	}
	buf_init(&x->body, dispatch_body_max(x) + 1);
	if (!reserve(c, bytes)) {
		refuse_body(c, 503, tr("too much is being received at a time; try again soon"));
		return send_answer(c);
	}
	return MHD_YES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *data_size, void **state)
{
	struct carrier *c = *state;

	(void)context;
	(void)url;
	(void)version;
	switch ((enum phase)atomic_load(&c->phase)) {
	case PHASE_HEAD:
		return take_head(c, connection, method);
	case PHASE_BODY:
		return *data_size > 0 ? take_body(c, data, data_size) : begin_work(c);
	case PHASE_REFUSED:
		return *data_size > 0 ? take_body(c, data, data_size) : send_answer(c);
	case PHASE_WORK: /* not yet: woken for another reason */
		return fall_asleep(c->waker) ? MHD_YES : send_answer(c);
	case PHASE_READY:
		return send_answer(c);
	case PHASE_SENT:
		break;
	}
	return MHD_NO;
}

static void log_request(const struct carrier *c, int64_t nanoseconds)
{
	const struct exchange *x = c->x;

	log_line(LOG_LEVEL_INFO, "http %s %s %s %u %llu bytes %lld ms %s", c->method,
		x->route ? x->route->pattern : "-", x->has_session ? x->session.account : "-",
		x->status, (unsigned long long)c->sent, (long long)(nanoseconds / 1000000),
		x->peer);
}

static void end(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct carrier *c = *state;
	struct server *s = context;

	(void)connection;
	(void)why;
	if (!c)
		return;
	*state = NULL;
	if (c->waker) {
		waker_unlist(s, c->waker);
		(void)pthread_mutex_lock(&c->waker->lock);
		c->waker->connection = NULL;
		(void)pthread_mutex_unlock(&c->waker->lock);
		exchange_waker_unref(c->waker);
	}
	if (c->x) {
		int64_t took = clock_ticks() - c->began;

		metrics_count(&s->www->metrics, c->x->status, took);
		atomic_fetch_add(&s->www->metrics.bytes_out, c->sent);
		log_request(c, took);
	}
	if (c->link)
		link_phase(c->link, LINK_HEAD);
	atomic_fetch_sub(&s->bodies, c->reserved);
	exchange_free(c->x);
	free(c->target);
	free(c);
	atomic_fetch_sub(&s->requests, 1);
}

static void connection_changed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode what)
{
	struct server *s = context;
	const union MHD_ConnectionInfo *fd, *peer;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		link_remove(*state);
		*state = NULL;
		atomic_fetch_sub(&s->www->metrics.connections, 1);
		return;
	}
	fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*state = link_add(s->links, fd ? fd->connect_fd : -1, peer ? peer->client_addr : NULL);
	atomic_fetch_add(&s->www->metrics.connections, 1);
}

/* Addresses are decoded by exchange.c, strictly, and only once. */
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

/* libmicrohttpd has no context for this callback but the session's daemon; there is one server in a process that has
 * a network, and handshakes look here for its certificate. */
static _Atomic(struct certificate *) certificate_in_use;

static int choose_certificate(gnutls_session_t session, const gnutls_datum_t *names,
	int names_count, const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
	gnutls_pcert_st **ret_chain, unsigned *ret_count, gnutls_privkey_t *ret_key)
{
	struct certificate *c = atomic_load(&certificate_in_use);

	(void)session;
	(void)names;
	(void)names_count;
	(void)algorithms;
	(void)algorithm_count;
	if (!c)
		return -1;
	certificate_now(c, ret_chain, ret_count, ret_key);
	return 0;
}

/* ---- start and stop ---- */

static struct MHD_Daemon *start_daemon(
	struct server *s, int listener, const struct server_limits *limits)
{
	static const char priorities[] =
		"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-AES-128-CBC:"
		"-AES-256-CBC:-SHA1:%SERVER_PRECEDENCE";

	return MHD_start_daemon(
		MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
		NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_THREAD_POOL_SIZE,
		limits->threads, MHD_OPTION_HTTPS_CERT_CALLBACK, choose_certificate,
		MHD_OPTION_HTTPS_PRIORITIES, priorities, MHD_OPTION_CONNECTION_LIMIT,
		limits->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits->per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_seconds,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
		MHD_OPTION_URI_LOG_CALLBACK, begin, s, MHD_OPTION_NOTIFY_COMPLETED, end, s,
		MHD_OPTION_NOTIFY_CONNECTION, connection_changed, s, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escapes, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

/* Between two requests libmicrohttpd cuts who is silent for idle_seconds; who sends a byte now and then
 * gets a little more. */
static unsigned head_seconds(const struct server_limits *limits)
{
	return limits->idle_seconds + (limits->idle_seconds < 15 ? limits->idle_seconds : 15);
}

int server_start(struct www *www, int listener, struct certificate *certificate,
	const struct server_limits *limits, struct server **ret, struct err *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	int r;

	s->www = www;
	s->certificate = certificate;
	(void)pthread_mutex_init(&s->lock, NULL);
	r = links_start(head_seconds(limits), beat, s, &s->links, err);
	if (r == 0) {
		atomic_store(&certificate_in_use, certificate);
		s->daemon = start_daemon(s, listener, limits);
		if (!s->daemon)
			r = err_set(err, ERR_IO, tr("cannot start the HTTPS server"));
	}
	if (r < 0) {
		(void)close(listener);
		links_stop(s->links);
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static void wait_for_requests(struct server *s, int64_t until)
{
	while (atomic_load(&s->requests) > 0 && clock_ticks() < until)
		(void)poll(NULL, 0, 10);
}

void server_stop(struct server *s, int64_t grace_ms)
{
	int listener;

	if (!s)
		return;
	listener = MHD_quiesce_daemon(s->daemon);
	wait_for_requests(s, clock_ticks() + grace_ms * 1000000);
	/* What is left is cancelled; streams that sleep are woken to see it. */
	atomic_store(&s->www->cancelling, true);
	while (atomic_load(&s->www->metrics.running) > 0 ||
		atomic_load(&s->www->metrics.waiting) > 0)
		(void)poll(NULL, 0, 5);
	wake_streams(s);
	wait_for_requests(s, clock_ticks() + (int64_t)200 * 1000000);
	wake_streams(s);
	MHD_stop_daemon(s->daemon);
	if (listener >= 0)
		(void)close(listener);
	atomic_store(&certificate_in_use, NULL);
	links_stop(s->links);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}
