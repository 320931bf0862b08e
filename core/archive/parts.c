/* parts.c - see parts.h. */
#include "core/archive/parts.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/tr.h"
#include "search/extract.h"
#include "search/jail.h"
#include "store/envelope.h"
#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20, WAIT_MS = 500, SILENCE_MS = 60000 };

/* ---- sources ---- */

static int too_large(uint64_t max, struct err *err)
{
	return err_set(err, ERR_LIMIT,
		tr("the file is larger than %llu bytes, which the setting 'parts.max_bytes' "
		   "allows"),
		(unsigned long long)max);
}

/* What there is, without waiting: between a look and the reading somebody else may have taken it. */
static ssize_t read_some(int fd, void *p, size_t n)
{
	ssize_t got = recv(fd, p, n, MSG_DONTWAIT);

	return got < 0 && errno == ENOTSOCK ? read(fd, p, n) : got;
}

/* A pipe may be slow, but not for ever; whoever waits may want to stop. Returns what was read, 0 at its end. */
static ssize_t read_pipe(struct verb_call *call, int fd, void *p, size_t n, struct err *err)
{
	for (int waited = 0; waited < SILENCE_MS; waited += WAIT_MS) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		struct verb_progress progress = { .stage = "read", .unit = "bytes" };
		int k = poll(&ready, 1, WAIT_MS);
		ssize_t got;
		int r;

		if (k > 0) {
			got = read_some(fd, p, n);
			if (got >= 0 || (errno != EINTR && errno != EAGAIN))
				return got >= 0 ? got : err_errno(err, tr("cannot read"));
		}
		r = verb_tell_of(call, &progress, err);
		if (r < 0)
			return r;
	}
	return err_set(err, ERR_CANCELLED, tr("nothing came through a pipe for %d seconds"),
		SILENCE_MS / 1000);
}

/* Copy a pipe of unknown length into memory that can be read twice. */
static int spool(struct verb_call *call, int fd, uint64_t max, struct source *ret, struct err *err)
{
	_cleanup_(closep) int memory = jail_memfd_new(err);
	_cleanup_(buf_wipe) struct buf piece = BUF_INIT;
	uint64_t limit = max < PARTS_SPOOL_MAX ? max : PARTS_SPOOL_MAX, n = 0;
	char *p = buf_extend(&piece, PIECE);

	if (memory < 0)
		return memory;
	if (!p)
		return buf_check(&piece, err);
	for (;;) {
		ssize_t got = read_pipe(call, fd, p, PIECE, err);
		int r;

		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		if (n + (uint64_t)got > limit)
			return err_set(err, ERR_LIMIT,
				tr("more than %llu bytes came through a pipe: give a file, or say "
				   "the size"),
				(unsigned long long)limit);
		r = file_pwrite(memory, p, (size_t)got, n, err);
		if (r < 0)
			return r;
		n += (uint64_t)got;
	}
	*ret = (struct source){
		.fd = TAKE_FD(memory), .owned = true, .seekable = true, .bytes = n
	};
	return 0;
}

static bool is_for_writing(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_ACCMODE) == O_WRONLY;
}

int source_open(struct archive *a, struct verb_call *call, int fd, uint64_t size,
	struct source *ret, struct err *err)
{
	_cleanup_(closep) int anew = -1;
	uint64_t max = (uint64_t)settings_int(a->settings, SETTING_PART_MAX_BYTES);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, tr("cannot look at a file"));
	if (S_ISREG(st.st_mode)) {
		*ret = (struct source){ .fd = fd, .seekable = true, .bytes = (uint64_t)st.st_size };
		return ret->bytes > max ? too_large(max, err) : 0;
	}
	if ((!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)) || is_for_writing(fd))
		return err_set(err, ERR_INVALID, tr("a part is a file or a pipe, nothing else"));
	/* Opened anew so that reading never waits. A pipe of another user's cannot be; it is read as it is. */
	anew = S_ISFIFO(st.st_mode) ? file_reopen(fd, O_RDONLY | O_NONBLOCK, NULL) : -1;
	if (size == UINT64_MAX)
		return spool(call, anew >= 0 ? anew : fd, max, ret, err);
	if (size > max)
		return too_large(max, err);
	*ret = (struct source){ .fd = anew >= 0 ? anew : fd, .owned = anew >= 0, .bytes = size };
	anew = -1;
	return 0;
}

