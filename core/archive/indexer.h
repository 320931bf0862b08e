/* indexer.h - the follower that keeps the full-text index: reads texts out of parts in the jail, keeps them
 * sealed in the text cache, and indexes them, as far as the store is applied. */
#ifndef MUN_ARCHIVE_INDEXER_H
#define MUN_ARCHIVE_INDEXER_H

#include "core/archive/inside.h"

/* Opens (or makes) the index for writing; one that cannot be read, or was made by another tokeniser, is made again. */
int indexer_new(struct archive *a, struct indexer **ret, struct err *err);
void indexer_start(struct indexer *x);
/* Stops the threads; what was not committed is indexed again next time. */
void indexer_free(struct indexer *x);

/* Index a record once more, for its text has changed though its version has not; wait until it can be found so. False:
 * it is not known whether it was done. */
bool indexer_again(struct indexer *x, const struct id *record, const _Atomic bool *give_up);

void indexer_push(struct indexer *x, const struct store_event *events, size_t count);
/* An action without records was applied, of which nothing is pushed: look how far the history is. */
void indexer_walk_again(struct indexer *x);

struct indexer_state {
	uint64_t position; /* the count of the last action that can be found */
	uint64_t
		waiting; /* records that are filed and cannot be found yet, as far as they are known */
	uint64_t documents;  /* in the index */
	uint64_t extracting; /* documents whose text is being read */
	uint64_t unreadable; /* records that could not be indexed since the start */
};
void indexer_look(struct indexer *x, struct indexer_state *ret);

/* Until all that is applied now can be found, the deadline passes, or *give_up. With a call, progress is
 * told; its wish to stop ends the wait. */
bool indexer_wait(
	struct indexer *x, int64_t deadline, const _Atomic bool *give_up, struct verb_call *call);
/* The same for all that was answered. */
bool indexer_catch_up(struct archive *a, int64_t timeout_ms, struct verb_call *call);
/* Until no more than `most` records wait: how a bulk import is slowed down. */
int indexer_hold_back(struct indexer *x, uint64_t most, struct verb_call *call, struct err *err);

/* For fulltext_reader_refresh. 0 when there is no writer in this process. */
uint64_t indexer_revision(struct archive *a);

/* Make the whole index again beside the old one, and go over to it. Resumed where it was interrupted.
 * `extract_again`: also the texts. */
int indexer_rebuild(struct archive *a, bool extract_again, struct verb_call *call,
	uint64_t *ret_documents, bool *ret_resumed, struct err *err);
int indexer_compact(struct archive *a, uint64_t *ret_documents, struct err *err);

#endif
