#include "store/volume.h"
#include "tests/harness.h"
#include "tests/program.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "store/pack_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with volume 1 in it. */
struct room {
	const char *path;
	char git[128];
	int dir;
	struct volume *v;
};

static struct room room_new(void)
{
	struct room room = { .path = harness_dir() };
	struct err err = ERR_INIT;

	room.dir = file_open_dir(AT_FDCWD, room.path, &err);
	ck_ok(room.dir, err);
	(void)snprintf(room.git, sizeof(room.git), "%s/0001.git", room.path);
	ck_ok(volume_create(room.dir, 1, &err), err);
	ck_ok(volume_open(room.dir, room.path, 1, &room.v, &err), err);
	return room;
}

static void room_done(struct room *room)
{
	volume_free(room->v);
	closep(&room->dir);
}

static struct oid add(struct pack_writer *w, enum object_type type, struct str content)
{
	struct err err = ERR_INIT;
	struct oid oid;

	object_name(type, content.p, content.n, &oid);
	ck_ok(pack_add(w, type, &oid, content.p, content.n, NULL, &err), err);
	return oid;
}

static void tree_add(struct buf *tree, const char *mode, const char *name, const struct oid *oid)
{
	buf_addf(tree, "%s %s", mode, name);
	buf_addc(tree, '\0');
	buf_add(tree, oid->b, sizeof(oid->b));
}

/* A commit "a/b/c" -> text, in a pack of its own. Returns its name, and the tree's. */
static struct oid write_commit(
	struct room *room, const char *text, const struct oid *parent, struct oid *ret_tree)
{
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	char digits[OID_TEXT];
	struct oid oid, name;

	ck_ok(pack_begin(volume_pack_dir(room->v), &w, &err), err);
	oid = add(w, OBJECT_BLOB, str_of(text));
	tree_add(&b, "100644", "c", &oid);
	oid = add(w, OBJECT_TREE, buf_str(&b));
	buf_reset(&b);
	tree_add(&b, "40000", "b", &oid);
	oid = add(w, OBJECT_TREE, buf_str(&b));
	buf_reset(&b);
	tree_add(&b, "40000", "a", &oid);
	oid = *ret_tree = add(w, OBJECT_TREE, buf_str(&b));
	buf_reset(&b);
	buf_addf(&b, "tree %s\n", hex_encode(oid.b, OID_BYTES, digits));
	if (parent)
		buf_addf(&b, "parent %s\n", hex_encode(parent->b, OID_BYTES, digits));
	buf_adds(&b,
		"author a <a@b> 1700000000 +0000\ncommitter a <a@b> 1700000000 +0000\n\nsubject\n");
	oid = add(w, OBJECT_COMMIT, buf_str(&b));
	ck_ok(pack_finish(w, &name, &err), err);
	buf_done(&b);
	return oid;
}

/* A blob in a pack of its own; returns both names. */
static struct oid write_blob(struct room *room, const char *text, struct oid *ret_pack)
{
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct err err = ERR_INIT;
	struct oid oid;

	ck_ok(pack_begin(volume_pack_dir(room->v), &w, &err), err);
	oid = add(w, OBJECT_BLOB, str_of(text));
	ck_ok(pack_finish(w, ret_pack, &err), err);
	return oid;
}

static void ck_git(const struct room *room, struct buf *out, const char *command)
{
	struct buf own = BUF_INIT, *to = out ? out : &own;

	buf_reset(to);
	ck_assert_msg(run(room->git, to, "sh", "-c", command) == 0, "%s: %s", command, to->p);
	buf_done(&own);
}

START_TEST(stock_git_takes_a_new_volume)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;

	ck_git(&room, &out, "git fsck --strict");
	ck_git(&room, &out, "git config core.compression");
	ck_assert_str_eq(out.p, "0\n");
	ck_git(&room, &out, "git rev-parse --is-bare-repository");
	ck_assert_str_eq(out.p, "true\n");
	ck_ok(volume_create(room.dir, 1, &err), err); /* again: nothing to complete */
	buf_done(&out);
	room_done(&room);
}
END_TEST

