/* verbs_custody.c - state, sealing, custodians. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/indexer.h"
#include "core/archive/log.h"
#include "core/archive/recorder.h"
#include "core/archive/say.h"
#include "core/archive/shares.h"
#include "core/archive/scans.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"
#include "search/jail.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <unistd.h>

enum { PASSPHRASE_WAIT_MS = 10000 };

/* ---- status ---- */

static void say_problem(struct buf *b, bool is_there, const char *text)
{
	if (is_there)
		say_item(b, str_of(text));
}

static bool is_set_aside(struct archive *a, uint64_t *ret)
{
	*ret = a->found.journal.aside_frame;
	return a->found.journal.set_aside;
}

static void say_followers(struct archive *a, const struct store_counts *counts, struct buf *b,
	uint64_t *ret_unreadable)
{
	struct indexer_state state;
	struct scans_state scans;

	*ret_unreadable = 0;
	if (!a->recorder || !a->indexer)
		return;
	indexer_look(a->indexer, &state);
	*ret_unreadable = state.unreadable;
	say_map(b, "lag");
	say_int(b, "registry", (int64_t)(counts->actions - recorder_position(a->recorder)));
	say_int(b, "index", (int64_t)(counts->actions - state.position));
	say_end_map(b);
	say_int(b, "indexed", (int64_t)state.documents);
	say_int(b, "extracting", (int64_t)state.extracting);
	scans_look(a->scans, &scans);
	say_map(b, "scans");
	say_bool(b, "on", scans.on);
	say_bool(b, "missing", scans.missing);
	say_int(b, "waiting", (int64_t)scans.waiting);
	say_int(b, "pages", (int64_t)scans.pages);
	say_int(b, "page", scans.page);
	say_int(b, "of", scans.total);
	say_end_map(b);
}

int verb_status(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	struct buf *b = call->reply;
	struct store_counts counts;
	uint64_t aside, unreadable;
	bool has_aside, jail = jail_available(), sealed;
	bool is_owner = call->caller.origin == ACCESS_OWNER;
	int r = args_only(call, names, err);

	if (r < 0)
		return r;
	(void)pthread_rwlock_rdlock(&a->gate);
	store_count(a->store, &counts);
	sealed = store_is_sealed(a->store);
	has_aside = is_set_aside(a, &aside);
	say_id(b, "archive", store_archive(a->store));
	if (is_owner) /* the machine's own affair */
		say_cstr(b, "path", a->path);
	say_int(b, "format", 1);
	say_cstr(b, "program", MUNIMENT_VERSION);
	say_bool(b, "demonstration", store_is_demonstration(a->store));
	say_bool(b, "sealed", sealed);
	if (sealed && shares_until(a->shares) > 0) {
		say_map(b, "unsealing");
		say_int(b, "needed", 1);
		say_instant(b, "until", shares_until(a->shares));
		say_end_map(b);
	}
	say_bool(b, "resident", (a->flags & ARCHIVE_RESIDENT) != 0);
	say_bool(b, "writable", (a->flags & ARCHIVE_WRITABLE) != 0);
	if (is_owner)
		say_int(b, "pid", getpid());
	say_instant(b, "since", a->opened);
	say_int(b, "volumes", counts.volumes);
	if (!sealed) { /* nothing is read while it is sealed */
		say_int(b, "actions", (int64_t)counts.actions);
		say_int(b, "records", (int64_t)counts.records);
		say_int(b, "pending_frames", (int64_t)counts.pending_frames);
		say_int(b, "pending_bytes", (int64_t)counts.pending_bytes);
	}
	say_bool(b, "failed", counts.failed);
	say_int(b, "replayed", (int64_t)a->found.frames_replayed);
	say_bool(b, "jail", jail);
	if (has_aside)
		say_int(b, "aside", (int64_t)aside);
	(void)pthread_rwlock_rdlock(&a->custody_lock);
	say_int(b, "custodians", (int64_t)custody_count(a->custody));
	(void)pthread_rwlock_unlock(&a->custody_lock);
	say_followers(a, &counts, b, &unreadable);
	(void)pthread_rwlock_unlock(&a->gate);
	say_list(b, "problems");
	say_problem(b, counts.failed,
		tr("writing stopped after a failure of the disk: restart, and look at the system's "
		   "log"));
	say_problem(b, has_aside,
		tr("a journal frame could not be read and was set aside: look at it, then "
		   "'muniment journal acknowledge'"));
	say_problem(b, !jail && !settings_int(a->settings, SETTING_EXTRACT_UNJAILED),
		tr("this kernel has no landlock: text is not extracted, and only titles and fields "
		   "can be found"));
	say_problem(b, !sealed && atomic_load(&a->login_failed),
		tr("nobody can log in: state.db cannot be opened; put it back from a backup, or "
		   "move it away and give passwords anew"));
	say_problem(
		b, unreadable > 0, tr("some records could not be indexed: run 'muniment verify'"));
	say_end_list(b);
	return 0;
}

