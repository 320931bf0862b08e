/* powercut.c - see powercut.h.
 *
 * The recorder keeps two things: a log of steps, and the tree as it is now, which is needed to know what a step speaks
 * of. A node is a file or folder whatever it is called; steps name nodes, so that a rename does not confuse them.
 *
 * A build replays the log onto the tree as it was at the start, in order, leaving out or tearing what no
 * sync covers. */
#include "tests/faults/powercut.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An entry of a folder: which node a name means. */
struct entry {
	char *name;
	struct powercut_file *node;
};

struct powercut_file {
	bool is_dir;
	dev_t device;
	ino_t inode;	       /* 0: not known yet (a folder that was just made) */
	struct buf base;       /* content at the start */
	struct entry *entries; /* now */
	size_t count;
	struct entry *base_entries; /* at the start */
	size_t base_count;
	/* While building. */
	size_t index;
	struct buf content;
	struct entry *built;
	size_t built_count;
};

enum step_kind {
	STEP_WRITE,
	STEP_TRUNCATE,
	STEP_SYNC,
	STEP_NAME,
	STEP_UNNAME,
	STEP_MOVE,
	STEP_SYNC_DIR,
	STEP_MARK
};

struct step {
	enum step_kind kind;
	struct powercut_file *node; /* WRITE, TRUNCATE, SYNC: the file; NAME, MOVE: what is named */
	struct powercut_file *dir;  /* NAME, UNNAME, SYNC_DIR; MOVE: from */
	struct powercut_file *to;   /* MOVE */
	char *name, *to_name;
	uint64_t offset, n; /* TRUNCATE: n; MARK: n is the value */
	uint8_t *bytes;	    /* WRITE: NULL for zeros */
};

struct powercut {
	pthread_mutex_t lock;
	struct file_hook hook;
	char *root;
	struct powercut_file **nodes; /* nodes[0] is the root */
	size_t node_count;
	struct step *steps;
	size_t count, room;
};

/* ---- nodes and names ---- */

static struct powercut_file *node_new(struct powercut *p, bool is_dir)
{
	struct powercut_file *node = xcalloc(1, sizeof(*node));

	node->is_dir = is_dir;
	buf_init(&node->base, (size_t)1 << 30);
	buf_init(&node->content, (size_t)1 << 30);
	node->index = p->node_count;
	p->nodes = reallocarray(p->nodes, p->node_count + 1, sizeof(*p->nodes));
	if (!p->nodes)
		abort();
	p->nodes[p->node_count++] = node;
	return node;
}

static struct entry *find(struct entry *entries, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(entries[i].name, name) == 0)
			return &entries[i];
	return NULL;
}

static void put(struct entry **entries, size_t *count, const char *name, struct powercut_file *node)
{
	struct entry *there = find(*entries, *count, name);

	if (there) {
		there->node = node;
		return;
	}
	*entries = reallocarray(*entries, *count + 1, sizeof(**entries));
	if (!*entries)
		abort();
	(*entries)[(*count)++] = (struct entry){ xstrdup(name), node };
}

static void drop(struct entry *entries, size_t *count, const char *name)
{
	struct entry *there = find(entries, *count, name);

	if (!there)
		return;
	free(there->name);
	*there = entries[--*count];
}

static void clear(struct entry **entries, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free((*entries)[i].name);
	free(*entries);
	*entries = NULL;
	*count = 0;
}

/* ---- what a step speaks of ---- */

static struct powercut_file *by_inode(struct powercut *p, const struct stat *st)
{
	bool is_dir = S_ISDIR(st->st_mode);

	for (size_t i = p->node_count; i-- > 0;) /* the newest first: inodes are used again */
		if (p->nodes[i]->inode == st->st_ino && p->nodes[i]->device == st->st_dev &&
			p->nodes[i]->is_dir == is_dir)
			return p->nodes[i];
	return NULL;
}

