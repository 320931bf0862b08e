/* verbs_own.c - what an account keeps for itself: drafts of what it will file, and saved searches (views).
 *
 * Both are JSON objects under a name that the client chose, sealed in state.db, seen by nobody else, and never records:
 * submitting a draft is `file`, which knows nothing of it. Each change counts a version up, so that two
 * windows that write the same draft notice. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/login.h"
#include "core/archive/say.h"
#include "core/archive/state.h"

#include "core/base/clock.h"
#include "core/base/tr.h"

enum {
	NAME_MAX_BYTES = 64,
	CONTENT_MAX = 256 << 10,
	DRAFTS_MAX = 100,
	VIEWS_MAX = 200,
	DRAFT_SECONDS = 90 * 86400 /* without a change */
};

struct own {
	enum state_kind kind;
	const char *member, *list; /* in requests and replies */
	uint64_t max_count;
	int64_t seconds; /* 0: for ever */
};

static const struct own drafts = { STATE_DRAFT, "draft", "drafts", DRAFTS_MAX, DRAFT_SECONDS };
static const struct own views = { STATE_VIEW, "view", "views", VIEWS_MAX, 0 };

/* Letters, digits, '-' and '_'. */
static int take_name(
	const struct verb_call *call, const struct own *own, struct str *ret, struct err *err)
{
	int r = json_need_text(call->args, own->member, ret, err);

	if (r < 0)
		return r;
	if (ret->n == 0 || ret->n > NAME_MAX_BYTES)
		return err_set(err, ERR_INVALID, tr("'%s' is a name of 1 to %d letters and digits"),
			own->member, NAME_MAX_BYTES);
	for (size_t i = 0; i < ret->n; i++) {
		char c = ret->p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_'))
			return err_set(err, ERR_INVALID,
				tr("'%s' is a name of 1 to %d letters and digits"), own->member,
				NAME_MAX_BYTES);
	}
	return 0;
}

static int open_state(struct archive *a, struct state **ret, struct err *err)
{
	struct login *l;
	int r = login_of(a, &l, err);

	if (r == 0)
		*ret = login_state(l);
	return r;
}

/* {"content":{...},"version":N} */
static int read_value(struct str value, struct json **ret, int64_t *ret_version,
	const struct json **ret_content, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	int r = json_parse(value, NULL, 0, &doc, err);

	if (r < 0 || (r = json_need_int(doc, "version", 1, INT64_MAX, ret_version, err)) < 0 ||
		(r = json_need_map(doc, "content", ret_content, err)) < 0)
		return err_set(err, ERR_CORRUPT, tr("a row of the state is damaged"));
	*ret = TAKE_PTR(doc);
	return 0;
}

/* ---- list ---- */

struct listing {
	const struct own *own;
	struct buf *reply;
};

static void say_if_text(struct buf *b, const struct json *content, const char *name)
{
	const struct json *v = json_map_get(content, name);

	if (v && json_kind_of(v) == JSON_KIND_TEXT)
		say_text(b, name, json_text(v));
}

static int say_row(void *context, const struct state_row *row, struct err *err)
{
	static const char *const shown[] = { "name", "number", "query", "series", "title" };
	struct listing *l = context;
	_cleanup_(json_freep) struct json *doc = NULL;
	const struct json *content;
	int64_t version;

	(void)err;
	if (read_value(row->value, &doc, &version, &content, NULL) < 0)
		return 0;
	say_map(l->reply, NULL);
	say_text(l->reply, l->own->member, row->name);
	say_int(l->reply, "version", version);
	say_instant(l->reply, "changed", row->changed);
	if (row->ends > 0)
		say_instant(l->reply, "ends", row->ends);
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		say_if_text(l->reply, content, shown[i]);
	say_end_map(l->reply);
	return 0;
}

static int list_own(
	struct archive *a, struct verb_call *call, const struct own *own, struct err *err)
{
	static const char *const names[] = { NULL };
	struct listing l = { own, call->reply };
	struct state *state = NULL;
	int r = args_only(call, names, err);

	if (r == 0)
		r = open_state(a, &state, err);
	if (r < 0)
		return r;
	say_list(call->reply, own->list);
	r = state_each(state, own->kind, str_of(call->account), say_row, &l, err);
	say_end_list(call->reply);
	return r;
}

/* ---- get ---- */

static int get_own(
	struct archive *a, struct verb_call *call, const struct own *own, struct err *err)
{
	const char *const names[] = { own->member, NULL };
	_cleanup_(buf_wipe) struct buf value = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	const struct json *content;
	struct state *state = NULL;
	int64_t version, changed;
	struct str name;
	int r;

