/* token.h - text into terms: the same code for documents, queries and snippets.
 *
 * Chinese (Japanese, Korean alike) has no spaces, so it gives its bigrams, each with the position of its first
 * character. 召回计划 at 7 gives 召回@7 回计@8 计划@9. A line that is broken, or a single space, inside a run does not
 * break it (PDF and OCR put them everywhere). Single characters are left out but for the last of each run: a query for
 * one character asks for that, and for all bigrams that begin with it (fulltext_read.cc). That is a seventh of all
 * work, and single characters are what is easiest to guess in a keyed index. The last character before a word or
 * number, and the first one behind it, also have their position, so that "第5章" finds 见第5章节.
 *
 * Words are letters and digits, with ' and & inside words and . inside numbers. Each has a
 * position; an English one (ASCII letters) also gives its stem, without position. Case is gone.
 *
 * Codes are words joined by - _ / . with a digit somewhere (SOP-012, QMS-QC-CX-2025-V1.0), or
 * single ones with a digit that are long enough (20203140123): besides the words there is one term
 * for the whole, one for the whole without what joins it when it has letters (SOP012), and one for
 * each of its beginnings (TOKEN_EDGES), none of which has a position.
 *
 * Dates (2025-05-20, 2025/5/20, 20250520, 2025 年 5 月 20 日) give one more term without position.
 *
 * Numbers of official letters, whatever their brackets and spaces (〔2023〕201 号, [2023]201号,
 * （2023） 第201号), are one word 〔2023〕201 with a position, besides 2023 and 201 without. So an
 * issuer before it and the number are neighbours, and so are 国械注准 and 20203140123. The 号 behind
 * belongs to it; 号 is found as a character all the same.
 *
 * Sensitive numbers (sensitive.h) give one term for the whole value, and nothing else. They take a
 * position. */
#ifndef MUN_SEARCH_TOKEN_H
#define MUN_SEARCH_TOKEN_H

#include "search/fold.h"
#include "search/terms.h"

enum {
	TOKEN_WORD_MAX = 64,   /* bytes of a word, a code; longer ones give no term */
	TOKEN_CODE_PARTS = 16, /* words in a code */
	TOKEN_EDGE_MIN = 3,    /* bytes of the shortest beginning of a code */
	TOKEN_BLOCK = 32 << 10 /* bytes of text folded at once */
};

enum token_shape {
	TOKEN_SHAPE_WORD,   /* letters, perhaps digits */
	TOKEN_SHAPE_HAN,    /* a bigram */
	TOKEN_SHAPE_CHAR,   /* a single character of a run */
	TOKEN_SHAPE_LETTER, /* 〔2023〕201 */
	TOKEN_SHAPE_OTHER   /* no position: stems, codes, beginnings ... */
};

struct token {
	enum term_kind kind; /* WORD, STEM, CODE, CODE_EDGE, DATE, SENSITIVE */
	enum token_shape shape;
	struct str text;     /* folded; valid during the call */
	uint32_t position;   /* 0: none */
	uint32_t start, end; /* bytes of the source that it came from */
	bool extra;	     /* only there for TOKEN_ALL */
};

typedef void token_sink(void *context, const struct token *token);

enum {
	TOKEN_EDGES = 1 << 0, /* beginnings of codes */
	TOKEN_ALL =
		1 << 1 /* what bodies leave out: stems that are the word, characters inside runs */
};

/* Holds memory for folding and stemming; one thread at a time. */
struct tokenizer;

/* NULL when memory is out. */
struct tokenizer *tokenizer_new(void);
void tokenizer_free(struct tokenizer *t);
DEFINE_CLEANUP(struct tokenizer *, tokenizer_free)

/* All terms of a text into `sink`, in order of their ends. *position is the last position used
 * before, and after. Errors: ERR_LIMIT (no memory). */
int tokenizer_run(struct tokenizer *t, struct str text, unsigned flags, uint32_t *position,
	token_sink *sink, void *context, struct err *err);
/* The same for text that is folded already. */
void tokenizer_run_folded(struct tokenizer *t, const struct fold *folded, size_t from, size_t to,
	unsigned flags, uint32_t *position, token_sink *sink, void *context);

/* ---- what the query grammar must know as well ---- */

bool token_is_han(uint32_t c);
/* The bytes of a letter's number whose opening bracket stands at p of a folded text, with the 号
 * behind it, or 0; and the one form of it, "〔2023〕201" (at most 32 bytes with NUL). */
size_t token_letter_match(const char *p, const char *end, char ret_canonical[32]);
/* A code in place without - _ / . in it: its length, or 0 when it is of digits alone. */
size_t token_squeeze(char *code, size_t n);
/* The bytes of a date that begins at p of a folded text, or 0, and its one form, "20250520". The
 * caller sees to it that no letter or digit stands before p. */
size_t token_date_match(const char *p, const char *end, char ret_date[9]);

/* The one form of a number that a record carries: folded, without spaces, _ as -, letter's brackets
 * as 〔〕. Appends to ret; more than TERM_TEXT_MAX bytes are cut. `folded` is folded text. */
void number_canonical(struct str folded, struct buf *ret);
/* The same of a sensitive field's value: a phone or identity number becomes its digits. */
void number_canonical_sensitive(struct str folded, struct buf *ret);
/* Length of the next longer beginning of a canonical number or code: call with 0 first; 0 ends. The
 * whole counts as the last one. */
size_t number_next_edge(struct str canonical, size_t n);

#endif
