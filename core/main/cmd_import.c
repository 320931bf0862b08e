/* cmd_import.c - file many documents: folders, files, what is in archives.
 *
 * Documents are gathered into batches; each is one call of file.batch, one signed action, durable when it
 * answers. An interruption falls between two batches or undoes the one at hand: nothing is half filed, and
 * the same command again finds what is there already. */
#include "core/archive/walk.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/progress.h"
#include "core/main/table.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	BATCH_MAX = 100,
	SHOWN_MAX = 40,
	WITHOUT_PROGRESS_MAX = 5, /* answers of a search that waited */
};
static const uint64_t memory_max = (uint64_t)64 << 20; /* of unpacked members in one batch */

static const struct option options[] = {
	{ .name = "series",
		.letter = 's',
		.kind = OPTION_TEXT,
		.argument = "SERIES",
		.meaning = { .zh = "归入此门类（默认 EXT 外来文件）",
			.en = "file in this series (default: EXT, documents from outside)" } },
	{ .name = "department",
		.letter = 'd',
		.kind = OPTION_TEXT,
		.argument = "NAME",
		.meaning = { .zh = "部门", .en = "department" } },
	{ .name = "date",
		.kind = OPTION_DATE,
		.argument = "DAY",
		.meaning = { .zh = "全部以此日为档案日期（默认今天）",
			.en = "date of all the records (default: today)" } },
	{ .name = "file-dates",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "以各文件的修改日期为档案日期",
			.en = "date each record by its file's last change" } },
	{ .name = "reason",
		.letter = 'm',
		.kind = OPTION_TEXT,
		.argument = "TEXT",
		.meaning = { .zh = "事由", .en = "why" } },
	{ .name = "allow-copies",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "内容相同而文件名不同者各自归档",
			.en = "file documents of the same content but other names, each" } },
	{ .name = "dry-run",
		.letter = 'n',
		.kind = OPTION_FLAG,
		.meaning = { .zh = "只看会导入什么，不归档",
			.en = "say what would be filed; file nothing" } },
	{ .name = "report",
		.kind = OPTION_PATH,
		.argument = "FILE",
		.meaning = { .zh = "逐份结果写入此文件（制表符分隔：结果、编号、路径、原因）",
			.en = "write what became of each document to this file (outcome, number, "
			      "path, reason; "
			      "separated by tabs)" } },
};

struct document {
	int fd;
	char *path, *name;
	int64_t modified;
};

struct import {
	struct cli *cli;
	const struct args *args;
	struct progress *progress;
	struct document batch[BATCH_MAX];
	size_t count;
	uint64_t in_memory, done, total; /* bytes */
	uint64_t filed, existing, refused, left_out, seen;
	struct table *filed_table, *refused_table;
	FILE *report;
};

static void import_done(struct import *m)
{
	for (size_t i = 0; i < m->count; i++) {
		closep(&m->batch[i].fd);
		free(m->batch[i].path);
		free(m->batch[i].name);
	}
	table_free(m->filed_table);
	table_free(m->refused_table);
	if (m->report)
		(void)fclose(m->report);
}

/* ---- what became of a document ---- */

static void note(
	struct import *m, const char *outcome, struct str number, struct str path, struct str why)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT;

	term_add_sentence(&safe, why);
	if (m->report)
		(void)fprintf(m->report, "%s\t%.*s\t%.*s\t%s\n", outcome, STR_ARG(number),
			STR_ARG(path), safe.p);
}

static void note_refused(struct import *m, struct str path, struct str why)
{
	m->refused++;
	table_add_sentence(m->refused_table, path);
	table_add_sentence(m->refused_table, why);
	note(m, "refused", STR(""), path, why);
}

static void note_filed(struct import *m, struct str number, struct str path)
{
	if (m->filed++ < SHOWN_MAX) {
		table_add_styled(m->filed_table, TERM_BOLD, number);
		table_add_sentence(m->filed_table, path);
	}
	note(m, "filed", number, path, STR(""));
}

static void note_results(struct import *m, const struct json *results)
{
	for (size_t i = 0; i < m->count && i < reply_count(results); i++) {
		const struct json *r = json_list_at(results, i);
		struct str outcome = reply_text(r, "outcome"), path = str_of(m->batch[i].path);

		if (str_is(outcome, "filed")) {
			note_filed(m, reply_text(r, "number"), path);
		} else if (str_is(outcome, "existing")) {
			m->existing++;
			note(m, "existing", reply_text(r, "number"), path, STR(""));
		} else {
			note_refused(m, path, reply_text(r, "text"));
		}
	}
}

/* ---- a batch ---- */

