/* applier.c - the thread behind the writer: frames become packs with index, keys go to keys.db,
 * refs move, frames are freed.
 *
 * In this order, each step durable before the next (FORMAT.md, invariant 2): packs; keys; refs;
 * then the journal's space is given back. Every step can be done twice: after a crash the frames
 * that are still in the journal are applied again from the first step. The ledger and the followers
 * come after the refs, so that they never know of more than the truth does.
 *
 * The content branch (FORMAT.md, section 6) is rewritten here: one directory for every pack that
 * brought envelopes. */
#include "store/internal.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	APPLY_MAX_BYTES = 32 << 20,  /* in one pack */
	APPLY_NOW_BYTES = 16 << 20,  /* no waiting for company above this */
	MERGE_MAX_BYTES = 256 << 20, /* bounds how long one merge keeps frames waiting */
	BUSY_PACKS = 4, /* times as many packs of a tier stand while there is other work */
	RETRY_MS = 1000,
};

/* ---- the content branch ---- */

static int load_content_tree(void *context, const struct oid *oid, struct buf *ret, struct err *err)
{
	struct store *s = context;

	return read_object(s, s->content.volume, oid, NULL, ret, err);
}

/* The last entry's number in a tree whose names are digits; *ret_oid is what stands there. */
static int last_entry(struct store *s, uint32_t volume, const struct oid *tree, uint64_t *ret,
	struct oid *ret_oid, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	struct tree_entry e;
	struct str rest;
	int r = read_object(s, volume, tree, NULL, &content, err);

	*ret = 0;
	rest = buf_str(&content);
	while (r >= 0 && (r = tree_next(&rest, &e, err)) > 0) {
		uint64_t n = 0;

		for (size_t i = 0; i < e.name.n; i++) {
			if (e.name.p[i] < '0' || e.name.p[i] > '9')
				return err_set(err, ERR_CORRUPT,
					tr("the content branch of volume %u has a strange entry"),
					volume);
			n = n * 10 + (uint64_t)(e.name.p[i] - '0');
		}
		*ret = n;
		*ret_oid = e.oid;
	}
	return r;
}

int content_root_of(struct str commit, uint32_t volume, struct oid *ret, struct err *err)
{
	struct str line = str_cut(&commit, '\n');

	if (!str_starts(line, "tree "))
		return err_set(err, ERR_CORRUPT,
			tr("the content branch of volume %u has a strange entry"), volume);
	return oid_parse((struct str){ line.p + 5, line.n - 5 }, ret, err);
}

int content_root(struct store *s, struct volume *v, struct oid *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	struct oid commit;
	int r = volume_ref(v, "refs/heads/content", &commit, err);

	*ret = (struct oid){ { 0 } };
	if (r < 0 || oid_is_zero(&commit))
		return r;
	r = read_object(s, volume_number(v), &commit, NULL, &content, err);
	return r < 0 ? r : content_root_of(buf_str(&content), volume_number(v), ret, err);
}

static int load_content(struct store *s, struct volume *v, struct err *err)
{
	struct content *c = &s->content;
	uint64_t p[3] = { 0, 0, 0 };
	struct oid root, at;
	int r;

	if (c->volume == volume_number(v))
		return 0;
	c->volume = volume_number(v);
	if (!c->trees)
		c->trees = tree_cache_new(load_content_tree, s);
	r = content_root(s, v, &root, err);
	tree_cache_reset(c->trees, &root);
	c->packs = 0;
	at = root;
	for (int i = 0; r == 0 && !oid_is_zero(&root) && i < 3; i++)
		r = last_entry(s, c->volume, &at, &p[i], &at, err);
	if (r == 0 && !oid_is_zero(&root))
		c->packs = p[0] * 4096 + p[1] * 64 + p[2] + 1;
	if (r < 0)
		c->volume = 0;
	return r;
}

void content_forget(struct store *s)
{
	s->content.volume = 0;
	tree_cache_free(TAKE_PTR(s->content.trees));
}

