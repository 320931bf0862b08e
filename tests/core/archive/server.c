/* server.c - the resident process: verbs over the socket as here, descriptors across it, clients who
 * misbehave, many at once, two writers. */
#include "core/archive/server.h"

#include "core/archive/inside.h"
#include "core/archive/wire.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/core/archive/resident.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what works here works there ---- */

START_TEST(verbs_across_the_socket)
{
	struct resident s;
	struct desk *d;
	struct json *reply;
	_cleanup_(buf_done) struct buf bytes = BUF_INIT;
	const char *number;
	int fd;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	ck_assert(desk_is_resident(d));
	reply = say(d, "status", "{}");
	ck_assert(bool_at(reply, "sealed"));
	ck_assert(bool_at(reply, "resident"));
	json_free(reply);
	say_fails(d, ERR_SEALED, NULL, NULL, 0, "search", "{'query':'x'}");
	resident_unseal(d);
	fd = text_fd("责任到人 across the socket");
	reply = say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'题名','parts':[{'fd':0,'name':'a."
		"txt'}]}");
	number = text_at(reply, "number");
	json_free(reply);
	get_part(d, number, "a.txt", &bytes);
	ck_assert_str_eq(bytes.p, "责任到人 across the socket");
	reply = say(d, "search", "{'query':'责任到人','fresh':true}");
	ck_assert_int_eq(int_at(reply, "count"), 1);
	json_free(reply);
	reply = say(d, "revise", "{'number':'%s','base':1,'title':'题名二'}", number);
	json_free(reply);
	say_fails(d, ERR_CONFLICT, &reply, NULL, 0, "revise",
		"{'number':'%s','base':1,'title':'题名三'}", number);
	ck_assert_str_eq(text_at(reply, "head.title"), "题名二");
	json_free(reply);
	json_free(say(d, "seal", "{}"));
	say_fails(d, ERR_SEALED, NULL, NULL, 0, "show", "{'number':'%s'}", number);
	resident_unseal(d);
	json_free(say(d, "show", "{'number':'%s'}", number));
	desk_free(d);
	resident_stop(&s);
	{
		_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, s.path, NULL);

		ck_assert(!file_exists(dir, ARCHIVE_SOCKET));
	}
}
END_TEST

START_TEST(through_a_pipe)
{
	struct resident s;
	struct desk *d;
	struct json *reply;
	enum { BYTES = 6 << 20 };
	char *big = calloc(1, BYTES);
	const char *number;
	int fd, ends[2];
	struct err err = ERR_INIT;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	resident_unseal(d);
	fd = bytes_fd(big, BYTES);
	reply = say_with(d, &fd, 1, "file",
		"{'series':'GEN','department':'运营部','title':'题名','parts':[{'fd':0,'name':'a."
		"bin'}]}");
	number = text_at(reply, "number");
	json_free(reply);
	/* A reader that goes away costs this request, not the server. */
	ck_assert_int_eq(pipe(ends), 0);
	(void)close(ends[0]);
	say_fails(d, ERR_CANCELLED, NULL, &ends[1], 1, "get", "{'number':'%s','part':'1'}", number);
	json_free(say(d, "status", "{}"));
	/* One that never reads is left when the client goes. */
	ck_assert_int_eq(pipe(ends), 0);
	{
		_cleanup_(buf_done) struct buf request = BUF_INIT;
		int bare = resident_connect(&s);

		buf_addf(&request, "{\"args\":{\"number\":\"%s\",\"part\":\"1\"},\"verb\":\"get\"}",
			number);
		ck_ok(wire_send(bare, buf_str(&request), &ends[1], 1, 1000, &err), err);
		(void)close(ends[1]);
		(void)poll(NULL, 0, 50);
		(void)close(bare);
	}
	desk_free(d);
	resident_stop(&s);
	(void)close(ends[0]);
	free(big);
}
END_TEST

/* ---- clients who misbehave ---- */

static void expect_end(int fd)
{
	char byte;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n > 0);
	(void)close(fd);
}

