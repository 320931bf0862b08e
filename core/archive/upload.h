/* upload.h - parts that come in pieces, over minutes and through broken connections.
 *
 * A part that a browser sends belongs to no record yet. What has arrived is sealed at once, chunk by chunk, under a
 * key of the upload's own, into ARCHIVE/uploads/ID; `file` and `revise` then take it as they take a file, and
 * seal it anew under the record's key. So no plaintext is on disk at any time, whatever is cut off where.
 *
 * Invariants:
 * 1. The file holds whole chunks of 4 MiB, each an envelope (store/FORMAT.md, section 5) bound to the upload, its place
 *    and the number of all; only the last is smaller. How far an upload is follows from the file alone:
 *    a chunk that does not open, and all behind it, did not arrive.
 * 2. The key and what the upload is stand in a sealed row of state.db, which is written when it begins and when it is
 *    finished, not for each chunk. Without its row the file is noise; at the start such files are removed.
 * 3. Only the account that began it sees it. It ends by itself UPLOAD_HOURS after it began.
 * 4. A finished one has all its bytes, and their SHA-256 is known; only such a one becomes a part.
 *
 * Within a verb: the gate is held. Any thread; one append at a time to one upload (ERR_LOCKED). */
#ifndef MUN_ARCHIVE_UPLOAD_H
#define MUN_ARCHIVE_UPLOAD_H

#include "core/archive/inside.h"
#include "core/archive/parts.h"
#include "store/envelope.h"

#define ARCHIVE_UPLOADS "uploads"

enum {
	UPLOAD_CHUNK = ENVELOPE_CHUNK_MAX,
	UPLOAD_HOURS = 48,
	UPLOAD_NAME_MAX = 1024, /* bytes */
	UPLOAD_MEDIA_MAX = 200,
	UPLOADS_OF_ACCOUNT = 500,
};

struct uploads;

struct uploads *uploads_new(void);
/* Files without a row, and rows that have ended, are removed: at unsealing, and about every hour when an
 * upload begins. */
void uploads_sweep(struct archive *a);
void uploads_free(struct uploads *u);

struct upload_facts {
	struct id id;
	struct buf name, media;
	uint64_t bytes, offset; /* offset: how many have arrived */
	int64_t ends;
	bool is_finished;
	struct digest sha256; /* when it is finished */
};
void upload_facts_done(struct upload_facts *f);

/* `media` may be empty. Errors: ERR_LIMIT (too large, too many), ERR_INVALID (name), ERR_FULL. */
int upload_begin(struct archive *a, const char *account, struct str name, struct str media,
	uint64_t bytes, struct upload_facts *ret, struct err *err);

/* What is known of it. After a restart all that arrived is read once to find out. Errors: ERR_NOTFOUND. */
int upload_look(struct archive *a, struct verb_call *call, const struct id *id,
	struct upload_facts *ret, struct err *err);

/* Bytes from a descriptor up to its end, from `offset` on, which must be how far it is: ERR_CONFLICT with *ret set
 * otherwise. Only whole chunks stay when they end early: *ret says how far it is then. More than
 * was announced: ERR_LIMIT. */
int upload_append(struct archive *a, struct verb_call *call, const struct id *id, uint64_t offset,
	int fd, struct upload_facts *ret, struct err *err);

/* All is there, and `sha256` (NULL: not said) is its hash. Another hash empties it: ERR_CORRUPT. Bytes that
 * are missing: ERR_CONFLICT. May be called again. */
int upload_finish(struct archive *a, struct verb_call *call, const struct id *id,
	const struct digest *sha256, struct upload_facts *ret, struct err *err);

/* Errors: ERR_NOTFOUND; ERR_LOCKED while something is appended. */
int upload_drop(struct archive *a, const char *account, const struct id *id, struct err *err);

/* A finished one as a source of plaintext; it cannot be dropped until source_done. */
int upload_source(struct archive *a, const char *account, const struct id *id, struct source *ret,
	struct upload_facts *ret_facts, struct err *err);

/* The value of its row in state.db, for tests and fuzzing:
 *     version, 1 (u8) | flags (1: finished) (u8) | key (32) | bytes (u64) | ends (u64) | SHA-256 (32, zeros until
 *     finished) | name (u16 and UTF-8) | media (u16 and UTF-8) */
struct upload_row {
	uint8_t key[32];
	uint64_t bytes;
	int64_t ends;
	bool is_finished;
	struct digest sha256;
	struct str name, media; /* views */
};
void upload_row_add(const struct upload_row *row, struct buf *ret);
/* Errors: ERR_CORRUPT. */
int upload_row_parse(struct str value, struct upload_row *ret, struct err *err);

#endif
