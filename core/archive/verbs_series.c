/* verbs_series.c - series: listed, shown, and new definitions put in force. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/catalogue.h"
#include "core/archive/draft.h"
#include "core/archive/people.h"
#include "core/archive/reading.h"
#include "core/archive/say.h"

#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/retention.h"

#include <stdio.h>

enum { DEFINITION_MAX_BYTES = 256 << 10 };

/* ---- list ---- */

static void say_series(
	struct archive *a, const struct catalogued *c, struct registry *registry, struct buf *b)
{
	const struct series *s = c->series;
	struct registry_filter filter = { .series = str_of(s->code) };
	uint64_t count;

	(void)a;
	say_map(b, NULL);
	say_cstr(b, "code", s->code);
	say_cstr(b, "title", label_text(&s->title));
	say_cstr(b, "number", s->number_text);
	if (!s->any_department) {
		say_list(b, "departments");
		for (size_t i = 0; i < s->department_count; i++)
			say_item(b, str_of(s->departments[i].name));
		say_end_list(b);
	}
	say_cstr(b, "sensitivity", sensitivity_word(s->sensitivity));
	say_int(b, "version", (int64_t)c->version);
	if (registry && registry_count(registry, &filter, &count, NULL) == 0)
		say_int(b, "records", (int64_t)count);
	say_end_map(b);
}

int verb_series_list(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	_cleanup_(pool_give) struct pooled registry = { 0 };
	_cleanup_(freep) struct catalogued *list = NULL;
	size_t count;
	int r = args_only(call, names, err);

	if (r < 0)
		return r;
	(void)pool_take(a->registries, &registry, NULL);
	catalogue_list(a->catalogue, &list, &count);
	say_list(call->reply, "series");
	for (size_t i = 0; i < count; i++)
		say_series(a, &list[i], registry.item, call->reply);
	say_end_list(call->reply);
	return 0;
}

/* ---- show ---- */

static void say_label(struct buf *b, const char *name, const struct label *label)
{
	say_map(b, name);
	say_cstr(b, "zh", label->zh);
	say_cstr(b, "en", label->en);
	say_end_map(b);
}

static void say_columns(const struct series_field *f, struct buf *b)
{
	say_list(b, "columns");
	for (size_t i = 0; i < f->column_count; i++) {
		say_map(b, NULL);
		say_cstr(b, "name", f->columns[i].name);
		say_cstr(b, "label", label_text(&f->columns[i].label));
		say_cstr(b, "type", field_type_word(f->columns[i].type));
		say_bool(b, "required", f->columns[i].required);
		say_end_map(b);
	}
	say_end_list(b);
}

static void say_field(const struct series_field *f, struct buf *b)
{
	say_map(b, NULL);
	say_cstr(b, "name", f->name);
	say_cstr(b, "label", label_text(&f->label));
	say_cstr(b, "type", field_type_word(f->type));
	say_bool(b, "required", f->required);
	say_bool(b, "sensitive", f->sensitive);
	say_bool(b, "several", f->several);
	if (f->choice_count > 0) {
		say_list(b, "choices");
		for (size_t i = 0; i < f->choice_count; i++) {
			say_map(b, NULL);
			say_cstr(b, "name", f->choices[i].name);
			say_cstr(b, "label", label_text(&f->choices[i].label));
			say_end_map(b);
		}
		say_end_list(b);
	}
	if (f->when) {
		say_map(b, "required_when");
		say_cstr(b, "field", f->when);
		say_list(b, "values");
		for (size_t i = 0; i < f->when_count; i++)
			say_item(b, str_of(f->when_values[i]));
		say_end_list(b);
		say_end_map(b);
	}
	if (f->column_count > 0)
		say_columns(f, b);
	say_end_map(b);
}

