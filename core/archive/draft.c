/* draft.c - see draft.h. */
#include "core/archive/draft.h"

#include "core/archive/catalogue.h"
#include "core/archive/reading.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/path.h"

#include <stdlib.h>

int deed_init(struct deed *d, struct verb_call *call, const char *verb, struct err *err)
{
	*d = (struct deed){ .action = id_random(),
		.verb = verb,
		.account = str_of(call->account),
		.reason = STR(""),
		.at = clock_now() };
	return call->args ? json_may_text(call->args, "reason", &d->reason, err) : 0;
}

static struct str keep(struct draft *d, struct str text)
{
	return (struct str){ arena_text(d->arena, text), text.n };
}

static void begin(struct draft *d, struct archive *a, struct arena *arena, const struct deed *deed,
	const struct series *series)
{
	*d = (struct draft){ .archive = a, .arena = arena, .series = series };
	d->record_key = secret_keys_take(a->record_keys);
	d->m = (struct manifest){ .archive = *store_archive(a->store),
		.drawn = true,
		.series = str_of(series->code),
		.definition = series->sha256,
		.action = { .id = deed->action,
			.verb = str_of(deed->verb),
			.account = deed->account,
			.at = deed->at,
			.reason = deed->reason } };
}

int draft_new(struct draft *d, struct archive *a, struct arena *arena, const struct deed *deed,
	const struct series *series, struct err *err)
{
	int r;

	begin(d, a, arena, deed, series);
	d->m.record = id_ordered();
	r = keys_draw(store_keys(a->store), &d->m.record, &d->wrapped, d->record_key, err);
	if (r < 0) {
		draft_done(d);
		return r;
	}
	d->key = d->wrapped.key;
	return 0;
}

static struct change_part kept_part(
	struct draft *d, const struct edition *base, size_t i, size_t at)
{
	size_t count = (size_t)manifest_chunks(base->manifest->parts[i].bytes);
	struct change_chunk *chunks = arena_zero(d->arena, count, sizeof(*chunks));

	for (size_t c = 0; c < count; c++)
		chunks[c].blob = base->slip.parts[at + c].blob;
	return (struct change_part){ base->manifest->parts[i].id, chunks, count };
}

static void room_for_parts(struct draft *d, size_t more)
{
	struct manifest_part *parts;
	struct change_part *sealed;
	size_t room = d->part_room;

	if (d->part_count + more <= room)
		return;
	room = 2 * room + more;
	parts = arena_zero(d->arena, room, sizeof(*parts));
	sealed = arena_zero(d->arena, room, sizeof(*sealed));
	if (d->part_count > 0) {
		memcpy(parts, d->parts, d->part_count * sizeof(*parts));
		memcpy(sealed, d->sealed, d->part_count * sizeof(*sealed));
	}
	d->parts = parts;
	d->sealed = sealed;
	d->part_room = room;
}

/* Room for every field of the form besides those that are there. */
static void room_for_fields(struct draft *d, const struct manifest *base)
{
	d->field_room = d->series->field_count + (base ? base->field_count : 0);
	d->fields = arena_zero(d->arena, d->field_room + 1, sizeof(*d->fields));
	if (base && base->field_count > 0)
		memcpy(d->fields, base->fields, base->field_count * sizeof(*d->fields));
	d->field_count = base ? base->field_count : 0;
}

int draft_next(struct draft *d, struct archive *a, struct arena *arena, const struct deed *deed,
	const struct series *series, const struct edition *base, struct err *err)
{
	const struct manifest *b = base->manifest;
	size_t at = 0;
	int r;

	begin(d, a, arena, deed, series);
	d->m.record = b->record;
	d->m.number = b->number;
	d->m.drawn = b->drawn;
	d->m.department = b->department;
	d->m.day = b->day;
	d->m.title = b->title;
	d->m.links = b->links;
	d->m.link_count = b->link_count;
	d->record.base_version = b->version;
	r = reading_envelope_key(a, &base->slip.manifest, &d->key, err);
	if (r == 0)
		r = store_record_key(a->store, &d->key, &b->record, d->record_key, err);
	if (r < 0) {
		draft_done(d);
		return r;
	}
	room_for_fields(d, b);
	room_for_parts(d, b->part_count);
	for (size_t i = 0; i < b->part_count; i++) {
		d->parts[i] = b->parts[i];
		d->sealed[i] = kept_part(d, base, i, at);
		at += d->sealed[i].chunk_count;
	}
	d->part_count = b->part_count;
	return 0;
}

