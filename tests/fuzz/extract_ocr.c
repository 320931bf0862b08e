/* What tesseract answers: its table of words with places. */
#include "search/extract_ocr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct extract_limits limits = { .max_unpacked_bytes = 1 << 20,
		.max_text_bytes = 1 << 16,
		.max_file_bytes = 1 << 16,
		.max_ratio = 100,
		.max_members = 100,
		.max_files = 4 };
	struct wire_answer answer;
	struct buf all = BUF_INIT_MAX(1 << 26);
	struct job j;

	job_init(&j, STR("x"), HINT_NONE, &limits);
	ocr_take(&j, (struct str){ (const char *)data, size }, 1);
	job_end(&j, EXTRACT_OK);
	buf_add_str(&all, buf_str(&j.head));
	buf_add_str(&all, buf_str(&j.body));
	/* Whatever came in, what goes out is an answer. */
	if (wire_parse(buf_str(&all), 1 << 16, &answer, NULL) < 0)
		abort();
	wire_answer_done(&answer);
	buf_done(&all);
	job_done(&j);
	return 0;
}
