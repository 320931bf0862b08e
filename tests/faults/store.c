/* The whole store under kill -9 and power cuts: what was answered is there, whole, once, and verify finds nothing.
 *
 * Kills come at a step of a file (a write, a sync, a rename ...) chosen by seed, while four writers file,
 * revise and destroy; small limits make packs, merges, journal segments and volumes turn over all the time.
 * Kills prove nothing about what was synced: that is the power cut's part. */
#include "tests/harness.h"

#include "core/base/file.h"
#include "store/verify.h"
#include "tests/faults/powercut.h"
#include "tests/faults/sqlitevfs.h"
#include "tests/store/fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 4, OPS = 14, KILLS = 210, KILLS_PER_ARCHIVE = 15, CUTS = 120, CUT_RECORDS = 24 };

static const struct store_options tight = { .writable = true,
	.volume_max_bytes = 96 << 10,
	.pending_max_bytes = 64 << 10,
	.journal_segment_bytes = 64 << 10,
	.merge_packs = 3,
	.apply_delay_ms = 1 };

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* ---- what a child tells its parent: one line is one answer ---- */

struct answer {
	struct id record;
	uint32_t round, writer, op;
	uint32_t version;
	bool destroyed;
};

static void request_of(uint32_t round, uint32_t writer, uint32_t op, char out[64])
{
	(void)snprintf(out, 64, "r%u w%u o%u", round, writer, op);
}

struct killer {
	_Atomic int steps;
	int at;
};

static int count_step(void *context, const struct file_event *event)
{
	struct killer *k = context;

	(void)event;
	if (atomic_fetch_add(&k->steps, 1) == k->at)
		(void)kill(getpid(), SIGKILL);
	return 0;
}

struct job {
	struct fixture *f;
	uint32_t round, writer, seed;
	int pipe;
};

static void tell(const struct job *j, const struct answer *a)
{
	if (write(j->pipe, a, sizeof(*a)) != (ssize_t)sizeof(*a))
		_exit(3);
}

/* Files; now and then revises or destroys what this writer filed before. */
static void *work(void *context)
{
	struct job *j = context;
	struct answer last = { .op = 0 };
	uint32_t seed = j->seed;

	for (uint32_t op = 0; op < OPS; op++) {
		uint32_t dice = next_random(&seed) % 10;
		char request[64];
		struct sample s = { .record = id_random(), .text = "断电", .request = request };
		struct id action = id_random();
		struct err err = ERR_INIT;

		request_of(j->round, j->writer, op, request);
		if (last.version && dice == 0) {
			last.destroyed = store_destroy(j->f->store, &last.record, "u-00001", 1,
						 &action, 1779242400, &err) == 0;
			tell(j, &last);
			last.version = 0;
			continue;
		}
		if (last.version && dice <= 3) {
			s.record = last.record;
			s.base_version = last.version;
			s.part_bytes = 3000;
			if (fixture_write(j->f, &s, 1, NULL, &err) == 0) {
				last.version++;
				tell(j, &last);
			}
			continue;
		}
		if (fixture_write(j->f, &s, 1, NULL, &err) < 0)
			continue;
		last = (struct answer){ s.record, j->round, j->writer, op, 1, false };
		tell(j, &last);
	}
	return NULL;
}

static void child(const struct fixture *f, uint32_t round, uint32_t seed, int out)
{
	struct killer killer = { 0, (int)(next_random(&seed) % 260) };
	struct file_hook hook = { count_step, &killer };
	struct fixture own = {
		.archive = f->archive, .root = f->root, .path = f->path, .options = tight
	};
	struct job jobs[WRITERS];
	pthread_t threads[WRITERS];

	file_set_hook(&hook);
	if (store_open(own.path, &own.options, &own.store, NULL, NULL) < 0 ||
		store_unseal(own.store, own.root, 1, NULL) < 0)
		_exit(2);
	for (uint32_t w = 0; w < WRITERS; w++) {
		jobs[w] = (struct job){ &own, round, w, next_random(&seed), out };
		if (pthread_create(&threads[w], NULL, work, &jobs[w]) != 0)
			_exit(2);
	}
	for (uint32_t w = 0; w < WRITERS; w++)
		(void)pthread_join(threads[w], NULL);
	store_close(own.store);
	_exit(0);
}

/* A frame that was set aside is reported until somebody acknowledges it; that is as it should be after a power cut. */
static void print_fault(void *context, const struct verify_finding *f)
{
	unsigned *faults = context;

	if (f->fault == FAULT_JOURNAL)
		return;
	(*faults)++;
	(void)fprintf(stderr, "# %s %s: %s\n", verify_fault_name(f->fault), f->where, f->text);
}

static void assert_verified(struct store *s, const char *when)
{
	unsigned faults = 0;
	const struct verify_options vo = {
		.content = true, .open = true, .found = print_fault, .context = &faults
	};
	struct verify_result result;
	struct err err = ERR_INIT;

	ck_ok(store_verify(s, &vo, &result, &err), err);
	ck_assert_msg(faults == 0, "%s: verify found %u faults", when, faults);
}

