/* manifest.c - a manifest that is accepted is written again byte for byte; the difference to itself
 * is nothing. */
#include "core/base/arena.h"
#include "core/model/manifest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	const struct manifest *m;
	struct buf again = BUF_INIT;

	if (manifest_parse(bytes, arena, &m, NULL) == 0) {
		const struct manifest_change *changes;
		size_t n;

		if (manifest_write(m, &again, NULL) < 0 || !str_eq(buf_str(&again), bytes))
			abort();
		manifest_diff(m, m, arena, &changes, &n);
		if (n != 0)
			abort();
	}
	buf_done(&again);
	arena_free(arena);
	return 0;
}
