/* archive.c - see archive.h.
 *
 * Opening is in two steps, as the store's. Sealed, nothing but the store is open. Unsealing opens what can
 * be read with keys: text cache, registry, definitions, full text; none of it costs more when there are
 * more records, for what is behind is caught up by threads. */
#include "core/archive/archive.h"

#include "core/archive/catalogue.h"
#include "core/archive/indexer.h"
#include "core/archive/jobs.h"
#include "core/archive/news.h"
#include "core/archive/say.h"
#include "core/archive/inside.h"
#include "core/archive/log.h"
#include "core/archive/login.h"
#include "core/archive/people.h"
#include "core/archive/recorder.h"
#include "core/archive/shares.h"
#include "core/archive/turns.h"
#include "core/archive/scans.h"
#include "core/archive/upload.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Who may wait while another passphrase of a custodian is tried: each try takes a second and 256 MiB. */
enum { UNSEALING_WAIT_MAX = 2 };

const char *const demonstration_passphrases[2] = { "demonstration only, first custodian",
	"demonstration only, second custodian" };
const char *const demonstration_labels[2] = { "演示保管人甲", "演示保管人乙" };

int archive_dir(const struct archive *a)
{
	return store_dir(a->store);
}

struct settings *archive_settings(struct archive *a)
{
	return a->settings;
}

void archive_path(const struct archive *a, const char *name, struct buf *ret)
{
	buf_addf(ret, "%s/%s", a->path, name);
}

void archive_index_path(const struct archive *a, struct buf *ret)
{
	archive_path(a, ARCHIVE_DERIVED "/" ARCHIVE_INDEX, ret);
}

/* ---- pools ---- */

static int open_registry(void *context, void **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct registry *r = NULL;
	int result;

	archive_path(context, ARCHIVE_DERIVED "/" ARCHIVE_REGISTRY, &path);
	result = registry_open(path.p, false, &r, err);
	*ret = r;
	return result;
}

static void close_registry(void *item)
{
	registry_free(item);
}

static int open_reader(void *context, void **ret, struct err *err)
{
	struct archive *a = context;
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct fulltext_options options = { .key = a->terms_key };
	struct fulltext_reader *r = NULL;
	int result;

	archive_index_path(a, &path);
	result = fulltext_reader_open(path.p, &options, &r, err);
	*ret = r;
	return result;
}

static void close_reader(void *item)
{
	fulltext_reader_free(item);
}

static const struct pool_kind registry_kind = { open_registry, close_registry };
static const struct pool_kind reader_kind = { open_reader, close_reader };

/* ---- opening ---- */

static void on_applied(void *context, const struct store_event *events, size_t count)
{
	struct archive *a = context;

	_cleanup_(buf_done) struct buf b = BUF_INIT;

	say_cstr(&b, "event", "filed");
	say_int(&b, "records", (int64_t)count);
	news_tell(a->news, "record", buf_str(&b));
	(void)pthread_mutex_lock(&a->followers_lock);
	if (a->recorder)
		recorder_push(a->recorder, events, count);
	if (a->indexer)
		indexer_push(a->indexer, events, count);
	(void)pthread_mutex_unlock(&a->followers_lock);
}

static int open_store(struct archive *a, const char *path, struct err *err)
{
	struct store_options options = {
		.writable = (a->flags & ARCHIVE_WRITABLE) != 0,
		.volume_max_bytes = (uint64_t)settings_int(a->settings, SETTING_VOLUME_MAX_BYTES),
		.pending_max_bytes = (uint64_t)settings_int(a->settings, SETTING_PENDING_MAX_BYTES),
		.apply_delay_ms = settings_int(a->settings, SETTING_APPLY_DELAY_MS),
	};

	return store_open(path, &options, &a->store, &a->found, err);
}

static int load_settings(struct archive *a, const char *path, struct err *err)
{
	static const int levels[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE,
		LOG_LEVEL_INFO };
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, path, err);
	int level, r;

	if (dir < 0)
		return dir;
	r = settings_load(dir, &a->settings, err);
	if (r < 0)
		return r;
	level = levels[settings_int(a->settings, SETTING_LOG_LEVEL)];
	/* A command tells by itself what it did: beside it only what is wrong is logged. */
	if (!(a->flags & ARCHIVE_RESIDENT) && level > LOG_LEVEL_WARNING)
		level = LOG_LEVEL_WARNING;
	log_set_level((enum log_level)level);
	return 0;
}

static uint32_t owner_of(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 ? (uint32_t)st.st_uid : 0;
}

