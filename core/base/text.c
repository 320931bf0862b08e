/* text.c - see text.h. utf8proc knows Unicode's tables; what counts as safe to show is decided
 * here. */
#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdlib.h>
#include <utf8proc.h>

enum { FILE_NAME_MAX_BYTES = 255 };

static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	return true;
}

/* Characters that no normal form changes or combines: Latin letters, Chinese ones, full-width
 * forms. */
static bool is_plainly_nfc(int32_t c)
{
	return (c > 0 && c < 0x300) || (c >= 0x3000 && c < 0x302a) || (c >= 0x3400 && c < 0x4dc0) ||
	       (c >= 0x4e00 && c < 0xa000) || (c >= 0xff01 && c < 0xff60) ||
	       (c >= 0x2010 && c < 0x2028);
}

static bool is_all_plainly_nfc(struct str text)
{
	bool plain = true;

	for (size_t i = 0, n; plain && i < text.n; i += n)
		plain = is_plainly_nfc(text_char((struct str){ text.p + i, text.n - i }, &n));
	return plain;
}

static int add_normal(struct buf *b, struct str text, utf8proc_option_t form, struct err *err)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n;

	if (is_ascii(text) || (!(form & UTF8PROC_COMPAT) && is_all_plainly_nfc(text))) {
		buf_add_str(b, text);
		return buf_check(b, err);
	}
	if (!str_is_utf8(text))
		return err_set(err, ERR_INVALID, tr("the text is not UTF-8"));
	if (text.n > b->max)
		return err_set(
			err, ERR_LIMIT, tr("more than %zu bytes are not accepted here"), b->max);
	n = utf8proc_map((const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.n, &out,
		(utf8proc_option_t)(form | UTF8PROC_STABLE | UTF8PROC_COMPOSE));
	if (n < 0)
		return err_set(err, ERR_INVALID, tr("the text is not UTF-8"));
	buf_add(b, out, (size_t)n);
	free(out);
	return buf_check(b, err);
}

int text_add_nfkc(struct buf *b, struct str text, struct err *err)
{
	return add_normal(b, text, UTF8PROC_COMPAT, err);
}

int text_add_nfc(struct buf *b, struct str text, struct err *err)
{
	return add_normal(b, text, (utf8proc_option_t)0, err);
}

bool text_is_nfc(struct str text)
{
	struct buf b = BUF_INIT;
	bool same;

	if (is_all_plainly_nfc(text))
		return true;
	same = text_add_nfc(&b, text, NULL) == 0 && str_eq(buf_str(&b), text);
	buf_done(&b);
	return same;
}

int32_t text_char(struct str text, size_t *ret_n)
{
	const uint8_t *p = (const uint8_t *)text.p;
	utf8proc_int32_t c;
	utf8proc_ssize_t n;

	/* Most of what is asked about: ASCII, and three bytes as Chinese has them (e1 to ec). */
	if (text.n > 0 && p[0] < 0x80) {
		*ret_n = 1;
		return p[0];
	}
	if (text.n >= 3 && p[0] >= 0xe1 && p[0] <= 0xec && (p[1] & 0xc0) == 0x80 &&
		(p[2] & 0xc0) == 0x80) {
		*ret_n = 3;
		return (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	}
	n = utf8proc_iterate(
		(const utf8proc_uint8_t *)text.p, text.n > 4 ? 4 : (utf8proc_ssize_t)text.n, &c);

	if (n <= 0) {
		*ret_n = 1;
		return -1;
	}
	*ret_n = (size_t)n;
	return c;
}

void text_add_char(struct buf *b, int32_t c)
{
	utf8proc_uint8_t raw[4];

	buf_add(b, raw, (size_t)utf8proc_encode_char(c, raw));
}

size_t text_chars(struct str text)
{
	size_t count = 0;

	for (size_t i = 0, n; i < text.n; i += n) {
		(void)text_char((struct str){ text.p + i, text.n - i }, &n);
		count++;
	}
	return count;
}

static size_t char_width(int32_t c)
{
	int width = c < 0 ? 1 : utf8proc_charwidth(c);

	return width > 0 ? (size_t)width : 0;
}

size_t text_width(struct str text)
{
	size_t columns = 0;

	for (size_t i = 0, n; i < text.n; i += n)
		columns += char_width(text_char((struct str){ text.p + i, text.n - i }, &n));
	return columns;
}

struct str text_cut(struct str text, size_t columns)
{
	size_t i = 0, n;

	for (; i < text.n; i += n) {
		size_t width = char_width(text_char((struct str){ text.p + i, text.n - i }, &n));

		if (width > columns)
			break;
		columns -= width;
	}
	return (struct str){ text.p, i };
}

void text_add_padded(struct buf *b, struct str text, size_t columns)
{
	size_t width = text_width(text);

	if (width > columns && columns > 0) {
		struct str head = text_cut(text, columns - 1);

		buf_add_str(b, head);
		buf_adds(b, "…");
		width = text_width(head) + 1;
	} else if (width <= columns) {
		buf_add_str(b, text);
	}
	for (; width < columns; width++)
		buf_addc(b, ' ');
}

/* What nearly all text of ours is made of: no need to ask the tables. */
static bool is_plainly_safe(int32_t c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= 0x4e00 && c < 0x9ff0) ||
	       (c >= 0x3000 && c < 0x3040) || (c >= 0xff01 && c < 0xff60);
}

