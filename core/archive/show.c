/* show.c - see show.h. */
#include "core/archive/show.h"

#include "core/archive/catalogue.h"
#include "core/archive/people.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"

#include "core/base/tr.h"
#include "core/model/form.h"
#include "search/extract.h"
#include "store/envelope.h"

#include <sodium.h>

/* ---- fields ---- */

static void say_value(struct buf *b, const struct value *v)
{
	if (v->kind == VALUE_TEXT) {
		say_text(b, "value", v->text);
	} else if (v->kind == VALUE_INT) {
		say_int(b, "value", v->number);
	} else if (v->kind == VALUE_LIST) {
		say_list(b, "value");
		for (size_t i = 0; i < v->count; i++)
			say_item(b, v->list[i]);
		say_end_list(b);
	}
}

static void say_field(const struct series_field *field, const struct value *value, struct buf *b)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	form_show(field, value, FORM_MASK, &text);
	say_map(b, NULL);
	say_cstr(b, "name", field->name);
	say_cstr(b, "label", label_text(&field->label));
	say_cstr(b, "type", field_type_word(field->type));
	say_text(b, "text", buf_str(&text));
	if (!field->sensitive)
		say_value(b, value);
	say_end_map(b);
}

/* A field that the definition at hand does not know (it cannot be read) is shown as it is stored. */
static void say_unknown_field(const struct field *f, struct buf *b)
{
	say_map(b, NULL);
	say_text(b, "name", f->name);
	say_text(b, "label", f->name);
	if (f->value.kind == VALUE_TEXT)
		say_text(b, "text", f->value.text);
	say_value(b, &f->value);
	say_end_map(b);
}

static void say_fields(const struct series *series, const struct manifest *m, struct buf *b)
{
	say_list(b, "fields");
	for (size_t i = 0; series && i < series->field_count; i++) {
		const struct field *f = manifest_field(m, series->fields[i].name);

		if (f)
			say_field(&series->fields[i], &f->value, b);
	}
	for (size_t i = 0; i < m->field_count; i++) {
		if (!series || !series_find_field(series, m->fields[i].name))
			say_unknown_field(&m->fields[i], b);
	}
	say_end_list(b);
}

/* ---- parts ---- */

/* Where the recognition of a scan stands; false where there is none. */
static bool say_scan(struct archive *a, const struct extracted *text, struct buf *b)
{
	_cleanup_(buf_done) struct buf sentence = BUF_INIT;
	bool is_on = settings_int(a->settings, SETTING_EXTRACT_OCR) != 0;
	const char *state = is_on ? "waiting" : "off";

	if (text->scanned == 0 && !extract_may_scan(text))
		return false;
	if (text->scanned > 0)
		state = text->scanned < text->total ? "reading" : "done";
	if (text->scanned > 0 && text->scanned < text->total)
		buf_addf(&sentence, tr("text recognition: %u of %u pages read"), text->scanned,
			text->total);
	else if (text->scanned > 0 && text->page_count > 0)
		buf_addf(&sentence, tr("text recognition: %zu pages, %u %% sure"), text->page_count,
			extracted_sure(text));
	else if (text->scanned > 0)
		buf_adds(&sentence, tr("no text: nothing legible was recognised in the pictures"));
	else
		buf_adds(&sentence, is_on ? tr("pictures: waiting for text recognition")
					  : extract_reason_text(text->reason));
	say_text(b, "sentence", buf_str(&sentence));
	say_map(b, "recognition");
	say_cstr(b, "state", state);
	say_int(b, "pages", text->scanned);
	say_int(b, "of", text->total);
	say_int(b, "sure", extracted_sure(text));
	say_end_map(b);
	return true;
}

void show_text(struct archive *a, const struct extracted *text, struct buf *b)
{
	say_map(b, "text");
	say_cstr(b, "reason", extract_reason_word(text->reason));
	say_int(b, "pages", (int64_t)text->page_count);
	if (!say_scan(a, text, b) && text->reason != EXTRACT_OK)
		say_cstr(b, "sentence", extract_reason_text(text->reason));
	say_end_map(b);
}

/* What is known of a part's text; nothing while it was not read yet. */
static void say_text_state(struct archive *a, const struct id *record,
	const struct manifest_part *part, const struct secret *key, struct buf *b)
{
	struct extracted *text = NULL;

	if (!key || textcache_get(a->texts, record->b, part->id.b, key, &text, NULL) < 0)
		return;
	show_text(a, text, b);
	extracted_free(text);
}

static void say_parts(struct archive *a, const struct edition *e, struct buf *b)
{
	_cleanup_(secret_freep) struct secret *key = reading_text_key(a, e);

	say_list(b, "parts");
	for (size_t i = 0; i < e->manifest->part_count; i++) {
		const struct manifest_part *p = &e->manifest->parts[i];

		say_map(b, NULL);
		say_id(b, "id", &p->id);
		say_text(b, "name", p->name);
		say_text(b, "media", p->media);
		if (p->note.n > 0)
			say_text(b, "note", p->note);
		say_int(b, "size", (int64_t)p->bytes);
		say_hex(b, "sha256", p->sha256.b, sizeof(p->sha256.b));
		say_text_state(a, &e->record, p, key, b);
		say_end_map(b);
	}
	say_end_list(b);
}

