/* yaml.c - see yaml.h. Built from libyaml's events rather than its documents: so an anchor, an
 * alias, a second document or too deep a nesting is refused where it stands, before anything is
 * built from it. */
#include "core/base/yaml.h"
#include "core/base/arena.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

const struct yaml_limits yaml_default_limits = { .bytes = 256 << 10, .depth = 16, .nodes = 20000 };

struct yaml {
	struct arena *arena;
	char *name;
	const struct yaml_node *root;
};

/* A node while its brothers are still being read. */
struct draft {
	struct yaml_node node;
	struct draft *next, *first, *last;
};

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	struct yaml *yaml;
	const struct yaml_limits *limits;
	size_t nodes;
	struct err *err;
};

/* As much of a text as an error message shows. */
static struct str shown(struct str text)
{
	return text_cut(text, 80);
}

static unsigned from_one(size_t place)
{
	return (unsigned)place + 1;
}

static int error_at_mark(struct reader *reader, yaml_mark_t mark, int code, const char *text)
{
	return err_set(reader->err, code, "%s:%u:%u: %s", reader->yaml->name, from_one(mark.line),
		from_one(mark.column), text);
}

int yaml_error_at(const struct yaml_node *node, bool at_name, struct err *err, const char *where,
	const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (!err)
		return -ERR_INVALID;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	at_name = at_name && node->name_line > 0;
	return err_set_at(err, ERR_INVALID, where, "%s:%u:%u: %s", node->file->name,
		at_name ? node->name_line : node->line, at_name ? node->name_column : node->column,
		text);
}

/* The next event, which belongs to the reader until the one after it. */
static int next(struct reader *reader)
{
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = false;
	if (!yaml_parser_parse(&reader->parser, &reader->event)) {
		char text[256];

		(void)snprintf(text, sizeof(text), tr("not YAML: %s"),
			reader->parser.problem ? reader->parser.problem : "?");
		return error_at_mark(reader, reader->parser.problem_mark, ERR_INVALID, text);
	}
	reader->has_event = true;
	return 0;
}

static struct draft *new_draft(struct reader *reader, enum yaml_kind kind)
{
	struct draft *draft;

	if (++reader->nodes > reader->limits->nodes)
		return NULL;
	draft = arena_zero(reader->yaml->arena, 1, sizeof(*draft));
	draft->node.kind = kind;
	draft->node.file = reader->yaml;
	draft->node.line = from_one(reader->event.start_mark.line);
	draft->node.column = from_one(reader->event.start_mark.column);
	return draft;
}

static int too_many(struct reader *reader)
{
	return error_at_mark(reader, reader->event.start_mark, ERR_LIMIT,
		tr("the file has more entries than are accepted"));
}

/* What libyaml resolves from escapes may still be no text that we accept: NUL, surrogates. */
static int take_text(struct reader *reader, struct str *ret)
{
	struct str text = { (const char *)reader->event.data.scalar.value,
		reader->event.data.scalar.length };

	if (!str_is_utf8(text))
		return error_at_mark(
			reader, reader->event.start_mark, ERR_INVALID, tr("the text is not UTF-8"));
	*ret = (struct str){ arena_text(reader->yaml->arena, text), text.n };
	return 0;
}

static int refuse_extras(struct reader *reader, const void *anchor, const void *tag)
{
	if (!anchor && !tag)
		return 0;
	return error_at_mark(reader, reader->event.start_mark, ERR_INVALID,
		tr("anchors, aliases and tags are not accepted here"));
}

static int compare_children(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int order = memcmp(x->name.p, y->name.p, n);

	if (order == 0 && x->name.n != y->name.n)
		order = x->name.n < y->name.n ? -1 : 1;
	if (order == 0)
		order = x->name_line < y->name_line ? -1 : 1;
	return order;
}

static int refuse_twice(const struct yaml_node *map, struct err *err)
{
	_cleanup_(freep) const struct yaml_node **sorted = calloc(map->count + 1, sizeof(*sorted));

	if (!sorted)
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	for (size_t i = 0; i < map->count; i++)
		sorted[i] = map->children[i];
	qsort(sorted, map->count, sizeof(*sorted), compare_children);
	for (size_t i = 1; i < map->count; i++)
		if (str_eq(sorted[i - 1]->name, sorted[i]->name))
			return yaml_error_name(sorted[i], err,
				tr("'%.*s' stands here a second time; the first is in line %u"),
				STR_ARG(sorted[i]->name), sorted[i - 1]->name_line);
	return 0;
}

static int close_draft(struct reader *reader, struct draft *draft)
{
	const struct yaml_node **children =
		arena_zero(reader->yaml->arena, draft->node.count, sizeof(*children));
	size_t i = 0;

	for (struct draft *child = draft->first; child; child = child->next)
		children[i++] = &child->node;
	draft->node.children = children;
	return draft->node.kind == YAML_KIND_MAP ? refuse_twice(&draft->node, reader->err) : 0;
}

static int read_node(struct reader *reader, size_t depth, struct draft **ret);

