/* cmd_login.c - how accounts log in to the browser: password, second factor, roles, wait, sessions. */
#include "core/archive/qr.h"
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"

#include <stdio.h>

/* ---- password ---- */

static const struct option password_options[] = {
	{ .name = "new-passphrase-file",
		.kind = OPTION_PATH,
		.argument = "FILE",
		.meaning = { .zh = "从文件首行读取新口令",
			.en = "read the new password from a file" } },
	{ .name = "new-passphrase-fd",
		.kind = OPTION_NUMBER,
		.argument = "N",
		.max = 1048575,
		.meaning = { .zh = "从文件描述符读取新口令",
			.en = "read the new password from a descriptor" } },
	{ .name = "draw",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "由程序随机生成并显示口令",
			.en = "have one drawn, and show it" } },
	{ .name = "keep",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "登录后无须更改", .en = "it need not be changed at log-in" } },
};

static void say_account(struct buf *request, const struct args *args)
{
	say_map(request, NULL);
	say_cstr(request, "account", args->operands[0]);
}

/* A call that needs keys and changes nothing, so that the archive is unsealed before a password is asked for. */
static int unseal_first(struct cli *cli, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;

	return cli_call(cli, "account.list", NULL, NULL, 0, &reply, err);
}

static int run_password(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	_cleanup_(closep) int fd = -1;
	bool draw = args_has(args, "draw");
	int r = unseal_first(cli, err);

	if (r == 0 && !draw)
		r = cli_new_secret(cli, tr("password for the log-in"), &fd, err);
	if (r < 0)
		return r;
	say_account(&request, args);
	say_flag(&request, args, "keep", "keep");
	say_end_map(&request);
	r = cli_call(
		cli, "account.password", &request, draw ? NULL : &fd, draw ? 0 : 1, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	(void)fputs(tr("This account has a password: "), cli->out.file);
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "account"));
	(void)fputc('\n', cli->out.file);
	if (draw) {
		(void)fputs(tr("It is shown this once: "), cli->out.file);
		term_put(&cli->out, TERM_BOLD, reply_text(reply, "password"));
		(void)fputc('\n', cli->out.file);
	}
	if (reply_bool(reply, "must_change"))
		cli_remark(cli, "%s", tr("it must be changed at the first log-in"));
	return 0;
}

const struct command command_account_password = {
	.name = "account password",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "设定登录口令", .en = "give an account a password to log in with" },
	.about = { .zh = "口令至少 10 "
			 "个字符；本人首次登录须更改。该账户的会话随即结束，失败计数清零"
			 "。尚无角色的账户得到查阅角色 reader，随后可以更改。",
		.en = "At least 10 characters; the person changes it at the first log-in. The "
		      "account's sessions end, and its failures are forgotten. An account "
		      "without a role becomes a reader." },
	.options = password_options,
	.option_count = ARRAY_LEN(password_options),
	.run = run_password,
};

/* ---- second factor ---- */

static int show_drawn(struct cli *cli, const struct json *reply, struct err *err)
{
	_cleanup_(freep) struct qr *qr = xcalloc(1, sizeof(*qr));
	_cleanup_(buf_wipe) struct buf picture = BUF_INIT;
	int r = qr_make(reply_text(reply, "uri"), qr, err);

	if (r < 0)
		return r;
	if (cli->out.is_terminal) {
		qr_text(qr, &picture);
		(void)fputs(picture.p, cli->out.file);
	}
	(void)fputs(tr("Secret: "), cli->out.file);
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "secret"));
	(void)fputc('\n', cli->out.file);
	term_put(&cli->out, TERM_PLAIN, reply_text(reply, "uri"));
	(void)fputc('\n', cli->out.file);
	cli_remark(cli, "%s",
		tr("shown this once: an authenticator app reads the picture or the "
		   "secret"));
	return 0;
}

