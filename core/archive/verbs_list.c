/* verbs_list.c - `list`: rows of the registry, page by page, by key. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/catalogue.h"
#include "core/archive/reading.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"
#include "core/archive/show.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

enum { LIST_DEFAULT = 50, FRESH_MS = 30000 };

struct listing {
	struct archive *archive;
	struct registry_filter filter;
	enum registry_order order;
	struct str after_number; /* typed; the key is looked up */
	struct registry_key after;
	bool has_after;
	int64_t limit;
	struct buf *reply;

	uint64_t count;
	struct buf number; /* of the last row */
	struct registry_key last;
};

static int read_order(const struct json *args, enum registry_order *ret, struct err *err)
{
	static const char *const words[REGISTRY_ORDER_COUNT] = {
		[REGISTRY_NEWEST_FIRST] = "newest",
		[REGISTRY_OLDEST_FIRST] = "oldest",
		[REGISTRY_BY_NUMBER] = "number",
		[REGISTRY_BY_SEQUENCE] = "filed",
		[REGISTRY_BY_SEQUENCE_DOWN] = "filed_down",
	};
	struct str word = STR("newest");
	int r = json_may_text(args, "order", &word, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_is(word, words[i])) {
			*ret = (enum registry_order)i;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, tr("an order is one of: %s"),
		"newest oldest number filed filed_down");
}

static int key_of_row(void *context, const struct registry_row *row, struct err *err)
{
	struct listing *l = context;

	(void)err;
	l->after = (struct registry_key){ .day = row->day,
		.number = l->after_number,
		.sequence = row->sequence,
		.record = row->record };
	l->has_after = true;
	return 0;
}

/* A number is what people can type: the place where its record stands now. */
static int find_after(struct listing *l, struct registry *registry, struct err *err)
{
	int r = l->after_number.p
			? registry_by_number(registry, l->after_number, key_of_row, l, err)
			: 0;

	if (r == 0 && l->after_number.p && !l->has_after)
		r = err_set(err, ERR_NOTFOUND, tr("there is no record '%.*s'"),
			STR_ARG(l->after_number));
	return r;
}

/* The `next` of the page before is exact, even when that record was moved since. */
static int read_after(const struct json *args, struct listing *l, struct err *err)
{
	const struct json *after = json_map_get(args, "after");
	int64_t sequence = 0;
	int r;

	if (after && json_kind_of(after) == JSON_KIND_TEXT) {
		l->after_number = json_text(after);
		return 0;
	}
	r = args_map(args, "after", &after, err);
	if (r < 0 || !after)
		return r;
	l->has_after = true;
	if ((r = args_day(after, "date", &l->after.day, NULL, err)) < 0 ||
		(r = json_need_int(after, "sequence", 0, INT64_MAX, &sequence, err)) < 0 ||
		(r = json_need_text(after, "number", &l->after.number, err)) < 0 ||
		(r = json_need_hex(after, "record", l->after.record.b, ID_BYTES, err)) < 0)
		return r;
	l->after.sequence = (uint64_t)sequence;
	return 0;
}

