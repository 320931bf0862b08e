/* Forgeries, and damage: each must be found by verify, by name; what the history cannot show is found against keys or a
 * checkpoint. Each row says as well whether scripts/verify-archive.sh sees it in a clone, and it is run to prove that:
 * FORMAT.md, section 13, has the list for people. */
#include "tests/harness.h"

#include "core/base/file.h"
#include "store/envelope.h"
#include "store/verify.h"
#include "tests/store/forge.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* One archive for all: three single records, a bulk of five, a revision, one destroyed; closed. */
struct world {
	struct fixture f;
	struct id first, second, destroyed;
	struct buf checkpoint, signers;
	struct wrapped_key destroyed_key;
	struct buf destroyed_envelope;
};

static int keep_key(void *context, const struct wrapped_key *w, struct err *err)
{
	struct world *world = context;

	(void)err;
	if (id_equal(&w->record, &world->destroyed))
		world->destroyed_key = *w;
	return 0;
}

static void world_init(struct world *w)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct id action = id_random();
	struct err err = ERR_INIT;
	struct sample bulk[5], revision = { .base_version = 1, .text = "修订" };
	struct record_head h;
	struct slip slip;

	fixture_init(&w->f, NULL);
	free(fixture_file(&w->f, "甲", &w->first));
	free(fixture_file(&w->f, "乙", &w->second));
	free(fixture_file(&w->f, "丙", &w->destroyed));
	for (size_t i = 0; i < ARRAY_LEN(bulk); i++)
		bulk[i] = (struct sample){ .record = id_random(), .text = "成批" };
	ck_ok(fixture_write(&w->f, bulk, ARRAY_LEN(bulk), NULL, &err), err);
	revision.record = w->first;
	ck_ok(fixture_write(&w->f, &revision, 1, NULL, &err), err);
	ck_ok(store_flush(w->f.store, &err), err);
	ck_ok(keys_each(store_keys(w->f.store), keep_key, w, &err), err);
	ck_ok(store_find(w->f.store, &w->destroyed, &h, &err), err);
	ck_ok(store_slip(w->f.store, &h, 1, &text, NULL, &err), err);
	record_head_done(&h);
	ck_ok(slip_parse(buf_str(&text), &slip, &memory, &err), err);
	w->destroyed_envelope = (struct buf)BUF_INIT;
	ck_ok(store_read(w->f.store, 1, &slip.manifest.oid, NULL, &w->destroyed_envelope, &err),
		err);
	ck_ok(store_destroy(w->f.store, &w->destroyed, "u-00001", 0, &action, 1779242400, &err),
		err);
	w->checkpoint = (struct buf)BUF_INIT;
	ck_ok(store_checkpoint(w->f.store, &w->checkpoint, &err), err);
	w->signers = (struct buf)BUF_INIT;
	ck_ok(store_allowed_signers(w->f.store, &w->signers, &err), err);
	store_close(TAKE_PTR(w->f.store));
}

static void world_done(struct world *w)
{
	buf_done(&w->checkpoint);
	buf_done(&w->signers);
	buf_done(&w->destroyed_envelope);
	fixture_done(&w->f);
}

/* ---- verifying ---- */

struct seen {
	unsigned faults[FAULT_COUNT];
	struct buf text;
};

static void see(void *context, const struct verify_finding *f)
{
	struct seen *s = context;

	s->faults[f->fault]++;
	buf_addf(&s->text, "%s: %s: %s\n", verify_fault_name(f->fault), f->where, f->text);
}

/* All levels over a folder. An archive that does not even open is found, too: as what the error says. */
static void verify(struct world *w, const char *path, bool against_checkpoint, struct seen *seen)
{
	/* Read only: a writable archive whose last commit is damaged does not open at all. */
	struct store_options options = { .writable = false };
	_cleanup_(freep) void *memory = NULL;
	struct verify_options vo = { .content = true, .open = true, .found = see, .context = seen };
	struct verify_result result;
	struct checkpoint checkpoint;
	struct store *s = NULL;
	struct err err = ERR_INIT;
	int r;

	*seen = (struct seen){ .text = BUF_INIT };
	ck_ok(checkpoint_parse(buf_str(&w->checkpoint), NULL, &checkpoint, &memory, &err), err);
	if (against_checkpoint)
		vo.checkpoint = &checkpoint;
	r = store_open(path, &options, &s, NULL, &err);
	if (r == 0)
		r = store_unseal(s, w->f.root, 1, &err);
	if (r == 0)
		r = store_verify(s, &vo, &result, &err);
	if (r < 0) {
		seen->faults[r == -ERR_CRYPTO ? FAULT_KEY : FAULT_OBJECT]++;
		buf_addf(&seen->text, "%s: %s\n", err_word(r), err.text);
	}
	store_close(s);
}

/* ---- kinds of forgery ---- */

enum kind {
	/* on the end of the history, without the server's key */
	UNSIGNED,
	STRANGER_SIGNS,
	STRANGER_ENROLS_HIMSELF,
	SIGNATURE_OF_ANOTHER,
	SUBJECT_CHANGED,
	ACCOUNT_CHANGED,
	/* with the server's key: the form, the chain */
	TWO_PARENTS,
	OTHER_PARENT,
	WRONG_PREVIOUS,
	WRONG_ARCHIVE,
	WRONG_VOLUME,
	ACTIONS_SKIP,
	ACTIONS_REPEAT,
	RECORDS_WRONG,
	TIME_BEFORE,

