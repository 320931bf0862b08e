/* query.c - the grammar at the top of query.h, by recursive descent over the folded text. */
#include "search/query.h"

#include "core/base/tr.h"
#include "search/query_build.h"
#include "search/sensitive.h"

#include <stdlib.h>

struct query {
	struct arena *arena;
	struct query_node *root;
	bool sensitive;
};

/* A parse and the place in the folded text where it stands. */
struct cursor {
	struct query_parse q;
	const char *p, *start, *end;
};

enum field {
	FIELD_TITLE,
	FIELD_NUMBER,
	FIELD_SERIES,
	FIELD_DEPARTMENT,
	FIELD_TYPE,
	FIELD_SENSITIVE,
	FIELD_DAYS
};

static const struct field_name {
	const char *name;
	enum field field;
} field_names[] = {
	{ "title", FIELD_TITLE },
	{ "标题", FIELD_TITLE },
	{ "题名", FIELD_TITLE },
	{ "number", FIELD_NUMBER },
	{ "编号", FIELD_NUMBER },
	{ "series", FIELD_SERIES },
	{ "门类", FIELD_SERIES },
	{ "department", FIELD_DEPARTMENT },
	{ "部门", FIELD_DEPARTMENT },
	{ "type", FIELD_TYPE },
	{ "类型", FIELD_TYPE },
	{ "sensitive", FIELD_SENSITIVE },
	{ "敏感", FIELD_SENSITIVE },
	{ "year", FIELD_DAYS },
	{ "年份", FIELD_DAYS },
	{ "年", FIELD_DAYS },
	{ "date", FIELD_DAYS },
	{ "日期", FIELD_DAYS },
};

enum operator{ OPERATOR_NONE, OPERATOR_AND, OPERATOR_OR, OPERATOR_NOT };

/* Words that join others, as they must be typed: capitals (of either width) or Chinese. */
static const struct operator_name {
	const char *typed;
	enum operator operator;
} operator_names[] = {
	{ "AND", OPERATOR_AND },
	{ "ＡＮＤ", OPERATOR_AND },
	{ "且", OPERATOR_AND },
	{ "OR", OPERATOR_OR },
	{ "ＯＲ", OPERATOR_OR },
	{ "或", OPERATOR_OR },
	{ "NOT", OPERATOR_NOT },
	{ "ＮＯＴ", OPERATOR_NOT },
	{ "非", OPERATOR_NOT },
};

static const struct quotation {
	const char *open, *close;
} quotations[] = {
	{ "\"", "\"" }, /* “ ” are folded to it */
	{ "「", "」" },
	{ "『", "』" },
};

static size_t place(const struct cursor *c)
{
	return (size_t)(c->p - c->start);
}

static struct query_node *fail(struct cursor *c, size_t at, const char *text)
{
	return query_fail(&c->q, ERR_INVALID, at, text);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool stands(const struct cursor *c, const char *p, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(c->end - p) >= n && memcmp(p, text, n) == 0;
}

static void skip_spaces(struct cursor *c)
{
	while (c->p < c->end && is_space(*c->p))
		c->p++;
}

static const struct quotation *quotation_at(const struct cursor *c, const char *p)
{
	for (size_t i = 0; i < ARRAY_LEN(quotations); i++)
		if (stands(c, p, quotations[i].open))
			return &quotations[i];
	return NULL;
}

static size_t letter_at(const struct cursor *c, const char *p)
{
	char canonical[32];

	return p < c->end ? token_letter_match(p, c->end, canonical) : 0;
}

static bool is_one_of(const char *p, size_t n, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(texts[i]) == n && memcmp(p, texts[i], n) == 0)
			return true;
	return false;
}

/* The number of a year, a month or a chapter goes on behind a space: 2025 年 9 月, 第 5 章. */
static bool goes_on_with_number(const struct cursor *c, const char *space)
{
	static const char *const calendar[] = { "年", "月" }, *const ordinal[] = { "第" };
	const char *h = space - 3;

	if (space - c->p < 3)
		return false;
	if (h == c->p)
		return is_one_of(h, 3, ordinal, ARRAY_LEN(ordinal));
	return is_one_of(h, 3, calendar, ARRAY_LEN(calendar)) &&
	       (is_digit(h[-1]) || (h[-1] == ' ' && h - c->p > 1 && is_digit(h[-2])));
}

