/* cmd_verify.c - is everything as it was signed? */
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/table.h"

#include <fcntl.h>

static const char *const levels[] = { "sealed", "full", NULL };

static const struct option options[] = {
	{ .name = "level",
		.kind = OPTION_WORD,
		.words = levels,
		.argument = "sealed|full",
		.meaning = { .zh = "sealed：散列、签名、链、凭条、日志、编号，不需密钥；full：另解"
				   "密核对内容与密钥（默认：已启封则 full）",
			.en = "sealed: hashes, signatures, chain, slips, journal, numbers, without "
			      "keys; full: "
			      "content and keys as well (default: full when unsealed)" } },
	{ .name = "checkpoint",
		.kind = OPTION_PATH,
		.argument = "FILE",
		.meaning = { .zh = "与另存他处的检查点比对",
			.en = "compare with a checkpoint kept elsewhere" } },
};

static int ask(struct buf *b, const struct args *args, struct err *err)
{
	const char *path = args_text(args, "checkpoint");
	_cleanup_(buf_done) struct buf note = BUF_INIT_MAX(1 << 20);
	int r = path ? file_read_whole(AT_FDCWD, path, &note, err) : 0;

	if (r < 0)
		return r;
	say_map(b, NULL);
	say_option(b, args, "level", "level");
	if (path)
		say_text(b, "checkpoint", buf_str(&note));
	say_end_map(b);
	return 0;
}

static void print_findings(struct cli *cli, const struct json *findings)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "问题", .en = "FAULT" } },
		{ .title = { .zh = "位置", .en = "WHERE" } },
		{ .title = { .zh = "说明", .en = "WHAT" } },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < reply_count(findings); i++) {
		const struct json *f = json_list_at(findings, i);

		table_add_styled(t, TERM_BAD, reply_text(f, "kind"));
		table_add(t, reply_text(f, "where"));
		table_add(t, reply_text(f, "text"));
	}
	table_print(t, &cli->out);
}

static void print_verdict(struct cli *cli, const struct json *reply, bool is_good)
{
	const struct json *keys = reply_at(reply, "fingerprints");
	FILE *out = cli->out.file;

	if (is_good)
		term_put(&cli->out, TERM_GOOD, str_of(tr("Verified: nothing is wrong")));
	else
		term_put(&cli->out, TERM_BAD, str_of(tr("NOT AS SIGNED: see the list above")));
	(void)fputs(str_is(reply_text(reply, "level"), "full")
			    ? tr(" (history and contents)\n")
			    : tr(" (history and ciphertext, without keys)\n"),
		out);
	term_printf(&cli->out,
		tr("  %lld actions, %lld slips, %lld envelopes, %lld records in %lld s\n"),
		(long long)reply_int(reply, "commits"), (long long)reply_int(reply, "slips"),
		(long long)reply_int(reply, "envelopes"), (long long)reply_int(reply, "records"),
		(long long)reply_int(reply, "seconds"));
	for (size_t i = 0; i < reply_count(keys); i++) {
		(void)fputs(tr("  signed by "), out);
		term_put(&cli->out, TERM_BOLD, json_text(json_list_at(keys, i)));
		(void)fputc('\n', out);
	}
	if (reply_count(keys))
		cli_remark(cli, "%s",
			tr("compare the signing key with the one that was written down when the "
			   "archive was made"));
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	bool is_good;
	int r = ask(&request, args, err);

	if (r == 0)
		r = cli_call(cli, "verify", &request, NULL, 0, &reply, err);
	if (r < 0)
		return r;
	is_good = reply_bool(reply, "good");
	if (!cli_print_json(cli, reply)) {
		print_findings(cli, reply_at(reply, "findings"));
		print_verdict(cli, reply, is_good);
	}
	return is_good ? 0 : EXIT_FAULT;
}

const struct command command_verify = {
	.name = "verify",
	.help = { .zh = "校验：证明无人改动", .en = "verify: prove that nobody changed anything" },
	.about = { .zh = "逐一核对全部历史。发现问题时列出位置，退出码为 "
			 "6。检查点应保存在本机以外：比检查点旧的库会被发现。",
		.en = "Checks the whole history. Faults are listed with their places, and the exit "
		      "code is 6. Keep checkpoints outside "
		      "this machine: an archive older than its checkpoint is found out." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
