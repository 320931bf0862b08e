/* verbs_verify.c - `verify`: what store/verify.h finds, and, with keys, whether the registry and the index
 * say what the store says.
 *
 * A registry whose clear columns were changed would give wrong lists, one whose rows were exchanged wrong
 * titles; so each row is compared with the newest manifest of its record, and no record may lack its row.
 * What is found here is not lost: it is derived, and `reindex` makes it again. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/document.h"
#include "core/archive/indexer.h"
#include "core/archive/reading.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"

#include "core/base/clock.h"
#include "core/base/tr.h"
#include "store/verify.h"

#include <stdio.h>
#include <stdlib.h>

enum { FINDINGS_MAX = 1000, PAGE = 500, CATCH_UP_MS = 60000, LOOKS = 3 };

struct check {
	struct archive *archive;
	struct verb_call *call;
	int64_t begun;
	uint64_t findings; /* all; the reply holds the first FINDINGS_MAX */
	bool full;
	/* The registry's rows, page by page. */
	uint64_t next_sequence, rows, words, bound;
	struct buf suspects; /* struct id */
	struct registry_key last;
	size_t on_page;
};

static void say_finding(struct check *c, const char *kind, const char *where, const char *text)
{
	struct buf *b = c->call->reply;

	if (c->findings++ >= FINDINGS_MAX)
		return;
	say_map(b, NULL);
	say_cstr(b, "kind", kind);
	say_cstr(b, "where", where);
	say_cstr(b, "text", text);
	say_end_map(b);
}

static void found(void *context, const struct verify_finding *f)
{
	say_finding(context, verify_fault_name(f->fault), f->where ? f->where : "", f->text);
}

static int tell(struct check *c, const char *stage, const char *unit, uint64_t done, uint64_t total,
	struct err *err)
{
	uint64_t ms = (uint64_t)((clock_ticks() - c->begun) / 1000000) + 1;
	struct verb_progress p = { .stage = stage, .unit = unit, .done = done, .total = total };

	p.rate = done * 1000 / ms;
	p.eta = p.rate && total > done ? (total - done) / p.rate : 0;
	return verb_tell_of(c->call, &p, err);
}

static int progress(void *context, uint64_t done, uint64_t total)
{
	return tell(context, "verify", "objects", done, total, NULL) < 0 ? 1 : 0;
}

/* ---- the registry against the store ---- */

static void wrong_row(struct check *c, struct str number, const char *text)
{
	_cleanup_(freep) char *where = str_dup(number);

	say_finding(c, "registry", where, text);
}

static bool row_fits(const struct registry_row *row, const struct record_head *head,
	const struct edition *e, const struct row_text *text)
{
	const struct manifest *m = e->manifest;

	return str_eq(row->series, m->series) && str_eq(row->department, m->department) &&
	       str_is(row->type, row_type(m)) && row->day == m->day &&
	       row->version == head->version && str_eq(text->title, m->title) &&
	       str_eq(text->account, m->action.account) && text->part_count == m->part_count;
}

/* What is wrong with a row, or NULL. */
static const char *row_problem(
	struct archive *a, const struct registry_row *row, bool *ret_by_words)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	_cleanup_(record_head_done) struct record_head head = { .number = NULL };
	struct row_text text;
	struct edition e;
	bool fits;

	*ret_by_words = false;
	if (store_find(a->store, &row->record, &head, NULL) < 0)
		return tr("the registry has a row of a record that does not exist");
	if (head.sequence != row->sequence || !str_is(row->number, head.number) ||
		head.destroyed != row->destroyed)
		return tr("the registry's row does not fit the record");
	if (row->destroyed)
		return NULL;
	if (reading_row(a, row, &doc, &text, NULL) < 0)
		return tr("the registry's row cannot be opened");
	/* What is wrong with the record itself the store's own check has said. */
	if (edition_open(a, &head, 0, &e, NULL) < 0)
		return NULL;
	fits = row_fits(row, &head, &e, &text);
	*ret_by_words = document_is_found_by_words(e.manifest->series);
	edition_done(&e);
	return fits ? NULL : tr("the registry's row does not fit the record");
}

