/* qr.c - see qr.h. */
#include "core/archive/qr.h"

#include "core/base/tr.h"

#include <qrencode.h>
#include <sodium.h>
#include <stdlib.h>

int qr_make(struct str text, struct qr *ret, struct err *err)
{
	_cleanup_(buf_wipe) struct buf copy = BUF_INIT;
	QRcode *code;
	size_t n;

	if (text.n == 0 || memchr(text.p, '\0', text.n))
		return err_set(err, ERR_INVALID, tr("this text cannot be a QR code"));
	if (text.n > QR_MAX_TEXT)
		return err_set(err, ERR_LIMIT, tr("a QR code holds at most %d bytes"), QR_MAX_TEXT);
	buf_add_str(&copy, text);
	code = QRcode_encodeString8bit(copy.p, 0, QR_ECLEVEL_M);
	if (!code || code->width > QR_MAX_MODULES) {
		QRcode_free(code);
		return err_set(err, ERR_INVALID, tr("this text cannot be a QR code"));
	}
	ret->size = (size_t)code->width;
	n = ret->size * ret->size;
	for (size_t i = 0; i < n; i++)
		ret->dark[i] = code->data[i] & 1;
	sodium_memzero(code->data, n);
	QRcode_free(code);
	return 0;
}

void qr_svg(const struct qr *qr, struct buf *ret)
{
	size_t side = qr->size + (size_t)2 * QR_QUIET;

	buf_addf(ret,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %zu %zu\" "
		"shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%zuv%zuH0z\"/>"
		"<path d=\"",
		side, side, side, side);
	for (size_t y = 0; y < qr->size; y++) {
		for (size_t x = 0; x < qr->size;) {
			size_t run = 0;

			while (x + run < qr->size && qr->dark[y * qr->size + x + run])
				run++;
			if (run > 0)
				buf_addf(ret, "M%zu %zuh%zuv1h-%zuz", x + QR_QUIET, y + QR_QUIET,
					run, run);
			x += run ? run : 1;
		}
	}
	buf_adds(ret, "\"/></svg>");
}

/* Beyond the edges it is light. */
static bool is_dark(const struct qr *qr, size_t x, size_t y)
{
	return x >= QR_QUIET && y >= QR_QUIET && x < qr->size + QR_QUIET &&
	       y < qr->size + QR_QUIET && qr->dark[(y - QR_QUIET) * qr->size + x - QR_QUIET];
}

void qr_text(const struct qr *qr, struct buf *ret)
{
	size_t side = qr->size + (size_t)2 * QR_QUIET;

	for (size_t y = 0; y < side; y += 2) {
		buf_adds(ret, "\x1b[30;47m");
		for (size_t x = 0; x < side; x++) {
			bool top = is_dark(qr, x, y), bottom = is_dark(qr, x, y + 1);

			buf_adds(ret, top && bottom ? "█" : top ? "▀" : bottom ? "▄" : " ");
		}
		buf_adds(ret, "\x1b[0m\n");
	}
}