/* ---- passphrases ---- */

/* From a descriptor to its end or its first newline, byte for byte into locked memory; whoever holds the
 * other end cannot make us wait for ever. */
int verb_read_secret(int fd, struct secret **ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *room = secret_new(PASSPHRASE_MAX + 1);
	int64_t deadline = clock_ticks() + (int64_t)PASSPHRASE_WAIT_MS * 1000000;
	size_t n = 0;

	while (n <= PASSPHRASE_MAX) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = (deadline - clock_ticks()) / 1000000;
		ssize_t got;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return err_set(err, ERR_CANCELLED, tr("no passphrase came"));
		got = read(fd, room->p + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, tr("cannot read a passphrase"));
		if (got == 0 || room->p[n] == '\n')
			break;
		n++;
	}
	if (n == 0 || n > PASSPHRASE_MAX)
		return err_set(err, ERR_INVALID, tr("a passphrase has %d to %d bytes"),
			PASSPHRASE_MIN, PASSPHRASE_MAX);
	*ret = secret_copy(room->p, n);
	return 0;
}

/* Two custodians' opened secrets, and who they are. */
struct two {
	struct id who[2];
	struct secret *secret[2];
};

static void two_done(struct two *t)
{
	secret_free(t->secret[0]);
	secret_free(t->secret[1]);
}

static int open_two(struct archive *a, struct verb_call *call, struct two *t, struct err *err)
{
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(secret_freep) struct secret *passphrase = NULL;
		int r = verb_read_secret(call->fds[i], &passphrase, err);

		if (r == 0)
			r = archive_open_custodian(a, passphrase,
				call->caller.origin == ACCESS_OWNER, &t->who[i], &t->secret[i],
				err);
		if (r < 0)
			return err_prefix(err, r,
				i == 0 ? tr("the first passphrase") : tr("the second passphrase"));
	}
	return 0;
}

static void say_labels(struct archive *a, const struct two *t, struct buf *b)
{
	(void)pthread_rwlock_rdlock(&a->custody_lock);
	say_list(b, "by");
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < custody_count(a->custody); i++) {
			struct custodian_info info = custody_at(a->custody, i);

			if (id_equal(&info.id, &t->who[k]))
				say_item(b, str_of(info.label));
		}
	}
	say_end_list(b);
	(void)pthread_rwlock_unlock(&a->custody_lock);
}

static void say_label(struct archive *a, const struct id *who, struct buf *b)
{
	(void)pthread_rwlock_rdlock(&a->custody_lock);
	for (size_t i = 0; i < custody_count(a->custody); i++) {
		struct custodian_info info = custody_at(a->custody, i);

		if (id_equal(&info.id, who))
			say_item(b, str_of(info.label));
	}
	(void)pthread_rwlock_unlock(&a->custody_lock);
}

