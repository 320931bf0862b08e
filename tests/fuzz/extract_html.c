/* Web pages, with whatever charset they name or bytes they have. */
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_reader(data, size, HINT_HTML, read_html);
	return 0;
}
