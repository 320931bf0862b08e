/* stress.c - everything at once on one archive: filing, revising, destroying, reading, searching, rebuilding,
 * sealing and unsealing, over volumes that roll over and packs that merge. Whatever the threads do to each
 * other, what was answered stands afterwards, byte for byte, no number is skipped, and verify is content.
 *
 * Under a sanitizer for threads this is where a race shows. MUNIMENT_STRESS multiplies the work. */
#include "core/archive/inside.h"
#include "core/archive/server.h"

#include "core/base/clock.h"
#include "core/base/str.h"
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	RECORDS_MAX = 4000,
	LARGE_EVERY = 9,
	LARGE_BYTES = 1200000, /* into a pack of its own */
	BATCH = 12,
	WORDS = 1000, /* different ones of a document */
};

/* A record whose filing was answered. */
struct filed {
	struct id record;
	char number[80];
	unsigned seed; /* of its part */
	size_t bytes;
	_Atomic int revisions; /* answered */
	_Atomic bool doomed;   /* its destruction was asked for */
};

struct world {
	const char *path;
	struct archive *archive;
	pthread_mutex_t lock;
	struct filed *filed[RECORDS_MAX];
	size_t count;
	_Atomic unsigned seeds, requests;
	_Atomic bool over;
	int rounds;
};

/* ---- calling ---- */

static int ask(struct world *w, const char *verb, const int *fds, size_t fd_count,
	struct json **ret, struct err *err, const char *fmt, ...) _printf_(7, 8);

/* One verb, on this thread. 0, or what verbs may say while others seal, destroy and rebuild; else the test ends. */
static int ask(struct world *w, const char *verb, const int *fds, size_t fd_count,
	struct json **ret, struct err *err, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf reply = BUF_INIT_MAX(VERB_MAX_REPLY), args = BUF_INIT,
				       whole = BUF_INIT;
	_cleanup_(json_freep) struct json *doc = NULL;
	struct verb_call call = { .caller = { .origin = ACCESS_OWNER },
		.fds = fds,
		.fd_count = fd_count,
		.reply = &reply };
	char text[4096];
	va_list ap;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	ck_ok(json_parse(str_of(text), NULL, 0, &doc, err), *err);
	call.args = doc;
	r = verb_run(w->archive, str_of(verb), &call, err);
	if (r == -ERR_SEALED || r == -ERR_CANCELLED) {
		(void)poll(NULL, 0, 2);
		return r;
	}
	if (r < 0 && r != -ERR_CONFLICT && r != -ERR_DESTROYED && r != -ERR_NOTFOUND &&
		r != -ERR_LOCKED)
		ck_abort_msg("%s %s: %s: %s (%s)", verb, text, err_word(err->code), err->text,
			err->where);
	if (r == 0 && ret) {
		buf_addf(&whole, "{%s}", reply.p ? reply.p : "");
		ck_ok(json_parse(buf_str(&whole), NULL, 0, ret, err), *err);
	}
	return r;
}

/* Until it is done, however often the archive is sealed in between. */
#define ask_on(w, verb, fds, fd_count, ret, err, ...) \
	do { \
		r = ask((w), (verb), (fds), (fd_count), (ret), (err), __VA_ARGS__); \
	} while (r == -ERR_SEALED || r == -ERR_CANCELLED)

/* ---- contents ---- */

/* Eight hexadecimal digits and a space or the end of a line, again and again; from some point on the same ones,
 * for an index of a hundred thousand words would be all that is tested. */
static void content(unsigned seed, size_t bytes, struct buf *ret)
{
	static const char digits[] = "0123456789abcdef";
	const uint32_t first = seed * 2654435761u + 1;
	uint32_t state = first;
	char line[9];

	buf_addf(ret, "document %u 责任到人 灭菌过程\n", seed);
	for (size_t words = 0; ret->n < bytes; words++) {
		state = words % WORDS ? state * 1664525u + 1013904223u : first;
		for (unsigned i = 0; i < 8; i++)
			line[i] = digits[state >> 4 * i & 15];
		line[8] = state & 64 ? ' ' : '\n';
		buf_add(ret, line, sizeof(line));
	}
	buf_cut(ret, bytes);
}

static size_t size_of(unsigned seed)
{
	return seed % LARGE_EVERY == 0 ? LARGE_BYTES : 200 + seed % 3000;
}

static int content_fd(unsigned seed, size_t bytes)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	content(seed, bytes, &text);
	return bytes_fd(text.p, text.n);
}

