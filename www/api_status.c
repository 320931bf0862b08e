/* api_status.c - how the archive is: for everybody a little, for those who are logged in all; health and metrics for
 * machines. */
#include "www/inside.h"

static int say_public(struct exchange *x, const struct json *all, struct err *err)
{
	static const char *const names[] = { "demonstration", "program", "sealed", "unsealing" };

	buf_addc(&x->reply, '{');
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *value = json_map_get(all, names[i]);
		int r;

		if (!value)
			continue;
		json_add_name(&x->reply, names[i]);
		r = json_add_canonical(&x->reply, value, err);
		if (r < 0)
			return r;
	}
	say_cstr(&x->reply, "language", tr_language_name(x->language));
	buf_addc(&x->reply, '}');
	exchange_is_json(x);
	return 0;
}

static int get_status(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(json_freep) struct json *all = NULL;
	int r;

	if (x->has_session)
		return www_answer_verb(x, "status", STR(""), err);
	buf_addc(&text, '{');
	r = www_verb(x, "status", STR(""), NULL, 0, &text, err);
	buf_addc(&text, '}');
	if (r == 0)
		r = json_parse(buf_str(&text), NULL, 0, &all, err);
	return r < 0 ? r : say_public(x, all, err);
}

static int get_health(struct exchange *x, struct err *err)
{
	(void)err;
	exchange_set(x, "Content-Type", "text/plain; charset=utf-8");
	buf_adds(&x->reply, archive_is_sealed(x->www->archive) ? "sealed\n" : "ok\n");
	return 0;
}

static int get_metrics(struct exchange *x, struct err *err)
{
	if (!x->is_local && !x->has_session)
		return err_set(
			err, ERR_DENIED, tr("metrics are for this machine, or after log-in"));
	exchange_set(x, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	buf_addf(&x->reply,
		"# HELP muniment_sealed Whether the archive is sealed.\n# TYPE "
		"muniment_sealed gauge\nmuniment_sealed %d\n",
		archive_is_sealed(x->www->archive));
	metrics_say(&x->www->metrics, &x->reply);
	return 0;
}

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/status", ROUTE_PUBLIC, .run = get_status },
	{ METHOD_GET, "/api/v1/health", ROUTE_PUBLIC, .run = get_health, .flags = ROUTE_QUICK },
	{ METHOD_GET, "/api/v1/metrics", ROUTE_PUBLIC, .run = get_metrics, .flags = ROUTE_QUICK },
	{ METHOD_POST, "/api/v1/seal", ROUTE_SESSION, .verb = "seal", .flags = ROUTE_JSON },
};
const struct route_group api_status = { routes, ARRAY_LEN(routes) };
