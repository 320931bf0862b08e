/* manifest_parse.c - a manifest out of its bytes. Reads the members into a struct, then writes the
 * struct and compares: bytes that the writer would not have made are refused, so nothing unknown,
 * empty, reordered or misspelt can hide. */
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/tr.h"
#include "core/model/manifest_rules.h"

static const struct json_limits limits = {
	.bytes = MANIFEST_MAX_BYTES, .depth = 5, .values = 200000
};

static struct str copy(struct arena *arena, struct str text)
{
	return (struct str){ arena_text(arena, text), text.n };
}

static int text_member(const struct json *map, const char *name, struct arena *arena,
	struct str *ret, struct err *err)
{
	struct str text = { 0 };
	int r = json_need_text(map, name, &text, err);

	if (r == 0)
		*ret = copy(arena, text);
	return r;
}

static int optional_member(const struct json *map, const char *name, struct arena *arena,
	struct str *ret, struct err *err)
{
	return json_map_get(map, name) ? text_member(map, name, arena, ret, err) : 0;
}

static int uint_member(const struct json *map, const char *name, uint64_t *ret, struct err *err)
{
	int64_t v = 0;
	int r = json_need_int(map, name, 0, INT64_MAX, &v, err);

	if (r == 0)
		*ret = (uint64_t)v;
	return r;
}

static int id_member(const struct json *map, const char *name, struct id *ret, struct err *err)
{
	return json_need_hex(map, name, ret->b, ID_BYTES, err);
}

static int digest_member(
	const struct json *map, const char *name, struct digest *ret, struct err *err)
{
	return json_need_hex(map, name, ret->b, sizeof(ret->b), err);
}

/* ---- fields ---- */

struct filling {
	struct arena *arena;
	struct field *fields;
	size_t count;
	struct err *err;
};

static int read_fields(const struct json *map, size_t max, struct arena *arena,
	const struct field **ret, size_t *ret_count, struct err *err);

static int read_items(
	const struct json *list, struct arena *arena, struct value *ret, struct err *err)
{
	size_t n = json_list_count(list);
	bool rows = n > 0 && json_kind_of(json_list_at(list, 0)) == JSON_KIND_MAP;
	enum json_kind kind = rows ? JSON_KIND_MAP : JSON_KIND_TEXT;
	struct str *texts = arena_zero(arena, rows ? 0 : n, sizeof(*texts));
	struct row *maps = arena_zero(arena, rows ? n : 0, sizeof(*maps));
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct json *item = json_list_at(list, i);

		if (json_kind_of(item) != kind)
			return err_set(
				err, ERR_INVALID, tr("a list holds texts only, or rows only"));
		if (rows)
			r = read_fields(item, MANIFEST_MAX_COLUMNS, arena, &maps[i].fields,
				&maps[i].field_count, err);
		else
			texts[i] = copy(arena, json_text(item));
	}
	*ret = (struct value){
		.kind = rows ? VALUE_ROWS : VALUE_LIST, .list = texts, .rows = maps, .count = n
	};
	return r;
}

static int read_field(void *context, struct str name, const struct json *value)
{
	struct filling *filling = context;
	struct field *field = &filling->fields[filling->count++];

	field->name = copy(filling->arena, name);
	switch (json_kind_of(value)) {
	case JSON_KIND_TEXT:
		field->value = VALUE_OF_TEXT(copy(filling->arena, json_text(value)));
		return 0;
	case JSON_KIND_INT:
		field->value = VALUE_OF_INT(json_int(value));
		return 0;
	case JSON_KIND_LIST:
		return read_items(value, filling->arena, &field->value, filling->err);
	default:
		return err_set(filling->err, ERR_INVALID,
			tr("field '%.80s' is neither text, whole number nor list"), name.p);
	}
}

static int read_fields(const struct json *map, size_t max, struct arena *arena,
	const struct field **ret, size_t *ret_count, struct err *err)
{
	struct filling filling = { .arena = arena, .err = err };
	size_t n = json_map_count(map);
	int r;

	if (n > max)
		return err_set(err, ERR_LIMIT, tr("%s: %zu are more than the %zu accepted"),
			tr("fields"), n, max);
	filling.fields = arena_zero(arena, n, sizeof(*filling.fields));
	r = json_map_each(map, read_field, &filling);
	*ret = filling.fields;
	*ret_count = filling.count;
	return r;
}

/* ---- parts, links, action ---- */

static int read_part(
	const struct json *map, struct arena *arena, struct manifest_part *part, struct err *err)
{
	uint64_t chunks = 0;
	int r = uint_member(map, "chunks", &chunks, err);

	if (r == 0)
		r = id_member(map, "id", &part->id, err);
	if (r == 0)
		r = text_member(map, "media", arena, &part->media, err);
	if (r == 0)
		r = text_member(map, "name", arena, &part->name, err);
	if (r == 0)
		r = optional_member(map, "note", arena, &part->note, err);
	if (r == 0)
		r = digest_member(map, "sha256", &part->sha256, err);
	if (r == 0)
		r = uint_member(map, "size", &part->bytes, err);
	if (r == 0 && chunks != manifest_chunks(part->bytes))
		r = err_set(err, ERR_INVALID, tr("a part of %llu bytes does not have %llu chunks"),
			(unsigned long long)part->bytes, (unsigned long long)chunks);
	return r;
}

static int read_link(
	const struct json *map, struct arena *arena, struct manifest_link *link, struct err *err)
{
	int r = id_member(map, "record", &link->record, err);

	return r < 0 ? r : text_member(map, "rel", arena, &link->rel, err);
}

