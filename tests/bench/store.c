/* store.c - filing through the store against git fast-import of the same payload in clear.
 *
 * usage: bench-store [RECORDS [ROUNDS]]
 *
 * Ours: every record has a 2,048-byte part and a manifest of some 300 bytes, both encrypted under a
 * key of its own, a slip, signed commits, durable before the answer. Theirs: the same two files per
 * record in clear, core.compression=0, no fsync at all. */
#include "tests/bench/theirs.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tr.h"
#include "core/base/file.h"
#include "store/envelope.h"
#include "store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PART = 2048, MANIFEST = 300, CHUNK = 128, POOL = 4096 };

static struct buf pool = BUF_INIT; /* of text to take payloads from */

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "bench: %s\n", err->text);
	exit(1);
}

/* ---- ours ---- */

struct client {
	struct store *store;
	size_t records, per_action;
	uint64_t seed;
	double *latencies; /* NULL, or one for each action */
	pthread_t thread;
};

struct one {
	struct wrapped_key key;
	uint8_t plain[32];
	struct change_part part;
	struct change_chunk chunk;
	struct buf sealed;
	char folder[64];
	struct str text;
};

static int manifest(void *context, const struct drawn *drawn, struct buf *ret, struct err *err)
{
	const struct one *o = context;

	(void)err;
	buf_addf(ret, "{\"number\":\"%.*s\",\"version\":%llu,\"text\":\"", STR_ARG(drawn->number),
		(unsigned long long)drawn->version);
	buf_add(ret, o->text.p, MANIFEST - 80);
	buf_adds(ret, "\"}");
	return 0;
}

static void prepare(struct client *c, struct one *o, struct change_record *cr)
{
	const struct id archive = *store_archive(c->store);
	struct envelope_binding binding = { .archive = archive };
	struct envelope_head head = { .kind = ENVELOPE_PART, .chunks = 1, .plain_bytes = PART };
	struct err err = ERR_INIT;
	uint64_t r = bench_random(&c->seed);

	*cr = (struct change_record){
		.record = id_ordered(), .scope = STR("样本-202605-*"), .serial_digits = 7
	};
	o->text = (struct str){ pool.p + r % (pool.n - 2 * PART), PART };
	must(keys_draw(store_keys(c->store), &cr->record, &o->key, o->plain, &err), &err);
	binding.record = cr->record;
	head.key = o->key.key;
	head.part = o->part.part = id_random();
	buf_reset(&o->sealed);
	must(envelope_seal(&binding, &head, o->plain, o->text.p, &o->sealed, &err), &err);
	o->chunk.sealed = buf_str(&o->sealed);
	o->chunk.blob = (struct slip_blob){ .bytes = o->sealed.n };
	sha256(o->sealed.p, o->sealed.n, o->chunk.blob.sha256.b);
	object_name(OBJECT_BLOB, o->sealed.p, o->sealed.n, &o->chunk.blob.oid);
	o->part.chunks = &o->chunk;
	o->part.chunk_count = 1;
	(void)snprintf(o->folder, sizeof(o->folder), "2026-%02u/样本/部门%u",
		(unsigned)(r >> 20) % 12 + 1, (unsigned)(c->seed >> 7) % 4);
	cr->folder = str_of(o->folder);
	cr->keys = &o->key;
	cr->key_count = 1;
	cr->manifest_key_id = o->key.key;
	cr->manifest_key = o->plain;
	cr->parts = &o->part;
	cr->part_count = 1;
	cr->manifest = manifest;
	cr->context = o;
	cr->has_request = true;
	must(store_request(c->store, cr->record.b, ID_BYTES, &cr->request, &err), &err);
}

