/* table.h - tables for people, aligned by what characters take on the screen: a Chinese one takes
 * two columns. */
#ifndef MUN_MAIN_TABLE_H
#define MUN_MAIN_TABLE_H

#include "core/main/command.h"
#include "core/main/term.h"

struct table_column {
	struct phrase title;
	bool is_right;	/* numbers */
	size_t shrinks; /* not 0: may be cut down to so many columns when the terminal is narrow */
};

struct table;

/* `columns` must outlive the table. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *t);
DEFINE_CLEANUP(struct table *, table_free)

/* The next cell, row by row; foreign text is made safe. */
void table_add(struct table *t, struct str text);
/* The same with a style for the cell. */
void table_add_styled(struct table *t, enum term_style style, struct str text);
/* A sentence of ours that may quote foreign text: term_add_sentence. */
void table_add_sentence(struct table *t, struct str text);
void table_add_number(struct table *t, uint64_t number);

size_t table_rows(const struct table *t);
/* Titles, then the rows; two blanks between columns, none at the end of a line. Prints nothing for
 * no rows. */
void table_print(const struct table *t, const struct term *term);

#endif
