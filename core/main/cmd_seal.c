/* cmd_seal.c - `unseal` and `seal` the resident process. */
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"

static int no_resident(int r, struct err *err)
{
	if (r != -ERR_NOTFOUND)
		return r;
	return err_set(err, ERR_NOTFOUND,
		tr("no resident process serves this archive; 'muniment serve' starts one. Other "
		   "commands "
		   "unseal for themselves and need none"));
}

/* At a terminal a wrong passphrase may be typed again. */
static int try_unseal(
	struct cli *cli, const struct json *labels, struct json **ret_reply, struct err *err)
{
	for (int tries = 1;; tries++) {
		int fds[2] = { -1, -1 };
		int r = cli_two_secrets(cli, labels, fds, err);

		if (r < 0)
			return r;
		r = cli_call_resident(cli, "unseal", NULL, fds, ARRAY_LEN(fds), ret_reply, err);
		closep(&fds[0]);
		closep(&fds[1]);
		if (r != -ERR_CRYPTO || !cli->prompt.was_asked || tries == 3)
			return r;
		cli_remark(cli, "%s", err->text);
	}
}

static int run_unseal(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *status = NULL, *list = NULL, *reply = NULL;
	const struct json *by;
	int r = cli_call_resident(cli, "status", NULL, NULL, 0, &status, err);

	(void)args;
	if (r < 0)
		return no_resident(r, err);
	if (!reply_bool(status, "sealed")) {
		cli_remark(cli, "%s", tr("the archive is unsealed already"));
		return 0;
	}
	r = cli_call_resident(cli, "custodian.list", NULL, NULL, 0, &list, err);
	if (r == 0)
		r = try_unseal(cli, reply_at(list, "custodians"), &reply, err);
	if (r < 0)
		return r;
	if (cli_print_json(cli, reply))
		return 0;
	by = reply_at(reply, "by");
	(void)fputs(tr("The archive is unsealed"), cli->out.file);
	for (size_t i = 0; i < reply_count(by); i++) {
		(void)fputs(i ? tr(", ") : tr(" by "), cli->out.file);
		term_put(&cli->out, TERM_PLAIN, json_text(json_list_at(by, i)));
	}
	(void)fputs("\n", cli->out.file);
	return 0;
}

static int run_seal(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = cli_call_resident(cli, "seal", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r < 0)
		return no_resident(r, err);
	if (!cli_print_json(cli, reply))
		(void)fputs(tr("The archive is sealed.\n"), cli->out.file);
	return 0;
}

const struct command command_unseal = {
	.name = "unseal",
	.help = { .zh = "两位密钥保管人启封常驻进程",
		.en = "two custodians unseal the resident process" },
	.about = { .zh = "常驻进程（muniment "
			 "serve）以封存状态启动。两位不同的密钥保管人先后输入各自口令即可启封，次序"
			 "和姓名不限。",
		.en = "The resident process (muniment serve) starts sealed. Two different "
		      "custodians give their "
		      "passphrases, one after the other, in any order." },
	.run = run_unseal,
};

const struct command command_seal = {
	.name = "seal",
	.help = { .zh = "封存常驻进程：丢弃内存中的所有密钥",
		.en = "seal the resident process: it forgets every key" },
	.about = { .zh = "排队中的写入先完成。封存后仍可查看状态、校验密文和备份，不能读取内容。",
		.en = "What is queued is written first. Sealed, it still answers status, verifies "
		      "ciphertext and can be "
		      "backed up; no content can be read." },
	.run = run_seal,
};
