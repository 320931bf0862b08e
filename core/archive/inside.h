/* inside.h - struct archive, for the files of this folder alone.
 *
 * Who may touch what: `store`, `settings`, `texts`, the pools, `catalogue` and `people` take any thread.
 * `custody` is under custody_lock. The keys are set and cleared under `gate` held for writing; a verb that
 * needs keys holds it for reading as long as it runs, so that nothing is sealed under its feet. `stopping`
 * asks long verbs to end, so that sealing and closing need not wait for them. */
#ifndef MUN_ARCHIVE_INSIDE_H
#define MUN_ARCHIVE_INSIDE_H

#include "core/archive/archive.h"
#include "core/archive/pool.h"
#include "core/archive/settings.h"
#include "core/archive/verb.h"

#include "search/fulltext.h"
#include "search/registry.h"
#include "search/textcache.h"
#include "store/custody.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define ARCHIVE_SOCKET "socket"
#define ARCHIVE_DERIVED "derived"
#define ARCHIVE_REGISTRY "registry.db"
#define ARCHIVE_INDEX "index"
#define ARCHIVE_CACHE "cache"
#define ARCHIVE_TEXTS "text.db"

struct catalogue;
struct people;
struct recorder;
struct indexer;
struct scans;
struct uploads;
struct jobs;
struct news;
struct login;
struct shares;
struct turns;

struct archive {
	char *path;
	unsigned flags;
	int64_t opened;
	uint32_t owner; /* uid of the folder's owner */
	struct store *store;
	struct store_found found;
	struct settings *settings;
	struct news *news; /* as long as the archive is open */
	struct jobs *jobs; /* the same */
	_Atomic bool is_previewing;

	pthread_rwlock_t custody_lock;
	struct custody *custody;
	struct turns *unsealing; /* custodians' passphrases, one at a time */
	struct shares *shares;

	pthread_rwlock_t gate;
	_Atomic bool stopping;

	/* Only while it is unsealed. */
	struct secret *root, *registry_key, *terms_key;
	struct textcache *texts;
	struct catalogue *catalogue;
	struct people *people;
	struct secret_keys *record_keys; /* of drafts */
	struct uploads *uploads;
	struct pool *registries; /* struct registry, for reading */
	struct pool *readers;	 /* struct fulltext_reader */
	/* Opened by who needs it first (login_of), under login_lock. */
	pthread_mutex_t login_lock;
	struct login *login;
	_Atomic bool login_failed; /* the last try to open it */
	/* NULL when it was not opened for writing. The store's applier reads them under followers_lock;
	 * verbs under the gate. */
	pthread_mutex_t followers_lock;
	struct recorder *recorder;
	struct indexer *indexer;
	struct scans *scans;
};

/* A path below the archive, appended. */
void archive_path(const struct archive *a, const char *name, struct buf *ret);
void archive_index_path(const struct archive *a, struct buf *ret);

/* Which custodian a passphrase belongs to, and that one's opened secret. Who is not patient gets ERR_BUSY
 * when others wait already. */
int archive_open_custodian(struct archive *a, const struct secret *passphrase, bool is_patient,
	struct id *ret_who, struct secret **ret, struct err *err);
/* Unseal with two opened secrets; or with the root key itself, for init. */
int archive_unseal_with(struct archive *a, const struct id *first,
	const struct secret *first_secret, const struct id *second,
	const struct secret *second_secret, struct err *err);
int archive_unseal_root(
	struct archive *a, const struct secret *root, uint64_t epoch, struct err *err);

/* The passphrases of the demonstration's two custodians, and their labels. */
extern const char *const demonstration_passphrases[2];
extern const char *const demonstration_labels[2];
/* ERR_DENIED when it is one of those and the archive is no demonstration. */
int demonstration_refuse(bool is_demonstration, const struct secret *passphrase, struct err *err);

/* Every record is for everybody until there are users with rights. */
#define SCOPE_ALL STR("all")

#endif
