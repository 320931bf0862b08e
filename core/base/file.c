/* file.c - see file.h. */
#include "core/base/file.h"
#include "core/base/tr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The one global here: tests look at and break single steps through it. */
static const struct file_hook *hook;

void file_set_hook(const struct file_hook *h)
{
	hook = h;
}

/* 0, or -1 with errno set when a test wants this step to fail. */
static int step(const struct file_event *event)
{
	int e = hook ? hook->step(hook->context, event) : 0;

	if (e == 0)
		return 0;
	errno = e;
	return -1;
}

void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

int file_open_dir(int at, const char *name, struct err *err)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, tr("cannot open folder '%s'"), name);
	return fd;
}

int file_open_parent(const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder = NULL;
	int fd;

	if (!slash)
		folder = str_dup(STR("."));
	else
		folder = str_dup((struct str){ path, slash == path ? 1 : (size_t)(slash - path) });
	fd = file_open_dir(AT_FDCWD, folder, err);
	if (fd >= 0)
		*ret_name = slash ? slash + 1 : path;
	return fd;
}

static int make_dir(int at, const char *name, struct err *err)
{
	struct file_event event = { .op = FILE_OP_MKDIR, .dir = at, .name = name };

	if (step(&event) < 0 || (mkdirat(at, name, 0700) < 0 && errno != EEXIST))
		return err_errno(err, tr("cannot make folder '%s'"), name);
	return 0;
}

int file_make_dir(int at, const char *name, struct err *err)
{
	int r = make_dir(at, name, err);

	if (r == 0 && at >= 0)
		r = file_sync_dir(at, err);
	return r < 0 ? r : file_open_dir(at, name, err);
}

int file_make_dirs(int at, const char *const *names, size_t count, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = make_dir(at, names[i], err);
	/* Also when all were there: who made them may have died before the sync. */
	return r < 0 ? r : file_sync_dir(at, err);
}

int file_open_read(int at, const char *name, struct err *err)
{
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_errno(err, tr("cannot open '%s'"), name);
	return fd;
}

int file_create(int at, const char *name, struct err *err)
{
	_cleanup_(closep) int fd =
		openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct file_event event = { .op = FILE_OP_CREATE, .dir = at, .name = name, .fd = fd };

	if (fd < 0 || step(&event) < 0)
		return err_errno(err, tr("cannot make '%s'"), name);
	return TAKE_FD(fd);
}

int file_open_write(int at, const char *name, struct err *err)
{
	int fd = openat(at, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_errno(err, tr("cannot open '%s' for writing"), name);
	return fd;
}

bool file_exists(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int file_size(int fd, uint64_t *ret_bytes, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, tr("cannot look at a file"));
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

void file_go_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_DIRECT);
}

/* After EINVAL: whether the descriptor was direct, which it is no more. */
static bool went_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && flags & O_DIRECT && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

