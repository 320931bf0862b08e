/* server.c - see server.h.
 *
 * The thread of server_run accepts; each connection has a thread that reads a request, runs its verb and
 * answers, one after the other. Stopping goes in steps: no new connections; idle ones are woken by `stop`
 * (an eventfd that is never read, so that all see it); what runs has ten seconds, then its progress
 * callback says stop; then all are joined. */
#include "core/archive/server.h"

#include "core/archive/desk.h"
#include "core/archive/inside.h"
#include "core/archive/log.h"
#include "core/archive/say.h"
#include "core/archive/verb.h"
#include "core/archive/wire.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/str.h"
#include "core/base/tr.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MESSAGE_MS = 30000,	 /* from the first to the last byte of a message */
	STOP_MS = 10000,	 /* for what runs when the server stops */
	TELL_NS = 100 * 1000000, /* between two messages of progress */
	BREATH_MS = 100,	 /* when nothing can be accepted */
};

struct server;

struct connection {
	struct server *server;
	int fd;
	uint32_t uid;
	int64_t told; /* clock_ticks of the last message of progress */
	bool broken;  /* a message could not be sent: answer no more */
	pthread_t thread;
	_Atomic bool ended;
	struct connection *next;
};

struct server {
	struct archive *archive;
	struct server_options options;
	int stop; /* eventfd, readable from when the server stops */
	_Atomic bool cancelling;
	struct connection *connections; /* the accepting thread's alone */
	unsigned count;
};

/* ---- one request ---- */

static int tell_client(void *context, const struct verb_progress *progress)
{
	struct connection *c = context;
	_cleanup_(buf_done) struct buf b = BUF_INIT_MAX(64 << 10);
	int64_t now = clock_ticks();

	if (c->broken || atomic_load(&c->server->cancelling) || wire_is_interrupted(c->fd))
		return 1;
	if (now - c->told < TELL_NS)
		return 0;
	c->told = now;
	buf_addc(&b, '{');
	say_map(&b, "progress");
	verb_progress_say(progress, &b);
	say_end_map(&b);
	say_end_map(&b);
	if (buf_check(&b, NULL) < 0)
		return 0;
	if (wire_send(c->fd, buf_str(&b), NULL, 0, MESSAGE_MS, NULL) < 0)
		c->broken = true;
	return c->broken ? 1 : 0;
}

static void say_failure(struct buf *b, const struct err *err, struct str detail)
{
	buf_reset(b);
	buf_addc(b, '{');
	say_map(b, "error");
	say_cstr(b, "code", err_word(err->code));
	say_cstr(b, "text", err->text);
	say_cstr(b, "where", err->where);
	say_end_map(b);
	if (detail.n > 0) {
		say_map(b, "detail");
		buf_add_str(b, detail);
		say_end_map(b);
	}
	say_end_map(b);
}

/* Take the request apart and run the verb; its reply's members (or the detail of its failure) are in `reply`. */
static int run_request(struct connection *c, struct str text, const int *fds, size_t fd_count,
	struct buf *reply, struct err *err)
{
	static const char *const members[] = { "args", "lang", "verb" };
	static const struct json_limits limits = { VERB_MAX_REQUEST, 32, 200000 };
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str verb, lang = STR("zh");
	const struct json *args;
	struct verb_call call = { .caller = { .origin = ACCESS_OWNER },
		.fds = fds,
		.fd_count = fd_count,
		.uid = c->uid,
		.tell = tell_client,
		.tell_context = c,
		.reply = reply };
	int r = json_parse(text, &limits, 0, &doc, err);

	if (r < 0)
		return r;
	if ((r = json_only_members(doc, members, ARRAY_LEN(members), err)) < 0 ||
		(r = json_may_text(doc, "lang", &lang, err)) < 0)
		return r;
	tr_set_language(str_is(lang, "en") ? TR_EN : TR_ZH);
	if ((r = json_need_text(doc, "verb", &verb, err)) < 0 ||
		(r = json_need_map(doc, "args", &args, err)) < 0)
		return r;
	call.args = args;
	return verb_run(c->server->archive, verb, &call, err);
}

static int answer(struct connection *c, struct str text, const int *fds, size_t fd_count)
{
	_cleanup_(buf_wipe) struct buf reply = BUF_INIT_MAX(VERB_MAX_REPLY);
	_cleanup_(buf_wipe) struct buf out = BUF_INIT_MAX(VERB_MAX_REPLY + 4096);
	struct err err = ERR_INIT;
	int r = run_request(c, text, fds, fd_count, &reply, &err);

	if (r == 0)
		r = buf_check(&reply, &err);
	if (r < 0) {
		say_failure(&out, &err, reply.failed ? (struct str){ NULL, 0 } : buf_str(&reply));
	} else {
		buf_addc(&out, '{');
		say_map(&out, "reply");
		buf_add_str(&out, buf_str(&reply));
		say_end_map(&out);
		say_end_map(&out);
	}
	/* What cannot be said (a text that is not UTF-8, too long a reply) must not end in half a message. */
	if (buf_check(&out, NULL) < 0) {
		(void)err_set(&err, ERR_LIMIT, tr("the answer is too large to be sent"));
		say_failure(&out, &err, (struct str){ NULL, 0 });
	}
	return c->broken ? -ERR_IO : wire_send(c->fd, buf_str(&out), NULL, 0, MESSAGE_MS, NULL);
}

/* ---- a connection ---- */

