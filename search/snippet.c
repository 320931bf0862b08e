/* snippet.c - where in a text the query was met, and a line around that place.
 *
 * The query's terms become goals: a single term, or a phrase. The tokeniser runs over a page; each of its terms that a
 * goal wants is a hit; hits of a phrase count only when the whole phrase stands there. The best place is the window of
 * the line's width that meets the most goals; of equal ones the first.
 *
 * (Xapian could do this over an index of one document in memory; that needs the text indexed once more for every hit,
 * knows neither pages nor masks, and marks single characters of Chinese phrases.) */
#include "search/snippet.h"

#include "core/base/text.h"
#include "core/base/tr.h"
#include "search/sensitive.h"
#include "search/token.h"

#include <stdlib.h>

enum {
	BUCKETS = 1024,
	HITS_MAX = 4000,    /* of one page; what comes later cannot be much better */
	LEAD_MAX = 24,	    /* columns before the first hit, at most */
	NUMBER_BYTES = 128, /* how far a sensitive number may reach out of what is shown */
	PHRASE_WORTH = 4,
	BYTES_PER_COLUMN = 8, /* at most, but for characters that take no column */
	TITLE_COLUMNS = 1 << 20
};

/* A term that is looked for. */
struct want {
	enum term_kind kind;
	struct str text; /* the query's */
	uint32_t goal;
	uint32_t offset; /* from the phrase's first position; 0 for a single term */
	uint32_t next;	 /* in the bucket, plus 1 */
};

struct goal {
	uint32_t first, count; /* its wants */
	unsigned worth;
};

struct hit {
	uint32_t want, position;
	uint32_t start, end;
	bool counts;
};

struct finder {
	struct want wants[QUERY_NODES_MAX];
	struct goal goals[QUERY_NODES_MAX];
	uint32_t want_count, goal_count;
	uint32_t buckets[BUCKETS];
	struct tokenizer *tokenizer;
	struct hit hits[HITS_MAX];
	size_t hit_count;
	uint16_t met[QUERY_NODES_MAX]; /* how many hits of each goal are in the window */
};

/* The window of a page: its hits [first, last]. */
struct place {
	size_t page, score;
	uint32_t start, end;
	bool found;
};

struct range {
	uint32_t start, end;
};

/* ---- the query's goals ---- */

/* The kind of term that running text gives for what the query asks; 0 for what is not in text. */
static enum term_kind kind_in_text(enum term_kind kind)
{
	switch (kind) {
	case TERM_WORD:
	case TERM_TITLE:
		return TERM_WORD;
	case TERM_STEM:
	case TERM_TITLE_STEM:
		return TERM_STEM;
	case TERM_CODE:
	case TERM_NUMBER:
		return TERM_CODE;
	case TERM_CODE_EDGE:
	case TERM_NUMBER_EDGE:
		return TERM_CODE_EDGE;
	case TERM_SENSITIVE:
		return TERM_SENSITIVE;
	default:
		return 0;
	}
}

static uint32_t bucket_of(enum term_kind kind, struct str text)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind;

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (uint8_t)text.p[i]) * 16777619u;
	return (h ^ h >> 15) % BUCKETS;
}

static void add_want(struct finder *f, const struct query_node *term, uint32_t offset)
{
	enum term_kind kind = kind_in_text(term->kind);
	uint32_t *bucket = &f->buckets[bucket_of(kind, term->text)];

	f->wants[f->want_count] = (struct want){ .kind = kind,
		.text = term->text,
		.goal = f->goal_count,
		.offset = offset,
		.next = *bucket };
	*bucket = ++f->want_count;
}

