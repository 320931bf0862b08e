/* shelf.c - see shelf.h. */
#include "tests/golden/shelf.h"

#include "core/archive/archive.h"
#include "core/archive/say.h"
#include "core/base/file.h"
#include "core/base/yaml.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdlib.h>

enum { SHELF_ROOM = 200, PARTS_MAX = 16 };

struct shelf {
	struct desk *desk;
	struct shelved all[SHELF_ROOM];
	size_t count;
};

/* One line of a list. */
struct line {
	struct str series, department, number, title, fields, parts;
	const char *list, *folder, *day;
};

struct open_parts {
	int fds[PARTS_MAX];
	size_t count;
};

int shelf_new(struct shelf **ret, struct err *err)
{
	_cleanup_(shelf_freep) struct shelf *s = xcalloc(1, sizeof(*s));
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	const struct init_options init = { .demonstration = true, .operator_name = "顾知微" };
	const struct desk_options options = { .as = "顾知微", .never_resident = true };
	struct init_made made;
	int r;

	buf_addf(&path, "%s/archive", harness_dir());
	r = archive_init(path.p, &init, &made, err);
	if (r == 0)
		r = desk_open(path.p, &options, &s->desk, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void shelf_free(struct shelf *s)
{
	if (!s)
		return;
	desk_free(s->desk);
	for (size_t i = 0; i < s->count; i++) {
		free(s->all[i].number);
		free(s->all[i].title);
		free(s->all[i].parts);
	}
	free(s);
}

int shelf_call(struct shelf *s, const char *verb, struct str args, struct json **ret_reply,
	struct err *err)
{
	return desk_call(s->desk, verb, args, NULL, 0, NULL, NULL, ret_reply, err);
}

/* ---- fields ---- */

/* As a person would type it: choices with ";" between, rows a line each, cells with "|" between. */
static void say_typed(struct buf *b, const struct yaml_node *node)
{
	_cleanup_(buf_done) struct buf typed = BUF_INIT;
	_cleanup_(freep) char *name = str_dup(node->name);

	if (node->kind == YAML_KIND_TEXT)
		buf_add_str(&typed, node->text);
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->children[i];

		buf_adds(&typed, i == 0 ? "" : item->kind == YAML_KIND_TEXT ? ";" : "\n");
		buf_add_str(&typed, item->text);
		for (size_t k = 0; k < item->count; k++) {
			buf_adds(&typed, k ? "|" : "");
			buf_add_str(&typed, item->children[k]->text);
		}
	}
	say_text(b, name, buf_str(&typed));
}

static int say_file(struct buf *b, const struct line *l, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT, text = BUF_INIT;
	_cleanup_(yaml_freep) struct yaml *yaml = NULL;
	const char *slash = strrchr(l->list, '/');
	int r;

	buf_addf(&path, "%.*s/records/%.*s", (int)(slash - l->list), l->list, STR_ARG(l->fields));
	r = file_read_whole(AT_FDCWD, path.p, &text, err);
	if (r == 0)
		r = yaml_parse(buf_str(&text), path.p, NULL, &yaml, err);
	for (size_t i = 0; r == 0 && i < yaml_root(yaml)->count; i++)
		say_typed(b, yaml_root(yaml)->children[i]);
	return r;
}

static int say_fields(struct buf *b, const struct line *l, struct err *err)
{
	struct str rest = l->fields;
	int r = 0;

	say_map(b, "fields");
	if (rest.n > 0 && !memchr(rest.p, '=', rest.n)) {
		r = say_file(b, l, err);
	} else {
		while (rest.n > 0) {
			struct str value = str_cut(&rest, ';'), cut = str_cut(&value, '=');
			_cleanup_(freep) char *name = str_dup(cut);

			say_text(b, name, value);
		}
	}
	say_end_map(b);
	return r;
}

/* Whether a series takes a record's date from no field, so that the list's day is to be given. */
static int wants_day(struct shelf *s, struct str series, bool *ret, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf args = BUF_INIT;
	int r;

	say_map(&args, NULL);
	say_text(&args, "series", series);
	say_end_map(&args);
	r = shelf_call(s, "series.show", buf_str(&args), &reply, err);
	if (r == 0)
		*ret = !json_map_get(reply, "date_field");
	return r;
}

/* ---- filing ---- */

static int say_parts(struct buf *b, const struct line *l, struct open_parts *parts, struct err *err)
{
	struct str rest = l->parts;

	say_list(b, "parts");
	while (rest.n > 0) {
		struct str name = str_cut(&rest, ';');
		_cleanup_(buf_done) struct buf path = BUF_INIT;
		const char *slash;
		int fd;

		if (parts->count == PARTS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d parts", (int)PARTS_MAX);
		buf_addf(&path, "%s/%.*s", l->folder, STR_ARG(name));
		slash = strrchr(path.p, '/');
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_errno(err, "cannot open '%s'", path.p);
		parts->fds[parts->count] = fd;
		say_map(b, NULL);
		say_int(b, "fd", (int64_t)parts->count++);
		say_text(b, "name", str_of(slash + 1));
		say_end_map(b);
	}
	say_end_list(b);
	return 0;
}

static int say_line(struct shelf *s, const struct line *l, struct buf *b, struct open_parts *parts,
	struct err *err)
{
	bool day = false;
	int r = wants_day(s, l->series, &day, err);

	say_map(b, NULL);
	say_text(b, "series", l->series);
	say_text(b, "department", l->department);
	say_text(b, "title", l->title);
	if (l->number.n > 0)
		say_text(b, "number", l->number);
	if (day)
		say_cstr(b, "date", l->day);
	if (r == 0)
		r = say_fields(b, l, err);
	if (r == 0)
		r = say_parts(b, l, parts, err);
	say_end_map(b);
	return r;
}

static int keep(struct shelf *s, const struct line *l, const struct json *reply, struct err *err)
{
	struct shelved *new = &s->all[s->count];
	struct str number, record;

	if (json_need_text(reply, "number", &number, err) < 0 ||
		json_need_text(reply, "record", &record, err) < 0)
		return -ERR_INVALID;
	if (s->count == SHELF_ROOM || record.n >= sizeof(new->record))
		return err_set(err, ERR_LIMIT, "too many records");
	new->number = str_dup(number);
	new->title = str_dup(l->title);
	new->parts = str_dup(l->parts);
	memcpy(new->record, record.p, record.n);
	s->count++;
	return 0;
}

static int file_line(struct shelf *s, const struct line *l, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf args = BUF_INIT;
	struct open_parts parts = { .count = 0 };
	int r = say_line(s, l, &args, &parts, err);

	if (r == 0)
		r = desk_call(s->desk, "file", buf_str(&args), parts.fds, parts.count, NULL, NULL,
			&reply, err);
	for (size_t i = 0; i < parts.count; i++)
		closep(&parts.fds[i]);
	return r == 0 ? keep(s, l, reply, err) : err_prefix(err, r, "%.*s", STR_ARG(l->title));
}

int shelf_fill(
	struct shelf *s, const char *list, const char *folder, const char *day, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct str rest;
	int r = file_read_whole(AT_FDCWD, list, &text, err);

	rest = buf_str(&text);
	while (r == 0 && rest.n > 0) {
		struct str cells = str_cut(&rest, '\n');
		struct line l = { .list = list, .folder = folder, .day = day };

		if (cells.n == 0 || *cells.p == '#')
			continue;
		l.series = str_cut(&cells, '|');
		l.department = str_cut(&cells, '|');
		l.number = str_cut(&cells, '|');
		l.title = str_cut(&cells, '|');
		l.fields = str_cut(&cells, '|');
		l.parts = str_cut(&cells, '|');
		r = file_line(s, &l, err);
	}
	return r;
}

/* ---- finding ---- */

int shelf_find(const struct shelf *s, struct str name, const struct shelved **ret, struct err *err)
{
	_cleanup_(freep) char *piece = str_dup(name);
	const struct shelved *found = NULL;

	for (size_t i = 0; i < s->count; i++) {
		const struct shelved *e = &s->all[i];

		if (strcmp(e->number, piece) == 0) {
			*ret = e;
			return 0;
		}
		if (!strstr(e->number, piece) && !strstr(e->title, piece) &&
			!strstr(e->parts, piece))
			continue;
		if (found)
			return err_set(err, ERR_INVALID, "'%s' is more than one record: '%s', '%s'",
				piece, found->title, e->title);
		found = e;
	}
	if (!found)
		return err_set(err, ERR_NOTFOUND, "'%s' is no record", piece);
	*ret = found;
	return 0;
}
