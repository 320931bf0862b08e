/* excerpt.h - the words around what a search found in a record: in the text of its parts, else in what its
 * form says. */
#ifndef MUN_ARCHIVE_EXCERPT_H
#define MUN_ARCHIVE_EXCERPT_H

#include "core/archive/reading.h"
#include "search/snippet.h"

/* Add to the open map of a reply: "snippet", and where it is from: "part", "page", "label". Nothing when
 * the record has no text at all, or what there is cannot be read. */
void excerpt_say(struct archive *a, const struct query *query, const struct snippet_options *marks,
	const struct registry_row *row, const struct row_text *text, struct buf *b);

#endif
