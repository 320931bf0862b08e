/* recorder.h - the follower that keeps the registry: a row for each record, as far as the store is applied. */
#ifndef MUN_ARCHIVE_RECORDER_H
#define MUN_ARCHIVE_RECORDER_H

#include "core/archive/inside.h"
#include "core/model/manifest.h"

/* Opens (or makes) the registry for writing; one that cannot be read is deleted and made again. */
int recorder_new(struct archive *a, struct recorder **ret, struct err *err);
void recorder_start(struct recorder *r);
/* Stops the thread. */
void recorder_free(struct recorder *r);

void recorder_push(struct recorder *r, const struct store_event *events, size_t count);
/* An action without records was applied, of which nothing is pushed: look how far the history is. */
void recorder_walk_again(struct recorder *rec);

/* What a record that is about to be filed will say (hints.h); and that it was not filed after all. */
void recorder_expect(struct recorder *r, const struct manifest *m, const struct id *key,
	const uint8_t record_key[32]);
void recorder_expect_not(struct recorder *r, const struct id *record);

/* The count of the last action whose rows are there. */
uint64_t recorder_position(struct recorder *r);
/* Until everything that is applied now has its rows, or clock_ticks() passes the deadline. False: not yet. */
bool recorder_wait(struct recorder *r, int64_t deadline, const _Atomic bool *give_up);
/* The same for everything that was answered up to now: flushes the store first. For verbs. */
bool recorder_catch_up(struct archive *a, int64_t timeout_ms);
/* Wait for this action. */
bool recorder_wait_for(struct recorder *r, uint64_t actions, int64_t deadline);

/* Delete every row and make them again from the store; returns when that is done. `tell` as in verb.h. */
int recorder_rebuild(
	struct archive *a, struct verb_call *call, uint64_t *ret_records, struct err *err);

#endif
