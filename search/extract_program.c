/* extract_program.c - see extract_program.h. */
#include "search/extract_program.h"
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NO_SUCH_PROGRAM = 127 };

/* antiword wants a home; tesseract must not start a thread for each processor: they wait for each other by
 * spinning, which doubles the time. */
static const char *const environment[] = { "HOME=/usr/share/antiword", "OMP_THREAD_LIMIT=1",
	"LC_ALL=C.UTF-8", NULL };

/* In the child: become the program. Its standard error goes the way of its output, or nowhere. */
static void become(const char *const *argv, int in, int out, bool with_errors)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if ((in == 0 || dup2(in, 0) == 0) && dup2(out, 1) == 1 &&
		(!with_errors || dup2(out, 2) == 2))
		(void)execve(argv[0], (char *const *)argv, (char *const *)environment);
	_exit(NO_SUCH_PROGRAM);
}

static enum extract_reason reason_of(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == NO_SUCH_PROGRAM ? EXTRACT_NO_PROGRAM
		       : WEXITSTATUS(status) == 0	      ? EXTRACT_OK
							      : EXTRACT_DAMAGED;
	if (WTERMSIG(status) == SIGSYS)
		return EXTRACT_FORBIDDEN;
	if (WTERMSIG(status) == SIGXCPU)
		return EXTRACT_TIMED_OUT;
	return EXTRACT_CRASHED;
}

/* Start a program that reads `in` (0: the document) and whose output can be read from *ret_from. */
static pid_t start(const char *const *argv, int in, bool with_errors, int *ret_from)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become(argv, in, ends[1], with_errors);
	(void)close(ends[1]);
	if (pid < 0)
		(void)close(ends[0]);
	else
		*ret_from = ends[0];
	return pid;
}

/* All of it; what does not fit fails the buf. */
static void keep(int from, struct buf *ret)
{
	char room[65536];

	while (!ret->failed) {
		ssize_t n = read(from, room, sizeof(room));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if ((size_t)n > ret->max - ret->n) {
			buf_add(ret, room, ret->max - ret->n);
			ret->failed = true;
			break;
		}
		buf_add(ret, room, (size_t)n);
	}
}

static enum extract_reason end_of(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return reason_of(status);
}

enum extract_reason program_run(const char *const *argv, bool with_errors, struct buf *ret)
{
	enum extract_reason why;
	int from;
	pid_t pid;

	if (lseek(0, 0, SEEK_SET) < 0)
		return EXTRACT_CRASHED;
	pid = start(argv, 0, with_errors, &from);
	if (pid < 0)
		return EXTRACT_CRASHED;
	keep(from, ret);
	(void)close(from);
	why = end_of(pid);
	return ret->failed ? EXTRACT_OK : why;
}

enum extract_reason program_pipe(
	const char *const *first, const char *const *second, struct buf *ret)
{
	enum extract_reason why, before;
	int between, from;
	pid_t p1, p2;

	if (lseek(0, 0, SEEK_SET) < 0)
		return EXTRACT_CRASHED;
	p1 = start(first, 0, false, &between);
	if (p1 < 0)
		return EXTRACT_CRASHED;
	p2 = start(second, between, false, &from);
	(void)close(between);
	if (p2 < 0) {
		(void)end_of(p1);
		return EXTRACT_CRASHED;
	}
	keep(from, ret);
	(void)close(from);
	why = end_of(p2);
	before = end_of(p1);
	if (ret->failed)
		return EXTRACT_OK;
	return why == EXTRACT_OK || before == EXTRACT_NO_PROGRAM ? before : why;
}
