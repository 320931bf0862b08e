/* changes.c - see changes.h. */
#include "core/archive/changes.h"

#include "core/archive/catalogue.h"
#include "core/archive/document.h"
#include "core/archive/say.h"

#include "core/base/diff.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/form.h"

#include <stdlib.h>

enum {
	CONTEXT = 3,	    /* lines around a change */
	LINE_BYTES = 240,   /* longer ones are cut at the ends of sentences */
	LINES_MAX = 20000,  /* of a text: what is behind is not compared */
	SAID_MAX = 4 << 20, /* bytes of lines in one reply */
};

/* ---- members, fields, parts, links ---- */

static const char *kind_word(enum change_kind kind)
{
	static const char *const words[] = { "added", "removed", "changed" };

	return words[kind];
}

static void say_side(struct buf *b, const char *name, const struct series_field *field,
	const struct value *v, const struct manifest_part *part)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	if (part) {
		buf_addf(&text, "%llu", (unsigned long long)part->bytes);
	} else if (!v) {
		return;
	} else if (field) {
		form_show(field, v, FORM_MASK, &text);
	} else if (v->kind == VALUE_TEXT) {
		buf_add_str(&text, v->text);
	} else if (v->kind == VALUE_INT) {
		buf_addf(&text, "%lld", (long long)v->number);
	}
	say_text(b, name, buf_str(&text));
}

void changes_say(struct archive *a, const struct edition *before, const struct edition *after,
	unsigned which, struct buf *b)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	const struct manifest_change *changes;
	const struct series *series = NULL;
	size_t count;

	manifest_diff(before->manifest, after->manifest, arena, &changes, &count);
	(void)catalogue_of(
		a->catalogue, after->manifest->series, &after->manifest->definition, &series, NULL);
	for (size_t i = 0; i < count; i++) {
		const struct manifest_change *c = &changes[i];
		const struct series_field *field = series && strcmp(c->member, "field") == 0
							   ? series_find_field(series, c->name)
							   : NULL;
		bool is_part = strcmp(c->member, "part") == 0;

		if (!(which & (is_part ? CHANGES_PARTS : CHANGES_MEMBERS)))
			continue;
		say_map(b, NULL);
		say_cstr(b, "kind", kind_word(c->kind));
		say_cstr(b, "member", c->member);
		if (c->name.n > 0)
			say_text(b, "name", c->name);
		if (field)
			say_cstr(b, "label", label_text(&field->label));
		say_side(b, "before", field, c->before, c->part_before);
		say_side(b, "after", field, c->after, c->part_after);
		say_end_map(b);
	}
}

/* ---- texts ---- */

struct lines {
	struct str *all;
	size_t count, room;
	bool is_cut;
};

static void add_line(struct lines *l, struct str line)
{
	line = str_trim(line);
	if (line.n == 0)
		return;
	if (l->count == LINES_MAX) {
		l->is_cut = true;
		return;
	}
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->all = reallocarray(l->all, l->room, sizeof(*l->all));
		if (!l->all)
			abort();
	}
	l->all[l->count++] = line;
}

static bool ends_sentence(int32_t c)
{
	return c == 0x3002 || c == 0xff1b || c == 0xff01 || c == 0xff1f || c == ';' || c == '!' ||
	       c == '?';
}

/* A paragraph in one line: by its sentences, so that a changed word marks its sentence alone. */
static void add_sentences(struct lines *l, struct str line)
{
	size_t from = 0, n;

	for (size_t at = 0; line.n > LINE_BYTES && at < line.n; at += n) {
		int32_t c = text_char((struct str){ line.p + at, line.n - at }, &n);

		if (n == 0)
			break;
		if (ends_sentence(c)) {
			add_line(l, (struct str){ line.p + from, at + n - from });
			from = at + n;
		}
	}
	add_line(l, (struct str){ line.p + from, line.n - from });
}

static void split(const struct extracted *text, struct lines *ret)
{
	for (size_t i = 0; i < text->page_count; i++) {
		for (struct str rest = text->pages[i].text; rest.p;)
			add_sentences(ret, str_cut(&rest, '\n'));
	}
	ret->is_cut |= text->is_cut;
}