static void say_document(struct buf *b, const struct import *m, size_t i)
{
	const struct document *d = &m->batch[i];

	say_map(b, NULL);
	say_int(b, "fd", (int64_t)i);
	say_cstr(b, "name", d->name);
	say_cstr(b, "note", d->path);
	if (args_has(m->args, "file-dates") && d->modified > 0)
		say_day(b, "date", day_of(d->modified));
	else
		say_option(b, m->args, "date", "date");
	say_end_map(b);
}

static void say_batch(struct buf *b, const struct import *m)
{
	say_map(b, NULL);
	say_option(b, m->args, "series", "series");
	say_option(b, m->args, "department", "department");
	say_option(b, m->args, "reason", "reason");
	say_flag(b, m->args, "allow-copies", "allow_copies");
	say_list(b, "documents");
	for (size_t i = 0; i < m->count; i++)
		say_document(b, m, i);
	say_end_list(b);
	say_end_map(b);
}

static void empty_batch(struct import *m)
{
	for (size_t i = 0; i < m->count; i++) {
		closep(&m->batch[i].fd);
		free(m->batch[i].path);
		free(m->batch[i].name);
	}
	m->count = 0;
	m->in_memory = 0;
}

static void show_progress(struct import *m)
{
	struct progress_state s = {
		.done = m->done, .total = m->total, .count = m->seen, .unit = tr("documents")
	};

	progress_step(m->progress, &s, clock_ticks());
}

static int file_batch(struct import *m, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int fds[BATCH_MAX], r;

	if (m->count == 0)
		return 0;
	for (size_t i = 0; i < m->count; i++)
		fds[i] = m->batch[i].fd;
	say_batch(&request, m);
	progress_hide(m->progress); /* a passphrase may be asked for */
	r = cli_call_quietly(m->cli, "file.batch", &request, fds, m->count, &reply, err);
	if (r < 0)
		return r;
	note_results(m, reply_at(reply, "results"));
	m->seen += m->count;
	if (m->report)
		(void)fflush(m->report); /* what was filed is noted, whatever comes next */
	empty_batch(m);
	show_progress(m);
	return 0;
}

static int take(struct import *m, struct walk_item *item, struct err *err)
{
	struct document *d = &m->batch[m->count++];

	*d = (struct document){ .fd = TAKE_FD(item->fd),
		.path = str_dup(item->path),
		.name = str_dup(item->name),
		.modified = item->modified };
	if (item->is_in_memory)
		m->in_memory += item->bytes;
	return m->count == BATCH_MAX || m->in_memory >= memory_max ? file_batch(m, err) : 0;
}

static int each(void *context, struct walk_item *item, struct err *err)
{
	struct import *m = context;

	if (cli_is_interrupted())
		return err_set(err, ERR_CANCELLED, tr("interrupted"));
	m->done = item->done;
	switch (item->kind) {
	case WALK_LEFT_OUT:
		m->left_out++;
		note(m, "left-out", STR(""), item->path, STR(""));
		return 0;
	case WALK_REFUSED:
		m->seen++;
		note_refused(m, item->path, str_of(item->why));
		return 0;
	default:
		break;
	}
	if (!args_has(m->args, "dry-run"))
		return take(m, item, err);
	m->seen++;
	note_filed(m, STR("-"), item->path);
	return 0;
}

/* ---- the summary ---- */

static void print_json(const struct import *m, bool is_interrupted)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	say_map(&b, NULL);
	say_int(&b, "filed", (int64_t)m->filed);
	say_int(&b, "existing", (int64_t)m->existing);
	say_int(&b, "refused", (int64_t)m->refused);
	say_int(&b, "left_out", (int64_t)m->left_out);
	say_bool(&b, "interrupted", is_interrupted);
	say_bool(&b, "dry_run", args_has(m->args, "dry-run"));
	say_end_map(&b);
	(void)fprintf(m->cli->out.file, "%s\n", b.p);
}

static void print_summary(const struct import *m, int64_t begun)
{
	struct cli *cli = m->cli;
	FILE *out = cli->out.file;
	_cleanup_(buf_done) struct buf took = BUF_INIT;

	term_add_duration(&took, (uint64_t)((clock_ticks() - begun) / 1000000000));
	table_print(m->filed_table, &cli->out);
	if (m->filed > SHOWN_MAX)
		term_printf(&cli->out, tr("… and %llu more: muniment list --order filed_down\n"),
			(unsigned long long)(m->filed - SHOWN_MAX));
	if (m->filed)
		(void)fputc('\n', out);
	table_print(m->refused_table, &cli->out);
	if (m->refused)
		(void)fputc('\n', out);
	if (args_has(m->args, "dry-run"))
		term_printf(&cli->out, tr("Would be filed: %llu; refused: %llu; left out: %llu\n"),
			(unsigned long long)m->filed, (unsigned long long)m->refused,
			(unsigned long long)m->left_out);
	else
		term_printf(&cli->out,
			tr("Filed: %llu; there already: %llu; refused: %llu; left out: %llu; time "
			   "%s\n"),
			(unsigned long long)m->filed, (unsigned long long)m->existing,
			(unsigned long long)m->refused, (unsigned long long)m->left_out, took.p);
}

