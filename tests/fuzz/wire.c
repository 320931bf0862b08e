/* wire.c - whatever comes on the local socket is a message or refused, and costs no descriptor. */
#include "core/archive/wire.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_done) struct buf message = BUF_INIT_MAX(1 << 16);
	int ends[2], fds[WIRE_MAX_FDS], r;
	size_t count;

	if (size > 1 << 16 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return 0;
	if (send(ends[0], data, size, MSG_DONTWAIT) < 0)
		abort();
	(void)shutdown(ends[0], SHUT_WR);
	do {
		struct err err = ERR_INIT;

		r = wire_receive(ends[1], &message, fds, WIRE_MAX_FDS, &count, 0, 1000, -1, &err);
		if (r < 0 && !err.text[0])
			abort();
		wire_close_fds(fds, count);
	} while (r == 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}
