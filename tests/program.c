/* program.c - see program.h. */
#include "tests/program.h"

#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(const char *const argv[], const char *folder, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (folder && chdir(folder) < 0)
		_exit(126);
	(void)dup2(null, 0);
	(void)dup2(out >= 0 ? out : null, 1);
	(void)dup2(out >= 0 ? out : null, 2);
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	(void)setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int program_run(const char *const argv[], const char *folder, struct buf *out)
{
	int ends[2] = { -1, -1 }, status = 0;
	pid_t pid;

	if (out && pipe2(ends, O_CLOEXEC) < 0)
		abort();
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0)
		child(argv, folder, ends[1]);
	closep(&ends[1]);
	if (out)
		(void)file_read_fd(ends[0], out, NULL);
	closep(&ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
