/* cmd_status.c - what the archive, or the resident process that holds it, says of itself. */
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/pairs.h"

static void add_number(struct pairs *p, const char *name, int64_t v)
{
	pairs_addf(p, name, "%lld", (long long)v);
}

static void add_text(
	struct pairs *p, const char *name, const struct json *reply, const char *member)
{
	pairs_add(p, str_of(name), reply_text(reply, member));
}

static void add_process(struct pairs *p, const struct json *s)
{
	_cleanup_(buf_done) struct buf since = BUF_INIT;

	reply_add_instant(&since, reply_text(s, "since"));
	if (reply_bool(s, "resident"))
		pairs_addf(p, tr("process"), tr("resident, pid %lld, since %s"),
			(long long)reply_int(s, "pid"), since.p);
	else
		pairs_addf(p, tr("process"), "%s", tr("this command alone; no resident process"));
}

static void add_scans(struct pairs *p, const struct json *scans)
{
	if (!scans)
		return;
	if (!reply_bool(scans, "on"))
		pairs_addf(p, tr("text recognition"), "%s", tr("off (setting 'extract.ocr')"));
	else if (reply_bool(scans, "missing"))
		pairs_addf(p, tr("text recognition"), "%s",
			tr("not possible: the program 'tesseract' is not installed"));
	else if (reply_int(scans, "of") > 0)
		pairs_addf(p, tr("text recognition"), tr("%lld parts wait; at page %lld of %lld"),
			(long long)reply_int(scans, "waiting"), (long long)reply_int(scans, "page"),
			(long long)reply_int(scans, "of"));
	else
		pairs_addf(p, tr("text recognition"), tr("%lld parts wait"),
			(long long)reply_int(scans, "waiting"));
}

static void add_counts(struct pairs *p, const struct json *s)
{
	const struct json *lag = reply_at(s, "lag");
	_cleanup_(buf_done) struct buf size = BUF_INIT;

	term_add_size(&size, (uint64_t)reply_int(s, "pending_bytes"));
	if (!reply_at(s, "actions")) /* sealed: not known */
		return;
	add_number(p, tr("actions"), reply_int(s, "actions"));
	add_number(p, tr("records"), reply_int(s, "records"));
	pairs_addf(p, tr("not yet in packs"), tr("%lld frames, %s"),
		(long long)reply_int(s, "pending_frames"), size.p);
	if (!lag)
		return;
	pairs_addf(p, tr("registry behind"), tr("%lld actions"),
		(long long)reply_int(lag, "registry"));
	pairs_addf(p, tr("index behind"), tr("%lld actions"), (long long)reply_int(lag, "index"));
	add_number(p, tr("documents indexed"), reply_int(s, "indexed"));
	add_scans(p, reply_at(s, "scans"));
}

static void print_problems(struct cli *cli, const struct json *s)
{
	const struct json *problems = reply_at(s, "problems");

	for (size_t i = 0; i < reply_count(problems); i++) {
		(void)fputs(i ? "  " : tr("Problems:\n  "), cli->out.file);
		term_put(&cli->out, TERM_BAD, json_text(json_list_at(problems, i)));
		(void)fputc('\n', cli->out.file);
	}
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();
	_cleanup_(json_freep) struct json *s = NULL;
	int r = cli_call(cli, "status", NULL, NULL, 0, &s, err);

	(void)args;
	if (r < 0 || cli_print_json(cli, s))
		return r;
	add_text(p, tr("archive"), s, "archive");
	add_text(p, tr("folder"), s, "path");
	pairs_addf(p, tr("state"), "%s%s", reply_bool(s, "sealed") ? tr("sealed") : tr("unsealed"),
		reply_bool(s, "demonstration") ? tr(" (demonstration archive)") : "");
	add_process(p, s);
	add_text(p, tr("program"), s, "program");
	add_number(p, tr("custodians"), reply_int(s, "custodians"));
	add_number(p, tr("volumes"), reply_int(s, "volumes"));
	add_counts(p, s);
	if (reply_at(s, "aside"))
		pairs_addf(p, tr("set aside"),
			tr("journal frame %lld; see 'muniment journal acknowledge'"),
			(long long)reply_int(s, "aside"));
	pairs_addf(p, tr("text extraction"), "%s",
		reply_bool(s, "jail") ? tr("possible") : tr("refused: this kernel offers no jail"));
	pairs_print(p, &cli->out, 0);
	print_problems(cli, s);
	return 0;
}

const struct command command_status = {
	.name = "status",
	.help = { .zh = "档案库状态：是否封存、数量、待办、异常",
		.en = "state of the archive: sealed or not, counts, what is behind, problems" },
	.run = run,
};
