/* upload.c - see upload.h. */
#include "core/archive/upload.h"

#include "core/archive/log.h"
#include "core/archive/login.h"
#include "core/archive/state.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	KNOWN_MAX = 4096, /* uploads whose state is in memory */
	SWEEP_SECONDS = 3600,
};

/* One upload as this process knows it. What is behind `busy` belongs to whoever set it. */
struct upload {
	struct id id;
	char account[48];
	char *name, *media;
	uint8_t *key; /* 32 bytes, of the uploads' secret_keys */
	uint64_t bytes, offset;
	int64_t ends;
	bool is_finished, is_counted, busy;
	struct digest sha256;
	struct hash *hash; /* of the bytes up to offset, while it is not finished */
};

struct uploads {
	pthread_mutex_t lock;
	struct upload **known;
	size_t count, room;
	struct secret_keys *keys;
	int64_t swept;
};

static void upload_free(struct uploads *u, struct upload *x)
{
	if (!x)
		return;
	hash_free(x->hash);
	if (x->key)
		secret_keys_give(u->keys, x->key);
	free(x->name);
	free(x->media);
	free(x);
}

struct uploads *uploads_new(void)
{
	struct uploads *u = xcalloc(1, sizeof(*u));

	(void)pthread_mutex_init(&u->lock, NULL);
	u->keys = secret_keys_new();
	return u;
}

void uploads_free(struct uploads *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->count; i++)
		upload_free(u, u->known[i]);
	free(u->known);
	secret_keys_free(u->keys);
	(void)pthread_mutex_destroy(&u->lock);
	free(u);
}

void upload_facts_done(struct upload_facts *f)
{
	buf_done(&f->name);
	buf_done(&f->media);
}

static void tell_facts(const struct upload *x, struct upload_facts *ret)
{
	*ret = (struct upload_facts){ .id = x->id,
		.name = BUF_INIT,
		.media = BUF_INIT,
		.bytes = x->bytes,
		.offset = x->offset,
		.ends = x->ends,
		.is_finished = x->is_finished,
		.sha256 = x->sha256 };
	buf_adds(&ret->name, x->name);
	buf_adds(&ret->media, x->media);
}

/* ---- the file ---- */

static int open_folder(struct archive *a, struct err *err)
{
	return file_make_dir(archive_dir(a), ARCHIVE_UPLOADS, err);
}

static uint32_t chunk_count(const struct upload *x)
{
	return (uint32_t)((x->bytes + UPLOAD_CHUNK - 1) / UPLOAD_CHUNK);
}

static size_t chunk_bytes(const struct upload *x, uint32_t chunk)
{
	uint64_t left = x->bytes - (uint64_t)chunk * UPLOAD_CHUNK;

	return left < UPLOAD_CHUNK ? (size_t)left : UPLOAD_CHUNK;
}

static uint64_t chunk_place(uint32_t chunk)
{
	return (uint64_t)chunk * envelope_size(UPLOAD_CHUNK);
}

static struct envelope_head head_of(const struct upload *x, uint32_t chunk)
{
	return (struct envelope_head){ .kind = ENVELOPE_PART,
		.key = x->id,
		.part = x->id,
		.chunk = chunk,
		.chunks = chunk_count(x),
		.plain_bytes = chunk_bytes(x, chunk) };
}

static int open_file(struct archive *a, const struct upload *x, struct err *err)
{
	_cleanup_(closep) int dir = open_folder(a, err);
	char name[33];

	if (dir < 0)
		return dir;
	(void)hex_encode(x->id.b, ID_BYTES, name);
	return file_open_write(dir, name, err);
}

/* One chunk, opened, appended to `plain`; ERR_CORRUPT for everything that is not this chunk. */
static int read_chunk(struct archive *a, const struct upload *x, int fd, uint32_t chunk,
	struct buf *plain, struct err *err)
{
	struct envelope_binding binding = { .archive = *store_archive(a->store), .record = x->id };
	struct envelope_head head, wanted = head_of(x, chunk);
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	size_t n = envelope_size(wanted.plain_bytes);
	void *p = buf_extend(&sealed, n);
	int r = p ? file_pread(fd, p, n, chunk_place(chunk), err) : buf_check(&sealed, err);

