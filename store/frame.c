/* frame.c - one frame of the journal as bytes (FORMAT.md, section 10). Pure; any thread. */
#include "store/journal_private.h"

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <assert.h>
#include <stdlib.h>

enum {
	OBJECT_HEAD = 28, /* type, flags, 0 0, length, oid */
	FORMAT = 1,
	IS_ENVELOPE = 1,
};

static const char magic[8] = { 'M', 'U', 'N', 'F', 'R', 'A', 'M', 'E' };

bool is_all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	return n == 0 || (b[0] == 0 && memcmp(b, b + 1, n - 1) == 0);
}

uint64_t frame_bytes(uint64_t body_bytes)
{
	uint64_t n = FRAME_HEADER + body_bytes + FRAME_DIGEST;

	return (n + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
}

uint64_t frame_body_bytes(const struct frame *f)
{
	uint64_t n = (uint64_t)f->object_count * OBJECT_HEAD +
		     (uint64_t)f->key_count * WRAPPED_KEY_BYTES +
		     (uint64_t)f->pack_count * OID_BYTES + (uint64_t)f->delete_count * ID_BYTES;

	for (size_t i = 0; i < f->object_count; i++)
		n += f->objects[i].content.n;
	return n;
}

/* ---- writing ---- */

static uint8_t *put(uint8_t *out, const void *p, size_t n)
{
	if (n)
		memcpy(out, p, n);
	return out + n;
}

static uint8_t *put_object(uint8_t *out, const struct frame_object *o)
{
	out[0] = (uint8_t)o->type;
	out[1] = o->is_envelope ? IS_ENVELOPE : 0;
	out[2] = out[3] = 0;
	put_be32(out + 4, (uint32_t)o->content.n);
	out = put(out + 8, o->oid.b, OID_BYTES);
	return put(out, o->content.p, o->content.n);
}

static void put_head(const struct frame *f, uint64_t segment, const struct digest *previous,
	uint64_t body_bytes, uint8_t *out)
{
	memcpy(out, magic, sizeof(magic));
	put_be32(out + 8, FORMAT);
	put_be32(out + 12, f->volume);
	put_be64(out + 16, f->number);
	put_be64(out + 24, segment);
	memcpy(out + 32, previous->b, sizeof(previous->b));
	put_be64(out + 64, body_bytes);
	put_be32(out + 72, (uint32_t)f->object_count);
	put_be32(out + 76, (uint32_t)f->key_count);
	put_be32(out + 80, (uint32_t)f->pack_count);
	put_be32(out + 84, (uint32_t)f->delete_count);
	memcpy(out + 88, f->head.b, OID_BYTES);
	memcpy(out + 108, f->head_before.b, OID_BYTES);
	sha256(out, FRAME_SUMMED, out + FRAME_SUMMED);
}

void frame_encode(
	const struct frame *f, uint64_t segment, const struct digest *previous, uint8_t *out)
{
	uint64_t body_bytes = frame_body_bytes(f);
	size_t bytes = (size_t)frame_bytes(body_bytes);
	uint8_t *at = out + FRAME_HEADER, *digest = out + bytes - FRAME_DIGEST;

	put_head(f, segment, previous, body_bytes, out);
	for (size_t i = 0; i < f->object_count; i++)
		at = put_object(at, &f->objects[i]);
	for (size_t i = 0; i < f->key_count; i++, at += WRAPPED_KEY_BYTES)
		wrapped_key_write(&f->keys[i], at);
	for (size_t i = 0; i < f->pack_count; i++)
		at = put(at, f->packs[i].b, OID_BYTES);
	for (size_t i = 0; i < f->delete_count; i++)
		at = put(at, f->deletes[i].b, ID_BYTES);
	assert(at == out + FRAME_HEADER + body_bytes);
	memset(at, 0, (size_t)(digest - at));
	sha256(out, bytes - FRAME_DIGEST, digest);
}

/* ---- reading ---- */

static int damaged(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, tr("a frame of the journal is damaged: %s"), what);
}

int frame_head_parse(struct str bytes, struct frame_head *ret, struct err *err)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	uint8_t sum[FRAME_DIGEST];
	struct frame_head h;
	uint64_t least;

	if (bytes.n < FRAME_HEADER)
		return damaged(err, tr("it ends within its header"));
	if (memcmp(p, magic, sizeof(magic)) != 0)
		return damaged(err, tr("it does not begin as a frame does"));
	sha256(p, FRAME_SUMMED, sum);
	if (memcmp(p + FRAME_SUMMED, sum, sizeof(sum)) != 0)
		return damaged(err, tr("the checksum of its header is wrong"));
	if (get_be32(p + 8) != FORMAT)
		return err_set(err, ERR_UNSUPPORTED,
			tr("a frame of format %u needs a newer program"), get_be32(p + 8));
	h.volume = get_be32(p + 12);
	h.number = get_be64(p + 16);
	h.segment = get_be64(p + 24);
	memcpy(h.previous.b, p + 32, sizeof(h.previous.b));
	h.body_bytes = get_be64(p + 64);
	h.objects = get_be32(p + 72);
	h.keys = get_be32(p + 76);
	h.packs = get_be32(p + 80);
	h.deletes = get_be32(p + 84);
	memcpy(h.head.b, p + 88, OID_BYTES);
	memcpy(h.head_before.b, p + 108, OID_BYTES);
	if (h.volume == 0 || h.number == 0 || h.segment == 0)
		return damaged(err, tr("a number in its header is zero"));
	if (h.body_bytes > FRAME_MAX_BYTES)
		return err_set(err, ERR_LIMIT, tr("a frame holds at most %d bytes, not %llu"),
			FRAME_MAX_BYTES, (unsigned long long)h.body_bytes);
	least = (uint64_t)h.objects * OBJECT_HEAD + (uint64_t)h.keys * WRAPPED_KEY_BYTES +
		(uint64_t)h.packs * OID_BYTES + (uint64_t)h.deletes * ID_BYTES;
	if (least > h.body_bytes)
		return damaged(err, tr("it counts more than it holds"));
	*ret = h;
	return 0;
}

