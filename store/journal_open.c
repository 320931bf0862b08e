/* journal_open.c - opens the journal: brings its end in order, sets aside what is bad, and looks only, for verify
 * (journal.h; the rules: FORMAT.md, section 10; where frames end: journal_scan.c). */
#include "store/journal_private.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

void journal_add_segment(struct journal *j, const struct segment *s)
{
	j->segments = reallocarray(j->segments, j->count + 1, sizeof(*j->segments));
	if (!j->segments)
		abort();
	j->segments[j->count++] = *s;
}

void journal_add_old(struct journal *j, uint64_t number)
{
	j->old = reallocarray(j->old, j->old_count + 1, sizeof(*j->old));
	if (!j->old)
		abort();
	j->old[j->old_count++] = number;
}

static int open_segments(struct journal *j, bool writable, struct err *err)
{
	_cleanup_(freep) uint64_t *numbers = NULL;
	size_t count;
	int r = segment_list(j->dir, "seg", &numbers, &count, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		struct segment s;

		if (i > 0 && numbers[i] != numbers[i - 1] + 1)
			return err_set(err, ERR_CORRUPT,
				tr("segment %llu of the journal is missing; restore the folder "
				   "'journal' from a backup or from this disk"),
				(unsigned long long)numbers[i - 1] + 1);
		r = segment_open(j->dir, &j->archive, numbers[i], writable, &s, err);
		if (r == 0)
			journal_add_segment(j, &s);
	}
	if (r == 0 && count > 0)
		j->next_segment = numbers[count - 1] + 1;
	return r;
}

/* Segments that were being overwritten are so again when there is time; one that was being made is
 * forgotten. */
static int open_leftovers(struct journal *j, struct err *err)
{
	_cleanup_(freep) uint64_t *old = NULL, *fresh = NULL;
	size_t old_count, fresh_count;
	char name[SEGMENT_NAME_MAX];
	int r = segment_list(j->dir, "old", &old, &old_count, err);

	if (r == 0)
		r = segment_list(j->dir, "new", &fresh, &fresh_count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < old_count; i++) {
		journal_add_old(j, old[i]);
		if (j->next_segment <= old[i])
			j->next_segment = old[i] + 1;
	}
	for (size_t i = 0; i < fresh_count && r == 0; i++)
		r = file_unlink(j->dir, segment_name(fresh[i], "new", name), err);
	return r;
}

/* "aside-<frame>", or "aside-<frame>-<n>" */
static bool parse_aside(const char *name, uint64_t *ret)
{
	struct str rest = str_of(name), number;

	if (!str_starts(rest, "aside-") || str_ends(rest, ".new"))
		return false;
	(void)str_cut(&rest, '-');
	number = str_cut(&rest, '-');
	return str_to_u64(number, UINT64_MAX, ret, NULL) == 0;
}

/* The file that was set aside and has the lowest number, if there is one. */
static int find_aside(int dir, struct journal_found *found, struct err *err)
{
	_cleanup_(freep) char **names = NULL;
	size_t count;
	int r = file_list(dir, &names, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		uint64_t frame;

		if (!parse_aside(names[i], &frame))
			continue;
		if (!found->set_aside || frame < found->aside_frame)
			found->aside_frame = frame;
		found->set_aside = true;
	}
	return r;
}

static int copy_bytes(int from, uint64_t offset, uint64_t n, int to, struct err *err)
{
	enum { PIECE = 1 << 16 };
	_cleanup_(freep) uint8_t *piece = xcalloc(1, PIECE);
	int r = 0;

	for (uint64_t at = 0; at < n && r == 0;) {
		size_t some = n - at < PIECE ? (size_t)(n - at) : PIECE;

		r = file_pread(from, piece, some, offset + at, err);
		if (r == 0)
			r = file_pwrite(to, piece, some, at, err);
		at += some;
	}
	return r;
}

