/* state.c - state.db: rows that end, change, are too large, were moved, damaged, or are of another archive. */
#include "core/archive/state.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { NOW = 1795312800 };
static const struct id archive_id = { "an archive's id" };

struct world {
	char path[512];
	struct secret *key;
	struct state *state;
};

static void world_begin(struct world *w)
{
	struct err err = ERR_INIT;

	clock_set(NOW);
	(void)snprintf(w->path, sizeof(w->path), "%s/" STATE_FILE, harness_dir());
	w->key = secret_random(KEY_BYTES);
	ck_ok(state_open(w->path, &archive_id, w->key, &w->state, &err), err);
}

static void world_end(struct world *w)
{
	state_close(w->state);
	secret_free(w->key);
	clock_set(-1);
}

static void put(struct world *w, const char *owner, const char *name, int64_t ends, const char *v)
{
	struct err err = ERR_INIT;

	ck_ok(state_put(w->state, STATE_DRAFT, str_of(owner), str_of(name), ends, str_of(v), &err),
		err);
}

/* The value, or "" when there is none. */
static const char *get(struct world *w, const char *owner, const char *name)
{
	static struct buf value = BUF_INIT;
	struct err err = ERR_INIT;
	int r;

	buf_reset(&value);
	r = state_get(w->state, STATE_DRAFT, str_of(owner), str_of(name), &value, NULL, &err);
	if (r == -ERR_NOTFOUND)
		return "";
	ck_ok(r, err);
	return value.p;
}

static int count_row(void *context, const struct state_row *row, struct err *err)
{
	(void)row;
	(void)err;
	++*(int *)context;
	return 0;
}

static int count(struct world *w, const char *owner)
{
	struct err err = ERR_INIT;
	int n = 0;

	ck_ok(state_each(w->state, STATE_DRAFT, str_of(owner), count_row, &n, &err), err);
	return n;
}

