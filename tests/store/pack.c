#include "tests/harness.h"
#include "tests/program.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "store/pack_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <unistd.h>

/* A bare repository made by stock git; `dir` is its objects/pack. */
struct repo {
	char path[128];
	int dir;
};

static struct repo repo_new(void)
{
	struct err err = ERR_INIT;
	struct repo repo;
	char pack[160];

	(void)snprintf(repo.path, sizeof(repo.path), "%s/x.git", harness_dir());
	ck_assert_int_eq(run(NULL, NULL, "git", "init", "-q", "--bare", repo.path), 0);
	(void)snprintf(pack, sizeof(pack), "%s/objects/pack", repo.path);
	repo.dir = file_open_dir(AT_FDCWD, pack, &err);
	ck_ok(repo.dir, err);
	return repo;
}

static void repo_done(struct repo *repo)
{
	closep(&repo->dir);
}

/* Content that is the same for the same seed. */
static void fill(struct buf *b, size_t n, uint32_t seed)
{
	uint8_t key[randombytes_SEEDBYTES] = { 0 };

	buf_reset(b);
	put_be32(key, seed);
	if (n)
		randombytes_buf_deterministic(buf_extend(b, n), n, key);
}

static struct oid blob(const struct buf *b)
{
	struct oid oid;

	object_name(OBJECT_BLOB, b->p, b->n, &oid);
	return oid;
}

static struct oid add(struct pack_writer *w, size_t n, uint32_t seed)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct oid oid;

	fill(&b, n, seed);
	oid = blob(&b);
	ck_ok(pack_add(w, OBJECT_BLOB, &oid, b.p, b.n, NULL, &err), err);
	buf_done(&b);
	return oid;
}

/* A pack of `count` blobs with the seeds from `first` on, of 100 bytes each. */
static struct oid small_pack(int dir, uint32_t first, uint32_t count)
{
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct err err = ERR_INIT;
	struct oid name;

	ck_ok(pack_begin(dir, &w, &err), err);
	for (uint32_t i = 0; i < count; i++)
		add(w, 100, first + i);
	ck_ok(pack_finish(w, &name, &err), err);
	return name;
}

static size_t count_packs(int dir)
{
	struct err err = ERR_INIT;
	struct oid *names;
	size_t count;

	ck_ok(pack_list(dir, &names, &count, &err), err);
	free(names);
	return count;
}

static size_t count_files(int dir)
{
	struct err err = ERR_INIT;
	char **names;
	size_t count;

	ck_ok(file_list(dir, &names, &count, &err), err);
	free(names);
	return count;
}

static void ck_git_has(const struct repo *repo, const struct oid *oid, struct str content)
{
	struct buf out = BUF_INIT;
	char hex[OID_TEXT];

	hex_encode(oid->b, OID_BYTES, hex);
	ck_assert_int_eq(run(repo->path, &out, "git", "cat-file", "blob", hex), 0);
	ck_assert(str_eq(buf_str(&out), content));
	buf_done(&out);
}

static void ck_git_verifies(const struct repo *repo, const struct oid *name, size_t count)
{
	char index[PACK_NAME_MAX], pack[160], line[64];
	struct buf out = BUF_INIT;

	(void)snprintf(pack, sizeof(pack), "objects/pack/%s", pack_file_name(name, "idx", index));
	ck_assert_msg(run(repo->path, &out, "git", "verify-pack", "-v", pack) == 0, "%s", out.p);
	(void)snprintf(line, sizeof(line), "non delta: %zu object", count);
	ck_assert_msg(strstr(out.p, line) != NULL, "%s", out.p);
	buf_reset(&out);
	ck_assert_msg(run(repo->path, &out, "git", "fsck", "--strict", "--full") == 0, "%s", out.p);
	buf_done(&out);
}

/* Both sides of each limit of the framing: blocks of 65535, header bits 4, 11, 18, 25, the write
 * buffer of 1 MiB. */
