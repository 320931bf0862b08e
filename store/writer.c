/* writer.c - makes history, one frame at a time.
 *
 * A thread does it; or, when nobody writes and nothing waits, the thread that brings a change, so that a
 * single client's answer costs no hand-over. Whoever set `writing` under the store's lock is the writer,
 * and struct writer is his until he clears it.
 *
 * The writer takes every change that waits (natural group commit: while one frame is being made durable the
 * next changes queue up), stages each against what is in packs, in pending frames and in the frame
 * that is being built, makes one signed commit per action, appends one frame for all of them, and
 * only then publishes and answers (FORMAT.md, invariants 1, 3, 5, 6).
 *
 * Staging a change is all or nothing: an undo log takes back what its first records staged when a
 * later one is refused. When the frame itself fails before it was written (no space), everything
 * staged is dropped and the writer stands where it stood; when its outcome is unknown, the writer
 * stops for good (journal.h). */
#include "store/internal.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tr.h"
#include "store/envelope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BATCH_MAX_CHANGES = 1024,
	BATCH_MAX_BYTES = 32 << 20,
	NUMBER_MAX = 200,
	RECORD_OVERHEAD = 8192,
	SERIAL_MAX_DIGITS = 12
};

static const char readme[] =
	"这是一个卷宗（Muniment）档案库的卷库。\n"
	"main 分支是只增不改的签名历史：每次操作一个提交，每个档案版本一张凭条（v1、v2 "
	"……），凭条写明密文的 SHA-256。\n"
	"密文挂在 content 分支上，没有档案库的密钥无法阅读。\n"
	"核对方法：scripts/verify-archive.sh，只用 git、ssh-keygen 和 sha256sum；字节格式见 "
	"store/FORMAT.md。\n"
	"\n"
	"This is a volume of a Muniment records archive.\n"
	"The branch main is a signed, append-only history: one commit per action, and for every "
	"version of a record one slip (v1, v2 ...)\n"
	"which names its ciphertext by SHA-256. The ciphertext hangs on the branch content and "
	"cannot be read without the keys.\n"
	"To verify: scripts/verify-archive.sh, with git, ssh-keygen and sha256sum alone; the bytes "
	"are described in store/FORMAT.md.\n";

/* ---- undo ---- */

struct undo {
	struct map *map;
	struct map_key key;
	void *before;
};

struct undo_log {
	struct undo *rows;
	size_t count, room;
};

static void stage(struct undo_log *log, struct map *map, const void *key16, void *value)
{
	struct undo *row;

	if (log->count == log->room) {
		log->room = log->room ? log->room * 2 : 64;
		log->rows = realloc(log->rows, log->room * sizeof(*log->rows));
		if (!log->rows)
			abort();
	}
	row = &log->rows[log->count++];
	row->map = map;
	memcpy(&row->key, key16, sizeof(row->key));
	row->before = map_put(map, key16, value);
}

/* Take back what was staged since the log had `mark` rows. */
static void undo_to(struct undo_log *log, size_t mark)
{
	while (log->count > mark) {
		struct undo *row = &log->rows[--log->count];

		(void)map_put(row->map, row->key.b, row->before);
	}
}

static void undo_done(struct undo_log *log)
{
	free(log->rows);
}

static void unstage(struct staged *staged)
{
	map_done(&staged->heads);
	map_done(&staged->numbers);
	map_done(&staged->requests);
}

/* ---- what stands already: staged, pending, ledger, in this order ---- */

static void copy_out(const struct pending_head *h, struct record_head *ret)
{
	*ret = h->head;
	ret->number = xstrdup(h->head.number);
	ret->folder = xstrdup(h->head.folder);
}

static int find_head(
	struct store *s, const struct id *record, struct record_head *ret, struct err *err)
{
	const struct pending_head *h = map_get(&s->w.staged.heads, record->b);

	if (h) {
		copy_out(h, ret);
		return 0;
	}
	return store_find(s, record, ret, err);
}

static int find_request(struct store *s, const struct id *request, struct id *ret, struct err *err)
{
	const struct pending_head *h = map_get(&s->w.staged.requests, request->b);

	if (h) {
		*ret = h->head.record;
		return 0;
	}
	return store_find_request(s, request, ret, err);
}

static int check_number_free(
	struct store *s, struct str number, const struct map_key *key, struct err *err)
{
	struct record_head other;
	int r;

	if (!map_get(&s->w.staged.numbers, key->b)) {
		r = store_find_number(s, number, &other, NULL);
		if (r == -ERR_NOTFOUND)
			return 0;
		if (r < 0)
			return err_set(
				err, -r, tr("cannot look up number '%.*s'"), STR_ARG(number));
		record_head_done(&other);
	}
	return err_set(err, ERR_EXISTS, tr("number '%.*s' is taken; a number is used once"),
		STR_ARG(number));
}

/* ---- numbers ---- */

static int check_number(struct str number, struct err *err)
{
	bool good =
		number.n > 0 && number.n <= NUMBER_MAX && number.p[0] != '.' && str_is_utf8(number);

	for (size_t i = 0; good && i < number.n; i++)
		good = (uint8_t)number.p[i] >= 0x20 && number.p[i] != '/' && number.p[i] != 0x7f;
	if (!good)
		return err_set(err, ERR_INVALID, tr("'%.*s' cannot be the number of a record"),
			STR_ARG(number));
	return 0;
}

