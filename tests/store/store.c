/* The store as a whole: what was answered is there, after closing, after a crash, after the ledger
 * is gone. */
#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "store/verify.h"
#include "tests/program.h"
#include "tests/store/fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void assert_text(
	struct fixture *f, const struct id *record, uint64_t version, const char *text)
{
	_cleanup_(buf_done) struct buf manifest = BUF_INIT, part = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(fixture_manifest(f, record, version, &manifest, &err), err);
	ck_assert_msg(str_ends(buf_str(&manifest), text), "manifest is '%s'", manifest.p);
	ck_ok(fixture_part(f, record, version, &part, &err), err);
	ck_assert_str_eq(part.p, text);
}

static int git(struct fixture *f, uint32_t volume, struct buf *ret, const char *a, const char *b,
	const char *c)
{
	char dir[512];
	const char *argv[] = { "git", "-c", "safe.directory=*", "-c", "core.quotepath=false",
		"--git-dir", dir, a, b, c, NULL };

	(void)snprintf(dir, sizeof(dir), "%s/volumes/%04u.git", f->path, volume);
	return program_run(argv, NULL, ret);
}

START_TEST(what_was_filed_is_read_back)
{
	struct fixture f;
	struct id record;
	char *number;

	fixture_init(&f, NULL);
	number = fixture_file(&f, "召回计划", &record);
	ck_assert_str_eq(number, "样本-20260520-0001");
	assert_text(&f, &record, 1, "召回计划"); /* out of the pending frame */
	fixture_reopen(&f, NULL);
	assert_text(&f, &record, 1, "召回计划"); /* out of the pack */
	free(number);
	fixture_done(&f);
}
END_TEST

START_TEST(versions_follow_and_stale_ones_conflict)
{
	struct err err = ERR_INIT;
	struct fixture f;
	struct id record;
	struct sample s = { .base_version = 1, .text = "第二版" };

	fixture_init(&f, NULL);
	free(fixture_file(&f, "第一版", &record));
	s.record = record;
	ck_ok(fixture_write(&f, &s, 1, NULL, &err), err);
	ck_fails(fixture_write(&f, &s, 1, NULL, &err), err, ERR_CONFLICT);
	s.base_version = 2;
	s.text = "第三版";
	ck_ok(fixture_write(&f, &s, 1, NULL, &err), err);
	assert_text(&f, &record, 1, "第一版");
	assert_text(&f, &record, 2, "第二版");
	fixture_reopen(&f, NULL);
	assert_text(&f, &record, 2, "第二版");
	assert_text(&f, &record, 0, "第三版");
	fixture_done(&f);
}
END_TEST

START_TEST(a_refused_action_leaves_no_gap)
{
	struct err err = ERR_INIT;
	struct fixture f;
	struct sample s[3] = { { .text = "甲" }, { .text = "乙" },
		{ .text = "丙", .base_version = 0 } };
	struct id taken;
	char *number;

	fixture_init(&f, NULL);
	free(fixture_file(&f, "在先", &taken));
	for (size_t i = 0; i < 3; i++)
		s[i].record = id_random();
	s[2].record = taken;
	ck_fails(fixture_write(&f, s, 3, NULL, &err), err, ERR_CONFLICT);
	number = fixture_file(&f, "在后", NULL);
	ck_assert_str_eq(number, "样本-20260520-0002");
	free(number);
	fixture_done(&f);
}
END_TEST

START_TEST(a_number_is_used_once)
{
	struct err err = ERR_INIT;
	struct fixture f;
	struct sample s = {
		.record = id_random(), .number = "QMS-QC-CX-2025-V1.0", .text = "程序文件"
	};

	fixture_init(&f, NULL);
	ck_ok(fixture_write(&f, &s, 1, NULL, &err), err);
	s.record = id_random();
	ck_fails(fixture_write(&f, &s, 1, NULL, &err), err, ERR_EXISTS);
	fixture_reopen(&f, NULL);
	ck_fails(fixture_write(&f, &s, 1, NULL, &err), err, ERR_EXISTS);
	s.number = "a/b";
	ck_fails(fixture_write(&f, &s, 1, NULL, &err), err, ERR_INVALID);
	fixture_done(&f);
}
END_TEST

