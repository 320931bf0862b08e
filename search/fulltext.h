/* fulltext.h - the full-text index: keyed terms in Xapian, in shards that are written side by side.
 *
 * It is derived: all of it can be deleted and made again from the store. It holds no text: terms
 * are hashed with a key (terms.h), in the order of words as well (fulltext_phrase.hh), and value
 * slots hold what the store's paths show anyway (day, series, department, type).
 *
 * On disk, below one folder: `current` names the generation in use, `generation-N/shard-K` are
 * Xapian databases. Compaction and rebuilding make a new generation and then replace `current`;
 * readers go over by themselves.
 *
 * Writing. One struct fulltext, one calling thread, one process (Xapian's lock sees to that).
 * Documents go through a bounded queue to the shard's own thread; nothing is visible or durable
 * before fulltext_commit, which all shards do together with the caller's watermark. Commit every
 * 300 to 1,000 documents or every second: cost per document rises on either side. After a crash the
 * index is at the watermark it reports, or partly beyond it: feed it again from there, put and
 * remove may be repeated.
 *
 * Reading. Any number of struct fulltext_reader, each used by one thread at a time, in any process.
 */
#ifndef MUN_SEARCH_FULLTEXT_H
#define MUN_SEARCH_FULLTEXT_H

#include "core/base/buf.h"
#include "core/base/secret.h"
#include "core/model/id.h"
#include "search/query.h"

enum {
	FULLTEXT_SHARDS_DEFAULT = 2,
	FULLTEXT_SHARDS_MAX = 16,
	FULLTEXT_WATERMARK_MAX = 256,
	FULLTEXT_TEXT_MAX =
		4 << 20, /* bytes of text of one record that are indexed; the rest is left out */
	FULLTEXT_SCOPES_MAX = 256,
	FULLTEXT_LIMIT_MAX = 1000, /* hits at once */
	FULLTEXT_OFFSET_MAX = 100000
};

/* ---- writing ---- */

enum fulltext_field {
	FULLTEXT_TITLE,	    /* found everywhere and by title: */
	FULLTEXT_NUMBER,    /* the record's number, a certificate, an order: found whole and by
			       beginnings */
	FULLTEXT_BODY,	    /* parts' text, and whatever else is to be found by its words */
	FULLTEXT_SENSITIVE, /* found only whole, and only by who may unmask */
	FULLTEXT_FIELD_COUNT
};

struct fulltext_text {
	enum fulltext_field field;
	struct str text; /* UTF-8; what is not is skipped. One page each: phrases do not go over its
			    end */
};

struct fulltext_document {
	struct id record;
	int64_t day;			     /* of the record's date, as clock.h counts */
	struct str series, department, type; /* codes; a missing one is empty */
	const struct str *scopes; /* who may find it: opaque values that a search names again */
	size_t scope_count;
	const struct fulltext_text *texts;
	size_t text_count;
};

enum fulltext_which {
	FULLTEXT_CURRENT, /* the generation in use; made if there is none */
	FULLTEXT_REBUILD  /* the one being rebuilt beside it; taken up again where it stopped, or
			     begun */
};

struct fulltext_options {
	const struct secret *key; /* TERM_KEY_BYTES; copied */
	unsigned shards;	  /* of a new generation; 0 = FULLTEXT_SHARDS_DEFAULT */
	enum fulltext_which which;
	bool unkeyed; /* terms in clear: to measure and test against, never in an archive */
};

struct fulltext;

/* Errors: ERR_LOCKED (another writer), ERR_CRYPTO (other key), ERR_UNSUPPORTED (made by another
 * version of the tokeniser) and ERR_CORRUPT: for the last two, rebuild. */
int fulltext_open(const char *path, const struct fulltext_options *options, struct fulltext **ret,
	struct err *err);
/* What was not committed is lost. */
void fulltext_free(struct fulltext *ft);
DEFINE_CLEANUP(struct fulltext *, fulltext_free)

/* Add or replace. The document is copied; blocks while the queue is full. A failure in a shard's
 * thread is reported by this or any later call, and all that follow, until the handle is freed. */
int fulltext_put(struct fulltext *ft, const struct fulltext_document *document, struct err *err);
/* Remove; one that is not there is fine. Its terms leave the files at the next fulltext_compact. */
int fulltext_remove(struct fulltext *ft, const struct id *record, struct err *err);
/* Make everything so far visible and durable, together with `watermark` (any bytes, at most
 * FULLTEXT_WATERMARK_MAX): where the caller will go on. */
