/* extract_charset.c - bytes of text files, mails and web pages to UTF-8.
 *
 * What a document says about its charset is believed only if the bytes fit it better than a guess;
 * GB2312 and GBK are always read as GB18030, which contains both, because writers name the smallest
 * and use the largest. */
#include "search/extract_job.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <strings.h>

/* Above: not text of this charset. Errors per bytes. */
enum { BAD_PER_BYTES = 50 };

static const struct {
	const char *name, *read_as;
} aliases[] = { { "gb2312", "GB18030" }, { "gbk", "GB18030" }, { "x-gbk", "GB18030" },
	{ "cp936", "GB18030" }, { "gb_2312-80", "GB18030" }, { "euc-cn", "GB18030" },
	{ "hz-gb-2312", "HZ" }, { "big5", "BIG5-HKSCS" }, { "iso-8859-1", "WINDOWS-1252" },
	{ "latin1", "WINDOWS-1252" }, { "us-ascii", "UTF-8" }, { "ascii", "UTF-8" },
	{ "utf8", "UTF-8" }, { "unicode", "UTF-16LE" }, { "ks_c_5601-1987", "CP949" },
	{ "shift_jis", "CP932" } };

/* Convert; returns the number of bytes that fitted nowhere, or SIZE_MAX when there is no such
 * charset. */
static size_t convert(struct str bytes, const char *charset, struct buf *ret)
{
	iconv_t cd = iconv_open("UTF-8", charset);
	char *in = (char *)bytes.p;
	size_t left = bytes.n, bad = 0,
	       skip = strncasecmp(charset, "UTF-16", 6) == 0   ? 2
		      : strncasecmp(charset, "UTF-32", 6) == 0 ? 4
							       : 1;

	if (cd == (iconv_t)-1)
		return SIZE_MAX;
	while (left > 0 && !ret->failed) {
		char room[16384], *out = room;
		size_t free = sizeof(room);
		size_t r = iconv(cd, &in, &left, &out, &free);

		buf_add(ret, room, (size_t)(out - room));
		if (r != (size_t)-1 || errno == E2BIG)
			continue;
		buf_adds(ret, "\xef\xbf\xbd");
		bad++;
		in += skip < left ? skip : left;
		left -= skip < left ? skip : left;
		(void)iconv(cd, NULL, NULL, NULL, NULL);
	}
	(void)iconv_close(cd);
	return bad;
}

static bool is_charset_name(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 40)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_' || c == '.' || c == ':'))
			return false;
	}
	return true;
}

static const char *read_as(const char *charset)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcasecmp(charset, aliases[i].name) == 0)
			return aliases[i].read_as;
	return charset;
}

/* The charset that a byte order mark names, and its length. UTF-32 first: UTF-16LE's mark begins
 * its own. */
static const char *by_mark(struct str bytes, size_t *ret_length)
{
	static const struct {
		struct str mark;
		const char *charset;
	} marks[] = {
		{ STR("\xef\xbb\xbf"), "UTF-8" },
		{ STR("\xff\xfe\0\0"), "UTF-32LE" },
		{ STR("\0\0\xfe\xff"), "UTF-32BE" },
		{ STR("\xff\xfe"), "UTF-16LE" },
		{ STR("\xfe\xff"), "UTF-16BE" },
		{ STR("\x84\x31\x95\x33"), "GB18030" },
	};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (bytes.n >= marks[i].mark.n &&
			memcmp(bytes.p, marks[i].mark.p, marks[i].mark.n) == 0) {
			*ret_length = marks[i].mark.n;
			return marks[i].charset;
		}
	return NULL;
}

/* UTF-16 without a mark: every second byte of ASCII is 0, and so are the line breaks of Chinese
 * text. */
static const char *by_zeros(struct str bytes)
{
	size_t zeros[2] = { 0, 0 }, n = bytes.n < 4096 ? bytes.n : 4096;

	for (size_t i = 0; i < n; i++)
		if (bytes.p[i] == '\0')
			zeros[i & 1]++;
	if (zeros[1] > n / 40 && zeros[0] == 0)
		return "UTF-16LE";
	if (zeros[0] > n / 40 && zeros[1] == 0)
		return "UTF-16BE";
	return NULL;
}