static void say_links(struct archive *a, const struct manifest *m, struct buf *b)
{
	say_list(b, "links");
	for (size_t i = 0; i < m->link_count; i++) {
		struct record_head head;

		say_map(b, NULL);
		say_text(b, "rel", m->links[i].rel);
		say_id(b, "record", &m->links[i].record);
		if (store_find(a->store, &m->links[i].record, &head, NULL) == 0) {
			say_cstr(b, "number", head.number);
			record_head_done(&head);
		}
		say_end_map(b);
	}
	say_end_list(b);
}

/* ---- the whole ---- */

void show_account(struct archive *a, struct str account, struct buf *b)
{
	_cleanup_(buf_wipe) struct buf name = BUF_INIT;

	say_text(b, "account", account);
	people_name(a->people, account, &name);
	if (name.n > 0)
		say_text(b, "name", buf_str(&name));
}

int show_edition(struct archive *a, const struct record_head *head, const struct edition *e,
	struct buf *b, struct err *err)
{
	const struct manifest *m = e->manifest;
	const struct series *series = NULL;

	(void)err;
	(void)catalogue_of(a->catalogue, m->series, &m->definition, &series, NULL);
	say_id(b, "record", &m->record);
	say_text(b, "number", m->number);
	say_bool(b, "drawn", m->drawn);
	say_int(b, "version", (int64_t)m->version);
	say_int(b, "versions", (int64_t)head->version);
	say_int(b, "sequence", (int64_t)head->sequence);
	say_cstr(b, "path", head->folder);
	say_text(b, "series", m->series);
	say_text(b, "series_title",
		series ? str_of(label_text(&series->title))
		       : catalogue_title(a->catalogue, m->series));
	say_hex(b, "definition", m->definition.b, sizeof(m->definition.b));
	say_text(b, "department", m->department);
	say_day(b, "date", m->day);
	say_text(b, "title", m->title);
	say_instant(b, "at", m->action.at);
	show_account(a, m->action.account, b);
	if (m->action.reason.n > 0)
		say_text(b, "reason", m->action.reason);
	say_fields(series, m, b);
	say_parts(a, e, b);
	say_links(a, m, b);
	say_list(b, "retention");
	for (size_t i = 0; series && i < series->retention_count; i++)
		say_item(b, str_of(series->retention[i]));
	say_end_list(b);
	return 0;
}

int show_edition_as(struct archive *a, const char *name, const struct record_head *head,
	const struct edition *e, struct buf *b, struct err *err)
{
	int r;

	say_map(b, name);
	r = show_edition(a, head, e, b, err);
	say_end_map(b);
	return r;
}

/* ---- signatures ---- */

static int take_row(void *context, const struct registry_row *row, struct err *err)
{
	struct show_commits *c = context;
	int r = reading_row(c->archive, row, &c->doc, &c->text, err);

	c->known = r == 0;
	return r < 0 ? r : 1;
}

void show_commits_find(struct archive *a, const struct id *record, struct show_commits *ret)
{
	_cleanup_(pool_give) struct pooled registry = { 0 };

	*ret = (struct show_commits){ .archive = a };
	if (a->recorder)
		(void)recorder_catch_up(a, 3000);
	if (pool_take(a->registries, &registry, NULL) == 0)
		(void)registry_get(registry.item, record, take_row, ret, NULL);
}

void show_commits_done(struct show_commits *c)
{
	json_free(c->doc);
	*c = (struct show_commits){ .known = false };
}

/* Good: signed, and by the key that this archive signs with. Whether that key was enrolled when it signed,
 * and the whole chain, is for `verify` to say. */
void show_commit(struct archive *a, uint32_t volume, const struct oid *commit, struct buf *b)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(buf_done) struct buf fingerprint = BUF_INIT;
	struct public_key key, own;
	const char *word = "unknown";
	enum object_type type;

	say_oid(b, "commit", commit);
	say_int(b, "volume", volume);
	if (store_read(a->store, volume, commit, &type, &text, NULL) == 0 &&
		type == OBJECT_COMMIT) {
		if (commit_verify(buf_str(&text), &key, NULL) == 0) {
			public_key_fingerprint(&key, &fingerprint);
			say_text(b, "fingerprint", buf_str(&fingerprint));
			if (store_server_key(a->store, &own, NULL) == 0)
				word = sodium_memcmp(own.b, key.b, sizeof(own.b)) == 0 ? "good"
										       : "unknown";
		} else {
			word = "bad";
		}
	}
	say_cstr(b, "signature", word);
}