START_TEST(bad_messages)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct resident s;
	struct desk *d;
	uint8_t header[WIRE_HEADER] = "MUN1";
	struct err err = ERR_INIT;
	int fd, many[VERB_MAX_FDS];

	resident_start(&s, world_new(), 0);
	fd = resident_connect(&s);
	ck_assert_int_eq(send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL), sizeof(garbage));
	expect_end(fd);
	/* More than a request may have. */
	fd = resident_connect(&s);
	put_be32(header + 4, VERB_MAX_REQUEST + 1);
	put_be32(header + 8, 0);
	ck_assert_int_eq(send(fd, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	expect_end(fd);
	/* Descriptors that were promised and did not come. */
	fd = resident_connect(&s);
	put_be32(header + 4, 2);
	put_be32(header + 8, 1);
	ck_assert_int_eq(send(fd, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	expect_end(fd);
	/* Half a message, then gone. */
	fd = resident_connect(&s);
	ck_assert_int_eq(send(fd, header, 5, MSG_NOSIGNAL), 5);
	(void)close(fd);
	d = world_desk(s.path);
	say_fails(d, ERR_NOTFOUND, NULL, NULL, 0, "nonsense", "{}");
	say_fails(d, ERR_INVALID, NULL, NULL, 0, "status", "{'x':1}");
	/* As many descriptors as there may be arrive, are refused by the verb, and are closed. */
	for (int i = 0; i < VERB_MAX_FDS; i++)
		many[i] = text_fd("x");
	say_fails(d, ERR_INVALID, NULL, many, VERB_MAX_FDS, "status", "{}");
	fd = resident_connect(&s);
	ck_ok(wire_send(fd, STR("not json"), NULL, 0, 1000, &err), err);
	{
		_cleanup_(buf_done) struct buf answer = BUF_INIT;
		size_t none;

		ck_ok(wire_receive(fd, &answer, NULL, 0, &none, 5000, 5000, -1, &err), err);
		ck_assert_ptr_nonnull(strstr(answer.p, "\"code\":\"invalid\""));
	}
	(void)close(fd);
	json_free(say(d, "status", "{}"));
	desk_free(d);
	resident_stop(&s);
}
END_TEST

START_TEST(connections_are_bounded)
{
	struct resident s;
	struct desk *one, *two, *three;
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	int r;

	resident_start(&s, world_new(), 2);
	one = world_desk(s.path);
	json_free(say(one, "status", "{}"));
	two = world_desk(s.path);
	json_free(say(two, "status", "{}"));
	three = world_desk(s.path);
	r = desk_call(three, "status", STR("{}"), NULL, 0, NULL, NULL, &reply, &err);
	ck_assert_int_lt(r, 0);
	desk_free(three);
	desk_free(two);
	/* Its place is free again as soon as the server has seen that it went. */
	for (int i = 0; i < 100; i++) {
		three = world_desk(s.path);
		r = desk_call(three, "status", STR("{}"), NULL, 0, NULL, NULL, &reply, &err);
		json_free(reply);
		desk_free(three);
		if (r == 0)
			break;
		(void)poll(NULL, 0, 20);
	}
	ck_assert_int_eq(r, 0);
	desk_free(one);
	resident_stop(&s);
}
END_TEST

static int stop_it(void *context, const struct verb_progress *p)
{
	(void)context;
	(void)p;
	return 1;
}

START_TEST(a_client_may_stop)
{
	struct resident s;
	struct desk *d;
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	int r, fds[100];
	_cleanup_(buf_done) struct buf args = BUF_INIT;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	resident_unseal(d);
	buf_adds(&args, "{'department':'运营部','documents':[");
	for (int i = 0; i < 100; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "document %d", i);
		fds[i] = text_fd(text);
		buf_addf(&args, "%s{'fd':%d,'name':'%d.txt'}", i ? "," : "", i, i);
	}
	buf_adds(&args, "]}");
	json_free(say_with(d, fds, 100, "file.batch", "%s", args.p));
	r = desk_call(d, "reindex", STR("{\"text\":true}"), NULL, 0, stop_it, NULL, &reply, &err);
	json_free(reply);
	if (r < 0)
		ck_fails(r, err, ERR_CANCELLED);
	reply = say(d, "search", "{'query':'document','limit':1,'fresh':true}");
	ck_assert_int_eq(int_at(reply, "count"), 100);
	json_free(reply);
	desk_free(d);
	resident_stop(&s);
}
END_TEST

/* ---- several at once ---- */

enum { CLIENTS = 6, EACH = 15 };

struct client {
	const char *path;
	int which;
	pthread_t thread;
	int won, lost;
};

static void *be_client(void *context)
{
	struct client *c = context;
	struct desk *d = world_desk(c->path);

	for (int i = 0; i < EACH; i++) {
		struct json *reply = NULL;
		struct err err = ERR_INIT;
		_cleanup_(buf_done) struct buf args = BUF_INIT;
		int r;

		json_free(say(d, "file",
			"{'series':'GEN','department':'运营部','title':'并行','date':'2025-06-01'"
			"}"));
		/* Everybody revises the same version of the same record: one wins each round. */
		buf_addf(&args,
			"{\"number\":\"同一份\",\"base\":%d,\"title\":\"第 %d 人第 %d 次\"}", i + 1,
			c->which, i);
		r = desk_call(d, "revise", buf_str(&args), NULL, 0, NULL, NULL, &reply, &err);
		json_free(reply);
		if (r == 0)
			c->won++;
		else if (r == -ERR_CONFLICT || r == -ERR_NOTFOUND)
			c->lost++;
	}
	desk_free(d);
	return NULL;
}

START_TEST(many_clients_and_one_record)
{
	struct client clients[CLIENTS];
	struct resident s;
	struct desk *d;
	struct json *reply;
	int won = 0;

	resident_start(&s, world_new(), 0);
	d = world_desk(s.path);
	resident_unseal(d);
	json_free(say(d, "file",
		"{'series':'GEN','department':'运营部','title':'开始','number':'同一份'}"));
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ .path = s.path, .which = i };
		ck_assert_int_eq(
			pthread_create(&clients[i].thread, NULL, be_client, &clients[i]), 0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		(void)pthread_join(clients[i].thread, NULL);
		ck_assert_int_eq(clients[i].won + clients[i].lost, EACH);
		won += clients[i].won;
	}
	reply = say(d, "show", "{'number':'同一份'}");
	ck_assert_int_eq(int_at(reply, "version"), won + 1);
	json_free(reply);
	/* No number is skipped, none used twice. */
	reply = say(d, "list",
		"{'series':'GEN','order':'number','limit':1000,'from':'2025-06-01','to':'2025-06-"
		"01','fresh':true}");
	ck_assert_int_eq(int_at(reply, "count"), CLIENTS * EACH);
	for (int i = 0; i < CLIENTS * EACH; i++) {
		char expected[64], path[64];

		(void)snprintf(expected, sizeof(expected), "一般质量记录-20250601-%04d", i + 1);
		(void)snprintf(path, sizeof(path), "rows.%d.number", i);
		ck_assert_str_eq(text_at(reply, path), expected);
	}
	json_free(reply);
	reply = say(d, "verify", "{'level':'full'}");
	ck_assert(bool_at(reply, "good"));
	json_free(reply);
	desk_free(d);
	resident_stop(&s);
}
END_TEST

START_TEST(a_second_writer_is_told)
{
	struct resident s;
	struct desk *d;
	struct json *reply = NULL;
	struct desk_options here = { .never_resident = true, .as = OPERATOR };
	struct err err = ERR_INIT;
	struct archive *a;
	char pid[32];

	resident_start(&s, world_new(), 0);
	ck_fails(archive_open(s.path, ARCHIVE_WRITABLE, &a, &err), err, ERR_LOCKED);
	(void)snprintf(pid, sizeof(pid), "pid %d", (int)getpid());
	ck_assert_ptr_nonnull(strstr(err.text, pid));
	ck_ok(desk_open(s.path, &here, &d, &err), err);
	/* What only reads needs no lock. */
	ck_ok(desk_call(d, "status", STR(""), NULL, 0, NULL, NULL, &reply, &err), err);
	ck_assert(!bool_at(reply, "writable"));
	json_free(reply);
	ck_fails(desk_call(d, "config.set", STR("{\"name\":\"log.level\",\"value\":\"info\"}"),
			 NULL, 0, NULL, NULL, &reply, &err),
		err, ERR_LOCKED);
	desk_free(d);
	resident_stop(&s);
	here.only_resident = true;
	here.never_resident = false;
	ck_fails(desk_open(s.path, &here, &d, &err), err, ERR_NOTFOUND);
}
END_TEST

TESTS("archive server", verbs_across_the_socket, through_a_pipe, bad_messages,
	connections_are_bounded, a_client_may_stop, many_clients_and_one_record,
	a_second_writer_is_told)
