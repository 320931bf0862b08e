/* jail.c - the program's side of jail.h: locking this process in.
 *
 * The invariants, each with a test that tries it:
 *
 * 1. No file can be written, made or removed, and none read but below the few folders that programs
 * need.
 * 2. No socket of any kind.
 * 3. No other process can be seen into, signalled or traced; none started in a reader.
 * 4. No more memory, processor time, descriptors than allowed; no core dump.
 * 5. All of it before the first byte of input is looked at, and none of it can be undone.
 *
 * seccomp is a list of what is allowed, because new system calls appear with every kernel. What is
 * not on it fails with EPERM, so that a library that asks for something odd goes on without; what
 * only an attack would call (the list `deadly`) kills, so that somebody hears of it. Where an
 * argument decides, the rule looks at it: opening only for reading, signals only to oneself, no
 * change of limits, no ownership of descriptors (F_SETOWN would send signals to others). */
#include "search/jail.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A sanitizer maps terabytes of shadow and reads its own maps. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

enum { NOBODY = 65534, MAX_FILES = 64, MAX_PROCESSES = 4096, STACK_BYTES = 8 << 20 };

/* ---- rights of the process ---- */

/* When the machine runs short of memory, this process goes first. */
static void volunteer_for_oom(void)
{
	_cleanup_(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "1000", 4);
}

static int drop_rights(struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	/* In a container root may lack the right to become somebody else: then it has little
	 * anyway. */
	if (geteuid() == 0 && setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0)
		(void)!setresuid(NOBODY, NOBODY, NOBODY);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_errno(err, tr("cannot give up rights"));
	return 0;
}

static int set_limits(const struct jail_limits *limits, struct err *err)
{
	const struct {
		__rlimit_resource_t what;
		uint64_t soft, hard;
	} rows[] = {
#ifndef UNDER_SANITIZER
		{ RLIMIT_AS, limits->memory_bytes, limits->memory_bytes },
#endif
		/* The first second over sends SIGXCPU, the next SIGKILL. */
		{ RLIMIT_CPU, limits->cpu_seconds, (uint64_t)limits->cpu_seconds + 1 },
		{ RLIMIT_NOFILE, MAX_FILES, MAX_FILES },
		{ RLIMIT_STACK, STACK_BYTES, STACK_BYTES },
		{ RLIMIT_CORE, 0, 0 },
		{ RLIMIT_FSIZE, 0, 0 },
		{ RLIMIT_MEMLOCK, 0, 0 },
		{ RLIMIT_MSGQUEUE, 0, 0 },
		/* Counts all of this user's, so it must be generous; it stops a fork bomb. */
		{ RLIMIT_NPROC, MAX_PROCESSES, MAX_PROCESSES },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rlimit old, new = { rows[i].soft, rows[i].hard };

		if (getrlimit(rows[i].what, &old) == 0 && new.rlim_max > old.rlim_max) {
			new.rlim_max = old.rlim_max;
			if (new.rlim_cur > new.rlim_max)
				new.rlim_cur = new.rlim_max;
		}
		if (setrlimit(rows[i].what, &new) < 0)
			return err_errno(err, tr("cannot give up rights"));
	}
	return 0;
}

/* ---- landlock ---- */

/* Rights by the version that brought them; the headers of the machine that builds may be older than
 * the kernel that runs. */
static const uint64_t fs_rights_by_abi[] = {
	[1] = (1ULL << 13) - 1, /* execute ... make symbolic link */
	[2] = 1ULL << 13,	/* link or rename between folders */
	[3] = 1ULL << 14,	/* truncate */
	[5] = 1ULL << 15,	/* ioctl of devices */
};

enum {
	NET_TCP = 3,		/* since 4: bind and connect */
	SCOPE_SOCKET_SIGNAL = 3 /* since 6: abstract sockets and signals to the outside */
};

struct ruleset {
	uint64_t fs, net, scoped;
};

