/* init.c - making an archive: keys and custodians, the store, and the first records: the definitions of the
 * series that come with the program, and the operator's account.
 *
 * Everything happens in the new folder; when a step fails, the folder is left as it was found: absent or empty. */
#include "core/archive/archive.h"

#include "core/archive/inside.h"
#include "core/archive/people.h"
#include "core/archive/tls.h"
#include "core/archive/verbs.h"

#include "core/base/file.h"
#include "core/base/tr.h"
#include "core/model/series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAIN_MS = 10000 };

/* ---- the folder ---- */

static int make_folder(const char *path, bool *ret_made, struct err *err)
{
	_cleanup_(closep) int dir = -1;
	char **names = NULL;
	size_t count = 0;
	int r;

	*ret_made = mkdir(path, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
		return err_errno(err, tr("cannot make folder '%s'"), path);
	dir = file_open_dir(AT_FDCWD, path, err);
	if (dir < 0)
		return dir;
	r = file_list(dir, &names, &count, err);
	free(names);
	if (r < 0)
		return r;
	if (count > 0)
		return err_set(err, ERR_EXISTS,
			tr("folder '%s' is not empty: an archive is made in a new one"), path);
	return fchmod(dir, 0700) < 0 ? err_errno(err, tr("cannot make folder '%s' private"), path)
				     : TAKE_FD(dir);
}

static void empty_folder(const char *path, bool made)
{
	_cleanup_(closep) int dir = -1;
	char **names = NULL;
	size_t count = 0;

	if (made) {
		(void)file_remove_tree(AT_FDCWD, path, NULL);
		return;
	}
	dir = file_open_dir(AT_FDCWD, path, NULL);
	if (dir < 0 || file_list(dir, &names, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (file_unlink(dir, names[i], NULL) < 0)
			(void)file_remove_tree(dir, names[i], NULL);
	}
	free(names);
}

/* ---- custodians ---- */

static int enrol(
	struct custody *c, const struct init_options *o, const struct secret *root, struct err *err)
{
	bool cheap = o->demonstration || o->cheap_passphrases;
	struct id id;

	if (o->demonstration) {
		for (size_t i = 0; i < 2; i++) {
			_cleanup_(secret_freep) struct secret *p = secret_copy(
				demonstration_passphrases[i], strlen(demonstration_passphrases[i]));
			int r = custody_add(c, root, demonstration_labels[i], p,
				CUSTODY_COST_DEMONSTRATION, &id, err);

			if (r < 0)
				return r;
		}
	}
	for (size_t i = 0; i < o->custodian_count; i++) {
		const struct init_custodian *who = &o->custodians[i];
		int r = demonstration_refuse(o->demonstration, who->passphrase, err);

		if (r == 0)
			r = custody_add(c, root, who->label, who->passphrase,
				cheap ? CUSTODY_COST_DEMONSTRATION : CUSTODY_COST_FULL, &id, err);
		if (r < 0)
			return err_prefix(err, r, tr("custodian '%s'"), who->label);
	}
	return 0;
}

/* Two custodians with one passphrase would be one. */
static int check_options(const struct init_options *o, struct err *err)
{
	if (!o->demonstration && o->custodian_count < 2)
		return err_set(err, ERR_INVALID,
			tr("an archive has two custodians or more: no one person opens it"));
	for (size_t i = 0; i < o->custodian_count; i++) {
		for (size_t k = i + 1; k < o->custodian_count; k++) {
			if (secret_equal(o->custodians[i].passphrase, o->custodians[k].passphrase))
				return err_set(err, ERR_INVALID,
					tr("custodians '%s' and '%s' have the same passphrase: "
					   "each needs an own one"),
					o->custodians[i].label, o->custodians[k].label);
		}
	}
	if (!o->operator_name || !o->operator_name[0])
		return err_set(err, ERR_INVALID, tr("name the operator: the first account"));
	return 0;
}

/* ---- the first records ---- */

static int file_first(
	struct archive *a, const struct init_options *o, struct init_made *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf reply = BUF_INIT;
	struct verb_call call = {
		.uid = (uint32_t)getuid(), .account = ACCOUNT_SYSTEM, .reply = &reply, .archive = a
	};
	struct id record;

	for (size_t i = 0; i < series_builtin_count; i++) {
		const struct series_builtin *b = &series_builtins[i];
		struct filed_definition filed = { .number = NULL };
		int r = file_definition(
			a, &call, (struct str){ b->text, b->bytes }, b->file, &filed, err);

		free(filed.number);
		if (r < 0)
			return r;
		ret->series++;
	}
	return file_account(a, &call, str_of(o->operator_name), ret->account, sizeof(ret->account),
		&record, err);
}

static int fill_archive(const char *path, const struct init_options *o, const struct secret *root,
	struct init_made *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf fingerprint = BUF_INIT;
	struct archive *a;
	struct public_key key;
	int r = archive_open(path, ARCHIVE_WRITABLE, &a, err);

	if (r < 0)
		return r;
	r = archive_unseal_root(a, root, 1, err);
	if (r == 0)
		r = file_first(a, o, ret, err);
	if (r == 0)
		r = store_server_key(a->store, &key, err);
	if (r == 0) {
		public_key_fingerprint(&key, &fingerprint);
		(void)snprintf(ret->signer, sizeof(ret->signer), "%s", fingerprint.p);
	}
	archive_close(a, r == 0 ? DRAIN_MS : 0);
	return r;
}

static int make(const char *path, int dir, const struct init_options *o, struct init_made *ret,
	struct err *err)
{
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	_cleanup_(settings_freep) struct settings *settings = settings_new();
	_cleanup_(custody_freep) struct custody *custody = NULL;
	int r;

	ret->archive = id_random();
	custody = custody_new(&ret->archive);
	if ((r = enrol(custody, o, root, err)) < 0 ||
		(r = custody_save(custody, dir, root, err)) < 0 ||
		(r = store_create(path, &ret->archive, o->demonstration, root, err)) < 0 ||
		(r = settings_save(settings, dir, err)) < 0 ||
		(r = tls_make(dir, o->host_name ? o->host_name : "localhost", ret->certificate,
			 err)) < 0)
		return r;
	return fill_archive(path, o, root, ret, err);
}

int archive_init(const char *path, const struct init_options *options, struct init_made *ret,
	struct err *err)
{
	struct init_made result = { .series = 0 };
	_cleanup_(closep) int dir = -1;
	bool made;
	int r = check_options(options, err);

	if (r < 0)
		return r;
	dir = make_folder(path, &made, err);
	if (dir < 0)
		return dir;
	r = make(path, dir, options, &result, err);
	if (r < 0)
		empty_folder(path, made);
	else
		*ret = result;
	return r;
}
