/* fixture.c - see fixture.h. */
#include "tests/core/archive/fixture.h"

#include "core/base/file.h"
#include "core/base/str.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const char *const custodian_labels[3] = { "质量负责人", "信息负责人", "档案员" };
const char *const custodian_passphrases[3] = { "first passphrase", "second passphrase",
	"third passphrase" };

const char *world_new(void)
{
	_cleanup_(secret_freep) struct secret *one =
		secret_copy(custodian_passphrases[0], strlen(custodian_passphrases[0]));
	_cleanup_(secret_freep) struct secret *two =
		secret_copy(custodian_passphrases[1], strlen(custodian_passphrases[1]));
	const struct init_custodian custodians[] = { { custodian_labels[0], one },
		{ custodian_labels[1], two } };
	const struct init_options options = { .custodians = custodians,
		.custodian_count = 2,
		.operator_name = OPERATOR,
		.cheap_passphrases = true };
	const char *path = harness_dir();
	struct init_made made;
	struct err err = ERR_INIT;

	ck_ok(archive_init(path, &options, &made, &err), err);
	ck_assert_str_eq(made.account, "u-00001");
	return path;
}

const char *world_copy(const char *path)
{
	const char *copy = harness_dir();
	_cleanup_(buf_done) struct buf from = BUF_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	buf_addf(&from, "%s/.", path);
	const char *const argv[] = { "cp", "-a", from.p, copy, NULL };

	ck_assert_int_eq(harness_exec(argv, (struct str){ NULL, 0 }, &out), 0);
	return copy;
}

static int ask(void *context, unsigned nth, const char *const *labels, size_t label_count,
	bool again, struct secret **ret, struct err *err)
{
	const char *passphrase = custodian_passphrases[nth - 1];

	(void)context;
	(void)labels;
	(void)err;
	ck_assert_uint_ge(label_count, 2);
	ck_assert(!again);
	*ret = secret_copy(passphrase, strlen(passphrase));
	return 0;
}

struct desk *world_desk(const char *path)
{
	const struct desk_options options = { .as = OPERATOR, .ask = ask };
	struct desk *d = NULL;
	struct err err = ERR_INIT;

	ck_ok(desk_open(path, &options, &d, &err), err);
	return d;
}

/* ---- calling ---- */

static char *arguments(const char *fmt, va_list ap)
{
	char *text = NULL;
	int n = vasprintf(&text, fmt, ap);

	if (n < 0)
		abort();
	for (int i = 0; i < n; i++) {
		if (text[i] == '\'')
			text[i] = '"';
	}
	return text;
}

static int call(struct desk *d, const int *fds, size_t count, const char *verb, const char *args,
	struct json **ret, struct err *err)
{
	int r = desk_call(d, verb, str_of(args), fds, count, NULL, NULL, ret, err);

	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
	return r;
}

struct json *say_with(
	struct desk *d, const int *fds, size_t count, const char *verb, const char *fmt, ...)
{
	_cleanup_(freep) char *args = NULL;
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	args = arguments(fmt, ap);
	va_end(ap);
	if (call(d, fds, count, verb, args, &reply, &err) < 0)
		ck_abort_msg(
			"%s %s: %s: %s (%s)", verb, args, err_word(err.code), err.text, err.where);
	return reply;
}

struct json *say(struct desk *d, const char *verb, const char *fmt, ...)
{
	_cleanup_(freep) char *args = NULL;
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	args = arguments(fmt, ap);
	va_end(ap);
	if (call(d, NULL, 0, verb, args, &reply, &err) < 0)
		ck_abort_msg(
			"%s %s: %s: %s (%s)", verb, args, err_word(err.code), err.text, err.where);
	return reply;
}

void say_fails(struct desk *d, int code, struct json **ret_detail, const int *fds, size_t count,
	const char *verb, const char *fmt, ...)
{
	_cleanup_(freep) char *args = NULL;
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	va_list ap;
	int r;

	va_start(ap, fmt);
	args = arguments(fmt, ap);
	va_end(ap);
	r = call(d, fds, count, verb, args, &reply, &err);
	ck_fails(r, err, code);
	if (ret_detail)
		*ret_detail = reply;
	else
		json_free(reply);
}

