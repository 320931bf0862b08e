/* store.c - opening, making and closing an archive's truth; locks and options. See store.h. */
#include "store/internal.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const purposes[] = { "terms", "registry", "state", "requests", "checkpoint",
	"server" };

/* Nobody asks SQLite how much memory it uses; counting takes one lock for all threads at every allocation. It is
 * too late, and harmless, when SQLite was used before. */
void store_init(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* ---- archive.json ---- */

static int write_archive_json(
	int dir, const struct id *archive, bool demonstration, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	char id[ID_TEXT], made[21];

	buf_addf(&text, "{\"archive\":\"%s\",\"demonstration\":%s,\"format\":1,\"made\":\"%s\"}\n",
		hex_encode(archive->b, ID_BYTES, id), demonstration ? "true" : "false",
		instant_format(clock_now(), made));
	return file_replace(dir, "archive.json", text.p, text.n, err);
}

static int read_archive_json(struct store *s, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(4096);
	_cleanup_(json_freep) struct json *json = NULL;
	const struct json *id, *format, *demonstration;
	int r = file_read_whole(s->dir, "archive.json", &text, err);

	if (r == -ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND,
			tr("'%s' is not an archive: archive.json is missing"), s->path);
	if (r < 0)
		return r;
	r = json_parse(str_trim(buf_str(&text)), NULL, 0, &json, err);
	if (r < 0)
		return err_prefix(err, r, "archive.json");
	if (json_kind_of(json) != JSON_KIND_MAP)
		return err_set(err, ERR_CORRUPT, tr("archive.json does not name the archive"));
	format = json_map_get(json, "format");
	if (!format || json_kind_of(format) != JSON_KIND_INT || json_int(format) != 1)
		return err_set(err, ERR_UNSUPPORTED,
			tr("this program reads archives of format 1, and archive.json says "
			   "another: use a newer one"));
	id = json_map_get(json, "archive");
	if (!id || json_kind_of(id) != JSON_KIND_TEXT ||
		id_parse(json_text(id), &s->archive, NULL) < 0)
		return err_set(err, ERR_CORRUPT, tr("archive.json does not name the archive"));
	demonstration = json_map_get(json, "demonstration");
	s->demonstration = demonstration && json_kind_of(demonstration) == JSON_KIND_BOOL &&
			   json_bool(demonstration);
	return 0;
}

/* ---- the lock ---- */

static int take_lock(struct store *s, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(256);
	char at[17];

	s->lock_fd = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_errno(err, tr("cannot open '%s'"), "lock");
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, tr("cannot lock the archive"));
		(void)file_read_fd(s->lock_fd, &text, NULL);
		return err_set(err, ERR_LOCKED,
			tr("another process writes to this archive: %s; ask it, or end it first"),
			text.p);
	}
	buf_addf(&text, "pid %ld, uid %ld, %s", (long)getpid(), (long)getuid(),
		instant_format_local(clock_now(), at));
	/* Cut behind the text, not before it: a file system may flush what is emptied and written anew. */
	if (pwrite(s->lock_fd, text.p, text.n, 0) < 0 || ftruncate(s->lock_fd, (off_t)text.n) < 0)
		return err_errno(err, tr("cannot write"));
	return 0;
}

/* ---- volumes ---- */

/* The lock is held. */
static int open_volume(struct store *s, uint32_t number, struct volume **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	int r = 0;

	if (!s->volumes[number - 1]) {
		buf_addf(&path, "%s/volumes", s->path);
		r = volume_open(s->volumes_dir, path.p, number, &s->volumes[number - 1], err);
	}
	if (r == 0)
		*ret = s->volumes[number - 1];
	return r;
}

int store_volume(struct store *s, uint32_t number, struct volume **ret, struct err *err)
{
	int r;

	if (number < 1 || number > STORE_MAX_VOLUMES)
		return err_set(err, ERR_CORRUPT, tr("there is no volume %u"), number);
	(void)pthread_mutex_lock(&s->volumes_lock);
	r = open_volume(s, number, ret, err);
	(void)pthread_mutex_unlock(&s->volumes_lock);
	return r;
}

int store_make_volume(struct store *s, uint32_t number, struct volume **ret, struct err *err)
{
	int r = 0;

	if (number < 1 || number > STORE_MAX_VOLUMES)
		return err_set(err, ERR_CORRUPT, tr("there is no volume %u"), number);
	/* Under the lock all the while: who reads a record that is in the new volume's first frame must not find
	 * half a repository. */
	(void)pthread_mutex_lock(&s->volumes_lock);
	if (!s->volumes[number - 1])
		r = volume_create(s->volumes_dir, number, err);
	if (r == 0)
		r = open_volume(s, number, ret, err);
	(void)pthread_mutex_unlock(&s->volumes_lock);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&s->lock);
	if (s->volume_count < number)
		s->volume_count = number;
	(void)pthread_mutex_unlock(&s->lock);
	return 0;
}

