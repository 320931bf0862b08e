/* lines.h - texts made of lines of words, written and read strictly: slips, lists, tombstones, commits, checkpoints.
 *
 * A reader accepts exactly what a writer writes: one space between words, whole numbers without leading zeros, hex in
 * lower case, an LF after every line, the text for people last in its line. It remembers its first failure and does
 * nothing after it, so that a parser reads line after line and asks once. Private to store/. */
#ifndef MUN_STORE_LINES_H
#define MUN_STORE_LINES_H

#include "core/base/buf.h"
#include "core/model/id.h"

/* Counts stop where SQLite's and Python's whole numbers both still can. */
#define LINES_MAX_COUNT ((uint64_t)INT64_MAX)

struct lines {
	const char *what; /* "slip", translated */
	struct str rest;  /* lines not yet taken */
	struct str words; /* of the line taken last; p is NULL at its end */
	size_t number;	  /* of that line, from 1 */
	int r;		  /* 0, or the first failure */
	int code;	  /* of failures: ERR_CORRUPT unless changed after lines_init */
	struct err *err;
};

void lines_init(
	struct lines *l, const char *what, struct str text, size_t max_bytes, struct err *err);
/* Fail at the line taken last. Returns l->r. */
int lines_fail(struct lines *l);

/* Whether the next line begins so. */
bool lines_next_is(const struct lines *l, const char *keyword);
/* How many lines that begin so come next, counted up to max + 1. */
size_t lines_count(const struct lines *l, const char *keyword, size_t max);
/* Take the next line: all of it, or what follows a keyword ("archive "). */
void lines_exact(struct lines *l, const char *line);
void lines_take(struct lines *l, const char *keyword);
/* That nothing is left of the text. Returns l->r. */
int lines_end(struct lines *l);

/* The next word of the line; the rest of the line; that it has no more. */
struct str line_word(struct lines *l);
struct str line_text(struct lines *l);
void line_end(struct lines *l);
uint64_t line_u64(struct lines *l, uint64_t min, uint64_t max);
void line_hex(struct lines *l, void *ret, size_t n);

/* A whole line that holds one value. */
uint64_t lines_u64(struct lines *l, const char *keyword, uint64_t min, uint64_t max);
void lines_hex(struct lines *l, const char *keyword, void *ret, size_t n);
struct str lines_text(struct lines *l, const char *keyword);

/* Text that may stand in a line: UTF-8 without control characters, neither empty nor with a space at an end. */
bool line_text_is_fit(struct str text);
/* A path below a tree: such text, with names between slashes that git accepts. */
bool line_path_is_fit(struct str path);

/* Writing. Text that a reader would refuse makes the buf fail. */
void line_add_u64(struct buf *b, const char *keyword, uint64_t v);
void line_add_hex(struct buf *b, const char *keyword, const void *p, size_t n);
void line_add_text(struct buf *b, const char *keyword, struct str text);
/* " " and the value, inside a line. */
void word_add_u64(struct buf *b, uint64_t v);
void word_add_hex(struct buf *b, const void *p, size_t n);

#endif
