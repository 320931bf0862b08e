/* cmd_list.c - the register, page by page. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/table.h"

static const char *const orders[] = { "newest", "oldest", "number", "filed", "filed_down", NULL };

static const struct option options[] = {
	{ .name = "series",
		.letter = 's',
		.kind = OPTION_TEXT,
		.argument = "SERIES",
		.meaning = { .zh = "只列此门类（代码）", .en = "only this series (code)" } },
	{ .name = "department",
		.letter = 'd',
		.kind = OPTION_TEXT,
		.argument = "NAME",
		.meaning = { .zh = "只列此部门", .en = "only this department" } },
	{ .name = "type",
		.kind = OPTION_TEXT,
		.argument = "TYPE",
		.meaning = { .zh = "只限此文件类型", .en = "only of this type of file" } },
	{ .name = "from",
		.kind = OPTION_DATE,
		.argument = "DAY",
		.meaning = { .zh = "档案日期不早于", .en = "dated on this day or later" } },
	{ .name = "to",
		.kind = OPTION_DATE,
		.argument = "DAY",
		.meaning = { .zh = "档案日期不晚于", .en = "dated on this day or earlier" } },
	{ .name = "order",
		.kind = OPTION_WORD,
		.words = orders,
		.argument = "newest|oldest|number|filed|filed_down",
		.meaning = { .zh = "排序：日期新到旧、旧到新、编号、归档先后、归档后先（默认 "
				   "newest）",
			.en = "by date downwards or upwards, number, filing (default: newest)" } },
	{ .name = "limit",
		.letter = 'l',
		.kind = OPTION_NUMBER,
		.max = 10000,
		.argument = "N",
		.meaning = { .zh = "每页行数（默认 50）", .en = "rows a page (default: 50)" } },
	{ .name = "after",
		.kind = OPTION_TEXT,
		.argument = "NUMBER",
		.meaning = { .zh = "从此编号之后继续（上一页的最后一行）",
			.en = "go on behind this record: the last row of the page before" } },
	{ .name = "all",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "包括门类定义与账户",
			.en = "series definitions and accounts, too" } },
	{ .name = "destroyed",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "包括已销毁的档案", .en = "destroyed records too" } },
};

static int say_after(struct buf *b, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *key = NULL;
	const char *after = args_text(args, "after");

	if (!after)
		return 0;
	/* What `--json` gave as `next`, from a script. */
	if (after[0] != '{') {
		say_cstr(b, "after", after);
		return 0;
	}
	if (json_parse(str_of(after), NULL, 0, &key, err) < 0)
		return err_prefix(err, -ERR_INVALID, tr("option '--%s'"), "after");
	say_json(b, "after", str_of(after));
	return 0;
}

static int ask(struct buf *b, const struct args *args, struct err *err)
{
	int r;

	say_map(b, NULL);
	say_option(b, args, "series", "series");
	say_option(b, args, "department", "department");
	say_option(b, args, "type", "type");
	say_option(b, args, "from", "from");
	say_option(b, args, "to", "to");
	say_option(b, args, "order", "order");
	say_option_number(b, args, "limit", "limit");
	say_flag(b, args, "destroyed", "destroyed");
	say_flag(b, args, "all", "all");
	r = say_after(b, args, err);
	say_end_map(b);
	return r;
}

static void print_rows(struct cli *cli, const struct json *rows)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "编号", .en = "NUMBER" } },
		{ .title = { .zh = "日期", .en = "DATE" } },
		{ .title = { .zh = "门类", .en = "SERIES" }, .shrinks = 8 },
		{ .title = { .zh = "部门", .en = "DEPARTMENT" }, .shrinks = 8 },
		{ .title = { .zh = "版本", .en = "VER" }, .is_right = true },
		{ .title = { .zh = "件", .en = "PARTS" }, .is_right = true },
		{ .title = { .zh = "题名", .en = "TITLE" }, .shrinks = 16 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < reply_count(rows); i++) {
		const struct json *row = json_list_at(rows, i);
		bool is_gone = reply_bool(row, "destroyed");

		table_add_styled(t, TERM_BOLD, reply_text(row, "number"));
		table_add(t, reply_text(row, "date"));
		table_add(t, reply_text(row, "series_title").n ? reply_text(row, "series_title")
							       : reply_text(row, "series"));
		table_add(t, reply_text(row, "department"));
		table_add_number(t, (uint64_t)reply_int(row, "version"));
		table_add_number(t, (uint64_t)reply_int(row, "parts"));
		if (is_gone)
			table_add_styled(t, TERM_DIM, str_of(tr("(destroyed)")));
		else
			table_add(t, reply_text(row, "title"));
	}
	table_print(t, &cli->out);
}

static void remark_next(struct cli *cli, const struct json *next)
{
	if (reply_text(next, "number").n > 0)
		cli_remark(
			cli, tr("next page: --after '%.*s'"), STR_ARG(reply_text(next, "number")));
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r = ask(&request, args, err);

	if (r < 0)
		return EXIT_USAGE;
	r = cli_call(cli, "list", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	print_rows(cli, reply_at(reply, "rows"));
	cli_remark(cli, tr("%lld records"), (long long)reply_int(reply, "count"));
	remark_next(cli, reply_at(reply, "next"));
	return 0;
}

const struct command command_list = {
	.name = "list",
	.help = { .zh = "列出档案，可按门类、部门、类型、日期筛选",
		.en = "list records, by series, department, type, date" },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
