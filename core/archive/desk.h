/* desk.h - where verbs are called: the resident process when one listens, else the archive opened in this process.
 *
 *	struct desk_options o = { .ask = ask_passphrase, .as = "王敏" };
 *	_cleanup_(desk_freep) struct desk *d = NULL;
 *	r = desk_open("/srv/archive", &o, &d, err);
 *	r = desk_call(d, "search", STR("{\"query\":\"召回计划\"}"), NULL, 0, NULL, NULL, &reply, err);
 *
 * The same verbs run either way. A desk belongs to one thread. */
#ifndef MUN_ARCHIVE_DESK_H
#define MUN_ARCHIVE_DESK_H

#include "core/archive/verb.h"
#include "core/base/secret.h"

struct desk;

/* Asked for the nth (1 or 2) custodian's passphrase, when a verb needs keys and the archive is sealed.
 * `labels` are the custodians who are enrolled; whose passphrase it is need not be said. After a wrong one
 * it is asked again: `again` says so. ERR_CANCELLED gives up. */
typedef int desk_ask(void *context, unsigned nth, const char *const *labels, size_t label_count,
	bool again, struct secret **ret, struct err *err);

struct desk_options {
	/* The actor, a name or "u-00001"; NULL: none. A request may say another in `as`. */
	const char *as;
	desk_ask *ask; /* NULL: a sealed archive stays ERR_SEALED */
	void *ask_context;
	unsigned ask_tries; /* 0: 3 */
	/* Open here even when a resident process listens (which then holds the lock). */
	bool never_resident;
	bool only_resident; /* ERR_NOTFOUND when nobody listens: for `unseal` and `seal` */
};

/* Errors: ERR_NOTFOUND (no archive there), ERR_IO, ERR_DENIED. Opening here happens at the first call that
 * needs it: for a verb that writes with the writer's lock (ERR_LOCKED names who holds it), for the others
 * with it if nobody has it. */
int desk_open(
	const char *path, const struct desk_options *options, struct desk **ret, struct err *err);
/* Closes; what was filed in this process is first made ready for search (bounded by time: the rest follows
 * at the next opening). */
void desk_free(struct desk *d);
DEFINE_CLEANUP(struct desk *, desk_free)

/* Close without waiting until what was filed here can be found: that follows when the archive is opened next. */
void desk_hurry(struct desk *d);

/* Does a resident process answer? */
bool desk_is_resident(const struct desk *d);
/* A demonstration archive that this desk opened by its built-in passphrases: say so to people. */
bool desk_is_demonstration(const struct desk *d);

/* Call a verb. `args` is a JSON object (say.h), or empty for {}. Descriptors stay the caller's. `tell` may
 * be NULL. The reply is parsed strictly; json_free it. On failure *ret_reply is NULL, or what the verb says
 * beside the error (a conflict's two versions). */
int desk_call(struct desk *d, const char *verb, struct str args, const int *fds, size_t fd_count,
	verb_tell *tell, void *tell_context, struct json **ret_reply, struct err *err);

/* A descriptor from which the secret can be read once, for verbs that take passphrases: a pipe, so that it
 * is in no file. Close it. */
int desk_secret_fd(const struct secret *s, struct err *err);

#endif
