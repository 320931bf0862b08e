/* prompt.c - passphrases from files, descriptors, credentials, and from a terminal that must get
 * its echo back. */
#include "core/main/prompt.h"

#include "core/base/file.h"
#include "core/base/tr.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

const struct command *const commands[] = { NULL };
const size_t command_count = 0;

static const struct command command_none = { .name = "none" };

static char *make_file(const char *name, const char *text, mode_t mode)
{
	char *path = xcalloc(1, 256);
	int fd;

	(void)snprintf(path, 256, "%s/%s", harness_dir(), name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	(void)close(fd);
	return path;
}

static void scan(struct args *args, int argc, const char *const *argv)
{
	struct err err = ERR_INIT;

	args_init(args, (size_t)argc);
	ck_ok(args_scan(args, &command_none, argc, (char *const *)argv, &err), err);
}

static void expect(struct prompt *p, const char *text)
{
	_cleanup_(secret_freep) struct secret *s = NULL;
	struct err err = ERR_INIT;

	ck_ok(prompt_passphrase(p, "?", false, &s, &err), err);
	ck_assert_uint_eq(s->n, strlen(text));
	ck_assert_int_eq(memcmp(s->p, text, s->n), 0);
	ck_assert(!p->was_asked);
}

static void expect_failure(struct prompt *p, int code)
{
	_cleanup_(secret_freep) struct secret *s = NULL;
	struct err err = ERR_INIT;

	ck_fails(prompt_passphrase(p, "?", false, &s, &err), err, code);
	ck_assert_ptr_null(s);
}

START_TEST(files_and_descriptors_in_their_order)
{
	_cleanup_(freep) char *one = make_file("one", "erste\nrest\n", 0600);
	_cleanup_(freep) char *two = make_file("two", "口令二", 0600);
	char number[16];
	const char *argv[] = { "--passphrase-file", two, "--passphrase-fd", number,
		"--passphrase-fd", number, "--passphrase-file", one };
	struct prompt p;
	struct args args;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "a\nb\n", 4), 4);
	(void)close(fds[1]);
	(void)snprintf(number, sizeof(number), "%d", fds[0]);
	scan(&args, (int)ARRAY_LEN(argv), argv);
	prompt_init(&p, &args, "passphrase");
	p.terminal = "/nowhere";
	expect(&p, "口令二");
	expect(&p, "a");
	expect(&p, "b");
	expect(&p, "erste");
	expect_failure(&p, ERR_SEALED);
	args_done(&args);
	(void)close(fds[0]);
}
END_TEST

START_TEST(what_others_may_read_is_refused)
{
	_cleanup_(freep) char *path = make_file("open", "secret\n", 0640);
	const char *argv[] = { "--passphrase-file", path };
	struct prompt p;
	struct args args;

	scan(&args, 2, argv);
	prompt_init(&p, &args, "passphrase");
	expect_failure(&p, ERR_INVALID);
	args_done(&args);
}
END_TEST

START_TEST(bad_sources)
{
	_cleanup_(freep) char *empty = make_file("empty", "\n", 0600);
	_cleanup_(freep) char *large = make_file("large", "", 0600);
	const char *argv[] = { "--passphrase-file", "/nowhere/at/all", "--passphrase-file", empty,
		"--passphrase-fd", "999999", "--passphrase-file", large };
	FILE *f = fopen(large, "w");
	struct prompt p;
	struct args args;

	for (int i = 0; i < 1025; i++)
		(void)fputc('x', f);
	(void)fclose(f);
	scan(&args, (int)ARRAY_LEN(argv), argv);
	prompt_init(&p, &args, "passphrase");
	expect_failure(&p, ERR_NOTFOUND);
	expect_failure(&p, ERR_INVALID);
	expect_failure(&p, ERR_IO);
	expect_failure(&p, ERR_LIMIT);
	args_done(&args);
}
END_TEST

