/* jobs.c - see jobs.h. */
#include "core/archive/jobs.h"

#include "core/archive/access.h"
#include "core/archive/log.h"
#include "core/archive/login.h"
#include "core/archive/news.h"
#include "core/archive/say.h"
#include "core/archive/show.h"
#include "core/archive/state.h"

#include "core/base/clock.h"
#include "core/base/hex.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>

enum { TELL_MS = 400, RESULT_MAX = 256 << 10, ARGS_MAX = 64 << 10, WORD_MAX = 40 };

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED, JOB_STATES };

static const char *const state_words[JOB_STATES] = { "waiting", "running", "done", "failed",
	"cancelled" };

struct job {
	struct id id;
	enum job_state state;
	char verb[WORD_MAX], account[48];
	struct access_caller caller;
	uint32_t uid;
	char *args;
	int64_t since, started, ended;
	/* How far it is. */
	char stage[WORD_MAX], unit[WORD_MAX];
	struct verb_progress progress; /* stage, unit and text unset */
	int64_t told;		       /* clock_ticks() */
	char *result;		       /* members of the verb's reply */
	char code[WORD_MAX];
	char *text; /* of the failure */
	bool cancel, kept;
	struct job *next;
};

struct jobs {
	struct archive *archive;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *first; /* newest first */
	pthread_t threads[JOB_THREADS];
	size_t thread_count;
	bool stopped, loaded;
};

/* What may be a job. */
static const char *const job_verbs[] = { "verify", "reindex", "recognise", "compact" };

static void job_free(struct job *job)
{
	free(job->args);
	free(job->result);
	free(job->text);
	free(job);
}

static bool has_ended(const struct job *job)
{
	return job->state >= JOB_DONE;
}

/* ---- saying ---- */

static void say_facts(const struct job *job, struct buf *b)
{
	say_id(b, "job", &job->id);
	say_cstr(b, "verb", job->verb);
	say_cstr(b, "state", state_words[job->state]);
	say_instant(b, "since", job->since);
	if (job->started)
		say_instant(b, "started", job->started);
	if (job->ended)
		say_instant(b, "ended", job->ended);
	if (job->state == JOB_RUNNING && job->stage[0]) {
		struct verb_progress p = job->progress;

		p.stage = job->stage;
		p.unit = job->unit;
		say_map(b, "progress");
		verb_progress_say(&p, b);
		say_end_map(b);
	}
	if (job->code[0]) {
		say_map(b, "error");
		say_cstr(b, "code", job->code);
		say_cstr(b, "text", job->text);
		say_end_map(b);
	}
}

static void say_job(struct archive *a, const struct job *job, struct buf *b)
{
	say_facts(job, b);
	show_account(a, str_of(job->account), b);
	if (job->result) {
		say_map(b, "result");
		buf_adds(b, job->result);
		say_end_map(b);
	}
}

/* Under the lock. */
static void tell(struct jobs *j, struct job *job)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT_MAX(NEWS_MAX_BYTES);

	job->told = clock_ticks();
	say_facts(job, &b);
	say_cstr(&b, "account", job->account);
	news_tell(j->archive->news, "job", buf_str(&b));
}

/* ---- keeping ---- */

/* {"verb","state","since","started","ended","result"?,"code"?,"text"?} */
static void value_of(const struct job *job, struct buf *b)
{
	say_map(b, NULL);
	say_cstr(b, "verb", job->verb);
	say_cstr(b, "state", state_words[job->state]);
	say_int(b, "since", job->since);
	say_int(b, "started", job->started);
	say_int(b, "ended", job->ended);
	if (job->result)
		say_cstr(b, "result", job->result);
	if (job->code[0]) {
		say_cstr(b, "code", job->code);
		say_cstr(b, "text", job->text);
	}
	say_end_map(b);
}

