/* scans.h - recognising the characters of scans, behind everything else.
 *
 * A page takes seconds, so scans are not read while their record is indexed: the indexer puts them into a queue (in
 * the text cache, so that it survives), and one thread of the lowest priority takes them out, a few pages at a time.
 * What was read is kept after each step; a restart goes on with the next page. When a scan is done its record is
 * indexed once more, and only then does it leave the queue. */
#ifndef MUN_ARCHIVE_SCANS_H
#define MUN_ARCHIVE_SCANS_H

#include "core/archive/inside.h"
#include "search/extract.h"

struct scans *scans_new(struct archive *a);
/* The thread: only in a process that stays. */
void scans_start(struct scans *s);
/* The thread ends after the pages that it is at; what waits stays in the queue. Before the indexer is freed, while
 * scans_push may still be called. */
void scans_stop(struct scans *s);
void scans_free(struct scans *s);

/* A part whose text was just read (or found in the cache): into the queue, when it is a picture that nobody tried to
 * recognise. `s` may be NULL. */
void scans_push(struct scans *s, const struct id *record, const struct id *part,
	const struct extracted *text);

/* All that waits, now, whatever the setting says: for processes that do not stay. Tells how far it is. Errors:
 * ERR_UNSUPPORTED (a program or the jail is missing), ERR_CANCELLED. */
int scans_run(struct scans *s, struct verb_call *call, uint64_t *ret_parts, struct err *err);

struct scans_state {
	bool on;	  /* the setting extract.ocr */
	bool missing;	  /* a program is not installed, so nothing is recognised */
	uint64_t waiting; /* parts, with the one at hand */
	uint64_t pages;	  /* recognised since the start */
	/* The one at hand; total 0: none. */
	uint32_t page, total;
};
void scans_look(struct scans *s, struct scans_state *ret);

#endif
