#include "tests/harness.h"

#include "store/keys.h"

#include "core/base/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct id archive = { { 0xa0, 1 } };
static const struct id record_one = { { 0xb0, 1 } }, record_two = { { 0xb0, 2 } };

static struct secret *root_of(uint8_t first)
{
	struct secret *root = secret_new(KEY_BYTES);

	root->p[0] = first;
	return root;
}

static void create(const char *dir)
{
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);
	struct err err = ERR_INIT;

	ck_ok(keys_create(fd, dir, &archive, &err), err);
}

/* Opened for writing, unsealed with the root key that root_of(first) gives. */
static struct keys *unsealed(const char *dir, uint8_t first, uint64_t epoch)
{
	_cleanup_(secret_freep) struct secret *root = root_of(first);
	struct keys *k = NULL;
	struct err err = ERR_INIT;

	ck_ok(keys_open(dir, &archive, true, &k, &err), err);
	ck_ok(keys_unseal(k, root, epoch, &err), err);
	return k;
}

static struct keys *fresh(const char **ret_dir)
{
	*ret_dir = harness_dir();
	create(*ret_dir);
	return unsealed(*ret_dir, 1, 1);
}

/* Change the database behind its owner's back. */
static void tamper(const char *dir, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/keys.db", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static struct wrapped_key draw_and_apply(
	struct keys *k, const struct id *record, uint64_t frame, uint8_t key[32])
{
	struct wrapped_key w;
	struct err err = ERR_INIT;

	ck_ok(keys_draw(k, record, &w, key, &err), err);
	ck_ok(keys_apply(k, &w, 1, NULL, 0, frame, &err), err);
	return w;
}

START_TEST(opens_only_what_it_is)
{
	const char *dir = harness_dir();
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);
	_cleanup_(keys_freep) struct keys *k = NULL;
	struct id other = { { 9 } };
	struct err err = ERR_INIT;

	ck_fails(keys_open(dir, &archive, true, &k, &err), err, ERR_NOTFOUND);
	ck_ok(keys_create(fd, dir, &archive, &err), err);
	ck_fails(keys_create(fd, dir, &archive, &err), err, ERR_EXISTS);
	ck_fails(keys_open(dir, &other, true, &k, &err), err, ERR_CORRUPT);
	ck_ok(keys_open(dir, &archive, false, &k, &err), err);
	ck_assert_uint_eq(keys_epoch(k), 1);
	ck_assert(keys_are_sealed(k));
	ck_ok(keys_check(k, &err), err);
}
END_TEST

START_TEST(made_for_its_owner_only)
{
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	static const char *const names[] = { "keys.db", "keys.db-wal" };
	uint8_t key[32];

	(void)draw_and_apply(k, &record_one, 1, key);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[128];
		struct stat st;

		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_mode & 0777, 0600);
	}
}
END_TEST

START_TEST(foreign_files_are_refused)
{
	static const char *const changes[] = {
		"CREATE TRIGGER t AFTER INSERT ON record_key BEGIN DELETE FROM record_key; END",
		"CREATE VIEW v AS SELECT 1",
		"CREATE TABLE t (x)",
		"CREATE INDEX i ON record_key (epoch)",
		"ALTER TABLE record_key ADD COLUMN extra",
		"DROP TABLE purpose",
		"DELETE FROM meta WHERE name = 'archive'",
		"UPDATE meta SET value = 'one' WHERE name = 'epoch'",
		"UPDATE meta SET value = -1 WHERE name = 'epoch'",
	};
	_cleanup_(keys_freep) struct keys *k = NULL;
	const char *dir;
	_cleanup_(closep) int fd = -1;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		dir = harness_dir();
		create(dir);
		tamper(dir, changes[i]);
		ck_fails(keys_open(dir, &archive, true, &k, &err), err, ERR_CORRUPT);
		ck_fails(keys_open(dir, &archive, false, &k, &err), err, ERR_CORRUPT);
	}
	dir = harness_dir();
	create(dir);
	tamper(dir, "UPDATE meta SET value = 2 WHERE name = 'format'");
	ck_fails(keys_open(dir, &archive, true, &k, &err), err, ERR_UNSUPPORTED);
	dir = harness_dir();
	fd = file_open_dir(AT_FDCWD, dir, &err);
	ck_ok(file_replace(fd, "keys.db", "not a database at all, but text", 31, &err), err);
	ck_fails(keys_open(dir, &archive, true, &k, &err), err, ERR_CORRUPT);
}
END_TEST

