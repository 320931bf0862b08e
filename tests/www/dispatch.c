/* dispatch.c - requests without a socket: addresses, refusals, filing and reading over the API, ranges, tags, names in
 * headers. */
#include "core/base/json.h"
#include "tests/harness.h"
#include "tests/www/web.h"
#include "www/route.h"

#include <stdio.h>

#define FILER "Cookie: __Host-muniment=filer\nContent-Type: application/json\n"
#define READER "Cookie: __Host-muniment=reader\nContent-Type: application/json\n"

static struct web web;

static void setup(void)
{
	struct err err = ERR_INIT;

	ck_ok(web_open(&web, harness_dir(), NULL, &err), err);
}

/* The answer must have this status; its body is kept until the program ends. */
static struct str ask(const char *method, const char *target, const char *headers, const char *body,
	unsigned status, struct exchange **ret)
{
	struct exchange *x = web_ask(&web, method, target, headers, str_of(body));

	if (x->status != status)
		ck_abort_msg(
			"%s %s: %u, not %u: %s", method, target, x->status, status, x->reply.p);
	if (ret) {
		*ret = x;
		return buf_str(&x->reply);
	}
	exchange_free(x);
	return STR("");
}

static void refuses(const char *method, const char *target, const char *headers, const char *body,
	unsigned status, const char *code)
{
	struct exchange *x;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str text = ask(method, target, headers, body, status, &x), word;

	ck_assert_str_eq(
		exchange_get(x, "Content-Type").p, "application/problem+json; charset=utf-8");
	ck_assert_int_eq(json_parse(text, NULL, 0, &doc, NULL), 0);
	ck_assert_int_eq(json_need_text(doc, "code", &word, NULL), 0);
	if (!str_is(word, code))
		ck_abort_msg("%s %s: code %.*s, not %s", method, target, STR_ARG(word), code);
	exchange_free(x);
}

