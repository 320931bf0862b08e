/* listen.h - the socket that browsers connect to. */
#ifndef MUN_WWW_LISTEN_H
#define MUN_WWW_LISTEN_H

#include "core/base/str.h"

struct sockaddr;

/* "127.0.0.1:8443", "[::1]:8443", "0.0.0.0:443"; port 0 takes any that is free. Returns a descriptor that
 * listens; *ret_port is the port. Errors: ERR_INVALID (no such address), ERR_EXISTS (it is taken),
 * ERR_DENIED, ERR_IO. */
int listen_at(struct str address, unsigned *ret_port, struct err *err);

/* The address of a peer as text (numbers, no port); true when it is a loopback address. */
bool peer_text(const struct sockaddr *peer, char *out, size_t room);

#endif