START_TEST(sealed_means_sealed)
{
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	_cleanup_(secret_freep) struct secret *root = root_of(1);
	_cleanup_(secret_freep) struct secret *purpose = NULL;
	_cleanup_(secret_freep) struct secret *wrong_size = secret_new(16);
	struct wrapped_key w, other;
	uint8_t key[32], again[32];
	struct err err = ERR_INIT;

	w = draw_and_apply(k, &record_one, 1, key);
	keys_seal(k);
	ck_assert(keys_are_sealed(k));
	ck_fails(keys_draw(k, &record_one, &other, again, &err), err, ERR_SEALED);
	ck_fails(keys_unwrap(k, &w, again, &err), err, ERR_SEALED);
	ck_fails(keys_find(k, &w.key, &record_one, again, &err), err, ERR_SEALED);
	ck_fails(keys_purpose(k, "terms", &purpose, &err), err, ERR_SEALED);
	ck_fails(keys_rotate(k, root, &err), err, ERR_SEALED);
	ck_fails(keys_unseal(k, root, 2, &err), err, ERR_CONFLICT);
	ck_fails(keys_unseal(k, wrong_size, 1, &err), err, ERR_CRYPTO);
	ck_assert(keys_are_sealed(k));
	ck_ok(keys_unseal(k, root, 1, &err), err);
	ck_ok(keys_find(k, &w.key, &record_one, again, &err), err);
	ck_assert(memcmp(key, again, sizeof(key)) == 0);
}
END_TEST

START_TEST(found_again_after_reopening)
{
	const char *dir;
	struct keys *k = fresh(&dir);
	_cleanup_(secret_freep) struct secret *wrong = root_of(2);
	struct wrapped_key w;
	uint8_t key[32], again[32];
	struct id missing = { { 1 } };
	uint64_t frame = 0;
	struct err err = ERR_INIT;

	w = draw_and_apply(k, &record_one, 7, key);
	keys_free(k);
	k = unsealed(dir, 1, 1);
	ck_ok(keys_find(k, &w.key, &record_one, again, &err), err);
	ck_assert(memcmp(key, again, sizeof(key)) == 0);
	ck_ok(keys_applied_frame(k, &frame, &err), err);
	ck_assert_uint_eq(frame, 7);
	ck_fails(keys_find(k, &missing, &record_one, again, &err), err, ERR_NOTFOUND);
	ck_fails(keys_find(k, &w.key, &record_two, again, &err), err, ERR_CRYPTO);
	ck_ok(keys_unseal(k, wrong, 1, &err), err);
	ck_fails(keys_find(k, &w.key, &record_one, again, &err), err, ERR_CRYPTO);
	keys_free(k);
}
END_TEST

