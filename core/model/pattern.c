/* pattern.c - see pattern.h. A pattern becomes a small program whose states are all followed at
 * once (Thompson's way), so that no pattern can make matching slow: every character of the text
 * looks at each instruction at most once.
 *
 * Jumps are relative, so a repetition copies the code of its atom as it stands. */
#include "core/model/pattern.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdlib.h>

enum { MAX_BYTES = 256, MAX_CODE = 1000, MAX_RANGES = 256, MAX_REPEAT = 200, NO_LIMIT = -1 };

enum op { OP_CHAR, OP_CLASS, OP_SPLIT, OP_JUMP, OP_MATCH };

struct instruction {
	enum op op;
	bool negated;	   /* OP_CLASS */
	int32_t c;	   /* OP_CHAR */
	int first, ranges; /* OP_CLASS: which of the ranges */
	int to, or_to;	   /* OP_JUMP, OP_SPLIT: relative */
};

struct range {
	int32_t low, high;
};

struct pattern {
	struct instruction code[MAX_CODE];
	int length;
	struct range ranges[MAX_RANGES];
	int range_count;
};

struct parser {
	struct pattern *p;
	struct str rest;
	size_t bytes;
	struct err *err;
};

static int fail(struct parser *parser, const char *what)
{
	return err_set(parser->err, ERR_INVALID, tr("pattern, at byte %zu: %s"),
		parser->bytes - parser->rest.n + 1, what);
}

static int too_long(struct parser *parser)
{
	return err_set(parser->err, ERR_LIMIT, tr("the pattern is too long or repeats too much"));
}

static bool at(const struct parser *parser, char c)
{
	return parser->rest.n > 0 && parser->rest.p[0] == c;
}

static bool take(struct parser *parser, char c)
{
	if (!at(parser, c))
		return false;
	parser->rest.p++;
	parser->rest.n--;
	return true;
}

static int32_t take_char(struct parser *parser)
{
	size_t n;
	int32_t c = text_char(parser->rest, &n);

	parser->rest.p += n;
	parser->rest.n -= n;
	return c;
}

/* ---- code ---- */

static int emit(struct parser *parser, struct instruction instruction)
{
	if (parser->p->length == MAX_CODE)
		return too_long(parser);
	parser->p->code[parser->p->length++] = instruction;
	return 0;
}

/* Room for n instructions at `place`; what stands behind moves. */
static int insert(struct parser *parser, int place, int n)
{
	struct pattern *p = parser->p;

	if (p->length + n > MAX_CODE)
		return too_long(parser);
	memmove(p->code + place + n, p->code + place,
		(size_t)(p->length - place) * sizeof(p->code[0]));
	p->length += n;
	return 0;
}

static int copy(struct parser *parser, const struct instruction *atom, int n)
{
	int r = 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = emit(parser, atom[i]);
	return r;
}

static int emit_split(struct parser *parser, int to, int or_to)
{
	return emit(parser, (struct instruction){ .op = OP_SPLIT, .to = to, .or_to = or_to });
}

/* The atom from `start` on, at least `least` times and at most `most`. */
static int repeat(struct parser *parser, int start, int least, int most)
{
	_cleanup_(freep) struct instruction *atom = NULL;
	int n = parser->p->length - start, r = 0;

	atom = xcalloc((size_t)n + 1, sizeof(*atom));
	memcpy(atom, parser->p->code + start, (size_t)n * sizeof(*atom));
	parser->p->length = start;
	for (int i = 0; r == 0 && i < least; i++)
		r = copy(parser, atom, n);
	for (int i = least; r == 0 && i < most; i++) {
		r = emit_split(parser, 1, n + 1);
		if (r == 0)
			r = copy(parser, atom, n);
	}
	if (r < 0 || most != NO_LIMIT)
		return r;
	r = emit_split(parser, 1, n + 2);
	if (r == 0)
		r = copy(parser, atom, n);
	return r < 0 ? r : emit(parser, (struct instruction){ .op = OP_JUMP, .to = -(n + 1) });
}

/* ---- grammar: alternatives of sequences of repeated atoms ---- */

static int parse_alternatives(struct parser *parser, int depth);

static int add_range(struct parser *parser, int32_t low, int32_t high)
{
	struct pattern *p = parser->p;

	if (p->range_count == MAX_RANGES)
		return too_long(parser);
	if (low > high)
		return fail(parser, tr("a range runs backwards"));
	p->ranges[p->range_count++] = (struct range){ low, high };
	return 0;
}

