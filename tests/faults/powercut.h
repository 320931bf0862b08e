/* powercut.h - what a disk may hold after the power went.
 *
 * A recorder sees every step that the program takes on a folder (file.h's hook; SQLite's through
 * sqlitevfs.h). From the record it builds, in another folder, a state that a power cut at any step could
 * have left:
 *
 * 1. what a sync has covered is there;
 * 2. a write that was not synced is there, is not, or is torn at sectors of 512 or 4096 bytes, whatever
 * became of the writes
 *    before it; a file that was growing may have its new size and zeros;
 * 3. names that were made, moved or removed in a folder that was not synced since are as they were up to
 * some step, and not as
 *    they became after it. Folders do not wait for each other. A rename is never half done.
 *
 * The caller then runs recovery on that folder, and looks whether everything is there that had been
 * answered (powercut_mark).
 *
 * Threads: steps may come from any thread. A step is recorded just before it is taken, so two threads that
 * write and sync one file at the same time may be recorded in the other order; nothing in Muniment does
 * that. */
#ifndef MUN_TESTS_FAULTS_POWERCUT_H
#define MUN_TESTS_FAULTS_POWERCUT_H

#include "core/base/file.h"

struct powercut;

/* Begin with what is in a folder, which counts as durable. */
struct powercut *powercut_new(const char *root);
void powercut_free(struct powercut *p);
DEFINE_CLEANUP(struct powercut *, powercut_free)

/* For file_set_hook. Steps outside the folder are let through unseen. */
const struct file_hook *powercut_hook(struct powercut *p);

/* From here on `value` has been answered; values grow. */
void powercut_mark(struct powercut *p, uint64_t value);

/* How many steps there are to cut the power before or between: 0 ... powercut_steps. */
size_t powercut_steps(struct powercut *p);

/* Build in `target`, an empty folder, what a cut before step number `step` may leave; the same seed gives the same.
 * Returns the last mark before that step, 0 when there was none. */
uint64_t powercut_build(struct powercut *p, size_t step, uint64_t seed, const char *target);

/* A step in words, for a test that failed. */
void powercut_describe(struct powercut *p, size_t step, struct buf *ret);

/* ---- for steps that do not come through file.h; paths are absolute ---- */

struct powercut_file;

/* The file at a path, made known if it was not; NULL when it lies outside the folder. */
struct powercut_file *powercut_file(struct powercut *p, const char *path);
void powercut_write(struct powercut *p, struct powercut_file *file, uint64_t offset,
	const void *bytes, size_t n);
void powercut_truncate(struct powercut *p, struct powercut_file *file, uint64_t n);
void powercut_sync(struct powercut *p, struct powercut_file *file);
void powercut_unlink(struct powercut *p, const char *path);
/* Sync the folder that holds a path. */
void powercut_sync_parent(struct powercut *p, const char *path);

#endif
