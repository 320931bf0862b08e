/* recorder.c - see recorder.h.
 *
 * One thread takes events and writes rows, many in a transaction, together with the mark up to which they
 * hold. It may be behind (feed.h), and then walks the history; after a crash it goes on from the mark; a
 * registry that is gone or unreadable is one that is behind by everything. So there is one way to fill a
 * registry, and rebuilding is: delete all rows, and be behind, in one transaction. Who lists or searches
 * meanwhile sees the old rows until the new ones are all there. Only a registry that cannot be read is
 * removed as a file. */
#include "core/archive/recorder.h"

#include "core/archive/catalogue.h"
#include "core/archive/feed.h"
#include "core/archive/hints.h"
#include "core/archive/log.h"
#include "core/archive/people.h"
#include "core/archive/reading.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/model/path.h"
#include "core/model/series.h"

#include <poll.h>
#include <sodium.h>
#include <stdlib.h>

enum {
	BATCH = 4000,	     /* events in a transaction */
	QUEUE = 16 << 20,    /* bytes of events that wait */
	RETRY_MS = 2000,     /* after a failed transaction */
	RETRY_SOON_MS = 100, /* the same, when somebody waits */
};

struct recorder {
	struct archive *archive;
	struct registry *registry; /* the thread's alone once it runs */
	struct feed *feed;
	struct hints *hints;
	pthread_t thread;
	enum tr_language language; /* of who started it */
	bool started;
	_Atomic bool rebuild;
	_Atomic uint64_t unreadable;
	/* Attempts that failed; who waits gives up after one that began after he did, and is the reason to try again
	 * soon. What failed last stands under the lock. */
	_Atomic unsigned failures;
	_Atomic int waiting;
	pthread_mutex_t failure_lock;
	struct err failure;

	/* The batch at hand; while all is made anew, one batch from the first action to the last. */
	bool open, rebuilding;
	_Atomic uint64_t rebuilt; /* actions, to be shown */
	size_t in_batch;
	uint64_t position; /* actions whose rows are written (or in the open batch) */
	struct registry_mark mark;
};

/* ---- the file ---- */

static void registry_path(const struct archive *a, struct buf *ret)
{
	archive_path(a, ARCHIVE_DERIVED "/" ARCHIVE_REGISTRY, ret);
}

static int remove_registry(struct archive *a, struct err *err)
{
	static const char *const names[] = { ARCHIVE_REGISTRY, ARCHIVE_REGISTRY "-wal",
		ARCHIVE_REGISTRY "-shm" };
	_cleanup_(closep) int dir = file_make_dir(archive_dir(a), ARCHIVE_DERIVED, err);
	int r = dir < 0 ? dir : 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++)
		r = file_unlink(dir, names[i], err);
	return r;
}

static int open_registry(struct archive *a, struct registry **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct err inner = ERR_INIT;
	int r;

	registry_path(a, &path);
	r = registry_open(path.p, true, ret, &inner);
	if (r == -ERR_CORRUPT || r == -ERR_UNSUPPORTED) {
		log_err(LOG_LEVEL_WARNING, "the registry is made anew", &inner);
		r = remove_registry(a, &inner);
		if (r == 0)
			r = registry_open(path.p, true, ret, &inner);
	}
	if (r < 0 && err)
		*err = inner;
	return r;
}

static int load_position(struct recorder *rec, struct err *err)
{
	struct registry_mark *marks = NULL;
	size_t count = 0;
	int r = registry_marks(rec->registry, &marks, &count, err);

	if (r < 0)
		return r;
	rec->position = 0;
	for (size_t i = 0; i < count; i++) {
		if (marks[i].actions > rec->position)
			rec->position = marks[i].actions;
	}
	free(marks);
	feed_reached(rec->feed, rec->position);
	return 0;
}

