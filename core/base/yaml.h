/* yaml.h - a small, strict part of YAML as a tree with line and column at every node; the only
 * place that knows libyaml.
 *
 * What definitions and configuration need: maps, lists, scalars, comments. What is refused:
 * anchors, aliases, tags, directives, several documents, a name twice in one map, names that are
 * not scalars, what is not UTF-8, and more bytes, depth or nodes than the limits. Scalars stay
 * text; what they mean is decided by who asks, so that `no` and `1.10` never change under anybody's
 * hands.
 *
 * Every error is "file:line:column: what was expected, what was found". A tree is immutable after
 * parsing. */
#ifndef MUN_BASE_YAML_H
#define MUN_BASE_YAML_H

#include "core/base/buf.h"

enum yaml_kind { YAML_KIND_TEXT, YAML_KIND_LIST, YAML_KIND_MAP };

struct yaml;

struct yaml_node {
	enum yaml_kind kind;
	unsigned line, column;	 /* from 1 */
	const struct yaml *file; /* for error texts */
	struct str name;	 /* in a map: the name it stands under; else empty */
	unsigned name_line, name_column;
	struct str text; /* of a scalar, without quotes */
	bool quoted;	 /* "" and '' and blocks, where a plain scalar could be empty */
	size_t count;	 /* children of a list or map, in the order of the text */
	const struct yaml_node *const *children;
};

struct yaml_limits {
	size_t bytes, depth, nodes;
};

/* 256 KiB, 16 deep, 20,000 nodes. */
extern const struct yaml_limits yaml_default_limits;

/* `file` is the name for messages, copied. The tree owns copies of all text; `text` may go.
 * `limits` may be NULL. An empty document is ERR_INVALID. Errors: ERR_INVALID, ERR_LIMIT. */
int yaml_parse(struct str text, const char *file, const struct yaml_limits *limits,
	struct yaml **ret, struct err *err);
void yaml_free(struct yaml *yaml);
DEFINE_CLEANUP(struct yaml *, yaml_free)

const struct yaml_node *yaml_root(const struct yaml *yaml);

/* Report ERR_INVALID at a node: "file:line:column: " before the sentence. yaml_error_name points at
 * the name that the node stands under. */
#define yaml_error(node, err, ...) yaml_error_at((node), false, (err), ERR_HERE, __VA_ARGS__)
#define yaml_error_name(node, err, ...) yaml_error_at((node), true, (err), ERR_HERE, __VA_ARGS__)
int yaml_error_at(const struct yaml_node *node, bool at_name, struct err *err, const char *where,
	const char *fmt, ...) _printf_(5, 6);

/* The child of a map, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *name);

/* The node must be of the kind (text: not empty). */
int yaml_is_map(const struct yaml_node *node, struct err *err);
int yaml_is_list(const struct yaml_node *node, struct err *err);
int yaml_is_text(const struct yaml_node *node, struct str *ret, struct err *err);
int yaml_is_int(
	const struct yaml_node *node, int64_t min, int64_t max, int64_t *ret, struct err *err);
/* true or false, nothing else. */
int yaml_is_bool(const struct yaml_node *node, bool *ret, struct err *err);
/* One of n words; *ret becomes its place. The error lists the words. */
int yaml_is_word(const struct yaml_node *node, const char *const *words, size_t n, size_t *ret,
	struct err *err);

/* The child of a map that must be there. */
int yaml_need(const struct yaml_node *map, const char *name, const struct yaml_node **ret,
	struct err *err);
/* A map with no other names than these; the error points at the name and lists what is known. */
int yaml_only_names(
	const struct yaml_node *map, const char *const *names, size_t n, struct err *err);

#endif
