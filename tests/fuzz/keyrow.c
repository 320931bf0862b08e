/* keyrow.c - a wrapped key out of foreign bytes opens or does not, and is written again as it was
 * read. The root key and the archive are fixed, so that the corpus can hold one that opens. */
#include "store/wrap.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct id archive = { { 1 } };
	_cleanup_(secret_freep) struct secret *root = secret_new(KEY_BYTES);
	uint8_t again[WRAPPED_KEY_BYTES], key[KEY_BYTES];
	struct wrapped_key w;

	if (size < WRAPPED_KEY_BYTES)
		return 0;
	wrapped_key_read(data, &w);
	wrapped_key_write(&w, again);
	if (memcmp(again, data, sizeof(again)) != 0)
		abort();
	/* Who opens it can only have wrapped these very bytes. */
	if (record_key_unwrap(root, &archive, &w, key)) {
		record_key_wrap(root, &archive, data + 2 * ID_BYTES + 8, key, &w);
		wrapped_key_write(&w, again);
		if (memcmp(again, data, sizeof(again)) != 0)
			abort();
	}
	return 0;
}
