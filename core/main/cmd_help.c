/* cmd_help.c - `muniment help [COMMAND]`. */
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/help.h"

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	const struct command *command;
	int words, r;

	if (args->operand_count == 0) {
		help_program(&cli->out);
		return 0;
	}
	if (args->operand_count == 1 && command_begins(args->operands[0])) {
		help_group(&cli->out, args->operands[0]);
		return 0;
	}
	r = command_find(
		(int)args->operand_count, (char *const *)args->operands, &command, &words, err);
	if (r < 0)
		return EXIT_USAGE;
	help_command(&cli->out, command);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.max_operands = 2,
	.help = { .zh = "显示帮助", .en = "show help" },
	.run = run,
};
