/* verbs_search.c - `search`: what is found, with the words around it.
 *
 * The index says which records; what people read comes from the registry's sealed rows and the sealed text
 * cache, opened hit by hit. A hit whose row is not there (the registry is being made anew) or no longer
 * opens (it was destroyed a moment ago) is left out. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/catalogue.h"
#include "core/archive/excerpt.h"
#include "core/archive/indexer.h"
#include "core/archive/reading.h"
#include "core/archive/say.h"

#include "core/base/clock.h"
#include "core/base/tr.h"
#include "search/fold.h"
#include "search/query.h"
#include "search/snippet.h"

#include <stdlib.h>

enum {
	SEARCH_LIMIT = 20,
	SEARCH_FILTERS = 64,
	SEARCH_COUNT = 1000, /* matches looked at for an exact count */
	SEARCH_NEAR = 5,     /* what comes near, when nothing was found */
	FRESH_MS = 60000,
};

struct search {
	struct archive *archive;
	struct verb_call *call;
	struct query *query;
	struct arena *arena;
	struct fulltext_request request;
	struct fulltext_filter filters[SEARCH_FILTERS];
	struct fulltext_key after;
	struct str scopes[1];
	bool snippets, fresh;
	struct snippet_options marks;
};

/* ---- the request ---- */

static int add_filters(
	struct search *s, const char *name, enum fulltext_facet_kind kind, struct err *err)
{
	struct catalogued found;
	const struct json *list;
	int r = args_list(s->call->args, name, &list, err);

	for (size_t i = 0; r == 0 && list && i < json_list_count(list); i++) {
		struct str value = json_text(json_list_at(list, i));

		if (s->request.filter_count == SEARCH_FILTERS)
			return err_set(err, ERR_LIMIT, tr("a search has at most %d filters"),
				SEARCH_FILTERS);
		if (kind == FULLTEXT_FACET_SERIES) {
			r = catalogue_find(s->archive->catalogue, value, &found, err);
			value = r == 0 ? str_of(found.series->code) : value;
		}
		s->filters[s->request.filter_count++] = (struct fulltext_filter){ kind, value };
	}
	return r;
}

static int read_order(struct search *s, struct err *err)
{
	struct str word = STR("relevance");
	int r = json_may_text(s->call->args, "order", &word, err);

	if (r < 0)
		return r;
	if (str_is(word, "relevance"))
		s->request.order = FULLTEXT_BY_RELEVANCE;
	else if (str_is(word, "newest"))
		s->request.order = FULLTEXT_NEWEST_FIRST;
	else if (str_is(word, "oldest"))
		s->request.order = FULLTEXT_OLDEST_FIRST;
	else
		return err_set(
			err, ERR_INVALID, tr("an order is one of: %s"), "relevance newest oldest");
	return 0;
}

static int read_paging(struct search *s, struct err *err)
{
	const struct json *args = s->call->args, *after;
	int64_t limit = SEARCH_LIMIT, offset = 0;
	bool has_from, has_to;
	int r;

	if ((r = json_may_int(args, "limit", 0, FULLTEXT_LIMIT_MAX, &limit, err)) < 0 ||
		(r = json_may_int(args, "offset", 0, FULLTEXT_OFFSET_MAX, &offset, err)) < 0 ||
		(r = args_day(args, "from", &s->request.day_from, &has_from, err)) < 0 ||
		(r = args_day(args, "to", &s->request.day_to, &has_to, err)) < 0 ||
		(r = args_map(args, "after", &after, err)) < 0)
		return r;
	s->request.limit = (size_t)limit;
	s->request.offset = (size_t)offset;
	if (has_from && !has_to)
		s->request.day_to = INT64_MAX;
	if (has_to && !has_from)
		s->request.day_from = INT64_MIN;
	if (!after)
		return 0;
	s->request.after = &s->after;
	r = args_day(after, "date", &s->after.day, NULL, err);
	return r < 0 ? r : json_need_hex(after, "record", s->after.record.b, ID_BYTES, err);
}

