/* manifest_rules.c - what every manifest keeps, whatever its series: sizes, alphabets, text without
 * control characters. Everything here is also true of a manifest made by an older or newer
 * definition, and of a hostile one once it was parsed. What the series wants is checked in form.c.
 */
#include "core/model/manifest_rules.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/path.h"

#include <stdlib.h>

/* a-z first, then a-z 0-9 and `also`. */
static bool is_word(struct str text, size_t max, char also)
{
	if (text.n == 0 || text.n > max || text.p[0] < 'a' || text.p[0] > 'z')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != also)
			return false;
	}
	return true;
}

static int check_word(struct str text, size_t max, char also, const char *what, struct err *err)
{
	if (is_word(text, max, also))
		return 0;
	return err_set(err, ERR_INVALID,
		tr("%s is '%.*s'; expected at most %zu of a-z, 0-9 and '%c', a letter first"),
		tr(what), STR_ARG(text_cut(text, 80)), max, also);
}

static int check_text(struct str text, size_t max, const char *what, struct err *err)
{
	if (text.n > max)
		return err_set(err, ERR_LIMIT, tr("%s has %zu bytes; at most %zu are accepted"),
			tr(what), text.n, max);
	if (!str_is_utf8(text))
		return err_set(err, ERR_INVALID, tr("%s is not UTF-8"), tr(what));
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return err_set(err, ERR_INVALID, tr("%s has the control character U+%04X"),
				tr(what), c);
	}
	return 0;
}

static int check_line(struct str text, size_t max, const char *what, struct err *err)
{
	int r;

	if (text.n == 0)
		return err_set(err, ERR_INVALID, tr("%s is empty"), tr(what));
	if (text.n > max)
		return err_set(err, ERR_LIMIT, tr("%s has %zu bytes; at most %zu are accepted"),
			tr(what), text.n, max);
	r = text_check_line(text, err);
	return r < 0 ? err_prefix(err, r, "%s", tr(what)) : 0;
}

static int check_code(struct str code, struct err *err)
{
	bool good = code.n > 0 && code.n <= MANIFEST_MAX_CODE;

	for (size_t i = 0; good && i < code.n; i++)
		good = (code.p[i] >= 'A' && code.p[i] <= 'Z') ||
		       (code.p[i] >= '0' && code.p[i] <= '9') || (code.p[i] == '-' && i > 0);
	if (good)
		return 0;
	return err_set(err, ERR_INVALID,
		tr("'%.*s' is not the code of a series; expected at most %d of A-Z, 0-9 and '-'"),
		STR_ARG(text_cut(code, 80)), MANIFEST_MAX_CODE);
}

static int count_limit(const char *what, size_t found, size_t max, struct err *err)
{
	return err_set(
		err, ERR_LIMIT, tr("%s: %zu are more than the %zu accepted"), tr(what), found, max);
}

static int check_fields(
	const struct field *fields, size_t count, size_t max, bool in_row, struct err *err);

static int check_items(const struct value *value, struct err *err)
{
	int r = 0;

	if (value->count == 0)
		return err_set(err, ERR_INVALID, tr("the list is empty"));
	if (value->count > MANIFEST_MAX_ITEMS)
		return count_limit(
			TR_MARK("entries of a list"), value->count, MANIFEST_MAX_ITEMS, err);
	for (size_t i = 0; r == 0 && i < value->count; i++) {
		if (value->kind == VALUE_ROWS)
			r = check_fields(value->rows[i].fields, value->rows[i].field_count,
				MANIFEST_MAX_COLUMNS, true, err);
		else if (value->list[i].n == 0)
			r = err_set(err, ERR_INVALID, tr("an entry of the list is empty"));
		else
			r = check_text(value->list[i], MANIFEST_MAX_TEXT, TR_MARK("an entry"), err);
	}
	return r;
}

static int check_value(const struct value *value, bool in_row, struct err *err)
{
	switch (value->kind) {
	case VALUE_TEXT:
		if (value->text.n == 0)
			return err_set(
				err, ERR_INVALID, tr("the value is empty; leave the field out"));
		return check_text(value->text, MANIFEST_MAX_TEXT, TR_MARK("the value"), err);
	case VALUE_INT:
		return 0;
	case VALUE_LIST:
	case VALUE_ROWS:
		break;
	}
	if (in_row)
		return err_set(err, ERR_INVALID, tr("a column holds a text or a whole number"));
	return check_items(value, err);
}

static int check_fields(
	const struct field *fields, size_t count, size_t max, bool in_row, struct err *err)
{
	int r;

	if (count > max)
		return count_limit(
			in_row ? TR_MARK("columns") : TR_MARK("fields"), count, max, err);
	if (in_row && count == 0)
		return err_set(err, ERR_INVALID, tr("a row is empty"));
	for (size_t i = 0; i < count; i++) {
		r = check_word(fields[i].name, MANIFEST_MAX_WORD, '_',
			TR_MARK("the name of a field"), err);
		if (r < 0)
			return r;
		r = check_value(&fields[i].value, in_row, err);
		if (r < 0)
			return err_prefix(err, r, tr("field '%.*s'"), STR_ARG(fields[i].name));
	}
	return 0;
}

/* ---- parts, links, action ---- */

