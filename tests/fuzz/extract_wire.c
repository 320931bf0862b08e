/* The answer on the pipe, as a captured reader might write it. What is taken must be clean text. */
#include "search/extract_wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = { (const char *)data, size };
	struct wire_answer answer = { 0 };
	size_t sum = 0;

	if (wire_parse(bytes, 1 << 16, &answer, NULL) < 0)
		return 0;
	for (size_t i = 0; i < answer.text->page_count; i++) {
		sum += answer.text->pages[i].text.n;
		if (!wire_is_clean(answer.text->pages[i].text) ||
			!wire_is_clean_line(answer.text->pages[i].label))
			abort();
	}
	if (sum != answer.text->text_bytes || sum > 1 << 16)
		abort();
	wire_answer_done(&answer);
	return 0;
}
