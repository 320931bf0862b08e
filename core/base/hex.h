/* hex.h - bytes as text: lower-case hexadecimal, and base64 with padding. */
#ifndef MUN_BASE_HEX_H
#define MUN_BASE_HEX_H

#include "core/base/buf.h"

/* Writes 2 n digits and a NUL; returns `out`. */
char *hex_encode(const void *p, size_t n, char *out);
void hex_add(struct buf *b, const void *p, size_t n);
/* Exactly 2 n lower-case digits, or ERR_INVALID. */
int hex_decode(struct str text, void *out, size_t n, struct err *err);

void base64_add(struct buf *b, const void *p, size_t n);
/* The strict form only: padded, no white space. Appends the bytes to `ret`. Errors: ERR_INVALID. */
int base64_decode(struct str text, struct buf *ret, struct err *err);

#endif
