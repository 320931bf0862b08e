/* samples.c - archives of every format are read for ever (FORMAT.md): one of each lies in samples/, with a
 * list of what must be in it.
 *
 * format-N.tar.gz is an archive's folder as a crash left it: two volumes, single records, a list, a revision, one
 * destroyed, the server's key and the root key changed, a frame that is only in the journal; beside it a checkpoint.
 * format-N.txt is what describe() says of it. Both are made once, by this program:
 *
 *   MUNIMENT_MAKE_SAMPLE=tests/store/samples/format-1 build/tests/test-store_samples
 *
 * and never again: a sample that were made anew would prove nothing. */
#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "store/verify.h"
#include "tests/store/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const passphrases[2] = { "sample passphrase one", "sample passphrase two" };

static void at(const char *base, const char *tail, char ret[512])
{
	ck_assert_int_lt(snprintf(ret, 512, "%s%s", base, tail), 512);
}

/* ---- making ---- */

static void make_custody(struct fixture *f)
{
	_cleanup_(custody_freep) struct custody *c = custody_new(&f->archive);
	struct err err = ERR_INIT;
	struct id id;

	for (size_t i = 0; i < 2; i++) {
		_cleanup_(secret_freep) struct secret *p =
			secret_copy(passphrases[i], strlen(passphrases[i]));

		ck_ok(custody_add(c, f->root, i ? "two" : "one", p, CUSTODY_COST_DEMONSTRATION, &id,
			      &err),
			err);
	}
	ck_ok(custody_save(c, store_dir(f->store), f->root, &err), err);
}

static void change_keys(struct fixture *f)
{
	_cleanup_(custody_freep) struct custody *c = NULL;
	struct secret *root = NULL;
	struct id action = id_random();
	struct err err = ERR_INIT;

	ck_ok(store_rotate_server(f->store, "u-00001", 0, &action, clock_now(), &err), err);
	ck_ok(custody_load(store_dir(f->store), &c, &err), err);
	ck_ok(store_rotate_root(f->store, c, &root, &err), err);
	secret_free(f->root);
	f->root = root;
}

static void make_records(struct fixture *f)
{
	struct sample bulk[3], revision = { .base_version = 1, .text = "第二版" };
	struct id victim, action = id_random();
	struct err err = ERR_INIT;

	free(fixture_file(f, "第一版", &revision.record));
	free(fixture_file(f, "将要销毁", &victim));
	for (size_t i = 0; i < ARRAY_LEN(bulk); i++)
		bulk[i] = (struct sample){
			.record = id_random(), .text = "成批", .part_bytes = 5000
		};
	ck_ok(fixture_write(f, bulk, ARRAY_LEN(bulk), NULL, &err), err); /* volume 1 is full now */
	ck_ok(fixture_write(f, &revision, 1, NULL, &err), err);
	ck_ok(store_destroy(f->store, &victim, "u-00001", 0, &action, clock_now(), &err), err);
}

static void describe(struct fixture *f, struct buf *ret);
static void open_sample(const char *path, struct fixture *ret);

static void make(const char *base)
{
	const struct store_options options = { .volume_max_bytes = 24 << 10,
		.apply_delay_ms = 600000 };
	_cleanup_(buf_done) struct buf note = BUF_INIT, text = BUF_INIT;
	char tar[512], list[512];
	struct err err = ERR_INIT;
	struct fixture f, again;
	const char *pack[] = { "tar", "-C", NULL, "-S", "--owner=0", "--group=0", "--sort=name",
		"--exclude=derived", "--exclude=lock", "-czf", tar, "archive", "checkpoint", NULL };
	const char *copy = NULL;
	char folder[512], sparse_from[512];
	const char *sparse[] = { "cp", "-a", "--sparse=always", sparse_from, folder, NULL };
	_cleanup_(closep) int dir = -1, parent = -1;
	const char *name;

	fixture_init(&f, &options);
	make_custody(&f);
	make_records(&f);
	change_keys(&f);
	free(fixture_file(&f, "换过密钥之后", NULL));
	ck_ok(store_checkpoint(f.store, &note, &err), err);
	free(fixture_file(&f, "只在日志里", NULL));
	copy = fixture_copy(&f);
	(void)snprintf(folder, sizeof(folder), "%s", harness_dir());
	(void)snprintf(sparse_from, sizeof(sparse_from), "%s", copy);
	ck_assert_int_eq(harness_exec(sparse, STR(""), NULL), 0);
	dir = file_open_dir(AT_FDCWD, folder, &err);
	ck_ok(file_replace(dir, "checkpoint", note.p, note.n, &err), err);
	pack[2] = folder;
	at(base, ".tar.gz", tar);
	ck_assert_int_eq(harness_exec(pack, STR(""), NULL), 0);
	open_sample(copy, &again);
	describe(&again, &text);
	fixture_done(&again);
	at(base, ".txt", list);
	parent = file_open_parent(list, &name, &err);
	ck_ok(parent, err);
	ck_ok(file_replace(parent, name, text.p, text.n, &err), err);
	fixture_done(&f);
}

/* ---- reading ---- */

