/* shelf.h - an archive for a test, filled from a list of records.
 *
 * A list has a record on each line: series | department | number, where the document brings one | title | fields |
 * parts, with ";" between. Fields are a file below records/ beside the list (as `muniment file --fields` takes it), or
 * name=value;name=value. Records of series that take their date from no field get the day of the list. */
#ifndef MUN_TESTS_GOLDEN_SHELF_H
#define MUN_TESTS_GOLDEN_SHELF_H

#include "core/archive/desk.h"

struct shelf;

/* A record that was filed. */
struct shelved {
	char *number, *title, *parts; /* parts: names with ";" between */
	char record[33];
};

/* A new demonstration archive in a folder that the harness removes. */
int shelf_new(struct shelf **ret, struct err *err);
void shelf_free(struct shelf *s);
DEFINE_CLEANUP(struct shelf *, shelf_free)

/* File all of a list; the parts are below `folder`. */
int shelf_fill(
	struct shelf *s, const char *list, const char *folder, const char *day, struct err *err);

/* The one record of which `name` is the number, or a piece of its number, its title or the name of one of its parts.
 * Errors: ERR_NOTFOUND, ERR_INVALID (several). */
int shelf_find(const struct shelf *s, struct str name, const struct shelved **ret, struct err *err);

/* A verb without descriptors, in this process. */
int shelf_call(struct shelf *s, const char *verb, struct str args, struct json **ret_reply,
	struct err *err);

#endif
