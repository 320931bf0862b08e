/* query_build.c - what one typed word means.
 *
 * The tokeniser's terms are first put together into units: a run of Chinese, a word, a code with
 * its words, the number of a letter, a sensitive value. Then:
 *
 *   a run of Chinese       all its bigrams
 *   a word                 its stem, or itself where it has none
 *   a code                 the whole code, also without what joins it (SOP012), or its words side by side, or
 *                          a record whose number begins so
 *   a date                 that day, however it is written (2025年5月20日)
 *   Chinese, then number   side by side: issuer and serial belong together (国械注准20203140123, 安市监函〔2023〕201),
 *                          and so do 附件1, 表2
 *   letters with digits    with or without a space between them: ISO13485, YY/T 0287, 0.05mm
 *   number, then Chinese   side by side: 24小时, 10月9日
 *   anything else joined   all of it (SOP-012灭菌) */
#include "search/query_build.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"

enum { UNITS_MAX = QUERY_NODES_MAX / 2, LONG_NUMBER = 6, SHORT_NUMBER = 3 };

enum unit_kind { UNIT_HAN, UNIT_WORD, UNIT_CODE, UNIT_LETTER, UNIT_DATE, UNIT_SENSITIVE };

struct leaf {
	struct leaf *next;
	struct str text;
	uint32_t position;
	bool bridge; /* a bigram over white space, which need not be in the text */
};

struct unit {
	enum unit_kind kind;
	uint32_t start, end;	   /* in the source */
	struct leaf *first, *last; /* with position: bigrams, the word, a code's words */
	struct leaf *single;	   /* the first character of a run, for a run of one */
	struct str whole;	   /* of a word its stem, of a code the code, of a date 20250520 */
	bool open;		   /* a run of Chinese that goes on */
	bool closed;		   /* one that takes no more: 年 of 2025年召回 */
};

struct units {
	struct query_parse *q;
	size_t at;
	bool exact; /* in quotation marks: dates are words, runs are not cut */
	/* A date that was seen, and where it ends in the source. */
	struct str date;
	uint32_t date_start, date_end;
	struct unit list[UNITS_MAX];
	size_t n;
};

/* ---- nodes ---- */

struct query_node *query_fail(struct query_parse *q, int code, size_t at, const char *text)
{
	struct str before = { q->source.p, q->fold.at[at] };

	if (q->r == 0)
		q->r = err_set(q->err, code, tr("character %zu of the query: %s"),
			text_chars(before) + 1, text);
	return NULL;
}

struct query_node *query_node_new(struct query_parse *q, enum query_op op, size_t at)
{
	struct query_node *node;

	if (q->r < 0)
		return NULL;
	if (q->nodes++ >= QUERY_NODES_MAX)
		return query_fail(q, ERR_LIMIT, at, tr("from here on it is too long"));
	node = arena_zero(q->arena, 1, sizeof(*node));
	node->op = op;
	return node;
}

struct query_node *query_term_new(
	struct query_parse *q, enum term_kind kind, struct str text, size_t at)
{
	struct query_node *node = query_node_new(q, QUERY_TERM, at);

	if (!node)
		return NULL;
	if (text.n > TERM_TEXT_MAX)
		text.n = TERM_TEXT_MAX;
	node->kind = kind;
	node->text = (struct str){ arena_copy(q->arena, text.p, text.n), text.n };
	if (kind == TERM_SENSITIVE)
		q->sensitive = true;
	return node;
}

void query_add_child(struct query_node *node, struct query_node *child)
{
	struct query_node **last;

	if (!node || !child)
		return;
	for (last = &node->child; *last; last = &(*last)->next)
		continue;
	*last = child;
}

struct query_node *query_simplify(struct query_node *node)
{
	if (!node || !node->child)
		return NULL;
	return node->child->next ? node : node->child;
}

/* ---- units ---- */

static struct leaf *new_leaf(struct units *u, const struct token *token)
{
	struct leaf *leaf = arena_zero(u->q->arena, 1, sizeof(*leaf));

	leaf->text.p = arena_copy(u->q->arena, token->text.p, token->text.n);
	leaf->text.n = token->text.n;
	leaf->position = token->position;
	return leaf;
}

