/* theirs.c - see theirs.h. */
#include "tests/bench/theirs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEED = 20260921 };

static void add_file(FILE *out, const char *folder, const char *name, const struct payload *p,
	size_t bytes, uint64_t random)
{
	(void)fprintf(out, "M 100644 inline %s/%s\ndata %zu\n", folder, name, bytes);
	(void)fwrite(p->pool->p + random % (p->pool->n - bytes), 1, bytes, out);
	(void)fprintf(out, "\n");
}

char *theirs_stream(
	const char *folder, const struct payload *payload, size_t records, size_t per_commit)
{
	uint64_t seed = SEED;
	char *path;
	FILE *out;

	if (asprintf(&path, "%s/stream-%zu-%zu", folder, records, per_commit) < 0)
		abort();
	out = fopen(path, "we");
	if (!out)
		abort();
	for (size_t i = 0; i < records; i++) {
		uint64_t r = bench_random(&seed);
		char at[128];

		if (i % per_commit == 0)
			(void)fprintf(out,
				"commit refs/heads/main\ncommitter x <x@x> %zu +0000\ndata 2\nx\n",
				1779242400 + i);
		(void)snprintf(at, sizeof(at),
			"2026-%02u/样本/部门%u/%04zu/%02zu/样本-202605-%07zu",
			(unsigned)(r >> 20) % 12 + 1, (unsigned)(r >> 30) % 4, i / 1024,
			i / 32 % 32, i);
		add_file(out, at, "meta", payload, payload->manifest, r >> 9);
		add_file(out, at, "body", payload, payload->part, r);
	}
	if (fclose(out) != 0)
		abort();
	return path;
}

static void spawn(const char *const argv[], const char *input)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = open(input ? input : "/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd < 0 || dup2(fd, 0) < 0)
			_exit(127);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		abort();
}

double theirs_import(const char *stream)
{
	char *folder = bench_folder();
	const char *const init[] = { "git", "init", "-q", "--bare", folder, NULL };
	const char *const import[] = { "git", "-c", "core.compression=0", "-c",
		"pack.compression=0", "-c", "core.fsync=none", "--git-dir", folder, "fast-import",
		"--quiet", "--depth=0", NULL };
	double start;

	spawn(init, NULL);
	start = bench_now();
	spawn(import, stream);
	start = bench_now() - start;
	bench_remove(folder);
	free(folder);
	return start;
}
