/* cmd_file.c - file one record. */
#include "core/base/tr.h"
#include "core/main/commands.h"
#include "core/main/filing.h"

static const struct option options[] = {
	{ .name = "series",
		.letter = 's',
		.kind = OPTION_TEXT,
		.argument = "SERIES",
		.is_required = true,
		.meaning = { .zh = "门类（代码或名称）", .en = "series, by code or title" } },
	FILING_OPTIONS,
	{ .name = "number",
		.letter = 'n',
		.kind = OPTION_TEXT,
		.argument = "NUMBER",
		.meaning = { .zh = "自带编号（门类允许时）；否则由系统连续编号",
			.en = "a number that the document brings, where the series lets it; else "
			      "one is drawn" } },
};

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(filing_parts_done) struct filing_parts parts = { .count = 0 };
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_option(&request, args, "series", "series");
	say_option(&request, args, "number", "number");
	r = filing_say(&request, args, err);
	if (r == -ERR_INVALID)
		return EXIT_USAGE;
	if (r == 0)
		r = filing_say_parts(&request, args, 0, &parts, err);
	if (r < 0)
		return r;
	say_end_map(&request);
	r = cli_call(cli, "file", &request, parts.fds, parts.count, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "number"));
	(void)fputc('\n', cli->out.file);
	if (reply_bool(reply, "existing"))
		cli_remark(cli, "%s",
			tr("filed before under the same request key; nothing was written"));
	return 0;
}

const struct command command_file = {
	.name = "file",
	.operands = "[PART...]",
	.max_operands = FILING_PARTS_MAX,
	.help = { .zh = "归档一份档案", .en = "file one record" },
	.about = { .zh = "PART "
			 "是组成文件的路径。成功即已落盘：断电或强行终止也不会丢失。输出新档案的编"
			 "号。",
		.en = "PART is the path of a file that becomes part of the record. Success means "
		      "durable: it survives power loss. "
		      "Prints the new record's number." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