static bool is_media_type(struct str text)
{
	size_t slashes = 0;

	if (text.n == 0 || text.n > MANIFEST_MAX_MEDIA)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		slashes += c == '/';
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && !strchr("/.+-_", c))
			return false;
	}
	return slashes == 1 && text.p[0] != '/' && text.p[text.n - 1] != '/';
}

static int check_part(const struct manifest_part *part, struct err *err)
{
	int r = check_line(part->name, MANIFEST_MAX_NAME, TR_MARK("the name of a part"), err);

	if (r < 0)
		return r;
	if (memchr(part->name.p, '/', part->name.n) || memchr(part->name.p, '\\', part->name.n) ||
		str_is(part->name, ".") || str_is(part->name, ".."))
		return err_set(
			err, ERR_INVALID, tr("'%.*s' is not a file name"), STR_ARG(part->name));
	if (id_is_zero(&part->id))
		return err_set(err, ERR_INVALID, tr("part '%.*s' has no id"), STR_ARG(part->name));
	if (!is_media_type(part->media))
		return err_set(err, ERR_INVALID,
			tr("part '%.*s': '%.*s' is not a media type such as application/pdf"),
			STR_ARG(part->name), STR_ARG(text_cut(part->media, 80)));
	if (part->bytes > MANIFEST_MAX_PART)
		return err_set(err, ERR_LIMIT, tr("part '%.*s' has more than %llu bytes"),
			STR_ARG(part->name), (unsigned long long)MANIFEST_MAX_PART);
	return check_text(part->note, MANIFEST_MAX_NOTE, TR_MARK("the note of a part"), err);
}

static int compare_parts(const void *a, const void *b)
{
	const struct manifest_part *x = *(const struct manifest_part *const *)a;
	const struct manifest_part *y = *(const struct manifest_part *const *)b;

	return memcmp(x->id.b, y->id.b, ID_BYTES);
}

static int check_parts(const struct manifest *m, struct err *err)
{
	_cleanup_(freep) const struct manifest_part **sorted = NULL;
	int r;

	if (m->part_count > MANIFEST_MAX_PARTS)
		return count_limit(TR_MARK("parts"), m->part_count, MANIFEST_MAX_PARTS, err);
	for (size_t i = 0; i < m->part_count; i++) {
		r = check_part(&m->parts[i], err);
		if (r < 0)
			return r;
	}
	if (m->part_count < 2)
		return 0;
	sorted = xcalloc(m->part_count, sizeof(*sorted));
	for (size_t i = 0; i < m->part_count; i++)
		sorted[i] = &m->parts[i];
	qsort(sorted, m->part_count, sizeof(*sorted), compare_parts);
	for (size_t i = 1; i < m->part_count; i++)
		if (id_equal(&sorted[i - 1]->id, &sorted[i]->id))
			return err_set(err, ERR_INVALID, tr("two parts have the same id"));
	return 0;
}

static int check_links(const struct manifest *m, struct err *err)
{
	int r = 0;

	if (m->link_count > MANIFEST_MAX_LINKS)
		return count_limit(TR_MARK("links"), m->link_count, MANIFEST_MAX_LINKS, err);
	for (size_t i = 0; r == 0 && i < m->link_count; i++)
		r = check_word(m->links[i].rel, MANIFEST_MAX_WORD, '_',
			TR_MARK("the kind of a link"), err);
	return r;
}

static int check_action(const struct manifest_action *action, struct err *err)
{
	int r;

	if (id_is_zero(&action->id))
		return err_set(err, ERR_INVALID, tr("the action has no id"));
	r = check_word(
		action->verb, MANIFEST_MAX_WORD, '_', TR_MARK("the verb of the action"), err);
	if (r == 0)
		r = check_word(
			action->account, MANIFEST_MAX_WORD, '-', TR_MARK("the account"), err);
	if (r < 0)
		return r;
	if (action->at < MANIFEST_MIN_INSTANT || action->at > MANIFEST_MAX_INSTANT)
		return err_set(
			err, ERR_INVALID, tr("the time of the action is not from 1900 to 2999"));
	return check_text(action->reason, MANIFEST_MAX_REASON, TR_MARK("the reason"), err);
}

int manifest_check_names(struct str number, uint64_t version, struct err *err)
{
	if (version == 0 || version > MANIFEST_MAX_VERSION)
		return err_set(err, ERR_INVALID, tr("version %llu is not from 1 to %d"),
			(unsigned long long)version, MANIFEST_MAX_VERSION);
	return path_check_component(number, TR_MARK("the number"), err);
}

int manifest_check(const struct manifest *m, struct err *err)
{
	int year = date_of_day(m->day).year;
	int r;

	if (id_is_zero(&m->archive) || id_is_zero(&m->record))
		return err_set(err, ERR_INVALID, tr("the archive or the record has no id"));
	if (year < 1900 || year > 2999)
		return err_set(err, ERR_INVALID, tr("the record's date is not from 1900 to 2999"));
	r = path_check_component(m->department, TR_MARK("the department"), err);
	if (r == 0)
		r = check_code(m->series, err);
	if (r == 0)
		r = check_line(m->title, MANIFEST_MAX_TITLE, TR_MARK("the title"), err);
	if (r == 0)
		r = check_fields(m->fields, m->field_count, MANIFEST_MAX_FIELDS, false, err);
	if (r == 0)
		r = check_parts(m, err);
	if (r == 0)
		r = check_links(m, err);
	return r < 0 ? r : check_action(&m->action, err);
}
