/* tree_cache.c - see tree_cache.h.
 *
 * A node is a directory whose entries are in memory, sorted as git sorts them: by name, a
 * directory's as if it ended in '/'. An entry may have a node below it (`child`); when that
 * changes, every node up to the root is dirty. */
#include "store/tree_cache.h"

#include "core/base/tr.h"
#include "store/volume.h"

#include <stdlib.h>

enum { MODE_FILE = 0100644, MODE_TREE = 040000, NODES_KEPT = 8192, KEEP_DEPTH = 6, MAX_DEPTH = 32 };

struct entry {
	char *name;
	size_t length;
	uint32_t mode;
	struct oid oid;
	struct node *child;
};

struct node {
	struct entry *entries;
	size_t count, room;
	bool dirty;
};

struct tree_cache {
	tree_load load;
	void *context;
	struct node *root;
	struct oid root_oid;
	size_t nodes;
};

static void node_free(struct tree_cache *c, struct node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++) {
		free(n->entries[i].name);
		node_free(c, n->entries[i].child);
	}
	free(n->entries);
	free(n);
	c->nodes--;
}

struct tree_cache *tree_cache_new(tree_load load, void *context)
{
	struct tree_cache *c = xcalloc(1, sizeof(*c));

	c->load = load;
	c->context = context;
	return c;
}

void tree_cache_free(struct tree_cache *c)
{
	if (!c)
		return;
	node_free(c, c->root);
	free(c);
}

void tree_cache_reset(struct tree_cache *c, const struct oid *root)
{
	node_free(c, c->root);
	c->root = NULL;
	c->root_oid = *root;
}

/* Git's order: memcmp of the names, where a directory's name goes on with '/'. */
static int compare(const char *a, size_t a_length, bool a_is_tree, const char *b, size_t b_length,
	bool b_is_tree)
{
	size_t n = a_length < b_length ? a_length : b_length;
	int r = memcmp(a, b, n);
	uint8_t next_a, next_b;

	if (r != 0)
		return r;
	next_a = n < a_length ? (uint8_t)a[n] : a_is_tree ? '/' : 0;
	next_b = n < b_length ? (uint8_t)b[n] : b_is_tree ? '/' : 0;
	return (int)next_a - (int)next_b;
}