/* Records that are filed while this runs are not looked at. One that does not fit its row may have been revised
 * just now: it gets a second look. */
static int take_row(void *context, const struct registry_row *row, struct err *err)
{
	struct check *c = context;
	bool by_words;

	c->last = (struct registry_key){ .sequence = row->sequence, .record = row->record };
	c->on_page++;
	if (row->sequence >= c->bound)
		return 0;
	if (row->sequence != c->next_sequence)
		wrong_row(c, row->number,
			tr("the registry lacks a row before this one, or has one twice"));
	c->next_sequence = row->sequence + 1;
	c->rows++;
	if (row_problem(c->archive, row, &by_words) && c->suspects.n / ID_BYTES < FINDINGS_MAX)
		buf_add(&c->suspects, row->record.b, ID_BYTES);
	c->words += by_words;
	return buf_check(&c->suspects, err);
}

static int check_rows(struct check *c, struct err *err)
{
	_cleanup_(pool_give) struct pooled registry = { 0 };
	struct registry_filter filter = { .with_destroyed = true };
	int r = pool_take(c->archive->registries, &registry, err);

	do {
		c->on_page = 0;
		if (r == 0)
			r = registry_list(registry.item, &filter, REGISTRY_BY_SEQUENCE,
				c->rows ? &c->last : NULL, PAGE, take_row, c, err);
		if (r == 0)
			r = tell(c, "registry", "records", c->rows, c->bound, err);
	} while (r == 0 && c->on_page == PAGE && c->last.sequence < c->bound);
	return r;
}

struct second_look {
	struct archive *archive;
	const char *problem;
	char *number;
};

static int look_again(void *context, const struct registry_row *row, struct err *err)
{
	struct second_look *l = context;
	bool by_words;

	(void)err;
	l->problem = row_problem(l->archive, row, &by_words);
	free(l->number);
	l->number = str_dup(row->number);
	return 1;
}

static void look_twice(struct check *c, const struct id *record)
{
	struct second_look l = { .archive = c->archive };

	for (int i = 0; i < LOOKS; i++) {
		_cleanup_(pool_give) struct pooled registry = { 0 };

		if (c->archive->recorder)
			(void)recorder_catch_up(c->archive, CATCH_UP_MS);
		l.problem = tr("the registry lost a row while it was looked at");
		if (pool_take(c->archive->registries, &registry, NULL) == 0)
			(void)registry_get(registry.item, record, look_again, &l, NULL);
		if (!l.problem)
			break;
	}
	if (l.problem)
		say_finding(c, "registry", l.number ? l.number : "", l.problem);
	free(l.number);
}

static void check_count(
	struct check *c, const char *kind, uint64_t there, uint64_t wanted, const char *text)
{
	char where[48];

	if (there == wanted)
		return;
	(void)snprintf(where, sizeof(where), "%llu / %llu", (unsigned long long)there,
		(unsigned long long)wanted);
	say_finding(c, kind, where, text);
}

/* Derived data that follow behind are not wrong: they are waited for first. */
static int check_derived(struct check *c, struct err *err)
{
	struct archive *a = c->archive;
	struct store_counts before, after;
	struct indexer_state state;
	int r;

	store_count(a->store, &before);
	c->bound = before.records;
	if (a->recorder && !recorder_catch_up(a, CATCH_UP_MS))
		say_finding(c, "registry", "",
			tr("the registry does not follow: see 'muniment status'"));
	if (a->indexer)
		(void)indexer_catch_up(a, CATCH_UP_MS, NULL);
	r = check_rows(c, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->suspects.n / ID_BYTES; i++) {
		struct id record;

		memcpy(record.b, c->suspects.p + i * ID_BYTES, ID_BYTES);
		look_twice(c, &record);
	}
	check_count(c, "registry", c->rows, c->bound,
		tr("the registry has another number of rows than there are records"));
	if (!a->indexer)
		return 0;
	indexer_look(a->indexer, &state);
	store_count(a->store, &after);
	/* Documents can be counted only while nobody adds some. */
	if (after.actions == before.actions && state.unreadable == 0 &&
		state.position >= after.actions)
		check_count(c, "index", state.documents, c->words,
			tr("the index has another number of documents than there are records"));
	return 0;
}

