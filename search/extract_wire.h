/* extract_wire.h - what muniment-extract answers on its pipe.
 *
 *     "MXT1", then frames: kind (1 byte) | n (u32, big-endian) | n bytes; nothing after the last,
 * which is END
 *
 *     1 TYPE    media type, 1 to 95 of [a-z0-9.+/-]            at most once, before all others
 *     2 TITLE   3 AUTHOR   text, 1 to 1024 bytes               at most once each
 *     4 DATE    "2026-11-21"                                   at most once
 *     5 PAGE    u32 number | u16 length | label | text         label at most 1024 bytes
 *     6 FILE    u16 length | name | bytes                      a file inside the document; name as label
 *     7 CUT     nothing                                        text is missing at the end; at most once
 *     8 END     u8 reason (enum extract_reason)                pages and files only with EXTRACT_OK
 *     9 TOTAL   u32 pages, at least 1                          of the document; at most once
 *     10 SCAN   u32 number | u8 percent | text                 a page that was read from a picture, and how
 *                                                              sure that is, 1 to 100
 *
 * Text is UTF-8 without control characters but newline and tab. Whoever broke into the reader
 * writes this: the parser takes nothing else, and nothing over the limits. */
#ifndef MUN_SEARCH_EXTRACT_WIRE_H
#define MUN_SEARCH_EXTRACT_WIRE_H

#include "search/extract.h"

enum wire_kind {
	WIRE_TYPE = 1,
	WIRE_TITLE,
	WIRE_AUTHOR,
	WIRE_DATE,
	WIRE_PAGE,
	WIRE_FILE,
	WIRE_CUT,
	WIRE_END,
	WIRE_TOTAL,
	WIRE_SCAN
};

enum {
	WIRE_MAX_TYPE = 95,
	WIRE_MAX_LINE = 1024,	  /* title, author, label, name */
	WIRE_MAX_PAGES = 1 << 17, /* and sheets, slides */
	WIRE_MAX_FILES = 1024
};

/* ---- the reader's side: appends to a buf; asks nothing, cuts nothing ---- */

void wire_begin(struct buf *out);
void wire_add(struct buf *out, enum wire_kind kind, struct str text);
void wire_add_page(struct buf *out, uint32_t number, struct str label, struct str text);
void wire_add_scan(struct buf *out, uint32_t number, uint32_t sure, struct str text);
void wire_add_total(struct buf *out, uint32_t pages);
void wire_add_file(struct buf *out, struct str name, struct str bytes);
void wire_end(struct buf *out, enum extract_reason reason);

/* ---- the caller's side ---- */

struct wire_file {
	struct str name, bytes;
};

struct wire_answer {
	struct extracted *text;
	struct wire_file *files; /* views into the bytes that were parsed */
	size_t file_count;
};

void wire_answer_done(struct wire_answer *answer);

/* Parse a whole answer. The views in *ret look into `bytes`, which must stay: text->bytes is NULL.
 * Text over max_text_bytes in all is refused. Errors: ERR_INVALID with the place, ERR_LIMIT. */
int wire_parse(struct str bytes, uint64_t max_text_bytes, struct wire_answer *ret, struct err *err);

/* True for UTF-8 without control characters but newline and tab. */
bool wire_is_clean(struct str text);
/* The same, and without newline and tab: labels, titles. */
bool wire_is_clean_line(struct str text);

#endif
