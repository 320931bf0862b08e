/* pack_dir.c - what is done to the packs of a folder: listing, merging, moving, sweeping (pack.h).
 *
 * A pack is there when both of its files are. It comes with its .pack first and goes with its .idx
 * first, so that whatever a crash leaves, an index never stands without the pack it speaks of; a
 * .pack alone is rubbish that pack_sweep removes. */
#include "store/pack_private.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>

char *pack_file_name(const struct oid *name, const char *kind, char out[PACK_NAME_MAX])
{
	char digits[OID_TEXT];

	hex_encode(name->b, sizeof(name->b), digits);
	(void)snprintf(out, PACK_NAME_MAX, "pack-%s.%s", digits, kind);
	return out;
}

/* True for "pack-<40 digits>.pack". */
static bool parse_name(const char *file, struct oid *ret)
{
	struct str s = str_of(file);

	if (s.n != 5 + 2 * OID_BYTES + 5 || !str_starts(s, "pack-") || !str_ends(s, ".pack"))
		return false;
	return oid_parse((struct str){ s.p + 5, 2 * OID_BYTES }, ret, NULL) == 0;
}

int pack_list(int dir, struct oid **ret, size_t *ret_count, struct err *err)
{
	_cleanup_(freep) char **files = NULL;
	char index[PACK_NAME_MAX];
	size_t file_count, count = 0;
	struct oid *names;
	int r = file_list(dir, &files, &file_count, err);

	if (r < 0)
		return r;
	names = xcalloc(file_count + 1, sizeof(*names));
	for (size_t i = 0; i < file_count; i++)
		if (parse_name(files[i], &names[count]) &&
			file_exists(dir, pack_file_name(&names[count], "idx", index)))
			count++;
	*ret = names;
	*ret_count = count;
	return 0;
}

/* Remove a pack's files, and those that stock git may have put beside them; the caller syncs. */
static int remove_pack(int dir, const struct oid *name, struct err *err)
{
	static const char *const kinds[] = { "idx", "rev", "bitmap", "mtimes", "keep", "pack" };
	char file[PACK_NAME_MAX];
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && r == 0; i++) {
		pack_file_name(name, kinds[i], file);
		if (file_exists(dir, file))
			r = file_unlink(dir, file, err);
	}
	return r;
}

int pack_remove(int dir, const struct oid *name, struct err *err)
{
	int r = remove_pack(dir, name, err);

	return r < 0 ? r : file_sync_dir(dir, err);
}

static int copy_all(int dir, const struct oid *name,
	bool (*drop)(void *context, const struct oid *oid), void *context, struct pack_writer *to,
	struct err *err)
{
	_cleanup_(pack_closep) struct pack_reader *from = NULL;
	int r = pack_open(dir, name, &from, err);

	for (size_t i = 0; r == 0 && i < pack_count(from); i++) {
		struct pack_entry entry;

		r = pack_entry_at(from, i, &entry, err);
		if (r == 0 && !(drop && drop(context, &entry.oid)))
			r = pack_copy(from, i, to, err);
	}
	return r;
}

int pack_merge(int dir, const struct oid *names, size_t count,
	bool (*drop)(void *context, const struct oid *oid), void *context, struct oid *ret_name,
	struct err *err)
{
	_cleanup_(pack_freep) struct pack_writer *w = NULL;
	struct oid merged = { { 0 } };
	int r = pack_begin(dir, &w, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = copy_all(dir, &names[i], drop, context, w, err);
	if (r == 0 && pack_objects(w) > 0)
		r = pack_finish(w, &merged, err);
	/* A multi-pack index that somebody made with stock git would send readers to packs that go
	 * now. */
	if (r == 0 && file_exists(dir, "multi-pack-index"))
		r = file_unlink(dir, "multi-pack-index", err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!oid_equal(&names[i], &merged))
			r = remove_pack(dir, &names[i], err);
	if (r == 0)
		r = file_sync_dir(dir, err);
	if (r == 0)
		*ret_name = merged;
	return r;
}

/* Rename one file if it is still at its old place. */
static int move_file(int from, int to, const struct oid *name, const char *kind, struct err *err)
{
	char file[PACK_NAME_MAX];

	pack_file_name(name, kind, file);
	if (!file_exists(from, file) && file_exists(to, file))
		return 0;
	return file_rename(from, file, to, file, err);
}

int pack_move(int from, int to, const struct oid *name, struct err *err)
{
	int r = move_file(from, to, name, "pack", err);

	if (r == 0)
		r = move_file(from, to, name, "idx", err);
	if (r == 0)
		r = file_sync_dir(to, err);
	if (r == 0)
		r = file_sync_dir(from, err);
	return r;
}

int pack_sweep(int dir, size_t *ret_removed, struct err *err)
{
	_cleanup_(freep) char **files = NULL;
	size_t count, removed = 0;
	int r = file_list(dir, &files, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct str file = str_of(files[i]);
		char index[PACK_NAME_MAX];
		struct oid name;

		if (!str_starts(file, "tmp_pack_") && !str_starts(file, "tmp_idx_") &&
			!(parse_name(files[i], &name) &&
				!file_exists(dir, pack_file_name(&name, "idx", index))))
			continue;
		r = file_unlink(dir, files[i], err);
		removed++;
	}
	if (r == 0 && removed > 0)
		r = file_sync_dir(dir, err);
	if (r == 0 && ret_removed)
		*ret_removed = removed;
	return r;
}
