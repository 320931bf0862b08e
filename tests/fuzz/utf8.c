/* utf8.c - whatever str_is_utf8 accepts, base64 and hex carry there and back unchanged. */
#include "core/base/hex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct buf coded = BUF_INIT, back = BUF_INIT;

	(void)base64_decode(text, &back, NULL);
	buf_reset(&back);
	if (str_is_utf8(text)) {
		base64_add(&coded, text.p, text.n);
		if (base64_decode(buf_str(&coded), &back, NULL) < 0 ||
			!str_eq(buf_str(&back), text))
			abort();
	}
	buf_done(&coded);
	buf_done(&back);
	return 0;
}
