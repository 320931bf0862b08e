/* volume.c - a bare repository: made, opened, its objects (volume.h); its refs are in volume_ref.c.
 *
 * Objects are read through handles of libgit2, one thread each at a time, out of a pool. libgit2
 * would look through objects/pack again at every object that it does not find; with hundreds of
 * packs that is most of the time. So its refresh is taken away, and a handle is replaced by a fresh
 * one only when the packs have changed: this process says so (volume_refresh), and what another
 * process did is seen by the folder's time, once, when an object is missing.
 *
 * libgit2's own check of names (slow SHA-1) and its object cache are off; each object read is
 * checked against its name here, by GnuTLS. */
#include "store/volume_private.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NUMBER_MAX = 9999,
	NAME_MAX_BYTES = 16, /* "0001.git" */
	IDLE_HANDLES = 16,
	OPEN_PACKS = 128, /* descriptors that libgit2 may keep, in all volumes together */
	/* Mapped at once, of one pack and of all: it counts as memory in use. */
	WINDOW_BYTES = 1 << 20,
	MAPPED_BYTES = 16 << 20,
	SETTLED_SECONDS = 2,
};

struct handle {
	git_odb *odb;
	uint64_t generation;
	struct timespec changed; /* of the folder of packs, before the handle looked at it */
	struct handle *next;
};

struct volume {
	uint32_t number;
	int dir, pack_dir;
	char *objects_path;
	pthread_mutex_t lock;
	struct handle *idle;
	size_t idle_count;
	uint64_t generation;
};

/* ---- making ---- */

static const char config[] = "[core]\n"
			     "\trepositoryformatversion = 0\n"
			     "\tbare = true\n"
			     "\tcompression = 0\n"
			     "\tlogAllRefUpdates = false\n"
			     "[pack]\n"
			     "\tcompression = 0\n"
			     "\twindow = 0\n"
			     "[gc]\n"
			     "\tauto = 0\n"
			     "\tpackRefs = false\n"
			     "\tpruneExpire = never\n";

static int folder_name(uint32_t number, char out[NAME_MAX_BYTES], struct err *err)
{
	if (number == 0 || number > NUMBER_MAX)
		return err_set(err, ERR_LIMIT, tr("volumes count from 1 to %d, not %u"), NUMBER_MAX,
			number);
	(void)snprintf(out, NAME_MAX_BYTES, "%04u.git", number);
	return 0;
}

/* Make a folder and one in it. Each is made in the descriptor of its parent, which is then synced. */
static int make_dirs(int at, const char *name, const char *inner, struct err *err)
{
	_cleanup_(closep) int outer = file_make_dir(at, name, err), fd = -1;

	if (outer < 0)
		return outer;
	fd = file_make_dir(outer, inner, err);
	return fd < 0 ? fd : 0;
}

static int make_file(int dir, const char *name, const char *text, struct err *err)
{
	if (file_exists(dir, name))
		return 0;
	return file_replace(dir, name, text, strlen(text), err);
}

int volume_create(int volumes_dir, uint32_t number, struct err *err)
{
	_cleanup_(closep) int dir = -1;
	char name[NAME_MAX_BYTES];
	int r = folder_name(number, name, err);

	if (r < 0)
		return r;
	dir = file_make_dir(volumes_dir, name, err);
	if (dir < 0)
		return dir;
	r = make_dirs(dir, "objects", "pack", err);
	if (r == 0)
		r = make_dirs(dir, "refs", "heads", err);
	if (r == 0)
		r = make_file(dir, "config", config, err);
	/* HEAD comes last: git takes a folder without it for no repository at all. */
	if (r == 0)
		r = make_file(dir, "HEAD", "ref: refs/heads/main\n", err);
	return r;
}

/* ---- opening ---- */

static void start_libgit2(void)
{
	if (git_libgit2_init() < 0)
		abort();
	(void)git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	(void)git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, (size_t)OPEN_PACKS);
	(void)git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_BYTES);
	(void)git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)MAPPED_BYTES);
}

int volume_open(int volumes_dir, const char *volumes_path, uint32_t number, struct volume **ret,
	struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	_cleanup_(volume_freep) struct volume *v = xcalloc(1, sizeof(*v));
	char name[NAME_MAX_BYTES];
	int r = folder_name(number, name, err);

	(void)pthread_once(&once, start_libgit2);
	(void)pthread_mutex_init(&v->lock, NULL);
	v->number = number;
	v->dir = v->pack_dir = -1;
	if (r < 0)
		return r;
	v->dir = file_open_dir(volumes_dir, name, err);
	if (v->dir < 0)
		return v->dir;
	v->pack_dir = file_open_dir(v->dir, "objects/pack", err);
	if (v->pack_dir < 0 || !file_exists(v->dir, "HEAD"))
		return err_set(err, ERR_CORRUPT, tr("volume %u is not whole"), number);
	if (asprintf(&v->objects_path, "%s/%s/objects", volumes_path, name) < 0)
		abort();
	*ret = TAKE_PTR(v);
	return 0;
}

