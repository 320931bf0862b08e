/* custody.c - a custody file that is read is written again byte for byte. */
#include "store/custody_private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(custody_freep) struct custody *c = NULL;
	struct str text = { (const char *)data, size };
	struct buf again = BUF_INIT;
	struct id who;

	if (custody_parse(text, &c, NULL) < 0)
		return 0;
	custody_format(c, true, &again);
	buf_addc(&again, '\n');
	if (!str_eq(buf_str(&again), text))
		abort();
	for (size_t i = 0; i < custody_count(c); i++)
		if (custody_find(c, custody_at(c, i).label, &who, NULL) < 0)
			abort();
	buf_done(&again);
	return 0;
}
