/* keys.c - see keys.h; FORMAT.md, section 4.
 *
 * Two connections to one database: the writer's, and a reader's for look-ups of any thread, so that
 * these do not wait for a transaction to reach the disk (WAL: readers see the state before it). The
 * root key is under a lock of its own and is copied nowhere; keys leave this file only into the 32
 * bytes of a caller.
 *
 * Locks, in the order in which they are taken: writer, reader, root. */
#include "store/keys.h"

#include "store/keys_db.h"
#include "store/wrap.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Rows that keys_each reads at once. */
enum { CHUNK = 256 };

static const char file_name[] = "keys.db";

void wrapped_key_write(const struct wrapped_key *w, uint8_t ret[WRAPPED_KEY_BYTES])
{
	memcpy(ret, w->key.b, ID_BYTES);
	memcpy(ret + ID_BYTES, w->record.b, ID_BYTES);
	put_be64(ret + 2 * ID_BYTES, w->epoch);
	memcpy(ret + 2 * ID_BYTES + 8, w->wrapped, WRAPPED_BYTES);
}

void wrapped_key_read(const uint8_t bytes[WRAPPED_KEY_BYTES], struct wrapped_key *ret)
{
	memcpy(ret->key.b, bytes, ID_BYTES);
	memcpy(ret->record.b, bytes + ID_BYTES, ID_BYTES);
	ret->epoch = get_be64(bytes + 2 * ID_BYTES);
	memcpy(ret->wrapped, bytes + 2 * ID_BYTES + 8, WRAPPED_BYTES);
}

static int path_of(const char *dir_path, struct buf *ret, struct err *err)
{
	buf_addf(ret, "%s/%s", dir_path, file_name);
	return buf_check(ret, err);
}

int keys_create(int dir, const char *dir_path, const struct id *archive, struct err *err)
{
	/* Made here and not by SQLite, for the mode: its journal takes the same one. */
	_cleanup_(closep) int fd = file_create(dir, file_name, err);
	struct buf path = BUF_INIT;
	int r = fd < 0 ? fd : path_of(dir_path, &path, err);

	if (r == 0)
		r = keys_db_create(path.p, archive, err);
	if (r == 0)
		r = file_datasync(fd, err);
	if (r == 0)
		r = file_sync_dir(dir, err);
	buf_done(&path);
	return r;
}

int keys_open(const char *dir_path, const struct id *archive, bool writable, struct keys **ret,
	struct err *err)
{
	_cleanup_(keys_freep) struct keys *k = xcalloc(1, sizeof(*k));
	struct buf path = BUF_INIT;
	int r = path_of(dir_path, &path, err);

	k->archive = *archive;
	k->writable = writable;
	(void)pthread_rwlock_init(&k->root_lock, NULL);
	if (r == 0 && writable)
		r = keys_db_open(&k->writer, path.p, archive, true, err);
	if (r == 0)
		r = keys_db_open(&k->reader, path.p, archive, false, err);
	if (r == 0)
		r = keys_db_meta(&k->reader, "epoch", &k->epoch, err);
	buf_done(&path);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(k);
	return 0;
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	keys_seal(k);
	/* The reader first: the last one to go brings the WAL home, which only the writer may. */
	keys_db_close(&k->reader);
	keys_db_close(&k->writer);
	(void)pthread_rwlock_destroy(&k->root_lock);
	free(k);
}

int keys_unseal(struct keys *k, const struct secret *root, uint64_t epoch, struct err *err)
{
	struct secret *copy;

	if (root->n != KEY_BYTES)
		return err_set(err, ERR_CRYPTO, tr("a root key has %d bytes"), KEY_BYTES);
	if (epoch != k->epoch)
		return err_set(err, ERR_CONFLICT,
			tr("the key store (keys.db) is of root key %llu, the custody file of %llu"),
			(unsigned long long)k->epoch, (unsigned long long)epoch);
	copy = secret_copy(root->p, root->n);
	keys_seal(k);
	(void)pthread_rwlock_wrlock(&k->root_lock);
	k->root = copy;
	(void)pthread_rwlock_unlock(&k->root_lock);
	return 0;
}

