/* tree.c - git trees: one entry after the other, and a path through several (volume.h). */
#include "store/volume.h"

#include "core/base/tr.h"

static int damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, tr("a tree of the history is damaged"));
}

/* "<mode in octal> <name>\0<20 bytes>" */
int tree_next(struct str *rest, struct tree_entry *ret, struct err *err)
{
	static const char blob[] = "100644 ", tree[] = "40000 ";
	struct tree_entry entry;
	struct str at = *rest;
	const char *end;

	if (at.n == 0)
		return 0;
	if (str_starts(at, blob)) {
		entry.mode = 0100644;
		at.p += sizeof(blob) - 1;
		at.n -= sizeof(blob) - 1;
	} else if (str_starts(at, tree)) {
		entry.mode = 040000;
		at.p += sizeof(tree) - 1;
		at.n -= sizeof(tree) - 1;
	} else {
		return damaged(err);
	}
	end = memchr(at.p, '\0', at.n);
	if (!end)
		return damaged(err);
	entry.name = (struct str){ at.p, (size_t)(end - at.p) };
	at.p = end + 1;
	at.n -= entry.name.n + 1;
	if (at.n < OID_BYTES || entry.name.n == 0 || memchr(entry.name.p, '/', entry.name.n) ||
		str_is(entry.name, ".") || str_is(entry.name, ".."))
		return damaged(err);
	memcpy(entry.oid.b, at.p, OID_BYTES);
	*rest = (struct str){ at.p + OID_BYTES, at.n - OID_BYTES };
	*ret = entry;
	return 1;
}

static int not_there(struct str path, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, tr("nothing stands at '%.*s'"), STR_ARG(path));
}

/* The entry of a name in a tree's content. */
static int find_entry(struct str content, struct str name, struct tree_entry *ret, struct err *err)
{
	int r;

	while ((r = tree_next(&content, ret, err)) == 1)
		if (str_eq(ret->name, name))
			return 1;
	return r;
}

int volume_find(struct volume *v, const struct oid *root, struct str path, struct tree_entry *ret,
	struct err *err)
{
	struct tree_entry entry = { .mode = 040000, .oid = *root };
	struct str rest = path;
	struct buf tree = BUF_INIT;
	int r = 1;

	while (r == 1 && rest.p) {
		struct str name = str_cut(&rest, '/');
		enum object_type type;

		if (entry.mode != 040000) {
			r = 0;
			break;
		}
		buf_reset(&tree);
		r = volume_read(v, &entry.oid, &type, &tree, err);
		if (r == 0)
			r = type == OBJECT_TREE ? find_entry(buf_str(&tree), name, &entry, err)
						: damaged(err);
		entry.name = name; /* in the caller's memory, not in the tree's */
	}
	buf_done(&tree);
	if (r == 0)
		return not_there(path, err);
	if (r < 0)
		return r;
	*ret = entry;
	return 0;
}
