/* extract_zip.h - the members of a zip container, by name; libarchive behind it.
 *
 * Nothing is ever unpacked to a file, so names can do no harm: they are only compared. Members are
 * read in whatever order the reader wants (a streaming reader sees an Excel file's sheets before
 * the strings that they point to). What comes out is counted against the job's limits, not what the
 * headers promise. */
#ifndef MUN_SEARCH_EXTRACT_ZIP_H
#define MUN_SEARCH_EXTRACT_ZIP_H

#include "search/extract_job.h"

struct zip;

/* Reads the directory. EXTRACT_DAMAGED, EXTRACT_ENCRYPTED (a member is), EXTRACT_BOMB (too many
 * members). The job must outlive it. */
enum extract_reason zip_open(struct job *j, struct zip **ret);
void zip_close(struct zip *z);
DEFINE_CLEANUP(struct zip *, zip_close)

size_t zip_count(const struct zip *z);
/* In the order of the directory; owned by the zip. */
const char *zip_name(const struct zip *z, size_t i);
/* ASCII case does not matter (OPC says so). */
bool zip_has(const struct zip *z, const char *name);

/* Hand a member to `chunk` piece by piece, until it returns something else than EXTRACT_OK, which
 * is returned. EXTRACT_TYPE when there is no such member, EXTRACT_DAMAGED, EXTRACT_ENCRYPTED,
 * EXTRACT_BOMB. */
enum extract_reason zip_read(struct zip *z, const char *name,
	enum extract_reason (*chunk)(void *context, const char *p, size_t n), void *context);
/* The same into a buf; over its ceiling is EXTRACT_BOMB. */
enum extract_reason zip_load(struct zip *z, const char *name, struct buf *ret);

#endif
