/* help.h - what `--help` prints, made from the tables of command.h and options.h. */
#ifndef MUN_MAIN_HELP_H
#define MUN_MAIN_HELP_H

#include "core/main/command.h"
#include "core/main/term.h"

/* The program: all commands, the options of all, exit codes. */
void help_program(const struct term *term);
/* One command: how it is written, what it does, its options. */
void help_command(const struct term *term, const struct command *command);
/* Commands of two words that begin with this one: "custodian". */
void help_group(const struct term *term, const char *word);
/* "muniment search [options] QUERY" */
void help_add_usage(struct buf *b, const struct command *command);

#endif
