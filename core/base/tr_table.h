/* tr_table.h - the table behind tr(); its body is made at build time. */
#ifndef MUN_BASE_TR_TABLE_H
#define MUN_BASE_TR_TABLE_H

#include <stddef.h>

struct tr_row {
	const char *en, *zh;
};

/* Sorted by strcmp of `en`. */
extern const struct tr_row tr_table[];
extern const size_t tr_table_length;

#endif
