/* options.c - the command line against tables: what is refused, and how it is said. */
#include "core/main/options.h"

#include "core/base/tr.h"
#include "core/main/exit.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static const char *const colours[] = { "red", "green", NULL };

static const struct option options[] = {
	{ .name = "name",
		.letter = 'n',
		.kind = OPTION_TEXT,
		.argument = "TEXT",
		.is_required = true,
		.meaning = { "名", "a name" } },
	{ .name = "tag",
		.letter = 't',
		.kind = OPTION_TEXT,
		.argument = "TEXT",
		.may_repeat = true },
	{ .name = "count", .letter = 'c', .kind = OPTION_NUMBER, .argument = "N", .max = 100 },
	{ .name = "day", .kind = OPTION_DATE, .argument = "DAY" },
	{ .name = "colour", .kind = OPTION_WORD, .argument = "red|green", .words = colours },
	{ .name = "loud", .letter = 'l', .kind = OPTION_FLAG },
	{ .name = "path", .letter = 'p', .kind = OPTION_PATH, .argument = "FILE" },
};

static const struct command command_try = { .name = "try",
	.operands = "A [B]",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
	.option_count = ARRAY_LEN(options) };
static const struct command command_pair_one = { .name = "pair one" };
static const struct command command_pair_two = { .name = "pair two" };

const struct command *const commands[] = { &command_try, &command_pair_one, &command_pair_two };
const size_t command_count = ARRAY_LEN(commands);

static int scan(struct args *args, struct err *err, int argc, const char *const *argv)
{
	args_init(args, (size_t)argc);
	return args_scan(args, &command_try, argc, (char *const *)argv, err);
}

#define SCAN(args, err, ...) \
	scan((args), (err), (int)ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })), \
		(const char *const[]){ __VA_ARGS__ })

START_TEST(all_ways_of_writing)
{
	struct err err = ERR_INIT;
	struct args a;
	const char *value;
	size_t cursor = 0;

	ck_ok(SCAN(&a, &err, "-t", "1", "x", "--name=a=b", "-lc7", "--tag", "2", "--", "--y"), err);
	ck_assert_str_eq(args_text(&a, "name"), "a=b");
	ck_assert(args_has(&a, "loud"));
	ck_assert_uint_eq(args_number(&a, "count", 0), 7);
	ck_assert(args_next(&a, "tag", &cursor, &value));
	ck_assert_str_eq(value, "1");
	ck_assert(args_next(&a, "tag", &cursor, &value));
	ck_assert_str_eq(value, "2");
	ck_assert(!args_next(&a, "tag", &cursor, &value));
	ck_assert_uint_eq(a.operand_count, 2);
	ck_assert_str_eq(a.operands[1], "--y");
	ck_assert(!args_has(&a, "json"));
	args_done(&a);
}
END_TEST

START_TEST(a_dash_is_an_operand)
{
	struct err err = ERR_INIT;
	struct args a;

	ck_ok(SCAN(&a, &err, "-nx", "-"), err);
	ck_assert_str_eq(a.operands[0], "-");
	args_done(&a);
}
END_TEST

