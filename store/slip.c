/* slip.c - see slip.h; FORMAT.md, section 7, has the lines. */
#include "store/slip.h"

#include "store/lines.h"

#include "core/base/tr.h"

#include <stdlib.h>

/* A text longer than a reader accepts must not be written. */
static void check_length(struct buf *b, size_t before)
{
	if (b->n - before > SLIP_MAX_BYTES)
		b->failed = true;
}

/* One allocation for `first_count` things of a size and, behind them, ids, which need no alignment.
 */
static void *rooms(size_t first_count, size_t size, size_t id_count)
{
	return xcalloc(1, first_count * size + id_count * sizeof(struct id) + 1);
}

static void add_blob(struct buf *b, const struct slip_blob *blob)
{
	word_add_u64(b, blob->volume);
	word_add_hex(b, blob->sha256.b, sizeof(blob->sha256.b));
	word_add_u64(b, blob->bytes);
	word_add_hex(b, blob->oid.b, sizeof(blob->oid.b));
	buf_addc(b, '\n');
}

static void read_blob(struct lines *l, struct slip_blob *ret)
{
	ret->volume = (uint32_t)line_u64(l, 1, UINT32_MAX);
	line_hex(l, ret->sha256.b, sizeof(ret->sha256.b));
	ret->bytes = line_u64(l, 0, LINES_MAX_COUNT);
	line_hex(l, ret->oid.b, sizeof(ret->oid.b));
	line_end(l);
}

static void add_keys(struct buf *b, const struct id *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		line_add_hex(b, "key ", keys[i].b, sizeof(keys[i].b));
}

static void read_keys(struct lines *l, struct id *keys, size_t count)
{
	for (size_t i = 0; i < count && l->r == 0; i++)
		lines_hex(l, "key ", keys[i].b, sizeof(keys[i].b));
}

/* Chunks of a part follow each other from 0; `before` is the line before, or NULL. */
static bool part_follows(const struct slip_part *before, const struct slip_part *p)
{
	if (p->chunks == 0 || p->chunk >= p->chunks)
		return false;
	if (!before || before->chunk + 1 == before->chunks)
		return p->chunk == 0;
	return p->chunk == before->chunk + 1 && p->chunks == before->chunks &&
	       id_equal(&p->part, &before->part);
}

static bool parts_end(const struct slip_part *parts, size_t count)
{
	return count == 0 || parts[count - 1].chunk + 1 == parts[count - 1].chunks;
}

static void add_part(struct buf *b, const struct slip_part *p)
{
	buf_adds(b, "part ");
	hex_add(b, p->part.b, sizeof(p->part.b));
	word_add_u64(b, p->chunk);
	buf_addc(b, '/');
	buf_add_u64(b, p->chunks);
	add_blob(b, &p->blob);
}

static void read_part(struct lines *l, struct slip_part *ret)
{
	struct str of;
	uint64_t chunk = 0, chunks = 0;

	lines_take(l, "part ");
	line_hex(l, ret->part.b, sizeof(ret->part.b));
	of = line_word(l);
	if (l->r < 0)
		return;
	if (str_to_u64(str_cut(&of, '/'), UINT32_MAX, &chunk, NULL) < 0 ||
		str_to_u64(of, UINT32_MAX, &chunks, NULL) < 0) {
		(void)lines_fail(l);
		return;
	}
	ret->chunk = (uint32_t)chunk;
	ret->chunks = (uint32_t)chunks;
	read_blob(l, &ret->blob);
}

/* Whether the parts of a slip that does not hang together would be written. */
static bool slip_is_sound(const struct slip *s)
{
	for (size_t i = 0; i < s->part_count; i++)
		if (!part_follows(i ? &s->parts[i - 1] : NULL, &s->parts[i]))
			return false;
	return parts_end(s->parts, s->part_count) && s->version > 0 &&
	       (s->version > 1) == (s->before_volume > 0) && s->key_count <= SLIP_MAX_KEYS &&
	       s->part_count <= SLIP_MAX_PARTS;
}

void slip_format(const struct slip *s, struct buf *ret)
{
	size_t before = ret->n;

	if (!slip_is_sound(s))
		ret->failed = true;
	buf_adds(ret, "muniment slip 1\n");
	line_add_hex(ret, "archive ", s->archive.b, sizeof(s->archive.b));
	line_add_hex(ret, "record ", s->record.b, sizeof(s->record.b));
	line_add_u64(ret, "sequence ", s->sequence);
	line_add_u64(ret, "version ", s->version);
	if (s->before_volume) {
		buf_adds(ret, "before");
		word_add_u64(ret, s->before_volume);
		word_add_hex(ret, s->before.b, sizeof(s->before.b));
		buf_addc(ret, '\n');
	}
	if (s->serial) {
		buf_adds(ret, "serial");
		word_add_u64(ret, s->serial);
		line_add_text(ret, " ", s->scope);
	}
	if (s->has_request)
		line_add_hex(ret, "request ", s->request.b, sizeof(s->request.b));
	add_keys(ret, s->keys, s->key_count);
	buf_adds(ret, "manifest");
	add_blob(ret, &s->manifest);
	for (size_t i = 0; i < s->part_count; i++)
		add_part(ret, &s->parts[i]);
	line_add_text(ret, "number ", s->number);
	check_length(ret, before);
}

