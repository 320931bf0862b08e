/* exit.h - what the exit code of `muniment` says; muniment(8) lists the same table, and a test
 * compares. Numbers are never reused. */
#ifndef MUN_MAIN_EXIT_H
#define MUN_MAIN_EXIT_H

#include "core/main/command.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2,
	EXIT_SEALED = 3,
	EXIT_NOT_FOUND = 4,
	EXIT_CONFLICT = 5,
	EXIT_FAULT = 6,
	EXIT_LOCKED = 7,
	EXIT_PARTLY = 8,
	EXIT_OUTCOME_UNKNOWN = 9,
	EXIT_INTERRUPTED = 130
};

struct exit_meaning {
	enum exit_code code;
	struct phrase meaning;
};

extern const struct exit_meaning exit_meanings[];
extern const size_t exit_meaning_count;

/* The exit code for a result: 0, -ERR_x, or a positive code as it is. */
int exit_of(int r);

#endif
