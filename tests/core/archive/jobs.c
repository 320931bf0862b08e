/* Jobs: begun, watched, stopped, remembered. */
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include "core/archive/inside.h"
#include "core/archive/jobs.h"
#include "core/archive/news.h"

#include <poll.h>
#include <stdio.h>

static struct archive *open_at(const char *path)
{
	_cleanup_(secret_freep) struct secret *one =
		secret_copy(custodian_passphrases[0], strlen(custodian_passphrases[0]));
	_cleanup_(secret_freep) struct secret *two =
		secret_copy(custodian_passphrases[1], strlen(custodian_passphrases[1]));
	struct archive *a;
	struct err err = ERR_INIT;

	ck_ok(archive_open(path, ARCHIVE_WRITABLE | ARCHIVE_RESIDENT, &a, &err), err);
	ck_ok(archive_unseal(a, one, two, NULL, &err), err);
	return a;
}

static int call(struct archive *a, const char *verb, const char *request, struct json **ret,
	struct err *err)
{
	_cleanup_(buf_done) struct buf reply = BUF_INIT;
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call c = { .caller = { .origin = ACCESS_OWNER }, .reply = &reply };
	int r;

	ck_ok(json_parse(str_of(request), NULL, 0, &args, err), *err);
	c.args = args;
	buf_addc(&reply, '{');
	r = verb_run(a, str_of(verb), &c, err);
	buf_addc(&reply, '}');
	if (r == 0)
		ck_ok(json_parse(buf_str(&reply), NULL, 0, ret, err), *err);
	return r;
}

static const char *start(struct archive *a, const char *verb)
{
	struct json *reply = NULL;
	char request[200];
	const char *id;
	struct err err = ERR_INIT;

	(void)snprintf(request, sizeof(request), "{\"as\":\"%s\",\"verb\":\"%s\"}", OPERATOR, verb);
	ck_ok(call(a, "job.start", request, &reply, &err), err);
	id = text_at(reply, "job");
	json_free(reply);
	return id;
}

static struct json *look(struct archive *a, const char *id)
{
	struct json *reply = NULL;
	char request[200];
	struct err err = ERR_INIT;

	(void)snprintf(request, sizeof(request), "{\"job\":\"%s\"}", id);
	ck_ok(call(a, "job.show", request, &reply, &err), err);
	return reply;
}

static struct json *wait_for(struct archive *a, const char *id)
{
	for (int i = 0; i < 3000; i++) {
		struct json *reply = look(a, id);
		const char *state = text_at(reply, "state");

		if (strcmp(state, "waiting") != 0 && strcmp(state, "running") != 0)
			return reply;
		json_free(reply);
		(void)poll(NULL, 0, 10);
	}
	ck_abort_msg("the job does not end");
	return NULL;
}

START_TEST(a_job_is_begun_watched_and_remembered)
{
	const char *path = world_new(), *first, *second;
	struct archive *a = open_at(path);
	struct json *reply = NULL;
	struct err err = ERR_INIT;

	first = start(a, "verify");
	second = start(a, "reindex");
	reply = wait_for(a, first);
	ck_assert_str_eq(text_at(reply, "state"), "done");
	ck_assert(bool_at(reply, "result.good"));
	ck_assert_str_eq(text_at(reply, "name"), OPERATOR);
	json_free(reply);
	reply = wait_for(a, second);
	ck_assert_str_eq(text_at(reply, "state"), "done");
	json_free(reply);
	archive_close(a, 1000);
	a = open_at(path);
	ck_ok(call(a, "job.list", "{}", &reply, &err), err);
	ck_assert_uint_eq(count_at(reply, "jobs"), 2);
	ck_assert_str_eq(text_at(reply, "jobs.0.state"), "done");
	json_free(reply);
	archive_close(a, 1000);
}
END_TEST

