/* journal.c - frames appended, made durable and freed (journal.h; bytes: FORMAT.md,
 * section 10).
 *
 * The segments in memory, in the order of their numbers, which have no gaps:
 *
 *     [ freed soon ... | current | spare, spare ]    old: taken out of use, not yet overwritten
 *
 * Two threads: the writer appends to `current`, the applier frees from the left and puts spares on
 * the right.
 *
 * 1. `files` is held whenever a file of the journal is made, renamed or removed; `lock` for every
 * look at the memory. The list of segments changes under both, so either is enough to read it.
 * `files` is taken first.
 * 2. An append in steady state takes only `lock`, and never while a disk works: the next segment is
 * there already.
 * 3. A reservation means real zeros on the disk where the frame will stand; so an append cannot
 * meet a full disk.
 * 4. After a failed write or sync nothing is known about the bytes: `failed` stays until the
 * journal is opened anew. */
#include "store/journal_private.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEEP_BUFFER = 8 << 20 };

uint64_t journal_last_frame(struct journal *j)
{
	uint64_t last;

	(void)pthread_mutex_lock(&j->lock);
	last = j->last_frame;
	(void)pthread_mutex_unlock(&j->lock);
	return last;
}

/* ---- appending ---- */

static bool fits(const struct segment *s, uint64_t bytes)
{
	return bytes <= s->bytes - s->used;
}

/* The segment that takes a frame of that size: the current one, or the one behind it; NULL when
 * neither does. */
static struct segment *place_for(struct journal *j, uint64_t bytes)
{
	for (size_t i = j->current; i < j->count && i <= j->current + 1; i++)
		if (fits(&j->segments[i], bytes))
			return &j->segments[i];
	return NULL;
}

/* The segment without frames that the writer comes to next; NULL when there is none. */
static struct segment *next_empty(struct journal *j)
{
	for (size_t i = j->current; i < j->count && i <= j->current + 1; i++)
		if (j->segments[i].used == JOURNAL_BLOCK)
			return &j->segments[i];
	return NULL;
}

static int make_segment(struct journal *j, uint64_t bytes, struct err *err)
{
	struct segment s;
	int r = segment_make(j->dir, &j->archive, j->next_segment, bytes, &s, err);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&j->lock);
	j->next_segment++;
	journal_add_segment(j, &s);
	(void)pthread_mutex_unlock(&j->lock);
	return 0;
}

static uint64_t segment_for(const struct journal *j, uint64_t bytes)
{
	return bytes + JOURNAL_BLOCK > j->segment_bytes ? bytes + JOURNAL_BLOCK : j->segment_bytes;
}

/* The slow way: no prepared segment takes the frame. Holds `files`. */
static int prepare(struct journal *j, uint64_t bytes, struct err *err)
{
	struct segment *empty, grown;
	bool ready;
	int r;

	(void)pthread_mutex_lock(&j->lock);
	ready = place_for(j, bytes) != NULL;
	empty = next_empty(j);
	if (empty)
		grown = *empty;
	(void)pthread_mutex_unlock(&j->lock);
	if (ready)
		return 0;
	if (!empty)
		return make_segment(j, segment_for(j, bytes), err);
	r = segment_grow(&grown, &j->archive, segment_for(j, bytes), err);
	(void)pthread_mutex_lock(&j->lock);
	empty->bytes = grown.bytes;
	(void)pthread_mutex_unlock(&j->lock);
	return r;
}

static int refuse_failed(struct err *err)
{
	return err_set(err, ERR_UNKNOWN,
		tr("the journal stopped after a write that failed; start again to find out what "
		   "became of it"));
}

int journal_reserve(struct journal *j, uint64_t body_bytes, struct err *err)
{
	uint64_t bytes;
	bool ready, failed;
	int r;

	if (body_bytes > FRAME_MAX_BYTES)
		return err_set(err, ERR_LIMIT, tr("a frame holds at most %d bytes, not %llu"),
			FRAME_MAX_BYTES, (unsigned long long)body_bytes);
	bytes = frame_bytes(body_bytes);
	(void)pthread_mutex_lock(&j->lock);
	failed = j->failed;
	ready = place_for(j, bytes) != NULL;
	(void)pthread_mutex_unlock(&j->lock);
	if (failed)
		return refuse_failed(err);
	if (ready)
		return 0;
	(void)pthread_mutex_lock(&j->files);
	r = prepare(j, bytes, err);
	(void)pthread_mutex_unlock(&j->files);
	return r;
}

static int make_room(struct journal *j, size_t bytes, struct err *err)
{
	if (bytes <= j->room && (j->room <= KEEP_BUFFER || bytes > KEEP_BUFFER))
		return 0;
	free(j->buffer);
	j->room = bytes > JOURNAL_BLOCK * 16 ? bytes : JOURNAL_BLOCK * 16;
	j->buffer = aligned_alloc(FILE_DIRECT_ALIGN, j->room); /* both are whole blocks */
	if (j->buffer)
		return 0;
	j->room = 0;
	return err_set(err, ERR_LIMIT, tr("a frame does not fit into memory"));
}

static int check_counts(const struct frame *f, struct err *err)
{
	if (f->object_count > UINT32_MAX || f->key_count > UINT32_MAX ||
		f->pack_count > UINT32_MAX || f->delete_count > UINT32_MAX)
		return err_set(err, ERR_LIMIT, tr("a frame does not fit into memory"));
	if (f->volume == 0)
		return err_set(
			err, ERR_INVALID, tr("a frame belongs to a volume, and they count from 1"));
	return 0;
}