static void remember(struct world *w, const struct json *reply, const char *prefix, unsigned seed)
{
	struct filed *f = xcalloc(1, sizeof(*f));
	char path[64];
	struct err err = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%srecord", prefix);
	ck_ok(id_parse(str_of(text_at(reply, path)), &f->record, &err), err);
	(void)snprintf(path, sizeof(path), "%snumber", prefix);
	(void)snprintf(f->number, sizeof(f->number), "%s", text_at(reply, path));
	f->seed = seed;
	f->bytes = size_of(seed);
	(void)pthread_mutex_lock(&w->lock);
	ck_assert_uint_lt(w->count, RECORDS_MAX);
	w->filed[w->count++] = f;
	(void)pthread_mutex_unlock(&w->lock);
}

/* One of those that were filed; NULL while there is none. */
static struct filed *any(struct world *w, unsigned seed)
{
	struct filed *f = NULL;

	(void)pthread_mutex_lock(&w->lock);
	if (w->count > 0)
		f = w->filed[(seed * 40503u >> 4) % w->count];
	(void)pthread_mutex_unlock(&w->lock);
	return f;
}

/* ---- the threads ---- */

static void *file_one_by_one(void *context)
{
	struct world *w = context;

	for (int i = 0; i < 12 * w->rounds; i++) {
		unsigned seed = atomic_fetch_add(&w->seeds, 1);
		int fd = content_fd(seed, size_of(seed)), r;
		struct json *reply = NULL;
		struct err err = ERR_INIT;

		ask_on(w, "file", &fd, 1, &reply, &err,
			"{'as':'" OPERATOR "','series':'GEN','department':'运营部','title':'题名 "
			"%u','date':'2025-03-04','request':'key %u','parts':[{'fd':0,'name':'a.txt'"
			"}]}",
			seed, seed);
		ck_ok(r, err);
		remember(w, reply, "", seed);
		json_free(reply);
		(void)close(fd);
	}
	return NULL;
}

static void *file_batches(void *context)
{
	struct world *w = context;

	for (int i = 0; i < w->rounds; i++) {
		_cleanup_(buf_done) struct buf args = BUF_INIT;
		unsigned seed = atomic_fetch_add(&w->seeds, BATCH);
		struct json *reply = NULL;
		struct err err = ERR_INIT;
		int fds[BATCH], r;

		for (unsigned k = 0; k < BATCH; k++) {
			fds[k] = content_fd(seed + k, size_of(seed + k));
			buf_addf(&args, "%s{'fd':%u,'name':'%u.txt'}", k ? "," : "", k, seed + k);
		}
		ask_on(w, "file.batch", fds, BATCH, &reply, &err,
			"{'as':'" OPERATOR
			"','department':'运营部','date':'2025-03-04','documents':[%s]}",
			args.p);
		ck_ok(r, err);
		ck_assert_int_eq(int_at(reply, "refused"), 0);
		for (unsigned k = 0; k < BATCH; k++) {
			char prefix[32];

			(void)snprintf(prefix, sizeof(prefix), "results.%u.", k);
			remember(w, reply, prefix, seed + k);
			(void)close(fds[k]);
		}
		json_free(reply);
	}
	return NULL;
}

static void *revise(void *context)
{
	struct world *w = context;

	for (unsigned i = 0; i < 15u * (unsigned)w->rounds; i++) {
		struct filed *f = any(w, i * 7 + 3);
		struct json *reply = NULL;
		struct err err = ERR_INIT;
		unsigned request = atomic_fetch_add(&w->requests, 1);
		int64_t version;
		int r;

		if (!f)
			continue;
		ask_on(w, "show", NULL, 0, &reply, &err, "{'number':'%s'}", f->number);
		if (r < 0) {
			ck_assert(atomic_load(&f->doomed));
			continue;
		}
		version = int_at(reply, "version");
		json_free(reply);
		ask_on(w, "revise", NULL, 0, NULL, &err,
			"{'as':'" OPERATOR
			"','number':'%s','base':%lld,'title':'改 %u','request':'again %u'}",
			f->number, (long long)version, request, request);
		if (r == 0)
			atomic_fetch_add(&f->revisions, 1);
	}
	return NULL;
}

