/* json.c - what the strict parser takes has a canonical form, and that form is its own. */
#include "core/base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int canonical(struct str text, struct buf *ret)
{
	struct json *doc;
	int r = json_parse(text, NULL, 0, &doc, NULL);

	if (r < 0)
		return r;
	if (json_add_canonical(ret, doc, NULL) < 0 || buf_check(ret, NULL) < 0)
		abort();
	json_free(doc);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;

	if (canonical((struct str){ (const char *)data, size }, &once) == 0)
		if (canonical(buf_str(&once), &twice) < 0 ||
			!str_eq(buf_str(&once), buf_str(&twice)))
			abort();
	buf_done(&once);
	buf_done(&twice);
	return 0;
}