START_TEST(addresses)
{
	_cleanup_(buf_done) struct buf many = BUF_INIT;

	setup();
	refuses("GET", "/api/v1/nothing", READER, "", 404, "notfound");
	refuses("GET", "/api/v1/", READER, "", 404, "notfound");
	refuses("GET", "/api", READER, "", 404, "notfound");
	refuses("GET", "/nothing.js", READER, "", 404, "notfound");
	refuses("GET", "x", READER, "", 400, "invalid");
	refuses("GET", "", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/numbers/%", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/numbers/%4", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/numbers/%zz", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/numbers/%00", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/numbers/%ff", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/records?limit=%e4%b8", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/records?limit=x", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/records?limit=-1", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/records?after=!!", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/records?after=eyJ9", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/records?unknown=1", READER, "", 400, "invalid");
	refuses("GET", "/api/v1/records/x%0d%0aSet-Cookie:a", READER, "", 404, "notfound");
	refuses("DELETE", "/api/v1/records", FILER, "", 405, "unsupported");
	refuses("BREW", "/api/v1/records", FILER, "", 405, "unsupported");
	refuses("POST", "/search", FILER, "", 405, "unsupported");
	for (int i = 0; i < EXCHANGE_MAX_QUERY; i++)
		buf_addf(&many, "%slang=en", i ? "&" : "/api/v1/status?");
	ask("GET", many.p, "", "", 200, NULL);
	buf_adds(&many, "&lang=en");
	refuses("GET", many.p, "", "", 400, "limit");
	buf_reset(&many);
	buf_adds(&many, "/api/v1/status?lang=");
	while (many.n < EXCHANGE_MAX_TARGET)
		buf_addc(&many, 'e');
	ask("GET", many.p, "", "", 200, NULL);
	buf_addc(&many, 'e');
	refuses("GET", many.p, "", "", 414, "limit");
	web_close(&web);
}
END_TEST

START_TEST(who_may)
{
	setup();
	refuses("GET", "/api/v1/records", "", "", 401, "session");
	refuses("GET", "/api/v1/records", "Cookie: __Host-muniment=wrong\n", "", 401, "session");
	refuses("GET", "/api/v1/records", "Cookie: __Host-munimentx=reader\n", "", 401, "session");
	ask("GET", "/api/v1/records", "Cookie: a=b; __Host-muniment=reader; c\n", "", 200, NULL);
	refuses("POST", "/api/v1/records", READER, "{}", 403, "denied");
	refuses("POST", "/api/v1/records", FILER "Origin: https://evil.example\nHost: here\n", "{}",
		403, "denied");
	refuses("POST", "/api/v1/records", FILER "Origin: null\nHost: here\n", "{}", 403, "denied");
	refuses("POST", "/api/v1/records", FILER "Origin: http://here\nHost: here\n", "{}", 403,
		"denied");
	refuses("POST", "/api/v1/records", FILER "Sec-Fetch-Site: cross-site\n", "{}", 403,
		"denied");
	refuses("POST", "/api/v1/records", FILER "Sec-Fetch-Site: same-site\n", "{}", 403,
		"denied");
	refuses("POST", "/api/v1/records",
		FILER "Sec-Fetch-Site: same-origin\nOrigin: https://here:8443\nHost: here:8443\n",
		"{}", 400, "invalid");
	/* Nobody acts as another, and be it where it would not count. */
	refuses("POST", "/api/v1/seal", FILER, "{\"as\":\"u-00001\"}", 403, "denied");
	refuses("POST", "/api/v1/jobs", FILER, "{\"verb\":\"verify\",\"as\":\"\"}", 403, "denied");
	refuses("PUT", "/api/v1/views/v", FILER, "{\"as\":\"u-00002\",\"content\":{}}", 403,
		"denied");
	ask("POST", "/api/v1/seal", FILER, "{}", 200, NULL);
	refuses("GET", "/api/v1/records", READER, "", 503, "sealed");
	refuses("GET", "/api/v1/records", "", "", 503, "sealed");
	ask("GET", "/api/v1/status", "", "", 200, NULL);
	web_close(&web);
}
END_TEST

START_TEST(bodies)
{
	_cleanup_(buf_done) struct buf deep = BUF_INIT;

	setup();
	refuses("POST", "/api/v1/records",
		"Cookie: __Host-muniment=filer\nContent-Type: text/plain\nContent-Length: 2\n",
		"{}", 415, "unsupported");
	refuses("POST", "/api/v1/records", FILER "Content-Length: 99999999\n", "", 413, "limit");
	refuses("POST", "/api/v1/records", FILER "Content-Length: -1\n", "", 400, "invalid");
	refuses("POST", "/api/v1/session",
		"Content-Type: application/json\nContent-Length: 16385\n", "", 413, "limit");
	refuses("POST", "/api/v1/unseal", FILER "Content-Length: 16385\n", "", 413, "limit");
	refuses("POST", "/api/v1/session",
		"Content-Type: application/json\nContent-Length: 16384\n", "{}", 400, "invalid");
	refuses("GET", "/api/v1/records", READER "Content-Length: 1\n", "", 413, "limit");
	refuses("POST", "/api/v1/records", FILER, "[]", 400, "invalid");
	refuses("POST", "/api/v1/records", FILER, "{", 400, "invalid");
	refuses("POST", "/api/v1/records", FILER, "{}}", 400, "invalid");
	refuses("POST", "/api/v1/records", FILER, "{\"series\":\"GEN\",\"series\":\"DOC\"}", 400,
		"invalid");
	refuses("POST", "/api/v1/records", FILER, "{\"as\":\"u-00002\",\"series\":\"GEN\"}", 400,
		"invalid");
	refuses("POST", "/api/v1/checkpoints", FILER, "{\"as\":\"u-00002\"}", 403, "denied");
	refuses("POST", "/api/v1/records", FILER, "{\"series\":\"GEN\",\"title\":\"\xff\"}", 400,
		"invalid");
	for (int i = 0; i < EXCHANGE_MAX_DEPTH + 1; i++)
		buf_adds(&deep, "{\"a\":");
	refuses("POST", "/api/v1/records", FILER, deep.p, 422, "limit");
	buf_addc(&deep, '1');
	for (int i = 0; i < EXCHANGE_MAX_DEPTH + 1; i++)
		buf_addc(&deep, '}');
	refuses("POST", "/api/v1/records", FILER, deep.p, 422, "limit");
	web_close(&web);
}
END_TEST

/* File a record without parts; its id is kept. */
static const char *file_one(const char *title)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT;
	struct exchange *x;
	struct str text;
	static char record[33];
	struct str id;
	_cleanup_(json_freep) struct json *doc = NULL;

	buf_addf(&body, "{\"series\":\"GEN\",\"department\":\"运营部\",\"title\":\"%s\"}", title);
	text = ask("POST", "/api/v1/records", FILER "Idempotency-Key: k1\n", body.p, 201, &x);
	ck_assert_str_eq(exchange_get(x, "ETag").p, "\"1\"");
	ck_assert_int_eq(json_parse(text, NULL, 0, &doc, NULL), 0);
	ck_assert_int_eq(json_need_text(doc, "record", &id, NULL), 0);
	(void)snprintf(record, sizeof(record), "%.*s", STR_ARG(id));
	ck_assert(str_ends(exchange_get(x, "Location"), record));
	exchange_free(x);
	return record;
}

