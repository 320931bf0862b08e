/* clock.h - the one clock, and days as people in China count them.
 *
 * Instants are seconds since 1970 UTC. Days are cut in Asia/Shanghai (UTC+8 the whole year since 1992) and are
 * numbered from 1970-01-01, which is day 0. Nothing else in the tree asks the system for the time. */
#ifndef MUN_BASE_CLOCK_H
#define MUN_BASE_CLOCK_H

#include "core/base/str.h"

/* Now: the system's, or what a test or demonstration set. */
int64_t clock_now(void);
/* Make the clock stand at an instant; -1 lets it run with the system again. For tests and demonstrations. */
void clock_set(int64_t instant);
/* Monotone nanoseconds for rates and progress; unrelated to the date, never set. */
int64_t clock_ticks(void);

struct date {
	int year, month, day;
};

int64_t day_of(int64_t instant);
struct date date_of_day(int64_t day);
int64_t day_of_date(struct date date);

/* "2026-11-21"; exactly that form, a real day, years 1900 to 2999. Errors: ERR_INVALID. */
int date_parse(struct str text, struct date *ret, struct err *err);

/* "2026-11-21T09:02:11Z", exactly that form. Errors: ERR_INVALID. */
int instant_parse(struct str text, int64_t *ret, struct err *err);
/* "2026-11-21 17:02" or "2026-11-21 17:02:11", Shanghai time, as people write it (REC-04). Errors: ERR_INVALID. */
int instant_parse_local(struct str text, int64_t *ret, struct err *err);

/* "2026-11-21" needs 11 bytes, the others 21 and 17. */
char *date_format(int64_t day, char out[11]);
/* "2026-11-21T09:02:11Z" */
char *instant_format(int64_t instant, char out[21]);
/* "2026-11-21 17:02", Shanghai time, for people */
char *instant_format_local(int64_t instant, char out[17]);

#endif
