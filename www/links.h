/* links.h - every open connection, watched for clients who take their time on purpose.
 *
 * libmicrohttpd closes a connection on which nothing happens; a client that sends or reads a byte now and then is never
 * idle. So each connection also has to get somewhere: the head of a request within HEAD_SECONDS after the
 * connection or the last answer, a body and an answer at least at LINK_RATE. Who does not is cut off by the
 * watching thread. */
#ifndef MUN_WWW_LINKS_H
#define MUN_WWW_LINKS_H

#include "core/base/err.h"

#include <sys/socket.h>

enum {
	LINK_RATE = 4096, /* bytes a second */
	LINK_GRACE_SECONDS = 60,
};

enum link_phase {
	LINK_HEAD,   /* handshake, or between requests, or in a head */
	LINK_BODY,   /* the body comes */
	LINK_WORK,   /* we are at it: no limit */
	LINK_ANSWER, /* the answer goes out */
	LINK_STREAM, /* it stays open by design: no limit */
};

struct links;
struct link;

/* `head_seconds` is what a head may take. `beat`, unless NULL, is called about every second. */
int links_start(unsigned head_seconds, void (*beat)(void *context), void *beat_context,
	struct links **ret, struct err *err);
/* All must have been removed. */
void links_stop(struct links *l);

struct link *link_add(struct links *l, int fd, const struct sockaddr *peer);
/* Before its descriptor is closed. */
void link_remove(struct link *link);
const char *link_peer(const struct link *link, bool *ret_is_local);
/* A new phase begins now. */
void link_phase(struct link *link, enum link_phase phase);
/* So many bytes more went through in this phase. */
void link_moved(struct link *link, uint64_t bytes);

#endif
