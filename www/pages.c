/* pages.c - the user interface: its files, and the shell that stands at every other address. */
#include "www/files.h"
#include "www/inside.h"

static int get_file(struct exchange *x, struct err *err)
{
	return files_answer(x->www->files, x, x->path, err);
}

static int get_openapi(struct exchange *x, struct err *err)
{
	return files_answer(x->www->files, x, STR("/api/openapi.json"), err);
}

static int get_docs(struct exchange *x, struct err *err)
{
	return files_answer(x->www->files, x, STR("docs.html"), err);
}

/* What looks like a file is not a page: a script that is missing must not be answered by HTML. */
static int get_shell(struct exchange *x, struct err *err)
{
	struct str last = x->path;

	while (last.n > 0 && memchr(last.p, '/', last.n))
		(void)str_cut(&last, '/');
	if (memchr(last.p ? last.p : "", '.', last.n) || str_starts(x->path, "/api/"))
		return err_set(err, ERR_NOTFOUND, tr("there is nothing at this address"));
	return files_answer(x->www->files, x, STR("index.html"), err);
}

enum { SHELL = ROUTE_SHELL };

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/openapi.json", ROUTE_PUBLIC, .run = get_openapi },
	{ METHOD_GET, "/ui/{rest...}", ROUTE_PUBLIC, .run = get_file, .flags = SHELL },
	{ METHOD_GET, "/vendor/{rest...}", ROUTE_PUBLIC, .run = get_file, .flags = SHELL },
	{ METHOD_GET, "/docs", ROUTE_PUBLIC, .run = get_docs, .flags = SHELL },
	{ METHOD_GET, "/{rest...}", ROUTE_PUBLIC, .run = get_shell, .flags = SHELL },
};
const struct route_group pages = { routes, ARRAY_LEN(routes) };
