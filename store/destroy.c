/* destroy.c - the primitive of destruction (FORMAT.md, section 11).
 *
 * The tombstone's frame is the point of no return: it deletes the keys and is durable before
 * anything is taken away. What is taken away is what the tombstone names as it stands in the history, read back after
 * everything was applied: without one there is nothing to take away. What follows only removes what nobody may read any
 * more, in an order in which every step can be done again: keys (and SQLite's WAL), the journal's used bytes and what
 * was set aside of it, the entries of the content branch, the packs. At every start the list of tombstones
 * is gone through before anything is served: a key row that came back from an old copy of keys.db goes
 * again. */
#include "store/internal.h"

#include "core/base/tr.h"

#include <stdlib.h>

/* What is to go: envelopes by name, of one volume or of all. */
struct victims {
	struct map oids; /* oid (first 16 bytes) -> itself */
	struct buf list; /* struct slip_blob */
};

static void victims_init(struct victims *v)
{
	map_init(&v->oids);
	buf_init(&v->list, (size_t)1 << 30);
}

static void victims_done(struct victims *v)
{
	map_done(&v->oids);
	buf_done(&v->list);
}

static void add_victim(struct victims *v, const struct slip_blob *blob)
{
	static const int present = 1;

	if (map_put(&v->oids, blob->oid.b, (void *)(uintptr_t)&present))
		return; /* a part that later versions kept is named by each of their slips */
	buf_add(&v->list, blob, sizeof(*blob));
}

static bool is_victim(void *context, const struct oid *oid)
{
	const struct victims *v = context;

	return map_get(&v->oids, oid->b) != NULL;
}

/* ---- the tombstone ---- */

static int gather(struct store *s, const struct record_head *h, struct victims *victims,
	struct buf *keys, struct err *err)
{
	for (uint64_t version = h->version; version >= 1; version--) {
		_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(SLIP_MAX_BYTES);
		_cleanup_(freep) void *memory = NULL;
		struct slip slip;
		int r = store_slip(s, h, version, &text, NULL, err);

		if (r == 0)
			r = slip_parse(buf_str(&text), &slip, &memory, err);
		if (r < 0)
			return r;
		add_victim(victims, &slip.manifest);
		for (size_t i = 0; i < slip.part_count; i++)
			add_victim(victims, &slip.parts[i].blob);
		buf_add(keys, slip.keys, slip.key_count * sizeof(*slip.keys));
	}
	return buf_check(keys, err);
}

static int bury(struct store *s, const struct id *record, const char *account, uint32_t uid,
	const struct id *action, int64_t time, struct victims *victims, struct err *err)
{
	_cleanup_(buf_done) struct buf keys = BUF_INIT;
	struct change_record cr = { .record = *record };
	struct change c = { .act = ACT_DESTROY,
		.action = *action,
		.account = account,
		.uid = uid,
		.time = time,
		.records = &cr,
		.record_count = 1 };
	struct tombstone t = {
		.archive = s->archive, .record = *record, .epoch = keys_epoch(s->keys)
	};
	struct record_head h;
	int r = store_find(s, record, &h, err);

	if (r < 0)
		return r;
	if (h.destroyed)
		r = err_set(err, ERR_DESTROYED, tr("record '%s' was destroyed"), h.number);
	if (r == 0)
		r = gather(s, &h, victims, &keys, err);
	if (r == 0) {
		t.sequence = h.sequence;
		t.versions = h.version;
		t.number = str_of(h.number);
		t.keys = (const struct id *)(const void *)keys.p;
		t.key_count = keys.n / sizeof(struct id);
		t.envelopes = (const struct slip_blob *)(const void *)victims->list.p;
		t.envelope_count = victims->list.n / sizeof(struct slip_blob);
		cr.context = &t;
		r = store_write(s, &c, err);
	}
	free(cr.ret_number);
	record_head_done(&h);
	return r;
}

/* ---- taking away ---- */

