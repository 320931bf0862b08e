/* archive.c - filing through the archive's verbs against `git fast-import` of the same payload in clear.
 *
 * usage: bench-archive [--quick] [bulk|large|commits|alone|growth|filing]
 *
 * `large` is the second half of `bulk`, once. `filing` is ours alone, without a bar: for a profiler.
 *
 * Ours: threads of this process call the verbs as the command line does, with descriptors of files in memory: requests
 * are parsed, series and numbers checked, text read, hashed, sealed; every action is signed and durable before it is
 * answered. The full-text index is off (setting index.follow): it has a bench of its own. "To the registry" ends
 * when everything is in packs, refs and keys.db, and each record has its row in the registry.
 *
 * Theirs: a file of 2 KB and one as long as our manifest for each record, in clear, core.compression=0, no fsync, as
 * many records in a commit as ours have in an action.
 *
 * Ratios are medians of what was measured in pairs, one after the other. */
#include "tests/bench/theirs.h"

#include "core/archive/inside.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"
#include "core/archive/verb.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hex.h"
#include "core/base/tr.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PART = 2048,
	MANIFEST = 700, /* bytes of the JSON of such a record */
	BATCH = 100,	/* documents in a request, as `muniment import` has */
	ROUNDS = 8,
	WAIT_MS = 600000,
};

#define OPERATOR "王敏"

static struct buf pool = BUF_INIT; /* of text to take payloads from */
static const struct payload payload = { &pool, PART, MANIFEST };
static _Atomic uint64_t next_document;

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "bench: %s\n", err->text);
	exit(1);
}

/* ---- an archive ---- */

struct world {
	char *folder, *path;
	struct archive *archive;
};

static void open_world(struct world *w)
{
	struct err err = ERR_INIT;

	must(archive_open(w->path, ARCHIVE_WRITABLE, &w->archive, &err), &err);
	must(settings_set(w->archive->settings, SETTING_INDEX_FOLLOW, STR("false"), &err), &err);
	must(archive_unseal_demonstration(w->archive, &err), &err);
}

static void make_world(struct world *w)
{
	const struct init_options options = { .operator_name = OPERATOR, .demonstration = true };
	struct err err = ERR_INIT;
	struct init_made made;

	w->folder = bench_folder();
	if (asprintf(&w->path, "%s/archive", w->folder) < 0)
		abort();
	must(archive_init(w->path, &options, &made, &err), &err);
	open_world(w);
}

static void drop_world(struct world *w)
{
	archive_close(w->archive, WAIT_MS);
	bench_remove(w->folder);
	free(w->folder);
	free(w->path);
}

static void catch_up(struct world *w)
{
	if (!recorder_catch_up(w->archive, WAIT_MS))
		abort();
}

/* ---- clients ---- */

struct client {
	struct archive *archive;
	size_t records, batch; /* batch 0: one record a request, by `file` */
	double *latencies;     /* NULL, or one for each request */
	pthread_t thread;
	int fds[BATCH];
	struct buf request, reply;
};

static void run_verb(struct client *c, const char *verb, size_t fd_count)
{
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call call = { .caller = { .origin = ACCESS_OWNER },
		.fds = c->fds,
		.fd_count = fd_count,
		.reply = &c->reply };
	struct err err = ERR_INIT;

	must(buf_check(&c->request, &err), &err);
	must(json_parse(buf_str(&c->request), NULL, 0, &args, &err), &err);
	call.args = args;
	buf_reset(&c->reply);
	must(verb_run(c->archive, str_of(verb), &call, &err), &err);
}

static void fill(int fd)
{
	uint64_t r = atomic_load(&next_document) * 0x9e3779b97f4a7c15u >> 8;

	if (pwrite(fd, pool.p + r % (pool.n - PART), PART, 0) != PART)
		abort();
}

/* Make it a document that nobody filed before: one with another beginning. Writing all of it would be work of the
 * client's, which is not what is measured, and after encryption the same as any. */
static uint64_t renew(int fd)
{
	uint64_t n = atomic_fetch_add(&next_document, 1);
	char text[2 * sizeof(n) + 1];

	(void)hex_encode(&n, sizeof(n), text);
	if (pwrite(fd, text, 2 * sizeof(n), 0) != 2 * sizeof(n))
		abort();
	return n;
}

static void add_date(struct buf *b, uint64_t n)
{
	buf_adds(b, "\"date\":\"2025-");
	buf_add_padded(b, n / 28 % 12 + 1, 2);
	buf_addc(b, '-');
	buf_add_padded(b, n % 28 + 1, 2);
	buf_addc(b, '"');
}