static void add_leaf(struct units *u, struct unit *unit, const struct token *token)
{
	struct leaf *leaf = new_leaf(u, token);

	*(unit->first ? &unit->last->next : &unit->first) = leaf;
	unit->last = leaf;
	unit->end = token->end;
}

static struct unit *new_unit(struct units *u, enum unit_kind kind, const struct token *token)
{
	struct unit *unit;

	if (u->n == UNITS_MAX) {
		(void)query_fail(u->q, ERR_LIMIT, u->at, tr("from here on it is too long"));
		return NULL;
	}
	unit = &u->list[u->n++];
	*unit = (struct unit){ .kind = kind, .start = token->start, .end = token->end };
	return unit;
}

/* Units [first, last] become one code. */
static void join(struct units *u, size_t first, size_t last, struct str whole)
{
	struct unit *code = &u->list[first];

	code->kind = UNIT_CODE;
	code->whole = whole;
	for (size_t i = first + 1; i <= last; i++) {
		code->last->next = u->list[i].first;
		code->last = u->list[i].last;
	}
	code->end = u->list[last].end;
	memmove(code + 1, &u->list[last + 1], (u->n - last - 1) * sizeof(*code));
	u->n -= last - first;
}

/* The words since the code began become its parts. */
static void join_code(struct units *u, const struct token *token)
{
	size_t first = u->n;

	while (first > 0 && u->list[first - 1].start >= token->start)
		first--;
	if (first < u->n)
		join(u, first, u->n - 1, new_leaf(u, token)->text);
}

/* The place in the folded text of a place in the source. */
static size_t folded_place(const struct query_parse *q, uint32_t source)
{
	size_t low = 0, high = q->fold.text.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (q->fold.at[middle] < source)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_number(const struct unit *unit)
{
	struct str word;

	if (unit->kind != UNIT_WORD)
		return false;
	word = unit->first->text;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
	return word.n < LONG_NUMBER;
}

/* Nothing between a unit and a place of the source but a space. */
static bool stands_behind(const struct units *u, const struct unit *before, uint32_t start)
{
	size_t end = folded_place(u->q, before->end), at = folded_place(u->q, start);

	return at == end || (at == end + 1 && u->q->fold.text.p[end] == ' ');
}

/* 年, 月, 日 right behind a number: what follows it is another word. */
static bool ends_number(const struct units *u, const struct token *token)
{
	static const char *const measures[] = { "年", "月", "日" };
	const struct unit *before = u->n > 0 ? &u->list[u->n - 1] : NULL;

	if (u->exact || !before || !is_number(before) || !stands_behind(u, before, token->start))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(measures); i++)
		if (str_is(token->text, measures[i]))
			return true;
	return false;
}

static void on_bigram(struct units *u, struct unit *run, const struct token *token)
{
	size_t from, to;

	if (run->closed)
		return;
	add_leaf(u, run, token);
	from = folded_place(u->q, token->start);
	to = folded_place(u->q, token->end);
	run->last->bridge = to - from > token->text.n;
	run->open = true;
}

static void on_han(struct units *u, const struct token *token)
{
	struct unit *run = u->n > 0 ? &u->list[u->n - 1] : NULL;

	if (!u->exact && token->start < u->date_end)
		return;
	if (token->shape == TOKEN_SHAPE_HAN) {
		on_bigram(u, run, token);
	} else if (run && run->open) {
		run->open = false;
	} else {
		bool closed = ends_number(u, token);

		run = new_unit(u, UNIT_HAN, token);
		if (!run)
			return;
		run->single = new_leaf(u, token);
		run->closed = closed;
	}
}

/* A date takes the words that it is made of with it, unless it is one word or code anyway, which then knows its date
 * (date_of). */
static void on_date(struct units *u, const struct token *token)
{
	struct unit *unit;

	if (u->exact || u->q->in_title)
		return;
	u->date = new_leaf(u, token)->text;
	u->date_start = token->start;
	u->date_end = 0;
	if (!memmem(u->q->source.p + token->start, token->end - token->start, "月", 3))
		return;
	u->date_end = token->end;
	unit = new_unit(u, UNIT_DATE, token);
	if (unit)
		unit->whole = u->date;
}

