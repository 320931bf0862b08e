/* tree.c - what is read as a tree is written again byte for byte, and its names are names. */
#include "store/volume.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size };
	struct buf again = BUF_INIT;
	struct tree_entry entry;
	int r;

	while ((r = tree_next(&rest, &entry, NULL)) == 1) {
		if (entry.name.n == 0 || memchr(entry.name.p, '/', entry.name.n) ||
			memchr(entry.name.p, '\0', entry.name.n))
			abort();
		buf_adds(&again, entry.mode == 040000 ? "40000 " : "100644 ");
		buf_add_str(&again, entry.name);
		buf_addc(&again, '\0');
		buf_add(&again, entry.oid.b, sizeof(entry.oid.b));
	}
	if (again.n + rest.n != size || memcmp(again.p, data, again.n) != 0 || (r == 0 && rest.n))
		abort();
	buf_done(&again);
	return 0;
}
