/* shares.h - unsealing in two steps: the first custodian's opened secret waits in locked memory for the second's, for
 * five minutes at most, so that two people can unseal from two machines.
 *
 * It is wiped when its time is over (a thread sees to that), when another takes its place, when the archive
 * is unsealed or closed. Any thread. */
#ifndef MUN_ARCHIVE_SHARES_H
#define MUN_ARCHIVE_SHARES_H

#include "core/base/secret.h"
#include "core/model/id.h"

enum { SHARE_SECONDS = 300 };

struct shares;

struct shares *shares_new(void);
void shares_free(struct shares *s);

/* The secret that waits, when it is another custodian's than `who`: it is the caller's then, and waits no
 * more. NULL when there is none. */
struct secret *shares_take(struct shares *s, const struct id *who, struct id *ret_who);
/* Let this one wait, instead of whichever does. *secret is taken over. Returns the instant until which. */
int64_t shares_hold(struct shares *s, const struct id *who, struct secret **secret);
/* Until when one waits, or 0. */
int64_t shares_until(struct shares *s);
void shares_forget(struct shares *s);

#endif