static void on_token(void *context, const struct token *token)
{
	struct units *u = context;
	enum unit_kind kind;
	struct unit *unit;

	if (u->q->r < 0)
		return;
	if (token->kind == TERM_DATE) {
		on_date(u, token);
		return;
	}
	if (!u->exact && token->start < u->date_end && token->kind == TERM_WORD &&
		token->shape == TOKEN_SHAPE_WORD)
		return;
	if (token->kind == TERM_CODE) {
		/* The second one is the same without what joins it. */
		if (u->n == 0 || u->list[u->n - 1].kind != UNIT_CODE ||
			u->list[u->n - 1].start != token->start)
			join_code(u, token);
		return;
	}
	if (token->kind == TERM_STEM) {
		u->list[u->n - 1].whole = new_leaf(u, token)->text;
		return;
	}
	if (token->shape == TOKEN_SHAPE_CHAR || token->shape == TOKEN_SHAPE_HAN) {
		on_han(u, token);
		return;
	}
	if (token->kind == TERM_SENSITIVE)
		kind = UNIT_SENSITIVE;
	else if (token->shape == TOKEN_SHAPE_LETTER)
		kind = UNIT_LETTER;
	else if (token->shape == TOKEN_SHAPE_WORD)
		kind = UNIT_WORD;
	else
		return;
	unit = new_unit(u, kind, token);
	if (unit)
		add_leaf(u, unit, token);
}

static bool is_joined(const struct units *u, size_t i)
{
	const struct unit *a = &u->list[i], *b = a + 1;
	size_t end = folded_place(u->q, a->end);

	return i + 1 < u->n && a->kind == UNIT_WORD && b->kind == UNIT_WORD &&
	       folded_place(u->q, b->start) == end + 1 && strchr("-_/.", u->q->fold.text.p[end]);
}

/* Words that are joined like a code but have no digit: and/or, QMS-QC. */
static void join_words(struct units *u)
{
	for (size_t i = 0; i < u->n; i++) {
		size_t last = i, from, to;
		struct buf whole = BUF_INIT;

		while (is_joined(u, last))
			last++;
		if (last == i)
			continue;
		from = folded_place(u->q, u->list[i].start);
		to = folded_place(u->q, u->list[last].end);
		number_canonical((struct str){ u->q->fold.text.p + from, to - from }, &whole);
		join(u, i, last,
			(struct str){ arena_copy(u->q->arena, whole.p, whole.n), whole.n });
		buf_done(&whole);
	}
}

/* Bigrams over white space go where the characters on both sides are in others: “第十六条 超出范围” is
 * found whether the text has that space, more, or none. */
static void drop_bridges(struct units *u)
{
	for (size_t i = 0; i < u->n; i++) {
		struct leaf *before = u->list[i].kind == UNIT_HAN ? u->list[i].first : NULL;

		for (; before && before->next && before->next->next; before = before->next) {
			struct leaf *bridge = before->next;

			if (bridge->bridge && !before->bridge && !bridge->next->bridge)
				before->next = bridge->next;
		}
	}
}

static struct units *find_units(struct query_parse *q, size_t from, size_t to, bool exact)
{
	uint32_t position = 0;

	if (!q->units)
		q->units = arena_zero(q->arena, 1, sizeof(*q->units));
	q->units->q = q;
	q->units->at = from;
	q->units->n = 0;
	q->units->exact = exact;
	q->units->date = STR("");
	q->units->date_end = 0;
	tokenizer_run_folded(
		q->tokenizer, &q->fold, from, to, TOKEN_ALL, &position, on_token, q->units);
	join_words(q->units);
	drop_bridges(q->units);
	return q->units;
}

static const struct leaf *leaves(const struct unit *unit)
{
	return unit->first ? unit->first : unit->single;
}

/* ---- units to nodes ---- */

static struct query_node *word_term(struct units *u, const struct leaf *leaf)
{
	struct query_node *node;

	node = query_term_new(u->q, u->q->in_title ? TERM_TITLE : TERM_WORD, leaf->text, u->at);
	if (node)
		node->position = leaf->position;
	return node;
}

/* The leaves of units [from, to) side by side; sensitive values, which have no place, beside that.
 */
static struct query_node *phrase_of(struct units *u, size_t from, size_t to)
{
	struct query_node *all = query_node_new(u->q, QUERY_AND, u->at),
			  *phrase = query_node_new(u->q, QUERY_PHRASE, u->at);
	size_t n;

