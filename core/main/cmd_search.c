/* cmd_search.c - find records by what is in them. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/marked.h"
#include "core/main/table.h"

static const char *const orders[] = { "relevance", "newest", "oldest", NULL };

static const struct option options[] = {
	{ .name = "series",
		.letter = 's',
		.kind = OPTION_TEXT,
		.may_repeat = true,
		.argument = "SERIES",
		.meaning = { .zh = "只在此门类（代码）中", .en = "only in this series (code)" } },
	{ .name = "department",
		.letter = 'd',
		.kind = OPTION_TEXT,
		.may_repeat = true,
		.argument = "NAME",
		.meaning = { .zh = "只在此部门", .en = "only of this department" } },
	{ .name = "type",
		.kind = OPTION_TEXT,
		.may_repeat = true,
		.argument = "TYPE",
		.meaning = { .zh = "只限此文件类型，如 pdf",
			.en = "only of this type of file, as pdf" } },
	{ .name = "year",
		.kind = OPTION_NUMBER,
		.may_repeat = true,
		.max = 2999,
		.argument = "YEAR",
		.meaning = { .zh = "只限此年份", .en = "only of this year" } },
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
		.argument = "relevance|newest|oldest",
		.meaning = { .zh = "排序：相关度、最新、最早（默认相关度）",
			.en = "order (default: relevance)" } },
	{ .name = "limit",
		.letter = 'l',
		.kind = OPTION_NUMBER,
		.max = 1000,
		.argument = "N",
		.meaning = { .zh = "每页条数（默认 20）", .en = "hits a page (default: 20)" } },
	{ .name = "offset",
		.kind = OPTION_NUMBER,
		.max = 100000,
		.argument = "N",
		.meaning = { .zh = "跳过前 N 条", .en = "leave out the first N" } },
	{ .name = "after",
		.kind = OPTION_TEXT,
		.argument = "KEY",
		.meaning = { .zh = "从上一页给出的位置继续（按日期排序时）",
			.en = "go on behind the key that the page before gave (orders by date)" } },
	{ .name = "facets",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "显示按门类、部门、年份、类型的分布",
			.en = "show how the hits spread over series, departments, years, types" } },
	{ .name = "no-snippets",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "不显示摘录", .en = "without snippets" } },
	{ .name = "fresh",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "等到刚归档的都可检索",
			.en = "wait until all that was filed can be found" } },
};

/* "2025-05-20/<id>" */
static int say_after(struct buf *b, const struct args *args, struct err *err)
{
	struct str rest = str_of(args_text(args, "after")), day = str_cut(&rest, '/');

	if (!args_has(args, "after"))
		return 0;
	if (day.n != 10 || rest.n != 32)
		return err_set(err, ERR_INVALID,
			tr("'--after' takes the key that the page before ended with, DAY/ID"));
	say_map(b, "after");
	say_text(b, "date", day);
	say_text(b, "record", rest);
	say_end_map(b);
	return 0;
}

static int ask(struct buf *b, const struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(buf_done) struct buf query = BUF_INIT;
	size_t columns = term_columns(&cli->out);

	for (size_t i = 0; i < args->operand_count; i++)
		buf_addf(&query, "%s%s", i ? " " : "", args->operands[i]);
	say_map(b, NULL);
	say_text(b, "query", buf_str(&query));
	say_options(b, args, "series", "series");
	say_options(b, args, "department", "department");
	say_options(b, args, "type", "type");
	say_options(b, args, "year", "year");
	say_option(b, args, "from", "from");
	say_option(b, args, "to", "to");
	say_option(b, args, "order", "order");
	say_option_number(b, args, "limit", "limit");
	say_option_number(b, args, "offset", "offset");
	say_flag(b, args, "facets", "facets");
	say_flag(b, args, "fresh", "fresh");
	if (args_has(args, "no-snippets"))
		say_bool(b, "snippets", false);
	if (columns > 40)
		say_int(b, "columns", (int64_t)columns - 20);
	if (!cli->json) {
		say_list(b, "mark");
		say_item(b, STR(MARK_START));
		say_item(b, STR(MARK_END));
		say_end_list(b);
	}
	if (say_after(b, args, err) < 0)
		return -ERR_INVALID;
	say_end_map(b);
	return 0;
}

static void print_place(struct cli *cli, const struct json *hit)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (reply_text(hit, "part").n) {
		buf_add_str(&b, reply_text(hit, "part"));
		buf_adds(&b, tr(", "));
	}
	if (reply_text(hit, "label").n) {
		buf_add_str(&b, reply_text(hit, "label"));
		buf_adds(&b, tr(", "));
	}
	if (reply_int(hit, "page"))
		buf_addf(&b, tr("page %lld, "), (long long)reply_int(hit, "page"));
	if (!b.n)
		return;
	buf_cut(&b, b.n - strlen(tr(", ")));
	buf_adds(&b, tr(": "));
	term_put(&cli->out, TERM_DIM, buf_str(&b));
}

