/* query.h - what people type into a search box, as a small tree.
 *
 *   query    := any ( OR any )*                OR, or 或 standing alone
 *   any      := unit ( [AND] unit )*           side by side means all of them; AND, or 且
 *   unit     := ( "-" | NOT | 非 ) unit        without
 *             | "(" query ")"                  （ ） too
 *             | name ":" value                 ： too
 *             | text
 *   text     := word | "a phrase" | beginning*
 *
 * Widths, case and compatibility forms are folded first (fold.h), so full-width operators are
 * operators. Quotation marks are "..." “...” 「...」 『...』. OR, AND, NOT are operators only in
 * capitals. Chinese without quotation marks means all its bigrams; in quotation marks, exactly so.
 * Words are found in all their English forms unless quoted. 201-号 style numbers (SOP-012,
 * 安市监函〔2023〕201 号, 国械注准20203140123) are found whole, whatever brackets, dashes, widths
 * and spaces they are typed with, and by their beginning: QMS-QC-CX*.
 *
 * Fields: title 标题, number 编号, series 门类, department 部门, type 类型, year 年 年份, date
 * 日期, sensitive 敏感 (the whole value of a sensitive field). A date is 2025, 2025-05, 2025-05-20 or a
 * range a..b with either side open. An unknown name is not a field: 备注:x is 备注 and x.
 *
 * Every string of bytes is either a query or an error with the position of the character where it
 * went wrong. */
#ifndef MUN_SEARCH_QUERY_H
#define MUN_SEARCH_QUERY_H

#include "core/base/buf.h"
#include "search/terms.h"

/* Bytes of text; brackets within brackets; nodes made while parsing: four for a word, one for
 * each Chinese character of it, seven for a code. */
enum { QUERY_BYTES_MAX = 4096, QUERY_DEPTH_MAX = 32, QUERY_NODES_MAX = 1024 };

enum query_op {
	QUERY_ALL,	 /* everything: the blank query */
	QUERY_TERM,	 /* `kind`, `text` */
	QUERY_CHARACTER, /* a single Chinese character wherever it stands: `text`; `kind` WORD */
	QUERY_PHRASE,	 /* children are terms with `position`, ascending */
	QUERY_AND,
	QUERY_OR,
	QUERY_SAME, /* children are terms that count as one, in weight too: a stem and the word that is its own stem */
	QUERY_EITHER, /* ways of writing one thing: an OR in which only the best one counts */
	QUERY_NOT,    /* the first child, without what matches one of the others */
	QUERY_DAYS /* records dated day_from to day_to, both included; INT64_MIN/MAX where open */
};

struct query_node {
	enum query_op op;
	struct query_node *child, *next; /* first child, next sibling */
	/* QUERY_TERM */
	enum term_kind kind;
	struct str text;
	uint32_t position;
	/* QUERY_DAYS */
	int64_t day_from, day_to;
};

/* A parsed query: read-only, may be used by many threads. */
struct query;

/* Errors: ERR_INVALID and ERR_LIMIT, both naming the character (from 1) in the text as it was
 * typed. */
int query_parse(struct str text, struct query **ret, struct err *err);
void query_free(struct query *q);
DEFINE_CLEANUP(struct query *, query_free)

const struct query_node *query_root(const struct query *q);
/* True when the query asks for a sensitive value (a phone or identity number): searching for it is
 * an unmasking. */
bool query_is_sensitive(const struct query *q);
/* The tree as text, for tests and for explaining: "(AND W:sop W:012)". Appends to `ret`. */
void query_describe(const struct query *q, struct buf *ret);

#endif
