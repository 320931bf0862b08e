/* manifest_diff.c - what changed from one version to another, for `show` and `log` (REC-06: value
 * before, value after). */
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/hex.h"
#include "core/model/manifest_rules.h"

struct listing {
	struct arena *arena;
	struct manifest_change *changes;
	size_t count;
};

static void add(struct listing *listing, struct manifest_change change)
{
	listing->changes[listing->count++] = change;
}

static const struct value *keep_text(struct listing *listing, struct str text)
{
	struct value *value = arena_zero(listing->arena, 1, sizeof(*value));

	*value = VALUE_OF_TEXT(text);
	return value;
}

static void compare_member(
	struct listing *listing, const char *member, struct str before, struct str after)
{
	if (!str_eq(before, after))
		add(listing, (struct manifest_change){ .kind = CHANGE_CHANGED,
				     .member = member,
				     .before = keep_text(listing, before),
				     .after = keep_text(listing, after) });
}

static struct str date_text(struct listing *listing, int64_t day)
{
	char date[11];

	return str_of(arena_text(listing->arena, str_of(date_format(day, date))));
}

static struct str digest_text(struct listing *listing, const struct digest *digest)
{
	char hex[2 * sizeof(digest->b) + 1];

	return str_of(
		arena_text(listing->arena, str_of(hex_encode(digest->b, sizeof(digest->b), hex))));
}

static void compare_members(
	struct listing *listing, const struct manifest *before, const struct manifest *after)
{
	compare_member(listing, "title", before->title, after->title);
	compare_member(listing, "department", before->department, after->department);
	compare_member(
		listing, "date", date_text(listing, before->day), date_text(listing, after->day));
	compare_member(listing, "number", before->number, after->number);
	compare_member(listing, "series", before->series, after->series);
	if (!digest_equal(&before->definition, &after->definition))
		compare_member(listing, "definition", digest_text(listing, &before->definition),
			digest_text(listing, &after->definition));
}

static const struct field *find(const struct manifest *m, struct str name)
{
	for (size_t i = 0; i < m->field_count; i++)
		if (str_eq(m->fields[i].name, name))
			return &m->fields[i];
	return NULL;
}

static void compare_fields(
	struct listing *listing, const struct manifest *before, const struct manifest *after)
{
	for (size_t i = 0; i < after->field_count; i++) {
		const struct field *now = &after->fields[i], *old = find(before, now->name);

		if (!old || !value_eq(&old->value, &now->value))
			add(listing, (struct manifest_change){
					     .kind = old ? CHANGE_CHANGED : CHANGE_ADDED,
					     .member = "field",
					     .name = now->name,
					     .before = old ? &old->value : NULL,
					     .after = &now->value });
	}
	for (size_t i = 0; i < before->field_count; i++)
		if (!find(after, before->fields[i].name))
			add(listing, (struct manifest_change){ .kind = CHANGE_REMOVED,
					     .member = "field",
					     .name = before->fields[i].name,
					     .before = &before->fields[i].value });
}

/* A part of the same name that the other version does not have by id: what it replaces, or what
 * replaces it. */
static const struct manifest_part *counterpart(
	const struct manifest *others, const struct manifest *mine, struct str name)
{
	for (size_t i = 0; i < others->part_count; i++)
		if (str_eq(others->parts[i].name, name) &&
			!manifest_find_part(mine, &others->parts[i].id))
			return &others->parts[i];
	return NULL;
}

static bool same_part(const struct manifest_part *a, const struct manifest_part *b)
{
	return str_eq(a->name, b->name) && str_eq(a->media, b->media) && str_eq(a->note, b->note) &&
	       digest_equal(&a->sha256, &b->sha256);
}

static void compare_parts(
	struct listing *listing, const struct manifest *before, const struct manifest *after)
{
	for (size_t i = 0; i < after->part_count; i++) {
		const struct manifest_part *now = &after->parts[i];
		const struct manifest_part *old = manifest_find_part(before, &now->id);

		if (!old)
			old = counterpart(before, after, now->name);
		if (!old || !id_equal(&old->id, &now->id) || !same_part(old, now))
			add(listing, (struct manifest_change){
					     .kind = old ? CHANGE_CHANGED : CHANGE_ADDED,
					     .member = "part",
					     .name = now->name,
					     .part_before = old,
					     .part_after = now });
	}
	for (size_t i = 0; i < before->part_count; i++) {
		const struct manifest_part *old = &before->parts[i];

		if (!manifest_find_part(after, &old->id) && !counterpart(after, before, old->name))
			add(listing, (struct manifest_change){ .kind = CHANGE_REMOVED,
					     .member = "part",
					     .name = old->name,
					     .part_before = old });
	}
}

static bool has_link(const struct manifest *m, const struct manifest_link *link)
{
	for (size_t i = 0; i < m->link_count; i++)
		if (str_eq(m->links[i].rel, link->rel) &&
			id_equal(&m->links[i].record, &link->record))
			return true;
	return false;
}

static void compare_links(struct listing *listing, const struct manifest *from,
	const struct manifest *in, enum change_kind kind)
{
	for (size_t i = 0; i < from->link_count; i++)
		if (!has_link(in, &from->links[i]))
			add(listing, (struct manifest_change){ .kind = kind,
					     .member = "link",
					     .name = from->links[i].rel,
					     .link = &from->links[i] });
}

void manifest_diff(const struct manifest *before, const struct manifest *after, struct arena *arena,
	const struct manifest_change **ret, size_t *ret_count)
{
	enum { MEMBERS = 6 };
	size_t most = MEMBERS + before->field_count + after->field_count + before->part_count +
		      after->part_count + before->link_count + after->link_count;
	struct listing listing = { .arena = arena };

	listing.changes = arena_zero(arena, most, sizeof(*listing.changes));
	compare_members(&listing, before, after);
	compare_fields(&listing, before, after);
	compare_parts(&listing, before, after);
	compare_links(&listing, after, before, CHANGE_ADDED);
	compare_links(&listing, before, after, CHANGE_REMOVED);
	*ret = listing.changes;
	*ret_count = listing.count;
}
