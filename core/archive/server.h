/* server.h - the resident process: verbs over a local socket.
 *
 * ARCHIVE/socket is a Unix stream socket, 0600. Frames are described in wire.h. A thread for each
 * connection, bounded in number; a client that is silent for too long, sends too much, or goes away in the
 * middle costs its own connection. */
#ifndef MUN_ARCHIVE_SERVER_H
#define MUN_ARCHIVE_SERVER_H

#include "core/base/err.h"

struct archive;

struct server_options {
	unsigned max_connections; /* 0: the setting 'server.connections' */
	int64_t idle_ms; /* a connection without a request; 0: the setting 'server.idle_seconds' */
	/* A descriptor that becomes readable when the server shall stop (a signalfd, an eventfd, a pipe); borrowed. */
	int stop_fd;
	/* Called when the socket listens (to notify a service manager); may be NULL. */
	void (*ready)(void *context);
	void *ready_context;
};

/* Listen and answer until stop_fd becomes readable; then finish what runs (up to ten seconds, cancelling
 * it), remove the socket, and return 0. The archive stays the caller's: open it with ARCHIVE_WRITABLE |
 * ARCHIVE_RESIDENT before. Errors: ERR_LOCKED, ERR_IO. */
int server_run(struct archive *a, const struct server_options *options, struct err *err);

#endif