	if (r == 0)
		r = envelope_head(buf_str(&sealed), &head, err);
	if (r == 0 && (head.chunk != chunk || head.chunks != wanted.chunks ||
			      head.plain_bytes != wanted.plain_bytes ||
			      !id_equal(&head.part, &wanted.part) || head.kind != wanted.kind))
		r = err_set(
			err, ERR_CORRUPT, tr("a chunk of an upload is not the one it should be"));
	return r < 0 ? r : envelope_open(&binding, x->key, buf_str(&sealed), plain, err);
}

static int write_chunk(struct archive *a, const struct upload *x, int fd, uint32_t chunk,
	const void *plain, struct err *err)
{
	struct envelope_binding binding = { .archive = *store_archive(a->store), .record = x->id };
	struct envelope_head head = head_of(x, chunk);
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	int r = envelope_seal(&binding, &head, x->key, plain, &sealed, err);

	return r < 0 ? r : file_pwrite(fd, sealed.p, sealed.n, chunk_place(chunk), err);
}

/* How far the file goes, after a restart: chunk by chunk until one is not there or does not open; the hash of what was
 * there is made again on the way. */
static int count(struct archive *a, struct upload *x, struct verb_call *call, struct err *err)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(UPLOAD_CHUNK);
	_cleanup_(closep) int fd = open_file(a, x, err);
	uint32_t chunk = 0;
	int r = 0;

	if (fd < 0)
		return fd;
	hash_free(x->hash);
	x->hash = sha256_new();
	x->offset = 0;
	for (; chunk < chunk_count(x); chunk++) {
		struct verb_progress p = {
			.stage = "hash", .unit = "bytes", .done = x->offset, .total = x->bytes
		};

		buf_reset(&plain);
		r = read_chunk(a, x, fd, chunk, &plain, NULL);
		if (r < 0)
			break;
		hash_add(x->hash, plain.p, plain.n);
		x->offset += plain.n;
		r = verb_tell_of(call, &p, err);
		if (r < 0)
			return r;
	}
	if (r < 0) /* what is behind is no part of it */
		r = file_truncate(fd, chunk_place(chunk), err);
	x->is_counted = r == 0;
	return r;
}

/* ---- rows ---- */

static int state_of(struct archive *a, struct state **ret, struct err *err)
{
	struct login *login;
	int r = login_of(a, &login, err);

	if (r == 0)
		*ret = login_state(login);
	return r;
}

static int put_row(struct archive *a, const struct upload *x, struct err *err)
{
	struct upload_row row = { .bytes = x->bytes,
		.ends = x->ends,
		.is_finished = x->is_finished,
		.sha256 = x->sha256,
		.name = str_of(x->name),
		.media = str_of(x->media) };
	_cleanup_(buf_wipe) struct buf value = BUF_INIT;
	struct state *state = NULL;
	char name[33];
	int r = state_of(a, &state, err);

	if (r < 0)
		return r;
	memcpy(row.key, x->key, sizeof(row.key));
	upload_row_add(&row, &value);
	explicit_bzero(&row, sizeof(row));
	(void)hex_encode(x->id.b, ID_BYTES, name);
	return state_put(state, STATE_UPLOAD, str_of(x->account), str_of(name), x->ends,
		buf_str(&value), err);
}

static int get_row(struct archive *a, const char *account, const struct id *id, struct upload **ret,
	struct err *err)
{
	struct uploads *u = a->uploads;
	_cleanup_(buf_wipe) struct buf value = BUF_INIT;
	struct upload_row row;
	struct state *state = NULL;
	struct upload *x;
	char name[33];
	int r = state_of(a, &state, err);

	(void)hex_encode(id->b, ID_BYTES, name);
	if (r == 0)
		r = state_get(
			state, STATE_UPLOAD, str_of(account), str_of(name), &value, NULL, err);
	if (r == 0)
		r = upload_row_parse(buf_str(&value), &row, err);
	if (r < 0)
		return r;
	x = xcalloc(1, sizeof(*x));
	x->id = *id;
	(void)snprintf(x->account, sizeof(x->account), "%s", account);
	x->name = str_dup(row.name);
	x->media = str_dup(row.media);
	x->key = secret_keys_take(u->keys);
	memcpy(x->key, row.key, sizeof(row.key));
	x->bytes = row.bytes;
	x->ends = row.ends;
	x->is_finished = x->is_counted = row.is_finished;
	x->offset = row.is_finished ? row.bytes : 0;
	x->sha256 = row.sha256;
	explicit_bzero(&row, sizeof(row));
	*ret = x;
	return 0;
}

/* ---- the table ---- */