	if ((r = args_only(call, names, err)) < 0 || (r = take_name(call, own, &name, err)) < 0 ||
		(r = open_state(a, &state, err)) < 0 ||
		(r = state_get(state, own->kind, str_of(call->account), name, &value, &changed,
			 err)) < 0 ||
		(r = read_value(buf_str(&value), &doc, &version, &content, err)) < 0)
		return r;
	say_text(call->reply, own->member, name);
	say_int(call->reply, "version", version);
	say_instant(call->reply, "changed", changed);
	json_add_name(call->reply, "content");
	return json_add_canonical(call->reply, content, err);
}

/* ---- put ---- */

struct putting {
	const struct own *own;
	struct buf *reply;
	const struct json *content;
	int64_t base; /* the version that the caller saw; -1: whatever there is */
	int64_t version;
	bool has_room;
};

static int put_row(void *context, const struct state_row *now, struct buf *value, int64_t *ends,
	struct err *err)
{
	struct putting *p = context;
	_cleanup_(json_freep) struct json *doc = NULL;
	const struct json *content;
	int64_t version = 0;
	int r;

	/* One that cannot be read may be written over. */
	if (now && read_value(now->value, &doc, &version, &content, NULL) < 0)
		version = 1;
	if (!now && !p->has_room)
		return err_set(err, ERR_LIMIT, tr("an account keeps at most %llu of these"),
			(unsigned long long)p->own->max_count);
	if (p->base >= 0 && p->base != version) {
		say_int(p->reply, "version", version);
		return err_set(err, ERR_CONFLICT,
			tr("it was changed elsewhere meanwhile: look at it again"));
	}
	p->version = version + 1;
	buf_adds(value, "{\"content\":");
	r = json_add_canonical(value, p->content, err);
	if (r < 0)
		return r;
	say_int(value, "version", p->version);
	buf_addc(value, '}');
	if (value->n > CONTENT_MAX + 64)
		return err_set(
			err, ERR_LIMIT, tr("more than %d bytes cannot be kept here"), CONTENT_MAX);
	*ends = p->own->seconds ? clock_now() + p->own->seconds : 0;
	return 0;
}

static int put_own(
	struct archive *a, struct verb_call *call, const struct own *own, struct err *err)
{
	const char *const names[] = { own->member, "content", "version", NULL };
	struct putting p = { .own = own, .reply = call->reply, .base = -1 };
	struct state *state = NULL;
	uint64_t count;
	struct str name;
	int r;

	if ((r = args_only(call, names, err)) < 0 || (r = take_name(call, own, &name, err)) < 0 ||
		(r = json_need_map(call->args, "content", &p.content, err)) < 0 ||
		(r = json_may_int(call->args, "version", 0, INT64_MAX - 1, &p.base, err)) < 0 ||
		(r = open_state(a, &state, err)) < 0 ||
		(r = state_count(state, own->kind, str_of(call->account), &count, err)) < 0)
		return r;
	p.has_room = count < own->max_count;
	r = state_change(state, own->kind, str_of(call->account), name, put_row, &p, err);
	if (r < 0)
		return r;
	say_text(call->reply, own->member, name);
	say_int(call->reply, "version", p.version);
	say_instant(call->reply, "changed", clock_now());
	return 0;
}

static int delete_own(
	struct archive *a, struct verb_call *call, const struct own *own, struct err *err)
{
	const char *const names[] = { own->member, NULL };
	struct state *state = NULL;
	struct str name;
	int r;

	if ((r = args_only(call, names, err)) < 0 || (r = take_name(call, own, &name, err)) < 0 ||
		(r = open_state(a, &state, err)) < 0)
		return r;
	r = state_delete(state, own->kind, str_of(call->account), name, err);
	if (r < 0)
		return r;
	say_bool(call->reply, "deleted", r > 0);
	return 0;
}

int verb_draft_list(struct archive *a, struct verb_call *call, struct err *err)
{
	return list_own(a, call, &drafts, err);
}

int verb_draft_get(struct archive *a, struct verb_call *call, struct err *err)
{
	return get_own(a, call, &drafts, err);
}

int verb_draft_put(struct archive *a, struct verb_call *call, struct err *err)
{
	return put_own(a, call, &drafts, err);
}

int verb_draft_delete(struct archive *a, struct verb_call *call, struct err *err)
{
	return delete_own(a, call, &drafts, err);
}

int verb_view_list(struct archive *a, struct verb_call *call, struct err *err)
{
	return list_own(a, call, &views, err);
}

int verb_view_get(struct archive *a, struct verb_call *call, struct err *err)
{
	return get_own(a, call, &views, err);
}

int verb_view_put(struct archive *a, struct verb_call *call, struct err *err)
{
	return put_own(a, call, &views, err);
}

int verb_view_delete(struct archive *a, struct verb_call *call, struct err *err)
{
	return delete_own(a, call, &views, err);
}
