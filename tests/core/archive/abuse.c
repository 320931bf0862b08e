/* abuse.c - the local socket under clients that do harm, by mistake or on purpose: the server answers what
 * can be answered, stays idle when it has nothing to do, keeps no descriptor, and can always be sealed and
 * stopped. */
#include "core/archive/inside.h"
#include "core/archive/wire.h"
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/core/archive/resident.h"
#include "tests/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static size_t open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

/* The answer to what was sent on a bare connection. */
static void expect(int fd, const char *piece)
{
	_cleanup_(buf_done) struct buf answer = BUF_INIT_MAX(VERB_MAX_REPLY);
	struct err err = ERR_INIT;
	size_t none;

	ck_ok(wire_receive(fd, &answer, NULL, 0, &none, 20000, 20000, -1, &err), err);
	if (!strstr(answer.p, piece))
		ck_abort_msg("'%s' is not in: %s", piece, answer.p);
}

static void request(int fd, const char *text, const int *fds, size_t count)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	buf_adds(&b, text);
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = b.p[i] == '\'' ? '"' : b.p[i];
	ck_ok(wire_send(fd, buf_str(&b), fds, count, 10000, &err), err);
}

static const char *file_large(struct desk *d)
{
	enum { BYTES = 9 << 20 };
	char *bytes = calloc(1, BYTES);
	int fd = bytes_fd(bytes, BYTES);
	struct json *reply = say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a'}]}");
	const char *number = text_at(reply, "number");

	json_free(reply);
	free(bytes);
	return number;
}

/* ---- descriptors run out ---- */