START_TEST(records)
{
	_cleanup_(buf_done) struct buf target = BUF_INIT, other = BUF_INIT;
	struct exchange *x;
	const char *record;

	setup();
	record = file_one("题名");
	buf_addf(&target, "/api/v1/records/%s", record);
	ask("GET", target.p, READER, "", 200, &x);
	ck_assert_str_eq(exchange_get(x, "ETag").p, "\"1\"");
	ck_assert(memmem(x->reply.p, x->reply.n, "题名", 6) != NULL);
	exchange_free(x);
	/* The same key again is the same record. */
	ck_assert_str_eq(file_one("题名"), record);
	refuses("PATCH", target.p, FILER, "{\"title\":\"a\"}", 428, "invalid");
	refuses("PATCH", target.p, FILER "If-Match: 1\n", "{\"title\":\"a\"}", 400, "invalid");
	refuses("PATCH", target.p, FILER "If-Match: *\n", "{\"title\":\"a\"}", 400, "invalid");
	refuses("PATCH", target.p, FILER "If-Match: \"1\"\n", "{\"base\":1,\"title\":\"a\"}", 400,
		"invalid");
	ask("PATCH", target.p, FILER "If-Match: \"1\"\n",
		"{\"title\":\"题名二\",\"reason\":\"改\"}", 200, &x);
	ck_assert_str_eq(exchange_get(x, "ETag").p, "\"2\"");
	exchange_free(x);
	x = web_ask(&web, "PATCH", target.p, FILER "If-Match: \"1\"\n", STR("{\"title\":\"三\"}"));
	ck_assert_uint_eq(x->status, 412);
	ck_assert(
		memmem(x->reply.p, x->reply.n, "题名二", 9) != NULL); /* both versions are there */
	exchange_free(x);
	buf_addf(&other, "%s?version=1", target.p);
	ask("GET", other.p, READER, "", 200, &x);
	ck_assert_str_eq(exchange_get(x, "ETag").p, "\"1\"");
	exchange_free(x);
	buf_reset(&other);
	buf_addf(&other, "%s/log", target.p);
	ask("GET", other.p, READER, "", 200, NULL);
	refuses("GET", "/api/v1/records/00000000000000000000000000000000", READER, "", 404,
		"notfound");
	refuses("GET", "/api/v1/numbers/nothing%2Fhere", READER, "", 404, "notfound");
	web_close(&web);
}
END_TEST

