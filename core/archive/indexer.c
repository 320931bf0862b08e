/* indexer.c - see indexer.h.
 *
 *	feed --> [thread] --> window --> [workers: load, read, keep text] --> [thread: put, commit] --> index
 *
 * One thread takes events, hands each record to a few workers, takes the loaded documents back in the order
 * of the events, and puts them into the index. The window between them is small: it bounds how many
 * documents are in memory. The watermark of a commit is the last action of which every record was put, so
 * after a crash the thread goes on from there; what was put beyond it is put again, which changes nothing.
 *
 * Rebuilding and compacting are done by the same thread, between events, when a verb asks for it. */
#include "core/archive/indexer.h"

#include "core/archive/document.h"
#include "core/archive/feed.h"
#include "core/archive/log.h"
#include "core/archive/news.h"
#include "core/archive/say.h"

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	WINDOW = 8, /* documents between the events and the index */
	WORKERS_MAX = 32,
	QUEUE = 8 << 20, /* bytes of events that wait */
	TAKE = 256,	 /* events at once */
	/* Of text between two commits, whose terms are in memory, four to eight bytes for one. More is not faster. */
	PENDING_BYTES = 8 << 20,
	RETRY_MS = 2000,
	RETRY_SOON_MS = 100, /* when somebody waits */
	BACKGROUND_NICE = 10,
};

enum job_state { JOB_FREE, JOB_READY, JOB_TAKEN, JOB_DONE };

struct job {
	enum job_state state;
	struct id record;
	uint64_t actions, sequence;
	bool last_of_action, destroyed;
	struct document document;
	int result;
	struct err err;
};

enum command { COMMAND_NONE, COMMAND_REBUILD, COMMAND_COMPACT };

struct indexer {
	struct archive *archive;
	struct feed *feed;
	struct fulltext *index; /* the thread's alone */
	pthread_t thread, workers[WORKERS_MAX];
	size_t worker_count;
	bool follows; /* the setting, as it was at the unsealing */
	bool started;
	enum tr_language language; /* of who started it */
	_Atomic uint64_t revision;

	/* Jobs between `first` and `next`, a ring; workers take those that are ready. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job jobs[WINDOW];
	uint64_t first, next;
	bool stopped;

	/* The thread's: */
	uint64_t put_until; /* the last action of which everything was put */
	int64_t commit_due; /* clock_ticks(), when something was put */
	bool is_rebuild, extract_again;

	_Atomic uint64_t sequence, reading, unreadable, documents;
	_Atomic bool failing;
	_Atomic unsigned failures; /* attempts that failed */
	/* Who wait for a commit: it comes as soon as there is nothing to put, and after a failure the next attempt
	 * comes at once. */
	_Atomic int waiting;

	/* What a verb asks for; under the lock. */
	enum command command;
	bool command_extracts, command_cancelled, command_resumed;
	uint64_t command_done, command_total;
	int command_result;
	struct err command_err;

	/* A record that somebody wants to have indexed again, and whether it was; under the lock. */
	struct id again;
	enum { AGAIN_NO, AGAIN_WANTED, AGAIN_DONE, AGAIN_FAILED } again_state;
};

/* ---- the files ---- */

static int open_index(
	struct archive *a, enum fulltext_which which, struct fulltext **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct fulltext_options options = { .key = a->terms_key,
		.which = which,
		.shards = (unsigned)settings_int(a->settings, SETTING_INDEX_SHARDS) };

	archive_index_path(a, &path);
	return fulltext_open(path.p, &options, ret, err);
}

/* An index that cannot be used is made again: it is derived. */
static int open_current(struct archive *a, struct fulltext **ret, struct err *err)
{
	_cleanup_(closep) int derived = -1;
	struct err inner = ERR_INIT;
	int r = open_index(a, FULLTEXT_CURRENT, ret, &inner);

	if (r != -ERR_CORRUPT && r != -ERR_UNSUPPORTED && r != -ERR_CRYPTO) {
		if (r < 0 && err)
			*err = inner;
		return r;
	}
	log_err(LOG_LEVEL_WARNING, "the index is made anew", &inner);
	derived = file_open_dir(archive_dir(a), ARCHIVE_DERIVED, err);
	r = derived < 0 ? derived : file_remove_tree(derived, ARCHIVE_INDEX, err);
	return r < 0 ? r : open_index(a, FULLTEXT_CURRENT, ret, err);
}

