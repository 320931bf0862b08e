/* verb.c - see verb.h. */
#include "core/archive/verb.h"

#include "core/archive/indexer.h"
#include "core/archive/people.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"
#include "core/archive/verbs.h"

#include "core/base/tr.h"

#include <stdio.h>

enum { U = VERB_UNSEALED, W = VERB_WRITES, A = VERB_ACTOR };

const struct verb verb_table[] = {
	{ "account.add", ACCESS_ADMINISTER, verb_account_add, U | W | A, 0, 0 },
	{ "account.end", ACCESS_ADMINISTER, verb_account_end, U | W, 0, 0 },
	{ "account.list", ACCESS_PEOPLE, verb_account_list, U, 0, 0 },
	{ "account.password", ACCESS_ADMINISTER, verb_account_password, U | W, 0, 1 },
	{ "account.role", ACCESS_ADMINISTER, verb_account_role, U | W, 0, 0 },
	{ "account.totp", ACCESS_ADMINISTER, verb_account_totp, U | W, 0, 0 },
	{ "account.unlock", ACCESS_ADMINISTER, verb_account_unlock, U | W, 0, 0 },
	{ "checkpoint", ACCESS_JOB, verb_checkpoint, U | W, 0, 0 },
	{ "compact", ACCESS_JOB, verb_compact, U | W, 0, 0 },
	{ "config.get", ACCESS_ADMINISTER, verb_config_get, 0, 0, 0 },
	{ "config.list", ACCESS_ADMINISTER, verb_config_list, 0, 0, 0 },
	{ "config.set", ACCESS_ADMINISTER, verb_config_set, W, 0, 0 },
	{ "custodian.add", ACCESS_ADMINISTER, verb_custodian_add, U | W | A, 1, 1 },
	{ "custodian.drill", ACCESS_STATE, verb_custodian_drill, 0, 2, 2 },
	{ "custodian.list", ACCESS_PEOPLE, verb_custodian_list, 0, 0, 0 },
	{ "custodian.remove", ACCESS_ADMINISTER, verb_custodian_remove, U | W | A, 0, 0 },
	{ "custodian.rotate", ACCESS_ADMINISTER, verb_custodian_rotate, U | W | A, 0, 0 },
	{ "differences", ACCESS_LOOK, verb_differences, U, 0, 0 },
	{ "draft.delete", ACCESS_FILE, verb_draft_delete, U | W | A, 0, 0 },
	{ "draft.get", ACCESS_FILE, verb_draft_get, U | W | A, 0, 0 },
	{ "draft.list", ACCESS_FILE, verb_draft_list, U | W | A, 0, 0 },
	{ "draft.put", ACCESS_FILE, verb_draft_put, U | W | A, 0, 0 },
	{ "export", ACCESS_LOOK, verb_export, U, 1, 1 },
	{ "file", ACCESS_FILE, verb_file, U | W | A, 0, VERB_MAX_FDS },
	{ "file.batch", ACCESS_FILE, verb_file_batch, U | W | A, 1, VERB_MAX_FDS },
	{ "get", ACCESS_LOOK, verb_get, U, 1, 1 },
	{ "job.cancel", ACCESS_JOB, verb_job_cancel, U | VERB_RESIDENT, 0, 0 },
	{ "job.list", ACCESS_LOOK, verb_job_list, U | VERB_RESIDENT, 0, 0 },
	{ "job.show", ACCESS_LOOK, verb_job_show, U | VERB_RESIDENT, 0, 0 },
	{ "job.start", ACCESS_JOB, verb_job_start, U | A | VERB_RESIDENT, 0, 0 },
	{ "journal.acknowledge", ACCESS_ADMINISTER, verb_journal_acknowledge, W, 0, 0 },
	{ "list", ACCESS_LOOK, verb_list, U, 0, 0 },
	{ "log", ACCESS_LOOK, verb_log, U, 0, 0 },
	{ "preview", ACCESS_LOOK, verb_preview, U, 1, 1 },
	{ "proof", ACCESS_LOOK, verb_proof, U, 0, 0 },
	{ "recognise", ACCESS_JOB, verb_recognise, U | W, 0, 0 },
	{ "reindex", ACCESS_JOB, verb_reindex, U | W, 0, 0 },
	{ "revise", ACCESS_FILE, verb_revise, U | W | A, 0, VERB_MAX_FDS },
	{ "seal", ACCESS_SEAL, verb_seal, VERB_RESIDENT, 0, 0 },
	{ "search", ACCESS_LOOK, verb_search, U, 0, 0 },
	{ "series.add", ACCESS_ADMINISTER, verb_series_add, U | W | A, 1, 1 },
	{ "series.list", ACCESS_LOOK, verb_series_list, U, 0, 0 },
	{ "series.show", ACCESS_LOOK, verb_series_show, U, 0, 0 },
	{ "session.end", ACCESS_OWN, verb_session_end, U | W | A, 0, 0 },
	{ "session.list", ACCESS_OWN, verb_session_list, U | W | A, 0, 0 },
	{ "sheet", ACCESS_LOOK, verb_sheet, U, 1, 1 },
	{ "show", ACCESS_LOOK, verb_show, U, 0, 0 },
	{ "signers", ACCESS_LOOK, verb_signers, U, 0, 0 },
	{ "signers.rotate", ACCESS_ADMINISTER, verb_signers_rotate, U | W | A, 0, 0 },
	{ "status", ACCESS_STATE, verb_status, 0, 0, 0 },
	{ "suggest", ACCESS_LOOK, verb_suggest, U, 0, 0 },
	{ "text", ACCESS_LOOK, verb_text, U, 1, 1 },
	{ "unseal", ACCESS_STATE, verb_unseal, VERB_RESIDENT, 1, 2 },
	{ "upload.append", ACCESS_FILE, verb_upload_append, U | W | A, 1, 1 },
	{ "upload.begin", ACCESS_FILE, verb_upload_begin, U | W | A, 0, 0 },
	{ "upload.drop", ACCESS_FILE, verb_upload_drop, U | W | A, 0, 0 },
	{ "upload.finish", ACCESS_FILE, verb_upload_finish, U | W | A, 0, 0 },
	{ "upload.show", ACCESS_FILE, verb_upload_show, U | W | A, 0, 0 },
	{ "verify", ACCESS_JOB, verb_verify, VERB_LEVEL, 0, 0 },
	{ "view.delete", ACCESS_LOOK, verb_view_delete, U | W | A, 0, 0 },
	{ "view.get", ACCESS_LOOK, verb_view_get, U | W | A, 0, 0 },
	{ "view.list", ACCESS_LOOK, verb_view_list, U | W | A, 0, 0 },
	{ "view.put", ACCESS_LOOK, verb_view_put, U | W | A, 0, 0 },
};
const size_t verb_count = ARRAY_LEN(verb_table);

