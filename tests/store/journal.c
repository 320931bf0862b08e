#include "tests/harness.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "store/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SEGMENT = 16 * JOURNAL_BLOCK };

static const struct id archive = { { 0xa1, 2, 3 } };
static const struct journal_options small = { .segment_bytes = SEGMENT, .spare = 2 };

/* ---- frames to write ---- */

/* A frame whose content follows from its number: two objects, one of `bytes` bytes, a key, a pack,
 * a key id to delete. */
struct sample {
	struct frame frame;
	struct frame_object objects[2];
	struct wrapped_key key;
	struct oid pack;
	struct id gone;
	char *content;
};

static void sample_make(struct sample *s, uint64_t number, size_t bytes)
{
	*s = (struct sample){ .content = xcalloc(1, bytes + 1) };
	for (size_t i = 0; i < bytes; i++)
		s->content[i] = (char)(1 + (number * 7 + i * 13) % 251);
	s->objects[0] = (struct frame_object){
		.type = OBJECT_BLOB, .is_envelope = true, .content = { s->content, bytes }
	};
	s->objects[1] = (struct frame_object){ .type = OBJECT_COMMIT, .content = STR("commit") };
	put_be64(s->objects[0].oid.b, number);
	put_be64(s->objects[1].oid.b, number + 1000);
	s->key.epoch = number;
	memset(s->key.wrapped, (int)number, sizeof(s->key.wrapped));
	put_be64(s->pack.b, number);
	put_be64(s->gone.b, number);
	s->frame = (struct frame){ .volume = 1,
		.objects = s->objects,
		.object_count = 2,
		.keys = &s->key,
		.key_count = 1,
		.packs = &s->pack,
		.pack_count = 1,
		.deletes = &s->gone,
		.delete_count = 1 };
	put_be64(s->frame.head.b, number);
	put_be64(s->frame.head_before.b, number - 1);
}

static void sample_done(struct sample *s)
{
	free(s->content);
}

static int append(struct journal *j, uint64_t number, size_t bytes, struct err *err)
{
	struct sample s;
	int r;

	sample_make(&s, number, bytes);
	r = journal_append(j, &s.frame, err);
	if (r == 0)
		ck_assert_uint_eq(s.frame.number, number);
	sample_done(&s);
	return r;
}

static void ck_frame_is(const struct frame *f, uint64_t number, size_t bytes)
{
	struct sample s;

	sample_make(&s, number, bytes);
	ck_assert_uint_eq(f->number, number);
	ck_assert_uint_eq(f->volume, 1);
	ck_assert(oid_equal(&f->head, &s.frame.head));
	ck_assert(oid_equal(&f->head_before, &s.frame.head_before));
	ck_assert_uint_eq(f->object_count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(f->objects[i].type, s.objects[i].type);
		ck_assert(f->objects[i].is_envelope == s.objects[i].is_envelope);
		ck_assert(oid_equal(&f->objects[i].oid, &s.objects[i].oid));
		ck_assert(str_eq(f->objects[i].content, s.objects[i].content));
	}
	ck_assert_uint_eq(f->key_count, 1);
	ck_assert(id_equal(&f->keys[0].key, &s.key.key));
	ck_assert_uint_eq(f->keys[0].epoch, s.key.epoch);
	ck_assert_mem_eq(f->keys[0].wrapped, s.key.wrapped, WRAPPED_BYTES);
	ck_assert_uint_eq(f->pack_count, 1);
	ck_assert(oid_equal(&f->packs[0], &s.pack));
	ck_assert_uint_eq(f->delete_count, 1);
	ck_assert(id_equal(&f->deletes[0], &s.gone));
	sample_done(&s);
}

/* ---- a journal in a folder ---- */

static int new_dir(void)
{
	struct err err = ERR_INIT;
	int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);

	ck_ok(dir, err);
	return dir;
}

static struct journal *open_journal(int dir, uint64_t next, struct journal_found *found)
{
	struct err err = ERR_INIT;
	struct journal *j;

	ck_ok(journal_open(dir, &archive, next, &small, &j, found, &err), err);
	return j;
}

struct seen {
	uint64_t first, last, count;
	size_t bytes;
};

static int see(void *context, const struct frame *f, struct err *err)
{
	struct seen *seen = context;

	(void)err;
	if (seen->count++ == 0)
		seen->first = f->number;
	seen->last = f->number;
	ck_frame_is(f, f->number, seen->bytes);
	return 0;
}

static struct seen replay(struct journal *j, size_t bytes)
{
	struct seen seen = { .bytes = bytes };
	struct err err = ERR_INIT;

	ck_ok(journal_replay(j, 0, see, &seen, &err), err);
	return seen;
}

static void append_many(struct journal *j, uint64_t first, uint64_t last, size_t bytes)
{
	struct err err = ERR_INIT;

	for (uint64_t n = first; n <= last; n++)
		ck_ok(append(j, n, bytes, &err), err);
}

