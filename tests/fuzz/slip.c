/* slip.c - what is read as a slip, a tombstone or a list is written again byte for byte. */
#include "store/slip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct buf *again, struct str text)
{
	if (again->failed || !str_eq(buf_str(again), text))
		abort();
	buf_reset(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) void *slip_memory = NULL, *tombstone_memory = NULL;
	_cleanup_(freep) struct listed *files = NULL;
	struct str text = { (const char *)data, size };
	struct buf again = BUF_INIT;
	struct tombstone tombstone;
	struct slip slip;
	size_t count;

	if (slip_parse(text, &slip, &slip_memory, NULL) == 0) {
		slip_format(&slip, &again);
		same(&again, text);
	}
	if (tombstone_parse(text, &tombstone, &tombstone_memory, NULL) == 0) {
		tombstone_format(&tombstone, &again);
		same(&again, text);
	}
	if (list_parse(text, &files, &count, NULL) == 0) {
		list_format(files, count, &again);
		same(&again, text);
	}
	buf_done(&again);
	return 0;
}
