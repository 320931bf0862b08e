/* metrics.h - counters of the web layer, as Prometheus reads them. Any thread. */
#ifndef MUN_WWW_METRICS_H
#define MUN_WWW_METRICS_H

#include "core/base/buf.h"

#include <stdatomic.h>

enum { METRICS_CLASSES = 6, METRICS_STEPS = 8 };

struct metrics {
	_Atomic uint64_t answers[METRICS_CLASSES]; /* by the first digit of the status */
	_Atomic uint64_t steps[METRICS_STEPS];	   /* answers by time; see metrics.c */
	_Atomic uint64_t micros;		   /* all their time */
	_Atomic uint64_t bytes_in, bytes_out;
	_Atomic int64_t connections, running, waiting;
	_Atomic uint64_t refused; /* for want of workers or memory */
};

void metrics_count(struct metrics *m, unsigned status, int64_t nanoseconds);
void metrics_say(struct metrics *m, struct buf *ret);

#endif