static void report_found(const struct archive *a)
{
	const struct store_found *f = &a->found;

	if (f->frames_replayed > 0)
		log_line(LOG_LEVEL_NOTICE, "replayed %llu journal frames",
			(unsigned long long)f->frames_replayed);
	if (f->journal.dropped_tail)
		log_line(LOG_LEVEL_NOTICE, "dropped an unfinished frame at the end of the journal");
	if (f->journal.set_aside)
		log_line(LOG_LEVEL_ERROR,
			"set journal frame %llu aside: it cannot be read; see 'muniment status'",
			(unsigned long long)f->journal.aside_frame);
	if (f->destructions_finished > 0)
		log_line(LOG_LEVEL_NOTICE, "finished %llu destructions",
			(unsigned long long)f->destructions_finished);
	if (f->orphans_removed > 0)
		log_line(LOG_LEVEL_NOTICE, "removed %llu unfinished packs",
			(unsigned long long)f->orphans_removed);
}

int archive_open(const char *path, unsigned flags, struct archive **ret, struct err *err)
{
	struct archive *a = xcalloc(1, sizeof(*a));
	pthread_rwlockattr_t attr;
	int r;

	(void)pthread_rwlock_init(&a->custody_lock, NULL);
	(void)pthread_mutex_init(&a->followers_lock, NULL);
	(void)pthread_mutex_init(&a->login_lock, NULL);
	(void)pthread_rwlockattr_init(&attr);
	(void)pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	(void)pthread_rwlock_init(&a->gate, &attr);
	(void)pthread_rwlockattr_destroy(&attr);
	a->unsealing = turns_new(1, UNSEALING_WAIT_MAX, UNSEALING_WAIT_MAX + 1);
	a->shares = shares_new();
	a->news = news_new();
	a->jobs = jobs_new(a);
	a->path = xstrdup(path);
	a->flags = flags;
	a->opened = clock_now();
	r = load_settings(a, path, err);
	if (r == 0)
		r = open_store(a, path, err);
	if (r == 0 && (flags & ARCHIVE_WRITABLE))
		r = custody_settle(archive_dir(a), keys_epoch(store_keys(a->store)), err);
	if (r == 0)
		r = custody_load(archive_dir(a), &a->custody, err);
	if (r < 0) {
		archive_close(a, 0);
		return r;
	}
	report_found(a);
	a->owner = owner_of(archive_dir(a));
	*ret = a;
	return 0;
}

static void tell_sealed(struct archive *a, bool is_sealed)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	say_bool(&b, "sealed", is_sealed);
	news_tell(a->news, "status", buf_str(&b));
}

/* ---- what needs keys ---- */

static void close_unsealed(struct archive *a, int64_t drain_ms)
{
	int64_t until = clock_ticks() + drain_ms * 1000000;
	struct recorder *recorder;
	struct indexer *indexer;

	/* First what was written must be applied, so that the followers are told of it. */
	if (a->recorder && drain_ms > 0 && store_flush(a->store, NULL) == 0) {
		(void)recorder_wait(a->recorder, until, NULL);
		if (a->indexer)
			(void)indexer_wait(a->indexer, until, NULL, NULL);
	}
	scans_stop(a->scans);
	(void)pthread_mutex_lock(&a->followers_lock);
	indexer = TAKE_PTR(a->indexer);
	recorder = TAKE_PTR(a->recorder);
	(void)pthread_mutex_unlock(&a->followers_lock);
	login_close(TAKE_PTR(a->login));
	indexer_free(indexer);
	scans_free(TAKE_PTR(a->scans));
	recorder_free(recorder);
	pool_free(TAKE_PTR(a->readers));
	pool_free(TAKE_PTR(a->registries));
	people_free(TAKE_PTR(a->people));
	catalogue_free(TAKE_PTR(a->catalogue));
	textcache_close(TAKE_PTR(a->texts));
	uploads_free(TAKE_PTR(a->uploads));
	secret_keys_free(TAKE_PTR(a->record_keys));
	secret_free(TAKE_PTR(a->terms_key));
	secret_free(TAKE_PTR(a->registry_key));
	secret_free(TAKE_PTR(a->root));
}

static int open_keys(struct archive *a, struct err *err)
{
	_cleanup_(secret_freep) struct secret *terms = NULL;
	int r = keys_purpose(store_keys(a->store), "registry", &a->registry_key, err);

	if (r < 0)
		return r;
	r = keys_purpose(store_keys(a->store), "terms", &terms, err);
	if (r < 0)
		return r;
	a->terms_key = secret_copy(terms->p, TERM_KEY_BYTES);
	return 0;
}