/* A list of maps; *ret has room for all of them. */
static int read_list(const struct json *root, const char *name, size_t max,
	const struct json **ret_list, size_t *ret_count, struct err *err)
{
	int r = json_need_list(root, name, ret_list, err);
	size_t n = r == 0 ? json_list_count(*ret_list) : 0;

	if (r < 0)
		return r;
	if (n > max)
		return err_set(
			err, ERR_LIMIT, tr("%s: %zu are more than the %zu accepted"), name, n, max);
	for (size_t i = 0; i < n; i++)
		if (json_kind_of(json_list_at(*ret_list, i)) != JSON_KIND_MAP)
			return err_set(err, ERR_INVALID, tr("'%s' is not a list of maps"), name);
	*ret_count = n;
	return 0;
}

static int read_parts(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *list = NULL;
	struct manifest_part *parts;
	int r = read_list(root, "parts", MANIFEST_MAX_PARTS, &list, &m->part_count, err);

	if (r < 0)
		return r;
	parts = arena_zero(arena, m->part_count, sizeof(*parts));
	for (size_t i = 0; r == 0 && i < m->part_count; i++)
		r = read_part(json_list_at(list, i), arena, &parts[i], err);
	m->parts = parts;
	return r;
}

static int read_links(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *list = NULL;
	struct manifest_link *links;
	int r;

	if (!json_map_get(root, "links"))
		return 0;
	r = read_list(root, "links", MANIFEST_MAX_LINKS, &list, &m->link_count, err);
	if (r < 0)
		return r;
	links = arena_zero(arena, m->link_count, sizeof(*links));
	for (size_t i = 0; r == 0 && i < m->link_count; i++)
		r = read_link(json_list_at(list, i), arena, &links[i], err);
	m->links = links;
	return r;
}

static int read_action(const struct json *root, struct arena *arena, struct manifest_action *action,
	struct err *err)
{
	const struct json *map = NULL;
	struct str at = { 0 };
	int r = json_need_map(root, "action", &map, err);

	if (r == 0)
		r = text_member(map, "account", arena, &action->account, err);
	if (r == 0)
		r = json_need_text(map, "at", &at, err);
	if (r == 0)
		r = instant_parse(at, &action->at, err);
	if (r == 0)
		r = id_member(map, "id", &action->id, err);
	if (r == 0)
		r = optional_member(map, "reason", arena, &action->reason, err);
	return r < 0 ? r : text_member(map, "verb", arena, &action->verb, err);
}

static int read_format(const struct json *root, struct err *err)
{
	int64_t format = 0;
	int r;

	if (json_kind_of(root) != JSON_KIND_MAP)
		return err_set(err, ERR_INVALID, tr("the manifest is not a map"));
	r = json_need_int(root, "format", 1, INT32_MAX, &format, err);
	if (r == 0 && format > MANIFEST_FORMAT)
		r = err_set(err, ERR_UNSUPPORTED,
			tr("the manifest has format %lld; this program reads up to %d"),
			(long long)format, MANIFEST_FORMAT);
	return r;
}

static int read_names(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	struct str date = { 0 };
	struct date parsed = { 0 };
	int r = id_member(root, "archive", &m->archive, err);

	if (r == 0)
		r = json_need_text(root, "date", &date, err);
	if (r == 0)
		r = date_parse(date, &parsed, err);
	if (r < 0)
		return r;
	m->day = day_of_date(parsed);
	r = digest_member(root, "definition", &m->definition, err);
	if (r == 0)
		r = text_member(root, "department", arena, &m->department, err);
	if (r == 0)
		r = json_need_bool(root, "drawn", &m->drawn, err);
	if (r == 0)
		r = text_member(root, "number", arena, &m->number, err);
	if (r == 0)
		r = id_member(root, "record", &m->record, err);
	if (r == 0)
		r = text_member(root, "series", arena, &m->series, err);
	if (r == 0)
		r = text_member(root, "title", arena, &m->title, err);
	return r < 0 ? r : uint_member(root, "version", &m->version, err);
}

/* The last word: would the writer have made these bytes? */
static int check_canonical(const struct manifest *m, struct str bytes, struct err *err)
{
	_cleanup_(buf_done) struct buf again = BUF_INIT;
	int r = manifest_write(m, &again, err);

	if (r == 0 && !str_eq(buf_str(&again), bytes))
		r = err_set(err, ERR_INVALID,
			tr("the manifest is not in its canonical form, or has members that are not "
			   "known"));
	return r;
}

int manifest_parse(
	struct str bytes, struct arena *arena, const struct manifest **ret, struct err *err)
{
	_cleanup_(json_freep) struct json *root = NULL;
	struct manifest *m = arena_zero(arena, 1, sizeof(*m));
	const struct json *fields = NULL;
	int r = json_parse(bytes, &limits, 0, &root, err);

	if (r == 0)
		r = read_format(root, err);
	if (r == 0)
		r = read_names(root, arena, m, err);
	if (r == 0)
		r = json_need_map(root, "fields", &fields, err);
	if (r == 0)
		r = read_fields(
			fields, MANIFEST_MAX_FIELDS, arena, &m->fields, &m->field_count, err);
	if (r == 0)
		r = read_parts(root, arena, m, err);
	if (r == 0)
		r = read_links(root, arena, m, err);
	if (r == 0)
		r = read_action(root, arena, &m->action, err);
	if (r == 0)
		r = check_canonical(m, bytes, err);
	if (r == 0)
		*ret = m;
	return r;
}
