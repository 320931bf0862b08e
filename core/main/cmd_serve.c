/* cmd_serve.c - the resident process: holds keys and the writer's lock, answers commands over
 * ARCHIVE/socket, until SIGTERM or SIGINT. */
#include "core/archive/archive.h"
#include "core/archive/log.h"
#include "core/archive/server.h"
#include "core/archive/settings.h"
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/notify.h"
#include "www/www.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Arenas: with one for every thread, what an import left free in each stays resident, a third more after a
 * large one, and filing is not faster. */
enum { CONNECTIONS_MAX = 10000, DRAIN_MS = 5000, WWW_GRACE_MS = 10000, ARENAS = 4 };

static const struct option options[] = {
	{ .name = "listen",
		.kind = OPTION_TEXT,
		.argument = "ADDRESS:PORT",
		.meaning = { .zh = "在此提供 HTTPS 网页和接口，如 127.0.0.1:8443；off "
				   "为不提供（默认取 http.listen 这一设置）",
			.en = "serve HTTPS here (pages and API), such as 127.0.0.1:8443; off: not "
			      "at "
			      "all (default: the setting http.listen)" } },
	{ .name = "unseal",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "启动时即由两位密钥保管人启封（终端、文件、描述符或 systemd "
				   "凭据）",
			.en = "let two custodians unseal at the start (terminal, file, descriptor "
			      "or systemd "
			      "credential)" } },
	{ .name = "unseal-demonstration",
		.kind = OPTION_FLAG,
		.meaning = { .zh = "以内置口令启封；只有演示库接受",
			.en = "unseal with the built-in passphrases; only a demonstration archive "
			      "accepts it" } },
	{ .name = "max-connections",
		.kind = OPTION_NUMBER,
		.max = CONNECTIONS_MAX,
		.argument = "N",
		.meaning = { .zh = "同时连接数上限（默认为设置 server.connections）",
			.en = "connections at a time (default: the setting server.connections)" } },
};

struct two {
	struct secret *first, *second;
};

static void two_done(struct two *t)
{
	secret_free(t->first);
	secret_free(t->second);
}

static int ask_two(struct cli *cli, struct two *ret, struct err *err)
{
	int r = prompt_passphrase(
		&cli->prompt, tr("passphrase of the first custodian"), false, &ret->first, err);

	return r < 0 ? r
		     : prompt_passphrase(&cli->prompt, tr("passphrase of the second custodian"),
			       false, &ret->second, err);
}

/* ---- signals ---- */

struct signals {
	int fd; /* SIGTERM, SIGINT, SIGHUP */
	int stop; /* readable from the first SIGTERM or SIGINT on, and when we end for another reason */
	struct www *www;
	pthread_t thread;
};

/* They become readable instead of deadly, in this thread and all that follow. */
static int signals_catch(struct signals *s, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->fd = signalfd(-1, &set, SFD_CLOEXEC);
	s->stop = eventfd(0, EFD_CLOEXEC);
	return s->fd < 0 || s->stop < 0 ? err_errno(err, tr("cannot watch for signals")) : 0;
}

static void signals_done(struct signals *s)
{
	closep(&s->fd);
	closep(&s->stop);
}

static void reload(struct www *www)
{
	struct err err = ERR_INIT;

	if (!www)
		return;
	if (www_reload(www, &err) < 0)
		log_err(LOG_LEVEL_ERROR, "reload", &err);
	else
		log_line(LOG_LEVEL_NOTICE, "the certificate was read again");
}

