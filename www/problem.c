/* problem.c - see problem.h. */
#include "www/problem.h"

#include "core/archive/say.h"
#include "core/base/tr.h"

/* Which status an error is. LOCKED and SEALED say that it may be right later, by somebody else's doing. */
static const unsigned statuses[ERR_CODE_COUNT] = {
	[ERR_INVALID] = 400,
	[ERR_NOTFOUND] = 404,
	[ERR_EXISTS] = 409,
	[ERR_CONFLICT] = 409,
	[ERR_DENIED] = 403,
	[ERR_LOCKED] = 503,
	[ERR_SEALED] = 503,
	[ERR_CORRUPT] = 500,
	[ERR_DESTROYED] = 410,
	[ERR_LIMIT] = 422,
	[ERR_FULL] = 507,
	[ERR_IO] = 500,
	[ERR_UNKNOWN] = 500,
	[ERR_CRYPTO] = 403,
	[ERR_UNSUPPORTED] = 501,
	[ERR_CANCELLED] = 503,
	[ERR_BUSY] = 503,
};

static const struct {
	unsigned status;
	const char *title;
} titles[] = {
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 507, "Insufficient Storage" },
};

unsigned problem_status(int code)
{
	int c = code < 0 ? -code : code;

	return c > 0 && c < ERR_CODE_COUNT && statuses[c] ? statuses[c] : 500;
}

const char *problem_title(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

/* Headers that stay: those that belong to the refusal itself. */
static const char *const kept[] = { "Allow", "Content-Range", "Retry-After", "Upload-Length",
	"Upload-Offset", "WWW-Authenticate" };

static void drop_headers(struct exchange *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->header_count; i++) {
		for (size_t k = 0; k < ARRAY_LEN(kept); k++) {
			if (str_is(x->headers[i].name, kept[k])) {
				x->headers[n++] = x->headers[i];
				break;
			}
		}
	}
	x->header_count = n;
}

void problem_say(struct exchange *x, unsigned status, const struct err *err, struct str members)
{
	_cleanup_(buf_wipe) struct buf more = BUF_INIT;
	const char *code = x->fail_code ? x->fail_code : err_word(err->code);

	if (status == 0)
		status = x->fail_status ? x->fail_status : problem_status(err->code);
	buf_add_str(&more, members); /* it may stand in the reply that is emptied now */
	{
		struct exchange_pair headers[EXCHANGE_MAX_HEADERS];
		size_t n;

		drop_headers(x);
		n = x->header_count;
		memcpy(headers, x->headers, sizeof(headers));
		exchange_reset_reply(x);
		memcpy(x->headers, headers, sizeof(headers));
		x->header_count = n;
	}
	x->status = status;
	exchange_set(x, "Content-Type", "application/problem+json; charset=utf-8");
	buf_addc(&x->reply, '{');
	say_cstr(&x->reply, "type", "about:blank");
	say_cstr(&x->reply, "title", problem_title(status));
	say_int(&x->reply, "status", status);
	say_cstr(&x->reply, "code", code);
	say_cstr(&x->reply, "detail", err->text);
	if (more.n > 0) {
		if (more.p[0] != ',')
			buf_addc(&x->reply, ',');
		buf_add_str(&x->reply, buf_str(&more));
	}
	buf_addc(&x->reply, '}');
	if (x->reply.failed) { /* a name that is not UTF-8, or too much beside it */
		buf_reset(&x->reply);
		buf_addf(&x->reply,
			"{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\"}",
			problem_title(status), status, code);
	}
}
