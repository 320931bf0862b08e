/* cmd_proof.c - where a version stands in the signed history, and how anybody checks it. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/pairs.h"

static const struct option options[] = {
	{ .name = "version",
		.letter = 'V',
		.kind = OPTION_NUMBER,
		.max = INT64_MAX,
		.argument = "VERSION",
		.meaning = { .zh = "版本（默认：最新）",
			.en = "which version (default: the newest)" } },
};

static void print_proof(struct cli *cli, const struct json *reply)
{
	static const struct {
		const char *member, *name;
	} rows[] = { { "number", TR_MARK("number") }, { "commit", TR_MARK("commit") },
		{ "fingerprint", TR_MARK("signing key") }, { "signature", TR_MARK("signature") },
		{ "path", TR_MARK("folder in the volume") },
		{ "slip_sha256", TR_MARK("SHA-256 of the slip") } };
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();
	const struct json *lines = reply_at(reply, "commands");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		pairs_add(p, str_of(tr(rows[i].name)), reply_text(reply, rows[i].member));
	pairs_addf(p, tr("version"), "%lld", (long long)reply_int(reply, "version"));
	pairs_addf(p, tr("volume"), "%lld", (long long)reply_int(reply, "volume"));
	pairs_addf(p, tr("envelopes"), "%lld", (long long)reply_int(reply, "envelope_count"));
	pairs_print(p, &cli->out, 0);
	(void)fputs(tr("Check it with stock tools:\n"), cli->out.file);
	for (size_t i = 0; i < reply_count(lines); i++) {
		(void)fputs("  ", cli->out.file);
		term_put(&cli->out, TERM_PLAIN, json_text(json_list_at(lines, i)));
		(void)fputc('\n', cli->out.file);
	}
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "number", args->operands[0]);
	say_option_number(&request, args, "version", "version");
	say_end_map(&request);
	r = cli_call(cli, "proof", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	print_proof(cli, reply);
	return 0;
}

const struct command command_proof = {
	.name = "proof",
	.operands = "NUMBER",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "一份档案的证明：它在签名历史中的位置，及核对它的命令",
		.en = "where a record stands in the signed history, and the commands to check it" },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
