/* qr.h - a text as a QR code (ISO/IEC 18004): as a picture for the browser, as characters for a terminal.
 * The only place that knows libqrencode. Pure; any thread. */
#ifndef MUN_ARCHIVE_QR_H
#define MUN_ARCHIVE_QR_H

#include "core/base/buf.h"

enum { QR_QUIET = 4, QR_MAX_MODULES = 177, QR_MAX_TEXT = 1000 };

/* The modules of a code, without the quiet zone around it: dark[y * size + x]. */
struct qr {
	size_t size;
	uint8_t dark[QR_MAX_MODULES * QR_MAX_MODULES];
};

/* Errors: ERR_INVALID (empty, a NUL), ERR_LIMIT. */
int qr_make(struct str text, struct qr *ret, struct err *err);
/* An SVG document of its own, black on white with the quiet zone; it scales. Appended. */
void qr_svg(const struct qr *qr, struct buf *ret);
/* Lines of half blocks, two modules a character, black on white whatever the terminal has. Appended. */
void qr_text(const struct qr *qr, struct buf *ret);

#endif