/* The gate is held. A history that cannot be kept does not keep the work from being done. */
static void keep(struct archive *a, const struct job *job)
{
	_cleanup_(buf_done) struct buf value = BUF_INIT_MAX(STATE_VALUE_MAX);
	char name[2 * ID_BYTES + 1];
	struct login *login = NULL;
	struct err err = ERR_INIT;
	int r = store_is_sealed(a->store) ? -ERR_SEALED : login_of(a, &login, &err);

	if (r == -ERR_SEALED)
		return;
	value_of(job, &value);
	(void)hex_encode(job->id.b, ID_BYTES, name);
	if (r == 0)
		r = state_put(login_state(login), STATE_JOB, str_of(job->account), str_of(name),
			clock_now() + (int64_t)JOB_DAYS * 86400, buf_str(&value), &err);
	if (r < 0)
		log_err(LOG_LEVEL_WARNING, "the history of jobs cannot be kept", &err);
}

static enum job_state state_of(struct str word)
{
	for (enum job_state s = JOB_WAITING; s < JOB_STATES; s++) {
		if (str_is(word, state_words[s]))
			return s;
	}
	return JOB_FAILED;
}

static void copy_word(char *to, size_t room, struct str text)
{
	(void)snprintf(to, room, "%.*s", STR_ARG(text));
}

static struct job *find(struct jobs *j, const struct id *id)
{
	struct job *job = j->first;

	while (job && !id_equal(&job->id, id))
		job = job->next;
	return job;
}

/* In order of when they were asked for. */
static void insert(struct jobs *j, struct job *job)
{
	struct job **at = &j->first;

	while (*at && (*at)->since > job->since)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
}

static struct job *job_of_row(const struct state_row *row)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	struct str verb, state, result = { NULL, 0 }, code = { NULL, 0 }, text = { NULL, 0 };
	int64_t since, started, ended;
	struct job *job;
	struct id id;

	if (id_parse(row->name, &id, NULL) < 0 || json_parse(row->value, NULL, 0, &doc, NULL) < 0 ||
		json_need_text(doc, "verb", &verb, NULL) < 0 ||
		json_need_text(doc, "state", &state, NULL) < 0 ||
		json_need_int(doc, "since", 0, INT64_MAX, &since, NULL) < 0 ||
		json_need_int(doc, "started", 0, INT64_MAX, &started, NULL) < 0 ||
		json_need_int(doc, "ended", 0, INT64_MAX, &ended, NULL) < 0 ||
		json_may_text(doc, "result", &result, NULL) < 0 ||
		json_may_text(doc, "code", &code, NULL) < 0 ||
		json_may_text(doc, "text", &text, NULL) < 0)
		return NULL;
	job = xcalloc(1, sizeof(*job));
	job->id = id;
	job->state = state_of(state);
	copy_word(job->verb, sizeof(job->verb), verb);
	copy_word(job->account, sizeof(job->account), row->owner);
	job->since = since;
	job->started = started;
	job->ended = ended;
	job->result = result.p ? str_dup(result) : NULL;
	copy_word(job->code, sizeof(job->code), code.p ? code : STR(""));
	job->text = str_dup(text.p ? text : STR(""));
	if (!has_ended(job)) {
		job->state = JOB_FAILED;
		job->ended = row->changed;
		copy_word(job->code, sizeof(job->code), STR("cancelled"));
		free(job->text);
		job->text = xstrdup(tr("the process ended before it was done"));
	}
	return job;
}

static int take_row(void *context, const struct state_row *row, struct err *err)
{
	struct jobs *j = context;
	struct job *job = job_of_row(row);

	(void)err;
	if (job && find(j, &job->id))
		job_free(job);
	else if (job)
		insert(j, job);
	return 0;
}

