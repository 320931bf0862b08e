/* jobs.h - verbs that take long, run behind their caller: begun, watched, stopped, and what came of them.
 *
 * A job is a verb on a thread of the resident process, with the rights of whoever began it. JOB_THREADS run at a time,
 * the others wait. How far one is stands in memory and goes out as news; that it began and how it ended is kept in
 * state.db for JOB_DAYS. One that was cut off by the end of the process has failed; none is begun again
 * by itself (the verbs go on where they stopped when they are). */
#ifndef MUN_ARCHIVE_JOBS_H
#define MUN_ARCHIVE_JOBS_H

#include "core/archive/inside.h"

enum {
	JOB_THREADS = 2,
	JOB_QUEUE = 16,	   /* that wait or run */
	JOB_HISTORY = 200, /* that are told of */
	JOB_DAYS = 30,
};

struct jobs;

struct jobs *jobs_new(struct archive *a);
/* Stops what runs; before the archive is closed, without the gate. NULL is fine. */
void jobs_free(struct jobs *j);

/* Within a verb. `args`: a JSON object. Errors: ERR_NOTFOUND (no such verb, or none for a job), ERR_LIMIT (too many
 * wait), ERR_DENIED. */
int jobs_start(struct archive *a, const struct verb_call *call, struct str verb, struct str args,
	struct id *ret, struct err *err);
/* Errors: ERR_NOTFOUND, ERR_INVALID (it has ended). */
int jobs_cancel(struct archive *a, const struct id *id, struct err *err);
/* The members of one job (doc/verbs.md). Errors: ERR_NOTFOUND. */
int jobs_say(struct archive *a, const struct id *id, struct buf *b, struct err *err);
/* All, newest first, as items of the open list. */
void jobs_say_all(struct archive *a, struct buf *b);

#endif
