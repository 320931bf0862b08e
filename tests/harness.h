/* harness.h - what every test program shares: a main, a folder of its own, and checks on results.
 *
 * A test file writes START_TEST functions and ends in TESTS("name", test_a, test_b); the program prints TAP. Each
 * test runs in a process of its own (not under a sanitizer, so that leaks are seen), in no order that matters. */
#ifndef MUN_TESTS_HARNESS_H
#define MUN_TESTS_HARNESS_H

#include "core/base/buf.h"

#include <check.h>

#define TESTS(name, ...) \
	int main(void) \
	{ \
		const TTest *const all[] = { __VA_ARGS__ }; \
		return harness_run((name), all, ARRAY_LEN(all)); \
	}

int harness_run(const char *name, const TTest *const *tests, size_t count);

/* A new empty directory that is removed when the program ends; returns its path (kept by the harness). */
const char *harness_dir(void);

/* Run a program found in PATH, with that text as its standard input, away from the user's git
 * configuration. What it prints (both streams) is appended to `ret` unless NULL; returns its exit
 * status, or 128 + the signal that killed it. */
int harness_exec(const char *const *argv, struct str input, struct buf *ret);

/* The same in memory where the system has such a place (/dev/shm): for tests that recover from hundreds of
 * crashes, whose syncs would cost minutes on a disk and prove nothing. */
const char *harness_memory_dir(void);

/* r must be 0, or non-negative; prints the text of err otherwise. */
#define ck_ok(r, err) harness_ok((r), &(err), __FILE__, __LINE__)
/* r must be -code, and err must say so too. */
#define ck_fails(r, err, expected) harness_fails((r), &(err), (expected), __FILE__, __LINE__)

void harness_ok(int r, const struct err *err, const char *file, int line);
void harness_fails(int r, const struct err *err, int code, const char *file, int line);

#endif
