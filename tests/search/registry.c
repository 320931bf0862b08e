/* The registry: rows, look-ups, lists, marks; what is rolled back, what is refused. */
#include "tests/harness.h"

#include "core/base/file.h"
#include "search/registry.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

static const char *new_path(void)
{
	static char path[4096];

	(void)snprintf(path, sizeof(path), "%s/registry.db", harness_dir());
	return path;
}

static struct registry *open_at(const char *path, bool for_writing)
{
	struct registry *r = NULL;
	struct err err = ERR_INIT;

	ck_ok(registry_open(path, for_writing, &r, &err), err);
	return r;
}

static struct id id_of(unsigned n)
{
	struct id id = { { 0 } };

	/* Against the order of sequence. */
	id.b[0] = (uint8_t)(255 - n);
	id.b[1] = (uint8_t)(n >> 8);
	id.b[15] = (uint8_t)n;
	return id;
}

static void put(struct registry *r, unsigned n)
{
	static const char *const series[] = { "程序文件", "订单" }, *const departments[] = {
		"质量部", "运营部", "技术部"
	};
	char number[32], sealed[32];
	struct registry_row row = {
		.record = id_of(n),
		.sequence = n,
		.series = str_of(series[n % 2]),
		.department = str_of(departments[n % 3]),
		.type = STR("pdf"),
		.state = n % 5 ? STR("effective") : STR("draft"),
		.day = 20000 + n / 4,
		.version = 1 + n,
		.volume = 1,
		.destroyed = n % 10 == 9,
	};
	struct err err = ERR_INIT;

	(void)snprintf(number, sizeof(number), "QMS-%03u", 500 - n);
	(void)snprintf(sealed, sizeof(sealed), "sealed\1%u", n);
	row.number = str_of(number);
	row.sealed = str_of(sealed);
	ck_ok(registry_put(r, &row, &err), err);
}

static struct registry *filled(const char *path, unsigned count)
{
	struct registry *r = open_at(path, true);
	struct err err = ERR_INIT;

	ck_ok(registry_begin(r, &err), err);
	for (unsigned n = 1; n <= count; n++)
		put(r, n);
	ck_ok(registry_commit(r, &err), err);
	return r;
}

/* Rows as the numbers they were made of. */
struct seen {
	unsigned n[512];
	size_t count;
	struct registry_key last;
	char number[32];
};

static int see(void *context, const struct registry_row *row, struct err *err)
{
	struct seen *seen = context;

	(void)err;
	seen->n[seen->count++] = row->record.b[15];
	(void)snprintf(seen->number, sizeof(seen->number), "%.*s", STR_ARG(row->number));
	seen->last = (struct registry_key){
		.day = row->day, .sequence = row->sequence, .number = str_of(seen->number)
	};
	return 0;
}

static int check_seven(void *context, const struct registry_row *row, struct err *err)
{
	int *called = context;

	(void)err;
	++*called;
	ck_assert_uint_eq(row->sequence, 7);
	ck_assert(str_is(row->number, "QMS-493"));
	ck_assert(str_is(row->series, "订单"));
	ck_assert(str_is(row->department, "运营部"));
	ck_assert(str_is(row->type, "pdf"));
	ck_assert(str_is(row->state, "effective"));
	ck_assert_int_eq(row->day, 20001);
	ck_assert_uint_eq(row->version, 8);
	ck_assert_uint_eq(row->volume, 1);
	ck_assert(!row->destroyed);
	ck_assert(str_is(row->sealed, "sealed\0017"));
	return 1;
}

START_TEST(rows_come_back_as_they_went_in)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 20);
	struct id seven = id_of(7), none = id_of(99);
	struct err err = ERR_INIT;
	int called = 0;

	ck_ok(registry_get(r, &seven, check_seven, &called, &err), err);
	ck_ok(registry_by_number(r, STR("QMS-493"), check_seven, &called, &err), err);
	ck_ok(registry_by_number(r, STR("qms-493"), check_seven, &called, &err), err);
	ck_assert_int_eq(called, 2);
	ck_fails(registry_get(r, &none, check_seven, &called, &err), err, ERR_NOTFOUND);
}
END_TEST