static int not_found(struct err *err)
{
	return err_set(err, ERR_NOTFOUND, tr("there is no such upload, or it has ended"));
}

static struct upload *find(struct uploads *u, const char *account, const struct id *id)
{
	for (size_t i = 0; i < u->count; i++) {
		if (id_equal(&u->known[i]->id, id) && strcmp(u->known[i]->account, account) == 0)
			return u->known[i];
	}
	return NULL;
}

static void add(struct uploads *u, struct upload *x)
{
	if (u->count == u->room) {
		u->room = u->room ? 2 * u->room : 16;
		u->known = reallocarray(u->known, u->room, sizeof(struct upload *));
		if (!u->known)
			abort();
	}
	u->known[u->count++] = x;
}

/* What nobody has in hand can be read again. */
static void forget_one(struct uploads *u, const struct upload *only)
{
	for (size_t i = 0; i < u->count; i++) {
		struct upload *x = u->known[i];

		if (x->busy || (only && x != only))
			continue;
		u->known[i] = u->known[--u->count];
		upload_free(u, x);
		return;
	}
}

/* Take it into one's hands. */
static int take(struct archive *a, const char *account, const struct id *id, struct upload **ret,
	struct err *err)
{
	struct uploads *u = a->uploads;
	struct upload *x;
	int r = 0;

	(void)pthread_mutex_lock(&u->lock);
	x = find(u, account, id);
	if (x && x->ends <= clock_now() && !x->busy) {
		forget_one(u, x);
		x = NULL;
	}
	if (!x) {
		r = get_row(a, account, id, &x, err);
		if (r == -ERR_NOTFOUND)
			r = not_found(err);
		if (r == 0 && u->count >= KNOWN_MAX)
			forget_one(u, NULL);
		if (r == 0)
			add(u, x);
	}
	if (r == 0 && x->busy)
		r = err_set(
			err, ERR_LOCKED, tr("something is being done with this upload already"));
	if (r == 0) {
		x->busy = true;
		*ret = x;
	}
	(void)pthread_mutex_unlock(&u->lock);
	return r;
}

static void give(struct archive *a, struct upload *x)
{
	(void)pthread_mutex_lock(&a->uploads->lock);
	x->busy = false;
	(void)pthread_mutex_unlock(&a->uploads->lock);
}

static int take_counted(struct archive *a, struct verb_call *call, const struct id *id,
	struct upload **ret, struct err *err)
{
	struct upload *x;
	int r = take(a, call->account, id, &x, err);

	if (r == 0 && !x->is_counted)
		r = count(a, x, call, err);
	else if (r < 0)
		return r;
	if (r < 0) {
		give(a, x);
		return r;
	}
	*ret = x;
	return 0;
}

/* ---- sweeping ---- */

struct live {
	char (*names)[33];
	size_t count, room;
};

static int note_live(void *context, const struct state_row *row, struct err *err)
{
	struct live *l = context;

	(void)err;
	if (row->name.n != 32)
		return 0;
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->names = reallocarray(l->names, l->room, sizeof(*l->names));
		if (!l->names)
			abort();
	}
	memcpy(l->names[l->count], row->name.p, 32);
	l->names[l->count++][32] = '\0';
	return 0;
}

static bool is_live(const struct live *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->names[i], name) == 0)
			return true;
	}
	return false;
}

static int sweep(struct archive *a, struct err *err)
{
	_cleanup_(closep) int dir = -1;
	struct live live = { .count = 0 };
	struct str any = { NULL, 0 };
	size_t count = 0, removed = 0;
	struct state *state = NULL;
	char **names = NULL;
	int r = state_of(a, &state, err);

	if (r < 0)
		return r;
	(void)state_expire(state, NULL);
	dir = open_folder(a, err);
	r = dir < 0 ? dir : state_each(state, STATE_UPLOAD, any, note_live, &live, err);
	if (r == 0)
		r = file_list(dir, &names, &count, err);
	for (size_t i = 0; i < count; i++) {
		if (r == 0 && !is_live(&live, names[i]) && file_unlink(dir, names[i], NULL) == 0)
			removed++;
	}
	free(names);
	free(live.names);
	if (removed > 0)
		log_line(LOG_LEVEL_NOTICE, "removed %zu uploads that nobody finished", removed);
	return r;
}