/* The next serial of a scope, staged (invariant 6). */
static int draw_serial(struct store *s, struct undo_log *log, const struct change_record *c,
	uint64_t *ret, struct err *err)
{
	struct str scope = c->scope;
	unsigned digits = c->serial_may_widen ? SERIAL_MAX_DIGITS : c->serial_digits;
	struct map_key key = map_key(scope.p, scope.n);
	uint64_t last = (uint64_t)(uintptr_t)map_get(&s->w.staged.serials, key.b), limit = 1;
	int r;

	if (last == 0) {
		r = ledger_serial(s->ledger, scope, &last, err);
		if (r < 0)
			return r;
		last++;
	}
	for (unsigned i = 0; i < digits; i++)
		limit *= 10;
	if (last >= limit)
		return err_set(err, ERR_LIMIT,
			tr("the serials of '%.*s' are used up (REC-10): none is used twice; widen "
			   "the number rule"),
			STR_ARG(scope));
	stage(log, &s->w.staged.serials, key.b, (void *)(uintptr_t)(last + 1));
	*ret = last;
	return 0;
}

static int draw_number(struct store *s, struct undo_log *log, const struct change_record *c,
	uint64_t *ret_serial, struct str *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf number = BUF_INIT_MAX(NUMBER_MAX + 64);
	struct str head = c->number_head, tail = c->number_tail;
	bool good = true;
	int r;

	if (c->scope.n == 0) {
		*ret_serial = 0;
		*ret = (struct str){ arena_text(s->w.building->arena, c->number), c->number.n };
		return check_number(*ret, err);
	}
	if (!head.n && !tail.n) {
		tail = c->scope;
		head = str_cut(&tail, '*');
		good = tail.p != NULL;
	}
	if (!good || c->serial_digits < 1 || c->serial_digits > SERIAL_MAX_DIGITS)
		return err_set(err, ERR_INVALID, tr("'%.*s' is not the scope of a number"),
			STR_ARG(c->scope));
	r = draw_serial(s, log, c, ret_serial, err);
	if (r < 0)
		return r;
	buf_add_str(&number, head);
	buf_add_padded(&number, *ret_serial, c->serial_digits);
	buf_add_str(&number, tail);
	r = buf_check(&number, err);
	if (r < 0)
		return r;
	*ret = (struct str){ arena_text(s->w.building->arena, buf_str(&number)), number.n };
	return check_number(*ret, err);
}

/* ---- staging one record ---- */

/* A file that the action adds to main. */
struct added {
	struct str path;
	struct digest sha256;
	struct oid oid;
};

/* What an action says, for those who follow: gathered while it is staged. */
struct saying {
	struct fact *facts;
	size_t count;
	bool is_known; /* false: to be read back from what was written */
};

static struct str text_of(struct writer *w, const char *fmt, ...) _printf_(2, 3);

static struct str text_of(struct writer *w, const char *fmt, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	return (struct str){ arena_text(w->building->arena, str_of(text)), (size_t)n };
}

/* "<folder>/<hi>/<lo>/<number>": FORMAT.md, section 6. */
static struct str folder_of(
	struct writer *w, struct str folder, uint64_t sequence, struct str number)
{
	buf_reset(&w->path);
	buf_add_str(&w->path, folder);
	buf_addc(&w->path, '/');
	buf_add_padded(&w->path, sequence / 1024, 4);
	buf_addc(&w->path, '/');
	buf_add_padded(&w->path, sequence / 32 % 32, 2);
	buf_addc(&w->path, '/');
	buf_add_str(&w->path, number);
	return (struct str){ arena_text(w->building->arena, buf_str(&w->path)), w->path.n };
}

static struct str slip_path(struct writer *w, struct str folder, uint64_t version)
{
	buf_reset(&w->path);
	buf_add_str(&w->path, folder);
	buf_adds(&w->path, "/v");
	buf_add_u64(&w->path, version);
	return (struct str){ arena_text(w->building->arena, buf_str(&w->path)), w->path.n };
}

static void add_clear(struct writer *w, struct str path, const struct buf *text, struct added *ret)
{
	object_name(OBJECT_BLOB, text->p, text->n, &ret->oid);
	sha256(text->p, text->n, ret->sha256.b);
	ret->path = path;
	(void)pending_frame_add(w->building, OBJECT_BLOB, &ret->oid, buf_str(text));
}

static int seal_manifest(struct store *s, const struct change_record *c, const struct drawn *drawn,
	struct slip_blob *ret, struct str *ret_sealed, struct err *err)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(1 << 20);
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	const struct envelope_binding binding = { s->archive, c->record };
	struct envelope_head head = {
		.kind = ENVELOPE_MANIFEST, .key = c->manifest_key_id, .chunks = 1
	};
	int r = c->manifest(c->context, drawn, &plain, err);

	if (r == 0)
		r = buf_check(&plain, err);
	if (r < 0)
		return r;
	head.plain_bytes = plain.n;
	r = envelope_seal(&binding, &head, c->manifest_key, plain.p, &sealed, err);
	if (r < 0)
		return r;
	ret->volume = s->w.volume;
	ret->bytes = sealed.n;
	sha256(sealed.p, sealed.n, ret->sha256.b);
	object_name(OBJECT_BLOB, sealed.p, sealed.n, &ret->oid);
	*ret_sealed = pending_frame_add_envelope(
		s->w.building, &ret->oid, &ret->sha256, buf_str(&sealed));
	return 0;
}

static int stage_parts(
	struct writer *w, const struct change_record *c, struct slip *slip, struct err *err)
{
	struct slip_part *parts;
	size_t count = 0, at = 0;