	for (size_t i = from; i < to; i++) {
		if (u->list[i].kind == UNIT_SENSITIVE) {
			query_add_child(all, query_term_new(u->q, TERM_SENSITIVE,
						     u->list[i].first->text, u->at));
			continue;
		}
		for (const struct leaf *leaf = leaves(&u->list[i]); leaf; leaf = leaf->next)
			query_add_child(phrase, word_term(u, leaf));
	}
	phrase = query_simplify(phrase);
	if (phrase && phrase->op == QUERY_TERM && token_is_han(utf8_at(phrase->text.p, &n)) &&
		n == phrase->text.n && !u->q->in_title)
		phrase->op = QUERY_CHARACTER;
	query_add_child(all, phrase);
	return u->q->r < 0 ? NULL : query_simplify(all);
}

/* The text of a unit's first leaf, changed so that it has no - _ / . in it; empty when that is digits alone. */
static struct str squeezed(struct units *u, struct str code)
{
	char *copy = arena_copy(u->q->arena, code.p, code.n);

	return (struct str){ copy, token_squeeze(copy, code.n) };
}

/* The date that a word or code is. */
static void add_date(struct units *u, struct query_node *any, const struct unit *unit)
{
	if (u->date.n > 0 && unit->start == u->date_start)
		query_add_child(any, query_term_new(u->q, TERM_DATE, u->date, u->at));
}

static bool has_digit(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= '0' && text.p[i] <= '9')
			return true;
	return false;
}

static bool is_all_digits(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return true;
}

/* Alternatives for a record that carries this number, or one that begins with it. */
static void add_number_terms(struct units *u, struct query_node *any, struct str canonical)
{
	query_add_child(any, query_term_new(u->q, TERM_NUMBER, canonical, u->at));
	query_add_child(any, query_term_new(u->q, TERM_NUMBER_EDGE, canonical, u->at));
}

/* Every form of an English word. */
static struct query_node *forms_node(struct units *u, struct str stem)
{
	struct query_node *same = query_node_new(u->q, QUERY_SAME, u->at);

	query_add_child(
		same, query_term_new(u->q, u->q->in_title ? TERM_TITLE : TERM_WORD, stem, u->at));
	query_add_child(same,
		query_term_new(u->q, u->q->in_title ? TERM_TITLE_STEM : TERM_STEM, stem, u->at));
	return same;
}

/* ---- letters and digits, with a space between them or without ---- */

/* Where letters go over into digits, or digits into letters, when they do so but once; else 0. */
static size_t change_at(struct str word)
{
	size_t at = 0;

	for (size_t i = 1; i < word.n; i++) {
		bool before =
			(word.p[i - 1] >= '0' && word.p[i - 1] <= '9') || word.p[i - 1] == '.';
		bool after = (word.p[i] >= '0' && word.p[i] <= '9') || word.p[i] == '.';

		if (before == after)
			continue;
		if (at > 0)
			return 0;
		at = i;
	}
	return at;
}

static void add_to_phrase(
	struct units *u, struct query_node *phrase, struct str text, uint32_t *position)
{
	struct leaf leaf = { .text = text, .position = ++*position };

	query_add_child(phrase, word_term(u, &leaf));
}

/* The same with spaces: 0.05 mm, YY/T 0287. NULL where there is none to put in. What looks like a version does not
 * fall apart, nor does what stands further behind. */
static struct query_node *with_spaces(struct units *u, const struct unit *unit)
{
	struct query_node *phrase = query_node_new(u->q, QUERY_PHRASE, u->at);
	uint32_t position = 0, places = 0;

	for (const struct leaf *leaf = unit->first; leaf; leaf = leaf->next) {
		size_t at = places++ < 2 ? change_at(leaf->text) : 0;

		if (at == 1 && leaf->text.p[0] == 'v')
			at = 0;
		if (at > 0)
			add_to_phrase(u, phrase, (struct str){ leaf->text.p, at }, &position);
		add_to_phrase(
			u, phrase, (struct str){ leaf->text.p + at, leaf->text.n - at }, &position);
	}
	return position > places ? phrase : NULL;
}

