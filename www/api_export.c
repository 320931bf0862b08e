/* api_export.c - exactly what a list or a search shows, as a file for a spreadsheet. It is made whole, in
 * memory, before the first byte goes out: so that a failure is a problem and not half a table. */
#include "www/inside.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- a file in memory, as a stream ---- */

struct made {
	int fd;
	uint64_t bytes;
};

static int64_t made_read(void *context, uint64_t at, char *p, size_t n)
{
	struct made *m = context;
	ssize_t got = at < m->bytes ? pread(m->fd, p, n, (off_t)at) : 0;

	return got > 0 ? got : at >= m->bytes ? STREAM_END : STREAM_FAILED;
}

static void made_close(void *context)
{
	struct made *m = context;

	closep(&m->fd);
	free(m);
}

static const struct exchange_stream made_stream = { made_read, made_close };

/* Have a verb write into a file in memory, and that go out. */
static int answer_file(struct exchange *x, const char *verb, struct str members, struct err *err)
{
	_cleanup_(closep) int fd = memfd_create("made", MFD_CLOEXEC);
	_cleanup_(buf_wipe) struct buf reply = BUF_INIT;
	struct made *m;
	uint64_t bytes;
	int r;

	if (fd < 0)
		return err_errno(err, tr("cannot make a file in memory"));
	r = www_verb(x, verb, members, &fd, 1, &reply, err);
	if (r == 0)
		r = file_size(fd, &bytes, err);
	if (r < 0) {
		buf_add_str(&x->reply, buf_str(&reply));
		return r;
	}
	m = xcalloc(1, sizeof(*m));
	*m = (struct made){ TAKE_FD(fd), bytes };
	exchange_set(x, "Cache-Control", "no-store");
	exchange_stream(x, &made_stream, m, bytes);
	return 0;
}

/* ---- tables ---- */

static int answer_table(struct exchange *x, const char *view, const char *format, struct err *err)
{
	_cleanup_(buf_done) struct buf request = BUF_INIT_MAX(VERB_MAX_REQUEST),
				       members = BUF_INIT_MAX(VERB_MAX_REQUEST), name = BUF_INIT;
	bool is_csv = strcmp(format, "csv") == 0, is_list = strcmp(view, "list") == 0;
	char day[11];
	int r = www_members(x, &request, err);

	if (r < 0)
		return r;
	say_cstr(&members, "view", view);
	say_cstr(&members, "format", format);
	say_map(&members, "request");
	buf_add_str(&members, buf_str(&request));
	say_end_map(&members);
	r = answer_file(x, "export", buf_str(&members), err);
	if (r < 0)
		return r;
	buf_addf(&name, "%s %s.%s", is_list ? tr("list of records") : tr("hits of a search"),
		date_format(day_of(clock_now()), day), format);
	exchange_set(x, "Content-Type", "%s",
		is_csv ? "text/csv; charset=utf-8"
		       : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
	exchange_disposition(x, false, buf_str(&name));
	return 0;
}

static int list_csv(struct exchange *x, struct err *err)
{
	return answer_table(x, "list", "csv", err);
}

static int list_xlsx(struct exchange *x, struct err *err)
{
	return answer_table(x, "list", "xlsx", err);
}

static int search_csv(struct exchange *x, struct err *err)
{
	return answer_table(x, "search", "csv", err);
}

static int search_xlsx(struct exchange *x, struct err *err)
{
	return answer_table(x, "search", "xlsx", err);
}

/* ---- the printed page of a record ---- */

static int sheet(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET),
				       address = BUF_INIT, name = BUF_INIT;
	struct str host = exchange_header(x, "Host");
	int r = www_members(x, &members, err);

	if (r < 0)
		return r;
	if (host.n > 0 && host.n < 200 && str_is_utf8(host)) {
		buf_addf(&address, "https://%.*s/records/%.*s", STR_ARG(host),
			STR_ARG(x->values[0]));
		say_text(&members, "address", buf_str(&address));
	}
	r = answer_file(x, "sheet", buf_str(&members), err);
	if (r < 0)
		return r;
	buf_addf(&name, "%.*s.pdf", STR_ARG(x->values[0]));
	exchange_set(x, "Content-Type", "application/pdf");
	exchange_disposition(x, true, buf_str(&name));
	return 0;
}

/* Until another one is made, which takes seconds: 202, ask again. */
static int preview(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	int r = www_members(x, &members, err);

	if (r == 0)
		r = answer_file(x, "preview", buf_str(&members), err);
	if (r == -ERR_LOCKED) {
		buf_reset(&x->reply);
		buf_adds(&x->reply, "{\"state\":\"waiting\"}");
		exchange_is_json(x);
		exchange_set(x, "Retry-After", "2");
		x->status = 202;
		return 0;
	}
	if (r < 0)
		return r;
	exchange_set(x, "Content-Type", "application/pdf");
	exchange_disposition(x, true, STR("preview.pdf"));
	return 0;
}

static const struct route_param sheet_params[] = {
	{ "version", PARAM_INT, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

/* As the pages of the views, without what says where a page begins. */
static const struct route_param list_params[] = {
	{ "series", PARAM_TEXT, NULL },
	{ "department", PARAM_TEXT, NULL },
	{ "type", PARAM_TEXT, NULL },
	{ "from", PARAM_TEXT, NULL },
	{ "to", PARAM_TEXT, NULL },
	{ "order", PARAM_TEXT, NULL },
	{ "destroyed", PARAM_BOOL, NULL },
	{ "fresh", PARAM_BOOL, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route_param search_params[] = {
	{ "q", PARAM_TEXT, "query" },
	{ "order", PARAM_TEXT, NULL },
	{ "series", PARAM_LIST, NULL },
	{ "department", PARAM_LIST, NULL },
	{ "type", PARAM_LIST, NULL },
	{ "year", PARAM_LIST, NULL },
	{ "from", PARAM_TEXT, NULL },
	{ "to", PARAM_TEXT, NULL },
	{ "fresh", PARAM_BOOL, NULL },
	{ NULL, PARAM_TEXT, NULL },
};

static const struct route routes[] = {
	{ METHOD_GET, "/api/v1/records.csv", ROUTE_READER, .run = list_csv, .params = list_params },
	{ METHOD_GET, "/api/v1/records.xlsx", ROUTE_READER, .run = list_xlsx,
		.params = list_params },
	{ METHOD_GET, "/api/v1/records/{record}/sheet.pdf", ROUTE_READER, .run = sheet,
		.params = sheet_params },
	{ METHOD_GET, "/api/v1/records/{record}/parts/{part}/preview", ROUTE_READER, .run = preview,
		.params = sheet_params },
	{ METHOD_GET, "/api/v1/search.csv", ROUTE_READER, .run = search_csv,
		.params = search_params },
	{ METHOD_GET, "/api/v1/search.xlsx", ROUTE_READER, .run = search_xlsx,
		.params = search_params },
};
const struct route_group api_export = { routes, ARRAY_LEN(routes) };