/* The lines up to the keys. */
static void read_slip_head(struct lines *l, struct slip *s)
{
	lines_exact(l, "muniment slip 1");
	lines_hex(l, "archive ", s->archive.b, sizeof(s->archive.b));
	lines_hex(l, "record ", s->record.b, sizeof(s->record.b));
	s->sequence = lines_u64(l, "sequence ", 0, LINES_MAX_COUNT);
	s->version = lines_u64(l, "version ", 1, LINES_MAX_COUNT);
	if (l->r == 0 && s->version > 1) {
		lines_take(l, "before ");
		s->before_volume = (uint32_t)line_u64(l, 1, UINT32_MAX);
		line_hex(l, s->before.b, sizeof(s->before.b));
		line_end(l);
	}
	if (lines_next_is(l, "serial ")) {
		lines_take(l, "serial ");
		s->serial = line_u64(l, 1, LINES_MAX_COUNT);
		s->scope = line_text(l);
	}
	if (lines_next_is(l, "request ")) {
		s->has_request = true;
		lines_hex(l, "request ", s->request.b, sizeof(s->request.b));
	}
}

static void read_parts(struct lines *l, struct slip_part *parts, size_t count)
{
	for (size_t i = 0; i < count && l->r == 0; i++) {
		read_part(l, &parts[i]);
		if (l->r == 0 && !part_follows(i ? &parts[i - 1] : NULL, &parts[i]))
			(void)lines_fail(l);
	}
	if (l->r == 0 && !parts_end(parts, count))
		(void)lines_fail(l);
}

int slip_parse(struct str text, struct slip *ret, void **ret_memory, struct err *err)
{
	_cleanup_(freep) struct slip_part *parts = NULL;
	struct slip s = { .scope = STR("") };
	struct lines l, ahead;
	struct id *keys;

	lines_init(&l, tr("slip"), text, SLIP_MAX_BYTES, err);
	read_slip_head(&l, &s);
	if (l.r < 0)
		return l.r;
	/* Look ahead over the keys and the manifest for how much room is needed. */
	ahead = l;
	s.key_count = lines_count(&l, "key ", SLIP_MAX_KEYS);
	for (size_t i = 0; i < s.key_count; i++)
		lines_take(&ahead, "key ");
	lines_take(&ahead, "manifest ");
	if (ahead.r < 0)
		return ahead.r;
	s.part_count = lines_count(&ahead, "part ", SLIP_MAX_PARTS);
	if (s.key_count > SLIP_MAX_KEYS || s.part_count > SLIP_MAX_PARTS)
		return err_set(err, ERR_LIMIT, tr("a slip names more than %d keys or %d parts"),
			SLIP_MAX_KEYS, SLIP_MAX_PARTS);
	parts = rooms(s.part_count, sizeof(*parts), s.key_count);
	keys = (struct id *)(parts + s.part_count);
	read_keys(&l, keys, s.key_count);
	lines_take(&l, "manifest ");
	read_blob(&l, &s.manifest);
	read_parts(&l, parts, s.part_count);
	s.number = lines_text(&l, "number ");
	if (lines_end(&l) < 0)
		return l.r;
	s.keys = keys;
	s.parts = parts;
	*ret = s;
	*ret_memory = TAKE_PTR(parts);
	return 0;
}

void tombstone_format(const struct tombstone *t, struct buf *ret)
{
	size_t before = ret->n;

	if (t->versions == 0 || t->epoch == 0 || t->key_count > SLIP_MAX_KEYS ||
		t->envelope_count > TOMBSTONE_MAX_ENVELOPES)
		ret->failed = true;
	buf_adds(ret, "muniment tombstone 1\n");
	line_add_hex(ret, "archive ", t->archive.b, sizeof(t->archive.b));
	line_add_hex(ret, "record ", t->record.b, sizeof(t->record.b));
	line_add_u64(ret, "sequence ", t->sequence);
	line_add_u64(ret, "versions ", t->versions);
	line_add_u64(ret, "epoch ", t->epoch);
	add_keys(ret, t->keys, t->key_count);
	for (size_t i = 0; i < t->envelope_count; i++) {
		buf_adds(ret, "envelope");
		add_blob(ret, &t->envelopes[i]);
	}
	line_add_text(ret, "number ", t->number);
	check_length(ret, before);
}

