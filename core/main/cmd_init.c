/* cmd_init.c - make an archive: custodians, the first account, the server's key and certificate. */
#include "core/archive/archive.h"
#include "core/base/hex.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"

#include <stdlib.h>

enum { CUSTODIANS_MAX = 32 };

static const struct option options[] = {
	{ .name = "custodian",
		.letter = 'c',
		.kind = OPTION_TEXT,
		.may_repeat = true,
		.argument = "NAME",
		.meaning = { .zh = "一位密钥保管人；至少两位，任何两位合起来可启封",
			.en = "a custodian; two or more, any two of whom together unseal" } },
	{ .name = "operator",
		.letter = 'o',
		.kind = OPTION_TEXT,
		.argument = "NAME",
		.meaning = { .zh = "第一个账户的姓名（默认为登录名）",
			.en = "name of the first account (default: the login name)" } },
	{ .name = "host",
		.kind = OPTION_TEXT,
		.argument = "HOST",
		.meaning = { .zh = "证书上的主机名（默认 localhost）",
			.en = "host name in the certificate (default: localhost)" } },
	{ .name = "demonstration",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "演示用：以程序内置口令自行启封，并永久标明为演示库",
			.en = "for demonstrations: unseals by itself with built-in passphrases, "
			      "and is marked "
			      "so for ever" } },
	{ .name = "cheap-passphrases",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "测试用：口令以低成本派生，不抗猜测",
			.en = "for tests: passphrases are hashed at little cost and can be "
			      "guessed" } },
};

struct people {
	struct init_custodian at[CUSTODIANS_MAX];
	char *labels[CUSTODIANS_MAX];
	struct secret *passphrases[CUSTODIANS_MAX];
	size_t count;
};

static void people_done(struct people *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->labels[i]);
		secret_free(p->passphrases[i]);
	}
}

static int add_label(struct people *p, struct str label, struct err *err)
{
	if (p->count == CUSTODIANS_MAX)
		return err_set(err, ERR_LIMIT, tr("at most %d custodians"), (int)CUSTODIANS_MAX);
	p->labels[p->count++] = str_dup(label);
	return 0;
}

/* Without --custodian, at a terminal: names until an empty line. */
static int ask_labels(struct cli *cli, struct people *p, struct err *err)
{
	for (;;) {
		_cleanup_(buf_done) struct buf question = BUF_INIT, answer = BUF_INIT;
		int r;

		buf_addf(&question, tr("name of custodian %zu"), p->count + 1);
		if (p->count >= 2)
			buf_adds(&question, tr(" (nothing: no more)"));
		if (prompt_line(&cli->prompt, question.p, &answer, NULL) < 0)
			return err_set(err, ERR_INVALID,
				tr("two or more custodians must be named: --custodian NAME"));
		if (answer.n == 0 && p->count >= 2)
			return 0;
		if (answer.n == 0)
			return err_set(err, ERR_CANCELLED, tr("no name, no archive"));
		r = add_label(p, str_trim(buf_str(&answer)), err);
		if (r < 0)
			return r;
	}
}

static int ask_passphrases(struct cli *cli, struct people *p, struct err *err)
{
	for (size_t i = 0; i < p->count; i++) {
		_cleanup_(buf_done) struct buf question = BUF_INIT;
		int r;

		buf_adds(&question, tr("new passphrase of custodian "));
		text_add_safe(&question, str_of(p->labels[i]));
		r = prompt_passphrase(&cli->prompt, question.p, true, &p->passphrases[i], err);
		if (r < 0)
			return r;
		for (size_t j = 0; j < i; j++)
			if (secret_equal(p->passphrases[i], p->passphrases[j]))
				return err_set(err, ERR_INVALID,
					tr("two custodians have the same passphrase; each needs an "
					   "own one"));
		p->at[i] = (struct init_custodian){ p->labels[i], p->passphrases[i] };
	}
	return 0;
}

static int gather(struct cli *cli, struct people *p, struct err *err)
{
	const char *label;
	size_t cursor = 0;
	int r = 0;

	while (r == 0 && args_next(cli->args, "custodian", &cursor, &label))
		r = add_label(p, str_of(label), err);
	if (r == 0 && p->count == 0)
		r = ask_labels(cli, p, err);
	if (r == 0 && p->count < 2)
		r = err_set(err, ERR_INVALID,
			tr("one custodian is not enough: the archive's key is held by two or more, "
			   "and "
			   "any two of them unseal it"));
	return r == 0 ? ask_passphrases(cli, p, err) : r;
}

static void print_made(struct cli *cli, const struct init_made *made)
{
	FILE *out = cli->out.file;
	char id[2 * sizeof(made->archive) + 1];

	hex_encode(&made->archive, sizeof(made->archive), id);
	if (cli->json) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		say_map(&b, NULL);
		say_cstr(&b, "path", cli->path);
		say_cstr(&b, "archive", id);
		say_cstr(&b, "account", made->account);
		say_cstr(&b, "signer", made->signer);
		say_cstr(&b, "certificate", made->certificate);
		say_int(&b, "series", (int64_t)made->series);
		say_end_map(&b);
		(void)fprintf(out, "%s\n", b.p);
		return;
	}
	term_printf(&cli->out, tr("The archive is made: %s\n"), cli->path);
	term_printf(&cli->out, tr("  archive id      %s\n"), id);
	term_printf(&cli->out, tr("  first account   %s\n"), made->account);
	term_printf(&cli->out, tr("  signing key     %s\n"), made->signer);
	term_printf(&cli->out, tr("  certificate     %s\n"), made->certificate);
	term_printf(&cli->out, tr("  series          %zu\n"), made->series);
	(void)fputs(
		tr("Write the signing key down outside this machine: whoever verifies the archive "
		   "compares it.\n"),
		out);
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(people_done) struct people people = { .count = 0 };
	struct init_options o = { .demonstration = args_has(args, "demonstration"),
		.cheap_passphrases = args_has(args, "cheap-passphrases"),
		.host_name = args_text(args, "host"),
		.operator_name = args_text(args, "operator") };
	struct init_made made;
	int r = 0;

	if (args->operand_count)
		cli->path = args->operands[0];
	if (!o.operator_name)
		o.operator_name = getenv("LOGNAME") ? getenv("LOGNAME") : "operator";
	if (!o.demonstration)
		r = gather(cli, &people, err);
	if (r < 0)
		return r;
	o.custodians = people.count ? people.at : NULL;
	o.custodian_count = people.count;
	r = archive_init(cli->path, &o, &made, err);
	if (r < 0)
		return r;
	print_made(cli, &made);
	return 0;
}

const struct command command_init = {
	.name = "init",
	.operands = "[DIR]",
	.max_operands = 1,
	.help = { .zh = "新建档案库", .en = "make an archive" },
	.about = { .zh = "在不存在或空的文件夹中新建档案库：登记两位或更多密钥保管人（各自设置口令"
			 "，任何两位合起来可启封），"
			 "生成签名密钥和服务器证书，登记第一个账户和随附的门类。口令按 --custodian "
			 "的次序取得。",
		.en = "Makes an archive in a folder that does not exist or is empty: enrols two or "
		      "more custodians, each "
		      "with a passphrase, any two of whom unseal it; makes the signing key and the "
		      "server's certificate; "
		      "files the first account and the series that come along. Passphrases are "
		      "taken in the order of "
		      "--custodian." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