/* Units i and i + 1, between which a space was typed for looks, without it. */
static struct query_node *without_space(struct units *u, size_t i)
{
	struct query_node *phrase = query_node_new(u->q, QUERY_PHRASE, u->at);
	const struct leaf *last = u->list[i].last, *first = u->list[i + 1].first;
	char *both = arena_zero(u->q->arena, last->text.n + first->text.n, 1);
	uint32_t position = 0;

	memcpy(both, last->text.p, last->text.n);
	memcpy(both + last->text.n, first->text.p, first->text.n);
	for (const struct leaf *leaf = u->list[i].first; leaf != last; leaf = leaf->next)
		add_to_phrase(u, phrase, leaf->text, &position);
	add_to_phrase(u, phrase, (struct str){ both, last->text.n + first->text.n }, &position);
	for (const struct leaf *leaf = first->next; leaf; leaf = leaf->next)
		add_to_phrase(u, phrase, leaf->text, &position);
	return query_simplify(phrase);
}

/* query.c takes such two for one word only where the space is for looks. */
static bool are_spaced(const struct units *u, size_t i)
{
	const struct unit *a = &u->list[i], *b = a + 1;

	return i + 1 < u->n && (a->kind == UNIT_WORD || a->kind == UNIT_CODE) &&
	       (b->kind == UNIT_WORD || b->kind == UNIT_CODE) &&
	       folded_place(u->q, b->start) == folded_place(u->q, a->end) + 1 &&
	       u->q->fold.text.p[folded_place(u->q, a->end)] == ' ';
}

static struct query_node *spaced_node(struct units *u, size_t i)
{
	struct query_node *any = query_node_new(u->q, QUERY_EITHER, u->at);

	query_add_child(any, phrase_of(u, i, i + 2));
	query_add_child(any, without_space(u, i));
	return any;
}

static struct query_node *word_node(struct units *u, size_t i)
{
	const struct unit *unit = &u->list[i];
	struct str word = unit->first->text;
	struct query_node *any;

	if (unit->whole.n > 0)
		return forms_node(u, unit->whole);
	if (!has_digit(word) || (is_all_digits(word) && (u->q->in_title || word.n < LONG_NUMBER)))
		return word_term(u, unit->first);
	any = query_node_new(u->q, QUERY_EITHER, u->at);
	query_add_child(any, word_term(u, unit->first));
	query_add_child(any, with_spaces(u, unit));
	if (u->q->in_title || word.n < TOKEN_EDGE_MIN)
		return query_simplify(any);
	if (!is_all_digits(word))
		query_add_child(any, query_term_new(u->q, TERM_CODE, word, u->at));
	query_add_child(any, query_term_new(u->q, TERM_NUMBER_EDGE, word, u->at));
	add_date(u, any, unit);
	return any;
}

static struct query_node *code_node(struct units *u, size_t i)
{
	struct query_node *any;
	struct str word;

	if (u->q->in_title)
		return phrase_of(u, i, i + 1);
	any = query_node_new(u->q, QUERY_EITHER, u->at);
	if (has_digit(u->list[i].whole)) {
		query_add_child(any, query_term_new(u->q, TERM_CODE, u->list[i].whole, u->at));
		word = squeezed(u, u->list[i].whole);
		if (word.n > 0) {
			query_add_child(any, query_term_new(u->q, TERM_CODE, word, u->at));
			query_add_child(any, query_term_new(u->q, TERM_WORD, word, u->at));
		}
	}
	query_add_child(any, phrase_of(u, i, i + 1));
	query_add_child(any, with_spaces(u, &u->list[i]));
	add_number_terms(u, any, u->list[i].whole);
	add_date(u, any, &u->list[i]);
	return any;
}

/* Units i and i + 1 have nothing between them but a space. */
static bool touch(const struct units *u, size_t i)
{
	return i + 1 < u->n && stands_behind(u, &u->list[i], u->list[i + 1].start);
}

static struct query_node *han_node(struct units *u, size_t i)
{
	struct query_node *all = query_node_new(u->q, QUERY_AND, u->at);