static void print_hit(struct cli *cli, const struct json *hit)
{
	FILE *out = cli->out.file;

	term_put(&cli->out, TERM_BOLD, reply_text(hit, "number"));
	(void)fputs("  ", out);
	marked_put(&cli->out,
		reply_text(hit, "marked").n ? reply_text(hit, "marked") : reply_text(hit, "title"));
	(void)fputs("\n    ", out);
	term_put(&cli->out, TERM_DIM, reply_text(hit, "series_title"));
	(void)fputs(" · ", out);
	term_put(&cli->out, TERM_DIM, reply_text(hit, "department"));
	(void)fputs(" · ", out);
	term_put(&cli->out, TERM_DIM, reply_text(hit, "date"));
	(void)fputc('\n', out);
	if (!reply_text(hit, "snippet").n)
		return;
	(void)fputs("    ", out);
	print_place(cli, hit);
	marked_put(&cli->out, reply_text(hit, "snippet"));
	(void)fputc('\n', out);
}

static const char *kind_title(struct str kind)
{
	static const struct {
		const char *word;
		struct phrase text;
	} kinds[] = {
		{ "series", { .zh = "门类", .en = "series" } },
		{ "department", { .zh = "部门", .en = "department" } },
		{ "year", { .zh = "年份", .en = "year" } },
		{ "type", { .zh = "类型", .en = "type" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_is(kind, kinds[i].word))
			return phrase_text(&kinds[i].text);
	return "";
}

static void print_facets(struct cli *cli, const struct json *facets)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "分布", .en = "FACET" } },
		{ .title = { .zh = "值", .en = "VALUE" } },
		{ .title = { .zh = "件数", .en = "RECORDS" }, .is_right = true },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < reply_count(facets); i++) {
		const struct json *f = json_list_at(facets, i);

		table_add(t, str_of(kind_title(reply_text(f, "kind"))));
		table_add(t,
			reply_text(f, "title").n ? reply_text(f, "title") : reply_text(f, "value"));
		table_add_number(t, (uint64_t)reply_int(f, "count"));
	}
	if (table_rows(t))
		(void)fputc('\n', cli->out.file);
	table_print(t, &cli->out);
}

/* How many there are, and how to see the others. */
static void print_foot(struct cli *cli, const struct args *args, const struct json *reply)
{
	const struct json *hits = reply_at(reply, "hits"), *near = reply_at(reply, "near");
	long long count = (long long)reply_int(reply, "count");
	size_t shown = reply_count(hits);
	const char *order = args_text(args, "order");
	const struct json *last;

	term_printf(&cli->out,
		reply_bool(reply, "exact") ? tr("%lld found") : tr("about %lld found"), count);
	if (reply_count(near))
		term_printf(&cli->out, tr("; near it: %zu\n"), reply_count(near));
	else
		term_printf(&cli->out, tr(", %zu shown\n"), shown);
	(void)fflush(cli->out.file);
	if (reply_int(reply, "lag") > 0)
		cli_remark(cli, tr("the index is %lld actions behind; --fresh waits for it"),
			(long long)reply_int(reply, "lag"));
	if (!shown || (uint64_t)count <= shown + args_number(args, "offset", 0))
		return;
	last = json_list_at(hits, shown - 1);
	if (order && strcmp(order, "relevance") != 0)
		cli_remark(cli, tr("next page: --after %.*s/%.*s"),
			STR_ARG(reply_text(last, "date")), STR_ARG(reply_text(last, "record")));
	else
		cli_remark(cli, tr("next page: --offset %llu"),
			(unsigned long long)(args_number(args, "offset", 0) + shown));
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const struct json *hits, *near;
	int r = ask(&request, cli, args, err);

	if (r < 0)
		return EXIT_USAGE;
	r = cli_call(cli, "search", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	hits = reply_at(reply, "hits");
	near = reply_at(reply, "near");
	for (size_t i = 0; i < reply_count(hits); i++)
		print_hit(cli, json_list_at(hits, i));
	if (reply_count(near))
		term_printf(&cli->out, tr("No record has all of this. These have most of it:\n"));
	for (size_t i = 0; i < reply_count(near); i++)
		print_hit(cli, json_list_at(near, i));
	print_facets(cli, reply_at(reply, "facets"));
	if (reply_count(hits) || reply_count(near))
		(void)fputc('\n', cli->out.file);
	print_foot(cli, args, reply);
	return 0;
}

const struct command command_search = {
	.name = "search",
	.operands = "QUERY...",
	.min_operands = 1,
	.max_operands = 100,
	.help = { .zh = "检索：词、短语、编号、字段、日期，附摘录和页码",
		.en = "search: words, phrases, numbers, fields, dates; with snippets and pages" },
	.about = { .zh = "并列即须全部符合；OR 或、NOT 非（或 "
			 "-词）、括号可用。引号内为原样短语：\"责任到人\"。编号整体匹配，"
			 "QMS-QC* 按开头匹配。字段：标题: 编号: 门类: 部门: 类型: 年份: "
			 "日期:2025-01..2025-06。以 - 开头的查询放在 -- 之后。\n"
			 "没有完全相符的，便列出相近的几件。无结果也算成功，退出码为 0。",
		.en = "Side by side means all of them; OR, NOT (or -word) and brackets work. A "
		      "phrase stands in quotation marks: "
		      "\"责任到人\". Numbers are found whole, QMS-QC* by their beginning. Fields: "
		      "title: number: series: department: "
		      "type: year: date:2025-01..2025-06. A query that begins with - stands behind "
		      "--.\n"
		      "When no record has all of it, some that have most of it are shown. "
		      "Nothing found is success too; the exit code is 0." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
