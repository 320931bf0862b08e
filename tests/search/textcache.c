#include "tests/harness.h"

#include "core/base/file.h"
#include "search/textcache.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t archive[16] = "an archive's id";
static const uint8_t one[16] = { 1 }, two[16] = { 2 }, other[16] = { 9 };

static struct extracted_page pages[] = {
	{ 1, 0, STR(""), STR("召回计划的第一页"), 0 },
	{ 2, 0, STR("表"), STR("责任到人\n\t尾"), 0 },
	{ 0, 3, STR("a.txt"), STR(""), 0 },
};

static const struct extracted sample = {
	.reason = EXTRACT_OK,
	.media_type = "application/pdf",
	.name_differs = true,
	.is_cut = true,
	.title = STR("题目"),
	.author = STR("王五"),
	.date = STR("2026-11-21"),
	.pages = pages,
	.page_count = ARRAY_LEN(pages),
};

struct place {
	char path[256];
	const char *folder;
};

static struct textcache *open_in(struct place *at)
{
	struct textcache *t = NULL;
	struct err err = ERR_INIT;

	if (!at->folder)
		at->folder = harness_dir();
	(void)snprintf(at->path, sizeof(at->path), "%s/text.db", at->folder);
	ck_ok(textcache_open(at->path, archive, &t, &err), err);
	return t;
}

static void check_sample(const struct extracted *e)
{
	ck_assert_int_eq(e->reason, EXTRACT_OK);
	ck_assert_str_eq(e->media_type, "application/pdf");
	ck_assert(e->name_differs && e->is_cut);
	ck_assert(str_is(e->title, "题目") && str_is(e->author, "王五") &&
		  str_is(e->date, "2026-11-21"));
	ck_assert_uint_eq(e->page_count, ARRAY_LEN(pages));
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		ck_assert_uint_eq(e->pages[i].number, pages[i].number);
		ck_assert_uint_eq(e->pages[i].attachment, pages[i].attachment);
		ck_assert(str_eq(e->pages[i].label, pages[i].label));
		ck_assert(str_eq(e->pages[i].text, pages[i].text));
	}
	ck_assert_uint_eq(e->text_bytes, 24 + 12 + 2 + 3);
}

START_TEST(what_is_put_is_got)
{
	_cleanup_(secret_freep) struct secret *key = secret_random(KEY_BYTES);
	struct place at = { .folder = NULL };
	_cleanup_(textcache_closep) struct textcache *t = open_in(&at);
	struct extracted none = { .reason = EXTRACT_PICTURE };
	struct extracted *e = NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(textcache_has(t, one, two, &err), 0);
	ck_fails(textcache_get(t, one, two, key, &e, &err), err, ERR_NOTFOUND);
	ck_ok(textcache_put(t, one, two, key, &sample, &err), err);
	ck_assert_int_eq(textcache_has(t, one, two, &err), 1);
	ck_ok(textcache_get(t, one, two, key, &e, &err), err);
	check_sample(e);
	extracted_free(e);
	/* once more, after it was closed, and replaced */
	textcache_close(t);
	t = open_in(&at);
	ck_ok(textcache_get(t, one, two, key, &e, &err), err);
	check_sample(e);
	extracted_free(e);
	ck_ok(textcache_put(t, one, two, key, &none, &err), err);
	ck_ok(textcache_get(t, one, two, key, &e, &err), err);
	ck_assert_int_eq(e->reason, EXTRACT_PICTURE);
	ck_assert_uint_eq(e->page_count, 0);
	extracted_free(e);
}
END_TEST

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

