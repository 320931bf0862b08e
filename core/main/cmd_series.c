/* cmd_series.c - kinds of records: their forms, numbers, departments, retention. */
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/pairs.h"
#include "core/main/table.h"

#include <fcntl.h>

static const struct option show_options[] = {
	{ .name = "yaml",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "只输出定义原文",
			.en = "print the definition's own text only" } },
	{ .name = "definition",
		.kind = OPTION_TEXT,
		.argument = "SHA256",
		.meaning = { .zh = "查看旧定义（以 SHA-256 指明）",
			.en = "an older definition, by its SHA-256" } },
};

static const struct option add_options[] = {
	{ .name = "reason",
		.letter = 'm',
		.kind = OPTION_TEXT,
		.argument = "TEXT",
		.meaning = { .zh = "事由", .en = "why" } },
};

static void add_names(struct buf *b, const struct json *list, const char *member)
{
	for (size_t i = 0; i < reply_count(list); i++) {
		const struct json *v = json_list_at(list, i);

		buf_adds(b, i ? tr(", ") : "");
		if (json_kind_of(v) == JSON_KIND_TEXT)
			buf_add_str(b, json_text(v));
		else
			buf_add_str(b, reply_text(v, member));
	}
}

static int run_list(struct cli *cli, const struct args *args, struct err *err)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "门类", .en = "SERIES" } },
		{ .title = { .zh = "名称", .en = "TITLE" }, .shrinks = 16 },
		{ .title = { .zh = "编号规则", .en = "NUMBER" }, .shrinks = 16 },
		{ .title = { .zh = "部门", .en = "DEPARTMENTS" }, .shrinks = 10 },
		{ .title = { .zh = "档案数", .en = "RECORDS" }, .is_right = true },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));
	_cleanup_(json_freep) struct json *reply = NULL;
	const struct json *list;
	int r = cli_call(cli, "series.list", NULL, NULL, 0, &reply, err);

	(void)args;
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	list = reply_at(reply, "series");
	for (size_t i = 0; i < reply_count(list); i++) {
		const struct json *row = json_list_at(list, i);
		_cleanup_(buf_done) struct buf departments = BUF_INIT;

		if (reply_at(row, "departments"))
			add_names(&departments, reply_at(row, "departments"), "name");
		else
			buf_adds(&departments, tr("any"));
		table_add(t, reply_text(row, "code"));
		table_add(t, reply_text(row, "title"));
		table_add(t, reply_text(row, "number"));
		table_add(t, buf_str(&departments));
		table_add_number(t, (uint64_t)reply_int(row, "records"));
	}
	table_print(t, &cli->out);
	return 0;
}

/* ---- show ---- */

static const struct phrase *type_phrase(struct str type)
{
	static const struct {
		const char *word;
		struct phrase text;
	} types[] = {
		{ "text", { .zh = "单行文字", .en = "text" } },
		{ "long_text", { .zh = "多行文字", .en = "long text" } },
		{ "code", { .zh = "代码", .en = "code" } },
		{ "date", { .zh = "日期", .en = "date" } },
		{ "instant", { .zh = "时刻", .en = "instant" } },
		{ "money", { .zh = "金额", .en = "money" } },
		{ "integer", { .zh = "整数", .en = "whole number" } },
		{ "choice", { .zh = "选项", .en = "choice" } },
		{ "person", { .zh = "人员", .en = "person" } },
		{ "phone", { .zh = "电话", .en = "phone" } },
		{ "address", { .zh = "地址", .en = "address" } },
		{ "id_card", { .zh = "身份证号", .en = "identity card" } },
		{ "rows", { .zh = "表格", .en = "table" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_is(type, types[i].word))
			return &types[i].text;
	return NULL;
}

static const struct json *find_named(const struct json *list, struct str name)
{
	for (size_t i = 0; i < reply_count(list); i++) {
		const struct json *v = json_list_at(list, i);

		if (str_eq(reply_text(v, "name"), name))
			return v;
	}
	return NULL;
}

static void next_note(struct buf *b, const char *text)
{
	buf_adds(b, b->n > 0 ? tr("; ") : "");
	buf_adds(b, text);
}

/* The condition in the form's own words. */
static void add_condition(struct buf *b, const struct json *fields, const struct json *when)
{
	const struct json *asked = find_named(fields, reply_text(when, "field"));
	const struct json *values = reply_at(when, "values");

	next_note(b, tr("required when "));
	buf_add_str(b, reply_text(asked, "label"));
	buf_adds(b, " = ");
	for (size_t i = 0; i < reply_count(values); i++) {
		struct str value = json_text(json_list_at(values, i));
		const struct json *choice = find_named(reply_at(asked, "choices"), value);

		buf_adds(b, i ? tr(", ") : "");
		buf_add_str(b, choice ? reply_text(choice, "label") : value);
	}
}

static void add_field_notes(struct buf *b, const struct json *fields, const struct json *field)
{
	const struct json *when = reply_at(field, "required_when");
	static const char *const lists[] = { "choices", "columns" };

	if (reply_bool(field, "required"))
		next_note(b, tr("required"));
	if (when)
		add_condition(b, fields, when);
	if (reply_bool(field, "sensitive"))
		next_note(b, tr("sensitive"));
	if (reply_bool(field, "several"))
		next_note(b, tr("several"));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (reply_count(reply_at(field, lists[i])) > 0) {
			next_note(b, "");
			add_names(b, reply_at(field, lists[i]), "label");
		}
}

static void print_fields(struct cli *cli, const struct json *fields)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "字段", .en = "FIELD" } },
		{ .title = { .zh = "名称", .en = "LABEL" } },
		{ .title = { .zh = "类型", .en = "TYPE" } },
		{ .title = { .zh = "说明", .en = "NOTES" }, .shrinks = 20 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < reply_count(fields); i++) {
		const struct json *field = json_list_at(fields, i);
		const struct phrase *type = type_phrase(reply_text(field, "type"));
		_cleanup_(buf_done) struct buf notes = BUF_INIT;

		add_field_notes(&notes, fields, field);
		table_add(t, reply_text(field, "name"));
		table_add(t, reply_text(field, "label"));
		table_add(t, type ? str_of(phrase_text(type)) : reply_text(field, "type"));
		table_add(t, buf_str(&notes));
	}
	if (table_rows(t))
		(void)fputc('\n', cli->out.file);
	table_print(t, &cli->out);
}