/* REC-10: after 9999 the scope is used up; nothing wraps. */
START_TEST(serials_end)
{
	enum { ALL = 9999, CHUNK = 1111 };
	struct err err = ERR_INIT;
	struct fixture f;
	struct sample *s = xcalloc(CHUNK, sizeof(*s));

	fixture_init(&f, NULL);
	for (size_t i = 0; i < CHUNK; i++)
		s[i] = (struct sample){ .text = "x", .without_part = true };
	for (size_t done = 0; done < ALL; done += CHUNK) {
		for (size_t i = 0; i < CHUNK; i++)
			s[i].record = id_random();
		ck_ok(fixture_write(&f, s, CHUNK, NULL, &err), err);
	}
	s[0].record = id_random();
	ck_fails(fixture_write(&f, s, 1, NULL, &err), err, ERR_LIMIT);
	s[0].scope = "样本-20260521-*";
	ck_ok(fixture_write(&f, s, 1, NULL, &err), err);
	free(s);
	fixture_done(&f);
}
END_TEST

START_TEST(a_request_is_answered_once)
{
	struct err err = ERR_INIT;
	struct fixture f;
	struct sample s = { .record = id_random(), .text = "投诉", .request = "r-1" };
	struct change_record first, again;

	fixture_init(&f, NULL);
	ck_ok(fixture_write(&f, &s, 1, &first, &err), err);
	s.record = id_random();
	ck_ok(fixture_write(&f, &s, 1, &again, &err), err);
	ck_assert(!first.ret_existing && again.ret_existing);
	ck_assert_str_eq(first.ret_number, again.ret_number);
	free(again.ret_number);
	fixture_reopen(&f, NULL);
	ck_ok(fixture_write(&f, &s, 1, &again, &err), err);
	ck_assert(again.ret_existing);
	ck_assert_str_eq(first.ret_number, again.ret_number);
	free(first.ret_number);
	free(again.ret_number);
	fixture_done(&f);
}
END_TEST

/* The folder as it is between answer and pack: a crash loses nothing. */
START_TEST(a_crash_loses_nothing_answered)
{
	struct store_options slow = { .apply_delay_ms = 3600 * 1000 };
	struct store_found found;
	struct fixture f, copy;
	struct id records[20];

	fixture_init(&f, &slow);
	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		free(fixture_file(&f, "未入包", &records[i]));
	fixture_open_at(&f, fixture_copy(&f), &copy, &found);
	ck_assert_uint_ge(found.frames_replayed, 1);
	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		assert_text(&copy, &records[i], 1, "未入包");
	fixture_done(&copy);
	fixture_done(&f);
}
END_TEST