void source_done(struct source *s)
{
	if (s->loaded)
		explicit_bzero(s->loaded, s->bytes);
	free(TAKE_PTR(s->loaded));
	if (s->owned)
		closep(&s->fd);
	s->owned = false;
	if (s->tap)
		s->tap_done(s->tap_context);
	s->tap = NULL;
}

int source_read(struct verb_call *call, struct source *s, void *p, size_t n, struct err *err)
{
	char *at = p;
	int r;

	if (s->memory) {
		memcpy(p, s->memory + s->at, n);
		s->at += n;
		return 0;
	}
	if (s->tap) {
		s->at += n;
		return s->tap(s->tap_context, p, n, err);
	}
	if (s->seekable) {
		r = file_pread(s->fd, p, n, s->at, err);
		if (r == -ERR_CORRUPT)
			r = err_set(
				err, ERR_INVALID, tr("the file became shorter while it was read"));
		s->at += n;
		return r;
	}
	while (n > 0) {
		ssize_t got = read_pipe(call, s->fd, at, n, err);

		if (got < 0)
			return (int)got;
		if (got == 0)
			return err_set(
				err, ERR_INVALID, tr("a pipe ended before the size that was said"));
		at += got;
		n -= (size_t)got;
		s->at += (uint64_t)got;
	}
	return 0;
}

int source_open_any(struct verb_call *call, int fd, struct source *ret, struct err *err)
{
	struct stat st;

	(void)call;
	if (fstat(fd, &st) < 0)
		return err_errno(err, tr("cannot look at a file"));
	if (S_ISREG(st.st_mode)) {
		*ret = (struct source){ .fd = fd, .seekable = true, .bytes = (uint64_t)st.st_size };
		return 0;
	}
	if ((!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)) || is_for_writing(fd))
		return err_set(err, ERR_INVALID, tr("a part is a file or a pipe, nothing else"));
	*ret = (struct source){ .fd = fd, .bytes = UINT64_MAX };
	return 0;
}

int source_read_some(
	struct verb_call *call, struct source *s, void *p, size_t n, size_t *ret_n, struct err *err)
{
	char *at = p;
	size_t got = 0;

	if (s->seekable) {
		uint64_t left = s->at < s->bytes ? s->bytes - s->at : 0;

		*ret_n = left < n ? (size_t)left : n;
		return source_read(call, s, p, *ret_n, err);
	}
	while (got < n) {
		ssize_t some = read_pipe(call, s->fd, at + got, n - got, err);

		if (some < 0)
			return (int)some;
		if (some == 0)
			break;
		got += (size_t)some;
	}
	s->at += got;
	*ret_n = got;
	return 0;
}

static int load(struct verb_call *call, struct source *s, struct err *err)
{
	_cleanup_(buf_wipe) struct buf bytes = BUF_INIT_MAX(PARTS_INLINE_MAX);
	char *p = buf_extend(&bytes, (size_t)s->bytes);
	int r = p ? source_read(call, s, p, (size_t)s->bytes, err) : buf_check(&bytes, err);

	if (r < 0)
		return r;
	s->memory = s->loaded = buf_detach(&bytes);
	sha256(s->memory, (size_t)s->bytes, s->sha256.b);
	s->is_hashed = true;
	return 0;
}

static int hash_pieces(
	struct verb_call *call, struct source *s, struct digest *ret, struct err *err)
{
	_cleanup_(hash_freep) struct hash *h = sha256_new();
	_cleanup_(buf_wipe) struct buf piece = BUF_INIT;
	char *p = buf_extend(&piece, PIECE);

	if (!p)
		return buf_check(&piece, err);
	for (s->at = 0; s->at < s->bytes;) {
		uint64_t left = s->bytes - s->at;
		size_t n = left < PIECE ? (size_t)left : PIECE;
		int r = source_read(call, s, p, n, err);

		if (r < 0)
			return r;
		hash_add(h, p, n);
	}
	hash_take(h, ret->b);
	return 0;
}

int source_hash(struct verb_call *call, struct source *s, struct digest *ret, struct err *err)
{
	int r = 0;

	s->at = 0;
	if (!s->memory && s->bytes > 0 && s->bytes <= PARTS_INLINE_MAX)
		r = load(call, s, err);
	if (r == 0 && s->is_hashed)
		*ret = s->sha256;
	else if (r == 0)
		r = hash_pieces(call, s, ret, err);
	s->at = 0;
	return r;
}

/* ---- sealing ---- */