	/* A single character next to a word or number has a term of its own there; elsewhere it takes a search. */
	if (!u->list[i].first && !touch(u, i) && (i == 0 || !touch(u, i - 1)))
		return phrase_of(u, i, i + 1);
	for (const struct leaf *leaf = leaves(&u->list[i]); leaf; leaf = leaf->next)
		query_add_child(all, word_term(u, leaf));
	return query_simplify(all);
}

static struct query_node *unit_node(struct units *u, size_t i)
{
	switch (u->list[i].kind) {
	case UNIT_HAN:
		return han_node(u, i);
	case UNIT_WORD:
		return word_node(u, i);
	case UNIT_CODE:
		return code_node(u, i);
	case UNIT_DATE:
		return query_term_new(u->q, TERM_DATE, u->list[i].whole, u->at);
	case UNIT_LETTER:
	case UNIT_SENSITIVE:
		break;
	}
	return phrase_of(u, i, i + 1);
}

/* Chinese and, right behind it or after a dash, a number that is one with it. */
static bool is_issuer(const struct units *u, size_t i)
{
	const struct unit *a = &u->list[i], *b = a + 1;
	struct str number;

	if (a->kind != UNIT_HAN || i + 1 == u->n)
		return false;
	for (size_t at = folded_place(u->q, a->end); at < folded_place(u->q, b->start); at++)
		if (u->q->fold.text.p[at] != '-' && u->q->fold.text.p[at] != ' ')
			return false;
	if (b->kind == UNIT_LETTER)
		return true;
	if (b->kind != UNIT_CODE && b->kind != UNIT_WORD)
		return false;
	number = b->first->text;
	return number.p[0] >= '0' && number.p[0] <= '9' &&
	       (b->kind == UNIT_CODE || number.n >= LONG_NUMBER);
}

/* 附件1, 表2: Chinese with a short number at its end. */
static bool is_counted(const struct units *u, size_t i)
{
	const struct unit *a = &u->list[i], *b = a + 1;

	return a->kind == UNIT_HAN && i + 2 == u->n && is_number(b) &&
	       b->first->text.n <= SHORT_NUMBER && a->end == b->start;
}

static bool is_one_character(const struct unit *unit, const char *text)
{
	return unit->kind == UNIT_HAN && !unit->first &&
	       (!text || str_is(unit->single->text, text));
}

/* Numbers that something other than a space joins belong together: 14:00, 60×70. */
static bool are_joined_numbers(const struct units *u, size_t i)
{
	const struct fold *fold = &u->q->fold;
	size_t end, start;

	if (i + 1 >= u->n || !is_number(&u->list[i]) || !is_number(&u->list[i + 1]))
		return false;
	end = folded_place(u->q, u->list[i].end);
	start = folded_place(u->q, u->list[i + 1].start);
	return start > end && !memchr(fold->text.p + end, ' ', start - end);
}

/* Numbers and the Chinese right behind them, typed as one word, belong together: 10月9日, 24小时, 第5章.
 * But 37号 is found in 〔2026〕37 号 too. Returns the unit behind the last. */
static size_t measure_end(const struct units *u, size_t i)
{
	size_t end = i;

	while (are_joined_numbers(u, end))
		end++;
	if (end > i)
		return end + 1;
	end = i + is_one_character(&u->list[i], "第");
	for (; end + 1 < u->n && is_number(&u->list[end]); end += 2) {
		const struct unit *number = &u->list[end], *measure = number + 1;

		if ((end > i && !touch(u, end - 1)) || !touch(u, end) ||
			measure->kind != UNIT_HAN || is_one_character(measure, "号"))
			break;
	}
	return end > i + 1 ? end : i + 1;
}

static struct str slice(const struct query_parse *q, size_t from, size_t to)
{
	return (struct str){ q->fold.text.p + from, to - from };
}

static bool has_sensitive(const struct units *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->list[i].kind == UNIT_SENSITIVE)
			return true;
	return false;
}

struct query_node *query_build_word(struct query_parse *q, size_t from, size_t to)
{
	struct units *u = find_units(q, from, to, false);
	struct query_node *all = query_node_new(q, QUERY_AND, from), *any;
	_cleanup_(buf_done) struct buf whole = BUF_INIT;