/* One of derived things, which somebody may have deleted. */
static int open_folder(struct archive *a, const char *name, struct err *err)
{
	int dir = file_open_dir(archive_dir(a), name, NULL);

	return dir < 0 ? file_make_dir(archive_dir(a), name, err) : dir;
}

/* A cache that cannot be read is made again: it costs time, nothing else. */
static int open_texts(struct archive *a, struct err *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	_cleanup_(closep) int dir = open_folder(a, ARCHIVE_CACHE, err);
	struct err inner = ERR_INIT;
	int r;

	if (dir < 0)
		return dir;
	archive_path(a, ARCHIVE_CACHE "/" ARCHIVE_TEXTS, &path);
	r = textcache_open(path.p, store_archive(a->store)->b, &a->texts, &inner);
	if (r != -ERR_CORRUPT && r != -ERR_UNSUPPORTED) {
		if (r < 0 && err)
			*err = inner;
		return r;
	}
	log_err(LOG_LEVEL_WARNING, "the text cache is made anew", &inner);
	(void)file_unlink(dir, ARCHIVE_TEXTS, NULL);
	(void)file_unlink(dir, ARCHIVE_TEXTS "-wal", NULL);
	(void)file_unlink(dir, ARCHIVE_TEXTS "-shm", NULL);
	return textcache_open(path.p, store_archive(a->store)->b, &a->texts, err);
}

static int open_followers(struct archive *a, struct err *err)
{
	struct recorder *recorder = NULL;
	struct indexer *indexer = NULL;
	int r = recorder_new(a, &recorder, err);

	if (r < 0)
		return r;
	r = indexer_new(a, &indexer, err);
	(void)pthread_mutex_lock(&a->followers_lock);
	a->recorder = recorder;
	a->indexer = indexer;
	a->scans = scans_new(a);
	(void)pthread_mutex_unlock(&a->followers_lock);
	return r;
}

static int open_unsealed(struct archive *a, struct err *err)
{
	_cleanup_(closep) int derived = -1;
	int r = open_keys(a, err);

	if (r == 0)
		r = open_texts(a, err);
	if (r < 0)
		return r;
	if (a->flags & ARCHIVE_WRITABLE) {
		derived = open_folder(a, ARCHIVE_DERIVED, err);
		if (derived < 0)
			return derived;
	}
	a->record_keys = secret_keys_new();
	a->uploads = uploads_new();
	a->registries = pool_new(&registry_kind, a);
	a->readers = pool_new(&reader_kind, a);
	a->people = people_new(a);
	/* These make the files, so that readers find them; what stands in them follows. */
	if (a->flags & ARCHIVE_WRITABLE) {
		r = open_followers(a, err);
		if (r < 0)
			return r;
	}
	return catalogue_new(a, &a->catalogue, err);
}

/* So that the first request need not wait for it. Without log-ins the archive still serves the command line. */
static void open_login(struct archive *a)
{
	struct err err = ERR_INIT;
	struct login *l;

	if (login_of(a, &l, &err) < 0)
		log_err(LOG_LEVEL_ERROR, "nobody can log in", &err);
}

int archive_unseal_root(
	struct archive *a, const struct secret *root, uint64_t epoch, struct err *err)
{
	int r;

	(void)pthread_rwlock_wrlock(&a->gate);
	if (!store_is_sealed(a->store)) {
		(void)pthread_rwlock_unlock(&a->gate);
		return 0;
	}
	atomic_store(&a->stopping, false);
	store_on_applied(a->store, on_applied, a);
	r = store_unseal(a->store, root, epoch, err);
	if (r == 0) {
		a->root = secret_copy(root->p, root->n);
		r = open_unsealed(a, err);
		if (r < 0) {
			close_unsealed(a, 0);
			(void)store_seal(a->store, NULL);
		}
	}
	shares_forget(a->shares);
	if (r == 0 && (a->flags & ARCHIVE_RESIDENT))
		open_login(a);
	if (r == 0 && a->recorder) {
		recorder_start(a->recorder);
		indexer_start(a->indexer);
		if (a->flags & ARCHIVE_RESIDENT) {
			scans_start(a->scans);
			uploads_sweep(a);
		}
	}
	if (r == 0)
		tell_sealed(a, false);
	(void)pthread_rwlock_unlock(&a->gate);
	return r;
}

int archive_unseal_with(struct archive *a, const struct id *first,
	const struct secret *first_secret, const struct id *second,
	const struct secret *second_secret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *root = NULL;
	uint64_t epoch;
	int r;

	(void)pthread_rwlock_rdlock(&a->custody_lock);
	r = custody_combine(a->custody, first, first_secret, second, second_secret, &root, err);
	epoch = custody_epoch(a->custody);
	(void)pthread_rwlock_unlock(&a->custody_lock);
	return r < 0 ? r : archive_unseal_root(a, root, epoch, err);
}