static void *client(void *context)
{
	struct client *c = context;
	struct one *ones = xcalloc(c->per_action, sizeof(*ones));
	struct change_record *records = xcalloc(c->per_action, sizeof(*records));
	struct err err = ERR_INIT;

	for (size_t i = 0; i < c->per_action; i++)
		buf_init(&ones[i].sealed, BUF_DEFAULT_MAX);
	for (size_t done = 0; done < c->records; done += c->per_action) {
		double start = bench_now();
		struct change ch = { .act = ACT_FILE,
			.action = id_random(),
			.account = "u-00001",
			.time = clock_now(),
			.records = records,
			.record_count = c->per_action };

		for (size_t i = 0; i < c->per_action; i++)
			prepare(c, &ones[i], &records[i]);
		must(store_write(c->store, &ch, &err), &err);
		for (size_t i = 0; i < c->per_action; i++)
			free(records[i].ret_number);
		if (c->latencies)
			c->latencies[done / c->per_action] = bench_now() - start;
	}
	for (size_t i = 0; i < c->per_action; i++)
		buf_done(&ones[i].sealed);
	free(ones);
	free(records);
	return NULL;
}

struct archive {
	char *folder, *path;
	struct store *store;
};

static void archive_open(struct archive *a)
{
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	const struct store_options options = { .writable = true };
	struct id id = id_random();
	struct err err = ERR_INIT;

	a->folder = bench_folder();
	if (asprintf(&a->path, "%s/archive", a->folder) < 0)
		abort();
	must(store_create(a->path, &id, true, root, &err), &err);
	must(store_open(a->path, &options, &a->store, NULL, &err), &err);
	must(store_unseal(a->store, root, 1, &err), &err);
}

static void archive_close(struct archive *a)
{
	store_close(a->store);
	bench_remove(a->folder);
	free(a->folder);
	free(a->path);
}

/* Records per second until the last answer; with `ret_flushed` also until everything is in packs.
 */
