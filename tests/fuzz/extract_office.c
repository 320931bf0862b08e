/* Containers: OOXML and ODF, as whole files, through the look at what they are. PDFs and what libmagic would have
 * to name are not for here: those parsers are not ours. */
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 4 && memcmp(data, "PK\3\4", 4) == 0)
		fuzz_reader(data, size, HINT_NONE, NULL);
	return 0;
}
