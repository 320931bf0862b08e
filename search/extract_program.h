/* extract_program.h - inside the jail: other people's programs that read documents.
 *
 * They inherit the jail, get the document as descriptor 0 (also as the file DOCUMENT_PATH, for those that
 * must seek) and a fixed environment. */
#ifndef MUN_SEARCH_EXTRACT_PROGRAM_H
#define MUN_SEARCH_EXTRACT_PROGRAM_H

#include "search/extract_job.h"

#define DOCUMENT_PATH "/proc/self/fd/0"

/* Run a program on the document and keep what it says. Over ret->max bytes are dropped: then ret->failed, and
 * EXTRACT_OK. EXTRACT_DAMAGED when it ends with an error, EXTRACT_NO_PROGRAM when it is not installed. */
enum extract_reason program_run(const char *const *argv, bool with_errors, struct buf *ret);

/* The same with a second program that reads what the first one writes: `first` reads the document. How the
 * first ended counts when the second one ended well. */
enum extract_reason program_pipe(
	const char *const *first, const char *const *second, struct buf *ret);

#endif
