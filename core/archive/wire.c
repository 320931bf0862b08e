/* wire.c - see wire.h.
 *
 * Every step is non-blocking with poll() in front, so that a peer that stops in the middle of a message
 * costs its time-out and no more. */
#include "core/archive/wire.h"

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/tr.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char magic[4] = { 'M', 'U', 'N', '1' };

/* Room for the descriptors of one message, aligned as the kernel wants it. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * WIRE_MAX_FDS)];
};

static int64_t deadline_of(int timeout_ms)
{
	return timeout_ms < 0 ? -1 : clock_ticks() + (int64_t)timeout_ms * 1000000;
}

static int remaining_ms(int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return -1;
	left = (deadline - clock_ticks()) / 1000000;
	return left < 0 ? 0 : left > 1 << 30 ? 1 << 30 : (int)left;
}

/* Wait for one of two descriptors: 1 for the first, 2 for the second. */
static int wait_for(int fd, short events, int wake, int64_t deadline, struct err *err)
{
	struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = wake, .events = POLLIN } };

	for (;;) {
		int n = poll(p, wake >= 0 ? 2 : 1, remaining_ms(deadline));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, tr("cannot wait for the local socket"));
		if (n == 0)
			return err_set(err, ERR_CANCELLED,
				tr("the other side of the local socket is silent"));
		if (wake >= 0 && p[1].revents)
			return 2;
		return 1;
	}
}

static int gone(struct err *err)
{
	return err_set(err, ERR_IO, tr("the other side of the local socket went away"));
}

static int send_bytes(int socket, const char *p, size_t n, const int *fds, size_t fd_count,
	int64_t deadline, struct err *err)
{
	while (n > 0) {
		struct iovec piece = { .iov_base = (void *)p, .iov_len = n };
		struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
		union control control = { .bytes = { 0 } };
		ssize_t sent;
		int r;

		if (fd_count > 0) {
			struct cmsghdr *c;

			message.msg_control = control.bytes;
			message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
			c = CMSG_FIRSTHDR(&message);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
			memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
		}
		sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
			r = wait_for(socket, POLLOUT, -1, deadline, err);
			if (r < 0)
				return r;
			continue;
		}
		if (sent < 0)
			return errno == EPIPE || errno == ECONNRESET
				       ? gone(err)
				       : err_errno(err, tr("cannot send on the local socket"));
		p += sent;
		n -= (size_t)sent;
		fd_count = 0; /* they went with the first byte */
	}
	return 0;
}

int wire_send(int socket, struct str json, const int *fds, size_t fd_count, int timeout_ms,
	struct err *err)
{
	int64_t deadline = deadline_of(timeout_ms);
	char header[WIRE_HEADER];
	int r;

	if (fd_count > WIRE_MAX_FDS || json.n > UINT32_MAX)
		return err_set(err, ERR_LIMIT, tr("more than %d descriptors in one message"),
			WIRE_MAX_FDS);
	memcpy(header, magic, sizeof(magic));
	put_be32((uint8_t *)header + 4, (uint32_t)json.n);
	put_be32((uint8_t *)header + 8, (uint32_t)fd_count);
	r = send_bytes(socket, header, sizeof(header), fds, fd_count, deadline, err);
	if (r < 0)
		return r;
	return send_bytes(socket, json.p, json.n, NULL, 0, deadline, err);
}

void wire_close_fds(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
}

/* What came with a message is ours now: keep what fits, close what does not. */
static int take_fds(struct msghdr *message, int *fds, size_t max_fds, size_t *count)
{
	bool too_many = (message->msg_flags & MSG_CTRUNC) != 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (*count < max_fds) {
				fds[(*count)++] = fd;
			} else {
				(void)close(fd);
				too_many = true;
			}
		}
	}
	return too_many ? -ERR_LIMIT : 0;
}

