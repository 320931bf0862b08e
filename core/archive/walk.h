/* walk.h - the documents below some paths: files, what is in folders, what is in archives (.zip, .tar, .tar.gz ...).
 *
 * Everything is looked at without being trusted. Links are not followed, devices not opened; a member of an
 * archive is unpacked into memory, never to a disk, within limits; a name that tries to climb out of its
 * archive, or cannot be shown on one honest line, is refused. Names in GBK (archives made on Chinese
 * Windows) are recognised. What is refused has a reason; it ends nothing but itself. Archives inside
 * archives are documents.
 *
 * One walk belongs to one thread. */
#ifndef MUN_ARCHIVE_WALK_H
#define MUN_ARCHIVE_WALK_H

#include "core/base/buf.h"

struct walk_limits {
	uint64_t member_bytes;	/* of one member of an archive: it is held in memory */
	uint64_t archive_bytes; /* unpacked, of one archive */
	uint64_t members;	/* of one archive */
	uint32_t ratio;		/* unpacked to packed, once WALK_RATIO_FROM bytes are unpacked */
	uint32_t depth;		/* of folders */
};

enum { WALK_RATIO_FROM = 16 << 20 };

/* 256 MiB, 64 GiB, 1,000,000, 200, 64. */
extern const struct walk_limits walk_default_limits;

enum walk_kind {
	WALK_DOCUMENT,
	WALK_LEFT_OUT, /* what systems leave behind: .DS_Store, Thumbs.db, ~$lock files; and empty paths */
	WALK_REFUSED
};

struct walk_item {
	enum walk_kind kind;
	struct str path; /* for people, safe to show: "folder/a.zip › b/c.pdf" */
	struct str name; /* of a document: the last component, UTF-8 in NFC, safe */
	int fd;		 /* of a document, at its start; TAKE_FD keeps it, else it is closed */
	uint64_t bytes;
	bool is_in_memory; /* fd holds the bytes in memory: do not keep many */
	int64_t modified;  /* instant; 0 when not known */
	const char *why;   /* refused: one sentence */
	uint64_t done;	   /* bytes of all that walk_measure counts, up to here */
};

/* 0 goes on; a negative code ends the walk with it. */
typedef int walk_each(void *context, struct walk_item *item, struct err *err);

/* Walk each path in turn, folders by the bytes of their names. `limits` may be NULL. Errors: those of
 * `each`; ERR_NOTFOUND, ERR_DENIED, ERR_IO for a path that was named; what is below it is refused as an
 * item instead. */
int walk_paths(const char *const *paths, size_t count, const struct walk_limits *limits,
	walk_each *each, void *context, struct err *err);

/* Bytes of all the files that a walk would open, for progress. What cannot be read counts nothing. */
uint64_t walk_measure(const char *const *paths, size_t count);

/* A name in UTF-8, or in GBK turned into UTF-8, appended to `ret`; no judgement beyond that. Errors: ERR_INVALID. */
int walk_add_decoded(struct buf *ret, struct str name, struct err *err);

/* Is it a packed archive, by its name? */
bool walk_is_packed(struct str name);

#endif
