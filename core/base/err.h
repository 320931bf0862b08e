/* err.h - how a function says that it failed.
 *
 * A function that can fail returns int: 0, or one of the codes below, negated. Its last parameter is
 * `struct err *err`, owned by the caller, which may be NULL; on failure it receives the code and one
 * sentence for a person, in the language of the thread (tr.h): what failed, on what, and what to do;
 * lower case, no full stop, names in single quotes. Nothing is logged below core/archive/.
 *
 * Threads: a struct err belongs to one thread. */
#ifndef MUN_BASE_ERR_H
#define MUN_BASE_ERR_H

#include "core/base/macros.h"

enum err_code {
	ERR_INVALID = 1, /* the input is wrong; saying it again will not help */
	ERR_NOTFOUND,	 /* no such record, part, volume, file ... */
	ERR_EXISTS,	 /* it is there already */
	ERR_CONFLICT,	 /* somebody changed it since the caller looked */
	ERR_DENIED,	 /* the caller may not */
	ERR_LOCKED,	 /* another process holds the archive */
	ERR_SEALED,	 /* needs keys; the archive is sealed */
	ERR_CORRUPT,	 /* bytes are not what they must be: never served as content */
	ERR_DESTROYED,	 /* it was destroyed under a tombstone; that is how it should be */
	ERR_LIMIT,	 /* larger, deeper or more than a documented limit */
	ERR_FULL,	 /* no space left on the device */
	ERR_IO,		 /* the system refused: disk, socket, process */
	ERR_UNKNOWN, /* a write whose outcome is not known: ask again with the same request key */
	ERR_CRYPTO,  /* a key, passphrase or signature does not fit */
	ERR_UNSUPPORTED, /* this build, kernel or format version cannot */
	ERR_CANCELLED,	 /* the caller asked to stop */
	ERR_BUSY,	 /* too much of this is going on; the same request later will do */
	ERR_CODE_COUNT
};

/* Room for one sentence in any language; longer text is cut at a character boundary and ends in "…". */
enum { ERR_TEXT_MAX = 1024 };

struct err {
	int code;	   /* negative, or 0 when nothing was reported */
	const char *where; /* "file.c:123" of the place that noticed, for logs */
	char text[ERR_TEXT_MAX];
};

#define ERR_TEXT_OF_(x) #x
#define ERR_TEXT_OF(x) ERR_TEXT_OF_(x)
#define ERR_HERE __FILE__ ":" ERR_TEXT_OF(__LINE__)

#define ERR_INIT \
	{ \
		.code = 0 \
	}

/* Report: returns -code, so that a caller can write `return err_set(err, ERR_INVALID, tr("..."), x);` */
#define err_set(err, code, ...) err_set_at((err), (code), ERR_HERE, __VA_ARGS__)

/* Report a failed system call: the text is "<what is formatted>: <strerror>". The code follows errno:
 * ENOSPC and EDQUOT are ERR_FULL, ENOENT is ERR_NOTFOUND, EEXIST ERR_EXISTS, EACCES and EPERM
 * ERR_DENIED, the rest ERR_IO. */
#define err_errno(err, ...) err_errno_at((err), ERR_HERE, __VA_ARGS__)

/* Put words before a text that a deeper layer reported, as in "record X: <text>". Keeps the code and
 * returns r, so that a caller can write `return err_prefix(err, r, "...")`. */
#define err_prefix(err, r, ...) err_prefix_at((err), (r), __VA_ARGS__)

int err_set_at(struct err *err, int code, const char *where, const char *fmt, ...) _printf_(4, 5);
int err_errno_at(struct err *err, const char *where, const char *fmt, ...) _printf_(3, 4);
int err_prefix_at(struct err *err, int r, const char *fmt, ...) _printf_(3, 4);

/* What the system means by an errno, in the language of the thread; may be written into `room`. */
const char *err_errno_text(int e, char *room, size_t size);

/* A stable lower-case word for a code, positive or negated: "conflict", "notfound" ... ("ok" for 0).
 * These words appear in JSON and are never renamed. */
const char *err_word(int code);

/* The code (positive) of such a word, or ERR_UNKNOWN when no code has it. */
int err_from_word(const char *word);

#endif
