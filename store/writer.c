/* writer.c - makes history, one frame at a time.
 *
 * A thread does it; or, when nobody writes and nothing waits, the thread that brings a change, so that a
 * single client's answer costs no hand-over. Whoever set `writing` under the store's lock is the writer,
 * and struct writer is his until he clears it.
 *
 * The writer takes every change that waits (natural group commit: while one frame is being made durable the
 * next changes queue up), stages each against what is in packs, in pending frames and in the frame
 * that is being built, makes one signed commit per action, appends one frame for all of them, and
 * only then publishes and answers (FORMAT.md, invariants 1, 3, 5, 6).
 *
 * Staging a change is all or nothing: an undo log takes back what its first records staged when a
 * later one is refused. When the frame itself fails before it was written (no space), everything
 * staged is dropped and the writer stands where it stood; when its outcome is unknown, the writer
 * stops for good (journal.h). */
#include "store/writer_private.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <stdlib.h>

enum { BATCH_MAX_CHANGES = 1024, BATCH_MAX_BYTES = 32 << 20, RECORD_OVERHEAD = 8192 };

/* ---- frames ---- */

struct standing {
	uint32_t volume;
	struct oid head, root;
	struct digest previous;
	uint64_t actions, records, volume_bytes;
	int64_t last_time, volume_year;
};

static struct standing remember(struct writer *w)
{
	return (struct standing){ .volume = w->volume,
		.head = w->head,
		.previous = w->previous,
		.actions = w->actions,
		.records = w->records,
		.volume_bytes = w->volume_bytes,
		.last_time = w->last_time,
		.volume_year = w->volume_year };
}

/* The root tree of the head commit, for a cache that begins anew. */
static int root_of(
	struct store *s, uint32_t volume, const struct oid *head, struct oid *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct commit c;
	int r;

	*ret = (struct oid){ { 0 } };
	if (oid_is_zero(head))
		return 0;
	r = read_object(s, volume, head, NULL, &content, err);
	if (r == 0)
		r = commit_parse(buf_str(&content), &c, &memory, err);
	if (r == 0)
		*ret = c.tree;
	return r;
}

/* Stand again where the last durable frame left the writer. */
static int go_back(
	struct store *s, struct undo_log *log, const struct standing *before, struct err *err)
{
	struct writer *w = &s->w;
	struct oid root;
	int r;

	writer_undo_to(log, 0);
	w->volume = before->volume;
	w->head = before->head;
	w->previous = before->previous;
	w->actions = before->actions;
	w->records = before->records;
	w->volume_bytes = before->volume_bytes;
	w->last_time = before->last_time;
	w->volume_year = before->volume_year;
	pending_frame_free(TAKE_PTR(w->building));
	r = root_of(s, w->volume, &w->head, &root, err);
	if (r == 0)
		tree_cache_reset(w->trees, &root);
	return r;
}

/* True when the applier should hear of it: it sleeps until there is something, then until there is much (or
 * some time has passed). */
static bool publish(struct store *s, struct pending_frame *f)
{
	bool tell;

	writer_unstage(&s->w.staged);
	(void)pthread_mutex_lock(&s->lock);
	s->published_frame = f->frame.number;
	s->published_volume = f->frame.volume;
	s->published_head = f->frame.head;
	s->published_actions = s->w.actions;
	s->published_records = s->w.records;
	if (s->volume_count < f->frame.volume)
		s->volume_count = f->frame.volume;
	pending_publish(&s->pending, f);
	tell = s->pending.frames == 1 || applier_has_enough(s);
	(void)pthread_mutex_unlock(&s->lock);
	return tell;
}

static int append(struct store *s, const struct oid *head_before, struct err *err)
{
	struct pending_frame *f = s->w.building;
	uint64_t bytes;
	int r;

	f->frame.head_before =
		f->frame.volume == s->published_volume ? *head_before : (struct oid){ { 0 } };
	bytes = frame_body_bytes(&f->frame);
	r = journal_reserve(s->journal, bytes, err);
	if (r == 0)
		r = journal_append(s->journal, &f->frame, err);
	if (r < 0)
		return r;
	s->w.volume_bytes += bytes;
	for (size_t i = 0; i < f->frame.pack_count; i++)
		s->w.volume_bytes += store_pack_bytes(s->incoming_dir, &f->packs[i]);
	return 0;
}