/* A list is walked page by page by its opaque `next`. */
START_TEST(pages_of_a_list)
{
	_cleanup_(buf_done) struct buf target = BUF_INIT;
	int page_count = 0, rows = 0;

	setup();
	for (int i = 0; i < 5; i++) {
		char body[200];

		(void)snprintf(body, sizeof(body),
			"{\"series\":\"GEN\",\"department\":\"运营部\",\"title\":\"t%d\"}", i);
		ask("POST", "/api/v1/records", FILER, body, 201, NULL);
	}
	buf_adds(&target, "/api/v1/records?fresh=1&limit=2&series=GEN");
	for (;;) {
		struct exchange *x;
		_cleanup_(json_freep) struct json *doc = NULL;
		struct str text = ask("GET", target.p, READER, "", 200, &x), next = { NULL, 0 };
		const struct json *list;

		ck_assert_int_eq(json_parse(text, NULL, 0, &doc, NULL), 0);
		ck_assert_int_eq(json_need_list(doc, "rows", &list, NULL), 0);
		rows += (int)json_list_count(list);
		page_count++;
		(void)json_may_text(doc, "next", &next, NULL);
		buf_reset(&target);
		buf_addf(&target, "/api/v1/records?limit=2&series=GEN&after=%.*s", STR_ARG(next));
		exchange_free(x);
		if (!next.p)
			break;
		ck_assert_int_lt(page_count, 10);
	}
	ck_assert_int_eq(rows, 5);
	web_close(&web);
}
END_TEST

/* The bytes of a part: whole, in ranges that cross windows, at their ends, not there. */
START_TEST(parts)
{
	enum { BYTES = 9 << 20 };
	_cleanup_(freep) char *bytes = xcalloc(1, BYTES);
	_cleanup_(buf_done) struct buf target = BUF_INIT, headers = BUF_INIT;
	struct exchange *x;
	char record[33], tag[100];
	static const struct {
		const char *range;
		uint64_t first, last;
	} cases[] = {
		{ "bytes=0-0", 0, 0 },
		{ "bytes=4194303-4194304", 4194303, 4194304 },
		{ "bytes=4194304-", 4194304, BYTES - 1 },
		{ "bytes=-1", BYTES - 1, BYTES - 1 },
		{ "bytes=-5000000", BYTES - 5000000, BYTES - 1 },
		{ "bytes=100-8388707", 100, 8388707 },
		{ "bytes=9437183-99999999", BYTES - 1, BYTES - 1 },
	};

	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (char)(i * 31 + i / 4096);
	setup();
	web_file(&web, bytes, BYTES, "质量\"报告.pdf", "application/pdf", record);
	buf_addf(&target, "/api/v1/records/%s/parts/1", record);
	ask("GET", target.p, READER, "", 200, &x);
	ck_assert_uint_eq(x->reply.n, BYTES);
	ck_assert(memcmp(x->reply.p, bytes, BYTES) == 0);
	ck_assert_str_eq(exchange_get(x, "Content-Type").p, "application/pdf");
	ck_assert(str_starts(
		exchange_get(x, "Content-Disposition"), "inline; filename=\"_____.pdf\";"));
	(void)snprintf(tag, sizeof(tag), "%s", exchange_get(x, "ETag").p);
	exchange_free(x);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char wanted[100];

		buf_reset(&headers);
		buf_addf(&headers, READER "Range: %s\nIf-Range: %s\n", cases[i].range, tag);
		ask("GET", target.p, headers.p, "", 206, &x);
		(void)snprintf(wanted, sizeof(wanted), "bytes %llu-%llu/%d",
			(unsigned long long)cases[i].first, (unsigned long long)cases[i].last,
			BYTES);
		ck_assert_str_eq(exchange_get(x, "Content-Range").p, wanted);
		ck_assert_uint_eq(x->reply.n, cases[i].last - cases[i].first + 1);
		ck_assert(memcmp(x->reply.p, bytes + cases[i].first, x->reply.n) == 0);
		exchange_free(x);
	}
	x = web_ask(&web, "GET", target.p, READER "Range: bytes=9437184-\n", STR(""));
	ck_assert_uint_eq(x->status, 416);
	ck_assert_str_eq(exchange_get(x, "Content-Range").p, "bytes */9437184");
	exchange_free(x);
	refuses("GET", target.p, READER "Range: bytes=5-4\n", "", 416, "invalid");
	ask("GET", target.p, READER "Range: bytes=0-0\nIf-Range: \"other\"\n", "", 200, &x);
	ck_assert_uint_eq(x->reply.n, BYTES);
	exchange_free(x);
	buf_reset(&headers);
	buf_addf(&headers, READER "If-None-Match: %s\n", tag);
	ask("GET", target.p, headers.p, "", 304, &x);
	ck_assert_uint_eq(x->reply.n, 0);
	ck_assert_str_eq(exchange_get(x, "ETag").p, tag);
	exchange_free(x);
	ask("HEAD", target.p, READER, "", 200, &x);
	ck_assert_uint_eq(x->stream_bytes, BYTES);
	exchange_free(x);
	buf_adds(&target, "?download=1");
	ask("GET", target.p, READER "Range: bytes=0-1\n", "", 206, &x);
	ck_assert(str_starts(exchange_get(x, "Content-Disposition"), "attachment;"));
	exchange_free(x);
	web_close(&web);
}
END_TEST

