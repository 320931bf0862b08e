/* program.h - run another program (git, ssh-keygen) in a test and look at what it says. */
#ifndef MUN_TESTS_PROGRAM_H
#define MUN_TESTS_PROGRAM_H

#include "core/base/buf.h"

/* Run argv[0], found by PATH, with a NULL-terminated argv, in a folder (NULL: here) and without the
 * user's git configuration. Its output and errors are appended to `out` (NULL: thrown away).
 * Returns the exit code, or 128 + the signal. */
int program_run(const char *const argv[], const char *folder, struct buf *out);

/* The same for a NULL-terminated list of words. */
#define run(folder, out, ...) \
	program_run((const char *const[]){ __VA_ARGS__, NULL }, (folder), (out))

#endif
