/* golden.c - queries.txt against an archive: one test a query.
 *
 * The records are filed once, in this process. First those of the project itself are searched; then, when it is there,
 * a folder of real documents comes in beside them: $MUNIMENT_CORPUS, or ../shared/corpus beside the source. */
#include "core/archive/say.h"
#include "core/base/file.h"
#include "core/base/secret.h"
#include "core/base/tr.h"
#include "tests/golden/shelf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { TESTS_MAX = 400 };

/* Lines of queries.txt that say what is expected. */
enum expectation {
	EXPECT_RANK,	/* N record */
	EXPECT_FOUND,	/* + record */
	EXPECT_MISSING, /* - record */
	EXPECT_BEFORE,	/* before a | b */
	EXPECT_COUNT,	/* count n */
	EXPECT_NEAR, /* near n: nothing is found; the lines below are about the n records that come near */
	EXPECT_FACET, /* facet kind value n; n 0: not there */
	EXPECT_ERROR, /* error words of it */
	EXPECT_PAGE,  /* of the record that was named last: page n */
	EXPECT_PART,  /* part, a piece of its name */
	EXPECT_LABEL, /* label, of a sheet or attachment */
	EXPECT_SHOWS, /* shows a piece of snippet or title, marks included */
	EXPECT_HIDES, /* hides what is in neither */
	EXPECT_WITH,  /* no expectation but an option of the search: with order newest */
};

static const char *const words[] = {
	[EXPECT_FOUND] = "+",
	[EXPECT_MISSING] = "-",
	[EXPECT_BEFORE] = "before",
	[EXPECT_COUNT] = "count",
	[EXPECT_NEAR] = "near",
	[EXPECT_FACET] = "facet",
	[EXPECT_ERROR] = "error",
	[EXPECT_PAGE] = "page",
	[EXPECT_PART] = "part",
	[EXPECT_LABEL] = "label",
	[EXPECT_SHOWS] = "shows",
	[EXPECT_HIDES] = "hides",
	[EXPECT_WITH] = "with",
};

struct test {
	struct str query, lines; /* what is between this query and the next */
	unsigned line;
	bool corpus;
};

struct golden {
	struct shelf *shelf;
	struct test tests[TESTS_MAX];
	size_t count;
	/* The test at hand: */
	const struct test *test;
	const struct json *hits, *near, *facets, *hit; /* hit: of the record that was named last */
	uint64_t found;
	struct buf why; /* what is wrong, a line each */
};

/* ---- reading queries.txt ---- */

static void parse(struct golden *g, struct str text)
{
	const char *end = text.p + text.n;
	struct test *test = NULL;
	bool corpus = false;

	for (unsigned line = 1; text.n > 0; line++) {
		struct str l = str_cut(&text, '\n');

		if (test)
			test->lines.n = (size_t)(l.p - test->lines.p);
		if (str_starts(l, "["))
			corpus = str_is(l, "[corpus]");
		if (str_starts(l, "[") || str_starts(l, "#"))
			test = NULL;
		if (!str_starts(l, "? ") && !str_is(l, "?"))
			continue;
		if (g->count == TESTS_MAX)
			abort();
		test = &g->tests[g->count++];
		*test = (struct test){ .line = line, .corpus = corpus };
		test->query = (struct str){ l.p + 1, l.n - 1 };
		if (test->query.n > 0)
			test->query = (struct str){ l.p + 2, l.n - 2 };
		test->lines.p = l.p + l.n + 1;
		if (test->lines.p > end)
			test->lines.p = end;
	}
	if (test)
		test->lines.n = (size_t)(end - test->lines.p);
}

/* "  shows 【召回】" into what is expected and the rest. */
static bool read_line(struct str line, enum expectation *ret, uint64_t *ret_rank, struct str *rest)
{
	struct str word;

	line = str_trim(line);
	word = str_cut(&line, ' ');
	*rest = str_trim(line);
	*ret = EXPECT_RANK;
	if (str_to_u64(word, 1000, ret_rank, NULL) == 0)
		return true;
	for (size_t i = EXPECT_FOUND; i < ARRAY_LEN(words); i++) {
		*ret = (enum expectation)i;
		if (str_is(word, words[i]))
			return true;
	}
	return false;
}