static int emit_to_pack(void *context, const struct oid *oid, struct str content, struct err *err)
{
	return pack_add(context, OBJECT_TREE, oid, content.p, content.n, NULL, err);
}

enum { DIGEST_TEXT = 2 * SHA256_BYTES + 1 };

struct envelope_name {
	struct digest sha256;
	struct oid oid;
};

static int by_name(const void *a, const void *b)
{
	return memcmp(((const struct envelope_name *)a)->sha256.b,
		((const struct envelope_name *)b)->sha256.b, sizeof(struct digest));
}

static void name_envelope(
	struct buf *names, struct str content, const struct digest *known, const struct oid *oid)
{
	struct envelope_name name = { .oid = *oid };

	if (known)
		name.sha256 = *known;
	else
		sha256(content.p, content.n, name.sha256.b);
	buf_add(names, &name, sizeof(name));
}

/* A file in a directory, named by its SHA-256 in hex. */
static struct tree_file file_of(const struct envelope_name *name, char hex[DIGEST_TEXT])
{
	return (struct tree_file){ { hex_encode(name->sha256.b, sizeof(name->sha256.b), hex),
					   DIGEST_TEXT - 1 },
		name->oid };
}

/* One directory with these envelopes, hung into the content tree under the next p. */
static int hang(struct store *s, struct pack_writer *w, struct buf *names, struct err *err)
{
	_cleanup_(buf_done) struct buf tree = BUF_INIT;
	_cleanup_(freep) struct tree_file *files = NULL;
	_cleanup_(freep) char(*hex)[DIGEST_TEXT] = NULL;
	struct envelope_name *list = (struct envelope_name *)(void *)names->p;
	size_t count = names->n / sizeof(*list), kept = 0;
	uint64_t p = s->content.packs;
	char path[64];
	struct oid oid;
	int r = buf_check(names, err);

	if (r < 0 || count == 0)
		return r;
	qsort(list, count, sizeof(*list), by_name);
	files = xcalloc(count, sizeof(*files));
	hex = xcalloc(count, sizeof(*hex));
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && by_name(&list[i - 1], &list[i]) == 0)
			continue;
		files[kept] = file_of(&list[i], hex[kept]);
		kept++;
	}
	tree_of_files(files, kept, &tree);
	r = buf_check(&tree, err);
	if (r < 0)
		return r;
	object_name(OBJECT_TREE, tree.p, tree.n, &oid);
	r = pack_add(w, OBJECT_TREE, &oid, tree.p, tree.n, NULL, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%04llu/%02llu/%02llu", (unsigned long long)(p / 4096),
		(unsigned long long)(p / 64 % 64), (unsigned long long)(p % 64));
	r = tree_cache_add_tree(s->content.trees, str_of(path), &oid, err);
	if (r == 0)
		s->content.packs++;
	return r;
}

int content_commit(struct store *s, struct pack_writer *w, struct oid *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	char tree[OID_TEXT], archive[ID_TEXT];
	struct oid root;
	int r = tree_cache_write(s->content.trees, emit_to_pack, w, &root, err);

	if (r < 0)
		return r;
	(void)hex_encode(s->archive.b, ID_BYTES, archive);
	buf_addf(&text, "tree %s\n", hex_encode(root.b, OID_BYTES, tree));
	buf_addf(&text, "author muniment <content@%s> 0 +0000\n", archive);
	buf_addf(&text, "committer muniment <content@%s> 0 +0000\n", archive);
	buf_addf(&text, "\ncontent of volume %u\n", s->content.volume);
	object_name(OBJECT_COMMIT, text.p, text.n, ret);
	return pack_add(w, OBJECT_COMMIT, ret, text.p, text.n, NULL, err);
}

/* ---- packs of large parts ---- */

static int adopt(struct store *s, struct volume *v, struct pack_writer *w, const struct oid *pack,
	struct err *err)
{
	_cleanup_(pack_closep) struct pack_reader *reader = NULL;
	_cleanup_(buf_done) struct buf names = BUF_INIT;
	int r = pack_move(s->incoming_dir, volume_pack_dir(v), pack, err);

