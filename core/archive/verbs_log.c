/* verbs_log.c - `log`: what was done, newest first: to one record, or to the whole archive. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/changes.h"
#include "core/archive/reading.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"
#include "core/archive/show.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

enum { LOG_DEFAULT = 50, LOG_MAX = 1000 };

/* ---- the archive's actions ---- */

/* The number of the first record, which the writer puts before " +7 file" or " file". */
static struct str first_number(const struct commit *c, uint64_t records)
{
	_cleanup_(buf_done) struct buf rest = BUF_INIT;
	struct str number = c->subject;

	if (records > 1)
		buf_addf(&rest, " +%llu", (unsigned long long)records - 1);
	buf_addf(&rest, " %s", commit_act_name(c->act));
	if (records == 0 || !str_ends(number, rest.p))
		return (struct str){ 0 };
	number.n -= rest.n;
	return number;
}

static void say_action(struct archive *a, const struct commit *c, uint32_t volume,
	const struct oid *oid, struct buf *b)
{
	uint64_t records = c->is_list ? c->files : c->act != ACT_OPEN && c->act != ACT_KEYS;
	struct str number = first_number(c, records);

	say_map(b, NULL);
	say_int(b, "action", (int64_t)c->actions);
	say_cstr(b, "act", commit_act_name(c->act));
	say_instant(b, "at", c->time);
	show_account(a, c->account, b);
	say_int(b, "uid", c->uid);
	say_text(b, "subject", c->subject);
	if (number.n > 0)
		say_text(b, "number", number);
	say_int(b, "records", (int64_t)records);
	show_commit(a, volume, oid, b);
	say_end_map(b);
}

/* From a volume's head back by parents, then from the last commit of the volume before. */
static int walk_back(
	struct archive *a, struct verb_call *call, uint64_t before, int64_t limit, struct err *err)
{
	uint32_t volume = store_volumes(a->store);
	struct oid at;
	int64_t shown = 0;
	int r = volume ? store_main(a->store, volume, &at, err) : 0;

	while (r == 0 && volume > 0 && shown < limit && !oid_is_zero(&at)) {
		_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(COMMIT_MAX_BYTES);
		_cleanup_(freep) void *memory = NULL;
		enum object_type type;
		struct commit c;

		r = store_read(a->store, volume, &at, &type, &text, err);
		if (r == 0)
			r = commit_parse(buf_str(&text), &c, &memory, err);
		if (r < 0)
			return r;
		if (c.actions < before) {
			say_action(a, &c, volume, &at, call->reply);
			shown++;
		} else {
			struct verb_progress p = { .stage = "log", .unit = "commits" };

			r = verb_tell_of(call, &p, err);
		}
		if (c.act == ACT_OPEN) {
			volume = c.last_volume;
			at = c.last;
		} else {
			at = c.parent;
		}
	}
	return r;
}

/* ---- one record's versions ---- */

static int say_version(struct archive *a, const struct record_head *head, uint64_t version,
	struct buf *b, struct err *err)
{
	struct edition e, before;
	int r = edition_open(a, head, version, &e, err);

	if (r < 0)
		return r;
	say_map(b, NULL);
	say_int(b, "version", (int64_t)version);
	say_text(b, "act", e.manifest->action.verb);
	say_instant(b, "at", e.manifest->action.at);
	show_account(a, e.manifest->action.account, b);
	if (e.manifest->action.reason.n > 0)
		say_text(b, "reason", e.manifest->action.reason);
	say_text(b, "title", e.manifest->title);
	say_list(b, "changes");
	if (version > 1) {
		r = edition_open(a, head, version - 1, &before, err);
		if (r == 0) {
			changes_say(a, &before, &e, CHANGES_ALL, b);
			edition_done(&before);
		}
	}
	say_end_list(b);
	say_end_map(b);
	edition_done(&e);
	return r;
}

static int log_record(
	struct archive *a, struct verb_call *call, int64_t limit, int64_t before, struct err *err)
{
	struct record_head head;
	int r = reading_find(a, call->args, &head, err);
	int64_t version;

	if (r < 0)
		return r;
	say_cstr(call->reply, "number", head.number);
	say_id(call->reply, "record", &head.record);
	say_bool(call->reply, "destroyed", head.destroyed);
	say_list(call->reply, "versions");
	version = (int64_t)head.version < before - 1 ? (int64_t)head.version : before - 1;
	for (; r == 0 && !head.destroyed && version >= 1 && limit > 0; version--, limit--)
		r = say_version(a, &head, (uint64_t)version, call->reply, err);
	say_end_list(call->reply);
	record_head_done(&head);
	return r;
}

int verb_log(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "limit", "before", NULL };
	int64_t limit = LOG_DEFAULT, before = INT64_MAX;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_may_int(call->args, "limit", 1, LOG_MAX, &limit, err)) < 0 ||
		(r = json_may_int(call->args, "before", 1, INT64_MAX, &before, err)) < 0)
		return r;
	if (json_map_get(call->args, "number") || json_map_get(call->args, "record"))
		return log_record(a, call, limit, before, err);
	say_list(call->reply, "actions");
	r = walk_back(a, call, (uint64_t)before, limit, err);
	say_end_list(call->reply);
	return r;
}