static void answer(struct change *c, int r, const struct err *err)
{
	if (r < 0 && c->result == 0) {
		c->result = r;
		c->err = *err;
	}
	if (c->answered)
		(void)sem_post(c->answered); /* from here on it may be gone */
}

/* Changes that were refused have their result; the rest stand or fall with the frame. */
static void write_batch(struct store *s, struct change *batch)
{
	struct writer *w = &s->w;
	const struct standing before = remember(w);
	_cleanup_(writer_undo_done) struct undo_log log = { NULL, 0, 0 };
	struct err err = ERR_INIT;
	bool broken = false, tell = false;
	int r = 0;

	w->building = pending_frame_new(w->volume);
	tr_set_language((enum tr_language)batch->language);
	if (writer_volume_is_over(s, batch->time))
		r = writer_open_volume(s, batch->time, &err);
	for (struct change *c = batch; c && r == 0; c = c->next) {
		tr_set_language((enum tr_language)c->language);
		c->result = writer_stage_change(s, &log, c, &broken, &c->err);
		if (broken) {
			r = c->result;
			err = c->err;
		}
	}
	if (r == 0 && w->building->commit_count > 0) {
		r = append(s, &before.head, &err);
		if (r == 0)
			tell = publish(s, TAKE_PTR(w->building));
	}
	if (w->building && go_back(s, &log, &before, r < 0 ? NULL : &err) < 0)
		r = -ERR_UNKNOWN;
	if (r == -ERR_UNKNOWN) {
		(void)pthread_mutex_lock(&s->lock);
		s->failed = true;
		(void)pthread_mutex_unlock(&s->lock);
	}
	while (batch) {
		struct change *next = batch->next;

		answer(batch, r, &err);
		batch = next;
	}
	/* Last: somebody waits for the answers. */
	if (tell)
		(void)pthread_cond_signal(&s->frames);
}

/* ---- the thread ---- */

static uint64_t change_bytes(const struct change *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->record_count; i++) {
		n += RECORD_OVERHEAD;
		for (size_t k = 0; k < c->records[i].part_count; k++)
			for (size_t m = 0; m < c->records[i].parts[k].chunk_count; m++)
				n += c->records[i].parts[k].chunks[m].sealed.n;
	}
	return n;
}

/* The oldest changes that fit into one frame; the lock is held. */
static struct change *take_batch(struct store *s)
{
	struct change *batch = s->queue, *last = batch;
	uint64_t bytes = change_bytes(batch);
	int count = 1;

	while (last->next && count < BATCH_MAX_CHANGES) {
		bytes += change_bytes(last->next);
		if (bytes > BATCH_MAX_BYTES)
			break;
		last = last->next;
		count++;
	}
	s->queue = last->next;
	if (!s->queue)
		s->queue_last = &s->queue;
	last->next = NULL;
	return batch;
}

/* Too much that is not in packs yet: wait for the applier, unless it cannot work either. The lock
 * is held. */
static bool must_wait(struct store *s)
{
	return s->pending.bytes > s->options.pending_max_bytes && !s->applier_error;
}

static void refuse(struct store *s, struct change *batch)
{
	struct err err = ERR_INIT;
	int r;

	tr_set_language((enum tr_language)batch->language);
	if (s->failed)
		r = err_set(&err, ERR_UNKNOWN,
			tr("writing stopped after a failure of the disk; restart, then ask again "
			   "with the same request key"));
	else
		r = err_set(&err, -s->applier_error, "%s", s->applier_err.text);
	while (batch) {
		struct change *next = batch->next;

		batch->result = 0;
		answer(batch, r, &err);
		batch = next;
	}
}

/* The lock is held. */
static void stop_writing(struct store *s)
{
	s->writing = false;
	if (s->held)
		(void)pthread_cond_broadcast(&s->applied);
}