static void *signals_watch(void *context)
{
	struct signals *s = context;

	for (;;) {
		struct pollfd p[2] = { { .fd = s->fd, .events = POLLIN },
			{ .fd = s->stop, .events = POLLIN } };
		struct signalfd_siginfo info;

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			return NULL;
		if (read(s->fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGHUP)
			reload(s->www);
		else
			(void)eventfd_write(s->stop, 1);
	}
}

/* ---- serving ---- */

static void is_ready(void *context)
{
	struct cli *cli = context;

	notify("READY=1");
	cli_remark(cli, tr("serving '%s'; Ctrl-C or SIGTERM stops"), cli->path);
}

static int unseal(struct cli *cli, struct archive *a, const struct two *two, struct err *err)
{
	const char *who[2];

	if (args_has(cli->args, "unseal-demonstration"))
		return archive_unseal_demonstration(a, err);
	return two->first ? archive_unseal(a, two->first, two->second, who, err) : 0;
}

/* Where HTTPS is served; empty: nowhere. */
static void listen_address(struct cli *cli, struct archive *a, struct buf *ret)
{
	const char *given = args_text(cli->args, "listen");

	if (given)
		buf_adds(ret, given);
	else
		settings_text(archive_settings(a), SETTING_HTTP_LISTEN, ret);
	if (str_is(buf_str(ret), "off"))
		buf_reset(ret);
}

static int start_www(struct cli *cli, struct archive *a, struct www **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf address = BUF_INIT_MAX(1000);
	struct www_options o = { .archive = a };
	char fingerprint[3 * 32 + 1];
	size_t colon;
	int r;

	listen_address(cli, a, &address);
	if (address.n == 0)
		return 0;
	o.listen = address.p;
	r = www_start(&o, ret, err);
	if (r < 0)
		return r;
	for (colon = address.n; colon > 0 && address.p[colon - 1] != ':';)
		colon--;
	buf_cut(&address, colon);
	www_fingerprint(*ret, fingerprint);
	cli_remark(cli, tr("HTTPS at https://%s%u/"), address.p, www_port(*ret));
	cli_remark(cli, tr("certificate SHA-256 %s"), fingerprint);
	return 0;
}

static int serve(struct cli *cli, struct archive *a, struct signals *signals, struct err *err)
{
	struct server_options o = { .max_connections =
					    (unsigned)args_number(cli->args, "max-connections", 0),
		.stop_fd = signals->stop,
		.ready = is_ready,
		.ready_context = cli };
	int r;

	if (pthread_create(&signals->thread, NULL, signals_watch, signals) != 0)
		return err_set(err, ERR_IO, tr("cannot start a thread"));
	if (archive_is_sealed(a))
		cli_remark(cli, "%s",
			tr("the archive is sealed; two custodians unseal it with 'muniment "
			   "unseal'"));
	r = server_run(a, &o, err);
	notify("STOPPING=1");
	(void)eventfd_write(signals->stop, 1);
	(void)pthread_join(signals->thread, NULL);
	return r;
}

static int open_and_serve(
	struct cli *cli, struct signals *signals, const struct two *two, struct err *err)
{
	struct archive *a = NULL;
	int r = archive_open(cli->path, ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &a, err);

	if (r < 0)
		return r;
	r = unseal(cli, a, two, err);
	if (r == 0)
		r = start_www(cli, a, &signals->www, err);
	if (r == 0)
		r = serve(cli, a, signals, err);
	if (signals->www)
		www_stop(signals->www, WWW_GRACE_MS);
	www_free(signals->www);
	archive_close(a, DRAIN_MS);
	return r;
}

/* People are asked first, while Ctrl-C still works as everywhere; then the signals are caught, before there
 * is any other thread that they could go to. */
static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(two_done) struct two two = { NULL, NULL };
	_cleanup_(signals_done) struct signals signals = { .fd = -1, .stop = -1 };
	int r = args_has(args, "unseal") ? ask_two(cli, &two, err) : 0;

	(void)mallopt(M_ARENA_MAX, ARENAS);
	if (r == 0)
		r = signals_catch(&signals, err);
	return r < 0 ? r : open_and_serve(cli, &signals, &two, err);
}

const struct command command_serve = {
	.name = "serve",
	.help = { .zh = "常驻进程：持有密钥和写入锁，经本地套接字为其他命令服务",
		.en = "the resident process: holds keys and the writer's lock, serves the other "
		      "commands" },
	.about = { .zh = "以封存状态启动，监听 DIR/socket，直到收到 SIGTERM 或 "
			 "SIGINT。运行期间，其他命令自动经由它执行。",
		.en = "Starts sealed and listens on DIR/socket until SIGTERM or SIGINT. While it "
		      "runs, the other commands "
		      "go through it by themselves." },
	.options = options,
	.option_count = ARRAY_LEN(options),
	.run = run,
};
