/* err.c - see err.h. */
#include "core/base/err.h"

#include "core/base/tr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[ERR_CODE_COUNT] = {
	[0] = "ok",
	[ERR_INVALID] = "invalid",
	[ERR_NOTFOUND] = "notfound",
	[ERR_EXISTS] = "exists",
	[ERR_CONFLICT] = "conflict",
	[ERR_DENIED] = "denied",
	[ERR_LOCKED] = "locked",
	[ERR_SEALED] = "sealed",
	[ERR_CORRUPT] = "corrupt",
	[ERR_DESTROYED] = "destroyed",
	[ERR_LIMIT] = "limit",
	[ERR_FULL] = "full",
	[ERR_IO] = "io",
	[ERR_UNKNOWN] = "unknown",
	[ERR_CRYPTO] = "crypto",
	[ERR_UNSUPPORTED] = "unsupported",
	[ERR_CANCELLED] = "cancelled",
	[ERR_BUSY] = "busy",
};

/* vsnprintf cuts in the middle of a character; step back to its first byte and say that text is missing. */
static void end_on_character(char *text, size_t size)
{
	static const char more[] = "…";
	size_t n = size - sizeof(more);

	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(text + n, more, sizeof(more));
}

static void format(char *text, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(text, size, fmt, ap);

	if (n < 0)
		text[0] = '\0';
	else if ((size_t)n >= size)
		end_on_character(text, size);
}

static void place(struct err *err, int code, const char *where)
{
	err->code = -code;
	err->where = where;
}

int err_set_at(struct err *err, int code, const char *where, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -code;
	place(err, code, where);
	va_start(ap, fmt);
	format(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -code;
}

static int code_of_errno(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_FULL;
	case ENOENT:
		return ERR_NOTFOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	default:
		return ERR_IO;
	}
}

/* The C library's own words would need its locales. */
const char *err_errno_text(int e, char *room, size_t size)
{
	switch (e) {
	case ENOENT:
		return tr("there is no such file or folder");
	case EACCES:
	case EPERM:
		return tr("the system does not permit it");
	case EEXIST:
		return tr("it exists already");
	case ENOTDIR:
		return tr("it is not a folder");
	case EISDIR:
		return tr("it is a folder");
	case ELOOP:
		return tr("it is a symbolic link");
	case ENOSPC:
		return tr("the disk is full");
	case EDQUOT:
		return tr("the disk quota is used up");
	case EROFS:
		return tr("the file system is read-only");
	case EIO:
		return tr("the disk reports an error");
	case ENOMEM:
		return tr("memory is out");
	case EMFILE:
	case ENFILE:
		return tr("too many files are open");
	case ENAMETOOLONG:
		return tr("the name is too long");
	case ECONNREFUSED:
		return tr("nobody listens there");
	case EPIPE:
	case ECONNRESET:
		return tr("the other side has gone away");
	case EBADF:
		return tr("the descriptor is not open");
	default:
		return strerror_r(e, room, size);
	}
}

int err_errno_at(struct err *err, const char *where, const char *fmt, ...)
{
	int saved = errno, code = code_of_errno(saved);
	char what[ERR_TEXT_MAX / 2], why[128];
	va_list ap;

	if (!err)
		return -code;
	va_start(ap, fmt);
	format(what, sizeof(what), fmt, ap);
	va_end(ap);
	place(err, code, where);
	(void)snprintf(err->text, sizeof(err->text), "%s%s%s", what, tr(": "),
		err_errno_text(saved, why, sizeof(why)));
	errno = saved;
	return -code;
}

int err_prefix_at(struct err *err, int r, const char *fmt, ...)
{
	char head[ERR_TEXT_MAX / 2], tail[ERR_TEXT_MAX];
	va_list ap;

	if (!err)
		return r;
	va_start(ap, fmt);
	format(head, sizeof(head), fmt, ap);
	va_end(ap);
	memcpy(tail, err->text, sizeof(tail));
	tail[sizeof(tail) - 1] = '\0';
	if ((size_t)snprintf(err->text, sizeof(err->text), "%s%s%s", head, tr(": "), tail) >=
		sizeof(err->text))
		end_on_character(err->text, sizeof(err->text));
	return r;
}

const char *err_word(int code)
{
	size_t i = (size_t)abs(code);

	return i < ARRAY_LEN(words) ? words[i] : words[ERR_UNKNOWN];
}

int err_from_word(const char *word)
{
	for (int i = 0; i < ERR_CODE_COUNT; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return ERR_UNKNOWN;
}
