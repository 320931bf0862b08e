/* Parts in pieces: whatever is cut off where, what arrived whole is there, nothing stands on disk in clear, and only a
 * finished upload becomes a part. */
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include "core/archive/upload.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = UPLOAD_CHUNK, BYTES = 2 * CHUNK + 12345 };

static const char secret_words[] = "封口温度一百三十五度的机密";

/* Bytes that are different everywhere, with words that must not be found on disk. */
static char *content(void)
{
	char *p = xcalloc(1, BYTES);

	for (size_t i = 0; i < BYTES; i++)
		p[i] = (char)(i * 2654435761U >> 13);
	for (size_t i = 0; i + sizeof(secret_words) < BYTES; i += CHUNK / 2)
		memcpy(p + i, secret_words, sizeof(secret_words));
	return p;
}

static const char *hex_of(const char *p, size_t n)
{
	static char text[65];
	uint8_t digest[32];

	sha256(p, n, digest);
	return hex_encode(digest, sizeof(digest), text);
}

static int64_t append(struct desk *d, const char *id, const char *p, size_t from, size_t to)
{
	int fd = bytes_fd(p + from, to - from);
	struct json *reply =
		say_with(d, &fd, 1, "upload.append", "{'upload':'%s','offset':%zu}", id, from);
	int64_t offset = int_at(reply, "offset");

	json_free(reply);
	return offset;
}

static const char *begin(struct desk *d, size_t bytes)
{
	_cleanup_(json_freep) struct json *reply =
		say(d, "upload.begin", "{'name':'扫描 件.bin','size':%zu}", bytes);

	ck_assert_int_eq(int_at(reply, "offset"), 0);
	ck_assert_int_eq(int_at(reply, "chunk_bytes"), CHUNK);
	ck_assert(!bool_at(reply, "finished"));
	return text_at(reply, "upload");
}

static int64_t offset_of(struct desk *d, const char *id)
{
	_cleanup_(json_freep) struct json *reply = say(d, "upload.show", "{'upload':'%s'}", id);

	return int_at(reply, "offset");
}

static void finish(struct desk *d, const char *id, const char *p, size_t n)
{
	json_free(say(d, "upload.finish", "{'upload':'%s','sha256':'%s'}", id, hex_of(p, n)));
}

static const char *file_it(struct desk *d, const char *id)
{
	_cleanup_(json_freep) struct json *reply = say(d, "file",
		"{'series':'GEN','department':'质量管理部','title':'分块','date':'2026-10-13',"
		"'parts':[{'upload':'%s'}]}",
		id);

	return text_at(reply, "number");
}

static void check_part(struct desk *d, const char *number, const char *p, size_t n)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT;

	get_part(d, number, "扫描 件.bin", &bytes);
	ck_assert_uint_eq(bytes.n, n);
	ck_assert(memcmp(bytes.p, p, n) == 0);
}

/* The one file in uploads/. */
static int open_stored(const char *path, char name[64])
{
	char folder[1024];
	char **names;
	size_t count;

	(void)snprintf(folder, sizeof(folder), "%s/uploads", path);
	_cleanup_(closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(file_list(dir, &names, &count, NULL), 0);
	ck_assert_uint_eq(count, 1);
	(void)snprintf(name, 64, "%s", names[0]);
	free(names);
	return openat(dir, name, O_RDWR | O_CLOEXEC);
}

START_TEST(a_part_in_pieces_is_one_part)
{
	const char *path = world_new(), *id, *number;
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	_cleanup_(freep) char *p = content();

	id = begin(d, BYTES);
	ck_assert_int_eq(append(d, id, p, 0, CHUNK), CHUNK);
	ck_assert(!stands_anywhere(path, secret_words));
	ck_assert(!stands_anywhere(path, "扫描 件.bin"));
	/* What is not a whole chunk did not arrive. */
	ck_assert_int_eq(append(d, id, p, CHUNK, CHUNK + 1000), CHUNK);
	say_fails(d, ERR_CONFLICT, NULL, NULL, 0, "upload.finish", "{'upload':'%s'}", id);
	say_fails(d, ERR_CONFLICT, NULL, NULL, 0, "file",
		"{'series':'GEN','department':'质量管理部','title':'x','date':'2026-10-13',"
		"'parts':[{'upload':'%s'}]}",
		id);
	ck_assert_int_eq(append(d, id, p, CHUNK, BYTES), BYTES);
	finish(d, id, p, BYTES);
	finish(d, id, p, BYTES);
	number = file_it(d, id);
	check_part(d, number, p, BYTES);
	/* It is used up. */
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "upload.show", "{'upload':'%s'}", id);
	ck_assert(!stands_anywhere(path, secret_words));
}
END_TEST

