/* lines.c - see lines.h. */
#include "store/lines.h"

#include "core/base/tr.h"

#include <string.h>
#include <strings.h>

void lines_init(
	struct lines *l, const char *what, struct str text, size_t max_bytes, struct err *err)
{
	*l = (struct lines){ .what = what, .rest = text, .code = ERR_CORRUPT, .err = err };
	if (text.n > max_bytes)
		l->r = err_set(err, ERR_LIMIT, tr("a %s of more than %zu bytes is not read"), what,
			max_bytes);
}

int lines_fail(struct lines *l)
{
	if (l->r == 0)
		l->r = err_set(l->err, l->code, tr("a %s is not as it was written: line %zu"),
			l->what, l->number);
	return l->r;
}

bool lines_next_is(const struct lines *l, const char *keyword)
{
	return l->r == 0 && str_starts(l->rest, keyword);
}

size_t lines_count(const struct lines *l, const char *keyword, size_t max)
{
	struct str rest = l->rest;
	size_t count = 0;

	while (count <= max && rest.n && str_starts(rest, keyword)) {
		(void)str_cut(&rest, '\n');
		count++;
	}
	return count;
}

void lines_take(struct lines *l, const char *keyword)
{
	const char *end;
	size_t n = strlen(keyword);

	if (l->r < 0)
		return;
	l->number++;
	end = l->rest.n ? memchr(l->rest.p, '\n', l->rest.n) : NULL;
	if (!end || (size_t)(end - l->rest.p) < n || memcmp(l->rest.p, keyword, n) != 0) {
		(void)lines_fail(l);
		return;
	}
	l->words = (struct str){ l->rest.p + n, (size_t)(end - l->rest.p) - n };
	l->rest.n -= (size_t)(end - l->rest.p) + 1;
	l->rest.p = end + 1;
}

void lines_exact(struct lines *l, const char *line)
{
	lines_take(l, line);
	if (l->r == 0 && l->words.n != 0)
		(void)lines_fail(l);
}

int lines_end(struct lines *l)
{
	if (l->r == 0 && l->rest.n != 0) {
		l->number++;
		(void)lines_fail(l);
	}
	return l->r;
}

struct str line_word(struct lines *l)
{
	if (l->r == 0 && !l->words.p)
		(void)lines_fail(l);
	return l->r < 0 ? STR("") : str_cut(&l->words, ' ');
}

void line_end(struct lines *l)
{
	if (l->r == 0 && l->words.p)
		(void)lines_fail(l);
}

struct str line_text(struct lines *l)
{
	struct str text = l->words;

	if (l->r < 0)
		return STR("");
	if (!text.p || !line_text_is_fit(text)) {
		(void)lines_fail(l);
		return STR("");
	}
	l->words = (struct str){ NULL, 0 };
	return text;
}

uint64_t line_u64(struct lines *l, uint64_t min, uint64_t max)
{
	struct str word = line_word(l);
	uint64_t v = 0;

	if (l->r == 0 && (str_to_u64(word, max, &v, NULL) < 0 || v < min))
		(void)lines_fail(l);
	return v;
}

void line_hex(struct lines *l, void *ret, size_t n)
{
	struct str word = line_word(l);

	if (l->r == 0 && hex_decode(word, ret, n, NULL) < 0)
		(void)lines_fail(l);
}

uint64_t lines_u64(struct lines *l, const char *keyword, uint64_t min, uint64_t max)
{
	uint64_t v;

	lines_take(l, keyword);
	v = line_u64(l, min, max);
	line_end(l);
	return v;
}

void lines_hex(struct lines *l, const char *keyword, void *ret, size_t n)
{
	lines_take(l, keyword);
	line_hex(l, ret, n);
	line_end(l);
}

struct str lines_text(struct lines *l, const char *keyword)
{
	lines_take(l, keyword);
	return line_text(l);
}

bool line_text_is_fit(struct str text)
{
	if (text.n == 0 || text.p[0] == ' ' || text.p[text.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < text.n; i++)
		if ((uint8_t)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return str_is_utf8(text);
}

bool line_path_is_fit(struct str path)
{
	if (!line_text_is_fit(path))
		return false;
	while (path.p) {
		struct str name = str_cut(&path, '/');

		if (name.n == 0 || str_is(name, ".") || str_is(name, ".."))
			return false;
		if (name.n == 4 && strncasecmp(name.p, ".git", 4) == 0)
			return false;
	}
	return true;
}

void line_add_u64(struct buf *b, const char *keyword, uint64_t v)
{
	buf_adds(b, keyword);
	buf_add_u64(b, v);
	buf_addc(b, '\n');
}

void line_add_hex(struct buf *b, const char *keyword, const void *p, size_t n)
{
	buf_adds(b, keyword);
	hex_add(b, p, n);
	buf_addc(b, '\n');
}

void line_add_text(struct buf *b, const char *keyword, struct str text)
{
	if (!line_text_is_fit(text))
		b->failed = true;
	buf_adds(b, keyword);
	buf_add_str(b, text);
	buf_addc(b, '\n');
}

void word_add_u64(struct buf *b, uint64_t v)
{
	buf_addc(b, ' ');
	buf_add_u64(b, v);
}

void word_add_hex(struct buf *b, const void *p, size_t n)
{
	buf_addc(b, ' ');
	hex_add(b, p, n);
}
