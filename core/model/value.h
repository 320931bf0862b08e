/* value.h - what a field of a record holds: a text, a whole number, a list of texts, or rows of
 * named texts and numbers. What it means (a date, fen, a choice) the field of the series says:
 * series.h.
 *
 * Values are views: they own nothing. */
#ifndef MUN_MODEL_VALUE_H
#define MUN_MODEL_VALUE_H

#include "core/base/str.h"

enum value_kind {
	VALUE_TEXT,
	VALUE_INT,  /* integer; money in fen */
	VALUE_LIST, /* of texts: several choices */
	VALUE_ROWS  /* of maps from column to text or integer */
};

struct field; /* name and value, below */

struct value {
	enum value_kind kind;
	struct str text;
	int64_t number;
	const struct str *list; /* VALUE_LIST: count texts */
	const struct row *rows; /* VALUE_ROWS: count rows */
	size_t count;
};

struct row {
	const struct field *fields;
	size_t field_count;
};

struct field {
	struct str name;
	struct value value;
};

bool value_eq(const struct value *a, const struct value *b);

#define VALUE_OF_TEXT(s) ((struct value){ .kind = VALUE_TEXT, .text = (s) })
#define VALUE_OF_INT(v) ((struct value){ .kind = VALUE_INT, .number = (v) })

#endif