int demonstration_refuse(bool is_demonstration, const struct secret *passphrase, struct err *err)
{
	if (is_demonstration)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(demonstration_passphrases); i++) {
		struct str known = str_of(demonstration_passphrases[i]);

		if (passphrase->n == known.n && memcmp(passphrase->p, known.p, known.n) == 0)
			return err_set(err, ERR_DENIED,
				tr("this passphrase belongs to demonstrations and is known to "
				   "everybody; choose another"));
	}
	return 0;
}

int archive_open_custodian(struct archive *a, const struct secret *passphrase, bool is_patient,
	struct id *ret_who, struct secret **ret, struct err *err)
{
	int r = demonstration_refuse(archive_is_demonstration(a), passphrase, err);

	if (r < 0)
		return r;
	if (is_patient)
		turns_wait(a->unsealing);
	else if ((r = turns_take(a->unsealing, STR(""), err)) < 0)
		return r;
	/* Held for the second that Argon2id takes, but only against changes of custody. */
	(void)pthread_rwlock_rdlock(&a->custody_lock);
	r = custody_open_any(a->custody, passphrase, ret_who, ret, err);
	(void)pthread_rwlock_unlock(&a->custody_lock);
	turns_give(a->unsealing, STR(""));
	return r;
}

static const char *label_of(struct archive *a, const struct id *who)
{
	for (size_t i = 0; i < custody_count(a->custody); i++) {
		struct custodian_info info = custody_at(a->custody, i);

		if (id_equal(&info.id, who))
			return info.label;
	}
	return "";
}

int archive_unseal(struct archive *a, const struct secret *first, const struct secret *second,
	const char *ret_who[2], struct err *err)
{
	_cleanup_(secret_freep) struct secret *s1 = NULL;
	_cleanup_(secret_freep) struct secret *s2 = NULL;
	struct id who1, who2;
	int r = archive_open_custodian(a, first, true, &who1, &s1, err);

	if (r < 0)
		return err_prefix(err, r, tr("the first passphrase"));
	r = archive_open_custodian(a, second, true, &who2, &s2, err);
	if (r < 0)
		return err_prefix(err, r, tr("the second passphrase"));
	r = archive_unseal_with(a, &who1, s1, &who2, s2, err);
	if (r == 0 && ret_who) {
		ret_who[0] = label_of(a, &who1);
		ret_who[1] = label_of(a, &who2);
	}
	return r;
}

int archive_unseal_demonstration(struct archive *a, struct err *err)
{
	_cleanup_(secret_freep) struct secret *first = NULL;
	_cleanup_(secret_freep) struct secret *second = NULL;

	if (!archive_is_demonstration(a))
		return err_set(err, ERR_DENIED,
			tr("this archive is no demonstration: two custodians must unseal it"));
	first = secret_copy(demonstration_passphrases[0], strlen(demonstration_passphrases[0]));
	second = secret_copy(demonstration_passphrases[1], strlen(demonstration_passphrases[1]));
	return archive_unseal(a, first, second, NULL, err);
}

int archive_seal(struct archive *a, struct err *err)
{
	int r;

	atomic_store(&a->stopping, true);
	(void)pthread_rwlock_wrlock(&a->gate);
	close_unsealed(a, 0);
	r = store_seal(a->store, err);
	tell_sealed(a, true);
	atomic_store(&a->stopping, false);
	(void)pthread_rwlock_unlock(&a->gate);
	return r;
}

void archive_close(struct archive *a, int64_t drain_ms)
{
	if (!a)
		return;
	if (drain_ms == 0)
		atomic_store(&a->stopping, true);
	jobs_free(TAKE_PTR(a->jobs));
	if (a->store) {
		(void)pthread_rwlock_wrlock(&a->gate);
		close_unsealed(a, drain_ms);
		(void)pthread_rwlock_unlock(&a->gate);
		store_close(a->store);
	}
	shares_free(a->shares);
	turns_free(a->unsealing);
	news_free(a->news);
	custody_free(a->custody);
	settings_free(a->settings);
	(void)pthread_rwlock_destroy(&a->custody_lock);
	(void)pthread_mutex_destroy(&a->followers_lock);
	(void)pthread_mutex_destroy(&a->login_lock);
	(void)pthread_rwlock_destroy(&a->gate);
	free(a->path);
	free(a);
}

bool archive_is_sealed(struct archive *a)
{
	return store_is_sealed(a->store);
}

bool archive_is_demonstration(struct archive *a)
{
	return store_is_demonstration(a->store);
}