/* Rows that somebody changed, moved or exchanged do not open. */
START_TEST(moved_rows_do_not_open)
{
	const char *dir;
	struct keys *k = fresh(&dir);
	struct wrapped_key one, two;
	uint8_t key[32];
	struct err err = ERR_INIT;

	one = draw_and_apply(k, &record_one, 1, key);
	two = draw_and_apply(k, &record_two, 2, key);
	keys_free(k);
	tamper(dir,
		"CREATE TEMP TABLE r AS SELECT * FROM record_key; UPDATE record_key SET wrapped ="
		" (SELECT r.wrapped FROM r WHERE r.key <> record_key.key)");
	k = unsealed(dir, 1, 1);
	ck_fails(keys_find(k, &one.key, &record_one, key, &err), err, ERR_CRYPTO);
	ck_fails(keys_find(k, &two.key, &record_two, key, &err), err, ERR_CRYPTO);
	keys_free(k);
	tamper(dir,
		"CREATE TEMP TABLE r AS SELECT * FROM record_key; UPDATE record_key SET wrapped ="
		" (SELECT r.wrapped FROM r WHERE r.key <> record_key.key);"
		"UPDATE record_key SET record ="
		" (SELECT r.record FROM r WHERE r.key <> record_key.key)");
	k = unsealed(dir, 1, 1);
	/* A swapped record column helps nobody: the one who asks names the record. */
	ck_ok(keys_find(k, &one.key, &record_one, key, &err), err);
	ck_fails(keys_find(k, &one.key, &record_two, key, &err), err, ERR_CRYPTO);
	keys_free(k);
	tamper(dir, "UPDATE record_key SET wrapped = x'00'");
	k = unsealed(dir, 1, 1);
	ck_fails(keys_find(k, &one.key, &record_one, key, &err), err, ERR_CORRUPT);
	keys_free(k);
	tamper(dir, "UPDATE record_key SET wrapped = 'text'");
	k = unsealed(dir, 1, 1);
	ck_fails(keys_find(k, &one.key, &record_one, key, &err), err, ERR_CORRUPT);
	keys_free(k);
}
END_TEST

START_TEST(every_flip_is_noticed)
{
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	uint8_t bytes[WRAPPED_KEY_BYTES], key[32];
	struct wrapped_key w;
	struct err err = ERR_INIT;

	ck_ok(keys_draw(k, &record_one, &w, key, &err), err);
	wrapped_key_write(&w, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1 << bit);
			wrapped_key_read(bytes, &w);
			ck_fails(keys_unwrap(k, &w, key, &err), err, ERR_CRYPTO);
			bytes[i] ^= (uint8_t)(1 << bit);
		}
	wrapped_key_read(bytes, &w);
	ck_ok(keys_unwrap(k, &w, key, &err), err);
}
END_TEST

START_TEST(applying_twice_is_applying_once)
{
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	struct wrapped_key w[2];
	struct id gone;
	uint8_t key[32];
	uint64_t count = 0, frame = 0;
	struct err err = ERR_INIT;

	ck_ok(keys_draw(k, &record_one, &w[0], key, &err), err);
	ck_ok(keys_draw(k, &record_two, &w[1], key, &err), err);
	ck_ok(keys_apply(k, w, 2, NULL, 0, 5, &err), err);
	ck_ok(keys_apply(k, w, 2, NULL, 0, 5, &err), err);
	ck_ok(keys_count(k, &count, &err), err);
	ck_assert_uint_eq(count, 2);
	gone = w[0].key;
	ck_ok(keys_apply(k, NULL, 0, &gone, 1, 6, &err), err);
	ck_ok(keys_apply(k, NULL, 0, &gone, 1, 4, &err), err);
	ck_fails(keys_find(k, &gone, &record_one, key, &err), err, ERR_NOTFOUND);
	ck_ok(keys_applied_frame(k, &frame, &err), err);
	ck_assert_uint_eq(frame, 6);
}
END_TEST

/* A refused key takes the whole call back. */
START_TEST(all_or_nothing)
{
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	struct wrapped_key w[2], first;
	uint8_t key[32];
	uint64_t count = 0, frame = 0;
	struct err err = ERR_INIT;

	first = draw_and_apply(k, &record_one, 1, key);
	ck_ok(keys_draw(k, &record_two, &w[0], key, &err), err);
	w[1] = first;
	w[1].wrapped[0] ^= 1;
	ck_fails(keys_apply(k, w, 2, &first.key, 1, 2, &err), err, ERR_CONFLICT);
	w[1] = first;
	w[1].record = record_two;
	ck_fails(keys_apply(k, w, 2, &first.key, 1, 2, &err), err, ERR_CONFLICT);
	w[1] = w[0];
	w[1].key.b[0] ^= 1;
	w[1].epoch = 2;
	ck_fails(keys_apply(k, w, 2, &first.key, 1, 2, &err), err, ERR_CONFLICT);
	ck_ok(keys_count(k, &count, &err), err);
	ck_assert_uint_eq(count, 1);
	ck_ok(keys_applied_frame(k, &frame, &err), err);
	ck_assert_uint_eq(frame, 1);
	ck_ok(keys_find(k, &first.key, &record_one, key, &err), err);
}
END_TEST

