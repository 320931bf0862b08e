/* verbs_show.c - `show`, `get`, `text`: one record, and what is in it. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/outlet.h"
#include "core/archive/preview.h"
#include "core/archive/reading.h"
#include "core/archive/say.h"
#include "core/archive/show.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdio.h>

enum { HISTORY_MAX = 200 };

/* The record and the version that a request means, opened. */
static int open_wanted(struct archive *a, struct verb_call *call, struct record_head *ret_head,
	struct edition *ret, struct err *err)
{
	int64_t version = 0;
	int r = json_may_int(call->args, "version", 1, INT64_MAX, &version, err);

	if (r == 0)
		r = reading_find(a, call->args, ret_head, err);
	if (r < 0)
		return r;
	if ((uint64_t)version > ret_head->version)
		r = err_set(err, ERR_NOTFOUND,
			tr("record '%s' has no version %lld; its newest is %llu"), ret_head->number,
			(long long)version, (unsigned long long)ret_head->version);
	else
		r = edition_open(a, ret_head, (uint64_t)version, ret, err);
	if (r < 0)
		record_head_done(ret_head);
	return r;
}

/* ---- show ---- */

static void say_version(struct archive *a, const struct show_commits *commits,
	const struct edition *e, struct buf *b)
{
	const struct manifest *m = e->manifest;
	struct row_commit commit;

	say_map(b, NULL);
	say_int(b, "version", (int64_t)m->version);
	say_text(b, "act", m->action.verb);
	say_instant(b, "at", m->action.at);
	show_account(a, m->action.account, b);
	if (m->action.reason.n > 0)
		say_text(b, "reason", m->action.reason);
	say_text(b, "title", m->title);
	if (commits->known && row_commit_of(&commits->text, m->version, &commit, NULL) == 0)
		show_commit(a, commit.volume, &commit.commit, b);
	else
		say_cstr(b, "signature", "unknown");
	say_end_map(b);
}

static int say_history(
	struct archive *a, const struct record_head *head, struct buf *b, struct err *err)
{
	struct show_commits commits;
	uint64_t first = head->version > HISTORY_MAX ? head->version - HISTORY_MAX + 1 : 1;
	int r = 0;

	show_commits_find(a, &head->record, &commits);
	say_list(b, "history");
	for (uint64_t v = head->version; r == 0 && v >= first; v--) {
		struct edition e;

		r = edition_open(a, head, v, &e, err);
		if (r == 0) {
			say_version(a, &commits, &e, b);
			edition_done(&e);
		}
	}
	say_end_list(b);
	show_commits_done(&commits);
	return r;
}

int verb_show(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "version", NULL };
	struct record_head head;
	struct edition e;
	int r = args_only(call, names, err);

	if (r == 0)
		r = open_wanted(a, call, &head, &e, err);
	if (r < 0)
		return r;
	r = show_edition(a, &head, &e, call->reply, err);
	if (r == 0)
		r = say_history(a, &head, call->reply, err);
	edition_done(&e);
	record_head_done(&head);
	return r;
}

/* ---- get ---- */

static int get_part(
	struct archive *a, struct verb_call *call, const struct edition *e, struct err *err)
{
	const struct manifest_part *part;
	int64_t from = 0, to = INT64_MAX - 1;
	struct outlet out;
	struct str which;
	size_t i;
	int r;

	if ((r = json_need_text(call->args, "part", &which, err)) < 0 ||
		(r = edition_find_part(e, which, &i, err)) < 0 ||
		(r = json_may_int(call->args, "from", 0, INT64_MAX - 1, &from, err)) < 0 ||
		(r = json_may_int(call->args, "to", 0, INT64_MAX - 1, &to, err)) < 0)
		return r;
	part = &e->manifest->parts[i];
	if (from > to || ((uint64_t)from >= part->bytes && from > 0))
		return err_set(err, ERR_INVALID,
			tr("part '%.*s' has %llu bytes, not those that were asked for"),
			STR_ARG(part->name), (unsigned long long)part->bytes);
	outlet_open(&out, call, part->bytes);
	r = edition_read_part(a, e, i, (uint64_t)from, (uint64_t)to + 1, outlet_write, &out, err);
	outlet_done(&out);
	if (r < 0)
		return r;
	say_text(call->reply, "name", part->name);
	say_text(call->reply, "media", part->media);
	say_int(call->reply, "size", (int64_t)part->bytes);
	say_hex(call->reply, "sha256", part->sha256.b, sizeof(part->sha256.b));
	say_int(call->reply, "written", (int64_t)out.written);
	say_bool(call->reply, "complete", out.written == part->bytes);
	return 0;
}

int verb_get(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "version", "part", "from", "to",
		NULL };
	struct record_head head;
	struct edition e;
	int r = args_only(call, names, err);

	if (r == 0)
		r = open_wanted(a, call, &head, &e, err);
	if (r < 0)
		return r;
	r = get_part(a, call, &e, err);
	edition_done(&e);
	record_head_done(&head);
	return r;
}

/* ---- preview ---- */

