/* access.h - may this caller do that? One function decides, for the command line, the local socket and HTTP
 * alike, and says why not.
 *
 * The rules:
 *
 * 1. A process of the user who owns the archive's folder (or of root) may do everything. It came in by the
 * file system's
 *    permission, in process or over the local socket; whom it acts for it says in `as`. Nobody else comes in that way.
 * 2. Over HTTP the session's account acts, and its roles decide. `as` is refused there.
 * 3. A session whose password is still the one that somebody else chose may do nothing but choose its own.
 * 4. Without a session: ask for the state, give a custodian's passphrase, log in.
 *
 * The roles: a reader looks; a filer looks, files, revises and runs jobs; an operator keeps accounts, settings, series
 * and custodians, and does not thereby read records. An account may have several. */
#ifndef MUN_ARCHIVE_ACCESS_H
#define MUN_ARCHIVE_ACCESS_H

#include "core/base/str.h"

struct archive;

enum access_role {
	ROLE_READER = 1 << 0,
	ROLE_FILER = 1 << 1,
	ROLE_OPERATOR = 1 << 2,
	ROLE_ALL = ROLE_READER | ROLE_FILER | ROLE_OPERATOR
};

enum access_origin {
	ACCESS_NOBODY, /* rule 4 */
	ACCESS_OWNER,  /* rule 1 */
	ACCESS_SESSION /* rules 2 and 3 */
};

/* Who asks. Zeroed: nobody. */
struct access_caller {
	enum access_origin origin;
	uint32_t uid;	  /* OWNER */
	char account[48]; /* SESSION: "u-00001" */
};

/* What a verb does, as far as rights go; each row of verb_table names one. */
enum access_act {
	ACCESS_STATE,	   /* what state it is in, and unsealing: anybody */
	ACCESS_OWN,	   /* what is the account's own: its password, drafts, views */
	ACCESS_LOOK,	   /* records, series, the log, the proof */
	ACCESS_FILE,	   /* file, revise */
	ACCESS_JOB,	   /* verify, reindex, compact, checkpoint */
	ACCESS_SEAL,	   /* filers and operators: an emergency does not wait for one person */
	ACCESS_PEOPLE,	   /* see accounts */
	ACCESS_ADMINISTER, /* change accounts, settings, series, custodians */
	ACCESS_ACT_COUNT
};

enum access_subject_kind { SUBJECT_ARCHIVE, SUBJECT_RECORD, SUBJECT_SERIES, SUBJECT_ACCOUNT };

/* What it is done to: a record by number or id, a series by code, an account by id or name. */
struct access_subject {
	enum access_subject_kind kind;
	struct str which;
};

/* Errors: ERR_DENIED with a sentence that says what is missing; ERR_SEALED: who the caller is cannot be
 * known. `subject` may be NULL (the archive as a whole). The gate is held for reading where the act needs a
 * session. */
int access_check(struct archive *a, const struct access_caller *who, enum access_act act,
	const struct access_subject *subject, struct err *err);

/* "reader", "filer", "operator" in the order of their bits; 0 when there is none of that name. */
unsigned access_role_of(struct str word);
const char *access_role_word(unsigned role);
/* The one word for what an account does with records: "filer", "reader" or "none". */
const char *access_main_role(unsigned roles);

#endif