START_TEST(reading_only)
{
	const char *dir;
	struct keys *k = fresh(&dir);
	_cleanup_(secret_freep) struct secret *root = root_of(1), *purpose = NULL;
	struct wrapped_key w;
	uint8_t key[32];
	struct err err = ERR_INIT;

	w = draw_and_apply(k, &record_one, 1, key);
	keys_free(k);
	ck_ok(keys_open(dir, &archive, false, &k, &err), err);
	ck_ok(keys_unseal(k, root, 1, &err), err);
	ck_ok(keys_find(k, &w.key, &record_one, key, &err), err);
	ck_fails(keys_apply(k, NULL, 0, &w.key, 1, 2, &err), err, ERR_DENIED);
	ck_fails(keys_truncate_wal(k, &err), err, ERR_DENIED);
	ck_fails(keys_rotate(k, root, &err), err, ERR_DENIED);
	ck_fails(keys_purpose(k, "terms", &purpose, &err), err, ERR_NOTFOUND);
	keys_free(k);
}
END_TEST

static bool holds(const char *dir, const char *name, const void *p, size_t n)
{
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);
	struct buf content = BUF_INIT;
	bool found;

	if (!file_exists(fd, name))
		return false;
	ck_assert_int_eq(file_read_whole(fd, name, &content, NULL), 0);
	found = memmem(content.p, content.n, p, n) != NULL;
	buf_done(&content);
	return found;
}

START_TEST(deleted_keys_leave_the_files)
{
	enum { COUNT = 500 };
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	_cleanup_(freep) struct wrapped_key *w = xcalloc(COUNT, sizeof(*w));
	_cleanup_(freep) struct id *gone = xcalloc(COUNT, sizeof(*gone));
	uint8_t key[32];
	uint64_t bytes = 0;
	char path[128];
	_cleanup_(closep) int wal = -1;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < COUNT; i++)
		ck_ok(keys_draw(k, &record_one, &w[i], key, &err), err);
	ck_ok(keys_apply(k, w, COUNT, NULL, 0, 1, &err), err);
	ck_assert(holds(dir, "keys.db-wal", w[0].wrapped, 24));
	ck_ok(keys_truncate_wal(k, &err), err);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert(holds(dir, "keys.db", w[i].wrapped, 24));
		gone[i] = w[i].key;
	}
	/* Every second, then one that stands alone on its page, then all. */
	for (size_t i = 0; i < COUNT / 2; i++)
		gone[i] = w[2 * i].key;
	ck_ok(keys_apply(k, NULL, 0, gone, COUNT / 2, 2, &err), err);
	ck_ok(keys_truncate_wal(k, &err), err);
	for (size_t i = 0; i < COUNT; i++) {
		bool there = i % 2 == 1;

		ck_assert(holds(dir, "keys.db", w[i].wrapped, 24) == there);
		ck_assert(holds(dir, "keys.db", w[i].wrapped + 24, 48) == there);
		ck_assert(holds(dir, "keys.db", w[i].key.b, ID_BYTES) == there);
		ck_assert(!holds(dir, "keys.db-wal", w[i].wrapped, 24));
	}
	for (size_t i = 0; i < COUNT; i++)
		gone[i] = w[i].key;
	ck_ok(keys_apply(k, NULL, 0, gone, COUNT, 3, &err), err);
	ck_ok(keys_truncate_wal(k, &err), err);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert(!holds(dir, "keys.db", w[i].wrapped, 24));
		ck_assert(!holds(dir, "keys.db", w[i].key.b, ID_BYTES));
	}
	(void)snprintf(path, sizeof(path), "%s/keys.db-wal", dir);
	wal = file_open_read(AT_FDCWD, path, &err);
	ck_assert_int_ge(wal, 0);
	ck_ok(file_size(wal, &bytes, &err), err);
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