/* ---- asking ---- */

static void say_option(struct buf *b, struct str line)
{
	struct str value = line, cut = str_cut(&value, ' ');
	_cleanup_(freep) char *name = str_dup(cut);
	uint64_t n;

	if (str_is(cut, "facets")) {
		say_bool(b, name, true);
	} else if (str_is(cut, "series") || str_is(cut, "department") || str_is(cut, "type") ||
		   str_is(cut, "year")) {
		say_list(b, name);
		while (value.n > 0)
			say_item(b, str_trim(str_cut(&value, '|')));
		say_end_list(b);
	} else if (!str_is(cut, "from") && !str_is(cut, "to") && !str_is(cut, "order") &&
		   str_to_u64(value, 100000, &n, NULL) == 0) {
		say_int(b, name, (int64_t)n);
	} else {
		say_text(b, name, value);
	}
}

static void say_request(const struct test *t, struct buf *b)
{
	struct str rest = t->lines;
	enum expectation what;
	bool limited = false;
	uint64_t rank;
	struct str line;

	say_map(b, NULL);
	say_text(b, "query", t->query);
	while (rest.n > 0) {
		if (!read_line(str_cut(&rest, '\n'), &what, &rank, &line) || what != EXPECT_WITH)
			continue;
		limited |= str_starts(line, "limit ");
		say_option(b, line);
	}
	if (!limited)
		say_int(b, "limit", 100);
	say_end_map(b);
}

/* ---- comparing ---- */

static struct str text_of(const struct json *map, const char *name)
{
	struct str text = STR("");

	(void)json_may_text(map, name, &text, NULL);
	return text;
}

static bool contains(struct str text, struct str piece)
{
	return piece.n == 0 || (text.n >= piece.n && memmem(text.p, text.n, piece.p, piece.n));
}

/* The place of a record among the hits, from 1; 0: not there. */
static size_t rank_of(struct golden *g, struct str name)
{
	const struct shelved *record;
	struct err err = ERR_INIT;

	if (shelf_find(g->shelf, name, &record, &err) < 0) {
		buf_addf(&g->why, "# the name of a record: %s\n", err.text);
		return 0;
	}
	for (size_t i = 0; i < json_list_count(g->hits); i++) {
		if (!str_is(text_of(json_list_at(g->hits, i), "record"), record->record))
			continue;
		g->hit = json_list_at(g->hits, i);
		return i + 1;
	}
	return 0;
}

static uint64_t facet_count(const struct golden *g, struct str kind, struct str value)
{
	int64_t n = 0;

	for (size_t i = 0; g->facets && i < json_list_count(g->facets); i++) {
		const struct json *f = json_list_at(g->facets, i);

		if (str_eq(text_of(f, "kind"), kind) && str_eq(text_of(f, "value"), value))
			(void)json_may_int(f, "count", 0, INT64_MAX, &n, NULL);
	}
	return (uint64_t)n;
}

static bool has_facet(const struct golden *g, struct str rest)
{
	struct str kind = str_cut(&rest, ' '), value = str_cut(&rest, ' ');
	uint64_t n;

	return str_to_u64(rest, UINT64_MAX, &n, NULL) == 0 && facet_count(g, kind, value) == n;
}

static bool is_before(struct golden *g, struct str rest)
{
	struct str first = str_trim(str_cut(&rest, '|'));
	size_t a = rank_of(g, first), b = rank_of(g, str_trim(rest));

	return a > 0 && b > 0 && a < b;
}

static bool is_on_page(const struct golden *g, struct str rest)
{
	int64_t page = 0;
	uint64_t n;

	(void)json_may_int(g->hit, "page", 0, INT64_MAX, &page, NULL);
	return str_to_u64(rest, UINT64_MAX, &n, NULL) == 0 && (uint64_t)page == n;
}

/* Go over to what comes near. */
static bool is_near(struct golden *g, struct str rest)
{
	uint64_t n;

	if (g->near)
		g->hits = g->near;
	return str_to_u64(rest, UINT64_MAX, &n, NULL) == 0 && g->found == 0 &&
	       json_list_count(g->hits) == n;
}

