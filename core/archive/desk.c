/* desk.c - see desk.h. */
#include "core/archive/desk.h"

#include "core/archive/inside.h"
#include "core/archive/log.h"
#include "core/archive/say.h"
#include "core/archive/wire.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	ANSWER_MS = 30000, /* from the first to the last byte of a message */
	DRAIN_MS = 600000, /* for what was filed here to become searchable when the desk closes */
	TRIES = 3
};

struct desk {
	char *path, *as;
	struct desk_options options;
	int socket; /* -1: no resident process */
	struct archive *archive;
	bool wrote;
};

static const struct json_limits reply_limits = { VERB_MAX_REPLY, 64, 4000000 };

/* ---- opening ---- */

static int connect_resident(struct desk *d, int dir, struct err *err)
{
	struct err inner = ERR_INIT;
	int fd = wire_connect(dir, ARCHIVE_SOCKET, &inner);

	if (fd >= 0) {
		d->socket = fd;
		return 0;
	}
	if (fd == -ERR_NOTFOUND && !d->options.only_resident)
		return 0;
	if (err)
		*err = inner;
	return fd;
}

int desk_open(
	const char *path, const struct desk_options *options, struct desk **ret, struct err *err)
{
	_cleanup_(desk_freep) struct desk *d = xcalloc(1, sizeof(*d));
	_cleanup_(closep) int dir = -1;
	int r;

	d->socket = -1;
	d->options = *options;
	d->path = xstrdup(path);
	d->as = options->as ? xstrdup(options->as) : NULL;
	dir = file_open_dir(AT_FDCWD, path, err);
	if (dir < 0)
		return dir;
	if (!file_exists(dir, "archive.json"))
		return err_set(err, ERR_NOTFOUND,
			tr("there is no archive in '%s': make one with 'muniment init'"), path);
	if (!options->never_resident) {
		r = connect_resident(d, dir, err);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(d);
	return 0;
}

void desk_free(struct desk *d)
{
	if (!d)
		return;
	closep(&d->socket);
	archive_close(d->archive, d->wrote ? DRAIN_MS : 0);
	free(d->as);
	free(d->path);
	free(d);
}

void desk_hurry(struct desk *d)
{
	d->wrote = false;
}

bool desk_is_resident(const struct desk *d)
{
	return d->socket >= 0;
}

bool desk_is_demonstration(const struct desk *d)
{
	return d->archive && archive_is_demonstration(d->archive);
}

/* The writer's lock if it is to be had; without it when only reading is wanted. */
static int open_here(struct desk *d, bool writes, struct err *err)
{
	struct err inner = ERR_INIT;
	int r;

	if (d->archive && (!writes || (d->archive->flags & ARCHIVE_WRITABLE)))
		return 0;
	archive_close(TAKE_PTR(d->archive), 0);
	r = archive_open(d->path, ARCHIVE_WRITABLE, &d->archive, &inner);
	if (r == 0)
		return 0;
	d->archive = NULL;
	if ((r == -ERR_LOCKED || r == -ERR_DENIED) && !writes)
		r = archive_open(d->path, 0, &d->archive, &inner);
	if (r < 0 && err)
		*err = inner;
	return r;
}

/* ---- unsealing here ---- */

static int ask_one(struct desk *d, unsigned nth, const char *const *labels, size_t count,
	struct id *ret_who, struct secret **ret, struct err *err)
{
	unsigned tries = d->options.ask_tries ? d->options.ask_tries : TRIES;
	int r = 0;

	for (unsigned i = 0; i < tries; i++) {
		_cleanup_(secret_freep) struct secret *passphrase = NULL;

		r = d->options.ask(
			d->options.ask_context, nth, labels, count, i > 0, &passphrase, err);
		if (r < 0)
			return r;
		r = archive_open_custodian(d->archive, passphrase, true, ret_who, ret, err);
		if (r != -ERR_CRYPTO)
			return r;
	}
	return r;
}

static int ask_two(struct desk *d, const char *const *labels, size_t count, struct err *err)
{
	_cleanup_(secret_freep) struct secret *first = NULL;
	_cleanup_(secret_freep) struct secret *second = NULL;
	struct id who1, who2;
	int r = ask_one(d, 1, labels, count, &who1, &first, err);

	if (r == 0)
		r = ask_one(d, 2, labels, count, &who2, &second, err);
	return r < 0 ? r : archive_unseal_with(d->archive, &who1, first, &who2, second, err);
}

static int unseal_here(struct desk *d, struct err *err)
{
	size_t count = custody_count(d->archive->custody);
	_cleanup_(freep) const char **labels = NULL;

	if (!archive_is_sealed(d->archive))
		return 0;
	if (archive_is_demonstration(d->archive))
		return archive_unseal_demonstration(d->archive, err);
	if (!d->options.ask)
		return err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it ('muniment "
			   "unseal')"));
	labels = xcalloc(count + 1, sizeof(*labels));
	for (size_t i = 0; i < count; i++)
		labels[i] = custody_at(d->archive->custody, i).label;
	return ask_two(d, labels, count, err);
}

