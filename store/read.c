/* read.c - finding and opening what was written: pending frames first, then packs. See store.h. */
#include "store/internal.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tr.h"
#include "store/envelope.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

void record_head_done(struct record_head *h)
{
	free(h->number);
	free(h->folder);
	h->number = h->folder = NULL;
}

/* ---- objects ---- */

int read_object(struct store *s, uint32_t volume, const struct oid *oid, enum object_type *ret_type,
	struct buf *ret, struct err *err)
{
	struct volume *v;
	int r;

	if (pending_object(&s->pending, oid, ret_type, ret))
		return buf_check(ret, err);
	r = store_volume(s, volume, &v, err);
	if (r < 0)
		return r;
	return volume_read(v, oid, ret_type, ret, err);
}

static int read_unnamed(
	struct store *s, const struct slip_blob *blob, struct buf *ret, struct err *err)
{
	struct volume *v;
	int r;

	if (pending_object(&s->pending, &blob->oid, NULL, ret))
		return buf_check(ret, err);
	r = store_volume(s, blob->volume, &v, err);
	return r < 0 ? r : volume_read_unnamed(v, &blob->oid, ret, err);
}

/* Large parts come in packs of their own, which are seen once the applier has adopted them: who asks
 * earlier waits for it. Between a look that found nothing and the question whether the applier is behind,
 * it may have caught up: so there is a second look whatever the answer. Not for the applier itself. */
static int read_adopted(struct store *s, uint32_t volume, const struct oid *oid,
	enum object_type *ret_type, struct buf *ret, struct err *err)
{
	struct err first = ERR_INIT;
	int r = read_object(s, volume, oid, ret_type, ret, &first);

	if (r == -ERR_NOTFOUND) {
		r = store_flush(s, err);
		return r < 0 ? r : read_object(s, volume, oid, ret_type, ret, err);
	}
	if (r < 0 && err)
		*err = first;
	return r;
}

/* The sealed bytes, which must have the SHA-256 that the slip says: so their name need not be recomputed. */
static int read_sealed(
	struct store *s, const struct slip_blob *blob, struct buf *ret, struct err *err)
{
	struct err first = ERR_INIT;
	struct digest digest;
	int r = read_unnamed(s, blob, ret, &first);

	if (r == -ERR_NOTFOUND) {
		r = store_flush(s, err);
		if (r == 0)
			r = read_unnamed(s, blob, ret, err);
	} else if (r < 0 && err) {
		*err = first;
	}
	if (r < 0)
		return r;
	sha256(ret->p, ret->n, digest.b);
	if (ret->n == blob->bytes && digest_equal(&digest, &blob->sha256))
		return 0;
	return err_set(err, ERR_CORRUPT, tr("an encrypted blob is not the one that was filed"));
}

int store_read(struct store *s, uint32_t volume, const struct oid *oid, enum object_type *ret_type,
	struct buf *ret, struct err *err)
{
	return read_adopted(s, volume, oid, ret_type, ret, err);
}

