/* jail.h - run a program on hostile bytes so that it can do nothing but read them and answer.
 *
 * Two sides. The caller (a server with many threads and keys in memory) starts a program with
 * jail_run(): a new process by posix_spawn, so that nothing of the caller's memory is in it; no
 * environment, no descriptors but three (0 the input, 1 a pipe for the answer, 2 /dev/null), a
 * process group of its own that is killed as a whole when it is over, answers too much or takes too
 * long.
 *
 * The program, before it looks at its input, locks itself in with jail_enter(), for good and for
 * all that it starts: no new privileges, no capabilities, nobody instead of root; landlock: read
 * /usr and nothing else in the file system, no TCP, no signals to the outside; seccomp: a list of
 * harmless system calls, all others fail and those that only an attack would make kill; limits on
 * memory, processor, descriptors; no core, no file written. */
#ifndef MUN_SEARCH_JAIL_H
#define MUN_SEARCH_JAIL_H

#include "core/base/buf.h"

/* ---- the caller's side ---- */

/* True when this kernel has what jail_enter() needs (landlock since 5.13, seccomp). */
bool jail_available(void);

struct jail_job {
	const char *program;	 /* path */
	const char *const *argv; /* with argv[0], ends in NULL; visible to everybody on this
				    machine: no secrets */
	int input;		 /* becomes descriptor 0; stays the caller's */
	size_t max_output_bytes;
	int64_t deadline; /* in clock_ticks() */
	const _Atomic bool *
		cancel; /* when it becomes true the program is killed, as if it were late; may be NULL */
};

enum jail_end {
	JAIL_EXITED,	/* `status` is its exit code */
	JAIL_SIGNALLED, /* `status` is the signal that ended it */
	JAIL_TIMED_OUT, /* it still ran at the deadline, and was killed */
	JAIL_FLOODED	/* it wrote more than max_output_bytes, and was killed */
};

struct jail_result {
	enum jail_end end;
	int status;
};

/* Run to the end, whatever end. What it wrote is appended to `output` (also when it ended badly);
 * the ceiling of the buf must leave room for max_output_bytes. Errors: ERR_IO, ERR_NOTFOUND (no
 * such program), ERR_LIMIT (memory). Safe from many threads; SIGCHLD must not be ignored. */
int jail_run(
	const struct jail_job *job, struct buf *output, struct jail_result *ret, struct err *err);

/* A file in memory to fill with file_pwrite() or write(); returns its descriptor. */
int jail_memfd_new(struct err *err);
/* From now on nobody can change it. */
int jail_memfd_seal(int fd, struct err *err);
bool jail_memfd_is_sealed(int fd);
/* A sealed copy of what fd holds, as a descriptor that can only be read and has a position of its
 * own, at 0; a sealed memfd is opened anew instead of copied. More than max_bytes is ERR_LIMIT. */
int jail_input(int fd, uint64_t max_bytes, struct err *err);

/* ---- the program's side ---- */

enum jail_profile {
	JAIL_READER, /* our own code and its libraries, in this process only */
	JAIL_PROGRAM /* may start programs out of /usr/bin; they inherit the jail */
};

struct jail_limits {
	uint64_t memory_bytes;
	uint32_t cpu_seconds;
	bool allow_unjailed; /* go on where the kernel lacks landlock or seccomp; the rest is
				applied */
};

/* Lock this process in. After a failure it may be half in: say so and exit. Errors: ERR_UNSUPPORTED
 * when the kernel lacks landlock or seccomp, ERR_DENIED, ERR_IO. One thread only. */
int jail_enter(enum jail_profile profile, const struct jail_limits *limits, struct err *err);

/* The version of landlock that the kernel offers; 0 for none. */
int jail_landlock_abi(void);

#endif