int recorder_new(struct archive *a, struct recorder **ret, struct err *err)
{
	struct recorder *rec = xcalloc(1, sizeof(*rec));
	int r;

	rec->archive = a;
	rec->feed = feed_new(QUEUE, true);
	rec->hints = hints_new(a->record_keys);
	(void)pthread_mutex_init(&rec->failure_lock, NULL);
	r = open_registry(a, &rec->registry, err);
	if (r == 0)
		r = load_position(rec, err);
	if (r < 0) {
		recorder_free(rec);
		return r;
	}
	*ret = rec;
	return 0;
}

/* ---- one row ---- */

struct before {
	struct recorder *recorder;
	uint64_t version;
	struct row_commit *commits;
	size_t count;
	struct registry_row row; /* of a destroyed record: what stays */
	struct buf text;
};

static int take_commits(void *context, const struct registry_row *row, struct err *err)
{
	struct before *b = context;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct row_text text;
	int r = reading_row(b->recorder->archive, row, &doc, &text, err);

	if (r < 0)
		return r;
	b->commits = calloc(b->version, sizeof(*b->commits));
	if (!b->commits)
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	while (b->count + 1 < b->version &&
		row_commit_of(&text, b->count + 1, &b->commits[b->count], NULL) == 0)
		b->count++;
	return 1;
}

static int put_version(struct recorder *rec, const struct store_event *e, const struct manifest *m,
	const struct id *key, const uint8_t record_key[32], struct err *err)
{
	struct before before = { .recorder = rec, .version = e->version };
	struct row_commit commit = { e->volume, e->commit };
	_cleanup_(buf_wipe) struct buf text = BUF_INIT_MAX(REGISTRY_SEALED_MAX);
	_cleanup_(buf_done) struct buf sealed = BUF_INIT_MAX(REGISTRY_SEALED_MAX);
	struct registry_row row = { .record = e->record,
		.sequence = e->sequence,
		.number = m->number,
		.series = m->series,
		.department = m->department,
		.type = str_of(row_type(m)),
		.state = STR("filed"),
		.day = m->day,
		.version = (uint32_t)e->version,
		.volume = e->volume };
	int r = 0;

	/* A row that is missing or cannot be read only costs the commits of earlier versions. */
	if (e->version > 1 && e->version <= ROW_COMMITS)
		(void)registry_get(rec->registry, &e->record, take_commits, &before, NULL);
	row_say(m, before.commits, before.count, &commit, &text);
	free(before.commits);
	r = buf_check(&text, err);
	if (r < 0)
		return r;
	row_seal(store_archive(rec->archive->store), &e->record, key, record_key, buf_str(&text),
		&sealed);
	r = buf_check(&sealed, err);
	if (r < 0)
		return r;
	row.sealed = buf_str(&sealed);
	return registry_put(rec->registry, &row, err);
}

/* From what the filing thread left: the store need not be asked. */
static int put_hint(
	struct recorder *rec, const struct store_event *e, const struct hint *h, struct err *err)
{
	const struct row_commit commit = { e->volume, e->commit };
	_cleanup_(buf_wipe) struct buf text = BUF_INIT_MAX(REGISTRY_SEALED_MAX);
	_cleanup_(buf_done) struct buf sealed = BUF_INIT_MAX(REGISTRY_SEALED_MAX);
	struct registry_row row = { .record = e->record,
		.sequence = e->sequence,
		.number = e->number,
		.series = h->series,
		.department = h->department,
		.type = str_of(h->type),
		.state = STR("filed"),
		.day = h->day,
		.version = 1,
		.volume = e->volume };
	int r;

	buf_add_str(&text, h->head);
	row_say_tail(NULL, 0, &commit, &text);
	r = buf_check(&text, err);
	if (r < 0)
		return r;
	row_seal(store_archive(rec->archive->store), &e->record, &h->key, h->record_key,
		buf_str(&text), &sealed);
	r = buf_check(&sealed, err);
	if (r < 0)
		return r;
	row.sealed = buf_str(&sealed);
	return registry_put(rec->registry, &row, err);
}

