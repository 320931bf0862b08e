/* options.c - see options.h. */
#include "core/main/options.h"

#include "core/base/clock.h"
#include "core/base/tr.h"
#include "core/main/nearest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const languages[] = { "zh", "en", NULL };

const struct option global_options[] = {
	{ .name = "archive",
		.letter = 'a',
		.kind = OPTION_PATH,
		.argument = "DIR",
		.meaning = { .zh = "档案库所在文件夹（默认取环境变量 MUNIMENT_ARCHIVE，再为 "
				   "./archive）",
			.en = "folder of the archive (default: MUNIMENT_ARCHIVE, else "
			      "./archive)" } },
	{ .name = "as",
		.kind = OPTION_TEXT,
		.argument = "NAME",
		.meaning = { .zh = "以哪个账户操作（账户名或编号；默认取 MUNIMENT_ACCOUNT）",
			.en = "account that acts (name or id; default: MUNIMENT_ACCOUNT)" } },
	{ .name = "passphrase-file",
		.kind = OPTION_PATH,
		.may_repeat = true,
		.argument = "FILE",
		.meaning = { .zh = "从文件首行读取口令；每位密钥保管人一次",
			.en = "read a passphrase from the first line of a file; once per "
			      "custodian" } },
	{ .name = "passphrase-fd",
		.kind = OPTION_NUMBER,
		.may_repeat = true,
		.argument = "N",
		.max = 1048575,
		.meaning = { .zh = "从文件描述符读取一行口令；每位密钥保管人一次",
			.en = "read a passphrase, one line, from a descriptor; once per "
			      "custodian" } },
	{ .name = "lang",
		.kind = OPTION_WORD,
		.argument = "zh|en",
		.words = languages,
		.meaning = { .zh = "显示语言（默认按区域设置）",
			.en = "language of messages (default: by locale)" } },
	{ .name = "json",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "输出 JSON，供程序读取", .en = "print JSON, for programs" } },
	{ .name = "no-color",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "不用颜色（同 NO_COLOR）",
			.en = "no colour (as NO_COLOR does)" } },
	{ .name = "quiet",
		.letter = 'q',
		.kind = OPTION_FLAG,
		.meaning = { .zh = "不显示进度和提示", .en = "no progress and no remarks" } },
	{ .name = "help",
		.letter = 'h',
		.kind = OPTION_FLAG,
		.meaning = { .zh = "显示帮助", .en = "show help" } },
	{ .name = "version",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "显示版本", .en = "show the version" } },
};
const size_t global_option_count = ARRAY_LEN(global_options);

void args_init(struct args *args, size_t argc)
{
	*args = (struct args){ .room = argc };
	args->given = xcalloc(argc + 1, sizeof(*args->given));
	args->operands = xcalloc(argc + 1, sizeof(*args->operands));
}

void args_done(struct args *args)
{
	free(args->given);
	free(args->operands);
	*args = (struct args){ 0 };
}

/* ---- tables ---- */

static const struct option *find_in(
	const struct option *table, size_t count, struct str name, char letter)
{
	for (size_t i = 0; i < count; i++)
		if (letter ? table[i].letter == letter : str_is(name, table[i].name))
			return &table[i];
	return NULL;
}

static const struct option *find(const struct command *c, struct str name, char letter)
{
	const struct option *o = c ? find_in(c->options, c->option_count, name, letter) : NULL;

	return o ? o : find_in(global_options, global_option_count, name, letter);
}

static int unknown(const struct command *c, struct str typed, struct err *err)
{
	_cleanup_(freep) char *word = str_dup(typed);
	struct nearest n = { .word = word };
	const char *best;

	for (size_t i = 0; c && i < c->option_count; i++)
		nearest_offer(&n, c->options[i].name);
	for (size_t i = 0; i < global_option_count; i++)
		nearest_offer(&n, global_options[i].name);
	best = nearest_take(&n);
	if (best)
		return err_set(err, ERR_INVALID, tr("unknown option '--%s'; did you mean '--%s'?"),
			word, best);
	return err_set(err, ERR_INVALID, tr("unknown option '--%s'"), word);
}

/* ---- one option ---- */

static int check_value(const struct option *o, struct str value, struct err *err)
{
	struct date date;
	uint64_t number;

	if (o->kind != OPTION_PATH && !str_is_utf8(value))
		return err_set(err, ERR_INVALID, tr("the value is not UTF-8"));
	switch (o->kind) {
	case OPTION_NUMBER:
		return str_to_u64(value, o->max, &number, err);
	case OPTION_DATE:
		return date_parse(value, &date, err);
	case OPTION_WORD:
		for (size_t i = 0; o->words[i]; i++)
			if (str_is(value, o->words[i]))
				return 0;
		return err_set(err, ERR_INVALID, tr("'%.*s' is not one of %s"), STR_ARG(value),
			o->argument);
	default:
		return value.n ? 0 : err_set(err, ERR_INVALID, tr("the value is empty"));
	}
}

