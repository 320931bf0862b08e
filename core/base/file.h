/* file.h - files: whole reads and writes, the three kinds of sync, and the replace that survives a power cut.
 *
 * Everything that the store changes on disk goes through here (SQLite's files aside), for two reasons: a
 * durable step is easy to get subtly wrong, and tests can see and break each step (struct file_hook).
 *
 * Names are relative to an open directory; every descriptor is close-on-exec; files are made 0600,
 * directories 0700. Functions return 0 (or a descriptor where they say so) or a negative code. */
#ifndef MUN_BASE_FILE_H
#define MUN_BASE_FILE_H

#include "core/base/buf.h"

#include <sys/types.h>

/* close(*fd) if it is open, keeping errno; for _cleanup_(closep). */
void closep(int *fd);
#define TAKE_FD(fd) \
	({ \
		int take_fd_ = (fd); \
		(fd) = -1; \
		take_fd_; \
	})

/* Open a directory; returns its descriptor. `at` may be AT_FDCWD. */
int file_open_dir(int at, const char *name, struct err *err);
/* Open the folder that the last component of `path` stands in; *ret_name is that component, within `path`. */
int file_open_parent(const char *path, const char **ret_name, struct err *err);
/* Make a directory (one that exists already is fine) and open it; `at` is synced, so `name` must be in it,
 * not below. */
int file_make_dir(int at, const char *name, struct err *err);
/* Several in one folder, with one sync of it. */
int file_make_dirs(int at, const char *const *names, size_t count, struct err *err);
/* Open for reading; returns a descriptor. Symbolic links in the last place are not followed. */
int file_open_read(int at, const char *name, struct err *err);
/* Make a file that must not exist, for reading and writing; returns a descriptor. */
int file_create(int at, const char *name, struct err *err);
/* Open for reading and writing; returns a descriptor. */
int file_open_write(int at, const char *name, struct err *err);
/* True when the name exists (whatever it is). */
bool file_exists(int at, const char *name);

int file_size(int fd, uint64_t *ret_bytes, struct err *err);
/* Exactly n bytes at `offset`; a file that ends before is ERR_CORRUPT. */
int file_pread(int fd, void *p, size_t n, uint64_t offset, struct err *err);
/* All n bytes, in as many writes as it takes. */
int file_pwrite(int fd, const void *p, size_t n, uint64_t offset, struct err *err);
/* Write zeros: real ones, so that later writes there need no new blocks and old bytes are overwritten. */
int file_pwrite_zeros(int fd, uint64_t n, uint64_t offset, struct err *err);
/* From now on what goes through this descriptor passes the page cache by (O_DIRECT) when memory, offset and length are
 * multiples of FILE_DIRECT_ALIGN, as far as the file system can do that; else, and after the first call that is not so
 * aligned, it goes as ever. It changes nothing but the cost: also such a write is durable after file_datasync only. For
 * bytes that nobody reads again soon. */
void file_go_direct(int fd);
enum { FILE_DIRECT_ALIGN = 4096 };
int file_truncate(int fd, uint64_t bytes, struct err *err);

/* fdatasync: the bytes, and the size if it grew. After a failure nothing is known about any earlier write:
 * never call it again for the same bytes in the hope that it succeeds. */
int file_datasync(int fd, struct err *err);
/* fsync of a directory: the names in it. */
int file_sync_dir(int dir, struct err *err);

/* Rename within or between directories on one file system; syncs neither. */
int file_rename(int from_dir, const char *from, int to_dir, const char *to, struct err *err);
/* Remove a file; one that is not there is fine. */
int file_unlink(int dir, const char *name, struct err *err);

/* Replace `name` with n bytes so that after any crash either the old or the new content stands there:
 * written to "<name>.new", synced, renamed, directory synced. */
int file_replace(int dir, const char *name, const void *p, size_t n, struct err *err);
/* The whole content, appended to `ret`; more than the buf's ceiling is ERR_LIMIT. */
int file_read_whole(int at, const char *name, struct buf *ret, struct err *err);
/* The rest of a descriptor from its current position, appended to `ret`, as above. */
int file_read_fd(int fd, struct buf *ret, struct err *err);

/* The file behind a descriptor once more, with a position and flags (open(2)) of its own: who gave the descriptor keeps
 * his. Not for sockets. */
int file_reopen(int fd, int flags, struct err *err);

/* The names in a directory but "." and "..", sorted by bytes. *ret is one block: free() it alone. */
int file_list(int dir, char ***ret, size_t *ret_count, struct err *err);

/* Remove a directory and all below it. Never follows links. For derived data and tests. */
int file_remove_tree(int at, const char *name, struct err *err);

/* ---- what tests may see and break ---- */

enum file_op {
	FILE_OP_CREATE,	  /* dir, name, fd */
	FILE_OP_MKDIR,	  /* dir, name */
	FILE_OP_WRITE,	  /* fd, offset, p, n */
	FILE_OP_TRUNCATE, /* fd, n */
	FILE_OP_DATASYNC, /* fd */
	FILE_OP_SYNC_DIR, /* dir */
	FILE_OP_RENAME,	  /* dir, name, to_dir, to_name */
	FILE_OP_UNLINK	  /* dir, name */
};

struct file_event {
	enum file_op op;
	int fd, dir, to_dir;
	const char *name, *to_name;
	uint64_t offset;
	const void *p;
	size_t n;
};

/* Called by whichever thread does the step, before it (CREATE: after, as the descriptor is the news).
 * Returns 0 to let it happen, or an errno value to make it fail with that. */
struct file_hook {
	int (*step)(void *context, const struct file_event *event);
	void *context;
};

/* NULL takes it off. Set it before threads start and after they end. */
void file_set_hook(const struct file_hook *hook);

#endif
