/* snippet.c - where in a text the query was met, and a line around that place.
 *
 * The query's terms become goals: a single term, or a phrase. The tokeniser runs over a page; each of its terms that a
 * goal wants is a hit; hits of a phrase count only when the whole phrase stands there. The best place is the window of
 * the line's width that meets the most goals; of equal ones the first. Bigrams are goals of their own, but where their
 * word stands whole on a page its pieces elsewhere are not hits.
 *
 * (Xapian could do this over an index of one document in memory; that needs the text indexed once more for every hit,
 * knows neither pages nor masks, and marks single characters of Chinese phrases.) */
#include "search/snippet.h"

#include "core/base/tr.h"
#include "search/snippet_line.h"
#include "search/token.h"

#include <stdlib.h>

enum {
	BUCKETS = 1024,
	HITS_MAX = 4000, /* of one page; what comes later cannot be much better */
	LEAD_MAX = 24,	 /* columns before the first hit, at most */
	PHRASE_WORTH = 4,
	MET_POINTS =
		1000, /* for each goal that a window meets, times its worth; every hit adds 1 */
	IN_WHOLE_POINTS = 3, /* or this */
	TITLE_COLUMNS = 1 << 20
};

/* A term that is looked for. */
struct want {
	enum term_kind kind;
	struct str text; /* the query's */
	uint32_t goal;
	uint32_t offset; /* from the first position of its phrase or run; 0 for a single term */
	uint32_t next;	 /* in the bucket, plus 1 */
	uint32_t run;	 /* the run that it is of, plus 1 */
};

struct goal {
	uint32_t first, count; /* its wants */
	uint32_t group;	       /* met when one of the group is */
	unsigned worth;
};

/* Bigrams of one Chinese word. Where the word stands whole, its pieces elsewhere on the page say nothing. */
struct run {
	uint32_t first, count; /* wants */
	bool is_whole;	       /* somewhere on this page */
};

struct hit {
	uint32_t want, position;
	uint32_t start, end;
	bool counts;
	bool in_whole; /* of a run */
};

struct finder {
	struct want wants[QUERY_NODES_MAX];
	struct goal goals[QUERY_NODES_MAX];
	struct run runs[QUERY_NODES_MAX];
	uint32_t want_count, goal_count, run_count;
	uint32_t buckets[BUCKETS];
	struct tokenizer *tokenizer;
	struct hit hits[HITS_MAX];
	size_t hit_count;
	uint16_t met[QUERY_NODES_MAX]; /* how many hits of each group are in the window */
};