int store_volume_bytes(struct store *s, uint32_t number, uint64_t *ret, struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	struct volume *v;
	int r = store_volume(s, number, &v, err);

	*ret = 0;
	if (r == 0)
		r = file_list(volume_pack_dir(v), &names, &count, err);
	for (size_t i = 0; i < count; i++) {
		struct stat st;

		if (fstatat(volume_pack_dir(v), names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			*ret += (uint64_t)st.st_size;
	}
	free(names);
	return r;
}

/* A volume counts when its main exists: one whose first frame never became a pack may be half made. */
static int count_volumes(struct store *s, struct err *err)
{
	_cleanup_(freep) uint32_t *numbers = NULL;
	size_t count = 0;
	int r = volume_list(s->volumes_dir, &numbers, &count, err);

	while (r == 0 && count > 0 && !volume_has_main(s->volumes_dir, numbers[count - 1]))
		count--;
	s->volume_count = (uint32_t)count;
	return r;
}

/* After replay: whatever is beyond the volumes that count must be empty, or somebody took a history away. */
static int check_beyond(struct store *s, struct err *err)
{
	_cleanup_(freep) uint32_t *numbers = NULL;
	size_t count = 0;
	int r = volume_list(s->volumes_dir, &numbers, &count, err);

	for (size_t i = s->volume_count; r == 0 && i < count; i++) {
		_cleanup_(freep) struct oid *packs = NULL;
		_cleanup_(closep) int dir = -1;
		size_t pack_count = 0;
		char name[64];

		(void)snprintf(name, sizeof(name), "%04u.git/objects/pack", numbers[i]);
		if (!file_exists(s->volumes_dir, name))
			continue;
		dir = file_open_dir(s->volumes_dir, name, err);
		r = dir < 0 ? dir : pack_list(dir, &packs, &pack_count, err);
		if (r == 0 && pack_count)
			r = err_set(err, ERR_CORRUPT,
				tr("volume %u holds packs but its history (refs/heads/main) is "
				   "missing; restore it from a copy"),
				numbers[i]);
	}
	return r;
}

/* ---- making ---- */

static bool is_empty_dir(int dir)
{
	char **names = NULL;
	size_t count = 0;
	int r = file_list(dir, &names, &count, NULL);

	/* custody.json is written before the rest. */
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], "custody.json") != 0)
			r = -1;
	}
	free(names);
	return r == 0;
}

static int make_folders(int dir, struct err *err)
{
	static const char *const names[] = { "volumes", "journal", "incoming", "derived", "cache",
		"tls" };

	return file_make_dirs(dir, names, ARRAY_LEN(names), err);
}

static int make_purposes(
	const char *path, const struct id *archive, const struct secret *root, struct err *err)
{
	_cleanup_(keys_freep) struct keys *keys = NULL;
	int r = keys_open(path, archive, true, &keys, err);

	if (r < 0)
		return r;
	r = keys_unseal(keys, root, 1, err);
	for (size_t i = 0; i < ARRAY_LEN(purposes) && r == 0; i++) {
		_cleanup_(secret_freep) struct secret *secret = NULL;

		r = keys_purpose(keys, purposes[i], &secret, err);
	}
	return r;
}

/* Made in the descriptor of its parent, which is synced: the archive's own name must survive a power cut, too. */
static int make_at(const char *path, struct err *err)
{
	_cleanup_(closep) int parent = -1;
	const char *name;

	parent = file_open_parent(path, &name, NULL);
	/* One that may not be read cannot be synced; "folder/" is there already. */
	if (parent < 0 || !*name)
		return file_make_dir(AT_FDCWD, path, err);
	return file_make_dir(parent, name, err);
}

int store_create(const char *path, const struct id *archive, bool demonstration,
	const struct secret *root, struct err *err)
{
	const struct store_options options = { .writable = true };
	_cleanup_(store_closep) struct store *s = NULL;
	_cleanup_(closep) int dir = make_at(path, err);
	int r;

	if (dir < 0)
		return dir;
	if (!is_empty_dir(dir))
		return err_set(err, ERR_EXISTS,
			tr("'%s' is not empty: an archive is made in a folder of its own"), path);
	r = make_folders(dir, err);
	if (r == 0)
		r = keys_create(dir, path, archive, err);
	if (r == 0)
		r = make_purposes(path, archive, root, err);
	/* Last, so that a half-made archive is not taken for one. */
	if (r == 0)
		r = write_archive_json(dir, archive, demonstration, err);
	if (r == 0)
		r = store_open(path, &options, &s, NULL, err);
	if (r == 0)
		r = store_unseal(s, root, 1, err);
	return r;
}

