/* prompt.c - see prompt.h.
 *
 * While echo is off, every signal that would end or stop the process is only noted; the terminal
 * gets its echo back, and then the signal is sent again to meet its old handler. After a stop
 * (Ctrl-Z) the question is asked anew. */
#include "core/main/prompt.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { PASSPHRASE_BYTES = 1024 };

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };
static volatile sig_atomic_t pending[NSIG];

void prompt_init(struct prompt *p, const struct args *args, const char *options)
{
	*p = (struct prompt){ .args = args, .options = options, .terminal = "/dev/tty" };
}

/* ---- without a terminal ---- */

static int read_file(const char *path, struct secret **ret, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, tr("cannot open passphrase file '%s'"), path);
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) && st.st_uid == geteuid())
		return err_set(err, ERR_INVALID,
			tr("passphrase file '%s' can be read by others; run chmod 600 on it"),
			path);
	r = secret_read_fd(fd, PASSPHRASE_BYTES, ret, err);
	return r < 0 ? err_prefix(err, r, tr("passphrase file '%s'"), path) : 0;
}

static int read_descriptor(const char *number, struct secret **ret, struct err *err)
{
	uint64_t fd = 0;
	int r = str_to_u64(str_of(number), INT32_MAX, &fd, err);

	if (r == 0)
		r = secret_read_fd((int)fd, PASSPHRASE_BYTES, ret, err);
	return r < 0 ? err_prefix(err, r, tr("passphrase descriptor %s"), number) : 0;
}

/* What stands behind "passphrase-" in an option's name; NULL for any other option. */
static const char *source_of(const struct prompt *p, const struct option *o)
{
	size_t n = strlen(p->options);

	return strncmp(o->name, p->options, n) == 0 && o->name[n] == '-' ? o->name + n + 1 : NULL;
}

/* 1 when one was read, 0 when there is none left. */
static int from_options(struct prompt *p, struct secret **ret, struct err *err)
{
	while (p->next < p->args->given_count) {
		const struct given *g = &p->args->given[p->next++];
		const char *source = source_of(p, g->option);
		int r;

		if (!source)
			continue;
		if (strcmp(source, "file") == 0)
			r = read_file(g->value, ret, err);
		else
			r = read_descriptor(g->value, ret, err);
		return r < 0 ? r : 1;
	}
	return 0;
}

/* systemd's LoadCredential=custodian-1:... */
static int from_credentials(struct prompt *p, struct secret **ret, struct err *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	int r;

	if (!folder || folder[0] != '/' || strcmp(p->options, "passphrase") != 0)
		return 0;
	buf_addf(&path, "%s/custodian-%u", folder, p->credential + 1);
	if (!file_exists(AT_FDCWD, path.p))
		return 0;
	p->credential++;
	r = read_file(path.p, ret, err);
	return r < 0 ? r : 1;
}

/* ---- with a terminal ---- */

static void note(int signal_number)
{
	pending[signal_number] = 1;
}

struct echo {
	int fd;
	sigset_t mask; /* as it was */
	struct termios before;
	struct sigaction handlers[ARRAY_LEN(caught)];
};

static int echo_off(struct echo *e, int fd, struct err *err)
{
	struct sigaction quiet = { .sa_handler = note }; /* no SA_RESTART: read() must return */
	struct termios silent;
	sigset_t blocked;

	e->fd = fd;
	if (tcgetattr(fd, &e->before) < 0)
		return err_errno(err, tr("cannot turn off the terminal's echo"));
	(void)sigemptyset(&quiet.sa_mask);
	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		(void)sigaddset(&blocked, caught[i]);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, &e->mask);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		pending[caught[i]] = 0;
		(void)sigaction(caught[i], &quiet, &e->handlers[i]);
	}
	silent = e->before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	(void)tcsetattr(fd, TCSAFLUSH, &silent);
	return 0;
}

static void echo_on(struct echo *e)
{
	while (tcsetattr(e->fd, TCSAFLUSH, &e->before) < 0 && errno == EINTR && !pending[SIGTTOU])
		;
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		(void)sigaction(caught[i], &e->handlers[i], NULL);
	(void)pthread_sigmask(SIG_SETMASK, &e->mask, NULL);
}

/* Send again what was noted. 0: nothing; 1: the process was stopped and goes on; -ERR_CANCELLED: it
 * was told to end, and is still here. */
