/* theirs.h - the other side of the filing benches: `git fast-import` of the same payload in clear,
 * uncompressed and without any fsync, below the same kind of paths. */
#ifndef MUN_TESTS_BENCH_THEIRS_H
#define MUN_TESTS_BENCH_THEIRS_H

#include "tests/bench/bench.h"

struct payload {
	const struct buf *pool; /* of text to take payloads from */
	size_t part, manifest;	/* bytes of a record's two files */
};

/* Write a fast-import stream into a folder; free() the path. */
char *theirs_stream(
	const char *folder, const struct payload *payload, size_t records, size_t per_commit);
/* Import it into an empty repository; how many seconds that took. */
double theirs_import(const char *stream);

#endif
