/* progress.h - how far a long job is: on a terminal one line that is written over, with rate and
 * remaining time; in a log a plain line at each tenth and never more than one in ten seconds
 * otherwise. Goes to standard error. */
#ifndef MUN_MAIN_PROGRESS_H
#define MUN_MAIN_PROGRESS_H

#include "core/main/term.h"

struct progress;

/* `what` ("import") is borrowed, and in the reader's language. `quiet`: shows nothing. */
struct progress *progress_new(const struct term *term, const char *what, bool quiet);
/* Ends the line. */
void progress_free(struct progress *p);
DEFINE_CLEANUP(struct progress *, progress_free)

struct progress_state {
	uint64_t done, total; /* for percent and remaining time; total 0: not known */
	uint64_t count;	      /* what is shown, and its rate */
	const char *unit;     /* of the count, borrowed, in the reader's language; may be NULL */
};

/* `ticks` is clock_ticks(). Cheap: draws ten times a second at most. */
void progress_step(struct progress *p, const struct progress_state *state, int64_t ticks);
/* Another stage has another name. */
void progress_set_what(struct progress *p, const char *what);
/* Take the line off the terminal, to print something else; the next step draws it again. */
void progress_hide(struct progress *p);

#endif