static const uint8_t *take(void *out, const uint8_t *from, size_t n)
{
	memcpy(out, from, n);
	return from + n;
}

/* One object at *at, of *left bytes. */
static int take_object(
	const uint8_t **at, uint64_t *left, struct frame_object *ret, struct err *err)
{
	const uint8_t *p = *at;
	uint32_t n;

	if (*left < OBJECT_HEAD)
		return damaged(err, tr("an object reaches beyond its end"));
	n = get_be32(p + 4);
	if (n > *left - OBJECT_HEAD)
		return damaged(err, tr("an object reaches beyond its end"));
	if (p[0] < OBJECT_COMMIT || p[0] > OBJECT_BLOB || (p[1] & ~IS_ENVELOPE) || p[2] || p[3])
		return damaged(err, tr("an object has no known kind"));
	ret->type = (enum object_type)p[0];
	ret->is_envelope = p[1] == IS_ENVELOPE;
	memcpy(ret->oid.b, p + 8, OID_BYTES);
	ret->content = (struct str){ (const char *)p + OBJECT_HEAD, n };
	*at = p + OBJECT_HEAD + n;
	*left -= OBJECT_HEAD + n;
	return 0;
}

/* The lists of a frame, in one block of memory. */
struct lists {
	struct wrapped_key *keys;
	struct frame_object *objects;
	struct oid *packs;
	struct id *deletes;
};

static void *lists_new(const struct frame_head *h, struct lists *ret)
{
	size_t keys = h->keys * sizeof(*ret->keys), objects = h->objects * sizeof(*ret->objects);
	size_t packs = h->packs * sizeof(*ret->packs), deletes = h->deletes * sizeof(*ret->deletes);
	uint8_t *memory = malloc(keys + objects + packs + deletes + 1);

	if (!memory)
		return NULL;
	ret->keys = (struct wrapped_key *)memory;
	ret->objects = (struct frame_object *)(memory + keys);
	ret->packs = (struct oid *)(memory + keys + objects);
	ret->deletes = (struct id *)(memory + keys + objects + packs);
	return memory;
}

static int take_body(
	const uint8_t *at, const struct frame_head *h, struct lists *lists, struct err *err)
{
	uint64_t left = h->body_bytes;

	for (size_t i = 0; i < h->objects; i++) {
		int r = take_object(&at, &left, &lists->objects[i], err);

		if (r < 0)
			return r;
	}
	if (left != (uint64_t)h->keys * WRAPPED_KEY_BYTES + (uint64_t)h->packs * OID_BYTES +
			    (uint64_t)h->deletes * ID_BYTES)
		return damaged(err, tr("its lists do not fill it"));
	for (size_t i = 0; i < h->keys; i++, at += WRAPPED_KEY_BYTES)
		wrapped_key_read(at, &lists->keys[i]);
	for (size_t i = 0; i < h->packs; i++)
		at = take(lists->packs[i].b, at, OID_BYTES);
	for (size_t i = 0; i < h->deletes; i++)
		at = take(lists->deletes[i].b, at, ID_BYTES);
	return 0;
}

int frame_parse(struct str bytes, uint64_t segment, struct frame *ret, void **ret_memory,
	uint8_t ret_digest[32], struct err *err)
{
	_cleanup_(freep) void *memory = NULL;
	uint8_t digest[FRAME_DIGEST];
	struct frame_head h;
	struct lists lists;
	size_t n;
	int r = frame_head_parse(bytes, &h, err);

	if (r < 0)
		return r;
	if (h.segment != segment)
		return damaged(err, tr("it belongs to another segment"));
	n = (size_t)frame_bytes(h.body_bytes);
	if (n > bytes.n)
		return damaged(err, tr("it ends too early"));
	if (!is_all_zero(bytes.p + FRAME_HEADER + h.body_bytes,
		    n - FRAME_DIGEST - FRAME_HEADER - (size_t)h.body_bytes))
		return damaged(err, tr("bytes stand behind its lists"));
	sha256(bytes.p, n - FRAME_DIGEST, digest);
	if (memcmp(digest, bytes.p + n - FRAME_DIGEST, FRAME_DIGEST) != 0)
		return damaged(err, tr("its checksum is wrong"));
	memory = lists_new(&h, &lists);
	if (!memory)
		return err_set(err, ERR_LIMIT, tr("a frame does not fit into memory"));
	r = take_body((const uint8_t *)bytes.p + FRAME_HEADER, &h, &lists, err);
	if (r < 0)
		return r;
	*ret = (struct frame){ .volume = h.volume,
		.number = h.number,
		.head = h.head,
		.head_before = h.head_before,
		.objects = lists.objects,
		.object_count = h.objects,
		.keys = lists.keys,
		.key_count = h.keys,
		.packs = lists.packs,
		.pack_count = h.packs,
		.deletes = lists.deletes,
		.delete_count = h.deletes };
	memcpy(ret_digest, digest, FRAME_DIGEST);
	*ret_memory = TAKE_PTR(memory);
	return 0;
}