static double file_all(
	struct archive *a, size_t clients, size_t records, size_t per_action, double *ret_flushed)
{
	struct client *c = xcalloc(clients, sizeof(*c));
	double start = bench_now(), answered;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < clients; i++) {
		c[i] = (struct client){ a->store, records / clients / per_action * per_action,
			per_action, 88172645463325252u + i * 7919, NULL, 0 };
		if (pthread_create(&c[i].thread, NULL, client, &c[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < clients; i++)
		(void)pthread_join(c[i].thread, NULL);
	answered = bench_now() - start;
	must(store_flush(a->store, &err), &err);
	if (ret_flushed)
		*ret_flushed = (double)records / (bench_now() - start);
	free(c);
	return (double)records / answered;
}

/* ---- theirs ---- */

static const struct payload payload = { &pool, PART, MANIFEST };

static double fast_import(const char *stream, size_t records)
{
	return (double)records / theirs_import(stream);
}

/* ---- the rows ---- */

static void bulk(size_t records, size_t rounds)
{
	char *folder = bench_folder(), *stream = theirs_stream(folder, &payload, records, 256),
	     name[80];
	double ours[16], theirs[16], flushed[16];

	for (size_t i = 0; i < rounds; i++) {
		struct archive a;

		archive_open(&a);
		ours[i] = file_all(&a, 8, records, CHUNK, &flushed[i]);
		archive_close(&a);
		theirs[i] = fast_import(stream, records);
	}
	(void)snprintf(
		name, sizeof(name), "bulk, %zu records, 8 clients, to the last answer", records);
	bench_row(name, "records/s", bench_median(ours, rounds), bench_median(theirs, rounds),
		bench_median(ours, rounds) / bench_median(theirs, rounds), 2, false);
	(void)snprintf(
		name, sizeof(name), "bulk, %zu records, 8 clients, to the last pack", records);
	bench_row(name, "records/s", bench_median(flushed, rounds), bench_median(theirs, rounds),
		bench_median(flushed, rounds) / bench_median(theirs, rounds), 2, false);
	free(stream);
	bench_remove(folder);
	free(folder);
}

static void single(size_t records, size_t rounds)
{
	char *folder = bench_folder(), *stream = theirs_stream(folder, &payload, records, 1),
	     name[80];
	double ours[16], theirs[16];

	for (size_t i = 0; i < rounds; i++) {
		struct archive a;

		archive_open(&a);
		ours[i] = file_all(&a, 64, records, 1, NULL);
		archive_close(&a);
		theirs[i] = fast_import(stream, records);
	}
	(void)snprintf(name, sizeof(name), "one record and one signed commit each, 64 clients, %zu",
		records);
	bench_row(name, "records/s", bench_median(ours, rounds), bench_median(theirs, rounds),
		bench_median(ours, rounds) / bench_median(theirs, rounds), 1.3, false);
	free(stream);
	bench_remove(folder);
	free(folder);
}

/* The median answer to one client alone, against append 8 KB + fdatasync on the same disk in the
 * same loop. */
static void alone(size_t count)
{
	double *ours = xcalloc(count, sizeof(double)), *disk = xcalloc(count, sizeof(double));
	static uint8_t block[8192];
	struct archive a;
	char *path;
	int fd;

	archive_open(&a);
	if (asprintf(&path, "%s/disk", a.folder) < 0)
		abort();
	fd = open(path, O_RDWR | O_CREAT, 0600);
	for (size_t i = 0; i < count; i++) /* preallocated, as the journal is */
		if (pwrite(fd, block, sizeof(block), (off_t)(i * sizeof(block))) < 0)
			abort();
	(void)fsync(fd);
	for (size_t i = 0; i < count; i++) {
		struct client c = { a.store, 1, 1, 88172645463325252u + i, &ours[i], 0 };
		double start;

		(void)client(&c);
		block[0]++;
		start = bench_now();
		if (pwrite(fd, block, sizeof(block), (off_t)(i * sizeof(block))) < 0 ||
			fdatasync(fd) < 0)
			abort();
		disk[i] = bench_now() - start;
	}
	bench_row("one client alone, median answer against fdatasync", "ms",
		bench_median(ours, count) * 1e3, bench_median(disk, count) * 1e3,
		bench_median(ours, count) / bench_median(disk, count), 3, true);
	(void)close(fd);
	free(path);
	archive_close(&a);
	free(ours);
	free(disk);
}

/* Record 200,000 against record 2,000: single filings at both ends of one archive. */
static void growth(size_t records)
{
	enum { PROBE = 2000 };
	struct archive a;
	double early, late, cpu;
	char name[80];

	archive_open(&a);
	(void)file_all(&a, 8, 2048, CHUNK, NULL);
	cpu = bench_cpu();
	(void)file_all(&a, 8, PROBE, 1, NULL);
	early = bench_cpu() - cpu;
	(void)file_all(&a, 8, records, CHUNK, NULL);
	cpu = bench_cpu();
	(void)file_all(&a, 8, PROBE, 1, NULL);
	late = bench_cpu() - cpu;
	(void)snprintf(name, sizeof(name), "cost of record %zu against record 2000 (CPU)", records);
	bench_row(name, "us", late / PROBE * 1e6, early / PROBE * 1e6, late / early, 1.2, true);
	archive_close(&a);
}

int main(int argc, char **argv)
{
	uint64_t records = 20000, rounds = 3, seed = 42;

	secret_init();
	store_init();
	tr_set_language(TR_EN);
	if (argc > 1)
		must(str_to_u64(str_of(argv[1]), 10000000, &records, NULL), &(struct err)ERR_INIT);
	if (argc > 2)
		must(str_to_u64(str_of(argv[2]), 16, &rounds, NULL), &(struct err)ERR_INIT);
	bench_text(&seed, 1 << 20, &pool);
	records = records / 1024 * 1024;
	bench_head();
	bulk((size_t)records, (size_t)rounds);
	single((size_t)records / 2, (size_t)rounds);
	alone(500);
	growth((size_t)records);
	buf_done(&pool);
	return 0;
}