START_TEST(stock_git_reads_a_commit)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	struct oid tree, head = write_commit(&room, "hello\n", NULL, &tree), ref;
	char clone[160], command[400];

	ck_ok(volume_ref(room.v, "refs/heads/main", &ref, &err), err);
	ck_assert(oid_is_zero(&ref));
	ck_ok(volume_set_ref(room.v, "refs/heads/main", &head, &err), err);
	ck_ok(volume_set_ref(room.v, "refs/heads/content", &head, &err), err);
	ck_ok(volume_ref(room.v, "refs/heads/main", &ref, &err), err);
	ck_assert(oid_equal(&ref, &head));
	ck_git(&room, &out, "git fsck --strict --full");
	ck_git(&room, &out, "git show main:a/b/c");
	ck_assert_str_eq(out.p, "hello\n");
	(void)snprintf(clone, sizeof(clone), "%s/clone", room.path);
	(void)snprintf(command, sizeof(command), "git clone -q . %s && cat %s/a/b/c", clone, clone);
	ck_git(&room, &out, command);
	ck_assert_str_eq(out.p, "hello\n");
	ck_git(&room, &out, "git pack-refs --all && test ! -e refs/heads/main");
	ck_ok(volume_ref(room.v, "refs/heads/main", &ref, &err), err);
	ck_assert(oid_equal(&ref, &head));
	ck_ok(volume_ref(room.v, "refs/heads/other", &ref, &err), err);
	ck_assert(oid_is_zero(&ref));
	buf_done(&out);
	room_done(&room);
}
END_TEST

START_TEST(objects_are_read_and_found)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct oid tree, head = write_commit(&room, "hello\n", NULL, &tree), none = { { 1 } };
	struct tree_entry entry;
	struct buf b = BUF_INIT;
	enum object_type type;

	ck_ok(volume_read(room.v, &head, &type, &b, &err), err);
	ck_assert_int_eq(type, OBJECT_COMMIT);
	ck_fails(volume_read(room.v, &none, &type, &b, &err), err, ERR_NOTFOUND);
	ck_ok(volume_find(room.v, &tree, STR("a/b/c"), &entry, &err), err);
	ck_assert_uint_eq(entry.mode, 0100644);
	ck_assert(str_is(entry.name, "c"));
	buf_reset(&b);
	ck_ok(volume_read(room.v, &entry.oid, &type, &b, &err), err);
	ck_assert_int_eq(type, OBJECT_BLOB);
	ck_assert_str_eq(b.p, "hello\n");
	ck_ok(volume_find(room.v, &tree, STR("a"), &entry, &err), err);
	ck_assert_uint_eq(entry.mode, 040000);
	ck_fails(volume_find(room.v, &tree, STR("a/b/d"), &entry, &err), err, ERR_NOTFOUND);
	ck_fails(volume_find(room.v, &tree, STR("a/b/c/d"), &entry, &err), err, ERR_NOTFOUND);
	ck_fails(volume_find(room.v, &tree, STR(""), &entry, &err), err, ERR_NOTFOUND);
	ck_fails(volume_find(room.v, &head, STR("a"), &entry, &err), err, ERR_CORRUPT);
	buf_done(&b);
	room_done(&room);
}
END_TEST

/* The 64-bit offsets of a pack beyond 2 GiB, in a small one. */
START_TEST(large_offsets_are_read)
{
	struct room room = room_new();
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct err err = ERR_INIT;
	struct oid oids[3], name;
	struct buf b = BUF_INIT;

	ck_ok(pack_begin(volume_pack_dir(room.v), &w, &err), err);
	pack_set_large_offset(w, 20);
	oids[0] = add(w, OBJECT_BLOB, STR("one "));
	oids[1] = add(w, OBJECT_BLOB, STR("two "));
	oids[2] = add(w, OBJECT_BLOB, STR("three"));
	ck_ok(pack_finish(w, &name, &err), err);
	for (size_t i = 0; i < 3; i++)
		ck_ok(volume_read(room.v, &oids[i], NULL, &b, &err), err);
	ck_assert_str_eq(b.p, "one two three");
	buf_done(&b);
	room_done(&room);
}
END_TEST

/* An object larger than what libgit2 maps at once. */
START_TEST(large_objects_are_read)
{
	struct room room = room_new();
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT, back = BUF_INIT;
	struct oid oid, name;
	uint8_t *p = buf_extend(&b, (size_t)50 << 20);

	for (size_t i = 0; i < b.n; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 13);
	ck_ok(pack_begin(volume_pack_dir(room.v), &w, &err), err);
	(void)add(w, OBJECT_BLOB, STR("before"));
	oid = add(w, OBJECT_BLOB, buf_str(&b));
	ck_ok(pack_finish(w, &name, &err), err);
	ck_ok(volume_read(room.v, &oid, NULL, &back, &err), err);
	ck_assert(str_eq(buf_str(&b), buf_str(&back)));
	buf_done(&back);
	back = (struct buf)BUF_INIT_MAX(1000);
	ck_fails(volume_read(room.v, &oid, NULL, &back, &err), err, ERR_LIMIT);
	buf_done(&b);
	buf_done(&back);
	room_done(&room);
}
END_TEST