static void add_goals(struct finder *f, const struct query_node *node)
{
	struct goal *goal = &f->goals[f->goal_count];

	switch (node->op) {
	case QUERY_ALL:
	case QUERY_DAYS:
		return;
	case QUERY_AND:
	case QUERY_OR:
	case QUERY_EITHER:
		for (const struct query_node *child = node->child; child; child = child->next)
			add_goals(f, child);
		return;
	case QUERY_NOT:
		add_goals(f, node->child);
		return;
	case QUERY_SAME: /* the tokeniser gives all stems here */
		add_goals(f, node->child->next);
		return;
	case QUERY_TERM:
	case QUERY_CHARACTER:
		if (kind_in_text(node->kind) == 0)
			return;
		*goal = (struct goal){ f->want_count, 1, 1 };
		add_want(f, node, 0);
		break;
	case QUERY_PHRASE:
		*goal = (struct goal){ f->want_count, 0, PHRASE_WORTH };
		for (const struct query_node *child = node->child; child;
			child = child->next, goal->count++)
			add_want(f, child, child->position - node->child->position);
		break;
	}
	f->goal_count++;
}

/* ---- hits ---- */

static void on_token(void *context, const struct token *token)
{
	struct finder *f = context;

	for (uint32_t at = f->buckets[bucket_of(token->kind, token->text)]; at;
		at = f->wants[at - 1].next) {
		const struct want *want = &f->wants[at - 1];

		if (want->kind != token->kind || !str_eq(want->text, token->text))
			continue;
		if (f->hit_count == HITS_MAX)
			return;
		f->hits[f->hit_count++] = (struct hit){ .want = at - 1,
			.position = token->position,
			.start = token->start,
			.end = token->end,
			.counts = f->goals[want->goal].count == 1 };
	}
}

static int by_want(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->want != y->want)
		return x->want < y->want ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