static const size_t sizes[] = { 0, 1, 15, 16, 2047, 2048, 65534, 65535, 65536, 131070, 131071,
	262143, 262144, 1048576, 3000000, 33554432 };

START_TEST(stock_git_reads_every_size)
{
	struct repo repo = repo_new();
	struct err err = ERR_INIT;
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	_cleanup_(pack_closep) struct pack_reader *p = NULL;
	struct oid oids[ARRAY_LEN(sizes)], name;
	struct buf b = BUF_INIT, back = BUF_INIT;

	ck_ok(pack_begin(repo.dir, &w, &err), err);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		oids[i] = add(w, sizes[i], (uint32_t)i);
	ck_assert_uint_eq(pack_objects(w), ARRAY_LEN(sizes));
	ck_ok(pack_finish(w, &name, &err), err);
	ck_git_verifies(&repo, &name, ARRAY_LEN(sizes));
	ck_ok(pack_open(repo.dir, &name, &p, &err), err);
	ck_assert_uint_eq(pack_bytes(w) + PACK_TRAILER, pack_file_bytes(p));
	ck_ok(pack_check_sums(p, &err), err);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct pack_entry entry;

		fill(&b, sizes[i], (uint32_t)i);
		ck_git_has(&repo, &oids[i], buf_str(&b));
		ck_ok(pack_entry_at(p, i, &entry, &err), err);
		ck_assert(oid_equal(&entry.oid, &oids[i]));
		ck_assert_uint_eq(entry.bytes, sizes[i]);
		ck_assert_int_eq(entry.type, OBJECT_BLOB);
		buf_reset(&back);
		ck_ok(pack_entry_read(p, i, &back, &err), err);
		ck_assert(str_eq(buf_str(&b), buf_str(&back)));
	}
	buf_done(&b);
	buf_done(&back);
	repo_done(&repo);
}
END_TEST

START_TEST(an_object_stands_once)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct buf b = BUF_INIT;
	struct oid oid, name;
	bool is_new;

	ck_ok(pack_begin(dir, &w, &err), err);
	for (uint32_t i = 0; i < 5000; i++)
		add(w, 8, i);
	fill(&b, 8, 77);
	oid = blob(&b);
	ck_ok(pack_add(w, OBJECT_BLOB, &oid, b.p, b.n, &is_new, &err), err);
	ck_assert(!is_new);
	ck_fails(pack_add_begin(w, OBJECT_BLOB, &oid, b.n, &err), err, ERR_EXISTS);
	fill(&b, 8, 5000);
	oid = blob(&b);
	ck_ok(pack_add(w, OBJECT_BLOB, &oid, b.p, b.n, &is_new, &err), err);
	ck_assert(is_new);
	ck_assert_uint_eq(pack_objects(w), 5001);
	ck_ok(pack_finish(w, &name, &err), err);
	ck_fails(pack_add(w, OBJECT_BLOB, &oid, b.p, b.n, &is_new, &err), err, ERR_INVALID);
	buf_done(&b);
}
END_TEST

START_TEST(pieces_give_the_same_pack)
{
	struct repo repo = repo_new();
	struct err err = ERR_INIT;
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct buf b = BUF_INIT;
	struct oid oid, name;

	fill(&b, 200000, 1);
	oid = blob(&b);
	ck_ok(pack_begin(repo.dir, &w, &err), err);
	ck_ok(pack_add_begin(w, OBJECT_BLOB, &oid, b.n, &err), err);
	for (size_t at = 0, n; at < b.n; at += n) {
		n = 1 + at % 70001;
		if (n > b.n - at)
			n = b.n - at;
		ck_ok(pack_add_bytes(w, b.p + at, n, &err), err);
	}
	ck_ok(pack_add_end(w, &err), err);
	ck_ok(pack_finish(w, &name, &err), err);
	ck_git_verifies(&repo, &name, 1);
	ck_git_has(&repo, &oid, buf_str(&b));
	buf_done(&b);
	repo_done(&repo);
}
END_TEST

