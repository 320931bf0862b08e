/* excerpt.c - see excerpt.h.
 *
 * The text of the parts is in the cache; only when the query is met nowhere in it is the newest version
 * opened for what its form says, with sensitive values masked as they are shown. */
#include "core/archive/excerpt.h"

#include "core/archive/catalogue.h"
#include "core/archive/say.h"

#include "core/base/tr.h"
#include "core/model/form.h"

#include <stdlib.h>

enum { EXCERPT_PAGES = 5000 /* of one record */ };

/* ---- the parts ---- */

/* The texts of a record's parts, in order, as pages; and which part and page each came from. */
struct pages {
	struct extracted *texts[ROW_PARTS];
	size_t text_count;
	struct snippet_page *pages;
	struct {
		struct str part, label;
	} * places;
	size_t count, room;
};

static void pages_done(struct pages *p)
{
	for (size_t i = 0; i < p->text_count; i++)
		extracted_free(p->texts[i]);
	free(p->pages);
	free(p->places);
}

static void add_page(struct pages *p, const struct extracted_page *page, struct str part)
{
	if (p->count == EXCERPT_PAGES)
		return;
	if (p->count == p->room) {
		p->room = p->room ? 2 * p->room : 32;
		p->pages = reallocarray(p->pages, p->room, sizeof(*p->pages));
		p->places = reallocarray(p->places, p->room, sizeof(*p->places));
		if (!p->pages || !p->places)
			abort();
	}
	p->pages[p->count] = (struct snippet_page){ page->number, page->text };
	p->places[p->count].part = part;
	p->places[p->count].label = page->label;
	p->count++;
}

static void load_pages(struct archive *a, const struct registry_row *row,
	const struct row_text *text, struct pages *ret)
{
	_cleanup_(secret_freep) struct secret *key = reading_row_text_key(a, row);
	struct str name;
	struct id part;

	for (size_t i = 0; key && i < ROW_PARTS && row_part(text, i, &part, &name, NULL) == 0;
		i++) {
		struct extracted *e = NULL;

		if (textcache_get(a->texts, row->record.b, part.b, key, &e, NULL) < 0)
			continue;
		ret->texts[ret->text_count++] = e;
		for (size_t k = 0; k < e->page_count; k++)
			add_page(ret, &e->pages[k], name);
	}
}

static bool say_part(const struct pages *pages, const struct query *query,
	const struct snippet_options *marks, bool only_met, struct buf *b)
{
	_cleanup_(buf_wipe) struct buf snippet = BUF_INIT;
	uint32_t page;
	size_t at;
	bool met;

	if (pages->count == 0 || snippet_make(query, pages->pages, pages->count, marks, &snippet,
					 &page, &at, &met, NULL) < 0)
		return false;
	if (snippet.n == 0 || (only_met && !met))
		return false;
	say_text(b, "snippet", buf_str(&snippet));
	if (page > 0)
		say_int(b, "page", page);
	say_text(b, "part", pages->places[at].part);
	if (pages->places[at].label.n > 0)
		say_text(b, "label", pages->places[at].label);
	return true;
}

/* ---- the form ---- */

static void add_line(struct buf *b, const char *label, struct str text)
{
	if (text.n == 0)
		return;
	if (label)
		buf_addf(b, tr("%s: "), label);
	buf_add_str(b, text);
	buf_addc(b, '\n');
}

/* Every field as it is shown, then the names of the parts and what they say of themselves. */
static void add_form(
	struct archive *a, const struct edition *e, const struct pages *pages, struct buf *ret)
{
	const struct manifest *m = e->manifest;
	const struct series *series = NULL;

	(void)catalogue_of(a->catalogue, m->series, &m->definition, &series, NULL);
	for (size_t i = 0; series && i < series->field_count; i++) {
		const struct series_field *field = &series->fields[i];
		const struct field *f = manifest_field(m, field->name);
		_cleanup_(buf_wipe) struct buf text = BUF_INIT;

		if (!f)
			continue;
		form_show(field, &f->value, FORM_MASK, &text);
		add_line(ret, label_text(&field->label), buf_str(&text));
	}
	for (size_t i = 0; i < m->part_count; i++) {
		add_line(ret, NULL, m->parts[i].name);
		add_line(ret, NULL, m->parts[i].note);
	}
	for (size_t i = 0; i < pages->text_count; i++) {
		add_line(ret, NULL, pages->texts[i]->title);
		add_line(ret, NULL, pages->texts[i]->author);
	}
}

static bool say_form(struct archive *a, const struct query *query,
	const struct snippet_options *marks, const struct id *record, const struct pages *pages,
	struct buf *b)
{
	_cleanup_(buf_wipe) struct buf form = BUF_INIT, snippet = BUF_INIT;
	struct snippet_page page = { 0, { NULL, 0 } };
	struct record_head head;
	struct edition edition;
	uint32_t number;
	size_t at;
	bool met;
	int r = store_find(a->store, record, &head, NULL);

	if (r < 0)
		return false;
	r = edition_open(a, &head, 0, &edition, NULL);
	record_head_done(&head);
	if (r < 0)
		return false;
	add_form(a, &edition, pages, &form);
	edition_done(&edition);
	page.text = buf_str(&form);
	r = snippet_make(query, &page, 1, marks, &snippet, &number, &at, &met, NULL);
	if (r < 0 || snippet.n == 0 || (!met && pages->count > 0))
		return false;
	say_text(b, "snippet", buf_str(&snippet));
	return true;
}

void excerpt_say(struct archive *a, const struct query *query, const struct snippet_options *marks,
	const struct registry_row *row, const struct row_text *text, struct buf *b)
{
	_cleanup_(pages_done) struct pages pages = { .text_count = 0 };

	load_pages(a, row, text, &pages);
	if (!say_part(&pages, query, marks, true, b) &&
		!say_form(a, query, marks, &row->record, &pages, b))
		(void)say_part(&pages, query, marks, false, b);
}