static void say_definition(const struct series *s, struct buf *b)
{
	say_cstr(b, "code", s->code);
	say_label(b, "title", &s->title);
	say_cstr(b, "number", s->number_text);
	if (s->given_text[0])
		say_cstr(b, "given", s->given_text);
	if (s->date_field)
		say_cstr(b, "date_field", s->date_field->name);
	if (!s->any_department) {
		say_list(b, "departments");
		for (size_t i = 0; i < s->department_count; i++) {
			say_map(b, NULL);
			say_cstr(b, "name", s->departments[i].name);
			say_cstr(b, "code", s->departments[i].code);
			say_end_map(b);
		}
		say_end_list(b);
	}
	say_list(b, "retention");
	for (size_t i = 0; i < s->retention_count; i++) {
		const struct retention_class *class = retention_find(str_of(s->retention[i]));

		say_map(b, NULL);
		say_cstr(b, "code", s->retention[i]);
		if (class)
			say_cstr(b, "title", tr_pick(class->zh, class->en));
		say_end_map(b);
	}
	say_end_list(b);
	say_cstr(b, "sensitivity", sensitivity_word(s->sensitivity));
	say_list(b, "fields");
	for (size_t i = 0; i < s->field_count; i++)
		say_field(&s->fields[i], b);
	say_end_list(b);
	say_text(b, "text", (struct str){ s->text, s->text_bytes });
	say_hex(b, "definition", s->sha256.b, sizeof(s->sha256.b));
}

int verb_series_show(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "series", "definition", NULL };
	struct str which, definition = { NULL, 0 };
	const struct series *series;
	struct record_head head;
	struct catalogued found;
	struct digest digest;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_need_text(call->args, "series", &which, err)) < 0 ||
		(r = json_may_text(call->args, "definition", &definition, err)) < 0 ||
		(r = catalogue_find(a->catalogue, which, &found, err)) < 0)
		return r;
	series = found.series;
	if (definition.p && ((r = digest_parse(definition, &digest, err)) < 0 ||
				    (r = catalogue_of(a->catalogue, str_of(series->code), &digest,
					     &series, err)) < 0))
		return r;
	say_definition(series, call->reply);
	say_int(call->reply, "version", (int64_t)found.version);
	if (found.version > 0 && store_find(a->store, &found.record, &head, NULL) == 0) {
		say_cstr(call->reply, "record_number", head.number);
		record_head_done(&head);
	}
	return 0;
}

/* ---- add ---- */

/* A definition comes from memory: a descriptor of a sealed file in memory would do as well, but needs none
 * of this machinery. */
static int fill(struct draft *d, const struct series *series, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	_cleanup_(buf_done) struct buf fields = BUF_INIT;
	int r;

	buf_addc(&fields, '{');
	say_cstr(&fields, "series", series->code);
	say_end_map(&fields);
	if ((r = json_parse(buf_str(&fields), NULL, 0, &doc, err)) < 0 ||
		(r = draft_title(d, str_of(series->title.zh), err)) < 0 ||
		(r = draft_fields(d, doc, err)) < 0)
		return r;
	if (d->record.base_version > 0)
		return draft_check(d, err);
	if ((r = draft_department(d, (struct str){ NULL, 0 }, err)) < 0 ||
		(r = draft_day(d, false, 0, err)) < 0)
		return r;
	return draft_check(d, err);
}

static int seal_text(struct draft *d, struct intake *in, struct verb_call *call,
	const struct series *series, struct str yaml, struct err *err)
{
	struct source source = { .fd = -1, .bytes = yaml.n, .memory = yaml.p };
	char name[80];

	(void)snprintf(name, sizeof(name), "%s.yaml", series->code);
	return draft_part(
		d, in, call, &source, str_of(name), STR("application/yaml"), STR(""), err);
}

static int write_definition(struct archive *a, struct verb_call *call, struct draft *d,
	const struct deed *deed, const struct series *series, struct str yaml,
	struct filed_definition *ret, struct err *err)
{
	_cleanup_(intake_done) struct intake in;
	struct change change = { .act = d->record.base_version ? ACT_REVISE : ACT_FILE,
		.action = deed->action,
		.account = call->account,
		.uid = call->uid,
		.time = deed->at,
		.record_count = 1 };
	int r;

