/* manifest.h - what one version of one record is: its number, fields, parts, and the action that
 * made it.
 *
 * Canonical JSON (json.h), format 1. Members, all required but those marked *:
 *
 *   {"action":{"account":"u-00017","at":"2025-05-20T02:00:00Z","id":"<id>","reason":"..."*,"verb":"file"},
 *    "archive":"<id>","date":"2025-05-20","definition":"<SHA-256 hex of the series definition's
 * text>", "department":"运营部","drawn":true,"fields":{"<name>":<value>,...},"format":1,
 *    "links":[{"record":"<id>","rel":"attachment"},...]*,"number":"资质审核记录-20250520-001",
 *    "parts":[{"chunks":1,"id":"<id>","media":"application/pdf","name":"x.pdf","note":"..."*,
 *              "sha256":"<hex>","size":12345},...],
 *    "record":"<id>","series":"QR-QC-001","title":"...","version":1}
 *
 * `drawn` tells whether the number was drawn (then its serial has no gap before it) or brought. A
 * value is a text, a whole number, a list of texts, or a list of maps from column to text or whole
 * number; empty values are left out. `sha256` and `size` are of a part's plaintext, `chunks` is
 * ceil(size / 4 MiB), at least 1 (store/FORMAT.md 5).
 *
 * The parser takes exactly the canonical bytes and nothing else: an unknown member, an empty
 * optional one, another order or spelling is refused. So a manifest has one form, and one hash. A
 * later format has another number. */
#ifndef MUN_MODEL_MANIFEST_H
#define MUN_MODEL_MANIFEST_H

#include "core/model/id.h"
#include "core/model/value.h"

struct arena;

enum {
	MANIFEST_FORMAT = 1,
	MANIFEST_MAX_BYTES = 1 << 20,
	MANIFEST_MAX_PARTS = 4096, /* of the smallest size they fill a manifest about */
	MANIFEST_MAX_FIELDS = 256,
	MANIFEST_MAX_LINKS = 1024,
	MANIFEST_MAX_TEXT = 64 << 10, /* bytes of one field's text */
	MANIFEST_MAX_TITLE = 1000,    /* bytes */
	MANIFEST_MAX_REASON = 4000,
	MANIFEST_MAX_NAME = 255, /* of a part; media type and note below */
	MANIFEST_MAX_MEDIA = 127,
	MANIFEST_MAX_NOTE = 1000,
	MANIFEST_CHUNK_BYTES = 4 << 20
};

struct manifest_part {
	struct id id;
	struct str name, media, note; /* note may be empty */
	uint64_t bytes;
	struct digest sha256;
};

struct manifest_link {
	struct str rel; /* a-z, 0-9, _ */
	struct id record;
};

struct manifest_action {
	struct id id;
	struct str verb;    /* a-z, 0-9, _: "file", "revise" ... */
	struct str account; /* "u-00017", "system" */
	int64_t at;	    /* instant */
	struct str reason;  /* may be empty */
};

/* Views only: a manifest to be written points at the caller's memory, one that was parsed at its
 * own. */
struct manifest {
	struct id archive, record;
	uint64_t version; /* from 1 */
	struct str number;
	bool drawn;
	struct str series; /* code */
	struct digest definition;
	struct str department;
	int64_t day; /* the record's date */
	struct str title;
	const struct field *fields; /* in any order; the parser gives them sorted by name */
	size_t field_count;
	const struct manifest_part *parts;
	size_t part_count;
	const struct manifest_link *links;
	size_t link_count;
	struct manifest_action action;
};

/* How many chunks a part of so many bytes has. */
static inline uint64_t manifest_chunks(uint64_t bytes)
{
	return bytes == 0 ? 1 : (bytes - 1) / MANIFEST_CHUNK_BYTES + 1;
}

/* Append the canonical bytes. On failure b holds rubbish behind its old end. Checks everything that
 * the parser checks. Errors: ERR_INVALID (a text that is not UTF-8, a name twice ...), ERR_LIMIT.
 */
int manifest_write(const struct manifest *m, struct buf *b, struct err *err);

/* The same in two steps, for a writer that draws number and version last, on a thread where time is dear:
 * everything else is checked and written before, and completing copies. The number of `m` is not looked at, nor
 * its version. manifest_complete gives what manifest_write would; the pieces may be completed again. */
struct manifest_pieces {
	struct buf before, behind;
};

int manifest_prepare(const struct manifest *m, struct manifest_pieces *ret, struct err *err);
int manifest_complete(const struct manifest_pieces *pieces, struct str number, uint64_t version,
	struct buf *b, struct err *err);
void manifest_pieces_done(struct manifest_pieces *pieces);

/* The manifest lies in the arena, views and all; `bytes` may go. Errors: ERR_INVALID, ERR_LIMIT,
 * ERR_UNSUPPORTED (a format that is newer). */
int manifest_parse(
	struct str bytes, struct arena *arena, const struct manifest **ret, struct err *err);

/* NULL when the manifest has none of that name. */
const struct field *manifest_field(const struct manifest *m, const char *name);
const struct manifest_part *manifest_find_part(const struct manifest *m, const struct id *id);

/* ---- the difference of two versions, for people ---- */

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED };

struct manifest_change {
	enum change_kind kind;
	/* "title", "department", "date", "number", "series", "definition", "field", "part", "link"
	 */
	const char *member;
	struct str name; /* of the field or part; the rel of a link */
	/* Of a field, or the text of another member; NULL when not there. */
	const struct value *before, *after;
	/* Of a part; both when its bytes, name or note changed, or another of that name took its
	 * place. */
	const struct manifest_part *part_before, *part_after;
	const struct manifest_link *link;
};

/* In the order: members, fields, parts, links. The list lies in the arena and points into both
 * manifests. */
void manifest_diff(const struct manifest *before, const struct manifest *after, struct arena *arena,
	const struct manifest_change **ret, size_t *ret_count);

#endif
