/* reading.c - see reading.h. */
#include "core/archive/reading.h"

#include "core/base/hash.h"
#include "core/base/tr.h"
#include "store/envelope.h"

#include <sodium.h>
#include <stdlib.h>

int reading_find(
	struct archive *a, const struct json *args, struct record_head *ret, struct err *err)
{
	struct str number = { NULL, 0 }, record = { NULL, 0 };
	struct id id;
	int r = json_may_text(args, "number", &number, err);

	if (r < 0 || (r = json_may_text(args, "record", &record, err)) < 0)
		return r;
	if (!number.p == !record.p)
		return err_set(err, ERR_INVALID, tr("name the record by its number or by its id"));
	if (number.p) {
		r = store_find_number(a->store, number, ret, err);
		return r == -ERR_NOTFOUND
			       ? err_set(err, ERR_NOTFOUND, tr("there is no record '%.*s'"),
					 STR_ARG(number))
			       : r;
	}
	r = id_parse(record, &id, err);
	return r < 0 ? r : store_find(a->store, &id, ret, err);
}

/* ---- editions ---- */

static int load_manifest(struct archive *a, struct edition *e, struct err *err)
{
	_cleanup_(buf_wipe) struct buf bytes = BUF_INIT_MAX(MANIFEST_MAX_BYTES);
	int r = store_open_blob(a->store, &e->record, &e->slip.manifest, &bytes, err);

	if (r < 0)
		return r;
	e->arena = arena_new(0);
	return manifest_parse(buf_str(&bytes), e->arena, &e->manifest, err);
}

/* Both are signed for, but they are made in different places: a difference would be a mistake of ours, or
 * somebody's work. */
static int compare(const struct edition *e, struct err *err)
{
	const struct manifest *m = e->manifest;
	size_t at = 0;

	if (!id_equal(&m->record, &e->record) || m->version != e->version ||
		!str_eq(m->number, e->slip.number) || e->slip.version != e->version)
		goto differ;
	for (size_t i = 0; i < m->part_count; i++) {
		uint64_t chunks = manifest_chunks(m->parts[i].bytes);

		for (uint64_t c = 0; c < chunks; c++, at++) {
			const struct slip_part *p = &e->slip.parts[at];

			if (at >= e->slip.part_count || !id_equal(&p->part, &m->parts[i].id) ||
				p->chunk != c || p->chunks != chunks)
				goto differ;
		}
	}
	if (at == e->slip.part_count)
		return 0;
differ:
	return err_set(err, ERR_CORRUPT,
		tr("record '%.*s', version %llu: its slip and its manifest differ"),
		STR_ARG(e->slip.number), (unsigned long long)e->version);
}

int edition_open(struct archive *a, const struct record_head *head, uint64_t version,
	struct edition *ret, struct err *err)
{
	struct edition e = { .record = head->record,
		.version = version ? version : head->version,
		.slip_text = BUF_INIT_MAX(SLIP_MAX_BYTES) };
	int r;

	if (head->destroyed)
		return err_set(err, ERR_DESTROYED, tr("record '%s' was destroyed"), head->number);
	r = store_slip(a->store, head, e.version, &e.slip_text, &e.volume, err);
	if (r == 0)
		r = slip_parse(buf_str(&e.slip_text), &e.slip, &e.slip_memory, err);
	if (r == 0)
		r = load_manifest(a, &e, err);
	if (r == 0)
		r = compare(&e, err);
	if (r < 0) {
		edition_done(&e);
		return r;
	}
	*ret = e;
	return 0;
}

void edition_done(struct edition *e)
{
	buf_done(&e->slip_text);
	free(e->slip_memory);
	arena_free(e->arena);
	*e = (struct edition){ .slip_text = BUF_INIT };
}

int edition_find_part(const struct edition *e, struct str which, size_t *ret, struct err *err)
{
	const struct manifest *m = e->manifest;
	struct id id;
	uint64_t place;

	for (size_t i = 0; i < m->part_count; i++) {
		if (str_eq(m->parts[i].name, which)) {
			*ret = i;
			return 0;
		}
	}
	if (id_parse(which, &id, NULL) == 0) {
		for (size_t i = 0; i < m->part_count; i++) {
			if (id_equal(&m->parts[i].id, &id)) {
				*ret = i;
				return 0;
			}
		}
	}
	if (str_to_u64(which, m->part_count, &place, NULL) == 0 && place > 0) {
		*ret = (size_t)place - 1;
		return 0;
	}
	return err_set(err, ERR_NOTFOUND, tr("record '%.*s', version %llu, has no part '%.*s'"),
		STR_ARG(m->number), (unsigned long long)m->version, STR_ARG(which));
}

/* Where a part's first chunk stands in the slip: `compare` saw to it that they are in the manifest's order. */
static size_t first_chunk(const struct manifest *m, size_t i)
{
	size_t at = 0;

	for (size_t k = 0; k < i; k++)
		at += (size_t)manifest_chunks(m->parts[k].bytes);
	return at;
}