int file_pread(int fd, void *p, size_t n, uint64_t offset, struct err *err)
{
	uint8_t *at = p;

	while (n > 0) {
		ssize_t got = pread(fd, at, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EINVAL && went_direct(fd))
			continue;
		if (got < 0)
			return err_errno(err, tr("cannot read"));
		if (got == 0)
			return err_set(err, ERR_CORRUPT, tr("a file ends %zu bytes too early"), n);
		at += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int file_pwrite(int fd, const void *p, size_t n, uint64_t offset, struct err *err)
{
	struct file_event event = {
		.op = FILE_OP_WRITE, .fd = fd, .offset = offset, .p = p, .n = n
	};
	const uint8_t *at = p;

	if (step(&event) < 0)
		return err_errno(err, tr("cannot write"));
	while (n > 0) {
		ssize_t put = pwrite(fd, at, n, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EINVAL && went_direct(fd))
			continue;
		if (put < 0)
			return err_errno(err, tr("cannot write"));
		at += put;
		n -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

int file_pwrite_zeros(int fd, uint64_t n, uint64_t offset, struct err *err)
{
	/* Nobody writes to it; not const, so that it takes no room in the program's file. A direct write waits for the
	 * disk, hence the size. */
	static _Alignas(FILE_DIRECT_ALIGN) uint8_t zeros[1 << 20];

	while (n > 0) {
		size_t some = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);
		int r = file_pwrite(fd, zeros, some, offset, err);

		if (r < 0)
			return r;
		n -= some;
		offset += some;
	}
	return 0;
}

int file_truncate(int fd, uint64_t bytes, struct err *err)
{
	struct file_event event = { .op = FILE_OP_TRUNCATE, .fd = fd, .n = (size_t)bytes };

	if (step(&event) < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return err_errno(err, tr("cannot set the size of a file"));
	return 0;
}

int file_datasync(int fd, struct err *err)
{
	struct file_event event = { .op = FILE_OP_DATASYNC, .fd = fd };

	if (step(&event) < 0 || fdatasync(fd) < 0)
		return err_errno(err, tr("cannot make a write durable"));
	return 0;
}

int file_sync_dir(int dir, struct err *err)
{
	struct file_event event = { .op = FILE_OP_SYNC_DIR, .dir = dir };

	if (step(&event) < 0 || fsync(dir) < 0)
		return err_errno(err, tr("cannot make names in a folder durable"));
	return 0;
}

int file_rename(int from_dir, const char *from, int to_dir, const char *to, struct err *err)
{
	struct file_event event = {
		.op = FILE_OP_RENAME, .dir = from_dir, .name = from, .to_dir = to_dir, .to_name = to
	};

	if (step(&event) < 0 || renameat(from_dir, from, to_dir, to) < 0)
		return err_errno(err, tr("cannot rename '%s' to '%s'"), from, to);
	return 0;
}

int file_unlink(int dir, const char *name, struct err *err)
{
	struct file_event event = { .op = FILE_OP_UNLINK, .dir = dir, .name = name };

	if (step(&event) < 0 || (unlinkat(dir, name, 0) < 0 && errno != ENOENT))
		return err_errno(err, tr("cannot remove '%s'"), name);
	return 0;
}

int file_replace(int dir, const char *name, const void *p, size_t n, struct err *err)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *fresh = NULL;
	int r;

	if (asprintf(&fresh, "%s.new", name) < 0)
		abort();
	r = file_unlink(dir, fresh, err);
	if (r < 0)
		return r;
	fd = file_create(dir, fresh, err);
	if (fd < 0)
		return fd;
	r = file_pwrite(fd, p, n, 0, err);
	if (r == 0)
		r = file_datasync(fd, err);
	if (r == 0)
		r = file_rename(dir, fresh, dir, name, err);
	if (r == 0)
		r = file_sync_dir(dir, err);
	return r;
}

int file_read_fd(int fd, struct buf *ret, struct err *err)
{
	for (;;) {
		char block[16384];
		ssize_t got = read(fd, block, sizeof(block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, tr("cannot read"));
		if (got == 0)
			return 0;
		buf_add(ret, block, (size_t)got);
		if (ret->failed)
			return buf_check(ret, err);
	}
}

int file_read_whole(int at, const char *name, struct buf *ret, struct err *err)
{
	_cleanup_(closep) int fd = file_open_read(at, name, err);
	int r;

	if (fd < 0)
		return fd;
	r = file_read_fd(fd, ret, err);
	if (r < 0)
		return err_prefix(err, r, "'%s'", name);
	return 0;
}

int file_reopen(int fd, int flags, struct err *err)
{
	char path[32];
	int anew;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	anew = open(path, flags | O_CLOEXEC | O_NOCTTY);
	if (anew < 0)
		return err_errno(err, tr("cannot open '%s'"), path);
	return anew;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names, each with its NUL, one after the other. */
static int collect_names(int at, struct buf *names, size_t *ret_count, struct err *err)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, tr("cannot list a folder"));
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return err_errno(err, tr("cannot list a folder"));
	}
	*ret_count = 0;
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return err_errno(err, tr("cannot list a folder"));
		if (!entry)
			return buf_check(names, err);
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		buf_add(names, entry->d_name, strlen(entry->d_name) + 1);
		++*ret_count;
	}
}

int file_list(int dir, char ***ret, size_t *ret_count, struct err *err)
{
	struct buf names = BUF_INIT;
	size_t count = 0;
	char **list, *text;
	int r = collect_names(dir, &names, &count, err);

	if (r < 0) {
		buf_done(&names);
		return r;
	}
	list = xcalloc(1, count * sizeof(*list) + names.n + 1);
	text = (char *)(list + count);
	memcpy(text, names.p, names.n);
	buf_done(&names);
	for (size_t i = 0; i < count; i++) {
		list[i] = text;
		text += strlen(text) + 1;
	}
	qsort(list, count, sizeof(*list), by_bytes);
	*ret = list;
	*ret_count = count;
	return 0;
}

int file_remove_tree(int at, const char *name, struct err *err)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int fd;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, tr("cannot remove '%s'"), name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_errno(err, tr("cannot remove '%s'"), name);
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return err_errno(err, tr("cannot remove '%s'"), name);
	}
	while ((entry = readdir(dir))) {
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = file_remove_tree(dirfd(dir), entry->d_name, err);
		if (r < 0)
			return r;
	}
	if (unlinkat(at, name, AT_REMOVEDIR) < 0)
		return err_errno(err, tr("cannot remove '%s'"), name);
	return 0;
}
