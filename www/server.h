/* server.h - connections: the only place that knows libmicrohttpd.
 *
 * Network threads wait by poll, never by epoll: with TLS, epoll of libmicrohttpd 0.9 turns in circles for
 * as long as one client stalls in the middle of a handshake. A request whose handler may wait is handed to
 * a worker while its connection is suspended. */
#ifndef MUN_WWW_SERVER_H
#define MUN_WWW_SERVER_H

#include "core/base/err.h"

struct www;
struct server;
struct certificate;

struct server_limits {
	unsigned connections, per_address, idle_seconds, threads;
};

/* `listener` listens already; it belongs to the server from then on, whatever happens. */
int server_start(struct www *www, int listener, struct certificate *certificate,
	const struct server_limits *limits, struct server **ret, struct err *err);
/* No new connections; requests get up to grace_ms, then their verbs are told to stop; then all connections are closed.
 * The workers must still be running. NULL is fine. */
void server_stop(struct server *s, int64_t grace_ms);

#endif
