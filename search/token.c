/* token.c - the tokeniser: one pass over folded text, no memory of its own but the stems of common
 * words.
 *
 * The scanner stands at a character and asks what begins there: a run of Chinese (scan_han), a
 * sensitive number, the number of a letter, or a word with what is joined to it (scan_word). All
 * else separates. */
#include "search/token.h"

#include "core/base/tr.h"
#include "search/sensitive.h"
#include "search/stem.h"

#include <stdlib.h>

#include <sodium.h>
#include <utf8proc.h>

enum { STEM_CACHE = 2048, STEM_CACHED_MAX = 23, LETTER_SERIAL_MAX = 6 };

struct stem_slot {
	uint8_t word_n, stem_n;
	char word[STEM_CACHED_MAX], stem[STEM_CACHED_MAX];
};

struct tokenizer {
	struct fold fold;
	struct stemmer *stemmer;
	struct stem_slot stems[STEM_CACHE];
};

struct scan {
	struct tokenizer *t;
	const struct fold *f;
	const char *p, *end; /* in f->text */
	uint32_t offset;     /* of the folded block in the source */
	unsigned flags;
	uint32_t position;
	bool extra;	 /* the next token is only there for TOKEN_ALL */
	bool after_word; /* nothing that separates stands between here and a word or number */
	token_sink *sink;
	void *context;
};

struct tokenizer *tokenizer_new(void)
{
	struct tokenizer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	fold_init(&t->fold);
	t->stemmer = stemmer_new();
	if (!t->stemmer) {
		tokenizer_free(t);
		return NULL;
	}
	return t;
}

void tokenizer_free(struct tokenizer *t)
{
	if (!t)
		return;
	fold_done(&t->fold);
	stemmer_free(t->stemmer);
	sodium_memzero(t->stems, sizeof(t->stems));
	free(t);
}

/* ---- kinds of characters ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool token_is_han(uint32_t c)
{
	if (c < 0x3005)
		return false;
	if (c < 0x3400)
		return (c >= 0x3041 && c <= 0x31ff && c != 0x30fb && c != 0x30a0) || c <= 0x3007;
	return c <= 0x4dbf || (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) ||
	       (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_han_at(const char *p, const char *end, size_t *ret_n)
{
	if (p == end || (uint8_t)*p < 0xe3)
		return false;
	return token_is_han(utf8_at(p, ret_n));
}

static bool is_letter(uint32_t c, bool inside_word)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return !token_is_han(c);
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
		return inside_word;
	default:
		return false;
	}
}

/* Bytes of the letter or digit at p, 0 when there is none. */
static size_t word_char(const char *p, const char *end, bool inside_word)
{
	uint32_t c;
	size_t n;

	if (p == end)
		return 0;
	if ((uint8_t)*p < 0x80)
		return is_lower(*p) || is_digit(*p);
	c = utf8_at(p, &n);
	return is_letter(c, inside_word) ? n : 0;
}

static bool is_connector(char c)
{
	return c == '-' || c == '_' || c == '/' || c == '.';
}

/* Past white space that does not end a run: one space, or one line's end with the spaces before it
 * and at most one behind (two begin a paragraph). */
static const char *skip_bridge(const char *p, const char *end)
{
	const char *start = p;
	int spaces = 0, lines = 0;

	for (; p < end && is_space(*p); p++) {
		if (*p == '\n') {
			lines++;
			spaces = 0;
		} else if (*p != '\r') {
			spaces++;
		}
	}
	return lines > 1 || spaces > 1 ? start : p;
}

/* What stands at p belongs to the Chinese before it: a word, -word, the number of a letter. */
static bool begins_word(const char *p, const char *end)
{
	char letter[32];

	if (p == end)
		return false;
	if (is_connector(*p))
		p++;
	return word_char(p, end, false) > 0 || token_letter_match(p, end, letter) > 0;
}

/* ---- output ---- */

