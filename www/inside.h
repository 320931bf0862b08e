/* inside.h - struct www, for the files of this folder, and what handlers call. */
#ifndef MUN_WWW_INSIDE_H
#define MUN_WWW_INSIDE_H

#include "www/exchange.h"
#include "www/metrics.h"
#include "www/route.h"
#include "www/www.h"

#include "core/archive/archive.h"
#include "core/archive/say.h"
#include "core/archive/verb.h"

#include <stdatomic.h>

struct files;
struct server;
struct workers;
struct cache;
struct certificate;

struct www {
	struct archive *archive;
	struct session_source sessions;
	struct files *files; /* of the user interface */
	struct metrics metrics;
	_Atomic bool cancelling; /* long verbs shall end: we stop */
	struct workers *workers;
	struct cache *cache;
	struct server *server; /* NULL without a network */
	struct certificate *certificate;
	unsigned port;
};

/* Whether the session of an answer that goes on has not ended meanwhile. Any thread; waits for nothing. */
bool www_is_live(struct www *w, const struct login_session *session);
/* Run a verb for this exchange: `members` are members of the request without braces; the session's
 * account acts. Its reply's members are appended to `ret` (which may be x->reply, where a brace may stand). */
int www_verb(struct exchange *x, const char *verb, struct str members, const int *fds,
	size_t fd_count, struct buf *ret, struct err *err);
/* The same for an account ("": nobody) when the exchange is not at hand. */
int www_run_verb(struct www *www, const char *account, const char *verb, struct str members,
	const int *fds, size_t fd_count, struct buf *ret, struct err *err);
/* The same, answering with the reply as JSON. */
int www_answer_verb(struct exchange *x, const char *verb, struct str members, struct err *err);
/* Members from the parameters of the query, as the route's table says, and from its {placeholders}. Errors:
 * ERR_INVALID. */
int www_members(struct exchange *x, struct buf *ret, struct err *err);
/* The members of the JSON body appended as they came (comma first where one is needed). The verb refuses
 * what it does not know. */
int www_body_members(struct exchange *x, struct buf *ret, struct err *err);
/* An opaque text for a value that a later request brings back (PARAM_OPAQUE). */
int www_opaque(const struct json *value, struct buf *ret, struct err *err);

#endif
