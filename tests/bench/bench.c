/* bench.c - see bench.h. */
#include "tests/bench/bench.h"

#include "core/base/clock.h"
#include "core/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

uint64_t bench_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

void bench_text(uint64_t *seed, size_t n, struct buf *ret)
{
	static const char *const words[] = { "资质审核", "召回计划", "不良事件", "灭菌记录",
		"经营者", "质量管理部", "产品注册证", "有效期", "抽查", "责任到人", "整改完成",
		"投诉编号", "批号", "检验合格", "，", "。", " " };
	size_t end = ret->n + n;

	while (ret->n < end) {
		uint64_t r = bench_random(seed);

		if (r % 7 == 0)
			buf_addf(ret, "%llu", (unsigned long long)(r >> 40));
		else
			buf_adds(ret, words[(r >> 8) % ARRAY_LEN(words)]);
	}
	buf_cut(ret, end);
}

double bench_now(void)
{
	return (double)clock_ticks() / 1e9;
}

double bench_cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

double bench_child_cpu(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_CHILDREN, &usage);
	return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void bench_head(void)
{
	(void)printf("%-54s %12s %12s  %-10s %7s  %7s\n", "what", "ours", "theirs", "unit", "ratio",
		"bar");
}

void bench_row(const char *what, const char *unit, double ours, double theirs, double ratio,
	double bar, bool at_most)
{
	bool good = at_most ? ratio <= bar : ratio >= bar;

	(void)printf("%-54s %12.4g %12.4g  %-10s %6.2fx %s%5.2fx  %s\n", what, ours, theirs, unit,
		ratio, at_most ? "<=" : ">=", bar, good ? "ok" : "MISSED");
	(void)fflush(stdout);
}

void bench_note(const char *what, const char *unit, double ours, double theirs, double ratio)
{
	(void)printf("%-54s %12.4g %12.4g  %-10s %6.2fx\n", what, ours, theirs, unit, ratio);
	(void)fflush(stdout);
}

char *bench_folder(void)
{
	const char *top = getenv("TMPDIR");
	char *path;

	if (asprintf(&path, "%s/muniment-bench-XXXXXX", top && top[0] ? top : "/tmp") < 0 ||
		!mkdtemp(path))
		abort();
	return path;
}

void bench_remove(const char *path)
{
	(void)file_remove_tree(AT_FDCWD, path, NULL);
}
