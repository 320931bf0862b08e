/* cmd_account.c - who acts: opaque ids in the signed history, names in sealed records. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/table.h"

static const struct option add_options[] = {
	{ .name = "reason",
		.letter = 'm',
		.kind = OPTION_TEXT,
		.argument = "TEXT",
		.meaning = { .zh = "事由", .en = "why" } },
};

static int run_add(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "name", args->operands[0]);
	say_option(&request, args, "reason", "reason");
	say_end_map(&request);
	r = cli_call(cli, "account.add", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "id"));
	(void)fputs("  ", cli->out.file);
	term_put(&cli->out, TERM_PLAIN, str_of(args->operands[0]));
	(void)fputc('\n', cli->out.file);
	return 0;
}

static void add_roles(struct table *t, const struct json *row)
{
	const struct json *roles = reply_at(row, "roles");
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	for (size_t i = 0; i < reply_count(roles); i++) {
		if (i > 0)
			buf_adds(&text, " ");
		buf_add_str(&text, json_text(json_list_at(roles, i)));
	}
	table_add(t, buf_str(&text));
}

/* What stands between the account and its next log-in. */
static const char *login_state(const struct json *row)
{
	if (!reply_bool(row, "password"))
		return "-";
	if (reply_int(row, "wait") > 0)
		return tr("waits");
	if (reply_bool(row, "must_change"))
		return tr("new password");
	return reply_bool(row, "second_factor") ? tr("ready") : tr("no second factor");
}

static int run_list(struct cli *cli, const struct args *args, struct err *err)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "账户", .en = "ACCOUNT" } },
		{ .title = { .zh = "姓名", .en = "NAME" }, .shrinks = 12 },
		{ .title = { .zh = "登记时间", .en = "SINCE" } },
		{ .title = { .zh = "角色", .en = "ROLES" } },
		{ .title = { .zh = "登录", .en = "LOG-IN" } },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));
	_cleanup_(json_freep) struct json *reply = NULL;
	const struct json *list;
	int r = cli_call(cli, "account.list", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	list = reply_at(reply, "accounts");
	for (size_t i = 0; i < reply_count(list); i++) {
		const struct json *row = json_list_at(list, i);
		_cleanup_(buf_done) struct buf since = BUF_INIT;

		reply_add_instant(&since, reply_text(row, "since"));
		table_add(t, reply_text(row, "id"));
		table_add(t, reply_text(row, "name"));
		table_add(t, buf_str(&since));
		add_roles(t, row);
		table_add(t, str_of(login_state(row)));
	}
	table_print(t, &cli->out);
	return 0;
}

const struct command command_account_add = {
	.name = "account add",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "登记账户", .en = "register an account" },
	.about = { .zh = "签名历史中只出现不透明的账户编号，姓名保存在加密档案中。",
		.en = "The signed history shows the opaque account id only; the name lives in a "
		      "sealed record." },
	.options = add_options,
	.option_count = ARRAY_LEN(add_options),
	.run = run_add,
};

const struct command command_account_list = {
	.name = "account list",
	.help = { .zh = "列出账户", .en = "list the accounts" },
	.run = run_list,
};
