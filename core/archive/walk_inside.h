/* walk_inside.h - what walk.c (folders) and walk_packed.c (archives) share. */
#ifndef MUN_ARCHIVE_WALK_INSIDE_H
#define MUN_ARCHIVE_WALK_INSIDE_H

#include "core/archive/walk.h"

struct walk {
	struct walk_limits limits;
	walk_each *each;
	void *context;
	uint64_t done; /* bytes of the files that are behind us */
};

/* Tell of an item that was refused or left out. */
int walk_refuse(struct walk *w, struct str path, const char *why, struct err *err);
int walk_leave_out(struct walk *w, struct str path, struct err *err);
/* Tell of a document: its last component becomes the name, or the reason why it is refused. Closes the
 * descriptor if nobody keeps it. */
int walk_tell(struct walk *w, struct str path, struct str raw_name, int fd, uint64_t bytes,
	int64_t modified, bool is_in_memory, uint64_t done, struct err *err);
/* What systems leave behind. */
bool walk_is_litter(struct str path);

/* The members of an open archive file of so many bytes. Takes no ownership. */
int walk_packed(struct walk *w, struct str path, int fd, uint64_t bytes, struct err *err);

#endif
