/* cmd_journal.c - after a crash: look at what was set aside, and say so. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	uint64_t frame;
	int r = str_to_u64(str_of(args->operands[0]), INT64_MAX, &frame, err);

	if (r < 0)
		return EXIT_USAGE;
	say_map(&request, NULL);
	say_int(&request, "frame", (int64_t)frame);
	say_end_map(&request);
	r = cli_call(cli, "journal.acknowledge", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_printf(
		&cli->out, tr("Journal frame %llu is acknowledged.\n"), (unsigned long long)frame);
	return 0;
}

const struct command command_journal_acknowledge = {
	.name = "journal acknowledge",
	.operands = "FRAME",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "确认已知悉被搁置的日志帧",
		.en = "acknowledge a journal frame that was set aside" },
	.about = { .zh = "断电或崩溃后，日志末尾不完整的一帧会被搁置而非删除，并持续提示，直到有人"
			 "确认。未确认的写入从未被应答为成功。",
		.en = "After a crash a broken last frame is set aside, never deleted, and reported "
		      "until somebody acknowledges it. "
		      "No write in it was ever answered as done." },
	.run = run,
};
