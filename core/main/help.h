/* help.h - what `--help` prints, made from the tables of command.h and options.h. */
#ifndef MUN_MAIN_HELP_H
#define MUN_MAIN_HELP_H

#include "core/main/command.h"
#include "core/main/term.h"

/* The program: all commands, the options of all, exit codes. */
void help_program(const struct term *term);
/* One command: how it is written, what it does, its options. */
void help_command(const struct term *term, const struct command *command);
/* "muniment search [options] QUERY" */
void help_add_usage(struct buf *b, const struct command *command);

#endif
