/* engine.c - journal, packs and a ref as the store uses them, under power cuts at every step (powercut.h):
 * whatever the disk holds afterwards, every frame that was answered is in the journal or in a pack, and the
 * work goes on. */
#include "store/journal.h"
#include "store/pack.h"
#include "store/volume.h"
#include "tests/faults/powercut.h"
#include "tests/faults/sqlitevfs.h"
#include "tests/harness.h"
#include "tests/program.h"

#include "core/base/bytes.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct id archive = { { 7 } };
static const struct journal_options options = { .segment_bytes = 8 * 4096, .spare = 1 };

/* A tiny store: a journal, one volume, and the number of the last frame that is in its packs. */
struct engine {
	int dir, volumes;
	char path[160];
	struct journal *journal;
	struct volume *volume;
	uint64_t applied;
	struct journal_found found;
};

static struct oid content_of(uint64_t frame, char *text, size_t *ret_n)
{
	size_t n = (size_t)snprintf(text, 32, "frame %llu ", (unsigned long long)frame);
	struct oid oid;

	/* Some frames are one block, some several, some larger than a segment. */
	*ret_n = n + (frame % 9 == 8 ? 40000 : frame % 3 * 5000);
	for (size_t i = n; i < *ret_n; i++)
		text[i] = (char)('a' + (frame + i) % 26);
	object_name(OBJECT_BLOB, text, *ret_n, &oid);
	return oid;
}

static uint64_t read_applied(struct engine *e)
{
	struct buf b = BUF_INIT_MAX(32);
	struct err err = ERR_INIT;
	uint64_t applied = 0;

	if (file_exists(e->dir, "applied")) {
		ck_ok(file_read_whole(e->dir, "applied", &b, &err), err);
		ck_ok(str_to_u64(buf_str(&b), UINT64_MAX, &applied, &err), err);
	}
	buf_done(&b);
	return applied;
}

static void engine_open(struct engine *e, const char *path)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int journal = -1;

	*e = (struct engine){ 0 };
	(void)snprintf(e->path, sizeof(e->path), "%s/volumes", path);
	e->dir = file_open_dir(AT_FDCWD, path, &err);
	ck_ok(e->dir, err);
	journal = file_make_dir(e->dir, "journal", &err);
	ck_ok(journal, err);
	e->volumes = file_make_dir(e->dir, "volumes", &err);
	ck_ok(volume_create(e->volumes, 1, &err), err);
	ck_ok(volume_open(e->volumes, e->path, 1, &e->volume, &err), err);
	ck_ok(pack_sweep(volume_pack_dir(e->volume), NULL, &err), err);
	e->applied = read_applied(e);
	ck_ok(journal_open(
		      journal, &archive, e->applied + 1, &options, &e->journal, &e->found, &err),
		err);
}

static void engine_close(struct engine *e)
{
	journal_free(e->journal);
	volume_free(e->volume);
	closep(&e->volumes);
	closep(&e->dir);
}

static void engine_append(struct engine *e, uint64_t number)
{
	struct err err = ERR_INIT;
	_cleanup_(freep) char *text = xcalloc(1, 50000);
	struct frame_object object = { .type = OBJECT_BLOB };
	struct frame f = { .volume = 1, .objects = &object, .object_count = 1 };

	object.oid = content_of(number, text, &object.content.n);
	object.content.p = text;
	put_be64(f.head.b, number);
	ck_ok(journal_append(e->journal, &f, &err), err);
	ck_assert_uint_eq(f.number, number);
}

/* Frames not yet applied become a pack; then the ref, then "applied", then the journal is freed. */
struct applier {
	struct engine *e;
	struct pack_writer *w;
	uint64_t last;
	struct oid head;
};

static int apply_frame(void *context, const struct frame *f, struct err *err)
{
	struct applier *a = context;
	int r = 0;

	if (f->number <= a->e->applied)
		return 0;
	for (size_t i = 0; i < f->object_count && r == 0; i++)
		r = pack_add(a->w, f->objects[i].type, &f->objects[i].oid, f->objects[i].content.p,
			f->objects[i].content.n, NULL, err);
	a->last = f->number;
	a->head = f->objects[0].oid;
	return r;
}

