/* api_records.c - records: lists, one with its versions, filing and revising. */
#include "www/inside.h"

#include "core/base/hex.h"

/* ---- lists ---- */

static const struct route_param list_params[] = {
	{ "series", PARAM_TEXT, NULL },
	{ "department", PARAM_TEXT, NULL },
	{ "type", PARAM_TEXT, NULL },
	{ "from", PARAM_TEXT, NULL },
	{ "to", PARAM_TEXT, NULL },
	{ "order", PARAM_TEXT, NULL },
	{ "limit", PARAM_INT, NULL },
	{ "after", PARAM_OPAQUE, NULL },
	{ "destroyed", PARAM_BOOL, NULL },
	{ "fresh", PARAM_BOOL, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

struct rewriting {
	struct buf *out;
	struct err *err;
};

static int add_member(void *context, struct str name, const struct json *value)
{
	struct rewriting *w = context;
	_cleanup_(freep) char *member = str_dup(name);
	_cleanup_(buf_done) struct buf opaque = BUF_INIT_MAX(8192);
	int r;

	if (!str_is(name, "next")) {
		json_add_name(w->out, member);
		return json_add_canonical(w->out, value, w->err);
	}
	r = www_opaque(value, &opaque, w->err);
	if (r == 0)
		say_text(w->out, "next", buf_str(&opaque));
	return r;
}

/* The list as the verb gives it, with `next` made one text that fits in an address. */
static int list_records(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(VERB_MAX_REQUEST);
	_cleanup_(buf_wipe) struct buf text = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct rewriting rewriting = { &x->reply, err };
	int r = www_members(x, &members, err);

	buf_addc(&text, '{');
	if (r == 0)
		r = www_verb(x, "list", buf_str(&members), NULL, 0, &text, err);
	if (r < 0)
		return r;
	buf_addc(&text, '}');
	r = json_parse(buf_str(&text), NULL, 0, &doc, err);
	if (r < 0)
		return r;
	buf_addc(&x->reply, '{');
	r = json_map_each(doc, add_member, &rewriting);
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return r;
}

/* ---- one ---- */

static int check_record(struct exchange *x, struct err *err)
{
	uint8_t id[16];

	if (hex_decode(x->values[0], id, sizeof(id), NULL) == 0)
		return 0;
	return err_set(err, ERR_NOTFOUND, tr("there is no record with this id"));
}

/* The tag is the version: what If-Match of a revision names. */
static int tag_by_version(struct exchange *x, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	int64_t version;
	int r = json_parse(buf_str(&x->reply), NULL, 0, &doc, err);

	if (r == 0)
		r = json_need_int(doc, "version", 1, INT64_MAX, &version, err);
	if (r == 0)
		exchange_set(x, "ETag", "\"%lld\"", (long long)version);
	return r;
}

static int show_record(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(4096);
	int r = check_record(x, err);

	if (r == 0)
		r = www_members(x, &members, err);
	if (r == 0)
		r = www_answer_verb(x, "show", buf_str(&members), err);
	return r < 0 ? r : tag_by_version(x, err);
}

/* Which record has a number: for what people type and what links say. */
static int find_number(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(EXCHANGE_MAX_TARGET + 64);
	_cleanup_(buf_wipe) struct buf text = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str record;
	int r;

	say_text(&members, "number", x->values[0]);
	buf_addc(&text, '{');
	r = www_verb(x, "show", buf_str(&members), NULL, 0, &text, err);
	if (r < 0)
		return r;
	buf_addc(&text, '}');
	if ((r = json_parse(buf_str(&text), NULL, 0, &doc, err)) < 0 ||
		(r = json_need_text(doc, "record", &record, err)) < 0)
		return r;
	buf_addc(&x->reply, '{');
	say_text(&x->reply, "record", record);
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return 0;
}

/* ---- writing ---- */

static const char *const own_members[] = { "as", "base", "record", "request" };

/* What headers and address say must not come a second time in the body. */
static int refuse_own(struct exchange *x, const char *const *names, size_t n, struct err *err)
{
	const struct json *doc;
	int r = exchange_json(x, &doc, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (json_map_get(doc, names[i])) {
			say_cstr(&x->reply, "field", names[i]);
			r = err_set(err, ERR_INVALID, tr("'%s' does not belong in this body"),
				names[i]);
		}
	}
	return r;
}

static int add_request_key(struct exchange *x, struct buf *members, struct err *err)
{
	struct str key = exchange_header(x, "Idempotency-Key");

	if (!key.p)
		return 0;
	if (key.n == 0 || key.n > 200 || !str_is_utf8(key))
		return err_set(err, ERR_INVALID, tr("Idempotency-Key has 1 to 200 bytes"));
	say_text(members, "request", key);
	return 0;
}

static int say_written(struct exchange *x, unsigned status, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str record;
	int r = json_parse(buf_str(&x->reply), NULL, 0, &doc, err);

	if (r == 0)
		r = json_need_text(doc, "record", &record, err);
	if (r < 0)
		return r;
	exchange_set(x, "Location", "/api/v1/records/%.*s", STR_ARG(record));
	x->status = status;
	return tag_by_version(x, err);
}

static int file_record(struct exchange *x, struct err *err)
{
	_cleanup_(buf_wipe) struct buf members = BUF_INIT_MAX(VERB_MAX_REQUEST);
	int r = refuse_own(x, own_members, ARRAY_LEN(own_members), err);

	if (r == 0)
		r = add_request_key(x, &members, err);
	if (r == 0)
		r = www_body_members(x, &members, err);
	if (r == 0)
		r = www_answer_verb(x, "file", buf_str(&members), err);
	return r < 0 ? r : say_written(x, 201, err);
}

/* If-Match names the version that the reviser saw. */
static int add_base(struct exchange *x, struct buf *members, struct err *err)
{
	struct str match = exchange_header(x, "If-Match");
	uint64_t version;

	if (!match.p) {
		x->fail_status = 428;
		return err_set(
			err, ERR_INVALID, tr("say in If-Match which version was seen (its ETag)"));
	}
	match = str_trim(match);
	if (match.n < 3 || match.p[0] != '"' || match.p[match.n - 1] != '"' ||
		str_to_u64((struct str){ match.p + 1, match.n - 2 }, INT64_MAX, &version, NULL) < 0)
		return err_set(err, ERR_INVALID, tr("If-Match is not the ETag of a version"));
	say_int(members, "base", (int64_t)version);
	return 0;
}

static int revise_record(struct exchange *x, struct err *err)
{
	_cleanup_(buf_wipe) struct buf members = BUF_INIT_MAX(VERB_MAX_REQUEST);
	int r = check_record(x, err);

	if (r == 0)
		r = refuse_own(x, own_members, ARRAY_LEN(own_members), err);
	if (r < 0)
		return r;
	say_text(&members, "record", x->values[0]);
	if ((r = add_base(x, &members, err)) < 0 || (r = add_request_key(x, &members, err)) < 0 ||
		(r = www_body_members(x, &members, err)) < 0)
		return r;
	r = www_answer_verb(x, "revise", buf_str(&members), err);
	if (r == -ERR_CONFLICT)
		x->fail_status = 412;
	return r < 0 ? r : say_written(x, 200, err);
}

static const struct route_param show_params[] = {
	{ "version", PARAM_INT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route_param log_params[] = {
	{ "limit", PARAM_INT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route_param difference_params[] = {
	{ "from", PARAM_INT, NULL },
	{ "to", PARAM_INT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/records", ROUTE_READER, .run = list_records, .params = list_params },
	{ METHOD_POST, "/api/v1/records", ROUTE_FILER, .run = file_record, .flags = ROUTE_JSON },
	{ METHOD_GET, "/api/v1/records/{record}", ROUTE_READER, .run = show_record, .verb = "show",
		.params = show_params, .flags = ROUTE_CACHED },
	{ METHOD_PATCH, "/api/v1/records/{record}", ROUTE_FILER, .run = revise_record,
		.flags = ROUTE_JSON },
	{ METHOD_GET, "/api/v1/records/{record}/log", ROUTE_READER, .verb = "log",
		.params = log_params },
	{ METHOD_GET, "/api/v1/records/{record}/differences", ROUTE_READER, .verb = "differences",
		.params = difference_params },
	{ METHOD_GET, "/api/v1/records/{record}/proof", ROUTE_READER, .verb = "proof",
		.params = show_params },
	{ METHOD_GET, "/api/v1/numbers/{number}", ROUTE_READER, .run = find_number },
};
const struct route_group api_records = { routes, ARRAY_LEN(routes) };
