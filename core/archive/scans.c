/* scans.c - see scans.h. */
#include "core/archive/scans.h"

#include "core/archive/document.h"
#include "core/archive/indexer.h"
#include "core/archive/log.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGES_AT_ONCE = 4,
	PAGES_MAX = 5000, /* of one part: what is behind is not recognised */
	PAGE_MS = 60000,
	LOWEST_PRIORITY = 19,
	LOOK_MS = 1000,
};

struct scans {
	struct archive *archive;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool started, news;
	_Atomic bool stopped;
	/* Held for one part: the thread and `recognise` may be at it at the same time. */
	pthread_mutex_t part_lock;
	_Atomic bool missing;
	_Atomic uint64_t pages;
	_Atomic uint32_t page, total;
};

/* What one step came to. */
enum step { STEP_DONE, STEP_MORE, STEP_MISSING, STEP_LATER };

static bool is_stopped(struct scans *s)
{
	return atomic_load(&s->stopped);
}

static bool is_on(struct scans *s)
{
	return settings_int(s->archive->settings, SETTING_EXTRACT_OCR) != 0;
}

/* ---- one part ---- */

struct work {
	struct edition edition;
	size_t part;
	struct secret *key;
	int fd; /* the plaintext, in memory; opened when it is needed */
};

static void work_done(struct work *w)
{
	closep(&w->fd);
	secret_free(w->key);
	if (w->edition.arena)
		edition_done(&w->edition);
}

/* -ERR_NOTFOUND or -ERR_DESTROYED: there is nothing to read any more. */
static int work_open(struct archive *a, const struct id *record, const struct id *part,
	struct work *ret, struct err *err)
{
	struct record_head head;
	int r = store_find(a->store, record, &head, err);

	if (r < 0)
		return r;
	r = edition_open(a, &head, 0, &ret->edition, err);
	record_head_done(&head);
	if (r < 0)
		return r;
	while (ret->part < ret->edition.manifest->part_count &&
		!id_equal(&ret->edition.manifest->parts[ret->part].id, part))
		ret->part++;
	if (ret->part == ret->edition.manifest->part_count)
		return -ERR_NOTFOUND;
	ret->key = reading_text_key(a, &ret->edition);
	return ret->key ? 0 : -ERR_NOTFOUND;
}

static bool is_complete(const struct extracted *text)
{
	uint32_t total = text->total < PAGES_MAX ? text->total : PAGES_MAX;

	return text->scanned > 0 && text->scanned >= total;
}

static int recognise(struct archive *a, struct work *w, const struct extracted *so_far,
	struct extracted **ret, struct err *err)
{
	struct extract_options options;

	if (w->fd < 0)
		w->fd = document_plaintext(a, &w->edition, w->part, err);
	if (w->fd < 0)
		return w->fd;
	document_options(a, &options);
	options.timeout_ms = PAGES_AT_ONCE * PAGE_MS;
	options.max_cpu_seconds = PAGE_MS / 1000;
	options.cancel = &a->scans->stopped;
	return extract_scan(&options, w->fd, so_far->scanned + 1, PAGES_AT_ONCE, ret, err);
}

/* A few pages more of a part. */
static int read_on(struct scans *s, struct work *w, enum step *ret, struct err *err)
{
	struct archive *a = s->archive;
	const struct id *record = &w->edition.record;
	const struct id *part = &w->edition.manifest->parts[w->part].id;
	_cleanup_(extracted_freep) struct extracted *so_far = NULL;
	_cleanup_(extracted_freep) struct extracted *more = NULL;
	_cleanup_(extracted_freep) struct extracted *joined = NULL;
	int r = textcache_get(a->texts, record->b, part->b, w->key, &so_far, err);

	if (r < 0)
		return r;
	*ret = STEP_DONE;
	/* Another reading of the same file, without recognition, may have come in between. */
	if (is_complete(so_far) || (so_far->scanned == 0 && !extract_may_scan(so_far)))
		return 0;
	r = recognise(a, w, so_far, &more, err);
	if (r < 0)
		return r;
	if (is_stopped(s)) {
		*ret = STEP_LATER;
		return 0;
	}
	if (more->reason == EXTRACT_NO_PROGRAM || more->reason == EXTRACT_NO_JAIL) {
		*ret = STEP_MISSING;
		return 0;
	}
	joined = extracted_join(so_far, more);
	if (!joined)
		return err_set(err, ERR_LIMIT, "out of memory");
	r = textcache_put(a->texts, record->b, part->b, w->key, joined, err);
	if (r < 0)
		return r;
	atomic_fetch_add(&s->pages, more->scanned);
	atomic_store(&s->page, joined->scanned);
	atomic_store(&s->total, joined->total);
	if (!is_complete(joined))
		*ret = STEP_MORE;
	return 0;
}

/* Somebody who waits for it, or NULL. */
static bool may_go_on(struct scans *s, struct verb_call *call)
{
	struct verb_progress p = { .stage = "recognise",
		.unit = "pages",
		.done = atomic_load(&s->page),
		.total = atomic_load(&s->total) };

	return !is_stopped(s) && (call ? verb_tell_of(call, &p, NULL) == 0 : is_on(s));
}

