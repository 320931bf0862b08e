/* journal_scan.c - walks the frames of the journal in order, and decides what stands where they
 * end.
 *
 * The walk stops at the first place that does not hold the frame that must come next. Then:
 *
 *   zeros there and behind                           the end
 *   a whole frame anywhere behind, or there and      damage: frames are lost in the middle
 *   not the one that follows
 *   the frame that must come next, its last sector   torn: the power went while it was written
 *   zeros, and zeros behind it
 *   anything else                                    bad: it may have been whole once
 *
 * "Torn" asks for the last sector because a disk writes a sector whole or not at all, and because
 * the last 32 bytes of a frame are a SHA-256: a frame that was whole once never ends in zeros. A
 * torn frame was never answered for, so it may be forgotten; a bad one may have been, so it is kept
 * aside and reported. */
#include "store/journal_private.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdlib.h>

enum { LOOK_BYTES = 1 << 20 };

struct walk {
	struct segment *segments;
	size_t count;
	uint64_t next;
	uint64_t whole_from; /* of frames before this one only header and chain are looked at */
	struct scan *scan;
	uint8_t *block;	  /* LOOK_BYTES */
	struct buf frame; /* one whole frame */
};

/* The number that the frame behind the last one has. */
static uint64_t expected(const struct walk *w)
{
	if (w->scan->frames)
		return w->scan->last + 1;
	return w->next ? w->next : 1;
}

/* True when a frame with this header may come after what the walk has seen. The first frame may
 * have any predecessor: its segment is gone. A writer that starts with frames that it does not know
 * the digest of begins a new chain with zeros. */
static bool follows(const struct walk *w, const struct frame_head *h)
{
	if (w->scan->frames == 0)
		return w->next == 0 || h->number <= w->next;
	if (h->number == expected(w))
		return digest_equal(&h->previous, &w->scan->digest);
	return h->number > expected(w) && digest_is_zero(&h->previous);
}

/* Read the frame at an offset whole and check everything in it but its place in the chain. On
 * success *ret_memory is the caller's to free() and `f` points into w->frame. */
static int read_frame(struct walk *w, const struct segment *s, uint64_t offset,
	struct frame_head *ret_head, struct frame *f, void **ret_memory, struct digest *ret_digest,
	struct err *err)
{
	uint8_t header[FRAME_HEADER];
	uint64_t bytes;
	uint8_t *at;
	int r = file_pread(s->fd, header, sizeof(header), offset, err);

	if (r == 0)
		r = frame_head_parse(
			(struct str){ (const char *)header, sizeof(header) }, ret_head, err);
	if (r < 0)
		return r;
	bytes = frame_bytes(ret_head->body_bytes);
	if (bytes > s->bytes - offset)
		return err_set(err, ERR_CORRUPT, tr("a frame of the journal is damaged: %s"),
			tr("it ends too early"));
	buf_reset(&w->frame);
	at = buf_extend(&w->frame, (size_t)bytes);
	if (!at)
		return buf_check(&w->frame, err);
	r = file_pread(s->fd, at, (size_t)bytes, offset, err);
	if (r < 0)
		return r;
	return frame_parse(buf_str(&w->frame), s->number, f, ret_memory, ret_digest->b, err);
}

/* ---- zeros and what is behind ---- */

/* The offset behind the last byte that is not zero, at or after `offset`; `offset` itself when
 * there is none. */
static int end_of_bytes(
	struct walk *w, const struct segment *s, uint64_t offset, uint64_t *ret, struct err *err)
{
	uint64_t end = offset;

	for (uint64_t at = offset; at < s->bytes;) {
		size_t some = s->bytes - at < LOOK_BYTES ? (size_t)(s->bytes - at) : LOOK_BYTES;
		int r = file_pread(s->fd, w->block, some, at, err);

		if (r < 0)
			return r;
		if (!is_all_zero(w->block, some)) {
			size_t n = some;

			while (w->block[n - 1] == 0)
				n--;
			end = at + n;
		}
		at += some;
	}
	*ret = end;
	return 0;
}

/* True when a whole frame begins at some block from `offset` on. */
static bool has_frame(struct walk *w, const struct segment *s, uint64_t offset)
{
	for (; offset < s->bytes; offset += JOURNAL_BLOCK) {
		_cleanup_(freep) void *memory = NULL;
		struct frame_head head;
		struct digest digest;
		struct frame f;

		if (read_frame(w, s, offset, &head, &f, &memory, &digest, NULL) == 0)
			return true;
	}
	return false;
}

