/* verb.h - what an archive can be asked to do: one table, a row for each verb.
 *
 * Every way in (command line, local socket, later HTTP) ends in a verb. A request is a JSON object, a reply
 * is a JSON object; contents of files and passphrases never stand in them but travel as descriptors beside
 * them. doc/verbs.md lists the members of each verb's request and reply; what it says is checked by a test.
 *
 * A verb runs on the thread of whoever asks. It may take long; then it tells how far it is and asks whether
 * to go on. */
#ifndef MUN_ARCHIVE_VERB_H
#define MUN_ARCHIVE_VERB_H

#include "core/archive/access.h"
#include "core/base/json.h"

struct archive;

enum {
	VERB_MAX_FDS = 200,	    /* descriptors with one request */
	VERB_MAX_REQUEST = 4 << 20, /* bytes of JSON */
	VERB_MAX_REPLY = 64 << 20,
};

enum verb_flags {
	VERB_UNSEALED = 1 << 0, /* needs keys; sealed: ERR_SEALED */
	VERB_WRITES = 1 << 1,	/* needs the writer's lock */
	VERB_ACTOR = 1 << 2,	/* needs `as`, a known account */
	VERB_RESIDENT = 1 << 3, /* makes sense only in a process that stays */
	VERB_LEVEL = 1 << 4,	/* needs keys at level `full`, which is meant when they are there */
};

/* How far a long verb is. Numbers that are not known are 0. */
struct verb_progress {
	const char *stage; /* a stable word: "hash", "file", "register", "index", "verify" ... */
	const char *unit;  /* "records", "documents", "bytes", "commits" */
	uint64_t done, total;
	uint64_t rate;	 /* units a second */
	uint64_t eta;	 /* seconds */
	struct str text; /* what it is at, or empty */
};

/* Not 0: stop; the verb then ends with ERR_CANCELLED as soon as it can. Called on the thread of the verb. */
typedef int verb_tell(void *context, const struct verb_progress *progress);

/* One request on its way. */
struct verb_call {
	struct access_caller caller; /* zeroed: somebody who has not logged in */
	const struct json *args;
	const int *fds; /* borrowed: the verb does not close them */
	size_t fd_count;
	uint32_t uid; /* of the process that asks */
	/* Who acts ("u-00001"): the session's account; without a session who `as` is, or "" where the verb
	 * needs nobody. verb_run sets it. */
	char account[48];
	verb_tell *tell; /* may be NULL */
	void *tell_context;
	struct archive *archive; /* verb_run sets it */
	bool has_keys;		 /* and this: it is unsealed, and stays so until the verb ends */
	/* The reply: the verb adds members ("name":value with say.h); the braces are the caller's. On
	 * failure what was added goes out beside the error: `revise` puts both versions of a conflict
	 * there. */
	struct buf *reply;
};

struct verb {
	const char *name;
	enum access_act act; /* what access_check is asked */
	int (*run)(struct archive *a, struct verb_call *call, struct err *err);
	unsigned flags;
	unsigned fds_min, fds_max;
};

extern const struct verb verb_table[];
extern const size_t verb_count;

/* NULL when there is no such verb. */
const struct verb *verb_find(struct str name);

/* Whether this request needs keys. `args` may be any JSON. */
bool verb_needs_keys(const struct verb *verb, const struct json *args);

/* Look the verb up, check what its row says (rights, sealed, writable, descriptors, actor), run it. Errors:
 * ERR_NOTFOUND (no such verb), ERR_DENIED (access.h), those of the verb. */
int verb_run(struct archive *a, struct str name, struct verb_call *call, struct err *err);

/* What the replies of verbs that read depend on, besides the request: as long as it stays the same, so do they. */
struct verb_stamp {
	uint64_t actions, recorded, indexed, documents, extracting;
};

/* May this caller run that verb now, and the stamp; nothing is run. Never waits: ERR_BUSY while the archive is being
 * sealed or unsealed. Errors: ERR_SEALED, ERR_DENIED, ERR_NOTFOUND (no such verb). */
int verb_peek(struct archive *a, struct str name, const struct access_caller *caller,
	const struct access_subject *subject, struct verb_stamp *ret, struct err *err);

/* The members of a progress object (doc/verbs.md). */
void verb_progress_say(const struct verb_progress *progress, struct buf *b);

/* For verbs: tell, when there is somebody to tell. ERR_CANCELLED when that one wants no more. */
int verb_tell_of(struct verb_call *call, const struct verb_progress *progress, struct err *err);

#endif