START_TEST(putting_again_replaces)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 3);
	struct registry_row row = {
		.record = id_of(2), .sequence = 2, .number = STR("N"), .destroyed = true
	};
	struct seen seen = { .count = 0 };
	struct err err = ERR_INIT;
	uint64_t count;

	ck_ok(registry_begin(r, &err), err);
	ck_ok(registry_put(r, &row, &err), err);
	ck_ok(registry_commit(r, &err), err);
	ck_ok(registry_by_number(r, STR("QMS-498"), see, &seen, &err), err);
	ck_assert_uint_eq(seen.count, 0);
	ck_ok(registry_by_number(r, STR("N"), see, &seen, &err), err);
	ck_assert_uint_eq(seen.count, 1);
	ck_ok(registry_count(r, &(struct registry_filter){ .with_destroyed = true }, &count, &err),
		err);
	ck_assert_uint_eq(count, 3);
	ck_ok(registry_count(r, &(struct registry_filter){ 0 }, &count, &err), err);
	ck_assert_uint_eq(count, 2);
	/* two records of one sequence: the caller's history is wrong */
	row.record = id_of(77);
	ck_ok(registry_begin(r, &err), err);
	ck_fails(registry_put(r, &row, &err), err, ERR_CORRUPT);
	registry_rollback(r);
}
END_TEST

START_TEST(rolled_back_and_uncommitted_rows_are_not_there)
{
	const char *path = new_path();
	_cleanup_(registry_freep) struct registry *r = filled(path, 2),
						  *reader = open_at(path, false);
	struct registry_mark mark = { .volume = 1, .actions = 2 }, *marks = NULL;
	struct err err = ERR_INIT;
	uint64_t last;
	size_t count;

	ck_ok(registry_begin(r, &err), err);
	put(r, 3);
	ck_ok(registry_set_mark(r, &mark, &err), err);
	ck_ok(registry_last_sequence(reader, &last, &err), err);
	ck_assert_uint_eq(last, 2);
	registry_rollback(r);
	registry_rollback(r);
	ck_ok(registry_last_sequence(r, &last, &err), err);
	ck_assert_uint_eq(last, 2);
	ck_ok(registry_marks(r, &marks, &count, &err), err);
	ck_assert_uint_eq(count, 0);
	free(marks);

	ck_ok(registry_begin(r, &err), err);
	put(r, 3);
	registry_freep(&r);
	r = open_at(path, true);
	ck_ok(registry_last_sequence(r, &last, &err), err);
	ck_assert_uint_eq(last, 2);
}
END_TEST

START_TEST(marks_go_with_the_rows)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 1);
	struct registry_mark mark = { .volume = 2, .actions = 7 }, *marks = NULL;
	struct err err = ERR_INIT;
	size_t count;

	memset(mark.commit.b, 0xab, OID_BYTES);
	ck_ok(registry_begin(r, &err), err);
	ck_ok(registry_set_mark(r, &mark, &err), err);
	mark.volume = 1;
	ck_ok(registry_set_mark(r, &mark, &err), err);
	mark.actions = 8;
	ck_ok(registry_set_mark(r, &mark, &err), err);
	ck_ok(registry_commit(r, &err), err);
	ck_ok(registry_marks(r, &marks, &count, &err), err);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(marks[0].volume, 1);
	ck_assert_uint_eq(marks[0].actions, 8);
	ck_assert_uint_eq(marks[1].actions, 7);
	ck_assert(oid_equal(&marks[1].commit, &mark.commit));
	free(marks);
}
END_TEST

