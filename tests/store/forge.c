/* forge.c - see forge.h. */
#include "tests/store/forge.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static int load(void *context, const struct oid *oid, struct buf *ret, struct err *err)
{
	struct forge *g = context;

	return volume_read(g->volume, oid, NULL, ret, err);
}

void forge_reload(struct forge *g)
{
	struct err err = ERR_INIT;

	buf_reset(&g->text);
	free(TAKE_PTR(g->memory));
	ck_ok(volume_read(g->volume, &g->head, NULL, &g->text, &err), err);
	ck_ok(commit_parse(buf_str(&g->text), &g->last, &g->memory, &err), err);
	tree_cache_reset(g->trees, &g->last.tree);
}

void forge_init(struct forge *g, const struct fixture *f, const char *path)
{
	_cleanup_(secret_freep) struct secret *seed = NULL, *other = secret_random(KEY_BYTES);
	_cleanup_(buf_done) struct buf volumes = BUF_INIT;
	_cleanup_(freep) uint32_t *numbers = NULL;
	struct err err = ERR_INIT;
	size_t count;

	*g = (struct forge){ .f = f, .archive = f->archive, .text = BUF_INIT };
	ck_ok(keys_open(path, &f->archive, false, &g->keys, &err), err);
	ck_ok(keys_unseal(g->keys, f->root, 1, &err), err);
	ck_ok(keys_purpose(g->keys, "server", &seed, &err), err);
	g->server = signer_new(seed);
	g->stranger = signer_new(other);
	g->dir = file_open_dir(AT_FDCWD, path, &err);
	ck_ok(g->dir, err);
	g->volumes = file_open_dir(g->dir, "volumes", &err);
	buf_addf(&volumes, "%s/volumes", path);
	ck_ok(volume_list(g->volumes, &numbers, &count, &err), err);
	ck_ok(volume_open(g->volumes, volumes.p, numbers[count - 1], &g->volume, &err), err);
	ck_ok(volume_ref(g->volume, "refs/heads/main", &g->head, &err), err);
	ck_ok(pack_begin(volume_pack_dir(g->volume), &g->pack, &err), err);
	g->trees = tree_cache_new(load, g);
	forge_reload(g);
}

void forge_done(struct forge *g)
{
	struct err err = ERR_INIT;
	struct oid name;

	if (pack_objects(g->pack))
		ck_ok(pack_finish(g->pack, &name, &err), err);
	ck_ok(volume_set_ref(g->volume, "refs/heads/main", &g->head, &err), err);
	pack_free(g->pack);
	tree_cache_free(g->trees);
	volume_free(g->volume);
	keys_free(g->keys);
	signer_free(g->server);
	signer_free(g->stranger);
	closep(&g->volumes);
	closep(&g->dir);
	buf_done(&g->text);
	free(g->memory);
}

struct oid forge_blob(
	struct forge *g, struct str content, const char *path, struct digest *ret_sha256)
{
	struct err err = ERR_INIT;
	struct oid oid;

	object_name(OBJECT_BLOB, content.p, content.n, &oid);
	ck_ok(pack_add(g->pack, OBJECT_BLOB, &oid, content.p, content.n, NULL, &err), err);
	if (ret_sha256)
		sha256(content.p, content.n, ret_sha256->b);
	if (path)
		ck_ok(tree_cache_add_file(g->trees, str_of(path), &oid, &err), err);
	return oid;
}

static int emit(void *context, const struct oid *oid, struct str content, struct err *err)
{
	return pack_add(context, OBJECT_TREE, oid, content.p, content.n, NULL, err);
}

struct commit forge_next(struct forge *g, enum commit_act act)
{
	struct commit c = { .parent = g->head,
		.time = g->last.time,
		.subject = STR("forged"),
		.archive = g->archive,
		.action = id_random(),
		.volume = g->last.volume,
		.act = act,
		.account = STR("u-00001"),
		.signer = STR("server"),
		.actions = g->last.actions + 1,
		.records = g->last.records };
	struct err err = ERR_INIT;

	ck_ok(tree_cache_write(g->trees, emit, g->pack, &c.tree, &err), err);
	sha256(g->text.p, g->text.n, c.previous.b);
	return c;
}

void forge_raw_commit(struct forge *g, struct str text)
{
	struct err err = ERR_INIT;

	object_name(OBJECT_COMMIT, text.p, text.n, &g->head);
	ck_ok(pack_add(g->pack, OBJECT_COMMIT, &g->head, text.p, text.n, NULL, &err), err);
}

void forge_commit(struct forge *g, struct commit *c, const struct signer *signer)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	commit_format(c, signer, &text);
	forge_raw_commit(g, buf_str(&text));
	buf_reset(&g->text);
	buf_add_str(&g->text, buf_str(&text));
	free(TAKE_PTR(g->memory));
	/* What is forged need not be of the form. */
	(void)commit_parse(buf_str(&g->text), &g->last, &g->memory, NULL);
}
