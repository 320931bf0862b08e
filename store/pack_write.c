/* pack_write.c - adds objects to a git pack (pack.h; formats: gitformat-pack(5)); pack_finish.c makes the index.
 *
 *   pack    "PACK" | 2 | count | entry ... | SHA-1 of all before
 *   entry   type and length in 4 + 7 + 7 ... bits | zlib stream
 *   stream  78 01 | block ... | Adler-32
 *   block   last? (1) | n, ~n (little-endian, 2 each) | n bytes, n <= 65535
 *   index   ff 't' 'O' 'c' | 2 | fan-out (256 * 4) | names, sorted | CRC-32 of each entry
 *           | offsets (4 each) | large offsets (8 each) | SHA-1 of the pack | SHA-1 of all before
 *
 * The count stands at the front and is known at the end, so the pack's SHA-1 is taken when it is
 * finished: over the write buffer when the pack fitted into it, else by reading the file back,
 * which costs a copy out of the page cache.
 *
 * Both files are written under names that git takes for its own temporary ones (tmp_pack_,
 * tmp_idx_): no reader looks at them, and `git gc` removes them too. */
#include "store/pack_writer.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STORED_MAX = 65535, /* bytes in one stored block */
	FIRST_SLOTS = 1024,
};

/* ---- the sink ---- */

int sink_flush(struct sink *s, struct err *err)
{
	int r;

	if (s->used == 0)
		return 0;
	s->crc = libdeflate_crc32(s->crc, s->buffer + s->crc_from, s->used - s->crc_from);
	s->crc_from = 0;
	if (s->hash)
		hash_add(s->hash, s->buffer, s->used);
	r = file_pwrite(s->fd, s->buffer, s->used, s->flushed, err);
	if (r < 0)
		return r;
	s->flushed += s->used;
	s->used = 0;
	return 0;
}

int sink_add(struct sink *s, const void *p, size_t n, struct err *err)
{
	const uint8_t *from = p;

	while (n > 0) {
		size_t some = BUFFER_BYTES - s->used;

		if (some == 0) {
			int r = sink_flush(s, err);

			if (r < 0)
				return r;
			continue;
		}
		if (some > n)
			some = n;
		memcpy(s->buffer + s->used, from, some);
		s->used += some;
		from += some;
		n -= some;
	}
	return 0;
}

static void sink_crc_begin(struct sink *s)
{
	s->crc = 0;
	s->crc_from = s->used;
}

static uint32_t sink_crc_end(struct sink *s)
{
	return libdeflate_crc32(s->crc, s->buffer + s->crc_from, s->used - s->crc_from);
}

/* ---- the set of names ---- */

static size_t first_slot(const struct pack_writer *w, const struct oid *oid)
{
	uint64_t h;

	memcpy(&h, oid->b, sizeof(h)); /* a SHA-1 is its own hash */
	return (size_t)h & (w->slot_count - 1);
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *find_slot(const struct pack_writer *w, const struct oid *oid)
{
	size_t i = first_slot(w, oid);

	while (w->slots[i] && !oid_equal(&w->items[w->slots[i] - 1].oid, oid))
		i = (i + 1) & (w->slot_count - 1);
	return &w->slots[i];
}

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_LIMIT, tr("a pack has more objects than fit into memory"));
}

static int grow(struct pack_writer *w, struct err *err)
{
	if (w->count == w->room) {
		size_t room = w->room * 2;
		struct item *items = reallocarray(w->items, room, sizeof(*items));

		if (!items)
			return out_of_memory(err);
		w->items = items;
		w->room = room;
	}
	if (w->count * 2 >= w->slot_count) {
		uint32_t *slots = calloc(w->slot_count * 2, sizeof(*slots));

		if (!slots)
			return out_of_memory(err);
		free(w->slots);
		w->slots = slots;
		w->slot_count *= 2;
		for (size_t i = 0; i < w->count; i++)
			*find_slot(w, &w->items[i].oid) = (uint32_t)i + 1;
	}
	return 0;
}

bool pack_has(const struct pack_writer *w, const struct oid *oid)
{
	return *find_slot(w, oid) != 0;
}

