/* Kept text after it was opened: what is taken must serialise to the same bytes. */
#include "search/textcache.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = { (const char *)data, size };
	struct extracted *e = NULL;
	struct buf again = BUF_INIT;

	if (textcache_parse(bytes, &e, NULL) < 0)
		return 0;
	textcache_serialise(e, &again);
	if (!str_eq(buf_str(&again), bytes))
		abort();
	buf_done(&again);
	extracted_free(e);
	return 0;
}
