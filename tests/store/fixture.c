/* fixture.c - see fixture.h. */
#include "tests/store/fixture.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "store/envelope.h"
#include "tests/harness.h"
#include "tests/program.h"

#include <stdio.h>
#include <stdlib.h>

static void open_store(struct fixture *f, struct store_found *ret_found)
{
	struct err err = ERR_INIT;

	ck_ok(store_open(f->path, &f->options, &f->store, ret_found, &err), err);
	ck_ok(store_unseal(f->store, f->root, 1, &err), err);
}

void fixture_init(struct fixture *f, const struct store_options *options)
{
	struct err err = ERR_INIT;

	*f = (struct fixture){ .archive = id_random(), .root = secret_random(KEY_BYTES) };
	if (options)
		f->options = *options;
	f->options.writable = true;
	if (asprintf(&f->path, "%s/archive", harness_dir()) < 0)
		abort();
	ck_ok(store_create(f->path, &f->archive, true, f->root, &err), err);
	open_store(f, NULL);
}

void fixture_done(struct fixture *f)
{
	store_close(f->store);
	secret_free(f->root);
	free(f->path);
}

void fixture_reopen(struct fixture *f, struct store_found *ret_found)
{
	store_close(TAKE_PTR(f->store));
	open_store(f, ret_found);
}

void fixture_open_at(
	struct fixture *f, const char *path, struct fixture *ret, struct store_found *ret_found)
{
	*ret = (struct fixture){ .archive = f->archive,
		.root = secret_copy(f->root->p, f->root->n),
		.path = xstrdup(path),
		.options = f->options };
	open_store(ret, ret_found);
}

const char *fixture_copy(const struct fixture *f)
{
	enum { COPIES = 512, PATH = 80 };
	static char paths[COPIES][PATH]; /* they live as long as the test program */
	static size_t count;
	const char *dir = harness_dir();
	const char *const argv[] = { "cp", "-a", "--sparse=never", f->path, dir, NULL };

	ck_assert_uint_lt(count, COPIES);
	ck_assert_int_eq(program_run(argv, NULL, NULL), 0);
	(void)snprintf(paths[count], PATH, "%s/archive", dir);
	return paths[count++];
}

/* ---- writing ---- */

struct one {
	struct wrapped_key key;
	uint8_t plain_key[32];
	struct change_part part;
	struct change_chunk *chunks;
	struct buf sealed;
	const struct sample *sample;
};

static int manifest(void *context, const struct drawn *drawn, struct buf *ret, struct err *err)
{
	struct one *o = context;

	(void)err;
	buf_addf(ret, "%.*s v%llu q%llu %s", STR_ARG(drawn->number),
		(unsigned long long)drawn->version, (unsigned long long)drawn->sequence,
		o->sample->text);
	return 0;
}

static int seal_part(struct fixture *f, struct one *o, struct err *err)
{
	const struct envelope_binding binding = { f->archive, o->sample->record };
	_cleanup_(buf_done) struct buf plain = BUF_INIT_MAX((size_t)1 << 30);
	size_t n = o->sample->part_bytes ? o->sample->part_bytes : strlen(o->sample->text);
	size_t chunks = n ? (n + ENVELOPE_CHUNK_MAX - 1) / ENVELOPE_CHUNK_MAX : 1;
	size_t *ends = xcalloc(chunks, sizeof(*ends));
	int r = 0;

	while (plain.n < n)
		buf_adds(&plain, o->sample->text);
	buf_cut(&plain, n);
	buf_init(&o->sealed, (size_t)1 << 30);
	o->part.part = id_random();
	o->chunks = xcalloc(chunks, sizeof(*o->chunks));
	for (size_t i = 0; i < chunks && r == 0; i++) {
		size_t at = i * ENVELOPE_CHUNK_MAX;
		struct envelope_head head = { .kind = ENVELOPE_PART,
			.key = o->key.key,
			.part = o->part.part,
			.chunk = (uint32_t)i,
			.chunks = (uint32_t)chunks,
			.plain_bytes = n - at < ENVELOPE_CHUNK_MAX ? n - at : ENVELOPE_CHUNK_MAX };

		r = envelope_seal(&binding, &head, o->plain_key, plain.p + at, &o->sealed, err);
		ends[i] = o->sealed.n;
	}
	for (size_t i = 0; i < chunks; i++) {
		size_t from = i ? ends[i - 1] : 0;
		struct change_chunk *c = &o->chunks[i];

		c->sealed = (struct str){ o->sealed.p + from, ends[i] - from };
		c->blob.bytes = c->sealed.n;
		sha256(c->sealed.p, c->sealed.n, c->blob.sha256.b);
		object_name(OBJECT_BLOB, c->sealed.p, c->sealed.n, &c->blob.oid);
	}
	o->part.chunks = o->chunks;
	o->part.chunk_count = chunks;
	free(ends);
	return r;
}

