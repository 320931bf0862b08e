/* workers.h - a bounded pool of threads for what may wait: verbs. */
#ifndef MUN_WWW_WORKERS_H
#define MUN_WWW_WORKERS_H

#include "core/base/err.h"

struct workers;

typedef void workers_run(void *context);

/* `room` is how many may wait; more are refused by workers_offer. Errors: ERR_IO. */
int workers_start(unsigned threads, unsigned room, struct workers **ret, struct err *err);
/* False: too many wait already. */
bool workers_offer(struct workers *w, workers_run *run, void *context);
/* Never refused: the continuation of something that was let in, which bounds how many there are. */
void workers_continue(struct workers *w, workers_run *run, void *context);
unsigned workers_waiting(struct workers *w);
/* Everything that was handed in runs to its end first. NULL is fine. */
void workers_stop(struct workers *w);

#endif
