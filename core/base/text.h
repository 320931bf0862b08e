/* text.h - Unicode: normal forms, width on a terminal, and foreign text made safe to show or to use
 * as a name. */
#ifndef MUN_BASE_TEXT_H
#define MUN_BASE_TEXT_H

#include "core/base/buf.h"

/* Append the NFKC (full-width and half-width alike) or NFC form. Errors: ERR_INVALID when not
 * UTF-8, ERR_LIMIT. */
int text_add_nfkc(struct buf *b, struct str text, struct err *err);
int text_add_nfc(struct buf *b, struct str text, struct err *err);
/* UTF-8 in NFC form. */
bool text_is_nfc(struct str text);

/* The character at the start and its bytes in *ret_n; -1 (and 1 byte) when not UTF-8. `text` is not
 * empty. */
int32_t text_char(struct str text, size_t *ret_n);
/* Append a character as UTF-8. */
void text_add_char(struct buf *b, int32_t c);
/* How many characters; a byte that is not UTF-8 counts as one. */
size_t text_chars(struct str text);

/* Columns on a terminal: wide and full-width characters 2, combining marks and controls 0, the
 * rest 1. */
size_t text_width(struct str text);
/* As much of the start as fits in so many columns, never half a character. */
struct str text_cut(struct str text, size_t columns);
/* Append the text and blanks up to so many columns; a longer text is cut and ends in "…". */
void text_add_padded(struct buf *b, struct str text, size_t columns);

/* Control, format, bidirectional override, line separator, private use, surrogate, unassigned. Tab
 * and line feed count. */
bool text_is_unsafe_char(int32_t c);
/* Append the text with what is not safe to show as escapes: \n, \t, \x1b for bytes, \u{202e} for
 * characters, and \\ for the backslash itself, so that the result is one honest line. */
void text_add_safe(struct buf *b, struct str text);

/* UTF-8 without any unsafe character: fit for a name or a one-line field. The error names the first
 * bad one. Errors: ERR_INVALID. */
int text_check_line(struct str text, struct err *err);

/* The last component of a file name from outside (both '/' and '\' separate), in NFC, appended to
 * b. Refused with ERR_INVALID: not UTF-8, control and bidirectional characters, empty, ".", "..".
 * Longer than 255 bytes: ERR_LIMIT. */
int text_add_file_name(struct buf *b, struct str name, struct err *err);

#endif