static bool holds(struct golden *g, enum expectation what, uint64_t rank, struct str rest)
{
	uint64_t n;

	if (what <= EXPECT_MISSING)
		g->hit = NULL;
	if (what >= EXPECT_PAGE && what <= EXPECT_HIDES && !g->hit)
		return false;
	switch (what) {
	case EXPECT_RANK:
		return rank_of(g, rest) == rank;
	case EXPECT_FOUND:
		return rank_of(g, rest) > 0;
	case EXPECT_MISSING:
		return rank_of(g, rest) == 0;
	case EXPECT_BEFORE:
		return is_before(g, rest);
	case EXPECT_COUNT:
		return str_to_u64(rest, UINT64_MAX, &n, NULL) == 0 && n == g->found;
	case EXPECT_NEAR:
		return is_near(g, rest);
	case EXPECT_FACET:
		return has_facet(g, rest);
	case EXPECT_PAGE:
		return is_on_page(g, rest);
	case EXPECT_PART:
		return contains(text_of(g->hit, "part"), rest);
	case EXPECT_LABEL:
		return contains(text_of(g->hit, "label"), rest);
	case EXPECT_SHOWS:
		return contains(text_of(g->hit, "snippet"), rest) ||
		       contains(text_of(g->hit, "marked"), rest);
	case EXPECT_HIDES:
		return !contains(text_of(g->hit, "snippet"), rest) &&
		       !contains(text_of(g->hit, "marked"), rest);
	case EXPECT_WITH:
		return true;
	case EXPECT_ERROR:
		break;
	}
	return false;
}

/* Every expectation of the test; `err` is what the search failed with, or NULL. */
static void compare(struct golden *g, const struct err *err)
{
	struct str rest = g->test->lines;
	bool expects_error = false;

	for (unsigned n = 1; rest.n > 0; n++) {
		struct str line = str_cut(&rest, '\n'), what_else;
		enum expectation what;
		uint64_t rank;
		bool good;

		if (str_trim(line).n == 0)
			continue;
		good = read_line(line, &what, &rank, &what_else);
		if (good && what == EXPECT_ERROR) {
			expects_error = true;
			good = err && contains(str_of(err->text), what_else);
		} else if (good) {
			good = what == EXPECT_WITH || (!err && holds(g, what, rank, what_else));
		}
		if (!good)
			buf_addf(&g->why, "# line %u:%.*s\n", g->test->line + n, STR_ARG(line));
	}
	if (err && !expects_error)
		buf_addf(&g->why, "# it failed\n");
	if (err && g->why.n > 0)
		buf_addf(&g->why, "#     error %s\n", err->text);
}

static void describe_hits(struct golden *g)
{
	for (size_t i = 0; i < json_list_count(g->hits); i++) {
		const struct json *hit = json_list_at(g->hits, i);
		int64_t page = 0;

		(void)json_may_int(hit, "page", 0, INT64_MAX, &page, NULL);
		buf_addf(&g->why, "#  %zu %.*s  %.*s | %.*s, %.*s, page %lld: %.*s\n", i + 1,
			STR_ARG(text_of(hit, "number")), STR_ARG(text_of(hit, "marked")),
			STR_ARG(text_of(hit, "part")), STR_ARG(text_of(hit, "label")),
			(long long)page, STR_ARG(text_of(hit, "snippet")));
	}
	for (size_t i = 0; g->facets && i < json_list_count(g->facets); i++) {
		const struct json *f = json_list_at(g->facets, i);

		buf_addf(&g->why, "#    facet %.*s %.*s %llu\n", STR_ARG(text_of(f, "kind")),
			STR_ARG(text_of(f, "value")),
			(unsigned long long)facet_count(
				g, text_of(f, "kind"), text_of(f, "value")));
	}
}