void keys_seal(struct keys *k)
{
	struct secret *old;

	(void)pthread_rwlock_wrlock(&k->root_lock);
	old = TAKE_PTR(k->root);
	(void)pthread_rwlock_unlock(&k->root_lock);
	secret_free(old);
}

static int sealed(struct err *err)
{
	return err_set(err, ERR_SEALED, tr("the archive is sealed; two custodians must unseal it"));
}

/* Take the root lock for reading. On failure it is not held. */
static int hold_root(struct keys *k, struct err *err)
{
	(void)pthread_rwlock_rdlock(&k->root_lock);
	if (k->root)
		return 0;
	(void)pthread_rwlock_unlock(&k->root_lock);
	return sealed(err);
}

static void release_root(struct keys *k)
{
	(void)pthread_rwlock_unlock(&k->root_lock);
}

bool keys_are_sealed(struct keys *k)
{
	bool is_sealed;

	(void)pthread_rwlock_rdlock(&k->root_lock);
	is_sealed = !k->root;
	(void)pthread_rwlock_unlock(&k->root_lock);
	return is_sealed;
}

uint64_t keys_epoch(struct keys *k)
{
	uint64_t epoch;

	(void)pthread_rwlock_rdlock(&k->root_lock);
	epoch = k->epoch;
	(void)pthread_rwlock_unlock(&k->root_lock);
	return epoch;
}

int keys_draw(struct keys *k, const struct id *record, struct wrapped_key *ret_wrapped,
	uint8_t ret_key[32], struct err *err)
{
	struct wrapped_key w = { .record = *record };
	uint8_t random[KEY_BYTES + WRAP_NONCE]; /* in one draw, which is one system call */
	int r = hold_root(k, err);

	if (r < 0)
		return r;
	randombytes_buf(random, sizeof(random));
	w.key = id_ordered();
	w.epoch = k->epoch;
	record_key_wrap(k->root, &k->archive, random + KEY_BYTES, random, &w);
	release_root(k);
	memcpy(ret_key, random, KEY_BYTES);
	sodium_memzero(random, sizeof(random));
	*ret_wrapped = w;
	return 0;
}

int keys_wrap(struct keys *k, struct wrapped_key *w, const uint8_t key[32], struct err *err)
{
	uint8_t nonce[WRAP_NONCE];
	int r = hold_root(k, err);

	if (r < 0)
		return r;
	randombytes_buf(nonce, sizeof(nonce));
	w->epoch = k->epoch;
	record_key_wrap(k->root, &k->archive, nonce, key, w);
	release_root(k);
	return 0;
}

int keys_unwrap(struct keys *k, const struct wrapped_key *w, uint8_t ret_key[32], struct err *err)
{
	int r = hold_root(k, err);
	bool opened;

	if (r < 0)
		return r;
	opened = record_key_unwrap(k->root, &k->archive, w, ret_key);
	release_root(k);
	if (!opened) {
		char text[ID_TEXT];

		return err_set(err, ERR_CRYPTO,
			tr("key %s does not open: its row was changed, or is another record's"),
			hex_encode(w->key.b, sizeof(w->key.b), text));
	}
	return 0;
}

/* The row of a key id on a connection whose lock is held. Errors: ERR_NOTFOUND. */
static int find_row(
	struct keys_db *d, const struct id *key, struct wrapped_key *ret, struct err *err)
{
	char text[ID_TEXT];
	int r;

	keys_db_bind(d, KEYS_FIND, 1, key->b, sizeof(key->b));
	r = keys_db_next(d, KEYS_FIND, err);
	if (r == 0)
		return err_set(err, ERR_NOTFOUND, tr("there is no key %s"),
			hex_encode(key->b, sizeof(key->b), text));
	if (r < 0)
		return r;
	r = keys_db_row(d, KEYS_FIND, ret, NULL, err);
	(void)sqlite3_reset(d->st[KEYS_FIND]);
	return r;
}

int keys_find(struct keys *k, const struct id *key, const struct id *record, uint8_t ret_key[32],
	struct err *err)
{
	struct wrapped_key w;
	int r;

