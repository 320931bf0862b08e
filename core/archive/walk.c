/* walk.c - see walk.h. Folders and files; archives are walk_packed.c. */
#include "core/archive/walk_inside.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const struct walk_limits walk_default_limits = {
	.member_bytes = (uint64_t)256 << 20,
	.archive_bytes = (uint64_t)64 << 30,
	.members = 1000000,
	.ratio = 200,
	.depth = 64,
};

/* ---- names ---- */

bool walk_is_packed(struct str name)
{
	static const char *const suffixes[] = { ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2",
		".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (name.n > n && strncasecmp(name.p + name.n - n, suffixes[i], n) == 0)
			return true;
	}
	return false;
}

static struct str last_component(struct str path)
{
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return (struct str){ path.p + i, path.n - i };
	return path;
}

bool walk_is_litter(struct str path)
{
	static const char *const names[] = { ".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini",
		".directory" };
	struct str name = last_component(path);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(name, names[i]))
			return true;
	return str_starts(name, "~$") || str_starts(name, "._") || str_starts(path, "__MACOSX/");
}

static int from_gbk(struct buf *ret, struct str name, struct err *err)
{
	iconv_t c = iconv_open("UTF-8", "GB18030");
	size_t in_left = name.n, room = 4 * name.n + 4, out_left = room;
	char *in = (char *)name.p, *start, *out;
	size_t r;

	if (c == (iconv_t)-1)
		return err_set(
			err, ERR_UNSUPPORTED, tr("this system cannot convert names from GBK"));
	start = out = buf_extend(ret, room);
	r = out ? iconv(c, &in, &in_left, &out, &out_left) : (size_t)-1;
	(void)iconv_close(c);
	if (start)
		buf_cut(ret, ret->n - out_left);
	if (r == (size_t)-1 || r > 0 || in_left)
		return err_set(err, ERR_INVALID, tr("its name is neither UTF-8 nor GBK"));
	return 0;
}

int walk_add_decoded(struct buf *ret, struct str name, struct err *err)
{
	size_t n = ret->n;
	int r;

	if (str_is_utf8(name)) {
		buf_add_str(ret, name);
		return buf_check(ret, err);
	}
	r = from_gbk(ret, name, err);
	if (r < 0)
		buf_cut(ret, n);
	return r;
}

/* ---- telling ---- */

static int tell(struct walk *w, struct walk_item *item, struct str path, struct err *err)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT;
	int r;

	text_add_safe(&safe, path);
	item->path = buf_str(&safe);
	r = w->each(w->context, item, err);
	closep(&item->fd);
	return r;
}

int walk_refuse(struct walk *w, struct str path, const char *why, struct err *err)
{
	struct walk_item item = { .kind = WALK_REFUSED, .fd = -1, .why = why, .done = w->done };

	return tell(w, &item, path, err);
}

int walk_leave_out(struct walk *w, struct str path, struct err *err)
{
	struct walk_item item = { .kind = WALK_LEFT_OUT, .fd = -1, .done = w->done };

	return tell(w, &item, path, err);
}

int walk_tell(struct walk *w, struct str path, struct str raw_name, int fd, uint64_t bytes,
	int64_t modified, bool is_in_memory, uint64_t done, struct err *err)
{
	struct walk_item item = { .kind = WALK_DOCUMENT,
		.fd = fd,
		.bytes = bytes,
		.is_in_memory = is_in_memory,
		.modified = modified,
		.done = done };
	_cleanup_(buf_done) struct buf decoded = BUF_INIT, name = BUF_INIT;
	struct err why = ERR_INIT;
	int r = walk_add_decoded(&decoded, raw_name, &why);

	if (r == 0)
		r = text_add_file_name(&name, buf_str(&decoded), &why);
	if (r < 0) {
		closep(&item.fd);
		return walk_refuse(w, path, why.text, err);
	}
	item.name = buf_str(&name);
	return tell(w, &item, path, err);
}

/* ---- files ---- */

static int walk_file(
	struct walk *w, struct str path, int fd, const struct stat *st, struct err *err)
{
	uint64_t bytes = (uint64_t)st->st_size;
	int r;