	if (r == 0)
		r = pack_open(volume_pack_dir(v), pack, &reader, err);
	for (size_t i = 0; r == 0 && i < pack_count(reader); i++) {
		_cleanup_(buf_done) struct buf content = BUF_INIT;
		struct pack_entry e;

		r = pack_entry_at(reader, i, &e, err);
		if (r == 0)
			r = pack_entry_read(reader, i, &content, err);
		if (r == 0)
			name_envelope(&names, buf_str(&content), NULL, &e.oid);
	}
	return r < 0 ? r : hang(s, w, &names, err);
}

/* ---- frames to a pack ---- */

/* The frames of one apply; all of one volume. */
struct batch {
	struct pending_frame **frames;
	size_t count;
	uint32_t volume;
	struct map clear;     /* SHA-256 (its first 16 bytes) of slips, lists ... -> frame_object */
	struct map envelopes; /* oid -> frame_object */
};

static void batch_done(struct batch *b)
{
	free(b->frames);
	map_done(&b->clear);
	map_done(&b->envelopes);
}

static int add_objects(
	struct store *s, struct batch *b, struct volume *v, struct pack_writer *w, struct err *err)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT;
	int r = 0;

	for (size_t i = 0; i < b->count && r == 0; i++) {
		const struct frame *f = &b->frames[i]->frame;

		for (size_t k = 0; k < f->object_count && r == 0; k++) {
			const struct frame_object *o = &f->objects[k];
			bool fresh;

			r = pack_add(w, o->type, &o->oid, o->content.p, o->content.n, &fresh, err);
			if (r == 0 && fresh && o->is_envelope)
				name_envelope(&names, o->content, o->sha256, &o->oid);
		}
		for (size_t k = 0; k < f->pack_count && r == 0; k++)
			r = adopt(s, v, w, &f->packs[k], err);
	}
	return r < 0 ? r : hang(s, w, &names, err);
}

static int write_pack(struct store *s, struct batch *b, struct volume *v, struct oid *ret_content,
	struct err *err)
{
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct oid name;
	int r = load_content(s, v, err);

	if (r == 0)
		r = pack_begin(volume_pack_dir(v), &w, err);
	if (r == 0)
		r = add_objects(s, b, v, w, err);
	if (r == 0)
		r = content_commit(s, w, ret_content, err);
	if (r == 0)
		r = pack_finish(w, &name, err);
	if (r < 0)
		content_forget(s); /* its trees may be half written: load them again */
	return r;
}

static int apply_keys(struct store *s, const struct batch *b, struct err *err)
{
	_cleanup_(freep) struct wrapped_key *add = NULL;
	_cleanup_(freep) struct id *delete = NULL;
	size_t adds = 0, deletes = 0;

	for (size_t i = 0; i < b->count; i++) {
		adds += b->frames[i]->frame.key_count;
		deletes += b->frames[i]->frame.delete_count;
	}
	add = xcalloc(adds + 1, sizeof(*add));
	delete = xcalloc(deletes + 1, sizeof(*delete));
	adds = deletes = 0;
	for (size_t i = 0; i < b->count; i++) {
		const struct frame *f = &b->frames[i]->frame;

		if (f->key_count)
			memcpy(add + adds, f->keys, f->key_count * sizeof(*add));
		if (f->delete_count)
			memcpy(delete + deletes, f->deletes, f->delete_count * sizeof(*delete));
		adds += f->key_count;
		deletes += f->delete_count;
	}
	return keys_apply(
		s->keys, add, adds, delete, deletes, b->frames[b->count - 1]->frame.number, err);
}

/* ---- ledger and followers ---- */

static void index_objects(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct pending_frame *f = b->frames[i];

		for (size_t k = 0; k < f->frame.object_count; k++) {
			struct frame_object *o = &f->objects[k];
			uint8_t digest[SHA256_BYTES];

			if (o->type != OBJECT_BLOB)
				continue;
			if (o->is_envelope) {
				(void)map_put(&b->envelopes, o->oid.b, o);
				continue;
			}
			sha256(o->content.p, o->content.n, digest);
			(void)map_put(&b->clear, digest, o);
		}
	}
}

