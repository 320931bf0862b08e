/* pattern.c - any pattern (first line) over any text (the rest) ends, and soon. */
#include "core/model/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, text = str_cut(&rest, '\n');
	struct pattern *pattern;

	if (pattern_parse(text, &pattern, NULL) < 0)
		return 0;
	(void)pattern_matches(pattern, rest);
	pattern_free(pattern);
	return 0;
}