	RETIRED_KEY_SIGNS,
	EXTRA_TRAILER,
	SIGNER_UNKNOWN,
	/* with the server's key: trees and slips */
	FILE_NOT_NAMED,
	FILE_NAMED_NOT_ADDED,
	FILE_EXECUTABLE,
	FILE_IS_LINK,
	FILE_REPLACED,
	FILE_REMOVED,
	FILE_RENAMED,
	SLIP_SHA_WRONG,
	SLIP_OTHER_ARCHIVE,
	SLIP_OTHER_RECORD,
	SLIP_VERSION_SKIPS,
	SLIP_BEFORE_WRONG,
	SLIP_SEQUENCE_WRONG,
	SLIP_SERIAL_SKIPS,
	SLIP_SERIAL_REPEATS,
	SLIP_NUMBER_REPEATS,
	SLIP_NUMBER_NOT_SERIAL,
	SLIP_PATH_WRONG,
	SLIP_ACT_WRONG,
	SLIP_NAMES_OTHERS_ENVELOPE,
	SLIP_NAMES_MISSING_ENVELOPE,
	SLIP_SIZE_WRONG,
	SLIP_KEY_AGAIN,
	SLIP_AFTER_TOMBSTONE,
	SLIP_MALFORMED,
	LIST_OMITS,
	LIST_SHA_WRONG,
	LIST_COUNT_WRONG,
	TOMBSTONE_OF_NOBODY,
	TOMBSTONE_VERSIONS,
	TOMBSTONE_TWICE,
	ENVELOPE_NOT_ENCRYPTED,
	/* the refs and branches */
	HISTORY_CUT,
	CONTENT_REF_GONE,
	CONTENT_ENTRY_GONE,
	CONTENT_ENTRY_STRANGE,
	DESTROYED_COMES_BACK,
	MAIN_ELSEWHERE,
	KINDS
};

struct expected {
	const char *name;
	enum verify_fault fault;
	bool by_script; /* else only `muniment verify` sees it */
};

#define BOTH(kind, fault) [kind] = { #kind, fault, true }
#define VERIFY_ALONE(kind, fault) [kind] = { #kind, fault, false }
static const struct expected rows[KINDS] = {
	BOTH(UNSIGNED, FAULT_COMMIT),
	BOTH(STRANGER_SIGNS, FAULT_SIGNATURE),
	BOTH(STRANGER_ENROLS_HIMSELF, FAULT_SIGNATURE),
	BOTH(SIGNATURE_OF_ANOTHER, FAULT_SIGNATURE),
	BOTH(SUBJECT_CHANGED, FAULT_SIGNATURE),
	BOTH(ACCOUNT_CHANGED, FAULT_COMMIT),
	BOTH(TWO_PARENTS, FAULT_COMMIT),
	BOTH(OTHER_PARENT, FAULT_CHAIN),
	BOTH(WRONG_PREVIOUS, FAULT_CHAIN),
	BOTH(WRONG_ARCHIVE, FAULT_CHAIN),
	BOTH(WRONG_VOLUME, FAULT_CHAIN),
	BOTH(ACTIONS_SKIP, FAULT_CHAIN),
	BOTH(ACTIONS_REPEAT, FAULT_CHAIN),
	VERIFY_ALONE(RECORDS_WRONG, FAULT_CHAIN),
	BOTH(TIME_BEFORE, FAULT_CHAIN),
	BOTH(RETIRED_KEY_SIGNS, FAULT_SIGNATURE),
	BOTH(EXTRA_TRAILER, FAULT_COMMIT),
	BOTH(SIGNER_UNKNOWN, FAULT_SIGNATURE),
	BOTH(FILE_NOT_NAMED, FAULT_TREE),
	BOTH(FILE_NAMED_NOT_ADDED, FAULT_OBJECT),
	BOTH(FILE_EXECUTABLE, FAULT_COMMIT),
	BOTH(FILE_IS_LINK, FAULT_COMMIT),
	BOTH(FILE_REPLACED, FAULT_TREE),
	BOTH(FILE_REMOVED, FAULT_TREE),
	BOTH(FILE_RENAMED, FAULT_TREE),
	BOTH(SLIP_SHA_WRONG, FAULT_COMMIT),
	VERIFY_ALONE(SLIP_OTHER_ARCHIVE, FAULT_SLIP),
	VERIFY_ALONE(SLIP_OTHER_RECORD, FAULT_SLIP),
	VERIFY_ALONE(SLIP_VERSION_SKIPS, FAULT_SLIP),
	VERIFY_ALONE(SLIP_BEFORE_WRONG, FAULT_SLIP),
	VERIFY_ALONE(SLIP_SEQUENCE_WRONG, FAULT_NUMBER),
	VERIFY_ALONE(SLIP_SERIAL_SKIPS, FAULT_NUMBER),
	VERIFY_ALONE(SLIP_SERIAL_REPEATS, FAULT_NUMBER),
	VERIFY_ALONE(SLIP_NUMBER_REPEATS, FAULT_NUMBER),
	VERIFY_ALONE(SLIP_NUMBER_NOT_SERIAL, FAULT_NUMBER),
	VERIFY_ALONE(SLIP_PATH_WRONG, FAULT_SLIP),
	VERIFY_ALONE(SLIP_ACT_WRONG, FAULT_SLIP),
	VERIFY_ALONE(SLIP_NAMES_OTHERS_ENVELOPE, FAULT_SLIP),
	BOTH(SLIP_NAMES_MISSING_ENVELOPE, FAULT_ENVELOPE),
	VERIFY_ALONE(SLIP_SIZE_WRONG, FAULT_ENVELOPE),
	VERIFY_ALONE(SLIP_KEY_AGAIN, FAULT_KEY),
	VERIFY_ALONE(SLIP_AFTER_TOMBSTONE, FAULT_DESTROYED),
	VERIFY_ALONE(SLIP_MALFORMED, FAULT_COMMIT),
	BOTH(LIST_OMITS, FAULT_TREE),
	BOTH(LIST_SHA_WRONG, FAULT_COMMIT),
	BOTH(LIST_COUNT_WRONG, FAULT_COMMIT),
	VERIFY_ALONE(TOMBSTONE_OF_NOBODY, FAULT_SLIP),
	VERIFY_ALONE(TOMBSTONE_VERSIONS, FAULT_SLIP),
	VERIFY_ALONE(TOMBSTONE_TWICE, FAULT_SLIP),
	VERIFY_ALONE(ENVELOPE_NOT_ENCRYPTED, FAULT_ENVELOPE),
	BOTH(HISTORY_CUT, FAULT_KEY),
	BOTH(CONTENT_REF_GONE, FAULT_CONTENT),
	BOTH(CONTENT_ENTRY_GONE, FAULT_CONTENT),
	VERIFY_ALONE(CONTENT_ENTRY_STRANGE, FAULT_CONTENT),
	VERIFY_ALONE(DESTROYED_COMES_BACK, FAULT_DESTROYED),
	BOTH(MAIN_ELSEWHERE, FAULT_OBJECT),
};