START_TEST(lookups_find_and_are_replaced)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 5);
	struct registry_lookup a = { 1, "aaaaaaaaaaaaaaa" }, b = { 2, "aaaaaaaaaaaaaaa" },
			       both[] = { a, b, a };
	struct id one = id_of(1), four = id_of(4), none = id_of(99);
	struct seen seen = { .count = 0 };
	struct err err = ERR_INIT;

	ck_ok(registry_begin(r, &err), err);
	ck_ok(registry_set_lookups(r, &four, both, 3, &err), err);
	ck_ok(registry_set_lookups(r, &one, both, 2, &err), err);
	ck_fails(registry_set_lookups(r, &none, both, 2, &err), err, ERR_NOTFOUND);
	ck_ok(registry_commit(r, &err), err);
	ck_ok(registry_by_lookup(r, &a, see, &seen, &err), err);
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_uint_eq(seen.n[0], 1);
	ck_assert_uint_eq(seen.n[1], 4);

	ck_ok(registry_begin(r, &err), err);
	ck_ok(registry_set_lookups(r, &one, &b, 1, &err), err);
	ck_ok(registry_remove(r, &four, &err), err);
	ck_ok(registry_remove(r, &four, &err), err);
	ck_ok(registry_commit(r, &err), err);
	seen.count = 0;
	ck_ok(registry_by_lookup(r, &a, see, &seen, &err), err);
	ck_assert_uint_eq(seen.count, 0);
	ck_ok(registry_by_lookup(r, &b, see, &seen, &err), err);
	ck_assert_uint_eq(seen.count, 1);
}
END_TEST

START_TEST(lists_in_every_order_join_without_gap)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 200);
	const struct registry_filter filters[] = {
		{ .with_destroyed = true },
		{ .series = STR("订单") },
		{ .department = STR("运营部"), .day_from = 20010, .day_to = 20030 },
		{ .state = STR("draft"),
			.series = STR("程序文件"),
			.type = STR("pdf"),
			.with_destroyed = true },
		{ .series = STR("nothing") },
		{ .not_series = { STR("订单"), STR("nothing") }, .with_destroyed = true },
		{ .not_series = { STR("订单"), STR("程序文件") } },
	};
	static const size_t expected[] = { 200, 80, 25, 20, 0, 100, 0 };
	struct err err = ERR_INIT;
	uint64_t count;

	for (size_t f = 0; f < ARRAY_LEN(filters); f++) {
		for (int order = 0; order < REGISTRY_ORDER_COUNT; order++) {
			struct seen all = { .count = 0 }, pages = { .count = 0 };
			size_t before;

			ck_ok(registry_list(r, &filters[f], order, NULL, 500, see, &all, &err),
				err);
			do {
				before = pages.count;
				struct registry_key key = pages.last;
				char number[32];
				(void)snprintf(number, sizeof(number), "%s", pages.number);
				key.number = str_of(number);
				ck_ok(registry_list(r, &filters[f], order, before ? &key : NULL, 7,
					      see, &pages, &err),
					err);
			} while (pages.count > before);
			ck_assert_uint_eq(all.count, pages.count);
			ck_assert_mem_eq(all.n, pages.n, all.count * sizeof(all.n[0]));
			ck_ok(registry_count(r, &filters[f], &count, &err), err);
			ck_assert_uint_eq(all.count, expected[f]);
		}
	}
}
END_TEST

START_TEST(orders_are_what_they_say)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 9);
	static const unsigned expected[REGISTRY_ORDER_COUNT][4] = {
		[REGISTRY_NEWEST_FIRST] = { 9, 8, 7, 6 },
		[REGISTRY_OLDEST_FIRST] = { 1, 2, 3, 4 },
		[REGISTRY_BY_NUMBER] = { 9, 8, 7, 6 },
		[REGISTRY_BY_SEQUENCE] = { 1, 2, 3, 4 },
		[REGISTRY_BY_SEQUENCE_DOWN] = { 9, 8, 7, 6 },
	};
	struct registry_filter filter = { .with_destroyed = true };
	struct err err = ERR_INIT;

	for (int order = 0; order < REGISTRY_ORDER_COUNT; order++) {
		struct seen seen = { .count = 0 };

		ck_ok(registry_list(r, &filter, order, NULL, 4, see, &seen, &err), err);
		ck_assert_mem_eq(seen.n, expected[order], sizeof(expected[order]));
	}
}
END_TEST

static int tally(void *context, struct str value, uint64_t count, struct err *err)
{
	(void)err;
	buf_addf(context, "%.*s %llu, ", STR_ARG(value), (unsigned long long)count);
	return 0;
}