static void *run(void *context)
{
	struct store *s = context;

	(void)pthread_setname_np(pthread_self(), "writer");
	(void)pthread_mutex_lock(&s->lock);
	for (;;) {
		struct change *batch;
		bool blocked;

		while (s->held || s->writing || (!s->queue && !s->stopping) ||
			(s->queue && must_wait(s) && !s->failed))
			(void)pthread_cond_wait(
				s->queue && !s->held && !s->writing ? &s->space : &s->work,
				&s->lock);
		if (!s->queue)
			break;
		batch = take_batch(s);
		blocked = s->failed ||
			  (s->applier_error && s->pending.bytes > s->options.pending_max_bytes);
		s->writing = true;
		(void)pthread_mutex_unlock(&s->lock);
		if (blocked)
			refuse(s, batch);
		else
			write_batch(s, batch);
		(void)pthread_mutex_lock(&s->lock);
		stop_writing(s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

int writer_hold(struct store *s, struct err *err)
{
	(void)pthread_mutex_lock(&s->lock);
	while (s->held)
		(void)pthread_cond_wait(&s->applied, &s->lock);
	s->held = true;
	while (s->writing)
		(void)pthread_cond_wait(&s->applied, &s->lock);
	(void)pthread_mutex_unlock(&s->lock);
	return store_flush(s, err);
}

void writer_release(struct store *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->held = false;
	(void)pthread_cond_broadcast(&s->work);
	(void)pthread_cond_broadcast(&s->space);
	(void)pthread_cond_broadcast(&s->applied);
	(void)pthread_mutex_unlock(&s->lock);
}

/* The caller holds the writer, so its state is the caller's. */
int writer_change_keys(struct store *s, const struct key_change *change, struct err *err)
{
	struct writer *w = &s->w;
	const struct standing before = remember(w);
	_cleanup_(writer_undo_done) struct undo_log log = { NULL, 0, 0 };
	const struct signer_line lines[] = {
		{ true, STR(ACCOUNT_SERVER), *signer_public(w->signer) },
		{ false, STR(ACCOUNT_SERVER), *signer_public(change->next) },
	};
	struct commit c = { .time = change->time,
		.action = *change->action,
		.uid = change->uid,
		.act = ACT_KEYS,
		.account = str_of(change->account),
		.subject = STR("server keys"),
		.signers = lines,
		.signer_count = ARRAY_LEN(lines) };
	int r;

	w->building = pending_frame_new(w->volume);
	r = writer_make_commit(s, &c, err);
	if (r == 0)
		r = append(s, &before.head, err);
	if (r == 0)
		publish(s, TAKE_PTR(w->building));
	else if (go_back(s, &log, &before, NULL) < 0)
		r = err_set(err, ERR_UNKNOWN,
			tr("writing stopped after a failure of the disk; restart, then ask again "
			   "with the same request key"));
	if (r == -ERR_UNKNOWN) {
		(void)pthread_mutex_lock(&s->lock);
		s->failed = true;
		(void)pthread_mutex_unlock(&s->lock);
	}
	if (r < 0)
		return r;
	signer_free(w->signer);
	w->signer = signer_again(change->next);
	return 0;
}

/* Where the newest volume's head says we are. */
static int load_standing(struct store *s, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT, first = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct writer *w = &s->w;
	struct commit c;
	struct oid root;
	int r;

	w->volume = s->volume_count;
	if (w->volume == 0)
		return 0;
	r = store_main(s, w->volume, &w->head, err);
	if (r == 0)
		r = read_object(s, w->volume, &w->head, NULL, &content, err);
	if (r == 0)
		r = commit_parse(buf_str(&content), &c, &memory, err);
	if (r < 0)
		return r;
	sha256(content.p, content.n, w->previous.b);
	w->actions = c.actions;
	w->records = c.records;
	w->last_time = c.time + (c.act == ACT_KEYS);
	/* The year of the first commit would need a walk; the newest one's serves: the first commit
	 * of a later year rolls over. */
	w->volume_year = writer_year_of(c.time);
	root = c.tree;
	tree_cache_reset(w->trees, &root);
	r = store_volume_bytes(s, w->volume, &w->volume_bytes, err);
	s->published_volume = w->volume;
	s->published_head = w->head;
	s->published_actions = w->actions;
	s->published_records = w->records;
	return r;
}

static int prepare(struct store *s, struct err *err)
{
	_cleanup_(secret_freep) struct secret *seed = NULL;
	struct writer *w = &s->w;
	int r = rotate_settle(s, err);

	if (r == 0)
		r = keys_purpose(s->keys, ACCOUNT_SERVER, &seed, err);
	if (r < 0)
		return r;
	w->signer = signer_new(seed);
	buf_done(&w->path);
	buf_init(&w->path, BUF_DEFAULT_MAX);
	w->trees = tree_cache_new(writer_load_tree, s);
	return load_standing(s, err);
}

int writer_start(struct store *s, struct err *err)
{
	int r = prepare(s, err);

	if (r < 0)
		return r;
	s->stopping = false;
	if (pthread_create(&s->writer_thread, NULL, run, s) != 0)
		return err_set(err, ERR_IO, tr("cannot start a thread"));
	s->writer_runs = true;
	return 0;
}

void writer_stop(struct store *s)
{
	struct writer *w = &s->w;

	if (s->writer_runs) {
		(void)pthread_mutex_lock(&s->lock);
		s->stopping = true;
		(void)pthread_cond_broadcast(&s->work);
		(void)pthread_cond_broadcast(&s->space);
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_join(s->writer_thread, NULL);
		s->writer_runs = false;
	}
	writer_unstage(&w->staged);
	map_done(&w->staged.serials);
	buf_done(&w->path);
	tree_cache_free(TAKE_PTR(w->trees));
	signer_free(TAKE_PTR(w->signer));
}

int writer_open_first(struct store *s, struct err *err)
{
	const struct oid none = { { 0 } };
	int r = prepare(s, err);

	if (r < 0)
		return r;
	s->w.building = pending_frame_new(0);
	r = writer_open_volume(s, clock_now(), err);
	if (r == 0)
		r = append(s, &none, err);
	if (r == 0 && publish(s, TAKE_PTR(s->w.building)))
		(void)pthread_cond_signal(&s->frames);
	pending_frame_free(TAKE_PTR(s->w.building));
	writer_stop(s);
	return r;
}

/* ---- handing changes over ---- */

bool writer_is_account(const char *account)
{
	size_t n = strlen(account);

	return n > 0 && n <= COMMIT_ACCOUNT_MAX &&
	       strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static int check_open(const struct store *s, struct err *err)
{
	if (!s->options.writable)
		return err_set(err, ERR_DENIED, tr("the archive was opened for reading"));
	if (!s->unsealed || s->stopping)
		return err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it first"));
	return 0;
}

/* Nobody writes, nothing waits, and there is room. The lock is held. */
static bool is_idle(const struct store *s)
{
	return !s->writing && !s->held && !s->queue && !s->failed &&
	       s->pending.bytes <= s->options.pending_max_bytes;
}

static void write_here(struct store *s, struct change *c)
{
	bool more;

	c->answered = NULL;
	write_batch(s, c);
	(void)pthread_mutex_lock(&s->lock);
	stop_writing(s);
	more = s->queue || s->stopping;
	(void)pthread_mutex_unlock(&s->lock);
	if (more)
		(void)pthread_cond_signal(&s->work);
}

static void wait_for_answer(sem_t *answered)
{
	while (sem_wait(answered) < 0)
		continue; /* a signal came between */
}

int store_write(struct store *s, struct change *c, struct err *err)
{
	bool here, wake;
	sem_t answered;
	int r;

	c->next = NULL;
	c->result = 0;
	c->language = tr_language();
	if (!writer_is_account(c->account))
		return err_set(
			err, ERR_INVALID, tr("'%s' is not the id of an account"), c->account);
	(void)sem_init(&answered, 0, 0);
	c->answered = &answered;
	(void)pthread_mutex_lock(&s->lock);
	r = check_open(s, err);
	here = r == 0 && is_idle(s);
	wake = !here && !s->writing; /* who writes looks for more afterwards */
	if (here) {
		s->writing = true;
	} else if (r == 0) {
		*s->queue_last = c;
		s->queue_last = &c->next;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (r < 0)
		return r;
	if (wake) /* outside of the lock, or the writer would wake up to wait for it */
		(void)pthread_cond_signal(&s->work);
	if (here)
		write_here(s, c);
	else
		wait_for_answer(&answered);
	(void)sem_destroy(&answered);
	if (c->result < 0 && err)
		*err = c->err;
	return c->result;
}