	for (size_t i = 0; i < c->part_count; i++)
		count += c->parts[i].chunk_count;
	if (count > SLIP_MAX_PARTS)
		return err_set(err, ERR_LIMIT, tr("a record has at most %d pieces of parts"),
			SLIP_MAX_PARTS);
	parts = arena_zero(w->building->arena, count, sizeof(*parts));
	for (size_t i = 0; i < c->part_count; i++) {
		const struct change_part *p = &c->parts[i];

		for (size_t k = 0; k < p->chunk_count; k++, at++) {
			const struct change_chunk *chunk = &p->chunks[k];

			parts[at] = (struct slip_part){ p->part, (uint32_t)k,
				(uint32_t)p->chunk_count, chunk->blob };
			if (chunk->blob.volume)
				continue;
			parts[at].blob.volume = w->volume;
			if (chunk->sealed.n)
				(void)pending_frame_add_envelope(w->building, &chunk->blob.oid,
					&chunk->blob.sha256, chunk->sealed);
		}
	}
	slip->parts = parts;
	slip->part_count = count;
	return 0;
}

static void stage_head(struct writer *w, struct undo_log *log, const struct slip *slip,
	struct str folder, const struct added *file, bool is_new)
{
	struct pending_head *h = arena_zero(w->building->arena, 1, sizeof(*h));

	h->head = (struct record_head){ .record = slip->record,
		.sequence = slip->sequence,
		.version = slip->version,
		.volume = w->volume,
		.slip = file->sha256,
		.slip_oid = file->oid,
		.number = arena_text(w->building->arena, slip->number),
		.folder = arena_text(w->building->arena, folder) };
	h->has_request = slip->has_request;
	h->request = slip->request;
	h->number_key = map_key(slip->number.p, slip->number.n);
	stage(log, &w->staged.heads, h->head.record.b, h);
	if (is_new)
		stage(log, &w->staged.numbers, h->number_key.b, h);
	if (h->has_request)
		stage(log, &w->staged.requests, h->request.b, h);
	pending_frame_add_head(w->building, h);
}

static void answer_record(struct change_record *c, const struct record_head *h, bool existing)
{
	c->ret_existing = existing;
	c->ret_sequence = h->sequence;
	c->ret_version = h->version;
	free(c->ret_number);
	c->ret_number = xstrdup(h->number);
}

/* Whether its request was answered before; then `c` tells of that one. */
static int answered_before(struct store *s, struct change_record *c, bool *ret, struct err *err)
{
	struct record_head h;
	struct id record;
	int r;

	*ret = false;
	if (!c->has_request)
		return 0;
	r = find_request(s, &c->request, &record, NULL);
	if (r == -ERR_NOTFOUND)
		return 0;
	if (r == 0)
		r = find_head(s, &record, &h, err);
	if (r < 0)
		return err_prefix(err, r, tr("looking up a request key"));
	answer_record(c, &h, true);
	record_head_done(&h);
	*ret = true;
	return 0;
}

/* The record as it will be: number and folder of a new one, or of the one that is revised
 * (invariant: the version that the caller saw is still the newest). */
static int stage_identity(struct store *s, struct undo_log *log, const struct change_record *c,
	struct slip *slip, struct str *ret_folder, struct err *err)
{
	struct writer *w = &s->w;
	struct record_head h = { .version = 0 };
	struct map_key key;
	int r = find_head(s, &c->record, &h, NULL);

	if (r < 0 && r != -ERR_NOTFOUND)
		return err_set(err, -r, tr("cannot look up a record"));
	if (c->base_version == 0) {
		if (r == 0) {
			r = err_set(
				err, ERR_CONFLICT, tr("record '%s' was filed already"), h.number);
			record_head_done(&h);
			return r;
		}
		r = draw_number(s, log, c, &slip->serial, &slip->number, err);
		key = map_key(slip->number.p, slip->number.n);
		if (r == 0)
			r = check_number_free(s, slip->number, &key, err);
		if (r < 0)
			return r;
		slip->scope = slip->serial ? c->scope : STR("");
		slip->sequence = w->records;
		slip->version = 1;
		*ret_folder = folder_of(w, c->folder, slip->sequence, slip->number);
		return 0;
	}
	if (r == -ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND, tr("there is no such record"));
	if (h.destroyed)
		r = err_set(err, ERR_DESTROYED, tr("record '%s' was destroyed"), h.number);
	else if (h.version != c->base_version)
		r = err_set(err, ERR_CONFLICT,
			tr("record '%s' has version %llu by now; you changed version %llu: look at "
			   "both and decide"),
			h.number, (unsigned long long)h.version,
			(unsigned long long)c->base_version);
	if (r == 0) {
		slip->number = (struct str){ arena_text(w->building->arena, str_of(h.number)),
			strlen(h.number) };
		*ret_folder = (struct str){ arena_text(w->building->arena, str_of(h.folder)),
			strlen(h.folder) };
		slip->sequence = h.sequence;
		slip->version = h.version + 1;
		slip->before_volume = h.volume;
		slip->before = h.slip;
	}
	record_head_done(&h);
	return r;
}

static void say_slip(struct writer *w, struct saying *saying, const struct slip *slip,
	struct str folder, const struct added *file, struct str manifest_sealed)
{
	struct fact *fact = &saying->facts[saying->count++];

	*fact = (struct fact){ .sha256 = file->sha256,
		.oid = file->oid,
		.path = file->path,
		.folder = folder,
		.slip = *slip,
		.manifest_sealed = manifest_sealed };
	fact->slip.scope.p = arena_text(w->building->arena, slip->scope);
}

/* A key that was drawn before the root key was changed is wrapped anew. */
static int add_key(struct store *s, const struct change_record *c, const struct wrapped_key *key,
	struct err *err)
{
	struct wrapped_key again = *key;
	int r = 0;