static int emit_digit(struct parser *parser)
{
	int first = parser->p->range_count, r = add_range(parser, '0', '9');

	if (r < 0)
		return r;
	return emit(parser, (struct instruction){ .op = OP_CLASS, .first = first, .ranges = 1 });
}

/* A character of a class, or behind a backslash. */
static int class_char(struct parser *parser, int32_t *ret)
{
	if (parser->rest.n == 0)
		return fail(parser, tr("']' is missing"));
	if (take(parser, '\\') && parser->rest.n == 0)
		return fail(parser, tr("nothing stands behind '\\'"));
	*ret = take_char(parser);
	return 0;
}

static int parse_class(struct parser *parser)
{
	struct instruction class = { .op = OP_CLASS, .first = parser->p->range_count };
	int r = 0;

	class.negated = take(parser, '^');
	while (r == 0 && !at(parser, ']')) {
		int32_t low = 0, high;

		r = class_char(parser, &low);
		high = low;
		if (r == 0 && parser->rest.n > 1 && at(parser, '-') && parser->rest.p[1] != ']') {
			(void)take(parser, '-');
			r = class_char(parser, &high);
		}
		if (r == 0)
			r = add_range(parser, low, high);
	}
	if (r < 0)
		return r;
	(void)take(parser, ']');
	class.ranges = parser->p->range_count - class.first;
	if (class.ranges == 0)
		return fail(parser, tr("the class is empty"));
	return emit(parser, class);
}

static int parse_group(struct parser *parser, int depth)
{
	int r = parse_alternatives(parser, depth + 1);

	if (r == 0 && !take(parser, ')'))
		r = fail(parser, tr("')' is missing"));
	return r;
}

static int parse_atom(struct parser *parser, int depth)
{
	if (take(parser, '('))
		return parse_group(parser, depth);
	if (take(parser, '['))
		return parse_class(parser);
	if (take(parser, '.'))
		return emit(parser, (struct instruction){ .op = OP_CLASS, .negated = true });
	if (at(parser, '*') || at(parser, '+') || at(parser, '?') || at(parser, '{') ||
		at(parser, ']') || at(parser, '}') || at(parser, '^') || at(parser, '$'))
		return fail(parser, tr("this sign needs '\\' before it to stand for itself"));
	if (take(parser, '\\')) {
		if (parser->rest.n == 0)
			return fail(parser, tr("nothing stands behind '\\'"));
		if (take(parser, 'd'))
			return emit_digit(parser);
		if ((parser->rest.p[0] >= 'a' && parser->rest.p[0] <= 'z') ||
			(parser->rest.p[0] >= 'A' && parser->rest.p[0] <= 'Z') ||
			(parser->rest.p[0] >= '0' && parser->rest.p[0] <= '9'))
			return fail(parser, tr("this escape is not known"));
	}
	return emit(parser, (struct instruction){ .op = OP_CHAR, .c = take_char(parser) });
}

static int parse_count(struct parser *parser, int *ret)
{
	int v = 0;
	size_t digits = 0;

	for (; parser->rest.n > 0 && parser->rest.p[0] >= '0' && parser->rest.p[0] <= '9';
		digits++) {
		v = v * 10 + (parser->rest.p[0] - '0');
		if (v > MAX_REPEAT)
			return too_long(parser);
		(void)take_char(parser);
	}
	if (digits == 0)
		return fail(parser, tr("a count is missing"));
	*ret = v;
	return 0;
}

static int parse_braces(struct parser *parser, int *least, int *most)
{
	int r = parse_count(parser, least);

	*most = *least;
	if (r == 0 && take(parser, ',')) {
		*most = NO_LIMIT;
		if (!at(parser, '}'))
			r = parse_count(parser, most);
	}
	if (r == 0 && !take(parser, '}'))
		r = fail(parser, tr("'}' is missing"));
	if (r == 0 && *most != NO_LIMIT && *most < *least)
		r = fail(parser, tr("a range runs backwards"));
	return r;
}