int fixture_write(struct fixture *f, const struct sample *samples, size_t count,
	struct change_record *ret_records, struct err *err)
{
	struct change_record *records = xcalloc(count, sizeof(*records));
	struct one *ones = xcalloc(count, sizeof(*ones));
	struct change c = { .act = samples[0].base_version ? ACT_REVISE : ACT_FILE,
		.action = id_random(),
		.account = "u-00001",
		.uid = 1000,
		.time = 1779242400,
		.records = records,
		.record_count = count };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		const struct sample *s = &samples[i];
		struct one *o = &ones[i];
		struct change_record *cr = &records[i];

		o->sample = s;
		r = keys_draw(store_keys(f->store), &s->record, &o->key, o->plain_key, err);
		if (r == 0 && !s->without_part)
			r = seal_part(f, o, err);
		*cr = (struct change_record){ .record = s->record,
			.base_version = s->base_version,
			.folder = STR("2026-05/样本/质量管理部"),
			.keys = &o->key,
			.key_count = 1,
			.manifest_key_id = o->key.key,
			.manifest_key = o->plain_key,
			.parts = &o->part,
			.part_count = s->without_part ? 0 : 1,
			.manifest = manifest,
			.context = o };
		if (s->number)
			cr->number = str_of(s->number);
		else
			cr->scope = s->scope ? str_of(s->scope) : STR("样本-20260520-*");
		cr->serial_digits = 4;
		if (s->request && r == 0) {
			cr->has_request = true;
			r = store_request(
				f->store, s->request, strlen(s->request), &cr->request, err);
		}
	}
	if (r == 0)
		r = store_write(f->store, &c, err);
	for (size_t i = 0; i < count; i++) {
		if (ret_records)
			ret_records[i] = records[i];
		else
			free(records[i].ret_number);
		free(ones[i].chunks);
		if (ones[i].sealed.max)
			buf_done(&ones[i].sealed);
	}
	free(records);
	free(ones);
	return r;
}

char *fixture_file(struct fixture *f, const char *text, struct id *ret_record)
{
	struct sample s = { .record = id_ordered(), .text = text };
	struct change_record cr;
	struct err err = ERR_INIT;

	ck_ok(fixture_write(f, &s, 1, &cr, &err), err);
	if (ret_record)
		*ret_record = s.record;
	return cr.ret_number;
}

/* ---- reading ---- */

static int with_slip(struct fixture *f, const struct id *record, uint64_t version, bool part,
	struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct record_head h;
	struct slip slip;
	int r = store_find(f->store, record, &h, err);

	if (r < 0)
		return r;
	r = store_slip(f->store, &h, version, &text, NULL, err);
	record_head_done(&h);
	if (r == 0)
		r = slip_parse(buf_str(&text), &slip, &memory, err);
	if (r == 0 && !part)
		r = store_open_blob(f->store, record, &slip.manifest, ret, err);
	for (size_t i = 0; r == 0 && part && i < slip.part_count; i++)
		r = store_open_blob(f->store, record, &slip.parts[i].blob, ret, err);
	return r;
}

int fixture_manifest(struct fixture *f, const struct id *record, uint64_t version, struct buf *ret,
	struct err *err)
{
	return with_slip(f, record, version, false, ret, err);
}

int fixture_part(struct fixture *f, const struct id *record, uint64_t version, struct buf *ret,
	struct err *err)
{
	return with_slip(f, record, version, true, ret, err);
}
