/* query_build.h - from one piece of typed text to a node of the tree; between query.c and
 * query_build.c only. */
#ifndef MUN_SEARCH_QUERY_BUILD_H
#define MUN_SEARCH_QUERY_BUILD_H

#include "core/base/arena.h"
#include "search/query.h"
#include "search/token.h"

/* What both halves of the parser share. The first error sticks: `r` is then negative, and
 * everything returns NULL. */
struct query_parse {
	struct str source;
	struct fold fold; /* of the source */
	struct arena *arena;
	struct tokenizer *tokenizer;
	struct units *units; /* query_build.c's, used again for every word */
	size_t nodes;
	unsigned depth;
	bool in_title;	/* words are looked for in the title */
	bool sensitive; /* a sensitive value is asked for */
	int r;
	struct err *err;
};

/* Report at a place of the folded text: the message follows "character N: ". */
struct query_node *query_fail(struct query_parse *q, int code, size_t at, const char *text);

struct query_node *query_node_new(struct query_parse *q, enum query_op op, size_t at);
struct query_node *query_term_new(
	struct query_parse *q, enum term_kind kind, struct str text, size_t at);
/* Append a child; NULL is not appended. */
void query_add_child(struct query_node *node, struct query_node *child);
/* `node`, or its only child, or NULL when it has none. */
struct query_node *query_simplify(struct query_node *node);

/* Folded text [from, to) as a word: see the top of query.h. NULL when nothing in it can be
 * searched. */
struct query_node *query_build_word(struct query_parse *q, size_t from, size_t to);
/* The same with a star behind it. */
struct query_node *query_build_beginning(struct query_parse *q, size_t from, size_t to);
struct query_node *query_build_phrase(struct query_parse *q, size_t from, size_t to);
struct query_node *query_build_number(
	struct query_parse *q, size_t from, size_t to, bool beginning);
/* The whole value of a sensitive field. */
struct query_node *query_build_sensitive(struct query_parse *q, size_t from, size_t to);

/* A date, month, year or range of them. */
struct query_node *query_build_days(struct query_parse *q, size_t from, size_t to);

#endif
