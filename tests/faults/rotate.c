/* Other keys while the archive lives: the server's, the root. Killed at every step of either, an archive
 * opens with one of both, whole; afterwards old keys neither sign nor open. */
#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "store/verify.h"
#include "tests/store/fixture.h"
#include "tests/store/forge.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 5, STEPS_MAX = 4000, STEPS_EACH = 24, STEPS_APART = 150 };

/* An archive with two custodians, whose opened secrets are kept: Argon2id runs once. */
struct world {
	struct fixture f;
	struct id who[2];
	struct secret *secrets[2];
};

static void world_init(struct world *w)
{
	_cleanup_(custody_freep) struct custody *c = NULL;
	_cleanup_(closep) int dir = -1;
	const struct store_options small = { .journal_segment_bytes = 64 << 10 };
	struct err err = ERR_INIT;

	fixture_init(&w->f, &small);
	dir = file_open_dir(AT_FDCWD, w->f.path, &err);
	c = custody_new(&w->f.archive);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(secret_freep) struct secret *passphrase =
			secret_copy(i ? "passphrase two" : "passphrase one", 14);

		ck_ok(custody_add(c, w->f.root, i ? "two" : "one", passphrase,
			      CUSTODY_COST_DEMONSTRATION, &w->who[i], &err),
			err);
	}
	ck_ok(custody_save(c, dir, w->f.root, &err), err);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(secret_freep) struct secret *passphrase =
			secret_copy(i ? "passphrase two" : "passphrase one", 14);

		ck_ok(custody_open_secret(c, &w->who[i], passphrase, &w->secrets[i], &err), err);
	}
	for (int i = 0; i < RECORDS; i++)
		free(fixture_file(&w->f, "轮换之前", NULL));
}

static void world_done(struct world *w)
{
	secret_free(w->secrets[0]);
	secret_free(w->secrets[1]);
	fixture_done(&w->f);
}

/* Open an archive as core/archive does: settle, then two custodians. */
static void open_as_found(struct world *w, const char *path, struct fixture *ret)
{
	_cleanup_(custody_freep) struct custody *c = NULL;
	struct err err = ERR_INIT;

	*ret = (struct fixture){
		.archive = w->f.archive, .path = xstrdup(path), .options = w->f.options
	};
	ck_ok(store_open(path, &ret->options, &ret->store, NULL, &err), err);
	ck_ok(custody_settle(store_dir(ret->store), keys_epoch(store_keys(ret->store)), &err), err);
	ck_ok(custody_load(store_dir(ret->store), &c, &err), err);
	ck_ok(custody_combine(
		      c, &w->who[0], w->secrets[0], &w->who[1], w->secrets[1], &ret->root, &err),
		err);
	ck_ok(store_unseal(ret->store, ret->root, custody_epoch(c), &err), err);
}

static void print_fault(void *context, const struct verify_finding *f)
{
	unsigned *faults = context;

	(*faults)++;
	(void)fprintf(stderr, "# %s %s: %s\n", verify_fault_name(f->fault), f->where, f->text);
}

static unsigned faults_of(struct store *s, struct str note)
{
	_cleanup_(freep) void *memory = NULL;
	unsigned faults = 0;
	struct checkpoint c;
	const struct verify_options vo = { .content = true,
		.open = true,
		.found = print_fault,
		.context = &faults,
		.checkpoint = &c };
	struct verify_result result;
	struct err err = ERR_INIT;

	ck_ok(checkpoint_parse(note, NULL, &c, &memory, &err), err);
	ck_ok(store_verify(s, &vo, &result, &err), err);
	return faults;
}

