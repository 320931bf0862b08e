/* news.h - what happens, as it happens, for those who look on: a small ring of events, overwritten from behind.
 *
 * Nobody's answer rests on it: who misses an event asks again. Events tell nothing that not everybody who is
 * logged in may know. Any thread. */
#ifndef MUN_ARCHIVE_NEWS_H
#define MUN_ARCHIVE_NEWS_H

#include "core/base/buf.h"

struct archive;

enum { NEWS_RING = 256, NEWS_MAX_BYTES = 16 << 10 /* of one event */ };

struct news;

struct news *news_new(void);
void news_free(struct news *n);

/* `name`: a stable word, "job", "record", "status"; `members`: of a JSON object, without its braces. */
void news_tell(struct news *n, const char *name, struct str members);

/* The number of the newest event, 0 before the first. */
uint64_t news_last(struct news *n);
/* The event behind number *at, which moves there: its JSON object is appended to `ret`, its word is returned. NULL when
 * there is none yet. Where events were overwritten it goes on with the oldest that is there. */
const char *news_next(struct news *n, uint64_t *at, struct buf *ret);

/* Have `wake` called after each event, until it is taken away again: quickly, and without calling back here. At most
 * NEWS_WATCHERS: false when there are so many. */
enum { NEWS_WATCHERS = 4096 };
bool news_watch(struct news *n, void (*wake)(void *context), void *context);
/* When it returns, `wake` is not called any more. */
void news_unwatch(struct news *n, void *context);

/* Of an open archive; for the web layer. */
struct news *archive_news(struct archive *a);

#endif