	if (key->epoch != keys_epoch(s->keys)) {
		if (!id_equal(&key->key, &c->manifest_key_id))
			return err_set(err, ERR_CONFLICT,
				tr("the root key was changed while this was being written: try "
				   "again"));
		r = keys_wrap(s->keys, &again, c->manifest_key, err);
	}
	if (r == 0)
		pending_frame_add_key(s->w.building, &again);
	return r;
}

static int stage_record(struct store *s, struct undo_log *log, struct change_record *c,
	struct saying *saying, struct added *ret, bool *ret_skip, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(SLIP_MAX_BYTES);
	struct writer *w = &s->w;
	struct slip slip = { .archive = s->archive,
		.record = c->record,
		.has_request = c->has_request,
		.request = c->request,
		.key_count = c->key_count };
	struct id *ids = arena_zero(w->building->arena, c->key_count, sizeof(*ids));
	struct str folder, sealed;
	struct drawn drawn;
	int r = answered_before(s, c, ret_skip, err);

	if (r < 0 || *ret_skip)
		return r;
	r = stage_identity(s, log, c, &slip, &folder, err);
	if (r == 0)
		r = stage_parts(w, c, &slip, err);
	if (r < 0)
		return r;
	drawn = (struct drawn){ slip.number, slip.sequence, slip.version };
	r = seal_manifest(s, c, &drawn, &slip.manifest, &sealed, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->key_count && r == 0; i++) {
		ids[i] = c->keys[i].key;
		r = add_key(s, c, &c->keys[i], err);
	}
	if (r < 0)
		return r;
	slip.keys = ids;
	slip_format(&slip, &text);
	r = buf_check(&text, err);
	if (r < 0)
		return r;
	add_clear(w, slip_path(w, folder, slip.version), &text, ret);
	stage_head(w, log, &slip, folder, ret, slip.version == 1);
	say_slip(w, saying, &slip, folder, ret, sealed);
	if (slip.version == 1)
		w->records++;
	c->ret_existing = false;
	c->ret_sequence = slip.sequence;
	c->ret_version = slip.version;
	free(c->ret_number);
	c->ret_number = str_dup(slip.number);
	return 0;
}

/* The tombstone was prepared by destroy.c from all slips; here only: nothing came between. */
static int stage_tombstone(struct store *s, struct undo_log *log, struct change_record *c,
	struct added *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(SLIP_MAX_BYTES);
	const struct tombstone *t = c->context;
	struct writer *w = &s->w;
	struct pending_head *copy;
	struct record_head h;
	int r = find_head(s, &c->record, &h, err);

	if (r < 0)
		return r;
	if (h.destroyed)
		r = err_set(err, ERR_DESTROYED, tr("record '%s' was destroyed"), h.number);
	else if (h.version != t->versions)
		r = err_set(err, ERR_CONFLICT,
			tr("record '%s' changed while it was to be destroyed"), h.number);
	if (r == 0) {
		tombstone_format(t, &text);
		add_clear(w, text_of(w, "%s/destroyed", h.folder), &text, ret);
		copy = arena_zero(w->building->arena, 1, sizeof(*copy));
		copy->head = h;
		copy->head.destroyed = true;
		copy->head.number = arena_text(w->building->arena, str_of(h.number));
		copy->head.folder = arena_text(w->building->arena, str_of(h.folder));
		copy->number_key = map_key(h.number, strlen(h.number));
		stage(log, &w->staged.heads, h.record.b, copy);
		pending_frame_add_head(w->building, copy);
		for (size_t i = 0; i < t->key_count; i++)
			pending_frame_add_delete(w->building, &t->keys[i]);
		answer_record(c, &h, false);
	}
	record_head_done(&h);
	return r;
}

/* ---- commits ---- */

static int load_tree(void *context, const struct oid *oid, struct buf *ret, struct err *err)
{
	struct store *s = context;
	enum object_type type;
	int r;

	/* What this frame itself added is not published yet. */
	for (size_t i = s->w.building ? s->w.building->frame.object_count : 0; i > 0; i--) {
		const struct frame_object *o = &s->w.building->objects[i - 1];

		if (o->type == OBJECT_TREE && oid_equal(&o->oid, oid)) {
			buf_add_str(ret, o->content);
			return buf_check(ret, err);
		}
	}
	r = read_object(s, s->w.volume, oid, &type, ret, err);
	if (r == 0 && type != OBJECT_TREE)
		return err_set(err, ERR_CORRUPT, tr("a tree of main is something else"));
	return r;
}

static int emit_tree(void *context, const struct oid *oid, struct str content, struct err *err)
{
	struct writer *w = context;

	(void)err;
	(void)pending_frame_add(w->building, OBJECT_TREE, oid, content);
	return 0;
}

/* Fill in what every commit has, sign, and move the writer on. */
static int make_commit(struct store *s, struct commit *c, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(COMMIT_MAX_BYTES);
	struct writer *w = &s->w;
	int r = tree_cache_write(w->trees, emit_tree, w, &c->tree, err);

	if (r < 0)
		return r;
	if (c->time < w->last_time)
		c->time = w->last_time;
	c->archive = s->archive;
	c->volume = w->volume;
	c->parent = w->head;
	c->signer = STR(ACCOUNT_SERVER);
	c->actions = w->actions + 1;
	c->records = w->records;
	c->previous = w->previous;
	commit_format(c, w->signer, &text);
	r = buf_check(&text, err);
	if (r < 0)
		return r;
	object_name(OBJECT_COMMIT, text.p, text.n, &w->head);
	sha256(text.p, text.n, w->previous.b);
	w->actions++;
	w->last_time = c->time + (c->act == ACT_KEYS);
	(void)pending_frame_add(w->building, OBJECT_COMMIT, &w->head, buf_str(&text));
	pending_frame_add_commit(w->building, &w->head);
	w->building->frame.head = w->head;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct added *x = a, *y = b;
	size_t n = x->path.n < y->path.n ? x->path.n : y->path.n;
	int r = memcmp(x->path.p, y->path.p, n);

	return r ? r : (x->path.n > y->path.n) - (x->path.n < y->path.n);
}