static int64_t cpu_ms(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

START_TEST(no_descriptors_left)
{
	struct resident s;
	struct rlimit old, few;
	struct desk *d;
	int waiting[8], spare[256];
	size_t held = 0;
	int64_t before;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int dir;

	resident_start(&s, world_new(), 0);
	dir = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/socket", dir);
	/* Sockets of the clients are made first; then nothing is left for the server's side. */
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_ge(waiting[i], 0);
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 200;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (held < ARRAY_LEN(spare) && (spare[held] = open("/dev/null", O_RDONLY)) >= 0)
		held++;
	ck_assert_uint_gt(held, 0);
	ck_assert_int_eq(close(spare[--held]), 0);
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
		ck_assert_int_eq(
			connect(waiting[i], (struct sockaddr *)&address, sizeof(address)), 0);
	before = cpu_ms();
	(void)poll(NULL, 0, 500);
	ck_assert_int_lt(cpu_ms() - before, 200);
	while (held > 0)
		(void)close(spare[--held]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
		(void)close(waiting[i]);
	(void)close(dir);
	d = world_desk(s.path);
	json_free(say(d, "status", "{}"));
	desk_free(d);
	resident_stop(&s);
}
END_TEST

/* ---- what comes and goes ---- */

START_TEST(descriptors_and_children_after_many_calls)
{
	enum { CALLS = 1000 };
	struct resident s;
	struct desk *d;
	size_t before;
	int fd;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	resident_unseal(d);
	fd = text_fd("x");
	json_free(say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'t','number':'一','parts':[{'fd':0,'"
		"name':'a.txt'}]}"));
	json_free(say(d, "search", "{'query':'x','fresh':true}"));
	before = open_descriptors();
	for (int i = 0; i < CALLS; i++) {
		_cleanup_(buf_done) struct buf bytes = BUF_INIT;

		if (i % 10 == 0) {
			fd = text_fd("text of a part");
			json_free(say_with(d, &fd, 1, "file",
				"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':"
				"0,"
				"'name':'a.txt'}]}"));
		} else if (i % 10 == 1) {
			get_part(d, "一", "a.txt", &bytes);
		} else if (i % 10 == 2) {
			fd = open("/", O_RDONLY | O_DIRECTORY);
			say_fails(d, ERR_INVALID, NULL, &fd, 1, "file",
				"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':"
				"0,"
				"'name':'a.txt'}]}");
		} else if (i % 10 == 3) {
			desk_free(d);
			d = world_desk(s.path);
		} else {
			json_free(say(d, "search", "{'query':'text'}"));
		}
	}
	json_free(say(d, "search", "{'query':'text','fresh':true}"));
	/* Some are kept for the next time (packs, readers of registry and index), but not one for each call. */
	ck_assert_uint_lt(open_descriptors(), before + 100);
	/* Of the programs that read texts none is left, alive or dead. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	desk_free(d);
	resident_stop(&s);
}
END_TEST

/* Things that are no files. What cannot be read from is refused; nothing hangs. */
START_TEST(strange_descriptors)
{
	struct resident s;
	struct desk *d;
	int strange[8], ends[2], master, slave;
	size_t count = 0;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	resident_unseal(d);
	json_free(
		say(d, "file", "{'series':'GEN','department':'运营部','title':'t','number':'一'}"));
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	strange[count++] = open("/", O_RDONLY | O_DIRECTORY);
	strange[count++] = open("/", O_PATH);
	strange[count++] = open("/dev/null", O_RDWR);
	strange[count++] = open("/dev/zero", O_RDONLY);
	strange[count++] = eventfd(0, 0);
	strange[count++] = epoll_create1(0);
	strange[count++] = slave;
	strange[count++] = socket(AF_UNIX, SOCK_STREAM, 0);
	for (size_t i = 0; i < count; i++) {
		int fd = dup(strange[i]), r;
		struct json *reply = NULL;
		struct err err = ERR_INIT;

		ck_assert_int_ge(fd, 0);
		r = desk_call(d, "file",
			STR("{\"series\":\"GEN\",\"department\":\"运营部\",\"title\":\"t\","
			    "\"parts\":[{\"fd\":"
			    "0,\"name\":\"a\",\"size\":1}]}"),
			&fd, 1, NULL, NULL, &reply, &err);
		json_free(reply);
		if (r >= 0)
			ck_abort_msg("descriptor %zu was filed", i);
		r = desk_call(d, "series.add", STR("{}"), &fd, 1, NULL, NULL, &reply, &err);
		json_free(reply);
		ck_assert_int_lt(r, 0);
		(void)close(fd);
	}
	/* A file opened for writing only, and one that shrinks while it is read. */
	{
		int fd = open("/tmp", O_TMPFILE | O_WRONLY, 0600);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(ftruncate(fd, 100), 0);
		say_fails(d, ERR_IO, NULL, &fd, 1, "file",
			"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':"
			"'a'}]}");
	}
	/* A pipe's wrong end. */
	ck_assert_int_eq(pipe(ends), 0);
	say_fails(d, ERR_INVALID, NULL, &ends[1], 1, "file",
		"{'series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a','"
		"size':1}]}");
	(void)close(ends[0]);
	for (size_t i = 0; i < count; i++)
		(void)close(strange[i]);
	(void)close(master);
	json_free(say(d, "status", "{}"));
	desk_free(d);
	resident_stop(&s);
}
END_TEST

/* ---- nobody reads, nobody writes ---- */

/* The archive can be sealed while clients keep their requests waiting in every way there is. */
START_TEST(sealed_under_slow_clients)
{
	struct resident s;
	struct desk *d;
	const char *number;
	char text[200];
	int sockets[2], pipes[2], master, slave, empty[2], silent[2], fd[5];
	struct json *reply;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	resident_unseal(d);
	number = file_large(d);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(pipe(empty), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, silent), 0);
	(void)snprintf(
		text, sizeof(text), "{'verb':'get','args':{'number':'%s','part':'1'}}", number);
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = resident_connect(&s);
	request(fd[0], text, &sockets[0], 1);
	request(fd[1], text, &pipes[1], 1);
	request(fd[2], text, &slave, 1);
	request(fd[3],
		"{'verb':'file','args':{'as':'" OPERATOR
		"','series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a','"
		"size':5}]}}",
		&empty[0], 1);
	request(fd[4],
		"{'verb':'file','args':{'as':'" OPERATOR
		"','series':'GEN','department':'运营部','title':'t','parts':[{'fd':0,'name':'a'}]}"
		"}",
		&silent[0], 1);
	/* Until they all hang. */
	(void)poll(NULL, 0, 300);
	json_free(say(d, "seal", "{}"));
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		expect(fd[i], "\"code\":\"cancelled\"");
	/* And the server can be stopped. */
	resident_unseal(d);
	request(fd[0], text, &sockets[0], 1);
	request(fd[2], text, &slave, 1);
	(void)poll(NULL, 0, 200);
	reply = say(d, "status", "{}");
	ck_assert(!bool_at(reply, "sealed"));
	json_free(reply);
	desk_free(d);
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		(void)close(fd[i]);
	resident_stop(&s);
}
END_TEST

/* ---- broken requests ---- */

START_TEST(requests_that_are_none)
{
	static const char *const broken[] = { "", "{", "[]", "null", "1e999",
		"{\"verb\":1,\"args\":{}}", "{\"verb\":\"status\"}",
		"{\"verb\":\"status\",\"args\":[]}",
		"{\"verb\":\"status\",\"args\":{},\"args\":{}}",
		"{\"verb\":\"sta\\u0000tus\",\"args\":{}}", "{\"verb\":\"\xff\",\"args\":{}}",
		"{\"verb\":\"status\",\"args\":{},\"lang\":7}",
		"{\"verb\":\"status\",\"args\":{\"a\":99999999999999999999}}",
		"{\"verb\":\"get\",\"args\":{\"number\":{}}}",
		"{\"verb\":\"unseal\",\"args\":{}} x" };
	struct resident s;
	_cleanup_(buf_done) struct buf deep = BUF_INIT;
	struct err err = ERR_INIT;
	int fd;

	resident_start(&s, world_new(), 0);
	fd = resident_connect(&s);
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		ck_ok(wire_send(fd, str_of(broken[i]), NULL, 0, 5000, &err), err);
		expect(fd, "\"error\"");
	}
	for (int i = 0; i < 100000; i++)
		buf_adds(&deep, "[");
	ck_ok(wire_send(fd, buf_str(&deep), NULL, 0, 5000, &err), err);
	expect(fd, "\"error\"");
	(void)close(fd);
	resident_stop(&s);
}
END_TEST

/* Descriptors that nobody announced, and more than one message may have, at once and in pieces. */
START_TEST(descriptors_out_of_place)
{
	struct resident s;
	struct desk *d;
	size_t before;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	json_free(say(d, "status", "{}"));
	before = open_descriptors();
	for (int variant = 0; variant < 3; variant++) {
		int fd = resident_connect(&s), fds[200];
		uint8_t header[WIRE_HEADER] = "MUN1";
		size_t count = variant == 2 ? 200 : 1;
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(fds))];
		} control = { .bytes = { 0 } };
		struct iovec piece = { header, variant == 1 ? 4 : sizeof(header) };
		struct msghdr m = { .msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = CMSG_SPACE(sizeof(int) * count) };
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		char byte;

		for (size_t i = 0; i < count; i++)
			fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
		put_be32(header + 4, variant == 1 ? 100 : 0);
		put_be32(header + 8, variant == 2 ? 7 : 0);
		ck_assert_int_gt(sendmsg(fd, &m, MSG_NOSIGNAL), 0);
		if (variant == 1) {
			/* The rest of the header, with another one. */
			piece = (struct iovec){ header + 4, 8 };
			ck_assert_int_gt(sendmsg(fd, &m, MSG_NOSIGNAL), 0);
		}
		for (size_t i = 0; i < count; i++)
			(void)close(fds[i]);
		(void)shutdown(fd, SHUT_WR);
		while (read(fd, &byte, 1) > 0)
			;
		(void)close(fd);
	}
	/* The server closes its own side when it looks again. */
	desk_free(d);
	d = world_desk(s.path);
	json_free(say(d, "status", "{}"));
	ck_assert_uint_le(open_descriptors(), before + 2);
	desk_free(d);
	resident_stop(&s);
}
END_TEST

