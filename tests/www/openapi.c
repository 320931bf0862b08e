/* openapi.c - the description and the table of routes say the same: every route is described with its
 * parameters, its body and who may; everything described is there. */
#include "core/base/file.h"
#include "core/base/json.h"
#include "tests/harness.h"
#include "www/route.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static struct json *doc;

static const char *const words[] = { [METHOD_GET] = "get",
	[METHOD_POST] = "post",
	[METHOD_PUT] = "put",
	[METHOD_PATCH] = "patch",
	[METHOD_DELETE] = "delete" };

static void setup(void)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT, text = BUF_INIT;
	struct err err = ERR_INIT;

	buf_addf(&path, "%s/www/openapi.json", getenv("MUNIMENT_SOURCE"));
	ck_ok(file_read_whole(AT_FDCWD, path.p, &text, &err), err);
	ck_ok(json_parse(buf_str(&text), NULL, JSON_ALLOW_FLOATS, &doc, &err), err);
}

static const struct json *member(const struct json *map, const char *name)
{
	return map && json_kind_of(map) == JSON_KIND_MAP ? json_map_get(map, name) : NULL;
}

static const struct json *operation_of(const struct route *route)
{
	return member(member(member(doc, "paths"), route->pattern), words[route->method]);
}

static bool has_param(const struct route *route, struct str name)
{
	for (const struct route_param *p = route->params; p && p->name; p++) {
		if (str_is(name, p->name))
			return true;
	}
	return false;
}

/* The parameters of the query that the description has, which must all be the route's; how many. */
static size_t check_params(const struct route *route, const struct json *operation)
{
	const struct json *list = member(operation, "parameters");
	size_t count = 0;

	for (size_t i = 0; list && i < json_list_count(list); i++) {
		struct str name = { NULL, 0 }, in = { NULL, 0 };

		ck_assert_int_eq(json_need_text(json_list_at(list, i), "name", &name, NULL), 0);
		ck_assert_int_eq(json_need_text(json_list_at(list, i), "in", &in, NULL), 0);
		if (!str_is(in, "query"))
			continue;
		ck_assert_msg(has_param(route, name),
			"%s %s is described with '%.*s', which it has not", words[route->method],
			route->pattern, STR_ARG(name));
		count++;
	}
	return count;
}

static void check_route(const struct route *route)
{
	const struct json *operation = operation_of(route),
			  *body = member(operation, "requestBody"),
			  *security = member(operation, "security");
	size_t params = 0;

	ck_assert_msg(operation != NULL, "%s %s is not described in www/openapi.json",
		words[route->method], route->pattern);
	while (route->params && route->params[params].name)
		params++;
	ck_assert_msg(check_params(route, operation) == params,
		"%s %s: not every parameter is described", words[route->method], route->pattern);
	ck_assert_msg((body != NULL) == ((route->flags & (ROUTE_JSON | ROUTE_BYTES)) != 0),
		"%s %s: its body is not as described", words[route->method], route->pattern);
	ck_assert_msg(security && (json_list_count(security) == 0) == (route->need == ROUTE_PUBLIC),
		"%s %s: who may is not as described", words[route->method], route->pattern);
}

START_TEST(every_route_is_described)
{
	setup();
	for (size_t g = 0; g < route_group_count; g++) {
		for (size_t i = 0; i < route_groups[g]->count; i++) {
			if (!(route_groups[g]->routes[i].flags & ROUTE_SHELL))
				check_route(&route_groups[g]->routes[i]);
		}
	}
	json_free(doc);
}
END_TEST

static bool is_route(const char *method, struct str pattern)
{
	for (size_t g = 0; g < route_group_count; g++) {
		for (size_t i = 0; i < route_groups[g]->count; i++) {
			const struct route *route = &route_groups[g]->routes[i];

			if (str_is(pattern, route->pattern) &&
				strcmp(words[route->method], method) == 0)
				return true;
		}
	}
	return false;
}

static int check_path(void *context, struct str pattern, const struct json *methods)
{
	int *count = context;

	for (size_t m = 0; m < ARRAY_LEN(words); m++) {
		if (!words[m] || !json_map_get(methods, words[m]))
			continue;
		(*count)++;
		ck_assert_msg(is_route(words[m], pattern), "%s %.*s is described, but is no route",
			words[m], STR_ARG(pattern));
	}
	return 0;
}

START_TEST(everything_described_is_a_route)
{
	int count = 0;

	setup();
	(void)json_map_each(member(doc, "paths"), check_path, &count);
	ck_assert_int_gt(count, 40);
	json_free(doc);
}
END_TEST

TESTS("www/openapi", every_route_is_described, everything_described_is_a_route)