/* A measure of one character stands behind the space after a number: 5 年, 9 月 30 日, 37 号. */
static bool goes_on_with_measure(const struct cursor *c, const char *next)
{
	static const char *const operators[] = { "且", "或", "非" }, *const calendar[] = { "年",
		"月", "日" };
	const char *after;
	size_t n;

	if (!token_is_han(utf8_at(next, &n)) || is_one_of(next, n, operators, ARRAY_LEN(operators)))
		return false;
	after = next + n;
	if (after == c->end || is_space(*after) || *after == ')')
		return true;
	return *after != ':' && is_one_of(next, n, calendar, ARRAY_LEN(calendar));
}

/* A unit stands behind the space after a number: 0.05 mm, 10 µg/g, 300 dpi. */
static bool goes_on_with_unit(const struct cursor *c, const char *next)
{
	static const char *const units[] = { "m", "mm", "cm", "μm", "nm", "g", "kg", "mg", "μg",
		"ng", "l", "ml", "μl", "pa", "kpa", "mpa", "v", "kv", "ma", "w", "kw", "hz", "khz",
		"mhz", "h", "min", "s", "ppm", "dpi", "cfu", "eu" };
	const char *end = next;

	while (end < c->end && ((*end >= 'a' && *end <= 'z') || (uint8_t)*end >= 0x80))
		end++;
	if (end < c->end && !is_space(*end) && *end != '/' && *end != ')')
		return false;
	return is_one_of(next, (size_t)(end - next), units, ARRAY_LEN(units));
}

/* The number of a standard stands behind the space after who issued it: ISO 13485, YY/T 0287. */
static bool is_standard(const struct cursor *c, const char *space)
{
	static const char *const issuers[] = { "gb", "gb/t", "gb/z", "yy", "yy/t", "jjf", "jjg",
		"iso", "iec", "iso/iec", "en", "astm" };

	return is_one_of(c->p, (size_t)(space - c->p), issuers, ARRAY_LEN(issuers));
}

/* A single space, with `next` behind it, that stands between a number and its words for looks only. */
static bool is_for_looks(const struct cursor *c, const char *space, const char *next)
{
	if (space == c->p || next - space != 1 || next == c->end)
		return false;
	if (is_digit(space[-1]))
		return goes_on_with_measure(c, next) || goes_on_with_unit(c, next);
	return is_digit(*next) && (goes_on_with_number(c, space) || is_standard(c, space));
}

/* Where the word that begins at c->p ends: at a space, a quotation mark or a bracket, but not
 * inside the number of a letter or a sensitive number, which may hold any of these, nor, where it is no field's
 * value, between a number and its measure. */
static const char *word_end(const struct cursor *c, bool is_value)
{
	const char *p = c->p;
	bool after_han = false;

	while (p < c->end) {
		size_t n = letter_at(c, p);
		const char *next = p;
		char value[19];

		if (n == 0 && is_digit(*p) && (p == c->start || !is_digit(p[-1])))
			n = sensitive_match(p, c->end, value);
		if (n > 0) {
			p += n;
			after_han = false;
			continue;
		}
		if (is_space(*p)) {
			while (next < c->end && is_space(*next))
				next++;
			n = after_han ? letter_at(c, next) : 0;
			if (n == 0 && (is_value || !is_for_looks(c, p, next)))
				break;
			p = next + n;
			after_han = false;
			continue;
		}
		if (*p == '(' || *p == ')' || quotation_at(c, p))
			break;
		after_han = token_is_han(utf8_at(p, &n));
		p += n;
	}
	return p;
}

/* The operator that stands alone at c->p, and its bytes. */
static enum operator operator_at(const struct cursor *c, size_t *ret_n)
{
	const struct query_parse *q = &c->q;
	const char *end = word_end(c, false);
	size_t from = q->fold.at[place(c)], to = q->fold.at[end - c->start];
	struct str typed = { q->source.p + from, to - from };

