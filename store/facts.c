/* facts.c - see facts.h. */
#include "store/facts.h"

#include "core/base/hash.h"
#include "core/base/tr.h"

#include <stdlib.h>

static void keep(struct facts *f, void *memory)
{
	if (!memory)
		return;
	if (f->foreign_count == f->foreign_room) {
		f->foreign_room = f->foreign_room ? f->foreign_room * 2 : 8;
		f->foreign = realloc(f->foreign, f->foreign_room * sizeof(*f->foreign));
		if (!f->foreign)
			abort();
	}
	f->foreign[f->foreign_count++] = memory;
}

void facts_done(struct facts *f)
{
	for (size_t i = 0; i < f->foreign_count; i++)
		free(f->foreign[i]);
	free(f->foreign);
	arena_free(f->arena);
	*f = (struct facts){ .count = 0 };
}

/* The file's text, checked against its SHA-256, in the arena. */
static int read_file(const struct facts_reader *reader, struct facts *f, const struct listed *file,
	struct oid *ret_oid, struct str *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct digest digest;
	int r = reader->file(reader->context, &f->commit, file, ret_oid, &text, err);

	if (r < 0)
		return r;
	sha256(text.p, text.n, digest.b);
	if (!digest_equal(&digest, &file->sha256))
		return err_set(err, ERR_CORRUPT,
			tr("'%.*s' does not have the SHA-256 that its commit names"),
			STR_ARG(file->path));
	*ret = (struct str){ arena_text(f->arena, buf_str(&text)), text.n };
	return 0;
}

static int read_fact(const struct facts_reader *reader, struct facts *f, const struct listed *file,
	struct fact *fact, struct err *err)
{
	void *memory = NULL;
	struct str text, name;
	const char *slash;
	int r = read_file(reader, f, file, &fact->oid, &text, err);

	if (r < 0)
		return r;
	fact->sha256 = file->sha256;
	fact->path = file->path;
	slash = file->path.n ? memrchr(file->path.p, '/', file->path.n) : NULL;
	if (!slash)
		return err_set(err, ERR_CORRUPT, tr("'%.*s' is not the path of a slip"),
			STR_ARG(file->path));
	fact->folder = (struct str){ file->path.p, (size_t)(slash - file->path.p) };
	name = (struct str){ slash + 1, file->path.n - fact->folder.n - 1 };
	fact->is_tombstone = str_is(name, "destroyed");
	if (fact->is_tombstone)
		r = tombstone_parse(text, &fact->tombstone, &memory, err);
	else
		r = slip_parse(text, &fact->slip, &memory, err);
	keep(f, memory);
	return r;
}

static uint64_t sequence_of(const struct fact *f)
{
	return f->is_tombstone ? f->tombstone.sequence : f->slip.sequence;
}

static int by_sequence(const void *a, const void *b)
{
	uint64_t x = sequence_of(a), y = sequence_of(b);

	return x < y ? -1 : x > y;
}

void facts_sort(struct fact *facts, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (sequence_of(&facts[i - 1]) > sequence_of(&facts[i])) {
			qsort(facts, count, sizeof(*facts), by_sequence);
			return;
		}
}

static int read_all(
	const struct facts_reader *reader, struct facts *f, const struct oid *oid, struct err *err)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT_MAX(COMMIT_MAX_BYTES);
	struct listed *files = &f->commit.file;
	size_t count = 1;
	void *memory = NULL;
	struct str text;
	int r = reader->commit(reader->context, oid, &raw, err);

	if (r < 0)
		return r;
	sha256(raw.p, raw.n, f->sha256.b);
	text = (struct str){ arena_text(f->arena, buf_str(&raw)), raw.n };
	r = commit_parse(text, &f->commit, &memory, err);
	keep(f, memory);
	if (r < 0)
		return r;
	if (f->commit.act == ACT_OPEN || f->commit.act == ACT_KEYS)
		return 0;
	if (f->commit.is_list) {
		struct oid list_oid;

		r = read_file(reader, f, &f->commit.file, &list_oid, &text, err);
		if (r == 0)
			r = list_parse(text, &files, &count, err);
		if (r < 0)
			return r;
		keep(f, files);
		if (count != f->commit.files)
			return err_set(err, ERR_CORRUPT,
				tr("a list does not name as many files as its commit says"));
	}
	f->facts = arena_zero(f->arena, count, sizeof(*f->facts));
	f->count = count;
	for (size_t i = 0; i < count && r == 0; i++)
		r = read_fact(reader, f, &files[i], &f->facts[i], err);
	if (r == 0)
		facts_sort(f->facts, count);
	return r;
}

int facts_read(const struct facts_reader *reader, const struct oid *commit, struct facts *ret,
	struct err *err)
{
	struct facts f = { .oid = *commit, .arena = arena_new(0) };
	int r = read_all(reader, &f, commit, err);

	if (r < 0) {
		char text[OID_TEXT];

		facts_done(&f);
		return err_prefix(
			err, r, tr("commit %s"), hex_encode(commit->b, sizeof(commit->b), text));
	}
	*ret = f;
	return 0;
}
