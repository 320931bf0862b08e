/* wire.h - messages on the local socket: a JSON object, and descriptors beside it.
 *
 *	offset  bytes
 *	0       4      "MUN1"
 *	4       4      length of the JSON, big-endian
 *	8       4      number of descriptors, which travel (SCM_RIGHTS) with these twelve bytes
 *	12      ...    JSON
 *
 * A request is {"verb":"...","lang":"zh","args":{...}}. The answer is any number of {"progress":{...}},
 * then {"reply":{...}} or {"error":{"code","text","where"},"detail":{...}}. While it waits, the client may
 * send {"cancel":true}, or go away, which means the same.
 *
 * Times are in milliseconds, -1 for ever. A struct wire belongs to nobody: these are functions over a stream socket. */
#ifndef MUN_ARCHIVE_WIRE_H
#define MUN_ARCHIVE_WIRE_H

#include "core/base/buf.h"

#define WIRE_CANCEL "{\"cancel\":true}"

enum { WIRE_HEADER = 12, WIRE_MAX_FDS = 200 };

/* Send whole, or fail: ERR_IO (the other side went away), ERR_CANCELLED (no progress for timeout_ms), ERR_LIMIT. */
int wire_send(int socket, struct str json, const int *fds, size_t fd_count, int timeout_ms,
	struct err *err);

/* Receive one message. `ret` is reset first and must have a ceiling. At most max_fds descriptors, stored in
 * ret_fds, close-on-exec, the caller's to close; more are ERR_LIMIT, and all are closed. Returns 0, or 1
 * when the other side closed between two messages, or -ERR_CANCELLED when first_ms passed before a message
 * began (or rest_ms in its middle). `wake`, unless -1, is another descriptor: when it becomes readable
 * before a message began, the result is 2. */
int wire_receive(int socket, struct buf *ret, int *ret_fds, size_t max_fds, size_t *ret_fd_count,
	int first_ms, int rest_ms, int wake, struct err *err);

/* True when the other side closed or sent something: to be asked while a request is worked on. */
bool wire_is_interrupted(int socket);

void wire_close_fds(int *fds, size_t count);

/* Connect to, or listen at, `name` in a directory (whose path may be longer than a socket's name can be).
 * Returns a descriptor. wire_connect: ERR_NOTFOUND when nobody listens. */
int wire_connect(int dir, const char *name, struct err *err);
int wire_listen(int dir, const char *name, struct err *err);

#endif
