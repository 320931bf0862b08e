/* verbs_file.c - `file` and `revise`: one record, one action. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/catalogue.h"
#include "core/archive/draft.h"
#include "core/archive/reading.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"
#include "core/archive/show.h"
#include "core/archive/upload.h"

#include "core/base/text.h"
#include "core/base/tr.h"

/* ---- shared ---- */

/* A part out of a descriptor, or out of a finished upload, whose name it then has unless another is said. */
static int open_part(struct draft *d, struct verb_call *call, const struct json *part,
	struct source *ret, struct upload_facts *ret_facts, struct err *err)
{
	struct str text = { NULL, 0 };
	int64_t size = -1;
	struct id id;
	int fd, r;

	if ((r = json_may_text(part, "upload", &text, err)) < 0 ||
		(r = json_may_int(part, "size", 0, INT64_MAX, &size, err)) < 0)
		return r;
	if (!text.p) {
		r = args_fd(call, part, &fd, err);
		return r < 0 ? r
			     : source_open(d->archive, call, fd,
				       size < 0 ? UINT64_MAX : (uint64_t)size, ret, err);
	}
	r = id_parse(text, &id, err);
	return r < 0 ? r : upload_source(d->archive, call->account, &id, ret, ret_facts, err);
}

/* What became part of a record is not needed a second time; one that cannot be dropped ends by itself. */
static void drop_uploads(struct archive *a, struct verb_call *call, const struct json *parts)
{
	for (size_t i = 0; parts && i < json_list_count(parts); i++) {
		struct str text = { NULL, 0 };
		struct id id;

		if (json_may_text(json_list_at(parts, i), "upload", &text, NULL) == 0 && text.p &&
			id_parse(text, &id, NULL) == 0)
			(void)upload_drop(a, call->account, &id, NULL);
	}
}