START_TEST(a_crash_costs_what_was_on_its_way)
{
	static const struct {
		int64_t cut;  /* bytes off the end of the file */
		int64_t flip; /* a byte changed there, or -1 */
		int64_t offset;
	} rows[] = { { 0, -1, 2 * CHUNK }, { 1, -1, CHUNK }, { 100, 5, 0 },
		{ 0, CHUNK + 5000, CHUNK } };
	_cleanup_(freep) char *p = content();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *path = world_new(), *copy, *id;
		struct desk *d = world_desk(path);
		uint64_t size;
		char name[64], c;
		int fd;

		id = begin(d, BYTES);
		ck_assert_int_eq(append(d, id, p, 0, 2 * CHUNK), 2 * CHUNK);
		copy = world_copy(path);
		desk_free(d);
		fd = open_stored(copy, name);
		ck_assert_int_eq(file_size(fd, &size, NULL), 0);
		ck_assert_int_eq(ftruncate(fd, (off_t)((int64_t)size - rows[i].cut)), 0);
		if (rows[i].flip >= 0) {
			ck_assert_int_eq(pread(fd, &c, 1, rows[i].flip), 1);
			c = (char)(c ^ 1);
			ck_assert_int_eq(pwrite(fd, &c, 1, rows[i].flip), 1);
		}
		(void)close(fd);
		d = world_desk(copy);
		ck_assert_int_eq(offset_of(d, id), rows[i].offset);
		ck_assert_int_eq(append(d, id, p, (size_t)rows[i].offset, BYTES), BYTES);
		finish(d, id, p, BYTES);
		desk_free(d);
		/* Finished stays finished. */
		d = world_desk(copy);
		ck_assert_int_eq(offset_of(d, id), BYTES);
		check_part(d, file_it(d, id), p, BYTES);
		desk_free(d);
	}
}
END_TEST

START_TEST(what_is_wrong_is_refused)
{
	const char *path = world_new(), *id;
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	_cleanup_(freep) char *p = content();
	struct json *detail = NULL;
	int fd;

	say_fails(d, ERR_LIMIT, NULL, NULL, 0, "upload.begin", "{'name':'a','size':2147483649}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "upload.begin", "{'name':'','size':1}");
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "upload.show",
		"{'upload':'00000000000000000000000000000000'}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "upload.show", "{'upload':'../../etc/passwd'}");
	id = begin(d, 10);
	fd = bytes_fd(p, 10);
	say_fails(d, ERR_CONFLICT, &detail, &fd, 1, "upload.append", "{'upload':'%s','offset':5}",
		id);
	ck_assert_int_eq(int_at(detail, "offset"), 0);
	json_free(detail);
	fd = bytes_fd(p, 11);
	say_fails(d, ERR_LIMIT, NULL, &fd, 1, "upload.append", "{'upload':'%s','offset':0}", id);
	ck_assert_int_eq(offset_of(d, id), 10);
	/* Another hash: it begins anew, and is right the second time. */
	say_fails(d, ERR_CORRUPT, NULL, NULL, 0, "upload.finish", "{'upload':'%s','sha256':'%s'}",
		id, hex_of(p, 9));
	ck_assert_int_eq(offset_of(d, id), 0);
	ck_assert_int_eq(append(d, id, p, 0, 10), 10);
	finish(d, id, p, 10);
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "file",
		"{'series':'GEN','department':'质量管理部','title':'x','date':'2026-10-13',"
		"'parts':[{'upload':'%s'},{'upload':'00000000000000000000000000000000'}]}",
		id);
	/* What failed used nothing up. */
	check_part(d, file_it(d, id), p, 10);
}
END_TEST