/* The lock is held, so that none is between its file and its row. */
static void sweep_locked(struct archive *a)
{
	struct uploads *u = a->uploads;
	struct err err = ERR_INIT;

	u->swept = clock_now();
	for (size_t i = u->count; i > 0; i--) {
		if (u->known[i - 1]->ends <= u->swept && !u->known[i - 1]->busy)
			forget_one(u, u->known[i - 1]);
	}
	if (file_exists(archive_dir(a), ARCHIVE_UPLOADS) && sweep(a, &err) < 0)
		log_err(LOG_LEVEL_WARNING, "unfinished uploads cannot be removed", &err);
}

void uploads_sweep(struct archive *a)
{
	(void)pthread_mutex_lock(&a->uploads->lock);
	sweep_locked(a);
	(void)pthread_mutex_unlock(&a->uploads->lock);
}

/* A server that is never restarted does not keep what nobody finished: whoever begins another one clears away. */
static void sweep_now_and_then(struct archive *a)
{
	int64_t now = clock_now();

	(void)pthread_mutex_lock(&a->uploads->lock);
	if (now - a->uploads->swept >= SWEEP_SECONDS || now < a->uploads->swept)
		sweep_locked(a);
	(void)pthread_mutex_unlock(&a->uploads->lock);
}

/* ---- begin ---- */

static int check_room(struct archive *a, uint64_t bytes, struct err *err)
{
	uint64_t spare = (uint64_t)settings_int(a->settings, SETTING_UPLOAD_FREE), free_bytes;
	struct statvfs fs;

	if (fstatvfs(archive_dir(a), &fs) < 0)
		return 0;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	/* It will be there twice for a moment: as an upload, and in its record. */
	if (free_bytes < spare || (free_bytes - spare) / 2 < bytes)
		return err_set(err, ERR_FULL, tr("there is not enough room on the disk for this"));
	return 0;
}

static int check_begin(struct archive *a, const char *account, struct str name, struct str media,
	uint64_t bytes, struct err *err)
{
	uint64_t max = (uint64_t)settings_int(a->settings, SETTING_PART_MAX_BYTES), count = 0;
	_cleanup_(buf_done) struct buf safe = BUF_INIT_MAX(4096);
	struct state *state = NULL;
	int r = state_of(a, &state, err);

	if (r < 0)
		return r;
	if (bytes > max)
		return err_set(err, ERR_LIMIT,
			tr("the file is larger than %llu bytes, which the setting "
			   "'parts.max_bytes' "
			   "allows"),
			(unsigned long long)max);
	if (name.n == 0 || name.n > UPLOAD_NAME_MAX || media.n > UPLOAD_MEDIA_MAX)
		return err_set(err, ERR_INVALID, tr("the name of a file has 1 to %d bytes"),
			UPLOAD_NAME_MAX);
	r = text_add_file_name(&safe, name, err);
	if (r == 0)
		r = state_count(state, STATE_UPLOAD, str_of(account), &count, err);
	if (r == 0 && count >= UPLOADS_OF_ACCOUNT)
		r = err_set(err, ERR_LIMIT,
			tr("%d uploads are unfinished: file or drop some of them first"),
			UPLOADS_OF_ACCOUNT);
	return r < 0 ? r : check_room(a, bytes, err);
}

/* First the file, then the row: a file without a row is swept. */
static int make(struct archive *a, const struct upload *x, struct err *err)
{
	_cleanup_(closep) int dir = open_folder(a, err);
	_cleanup_(closep) int fd = -1;
	char name[33];
	int r;

	if (dir < 0)
		return dir;
	(void)hex_encode(x->id.b, ID_BYTES, name);
	fd = file_create(dir, name, err);
	if (fd < 0)
		return fd;
	r = put_row(a, x, err);
	if (r < 0)
		(void)file_unlink(dir, name, NULL);
	return r;
}

int upload_begin(struct archive *a, const char *account, struct str name, struct str media,
	uint64_t bytes, struct upload_facts *ret, struct err *err)
{
	struct uploads *u = a->uploads;
	struct upload *x;
	int r;

	sweep_now_and_then(a);
	r = check_begin(a, account, name, media, bytes, err);
	if (r < 0)
		return r;
	x = xcalloc(1, sizeof(*x));
	x->id = id_random();
	(void)snprintf(x->account, sizeof(x->account), "%s", account);
	x->name = str_dup(name);
	x->media = str_dup(media);
	x->bytes = bytes;
	x->ends = clock_now() + (int64_t)UPLOAD_HOURS * 3600;
	x->hash = sha256_new();
	x->is_counted = true;
	(void)pthread_mutex_lock(&u->lock);
	x->key = secret_keys_take(u->keys);
	randombytes_buf(x->key, 32);
	r = make(a, x, err);
	if (r < 0) {
		upload_free(u, x);
	} else {
		tell_facts(x, ret);
		if (u->count >= KNOWN_MAX)
			forget_one(u, NULL);
		add(u, x);
	}
	(void)pthread_mutex_unlock(&u->lock);
	return r;
}