/* One file: a Slip line. More: a list, which is a file of its own. */
static int name_files(
	struct writer *w, struct added *files, size_t count, struct commit *c, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(SLIP_MAX_BYTES);
	struct listed *listed;
	struct added list;
	uint64_t action = w->actions + 1;
	int r;

	c->is_list = count > 1;
	c->files = count;
	if (count == 1) {
		c->file = (struct listed){ files[0].sha256, files[0].path };
		return 0;
	}
	listed = arena_zero(w->building->arena, count, sizeof(*listed));
	qsort(files, count, sizeof(*files), by_path);
	for (size_t i = 0; i < count; i++)
		listed[i] = (struct listed){ files[i].sha256, files[i].path };
	list_format(listed, count, &text);
	r = buf_check(&text, err);
	if (r < 0)
		return r;
	add_clear(w,
		text_of(w, "lists/%04llu/%03llu", (unsigned long long)(action / 1000),
			(unsigned long long)(action % 1000)),
		&text, &list);
	c->file = (struct listed){ list.sha256, list.path };
	return tree_cache_add_file(w->trees, list.path, &list.oid, err);
}

static void say_action(struct writer *w, const struct saying *saying, const struct commit *c)
{
	struct facts *f = arena_zero(w->building->arena, 1, sizeof(*f));

	facts_sort(saying->facts, saying->count);
	*f = (struct facts){ .oid = w->head,
		.sha256 = w->previous,
		.commit = *c,
		.facts = saying->facts,
		.count = saying->count };
	f->commit.account.p = arena_text(w->building->arena, c->account);
	pending_frame_add_facts(w->building, f);
}

static int commit_change(struct store *s, struct change *change, struct added *files, size_t count,
	const struct saying *saying, const char *number, struct err *err)
{
	struct writer *w = &s->w;
	struct commit c = { .time = change->time,
		.action = change->action,
		.uid = change->uid,
		.act = change->act,
		.account = str_of(change->account) };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = tree_cache_add_file(w->trees, files[i].path, &files[i].oid, err);
	if (r == 0)
		r = name_files(w, files, count, &c, err);
	if (r < 0)
		return r;
	c.subject = count == 1
			    ? text_of(w, "%s %s", number, commit_act_name(c.act))
			    : text_of(w, "%s +%zu %s", number, count - 1, commit_act_name(c.act));
	for (size_t i = 0; i < change->pack_count; i++)
		pending_frame_add_pack(w->building, &change->packs[i]);
	r = make_commit(s, &c, err);
	if (r == 0 && saying->is_known)
		say_action(w, saying, &c);
	change->ret_commit = w->head;
	change->ret_volume = w->volume;
	return r;
}

/* Returns 0 with the change in the frame; ERR of the change alone, with nothing of it left; or sets
 * *ret_broken when the frame as a whole cannot go on (a tree could not be read). */
static int stage_change(struct store *s, struct undo_log *log, struct change *change,
	bool *ret_broken, struct err *err)
{
	struct writer *w = &s->w;
	struct pending_frame *f = w->building;
	const size_t objects = f->frame.object_count, keys = f->frame.key_count,
		     heads = f->head_count, deletes = f->frame.delete_count, mark = log->count;
	const uint64_t records = w->records, bytes = f->bytes;
	struct added *files = arena_zero(f->arena, change->record_count, sizeof(*files));
	struct saying saying = { .is_known = change->act != ACT_DESTROY };
	const char *number = NULL;
	size_t count = 0;
	int r = 0;

	if (saying.is_known)
		saying.facts = arena_zero(f->arena, change->record_count, sizeof(*saying.facts));
	for (size_t i = 0; i < change->record_count && r == 0; i++) {
		struct change_record *c = &change->records[i];
		bool skip = false;

		if (change->act == ACT_DESTROY)
			r = stage_tombstone(s, log, c, &files[count], err);
		else
			r = stage_record(s, log, c, &saying, &files[count], &skip, err);
		if (r < 0)
			change->ret_failed = i;
		if (r == 0 && !skip && count++ == 0)
			number = c->ret_number;
	}
	if (r < 0) {
		undo_to(log, mark);
		f->frame.object_count = objects;
		f->frame.key_count = keys;
		f->frame.delete_count = deletes;
		f->head_count = heads;
		f->bytes = bytes;
		w->records = records;
		return r;
	}
	if (count == 0)
		return 0;
	r = commit_change(s, change, files, count, &saying, number, err);
	*ret_broken = r < 0;
	return r;
}

/* ---- volumes ---- */

static int64_t year_of(int64_t instant)
{
	return date_of_day(day_of(instant)).year;
}

static int add_page(struct writer *w, const char *name, const struct buf *text,
	struct digest *ret_sha256, struct err *err)
{
	struct added page;

	add_clear(w, str_of(name), text, &page);
	if (ret_sha256)
		*ret_sha256 = page.sha256;
	return tree_cache_add_file(w->trees, page.path, &page.oid, err);
}

/* The first commit of the next volume; the frame that is being built is that volume's from here on.
 */
