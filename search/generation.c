/* generation.c - see generation.h. */
#include "search/generation.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { NAME_FILE_MAX = 256, SHARDS_MAX = 16 };

#define NAME_LINE "muniment-index 1 generation "
#define FOLDER "generation-"

static const char *const name_files[] = {
	[GENERATION_CURRENT] = "current",
	[GENERATION_REBUILD] = "rebuild",
};
static const char *const lock_files[] = {
	[GENERATION_CURRENT] = "lock",
	[GENERATION_REBUILD] = "lock-rebuild",
};

static int parse_line(struct str line, struct generation *ret)
{
	struct str number;
	uint64_t shards;

	if (!str_starts(line, NAME_LINE) || !str_ends(line, "\n"))
		return -1;
	line.p += strlen(NAME_LINE);
	line.n -= strlen(NAME_LINE) + 1;
	number = str_cut(&line, ' ');
	if (str_to_u64(number, UINT32_MAX, &ret->number, NULL) < 0 || !line.p ||
		!str_is(str_cut(&line, ' '), "shards") || !line.p ||
		str_to_u64(line, SHARDS_MAX, &shards, NULL) < 0 || shards == 0)
		return -1;
	ret->shards = (unsigned)shards;
	return 0;
}

int generation_read(
	const char *path, enum generation_which which, struct generation *ret, struct err *err)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, err);
	_cleanup_(buf_done) struct buf line = BUF_INIT_MAX(NAME_FILE_MAX);
	struct generation g = { 0, 0 };
	int r;

	if (dir < 0)
		return dir;
	r = file_read_whole(dir, name_files[which], &line, err);
	if (r < 0)
		return r;
	if (parse_line(buf_str(&line), &g) < 0)
		return err_set(err, ERR_CORRUPT, tr("'%s/%s' is damaged; rebuild the index"), path,
			name_files[which]);
	*ret = g;
	return 0;
}

int generation_name(
	const char *path, enum generation_which which, const struct generation *g, struct err *err)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, err);
	_cleanup_(buf_done) struct buf line = BUF_INIT_MAX(NAME_FILE_MAX);

	if (dir < 0)
		return dir;
	buf_addf(&line, NAME_LINE "%llu shards %u\n", (unsigned long long)g->number, g->shards);
	return file_replace(dir, name_files[which], line.p, line.n, err);
}

int generation_unname(const char *path, enum generation_which which, struct err *err)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, err);
	int r;

	if (dir < 0)
		return dir;
	r = file_unlink(dir, name_files[which], err);
	return r < 0 ? r : file_sync_dir(dir, err);
}

/* Call `each` for every generation's folder. */
static int each_folder(const char *path,
	int (*each)(int dir, const char *name, uint64_t number, void *context, struct err *err),
	void *context, struct err *err)
{
	DIR *listing = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!listing)
		return err_errno(err, tr("cannot open folder '%s'"), path);
	while (r == 0 && (entry = readdir(listing))) {
		struct str name = str_of(entry->d_name);
		uint64_t number;

		if (!str_starts(name, FOLDER))
			continue;
		name.p += strlen(FOLDER);
		name.n -= strlen(FOLDER);
		if (str_to_u64(name, UINT32_MAX, &number, NULL) == 0)
			r = each(dirfd(listing), entry->d_name, number, context, err);
	}
	closedir(listing);
	return r;
}

static int take_highest(int dir, const char *name, uint64_t number, void *context, struct err *err)
{
	uint64_t *highest = context;

	(void)dir, (void)name, (void)err;
	if (number > *highest)
		*highest = number;
	return 0;
}

int generation_make(const char *path, struct generation *ret, struct err *err)
{
	_cleanup_(closep) int dir = file_make_dir(AT_FDCWD, path, err);
	_cleanup_(closep) int folder = -1;
	struct generation g = { 0, ret->shards }, named;
	char name[64];
	int r;

	if (dir < 0)
		return dir;
	r = each_folder(path, take_highest, &g.number, err);
	if (r < 0)
		return r;
	for (int which = GENERATION_CURRENT; which <= GENERATION_REBUILD; which++)
		if (generation_read(path, which, &named, NULL) == 0 && named.number > g.number)
			g.number = named.number;
	g.number++;
	(void)snprintf(name, sizeof(name), FOLDER "%llu", (unsigned long long)g.number);
	folder = file_make_dir(dir, name, err);
	if (folder < 0)
		return folder;
	*ret = g;
	return 0;
}

struct sweep {
	struct generation named[2];
};

static int sweep_one(int dir, const char *name, uint64_t number, void *context, struct err *err)
{
	const struct sweep *sweep = context;

	if (number == sweep->named[0].number || number == sweep->named[1].number)
		return 0;
	return file_remove_tree(dir, name, err);
}

int generation_sweep(const char *path, struct err *err)
{
	struct sweep sweep = { 0 };
	struct err ignored;

	for (int which = GENERATION_CURRENT; which <= GENERATION_REBUILD; which++) {
		int r = generation_read(path, which, &sweep.named[which], &ignored);

		if (r < 0 && r != -ERR_NOTFOUND) {
			if (err)
				*err = ignored;
			return r;
		}
	}
	return each_folder(path, sweep_one, &sweep, err);
}

int generation_lock(const char *path, enum generation_which which, struct err *err)
{
	_cleanup_(closep) int dir = file_make_dir(AT_FDCWD, path, err);
	_cleanup_(closep) int fd = -1;

	if (dir < 0)
		return dir;
	fd = openat(dir, lock_files[which], O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, tr("cannot open '%s'"), lock_files[which]);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, ERR_LOCKED, tr("another process is writing the index"));
		return err_errno(err, tr("cannot lock '%s'"), lock_files[which]);
	}
	return TAKE_FD(fd);
}

void generation_add_shard_path(
	struct buf *b, const char *path, const struct generation *g, unsigned shard)
{
	buf_addf(b, "%s/" FOLDER "%llu/shard-%u", path, (unsigned long long)g->number, shard);
}
