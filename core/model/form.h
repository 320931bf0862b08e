/* form.h - values of fields: from what people type, to what people read, and whether they are right. */
#ifndef MUN_MODEL_FORM_H
#define MUN_MODEL_FORM_H

#include "core/model/manifest.h"
#include "core/model/series.h"

struct arena;

/* What a person typed into a field, as a value in the arena. Dates 2025-05-20; instants 2025-05-20 10:00
 * (Shanghai), with seconds, or as 2025-05-20T02:00:00Z; money 198.00 or 198; choices by name, label or code,
 * several of them separated by ; , or 、; rows one a line with columns separated by '|'. White space at both
 * ends is dropped. The value is checked. Errors: ERR_INVALID, ERR_LIMIT; the text begins with the label. */
int form_read(const struct series_field *field, struct str typed, struct arena *arena,
	struct value *ret, struct err *err);

enum form_show_flags {
	FORM_MASK = 1 << 0 /* 138****5678 and the like for sensitive fields (REC-08) */
};

/* Append the value as people read it, in the thread's language. Rows are lines, columns separated by " | ". */
void form_show(
	const struct series_field *field, const struct value *value, unsigned flags, struct buf *b);

/* One value against its field. No message shows the value of a sensitive field. Errors: ERR_INVALID, ERR_LIMIT. */
int form_check_value(const struct series_field *field, const struct value *value, struct err *err);

struct form_problem {
	const char
		*field; /* name; "department", "number", "date", "series" for what is not a field */
	const char *text; /* a sentence in the thread's language, with the field's label */
};

/* A whole version against its definition: series, department, date, unknown and missing fields, every value,
 * and, when all that is right, the number: drawn by the rule, or brought and like the `given` pattern. All
 * problems at once, in the arena. Returns how many there are. */
int form_check(const struct series *series, const struct manifest *m, struct arena *arena,
	const struct form_problem **ret);

/* What the numbering rule needs from a version that has department, day and fields already (its number is not
 * looked at). Codes lie in the arena. Errors: ERR_INVALID: a code that the rule wants is missing. */
int form_number_input(const struct series *series, const struct manifest *m, struct arena *arena,
	struct number_input *ret, struct err *err);

/* The record's date: the value of the series' date field among the fields, else `filing_day`. Errors:
 * ERR_INVALID: the value is no date. */
int form_day(const struct series *series, const struct field *fields, size_t count,
	int64_t filing_day, int64_t *ret, struct err *err);

#endif