static int read_part(
	struct scans *s, struct work *w, struct verb_call *call, enum step *ret, struct err *err)
{
	int r;

	do {
		r = read_on(s, w, ret, err);
		if (r == 0 && *ret == STEP_MORE && !may_go_on(s, call))
			*ret = STEP_LATER;
	} while (r == 0 && *ret == STEP_MORE);
	atomic_store(&s->total, 0);
	if (r == 0 && *ret == STEP_DONE &&
		!indexer_again(s->archive->indexer, &w->edition.record, &s->stopped))
		*ret = STEP_LATER;
	return r;
}

static enum step take_one(
	struct scans *s, const struct id *record, const struct id *part, struct verb_call *call)
{
	struct work w = { .fd = -1 };
	enum step step = STEP_DONE;
	struct err err = ERR_INIT;
	int r;

	(void)pthread_mutex_lock(&s->part_lock);
	r = work_open(s->archive, record, part, &w, &err);
	if (r == 0)
		r = read_part(s, &w, call, &step, &err);
	work_done(&w);
	/* What cannot be read now will not be readable the next time: it must not stand in the way for ever. */
	if (r < 0 && r != -ERR_NOTFOUND && r != -ERR_DESTROYED)
		log_err(LOG_LEVEL_WARNING, "a scan cannot be read", &err);
	if (step == STEP_DONE)
		(void)textcache_scan_done(s->archive->texts, record->b, part->b, NULL);
	atomic_store(&s->missing, step == STEP_MISSING);
	(void)pthread_mutex_unlock(&s->part_lock);
	return step;
}

/* ---- the thread ---- */

/* True when there may be something to do, false when it is over. */
static bool wait_for_news(struct scans *s)
{
	struct timespec until;
	bool go_on;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->stopped && !s->news) {
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += LOOK_MS / 1000;
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0 && is_on(s))
			break;
	}
	s->news = false;
	go_on = !s->stopped;
	(void)pthread_mutex_unlock(&s->lock);
	return go_on;
}

static void *work(void *context)
{
	struct scans *s = context;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
	while (wait_for_news(s)) {
		struct id record = { { 0 } }, part = { { 0 } };

		while (!is_stopped(s) && is_on(s) &&
			textcache_scan_next(s->archive->texts, record.b, part.b, NULL) == 0) {
			if (take_one(s, &record, &part, NULL) == STEP_MISSING)
				break;
		}
	}
	return NULL;
}

/* ---- for others ---- */

int scans_run(struct scans *s, struct verb_call *call, uint64_t *ret_parts, struct err *err)
{
	struct id record = { { 0 } }, part = { { 0 } };

	*ret_parts = 0;
	while (textcache_scan_next(s->archive->texts, record.b, part.b, NULL) == 0) {
		enum step step = take_one(s, &record, &part, call);
		struct verb_progress p = {
			.stage = "recognise", .unit = "parts", .done = *ret_parts
		};
		int r;

		if (step == STEP_MISSING)
			return err_set(err, ERR_UNSUPPORTED,
				tr("scans cannot be recognised here: the program 'tesseract' or "
				   "the "
				   "jail is missing"));
		*ret_parts += step == STEP_DONE;
		r = verb_tell_of(call, &p, err);
		if (r < 0)
			return r;
	}
	return 0;
}

struct scans *scans_new(struct archive *a)
{
	struct scans *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;

	s->archive = a;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_mutex_init(&s->part_lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return s;
}

void scans_start(struct scans *s)
{
	s->news = true;
	s->started = pthread_create(&s->thread, NULL, work, s) == 0;
	if (!s->started)
		log_line(LOG_LEVEL_ERROR, "cannot start a thread: scans are not read");
}

void scans_stop(struct scans *s)
{
	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->stopped = true;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	if (s->started)
		(void)pthread_join(s->thread, NULL);
	s->started = false;
}

void scans_free(struct scans *s)
{
	if (!s)
		return;
	scans_stop(s);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->part_lock);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

void scans_push(struct scans *s, const struct id *record, const struct id *part,
	const struct extracted *text)
{
	struct err err = ERR_INIT;

	if (!s || text->scanned > 0 || !extract_may_scan(text))
		return;
	if (textcache_scan_add(s->archive->texts, record->b, part->b, &err) < 0)
		log_err(LOG_LEVEL_WARNING, "a scan cannot be put into the queue", &err);
	(void)pthread_mutex_lock(&s->lock);
	s->news = true;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

void scans_look(struct scans *s, struct scans_state *ret)
{
	*ret = (struct scans_state){ .on = is_on(s),
		.missing = atomic_load(&s->missing),
		.pages = atomic_load(&s->pages),
		.page = atomic_load(&s->page),
		.total = atomic_load(&s->total) };
	(void)textcache_scan_count(s->archive->texts, &ret->waiting, NULL);
}
