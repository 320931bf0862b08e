/* pack_read.c - reads one pack entry by entry, for merging, verifying and adopting (pack.h).
 *
 * The index is read into memory and checked whole before anything relies on it: sizes, order of
 * names, fan-out, and that the offsets cut the pack into entries without overlap. The pack itself
 * is read through one window, mostly from front to back; a bad sector is an error here and not a
 * signal, which is why nothing is mapped.
 *
 * Stock git may have repacked: deflated entries are inflated, deltas are ERR_UNSUPPORTED (the
 * repository's config asks git not to make any). */
#include "store/pack_private.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum {
	WINDOW_BYTES = 256 << 10,
	ENTRY_HEADER_MAX = 10, /* 4 + 9 * 7 bits hold any length below 2^63 */
	INDEX_ROW = OID_BYTES + 4 + 4,
	INDEX_TRAILER = 2 * SHA1_BYTES,
	EXPANSION_MAX = 1100, /* deflate cannot make more than 1032 bytes out of one */
};

/* Entries in the order of the pack. */
struct place {
	uint64_t offset;
	uint32_t row; /* in the index */
};

struct pack_reader {
	int fd;
	uint64_t bytes;
	uint8_t *index;
	uint64_t index_bytes;
	size_t count, large_count;
	const uint8_t *names, *sums, *offsets, *larges;
	struct oid trailer;
	struct place *places;
	uint8_t *window;
	uint64_t window_at;
	size_t window_n;
};

static int damaged(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, tr("a pack or its index is damaged: %s"), what);
}

/* ---- the index ---- */

static int read_index(struct pack_reader *p, int fd, struct err *err)
{
	int r = file_size(fd, &p->index_bytes, err);

	if (r < 0)
		return r;
	if (p->index_bytes < INDEX_HEADER + INDEX_FANOUT + INDEX_TRAILER)
		return damaged(err, tr("the index is too short"));
	p->index = malloc((size_t)p->index_bytes);
	if (!p->index)
		return err_set(err, ERR_LIMIT, tr("the index of a pack does not fit into memory"));
	return file_pread(fd, p->index, (size_t)p->index_bytes, 0, err);
}

/* Set the pointers into the index. */
static int lay_out(struct pack_reader *p, struct err *err)
{
	static const uint8_t header[INDEX_HEADER] = { 0xff, 't', 'O', 'c', 0, 0, 0, 2 };
	const uint8_t *fanout = p->index + INDEX_HEADER;
	uint64_t rest = p->index_bytes - (INDEX_HEADER + INDEX_FANOUT + INDEX_TRAILER);

	if (memcmp(p->index, header, sizeof(header)) != 0)
		return damaged(err, tr("the index has another format"));
	p->count = get_be32(fanout + 255 * 4);
	if (rest / INDEX_ROW < p->count)
		return damaged(err, tr("the index is too short"));
	rest -= (uint64_t)p->count * INDEX_ROW;
	if (rest % 8 || rest / 8 > p->count)
		return damaged(err, tr("the index has a wrong length"));
	p->large_count = (size_t)(rest / 8);
	p->names = fanout + INDEX_FANOUT;
	p->sums = p->names + p->count * OID_BYTES;
	p->offsets = p->sums + p->count * 4;
	p->larges = p->offsets + p->count * 4;
	return 0;
}

