/* slip.h - the clear text of the history: slips, lists and tombstones (FORMAT.md, section 7). Pure; any thread.
 *
 * Parsing is strict: what slip_parse accepts, slip_format writes again byte for byte. Strings in parsed
 * structs are views into the text that was parsed. And what would not be accepted is not written: the buf
 * has failed then (buf_check). */
#ifndef MUN_STORE_SLIP_H
#define MUN_STORE_SLIP_H

#include "core/base/buf.h"
#include "core/model/id.h"

/* An envelope as the history names it. */
struct slip_blob {
	uint32_t volume;
	struct digest sha256;
	uint64_t bytes;
	struct oid oid;
};

struct slip_part {
	struct id part;
	uint32_t chunk, chunks;
	struct slip_blob blob;
};

enum {
	SLIP_MAX_BYTES = 16 << 20, /* of any of the three */
	SLIP_MAX_KEYS = 10000,
	SLIP_MAX_PARTS = 100000,
	TOMBSTONE_MAX_ENVELOPES = 130000,
};

struct slip {
	struct id archive, record;
	uint64_t sequence, version;
	uint32_t before_volume; /* 0 in version 1 */
	struct digest before;
	uint64_t serial; /* 0 when the number was given, not drawn */
	struct str scope;
	bool has_request;
	struct id request;
	const struct id *keys;
	size_t key_count;
	struct slip_blob manifest;
	const struct slip_part *parts;
	size_t part_count;
	struct str number;
};

void slip_format(const struct slip *slip, struct buf *ret);
/* `ret` points into `text` and into *ret_memory, which the caller free()s. Errors: ERR_CORRUPT with the line. */
int slip_parse(struct str text, struct slip *ret, void **ret_memory, struct err *err);

struct tombstone {
	struct id archive, record;
	uint64_t sequence, versions, epoch;
	const struct id *keys;
	size_t key_count;
	const struct slip_blob *envelopes;
	size_t envelope_count;
	struct str number;
};

void tombstone_format(const struct tombstone *t, struct buf *ret);
int tombstone_parse(struct str text, struct tombstone *ret, void **ret_memory, struct err *err);

/* A line of a list or a Slip: trailer. */
struct listed {
	struct digest sha256;
	struct str path;
};

/* `files` must be sorted by path. */
void list_format(const struct listed *files, size_t count, struct buf *ret);
int list_parse(struct str text, struct listed **ret, size_t *ret_count, struct err *err);

#endif
