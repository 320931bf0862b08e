/* verbs_export.c - `export`: exactly what a list or a search shows, all pages of it, as a table for people. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/outlet.h"
#include "core/archive/people.h"
#include "core/archive/say.h"
#include "core/archive/tabular.h"

#include "core/base/clock.h"
#include "core/base/hex.h"
#include "core/base/tr.h"

#include <stdio.h>

enum {
	PAGE_ROWS = 250,
	PAGE_HITS = 100,
	ROWS_MAX = 100000, /* what is behind is left out, and the cover says so */
	HITS_MAX = 5000,
};

/* What a column shows of a row or a hit; label in both languages. */
struct column {
	const char *member;
	const char *label;
	bool is_number;
};

static const struct column list_columns[] = {
	{ "number", TR_MARK("number"), false },
	{ "title", TR_MARK("title"), false },
	{ "series_title", TR_MARK("series"), false },
	{ "department", TR_MARK("department"), false },
	{ "date", TR_MARK("date"), false },
	{ "version", TR_MARK("version"), true },
	{ "type", TR_MARK("type"), false },
	{ "parts", TR_MARK("parts"), true },
	{ "at", TR_MARK("filed at"), false },
	{ "name", TR_MARK("filed by"), false },
	{ "record", TR_MARK("record id"), false },
};

static const struct column hit_columns[] = {
	{ "number", TR_MARK("number"), false },
	{ "title", TR_MARK("title"), false },
	{ "series_title", TR_MARK("series"), false },
	{ "department", TR_MARK("department"), false },
	{ "date", TR_MARK("date"), false },
	{ "type", TR_MARK("type"), false },
	{ "part", TR_MARK("file"), false },
	{ "page", TR_MARK("page"), true },
	{ "snippet", TR_MARK("snippet"), false },
	{ "record", TR_MARK("record id"), false },
};

struct export
{
	struct archive *archive;
	struct verb_call *call;
	bool is_search, is_xlsx;
	const struct json *request; /* of the view */
	const struct column *columns;
	size_t column_count;
	struct outlet out;
	struct buf csv;
	struct workbook *book;
	uint64_t rows, total;
	bool is_cut;
};

/* ---- cells ---- */

static void add_cell(struct export *e, struct str text, bool is_head)
{
	if (e->is_xlsx)
		workbook_cell(e->book, WORKBOOK_TABLE, text, is_head);
	else
		csv_cell(&e->csv, text);
}

static int end_row(struct export *e, struct err *err)
{
	int r;

	if (e->is_xlsx) {
		workbook_end_row(e->book, WORKBOOK_TABLE);
		return 0;
	}
	csv_end_line(&e->csv);
	r = buf_check(&e->csv, err);
	if (r == 0)
		r = outlet_write(&e->out, buf_str(&e->csv), err);
	buf_reset(&e->csv);
	return r;
}

static int add_row(struct export *e, const struct json *row, struct err *err)
{
	for (size_t i = 0; i < e->column_count; i++) {
		const struct column *c = &e->columns[i];
		const struct json *value = json_map_get(row, c->member);
		char text[32] = "";
		int64_t at;

		if (!value) {
			add_cell(e, STR(""), false);
		} else if (c->is_number) {
			if (json_kind_of(value) == JSON_KIND_INT)
				(void)snprintf(
					text, sizeof(text), "%lld", (long long)json_int(value));
			add_cell(e, str_of(text), false);
		} else if (strcmp(c->member, "at") == 0 &&
			   instant_parse(json_text(value), &at, NULL) == 0) {
			add_cell(e, str_of(instant_format_local(at, text)), false);
		} else {
			add_cell(e, json_text(value), false);
		}
	}
	e->rows++;
	return end_row(e, err);
}

static int add_head(struct export *e, struct err *err)
{
	if (!e->is_xlsx)
		csv_begin(&e->csv);
	for (size_t i = 0; i < e->column_count; i++)
		add_cell(e, str_of(tr(e->columns[i].label)), true);
	return end_row(e, err);
}

/* ---- pages ---- */

/* The view's request, with the place where this page begins. */
static int copy_member(void *context, struct str name, const struct json *value)
{
	static const char *const ours[] = { "limit", "offset", "after", "facets", "snippets",
		"mark", "html", "as" };
	struct buf *b = context;
	_cleanup_(freep) char *member = str_dup(name);

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (str_is(name, ours[i]))
			return 0;
	}
	json_add_name(b, member);
	return json_add_canonical(b, value, NULL);
}

static int ask(struct export *e, const struct json *after, struct json **ret, struct err *err)
{
	static const struct json_limits limits = { VERB_MAX_REPLY, 32, 1000000 };
	_cleanup_(buf_wipe) struct buf request = BUF_INIT, reply = BUF_INIT_MAX(VERB_MAX_REPLY);
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call inner = *e->call;
	int r;

	say_map(&request, NULL);
	r = e->request ? json_map_each(e->request, copy_member, &request) : 0;
	if (r < 0)
		return err_set(err, ERR_INVALID, tr("the request of the view is not valid"));
	say_int(&request, "limit", e->is_search ? PAGE_HITS : PAGE_ROWS);
	if (e->is_search) {
		say_int(&request, "offset", (int64_t)e->rows);
		say_list(&request, "mark");
		say_item(&request, STR(""));
		say_item(&request, STR(""));
		say_end_list(&request);
	} else if (after) {
		json_add_name(&request, "after");
		r = json_add_canonical(&request, after, err);
	}
	say_end_map(&request);
	if (r < 0 || (r = buf_check(&request, err)) < 0 ||
		(r = json_parse(buf_str(&request), NULL, 0, &args, err)) < 0)
		return r;
	inner.args = args;
	inner.reply = &reply;
	buf_addc(&reply, '{');
	r = e->is_search ? verb_search(e->archive, &inner, err)
			 : verb_list(e->archive, &inner, err);
	buf_addc(&reply, '}');
	return r < 0 ? r : json_parse(buf_str(&reply), &limits, 0, ret, err);
}

