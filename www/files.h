/* files.h - the files of the user interface: what may be served, with type, tag and compressed form.
 *
 * They stand in a folder (MUNIMENT_WWW, or beside the program, or where it was installed):
 *
 *	openapi.json
 *	ui/manifest		which files there are, a pattern a line (see there)
 *	ui/index.html		the shell of every page; ui/docs.html that of /docs
 *	ui/...			our own modules, at /ui/...
 *	ui/node_modules/...	third parties', at /vendor/...
 *
 * Own files also stand at /ui/HASH/..., vendors' at /vendor/HASH/..., for ever (immutable); pages name them so by
 * themselves: "/ui/ and "/vendor/ in a page are rewritten when it is loaded. HASH changes with any of them.
 *
 * A file is read, hashed and compressed when it is first asked for, and kept. With MUNIMENT_WWW set, files are read
 * each time and nothing is kept: for those who write them. Any thread. */
#ifndef MUN_WWW_FILES_H
#define MUN_WWW_FILES_H

#include "www/exchange.h"

struct files;

/* A folder that is not there gives an empty set: the API works without. Errors: ERR_INVALID (the manifest), ERR_IO. */
int files_open(struct files **ret, struct err *err);
void files_free(struct files *f);
DEFINE_CLEANUP(struct files *, files_free)

/* Answer with a file by its path in an address ("/ui/app.js", "/ui/HASH/app.js", "index.html" for a page). Errors:
 * ERR_NOTFOUND. */
int files_answer(struct files *f, struct exchange *x, struct str path, struct err *err);

/* gzip at the given level, appended; nothing when memory is out. */
bool files_compress(struct str plain, int level, struct buf *ret);

#endif
