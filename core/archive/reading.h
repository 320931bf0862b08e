/* reading.h - a version of a record, opened: its slip, its manifest, the bytes of its parts. */
#ifndef MUN_ARCHIVE_READING_H
#define MUN_ARCHIVE_READING_H

#include "core/archive/inside.h"
#include "core/archive/row.h"
#include "core/base/arena.h"
#include "core/model/manifest.h"

/* The record that a request means by its `number` or `record`. Destroyed ones are found. Errors:
 * ERR_INVALID, ERR_NOTFOUND. */
int reading_find(
	struct archive *a, const struct json *args, struct record_head *ret, struct err *err);

struct edition {
	struct id record;
	uint64_t version;
	uint32_t volume; /* of its slip */
	struct buf slip_text;
	struct slip slip;
	void *slip_memory;
	struct arena *arena;
	const struct manifest *manifest;
};

/* Version 0: the newest. What the slip and the manifest say of each other is compared. Errors:
 * ERR_NOTFOUND, ERR_DESTROYED, ERR_CORRUPT ... */
int edition_open(struct archive *a, const struct record_head *head, uint64_t version,
	struct edition *ret, struct err *err);
/* A zeroed one is fine. */
void edition_done(struct edition *e);

/* The part that a request means: its name, its id, or its place from 1. Errors: ERR_NOTFOUND. */
int edition_find_part(const struct edition *e, struct str which, size_t *ret, struct err *err);

/* Called with the plaintext piece by piece (at most 4 MiB), in order. */
typedef int edition_sink(void *context, struct str piece, struct err *err);
/* Bytes from `from` up to but without `to` of part i, each chunk opened once. Chunks are checked against
 * their own hashes and sizes as they are opened; when the whole part was read, its SHA-256 against the
 * manifest's: ERR_CORRUPT (the pieces are out by then). */
int edition_read_part(struct archive *a, const struct edition *e, size_t i, uint64_t from,
	uint64_t to, edition_sink *sink, void *context, struct err *err);

/* The key that an envelope in the store needs. */
int reading_envelope_key(
	struct archive *a, const struct slip_blob *blob, struct id *ret, struct err *err);

/* The key under which the text cache keeps texts of a record: a subkey of the record's. NULL when the
 * record's key is not there. */
struct secret *reading_text_key(struct archive *a, const struct edition *e);
struct secret *reading_text_key_of(const uint8_t record_key[32]);
/* The same by a registry row. */
struct secret *reading_row_text_key(struct archive *a, const struct registry_row *row);

/* What a follower needs of an event: the manifest (in the arena), and the record's key. */
int reading_event(struct archive *a, const struct store_event *event, struct arena *arena,
	const struct manifest **ret, struct id *ret_key, uint8_t ret_record_key[32],
	struct err *err);

/* The texts of a registry row, opened; json_free *ret_doc. A destroyed row is ERR_DESTROYED. */
int reading_row(struct archive *a, const struct registry_row *row, struct json **ret_doc,
	struct row_text *ret, struct err *err);

#endif