/* A record as the writer would file it next, all of it right; each forgery spoils one thing. */
struct filing {
	struct slip slip;
	struct id key;
	struct buf text;
	char path[256];
	enum commit_act act;
};

static struct slip_blob good_blob(struct forge *g, struct filing *f)
{
	const struct envelope_binding binding = { g->archive, f->slip.record };
	const struct envelope_head head = {
		.kind = ENVELOPE_MANIFEST, .key = f->key, .chunks = 1, .plain_bytes = 2
	};
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	struct slip_blob blob = { .volume = 1 };
	const uint8_t key[32] = { 1 };
	struct err err = ERR_INIT;

	ck_ok(envelope_seal(&binding, &head, key, "{}", &sealed, &err), err);
	blob.bytes = sealed.n;
	blob.oid = forge_blob(g, buf_str(&sealed), NULL, &blob.sha256);
	g->hung[g->hung_count++] = blob;
	return blob;
}

static void filing_init(struct forge *g, struct filing *f)
{
	*f = (struct filing){ .key = id_random(), .text = BUF_INIT, .act = ACT_FILE };
	f->slip = (struct slip){ .archive = g->archive,
		.record = id_random(),
		.sequence = g->last.records,
		.version = 1,
		.serial = g->last.records + 1,
		.scope = STR("样本-20260520-*"),
		.keys = &f->key,
		.key_count = 1 };
	f->slip.number = STR("样本-20260520-0009");
	f->slip.manifest = good_blob(g, f);
	(void)snprintf(
		f->path, sizeof(f->path), "2026-05/样本/质量管理部/0000/00/样本-20260520-0009/v1");
}

static void file_it(struct forge *g, struct filing *f, uint64_t records)
{
	struct commit c;

	slip_format(&f->slip, &f->text);
	c = (struct commit){ .act = f->act };
	(void)forge_blob(g, buf_str(&f->text), f->path, &c.file.sha256);
	{
		struct commit next = forge_next(g, f->act);

		next.file = (struct listed){ c.file.sha256, str_of(f->path) };
		next.files = 1;
		next.records += records;
		forge_commit(g, &next, g->server);
	}
	buf_done(&f->text);
}

/* The newest slip of a record, parsed; its text stays in `text`. */
static struct record_head head_of(struct world *w, struct buf *text, struct slip *slip,
	void **memory, const struct id *record)
{
	struct store_options options = { .writable = false };
	struct store *s = NULL;
	struct err err = ERR_INIT;
	struct record_head h;

	ck_ok(store_open(w->f.path, &options, &s, NULL, &err), err);
	ck_ok(store_find(s, record, &h, &err), err);
	ck_ok(store_slip(s, &h, 0, text, NULL, &err), err);
	ck_ok(slip_parse(buf_str(text), slip, memory, &err), err);
	store_close(s);
	return h;
}

/* ---- on the end of the history ---- */

static void cut_signature(struct str text, struct buf *ret)
{
	const char *from = memmem(text.p, text.n, "gpgsig ", 7), *to;

	ck_assert_ptr_nonnull(from);
	to = memmem(from, text.n - (size_t)(from - text.p), "-----END SSH SIGNATURE-----\n", 28);
	ck_assert_ptr_nonnull(to);
	to += 28;
	buf_add(ret, text.p, (size_t)(from - text.p));
	buf_add(ret, to, text.n - (size_t)(to - text.p));
}

static void replace_in_head(struct forge *g, const char *what, const char *with)
{
	_cleanup_(buf_done) struct buf changed = BUF_INIT;
	const char *at = memmem(g->text.p, g->text.n, what, strlen(what));

	ck_assert_msg(at != NULL, "'%s' is not in the commit", what);
	buf_add(&changed, g->text.p, (size_t)(at - g->text.p));
	buf_adds(&changed, with);
	buf_add(&changed, at + strlen(what), g->text.n - (size_t)(at - g->text.p) - strlen(what));
	forge_raw_commit(g, buf_str(&changed));
}