START_TEST(a_row_opens_only_as_itself)
{
	_cleanup_(secret_freep) struct secret *key = secret_random(KEY_BYTES);
	_cleanup_(secret_freep) struct secret *wrong = secret_random(KEY_BYTES);
	static const uint8_t elsewhere[16] = "another archive";
	struct place at = { .folder = NULL };
	struct textcache *t = open_in(&at);
	struct extracted *e = NULL;
	struct err err = ERR_INIT;

	ck_ok(textcache_put(t, one, two, key, &sample, &err), err);
	ck_fails(textcache_get(t, one, two, wrong, &e, &err), err, ERR_CORRUPT);
	textcache_close(t);
	/* the same row under another record, another part, another archive */
	run_sql(at.path, "INSERT INTO text SELECT x'09000000000000000000000000000000', part, "
			 "sealed FROM text;"
			 "INSERT INTO text SELECT record, x'09000000000000000000000000000000', "
			 "sealed FROM text "
			 "WHERE record = x'01000000000000000000000000000000'");
	t = open_in(&at);
	ck_fails(textcache_get(t, other, two, key, &e, &err), err, ERR_CORRUPT);
	ck_fails(textcache_get(t, one, other, key, &e, &err), err, ERR_CORRUPT);
	ck_ok(textcache_get(t, one, two, key, &e, &err), err);
	extracted_free(e);
	textcache_close(t);
	ck_ok(textcache_open(at.path, elsewhere, &t, &err), err);
	ck_fails(textcache_get(t, one, two, key, &e, &err), err, ERR_CORRUPT);
	textcache_close(t);
	/* flipped, cut, of a newer version */
	run_sql(at.path, "UPDATE text SET sealed = substr(sealed, 1, length(sealed) - 1) || x'00'");
	t = open_in(&at);
	ck_fails(textcache_get(t, one, two, key, &e, &err), err, ERR_CORRUPT);
	textcache_close(t);
	run_sql(at.path, "UPDATE text SET sealed = x'01'");
	t = open_in(&at);
	ck_fails(textcache_get(t, one, two, key, &e, &err), err, ERR_CORRUPT);
	textcache_close(t);
	run_sql(at.path, "UPDATE text SET sealed = x'02aaaa'");
	t = open_in(&at);
	ck_fails(textcache_get(t, one, two, key, &e, &err), err, ERR_UNSUPPORTED);
	textcache_close(t);
}
END_TEST

/* True when the bytes stand in a file of the cache. */
static bool is_anywhere(const struct place *at, const void *p, size_t n)
{
	static const char *const names[] = { "text.db", "text.db-wal", "text.db-shm" };
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, at->folder, &err);
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf b = BUF_INIT;

		if (file_read_whole(dir, names[i], &b, &err) == 0)
			found |= memmem(b.p, b.n, p, n) != NULL;
		buf_done(&b);
	}
	return found;
}

static void sealed_tail(const char *path, const char *sql, uint8_t out[32])
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
	ck_assert_int_ge(sqlite3_column_bytes(s, 0), 32);
	memcpy(out, (const uint8_t *)sqlite3_column_blob(s, 0) + sqlite3_column_bytes(s, 0) - 32,
		32);
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
}

START_TEST(forgotten_is_gone_from_every_file)
{
	_cleanup_(secret_freep) struct secret *key = secret_random(KEY_BYTES);
	struct place at = { .folder = NULL };
	_cleanup_(textcache_closep) struct textcache *t = open_in(&at);
	struct extracted_page large = { 1, 0, STR(""), { NULL, 300000 }, 0 };
	struct extracted big = { .reason = EXTRACT_OK, .pages = &large, .page_count = 1 };
	_cleanup_(freep) char *text = xcalloc(1, 300001);
	uint8_t small_bytes[32], big_bytes[32], kept_bytes[32];
	struct extracted *e = NULL;
	struct err err = ERR_INIT;

	memset(text, 'x', 300000);
	large.text.p = text;
	ck_ok(textcache_put(t, one, one, key, &sample, &err), err);
	ck_ok(textcache_put(t, one, two, key, &big, &err), err);
	ck_ok(textcache_put(t, two, two, key, &sample, &err), err);
	sealed_tail(at.path, "SELECT sealed FROM text ORDER BY record, part LIMIT 1", small_bytes);
	sealed_tail(at.path, "SELECT sealed FROM text ORDER BY record, part LIMIT 1 OFFSET 1",
		big_bytes);
	sealed_tail(at.path, "SELECT sealed FROM text ORDER BY record, part LIMIT 1 OFFSET 2",
		kept_bytes);
	ck_assert(is_anywhere(&at, small_bytes, 32) && is_anywhere(&at, big_bytes, 32));
	ck_assert(!is_anywhere(&at, "召回计划", 12));
	ck_assert(!is_anywhere(&at, "xxxxxxxxxxxxxxxx", 16));
	ck_ok(textcache_forget(t, one, &err), err);
	ck_assert(!is_anywhere(&at, small_bytes, 32) && !is_anywhere(&at, big_bytes, 32));
	ck_assert(is_anywhere(&at, kept_bytes, 32));
	ck_assert_int_eq(textcache_has(t, one, one, &err), 0);
	ck_ok(textcache_get(t, two, two, key, &e, &err), err);
	check_sample(e);
	extracted_free(e);
	ck_ok(textcache_forget(t, one, &err), err); /* nothing there is fine */
	/* a replaced row leaves nothing either, once the record goes */
	ck_ok(textcache_put(t, two, two, key, &big, &err), err);
	ck_ok(textcache_forget(t, two, &err), err);
	ck_assert(!is_anywhere(&at, kept_bytes, 32));
}
END_TEST

