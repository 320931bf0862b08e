/* cli.c - see cli.h. */
#include "core/main/cli.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/progress.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t interrupted;

static void note_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

void cli_catch_interrupts(void)
{
	struct sigaction sa = { .sa_handler = note_interrupt,
		.sa_flags = (int)SA_RESETHAND | SA_RESTART };

	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
}

bool cli_is_interrupted(void)
{
	return interrupted != 0;
}

static const char *from_environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

void cli_init(struct cli *cli, const struct args *args)
{
	bool no_colour = args_has(args, "no-color");

	*cli = (struct cli){ .args = args };
	term_init(&cli->out, stdout, no_colour);
	term_init(&cli->remarks, stderr, no_colour);
	prompt_init(&cli->prompt, args, "passphrase");
	cli->path = args_text(args, "archive");
	if (!cli->path)
		cli->path = from_environment("MUNIMENT_ARCHIVE");
	cli->is_path_guessed = !cli->path;
	if (!cli->path)
		cli->path = "archive";
	cli->account = args_text(args, "as");
	if (!cli->account)
		cli->account = from_environment("MUNIMENT_ACCOUNT");
	cli->json = args_has(args, "json");
	cli->quiet = args_has(args, "quiet");
}

void cli_done(struct cli *cli)
{
	if (cli->desk && cli_is_interrupted())
		desk_hurry(cli->desk);
	desk_free(cli->desk);
	json_free(cli->detail);
	*cli = (struct cli){ 0 };
}

/* ---- passphrases ---- */

static void add_labels(struct buf *b, const char *const *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_adds(b, i ? tr(", ") : "");
		text_add_safe(b, str_of(labels[i]));
	}
}

static int ask(void *context, unsigned nth, const char *const *labels, size_t label_count,
	bool again, struct secret **ret, struct err *err)
{
	struct cli *cli = context;
	_cleanup_(buf_done) struct buf question = BUF_INIT;

	if (cli->progress)
		progress_hide(cli->progress);
	if (again && !cli->prompt.was_asked)
		return err_set(err, ERR_CRYPTO,
			tr("a passphrase that was given is not that of a custodian of this "
			   "archive"));
	if (again)
		cli_remark(cli, "%s", tr("that did not fit; please try again"));
	buf_addf(&question, tr("passphrase of custodian %u of 2 ("), nth);
	add_labels(&question, labels, label_count);
	buf_adds(&question, tr(")"));
	return prompt_passphrase(&cli->prompt, question.p, false, ret, err);
}

static int secret_of_nth(
	struct cli *cli, unsigned nth, const struct json *labels, int *ret_fd, struct err *err)
{
	_cleanup_(secret_freep) struct secret *s = NULL;
	const char *names[64] = { NULL };
	_cleanup_(buf_done) struct buf room = BUF_INIT;
	size_t count = reply_count(labels);
	int r, fd;

