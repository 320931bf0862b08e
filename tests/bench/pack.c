/* pack.c - the pack writer and the journal alone, against what the disk takes for the same bytes.
 *
 * usage: bench-pack [OBJECTS [ROUNDS]]
 *
 * Pack: objects that are named already are added to one pack, which is finished and synced. Theirs: the same bytes
 * written in pieces of 1 MiB and synced.
 * Journal: one frame an append, each synced; segments are freed as the applier does it. Theirs: the same bytes hashed
 * once and written into a file of real zeros, each write synced. The hash is part of what is measured because a frame
 * ends with its SHA-256 (FORMAT.md, section 10), which for large frames takes longer than the disk does; without it the
 * row says nothing about the journal. Beside it, without a bar: the write alone. */
#include "tests/bench/bench.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "store/journal.h"
#include "store/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 20, BLOCK = 4096, SPAN = 64 << 20 };

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "bench: %s\n", err->text);
	exit(1);
}

static uint8_t pool[PIECE + 65536];

/* ---- packs ---- */

static double pack_once(
	int dir, const struct oid *oids, size_t count, size_t bytes, uint64_t *ret_bytes)
{
	struct err err = ERR_INIT;
	struct pack_writer *w;
	double from = bench_now(), took;
	struct oid name;

	must(pack_begin(dir, &w, &err), &err);
	for (size_t i = 0; i < count; i++)
		must(pack_add(w, OBJECT_BLOB, &oids[i], pool + i % 65536, bytes, NULL, &err), &err);
	*ret_bytes = pack_bytes(w);
	must(pack_finish(w, &name, &err), &err);
	pack_free(w);
	took = bench_now() - from;
	must(pack_remove(dir, &name, &err), &err);
	return took;
}

static double write_once(int dir, uint64_t bytes)
{
	struct err err = ERR_INIT;
	double from = bench_now(), took;
	int fd = file_create(dir, "plain", &err);

	must(fd, &err);
	for (uint64_t at = 0; at < bytes; at += PIECE)
		must(file_pwrite(fd, pool, PIECE, at, &err), &err);
	must(file_datasync(fd, &err), &err);
	took = bench_now() - from;
	closep(&fd);
	must(file_unlink(dir, "plain", &err), &err);
	return took;
}

static void bench_pack(int dir, size_t count, size_t bytes, size_t rounds)
{
	struct oid *oids = xcalloc(count, sizeof(*oids));
	double *ours = xcalloc(rounds, sizeof(*ours)), *theirs = xcalloc(rounds, sizeof(*theirs));
	uint64_t seed = 1, total = 0;
	double cpu = bench_cpu(), n = (double)count;
	char what[64];

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < OID_BYTES; k += 4)
			put_be32(oids[i].b + k, (uint32_t)bench_random(&seed));
	for (size_t i = 0; i < rounds; i++) {
		ours[i] = n / pack_once(dir, oids, count, bytes, &total);
		theirs[i] = n / write_once(dir, total);
	}
	cpu = bench_cpu() - cpu;
	(void)snprintf(what, sizeof(what), "pack, objects of %zu bytes", bytes);
	bench_row(what, "/s", bench_median(ours, rounds), bench_median(theirs, rounds),
		bench_median(ours, rounds) / bench_median(theirs, rounds), 0.05, false);
	(void)printf("   %.1f us of processor an object, both sides together\n",
		cpu * 1e6 / n / (double)rounds);
	free(oids);
	free(ours);
	free(theirs);
}

/* ---- the journal ---- */

static double append_once(struct journal *j, size_t bytes)
{
	struct err err = ERR_INIT;
	struct frame_object object = { .type = OBJECT_BLOB,
		.content = { (const char *)pool, bytes } };
	struct frame f = { .volume = 1, .objects = &object, .object_count = 1 };
	double from = bench_now(), took;

	must(journal_append(j, &f, &err), &err);
	took = bench_now() - from;
	must(journal_free_until(j, f.number, &err), &err);
	return took;
}

static double sync_once(int fd, size_t bytes, uint64_t at)
{
	struct err err = ERR_INIT;
	double from = bench_now();

	must(file_pwrite(fd, pool, (bytes + BLOCK - 1) / BLOCK * BLOCK, at % SPAN, &err), &err);
	must(file_datasync(fd, &err), &err);
	return bench_now() - from;
}

static double hash_once(size_t bytes)
{
	double from = bench_now();
	uint8_t digest[SHA256_BYTES];

	sha256(pool, bytes, digest);
	return bench_now() - from;
}

static void bench_journal(int dir, size_t bytes, size_t count)
{
	struct id archive = { { 1 } };
	struct err err = ERR_INIT;
	double *ours = xcalloc(count, sizeof(*ours)), *theirs = xcalloc(count, sizeof(*theirs));
	double *plain = xcalloc(count, sizeof(*plain));
	struct journal *j;
	char what[64];
	int fd;

	must(journal_open(dir, &archive, 1, NULL, &j, NULL, &err), &err);
	fd = file_create(dir, "plain", &err);
	must(fd, &err);
	must(file_pwrite_zeros(fd, SPAN + PIECE + BLOCK, 0, &err), &err);
	must(file_datasync(fd, &err), &err);
	for (size_t i = 0; i < count; i++) {
		ours[i] = append_once(j, bytes) * 1e6;
		plain[i] = sync_once(fd, bytes, i * ((bytes + BLOCK - 1) / BLOCK * BLOCK)) * 1e6;
		theirs[i] = plain[i] + hash_once(bytes) * 1e6;
	}
	(void)snprintf(what, sizeof(what), "journal, frames of %zu bytes", bytes);
	bench_row(what, "us", bench_median(ours, count), bench_median(theirs, count),
		bench_median(ours, count) / bench_median(theirs, count), 1.5, true);
	bench_note("   against writing them without a digest", "us", bench_median(ours, count),
		bench_median(plain, count), bench_median(ours, count) / bench_median(plain, count));
	must(journal_wipe(j, &err), &err);
	journal_free(j);
	closep(&fd);
	must(file_unlink(dir, "plain", &err), &err);
	free(ours);
	free(theirs);
	free(plain);
}

int main(int argc, char **argv)
{
	uint64_t objects = 200000, rounds = 5, seed = 7;
	char *path = bench_folder();
	struct err err = ERR_INIT;
	int dir = file_open_dir(AT_FDCWD, path, &err), journal;

	must(dir, &err);
	if (argc > 1)
		must(str_to_u64(str_of(argv[1]), 100000000, &objects, &err), &err);
	if (argc > 2)
		must(str_to_u64(str_of(argv[2]), 1000, &rounds, &err), &err);
	for (size_t i = 0; i < sizeof(pool); i++)
		pool[i] = (uint8_t)bench_random(&seed);
	bench_head();
	bench_pack(dir, (size_t)objects, 300, (size_t)rounds);
	bench_pack(dir, (size_t)objects, 2400, (size_t)rounds);
	bench_pack(dir, (size_t)objects / 500, 1 << 20, (size_t)rounds);
	journal = file_make_dir(dir, "journal", &err);
	must(journal, &err);
	bench_journal(journal, 2400, 1000);
	bench_journal(journal, 100000, 300);
	bench_journal(journal, 1 << 20, 100);
	closep(&journal);
	closep(&dir);
	bench_remove(path);
	free(path);
	return 0;
}