START_TEST(refusals)
{
	static const struct {
		const char *argv[6];
		const char *text;
	} cases[] = {
		{ { "--nam=x", "a" }, "unknown option '--nam'; did you mean '--name'?" },
		{ { "--quite" }, "unknown option '--quite'; did you mean '--quiet'?" },
		{ { "--zzzzzzzzzz" }, "unknown option '--zzzzzzzzzz'" },
		{ { "-z" }, "unknown option '-z'" },
		{ { "-nx", "-ny", "a" }, "option '--name' is given twice" },
		{ { "--loud=1" }, "option '--loud' takes no value" },
		{ { "a", "--name" }, "option '--name' needs a value: TEXT" },
		{ { "-n" }, "option '--name' needs a value: TEXT" },
		{ { "-n", "" }, "option '--name': the value is empty" },
		{ { "-n", "\xff" }, "option '--name': the value is not UTF-8" },
		{ { "-c", "101" }, "option '--count': '101' is more than 100" },
		{ { "-c", "-1" }, "option '--count': '-1' is not a whole number" },
		{ { "--day", "2025-02-30" },
			"option '--day': '2025-02-30' is not a date; write it as 2026-11-21" },
		{ { "--colour", "blue" }, "option '--colour': 'blue' is not one of red|green" },
		{ { "a" }, "option '--name' is missing: a name" },
		{ { "-nx" }, "'try' needs A [B]" },
		{ { "-nx", "a", "b", "c" }, "'c' is one argument too many for 'try'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct args a;
		int argc = 0;

		while (argc < 6 && cases[i].argv[argc])
			argc++;
		ck_fails(scan(&a, &err, argc, cases[i].argv), err,
			ERR_INVALID + (i == 10) * (ERR_LIMIT - ERR_INVALID));
		ck_assert_str_eq(err.text, cases[i].text);
		args_done(&a);
	}
}
END_TEST

START_TEST(a_path_may_be_any_bytes)
{
	struct err err = ERR_INIT;
	struct args a;

	ck_ok(SCAN(&a, &err, "-nx", "-p", "\xff\xfe", "a"), err);
	ck_assert_str_eq(args_text(&a, "path"), "\xff\xfe");
	args_done(&a);
}
END_TEST

START_TEST(help_forgives_what_is_missing)
{
	struct err err = ERR_INIT;
	struct args a;

	ck_ok(SCAN(&a, &err, "--help"), err);
	args_done(&a);
}
END_TEST

START_TEST(global_options_stop_at_the_command)
{
	char *argv[] = { (char *)"-q", (char *)"--archive", (char *)"x", (char *)"try",
		(char *)"-l" };
	struct err err = ERR_INIT;
	struct args a;
	int used;

	args_init(&a, ARRAY_LEN(argv));
	ck_ok(args_scan_global(&a, (int)ARRAY_LEN(argv), argv, &used, &err), err);
	ck_assert_int_eq(used, 3);
	ck_assert_str_eq(args_text(&a, "archive"), "x");
	args_done(&a);
}
END_TEST

static void find(const char *one, const char *two, const char *expected)
{
	char *argv[] = { (char *)one, (char *)two };
	const struct command *command;
	struct err err = ERR_INIT;
	int words;

	if (command_find(two ? 2 : 1, argv, &command, &words, &err) == 0) {
		ck_assert_str_eq(command->name, expected);
		ck_assert_int_eq(words, strchr(expected, ' ') ? 2 : 1);
	} else {
		ck_assert_str_eq(err.text, expected);
	}
}

START_TEST(commands_are_found_or_guessed)
{
	find("try", "pair", "try");
	find("pair", "two", "pair two");
	find("ptry", NULL, "unknown command 'ptry'; did you mean 'try'?");
	find("pair", "tow", "unknown command 'pair tow'; did you mean 'pair two'?");
	find("pair", NULL, "'pair' is half a command; there are: 'pair one', 'pair two'");
	find("pair", "--help", "'pair' is half a command; there are: 'pair one', 'pair two'");
	find("wholly-other", NULL, "unknown command 'wholly-other'");
}
END_TEST

START_TEST(every_error_has_an_exit_code)
{
	ck_assert_int_eq(exit_of(0), 0);
	ck_assert_int_eq(exit_of(EXIT_FAULT), 6);
	for (int code = 1; code < ERR_CODE_COUNT; code++) {
		int e = exit_of(-code);
		bool is_listed = false;

		ck_assert_int_gt(e, 0);
		for (size_t i = 0; i < exit_meaning_count; i++)
			is_listed |= exit_meanings[i].code == (enum exit_code)e;
		ck_assert(is_listed);
	}
	ck_assert_int_eq(exit_of(-ERR_LOCKED), 7);
	ck_assert_int_eq(exit_of(-ERR_CONFLICT), 5);
	ck_assert_int_eq(exit_of(-ERR_NOTFOUND), 4);
	ck_assert_int_eq(exit_of(-ERR_SEALED), 3);
}
END_TEST

START_TEST(global_options_are_complete_in_both_languages)
{
	for (size_t i = 0; i < global_option_count; i++) {
		const struct option *o = &global_options[i];

		ck_assert(o->meaning.zh && o->meaning.zh[0] && o->meaning.en && o->meaning.en[0]);
		ck_assert((o->kind == OPTION_FLAG) == !o->argument);
		for (size_t j = 0; j < i; j++) {
			ck_assert_str_ne(o->name, global_options[j].name);
			ck_assert(!o->letter || o->letter != global_options[j].letter);
		}
	}
}
END_TEST

TESTS("core/main/options", all_ways_of_writing, a_dash_is_an_operand, refusals,
	a_path_may_be_any_bytes, help_forgives_what_is_missing, global_options_stop_at_the_command,
	commands_are_found_or_guessed, every_error_has_an_exit_code,
	global_options_are_complete_in_both_languages)
