/* rotate.c - other keys in the place of those in use: the server's signing key, and the root key.
 *
 * Both are begun, decided and ended in steps of which each is durable before the next, and whoever starts
 * after a crash sees how far they came.
 *
 * The server's key (FORMAT.md, section 4): the next one is put into keys.db as `server.next`; a commit that the old one
 * signs retires the old and enrols the new one, and this decides; `server.next` becomes `server`. At every
 * unsealing: when there is a `server.next` that the history enrols, it takes its place, else it goes.
 *
 * The root key (FORMAT.md, section 3): the new shares are put beside the old ones; the keys are wrapped anew in one
 * transaction, which decides; the new shares take the place of the old ones. */
#include "store/internal.h"

#include "core/base/tr.h"

#include <stdlib.h>

static const char next_server[] = "server.next";

static int is_enrolled(struct store *s, const struct public_key *key, bool *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf keys = BUF_INIT;
	const struct signing_key *rows;
	int r = signers_list(s, &keys, err);

	*ret = false;
	rows = (const struct signing_key *)(const void *)keys.p;
	for (size_t i = 0; r == 0 && i < keys.n / sizeof(*rows); i++)
		if (!rows[i].is_retired && strcmp(rows[i].signer, ACCOUNT_SERVER) == 0 &&
			memcmp(&rows[i].key, key, sizeof(*key)) == 0)
			*ret = true;
	return r;
}

/* The old key is nowhere in the files afterwards. */
static int take_next(struct store *s, bool decided, struct err *err)
{
	int r = keys_move_purpose(s->keys, next_server, decided ? ACCOUNT_SERVER : NULL, err);

	return r < 0 ? r : keys_truncate_wal(s->keys, err);
}

int rotate_settle(struct store *s, struct err *err)
{
	_cleanup_(secret_freep) struct secret *seed = NULL;
	_cleanup_(signer_freep) struct signer *next = NULL;
	bool there, enrolled;
	int r = keys_has_purpose(s->keys, next_server, &there, err);

	if (r < 0 || !there)
		return r;
	r = keys_purpose(s->keys, next_server, &seed, err);
	if (r < 0)
		return r;
	next = signer_new(seed);
	r = is_enrolled(s, signer_public(next), &enrolled, err);
	return r < 0 ? r : take_next(s, enrolled, err);
}

static int check_writing(struct store *s, struct err *err)
{
	if (!s->options.writable)
		return err_set(err, ERR_DENIED, tr("the archive was opened for reading"));
	if (store_is_sealed(s))
		return err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it first"));
	return 0;
}

static int rotate_server(struct store *s, struct key_change *change, struct err *err)
{
	_cleanup_(secret_freep) struct secret *seed = NULL;
	_cleanup_(signer_freep) struct signer *next = NULL;
	int r = keys_purpose(s->keys, next_server, &seed, err);

	if (r < 0)
		return r;
	change->next = next = signer_new(seed);
	r = writer_hold(s, err);
	if (r == 0)
		r = writer_change_keys(s, change, err);
	if (r == 0)
		r = take_next(s, true, err);
	writer_release(s);
	return r;
}

int store_rotate_server(struct store *s, const char *account, uint32_t uid, const struct id *action,
	int64_t time, struct err *err)
{
	struct key_change change = {
		.account = account, .uid = uid, .action = action, .time = time
	};
	int r = check_writing(s, err);

	if (r < 0)
		return r;
	if (!writer_is_account(account))
		return err_set(err, ERR_INVALID, tr("'%s' is not the id of an account"), account);
	(void)pthread_rwlock_wrlock(&s->whole);
	r = rotate_server(s, &change, err);
	(void)pthread_rwlock_unlock(&s->whole);
	return r;
}

static int rotate_root(struct store *s, struct custody *c, struct secret *root,
	struct secret **ret_root, struct err *err)
{
	int r = custody_rotate(c, root, err);

	if (r == 0)
		r = custody_save_next(c, s->dir, root, err);
	if (r == 0)
		r = keys_rotate(s->keys, root, err);
	if (keys_epoch(s->keys) == custody_epoch(c))
		*ret_root = secret_copy(root->p, root->n);
	if (r == 0)
		r = custody_settle(s->dir, keys_epoch(s->keys), err);
	/* Frames that are applied may still hold keys under the old root. */
	if (r == 0)
		r = journal_wipe(s->journal, err);
	return r;
}

int store_rotate_root(struct store *s, struct custody *c, struct secret **ret_root, struct err *err)
{
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	int r = check_writing(s, err);

	if (r < 0)
		return r;
	(void)pthread_rwlock_wrlock(&s->whole);
	r = writer_hold(s, err);
	if (r == 0)
		r = rotate_root(s, c, root, ret_root, err);
	writer_release(s);
	(void)pthread_rwlock_unlock(&s->whole);
	return r;
}