static int add_page(struct export *e, const struct json *reply, bool *ret_more, struct err *err)
{
	uint64_t max = e->is_search ? HITS_MAX : ROWS_MAX;
	struct verb_progress p = { .stage = "export", .unit = "records" };
	const struct json *rows;
	int64_t total = 0;
	int r = json_need_list(reply, e->is_search ? "hits" : "rows", &rows, err);

	if (r == 0)
		r = json_may_int(reply, "count", 0, INT64_MAX, &total, err);
	e->total = (uint64_t)total;
	for (size_t i = 0; r == 0 && i < json_list_count(rows); i++) {
		if (e->rows >= max) {
			e->is_cut = true;
			break;
		}
		r = add_row(e, json_list_at(rows, i), err);
	}
	*ret_more = !e->is_cut && (e->is_search ? json_list_count(rows) == PAGE_HITS
						: json_map_get(reply, "next") != NULL);
	p.done = e->rows;
	p.total = e->total;
	return r < 0 ? r : verb_tell_of(e->call, &p, err);
}

static int add_pages(struct export *e, struct err *err)
{
	_cleanup_(json_freep) struct json *before = NULL;
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		struct json *reply = NULL;

		r = ask(e, before ? json_map_get(before, "next") : NULL, &reply, err);
		if (r == 0)
			r = add_page(e, reply, &more, err);
		json_free(before);
		before = reply;
	}
	return r;
}

/* ---- the cover ---- */

static void cover_row(struct export *e, const char *name, struct str value)
{
	workbook_cell(e->book, WORKBOOK_COVER, str_of(name), true);
	workbook_cell(e->book, WORKBOOK_COVER, value, false);
	workbook_end_row(e->book, WORKBOOK_COVER);
}

static int cover_filter(void *context, struct str name, const struct json *value)
{
	struct export *e = context;
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(freep) char *member = str_dup(name);

	if (json_kind_of(value) == JSON_KIND_TEXT)
		buf_add_str(&text, json_text(value));
	else
		(void)json_add_canonical(&text, value, NULL);
	cover_row(e, member, buf_str(&text));
	return 0;
}

static void add_cover(struct export *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	char at[17], id[2 * ID_BYTES + 1];

	people_name(e->archive->people, str_of(e->call->account), &text);
	cover_row(e, tr("what"),
		str_of(e->is_search ? tr("hits of a search") : tr("list of records")));
	if (text.n > 0)
		cover_row(e, tr("exported by"), buf_str(&text));
	cover_row(e, tr("exported at"), str_of(instant_format_local(clock_now(), at)));
	(void)hex_encode(store_archive(e->archive->store)->b, ID_BYTES, id);
	cover_row(e, tr("archive"), str_of(id));
	buf_reset(&text);
	buf_addf(&text, "%llu", (unsigned long long)e->rows);
	cover_row(e, tr("rows"), buf_str(&text));
	if (e->is_cut) {
		buf_reset(&text);
		buf_addf(&text, tr("only the first %llu of %llu"), (unsigned long long)e->rows,
			(unsigned long long)e->total);
		cover_row(e, tr("incomplete"), buf_str(&text));
	}
	cover_row(e, tr("filter"), STR(""));
	if (e->request)
		(void)json_map_each(e->request, cover_filter, e);
}

/* ---- the whole ---- */

static int run(struct export *e, struct err *err)
{
	_cleanup_(buf_wipe) struct buf file = BUF_INIT_MAX((size_t)1 << 30);
	int r = add_head(e, err);

	if (r == 0)
		r = add_pages(e, err);
	if (r < 0 || !e->is_xlsx)
		return r;
	add_cover(e);
	r = workbook_finish(e->book, &file, err);
	return r < 0 ? r : outlet_write(&e->out, buf_str(&file), err);
}

static int one_of(const struct json *args, const char *member, const char *first,
	const char *second, bool *ret_second, struct err *err)
{
	struct str text;
	int r = json_need_text(args, member, &text, err);

	if (r < 0)
		return r;
	*ret_second = str_is(text, second);
	return *ret_second || str_is(text, first)
		       ? 0
		       : err_set(err, ERR_INVALID, tr("member '%s' is '%s' or '%s'"), member, first,
				 second);
}

int verb_export(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "view", "format", "request", NULL };
	struct export e = { .archive = a,
		.call = call,
		.csv = BUF_INIT,
		.columns = list_columns,
		.column_count = ARRAY_LEN(list_columns) };
	int r = args_only(call, names, err);

	if (r < 0 || (r = one_of(call->args, "view", "list", "search", &e.is_search, err)) < 0 ||
		(r = one_of(call->args, "format", "csv", "xlsx", &e.is_xlsx, err)) < 0 ||
		(r = args_map(call->args, "request", &e.request, err)) < 0)
		return r;
	if (e.is_search) {
		e.columns = hit_columns;
		e.column_count = ARRAY_LEN(hit_columns);
	}
	if (e.is_xlsx)
		e.book = workbook_new(tr("About"), e.is_search ? tr("Hits") : tr("Records"));
	outlet_open(&e.out, call, 0);
	r = run(&e, err);
	if (r == 0) {
		say_int(call->reply, "rows", (int64_t)e.rows);
		say_int(call->reply, "count", (int64_t)e.total);
		say_bool(call->reply, "complete", !e.is_cut);
		say_int(call->reply, "written", (int64_t)e.out.written);
	}
	outlet_done(&e.out);
	workbook_free(e.book);
	buf_wipe(&e.csv);
	return r;
}