/* One passphrase: the second of two people, or the first, who then waits for the other. */
static int unseal_step(struct archive *a, struct verb_call *call, struct err *err)
{
	_cleanup_(secret_freep) struct secret *passphrase = NULL;
	_cleanup_(two_done) struct two t = { .secret = { NULL, NULL } };
	int64_t until;
	int r = verb_read_secret(call->fds[0], &passphrase, err);

	if (r == 0)
		r = archive_open_custodian(a, passphrase, call->caller.origin == ACCESS_OWNER,
			&t.who[1], &t.secret[1], err);
	if (r < 0)
		return r;
	t.secret[0] = shares_take(a->shares, &t.who[1], &t.who[0]);
	if (t.secret[0]) {
		r = archive_unseal_with(a, &t.who[0], t.secret[0], &t.who[1], t.secret[1], err);
		if (r < 0)
			return r;
		say_labels(a, &t, call->reply);
		say_bool(call->reply, "unsealed", true);
		return 0;
	}
	until = shares_hold(a->shares, &t.who[1], &t.secret[1]);
	if (until == 0)
		return err_set(err, ERR_IO, tr("cannot start a thread"));
	say_list(call->reply, "by");
	say_label(a, &t.who[1], call->reply);
	say_end_list(call->reply);
	say_bool(call->reply, "unsealed", false);
	say_int(call->reply, "needed", 1);
	say_instant(call->reply, "until", until);
	return 0;
}

static int unseal_at_once(struct archive *a, struct verb_call *call, struct err *err)
{
	_cleanup_(two_done) struct two t = { .secret = { NULL, NULL } };
	int r = open_two(a, call, &t, err);

	if (r == 0)
		r = archive_unseal_with(a, &t.who[0], t.secret[0], &t.who[1], t.secret[1], err);
	if (r < 0)
		return r;
	say_labels(a, &t, call->reply);
	say_bool(call->reply, "unsealed", true);
	return 0;
}

int verb_unseal(struct archive *a, struct verb_call *call, struct err *err)
{
	char asker[VERB_ASKER];
	static const char *const names[] = { "who", NULL };
	bool already = !store_is_sealed(a->store);
	int r = args_only(call, names, err);

	if (r == 0 && !already) {
		r = call->fd_count == 1 ? unseal_step(a, call, err) : unseal_at_once(a, call, err);
		if (r < 0) {
			log_line(LOG_LEVEL_WARNING, "unsealing failed, asked by %s",
				verb_asker(call, asker));
			return r;
		}
		log_line(LOG_LEVEL_NOTICE, "%s, asked by %s",
			store_is_sealed(a->store) ? "one of two passphrases to unseal was given"
						  : "unsealed",
			verb_asker(call, asker));
	} else if (r == 0) {
		say_bool(call->reply, "unsealed", true);
	}
	if (r == 0)
		say_bool(call->reply, "already", already);
	return r;
}

int verb_seal(struct archive *a, struct verb_call *call, struct err *err)
{
	char asker[VERB_ASKER];
	static const char *const names[] = { NULL };
	int r = args_only(call, names, err);

	if (r == 0)
		r = archive_seal(a, err);
	if (r == 0)
		log_line(LOG_LEVEL_NOTICE, "sealed, asked by %s", verb_asker(call, asker));
	return r;
}

/* ---- custodians ---- */

int verb_custodian_list(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	struct buf *b = call->reply;
	int r = args_only(call, names, err);

	if (r < 0)
		return r;
	(void)pthread_rwlock_rdlock(&a->custody_lock);
	say_int(b, "epoch", (int64_t)custody_epoch(a->custody));
	say_list(b, "custodians");
	for (size_t i = 0; i < custody_count(a->custody); i++) {
		struct custodian_info info = custody_at(a->custody, i);

		say_map(b, NULL);
		say_id(b, "id", &info.id);
		say_cstr(b, "label", info.label);
		say_end_map(b);
	}
	say_end_list(b);
	(void)pthread_rwlock_unlock(&a->custody_lock);
	return 0;
}

/* After a change that could not be saved, what is in memory must be what is on disk. */
static int save_custody(struct archive *a, struct err *err)
{
	struct custody *again;
	int r = custody_save(a->custody, archive_dir(a), a->root, err);

	if (r < 0 && custody_load(archive_dir(a), &again, NULL) == 0) {
		custody_free(a->custody);
		a->custody = again;
	}
	return r;
}