static void forge_signature(struct forge *g, enum kind kind)
{
	_cleanup_(buf_done) struct buf bare = BUF_INIT, armor = BUF_INIT;
	struct filing f;
	struct commit c;
	struct signer_line line = { false, STR("server"), *signer_public(g->stranger) };

	filing_init(g, &f);
	switch (kind) {
	case STRANGER_ENROLS_HIMSELF:
		c = forge_next(g, ACT_KEYS);
		c.signers = &line;
		c.signer_count = 1;
		forge_commit(g, &c, g->stranger);
		buf_done(&f.text);
		return;
	case RETIRED_KEY_SIGNS:
		line = (struct signer_line){ true, STR("server"), *signer_public(g->server) };
		c = forge_next(g, ACT_KEYS);
		c.signers = &line;
		c.signer_count = 1;
		forge_commit(g, &c, g->server);
		file_it(g, &f, 1);
		return;
	default:
		file_it(g, &f, 1);
	}
	if (kind == UNSIGNED) {
		cut_signature(buf_str(&g->text), &bare);
		forge_raw_commit(g, buf_str(&bare));
	} else if (kind == STRANGER_SIGNS) {
		c = g->last;
		forge_commit(g, &c, g->stranger);
	} else if (kind == SIGNER_UNKNOWN) {
		c = g->last;
		c.signer = STR("u-00009");
		forge_commit(g, &c, g->server);
	} else if (kind == SIGNATURE_OF_ANOTHER || kind == SUBJECT_CHANGED) {
		replace_in_head(g, "\nforged\n", "\nforgeD\n");
	} else if (kind == ACCOUNT_CHANGED) {
		replace_in_head(g, "Account: u-00001\n", "Account: u-00002\n");
	} else {
		replace_in_head(g, "Act: file\n", "Act: file\nExtra: x\n");
	}
}

static void forge_chain(struct forge *g, enum kind kind)
{
	struct filing f;
	struct commit c;

	filing_init(g, &f);
	slip_format(&f.slip, &f.text);
	c = (struct commit){ .act = ACT_FILE };
	{
		struct digest sha;

		(void)forge_blob(g, buf_str(&f.text), f.path, &sha);
		c = forge_next(g, ACT_FILE);
		c.file = (struct listed){ sha, str_of(f.path) };
	}
	c.files = 1;
	c.records++;
	switch (kind) {
	case OTHER_PARENT:
		c.parent = g->last.parent;
		break;
	case WRONG_PREVIOUS:
		c.previous.b[0] ^= 1;
		break;
	case WRONG_ARCHIVE:
		c.archive.b[0] ^= 1;
		break;
	case WRONG_VOLUME:
		c.volume = 2;
		break;
	case ACTIONS_SKIP:
		c.actions++;
		break;
	case ACTIONS_REPEAT:
		c.actions--;
		break;
	case RECORDS_WRONG:
		c.records++;
		break;
	case TIME_BEFORE:
		c.time = 1000;
		break;
	default:
		break;
	}
	forge_commit(g, &c, g->server);
	if (kind == TWO_PARENTS) {
		char line_text[128], hex[OID_TEXT];

		(void)snprintf(line_text, sizeof(line_text), "parent %s\nauthor ",
			hex_encode(g->last.parent.b, OID_BYTES, hex));
		replace_in_head(g, "author ", line_text);
	}
	buf_done(&f.text);
}

/* ---- trees ---- */

static void forge_tree(struct forge *g, enum kind kind)
{
	static const char other[] = "2026-05/样本/质量管理部/0000/00/样本-20260520-0002/v1";
	struct err err = ERR_INIT;
	struct filing f;
	struct oid oid;

	filing_init(g, &f);
	switch (kind) {
	case FILE_NOT_NAMED:
		(void)forge_blob(g, STR("more"), "2026-05/more", NULL);
		break;
	case FILE_REPLACED:
		ck_ok(tree_cache_remove(g->trees, str_of(other), &err), err);
		(void)forge_blob(g, STR("other"), other, NULL);
		break;
	case FILE_REMOVED:
		ck_ok(tree_cache_remove(g->trees, str_of(other), &err), err);
		break;
	case FILE_RENAMED:
		ck_ok(tree_cache_remove(g->trees, str_of(other), &err), err);
		(void)forge_blob(g, STR("other"),
			"2026-05/样本/质量管理部/0000/00/样本-20260520-0002/v2", NULL);
		break;
	default:
		break;
	}
	if (kind == FILE_NAMED_NOT_ADDED) {
		struct commit c = forge_next(g, ACT_FILE);

		c.file = (struct listed){ { { 1 } }, str_of(f.path) };
		c.files = 1;
		c.records++;
		forge_commit(g, &c, g->server);
		buf_done(&f.text);
		return;
	}
	file_it(g, &f, 1);
	if (kind == FILE_EXECUTABLE || kind == FILE_IS_LINK) {
		/* The root again, with one more entry of a forbidden kind. */
		_cleanup_(buf_done) struct buf tree = BUF_INIT;
		_cleanup_(buf_done) struct buf root = BUF_INIT;
		struct commit c = g->last;
		struct oid blob = forge_blob(g, STR("x"), NULL, NULL);

		buf_adds(&tree, kind == FILE_IS_LINK ? "120000 0" : "100755 0");
		buf_addc(&tree, '\0');
		buf_add(&tree, blob.b, OID_BYTES);
		object_name(OBJECT_TREE, tree.p, tree.n, &oid);
		ck_ok(pack_add(g->pack, OBJECT_TREE, &oid, tree.p, tree.n, NULL, &err), err);
		c.tree = oid;
		forge_commit(g, &c, g->server);
	}
}