static int load_position(struct indexer *x, struct err *err)
{
	_cleanup_(buf_done) struct buf mark = BUF_INIT;
	uint64_t documents = 0;
	int r = fulltext_watermark(x->index, &mark, err);

	if (r == 0)
		r = fulltext_count(x->index, &documents, err);
	if (r < 0)
		return r;
	x->put_until = mark.n == 8 ? get_be64((const uint8_t *)mark.p) : 0;
	atomic_store(&x->documents, documents);
	return 0;
}

int indexer_new(struct archive *a, struct indexer **ret, struct err *err)
{
	struct indexer *x = xcalloc(1, sizeof(*x));
	int r;

	(void)pthread_mutex_init(&x->lock, NULL);
	(void)pthread_cond_init(&x->changed, NULL);
	x->archive = a;
	x->follows = settings_int(a->settings, SETTING_INDEX_FOLLOW) != 0;
	x->feed = feed_new(QUEUE, false);
	r = open_current(a, &x->index, err);
	if (r == 0)
		r = load_position(x, err);
	if (r < 0) {
		indexer_free(x);
		return r;
	}
	atomic_store(&x->sequence, atomic_load(&x->documents));
	atomic_store(&x->revision, fulltext_revision(x->index));
	feed_reached(x->feed, x->put_until);
	*ret = x;
	return 0;
}

/* ---- workers ---- */

static struct job *next_ready(struct indexer *x)
{
	for (uint64_t i = x->first; i < x->next; i++) {
		struct job *j = &x->jobs[i % WINDOW];

		if (j->state == JOB_READY)
			return j;
	}
	return NULL;
}

/* Reading texts is the most work there is, and nobody waits for it as for an answer: these threads, and the
 * jailed processes that they start, get what filing and searching leave over. */
static void step_back(void)
{
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
}

static void *worker(void *context)
{
	struct indexer *x = context;

	tr_set_language(x->language);
	step_back();
	(void)pthread_mutex_lock(&x->lock);
	for (;;) {
		struct job *j = next_ready(x);

		if (x->stopped)
			break;
		if (!j) {
			(void)pthread_cond_wait(&x->changed, &x->lock);
			continue;
		}
		j->state = JOB_TAKEN;
		(void)pthread_mutex_unlock(&x->lock);
		j->result = document_load(x->archive, &j->record, x->extract_again, &x->reading,
			&j->document, &j->err);
		(void)pthread_mutex_lock(&x->lock);
		j->state = JOB_DONE;
		(void)pthread_cond_broadcast(&x->changed);
	}
	(void)pthread_mutex_unlock(&x->lock);
	return NULL;
}

/* ---- putting ---- */

static void tell_indexed(struct indexer *x, uint64_t documents)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	say_cstr(&b, "event", "indexed");
	say_int(&b, "documents", (int64_t)documents);
	news_tell(x->archive->news, "record", buf_str(&b));
}

static int commit(struct indexer *x, struct err *err)
{
	uint64_t documents = 0;
	uint8_t mark[8];
	int r;

	put_be64(mark, x->put_until);
	r = fulltext_commit(x->index, (struct str){ (const char *)mark, sizeof(mark) }, err);
	if (r < 0)
		return r;
	x->commit_due = 0;
	if (x->is_rebuild)
		return 0;
	atomic_store(&x->revision, fulltext_revision(x->index));
	if (fulltext_count(x->index, &documents, NULL) == 0)
		atomic_store(&x->documents, documents);
	feed_reached(x->feed, x->put_until);
	tell_indexed(x, documents);
	return 0;
}

static int commit_when_due(struct indexer *x, struct err *err)
{
	uint64_t documents, bytes;

	if (x->commit_due == 0)
		return 0;
	fulltext_pending(x->index, &documents, &bytes);
	if (documents < (uint64_t)settings_int(x->archive->settings, SETTING_INDEX_DOCUMENTS) &&
		bytes < PENDING_BYTES && clock_ticks() < x->commit_due)
		return 0;
	return commit(x, err);
}

