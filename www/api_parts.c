/* api_parts.c - the bytes of parts.
 *
 * They are opened in windows of 4 MiB, as they were sealed (a chunk must be opened whole anyway): the handler opens the
 * first, which also says what the part is; while one window is on its way to the client, a worker opens the next. So
 * a client that reads slowly holds two windows and no thread, and an archive that is sealed or a session that ends
 * meanwhile ends the answer at the window's end.
 *
 * What strangers filed must not run here: only kinds that cannot (PDF, pictures, plain text) are shown in place,
 * everything else is a download, and bytes without a kind where a page could take it for a script or a style. */
#include "www/inside.h"
#include "www/workers.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WINDOW = 4 << 20 };

/* What the verb says of a part. */
struct facts {
	char *name, *media, sha256[65];
	uint64_t size;
};

static void facts_done(struct facts *f)
{
	free(f->name);
	free(f->media);
}

struct window {
	int fd;
	uint64_t first, n; /* of the part */
};

struct download {
	struct www *www;
	struct waker *waker;
	struct login_session session;
	char *members; /* which part, for the verb */
	char sha256[65];
	uint64_t first, last; /* what was asked for, both included */

	pthread_mutex_t lock;
	struct window now, next;
	bool next_ready, next_failed, next_running;
	unsigned refs; /* the stream, and a worker */
};

static int window_open(struct window *w, struct err *err)
{
	w->fd = memfd_create("part", MFD_CLOEXEC);
	return w->fd < 0 ? err_errno(err, tr("cannot make a file in memory")) : 0;
}

/* ---- the verb ---- */

static int read_facts(struct str text, struct facts *ret, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str name, media, sha256;
	int64_t size;
	int r = json_parse(text, NULL, 0, &doc, err);

	if (r < 0 || (r = json_need_text(doc, "name", &name, err)) < 0 ||
		(r = json_need_text(doc, "media", &media, err)) < 0 ||
		(r = json_need_text(doc, "sha256", &sha256, err)) < 0 ||
		(r = json_need_int(doc, "size", 0, INT64_MAX, &size, err)) < 0)
		return r;
	*ret = (struct facts){
		.name = str_dup(name), .media = str_dup(media), .size = (uint64_t)size
	};
	memcpy(ret->sha256, sha256.p, sha256.n < 64 ? sha256.n : 64);
	return 0;
}

/* Bytes first to last (both included) into the window's file. */
static int get(struct www *www, const char *account, const char *members, struct window *w,
	uint64_t first, uint64_t last, struct facts *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf request = BUF_INIT_MAX(EXCHANGE_MAX_TARGET + 200),
				       reply = BUF_INIT_MAX(1 << 16);
	struct facts facts;
	int r;

	/* What is left of another window behind the end is never read: keeping its memory is cheaper. */
	if (lseek(w->fd, 0, SEEK_SET) < 0)
		return err_errno(err, tr("cannot make a file in memory"));
	buf_adds(&request, members);
	say_int(&request, "from", (int64_t)first);
	say_int(&request, "to", (int64_t)last);
	buf_addc(&reply, '{');
	r = www_run_verb(www, account, "get", buf_str(&request), &w->fd, 1, &reply, err);
	buf_addc(&reply, '}');
	if (r == 0)
		r = read_facts(buf_str(&reply), &facts, err);
	if (r < 0)
		return r;
	w->first = first;
	w->n = facts.size > first ? facts.size - first : 0;
	if (w->n > last - first + 1)
		w->n = last - first + 1;
	*ret = facts;
	return 0;
}

/* The last byte of the window that byte `at` stands in. */
static uint64_t window_end(uint64_t at)
{
	return at - at % WINDOW + WINDOW - 1;
}

/* ---- a download ---- */

static void download_unref(struct download *d)
{
	bool last;

	(void)pthread_mutex_lock(&d->lock);
	last = --d->refs == 0;
	(void)pthread_mutex_unlock(&d->lock);
	if (!last)
		return;
	exchange_waker_unref(d->waker);
	(void)pthread_mutex_destroy(&d->lock);
	closep(&d->now.fd);
	closep(&d->next.fd);
	free(d->members);
	free(d);
}

static void fill_next(void *context)
{
	struct download *d = context;
	struct facts facts = { .name = NULL };
	uint64_t last = window_end(d->next.first);
	int r = get(d->www, d->session.account, d->members, &d->next, d->next.first,
		last < d->last ? last : d->last, &facts, NULL);

	/* Without a version in the request it could have been revised meanwhile. */
	if (r == 0 && (strcmp(facts.sha256, d->sha256) != 0 || d->next.n == 0))
		r = -ERR_CONFLICT;
	if (r == 0 && !www_is_live(d->www, &d->session))
		r = -ERR_DENIED;
	facts_done(&facts);
	(void)pthread_mutex_lock(&d->lock);
	d->next_ready = r == 0;
	d->next_failed = r < 0;
	d->next_running = false;
	(void)pthread_mutex_unlock(&d->lock);
	exchange_wake(d->waker);
	download_unref(d);
}