	*ret_n = (size_t)(end - c->p);
	for (size_t i = 0; i < ARRAY_LEN(operator_names); i++)
		if (str_is(typed, operator_names[i].typed))
			return operator_names[i].operator;
	return OPERATOR_NONE;
}

static struct query_node *parse_any(struct cursor *c, bool in_group);
static struct query_node *parse_unit(struct cursor *c);

static struct query_node *parse_group(struct cursor *c)
{
	size_t open = place(c);
	struct query_node *node;

	c->p++;
	node = parse_any(c, true);
	if (c->q.r < 0)
		return NULL;
	if (c->p == c->end)
		return fail(c, open, tr("this bracket is not closed"));
	c->p++;
	return node;
}

/* What stands between quotation marks: [*ret_from, *ret_to). */
static bool take_quoted(struct cursor *c, size_t *ret_from, size_t *ret_to)
{
	const struct quotation *quotation = quotation_at(c, c->p);
	size_t open = place(c);
	const char *p;

	c->p += strlen(quotation->open);
	for (p = c->p; p < c->end; p++) {
		if (!stands(c, p, quotation->close))
			continue;
		*ret_from = place(c);
		*ret_to = (size_t)(p - c->start);
		c->p = p + strlen(quotation->close);
		return true;
	}
	(void)fail(c, open, tr("this quotation mark is not closed"));
	return false;
}

/* A value up to the next space, or in quotation marks; *ret_star when a star stood behind it. */
static bool take_value(struct cursor *c, size_t *ret_from, size_t *ret_to, bool *ret_star)
{
	size_t at = place(c);

	*ret_star = false;
	if (c->p < c->end && quotation_at(c, c->p))
		return take_quoted(c, ret_from, ret_to);
	*ret_from = at;
	c->p = word_end(c, true);
	*ret_to = place(c);
	while (*ret_to > *ret_from && c->start[*ret_to - 1] == '*') {
		--*ret_to;
		*ret_star = true;
	}
	if (*ret_to > *ret_from)
		return true;
	(void)fail(c, at, tr("a value is missing here"));
	return false;
}

/* A code that records carry: compared whole, but for spaces at its ends. */
static struct query_node *build_filter(
	struct cursor *c, enum term_kind kind, size_t from, size_t to)
{
	struct str value = str_trim((struct str){ c->start + from, to - from });

	return query_term_new(&c->q, kind, value, from);
}

static struct query_node *parse_title(struct cursor *c)
{
	bool before = c->q.in_title;
	struct query_node *node;
	size_t at = place(c);

	c->q.in_title = true;
	node = c->p < c->end ? parse_unit(c) : NULL;
	c->q.in_title = before;
	return node || c->q.r < 0 ? node : fail(c, at, tr("a value is missing here"));
}

static struct query_node *parse_value(struct cursor *c, enum field field)
{
	size_t from, to;
	bool star;

	skip_spaces(c);
	if (field == FIELD_TITLE)
		return parse_title(c);
	if (!take_value(c, &from, &to, &star))
		return NULL;
	switch (field) {
	case FIELD_NUMBER:
		return query_build_number(&c->q, from, to, star);
	case FIELD_SERIES:
		return build_filter(c, TERM_SERIES, from, to);
	case FIELD_DEPARTMENT:
		return build_filter(c, TERM_DEPARTMENT, from, to);
	case FIELD_TYPE:
		return build_filter(c, TERM_TYPE, from, to);
	case FIELD_SENSITIVE:
		return query_build_sensitive(&c->q, from, to);
	case FIELD_TITLE:
	case FIELD_DAYS:
		break;
	}
	return query_build_days(&c->q, from, to);
}

/* The field whose name and colon stand at c->p, which then stands behind them. */
static const struct field_name *take_field(struct cursor *c)
{
	for (size_t i = 0; i < ARRAY_LEN(field_names); i++) {
		const char *colon = c->p + strlen(field_names[i].name);

		if (!stands(c, c->p, field_names[i].name) || colon >= c->end || *colon != ':')
			continue;
		c->p = colon + 1;
		return &field_names[i];
	}
	return NULL;
}