int store_main(struct store *s, uint32_t volume, struct oid *ret, struct err *err)
{
	struct volume *v;
	bool found = false;
	int r;

	(void)pthread_mutex_lock(&s->lock);
	if (s->published_volume == volume) {
		*ret = s->published_head;
		found = true;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (found || pending_main(&s->pending, volume, ret))
		return 0;
	r = store_volume(s, volume, &v, err);
	if (r == 0)
		r = volume_ref(v, "refs/heads/main", ret, err);
	return r;
}

uint32_t store_volumes(struct store *s)
{
	uint32_t n;

	(void)pthread_mutex_lock(&s->lock);
	n = s->volume_count;
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- heads ---- */

int store_find(struct store *s, const struct id *record, struct record_head *ret, struct err *err)
{
	if (pending_find(&s->pending, record, ret))
		return 0;
	return ledger_find(s->ledger, record, ret, err);
}

int store_find_number(struct store *s, struct str number, struct record_head *ret, struct err *err)
{
	if (pending_find_number(&s->pending, number, ret))
		return 0;
	return ledger_find_number(s->ledger, number, ret, err);
}

int store_find_sequence(
	struct store *s, uint64_t sequence, struct record_head *ret, struct err *err)
{
	return ledger_find_sequence(s->ledger, sequence, ret, err);
}

int store_find_request(
	struct store *s, const struct id *request, struct id *ret_record, struct err *err)
{
	if (pending_find_request(&s->pending, request, ret_record))
		return 0;
	return ledger_find_request(s->ledger, request, ret_record, err);
}

int store_request(struct store *s, const void *p, size_t n, struct id *ret, struct err *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (s->requests)
		(void)crypto_generichash(
			ret->b, sizeof(ret->b), p, n, s->requests->p, s->requests->n);
	else
		r = err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it first"));
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

/* ---- slips ---- */

/* Walk a tree's path over pending and packed objects alike. */
static int find_path(struct store *s, uint32_t volume, const struct oid *root, struct str path,
	struct oid *ret, struct err *err)
{
	struct str rest = path;
	struct oid at = *root;

	while (rest.p) {
		_cleanup_(buf_done) struct buf content = BUF_INIT;
		struct str name = str_cut(&rest, '/'), entries;
		struct tree_entry e = { .mode = 0 };
		int r = read_object(s, volume, &at, NULL, &content, err);

		if (r < 0)
			return r;
		entries = buf_str(&content);
		while ((r = tree_next(&entries, &e, err)) > 0)
			if (str_eq(e.name, name))
				break;
		if (r < 0)
			return r;
		if (r == 0)
			return err_set(err, ERR_NOTFOUND, tr("'%.*s' is not in volume %u"),
				STR_ARG(path), volume);
		at = e.oid;
	}
	*ret = at;
	return 0;
}

/* A file of a record's folder in a volume's main. */
static int read_path(struct store *s, uint32_t volume, const struct oid *head, struct str path,
	struct oid *ret_oid, struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct commit c;
	int r = read_object(s, volume, head, NULL, &content, err);

	if (r == 0)
		r = commit_parse(buf_str(&content), &c, &memory, err);
	if (r == 0)
		r = find_path(s, volume, &c.tree, path, ret_oid, err);
	if (r == 0)
		r = read_object(s, volume, ret_oid, NULL, ret, err);
	return r;
}

int read_main_file(
	struct store *s, uint32_t volume, struct str path, struct buf *ret, struct err *err)
{
	struct oid head, oid;
	int r = store_main(s, volume, &head, err);

	return r < 0 ? r : read_path(s, volume, &head, path, &oid, ret, err);
}

int store_slip(struct store *s, const struct record_head *h, uint64_t version, struct buf *ret_text,
	uint32_t *ret_volume, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	uint32_t volume = h->volume;
	uint64_t at = h->version;
	struct oid oid = h->slip_oid;
	struct digest expected = h->slip;
	int r;

	if (version == 0)
		version = h->version;
	if (version > h->version)
		return err_set(err, ERR_NOTFOUND, tr("record '%s' has no version %llu"), h->number,
			(unsigned long long)version);
	r = read_object(s, volume, &oid, NULL, &text, err);
	while (r == 0) {
		_cleanup_(freep) void *memory = NULL;
		_cleanup_(buf_done) struct buf path = BUF_INIT;
		struct digest digest;
		struct slip slip;
		struct oid head;

		sha256(text.p, text.n, digest.b);
		if (!digest_equal(&digest, &expected))
			return err_set(err, ERR_CORRUPT,
				tr("the slip of version %llu of '%s' is not the one that was "
				   "signed"),
				(unsigned long long)at, h->number);
		if (at == version)
			break;
		r = slip_parse(buf_str(&text), &slip, &memory, err);
		if (r < 0)
			return r;
		volume = slip.before_volume;
		expected = slip.before;
		at--;
		buf_addf(&path, "%s/v%llu", h->folder, (unsigned long long)at);
		buf_reset(&text);
		r = store_main(s, volume, &head, err);
		if (r == 0)
			r = read_path(s, volume, &head, buf_str(&path), &oid, &text, err);
	}
	if (r < 0)
		return r;
	if (ret_volume)
		*ret_volume = volume;
	buf_add_str(ret_text, buf_str(&text));
	return buf_check(ret_text, err);
}

/* ---- content ---- */

int store_record_key(struct store *s, const struct id *key, const struct id *record,
	uint8_t ret_key[32], struct err *err)
{
	struct wrapped_key w;

	if (!pending_key(&s->pending, key, &w))
		return keys_find(s->keys, key, record, ret_key, err);
	if (!id_equal(&w.record, record))
		return err_set(err, ERR_NOTFOUND, tr("there is no such key"));
	return keys_unwrap(s->keys, &w, ret_key, err);
}

int store_open_blob(struct store *s, const struct id *record, const struct slip_blob *blob,
	struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	const struct envelope_binding binding = { s->archive, *record };
	struct envelope_head head;
	struct record_head h;
	uint8_t key[KEY_BYTES];
	bool destroyed;
	int r = store_find(s, record, &h, err);

	if (r < 0)
		return r;
	destroyed = h.destroyed;
	record_head_done(&h);
	if (destroyed) /* invariant 7 */
		return err_set(err, ERR_DESTROYED, tr("this record was destroyed"));
	r = read_sealed(s, blob, &sealed, err);
	if (r < 0)
		return r;
	r = envelope_head(buf_str(&sealed), &head, err);
	if (r == 0)
		r = store_record_key(s, &head.key, record, key, err);
	if (r == 0)
		r = envelope_open(&binding, key, buf_str(&sealed), ret, err);
	sodium_memzero(key, sizeof(key));
	return r;
}

/* ---- facts from pending frames and volumes ---- */

static int facts_commit(void *context, const struct oid *oid, struct buf *ret, struct err *err)
{
	struct volume_facts *v = context;

	return read_object(v->store, v->volume, oid, NULL, ret, err);
}

static int facts_file(void *context, const struct commit *commit, const struct listed *file,
	struct oid *ret_oid, struct buf *ret, struct err *err)
{
	struct volume_facts *v = context;
	int r = find_path(v->store, v->volume, &commit->tree, file->path, ret_oid, err);

	if (r == 0)
		r = read_object(v->store, v->volume, ret_oid, NULL, ret, err);
	return r;
}

void read_facts_reader(struct volume_facts *v, struct facts_reader *ret)
{
	*ret = (struct facts_reader){ facts_commit, facts_file, v };
}

/* ---- walking the history, oldest first ---- */

static int emit_events(const struct facts *f,
	int (*each)(void *context, const struct store_event *event, struct err *err), void *context,
	struct err *err)
{
	for (size_t i = 0; i < f->count; i++) {
		struct store_event e;
		int r;

		event_of_fact(f, i, &e);
		r = each(context, &e, err);
		if (r != 0)
			return r;
	}
	return 0;
}

void event_of_fact(const struct facts *f, size_t i, struct store_event *ret)
{
	const struct fact *fact = &f->facts[i];
	const struct commit *c = &f->commit;

	*ret = (struct store_event){ .volume = c->volume,
		.commit = f->oid,
		.actions = c->actions,
		.act = c->act,
		.action = c->action,
		.time = c->time,
		.account = c->account,
		.uid = c->uid,
		.folder = fact->folder,
		.last_of_action = i + 1 == f->count };
	if (fact->is_tombstone) {
		ret->record = fact->tombstone.record;
		ret->sequence = fact->tombstone.sequence;
		ret->version = fact->tombstone.versions;
		ret->number = fact->tombstone.number;
	} else {
		ret->record = fact->slip.record;
		ret->sequence = fact->slip.sequence;
		ret->version = fact->slip.version;
		ret->number = fact->slip.number;
		ret->manifest = fact->slip.manifest;
		ret->manifest_sealed = fact->manifest_sealed;
	}
}

/* The commits of a volume after an action count, newest first, as oids in `ret`. */
static int commits_after(struct store *s, uint32_t volume, const struct oid *head, uint64_t after,
	struct buf *ret, struct err *err)
{
	struct oid at = *head;

	while (!oid_is_zero(&at)) {
		_cleanup_(buf_done) struct buf content = BUF_INIT;
		_cleanup_(freep) void *memory = NULL;
		struct commit c;
		int r = read_object(s, volume, &at, NULL, &content, err);

		if (r == 0)
			r = commit_parse(buf_str(&content), &c, &memory, err);
		if (r < 0)
			return r;
		if (c.actions <= after)
			break;
		buf_add(ret, at.b, sizeof(at.b));
		at = c.parent;
	}
	return buf_check(ret, err);
}

/* The volume in which the action after `after` stands: the last one whose first commit is not
 * beyond it. */
static int first_volume(
	struct store *s, uint32_t last, uint64_t after, uint32_t *ret, struct err *err)
{
	uint32_t v = last;

	for (; v > 1; v--) {
		_cleanup_(buf_done) struct buf content = BUF_INIT;
		_cleanup_(freep) void *memory = NULL;
		struct commit c;
		struct oid head;
		int r = store_main(s, v - 1, &head, err);

		if (r == 0)
			r = read_object(s, v - 1, &head, NULL, &content, err);
		if (r == 0)
			r = commit_parse(buf_str(&content), &c, &memory, err);
		if (r < 0)
			return r;
		if (c.actions <= after)
			break;
	}
	*ret = v;
	return 0;
}

/* It ends in the volume that is the last one now. Only of the volumes before it is the head the final one: when
 * writing goes on to another volume while this one is read, what came to this one behind its back is missing,
 * and who then walked the next one would count it as seen. */
int read_each_action(struct store *s, uint64_t after,
	int (*each)(void *context, struct facts *f, struct err *err), void *context,
	struct err *err)
{
	const uint32_t last = store_volumes(s);
	uint32_t v;
	int r = first_volume(s, last, after, &v, err);

	for (; r == 0 && v <= last; v++) {
		_cleanup_(buf_done) struct buf oids = BUF_INIT_MAX((size_t)1 << 30);
		struct volume_facts source = { s, v };
		struct facts_reader reader;
		struct oid oid;

		read_facts_reader(&source, &reader);
		r = store_main(s, v, &oid, err);
		if (r == 0)
			r = commits_after(s, v, &oid, after, &oids, err);
		for (size_t i = oids.n; r == 0 && i >= OID_BYTES; i -= OID_BYTES) {
			struct facts f;

			memcpy(oid.b, oids.p + i - OID_BYTES, OID_BYTES);
			r = facts_read(&reader, &oid, &f, err);
			if (r < 0)
				break;
			r = each(context, &f, err);
			facts_done(&f);
		}
	}
	return r;
}

struct walk {
	int (*each)(void *context, const struct store_event *event, struct err *err);
	void *context;
};

static int walk_action(void *context, struct facts *f, struct err *err)
{
	struct walk *w = context;

	return emit_events(f, w->each, w->context, err);
}

int store_walk(struct store *s, uint64_t after,
	int (*each)(void *context, const struct store_event *event, struct err *err), void *context,
	struct err *err)
{
	struct walk w = { each, context };

	return read_each_action(s, after, walk_action, &w, err);
}

/* ---- proof ---- */

static int checkpoint_volumes(struct store *s, uint32_t count, struct checkpoint_volume *volumes,
	struct checkpoint *ret, struct err *err)
{
	int r = 0;

	for (uint32_t v = 1; v <= count && r == 0; v++) {
		_cleanup_(buf_done) struct buf content = BUF_INIT;
		_cleanup_(freep) void *memory = NULL;
		struct commit c;

		volumes[v - 1].volume = v;
		r = store_main(s, v, &volumes[v - 1].head, err);
		if (r == 0)
			r = read_object(s, v, &volumes[v - 1].head, NULL, &content, err);
		if (r == 0)
			r = commit_parse(buf_str(&content), &c, &memory, err);
		if (r == 0) {
			sha256(content.p, content.n, volumes[v - 1].sha256.b);
			ret->actions = c.actions;
			/* Commits may be dated ahead of the clock; a key of today counts since the last one. */
			if (ret->time < c.time + (c.act == ACT_KEYS))
				ret->time = c.time + (c.act == ACT_KEYS);
		}
	}
	return r;
}

static int purpose_signer(
	struct store *s, const char *purpose, struct signer **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *seed = NULL;
	int r = keys_purpose(s->keys, purpose, &seed, err);

	if (r == 0)
		*ret = signer_new(seed);
	return r;
}

int read_checkpoint(struct store *s, const struct signer *server, struct buf *ret, struct err *err)
{
	_cleanup_(signer_freep) struct signer *signer = NULL, *own = NULL;
	uint32_t count = store_volumes(s);
	_cleanup_(freep) struct checkpoint_volume *volumes = xcalloc(count + 1, sizeof(*volumes));
	struct checkpoint c = { .archive = s->archive,
		.time = clock_now(),
		.volumes = volumes,
		.volume_count = count };
	int r = purpose_signer(s, "checkpoint", &signer, err);

	if (r == 0 && !server) {
		r = purpose_signer(s, ACCOUNT_SERVER, &own, err);
		server = own;
	}
	if (r == 0)
		r = checkpoint_volumes(s, count, volumes, &c, err);
	if (r < 0)
		return r;
	checkpoint_format(&c, signer, server, ret);
	return buf_check(ret, err);
}

int store_checkpoint(struct store *s, struct buf *ret, struct err *err)
{
	int r = store_flush(s, err);

	/* The server's key must be that of the last commit. */
	(void)pthread_rwlock_rdlock(&s->whole);
	if (r == 0)
		r = read_checkpoint(s, NULL, ret, err);
	(void)pthread_rwlock_unlock(&s->whole);
	return r;
}

int store_server_key(struct store *s, struct public_key *ret, struct err *err)
{
	_cleanup_(signer_freep) struct signer *signer = NULL;
	int r = purpose_signer(s, ACCOUNT_SERVER, &signer, err);

	if (r == 0)
		*ret = *signer_public(signer);
	return r;
}