/* What is exported now: does verify-archive.sh accept a clone with it? */
static bool script_accepts(struct fixture *f, struct str note)
{
	const char *dir = harness_dir(), *source = getenv("MUNIMENT_SOURCE");
	_cleanup_(buf_done) struct buf allowed = BUF_INIT, printed = BUF_INIT;
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);
	char script[512], url[256], clone[160], signers[160], checkpoint[160];
	const char *const to_clone[] = { "git", "clone", "-q", "--mirror", url, clone, NULL };
	const char *const to_verify[] = { "bash", script, clone, signers, checkpoint, NULL };
	struct err err = ERR_INIT;
	bool accepted;

	ck_ok(store_allowed_signers(f->store, &allowed, &err), err);
	ck_ok(file_replace(fd, "signers", allowed.p, allowed.n, &err), err);
	ck_ok(file_replace(fd, "checkpoint", note.p, note.n, &err), err);
	(void)snprintf(
		script, sizeof(script), "%s/scripts/verify-archive.sh", source ? source : ".");
	(void)snprintf(url, sizeof(url), "file://%s/volumes/0001.git", f->path);
	(void)snprintf(clone, sizeof(clone), "%s/clone.git", dir);
	(void)snprintf(signers, sizeof(signers), "%s/signers", dir);
	(void)snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", dir);
	ck_assert_int_eq(harness_exec(to_clone, STR(""), NULL), 0);
	accepted = harness_exec(to_verify, STR(""), &printed) == 0;
	if (!accepted)
		(void)fprintf(stderr, "# %s\n", printed.p);
	return accepted;
}

static int rotate_server(struct store *s, struct err *err)
{
	struct id action = id_random();

	return store_rotate_server(s, "u-00001", 1000, &action, clock_now(), err);
}

static int rotate_root(struct store *s, struct secret **ret, struct err *err)
{
	_cleanup_(custody_freep) struct custody *c = NULL;
	int r = custody_load(store_dir(s), &c, err);

	return r < 0 ? r : store_rotate_root(s, c, ret, err);
}

/* It still works: a record more, nothing wrong, and again after the next start. */
static void assert_whole(struct world *w, struct fixture *f)
{
	_cleanup_(buf_done) struct buf note = BUF_INIT;
	struct store_counts counts;
	struct err err = ERR_INIT;

	free(fixture_file(f, "轮换之后", NULL));
	ck_ok(store_checkpoint(f->store, &note, &err), err);
	ck_assert_uint_eq(faults_of(f->store, buf_str(&note)), 0);
	store_count(f->store, &counts);
	ck_assert_uint_eq(counts.records, RECORDS + 1);
	store_close(TAKE_PTR(f->store));
	secret_free(TAKE_PTR(f->root));
	free(TAKE_PTR(f->path));
	(void)w;
}

START_TEST(the_servers_key_changes)
{
	_cleanup_(buf_done) struct buf note = BUF_INIT, old_note = BUF_INIT, allowed = BUF_INIT;
	_cleanup_(secret_freep) struct secret *old_seed = NULL, *next = NULL;
	struct public_key before, after;
	struct err err = ERR_INIT;
	struct world w;
	struct forge g;
	const char *path;
	struct fixture copy;
	struct commit c;

	world_init(&w);
	ck_ok(keys_purpose(store_keys(w.f.store), "server", &old_seed, &err), err);
	ck_ok(store_server_key(w.f.store, &before, &err), err);
	ck_ok(store_checkpoint(w.f.store, &old_note, &err), err);
	ck_ok(rotate_server(w.f.store, &err), err);
	ck_ok(store_server_key(w.f.store, &after, &err), err);
	ck_assert_int_ne(memcmp(&before, &after, sizeof(before)), 0);
	free(fixture_file(&w.f, "之后", NULL));
	ck_ok(rotate_server(w.f.store, &err), err);
	free(fixture_file(&w.f, "之后", NULL));
	ck_ok(store_checkpoint(w.f.store, &note, &err), err);
	ck_assert_uint_eq(faults_of(w.f.store, buf_str(&note)), 0);
	ck_assert_uint_eq(faults_of(w.f.store, buf_str(&old_note)), 0); /* its key counted then */
	ck_assert(script_accepts(&w.f, buf_str(&note)));
	ck_assert(script_accepts(&w.f, buf_str(&old_note)));
	ck_ok(store_allowed_signers(w.f.store, &allowed, &err), err);
	ck_assert_ptr_nonnull(strstr(allowed.p, "valid-after="));
	ck_assert_ptr_nonnull(strstr(allowed.p, "valid-before="));
	/* Without a ledger the history says the same. */
	fixture_reopen(&w.f, NULL);
	buf_reset(&note);
	ck_ok(store_allowed_signers(w.f.store, &note, &err), err);
	ck_assert_str_eq(note.p, allowed.p);
	buf_reset(&note);
	ck_ok(store_checkpoint(w.f.store, &note, &err), err);
	store_close(TAKE_PTR(w.f.store));

	/* The first key signs a commit again. */
	path = fixture_copy(&w.f);
	forge_init(&g, &w.f, path);
	signer_free(g.server);
	g.server = signer_new(old_seed);
	c = g.last;
	c.parent = g.last.parent;
	forge_commit(&g, &c, g.server);
	forge_done(&g);
	copy = (struct fixture){ .path = xstrdup(path), .archive = w.f.archive };
	ck_ok(store_open(path, &copy.options, &copy.store, NULL, &err), err);
	ck_ok(store_unseal(copy.store, w.f.root, 1, &err), err);
	ck_assert_uint_gt(faults_of(copy.store, buf_str(&old_note)), 0);
	ck_assert(!script_accepts(&copy, buf_str(&old_note)));
	fixture_done(&copy);
	world_done(&w);
}
END_TEST