static int note_account(struct recorder *rec, const struct store_event *e, const struct manifest *m,
	struct err *err)
{
	_cleanup_(buf_wipe) struct buf folded = BUF_INIT;
	struct registry_lookup lookup = { .kind = LOOKUP_ACCOUNT };
	int r = people_fold(m->title, &folded, err);

	if (r < 0)
		return r;
	lookup_hash(rec->archive->registry_key, LOOKUP_ACCOUNT, buf_str(&folded), lookup.hash);
	r = registry_set_lookups(rec->registry, &e->record, &lookup, 1, err);
	if (r == 0)
		people_note(rec->archive->people, m->number, m->title);
	return r;
}

static int keep_clear(void *context, const struct registry_row *row, struct err *err)
{
	struct before *b = context;

	(void)err;
	b->row = *row;
	buf_add_str(&b->text, row->series);
	buf_addc(&b->text, 0);
	buf_add_str(&b->text, row->department);
	buf_addc(&b->text, 0);
	buf_add_str(&b->text, row->type);
	return 1;
}

/* What stays of a destroyed record: number, series, department, day. From its row, or, when the registry is
 * made anew, from its path. */
static int put_destroyed(struct recorder *rec, const struct store_event *e, struct err *err)
{
	struct before b = { .recorder = rec, .text = BUF_INIT };
	struct registry_row row = { .record = e->record,
		.sequence = e->sequence,
		.number = e->number,
		.state = STR("destroyed"),
		.version = (uint32_t)e->version,
		.volume = e->volume,
		.destroyed = true };
	struct path path;
	int r = registry_get(rec->registry, &e->record, keep_clear, &b, NULL);

	if (r == 0 && b.text.n > 0 && buf_check(&b.text, NULL) == 0) {
		struct str rest = buf_str(&b.text);

		row.day = b.row.day;
		row.series = str_cut(&rest, 0);
		row.department = str_cut(&rest, 0);
		row.type = rest;
	} else if (path_parse(e->folder, &path, NULL) == 0) {
		row.day = day_of_date((struct date){ path.year, path.month, 1 });
		row.series = catalogue_code_of_title(rec->archive->catalogue, path.series_title);
		row.department = path.department;
	}
	r = registry_put(rec->registry, &row, err);
	if (r == 0)
		r = registry_set_lookups(rec->registry, &e->record, NULL, 0, err);
	buf_done(&b.text);
	return r;
}

static int put_event(struct recorder *rec, const struct store_event *e, struct err *err)
{
	_cleanup_(arena_freep) struct arena *arena = NULL;
	const struct manifest *m;
	uint8_t record_key[32];
	struct err inner = ERR_INIT;
	struct hint *hint;
	struct id key;
	int r;

	if (e->act == ACT_DESTROY)
		return put_destroyed(rec, e, err);
	hint = e->version == 1 ? hints_take(rec->hints, &e->record) : NULL;
	if (hint) {
		r = put_hint(rec, e, hint, err);
		hint_free(rec->hints, hint);
		return r;
	}
	arena = arena_new(16384);
	r = reading_event(rec->archive, e, arena, &m, &key, record_key, &inner);
	/* Its key is gone: a tombstone follows, or did already. */
	if (r == -ERR_NOTFOUND || r == -ERR_DESTROYED)
		return put_destroyed(rec, e, err);
	if (r == -ERR_SEALED || r == -ERR_IO) {
		if (err)
			*err = inner;
		return r;
	}
	if (r < 0) {
		/* One bad record must not hold up all that follow; verify names it, status counts it. */
		if (atomic_fetch_add(&rec->unreadable, 1) == 0)
			log_err(LOG_LEVEL_ERROR, "a record cannot be registered", &inner);
		return 0;
	}
	r = put_version(rec, e, m, &key, record_key, err);
	sodium_memzero(record_key, sizeof(record_key));
	if (r == 0 && str_is(m->series, SERIES_ACCOUNT))
		r = note_account(rec, e, m, err);
	if (r == 0 && str_is(m->series, SERIES_DEFINITION) && rec->archive->catalogue)
		catalogue_note(rec->archive->catalogue, &e->record);
	return r;
}