static size_t count_kind(int dir, const char *kind)
{
	struct err err = ERR_INIT;
	uint64_t *numbers;
	size_t count;

	ck_ok(segment_list(dir, kind, &numbers, &count, &err), err);
	free(numbers);
	return count;
}

static bool folder_holds(int dir, struct str bytes)
{
	struct err err = ERR_INIT;
	_cleanup_(freep) char **names = NULL;
	bool found = false;
	size_t count;

	ck_ok(file_list(dir, &names, &count, &err), err);
	for (size_t i = 0; i < count; i++) {
		struct buf b = BUF_INIT;

		ck_ok(file_read_whole(dir, names[i], &b, &err), err);
		found = found || memmem(b.p, b.n, bytes.p, bytes.n);
		buf_done(&b);
	}
	return found;
}

/* ---- the ordinary life ---- */

START_TEST(frames_come_back)
{
	_cleanup_(closep) int dir = new_dir();
	struct journal_found found;
	struct journal *j = open_journal(dir, 1, &found);
	struct seen seen;

	ck_assert_uint_eq(found.frames, 0);
	ck_assert(!found.dropped_tail && !found.set_aside && !found.missing);
	append_many(j, 1, 40, 5000); /* two blocks a frame, seven frames a segment */
	ck_assert_uint_eq(journal_last_frame(j), 40);
	journal_free(j);
	j = open_journal(dir, 1, &found);
	ck_assert_uint_eq(found.frames, 40);
	seen = replay(j, 5000);
	ck_assert_uint_eq(seen.count, 40);
	ck_assert_uint_eq(seen.first, 1);
	append_many(j, 41, 60, 5000);
	journal_free(j);
	j = open_journal(dir, 1, &found);
	ck_assert_uint_eq(replay(j, 5000).count, 60);
	journal_free(j);
}
END_TEST

START_TEST(every_size_comes_back)
{
	/* Bodies that end just before, at and behind a block; 100 bytes and a frame of several
	 * segments. */
	static const size_t around[] = { 0, 1, 3000, 3500, 3600, 3700, 3712, 3713, 3720, 3800, 4096,
		65535, 65536, 300000 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(around); i++) {
		_cleanup_(closep) int one = new_dir();
		struct journal *j = open_journal(one, 1, NULL);

		append_many(j, 1, 3, around[i]);
		ck_ok(journal_free_until(j, 2, &err), err);
		append_many(j, 4, 5, around[i]);
		journal_free(j);
		j = open_journal(one, 3, NULL);
		ck_assert_uint_eq(replay(j, around[i]).last, 5);
		journal_free(j);
	}
}
END_TEST

START_TEST(freed_segments_are_zeroed_and_used_again)
{
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;
	struct journal *j = open_journal(dir, 1, NULL);
	struct sample s;
	struct str mark;

	append_many(j, 1, 20, 5000);
	sample_make(&s, 3, 5000);
	mark = (struct str){ s.content, 1000 };
	ck_assert(folder_holds(dir, mark));
	ck_ok(journal_free_until(j, 13, &err), err);
	ck_assert(folder_holds(dir,
		(struct str){ (const char *)"MUNFRAME\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\24", 24 }));
	ck_assert_uint_eq(count_kind(dir, "old"), 0);
	for (uint64_t n = 21; n <= 200; n += 10) {
		append_many(j, n, n + 9, 5000);
		ck_ok(journal_free_until(j, n + 5, &err), err);
		ck_assert_uint_le(count_kind(dir, "seg"), 6);
	}
	journal_free(j);
	j = open_journal(dir, 197, NULL);
	ck_assert_uint_eq(replay(j, 5000).last, 200);
	ck_fails(journal_wipe(j, &err), err, ERR_INVALID);
	ck_ok(journal_free_until(j, 200, &err), err);
	ck_ok(journal_wipe(j, &err), err);
	ck_assert(!folder_holds(dir, STR("MUNFRAME")));
	append_many(j, 201, 203, 5000);
	journal_free(j);
	j = open_journal(dir, 201, NULL);
	ck_assert_uint_eq(replay(j, 5000).first, 201);
	journal_free(j);
	sample_done(&s);
}
END_TEST

/* A journal that was empty at start goes on with the number that keys.db tells. */
START_TEST(numbers_go_on_after_a_wipe)
{
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;
	struct journal *j = open_journal(dir, 1, NULL);
	struct journal_found found;

	append_many(j, 1, 3, 100);
	ck_ok(journal_free_until(j, 3, &err), err);
	ck_ok(journal_wipe(j, &err), err);
	journal_free(j);
	j = open_journal(dir, 4, &found);
	ck_assert_uint_eq(found.frames, 0);
	ck_assert_uint_eq(journal_last_frame(j), 3);
	ck_ok(journal_wipe(j, &err), err);
	append_many(j, 4, 5, 100);
	journal_free(j);
	j = open_journal(dir, 4, &found);
	ck_assert_uint_eq(found.frames, 2);
	journal_free(j);
	/* Frames before the first one are gone that were not applied. */
	ck_fails(journal_open(dir, &archive, 3, &small, &j, NULL, &err), err, ERR_CORRUPT);
}
END_TEST

