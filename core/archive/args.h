/* args.h - what a request says, member by member, beyond json.h. */
#ifndef MUN_ARCHIVE_ARGS_H
#define MUN_ARCHIVE_ARGS_H

#include "core/archive/verb.h"

/* Only these members (and `as`, `fresh`) may stand in the request. `names` ends in NULL. */
int args_only(const struct verb_call *call, const char *const *names, struct err *err);

/* Absent: *ret stays. */
int args_bool(const struct json *map, const char *name, bool *ret, struct err *err);
/* "2026-11-21" as a day; *ret_given (may be NULL) tells whether it was there. */
int args_day(
	const struct json *map, const char *name, int64_t *ret, bool *ret_given, struct err *err);
/* A list of texts. NULL when absent. */
int args_list(const struct json *map, const char *name, const struct json **ret, struct err *err);
int args_list_text(
	const struct json *list, size_t i, const char *name, struct str *ret, struct err *err);
/* A list of maps. NULL when absent. */
int args_maps(const struct json *map, const char *name, const struct json **ret, struct err *err);
/* A map. NULL when absent. */
int args_map(const struct json *map, const char *name, const struct json **ret, struct err *err);
/* The descriptor that member "fd" of a map names. */
int args_fd(const struct verb_call *call, const struct json *map, int *ret, struct err *err);

#endif