	intake_init(&in, a, d->arena);
	if ((r = fill(d, series, err)) < 0 ||
		(r = seal_text(d, &in, call, series, yaml, err)) < 0 ||
		(r = intake_finish(&in, err)) < 0 || (r = draft_finish(d, err)) < 0)
		return r;
	change.records = &d->record;
	change.packs = in.packs;
	change.pack_count = in.pack_count;
	r = store_write(a->store, &change, err);
	if (r < 0)
		return r;
	ret->number = TAKE_PTR(d->record.ret_number);
	ret->version = d->record.ret_version;
	ret->changed = true;
	catalogue_note(a->catalogue, &d->m.record);
	return 0;
}

/* The next version of the definition in force, or its first. The draft looks at `base` as long as it lives. */
static int draft_definition(struct archive *a, struct arena *arena, const struct deed *deed,
	const struct series *definitions, const struct id *record, struct edition *base,
	struct draft *ret, struct err *err)
{
	struct record_head head;
	int r;

	if (!record)
		return draft_new(ret, a, arena, deed, definitions, err);
	r = store_find(a->store, record, &head, err);
	if (r < 0)
		return r;
	r = edition_open(a, &head, 0, base, err);
	record_head_done(&head);
	return r < 0 ? r : draft_next(ret, a, arena, deed, definitions, base, err);
}

int file_definition(struct archive *a, struct verb_call *call, struct str yaml, const char *file,
	struct filed_definition *ret, struct err *err)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	_cleanup_(series_freep) struct series *series = NULL;
	_cleanup_(edition_done) struct edition base = { .slip_text = BUF_INIT };
	struct catalogued definitions, in_force = { .version = 0 };
	struct deed deed;
	struct draft d;
	int r = series_parse(yaml, file, &series, err);

	if (r < 0 ||
		(r = catalogue_find(a->catalogue, STR(SERIES_DEFINITION), &definitions, err)) < 0 ||
		(r = deed_init(&deed, call, "file", err)) < 0)
		return r;
	catalogue_look(a->catalogue, str_of(series->code), &in_force);
	*ret = (struct filed_definition){ .version = in_force.version };
	(void)snprintf(ret->code, sizeof(ret->code), "%s", series->code);
	if (in_force.version > 0) {
		deed.verb = "revise";
		if (digest_equal(&in_force.series->sha256, &series->sha256))
			return 0;
	}
	r = draft_definition(a, arena, &deed, definitions.series,
		in_force.version > 0 ? &in_force.record : NULL, &base, &d, err);
	if (r < 0)
		return r;
	r = write_definition(a, call, &d, &deed, series, yaml, ret, err);
	draft_done(&d);
	return r;
}

int verb_series_add(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "name", "reason", NULL };
	_cleanup_(buf_done) struct buf yaml = BUF_INIT_MAX(DEFINITION_MAX_BYTES), file = BUF_INIT;
	struct str name = str_of(tr("the definition"));
	struct source source = { .fd = -1 };
	struct filed_definition filed;
	char *p;
	int r = args_only(call, names, err);

	if (r == 0)
		r = json_may_text(call->args, "name", &name, err);
	if (r < 0)
		return r;
	text_add_safe(&file, name);
	r = source_open(a, call, call->fds[0], UINT64_MAX, &source, err);
	if (r < 0)
		return err_prefix(err, r, "%s", file.p);
	p = source.bytes <= DEFINITION_MAX_BYTES ? buf_extend(&yaml, source.bytes) : NULL;
	r = p ? source_read(call, &source, p, source.bytes, err)
	      : err_set(err, ERR_LIMIT, tr("a definition has at most %d bytes"),
			DEFINITION_MAX_BYTES);
	source_done(&source);
	if (r < 0)
		return err_prefix(err, r, "%s", file.p);
	r = file_definition(a, call, buf_str(&yaml), file.p, &filed, err);
	if (r < 0)
		return r;
	say_cstr(call->reply, "code", filed.code);
	say_cstr(call->reply, "number", filed.number);
	say_int(call->reply, "version", (int64_t)filed.version);
	say_bool(call->reply, "changed", filed.changed);
	freep(&filed.number);
	return 0;
}