/* The name of a map's member; its value is the next event. */
static int read_name(struct reader *reader, struct yaml_node *ret)
{
	int r;

	if (reader->event.type != YAML_SCALAR_EVENT)
		return error_at_mark(reader, reader->event.start_mark, ERR_INVALID,
			tr("expected a name, found a list, a map or an alias"));
	r = refuse_extras(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
	if (r < 0)
		return r;
	ret->name_line = from_one(reader->event.start_mark.line);
	ret->name_column = from_one(reader->event.start_mark.column);
	r = take_text(reader, &ret->name);
	return r < 0 ? r : next(reader);
}

static int read_children(
	struct reader *reader, size_t depth, struct draft *parent, yaml_event_type_t end)
{
	int r;

	if (depth >= reader->limits->depth)
		return error_at_mark(reader, reader->event.start_mark, ERR_LIMIT,
			tr("lists and maps are nested too deep"));
	for (r = next(reader); r == 0 && reader->event.type != end; r = next(reader)) {
		struct yaml_node name = { 0 };
		struct draft *child = NULL;

		if (parent->node.kind == YAML_KIND_MAP) {
			r = read_name(reader, &name);
			if (r < 0)
				return r;
		}
		r = read_node(reader, depth + 1, &child);
		if (r < 0)
			return r;
		child->node.name = name.name;
		child->node.name_line = name.name_line;
		child->node.name_column = name.name_column;
		if (parent->last)
			parent->last->next = child;
		else
			parent->first = child;
		parent->last = child;
		parent->node.count++;
	}
	return r < 0 ? r : close_draft(reader, parent);
}

/* The node that begins with the current event; afterwards the current event is its last. */
static int read_node(struct reader *reader, size_t depth, struct draft **ret)
{
	const yaml_event_t *event = &reader->event;
	struct draft *draft;
	enum yaml_kind kind = YAML_KIND_TEXT;
	int r;

	if (event->type == YAML_SCALAR_EVENT) {
		r = refuse_extras(reader, event->data.scalar.anchor, event->data.scalar.tag);
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		kind = YAML_KIND_LIST;
		r = refuse_extras(
			reader, event->data.sequence_start.anchor, event->data.sequence_start.tag);
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		kind = YAML_KIND_MAP;
		r = refuse_extras(
			reader, event->data.mapping_start.anchor, event->data.mapping_start.tag);
	} else {
		r = refuse_extras(reader, event, NULL);
	}
	if (r < 0)
		return r;
	draft = new_draft(reader, kind);
	if (!draft)
		return too_many(reader);
	if (kind == YAML_KIND_TEXT) {
		draft->node.quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		r = take_text(reader, &draft->node.text);
	} else {
		r = read_children(reader, depth, draft,
			kind == YAML_KIND_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT);
	}
	if (r == 0)
		*ret = draft;
	return r;
}

static int expect_start(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;
	int r = next(reader); /* the stream */

	if (r == 0)
		r = next(reader);
	if (r < 0)
		return r;
	if (event->type != YAML_DOCUMENT_START_EVENT)
		return error_at_mark(
			reader, event->start_mark, ERR_INVALID, tr("the file is empty"));
	if (event->data.document_start.version_directive ||
		event->data.document_start.tag_directives.start !=
			event->data.document_start.tag_directives.end)
		return error_at_mark(reader, event->start_mark, ERR_INVALID,
			tr("directives are not accepted here"));
	return next(reader);
}

static int read_document(struct reader *reader)
{
	struct draft *root = NULL;
	int r = expect_start(reader);

	if (r == 0)
		r = read_node(reader, 0, &root);
	if (r == 0)
		r = next(reader); /* the end of the document */
	if (r == 0)
		r = next(reader);
	if (r < 0)
		return r;
	if (reader->event.type != YAML_STREAM_END_EVENT)
		return error_at_mark(reader, reader->event.start_mark, ERR_INVALID,
			tr("a second document is not accepted here"));
	reader->yaml->root = &root->node;
	return 0;
}

static int read_stream(
	struct yaml *yaml, struct str text, const struct yaml_limits *limits, struct err *err)
{
	struct reader reader = { .yaml = yaml, .limits = limits, .err = err };
	int r;

	if (!yaml_parser_initialize(&reader.parser))
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.p, text.n);
	r = read_document(&reader);
	if (reader.has_event)
		yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	return r;
}

/* Where the first byte is that is no UTF-8, as people count lines. */
static unsigned bad_line(struct str text)
{
	unsigned line = 1;

	for (;;) {
		struct str head = str_cut(&text, '\n');

		if (!str_is_utf8(head) || !text.p)
			return line;
		line++;
	}
}

int yaml_parse(struct str text, const char *file, const struct yaml_limits *limits,
	struct yaml **ret, struct err *err)
{
	_cleanup_(yaml_freep) struct yaml *yaml = xcalloc(1, sizeof(*yaml));
	int r;

