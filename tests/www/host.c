/* host.c - the web layer for tests and measurements: host FOLDER ADDRESS:PORT [FILE...]
 *
 * Makes a demonstration archive in an empty folder and serves it; sessions are made up (web.h). Prints
 * "port N" and, for each FILE, "record ID" of a record that has it as its part, then "ready". SIGHUP reads
 * the certificate again; the end of its standard input, or SIGTERM, stops it. */
#include "core/base/file.h"
#include "core/base/secret.h"
#include "tests/www/web.h"
#include "www/inside.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int catch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int file_one(struct web *w, const char *path)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT_MAX((size_t)1 << 30);
	char record[33];

	if (file_read_whole(AT_FDCWD, path, &bytes, NULL) < 0)
		return -1;
	web_file(w, bytes.p, bytes.n, "part.bin", "application/octet-stream", record);
	(void)printf("record %s\n", record);
	return 0;
}

static void wait_for_end(struct web *w, int signals)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = signals, .events = POLLIN },
			{ .fd = 0, .events = POLLIN } };
		struct signalfd_siginfo info;
		struct err err = ERR_INIT;
		char c;

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents && read(0, &c, 1) <= 0)
			return;
		if (!p[0].revents || read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGHUP)
			return;
		(void)printf("reload %s\n", www_reload(w->www, &err) < 0 ? err.text : "ok");
		(void)fflush(stdout);
	}
}

/* ---- filing without a network ---- */

struct filer {
	struct web *web;
	_Atomic bool *stop;
	_Atomic uint64_t *count;
};

static void *file_on(void *context)
{
	static const char members[] =
		"\"series\":\"GEN\",\"department\":\"运营部\",\"title\":\"题名 of a record\"";
	struct filer *f = context;

	while (!atomic_load(f->stop)) {
		_cleanup_(buf_done) struct buf reply = BUF_INIT;

		if (www_run_verb(f->web->www, "u-00001", "file", str_of(members), NULL, 0, &reply,
			    NULL) < 0)
			abort();
		atomic_fetch_add(f->count, 1);
	}
	return NULL;
}

static int file_many(const char *folder, unsigned seconds)
{
	enum { THREADS = 64 };
	_Atomic bool stop = false;
	_Atomic uint64_t count = 0;
	struct web w;
	struct filer filer = { &w, &stop, &count };
	pthread_t threads[THREADS];
	struct err err = ERR_INIT;

	if (web_open(&w, folder, NULL, &err) < 0)
		return 1;
	for (int i = 0; i < THREADS; i++)
		(void)pthread_create(&threads[i], NULL, file_on, &filer);
	(void)sleep(seconds);
	(void)printf("%.0f\n", (double)atomic_load(&count) / seconds);
	atomic_store(&stop, true);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	web_close(&w);
	return 0;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct web w;
	int signals, r = 0;

	if (argc < 3)
		return 2;
	secret_init();
	if (strcmp(argv[1], "--file") == 0 && argc == 4) {
		uint64_t seconds = 1;

		(void)str_to_u64(str_of(argv[3]), 1000, &seconds, NULL);
		return file_many(argv[2], (unsigned)seconds);
	}
	signals = catch_signals();
	if (web_open(&w, argv[1], argv[2], &err) < 0) {
		(void)fprintf(stderr, "host: %s\n", err.text);
		return 1;
	}
	(void)printf("port %u\n", www_port(w.www));
	for (int i = 3; r == 0 && i < argc; i++)
		r = file_one(&w, argv[i]);
	(void)printf("ready\n");
	(void)fflush(stdout);
	if (r == 0)
		wait_for_end(&w, signals);
	www_stop(w.www, 2000);
	web_close(&w);
	(void)close(signals);
	return r == 0 ? 0 : 1;
}