START_TEST(keys_of_records_are_deleted)
{
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	struct id both[2] = { record_one, { { 0xcc } } };
	struct wrapped_key one, two;
	uint64_t deleted = 9;
	uint8_t key[32];
	struct err err = ERR_INIT;

	(void)draw_and_apply(k, &record_one, 1, key);
	one = draw_and_apply(k, &record_one, 2, key);
	two = draw_and_apply(k, &record_two, 3, key);
	ck_ok(keys_delete_records(k, both, 2, &deleted, &err), err);
	ck_assert_uint_eq(deleted, 2);
	ck_ok(keys_delete_records(k, both, 2, &deleted, &err), err);
	ck_assert_uint_eq(deleted, 0);
	ck_fails(keys_find(k, &one.key, &record_one, key, &err), err, ERR_NOTFOUND);
	ck_ok(keys_find(k, &two.key, &record_two, key, &err), err);
}
END_TEST

START_TEST(purposes)
{
	const char *dir;
	struct keys *k = fresh(&dir);
	_cleanup_(secret_freep) struct secret *terms = NULL, *again = NULL, *server = NULL,
					      *none = NULL;
	struct err err = ERR_INIT;

	ck_ok(keys_purpose(k, "terms", &terms, &err), err);
	ck_ok(keys_purpose(k, "server", &server, &err), err);
	ck_assert(!secret_equal(terms, server));
	keys_free(k);
	k = unsealed(dir, 1, 1);
	ck_ok(keys_purpose(k, "terms", &again, &err), err);
	ck_assert(secret_equal(terms, again));
	ck_fails(keys_purpose(k, "", &none, &err), err, ERR_INVALID);
	ck_fails(keys_purpose(k, "123456789012345678901234567890123", &none, &err), err,
		ERR_INVALID);
	keys_free(k);
	tamper(dir, "CREATE TEMP TABLE p AS SELECT * FROM purpose; UPDATE purpose SET wrapped ="
		    " (SELECT p.wrapped FROM p WHERE p.name <> purpose.name)");
	k = unsealed(dir, 1, 1);
	ck_fails(keys_purpose(k, "terms", &none, &err), err, ERR_CRYPTO);
	ck_fails(keys_check(k, &err), err, ERR_CRYPTO);
	keys_seal(k);
	ck_ok(keys_check(k, &err), err);
	keys_free(k);
}
END_TEST

static int count_in_order(void *context, const struct wrapped_key *w, struct err *err)
{
	struct {
		size_t count;
		struct id last;
	} *seen = context;

	(void)err;
	ck_assert(!seen->count || memcmp(seen->last.b, w->key.b, ID_BYTES) < 0);
	seen->last = w->key;
	seen->count++;
	return 0;
}

static int stop_at_once(void *context, const struct wrapped_key *w, struct err *err)
{
	(void)context;
	(void)w;
	return err_set(err, ERR_CANCELLED, "enough");
}

/* Keys that came in many transactions, so that pages were split and balanced: what SQLite moved must not stay behind in
 * the unused part of the page from which it came. */
START_TEST(deleted_keys_leave_split_pages)
{
	enum { COUNT = 3000, TOGETHER = 7, EVERY = 10 };
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	_cleanup_(freep) struct wrapped_key *w = xcalloc(COUNT, sizeof(*w));
	_cleanup_(buf_done) struct buf file = BUF_INIT_MAX(64 << 20);
	uint8_t key[32];
	char path[128];
	struct err err = ERR_INIT;
	size_t left = 0;

	for (size_t i = 0; i < COUNT; i++)
		ck_ok(keys_draw(k, i % 2 ? &record_one : &record_two, &w[i], key, &err), err);
	for (size_t i = 0; i < COUNT; i += TOGETHER) {
		size_t n = COUNT - i < TOGETHER ? COUNT - i : TOGETHER;

		ck_ok(keys_apply(k, w + i, n, NULL, 0, i + 1, &err), err);
		if (i % 100 == 0)
			ck_ok(keys_truncate_wal(k, &err), err);
	}
	for (size_t i = 0; i < COUNT; i += EVERY)
		ck_ok(keys_apply(k, NULL, 0, &w[i].key, 1, COUNT + i, &err), err);
	ck_ok(keys_truncate_wal(k, &err), err);
	(void)snprintf(path, sizeof(path), "%s/keys.db", dir);
	ck_ok(file_read_whole(AT_FDCWD, path, &file, &err), err);
	for (size_t i = 0; i < COUNT; i++)
		if (i % EVERY == 0 && memmem(file.p, file.n, w[i].wrapped + 24, 24))
			left++;
	ck_assert_uint_eq(left, 0);
}
END_TEST