static int set_aside(int dir, const struct segment *s, const struct scan *scan, struct err *err)
{
	_cleanup_(closep) int fd = -1;
	char name[64], fresh[80];
	int r;

	(void)snprintf(name, sizeof(name), "aside-%llu", (unsigned long long)scan->tail_frame);
	for (unsigned n = 2; file_exists(dir, name); n++)
		(void)snprintf(name, sizeof(name), "aside-%llu-%u",
			(unsigned long long)scan->tail_frame, n);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", name);
	r = file_unlink(dir, fresh, err);
	if (r < 0)
		return r;
	fd = file_create(dir, fresh, err);
	if (fd < 0)
		return fd;
	r = copy_bytes(s->fd, scan->offset, scan->tail_bytes, fd, err);
	if (r == 0)
		r = file_datasync(fd, err);
	if (r == 0)
		r = file_rename(dir, fresh, dir, name, err);
	if (r == 0)
		r = file_sync_dir(dir, err);
	return r;
}

/* Bring the journal to a clean end: what is torn or bad is overwritten, the latter after it was
 * copied. */
static int settle(struct journal *j, uint64_t next, struct scan *scan, struct journal_found *found,
	struct err *err)
{
	for (;;) {
		struct segment *s;
		int r = journal_scan(j->segments, j->count, next, NULL, NULL, scan, err);

		if (r < 0 || scan->tail == TAIL_CLEAN)
			return r;
		s = &j->segments[scan->segment];
		if (scan->tail == TAIL_TORN)
			found->dropped_tail = true;
		else
			r = set_aside(j->dir, s, scan, err);
		if (r == 0)
			r = file_pwrite_zeros(s->fd, scan->tail_bytes, scan->offset, err);
		if (r == 0)
			r = file_datasync(s->fd, err);
		if (r < 0)
			return r;
	}
}

/* The process before may have died between writing the last frame and syncing it, or a sync may
 * have failed and left the pages marked clean. So the frame is written once more and synced, before
 * anybody relies on having read it. One that is applied was secured before that. */
static int secure_last(struct journal *j, uint64_t next, const struct scan *scan, struct err *err)
{
	_cleanup_(freep) uint8_t *bytes = NULL;
	uint64_t offset = scan->offset - scan->last_bytes;
	int fd, r;

	if (scan->frames == 0 || scan->last < next)
		return 0;
	fd = j->segments[scan->segment].fd;
	bytes = malloc((size_t)scan->last_bytes);
	if (!bytes)
		return err_set(err, ERR_LIMIT, tr("a frame does not fit into memory"));
	r = file_pread(fd, bytes, (size_t)scan->last_bytes, offset, err);
	if (r == 0)
		r = file_pwrite(fd, bytes, (size_t)scan->last_bytes, offset, err);
	if (r == 0)
		r = file_datasync(fd, err);
	return r;
}

static struct journal *journal_new(const struct id *archive, const struct journal_options *options)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	uint64_t bytes = options && options->segment_bytes ? options->segment_bytes : SEGMENT_BYTES;

	j->archive = *archive;
	j->segment_bytes = (bytes + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
	if (j->segment_bytes < 2 * JOURNAL_BLOCK)
		j->segment_bytes = 2 * JOURNAL_BLOCK;
	j->spare = options && options->spare ? options->spare : 2;
	j->next_segment = 1;
	(void)pthread_mutex_init(&j->files, NULL);
	(void)pthread_mutex_init(&j->lock, NULL);
	return j;
}

static int take_dir(struct journal *j, int dir, struct err *err)
{
	j->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	return j->dir < 0 ? err_errno(err, tr("cannot open the journal's folder")) : 0;
}

int journal_open(int dir, const struct id *archive, uint64_t next,
	const struct journal_options *options, struct journal **ret,
	struct journal_found *ret_found, struct err *err)
{
	_cleanup_(journal_freep) struct journal *j = journal_new(archive, options);
	struct journal_found found = { 0 };
	struct scan scan;
	int r = take_dir(j, dir, err);

	if (next == 0)
		next = 1;
	if (r == 0)
		r = open_segments(j, true, err);
	if (r == 0)
		r = open_leftovers(j, err);
	if (r == 0)
		r = settle(j, next, &scan, &found, err);
	if (r == 0)
		r = secure_last(j, next, &scan, err);
	if (r == 0)
		r = find_aside(j->dir, &found, err);
	if (r < 0)
		return r;
	j->last_frame = scan.last;
	j->digest = scan.digest;
	j->current = scan.segment;
	if (scan.last + 1 < next) {
		found.missing = scan.frames ? next - 1 - scan.last : 0;
		j->last_frame = next - 1;
		j->digest = (struct digest){ { 0 } };
	}
	found.frames = scan.frames;
	if (ret_found)
		*ret_found = found;
	*ret = TAKE_PTR(j);
	return 0;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->count; i++)
		segment_close(&j->segments[i]);
	closep(&j->dir);
	(void)pthread_mutex_destroy(&j->files);
	(void)pthread_mutex_destroy(&j->lock);
	free(j->segments);
	free(j->old);
	free(j->buffer);
	free(j);
}