static bool run_test(struct golden *g, bool show)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf args = BUF_INIT;
	struct err err = ERR_INIT;
	int64_t found = 0;
	bool good;
	int r;

	buf_reset(&g->why);
	say_request(g->test, &args);
	r = shelf_call(g->shelf, "search", buf_str(&args), &reply, &err);
	g->hit = g->hits = g->near = g->facets = NULL;
	if (r == 0) {
		(void)json_need_list(reply, "hits", &g->hits, NULL);
		(void)json_may_int(reply, "count", 0, INT64_MAX, &found, NULL);
		g->near = json_map_get(reply, "near");
		g->facets = json_map_get(reply, "facets");
	}
	g->found = (uint64_t)found;
	compare(g, r < 0 ? &err : NULL);
	good = g->why.n == 0;
	if (r == 0 && (show || !good)) {
		buf_addf(&g->why, "#     count %lld\n", (long long)found);
		describe_hits(g);
	}
	return good;
}

/* ---- the whole ---- */

static const char *env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static int fill(struct golden *g, const char *list, const char *folder, const char *day)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct err err = ERR_INIT;
	int r;

	buf_addf(&path, "%s/%s", env("MUNIMENT_SOURCE", "."), list);
	r = shelf_fill(g->shelf, path.p, folder, day, &err);
	/* What scans say is searched, too, and nobody does that behind a process that does not stay. */
	if (r == 0)
		r = shelf_call(g->shelf, "recognise", STR("{}"), &reply, &err);
	if (r < 0)
		printf("Bail out! %s: %s\n", list, err.text);
	return r;
}

static int fill_own(struct golden *g)
{
	_cleanup_(buf_done) struct buf folder = BUF_INIT;
	int r = fill(g, "scripts/samples/records.txt", env("MUNIMENT_OWN_SAMPLES", "samples"),
		"2026-10-13");

	buf_addf(&folder, "%s/tests/golden/documents", env("MUNIMENT_SOURCE", "."));
	if (r == 0)
		r = fill(g, "tests/golden/documents.txt", folder.p, "2024-06-03");
	return r < 0 ? r
		     : fill(g, "tests/golden/made.txt", env("MUNIMENT_SAMPLES", "samples"),
			       "2025-07-01");
}

/* Where the real documents are; false when there are none. */
static bool find_corpus(struct buf *ret)
{
	struct stat st;

	if (*env("MUNIMENT_CORPUS", ""))
		buf_adds(ret, getenv("MUNIMENT_CORPUS"));
	else
		buf_addf(ret, "%s/../shared/corpus", env("MUNIMENT_SOURCE", "."));
	return stat(ret->p, &st) == 0 && S_ISDIR(st.st_mode);
}

static int run(struct golden *g, bool show)
{
	_cleanup_(buf_done) struct buf corpus = BUF_INIT;
	bool has_corpus = find_corpus(&corpus), in_corpus = false;
	int failed = 0;

	if (fill_own(g) < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < g->count; i++) {
		bool good;

		g->test = &g->tests[i];
		if (g->test->corpus && !has_corpus) {
			printf("ok %zu - %.*s # SKIP no documents in %s\n", i + 1,
				STR_ARG(g->test->query), corpus.p);
			continue;
		}
		if (g->test->corpus && !in_corpus) {
			in_corpus = true;
			if (fill(g, "tests/golden/corpus.txt", corpus.p, "2025-06-01") < 0)
				return EXIT_FAILURE;
		}
		good = run_test(g, show);
		printf("%s %zu - %.*s\n%s", good ? "ok" : "not ok", i + 1, STR_ARG(g->test->query),
			g->why.p);
		failed += !good;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* With a file of queries as argument, that one; what was found is then shown for good tests too. */
int main(int argc, char **argv)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT, text = BUF_INIT;
	struct golden *g = xcalloc(1, sizeof(*g));
	struct err err = ERR_INIT;
	int r;

	secret_init();
	tr_set_language(TR_EN);
	buf_init(&g->why, BUF_DEFAULT_MAX);
	if (argc > 1)
		buf_adds(&path, argv[1]);
	else
		buf_addf(&path, "%s/tests/golden/queries.txt", env("MUNIMENT_SOURCE", "."));
	if (file_read_whole(AT_FDCWD, path.p, &text, &err) < 0 || shelf_new(&g->shelf, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return EXIT_FAILURE;
	}
	parse(g, buf_str(&text));
	printf("1..%zu\n", g->count);
	r = run(g, argc > 1);
	shelf_free(g->shelf);
	buf_done(&g->why);
	free(g);
	return r;
}