int journal_append(struct journal *j, struct frame *f, struct err *err)
{
	uint64_t body = frame_body_bytes(f), offset, number;
	size_t bytes = (size_t)frame_bytes(body);
	struct segment *s;
	int fd, r = check_counts(f, err);

	if (r == 0)
		r = journal_reserve(j, body, err);
	if (r == 0)
		r = make_room(j, bytes, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&j->lock);
	s = place_for(j, bytes);
	j->current = (size_t)(s - j->segments);
	f->number = j->last_frame + 1;
	number = s->number;
	fd = s->fd;
	offset = s->used;
	(void)pthread_mutex_unlock(&j->lock);
	frame_encode(f, number, &j->digest, j->buffer);
	r = file_pwrite(fd, j->buffer, bytes, offset, err);
	if (r == 0)
		r = file_datasync(fd, err);
	(void)pthread_mutex_lock(&j->lock);
	if (r == 0) {
		s = &j->segments[j->current]; /* the applier may have moved it meanwhile */
		s->used += bytes;
		s->last_frame = j->last_frame = f->number;
	} else {
		j->failed = true;
	}
	(void)pthread_mutex_unlock(&j->lock);
	if (r < 0) {
		char why[ERR_TEXT_MAX];

		(void)snprintf(why, sizeof(why), "%s", err ? err->text : "");
		return err_set(err, ERR_UNKNOWN, tr("a write to the journal failed: %s"), why);
	}
	memcpy(j->digest.b, j->buffer + bytes - FRAME_DIGEST, FRAME_DIGEST);
	return 0;
}

/* ---- freeing ---- */

static size_t spares(struct journal *j)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->count; i++)
		n += i != j->current && j->segments[i].used == JOURNAL_BLOCK;
	(void)pthread_mutex_unlock(&j->lock);
	return n;
}

/* Take the first segment out of use, when it holds frames and all of them are applied. Returns 1
 * when it did. */
static int retire_first(struct journal *j, bool even_current, struct err *err)
{
	struct segment first;
	bool can;
	int r;

	(void)pthread_mutex_lock(&j->lock);
	can = j->count > 0 && (even_current || j->current > 0) &&
	      j->segments[0].used > JOURNAL_BLOCK && j->segments[0].last_frame <= j->freed;
	if (can)
		first = j->segments[0];
	(void)pthread_mutex_unlock(&j->lock);
	if (!can)
		return 0;
	r = segment_retire(j->dir, first.number, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&j->lock);
	journal_add_old(j, first.number);
	j->count--;
	memmove(j->segments, j->segments + 1, j->count * sizeof(*j->segments));
	if (j->current > 0)
		j->current--;
	(void)pthread_mutex_unlock(&j->lock);
	segment_close(&first);
	return 1;
}

/* Overwrite what was taken out of use, and keep as many spares as are wanted. */
static int recycle(struct journal *j, struct err *err)
{
	while (j->old_count > 0) {
		bool keep = spares(j) < j->spare;
		struct segment s;
		int r = segment_recycle(j->dir, &j->archive, j->old[0], keep ? j->next_segment : 0,
			j->segment_bytes, &s, err);

		if (r < 0)
			return r;
		j->old_count--;
		memmove(j->old, j->old + 1, j->old_count * sizeof(*j->old));
		if (s.fd < 0)
			continue;
		(void)pthread_mutex_lock(&j->lock);
		j->next_segment++;
		journal_add_segment(j, &s);
		(void)pthread_mutex_unlock(&j->lock);
	}
	return 0;
}

/* Holds `files`. */
static int free_segments(struct journal *j, bool even_current, struct err *err)
{
	int r;

	do {
		r = retire_first(j, even_current, err);
	} while (r == 1);
	if (r == 0)
		r = recycle(j, err);
	/* A full disk is no reason to fail here: the reservation that needs the space says so. */
	while (r == 0 && spares(j) < j->spare) {
		r = make_segment(j, j->segment_bytes, err);
		if (r == -ERR_FULL)
			return 0;
	}
	return r;
}

int journal_free_until(struct journal *j, uint64_t frame, struct err *err)
{
	int r;

	(void)pthread_mutex_lock(&j->lock);
	if (frame > j->freed)
		j->freed = frame < j->last_frame ? frame : j->last_frame;
	(void)pthread_mutex_unlock(&j->lock);
	(void)pthread_mutex_lock(&j->files);
	r = free_segments(j, false, err);
	(void)pthread_mutex_unlock(&j->files);
	return r;
}

int journal_wipe(struct journal *j, struct err *err)
{
	bool failed, applied = true;
	int r;

	(void)pthread_mutex_lock(&j->lock);
	failed = j->failed;
	for (size_t i = 0; i < j->count; i++)
		applied = applied && j->segments[i].last_frame <= j->freed;
	(void)pthread_mutex_unlock(&j->lock);
	if (failed)
		return refuse_failed(err);
	if (!applied)
		return err_set(
			err, ERR_INVALID, tr("the journal holds frames that are not applied yet"));
	(void)pthread_mutex_lock(&j->files);
	r = free_segments(j, true, err);
	(void)pthread_mutex_unlock(&j->files);
	return r;
}