/* The window of a page: its hits [first, last]. */
struct place {
	size_t page, score;
	uint32_t start, end;
	bool found;
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

static void add_goal(struct finder *f, const struct query_node *node, unsigned worth)
{
	struct goal *goal = &f->goals[f->goal_count];
	uint32_t first = node->op == QUERY_PHRASE ? node->child->position : node->position;

	*goal = (struct goal){ f->want_count, 0, f->goal_count, worth };
	if (node->op == QUERY_TERM || node->op == QUERY_CHARACTER) {
		add_want(f, node, 0);
		goal->count = 1;
	}
	for (const struct query_node *child = node->child; child; child = child->next) {
		add_want(f, child, child->position - first);
		goal->count++;
	}
	f->goal_count++;
}

/* The bigrams of one Chinese word: query_build.c puts them side by side. */
static bool is_run(const struct query_node *node)
{
	const struct query_node *child = node->child;

	for (; child; child = child->next)
		if (child->op != QUERY_TERM || kind_in_text(child->kind) != TERM_WORD ||
			child->position == 0 ||
			(child->next && child->next->position != child->position + 1))
			return false;
	return true;
}

static void add_run(struct finder *f, const struct query_node *node)
{
	struct run *run = &f->runs[f->run_count++];

	*run = (struct run){ f->want_count, 0, false };
	for (const struct query_node *child = node->child; child; child = child->next) {
		add_goal(f, child, 1);
		f->wants[f->want_count - 1].offset = child->position - node->child->position;
		f->wants[f->want_count - 1].run = f->run_count;
		run->count++;
	}
}

static void add_goals(struct finder *f, const struct query_node *node);

/* Ways of writing one thing are met together, and are worth what the best of them is. */
static void add_either(struct finder *f, const struct query_node *node)
{
	struct goal *leader = NULL;

	for (const struct query_node *child = node->child; child; child = child->next) {
		struct goal *goal = &f->goals[f->goal_count];
		uint32_t before = f->goal_count;

		add_goals(f, child);
		if (child->op == QUERY_AND || child->op == QUERY_OR || child->op == QUERY_NOT ||
			f->goal_count == before)
			continue;
		leader = leader ? leader : goal;
		goal->group = leader->group;
		if (goal->worth > leader->worth)
			leader->worth = goal->worth;
	}
}

static void add_goals(struct finder *f, const struct query_node *node)
{
	switch (node->op) {
	case QUERY_ALL:
	case QUERY_DAYS:
		return;
	case QUERY_AND:
		if (is_run(node)) {
			add_run(f, node);
			return;
		}
		/* fall through */
	case QUERY_OR:
		for (const struct query_node *child = node->child; child; child = child->next)
			add_goals(f, child);
		return;
	case QUERY_EITHER:
		add_either(f, node);
		return;
	case QUERY_NOT:
		add_goals(f, node->child);
		return;
	case QUERY_SAME: /* the tokeniser gives all stems here */
		add_goals(f, node->child->next);
		return;
	case QUERY_TERM:
	case QUERY_CHARACTER:
		if (kind_in_text(node->kind) != 0)
			add_goal(f, node, 1);
		return;
	case QUERY_PHRASE:
		add_goal(f, node, PHRASE_WORTH);
		return;
	}
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

/* A hit and those that follow it, `count` wants from `first` on, each at its place: whether all are there. */
static bool is_whole(struct finder *f, const struct hit *hit, uint32_t first, uint32_t count)
{
	for (uint32_t k = 0; k < count; k++)
		if (!hit_at(f, first + k, hit->position + f->wants[first + k].offset))
			return false;
	return true;
}

/* Let the hits of whole phrases count. They are marked as one. */
static void settle_phrases(struct finder *f)
{
	for (size_t i = 0; i < f->hit_count; i++) {
		struct hit *hit = &f->hits[i];
		const struct goal *goal = &f->goals[f->wants[hit->want].goal];

		if (goal->count < 2 || hit->want != goal->first ||
			!is_whole(f, hit, goal->first, goal->count))
			continue;
		for (uint32_t k = 0; k < goal->count; k++) {
			struct hit *other = hit_at(f, goal->first + k,
				hit->position + f->wants[goal->first + k].offset);

			other->counts = true;
			if (other->end > hit->end)
				hit->end = other->end;
		}
	}
}

/* Let only the hits of whole words count where there are whole ones. */
static void settle_runs(struct finder *f)
{
	for (uint32_t r = 0; r < f->run_count; r++)
		f->runs[r].is_whole = false;
	for (size_t i = 0; i < f->hit_count; i++) {
		struct hit *hit = &f->hits[i];
		uint32_t r = f->wants[hit->want].run;
		struct run *run = r > 0 ? &f->runs[r - 1] : NULL;

		if (!run || hit->want != run->first || !is_whole(f, hit, run->first, run->count))
			continue;
		run->is_whole = true;
		for (uint32_t k = 0; k < run->count; k++)
			hit_at(f, run->first + k, hit->position + f->wants[run->first + k].offset)
				->in_whole = true;
	}
	for (size_t i = 0; i < f->hit_count; i++) {
		uint32_t r = f->wants[f->hits[i].want].run;

		if (r > 0 && f->runs[r - 1].is_whole && !f->hits[i].in_whole)
			f->hits[i].counts = false;
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
	settle_runs(f);
	for (size_t i = 0; i < f->hit_count; i++)
		if (f->hits[i].counts)
			f->hits[kept++] = f->hits[i];
	f->hit_count = kept;
	qsort(f->hits, f->hit_count, sizeof(f->hits[0]), by_start);
	return 0;
}

/* ---- the best place ---- */

static size_t worth_of_hit(const struct hit *hit)
{
	return hit->in_whole ? IN_WHOLE_POINTS : 1;
}

static size_t count_in(struct finder *f, const struct hit *hit)
{
	uint32_t group = f->goals[f->wants[hit->want].goal].group;

	return (f->met[group]++ == 0 ? f->goals[group].worth * MET_POINTS : 0) + worth_of_hit(hit);
}

static size_t count_out(struct finder *f, const struct hit *hit)
{
	uint32_t group = f->goals[f->wants[hit->want].goal].group;

	return (--f->met[group] == 0 ? f->goals[group].worth * MET_POINTS : 0) + worth_of_hit(hit);
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

/* Hits that overlap, touch, or have nothing but white space between them, as what is marked. */
static size_t merge(const struct finder *f, struct str page, struct snippet_mark_range *marks)
{
	size_t n = 0;

	for (size_t i = 0; i < f->hit_count; i++) {
		const struct hit *hit = &f->hits[i];

		if (n > 0 && (hit->start <= marks[n - 1].end ||
				     snippet_is_blank((struct str){ page.p + marks[n - 1].end,
					     hit->start - marks[n - 1].end }))) {
			if (hit->end > marks[n - 1].end)
				marks[n - 1].end = hit->end;
		} else {
			marks[n++] = (struct snippet_mark_range){ hit->start, hit->end };
		}
	}
	return n;
}

static int write_line(const struct finder *f, struct str page, size_t from, size_t columns,
	const struct snippet_options *options, struct buf *ret, struct err *err)
{
	struct snippet_mark_range *marks = calloc(f->hit_count + 1, sizeof(*marks));
	int r;

	if (!marks)
		return err_set(err, ERR_LIMIT, tr("out of memory for text"));
	r = snippet_line_add(page, from, columns, marks, merge(f, page, marks), options, ret, err);
	free(marks);
	return r;
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

/* The points of a place that meets the whole query: every part of an AND, one of an OR. Nothing later is better. */
static size_t points_of(const struct query_node *node)
{
	size_t points = 0, of_child;

	switch (node->op) {
	case QUERY_TERM:
	case QUERY_CHARACTER:
		return kind_in_text(node->kind) ? MET_POINTS : 0;
	case QUERY_PHRASE:
		return PHRASE_WORTH * MET_POINTS;
	case QUERY_NOT:
	case QUERY_SAME:
		return points_of(node->child);
	case QUERY_AND:
	case QUERY_OR:
	case QUERY_EITHER:
		for (const struct query_node *child = node->child; child; child = child->next) {
			of_child = points_of(child);
			if (node->op == QUERY_AND)
				points += of_child + (is_run(node) ? IN_WHOLE_POINTS : 0);
			else if (of_child > points)
				points = of_child;
		}
		return points;
	case QUERY_ALL:
	case QUERY_DAYS:
		break;
	}
	return 0;
}

static int find_place(struct finder *f, const struct query *query, const struct snippet_page *pages,
	size_t page_count, size_t columns, struct place *ret, struct err *err)
{
	size_t scanned = 0, perfect = query ? points_of(query_root(query)) : 0;

	for (size_t i = 0; i < page_count && scanned < SNIPPET_SCAN_MAX; i++) {
		struct str text = pages[i].text;
		int r;

		if (ret->found && ret->score >= perfect)
			break;
		if (text.n > SNIPPET_SCAN_MAX - scanned)
			text.n = snippet_char_start(text, SNIPPET_SCAN_MAX - scanned);
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
		text.n = snippet_char_start(text, SNIPPET_SCAN_MAX);
	/* The hits of this page once more, if another was looked at since. */
	r = find_hits(f, text, err);
	if (r < 0)
		return r;
	/* A wide window leaves less room before it. */
	if (place->end - place->start < columns && columns - (place->end - place->start) < lead)
		lead = columns - (place->end - place->start);
	return write_line(
		f, text, snippet_line_start(text, place->start, lead), columns, options, ret, err);
}

int snippet_make(const struct query *query, const struct snippet_page *pages, size_t page_count,
	const struct snippet_options *options, struct buf *ret, uint32_t *ret_page,
	size_t *ret_index, bool *ret_met, struct err *err)
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
		while (index < page_count && snippet_is_blank(pages[index].text))
			index++;
		f->hit_count = 0;
		found = index < page_count;
		if (found)
			r = write_line(f, pages[index].text, 0, columns, options, ret, err);
		else
			index = 0;
	}
	if (r < 0)
		return r;
	*ret_page = found ? pages[index].number : 0;
	*ret_index = index;
	*ret_met = place.found;
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
	return write_line(f, text, 0, TITLE_COLUMNS, options, ret, err);
}
