/* prompt.h - passphrases: from files, descriptors, a systemd credential or the terminal, in this
 * order; never from an argument or the environment, which other people on the machine can read. */
#ifndef MUN_MAIN_PROMPT_H
#define MUN_MAIN_PROMPT_H

#include "core/base/buf.h"
#include "core/base/secret.h"
#include "core/main/options.h"

/* What has been used up already. One per process. */
struct prompt {
	const struct args *args;
	const char *options;  /* "passphrase": --passphrase-file and --passphrase-fd */
	size_t next;	      /* of args->given */
	unsigned credential;  /* custodian-N that was read last */
	const char *terminal; /* "/dev/tty"; another one in tests */
	bool was_asked; /* the last one came from the terminal: a wrong one can be asked for again
			 */
};

/* `options` is how the options that give passphrases begin: "passphrase", or "new-passphrase", for
 * which there are no credentials. */
void prompt_init(struct prompt *p, const struct args *args, const char *options);

/* The next passphrase. From the terminal it is asked for with `question` ("passphrase of custodian
 * 甲") without echo, and when `is_new` twice, until both are the same. A file that others may read
 * is refused. Errors: ERR_INVALID (empty, a file's rights), ERR_SEALED (no source and no
 * terminal: the text lists the ways), ERR_IO. A signal at the prompt (Ctrl-C) takes effect after
 * the terminal's echo is back; should the process survive it, ERR_CANCELLED. */
int prompt_passphrase(
	struct prompt *p, const char *question, bool is_new, struct secret **ret, struct err *err);

/* A line of the terminal with echo, appended to `ret`, when there is one: for a custodian's name.
 * ERR_SEALED without a terminal. */
int prompt_line(const struct prompt *p, const char *question, struct buf *ret, struct err *err);

#endif