	count = count < ARRAY_LEN(names) ? count : ARRAY_LEN(names);
	for (size_t i = 0; i < count; i++)
		names[i] = str_dup(reply_text(json_list_at(labels, i), "label"));
	r = ask(cli, nth, names, count, false, &s, err);
	for (size_t i = 0; i < count; i++)
		free((char *)names[i]);
	if (r < 0)
		return r;
	fd = desk_secret_fd(s, err);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int cli_two_secrets(struct cli *cli, const struct json *labels, int ret_fds[2], struct err *err)
{
	_cleanup_(closep) int first = -1;
	int r = secret_of_nth(cli, 1, labels, &first, err);

	if (r == 0)
		r = secret_of_nth(cli, 2, labels, &ret_fds[1], err);
	if (r < 0)
		return r;
	ret_fds[0] = TAKE_FD(first);
	return 0;
}

int cli_new_secret(struct cli *cli, const char *question, int *ret_fd, struct err *err)
{
	_cleanup_(secret_freep) struct secret *s = NULL;
	struct prompt prompt;
	int r, fd;

	prompt_init(&prompt, cli->args, "new-passphrase");
	r = prompt_passphrase(&prompt, question, true, &s, err);
	if (r < 0)
		return r;
	fd = desk_secret_fd(s, err);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

/* ---- calling ---- */

struct word {
	const char *word;
	struct phrase text;
};

static const char *word_text(const struct word *words, size_t count, const char *word)
{
	for (size_t i = 0; word && i < count; i++)
		if (strcmp(words[i].word, word) == 0)
			return phrase_text(&words[i].text);
	return word;
}

static const struct word units[] = {
	{ "records", { .zh = "件", .en = "records" } },
	{ "documents", { .zh = "份文件", .en = "documents" } },
	{ "commits", { .zh = "次操作", .en = "actions" } },
	{ "actions", { .zh = "次操作", .en = "actions" } },
	{ "objects", { .zh = "项", .en = "objects" } },
};

static const struct word stages[] = {
	{ "hash", { .zh = "计算", .en = "hash" } },
	{ "seal", { .zh = "加密", .en = "encrypt" } },
	{ "file", { .zh = "归档", .en = "file" } },
	{ "register", { .zh = "登记", .en = "register" } },
	{ "index", { .zh = "索引", .en = "index" } },
	{ "extract", { .zh = "提取文字", .en = "read text" } },
	{ "verify", { .zh = "校验", .en = "verify" } },
	{ "compact", { .zh = "整理索引", .en = "compact" } },
	{ "registry", { .zh = "核对登记库", .en = "registry" } },
	{ "read", { .zh = "读取", .en = "read" } },
	{ "log", { .zh = "操作记录", .en = "log" } },
};

static int tell(void *context, const struct verb_progress *v)
{
	struct cli *cli = context;
	struct progress_state s = { .done = v->done, .total = v->total, .count = v->done };

	if (cli->progress && v->unit && strcmp(v->unit, "bytes") == 0) {
		s = (struct progress_state){ v->done >> 20, v->total >> 20, v->done >> 20, "MiB" };
		progress_set_what(cli->progress, word_text(stages, ARRAY_LEN(stages), v->stage));
		progress_step(cli->progress, &s, clock_ticks());
	} else if (cli->progress) {
		s.unit = word_text(units, ARRAY_LEN(units), v->unit);
		progress_set_what(cli->progress, word_text(stages, ARRAY_LEN(stages), v->stage));
		progress_step(cli->progress, &s, clock_ticks());
	}
	return cli_is_interrupted() ? -ERR_CANCELLED : 0;
}

static int open_desk(struct cli *cli, bool only_resident, struct err *err)
{
	struct desk_options options = {
		.as = cli->account, .ask = ask, .ask_context = cli, .only_resident = only_resident
	};
	int r;

	if (cli->desk)
		return 0;
	r = desk_open(cli->path, &options, &cli->desk, err);
	if (r == -ERR_NOTFOUND && !only_resident && cli->is_path_guessed)
		return err_set(err, ERR_NOTFOUND,
			tr("there is no archive in './archive'; say which one with --archive DIR "
			   "or "
			   "MUNIMENT_ARCHIVE, or make one with 'muniment init'"));
	return r;
}

static int call(struct cli *cli, const char *verb, const struct buf *request, const int *fds,
	size_t fd_count, struct json **ret_reply, struct err *err)
{
	_cleanup_(json_freep) struct json *reply = NULL;
	int r = request ? buf_check(request, err) : 0;

	if (r < 0)
		return err_set(err, ERR_INVALID,
			tr("the request holds text that is not UTF-8, or too much"));
	r = desk_call(cli->desk, verb, request ? buf_str(request) : STR("{}"), fds, fd_count, tell,
		cli, &reply, err);
	if (r < 0) {
		json_free(cli->detail);
		cli->detail = TAKE_PTR(reply);
		return r;
	}
	if (desk_is_demonstration(cli->desk) && !cli->said_demonstration) {
		cli->said_demonstration = true;
		if (cli->progress)
			progress_hide(cli->progress);
		cli_remark(cli, "%s",
			tr("demonstration archive: unsealed by passphrases that everybody knows"));
	}
	*ret_reply = TAKE_PTR(reply);
	return 0;
}

int cli_call_quietly(struct cli *cli, const char *verb, const struct buf *request, const int *fds,
	size_t fd_count, struct json **ret_reply, struct err *err)
{
	int r = open_desk(cli, false, err);

	return r < 0 ? r : call(cli, verb, request, fds, fd_count, ret_reply, err);
}

int cli_call(struct cli *cli, const char *verb, const struct buf *request, const int *fds,
	size_t fd_count, struct json **ret_reply, struct err *err)
{
	_cleanup_(progress_freep) struct progress *p = progress_new(&cli->remarks, "", cli->quiet);
	int r;

	cli->progress = p;
	r = cli_call_quietly(cli, verb, request, fds, fd_count, ret_reply, err);
	cli->progress = NULL;
	return r;
}

int cli_call_resident(struct cli *cli, const char *verb, const struct buf *request, const int *fds,
	size_t fd_count, struct json **ret_reply, struct err *err)
{
	int r = open_desk(cli, true, err);

	return r < 0 ? r : call(cli, verb, request, fds, fd_count, ret_reply, err);
}

/* ---- answering ---- */

bool cli_print_json(struct cli *cli, const struct json *reply)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!cli->json)
		return false;
	(void)json_add_canonical(&b, reply, NULL);
	(void)fprintf(cli->out.file, "%s\n", b.p);
	return true;
}

