/* writer_stage.c - takes one record of a change into the frame that is being built: whether it may be, its
 * number, its slip.
 *
 * It is compared with what is staged in this frame, with pending frames and with the ledger, in this order. What it
 * changes in the staged facts goes into an undo log, so that a change of which a later record is refused leaves
 * nothing behind (FORMAT.md, invariants 5 and 6). */
#include "store/writer_private.h"

#include "core/base/hash.h"
#include "core/base/tr.h"
#include "store/envelope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_MAX = 200, SERIAL_MAX_DIGITS = 12 };

/* ---- undo ---- */

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

void writer_undo_to(struct undo_log *log, size_t mark)
{
	while (log->count > mark) {
		struct undo *row = &log->rows[--log->count];

		(void)map_put(row->map, row->key.b, row->before);
	}
}

void writer_undo_done(struct undo_log *log)
{
	free(log->rows);
}

void writer_unstage(struct staged *staged)
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

struct str writer_text(struct writer *w, const char *fmt, ...)
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

void writer_add_clear(struct writer *w, struct str path, const struct buf *text, struct added *ret)
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

int writer_stage_record(struct store *s, struct undo_log *log, struct change_record *c,
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
	writer_add_clear(w, slip_path(w, folder, slip.version), &text, ret);
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
int writer_stage_tombstone(struct store *s, struct undo_log *log, struct change_record *c,
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
		writer_add_clear(w, writer_text(w, "%s/destroyed", h.folder), &text, ret);
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