/* ---- opening ---- */

static void set_defaults(struct store_options *o)
{
	if (!o->volume_max_bytes)
		o->volume_max_bytes = (uint64_t)64 << 30;
	if (!o->pending_max_bytes)
		o->pending_max_bytes = (uint64_t)64 << 20;
	if (!o->merge_packs)
		o->merge_packs = 16;
	if (!o->apply_delay_ms)
		o->apply_delay_ms = 500;
}

static struct store *store_new(const char *path, const struct store_options *options)
{
	struct store *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t monotonic;

	s->path = xstrdup(path);
	s->dir = s->volumes_dir = s->incoming_dir = s->lock_fd = -1;
	s->options = *options;
	set_defaults(&s->options);
	s->volumes = xcalloc(STORE_MAX_VOLUMES, sizeof(struct volume *));
	s->queue_last = &s->queue;
	pending_init(&s->pending);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_mutex_init(&s->volumes_lock, NULL);
	(void)pthread_mutex_init(&s->packs_lock, NULL);
	(void)pthread_rwlock_init(&s->whole, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->work, &monotonic);
	(void)pthread_cond_init(&s->space, &monotonic);
	(void)pthread_cond_init(&s->frames, &monotonic);
	(void)pthread_cond_init(&s->applied, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return s;
}

static int open_folders(struct store *s, struct err *err)
{
	int r;

	s->dir = file_open_dir(AT_FDCWD, s->path, err);
	if (s->dir < 0)
		return s->dir;
	r = read_archive_json(s, err);
	if (r == 0 && s->options.writable)
		r = take_lock(s, err);
	if (r == 0 && s->options.writable)
		r = make_folders(s->dir, err);
	if (r < 0)
		return r;
	s->volumes_dir = file_open_dir(s->dir, "volumes", err);
	if (s->volumes_dir < 0)
		return s->volumes_dir;
	s->incoming_dir = file_open_dir(s->dir, "incoming", err);
	return s->incoming_dir < 0 ? s->incoming_dir : 0;
}

static int open_ledger(struct store *s, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;

	buf_addf(&path, "%s/derived", s->path);
	return ledger_open(path.p, &s->archive, s->options.writable, &s->ledger, err);
}

/* Remove what a process that died left beside the packs. After the replay: a pack that is being adopted stands
 * there without its index. */
static int sweep_packs(struct store *s, struct err *err)
{
	int r = 0;

	for (uint32_t n = 1; r == 0 && n <= s->volume_count; n++) {
		struct volume *v = NULL;

		r = store_volume(s, n, &v, err);
		if (r == 0)
			r = pack_sweep(volume_pack_dir(v), NULL, err);
	}
	return r;
}

/* Replay, catch up, finish destructions: what makes the archive whole again after any end. */
static int recover(struct store *s, struct store_found *found, struct err *err)
{
	const struct journal_options jo = { .segment_bytes = s->options.journal_segment_bytes };
	_cleanup_(closep) int dir = file_open_dir(s->dir, "journal", err);
	uint64_t applied;
	int r = dir < 0 ? dir : keys_applied_frame(s->keys, &applied, err);

	if (r == 0)
		r = journal_open(
			dir, &s->archive, applied + 1, &jo, &s->journal, &found->journal, err);
	if (r == 0)
		r = applier_replay(s, &found->frames_replayed, err);
	if (r == 0)
		r = check_beyond(s, err);
	if (r == 0)
		r = applier_follow(s, &found->ledger_rebuilt, err);
	if (r == 0)
		r = applier_remove_orphans(s, &found->orphans_removed, err);
	if (r == 0)
		r = sweep_packs(s, err);
	if (r == 0)
		r = destroy_finish_all(s, &found->destructions_finished, err);
	if (r == 0)
		s->published_frame = s->applied_frame = journal_last_frame(s->journal);
	return r;
}

int store_open(const char *path, const struct store_options *options, struct store **ret,
	struct store_found *ret_found, struct err *err)
{
	_cleanup_(store_closep) struct store *s = store_new(path, options);
	struct store_found found;
	int r = open_folders(s, err);