static int remove_record(struct indexer *x, const struct id *record, struct err *err)
{
	int r = fulltext_remove(x->index, record, err);

	return r < 0 ? r : textcache_forget(x->archive->texts, record->b, err);
}

/* Whether a failure is of one record, so that it must not hold up those that follow. */
static bool is_of_record(int r)
{
	return r == -ERR_CORRUPT || r == -ERR_CRYPTO || r == -ERR_INVALID || r == -ERR_LIMIT ||
	       r == -ERR_UNSUPPORTED;
}

static int put_job(struct indexer *x, struct job *j, struct err *err)
{
	struct fulltext_document view;
	int r = 0;

	if (j->destroyed || j->result == -ERR_DESTROYED || j->result == -ERR_NOTFOUND) {
		r = remove_record(x, &j->record, err);
	} else if (is_of_record(j->result)) {
		if (atomic_fetch_add(&x->unreadable, 1) == 0)
			log_err(LOG_LEVEL_ERROR, "a record cannot be indexed", &j->err);
	} else if (j->result < 0) {
		if (err)
			*err = j->err;
		return j->result;
	} else if (j->document.is_indexed) {
		document_view(&j->document, &view);
		r = fulltext_put(x->index, &view, err);
	}
	if (r < 0)
		return r;
	if (j->last_of_action)
		x->put_until = j->actions;
	if (!x->is_rebuild && j->sequence >= atomic_load(&x->sequence))
		atomic_store(&x->sequence, j->sequence + 1);
	if (x->commit_due == 0)
		x->commit_due = clock_ticks() +
				settings_int(x->archive->settings, SETTING_INDEX_MS) * 1000000;
	return commit_when_due(x, err);
}

/* Wait for the oldest job, put it, free its place. */
static int finish_oldest(struct indexer *x, bool drop, struct err *err)
{
	struct job *j = &x->jobs[x->first % WINDOW];
	int r;

	(void)pthread_mutex_lock(&x->lock);
	while (j->state != JOB_DONE)
		(void)pthread_cond_wait(&x->changed, &x->lock);
	(void)pthread_mutex_unlock(&x->lock);
	r = drop ? 0 : put_job(x, j, err);
	document_done(&j->document);
	(void)pthread_mutex_lock(&x->lock);
	j->state = JOB_FREE;
	x->first++;
	(void)pthread_mutex_unlock(&x->lock);
	return r;
}

static int finish_all(struct indexer *x, bool drop, struct err *err)
{
	int r = 0;

	while (x->first < x->next) {
		int one = finish_oldest(x, drop || r < 0, r < 0 ? NULL : err);

		if (one < 0 && r == 0)
			r = one;
	}
	return r;
}

static int submit(struct indexer *x, const struct store_event *e, struct err *err)
{
	struct job *j;
	int r = 0;

	if (x->next - x->first == WINDOW)
		r = finish_oldest(x, false, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&x->lock);
	j = &x->jobs[x->next % WINDOW];
	*j = (struct job){ .state = e->act == ACT_DESTROY ? JOB_DONE : JOB_READY,
		.record = e->record,
		.actions = e->actions,
		.sequence = e->sequence,
		.last_of_action = e->last_of_action,
		.destroyed = e->act == ACT_DESTROY };
	x->next++;
	(void)pthread_cond_broadcast(&x->changed);
	(void)pthread_mutex_unlock(&x->lock);
	return 0;
}

/* ---- events ---- */

static bool is_cancelled(struct indexer *x)
{
	bool cancelled;

	(void)pthread_mutex_lock(&x->lock);
	cancelled = x->is_rebuild && x->command_cancelled;
	if (x->is_rebuild)
		x->command_done = x->put_until;
	(void)pthread_mutex_unlock(&x->lock);
	return cancelled;
}