/* What was filed cannot run here, whatever it calls itself. */
START_TEST(hostile_parts)
{
	static const struct {
		const char *media, *type;
		bool is_inline;
	} cases[] = {
		{ "text/html", "application/octet-stream", false },
		{ "image/svg+xml", "application/octet-stream", false },
		{ "application/javascript", "application/octet-stream", false },
		{ "text/javascript", "application/octet-stream", false },
		{ "text/css", "application/octet-stream", false },
		{ "application/wasm", "application/octet-stream", false },
		{ "application/xhtml+xml", "application/octet-stream", false },
		{ "application/vnd.ms-word+xml", "application/octet-stream", false },
		{ "multipart/x-mixed-replace", "application/octet-stream", false },
		{ "application/vnd.ms-excel", "application/vnd.ms-excel", false },
		{ "text/csv", "text/csv", false },
		{ "text/plain", "text/plain", true },
		{ "image/png", "image/png", true },
	};

	setup();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf target = BUF_INIT;
		struct exchange *x;
		char record[33];

		web_file(&web, "<script>1</script>", i ? 18 : 0, "a\\b<script>.html",
			cases[i].media, record);
		buf_addf(&target, "/api/v1/records/%s/parts/1", record);
		ask("GET", target.p, READER, "", 200, &x);
		ck_assert_uint_eq(x->reply.n, i ? 18 : 0);
		ck_assert_str_eq(exchange_get(x, "Content-Type").p, cases[i].type);
		ck_assert_str_eq(exchange_get(x, "X-Content-Type-Options").p, "nosniff");
		ck_assert(str_starts(exchange_get(x, "Content-Disposition"),
			cases[i].is_inline ? "inline;" : "attachment;"));
		ck_assert(cases[i].is_inline ||
			  str_ends(exchange_get(x, "Content-Security-Policy"), "sandbox"));
		exchange_free(x);
	}
	web_close(&web);
}
END_TEST