static int parse_repeated(struct parser *parser, int depth)
{
	int start = parser->p->length, least = 1, most = 1;
	int r = parse_atom(parser, depth);

	if (r < 0)
		return r;
	if (take(parser, '?'))
		return repeat(parser, start, 0, 1);
	if (take(parser, '*'))
		return repeat(parser, start, 0, NO_LIMIT);
	if (take(parser, '+'))
		return repeat(parser, start, 1, NO_LIMIT);
	if (!take(parser, '{'))
		return 0;
	r = parse_braces(parser, &least, &most);
	return r < 0 ? r : repeat(parser, start, least, most);
}

static int parse_alternatives(struct parser *parser, int depth)
{
	int start = parser->p->length, r = 0;

	if (depth > 16)
		return too_long(parser);
	while (r == 0 && parser->rest.n > 0 && !at(parser, '|') && !at(parser, ')'))
		r = parse_repeated(parser, depth);
	if (r < 0 || !take(parser, '|'))
		return r;
	/* SPLIT, this one, JUMP over the others, the others */
	r = insert(parser, start, 1);
	if (r == 0)
		r = emit(parser, (struct instruction){ .op = OP_JUMP });
	if (r == 0) {
		int jump = parser->p->length - 1;

		parser->p->code[start] =
			(struct instruction){ .op = OP_SPLIT, .to = 1, .or_to = jump + 1 - start };
		r = parse_alternatives(parser, depth + 1);
		parser->p->code[jump].to = parser->p->length - jump;
	}
	return r;
}

int pattern_parse(struct str text, struct pattern **ret, struct err *err)
{
	_cleanup_(pattern_freep) struct pattern *pattern = xcalloc(1, sizeof(*pattern));
	struct parser parser = { .p = pattern, .rest = text, .bytes = text.n, .err = err };
	int r;

	if (text.n > MAX_BYTES)
		return too_long(&parser);
	if (!str_is_utf8(text))
		return err_set(err, ERR_INVALID, tr("%s is not UTF-8"), tr("the pattern"));
	r = parse_alternatives(&parser, 0);
	if (r == 0 && parser.rest.n > 0)
		r = fail(&parser, tr("a ')' too many"));
	if (r == 0)
		r = emit(&parser, (struct instruction){ .op = OP_MATCH });
	if (r == 0)
		*ret = TAKE_PTR(pattern);
	return r;
}

void pattern_free(struct pattern *pattern)
{
	free(pattern);
}

/* ---- matching ---- */

struct states {
	int at[MAX_CODE];
	int count;
	bool has[MAX_CODE];
};

/* The state, and all that follows it without a character. */
static void add_state(const struct pattern *p, struct states *states, int from)
{
	int todo[MAX_CODE + 1], n = 0; /* each instruction, seen once, leaves at most one more */

	todo[n++] = from;
	while (n > 0) {
		int i = todo[--n];
		const struct instruction *in = &p->code[i];

		if (states->has[i])
			continue;
		states->has[i] = true;
		if (in->op == OP_JUMP) {
			todo[n++] = i + in->to;
		} else if (in->op == OP_SPLIT) {
			if (!states->has[i + in->to])
				todo[n++] = i + in->to;
			if (!states->has[i + in->or_to])
				todo[n++] = i + in->or_to;
		} else {
			states->at[states->count++] = i;
		}
	}
}

static bool fits(const struct pattern *p, const struct instruction *in, int32_t c)
{
	bool inside = false;

	if (in->op == OP_CHAR)
		return in->c == c;
	if (in->op != OP_CLASS)
		return false;
	for (int i = in->first; i < in->first + in->ranges; i++)
		inside = inside || (c >= p->ranges[i].low && c <= p->ranges[i].high);
	return inside != in->negated;
}

bool pattern_matches(const struct pattern *pattern, struct str text)
{
	struct states both[2] = { 0 }, *now = &both[0], *then = &both[1];

	add_state(pattern, now, 0);
	for (size_t i = 0, n; i < text.n && now->count > 0; i += n) {
		int32_t c = text_char((struct str){ text.p + i, text.n - i }, &n);
		struct states *old = now;

		memset(then, 0, sizeof(*then));
		for (int s = 0; s < now->count; s++)
			if (fits(pattern, &pattern->code[now->at[s]], c))
				add_state(pattern, then, now->at[s] + 1);
		now = then;
		then = old;
	}
	for (int s = 0; s < now->count; s++)
		if (pattern->code[now->at[s]].op == OP_MATCH)
			return true;
	return false;
}
