/* cli.h - what a running command holds: its arguments, the terminal, and the desk where verbs are
 * called. */
#ifndef MUN_MAIN_CLI_H
#define MUN_MAIN_CLI_H

#include "core/archive/desk.h"
#include "core/archive/say.h"
#include "core/main/exit.h"
#include "core/main/options.h"
#include "core/main/prompt.h"
#include "core/main/term.h"

struct progress;

struct cli {
	const struct args *args;
	struct term out, remarks; /* standard output; standard error */
	struct prompt prompt;
	const char *path;    /* of the archive */
	const char *account; /* who acts, or NULL */
	bool json, quiet, is_path_guessed, said_demonstration;
	struct desk *desk;
	struct progress *progress; /* while a verb runs */
	struct json *detail;	   /* what a verb said beside its last error, or NULL */
};

void cli_init(struct cli *cli, const struct args *args);
void cli_done(struct cli *cli);

/* Call a verb at the desk, which is opened when it is not yet: passphrases are asked for where the
 * archive is sealed, progress is shown, Ctrl-C stops. `request` is a finished JSON object (say.h),
 * or NULL for {}. json_free the reply. */
int cli_call(struct cli *cli, const char *verb, const struct buf *request, const int *fds,
	size_t fd_count, struct json **ret_reply, struct err *err);
/* The same where only the resident process will do. */
int cli_call_resident(struct cli *cli, const char *verb, const struct buf *request, const int *fds,
	size_t fd_count, struct json **ret_reply, struct err *err);
/* For verbs that a command wants to show progress of by itself. */
int cli_call_quietly(struct cli *cli, const char *verb, const struct buf *request, const int *fds,
	size_t fd_count, struct json **ret_reply, struct err *err);

/* Two custodians' passphrases, as pipes for a verb; close both. `labels` may be NULL. */
int cli_two_secrets(struct cli *cli, const struct json *labels, int ret_fds[2], struct err *err);
/* A new passphrase, from the options that begin with "new-passphrase", or asked for twice. */
int cli_new_secret(struct cli *cli, const char *question, int *ret_fd, struct err *err);

/* Where the answer for programs was asked for: print it and return true. */
bool cli_print_json(struct cli *cli, const struct json *reply);
/* A remark for people on standard error, unless --quiet: one sentence. */
void cli_remark(struct cli *cli, const char *fmt, ...) _printf_(2, 3);

/* Ctrl-C and SIGTERM are noted from here on; a second one ends the process. */
void cli_catch_interrupts(void);
bool cli_is_interrupted(void);

/* ---- looking into replies: what is not there is empty, 0, false ---- */

struct str reply_text(const struct json *map, const char *name);
int64_t reply_int(const struct json *map, const char *name);
bool reply_bool(const struct json *map, const char *name);
/* NULL when absent; reply_count(NULL) is 0. */
const struct json *reply_at(const struct json *map, const char *name);
size_t reply_count(const struct json *list);
/* An instant's text ("2026-11-21T09:02:11Z") as people here read it, "2026-11-21 17:02". */
void reply_add_instant(struct buf *b, struct str instant);

/* ---- building requests: an option's value as a member, when it was given ---- */

void say_option(struct buf *b, const struct args *args, const char *option, const char *member);
void say_option_number(
	struct buf *b, const struct args *args, const char *option, const char *member);
/* Every value of an option that may repeat, as a list. */
void say_options(struct buf *b, const struct args *args, const char *option, const char *member);
/* True as a member, when the flag was given. */
void say_flag(struct buf *b, const struct args *args, const char *option, const char *member);

#endif