static void emit(struct scan *s, enum term_kind kind, enum token_shape shape, struct str text,
	uint32_t position, const char *from, const char *to)
{
	const struct fold *f = s->f;
	struct token token = {
		.kind = kind,
		.shape = shape,
		.text = text,
		.position = position,
		.start = s->offset + f->at[from - f->text.p],
		.end = s->offset + f->at[to - f->text.p],
		.extra = s->extra,
	};

	s->sink(s->context, &token);
}

static void emit_edges(struct scan *s, struct str code, const char *from, const char *to)
{
	size_t n = 0;

	if (!(s->flags & TOKEN_EDGES))
		return;
	while ((n = number_next_edge(code, n)) > 0)
		emit(s, TERM_CODE_EDGE, TOKEN_SHAPE_OTHER, (struct str){ code.p, n }, 0, from, to);
}

static struct str stem_of(struct tokenizer *t, struct str word, char room[TOKEN_WORD_MAX])
{
	struct stem_slot *slot;
	uint32_t h = 2166136261u;
	size_t n;

	if (word.n > STEM_CACHED_MAX)
		return (struct str){ room,
			stemmer_english(t->stemmer, word, room, TOKEN_WORD_MAX) };
	for (size_t i = 0; i < word.n; i++)
		h = (h ^ (uint8_t)word.p[i]) * 16777619u;
	slot = &t->stems[(h ^ h >> 16) % STEM_CACHE];
	if (slot->word_n != word.n || memcmp(slot->word, word.p, word.n) != 0) {
		n = stemmer_english(t->stemmer, word, slot->stem, STEM_CACHED_MAX);
		memcpy(slot->word, word.p, word.n);
		slot->word_n = (uint8_t)word.n;
		slot->stem_n = (uint8_t)n;
	}
	return (struct str){ slot->stem, slot->stem_n };
}

/* ---- Chinese ---- */

static void scan_han(struct scan *s)
{
	bool first = true, edge = s->after_word, more = true;
	const char *p = s->p;
	size_t n;

	(void)utf8_at(p, &n);
	while (more) {
		const char *after = p + n, *next = skip_bridge(after, s->end);
		size_t next_n = 0;
		char pair[8];

		more = is_han_at(next, s->end, &next_n);
		s->position++;
		if (!more)
			edge = edge || first || begins_word(next, s->end);
		s->extra = !edge && more;
		if (!s->extra || (s->flags & TOKEN_ALL))
			emit(s, TERM_WORD, TOKEN_SHAPE_CHAR, (struct str){ p, n },
				edge ? s->position : 0, p, after);
		s->extra = false;
		if (more) {
			memcpy(pair, p, n);
			memcpy(pair + n, next, next_n);
			emit(s, TERM_WORD, TOKEN_SHAPE_HAN, (struct str){ pair, n + next_n },
				s->position, p, next + next_n);
			p = next;
			n = next_n;
		} else {
			s->p = after;
		}
		first = edge = false;
	}
	s->after_word = false;
}

/* ---- numbers ---- */

/* Brackets that people put around the year of a letter, either side. */
static const char *skip_bracket(const char *p, const char *end, bool open)
{
	static const char *const brackets[][2] = {
		{ "(", ")" },
		{ "[", "]" },
		{ "〔", "〕" },
		{ "【", "】" },
		{ "〖", "〗" },
		{ "〈", "〉" },
		{ "「", "」" },
	};

	for (size_t i = 0; i < ARRAY_LEN(brackets); i++) {
		const char *b = brackets[i][open ? 0 : 1];
		size_t n = strlen(b);

		if ((size_t)(end - p) >= n && memcmp(p, b, n) == 0)
			return p + n;
	}
	return NULL;
}

static const char *skip_spaces(const char *p, const char *end)
{
	for (int i = 0; i < 4 && p < end && is_space(*p); i++)
		p++;
	return p;
}

