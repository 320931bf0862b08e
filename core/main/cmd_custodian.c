/* cmd_custodian.c - who holds the keys: add, remove, drill, list. */
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/table.h"

#include <stdio.h>

static const struct option add_options[] = {
	{ .name = "new-passphrase-file",
		.kind = OPTION_PATH,
		.argument = "FILE",
		.meaning = { .zh = "从文件首行读取新口令",
			.en = "read the new passphrase from a file" } },
	{ .name = "new-passphrase-fd",
		.kind = OPTION_NUMBER,
		.argument = "N",
		.max = 1048575,
		.meaning = { .zh = "从文件描述符读取新口令",
			.en = "read the new passphrase from a descriptor" } },
};

/* A call that needs keys and changes nothing, so that the archive is unsealed before a new
 * passphrase is asked for. */
static int unseal_first(struct cli *cli, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;

	return cli_call(cli, "account.list", NULL, NULL, 0, &reply, err);
}

static int run_add(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	_cleanup_(closep) int fd = -1;
	int r = unseal_first(cli, err);

	if (r == 0)
		r = cli_new_secret(cli, tr("passphrase of the new custodian"), &fd, err);
	if (r < 0)
		return r;
	say_map(&request, NULL);
	say_cstr(&request, "label", args->operands[0]);
	say_end_map(&request);
	r = cli_call(cli, "custodian.add", &request, &fd, 1, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	(void)fputs(tr("Enrolled as custodian: "), cli->out.file);
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "label"));
	(void)fputc('\n', cli->out.file);
	return 0;
}

static int run_remove(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "who", args->operands[0]);
	say_end_map(&request);
	r = cli_call(cli, "custodian.remove", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	(void)fputs(tr("No longer a custodian: "), cli->out.file);
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "label"));
	(void)fputc('\n', cli->out.file);
	return 0;
}

/* The keys of all records are wrapped anew: nobody reads or writes meanwhile. */
static int run_rotate(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = cli_call(cli, "custodian.rotate", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	(void)fprintf(cli->out.file, tr("The root key was changed; this is number %lld.\n"),
		(long long)reply_int(reply, "epoch"));
	return 0;
}

static int run_drill(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *list = NULL, *reply = NULL;
	const struct json *by;
	int fds[2] = { -1, -1 };
	int r = cli_call(cli, "custodian.list", NULL, NULL, 0, &list, err);

	(void)args;
	if (r == 0)
		r = cli_two_secrets(cli, reply_at(list, "custodians"), fds, err);
	if (r == 0)
		r = cli_call(cli, "custodian.drill", NULL, fds, ARRAY_LEN(fds), &reply, err);
	closep(&fds[0]);
	closep(&fds[1]);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	by = reply_at(reply, "by");
	(void)fputs(tr("Drill passed; these two can unseal: "), cli->out.file);
	for (size_t i = 0; i < reply_count(by); i++) {
		(void)fputs(i ? tr(", ") : "", cli->out.file);
		term_put(&cli->out, TERM_BOLD, json_text(json_list_at(by, i)));
	}
	(void)fputc('\n', cli->out.file);
	return 0;
}

static int run_list(struct cli *cli, const struct args *args, struct err *err)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "密钥保管人", .en = "CUSTODIAN" } },
		{ .title = { .zh = "标识", .en = "ID" } },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));
	_cleanup_(json_freep) struct json *reply = NULL;
	const struct json *list;
	int r = cli_call(cli, "custodian.list", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	list = reply_at(reply, "custodians");
	for (size_t i = 0; i < reply_count(list); i++) {
		table_add(t, reply_text(json_list_at(list, i), "label"));
		table_add(t, reply_text(json_list_at(list, i), "id"));
	}
	table_print(t, &cli->out);
	return 0;
}

const struct command command_custodian_add = {
	.name = "custodian add",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "登记一位密钥保管人", .en = "enrol a custodian" },
	.about = { .zh = "档案库须已启封，或由两位现任保管人先行启封。其他保管人的口令不变。",
		.en = "The archive must be unsealed, or two present custodians unseal it first. "
		      "The others' passphrases stay as "
		      "they are." },
	.options = add_options,
	.option_count = ARRAY_LEN(add_options),
	.run = run_add,
};

const struct command command_custodian_remove = {
	.name = "custodian remove",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "撤销一位密钥保管人（姓名或标识开头）",
		.en = "take a custodian out (name, or the beginning of the id)" },
	.about = { .zh = "至少保留两位。根密钥随之更换，其他保管人的口令不变：此人留下的旧 "
			 "custody.json 打不开今后的档案库。旧副本仍可用旧份额打开。",
		.en = "Two at least must stay. The root key changes with it, the others' "
		      "passphrases stay: "
		      "an old custody.json does not open the archive any more. Old copies of the "
		      "archive still open with the old share." },
	.run = run_remove,
};

const struct command command_custodian_rotate = {
	.name = "custodian rotate",
	.help = { .zh = "更换根密钥；保管人及其口令不变",
		.en = "change the root key; custodians and their passphrases stay" },
	.about = { .zh = "全部密钥重新包裹，写入须等它完成。中途断电也只有一种结果：换了，或没换。"
			 "撤销保管人时已自动更换。",
		.en = "Every key is wrapped anew, and writers wait for it. Cut off in the middle, "
		      "it has happened "
		      "or it has not. Taking a custodian out does this by itself." },
	.run = run_rotate,
};

const struct command command_custodian_drill = {
	.name = "custodian drill",
	.help = { .zh = "演练：证明两位保管人仍能启封，不改变任何状态",
		.en = "drill: prove that two custodians still can unseal; changes nothing" },
	.run = run_drill,
};

const struct command command_custodian_list = {
	.name = "custodian list",
	.help = { .zh = "列出密钥保管人", .en = "list the custodians" },
	.run = run_list,
};