static int open_volume(struct store *s, int64_t time, struct err *err)
{
	static const struct oid none;
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct writer *w = &s->w;
	const struct signer_line line = { false, STR(ACCOUNT_SERVER), *signer_public(w->signer) };
	struct commit c = { .time = time,
		.action = id_random(),
		.act = ACT_OPEN,
		.account = STR(ACCOUNT_SERVER),
		.demonstration = s->demonstration,
		.last_volume = w->volume,
		.last = w->head,
		.signers = &line,
		.signer_count = 1 };
	int r = 0;

	if (w->volume) {
		r = read_checkpoint(s, w->signer, &text, err);
		if (r < 0)
			return r;
	}
	w->volume++;
	w->head = none;
	w->volume_year = year_of(time);
	w->volume_bytes = 0;
	w->building->frame.volume = w->volume;
	tree_cache_reset(w->trees, &none);
	if (text.n)
		r = add_page(w, "CHECKPOINT", &text, &c.checkpoint, err);
	buf_reset(&text);
	buf_adds(&text, readme);
	if (r == 0)
		r = add_page(w, "README", &text, NULL, err);
	if (r < 0)
		return r;
	c.subject = text_of(w, "volume %u open", w->volume);
	return make_commit(s, &c, err);
}

static bool volume_is_over(struct store *s, int64_t time)
{
	return s->w.volume == 0 || year_of(time) > s->w.volume_year ||
	       s->w.volume_bytes > s->options.volume_max_bytes;
}

/* ---- frames ---- */

struct standing {
	uint32_t volume;
	struct oid head, root;
	struct digest previous;
	uint64_t actions, records, volume_bytes;
	int64_t last_time, volume_year;
};

static struct standing remember(struct writer *w)
{
	return (struct standing){ .volume = w->volume,
		.head = w->head,
		.previous = w->previous,
		.actions = w->actions,
		.records = w->records,
		.volume_bytes = w->volume_bytes,
		.last_time = w->last_time,
		.volume_year = w->volume_year };
}

/* The root tree of the head commit, for a cache that begins anew. */
static int root_of(
	struct store *s, uint32_t volume, const struct oid *head, struct oid *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct commit c;
	int r;

	*ret = (struct oid){ { 0 } };
	if (oid_is_zero(head))
		return 0;
	r = read_object(s, volume, head, NULL, &content, err);
	if (r == 0)
		r = commit_parse(buf_str(&content), &c, &memory, err);
	if (r == 0)
		*ret = c.tree;
	return r;
}

/* Stand again where the last durable frame left the writer. */
static int go_back(
	struct store *s, struct undo_log *log, const struct standing *before, struct err *err)
{
	struct writer *w = &s->w;
	struct oid root;
	int r;

	undo_to(log, 0);
	w->volume = before->volume;
	w->head = before->head;
	w->previous = before->previous;
	w->actions = before->actions;
	w->records = before->records;
	w->volume_bytes = before->volume_bytes;
	w->last_time = before->last_time;
	w->volume_year = before->volume_year;
	pending_frame_free(TAKE_PTR(w->building));
	r = root_of(s, w->volume, &w->head, &root, err);
	if (r == 0)
		tree_cache_reset(w->trees, &root);
	return r;
}

/* True when the applier should hear of it: it sleeps until there is something, then until there is much (or
 * some time has passed). */
static bool publish(struct store *s, struct pending_frame *f)
{
	bool tell;

	unstage(&s->w.staged);
	(void)pthread_mutex_lock(&s->lock);
	s->published_frame = f->frame.number;
	s->published_volume = f->frame.volume;
	s->published_head = f->frame.head;
	s->published_actions = s->w.actions;
	s->published_records = s->w.records;
	if (s->volume_count < f->frame.volume)
		s->volume_count = f->frame.volume;
	pending_publish(&s->pending, f);
	tell = s->pending.frames == 1 || applier_has_enough(s);
	(void)pthread_mutex_unlock(&s->lock);
	return tell;
}

static int append(struct store *s, const struct oid *head_before, struct err *err)
{
	struct pending_frame *f = s->w.building;
	uint64_t bytes;
	int r;

	f->frame.head_before =
		f->frame.volume == s->published_volume ? *head_before : (struct oid){ { 0 } };
	bytes = frame_body_bytes(&f->frame);
	r = journal_reserve(s->journal, bytes, err);
	if (r == 0)
		r = journal_append(s->journal, &f->frame, err);
	if (r < 0)
		return r;
	s->w.volume_bytes += bytes;
	for (size_t i = 0; i < f->frame.pack_count; i++)
		s->w.volume_bytes += store_pack_bytes(s->incoming_dir, &f->packs[i]);
	return 0;
}

static void answer(struct change *c, int r, const struct err *err)
{
	if (r < 0 && c->result == 0) {
		c->result = r;
		c->err = *err;
	}
	if (c->answered)
		(void)sem_post(c->answered); /* from here on it may be gone */
}

/* Changes that were refused have their result; the rest stand or fall with the frame. */
static void write_batch(struct store *s, struct change *batch)
{
	struct writer *w = &s->w;
	const struct standing before = remember(w);
	_cleanup_(undo_done) struct undo_log log = { NULL, 0, 0 };
	struct err err = ERR_INIT;
	bool broken = false, tell = false;
	int r = 0;

	w->building = pending_frame_new(w->volume);
	tr_set_language((enum tr_language)batch->language);
	if (volume_is_over(s, batch->time))
		r = open_volume(s, batch->time, &err);
	for (struct change *c = batch; c && r == 0; c = c->next) {
		tr_set_language((enum tr_language)c->language);
		c->result = stage_change(s, &log, c, &broken, &c->err);
		if (broken) {
			r = c->result;
			err = c->err;
		}
	}
	if (r == 0 && w->building->commit_count > 0) {
		r = append(s, &before.head, &err);
		if (r == 0)
			tell = publish(s, TAKE_PTR(w->building));
	}
	if (w->building && go_back(s, &log, &before, r < 0 ? NULL : &err) < 0)
		r = -ERR_UNKNOWN;
	if (r == -ERR_UNKNOWN) {
		(void)pthread_mutex_lock(&s->lock);
		s->failed = true;
		(void)pthread_mutex_unlock(&s->lock);
	}
	while (batch) {
		struct change *next = batch->next;

		answer(batch, r, &err);
		batch = next;
	}
	/* Last: somebody waits for the answers. */
	if (tell)
		(void)pthread_cond_signal(&s->frames);
}

