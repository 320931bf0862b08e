/* terms.h - what stands in the index instead of words.
 *
 * A term is one byte that says what kind of thing it is, then the folded text: 'S' "召回" is the
 * bigram 召回 of a title, 'Z' "recal" a stem. Before it reaches Xapian the whole is replaced by 8
 * bytes of SipHash-2-4 under the key of the index, so that neither text nor kind can be read there,
 * and 召 in a title and 召 in a body do not look alike. The kind goes in before hashing: filters
 * and record ids are terms like all others.
 *
 * What this does not do: equal terms stay equal, and positions are kept, so somebody who has the
 * whole index and time can guess at it like at any substitution cipher. It stops grep, stray copies
 * and stale blocks.
 *
 * The kinds are part of the index's format: one that is gone is not used again, and TERMS_VERSION
 * grows when the same text would give other terms, which makes an old index one that wants
 * rebuilding. */
#ifndef MUN_SEARCH_TERMS_H
#define MUN_SEARCH_TERMS_H

#include "core/base/str.h"

enum { TERMS_VERSION = 5, TERM_KEY_BYTES = 16, TERM_HASH_BYTES = 8, TERM_TEXT_MAX = 240 };

enum term_kind {
	/* From text. WORD: words as written (folded), Chinese bigrams and single characters, whole
	   numbers. */
	TERM_WORD = 'W',
	TERM_STEM = 'Z',
	TERM_CODE = 'C',      /* a code in running text, whole: SOP-012, 20203140123 */
	TERM_CODE_EDGE = 'E', /* its beginnings, itself included */
	TERM_DATE = 'U',      /* a date in running text, 20250520 however it was written */
	TERM_TITLE = 'S',     /* as WORD, within the title alone */
	TERM_TITLE_STEM = 'T',
	TERM_NUMBER =
		'N', /* a number of the record, whole, in the form that number_canonical gives */
	TERM_NUMBER_EDGE = 'O', /* its beginnings, itself included */
	TERM_SENSITIVE = 'P',	/* a whole sensitive value */
	/* About the record: filters. */
	TERM_ID = 'Q',
	TERM_SERIES = 'R',
	TERM_DEPARTMENT = 'D',
	TERM_TYPE = 'X',
	TERM_SCOPE = 'A',
	TERM_YEAR = 'Y',    /* 2025 */
	TERM_QUARTER = 'K', /* 20252 */
	TERM_MONTH = 'M',   /* 202505 */
	TERM_DAY = 'J'	    /* 20250520 */
};

/* out = the term's 8 bytes. `text` longer than TERM_TEXT_MAX is cut there, on both sides alike. */
void term_hash(const uint8_t key[TERM_KEY_BYTES], enum term_kind kind, struct str text,
	uint8_t out[TERM_HASH_BYTES]);

#endif