/* What is read must be what was filed, or be destroyed. */
static void check_part(struct world *w, const struct filed *f)
{
	_cleanup_(buf_done) struct buf expected = BUF_INIT, bytes = BUF_INIT;
	int out = bytes_fd("", 0), kept = dup(out), r;
	struct err err = ERR_INIT;

	do {
		ck_assert_int_eq(ftruncate(out, 0), 0);
		(void)lseek(out, 0, SEEK_SET);
		r = ask(w, "get", &out, 1, NULL, &err, "{'number':'%s','part':'1'}", f->number);
	} while (r == -ERR_SEALED || r == -ERR_CANCELLED);
	(void)close(out);
	read_fd(kept, &bytes);
	if (r < 0) {
		if (!atomic_load(&f->doomed))
			ck_abort_msg("%s is lost: %s", f->number, err.text);
		return;
	}
	content(f->seed, f->bytes, &expected);
	ck_assert_uint_eq(bytes.n, expected.n);
	ck_assert_mem_eq(bytes.p, expected.p, expected.n);
}

static void *read_parts(void *context)
{
	struct world *w = context;

	for (unsigned i = 0; !atomic_load(&w->over); i++) {
		struct filed *f = any(w, i * 11 + 5);

		if (f)
			check_part(w, f);
	}
	return NULL;
}

static void *look_around(void *context)
{
	static const char *const questions[][2] = {
		{ "search", "{'query':'责任到人','limit':30,'facets':true}" },
		{ "search", "{'query':'灭菌过程 document','order':'newest'}" },
		{ "list", "{'series':'GEN','limit':50,'order':'newest'}" },
		{ "log", "{'limit':20}" },
		{ "status", "{}" },
		{ "series.list", "{}" },
		{ "account.list", "{}" },
		{ "config.list", "{}" },
		{ "signers", "{}" },
		{ "custodian.list", "{}" },
	};
	struct world *w = context;

	for (unsigned i = 0; !atomic_load(&w->over); i++) {
		const char *const *q = questions[i % ARRAY_LEN(questions)];
		struct json *reply = NULL;
		struct err err = ERR_INIT;
		struct filed *f = any(w, i);

		(void)ask(w, q[0], NULL, 0, &reply, &err, "%s", q[1]);
		json_free(reply);
		if (f && i % 3 == 0)
			(void)ask(w, "log", NULL, 0, NULL, &err, "{'number':'%s'}", f->number);
	}
	return NULL;
}

static void *destroy(void *context)
{
	struct world *w = context;

	for (unsigned i = 0; i < 3u * (unsigned)w->rounds; i++) {
		struct filed *f = any(w, i * 13 + 1);
		struct id action = id_random();
		struct err err = ERR_INIT;
		int r;

		(void)poll(NULL, 0, 10);
		if (!f)
			continue;
		atomic_store(&f->doomed, true);
		do {
			r = store_destroy(w->archive->store, &f->record, "u-00001", 7, &action,
				clock_now(), &err);
		} while (r == -ERR_SEALED || r == -ERR_CONFLICT);
		if (r != -ERR_DESTROYED)
			ck_ok(r, err);
	}
	return NULL;
}

static void *keep_in_order(void *context)
{
	static const char *const verbs[][2] = { { "checkpoint", "{}" }, { "compact", "{}" },
		{ "verify", "{'level':'sealed'}" }, { "reindex", "{}" },
		{ "verify", "{'level':'full'}" } };
	struct world *w = context;

	for (unsigned i = 0; !atomic_load(&w->over); i++) {
		const char *const *v = verbs[i % ARRAY_LEN(verbs)];
		struct json *reply = NULL;
		struct err err = ERR_INIT;

		if (ask(w, v[0], NULL, 0, &reply, &err, "%s", v[1]) == 0 &&
			str_is(str_of(v[0]), "verify") && !bool_at(reply, "good"))
			ck_abort_msg("%s: %s", text_at(reply, "findings.0.where"),
				text_at(reply, "findings.0.text"));
		json_free(reply);
		(void)poll(NULL, 0, 30);
	}
	return NULL;
}

static void unseal(struct archive *a)
{
	_cleanup_(secret_freep) struct secret *one =
		secret_copy(custodian_passphrases[0], strlen(custodian_passphrases[0]));
	_cleanup_(secret_freep) struct secret *two =
		secret_copy(custodian_passphrases[1], strlen(custodian_passphrases[1]));
	const char *who[2];
	struct err err = ERR_INIT;

	ck_ok(archive_unseal(a, one, two, who, &err), err);
}

static void *seal_and_unseal(void *context)
{
	struct world *w = context;

	while (!atomic_load(&w->over)) {
		struct err err = ERR_INIT;

		(void)poll(NULL, 0, 150);
		ck_ok(archive_seal(w->archive, &err), err);
		unseal(w->archive);
	}
	return NULL;
}

/* ---- the test ---- */