static struct query_node *parse_not(struct cursor *c, size_t sign_bytes)
{
	struct query_node *node, *child;
	size_t at = place(c);

	c->p += sign_bytes;
	skip_spaces(c);
	if (c->p == c->end || *c->p == ')')
		return fail(c, at, tr("what shall be left out is missing"));
	child = parse_unit(c);
	if (!child)
		return NULL;
	node = query_node_new(&c->q, QUERY_NOT, at);
	query_add_child(node, query_node_new(&c->q, QUERY_ALL, at));
	query_add_child(node, child);
	return node;
}

static struct query_node *parse_word(struct cursor *c)
{
	const char *end = word_end(c, false), *last = end;
	size_t from = place(c);

	c->p = end;
	while (last > c->start + from && last[-1] == '*')
		last--;
	if (last < end && last > c->start + from)
		return query_build_beginning(&c->q, from, (size_t)(last - c->start));
	return query_build_word(&c->q, from, (size_t)(last - c->start));
}

/* NULL without an error when there is nothing in it that can be searched. */
static struct query_node *parse_unit(struct cursor *c)
{
	const struct field_name *field;
	struct query_node *node;
	size_t from, to;

	if (c->q.depth == QUERY_DEPTH_MAX)
		return query_fail(
			&c->q, ERR_LIMIT, place(c), tr("too many brackets within brackets"));
	c->q.depth++;
	if (*c->p == '(' && !letter_at(c, c->p))
		node = parse_group(c);
	else if (quotation_at(c, c->p) && !letter_at(c, c->p))
		node = take_quoted(c, &from, &to) ? query_build_phrase(&c->q, from, to) : NULL;
	else if (operator_at(c, &from) == OPERATOR_NOT)
		node = parse_not(c, from);
	else if (*c->p == '-' && c->p + 1 < c->end && !is_space(c->p[1]))
		node = parse_not(c, 1);
	else if ((field = take_field(c)))
		node = parse_value(c, field->field);
	else
		node = parse_word(c);
	c->q.depth--;
	return node;
}

/* What a NOT takes away goes to the end of the whole AND: (ALL without x) and y is y without x. */
static struct query_node *join_all(
	struct cursor *c, struct query_node *all, struct query_node *without)
{
	struct query_node *node;

	if (!without->child)
		return query_simplify(all);
	node = query_node_new(&c->q, QUERY_NOT, place(c));
	query_add_child(node,
		all->child ? query_simplify(all) : query_node_new(&c->q, QUERY_ALL, place(c)));
	if (node)
		node->child->next = without->child;
	return node;
}

/* Units side by side, up to OR, a closing bracket or the end. */
static struct query_node *parse_all(struct cursor *c, bool in_group, bool *ret_found)
{
	struct query_node *all = query_node_new(&c->q, QUERY_AND, place(c)),
			  *without = query_node_new(&c->q, QUERY_OR, place(c)), *unit;
	bool dangling = false;
	size_t n, at;

	*ret_found = false;
	for (;;) {
		skip_spaces(c);
		at = place(c);
		if (c->q.r < 0)
			return NULL;
		if (c->p == c->end || (in_group && *c->p == ')'))
			break;
		if (*c->p == ')')
			return fail(c, at, tr("this bracket was never opened"));
		switch (operator_at(c, &n)) {
		case OPERATOR_OR:
			goto out;
		case OPERATOR_AND:
			if (!*ret_found || dangling)
				return fail(c, at, tr("something is missing before this word"));
			dangling = true;
			c->p += n;
			continue;
		case OPERATOR_NOT:
		case OPERATOR_NONE:
			break;
		}
		unit = parse_unit(c);
		*ret_found = true;
		dangling = false;
		if (unit && unit->op == QUERY_NOT && unit->child->op == QUERY_ALL)
			query_add_child(without, unit->child->next);
		else
			query_add_child(all, unit);
	}
out:
	if (dangling)
		return fail(c, at, tr("something is missing before this place"));
	return c->q.r < 0 ? NULL : join_all(c, all, without);
}

