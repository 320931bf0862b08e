/* log.c - see log.h. */
#include "core/archive/log.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic int threshold = LOG_LEVEL_NOTICE;

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

/* journald gives its stream's name to what it listens to, and takes "<n>" as the priority; a person wants
 * the time instead. */
static void write_line(enum log_level level, struct str text)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT_MAX(8192);
	char at[21];

	if (getenv("JOURNAL_STREAM"))
		buf_addf(&line, "<%d>", (int)level);
	else
		buf_addf(&line, "%s ", instant_format(clock_now(), at));
	text_add_safe(&line, text);
	buf_addc(&line, '\n');
	/* One write, so that lines of several threads do not mix; nobody can be told when it fails. */
	if (write(STDERR_FILENO, line.p, line.n) < 0)
		return;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n;

	if ((int)level > atomic_load(&threshold))
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		write_line(level, str_of(text));
}

void log_err(enum log_level level, const char *what, const struct err *err)
{
	log_line(level, "%s: %s (%s, %s)", what, err->text, err_word(err->code),
		err->where ? err->where : "-");
}