static size_t describe(int abi, struct ruleset *ret)
{
	*ret = (struct ruleset){ 0 };
	for (size_t i = 1; i < ARRAY_LEN(fs_rights_by_abi) && i <= (size_t)abi; i++)
		ret->fs |= fs_rights_by_abi[i];
	if (abi >= 4)
		ret->net = NET_TCP;
	if (abi >= 6)
		ret->scoped = SCOPE_SOCKET_SIGNAL;
	/* A kernel refuses a longer structure than it knows, unless the rest is zero; be exact all
	 * the same. */
	return abi >= 6 ? sizeof(*ret) : abi >= 4 ? 16 : 8;
}

/* What programs and libraries read: code, its tables (charsets, CMaps, types), font configuration.
 */
static const struct {
	const char *path;
	uint64_t rights;
	bool for_programs_only;
} openings[] = {
	{ "/usr/lib", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, false },
	{ "/usr/lib64", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, false },
	{ "/lib", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, false },
	{ "/lib64", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, false },
	{ "/usr/share", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, false },
	{ "/etc/fonts", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, true },
	/* The loader stands in lib; running a program runs it too. */
	{ "/usr/lib", LANDLOCK_ACCESS_FS_EXECUTE, true },
	{ "/usr/lib64", LANDLOCK_ACCESS_FS_EXECUTE, true },
	{ "/lib", LANDLOCK_ACCESS_FS_EXECUTE, true },
	{ "/lib64", LANDLOCK_ACCESS_FS_EXECUTE, true },
	{ "/usr/bin", LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE, true },
};

static int open_up(int ruleset, enum jail_profile profile, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
		_cleanup_(closep) int fd = open(openings[i].path, O_PATH | O_CLOEXEC);
		struct landlock_path_beneath_attr rule = { .allowed_access = openings[i].rights,
			.parent_fd = fd };

		if (fd < 0 || (openings[i].for_programs_only && profile != JAIL_PROGRAM))
			continue;
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) <
			0)
			return err_errno(err, tr("cannot jail this process"));
	}
	return 0;
}

static int enter_landlock(enum jail_profile profile, bool optional, struct err *err)
{
	int abi = jail_landlock_abi(), r;
	struct ruleset rules;
	size_t size = describe(abi, &rules);
	_cleanup_(closep) int fd = -1;

	if (abi == 0 && optional)
		return 0;
	if (abi == 0)
		return err_set(err, ERR_UNSUPPORTED,
			tr("this kernel has no landlock, so documents are not read"));
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return err_errno(err, tr("cannot jail this process"));
	r = open_up(fd, profile, err);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_errno(err, tr("cannot jail this process"));
	return 0;
}

/* ---- seccomp ---- */

/* Allowed whatever the arguments. Names that an architecture lacks are passed over. */
static const char *const allowed[] = {
	/* what was opened */
	"read", "readv", "pread64", "write", "writev", "lseek", "close", "fstat", "newfstatat",
	"fstat64", "fstatat64", "stat", "lstat", "statx", "access", "faccessat", "faccessat2",
	"readlink", "readlinkat", "getdents64", "statfs", "fstatfs", "fadvise64", "poll", "ppoll",
	"getcwd",
	/* memory */
	"mmap", "mmap2", "munmap", "mprotect", "mremap", "madvise", "brk",
	/* itself */
	"exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrlimit",
	"getrusage", "times", "futex", "set_robust_list", "rseq", "sched_yield",
	"sched_getaffinity", "restart_syscall",
	/* time, luck, the machine */
	"clock_gettime", "clock_getres", "gettimeofday", "time", "nanosleep", "clock_nanosleep",
	"getrandom", "uname", "sysinfo", "getcpu"
};

/* In addition, for those who start programs. */
static const char *const allowed_programs[] = { "execve", "vfork", "fork", "wait4", "waitid",
	"pipe", "pipe2", "dup", "dup2", "dup3", "set_tid_address", "arch_prctl", "close_range",
	"getpgrp", "getpgid", "umask" };

