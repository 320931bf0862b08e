#include "tests/harness.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "search/jail.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int input_of(const char *text)
{
	struct err err = ERR_INIT;
	int fd = jail_memfd_new(&err);

	ck_ok(fd, err);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_ok(jail_memfd_seal(fd, &err), err);
	return fd;
}

struct outcome {
	struct jail_result result;
	char text[256];
};

static struct outcome probe_for(const char *profile, const char *order, size_t max_output, int ms)
{
	const char *const argv[] = { "jail-probe", profile, NULL };
	_cleanup_(closep) int memfd = input_of(order);
	struct err err = ERR_INIT;
	_cleanup_(closep) int fd = jail_input(memfd, 4096, &err);
	struct jail_job job = { .program = getenv("MUNIMENT_JAIL_PROBE"),
		.argv = argv,
		.input = fd,
		.max_output_bytes = max_output,
		.deadline = clock_ticks() + (int64_t)ms * 1000000 };
	struct buf output = BUF_INIT_MAX(max_output);
	struct outcome o = { .text = "" };

	ck_ok(fd, err);
	ck_ok(jail_run(&job, &output, &o.result, &err), err);
	(void)snprintf(o.text, sizeof(o.text), "%s", output.p);
	buf_done(&output);
	return o;
}

static struct outcome probe(const char *profile, const char *order)
{
	return probe_for(profile, order, 200, 20000);
}

/* Both jails must answer so. */
static void both_say(const char *order, const char *text)
{
	static const char *const profiles[] = { "reader", "program" };

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		struct outcome o = probe(profiles[i], order);

		ck_assert_msg(o.result.end == JAIL_EXITED, "%s, %s: ended by %d", profiles[i],
			order, o.result.status);
		ck_assert_msg(strcmp(o.text, text) == 0, "%s, %s: %s", profiles[i], order, o.text);
	}
}

static void both_die(const char *order)
{
	static const char *const profiles[] = { "reader", "program" };

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		struct outcome o = probe(profiles[i], order);

		ck_assert_msg(o.result.end == JAIL_SIGNALLED && o.result.status == SIGSYS,
			"%s, %s: end %d status %d, %s", profiles[i], order, (int)o.result.end,
			o.result.status, o.text);
	}
}

START_TEST(this_machine_can_jail)
{
	ck_assert(jail_available());
}
END_TEST

START_TEST(files_outside_are_out_of_reach)
{
	struct err err = ERR_INIT;
	const char *folder = harness_dir();
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, folder, &err);
	char order[300];

	/* Readable and writable for everybody: what stops the probe is the jail. */
	ck_ok(file_replace(dir, "x", "secret", 6, &err), err);
	ck_assert_int_eq(fchmodat(dir, "x", 0666, 0), 0);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	(void)snprintf(order, sizeof(order), "open %s/x", folder);
	both_say(order, "EACCES");
	(void)snprintf(order, sizeof(order), "folder %s", folder);
	both_say(order, "EACCES");
	(void)snprintf(order, sizeof(order), "change %s/x", folder);
	both_say(order, "EPERM");
	(void)snprintf(order, sizeof(order), "make %s/y", folder);
	both_say(order, "EPERM");
	(void)snprintf(order, sizeof(order), "unlink %s/x", folder);
	both_say(order, "EPERM");
	ck_assert(!file_exists(dir, "y") && file_exists(dir, "x"));
	both_say("open /etc/passwd", "EACCES");
	both_say("open /proc/self/environ", "EACCES");
	both_say("folder /", "EACCES");
	both_say("folder /root", "EACCES");
	both_say("folder /usr/share", "ok");
	both_say("make /usr/share/muniment-was-here", "EPERM");
}
END_TEST

START_TEST(no_socket)
{
	both_die("socket");
}
END_TEST

START_TEST(other_processes_are_out_of_reach)
{
	both_die("kill");
	both_say("tgkill", "EPERM");
	both_say("setown", "EPERM");
	both_die("ptrace");
}
END_TEST

START_TEST(the_rest_is_closed_too)
{
	both_say("limit", "EPERM");
	both_say("memfd", "EPERM");
	both_die("io_uring");
	both_die("unshare");
	both_say("namespace", "EPERM");
	both_say("input", "EBADF");
}
END_TEST

START_TEST(readers_start_nothing_and_programs_little)
{
	struct outcome o = probe("reader", "fork");

	ck_assert_str_ne(o.text, "ok");
	o = probe("reader", "exec /usr/bin/pdftotext");
	ck_assert_int_eq(o.result.end, JAIL_SIGNALLED);
	ck_assert_int_eq(o.result.status, SIGSYS);
	o = probe("program", "fork");
	ck_assert_str_eq(o.text, "ok");
	o = probe("program", "exec /usr/bin/pdftotext");
	ck_assert_int_eq(o.result.end, JAIL_EXITED);
	ck_assert_int_eq(o.result.status, 0);
	o = probe("program", "exec /usr/sbin/ldconfig");
	ck_assert_str_eq(o.text, "EACCES");
}
END_TEST