int edition_read_part(struct archive *a, const struct edition *e, size_t i, uint64_t from,
	uint64_t to, edition_sink *sink, void *context, struct err *err)
{
	const struct manifest_part *part = &e->manifest->parts[i];
	_cleanup_(buf_wipe) struct buf chunk = BUF_INIT_MAX(ENVELOPE_CHUNK_MAX);
	_cleanup_(hash_freep) struct hash *whole = NULL;
	size_t first = first_chunk(e->manifest, i);
	struct digest digest;

	if (to > part->bytes)
		to = part->bytes;
	if (from == 0 && to == part->bytes)
		whole = sha256_new();
	for (uint64_t c = from / ENVELOPE_CHUNK_MAX; c * ENVELOPE_CHUNK_MAX < to; c++) {
		uint64_t start = c * ENVELOPE_CHUNK_MAX, end = start + ENVELOPE_CHUNK_MAX;
		struct str piece;
		int r;

		end = end < part->bytes ? end : part->bytes;
		buf_reset(&chunk);
		r = store_open_blob(
			a->store, &e->record, &e->slip.parts[first + c].blob, &chunk, err);
		if (r < 0)
			return r;
		if (chunk.n != end - start)
			return err_set(err, ERR_CORRUPT,
				tr("part '%.*s' has a chunk of another size"), STR_ARG(part->name));
		if (whole)
			hash_add(whole, chunk.p, chunk.n);
		piece = buf_str(&chunk);
		if (to < end)
			piece.n -= end - to;
		if (from > start) {
			piece.p += from - start;
			piece.n -= from - start;
		}
		r = sink(context, piece, err);
		if (r < 0)
			return r;
	}
	if (!whole)
		return 0;
	hash_take(whole, digest.b);
	if (digest_equal(&digest, &part->sha256))
		return 0;
	return err_set(err, ERR_CORRUPT, tr("part '%.*s' is not what its SHA-256 says"),
		STR_ARG(part->name));
}

/* ---- keys, events, rows ---- */

int reading_envelope_key(
	struct archive *a, const struct slip_blob *blob, struct id *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	struct envelope_head head;
	enum object_type type;
	int r = store_read(a->store, blob->volume, &blob->oid, &type, &sealed, err);

	if (r == 0)
		r = envelope_head(buf_str(&sealed), &head, err);
	if (r == 0)
		*ret = head.key;
	return r;
}

struct secret *reading_text_key_of(const uint8_t record_key[32])
{
	struct secret *s = secret_new(KEY_BYTES);

	envelope_subkey(record_key, "muniment text 1", s->p);
	return s;
}

static struct secret *text_key(struct archive *a, const struct id *key, const struct id *record)
{
	uint8_t record_key[32];
	struct secret *s;

	if (store_record_key(a->store, key, record, record_key, NULL) < 0)
		return NULL;
	s = reading_text_key_of(record_key);
	sodium_memzero(record_key, sizeof(record_key));
	return s;
}

struct secret *reading_text_key(struct archive *a, const struct edition *e)
{
	struct id key;

	if (reading_envelope_key(a, &e->slip.manifest, &key, NULL) < 0)
		return NULL;
	return text_key(a, &key, &e->record);
}

struct secret *reading_row_text_key(struct archive *a, const struct registry_row *row)
{
	struct id key;

	return row_key(row->sealed, &key, NULL) < 0 ? NULL : text_key(a, &key, &row->record);
}

int reading_event(struct archive *a, const struct store_event *event, struct arena *arena,
	const struct manifest **ret, struct id *ret_key, uint8_t ret_record_key[32],
	struct err *err)
{
	_cleanup_(buf_done) struct buf read = BUF_INIT;
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT_MAX(MANIFEST_MAX_BYTES);
	struct envelope_binding binding = { .archive = *store_archive(a->store),
		.record = event->record };
	struct str sealed = event->manifest_sealed;
	struct envelope_head head;
	enum object_type type;
	int r;

	if (sealed.n == 0) {
		r = store_read(
			a->store, event->manifest.volume, &event->manifest.oid, &type, &read, err);
		if (r < 0)
			return r;
		sealed = buf_str(&read);
	}
	if ((r = envelope_head(sealed, &head, err)) < 0 ||
		(r = store_record_key(a->store, &head.key, &event->record, ret_record_key, err)) <
			0 ||
		(r = envelope_open(&binding, ret_record_key, sealed, &plain, err)) < 0)
		return r;
	*ret_key = head.key;
	return manifest_parse(buf_str(&plain), arena, ret, err);
}

int reading_row(struct archive *a, const struct registry_row *row, struct json **ret_doc,
	struct row_text *ret, struct err *err)
{
	_cleanup_(buf_wipe) struct buf text = BUF_INIT_MAX(REGISTRY_SEALED_MAX);
	uint8_t record_key[32];
	struct id key;
	int r;

	if (row->destroyed)
		return err_set(err, ERR_DESTROYED, tr("record '%.*s' was destroyed"),
			STR_ARG(row->number));
	r = row_key(row->sealed, &key, err);
	if (r == 0)
		r = store_record_key(a->store, &key, &row->record, record_key, err);
	if (r < 0)
		return r;
	r = row_open(store_archive(a->store), &row->record, record_key, row->sealed, &text, err);
	sodium_memzero(record_key, sizeof(record_key));
	return r < 0 ? r : row_read(buf_str(&text), ret_doc, ret, err);
}
