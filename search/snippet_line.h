/* snippet_line.h - a stretch of a page as one line that may be shown: between snippet.c, which knows where, and the
 * reader. */
#ifndef MUN_SEARCH_SNIPPET_LINE_H
#define MUN_SEARCH_SNIPPET_LINE_H

#include "search/snippet.h"

/* What is marked: bytes of the page. */
struct snippet_mark_range {
	uint32_t start, end;
};

/* Where to begin so that `at` has up to `lead` columns before it: behind the end of a sentence or paragraph
 * if one is near, and not inside a Latin word or a number. */
size_t snippet_line_start(struct str page, size_t at, size_t lead);

/* Append the line that begins at `from`, at most `columns` wide, with "…" where text is left out. Marks are
 * in order of their places and do not overlap. Control and format characters are gone, sensitive numbers
 * masked unless the options say otherwise. White space is one space, but nothing where a full line of
 * Chinese was broken. */
int snippet_line_add(struct str page, size_t from, size_t columns,
	const struct snippet_mark_range *marks, size_t mark_count,
	const struct snippet_options *options, struct buf *ret, struct err *err);

/* Nothing that can be seen. */
bool snippet_is_blank(struct str text);

/* The place of the character that `at` is in or before. */
size_t snippet_char_start(struct str text, size_t at);

#endif