/* ---- calling ---- */

static int parse_reply(struct str text, struct json **ret, struct err *err)
{
	int r = json_parse(text, &reply_limits, 0, ret, err);

	return r < 0 ? err_prefix(err, r, tr("the answer cannot be read")) : 0;
}

static int call_here(struct desk *d, const struct verb *v, struct str args, const int *fds,
	size_t fd_count, verb_tell *tell, void *tell_context, struct json **ret, struct err *err)
{
	_cleanup_(buf_wipe) struct buf reply = BUF_INIT_MAX(VERB_MAX_REPLY);
	_cleanup_(buf_wipe) struct buf whole = BUF_INIT_MAX(VERB_MAX_REPLY + 16);
	_cleanup_(json_freep) struct json *doc = NULL;
	struct verb_call call = { .caller = { .origin = ACCESS_OWNER },
		.fds = fds,
		.fd_count = fd_count,
		.uid = (uint32_t)getuid(),
		.tell = tell,
		.tell_context = tell_context,
		.reply = &reply };
	int failure, r;

	if (v->flags & VERB_RESIDENT)
		return err_set(err, ERR_NOTFOUND,
			tr("no resident process listens for this archive: start 'muniment serve'"));
	r = json_parse(args, &reply_limits, 0, &doc, err);
	if (r == 0)
		r = open_here(d, (v->flags & VERB_WRITES) != 0, err);
	if (r == 0 && verb_needs_keys(v, doc))
		r = unseal_here(d, err);
	if (r < 0)
		return r;
	call.args = doc;
	failure = verb_run(d->archive, str_of(v->name), &call, err);
	if (failure == 0 && (v->flags & VERB_WRITES) && (v->flags & VERB_UNSEALED))
		d->wrote = true;
	buf_addc(&whole, '{');
	buf_add_str(&whole, buf_str(&reply));
	buf_addc(&whole, '}');
	if (failure < 0) {
		if (reply.n > 0)
			(void)parse_reply(buf_str(&whole), ret, NULL);
		return failure;
	}
	if ((r = buf_check(&reply, err)) < 0 || (r = buf_check(&whole, err)) < 0)
		return r;
	return parse_reply(buf_str(&whole), ret, err);
}

static int take_progress(const struct json *p, verb_tell *tell, void *context)
{
	struct str stage = STR(""), unit = STR("");
	struct verb_progress progress = { .text = STR("") };
	int64_t done = 0, total = 0, rate = 0, eta = 0;
	_cleanup_(freep) char *stage_text = NULL;
	_cleanup_(freep) char *unit_text = NULL;

	if (!tell)
		return 0;
	(void)json_may_text(p, "stage", &stage, NULL);
	(void)json_may_text(p, "unit", &unit, NULL);
	(void)json_may_text(p, "text", &progress.text, NULL);
	(void)json_may_int(p, "done", 0, INT64_MAX, &done, NULL);
	(void)json_may_int(p, "total", 0, INT64_MAX, &total, NULL);
	(void)json_may_int(p, "rate", 0, INT64_MAX, &rate, NULL);
	(void)json_may_int(p, "eta", 0, INT64_MAX, &eta, NULL);
	progress.stage = stage_text = str_dup(stage);
	progress.unit = unit_text = str_dup(unit);
	progress.done = (uint64_t)done;
	progress.total = (uint64_t)total;
	progress.rate = (uint64_t)rate;
	progress.eta = (uint64_t)eta;
	return tell(context, &progress);
}

static int take_failure(
	const struct json *doc, const struct json *e, struct json **ret, struct err *err)
{
	const struct json *detail = json_map_get(doc, "detail");
	_cleanup_(buf_wipe) struct buf text = BUF_INIT_MAX(VERB_MAX_REPLY);
	struct str code = STR("unknown"), sentence = STR("");
	_cleanup_(freep) char *word = NULL;

	(void)json_may_text(e, "code", &code, NULL);
	(void)json_may_text(e, "text", &sentence, NULL);
	if (detail && json_add_canonical(&text, detail, NULL) == 0)
		(void)parse_reply(buf_str(&text), ret, NULL);
	word = str_dup(code);
	return err_set(err, err_from_word(word), "%.*s", STR_ARG(sentence));
}

