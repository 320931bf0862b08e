/* changes.h - what one version of a record has that another has not, for people. */
#ifndef MUN_ARCHIVE_CHANGES_H
#define MUN_ARCHIVE_CHANGES_H

#include "core/archive/reading.h"

enum changes_which {
	CHANGES_MEMBERS = 1 << 0, /* title, date, fields, links */
	CHANGES_PARTS = 1 << 1,
	CHANGES_ALL = CHANGES_MEMBERS | CHANGES_PARTS
};

/* The items of a list: {kind, member, name?, label?, before?, after?}. Sensitive values are masked. */
void changes_say(struct archive *a, const struct edition *before, const struct edition *after,
	unsigned which, struct buf *b);

/* The items of a list, one for each part whose bytes differ: {part, exact, reason?, hunks [{op, lines,
 * count?}]}. Text is taken from the cache, or read now. */
int changes_say_texts(struct archive *a, const struct edition *before, const struct edition *after,
	struct buf *b, struct err *err);

#endif