const struct verb *verb_find(struct str name)
{
	for (size_t i = 0; i < verb_count; i++) {
		if (str_is(name, verb_table[i].name))
			return &verb_table[i];
	}
	return NULL;
}

bool verb_needs_keys(const struct verb *verb, const struct json *args)
{
	struct str level = STR("");

	if ((verb->flags & VERB_LEVEL) && json_kind_of(args) == JSON_KIND_MAP)
		(void)json_may_text(args, "level", &level, NULL);
	return (verb->flags & VERB_UNSEALED) || str_is(level, "full");
}

/* Without a level it is the deeper one where there are keys. */
static bool may_use_keys(const struct verb *verb, const struct json *args)
{
	return (verb->flags & VERB_LEVEL) && !json_map_get(args, "level");
}

int verb_tell_of(struct verb_call *call, const struct verb_progress *progress, struct err *err)
{
	bool stop = call->archive && atomic_load(&call->archive->stopping);

	if (!stop && call->tell)
		stop = call->tell(call->tell_context, progress) != 0;
	return stop ? err_set(err, ERR_CANCELLED, tr("stopped before it was done")) : 0;
}

void verb_progress_say(const struct verb_progress *p, struct buf *b)
{
	say_cstr(b, "stage", p->stage);
	say_cstr(b, "unit", p->unit);
	say_int(b, "done", (int64_t)p->done);
	say_int(b, "total", (int64_t)p->total);
	say_int(b, "rate", (int64_t)p->rate);
	say_int(b, "eta", (int64_t)p->eta);
	if (p->text.n > 0)
		say_text(b, "text", p->text);
}

static int check_row(
	const struct verb *v, struct archive *a, const struct verb_call *call, struct err *err)
{
	if (json_kind_of(call->args) != JSON_KIND_MAP)
		return err_set(err, ERR_INVALID, tr("a request is a JSON object"));
	if (call->caller.origin != ACCESS_OWNER && json_map_get(call->args, "as"))
		return err_set(err, ERR_DENIED,
			tr("over HTTP the session's account acts; 'as' is for the command line"));
	if (call->fd_count < v->fds_min || call->fd_count > v->fds_max)
		return err_set(err, ERR_INVALID, tr("'%s' takes %u to %u descriptors; %zu came"),
			v->name, v->fds_min, v->fds_max, call->fd_count);
	if ((v->flags & VERB_WRITES) && !(a->flags & ARCHIVE_WRITABLE))
		return err_set(err, ERR_LOCKED, tr("the archive was opened for reading only"));
	return 0;
}

const char *verb_asker(const struct verb_call *call, char room[VERB_ASKER])
{
	if (call->caller.origin == ACCESS_OWNER)
		(void)snprintf(room, VERB_ASKER, "uid %u", call->uid);
	else
		(void)snprintf(room, VERB_ASKER, "%s",
			call->caller.origin == ACCESS_SESSION ? call->caller.account
							      : "somebody over HTTP");
	return room;
}