void draft_done(struct draft *d)
{
	if (d->record_key)
		secret_keys_give(d->archive->record_keys, TAKE_PTR(d->record_key));
	if (d->has_plan)
		number_plan_done(&d->plan);
	d->has_plan = false;
	manifest_pieces_done(&d->pieces);
	free(d->record.ret_number);
	d->record.ret_number = NULL;
}

/* ---- the members ---- */

int draft_title(struct draft *d, struct str title, struct err *err)
{
	_cleanup_(buf_done) struct buf nfc = BUF_INIT_MAX(4 * MANIFEST_MAX_TITLE);
	size_t n;
	int r = text_add_nfc(&nfc, str_trim(title), err);

	if (r < 0)
		return err_prefix(err, r, tr("the title"));
	if (nfc.n == 0 || nfc.n > MANIFEST_MAX_TITLE)
		return err_set(
			err, ERR_INVALID, tr("a title has 1 to %d bytes"), MANIFEST_MAX_TITLE);
	for (size_t at = 0; at < nfc.n; at += n) {
		if (text_is_unsafe_char(text_char((struct str){ nfc.p + at, nfc.n - at }, &n)))
			return err_set(err, ERR_INVALID,
				tr("the title has a character that cannot be shown (line break, "
				   "control, direction)"));
	}
	d->m.title = keep(d, buf_str(&nfc));
	return 0;
}

int draft_find_department(struct archive *a, const struct series *s, struct str department,
	struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf setting = BUF_INIT;
	const struct series_department *found;
	int r;

	if (!department.p || department.n == 0) {
		settings_text(a->settings, SETTING_FILING_DEPARTMENT, &setting);
		if (!s->any_department && s->department_count == 1)
			department = str_of(s->departments[0].name);
		else if (setting.n > 0)
			department = buf_str(&setting);
		else
			return err_set(err, ERR_INVALID,
				tr("name the department that files this: --department NAME, or for "
				   "all: muniment config filing.department NAME"));
	}
	found = series_find_department(s, department);
	if (found)
		department = str_of(found->name);
	r = series_check_department(s, department, err);
	if (r == 0)
		r = path_check_component(department, tr("the department"), err);
	if (r == 0)
		buf_add_str(ret, department);
	return r;
}

int draft_department(struct draft *d, struct str department, struct err *err)
{
	_cleanup_(buf_done) struct buf found = BUF_INIT;
	int r = draft_find_department(d->archive, d->series, department, &found, err);

	if (r == 0)
		d->m.department = keep(d, buf_str(&found));
	return r;
}

static void drop_field(struct draft *d, struct str name)
{
	for (size_t i = 0; i < d->field_count; i++) {
		if (str_eq(d->fields[i].name, name)) {
			d->fields[i] = d->fields[--d->field_count];
			return;
		}
	}
}

struct typing {
	struct draft *draft;
	struct err *err;
};

static int type_field(void *context, struct str name, const struct json *typed)
{
	struct typing *t = context;
	struct draft *d = t->draft;
	const struct series_field *field = series_find_field(d->series, name);
	_cleanup_(buf_done) struct buf safe = BUF_INIT;
	struct value value;
	int r;

	if (!field) {
		text_add_safe(&safe, name);
		return err_set(t->err, ERR_INVALID, tr("series '%s' has no field '%s'"),
			d->series->code, safe.p);
	}
	if (json_kind_of(typed) != JSON_KIND_TEXT)
		return err_set(t->err, ERR_INVALID,
			tr("field '%s' must come as text, as it is typed"),
			label_text(&field->label));
	drop_field(d, str_of(field->name));
	if (str_trim(json_text(typed)).n == 0)
		return 0;
	r = form_read(field, json_text(typed), d->arena, &value, t->err);
	if (r < 0)
		return r;
	d->fields[d->field_count++] = (struct field){ str_of(field->name), value };
	return 0;
}

int draft_fields(struct draft *d, const struct json *typed, struct err *err)
{
	struct typing t = { d, err };

	if (!d->fields)
		room_for_fields(d, NULL);
	return typed ? json_map_each(typed, type_field, &t) : 0;
}

