/* api_keep.c - keeping the archive: its log, its keys for checking, checkpoints, settings. */
#include "www/inside.h"

static const struct route_param log_params[] = {
	{ "limit", PARAM_INT, NULL },
	{ "before", PARAM_INT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/log", ROUTE_READER, .verb = "log", .params = log_params },
	{ METHOD_GET, "/api/v1/signers", ROUTE_READER, .verb = "signers" },
	{ METHOD_POST, "/api/v1/checkpoints", ROUTE_SESSION, .verb = "checkpoint",
		.flags = ROUTE_JSON },
	{ METHOD_GET, "/api/v1/settings", ROUTE_SESSION, .verb = "config.list" },
	{ METHOD_PATCH, "/api/v1/settings/{name}", ROUTE_SESSION, .verb = "config.set",
		.flags = ROUTE_JSON },
};
const struct route_group api_keep = { routes, ARRAY_LEN(routes) };