int upload_look(struct archive *a, struct verb_call *call, const struct id *id,
	struct upload_facts *ret, struct err *err)
{
	struct upload *x;
	int r = take_counted(a, call, id, &x, err);

	if (r < 0)
		return r;
	tell_facts(x, ret);
	give(a, x);
	return 0;
}

/* ---- append ---- */

/* One chunk from the source, written. 1: the source ended before it was whole. */
static int append_chunk(struct archive *a, struct upload *x, struct verb_call *call,
	struct source *from, int fd, struct buf *room, struct err *err)
{
	uint32_t chunk = (uint32_t)(x->offset / UPLOAD_CHUNK);
	size_t n = chunk_bytes(x, chunk), got = 0;
	char *p;
	int r;

	buf_reset(room);
	p = buf_extend(room, n);
	if (!p)
		return buf_check(room, err);
	r = source_read_some(call, from, p, n, &got, err);
	if (r < 0)
		return r;
	if (got < n)
		return 1;
	r = write_chunk(a, x, fd, chunk, p, err);
	if (r < 0)
		return r;
	hash_add(x->hash, p, n);
	x->offset += n;
	return 0;
}

static int append(
	struct archive *a, struct upload *x, struct verb_call *call, int from_fd, struct err *err)
{
	_cleanup_(buf_wipe) struct buf room = BUF_INIT_MAX(UPLOAD_CHUNK);
	_cleanup_(source_done) struct source from = { .fd = -1 };
	_cleanup_(closep) int fd = open_file(a, x, err);
	size_t more = 0;
	char one;
	int r = fd < 0 ? fd : source_open_any(call, from_fd, &from, err);

	/* Many that each had room when they began would together leave the archive none. */
	if (r == 0)
		r = check_room(a, UPLOAD_CHUNK, err);
	while (r == 0 && x->offset < x->bytes) {
		struct verb_progress p = {
			.stage = "upload", .unit = "bytes", .done = x->offset, .total = x->bytes
		};

		r = append_chunk(a, x, call, &from, fd, &room, err);
		if (r == 0)
			r = verb_tell_of(call, &p, err);
	}
	if (r == 1)
		return 0;
	if (r == 0)
		r = source_read_some(call, &from, &one, 1, &more, err);
	if (r == 0 && more > 0)
		r = err_set(
			err, ERR_LIMIT, tr("more bytes came than the upload was announced with"));
	return r;
}

int upload_append(struct archive *a, struct verb_call *call, const struct id *id, uint64_t offset,
	int fd, struct upload_facts *ret, struct err *err)
{
	struct upload *x;
	int r = take_counted(a, call, id, &x, err);

	if (r < 0)
		return r;
	if (x->offset != offset || x->is_finished)
		r = err_set(err, ERR_CONFLICT,
			tr("the upload goes on at byte %llu, not at byte %llu"),
			(unsigned long long)x->offset, (unsigned long long)offset);
	else
		r = append(a, x, call, fd, err);
	if (r == 0 || r == -ERR_CONFLICT)
		tell_facts(x, ret);
	give(a, x);
	return r;
}

/* ---- finish ---- */

/* Nothing of it is right, or nobody knows what: it begins anew. */
static int empty(struct archive *a, struct upload *x, struct err *err)
{
	_cleanup_(closep) int fd = open_file(a, x, err);
	int r = fd < 0 ? fd : file_truncate(fd, 0, err);

	hash_free(x->hash);
	x->hash = sha256_new();
	x->offset = 0;
	return r;
}