/* Up to n bytes. Returns how many came; 0 when the other side closed. */
static ssize_t receive_some(int socket, char *p, size_t n, int *fds, size_t max_fds,
	size_t *fd_count, int64_t deadline, struct err *err)
{
	for (;;) {
		union control control;
		struct iovec piece = { .iov_base = p, .iov_len = n };
		struct msghdr message = { .msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes) };
		ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int r;

		if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			r = wait_for(socket, POLLIN, -1, deadline, err);
			if (r < 0)
				return r;
			continue;
		}
		if (got < 0)
			return errno == ECONNRESET
				       ? gone(err)
				       : err_errno(err, tr("cannot receive from the local socket"));
		if (take_fds(&message, fds, max_fds, fd_count) < 0)
			return err_set(err, ERR_LIMIT,
				tr("more than %zu descriptors came with a message"), max_fds);
		return got;
	}
}

static int receive_whole(int socket, char *p, size_t n, int *fds, size_t max_fds, size_t *fd_count,
	int64_t deadline, struct err *err)
{
	while (n > 0) {
		ssize_t got = receive_some(socket, p, n, fds, max_fds, fd_count, deadline, err);

		if (got < 0)
			return (int)got;
		if (got == 0)
			return gone(err);
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int receive_message(int socket, struct buf *ret, int *fds, size_t max_fds, size_t *fd_count,
	int64_t deadline, struct err *err)
{
	char header[WIRE_HEADER];
	ssize_t got =
		receive_some(socket, header, sizeof(header), fds, max_fds, fd_count, deadline, err);
	uint32_t length, promised;
	char *p;
	int r;

	if (got <= 0)
		return got < 0 ? (int)got : 1;
	r = receive_whole(socket, header + got, sizeof(header) - (size_t)got, fds, max_fds,
		fd_count, deadline, err);
	if (r < 0)
		return r;
	length = get_be32((uint8_t *)header + 4);
	promised = get_be32((uint8_t *)header + 8);
	if (memcmp(header, magic, sizeof(magic)) != 0 || promised != *fd_count)
		return err_set(
			err, ERR_INVALID, tr("what came on the local socket is not a message"));
	if (length > ret->max)
		return err_set(err, ERR_LIMIT, tr("a message of more than %zu bytes"), ret->max);
	p = buf_extend(ret, length);
	if (!p)
		return buf_check(ret, err);
	return receive_whole(socket, p, length, fds, 0, &(size_t){ 0 }, deadline, err);
}

int wire_receive(int socket, struct buf *ret, int *ret_fds, size_t max_fds, size_t *ret_fd_count,
	int first_ms, int rest_ms, int wake, struct err *err)
{
	size_t count = 0;
	int r;

	buf_reset(ret);
	*ret_fd_count = 0;
	r = wait_for(socket, POLLIN, wake, deadline_of(first_ms), err);
	if (r != 1)
		return r;
	r = receive_message(socket, ret, ret_fds, max_fds, &count, deadline_of(rest_ms), err);
	if (r != 0) {
		wire_close_fds(ret_fds, count);
		return r;
	}
	*ret_fd_count = count;
	return 0;
}

bool wire_is_interrupted(int socket)
{
	struct pollfd p = { .fd = socket, .events = POLLIN | POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}

/* A socket's name has 107 bytes; a descriptor's name in /proc is always shorter. */
static void address_of(int dir, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir, name);
}

int wire_connect(int dir, const char *name, struct err *err)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(err, tr("cannot make a socket"));
	address_of(dir, name, &address);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int e = errno;

		(void)close(fd);
		if (e == ENOENT || e == ECONNREFUSED)
			return err_set(err, ERR_NOTFOUND,
				tr("no resident process listens for this archive"));
		errno = e;
		return err_errno(err, tr("cannot reach the resident process"));
	}
	return fd;
}

int wire_listen(int dir, const char *name, struct err *err)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return err_errno(err, tr("cannot make a socket"));
	address_of(dir, name, &address);
	/* The caller holds the writer's lock: what stands there is a dead process's. The mode is set on the
	 * descriptor before bind() makes the name, so that there is no moment in which others may connect.
	 * */
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		r = err_errno(err, tr("cannot remove an old socket"));
	else if (fchmod(fd, 0600) < 0 ||
		 bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		 fchmodat(dir, name, 0600, 0) < 0 || listen(fd, 64) < 0)
		r = err_errno(err, tr("cannot listen at '%s'"), name);
	else
		return fd;
	(void)close(fd);
	return r;
}
