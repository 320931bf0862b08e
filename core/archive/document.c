/* document.c - see document.h. */
#include "core/archive/document.h"

#include "core/archive/catalogue.h"
#include "core/archive/log.h"
#include "core/archive/scans.h"

#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/model/form.h"
#include "search/jail.h"

#include <stdlib.h>

enum {
	/* Of one part: what is over is neither indexed nor shown (fulltext.h indexes 4 MiB of a record). */
	TEXT_MAX_BYTES = 8 << 20,
	/* Of one record, held in memory at a time. */
	TEXTS_MAX_BYTES = 8 << 20,
};

static const struct str scopes[] = { { "all", 3 } };

void document_options(struct archive *a, struct extract_options *ret)
{
	*ret = (struct extract_options)EXTRACT_OPTIONS_DEFAULT;
	ret->max_input_bytes = (uint64_t)settings_int(a->settings, SETTING_EXTRACT_MAX_BYTES);
	ret->max_text_bytes = TEXT_MAX_BYTES;
	ret->timeout_ms = (uint32_t)settings_int(a->settings, SETTING_EXTRACT_SECONDS) * 1000;
	ret->allow_unjailed = settings_int(a->settings, SETTING_EXTRACT_UNJAILED) != 0;
}

/* ---- texts of parts ---- */

struct filling {
	int fd;
	uint64_t at;
};

static int fill(void *context, struct str piece, struct err *err)
{
	struct filling *f = context;
	int r = file_pwrite(f->fd, piece.p, piece.n, f->at, err);

	f->at += piece.n;
	return r;
}

int document_plaintext(struct archive *a, const struct edition *e, size_t i, struct err *err)
{
	_cleanup_(closep) int fd = jail_memfd_new(err);
	struct filling f = { fd, 0 };
	int r;

	if (fd < 0)
		return fd;
	r = edition_read_part(a, e, i, 0, UINT64_MAX, fill, &f, err);
	if (r == 0)
		r = jail_memfd_seal(fd, err);
	return r < 0 ? r : TAKE_FD(fd);
}

static struct extracted *without_text(enum extract_reason reason)
{
	struct extracted *e = xcalloc(1, sizeof(*e));

	e->reason = reason;
	return e;
}

int document_read_text(struct archive *a, const struct edition *e, size_t i, struct extracted **ret,
	struct err *err)
{
	const struct manifest_part *part = &e->manifest->parts[i];
	_cleanup_(freep) char *name = str_dup(part->name);
	_cleanup_(closep) int fd = -1;
	struct extract_options options;

	document_options(a, &options);
	if (part->bytes == 0) {
		*ret = without_text(EXTRACT_EMPTY);
		return 0;
	}
	if (part->bytes > options.max_input_bytes) {
		*ret = without_text(EXTRACT_TOO_LARGE);
		return 0;
	}
	fd = document_plaintext(a, e, i, err);
	return fd < 0 ? fd : extract(&options, fd, name, ret, err);
}

static int load_part(struct archive *a, struct document *d, size_t i, const struct secret *key,
	bool again, _Atomic uint64_t *reading, struct err *err)
{
	const struct id *record = &d->edition.record, *part = &d->edition.manifest->parts[i].id;
	struct extracted *text = NULL;
	struct err inner = ERR_INIT;
	int r = again ? -ERR_NOTFOUND
		      : textcache_get(a->texts, record->b, part->b, key, &text, &inner);

	if (r == 0) {
		/* What may turn out otherwise now (no jail then, one now) is tried again. */
		if (!extract_reason_is_passing(text->reason)) {
			scans_push(a->scans, record, part, text);
			d->parts[i] = text;
			return 0;
		}
		extracted_free(text);
	}
	if (reading)
		atomic_fetch_add(reading, 1);
	r = document_read_text(a, &d->edition, i, &text, err);
	if (reading)
		atomic_fetch_sub(reading, 1);
	if (r < 0)
		return r;
	if (textcache_put(a->texts, record->b, part->b, key, text, &inner) < 0)
		log_err(LOG_LEVEL_WARNING, "a text cannot be kept", &inner);
	else
		scans_push(a->scans, record, part, text);
	d->parts[i] = text;
	return 0;
}

/* ---- what is indexed ---- */

static void add_text(struct document *d, enum fulltext_field field, struct str text)
{
	if (text.n == 0)
		return;
	if (d->text_count == d->text_room) {
		d->text_room = d->text_room ? 2 * d->text_room : 32;
		d->texts = reallocarray(d->texts, d->text_room, sizeof(*d->texts));
		if (!d->texts)
			abort();
	}
	d->texts[d->text_count++] = (struct fulltext_text){ field, text };
}

/* Sensitive values are found whole or not at all; codes as numbers are; all else by its words. */
static enum fulltext_field field_of(const struct series_field *f)
{
	if (!f)
		return FULLTEXT_BODY;
	if (f->sensitive)
		return FULLTEXT_SENSITIVE;
	return f->type == FIELD_CODE ? FULLTEXT_NUMBER : FULLTEXT_BODY;
}

static void add_value(struct document *d, const struct series_field *f, const struct value *v);

static void add_rows(struct document *d, const struct series_field *f, const struct value *v)
{
	for (size_t i = 0; i < v->count; i++) {
		for (size_t k = 0; k < v->rows[i].field_count; k++) {
			const struct field *cell = &v->rows[i].fields[k];
			const struct series_field *column = NULL;

			for (size_t c = 0; f && c < f->column_count && !column; c++) {
				if (str_is(cell->name, f->columns[c].name))
					column = &f->columns[c];
			}
			add_value(d, column ? column : f, &cell->value);
		}
	}
}

