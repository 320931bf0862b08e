/* api_series.c - series definitions, and the people whom records name. */
#include "www/inside.h"

static const struct route_param show_params[] = {
	{ "definition", PARAM_TEXT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/series", ROUTE_READER, .verb = "series.list" },
	{ METHOD_GET, "/api/v1/series/{series}", ROUTE_READER, .verb = "series.show",
		.params = show_params },
	{ METHOD_GET, "/api/v1/accounts", ROUTE_READER, .verb = "account.list" },
};
const struct route_group api_series = { routes, ARRAY_LEN(routes) };