void cli_remark(struct cli *cli, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT;
	char text[2 * ERR_TEXT_MAX];
	va_list ap;

	if (cli->quiet)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	term_add_sentence(&safe, str_of(text));
	(void)fprintf(cli->remarks.file, "%s\n", safe.p);
}

/* ---- replies ---- */

static const struct json *member(const struct json *map, const char *name, enum json_kind kind)
{
	const struct json *v =
		map && json_kind_of(map) == JSON_KIND_MAP ? json_map_get(map, name) : NULL;

	return v && json_kind_of(v) == kind ? v : NULL;
}

struct str reply_text(const struct json *map, const char *name)
{
	const struct json *v = member(map, name, JSON_KIND_TEXT);

	return v ? json_text(v) : STR("");
}

int64_t reply_int(const struct json *map, const char *name)
{
	const struct json *v = member(map, name, JSON_KIND_INT);

	return v ? json_int(v) : 0;
}

bool reply_bool(const struct json *map, const char *name)
{
	const struct json *v = member(map, name, JSON_KIND_BOOL);

	return v && json_bool(v);
}

const struct json *reply_at(const struct json *map, const char *name)
{
	return map && json_kind_of(map) == JSON_KIND_MAP ? json_map_get(map, name) : NULL;
}

size_t reply_count(const struct json *list)
{
	return list && json_kind_of(list) == JSON_KIND_LIST ? json_list_count(list) : 0;
}

void reply_add_instant(struct buf *b, struct str instant)
{
	char local[17];
	struct date date;
	uint64_t h = 0, m = 0, s = 0;

	if (instant.n != 20 || date_parse((struct str){ instant.p, 10 }, &date, NULL) < 0 ||
		sscanf(instant.p + 10, "T%2lu:%2lu:%2luZ", &h, &m, &s) != 3) {
		buf_add_str(b, instant);
		return;
	}
	buf_adds(b, instant_format_local(
			    day_of_date(date) * 86400 + (int64_t)(h * 3600 + m * 60 + s), local));
}

/* ---- requests ---- */

void say_option(struct buf *b, const struct args *args, const char *option, const char *name)
{
	say_cstr(b, name, args_text(args, option));
}

void say_option_number(struct buf *b, const struct args *args, const char *option, const char *name)
{
	if (args_has(args, option))
		say_int(b, name, (int64_t)args_number(args, option, 0));
}

void say_options(struct buf *b, const struct args *args, const char *option, const char *name)
{
	const char *value;
	size_t cursor = 0;

	if (!args_has(args, option))
		return;
	say_list(b, name);
	while (args_next(args, option, &cursor, &value))
		say_item(b, str_of(value));
	say_end_list(b);
}

void say_flag(struct buf *b, const struct args *args, const char *option, const char *name)
{
	if (args_has(args, option))
		say_bool(b, name, true);
}