/* Walk a relative path; the last name is left to the caller in `last` when it is not NULL. */
static struct powercut_file *walk(struct powercut_file *from, const char *path, const char **last)
{
	while (from && *path) {
		const char *end = strchrnul(path, '/');
		char name[256];
		struct entry *e;

		if (!*end && last) {
			*last = path;
			return from;
		}
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - path), path);
		e = find(from->entries, from->count, name);
		from = e ? e->node : NULL;
		path = *end ? end + 1 : end;
	}
	return from;
}

/* The path below the root; NULL when it is not below. */
static const char *below(const struct powercut *p, const char *path)
{
	size_t n = strlen(p->root);

	if (strncmp(path, p->root, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path[n] ? path + n + 1 : path + n;
}

static struct powercut_file *dir_of(struct powercut *p, int fd)
{
	char link[64], path[4096];
	struct powercut_file *node;
	const char *rest;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	node = by_inode(p, &st);
	if (node)
		return node;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return NULL;
	path[n] = '\0';
	rest = below(p, path);
	node = rest ? walk(p->nodes[0], rest, NULL) : NULL;
	if (node && node->is_dir) {
		node->inode = st.st_ino;
		node->device = st.st_dev;
	}
	return node;
}

/* The folder and last name of a name relative to a descriptor, or of an absolute path. */
static struct powercut_file *place(struct powercut *p, int dir, const char *name, const char **last)
{
	const char *rest;

	if (dir >= 0)
		return name[0] == '/' ? NULL : walk(dir_of(p, dir), name, last);
	rest = below(p, name);
	return rest ? walk(p->nodes[0], rest, last) : NULL;
}

static struct powercut_file *file_of(struct powercut *p, int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? NULL : by_inode(p, &st);
}

/* ---- the log ---- */

static struct step *log_step(struct powercut *p, enum step_kind kind)
{
	if (p->count == p->room) {
		p->room = p->room ? p->room * 2 : 256;
		p->steps = reallocarray(p->steps, p->room, sizeof(*p->steps));
		if (!p->steps)
			abort();
	}
	p->steps[p->count] = (struct step){ .kind = kind };
	return &p->steps[p->count++];
}

static void log_write(struct powercut *p, struct powercut_file *node, uint64_t offset,
	const void *bytes, size_t n)
{
	struct step *s = log_step(p, STEP_WRITE);
	const uint8_t *b = bytes;

	s->node = node;
	s->offset = offset;
	s->n = n;
	if (n == 0 || (b[0] == 0 && memcmp(b, b + 1, n - 1) == 0))
		return;
	s->bytes = xcalloc(1, n);
	memcpy(s->bytes, bytes, n);
}

static void log_name(
	struct powercut *p, struct powercut_file *dir, const char *name, struct powercut_file *node)
{
	struct step *s = log_step(p, STEP_NAME);

	s->dir = dir;
	s->name = xstrdup(name);
	s->node = node;
	put(&dir->entries, &dir->count, name, node);
}

static void log_unname(struct powercut *p, struct powercut_file *dir, const char *name)
{
	struct entry *e = find(dir->entries, dir->count, name);
	struct step *s;

	if (!e)
		return;
	e->node->inode = 0; /* it may be given to another file */
	s = log_step(p, STEP_UNNAME);
	s->dir = dir;
	s->name = xstrdup(name);
	drop(dir->entries, &dir->count, name);
}

static void log_move(struct powercut *p, struct powercut_file *dir, const char *name,
	struct powercut_file *to, const char *to_name)
{
	struct entry *e = find(dir->entries, dir->count, name);
	struct entry *replaced = find(to->entries, to->count, to_name);
	struct step *s;

	if (!e)
		return; /* the rename is about to fail */
	if (replaced && replaced->node != e->node)
		replaced->node->inode = 0;
	s = log_step(p, STEP_MOVE);
	s->node = e->node;
	s->dir = dir;
	s->to = to;
	s->name = xstrdup(name);
	s->to_name = xstrdup(to_name);
	drop(dir->entries, &dir->count, name);
	put(&to->entries, &to->count, to_name, s->node);
}

static void log_create(struct powercut *p, const struct file_event *event)
{
	const char *last;
	struct powercut_file *dir = place(p, event->dir, event->name, &last), *node;
	struct stat st;

	if (!dir || fstat(event->fd, &st) < 0)
		return;
	node = node_new(p, false);
	node->device = st.st_dev;
	node->inode = st.st_ino;
	log_name(p, dir, last, node);
}

static int record(void *context, const struct file_event *event)
{
	struct powercut *p = context;
	struct powercut_file *node = NULL, *dir, *to;
	const char *last, *to_last;
	struct step *s;

	(void)pthread_mutex_lock(&p->lock);
	switch (event->op) {
	case FILE_OP_CREATE:
		log_create(p, event);
		break;
	case FILE_OP_MKDIR:
		dir = place(p, event->dir, event->name, &last);
		if (dir && !find(dir->entries, dir->count, last))
			log_name(p, dir, last, node_new(p, true));
		break;
	case FILE_OP_WRITE:
		node = file_of(p, event->fd);
		if (node)
			log_write(p, node, event->offset, event->p, event->n);
		break;
	case FILE_OP_TRUNCATE:
		node = file_of(p, event->fd);
		if (node) {
			s = log_step(p, STEP_TRUNCATE);
			s->node = node;
			s->n = event->n;
		}
		break;
	case FILE_OP_DATASYNC:
		node = file_of(p, event->fd);
		if (node)
			log_step(p, STEP_SYNC)->node = node;
		break;
	case FILE_OP_SYNC_DIR:
		dir = dir_of(p, event->dir);
		if (dir)
			log_step(p, STEP_SYNC_DIR)->dir = dir;
		break;
	case FILE_OP_RENAME:
		dir = place(p, event->dir, event->name, &last);
		to = place(p, event->to_dir, event->to_name, &to_last);
		if (dir && to)
			log_move(p, dir, last, to, to_last);
		break;
	case FILE_OP_UNLINK:
		dir = place(p, event->dir, event->name, &last);
		if (dir)
			log_unname(p, dir, last);
		break;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

struct powercut_file *powercut_file(struct powercut *p, const char *path)
{
	struct powercut_file *dir, *node = NULL;
	const char *last;
	struct stat st;

	(void)pthread_mutex_lock(&p->lock);
	dir = place(p, -1, path, &last);
	if (dir) {
		struct entry *e = find(dir->entries, dir->count, last);

		node = e ? e->node : NULL;
		if (!node) {
			node = node_new(p, false);
			log_name(p, dir, last, node);
		}
		if (stat(path, &st) == 0) {
			node->inode = st.st_ino;
			node->device = st.st_dev;
		}
	}
	(void)pthread_mutex_unlock(&p->lock);
	return node;
}

void powercut_write(struct powercut *p, struct powercut_file *file, uint64_t offset,
	const void *bytes, size_t n)
{
	(void)pthread_mutex_lock(&p->lock);
	log_write(p, file, offset, bytes, n);
	(void)pthread_mutex_unlock(&p->lock);
}

void powercut_truncate(struct powercut *p, struct powercut_file *file, uint64_t n)
{
	struct step *s;

	(void)pthread_mutex_lock(&p->lock);
	s = log_step(p, STEP_TRUNCATE);
	s->node = file;
	s->n = n;
	(void)pthread_mutex_unlock(&p->lock);
}

void powercut_sync(struct powercut *p, struct powercut_file *file)
{
	(void)pthread_mutex_lock(&p->lock);
	log_step(p, STEP_SYNC)->node = file;
	(void)pthread_mutex_unlock(&p->lock);
}

void powercut_unlink(struct powercut *p, const char *path)
{
	struct powercut_file *dir;
	const char *last;

	(void)pthread_mutex_lock(&p->lock);
	dir = place(p, -1, path, &last);
	if (dir)
		log_unname(p, dir, last);
	(void)pthread_mutex_unlock(&p->lock);
}

void powercut_sync_parent(struct powercut *p, const char *path)
{
	struct powercut_file *dir;
	const char *last;

	(void)pthread_mutex_lock(&p->lock);
	dir = place(p, -1, path, &last);
	if (dir)
		log_step(p, STEP_SYNC_DIR)->dir = dir;
	(void)pthread_mutex_unlock(&p->lock);
}

void powercut_mark(struct powercut *p, uint64_t value)
{
	(void)pthread_mutex_lock(&p->lock);
	log_step(p, STEP_MARK)->n = value;
	(void)pthread_mutex_unlock(&p->lock);
}

size_t powercut_steps(struct powercut *p)
{
	size_t n;

	(void)pthread_mutex_lock(&p->lock);
	n = p->count;
	(void)pthread_mutex_unlock(&p->lock);
	return n;
}

void powercut_describe(struct powercut *p, size_t step, struct buf *ret)
{
	static const char *const kinds[] = { "write", "truncate", "sync", "name", "unname", "move",
		"sync folder", "mark" };
	const struct step *s = &p->steps[step];

	buf_addf(ret, "%s", kinds[s->kind]);
	if (s->node)
		buf_addf(ret, " node %zu", s->node->index);
	if (s->name)
		buf_addf(ret, " '%s'", s->name);
	if (s->to_name)
		buf_addf(ret, " to '%s'", s->to_name);
	if (s->kind == STEP_WRITE)
		buf_addf(ret, " %llu bytes at %llu", (unsigned long long)s->n,
			(unsigned long long)s->offset);
	else if (s->kind == STEP_MARK)
		buf_addf(ret, " %llu", (unsigned long long)s->n);
}

/* ---- the start ---- */

static void snapshot(struct powercut *p, struct powercut_file *dir, int fd)
{
	struct err err = ERR_INIT;
	_cleanup_(freep) char **names = NULL;
	size_t count;

	if (file_list(fd, &names, &count, &err) < 0)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct powercut_file *node;
		struct stat st;

		/* SQLite's shared memory is memory: it does not outlive the machine. */
		if (str_ends(str_of(names[i]), "-shm") ||
			fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		node = node_new(p, S_ISDIR(st.st_mode));
		node->device = st.st_dev;
		node->inode = st.st_ino;
		put(&dir->entries, &dir->count, names[i], node);
		put(&dir->base_entries, &dir->base_count, names[i], node);
		if (node->is_dir) {
			_cleanup_(closep) int sub = file_open_dir(fd, names[i], &err);

			snapshot(p, node, sub);
		} else if (S_ISREG(st.st_mode)) {
			(void)file_read_whole(fd, names[i], &node->base, &err);
		}
	}
}

struct powercut *powercut_new(const char *root)
{
	struct powercut *p = xcalloc(1, sizeof(*p));
	struct err err = ERR_INIT;
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, root, &err);
	char *real = realpath(root, NULL);
	struct stat st;

	if (fd < 0 || !real || fstat(fd, &st) < 0)
		abort();
	(void)pthread_mutex_init(&p->lock, NULL);
	p->root = real;
	p->hook = (struct file_hook){ record, p };
	(void)node_new(p, true);
	p->nodes[0]->device = st.st_dev;
	p->nodes[0]->inode = st.st_ino;
	snapshot(p, p->nodes[0], fd);
	return p;
}

void powercut_free(struct powercut *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->node_count; i++) {
		struct powercut_file *node = p->nodes[i];

		clear(&node->entries, &node->count);
		clear(&node->base_entries, &node->base_count);
		buf_done(&node->base);
		buf_done(&node->content);
		free(node);
	}
	for (size_t i = 0; i < p->count; i++) {
		free(p->steps[i].name);
		free(p->steps[i].to_name);
		free(p->steps[i].bytes);
	}
	(void)pthread_mutex_destroy(&p->lock);
	free(p->nodes);
	free(p->steps);
	free(p->root);
	free(p);
}

const struct file_hook *powercut_hook(struct powercut *p)
{
	return &p->hook;
}

/* ---- building ---- */

/* How a build decides about what no sync covers. */
enum mood { MOOD_LOSE, MOOD_KEEP, MOOD_PREFIX, MOOD_RANDOM, MOOD_COUNT };

struct dice {
	uint64_t state;
};

static uint64_t roll(struct dice *d, uint64_t n)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static void resize(struct buf *b, uint64_t n)
{
	if (n < b->n) {
		buf_cut(b, (size_t)n);
	} else if (n > b->n) {
		size_t more = (size_t)n - b->n;
		uint8_t *at = buf_extend(b, more);

		if (!at)
			abort();
		memset(at, 0, more);
	}
}

static void write_piece(struct buf *b, const struct step *s, uint64_t from, uint64_t to)
{
	if (b->n < to)
		resize(b, to);
	if (s->bytes)
		memcpy(b->p + from, s->bytes + (from - s->offset), (size_t)(to - from));
	else
		memset(b->p + from, 0, (size_t)(to - from));
}

/* Some sectors of a write arrived: the first ones, or any. */
static void write_torn(struct buf *b, const struct step *s, struct dice *d)
{
	uint64_t sector = roll(d, 2) ? 512 : 4096, end = s->offset + s->n;
	uint64_t count = (end - 1) / sector - s->offset / sector + 1, kept = roll(d, count + 1);
	bool any = roll(d, 2);

	if (roll(d, 2) && b->n < end)
		resize(b, end); /* the size arrived, whatever became of the bytes */
	for (uint64_t i = 0; i < count; i++) {
		uint64_t from = (s->offset / sector + i) * sector, to = from + sector;

		if (any ? roll(d, 2) : i >= kept)
			continue;
		write_piece(b, s, from < s->offset ? s->offset : from, to > end ? end : to);
	}
}

static void apply_content(
	struct powercut_file *node, const struct step *s, bool torn, struct dice *d)
{
	if (s->kind == STEP_TRUNCATE)
		resize(&node->content, s->n);
	else if (s->n == 0)
		return;
	else if (torn)
		write_torn(&node->content, s, d);
	else
		write_piece(&node->content, s, s->offset, s->offset + s->n);
}

/* For each file, the step before which everything is synced; for each folder, the same of its names. */
static size_t *find_syncs(const struct powercut *p, size_t step)
{
	size_t *synced = xcalloc(p->node_count, sizeof(*synced));

	for (size_t i = 0; i < step; i++) {
		if (p->steps[i].kind == STEP_SYNC)
			synced[p->steps[i].node->index] = i;
		else if (p->steps[i].kind == STEP_SYNC_DIR)
			synced[p->steps[i].dir->index] = i;
	}
	return synced;
}

static void build_contents(struct powercut *p, size_t step, const size_t *synced, struct dice *d)
{
	enum mood mood = (enum mood)roll(d, MOOD_COUNT);
	size_t prefix = (size_t)roll(d, step + 1);

	for (size_t i = 0; i < step; i++) {
		const struct step *s = &p->steps[i];
		bool torn = false;

		if (s->kind != STEP_WRITE && s->kind != STEP_TRUNCATE)
			continue;
		if (i > synced[s->node->index] || synced[s->node->index] == 0) {
			uint64_t fate = roll(d, 3);

			if (mood == MOOD_LOSE || (mood == MOOD_PREFIX && i > prefix) ||
				(mood == MOOD_RANDOM && fate == 0))
				continue;
			torn = (mood == MOOD_PREFIX && i == prefix) ||
			       (mood == MOOD_RANDOM && fate == 1);
		}
		apply_content(s->node, s, torn, d);
	}
}

static bool is_name_step(const struct step *s)
{
	return s->kind == STEP_NAME || s->kind == STEP_UNNAME || s->kind == STEP_MOVE;
}

/* The folder that decides about a step: where the name goes. */
static const struct powercut_file *folder_of(const struct step *s)
{
	return s->kind == STEP_MOVE ? s->to : s->dir;
}

static bool is_name_synced(const struct step *s, size_t i, const size_t *synced)
{
	return synced[folder_of(s)->index] > i ||
	       (s->kind == STEP_MOVE && synced[s->dir->index] > i);
}

static void apply_name(const struct step *s)
{
	if (s->kind != STEP_NAME)
		drop(s->dir->built, &s->dir->built_count, s->name);
	if (s->kind == STEP_NAME)
		put(&s->dir->built, &s->dir->built_count, s->name, s->node);
	else if (s->kind == STEP_MOVE)
		put(&s->to->built, &s->to->built_count, s->to_name, s->node);
}

/* Each folder keeps its unsynced steps up to one that is drawn for it. */
static void build_names(struct powercut *p, size_t step, const size_t *synced, struct dice *d)
{
	_cleanup_(freep) size_t *until = xcalloc(p->node_count, sizeof(*until));
	enum mood mood = (enum mood)roll(d, MOOD_RANDOM);

	for (size_t i = 0; i < p->node_count; i++)
		until[i] = mood == MOOD_LOSE   ? 0
			   : mood == MOOD_KEEP ? step
					       : (size_t)roll(d, step + 1);
	for (size_t i = 0; i < step; i++) {
		const struct step *s = &p->steps[i];

		if (is_name_step(s) &&
			(is_name_synced(s, i, synced) || i < until[folder_of(s)->index]))
			apply_name(s);
	}
}

/* Not through file.h: these are not steps of the program. */
static void write_out(struct powercut_file *dir, int fd)
{
	for (size_t i = 0; i < dir->built_count; i++) {
		struct powercut_file *node = dir->built[i].node;
		const char *name = dir->built[i].name;
		_cleanup_(closep) int sub = -1;

		if (node->is_dir) {
			if (mkdirat(fd, name, 0700) < 0)
				abort();
			sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			write_out(node, sub);
			continue;
		}
		sub = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		for (size_t done = 0; done < node->content.n;) {
			ssize_t n = write(sub, node->content.p + done, node->content.n - done);

			if (n <= 0)
				abort();
			done += (size_t)n;
		}
	}
}

uint64_t powercut_build(struct powercut *p, size_t step, uint64_t seed, const char *target)
{
	struct dice dice = { seed * UINT64_C(0x2545f4914f6cdd1d) + step };
	_cleanup_(freep) size_t *synced = NULL;
	struct err err = ERR_INIT;
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, target, &err);
	uint64_t mark = 0;

	if (fd < 0)
		abort();
	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->node_count; i++) {
		struct powercut_file *node = p->nodes[i];

		buf_reset(&node->content);
		buf_add_str(&node->content, buf_str(&node->base));
		for (size_t k = 0; k < node->base_count; k++)
			put(&node->built, &node->built_count, node->base_entries[k].name,
				node->base_entries[k].node);
	}
	for (size_t i = 0; i < step; i++)
		if (p->steps[i].kind == STEP_MARK)
			mark = p->steps[i].n;
	synced = find_syncs(p, step);
	build_contents(p, step, synced, &dice);
	build_names(p, step, synced, &dice);
	write_out(p->nodes[0], fd);
	for (size_t i = 0; i < p->node_count; i++)
		clear(&p->nodes[i]->built, &p->nodes[i]->built_count);
	(void)pthread_mutex_unlock(&p->lock);
	return mark;
}