/* ---- crowds ---- */

START_TEST(two_hundred_connections)
{
	enum { CROWD = 200 };
	struct resident s;
	struct desk *d;
	int fds[CROWD];
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	int r = -1;

	resident_start(&s, world_new(), 0);
	for (int i = 0; i < CROWD; i++) {
		fds[i] = resident_connect(&s);
		/* Half a header, then nothing. */
		(void)send(fds[i], "MUN1\0", 5, MSG_NOSIGNAL);
	}
	for (int i = 64; i < CROWD; i++)
		expect(fds[i], "\"code\":\"limit\"");
	for (int i = 0; i < CROWD; i++)
		(void)close(fds[i]);
	for (int i = 0; i < 200 && r < 0; i++) {
		d = world_desk(s.path);
		r = desk_call(d, "status", STR("{}"), NULL, 0, NULL, NULL, &reply, &err);
		json_free(reply);
		desk_free(d);
		(void)poll(NULL, 0, 10);
	}
	ck_ok(r, err);
	resident_stop(&s);
}
END_TEST

/* Who asks for a lot and is gone before it is done costs nothing but the work; what was filed stands. */
START_TEST(clients_that_vanish)
{
	struct resident s;
	struct desk *d;
	struct json *reply;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	resident_unseal(d);
	for (int i = 0; i < 20; i++) {
		int fd = resident_connect(&s), part = text_fd("vanishing");
		char text[300];

		(void)snprintf(text, sizeof(text),
			"{'verb':'file','args':{'as':'" OPERATOR
			"','series':'GEN','department':'运营部','title':'t','request':'%d','parts':"
			"[{'fd':0,"
			"'name':'a.txt'}]}}",
			i);
		request(fd, text, &part, 1);
		(void)close(part);
		(void)close(fd);
	}
	for (int i = 0; i < 20; i++) {
		int fd = text_fd("vanishing");

		json_free(say_with(d, &fd, 1, "file",
			"{'series':'GEN','department':'运营部','title':'t','request':'%d','parts':["
			"{'fd':0,'name':"
			"'a.txt'}]}",
			i));
	}
	reply = say(d, "list", "{'series':'GEN','fresh':true}");
	ck_assert_int_eq(int_at(reply, "count"), 20);
	json_free(reply);
	reply = say(d, "verify", "{'level':'full'}");
	ck_assert(bool_at(reply, "good"));
	json_free(reply);
	desk_free(d);
	resident_stop(&s);
}
END_TEST

