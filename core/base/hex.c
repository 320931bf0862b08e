/* hex.c - see hex.h. */
#include "core/base/hex.h"
#include "core/base/tr.h"

#include <sodium.h>

char *hex_encode(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

void hex_add(struct buf *b, const void *p, size_t n)
{
	char *at = buf_extend(b, 2 * n);

	if (at)
		(void)hex_encode(p, n, at); /* its NUL falls where the buf keeps one */
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int hex_decode(struct str text, void *out, size_t n, struct err *err)
{
	uint8_t *at = out;

	if (text.n != 2 * n)
		return err_set(err, ERR_INVALID, tr("expected %zu hexadecimal digits, found %zu"),
			2 * n, text.n);
	for (size_t i = 0; i < n; i++) {
		int high = digit(text.p[2 * i]), low = digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return err_set(err, ERR_INVALID, tr("'%.*s' is not lower-case hexadecimal"),
				STR_ARG(text));
		at[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void base64_add(struct buf *b, const void *p, size_t n)
{
	size_t room = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
	char *at = buf_extend(b, room);

	if (!at)
		return;
	(void)sodium_bin2base64(at, room, p, n, sodium_base64_VARIANT_ORIGINAL);
	buf_cut(b, b->n - 1); /* the room counts a NUL of its own */
}

/* libsodium takes bytes above 0x7f for letters of the alphabet. */
static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((uint8_t)text.p[i] > 0x7f)
			return false;
	return true;
}

int base64_decode(struct str text, struct buf *ret, struct err *err)
{
	size_t before = ret->n, room = text.n / 4 * 3 + 3, got = 0;
	uint8_t *at = buf_extend(ret, room);

	if (!at)
		return buf_check(ret, err);
	if (!is_ascii(text) || sodium_base642bin(at, room, text.p, text.n, NULL, &got, NULL,
				       sodium_base64_VARIANT_ORIGINAL) != 0) {
		buf_cut(ret, before);
		return err_set(err, ERR_INVALID, tr("not base64"));
	}
	buf_cut(ret, before + got);
	return 0;
}
