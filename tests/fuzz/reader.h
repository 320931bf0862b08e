/* reader.h - what the fuzz targets of the readers share: run one over the input with small limits, and hold that its
 * answer is one that the caller takes. */
#ifndef MUN_TESTS_FUZZ_READER_H
#define MUN_TESTS_FUZZ_READER_H

#include "search/extract_job.h"

#include <stdlib.h>

static inline void fuzz_reader(const uint8_t *data, size_t size, enum extract_hint hint,
	enum extract_reason (*read)(struct job *j))
{
	const struct extract_limits limits = { .max_unpacked_bytes = 4 << 20,
		.max_text_bytes = 1 << 20,
		.max_file_bytes = 1 << 20,
		.max_ratio = 200,
		.max_members = 200,
		.max_files = 16 };
	struct str input = { (const char *)data, size };
	struct wire_answer answer = { 0 };
	struct buf all = BUF_INIT;
	struct job j;

	job_init(&j, input, hint, &limits);
	if (read)
		job_end(&j, read(&j));
	else
		job_run(&j);
	buf_add_str(&all, buf_str(&j.head));
	buf_add_str(&all, buf_str(&j.body));
	if (wire_parse(buf_str(&all), limits.max_text_bytes, &answer, NULL) < 0)
		abort();
	wire_answer_done(&answer);
	buf_done(&all);
	job_done(&j);
}

#endif
