/* snippet.h - the few words around what was found, from decrypted text.
 *
 * The index holds no text, so the caller decrypts the pages of a hit and this looks for the query's
 * words in them with the tokeniser that indexed them: what is marked is what was found. */
#ifndef MUN_SEARCH_SNIPPET_H
#define MUN_SEARCH_SNIPPET_H

#include "core/base/buf.h"
#include "search/query.h"

/* Columns of a snippet unless told otherwise, and at most; bytes of text that are looked through
 * for one hit. */
enum { SNIPPET_COLUMNS = 100, SNIPPET_COLUMNS_MAX = 2000, SNIPPET_SCAN_MAX = 2 << 20 };

struct snippet_page {
	uint32_t number; /* 0: has none */
	struct str text;
};

struct snippet_options {
	size_t columns;	       /* a Chinese character takes two; 0 = SNIPPET_COLUMNS */
	struct str start, end; /* marks around what was found; they count no columns */
	bool html;   /* write & < > " as entities in the text (the marks go out as they are) */
	bool unmask; /* show sensitive numbers whole: only for who may */
};

/* The best place in the pages, in one line, marked, with "…" where text was left out; appended to
 * `ret`. *ret_page is that page's `number`; *ret_index its place in `pages`. Without a match (*ret_met is
 * false: the query hit the title alone, say) the beginning of the first page that is not blank. Empty
 * when there is no text. Control and bidirectional format characters never come out. */
int snippet_make(const struct query *query, const struct snippet_page *pages, size_t page_count,
	const struct snippet_options *options, struct buf *ret, uint32_t *ret_page,
	size_t *ret_index, bool *ret_met, struct err *err);

/* A short text whole (a title), marked and masked alike, without "…". */
int snippet_mark(const struct query *query, struct str text, const struct snippet_options *options,
	struct buf *ret, struct err *err);

#endif