static void engine_apply(struct engine *e)
{
	struct applier a = { .e = e };
	struct err err = ERR_INIT;
	struct oid name;
	char text[32];

	ck_ok(pack_begin(volume_pack_dir(e->volume), &a.w, &err), err);
	ck_ok(journal_replay(e->journal, 0, apply_frame, &a, &err), err);
	if (a.last) {
		ck_ok(pack_finish(a.w, &name, &err), err);
		ck_ok(volume_set_ref(e->volume, "refs/heads/content", &a.head, &err), err);
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)a.last);
		ck_ok(file_replace(e->dir, "applied", text, strlen(text), &err), err);
		e->applied = a.last;
		ck_ok(journal_free_until(e->journal, a.last, &err), err);
	}
	pack_free(a.w);
}

static void engine_merge(struct engine *e)
{
	struct err err = ERR_INIT;
	_cleanup_(freep) struct oid *names = NULL;
	struct oid merged;
	size_t count;

	ck_ok(pack_list(volume_pack_dir(e->volume), &names, &count, &err), err);
	ck_ok(pack_merge(volume_pack_dir(e->volume), names, count, NULL, NULL, &merged, &err), err);
}

static void work(const char *path, struct powercut *p)
{
	struct engine e;

	engine_open(&e, path);
	for (uint64_t n = 1; n <= 40; n++) {
		engine_append(&e, n);
		powercut_mark(p, n);
		if (n % 5 == 0)
			engine_apply(&e);
		if (n % 15 == 0)
			engine_merge(&e);
		if (n == 25) { /* and through a clean exit */
			struct err err = ERR_INIT;

			ck_ok(journal_wipe(e.journal, &err), err);
			engine_close(&e);
			engine_open(&e, path);
		}
	}
	engine_close(&e);
}

/* Every answered frame is in the packs after recovery. */
static void check(const char *path, uint64_t answered, size_t step, uint64_t seed)
{
	struct err err = ERR_INIT;
	_cleanup_(freep) char *text = xcalloc(1, 50000);
	struct engine e;
	uint64_t last;

	engine_open(&e, path);
	last = journal_last_frame(e.journal);
	ck_assert_msg(last >= answered && last <= answered + 1,
		"step %zu, seed %llu: frame %llu of %llu", step, (unsigned long long)seed,
		(unsigned long long)last, (unsigned long long)answered);
	ck_assert(!e.found.set_aside || e.found.aside_frame > answered);
	ck_assert_uint_eq(e.found.missing, 0);
	engine_apply(&e);
	engine_append(&e, last + 1);
	engine_apply(&e);
	volume_refresh(e.volume);
	for (uint64_t n = 1; n <= last + 1; n++) {
		struct buf b = BUF_INIT;
		size_t length;
		struct oid oid = content_of(n, text, &length);

		ck_assert_msg(volume_read(e.volume, &oid, NULL, &b, &err) == 0,
			"step %zu, seed %llu: frame %llu of %llu: %s", step,
			(unsigned long long)seed, (unsigned long long)n, (unsigned long long)last,
			err.text);
		buf_done(&b);
	}
	engine_close(&e);
}

static void empty_folder(const char *path)
{
	struct err err = ERR_INIT;
	_cleanup_(freep) char **names = NULL;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, &err);
	size_t count;

	ck_ok(file_list(dir, &names, &count, &err), err);
	for (size_t i = 0; i < count; i++)
		ck_ok(file_remove_tree(dir, names[i], &err), err);
}

START_TEST(every_answered_frame_survives)
{
	const char *path = harness_memory_dir(), *target = harness_memory_dir();
	_cleanup_(powercut_freep) struct powercut *p = powercut_new(path);
	size_t steps;

	file_set_hook(powercut_hook(p));
	work(path, p);
	file_set_hook(NULL);
	steps = powercut_steps(p);
	ck_assert_uint_gt(steps, 200);
	for (size_t step = 0; step <= steps; step++)
		for (uint64_t seed = 0; seed < 4; seed++) {
			uint64_t answered;

			empty_folder(target);
			answered = powercut_build(p, step, seed, target);
			check(target, answered, step, seed);
		}
}
END_TEST

/* ---- SQLite ---- */

