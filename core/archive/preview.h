/* preview.h - office files as PDF, for looking at: made by LibreOffice under bubblewrap, kept sealed.
 *
 * LibreOffice is large and needs a writable home, so it does not fit into the jail of the extraction: bubblewrap gives
 * it a world of its own, without network, with /usr to read and a home in memory, that is gone with it. The
 * document goes in through a descriptor, the PDF comes out through a pipe. One at a time.
 *
 * What was made stands in ARCHIVE/cache/previews/PART, sealed under a subkey of the record's: destroying the record's
 * key makes it noise. The folder has a ceiling; the oldest go first. It may be deleted at any time. */
#ifndef MUN_ARCHIVE_PREVIEW_H
#define MUN_ARCHIVE_PREVIEW_H

#include "core/archive/reading.h"

enum {
	PREVIEW_MAX_BYTES = 64 << 20, /* of a PDF */
	PREVIEW_SECONDS = 60,
	PREVIEW_INPUT_MAX = 100 << 20,	 /* of a document */
	PREVIEW_CACHE_BYTES = 512 << 20, /* of all that are kept */
};

/* True for a kind of file that has one, by its name. */
bool preview_is_for(struct str name);

/* The PDF of part i, kept or made now, appended to `ret`. Errors: ERR_INVALID (not an office file, or none that
 * LibreOffice reads), ERR_LOCKED (one is being made: ask again), ERR_LIMIT, ERR_UNSUPPORTED (bubblewrap or LibreOffice
 * is not installed). */
int preview_get(
	struct archive *a, const struct edition *e, size_t i, struct buf *ret, struct err *err);

#endif
