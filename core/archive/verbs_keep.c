/* verbs_keep.c - what keeps an archive in order: proof, rebuilding, checkpoints. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/indexer.h"
#include "core/archive/log.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"
#include "core/archive/scans.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

enum { INDEX_WAIT_MS = 600000 };

/* ---- reindex ---- */

int verb_reindex(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "text", NULL };
	uint64_t records = 0, documents = 0;
	int64_t begun = clock_ticks();
	bool text = false, resumed = false;
	int r = args_only(call, names, err);

	if (r == 0)
		r = args_bool(call->args, "text", &text, err);
	if (r == 0)
		r = recorder_rebuild(a, call, &records, err);
	if (r == 0)
		r = indexer_rebuild(a, text, call, &documents, &resumed, err);
	if (r < 0)
		return r;
	say_int(call->reply, "records", (int64_t)records);
	say_int(call->reply, "documents", (int64_t)documents);
	say_bool(call->reply, "resumed", resumed);
	say_int(call->reply, "seconds", (clock_ticks() - begun) / 1000000000);
	return 0;
}

int verb_recognise(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	struct scans_state state;
	uint64_t parts = 0;
	int r = args_only(call, names, err);

	/* What is not indexed yet has not put its scans into the queue. */
	if (r == 0 && !indexer_catch_up(a, INDEX_WAIT_MS, call))
		r = verb_tell_of(call, &(struct verb_progress){ .stage = "index" }, err);
	if (r == 0)
		r = scans_run(a->scans, call, &parts, err);
	if (r < 0)
		return r;
	scans_look(a->scans, &state);
	say_int(call->reply, "parts", (int64_t)parts);
	say_int(call->reply, "waiting", (int64_t)state.waiting);
	return 0;
}

int verb_compact(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	int64_t begun = clock_ticks();
	uint64_t documents = 0;
	int r = args_only(call, names, err);

	if (r == 0)
		r = indexer_compact(a, &documents, err);
	if (r < 0)
		return r;
	say_int(call->reply, "documents", (int64_t)documents);
	say_int(call->reply, "seconds", (clock_ticks() - begun) / 1000000000);
	return 0;
}

/* ---- proof ---- */

int verb_checkpoint(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct store_counts counts;
	int r = args_only(call, names, err);

	if (r == 0)
		r = store_checkpoint(a->store, &text, err);
	if (r < 0)
		return r;
	store_count(a->store, &counts);
	say_text(call->reply, "text", buf_str(&text));
	say_int(call->reply, "actions", (int64_t)counts.actions);
	return 0;
}

static int say_signers(struct archive *a, struct buf *reply, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_(buf_done) struct buf fingerprint = BUF_INIT;
	struct public_key key;
	int r = store_allowed_signers(a->store, &text, err);

	if (r == 0)
		r = store_server_key(a->store, &key, err);
	if (r < 0)
		return r;
	public_key_fingerprint(&key, &fingerprint);
	say_text(reply, "text", buf_str(&text));
	say_text(reply, "fingerprint", buf_str(&fingerprint));
	return 0;
}

int verb_signers_rotate(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	struct id action = id_random();
	int r = args_only(call, names, err);

	if (r == 0)
		r = store_rotate_server(
			a->store, call->account, call->uid, &action, clock_now(), err);
	if (r == 0)
		r = store_flush(a->store, err);
	if (r < 0)
		return r;
	recorder_walk_again(a->recorder);
	indexer_walk_again(a->indexer);
	log_line(LOG_LEVEL_NOTICE, "the server's signing key was changed by %s, uid %u",
		call->account, call->uid);
	return say_signers(a, call->reply, err);
}

int verb_signers(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	int r = args_only(call, names, err);

	return r < 0 ? r : say_signers(a, call->reply, err);
}

int verb_journal_acknowledge(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "frame", NULL };
	_cleanup_(closep) int dir = -1;
	int64_t frame;
	int r = args_only(call, names, err);

	if (r == 0)
		r = json_need_int(call->args, "frame", 0, INT64_MAX, &frame, err);
	if (r < 0)
		return r;
	dir = file_open_dir(archive_dir(a), "journal", err);
	r = dir < 0 ? dir : journal_acknowledge(dir, (uint64_t)frame, err);
	if (r < 0)
		return r;
	a->found.journal.set_aside = false;
	log_line(LOG_LEVEL_NOTICE, "journal frame %lld was acknowledged by uid %u",
		(long long)frame, call->uid);
	return 0;
}