static int lost(const struct walk *w, const struct segment *s, uint64_t offset, struct err *err)
{
	return err_set(err, ERR_CORRUPT,
		tr("the journal is damaged: frame %llu is not at byte %llu of segment %llu, but "
		   "later frames are there; restore the folder 'journal' from a backup or from "
		   "this disk"),
		(unsigned long long)expected(w), (unsigned long long)offset,
		(unsigned long long)s->number);
}

/* True when the frame at `offset` is the one that must come next and its end never reached the
 * disk. */
static int is_torn(struct walk *w, const struct segment *s, uint64_t offset, uint64_t end,
	bool *ret, struct err *err)
{
	uint8_t header[FRAME_HEADER], sector[SECTOR];
	struct frame_head h;
	uint64_t bytes;
	int r = file_pread(s->fd, header, sizeof(header), offset, err);

	*ret = false;
	if (r < 0)
		return r;
	if (frame_head_parse((struct str){ (const char *)header, sizeof(header) }, &h, NULL) < 0)
		return 0;
	bytes = frame_bytes(h.body_bytes);
	if (h.segment != s->number || !follows(w, &h) || h.number < w->next ||
		bytes > s->bytes - offset || end > offset + bytes)
		return 0;
	r = file_pread(s->fd, sector, sizeof(sector), offset + bytes - SECTOR, err);
	if (r == 0)
		*ret = is_all_zero(sector, sizeof(sector));
	return r;
}

/* The walk ended at this place, which is not all zeros: say what it is. */
static int judge(struct walk *w, size_t i, uint64_t offset, uint64_t end, struct err *err)
{
	struct segment *s = &w->segments[i];
	bool torn;
	int r;

	if (has_frame(w, s, offset))
		return lost(w, s, offset, err);
	for (size_t k = i + 1; k < w->count; k++)
		if (has_frame(w, &w->segments[k], JOURNAL_BLOCK))
			return lost(w, s, offset, err);
	r = is_torn(w, s, offset, end, &torn, err);
	if (r < 0)
		return r;
	w->scan->tail = torn ? TAIL_TORN : TAIL_BAD;
	w->scan->segment = i;
	w->scan->offset = offset;
	w->scan->tail_frame = expected(w);
	w->scan->tail_bytes = end - offset;
	return 0;
}

/* ---- the walk ---- */

/* The frame that the block in memory begins, when its header is good, it follows, and nobody asks for what is in it:
 * it is applied. Its digest is read, not checked. Returns 1 when it is such a one. */
static int skim_frame(const struct walk *w, const struct segment *s, struct frame_head *ret_head,
	struct digest *ret_digest, struct err *err)
{
	struct str block = { (const char *)w->block, JOURNAL_BLOCK };
	uint64_t bytes;
	int r;

	if (frame_head_parse(block, ret_head, NULL) < 0 || ret_head->number >= w->whole_from ||
		ret_head->segment != s->number || !follows(w, ret_head))
		return 0;
	bytes = frame_bytes(ret_head->body_bytes);
	if (bytes > s->bytes - s->used)
		return 0;
	r = file_pread(
		s->fd, ret_digest->b, sizeof(ret_digest->b), s->used + bytes - FRAME_DIGEST, err);
	return r < 0 ? r : 1;
}

static void count_frame(
	struct walk *w, size_t i, const struct frame_head *h, const struct digest *digest)
{
	struct segment *s = &w->segments[i];

	if (w->scan->frames++ == 0)
		w->scan->first = h->number;
	w->scan->last = s->last_frame = h->number;
	w->scan->digest = *digest;
	w->scan->last_bytes = frame_bytes(h->body_bytes);
	s->used += w->scan->last_bytes;
	w->scan->segment = i;
	w->scan->offset = s->used;
}

/* Take all frames of one segment that follow; *ret_stopped when something else than zeros comes
 * behind them. */
static int walk_segment(struct walk *w, size_t i,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	bool *ret_stopped, struct err *err)
{
	struct segment *s = &w->segments[i];

	*ret_stopped = false;
	s->used = JOURNAL_BLOCK;
	s->last_frame = 0;
	while (s->used < s->bytes) {
		_cleanup_(freep) void *memory = NULL;
		struct frame_head head;
		struct digest digest;
		struct frame f;
		int r = file_pread(s->fd, w->block, JOURNAL_BLOCK, s->used, err);

		if (r < 0)
			return r;
		if (is_all_zero(w->block, JOURNAL_BLOCK))
			return 0;
		r = skim_frame(w, s, &head, &digest, err);
		if (r < 0)
			return r;
		if (r > 0) {
			count_frame(w, i, &head, &digest);
			continue;
		}
		r = read_frame(w, s, s->used, &head, &f, &memory, &digest, err);
		if (r < 0 && r != -ERR_CORRUPT)
			return r; /* it could not be looked at: that says nothing about the frame */
		if (r < 0 || !follows(w, &head)) {
			*ret_stopped = true;
			return 0;
		}
		r = each ? each(context, &f, err) : 0;
		if (r < 0)
			return r;
		count_frame(w, i, &head, &digest);
	}
	return 0;
}