struct batch_facts {
	struct store *store;
	struct batch *batch;
};

static int batch_commit(void *context, const struct oid *oid, struct buf *ret, struct err *err)
{
	struct batch_facts *b = context;

	return read_object(b->store, b->batch->volume, oid, NULL, ret, err);
}

static int batch_file(void *context, const struct commit *commit, const struct listed *file,
	struct oid *ret_oid, struct buf *ret, struct err *err)
{
	struct batch_facts *b = context;
	const struct frame_object *o = map_get(&b->batch->clear, file->sha256.b);

	(void)commit;
	if (!o)
		return err_set(
			err, ERR_CORRUPT, tr("a frame lacks the file '%.*s'"), STR_ARG(file->path));
	*ret_oid = o->oid;
	buf_add_str(ret, o->content);
	return buf_check(ret, err);
}

static void tell(struct store *s, const struct batch *b, const struct facts *f)
{
	_cleanup_(freep) struct store_event *events = NULL;

	if (!s->on_applied || f->count == 0)
		return;
	events = xcalloc(f->count, sizeof(*events));
	for (size_t i = 0; i < f->count; i++) {
		const struct frame_object *o;

		event_of_fact(f, i, &events[i]);
		if (events[i].manifest_sealed.n)
			continue;
		o = map_get(&b->envelopes, events[i].manifest.oid.b);
		if (o && oid_equal(&o->oid, &events[i].manifest.oid))
			events[i].manifest_sealed = o->content;
	}
	s->on_applied(s->on_applied_context, events, f->count);
}

/* Whether the writer left what every action says; else it is read back, and needs the maps. */
static bool all_known(const struct batch *b, size_t *ret_count)
{
	bool known = true;

	*ret_count = 0;
	for (size_t i = 0; i < b->count; i++) {
		*ret_count += b->frames[i]->commit_count;
		for (size_t k = 0; k < b->frames[i]->commit_count; k++)
			known = known && b->frames[i]->commits[k].facts;
	}
	return known;
}

/* Commits of the batch that are beyond the ledger's mark go into it; all are told to the followers.
 */
static int follow_batch(struct store *s, struct batch *b, struct err *err)
{
	struct batch_facts source = { s, b };
	struct facts_reader reader = { batch_commit, batch_file, &source };
	_cleanup_(freep) struct facts *actions = NULL;
	size_t count, done = 0;
	bool rebuilt;
	int r = 0;

	if (!all_known(b, &count))
		index_objects(b);
	actions = xcalloc(count + 1, sizeof(*actions));
	for (size_t i = 0; i < b->count && r == 0; i++)
		for (size_t k = 0; k < b->frames[i]->commit_count && r == 0; k++) {
			const struct pending_action *a = &b->frames[i]->commits[k];

			/* Those of the frame own nothing: facts_done has nothing to free in them. */
			if (a->facts)
				actions[done] = *a->facts;
			else
				r = facts_read(&reader, &a->commit, &actions[done], err);
			if (r == 0)
				done++;
		}
	if (r == 0 && done)
		r = ledger_apply(s->ledger, actions, done, err);
	if (r ==
		-ERR_CONFLICT) /* it lost its last transactions, or missed frames that were applied before a crash */
		r = applier_follow(s, &rebuilt, err);
	for (size_t i = 0; i < done; i++) {
		if (r == 0)
			tell(s, b, &actions[i]);
		facts_done(&actions[i]);
	}
	return r;
}

static int apply(struct store *s, struct batch *b, struct err *err)
{
	const struct frame *last = &b->frames[b->count - 1]->frame;
	struct volume *v;
	struct oid content;
	int r = store_make_volume(s, b->volume, &v, err);

	if (r == 0)
		r = write_pack(s, b, v, &content, err);
	if (r == 0) {
		volume_refresh(v); /* readers who find nothing pending must find the new pack */
		r = apply_keys(s, b, err);
	}
	if (r == 0)
		r = volume_set_ref(v, "refs/heads/content", &content, err);
	if (r == 0)
		r = volume_set_ref(v, "refs/heads/main", &last->head, err);
	if (r == 0)
		r = follow_batch(s, b, err);
	if (r == 0)
		r = journal_free_until(s->journal, last->number, err);
	return r;
}

