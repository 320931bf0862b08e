/* resident.h - the resident process as a thread of a test. */
#ifndef MUN_TESTS_CORE_ARCHIVE_RESIDENT_H
#define MUN_TESTS_CORE_ARCHIVE_RESIDENT_H

#include "core/archive/desk.h"
#include "core/archive/server.h"

#include <pthread.h>

struct resident {
	const char *path;
	struct archive *archive;
	struct server_options options;
	int stop, ready;
	pthread_t thread;
	int result;
	struct err err;
};

/* Listens when it returns; sealed. */
void resident_start(struct resident *s, const char *path, unsigned max_connections);
void resident_stop(struct resident *s);
/* By both custodians, across the socket. */
void resident_unseal(struct desk *d);
/* A bare connection, for what no desk would send. */
int resident_connect(const struct resident *s);

#endif