static int open_report(struct import *m, struct err *err)
{
	const char *path = args_text(m->args, "report");

	if (!path)
		return 0;
	m->report = fopen(path, "we");
	if (!m->report)
		return err_errno(err, tr("cannot open '%s' for writing"), path);
	return 0;
}

static int import(struct import *m, struct err *err)
{
	int r = open_report(m, err);

	if (r < 0)
		return r;
	m->total = walk_measure(m->args->operands, m->args->operand_count);
	show_progress(m);
	r = walk_paths(m->args->operands, m->args->operand_count, NULL, each, m, err);
	if (r == 0)
		r = file_batch(m, err);
	if (m->report && (fflush(m->report) != 0 || ferror(m->report)) && r == 0)
		r = err_errno(err, tr("cannot write the output"));
	return r;
}

/* Without a resident process this one must stay until what it filed can be found. After much that takes longer than the
 * filing did, so it is shown; Ctrl-C leaves the rest to whichever process opens the archive next. */
static void make_searchable(struct cli *cli)
{
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int64_t lag = INT64_MAX;
	int without_progress = 0;

	say_map(&request, NULL);
	say_cstr(&request, "query", "");
	say_int(&request, "limit", 1);
	say_bool(&request, "snippets", false);
	say_bool(&request, "fresh", true);
	say_end_map(&request);
	cli_remark(cli, "%s",
		tr("everything is filed; making it searchable (Ctrl-C leaves that for later)"));
	while (lag > 0 && !cli_is_interrupted()) {
		_cleanup_(json_freep) struct json *reply = NULL;
		int64_t before = lag;

		if (cli_call(cli, "search", &request, NULL, 0, &reply, NULL) < 0)
			return;
		lag = reply_int(reply, "lag");
		without_progress = lag < before ? 0 : without_progress + 1;
		if (without_progress < WITHOUT_PROGRESS_MAX)
			continue;
		cli_remark(cli, "%s",
			tr("what was filed cannot be found yet: the index does not follow; see "
			   "'muniment status'"));
		return;
	}
}

static const struct table_column filed_columns[] = {
	{ .title = { .zh = "编号", .en = "NUMBER" } },
	{ .title = { .zh = "来源", .en = "FROM" }, .shrinks = 24 },
};

static const struct table_column refused_columns[] = {
	{ .title = { .zh = "未归档", .en = "REFUSED" }, .shrinks = 24 },
	{ .title = { .zh = "原因", .en = "WHY" }, .shrinks = 24 },
};

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(progress_freep) struct progress *progress =
		progress_new(&cli->remarks, tr("import"), cli->quiet);
	_cleanup_(import_done) struct import m = { .cli = cli,
		.args = args,
		.progress = progress,
		.filed_table = table_new(filed_columns, ARRAY_LEN(filed_columns)),
		.refused_table = table_new(refused_columns, ARRAY_LEN(refused_columns)) };
	int64_t begun = clock_ticks();
	int r = import(&m, err);

	progress_hide(progress);
	if (r < 0 && r != -ERR_CANCELLED && m.seen == 0)
		return r;
	if (cli->json)
		print_json(&m, r == -ERR_CANCELLED);
	else
		print_summary(&m, begun);
	if (r < 0)
		cli_remark(cli, "%s",
			tr("the same command again goes on: what is there already is not filed "
			   "twice"));
	if (r < 0)
		return cli->json ? exit_of(r) : r;
	(void)fflush(cli->out.file);
	if (m.filed > BATCH_MAX && !args_has(args, "dry-run") && !desk_is_resident(cli->desk))
		make_searchable(cli);
	return m.refused ? EXIT_PARTLY : 0;
}

const struct command command_import = {
	.name = "import",
	.operands = "PATH...",
	.min_operands = 1,
	.max_operands = 10000,
	.help = { .zh = "批量导入：文件、文件夹、压缩包（.zip .tar.*）",
		.en = "file many: files, folders, what is in .zip and .tar archives" },
	.about = { .zh = "每份文件成为一份档案，题名取自文件名。已在库中的（同门类、同内容）不重复"
			 "归档，故中断后以同一命令即可续作。"
			 "链接、设备、越出压缩包的路径、加密成员和压缩炸弹被拒绝并说明原因；有被拒"
			 "绝的，退出码为 8。",
		.en = "Each file becomes a record; its title is the file's name. What is there "
		      "already (same series, same content) is not filed "
		      "again, so after an interruption the same command goes on. Links, devices, "
		      "names that climb out of an archive, encrypted "
		      "members and bombs are refused with a reason; the exit code is then 8." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