/* ---- slips ---- */

static void forge_slip(struct world *w, struct forge *g, enum kind kind)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct record_head h;
	struct slip before;
	struct filing f;
	uint64_t filed = 1;

	h = head_of(w, &text, &before, &memory,
		kind == SLIP_AFTER_TOMBSTONE ? &w->destroyed : &w->second);
	filing_init(g, &f);
	switch (kind) {
	case SLIP_OTHER_ARCHIVE:
		f.slip.archive.b[0] ^= 1;
		break;
	case SLIP_OTHER_RECORD: /* a version of the second record in a folder of its own */
		f.slip.record = h.record;
		filed = 0;
		break;
	case SLIP_SEQUENCE_WRONG:
		f.slip.sequence++;
		break;
	case SLIP_SERIAL_SKIPS:
		f.slip.serial++;
		f.slip.number = STR("样本-20260520-0010");
		(void)snprintf(f.path, sizeof(f.path),
			"2026-05/样本/质量管理部/0000/00/样本-20260520-0010/v1");
		break;
	case SLIP_SERIAL_REPEATS:
		f.slip.serial = 2;
		break;
	case SLIP_NUMBER_REPEATS:
		f.slip.number = before.number;
		f.slip.serial = 0;
		f.slip.scope = STR("");
		(void)snprintf(f.path, sizeof(f.path), "2026-05/样本/运营部/0000/00/%.*s/v1",
			STR_ARG(before.number));
		break;
	case SLIP_NUMBER_NOT_SERIAL:
		f.slip.number = STR("样本-20260520-0099");
		(void)snprintf(f.path, sizeof(f.path),
			"2026-05/样本/质量管理部/0000/00/样本-20260520-0099/v1");
		break;
	case SLIP_PATH_WRONG:
		(void)snprintf(f.path, sizeof(f.path),
			"2026-05/样本/质量管理部/0000/01/样本-20260520-0009/v1");
		break;
	case SLIP_ACT_WRONG:
		f.act = ACT_REVISE;
		break;
	case SLIP_NAMES_OTHERS_ENVELOPE:
		f.slip.manifest = before.manifest;
		break;
	case SLIP_NAMES_MISSING_ENVELOPE:
		f.slip.manifest.oid.b[0] ^= 1;
		break;
	case SLIP_SIZE_WRONG:
		f.slip.manifest.bytes++;
		break;
	case SLIP_KEY_AGAIN:
		f.key = before.keys[0];
		break;
	case ENVELOPE_NOT_ENCRYPTED:
		f.slip.manifest.bytes = 12;
		f.slip.manifest.oid =
			forge_blob(g, STR("in the clear"), NULL, &f.slip.manifest.sha256);
		g->hung[g->hung_count++] = f.slip.manifest;
		break;
	default: /* versions of a record that is there */
		f.slip.record = h.record;
		f.slip.sequence = h.sequence;
		f.slip.version = h.version + 1 + (kind == SLIP_VERSION_SKIPS);
		f.slip.before_volume = h.volume;
		f.slip.before = h.slip;
		f.slip.before.b[0] ^= kind == SLIP_BEFORE_WRONG;
		f.slip.serial = 0;
		f.slip.scope = STR("");
		f.slip.number = before.number;
		(void)snprintf(f.path, sizeof(f.path), "%s/v%llu", h.folder,
			(unsigned long long)f.slip.version);
		f.act = ACT_REVISE;
		filed = 0;
	}
	file_it(g, &f, filed);
	record_head_done(&h);
}

static void forge_slip_bytes(struct forge *g, enum kind kind)
{
	struct filing f;
	struct commit c;
	struct digest sha;

	filing_init(g, &f);
	slip_format(&f.slip, &f.text);
	if (kind == SLIP_MALFORMED)
		buf_adds(&f.text, "more\n");
	(void)forge_blob(g, buf_str(&f.text), f.path, &sha);
	c = forge_next(g, ACT_FILE);
	sha.b[0] ^= kind == SLIP_SHA_WRONG;
	c.file = (struct listed){ sha, str_of(f.path) };
	c.files = 1;
	c.records++;
	forge_commit(g, &c, g->server);
	buf_done(&f.text);
}

static void forge_list(struct forge *g, enum kind kind)
{
	struct filing f[3];
	struct listed files[3];
	struct buf list = BUF_INIT;
	struct commit c;
	struct digest sha;
	static const char *const numbers[] = { "样本-20260520-0009", "样本-20260520-0010",
		"样本-20260520-0011" };

	for (size_t i = 0; i < 3; i++) {
		filing_init(g, &f[i]);
		f[i].slip.sequence += i;
		f[i].slip.serial += i;
		f[i].slip.number = str_of(numbers[i]);
		(void)snprintf(f[i].path, sizeof(f[i].path),
			"2026-05/样本/质量管理部/0000/00/%.*s/v1", STR_ARG(f[i].slip.number));
		slip_format(&f[i].slip, &f[i].text);
		(void)forge_blob(g, buf_str(&f[i].text), f[i].path, &files[i].sha256);
		files[i].path = str_of(f[i].path);
		buf_done(&f[i].text);
	}
	list_format(files, kind == LIST_OMITS ? 2 : 3, &list);
	(void)forge_blob(g, buf_str(&list), "lists/0000/099", &sha);
	c = forge_next(g, ACT_FILE);
	sha.b[0] ^= kind == LIST_SHA_WRONG;
	c.is_list = true;
	c.file = (struct listed){ sha, STR("lists/0000/099") };
	c.files = kind == LIST_OMITS ? 2 : 3 + (kind == LIST_COUNT_WRONG);
	c.records += kind == LIST_OMITS ? 2 : 3;
	forge_commit(g, &c, g->server);
	buf_done(&list);
}

