/* command.h - what a subcommand is: a row of text, a table of options, a function.
 *
 * One subcommand, one file cmd_NAME.c, which exports one `const struct command` (several where the
 * words belong together: `custodian add`, `custodian list`). main.c lists them; help, option
 * parsing and the test that holds the man pages to the truth all read the same tables. */
#ifndef MUN_MAIN_COMMAND_H
#define MUN_MAIN_COMMAND_H

#include "core/base/err.h"

struct args;
struct cli;

/* One text in both languages, side by side: a table with a hole in it does not pass the tests. */
struct phrase {
	const char *zh, *en;
};

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_PATH,   /* bytes: a file name need not be UTF-8 */
	OPTION_NUMBER, /* 0 to `max` */
	OPTION_DATE,   /* 2026-11-21 */
	OPTION_WORD    /* one of `words` */
};

struct option {
	const char *name; /* without the dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	bool is_required, may_repeat;
	const char *argument;	  /* "DIR"; NULL for a flag */
	const char *const *words; /* ends in NULL */
	uint64_t max;
	struct phrase meaning;
};

struct command {
	const char *name;     /* "search", "custodian add" */
	const char *operands; /* "QUERY", "PATH..."; NULL: takes none */
	size_t min_operands, max_operands;
	struct phrase help;  /* one line */
	struct phrase about; /* paragraphs, separated by \n */
	const struct option *options;
	size_t option_count;
	/* 0, or -ERR_x, or a positive exit code (exit.h); main prints what err says, if anything.
	 */
	int (*run)(struct cli *cli, const struct args *args, struct err *err);
};

/* The text in the reader's language. */
const char *phrase_text(const struct phrase *phrase);

/* All commands, in the order in which help shows them. */
extern const struct command *const commands[];
extern const size_t command_count;

/* Is there a command of two words that begins with this one? */
bool command_begins(const char *word);

/* The command that argv[0] (or argv[0] and argv[1]) names; *ret_words is 1 or 2. Errors:
 * ERR_INVALID, suggesting the nearest one. */
int command_find(
	int argc, char *const *argv, const struct command **ret, int *ret_words, struct err *err);

#endif
