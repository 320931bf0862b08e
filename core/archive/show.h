/* show.h - what replies say about a version of a record. */
#ifndef MUN_ARCHIVE_SHOW_H
#define MUN_ARCHIVE_SHOW_H

#include "core/archive/reading.h"

/* The members of `show` that one version has (doc/verbs.md): record, number, version ... parts, links. */
int show_edition(struct archive *a, const struct record_head *head, const struct edition *e,
	struct buf *b, struct err *err);
/* An object under a name. */
int show_edition_as(struct archive *a, const char *name, const struct record_head *head,
	const struct edition *e, struct buf *b, struct err *err);

/* The object "text": what is known of a part's text. */
struct extracted;
void show_text(struct archive *a, const struct extracted *text, struct buf *b);

/* account, and name when it is known. */
void show_account(struct archive *a, struct str account, struct buf *b);

/* Which commit made which version: it stands in the registry alone. `known` is false where that cannot be read. */
struct show_commits {
	struct archive *archive;
	struct json *doc;
	struct row_text text;
	bool known;
};
void show_commits_find(struct archive *a, const struct id *record, struct show_commits *ret);
void show_commits_done(struct show_commits *c);

/* commit, volume, fingerprint, signature: of the commit that made something. A commit that cannot be read
 * says "unknown". */
void show_commit(struct archive *a, uint32_t volume, const struct oid *commit, struct buf *b);

#endif
