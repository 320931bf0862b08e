/* people.h - accounts: who an opaque account id is, and which id a name has.
 *
 * Names stand only in sealed account records (series ACC, whose numbers are the account ids), in the sealed
 * rows of the registry, and as keyed hashes in its look-ups. Here the few that were used lately are
 * remembered while the archive is unsealed. Any thread. */
#ifndef MUN_ARCHIVE_PEOPLE_H
#define MUN_ARCHIVE_PEOPLE_H

#include "core/archive/inside.h"

enum { ACCOUNT_MAX = 40, ACCOUNT_NAME_MAX = 120 };

/* The account of what the program does by itself. */
#define ACCOUNT_SYSTEM "system"

struct people *people_new(struct archive *a);
void people_free(struct people *p);

/* `who` is a name or an account id. Errors: ERR_DENIED: no such account, and what to do. */
int people_resolve(
	struct people *p, struct str who, char ret_account[ACCOUNT_MAX + 1], struct err *err);
/* The same for who is not to wait: what was filed this second may not be found. */
int people_look(
	struct people *p, struct str who, char ret_account[ACCOUNT_MAX + 1], struct err *err);
/* Append the name of an account; nothing when it is not known. */
void people_name(struct people *p, struct str account, struct buf *ret);
/* A name that was filed just now and is not in the registry yet. */
void people_note(struct people *p, struct str account, struct str name);

/* Close the connection to the registry, and open no other until people_release: while its file is replaced. */
void people_hold(struct people *p);
void people_release(struct people *p);

/* A person's name as it is compared: NFKC, without blanks at its ends. Appended. Errors: ERR_INVALID, ERR_LIMIT. */
int people_fold(struct str name, struct buf *ret, struct err *err);

#endif
