/* resident.c - see resident.h. */
#include "tests/core/archive/resident.h"

#include "core/archive/inside.h"
#include "core/archive/wire.h"
#include "core/base/file.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void say_ready(void *context)
{
	struct resident *s = context;

	(void)eventfd_write(s->ready, 1);
}

static void *serve(void *context)
{
	struct resident *s = context;

	s->result = server_run(s->archive, &s->options, &s->err);
	return NULL;
}

void resident_start(struct resident *s, const char *path, unsigned max_connections)
{
	eventfd_t value;

	*s = (struct resident){ .path = path };
	ck_ok(archive_open(path, ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &s->archive, &s->err),
		s->err);
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->ready = eventfd(0, EFD_CLOEXEC);
	s->options = (struct server_options){ .max_connections = max_connections,
		.stop_fd = s->stop,
		.ready = say_ready,
		.ready_context = s };
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
	ck_assert_int_eq(eventfd_read(s->ready, &value), 0);
}

void resident_stop(struct resident *s)
{
	(void)eventfd_write(s->stop, 1);
	(void)pthread_join(s->thread, NULL);
	ck_ok(s->result, s->err);
	archive_close(s->archive, 10000);
	(void)close(s->stop);
	(void)close(s->ready);
}

void resident_unseal(struct desk *d)
{
	int fds[2];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 2; i++) {
		_cleanup_(secret_freep) struct secret *s =
			secret_copy(custodian_passphrases[i], strlen(custodian_passphrases[i]));

		fds[i] = desk_secret_fd(s, &err);
	}
	json_free(say_with(d, fds, 2, "unseal", "{}"));
}

int resident_connect(const struct resident *s)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, s->path, NULL);
	struct err err = ERR_INIT;
	int fd = wire_connect(dir, ARCHIVE_SOCKET, &err);

	ck_ok(fd, err);
	return fd;
}