/* Zeros and controls are not text; a few form feeds and escapes are. */
static bool looks_binary(struct str bytes)
{
	size_t odd = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		if (c == 0)
			return true;
		if ((c < 0x20 && !(c >= 8 && c <= 13) && c != 0x1b) || c == 0x7f)
			odd++;
	}
	return odd > bytes.n / 100;
}

/* Without a last character that was cut in the middle. */
static struct str whole_characters(struct str bytes)
{
	for (size_t back = 1; back <= 3 && back <= bytes.n; back++) {
		unsigned char c = (unsigned char)bytes.p[bytes.n - back];
		size_t promised = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		if ((c & 0xc0) == 0x80)
			continue;
		return (struct str){ bytes.p, promised > back ? bytes.n - back : bytes.n };
	}
	return bytes;
}

/* UTF-8 with a scratch or two. */
static bool is_nearly_utf8(struct str bytes)
{
	size_t good = 0, bad = 0;

	for (size_t at = 0; at < bytes.n;) {
		bool high = (unsigned char)bytes.p[at] >= 0x80;
		uint32_t c = utf8_next(bytes, &at);

		if (high && c == 0xfffd)
			bad++;
		else if (high)
			good++;
	}
	return bad * 20 <= good;
}

static bool is_usual(uint32_t c)
{
	return is_cjk(c) || (c >= 0x2010 && c <= 0x2040) || (c >= 0x2100 && c <= 0x25ff) ||
	       (c >= 0x391 && c <= 0x3c9) || (c >= 0x3040 && c <= 0x30ff) || c == 0xb0 ||
	       c == 0xb1 || c == 0xb7 || c == 0xd7;
}

/* Nearly any bytes are GB18030, also the umlauts of "Ger\xe4te". It is Chinese when its characters
 * are those that people write, and when they either stand close together or are those of the
 * smallest set, GB2312, whose second bytes are never ASCII. */
static bool is_chinese(struct str bytes, struct str utf8)
{
	size_t usual = 0, other = 0, high = 0, small = 0, large = 0;

	for (size_t at = 0; at < utf8.n;) {
		uint32_t c = utf8_next(utf8, &at);

		if (c >= 0x80)
			*(is_usual(c) ? &usual : &other) += 1;
	}
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i], d;

		if (c < 0x80)
			continue;
		d = i + 1 < bytes.n ? (unsigned char)bytes.p[++i] : 0;
		*(d >= 0xa1 ? &small : &large) += 1;
		high += 2;
	}
	return usual > 0 && other * 10 <= usual && (large * 3 <= small || high > bytes.n / 2);
}

static bool guess(struct str bytes, struct buf *ret)
{
	const char *wide = by_zeros(bytes);
	size_t high = 0;

	if (wide && convert(bytes, wide, ret) <= bytes.n / BAD_PER_BYTES)
		return true;
	buf_reset(ret);
	if (looks_binary(bytes))
		return false;
	if (is_nearly_utf8(whole_characters(bytes))) {
		buf_add_str(ret, whole_characters(bytes));
		return true;
	}
	if (convert(bytes, "GB18030", ret) <= bytes.n / BAD_PER_BYTES &&
		is_chinese(bytes, buf_str(ret)))
		return true;
	buf_reset(ret);
	for (size_t i = 0; i < bytes.n; i++)
		high += (unsigned char)bytes.p[i] >= 0x80;
	if (high > bytes.n / 4)
		return false;
	return convert(bytes, "WINDOWS-1252", ret) != SIZE_MAX;
}

bool text_to_utf8(struct str bytes, const char *charset, struct buf *ret)
{
	size_t mark = 0;
	const char *marked = by_mark(bytes, &mark);

	if (marked) {
		size_t bad = convert((struct str){ bytes.p + mark, bytes.n - mark }, marked, ret);

		if (bad <= bytes.n / BAD_PER_BYTES)
			return true;
		buf_reset(ret);
	}
	if (charset && is_charset_name(charset)) {
		if (convert(bytes, read_as(charset), ret) <= bytes.n / BAD_PER_BYTES)
			return true;
		buf_reset(ret);
	}
	return guess(bytes, ret);
}
