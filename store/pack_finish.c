/* pack_finish.c - the trailer, the index and the names of a pack whose objects are all there (pack.h; what
 * the files look like stands on top of pack_write.c). */
#include "store/pack_writer.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdlib.h>

static int hash_file(
	int fd, uint64_t bytes, uint8_t *buffer, uint8_t out[SHA1_BYTES], struct err *err)
{
	_cleanup_(hash_freep) struct hash *h = sha1_new();

	for (uint64_t at = 0; at < bytes;) {
		size_t some = bytes - at < BUFFER_BYTES ? (size_t)(bytes - at) : BUFFER_BYTES;
		int r = file_pread(fd, buffer, some, at, err);

		if (r < 0)
			return r;
		hash_add(h, buffer, some);
		at += some;
	}
	hash_take(h, out);
	return 0;
}

/* The count at the front, the trailer at the end, and everything synced. */
static int finish_pack(struct pack_writer *w, struct oid *ret_trailer, struct err *err)
{
	struct sink *s = &w->sink;
	uint8_t count[4];
	int r;

	put_be32(count, (uint32_t)w->count);
	if (s->flushed == 0) {
		memcpy(s->buffer + 8, count, sizeof(count));
		sha1(s->buffer, s->used, ret_trailer->b);
		memcpy(s->buffer + s->used, ret_trailer->b, PACK_TRAILER);
		r = file_pwrite(s->fd, s->buffer, s->used + PACK_TRAILER, 0, err);
	} else {
		r = sink_flush(s, err);
		if (r == 0)
			r = file_pwrite(s->fd, count, sizeof(count), 8, err);
		if (r == 0)
			r = hash_file(s->fd, s->flushed, s->buffer, ret_trailer->b, err);
		if (r == 0)
			r = file_pwrite(s->fd, ret_trailer->b, PACK_TRAILER, s->flushed, err);
	}
	return r < 0 ? r : file_datasync(s->fd, err);
}

static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct oid));
}

static unsigned bucket_of(const struct item *i)
{
	return (unsigned)i->oid.b[0] << 4 | i->oid.b[1] >> 4;
}

/* Names are hashes and fall evenly: one pass puts each among those with the same first 12 bits, and what remains to be
 * sorted is short. */
static void sort_by_name(struct pack_writer *w)
{
	enum { BUCKETS = 1 << 12 };
	uint32_t end[BUCKETS] = { 0 }, from = 0;
	struct item *sorted = reallocarray(NULL, w->count, sizeof(*sorted));

	if (!sorted) {
		qsort(w->items, w->count, sizeof(*w->items), by_name);
		return;
	}
	for (size_t i = 0; i < w->count; i++)
		end[bucket_of(&w->items[i])]++;
	for (size_t b = 0; b < BUCKETS; b++) {
		uint32_t n = end[b];

		end[b] = from; /* for now its begin */
		from += n;
	}
	for (size_t i = 0; i < w->count; i++)
		sorted[end[bucket_of(&w->items[i])]++] = w->items[i];
	from = 0;
	for (size_t b = 0; b < BUCKETS; b++) {
		if (end[b] - from > 1)
			qsort(sorted + from, end[b] - from, sizeof(*sorted), by_name);
		from = end[b];
	}
	free(w->items);
	w->items = sorted;
	w->room = w->count;
}

static int add_be32(struct sink *s, uint32_t v, struct err *err)
{
	uint8_t bytes[4];

	put_be32(bytes, v);
	return sink_add(s, bytes, sizeof(bytes), err);
}

static int index_fanout(const struct pack_writer *w, struct sink *s, struct err *err)
{
	size_t upto = 0;
	int r = 0;

	for (unsigned first = 0; first < 256 && r == 0; first++) {
		while (upto < w->count && w->items[upto].oid.b[0] == first)
			upto++;
		r = add_be32(s, (uint32_t)upto, err);
	}
	return r;
}

static int index_offsets(const struct pack_writer *w, struct sink *s, struct err *err)
{
	uint32_t large = 0;
	int r = 0;

	for (size_t i = 0; i < w->count && r == 0; i++) {
		uint64_t offset = w->items[i].offset;

		r = add_be32(s,
			offset < w->large_offset ? (uint32_t)offset : UINT32_C(1) << 31 | large++,
			err);
	}
	for (size_t i = 0; i < w->count && large > 0 && r == 0; i++) {
		uint8_t bytes[8];

		put_be64(bytes, w->items[i].offset);
		if (w->items[i].offset >= w->large_offset)
			r = sink_add(s, bytes, sizeof(bytes), err);
	}
	return r;
}

