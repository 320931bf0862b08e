/* api_drafts.c - what an account keeps for itself: drafts, saved searches. A PUT writes the whole; with `version` it
 * conflicts when somebody (another window) wrote since. */
#include "www/inside.h"

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/drafts", ROUTE_FILER, .verb = "draft.list" },
	{ METHOD_GET, "/api/v1/drafts/{draft}", ROUTE_FILER, .verb = "draft.get" },
	{ METHOD_PUT, "/api/v1/drafts/{draft}", ROUTE_FILER, .verb = "draft.put",
		.flags = ROUTE_JSON },
	{ METHOD_DELETE, "/api/v1/drafts/{draft}", ROUTE_FILER, .verb = "draft.delete" },
	{ METHOD_GET, "/api/v1/views", ROUTE_READER, .verb = "view.list" },
	{ METHOD_GET, "/api/v1/views/{view}", ROUTE_READER, .verb = "view.get" },
	{ METHOD_PUT, "/api/v1/views/{view}", ROUTE_READER, .verb = "view.put",
		.flags = ROUTE_JSON },
	{ METHOD_DELETE, "/api/v1/views/{view}", ROUTE_READER, .verb = "view.delete" },
};
const struct route_group api_drafts = { routes, ARRAY_LEN(routes) };