START_TEST(an_empty_file_and_whole_chunks)
{
	static const size_t sizes[] = { 0, 1, CHUNK, 2 * CHUNK };
	const char *path = world_new();
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	_cleanup_(freep) char *p = content();

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const char *id = begin(d, sizes[i]);

		if (sizes[i] > 0)
			ck_assert_int_eq(append(d, id, p, 0, sizes[i]), (int64_t)sizes[i]);
		finish(d, id, p, sizes[i]);
		check_part(d, file_it(d, id), p, sizes[i]);
	}
}
END_TEST

START_TEST(dropped_is_gone)
{
	const char *path = world_new(), *id;
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	_cleanup_(freep) char *p = content();
	char folder[1024];
	char **names;
	size_t count;

	id = begin(d, BYTES);
	ck_assert_int_eq(append(d, id, p, 0, CHUNK), CHUNK);
	json_free(say(d, "upload.drop", "{'upload':'%s'}", id));
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "upload.drop", "{'upload':'%s'}", id);
	(void)snprintf(folder, sizeof(folder), "%s/uploads", path);
	_cleanup_(closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(file_list(dir, &names, &count, NULL), 0);
	ck_assert_uint_eq(count, 0);
	free(names);
}
END_TEST

/* The file of one that ended goes when another begins, without a restart. */
START_TEST(ended_is_cleared_away)
{
	const char *path = world_new();
	_cleanup_(desk_freep) struct desk *d = NULL;
	_cleanup_(freep) char *p = content();
	char first[64], second[64];
	_cleanup_(closep) int one = -1;
	_cleanup_(closep) int two = -1;

	clock_set(1795312800);
	d = world_desk(path);
	ck_assert_int_eq(append(d, begin(d, BYTES), p, 0, CHUNK), CHUNK);
	one = open_stored(path, first);
	clock_set(1795312800 + UPLOAD_HOURS * 3600);
	(void)begin(d, BYTES);
	two = open_stored(path, second);
	ck_assert_str_ne(first, second);
	clock_set(-1);
}
END_TEST

/* Those that began while there was room do not fill the disk together. */
START_TEST(the_disk_is_not_filled)
{
	_cleanup_(desk_freep) struct desk *d = world_desk(world_new());
	_cleanup_(freep) char *p = content();
	const char *id = begin(d, BYTES);
	int fd;

	ck_assert_int_eq(append(d, id, p, 0, CHUNK), CHUNK);
	json_free(say(
		d, "config.set", "{'name':'uploads.keep_free_bytes','value':'1125899906842624'}"));
	fd = bytes_fd(p + CHUNK, CHUNK);
	say_fails(d, ERR_FULL, NULL, &fd, 1, "upload.append", "{'upload':'%s','offset':%d}", id,
		CHUNK);
	say_fails(d, ERR_FULL, NULL, NULL, 0, "upload.begin", "{'name':'a','size':1}");
	ck_assert_int_eq(offset_of(d, id), CHUNK);
	json_free(say(d, "config.set", "{'name':'uploads.keep_free_bytes','value':'0'}"));
	ck_assert_int_eq(append(d, id, p, CHUNK, 2 * CHUNK), 2 * CHUNK);
}
END_TEST

TESTS("core/archive/upload", ended_is_cleared_away, the_disk_is_not_filled,
	a_part_in_pieces_is_one_part, a_crash_costs_what_was_on_its_way, what_is_wrong_is_refused,
	an_empty_file_and_whole_chunks, dropped_is_gone)