	(void)pthread_mutex_lock(&k->reader.lock);
	r = find_row(&k->reader, key, &w, err);
	(void)pthread_mutex_unlock(&k->reader.lock);
	if (r < 0)
		return r;
	/* What counts is who asks, not what the row says of itself: under another id it does not
	 * open. */
	w.key = *key;
	w.record = *record;
	return keys_unwrap(k, &w, ret_key, err);
}

static int need_writable(const struct keys *k, struct err *err)
{
	return k->writable ? 0
			   : err_set(err, ERR_DENIED,
				     tr("the key store (keys.db) was opened for reading only"));
}

/* A key that is there already must be the same; one that a rotation wrapped anew since is. */
static int check_same(struct keys_db *d, const struct wrapped_key *w, struct err *err)
{
	struct wrapped_key old;
	char text[ID_TEXT];
	int r = find_row(d, &w->key, &old, err);

	if (r < 0)
		return r;
	if (id_equal(&old.record, &w->record) &&
		(old.epoch > w->epoch || (old.epoch == w->epoch && memcmp(old.wrapped, w->wrapped,
									   WRAPPED_BYTES) == 0)))
		return 0;
	return err_set(err, ERR_CONFLICT, tr("there is another key %s already"),
		hex_encode(w->key.b, sizeof(w->key.b), text));
}

static int add_key(struct keys *k, const struct wrapped_key *w, struct err *err)
{
	struct keys_db *d = &k->writer;
	int r;

	keys_db_bind(d, KEYS_INSERT, 1, w->key.b, sizeof(w->key.b));
	keys_db_bind(d, KEYS_INSERT, 2, w->record.b, sizeof(w->record.b));
	keys_db_bind_u64(d, KEYS_INSERT, 3, w->epoch);
	keys_db_bind(d, KEYS_INSERT, 4, w->wrapped, sizeof(w->wrapped));
	r = keys_db_run(d, KEYS_INSERT, err);
	if (r < 0)
		return r;
	if (sqlite3_changes(d->db) == 0)
		return check_same(d, w, err);
	if (w->epoch != k->epoch)
		return err_set(err, ERR_CONFLICT,
			tr("a key was wrapped under root key %llu; now is %llu"),
			(unsigned long long)w->epoch, (unsigned long long)k->epoch);
	return 0;
}

int keys_apply(struct keys *k, const struct wrapped_key *add, size_t add_count,
	const struct id *delete, size_t delete_count, uint64_t frame, struct err *err)
{
	struct keys_db *d = &k->writer;
	uint64_t last = 0;
	int r = need_writable(k, err);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&d->lock);
	r = keys_db_run(d, KEYS_BEGIN, err);
	if (r == 0) {
		for (size_t i = 0; i < add_count && r == 0; i++)
			r = add_key(k, &add[i], err);
		for (size_t i = 0; i < delete_count && r == 0; i++) {
			keys_db_bind(d, KEYS_DELETE, 1, delete[i].b, sizeof(delete[i].b));
			r = keys_db_run(d, KEYS_DELETE, err);
		}
		if (r == 0)
			r = keys_db_meta(d, "frame", &last, err);
		if (r == 0 && frame > last)
			r = keys_db_set_meta(d, "frame", frame, err);
		r = keys_db_end(d, r, err);
	}
	(void)pthread_mutex_unlock(&d->lock);
	return r;
}

int keys_delete_records(struct keys *k, const struct id *records, size_t count,
	uint64_t *ret_deleted, struct err *err)
{
	struct keys_db *d = &k->writer;
	uint64_t deleted = 0;
	int r = need_writable(k, err);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&d->lock);
	r = keys_db_run(d, KEYS_BEGIN, err);
	if (r == 0) {
		for (size_t i = 0; i < count && r == 0; i++) {
			keys_db_bind(d, KEYS_DELETE_RECORD, 1, records[i].b, ID_BYTES);
			r = keys_db_run(d, KEYS_DELETE_RECORD, err);
			deleted += (uint64_t)sqlite3_changes(d->db);
		}
		r = keys_db_end(d, r, err);
	}
	(void)pthread_mutex_unlock(&d->lock);
	if (r == 0)
		*ret_deleted = deleted;
	return r;
}

