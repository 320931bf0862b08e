/* writer_commit.c - one action is one signed commit: staged records get a list or a slip line, trees, a signature; a
 * volume that is over is followed by the next one (FORMAT.md, sections 6 and 8; invariant 3). */
#include "store/writer_private.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <stdlib.h>

static const char readme[] =
	"这是一个卷宗（Muniment）档案库的卷库。\n"
	"main 分支是只增不改的签名历史：每次操作一个提交，每个档案版本一张凭条（v1、v2 "
	"……），凭条写明密文的 SHA-256。\n"
	"密文挂在 content 分支上，没有档案库的密钥无法阅读。\n"
	"核对方法：scripts/verify-archive.sh，只用 git、ssh-keygen 和 sha256sum；字节格式见 "
	"store/FORMAT.md。\n"
	"\n"
	"This is a volume of a Muniment records archive.\n"
	"The branch main is a signed, append-only history: one commit per action, and for every "
	"version of a record one slip (v1, v2 ...)\n"
	"which names its ciphertext by SHA-256. The ciphertext hangs on the branch content and "
	"cannot be read without the keys.\n"
	"To verify: scripts/verify-archive.sh, with git, ssh-keygen and sha256sum alone; the bytes "
	"are described in store/FORMAT.md.\n";

/* ---- commits ---- */

int writer_load_tree(void *context, const struct oid *oid, struct buf *ret, struct err *err)
{
	struct store *s = context;
	enum object_type type;
	int r;

	/* What this frame itself added is not published yet. */
	for (size_t i = s->w.building ? s->w.building->frame.object_count : 0; i > 0; i--) {
		const struct frame_object *o = &s->w.building->objects[i - 1];

		if (o->type == OBJECT_TREE && oid_equal(&o->oid, oid)) {
			buf_add_str(ret, o->content);
			return buf_check(ret, err);
		}
	}
	r = read_object(s, s->w.volume, oid, &type, ret, err);
	if (r == 0 && type != OBJECT_TREE)
		return err_set(err, ERR_CORRUPT, tr("a tree of main is something else"));
	return r;
}

static int emit_tree(void *context, const struct oid *oid, struct str content, struct err *err)
{
	struct writer *w = context;

	(void)err;
	(void)pending_frame_add(w->building, OBJECT_TREE, oid, content);
	return 0;
}

int writer_make_commit(struct store *s, struct commit *c, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(COMMIT_MAX_BYTES);
	struct writer *w = &s->w;
	int r = tree_cache_write(w->trees, emit_tree, w, &c->tree, err);

	if (r < 0)
		return r;
	if (c->time < w->last_time)
		c->time = w->last_time;
	c->archive = s->archive;
	c->volume = w->volume;
	c->parent = w->head;
	c->signer = STR(ACCOUNT_SERVER);
	c->actions = w->actions + 1;
	c->records = w->records;
	c->previous = w->previous;
	commit_format(c, w->signer, &text);
	r = buf_check(&text, err);
	if (r < 0)
		return r;
	object_name(OBJECT_COMMIT, text.p, text.n, &w->head);
	sha256(text.p, text.n, w->previous.b);
	w->actions++;
	w->last_time = c->time + (c->act == ACT_KEYS);
	(void)pending_frame_add(w->building, OBJECT_COMMIT, &w->head, buf_str(&text));
	pending_frame_add_commit(w->building, &w->head);
	w->building->frame.head = w->head;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct added *x = a, *y = b;
	size_t n = x->path.n < y->path.n ? x->path.n : y->path.n;
	int r = memcmp(x->path.p, y->path.p, n);

	return r ? r : (x->path.n > y->path.n) - (x->path.n < y->path.n);
}

/* One file: a Slip line. More: a list, which is a file of its own. */
static int name_files(
	struct writer *w, struct added *files, size_t count, struct commit *c, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(SLIP_MAX_BYTES);
	struct listed *listed;
	struct added list;
	uint64_t action = w->actions + 1;
	int r;

	c->is_list = count > 1;
	c->files = count;
	if (count == 1) {
		c->file = (struct listed){ files[0].sha256, files[0].path };
		return 0;
	}
	listed = arena_zero(w->building->arena, count, sizeof(*listed));
	qsort(files, count, sizeof(*files), by_path);
	for (size_t i = 0; i < count; i++)
		listed[i] = (struct listed){ files[i].sha256, files[i].path };
	list_format(listed, count, &text);
	r = buf_check(&text, err);
	if (r < 0)
		return r;
	writer_add_clear(w,
		writer_text(w, "lists/%04llu/%03llu", (unsigned long long)(action / 1000),
			(unsigned long long)(action % 1000)),
		&text, &list);
	c->file = (struct listed){ list.sha256, list.path };
	return tree_cache_add_file(w->trees, list.path, &list.oid, err);
}

