/* cmd_revise.c - a new version of a record; a conflict shows both sides. */
#include "core/base/tr.h"
#include "core/main/commands.h"
#include "core/main/filing.h"
#include "core/main/table.h"

static const struct option options[] = {
	FILING_OPTIONS,
	{ .name = "base",
		.letter = 'b',
		.kind = OPTION_NUMBER,
		.argument = "VERSION",
		.max = UINT32_MAX,
		.meaning = { .zh = "修订所依据的版本；他人已先行修改则报告冲突（默认当前版本）",
			.en = "the version you saw; when somebody changed it since, that is a "
			      "conflict (default: "
			      "the newest)" } },
	{ .name = "remove",
		.kind = OPTION_TEXT,
		.may_repeat = true,
		.argument = "PART",
		.meaning = { .zh = "移除组成文件（名称或标识；旧版本仍保留）",
			.en = "take a part out (name or id; older versions keep it)" } },
};

static int newest(struct cli *cli, const char *number, int64_t *ret_version, struct err *err)
{
	_cleanup_(json_freep) struct json *record = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "number", number);
	say_end_map(&request);
	r = cli_call(cli, "show", &request, NULL, 0, &record, err);
	if (r == 0)
		*ret_version = reply_int(record, "version");
	return r;
}

static void add_side(struct table *t, const char *what, const struct json *version)
{
	_cleanup_(buf_done) struct buf at = BUF_INIT;

	reply_add_instant(&at, reply_text(version, "at"));
	table_add(t, str_of(what));
	table_add_number(t, (uint64_t)reply_int(version, "version"));
	table_add(t, buf_str(&at));
	table_add(t, reply_text(version, "name").n ? reply_text(version, "name")
						   : reply_text(version, "account"));
	table_add(t, reply_text(version, "title"));
}

static void print_conflict(struct cli *cli, const char *number)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "", .en = "" } },
		{ .title = { .zh = "版本", .en = "VERSION" }, .is_right = true },
		{ .title = { .zh = "时间", .en = "WHEN" } },
		{ .title = { .zh = "操作人", .en = "WHO" } },
		{ .title = { .zh = "题名", .en = "TITLE" }, .shrinks = 20 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	if (!reply_at(cli->detail, "head") || cli->json)
		return;
	add_side(t, tr("you saw"), reply_at(cli->detail, "base"));
	add_side(t, tr("it is now"), reply_at(cli->detail, "head"));
	table_print(t, &cli->remarks);
	cli_remark(cli, tr("what changed: muniment log %s; to revise the newest: --base %lld"),
		number, (long long)reply_int(reply_at(cli->detail, "head"), "version"));
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(filing_parts_done) struct filing_parts parts = { .count = 0 };
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const char *number = args->operands[0];
	int64_t base = (int64_t)args_number(args, "base", 0);
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "number", number);
	r = filing_say(&request, args, err);
	if (r == -ERR_INVALID)
		return EXIT_USAGE;
	if (r == 0)
		r = filing_say_parts(&request, args, 1, &parts, err);
	if (r == 0 && !args_has(args, "base"))
		r = newest(cli, number, &base, err);
	if (r < 0)
		return r;
	say_int(&request, "base", base);
	say_options(&request, args, "remove", "remove");
	say_end_map(&request);
	r = cli_call(cli, "revise", &request, parts.fds, parts.count, &reply, err);
	if (r == -ERR_CONFLICT)
		print_conflict(cli, number);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "number"));
	term_printf(&cli->out, tr("  version %lld\n"), (long long)reply_int(reply, "version"));
	return 0;
}

const struct command command_revise = {
	.name = "revise",
	.operands = "NUMBER [PART...]",
	.min_operands = 1,
	.max_operands = 1 + FILING_PARTS_MAX,
	.help = { .zh = "修订档案：形成新版本", .en = "revise a record: a new version" },
	.about = { .zh = "只改给出的项目；同名组成文件被替换，--field 名称= "
			 "清空字段。旧版本永久保留。",
		.en = "Changes what is given only; a part of the same name is replaced, --field "
		      "NAME= clears a field. Older versions "
		      "stay." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