bool text_is_unsafe_char(int32_t c)
{
	if (is_plainly_safe(c))
		return false;
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	default:
		return false;
	}
}

static void add_safe_char(struct buf *b, int32_t c, struct str raw)
{
	if (c < 0 || (c < 0x80 && text_is_unsafe_char(c) && c != '\n' && c != '\t'))
		buf_addf(b, "\\x%02x", (unsigned char)raw.p[0]);
	else if (c == '\n')
		buf_adds(b, "\\n");
	else if (c == '\t')
		buf_adds(b, "\\t");
	else if (c == '\\')
		buf_adds(b, "\\\\");
	else if (text_is_unsafe_char(c))
		buf_addf(b, "\\u{%x}", (unsigned)c);
	else
		buf_add_str(b, raw);
}

void text_add_safe(struct buf *b, struct str text)
{
	for (size_t i = 0, n; i < text.n; i += n) {
		int32_t c = text_char((struct str){ text.p + i, text.n - i }, &n);

		add_safe_char(b, c, (struct str){ text.p + i, n });
	}
}

int text_check_line(struct str text, struct err *err)
{
	if (!str_is_utf8(text))
		return err_set(err, ERR_INVALID, tr("the text is not UTF-8"));
	for (size_t i = 0, n; i < text.n; i += n) {
		int32_t c = text_char((struct str){ text.p + i, text.n - i }, &n);

		if (text_is_unsafe_char(c))
			return err_set(err, ERR_INVALID,
				tr("the text has the control or format character U+%04X"),
				(unsigned)c);
	}
	return 0;
}

int text_add_file_name(struct buf *b, struct str name, struct err *err)
{
	_cleanup_(buf_done) struct buf shown = BUF_INIT;
	size_t before = b->n;
	struct str made;
	int r;

	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
			name = (struct str){ name.p + i, name.n - i };
			break;
		}
	r = text_check_line(name, err);
	if (r < 0) {
		text_add_safe(&shown, text_cut(name, 80));
		return err_prefix(err, r, tr("file name '%s'"), shown.p);
	}
	r = text_add_nfc(b, name, err);
	if (r < 0)
		return r;
	made = (struct str){ b->p + before, b->n - before };
	if (made.n == 0 || str_is(made, ".") || str_is(made, ".."))
		r = err_set(err, ERR_INVALID, tr("'%.*s' is not a file name"), STR_ARG(made));
	else if (made.n > FILE_NAME_MAX_BYTES)
		r = err_set(err, ERR_LIMIT, tr("a file name has at most %d bytes, this one %zu"),
			FILE_NAME_MAX_BYTES, made.n);
	if (r < 0)
		buf_cut(b, before);
	return r;
}