/* ---- the thread ---- */

static uint64_t change_bytes(const struct change *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->record_count; i++) {
		n += RECORD_OVERHEAD;
		for (size_t k = 0; k < c->records[i].part_count; k++)
			for (size_t m = 0; m < c->records[i].parts[k].chunk_count; m++)
				n += c->records[i].parts[k].chunks[m].sealed.n;
	}
	return n;
}

/* The oldest changes that fit into one frame; the lock is held. */
static struct change *take_batch(struct store *s)
{
	struct change *batch = s->queue, *last = batch;
	uint64_t bytes = change_bytes(batch);
	int count = 1;

	while (last->next && count < BATCH_MAX_CHANGES) {
		bytes += change_bytes(last->next);
		if (bytes > BATCH_MAX_BYTES)
			break;
		last = last->next;
		count++;
	}
	s->queue = last->next;
	if (!s->queue)
		s->queue_last = &s->queue;
	last->next = NULL;
	return batch;
}

/* Too much that is not in packs yet: wait for the applier, unless it cannot work either. The lock
 * is held. */
static bool must_wait(struct store *s)
{
	return s->pending.bytes > s->options.pending_max_bytes && !s->applier_error;
}

static void refuse(struct store *s, struct change *batch)
{
	struct err err = ERR_INIT;
	int r;

	tr_set_language((enum tr_language)batch->language);
	if (s->failed)
		r = err_set(&err, ERR_UNKNOWN,
			tr("writing stopped after a failure of the disk; restart, then ask again "
			   "with the same request key"));
	else
		r = err_set(&err, -s->applier_error, "%s", s->applier_err.text);
	while (batch) {
		struct change *next = batch->next;

		batch->result = 0;
		answer(batch, r, &err);
		batch = next;
	}
}

/* The lock is held. */
static void stop_writing(struct store *s)
{
	s->writing = false;
	if (s->held)
		(void)pthread_cond_broadcast(&s->applied);
}

