/* verbs_sheet.c - `sheet`: the printed page of a record, as PDF, drawn by a program in the jail (sheet_main.c). */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/outlet.h"
#include "core/archive/people.h"
#include "core/archive/say.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"
#include "search/extract.h"
#include "search/jail.h"

#include <string.h>

enum { SHEET_MAX_BYTES = 32 << 20, SHEET_SECONDS = 30, ADDRESS_MAX = 500 };

/* Beside muniment-extract, wherever that is. */
static int find_program(struct buf *ret, struct err *err)
{
	int r = extract_helper_path(ret, err);
	const char *slash;

	if (r < 0)
		return r;
	slash = strrchr(ret->p, '/');
	buf_cut(ret, slash ? (size_t)(slash - ret->p) + 1 : 0);
	buf_adds(ret, "muniment-sheet");
	return buf_check(ret, err);
}

static void say_labels(struct buf *b)
{
	static const struct {
		const char *name, *text;
	} labels[] = { { "sheet", TR_MARK("Record sheet") }, { "facts", TR_MARK("Facts") },
		{ "number", TR_MARK("number") }, { "series_title", TR_MARK("series") },
		{ "department", TR_MARK("department") }, { "date", TR_MARK("date") },
		{ "at", TR_MARK("filed at") }, { "name", TR_MARK("filed by") },
		{ "reason", TR_MARK("reason") }, { "version", TR_MARK("version") },
		{ "address", TR_MARK("address") }, { "fields", TR_MARK("Fields") },
		{ "parts", TR_MARK("Parts") }, { "file", TR_MARK("file") },
		{ "bytes", TR_MARK("bytes") }, { "versions", TR_MARK("Versions") },
		{ "signature", TR_MARK("signature") }, { "commit", TR_MARK("commit") },
		{ "fingerprint", TR_MARK("signing key") }, { "good", TR_MARK("good") },
		{ "bad", TR_MARK("bad") }, { "unknown", TR_MARK("unknown") } };

	say_map(b, "labels");
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		say_cstr(b, labels[i].name, tr(labels[i].text));
	say_end_map(b);
}

/* What `show` says of it. */
static int add_record(struct archive *a, struct verb_call *call, struct buf *b, struct err *err)
{
	_cleanup_(buf_wipe) struct buf request = BUF_INIT;
	_cleanup_(json_freep) struct json *args = NULL;
	static const char *const taken[] = { "number", "record", "version" };
	struct verb_call inner = *call;
	int r = 0;

	say_map(&request, NULL);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(taken); i++) {
		const struct json *v = json_map_get(call->args, taken[i]);

		if (v) {
			json_add_name(&request, taken[i]);
			r = json_add_canonical(&request, v, err);
		}
	}
	say_end_map(&request);
	if (r == 0)
		r = json_parse(buf_str(&request), NULL, 0, &args, err);
	if (r < 0)
		return r;
	inner.args = args;
	inner.reply = b;
	json_add_name(b, "record");
	buf_addc(b, '{');
	r = verb_show(a, &inner, err);
	buf_addc(b, '}');
	return r;
}

static int say_input(struct archive *a, struct verb_call *call, struct str address, struct buf *b,
	struct err *err)
{
	_cleanup_(buf_done) struct buf foot = BUF_INIT, name = BUF_INIT;
	char at[17];
	int r;

	people_name(a->people, str_of(call->account), &name);
	buf_addf(&foot, tr("printed %s %s"), instant_format_local(clock_now(), at), name.p);
	say_map(b, NULL);
	say_text(b, "foot", buf_str(&foot));
	if (address.n > 0)
		say_text(b, "address", address);
	say_labels(b);
	r = add_record(a, call, b, err);
	say_end_map(b);
	return r < 0 ? r : buf_check(b, err);
}

static int draw(struct archive *a, struct str input, struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf program = BUF_INIT_MAX(8192);
	_cleanup_(closep) int fd = jail_memfd_new(err);
	bool unjailed = settings_int(a->settings, SETTING_EXTRACT_UNJAILED) != 0;
	const char *const argv[] = { "muniment-sheet", unjailed ? "unjailed" : NULL, NULL };
	struct jail_job job = { .argv = argv,
		.max_output_bytes = SHEET_MAX_BYTES,
		.deadline = clock_ticks() + (int64_t)SHEET_SECONDS * 1000000000,
		.cancel = &a->stopping };
	struct jail_result result;
	int r = fd < 0 ? fd : find_program(&program, err);

	if (r == 0)
		r = file_pwrite(fd, input.p, input.n, 0, err);
	if (r == 0)
		r = jail_memfd_seal(fd, err);
	if (r < 0)
		return r;
	job.program = program.p;
	job.input = fd;
	r = jail_run(&job, ret, &result, err);
	if (r == -ERR_NOTFOUND || (r == 0 && result.end == JAIL_EXITED && result.status == 3))
		return err_set(err, ERR_UNSUPPORTED,
			tr("sheets cannot be printed here: 'muniment-sheet' is not installed, or "
			   "this "
			   "kernel offers no jail"));
	if (r == 0 && (result.end != JAIL_EXITED || result.status != 0 || ret->n < 5 ||
			      memcmp(ret->p, "%PDF-", 5) != 0))
		r = err_set(err, ERR_LIMIT, tr("this record's sheet cannot be printed"));
	return r;
}

int verb_sheet(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "version", "address", NULL };
	_cleanup_(buf_wipe) struct buf input = BUF_INIT_MAX(15 << 20);
	_cleanup_(buf_wipe) struct buf pdf = BUF_INIT_MAX(SHEET_MAX_BYTES + 1);
	struct str address = STR("");
	struct outlet out;
	int r = args_only(call, names, err);

	if (r == 0)
		r = json_may_text(call->args, "address", &address, err);
	if (r == 0 && address.n > ADDRESS_MAX)
		r = err_set(err, ERR_LIMIT, tr("an address has at most %d bytes"), ADDRESS_MAX);
	if (r == 0)
		r = say_input(a, call, address, &input, err);
	if (r == 0)
		r = draw(a, buf_str(&input), &pdf, err);
	if (r < 0)
		return r;
	outlet_open(&out, call, pdf.n);
	r = outlet_write(&out, buf_str(&pdf), err);
	outlet_done(&out);
	if (r == 0)
		say_int(call->reply, "written", (int64_t)pdf.n);
	return r;
}