	if (walk_is_packed(path)) {
		r = walk_packed(w, path, fd, bytes, err);
		w->done += bytes;
		(void)close(fd);
		return r;
	}
	w->done += bytes;
	return walk_tell(
		w, path, last_component(path), fd, bytes, st->st_mtime, false, w->done, err);
}

static const char *reason_of_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return tr("it is a link; links are not followed");
	case S_IFIFO:
		return tr("it is a pipe, not a file");
	case S_IFSOCK:
		return tr("it is a socket, not a file");
	default:
		return tr("it is a device, not a file");
	}
}

/* ---- folders ---- */

static int walk_folder(struct walk *w, struct buf *path, int dir, uint32_t depth, struct err *err);

static int refuse_errno(struct walk *w, struct str path, struct err *err)
{
	char room[128];

	return walk_refuse(w, path, err_errno_text(errno, room, sizeof(room)), err);
}

/* Open what `name` in a folder is, so that it cannot become something else in between. */
static int walk_entry(struct walk *w, struct buf *path, int dir, const char *name, uint32_t depth,
	struct err *err)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse_errno(w, buf_str(path), err);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return walk_refuse(w, buf_str(path), reason_of_kind(st.st_mode), err);
	if (S_ISREG(st.st_mode) && walk_is_litter(buf_str(path)))
		return walk_leave_out(w, buf_str(path), err);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse_errno(w, buf_str(path), err);
	if (S_ISDIR(st.st_mode))
		return walk_folder(w, path, TAKE_FD(fd), depth + 1, err);
	if (!S_ISREG(st.st_mode))
		return walk_refuse(w, buf_str(path), reason_of_kind(st.st_mode), err);
	return walk_file(w, buf_str(path), TAKE_FD(fd), &st, err);
}

/* Takes the descriptor. */
static int walk_folder(struct walk *w, struct buf *path, int dir, uint32_t depth, struct err *err)
{
	_cleanup_(closep) int owned = dir;
	_cleanup_(freep) char **names = NULL;
	size_t count = 0, n = path->n;
	struct err why = ERR_INIT;
	int r = 0;

	if (depth > w->limits.depth)
		return walk_refuse(w, buf_str(path), tr("too many folders within folders"), err);
	if (file_list(owned, &names, &count, &why) < 0)
		return walk_refuse(w, buf_str(path), why.text, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (n == 0 || path->p[n - 1] != '/')
			buf_addc(path, '/');
		buf_adds(path, names[i]);
		r = walk_entry(w, path, owned, names[i], depth, err);
		buf_cut(path, n);
	}
	return r;
}

/* A path that somebody named: a link there is meant. */
static int walk_named(struct walk *w, const char *name, struct err *err)
{
	_cleanup_(closep) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, tr("cannot open '%s'"), name);
	buf_adds(&path, name);
	if (S_ISDIR(st.st_mode))
		return walk_folder(w, &path, TAKE_FD(fd), 1, err);
	if (!S_ISREG(st.st_mode))
		return walk_refuse(w, buf_str(&path), reason_of_kind(st.st_mode), err);
	return walk_file(w, buf_str(&path), TAKE_FD(fd), &st, err);
}

int walk_paths(const char *const *paths, size_t count, const struct walk_limits *limits,
	walk_each *each, void *context, struct err *err)
{
	struct walk w = {
		.limits = limits ? *limits : walk_default_limits, .each = each, .context = context
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = walk_named(&w, paths[i], err);
	return r;
}

/* ---- measuring ---- */

static uint64_t measure_at(int at, const char *name, bool follow, uint32_t depth)
{
	_cleanup_(closep) int dir = -1;
	_cleanup_(freep) char **names = NULL;
	uint64_t sum = 0;
	size_t count;
	struct stat st;

	if (fstatat(at, name, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return walk_is_litter(str_of(name)) ? 0 : (uint64_t)st.st_size;
	if (!S_ISDIR(st.st_mode) || depth > walk_default_limits.depth)
		return 0;
	dir = openat(at, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (dir < 0 || file_list(dir, &names, &count, NULL) < 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		sum += measure_at(dir, names[i], false, depth + 1);
	return sum;
}

uint64_t walk_measure(const char *const *paths, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += measure_at(AT_FDCWD, paths[i], true, 1);
	return sum;
}