size_t token_letter_match(const char *p, const char *end, char ret_canonical[32])
{
	static const char ordinal[] = "第", suffix[] = "号";
	const char *q, *year, *serial;
	size_t n = 0;

	q = skip_bracket(p, end, true);
	if (!q)
		return 0;
	year = q = skip_spaces(q, end);
	while (q < end && is_digit(*q))
		q++;
	if (q - year != 4 || (memcmp(year, "19", 2) != 0 && memcmp(year, "20", 2) != 0))
		return 0;
	q = skip_bracket(skip_spaces(q, end), end, false);
	if (!q)
		return 0;
	q = skip_spaces(q, end);
	if ((size_t)(end - q) >= strlen(ordinal) && memcmp(q, ordinal, strlen(ordinal)) == 0)
		q = skip_spaces(q + strlen(ordinal), end);
	serial = q;
	while (q < end && is_digit(*q) && n <= LETTER_SERIAL_MAX) {
		q++;
		n++;
	}
	if (n == 0 || n > LETTER_SERIAL_MAX || (q < end && is_lower(*q)))
		return 0;
	memcpy(ret_canonical, "〔", 3);
	memcpy(ret_canonical + 3, year, 4);
	memcpy(ret_canonical + 7, "〕", 3);
	memcpy(ret_canonical + 10, serial, n);
	ret_canonical[10 + n] = '\0';
	serial = skip_spaces(q, end);
	if ((size_t)(end - serial) >= strlen(suffix) && memcmp(serial, suffix, strlen(suffix)) == 0)
		q = serial + strlen(suffix);
	return (size_t)(q - p);
}

/* Where the text ends inside the number of a letter: its bracket, year and closing bracket so far,
 * in the one form. */
static bool add_letter_beginning(const char *p, const char *end, struct buf *ret)
{
	const char *year = skip_bracket(p, end, true), *q, *after;

	if (!year)
		return false;
	for (q = year; q < end && is_digit(*q); q++)
		continue;
	after = q < end ? skip_bracket(q, end, false) : q;
	if (after != end || q - year > 4 || (q < end && q - year != 4))
		return false;
	buf_adds(ret, "〔");
	buf_add(ret, year, (size_t)(q - year));
	if (q < end)
		buf_adds(ret, "〕");
	return true;
}

void number_canonical(struct str folded, struct buf *ret)
{
	const char *p = folded.p, *end = p + folded.n;
	size_t before = ret->n;

	while (end > p && is_space(end[-1]))
		end--;
	while (p < end) {
		char letter[32];
		size_t n = token_letter_match(p, end, letter);

		if (n > 0) {
			buf_adds(ret, letter);
			p += n;
			continue;
		}
		if (add_letter_beginning(p, end, ret))
			break;
		if (!is_space(*p))
			buf_addc(ret, *p == '_' ? '-' : *p);
		p++;
	}
	if (ret->n - before > TERM_TEXT_MAX)
		buf_cut(ret, before + TERM_TEXT_MAX);
}

void number_canonical_sensitive(struct str folded, struct buf *ret)
{
	struct str text = str_trim(folded);
	char digits[19];

	if (text.n > 0 && sensitive_match(text.p, text.p + text.n, digits) == text.n)
		buf_adds(ret, digits);
	else
		number_canonical(text, ret);
}

/* A beginning that ends in Chinese is of no use: its bigrams find the same. */
static bool is_edge(struct str canonical, size_t n)
{
	size_t last = n - 1, length;

	if (n < TOKEN_EDGE_MIN || ((uint8_t)canonical.p[n] & 0xc0) == 0x80)
		return false;
	while (last > 0 && ((uint8_t)canonical.p[last] & 0xc0) == 0x80)
		last--;
	return (uint8_t)canonical.p[last] < 0x80 ||
	       !token_is_han(utf8_at(canonical.p + last, &length));
}

size_t number_next_edge(struct str canonical, size_t n)
{
	if (n >= canonical.n)
		return 0;
	do
		n++;
	while (n < canonical.n && !is_edge(canonical, n));
	return n;
}

static void scan_letter(struct scan *s, size_t n, const char *canonical)
{
	const char *from = s->p, *to = from + n;
	struct str whole = str_of(canonical), year = { canonical + 3, 4 },
		   serial = { canonical + 10, whole.n - 10 };

	s->position++;
	emit(s, TERM_WORD, TOKEN_SHAPE_LETTER, whole, s->position, from, to);
	emit(s, TERM_WORD, TOKEN_SHAPE_OTHER, year, 0, from, to);
	emit(s, TERM_WORD, TOKEN_SHAPE_OTHER, serial, 0, from, to);
	if ((uint8_t)to[-1] >= 0x80)
		emit(s, TERM_WORD, TOKEN_SHAPE_OTHER, STR("号"), 0, to - strlen("号"), to);
	emit_edges(s, whole, from, to);
	s->p = to;
	s->after_word = true;
}

