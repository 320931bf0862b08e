/* object.h - a git object as raw bytes, and its name. */
#ifndef MUN_STORE_OBJECT_H
#define MUN_STORE_OBJECT_H

#include "core/model/id.h"

enum object_type { OBJECT_COMMIT = 1, OBJECT_TREE = 2, OBJECT_BLOB = 3 };

/* "commit", "tree" or "blob". */
const char *object_type_name(enum object_type type);

/* SHA-1 of "<type> <n>\0" and the content. */
void object_name(enum object_type type, const void *p, size_t n, struct oid *ret);

#endif
