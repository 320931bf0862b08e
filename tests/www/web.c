/* web.c - see web.h. */
#include "tests/www/web.h"

#include "core/archive/inside.h"
#include "core/base/file.h"
#include "www/inside.h"
#include "www/route.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>

static int find_session(void *context, struct str token, struct login_session *ret, struct err *err)
{
	(void)context;
	if (!str_is(token, "reader") && !str_is(token, "filer"))
		return err_set(err, ERR_NOTFOUND, "nobody");
	*ret = (struct login_session){ .account = "u-00001",
		.name = "Operator",
		.roles = str_is(token, "filer") ? ROLE_ALL : ROLE_READER,
		.language = TR_EN };
	return 0;
}

/* The verbs ask for the account's own roles. */
static int give_roles(struct archive *a, struct err *err)
{
	struct login *login;
	int r;

	(void)pthread_rwlock_rdlock(&a->gate);
	r = login_of(a, &login, err);
	if (r == 0)
		r = login_set_roles(login, "u-00001", ROLE_ALL, err);
	(void)pthread_rwlock_unlock(&a->gate);
	return r;
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
	uint64_t n = otherwise;

	(void)str_to_u64(str_of(getenv(name)), 50000, &n, NULL);
	return (unsigned)n;
}

int web_open(struct web *w, const char *folder, const char *listen, struct err *err)
{
	const struct init_options init = {
		.demonstration = true, .operator_name = "Operator", .cheap_passphrases = true
	};
	struct www_options options = { .listen = listen, .sessions = { .find = find_session } };
	struct init_made made;
	int r;

	options.connections = options.per_address = from_environment("MUNIMENT_WEB_CONNECTIONS", 0);
	options.idle_seconds = from_environment("MUNIMENT_WEB_IDLE", 0);
	options.workers = from_environment("MUNIMENT_WEB_WORKERS", 4);
	*w = (struct web){ .path = xstrdup(folder) };
	r = archive_init(folder, &init, &made, err);
	if (r == 0)
		r = archive_open(folder, ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &w->archive, err);
	if (r == 0)
		r = archive_unseal_demonstration(w->archive, err);
	if (r == 0)
		r = give_roles(w->archive, err);
	options.archive = w->archive;
	return r < 0 ? r : www_start(&options, &w->www, err);
}

void web_close(struct web *w)
{
	www_free(w->www);
	archive_close(w->archive, 1000);
	free(w->path);
	*w = (struct web){ .path = NULL };
}

void web_file(struct web *w, const void *p, size_t n, const char *name, const char *media,
	char ret_record[33])
{
	_cleanup_(closep) int fd = memfd_create("part", MFD_CLOEXEC);
	_cleanup_(buf_done) struct buf members = BUF_INIT, reply = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct err err = ERR_INIT;
	struct str record;

	say_cstr(&members, "series", "GEN");
	say_cstr(&members, "department", "运营部");
	say_cstr(&members, "title", "t");
	say_list(&members, "parts");
	say_map(&members, NULL);
	say_int(&members, "fd", 0);
	say_cstr(&members, "name", name);
	say_cstr(&members, "media", media);
	say_end_map(&members);
	say_end_list(&members);
	buf_addc(&reply, '{');
	if (fd < 0 || file_pwrite(fd, p, n, 0, &err) < 0 ||
		www_run_verb(w->www, "u-00001", "file", buf_str(&members), &fd, 1, &reply, &err) <
			0)
		(void)fprintf(stderr, "web_file: %s\n", err.text);
	buf_addc(&reply, '}');
	if (json_parse(buf_str(&reply), NULL, 0, &doc, NULL) < 0 ||
		json_need_text(doc, "record", &record, NULL) < 0)
		abort();
	(void)snprintf(ret_record, 33, "%.*s", STR_ARG(record));
}

static struct str look_up(void *source, const char *name)
{
	struct str rest = str_of(source);

	while (rest.p) {
		struct str line = str_cut(&rest, '\n'), key = str_cut(&line, ':');

		if (line.p && key.n == strlen(name) && strncasecmp(key.p, name, key.n) == 0)
			return str_trim(line);
	}
	return (struct str){ NULL, 0 };
}

static void read_all(struct exchange *x)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT;
	char piece[5000];
	int64_t n;

	for (;;) {
		n = x->stream->read(x->stream_context, all.n, piece, sizeof(piece));
		if (n == STREAM_WAIT)
			(void)poll(NULL, 0, 1);
		else if (n < 0)
			break;
		else
			buf_add(&all, piece, (size_t)n);
	}
	if (n == STREAM_FAILED || (x->stream_bytes != STREAM_UNKNOWN && all.n != x->stream_bytes))
		x->status = 599;
	buf_add_str(&x->reply, buf_str(&all));
}

struct exchange *web_ask(
	struct web *w, const char *method, const char *target, const char *headers, struct str body)
{
	struct exchange *x = exchange_new(w->www);

	x->method = exchange_method_of(method);
	x->header = look_up;
	x->header_source = arena_text(x->arena, str_of(headers));
	x->is_local = true;
	if (!dispatch_head(x, target))
		return x;
	if (body.n > dispatch_body_max(x)) {
		dispatch_refuse(x, 413, ERR_LIMIT, "too long");
		return x;
	}
	buf_add_str(&x->body, body);
	dispatch(x);
	if (x->stream && x->method != METHOD_HEAD)
		read_all(x);
	return x;
}
