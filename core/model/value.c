/* value.c - see value.h. */
#include "core/model/value.h"

static bool rows_eq(const struct row *a, const struct row *b)
{
	if (a->field_count != b->field_count)
		return false;
	for (size_t i = 0; i < a->field_count; i++)
		if (!str_eq(a->fields[i].name, b->fields[i].name) ||
			!value_eq(&a->fields[i].value, &b->fields[i].value))
			return false;
	return true;
}

bool value_eq(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_TEXT:
		return str_eq(a->text, b->text);
	case VALUE_INT:
		return a->number == b->number;
	case VALUE_LIST:
	case VALUE_ROWS:
		break;
	}
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->kind == VALUE_LIST ? !str_eq(a->list[i], b->list[i])
					  : !rows_eq(&a->rows[i], &b->rows[i]))
			return false;
	return true;
}