/* Under the lock: have the window after this one opened, if there is one. */
static void begin_next(struct download *d)
{
	uint64_t first = d->now.first + d->now.n;

	if (first > d->last)
		return;
	if (d->next.fd < 0 && window_open(&d->next, NULL) < 0) {
		d->next_failed = true;
		return;
	}
	d->next.first = first;
	d->next_ready = false;
	d->next_running = true;
	d->refs++;
	workers_continue(d->www->workers, fill_next, d);
}

static int64_t read_now(struct download *d, uint64_t at, char *p, size_t n)
{
	uint64_t left = d->now.first + d->now.n - at;
	ssize_t got = pread(d->now.fd, p, n < left ? n : left, (off_t)(at - d->now.first));

	return got <= 0 ? STREAM_FAILED : got;
}

static int64_t download_read(void *context, uint64_t offset, char *p, size_t n)
{
	struct download *d = context;
	uint64_t at = d->first + offset;
	int64_t got;

	(void)pthread_mutex_lock(&d->lock);
	if (at >= d->now.first + d->now.n && d->next_ready) {
		struct window spent = d->now;

		d->now = d->next;
		d->next = spent;
		d->next_ready = false;
		begin_next(d);
	}
	if (at > d->last)
		got = STREAM_END;
	else if (at < d->now.first + d->now.n)
		got = read_now(d, at, p, n);
	else
		got = d->next_running ? STREAM_WAIT : STREAM_FAILED;
	(void)pthread_mutex_unlock(&d->lock);
	return got;
}

static void download_close(void *context)
{
	download_unref(context);
}

static const struct exchange_stream download_stream = { download_read, download_close };

/* ---- headers ---- */

static const char *const shown_media[] = { "application/pdf", "image/png", "image/jpeg",
	"image/gif", "image/webp", "image/bmp", "text/plain" };

static bool is_shown(const char *media)
{
	for (size_t i = 0; i < ARRAY_LEN(shown_media); i++) {
		if (strcmp(media, shown_media[i]) == 0)
			return true;
	}
	return false;
}

/* What else is called by its name: nothing of it is a script, a style or a page. The pages' policy lets these come from
 * this very server, so that a part which was filed as text/javascript would be one of our scripts. */
static const char *const inert_media[] = { "application/msword", "application/rtf",
	"application/zip", "application/vnd.ms-", "application/vnd.oasis.opendocument.",
	"application/vnd.openxmlformats-officedocument.", "audio/", "image/tiff", "text/csv",
	"video/" };

static bool is_inert(const char *media)
{
	for (const char *c = media; *c; c++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-./_",
			    *c))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(inert_media); i++) {
		if (str_starts(str_of(media), inert_media[i]))
			return !str_ends(str_of(media), "xml");
	}
	return is_shown(media);
}

static void set_headers(struct exchange *x, const struct facts *f)
{
	bool download = str_is(exchange_query(x, "download"), "1");

	exchange_set(x, "Content-Type", "%s",
		is_inert(f->media) ? f->media : "application/octet-stream");
	exchange_disposition(x, is_shown(f->media) && !download, str_of(f->name));
	exchange_set(x, "ETag", "\"%s\"", f->sha256);
	exchange_set(x, "Accept-Ranges", "bytes");
	exchange_set(x, "Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'%s",
		is_shown(f->media) ? "" : "; sandbox");
	x->is_conditional = true;
}

/* ---- the handler ---- */

/* A range counts only for the very bytes that the client has a piece of. */
static struct range wanted_range(const struct exchange *x)
{
	return range_parse(exchange_header(x, "Range"));
}

static bool has_stale_range(const struct exchange *x, const struct facts *f)
{
	struct str tag = exchange_header(x, "If-Range");

	return tag.p && !exchange_tag_matches(tag, str_of(f->sha256));
}

static int unsatisfiable(struct exchange *x, const struct facts *f, struct err *err)
{
	exchange_set(x, "Content-Range", "bytes */%llu", (unsigned long long)f->size);
	x->fail_status = 416;
	return err_set(err, ERR_INVALID,
		tr("part '%s' has %llu bytes, not those that were asked for"), f->name,
		(unsigned long long)f->size);
}

static void start_stream(struct exchange *x, struct download **d, uint64_t first, uint64_t last)
{
	(*d)->first = first;
	(*d)->last = last;
	(*d)->waker = exchange_waker_ref(x->waker);
	if (x->method != METHOD_HEAD) { /* whose stream is never read */
		(void)pthread_mutex_lock(&(*d)->lock);
		begin_next(*d);
		(void)pthread_mutex_unlock(&(*d)->lock);
	}
	exchange_stream(x, &download_stream, TAKE_PTR(*d), last - first + 1);
}

