/* json.h - strict JSON in, canonical JSON out; the only place that knows jansson.
 *
 * In: one value and nothing behind it; UTF-8 only; no member twice; no NUL in texts; whole numbers
 * that fit int64_t; fractions and exponents only where the caller allows them; a ceiling on bytes,
 * depth and values. What is refused is refused with line and column, and nothing is guessed.
 *
 * Out, the canonical form (what is hashed and signed): members sorted by the bytes of their names,
 * no white space, no fractions, UTF-8 as it is, and of all escapes only \" \\ \b \f \n \r \t and
 * \u00xx (lower case) for the other control characters, as in RFC 8785.
 * canonical(parse(canonical(x))) = canonical(x).
 *
 * A struct json is immutable after parsing and may be read by several threads. Every view that a
 * getter gives lives as long as the document. */
#ifndef MUN_BASE_JSON_H
#define MUN_BASE_JSON_H

#include "core/base/buf.h"

struct json;

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INT,
	JSON_KIND_FLOAT,
	JSON_KIND_TEXT,
	JSON_KIND_LIST,
	JSON_KIND_MAP
};

enum json_flags { JSON_ALLOW_FLOATS = 1 << 0 };

struct json_limits {
	size_t bytes;  /* of the text */
	size_t depth;  /* of nested lists and maps; 1 is a list of scalars */
	size_t values; /* scalars, lists and maps together */
};

/* 1 MiB, 32 deep, 200,000 values. */
extern const struct json_limits json_default_limits;

/* Errors: ERR_INVALID, ERR_LIMIT. `limits` may be NULL for the default. */
int json_parse(struct str text, const struct json_limits *limits, unsigned flags, struct json **ret,
	struct err *err);
/* The document that json_parse gave, with all its values. */
void json_free(struct json *doc);
DEFINE_CLEANUP(struct json *, json_free)

enum json_kind json_kind_of(const struct json *value);
/* The value of one that is of that kind; asserted. */
bool json_bool(const struct json *value);
int64_t json_int(const struct json *value);
struct str json_text(const struct json *value);

size_t json_list_count(const struct json *list);
const struct json *json_list_at(const struct json *list, size_t i);

size_t json_map_count(const struct json *map);
/* The member, or NULL. */
const struct json *json_map_get(const struct json *map, const char *name);
/* Calls `each` for every member, in the order of the text; stops at the first non-zero result and
 * returns it. */
int json_map_each(const struct json *map,
	int (*each)(void *context, struct str name, const struct json *value), void *context);

/* ---- members that must be there, of a kind, within bounds; errors name the member: ERR_INVALID
 * ---- */

int json_need_map(
	const struct json *map, const char *name, const struct json **ret, struct err *err);
int json_need_list(
	const struct json *map, const char *name, const struct json **ret, struct err *err);
int json_need_text(const struct json *map, const char *name, struct str *ret, struct err *err);
int json_need_int(const struct json *map, const char *name, int64_t min, int64_t max, int64_t *ret,
	struct err *err);
int json_need_bool(const struct json *map, const char *name, bool *ret, struct err *err);
/* n bytes as 2 n lower-case hexadecimal digits. */
int json_need_hex(const struct json *map, const char *name, void *out, size_t n, struct err *err);
/* The same where the member may be absent: *ret stays as it was. */
int json_may_text(const struct json *map, const char *name, struct str *ret, struct err *err);
int json_may_int(const struct json *map, const char *name, int64_t min, int64_t max, int64_t *ret,
	struct err *err);
/* `value` must be a map with no other members than the n named ones. */
int json_only_members(
	const struct json *value, const char *const *names, size_t n, struct err *err);

/* ---- canonical out ---- */

/* Append the canonical form. A float in it is ERR_INVALID. */
int json_add_canonical(struct buf *b, const struct json *value, struct err *err);

/* The pieces, for writers that put a document together themselves. A text that is not UTF-8 sets
 * b->failed. */
void json_add_text(struct buf *b, struct str text);
void json_add_int(struct buf *b, int64_t v);
/* "name": with the quotes and the colon; a comma before it unless it follows '{'. */
void json_add_name(struct buf *b, const char *name);

#endif