/* What a process that died left beside the packs goes; what it filed stays. */
START_TEST(leftovers_are_swept_at_start)
{
	static const char *const leftovers[] = { "tmp_pack_00", "tmp_idx_00",
		"pack-0123456789012345678901234567890123456789.pack" };
	struct err err = ERR_INIT;
	struct fixture f;
	struct id record;
	char path[512];
	_cleanup_(closep) int dir = -1;

	fixture_init(&f, NULL);
	free(fixture_file(&f, "留下", &record));
	(void)snprintf(path, sizeof(path), "%s/volumes/0001.git/objects/pack", f.path);
	dir = file_open_dir(AT_FDCWD, path, &err);
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
		ck_ok(file_replace(dir, leftovers[i], "x", 1, &err), err);
	fixture_reopen(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
		ck_assert(!file_exists(dir, leftovers[i]));
	assert_text(&f, &record, 1, "留下");
	fixture_done(&f);
}
END_TEST

START_TEST(the_ledger_can_be_deleted)
{
	struct err err = ERR_INIT;
	struct store_found found;
	struct fixture f;
	struct id record;
	char *number;
	_cleanup_(closep) int dir = -1;

	fixture_init(&f, NULL);
	free(fixture_file(&f, "甲", NULL));
	free(fixture_file(&f, "乙", &record));
	store_close(TAKE_PTR(f.store));
	dir = file_open_dir(AT_FDCWD, f.path, &err);
	ck_ok(file_remove_tree(dir, "derived", &err), err);
	ck_ok(store_open(f.path, &f.options, &f.store, &found, &err), err);
	ck_assert(found.ledger_rebuilt);
	ck_ok(store_unseal(f.store, f.root, 1, &err), err);
	assert_text(&f, &record, 1, "乙");
	number = fixture_file(&f, "丙", NULL);
	ck_assert_str_eq(number, "样本-20260520-0003");
	free(number);
	fixture_done(&f);
}
END_TEST

START_TEST(stock_git_agrees)
{
	_cleanup_(buf_done) struct buf log = BUF_INIT, signers = BUF_INIT, tree = BUF_INIT;
	struct err err = ERR_INIT;
	struct fixture f;
	struct sample s[40];
	char signers_path[512], option[600];
	_cleanup_(closep) int dir = -1;

	fixture_init(&f, NULL);
	free(fixture_file(&f, "单个", NULL));
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		s[i] = (struct sample){ .record = id_random(), .text = "成批" };
	ck_ok(fixture_write(&f, s, ARRAY_LEN(s), NULL, &err), err);
	ck_ok(store_flush(f.store, &err), err);
	ck_ok(store_allowed_signers(f.store, &signers, &err), err);
	dir = file_open_dir(AT_FDCWD, f.path, &err);
	ck_ok(file_replace(dir, "signers", signers.p, signers.n, &err), err);
	(void)snprintf(signers_path, sizeof(signers_path), "%s/signers", f.path);
	(void)snprintf(option, sizeof(option), "gpg.ssh.allowedSignersFile=%s", signers_path);
	ck_assert_int_eq(git(&f, 1, NULL, "fsck", "--strict", "--full"), 0);
	{
		char gitdir[512];
		const char *argv[] = { "git", "-c", "safe.directory=*", "-c", option, "--git-dir",
			gitdir, "log", "--format=%G? %s", "main", NULL };

		(void)snprintf(gitdir, sizeof(gitdir), "%s/volumes/0001.git", f.path);
		ck_assert_int_eq(program_run(argv, NULL, &log), 0);
	}
	ck_assert_str_eq(log.p,
		"G 样本-20260520-0002 +39 file\nG 样本-20260520-0001 file\nG volume 1 open\n");
	ck_assert_int_eq(git(&f, 1, &tree, "ls-tree", "-r", "main"), 0);
	ck_assert(
		strstr(tree.p, "2026-05/样本/质量管理部/0000/00/样本-20260520-0001/v1\n") != NULL);
	ck_assert(
		strstr(tree.p, "2026-05/样本/质量管理部/0000/01/样本-20260520-0041/v1\n") != NULL);
	fixture_done(&f);
}
END_TEST

/* A volume that stock git made, as a backup by clone and fetch is, serves as well as ours. */
START_TEST(a_volume_restored_from_a_clone)
{
	struct err err = ERR_INIT;
	struct verify_options options = { .content = true, .open = true };
	struct verify_result result;
	struct fixture f, copy;
	struct id first, second;
	char from[512], to[512];
	const char *path, *remove[] = { "rm", "-rf", to, NULL };
	const char *clone[] = { "git", "-c", "safe.directory=*", "clone", "--quiet", "--mirror",
		"--no-hardlinks", from, to, NULL };

	fixture_init(&f, NULL);
	free(fixture_file(&f, "之前", &first));
	fixture_reopen(&f, NULL);
	path = fixture_copy(&f);
	(void)snprintf(from, sizeof(from), "%s/volumes/0001.git", f.path);
	(void)snprintf(to, sizeof(to), "%s/volumes/0001.git", path);
	ck_assert_int_eq(program_run(remove, NULL, NULL), 0);
	ck_assert_int_eq(program_run(clone, NULL, NULL), 0);
	(void)snprintf(to, sizeof(to), "%s/derived", path);
	ck_assert_int_eq(program_run(remove, NULL, NULL), 0);
	fixture_open_at(&f, path, &copy, NULL);
	assert_text(&copy, &first, 1, "之前");
	ck_ok(store_verify(copy.store, &options, &result, &err), err);
	ck_assert_uint_eq(result.faults, 0);
	ck_assert_int_eq(err.code, 0); /* nothing that went well left words behind */
	free(fixture_file(&copy, "之后", &second));
	fixture_reopen(&copy, NULL);
	assert_text(&copy, &first, 1, "之前");
	assert_text(&copy, &second, 1, "之后");
	ck_ok(store_flush(copy.store, &err), err);
	fixture_done(&copy);
	fixture_done(&f);
}
END_TEST

START_TEST(a_large_part_is_chunks)
{
	_cleanup_(buf_done) struct buf part = BUF_INIT;
	struct err err = ERR_INIT;
	struct fixture f;
	struct sample s = {
		.record = id_random(), .text = "0123456789", .part_bytes = (9 << 20) + 5
	};

	fixture_init(&f, NULL);
	ck_ok(fixture_write(&f, &s, 1, NULL, &err), err);
	fixture_reopen(&f, NULL);
	ck_ok(fixture_part(&f, &s.record, 1, &part, &err), err);
	ck_assert_uint_eq(part.n, (9 << 20) + 5);
	ck_assert_int_eq(part.p[(9 << 20) + 4], "0123456789"[((9 << 20) + 4) % 10]);
	fixture_done(&f);
}
END_TEST

START_TEST(volumes_roll_over_by_size)
{
	struct store_options small = { .volume_max_bytes = 64 << 10 };
	struct err err = ERR_INIT;
	struct fixture f;
	struct sample s = { .text = "0123456789", .part_bytes = 30 << 10 };
	struct id first = id_random();
	uint32_t volumes;

	fixture_init(&f, &small);
	for (int i = 0; i < 8; i++) {
		s.record = i ? id_random() : first;
		ck_ok(fixture_write(&f, &s, 1, NULL, &err), err);
	}
	volumes = store_volumes(f.store);
	ck_assert_uint_ge(volumes, 3);
	s = (struct sample){ .record = first, .base_version = 1, .text = "修订" };
	ck_ok(fixture_write(&f, &s, 1, NULL, &err), err);
	fixture_reopen(&f, NULL);
	assert_text(&f, &first, 2, "修订");
	{
		_cleanup_(buf_done) struct buf part = BUF_INIT;

		ck_ok(fixture_part(&f, &first, 1, &part, &err), err);
		ck_assert_uint_eq(part.n, 30 << 10);
	}
	for (uint32_t v = 1; v <= store_volumes(f.store); v++)
		ck_assert_int_eq(git(&f, v, NULL, "fsck", "--strict", "--full"), 0);
	fixture_done(&f);
}
END_TEST

START_TEST(volumes_roll_over_by_year)
{
	struct fixture f;

	clock_set(1766000000); /* 2025-12 */
	fixture_init(&f, NULL);
	ck_assert_uint_eq(store_volumes(f.store), 1);
	free(fixture_file(&f, "2026", NULL)); /* the fixture files in 2026-05 */
	ck_assert_uint_eq(store_volumes(f.store), 2);
	free(fixture_file(&f, "2026", NULL));
	ck_assert_uint_eq(store_volumes(f.store), 2);
	fixture_done(&f);
	clock_set(-1);
}
END_TEST

static const void *wanted;
static size_t wanted_bytes;

static int look_into(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT_MAX((size_t)1 << 30);
	struct err err = ERR_INIT;

	(void)st;
	(void)at;
	if (kind != FTW_F)
		return 0;
	ck_ok(file_read_whole(AT_FDCWD, path, &content, &err), err);
	return memmem(content.p, content.n, wanted, wanted_bytes) != NULL;
}

/* Whether any file below a folder holds these bytes. */
static bool folder_contains(const char *path, const void *bytes, size_t n)
{
	wanted = bytes;
	wanted_bytes = n;
	return nftw(path, look_into, 16, FTW_PHYS) != 0;
}

static int wrapped_key_of(void *context, const struct wrapped_key *w, struct err *err)
{
	struct wrapped_key *ret = context;

	(void)err;
	if (id_equal(&w->record, &ret->record))
		*ret = *w;
	return 0;
}

/* A frame with a key and an envelope, set aside by an earlier start. */
static void set_aside(
	const struct fixture *f, const char *name, const struct wrapped_key *w, struct str envelope)
{
	_cleanup_(closep) int dir = file_open_dir(store_dir(f->store), "journal", NULL);
	_cleanup_(buf_done) struct buf bytes = BUF_INIT;
	uint8_t row[WRAPPED_KEY_BYTES];
	struct err err = ERR_INIT;

	wrapped_key_write(w, row);
	buf_adds(&bytes, "MUNFRAME and what is left of it");
	buf_add_str(&bytes, envelope);
	buf_add(&bytes, row, sizeof(row));
	ck_ok(file_replace(dir, name, bytes.p, bytes.n, &err), err);
}

/* After destruction: history, fsck, clone and every other record whole; ciphertext and wrapped key
 * nowhere. */
START_TEST(destroyed_is_gone_and_the_rest_whole)
{
	_cleanup_(buf_done) struct buf slip_text = BUF_INIT, sealed = BUF_INIT, out = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct id victim, other, action = id_random();
	struct err err = ERR_INIT;
	struct record_head h;
	struct fixture f;
	struct slip slip;
	struct store_found found;
	struct wrapped_key wrapped = { .epoch = 0 };
	uint8_t key[32];

	fixture_init(&f, NULL);
	free(fixture_file(&f, "留下", &other));
	free(fixture_file(&f, "销毁", &victim));
	wrapped.record = victim;
	free(fixture_file(&f, "留下", NULL));
	ck_ok(store_flush(f.store, &err), err);
	ck_ok(store_find(f.store, &victim, &h, &err), err);
	ck_ok(store_slip(f.store, &h, 1, &slip_text, NULL, &err), err);
	record_head_done(&h);
	ck_ok(slip_parse(buf_str(&slip_text), &slip, &memory, &err), err);
	ck_ok(store_read(f.store, 1, &slip.parts[0].blob.oid, NULL, &sealed, &err), err);
	ck_assert(folder_contains(f.path, sealed.p + 56, 32)); /* its salt: the search can find */
	ck_ok(keys_each(store_keys(f.store), wrapped_key_of, &wrapped, &err), err);
	ck_assert(id_equal(&wrapped.key, &slip.keys[0]));
	ck_assert(folder_contains(f.path, wrapped.wrapped, WRAPPED_BYTES));
	set_aside(&f, "aside-2", &wrapped, buf_str(&sealed));
	set_aside(&f, "aside-3-2.new", &wrapped, buf_str(&sealed));

	ck_ok(store_destroy(f.store, &victim, "u-00001", 1000, &action, 1779242500, &err), err);
	ck_fails(fixture_part(&f, &victim, 1, &out, &err), err, ERR_DESTROYED);
	ck_fails(store_record_key(f.store, &slip.keys[0], &victim, key, &err), err, ERR_NOTFOUND);
	ck_fails(store_destroy(f.store, &victim, "u-00001", 1000, &action, 1779242500, &err), err,
		ERR_DESTROYED);
	ck_assert(!folder_contains(f.path, sealed.p + 56, 32));
	/* Piece by piece: no part of the wrapped key or of the envelope is in any file, database pages and journal
	 * included; nor can what was set aside be read any more, though it is reported. */
	for (size_t at = 0; at + 24 <= WRAPPED_BYTES; at += 24)
		ck_assert(!folder_contains(f.path, wrapped.wrapped + at, 24));
	for (size_t at = 56; at + 16 <= sealed.n; at += 16)
		ck_assert(!folder_contains(f.path, sealed.p + at, 16));
	assert_text(&f, &other, 1, "留下");
	ck_assert_int_eq(git(&f, 1, NULL, "fsck", "--strict", "--full"), 0);
	fixture_reopen(&f, &found);
	ck_assert(found.journal.set_aside);
	ck_fails(fixture_part(&f, &victim, 1, &out, &err), err, ERR_DESTROYED);
	assert_text(&f, &other, 1, "留下");
	free(fixture_file(&f, "之后", NULL));
	fixture_done(&f);
}
END_TEST

/* What is synced: the folder in which the archive's own folder was made, which is the first thing that is made. */
struct watch {
	int made_in; /* the descriptor; -1 before */
	bool is_synced;
};

static int watch_step(void *context, const struct file_event *event)
{
	struct watch *w = context;

	if (event->op == FILE_OP_MKDIR && w->made_in < 0)
		w->made_in = event->dir;
	w->is_synced |= event->op == FILE_OP_SYNC_DIR && event->dir == w->made_in;
	return 0;
}

START_TEST(the_name_of_a_new_archive_is_durable)
{
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	struct watch watch = { .made_in = -1 };
	const struct file_hook hook = { watch_step, &watch };
	struct id archive = id_random();
	struct err err = ERR_INIT;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/new", harness_dir());
	file_set_hook(&hook);
	ck_ok(store_create(path, &archive, true, root, &err), err);
	file_set_hook(NULL);
	ck_assert_int_ge(watch.made_in, 0);
	ck_assert(watch.is_synced);
}
END_TEST

START_TEST(a_second_writer_is_told_who)
{
	struct err err = ERR_INIT;
	struct store *second = NULL;
	struct fixture f;

	fixture_init(&f, NULL);
	ck_fails(store_open(f.path, &f.options, &second, NULL, &err), err, ERR_LOCKED);
	ck_assert(strstr(err.text, "pid ") != NULL);
	fixture_done(&f);
}
END_TEST

START_TEST(sealed_means_sealed)
{
	_cleanup_(secret_freep) struct secret *wrong = secret_random(KEY_BYTES);
	struct err err = ERR_INIT;
	struct sample s = { .record = id_random(), .text = "x" };
	struct buf out = BUF_INIT;
	struct fixture f;
	struct id record;

	fixture_init(&f, NULL);
	free(fixture_file(&f, "启封", &record));
	ck_ok(store_seal(f.store, &err), err);
	ck_fails(fixture_manifest(&f, &record, 1, &out, &err), err, ERR_SEALED);
	ck_fails(fixture_write(&f, &s, 1, NULL, &err), err, ERR_SEALED);
	ck_fails(store_unseal(f.store, wrong, 1, &err), err, ERR_CRYPTO);
	ck_assert(store_is_sealed(f.store));
	ck_ok(store_unseal(f.store, f.root, 1, &err), err);
	assert_text(&f, &record, 1, "启封");
	free(fixture_file(&f, "又", NULL));
	fixture_done(&f);
}
END_TEST

enum { CLIENTS = 16, EACH = 25 };

static void *client(void *context)
{
	for (int i = 0; i < EACH; i++)
		free(fixture_file(context, "并发", NULL));
	return NULL;
}

static int count_event(void *context, const struct store_event *e, struct err *err)
{
	uint64_t *next = context;

	(void)err;
	ck_assert_uint_eq(e->sequence, *next);
	(*next)++;
	return 0;
}

START_TEST(many_clients_leave_no_gap)
{
	pthread_t threads[CLIENTS];
	struct err err = ERR_INIT;
	struct fixture f;
	struct store_counts counts;
	uint64_t next = 0;
	char *number;

	fixture_init(&f, NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, client, &f), 0);
	for (size_t i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	number = fixture_file(&f, "末", NULL);
	ck_assert_str_eq(number, "样本-20260520-0401");
	free(number);
	store_count(f.store, &counts);
	ck_assert_uint_eq(counts.records, CLIENTS * EACH + 1);
	ck_assert_uint_eq(counts.actions, CLIENTS * EACH + 2); /* and the volume's first commit */
	ck_ok(store_flush(f.store, &err), err);
	ck_ok(store_walk(f.store, 0, count_event, &next, &err), err);
	ck_assert_uint_eq(next, CLIENTS * EACH + 1);
	fixture_done(&f);
}
END_TEST

struct growing {
	struct fixture *fixture;
	uint64_t next;
};

/* At the first event, more is filed into the volume that is walked, and then into the next. */
static int file_more(void *context, const struct store_event *e, struct err *err)
{
	struct growing *g = context;

	if (g->next == 0) {
		for (int i = 0; i < 4; i++) {
			struct sample s = {
				.record = id_random(), .text = "0123456789", .part_bytes = 30 << 10
			};

			ck_ok(fixture_write(g->fixture, &s, 1, NULL, err), *err);
		}
		ck_assert_uint_ge(store_volumes(g->fixture->store), 2);
	}
	return count_event(&g->next, e, err);
}

START_TEST(a_walk_leaves_nothing_out_when_volumes_roll_over)
{
	struct store_options small = { .volume_max_bytes = 64 << 10 };
	struct err err = ERR_INIT;
	struct fixture f;
	struct growing g = { &f, 0 };

	fixture_init(&f, &small);
	free(fixture_file(&f, "一", NULL));
	ck_assert_uint_eq(store_volumes(f.store), 1);
	ck_ok(store_walk(f.store, 0, file_more, &g, &err), err);
	/* It ends where the history ended when it began, or later; the next one has the rest. */
	ck_assert_uint_ge(g.next, 1);
	g.next = 0;
	ck_ok(store_walk(f.store, 0, count_event, &g.next, &err), err);
	ck_assert_uint_eq(g.next, 5);
	fixture_done(&f);
}
END_TEST

TESTS("store/store", what_was_filed_is_read_back, versions_follow_and_stale_ones_conflict,
	a_refused_action_leaves_no_gap, a_number_is_used_once, serials_end,
	a_request_is_answered_once, a_crash_loses_nothing_answered, leftovers_are_swept_at_start,
	the_ledger_can_be_deleted, stock_git_agrees, a_volume_restored_from_a_clone,
	a_large_part_is_chunks, volumes_roll_over_by_size, volumes_roll_over_by_year,
	destroyed_is_gone_and_the_rest_whole, the_name_of_a_new_archive_is_durable,
	a_second_writer_is_told_who, sealed_means_sealed, many_clients_leave_no_gap,
	a_walk_leaves_nothing_out_when_volumes_roll_over)
