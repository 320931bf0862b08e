/* catalogue.h - the series of an archive: definitions in force, and older ones by the hash that a manifest names.
 *
 * A definition is a record of the series DEF with one part, its YAML; the newest version is in force. The
 * few that come with the program are known before any is filed. A struct series lives as long as the
 * catalogue. Any thread. */
#ifndef MUN_ARCHIVE_CATALOGUE_H
#define MUN_ARCHIVE_CATALOGUE_H

#include "core/archive/inside.h"
#include "core/model/series.h"

struct catalogue;

int catalogue_new(struct archive *a, struct catalogue **ret, struct err *err);
void catalogue_free(struct catalogue *c);

/* One in force. `record` is zeros while it is only the program's own. */
struct catalogued {
	const struct series *series;
	struct id record;
	uint64_t version;
};

/* By code, or by either title. Errors: ERR_NOTFOUND, naming those that there are. */
int catalogue_find(struct catalogue *c, struct str which, struct catalogued *ret, struct err *err);
/* The same without waiting and complaining: *ret stays when there is none. */
void catalogue_look(struct catalogue *c, struct str which, struct catalogued *ret);
/* The definition under which something was filed. Errors: ERR_NOTFOUND. */
int catalogue_of(struct catalogue *c, struct str code, const struct digest *definition,
	const struct series **ret, struct err *err);
/* The same for filing and revising: not definitions and accounts, which have verbs of their own that keep
 * them in order (ERR_DENIED). */
int catalogue_find_for_filing(
	struct catalogue *c, struct str which, struct catalogued *ret, struct err *err);
/* All in force, by code; free() *ret. */
void catalogue_list(struct catalogue *c, struct catalogued **ret, size_t *ret_count);

/* A definition was filed or revised: look at it. Failures are logged. */
void catalogue_note(struct catalogue *c, const struct id *record);

/* The code of a title as it stands in paths; the title itself when nobody knows. The view lives as long as
 * the catalogue, or the title. */
struct str catalogue_code_of_title(struct catalogue *c, struct str title);
/* The title in the thread's language of a code in force; the code itself when nobody knows. */
struct str catalogue_title(struct catalogue *c, struct str code);

#endif
