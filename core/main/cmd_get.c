/* cmd_get.c - the bytes of a part, or its text, to a file or to standard output.
 *
 * A file gets its name only when everything is in it and its SHA-256 is right: until then it is
 * NAME.part. */
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option options[] = {
	{ .name = "output",
		.letter = 'o',
		.kind = OPTION_PATH,
		.argument = "FILE",
		.meaning = { .zh = "写入此文件，或以原名写入此文件夹；- 为标准输出（默认）",
			.en = "write to this file, or under its own name into this folder; - is "
			      "standard "
			      "output (default)" } },
	{ .name = "force",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "覆盖已有文件", .en = "replace a file that exists" } },
	{ .name = "version",
		.letter = 'v',
		.kind = OPTION_NUMBER,
		.max = UINT32_MAX,
		.argument = "VERSION",
		.meaning = { .zh = "取旧版本（默认当前版本）",
			.en = "of an older version (default: the newest)" } },
	{ .name = "from",
		.kind = OPTION_NUMBER,
		.max = INT64_MAX,
		.argument = "BYTE",
		.meaning = { .zh = "从第几字节起（自 0 计）",
			.en = "from this byte on (the first is 0)" } },
	{ .name = "to",
		.kind = OPTION_NUMBER,
		.max = INT64_MAX,
		.argument = "BYTE",
		.meaning = { .zh = "到第几字节止（含）", .en = "up to this byte, included" } },
	{ .name = "text",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "取提取出的文字，而非原文件",
			.en = "the extracted text, not the file" } },
};

static void say_part(struct buf *b, const struct args *args)
{
	say_map(b, NULL);
	say_cstr(b, "number", args->operands[0]);
	if (args->operand_count > 1)
		say_cstr(b, "part", args->operands[1]);
	else if (!args_has(args, "text"))
		say_cstr(b, "part", "1");
	say_option_number(b, args, "version", "version");
	say_option_number(b, args, "from", "from");
	say_option_number(b, args, "to", "to");
	say_end_map(b);
}

static int call(
	struct cli *cli, const struct args *args, int fd, struct json **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf request = BUF_INIT;

	say_part(&request, args);
	return cli_call(cli, args_has(args, "text") ? "text" : "get", &request, &fd, 1, ret, err);
}

/* ---- text to a terminal: line by line, safe ---- */

static int get_text(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_wipe) struct buf text = BUF_INIT_MAX((size_t)256 << 20);
	_cleanup_(closep) int fd = memfd_create("text", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_errno(err, tr("cannot make room for the text"));
	r = call(cli, args, fd, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, tr("cannot read"));
	r = file_read_fd(fd, &text, err);
	if (r < 0)
		return r;
	term_put_lines(&cli->out, 0, buf_str(&text));
	if (text.n == 0)
		cli_remark(cli, tr("no text: %.*s"), STR_ARG(reply_text(reply, "reason")));
	return 0;
}

/* ---- bytes ---- */

static int get_to_stdout(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;

	if (cli->out.is_terminal)
		return err_set(err, ERR_INVALID,
			tr("a file is not written to a terminal, which its bytes could take over; "
			   "use "
			   "'--output FILE', a pipe, or '--text'"));
	(void)fflush(stdout);
	return call(cli, args, STDOUT_FILENO, &reply, err);
}

/* Where the bytes go: the folder, the name, and whether the name must still be learnt from the
 * archive. */
struct target {
	int dir;
	struct buf name, temporary;
};

static void target_done(struct target *t)
{
	closep(&t->dir);
	buf_done(&t->name);
	buf_done(&t->temporary);
}

/* A part's own name, made safe for a folder. */
static int own_name(struct cli *cli, const struct args *args, struct buf *ret, struct err *err)
{
	_cleanup_(json_freep) struct json *record = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	const char *wanted = args->operand_count > 1 ? args->operands[1] : "1";
	const struct json *parts;
	uint64_t place = 0;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "number", args->operands[0]);
	say_option_number(&request, args, "version", "version");
	say_end_map(&request);
	r = cli_call(cli, "show", &request, NULL, 0, &record, err);
	if (r < 0)
		return r;
	parts = reply_at(record, "parts");
	(void)str_to_u64(str_of(wanted), UINT32_MAX, &place, NULL);
	for (size_t i = 0; i < reply_count(parts); i++) {
		const struct json *part = json_list_at(parts, i);

		if (i + 1 == place || str_is(reply_text(part, "name"), wanted) ||
			str_is(reply_text(part, "id"), wanted))
			return text_add_file_name(ret, reply_text(part, "name"), err);
	}
	return err_set(
		err, ERR_NOTFOUND, tr("record '%s' has no part '%s'"), args->operands[0], wanted);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int aim(struct cli *cli, const struct args *args, const char *path, struct target *t,
	struct err *err)
{
	const char *name = "";
	int r = 0;

	if (is_folder(path)) {
		t->dir = file_open_dir(AT_FDCWD, path, err);
		if (t->dir >= 0)
			r = own_name(cli, args, &t->name, err);
	} else {
		t->dir = file_open_parent(path, &name, err);
		buf_adds(&t->name, name);
	}
	if (t->dir < 0 || r < 0)
		return t->dir < 0 ? t->dir : r;
	buf_addf(&t->temporary, "%s.part", t->name.p);
	if (!args_has(args, "force") && file_exists(t->dir, t->name.p))
		return err_set(
			err, ERR_EXISTS, tr("'%s' exists already; --force replaces it"), t->name.p);
	return 0;
}

static int get_to_file(struct cli *cli, const struct args *args, const char *path, struct err *err)
{
	_cleanup_(target_done) struct target t = {
		.dir = -1, .name = BUF_INIT, .temporary = BUF_INIT
	};
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(closep) int fd = -1;
	int r = aim(cli, args, path, &t, err);

	if (r == 0)
		r = file_unlink(t.dir, t.temporary.p, err);
	if (r < 0)
		return r;
	fd = file_create(t.dir, t.temporary.p, err);
	if (fd < 0)
		return fd;
	r = call(cli, args, fd, &reply, err);
	if (r == 0)
		r = file_datasync(fd, err);
	if (r == 0)
		r = file_rename(t.dir, t.temporary.p, t.dir, t.name.p, err);
	if (r < 0) {
		(void)file_unlink(t.dir, t.temporary.p, NULL);
		return r;
	}
	if (!cli_print_json(cli, reply)) {
		_cleanup_(buf_done) struct buf size = BUF_INIT;

		term_add_size(&size, (uint64_t)reply_int(reply, "written"));
		cli_remark(cli, tr("'%s' written, %s"), t.name.p, size.p);
	}
	return 0;
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	const char *output = args_text(args, "output");

	if (output && strcmp(output, "-") != 0)
		return get_to_file(cli, args, output, err);
	if (args_has(args, "text") && cli->out.is_terminal)
		return get_text(cli, args, err);
	return get_to_stdout(cli, args, err);
}

const struct command command_get = {
	.name = "get",
	.operands = "NUMBER [PART]",
	.min_operands = 1,
	.max_operands = 2,
	.help = { .zh = "取出组成文件", .en = "get a part's bytes" },
	.about = { .zh = "PART 为名称、标识或序号（默认第 1 个）。写入前逐块核对；文件完整且 "
			 "SHA-256 相符后才得名。",
		.en = "PART is a name, an id, or a place (default: the first). Each block is "
		      "checked before it is written; a file gets its "
		      "name only when it is complete and its SHA-256 is right." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