static void forge_tombstone(struct world *w, struct forge *g, enum kind kind)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT, stone = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	char path[256];
	struct record_head h;
	struct slip slip;
	struct tombstone t;
	struct commit c;
	struct digest sha;

	h = head_of(w, &text, &slip, &memory, kind == TOMBSTONE_TWICE ? &w->destroyed : &w->second);
	t = (struct tombstone){ .archive = g->archive,
		.record = h.record,
		.sequence = h.sequence,
		.versions = h.version,
		.epoch = 1,
		.keys = slip.keys,
		.key_count = slip.key_count,
		.envelopes = &slip.manifest,
		.envelope_count = 1,
		.number = slip.number };
	(void)snprintf(path, sizeof(path), "%s/%s", h.folder, "destroyed");
	if (kind == TOMBSTONE_OF_NOBODY)
		t.record = id_random();
	if (kind == TOMBSTONE_VERSIONS)
		t.versions++;
	if (kind == TOMBSTONE_TWICE)
		(void)snprintf(
			path, sizeof(path), "2026-05/样本/质量管理部/0000/00/again/destroyed");
	tombstone_format(&t, &stone);
	(void)forge_blob(g, buf_str(&stone), path, &sha);
	c = forge_next(g, ACT_DESTROY);
	c.file = (struct listed){ sha, str_of(path) };
	c.files = 1;
	forge_commit(g, &c, g->server);
	record_head_done(&h);
}

/* ---- refs and the content branch ---- */

static void set_content(struct forge *g, const struct oid *root)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	char hex[OID_TEXT];
	struct err err = ERR_INIT;
	struct oid commit;

	buf_addf(&text, "tree %s\nauthor x <x@x> 0 +0000\ncommitter x <x@x> 0 +0000\n\nx\n",
		hex_encode(root->b, OID_BYTES, hex));
	object_name(OBJECT_COMMIT, text.p, text.n, &commit);
	ck_ok(pack_add(g->pack, OBJECT_COMMIT, &commit, text.p, text.n, NULL, &err), err);
	ck_ok(volume_set_ref(g->volume, "refs/heads/content", &commit, &err), err);
}

static int emit(void *context, const struct oid *oid, struct str content, struct err *err)
{
	return pack_add(context, OBJECT_TREE, oid, content.p, content.n, NULL, err);
}

static struct oid content_tree(struct forge *g)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct oid oid;

	ck_ok(volume_ref(g->volume, "refs/heads/content", &oid, &err), err);
	ck_ok(volume_read(g->volume, &oid, NULL, &text, &err), err);
	ck_ok(oid_parse((struct str){ text.p + 5, 40 }, &oid, &err), err);
	return oid;
}

static void forge_refs(struct world *w, struct forge *g, enum kind kind)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(freep) void *memory = NULL;
	struct oid root = content_tree(g), oid;
	struct err err = ERR_INIT;
	struct record_head h;
	struct slip slip;
	struct digest sha;
	char path[128], hex[65];

	switch (kind) {
	case HISTORY_CUT:
		/* the tombstone's, the revision's and the bulk's commits vanish */
		for (int i = 0; i < 3; i++) {
			g->head = g->last.parent;
			forge_reload(g);
		}
		return;
	case MAIN_ELSEWHERE:
		memset(g->head.b, 0x5a, OID_BYTES);
		return;
	case CONTENT_REF_GONE:
		memset(oid.b, 0, OID_BYTES);
		object_name(OBJECT_TREE, "", 0, &oid);
		ck_ok(pack_add(g->pack, OBJECT_TREE, &oid, "", 0, NULL, &err), err);
		set_content(g, &oid);
		return;
	case CONTENT_ENTRY_GONE:
		h = head_of(w, &text, &slip, &memory, &w->second);
		tree_cache_reset(g->trees, &root);
		for (int p = 0; p < 64; p++) {
			(void)snprintf(path, sizeof(path), "0000/00/%02d/%s", p,
				hex_encode(slip.manifest.sha256.b, 32, hex));
			if (tree_cache_remove(g->trees, str_of(path), NULL) == 0)
				break;
		}
		record_head_done(&h);
		break;
	case DESTROYED_COMES_BACK:
		tree_cache_reset(g->trees, &root);
		oid = forge_blob(g, buf_str(&w->destroyed_envelope), NULL, &sha);
		(void)snprintf(path, sizeof(path), "0000/63/63/%s", hex_encode(sha.b, 32, hex));
		ck_ok(tree_cache_add_file(g->trees, str_of(path), &oid, &err), err);
		break;
	default:
		tree_cache_reset(g->trees, &root);
		(void)forge_blob(g, STR("strange"),
			"0000/63/63/"
			"0000000000000000000000000000000000000000000000000000000000000001",
			NULL);
	}
	ck_ok(tree_cache_write(g->trees, emit, g->pack, &oid, &err), err);
	set_content(g, &oid);
}