/* What a request is about, for access_check. */
static void subject_of(const struct json *args, struct access_subject *ret)
{
	static const struct {
		const char *member;
		enum access_subject_kind kind;
	} members[] = { { "record", SUBJECT_RECORD }, { "number", SUBJECT_RECORD },
		{ "account", SUBJECT_ACCOUNT }, { "series", SUBJECT_SERIES } };

	*ret = (struct access_subject){ .kind = SUBJECT_ARCHIVE };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct json *v = json_map_get(args, members[i].member);

		if (v && json_kind_of(v) == JSON_KIND_TEXT) {
			*ret = (struct access_subject){ members[i].kind, json_text(v) };
			return;
		}
	}
}

static int check_access(
	const struct verb *v, struct archive *a, struct verb_call *call, struct err *err)
{
	struct access_subject subject;

	subject_of(call->args, &subject);
	call->caller.uid = call->uid;
	return access_check(a, &call->caller, v->act, &subject, err);
}

static int resolve_actor(
	const struct verb *v, struct archive *a, struct verb_call *call, struct err *err)
{
	struct str as = { NULL, 0 };
	int r = json_may_text(call->args, "as", &as, err);

	if (r < 0)
		return r;
	if (call->caller.origin != ACCESS_OWNER) {
		memcpy(call->account, call->caller.account, sizeof(call->account));
		return 0;
	}
	if (!(v->flags & VERB_ACTOR))
		return 0;
	if (as.n == 0)
		return err_set(err, ERR_DENIED, tr("say who does this: '--as NAME'"));
	_Static_assert(sizeof(call->account) > ACCOUNT_MAX, "room for an account id");
	return people_resolve(a->people, as, call->account, err);
}

/* Rights are asked for under the gate, the verb runs without it: `seal` and `unseal` take it for writing. */
static int run_without_keys(
	const struct verb *v, struct archive *a, struct verb_call *call, struct err *err)
{
	int r;

	(void)pthread_rwlock_rdlock(&a->gate);
	r = check_access(v, a, call, err);
	(void)pthread_rwlock_unlock(&a->gate);
	if (r < 0)
		return r;
	if (call->caller.origin != ACCESS_OWNER)
		memcpy(call->account, call->caller.account, sizeof(call->account));
	return v->run(a, call, err);
}

int verb_run(struct archive *a, struct str name, struct verb_call *call, struct err *err)
{
	const struct verb *v = verb_find(name);
	int r;

	if (!v)
		return err_set(err, ERR_NOTFOUND, tr("there is no verb '%.*s'"), STR_ARG(name));
	call->archive = a;
	r = check_row(v, a, call, err);
	if (r < 0)
		return r;
	if (!verb_needs_keys(v, call->args) && !may_use_keys(v, call->args))
		return run_without_keys(v, a, call, err);
	(void)pthread_rwlock_rdlock(&a->gate);
	call->has_keys = !store_is_sealed(a->store);
	if (!call->has_keys && !verb_needs_keys(v, call->args)) {
		/* It can do without, and must not keep anybody from unsealing as long as it runs. */
		(void)pthread_rwlock_unlock(&a->gate);
		return run_without_keys(v, a, call, err);
	}
	if (!call->has_keys)
		r = err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it ('muniment "
			   "unseal')"));
	if (r == 0)
		r = check_access(v, a, call, err);
	if (r == 0)
		r = resolve_actor(v, a, call, err);
	if (r == 0)
		r = v->run(a, call, err);
	(void)pthread_rwlock_unlock(&a->gate);
	return r;
}

static void take_stamp(struct archive *a, struct verb_stamp *ret)
{
	struct store_counts counts;
	struct indexer_state state;

	store_count(a->store, &counts);
	*ret = (struct verb_stamp){ .actions = counts.actions };
	if (!a->recorder || !a->indexer)
		return;
	indexer_look(a->indexer, &state);
	ret->recorded = recorder_position(a->recorder);
	ret->indexed = state.position;
	ret->documents = state.documents;
	ret->extracting = state.extracting;
}

int verb_peek(struct archive *a, struct str name, const struct access_caller *caller,
	const struct access_subject *subject, struct verb_stamp *ret, struct err *err)
{
	const struct verb *v = verb_find(name);
	int r;

	if (!v)
		return err_set(err, ERR_NOTFOUND, tr("there is no verb '%.*s'"), STR_ARG(name));
	if (pthread_rwlock_tryrdlock(&a->gate) != 0)
		return err_set(err, ERR_BUSY, tr("the archive is being sealed or unsealed"));
	if (store_is_sealed(a->store))
		r = err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it ('muniment "
			   "unseal')"));
	else
		r = access_check(a, caller, v->act, subject, err);
	if (r == 0)
		take_stamp(a, ret);
	(void)pthread_rwlock_unlock(&a->gate);
	return r;
}
