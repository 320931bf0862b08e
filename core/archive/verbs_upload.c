/* verbs_upload.c - parts that come in pieces. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/say.h"
#include "core/archive/upload.h"

#include "core/base/hex.h"
#include "core/base/tr.h"

static void say_facts(const struct upload_facts *f, struct buf *b)
{
	say_id(b, "upload", &f->id);
	say_text(b, "name", buf_str(&f->name));
	if (f->media.n > 0)
		say_text(b, "media", buf_str(&f->media));
	say_int(b, "size", (int64_t)f->bytes);
	say_int(b, "offset", (int64_t)f->offset);
	say_int(b, "chunk_bytes", UPLOAD_CHUNK);
	say_instant(b, "expires", f->ends);
	say_bool(b, "finished", f->is_finished);
	if (f->is_finished)
		say_hex(b, "sha256", f->sha256.b, sizeof(f->sha256.b));
}

static int need_upload(const struct json *args, struct id *ret, struct err *err)
{
	struct str text;
	int r = json_need_text(args, "upload", &text, err);

	return r < 0 ? r : id_parse(text, ret, err);
}

int verb_upload_begin(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "name", "media", "size", NULL };
	struct str name, media = STR("");
	struct upload_facts facts;
	int64_t size;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_need_text(call->args, "name", &name, err)) < 0 ||
		(r = json_may_text(call->args, "media", &media, err)) < 0 ||
		(r = json_need_int(call->args, "size", 0, INT64_MAX, &size, err)) < 0)
		return r;
	r = upload_begin(a, call->account, name, media, (uint64_t)size, &facts, err);
	if (r < 0)
		return r;
	say_facts(&facts, call->reply);
	upload_facts_done(&facts);
	return 0;
}

int verb_upload_show(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "upload", NULL };
	struct upload_facts facts;
	struct id id;
	int r = args_only(call, names, err);

	if (r == 0)
		r = need_upload(call->args, &id, err);
	if (r == 0)
		r = upload_look(a, call, &id, &facts, err);
	if (r < 0)
		return r;
	say_facts(&facts, call->reply);
	upload_facts_done(&facts);
	return 0;
}

/* What is known of it goes out beside a failure, too, so that a client knows where to go on. */
int verb_upload_append(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "upload", "offset", NULL };
	struct upload_facts facts = { .name = BUF_INIT, .media = BUF_INIT };
	struct id id;
	int64_t offset;
	int r = args_only(call, names, err);

	if (r < 0 || (r = need_upload(call->args, &id, err)) < 0 ||
		(r = json_need_int(call->args, "offset", 0, INT64_MAX, &offset, err)) < 0)
		return r;
	r = upload_append(a, call, &id, (uint64_t)offset, call->fds[0], &facts, err);
	if (facts.name.n > 0)
		say_facts(&facts, call->reply);
	upload_facts_done(&facts);
	return r;
}

int verb_upload_finish(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "upload", "sha256", NULL };
	struct upload_facts facts = { .name = BUF_INIT, .media = BUF_INIT };
	struct str said = { NULL, 0 };
	struct digest sha256;
	struct id id;
	int r = args_only(call, names, err);

	if (r < 0 || (r = need_upload(call->args, &id, err)) < 0 ||
		(r = json_may_text(call->args, "sha256", &said, err)) < 0 ||
		(said.p && (r = digest_parse(said, &sha256, err)) < 0))
		return r;
	r = upload_finish(a, call, &id, said.p ? &sha256 : NULL, &facts, err);
	if (facts.name.n > 0)
		say_facts(&facts, call->reply);
	upload_facts_done(&facts);
	return r;
}

int verb_upload_drop(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "upload", NULL };
	struct id id;
	int r = args_only(call, names, err);

	if (r == 0)
		r = need_upload(call->args, &id, err);
	if (r == 0)
		r = upload_drop(a, call->account, &id, err);
	if (r == 0)
		say_bool(call->reply, "dropped", true);
	return r;
}