static int text_of(struct archive *a, const struct edition *e, const struct manifest_part *part,
	struct extracted **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *key = reading_text_key(a, e);
	size_t i = (size_t)(part - e->manifest->parts);
	int r;

	if (!key)
		return err_set(err, ERR_NOTFOUND, tr("the record's key cannot be read"));
	r = textcache_get(a->texts, e->record.b, part->id.b, key, ret, NULL);
	return r == 0 ? 0 : document_read_text(a, e, i, ret, err);
}

static void say_lines(struct buf *b, const char *op, const struct str *lines, size_t count)
{
	say_map(b, NULL);
	say_cstr(b, "op", op);
	say_list(b, "lines");
	for (size_t i = 0; i < count; i++)
		say_item(b, lines[i]);
	say_end_list(b);
	say_end_map(b);
}

/* Lines that both have: those next to a change, and how many are between. */
static void say_same(
	struct buf *b, const struct str *lines, size_t count, bool is_first, bool is_last)
{
	size_t head = is_first ? 0 : CONTEXT, tail = is_last ? 0 : CONTEXT;

	if (count <= head + tail + 1) {
		say_lines(b, "same", lines, count);
		return;
	}
	if (head > 0)
		say_lines(b, "same", lines, head);
	say_map(b, NULL);
	say_cstr(b, "op", "skipped");
	say_int(b, "count", (int64_t)(count - head - tail));
	say_end_map(b);
	if (tail > 0)
		say_lines(b, "same", lines + count - tail, tail);
}

static void say_hunks(struct buf *b, const struct diff_run *runs, size_t count,
	const struct lines *before, const struct lines *after)
{
	size_t from = b->n;

	say_list(b, "hunks");
	for (size_t i = 0; i < count && b->n - from < SAID_MAX; i++) {
		const struct diff_run *run = &runs[i];

		if (run->op == DIFF_SAME)
			say_same(b, after->all + run->after, run->count, i == 0, i + 1 == count);
		else if (run->op == DIFF_REMOVED)
			say_lines(b, "removed", before->all + run->before, run->count);
		else
			say_lines(b, "added", after->all + run->after, run->count);
	}
	say_end_list(b);
}

static int say_text_of(struct archive *a, const struct edition *before, const struct edition *after,
	const struct manifest_change *c, struct buf *b, struct err *err)
{
	_cleanup_(extracted_freep) struct extracted *old = NULL;
	_cleanup_(extracted_freep) struct extracted *new = NULL;
	struct lines one = { .count = 0 }, two = { .count = 0 };
	struct diff_run *runs = NULL;
	size_t count = 0;
	bool exact = true;
	int r = text_of(a, before, c->part_before, &old, err);

	if (r == 0)
		r = text_of(a, after, c->part_after, &new, err);
	if (r < 0)
		return r;
	split(old, &one);
	split(new, &two);
	r = diff_items(
		one.all, one.count, two.all, two.count, DIFF_MAX_EDITS, &runs, &count, &exact, err);
	if (r == 0) {
		say_map(b, NULL);
		say_text(b, "part", c->name);
		say_bool(b, "exact", exact && !one.is_cut && !two.is_cut);
		if (new->reason != EXTRACT_OK || old->reason != EXTRACT_OK)
			say_cstr(b, "sentence",
				extract_reason_text(
					new->reason != EXTRACT_OK ? new->reason : old->reason));
		say_hunks(b, runs, count, &one, &two);
		say_end_map(b);
	}
	free(runs);
	free(one.all);
	free(two.all);
	return r;
}

int changes_say_texts(struct archive *a, const struct edition *before, const struct edition *after,
	struct buf *b, struct err *err)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	const struct manifest_change *changes;
	size_t count;
	int r = 0;

	manifest_diff(before->manifest, after->manifest, arena, &changes, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct manifest_change *c = &changes[i];

		if (c->part_before && c->part_after &&
			!digest_equal(&c->part_before->sha256, &c->part_after->sha256))
			r = say_text_of(a, before, after, c, b, err);
	}
	return r;
}