/* ---- batches ---- */

static int commit_batch(struct recorder *rec, struct err *err)
{
	int r;

	if (!rec->open)
		return 0;
	r = rec->position > 0 ? registry_set_mark(rec->registry, &rec->mark, err) : 0;
	if (r == 0)
		r = registry_commit(rec->registry, err);
	if (r < 0)
		return r;
	rec->open = rec->rebuilding = false;
	rec->in_batch = 0;
	feed_reached(rec->feed, rec->position);
	return 0;
}

/* A batch ends only where an action ends: the mark counts whole actions. */
static int take_event(void *context, const struct store_event *e, struct err *err)
{
	struct recorder *rec = context;
	int r;

	if (feed_is_stopped(rec->feed))
		return err_set(err, ERR_CANCELLED, tr("stopped"));
	if (e->actions <= rec->position)
		return 0;
	if (!rec->open) {
		r = registry_begin(rec->registry, err);
		if (r < 0)
			return r;
		rec->open = true;
	}
	r = put_event(rec, e, err);
	if (r < 0)
		return r;
	rec->in_batch++;
	if (!e->last_of_action)
		return 0;
	rec->position = e->actions;
	rec->mark = (struct registry_mark){
		.volume = e->volume, .commit = e->commit, .actions = e->actions
	};
	if (rec->rebuilding) {
		atomic_store(&rec->rebuilt, rec->position);
		return 0;
	}
	return rec->in_batch >= BATCH ? commit_batch(rec, err) : 0;
}

static int walk(struct recorder *rec, struct err *err)
{
	struct store_counts counts;
	int r;

	store_count(rec->archive->store, &counts);
	r = store_walk(rec->archive->store, rec->position, take_event, rec, err);
	if (r == 0)
		r = commit_batch(rec, err);
	/* Actions without records (a volume's first commit) give no event, but they are done, too. */
	if (r == 0 && counts.pending_frames == 0 && counts.actions > rec->position) {
		rec->position = counts.actions;
		feed_reached(rec->feed, rec->position);
	}
	return r;
}

static int take_events(struct recorder *rec, const struct feed_batch *b, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->count; i++)
		r = take_event(rec, &b->events[i], err);
	return r == 0 ? commit_batch(rec, err) : r;
}

/* A new file. Nobody may look while it goes and comes: a reader between two of these steps would find half of
 * one. */
static int make_file(struct recorder *rec, bool remove, struct err *err)
{
	struct archive *a = rec->archive;
	int r = 0;

	pool_hold(a->registries);
	people_hold(a->people);
	registry_free(TAKE_PTR(rec->registry));
	if (remove)
		r = remove_registry(a, err);
	if (r == 0)
		r = open_registry(a, &rec->registry, err);
	people_release(a->people);
	pool_release(a->registries);
	return r == 0 ? load_position(rec, err) : r;
}

/* All rows again, in one transaction; or, when the file is damaged, in a new file. */
static int start_anew(struct recorder *rec, struct err *err)
{
	struct err inner = ERR_INIT;
	int r = -ERR_CORRUPT;

	atomic_store(&rec->rebuilt, 0);
	rec->position = 0;
	if (rec->registry) {
		r = registry_begin(rec->registry, &inner);
		if (r == 0)
			r = registry_clear(rec->registry, &inner);
		if (r == 0) {
			rec->open = rec->rebuilding = true;
			return 0;
		}
		registry_rollback(rec->registry);
	}
	if (r == -ERR_CORRUPT)
		return make_file(rec, true, err);
	if (err)
		*err = inner;
	return r;
}

/* From the first action on, whatever news came: the walk finds these, too. */
static int rebuild(struct recorder *rec, struct err *err)
{
	int r = start_anew(rec, err);

	if (r == 0)
		r = walk(rec, err);
	if (r == 0)
		atomic_store(&rec->rebuild, false);
	return r;
}