/* ---- adding ---- */

int pack_keep(struct pack_writer *w, int r)
{
	if (r < 0 && w->failed == 0)
		w->failed = r;
	return r;
}

int pack_refuse_failed(const struct pack_writer *w, struct err *err)
{
	return err_set(err, -w->failed, tr("this pack failed before and cannot go on"));
}

int pack_begin(int dir, struct pack_writer **ret, struct err *err)
{
	_cleanup_(pack_freep) struct pack_writer *w = xcalloc(1, sizeof(*w));
	struct id random = id_random();
	uint8_t header[PACK_HEADER] = { 'P', 'A', 'C', 'K', 0, 0, 0, 2 };
	char digits[ID_TEXT];
	int r;

	w->sink.fd = -1;
	w->large_offset = (uint64_t)1 << 31;
	w->room = FIRST_SLOTS / 2;
	w->slot_count = FIRST_SLOTS;
	w->items = xcalloc(w->room, sizeof(*w->items));
	w->slots = xcalloc(w->slot_count, sizeof(*w->slots));
	w->sink.buffer = xcalloc(1, BUFFER_BYTES + PACK_TRAILER);
	hex_encode(random.b, sizeof(random.b), digits);
	(void)snprintf(w->index_name, sizeof(w->index_name), "tmp_idx_%s", digits);
	w->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (w->dir < 0)
		return err_errno(err, tr("cannot open a folder of packs"));
	(void)snprintf(w->pack_name, sizeof(w->pack_name), "tmp_pack_%s", digits);
	w->sink.fd = file_create(w->dir, w->pack_name, err);
	if (w->sink.fd < 0)
		return w->sink.fd;
	r = sink_add(&w->sink, header, sizeof(header), err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

void pack_set_large_offset(struct pack_writer *w, uint64_t limit)
{
	w->large_offset = limit;
}

/* Type and length: 3 and 4 bits in the first byte, 7 in each that follows, least significant first.
 */
static size_t entry_header(enum object_type type, uint64_t n, uint8_t out[16])
{
	size_t used = 0;
	uint8_t byte = (uint8_t)((unsigned)type << 4 | (n & 15));

	for (n >>= 4; n; n >>= 7) {
		out[used++] = byte | 0x80;
		byte = n & 0x7f;
	}
	out[used++] = byte;
	return used;
}

/* The name goes into the set and the index; the entry's bytes follow. */
static int begin_entry(struct pack_writer *w, const struct oid *oid, struct err *err)
{
	uint32_t *slot;
	int r;

	if (w->failed < 0)
		return pack_refuse_failed(w, err);
	if (w->is_open)
		return pack_keep(
			w, err_set(err, ERR_INVALID, tr("the object before is not complete")));
	if (w->count == UINT32_MAX - 1)
		return err_set(
			err, ERR_LIMIT, tr("a pack holds at most %u objects"), UINT32_MAX - 1);
	r = grow(w, err);
	if (r < 0)
		return r;
	slot = find_slot(w, oid);
	if (*slot)
		return err_set(err, ERR_EXISTS, tr("this object is in the pack already"));
	w->items[w->count] = (struct item){ .oid = *oid, .offset = w->sink.flushed + w->sink.used };
	*slot = (uint32_t)++w->count;
	w->is_open = true;
	sink_crc_begin(&w->sink);
	return 0;
}

static void end_entry(struct pack_writer *w)
{
	w->items[w->count - 1].crc = sink_crc_end(&w->sink);
	w->is_open = false;
}

/* A stored block for the next content bytes, as long as it may be. An empty object has one empty
 * block. */
static int begin_block(struct pack_writer *w, struct err *err)
{
	uint16_t n = w->left < STORED_MAX ? (uint16_t)w->left : STORED_MAX;
	uint8_t header[5];

	header[0] = n == w->left;
	put_le16(header + 1, n);
	put_le16(header + 3, (uint16_t)~n);
	w->block_left = n;
	return sink_add(&w->sink, header, sizeof(header), err);
}

int pack_add_begin(struct pack_writer *w, enum object_type type, const struct oid *oid, uint64_t n,
	struct err *err)
{
	uint8_t header[16 + 2];
	size_t used;
	int r;

	if (type != OBJECT_COMMIT && type != OBJECT_TREE && type != OBJECT_BLOB)
		return err_set(err, ERR_INVALID, tr("no such kind of object"));
	r = begin_entry(w, oid, err);
	if (r < 0)
		return r;
	used = entry_header(type, n, header);
	header[used++] = 0x78; /* deflate, window of 32 KiB */
	header[used++] = 0x01; /* fastest; makes the two bytes a multiple of 31 */
	r = sink_add(&w->sink, header, used, err);
	w->left = n;
	w->adler = 1;
	if (r == 0)
		r = begin_block(w, err);
	return pack_keep(w, r);
}

int pack_add_bytes(struct pack_writer *w, const void *p, size_t n, struct err *err)
{
	const uint8_t *from = p;

	if (w->failed < 0)
		return pack_refuse_failed(w, err);
	if (!w->is_open || n > w->left)
		return pack_keep(
			w, err_set(err, ERR_INVALID, tr("more bytes than the object has")));
	w->adler = libdeflate_adler32(w->adler, from, n);
	while (n > 0) {
		size_t some = n < w->block_left ? n : w->block_left;
		int r = sink_add(&w->sink, from, some, err);

		from += some;
		n -= some;
		w->block_left -= some;
		w->left -= some;
		if (r == 0 && w->block_left == 0 && w->left > 0)
			r = begin_block(w, err);
		if (r < 0)
			return pack_keep(w, r);
	}
	return 0;
}

int pack_add_end(struct pack_writer *w, struct err *err)
{
	uint8_t adler[4];
	int r;

	if (w->failed < 0)
		return pack_refuse_failed(w, err);
	if (!w->is_open || w->left > 0)
		return pack_keep(
			w, err_set(err, ERR_INVALID, tr("fewer bytes than the object has")));
	put_be32(adler, w->adler);
	r = sink_add(&w->sink, adler, sizeof(adler), err);
	if (r < 0)
		return pack_keep(w, r);
	end_entry(w);
	return 0;
}

int pack_add(struct pack_writer *w, enum object_type type, const struct oid *oid, const void *p,
	size_t n, bool *ret_new, struct err *err)
{
	bool is_new = !pack_has(w, oid);
	int r = 0;

	if (w->failed < 0)
		return pack_refuse_failed(w, err);
	if (is_new)
		r = pack_add_begin(w, type, oid, n, err);
	if (is_new && r == 0)
		r = pack_add_bytes(w, p, n, err);
	if (is_new && r == 0)
		r = pack_add_end(w, err);
	if (r == 0 && ret_new)
		*ret_new = is_new;
	return r;
}

int pack_raw_begin(struct pack_writer *w, const struct oid *oid, struct err *err)
{
	return begin_entry(w, oid, err);
}

int pack_raw_bytes(struct pack_writer *w, const void *p, size_t n, struct err *err)
{
	return pack_keep(w, sink_add(&w->sink, p, n, err));
}

int pack_raw_end(struct pack_writer *w, uint32_t crc, struct err *err)
{
	if (w->failed < 0)
		return pack_refuse_failed(w, err);
	end_entry(w);
	if (w->items[w->count - 1].crc != crc)
		return pack_keep(
			w, err_set(err, ERR_CORRUPT, tr("an object in a pack is damaged")));
	return 0;
}

size_t pack_objects(const struct pack_writer *w)
{
	return w->count;
}

uint64_t pack_bytes(const struct pack_writer *w)
{
	return w->sink.flushed + w->sink.used;
}

void pack_free(struct pack_writer *w)
{
	if (!w)
		return;
	if (w->dir >= 0 && w->pack_name[0])
		(void)file_unlink(w->dir, w->pack_name, NULL);
	if (w->dir >= 0 && w->index_name[0])
		(void)file_unlink(w->dir, w->index_name, NULL);
	closep(&w->sink.fd);
	closep(&w->dir);
	free(w->sink.buffer);
	free(w->items);
	free(w->slots);
	free(w);
}