static int take_event(void *context, const struct store_event *e, struct err *err)
{
	struct indexer *x = context;

	if (feed_is_stopped(x->feed) || is_cancelled(x))
		return err_set(err, ERR_CANCELLED, tr("stopped"));
	if (e->actions <= x->put_until)
		return 0;
	return submit(x, e, err);
}

static int walk(struct indexer *x, struct err *err)
{
	struct store_counts counts;
	int r, finished;

	store_count(x->archive->store, &counts);
	r = store_walk(x->archive->store, x->put_until, take_event, x, err);
	finished = finish_all(x, r < 0 && r != -ERR_CANCELLED, r < 0 ? NULL : err);
	if (r == 0)
		r = finished;
	/* Actions without records give no event, but they are done, too. */
	if (r == 0 && counts.pending_frames == 0 && counts.actions > x->put_until)
		x->put_until = counts.actions;
	if (r == 0 || (r == -ERR_CANCELLED && finished == 0)) {
		int committed = commit(x, r < 0 ? NULL : err);

		if (r == 0)
			r = committed;
	}
	return r;
}

static int take_events(struct indexer *x, const struct feed_batch *b, struct err *err)
{
	int r = 0, finished;

	for (size_t i = 0; r == 0 && i < b->count; i++)
		r = take_event(x, &b->events[i], err);
	finished = finish_all(x, r < 0, r < 0 ? NULL : err);
	return r < 0 ? r : finished;
}

/* ---- commands ---- */

static int rebuild(struct indexer *x, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct err ignored = ERR_INIT;
	int r;

	archive_index_path(x->archive, &path);
	fulltext_free(TAKE_PTR(x->index));
	r = open_index(x->archive, FULLTEXT_REBUILD, &x->index, err);
	if (r == -ERR_CORRUPT || r == -ERR_UNSUPPORTED) {
		(void)fulltext_drop_rebuild(path.p, NULL);
		r = open_index(x->archive, FULLTEXT_REBUILD, &x->index, err);
	}
	x->is_rebuild = true;
	if (r == 0)
		r = load_position(x, err);
	if (r == 0) {
		x->command_resumed = x->put_until > 0;
		r = walk(x, err);
	}
	x->is_rebuild = false;
	if (r == 0)
		r = fulltext_swap_in(x->index, err);
	if (r == 0) {
		pool_renew(x->archive->readers);
		return load_position(x, err);
	}
	fulltext_free(TAKE_PTR(x->index));
	/* What was built so far would take the space that everything else needs. */
	if (r == -ERR_FULL)
		(void)fulltext_drop_rebuild(path.p, NULL);
	if (open_current(x->archive, &x->index, &ignored) == 0)
		(void)load_position(x, NULL);
	else
		log_err(LOG_LEVEL_ERROR, "the index cannot be opened again", &ignored);
	return r;
}

static void run_command(struct indexer *x)
{
	struct err err = ERR_INIT;
	enum command command;
	int r;

	(void)pthread_mutex_lock(&x->lock);
	command = x->command;
	x->extract_again = command == COMMAND_REBUILD && x->command_extracts;
	(void)pthread_mutex_unlock(&x->lock);
	if (command == COMMAND_NONE)
		return;
	r = x->index ? commit(x, &err) : 0;
	if (r == 0)
		r = command == COMMAND_REBUILD ? rebuild(x, &err)
					       : fulltext_compact(x->index, &err);
	if (x->index) {
		uint64_t documents;

		atomic_store(&x->revision, fulltext_revision(x->index));
		if (fulltext_count(x->index, &documents, NULL) == 0)
			atomic_store(&x->documents, documents);
		feed_reached(x->feed, x->put_until);
	}
	(void)pthread_mutex_lock(&x->lock);
	x->extract_again = false;
	x->command = COMMAND_NONE;
	x->command_result = r;
	x->command_err = err;
	(void)pthread_cond_broadcast(&x->changed);
	(void)pthread_mutex_unlock(&x->lock);
	/* What came in the meantime may not fit what the index holds now. */
	feed_set_behind(x->feed);
}