START_TEST(nothing_is_inherited)
{
	_cleanup_(closep) int leak =
		open("/etc/passwd", O_RDONLY); /* on purpose without O_CLOEXEC */

	ck_assert_int_eq(setenv("SECRET", "yes", 1), 0);
	both_say("describe", "files 0 variables 0 root 0 core 0");
	ck_assert_int_ge(leak, 0);
}
END_TEST

START_TEST(limits_hold)
{
	struct outcome o = probe("reader", "loop");

	ck_assert_int_eq(o.result.end, JAIL_SIGNALLED);
	ck_assert_int_eq(o.result.status, SIGXCPU);
#ifndef __SANITIZE_ADDRESS__
	o = probe("reader", "memory");
	ck_assert_str_eq(o.text, "ENOMEM");
#endif
	o = probe("reader", "segv");
	ck_assert_int_eq(o.result.end, JAIL_SIGNALLED);
	ck_assert_int_eq(o.result.status, SIGSEGV);
}
END_TEST

START_TEST(the_clock_ends_it)
{
	static const char *const orders[] = { "sleep", "closed", "drip" };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		int64_t start = clock_ticks();
		struct outcome o = probe_for("reader", orders[i], 100000, 300);

		ck_assert_msg(
			o.result.end == JAIL_TIMED_OUT, "%s: %d", orders[i], (int)o.result.end);
		ck_assert_int_lt(clock_ticks() - start, (int64_t)10 * 1000000000);
	}
}
END_TEST

START_TEST(output_has_a_ceiling)
{
	struct outcome o = probe_for("reader", "flood", 100000, 20000);

	ck_assert_int_eq(o.result.end, JAIL_FLOODED);
	o = probe_for("reader", "describe", 33, 20000);
	ck_assert_int_eq(o.result.end, JAIL_EXITED);
	ck_assert_uint_eq(strlen(o.text), 33);
	o = probe_for("reader", "describe", 32, 20000);
	ck_assert_int_eq(o.result.end, JAIL_FLOODED);
}
END_TEST

START_TEST(what_it_started_ends_with_it)
{
	int64_t start = clock_ticks();
	struct outcome o = probe("program", "orphan");

	ck_assert_int_eq(o.result.end, JAIL_EXITED);
	ck_assert_str_eq(o.text, "ok");
	ck_assert_int_lt(clock_ticks() - start, (int64_t)10 * 1000000000);
}
END_TEST

START_TEST(a_program_that_is_missing_is_named)
{
	const char *const argv[] = { "x", NULL };
	struct jail_job job = {
		.program = "/nowhere/x", .argv = argv, .input = 0, .deadline = clock_ticks()
	};
	struct buf output = BUF_INIT;
	struct jail_result result;
	struct err err = ERR_INIT;

	ck_fails(jail_run(&job, &output, &result, &err), err, ERR_NOTFOUND);
	ck_assert(strstr(err.text, "/nowhere/x"));
}
END_TEST

/* Pipes, files and memfds all become a sealed memfd; the limit holds on both sides. */
START_TEST(input_is_sealed)
{
	struct err err = ERR_INIT;
	const char *folder = harness_dir();
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, folder, &err);
	_cleanup_(closep) int memfd = input_of("12345");
	_cleanup_(closep) int file = -1;
	_cleanup_(closep) int a = -1;
	_cleanup_(closep) int b = -1;
	_cleanup_(closep) int c = -1;
	int ends[2];
	char text[8] = "";

	ck_ok(file_replace(dir, "x", "12345", 5, &err), err);
	file = file_open_read(dir, "x", &err);
	ck_ok(file, err);
	ck_assert_int_eq(read(file, text, 2), 2); /* a position elsewhere does not matter */
	ck_fails(jail_input(file, 4, &err), err, ERR_LIMIT);
	ck_fails(jail_input(memfd, 4, &err), err, ERR_LIMIT);
	a = jail_input(file, 5, &err);
	b = jail_input(memfd, 5, &err);
	ck_ok(a, err);
	ck_ok(b, err);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "12345", 5), 5);
	(void)close(ends[1]);
	c = jail_input(ends[0], 5, &err);
	(void)close(ends[0]);
	ck_ok(c, err);
	ck_assert(jail_memfd_is_sealed(a) && jail_memfd_is_sealed(b) && jail_memfd_is_sealed(c));
	ck_assert(!jail_memfd_is_sealed(file));
	ck_assert_int_eq(read(a, text, sizeof(text)), 5);
	ck_assert_int_eq(read(b, text, sizeof(text)), 5);
	ck_assert_int_eq(read(c, text, sizeof(text)), 5);
	ck_assert_int_lt(write(b, "x", 1), 0);
	ck_assert_int_lt(write(memfd, "x", 1), 0);
}
END_TEST

TESTS("search/jail", this_machine_can_jail, files_outside_are_out_of_reach, no_socket,
	other_processes_are_out_of_reach, the_rest_is_closed_too,
	readers_start_nothing_and_programs_little, nothing_is_inherited, limits_hold,
	the_clock_ends_it, output_has_a_ceiling, what_it_started_ends_with_it,
	a_program_that_is_missing_is_named, input_is_sealed)