START_TEST(a_second_archive_is_refused)
{
	_cleanup_(closep) int dir = new_dir();
	struct id other = { { 9 } };
	struct err err = ERR_INIT;
	struct journal *j = open_journal(dir, 1, NULL);

	append_many(j, 1, 1, 100);
	journal_free(j);
	ck_fails(journal_open(dir, &other, 1, &small, &j, NULL, &err), err, ERR_CORRUPT);
}
END_TEST

/* ---- failing steps ---- */

struct breaker {
	int count, fail_at, with;
	enum file_op only; /* count only these when `some` */
	bool some, ever_after;
};

static int break_one(void *context, const struct file_event *event)
{
	struct breaker *b = context;
	int n;

	if (b->some && event->op != b->only)
		return 0;
	n = b->count++;
	return n == b->fail_at || (b->ever_after && n > b->fail_at) ? b->with : 0;
}

START_TEST(a_failed_sync_is_final)
{
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;
	struct journal *j = open_journal(dir, 1, NULL);
	struct breaker breaker = { 0, 0, EIO, FILE_OP_DATASYNC, true, false };
	struct file_hook hook = { break_one, &breaker };
	struct journal_found found;

	append_many(j, 1, 2, 100);
	file_set_hook(&hook);
	ck_fails(append(j, 3, 100, &err), err, ERR_UNKNOWN);
	file_set_hook(NULL);
	ck_fails(append(j, 3, 100, &err), err, ERR_UNKNOWN);
	ck_fails(journal_reserve(j, 100, &err), err, ERR_UNKNOWN);
	ck_fails(journal_wipe(j, &err), err, ERR_UNKNOWN);
	ck_ok(journal_free_until(j, 1, &err), err);
	journal_free(j);
	j = open_journal(dir, 1, &found);
	ck_assert_uint_eq(found.frames, 3); /* it was written; whether it stays was not known */
	append_many(j, 4, 4, 100);
	journal_free(j);
}
END_TEST

START_TEST(a_full_disk_is_found_by_the_reservation)
{
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;
	struct journal *j = open_journal(dir, 1, NULL);
	struct breaker breaker = { 0, 0, ENOSPC, FILE_OP_WRITE, true, true };
	struct file_hook hook = { break_one, &breaker };
	struct journal_found found;

	append_many(j, 1, 7, 5000); /* the first segment is full, and no spare was made */
	file_set_hook(&hook);
	for (int i = 0; i < 3; i++)
		ck_fails(journal_reserve(j, 5000, &err), err, ERR_FULL);
	ck_fails(append(j, 8, 5000, &err), err, ERR_FULL);
	ck_ok(journal_free_until(j, 3, &err), err);
	file_set_hook(NULL);
	ck_assert_uint_eq(count_kind(dir, "new"), 0);
	append_many(j, 8, 9, 5000); /* space returned */
	/* A frame larger than any segment; growing the spare fails and leaves it as it was. */
	ck_ok(journal_free_until(j, 3, &err), err);
	breaker.count = 0;
	breaker.fail_at = 2;
	file_set_hook(&hook);
	ck_fails(journal_reserve(j, 3 << 20, &err), err, ERR_FULL);
	file_set_hook(NULL);
	append_many(j, 10, 20, 5000);
	ck_ok(journal_reserve(j, 3 << 20, &err), err);
	ck_fails(journal_reserve(j, (uint64_t)FRAME_MAX_BYTES + 1, &err), err, ERR_LIMIT);
	journal_free(j);
	j = open_journal(dir, 1, &found);
	ck_assert_uint_eq(replay(j, 5000).count, 20);
	journal_free(j);
}
END_TEST

/* After a reservation nothing that needs space happens: an append writes inside what is there and
 * syncs. */
static int no_growth(void *context, const struct file_event *event)
{
	uint64_t bytes;

	(void)context;
	if (event->op == FILE_OP_WRITE && file_size(event->fd, &bytes, NULL) == 0 &&
		event->offset + event->n <= bytes)
		return 0;
	return event->op == FILE_OP_DATASYNC ? 0 : ENOSPC;
}

START_TEST(an_append_needs_no_space)
{
	static const size_t sizes[] = { 100, 5000, 50000, 400000, 100, 70000 };
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;
	struct journal *j = open_journal(dir, 1, NULL);

	for (uint64_t n = 1; n <= 30; n++) {
		size_t bytes = sizes[n % ARRAY_LEN(sizes)];
		struct file_hook hook = { no_growth, NULL };

		ck_ok(journal_reserve(j, bytes + 1000, &err), err);
		file_set_hook(&hook);
		ck_ok(append(j, n, bytes, &err), err);
		file_set_hook(NULL);
		if (n % 3 == 0)
			ck_ok(journal_free_until(j, n - 1, &err), err);
	}
	journal_free(j);
}
END_TEST

