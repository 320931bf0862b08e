/* verbs_batch.c - `file.batch`: many documents, one action. How imports file.
 *
 * Each document is a record of its own. Its request key is made from series and content (and name, where
 * copies are allowed), so that an import that was interrupted, or is done twice, or by two people, files
 * each content once. The action is written whole or not at all; a document that the store refuses (its
 * number is taken, say) is taken out and the rest is tried again.
 *
 * Memory: one document's chunk of plaintext at a time, and at most PARTS_INLINE_TOTAL of ciphertext; the
 * rest is in the incoming pack. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/catalogue.h"
#include "core/archive/draft.h"
#include "core/archive/indexer.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <sodium.h>
#include <stdlib.h>

enum outcome { OUTCOME_FILED, OUTCOME_EXISTING, OUTCOME_REFUSED };

struct document {
	const struct json *args;
	enum outcome outcome;
	struct draft draft;
	bool has_draft;
	struct id record;
	char *number; /* of one that was filed, or is there already */
	struct err err;
};

struct batch {
	struct archive *archive;
	struct verb_call *call;
	struct arena *arena;
	struct deed deed;
	const struct series *series;
	struct buf department; /* settled once: what is wrong with it is wrong with the request */
	int64_t day;
	bool has_day, allow_copies;
	struct document *documents;
	size_t count;
	struct intake intake;
	struct oid commit;
	bool wrote;
};

/* ---- the request ---- */

static int batch_args(struct batch *b, const struct json **ret_documents, struct err *err)
{
	static const char *const names[] = { "series", "department", "date", "reason",
		"allow_copies", "documents", NULL };
	struct str series = STR(SERIES_EXTERNAL), department = { NULL, 0 };
	const struct json *args = b->call->args;
	struct catalogued found;
	int r = args_only(b->call, names, err);

	if (r < 0 || (r = json_may_text(args, "series", &series, err)) < 0 ||
		(r = json_may_text(args, "department", &department, err)) < 0 ||
		(r = args_day(args, "date", &b->day, &b->has_day, err)) < 0 ||
		(r = args_bool(args, "allow_copies", &b->allow_copies, err)) < 0 ||
		(r = args_maps(args, "documents", ret_documents, err)) < 0)
		return r;
	if (!*ret_documents || json_list_count(*ret_documents) == 0 ||
		json_list_count(*ret_documents) > VERB_MAX_FDS)
		return err_set(err, ERR_INVALID, tr("a batch has 1 to %d documents"), VERB_MAX_FDS);
	r = catalogue_find_for_filing(b->archive->catalogue, series, &found, err);
	if (r < 0)
		return r;
	b->series = found.series;
	return draft_find_department(b->archive, b->series, department, &b->department, err);
}

/* ---- one document ---- */

/* The title that a file's name gives: without its extension, and with what cannot be shown taken out. */
static int title_of_name(struct draft *d, struct str name, struct err *err)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT_MAX(4096);
	struct str title;
	int r = text_add_file_name(&safe, name, err);
	const char *dot;

	if (r < 0)
		return r;
	title = buf_str(&safe);
	dot = memrchr(title.p, '.', title.n);
	if (dot && dot != title.p && title.n - (size_t)(dot - title.p) <= 6)
		title.n = (size_t)(dot - title.p);
	return draft_title(d, title, err);
}

static int request_of(struct batch *b, struct draft *d, const struct digest *content,
	struct str name, struct err *err)
{
	_cleanup_(buf_done) struct buf key = BUF_INIT_MAX(4096);

	buf_adds(&key, b->series->code);
	buf_addc(&key, 0);
	buf_add(&key, content->b, sizeof(content->b));
	if (b->allow_copies)
		buf_add_str(&key, name);
	return draft_request(d, "content", buf_str(&key), err);
}

static int fill(struct batch *b, struct document *doc, struct str name, struct err *err)
{
	struct draft *d = &doc->draft;
	struct str title = { NULL, 0 }, number = { NULL, 0 };
	const struct json *fields;
	int64_t day = b->day;
	bool has_day;
	int r;

	if ((r = json_may_text(doc->args, "title", &title, err)) < 0 ||
		(r = json_may_text(doc->args, "number", &number, err)) < 0 ||
		(r = args_day(doc->args, "date", &day, &has_day, err)) < 0 ||
		(r = args_map(doc->args, "fields", &fields, err)) < 0)
		return r;
	r = title.p ? draft_title(d, title, err) : title_of_name(d, name, err);
	if (r < 0 || (r = draft_department(d, buf_str(&b->department), err)) < 0 ||
		(r = draft_fields(d, fields, err)) < 0 ||
		(r = draft_day(d, has_day || b->has_day, day, err)) < 0 ||
		(r = draft_number(d, number, err)) < 0)
		return r;
	return draft_check(d, err);
}