START_TEST(many_keys)
{
	enum { COUNT = 5000 };
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	_cleanup_(freep) struct wrapped_key *w = xcalloc(COUNT, sizeof(*w));
	struct {
		size_t count;
		struct id last;
	} seen = { 0 };
	uint8_t key[32];
	uint64_t count = 0;
	struct err err = ERR_INIT;

	ck_ok(keys_each(k, stop_at_once, NULL, &err), err);
	for (size_t i = 0; i < COUNT; i++)
		ck_ok(keys_draw(k, &record_one, &w[i], key, &err), err);
	ck_ok(keys_apply(k, w, COUNT, NULL, 0, 1, &err), err);
	ck_ok(keys_count(k, &count, &err), err);
	ck_assert_uint_eq(count, COUNT);
	ck_ok(keys_each(k, count_in_order, &seen, &err), err);
	ck_assert_uint_eq(seen.count, COUNT);
	ck_fails(keys_each(k, stop_at_once, NULL, &err), err, ERR_CANCELLED);
	ck_ok(keys_check(k, &err), err);
}
END_TEST

START_TEST(rotation)
{
	enum { COUNT = 600 };
	const char *dir;
	struct keys *k = fresh(&dir);
	_cleanup_(secret_freep) struct secret *old_root = root_of(1), *new_root = root_of(2);
	_cleanup_(secret_freep) struct secret *terms = NULL, *again = NULL;
	_cleanup_(freep) struct wrapped_key *w = xcalloc(COUNT, sizeof(*w));
	uint8_t keys[COUNT][32], key[32];
	struct wrapped_key late;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < COUNT; i++)
		ck_ok(keys_draw(k, &record_one, &w[i], keys[i], &err), err);
	ck_ok(keys_apply(k, w, COUNT, NULL, 0, 1, &err), err);
	ck_ok(keys_purpose(k, "terms", &terms, &err), err);
	ck_ok(keys_draw(k, &record_two, &late, key, &err), err);
	ck_ok(keys_rotate(k, new_root, &err), err);
	ck_assert_uint_eq(keys_epoch(k), 2);
	for (int reopened = 0; reopened < 2; reopened++) {
		for (size_t i = 0; i < COUNT; i++) {
			ck_ok(keys_find(k, &w[i].key, &record_one, key, &err), err);
			ck_assert(memcmp(key, keys[i], sizeof(key)) == 0);
			ck_assert(!holds(dir, "keys.db", w[i].wrapped, 24) || i % 50);
			ck_assert(!holds(dir, "keys.db-wal", w[i].wrapped, 24) || i % 50);
		}
		ck_ok(keys_purpose(k, "terms", &again, &err), err);
		ck_assert(secret_equal(terms, again));
		secret_free(TAKE_PTR(again));
		if (!reopened) {
			keys_free(k);
			k = unsealed(dir, 2, 2);
		}
	}
	/* Frames that are replayed late find their keys there; what was drawn before does not fit
	 * any more. */
	ck_ok(keys_apply(k, w, COUNT, NULL, 0, 1, &err), err);
	ck_ok(keys_find(k, &w[0].key, &record_one, key, &err), err);
	ck_fails(keys_apply(k, &late, 1, NULL, 0, 2, &err), err, ERR_CONFLICT);
	ck_fails(keys_unseal(k, old_root, 1, &err), err, ERR_CONFLICT);
	ck_ok(keys_unseal(k, old_root, 2, &err), err);
	ck_fails(keys_find(k, &w[0].key, &record_one, key, &err), err, ERR_CRYPTO);
	keys_free(k);
}
END_TEST

