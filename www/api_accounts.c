/* api_accounts.c - what an operator does for those who log in. Passwords are drawn here, never chosen by somebody else,
 * and a second factor is only taken away: the person sets up the next one. */
#include "www/inside.h"

static const struct route routes[] = {
	{ METHOD_POST, "/api/v1/accounts", ROUTE_SESSION, .verb = "account.add",
		.flags = ROUTE_JSON },
	{ METHOD_POST, "/api/v1/accounts/{account}/password", ROUTE_SESSION,
		.verb = "account.password" },
	{ METHOD_PUT, "/api/v1/accounts/{account}/roles", ROUTE_SESSION, .verb = "account.role",
		.flags = ROUTE_JSON },
	{ METHOD_POST, "/api/v1/accounts/{account}/unlock", ROUTE_SESSION,
		.verb = "account.unlock" },
	{ METHOD_DELETE, "/api/v1/accounts/{account}/second-factor", ROUTE_SESSION,
		.verb = "account.totp" },
	{ METHOD_DELETE, "/api/v1/accounts/{account}/sessions", ROUTE_SESSION,
		.verb = "account.end" },
};
const struct route_group api_accounts = { routes, ARRAY_LEN(routes) };