/* 1: it is there already. */
static int is_there(struct batch *b, struct document *doc, struct err *err)
{
	struct record_head head;
	struct id record;
	int r = store_find_request(b->archive->store, &doc->draft.record.request, &record, NULL);

	if (r == -ERR_NOTFOUND)
		return 0;
	if (r == 0)
		r = store_find(b->archive->store, &record, &head, err);
	if (r < 0)
		return err_prefix(err, r, tr("looking up a request key"));
	doc->outcome = OUTCOME_EXISTING;
	doc->record = record;
	doc->number = xstrdup(head.number);
	record_head_done(&head);
	return 1;
}

static int prepare_source(struct batch *b, struct document *doc, struct source *source,
	struct str name, struct err *err)
{
	struct draft *d = &doc->draft;
	struct str note = STR(""), media = STR("");
	struct digest content;
	int r;

	if ((r = json_may_text(doc->args, "note", &note, err)) < 0 ||
		(r = json_may_text(doc->args, "media", &media, err)) < 0 ||
		(r = source_hash(b->call, source, &content, err)) < 0 ||
		(r = request_of(b, d, &content, name, err)) < 0)
		return r;
	r = is_there(b, doc, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = fill(b, doc, name, err);
	if (r == 0)
		r = draft_part(d, &b->intake, b->call, source, name, media, note, err);
	if (r < 0)
		return r;
	/* Between the two readings somebody may have written to the file. */
	if (!digest_equal(&content, &d->parts[0].sha256))
		return err_set(err, ERR_INVALID, tr("the file changed while it was read"));
	return draft_finish(d, err);
}

static int prepare(struct batch *b, struct document *doc, struct err *err)
{
	struct source source = { .fd = -1 };
	struct str name;
	int64_t size = -1;
	int fd, r;

	if ((r = json_need_text(doc->args, "name", &name, err)) < 0 ||
		(r = json_may_int(doc->args, "size", 0, INT64_MAX, &size, err)) < 0 ||
		(r = args_fd(b->call, doc->args, &fd, err)) < 0 ||
		(r = draft_new(&doc->draft, b->archive, b->arena, &b->deed, b->series, err)) < 0)
		return r;
	doc->has_draft = true;
	r = source_open(b->archive, b->call, fd, UINT64_MAX, &source, err);
	if (r == 0)
		r = prepare_source(b, doc, &source, name, err);
	source_done(&source);
	return r;
}

/* What is wrong with one document must not stop the others; what is wrong with the archive or the wish to stop must. */
static bool is_of_document(int r)
{
	switch (-r) {
	case ERR_INVALID:
	case ERR_LIMIT:
	case ERR_EXISTS:
	case ERR_CONFLICT:
	case ERR_NOTFOUND:
	case ERR_DESTROYED:
	case ERR_UNSUPPORTED:
		return true;
	default:
		return false;
	}
}

static int prepare_all(struct batch *b, struct err *err)
{
	for (size_t i = 0; i < b->count; i++) {
		struct document *doc = &b->documents[i];
		struct verb_progress p = {
			.stage = "seal", .unit = "documents", .done = i, .total = b->count
		};
		int r = verb_tell_of(b->call, &p, err);

		if (r < 0)
			return r;
		r = prepare(b, doc, &doc->err);
		if (r < 0 && is_of_document(r)) {
			doc->outcome = OUTCOME_REFUSED;
		} else if (r < 0) {
			if (err)
				*err = doc->err;
			return r;
		}
	}
	return intake_finish(&b->intake, err);
}

/* ---- writing ---- */

static size_t gather(struct batch *b, struct change_record *records, size_t *which)
{
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (b->documents[i].outcome != OUTCOME_FILED)
			continue;
		which[n] = i;
		records[n++] = b->documents[i].draft.record;
	}
	return n;
}

/* The recorder is told what is coming before it can come; and of what did not come. */
static void expect(struct batch *b, const size_t *which, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		const struct draft *d = &b->documents[which[k]].draft;

		recorder_expect(b->archive->recorder, &d->m, &d->key, d->record_key);
	}
}

static void expect_not(struct batch *b, const struct change_record *records, const size_t *which,
	size_t n, bool all)
{
	for (size_t k = 0; k < n; k++) {
		if (all || records[k].ret_existing)
			recorder_expect_not(
				b->archive->recorder, &b->documents[which[k]].draft.m.record);
	}
}