int fulltext_commit(struct fulltext *ft, struct str watermark, struct err *err);
/* What the last commit that all shards hold was given; appends to `ret`, nothing for a new index.
 */
int fulltext_watermark(struct fulltext *ft, struct buf *ret, struct err *err);
/* Documents and bytes of text put or removed since the last commit: when to commit is the caller's
 * to decide. */
void fulltext_pending(const struct fulltext *ft, uint64_t *ret_documents, uint64_t *ret_bytes);
/* Grows with every commit, compaction and swap in this process: see fulltext_reader_refresh. */
uint64_t fulltext_revision(const struct fulltext *ft);
int fulltext_count(struct fulltext *ft, uint64_t *ret_documents, struct err *err);

/* Commit with the last watermark, copy into a new, small generation without deleted terms, and go
 * over to it. Needs about as much disk again while it runs. */
int fulltext_compact(struct fulltext *ft, struct err *err);
/* The handle was opened with FULLTEXT_REBUILD and is committed: make its generation the one in use,
 * remove the old. No FULLTEXT_CURRENT handle may be open; afterwards this one is. */
int fulltext_swap_in(struct fulltext *ft, struct err *err);
/* Forget a rebuild that was begun. */
int fulltext_drop_rebuild(const char *path, struct err *err);

/* ---- reading ---- */

struct fulltext_reader;

/* Errors: ERR_NOTFOUND when there is no index; the rest as fulltext_open. */
int fulltext_reader_open(const char *path, const struct fulltext_options *options,
	struct fulltext_reader **ret, struct err *err);
void fulltext_reader_free(struct fulltext_reader *r);
DEFINE_CLEANUP(struct fulltext_reader *, fulltext_reader_free)

/* See what was committed since. `revision` is fulltext_revision of the writer: an unchanged one
 * costs nothing; 0 (the writer is in another process) always looks. */
int fulltext_reader_refresh(struct fulltext_reader *r, uint64_t revision, struct err *err);

enum fulltext_order { FULLTEXT_BY_RELEVANCE, FULLTEXT_NEWEST_FIRST, FULLTEXT_OLDEST_FIRST };

/* What a record is filtered and counted by. */
enum fulltext_facet_kind {
	FULLTEXT_FACET_SERIES,
	FULLTEXT_FACET_DEPARTMENT,
	FULLTEXT_FACET_TYPE,
	FULLTEXT_FACET_YEAR,
	FULLTEXT_FACET_COUNT
};

/* Filters of one kind are alternatives; kinds must all be met. */
struct fulltext_filter {
	enum fulltext_facet_kind kind;
	struct str value; /* a year is "2025" */
};

/* Where a page of a list in date order ended. */
struct fulltext_key {
	int64_t day;
	struct id record;
};

struct fulltext_request {
	const struct query *query; /* NULL: everything */
	/* Only records with one of these scopes are matched, counted and shown in facets: none,
	 * none. */
	const struct str *scopes;
	size_t scope_count;
	bool all_scopes; /* the reader may see everything; `scopes` is not looked at */
	bool may_unmask; /* else a query for a sensitive value matches nothing */
	/* By relevance alone: records that have about half of the words or more, for when none has all.
	 * Numbers, phrases and fields may not be missing. */
	bool near;
	const struct fulltext_filter *filters;
	size_t filter_count;
	int64_t day_from, day_to; /* both included; both 0: any day */
	enum fulltext_order
		order; /* equal ranks: newest first, then by record id; never by order of filing */
	size_t offset, limit;		  /* limit 0: counts and facets only */
	const struct fulltext_key *after; /* in date order: go on behind this record; or NULL */
	size_t count_up_to; /* matches to look at for an exact count; the count is exact when it is
			       no larger */
	bool facets;	    /* counts all matches, so the count is exact too */
};

struct fulltext_hit {
	struct fulltext_key key; /* the record and its day */
	double weight;		 /* 0 in date order */
};

struct fulltext_facet {
	enum fulltext_facet_kind kind;
	char *value;
	uint64_t count;
};

struct fulltext_result {
	struct fulltext_hit *hits;
	size_t hit_count;
	uint64_t count; /* of all matches: exact, or a good guess */
	bool count_is_exact;
	struct fulltext_facet *facets; /* by kind, then count downwards, then value */
	size_t facet_count;
};

/* Errors: ERR_LIMIT, ERR_CORRUPT, ERR_IO. */
int fulltext_search(struct fulltext_reader *r, const struct fulltext_request *request,
	struct fulltext_result *ret, struct err *err);
/* Release what a result holds; a zeroed or released one is fine. */
void fulltext_result_done(struct fulltext_result *result);

#endif