static sqlite3 *open_database(const char *folder)
{
	char path[160];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/x.db", folder);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
				 "pragma journal_mode=wal; pragma synchronous=full;"
				 "create table if not exists t(n integer primary key, b blob)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	return db;
}

static uint64_t count_rows(sqlite3 *db)
{
	sqlite3_stmt *s;
	uint64_t n;

	ck_assert_int_eq(sqlite3_prepare_v2(db, "select count(*) from t", -1, &s, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
	n = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static bool is_sound(sqlite3 *db)
{
	sqlite3_stmt *s;
	bool sound;

	ck_assert_int_eq(sqlite3_prepare_v2(db, "pragma integrity_check", -1, &s, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
	sound = strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
	sqlite3_finalize(s);
	return sound;
}

/* The record of SQLite's steps is a true one: committed rows survive, and the database is sound. */
START_TEST(committed_rows_survive)
{
	const char *path = harness_memory_dir(), *target = harness_memory_dir();
	_cleanup_(powercut_freep) struct powercut *p = powercut_new(path);
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, &err);
	size_t from, steps;
	sqlite3 *db;

	sqlitevfs_record(p);
	file_set_hook(powercut_hook(p));
	db = open_database(path);
	ck_ok(file_sync_dir(dir, &err), err);
	from = powercut_steps(p);
	for (uint64_t n = 1; n <= 30; n++) {
		ck_assert_int_eq(sqlite3_exec(db, "insert into t(b) values(randomblob(3000))", NULL,
					 NULL, NULL),
			SQLITE_OK);
		powercut_mark(p, n);
		if (n % 10 == 0)
			ck_assert_int_eq(sqlite3_exec(db, "pragma wal_checkpoint(truncate)", NULL,
						 NULL, NULL),
				SQLITE_OK);
	}
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	file_set_hook(NULL);
	sqlitevfs_record(NULL);
	steps = powercut_steps(p);
	ck_assert_uint_gt(steps, 100);
	for (size_t step = from; step <= steps; step++) {
		uint64_t answered, rows;

		empty_folder(target);
		answered = powercut_build(p, step, step, target);
		db = open_database(target);
		rows = count_rows(db);
		ck_assert_msg(rows == answered || rows == answered + 1,
			"step %zu: %llu rows of %llu", step, (unsigned long long)rows,
			(unsigned long long)answered);
		ck_assert(is_sound(db));
		ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	}
}
END_TEST

/* ---- the replayer itself: it finds what it is there to find ---- */

/* A writer that forgets one sync is caught. */
START_TEST(a_forgotten_sync_is_found)
{
	static const enum file_op forgotten[] = { FILE_OP_DATASYNC, FILE_OP_SYNC_DIR };

	for (size_t k = 0; k < ARRAY_LEN(forgotten); k++) {
		const char *path = harness_memory_dir(), *target = harness_memory_dir();
		_cleanup_(powercut_freep) struct powercut *p = powercut_new(path);
		struct err err = ERR_INIT;
		_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, &err), fd = -1;
		_cleanup_(closep) int there = file_open_dir(AT_FDCWD, target, &err);
		unsigned lost = 0;

		file_set_hook(powercut_hook(p));
		fd = file_create(dir, "x.new", &err);
		ck_ok(file_pwrite(fd, "content", 7, 0, &err), err);
		if (forgotten[k] != FILE_OP_DATASYNC)
			ck_ok(file_datasync(fd, &err), err);
		ck_ok(file_rename(dir, "x.new", dir, "x", &err), err);
		if (forgotten[k] != FILE_OP_SYNC_DIR)
			ck_ok(file_sync_dir(dir, &err), err);
		file_set_hook(NULL);
		for (uint64_t seed = 0; seed < 50; seed++) {
			struct buf b = BUF_INIT;

			empty_folder(target);
			(void)powercut_build(p, powercut_steps(p), seed, target);
			if (file_read_whole(there, "x", &b, NULL) < 0 ||
				strcmp(b.p, "content") != 0)
				lost++;
			buf_done(&b);
		}
		ck_assert_uint_gt(lost, 0);
	}
}
END_TEST

TESTS("faults/engine", every_answered_frame_survives, committed_rows_survive,
	a_forgotten_sync_is_found)