START_TEST(the_root_key_changes)
{
	_cleanup_(secret_freep) struct secret *root = NULL;
	struct wrapped_key drawn;
	struct err err = ERR_INIT;
	struct store *s = NULL;
	struct world w;
	struct fixture f;
	struct id record = id_random();
	uint8_t key[32];

	world_init(&w);
	ck_ok(keys_draw(store_keys(w.f.store), &record, &drawn, key, &err), err);
	ck_ok(rotate_root(w.f.store, &root, &err), err);
	ck_assert_int_eq(secret_equal(root, w.f.root), 0);
	ck_assert_uint_eq(keys_epoch(store_keys(w.f.store)), 2);
	ck_fails(keys_unwrap(store_keys(w.f.store), &drawn, key, &err), err, ERR_CRYPTO);
	store_close(TAKE_PTR(w.f.store));
	ck_ok(store_open(w.f.path, &w.f.options, &s, NULL, &err), err);
	ck_fails(store_unseal(s, w.f.root, 1, &err), err, ERR_CONFLICT);
	ck_fails(store_unseal(s, w.f.root, 2, &err), err, ERR_CRYPTO);
	store_close(s);
	open_as_found(&w, w.f.path, &f);
	ck_assert(secret_equal(f.root, root));
	assert_whole(&w, &f);
	world_done(&w);
}
END_TEST

/* ---- killed at every step ---- */

struct killer {
	int steps, at;
};

static int count_step(void *context, const struct file_event *event)
{
	struct killer *k = context;

	(void)event;
	if (k->steps++ == k->at)
		(void)kill(getpid(), SIGKILL);
	return 0;
}

/* Returns whether the child was killed before it was done. */
static bool killed_at(struct world *w, const char *path, int step, bool root)
{
	pid_t pid = fork();
	int status = 0;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct killer killer = { 0, step };
		struct file_hook hook = { count_step, &killer };
		struct secret *fresh = NULL;
		struct store *s = NULL;

		if (store_open(path, &w->f.options, &s, NULL, NULL) < 0 ||
			store_unseal(s, w->f.root, 1, NULL) < 0)
			_exit(2);
		file_set_hook(&hook);
		if ((root ? rotate_root(s, &fresh, NULL) : rotate_server(s, NULL)) < 0)
			_exit(3);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void kill_everywhere(bool root)
{
	struct world w;
	bool killed = true;
	int step;

	world_init(&w);
	store_close(TAKE_PTR(w.f.store));
	/* Every step that decides; then, as used segments are overwritten, one here and there. */
	for (step = 0; killed && step < STEPS_MAX; step += step < STEPS_EACH ? 1 : STEPS_APART) {
		const char *path = fixture_copy(&w.f);
		struct fixture f;

		killed = killed_at(&w, path, step, root);
		open_as_found(&w, path, &f);
		assert_whole(&w, &f);
		(void)file_remove_tree(AT_FDCWD, path, NULL);
	}
	ck_assert_int_gt(step, 2);
	ck_assert(!killed);
	world_done(&w);
}

START_TEST(killed_while_the_servers_key_changes)
{
	kill_everywhere(false);
}
END_TEST

START_TEST(killed_while_the_root_changes)
{
	kill_everywhere(true);
}
END_TEST

TESTS("faults/rotate", the_servers_key_changes, the_root_key_changes,
	killed_while_the_servers_key_changes, killed_while_the_root_changes)