static int run_totp(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const char *action = args->operands[1];
	int r;

	say_account(&request, args);
	say_cstr(&request, "action", action);
	say_end_map(&request);
	r = cli_call(cli, "account.totp", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	if (strcmp(action, "draw") == 0)
		return show_drawn(cli, reply, err);
	if (strcmp(action, "code") == 0) {
		term_put(&cli->out, TERM_BOLD, reply_text(reply, "code"));
		(void)fputc('\n', cli->out.file);
		cli_remark(cli, tr("good for %lld seconds more, and once"),
			(long long)reply_int(reply, "seconds"));
		return 0;
	}
	(void)fputs(tr("The second factor is taken away; it is set up at the next log-in.\n"),
		cli->out.file);
	return 0;
}

const struct command command_account_totp = {
	.name = "account totp",
	.operands = "NAME ACTION",
	.min_operands = 2,
	.max_operands = 2,
	.help = { .zh = "第二验证因素：reset、draw 或 code",
		.en = "the second factor: reset, draw or code" },
	.about = { .zh = "reset：取消，本人下次登录时重新设置（手机丢失时用）。draw：当场生成并显示"
			 "，立即生效。code：显示当前动态码，仅限演示库。",
		.en = "reset takes it away; the person sets it up at the next log-in (after a "
		      "telephone was lost). draw makes and shows one that holds at once. code "
		      "shows the present code, in demonstration archives only." },
	.run = run_totp,
};

/* ---- roles ---- */

static int run_role(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const struct json *roles;
	int r;

	say_account(&request, args);
	say_list(&request, "roles");
	for (size_t i = 1; i < args->operand_count; i++) {
		if (args->operand_count > 2 || strcmp(args->operands[i], "none") != 0)
			say_item(&request, str_of(args->operands[i]));
	}
	say_end_list(&request);
	say_end_map(&request);
	r = cli_call(cli, "account.role", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	roles = reply_at(reply, "roles");
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "account"));
	(void)fputs(":", cli->out.file);
	for (size_t i = 0; i < reply_count(roles); i++) {
		(void)fputc(' ', cli->out.file);
		term_put(&cli->out, TERM_PLAIN, json_text(json_list_at(roles, i)));
	}
	(void)fputs(reply_count(roles) ? "\n" : tr(" no role: it cannot log in\n"), cli->out.file);
	return 0;
}

const struct command command_account_role = {
	.name = "account role",
	.operands = "NAME ROLE...",
	.min_operands = 2,
	.max_operands = 4,
	.help = { .zh = "设定角色：reader、filer、operator 或 none",
		.en = "give roles: reader, filer, operator, or none" },
	.about = { .zh = "reader 查阅；filer 查阅、归档、修订、运行任务；operator "
			 "管理账户、设置、门类"
			 "和保管人，并不因此能查阅档案。可兼任数个；none "
			 "全部取消，该账户不能再登录。",
		.en = "A reader looks; a filer looks, files, revises and runs jobs; an operator "
		      "keeps accounts, settings, series and custodians, and does not thereby "
		      "read records. Several may be given; none takes all away, and the account "
		      "cannot log in any more." },
	.run = run_role,
};

/* ---- wait, sessions ---- */

static int run_unlock(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_account(&request, args);
	say_end_map(&request);
	r = cli_call(cli, "account.unlock", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	(void)fputs(tr("May log in again: "), cli->out.file);
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "account"));
	(void)fputc('\n', cli->out.file);
	return 0;
}

const struct command command_account_unlock = {
	.name = "account unlock",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "解除登录失败后的等待",
		.en = "let an account log in again after too many failures" },
	.run = run_unlock,
};

static const struct option logout_options[] = {
	{ .name = "everybody",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "结束所有账户的会话",
			.en = "end the sessions of every account" } },
};

static int run_logout(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	if ((args->operand_count == 1) == args_has(args, "everybody"))
		return err_set(err, ERR_INVALID, tr("name one account, or say --everybody"));
	say_map(&request, NULL);
	if (args->operand_count == 1)
		say_cstr(&request, "account", args->operands[0]);
	say_end_map(&request);
	r = cli_call(cli, "account.end", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_printf(&cli->out, tr("Sessions ended: %lld\n"), (long long)reply_int(reply, "ended"));
	return 0;
}

const struct command command_account_logout = {
	.name = "account logout",
	.operands = "[NAME]",
	.max_operands = 1,
	.help = { .zh = "结束网页会话", .en = "end sessions in the browser" },
	.options = logout_options,
	.option_count = ARRAY_LEN(logout_options),
	.run = run_logout,
};