START_TEST(wrong_lengths_spoil_the_pack)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	struct pack_writer *w;
	struct oid oid = { { 1 } }, name;

	ck_ok(pack_begin(dir, &w, &err), err);
	ck_fails(pack_finish(w, &name, &err), err, ERR_INVALID);
	ck_ok(pack_add_begin(w, OBJECT_BLOB, &oid, 3, &err), err);
	ck_ok(pack_add_bytes(w, "ab", 2, &err), err);
	ck_fails(pack_add_end(w, &err), err, ERR_INVALID);
	ck_fails(pack_finish(w, &name, &err), err, ERR_INVALID);
	pack_free(w);
	ck_ok(pack_begin(dir, &w, &err), err);
	ck_ok(pack_add_begin(w, OBJECT_BLOB, &oid, 3, &err), err);
	ck_fails(pack_add_bytes(w, "abcd", 4, &err), err, ERR_INVALID);
	pack_free(w);
	ck_ok(pack_begin(dir, &w, &err), err);
	ck_ok(pack_add_begin(w, OBJECT_BLOB, &oid, 3, &err), err);
	ck_fails(pack_finish(w, &name, &err), err, ERR_INVALID);
	pack_free(w);
	ck_assert_uint_eq(count_files(dir), 0);
}
END_TEST

START_TEST(large_offsets_stand_in_their_table)
{
	struct repo repo = repo_new();
	struct err err = ERR_INIT;
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	_cleanup_(pack_closep) struct pack_reader *p = NULL;
	struct oid name, copy;
	struct buf b = BUF_INIT;

	ck_ok(pack_begin(repo.dir, &w, &err), err);
	pack_set_large_offset(w, 5000);
	for (uint32_t i = 0; i < 100; i++)
		add(w, 100, i);
	ck_ok(pack_finish(w, &name, &err), err);
	ck_git_verifies(&repo, &name, 100);
	ck_ok(pack_open(repo.dir, &name, &p, &err), err);
	for (uint32_t i = 0; i < 100; i++) {
		struct buf want = BUF_INIT;

		buf_reset(&b);
		fill(&want, 100, i);
		ck_ok(pack_entry_read(p, i, &b, &err), err);
		ck_assert(str_eq(buf_str(&b), buf_str(&want)));
		buf_done(&want);
	}
	small_pack(repo.dir, 200, 1);
	ck_ok(pack_merge(repo.dir, &name, 1, NULL, NULL, &copy, &err), err);
	ck_assert(oid_equal(
		&name, &copy)); /* the same objects: the same name, and it is still there */
	ck_assert_uint_eq(count_packs(repo.dir), 2);
	buf_done(&b);
	repo_done(&repo);
}
END_TEST

/* ---- failing steps ---- */

struct breaker {
	int count, fail_at, with;
};

static int break_one(void *context, const struct file_event *event)
{
	struct breaker *b = context;

	(void)event;
	return b->count++ == b->fail_at ? b->with : 0;
}

static int write_one(int dir, struct err *err)
{
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct buf b = BUF_INIT;
	struct oid oid, name;
	int r = pack_begin(dir, &w, err);

	for (uint32_t i = 0; r == 0 && i < 3; i++) {
		fill(&b, 1000000, i);
		oid = blob(&b);
		r = pack_add(w, OBJECT_BLOB, &oid, b.p, b.n, NULL, err);
	}
	if (r == 0)
		r = pack_finish(w, &name, err);
	buf_done(&b);
	return r;
}

/* Whatever step fails: no pack, nothing that looks like one, and a second try succeeds. */
START_TEST(every_failing_step_leaves_nothing)
{
	bool done = false;
	int steps = 0;

	for (int fail_at = 0; !done; fail_at++, steps++) {
		struct err err = ERR_INIT;
		_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
		struct breaker breaker = { 0, fail_at, fail_at % 2 ? ENOSPC : EIO };
		struct file_hook hook = { break_one, &breaker };
		int r;

		file_set_hook(&hook);
		r = write_one(dir, &err);
		file_set_hook(NULL);
		done = breaker.count <= fail_at;
		if (done) {
			ck_ok(r, err);
			break;
		}
		ck_fails(r, err, fail_at % 2 ? ERR_FULL : ERR_IO);
		ck_assert_uint_eq(count_packs(dir), 0);
		ck_ok(pack_sweep(dir, NULL, &err), err);
		ck_assert_uint_eq(count_files(dir), 0);
		ck_ok(write_one(dir, &err), err);
		ck_assert_uint_eq(count_packs(dir), 1);
	}
	ck_assert_int_gt(steps, 10);
}
END_TEST