static int deliver(struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		int number = caught[i];

		if (!pending[number])
			continue;
		(void)raise(number);
		if (number != SIGTSTP && number != SIGTTIN && number != SIGTTOU)
			return err_set(err, ERR_CANCELLED, tr("interrupted"));
		r = 1;
	}
	return r;
}

static bool any_pending(void)
{
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		if (pending[caught[i]])
			return true;
	return false;
}

/* Until there is something to read, or a signal: `mask` holds while we wait. Without a mask any signal will do. */
static bool wait_for_key(int fd, const sigset_t *mask)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (ppoll(&p, 1, NULL, mask) < 0 && errno == EINTR)
		if (!mask || any_pending())
			return false;
	return true;
}

/* One line into `room`, without its end; n may be more than fits. Stops early on a signal. */
static int read_line(
	int fd, const sigset_t *mask, struct secret *room, size_t *ret_n, struct err *err)
{
	size_t n = 0;

	while (wait_for_key(fd, mask)) {
		uint8_t c;
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, tr("cannot read from the terminal"));
		if (got == 0 || c == '\n')
			break;
		if (n < room->n)
			room->p[n] = c;
		n++;
	}
	*ret_n = n;
	return 0;
}

static void say(int fd, const char *text)
{
	ssize_t written = write(fd, text, strlen(text));

	(void)written;
}

/* Ask once; asks again by itself after a stop. */
static int ask_silently(int fd, const char *question, struct secret **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *room = secret_new(PASSPHRASE_BYTES);
	struct echo echo;
	size_t n = 0;
	int r, signals;

	do {
		r = echo_off(&echo, fd, err);
		if (r < 0)
			return r;
		say(fd, question);
		say(fd, ": ");
		r = read_line(fd, &echo.mask, room, &n, err);
		echo_on(&echo);
		say(fd, "\n");
		signals = deliver(err);
	} while (signals > 0);
	if (signals < 0 || r < 0)
		return signals < 0 ? signals : r;
	if (n == 0)
		return err_set(err, ERR_INVALID, tr("the passphrase is empty"));
	if (n > room->n)
		return err_set(err, ERR_LIMIT, tr("a passphrase has at most %zu bytes"), room->n);
	*ret = secret_copy(room->p, n);
	return 0;
}

static int open_terminal(const struct prompt *p, struct err *err)
{
	int fd = open(p->terminal, O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_set(err, ERR_SEALED,
			tr("a passphrase is needed and there is no terminal to ask at; give it "
			   "with "
			   "--passphrase-file, --passphrase-fd or a systemd credential"));
	return fd;
}

static int from_terminal(const struct prompt *p, const char *question, bool is_new,
	struct secret **ret, struct err *err)
{
	_cleanup_(closep) int fd = open_terminal(p, err);

	if (fd < 0)
		return fd;
	for (;;) {
		_cleanup_(secret_freep) struct secret *first = NULL;
		_cleanup_(secret_freep) struct secret *again = NULL;
		int r = ask_silently(fd, question, &first, err);

		if (r < 0)
			return r;
		if (is_new) {
			r = ask_silently(fd, tr("the same once more"), &again, err);
			if (r < 0)
				return r;
			if (!secret_equal(first, again)) {
				say(fd, tr("the two are not the same; please begin again\n"));
				continue;
			}
		}
		*ret = TAKE_PTR(first);
		return 0;
	}
}

int prompt_passphrase(
	struct prompt *p, const char *question, bool is_new, struct secret **ret, struct err *err)
{
	int r = from_options(p, ret, err);

	if (r == 0)
		r = from_credentials(p, ret, err);
	p->was_asked = r == 0;
	if (r == 0)
		return from_terminal(p, question, is_new, ret, err);
	return r < 0 ? r : 0;
}

int prompt_line(const struct prompt *p, const char *question, struct buf *ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *room = secret_new(PASSPHRASE_BYTES);
	_cleanup_(closep) int fd = open_terminal(p, err);
	size_t n = 0;
	int r;

	if (fd < 0)
		return fd;
	say(fd, question);
	say(fd, ": ");
	r = read_line(fd, NULL, room, &n, err);
	if (r < 0)
		return r;
	buf_add(ret, room->p, n < room->n ? n : room->n);
	return 0;
}