/* After a failure nothing of the batch counts. What fails once may work later (a full disk); it is said once. */
static void recover(struct recorder *rec, const struct err *why, bool *said)
{
	if (rec->registry)
		registry_rollback(rec->registry);
	else
		(void)make_file(rec, false, NULL);
	rec->open = rec->rebuilding = false;
	rec->in_batch = 0;
	if (rec->registry)
		(void)load_position(rec, NULL);
	if (!*said)
		log_err(LOG_LEVEL_ERROR, "the registry cannot be written", why);
	*said = true;
	(void)pthread_mutex_lock(&rec->failure_lock);
	rec->failure = *why;
	if (rec->failure.code == 0)
		(void)err_set(&rec->failure, ERR_IO, tr("the registry cannot be opened"));
	(void)pthread_mutex_unlock(&rec->failure_lock);
	atomic_fetch_add(&rec->failures, 1);
	for (int ms = 0; ms < RETRY_MS && !feed_is_stopped(rec->feed); ms += 50) {
		if (ms >= RETRY_SOON_MS && atomic_load(&rec->waiting) > 0)
			break;
		(void)poll(NULL, 0, 50);
	}
	feed_set_behind(rec->feed);
}

static void *work(void *context)
{
	struct recorder *rec = context;
	bool said = false;

	(void)pthread_setname_np(pthread_self(), "recorder");
	tr_set_language(rec->language);
	for (;;) {
		struct feed_batch batch;
		struct err err = ERR_INIT;
		enum feed_news news = feed_take(rec->feed, BATCH, -1, &batch);
		int r = 0;

		if (news == FEED_STOP)
			break;
		if (atomic_load(&rec->rebuild))
			r = rebuild(rec, &err);
		else if (news == FEED_BEHIND)
			r = rec->registry ? walk(rec, &err) : -ERR_IO;
		else if (news == FEED_EVENTS)
			r = take_events(rec, &batch, &err);
		feed_batch_done(&batch);
		if (r < 0 && !feed_is_stopped(rec->feed))
			recover(rec, &err, &said);
		else
			said = false;
	}
	return NULL;
}

void recorder_start(struct recorder *rec)
{
	rec->language = tr_language();
	if (pthread_create(&rec->thread, NULL, work, rec) == 0)
		rec->started = true;
	else
		log_line(LOG_LEVEL_ERROR,
			"cannot start the registry's thread: lists will not follow");
}

void recorder_free(struct recorder *rec)
{
	if (!rec)
		return;
	feed_stop(rec->feed);
	if (rec->started)
		(void)pthread_join(rec->thread, NULL);
	if (rec->open)
		registry_rollback(rec->registry);
	registry_free(rec->registry);
	feed_free(rec->feed);
	hints_free(rec->hints);
	(void)pthread_mutex_destroy(&rec->failure_lock);
	free(rec);
}

void recorder_walk_again(struct recorder *rec)
{
	feed_set_behind(rec->feed);
}

void recorder_push(struct recorder *rec, const struct store_event *events, size_t count)
{
	feed_push(rec->feed, events, count);
}

void recorder_expect(struct recorder *rec, const struct manifest *m, const struct id *key,
	const uint8_t record_key[32])
{
	hints_leave(rec->hints, m, key, record_key);
}

void recorder_expect_not(struct recorder *rec, const struct id *record)
{
	hint_free(rec->hints, hints_take(rec->hints, record));
}

/* ---- waiting ---- */

uint64_t recorder_position(struct recorder *rec)
{
	return feed_position(rec->feed);
}

/* A second failure is of an attempt that began after the wait: a full disk must not keep anybody to his deadline. */
static bool is_hopeless(struct recorder *rec, unsigned failures)
{
	return atomic_load(&rec->failures) - failures >= 2;
}

static bool wait_until(
	struct recorder *rec, uint64_t actions, int64_t deadline, const _Atomic bool *give_up)
{
	unsigned failures = atomic_load(&rec->failures);
	bool reached = false;
	int64_t now;

