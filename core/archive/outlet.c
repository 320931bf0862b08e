/* outlet.c - see outlet.h. */
#include "core/archive/outlet.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void outlet_open(struct outlet *o, struct verb_call *call, uint64_t total)
{
	struct stat st;

	*o = (struct outlet){ .call = call, .fd = call->fds[0], .own = -1, .total = total };
	if (fstat(o->fd, &st) < 0)
		return;
	o->is_socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		o->own = file_reopen(o->fd, O_WRONLY | O_NONBLOCK, NULL);
	if (o->own >= 0)
		o->fd = o->own;
}

void outlet_done(struct outlet *o)
{
	if (o->own >= 0)
		(void)close(o->own);
}

static int outlet_wait(struct outlet *o, struct err *err)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	struct verb_progress progress = {
		.stage = "read", .unit = "bytes", .done = o->written, .total = o->total
	};

	(void)poll(&p, 1, 500);
	return verb_tell_of(o->call, &progress, err);
}

/* write() that never raises SIGPIPE in this process: a signal that it made is taken back before anybody sees it. */
static ssize_t write_quietly(const struct outlet *o, const void *p, size_t n)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t pipe_set, pending, before;
	bool was_pending;
	ssize_t written;
	int e;

	if (o->is_socket)
		return send(o->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)sigemptyset(&pipe_set);
	(void)sigaddset(&pipe_set, SIGPIPE);
	(void)sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	(void)pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	written = write(o->fd, p, n);
	e = errno;
	if (written < 0 && e == EPIPE && !was_pending)
		(void)sigtimedwait(&pipe_set, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = e;
	return written;
}

int outlet_write(void *context, struct str piece, struct err *err)
{
	struct outlet *o = context;

	while (piece.n > 0) {
		ssize_t n = write_quietly(o, piece.p, piece.n);
		int r = 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			r = outlet_wait(o, err);
			n = 0;
		} else if (n < 0) {
			return errno == EPIPE
				       ? err_set(err, ERR_CANCELLED, tr("the reader went away"))
				       : err_errno(err, tr("cannot write"));
		}
		if (r < 0)
			return r;
		o->written += (uint64_t)n;
		piece.p += n;
		piece.n -= (size_t)n;
	}
	return 0;
}