/* Where a name stands as a file or as a directory, or would be inserted. */
static size_t place(const struct node *n, struct str name, bool is_tree, bool *ret_found)
{
	size_t low = 0, high = n->count;

	/* Records arrive in order: most often the place is at the end. */
	if (high > 0) {
		const struct entry *last = &n->entries[high - 1];

		if (compare(last->name, last->length, last->mode == MODE_TREE, name.p, name.n,
			    is_tree) < 0) {
			*ret_found = false;
			return high;
		}
	}
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct entry *e = &n->entries[middle];
		int r = compare(e->name, e->length, e->mode == MODE_TREE, name.p, name.n, is_tree);

		if (r == 0) {
			*ret_found = true;
			return middle;
		}
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static struct entry *insert(struct node *n, size_t at, struct str name, uint32_t mode)
{
	struct entry *e;

	if (n->count == n->room) {
		n->room = n->room ? n->room * 2 : 8;
		n->entries = realloc(n->entries, n->room * sizeof(*n->entries));
		if (!n->entries)
			abort();
	}
	e = &n->entries[at];
	memmove(e + 1, e, (n->count - at) * sizeof(*e));
	n->count++;
	*e = (struct entry){ .name = str_dup(name), .length = name.n, .mode = mode };
	return e;
}

static struct node *node_new(struct tree_cache *c)
{
	c->nodes++;
	return xcalloc(1, sizeof(struct node));
}

static int node_load(
	struct tree_cache *c, const struct oid *oid, struct node **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	struct node *n = node_new(c);
	struct str rest;
	int r = oid_is_zero(oid) ? 0 : c->load(c->context, oid, &content, err);

	rest = buf_str(&content);
	while (r == 0) {
		struct tree_entry te;

		r = tree_next(&rest, &te, err);
		if (r <= 0)
			break;
		insert(n, n->count, te.name, te.mode)->oid = te.oid;
		r = 0;
	}
	if (r < 0) {
		node_free(c, n);
		return r;
	}
	*ret = n;
	return 0;
}

static int get_root(struct tree_cache *c, struct err *err)
{
	return c->root ? 0 : node_load(c, &c->root_oid, &c->root, err);
}

/* The directory `name` in n, loaded; made when it is missing and `make` says so. */
static int descend(struct tree_cache *c, struct node *n, struct str name, bool make,
	struct node **ret, struct err *err)
{
	bool found;
	size_t at = place(n, name, true, &found);
	struct entry *e;

	if (!found) {
		if (!make)
			return err_set(
				err, ERR_NOTFOUND, tr("'%.*s' is not in the tree"), STR_ARG(name));
		e = insert(n, at, name, MODE_TREE);
		e->child = node_new(c);
	} else {
		e = &n->entries[at];
	}
	if (!e->child) {
		int r = node_load(c, &e->oid, &e->child, err);

		if (r < 0)
			return r;
	}
	*ret = e->child;
	return 0;
}

static int check_path(struct str path, struct err *err)
{
	struct str rest = path;
	int depth = 0;

	while (rest.p) {
		struct str name = str_cut(&rest, '/');

		if (name.n == 0 || str_is(name, ".") || str_is(name, "..") || ++depth > MAX_DEPTH)
			return err_set(err, ERR_INVALID, tr("'%.*s' cannot be a path in a volume"),
				STR_ARG(path));
	}
	return 0;
}

static int add(struct tree_cache *c, struct str path, uint32_t mode, const struct oid *oid,
	struct err *err)
{
	struct str rest = path, name;
	struct node *n;
	bool found;
	size_t at;
	int r = check_path(path, err);

	if (r == 0)
		r = get_root(c, err);
	if (r < 0)
		return r;
	n = c->root;
	for (;;) {
		n->dirty =
			true; /* harmless when nothing follows: the same bytes have the same name */
		name = str_cut(&rest, '/');
		if (!rest.p)
			break;
		r = descend(c, n, name, true, &n, err);
		if (r < 0)
			return r;
	}
	at = place(n, name, mode != MODE_TREE, &found);
	if (!found)
		at = place(n, name, mode == MODE_TREE, &found);
	if (found)
		return err_set(err, ERR_EXISTS, tr("'%.*s' is in the tree already"), STR_ARG(path));
	insert(n, at, name, mode)->oid = *oid;
	return 0;
}

int tree_cache_add_file(
	struct tree_cache *c, struct str path, const struct oid *blob, struct err *err)
{
	return add(c, path, MODE_FILE, blob, err);
}

int tree_cache_add_tree(
	struct tree_cache *c, struct str path, const struct oid *tree, struct err *err)
{
	return add(c, path, MODE_TREE, tree, err);
}

static int remove_below(struct tree_cache *c, struct node *n, struct str path, struct err *err)
{
	struct str rest = path, name = str_cut(&rest, '/');
	struct node *child = NULL;
	bool found, is_tree = rest.p != NULL;
	size_t at;
	int r;

	if (rest.p) {
		r = descend(c, n, name, false, &child, err);
		if (r == 0)
			r = remove_below(c, child, rest, err);
		if (r < 0)
			return r;
		n->dirty = true;
		if (child->count > 0)
			return 0;
	}
	at = place(n, name, is_tree, &found);
	if (!found && !is_tree)
		at = place(n, name, true, &found);
	if (!found)
		return err_set(err, ERR_NOTFOUND, tr("'%.*s' is not in the tree"), STR_ARG(name));
	node_free(c, n->entries[at].child);
	free(n->entries[at].name);
	memmove(&n->entries[at], &n->entries[at + 1], (n->count - at - 1) * sizeof(n->entries[0]));
	n->count--;
	n->dirty = true;
	return 0;
}

int tree_cache_remove(struct tree_cache *c, struct str path, struct err *err)
{
	int r = check_path(path, err);

	if (r == 0)
		r = get_root(c, err);
	if (r < 0)
		return r;
	return remove_below(c, c->root, path, err);
}

static void add_entry(struct buf *b, uint32_t mode, struct str name, const struct oid *oid)
{
	buf_adds(b, mode == MODE_TREE ? "40000 " : "100644 ");
	buf_add_str(b, name);
	buf_addc(b, '\0');
	buf_add(b, oid->b, sizeof(oid->b));
}

static int write_node(struct tree_cache *c, struct node *n, int depth, tree_emit emit,
	void *context, struct oid *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT;
	int r;

	for (size_t i = 0; i < n->count; i++) {
		struct entry *e = &n->entries[i];

		if (e->child && e->child->dirty) {
			r = write_node(c, e->child, depth + 1, emit, context, &e->oid, err);
			if (r < 0)
				return r;
		}
		if (e->child && depth + 1 >= KEEP_DEPTH) {
			node_free(c, e->child);
			e->child = NULL;
		}
		add_entry(&content, e->mode, (struct str){ e->name, e->length }, &e->oid);
	}
	r = buf_check(&content, err);
	if (r < 0)
		return r;
	object_name(OBJECT_TREE, content.p, content.n, ret);
	n->dirty = false;
	return emit(context, ret, buf_str(&content), err);
}

int tree_cache_write(
	struct tree_cache *c, tree_emit emit, void *context, struct oid *ret_root, struct err *err)
{
	int r = get_root(c, err);

	if (r < 0)
		return r;
	if (c->root->dirty || oid_is_zero(&c->root_oid)) {
		r = write_node(c, c->root, 0, emit, context, &c->root_oid, err);
		if (r < 0)
			return r;
	}
	*ret_root = c->root_oid;
	if (c->nodes > NODES_KEPT) {
		struct oid root = c->root_oid;

		tree_cache_reset(c, &root);
	}
	return 0;
}

void tree_of_files(const struct tree_file *files, size_t count, struct buf *ret)
{
	for (size_t i = 0; i < count; i++)
		add_entry(ret, MODE_FILE, files[i].name, &files[i].oid);
}
