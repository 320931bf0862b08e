/* fixture.h - an archive in a temporary folder, and filing into it with as few words as a test can
 * do with. */
#ifndef MUN_TESTS_STORE_FIXTURE_H
#define MUN_TESTS_STORE_FIXTURE_H

#include "store/store.h"

struct fixture {
	char *path;
	struct id archive;
	struct secret *root;
	struct store *store;
	struct store_options options;
};

/* A new archive, open and unsealed; `options` may be NULL. */
void fixture_init(struct fixture *f, const struct store_options *options);
void fixture_done(struct fixture *f);
/* Close (as a clean end does) and open again, unsealed. */
void fixture_reopen(struct fixture *f, struct store_found *ret_found);
/* Open and unseal another folder (a copy) with the same root. */
void fixture_open_at(
	struct fixture *f, const char *path, struct fixture *ret, struct store_found *ret_found);
/* A copy of the archive's folder as it is on disk now, as a crash would leave it; returns its path,
 * removed with the program. */
const char *fixture_copy(const struct fixture *f);

/* What a test files: fields of the manifest are just a text here. */
struct sample {
	struct id record;
	uint64_t base_version;
	const char *number, *scope; /* one of the two; NULL both: scope "样本-20260520-*" */
	const char *text;	    /* goes into manifest and part */
	size_t part_bytes;	    /* 0: strlen(text); else the text repeated */
	bool without_part;
	const char *request; /* an idempotency key, or NULL */
};

/* File or revise `count` samples as one action. Returns the code; ret_ members of `records` (may be
 * NULL) as the writer set them. */
int fixture_write(struct fixture *f, const struct sample *samples, size_t count,
	struct change_record *ret_records, struct err *err);
/* The number of one new record filed with this text; aborts the test when it fails. free() it. */
char *fixture_file(struct fixture *f, const char *text, struct id *ret_record);
/* The manifest's plaintext of a version (0: newest), appended. */
int fixture_manifest(struct fixture *f, const struct id *record, uint64_t version, struct buf *ret,
	struct err *err);
/* All chunks of the first part of a version, appended. */
int fixture_part(struct fixture *f, const struct id *record, uint64_t version, struct buf *ret,
	struct err *err);

#endif