/* People search for what they read: 2025-05-20 10:00, 198.00. */
static void add_shown(struct document *d, const struct series_field *f, const struct value *v)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	form_show(f, v, 0, &text);
	add_text(d, field_of(f),
		(struct str){ arena_text(d->edition.arena, buf_str(&text)), text.n });
}

static void add_value(struct document *d, const struct series_field *f, const struct value *v)
{
	const struct series_choice *choice;

	switch (v->kind) {
	case VALUE_TEXT:
		choice = f && f->type == FIELD_CHOICE ? series_find_choice(f, v->text) : NULL;
		if (choice) {
			add_text(d, FULLTEXT_BODY, str_of(choice->label.zh));
			add_text(d, FULLTEXT_BODY, str_of(choice->label.en));
		} else if (f && f->type == FIELD_INSTANT) {
			add_shown(d, f, v);
		} else {
			add_text(d, field_of(f), v->text);
		}
		break;
	case VALUE_LIST:
		for (size_t i = 0; i < v->count; i++)
			add_value(d, f, &VALUE_OF_TEXT(v->list[i]));
		break;
	case VALUE_ROWS:
		add_rows(d, f, v);
		break;
	case VALUE_INT:
		if (f)
			add_shown(d, f, v);
		break;
	}
}

static void add_all(struct archive *a, struct document *d)
{
	const struct manifest *m = d->edition.manifest;
	const struct series *series = NULL;
	size_t bytes = 0;

	(void)catalogue_of(a->catalogue, m->series, &m->definition, &series, NULL);
	add_text(d, FULLTEXT_TITLE, m->title);
	add_text(d, FULLTEXT_NUMBER, m->number);
	for (size_t i = 0; i < m->field_count; i++)
		add_value(d, series ? series_find_field(series, m->fields[i].name) : NULL,
			&m->fields[i].value);
	for (size_t i = 0; i < m->part_count; i++) {
		struct extracted *e = d->parts[i];

		add_text(d, FULLTEXT_BODY, m->parts[i].name);
		add_text(d, FULLTEXT_BODY, m->parts[i].note);
		if (!e || bytes > TEXTS_MAX_BYTES)
			continue;
		bytes += e->text_bytes;
		add_text(d, FULLTEXT_BODY, e->title);
		add_text(d, FULLTEXT_BODY, e->author);
		for (size_t k = 0; k < e->page_count; k++) {
			add_text(d, FULLTEXT_BODY, e->pages[k].label);
			add_text(d, FULLTEXT_BODY, e->pages[k].text);
		}
	}
}

/* ---- the whole ---- */

/* Accounts are names of people, and definitions hold the words of every form: neither is what people look for. */
bool document_is_found_by_words(struct str series)
{
	return !str_is(series, SERIES_ACCOUNT) && !str_is(series, SERIES_DEFINITION);
}

static int load_parts(struct archive *a, struct document *d, bool again, _Atomic uint64_t *reading,
	struct err *err)
{
	_cleanup_(secret_freep) struct secret *key = reading_text_key(a, &d->edition);
	size_t bytes = 0;

	if (!key)
		return err_set(err, ERR_NOTFOUND, tr("the record's key cannot be read"));
	d->part_count = d->edition.manifest->part_count;
	d->parts = xcalloc(d->part_count + 1, sizeof(struct extracted *));
	for (size_t i = 0; i < d->part_count; i++) {
		int r = load_part(a, d, i, key, again, reading, err);

		if (r < 0)
			return r;
		bytes += d->parts[i]->text_bytes;
		if (bytes > 2 * (size_t)TEXTS_MAX_BYTES) {
			extracted_free(d->parts[i]);
			d->parts[i] = NULL;
		}
	}
	return 0;
}

int document_load(struct archive *a, const struct id *record, bool extract_again,
	_Atomic uint64_t *reading, struct document *ret, struct err *err)
{
	struct document d = { .part_count = 0 };
	struct record_head head;
	int r = store_find(a->store, record, &head, err);

	if (r < 0)
		return r;
	r = edition_open(a, &head, 0, &d.edition, err);
	record_head_done(&head);
	if (r < 0)
		return r;
	d.is_indexed = document_is_found_by_words(d.edition.manifest->series);
	if (d.is_indexed) {
		r = load_parts(a, &d, extract_again, reading, err);
		if (r == 0)
			add_all(a, &d);
	}
	if (r < 0) {
		document_done(&d);
		return r;
	}
	*ret = d;
	return 0;
}

void document_done(struct document *d)
{
	for (size_t i = 0; d->parts && i < d->part_count; i++)
		extracted_free(d->parts[i]);
	free(d->parts);
	free(d->texts);
	if (d->edition.arena)
		edition_done(&d->edition);
	*d = (struct document){ .part_count = 0 };
}

void document_view(const struct document *d, struct fulltext_document *ret)
{
	const struct manifest *m = d->edition.manifest;

	*ret = (struct fulltext_document){ .record = d->edition.record,
		.day = m->day,
		.series = m->series,
		.department = m->department,
		.type = str_of(row_type(m)),
		.scopes = scopes,
		.scope_count = ARRAY_LEN(scopes),
		.texts = d->texts,
		.text_count = d->text_count };
}
