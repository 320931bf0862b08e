/* cmd_reindex.c - derived data: make them again, and pack them tight. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"

static const struct option options[] = {
	{ .name = "text",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "连同文字重新提取",
			.en = "extract the text of all documents again, too" } },
};

static int run_reindex(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_flag(&request, args, "text", "text");
	say_end_map(&request);
	r = cli_call(cli, "reindex", &request, NULL, 0, &reply, err);
	if (r == -ERR_CANCELLED)
		cli_remark(cli, "%s", tr("interrupted; the same command goes on where it stopped"));
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	if (reply_bool(reply, "resumed"))
		cli_remark(cli, "%s", tr("went on where an earlier run was interrupted"));
	term_printf(&cli->out, tr("Registered %lld records, indexed %lld documents, %lld s\n"),
		(long long)reply_int(reply, "records"), (long long)reply_int(reply, "documents"),
		(long long)reply_int(reply, "seconds"));
	return 0;
}

static int run_compact(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = cli_call(cli, "compact", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_printf(&cli->out, tr("Index compacted: %lld documents, %lld s\n"),
		(long long)reply_int(reply, "documents"), (long long)reply_int(reply, "seconds"));
	return 0;
}

static int run_recognise(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = cli_call(cli, "recognise", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r == -ERR_CANCELLED)
		cli_remark(cli, "%s", tr("interrupted; the same command goes on where it stopped"));
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_printf(&cli->out, tr("Recognised the text of %lld scans, %lld wait\n"),
		(long long)reply_int(reply, "parts"), (long long)reply_int(reply, "waiting"));
	return 0;
}

const struct command command_reindex = {
	.name = "reindex",
	.help = { .zh = "由卷库重建登记库和索引；可中断续作",
		.en = "make registry and index again from the volumes; can be interrupted and "
		      "resumed" },
	.about = { .zh = "登记库和索引都可随时删除：此命令由签名历史重建。提取的文字另存，加 "
			 "--text 才重新提取。",
		.en = "Registry and index may be deleted at any time; this makes them again from "
		      "the signed history. Extracted text is "
		      "kept apart and made again with --text only." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run_reindex,
};

const struct command command_recognise = {
	.name = "recognise",
	.help = { .zh = "对等待的扫描件做文字识别；可中断续作",
		.en = "recognise the text of scans that wait for it; can be interrupted and "
		      "resumed" },
	.about = { .zh = "'muniment serve' "
			 "在后台自行识别，每页约两秒；此命令用于没有常驻进程时。识别出的"
			 "文字可搜索，并标明为文字识别。",
		.en = "A resident process does so in the background, two seconds a page; this is "
		      "for "
		      "when no process stays. What was recognised can be searched, and is "
		      "marked as such." },
	.run = run_recognise,
};

const struct command command_compact = {
	.name = "compact",
	.help = { .zh = "整理索引，清除已删文字的残留",
		.en = "pack the index tight; what was deleted from it leaves the files" },
	.run = run_compact,
};
