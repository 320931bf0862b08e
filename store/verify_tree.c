/* verify_tree.c - what a commit really changed, from the trees themselves: only equal subtrees are
 * skipped. */
#include "store/verify_private.h"

#include "core/base/tr.h"

#include <stdlib.h>

struct diff {
	struct verify *v;
	uint32_t volume;
	const char *commit;
	struct buf files; /* struct verify_file */
};

static int compare_entries(struct diff *d, const struct oid *before, const struct oid *after,
	struct str path, int depth, struct err *err);

static int load(struct diff *d, const struct oid *oid, struct buf *ret, struct err *err)
{
	enum object_type type = OBJECT_TREE;
	int r = oid_is_zero(oid) ? 0 : store_read(d->v->store, d->volume, oid, &type, ret, err);

	if (r == -ERR_NOTFOUND || r == -ERR_CORRUPT || (r == 0 && type != OBJECT_TREE)) {
		verify_found(d->v, FAULT_OBJECT, d->volume, d->commit,
			tr("a tree of this commit is missing or damaged"));
		return 1;
	}
	return r;
}

static int add_entry(
	struct diff *d, const struct tree_entry *e, struct str path, int depth, struct err *err)
{
	static const struct oid none;
	struct verify_file file;

	if (e->mode == 040000)
		return compare_entries(d, &none, &e->oid, path, depth + 1, err);
	if (e->mode != 0100644) {
		verify_found(d->v, FAULT_TREE, d->volume, d->commit,
			tr("'%.*s' is neither a plain file nor a folder"), STR_ARG(path));
		return 0;
	}
	file = (struct verify_file){ arena_text(d->v->arena, path), e->oid };
	buf_add(&d->files, &file, sizeof(file));
	return 0;
}

static bool same_name(const struct tree_entry *a, const struct tree_entry *b)
{
	return str_eq(a->name, b->name) && (a->mode == 040000) == (b->mode == 040000);
}

/* Both are sorted the same way, and entries are only added: what stands in `before` must come again
 * in `after`, in order. */
static int compare_entries(struct diff *d, const struct oid *before, const struct oid *after,
	struct str path, int depth, struct err *err)
{
	_cleanup_(buf_done) struct buf old = BUF_INIT, fresh = BUF_INIT;
	struct tree_entry a = { .mode = 0 }, b;
	struct str rest_a, rest_b;
	int more_a, r;

	if (depth > 16)
		return err_set(err, ERR_CORRUPT, tr("folders in a volume are nested too deep"));
	r = load(d, before, &old, err);
	if (r == 0)
		r = load(d, after, &fresh, err);
	if (r != 0)
		return r < 0 ? r : 0;
	rest_a = buf_str(&old);
	rest_b = buf_str(&fresh);
	more_a = tree_next(&rest_a, &a, err);
	while (more_a >= 0 && (r = tree_next(&rest_b, &b, err)) > 0) {
		_cleanup_(buf_done) struct buf name = BUF_INIT;

		buf_addf(&name, "%.*s%s%.*s", STR_ARG(path), path.n ? "/" : "", STR_ARG(b.name));
		if (more_a > 0 && same_name(&a, &b)) {
			if (a.mode == 040000 && b.mode == 040000 && !oid_equal(&a.oid, &b.oid))
				r = compare_entries(
					d, &a.oid, &b.oid, buf_str(&name), depth + 1, err);
			else if (a.mode != b.mode || !oid_equal(&a.oid, &b.oid))
				verify_found(d->v, FAULT_TREE, d->volume, d->commit,
					tr("'%s' was changed; files are only added"), name.p);
			more_a = tree_next(&rest_a, &a, err);
		} else {
			r = add_entry(d, &b, buf_str(&name), depth, err);
		}
		if (r < 0)
			return r;
	}
	if (more_a < 0 || r < 0) {
		verify_found(d->v, FAULT_OBJECT, d->volume, d->commit,
			tr("a tree of this commit is missing or damaged"));
		return 0;
	}
	if (more_a > 0)
		verify_found(d->v, FAULT_TREE, d->volume, d->commit,
			tr("'%.*s' was removed or renamed; files are only added"), STR_ARG(a.name));
	return 0;
}

int verify_added(struct verify *v, uint32_t volume, const char *commit, const struct oid *before,
	const struct oid *after, struct verify_file **ret, size_t *ret_count, struct err *err)
{
	struct diff d = { v, volume, commit, BUF_INIT_MAX((size_t)1 << 30) };
	int r = compare_entries(&d, before, after, STR(""), 0, err);

	if (r < 0) {
		buf_done(&d.files);
		return r;
	}
	*ret_count = d.files.n / sizeof(**ret);
	*ret = (struct verify_file *)(void *)buf_detach(&d.files);
	return 0;
}