/* ---- merging ---- */

struct victims {
	const struct oid *oids;
	size_t count;
};

static bool is_victim(void *context, const struct oid *oid)
{
	const struct victims *v = context;

	for (size_t i = 0; i < v->count; i++)
		if (oid_equal(&v->oids[i], oid))
			return true;
	return false;
}

/* True when the bytes stand anywhere in any file of the folder. */
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

START_TEST(a_merge_drops_what_it_must)
{
	struct repo repo = repo_new();
	struct err err = ERR_INIT;
	struct oid names[4], victim, merged;
	struct victims victims = { &victim, 1 };
	struct buf gone = BUF_INIT, kept = BUF_INIT;

	for (uint32_t i = 0; i < 4; i++)
		names[i] = small_pack(repo.dir, i * 40, 50); /* neighbours share ten objects */
	fill(&gone, 100, 45);				     /* stands in two packs */
	fill(&kept, 100, 46);
	victim = blob(&gone);
	ck_assert(folder_holds(repo.dir, buf_str(&gone)));
	ck_ok(pack_merge(repo.dir, names, 4, is_victim, &victims, &merged, &err), err);
	ck_assert_uint_eq(count_packs(repo.dir), 1);
	ck_assert_uint_eq(count_files(repo.dir), 2);
	ck_git_verifies(&repo, &merged, 169);
	ck_assert(!folder_holds(repo.dir, buf_str(&gone)));
	ck_assert(!folder_holds(repo.dir, (struct str){ (char *)victim.b, OID_BYTES }));
	ck_assert(folder_holds(repo.dir, buf_str(&kept)));
	buf_done(&gone);
	buf_done(&kept);
	repo_done(&repo);
}
END_TEST

START_TEST(a_merge_of_nothing_leaves_nothing)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	struct oid name = small_pack(dir, 1, 1), victim, merged = { { 1 } };
	struct victims victims = { &victim, 1 };
	struct buf b = BUF_INIT;

	fill(&b, 100, 1);
	victim = blob(&b);
	ck_ok(pack_merge(dir, &name, 1, is_victim, &victims, &merged, &err), err);
	ck_assert(oid_is_zero(&merged));
	ck_assert_uint_eq(count_files(dir), 0);
	buf_done(&b);
}
END_TEST

static bool dir_has(int dir, const struct oid *oid)
{
	struct err err = ERR_INIT;
	_cleanup_(freep) struct oid *names = NULL;
	bool found = false;
	size_t count;

	ck_ok(pack_list(dir, &names, &count, &err), err);
	for (size_t i = 0; i < count; i++) {
		_cleanup_(pack_closep) struct pack_reader *p = NULL;
		struct pack_entry entry;

		ck_ok(pack_open(dir, &names[i], &p, &err), err);
		ck_ok(pack_check_sums(p, &err), err);
		for (size_t k = 0; k < pack_count(p); k++) {
			ck_ok(pack_entry_at(p, k, &entry, &err), err);
			found = found || oid_equal(&entry.oid, oid);
		}
	}
	return found;
}

/* Whatever step of a merge fails, every object that stays can be read, and doing it again finishes
 * it. */