/* In steady state an append makes no file: the applier has prepared the segments. */
START_TEST(an_append_waits_for_no_segment)
{
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;
	struct journal *j = open_journal(dir, 1, NULL);
	struct breaker breaker = { 0, 1000, EIO, FILE_OP_CREATE, true, false };
	struct file_hook hook = { break_one, &breaker };

	append_many(j, 1, 1, 5000);
	ck_ok(journal_free_until(j, 1, &err), err);
	for (uint64_t n = 2; n < 100; n += 7) {
		file_set_hook(&hook);
		append_many(j, n, n + 6, 5000);
		file_set_hook(NULL);
		ck_assert_int_eq(breaker.count, 0);
		ck_ok(journal_free_until(j, n + 6, &err), err);
	}
	journal_free(j);
}
END_TEST

/* Any step of freeing fails: every frame that is not applied is still there, and later steps go on.
 */
START_TEST(a_failing_free_loses_nothing)
{
	bool done = false;

	for (int fail_at = 0; !done; fail_at++) {
		_cleanup_(closep) int dir = new_dir();
		struct err err = ERR_INIT;
		struct breaker breaker = { 0, fail_at, EIO, 0, false, false };
		struct file_hook hook = { break_one, &breaker };
		struct journal *j = open_journal(dir, 1, NULL);
		struct seen seen;

		append_many(j, 1, 30, 5000);
		file_set_hook(&hook);
		(void)journal_free_until(j, 25, &err);
		file_set_hook(NULL);
		done = breaker.count <= fail_at;
		if (fail_at % 2) { /* go on, or start again */
			journal_free(j);
			j = open_journal(dir, 1 + 25, NULL);
		}
		append_many(j, 31, 45, 5000);
		ck_ok(journal_free_until(j, 25, &err), err);
		ck_assert_uint_eq(count_kind(dir, "old"), 0);
		journal_free(j);
		j = open_journal(dir, 26, NULL);
		seen = replay(j, 5000);
		ck_assert_uint_le(seen.first, 26);
		ck_assert_uint_eq(seen.last, 45);
		journal_free(j);
	}
}
END_TEST

/* Any step of an opening that has something to mend fails: the next opening mends it. */
START_TEST(a_failing_opening_can_be_done_again)
{
	bool done = false;

	for (int fail_at = 0; !done; fail_at++) {
		_cleanup_(closep) int dir = new_dir();
		_cleanup_(closep) int fd = -1;
		struct err err = ERR_INIT;
		struct breaker breaker = { 0, fail_at, EIO, 0, false, false };
		struct file_hook hook = { break_one, &breaker };
		struct journal *j = open_journal(dir, 1, NULL);
		struct journal_found found;
		int r;

		append_many(j, 1, 3, 5000);
		journal_free(j);
		fd = file_open_write(dir, "00000001.seg", &err);
		ck_ok(file_pwrite(fd, "?", 1, JOURNAL_BLOCK + 2 * 2 * JOURNAL_BLOCK + 300, &err),
			err);
		closep(&fd);
		fd = file_create(dir, "00000009.new", &err);
		ck_ok(fd, err);
		file_set_hook(&hook);
		r = journal_open(dir, &archive, 1, &small, &j, &found, &err);
		file_set_hook(NULL);
		done = r == 0;
		if (done)
			journal_free(j);
		else
			ck_fails(r, err, ERR_IO);
		j = open_journal(dir, 1, &found);
		ck_assert(found.set_aside && found.aside_frame == 3 && found.frames == 2);
		ck_assert(file_exists(dir, "aside-3"));
		append_many(j, 3, 4, 5000);
		journal_free(j);
	}
}
END_TEST

/* ---- two threads ---- */

struct applier {
	struct journal *j;
	_Atomic uint64_t appended, freed;
	int failed;
};

static void *free_behind(void *context)
{
	struct applier *a = context;
	uint64_t last = 0;

	while (last < 400) {
		struct err err = ERR_INIT;
		uint64_t upto = a->appended;

		if (upto > last && journal_free_until(a->j, upto, &err) < 0)
			a->failed++;
		last = upto;
	}
	return NULL;
}

START_TEST(one_thread_appends_and_one_frees)
{
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;
	struct journal_found found;
	struct applier a = { .j = open_journal(dir, 1, NULL) };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, free_behind, &a), 0);
	for (uint64_t n = 1; n <= 400; n++) {
		/* Some larger than a segment, so that the writer makes and grows segments meanwhile. */
		ck_ok(append(a.j, n, n % 50 == 7 ? 200000 : 5000, &err), err);
		a.appended = n;
	}
	(void)pthread_join(thread, NULL);
	ck_assert_int_eq(a.failed, 0);
	journal_free(a.j);
	a.j = open_journal(dir, 401, &found);
	ck_assert_uint_eq(journal_last_frame(a.j), 400);
	ck_assert_uint_lt(found.frames, 20);
	ck_assert_uint_eq(count_kind(dir, "old"), 0);
	journal_free(a.j);
}
END_TEST