	if (!limits)
		limits = &yaml_default_limits;
	if (text.n > limits->bytes)
		return err_set(err, ERR_LIMIT, tr("%s: more than %zu bytes are not accepted here"),
			file, limits->bytes);
	if (!str_is_utf8(text))
		return err_set(
			err, ERR_INVALID, tr("%s:%u: the text is not UTF-8"), file, bad_line(text));
	if (str_starts(text, "\xef\xbb\xbf"))
		text = (struct str){ text.p + 3, text.n - 3 };
	if (text.n == 0)
		text = STR("");
	yaml->name = xstrdup(file);
	yaml->arena = arena_new(16 << 10);
	r = read_stream(yaml, text, limits, err);
	if (r == 0)
		*ret = TAKE_PTR(yaml);
	return r;
}

void yaml_free(struct yaml *yaml)
{
	if (!yaml)
		return;
	arena_free(yaml->arena);
	free(yaml->name);
	free(yaml);
}

const struct yaml_node *yaml_root(const struct yaml *yaml)
{
	return yaml->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *name)
{
	if (map->kind != YAML_KIND_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (str_is(map->children[i]->name, name))
			return map->children[i];
	return NULL;
}

static const char *kind_text(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_KIND_LIST:
		return tr("a list");
	case YAML_KIND_MAP:
		return tr("a map");
	case YAML_KIND_TEXT:
		break;
	}
	return node->text.n == 0 ? tr("nothing") : tr("a text");
}

static int expect_kind(const struct yaml_node *node, const char *expected, struct err *err)
{
	return yaml_error(node, err, tr("expected %s, found %s"), expected, kind_text(node));
}

int yaml_is_map(const struct yaml_node *node, struct err *err)
{
	return node->kind == YAML_KIND_MAP ? 0 : expect_kind(node, tr("a map"), err);
}

int yaml_is_list(const struct yaml_node *node, struct err *err)
{
	return node->kind == YAML_KIND_LIST ? 0 : expect_kind(node, tr("a list"), err);
}

int yaml_is_text(const struct yaml_node *node, struct str *ret, struct err *err)
{
	if (node->kind != YAML_KIND_TEXT || node->text.n == 0)
		return expect_kind(node, tr("a text"), err);
	*ret = node->text;
	return 0;
}

int yaml_is_int(
	const struct yaml_node *node, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	bool negative = node->text.n > 1 && node->text.p[0] == '-';
	struct str digits = { node->text.p + negative, node->text.n - negative };
	uint64_t v = 0;
	int64_t number = 0;

	if (node->kind != YAML_KIND_TEXT)
		return expect_kind(node, tr("a whole number"), err);
	if (node->quoted || str_to_u64(digits, INT64_MAX, &v, NULL) < 0)
		return yaml_error(node, err, tr("expected a whole number, found '%.*s'"),
			STR_ARG(shown(node->text)));
	number = negative ? -(int64_t)v : (int64_t)v;
	if (number < min || number > max)
		return yaml_error(node, err, tr("expected a number from %lld to %lld, found %lld"),
			(long long)min, (long long)max, (long long)number);
	*ret = number;
	return 0;
}

int yaml_is_bool(const struct yaml_node *node, bool *ret, struct err *err)
{
	static const char *const words[] = { "false", "true" };
	size_t i = 0;
	int r = yaml_is_word(node, words, ARRAY_LEN(words), &i, err);

	if (r == 0)
		*ret = i == 1;
	return r;
}

/* "a, b, c": what is known. */
static void add_words(struct buf *b, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s", i ? ", " : "", words[i]);
}

int yaml_is_word(const struct yaml_node *node, const char *const *words, size_t n, size_t *ret,
	struct err *err)
{
	_cleanup_(buf_done) struct buf known = BUF_INIT;
	struct str text = { 0 };
	int r = yaml_is_text(node, &text, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (str_is(text, words[i])) {
			*ret = i;
			return 0;
		}
	add_words(&known, words, n);
	return yaml_error(
		node, err, tr("expected one of %s; found '%.*s'"), known.p, STR_ARG(shown(text)));
}

int yaml_need(const struct yaml_node *map, const char *name, const struct yaml_node **ret,
	struct err *err)
{
	const struct yaml_node *node = yaml_get(map, name);

	if (!node)
		return yaml_error(map, err, tr("'%s' is missing here"), name);
	*ret = node;
	return 0;
}

int yaml_only_names(
	const struct yaml_node *map, const char *const *names, size_t n, struct err *err)
{
	int r = yaml_is_map(map, err);

	if (r < 0)
		return r;
	for (size_t c = 0; c < map->count; c++) {
		const struct yaml_node *child = map->children[c];
		_cleanup_(buf_done) struct buf known = BUF_INIT;
		size_t i = 0;

		while (i < n && !str_is(child->name, names[i]))
			i++;
		if (i < n)
			continue;
		add_words(&known, names, n);
		return yaml_error_name(child, err, tr("expected one of %s; found '%.*s'"), known.p,
			STR_ARG(shown(child->name)));
	}
	return 0;
}
