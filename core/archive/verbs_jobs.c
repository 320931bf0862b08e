/* verbs_jobs.c - long work behind the caller (jobs.h). */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/jobs.h"
#include "core/archive/say.h"

static int need_job(const struct verb_call *call, struct id *ret, struct err *err)
{
	struct str text;
	int r = json_need_text(call->args, "job", &text, err);

	return r < 0 ? r : id_parse(text, ret, err);
}

int verb_job_start(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "verb", "args", NULL };
	_cleanup_(buf_done) struct buf args = BUF_INIT;
	const struct json *map = NULL;
	struct str verb;
	struct id id;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_need_text(call->args, "verb", &verb, err)) < 0 ||
		(r = args_map(call->args, "args", &map, err)) < 0)
		return r;
	if (map)
		r = json_add_canonical(&args, map, err);
	else
		buf_adds(&args, "{}");
	if (r == 0)
		r = jobs_start(a, call, verb, buf_str(&args), &id, err);
	return r < 0 ? r : jobs_say(a, &id, call->reply, err);
}

int verb_job_list(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	int r = args_only(call, names, err);

	if (r < 0)
		return r;
	say_list(call->reply, "jobs");
	jobs_say_all(a, call->reply);
	say_end_list(call->reply);
	return 0;
}

int verb_job_show(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "job", NULL };
	struct id id;
	int r = args_only(call, names, err);

	if (r == 0)
		r = need_job(call, &id, err);
	return r < 0 ? r : jobs_say(a, &id, call->reply, err);
}

int verb_job_cancel(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "job", NULL };
	struct id id;
	int r = args_only(call, names, err);

	if (r == 0)
		r = need_job(call, &id, err);
	if (r == 0)
		r = jobs_cancel(a, &id, err);
	return r < 0 ? r : jobs_say(a, &id, call->reply, err);
}