START_TEST(a_failing_merge_loses_nothing)
{
	bool done = false;

	for (int fail_at = 0; !done; fail_at++) {
		struct err err = ERR_INIT;
		_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
		struct breaker breaker = { 0, fail_at, EIO };
		struct file_hook hook = { break_one, &breaker };
		_cleanup_(freep) struct oid *names = NULL;
		struct oid victim, merged, all[3];
		struct victims victims = { &victim, 1 };
		struct buf b = BUF_INIT;
		size_t count;
		int r;

		for (uint32_t i = 0; i < 3; i++)
			all[i] = small_pack(dir, i * 10, 10);
		fill(&b, 100, 15);
		victim = blob(&b);
		file_set_hook(&hook);
		r = pack_merge(dir, all, 3, is_victim, &victims, &merged, &err);
		file_set_hook(NULL);
		done = breaker.count <= fail_at;
		ck_assert(done == (r == 0));
		ck_ok(pack_sweep(dir, NULL, &err), err);
		for (uint32_t i = 0; i < 30; i++) {
			struct oid oid;

			fill(&b, 100, i);
			oid = blob(&b);
			ck_assert_msg(i == 15 || dir_has(dir, &oid), "step %d lost object %u",
				fail_at, i);
		}
		ck_ok(pack_list(dir, &names, &count, &err), err);
		ck_ok(pack_merge(dir, names, count, is_victim, &victims, &merged, &err), err);
		ck_assert_uint_eq(count_files(dir), 2);
		ck_assert(!dir_has(dir, &victim));
		buf_done(&b);
	}
}
END_TEST

START_TEST(a_move_can_be_done_again)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int from = file_open_dir(AT_FDCWD, harness_dir(), &err);
	_cleanup_(closep) int to = file_open_dir(AT_FDCWD, harness_dir(), &err);
	struct oid name = small_pack(from, 1, 3), other = { { 9 } };
	char file[PACK_NAME_MAX];

	pack_file_name(&name, "pack", file);
	ck_ok(file_rename(from, file, to, file, &err),
		err); /* a crash came between the two files */
	ck_ok(pack_move(from, to, &name, &err), err);
	ck_ok(pack_move(from, to, &name, &err), err);
	ck_assert_uint_eq(count_files(from), 0);
	ck_assert_uint_eq(count_packs(to), 1);
	ck_fails(pack_move(from, to, &other, &err), err, ERR_NOTFOUND);
	ck_ok(pack_remove(to, &name, &err), err);
	ck_ok(pack_remove(to, &name, &err), err);
	ck_assert_uint_eq(count_files(to), 0);
}
END_TEST

/* Whatever step of a move fails, the pack is whole in one of the folders, or on its way, and a second try
 * brings it there. */
START_TEST(a_failing_move_can_be_done_again)
{
	bool done = false;

	for (int fail_at = 0; !done; fail_at++) {
		struct err err = ERR_INIT;
		_cleanup_(closep) int from = file_open_dir(AT_FDCWD, harness_dir(), &err);
		_cleanup_(closep) int to = file_open_dir(AT_FDCWD, harness_dir(), &err);
		struct breaker breaker = { 0, fail_at, EIO };
		struct file_hook hook = { break_one, &breaker };
		struct oid name = small_pack(from, 1, 3);

		file_set_hook(&hook);
		done = pack_move(from, to, &name, &err) == 0;
		file_set_hook(NULL);
		ck_assert_uint_eq(count_files(from) + count_files(to), 2);
		ck_ok(pack_move(from, to, &name, &err), err);
		ck_assert_uint_eq(count_packs(to), 1);
	}
}
END_TEST

/* ---- damage ---- */

/* One flipped bit anywhere in pack or index is found, by opening or by the checksums. */
START_TEST(every_flipped_byte_is_found)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	struct oid name = small_pack(dir, 1, 2);
	static const char *const kinds[] = { "pack", "idx" };

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		char file[PACK_NAME_MAX];
		_cleanup_(closep) int fd =
			file_open_write(dir, pack_file_name(&name, kinds[k], file), &err);
		uint64_t bytes;

		ck_ok(file_size(fd, &bytes, &err), err);
		for (uint64_t at = 0; at < bytes; at++) {
			_cleanup_(pack_closep) struct pack_reader *p = NULL;
			uint8_t byte, flipped;
			int r;

			ck_ok(file_pread(fd, &byte, 1, at, &err), err);
			flipped = byte ^ (uint8_t)(1 << at % 8);
			ck_ok(file_pwrite(fd, &flipped, 1, at, &err), err);
			r = pack_open(dir, &name, &p, &err);
			if (r == 0)
				r = pack_check_sums(p, &err);
			ck_fails(r, err, ERR_CORRUPT);
			ck_ok(file_pwrite(fd, &byte, 1, at, &err), err);
		}
	}
}
END_TEST