/* Nobody calls these by accident. */
static const char *const deadly[] = { "socket", "socketpair", "connect", "bind", "listen", "sendto",
	"sendmsg", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
	"pidfd_send_signal", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "mount",
	"umount2", "move_mount", "open_tree", "fsopen", "fsmount", "pivot_root", "chroot",
	"unshare", "setns", "bpf", "keyctl", "add_key", "request_key", "io_uring_setup",
	"io_uring_enter", "perf_event_open", "userfaultfd", "init_module", "finit_module",
	"delete_module", "kexec_load", "reboot", "swapon", "open_by_handle_at", "execveat",
	"shmget", "shmat", "msgget", "semget", "mq_open", "setuid", "setresuid" };

static const char *const deadly_readers[] = { "execve", "fork", "vfork" };

static int each(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		if (number >= 0)
			r = seccomp_rule_add(ctx, action, number, 0);
	}
	return r;
}

/* The rules that look at arguments: (name, argument, mask, value) allows (argument & mask) ==
 * value. */
struct argument_rule {
	const char *name;
	unsigned argument;
	uint64_t mask, value;
};

/* Bits of open's flags that must be clear: writing, making, truncating, nameless files. */
enum { OPEN_MASK = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY) };

/* Of an int the kernel looks at the lower half only. */
static const uint64_t whole_int = UINT32_MAX, whole = UINT64_MAX;
/* New namespaces, from <linux/sched.h>. */
static const uint64_t clone_new = 0x7e020080;

static int add_argument_rules(scmp_filter_ctx ctx, enum jail_profile profile)
{
	const struct argument_rule rules[] = {
		{ "open", 1, OPEN_MASK, 0 },
		{ "openat", 2, OPEN_MASK, 0 },
		{ "fcntl", 1, whole_int, F_GETFD },
		{ "fcntl", 1, whole_int, F_SETFD },
		{ "fcntl", 1, whole_int, F_GETFL },
		{ "fcntl", 1, whole_int, F_DUPFD },
		{ "fcntl", 1, whole_int, F_DUPFD_CLOEXEC },
		{ "ioctl", 1, whole_int, TCGETS },
		{ "tgkill", 0, whole_int, (uint64_t)getpid() },
		{ "prlimit64", 2, whole, 0 },
		{ "prctl", 0, whole_int, PR_SET_PDEATHSIG },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(rules) && r == 0; i++) {
		int number = seccomp_syscall_resolve_name(rules[i].name);

		if (number >= 0)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 1,
				SCMP_CMP64(rules[i].argument, SCMP_CMP_MASKED_EQ, rules[i].mask,
					rules[i].value));
	}
	/* glibc tries clone3 first, whose flags a filter cannot see, and is content without it. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0 && profile == JAIL_PROGRAM)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, clone_new, 0));
	return r;
}

static int enter_seccomp(enum jail_profile profile, bool optional, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx)
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	r = each(ctx, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed));
	if (r == 0 && profile == JAIL_PROGRAM)
		r = each(ctx, SCMP_ACT_ALLOW, allowed_programs, ARRAY_LEN(allowed_programs));
	if (r == 0)
		r = each(ctx, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_LEN(deadly));
	if (r == 0 && profile == JAIL_READER)
		r = each(ctx, SCMP_ACT_KILL_PROCESS, deadly_readers, ARRAY_LEN(deadly_readers));
	if (r == 0)
		r = add_argument_rules(ctx, profile);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r == 0 || optional)
		return 0;
	errno = -r;
	if (r == -ENOSYS || r == -EINVAL)
		return err_set(err, ERR_UNSUPPORTED,
			tr("this kernel has no seccomp, so documents are not read"));
	return err_errno(err, tr("cannot jail this process"));
}

int jail_enter(enum jail_profile profile, const struct jail_limits *limits, struct err *err)
{
	int r;

	(void)syscall(SYS_close_range, 3, ~0U, 0);
	volunteer_for_oom();
	r = drop_rights(err);
	if (r == 0)
		r = set_limits(limits, err);
	if (r == 0)
		r = enter_landlock(profile, limits->allow_unjailed, err);
	if (r == 0)
		r = enter_seccomp(profile, limits->allow_unjailed, err);
	return r;
}