/* All frames were taken; nothing may stand behind them, in their segment or in the next, where a
 * frame that did not fit would have been begun. */
static int check_end(struct walk *w, struct err *err)
{
	size_t last = w->scan->segment;

	for (size_t i = last; i < w->count && i <= last + 1; i++) {
		uint64_t from = i == last ? w->scan->offset : JOURNAL_BLOCK, end;
		int r = end_of_bytes(w, &w->segments[i], from, &end, err);

		if (r < 0)
			return r;
		if (end > from)
			return judge(w, i, from, end, err);
	}
	return 0;
}

/* Every frame in order; *ret_clean when zeros stand behind the last one as far as the walk looked. */
static int walk_all(struct walk *w,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	bool *ret_clean, struct err *err)
{
	*ret_clean = true;
	for (size_t i = 0; i < w->count; i++) {
		bool stopped;
		int r = walk_segment(w, i, each, context, &stopped, err);

		if (r == 0 && stopped) {
			uint64_t from = w->segments[i].used, end;

			*ret_clean = false;
			r = end_of_bytes(w, &w->segments[i], from, &end, err);
			return r < 0 ? r : judge(w, i, from, end, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether the last frame, which was only skimmed, is whole: its sync may not have been answered for. */
static int check_last(struct walk *w, bool *ret_whole, struct err *err)
{
	struct segment *s = &w->segments[w->scan->segment];
	_cleanup_(freep) void *memory = NULL;
	struct frame_head head;
	struct digest digest;
	struct frame f;
	int r = read_frame(
		w, s, w->scan->offset - w->scan->last_bytes, &head, &f, &memory, &digest, err);

	*ret_whole = r == 0;
	return r == -ERR_CORRUPT ? 0 : r;
}

static void walk_init(struct walk *w, struct segment *segments, size_t count, struct scan *scan)
{
	*w = (struct walk){ .segments = segments,
		.count = count,
		.scan = scan,
		.block = xcalloc(1, LOOK_BYTES),
		.frame = BUF_INIT_MAX((size_t)FRAME_MAX_BYTES + 2 * JOURNAL_BLOCK) };
	*scan = (struct scan){ .offset = JOURNAL_BLOCK, .tail = TAIL_CLEAN };
}

static void walk_done(struct walk *w)
{
	free(w->block);
	buf_done(&w->frame);
}

int journal_scan(struct segment *segments, size_t count, uint64_t next,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	struct scan *ret, struct err *err)
{
	_cleanup_(walk_done) struct walk w;
	bool clean, whole = true;
	int r;

	walk_init(&w, segments, count, ret);
	w.next = w.whole_from = next;
	r = walk_all(&w, each, context, &clean, err);
	if (r == 0 && clean && ret->frames && ret->last < next) {
		r = check_last(&w, &whole, err);
		if (r == 0 && !whole) {
			w.whole_from = ret->last;
			*ret = (struct scan){ .offset = JOURNAL_BLOCK, .tail = TAIL_CLEAN };
			r = walk_all(&w, each, context, &clean, err);
		}
	}
	return r == 0 && clean && count ? check_end(&w, err) : r;
}

int journal_scan_frames(struct segment *segments, size_t count, uint64_t from,
	int (*each)(void *context, const struct frame *f, struct err *err), void *context,
	bool *ret_clean, struct err *err)
{
	_cleanup_(walk_done) struct walk w;
	struct scan scan;

	walk_init(&w, segments, count, &scan);
	w.whole_from = from;
	return walk_all(&w, each, context, ret_clean, err);
}

int journal_scan_heads(const struct segment *segments, size_t count,
	void (*each)(void *context, const struct frame_head *head), void *context, struct err *err)
{
	uint8_t bytes[FRAME_HEADER];

	for (size_t i = 0; i < count; i++) {
		const struct segment *s = &segments[i];
		struct frame_head head;

		for (uint64_t at = JOURNAL_BLOCK; at < s->used;
			at += frame_bytes(head.body_bytes)) {
			int r = file_pread(s->fd, bytes, sizeof(bytes), at, err);

			if (r == 0)
				r = frame_head_parse(
					(struct str){ (const char *)bytes, sizeof(bytes) }, &head,
					err);
			if (r < 0)
				return r;
			each(context, &head);
		}
	}
	return 0;
}