static int finish(struct archive *a, struct upload *x, const struct digest *sha256, struct err *err)
{
	_cleanup_(closep) int fd = -1;
	int r;

	if (x->offset < x->bytes)
		return err_set(err, ERR_CONFLICT,
			tr("%llu bytes of the upload have not arrived yet"),
			(unsigned long long)(x->bytes - x->offset));
	if (!x->is_finished)
		hash_take(x->hash, x->sha256.b);
	if (sha256 && !digest_equal(sha256, &x->sha256)) {
		if (!x->is_finished)
			(void)empty(a, x, NULL);
		return err_set(err, ERR_CORRUPT,
			tr("what arrived is not what was sent: the SHA-256 differs; send it "
			   "again"));
	}
	if (x->is_finished)
		return 0;
	fd = open_file(a, x, err);
	r = fd < 0 ? fd : file_datasync(fd, err);
	if (r == 0) {
		x->is_finished = true;
		r = put_row(a, x, err);
	}
	if (r < 0) { /* the hash was taken: count again */
		x->is_finished = false;
		x->is_counted = false;
	}
	return r;
}

int upload_finish(struct archive *a, struct verb_call *call, const struct id *id,
	const struct digest *sha256, struct upload_facts *ret, struct err *err)
{
	struct upload *x;
	int r = take_counted(a, call, id, &x, err);

	if (r < 0)
		return r;
	r = finish(a, x, sha256, err);
	if (r == 0 || r == -ERR_CORRUPT || r == -ERR_CONFLICT)
		tell_facts(x, ret);
	give(a, x);
	return r;
}

/* ---- drop ---- */

/* First the row, then the file: a file without a row is swept. */
static int remove_all(struct archive *a, const struct upload *x, struct err *err)
{
	_cleanup_(closep) int dir = open_folder(a, err);
	struct state *state = NULL;
	char name[33];
	int r = dir < 0 ? dir : state_of(a, &state, err);

	if (r < 0)
		return r;
	(void)hex_encode(x->id.b, ID_BYTES, name);
	r = state_delete(state, STATE_UPLOAD, str_of(x->account), str_of(name), err);
	return r < 0 ? r : file_unlink(dir, name, err);
}

int upload_drop(struct archive *a, const char *account, const struct id *id, struct err *err)
{
	struct upload *x;
	int r = take(a, account, id, &x, err);

	if (r < 0)
		return r;
	r = remove_all(a, x, err);
	(void)pthread_mutex_lock(&a->uploads->lock);
	x->busy = false;
	if (r == 0)
		forget_one(a->uploads, x);
	(void)pthread_mutex_unlock(&a->uploads->lock);
	return r;
}

/* ---- as a part ---- */

struct tap {
	struct archive *archive;
	struct upload *upload;
	int fd;
	struct buf plain;
	uint64_t at, plain_at;
};

static int tap_read(void *context, void *p, size_t n, struct err *err)
{
	struct tap *t = context;
	char *to = p;

	while (n > 0) {
		uint32_t chunk = (uint32_t)(t->at / UPLOAD_CHUNK);
		uint64_t from = (uint64_t)chunk * UPLOAD_CHUNK;
		size_t some;

		if (t->plain.n == 0 || t->plain_at != from) {
			int r;

			buf_reset(&t->plain);
			r = read_chunk(t->archive, t->upload, t->fd, chunk, &t->plain, err);
			if (r < 0)
				return r;
			t->plain_at = from;
		}
		some = t->plain.n - (size_t)(t->at - from);
		if (some > n)
			some = n;
		memcpy(to, t->plain.p + (t->at - from), some);
		to += some;
		n -= some;
		t->at += some;
	}
	return 0;
}

static void tap_done(void *context)
{
	struct tap *t = context;

	give(t->archive, t->upload);
	closep(&t->fd);
	buf_wipe(&t->plain);
	free(t);
}

int upload_source(struct archive *a, const char *account, const struct id *id, struct source *ret,
	struct upload_facts *ret_facts, struct err *err)
{
	struct upload *x;
	struct tap *t;
	int fd, r = take(a, account, id, &x, err);

	if (r < 0)
		return r;
	fd = x->is_finished ? open_file(a, x, err)
			    : err_set(err, ERR_CONFLICT, tr("the upload '%s' is not finished yet"),
				      x->name);
	if (fd < 0) {
		give(a, x);
		return fd;
	}
	t = xcalloc(1, sizeof(*t));
	*t = (struct tap){
		.archive = a, .upload = x, .fd = fd, .plain = BUF_INIT_MAX(UPLOAD_CHUNK)
	};
	*ret = (struct source){ .fd = -1,
		.bytes = x->bytes,
		.is_hashed = true,
		.sha256 = x->sha256,
		.tap = tap_read,
		.tap_done = tap_done,
		.tap_context = t };
	tell_facts(x, ret_facts);
	return 0;
}