START_TEST(what_is_no_job_is_refused)
{
	static const struct {
		const char *verb, *request;
		int code;
	} rows[] = {
		{ "job.start", "{\"as\":\"王敏\",\"verb\":\"seal\"}", ERR_NOTFOUND },
		{ "job.start", "{\"as\":\"王敏\",\"verb\":\"file\"}", ERR_NOTFOUND },
		{ "job.start", "{\"as\":\"王敏\"}", ERR_INVALID },
		{ "job.start", "{\"verb\":\"verify\"}", ERR_DENIED },
		{ "job.show", "{\"job\":\"00000000000000000000000000000000\"}", ERR_NOTFOUND },
		{ "job.cancel", "{\"job\":\"x\"}", ERR_INVALID },
	};
	struct archive *a = open_at(world_new());
	struct json *reply = NULL;
	const char *id;
	char request[100];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(
			call(a, rows[i].verb, rows[i].request, &reply, &err), -rows[i].code);
	}
	/* Wrong arguments: the job fails, with the verb's sentence. */
	{
		struct err err = ERR_INIT;

		ck_ok(call(a, "job.start",
			      "{\"as\":\"王敏\",\"verb\":\"verify\",\"args\":{\"level\":\"x\"}}",
			      &reply, &err),
			err);
		id = text_at(reply, "job");
		json_free(reply);
		reply = wait_for(a, id);
		ck_assert_str_eq(text_at(reply, "state"), "failed");
		ck_assert_str_eq(text_at(reply, "error.code"), "invalid");
		json_free(reply);
		(void)snprintf(request, sizeof(request), "{\"job\":\"%s\"}", id);
		ck_assert_int_eq(call(a, "job.cancel", request, &reply, &err), -ERR_INVALID);
	}
	archive_close(a, 1000);
}
END_TEST

/* Closing while jobs wait: nothing hangs, and afterwards each has an end. */
START_TEST(closing_ends_jobs)
{
	const char *path = world_new();
	struct archive *a = open_at(path);
	struct json *reply = NULL;
	struct err err = ERR_INIT;
	char request[200];

	for (int i = 0; i < JOB_QUEUE; i++)
		(void)start(a, "reindex");
	(void)snprintf(request, sizeof(request), "{\"as\":\"%s\",\"verb\":\"verify\"}", OPERATOR);
	(void)call(a, "job.start", request, &reply, &err);
	json_free(reply);
	reply = NULL;
	archive_close(a, 0);
	a = open_at(path);
	ck_ok(call(a, "job.list", "{}", &reply, &err), err);
	for (size_t i = 0; i < count_at(reply, "jobs"); i++) {
		char place[64];

		(void)snprintf(place, sizeof(place), "jobs.%zu.ended", i);
		ck_assert(has(reply, place));
	}
	json_free(reply);
	archive_close(a, 1000);
}
END_TEST

static void count_call(void *context)
{
	++*(int *)context;
}

START_TEST(news_goes_round)
{
	int called = 0;
	struct news *n = news_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	uint64_t at = 0;
	char text[40];

	ck_assert_ptr_null(news_next(n, &at, &b));
	news_tell(n, "job", STR("\"a\":1"));
	ck_assert_str_eq(news_next(n, &at, &b), "job");
	ck_assert_str_eq(b.p, "{\"a\":1}");
	ck_assert_ptr_null(news_next(n, &at, &b));
	ck_assert(news_watch(n, count_call, &called));
	news_tell(n, "job", STR("\"a\":1"));
	news_unwatch(n, &called);
	news_tell(n, "job", STR("\"a\":1"));
	ck_assert_int_eq(called, 1);
	at = 1;
	for (int i = 0; i < NEWS_RING + 10; i++) {
		(void)snprintf(text, sizeof(text), "\"n\":%d", i);
		news_tell(n, "record", str_of(text));
	}
	buf_reset(&b);
	ck_assert_str_eq(news_next(n, &at, &b), "record");
	ck_assert_str_eq(b.p, "{\"n\":10}");
	at = news_last(n);
	ck_assert_uint_eq(at, NEWS_RING + 13);
	ck_assert_ptr_null(news_next(n, &at, &b));
	news_free(n);
}
END_TEST

TESTS("core/archive/jobs", a_job_is_begun_watched_and_remembered, what_is_no_job_is_refused,
	closing_ends_jobs, news_goes_round)