	atomic_fetch_add(&rec->waiting, 1);
	while (!reached && (now = clock_ticks()) < deadline) {
		int64_t step = now + 200 * 1000000;

		reached = feed_wait(rec->feed, actions, step < deadline ? step : deadline, give_up);
		if (is_hopeless(rec, failures) || feed_is_stopped(rec->feed) ||
			(give_up && atomic_load(give_up)))
			break;
	}
	atomic_fetch_sub(&rec->waiting, 1);
	return reached || feed_position(rec->feed) >= actions;
}

bool recorder_wait_for(struct recorder *rec, uint64_t actions, int64_t deadline)
{
	return wait_until(rec, actions, deadline, &rec->archive->stopping);
}

/* A registry that is about to be made anew has the old position still; what it says is nothing to rely on. */
static void wait_for_rebuild(struct recorder *rec, int64_t deadline, const _Atomic bool *give_up)
{
	unsigned failures = atomic_load(&rec->failures);

	while (atomic_load(&rec->rebuild) && clock_ticks() < deadline &&
		!is_hopeless(rec, failures) && !feed_is_stopped(rec->feed) &&
		!(give_up && atomic_load(give_up)))
		(void)poll(NULL, 0, 5);
}

bool recorder_wait(struct recorder *rec, int64_t deadline, const _Atomic bool *give_up)
{
	struct store_counts counts;

	store_count(rec->archive->store, &counts);
	wait_for_rebuild(rec, deadline, give_up);
	return wait_until(rec, counts.actions, deadline, give_up);
}

bool recorder_catch_up(struct archive *a, int64_t timeout_ms)
{
	int64_t deadline = clock_ticks() + timeout_ms * 1000000;
	struct store_counts counts;

	store_count(a->store, &counts);
	wait_for_rebuild(a->recorder, deadline, &a->stopping);
	if (recorder_position(a->recorder) >= counts.actions)
		return true;
	if (store_flush(a->store, NULL) < 0)
		return false;
	return wait_until(a->recorder, counts.actions, deadline, &a->stopping);
}

/* Looks many times a second; the flag goes down when all rows are there. */
static bool is_rebuilt(struct recorder *rec)
{
	if (!atomic_load(&rec->rebuild))
		return true;
	(void)poll(NULL, 0, 20);
	return false;
}

/* The rows of before stand: what failed was one transaction. */
static int give_up_rebuilding(struct recorder *rec, struct err *err)
{
	int r;

	atomic_store(&rec->rebuild, false);
	(void)pthread_mutex_lock(&rec->failure_lock);
	r = -rec->failure.code;
	if (err)
		*err = rec->failure;
	(void)pthread_mutex_unlock(&rec->failure_lock);
	return r;
}

int recorder_rebuild(
	struct archive *a, struct verb_call *call, uint64_t *ret_records, struct err *err)
{
	struct recorder *rec = a->recorder;
	int64_t begun = clock_ticks();
	unsigned failures = atomic_load(&rec->failures);
	struct store_counts counts;
	int r = store_flush(a->store, err);

	if (r < 0)
		return r;
	store_count(a->store, &counts);
	atomic_store(&rec->rebuild, true);
	feed_set_behind(rec->feed);
	while (!is_rebuilt(rec)) {
		struct verb_progress p = { .stage = "register",
			.unit = "actions",
			.done = atomic_load(&rec->rebuilt),
			.total = counts.actions };
		int64_t ms = (clock_ticks() - begun) / 1000000 + 1;

		p.rate = p.done * 1000 / (uint64_t)ms;
		p.eta = p.rate && p.total > p.done ? (p.total - p.done) / p.rate : 0;
		r = verb_tell_of(call, &p, err);
		if (r < 0)
			return r;
		if (feed_is_stopped(rec->feed))
			return err_set(err, ERR_CANCELLED, tr("stopped"));
		if (is_hopeless(rec, failures))
			return give_up_rebuilding(rec, err);
	}
	*ret_records = counts.records;
	return 0;
}
