/* keys_rotate.c - every key of keys.db wrapped anew under another root key.
 *
 * After a loss of trust in a custodian, and for what disks may still remember of destroyed keys:
 * the old wraps are worth nothing without the old root, which nobody has any more. One transaction:
 * a crash leaves all keys under the old root or all under the new one, and meta's epoch says which.
 */
#include "store/keys_db.h"
#include "store/wrap.h"

#include "core/base/tr.h"

#include <sodium.h>
#include <string.h>

enum { CHUNK = 256 };

static int rewrap_row(
	struct keys *k, const struct secret *new_root, struct wrapped_key *w, struct err *err)
{
	uint8_t key[KEY_BYTES], nonce[WRAP_NONCE];
	int r = keys_unwrap(k, w, key, err);

	if (r < 0)
		return r;
	randombytes_buf(nonce, sizeof(nonce));
	w->epoch = k->epoch + 1;
	record_key_wrap(new_root, &k->archive, nonce, key, w);
	sodium_memzero(key, sizeof(key));
	return 0;
}

static int write_row(struct keys_db *d, const struct wrapped_key *w, int64_t rowid, struct err *err)
{
	keys_db_bind_u64(d, KEYS_REWRAP, 1, w->epoch);
	keys_db_bind(d, KEYS_REWRAP, 2, w->wrapped, WRAPPED_BYTES);
	(void)sqlite3_bind_int64(d->st[KEYS_REWRAP], 3, rowid);
	return keys_db_run(d, KEYS_REWRAP, err);
}

static int rotate_records(struct keys *k, const struct secret *new_root, struct err *err)
{
	_cleanup_(freep) struct wrapped_key *rows = xcalloc(CHUNK, sizeof(*rows));
	struct keys_db *d = &k->writer;
	int64_t rowids[CHUNK], last = INT64_MIN;
	size_t count = CHUNK;
	int r = 0;

	while (count == CHUNK) {
		(void)sqlite3_bind_int64(d->st[KEYS_BY_ROW], 1, last);
		r = keys_db_chunk(d, KEYS_BY_ROW, rows, rowids, CHUNK, &count, err);
		for (size_t i = 0; i < count && r == 0; i++) {
			r = rewrap_row(k, new_root, &rows[i], err);
			if (r == 0)
				r = write_row(d, &rows[i], rowids[i], err);
		}
		if (r < 0)
			return r;
		if (count)
			last = rowids[count - 1];
	}
	return 0;
}

static int rotate_purpose(struct keys *k, const struct secret *new_root,
	const struct keys_purpose_row *p, struct err *err)
{
	uint8_t key[KEY_BYTES], nonce[WRAP_NONCE], wrapped[WRAPPED_BYTES];
	bool opened;

	(void)pthread_rwlock_rdlock(&k->root_lock);
	opened = k->root &&
		 purpose_key_unwrap(k->root, &k->archive, p->epoch, p->name, p->wrapped, key);
	(void)pthread_rwlock_unlock(&k->root_lock);
	if (!opened)
		return err_set(err, ERR_CRYPTO,
			tr("the purpose key '%s' does not open: its row was changed"), p->name);
	randombytes_buf(nonce, sizeof(nonce));
	purpose_key_wrap(new_root, &k->archive, k->epoch + 1, p->name, nonce, key, wrapped);
	sodium_memzero(key, sizeof(key));
	return keys_db_set_purpose(&k->writer, p->name, k->epoch + 1, wrapped, err);
}

static int rotate_purposes(struct keys *k, const struct secret *new_root, struct err *err)
{
	_cleanup_(freep) struct keys_purpose_row *purposes =
		xcalloc(KEYS_MAX_PURPOSES, sizeof(*purposes));
	size_t count = 0;
	int r = keys_db_purposes(&k->writer, purposes, &count, err);

	for (size_t i = 0; i < count && r == 0; i++)
		r = rotate_purpose(k, new_root, &purposes[i], err);
	return r;
}

static int rotate(struct keys *k, const struct secret *new_root, struct err *err)
{
	struct keys_db *d = &k->writer;
	int r = keys_db_run(d, KEYS_BEGIN, err);

	if (r < 0)
		return r;
	r = rotate_records(k, new_root, err);
	if (r == 0)
		r = rotate_purposes(k, new_root, err);
	if (r == 0)
		r = keys_db_set_meta(d, "epoch", k->epoch + 1, err);
	return keys_db_end(d, r, err);
}

static void take_root(struct keys *k, const struct secret *new_root)
{
	struct secret *copy = secret_copy(new_root->p, new_root->n), *old;

	(void)pthread_rwlock_wrlock(&k->root_lock);
	old = k->root;
	k->root = copy;
	k->epoch++;
	(void)pthread_rwlock_unlock(&k->root_lock);
	secret_free(old);
}

int keys_rotate(struct keys *k, const struct secret *new_root, struct err *err)
{
	int r;

	if (!k->writable)
		return err_set(
			err, ERR_DENIED, tr("the key store (keys.db) was opened for reading only"));
	if (new_root->n != KEY_BYTES)
		return err_set(err, ERR_CRYPTO, tr("a root key has %d bytes"), KEY_BYTES);
	if (keys_are_sealed(k))
		return err_set(err, ERR_SEALED,
			tr("the archive is sealed; two custodians must unseal it"));
	(void)pthread_mutex_lock(&k->writer.lock);
	(void)pthread_mutex_lock(&k->reader.lock);
	r = rotate(k, new_root, err);
	if (r == 0) {
		take_root(k, new_root);
		r = keys_db_truncate_wal(&k->writer, err);
	}
	(void)pthread_mutex_unlock(&k->reader.lock);
	(void)pthread_mutex_unlock(&k->writer.lock);
	return r;
}
