/* marked.h - found text with marks around what was found. */
#ifndef MUN_MAIN_MARKED_H
#define MUN_MAIN_MARKED_H

#include "core/main/term.h"

/* The marks to ask for: control characters, which no text that comes out of the archive holds, so
 * that nobody can forge a highlight or an escape. */
#define MARK_START "\x01"
#define MARK_END "\x02"

/* Print it safe; what was found is in colour, or in 【】 where there is none. */
void marked_put(const struct term *term, struct str text);

#endif