static void handle_free(struct handle *h)
{
	if (!h)
		return;
	git_odb_free(h->odb);
	free(h);
}
DEFINE_CLEANUP(struct handle *, handle_free)

static void free_all(struct handle *h)
{
	while (h) {
		struct handle *next = h->next;

		handle_free(h);
		h = next;
	}
}

void volume_free(struct volume *v)
{
	if (!v)
		return;
	free_all(v->idle);
	(void)pthread_mutex_destroy(&v->lock);
	closep(&v->pack_dir);
	closep(&v->dir);
	free(v->objects_path);
	free(v);
}

uint32_t volume_number(const struct volume *v)
{
	return v->number;
}

int volume_pack_dir(const struct volume *v)
{
	return v->pack_dir;
}

int volume_dir(const struct volume *v)
{
	return v->dir;
}

int volume_list(int volumes_dir, uint32_t **ret, size_t *ret_count, struct err *err)
{
	_cleanup_(freep) char **names = NULL;
	_cleanup_(freep) uint32_t *numbers = NULL;
	size_t name_count, count = 0;
	int r = file_list(volumes_dir, &names, &name_count, err);

	if (r < 0)
		return r;
	numbers = xcalloc(name_count + 1, sizeof(*numbers));
	for (size_t i = 0; i < name_count; i++) {
		char expected[NAME_MAX_BYTES];
		struct str name = str_of(names[i]);

		if (name.n != 8 || !str_ends(name, ".git") || strspn(name.p, "0123456789") != 4)
			continue;
		if (folder_name((uint32_t)count + 1, expected, NULL) < 0 ||
			strcmp(names[i], expected) != 0)
			return err_set(err, ERR_CORRUPT, tr("volume %zu is missing"), count + 1);
		numbers[count] = (uint32_t)count + 1;
		count++;
	}
	*ret = TAKE_PTR(numbers);
	*ret_count = count;
	return 0;
}

/* ---- handles ---- */

static int git_failed(struct err *err, const char *what)
{
	const git_error *e = git_error_last();

	return err_set(err, ERR_CORRUPT, "%s: %s", what, e ? e->message : "");
}

/* A backend of libgit2 without its refresh. */
static int add_backend(git_odb *odb, git_odb_backend *backend, int priority)
{
	backend->refresh = NULL;
	if (git_odb_add_backend(odb, backend, priority) == 0)
		return 0;
	backend->free(backend);
	return -1;
}

static int handle_new(struct volume *v, struct handle **ret, struct err *err)
{
	_cleanup_(handle_freep) struct handle *h = xcalloc(1, sizeof(*h));
	git_odb_backend *packs, *loose;
	struct stat st;

	(void)pthread_mutex_lock(&v->lock);
	h->generation = v->generation;
	(void)pthread_mutex_unlock(&v->lock);
	if (fstat(v->pack_dir, &st) < 0)
		return err_errno(err, tr("cannot look at a file"));
	h->changed = st.st_mtim;
	/* Loose objects are never written here, but stock git may unpack some. */
	if (git_odb_new(&h->odb) < 0 || git_odb_backend_pack(&packs, v->objects_path) < 0 ||
		add_backend(h->odb, packs, 2) < 0 ||
		git_odb_backend_loose(&loose, v->objects_path, 0, 0, 0, 0) < 0 ||
		add_backend(h->odb, loose, 1) < 0)
		return git_failed(err, tr("cannot open the objects of a volume"));
	*ret = TAKE_PTR(h);
	return 0;
}

static int take_handle(struct volume *v, struct handle **ret, struct err *err)
{
	struct handle *h;

	(void)pthread_mutex_lock(&v->lock);
	h = v->idle;
	if (h) {
		v->idle = h->next;
		v->idle_count--;
	}
	(void)pthread_mutex_unlock(&v->lock);
	if (!h)
		return handle_new(v, ret, err);
	*ret = h;
	return 0;
}

/* Back into the pool, unless the packs have changed meanwhile or it is full. */
static void give_handle(struct volume *v, struct handle *h)
{
	(void)pthread_mutex_lock(&v->lock);
	if (h->generation == v->generation && v->idle_count < IDLE_HANDLES) {
		h->next = v->idle;
		v->idle = h;
		v->idle_count++;
		h = NULL;
	}
	(void)pthread_mutex_unlock(&v->lock);
	handle_free(h);
}

/* The new handle is opened before the old ones go, because libgit2 shares packs that are open
 * between handles. */