START_TEST(ranges)
{
	static const struct {
		const char *header;
		uint64_t size;
		bool good;
		enum range_kind kind;
		uint64_t first, last;
	} cases[] = {
		{ "bytes=0-0", 10, true, RANGE_FROM, 0, 0 },
		{ "bytes=2-", 10, true, RANGE_FROM, 2, 9 },
		{ "bytes=2-99", 10, true, RANGE_FROM, 2, 9 },
		{ "bytes = 2 - 3", 10, true, RANGE_FROM, 2, 3 },
		{ "bytes=-3", 10, true, RANGE_LAST, 7, 9 },
		{ "bytes=-30", 10, true, RANGE_LAST, 0, 9 },
		{ "bytes=0-99999999999999999999999999", 10, true, RANGE_FROM, 0, 9 },
		{ "bytes=99999999999999999999999999-", 10, false, RANGE_FROM, 0, 0 },
		{ "bytes=-0", 10, false, RANGE_LAST, 0, 0 },
		{ "bytes=10-", 10, false, RANGE_FROM, 0, 0 },
		{ "bytes=5-4", 10, false, RANGE_WRONG, 0, 0 },
		{ "bytes=x-4", 10, false, RANGE_WRONG, 0, 0 },
		{ "bytes=-", 10, false, RANGE_WRONG, 0, 0 },
		{ "bytes=4", 10, false, RANGE_WRONG, 0, 0 },
		{ "bytes=-5", 0, false, RANGE_LAST, 0, 0 },
		{ "bytes=0-1,3-4", 10, true, RANGE_NONE, 0, 9 },
		{ "lines=0-1", 10, true, RANGE_NONE, 0, 9 },
		{ "bytes", 10, true, RANGE_NONE, 0, 9 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct range r = range_parse(str_of(cases[i].header));
		uint64_t first = 0, last = 0;

		ck_assert_msg(r.kind == cases[i].kind, "%s", cases[i].header);
		ck_assert_msg(range_resolve(&r, cases[i].size, &first, &last) == cases[i].good,
			"%s", cases[i].header);
		if (cases[i].good)
			ck_assert_msg(first == cases[i].first && last == cases[i].last, "%s",
				cases[i].header);
	}
	ck_assert(range_parse((struct str){ NULL, 0 }).kind == RANGE_NONE);
}
END_TEST

START_TEST(tags)
{
	ck_assert(exchange_tag_matches(STR("\"a\""), STR("a")));
	ck_assert(exchange_tag_matches(STR("W/\"a\""), STR("a")));
	ck_assert(exchange_tag_matches(STR("\"b\" , \"a\""), STR("a")));
	ck_assert(exchange_tag_matches(STR("*"), STR("a")));
	ck_assert(!exchange_tag_matches(STR("a"), STR("a")));
	ck_assert(!exchange_tag_matches(STR("\"a"), STR("a")));
	ck_assert(!exchange_tag_matches(STR("\"\""), STR("a")));
	ck_assert(!exchange_tag_matches(STR(""), STR("")));
}
END_TEST

/* Whatever a file is called, it stays within its header. */
START_TEST(names_in_headers)
{
	struct exchange *x = exchange_new(NULL);

	exchange_disposition(x, false, STR("质量 报告\".pdf"));
	ck_assert_str_eq(exchange_get(x, "Content-Disposition").p,
		"attachment; filename=\"__ ___.pdf\"; "
		"filename*=UTF-8''%E8%B4%A8%E9%87%8F%20%E6%8A%A5%E5%91%8A%22.pdf");
	exchange_reset_reply(x);
	exchange_disposition(x, true, STR("a\r\nSet-Cookie: b=c\"; x"));
	ck_assert_str_eq(exchange_get(x, "Content-Disposition").p,
		"inline; filename=\"a__Set-Cookie_ b_c__ x\"; "
		"filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b%3Dc%22%3B%20x");
	exchange_reset_reply(x);
	exchange_set(x, "X", "a\r\nb");
	ck_assert_uint_eq(x->status, 500);
	ck_assert(!exchange_get(x, "X").p);
	exchange_reset_reply(x);
	exchange_set(x, "X", "a\tb");
	ck_assert_uint_eq(x->status, 500);
	exchange_free(x);
}
END_TEST

TESTS("www/dispatch", addresses, who_may, bodies, records, pages_of_a_list, parts, hostile_parts,
	ranges, tags, names_in_headers)
