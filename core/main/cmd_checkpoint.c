/* cmd_checkpoint.c - proof to keep elsewhere: checkpoints, and the keys that sign. */
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"

#include <unistd.h>

#define OUTPUT_OPTION \
	{ \
		.name = "output", .letter = 'o', .kind = OPTION_PATH, .argument = "FILE", \
		.meaning = { \
			.zh = "写入此文件（默认标准输出）", \
			.en = "write to this file (default: standard output)" \
		} \
	}

static const struct option options[] = { OUTPUT_OPTION };

/* Text of our own making goes out as it is: it is verified byte for byte. */
static int deliver(struct cli *cli, const struct json *reply, struct err *err)
{
	const char *path = args_text(cli->args, "output");
	struct str text = reply_text(reply, "text");
	_cleanup_(closep) int folder = -1;
	const char *name;
	int r;

	if (!path) {
		if (!cli_print_json(cli, reply))
			(void)fwrite(text.p, 1, text.n, cli->out.file);
		return 0;
	}
	folder = file_open_parent(path, &name, err);
	if (folder < 0)
		return folder;
	r = file_replace(folder, name, text.p, text.n, err);
	if (r == 0 && !cli_print_json(cli, reply))
		cli_remark(cli, tr("'%s' written"), path);
	return r;
}

static int run_checkpoint(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = cli_call(cli, "checkpoint", NULL, NULL, 0, &reply, err);

	(void)args;
	return r < 0 ? r : deliver(cli, reply, err);
}

static int run_signers(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = cli_call(cli, "signers", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r == 0)
		r = deliver(cli, reply, err);
	if (r == 0 && !cli->json)
		cli_remark(cli, tr("signing key %.*s"), STR_ARG(reply_text(reply, "fingerprint")));
	return r;
}

static int run_signers_rotate(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = cli_call(cli, "signers.rotate", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r == 0)
		r = deliver(cli, reply, err);
	if (r < 0 || cli->json)
		return r;
	cli_remark(cli, tr("signing key %.*s"), STR_ARG(reply_text(reply, "fingerprint")));
	cli_remark(cli, "%s",
		tr("note the new key outside of this machine, and give the new list to everybody "
		   "who verifies"));
	return 0;
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.help = { .zh = "出具检查点：签名的各卷库现状，供另存他处",
		.en = "a checkpoint: the state of all volumes, signed, to keep elsewhere" },
	.about = { .zh = "先写完全部卷库，再出具。打印、邮寄或交第三方保存；日后 verify "
			 "--checkpoint 可发现被回退或替换的库。",
		.en = "Writes everything into the volumes first. Print it, mail it, give it to a "
		      "witness: verify --checkpoint finds out an "
		      "archive that was turned back or replaced." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run_checkpoint,
};

const struct command command_signers = {
	.name = "signers",
	.help = { .zh = "签名公钥（git 与 ssh-keygen 所用的 allowed_signers）",
		.en = "the keys that sign (allowed_signers, for git and ssh-keygen)" },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run_signers,
};

const struct command command_signers_rotate = {
	.name = "signer rotate",
	.help = { .zh = "更换服务器的签名密钥，输出新的 allowed_signers",
		.en = "change the server's signing key, and print the new allowed_signers" },
	.about = { .zh = "旧密钥签下最后一次提交：撤销自己，登记新密钥；随后旧密钥即被遗忘。以前的"
			 "签名依然有效，其起止时间写在 "
			 "allowed_signers 里。请把新的 allowed_signers "
			 "与密钥指纹交给每一位校验者。",
		.en = "The old key signs one last commit, which retires it and enrols the new one, "
		      "and is "
		      "then forgotten. What it signed stays valid: allowed_signers says from when "
		      "to "
		      "when. Give the new file and the key's fingerprint to everybody who "
		      "verifies." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run_signers_rotate,
};
