/* row.h - what a row of the registry says to people, and how it is sealed.
 *
 *	offset  bytes
 *	0       16     id of the record's key, in clear
 *	16      24     nonce
 *	40      ...    XChaCha20-Poly1305 of a JSON object under the record key's subkey "muniment registry row 1";
 *	               associated data "muniment registry row 1" | archive id | record id
 *
 * The object:
 * {"account","at","parts":[["<id>","<name>"],...],"part_count","title","commits":["1:<oid>",...]}.
 * `commits` has one entry for each version, volume and commit; `parts` at most ROW_PARTS. Pure functions;
 * any thread. */
#ifndef MUN_ARCHIVE_ROW_H
#define MUN_ARCHIVE_ROW_H

#include "core/base/buf.h"
#include "core/base/json.h"
#include "core/base/secret.h"
#include "core/model/manifest.h"

enum { ROW_PARTS = 64, ROW_COMMITS = 5000, ROW_OVERHEAD = 16 + 24 + 16 };

struct row_commit {
	uint32_t volume;
	struct oid commit;
};

/* Write the object for a manifest. `before` are the commits of earlier versions (row_commits), `commit`
 * this version's. */
void row_say(const struct manifest *m, const struct row_commit *before, size_t before_count,
	const struct row_commit *commit, struct buf *ret);
/* In two steps: what the manifest gives, and what is known once it is written. */
void row_say_head(const struct manifest *m, struct buf *ret);
void row_say_tail(const struct row_commit *before, size_t before_count,
	const struct row_commit *commit, struct buf *ret);

void row_seal(const struct id *archive, const struct id *record, const struct id *key,
	const uint8_t record_key[32], struct str text, struct buf *ret);
/* Whose key a sealed row needs. Errors: ERR_CORRUPT. */
int row_key(struct str sealed, struct id *ret, struct err *err);
/* Errors: ERR_CORRUPT, ERR_CRYPTO. */
int row_open(const struct id *archive, const struct id *record, const uint8_t record_key[32],
	struct str sealed, struct buf *ret, struct err *err);

/* A row's object, read back; views into doc. */
struct row_text {
	struct str title, account;
	struct str at; /* instant */
	uint64_t part_count;
	const struct json *parts, *commits;
};
int row_read(struct str text, struct json **ret_doc, struct row_text *ret, struct err *err);
/* Part i of those that are listed. */
int row_part(const struct row_text *t, size_t i, struct id *ret_id, struct str *ret_name,
	struct err *err);
/* The commit that made a version (from 1). Errors: ERR_NOTFOUND. */
int row_commit_of(
	const struct row_text *t, uint64_t version, struct row_commit *ret, struct err *err);

/* Look-ups by equality (registry.h): what a kind means is never reused. */
enum { LOOKUP_ACCOUNT = 1 /* an account's name, folded */ };
void lookup_hash(
	const struct secret *registry_key, uint32_t kind, struct str text, uint8_t ret[16]);

/* "pdf", "docx" ... of a media type; "other"; "form" for a record without parts. */
const char *row_type(const struct manifest *m);

#endif