static int read_parts(struct draft *d, struct intake *in, struct verb_call *call,
	const struct json *parts, struct err *err)
{
	for (size_t i = 0; parts && i < json_list_count(parts); i++) {
		const struct json *part = json_list_at(parts, i);
		struct str name = { NULL, 0 }, media = STR(""), note = STR("");
		struct upload_facts facts = { .name = BUF_INIT, .media = BUF_INIT };
		struct source source = { .fd = -1 };
		int r;

		if ((r = json_may_text(part, "name", &name, err)) < 0 ||
			(r = json_may_text(part, "media", &media, err)) < 0 ||
			(r = json_may_text(part, "note", &note, err)) < 0)
			return r;
		r = open_part(d, call, part, &source, &facts, err);
		if (r < 0 && name.p) {
			_cleanup_(buf_done) struct buf safe = BUF_INIT;

			text_add_safe(&safe, name);
			r = err_prefix(err, r, tr("part '%s'"), safe.p);
		}
		if (r == 0 && !name.p && facts.name.n == 0)
			r = json_need_text(part, "name", &name, err);
		if (r == 0)
			r = draft_part(d, in, call, &source, name.p ? name : buf_str(&facts.name),
				media.n ? media : buf_str(&facts.media), note, err);
		upload_facts_done(&facts);
		source_done(&source);
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_one(struct archive *a, struct verb_call *call, const struct deed *deed,
	enum commit_act act, struct draft *d, struct intake *in, struct err *err)
{
	struct change change = { .act = act,
		.action = deed->action,
		.account = call->account,
		.uid = call->uid,
		.time = deed->at,
		.record_count = 1 };
	int r = intake_finish(in, err);

	if (r == 0)
		r = draft_finish(d, err);
	if (r < 0)
		return r;
	change.records = &d->record;
	change.packs = in->packs;
	change.pack_count = in->pack_count;
	if (act == ACT_FILE)
		recorder_expect(a->recorder, &d->m, &d->key, d->record_key);
	r = store_write(a->store, &change, err);
	if (act == ACT_FILE && (r < 0 || d->record.ret_existing))
		recorder_expect_not(a->recorder, &d->m.record);
	if (r < 0)
		return r;
	say_bool(call->reply, "existing", d->record.ret_existing);
	say_cstr(call->reply, "number", d->record.ret_number);
	say_int(call->reply, "version", (int64_t)d->record.ret_version);
	if (!d->record.ret_existing) {
		say_oid(call->reply, "commit", &change.ret_commit);
		say_int(call->reply, "volume", change.ret_volume);
		say_id(call->reply, "record", &d->m.record);
	}
	return 0;
}

/* What a request key filed before: the record's id, which the change does not tell. */
static int say_existing(
	struct archive *a, struct verb_call *call, const struct id *request, struct err *err)
{
	struct id record;
	int r = store_find_request(a->store, request, &record, err);

	if (r == 0)
		say_id(call->reply, "record", &record);
	return r;
}

/* A request that was answered before needs no second reading of its files. 1: it was. */
static int answered_before(
	struct archive *a, struct verb_call *call, const struct change_record *c, struct err *err)
{
	struct record_head head;
	struct id record;
	int r;

	if (!c->has_request)
		return 0;
	r = store_find_request(a->store, &c->request, &record, NULL);
	if (r == -ERR_NOTFOUND)
		return 0;
	if (r == 0)
		r = store_find(a->store, &record, &head, err);
	if (r < 0)
		return err_prefix(err, r, tr("looking up a request key"));
	say_bool(call->reply, "existing", true);
	say_cstr(call->reply, "number", head.number);
	say_int(call->reply, "version", (int64_t)head.version);
	say_id(call->reply, "record", &record);
	record_head_done(&head);
	return 1;
}

/* ---- file ---- */

struct file_args {
	struct str series, department, title, number, request;
	const struct json *fields, *links, *parts;
	int64_t day;
	bool has_day;
};

static int file_args(struct verb_call *call, struct file_args *f, struct err *err)
{
	static const char *const names[] = { "series", "department", "title", "number", "date",
		"fields", "links", "parts", "reason", "request", NULL };
	const struct json *args = call->args;
	int r = args_only(call, names, err);

	*f = (struct file_args){ .day = 0 };
	if (r < 0 || (r = json_need_text(args, "series", &f->series, err)) < 0 ||
		(r = json_need_text(args, "title", &f->title, err)) < 0 ||
		(r = json_may_text(args, "department", &f->department, err)) < 0 ||
		(r = json_may_text(args, "number", &f->number, err)) < 0 ||
		(r = json_may_text(args, "request", &f->request, err)) < 0 ||
		(r = args_day(args, "date", &f->day, &f->has_day, err)) < 0 ||
		(r = args_map(args, "fields", &f->fields, err)) < 0 ||
		(r = args_maps(args, "links", &f->links, err)) < 0 ||
		(r = args_maps(args, "parts", &f->parts, err)) < 0)
		return r;
	return 0;
}

static int fill_new(struct draft *d, const struct file_args *f, struct err *err)
{
	int r;

	if ((r = draft_title(d, f->title, err)) < 0 ||
		(r = draft_department(d, f->department, err)) < 0 ||
		(r = draft_fields(d, f->fields, err)) < 0 ||
		(r = draft_links(d, f->links, err)) < 0 ||
		(r = draft_day(d, f->has_day, f->day, err)) < 0 ||
		(r = draft_number(d, f->number, err)) < 0)
		return r;
	if (f->request.n > 0 && (r = draft_request(d, "file", f->request, err)) < 0)
		return r;
	return draft_check(d, err);
}

static int file_new(struct archive *a, struct verb_call *call, const struct file_args *f,
	struct draft *d, const struct deed *deed, struct arena *arena, struct err *err)
{
	_cleanup_(intake_done) struct intake in;
	int r = fill_new(d, f, err);

	intake_init(&in, a, arena);
	if (r == 0)
		r = answered_before(a, call, &d->record, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = read_parts(d, &in, call, f->parts, err);
	if (r == 0)
		r = write_one(a, call, deed, ACT_FILE, d, &in, err);
	if (r == 0)
		drop_uploads(a, call, f->parts);
	if (r == 0 && d->record.ret_existing)
		r = say_existing(a, call, &d->record.request, err);
	return r;
}

int verb_file(struct archive *a, struct verb_call *call, struct err *err)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	struct catalogued found;
	struct file_args f;
	struct deed deed;
	struct draft d;
	int r = file_args(call, &f, err);

	if (r == 0)
		r = catalogue_find_for_filing(a->catalogue, f.series, &found, err);
	if (r == 0)
		r = deed_init(&deed, call, "file", err);
	if (r == 0)
		r = draft_new(&d, a, arena, &deed, found.series, err);
	if (r < 0)
		return r;
	r = file_new(a, call, &f, &d, &deed, arena, err);
	draft_done(&d);
	return r;
}

/* ---- revise ---- */

struct revise_args {
	struct str title, department, request;
	const struct json *fields, *links, *parts, *remove;
	int64_t base, day;
	bool has_day;
};

static int revise_args(struct verb_call *call, struct revise_args *v, struct err *err)
{
	static const char *const names[] = { "number", "record", "base", "title", "department",
		"date", "fields", "links", "parts", "remove", "reason", "request", NULL };
	const struct json *args = call->args;
	int r = args_only(call, names, err);

	*v = (struct revise_args){ .day = 0 };
	if (r < 0 || (r = json_need_int(args, "base", 1, INT64_MAX, &v->base, err)) < 0 ||
		(r = json_may_text(args, "title", &v->title, err)) < 0 ||
		(r = json_may_text(args, "department", &v->department, err)) < 0 ||
		(r = json_may_text(args, "request", &v->request, err)) < 0 ||
		(r = args_day(args, "date", &v->day, &v->has_day, err)) < 0 ||
		(r = args_map(args, "fields", &v->fields, err)) < 0 ||
		(r = args_maps(args, "links", &v->links, err)) < 0 ||
		(r = args_maps(args, "parts", &v->parts, err)) < 0 ||
		(r = args_list(args, "remove", &v->remove, err)) < 0)
		return r;
	return 0;
}

static int fill_next(struct draft *d, const struct revise_args *v, struct err *err)
{
	int r;

	if ((v->title.p && (r = draft_title(d, v->title, err)) < 0) ||
		(v->department.p && (r = draft_department(d, v->department, err)) < 0) ||
		(r = draft_fields(d, v->fields, err)) < 0 ||
		(r = draft_links(d, v->links, err)) < 0)
		return r;
	/* The date follows its field, unless it is given; a record without such a field keeps its own. */
	if ((v->has_day || d->series->date_field) &&
		(r = draft_day(d, v->has_day, v->has_day ? v->day : d->m.day, err)) < 0)
		return r;
	if (v->request.n > 0 && (r = draft_request(d, "revise", v->request, err)) < 0)
		return r;
	return draft_check(d, err);
}

static int revise_parts(struct draft *d, struct intake *in, struct verb_call *call,
	const struct revise_args *v, struct err *err)
{
	for (size_t i = 0; v->remove && i < json_list_count(v->remove); i++) {
		int r = draft_remove_part(d, json_text(json_list_at(v->remove, i)), err);

		if (r < 0)
			return r;
	}
	return read_parts(d, in, call, v->parts, err);
}

/* A version that says what the one before said would only be noise in the history. Another definition is a change:
 * the record then follows the form that is in force. */
static int check_change(const struct draft *d, const struct edition *base, struct err *err)
{
	const struct manifest_change *changes;
	struct manifest next = d->m;
	size_t count;

	next.fields = d->fields;
	next.field_count = d->field_count;
	next.parts = d->parts;
	next.part_count = d->part_count;
	manifest_diff(base->manifest, &next, d->arena, &changes, &count);
	if (count > 0)
		return 0;
	return err_set(err, ERR_INVALID,
		tr("nothing would change: version %llu of record '%.*s' says all of that already"),
		(unsigned long long)base->version, STR_ARG(base->manifest->number));
}

/* Both versions go out beside the error: what the reviser saw, and what stands now. */
static int say_conflict(
	struct archive *a, struct verb_call *call, const struct id *record, uint64_t base)
{
	struct record_head head;
	struct edition e;

	buf_reset(call->reply);
	if (store_find(a->store, record, &head, NULL) < 0)
		return 0;
	if (base <= head.version && edition_open(a, &head, base, &e, NULL) == 0) {
		(void)show_edition_as(a, "base", &head, &e, call->reply, NULL);
		edition_done(&e);
	}
	if (edition_open(a, &head, 0, &e, NULL) == 0) {
		(void)show_edition_as(a, "head", &head, &e, call->reply, NULL);
		edition_done(&e);
	}
	record_head_done(&head);
	return 0;
}

static int revise_draft(struct archive *a, struct verb_call *call, const struct revise_args *v,
	const struct edition *base, struct draft *d, const struct deed *deed, struct arena *arena,
	struct err *err)
{
	_cleanup_(intake_done) struct intake in;
	int r = fill_next(d, v, err);

	intake_init(&in, a, arena);
	if (r == 0)
		r = revise_parts(d, &in, call, v, err);
	if (r == 0)
		r = check_change(d, base, err);
	if (r == 0)
		r = write_one(a, call, deed, ACT_REVISE, d, &in, err);
	if (r == 0)
		drop_uploads(a, call, v->parts);
	if (r == 0 && d->record.ret_existing)
		r = say_existing(a, call, &d->record.request, err);
	return r;
}

static int revise_base(struct archive *a, struct verb_call *call, const struct revise_args *v,
	const struct edition *base, struct err *err)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	struct catalogued found;
	struct deed deed;
	struct draft d;
	int r = catalogue_find_for_filing(a->catalogue, base->manifest->series, &found, err);

	if (r == 0)
		r = deed_init(&deed, call, "revise", err);
	if (r == 0)
		r = draft_next(&d, a, arena, &deed, found.series, base, err);
	if (r < 0)
		return r;
	r = revise_draft(a, call, v, base, &d, &deed, arena, err);
	draft_done(&d);
	return r;
}

static int check_base(const struct record_head *head, int64_t base, struct err *err)
{
	if ((uint64_t)base == head->version)
		return 0;
	if ((uint64_t)base > head->version)
		return err_set(err, ERR_NOTFOUND,
			tr("record '%s' has no version %lld; its newest is %llu"), head->number,
			(long long)base, (unsigned long long)head->version);
	return err_set(err, ERR_CONFLICT,
		tr("record '%s' has version %llu by now; you changed version %llu: look at both "
		   "and decide"),
		head->number, (unsigned long long)head->version, (unsigned long long)base);
}

/* Asked again with the same key after it was done: the base is no longer the newest, and that is how it should be. */
static int revised_before(
	struct archive *a, struct verb_call *call, const struct revise_args *v, struct err *err)
{
	struct draft d = { .archive = a };
	int r;

	if (v->request.n == 0)
		return 0;
	r = draft_request(&d, "revise", v->request, err);
	return r < 0 ? r : answered_before(a, call, &d.record, err);
}

int verb_revise(struct archive *a, struct verb_call *call, struct err *err)
{
	struct revise_args v;
	struct record_head head;
	struct edition base;
	struct id record;
	int r = revise_args(call, &v, err);

	if (r == 0)
		r = revised_before(a, call, &v, err);
	if (r == 0)
		r = reading_find(a, call->args, &head, err);
	else
		return r < 0 ? r : 0;
	if (r < 0)
		return r;
	record = head.record;
	r = check_base(&head, v.base, err);
	if (r == 0)
		r = edition_open(a, &head, head.version, &base, err);
	record_head_done(&head);
	if (r == 0) {
		r = revise_base(a, call, &v, &base, err);
		edition_done(&base);
	}
	if (r == -ERR_CONFLICT)
		(void)say_conflict(a, call, &record, (uint64_t)v.base);
	return r;
}
