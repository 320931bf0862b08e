/* retention.h - the names of the retention classes that definitions may use. The schedule itself
 * (triggers, periods) is a definition of its own and is not enforced yet. */
#ifndef MUN_MODEL_RETENTION_H
#define MUN_MODEL_RETENTION_H

#include "core/base/str.h"

struct retention_class {
	const char *code, *zh, *en;
};

/* Sorted by code. */
extern const struct retention_class retention_classes[];
extern const size_t retention_class_count;

/* NULL when there is none of that code. */
const struct retention_class *retention_find(struct str code);

#endif
