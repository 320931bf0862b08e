/* www.c - see www.h: puts the pieces together. */
#include "www/www.h"

#include "www/cache.h"
#include "www/certificate.h"
#include "www/files.h"
#include "www/inside.h"
#include "www/listen.h"
#include "www/server.h"
#include "www/workers.h"

#include "core/archive/settings.h"

#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 4, WAITING_MAX = 1000 };

static unsigned given(struct archive *a, unsigned asked, enum setting otherwise)
{
	return asked ? asked : (unsigned)settings_int(archive_settings(a), otherwise);
}

static int start_network(struct www *w, const struct www_options *o, struct err *err)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct server_limits limits = {
		.connections = given(o->archive, o->connections, SETTING_HTTP_CONNECTIONS),
		.per_address = given(o->archive, o->per_address, SETTING_HTTP_PER_ADDRESS),
		.idle_seconds = given(o->archive, o->idle_seconds, SETTING_HTTP_IDLE_SECONDS),
		.threads = processors < 2	      ? 2
			   : processors > THREADS_MAX ? THREADS_MAX
						      : (unsigned)processors,
	};
	int listener, r = certificate_open(archive_dir(o->archive), &w->certificate, err);

	if (r < 0)
		return r;
	listener = listen_at(str_of(o->listen), &w->port, err);
	return listener < 0 ? listener
			    : server_start(w, listener, w->certificate, &limits, &w->server, err);
}

static int find_session(void *context, struct str token, struct login_session *ret, struct err *err)
{
	return login_session(context, token, ret, err);
}

static bool is_live(void *context, const struct login_session *session)
{
	return login_is_live(context, session);
}

bool www_is_live(struct www *w, const struct login_session *session)
{
	return !w->sessions.is_live || w->sessions.is_live(w->sessions.context, session);
}

int www_start(const struct www_options *options, struct www **ret, struct err *err)
{
	_cleanup_(www_freep) struct www *w = xcalloc(1, sizeof(*w));
	int r;

	w->archive = options->archive;
	w->sessions = options->sessions;
	if (!w->sessions.find)
		w->sessions = (struct session_source){ find_session, is_live, options->archive };
	w->cache = cache_new();
	r = files_open(&w->files, err);
	if (r == 0)
		r = workers_start(given(options->archive, options->workers, SETTING_HTTP_WORKERS),
			WAITING_MAX, &w->workers, err);
	if (r == 0 && options->listen)
		r = start_network(w, options, err);
	if (r == 0)
		*ret = TAKE_PTR(w);
	return r;
}

unsigned www_port(const struct www *w)
{
	return w->port;
}

int www_reload(struct www *w, struct err *err)
{
	return w->certificate ? certificate_reload(w->certificate, err) : 0;
}

void www_fingerprint(struct www *w, char out[3 * 32 + 1])
{
	out[0] = '\0';
	if (w->certificate)
		certificate_fingerprint(w->certificate, out);
}

void www_stop(struct www *w, int64_t grace_ms)
{
	server_stop(TAKE_PTR(w->server), grace_ms);
	workers_stop(TAKE_PTR(w->workers));
}

void www_free(struct www *w)
{
	if (!w)
		return;
	www_stop(w, 0);
	certificate_free(w->certificate);
	cache_free(w->cache);
	files_free(w->files);
	free(w);
}
