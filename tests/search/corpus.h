/* corpus.h - made-up records for tests and benches of the index: the same seed gives the same text, for ever.
 *
 * Every other record is Chinese, the rest English, about 1.3 KB each. Words come from large made-up vocabularies with
 * Zipf's frequencies, so that the number of different terms grows as in real text; among them stand sentences of the
 * field, codes and numbers. */
#ifndef MUN_TESTS_SEARCH_CORPUS_H
#define MUN_TESTS_SEARCH_CORPUS_H

#include "core/base/buf.h"
#include "core/model/id.h"

struct corpus_record {
	struct id record;
	int64_t day;
	struct str series, department, type, scope;
	struct buf title, number, body;
};

/* The n-th record of a seed. The bufs are made; corpus_record_done releases them. */
void corpus_record(uint64_t seed, unsigned n, struct corpus_record *ret);
void corpus_record_done(struct corpus_record *r);

enum corpus_query {
	CORPUS_WORD,	       /* one English word */
	CORPUS_TWO_WORDS,      /* both of two */
	CORPUS_EITHER_WORD,    /* one or the other */
	CORPUS_PHRASE,	       /* three words side by side */
	CORPUS_CHINESE,	       /* four characters */
	CORPUS_CHINESE_PHRASE, /* in quotation marks */
	CORPUS_CHARACTER,      /* one character */
	CORPUS_WITHOUT,	       /* a word without another */
	CORPUS_TITLE_AND_DATE,
	CORPUS_NUMBER, /* the beginning of a number */
	CORPUS_QUERY_KINDS
};

/* A query of a kind, of words that stand in one of the first `count` records; appended to ret. */
void corpus_query(
	uint64_t seed, unsigned count, enum corpus_query kind, unsigned n, struct buf *ret);

#endif