static void file_batch(struct client *c)
{
	buf_reset(&c->request);
	buf_adds(&c->request, "{\"as\":\"" OPERATOR "\",\"series\":\"GEN\",\"department\":"
			      "\"质量管理部\",\"documents\":[");
	for (size_t i = 0; i < c->batch; i++) {
		uint64_t n = renew(c->fds[i]);

		buf_adds(&c->request, i ? ",{\"fd\":" : "{\"fd\":");
		buf_add_u64(&c->request, i);
		buf_adds(&c->request, ",\"name\":\"检验记录 ");
		buf_add_u64(&c->request, n);
		buf_adds(&c->request, ".txt\",");
		add_date(&c->request, n / BATCH);
		buf_addc(&c->request, '}');
	}
	buf_adds(&c->request, "]}");
	run_verb(c, "file.batch", c->batch);
	if (!strstr(c->reply.p, "\"existing\":0,\"refused\":0"))
		abort();
}

static void file_one(struct client *c)
{
	uint64_t n = renew(c->fds[0]);

	buf_reset(&c->request);
	buf_addf(&c->request,
		"{\"as\":\"" OPERATOR "\",\"series\":\"GEN\",\"department\":\"质量管理部\","
		"\"title\":\"检验记录 %llu\",\"request\":\"request %llu\",",
		(unsigned long long)n, (unsigned long long)n);
	add_date(&c->request, n / BATCH);
	buf_adds(&c->request, ",\"parts\":[{\"fd\":0,\"name\":\"检验记录.txt\"}]}");
	run_verb(c, "file", 1);
}

static void *work(void *context)
{
	struct client *c = context;
	size_t each = c->batch ? c->batch : 1;

	(void)pthread_setname_np(pthread_self(), "client");
	buf_init(&c->request, VERB_MAX_REQUEST);
	buf_init(&c->reply, VERB_MAX_REPLY);
	for (size_t i = 0; i < each; i++) {
		c->fds[i] = memfd_create("document", MFD_CLOEXEC);
		if (c->fds[i] < 0)
			abort();
		fill(c->fds[i]);
	}
	for (size_t done = 0; done < c->records; done += each) {
		double start = bench_now();

		if (c->batch)
			file_batch(c);
		else
			file_one(c);
		if (c->latencies)
			c->latencies[done / each] = bench_now() - start;
	}
	for (size_t i = 0; i < each; i++)
		(void)close(c->fds[i]);
	buf_done(&c->request);
	buf_done(&c->reply);
	return NULL;
}

/* What filing took: seconds until the last answer and until the registry had everything; of processor until then. */
struct took {
	double answered, registered, cpu;
};

static struct took file_all(struct world *w, size_t clients, size_t records, size_t batch)
{
	struct client *c = xcalloc(clients, sizeof(*c));
	size_t each = batch ? batch : 1;
	double start = bench_now(), cpu = bench_cpu();
	struct took t;