/* The index, whole and synced. The items are sorted by now. */
static int write_index(struct pack_writer *w, const struct oid *trailer, struct err *err)
{
	static const uint8_t header[INDEX_HEADER] = { 0xff, 't', 'O', 'c', 0, 0, 0, 2 };
	_cleanup_(closep) int fd = file_create(w->dir, w->index_name, err);
	_cleanup_(hash_freep) struct hash *hash = sha1_new();
	struct sink s = { .fd = fd, .buffer = w->sink.buffer, .hash = hash };
	uint8_t sum[SHA1_BYTES];
	int r;

	if (fd < 0)
		return fd;
	r = sink_add(&s, header, sizeof(header), err);
	if (r == 0)
		r = index_fanout(w, &s, err);
	for (size_t i = 0; i < w->count && r == 0; i++)
		r = sink_add(&s, w->items[i].oid.b, OID_BYTES, err);
	for (size_t i = 0; i < w->count && r == 0; i++)
		r = add_be32(&s, w->items[i].crc, err);
	if (r == 0)
		r = index_offsets(w, &s, err);
	if (r == 0)
		r = sink_add(&s, trailer->b, OID_BYTES, err);
	if (r == 0)
		r = sink_flush(&s, err);
	if (r < 0)
		return r;
	hash_take(hash, sum);
	r = file_pwrite(fd, sum, sizeof(sum), s.flushed, err);
	return r < 0 ? r : file_datasync(fd, err);
}

static void name_of(const struct pack_writer *w, struct oid *ret)
{
	_cleanup_(hash_freep) struct hash *h = sha1_new();

	for (size_t i = 0; i < w->count; i++)
		hash_add(h, w->items[i].oid.b, OID_BYTES);
	hash_take(h, ret->b);
}

/* True when a pack of this name is there and fits its index. */
static bool is_there(const struct pack_writer *w, const struct oid *name)
{
	_cleanup_(pack_closep) struct pack_reader *there = NULL;

	return pack_open(w->dir, name, &there, NULL) == 0 && pack_count(there) == w->count;
}

/* Both files get their names, the pack first: an index without its pack would be an error to git, a
 * pack without its index is not seen. When the folder cannot be synced the names go again, so that
 * another try writes everything anew instead of trusting names that may not be on the disk. */
static int install(struct pack_writer *w, const struct oid *name, struct err *err)
{
	char pack[PACK_NAME_MAX], index[PACK_NAME_MAX];
	int r;

	pack_file_name(name, "pack", pack);
	pack_file_name(name, "idx", index);
	if (is_there(w, name))
		return file_sync_dir(w->dir, err);
	r = file_unlink(w->dir, index, err);
	if (r < 0)
		return r;
	r = file_rename(w->dir, w->pack_name, w->dir, pack, err);
	if (r < 0)
		return r;
	w->pack_name[0] = '\0';
	r = file_rename(w->dir, w->index_name, w->dir, index, err);
	if (r == 0) {
		w->index_name[0] = '\0';
		r = file_sync_dir(w->dir, err);
	}
	if (r < 0) {
		(void)file_unlink(w->dir, index, NULL);
		(void)file_unlink(w->dir, pack, NULL);
	}
	return r;
}

int pack_finish(struct pack_writer *w, struct oid *ret_name, struct err *err)
{
	struct oid trailer, name;
	int r;

	if (w->failed < 0)
		return pack_refuse_failed(w, err);
	if (w->is_open)
		return pack_keep(
			w, err_set(err, ERR_INVALID, tr("the object before is not complete")));
	if (w->count == 0)
		return err_set(err, ERR_INVALID, tr("a pack without objects is not written"));
	r = finish_pack(w, &trailer, err);
	if (r < 0)
		return pack_keep(w, r);
	sort_by_name(w);
	r = write_index(w, &trailer, err);
	if (r < 0)
		return pack_keep(w, r);
	name_of(w, &name);
	r = install(w, &name, err);
	w->failed = r < 0 ? r : -ERR_INVALID; /* finished: nothing can be added */
	if (r < 0)
		return r;
	*ret_name = name;
	return 0;
}