/* A job that does not move the mark: it belongs to no action. */
static int put_again(struct indexer *x, struct err *err)
{
	struct store_event e = { .act = ACT_REVISE };
	bool wanted;
	int r;

	(void)pthread_mutex_lock(&x->lock);
	wanted = x->again_state == AGAIN_WANTED;
	e.record = x->again;
	(void)pthread_mutex_unlock(&x->lock);
	if (!wanted)
		return 0;
	r = submit(x, &e, err);
	if (r == 0)
		r = finish_all(x, false, err);
	if (r == 0)
		r = commit(x, err);
	(void)pthread_mutex_lock(&x->lock);
	x->again_state = r < 0 ? AGAIN_FAILED : AGAIN_DONE;
	(void)pthread_cond_broadcast(&x->changed);
	(void)pthread_mutex_unlock(&x->lock);
	return r;
}

bool indexer_again(struct indexer *x, const struct id *record, const _Atomic bool *give_up)
{
	bool done = false;

	(void)pthread_mutex_lock(&x->lock);
	if (x->started && x->again_state != AGAIN_WANTED) {
		x->again = *record;
		x->again_state = AGAIN_WANTED;
		while (x->again_state == AGAIN_WANTED && !atomic_load(give_up)) {
			(void)pthread_mutex_unlock(&x->lock);
			(void)poll(NULL, 0, 20);
			(void)pthread_mutex_lock(&x->lock);
		}
		done = x->again_state == AGAIN_DONE;
		x->again_state = AGAIN_NO;
	}
	(void)pthread_mutex_unlock(&x->lock);
	return done;
}

/* ---- the thread ---- */

static void recover(struct indexer *x, const struct err *why)
{
	if (!atomic_exchange(&x->failing, true))
		log_err(LOG_LEVEL_ERROR, "the index cannot be written", why);
	fulltext_free(TAKE_PTR(x->index));
	atomic_fetch_add(&x->failures, 1);
	for (int ms = 0; ms < RETRY_MS && !feed_is_stopped(x->feed); ms += 50) {
		if (ms >= RETRY_SOON_MS && atomic_load(&x->waiting) > 0)
			break;
		(void)poll(NULL, 0, 50);
	}
	if (open_current(x->archive, &x->index, NULL) < 0 || load_position(x, NULL) < 0)
		fulltext_free(TAKE_PTR(x->index));
	x->commit_due = 0;
	feed_set_behind(x->feed);
}

/* How long to sleep for news; not long when a commit is due or somebody waits for one. */
static int wait_ms(struct indexer *x)
{
	int64_t left;

	if (x->commit_due == 0)
		return 200;
	if (atomic_load(&x->waiting) > 0)
		return 0;
	left = (x->commit_due - clock_ticks()) / 1000000;
	return left < 0 ? 0 : left > 50 ? 50 : (int)left;
}

/* After much work, what the allocator keeps goes back to the system: a server that imported once should not
 * look as if it still did. */
static void give_back(bool *busy, bool now)
{
	if (*busy && !now)
		(void)malloc_trim(0);
	*busy = now;
}

static void *work(void *context)
{
	struct indexer *x = context;
	bool busy = false;

	tr_set_language(x->language);
	for (;;) {
		struct feed_batch batch;
		struct err err = ERR_INIT;
		enum feed_news news = feed_take(x->feed, TAKE, wait_ms(x), &batch);
		int r = 0;

		if (news == FEED_STOP)
			break;
		if (!x->index)
			r = err_set(&err, ERR_IO, "no index");
		else if (news == FEED_BEHIND)
			r = walk(x, &err);
		else if (news == FEED_EVENTS)
			r = take_events(x, &batch, &err);
		if (r == 0)
			r = put_again(x, &err);
		feed_batch_done(&batch);
		if (r == 0 && news == FEED_TIMEOUT && x->commit_due != 0 &&
			atomic_load(&x->waiting) > 0)
			r = commit(x, &err);
		else if (r == 0)
			r = commit_when_due(x, &err);
		if (r < 0 && feed_is_stopped(x->feed))
			break;
		give_back(&busy, news != FEED_TIMEOUT || x->commit_due != 0);
		if (r < 0)
			recover(x, &err);
		else
			atomic_store(&x->failing, false);
		run_command(x);
	}
	(void)finish_all(x, true, NULL);
	if (x->index && x->commit_due != 0)
		(void)commit(x, NULL);
	return NULL;
}