/* A pack that comes after the handle was opened is seen: by a read at once, by volume_has when
 * told. */
START_TEST(new_packs_are_seen)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct oid pack, first = write_blob(&room, "first", &pack), second, third;

	ck_assert(volume_has(room.v, &first));
	second = write_blob(&room, "second", &pack);
	ck_assert(!volume_has(room.v, &second));
	volume_refresh(room.v);
	ck_assert(volume_has(room.v, &second));
	third = write_blob(&room, "third", &pack);
	ck_ok(volume_read(room.v, &third, NULL, &b, &err), err);
	ck_assert_str_eq(b.p, "third");
	ck_assert(volume_has(room.v, &third));
	buf_done(&b);
	room_done(&room);
}
END_TEST

static size_t open_deleted_files(void)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, "/proc/self/fd", &err);
	_cleanup_(freep) char **names = NULL;
	size_t count, deleted = 0;

	ck_ok(file_list(dir, &names, &count, &err), err);
	for (size_t i = 0; i < count; i++) {
		char target[256] = "";
		ssize_t n = readlinkat(dir, names[i], target, sizeof(target) - 1);

		deleted += n > 0 && strstr(target, "pack-") && strstr(target, "(deleted)");
	}
	return deleted;
}

/* After a merge and a refresh nothing keeps the old packs on the disk. */
START_TEST(a_refresh_lets_go_of_removed_packs)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct oid packs[2], oids[2], merged;

	oids[0] = write_blob(&room, "one", &packs[0]);
	oids[1] = write_blob(&room, "two", &packs[1]);
	for (size_t i = 0; i < 2; i++)
		ck_ok(volume_read(room.v, &oids[i], NULL, &b, &err), err);
	ck_ok(pack_merge(volume_pack_dir(room.v), packs, 2, NULL, NULL, &merged, &err), err);
	volume_refresh(room.v);
	ck_assert_uint_eq(open_deleted_files(), 0);
	for (size_t i = 0; i < 2; i++)
		ck_ok(volume_read(room.v, &oids[i], NULL, &b, &err), err);
	ck_assert_str_eq(b.p, "onetwoonetwo");
	buf_done(&b);
	room_done(&room);
}
END_TEST

/* Without a refresh a read finds what a merge by another process moved. */
START_TEST(a_merge_behind_our_back)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct oid packs[2], oids[2], merged;

	oids[0] = write_blob(&room, "one", &packs[0]);
	oids[1] = write_blob(&room, "two", &packs[1]);
	ck_assert(volume_has(room.v, &oids[0])); /* opens one index, and no pack */
	ck_ok(pack_merge(volume_pack_dir(room.v), packs, 2, NULL, NULL, &merged, &err), err);
	for (size_t i = 0; i < 2; i++)
		ck_ok(volume_read(room.v, &oids[i], NULL, &b, &err), err);
	ck_assert_str_eq(b.p, "onetwo");
	buf_done(&b);
	room_done(&room);
}
END_TEST

/* Every flipped bit of a packed object is noticed before its bytes are handed out. */
START_TEST(damaged_objects_are_not_served)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct oid pack, oid = write_blob(&room, "a text that is long enough", &pack);
	char file[PACK_NAME_MAX];
	_cleanup_(closep) int fd =
		file_open_write(volume_pack_dir(room.v), pack_file_name(&pack, "pack", file), &err);
	uint64_t bytes;

	ck_ok(file_size(fd, &bytes, &err), err);
	for (uint64_t at = PACK_HEADER; at < bytes - PACK_TRAILER; at++) {
		struct buf b = BUF_INIT;
		uint8_t byte, flipped;
		int r;

		ck_ok(file_pread(fd, &byte, 1, at, &err), err);
		flipped = byte ^ (uint8_t)(1 << at % 8);
		ck_ok(file_pwrite(fd, &flipped, 1, at, &err), err);
		volume_refresh(room.v);
		r = volume_read(room.v, &oid, NULL, &b, &err);
		/* A changed length in the header may leave the content readable; then it is the
		 * right one. */
		if (r == 0)
			ck_assert_str_eq(b.p, "a text that is long enough");
		else
			ck_assert(b.n == 0 && (r == -ERR_CORRUPT || r == -ERR_NOTFOUND));
		ck_ok(file_pwrite(fd, &byte, 1, at, &err), err);
		buf_done(&b);
	}
	room_done(&room);
}
END_TEST