struct heads {
	bool (*is_done)(void *context, uint32_t volume, const struct oid *head);
	void *context;
	uint64_t done;
};

static void look_at_head(void *context, const struct frame_head *head)
{
	struct heads *h = context;

	if (h->is_done(h->context, head->volume, &head->head))
		h->done = head->number;
}

int journal_find_done(struct journal *j,
	bool (*is_done)(void *context, uint32_t volume, const struct oid *head), void *context,
	uint64_t *ret_frame, struct err *err)
{
	struct heads h = { is_done, context, 0 };
	int r = journal_scan_heads(j->segments, j->count, look_at_head, &h, err);

	if (r == 0)
		*ret_frame = h.done;
	return r;
}

int journal_replay(struct journal *j, uint64_t from,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	struct err *err)
{
	bool clean;
	int r = journal_scan_frames(j->segments, j->count, from, each, context, &clean, err);

	if (r == 0 && !clean)
		r = err_set(err, ERR_CONFLICT, tr("the journal changed while it was read"));
	return r;
}

/* True when the process that owns the journal has freed or made segments since they were opened. */
static bool has_changed(const struct journal *j)
{
	_cleanup_(freep) uint64_t *numbers = NULL;
	size_t count;

	if (segment_list(j->dir, "seg", &numbers, &count, NULL) < 0 || count != j->count)
		return true;
	return count > 0 && numbers[0] != j->segments[0].number;
}

int journal_check(int dir, const struct id *archive,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	struct journal_found *ret_found, struct err *err)
{
	_cleanup_(journal_freep) struct journal *j = journal_new(archive, NULL);
	struct journal_found found = { 0 };
	struct scan scan;
	int r = take_dir(j, dir, err);

	if (r == 0)
		r = open_segments(j, false, err);
	if (r == 0)
		r = journal_scan(j->segments, j->count, 0, each, context, &scan, err);
	if (r == 0)
		r = find_aside(j->dir, &found, err);
	if (r < 0 && has_changed(j))
		return err_set(err, ERR_CONFLICT, tr("the journal changed while it was read"));
	if (r < 0)
		return r;
	found.frames = scan.frames;
	found.dropped_tail = scan.tail == TAIL_TORN;
	if (scan.tail == TAIL_BAD && !found.set_aside) {
		found.set_aside = true;
		found.aside_frame = scan.tail_frame;
	}
	if (ret_found)
		*ret_found = found;
	return 0;
}

static int overwrite(int dir, const char *name, struct err *err)
{
	_cleanup_(closep) int fd = file_open_write(dir, name, err);
	uint64_t bytes;
	int r = fd < 0 ? fd : file_size(fd, &bytes, err);

	if (r == 0)
		r = file_pwrite_zeros(fd, bytes, 0, err);
	return r < 0 ? r : file_datasync(fd, err);
}

int journal_wipe_aside(struct journal *j, struct err *err)
{
	_cleanup_(freep) char **names = NULL;
	size_t count;
	int r = file_list(j->dir, &names, &count, err);

	/* Also what a crash left half copied. */
	for (size_t i = 0; r == 0 && i < count; i++)
		if (str_starts(str_of(names[i]), "aside-"))
			r = overwrite(j->dir, names[i], err);
	return r;
}

int journal_acknowledge(int dir, uint64_t frame, struct err *err)
{
	_cleanup_(freep) char **names = NULL;
	bool found = false;
	size_t count;
	int r = file_list(dir, &names, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		uint64_t number;

		if (!parse_aside(names[i], &number) || number != frame)
			continue;
		found = true;
		r = overwrite(dir, names[i], err); /* it may hold wrapped keys */
		if (r == 0)
			r = file_unlink(dir, names[i], err);
	}
	if (r == 0 && !found)
		r = err_set(err, ERR_NOTFOUND, tr("no frame %llu was set aside"),
			(unsigned long long)frame);
	return r < 0 ? r : file_sync_dir(dir, err);
}