/* The envelopes that a forged slip names hang on the content branch, so that a clone has them. */
static void hang_all(struct forge *g)
{
	struct oid root = content_tree(g);
	struct err err = ERR_INIT;
	char path[128], hex[65];

	tree_cache_reset(g->trees, &root);
	for (size_t i = 0; i < g->hung_count; i++) {
		(void)snprintf(path, sizeof(path), "0000/63/63/%s",
			hex_encode(g->hung[i].sha256.b, 32, hex));
		ck_ok(tree_cache_add_file(g->trees, str_of(path), &g->hung[i].oid, &err), err);
	}
	ck_ok(tree_cache_write(g->trees, emit, g->pack, &root, &err), err);
	set_content(g, &root);
}

static void forge_kind(struct world *w, struct forge *g, enum kind kind)
{
	if (kind <= ACCOUNT_CHANGED || kind == RETIRED_KEY_SIGNS || kind == EXTRA_TRAILER ||
		kind == SIGNER_UNKNOWN)
		forge_signature(g, kind);
	else if (kind <= SIGNER_UNKNOWN)
		forge_chain(g, kind);
	else if (kind <= FILE_RENAMED)
		forge_tree(g, kind);
	else if (kind == SLIP_SHA_WRONG || kind == SLIP_MALFORMED)
		forge_slip_bytes(g, kind);
	else if (kind <= SLIP_MALFORMED || kind == ENVELOPE_NOT_ENCRYPTED)
		forge_slip(w, g, kind);
	else if (kind <= LIST_COUNT_WRONG)
		forge_list(g, kind);
	else if (kind <= TOMBSTONE_TWICE)
		forge_tombstone(w, g, kind);
	else
		forge_refs(w, g, kind);
}

/* ---- by stock tools ---- */

static const char *file_of(
	const char *dir, const char *name, const struct buf *content, char ret[160])
{
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);

	(void)snprintf(ret, 160, "%s/%s", dir, name);
	ck_assert_int_eq(file_replace(fd, name, content->p, content->n, NULL), 0);
	return ret;
}

/* What an inspector does: clone, and run the script. */
static bool script_accepts(const struct world *w, const char *path, struct buf *ret)
{
	const char *dir = harness_dir(), *source = getenv("MUNIMENT_SOURCE");
	char script[512], url[256], clone[160], signers[160], note[160];
	const char *const to_clone[] = { "git", "clone", "-q", "--mirror", url, clone, NULL };
	const char *const to_verify[] = { "bash", script, clone,
		file_of(dir, "signers", &w->signers, signers),
		file_of(dir, "checkpoint", &w->checkpoint, note), NULL };

	(void)snprintf(
		script, sizeof(script), "%s/scripts/verify-archive.sh", source ? source : ".");
	(void)snprintf(url, sizeof(url), "file://%s/volumes/0001.git", path);
	(void)snprintf(clone, sizeof(clone), "%s/clone.git", dir);
	return harness_exec(to_clone, STR(""), ret) == 0 &&
	       harness_exec(to_verify, STR(""), ret) == 0;
}

START_TEST(an_honest_archive_has_no_faults)
{
	_cleanup_(buf_done) struct buf printed = BUF_INIT;
	struct world w;
	struct seen seen;

	world_init(&w);
	verify(&w, w.f.path, true, &seen);
	ck_assert_str_eq(seen.text.p, "");
	ck_assert_msg(script_accepts(&w, w.f.path, &printed), "%s", printed.p);
	buf_done(&seen.text);
	world_done(&w);
}
END_TEST

/* Also the other way round: the record that the forgeries spoil is accepted when nothing is spoiled but its
 * missing key. */
START_TEST(every_forgery_is_found)
{
	_cleanup_(buf_done) struct buf printed = BUF_INIT;
	struct world w;
	unsigned missed = 0;

	world_init(&w);
	for (enum kind kind = 0; kind < KINDS; kind++) {
		const char *path = fixture_copy(&w.f);
		struct forge g;
		struct seen seen;

		forge_init(&g, &w.f, path);
		forge_kind(&w, &g, kind);
		if (kind < HISTORY_CUT && g.hung_count)
			hang_all(&g);
		forge_done(&g);
		verify(&w, path, kind == HISTORY_CUT, &seen);
		buf_reset(&printed);
		if (script_accepts(&w, path, &printed) == rows[kind].by_script) {
			missed++;
			(void)fprintf(stderr, "# %s: verify-archive.sh should have %s it:\n%s",
				rows[kind].name, rows[kind].by_script ? "refused" : "accepted",
				printed.p);
		}
		if (!seen.faults[rows[kind].fault]) {
			missed++;
			(void)fprintf(stderr, "# %s: expected a fault of kind '%s', found:\n%s",
				rows[kind].name, verify_fault_name(rows[kind].fault), seen.text.p);
		}
		buf_done(&seen.text);
		(void)file_remove_tree(AT_FDCWD, path, NULL);
	}
	ck_assert_int_ge(KINDS, 50);
	ck_assert_uint_eq(missed, 0);
	world_done(&w);
}
END_TEST

/* ---- keys.db and the ledger ---- */

static void change_db(
	const char *path, const char *file, const char *statement, const void *blob, size_t n)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT;
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	buf_addf(&name, "%s/%s", path, file);
	ck_assert_int_eq(sqlite3_open(name.p, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, statement, -1, &st, NULL) == SQLITE_OK, "%s",
		sqlite3_errmsg(db));
	if (blob)
		ck_assert_int_eq(sqlite3_bind_blob(st, 1, blob, (int)n, SQLITE_STATIC), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_DONE);
	ck_assert_int_ge(sqlite3_changes(db), 1);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
}