static int by_start(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static struct hit *hit_at(struct finder *f, uint32_t want, uint32_t position)
{
	struct hit key = { .want = want, .position = position };

	return bsearch(&key, f->hits, f->hit_count, sizeof(key), by_want);
}

/* Let the hits of whole phrases count. */
static void settle_phrases(struct finder *f)
{
	for (size_t i = 0; i < f->hit_count; i++) {
		const struct goal *goal = &f->goals[f->wants[f->hits[i].want].goal];
		uint32_t k = 0;

		if (goal->count < 2 || f->hits[i].want != goal->first)
			continue;
		while (k < goal->count &&
			hit_at(f, goal->first + k,
				f->hits[i].position + f->wants[goal->first + k].offset))
			k++;
		if (k < goal->count)
			continue;
		for (k = 0; k < goal->count; k++)
			hit_at(f, goal->first + k,
				f->hits[i].position + f->wants[goal->first + k].offset)
				->counts = true;
	}
}

/* All hits of a text that count, in order of place. */
static int find_hits(struct finder *f, struct str text, struct err *err)
{
	uint32_t position = 0;
	size_t kept = 0;
	int r;

	f->hit_count = 0;
	r = tokenizer_run(f->tokenizer, text, TOKEN_EDGES | TOKEN_ALL, &position, on_token, f, err);
	if (r < 0)
		return r;
	qsort(f->hits, f->hit_count, sizeof(f->hits[0]), by_want);
	settle_phrases(f);
	for (size_t i = 0; i < f->hit_count; i++)
		if (f->hits[i].counts)
			f->hits[kept++] = f->hits[i];
	f->hit_count = kept;
	qsort(f->hits, f->hit_count, sizeof(f->hits[0]), by_start);
	return 0;
}

/* ---- the best place ---- */

static size_t count_in(struct finder *f, const struct hit *hit)
{
	uint32_t goal = f->wants[hit->want].goal;

	return f->met[goal]++ == 0 ? f->goals[goal].worth * 1000 + 1 : 1;
}

static size_t count_out(struct finder *f, const struct hit *hit)
{
	uint32_t goal = f->wants[hit->want].goal;

	return --f->met[goal] == 0 ? f->goals[goal].worth * 1000 + 1 : 1;
}

/* The window of about so many columns that meets the most goals. A wide character is three bytes and two columns, so
 * bytes overstate width by half at most; the line is measured exactly when it is written. */
static void best_window(struct finder *f, size_t columns, size_t page, struct place *best)
{
	size_t width = columns, score = 0, first = 0;

	memset(f->met, 0, sizeof(f->met));
	for (size_t last = 0; last < f->hit_count; last++) {
		score += count_in(f, &f->hits[last]);
		while (first < last && f->hits[last].end - f->hits[first].start > width)
			score -= count_out(f, &f->hits[first++]);
		if (best->found && score <= best->score)
			continue;
		*best = (struct place){ page, score, f->hits[first].start, f->hits[last].end,
			true };
	}
}

/* ---- writing the line ---- */

/* A stretch of the source as it may be shown: one line, single spaces (none where a line of Chinese was broken), no
 * unsafe characters. Sensitive numbers are looked for in this and not in the source, as leaving something out may
 * join digits. */
struct clean {
	struct buf text;
	struct buf at; /* uint32_t for each byte of `text`: where it came from */
	struct buf secrets;
	size_t offset; /* of what is being looked through */
};

struct secret_range {
	size_t start, end; /* in the clean text */
	char value[19];
};

struct line {
	const struct clean *clean;
	const struct snippet_options *options;
	struct buf *ret;
	const struct range *marks;
	size_t mark_count, mark;
	size_t left;	/* columns */
	size_t start_n; /* of `ret`, before the first character */
	bool marked, space;
	size_t space_i;
	/* As it was before the Latin word that is being written, to take half a word back; n 0 outside of one. */
	struct {
		size_t n, i;
		bool marked;
	} word;
};

static size_t back_to_char(struct str text, size_t at)
{
	while (at > 0 && at < text.n && ((uint8_t)text.p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static void clean_done(struct clean *c)
{
	buf_wipe(&c->text);
	buf_wipe(&c->at);
	buf_wipe(&c->secrets);
}

static void clean_add(struct clean *c, struct str text, size_t from)
{
	uint32_t at = (uint32_t)from;

	buf_add_str(&c->text, text);
	for (size_t i = 0; i < text.n; i++)
		buf_add(&c->at, &at, sizeof(at));
}

static bool is_space_char(int32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x3000 || c == 0x2028 ||
	       c == 0x2029;
}

/* Kept in order; what overlaps one that is known says nothing new. */
static void add_secret(void *context, size_t start, size_t end, const char *value)
{
	struct clean *c = context;
	struct secret_range range = { start + c->offset, end + c->offset, "" }, *all;
	size_t n = c->secrets.n / sizeof(range), i;

	all = (struct secret_range *)(void *)c->secrets.p;
	for (i = n; i > 0 && all[i - 1].end > range.start; i--)
		if (all[i - 1].start < range.end)
			return;
	memcpy(range.value, value, strlen(value) + 1);
	buf_add(&c->secrets, &range, sizeof(range));
	if (c->secrets.failed)
		return;
	all = (struct secret_range *)(void *)c->secrets.p;
	memmove(&all[i + 1], &all[i], (n - i) * sizeof(range));
	all[i] = range;
}

static int clean_make(struct clean *c, struct str text, size_t from, size_t to, struct err *err)
{
	bool space = false, after_wide = false;
	size_t space_at = 0, n;

	buf_init(&c->text, BUF_DEFAULT_MAX);
	buf_init(&c->at, BUF_DEFAULT_MAX);
	buf_init(&c->secrets, BUF_DEFAULT_MAX);
	c->offset = 0;
	for (size_t at = from; at < to; at += n) {
		int32_t code = text_char((struct str){ text.p + at, to - at }, &n);
		bool wide;

		if (is_space_char(code)) {
			space_at = space ? space_at : at;
			space = true;
		} else if (code >= 0 && !text_is_unsafe_char(code)) {
			wide = text_width((struct str){ text.p + at, n }) == 2;
			if (space && c->text.n > 0 && !(wide && after_wide))
				clean_add(c, STR(" "), space_at);
			clean_add(c, (struct str){ text.p + at, n }, at);
			after_wide = wide;
			space = false;
		}
	}
	if (buf_check(&c->text, err) < 0 || buf_check(&c->at, err) < 0)
		return -ERR_LIMIT;
	return sensitive_find(buf_str(&c->text), add_secret, c, err);
}

static uint32_t clean_at(const struct clean *c, size_t i)
{
	return ((const uint32_t *)(const void *)c->at.p)[i];
}

static void add_char(struct line *l, struct str c)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };

	if (l->options->html && c.n == 1)
		for (size_t i = 0; i < ARRAY_LEN(entities); i++)
			if (*c.p == entities[i].c) {
				buf_adds(l->ret, entities[i].entity);
				return;
			}
	buf_add_str(l->ret, c);
}

static void set_marked(struct line *l, bool marked)
{
	if (marked == l->marked)
		return;
	buf_add_str(l->ret, marked ? l->options->start : l->options->end);
	l->marked = marked;
}

/* Whether what came from this place of the source is marked; places never go back. */
static bool is_marked(struct line *l, size_t at)
{
	while (l->mark < l->mark_count && l->marks[l->mark].end <= at)
		l->mark++;
	return l->mark < l->mark_count && l->marks[l->mark].start <= at;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Write a piece that came from the clean text's byte i; false when the line is full. A space waits for what follows. */
static bool write_piece(struct line *l, struct str piece, size_t i)
{
	size_t width = text_width(piece) + l->space;

	if (*piece.p == ' ') {
		l->space = true;
		l->space_i = i;
		l->word.n = 0;
		return true;
	}
	if (width > l->left)
		return false;
	if (!is_alnum(*piece.p)) {
		l->word.n = 0;
	} else if (l->word.n == 0) {
		l->word.n = l->ret->n;
		l->word.i = i;
		l->word.marked = l->marked;
	}
	if (l->space) {
		set_marked(l, is_marked(l, clean_at(l->clean, l->space_i)));
		buf_addc(l->ret, ' ');
		l->space = false;
	}
	set_marked(l, is_marked(l, clean_at(l->clean, i)));
	add_char(l, piece);
	l->left -= width;
	return true;
}

/* The line is full before the clean text's byte i: a Latin word that is not whole goes, unless it is all there is. */
static size_t take_half_word_back(struct line *l, size_t i)
{
	if (l->word.n <= l->start_n || !is_alnum(l->clean->text.p[i]))
		return i;
	buf_cut(l->ret, l->word.n);
	l->marked = l->word.marked;
	return l->word.i;
}

/* Write from the clean text's byte i until the line is full or the text ends; returns where it stopped. */
static size_t write_line(struct line *l, size_t i)
{
	const struct str text = buf_str(&l->clean->text);
	const struct secret_range *s = (const void *)l->clean->secrets.p,
				  *end = s + l->clean->secrets.n / sizeof(*s);

	l->start_n = l->ret->n;
	while (i < text.n) {
		struct str piece = { text.p + i, 0 };

		while (s < end && s->end <= i)
			s++;
		if (!l->options->unmask && s < end && s->start <= i) {
			struct buf masked = BUF_INIT;
			bool fits;

			sensitive_add_masked(s->value, &masked);
			fits = write_piece(l, buf_str(&masked), i);
			buf_done(&masked);
			l->word.n = 0;
			if (!fits)
				break;
			i = s->end;
			continue;
		}
		(void)text_char((struct str){ piece.p, text.n - i }, &piece.n);
		if (!write_piece(l, piece, i)) {
			i = take_half_word_back(l, i);
			break;
		}
		i += piece.n;
	}
	set_marked(l, false);
	return i;
}

/* Write the line, again and again until it shows no sensitive number: cutting a longer row of digits can make one. */
static int write_safe_line(
	struct line *l, struct clean *c, size_t i, size_t *ret_stopped, struct err *err)
{
	const struct line before = *l;
	size_t start = l->ret->n, known;
	int r;

	do {
		buf_cut(l->ret, start);
		*l = before;
		*ret_stopped = write_line(l, i);
		known = c->secrets.n;
		c->offset = i;
		r = sensitive_find(
			(struct str){ c->text.p + i, *ret_stopped - i }, add_secret, c, err);
		if (r < 0 || (r = buf_check(&c->secrets, err)) < 0)
			return r;
	} while (c->secrets.n > known && !l->options->unmask);
	return 0;
}

static bool is_blank(struct str text)
{
	for (size_t i = 0, n; i < text.n; i += n) {
		int32_t c = text_char((struct str){ text.p + i, text.n - i }, &n);

		if (c >= 0 && !is_space_char(c) && !text_is_unsafe_char(c))
			return false;
	}
	return true;
}

/* Merge hits that overlap or touch into what is marked. */
static size_t merge(const struct finder *f, struct range *marks)
{
	size_t n = 0;

	for (size_t i = 0; i < f->hit_count; i++) {
		const struct hit *hit = &f->hits[i];

		if (n > 0 && hit->start <= marks[n - 1].end) {
			if (hit->end > marks[n - 1].end)
				marks[n - 1].end = hit->end;
		} else {
			marks[n++] = (struct range){ hit->start, hit->end };
		}
	}
	return n;
}

/* Lines end anywhere in text from PDF; only an empty line says something. */
static bool ends_sentence(int32_t c)
{
	return c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff1b || c == '!' || c == '?';
}

/* Where to begin so that `start` has some words before it: behind a sentence's end if one is near, and not inside a
 * Latin word or a number. */
static size_t begin_before(struct str text, size_t start, size_t lead)
{
	size_t at = start, good = start, columns = 0;
	int32_t next = -1;

	while (at > 0 && columns < lead) {
		size_t before = back_to_char(text, at - 1), n;
		int32_t c = text_char((struct str){ text.p + before, at - before }, &n);

		if (ends_sentence(c) || (c == '\n' && next == '\n'))
			return at;
		if (next < 0 || !(c < 0x80 && next < 0x80 && c > ' ' && next > ' '))
			good = at;
		columns += text_width((struct str){ text.p + before, at - before });
		next = c;
		at = before;
	}
	return at == 0 ? 0 : good;
}

/* Write a line that begins at `from`. */
static int write_place(struct finder *f, struct str text, size_t from, size_t columns,
	const struct snippet_options *options, struct buf *ret, struct err *err)
{
	/* What is shown, and on both sides as much as a number could reach. */
	size_t first = from > NUMBER_BYTES ? back_to_char(text, from - NUMBER_BYTES) : 0,
	       room = columns * BYTES_PER_COLUMN + NUMBER_BYTES,
	       last = room < text.n - from ? back_to_char(text, from + room) : text.n, i = 0;
	struct range *marks = calloc(f->hit_count + 1, sizeof(*marks));
	struct clean clean;
	struct line line = {
		.clean = &clean, .options = options, .ret = ret, .marks = marks, .left = columns
	};
	int r = clean_make(&clean, text, first, last, err);

	if (!marks && r == 0)
		r = err_set(err, ERR_LIMIT, tr("out of memory for text"));
	if (r == 0) {
		line.mark_count = merge(f, marks);
		while (i < clean.text.n && (clean_at(&clean, i) < from || clean.text.p[i] == ' '))
			i++;
		if (i > 0 || first > 0)
			buf_adds(ret, "…");
		r = write_safe_line(&line, &clean, i, &i, err);
		if (i < clean.text.n || !is_blank((struct str){ text.p + last, text.n - last }))
			buf_adds(ret, "…");
	}
	clean_done(&clean);
	free(marks);
	return r < 0 ? r : buf_check(ret, err);
}

/* ---- from outside ---- */

static void finder_free(struct finder *f)
{
	tokenizer_free(f->tokenizer);
	free(f);
}
DEFINE_CLEANUP(struct finder *, finder_free)

static struct finder *finder_new(const struct query *query)
{
	_cleanup_(finder_freep) struct finder *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->tokenizer = tokenizer_new();
	if (!f->tokenizer)
		return NULL;
	if (query)
		add_goals(f, query_root(query));
	return TAKE_PTR(f);
}

/* What a place is worth that meets the whole query: every part of an AND, one of an OR. Nothing later is better. */
static size_t worth_of(const struct query_node *node)
{
	size_t worth = 0, child_worth;

	switch (node->op) {
	case QUERY_TERM:
	case QUERY_CHARACTER:
		return kind_in_text(node->kind) ? 1 : 0;
	case QUERY_PHRASE:
		return PHRASE_WORTH;
	case QUERY_NOT:
	case QUERY_SAME:
		return worth_of(node->child);
	case QUERY_AND:
	case QUERY_OR:
	case QUERY_EITHER:
		for (const struct query_node *child = node->child; child; child = child->next) {
			child_worth = worth_of(child);
			if (node->op == QUERY_AND)
				worth += child_worth;
			else if (worth == 0 || child_worth < worth)
				worth = child_worth;
		}
		return worth;
	case QUERY_ALL:
	case QUERY_DAYS:
		break;
	}
	return 0;
}

static int find_place(struct finder *f, const struct query *query, const struct snippet_page *pages,
	size_t page_count, size_t columns, struct place *ret, struct err *err)
{
	size_t scanned = 0, perfect = query ? worth_of(query_root(query)) * 1000 : 0;

	for (size_t i = 0; i < page_count && scanned < SNIPPET_SCAN_MAX; i++) {
		struct str text = pages[i].text;
		int r;

		if (ret->found && ret->score >= perfect)
			break;
		if (text.n > SNIPPET_SCAN_MAX - scanned)
			text.n = back_to_char(text, SNIPPET_SCAN_MAX - scanned);
		r = find_hits(f, text, err);
		if (r < 0)
			return r;
		best_window(f, columns, i, ret);
		scanned += text.n;
	}
	return 0;
}

static int write_best(struct finder *f, const struct snippet_page *page, const struct place *place,
	size_t columns, const struct snippet_options *options, struct buf *ret, struct err *err)
{
	size_t lead = columns / 4 < LEAD_MAX ? columns / 4 : LEAD_MAX;
	struct str text = page->text;
	int r;

	if (text.n > SNIPPET_SCAN_MAX)
		text.n = back_to_char(text, SNIPPET_SCAN_MAX);
	/* The hits of this page once more, if another was looked at since. */
	r = find_hits(f, text, err);
	if (r < 0)
		return r;
	/* A wide window leaves less room before it. */
	if (place->end - place->start < columns && columns - (place->end - place->start) < lead)
		lead = columns - (place->end - place->start);
	return write_place(
		f, text, begin_before(text, place->start, lead), columns, options, ret, err);
}

int snippet_make(const struct query *query, const struct snippet_page *pages, size_t page_count,
	const struct snippet_options *options, struct buf *ret, uint32_t *ret_page,
	size_t *ret_index, struct err *err)
{
	_cleanup_(finder_freep) struct finder *f = finder_new(query);
	struct place place = { .found = false };
	size_t columns = options->columns ? options->columns : SNIPPET_COLUMNS, index = 0;
	bool found;
	int r;

	if (!f)
		return err_set(err, ERR_LIMIT, tr("out of memory for text"));
	if (columns > SNIPPET_COLUMNS_MAX)
		columns = SNIPPET_COLUMNS_MAX;
	found = true;
	r = find_place(f, query, pages, page_count, columns, &place, err);
	if (r < 0)
		return r;
	if (place.found) {
		index = place.page;
		r = write_best(f, &pages[index], &place, columns, options, ret, err);
	} else {
		while (index < page_count && is_blank(pages[index].text))
			index++;
		f->hit_count = 0;
		found = index < page_count;
		if (found)
			r = write_place(f, pages[index].text, 0, columns, options, ret, err);
		else
			index = 0;
	}
	if (r < 0)
		return r;
	*ret_page = found ? pages[index].number : 0;
	*ret_index = index;
	return 0;
}

int snippet_mark(const struct query *query, struct str text, const struct snippet_options *options,
	struct buf *ret, struct err *err)
{
	_cleanup_(finder_freep) struct finder *f = finder_new(query);
	int r;

	if (!f)
		return err_set(err, ERR_LIMIT, tr("out of memory for text"));
	r = find_hits(f, text, err);
	if (r < 0)
		return r;
	return write_place(f, text, 0, TITLE_COLUMNS, options, ret, err);
}