	memset(&found, 0, sizeof(found));
	if (r == 0)
		r = keys_open(path, &s->archive, options->writable, &s->keys, err);
	if (r == 0)
		r = open_ledger(s, err);
	if (r == 0)
		r = count_volumes(s, err);
	if (r == 0 && options->writable)
		r = recover(s, &found, err);
	if (r < 0)
		return r;
	if (ret_found)
		*ret_found = found;
	*ret = TAKE_PTR(s);
	return 0;
}

/* ---- keys in, keys out ---- */

int store_unseal(struct store *s, const struct secret *root, uint64_t epoch, struct err *err)
{
	_cleanup_(secret_freep) struct secret *requests = NULL;
	int r;

	if (!store_is_sealed(s))
		return 0;
	r = keys_unseal(s->keys, root, epoch, err);
	if (r == 0)
		r = keys_purpose(s->keys, "requests", &requests, err); /* a wrong root fails here */
	if (r == 0 && s->options.writable)
		r = applier_start(s, err);
	if (r == 0 && s->options.writable && s->volume_count == 0) {
		r = writer_open_first(s, err);
		if (r == 0)
			r = store_flush(s, err);
	}
	if (r == 0 && s->options.writable)
		r = writer_start(s, err);
	if (r < 0) {
		writer_stop(s);
		applier_stop(s);
		keys_seal(s->keys);
		return r;
	}
	(void)pthread_mutex_lock(&s->lock);
	s->requests = TAKE_PTR(requests);
	s->unsealed = true;
	(void)pthread_mutex_unlock(&s->lock);
	return 0;
}

int store_seal(struct store *s, struct err *err)
{
	int r;

	(void)pthread_mutex_lock(&s->lock);
	s->unsealed = false; /* from here on changes are refused; those that wait are finished */
	(void)pthread_mutex_unlock(&s->lock);
	writer_stop(s);
	r = store_flush(s, err);
	applier_stop(s);
	(void)pthread_mutex_lock(&s->lock);
	secret_free(TAKE_PTR(s->requests));
	(void)pthread_mutex_unlock(&s->lock);
	keys_seal(s->keys);
	return r;
}

bool store_is_sealed(struct store *s)
{
	bool sealed;

	(void)pthread_mutex_lock(&s->lock);
	sealed = !s->unsealed;
	(void)pthread_mutex_unlock(&s->lock);
	return sealed;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->keys)
		(void)store_seal(s, NULL);
	content_forget(s);
	pending_done(&s->pending);
	journal_free(s->journal);
	ledger_free(s->ledger);
	keys_free(s->keys);
	for (size_t i = 0; i < STORE_MAX_VOLUMES; i++)
		volume_free(s->volumes[i]);
	free(s->volumes);
	closep(&s->volumes_dir);
	closep(&s->incoming_dir);
	closep(&s->lock_fd);
	closep(&s->dir);
	(void)pthread_cond_destroy(&s->work);
	(void)pthread_cond_destroy(&s->space);
	(void)pthread_cond_destroy(&s->frames);
	(void)pthread_cond_destroy(&s->applied);
	(void)pthread_rwlock_destroy(&s->whole);
	(void)pthread_mutex_destroy(&s->packs_lock);
	(void)pthread_mutex_destroy(&s->volumes_lock);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

/* ---- asking ---- */

const struct id *store_archive(const struct store *s)
{
	return &s->archive;
}

bool store_is_demonstration(const struct store *s)
{
	return s->demonstration;
}

bool store_is_writable(const struct store *s)
{
	return s->options.writable;
}

const char *store_path(const struct store *s)
{
	return s->path;
}

int store_dir(const struct store *s)
{
	return s->dir;
}

struct keys *store_keys(struct store *s)
{
	return s->keys;
}

void store_on_applied(struct store *s, store_applied each, void *context)
{
	s->on_applied = each;
	s->on_applied_context = context;
}

int store_incoming(struct store *s, struct pack_writer **ret, struct err *err)
{
	return pack_begin(s->incoming_dir, ret, err);
}

void store_count(struct store *s, struct store_counts *ret)
{
	(void)pthread_mutex_lock(&s->lock);
	*ret = (struct store_counts){ .actions = s->published_actions,
		.records = s->published_records,
		.frames = s->published_frame,
		.pending_frames = s->pending.frames,
		.pending_bytes = s->pending.bytes,
		.last_frame = s->published_frame,
		.volumes = s->volume_count,
		.failed = s->failed };
	(void)pthread_mutex_unlock(&s->lock);
}
