/* session.h - who asks: what the web layer wants to know of a log-in.
 *
 * Log-ins belong to core/archive/login.h; tests make some up by another session_source. */
#ifndef MUN_WWW_SESSION_H
#define MUN_WWW_SESSION_H

#include "core/archive/login.h"

#define SESSION_COOKIE "__Host-muniment"

struct session_source {
	/* Whose cookie this is. Asked on a network thread before the body is read, so it must be quick and must not
	 * wait for a disk. Errors: ERR_NOTFOUND (nobody's), ERR_SEALED (nobody can know now). */
	int (*find)(void *context, struct str token, struct login_session *ret, struct err *err);
	/* Whether it has not ended since: for answers that take long. NULL: none does. */
	bool (*is_live)(void *context, const struct login_session *session);
	void *context;
};

#endif
