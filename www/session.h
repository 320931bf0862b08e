/* session.h - who asks: what the web layer wants to know of a log-in.
 *
 * Log-ins belong to core/archive; what turns a cookie into a person is given to www_start as a session_source. Without
 * one nobody is logged in, and every route that needs somebody refuses. */
#ifndef MUN_WWW_SESSION_H
#define MUN_WWW_SESSION_H

#include "core/base/str.h"
#include "core/base/tr.h"

#define SESSION_COOKIE "__Host-muniment"

enum session_role { SESSION_READER, SESSION_FILER };

struct session {
	char account[48]; /* "u-00001" */
	char name[256];	  /* of the person */
	enum session_role role;
	enum tr_language language;
	int64_t expires;
	struct str token; /* of the cookie; within the request */
};

struct session_source {
	/* Whose cookie this is. Asked on a network thread before the body is read, so it must be quick and must not
	 * wait for a disk. Errors: ERR_DENIED (nobody's), ERR_SEALED (nobody can know now). */
	int (*find)(void *context, struct str token, struct session *ret, struct err *err);
	void *context;
};

#endif