void intake_init(struct intake *in, struct archive *a, struct arena *arena)
{
	*in = (struct intake){ .archive = a, .arena = arena };
}

void intake_done(struct intake *in)
{
	pack_free(TAKE_PTR(in->pack));
}

static int into_pack(
	struct intake *in, const struct slip_blob *blob, const struct buf *sealed, struct err *err)
{
	if (!in->pack) {
		int r = store_incoming(in->archive->store, &in->pack, err);

		if (r < 0)
			return r;
	}
	return pack_add(in->pack, OBJECT_BLOB, &blob->oid, sealed->p, sealed->n, NULL, err);
}

static int seal_chunk(struct intake *in, const struct part_key *key,
	const struct envelope_head *head, const char *plain, bool is_inline,
	struct change_chunk *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	struct envelope_binding binding = { .archive = *store_archive(in->archive->store),
		.record = key->record };
	int r = envelope_seal(&binding, head, key->record_key, plain, &sealed, err);

	if (r < 0)
		return r;
	ret->blob = (struct slip_blob){ .volume = 0, .bytes = sealed.n };
	sha256(sealed.p, sealed.n, ret->blob.sha256.b);
	object_name(OBJECT_BLOB, sealed.p, sealed.n, &ret->blob.oid);
	if (!is_inline)
		return into_pack(in, &ret->blob, &sealed, err);
	ret->sealed = (struct str){ arena_copy(in->arena, sealed.p, sealed.n), sealed.n };
	in->inline_bytes += sealed.n;
	return 0;
}

static int tell_sealing(struct verb_call *call, const struct source *s, struct err *err)
{
	struct verb_progress progress = {
		.stage = "seal", .unit = "bytes", .done = s->at, .total = s->bytes
	};

	return verb_tell_of(call, &progress, err);
}

/* The next n bytes: where they are, or read into `room`. */
static int next_piece(struct verb_call *call, struct source *s, size_t n, struct buf *room,
	const char **ret, struct err *err)
{
	char *p;

	if (s->memory) {
		*ret = s->memory + s->at;
		s->at += n;
		return 0;
	}
	buf_reset(room);
	*ret = p = buf_extend(room, n);
	return p ? source_read(call, s, p, n, err) : buf_check(room, err);
}

int intake_part(struct intake *in, struct verb_call *call, struct source *s,
	const struct part_key *key, struct manifest_part *part, struct change_part *ret,
	struct err *err)
{
	_cleanup_(buf_wipe) struct buf room = BUF_INIT_MAX(ENVELOPE_CHUNK_MAX);
	_cleanup_(hash_freep) struct hash *h = s->is_hashed ? NULL : sha256_new();
	uint64_t count = manifest_chunks(s->bytes), left = s->bytes;
	struct change_chunk *chunks = arena_zero(in->arena, (size_t)count, sizeof(*chunks));
	bool is_inline =
		s->bytes <= PARTS_INLINE_MAX && in->inline_bytes + s->bytes <= PARTS_INLINE_TOTAL;
	int r;

	for (uint64_t c = 0; c < count; c++) {
		size_t n = left < ENVELOPE_CHUNK_MAX ? (size_t)left : ENVELOPE_CHUNK_MAX;
		struct envelope_head head = { .kind = ENVELOPE_PART,
			.key = key->key,
			.part = part->id,
			.chunk = (uint32_t)c,
			.chunks = (uint32_t)count,
			.plain_bytes = n };
		const char *p;

		if ((r = next_piece(call, s, n, &room, &p, err)) < 0 ||
			(r = seal_chunk(in, key, &head, p, is_inline, &chunks[c], err)) < 0)
			return r;
		if (h)
			hash_add(h, p, n);
		left -= n;
		if (count > 8 && (r = tell_sealing(call, s, err)) < 0)
			return r;
	}
	part->bytes = s->bytes;
	part->sha256 = s->sha256;
	if (h)
		hash_take(h, part->sha256.b);
	*ret = (struct change_part){
		.part = part->id, .chunks = chunks, .chunk_count = (size_t)count
	};
	return 0;
}

int intake_finish(struct intake *in, struct err *err)
{
	int r;

	if (!in->pack)
		return 0;
	r = pack_finish(in->pack, &in->packs[0], err);
	if (r == 0)
		in->pack_count = 1;
	pack_free(TAKE_PTR(in->pack));
	return r;
}

const char *part_media(const char *name)
{
	const char *type = extract_type_of_name(name);

	return type ? type : "application/octet-stream";
}