int verb_custodian_add(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "label", NULL };
	_cleanup_(secret_freep) struct secret *passphrase = NULL;
	_cleanup_(freep) char *label = NULL;
	bool demonstration = archive_is_demonstration(a);
	struct str text;
	struct id id;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_need_text(call->args, "label", &text, err)) < 0 ||
		(r = verb_read_secret(call->fds[0], &passphrase, err)) < 0 ||
		(r = demonstration_refuse(demonstration, passphrase, err)) < 0)
		return r;
	label = str_dup(text);
	(void)pthread_rwlock_wrlock(&a->custody_lock);
	r = custody_add(a->custody, a->root, label, passphrase,
		demonstration ? CUSTODY_COST_DEMONSTRATION : CUSTODY_COST_FULL, &id, err);
	if (r == 0)
		r = save_custody(a, err);
	(void)pthread_rwlock_unlock(&a->custody_lock);
	if (r < 0)
		return r;
	log_line(LOG_LEVEL_NOTICE, "a custodian was added by %s, uid %u", call->account, call->uid);
	say_id(call->reply, "id", &id);
	say_cstr(call->reply, "label", label);
	return 0;
}

/* A new root key for who is in a->custody now; the lock is held. On failure the custody file as it is on disk. */
static int rotate_root(struct archive *a, struct err *err)
{
	_cleanup_(secret_freep) struct secret *root = NULL;
	struct custody *again;
	int r = store_rotate_root(a->store, a->custody, &root, err);

	if (root) {
		secret_free(a->root);
		a->root = TAKE_PTR(root);
	}
	if (r < 0 && custody_settle(archive_dir(a), keys_epoch(store_keys(a->store)), NULL) == 0 &&
		custody_load(archive_dir(a), &again, NULL) == 0) {
		custody_free(a->custody);
		a->custody = again;
	}
	return r;
}

/* Who is taken out may have kept an old file, so the root key changes in the same step. */
static int remove_custodian(struct archive *a, const char *who, struct buf *reply, struct err *err)
{
	struct id id;
	int r = custody_find(a->custody, who, &id, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < custody_count(a->custody); i++) {
		struct custodian_info info = custody_at(a->custody, i);

		if (id_equal(&info.id, &id)) {
			say_id(reply, "id", &id);
			say_cstr(reply, "label", info.label);
		}
	}
	r = custody_remove(a->custody, &id, err);
	if (r == 0)
		r = rotate_root(a, err);
	if (r == 0)
		say_int(reply, "epoch", (int64_t)custody_epoch(a->custody));
	return r;
}

int verb_custodian_remove(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "who", NULL };
	_cleanup_(freep) char *who = NULL;
	struct str text;
	int r = args_only(call, names, err);

	if (r == 0)
		r = json_need_text(call->args, "who", &text, err);
	if (r < 0)
		return r;
	who = str_dup(text);
	(void)pthread_rwlock_wrlock(&a->custody_lock);
	r = remove_custodian(a, who, call->reply, err);
	(void)pthread_rwlock_unlock(&a->custody_lock);
	if (r < 0)
		buf_reset(call->reply);
	else
		log_line(LOG_LEVEL_NOTICE, "a custodian was removed by %s, uid %u", call->account,
			call->uid);
	return r;
}

int verb_custodian_rotate(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	int r = args_only(call, names, err);

	if (r < 0)
		return r;
	(void)pthread_rwlock_wrlock(&a->custody_lock);
	r = rotate_root(a, err);
	if (r == 0)
		say_int(call->reply, "epoch", (int64_t)custody_epoch(a->custody));
	(void)pthread_rwlock_unlock(&a->custody_lock);
	if (r == 0)
		log_line(LOG_LEVEL_NOTICE, "the root key was changed by %s, uid %u", call->account,
			call->uid);
	return r;
}

int verb_custodian_drill(struct archive *a, struct verb_call *call, struct err *err)
{
	char asker[VERB_ASKER];
	static const char *const names[] = { "who", NULL };
	_cleanup_(two_done) struct two t = { .secret = { NULL, NULL } };
	_cleanup_(secret_freep) struct secret *root = NULL;
	int r = args_only(call, names, err);

	if (r == 0)
		r = open_two(a, call, &t, err);
	if (r < 0)
		return r;
	(void)pthread_rwlock_rdlock(&a->custody_lock);
	r = custody_combine(a->custody, &t.who[0], t.secret[0], &t.who[1], t.secret[1], &root, err);
	(void)pthread_rwlock_unlock(&a->custody_lock);
	if (r == 0)
		say_labels(a, &t, call->reply);
	log_line(LOG_LEVEL_NOTICE, "custodian drill, asked by %s: %s", verb_asker(call, asker),
		err_word(r));
	return r;
}