static int read_args(struct archive *a, struct verb_call *call, struct listing *l, struct err *err)
{
	static const char *const names[] = { "series", "department", "type", "from", "to", "order",
		"limit", "after", "destroyed", "all", NULL };
	struct str series = { NULL, 0 };
	struct catalogued found;
	bool has_from, has_to, all = false;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_may_text(call->args, "series", &series, err)) < 0 ||
		(r = json_may_text(call->args, "department", &l->filter.department, err)) < 0 ||
		(r = json_may_text(call->args, "type", &l->filter.type, err)) < 0 ||
		(r = args_day(call->args, "from", &l->filter.day_from, &has_from, err)) < 0 ||
		(r = args_day(call->args, "to", &l->filter.day_to, &has_to, err)) < 0 ||
		(r = args_bool(call->args, "destroyed", &l->filter.with_destroyed, err)) < 0 ||
		(r = args_bool(call->args, "all", &all, err)) < 0 ||
		(r = json_may_int(call->args, "limit", 1, REGISTRY_LIST_MAX, &l->limit, err)) < 0 ||
		(r = read_order(call->args, &l->order, err)) < 0 ||
		(r = read_after(call->args, l, err)) < 0)
		return r;
	if (has_from && !has_to)
		l->filter.day_to = INT64_MAX;
	if (has_to && !has_from)
		l->filter.day_from = INT64_MIN;
	if (series.n > 0) {
		r = catalogue_find(a->catalogue, series, &found, err);
		if (r == 0)
			l->filter.series = str_of(found.series->code);
	} else if (!all) {
		l->filter.not_series[0] = STR(SERIES_DEFINITION);
		l->filter.not_series[1] = STR(SERIES_ACCOUNT);
	}
	return r;
}

static void say_row(struct listing *l, const struct registry_row *row)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	struct buf *b = l->reply;
	struct row_text text;

	say_map(b, NULL);
	say_id(b, "record", &row->record);
	say_text(b, "number", row->number);
	say_int(b, "version", row->version);
	say_text(b, "series", row->series);
	say_text(b, "series_title", catalogue_title(l->archive->catalogue, row->series));
	say_text(b, "department", row->department);
	say_day(b, "date", row->day);
	say_text(b, "type", row->type);
	say_bool(b, "destroyed", row->destroyed);
	if (!row->destroyed && reading_row(l->archive, row, &doc, &text, NULL) == 0) {
		say_text(b, "title", text.title);
		say_text(b, "at", text.at);
		show_account(l->archive, text.account, b);
		say_int(b, "parts", (int64_t)text.part_count);
	}
	say_end_map(b);
}

static int take_row(void *context, const struct registry_row *row, struct err *err)
{
	struct listing *l = context;

	say_row(l, row);
	l->count++;
	l->last = (struct registry_key){
		.day = row->day, .sequence = row->sequence, .record = row->record
	};
	buf_reset(&l->number);
	buf_add_str(&l->number, row->number);
	return buf_check(l->reply, err);
}

static void say_next(const struct listing *l)
{
	struct buf *b = l->reply;

	say_map(b, "next");
	say_day(b, "date", l->last.day);
	say_text(b, "number", buf_str(&l->number));
	say_id(b, "record", &l->last.record);
	say_int(b, "sequence", (int64_t)l->last.sequence);
	say_end_map(b);
}

static int run(struct archive *a, struct listing *l, struct err *err)
{
	_cleanup_(pool_give) struct pooled registry = { 0 };
	uint64_t total = 0;
	int r = pool_take(a->registries, &registry, err);

	if (r < 0)
		return r;
	r = find_after(l, registry.item, err);
	if (r == 0)
		r = registry_count(registry.item, &l->filter, &total, err);
	if (r < 0)
		return r;
	say_int(l->reply, "count", (int64_t)total);
	say_list(l->reply, "rows");
	r = registry_list(registry.item, &l->filter, l->order, l->has_after ? &l->after : NULL,
		(size_t)l->limit, take_row, l, err);
	say_end_list(l->reply);
	if (r == 0 && l->count == (uint64_t)l->limit)
		say_next(l);
	return r;
}

int verb_list(struct archive *a, struct verb_call *call, struct err *err)
{
	struct listing l = {
		.archive = a, .limit = LIST_DEFAULT, .reply = call->reply, .number = BUF_INIT
	};
	bool fresh = true;
	int r = read_args(a, call, &l, err);

	if (r == 0)
		r = args_bool(call->args, "fresh", &fresh, err);
	if (r == 0 && fresh && a->recorder)
		(void)recorder_catch_up(a, FRESH_MS);
	if (r == 0)
		r = run(a, &l, err);
	buf_done(&l.number);
	return r;
}