/* A sensitive number that begins at p, given that a digit stands there. */
static size_t sensitive_at(const struct scan *s, const char *p, char value[19])
{
	if (p > s->f->text.p && is_digit(p[-1]))
		return 0;
	return sensitive_match(p, s->end, value);
}

static void scan_sensitive(struct scan *s, size_t n, const char *value)
{
	s->position++;
	emit(s, TERM_SENSITIVE, TOKEN_SHAPE_OTHER, str_of(value), 0, s->p, s->p + n);
	s->p += n;
	s->after_word = true;
}

/* ---- words and codes ---- */

struct part {
	const char *end;
	unsigned digits, dots;
	bool english;
};

/* Signs that stay inside a word between what they stand between. */
static bool is_infix(const char *p, const char *end, char before)
{
	if (p + 1 >= end)
		return false;
	if (*p == '.')
		return is_digit(before) && is_digit(p[1]);
	return (*p == '\'' || *p == '&') && is_lower(before) && is_lower(p[1]);
}

static struct part find_part(const struct scan *s, const char *p)
{
	struct part part = { .end = p, .english = true };
	const char *start = p;
	char value[19];

	for (;;) {
		size_t n = word_char(p, s->end, p > start);

		if (n == 0) {
			if (p == start || p > part.end || !is_infix(p, s->end, p[-1]))
				return part;
			p++;
			continue;
		}
		if (is_digit(*p)) {
			if (sensitive_at(s, p, value) > 0)
				return part;
			part.digits++;
		}
		if (p > part.end && p[-1] == '.')
			part.dots++;
		if (!is_lower(*p))
			part.english = false;
		p += n;
		part.end = p;
	}
}

static void emit_word(struct scan *s, const char *from, const struct part *part)
{
	struct str word = { from, (size_t)(part->end - from) };
	char room[TOKEN_WORD_MAX];
	struct str stem;

	s->position++;
	if (word.n > TOKEN_WORD_MAX)
		return;
	emit(s, TERM_WORD, TOKEN_SHAPE_WORD, word, s->position, from, part->end);
	if (!part->english || word.n < 2)
		return;
	stem = stem_of(s->t, word, room);
	s->extra = str_eq(stem, word);
	if (stem.n > 0 && ((s->flags & TOKEN_ALL) || !s->extra))
		emit(s, TERM_STEM, TOKEN_SHAPE_OTHER, stem, 0, from, part->end);
	s->extra = false;
}

size_t token_squeeze(char *code, size_t n)
{
	bool letters = false;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_connector(code[i]))
			continue;
		letters |= !is_digit(code[i]);
		code[kept++] = code[i];
	}
	return letters ? kept : 0;
}

static void emit_code(struct scan *s, const char *from, const char *to)
{
	char code[TOKEN_WORD_MAX];
	size_t n = (size_t)(to - from);

	for (size_t i = 0; i < n; i++)
		code[i] = from[i] == '_' ? '-' : from[i];
	emit(s, TERM_CODE, TOKEN_SHAPE_OTHER, (struct str){ code, n }, 0, from, to);
	emit_edges(s, (struct str){ code, n }, from, to);
	n = token_squeeze(code, n);
	if (n > 0)
		emit(s, TERM_CODE, TOKEN_SHAPE_OTHER, (struct str){ code, n }, 0, from, to);
}