/* ---- descriptors ---- */

int bytes_fd(const void *p, size_t n)
{
	int fd = memfd_create("part", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	return fd;
}

int text_fd(const char *text)
{
	return bytes_fd(text, strlen(text));
}

void read_fd(int fd, struct buf *ret)
{
	struct err err = ERR_INIT;

	(void)lseek(fd, 0, SEEK_SET);
	ck_ok(file_read_fd(fd, ret, &err), err);
	(void)close(fd);
}

void get_part(struct desk *d, const char *number, const char *part, struct buf *ret)
{
	int out = bytes_fd("", 0), kept = dup(out);
	struct json *reply;

	reply = say_with(d, &out, 1, "get", "{'number':'%s','part':'%s'}", number, part);
	ck_assert(bool_at(reply, "complete"));
	json_free(reply);
	read_fd(kept, ret);
}

/* ---- looking at replies ---- */

static const struct json *find(const struct json *doc, const char *path)
{
	struct str rest = str_of(path);

	while (doc && rest.p) {
		struct str step = str_cut(&rest, '.');
		char name[64];
		uint64_t place;

		if (json_kind_of(doc) == JSON_KIND_LIST) {
			if (str_to_u64(step, 1000000, &place, NULL) < 0 ||
				place >= json_list_count(doc))
				return NULL;
			doc = json_list_at(doc, (size_t)place);
		} else if (json_kind_of(doc) == JSON_KIND_MAP) {
			(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(step));
			doc = json_map_get(doc, name);
		} else {
			return NULL;
		}
	}
	return doc;
}

const struct json *at(const struct json *doc, const char *path)
{
	const struct json *v = find(doc, path);
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	if (!v) {
		(void)json_add_canonical(&text, doc, NULL);
		ck_abort_msg("no '%s' in %s", path, text.p);
	}
	return v;
}

bool has(const struct json *doc, const char *path)
{
	return find(doc, path) != NULL;
}

/* Texts of replies outlive the replies: tests are short, and leak checkers see these through the list. */
static struct kept {
	struct kept *next;
	char text[];
} * kept_texts;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

const char *text_at(const struct json *doc, const char *path)
{
	const struct json *v = at(doc, path);
	struct str s;
	struct kept *k;

	ck_assert_int_eq(json_kind_of(v), JSON_KIND_TEXT);
	s = json_text(v);
	k = xcalloc(1, sizeof(*k) + s.n + 1);
	memcpy(k->text, s.p, s.n);
	(void)pthread_mutex_lock(&kept_lock);
	k->next = kept_texts;
	kept_texts = k;
	(void)pthread_mutex_unlock(&kept_lock);
	return k->text;
}

int64_t int_at(const struct json *doc, const char *path)
{
	const struct json *v = at(doc, path);

	ck_assert_int_eq(json_kind_of(v), JSON_KIND_INT);
	return json_int(v);
}

bool bool_at(const struct json *doc, const char *path)
{
	const struct json *v = at(doc, path);

	ck_assert_int_eq(json_kind_of(v), JSON_KIND_BOOL);
	return json_bool(v);
}

size_t count_at(const struct json *doc, const char *path)
{
	return json_list_count(at(doc, path));
}

/* ---- looking at files ---- */

static const char *wanted;
static bool found;

static int look(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT_MAX((size_t)256 << 20);

	(void)st;
	if (strstr(path + ftw->base, wanted))
		found = true;
	if (kind == FTW_F && file_read_whole(AT_FDCWD, path, &bytes, NULL) == 0 &&
		memmem(bytes.p, bytes.n, wanted, strlen(wanted)))
		found = true;
	return 0;
}

bool stands_anywhere(const char *path, const char *bytes)
{
	wanted = bytes;
	found = false;
	ck_assert_int_eq(nftw(path, look, 16, FTW_PHYS), 0);
	return found;
}
