/* term.h - what stands between us and the reader's terminal: width, colour, and text made safe.
 *
 * Everything that came from outside (titles, file names, found text, texts of errors) passes
 * term_safe or a table cell: no control, escape or bidirectional character reaches a terminal. */
#ifndef MUN_MAIN_TERM_H
#define MUN_MAIN_TERM_H

#include "core/base/buf.h"

#include <stdio.h>

enum term_style { TERM_PLAIN, TERM_BOLD, TERM_DIM, TERM_GOOD, TERM_BAD, TERM_WARN, TERM_MARK };

struct term {
	FILE *file;
	bool is_terminal, has_colour;
};

/* Colour only on a terminal that is not "dumb", without NO_COLOR and `no_colour`. */
void term_init(struct term *t, FILE *file, bool no_colour);
/* Columns of the terminal; 0 when it is none, and nothing must be cut to fit. */
size_t term_columns(const struct term *t);

/* The escape that begins a style, or "" without colour; TERM_PLAIN ends every one. */
const char *term_style(const struct term *t, enum term_style style);
/* Safe text in a style. */
void term_put(const struct term *t, enum term_style style, struct str text);
/* The same of several lines: each on its own, behind `indent` blanks; a newline ends the last. */
void term_put_lines(const struct term *t, size_t indent, struct str text);
/* A sentence as it is: of ours, with numbers and what was made safe already. */
void term_printf(const struct term *t, const char *fmt, ...) _printf_(2, 3);

/* Append a sentence of our own that may quote foreign text, made safe or not: what is unsafe is escaped,
 * and a backslash is left alone, for it may be part of an escape already. */
void term_add_sentence(struct buf *b, struct str text);

/* Append running text broken at `columns` (0: not at all), each line but the first behind `indent`
 * blanks. Chinese breaks anywhere but before closing punctuation. The text is ours: it is not made
 * safe. */
void term_add_wrapped(struct buf *b, struct str text, size_t indent, size_t columns);

/* ---- numbers for people, the same in both languages ---- */

/* "812 B", "4.0 KiB", "12.3 MiB" */
void term_add_size(struct buf *b, uint64_t bytes);
/* "0:07", "12:05", "1:02:03" */
void term_add_duration(struct buf *b, uint64_t seconds);

#endif