int keys_applied_frame(struct keys *k, uint64_t *ret, struct err *err)
{
	int r;

	(void)pthread_mutex_lock(&k->reader.lock);
	r = keys_db_meta(&k->reader, "frame", ret, err);
	(void)pthread_mutex_unlock(&k->reader.lock);
	return r;
}

int keys_truncate_wal(struct keys *k, struct err *err)
{
	int r = need_writable(k, err);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&k->writer.lock);
	(void)pthread_mutex_lock(&k->reader.lock);
	r = keys_db_truncate_wal(&k->writer, err);
	(void)pthread_mutex_unlock(&k->reader.lock);
	(void)pthread_mutex_unlock(&k->writer.lock);
	return r;
}

static int read_purpose(struct keys_db *d, const char *name, uint64_t *ret_epoch,
	uint8_t ret[WRAPPED_BYTES], struct err *err)
{
	int r;

	keys_db_bind(d, KEYS_PURPOSE, 1, name, strlen(name));
	r = keys_db_next(d, KEYS_PURPOSE, err);
	if (r == 0)
		return err_set(err, ERR_NOTFOUND, tr("there is no purpose key '%s'"), name);
	if (r < 0)
		return r;
	r = keys_db_wrapped(d, KEYS_PURPOSE, 1, ret_epoch, ret, err);
	(void)sqlite3_reset(d->st[KEYS_PURPOSE]);
	return r;
}

/* Make and store a purpose key; the writer's lock is held. */
static int make_purpose(struct keys *k, const char *name, struct secret **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *key = secret_random(KEY_BYTES);
	uint8_t nonce[WRAP_NONCE], wrapped[WRAPPED_BYTES];
	int r = hold_root(k, err);

	if (r < 0)
		return r;
	randombytes_buf(nonce, sizeof(nonce));
	purpose_key_wrap(k->root, &k->archive, k->epoch, name, nonce, key->p, wrapped);
	release_root(k);
	r = keys_db_set_purpose(&k->writer, name, k->epoch, wrapped, err);
	if (r == 0)
		*ret = TAKE_PTR(key);
	return r;
}

static int open_purpose(struct keys *k, const char *name, uint64_t epoch,
	const uint8_t wrapped[WRAPPED_BYTES], struct secret **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *key = secret_new(KEY_BYTES);
	int r = hold_root(k, err);
	bool opened;

	if (r < 0)
		return r;
	opened = purpose_key_unwrap(k->root, &k->archive, epoch, name, wrapped, key->p);
	release_root(k);
	if (!opened)
		return err_set(err, ERR_CRYPTO,
			tr("the purpose key '%s' does not open: its row was changed"), name);
	*ret = TAKE_PTR(key);
	return 0;
}

