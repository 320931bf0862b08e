/* cmd_log.c - who did what when: of the archive, or of one record with what each version changed;
 * and two versions of a record beside each other. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/signed.h"

static const struct option options[] = {
	{ .name = "limit",
		.letter = 'l',
		.kind = OPTION_NUMBER,
		.max = 10000,
		.argument = "N",
		.meaning = { .zh = "行数（默认 50）", .en = "rows (default: 50)" } },
	{ .name = "before",
		.kind = OPTION_NUMBER,
		.max = INT64_MAX,
		.argument = "ACTION",
		.meaning = { .zh = "只列此操作之前的", .en = "only actions before this one" } },
};

static struct str who(const struct json *row)
{
	return reply_text(row, "name").n ? reply_text(row, "name") : reply_text(row, "account");
}

/* What it was done to: a record, the first of several, or the volume itself. */
static void add_matter(struct table *t, const struct json *a)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct str number = reply_text(a, "number");
	long long records = (long long)reply_int(a, "records");

	if (number.n > 0 && records > 1)
		buf_addf(&text, tr("%.*s and more, %lld records"), STR_ARG(number), records);
	else if (number.n > 0)
		buf_add_str(&text, number);
	else
		buf_addf(&text, tr("volume %lld"), (long long)reply_int(a, "volume"));
	table_add(t, buf_str(&text));
}

static void print_actions(struct cli *cli, const struct json *actions)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "序号", .en = "ACTION" }, .is_right = true },
		{ .title = { .zh = "操作", .en = "ACT" } },
		{ .title = { .zh = "时间", .en = "WHEN" } },
		{ .title = { .zh = "操作人", .en = "WHO" } },
		{ .title = { .zh = "签名", .en = "SIGNATURE" } },
		{ .title = { .zh = "提交", .en = "COMMIT" } },
		{ .title = { .zh = "档案", .en = "RECORDS" }, .shrinks = 20 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < reply_count(actions); i++) {
		const struct json *a = json_list_at(actions, i);
		struct str commit = reply_text(a, "commit");

		table_add_number(t, (uint64_t)reply_int(a, "action"));
		table_add(t, str_of(act_text(reply_text(a, "act"))));
		table_add_instant(t, reply_text(a, "at"));
		table_add(t, who(a));
		table_add_signature(t, reply_text(a, "signature"));
		table_add(t, commit.n > 12 ? (struct str){ commit.p, 12 } : commit);
		add_matter(t, a);
	}
	table_print(t, &cli->out);
}

/* ---- one record ---- */

