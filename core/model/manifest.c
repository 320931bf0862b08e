/* manifest.c - see manifest.h: the canonical bytes, written straight into a
 * buf because a bulk import makes hundreds of thousands of them. The member names stand in the code
 * in the order of their bytes; a test compares with the general canonical writer. */
#include "core/model/manifest.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/tr.h"
#include "core/model/manifest_rules.h"

const struct field *manifest_field(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->field_count; i++)
		if (str_is(m->fields[i].name, name))
			return &m->fields[i];
	return NULL;
}

const struct manifest_part *manifest_find_part(const struct manifest *m, const struct id *id)
{
	for (size_t i = 0; i < m->part_count; i++)
		if (id_equal(&m->parts[i].id, id))
			return &m->parts[i];
	return NULL;
}

int manifest_compare_names(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order == 0 && a.n != b.n)
		order = a.n < b.n ? -1 : 1;
	return order;
}

static void add_text_member(struct buf *b, const char *name, struct str text)
{
	json_add_name(b, name);
	json_add_text(b, text);
}

/* Only what is not empty is written: there is one way to say nothing. */
static void add_optional(struct buf *b, const char *name, struct str text)
{
	if (text.n)
		add_text_member(b, name, text);
}

static void add_int_member(struct buf *b, const char *name, uint64_t v)
{
	json_add_name(b, name);
	json_add_int(b, (int64_t)v);
}

static void add_hex_member(struct buf *b, const char *name, const void *p, size_t n)
{
	json_add_name(b, name);
	buf_addc(b, '"');
	hex_add(b, p, n);
	buf_addc(b, '"');
}

static int add_fields(struct buf *b, const struct field *fields, size_t count, struct err *err);

static int add_value(struct buf *b, const struct value *value, struct err *err)
{
	int r = 0;

	if (value->kind == VALUE_TEXT) {
		json_add_text(b, value->text);
		return 0;
	}
	if (value->kind == VALUE_INT) {
		json_add_int(b, value->number);
		return 0;
	}
	buf_addc(b, '[');
	for (size_t i = 0; r == 0 && i < value->count; i++) {
		if (i)
			buf_addc(b, ',');
		if (value->kind == VALUE_ROWS)
			r = add_fields(b, value->rows[i].fields, value->rows[i].field_count, err);
		else
			json_add_text(b, value->list[i]);
	}
	buf_addc(b, ']');
	return r;
}

/* Insertion: forms are short, and mostly sorted already. */
static void sort_fields(const struct field *fields, size_t count, const struct field **sorted)
{
	for (size_t i = 0; i < count; i++) {
		size_t k = i;

		for (; k > 0 && manifest_compare_names(sorted[k - 1]->name, fields[i].name) > 0;
			k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = &fields[i];
	}
}

static int add_fields(struct buf *b, const struct field *fields, size_t count, struct err *err)
{
	const struct field *sorted[MANIFEST_MAX_FIELDS];
	int r = 0;

	sort_fields(fields, count, sorted);
	buf_addc(b, '{');
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (i > 0 && str_eq(sorted[i - 1]->name, sorted[i]->name))
			return err_set(err, ERR_INVALID, tr("field '%.*s' stands there twice"),
				STR_ARG(sorted[i]->name));
		if (i > 0)
			buf_addc(b, ',');
		json_add_text(b, sorted[i]->name);
		buf_addc(b, ':');
		r = add_value(b, &sorted[i]->value, err);
	}
	buf_addc(b, '}');
	return r;
}

static void add_action(struct buf *b, const struct manifest_action *action)
{
	char at[21];

	json_add_name(b, "action");
	buf_addc(b, '{');
	add_text_member(b, "account", action->account);
	add_text_member(b, "at", str_of(instant_format(action->at, at)));
	add_hex_member(b, "id", action->id.b, ID_BYTES);
	add_optional(b, "reason", action->reason);
	add_text_member(b, "verb", action->verb);
	buf_addc(b, '}');
}