static int take(struct args *args, const struct option *o, const char *value, struct err *err)
{
	int r;

	if (!o->may_repeat && o->kind != OPTION_FLAG && args_has(args, o->name))
		return err_set(err, ERR_INVALID, tr("option '--%s' is given twice"), o->name);
	if (value) {
		r = check_value(o, str_of(value), err);
		if (r < 0)
			return err_prefix(err, r, tr("option '--%s'"), o->name);
	}
	assert(args->given_count < args->room);
	args->given[args->given_count++] = (struct given){ o, value ? value : "" };
	return 0;
}

struct words {
	char *const *argv;
	int argc, i; /* argv[i] is looked at */
};

static int take_with(struct args *args, const struct option *o, const char *attached,
	struct words *w, struct err *err)
{
	if (o->kind == OPTION_FLAG) {
		if (attached)
			return err_set(
				err, ERR_INVALID, tr("option '--%s' takes no value"), o->name);
		return take(args, o, NULL, err);
	}
	if (attached)
		return take(args, o, attached, err);
	if (w->i + 1 == w->argc)
		return err_set(err, ERR_INVALID, tr("option '--%s' needs a value: %s"), o->name,
			o->argument);
	return take(args, o, w->argv[++w->i], err);
}

static int take_long(struct args *args, struct words *w, struct err *err)
{
	const char *text = w->argv[w->i] + 2;
	struct str rest = str_of(text), name = str_cut(&rest, '=');
	const struct option *o = find(args->command, name, 0);

	if (!o)
		return unknown(args->command, name, err);
	return take_with(args, o, rest.p, w, err);
}

/* -q, -qh, -o FILE, -oFILE */
static int take_letters(struct args *args, struct words *w, struct err *err)
{
	for (const char *p = w->argv[w->i] + 1; *p;) {
		const struct option *o = find(args->command, STR(""), *p++);
		int r;

		if (!o)
			return err_set(err, ERR_INVALID, tr("unknown option '%s'"), w->argv[w->i]);
		if (o->kind != OPTION_FLAG)
			return take_with(args, o, *p ? p : NULL, w, err);
		r = take(args, o, NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

int args_scan_global(struct args *args, int argc, char *const *argv, int *ret_used, struct err *err)
{
	struct words w = { .argv = argv, .argc = argc };

	for (; w.i < argc && is_option(argv[w.i]); w.i++) {
		int r = argv[w.i][1] == '-' ? take_long(args, &w, err)
					    : take_letters(args, &w, err);

		if (r < 0)
			return r;
	}
	*ret_used = w.i;
	return 0;
}

/* ---- the whole ---- */

static int check_complete(const struct args *args, struct err *err)
{
	const struct command *c = args->command;

	for (size_t i = 0; i < c->option_count; i++)
		if (c->options[i].is_required && !args_has(args, c->options[i].name))
			return err_set(err, ERR_INVALID, tr("option '--%s' is missing: %s"),
				c->options[i].name, phrase_text(&c->options[i].meaning));
	if (args->operand_count < c->min_operands)
		return err_set(err, ERR_INVALID, tr("'%s' needs %s"), c->name, c->operands);
	if (args->operand_count > c->max_operands)
		return err_set(err, ERR_INVALID, tr("'%s' is one argument too many for '%s'"),
			args->operands[c->max_operands], c->name);
	return 0;
}

int args_scan(struct args *args, const struct command *command, int argc, char *const *argv,
	struct err *err)
{
	struct words w = { .argv = argv, .argc = argc };
	bool options_end = false;

	args->command = command;
	for (; w.i < argc; w.i++) {
		const char *word = argv[w.i];
		int r = 0;

		if (options_end || !is_option(word))
			args->operands[args->operand_count++] = word;
		else if (strcmp(word, "--") == 0)
			options_end = true;
		else if (word[1] == '-')
			r = take_long(args, &w, err);
		else
			r = take_letters(args, &w, err);
		if (r < 0)
			return r;
	}
	return args_has(args, "help") ? 0 : check_complete(args, err);
}

/* ---- asking ---- */

static bool is_known(const struct args *args, const char *name)
{
	return find(args->command, str_of(name), 0) != NULL;
}

bool args_next(const struct args *args, const char *name, size_t *cursor, const char **ret)
{
	assert(is_known(args, name));
	for (; *cursor < args->given_count; (*cursor)++) {
		if (strcmp(args->given[*cursor].option->name, name) != 0)
			continue;
		*ret = args->given[(*cursor)++].value;
		return true;
	}
	return false;
}

const char *args_text(const struct args *args, const char *name)
{
	const char *value = NULL;
	size_t cursor = 0;

	while (args_next(args, name, &cursor, &value))
		;
	return value;
}

bool args_has(const struct args *args, const char *name)
{
	return args_text(args, name) != NULL;
}

uint64_t args_number(const struct args *args, const char *name, uint64_t otherwise)
{
	const char *text = args_text(args, name);
	uint64_t value = otherwise;

	if (text)
		(void)str_to_u64(str_of(text), UINT64_MAX, &value, NULL);
	return value;
}