/* ---- threads ---- */

struct reader {
	struct room *room;
	struct oid oids[50];
	_Atomic bool stop;
	_Atomic uint64_t reads;
	_Atomic int failed;
};

static void *read_on(void *context)
{
	struct reader *reader = context;

	for (unsigned i = 0; !reader->stop; i++) {
		struct err err = ERR_INIT;
		struct buf b = BUF_INIT;
		int r = volume_read(reader->room->v, &reader->oids[i % 50], NULL, &b, &err);

		if (r < 0)
			reader->failed = r;
		reader->reads++;
		buf_done(&b);
	}
	return NULL;
}

START_TEST(threads_read_while_packs_change)
{
	struct room room = room_new();
	struct reader reader = { .room = &room };
	struct err err = ERR_INIT;
	struct oid packs[51], merged;
	pthread_t threads[4];
	char text[32];

	for (unsigned i = 0; i < 50; i++) {
		(void)snprintf(text, sizeof(text), "text %u", i);
		reader.oids[i] = write_blob(&room, text, &packs[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, &reader), 0);
	for (unsigned i = 0; i < 10; i++) {
		size_t first = i == 0 ? 0 : 1;

		/* What stays is merged with a newcomer, as the applier does. */
		(void)snprintf(text, sizeof(text), "new %u", i);
		write_blob(&room, text, first ? &packs[1] : &packs[50]);
		ck_ok(pack_merge(volume_pack_dir(room.v), packs, first ? 2 : 51, NULL, NULL,
			      &merged, &err),
			err);
		packs[0] = merged;
		volume_refresh(room.v);
		(void)usleep(1000);
	}
	reader.stop = true;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		(void)pthread_join(threads[i], NULL);
	ck_assert_int_eq(reader.failed, 0);
	ck_assert_uint_gt(reader.reads, 100);
	room_done(&room);
}
END_TEST

/* ---- failing steps ---- */

struct breaker {
	int count, fail_at;
};

static int break_one(void *context, const struct file_event *event)
{
	struct breaker *b = context;

	(void)event;
	return b->count++ == b->fail_at ? EIO : 0;
}

START_TEST(a_failing_ref_is_old_or_new)
{
	struct room room = room_new();
	struct oid old = { { 1 } }, fresh = { { 2 } }, ref;
	bool done = false;

	for (int fail_at = 0; !done; fail_at++) {
		struct breaker breaker = { 0, fail_at };
		struct file_hook hook = { break_one, &breaker };
		struct err err = ERR_INIT;
		int r;

		ck_ok(volume_set_ref(room.v, "refs/heads/main", &old, &err), err);
		file_set_hook(&hook);
		r = volume_set_ref(room.v, "refs/heads/main", &fresh, &err);
		file_set_hook(NULL);
		done = r == 0;
		ck_ok(volume_ref(room.v, "refs/heads/main", &ref, &err), err);
		ck_assert(oid_equal(&ref, done || fail_at == 5 ? &fresh : &old));
	}
	room_done(&room);
}
END_TEST

/* Whatever step of making a volume fails, doing it again completes it. */
START_TEST(a_half_made_volume_is_completed)
{
	bool done = false;

	for (int fail_at = 0; !done; fail_at++) {
		struct breaker breaker = { 0, fail_at };
		struct file_hook hook = { break_one, &breaker };
		struct err err = ERR_INIT;
		struct room room = { .path = harness_dir() };

		room.dir = file_open_dir(AT_FDCWD, room.path, &err);
		(void)snprintf(room.git, sizeof(room.git), "%s/0001.git", room.path);
		file_set_hook(&hook);
		done = volume_create(room.dir, 1, &err) == 0;
		file_set_hook(NULL);
		ck_ok(volume_create(room.dir, 1, &err), err);
		ck_ok(volume_open(room.dir, room.path, 1, &room.v, &err), err);
		if (fail_at % 5 == 0)
			ck_git(&room, NULL, "git fsck --strict");
		room_done(&room);
	}
}
END_TEST

START_TEST(volumes_are_listed_without_gaps)
{
	struct room room = room_new();
	struct err err = ERR_INIT;
	struct volume *v;
	uint32_t *numbers;
	size_t count;

	ck_ok(volume_create(room.dir, 2, &err), err);
	ck_assert_int_eq(mkdirat(room.dir, "abcd.git", 0700), 0);
	ck_assert_int_eq(mkdirat(room.dir, "00003.git", 0700), 0);
	ck_ok(volume_list(room.dir, &numbers, &count, &err), err);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(numbers[1], 2);
	free(numbers);
	ck_ok(volume_create(room.dir, 4, &err), err);
	ck_fails(volume_list(room.dir, &numbers, &count, &err), err, ERR_CORRUPT);
	ck_fails(volume_create(room.dir, 0, &err), err, ERR_LIMIT);
	ck_fails(volume_create(room.dir, 10000, &err), err, ERR_LIMIT);
	ck_fails(volume_open(room.dir, room.path, 3, &v, &err), err, ERR_NOTFOUND);
	room_done(&room);
}
END_TEST

START_TEST(bad_refs_are_refused)
{
	static const char *const bad[] = { "", "\n", "ref: refs/heads/other\n",
		"0123456789012345678901234567890123456789",
		"012345678901234567890123456789012345678X\n" };
	static const char *const names[] = { "main", "refs/heads/", "refs/heads/a/b",
		"refs/heads/.x", "refs/tags/a" };
	struct room room = room_new();
	struct err err = ERR_INIT;
	_cleanup_(closep) int refs = -1;
	struct oid oid = { { 1 } };
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/refs/heads", room.git);
	refs = file_open_dir(AT_FDCWD, path, &err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_ok(file_replace(refs, "main", bad[i], strlen(bad[i]), &err), err);
		ck_fails(volume_ref(room.v, "refs/heads/main", &oid, &err), err, ERR_CORRUPT);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_fails(volume_set_ref(room.v, names[i], &oid, &err), err, ERR_INVALID);
	room_done(&room);
}
END_TEST

/* ---- trees ---- */

START_TEST(trees_are_read_strictly)
{
	static const struct {
		const char *head;
		size_t n, oid;
	} bad[] = {
		{ "100755 a", 9, 20 },
		{ "120000 a", 9, 20 },
		{ "160000 a", 9, 20 },
		{ "040000 a", 9, 20 },
		{ "100644 ", 8, 20 },
		{ "100644 a/b", 11, 20 },
		{ "100644 ..", 10, 20 },
		{ "40000 .", 8, 20 },
		{ "100644 a", 9, 19 },
		{ "100644 a", 8, 0 },
		{ "100644a", 8, 20 },
		{ "1", 1, 0 },
	};
	struct err err = ERR_INIT;
	struct buf tree = BUF_INIT;
	struct oid oid = { { 7 } };
	struct tree_entry entry;
	struct str rest;

	tree_add(&tree, "100644", "a", &oid);
	tree_add(&tree, "40000", "档案", &oid);
	rest = buf_str(&tree);
	ck_assert_int_eq(tree_next(&rest, &entry, &err), 1);
	ck_assert(str_is(entry.name, "a") && entry.mode == 0100644 && oid_equal(&entry.oid, &oid));
	ck_assert_int_eq(tree_next(&rest, &entry, &err), 1);
	ck_assert(str_is(entry.name, "档案") && entry.mode == 040000);
	ck_assert_int_eq(tree_next(&rest, &entry, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		buf_reset(&tree);
		buf_add(&tree, bad[i].head, bad[i].n);
		buf_add(&tree, oid.b, bad[i].oid);
		rest = buf_str(&tree);
		ck_fails(tree_next(&rest, &entry, &err), err, ERR_CORRUPT);
	}
	buf_done(&tree);
}
END_TEST

TESTS("store/volume", stock_git_takes_a_new_volume, stock_git_reads_a_commit,
	objects_are_read_and_found, large_offsets_are_read, large_objects_are_read,
	new_packs_are_seen, a_refresh_lets_go_of_removed_packs, a_merge_behind_our_back,
	damaged_objects_are_not_served, threads_read_while_packs_change,
	a_failing_ref_is_old_or_new, a_half_made_volume_is_completed,
	volumes_are_listed_without_gaps, bad_refs_are_refused, trees_are_read_strictly)