int draft_links(struct draft *d, const struct json *links, struct err *err)
{
	size_t count = links ? json_list_count(links) : 0;
	struct manifest_link *list = arena_zero(d->arena, count + 1, sizeof(*list));

	if (!links)
		return 0;
	if (count > MANIFEST_MAX_LINKS)
		return err_set(
			err, ERR_LIMIT, tr("a record has at most %d links"), MANIFEST_MAX_LINKS);
	for (size_t i = 0; i < count; i++) {
		const struct json *link = json_list_at(links, i);
		struct record_head head;
		int r = json_need_text(link, "rel", &list[i].rel, err);

		if (r == 0)
			r = reading_find(d->archive, link, &head, err);
		if (r < 0)
			return r;
		list[i].rel = keep(d, list[i].rel);
		list[i].record = head.record;
		record_head_done(&head);
	}
	d->m.links = list;
	d->m.link_count = count;
	return 0;
}

int draft_day(struct draft *d, bool given, int64_t day, struct err *err)
{
	d->m.day = day;
	if (given)
		return 0;
	return form_day(d->series, d->fields, d->field_count,
		d->record.base_version ? d->m.day : day_of(d->m.action.at), &d->m.day, err);
}

int draft_number(struct draft *d, struct str number, struct err *err)
{
	int r;

	if (!number.p || number.n == 0)
		return 0;
	r = number_check(number, err);
	if (r == 0) {
		d->m.number = keep(d, number);
		d->m.drawn = false;
	}
	return r;
}

/* ---- checking ---- */

static int say_problems(const struct form_problem *problems, int count, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	for (int i = 0; i < count; i++)
		buf_addf(&text, "%s%s", i ? tr_pick("；", "; ") : "", problems[i].text);
	return err_set(err, ERR_INVALID, "%s", text.p);
}

static int plan_number(struct draft *d, struct err *err)
{
	struct number_input input;
	int r = form_number_input(d->series, &d->m, d->arena, &input, err);

	if (r == 0)
		r = number_plan_make(d->series->number, &input, &d->plan, err);
	if (r < 0)
		return r;
	d->has_plan = true;
	return 0;
}

/* A number as the rule makes them, so that the form can be checked before the real one is drawn; that of a
 * rule without a serial is the real one. */
static int try_number(struct draft *d, struct err *err)
{
	_cleanup_(buf_done) struct buf number = BUF_INIT_MAX(PATH_COMPONENT_MAX + 1);
	int r = number_plan_add(&d->plan, 1, &number, err);

	if (r == 0)
		r = buf_check(&number, err);
	if (r == 0)
		d->m.number = keep(d, buf_str(&number));
	return r;
}

int draft_check(struct draft *d, struct err *err)
{
	const struct form_problem *problems;
	int n, r;

	d->m.fields = d->fields;
	d->m.field_count = d->field_count;
	if (d->record.base_version == 0 && d->m.drawn) {
		r = plan_number(d, err);
		if (r == 0)
			r = try_number(d, err);
		if (r < 0)
			return r;
	}
	d->m.version = d->record.base_version + 1;
	n = form_check(d->series, &d->m, d->arena, &problems);
	if (n > 0)
		return say_problems(problems, n, err);
	return n;
}

/* ---- parts ---- */

static size_t find_part(const struct draft *d, struct str name)
{
	size_t i = 0;

	while (i < d->part_count && !str_eq(d->parts[i].name, name))
		i++;
	return i;
}