START_TEST(tallies)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 20);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct registry_filter filter = { .series = STR("订单") };
	struct err err = ERR_INIT;

	ck_ok(registry_tally(r, &filter, REGISTRY_STATE, tally, &b, &err), err);
	ck_assert_str_eq(b.p, "draft 2, effective 6, ");
	buf_reset(&b);
	filter.series.p = NULL;
	ck_ok(registry_tally(r, &filter, REGISTRY_SERIES, tally, &b, &err), err);
	ck_assert_str_eq(b.p, "程序文件 10, 订单 8, ");
}
END_TEST

START_TEST(limits_have_two_sides)
{
	_cleanup_(registry_freep) struct registry *r = filled(new_path(), 1);
	struct registry_filter filter = { 0 };
	struct registry_row row = { .record = id_of(5), .sequence = 5 };
	struct seen seen = { .count = 0 };
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	while (b.n <= REGISTRY_SEALED_MAX)
		buf_addc(&b, 'x');
	ck_ok(registry_begin(r, &err), err);
	row.sealed = (struct str){ b.p, REGISTRY_SEALED_MAX };
	row.number = (struct str){ b.p, 1024 };
	ck_ok(registry_put(r, &row, &err), err);
	row.sealed.n++;
	ck_fails(registry_put(r, &row, &err), err, ERR_LIMIT);
	row.sealed.n = 0;
	row.number.n++;
	ck_fails(registry_put(r, &row, &err), err, ERR_LIMIT);
	row.number.n = 0;
	row.sequence = (uint64_t)INT64_MAX + 1;
	ck_fails(registry_put(r, &row, &err), err, ERR_LIMIT);
	ck_ok(registry_commit(r, &err), err);
	ck_ok(registry_list(r, &filter, 0, NULL, REGISTRY_LIST_MAX, see, &seen, &err), err);
	ck_fails(registry_list(r, &filter, 0, NULL, REGISTRY_LIST_MAX + 1, see, &seen, &err), err,
		ERR_LIMIT);
	buf_done(&b);
}
END_TEST

START_TEST(removed_rows_leave_no_bytes)
{
	const char *path = new_path();
	_cleanup_(registry_freep) struct registry *r = filled(path, 50);
	_cleanup_(buf_done) struct buf file = BUF_INIT;
	struct id id = id_of(7);
	struct err err = ERR_INIT;
	char wal[4200];

	ck_ok(registry_checkpoint(r, &err), err);
	ck_ok(file_read_whole(AT_FDCWD, path, &file, &err), err);
	ck_assert_ptr_nonnull(memmem(file.p, file.n, "QMS-493", 7));
	ck_ok(registry_begin(r, &err), err);
	ck_ok(registry_remove(r, &id, &err), err);
	ck_ok(registry_commit(r, &err), err);
	ck_ok(registry_checkpoint(r, &err), err);
	buf_reset(&file);
	ck_ok(file_read_whole(AT_FDCWD, path, &file, &err), err);
	ck_assert_ptr_null(memmem(file.p, file.n, "QMS-493", 7));
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	buf_reset(&file);
	ck_ok(file_read_whole(AT_FDCWD, wal, &file, &err), err);
	ck_assert_uint_eq(file.n, 0);
}
END_TEST

START_TEST(other_files_are_refused)
{
	const char *path = new_path();
	struct registry *r = NULL;
	struct err err = ERR_INIT;
	sqlite3 *db;

	ck_assert_int_lt(registry_open(path, false, &r, &err), 0);
	r = filled(path, 1);
	registry_free(r);
	r = NULL;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(db, "UPDATE about SET value = 2", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	ck_fails(registry_open(path, true, &r, &err), err, ERR_UNSUPPORTED);

	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 100; i++)
		(void)fprintf(f, "this is not a database, nor will it ever be one\n");
	ck_assert_int_eq(fclose(f), 0);
	ck_fails(registry_open(path, true, &r, &err), err, ERR_CORRUPT);
	ck_assert_ptr_null(r);
}
END_TEST

TESTS("search/registry", rows_come_back_as_they_went_in, putting_again_replaces,
	rolled_back_and_uncommitted_rows_are_not_there, marks_go_with_the_rows,
	lookups_find_and_are_replaced, lists_in_every_order_join_without_gap,
	orders_are_what_they_say, tallies, limits_have_two_sides, removed_rows_leave_no_bytes,
	other_files_are_refused)
