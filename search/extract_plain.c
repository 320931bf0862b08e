/* extract_plain.c - text as it stands: .txt, .md, .csv. */
#include "search/extract_job.h"

enum extract_reason read_plain(struct job *j)
{
	struct buf utf8 = BUF_INIT_MAX(j->limits.max_unpacked_bytes);
	bool is_text = text_to_utf8(j->input, NULL, &utf8);

	if (is_text && !utf8.failed)
		job_text(j, buf_str(&utf8));
	if (is_text && utf8.failed)
		job_cut(j);
	buf_done(&utf8);
	return is_text ? EXTRACT_OK : EXTRACT_TYPE;
}
