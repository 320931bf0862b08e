/* document.h - a record as the index wants it: its fields, and the text of its parts, from the cache or
 * read in the jail. */
#ifndef MUN_ARCHIVE_DOCUMENT_H
#define MUN_ARCHIVE_DOCUMENT_H

#include "core/archive/reading.h"
#include "search/extract.h"

struct document {
	struct edition edition;
	struct extracted **parts;
	size_t part_count;
	struct fulltext_text *texts;
	size_t text_count, text_room;
	bool is_indexed; /* false: a series that is not to be found by its words */
};

/* How texts are read, from the settings. */
void document_options(struct archive *a, struct extract_options *ret);

/* The bytes of part i in memory that has no name, sealed, for the jail: a descriptor. */
int document_plaintext(struct archive *a, const struct edition *e, size_t i, struct err *err);

/* The text of part i, read now (not from the cache, nor kept there). */
int document_read_text(struct archive *a, const struct edition *e, size_t i, struct extracted **ret,
	struct err *err);

/* The newest version of a record, with every text. `extract_again`: whatever the cache has. *reading (may
 * be NULL) counts the jobs that run. Errors: ERR_DESTROYED, ERR_NOTFOUND (its key is gone), and what
 * reading gives. A part whose text cannot be read is one without text. */
int document_load(struct archive *a, const struct id *record, bool extract_again,
	_Atomic uint64_t *reading, struct document *ret, struct err *err);
/* A zeroed one is fine. */
void document_done(struct document *d);

/* Accounts and definitions are not found by their words. */
bool document_is_found_by_words(struct str series);

/* As fulltext_put takes it; views into the document. */
void document_view(const struct document *d, struct fulltext_document *ret);

#endif