void volume_refresh(struct volume *v)
{
	struct handle *fresh = NULL, *stale;

	(void)pthread_mutex_lock(&v->lock);
	v->generation++;
	stale = v->idle;
	v->idle = NULL;
	v->idle_count = 0;
	(void)pthread_mutex_unlock(&v->lock);
	if (handle_new(v, &fresh, NULL) == 0)
		give_handle(v, fresh);
	free_all(stale);
}

/* An object is missing or could not be read: true when the packs may be others than when the handle
 * was opened. A folder's time moves in steps of some milliseconds, so a recent one says nothing. */
static bool is_stale(struct volume *v, const struct handle *h)
{
	struct stat st;
	bool stale;

	(void)pthread_mutex_lock(&v->lock);
	stale = h->generation != v->generation;
	(void)pthread_mutex_unlock(&v->lock);
	if (stale || fstat(v->pack_dir, &st) < 0)
		return true;
	return st.st_mtim.tv_sec != h->changed.tv_sec || st.st_mtim.tv_nsec != h->changed.tv_nsec ||
	       st.st_mtim.tv_sec + SETTLED_SECONDS > clock_now();
}

/* Replace a handle by a fresh one. */
static int renew(struct volume *v, struct handle **h, struct err *err)
{
	struct handle *fresh;
	int r = handle_new(v, &fresh, err);

	if (r < 0)
		return r;
	handle_free(*h);
	*h = fresh;
	return 0;
}

/* ---- objects ---- */

static int missing(struct volume *v, const struct oid *oid, struct err *err)
{
	_cleanup_(closep) int spare = fcntl(v->pack_dir, F_DUPFD_CLOEXEC, 0);
	char digits[OID_TEXT];

	/* libgit2 does not find objects either when it cannot open a pack. */
	if (spare < 0)
		return err_errno(err, tr("cannot open the objects of a volume"));
	return err_set(err, ERR_NOTFOUND, tr("volume %u has no object %s"), v->number,
		hex_encode(oid->b, sizeof(oid->b), digits));
}

static int read_with(struct volume *v, struct handle **h, const struct oid *oid,
	git_odb_object **ret, struct err *err)
{
	git_oid name;
	int e, r;

	memcpy(name.id, oid->b, sizeof(name.id));
	e = git_odb_read(ret, (*h)->odb, &name);
	if (e < 0 && is_stale(v, *h)) {
		r = renew(v, h, err);
		if (r < 0)
			return r;
		e = git_odb_read(ret, (*h)->odb, &name);
	}
	if (e == GIT_ENOTFOUND)
		return missing(v, oid, err);
	if (e < 0)
		return git_failed(err, tr("an object in a pack is damaged"));
	return 0;
}

/* Check type and name of what was read, and append it. */
/* `oid` NULL: the name is not compared. */
static int take_object(git_odb_object *object, const struct oid *oid, enum object_type *ret_type,
	struct buf *ret, struct err *err)
{
	git_object_t type = git_odb_object_type(object);
	const void *p = git_odb_object_data(object);
	size_t n = git_odb_object_size(object);
	struct oid name;

	if (type != GIT_OBJECT_COMMIT && type != GIT_OBJECT_TREE && type != GIT_OBJECT_BLOB)
		return err_set(err, ERR_UNSUPPORTED, tr("no such kind of object"));
	if (oid) {
		object_name((enum object_type)type, p, n, &name);
		if (!oid_equal(&name, oid))
			return err_set(err, ERR_CORRUPT, tr("an object in a pack is damaged"));
	}
	buf_add(ret, p, n);
	if (ret->failed)
		return buf_check(ret, err);
	if (ret_type)
		*ret_type = (enum object_type)type;
	return 0;
}

static int read_one(struct volume *v, const struct oid *oid, bool is_named,
	enum object_type *ret_type, struct buf *ret, struct err *err)
{
	git_odb_object *object;
	struct handle *h;
	int r = take_handle(v, &h, err);

	if (r < 0)
		return r;
	r = read_with(v, &h, oid, &object, err);
	if (r == 0) {
		r = take_object(object, is_named ? oid : NULL, ret_type, ret, err);
		git_odb_object_free(object);
	}
	give_handle(v, h);
	return r;
}

int volume_read(struct volume *v, const struct oid *oid, enum object_type *ret_type,
	struct buf *ret, struct err *err)
{
	return read_one(v, oid, true, ret_type, ret, err);
}

int volume_read_unnamed(struct volume *v, const struct oid *oid, struct buf *ret, struct err *err)
{
	return read_one(v, oid, false, NULL, ret, err);
}

bool volume_has(struct volume *v, const struct oid *oid)
{
	struct handle *h;
	git_oid name;
	bool has;

	if (take_handle(v, &h, NULL) < 0)
		return false;
	memcpy(name.id, oid->b, sizeof(name.id));
	has = git_odb_exists_ext(h->odb, &name, GIT_ODB_LOOKUP_NO_REFRESH) != 0;
	give_handle(v, h);
	return has;
}