static void check_answers(struct fixture *f, const struct buf *answers, uint32_t round)
{
	const struct answer *a = (const struct answer *)(const void *)answers->p;
	size_t count = answers->n / sizeof(*a);

	for (size_t i = 0; i < count; i++) {
		struct err err = ERR_INIT;
		struct record_head h;

		ck_ok(store_find(f->store, &a[i].record, &h, &err), err);
		ck_assert_msg(h.version >= a[i].version,
			"round %u: version %u was answered, %llu is there", round, a[i].version,
			(unsigned long long)h.version);
		ck_assert(!a[i].destroyed || h.destroyed);
		record_head_done(&h);
	}
	/* Everything asked again: what had been filed is not filed twice. */
	for (uint32_t w = 0; w < WRITERS; w++)
		for (uint32_t op = 0; op < OPS; op += 5) {
			char request[64];
			struct sample s = {
				.record = id_random(), .text = "断电", .request = request
			};
			struct change_record first, again;
			struct err err = ERR_INIT;

			request_of(round, w, op, request);
			ck_ok(fixture_write(f, &s, 1, &first, &err), err);
			s.record = id_random();
			ck_ok(fixture_write(f, &s, 1, &again, &err), err);
			ck_assert(again.ret_existing);
			ck_assert_str_eq(first.ret_number, again.ret_number);
			free(first.ret_number);
			free(again.ret_number);
		}
}

static bool kill_round(struct fixture *f, uint32_t round, uint32_t seed)
{
	struct buf answers = BUF_INIT;
	struct err err = ERR_INIT;
	int ends[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	store_close(TAKE_PTR(f->store));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child(f, round, seed, ends[1]);
	(void)close(ends[1]);
	ck_ok(file_read_fd(ends[0], &answers, &err), err);
	(void)close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "the child gave up: %d",
		WEXITSTATUS(status));
	ck_ok(store_open(f->path, &f->options, &f->store, NULL, &err), err);
	ck_ok(store_unseal(f->store, f->root, 1, &err), err);
	check_answers(f, &answers, round);
	assert_verified(f->store, "after a kill");
	buf_done(&answers);
	return WIFSIGNALED(status);
}

START_TEST(kills_lose_nothing)
{
	uint32_t seed = 20261121;
	unsigned killed = 0, round = 0;

	while (killed < KILLS) {
		struct fixture f;

		fixture_init(&f, &tight);
		for (unsigned i = 0; i < KILLS_PER_ARCHIVE; i++)
			killed += kill_round(&f, round++, next_random(&seed));
		fixture_done(&f);
		ck_assert_uint_lt(round, 4 * KILLS + KILLS_PER_ARCHIVE);
	}
}
END_TEST

/* ---- power cuts ---- */

struct run {
	struct fixture f;
	struct id records[CUT_RECORDS];
	uint64_t versions[CUT_RECORDS];
};

/* One writer, so that the mark says exactly what had been answered. */
static void recorded_run(struct run *run, struct powercut *p)
{
	struct err err = ERR_INIT;

	for (uint64_t i = 0; i < CUT_RECORDS; i++) {
		struct sample s = {
			.record = id_random(), .text = "停电", .part_bytes = 200 + i * 977 % 9000
		};

		ck_ok(fixture_write(&run->f, &s, 1, NULL, &err), err);
		run->records[i] = s.record;
		powercut_mark(p, i + 1);
	}
}

static void check_cut(
	struct run *run, struct powercut *p, size_t step, uint32_t seed, const char *target)
{
	uint64_t answered = powercut_build(p, step, seed, target);
	_cleanup_(buf_done) struct buf words = BUF_INIT;
	struct fixture after = { .archive = run->f.archive,
		.root = secret_copy(run->f.root->p, KEY_BYTES),
		.path = xstrdup(target),
		.options = tight };
	struct err err = ERR_INIT;

	if (step < powercut_steps(p))
		powercut_describe(p, step, &words);
	else
		buf_adds(&words, "the end");
	ck_assert_msg(store_open(target, &tight, &after.store, NULL, &err) == 0,
		"cut before step %zu (%s): %s", step, words.p, err.text);
	ck_assert_msg(store_unseal(after.store, after.root, 1, &err) == 0,
		"cut before step %zu (%s): %s", step, words.p, err.text);
	for (uint64_t i = 0; i < answered; i++) {
		_cleanup_(buf_done) struct buf part = BUF_INIT;

		ck_assert_msg(fixture_part(&after, &run->records[i], 1, &part, &err) == 0,
			"cut before step %zu (%s): record %llu of %llu answered: %s", step, words.p,
			(unsigned long long)i, (unsigned long long)answered, err.text);
	}
	free(fixture_file(&after, "之后", NULL));
	assert_verified(after.store, words.p);
	fixture_done(&after);
}

START_TEST(power_cuts_lose_nothing)
{
	_cleanup_(powercut_freep) struct powercut *p = NULL;
	uint32_t seed = 77;
	struct run run;
	size_t steps;

	fixture_init(&run.f, &tight);
	store_close(TAKE_PTR(run.f.store));
	p = powercut_new(run.f.path);
	sqlitevfs_record(p);
	file_set_hook(powercut_hook(p));
	{
		struct err err = ERR_INIT;

		ck_ok(store_open(run.f.path, &run.f.options, &run.f.store, NULL, &err), err);
		ck_ok(store_unseal(run.f.store, run.f.root, 1, &err), err);
	}
	recorded_run(&run, p);
	store_close(TAKE_PTR(run.f.store));
	file_set_hook(NULL);
	sqlitevfs_record(NULL);
	steps = powercut_steps(p);
	ck_assert_uint_gt(steps, 200);
	for (unsigned i = 0; i < CUTS; i++) {
		const char *target = harness_dir();

		check_cut(&run, p, next_random(&seed) % (steps + 1), next_random(&seed), target);
		(void)file_remove_tree(AT_FDCWD, target, NULL);
	}
	fixture_done(&run.f);
}
END_TEST

TESTS("faults/store", kills_lose_nothing, power_cuts_lose_nothing)