START_TEST(credentials_by_number)
{
	const char *folder = harness_dir();
	struct prompt p;
	struct args args;

	for (int i = 1; i <= 2; i++) {
		char path[256];
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/custodian-%d", folder, i);
		f = fopen(path, "w");
		(void)fprintf(f, "secret %d\n", i);
		(void)fchmod(fileno(f), 0400);
		(void)fclose(f);
	}
	(void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
	scan(&args, 0, NULL);
	prompt_init(&p, &args, "passphrase");
	p.terminal = "/nowhere";
	expect(&p, "secret 1");
	expect(&p, "secret 2");
	expect_failure(&p, ERR_SEALED);
	prompt_init(&p, &args, "new-passphrase"); /* never from a credential */
	p.terminal = "/nowhere";
	expect_failure(&p, ERR_SEALED);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	args_done(&args);
}
END_TEST

/* ---- a terminal ---- */

struct pty {
	int master, slave;
	char name[128];
	char seen[8192]; /* what it has shown so far, looked at up to `from` */
	size_t n, from;
};

static void pty_open(struct pty *t)
{
	*t = (struct pty){ 0 };
	ck_assert_int_eq(openpty(&t->master, &t->slave, t->name, NULL, NULL), 0);
}

static bool has_echo(const struct pty *t)
{
	struct termios now;

	ck_assert_int_eq(tcgetattr(t->slave, &now), 0);
	return now.c_lflag & ECHO;
}

/* Read what the terminal shows until `text` has been seen. */
static void pty_wait(struct pty *t, const char *text)
{
	char *place;

	while (!(place = strstr(t->seen + t->from, text))) {
		ssize_t got = read(t->master, t->seen + t->n, sizeof(t->seen) - t->n - 1);

		ck_assert_int_gt(got, 0);
		t->n += (size_t)got;
		t->seen[t->n] = '\0';
	}
	t->from = (size_t)(place - t->seen) + strlen(text);
}

static void pty_type(struct pty *t, const char *text)
{
	ck_assert_int_eq(write(t->master, text, strlen(text)), (ssize_t)strlen(text));
}

/* A child that asks at the terminal; ends with 0 when it got `expected`, else with its error. */
static pid_t ask_in_child(struct pty *t, bool is_new, const char *expected)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct secret *s = NULL;
		struct err err = ERR_INIT;
		struct prompt p;
		struct args args;
		int r;

		(void)signal(SIGINT, SIG_DFL); /* the framework has handlers of its own */
		(void)signal(SIGTERM, SIG_DFL);
		(void)close(t->master);
		(void)setsid();
		(void)ioctl(t->slave, TIOCSCTTY, 0);
		scan(&args, 0, NULL);
		prompt_init(&p, &args, "passphrase");
		p.terminal = t->name;
		r = prompt_passphrase(&p, "question", is_new, &s, &err);
		if (r == 0 && (s->n != strlen(expected) || memcmp(s->p, expected, s->n) != 0))
			r = -99;
		_exit(-r);
	}
	return pid;
}

static int ended(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(asked_without_echo)
{
	struct pty t;
	pid_t pid;

	pty_open(&t);
	pid = ask_in_child(&t, false, "geheim 密");
	pty_wait(&t, "question: ");
	ck_assert(!has_echo(&t));
	pty_type(&t, "geheim 密\n");
	ck_assert_int_eq(ended(pid), 0);
	ck_assert(has_echo(&t));
}
END_TEST

START_TEST(new_ones_are_asked_twice_until_they_agree)
{
	struct pty t;
	pid_t pid;

	pty_open(&t);
	pid = ask_in_child(&t, true, "right one");
	pty_wait(&t, "question: ");
	pty_type(&t, "right one\n");
	pty_wait(&t, "the same once more: ");
	pty_type(&t, "wrong one\n");
	pty_wait(&t, "not the same");
	pty_wait(&t, "question: ");
	pty_type(&t, "right one\n");
	pty_wait(&t, "the same once more: ");
	pty_type(&t, "right one\n");
	ck_assert_int_eq(ended(pid), 0);
}
END_TEST

START_TEST(ctrl_c_gives_the_echo_back_and_then_kills)
{
	struct pty t;
	pid_t pid;
	int status;

	pty_open(&t);
	pid = ask_in_child(&t, false, "");
	pty_wait(&t, "question: ");
	ck_assert(!has_echo(&t));
	pty_type(&t, "half\x03");
	status = ended(pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	ck_assert(has_echo(&t));
}
END_TEST

START_TEST(a_hang_up_gives_the_echo_back)
{
	struct pty t;
	pid_t pid;
	int status;

	pty_open(&t);
	pid = ask_in_child(&t, false, "");
	pty_wait(&t, "question: ");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	status = ended(pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ck_assert(has_echo(&t));
}
END_TEST

START_TEST(nothing_typed_is_refused)
{
	struct pty t;
	pid_t pid;

	pty_open(&t);
	pid = ask_in_child(&t, false, "");
	pty_wait(&t, "question: ");
	pty_type(&t, "\n");
	ck_assert_int_eq(WEXITSTATUS(ended(pid)), ERR_INVALID);
}
END_TEST

TESTS("core/main/prompt", files_and_descriptors_in_their_order, what_others_may_read_is_refused,
	bad_sources, credentials_by_number, asked_without_echo,
	new_ones_are_asked_twice_until_they_agree, ctrl_c_gives_the_echo_back_and_then_kills,
	a_hang_up_gives_the_echo_back, nothing_typed_is_refused)