static void describe_record(struct fixture *f, const struct record_head *h, struct buf *ret)
{
	struct err err = ERR_INIT;

	buf_addf(ret, "%llu %s versions %llu%s\n", (unsigned long long)h->sequence, h->folder,
		(unsigned long long)h->version, h->destroyed ? " destroyed" : "");
	for (uint64_t v = 1; v <= h->version; v++) {
		_cleanup_(buf_done) struct buf slip = BUF_INIT, manifest = BUF_INIT,
					       part = BUF_INIT;
		uint8_t sum[SHA256_BYTES];
		char hex[2 * SHA256_BYTES + 1];
		uint32_t volume;

		ck_ok(store_slip(f->store, h, v, &slip, &volume, &err), err);
		sha256(slip.p, slip.n, sum);
		buf_addf(ret, "  v%llu volume %u slip %s\n", (unsigned long long)v, volume,
			hex_encode(sum, sizeof(sum), hex));
		if (h->destroyed) {
			ck_fails(fixture_manifest(f, &h->record, v, &manifest, &err), err,
				ERR_DESTROYED);
			continue;
		}
		ck_ok(fixture_manifest(f, &h->record, v, &manifest, &err), err);
		ck_ok(fixture_part(f, &h->record, v, &part, &err), err);
		sha256(part.p, part.n, sum);
		buf_addf(ret, "     manifest '%s' part %zu bytes %s\n", manifest.p, part.n,
			hex_encode(sum, sizeof(sum), hex));
	}
}

static void describe(struct fixture *f, struct buf *ret)
{
	struct store_counts counts;
	struct err err = ERR_INIT;

	store_count(f->store, &counts);
	buf_addf(ret, "actions %llu records %llu volumes %u epoch %llu\n",
		(unsigned long long)counts.actions, (unsigned long long)counts.records,
		counts.volumes, (unsigned long long)keys_epoch(store_keys(f->store)));
	ck_ok(store_allowed_signers(f->store, ret, &err), err);
	for (uint64_t q = 0; q < counts.records; q++) {
		struct record_head h;

		ck_ok(store_find_sequence(f->store, q, &h, &err), err);
		describe_record(f, &h, ret);
		record_head_done(&h);
	}
}

/* As core/archive opens it, with two passphrases. */
static void open_sample(const char *path, struct fixture *ret)
{
	_cleanup_(custody_freep) struct custody *c = NULL;
	struct secret *secrets[2] = { NULL, NULL };
	struct id ids[2];
	struct err err = ERR_INIT;
	struct store_found found;

	*ret = (struct fixture){ .path = xstrdup(path), .options = { .writable = true } };
	ck_ok(store_open(path, &ret->options, &ret->store, &found, &err), err);
	ck_assert_uint_gt(found.frames_replayed, 0);
	ret->archive = *store_archive(ret->store);
	ck_ok(custody_settle(store_dir(ret->store), keys_epoch(store_keys(ret->store)), &err), err);
	ck_ok(custody_load(store_dir(ret->store), &c, &err), err);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(secret_freep) struct secret *p =
			secret_copy(passphrases[i], strlen(passphrases[i]));

		ck_ok(custody_open_any(c, p, &ids[i], &secrets[i], &err), err);
	}
	ck_ok(custody_combine(c, &ids[0], secrets[0], &ids[1], secrets[1], &ret->root, &err), err);
	secret_free(secrets[0]);
	secret_free(secrets[1]);
	ck_ok(store_unseal(ret->store, ret->root, custody_epoch(c), &err), err);
}

static void print_fault(void *context, const struct verify_finding *f)
{
	(void)context;
	(void)fprintf(stderr, "# %s %s: %s\n", verify_fault_name(f->fault), f->where, f->text);
}

static void assert_verified(struct fixture *f, const char *note_path)
{
	_cleanup_(buf_done) struct buf note = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct checkpoint c;
	const struct verify_options vo = {
		.content = true, .open = true, .found = print_fault, .checkpoint = &c
	};
	struct verify_result result;
	struct err err = ERR_INIT;

	ck_ok(file_read_whole(AT_FDCWD, note_path, &note, &err), err);
	ck_ok(checkpoint_parse(buf_str(&note), NULL, &c, &memory, &err), err);
	ck_ok(store_verify(f->store, &vo, &result, &err), err);
	ck_assert_uint_eq(result.faults, 0);
}

START_TEST(format_1_is_read)
{
	const char *source = getenv("MUNIMENT_SOURCE"), *made = getenv("MUNIMENT_MAKE_SAMPLE");
	const char *dir = harness_dir();
	_cleanup_(buf_done) struct buf expected = BUF_INIT, text = BUF_INIT;
	char base[512], tar[512], list[512], path[512], note[512];
	const char *unpack[] = { "tar", "-C", dir, "-xzf", tar, NULL };
	struct err err = ERR_INIT;
	struct fixture f;

	if (made)
		make(made);
	at(source ? source : ".", "/tests/store/samples/format-1", base);
	at(base, ".tar.gz", tar);
	at(base, ".txt", list);
	at(dir, "/archive", path);
	at(dir, "/checkpoint", note);
	ck_assert_int_eq(harness_exec(unpack, STR(""), NULL), 0);
	ck_ok(file_read_whole(AT_FDCWD, list, &expected, &err), err);
	open_sample(path, &f);
	describe(&f, &text);
	ck_assert_str_eq(text.p, expected.p);
	assert_verified(&f, note);
	free(fixture_file(&f, "今天", NULL)); /* and written to */
	assert_verified(&f, note);
	fixture_done(&f);
}
END_TEST

TESTS("store/samples", format_1_is_read)