static struct str sensitivity_text(struct str word)
{
	static const struct {
		const char *word;
		struct phrase text;
	} words[] = {
		{ "public", { .zh = "公开", .en = "public" } },
		{ "internal", { .zh = "内部", .en = "internal" } },
		{ "restricted", { .zh = "受限", .en = "restricted" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(word, words[i].word))
			return str_of(phrase_text(&words[i].text));
	return word;
}

static void print_series(struct cli *cli, const struct json *s)
{
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();
	_cleanup_(buf_done) struct buf departments = BUF_INIT, retention = BUF_INIT;
	const struct json *title = reply_at(s, "title"), *classes = reply_at(s, "retention");

	if (reply_at(s, "departments"))
		add_names(&departments, reply_at(s, "departments"), "name");
	else
		buf_adds(&departments, tr("any"));
	for (size_t i = 0; i < reply_count(classes); i++) {
		buf_adds(&retention, i ? tr(", ") : "");
		buf_add_str(&retention, reply_text(json_list_at(classes, i), "code"));
		buf_adds(&retention, " ");
		buf_add_str(&retention, reply_text(json_list_at(classes, i), "title"));
	}
	pairs_add(p, str_of(tr("series")), reply_text(s, "code"));
	pairs_add(p, str_of(tr("title")), reply_text(title, tr_language_name(tr_language())));
	pairs_add(p, str_of(tr("numbers")), reply_text(s, "number"));
	pairs_add(p, str_of(tr("brought numbers")), reply_text(s, "given"));
	pairs_add(p, str_of(tr("dated by")), reply_text(s, "date_field"));
	pairs_add(p, str_of(tr("departments")), buf_str(&departments));
	pairs_add(p, str_of(tr("retention")), buf_str(&retention));
	pairs_add(p, str_of(tr("sensitivity")), sensitivity_text(reply_text(s, "sensitivity")));
	pairs_addf(p, tr("version"), "%lld", (long long)reply_int(s, "version"));
	pairs_add(p, str_of(tr("definition")), reply_text(s, "definition"));
	pairs_print(p, &cli->out, 0);
	print_fields(cli, reply_at(s, "fields"));
}

static int run_show(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "series", args->operands[0]);
	say_option(&request, args, "definition", "definition");
	say_end_map(&request);
	r = cli_call(cli, "series.show", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	if (args_has(args, "yaml"))
		term_put_lines(&cli->out, 0, reply_text(reply, "text"));
	else
		print_series(cli, reply);
	return 0;
}

/* ---- add ---- */

static int run_add(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	_cleanup_(closep) int fd = file_open_read(AT_FDCWD, args->operands[0], err);
	int r;

	if (fd < 0)
		return fd;
	say_map(&request, NULL);
	/* Behind the path that was typed come line and column. */
	say_cstr(&request, "name", args->operands[0]);
	say_option(&request, args, "reason", "reason");
	say_end_map(&request);
	r = cli_call(cli, "series.add", &request, &fd, 1, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	term_put(&cli->out, TERM_BOLD, reply_text(reply, "code"));
	if (reply_bool(reply, "changed"))
		term_printf(&cli->out, tr(": version %lld of the definition is in force\n"),
			(long long)reply_int(reply, "version"));
	else
		(void)fputs(tr(": the same text is in force already\n"), cli->out.file);
	return 0;
}

const struct command command_series_list = {
	.name = "series list",
	.help = { .zh = "列出门类", .en = "list the series" },
	.run = run_list,
};

const struct command command_series_show = {
	.name = "series show",
	.operands = "SERIES",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "查看门类：编号规则、部门、保管类别、字段",
		.en = "show a series: numbers, departments, retention, fields" },
	.options = show_options,
	.option_count = ARRAY_LEN(show_options),
	.run = run_show,
};

const struct command command_series_add = {
	.name = "series add",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "登记门类定义，或修订已有定义",
		.en = "add a series, or revise its definition" },
	.about = { .zh = "FILE 为 YAML 定义，写法见 "
			 "muniment.yaml(5)。定义本身也是受控档案，旧版永久保存。",
		.en = "FILE is the definition in YAML, see muniment.yaml(5). Definitions are "
		      "records themselves, and old ones are "
		      "kept for ever." },
	.options = add_options,
	.option_count = ARRAY_LEN(add_options),
	.run = run_add,
};
