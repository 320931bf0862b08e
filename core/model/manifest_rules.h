/* manifest_rules.h - between manifest.c and its neighbours; others include manifest.h. */
#ifndef MUN_MODEL_MANIFEST_RULES_H
#define MUN_MODEL_MANIFEST_RULES_H

#include "core/model/manifest.h"

enum {
	MANIFEST_MAX_CODE = 32,	   /* bytes of a series' code */
	MANIFEST_MAX_WORD = 64,	   /* of a field's name, a verb, an account, a link's rel */
	MANIFEST_MAX_ITEMS = 500,  /* of a list, and rows of a table */
	MANIFEST_MAX_COLUMNS = 20, /* of a row */
	MANIFEST_MAX_VERSION = 1000000000
};

#define MANIFEST_MAX_PART ((uint64_t)1 << 50)
#define MANIFEST_MIN_INSTANT ((int64_t)-2208988800) /* 1900-01-01T00:00:00Z */
#define MANIFEST_MAX_INSTANT ((int64_t)32503679999) /* 2999-12-31T23:59:59Z */

/* All rules but those for number and version, and two that the writer sees: names twice, the size of the
 * whole. Errors: ERR_INVALID, ERR_LIMIT. */
int manifest_check(const struct manifest *m, struct err *err);

/* Number and version. */
int manifest_check_names(struct str number, uint64_t version, struct err *err);

/* By bytes: the order of members. */
int manifest_compare_names(struct str a, struct str b);

#endif
