/* cmd_serve.c - the resident process: holds keys and the writer's lock, answers commands over
 * ARCHIVE/socket, until SIGTERM or SIGINT. */
#include "core/archive/archive.h"
#include "core/archive/server.h"
#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/main/cli.h"
#include "core/main/commands.h"
#include "core/main/notify.h"

#include <signal.h>
#include <sys/signalfd.h>

enum { CONNECTIONS_MAX = 10000, DRAIN_MS = 5000 };

static const struct option options[] = {
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

/* SIGTERM and SIGINT become readable instead of deadly, in this thread and all that follow. */
static int stop_signals(struct err *err)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? err_errno(err, tr("cannot watch for signals")) : fd;
}

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

static int serve(struct cli *cli, struct archive *a, int stop, struct err *err)
{
	struct server_options o = { .max_connections =
					    (unsigned)args_number(cli->args, "max-connections", 0),
		.stop_fd = stop,
		.ready = is_ready,
		.ready_context = cli };
	int r;

	if (archive_is_sealed(a))
		cli_remark(cli, "%s",
			tr("the archive is sealed; two custodians unseal it with 'muniment "
			   "unseal'"));
	r = server_run(a, &o, err);
	notify("STOPPING=1");
	return r;
}

/* People are asked first, while Ctrl-C still works as everywhere; then the signals are caught, before there
 * is any other thread that they could go to. */
static int run(struct cli *cli, const struct args *args, struct err *err)
{
	_cleanup_(two_done) struct two two = { NULL, NULL };
	_cleanup_(closep) int stop = -1;
	struct archive *a = NULL;
	int r = args_has(args, "unseal") ? ask_two(cli, &two, err) : 0;

	if (r < 0)
		return r;
	stop = stop_signals(err);
	if (stop < 0)
		return stop;
	r = archive_open(cli->path, ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &a, err);
	if (r < 0)
		return r;
	r = unseal(cli, a, &two, err);
	if (r == 0)
		r = serve(cli, a, stop, err);
	archive_close(a, DRAIN_MS);
	return r;
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