int tombstone_parse(struct str text, struct tombstone *ret, void **ret_memory, struct err *err)
{
	_cleanup_(freep) struct slip_blob *envelopes = NULL;
	struct tombstone t = { 0 };
	struct lines l, ahead;
	struct id *keys;

	lines_init(&l, tr("tombstone"), text, SLIP_MAX_BYTES, err);
	lines_exact(&l, "muniment tombstone 1");
	lines_hex(&l, "archive ", t.archive.b, sizeof(t.archive.b));
	lines_hex(&l, "record ", t.record.b, sizeof(t.record.b));
	t.sequence = lines_u64(&l, "sequence ", 0, LINES_MAX_COUNT);
	t.versions = lines_u64(&l, "versions ", 1, LINES_MAX_COUNT);
	t.epoch = lines_u64(&l, "epoch ", 1, LINES_MAX_COUNT);
	if (l.r < 0)
		return l.r;
	ahead = l;
	t.key_count = lines_count(&l, "key ", SLIP_MAX_KEYS);
	for (size_t i = 0; i < t.key_count; i++)
		lines_take(&ahead, "key ");
	if (ahead.r < 0)
		return ahead.r;
	t.envelope_count = lines_count(&ahead, "envelope ", TOMBSTONE_MAX_ENVELOPES);
	if (t.key_count > SLIP_MAX_KEYS || t.envelope_count > TOMBSTONE_MAX_ENVELOPES)
		return err_set(err, ERR_LIMIT,
			tr("a tombstone names more than %d keys or %d envelopes"), SLIP_MAX_KEYS,
			TOMBSTONE_MAX_ENVELOPES);
	envelopes = rooms(t.envelope_count, sizeof(*envelopes), t.key_count);
	keys = (struct id *)(envelopes + t.envelope_count);
	read_keys(&l, keys, t.key_count);
	for (size_t i = 0; i < t.envelope_count && l.r == 0; i++) {
		lines_take(&l, "envelope ");
		read_blob(&l, &envelopes[i]);
	}
	t.number = lines_text(&l, "number ");
	if (lines_end(&l) < 0)
		return l.r;
	t.keys = keys;
	t.envelopes = envelopes;
	*ret = t;
	*ret_memory = TAKE_PTR(envelopes);
	return 0;
}

/* Order of paths as bytes. */
static int path_compare(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

void list_format(const struct listed *files, size_t count, struct buf *ret)
{
	size_t before = ret->n;

	buf_adds(ret, "muniment list 1\n");
	for (size_t i = 0; i < count; i++) {
		if (!line_path_is_fit(files[i].path) ||
			(i && path_compare(files[i - 1].path, files[i].path) >= 0))
			ret->failed = true;
		hex_add(ret, files[i].sha256.b, sizeof(files[i].sha256.b));
		line_add_text(ret, " ", files[i].path);
	}
	if (count == 0)
		ret->failed = true;
	check_length(ret, before);
}

/* Read lines to the end of the text, into `files` unless NULL; returns how many there were. */
static size_t read_list(struct lines *l, struct listed *files)
{
	struct listed f, before = { .path = STR("") };
	size_t count = 0;

	while (l->r == 0 && l->rest.n) {
		lines_take(l, "");
		line_hex(l, f.sha256.b, sizeof(f.sha256.b));
		f.path = line_text(l);
		if (l->r == 0 &&
			(!line_path_is_fit(f.path) || path_compare(before.path, f.path) >= 0))
			(void)lines_fail(l);
		if (files && l->r == 0)
			files[count] = f;
		before = f;
		count++;
	}
	return count;
}

int list_parse(struct str text, struct listed **ret, size_t *ret_count, struct err *err)
{
	_cleanup_(freep) struct listed *files = NULL;
	struct lines l, again;
	size_t count;

	lines_init(&l, tr("list"), text, SLIP_MAX_BYTES, err);
	lines_exact(&l, "muniment list 1");
	if (l.r < 0)
		return l.r;
	/* Once to count, so that no text can ask for more room than it has lines, then again. */
	again = l;
	count = read_list(&l, NULL);
	if (l.r == 0 && count == 0)
		return lines_fail(&l);
	if (l.r < 0)
		return l.r;
	files = xcalloc(count, sizeof(*files));
	(void)read_list(&again, files);
	*ret = TAKE_PTR(files);
	*ret_count = count;
	return 0;
}
