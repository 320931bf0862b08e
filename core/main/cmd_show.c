/* cmd_show.c - one record: head, fields, parts, links, history with signatures. */
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/pairs.h"
#include "core/main/signed.h"
#include "core/main/table.h"

static const struct option options[] = {
	{ .name = "version",
		.letter = 'v',
		.kind = OPTION_NUMBER,
		.max = UINT32_MAX,
		.argument = "VERSION",
		.meaning = { .zh = "查看旧版本（默认当前版本）",
			.en = "an older version (default: the newest)" } },
};

static void print_head(struct cli *cli, const struct json *r)
{
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();
	const struct json *retention = reply_at(r, "retention");
	_cleanup_(buf_done) struct buf classes = BUF_INIT;

	for (size_t i = 0; i < reply_count(retention); i++) {
		buf_adds(&classes, i ? tr(", ") : "");
		buf_add_str(&classes, json_text(json_list_at(retention, i)));
	}
	pairs_add(p, str_of(tr("number")), reply_text(r, "number"));
	pairs_add(p, str_of(tr("title")), reply_text(r, "title"));
	pairs_addf(p, tr("series"), "%.*s  %.*s", STR_ARG(reply_text(r, "series")),
		STR_ARG(reply_text(r, "series_title")));
	pairs_add(p, str_of(tr("department")), reply_text(r, "department"));
	pairs_add(p, str_of(tr("date")), reply_text(r, "date"));
	pairs_addf(p, tr("version"), tr("%lld of %lld"), (long long)reply_int(r, "version"),
		(long long)reply_int(r, "versions"));
	pairs_add(p, str_of(tr("retention")), buf_str(&classes));
	pairs_add(p, str_of(tr("path")), reply_text(r, "path"));
	pairs_add(p, str_of(tr("record id")), reply_text(r, "record"));
	if (reply_bool(r, "destroyed"))
		pairs_add(p, str_of(tr("state")), str_of(tr("destroyed; only this head is left")));
	pairs_print(p, &cli->out, 0);
}

static void put_title(struct cli *cli, const char *title)
{
	(void)fputc('\n', cli->out.file);
	term_put(&cli->out, TERM_BOLD, str_of(title));
	(void)fputc('\n', cli->out.file);
}

static void print_fields(struct cli *cli, const struct json *fields)
{
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();

	if (!reply_count(fields))
		return;
	for (size_t i = 0; i < reply_count(fields); i++) {
		const struct json *f = json_list_at(fields, i);

		pairs_add(p,
			reply_text(f, "label").n ? reply_text(f, "label") : reply_text(f, "name"),
			reply_text(f, "text"));
	}
	put_title(cli, tr("Fields"));
	pairs_print(p, &cli->out, 2);
}

static void add_text_state(struct buf *b, const struct json *text)
{
	if (!text)
		buf_adds(b, tr("not read yet"));
	else if (reply_text(text, "sentence").n)
		buf_add_str(b, reply_text(text, "sentence"));
	else if (reply_int(text, "pages"))
		buf_addf(b, tr("%lld pages"), (long long)reply_int(text, "pages"));
	else
		buf_add_str(b, reply_text(text, "reason"));
}

static void print_parts(struct cli *cli, const struct json *parts)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "序", .en = "#" }, .is_right = true },
		{ .title = { .zh = "名称", .en = "NAME" }, .shrinks = 20 },
		{ .title = { .zh = "类型", .en = "TYPE" }, .shrinks = 12 },
		{ .title = { .zh = "大小", .en = "SIZE" }, .is_right = true },
		{ .title = { .zh = "SHA-256", .en = "SHA-256" } },
		{ .title = { .zh = "文字", .en = "TEXT" }, .shrinks = 8 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	if (!reply_count(parts))
		return;
	for (size_t i = 0; i < reply_count(parts); i++) {
		const struct json *part = json_list_at(parts, i);
		_cleanup_(buf_done) struct buf size = BUF_INIT, text = BUF_INIT;
		struct str digest = reply_text(part, "sha256");

		term_add_size(&size, (uint64_t)reply_int(part, "size"));
		add_text_state(&text, reply_at(part, "text"));
		table_add_number(t, i + 1);
		table_add(t, reply_text(part, "name"));
		table_add(t, reply_text(part, "media"));
		table_add(t, buf_str(&size));
		table_add(t, cli->out.is_terminal && digest.n > 16 ? (struct str){ digest.p, 16 }
								   : digest);
		table_add(t, buf_str(&text));
	}
	put_title(cli, tr("Parts"));
	table_print(t, &cli->out);
}

static void print_links(struct cli *cli, const struct json *links)
{
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();

	if (!reply_count(links))
		return;
	for (size_t i = 0; i < reply_count(links); i++) {
		const struct json *l = json_list_at(links, i);

		pairs_add(p, reply_text(l, "rel"),
			reply_text(l, "number").n ? reply_text(l, "number")
						  : reply_text(l, "record"));
	}
	put_title(cli, tr("Links"));
	pairs_print(p, &cli->out, 2);
}

static void print_history(struct cli *cli, const struct json *history)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "版本", .en = "VER" }, .is_right = true },
		{ .title = { .zh = "操作", .en = "ACT" } },
		{ .title = { .zh = "时间", .en = "WHEN" } },
		{ .title = { .zh = "操作人", .en = "WHO" } },
		{ .title = { .zh = "签名", .en = "SIGNATURE" } },
		{ .title = { .zh = "提交", .en = "COMMIT" } },
		{ .title = { .zh = "题名/事由", .en = "TITLE / REASON" }, .shrinks = 16 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));

	if (!reply_count(history))
		return;
	for (size_t i = 0; i < reply_count(history); i++) {
		const struct json *h = json_list_at(history, i);
		_cleanup_(buf_done) struct buf what = BUF_INIT;
		struct str commit = reply_text(h, "commit");

		buf_add_str(&what, reply_text(h, "title"));
		if (reply_text(h, "reason").n) {
			buf_adds(&what, tr(": "));
			buf_add_str(&what, reply_text(h, "reason"));
		}
		table_add_number(t, (uint64_t)reply_int(h, "version"));
		table_add(t, str_of(act_text(reply_text(h, "act"))));
		table_add_instant(t, reply_text(h, "at"));
		table_add(t,
			reply_text(h, "name").n ? reply_text(h, "name") : reply_text(h, "account"));
		table_add_signature(t, reply_text(h, "signature"));
		table_add(t, commit.n > 12 ? (struct str){ commit.p, 12 } : commit);
		table_add(t, buf_str(&what));
	}
	put_title(cli, tr("Versions"));
	table_print(t, &cli->out);
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	say_map(&request, NULL);
	say_cstr(&request, "number", args->operands[0]);
	say_option_number(&request, args, "version", "version");
	say_end_map(&request);
	r = cli_call(cli, "show", &request, NULL, 0, &reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	print_head(cli, reply);
	print_fields(cli, reply_at(reply, "fields"));
	print_parts(cli, reply_at(reply, "parts"));
	print_links(cli, reply_at(reply, "links"));
	print_history(cli, reply_at(reply, "history"));
	return 0;
}

const struct command command_show = {
	.name = "show",
	.operands = "NUMBER",
	.min_operands = 1,
	.max_operands = 1,
	.help = { .zh = "查看一份档案：著录项、组成文件、版本与签名",
		.en = "show one record: fields, parts, versions and signatures" },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
