/* object.c - see object.h. */
#include "store/object.h"

#include "core/base/hash.h"

#include <assert.h>
#include <stdio.h>

const char *object_type_name(enum object_type type)
{
	static const char *const names[] = {
		[OBJECT_COMMIT] = "commit",
		[OBJECT_TREE] = "tree",
		[OBJECT_BLOB] = "blob",
	};

	assert(type >= OBJECT_COMMIT && type <= OBJECT_BLOB);
	return names[type];
}

/* Small objects are hashed in one call over a copy on the stack: for the bulk path's slips and
 * trees, setting up a hash that lives on the heap costs more than copying them. */
enum { SMALL = 4096, HEADER_MAX = 32 };

void object_name(enum object_type type, const void *p, size_t n, struct oid *ret)
{
	char room[HEADER_MAX + SMALL];
	int header = snprintf(room, HEADER_MAX, "%s %zu", object_type_name(type), n) + 1;

	if (n <= SMALL) {
		if (n)
			memcpy(room + header, p, n);
		sha1(room, (size_t)header + n, ret->b);
	} else {
		_cleanup_(hash_freep) struct hash *h = sha1_new();

		hash_add(h, room, (size_t)header);
		hash_add(h, p, n);
		hash_take(h, ret->b);
	}
}