static int read_marks(struct search *s, struct err *err)
{
	const struct json *args = s->call->args, *mark;
	int64_t columns = SNIPPET_COLUMNS;
	int r;

	s->marks.start = STR("【");
	s->marks.end = STR("】");
	if ((r = args_list(args, "mark", &mark, err)) < 0 ||
		(r = json_may_int(args, "columns", 10, SNIPPET_COLUMNS_MAX, &columns, err)) < 0 ||
		(r = args_bool(args, "html", &s->marks.html, err)) < 0 ||
		(r = args_bool(args, "snippets", &s->snippets, err)) < 0 ||
		(r = args_bool(args, "facets", &s->request.facets, err)) < 0 ||
		(r = args_bool(args, "fresh", &s->fresh, err)) < 0)
		return r;
	s->marks.columns = (size_t)columns;
	if (!mark)
		return 0;
	if (json_list_count(mark) != 2)
		return err_set(
			err, ERR_INVALID, tr("member '%s' must be %s"), "mark", tr("two texts"));
	s->marks.start = json_text(json_list_at(mark, 0));
	s->marks.end = json_text(json_list_at(mark, 1));
	return 0;
}

static bool folds_to(struct fold *f, const char *text, struct str folded)
{
	return fold_text(f, str_of(text), NULL) == 0 && str_eq(buf_str(&f->text), folded);
}

/* The folded code of the series whose folded title is `text`. */
static struct str code_of(struct search *s, struct str text)
{
	_cleanup_(freep) struct catalogued *list = NULL;
	struct fold f;
	size_t count;

	fold_init(&f);
	catalogue_list(s->archive->catalogue, &list, &count);
	for (size_t i = 0; i < count; i++) {
		const struct series *series = list[i].series;

		if (!folds_to(&f, series->title.zh, text) && !folds_to(&f, series->title.en, text))
			continue;
		if (fold_text(&f, str_of(series->code), NULL) == 0)
			text = (struct str){ arena_text(s->arena, buf_str(&f.text)), f.text.n };
		break;
	}
	fold_done(&f);
	return text;
}

/* People write 门类:资质审核记录 as well as series:QR-QC-001; the index knows the code. */
static void name_series(struct search *s, struct query_node *node)
{
	for (; node; node = node->next) {
		name_series(s, node->child);
		if (node->op == QUERY_TERM && node->kind == TERM_SERIES)
			node->text = code_of(s, node->text);
	}
}

static int read_args(struct search *s, struct err *err)
{
	static const char *const names[] = { "query", "order", "limit", "offset", "after", "series",
		"department", "type", "year", "from", "to", "facets", "snippets", "columns", "mark",
		"html", NULL };
	struct str text = STR("");
	int r = args_only(s->call, names, err);

	if (r < 0 || (r = json_may_text(s->call->args, "query", &text, err)) < 0 ||
		(r = query_parse(text, &s->query, err)) < 0 ||
		(r = add_filters(s, "series", FULLTEXT_FACET_SERIES, err)) < 0 ||
		(r = add_filters(s, "department", FULLTEXT_FACET_DEPARTMENT, err)) < 0 ||
		(r = add_filters(s, "type", FULLTEXT_FACET_TYPE, err)) < 0 ||
		(r = add_filters(s, "year", FULLTEXT_FACET_YEAR, err)) < 0 ||
		(r = read_order(s, err)) < 0 || (r = read_paging(s, err)) < 0 ||
		(r = read_marks(s, err)) < 0)
		return r;
	/* The query is ours until it is freed; nobody else reads it. */
	name_series(s, (struct query_node *)query_root(s->query));
	s->scopes[0] = SCOPE_ALL;
	s->request.query = s->query;
	s->request.filters = s->filters;
	s->request.scopes = s->scopes;
	s->request.scope_count = ARRAY_LEN(s->scopes);
	s->request.count_up_to = SEARCH_COUNT;
	/* Whoever types a number whole knows it already, and what is shown stays masked. It becomes a right, and an
	 * entry in the audit, with the accounts that log in. */
	s->request.may_unmask = true;
	return 0;
}

/* ---- hits ---- */

struct hit {
	struct search *search;
	const struct fulltext_hit *hit;
};

static int say_hit(void *context, const struct registry_row *row, struct err *err)
{
	struct hit *h = context;
	struct search *s = h->search;
	struct archive *a = s->archive;
	_cleanup_(json_freep) struct json *doc = NULL;
	_cleanup_(buf_wipe) struct buf marked = BUF_INIT;
	struct buf *b = s->call->reply;
	struct row_text text;

	if (row->destroyed || reading_row(a, row, &doc, &text, NULL) < 0)
		return 1;
	say_map(b, NULL);
	say_id(b, "record", &row->record);
	say_text(b, "number", row->number);
	say_int(b, "version", row->version);
	say_text(b, "series", row->series);
	say_text(b, "series_title", catalogue_title(a->catalogue, row->series));
	say_text(b, "department", row->department);
	say_day(b, "date", row->day);
	say_text(b, "type", row->type);
	say_text(b, "title", text.title);
	if (snippet_mark(s->query, text.title, &s->marks, &marked, NULL) == 0)
		say_text(b, "marked", buf_str(&marked));
	say_int(b, "parts", (int64_t)text.part_count);
	if (s->snippets)
		excerpt_say(a, s->query, &s->marks, row, &text, b);
	say_end_map(b);
	return buf_check(b, err) < 0 ? -ERR_LIMIT : 1;
}