/* The oldest frames that make one pack. The caller holds s->lock, or is alone. */
static void collect(struct store *s, struct batch *b)
{
	struct pending_frame *f = s->pending.first;
	uint64_t bytes = 0;
	size_t room = 0;

	*b = (struct batch){ .volume = f->frame.volume };
	for (; f && f->frame.volume == b->volume &&
		(b->count == 0 || bytes + f->bytes <= APPLY_MAX_BYTES);
		f = f->next) {
		if (b->count == room) {
			room = room ? room * 2 : 16;
			b->frames = realloc(b->frames, room * sizeof(*b->frames));
			if (!b->frames)
				abort();
		}
		b->frames[b->count++] = f;
		bytes += f->bytes;
	}
}

/* ---- merging ---- */

struct sized {
	struct oid name;
	uint64_t bytes;
	unsigned tier;
};

uint64_t store_pack_bytes(int dir, const struct oid *name)
{
	char hex[OID_TEXT], file[64];
	struct stat st;

	(void)snprintf(file, sizeof(file), "pack-%s.pack", hex_encode(name->b, OID_BYTES, hex));
	return fstatat(dir, file, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

/* Packs of like size (within a factor of 8) are a tier; when enough stand in one, they become one
 * of the next. So every byte is copied a few times in its life and the number of packs stays small
 * (libgit2 keeps a descriptor for each). */
static unsigned tier_of(uint64_t bytes)
{
	unsigned tier = 0;

	for (bytes >>= 16; bytes; bytes >>= 3)
		tier++;
	return tier;
}

static int merge_once(struct volume *v, size_t enough, bool *ret_merged, struct err *err)
{
	_cleanup_(freep) struct oid *names = NULL;
	_cleanup_(freep) struct oid *chosen = NULL;
	size_t count, per_tier[32] = { 0 };
	int dir = volume_pack_dir(v), r = pack_list(dir, &names, &count, err);

	*ret_merged = false;
	if (r < 0 || count < enough)
		return r;
	chosen = xcalloc(count, sizeof(*chosen));
	for (size_t i = 0; i < count; i++)
		per_tier[tier_of(store_pack_bytes(dir, &names[i])) % 32]++;
	for (unsigned tier = 0; tier < 32; tier++) {
		uint64_t bytes = 0;
		size_t n = 0;
		struct oid merged;

		if (per_tier[tier] < enough)
			continue;
		for (size_t i = 0; i < count; i++) {
			uint64_t size = store_pack_bytes(dir, &names[i]);

			if (tier_of(size) % 32 != tier || bytes + size > MERGE_MAX_BYTES)
				continue;
			chosen[n++] = names[i];
			bytes += size;
		}
		if (n < 2)
			continue;
		r = pack_merge(dir, chosen, n, NULL, NULL, &merged, err);
		if (r < 0)
			return r;
		volume_refresh(v);
		*ret_merged = true;
		return 0;
	}
	return 0;
}

static bool has_pending(struct store *s)
{
	bool has;

	(void)pthread_mutex_lock(&s->lock);
	has = s->pending.first != NULL;
	(void)pthread_mutex_unlock(&s->lock);
	return has;
}

/* Merging copies every byte once or twice in its life, so it is left for when nothing waits to be applied; but the
 * number of packs must not grow without end while people never stop. A merge that fails leaves everything as it was;
 * the next one tries again. */
static void merge(struct store *s, uint32_t volume)
{
	struct volume *v;
	bool merged = store_volume(s, volume, &v, NULL) == 0;

	while (merged) {
		size_t enough = s->options.merge_packs;

		if (has_pending(s))
			enough *= BUSY_PACKS;
		if (merge_once(v, enough, &merged, NULL) < 0)
			break;
	}
}

/* ---- the thread ---- */

static void wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	(void)pthread_cond_timedwait(cond, lock, &at);
}

/* A pack costs half a dozen syncs, and the databases write fewer pages for many rows at once; but the writer
 * should not come to its limit meanwhile. */
bool applier_has_enough(const struct store *s)
{
	uint64_t some = s->options.pending_max_bytes / 4;

	return s->pending.bytes >= (some < APPLY_NOW_BYTES ? some : APPLY_NOW_BYTES);
}

static bool is_time(struct store *s, int64_t since)
{
	return s->flush_now || s->applier_stopping || applier_has_enough(s) ||
	       clock_ticks() - since >= s->options.apply_delay_ms * 1000000;
}

/* Wait for frames, and a little for company; false when it is time to end. The lock is held. */
static bool wait_for_frames(struct store *s)
{
	int64_t since;

	while (!s->pending.first && !s->applier_stopping) {
		s->flush_now = false;
		(void)pthread_cond_wait(&s->frames, &s->lock);
	}
	since = clock_ticks();
	while (s->pending.first && !is_time(s, since))
		wait_ms(&s->frames, &s->lock, s->options.apply_delay_ms);
	return s->pending.first != NULL;
}

static void *run(void *context)
{
	struct store *s = context;

	(void)pthread_setname_np(pthread_self(), "applier");
	tr_set_language((enum tr_language)s->applier_language);
	(void)pthread_mutex_lock(&s->lock);
	while (wait_for_frames(s)) {
		_cleanup_(batch_done) struct batch b;
		struct err err = ERR_INIT;
		uint32_t volume;
		int r;

		collect(s, &b);
		volume = b.volume;
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_mutex_lock(&s->packs_lock);
		r = apply(s, &b, &err);
		(void)pthread_mutex_unlock(&s->packs_lock);
		(void)pthread_mutex_lock(&s->lock);
		s->applier_error = r;
		s->applier_err = err;
		if (r == 0) {
			s->applied_frame = b.frames[b.count - 1]->frame.number;
			pending_retire(&s->pending, b.count);
		}
		(void)pthread_cond_broadcast(&s->applied);
		(void)pthread_cond_broadcast(&s->space);
		if (r < 0 && s->applier_stopping)
			break; /* the frames are durable in the journal: the next start applies them
				*/
		if (r < 0) {
			wait_ms(&s->frames, &s->lock, RETRY_MS);
			continue;
		}
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_mutex_lock(&s->packs_lock);
		merge(s, volume);
		(void)pthread_mutex_unlock(&s->packs_lock);
		(void)pthread_mutex_lock(&s->lock);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

int applier_start(struct store *s, struct err *err)
{
	s->applier_stopping = false;
	s->applier_language = tr_language();
	if (pthread_create(&s->applier_thread, NULL, run, s) != 0)
		return err_set(err, ERR_IO, tr("cannot start a thread"));
	s->applier_runs = true;
	return 0;
}

void applier_stop(struct store *s)
{
	if (!s->applier_runs)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->applier_stopping = true;
	(void)pthread_cond_broadcast(&s->frames);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->applier_thread, NULL);
	s->applier_runs = false;
}

int store_flush(struct store *s, struct err *err)
{
	uint64_t target;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	target = s->published_frame;
	while (s->applier_runs && s->applied_frame < target && r == 0) {
		s->flush_now = true;
		s->applier_error = 0;
		(void)pthread_cond_broadcast(&s->frames);
		(void)pthread_cond_wait(&s->applied, &s->lock);
		if (s->applier_error)
			r = err_set(err, -s->applier_error, "%s", s->applier_err.text);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

/* ---- at start ---- */

/* A frame of the journal as if the writer had just published it, without heads: nobody asks yet. */
static int take_frame(void *context, const struct frame *f, struct err *err)
{
	struct store *s = context;
	struct pending_frame *p = pending_frame_new(f->volume);

	(void)err;
	for (size_t i = 0; i < f->object_count; i++) {
		const struct frame_object *o = &f->objects[i];
		struct digest digest;

		if (o->is_envelope) {
			sha256(o->content.p, o->content.n, digest.b);
			(void)pending_frame_add_envelope(p, &o->oid, &digest, o->content);
		} else {
			(void)pending_frame_add(p, o->type, &o->oid, o->content);
		}
		if (o->type == OBJECT_COMMIT)
			pending_frame_add_commit(p, &o->oid);
	}
	for (size_t i = 0; i < f->key_count; i++)
		pending_frame_add_key(p, &f->keys[i]);
	for (size_t i = 0; i < f->pack_count; i++)
		pending_frame_add_pack(p, &f->packs[i]);
	for (size_t i = 0; i < f->delete_count; i++)
		pending_frame_add_delete(p, &f->deletes[i]);
	p->frame.number = f->number;
	p->frame.head = f->head;
	p->frame.head_before = f->head_before;
	pending_publish(&s->pending, p);
	return 0;
}

struct mains {
	struct store *store;
	uint32_t volume; /* that `main` was read of */
	struct oid main;
	int result;
	struct err *err;
};

/* Whether a frame's head is what main already points to: then it and all before are done but for freeing them. */
static bool is_main(void *context, uint32_t volume, const struct oid *head)
{
	struct mains *m = context;
	struct volume *v;

	if (m->result < 0 || volume > m->store->volume_count)
		return false;
	if (m->volume != volume) {
		m->volume = volume;
		m->result = store_volume(m->store, volume, &v, m->err);
		if (m->result == 0)
			m->result = volume_ref(v, "refs/heads/main", &m->main, m->err);
	}
	return m->result == 0 && oid_equal(&m->main, head);
}

int applier_replay(struct store *s, uint64_t *ret_frames, struct err *err)
{
	struct mains mains = { .store = s, .err = err };
	uint64_t done;
	int r = journal_find_done(s->journal, is_main, &mains, &done, err);

	if (r == 0)
		r = mains.result;
	if (r == 0)
		r = journal_replay(s->journal, done + 1, take_frame, s, err);
	if (r == 0 && done)
		r = journal_free_until(s->journal, done, err);
	*ret_frames = s->pending.frames;
	while (r == 0 && s->pending.first) {
		_cleanup_(batch_done) struct batch b;

		collect(s, &b);
		r = apply(s, &b, err);
		if (r == 0)
			pending_retire(&s->pending, b.count);
	}
	return r;
}

static int into_ledger(void *context, struct facts *f, struct err *err)
{
	struct store *s = context;

	return ledger_apply(s->ledger, f, 1, err);
}

/* Whether the ledger has seen actions that the history does not have (any more). */
static int is_ahead(struct store *s, const struct ledger_mark *mark, const struct oid *head,
	bool *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct commit c;
	int r = read_object(s, s->volume_count, head, NULL, &content, err);

	if (r == 0)
		r = commit_parse(buf_str(&content), &c, &memory, err);
	if (r == 0)
		*ret = mark->actions >= c.actions;
	return r;
}

int applier_follow(struct store *s, bool *ret_rebuilt, struct err *err)
{
	struct ledger_mark mark;
	struct oid head;
	bool ahead;
	int r = ledger_mark(s->ledger, &mark, err);

	*ret_rebuilt = false;
	if (r < 0 || s->volume_count == 0)
		return r;
	r = store_main(s, s->volume_count, &head, err);
	if (r < 0 || (mark.volume == s->volume_count && oid_equal(&mark.commit, &head)))
		return r;
	r = is_ahead(s, &mark, &head, &ahead, err);
	if (r == 0 && ahead) {
		r = ledger_clear(s->ledger, err);
		mark.volume = 0;
	}
	if (r < 0)
		return r;
	*ret_rebuilt = mark.volume == 0;
	return read_each_action(s, mark.volume ? mark.actions : 0, into_ledger, s, err);
}

int applier_remove_orphans(struct store *s, uint64_t *ret, struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	int r = file_list(s->incoming_dir, &names, &count, err);

	*ret = count;
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = file_unlink(s->incoming_dir, names[i], err);
	}
	free(names);
	return r;
}
