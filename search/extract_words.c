/* extract_words.c - see extract_words.h. Bodies are looked through like headers: what is rewritten there means the
 * same. */
#include "search/extract_words.h"

#include "core/base/hex.h"

enum { CHARSET_MAX = 40 };

/* =?charset?B?payload?= */
struct word {
	struct str charset, payload;
	const char *end;
};

static bool is_payload(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '+' || c == '/' || c == '=';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool word_at(const char *p, const char *end, struct word *ret)
{
	const char *q = p + 2;

	if (end - p < 8 || p[0] != '=' || p[1] != '?')
		return false;
	while (q<end && * q> ' ' && *q != '?' && q - p < CHARSET_MAX)
		q++;
	ret->charset = (struct str){ p + 2, (size_t)(q - p - 2) };
	if (end - q < 3 || q[0] != '?' || (q[1] != 'B' && q[1] != 'b') || q[2] != '?')
		return false;
	for (p = q += 3; q < end && is_payload(*q); q++)
		continue;
	ret->payload = (struct str){ p, (size_t)(q - p) };
	if (end - q < 2 || q[0] != '?' || q[1] != '=')
		return false;
	ret->end = q + 2;
	return true;
}

/* The word that continues this one: nothing but folding white space between, the same charset. */
static bool next_word(const struct word *word, const char *end, struct word *ret)
{
	const char *p = word->end;

	while (p < end && is_space(*p))
		p++;
	return p > word->end && word_at(p, end, ret) && ret->charset.n == word->charset.n &&
	       strncasecmp(ret->charset.p, word->charset.p, word->charset.n) == 0;
}

/* The bytes of a word and of all that continue it, into `bytes`; returns where they end. *ret_joins: they
 * must become one word, and can. */
static const char *read_chain(struct word word, const char *end, struct buf *bytes, bool *ret_joins)
{
	bool good = base64_decode(word.payload, bytes, NULL) == 0, padded = false;
	struct word next;

	while (next_word(&word, end, &next)) {
		padded |= str_ends(word.payload, "=");
		good = good && base64_decode(next.payload, bytes, NULL) == 0;
		word = next;
	}
	*ret_joins = good && padded;
	return word.end;
}

void mail_add_joined(struct str mail, struct buf *ret)
{
	const char *p = mail.p, *end = p + mail.n, *copied = p;

	while (p < end && (p = memmem(p, (size_t)(end - p), "=?", 2))) {
		_cleanup_(buf_done) struct buf bytes = BUF_INIT_MAX(ret->max);
		const char *start = p;
		struct word word;
		bool joins;

		p += 2;
		if (!word_at(start, end, &word))
			continue;
		p = read_chain(word, end, &bytes, &joins);
		if (!joins)
			continue;
		buf_add(ret, copied, (size_t)(start - copied));
		buf_adds(ret, "=?");
		buf_add_str(ret, word.charset);
		buf_adds(ret, "?B?");
		base64_add(ret, bytes.p, bytes.n);
		buf_adds(ret, "?=");
		copied = p;
	}
	buf_add(ret, copied, (size_t)(end - copied));
}