/* Open the window that holds the first byte that is wanted; its facts tell how many there are. */
static int open_first(struct exchange *x, struct download *d, const struct range *range,
	struct facts *ret, struct err *err)
{
	uint64_t first = range->kind == RANGE_FROM ? range->first : 0, last = window_end(first),
		 end;
	int r;

	if (x->method == METHOD_HEAD || range->kind == RANGE_LAST || range->kind == RANGE_WRONG)
		last = first = 0; /* only the facts */
	else if (range->kind == RANGE_FROM && range->last < last)
		last = range->last;
	r = get(x->www, d->session.account, d->members, &d->now, first, last, ret, err);
	if (r == -ERR_INVALID && first > 0) /* perhaps there are not so many: find out */
		return get(x->www, d->session.account, d->members, &d->now, 0, 0, ret, err);
	if (r < 0 || range->kind != RANGE_LAST || x->method == METHOD_HEAD ||
		!range_resolve(range, ret->size, &first, &last))
		return r;
	facts_done(ret);
	*ret = (struct facts){ .name = NULL };
	end = window_end(first);
	return get(x->www, d->session.account, d->members, &d->now, first, end < last ? end : last,
		ret, err);
}

static int answer(struct exchange *x, struct download **d, struct range range,
	const struct facts *f, struct err *err)
{
	uint64_t first, last;

	memcpy((*d)->sha256, f->sha256, sizeof((*d)->sha256));
	if (!range_resolve(&range, f->size, &first, &last))
		return unsatisfiable(x, f, err);
	set_headers(x, f);
	if (range.kind != RANGE_NONE) {
		x->status = 206;
		exchange_set(x, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)first,
			(unsigned long long)last, (unsigned long long)f->size);
	}
	if (f->size > 0)
		start_stream(x, d, first, last);
	return 0;
}

static void download_freep(struct download **d)
{
	if (*d)
		download_unref(*d);
}

static void facts_donep(struct facts *f)
{
	facts_done(f);
}

static int get_part(struct exchange *x, struct err *err)
{
	_cleanup_(download_freep) struct download *d = xcalloc(1, sizeof(*d));
	_cleanup_(facts_donep) struct facts facts = { .name = NULL };
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	struct range range = wanted_range(x);
	int r;

	d->www = x->www;
	d->refs = 1;
	d->now.fd = d->next.fd = -1;
	(void)pthread_mutex_init(&d->lock, NULL);
	d->session = x->session;
	r = www_members(x, &members, err);
	if (r < 0 || (r = buf_check(&members, err)) < 0)
		return r;
	d->members = buf_detach(&members);
	r = window_open(&d->now, err);
	if (r == 0)
		r = open_first(x, d, &range, &facts, err);
	if (r == 0 && range.kind != RANGE_NONE && has_stale_range(x, &facts)) {
		range = (struct range){ .kind = RANGE_NONE };
		facts_done(&facts);
		facts = (struct facts){ .name = NULL };
		r = open_first(x, d, &range, &facts, err);
	}
	return r < 0 ? r : answer(x, &d, range, &facts, err);
}

/* ---- text ---- */

static int read_back(int fd, struct buf *ret, struct err *err)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, tr("cannot make a file in memory"));
	return file_read_fd(fd, ret, err);
}

/* What was read from the part, page by page. */
static int get_text(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	_cleanup_(buf_wipe) struct buf reply = BUF_INIT_MAX(1 << 16), text = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	_cleanup_(closep) int fd = memfd_create("text", MFD_CLOEXEC);
	static const char *const names[] = { "name", "reason", "sentence", "sure" };
	int r = fd < 0 ? err_errno(err, tr("cannot make a file in memory")) : 0;

	if (r == 0)
		r = www_members(x, &members, err);
	say_bool(&members, "json", true);
	buf_addc(&reply, '{');
	if (r == 0)
		r = www_verb(x, "text", buf_str(&members), &fd, 1, &reply, err);
	buf_addc(&reply, '}');
	if (r == 0)
		r = read_back(fd, &text, err);
	if (r == 0)
		r = json_parse(buf_str(&reply), NULL, 0, &doc, err);
	if (r < 0)
		return r;
	buf_addc(&x->reply, '{');
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		const struct json *value = json_map_get(doc, names[i]);

		if (!value)
			continue;
		json_add_name(&x->reply, names[i]);
		r = json_add_canonical(&x->reply, value, err);
	}
	say_json(&x->reply, "pages", buf_str(&text));
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return r;
}

static const struct route_param text_params[] = {
	{ "version", PARAM_INT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route_param part_params[] = {
	{ "version", PARAM_INT, NULL },
	{ "download", PARAM_BOOL, "" }, /* not for the verb */
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/records/{record}/parts/{part}", ROUTE_READER, .run = get_part,
		.params = part_params },
	{ METHOD_GET, "/api/v1/records/{record}/parts/{part}/text", ROUTE_READER, .run = get_text,
		.params = text_params },
};
const struct route_group api_parts = { routes, ARRAY_LEN(routes) };