struct walk {
	struct textcache *t;
	size_t count;
	int stop_at;
};

static int visit(void *context, const uint8_t record[16], const uint8_t part[16], uint64_t bytes,
	struct err *err)
{
	struct walk *w = context;

	ck_assert_uint_eq(record[0], 1 + w->count / 2);
	ck_assert_uint_eq(part[0], 1 + w->count % 2);
	ck_assert_uint_gt(bytes, 40);
	ck_assert_int_eq(textcache_has(w->t, record, part, err), 1); /* no lock is held */
	w->count++;
	return (int)w->count == w->stop_at ? 7 : 0;
}

START_TEST(each_row_in_order)
{
	_cleanup_(secret_freep) struct secret *key = secret_random(KEY_BYTES);
	struct place at = { .folder = NULL };
	_cleanup_(textcache_closep) struct textcache *t = open_in(&at);
	struct walk w = { .t = t };
	struct err err = ERR_INIT;

	ck_ok(textcache_each(t, visit, &w, &err), err);
	ck_assert_uint_eq(w.count, 0);
	ck_ok(textcache_put(t, two, two, key, &sample, &err), err);
	ck_ok(textcache_put(t, two, one, key, &sample, &err), err);
	ck_ok(textcache_put(t, one, two, key, &sample, &err), err);
	ck_ok(textcache_put(t, one, one, key, &sample, &err), err);
	ck_ok(textcache_each(t, visit, &w, &err), err);
	ck_assert_uint_eq(w.count, 4);
	w = (struct walk){ .t = t, .stop_at = 2 };
	ck_assert_int_eq(textcache_each(t, visit, &w, &err), 7);
	ck_assert_uint_eq(w.count, 2);
}
END_TEST

START_TEST(other_files_are_refused)
{
	struct textcache *t = NULL;
	struct err err = ERR_INIT;
	const char *folder = harness_dir();
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, folder, &err);
	char path[256], junk[4096];

	(void)snprintf(path, sizeof(path), "%s/x", folder);
	memset(junk, 'j', sizeof(junk));
	ck_ok(file_replace(dir, "x", junk, sizeof(junk), &err), err);
	ck_fails(textcache_open(path, archive, &t, &err), err, ERR_CORRUPT);
	ck_ok(file_unlink(dir, "x", &err), err);
	run_sql(path, "PRAGMA application_id=7; CREATE TABLE a(b)");
	ck_fails(textcache_open(path, archive, &t, &err), err, ERR_CORRUPT);
	ck_ok(file_unlink(dir, "x", &err), err);
	run_sql(path, "PRAGMA application_id=1297634353; PRAGMA user_version=2");
	ck_fails(textcache_open(path, archive, &t, &err), err, ERR_UNSUPPORTED);
	(void)snprintf(path, sizeof(path), "%s/no/such/folder", folder);
	ck_assert_int_lt(textcache_open(path, archive, &t, &err), 0);
}
END_TEST

START_TEST(bytes_are_parsed_strictly)
{
	struct buf b = BUF_INIT;
	struct extracted *e = NULL;
	struct err err = ERR_INIT;
	_cleanup_(freep) char *copy = NULL;

	textcache_serialise(&sample, &b);
	ck_ok(textcache_parse(buf_str(&b), &e, &err), err);
	check_sample(e);
	extracted_free(e);
	for (size_t n = 0; n < b.n; n++)
		ck_fails(textcache_parse((struct str){ b.p, n }, &e, &err), err, ERR_CORRUPT);
	buf_addc(&b, '\0');
	ck_fails(textcache_parse(buf_str(&b), &e, &err), err, ERR_CORRUPT);
	b.p[0] = EXTRACT_REASON_COUNT;
	ck_fails(textcache_parse((struct str){ b.p, b.n - 1 }, &e, &err), err, ERR_CORRUPT);
	buf_done(&b);
}
END_TEST

struct worker {
	struct textcache *t;
	uint8_t id;
	const struct secret *key;
};

