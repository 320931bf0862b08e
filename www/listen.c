/* listen.c - see listen.h. */
#include "www/listen.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BACKLOG = 512 };

/* "ADDRESS:PORT" in its halves; brackets around an IPv6 address go. */
static int split(struct str text, struct str *ret_host, struct str *ret_port)
{
	size_t colon = text.n;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return -ERR_INVALID;
	*ret_port = (struct str){ text.p + colon, text.n - colon };
	*ret_host = (struct str){ text.p, colon - 1 };
	if (ret_host->n >= 2 && ret_host->p[0] == '[' && ret_host->p[ret_host->n - 1] == ']') {
		ret_host->p++;
		ret_host->n -= 2;
	} else if (memchr(ret_host->p, ':', ret_host->n)) {
		return -ERR_INVALID;
	}
	return str_to_u64(*ret_port, 65535, &(uint64_t){ 0 }, NULL);
}

static int bind_to(const struct addrinfo *ai, struct str address, struct err *err)
{
	_cleanup_(closep) int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int one = 1;

	if (fd < 0)
		return err_errno(err, tr("cannot make a socket"));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		if (errno == EADDRINUSE)
			return err_set(err, ERR_EXISTS,
				tr("another program listens at '%.*s'; choose another port with "
				   "--listen"),
				STR_ARG(address));
		return err_errno(err, tr("cannot listen at '%.*s'"), STR_ARG(address));
	}
	return TAKE_FD(fd);
}

static unsigned port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { .any = { 0 } };
	socklen_t n = sizeof(a);

	if (getsockname(fd, &a.any, &n) < 0)
		return 0;
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

int listen_at(struct str address, unsigned *ret_port, struct err *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct str host, port;
	int fd = split(address, &host, &port);

	if (fd == 0) {
		_cleanup_(freep) char *h =
			str_dup(str_is(host, "localhost") ? STR("127.0.0.1") : host);
		_cleanup_(freep) char *p = str_dup(port);

		if (getaddrinfo(h, p, &hints, &found) != 0)
			fd = -ERR_INVALID;
	}
	if (fd < 0)
		return err_set(err, ERR_INVALID,
			tr("'%.*s' is not ADDRESS:PORT, such as 127.0.0.1:8443 or [::1]:8443"),
			STR_ARG(address));
	fd = bind_to(found, address, err);
	freeaddrinfo(found);
	if (fd >= 0)
		*ret_port = port_of(fd);
	return fd;
}

bool peer_text(const struct sockaddr *peer, char *out, size_t room)
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;

	(void)snprintf(out, room, "?");
	if (peer && peer->sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)room);
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	}
	if (peer && peer->sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)room);
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || strncmp(out, "::ffff:127.", 11) == 0;
	}
	return false;
}
