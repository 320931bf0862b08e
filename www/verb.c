/* verb.c - from a request to a verb and back. */
#include "www/inside.h"

#include "core/base/hex.h"

#include <stdio.h>

static int keep_going(void *context, const struct verb_progress *progress)
{
	struct www *www = context;

	(void)progress;
	return atomic_load(&www->cancelling) ? 1 : 0;
}

int www_run_verb(struct www *www, const char *account, const char *verb, struct str members,
	const int *fds, size_t fd_count, struct buf *ret, struct err *err)
{
	static const struct json_limits limits = { VERB_MAX_REQUEST, EXCHANGE_MAX_DEPTH, 200000 };
	_cleanup_(buf_wipe) struct buf request = BUF_INIT_MAX(VERB_MAX_REQUEST + 256);
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call call = { .caller = { .origin =
						      account[0] ? ACCESS_SESSION : ACCESS_NOBODY },
		.fds = fds,
		.fd_count = fd_count,
		.tell = keep_going,
		.tell_context = www,
		.reply = ret };
	int r;

	buf_addc(&request, '{');
	buf_add_str(&request, members);
	buf_addc(&request, '}');
	r = buf_check(&request, err);
	if (r == 0)
		r = json_parse(buf_str(&request), &limits, 0, &args, err);
	if (r < 0)
		return r;
	call.args = args;
	(void)snprintf(call.caller.account, sizeof(call.caller.account), "%s", account);
	return verb_run(www->archive, str_of(verb), &call, err);
}

int www_verb(struct exchange *x, const char *verb, struct str members, const int *fds,
	size_t fd_count, struct buf *ret, struct err *err)
{
	return www_run_verb(x->www, x->has_session ? x->session.account : "", verb, members, fds,
		fd_count, ret, err);
}

int www_answer_verb(struct exchange *x, const char *verb, struct str members, struct err *err)
{
	int r;

	buf_addc(&x->reply, '{');
	r = www_verb(x, verb, members, NULL, 0, &x->reply, err);
	if (r < 0)
		return r;
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return 0;
}

/* ---- parameters ---- */

static int wrong_value(struct exchange *x, const struct route_param *p, struct err *err)
{
	buf_reset(&x->reply);
	say_cstr(&x->reply, "field", p->name);
	return err_set(
		err, ERR_INVALID, tr("parameter '%s' has a value that it cannot have"), p->name);
}

static int add_opaque(struct exchange *x, const struct route_param *p, struct str value,
	struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(4096), plain = BUF_INIT_MAX(4096);
	_cleanup_(json_freep) struct json *doc = NULL;

	for (size_t i = 0; i < value.n && i < 4000; i++)
		buf_addc(&text, value.p[i] == '-' ? '+' : value.p[i] == '_' ? '/' : value.p[i]);
	while (text.n % 4)
		buf_addc(&text, '=');
	if (value.n > 4000 || base64_decode(buf_str(&text), &plain, NULL) < 0 ||
		json_parse(buf_str(&plain), NULL, 0, &doc, NULL) < 0)
		return wrong_value(x, p, err);
	json_add_name(ret, p->member ? p->member : p->name);
	return json_add_canonical(ret, doc, err);
}

int www_opaque(const struct json *value, struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT_MAX(4096), text = BUF_INIT_MAX(8192);
	int r = json_add_canonical(&plain, value, err);

	if (r < 0)
		return r;
	base64_add(&text, plain.p, plain.n);
	for (size_t i = 0; i < text.n && text.p[i] != '='; i++)
		buf_addc(ret, text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i]);
	return 0;
}

static int add_param(struct exchange *x, const struct route_param *p, struct str value,
	struct buf *ret, struct err *err)
{
	const char *member = p->member ? p->member : p->name;
	uint64_t n;

	switch (p->kind) {
	case PARAM_TEXT:
		say_text(ret, member, value);
		return 0;
	case PARAM_INT:
		if (str_to_u64(value, INT64_MAX, &n, NULL) < 0)
			return wrong_value(x, p, err);
		say_int(ret, member, (int64_t)n);
		return 0;
	case PARAM_BOOL:
		if (!str_is(value, "1") && !str_is(value, "true") && !str_is(value, "0") &&
			!str_is(value, "false"))
			return wrong_value(x, p, err);
		say_bool(ret, member, str_is(value, "1") || str_is(value, "true"));
		return 0;
	case PARAM_LIST:
		say_list(ret, member);
		for (size_t i = 0; i < x->query_count; i++) {
			if (str_is(x->query[i].name, p->name))
				say_item(ret, x->query[i].value);
		}
		say_end_list(ret);
		return 0;
	case PARAM_OPAQUE:
		return add_opaque(x, p, value, ret, err);
	}
	return 0;
}

/* "{record}" in the pattern, value by value. */
static void add_values(struct exchange *x, struct buf *ret)
{
	struct str rest = str_of(x->route->pattern);

	for (size_t i = 0; rest.p; i++) {
		struct str name;

		(void)str_cut(&rest, '{');
		if (!rest.p)
			break;
		name = str_cut(&rest, '}');
		{
			_cleanup_(freep) char *member = str_dup(name);

			say_text(ret, member, x->values[i]);
		}
	}
}

int www_members(struct exchange *x, struct buf *ret, struct err *err)
{
	add_values(x, ret);
	for (const struct route_param *p = x->route->params; p && p->name; p++) {
		struct str value = exchange_query(x, p->name);
		bool is_ours = p->member && !p->member[0];
		int r = value.p && !is_ours ? add_param(x, p, value, ret, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int www_body_members(struct exchange *x, struct buf *ret, struct err *err)
{
	const struct json *doc;
	struct str text = str_trim(buf_str(&x->body));
	int r = exchange_json(x, &doc, err);

	if (r < 0)
		return r;
	if (text.n >= 2) /* empty is {} */
		text = str_trim((struct str){ text.p + 1, text.n - 2 });
	if (text.n > 0 && ret->n > 0)
		buf_addc(ret, ',');
	buf_add_str(ret, text);
	return 0;
}