START_TEST(a_failed_rotation_changes_nothing)
{
	const char *dir;
	struct keys *k = fresh(&dir);
	_cleanup_(secret_freep) struct secret *new_root = root_of(2);
	struct wrapped_key good, bad;
	uint8_t key[32];
	struct err err = ERR_INIT;

	good = draw_and_apply(k, &record_one, 1, key);
	bad = draw_and_apply(k, &record_two, 2, key);
	keys_free(k);
	tamper(dir, "UPDATE record_key SET epoch = 9 WHERE rowid = 2");
	k = unsealed(dir, 1, 1);
	ck_fails(keys_rotate(k, new_root, &err), err, ERR_CRYPTO);
	ck_assert_uint_eq(keys_epoch(k), 1);
	ck_ok(keys_find(k, &good.key, &record_one, key, &err), err);
	ck_fails(keys_find(k, &bad.key, &record_two, key, &err), err, ERR_CRYPTO);
	keys_free(k);
}
END_TEST

START_TEST(a_broken_page_is_found)
{
	enum { COUNT = 2000 };
	const char *dir;
	struct keys *k = fresh(&dir);
	_cleanup_(freep) struct wrapped_key *w = xcalloc(COUNT, sizeof(*w));
	_cleanup_(closep) int fd = -1;
	char path[128];
	uint64_t bytes = 0;
	uint8_t key[32], byte;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < COUNT; i++)
		ck_ok(keys_draw(k, &record_one, &w[i], key, &err), err);
	ck_ok(keys_apply(k, w, COUNT, NULL, 0, 1, &err), err);
	keys_free(k);
	(void)snprintf(path, sizeof(path), "%s/keys.db", dir);
	fd = file_open_write(AT_FDCWD, path, &err);
	ck_ok(file_size(fd, &bytes, &err), err);
	/* The first byte of a page in the middle is its kind. */
	ck_ok(file_pread(fd, &byte, 1, bytes / 8192 * 4096, &err), err);
	byte ^= 0xff;
	ck_ok(file_pwrite(fd, &byte, 1, bytes / 8192 * 4096, &err), err);
	ck_ok(keys_open(dir, &archive, false, &k, &err), err);
	ck_fails(keys_check(k, &err), err, ERR_CORRUPT);
	keys_free(k);
}
END_TEST

struct finder {
	struct keys *k;
	struct id key;
	int failures;
};

static void *find_many(void *context)
{
	struct finder *f = context;
	uint8_t key[32];

	for (int i = 0; i < 2000; i++)
		if (keys_find(f->k, &f->key, &record_one, key, NULL) < 0)
			f->failures++;
	return NULL;
}

START_TEST(look_ups_beside_a_writer)
{
	const char *dir;
	_cleanup_(keys_freep) struct keys *k = fresh(&dir);
	struct finder finders[2];
	pthread_t threads[2];
	uint8_t key[32];
	struct wrapped_key w = draw_and_apply(k, &record_one, 1, key);

	for (size_t i = 0; i < 2; i++) {
		finders[i] = (struct finder){ .k = k, .key = w.key };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, find_many, &finders[i]), 0);
	}
	for (uint64_t frame = 2; frame < 30; frame++)
		(void)draw_and_apply(k, &record_two, frame, key);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(finders[i].failures, 0);
	}
}
END_TEST

TESTS("store/keys", opens_only_what_it_is, made_for_its_owner_only, foreign_files_are_refused,
	sealed_means_sealed, found_again_after_reopening, moved_rows_do_not_open,
	every_flip_is_noticed, applying_twice_is_applying_once, all_or_nothing, reading_only,
	deleted_keys_leave_the_files, deleted_keys_leave_split_pages, keys_of_records_are_deleted,
	purposes, many_keys, rotation, a_failed_rotation_changes_nothing, a_broken_page_is_found,
	look_ups_beside_a_writer)