int draft_part(struct draft *d, struct intake *in, struct verb_call *call, struct source *source,
	struct str name, struct str media, struct str note, struct err *err)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT_MAX(4096);
	const struct part_key key = { d->m.record, d->key, d->record_key };
	struct manifest_part part = { .id = id_random() };
	struct change_part sealed;
	size_t at;
	int r = text_add_file_name(&safe, name, err);

	if (r < 0)
		return r;
	at = find_part(d, buf_str(&safe));
	if (at == d->part_count &&
		d->part_count >= (size_t)settings_int(d->archive->settings, SETTING_PART_MAX_COUNT))
		return err_set(err, ERR_LIMIT,
			tr("more parts than the setting 'parts.max_count' allows: %lld"),
			(long long)settings_int(d->archive->settings, SETTING_PART_MAX_COUNT));
	part.name = keep(d, buf_str(&safe));
	part.media = media.n ? keep(d, media) : str_of(part_media(safe.p));
	part.note = note.n ? keep(d, note) : STR("");
	r = intake_part(in, call, source, &key, &part, &sealed, err);
	if (r < 0)
		return err_prefix(err, r, tr("part '%s'"), safe.p);
	if (at == d->part_count) {
		room_for_parts(d, 1);
		d->part_count++;
	} else if (digest_equal(&d->parts[at].sha256, &part.sha256) &&
		   d->parts[at].bytes == part.bytes) {
		/* The same bytes under the same name: what is there stays, and its blob with it. */
		d->parts[at].media = part.media;
		d->parts[at].note = part.note;
		return 0;
	}
	d->parts[at] = part;
	d->sealed[at] = sealed;
	return 0;
}

int draft_remove_part(struct draft *d, struct str which, struct err *err)
{
	size_t at = find_part(d, which);
	struct id id;

	if (at == d->part_count && id_parse(which, &id, NULL) == 0) {
		for (at = 0; at < d->part_count && !id_equal(&d->parts[at].id, &id);)
			at++;
	}
	if (at == d->part_count)
		return err_set(err, ERR_NOTFOUND, tr("there is no part '%.*s'"), STR_ARG(which));
	memmove(d->parts + at, d->parts + at + 1, (d->part_count - at - 1) * sizeof(*d->parts));
	memmove(d->sealed + at, d->sealed + at + 1, (d->part_count - at - 1) * sizeof(*d->sealed));
	d->part_count--;
	return 0;
}

/* ---- ready ---- */

int draft_request(struct draft *d, const char *kind, struct str request, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(8192);
	int r;

	buf_adds(&text, kind);
	buf_addc(&text, 0);
	buf_add_str(&text, request);
	r = buf_check(&text, err);
	if (r == 0)
		r = store_request(d->archive->store, text.p, text.n, &d->record.request, err);
	if (r == 0)
		d->record.has_request = true;
	return r;
}

/* Called by the writer, on any thread. The draft is not changed: it may be asked again after another record of the
 * action was refused. */
static int write_manifest(
	void *context, const struct drawn *drawn, struct buf *ret, struct err *err)
{
	const struct draft *d = context;

	return manifest_complete(&d->pieces, drawn->number, drawn->version, ret, err);
}

static int fill_number(struct draft *d, struct change_record *c, struct err *err)
{
	struct buf folder = BUF_INIT_MAX(PATH_MAX_BYTES);
	struct date date = date_of_day(d->m.day);
	int r;

	if (!d->has_plan || d->plan.digits == 0) {
		c->number = d->m.number;
	} else {
		c->scope = buf_str(&d->plan.scope);
		c->number_head = buf_str(&d->plan.head);
		c->number_tail = buf_str(&d->plan.tail);
		c->serial_digits = d->plan.digits;
		c->serial_may_widen = d->plan.may_widen;
	}
	buf_add_padded(&folder, (uint64_t)date.year, 4);
	buf_addc(&folder, '-');
	buf_add_padded(&folder, (uint64_t)date.month, 2);
	buf_addc(&folder, '/');
	buf_adds(&folder, d->series->title.zh);
	buf_addc(&folder, '/');
	buf_add_str(&folder, d->m.department);
	r = buf_check(&folder, err);
	if (r == 0)
		c->folder = keep(d, buf_str(&folder));
	buf_done(&folder);
	return r;
}

int draft_finish(struct draft *d, struct err *err)
{
	struct change_record *c = &d->record;
	int r;

	d->m.parts = d->parts;
	d->m.part_count = d->part_count;
	manifest_pieces_done(&d->pieces);
	r = manifest_prepare(&d->m, &d->pieces, err);
	if (r < 0)
		return r;
	c->record = d->m.record;
	if (c->base_version == 0) {
		r = fill_number(d, c, err);
		if (r < 0)
			return r;
		c->keys = &d->wrapped;
		c->key_count = 1;
	}
	c->manifest_key_id = d->key;
	c->manifest_key = d->record_key;
	c->parts = d->sealed;
	c->part_count = d->part_count;
	c->manifest = write_manifest;
	c->context = d;
	return 0;
}