static int say_hits(
	struct search *s, const char *name, const struct fulltext_result *result, struct err *err)
{
	_cleanup_(pool_give) struct pooled registry = { 0 };
	int r = pool_take(s->archive->registries, &registry, err);

	if (r < 0)
		return r;
	say_list(s->call->reply, name);
	for (size_t i = 0; r == 0 && i < result->hit_count; i++) {
		struct hit h = { s, &result->hits[i] };

		r = registry_get(registry.item, &result->hits[i].key.record, say_hit, &h, err);
		if (r == -ERR_NOTFOUND)
			r = 0;
	}
	say_end_list(s->call->reply);
	return r;
}

static void say_facets(struct search *s, const struct fulltext_result *result)
{
	static const char *const kinds[FULLTEXT_FACET_COUNT] = { "series", "department", "type",
		"year" };
	struct buf *b = s->call->reply;

	say_list(b, "facets");
	for (size_t i = 0; i < result->facet_count; i++) {
		const struct fulltext_facet *f = &result->facets[i];

		say_map(b, NULL);
		say_cstr(b, "kind", kinds[f->kind]);
		say_cstr(b, "value", f->value);
		say_text(b, "title",
			f->kind == FULLTEXT_FACET_SERIES
				? catalogue_title(s->archive->catalogue, str_of(f->value))
				: str_of(f->value));
		say_int(b, "count", (int64_t)f->count);
		say_end_map(b);
	}
	say_end_list(b);
}

/* Nothing has all that was asked for: what has most of it. Whoever types words without spaces between them, or one
 * word too many, sees where to go on. */
static int say_near(struct search *s, struct fulltext_reader *reader, struct err *err)
{
	struct fulltext_request request = s->request;
	struct fulltext_result result = { 0 };
	int r;

	request.near = true;
	request.order = FULLTEXT_BY_RELEVANCE;
	request.facets = false;
	request.count_up_to = 0;
	if (request.limit > SEARCH_NEAR)
		request.limit = SEARCH_NEAR;
	r = fulltext_search(reader, &request, &result, err);
	if (r < 0)
		return r;
	if (result.hit_count > 0)
		r = say_hits(s, "near", &result, err);
	fulltext_result_done(&result);
	return r;
}

static int run(struct search *s, struct err *err)
{
	_cleanup_(pool_give) struct pooled reader = { 0 };
	struct fulltext_result result = { 0 };
	int64_t begun = clock_ticks();
	int r = pool_take(s->archive->readers, &reader, err);

	if (r == 0)
		r = fulltext_reader_refresh(reader.item, indexer_revision(s->archive), err);
	if (r == 0)
		r = fulltext_search(reader.item, &s->request, &result, err);
	if (r < 0)
		return r;
	say_int(s->call->reply, "count", (int64_t)result.count);
	say_bool(s->call->reply, "exact", result.count_is_exact);
	r = say_hits(s, "hits", &result, err);
	if (r == 0 && s->request.facets)
		say_facets(s, &result);
	if (r == 0 && result.count == 0 && s->request.offset == 0 && !s->request.after)
		r = say_near(s, reader.item, err);
	fulltext_result_done(&result);
	say_int(s->call->reply, "took_us", (clock_ticks() - begun) / 1000);
	return r;
}

static void say_lag(struct archive *a, struct buf *b)
{
	struct store_counts counts;
	struct indexer_state state;

	if (!a->indexer)
		return;
	store_count(a->store, &counts);
	indexer_look(a->indexer, &state);
	say_int(b, "lag", (int64_t)(counts.actions - state.position));
}

int verb_search(struct archive *a, struct verb_call *call, struct err *err)
{
	struct search s = { .archive = a,
		.call = call,
		.snippets = true,
		.arena = arena_new(4096),
		.fresh = !(a->flags & ARCHIVE_RESIDENT) };
	int r = read_args(&s, err);

	if (r == 0 && s.fresh && a->indexer)
		(void)indexer_catch_up(a, FRESH_MS, call);
	if (r == 0)
		r = run(&s, err);
	if (r == 0)
		say_lag(a, call->reply);
	query_free(s.query);
	arena_free(s.arena);
	return r;
}
