/* textcache.h - extracted text, kept sealed: search/text.db.
 *
 * Extraction is slow, and text (snippets, pages, rebuilding the index) is wanted often; so it is
 * kept, outside git and outside what `reindex` deletes (`reindex --text` extracts again). Each row
 * is sealed under a key of its own that the caller derives from the record's key, so that
 * destroying the record's key also kills every remnant of the row; textcache_forget() takes away
 * the row itself.
 *
 * The file is SQLite (WAL, secure_delete, synchronous NORMAL: it may be lost at any time):
 *
 *     text(record BLOB, part BLOB, sealed BLOB, PRIMARY KEY (record, part)) WITHOUT ROWID
 *     record, part    16 bytes each
 *     sealed          version (1 byte, 1) | nonce (24) | XChaCha20-Poly1305 of the text (n + 16)
 *     associated data "muniment text 1" | archive id (16) | record (16) | part (16)
 *
 *     scan(record BLOB, part BLOB, PRIMARY KEY (record, part)) WITHOUT ROWID
 *
 * names the parts that are pictures and wait for their characters to be recognised, which takes long: so that the
 * queue is there after a restart. In clear, like the ids above: that a part is a scan is no more than its size tells.
 *
 * The text, before sealing; integers big-endian, strings are u32 length and UTF-8:
 *
 *     u8 reason (enum extract_reason) | u8 flags (1 name_differs, 2 is_cut, 4 scan) | string media type
 *     string title | string author | string date | with flag 4: u32 scanned, u32 total | u32 pages
 *     pages times: u32 number | u32 attachment | with flag 4: u8 sure | string label | string text
 *
 * Threads: a struct textcache may be used by many at once; a lock inside orders them. */
#ifndef MUN_SEARCH_TEXTCACHE_H
#define MUN_SEARCH_TEXTCACHE_H

#include "core/base/secret.h"
#include "search/extract.h"

enum { TEXTCACHE_ID_BYTES = 16 };

struct textcache;

/* Opens or makes `path` (a file name); archive_id goes into every seal. A file that is not a text
 * cache, or of a newer version, is ERR_CORRUPT or ERR_UNSUPPORTED: the caller may delete it and
 * extract again. */
int textcache_open(const char *path, const uint8_t archive_id[TEXTCACHE_ID_BYTES],
	struct textcache **ret, struct err *err);
void textcache_close(struct textcache *t);
DEFINE_CLEANUP(struct textcache *, textcache_close)

/* Keep (or replace) the text of a part. key has 32 bytes. */
int textcache_put(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], const struct secret *key,
	const struct extracted *text, struct err *err);

/* ERR_NOTFOUND; ERR_CORRUPT when the row does not open with this key for this record and part. */
int textcache_get(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], const struct secret *key, struct extracted **ret,
	struct err *err);

/* True when the part has a row; says nothing about whether it opens. Negative on failure. */
int textcache_has(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], struct err *err);

/* Take away all rows of a record, overwrite them, and empty the WAL, so that their bytes are in no
 * file of the cache any more when this returns 0. Nothing there is fine. ERR_LOCKED when another
 * process keeps the WAL from being emptied: call again. */
int textcache_forget(
	struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES], struct err *err);

/* Every row in order of record and part; stops when `row` does not return 0, and returns that.
 * `row` may call put, get and forget. */
int textcache_each(struct textcache *t,
	int (*row)(void *context, const uint8_t record[TEXTCACHE_ID_BYTES],
		const uint8_t part[TEXTCACHE_ID_BYTES], uint64_t sealed_bytes, struct err *err),
	void *context, struct err *err);

/* The queue of scans. Adding one that is in it, and taking out one that is not, are fine. */
int textcache_scan_add(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], struct err *err);
int textcache_scan_done(struct textcache *t, const uint8_t record[TEXTCACHE_ID_BYTES],
	const uint8_t part[TEXTCACHE_ID_BYTES], struct err *err);
/* The one behind this one in order of record and part (zeros: the first). ERR_NOTFOUND, without a sentence, when
 * there is none. */
int textcache_scan_next(struct textcache *t, uint8_t record[TEXTCACHE_ID_BYTES],
	uint8_t part[TEXTCACHE_ID_BYTES], struct err *err);
int textcache_scan_count(struct textcache *t, uint64_t *ret, struct err *err);

/* The bytes that are sealed, for tests and fuzzing: textcache_parse() takes anything. */
void textcache_serialise(const struct extracted *text, struct buf *ret);
int textcache_parse(struct str bytes, struct extracted **ret, struct err *err);

#endif
