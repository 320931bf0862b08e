/* jail_run.c - the caller's side of jail.h.
 *
 * posix_spawn and not fork: the child shares nothing but three descriptors, and between the two
 * system calls no code of ours runs in a copy of a process with many threads and keys. The child
 * leads a process group; as long as it is not waited for, even dead, its number cannot be given to
 * another process, so the group is killed first and the child reaped last. */
#include "search/jail.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, COPY_BYTES = 1 << 16, CANCEL_MS = 100 };

enum { ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

int jail_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

bool jail_available(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return jail_landlock_abi() > 0 &&
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* A duplicate that is none of 0, 1 and 2, which the spawned program gets anew. */
static int out_of_the_way(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int spawn(const struct jail_job *job, int output, pid_t *ret_pid, struct err *err)
{
	_cleanup_(closep) int in = out_of_the_way(job->input);
	_cleanup_(closep) int out = out_of_the_way(output);
	char *const no_environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	if (in < 0 || out < 0)
		return err_errno(err, tr("cannot start '%s'"), job->program);
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	}
	r = posix_spawn_file_actions_adddup2(&actions, in, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, out, 1);
	r = r ? r : posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	r = r ? r
	      : posix_spawnattr_setflags(&attr,
			POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = r ? r : posix_spawnattr_setpgroup(&attr, 0);
	r = r ? r : posix_spawnattr_setsigmask(&attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&attr, &all);
	/* posix_spawn takes pointers to non-const and changes nothing behind them. */
	r = r ? r
	      : posix_spawn(ret_pid, job->program, &actions, &attr, (char *const *)job->argv,
			no_environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	if (r) {
		errno = r;
		return err_errno(err, tr("cannot start '%s'"), job->program);
	}
	return 0;
}

enum got { GOT_MORE, GOT_END, GOT_TOO_MUCH };

/* Take what stands in the pipe, up to one byte over the ceiling. */
static enum got take(int fd, struct buf *output, size_t *left)
{
	char room[COPY_BYTES];

	for (;;) {
		ssize_t n = read(fd, room, sizeof(room));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? GOT_MORE : GOT_END;
		if (n == 0)
			return GOT_END;
		if ((size_t)n > *left)
			return GOT_TOO_MUCH;
		*left -= (size_t)n;
		buf_add(output, room, (size_t)n);
	}
}

static int ms_until(int64_t deadline)
{
	int64_t ms = (deadline - clock_ticks() + 999999) / 1000000;

	return ms <= 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

/* Read until the program has ended (what it started may live on: the group is killed next), is too
 * late or wrote too much. Says which; JAIL_EXITED stands for any end of its own. */
static enum jail_end follow(int pidfd, int fd, const struct jail_job *job, struct buf *output)
{
	struct pollfd polls[] = { { .fd = pidfd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	size_t left = job->max_output_bytes;

	for (;;) {
		int left_ms = ms_until(job->deadline);
		int n = poll(polls, ARRAY_LEN(polls),
			job->cancel && left_ms > CANCEL_MS ? CANCEL_MS : left_ms);
		bool ended = n > 0 && polls[0].revents;
		enum got got = polls[1].fd >= 0 ? take(fd, output, &left) : GOT_MORE;

		if (got == GOT_TOO_MUCH)
			return JAIL_FLOODED;
		if (ended)
			return JAIL_EXITED;
		if (ms_until(job->deadline) == 0 || (job->cancel && atomic_load(job->cancel)))
			return JAIL_TIMED_OUT;
		if (got == GOT_END)
			polls[1].fd = -1;
	}
}

static void reap(pid_t pid, enum jail_end end, struct jail_result *ret)
{
	int status = 0;
	pid_t r;

	(void)kill(-pid, SIGKILL);
	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	ret->end = end;
	ret->status = 0;
	if (end != JAIL_EXITED)
		return;
	/* Somebody else waited for our child: how it ended is lost, and an answer nobody vouches
	 * for is none. */
	if (r != pid) {
		ret->end = JAIL_SIGNALLED;
		ret->status = SIGKILL;
	} else if (WIFSIGNALED(status)) {
		ret->end = JAIL_SIGNALLED;
		ret->status = WTERMSIG(status);
	} else {
		ret->status = WEXITSTATUS(status);
	}
}

int jail_run(
	const struct jail_job *job, struct buf *output, struct jail_result *ret, struct err *err)
{
	_cleanup_(closep) int from = -1;
	_cleanup_(closep) int to = -1;
	_cleanup_(closep) int pidfd = -1;
	enum jail_end end;
	int ends[2], r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, tr("cannot start '%s'"), job->program);
	from = ends[0];
	to = ends[1];
	if (fcntl(from, F_SETFL, O_NONBLOCK) < 0)
		return err_errno(err, tr("cannot start '%s'"), job->program);
	(void)fcntl(from, F_SETPIPE_SZ, PIPE_BYTES);
	r = spawn(job, to, &pid, err);
	if (r < 0)
		return r;
	closep(&to);
	to = -1;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		r = err_errno(err, tr("cannot start '%s'"), job->program);
		reap(pid, JAIL_TIMED_OUT, ret);
		return r;
	}
	end = follow(pidfd, from, job, output);
	reap(pid, end, ret);
	if (output->failed)
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	return 0;
}

int jail_memfd_new(struct err *err)
{
	int fd = memfd_create("muniment", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_errno(err, tr("cannot make a file in memory"));
	return fd;
}

int jail_memfd_seal(int fd, struct err *err)
{
	if (fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0)
		return err_errno(err, tr("cannot make a file in memory"));
	return 0;
}

bool jail_memfd_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS;
}

/* The same bytes behind a descriptor of its own: another position, and no way to write. */
static int open_anew(int fd, struct err *err)
{
	char path[64];
	int anew;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	anew = open(path, O_RDONLY | O_CLOEXEC);
	if (anew < 0)
		return err_errno(err, tr("cannot make a file in memory"));
	return anew;
}

static int write_all(int fd, const char *p, size_t n, struct err *err)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, tr("cannot make a file in memory"));
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int copy(int from, int to, uint64_t max_bytes, struct err *err)
{
	bool seekable = lseek(from, 0, SEEK_CUR) >= 0;
	char room[COPY_BYTES];
	uint64_t at = 0;

	for (;;) {
		ssize_t n = seekable ? pread(from, room, sizeof(room), (off_t)at)
				     : read(from, room, sizeof(room));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, tr("cannot read"));
		if (n == 0)
			break;
		if ((uint64_t)n > max_bytes - at)
			return err_set(err, ERR_LIMIT,
				tr("more than %zu bytes are not accepted here"), (size_t)max_bytes);
		r = write_all(to, room, (size_t)n, err);
		if (r < 0)
			return r;
		at += (uint64_t)n;
	}
	explicit_bzero(room, sizeof(room));
	return 0;
}

int jail_input(int fd, uint64_t max_bytes, struct err *err)
{
	_cleanup_(closep) int made = -1;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_errno(err, tr("cannot look at a file"));
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max_bytes)
		return err_set(err, ERR_LIMIT, tr("more than %zu bytes are not accepted here"),
			(size_t)max_bytes);
	if (jail_memfd_is_sealed(fd))
		return open_anew(fd, err);
	made = jail_memfd_new(err);
	if (made < 0)
		return made;
	r = copy(fd, made, max_bytes, err);
	if (r < 0)
		return r;
	r = jail_memfd_seal(made, err);
	return r < 0 ? r : open_anew(made, err);
}
