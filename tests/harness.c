/* harness.c - see harness.h. */
#include "tests/harness.h"

#include "core/base/file.h"
#include "core/base/secret.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

enum { MAX_DIRS = 256 };
static char dirs[MAX_DIRS][64];
static size_t dir_count;
static pid_t owner;

static void remove_dirs(void)
{
	if (getpid() != owner)
		return;
	for (size_t i = 0; i < dir_count; i++)
		(void)file_remove_tree(AT_FDCWD, dirs[i], NULL);
}

static const char *make_dir(const char *where)
{
	if (owner != getpid()) {
		owner = getpid();
		dir_count = 0;
		(void)atexit(remove_dirs);
	}
	if (dir_count == MAX_DIRS)
		ck_abort_msg("too many folders in one test");
	(void)snprintf(dirs[dir_count], sizeof(dirs[0]), "%s/muniment-test-XXXXXX", where);
	if (!mkdtemp(dirs[dir_count]))
		ck_abort_msg("cannot make a folder in %s", where);
	return dirs[dir_count++];
}

const char *harness_dir(void)
{
	return make_dir("/tmp");
}

const char *harness_memory_dir(void)
{
	return make_dir(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

/* Files in memory, not pipes: nobody can wait for the other. */
static int memory_file(struct str content)
{
	int fd = memfd_create("harness", MFD_CLOEXEC);

	if (fd < 0 || file_pwrite(fd, content.p, content.n, 0, NULL) < 0)
		ck_abort_msg("cannot make a file in memory");
	return fd;
}

static _Noreturn void exec_child(const char *const *argv, int in, int out)
{
	char *const *args = (char *const *)(uintptr_t)argv;

	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	(void)setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)execvp(args[0], args);
	_exit(127);
}

int harness_exec(const char *const *argv, struct str input, struct buf *ret)
{
	_cleanup_(closep) int in = memory_file(input), out = memory_file(STR(""));
	pid_t child = fork();
	int status;

	if (child < 0)
		ck_abort_msg("cannot fork");
	if (child == 0)
		exec_child(argv, in, out);
	if (waitpid(child, &status, 0) < 0)
		ck_abort_msg("cannot wait for '%s'", argv[0]);
	if (ret && (lseek(out, 0, SEEK_SET) < 0 || file_read_fd(out, ret, NULL) < 0))
		ck_abort_msg("cannot read what '%s' printed", argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void harness_ok(int r, const struct err *err, const char *file, int line)
{
	if (r < 0)
		ck_abort_msg("%s:%d: failed with %s: %s", file, line, err_word(r), err->text);
}

void harness_fails(int r, const struct err *err, int code, const char *file, int line)
{
	if (r != -code)
		ck_abort_msg("%s:%d: expected %s, got %s (%s)", file, line, err_word(code),
			r >= 0 ? "success" : err_word(r), r >= 0 ? "" : err->text);
	if (err->code != -code || !err->text[0])
		ck_abort_msg(
			"%s:%d: failed with %s but did not say so", file, line, err_word(code));
}

int harness_run(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	secret_init();
	tr_set_language(tr_from_environment());
	tcase_set_timeout(tcase, 600); /* meson's own ends it earlier where it matters */
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
#ifdef UNDER_SANITIZER
	srunner_set_fork_status(runner, CK_NOFORK);
#endif
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