static void run_sql(struct world *w, const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(w->path, &db), SQLITE_OK);
	ck_assert_msg(
		sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(rows_are_kept)
{
	struct err err = ERR_INIT;
	struct world w;
	uint64_t n;

	world_begin(&w);
	put(&w, "u-00001", "one", 0, "first");
	put(&w, "u-00001", "two", 0, "second");
	put(&w, "u-00002", "one", 0, "other");
	put(&w, "u-00001", "one", 0, "first again");
	ck_assert_str_eq(get(&w, "u-00001", "one"), "first again");
	ck_assert_str_eq(get(&w, "u-00002", "one"), "other");
	ck_assert_str_eq(get(&w, "u-00003", "one"), "");
	ck_assert_int_eq(count(&w, "u-00001"), 2);
	ck_assert_int_eq(count(&w, NULL), 3);
	ck_ok(state_count(w.state, STATE_DRAFT, STR("u-00001"), &n, &err), err);
	ck_assert_uint_eq(n, 2);
	ck_ok(state_count(w.state, STATE_VIEW, STR("u-00001"), &n, &err), err);
	ck_assert_uint_eq(n, 0);
	state_close(TAKE_PTR(w.state));
	ck_ok(state_open(w.path, &archive_id, w.key, &w.state, &err), err);
	ck_assert_str_eq(get(&w, "u-00001", "two"), "second");
	ck_assert_int_eq(state_delete(w.state, STATE_DRAFT, STR("u-00001"), STR("two"), &err), 1);
	ck_assert_int_eq(state_delete(w.state, STATE_DRAFT, STR("u-00001"), STR("two"), &err), 0);
	ck_assert_str_eq(get(&w, "u-00001", "two"), "");
	world_end(&w);
}
END_TEST

START_TEST(rows_end)
{
	struct err err = ERR_INIT;
	struct world w;
	uint64_t n;

	world_begin(&w);
	put(&w, "u", "a", NOW + 10, "x");
	put(&w, "u", "b", 0, "y");
	clock_set(NOW + 9);
	ck_assert_str_eq(get(&w, "u", "a"), "x");
	clock_set(NOW + 10);
	ck_assert_str_eq(get(&w, "u", "a"), "");
	ck_assert_int_eq(count(&w, "u"), 1);
	ck_ok(state_count(w.state, STATE_DRAFT, STR("u"), &n, &err), err);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(state_expire(w.state, &err), 1);
	ck_assert_int_eq(state_expire(w.state, &err), 0);
	clock_set(NOW);
	ck_assert_str_eq(get(&w, "u", "a"), "");
	world_end(&w);
}
END_TEST

START_TEST(limits)
{
	char *much = xcalloc(1, STATE_VALUE_MAX + 2), name[STATE_NAME_MAX + 2] = "";
	struct err err = ERR_INIT;
	struct world w;

	world_begin(&w);
	memset(much, 'x', STATE_VALUE_MAX + 1);
	memset(name, 'n', STATE_NAME_MAX + 1);
	ck_fails(state_put(w.state, STATE_DRAFT, STR("u"), STR("a"), 0, str_of(much), &err), err,
		ERR_LIMIT);
	ck_fails(state_put(w.state, STATE_DRAFT, STR("u"), str_of(name), 0, STR(""), &err), err,
		ERR_LIMIT);
	ck_fails(state_put(w.state, STATE_DRAFT, str_of(name), STR("a"), 0, STR(""), &err), err,
		ERR_LIMIT);
	much[STATE_VALUE_MAX] = '\0';
	name[STATE_NAME_MAX] = '\0';
	put(&w, name, name, 0, much);
	ck_assert_uint_eq(strlen(get(&w, name, name)), STATE_VALUE_MAX);
	free(much);
	world_end(&w);
}
END_TEST

START_TEST(nothing_is_in_clear)
{
	char folder[512];
	struct world w;

	world_begin(&w);
	put(&w, "u-00001", "recognisable-name", 0, "recognisable value");
	(void)snprintf(
		folder, sizeof(folder), "%.*s", (int)(strrchr(w.path, '/') - w.path), w.path);
	ck_assert(!stands_anywhere(folder, "recognisable"));
	ck_assert(!stands_anywhere(folder, "u-00001"));
	world_end(&w);
}
END_TEST

START_TEST(rows_that_were_moved_or_damaged)
{
	struct err err = ERR_INIT;
	_cleanup_(buf_done) struct buf value = BUF_INIT;
	struct world w;

	world_begin(&w);
	put(&w, "u", "a", NOW + 1000, "mine");
	put(&w, "v", "a", 0, "yours");
	/* One account's row at another's place. */
	run_sql(&w, "UPDATE state SET sealed = (SELECT sealed FROM state WHERE ends = 0 AND kind = "
		    "3) WHERE ends > 0");
	ck_fails(state_get(w.state, STATE_DRAFT, STR("u"), STR("a"), &value, NULL, &err), err,
		ERR_CORRUPT);
	/* A longer life. */
	put(&w, "u", "a", NOW + 1000, "mine");
	run_sql(&w, "UPDATE state SET ends = 0 WHERE ends > 0");
	ck_fails(state_get(w.state, STATE_DRAFT, STR("u"), STR("a"), &value, NULL, &err), err,
		ERR_CORRUPT);
	/* Cut, empty, of another type, of a newer version: left out of lists, and counted. */
	put(&w, "u", "a", 0, "mine");
	run_sql(&w, "UPDATE state SET sealed = substr(sealed, 1, 20) WHERE kind = 3");
	ck_assert_int_eq(count(&w, NULL), 0);
	run_sql(&w, "UPDATE state SET sealed = x'' WHERE kind = 3");
	ck_assert_int_eq(count(&w, NULL), 0);
	run_sql(&w, "UPDATE state SET sealed = 'text' WHERE kind = 3");
	ck_assert_int_eq(count(&w, NULL), 0);
	run_sql(&w, "UPDATE state SET sealed = x'02' WHERE kind = 3");
	ck_fails(state_get(w.state, STATE_DRAFT, STR("u"), STR("a"), &value, NULL, &err), err,
		ERR_UNSUPPORTED);
	ck_assert_uint_ge(state_damaged(w.state), 8);
	run_sql(&w, "UPDATE state SET owner = x'FF' WHERE kind = 3 AND owner = (SELECT "
		    "MIN(owner) FROM state WHERE kind = 3)");
	{
		int n = 0;

		ck_fails(state_each(w.state, STATE_DRAFT, (struct str){ NULL, 0 }, count_row, &n,
				 &err),
			err, ERR_CORRUPT);
	}
	world_end(&w);
}
END_TEST

START_TEST(files_that_are_not_ours)
{
	static const struct id other = { "another archive" };
	_cleanup_(secret_freep) struct secret *key = secret_random(KEY_BYTES);
	struct err err = ERR_INIT;
	const char *folder;
	struct state *s;
	struct world w;
	int dir;

	world_begin(&w);
	state_close(TAKE_PTR(w.state));
	ck_fails(state_open(w.path, &other, w.key, &s, &err), err, ERR_CRYPTO);
	ck_fails(state_open(w.path, &archive_id, key, &s, &err), err, ERR_CRYPTO);
	run_sql(&w, "PRAGMA user_version=2");
	ck_fails(state_open(w.path, &archive_id, w.key, &s, &err), err, ERR_UNSUPPORTED);
	run_sql(&w, "PRAGMA user_version=1; PRAGMA application_id=7");
	ck_fails(state_open(w.path, &archive_id, w.key, &s, &err), err, ERR_CORRUPT);
	folder = harness_dir();
	dir = file_open_dir(AT_FDCWD, folder, &err);
	ck_ok(file_replace(
		      dir, STATE_FILE, "no database at all, but long enough to be read", 46, &err),
		err);
	(void)snprintf(w.path, sizeof(w.path), "%s/" STATE_FILE, folder);
	ck_fails(state_open(w.path, &archive_id, w.key, &s, &err), err, ERR_CORRUPT);
	closep(&dir);
	world_end(&w);
}
END_TEST

static int add_one(void *context, const struct state_row *now, struct buf *value, int64_t *ends,
	struct err *err)
{
	uint64_t n = 0;

	(void)context;
	(void)ends;
	if (now && str_to_u64(now->value, 1000000, &n, err) < 0)
		return -ERR_INVALID;
	buf_add_u64(value, n + 1);
	return 0;
}

static void *add_many(void *context)
{
	struct world *w = context;

	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(state_change(w->state, STATE_DRAFT, STR("u"), STR("n"), add_one,
					 NULL, NULL),
			0);
	return NULL;
}

START_TEST(changes_do_not_overtake)
{
	pthread_t threads[4];
	struct world w;

	world_begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, &w), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		(void)pthread_join(threads[i], NULL);
	ck_assert_str_eq(get(&w, "u", "n"), "200");
	world_end(&w);
}
END_TEST

TESTS("core/archive/state", rows_are_kept, rows_end, limits, nothing_is_in_clear,
	rows_that_were_moved_or_damaged, files_that_are_not_ours, changes_do_not_overtake)