static void *work(void *context)
{
	struct worker *w = context;
	uint8_t record[16] = { w->id };

	for (uint8_t i = 0; i < 50; i++) {
		uint8_t part[16] = { i };
		struct extracted *e = NULL;
		struct err err = ERR_INIT;

		ck_ok(textcache_put(w->t, record, part, w->key, &sample, &err), err);
		ck_ok(textcache_get(w->t, record, part, w->key, &e, &err), err);
		check_sample(e);
		extracted_free(e);
		if (i % 10 == 9)
			ck_ok(textcache_forget(w->t, record, &err), err);
	}
	return NULL;
}

START_TEST(many_at_once)
{
	_cleanup_(secret_freep) struct secret *key = secret_random(KEY_BYTES);
	struct place at = { .folder = NULL };
	_cleanup_(textcache_closep) struct textcache *t = open_in(&at);
	struct worker workers[4];
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		workers[i] = (struct worker){ t, (uint8_t)i, key };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

START_TEST(scans_keep_what_is_known_of_them)
{
	struct extracted_page page = { 7, 0, STR(""), STR("封口温度"), 88 };
	struct extracted scan = { .reason = EXTRACT_OK,
		.media_type = "application/pdf",
		.pages = &page,
		.page_count = 1,
		.scanned = 8,
		.total = 300 };
	_cleanup_(buf_done) struct buf bytes = BUF_INIT;
	_cleanup_(extracted_freep) struct extracted *e = NULL;
	struct err err = ERR_INIT;

	textcache_serialise(&scan, &bytes);
	ck_ok(textcache_parse(buf_str(&bytes), &e, &err), err);
	ck_assert_uint_eq(e->scanned, 8);
	ck_assert_uint_eq(e->total, 300);
	ck_assert_uint_eq(e->pages[0].sure, 88);
	ck_assert(str_is(e->pages[0].text, "封口温度"));
	for (size_t n = 0; n < bytes.n; n++) {
		struct extracted *cut = NULL;

		ck_assert_int_eq(
			textcache_parse((struct str){ bytes.p, n }, &cut, NULL), -ERR_CORRUPT);
	}
}
END_TEST

START_TEST(the_queue_of_scans_is_there_after_a_restart)
{
	static const uint8_t id[16] = { 1 }, r1[16] = { 1 }, r2[16] = { 2 }, p1[16] = { 1 },
			     p2[16] = { 2 };
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	uint8_t record[16] = { 0 }, part[16] = { 0 };
	struct textcache *t = NULL;
	struct err err = ERR_INIT;
	uint64_t count = 9;

	buf_addf(&path, "%s/scans.db", harness_dir());
	ck_ok(textcache_open(path.p, id, &t, &err), err);
	ck_assert_int_eq(textcache_scan_next(t, record, part, &err), -ERR_NOTFOUND);
	ck_ok(textcache_scan_add(t, r2, p1, &err), err);
	ck_ok(textcache_scan_add(t, r1, p2, &err), err);
	ck_ok(textcache_scan_add(t, r1, p2, &err), err);
	ck_ok(textcache_scan_add(t, r1, p1, &err), err);
	textcache_close(t);
	ck_ok(textcache_open(path.p, id, &t, &err), err);
	ck_ok(textcache_scan_count(t, &count, &err), err);
	ck_assert_uint_eq(count, 3);
	ck_ok(textcache_scan_next(t, record, part, &err), err);
	ck_assert(memcmp(record, r1, 16) == 0 && memcmp(part, p1, 16) == 0);
	ck_ok(textcache_scan_next(t, record, part, &err), err);
	ck_assert(memcmp(record, r1, 16) == 0 && memcmp(part, p2, 16) == 0);
	ck_ok(textcache_forget(t, r1, &err), err);
	ck_ok(textcache_scan_next(t, record, part, &err), err);
	ck_assert_mem_eq(record, r2, 16);
	ck_ok(textcache_scan_done(t, r2, p1, &err), err);
	ck_ok(textcache_scan_done(t, r2, p1, &err), err);
	ck_ok(textcache_scan_count(t, &count, &err), err);
	ck_assert_uint_eq(count, 0);
	textcache_close(t);
}
END_TEST

TESTS("search/textcache", what_is_put_is_got, a_row_opens_only_as_itself,
	forgotten_is_gone_from_every_file, each_row_in_order, other_files_are_refused,
	bytes_are_parsed_strictly, many_at_once, scans_keep_what_is_known_of_them,
	the_queue_of_scans_is_there_after_a_restart)