/* Another user, even where the socket's mode was opened by mistake. */
START_TEST(another_user)
{
	enum { NOBODY = 65534 };
	struct resident s;
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	resident_start(&s, world_new(), 0);
	buf_addf(&path, "%s/socket", s.path);
	for (int open_mode = 0; open_mode < 2; open_mode++) {
		if (open_mode) {
			ck_assert_int_eq(chmod(s.path, 0755), 0);
			ck_assert_int_eq(chmod(path.p, 0666), 0);
		}
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			struct sockaddr_un address = { .sun_family = AF_UNIX };
			char answer[512] = "";
			int fd = socket(AF_UNIX, SOCK_STREAM, 0);
			size_t n = 0;
			ssize_t more;

			(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path.p);
			if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
				_exit(9);
			if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
				_exit(errno == EACCES ? 1 : 8);
			while ((more = read(fd, answer + n, sizeof(answer) - n)) > 0)
				n += (size_t)more;
			_exit(memmem(answer, sizeof(answer), "denied", 6) ? 2 : 7);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status));
		ck_assert_int_eq(WEXITSTATUS(status), open_mode ? 2 : 1);
	}
	resident_stop(&s);
}
END_TEST

/* The settings of the server are those of the archive. */
START_TEST(connections_as_set)
{
	const char *path = world_new();
	struct desk *d = world_desk(path);
	struct resident s;
	int one, two;

	json_free(say(d, "config.set", "{'name':'server.connections','value':'1'}"));
	desk_free(d);
	resident_start(&s, path, 0);
	one = resident_connect(&s);
	request(one, "{'verb':'status','args':{}}", NULL, 0);
	expect(one, "\"reply\"");
	two = resident_connect(&s);
	expect(two, "\"code\":\"limit\"");
	(void)close(one);
	(void)close(two);
	resident_stop(&s);
}
END_TEST

TESTS("archive abuse", no_descriptors_left, descriptors_and_children_after_many_calls,
	strange_descriptors, sealed_under_slow_clients, requests_that_are_none,
	descriptors_out_of_place, two_hundred_connections, clients_that_vanish, another_user,
	connections_as_set)
