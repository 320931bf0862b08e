/* api_search.c - search. */
#include "www/inside.h"

static const struct route_param search_params[] = {
	{ "q", PARAM_TEXT, "query" },
	{ "order", PARAM_TEXT, NULL },
	{ "limit", PARAM_INT, NULL },
	{ "offset", PARAM_INT, NULL },
	{ "series", PARAM_LIST, NULL },
	{ "department", PARAM_LIST, NULL },
	{ "type", PARAM_LIST, NULL },
	{ "year", PARAM_LIST, NULL },
	{ "from", PARAM_TEXT, NULL },
	{ "to", PARAM_TEXT, NULL },
	{ "facets", PARAM_BOOL, NULL },
	{ "snippets", PARAM_BOOL, NULL },
	{ "columns", PARAM_INT, NULL },
	{ "fresh", PARAM_BOOL, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route_param suggest_params[] = {
	{ "q", PARAM_TEXT, "query" },
	{ "limit", PARAM_INT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/search", ROUTE_READER, .verb = "search", .params = search_params },
	{ METHOD_GET, "/api/v1/search/suggest", ROUTE_READER, .verb = "suggest",
		.params = suggest_params },
};
const struct route_group api_search = { routes, ARRAY_LEN(routes) };