/* ---- what a crash or a bad disk leaves ---- */

enum { BODY = 9000, FRAME = 3 * JOURNAL_BLOCK };

/* Make the folder hold three frames in one segment, and nothing else; each test spoils one. They
 * are written by a journal once, and copied from then on. */
static void three_frames(int dir)
{
	static uint8_t image[SEGMENT];
	struct err err = ERR_INIT;
	_cleanup_(freep) char **names = NULL;
	_cleanup_(closep) int fd = -1;
	size_t count;

	if (image[0] == 0) {
		_cleanup_(closep) int first = new_dir();
		_cleanup_(closep) int from = -1;
		struct journal *j = open_journal(first, 1, NULL);

		append_many(j, 1, 3, BODY);
		journal_free(j);
		from = file_open_read(first, "00000001.seg", &err);
		ck_ok(from, err);
		ck_ok(file_pread(from, image, sizeof(image), 0, &err), err);
	}
	ck_ok(file_list(dir, &names, &count, &err), err);
	for (size_t i = 0; i < count; i++)
		ck_ok(file_unlink(dir, names[i], &err), err);
	fd = file_create(dir, "00000001.seg", &err);
	ck_ok(fd, err);
	ck_ok(file_pwrite(fd, image, sizeof(image), 0, &err), err);
}

static int segment_fd(int dir)
{
	struct err err = ERR_INIT;
	int fd = file_open_write(dir, "00000001.seg", &err);

	ck_ok(fd, err);
	return fd;
}

static const uint64_t third = JOURNAL_BLOCK + 2 * FRAME;

/* The power went while frame 3 was written: it is there up to some sector, zeros behind. */
START_TEST(a_cut_tail_is_dropped)
{
	_cleanup_(closep) int dir = new_dir();

	for (uint64_t cut = 0; cut <= FRAME; cut += SECTOR) {
		_cleanup_(closep) int fd = -1;
		struct err err = ERR_INIT;
		struct journal_found found;
		struct journal *j;

		three_frames(dir);
		fd = segment_fd(dir);
		ck_ok(file_pwrite_zeros(fd, FRAME - cut, third + cut, &err), err);
		ck_ok(journal_check(dir, &archive, NULL, NULL, &found, &err), err);
		ck_assert(found.dropped_tail == (cut > 0 && cut < FRAME));
		j = open_journal(dir, 1, &found);
		ck_assert(!found.set_aside);
		ck_assert(found.dropped_tail == (cut > 0 && cut < FRAME));
		ck_assert_uint_eq(found.frames, cut == FRAME ? 3 : 2);
		append_many(j, cut == FRAME ? 4 : 3, 5, BODY);
		journal_free(j);
		j = open_journal(dir, 1, &found);
		ck_assert(!found.dropped_tail && found.frames == 5);
		journal_free(j);
	}
}
END_TEST

static void ck_aside_holds(int dir, const char *name, struct str bytes)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;

	ck_ok(file_read_whole(dir, name, &b, &err), err);
	ck_assert(memmem(b.p, b.n, bytes.p, bytes.n) != NULL);
	buf_done(&b);
}

/* Any other bad last frame is kept, and reported until somebody says so. */
static void ck_set_aside(int dir)
{
	struct err err = ERR_INIT;
	struct journal_found found;
	struct journal *j;

	ck_ok(journal_check(dir, &archive, NULL, NULL, &found, &err), err);
	ck_assert(found.set_aside && found.aside_frame == 3);
	for (int i = 0; i < 2; i++) {
		j = open_journal(dir, 1, &found);
		ck_assert_uint_eq(found.frames, 2);
		ck_assert(found.set_aside);
		ck_assert_uint_eq(found.aside_frame, 3);
		ck_assert(!found.dropped_tail);
		journal_free(j);
	}
	ck_assert(file_exists(dir, "aside-3"));
	j = open_journal(dir, 1, &found);
	append_many(j, 3, 4, BODY);
	journal_free(j);
}