static int check_names(const struct pack_reader *p, struct err *err)
{
	const uint8_t *fanout = p->index + INDEX_HEADER;
	size_t upto = 0;

	for (size_t i = 1; i < p->count; i++)
		if (memcmp(p->names + (i - 1) * OID_BYTES, p->names + i * OID_BYTES, OID_BYTES) >=
			0)
			return damaged(err, tr("the names in the index are not in order"));
	for (unsigned first = 0; first < 256; first++) {
		while (upto < p->count && p->names[upto * OID_BYTES] == first)
			upto++;
		if (get_be32(fanout + first * 4) != upto)
			return damaged(err, tr("the fan-out of the index does not fit its names"));
	}
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int sort_places(struct pack_reader *p, struct err *err)
{
	p->places = calloc(p->count + 1, sizeof(*p->places));
	if (!p->places)
		return err_set(err, ERR_LIMIT, tr("the index of a pack does not fit into memory"));
	for (size_t i = 0; i < p->count; i++) {
		uint64_t offset = get_be32(p->offsets + i * 4);

		if (offset >> 31) {
			offset &= 0x7fffffff;
			if (offset >= p->large_count)
				return damaged(err, tr("an offset is not in the index"));
			offset = get_be64(p->larges + offset * 8);
		}
		p->places[i] = (struct place){ offset, (uint32_t)i };
	}
	qsort(p->places, p->count, sizeof(*p->places), by_offset);
	p->places[p->count].offset = p->bytes - PACK_TRAILER;
	if (p->places[0].offset != PACK_HEADER)
		return damaged(err, tr("the first object is not where it must be"));
	for (size_t i = 0; i < p->count; i++)
		if (p->places[i].offset >= p->places[i + 1].offset)
			return damaged(err, tr("objects overlap"));
	return 0;
}

static int check_pack(struct pack_reader *p, struct err *err)
{
	static const uint8_t magic[8] = { 'P', 'A', 'C', 'K', 0, 0, 0, 2 };
	uint8_t header[PACK_HEADER];
	int r = file_size(p->fd, &p->bytes, err);

	if (r < 0)
		return r;
	if (p->bytes < PACK_HEADER + PACK_TRAILER)
		return damaged(err, tr("the pack is too short"));
	r = file_pread(p->fd, header, sizeof(header), 0, err);
	if (r < 0)
		return r;
	if (memcmp(header, magic, sizeof(magic)) != 0)
		return damaged(err, tr("the pack has another format"));
	if (get_be32(header + 8) != p->count)
		return damaged(err, tr("pack and index count differently"));
	r = file_pread(p->fd, p->trailer.b, OID_BYTES, p->bytes - PACK_TRAILER, err);
	if (r < 0)
		return r;
	if (memcmp(p->trailer.b, p->index + p->index_bytes - INDEX_TRAILER, OID_BYTES) != 0)
		return damaged(err, tr("the index belongs to another pack"));
	return 0;
}

int pack_open_fds(int pack_fd, int index_fd, struct pack_reader **ret, struct err *err)
{
	_cleanup_(pack_closep) struct pack_reader *p = xcalloc(1, sizeof(*p));
	int r;

	p->fd = pack_fd;
	r = read_index(p, index_fd, err);
	closep(&index_fd);
	if (r == 0)
		r = lay_out(p, err);
	if (r == 0)
		r = check_names(p, err);
	if (r == 0)
		r = check_pack(p, err);
	if (r == 0)
		r = sort_places(p, err);
	if (r < 0)
		return r;
	p->window = xcalloc(1, WINDOW_BYTES);
	*ret = TAKE_PTR(p);
	return 0;
}

int pack_open(int dir, const struct oid *name, struct pack_reader **ret, struct err *err)
{
	char pack[PACK_NAME_MAX], index[PACK_NAME_MAX];
	_cleanup_(closep) int pack_fd =
		file_open_read(dir, pack_file_name(name, "pack", pack), err);
	int index_fd, r;

	if (pack_fd < 0)
		return pack_fd;
	index_fd = file_open_read(dir, pack_file_name(name, "idx", index), err);
	if (index_fd < 0)
		return index_fd;
	r = pack_open_fds(TAKE_FD(pack_fd), index_fd, ret, err);
	return r < 0 ? err_prefix(err, r, "'%s'", pack) : 0;
}

void pack_close(struct pack_reader *p)
{
	if (!p)
		return;
	closep(&p->fd);
	free(p->index);
	free(p->places);
	free(p->window);
	free(p);
}

size_t pack_count(const struct pack_reader *p)
{
	return p->count;
}

uint64_t pack_file_bytes(const struct pack_reader *p)
{
	return p->bytes;
}

int pack_check_sums(struct pack_reader *p, struct err *err)
{
	_cleanup_(hash_freep) struct hash *h = sha1_new();
	uint8_t sum[SHA1_BYTES];

	sha1(p->index, (size_t)p->index_bytes - SHA1_BYTES, sum);
	if (memcmp(sum, p->index + p->index_bytes - SHA1_BYTES, SHA1_BYTES) != 0)
		return damaged(err, tr("the checksum of the index is wrong"));
	for (uint64_t at = 0; at < p->bytes - PACK_TRAILER;) {
		uint64_t left = p->bytes - PACK_TRAILER - at;
		size_t some = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		int r;

		p->window_n = 0;
		r = file_pread(p->fd, p->window, some, at, err);
		if (r < 0)
			return r;
		hash_add(h, p->window, some);
		at += some;
	}
	hash_take(h, sum);
	if (memcmp(sum, p->trailer.b, SHA1_BYTES) != 0)
		return damaged(err, tr("the checksum of the pack is wrong"));
	return 0;
}

/* ---- entries ---- */

/* Some bytes at an offset before `end`: a pointer into the window, good until the next call. */
static int look(struct pack_reader *p, uint64_t offset, uint64_t end, const uint8_t **ret,
	size_t *ret_n, struct err *err)
{
	if (offset < p->window_at || offset >= p->window_at + p->window_n) {
		uint64_t left = p->bytes - offset;
		size_t some = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		int r;

		p->window_n = 0;
		r = file_pread(p->fd, p->window, some, offset, err);
		if (r < 0)
			return r;
		p->window_at = offset;
		p->window_n = some;
	}
	*ret = p->window + (offset - p->window_at);
	*ret_n = p->window_n - (size_t)(offset - p->window_at);
	if (*ret_n > end - offset)
		*ret_n = (size_t)(end - offset);
	return 0;
}

/* Type and length; *ret_body is the offset of the zlib stream. */
static int entry_head(struct pack_reader *p, size_t i, struct pack_entry *ret, uint64_t *ret_body,
	struct err *err)
{
	uint64_t offset = p->places[i].offset, end = p->places[i + 1].offset;
	uint8_t head[ENTRY_HEADER_MAX] = { 0 };
	size_t n = end - offset < sizeof(head) ? (size_t)(end - offset) : sizeof(head), used = 1;
	unsigned type;

	for (size_t have = 0; have < n;) {
		const uint8_t *at;
		size_t some;
		int r = look(p, offset + have, offset + n, &at, &some, err);

		if (r < 0)
			return r;
		memcpy(head + have, at, some);
		have += some;
	}
	type = head[0] >> 4 & 7;
	ret->bytes = head[0] & 15;
	for (unsigned shift = 4; head[used - 1] & 0x80; shift += 7) {
		if (used == n)
			return damaged(err, tr("an object's header does not end"));
		ret->bytes |= (uint64_t)(head[used++] & 0x7f) << shift;
	}
	if (type == 6 || type == 7)
		return err_set(err, ERR_UNSUPPORTED,
			tr("a pack holds deltas, so another program repacked it; repack it with "
			   "'git repack -a -d -F --window=0'"));
	if (type == 4)
		return err_set(err, ERR_UNSUPPORTED, tr("a pack holds an annotated tag"));
	if (type < OBJECT_COMMIT || type > OBJECT_BLOB)
		return damaged(err, tr("an object has no known kind"));
	ret->type = (enum object_type)type;
	memcpy(ret->oid.b, p->names + (size_t)p->places[i].row * OID_BYTES, OID_BYTES);
	*ret_body = offset + used;
	return 0;
}

int pack_entry_at(struct pack_reader *p, size_t i, struct pack_entry *ret, struct err *err)
{
	struct pack_entry entry;
	uint64_t body;
	int r = entry_head(p, i, &entry, &body, err);

	if (r == 0)
		*ret = entry;
	return r;
}

/* Inflate the entry's body into exactly n bytes. */
static int inflate_body(
	struct pack_reader *p, uint64_t body, uint64_t end, uint8_t *out, size_t n, struct err *err)
{
	z_stream z = { .next_out = out };
	uint8_t none[1]; /* to see an output that is too long */
	size_t left = n;
	int r = 0, status = Z_OK;

	if (inflateInit(&z) != Z_OK)
		abort();
	while (status == Z_OK && body < end) {
		const uint8_t *at;
		size_t some, room = left < UINT32_MAX / 2 ? left : UINT32_MAX / 2;

		r = look(p, body, end, &at, &some, err);
		if (r < 0)
			break;
		z.next_in = (z_const Bytef *)at;
		z.avail_in = (uInt)some;
		if (room == 0)
			z.next_out = none;
		z.avail_out = room ? (uInt)room : sizeof(none);
		status = inflate(&z, Z_NO_FLUSH);
		body += some - z.avail_in;
		if (room == 0 && z.avail_out == 0)
			status = Z_DATA_ERROR;
		if (room)
			left -= room - z.avail_out;
	}
	(void)inflateEnd(&z);
	if (r == 0 && (status != Z_STREAM_END || left > 0 || body != end))
		r = damaged(err, tr("an object's bytes do not fit its length or checksum"));
	return r;
}

int pack_entry_read(struct pack_reader *p, size_t i, struct buf *ret, struct err *err)
{
	uint64_t body, end = p->places[i + 1].offset;
	struct pack_entry entry;
	size_t before = ret->n;
	uint8_t *out;
	int r = entry_head(p, i, &entry, &body, err);

	if (r < 0)
		return r;
	/* A length that the entry's bytes cannot reach must not decide how much memory is asked
	 * for. */
	if (entry.bytes / EXPANSION_MAX > end - body)
		return damaged(err, tr("an object's bytes do not fit its length or checksum"));
	out = buf_extend(ret, (size_t)entry.bytes);
	if (!out)
		return buf_check(ret, err);
	r = inflate_body(p, body, end, out, (size_t)entry.bytes, err);
	if (r < 0)
		buf_cut(ret, before);
	return r;
}

int pack_copy(struct pack_reader *from, size_t i, struct pack_writer *to, struct err *err)
{
	uint64_t at = from->places[i].offset, end = from->places[i + 1].offset, body;
	struct pack_entry entry;
	int r = entry_head(from, i, &entry, &body, err);

	if (r < 0)
		return r;
	if (pack_has(to, &entry.oid))
		return 0;
	r = pack_raw_begin(to, &entry.oid, err);
	while (r == 0 && at < end) {
		const uint8_t *bytes;
		size_t some;

		r = look(from, at, end, &bytes, &some, err);
		if (r == 0)
			r = pack_raw_bytes(to, bytes, some, err);
		at += some;
	}
	if (r < 0)
		return r;
	return pack_raw_end(to, get_be32(from->sums + (size_t)from->places[i].row * 4), err);
}