static void refuse(int fd, int code, const char *text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT_MAX(8192);
	struct err err = ERR_INIT;

	(void)err_set(&err, code, "%s", text);
	say_failure(&b, &err, (struct str){ NULL, 0 });
	(void)wire_send(fd, buf_str(&b), NULL, 0, 1000, NULL);
}

static void *serve_connection(void *context)
{
	struct connection *c = context;
	_cleanup_(buf_wipe) struct buf message = BUF_INIT_MAX(VERB_MAX_REQUEST);
	int idle = (int)c->server->options.idle_ms;

	for (;;) {
		int fds[VERB_MAX_FDS];
		size_t count;
		struct err err = ERR_INIT;
		int r = wire_receive(c->fd, &message, fds, ARRAY_LEN(fds), &count, idle, MESSAGE_MS,
			c->server->stop, &err);

		if (r == -ERR_LIMIT || r == -ERR_INVALID)
			refuse(c->fd, -r, err.text);
		if (r != 0)
			break;
		/* A wish to stop that came when the answer was out already. */
		r = str_eq(buf_str(&message), STR(WIRE_CANCEL))
			    ? 0
			    : answer(c, buf_str(&message), fds, count);
		wire_close_fds(fds, count);
		if (r < 0)
			break;
	}
	(void)shutdown(c->fd, SHUT_RDWR);
	atomic_store(&c->ended, true);
	return NULL;
}

static void join_ended(struct server *s, bool all)
{
	struct connection **at = &s->connections;

	while (*at) {
		struct connection *c = *at;

		if (!all && !atomic_load(&c->ended)) {
			at = &c->next;
			continue;
		}
		(void)pthread_join(c->thread, NULL);
		(void)close(c->fd);
		*at = c->next;
		s->count--;
		free(c);
	}
}

/* The socket's mode keeps others out; this also keeps out who got a descriptor of it in some other way. */
static bool may_connect(int fd, uint32_t *ret_uid)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	*ret_uid = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid();
}

/* Until there may be descriptors again, instead of asking for one without end. */
static void breathe(struct server *s)
{
	struct pollfd p = { .fd = s->options.stop_fd, .events = POLLIN };

	(void)poll(&p, 1, BREATH_MS);
}

static void accept_one(struct server *s, int listener)
{
	_cleanup_(closep) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int e = errno;
	struct connection *c;
	uint32_t uid = 0;

	join_ended(s, false);
	if (fd < 0) {
		/* The client is gone already; or there is no descriptor for it, and it stays in the queue. */
		if (e == EMFILE || e == ENFILE || e == ENOBUFS || e == ENOMEM)
			breathe(s);
		return;
	}
	if (!may_connect(fd, &uid)) {
		log_line(LOG_LEVEL_WARNING, "uid %u may not connect to the local socket", uid);
		refuse(fd, ERR_DENIED, tr("this user may not connect to the archive"));
		return;
	}
	if (s->count >= s->options.max_connections) {
		refuse(fd, ERR_LIMIT, tr("too many connections to the archive; try again later"));
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->uid = uid;
	c->fd = fd;
	if (pthread_create(&c->thread, NULL, serve_connection, c) != 0) {
		refuse(fd, ERR_LIMIT, tr("too many connections to the archive; try again later"));
		free(c);
		return;
	}
	fd = -1;
	c->next = s->connections;
	s->connections = c;
	s->count++;
}

static bool anybody_left(struct server *s)
{
	join_ended(s, false);
	return s->connections != NULL;
}

static void stop_all(struct server *s)
{
	int64_t until = clock_ticks() + (int64_t)STOP_MS * 1000000;

	if (eventfd_write(s->stop, 1) < 0)
		log_line(LOG_LEVEL_WARNING, "cannot wake connections");
	while (anybody_left(s) && clock_ticks() < until)
		(void)poll(NULL, 0, 20);
	atomic_store(&s->cancelling, true);
	for (struct connection *c = s->connections; c; c = c->next)
		(void)shutdown(c->fd, SHUT_RD);
	join_ended(s, true);
}

int server_run(struct archive *a, const struct server_options *options, struct err *err)
{
	struct server s = { .archive = a, .options = *options };
	_cleanup_(closep) int listener = wire_listen(archive_dir(a), ARCHIVE_SOCKET, err);
	_cleanup_(closep) int stop = -1;
	int r = 0;

	if (listener < 0)
		return listener;
	if (!s.options.max_connections)
		s.options.max_connections =
			(unsigned)settings_int(a->settings, SETTING_SERVER_CONNECTIONS);
	if (s.options.idle_ms <= 0 || s.options.idle_ms > 1 << 30)
		s.options.idle_ms = settings_int(a->settings, SETTING_SERVER_IDLE_SECONDS) * 1000;
	stop = eventfd(0, EFD_CLOEXEC);
	if (stop < 0)
		return err_errno(err, tr("cannot make an event descriptor"));
	s.stop = stop;
	if (options->ready)
		options->ready(options->ready_context);
	for (;;) {
		struct pollfd p[2] = { { .fd = listener, .events = POLLIN },
			{ .fd = options->stop_fd, .events = POLLIN } };
		int n = poll(p, 2, -1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = err_errno(err, tr("cannot wait for the local socket"));
			break;
		}
		if (p[1].revents)
			break;
		if (p[0].revents)
			accept_one(&s, listener);
	}
	(void)file_unlink(archive_dir(a), ARCHIVE_SOCKET, NULL);
	stop_all(&s);
	return r;
}