START_TEST(a_hole_in_the_last_frame_is_set_aside)
{
	_cleanup_(closep) int dir = new_dir();

	for (unsigned lost = 1; lost < 7; lost++) { /* which of three pages never arrived */
		_cleanup_(closep) int fd = -1;
		struct err err = ERR_INIT;
		struct journal_found found;
		struct sample s;
		struct journal *j;

		three_frames(dir);
		fd = segment_fd(dir);
		for (unsigned page = 0; page < 3; page++)
			if (lost >> page & 1)
				ck_ok(file_pwrite_zeros(fd, JOURNAL_BLOCK,
					      third + page * JOURNAL_BLOCK, &err),
					err);
		if ((lost & 4) && !(lost & 1)) { /* its end is missing, and its header is there */
			j = open_journal(dir, 1, &found);
			ck_assert(found.dropped_tail && !found.set_aside && found.frames == 2);
			journal_free(j);
			continue;
		}
		ck_set_aside(dir);
		sample_make(&s, 3, BODY);
		if (!(lost & 2))
			ck_aside_holds(dir, "aside-3", (struct str){ s.content + 4500, 2000 });
		sample_done(&s);
		ck_ok(journal_acknowledge(dir, 3, &err), err);
		ck_fails(journal_acknowledge(dir, 3, &err), err, ERR_NOTFOUND);
		journal_free(open_journal(dir, 1, &found));
		ck_assert(!found.set_aside && found.frames == 4);
	}
}
END_TEST

/* Any flipped bit in the last frame: never taken, never silently dropped. */
START_TEST(a_flip_in_the_last_frame_is_set_aside)
{
	_cleanup_(closep) int dir = new_dir();
	struct err err = ERR_INIT;

	for (uint64_t at = 0; at < FRAME; at += at < 200 || at > FRAME - 40 ? 1 : 61) {
		_cleanup_(closep) int fd = -1;
		struct journal_found found;
		uint8_t byte;

		three_frames(dir);
		fd = segment_fd(dir);
		ck_ok(file_pread(fd, &byte, 1, third + at, &err), err);
		byte ^= (uint8_t)(1 << at % 8);
		ck_ok(file_pwrite(fd, &byte, 1, third + at, &err), err);
		ck_ok(journal_check(dir, &archive, NULL, NULL, &found, &err), err);
		ck_assert_msg(found.set_aside && !found.dropped_tail && found.frames == 2,
			"a flip at byte %llu", (unsigned long long)at);
		if (at % 7 == 0)
			ck_set_aside(dir);
	}
}
END_TEST

START_TEST(damage_before_the_last_frame_is_refused)
{
	_cleanup_(closep) int dir = new_dir();

	for (uint64_t at = 0; at < 2 * FRAME; at += at % FRAME < 200 ? 1 : 509) {
		_cleanup_(closep) int fd = -1;
		struct err err = ERR_INIT;
		struct journal *j;
		uint8_t byte;

		three_frames(dir);
		fd = segment_fd(dir);
		ck_ok(file_pread(fd, &byte, 1, JOURNAL_BLOCK + at, &err), err);
		byte ^= (uint8_t)(1 << at % 8);
		ck_ok(file_pwrite(fd, &byte, 1, JOURNAL_BLOCK + at, &err), err);
		ck_fails(journal_open(dir, &archive, 1, &small, &j, NULL, &err), err, ERR_CORRUPT);
		ck_fails(journal_check(dir, &archive, NULL, NULL, NULL, &err), err, ERR_CORRUPT);
		ck_assert(!file_exists(dir, "aside-1") && !file_exists(dir, "aside-2"));
	}
}
END_TEST

START_TEST(a_lost_page_before_the_last_frame_is_refused)
{
	_cleanup_(closep) int dir = new_dir();

	for (uint64_t page = 0; page < 2 * FRAME / JOURNAL_BLOCK; page++) {
		_cleanup_(closep) int fd = -1;
		struct err err = ERR_INIT;
		struct journal *j;

		three_frames(dir);
		fd = segment_fd(dir);
		ck_ok(file_pwrite_zeros(fd, JOURNAL_BLOCK, JOURNAL_BLOCK * (1 + page), &err), err);
		ck_fails(journal_open(dir, &archive, 1, &small, &j, NULL, &err), err, ERR_CORRUPT);
	}
}
END_TEST

static bool is_second(void *context, uint32_t volume, const struct oid *head)
{
	size_t *asked = context;

	(void)volume;
	(void)head;
	return ++*asked == 2;
}

/* What is applied is not read at every opening; who asks for it, and verify, find the damage. */
START_TEST(damage_in_an_applied_frame_is_found_by_who_reads_it)
{
	_cleanup_(closep) int dir = new_dir();
	_cleanup_(closep) int fd = -1;
	struct seen seen = { .bytes = BODY };
	struct err err = ERR_INIT;
	struct journal_found found;
	uint8_t byte;
	uint64_t done;
	size_t asked = 0;
	struct journal *j;

	three_frames(dir);
	fd = segment_fd(dir);
	ck_ok(file_pread(fd, &byte, 1, JOURNAL_BLOCK + FRAME_HEADER, &err), err);
	byte ^= 1;
	ck_ok(file_pwrite(fd, &byte, 1, JOURNAL_BLOCK + FRAME_HEADER, &err), err);
	for (uint64_t next = 2; next <= 4; next++) {
		j = open_journal(dir, next, &found);
		ck_assert(!found.set_aside && !found.dropped_tail && found.frames == 3);
		ck_fails(journal_replay(j, 1, see, &seen, &err), err, ERR_CORRUPT);
		ck_ok(journal_replay(j, 2, see, &seen, &err), err);
		journal_free(j);
	}
	ck_assert_uint_eq(seen.first, 2);
	ck_assert_uint_eq(seen.count, 6);
	ck_fails(journal_check(dir, &archive, NULL, NULL, NULL, &err), err, ERR_CORRUPT);
	j = open_journal(dir, 4, NULL);
	ck_ok(journal_find_done(j, is_second, &asked, &done, &err), err);
	ck_assert_uint_eq(asked, 3);
	ck_assert_uint_eq(done, 2);
	append_many(j, 4, 4, BODY);
	journal_free(j);
	j = open_journal(dir, 4, &found);
	ck_assert_uint_eq(found.frames, 4);
	journal_free(j);
	ck_fails(journal_open(dir, &archive, 1, &small, &j, NULL, &err), err, ERR_CORRUPT);
}
END_TEST