static const char *member_title(const struct json *change)
{
	static const struct {
		const char *word;
		struct phrase text;
	} members[] = {
		{ "title", { .zh = "题名", .en = "title" } },
		{ "department", { .zh = "部门", .en = "department" } },
		{ "date", { .zh = "日期", .en = "date" } },
		{ "number", { .zh = "编号", .en = "number" } },
		{ "definition", { .zh = "门类定义", .en = "definition" } },
		{ "field", { .zh = "字段", .en = "field" } },
		{ "part", { .zh = "组成文件", .en = "part" } },
		{ "link", { .zh = "关联", .en = "link" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (str_is(reply_text(change, "member"), members[i].word))
			return phrase_text(&members[i].text);
	return "";
}

/* A value, or of a part its size. */
static void put_side(
	struct cli *cli, const struct json *change, const char *side, enum term_style style)
{
	_cleanup_(buf_done) struct buf size = BUF_INIT;
	struct str text = reply_text(change, side);
	uint64_t bytes;

	if (str_is(reply_text(change, "member"), "part") &&
		str_to_u64(text, UINT64_MAX, &bytes, NULL) == 0) {
		term_add_size(&size, bytes);
		text = buf_str(&size);
	}
	term_put(&cli->out, style, text);
}

static void print_change(struct cli *cli, const struct json *change)
{
	struct str kind = reply_text(change, "kind"), name = reply_text(change, "label");
	bool is_before = reply_text(change, "before").n > 0;
	bool is_after = reply_text(change, "after").n > 0;
	FILE *out = cli->out.file;

	if (name.n == 0)
		name = reply_text(change, "name");
	(void)fprintf(out, "      %s ",
		str_is(kind, "added")	  ? "+"
		: str_is(kind, "removed") ? "-"
					  : "~");
	(void)fputs(member_title(change), out);
	if (name.n) {
		(void)fputc(' ', out);
		term_put(&cli->out, TERM_PLAIN, name);
	}
	if (is_before || is_after)
		(void)fputs(tr(": "), out);
	if (is_before)
		put_side(cli, change, "before", TERM_BAD);
	if (is_before && is_after)
		(void)fputs(" → ", out);
	if (is_after)
		put_side(cli, change, "after", TERM_GOOD);
	(void)fputc('\n', out);
}

static void print_version(struct cli *cli, const struct json *v)
{
	const struct json *changes = reply_at(v, "changes");
	_cleanup_(buf_done) struct buf at = BUF_INIT;
	FILE *out = cli->out.file;

	reply_add_instant(&at, reply_text(v, "at"));
	term_printf(&cli->out, tr("version %lld  %s  "), (long long)reply_int(v, "version"), at.p);
	term_put(&cli->out, TERM_BOLD, who(v));
	(void)fputs("  ", out);
	term_put(&cli->out, TERM_PLAIN, str_of(act_text(reply_text(v, "act"))));
	if (reply_text(v, "reason").n) {
		(void)fputs(tr(": "), out);
		term_put(&cli->out, TERM_PLAIN, reply_text(v, "reason"));
	}
	(void)fputc('\n', out);
	for (size_t i = 0; i < reply_count(changes); i++)
		print_change(cli, json_list_at(changes, i));
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const struct json *versions;
	int r;

	say_map(&request, NULL);
	if (args->operand_count)
		say_cstr(&request, "number", args->operands[0]);
	say_option_number(&request, args, "limit", "limit");
	say_option_number(&request, args, "before", "before");
	say_end_map(&request);
	r = cli_call(cli, "log", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	print_actions(cli, reply_at(reply, "actions"));
	versions = reply_at(reply, "versions");
	for (size_t i = 0; i < reply_count(versions); i++)
		print_version(cli, json_list_at(versions, i));
	return 0;
}

const struct command command_log = {
	.name = "log",
	.operands = "[NUMBER]",
	.max_operands = 1,
	.help = { .zh = "操作记录：全库，或一份档案各版本的改动",
		.en = "who did what when: of the archive, or what each version of a record "
		      "changed" },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};

/* ---- differences ---- */

static const struct option difference_options[] = {
	{ .name = "from",
		.kind = OPTION_NUMBER,
		.max = INT64_MAX,
		.argument = "VERSION",
		.meaning = { .zh = "较早的版本（默认：前一版）",
			.en = "the earlier version (default: the one before)" } },
	{ .name = "to",
		.kind = OPTION_NUMBER,
		.max = INT64_MAX,
		.argument = "VERSION",
		.meaning = { .zh = "较晚的版本（默认：最新版）",
			.en = "the later version (default: the newest)" } },
};

static void print_hunk(struct cli *cli, const struct json *hunk)
{
	static const struct {
		const char *op, *mark;
		enum term_style style;
	} ops[] = { { "same", "   ", TERM_PLAIN }, { "removed", " - ", TERM_BAD },
		{ "added", " + ", TERM_GOOD } };
	const struct json *lines = reply_at(hunk, "lines");
	struct str op = reply_text(hunk, "op");

	if (str_is(op, "skipped"))
		term_printf(&cli->out, tr("   ... %lld lines alike\n"),
			(long long)reply_int(hunk, "count"));
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		for (size_t k = 0; str_is(op, ops[i].op) && k < reply_count(lines); k++) {
			(void)fputs(ops[i].mark, cli->out.file);
			term_put(&cli->out, ops[i].style, json_text(json_list_at(lines, k)));
			(void)fputc('\n', cli->out.file);
		}
	}
}

static void print_text(struct cli *cli, const struct json *text)
{
	const struct json *hunks = reply_at(text, "hunks");

	term_put(&cli->out, TERM_BOLD, reply_text(text, "part"));
	(void)fputc('\n', cli->out.file);
	for (size_t i = 0; i < reply_count(hunks); i++)
		print_hunk(cli, json_list_at(hunks, i));
	if (!reply_bool(text, "exact"))
		term_printf(&cli->out, "%s",
			tr("   too much is different: the rest is not compared line by line\n"));
}

static int run_differences(struct cli *cli, const struct args *args, struct err *err)
{
	static const char *const lists[] = { "fields", "parts" };
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const struct json *texts;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "number", args->operands[0]);
	say_option_number(&request, args, "from", "from");
	say_option_number(&request, args, "to", "to");
	say_end_map(&request);
	r = cli_call(cli, "differences", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_printf(&cli->out, tr("from version %lld to version %lld\n"),
		(long long)reply_int(reply, "from"), (long long)reply_int(reply, "to"));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct json *changes = reply_at(reply, lists[i]);

		for (size_t k = 0; k < reply_count(changes); k++)
			print_change(cli, json_list_at(changes, k));
	}
	texts = reply_at(reply, "text");
	for (size_t i = 0; i < reply_count(texts); i++)
		print_text(cli, json_list_at(texts, i));
	return 0;
}

const struct command command_differences = {
	.name = "differences",
	.operands = "NUMBER",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "比较一份档案的两个版本：著录项、组成文件、文字",
		.en = "two versions of a record beside each other: fields, parts, text" },
	.options = difference_options,
	.option_count = ARRAY_LEN(difference_options),
	.run = run_differences,
};