/* 1: the message was progress, more follows. */
static int take_message(struct str text, bool *cancelled, verb_tell *tell, void *tell_context,
	int socket, struct json **ret, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	_cleanup_(buf_wipe) struct buf inner = BUF_INIT_MAX(VERB_MAX_REPLY);
	const struct json *part;
	int r = parse_reply(text, &doc, err);

	if (r < 0)
		return r;
	if (json_kind_of(doc) != JSON_KIND_MAP)
		return err_set(err, ERR_INVALID, tr("the answer cannot be read"));
	part = json_map_get(doc, "progress");
	if (part) {
		if (!*cancelled && take_progress(part, tell, tell_context) != 0) {
			*cancelled = true;
			r = wire_send(socket, STR(WIRE_CANCEL), NULL, 0, ANSWER_MS, err);
		}
		return r < 0 ? r : 1;
	}
	part = json_map_get(doc, "error");
	if (part)
		return take_failure(doc, part, ret, err);
	r = json_need_map(doc, "reply", &part, err);
	if (r == 0)
		r = json_add_canonical(&inner, part, err);
	return r < 0 ? r : parse_reply(buf_str(&inner), ret, err);
}

static int call_resident(struct desk *d, const char *verb, struct str args, const int *fds,
	size_t fd_count, verb_tell *tell, void *tell_context, struct json **ret, struct err *err)
{
	_cleanup_(buf_wipe) struct buf message = BUF_INIT_MAX(VERB_MAX_REPLY + 4096);
	bool cancelled = false;
	size_t none;
	int r;

	buf_addc(&message, '{');
	say_json(&message, "args", args);
	say_cstr(&message, "lang", tr_language_name(tr_language()));
	say_cstr(&message, "verb", verb);
	say_end_map(&message);
	r = buf_check(&message, err);
	if (r == 0 && message.n > VERB_MAX_REQUEST)
		r = err_set(
			err, ERR_LIMIT, tr("a request of more than %d bytes"), VERB_MAX_REQUEST);
	if (r == 0)
		r = wire_send(d->socket, buf_str(&message), fds, fd_count, ANSWER_MS, err);
	if (r < 0)
		return r;
	for (;;) {
		r = wire_receive(d->socket, &message, NULL, 0, &none, -1, ANSWER_MS, -1, err);
		if (r == 1)
			return err_set(err, ERR_UNKNOWN,
				tr("the resident process ended before it answered: ask again with "
				   "the same request key"));
		if (r < 0)
			return r;
		r = take_message(
			buf_str(&message), &cancelled, tell, tell_context, d->socket, ret, err);
		if (r != 1)
			return r;
	}
}

/* The desk's actor goes into requests that name none. */
static int with_actor(const struct desk *d, struct str args, struct buf *ret, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str trimmed = str_trim(args);
	int r;

	if (trimmed.n == 0)
		trimmed = STR("{}");
	r = json_parse(trimmed, &reply_limits, 0, &doc, err);
	if (r < 0)
		return r;
	if (json_kind_of(doc) != JSON_KIND_MAP)
		return err_set(err, ERR_INVALID, tr("a request is a JSON object"));
	if (!d->as || json_map_get(doc, "as")) {
		buf_add_str(ret, trimmed);
	} else {
		buf_addc(ret, '{');
		say_cstr(ret, "as", d->as);
		if (json_map_count(doc) > 0)
			buf_addc(ret, ',');
		buf_add_str(ret, (struct str){ trimmed.p + 1, trimmed.n - 1 });
	}
	return buf_check(ret, err);
}

int desk_call(struct desk *d, const char *verb, struct str args, const int *fds, size_t fd_count,
	verb_tell *tell, void *tell_context, struct json **ret_reply, struct err *err)
{
	const struct verb *v = verb_find(str_of(verb));
	_cleanup_(buf_done) struct buf request = BUF_INIT_MAX(VERB_MAX_REPLY);
	int r;

	*ret_reply = NULL;
	if (!v)
		return err_set(err, ERR_NOTFOUND, tr("there is no verb '%s'"), verb);
	r = with_actor(d, args, &request, err);
	if (r < 0)
		return r;
	if (d->socket >= 0)
		return call_resident(d, verb, buf_str(&request), fds, fd_count, tell, tell_context,
			ret_reply, err);
	return call_here(
		d, v, buf_str(&request), fds, fd_count, tell, tell_context, ret_reply, err);
}

int desk_secret_fd(const struct secret *s, struct err *err)
{
	int ends[2];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, tr("cannot make a pipe"));
	/* A passphrase is shorter than what a pipe holds, so this does not wait for a reader. */
	n = s->n <= PASSPHRASE_MAX ? write(ends[1], s->p, s->n) : -1;
	(void)close(ends[1]);
	if (n == (ssize_t)s->n)
		return ends[0];
	(void)close(ends[0]);
	return err_set(err, ERR_LIMIT, tr("a passphrase has at most %d bytes"), PASSPHRASE_MAX);
}