static void say_action(struct writer *w, const struct saying *saying, const struct commit *c)
{
	struct facts *f = arena_zero(w->building->arena, 1, sizeof(*f));

	facts_sort(saying->facts, saying->count);
	*f = (struct facts){ .oid = w->head,
		.sha256 = w->previous,
		.commit = *c,
		.facts = saying->facts,
		.count = saying->count };
	f->commit.account.p = arena_text(w->building->arena, c->account);
	pending_frame_add_facts(w->building, f);
}

static int commit_change(struct store *s, struct change *change, struct added *files, size_t count,
	const struct saying *saying, const char *number, struct err *err)
{
	struct writer *w = &s->w;
	struct commit c = { .time = change->time,
		.action = change->action,
		.uid = change->uid,
		.act = change->act,
		.account = str_of(change->account) };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = tree_cache_add_file(w->trees, files[i].path, &files[i].oid, err);
	if (r == 0)
		r = name_files(w, files, count, &c, err);
	if (r < 0)
		return r;
	c.subject = count == 1 ? writer_text(w, "%s %s", number, commit_act_name(c.act))
			       : writer_text(w, "%s +%zu %s", number, count - 1,
					 commit_act_name(c.act));
	for (size_t i = 0; i < change->pack_count; i++)
		pending_frame_add_pack(w->building, &change->packs[i]);
	r = writer_make_commit(s, &c, err);
	if (r == 0 && saying->is_known)
		say_action(w, saying, &c);
	change->ret_commit = w->head;
	change->ret_volume = w->volume;
	return r;
}

int writer_stage_change(struct store *s, struct undo_log *log, struct change *change,
	bool *ret_broken, struct err *err)
{
	struct writer *w = &s->w;
	struct pending_frame *f = w->building;
	const size_t objects = f->frame.object_count, keys = f->frame.key_count,
		     heads = f->head_count, deletes = f->frame.delete_count, mark = log->count;
	const uint64_t records = w->records, bytes = f->bytes;
	struct added *files = arena_zero(f->arena, change->record_count, sizeof(*files));
	struct saying saying = { .is_known = change->act != ACT_DESTROY };
	const char *number = NULL;
	size_t count = 0;
	int r = 0;

	if (saying.is_known)
		saying.facts = arena_zero(f->arena, change->record_count, sizeof(*saying.facts));
	for (size_t i = 0; i < change->record_count && r == 0; i++) {
		struct change_record *c = &change->records[i];
		bool skip = false;

		if (change->act == ACT_DESTROY)
			r = writer_stage_tombstone(s, log, c, &files[count], err);
		else
			r = writer_stage_record(s, log, c, &saying, &files[count], &skip, err);
		if (r < 0)
			change->ret_failed = i;
		if (r == 0 && !skip && count++ == 0)
			number = c->ret_number;
	}
	if (r < 0) {
		writer_undo_to(log, mark);
		f->frame.object_count = objects;
		f->frame.key_count = keys;
		f->frame.delete_count = deletes;
		f->head_count = heads;
		f->bytes = bytes;
		w->records = records;
		return r;
	}
	if (count == 0)
		return 0;
	r = commit_change(s, change, files, count, &saying, number, err);
	*ret_broken = r < 0;
	return r;
}

/* ---- volumes ---- */

int64_t writer_year_of(int64_t instant)
{
	return date_of_day(day_of(instant)).year;
}

static int add_page(struct writer *w, const char *name, const struct buf *text,
	struct digest *ret_sha256, struct err *err)
{
	struct added page;

	writer_add_clear(w, str_of(name), text, &page);
	if (ret_sha256)
		*ret_sha256 = page.sha256;
	return tree_cache_add_file(w->trees, page.path, &page.oid, err);
}

int writer_open_volume(struct store *s, int64_t time, struct err *err)
{
	static const struct oid none;
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct writer *w = &s->w;
	const struct signer_line line = { false, STR(ACCOUNT_SERVER), *signer_public(w->signer) };
	struct commit c = { .time = time,
		.action = id_random(),
		.act = ACT_OPEN,
		.account = STR(ACCOUNT_SERVER),
		.demonstration = s->demonstration,
		.last_volume = w->volume,
		.last = w->head,
		.signers = &line,
		.signer_count = 1 };
	int r = 0;

	if (w->volume) {
		r = read_checkpoint(s, w->signer, &text, err);
		if (r < 0)
			return r;
	}
	w->volume++;
	w->head = none;
	w->volume_year = writer_year_of(time);
	w->volume_bytes = 0;
	w->building->frame.volume = w->volume;
	tree_cache_reset(w->trees, &none);
	if (text.n)
		r = add_page(w, "CHECKPOINT", &text, &c.checkpoint, err);
	buf_reset(&text);
	buf_adds(&text, readme);
	if (r == 0)
		r = add_page(w, "README", &text, NULL, err);
	if (r < 0)
		return r;
	c.subject = writer_text(w, "volume %u open", w->volume);
	return writer_make_commit(s, &c, err);
}

bool writer_volume_is_over(struct store *s, int64_t time)
{
	return s->w.volume == 0 || writer_year_of(time) > s->w.volume_year ||
	       s->w.volume_bytes > s->options.volume_max_bytes;
}
