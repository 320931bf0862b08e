/* cmd_jobs.c - long work in the resident process: what runs, how far it is, what came of it. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/signed.h"

static const struct option options[] = {
	{ .name = "start",
		.kind = OPTION_TEXT,
		.argument = "VERB",
		.meaning = { .zh = "开始一项：verify、reindex、recognise、compact",
			.en = "begin one: verify, reindex, recognise, compact" } },
	{ .name = "cancel",
		.kind = OPTION_TEXT,
		.argument = "JOB",
		.meaning = { .zh = "停止一项", .en = "stop one" } },
};

static const char *state_text(struct str state)
{
	static const struct {
		const char *word;
		struct phrase text;
	} states[] = {
		{ "waiting", { .zh = "等待", .en = "waiting" } },
		{ "running", { .zh = "进行中", .en = "running" } },
		{ "done", { .zh = "完成", .en = "done" } },
		{ "failed", { .zh = "失败", .en = "failed" } },
		{ "cancelled", { .zh = "已取消", .en = "cancelled" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (str_is(state, states[i].word))
			return phrase_text(&states[i].text);
	}
	return "";
}

static void add_progress(struct buf *b, const struct json *job)
{
	const struct json *p = reply_at(job, "progress"), *e = reply_at(job, "error");

	if (p && reply_int(p, "total") > 0)
		buf_addf(b, "%lld / %lld", (long long)reply_int(p, "done"),
			(long long)reply_int(p, "total"));
	else if (p)
		buf_addf(b, "%lld", (long long)reply_int(p, "done"));
	else if (e)
		buf_add_str(b, reply_text(e, "text"));
}

static void print_jobs(struct cli *cli, const struct json *const *jobs, size_t count)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "任务", .en = "JOB" } },
		{ .title = { .zh = "内容", .en = "VERB" } },
		{ .title = { .zh = "状态", .en = "STATE" } },
		{ .title = { .zh = "提出于", .en = "SINCE" } },
		{ .title = { .zh = "提出人", .en = "WHO" } },
		{ .title = { .zh = "进度", .en = "PROGRESS" }, .shrinks = 12 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < count; i++) {
		_cleanup_(buf_done) struct buf progress = BUF_INIT;
		const struct json *j = jobs[i];

		add_progress(&progress, j);
		table_add(t, reply_text(j, "job"));
		table_add(t, reply_text(j, "verb"));
		table_add(t, str_of(state_text(reply_text(j, "state"))));
		table_add_instant(t, reply_text(j, "since"));
		table_add(t,
			reply_text(j, "name").n ? reply_text(j, "name") : reply_text(j, "account"));
		table_add(t, buf_str(&progress));
	}
	table_print(t, &cli->out);
}

static void print_all(struct cli *cli, const struct json *list)
{
	for (size_t i = 0; i < reply_count(list); i += 64) {
		const struct json *some[64];
		size_t n = 0;

		while (n < ARRAY_LEN(some) && i + n < reply_count(list)) {
			some[n] = json_list_at(list, i + n);
			n++;
		}
		print_jobs(cli, some, n);
	}
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const char *verb = "job.list";
	const struct json *one;
	int r;

	say_map(&request, NULL);
	if (args_has(args, "start")) {
		verb = "job.start";
		say_option(&request, args, "start", "verb");
	} else if (args_has(args, "cancel")) {
		verb = "job.cancel";
		say_option(&request, args, "cancel", "job");
	} else if (args->operand_count) {
		verb = "job.show";
		say_cstr(&request, "job", args->operands[0]);
	}
	say_end_map(&request);
	r = cli_call_resident(cli, verb, &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	one = reply;
	if (reply_at(reply, "jobs"))
		print_all(cli, reply_at(reply, "jobs"));
	else
		print_jobs(cli, &one, 1);
	return 0;
}

const struct command command_jobs = {
	.name = "jobs",
	.operands = "[JOB]",
	.max_operands = 1,
	.help = { .zh = "常驻进程中的后台任务：列出、开始、停止",
		.en = "long work in the resident process: list it, begin it, stop it" },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
