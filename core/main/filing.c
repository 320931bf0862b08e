/* filing.c - see filing.h. */
#include "core/main/filing.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/base/yaml.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* ---- fields from a file ----
 *
 * A map from name to a text, a list of texts (several choices) or a list of rows, each a list of
 * cells. They become what a person would type (core/model/form.h), so that there is one set of
 * rules. JSON is read as the YAML that it is. */

static int add_cells(struct buf *typed, const struct yaml_node *row, struct err *err)
{
	for (size_t i = 0; i < row->count; i++) {
		struct str cell;
		int r = yaml_is_text(row->children[i], &cell, err);

		if (r < 0)
			return r;
		if (memchr(cell.p, '|', cell.n) || memchr(cell.p, '\n', cell.n))
			return yaml_error(row->children[i], err,
				tr("a cell of a table cannot hold '|' or a line break"));
		buf_adds(typed, i ? "|" : "");
		buf_add_str(typed, cell);
	}
	return 0;
}

static int add_list(struct buf *typed, const struct yaml_node *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct yaml_node *item = list->children[i];
		int r = 0;

		if (item->kind == YAML_KIND_TEXT) {
			buf_adds(typed, i ? ";" : "");
			buf_add_str(typed, item->text);
		} else {
			buf_adds(typed, i ? "\n" : "");
			r = add_cells(typed, item, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* What stands on the command line wins over what stands in the file. */
static bool is_given(const struct args *args, struct str name)
{
	const char *given;
	size_t cursor = 0;

	while (args_next(args, "field", &cursor, &given)) {
		struct str rest = str_of(given);

		if (str_eq(str_trim(str_cut(&rest, '=')), name))
			return true;
	}
	return false;
}

static int say_node(struct buf *b, const struct yaml_node *node, struct err *err)
{
	_cleanup_(buf_done) struct buf typed = BUF_INIT, name = BUF_INIT;
	int r = 0;

	if (node->kind == YAML_KIND_TEXT)
		buf_add_str(&typed, node->text);
	else if (node->kind == YAML_KIND_LIST)
		r = add_list(&typed, node, err);
	else
		r = yaml_error(node, err, tr("expected a text or a list"));
	if (r < 0)
		return r;
	buf_add_str(&name, node->name);
	say_text(b, name.p, buf_str(&typed));
	return 0;
}

static int say_file(struct buf *b, const struct args *args, struct err *err)
{
	const char *path = args_text(args, "fields");
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(1 << 20);
	_cleanup_(yaml_freep) struct yaml *yaml = NULL;
	const struct yaml_node *root;
	int r = file_read_whole(AT_FDCWD, path, &text, err);

	if (r == 0)
		r = yaml_parse(buf_str(&text), path, NULL, &yaml, err);
	if (r < 0)
		return r;
	root = yaml_root(yaml);
	r = yaml_is_map(root, err);
	for (size_t i = 0; r == 0 && i < root->count; i++)
		if (!is_given(args, root->children[i]->name))
			r = say_node(b, root->children[i], err);
	return r;
}

/* ---- fields and links from options ---- */

/* "NAME=VALUE" */
static int split(const char *given, const char *option, struct buf *name, struct str *ret_value,
	struct err *err)
{
	struct str rest = str_of(given), head = str_cut(&rest, '=');

	if (!rest.p || head.n == 0)
		return err_set(err, ERR_INVALID, tr("option '--%s' takes NAME=VALUE, not '%s'"),
			option, given);
	buf_reset(name);
	buf_add_str(name, str_trim(head));
	*ret_value = rest;
	return 0;
}

static int say_fields(struct buf *b, const struct args *args, struct err *err)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT;
	const char *given;
	size_t cursor = 0;
	struct str value;
	int r = 0;

	if (!args_has(args, "field") && !args_has(args, "fields"))
		return 0;
	say_map(b, "fields");
	if (args_has(args, "fields"))
		r = say_file(b, args, err);
	while (r == 0 && args_next(args, "field", &cursor, &given)) {
		r = split(given, "field", &name, &value, err);
		if (r == 0)
			say_text(b, name.p, value);
	}
	say_end_map(b);
	return r;
}

static int say_links(struct buf *b, const struct args *args, struct err *err)
{
	_cleanup_(buf_done) struct buf rel = BUF_INIT;
	const char *given;
	size_t cursor = 0;
	struct str number;
	int r = 0;

	if (!args_has(args, "link"))
		return 0;
	say_list(b, "links");
	while (r == 0 && args_next(args, "link", &cursor, &given)) {
		r = split(given, "link", &rel, &number, err);
		if (r < 0)
			break;
		say_map(b, NULL);
		say_cstr(b, "rel", rel.p);
		say_text(b, "number", number);
		say_end_map(b);
	}
	say_end_list(b);
	return r;
}

int filing_say(struct buf *b, const struct args *args, struct err *err)
{
	int r;

	say_option(b, args, "title", "title");
	say_option(b, args, "department", "department");
	say_option(b, args, "date", "date");
	say_option(b, args, "reason", "reason");
	say_option(b, args, "request", "request");
	r = say_fields(b, args, err);
	return r < 0 ? r : say_links(b, args, err);
}

/* ---- parts ---- */

/* A pipe without a name: standard input, or what a shell makes of <(command). One with a name would keep us waiting
 * until somebody writes. */
static bool is_unnamed_pipe(int fd, const struct stat *st)
{
	struct statfs fs;

	return S_ISFIFO(st->st_mode) && fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

/* Looked at before it is opened: opening some things waits, or does more than that. */
static int open_part(const char *path, struct err *err)
{
	_cleanup_(closep) int look = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	int fd;

	if (look < 0 || fstat(look, &st) < 0)
		return err_errno(err, tr("cannot open '%s'"), path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID,
			tr("'%s' is a folder; 'muniment import' files what is in it"), path);
	if (!S_ISREG(st.st_mode) && !is_unnamed_pipe(look, &st))
		return err_set(
			err, ERR_INVALID, tr("'%s' is a device, a socket or a named pipe"), path);
	fd = file_reopen(look, O_RDONLY, NULL);
	return fd >= 0 ? fd : err_errno(err, tr("cannot open '%s'"), path);
}

int filing_say_parts(struct buf *b, const struct args *args, size_t skip,
	struct filing_parts *parts, struct err *err)
{
	if (args->operand_count == skip)
		return 0;
	if (args->operand_count - skip > FILING_PARTS_MAX)
		return err_set(err, ERR_LIMIT, tr("a record has at most %d parts in one action"),
			(int)FILING_PARTS_MAX);
	say_list(b, "parts");
	for (size_t i = skip; i < args->operand_count; i++) {
		_cleanup_(buf_done) struct buf name = BUF_INIT;
		int r = text_add_file_name(&name, str_of(args->operands[i]), err), fd;

		if (r < 0)
			return r;
		fd = open_part(args->operands[i], err);
		if (fd < 0)
			return fd;
		parts->fds[parts->count++] = fd;
		say_map(b, NULL);
		say_int(b, "fd", (int64_t)(parts->count - 1));
		say_text(b, "name", buf_str(&name));
		say_end_map(b);
	}
	say_end_list(b);
	return 0;
}

void filing_parts_done(struct filing_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		closep(&parts->fds[i]);
	parts->count = 0;
}