static struct query_node *parse_any(struct cursor *c, bool in_group)
{
	struct query_node *any = query_node_new(&c->q, QUERY_OR, place(c));
	bool found, after_or = false;

	for (;;) {
		struct query_node *all = parse_all(c, in_group, &found);
		size_t n;

		if (c->q.r < 0)
			return NULL;
		query_add_child(any, all);
		if (c->p == c->end || *c->p == ')') {
			if (after_or && !found)
				return fail(
					c, place(c), tr("something is missing before this place"));
			return query_simplify(any);
		}
		if (!found)
			return fail(c, place(c), tr("something is missing before this word"));
		(void)operator_at(c, &n);
		c->p += n;
		after_or = true;
	}
}

static bool is_blank(const struct cursor *c)
{
	for (const char *p = c->start; p < c->end; p++)
		if (!is_space(*p))
			return false;
	return true;
}

static struct query_node *parse(struct cursor *c)
{
	struct query_node *root;

	c->q.r = fold_text(&c->q.fold, c->q.source, c->q.err);
	if (c->q.r < 0)
		return NULL;
	c->p = c->start = c->q.fold.text.p;
	c->end = c->start + c->q.fold.text.n;
	if (is_blank(c))
		return query_node_new(&c->q, QUERY_ALL, 0);
	root = parse_any(c, false);
	if (!root)
		return fail(c, 0, tr("nothing that follows can be searched for"));
	return root;
}

int query_parse(struct str text, struct query **ret, struct err *err)
{
	_cleanup_(tokenizer_freep) struct tokenizer *tokenizer = NULL;
	_cleanup_(query_freep) struct query *query = NULL;
	struct cursor c = { .q = { .source = text, .err = err } };

	if (text.n > QUERY_BYTES_MAX)
		return err_set(err, ERR_LIMIT, tr("a query has at most %d bytes"), QUERY_BYTES_MAX);
	tokenizer = tokenizer_new();
	if (!tokenizer)
		return err_set(err, ERR_LIMIT, tr("out of memory for text"));
	query = xcalloc(1, sizeof(*query));
	query->arena = arena_new(0);
	c.q.tokenizer = tokenizer;
	c.q.arena = query->arena;
	fold_init(&c.q.fold);
	query->root = parse(&c);
	query->sensitive = c.q.sensitive;
	fold_done(&c.q.fold);
	if (c.q.r < 0)
		return c.q.r;
	*ret = TAKE_PTR(query);
	return 0;
}

void query_free(struct query *q)
{
	if (!q)
		return;
	arena_free(q->arena);
	free(q);
}

const struct query_node *query_root(const struct query *q)
{
	return q->root;
}

bool query_is_sensitive(const struct query *q)
{
	return q->sensitive;
}

static void describe(const struct query_node *node, struct buf *ret)
{
	static const char *const names[] = {
		[QUERY_ALL] = "ALL",
		[QUERY_CHARACTER] = "CHARACTER",
		[QUERY_PHRASE] = "PHRASE",
		[QUERY_AND] = "AND",
		[QUERY_OR] = "OR",
		[QUERY_SAME] = "SAME",
		[QUERY_EITHER] = "EITHER",
		[QUERY_NOT] = "NOT",
	};

	if (node->op == QUERY_ALL) {
		buf_adds(ret, names[QUERY_ALL]);
	} else if (node->op == QUERY_TERM) {
		buf_addf(ret, "%c:%.*s", (char)node->kind, STR_ARG(node->text));
	} else if (node->op == QUERY_CHARACTER) {
		buf_addf(ret, "(CHARACTER %c:%.*s)", (char)node->kind, STR_ARG(node->text));
	} else if (node->op == QUERY_DAYS) {
		buf_addf(
			ret, "DAYS %lld..%lld", (long long)node->day_from, (long long)node->day_to);
	} else {
		buf_addf(ret, "(%s", names[node->op]);
		for (const struct query_node *child = node->child; child; child = child->next) {
			buf_addc(ret, ' ');
			describe(child, ret);
		}
		buf_addc(ret, ')');
	}
}

void query_describe(const struct query *q, struct buf *ret)
{
	describe(q->root, ret);
}