static void add_links(struct buf *b, const struct manifest *m)
{
	if (m->link_count == 0)
		return;
	json_add_name(b, "links");
	buf_addc(b, '[');
	for (size_t i = 0; i < m->link_count; i++) {
		buf_adds(b, i ? ",{" : "{");
		add_hex_member(b, "record", m->links[i].record.b, ID_BYTES);
		add_text_member(b, "rel", m->links[i].rel);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

static void add_parts(struct buf *b, const struct manifest *m)
{
	json_add_name(b, "parts");
	buf_addc(b, '[');
	for (size_t i = 0; i < m->part_count; i++) {
		const struct manifest_part *part = &m->parts[i];

		buf_adds(b, i ? ",{" : "{");
		add_int_member(b, "chunks", manifest_chunks(part->bytes));
		add_hex_member(b, "id", part->id.b, ID_BYTES);
		add_text_member(b, "media", part->media);
		add_text_member(b, "name", part->name);
		add_optional(b, "note", part->note);
		add_hex_member(b, "sha256", part->sha256.b, sizeof(part->sha256.b));
		add_int_member(b, "size", part->bytes);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* Up to the name of "number"; then from "parts" up to the name of "version". */
static int add_before_number(struct buf *b, const struct manifest *m, struct err *err)
{
	char date[11];
	int r;

	buf_addc(b, '{');
	add_action(b, &m->action);
	add_hex_member(b, "archive", m->archive.b, ID_BYTES);
	add_text_member(b, "date", str_of(date_format(m->day, date)));
	add_hex_member(b, "definition", m->definition.b, sizeof(m->definition.b));
	add_text_member(b, "department", m->department);
	json_add_name(b, "drawn");
	buf_adds(b, m->drawn ? "true" : "false");
	json_add_name(b, "fields");
	r = add_fields(b, m->fields, m->field_count, err);
	if (r < 0)
		return r;
	add_int_member(b, "format", MANIFEST_FORMAT);
	add_links(b, m);
	json_add_name(b, "number");
	return 0;
}

static void add_behind_number(struct buf *b, const struct manifest *m)
{
	add_parts(b, m);
	add_hex_member(b, "record", m->record.b, ID_BYTES);
	add_text_member(b, "series", m->series);
	add_text_member(b, "title", m->title);
	json_add_name(b, "version");
}

static int check_size(size_t bytes, struct err *err)
{
	if (bytes > MANIFEST_MAX_BYTES)
		return err_set(err, ERR_LIMIT,
			tr("the manifest has %zu bytes; at most %d are accepted"), bytes,
			MANIFEST_MAX_BYTES);
	return 0;
}

int manifest_write(const struct manifest *m, struct buf *b, struct err *err)
{
	size_t before = b->n;
	int r = manifest_check(m, err);

	if (r == 0)
		r = manifest_check_names(m->number, m->version, err);
	if (r == 0)
		r = add_before_number(b, m, err);
	if (r < 0)
		return r;
	json_add_text(b, m->number);
	add_behind_number(b, m);
	json_add_int(b, (int64_t)m->version);
	buf_addc(b, '}');
	r = buf_check(b, err);
	return r < 0 ? r : check_size(b->n - before, err);
}

void manifest_pieces_done(struct manifest_pieces *pieces)
{
	buf_done(&pieces->before);
	buf_done(&pieces->behind);
}

int manifest_prepare(const struct manifest *m, struct manifest_pieces *ret, struct err *err)
{
	enum { NUMBER_AND_VERSION = 512 };
	struct manifest_pieces pieces = { BUF_INIT, BUF_INIT };
	int r = manifest_check(m, err);

	if (r == 0)
		r = add_before_number(&pieces.before, m, err);
	if (r == 0) {
		add_behind_number(&pieces.behind, m);
		r = buf_check(&pieces.before, err);
	}
	if (r == 0)
		r = buf_check(&pieces.behind, err);
	if (r == 0)
		r = check_size(pieces.before.n + pieces.behind.n + NUMBER_AND_VERSION, err);
	if (r < 0)
		manifest_pieces_done(&pieces);
	else
		*ret = pieces;
	return r;
}

int manifest_complete(const struct manifest_pieces *pieces, struct str number, uint64_t version,
	struct buf *b, struct err *err)
{
	int r = manifest_check_names(number, version, err);

	if (r < 0)
		return r;
	buf_add_str(b, buf_str(&pieces->before));
	json_add_text(b, number);
	buf_addc(b, ',');
	buf_add_str(b, buf_str(&pieces->behind));
	json_add_int(b, (int64_t)version);
	buf_addc(b, '}');
	return buf_check(b, err);
}