	for (size_t i = 0; i < clients; i++) {
		c[i].archive = w->archive;
		c[i].records = records / clients / each * each;
		c[i].batch = batch;
		/* The rest goes to the first ones. */
		if (i < (records - clients * c[i].records) / each)
			c[i].records += each;
		if (pthread_create(&c[i].thread, NULL, work, &c[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < clients; i++)
		(void)pthread_join(c[i].thread, NULL);
	t.answered = bench_now() - start;
	catch_up(w);
	t.registered = bench_now() - start;
	t.cpu = bench_cpu() - cpu;
	free(c);
	return t;
}

/* ---- rates ---- */

struct rates {
	double ours[ROUNDS], registered[ROUNDS], theirs[ROUNDS];
	double ratio[ROUNDS], ratio_registered[ROUNDS], ratio_cpu[ROUNDS];
	double cpu[ROUNDS], their_cpu[ROUNDS];
};

static void measure(struct rates *x, size_t round, const char *stream, size_t clients,
	size_t records, size_t batch)
{
	double n = (double)records, theirs, cpu;
	struct world w;
	struct took t;

	make_world(&w);
	t = file_all(&w, clients, records, batch);
	drop_world(&w);
	cpu = bench_child_cpu();
	theirs = theirs_import(stream);
	cpu = bench_child_cpu() - cpu;
	x->ours[round] = n / t.answered;
	x->registered[round] = n / t.registered;
	x->theirs[round] = n / theirs;
	x->cpu[round] = t.cpu / n * 1e6;
	x->their_cpu[round] = cpu / n * 1e6;
	x->ratio[round] = theirs / t.answered;
	x->ratio_registered[round] = theirs / t.registered;
	x->ratio_cpu[round] = t.cpu / cpu;
}

static void rates(
	const char *what, size_t clients, size_t records, size_t batch, size_t rounds, double bar)
{
	char *folder = bench_folder(), name[96];
	char *stream = theirs_stream(folder, &payload, records, batch ? batch : 1);
	struct rates *x = xcalloc(1, sizeof(*x));
	double theirs;

	for (size_t i = 0; i < rounds; i++)
		measure(x, i, stream, clients, records, batch);
	theirs = bench_median(x->theirs, rounds);
	(void)snprintf(name, sizeof(name), "%s, %zu records, to the last answer", what, records);
	bench_row(name, "records/s", bench_median(x->ours, rounds), theirs,
		bench_median(x->ratio, rounds), bar, false);
	(void)snprintf(name, sizeof(name), "%s, %zu records, to the registry", what, records);
	bench_row(name, "records/s", bench_median(x->registered, rounds), theirs,
		bench_median(x->ratio_registered, rounds), bar, false);
	bench_note("   of processor, all threads, to the registry", "us/record",
		bench_median(x->cpu, rounds), bench_median(x->their_cpu, rounds),
		bench_median(x->ratio_cpu, rounds));
	free(x);
	free(stream);
	bench_remove(folder);
	free(folder);
}

/* ---- one client alone ---- */

/* The median answer, beside a write of 8 KiB and fdatasync on the same disk in the same loop. */
static void alone(size_t count)
{
	double *ours = xcalloc(count, sizeof(*ours)), *disk = xcalloc(count, sizeof(*disk));
	static uint8_t block[8192];
	struct err err = ERR_INIT;
	struct world w;
	int dir, fd;

	make_world(&w);
	dir = file_open_dir(AT_FDCWD, w.folder, &err);
	must(dir, &err);
	fd = file_create(dir, "plain", &err);
	must(fd, &err);
	must(file_pwrite_zeros(fd, count * sizeof(block), 0, &err), &err);
	must(file_datasync(fd, &err), &err);
	for (size_t i = 0; i < count; i++) {
		struct client c = { .archive = w.archive, .records = 1, .latencies = &ours[i] };
		double start;

		(void)work(&c);
		memset(block, (int)i + 1, sizeof(block));
		start = bench_now();
		must(file_pwrite(fd, block, sizeof(block), i * sizeof(block), &err), &err);
		must(file_datasync(fd, &err), &err);
		disk[i] = bench_now() - start;
	}
	bench_row("one client alone, median answer against fdatasync", "ms",
		bench_median(ours, count) * 1e3, bench_median(disk, count) * 1e3,
		bench_median(ours, count) / bench_median(disk, count), 3, true);
	closep(&fd);
	closep(&dir);
	drop_world(&w);
	free(ours);
	free(disk);
}

/* ---- growth ---- */

/* Until packs are merged, which is done when there is nothing else to do. */
static void rest(void)
{
	double cpu;

	do {
		cpu = bench_cpu();
		(void)poll(NULL, 0, 100);
	} while (bench_cpu() - cpu > 0.005);
}

static double cost(struct world *w, size_t clients, size_t records, size_t batch)
{
	rest();
	return file_all(w, clients, records, batch).cpu / (double)records * 1e6;
}

/* Seconds from the file system to verbs that can be called, without the passphrases. */
static double opening(struct world *w)
{
	struct secret *root = secret_copy(w->archive->root->p, w->archive->root->n);
	struct err err = ERR_INIT;
	double start;

	archive_close(w->archive, WAIT_MS);
	start = bench_now();
	must(archive_open(w->path, ARCHIVE_WRITABLE, &w->archive, &err), &err);
	must(settings_set(w->archive->settings, SETTING_INDEX_FOLLOW, STR("false"), &err), &err);
	must(archive_unseal_root(w->archive, root, 1, &err), &err);
	start = bench_now() - start;
	secret_free(root);
	return start;
}

/* Milliseconds, the median of a few. */
static double openings(struct world *w)
{
	double took[5];

	for (size_t i = 0; i < ARRAY_LEN(took); i++)
		took[i] = opening(w) * 1e3;
	return bench_median(took, ARRAY_LEN(took));
}

/* Small archives of 2,000 records against one of `records`, in turn. */
static void growth(size_t records, size_t rounds)
{
	enum { SMALL = 2000, PROBE = 2000 };
	double one[ROUNDS], one_late[ROUNDS], many[ROUNDS], many_late[ROUNDS], ratio[ROUNDS],
		ratio_many[ROUNDS], open[ROUNDS], open_late[ROUNDS];
	struct world small, large;
	char name[96];

	double cpu;

	make_world(&large);
	(void)file_all(&large, 8, records, BATCH);
	cpu = bench_cpu();
	rest();
	(void)printf("   merging packs afterwards: %.1f us of processor a record\n",
		(bench_cpu() - cpu) * 1e6 / (double)records);
	for (size_t i = 0; i < rounds; i++) {
		make_world(&small);
		(void)file_all(&small, 8, SMALL, BATCH);
		one[i] = cost(&small, 8, PROBE, 0);
		one_late[i] = cost(&large, 8, PROBE, 0);
		many[i] = cost(&small, 8, 2 * PROBE, BATCH);
		many_late[i] = cost(&large, 8, 2 * PROBE, BATCH);
		ratio[i] = one_late[i] / one[i];
		ratio_many[i] = many_late[i] / many[i];
		open[i] = openings(&small);
		open_late[i] = openings(&large);
		drop_world(&small);
	}
	(void)snprintf(name, sizeof(name), "record %zu against 2000, one a request", records);
	bench_row(name, "us CPU", bench_median(one_late, rounds), bench_median(one, rounds),
		bench_median(ratio, rounds), 1.2, true);
	(void)snprintf(name, sizeof(name), "record %zu against 2000, %d a request", records, BATCH);
	bench_row(name, "us CPU", bench_median(many_late, rounds), bench_median(many, rounds),
		bench_median(ratio_many, rounds), 1.2, true);
	(void)snprintf(name, sizeof(name), "opening, %zu records (against 100 ms)", records);
	bench_row(name, "ms", bench_median(open_late, rounds), 100,
		bench_median(open_late, rounds) / 100, 1, true);
	(void)snprintf(name, sizeof(name), "   the same against %d records", SMALL);
	bench_row(name, "ms", bench_median(open_late, rounds), bench_median(open, rounds),
		bench_median(open_late, rounds) / bench_median(open, rounds), 1.5, true);
	drop_world(&large);
}

/* What each thread that still runs took of the processor, by its name. */
static void threads(size_t records)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[300], name[32] = "";
		double ran = 0, waited = 0;
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f))
			name[strcspn(name, "\n")] = '\0';
		if (f)
			(void)fclose(f);
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", e->d_name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%lf %lf", &ran, &waited) == 2 && ran > 0)
			(void)printf("   %-16s %6.2f us a record, %6.2f waiting for a processor\n",
				name, ran / 1e3 / (double)records, waited / 1e3 / (double)records);
		if (f)
			(void)fclose(f);
	}
	if (dir)
		(void)closedir(dir);
}