static int load_content(void *context, const struct oid *oid, struct buf *ret, struct err *err)
{
	struct volume *v = context;

	return volume_read(v, oid, NULL, ret, err);
}

/* The paths of victims below a tree of the content branch; depth 3 holds the envelopes. */
static int find_entries(struct volume *v, const struct oid *tree, struct str path, int depth,
	const struct victims *victims, struct buf *paths, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	struct tree_entry e;
	struct str rest;
	int r = volume_read(v, tree, NULL, &content, err);

	rest = buf_str(&content);
	while (r >= 0 && (r = tree_next(&rest, &e, err)) > 0) {
		_cleanup_(buf_done) struct buf below = BUF_INIT;

		buf_addf(&below, "%.*s%s%.*s", STR_ARG(path), path.n ? "/" : "", STR_ARG(e.name));
		if (depth < 3) {
			r = find_entries(
				v, &e.oid, buf_str(&below), depth + 1, victims, paths, err);
		} else if (map_get(&victims->oids, e.oid.b)) {
			buf_add_str(paths, buf_str(&below));
			buf_addc(paths, '\0');
		}
	}
	return r < 0 ? r : buf_check(paths, err);
}

/* A new content tree without them, in a pack of its own; then the ref. */
static int leave_content(
	struct store *s, struct volume *v, const struct victims *victims, struct err *err)
{
	_cleanup_(buf_done) struct buf paths = BUF_INIT_MAX((size_t)1 << 30);
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct oid root, commit, name;
	int r = content_root(s, v, &root, err);

	if (r < 0 || oid_is_zero(&root))
		return r;
	r = find_entries(v, &root, STR(""), 0, victims, &paths, err);
	if (r < 0 || paths.n == 0)
		return r;
	content_forget(s);
	s->content.trees = tree_cache_new(load_content, v);
	s->content.volume = volume_number(v);
	tree_cache_reset(s->content.trees, &root);
	for (size_t at = 0; r == 0 && at < paths.n; at += strlen(paths.p + at) + 1)
		r = tree_cache_remove(s->content.trees, str_of(paths.p + at), err);
	if (r == 0)
		r = pack_begin(volume_pack_dir(v), &w, err);
	if (r == 0)
		r = content_commit(s, w, &commit, err);
	if (r == 0)
		r = pack_finish(w, &name, err);
	volume_refresh(v);
	if (r == 0)
		r = volume_set_ref(v, "refs/heads/content", &commit, err);
	content_forget(s);
	return r;
}

static int holds_victim(
	int dir, const struct oid *pack, const struct victims *victims, bool *ret, struct err *err)
{
	_cleanup_(pack_closep) struct pack_reader *reader = NULL;
	int r = pack_open(dir, pack, &reader, err);

	*ret = false;
	for (size_t i = 0; r == 0 && !*ret && i < pack_count(reader); i++) {
		struct pack_entry e;

		r = pack_entry_at(reader, i, &e, err);
		if (r == 0)
			*ret = map_get(&victims->oids, e.oid.b) != NULL;
	}
	return r;
}

static int leave_packs(struct volume *v, struct victims *victims, struct err *err)
{
	_cleanup_(freep) struct oid *packs = NULL;
	int dir = volume_pack_dir(v);
	size_t count = 0;
	int r = pack_list(dir, &packs, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct oid merged;
		bool holds;

		r = holds_victim(dir, &packs[i], victims, &holds, err);
		if (r == 0 && holds)
			r = pack_merge(dir, &packs[i], 1, is_victim, victims, &merged, err);
	}
	volume_refresh(v);
	return r;
}

static int take_away(struct store *s, struct victims *victims, struct err *err)
{
	int r = keys_truncate_wal(s->keys, err);

	if (r == 0)
		r = journal_wipe(s->journal, err);
	if (r == 0)
		r = journal_wipe_aside(s->journal, err);
	for (uint32_t n = 1; r == 0 && n <= s->volume_count; n++) {
		struct volume *v;

		r = store_volume(s, n, &v, err);
		if (r == 0)
			r = leave_content(s, v, victims, err);
		if (r == 0)
			r = leave_packs(v, victims, err);
	}
	return r;
}

