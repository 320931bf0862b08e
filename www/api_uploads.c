/* api_uploads.c - parts that come in pieces (core/archive/upload.h): begin, send chunk after chunk, finish; the record
 * then names the upload. The same as in tus 1.0, without its negotiation: Upload-Offset says where bytes belong. */
#include "www/inside.h"

#include "core/archive/upload.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <sys/mman.h>

/* What the verb said of the upload, as headers too: also beside an error. */
static void set_headers(struct exchange *x)
{
	_cleanup_(buf_wipe) struct buf text = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	int64_t offset, size;

	if (!str_starts(buf_str(&x->reply), "{"))
		buf_addc(&text, '{');
	buf_add_str(&text, buf_str(&x->reply));
	if (text.n > 0 && text.p[text.n - 1] != '}')
		buf_addc(&text, '}');
	if (json_parse(buf_str(&text), NULL, 0, &doc, NULL) < 0 ||
		json_need_int(doc, "offset", 0, INT64_MAX, &offset, NULL) < 0 ||
		json_need_int(doc, "size", 0, INT64_MAX, &size, NULL) < 0)
		return;
	exchange_set(x, "Upload-Offset", "%lld", (long long)offset);
	exchange_set(x, "Upload-Length", "%lld", (long long)size);
	exchange_set(x, "Cache-Control", "no-store");
}

static int begin(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(VERB_MAX_REQUEST);
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str upload;
	int r = www_body_members(x, &members, err);

	if (r == 0)
		r = www_answer_verb(x, "upload.begin", buf_str(&members), err);
	if (r == 0)
		r = json_parse(buf_str(&x->reply), NULL, 0, &doc, err);
	if (r == 0)
		r = json_need_text(doc, "upload", &upload, err);
	if (r < 0)
		return r;
	set_headers(x);
	exchange_set(x, "Location", "/api/v1/uploads/%.*s", STR_ARG(upload));
	x->status = 201;
	return 0;
}

static int show(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	int r = www_members(x, &members, err);

	if (r == 0)
		r = www_answer_verb(x, "upload.show", buf_str(&members), err);
	if (r == 0)
		set_headers(x);
	return r;
}

static int append(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	_cleanup_(closep) int fd = -1;
	struct str text = exchange_header(x, "Upload-Offset");
	uint64_t offset;
	int r;

	if (!text.p || str_to_u64(text, INT64_MAX, &offset, NULL) < 0)
		return err_set(
			err, ERR_INVALID, tr("say in Upload-Offset where these bytes belong"));
	r = www_members(x, &members, err);
	if (r < 0)
		return r;
	say_int(&members, "offset", (int64_t)offset);
	fd = memfd_create("upload", MFD_CLOEXEC);
	if (fd < 0)
		return err_errno(err, tr("cannot make a file in memory"));
	r = file_pwrite(fd, x->body.p, x->body.n, 0, err);
	if (r == 0) {
		buf_addc(&x->reply, '{');
		r = www_verb(x, "upload.append", buf_str(&members), &fd, 1, &x->reply, err);
	}
	set_headers(x);
	if (r < 0)
		return r;
	buf_reset(&x->reply);
	x->status = 204;
	return 0;
}

static int finish(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(VERB_MAX_REQUEST);
	int r = www_members(x, &members, err);

	if (r == 0)
		r = www_body_members(x, &members, err);
	if (r == 0)
		r = www_answer_verb(x, "upload.finish", buf_str(&members), err);
	set_headers(x);
	/* Not our disk's fault, as the code would say otherwise, but the way's. */
	if (r == -ERR_CORRUPT)
		x->fail_status = 422;
	return r;
}

static int drop(struct exchange *x, struct err *err)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT_MAX(2 * EXCHANGE_MAX_TARGET);
	int r = www_members(x, &members, err);

	if (r == 0)
		r = www_verb(x, "upload.drop", buf_str(&members), NULL, 0, &x->reply, err);
	if (r < 0)
		return r;
	buf_reset(&x->reply);
	x->status = 204;
	return 0;
}

static const struct route routes[] = {
	{ METHOD_POST, "/api/v1/uploads", ROUTE_FILER, .run = begin, .flags = ROUTE_JSON },
	{ METHOD_GET, "/api/v1/uploads/{upload}", ROUTE_FILER, .run = show },
	{ METHOD_PATCH, "/api/v1/uploads/{upload}", ROUTE_FILER, .run = append,
		.flags = ROUTE_BYTES, .body_max = UPLOAD_CHUNK },
	{ METHOD_POST, "/api/v1/uploads/{upload}/finish", ROUTE_FILER, .run = finish,
		.flags = ROUTE_JSON },
	{ METHOD_DELETE, "/api/v1/uploads/{upload}", ROUTE_FILER, .run = drop },
};
const struct route_group api_uploads = { routes, ARRAY_LEN(routes) };