/* A merge does not carry damaged bytes into a pack with sound checksums. */
START_TEST(a_merge_refuses_damage)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	struct oid name = small_pack(dir, 1, 5), merged;
	char file[PACK_NAME_MAX];
	_cleanup_(closep) int fd = file_open_write(dir, pack_file_name(&name, "pack", file), &err);

	ck_ok(file_pwrite(fd, "X", 1, 60, &err), err);
	ck_fails(pack_merge(dir, &name, 1, NULL, NULL, &merged, &err), err, ERR_CORRUPT);
	ck_assert_uint_eq(count_files(dir), 2);
}
END_TEST

/* What stock git writes: deflated entries are read and merged. */
START_TEST(deflated_entries_are_read)
{
	struct repo repo = repo_new();
	struct err err = ERR_INIT;
	_cleanup_(freep) struct oid *names = NULL;
	_cleanup_(pack_closep) struct pack_reader *p = NULL;
	struct oid merged;
	struct buf out = BUF_INIT;
	size_t count;

	ck_assert_int_eq(
		run(repo.path, &out, "sh", "-c",
			"for i in 1 2 3 4; do seq $i 3000 | git hash-object -w --stdin; done |"
			" git -c pack.window=0 -c pack.compression=9 pack-objects "
			"objects/pack/pack"),
		0);
	ck_ok(pack_list(repo.dir, &names, &count, &err), err);
	ck_assert_uint_eq(count, 1);
	ck_ok(pack_open(repo.dir, &names[0], &p, &err), err);
	for (size_t i = 0; i < 4; i++) {
		struct pack_entry entry;
		struct oid oid;

		buf_reset(&out);
		ck_ok(pack_entry_at(p, i, &entry, &err), err);
		ck_ok(pack_entry_read(p, i, &out, &err), err);
		oid = blob(&out);
		ck_assert(oid_equal(&oid, &entry.oid));
	}
	ck_ok(pack_merge(repo.dir, names, 1, NULL, NULL, &merged, &err), err);
	ck_git_verifies(&repo, &merged, 4);
	buf_done(&out);
	repo_done(&repo);
}
END_TEST

START_TEST(deltas_are_refused)
{
	struct repo repo = repo_new();
	struct err err = ERR_INIT;
	_cleanup_(freep) struct oid *names = NULL;
	struct oid merged;
	size_t count;

	ck_assert_int_eq(
		run(repo.path, NULL, "sh", "-c",
			"for i in 1 2 3 4; do seq $i 3000 | git hash-object -w --stdin; done |"
			" git pack-objects --window=10 objects/pack/pack"),
		0);
	ck_ok(pack_list(repo.dir, &names, &count, &err), err);
	ck_assert_uint_eq(count, 1);
	ck_fails(pack_merge(repo.dir, names, 1, NULL, NULL, &merged, &err), err, ERR_UNSUPPORTED);
	ck_assert_uint_eq(count_packs(repo.dir), 1);
	repo_done(&repo);
}
END_TEST

TESTS("store/pack", stock_git_reads_every_size, an_object_stands_once, pieces_give_the_same_pack,
	wrong_lengths_spoil_the_pack, large_offsets_stand_in_their_table,
	every_failing_step_leaves_nothing, a_merge_drops_what_it_must,
	a_merge_of_nothing_leaves_nothing, a_failing_merge_loses_nothing, a_move_can_be_done_again,
	a_failing_move_can_be_done_again, every_flipped_byte_is_found, a_merge_refuses_damage,
	deflated_entries_are_read, deltas_are_refused)
