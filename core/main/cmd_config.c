/* cmd_config.c - settings: every one with its meaning; one; another value. */
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/pairs.h"
#include "core/main/table.h"

static void add_range(struct buf *b, const struct json *s)
{
	const struct json *choices = reply_at(s, "choices");

	for (size_t i = 0; i < reply_count(choices); i++) {
		buf_adds(b, i ? tr(", ") : "");
		buf_add_str(b, json_text(json_list_at(choices, i)));
	}
	if (reply_at(s, "min") && reply_at(s, "max"))
		buf_addf(b, "%lld … %lld", (long long)reply_int(s, "min"),
			(long long)reply_int(s, "max"));
}

static int print_all(struct cli *cli, struct err *err)
{
	static const struct table_column columns[] = {
		{ .title = { .zh = "设置", .en = "SETTING" } },
		{ .title = { .zh = "现值", .en = "VALUE" }, .shrinks = 10 },
		{ .title = { .zh = "默认", .en = "DEFAULT" }, .shrinks = 10 },
		{ .title = { .zh = "含义", .en = "MEANING" }, .shrinks = 24 },
	};
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));
	_cleanup_(json_freep) struct json *reply = NULL;
	const struct json *settings;
	int r = cli_call(cli, "config.list", NULL, NULL, 0, &reply, err);

	if (r < 0 || cli_print_json(cli, reply))
		return r;
	settings = reply_at(reply, "settings");
	for (size_t i = 0; i < reply_count(settings); i++) {
		const struct json *s = json_list_at(settings, i);
		struct str value = reply_text(s, "value"), initial = reply_text(s, "default");

		table_add(t, reply_text(s, "name"));
		table_add_styled(t, str_eq(value, initial) ? TERM_PLAIN : TERM_BOLD, value);
		table_add(t, initial);
		table_add(t, reply_text(s, "meaning"));
	}
	table_print(t, &cli->out);
	return 0;
}

static void print_one(struct cli *cli, const struct json *s)
{
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();
	_cleanup_(buf_done) struct buf range = BUF_INIT;

	add_range(&range, s);
	pairs_add(p, str_of(tr("setting")), reply_text(s, "name"));
	pairs_add(p, str_of(tr("value")), reply_text(s, "value"));
	pairs_add(p, str_of(tr("default")), reply_text(s, "default"));
	pairs_add(p, str_of(tr("allowed")), buf_str(&range));
	pairs_add(p, str_of(tr("meaning")), reply_text(s, "meaning"));
	pairs_print(p, &cli->out, 0);
}

static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	_cleanup_(buf_done) struct buf request = BUF_INIT;
	int r;

	if (args->operand_count == 0)
		return print_all(cli, err);
	say_map(&request, NULL);
	say_cstr(&request, "name", args->operands[0]);
	if (args->operand_count > 1)
		say_cstr(&request, "value", args->operands[1]);
	say_end_map(&request);
	r = cli_call(cli, args->operand_count > 1 ? "config.set" : "config.get", &request, NULL, 0,
		&reply, err);
	if (r < 0 || cli_print_json(cli, reply))
		return r;
	print_one(cli, reply);
	return 0;
}

const struct command command_config = {
	.name = "config",
	.operands = "[NAME [VALUE]]",
	.max_operands = 2,
	.help = { .zh = "查看设置及其含义，或更改一项",
		.en = "settings with their meaning; or change one" },
	.about = { .zh = "设置保存在 DIR/muniment.yaml，见 muniment.yaml(5)。",
		.en = "Settings are kept in DIR/muniment.yaml, see muniment.yaml(5)." },
	.run = run,
};
