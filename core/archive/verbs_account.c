/* verbs_account.c - accounts: who may be an actor. How they log in: verbs_login.c. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/catalogue.h"
#include "core/archive/draft.h"
#include "core/archive/people.h"
#include "core/archive/reading.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

#include <stdio.h>

/* ---- list ---- */

struct listing {
	struct archive *archive;
	const struct verb_call *call;
	struct buf *reply;
};

static int take_row(void *context, const struct registry_row *row, struct err *err)
{
	struct listing *l = context;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct row_text text;
	int r = reading_row(l->archive, row, &doc, &text, err);

	if (r < 0)
		return r;
	say_map(l->reply, NULL);
	say_text(l->reply, "id", row->number);
	say_text(l->reply, "name", text.title);
	say_id(l->reply, "record", &row->record);
	say_day(l->reply, "since", row->day);
	verb_say_login(l->archive, l->call, row->number, l->reply);
	say_end_map(l->reply);
	return 0;
}

int verb_account_list(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	_cleanup_(pool_give) struct pooled registry = { 0 };
	struct registry_filter filter = { .series = STR(SERIES_ACCOUNT) };
	struct listing l = { a, call, call->reply };
	int r = args_only(call, names, err);

	if (r == 0 && a->recorder)
		(void)recorder_catch_up(a, 10000);
	if (r == 0)
		r = pool_take(a->registries, &registry, err);
	if (r < 0)
		return r;
	say_list(call->reply, "accounts");
	r = registry_list(registry.item, &filter, REGISTRY_BY_SEQUENCE, NULL, REGISTRY_LIST_MAX,
		take_row, &l, err);
	say_end_list(call->reply);
	return r;
}

/* ---- add ---- */

static int fill(struct draft *d, struct str name, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	_cleanup_(buf_wipe) struct buf fields = BUF_INIT;
	int r;

	buf_addc(&fields, '{');
	say_text(&fields, "name", name);
	say_cstr(&fields, "state", "active");
	say_end_map(&fields);
	if ((r = buf_check(&fields, err)) < 0 ||
		(r = json_parse(buf_str(&fields), NULL, 0, &doc, err)) < 0 ||
		(r = draft_title(d, name, err)) < 0 ||
		(r = draft_department(d, (struct str){ NULL, 0 }, err)) < 0 ||
		(r = draft_fields(d, doc, err)) < 0 || (r = draft_day(d, false, 0, err)) < 0)
		return r;
	return draft_check(d, err);
}

int file_account(struct archive *a, struct verb_call *call, struct str name, char *ret_account,
	size_t room, struct id *ret_record, struct err *err)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	struct catalogued found;
	struct change change;
	struct deed deed;
	struct draft d;
	int r = catalogue_find(a->catalogue, STR(SERIES_ACCOUNT), &found, err);

	if (r < 0 || (r = deed_init(&deed, call, "file", err)) < 0 ||
		(r = draft_new(&d, a, arena, &deed, found.series, err)) < 0)
		return r;
	r = fill(&d, name, err);
	if (r == 0)
		r = draft_finish(&d, err);
	change = (struct change){ .act = ACT_FILE,
		.action = deed.action,
		.account = call->account,
		.uid = call->uid,
		.time = deed.at,
		.records = &d.record,
		.record_count = 1 };
	if (r == 0)
		r = store_write(a->store, &change, err);
	if (r == 0) {
		(void)snprintf(ret_account, room, "%s", d.record.ret_number);
		*ret_record = d.m.record;
		people_note(a->people, str_of(d.record.ret_number), d.m.title);
	}
	draft_done(&d);
	return r;
}

int verb_account_add(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "name", "reason", NULL };
	_cleanup_(buf_wipe) struct buf folded = BUF_INIT;
	char account[ACCOUNT_MAX + 1], taken[ACCOUNT_MAX + 1];
	struct id record;
	struct str name;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_need_text(call->args, "name", &name, err)) < 0 ||
		(r = people_fold(name, &folded, err)) < 0)
		return r;
	/* Two accounts of one name could not be told apart by `as`. */
	if (people_resolve(a->people, name, taken, NULL) == 0)
		return err_set(
			err, ERR_EXISTS, tr("there is an account of that name already: %s"), taken);
	r = file_account(a, call, str_trim(name), account, sizeof(account), &record, err);
	if (r < 0)
		return r;
	say_cstr(call->reply, "id", account);
	say_id(call->reply, "record", &record);
	return 0;
}
