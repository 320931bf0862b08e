/* www.h - the web face of an open archive: HTTPS, the API of /api/v1, the user interface.
 *
 *	struct www_options o = { .archive = a, .listen = "127.0.0.1:8443" };
 *	r = www_start(&o, &w, err);
 *	...
 *	www_free(w);
 *
 * Threads: two that own connections, a bounded pool that runs verbs, one that watches time-outs. */
#ifndef MUN_WWW_WWW_H
#define MUN_WWW_WWW_H

#include "core/base/err.h"
#include "www/session.h"

struct archive;
struct www;

struct www_options {
	struct archive *archive;
	const char *
		listen; /* "ADDRESS:PORT"; port 0: any. NULL: no network, for tests of the dispatcher */
	struct session_source sessions;				  /* zeroed: core/archive/login.h */
	unsigned workers, connections, per_address, idle_seconds; /* 0: from the settings */
};

/* Errors: ERR_INVALID (the address, the certificate), ERR_EXISTS (the port is taken), ERR_IO. */
int www_start(const struct www_options *options, struct www **ret, struct err *err);
/* The port that it listens on. */
unsigned www_port(const struct www *w);
/* Read certificate and key again; the old ones stay on failure. */
int www_reload(struct www *w, struct err *err);
/* Take no new connections, finish what runs (up to grace_ms, then cancel it), close. */
void www_stop(struct www *w, int64_t grace_ms);
/* www_stop, unless that was; then free. NULL is fine. */
void www_free(struct www *w);
DEFINE_CLEANUP(struct www *, www_free)

/* SHA-256 of the certificate in use, "AB:CD:..." in `out`. */
void www_fingerprint(struct www *w, char out[3 * 32 + 1]);

#endif
