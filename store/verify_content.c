/* verify_content.c - ciphertext, keys, ledger and journal against what the history says ought to be
 * there. */
#include "store/verify_private.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/tr.h"
#include "store/envelope.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- the content branch ---- */

static void check_content_entry(struct verify *v, uint32_t volume, const struct tree_entry *e)
{
	struct verify_envelope *env = NULL;
	struct digest digest;

	if (digest_parse(e->name, &digest, NULL) == 0)
		env = map_get(&v->envelopes, digest.b);
	if (!env || !digest_equal(&env->blob.sha256, &digest) ||
		!oid_equal(&env->blob.oid, &e->oid) || env->blob.volume != volume) {
		verify_found(v, FAULT_CONTENT, volume, arena_text(v->arena, e->name),
			tr("the content branch holds something that no slip names"));
		return;
	}
	if (env->owner->destroyed)
		verify_found(v, FAULT_DESTROYED, volume, env->owner->number,
			tr("the content branch still holds ciphertext of this destroyed record"));
	env->in_content = true;
}

static int walk_content(
	struct verify *v, uint32_t volume, const struct oid *tree, int depth, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	struct tree_entry e;
	struct str rest;
	int r;

	if (store_read(v->store, volume, tree, NULL, &content, NULL) < 0) {
		verify_found(v, FAULT_CONTENT, volume, "",
			tr("a tree of the content branch is missing or damaged"));
		return 0;
	}
	rest = buf_str(&content);
	while ((r = tree_next(&rest, &e, err)) > 0) {
		if (depth == 3)
			check_content_entry(v, volume, &e);
		else
			r = walk_content(v, volume, &e.oid, depth + 1, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		verify_found(v, FAULT_CONTENT, volume, "",
			tr("a tree of the content branch is missing or damaged"));
	return 0;
}

/* The root tree of what was the content branch's commit when the check began. */
static int root_of(struct verify *v, uint32_t volume, struct oid *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	int r = store_read(v->store, volume, &v->heads[volume - 1].content, NULL, &content, err);

	return r < 0 ? r : content_root_of(buf_str(&content), volume, ret, err);
}

int verify_content_branch(struct verify *v, uint32_t volume, struct err *err)
{
	struct err why = ERR_INIT;
	struct oid root;

	if (oid_is_zero(&v->heads[volume - 1].content))
		return 0;
	if (root_of(v, volume, &root, &why) < 0) {
		verify_found(v, FAULT_CONTENT, volume, "", "%s", why.text);
		return 0;
	}
	return walk_content(v, volume, &root, 0, err);
}

/* ---- envelopes ---- */

static bool head_fits(
	struct verify *v, const struct verify_envelope *e, const struct envelope_head *head)
{
	static const struct id none;
	const struct verify_key *key = map_get(&v->keys, head->key.b);
	bool manifest = id_equal(&e->part, &none);

	return (head->kind == ENVELOPE_MANIFEST) == manifest && id_equal(&head->part, &e->part) &&
	       head->chunk == e->chunk && head->chunks == e->chunks && key &&
	       key->owner == e->owner;
}

static void check_open(struct verify *v, const struct verify_envelope *e,
	const struct envelope_head *head, struct str sealed)
{
	const struct envelope_binding binding = { *store_archive(v->store), e->owner->record };
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT;
	struct err why = ERR_INIT;
	uint8_t key[KEY_BYTES];

	/* A key that is missing is reported with the keys. */
	if (store_record_key(v->store, &head->key, &e->owner->record, key, NULL) == 0 &&
		envelope_open(&binding, key, sealed, &plain, &why) < 0)
		verify_found(v, FAULT_ENVELOPE, e->blob.volume, e->owner->number, "%s", why.text);
	sodium_memzero(key, sizeof(key));
}

static void check_bytes(struct verify *v, const struct verify_envelope *e)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	struct envelope_head head;
	struct digest digest;
	int r = store_read(v->store, e->blob.volume, &e->blob.oid, NULL, &sealed, NULL);

	if (r < 0) {
		verify_found(v, FAULT_ENVELOPE, e->blob.volume, e->owner->number,
			r == -ERR_NOTFOUND
				? tr("its ciphertext is missing, and no tombstone says why")
				: tr("its ciphertext is damaged"));
		return;
	}
	sha256(sealed.p, sealed.n, digest.b);
	v->result->bytes += sealed.n;
	if (sealed.n != e->blob.bytes || !digest_equal(&digest, &e->blob.sha256)) {
		verify_found(v, FAULT_ENVELOPE, e->blob.volume, e->owner->number,
			tr("its ciphertext is damaged"));
		return;
	}
	if (envelope_head(buf_str(&sealed), &head, NULL) < 0 || !head_fits(v, e, &head))
		verify_found(v, FAULT_ENVELOPE, e->blob.volume, e->owner->number,
			tr("the envelope is of another part, chunk or key than the slip says"));
	else if (v->options->open)
		check_open(v, e, &head, buf_str(&sealed));
}

int verify_envelopes(struct verify *v, struct err *err)
{
	for (const struct verify_envelope *e = v->first_envelope; e; e = e->next) {
		struct volume *vol;

		if (e->owner->destroyed) {
			if (store_volume(v->store, e->blob.volume, &vol, NULL) == 0 &&
				volume_has(vol, &e->blob.oid))
				verify_found(v, FAULT_DESTROYED, e->blob.volume, e->owner->number,
					tr("ciphertext of this destroyed record is still in a "
					   "pack"));
			continue;
		}
		v->result->envelopes++;
		if (!e->in_content)
			verify_found(v, FAULT_CONTENT, e->blob.volume, e->owner->number,
				tr("the content branch does not hold its ciphertext: a clone would "
				   "lose it"));
		if (v->options->content)
			check_bytes(v, e);
		if (verify_step(v))
			return err_set(
				err, ERR_CANCELLED, tr("stopped before everything was checked"));
	}
	return 0;
}

/* ---- keys = keys of the records that live ---- */

static int check_key(void *context, const struct wrapped_key *w, struct err *err)
{
	struct verify *v = context;
	struct verify_key *k = map_get(&v->keys, w->key.b);
	uint8_t key[KEY_BYTES];
	char hex[ID_TEXT];

	(void)err;
	v->result->keys++;
	if (!k && verify_is_newer(v, &w->record, map_get(&v->records, w->record.b)))
		return 0;
	if (!k) {
		verify_found(v, FAULT_KEY, 0, hex_encode(w->key.b, ID_BYTES, hex),
			tr("keys.db holds a key that no slip brought in"));
		return 0;
	}
	k->found = true;
	if (k->owner->destroyed)
		verify_found(v, FAULT_DESTROYED, 0, k->owner->number,
			tr("a key of this destroyed record is in keys.db"));
	else if (!id_equal(&k->owner->record, &w->record))
		verify_found(v, FAULT_KEY, 0, k->owner->number,
			tr("its key stands in keys.db under another record"));
	else if (v->options->open && keys_unwrap(v->store->keys, w, key, NULL) < 0)
		verify_found(v, FAULT_KEY, 0, k->owner->number,
			tr("its key does not open: keys.db was changed or damaged"));
	sodium_memzero(key, sizeof(key));
	return 0;
}

/* A key that a record brought in and that is neither in keys.db nor pending. */
static void check_missing(struct verify *v, const struct verify_key *k)
{
	struct wrapped_key w;

	if (k->found || k->owner->destroyed || pending_key(&v->store->pending, &k->key, &w))
		return;
	verify_found(v, FAULT_KEY, 0, k->owner->number,
		tr("its key is missing, and no tombstone says why"));
}

int verify_keys(struct verify *v, struct err *err)
{
	struct public_key server;
	struct err why = ERR_INIT;

	(void)err;
	if (keys_check(v->store->keys, &why) < 0)
		verify_found(v, FAULT_KEY, 0, "keys.db", "%s", why.text);
	if (keys_each(v->store->keys, check_key, v, &why) < 0)
		verify_found(v, FAULT_KEY, 0, "keys.db", "%s", why.text);
	for (const struct verify_key *k = v->first_key; k; k = k->next)
		check_missing(v, k);
	if (v->options->open && store_server_key(v->store, &server, &why) < 0) {
		verify_found(v, FAULT_KEY, 0, "keys.db", "%s", why.text);
	} else if (v->options->open) {
		bool known = false;

		for (size_t i = 0; i < v->signer_count; i++)
			known = known ||
				(memcmp(&v->signers[i].key, &server, sizeof(server)) == 0 &&
					!v->signers[i].retired);
		if (!known)
			verify_found(v, FAULT_SIGNATURE, 0, "",
				tr("the server's key under seal is not one that signed this "
				   "history: it was written anew"));
	}
	return 0;
}

/* ---- ledger ---- */

int verify_ledger(struct verify *v, struct err *err)
{
	(void)err;
	for (const struct verify_record *r = v->first_record; r; r = r->next) {
		struct record_head h;
		bool is_other = false;

		if (store_find(v->store, &r->record, &h, NULL) < 0) {
			verify_found(v, FAULT_LEDGER, r->volume, r->number,
				tr("the ledger does not know this record"));
			continue;
		}
		if (h.version != r->version || h.volume != r->volume ||
			!digest_equal(&h.slip, &r->slip) || h.destroyed != r->destroyed ||
			h.sequence != r->sequence || strcmp(h.number, r->number) != 0 ||
			strcmp(h.folder, r->folder) != 0)
			is_other = !verify_is_newer(v, &r->record, r);
		if (is_other)
			verify_found(v, FAULT_LEDGER, r->volume, r->number,
				tr("the ledger says something else than the history"));
		record_head_done(&h);
	}
	return 0;
}

/* ---- journal ---- */

static int accept_frame(void *context, const struct frame *f, struct err *err)
{
	(void)context;
	(void)f;
	(void)err;
	return 0;
}

/* While others write, a segment may be freed or a frame appended under the reader's eyes: what is damaged is so at
 * every look. */
int verify_journal(struct verify *v, struct err *err)
{
	enum { LOOKS = 5 };
	_cleanup_(closep) int dir = file_open_dir(v->store->dir, "journal", err);
	struct journal_found found;
	struct err why;
	int r = -ERR_CONFLICT;

	if (dir < 0)
		return dir;
	for (int i = 0; i < LOOKS && (r < 0 || found.set_aside); i++) {
		if (i > 0)
			(void)store_flush(v->store, NULL);
		found = (struct journal_found){ 0 };
		why = (struct err)ERR_INIT;
		r = journal_check(dir, store_archive(v->store), accept_frame, NULL, &found, &why);
	}
	if (r < 0)
		verify_found(v, FAULT_JOURNAL, 0, "journal", "%s", why.text);
	else if (found.set_aside)
		verify_found(v, FAULT_JOURNAL, 0, "journal",
			tr("frame %llu is damaged and was set aside"),
			(unsigned long long)found.aside_frame);
	return 0;
}