/* The same across segments: a whole segment zeroed, missing, or with a bad header. */
START_TEST(a_damaged_segment_is_refused)
{
	for (int how = 0; how < 4; how++) {
		_cleanup_(closep) int dir = new_dir();
		_cleanup_(closep) int fd = -1;
		struct err err = ERR_INIT;
		struct journal *j = open_journal(dir, 1, NULL);
		uint64_t bytes;

		append_many(j, 1, 20, BODY);
		journal_free(j);
		fd = file_open_write(dir, "00000002.seg", &err);
		ck_ok(fd, err);
		ck_ok(file_size(fd, &bytes, &err), err);
		if (how == 0)
			ck_ok(file_pwrite_zeros(fd, bytes - JOURNAL_BLOCK, JOURNAL_BLOCK, &err),
				err);
		else if (how == 1)
			ck_ok(file_unlink(dir, "00000002.seg", &err), err);
		else if (how == 2)
			ck_ok(file_pwrite(fd, "x", 1, 20, &err), err);
		else
			ck_ok(file_truncate(fd, bytes - JOURNAL_BLOCK, &err), err);
		ck_fails(journal_open(dir, &archive, 1, &small, &j, NULL, &err), err, ERR_CORRUPT);
	}
}
END_TEST

/* A flip in the zeros behind the last frame is not silently ignored. */
START_TEST(bytes_behind_the_end_are_set_aside)
{
	_cleanup_(closep) int dir = new_dir();
	_cleanup_(closep) int fd = -1;
	struct err err = ERR_INIT;
	struct journal_found found;
	struct journal *j;

	three_frames(dir);
	fd = segment_fd(dir);
	ck_ok(file_pwrite(fd, "x", 1, third + FRAME + 3 * JOURNAL_BLOCK + 7, &err), err);
	j = open_journal(dir, 1, &found);
	ck_assert(found.set_aside && found.aside_frame == 4 && found.frames == 3);
	append_many(j, 4, 10, BODY);
	journal_free(j);
}
END_TEST

/* A frame that was applied and then went bad: it is kept aside, and its number is not used again.
 */
START_TEST(a_bad_frame_that_was_applied)
{
	_cleanup_(closep) int dir = new_dir();
	_cleanup_(closep) int fd = -1;
	struct err err = ERR_INIT;
	struct journal_found found;
	struct journal *j;

	three_frames(dir);
	fd = segment_fd(dir);
	ck_ok(file_pwrite_zeros(fd, JOURNAL_BLOCK, third + 2 * JOURNAL_BLOCK, &err), err);
	j = open_journal(dir, 4, &found);
	ck_assert(found.set_aside && !found.dropped_tail && found.frames == 2);
	ck_assert_uint_eq(found.missing, 1);
	append_many(j, 4, 6, BODY);
	journal_free(j);
	j = open_journal(dir, 4, &found);
	ck_assert_uint_eq(found.frames, 5);
	ck_assert_uint_eq(found.missing, 0);
	journal_free(j);
}
END_TEST

/* A stale frame of an earlier life of the segment does not fit, even where it stands at the right
 * place. */
START_TEST(a_stale_frame_does_not_fit)
{
	_cleanup_(closep) int dir = new_dir();
	_cleanup_(closep) int fd = -1;
	struct err err = ERR_INIT;
	struct journal_found found;
	uint8_t frame[FRAME];
	struct journal *j;

	three_frames(dir);
	fd = segment_fd(dir);
	ck_ok(file_pread(fd, frame, FRAME, third, &err), err);
	j = open_journal(dir, 1, NULL);
	ck_ok(journal_free_until(j, 3, &err), err);
	ck_ok(journal_wipe(j, &err), err);
	append_many(j, 4, 5, BODY);
	journal_free(j);
	closep(&fd);
	fd = file_open_write(dir, "00000002.seg", &err);
	if (fd < 0)
		fd = file_open_write(dir, "00000003.seg", &err);
	ck_ok(fd, err);
	ck_ok(file_pwrite(fd, frame, FRAME, third, &err), err);
	j = open_journal(dir, 4, &found);
	ck_assert_uint_eq(found.frames, 2);
	ck_assert(found.set_aside);
	journal_free(j);
}
END_TEST

