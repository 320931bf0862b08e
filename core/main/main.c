/* main.c - the table of commands, and what all of them have in common: language, options, errors,
 * exit code. */
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/help.h"
#include "store/store.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

const struct command *const commands[] = {
	&command_init,
	&command_serve,
	&command_unseal,
	&command_seal,
	&command_status,
	&command_custodian_list,
	&command_custodian_add,
	&command_custodian_remove,
	&command_custodian_rotate,
	&command_custodian_drill,
	&command_account_list,
	&command_account_add,
	&command_account_password,
	&command_account_totp,
	&command_account_role,
	&command_account_unlock,
	&command_account_logout,
	&command_series_list,
	&command_series_show,
	&command_series_add,
	&command_file,
	&command_import,
	&command_revise,
	&command_search,
	&command_list,
	&command_show,
	&command_get,
	&command_log,
	&command_differences,
	&command_proof,
	&command_verify,
	&command_checkpoint,
	&command_signers,
	&command_signers_rotate,
	&command_reindex,
	&command_recognise,
	&command_compact,
	&command_jobs,
	&command_config,
	&command_journal_acknowledge,
	&command_help,
};
const size_t command_count = ARRAY_LEN(commands);

/* What to do next, where the code alone tells it. The verbs' own texts say what is wrong. */
static const char *advice_for(int r)
{
	switch (-r) {
	case ERR_LOCKED:
		return tr("wait until that process has finished, or stop it; while 'muniment "
			  "serve' runs, "
			  "commands go through it by themselves");
	case ERR_UNKNOWN:
		return tr("run the same command again: a request that was carried out is not "
			  "carried out "
			  "twice");
	case ERR_FULL:
		return tr(
			"nothing that was acknowledged is lost; make room on the disk and run the "
			"command again");
	case ERR_CORRUPT:
		return tr("run 'muniment verify' to see what else is damaged, and restore from a "
			  "backup");
	default:
		return NULL;
	}
}

static void print_error_json(const struct cli *cli, int r, const struct err *err)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	say_map(&b, NULL);
	say_map(&b, "error");
	say_cstr(&b, "code", err_word(r));
	say_cstr(&b, "text", str_is_utf8(str_of(err->text)) ? err->text : "");
	say_int(&b, "exit", exit_of(r));
	say_end_map(&b);
	if (cli->detail) {
		_cleanup_(buf_done) struct buf detail = BUF_INIT;

		(void)json_add_canonical(&detail, cli->detail, NULL);
		say_json(&b, "detail", buf_str(&detail));
	}
	say_end_map(&b);
	(void)printf("%s\n", b.p);
}

static void print_error(const struct err *err, int r, const struct term *term)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT;
	const char *advice = r < 0 ? advice_for(r) : NULL;

	term_add_sentence(&safe, str_of(err->text));
	(void)fprintf(term->file, "%smuniment:%s %s\n", term_style(term, TERM_BAD),
		term_style(term, TERM_PLAIN), safe.p);
	if (advice)
		(void)fprintf(term->file, "%s\n", advice);
}

/* Looked for before anything else is understood, so that complaints are in the reader's language, too. */
static void choose_language(int argc, char **argv)
{
	tr_set_language(tr_from_environment());
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		struct str rest = str_of(argv[i]), name = str_cut(&rest, '=');

		if (!str_is(name, "--lang"))
			continue;
		if (!rest.p && i + 1 < argc)
			rest = str_of(argv[i + 1]);
		tr_set_language(str_is(rest, "en")   ? TR_EN
				: str_is(rest, "zh") ? TR_ZH
						     : tr_language());
	}
}

/* What could not be written was not said: `muniment get ... > /full/disk` must not look good. */
static int flush_output(int r, struct err *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return r;
	if (errno == EPIPE)
		return r ? r : EXIT_REFUSED;
	return r ? r : err_errno(err, tr("cannot write the output"));
}

static int run(struct args *args)
{
	struct err err = ERR_INIT;
	struct cli cli;
	int r;

	cli_init(&cli, args);
	cli_catch_interrupts();
	r = args->command->run(&cli, args, &err);
	if (r < 0 && cli.json)
		print_error_json(&cli, r, &err);
	r = flush_output(r, &err);
	if (err.code && r)
		print_error(&err, r, &cli.remarks);
	cli_done(&cli);
	return exit_of(r);
}

static int wrong_usage(const struct err *err)
{
	struct term term;

	term_init(&term, stderr, false);
	print_error(err, EXIT_USAGE, &term);
	(void)fprintf(stderr, "%s muniment --help\n", tr("see:"));
	return EXIT_USAGE;
}

static int wrong_usage_of(const struct command *command, const struct err *err)
{
	_cleanup_(buf_done) struct buf usage = BUF_INIT;
	struct term term;

	term_init(&term, stderr, false);
	print_error(err, EXIT_USAGE, &term);
	help_add_usage(&usage, command);
	(void)fprintf(stderr, "%s\n%s muniment %s --help\n", usage.p, tr("see:"), command->name);
	return EXIT_USAGE;
}

static int print_help(const struct args *args)
{
	struct term term;

	term_init(&term, stdout, args_has(args, "no-color"));
	if (args->command)
		help_command(&term, args->command);
	else
		help_program(&term);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

/* "muniment custodian --help" */
static bool asks_for_group(int argc, char **argv)
{
	return argc == 2 && command_begins(argv[0]) &&
	       (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int print_group(const char *word)
{
	struct term term;

	term_init(&term, stdout, false);
	help_group(&term, word);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static int dispatch(struct args *args, int argc, char **argv)
{
	const struct command *command = NULL;
	struct err err = ERR_INIT;
	int used, words, r;

	r = args_scan_global(args, argc, argv, &used, &err);
	if (r < 0)
		return wrong_usage(&err);
	if (args_has(args, "version")) {
		(void)printf("muniment %s\n", MUNIMENT_VERSION);
		return EXIT_DONE;
	}
	if (used == argc)
		return args_has(args, "help") ? print_help(args) : (print_help(args), EXIT_USAGE);
	if (asks_for_group(argc - used, argv + used))
		return print_group(argv[used]);
	r = command_find(argc - used, argv + used, &command, &words, &err);
	if (r < 0)
		return wrong_usage(&err);
	r = args_scan(args, command, argc - used - words, argv + used + words, &err);
	if (r < 0)
		return wrong_usage_of(command, &err);
	return args_has(args, "help") ? print_help(args) : run(args);
}

/* Keys pass through this process: no core dumps, nobody may look into it. A sanitizer looks for
 * leaks from outside. */
static void keep_to_ourselves(void)
{
	struct rlimit none = { 0, 0 };

	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__)
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

int main(int argc, char **argv)
{
	struct args args;
	int code;

	keep_to_ourselves();
	(void)signal(SIGPIPE, SIG_IGN);
	/* Names in archives are converted by the C library's idea of text; messages have their own
	 * language. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	choose_language(argc, argv);
	secret_init();
	store_init();
	args_init(&args, (size_t)argc);
	code = dispatch(&args, argc - 1, argv + 1);
	args_done(&args);
	return code;
}
