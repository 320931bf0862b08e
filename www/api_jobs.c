/* api_jobs.c - long work, and what happens, as it happens (server-sent events). */
#include "www/inside.h"

#include "core/archive/news.h"
#include "core/base/clock.h"
#include "core/base/tr.h"

#include <stdlib.h>

/* ---- jobs ---- */

static int begin(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(VERB_MAX_REQUEST);
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str job;
	int r = www_body_members(x, &members, err);

	if (r == 0)
		r = www_answer_verb(x, "job.start", buf_str(&members), err);
	if (r == 0)
		r = json_parse(buf_str(&x->reply), NULL, 0, &doc, err);
	if (r == 0)
		r = json_need_text(doc, "job", &job, err);
	if (r < 0)
		return r;
	exchange_set(x, "Location", "/api/v1/jobs/%.*s", STR_ARG(job));
	x->status = 202;
	return 0;
}

/* The newest verification that came to an end, or nothing. */
static int verification(struct exchange *x, struct err *err)
{
	static const struct json_limits limits = { VERB_MAX_REPLY, 32, 1000000 };
	_cleanup_(buf_wipe) struct buf text = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	const struct json *jobs;
	int r;

	buf_addc(&text, '{');
	r = www_verb(x, "job.list", STR(""), NULL, 0, &text, err);
	if (r < 0)
		return r;
	buf_addc(&text, '}');
	if ((r = json_parse(buf_str(&text), &limits, 0, &doc, err)) < 0 ||
		(r = json_need_list(doc, "jobs", &jobs, err)) < 0)
		return r;
	for (size_t i = 0; i < json_list_count(jobs); i++) {
		const struct json *job = json_list_at(jobs, i);
		struct str verb, state;

		if (json_need_text(job, "verb", &verb, NULL) < 0 ||
			json_need_text(job, "state", &state, NULL) < 0 || !str_is(verb, "verify") ||
			!str_is(state, "done"))
			continue;
		exchange_is_json(x);
		return json_add_canonical(&x->reply, job, err);
	}
	buf_adds(&x->reply, "{}");
	exchange_is_json(x);
	return 0;
}

/* ---- events ---- */

enum { BEAT_SECONDS = 15, LIFE_SECONDS = 3600, PIECE_MAX = 256 << 10 };

/* One who listens. The stream ends with its session, and after an hour: the browser comes back, and is
 * asked anew who it is. */
struct listener {
	struct www *www;
	struct login_session session;
	struct news *news;
	struct waker *waker;
	bool is_watching;
	uint64_t at; /* the last event that went out */
	int64_t begun, beat;
	struct buf waiting; /* bytes that did not fit yet */
	size_t sent;
};

static void take_events(struct listener *l)
{
	_cleanup_(buf_done) struct buf json = BUF_INIT_MAX(NEWS_MAX_BYTES + 16);
	const char *name;

	while (l->waiting.n < PIECE_MAX / 2 && (name = news_next(l->news, &l->at, &json))) {
		buf_addf(&l->waiting, "id: %llu\nevent: %s\ndata: ", (unsigned long long)l->at,
			name);
		buf_add_str(&l->waiting, buf_str(&json));
		buf_adds(&l->waiting, "\n\n");
		buf_reset(&json);
	}
}

static int64_t listener_read(void *context, uint64_t offset, char *p, size_t n)
{
	struct listener *l = context;
	int64_t now = clock_ticks() / 1000000000;
	size_t left;

	(void)offset;
	if (l->sent == l->waiting.n) {
		if (!www_is_live(l->www, &l->session))
			return STREAM_END;
		buf_reset(&l->waiting);
		l->sent = 0;
		take_events(l);
		if (l->waiting.n == 0 && now - l->beat >= BEAT_SECONDS)
			buf_adds(&l->waiting, ": \n\n");
		if (l->waiting.n > 0)
			l->beat = now;
	}
	left = l->waiting.n - l->sent;
	if (left == 0)
		return now - l->begun >= LIFE_SECONDS ? STREAM_END : STREAM_WAIT;
	if (n > left)
		n = left;
	memcpy(p, l->waiting.p + l->sent, n);
	l->sent += n;
	return (int64_t)n;
}

static void wake_listener(void *context)
{
	struct listener *l = context;

	exchange_wake(l->waker);
}

static void listener_close(void *context)
{
	struct listener *l = context;

	if (l->is_watching)
		news_unwatch(l->news, l);
	exchange_waker_unref(l->waker);
	buf_done(&l->waiting);
	free(l);
}

static const struct exchange_stream listener_stream = { listener_read, listener_close };

/* News tell of jobs and records, so they are for those who may list them. */
static int check_listener(struct exchange *x, struct err *err)
{
	const struct access_subject subject = { .kind = SUBJECT_ARCHIVE };
	struct access_caller caller;
	struct verb_stamp stamp;

	login_caller(&x->session, &caller);
	return verb_peek(x->www->archive, STR("job.list"), &caller, &subject, &stamp, err);
}

static int listen_to(struct exchange *x, struct err *err)
{
	struct str last = exchange_header(x, "Last-Event-ID");
	struct listener *l;
	uint64_t at;
	int r = check_listener(x, err);

	if (r < 0)
		return r;
	l = xcalloc(1, sizeof(*l));
	l->www = x->www;
	l->session = x->session;
	l->news = archive_news(x->www->archive);
	l->begun = l->beat = clock_ticks() / 1000000000;
	l->at = news_last(l->news);
	/* Another process may have counted: a number that is not reached yet is none of ours. */
	if (last.p && str_to_u64(last, UINT64_MAX, &at, NULL) == 0 && at < l->at)
		l->at = at;
	buf_init(&l->waiting, PIECE_MAX);
	buf_adds(&l->waiting, "retry: 3000\n\n");
	exchange_set(x, "Content-Type", "text/event-stream; charset=utf-8");
	exchange_set(x, "Cache-Control", "no-store");
	exchange_set(x, "X-Accel-Buffering", "no");
	if (x->waker) {
		l->waker = exchange_waker_ref(x->waker);
		l->is_watching = news_watch(l->news, wake_listener, l);
	}
	exchange_stream(x, &listener_stream, l, STREAM_UNKNOWN);
	return 0;
}

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/jobs", ROUTE_READER, .verb = "job.list" },
	{ METHOD_POST, "/api/v1/jobs", ROUTE_SESSION, .run = begin, .flags = ROUTE_JSON },
	{ METHOD_GET, "/api/v1/jobs/{job}", ROUTE_READER, .verb = "job.show" },
	{ METHOD_DELETE, "/api/v1/jobs/{job}", ROUTE_SESSION, .verb = "job.cancel" },
	{ METHOD_GET, "/api/v1/verification", ROUTE_READER, .run = verification },
	{ METHOD_GET, "/api/v1/events", ROUTE_SESSION, .run = listen_to, .flags = ROUTE_LONG },
};
const struct route_group api_jobs = { routes, ARRAY_LEN(routes) };
