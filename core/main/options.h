/* options.h - the command line against the tables of command.h; no getopt, no globals.
 *
 * `--name=value`, `--name value`, `-n value`, `-nvalue`, letters of flags together, `--` ends the
 * options; options and operands in any order. The options of all commands (global_options) are
 * known everywhere, before the command's name and behind it. Whatever is unknown, missing, given
 * twice or of the wrong kind is ERR_INVALID with one sentence. */
#ifndef MUN_MAIN_OPTIONS_H
#define MUN_MAIN_OPTIONS_H

#include "core/main/command.h"

struct given {
	const struct option *option;
	const char *value; /* "" for a flag */
};

/* Views of argv only. */
struct args {
	const struct command *command;
	struct given *given; /* in the order of the command line */
	size_t given_count;
	const char **operands;
	size_t operand_count;
	size_t room;
};

extern const struct option global_options[];
extern const size_t global_option_count;

void args_init(struct args *args, size_t argc);
void args_done(struct args *args);

/* Take the global options at the start; *ret_used is how many words of argv they are. */
int args_scan_global(
	struct args *args, int argc, char *const *argv, int *ret_used, struct err *err);
/* Take everything behind the command's name. `--help` makes what is missing no error. */
int args_scan(struct args *args, const struct command *command, int argc, char *const *argv,
	struct err *err);

/* ---- asking; a name that is in neither table is our own mistake, and asserted ---- */

bool args_has(const struct args *args, const char *name);
/* The last value given, or NULL. */
const char *args_text(const struct args *args, const char *name);
uint64_t args_number(const struct args *args, const char *name, uint64_t otherwise);
/* Each value of an option that may repeat: start with *cursor = 0; false after the last. */
bool args_next(const struct args *args, const char *name, size_t *cursor, const char **ret);

#endif
