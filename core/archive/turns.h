/* turns.h - a bounded number at a time, and a bounded number who wait: for work that takes much memory,
 * such as Argon2id, and that strangers can ask for. */
#ifndef MUN_ARCHIVE_TURNS_H
#define MUN_ARCHIVE_TURNS_H

#include "core/base/str.h"

struct turns;

/* Of all who run or wait at most max_each may come from one place, so that one alone cannot keep everybody out. */
struct turns *turns_new(unsigned max_running, unsigned max_waiting, unsigned max_each);
/* Nobody runs or waits any more. */
void turns_free(struct turns *t);

/* Waits for a turn; ERR_BUSY at once when too many wait already. `from` is an address, or empty: not
 * counted. Any thread. */
int turns_take(struct turns *t, struct str from, struct err *err);
/* Waits however many wait: for who owns the machine, and must come through when strangers fill the queue. */
void turns_wait(struct turns *t);
/* As it was taken; after turns_wait `from` is empty. */
void turns_give(struct turns *t, struct str from);

/* For tests: how many run and wait now. */
unsigned turns_running(struct turns *t);
unsigned turns_waiting(struct turns *t);

#endif