/* What earlier processes did, once; and no more than are told of. Under the lock; the gate is held. */
static void load(struct jobs *j)
{
	struct str any = { NULL, 0 };
	struct login *login;
	struct job **at;
	size_t count = 0;

	if (!j->loaded && login_of(j->archive, &login, NULL) == 0) {
		j->loaded = true;
		(void)state_each(login_state(login), STATE_JOB, any, take_row, j, NULL);
	}
	for (at = &j->first; *at;) {
		struct job *job = *at;

		if (++count <= JOB_HISTORY || !has_ended(job)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job_free(job);
	}
}

/* ---- running ---- */

struct running {
	struct jobs *jobs;
	struct job *job;
};

static int on_progress(void *context, const struct verb_progress *p)
{
	struct running *r = context;
	struct job *job = r->job;
	bool stop;

	(void)pthread_mutex_lock(&r->jobs->lock);
	stop = job->cancel || r->jobs->stopped;
	copy_word(job->stage, sizeof(job->stage), str_of(p->stage ? p->stage : ""));
	copy_word(job->unit, sizeof(job->unit), str_of(p->unit ? p->unit : ""));
	job->progress = (struct verb_progress){
		.done = p->done, .total = p->total, .rate = p->rate, .eta = p->eta
	};
	if (clock_ticks() - job->told > (int64_t)TELL_MS * 1000000)
		tell(r->jobs, job);
	(void)pthread_mutex_unlock(&r->jobs->lock);
	return stop;
}

static int run_verb(struct jobs *j, struct job *job, struct buf *reply, struct err *err)
{
	struct running running = { j, job };
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call call = { .caller = job->caller,
		.uid = job->uid,
		.tell = on_progress,
		.tell_context = &running,
		.reply = reply };
	int r = json_parse(str_of(job->args), NULL, 0, &args, err);

	call.args = args;
	return r < 0 ? r : verb_run(j->archive, str_of(job->verb), &call, err);
}

static void end(struct jobs *j, struct job *job, int r, struct buf *reply, const struct err *err)
{
	(void)pthread_rwlock_rdlock(&j->archive->gate);
	(void)pthread_mutex_lock(&j->lock);
	job->ended = clock_now();
	job->state = r == 0 ? JOB_DONE : r == -ERR_CANCELLED ? JOB_CANCELLED : JOB_FAILED;
	if (r == 0 && reply->n <= RESULT_MAX)
		job->result = str_dup(buf_str(reply));
	if (r < 0) {
		copy_word(job->code, sizeof(job->code), str_of(err_word(r)));
		job->text = xstrdup(err->text);
	}
	keep(j->archive, job);
	tell(j, job);
	(void)pthread_mutex_unlock(&j->lock);
	(void)pthread_rwlock_unlock(&j->archive->gate);
}

/* The one that waits longest. */
static struct job *next(struct jobs *j)
{
	struct job *found = NULL;

	for (struct job *job = j->first; job; job = job->next) {
		if (job->state == JOB_WAITING)
			found = job;
	}
	return found;
}

static void *work(void *context)
{
	struct jobs *j = context;

	(void)pthread_mutex_lock(&j->lock);
	while (!j->stopped) {
		_cleanup_(buf_wipe) struct buf reply = BUF_INIT_MAX(VERB_MAX_REPLY);
		struct job *job = next(j);
		struct err err = ERR_INIT;
		int r;

		if (!job) {
			(void)pthread_cond_wait(&j->changed, &j->lock);
			continue;
		}
		job->state = JOB_RUNNING;
		job->started = clock_now();
		tell(j, job);
		(void)pthread_mutex_unlock(&j->lock);
		r = run_verb(j, job, &reply, &err);
		end(j, job, r, &reply, &err);
		(void)pthread_mutex_lock(&j->lock);
	}
	(void)pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* ---- for others ---- */

struct jobs *jobs_new(struct archive *a)
{
	struct jobs *j = xcalloc(1, sizeof(*j));

	j->archive = a;
	(void)pthread_mutex_init(&j->lock, NULL);
	(void)pthread_cond_init(&j->changed, NULL);
	return j;
}

void jobs_free(struct jobs *j)
{
	if (!j)
		return;
	(void)pthread_mutex_lock(&j->lock);
	j->stopped = true;
	(void)pthread_cond_broadcast(&j->changed);
	(void)pthread_mutex_unlock(&j->lock);
	for (size_t i = 0; i < j->thread_count; i++)
		(void)pthread_join(j->threads[i], NULL);
	while (j->first) {
		struct job *job = j->first;

		j->first = job->next;
		job_free(job);
	}
	(void)pthread_cond_destroy(&j->changed);
	(void)pthread_mutex_destroy(&j->lock);
	free(j);
}

static bool may_be_job(struct str verb)
{
	for (size_t i = 0; i < ARRAY_LEN(job_verbs); i++) {
		if (str_is(verb, job_verbs[i]))
			return true;
	}
	return false;
}

/* Threads are made when they are first needed: most processes never do. Under the lock. */
static int need_threads(struct jobs *j, struct err *err)
{
	while (j->thread_count < JOB_THREADS &&
		pthread_create(&j->threads[j->thread_count], NULL, work, j) == 0)
		j->thread_count++;
	return j->thread_count > 0 ? 0 : err_set(err, ERR_IO, tr("no thread can be started"));
}

static size_t unfinished(const struct jobs *j)
{
	size_t n = 0;

	for (const struct job *job = j->first; job; job = job->next)
		n += !has_ended(job);
	return n;
}

static struct job *job_new(const struct verb_call *call, struct str verb, struct str args)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->id = id_random();
	job->since = clock_now();
	job->caller = call->caller;
	job->uid = call->uid;
	job->args = str_dup(args);
	job->text = NULL;
	copy_word(job->verb, sizeof(job->verb), verb);
	copy_word(job->account, sizeof(job->account), str_of(call->account));
	return job;
}

int jobs_start(struct archive *a, const struct verb_call *call, struct str verb, struct str args,
	struct id *ret, struct err *err)
{
	struct jobs *j = a->jobs;
	struct job *job;
	int r;

	if (!may_be_job(verb))
		return err_set(err, ERR_NOTFOUND, tr("'%.*s' cannot be a job"), STR_ARG(verb));
	if (args.n > ARGS_MAX)
		return err_set(err, ERR_LIMIT, tr("the arguments of a job have at most %d bytes"),
			ARGS_MAX);
	(void)pthread_mutex_lock(&j->lock);
	load(j);
	r = unfinished(j) >= JOB_QUEUE
		    ? err_set(err, ERR_LIMIT, tr("%d jobs wait or run already"), JOB_QUEUE)
		    : need_threads(j, err);
	if (r == 0) {
		job = job_new(call, verb, args);
		*ret = job->id;
		insert(j, job);
		keep(a, job);
		tell(j, job);
		(void)pthread_cond_signal(&j->changed);
	}
	(void)pthread_mutex_unlock(&j->lock);
	return r;
}

static int not_found(struct err *err)
{
	return err_set(err, ERR_NOTFOUND, tr("there is no such job"));
}

int jobs_cancel(struct archive *a, const struct id *id, struct err *err)
{
	struct jobs *j = a->jobs;
	struct job *job;
	int r = 0;

	(void)pthread_mutex_lock(&j->lock);
	load(j);
	job = find(j, id);
	if (!job) {
		r = not_found(err);
	} else if (has_ended(job)) {
		r = err_set(err, ERR_INVALID, tr("the job has ended already"));
	} else if (job->state == JOB_WAITING) {
		job->state = JOB_CANCELLED;
		job->ended = clock_now();
		keep(a, job);
		tell(j, job);
	} else {
		job->cancel = true;
	}
	(void)pthread_mutex_unlock(&j->lock);
	return r;
}

int jobs_say(struct archive *a, const struct id *id, struct buf *b, struct err *err)
{
	struct jobs *j = a->jobs;
	struct job *job;
	int r = 0;

	(void)pthread_mutex_lock(&j->lock);
	load(j);
	job = find(j, id);
	if (job)
		say_job(a, job, b);
	else
		r = not_found(err);
	(void)pthread_mutex_unlock(&j->lock);
	return r;
}

void jobs_say_all(struct archive *a, struct buf *b)
{
	struct jobs *j = a->jobs;

	(void)pthread_mutex_lock(&j->lock);
	load(j);
	for (const struct job *job = j->first; job; job = job->next) {
		say_map(b, NULL);
		say_job(a, job, b);
		say_end_map(b);
	}
	(void)pthread_mutex_unlock(&j->lock);
}