static void *run(void *context)
{
	struct store *s = context;

	(void)pthread_setname_np(pthread_self(), "writer");
	(void)pthread_mutex_lock(&s->lock);
	for (;;) {
		struct change *batch;
		bool blocked;

		while (s->held || s->writing || (!s->queue && !s->stopping) ||
			(s->queue && must_wait(s) && !s->failed))
			(void)pthread_cond_wait(
				s->queue && !s->held && !s->writing ? &s->space : &s->work,
				&s->lock);
		if (!s->queue)
			break;
		batch = take_batch(s);
		blocked = s->failed ||
			  (s->applier_error && s->pending.bytes > s->options.pending_max_bytes);
		s->writing = true;
		(void)pthread_mutex_unlock(&s->lock);
		if (blocked)
			refuse(s, batch);
		else
			write_batch(s, batch);
		(void)pthread_mutex_lock(&s->lock);
		stop_writing(s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

int writer_hold(struct store *s, struct err *err)
{
	(void)pthread_mutex_lock(&s->lock);
	while (s->held)
		(void)pthread_cond_wait(&s->applied, &s->lock);
	s->held = true;
	while (s->writing)
		(void)pthread_cond_wait(&s->applied, &s->lock);
	(void)pthread_mutex_unlock(&s->lock);
	return store_flush(s, err);
}

void writer_release(struct store *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->held = false;
	(void)pthread_cond_broadcast(&s->work);
	(void)pthread_cond_broadcast(&s->space);
	(void)pthread_cond_broadcast(&s->applied);
	(void)pthread_mutex_unlock(&s->lock);
}

/* The caller holds the writer, so its state is the caller's. */
int writer_change_keys(struct store *s, const struct key_change *change, struct err *err)
{
	struct writer *w = &s->w;
	const struct standing before = remember(w);
	_cleanup_(undo_done) struct undo_log log = { NULL, 0, 0 };
	const struct signer_line lines[] = {
		{ true, STR(ACCOUNT_SERVER), *signer_public(w->signer) },
		{ false, STR(ACCOUNT_SERVER), *signer_public(change->next) },
	};
	struct commit c = { .time = change->time,
		.action = *change->action,
		.uid = change->uid,
		.act = ACT_KEYS,
		.account = str_of(change->account),
		.subject = STR("server keys"),
		.signers = lines,
		.signer_count = ARRAY_LEN(lines) };
	int r;

	w->building = pending_frame_new(w->volume);
	r = make_commit(s, &c, err);
	if (r == 0)
		r = append(s, &before.head, err);
	if (r == 0)
		publish(s, TAKE_PTR(w->building));
	else if (go_back(s, &log, &before, NULL) < 0)
		r = err_set(err, ERR_UNKNOWN,
			tr("writing stopped after a failure of the disk; restart, then ask again "
			   "with the same request key"));
	if (r == -ERR_UNKNOWN) {
		(void)pthread_mutex_lock(&s->lock);
		s->failed = true;
		(void)pthread_mutex_unlock(&s->lock);
	}
	if (r < 0)
		return r;
	signer_free(w->signer);
	w->signer = signer_again(change->next);
	return 0;
}

/* Where the newest volume's head says we are. */
static int load_standing(struct store *s, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT, first = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct writer *w = &s->w;
	struct commit c;
	struct oid root;
	int r;

	w->volume = s->volume_count;
	if (w->volume == 0)
		return 0;
	r = store_main(s, w->volume, &w->head, err);
	if (r == 0)
		r = read_object(s, w->volume, &w->head, NULL, &content, err);
	if (r == 0)
		r = commit_parse(buf_str(&content), &c, &memory, err);
	if (r < 0)
		return r;
	sha256(content.p, content.n, w->previous.b);
	w->actions = c.actions;
	w->records = c.records;
	w->last_time = c.time + (c.act == ACT_KEYS);
	/* The year of the first commit would need a walk; the newest one's serves: the first commit
	 * of a later year rolls over. */
	w->volume_year = year_of(c.time);
	root = c.tree;
	tree_cache_reset(w->trees, &root);
	r = store_volume_bytes(s, w->volume, &w->volume_bytes, err);
	s->published_volume = w->volume;
	s->published_head = w->head;
	s->published_actions = w->actions;
	s->published_records = w->records;
	return r;
}

static int prepare(struct store *s, struct err *err)
{
	_cleanup_(secret_freep) struct secret *seed = NULL;
	struct writer *w = &s->w;
	int r = rotate_settle(s, err);

	if (r == 0)
		r = keys_purpose(s->keys, ACCOUNT_SERVER, &seed, err);
	if (r < 0)
		return r;
	w->signer = signer_new(seed);
	buf_done(&w->path);
	buf_init(&w->path, BUF_DEFAULT_MAX);
	w->trees = tree_cache_new(load_tree, s);
	return load_standing(s, err);
}

int writer_start(struct store *s, struct err *err)
{
	int r = prepare(s, err);

	if (r < 0)
		return r;
	s->stopping = false;
	if (pthread_create(&s->writer_thread, NULL, run, s) != 0)
		return err_set(err, ERR_IO, tr("cannot start a thread"));
	s->writer_runs = true;
	return 0;
}

void writer_stop(struct store *s)
{
	struct writer *w = &s->w;

	if (s->writer_runs) {
		(void)pthread_mutex_lock(&s->lock);
		s->stopping = true;
		(void)pthread_cond_broadcast(&s->work);
		(void)pthread_cond_broadcast(&s->space);
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_join(s->writer_thread, NULL);
		s->writer_runs = false;
	}
	unstage(&w->staged);
	map_done(&w->staged.serials);
	buf_done(&w->path);
	tree_cache_free(TAKE_PTR(w->trees));
	signer_free(TAKE_PTR(w->signer));
}

int writer_open_first(struct store *s, struct err *err)
{
	const struct oid none = { { 0 } };
	int r = prepare(s, err);

	if (r < 0)
		return r;
	s->w.building = pending_frame_new(0);
	r = open_volume(s, clock_now(), err);
	if (r == 0)
		r = append(s, &none, err);
	if (r == 0 && publish(s, TAKE_PTR(s->w.building)))
		(void)pthread_cond_signal(&s->frames);
	pending_frame_free(TAKE_PTR(s->w.building));
	writer_stop(s);
	return r;
}

/* ---- handing changes over ---- */

bool writer_is_account(const char *account)
{
	size_t n = strlen(account);

	return n > 0 && n <= COMMIT_ACCOUNT_MAX &&
	       strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static int check_open(const struct store *s, struct err *err)
{
	if (!s->options.writable)
		return err_set(err, ERR_DENIED, tr("the archive was opened for reading"));
	if (!s->unsealed || s->stopping)
		return err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it first"));
	return 0;
}

/* Nobody writes, nothing waits, and there is room. The lock is held. */
static bool is_idle(const struct store *s)
{
	return !s->writing && !s->held && !s->queue && !s->failed &&
	       s->pending.bytes <= s->options.pending_max_bytes;
}

static void write_here(struct store *s, struct change *c)
{
	bool more;

	c->answered = NULL;
	write_batch(s, c);
	(void)pthread_mutex_lock(&s->lock);
	stop_writing(s);
	more = s->queue || s->stopping;
	(void)pthread_mutex_unlock(&s->lock);
	if (more)
		(void)pthread_cond_signal(&s->work);
}

static void wait_for_answer(sem_t *answered)
{
	while (sem_wait(answered) < 0)
		continue; /* a signal came between */
}

int store_write(struct store *s, struct change *c, struct err *err)
{
	bool here, wake;
	sem_t answered;
	int r;

	c->next = NULL;
	c->result = 0;
	c->language = tr_language();
	if (!writer_is_account(c->account))
		return err_set(
			err, ERR_INVALID, tr("'%s' is not the id of an account"), c->account);
	(void)sem_init(&answered, 0, 0);
	c->answered = &answered;
	(void)pthread_mutex_lock(&s->lock);
	r = check_open(s, err);
	here = r == 0 && is_idle(s);
	wake = !here && !s->writing; /* who writes looks for more afterwards */
	if (here) {
		s->writing = true;
	} else if (r == 0) {
		*s->queue_last = c;
		s->queue_last = &c->next;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (r < 0)
		return r;
	if (wake) /* outside of the lock, or the writer would wake up to wait for it */
		(void)pthread_cond_signal(&s->work);
	if (here)
		write_here(s, c);
	else
		wait_for_answer(&answered);
	(void)sem_destroy(&answered);
	if (c->result < 0 && err)
		*err = c->err;
	return c->result;
}
