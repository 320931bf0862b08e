/* object.c - see object.h. */
#include "store/object.h"

#include "core/base/hash.h"

#include <assert.h>

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

/* "<type> <bytes>" and a NUL; returns how many bytes. */
static size_t put_header(enum object_type type, size_t n, char out[HEADER_MAX])
{
	const char *name = object_type_name(type);
	size_t length = strlen(name), at = HEADER_MAX;

	out[--at] = '\0';
	do {
		out[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	memcpy(out, name, length);
	out[length++] = ' ';
	memmove(out + length, out + at, HEADER_MAX - at);
	return length + HEADER_MAX - at;
}

void object_name(enum object_type type, const void *p, size_t n, struct oid *ret)
{
	char room[HEADER_MAX + SMALL];
	size_t header = put_header(type, n, room);

	if (n <= SMALL) {
		if (n)
			memcpy(room + header, p, n);
		sha1(room, header + n, ret->b);
	} else {
		_cleanup_(hash_freep) struct hash *h = sha1_new();

		hash_add(h, room, header);
		hash_add(h, p, n);
		hash_take(h, ret->b);
	}
}