static void filing(size_t records)
{
	struct world w;
	struct took t;

	make_world(&w);
	t = file_all(&w, 8, records, BATCH);
	bench_note("filing alone, to the last answer and to the registry", "records/s",
		(double)records / t.answered, (double)records / t.registered,
		t.answered / t.registered);
	bench_note("   of processor, and of that in a second", "us, cores",
		t.cpu / (double)records * 1e6, t.cpu / t.registered, 1);
	threads(records);
	drop_world(&w);
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	const char *only = argc > (quick ? 2 : 1) ? argv[argc - 1] : NULL;
	uint64_t seed = 42;

	secret_init();
	store_init();
	tr_set_language(TR_EN);
	bench_text(&seed, 1 << 20, &pool);
	bench_head();
	if (!only || strcmp(only, "bulk") == 0) {
		rates("bulk, 8 clients", 8, 20000, BATCH, quick ? 2 : 5, 2);
		if (!quick)
			rates("bulk, 8 clients", 8, 200000, BATCH, 3, 2);
	}
	if (only && strcmp(only, "large") == 0)
		rates("bulk, 8 clients", 8, 200000, BATCH, 1, 2);
	if (!only || strcmp(only, "commits") == 0)
		rates("a commit each, 64 clients", 64, quick ? 5000 : 20000, 0, quick ? 2 : 3, 1.3);
	if (!only || strcmp(only, "alone") == 0)
		alone(quick ? 200 : 500);
	if (!only || strcmp(only, "growth") == 0)
		growth(quick ? 20000 : 200000, 3);
	if (only && strcmp(only, "filing") == 0)
		filing(quick ? 20000 : 100000);
	buf_done(&pool);
	return 0;
}