/* ---- the parser ---- */

static struct buf encoded(uint64_t number, size_t bytes)
{
	struct digest previous = { { 0 } };
	struct buf b = BUF_INIT;
	struct sample s;

	sample_make(&s, number, bytes);
	s.frame.number = number;
	frame_encode(&s.frame, 7, &previous,
		buf_extend(&b, (size_t)frame_bytes(frame_body_bytes(&s.frame))));
	sample_done(&s);
	return b;
}

/* Put both checksums right again after a change of the header. */
static void sign(struct buf *b)
{
	uint8_t *p = (uint8_t *)b->p;

	sha256(p, FRAME_SUMMED, p + FRAME_SUMMED);
	sha256(p, b->n - FRAME_DIGEST, p + b->n - FRAME_DIGEST);
}

static void ck_parse_fails(struct buf *b, int code)
{
	struct err err = ERR_INIT;
	struct frame f;
	void *memory = NULL;
	uint8_t digest[32];

	ck_fails(frame_parse(buf_str(b), 7, &f, &memory, digest, &err), err, code);
	buf_done(b);
}

START_TEST(the_parser_keeps_its_limits)
{
	static const struct {
		size_t at;
		uint32_t value;
		int code;
	} wrong[] = {
		{ 8, 2, ERR_UNSUPPORTED }, /* format */
		{ 12, 0, ERR_CORRUPT },	   /* volume */
		{ 28, 8, ERR_CORRUPT },	   /* segment */
		{ 64, 1, ERR_LIMIT },	   /* body bytes, high half */
		{ 68, FRAME_MAX_BYTES + 1, ERR_LIMIT },
		{ 68, FRAME_MAX_BYTES, ERR_CORRUPT }, /* more than there is */
		{ 72, 3, ERR_CORRUPT },		      /* objects */
		{ 72, 1, ERR_CORRUPT },
		{ 72, UINT32_MAX, ERR_CORRUPT },
		{ 76, UINT32_MAX, ERR_CORRUPT },	   /* keys */
		{ 80, UINT32_MAX, ERR_CORRUPT },	   /* packs */
		{ 84, 0, ERR_CORRUPT },			   /* deletes */
		{ FRAME_HEADER, 0x04000000, ERR_CORRUPT }, /* type */
		{ FRAME_HEADER, 0x00000000, ERR_CORRUPT },
		{ FRAME_HEADER, 0x03020000, ERR_CORRUPT }, /* flags */
		{ FRAME_HEADER, 0x03010001, ERR_CORRUPT },
		{ FRAME_HEADER + 4, 5001, ERR_CORRUPT }, /* length of an object */
		{ FRAME_HEADER + 4, UINT32_MAX, ERR_CORRUPT },
	};
	struct err err = ERR_INIT;
	struct buf b = encoded(5, 5000);
	_cleanup_(freep) void *memory = NULL;
	uint8_t digest[32];
	struct frame f;

	ck_ok(frame_parse(buf_str(&b), 7, &f, &memory, digest, &err), err);
	ck_frame_is(&f, 5, 5000);
	ck_assert_mem_eq(digest, b.p + b.n - 32, 32);
	buf_done(&b);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		b = encoded(5, 5000);
		put_be32((uint8_t *)b.p + wrong[i].at, wrong[i].value);
		sign(&b);
		ck_parse_fails(&b, wrong[i].code);
	}
	b = encoded(5, 5000);
	b.p[b.n - FRAME_DIGEST - 1] = 1;
	sign(&b);
	ck_parse_fails(&b, ERR_CORRUPT);
	for (size_t n = 0; n < 2 * JOURNAL_BLOCK; n += 97) {
		b = encoded(5, 5000);
		buf_cut(&b, n);
		ck_parse_fails(&b, ERR_CORRUPT);
	}
}
END_TEST

TESTS("store/journal", frames_come_back, every_size_comes_back,
	freed_segments_are_zeroed_and_used_again, numbers_go_on_after_a_wipe,
	a_second_archive_is_refused, a_failed_sync_is_final,
	a_full_disk_is_found_by_the_reservation, an_append_needs_no_space,
	an_append_waits_for_no_segment, a_failing_free_loses_nothing,
	a_failing_opening_can_be_done_again, one_thread_appends_and_one_frees,
	a_cut_tail_is_dropped, a_hole_in_the_last_frame_is_set_aside,
	a_flip_in_the_last_frame_is_set_aside, damage_before_the_last_frame_is_refused,
	damage_in_an_applied_frame_is_found_by_who_reads_it,
	a_lost_page_before_the_last_frame_is_refused, a_damaged_segment_is_refused,
	bytes_behind_the_end_are_set_aside, a_bad_frame_that_was_applied,
	a_stale_frame_does_not_fit, the_parser_keeps_its_limits)