static void take_answers(
	struct batch *b, const struct change_record *records, const size_t *which, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct document *doc = &b->documents[which[k]];

		doc->outcome = records[k].ret_existing ? OUTCOME_EXISTING : OUTCOME_FILED;
		doc->number = records[k].ret_number;
		if (doc->outcome == OUTCOME_FILED)
			doc->record = doc->draft.m.record;
		else
			(void)store_find_request(
				b->archive->store, &doc->draft.record.request, &doc->record, NULL);
	}
}

static int write_all(struct batch *b, struct err *err)
{
	_cleanup_(freep) struct change_record *records = xcalloc(b->count, sizeof(*records));
	_cleanup_(freep) size_t *which = xcalloc(b->count, sizeof(*which));

	for (;;) {
		size_t n = gather(b, records, which);
		struct change change = { .act = ACT_FILE,
			.action = b->deed.action,
			.account = b->call->account,
			.uid = b->call->uid,
			.time = b->deed.at,
			.records = records,
			.record_count = n,
			.packs = b->intake.packs,
			.pack_count = b->intake.pack_count };
		struct err inner = ERR_INIT;
		int r;

		if (n == 0)
			return 0;
		expect(b, which, n);
		r = store_write(b->archive->store, &change, &inner);
		expect_not(b, records, which, n, r < 0);
		if (r == 0) {
			take_answers(b, records, which, n);
			b->commit = change.ret_commit;
			b->wrote = true;
			return 0;
		}
		for (size_t k = 0; k < n; k++)
			free(records[k].ret_number);
		if (!is_of_document(r) || change.ret_failed >= n) {
			if (err)
				*err = inner;
			return r;
		}
		b->documents[which[change.ret_failed]].outcome = OUTCOME_REFUSED;
		b->documents[which[change.ret_failed]].err = inner;
	}
}

/* ---- the answer ---- */

static void say_document(const struct document *doc, struct buf *b)
{
	static const char *const words[] = { "filed", "existing", "refused" };

	say_map(b, NULL);
	say_cstr(b, "outcome", words[doc->outcome]);
	if (doc->outcome == OUTCOME_REFUSED) {
		say_cstr(b, "code", err_word(doc->err.code));
		say_cstr(b, "text", doc->err.text);
	} else {
		say_cstr(b, "number", doc->number);
		say_id(b, "record", &doc->record);
	}
	say_end_map(b);
}

static void say_batch(const struct batch *b, struct buf *reply)
{
	int64_t counts[3] = { 0, 0, 0 };

	for (size_t i = 0; i < b->count; i++)
		counts[b->documents[i].outcome]++;
	say_int(reply, "filed", counts[OUTCOME_FILED]);
	say_int(reply, "existing", counts[OUTCOME_EXISTING]);
	say_int(reply, "refused", counts[OUTCOME_REFUSED]);
	if (counts[OUTCOME_FILED] > 0)
		say_oid(reply, "commit", &b->commit);
	say_list(reply, "results");
	for (size_t i = 0; i < b->count; i++)
		say_document(&b->documents[i], reply);
	say_end_list(reply);
}

static int run(struct batch *b, struct err *err)
{
	const struct json *documents = NULL;
	int r = batch_args(b, &documents, err);

	if (r == 0)
		r = deed_init(&b->deed, b->call, "file", err);
	if (r < 0)
		return r;
	b->count = json_list_count(documents);
	b->documents = xcalloc(b->count, sizeof(*b->documents));
	for (size_t i = 0; i < b->count; i++)
		b->documents[i].args = json_list_at(documents, i);
	/* An import that runs ahead of the index would make searches blind for long, and fill the queue. */
	r = !b->archive->indexer
		    ? 0
		    : indexer_hold_back(b->archive->indexer,
			      (uint64_t)settings_int(b->archive->settings, SETTING_IMPORT_MAX_LAG),
			      b->call, err);
	if (r == 0)
		r = prepare_all(b, err);
	if (r == 0)
		r = write_all(b, err);
	if (r == 0)
		say_batch(b, b->call->reply);
	return r;
}

int verb_file_batch(struct archive *a, struct verb_call *call, struct err *err)
{
	struct batch b = {
		.archive = a, .call = call, .department = BUF_INIT, .arena = arena_new(0)
	};
	int r;

	intake_init(&b.intake, a, b.arena);
	r = run(&b, err);
	for (size_t i = 0; i < b.count; i++) {
		if (b.documents[i].has_draft)
			draft_done(&b.documents[i].draft);
		free(b.documents[i].number);
	}
	free(b.documents);
	buf_done(&b.department);
	intake_done(&b.intake);
	arena_free(b.arena);
	return r;
}
