/* outlet.h - bytes out of a verb, into a descriptor that a stranger reads.
 *
 * The reader of a pipe, socket or terminal may stop reading: then we stop waiting when the caller wants no more, or the
 * archive is to be sealed. So a socket is asked each time not to block, and the others are opened anew; their own flags
 * belong to whoever gave them. */
#ifndef MUN_ARCHIVE_OUTLET_H
#define MUN_ARCHIVE_OUTLET_H

#include "core/archive/verb.h"

struct outlet {
	struct verb_call *call;
	int fd, own;
	bool is_socket;
	uint64_t written, total; /* total: for progress, 0 when not known */
};

/* The first descriptor of the call. */
void outlet_open(struct outlet *o, struct verb_call *call, uint64_t total);
void outlet_done(struct outlet *o);
/* All of the piece; an edition_sink. Errors: ERR_CANCELLED (the reader went away, or the caller wants no
 * more), ERR_IO. */
int outlet_write(void *context, struct str piece, struct err *err);

#endif
