/* writer_private.h - what the files of the writer share: writer.c (frames, the thread, answers),
 * writer_stage.c (records), writer_commit.c (commits, volumes). Whoever is the writer calls, nobody else.
 * */
#ifndef MUN_STORE_WRITER_PRIVATE_H
#define MUN_STORE_WRITER_PRIVATE_H

#include "store/internal.h"

/* ---- writer_stage.c ---- */

struct undo {
	struct map *map;
	struct map_key key;
	void *before;
};

struct undo_log {
	struct undo *rows;
	size_t count, room;
};

/* A file that the action adds to main. */
struct added {
	struct str path;
	struct digest sha256;
	struct oid oid;
};

/* What an action says, for those who follow: gathered while it is staged. */
struct saying {
	struct fact *facts;
	size_t count;
	bool is_known; /* false: to be read back from what was written */
};

/* Take back what was staged since the log had `mark` rows. */
void writer_undo_to(struct undo_log *log, size_t mark);
void writer_undo_done(struct undo_log *log);
/* Forget all that was staged. */
void writer_unstage(struct staged *staged);

/* Text that lives as long as the frame. */
struct str writer_text(struct writer *w, const char *fmt, ...) _printf_(2, 3);
/* A clear file of main, into the frame. */
void writer_add_clear(struct writer *w, struct str path, const struct buf *text, struct added *ret);

/* Stage one record; *ret_skip: its request was answered before. On failure what was staged is the caller's to undo. */
int writer_stage_record(struct store *s, struct undo_log *log, struct change_record *c,
	struct saying *saying, struct added *ret, bool *ret_skip, struct err *err);
/* The tombstone that destroy.c prepared. */
int writer_stage_tombstone(struct store *s, struct undo_log *log, struct change_record *c,
	struct added *ret, struct err *err);

/* ---- writer_commit.c ---- */

int writer_load_tree(void *context, const struct oid *oid, struct buf *ret, struct err *err);
/* Fill in what every commit has, sign, and move the writer on. */
int writer_make_commit(struct store *s, struct commit *c, struct err *err);
/* Returns 0 with the change in the frame; ERR of the change alone, with nothing of it left; or sets
 * *ret_broken when the frame as a whole cannot go on (a tree could not be read). */
int writer_stage_change(struct store *s, struct undo_log *log, struct change *change,
	bool *ret_broken, struct err *err);

int64_t writer_year_of(int64_t instant);
/* The first commit of the next volume; the frame that is being built is that volume's from here on. */
int writer_open_volume(struct store *s, int64_t time, struct err *err);
bool writer_volume_is_over(struct store *s, int64_t time);

#endif