static void open_world(struct world *w, const char *path)
{
	const char *more = getenv("MUNIMENT_STRESS");
	struct err err = ERR_INIT;
	struct desk *d = world_desk(path);
	uint64_t rounds;

	*w = (struct world){ .path = path };
	ck_ok(str_to_u64(str_of(more ? more : "2"), 1000, &rounds, &err), err);
	w->rounds = (int)rounds;
	atomic_store(&w->seeds, 1);
	(void)pthread_mutex_init(&w->lock, NULL);
	json_free(say(d, "config.set", "{'name':'store.volume_max_bytes','value':'1048576'}"));
	json_free(say(d, "config.set", "{'name':'store.pending_max_bytes','value':'1048576'}"));
	json_free(say(d, "config.set", "{'name':'store.apply_delay_ms','value':'5'}"));
	json_free(say(d, "config.set", "{'name':'index.documents','value':'20'}"));
	json_free(say(d, "config.set", "{'name':'index.ms','value':'50'}"));
	desk_free(d);
	ck_ok(archive_open(path, ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &w->archive, &err), err);
	unseal(w->archive);
}

/* Every answer that was given still holds. */
static void check_world(struct world *w)
{
	struct json *reply = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < w->count; i++) {
		struct filed *f = w->filed[i];
		struct record_head head;

		ck_ok(store_find(w->archive->store, &f->record, &head, &err), err);
		ck_assert_str_eq(head.number, f->number);
		ck_assert_uint_eq(head.version, 1 + (unsigned)atomic_load(&f->revisions));
		ck_assert_int_eq(head.destroyed, atomic_load(&f->doomed));
		record_head_done(&head);
		check_part(w, f);
	}
	ck_ok(ask(w, "list", NULL, 0, &reply, &err,
		      "{'series':'GEN','from':'2025-03-01','to':'2025-03-04','destroyed':true,"
		      "'order':'number','limit':1000}"),
		err);
	for (int64_t i = 0; i < int_at(reply, "count") && i < 1000; i++) {
		char expected[64], path[64];

		(void)snprintf(
			expected, sizeof(expected), "一般质量记录-20250304-%04d", (int)i + 1);
		(void)snprintf(path, sizeof(path), "rows.%d.number", (int)i);
		ck_assert_str_eq(text_at(reply, path), expected);
	}
	json_free(reply);
	reply = NULL;
	ck_ok(ask(w, "verify", NULL, 0, &reply, &err, "{'level':'full'}"), err);
	if (!bool_at(reply, "good"))
		ck_abort_msg("%s: %s", text_at(reply, "findings.0.where"),
			text_at(reply, "findings.0.text"));
	json_free(reply);
}

static void close_world(struct world *w)
{
	archive_close(w->archive, 20000);
	for (size_t i = 0; i < w->count; i++)
		free(w->filed[i]);
}

START_TEST(everything_at_once)
{
	/* The first ones work a fixed amount, the others until these are done. */
	static void *(*const workers[])(void *) = { file_one_by_one, file_one_by_one, file_batches,
		revise, revise, destroy, destroy };
	static void *(*const others[])(void *) = { read_parts, read_parts, look_around, look_around,
		keep_in_order, seal_and_unseal };
	pthread_t work[ARRAY_LEN(workers)], other[ARRAY_LEN(others)];
	struct world w;

	open_world(&w, world_new());
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert_int_eq(pthread_create(&other[i], NULL, others[i], &w), 0);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++)
		ck_assert_int_eq(pthread_create(&work[i], NULL, workers[i], &w), 0);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++)
		(void)pthread_join(work[i], NULL);
	atomic_store(&w.over, true);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		(void)pthread_join(other[i], NULL);
	ck_assert_uint_gt(store_volumes(w.archive->store), 1);
	check_world(&w);
	close_world(&w);
}
END_TEST

/* Large parts lie in packs of their own, not in frames: they fill a volume all the same. */
START_TEST(large_parts_fill_a_volume)
{
	struct world w;
	struct err err = ERR_INIT;

	open_world(&w, world_new());
	for (int i = 0; i < 2; i++) {
		int fd = content_fd(1, LARGE_BYTES);

		ck_assert_uint_eq(store_volumes(w.archive->store), 1);
		ck_ok(ask(&w, "file", &fd, 1, NULL, &err,
			      "{'as':'" OPERATOR "','series':'GEN','department':'运营部','title':'"
			      "t','parts':[{'fd':0,'name':'a'}]}"),
			err);
		(void)close(fd);
	}
	ck_assert_uint_eq(store_volumes(w.archive->store), 2);
	close_world(&w);
}
END_TEST

TESTS("archive stress", everything_at_once, large_parts_fill_a_volume)
