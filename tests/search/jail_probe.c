/* jail_probe.c - a program that locks itself in, and then does what it was told to try; tests/search/jail.c looks at
 * what came of it. Not part of what is installed.
 *
 * The order is the first line of descriptor 0: a word and perhaps an argument. The answer is "ok", or the error.
 * Started as `jail-probe reader` or `jail-probe program`; with the arguments of muniment-extract (extract.c puts it
 * in that one's place) it takes its limits from them. */
#include "core/base/str.h"
#include "search/jail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(bool done)
{
	(void)dprintf(1, "%s", done ? "ok" : strerrorname_np(errno));
	return EXIT_SUCCESS;
}

static int try_open(const char *path)
{
	return say(open(path, O_RDONLY) >= 0);
}

static int try_make(const char *path)
{
	return say(open(path, O_WRONLY | O_CREAT, 0600) >= 0);
}

static int try_change(const char *path)
{
	return say(open(path, O_RDWR) >= 0);
}

static int try_folder(const char *path)
{
	return say(opendir(path) != NULL);
}

static int try_unlink(const char *path)
{
	return say(unlink(path) == 0);
}

static int try_socket(const char *unused)
{
	(void)unused;
	return say(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static int try_fork(const char *unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0)
		_exit(0);
	return say(pid > 0 && waitpid(pid, NULL, 0) == pid);
}

static int try_exec(const char *path)
{
	(void)execl(path, path, "-v", NULL);
	return say(false);
}

static int try_kill(const char *unused)
{
	(void)unused;
	return say(kill(getppid(), 0) == 0);
}

static int try_tgkill(const char *unused)
{
	(void)unused;
	return say(syscall(SYS_tgkill, getppid(), getppid(), 0) == 0);
}

static int try_own_signal(const char *unused)
{
	int fd = dup(0);

	(void)unused;
	return say(fcntl(fd < 0 ? 0 : fd, F_SETOWN, getppid()) == 0);
}

static int try_ptrace(const char *unused)
{
	(void)unused;
	return say(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
}

static int try_limit(const char *unused)
{
	struct rlimit limit = { 1, 1 };

	(void)unused;
	return say(setrlimit(RLIMIT_CORE, &limit) == 0);
}

static int try_memfd(const char *unused)
{
	(void)unused;
	return say(memfd_create("x", 0) >= 0);
}

static int try_io_uring(const char *unused)
{
	(void)unused;
	return say(syscall(SYS_io_uring_setup, 1, NULL) >= 0);
}

static int try_unshare(const char *unused)
{
	(void)unused;
	return say(syscall(SYS_unshare, 0x10000000) == 0);
}

static int try_namespace(const char *unused)
{
	(void)unused;
	return say(syscall(SYS_clone, 0x10000000 | SIGCHLD, NULL, NULL, NULL, NULL) >= 0);
}

static int try_input(const char *unused)
{
	(void)unused;
	return say(write(0, "x", 1) == 1);
}

/* Descriptors other than 0, 1, 2; variables; user; core limit. */
static int describe(const char *unused)
{
	struct rlimit core;
	int open_files = 0, variables = 0;

	(void)unused;
	for (int fd = 3; fd < 1024; fd++)
		open_files += fcntl(fd, F_GETFD) >= 0;
	while (environ[variables])
		variables++;
	(void)getrlimit(RLIMIT_CORE, &core);
	(void)dprintf(1, "files %d variables %d root %d core %d", open_files, variables,
		geteuid() == 0, (int)core.rlim_cur);
	return EXIT_SUCCESS;
}

static int read_all(const char *unused)
{
	char room[4096];
	size_t n = 0;

	(void)unused;
	for (ssize_t got; (got = read(0, room, sizeof(room))) > 0;)
		n += (size_t)got;
	(void)dprintf(1, "%zu", n);
	return EXIT_SUCCESS;
}

static int die_of_segv(const char *unused)
{
	(void)unused;
	(void)signal(SIGSEGV, SIG_DFL);
	(void)raise(SIGSEGV);
	return EXIT_SUCCESS;
}

static int loop(const char *unused)
{
	volatile uint64_t n = 0;

	(void)unused;
	while (n < UINT64_MAX)
		n++;
	return EXIT_SUCCESS;
}

static int sleep_long(const char *unused)
{
	(void)unused;
	(void)sleep(1000);
	return EXIT_SUCCESS;
}

static int close_and_sleep(const char *unused)
{
	(void)close(1);
	return sleep_long(unused);
}

/* A byte now and then, for ever: there is always something to read. */
static int drip(const char *unused)
{
	(void)unused;
	for (;;) {
		(void)usleep(1000);
		if (write(1, "x", 1) != 1)
			return EXIT_FAILURE;
	}
}

static int flood(const char *unused)
{
	static const char block[65536];

	(void)unused;
	while (write(1, block, sizeof(block)) > 0)
		;
	return EXIT_SUCCESS;
}

static int eat_memory(const char *unused)
{
	size_t n = 0;

	(void)unused;
	while (n < 1024) {
		char *p = mmap(
			NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return say(false);
		n++;
	}
	return say(true);
}

/* The program ends, a child of its own keeps the pipe open. */
static int leave_orphan(const char *unused)
{
	(void)unused;
	if (fork() == 0)
		(void)sleep(1000);
	return say(true);
}

/* What an honest reader answers, and what a captured one might. */
static int answer_well(const char *unused)
{
	static const char answer[] = "MXT1\5\0\0\0\7\0\0\0\1\0\0A\10\0\0\0\1";

	(void)unused;
	(void)!write(1, answer, sizeof(answer));
	return EXIT_SUCCESS;
}

static int answer_nonsense(const char *unused)
{
	static const char answer[] = "MXT1\5\0\0\0\7\0\0\0\1\0\0\33\10\0\0\0\1";

	(void)unused;
	(void)!write(1, answer, sizeof(answer));
	return EXIT_SUCCESS;
}

static const struct {
	const char *word;
	int (*act)(const char *argument);
} acts[] = {
	{ "open", try_open },
	{ "make", try_make },
	{ "change", try_change },
	{ "folder", try_folder },
	{ "unlink", try_unlink },
	{ "socket", try_socket },
	{ "fork", try_fork },
	{ "exec", try_exec },
	{ "kill", try_kill },
	{ "tgkill", try_tgkill },
	{ "setown", try_own_signal },
	{ "ptrace", try_ptrace },
	{ "limit", try_limit },
	{ "memfd", try_memfd },
	{ "io_uring", try_io_uring },
	{ "unshare", try_unshare },
	{ "namespace", try_namespace },
	{ "input", try_input },
	{ "describe", describe },
	{ "read", read_all },
	{ "segv", die_of_segv },
	{ "loop", loop },
	{ "sleep", sleep_long },
	{ "closed", close_and_sleep },
	{ "drip", drip },
	{ "flood", flood },
	{ "memory", eat_memory },
	{ "orphan", leave_orphan },
	{ "well", answer_well },
	{ "nonsense", answer_nonsense },
};

int main(int argc, char **argv)
{
	struct jail_limits limits = { .memory_bytes = 512 << 20, .cpu_seconds = 1 };
	enum jail_profile profile =
		argc == 2 && strcmp(argv[1], "program") == 0 ? JAIL_PROGRAM : JAIL_READER;
	char order[512] = "", *argument;
	struct err err = ERR_INIT;

	if (read(0, order, sizeof(order) - 1) < 0)
		return EXIT_FAILURE;
	order[strcspn(order, "\n")] = '\0';
	argument = strchr(order, ' ');
	if (argument)
		*argument++ = '\0';
	if (jail_enter(profile, &limits, &err) < 0) {
		(void)dprintf(1, "no jail: %s", err.text);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (strcmp(order, acts[i].word) == 0)
			_exit(acts[i].act(argument));
	return EXIT_FAILURE;
}
