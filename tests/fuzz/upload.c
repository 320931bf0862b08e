/* What state.db keeps of an upload: it is sealed, but is parsed as if it were not. */
#include "core/archive/upload.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str value = { (const char *)data, size };
	struct buf again = BUF_INIT;
	struct upload_row row;

	if (upload_row_parse(value, &row, NULL) == 0) {
		upload_row_add(&row, &again);
		if (again.n != size || memcmp(again.p, data, size) != 0)
			abort();
	}
	buf_done(&again);
	return 0;
}