START_TEST(changes_in_databases_are_found)
{
	static const struct {
		const char *file, *statement;
		enum verify_fault fault;
	} changes[] = {
		{ "keys.db",
			"DELETE FROM record_key WHERE rowid = (SELECT min(rowid) FROM record_key)",
			FAULT_KEY },
		{ "keys.db",
			"UPDATE record_key SET wrapped = zeroblob(72) WHERE rowid = (SELECT "
			"min(rowid) FROM record_key)",
			FAULT_KEY },
		{ "keys.db",
			"UPDATE record_key SET record = zeroblob(16) WHERE rowid = (SELECT "
			"min(rowid) FROM record_key)",
			FAULT_KEY },
		{ "keys.db",
			"INSERT INTO record_key SELECT randomblob(16), record, epoch, wrapped FROM "
			"record_key LIMIT 1",
			FAULT_KEY },
		{ "keys.db", "UPDATE purpose SET wrapped = zeroblob(72) WHERE name = 'server'",
			FAULT_KEY },
		{ "derived/ledger.db", "UPDATE head SET version = 7 WHERE sequence = 1",
			FAULT_LEDGER },
		{ "derived/ledger.db", "UPDATE head SET slip = zeroblob(32) WHERE sequence = 1",
			FAULT_LEDGER },
		{ "derived/ledger.db", "UPDATE head SET number = 'x' WHERE sequence = 1",
			FAULT_LEDGER },
		{ "derived/ledger.db", "DELETE FROM head WHERE sequence = 1", FAULT_LEDGER },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const char *path = fixture_copy(&w.f);
		struct seen seen;

		change_db(path, changes[i].file, changes[i].statement, NULL, 0);
		verify(&w, path, false, &seen);
		ck_assert_msg(seen.faults[changes[i].fault], "%s: found: %s", changes[i].statement,
			seen.text.p);
		buf_done(&seen.text);
		(void)file_remove_tree(AT_FDCWD, path, NULL);
	}
	world_done(&w);
}
END_TEST

/* A key row that comes back out of an old copy is deleted at the next start, before anything is served. */
START_TEST(a_destroyed_key_does_not_come_back)
{
	const char *insert = "INSERT INTO record_key (key, record, epoch, wrapped) VALUES (?1, "
			     "zeroblob(16), 1, zeroblob(72))";
	struct store_found found;
	struct err err = ERR_INIT;
	struct fixture again;
	const char *path;
	struct world w;
	uint8_t key[32];

	world_init(&w);
	path = fixture_copy(&w.f);
	change_db(path, "keys.db", insert, w.destroyed_key.key.b, ID_BYTES);
	change_db(path, "keys.db", "UPDATE record_key SET record = ?1 WHERE record = zeroblob(16)",
		w.destroyed.b, ID_BYTES);
	change_db(path, "keys.db",
		"UPDATE record_key SET wrapped = ?1 WHERE wrapped = zeroblob(72)",
		w.destroyed_key.wrapped, WRAPPED_BYTES);
	fixture_open_at(&w.f, path, &again, &found);
	ck_assert_uint_eq(found.destructions_finished, 1);
	ck_fails(keys_find(store_keys(again.store), &w.destroyed_key.key, &w.destroyed, key, &err),
		err, ERR_NOTFOUND);
	fixture_done(&again);
	world_done(&w);
}
END_TEST

/* ---- single bytes ---- */

/* Flip one bit at many places of packs and indexes: each is found, also where it changes no answer (in an object that
 * nothing names any more, an older tree of the content branch). */
START_TEST(flipped_bytes_in_packs_are_found)
{
	enum { FLIPS = 60 };
	_cleanup_(buf_done) struct buf pack = BUF_INIT;
	struct err err = ERR_INIT;
	struct world w;
	uint32_t seed = 7;

	world_init(&w);
	for (int i = 0; i < FLIPS; i++) {
		_cleanup_(closep) int dir = -1;
		_cleanup_(freep) struct oid *packs = NULL;
		_cleanup_(closep) int fd = -1;
		const char *path = fixture_copy(&w.f);
		char name[128], hex[OID_TEXT];
		struct seen seen;
		uint64_t size;
		uint8_t byte;
		size_t count;

		(void)snprintf(name, sizeof(name), "%s/volumes/0001.git/objects/pack", path);
		dir = file_open_dir(AT_FDCWD, name, &err);
		ck_ok(pack_list(dir, &packs, &count, &err), err);
		seed = seed * 1664525 + 1013904223;
		(void)snprintf(name, sizeof(name), "pack-%s.%s",
			hex_encode(packs[(seed >> 8) % count].b, OID_BYTES, hex),
			i % 6 == 0 ? "idx" : "pack");
		ck_assert_int_eq(fchmodat(dir, name, 0600, 0), 0);
		fd = file_open_write(dir, name, &err);
		ck_ok(fd, err);
		ck_ok(file_size(fd, &size, &err), err);
		seed = seed * 1664525 + 1013904223;
		ck_ok(file_pread(fd, &byte, 1, seed % size, &err), err);
		byte ^= (uint8_t)(1u << (seed >> 29));
		ck_ok(file_pwrite(fd, &byte, 1, seed % size, &err), err);
		verify(&w, path, true, &seen);
		ck_assert_msg(seen.text.n > 0, "byte %llu of %s", (unsigned long long)(seed % size),
			name);
		buf_done(&seen.text);
		(void)file_remove_tree(AT_FDCWD, path, NULL);
	}
	world_done(&w);
}
END_TEST

TESTS("store/verify", an_honest_archive_has_no_faults, every_forgery_is_found,
	changes_in_databases_are_found, a_destroyed_key_does_not_come_back,
	flipped_bytes_in_packs_are_found)