void indexer_start(struct indexer *x)
{
	size_t count = (size_t)settings_int(x->archive->settings, SETTING_EXTRACT_WORKERS);

	if (!x->follows)
		return;
	x->language = tr_language();
	for (size_t i = 0; i < count && i < WORKERS_MAX; i++) {
		if (pthread_create(&x->workers[x->worker_count], NULL, worker, x) == 0)
			x->worker_count++;
	}
	if (x->worker_count > 0 && pthread_create(&x->thread, NULL, work, x) == 0)
		x->started = true;
	else
		log_line(LOG_LEVEL_ERROR,
			"cannot start the index's threads: searches will not follow");
}

void indexer_free(struct indexer *x)
{
	if (!x)
		return;
	feed_stop(x->feed);
	if (x->started)
		(void)pthread_join(x->thread, NULL);
	(void)pthread_mutex_lock(&x->lock);
	x->stopped = true;
	(void)pthread_cond_broadcast(&x->changed);
	(void)pthread_mutex_unlock(&x->lock);
	for (size_t i = 0; i < x->worker_count; i++)
		(void)pthread_join(x->workers[i], NULL);
	fulltext_free(x->index);
	feed_free(x->feed);
	(void)pthread_cond_destroy(&x->changed);
	(void)pthread_mutex_destroy(&x->lock);
	free(x);
}

void indexer_walk_again(struct indexer *x)
{
	if (x->follows)
		feed_set_behind(x->feed);
}

void indexer_push(struct indexer *x, const struct store_event *events, size_t count)
{
	/* What is not pushed is walked at the next start: the feed begins as one that is behind. */
	if (x->follows)
		feed_push(x->feed, events, count);
}

/* ---- for verbs ---- */

void indexer_look(struct indexer *x, struct indexer_state *ret)
{
	struct store_counts counts;
	uint64_t sequence = atomic_load(&x->sequence);

	store_count(x->archive->store, &counts);
	*ret = (struct indexer_state){ .position = feed_position(x->feed),
		.documents = atomic_load(&x->documents),
		.extracting = atomic_load(&x->reading),
		.unreadable = atomic_load(&x->unreadable) };
	if (ret->position < counts.actions && counts.records > sequence)
		ret->waiting = counts.records - sequence;
}

uint64_t indexer_revision(struct archive *a)
{
	return a->indexer ? atomic_load(&a->indexer->revision) : 0;
}

/* Look a few times a second, and tell. */
static int wait_a_little(struct indexer *x, uint64_t actions, struct verb_call *call,
	const char *stage, int64_t begun, struct err *err)
{
	int64_t ms = (clock_ticks() - begun) / 1000000 + 1;
	struct indexer_state state;
	struct verb_progress p = { .stage = stage, .unit = "actions", .total = actions };

	(void)feed_wait(x->feed, actions, clock_ticks() + 200 * 1000000, &x->archive->stopping);
	if (!call)
		return 0;
	indexer_look(x, &state);
	p.done = state.position < actions ? state.position : actions;
	p.rate = p.done * 1000 / (uint64_t)ms;
	return verb_tell_of(call, &p, err);
}

bool indexer_wait(
	struct indexer *x, int64_t deadline, const _Atomic bool *give_up, struct verb_call *call)
{
	struct store_counts counts;
	int64_t begun = clock_ticks();
	unsigned failures = atomic_load(&x->failures);

	store_count(x->archive->store, &counts);
	atomic_fetch_add(&x->waiting, 1);
	while (feed_position(x->feed) < counts.actions && clock_ticks() < deadline) {
		/* The second failure is of an attempt that began after this. */
		if (atomic_load(&x->failures) - failures >= 2 ||
			(give_up && atomic_load(give_up)) || !x->started)
			break;
		if (wait_a_little(x, counts.actions, call, "index", begun, NULL) < 0)
			break;
	}
	atomic_fetch_sub(&x->waiting, 1);
	return feed_position(x->feed) >= counts.actions;
}

