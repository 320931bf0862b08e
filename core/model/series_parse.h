/* series_parse.h - between series_parse.c and series_fields.c; others include series.h. */
#ifndef MUN_MODEL_SERIES_PARSE_H
#define MUN_MODEL_SERIES_PARSE_H

#include "core/base/arena.h"
#include "core/base/yaml.h"
#include "core/model/pattern.h"
#include "core/model/series.h"

enum { SERIES_MAX_PATTERNS = SERIES_MAX_FIELDS + SERIES_MAX_COLUMNS * 8 + 1 };

/* The series and what it owns. */
struct series_whole {
	struct series series; /* first, so that a pointer to it is a pointer to the whole */
	struct arena *arena;
	struct number_rule *number;
	struct pattern *patterns[SERIES_MAX_PATTERNS];
	size_t pattern_count;
};

/* {zh: ..., en: ...}, both there, one line, and no other names than these and `also` (may be NULL). */
int series_read_label(struct series_whole *whole, const struct yaml_node *node, const char *also,
	struct label *ret, struct err *err);
/* A pattern, kept by the whole. */
int series_read_pattern(struct series_whole *whole, const struct yaml_node *node,
	const struct pattern **ret, const char **ret_text, struct err *err);
/* A word of A-Z, 0-9 and '-' that may stand in a number. */
int series_read_code(struct series_whole *whole, const struct yaml_node *node, const char **ret,
	struct err *err);
/* All of `fields:`. */
int series_read_fields(struct series_whole *whole, const struct yaml_node *node, struct err *err);

#endif