int keys_purpose(struct keys *k, const char *name, struct secret **ret, struct err *err)
{
	uint8_t wrapped[WRAPPED_BYTES];
	struct keys_db *d = k->writable ? &k->writer : &k->reader;
	uint64_t epoch = 0;
	int r;

	if (strlen(name) == 0 || strlen(name) > PURPOSE_NAME_MAX)
		return err_set(err, ERR_INVALID, tr("there is no purpose key '%s'"), name);
	if (keys_are_sealed(k))
		return sealed(err);
	(void)pthread_mutex_lock(&d->lock);
	r = read_purpose(d, name, &epoch, wrapped, err);
	if (r == -ERR_NOTFOUND && k->writable) {
		r = make_purpose(k, name, ret, err);
		(void)pthread_mutex_unlock(&d->lock);
		return r;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return r < 0 ? r : open_purpose(k, name, epoch, wrapped, ret, err);
}

int keys_has_purpose(struct keys *k, const char *name, bool *ret, struct err *err)
{
	struct keys_db *d = k->writable ? &k->writer : &k->reader;
	uint8_t wrapped[WRAPPED_BYTES];
	uint64_t epoch;
	int r;

	(void)pthread_mutex_lock(&d->lock);
	r = read_purpose(d, name, &epoch, wrapped, NULL);
	(void)pthread_mutex_unlock(&d->lock);
	if (r < 0 && r != -ERR_NOTFOUND)
		return err_set(err, -r, tr("the key store (keys.db) is damaged"));
	*ret = r == 0;
	return 0;
}

/* The writer's lock is held. */
static int move_purpose(struct keys *k, const char *from, const char *to, struct err *err)
{
	_cleanup_(secret_freep) struct secret *key = NULL;
	uint8_t nonce[WRAP_NONCE], wrapped[WRAPPED_BYTES];
	struct keys_db *d = &k->writer;
	uint64_t epoch;
	int r = read_purpose(d, from, &epoch, wrapped, err);

	if (r == 0 && to)
		r = open_purpose(k, from, epoch, wrapped, &key, err);
	if (r == 0 && to && (r = hold_root(k, err)) == 0) {
		randombytes_buf(nonce, sizeof(nonce));
		purpose_key_wrap(k->root, &k->archive, k->epoch, to, nonce, key->p, wrapped);
		release_root(k);
	}
	if (r == 0)
		r = keys_db_run(d, KEYS_BEGIN, err);
	if (r < 0)
		return r;
	if (to)
		r = keys_db_set_purpose(d, to, k->epoch, wrapped, err);
	if (r == 0) {
		keys_db_bind(d, KEYS_DROP_PURPOSE, 1, from, strlen(from));
		r = keys_db_run(d, KEYS_DROP_PURPOSE, err);
	}
	return keys_db_end(d, r, err);
}

int keys_move_purpose(struct keys *k, const char *from, const char *to, struct err *err)
{
	int r;

	if (!k->writable)
		return err_set(
			err, ERR_DENIED, tr("the key store (keys.db) was opened for reading only"));
	(void)pthread_mutex_lock(&k->writer.lock);
	r = move_purpose(k, from, to, err);
	(void)pthread_mutex_unlock(&k->writer.lock);
	return r;
}

int keys_each(struct keys *k,
	int (*each)(void *context, const struct wrapped_key *w, struct err *err), void *context,
	struct err *err)
{
	_cleanup_(freep) struct wrapped_key *rows = xcalloc(CHUNK, sizeof(*rows));
	struct id last = { { 0 } };
	size_t count = CHUNK;
	bool first = true;

	while (count == CHUNK) {
		int r;

		(void)pthread_mutex_lock(&k->reader.lock);
		keys_db_bind(&k->reader, KEYS_BY_KEY, 1, last.b, first ? 0 : sizeof(last.b));
		r = keys_db_chunk(&k->reader, KEYS_BY_KEY, rows, NULL, CHUNK, &count, err);
		(void)pthread_mutex_unlock(&k->reader.lock);
		for (size_t i = 0; i < count && r == 0; i++)
			r = each(context, &rows[i], err);
		if (r != 0)
			return r;
		if (count)
			last = rows[count - 1].key;
		first = false;
	}
	return 0;
}

int keys_count(struct keys *k, uint64_t *ret, struct err *err)
{
	struct keys_db *d = &k->reader;
	int r;

	(void)pthread_mutex_lock(&d->lock);
	r = keys_db_next(d, KEYS_COUNT, err);
	if (r > 0) {
		*ret = (uint64_t)sqlite3_column_int64(d->st[KEYS_COUNT], 0);
		(void)sqlite3_reset(d->st[KEYS_COUNT]);
		r = 0;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return r;
}

int keys_check(struct keys *k, struct err *err)
{
	_cleanup_(freep) struct keys_purpose_row *rows = xcalloc(KEYS_MAX_PURPOSES, sizeof(*rows));
	struct keys_db *d = &k->reader;
	size_t count = 0;
	int r;

	(void)pthread_mutex_lock(&d->lock);
	r = keys_db_check(d, err);
	if (r == 0)
		r = keys_db_purposes(d, rows, &count, err);
	(void)pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < count && r == 0 && !keys_are_sealed(k); i++) {
		_cleanup_(secret_freep) struct secret *key = NULL;

		r = open_purpose(k, rows[i].name, rows[i].epoch, rows[i].wrapped, &key, err);
	}
	return r;
}