/* ---- the verb ---- */

static int read_level(struct check *c, struct err *err)
{
	struct str level = c->call->has_keys ? STR("full") : STR("sealed");
	int r = json_may_text(c->call->args, "level", &level, err);

	if (r < 0)
		return r;
	c->full = str_is(level, "full");
	if (!c->full && !str_is(level, "sealed"))
		return err_set(err, ERR_INVALID, tr("a level is one of: %s"), "sealed full");
	return 0;
}

/* Of its two signatures, the one by the checkpoint key can be checked only with keys, for that one is under seal. */
static int read_checkpoint(struct check *c, struct checkpoint *ret, void **ret_memory,
	bool *ret_given, struct err *err)
{
	_cleanup_(secret_freep) struct secret *seed = NULL;
	_cleanup_(signer_freep) struct signer *signer = NULL;
	struct str text = { NULL, 0 };
	int r = json_may_text(c->call->args, "checkpoint", &text, err);

	*ret_given = text.p != NULL;
	if (r < 0 || !text.p)
		return r;
	if (c->full) {
		r = keys_purpose(store_keys(c->archive->store), "checkpoint", &seed, err);
		if (r < 0)
			return r;
		signer = signer_new(seed);
	}
	return checkpoint_parse(text, signer ? signer_public(signer) : NULL, ret, ret_memory, err);
}

static void say_result(struct check *c, const struct verify_result *result)
{
	_cleanup_(buf_done) struct buf fingerprint = BUF_INIT;
	struct buf *b = c->call->reply;

	public_key_fingerprint(&result->anchor, &fingerprint);
	say_cstr(b, "level", c->full ? "full" : "sealed");
	say_bool(b, "good", c->findings == 0);
	say_int(b, "found", (int64_t)c->findings);
	say_int(b, "volumes", result->volumes);
	say_int(b, "commits", (int64_t)result->commits);
	say_int(b, "slips", (int64_t)result->slips);
	say_int(b, "tombstones", (int64_t)result->tombstones);
	say_int(b, "envelopes", (int64_t)result->envelopes);
	say_int(b, "bytes", (int64_t)result->bytes);
	say_int(b, "keys", (int64_t)result->keys);
	say_int(b, "records", (int64_t)result->records);
	say_list(b, "fingerprints");
	say_item(b, buf_str(&fingerprint));
	say_end_list(b);
	say_int(b, "seconds", (clock_ticks() - c->begun) / 1000000000);
}

static int run(struct check *c, const struct checkpoint *checkpoint, struct err *err)
{
	struct verify_options options = { .content = true,
		.open = c->full,
		.checkpoint = checkpoint,
		.found = found,
		.progress = progress,
		.context = c };
	struct verify_result result = { .commits = 0 };
	int r;

	say_list(c->call->reply, "findings");
	r = store_verify(c->archive->store, &options, &result, err);
	if (r == 0 && c->full)
		r = check_derived(c, err);
	say_end_list(c->call->reply);
	if (r == 0)
		say_result(c, &result);
	return r;
}

int verb_verify(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "level", "checkpoint", NULL };
	struct check c = {
		.archive = a, .call = call, .begun = clock_ticks(), .suspects = BUF_INIT
	};
	_cleanup_(freep) void *memory = NULL;
	struct checkpoint checkpoint;
	bool given;
	int r = args_only(call, names, err);

	if (r == 0)
		r = read_level(&c, err);
	if (r == 0)
		r = read_checkpoint(&c, &checkpoint, &memory, &given, err);
	if (r == 0)
		r = run(&c, given ? &checkpoint : NULL, err);
	buf_done(&c.suspects);
	return r;
}