	for (size_t i = 0; i < u->n; i++) {
		size_t end = measure_end(u, i);

		if (are_spaced(u, i)) {
			end = i + 2;
			query_add_child(all, spaced_node(u, i));
		} else {
			if (is_issuer(u, i) || is_counted(u, i))
				end = i + 2;
			query_add_child(all, end > i + 1 ? phrase_of(u, i, end) : unit_node(u, i));
		}
		i = end - 1;
	}
	if (u->n < 2 || q->in_title || has_sensitive(u) || !has_digit(slice(q, from, to)))
		return q->r < 0 ? NULL : query_simplify(all);
	number_canonical(slice(q, from, to), &whole);
	any = query_node_new(q, QUERY_EITHER, from);
	query_add_child(any, query_simplify(all));
	add_number_terms(u, any, buf_str(&whole));
	return q->r < 0 ? NULL : any;
}

struct query_node *query_build_phrase(struct query_parse *q, size_t from, size_t to)
{
	struct units *u = find_units(q, from, to, true);

	return phrase_of(u, 0, u->n);
}

/* Where the last Chinese character of a text ends. */
static size_t behind_han(const struct query_parse *q, size_t from, size_t to)
{
	size_t behind = from, n;

	for (size_t at = from; at < to; at += n)
		if (token_is_han(utf8_at(q->fold.text.p + at, &n)))
			behind = at + n;
	return behind;
}

struct query_node *query_build_beginning(struct query_parse *q, size_t from, size_t to)
{
	_cleanup_(buf_done) struct buf whole = BUF_INIT, tail = BUF_INIT;
	size_t split = behind_han(q, from, to);
	struct query_node *any, *both;

	if (q->in_title)
		return query_build_word(q, from, to);
	number_canonical(slice(q, from, to), &whole);
	if (whole.n < TOKEN_EDGE_MIN)
		return query_fail(q, ERR_INVALID, from,
			tr("three letters or digits are needed before a star"));
	any = query_node_new(q, QUERY_EITHER, from);
	query_add_child(any, query_build_word(q, from, to));
	query_add_child(any, query_term_new(q, TERM_NUMBER_EDGE, buf_str(&whole), from));
	number_canonical(slice(q, split, to), &tail);
	while (tail.n > 0 && split > from && tail.p[0] == '-') {
		split++;
		buf_reset(&tail);
		number_canonical(slice(q, split, to), &tail);
	}
	if (tail.n >= TOKEN_EDGE_MIN) {
		both = query_node_new(q, QUERY_AND, from);
		if (split > from)
			query_add_child(both, query_build_phrase(q, from, split));
		query_add_child(both, query_term_new(q, TERM_CODE_EDGE, buf_str(&tail), from));
		query_add_child(any, query_simplify(both));
	}
	return q->r < 0 ? NULL : any;
}

struct query_node *query_build_number(struct query_parse *q, size_t from, size_t to, bool beginning)
{
	_cleanup_(buf_done) struct buf whole = BUF_INIT;
	struct units *u = find_units(q, from, to, true);
	struct query_node *any, *term;

	if (has_sensitive(u))
		return phrase_of(u, 0, u->n);
	number_canonical(slice(q, from, to), &whole);
	if (whole.n == 0)
		return query_fail(q, ERR_INVALID, from, tr("a number is missing here"));
	if (beginning && whole.n < TOKEN_EDGE_MIN)
		return query_fail(q, ERR_INVALID, from,
			tr("three letters or digits are needed before a star"));
	if (!beginning)
		return query_term_new(q, TERM_NUMBER, buf_str(&whole), from);
	term = query_term_new(q, TERM_NUMBER_EDGE, buf_str(&whole), from);
	if (behind_han(q, from, to) < to)
		return term;
	/* A number's beginnings that end in Chinese are not in the index: its words, wherever they stand. */
	any = query_node_new(q, QUERY_EITHER, from);
	query_add_child(any, term);
	query_add_child(any, phrase_of(u, 0, u->n));
	return any;
}

struct query_node *query_build_sensitive(struct query_parse *q, size_t from, size_t to)
{
	_cleanup_(buf_wipe) struct buf value = BUF_INIT;

	number_canonical_sensitive(slice(q, from, to), &value);
	if (value.n == 0)
		return query_fail(q, ERR_INVALID, from, tr("a value is missing here"));
	return query_term_new(q, TERM_SENSITIVE, buf_str(&value), from);
}
