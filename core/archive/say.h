/* say.h - JSON built from front to back in a buf: requests and replies.
 *
 * A comma is set where one is needed, so that members and items can be added in any order of calls. A text
 * that is not UTF-8 fails the buf (buf_check). */
#ifndef MUN_ARCHIVE_SAY_H
#define MUN_ARCHIVE_SAY_H

#include "core/base/json.h"
#include "core/model/id.h"

/* Members of the map that is open. */
void say_text(struct buf *b, const char *name, struct str text);
void say_cstr(struct buf *b, const char *name, const char *text); /* NULL: nothing is added */
void say_int(struct buf *b, const char *name, int64_t v);
void say_bool(struct buf *b, const char *name, bool v);
void say_null(struct buf *b, const char *name);
void say_hex(struct buf *b, const char *name, const void *p, size_t n);
void say_id(struct buf *b, const char *name, const struct id *id);
void say_oid(struct buf *b, const char *name, const struct oid *oid);
void say_instant(struct buf *b, const char *name, int64_t instant); /* "2026-11-21T09:02:11Z" */
void say_day(struct buf *b, const char *name, int64_t day);	    /* "2026-11-21" */
/* Text that is JSON already. */
void say_json(struct buf *b, const char *name, struct str json);

/* Open a map or list: as a member (name), or as an item of the open list or the whole document (NULL). */
void say_map(struct buf *b, const char *name);
void say_list(struct buf *b, const char *name);
void say_end_map(struct buf *b);
void say_end_list(struct buf *b);
/* An item of the open list. */
void say_item(struct buf *b, struct str text);
void say_item_int(struct buf *b, int64_t v);

#endif
