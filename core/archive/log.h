/* log.h - what the operator reads: one line for each event, to standard error; under journald with its priority.
 *
 * Each failure is logged once, here or by whoever reports it to a person. No content of records, no query,
 * no name of a file or person goes in: ids, numbers of actions, and what the system said. Any thread. */
#ifndef MUN_ARCHIVE_LOG_H
#define MUN_ARCHIVE_LOG_H

#include "core/base/err.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

/* Lines of a lower priority than this are dropped; the default is LOG_LEVEL_NOTICE. */
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);
/* "<what>: <text> (<code>, <where>)" */
void log_err(enum log_level level, const char *what, const struct err *err);

#endif
