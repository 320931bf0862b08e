#include "tests/harness.h"

#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct breaker {
	int count, fail_at, with;
};

static int break_one(void *context, const struct file_event *event)
{
	struct breaker *b = context;

	(void)event;
	return b->count++ == b->fail_at ? b->with : 0;
}

/* Whatever step of a replace fails, the old or the new content stands there, whole. */
START_TEST(replace_is_all_or_nothing)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	bool done = false;
	int fail_at;

	ck_ok(dir, err);
	ck_ok(file_replace(dir, "x", "old", 3, &err), err);
	for (fail_at = 0; !done; fail_at++) {
		struct breaker breaker = { 0, fail_at, ENOSPC };
		struct file_hook hook = { break_one, &breaker };
		struct buf b = BUF_INIT_MAX(100);
		int r;

		file_set_hook(&hook);
		r = file_replace(dir, "x", "fresh", 5, &err);
		file_set_hook(NULL);
		done = r == 0;
		if (!done)
			ck_fails(r, err, ERR_FULL);
		ck_ok(file_read_whole(dir, "x", &b, &err), err);
		ck_assert(str_is(buf_str(&b), "old") ||
			  (fail_at >= 5 && str_is(buf_str(&b), "fresh")));
		if (done)
			ck_assert_str_eq(b.p, "fresh");
		buf_done(&b);
	}
	ck_assert_int_eq(fail_at,
		7); /* unlink, create, write, sync, rename, sync of the folder; then success */
}
END_TEST

START_TEST(folders_are_made_where_they_are_missing)
{
	static const char *const names[] = { "one", "two", "three" };
	static const char *const bad[] = { "four", "missing/five", "six" };
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);

	ck_ok(dir, err);
	ck_ok(file_make_dirs(dir, names, 2, &err), err);
	ck_ok(file_make_dirs(dir, names, 3, &err), err);
	for (size_t i = 0; i < 3; i++)
		ck_assert(file_exists(dir, names[i]));
	ck_fails(file_make_dirs(dir, bad, 3, &err), err, ERR_NOTFOUND);
	ck_assert(!file_exists(dir, "six"));
}
END_TEST

START_TEST(the_folder_of_a_path)
{
	static const struct {
		const char *path, *name;
	} cases[] = { { "x", "x" }, { "./x", "x" }, { "/x", "x" }, { "/usr/x", "x" } };
	struct err err = ERR_INIT;
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(closep) int dir = file_open_parent(cases[i].path, &name, &err);

		ck_ok(dir, err);
		ck_assert_str_eq(name, cases[i].name);
		ck_ok(file_sync_dir(dir, &err), err);
	}
	ck_fails(file_open_parent("/nowhere/x", &name, &err), err, ERR_NOTFOUND);
}
END_TEST

START_TEST(reading_has_a_ceiling)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	struct buf b = BUF_INIT_MAX(4);

	ck_ok(file_replace(dir, "x", "12345", 5, &err), err);
	ck_fails(file_read_whole(dir, "x", &b, &err), err, ERR_LIMIT);
	ck_ok(file_replace(dir, "x", "1234", 4, &err), err);
	buf_reset(&b);
	ck_ok(file_read_whole(dir, "x", &b, &err), err);
	buf_done(&b);
	ck_fails(file_read_whole(dir, "y", &b, &err), err, ERR_NOTFOUND);
}
END_TEST

START_TEST(links_are_not_followed)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);

	ck_assert_int_eq(symlinkat("/etc/passwd", dir, "link"), 0);
	ck_assert_int_lt(file_open_read(dir, "link", &err), 0);
	ck_ok(file_remove_tree(dir, "link", &err), err);
	ck_assert(file_exists(AT_FDCWD, "/etc/passwd"));
}
END_TEST

START_TEST(a_listing_is_sorted)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	_cleanup_(freep) char **names = NULL;
	size_t count;

	ck_ok(file_list(dir, &names, &count, &err), err);
	ck_assert_uint_eq(count, 0);
	freep(&names);
	names = NULL;
	ck_ok(file_replace(dir, "b", "", 0, &err), err);
	ck_ok(file_replace(dir, ".c", "", 0, &err), err);
	ck_ok(file_replace(dir, "a", "", 0, &err), err);
	ck_ok(file_list(dir, &names, &count, &err), err);
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(names[0], ".c");
	ck_assert_str_eq(names[1], "a");
	ck_assert_str_eq(names[2], "b");
}
END_TEST

/* Whatever alignment, and whether the file system knows direct writes or not. */
START_TEST(direct_descriptors_take_any_write)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	_Alignas(FILE_DIRECT_ALIGN) uint8_t block[2 * FILE_DIRECT_ALIGN];
	uint8_t back[sizeof(block)], zeros[1000] = { 0 };
	_cleanup_(closep) int fd = -1;

	ck_ok(dir, err);
	memset(block, 'x', sizeof(block));
	fd = file_create(dir, "direct", &err);
	ck_ok(fd, err);
	file_go_direct(fd);
	ck_ok(file_pwrite(fd, block, sizeof(block), 0, &err), err);
	ck_ok(file_pwrite(fd, block + 1, 3, sizeof(block), &err), err);
	file_go_direct(fd);
	ck_ok(file_pwrite_zeros(fd, sizeof(zeros), FILE_DIRECT_ALIGN, &err), err);
	file_go_direct(fd);
	ck_ok(file_pread(fd, back + 1, 3, sizeof(block), &err), err);
	ck_assert_mem_eq(back + 1, "xxx", 3);
	file_go_direct(fd);
	ck_ok(file_pread(fd, back, sizeof(back), 0, &err), err);
	memset(block + FILE_DIRECT_ALIGN, 0, sizeof(zeros));
	ck_assert_mem_eq(back, block, sizeof(block));
}
END_TEST

TESTS("core/base/file", direct_descriptors_take_any_write, folders_are_made_where_they_are_missing,
	a_listing_is_sorted, replace_is_all_or_nothing, reading_has_a_ceiling,
	links_are_not_followed, the_folder_of_a_path)