/* The envelopes that a record's tombstone names, as it stands in the history. */
static int read_tombstone(
	struct store *s, const struct id *record, struct victims *victims, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT, text = BUF_INIT_MAX(SLIP_MAX_BYTES);
	_cleanup_(freep) void *memory = NULL;
	struct tombstone t;
	struct record_head h;
	int r = store_find(s, record, &h, err);

	if (r < 0)
		return r;
	buf_addf(&path, "%s/destroyed", h.folder);
	record_head_done(&h);
	r = -ERR_NOTFOUND;
	/* It stands in the volume that was open then: the newest ones first. */
	for (uint32_t v = s->volume_count; v >= 1 && r == -ERR_NOTFOUND; v--) {
		buf_reset(&text);
		r = read_main_file(s, v, buf_str(&path), &text, err);
	}
	if (r == 0)
		r = tombstone_parse(buf_str(&text), &t, &memory, err);
	for (size_t i = 0; r == 0 && i < t.envelope_count; i++)
		add_victim(victims, &t.envelopes[i]);
	return r;
}

static int destroy_whole(struct store *s, const struct id *record, const char *account,
	uint32_t uid, const struct id *action, int64_t time, struct err *err)
{
	_cleanup_(victims_done) struct victims victims, named;
	int r;

	victims_init(&victims);
	victims_init(&named);
	r = bury(s, record, account, uid, action, time, &named, err);
	if (r < 0)
		return r;
	r = writer_hold(s, err);
	if (r == 0)
		r = read_tombstone(s, record, &victims, err);
	(void)pthread_mutex_lock(&s->packs_lock);
	if (r == 0)
		r = take_away(s, &victims, err);
	(void)pthread_mutex_unlock(&s->packs_lock);
	if (r == 0)
		r = ledger_finished(s->ledger, record, err);
	writer_release(s);
	return r;
}

int store_destroy(struct store *s, const struct id *record, const char *account, uint32_t uid,
	const struct id *action, int64_t time, struct err *err)
{
	int r;

	(void)pthread_rwlock_wrlock(&s->whole);
	r = destroy_whole(s, record, account, uid, action, time, err);
	(void)pthread_rwlock_unlock(&s->whole);
	return r;
}

/* ---- at every start ---- */

static int collect_id(void *context, const struct id *record, struct err *err)
{
	struct buf *ids = context;

	buf_add(ids, record, sizeof(*record));
	return buf_check(ids, err);
}

int destroy_finish_all(struct store *s, uint64_t *ret_finished, struct err *err)
{
	_cleanup_(victims_done) struct victims victims;
	_cleanup_(buf_done) struct buf all = BUF_INIT, open = BUF_INIT;
	uint64_t came_back = 0;
	size_t count;
	int r;

	victims_init(&victims);
	*ret_finished = 0;
	r = ledger_destroyed(s->ledger, false, collect_id, &all, err);
	if (r == 0 && all.n)
		r = keys_delete_records(s->keys, (const struct id *)(const void *)all.p,
			all.n / ID_BYTES, &came_back, err);
	if (r == 0)
		r = ledger_destroyed(s->ledger, came_back == 0, collect_id, &open, err);
	count = open.n / ID_BYTES;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct id record;

		memcpy(record.b, open.p + i * ID_BYTES, ID_BYTES);
		r = read_tombstone(s, &record, &victims, err);
	}
	if (r == 0 && count)
		r = take_away(s, &victims, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct id record;

		memcpy(record.b, open.p + i * ID_BYTES, ID_BYTES);
		r = ledger_finished(s->ledger, &record, err);
	}
	if (r == 0)
		*ret_finished = count;
	return r;
}