static void scan_word(struct scan *s)
{
	const char *from = s->p, *p = s->p;
	unsigned parts = 0, digits = 0, dots = 0;
	struct part part;
	size_t n;

	for (;;) {
		part = find_part(s, p);
		if (part.end == p)
			break;
		emit_word(s, p, &part);
		parts++;
		digits += part.digits;
		dots += part.dots;
		p = s->p = part.end;
		if (p + 1 >= s->end || !is_connector(*p) || word_char(p + 1, s->end, false) == 0)
			break;
		p++;
	}
	p = s->p;
	n = (size_t)(p - from);
	s->after_word = true;
	if (digits == 0 || n > TOKEN_WORD_MAX || parts > TOKEN_CODE_PARTS)
		return;
	if (parts > 1 && n > TOKEN_EDGE_MIN)
		emit_code(s, from, p);
	else if (parts == 1 && dots != 1 && n >= (digits == n ? 6 : 5))
		emit_edges(s, (struct str){ from, n }, from, p);
}

/* ---- the pass ---- */

static void scan(struct scan *s)
{
	char value[32];
	size_t n;

	while (s->p < s->end) {
		if (is_han_at(s->p, s->end, &n)) {
			scan_han(s);
			continue;
		}
		if (is_digit(*s->p) && (n = sensitive_at(s, s->p, value)) > 0) {
			scan_sensitive(s, n, value);
			continue;
		}
		if (is_digit(*s->p) && (n = token_date_match(s->p, s->end, value)) > 0)
			emit(s, TERM_DATE, TOKEN_SHAPE_OTHER, str_of(value), 0, s->p, s->p + n);
		if (word_char(s->p, s->end, false) > 0) {
			scan_word(s);
			continue;
		}
		n = token_letter_match(s->p, s->end, value);
		if (n > 0) {
			scan_letter(s, n, value);
			continue;
		}
		if (is_space(*s->p) && skip_bridge(s->p, s->end) != s->p) {
			s->p = skip_bridge(s->p, s->end);
			continue;
		}
		s->after_word = false;
		(void)utf8_at(s->p, &n);
		s->p += n;
	}
}

void tokenizer_run_folded(struct tokenizer *t, const struct fold *folded, size_t from, size_t to,
	unsigned flags, uint32_t *position, token_sink *sink, void *context)
{
	struct scan s = {
		.t = t,
		.f = folded,
		.p = folded->text.p + from,
		.end = folded->text.p + to,
		.flags = flags,
		.position = *position,
		.sink = sink,
		.context = context,
	};

	scan(&s);
	*position = s.position;
}

/* Where to cut a long text: behind a line or a sentence, else where no number is cut, at least
 * behind a character. */
static size_t block_length(struct str text)
{
	size_t n = TOKEN_BLOCK, low = TOKEN_BLOCK / 2;

	if (text.n <= n)
		return text.n;
	for (size_t i = n; i > low; i--)
		if (text.p[i - 1] == '\n' || (i >= 3 && memcmp(text.p + i - 3, "。", 3) == 0))
			return i;
	for (size_t i = n; i > low; i--)
		if (!is_digit(text.p[i - 1]) && text.p[i - 1] > ' ' && text.p[i - 1] != '-' &&
			is_space(text.p[i]))
			return i;
	for (size_t i = n; i > low; i--)
		if (((uint8_t)text.p[i] & 0xc0) != 0x80 && !is_digit(text.p[i]) &&
			!is_digit(text.p[i - 1]))
			return i;
	while (n > low && ((uint8_t)text.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

int tokenizer_run(struct tokenizer *t, struct str text, unsigned flags, uint32_t *position,
	token_sink *sink, void *context, struct err *err)
{
	struct scan s = {
		.t = t,
		.f = &t->fold,
		.flags = flags,
		.position = *position,
		.sink = sink,
		.context = context,
	};
	size_t done = 0;
	int r;

	if (text.n > UINT32_MAX)
		return err_set(err, ERR_LIMIT, tr("more than %zu bytes of text at once"),
			(size_t)UINT32_MAX);
	while (done < text.n) {
		struct str block = { text.p + done, text.n - done };

		block.n = block_length(block);
		r = fold_text(&t->fold, block, err);
		if (r < 0)
			return r;
		s.p = t->fold.text.p;
		s.end = s.p + t->fold.text.n;
		s.offset = (uint32_t)done;
		s.after_word = false;
		scan(&s);
		done += block.n;
	}
	*position = s.position;
	return 0;
}