static int preview_part(
	struct archive *a, struct verb_call *call, const struct edition *e, struct err *err)
{
	_cleanup_(buf_wipe) struct buf pdf = BUF_INIT_MAX(PREVIEW_MAX_BYTES + 1);
	struct outlet out;
	struct str which;
	size_t i;
	int r;

	if ((r = json_need_text(call->args, "part", &which, err)) < 0 ||
		(r = edition_find_part(e, which, &i, err)) < 0 ||
		(r = preview_get(a, e, i, &pdf, err)) < 0)
		return r;
	outlet_open(&out, call, pdf.n);
	r = outlet_write(&out, buf_str(&pdf), err);
	outlet_done(&out);
	if (r < 0)
		return r;
	say_text(call->reply, "name", e->manifest->parts[i].name);
	say_hex(call->reply, "sha256", e->manifest->parts[i].sha256.b, sizeof(struct digest));
	say_int(call->reply, "written", (int64_t)pdf.n);
	return 0;
}

int verb_preview(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "version", "part", NULL };
	struct record_head head;
	struct edition e;
	int r = args_only(call, names, err);

	if (r == 0)
		r = open_wanted(a, call, &head, &e, err);
	if (r < 0)
		return r;
	r = preview_part(a, call, &e, err);
	edition_done(&e);
	record_head_done(&head);
	return r;
}

/* ---- text ---- */

static int write_text(const struct extracted *text, struct outlet *out, struct err *err)
{
	_cleanup_(buf_wipe) struct buf head = BUF_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < text->page_count; i++) {
		const struct extracted_page *p = &text->pages[i];

		buf_reset(&head);
		if (p->sure > 0)
			buf_addf(&head, tr("[%u, recognised from a picture, %u %% sure]\n"),
				p->number, p->sure);
		else if (p->number > 0 || p->label.n > 0)
			buf_addf(&head, "[%u%s%.*s]\n", p->number, p->label.n ? " " : "",
				STR_ARG(p->label));
		r = outlet_write(out, buf_str(&head), err);
		if (r == 0)
			r = outlet_write(out, p->text, err);
		if (r == 0)
			r = outlet_write(out, STR("\n"), err);
	}
	return r;
}

/* A list of maps, for programs. */
static int write_pages(const struct extracted *text, struct outlet *out, struct err *err)
{
	_cleanup_(buf_wipe) struct buf page = BUF_INIT;
	int r = outlet_write(out, STR("["), err);

	for (size_t i = 0; r == 0 && i < text->page_count; i++) {
		const struct extracted_page *p = &text->pages[i];

		buf_reset(&page);
		buf_adds(&page, i ? ",{" : "{");
		if (p->number > 0)
			say_int(&page, "page", p->number);
		if (p->label.n > 0)
			say_text(&page, "label", p->label);
		if (p->sure > 0)
			say_int(&page, "sure", p->sure);
		say_text(&page, "text", p->text);
		buf_addc(&page, '}');
		r = buf_check(&page, err);
		if (r == 0)
			r = outlet_write(out, buf_str(&page), err);
	}
	return r < 0 ? r : outlet_write(out, STR("]"), err);
}

static int text_of_part(
	struct archive *a, struct verb_call *call, const struct edition *e, struct err *err)
{
	_cleanup_(secret_freep) struct secret *key = reading_text_key(a, e);
	_cleanup_(extracted_freep) struct extracted *text = NULL;
	struct str which = STR("1");
	bool as_json = false;
	struct outlet out;
	size_t i;
	int r;

	if ((r = json_may_text(call->args, "part", &which, err)) < 0 ||
		(r = args_bool(call->args, "json", &as_json, err)) < 0 ||
		(r = edition_find_part(e, which, &i, err)) < 0)
		return r;
	if (!key)
		return err_set(err, ERR_CRYPTO, tr("the record's key cannot be read"));
	r = textcache_get(a->texts, e->record.b, e->manifest->parts[i].id.b, key, &text, err);
	if (r == -ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND,
			tr("the text of this part has not been read yet: try again later"));
	if (r < 0)
		return r;
	outlet_open(&out, call, text->text_bytes);
	r = as_json ? write_pages(text, &out, err) : write_text(text, &out, err);
	outlet_done(&out);
	if (r < 0)
		return r;
	say_text(call->reply, "name", e->manifest->parts[i].name);
	say_int(call->reply, "pages", (int64_t)text->page_count);
	say_cstr(call->reply, "reason", extract_reason_word(text->reason));
	if (text->reason != EXTRACT_OK)
		say_cstr(call->reply, "sentence", extract_reason_text(text->reason));
	if (text->scanned > 0)
		say_int(call->reply, "sure", extracted_sure(text));
	return 0;
}

int verb_text(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "version", "part", "json", NULL };
	struct record_head head;
	struct edition e;
	int r = args_only(call, names, err);

	if (r == 0)
		r = open_wanted(a, call, &head, &e, err);
	if (r < 0)
		return r;
	r = text_of_part(a, call, &e, err);
	edition_done(&e);
	record_head_done(&head);
	return r;
}