bool indexer_catch_up(struct archive *a, int64_t timeout_ms, struct verb_call *call)
{
	struct store_counts counts;

	store_count(a->store, &counts);
	if (feed_position(a->indexer->feed) >= counts.actions)
		return true;
	if (store_flush(a->store, NULL) < 0)
		return false;
	return indexer_wait(a->indexer, clock_ticks() + timeout_ms * 1000000, &a->stopping, call);
}

int indexer_hold_back(struct indexer *x, uint64_t most, struct verb_call *call, struct err *err)
{
	int64_t begun = clock_ticks();

	for (;;) {
		struct store_counts counts;
		struct indexer_state state;
		int r;

		store_count(x->archive->store, &counts);
		indexer_look(x, &state);
		/* An index that cannot be written must not stop filing. */
		if (state.waiting <= most || atomic_load(&x->failing) || !x->started)
			return 0;
		r = wait_a_little(x, counts.actions, call, "wait", begun, err);
		if (r < 0)
			return r;
	}
}

static int order(struct indexer *x, enum command command, bool extracts, struct err *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&x->lock);
	if (x->command != COMMAND_NONE)
		r = err_set(err, ERR_LOCKED, tr("the index is being rebuilt or compacted already"));
	else if (!x->follows)
		r = err_set(err, ERR_INVALID,
			tr("nothing is indexed while the setting 'index.follow' is off: set it to "
			   "true, then unseal again"));
	else if (!x->started)
		r = err_set(err, ERR_IO, tr("the index's threads do not run"));
	if (r == 0) {
		x->command = command;
		x->command_extracts = extracts;
		x->command_cancelled = x->command_resumed = false;
		x->command_done = x->command_total = 0;
	}
	(void)pthread_mutex_unlock(&x->lock);
	return r;
}

/* Until the thread has done it; a wish to stop is handed on, and waited for. */
static int await(struct indexer *x, struct verb_call *call, uint64_t total, struct err *err)
{
	int64_t begun = clock_ticks();
	bool done = false;
	int r = 0;

	while (!done) {
		struct verb_progress p = { .stage = "index", .unit = "actions", .total = total };
		int64_t ms = (clock_ticks() - begun) / 1000000 + 1;

		(void)poll(NULL, 0, 20);
		(void)pthread_mutex_lock(&x->lock);
		done = x->command == COMMAND_NONE;
		p.done = x->command_done;
		(void)pthread_mutex_unlock(&x->lock);
		if (done)
			break;
		p.rate = p.done * 1000 / (uint64_t)ms;
		p.eta = p.rate && total > p.done ? (total - p.done) / p.rate : 0;
		if (call && r == 0)
			r = verb_tell_of(call, &p, err);
		if (r < 0) {
			(void)pthread_mutex_lock(&x->lock);
			x->command_cancelled = true;
			(void)pthread_mutex_unlock(&x->lock);
		}
		if (feed_is_stopped(x->feed))
			return err_set(err, ERR_CANCELLED, tr("stopped"));
	}
	if (r == 0 && x->command_result < 0) {
		r = x->command_result;
		if (err)
			*err = x->command_err;
	}
	return r;
}

int indexer_rebuild(struct archive *a, bool extract_again, struct verb_call *call,
	uint64_t *ret_documents, bool *ret_resumed, struct err *err)
{
	struct indexer *x = a->indexer;
	struct store_counts counts;
	int r = store_flush(a->store, err);

	if (r == 0)
		r = order(x, COMMAND_REBUILD, extract_again, err);
	if (r < 0)
		return r;
	store_count(a->store, &counts);
	r = await(x, call, counts.actions, err);
	if (r < 0)
		return r;
	*ret_resumed = x->command_resumed;
	*ret_documents = atomic_load(&x->documents);
	return 0;
}

int indexer_compact(struct archive *a, uint64_t *ret_documents, struct err *err)
{
	int r = order(a->indexer, COMMAND_COMPACT, false, err);

	if (r == 0)
		r = await(a->indexer, NULL, 0, err);
	if (r == 0)
		*ret_documents = atomic_load(&a->indexer->documents);
	return r;
}
