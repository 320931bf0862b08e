/* verbs.h - the functions behind the rows of verb_table, by file. */
#ifndef MUN_ARCHIVE_VERBS_H
#define MUN_ARCHIVE_VERBS_H

#include "core/archive/inside.h"

typedef int verb_run_fn(struct archive *a, struct verb_call *call, struct err *err);

/* verbs_custody.c */
verb_run_fn verb_status, verb_unseal, verb_seal, verb_custodian_list, verb_custodian_add,
	verb_custodian_remove, verb_custodian_rotate, verb_custodian_drill;
/* A passphrase or password from a descriptor, to its end or its first newline; nobody makes it wait for ever. */
int verb_read_secret(int fd, struct secret **ret, struct err *err);
/* Who asks, for the log: an account, "uid 1000", or "somebody over HTTP". */
enum { VERB_ASKER = 64 };
const char *verb_asker(const struct verb_call *call, char room[VERB_ASKER]);
/* verbs_account.c */
verb_run_fn verb_account_list, verb_account_add;
/* verbs_login.c */
verb_run_fn verb_account_password, verb_account_totp, verb_account_role, verb_account_unlock,
	verb_account_end, verb_session_list, verb_session_end;
void verb_say_login(
	struct archive *a, const struct verb_call *call, struct str account, struct buf *b);
/* verbs_own.c */
verb_run_fn verb_draft_list, verb_draft_get, verb_draft_put, verb_draft_delete, verb_view_list,
	verb_view_get, verb_view_put, verb_view_delete;
/* verbs_config.c */
verb_run_fn verb_config_list, verb_config_get, verb_config_set;
/* verbs_series.c */
verb_run_fn verb_series_list, verb_series_show, verb_series_add;
/* verbs_file.c, verbs_batch.c */
verb_run_fn verb_file, verb_revise, verb_file_batch;
/* verbs_show.c, too */
verb_run_fn verb_preview;
/* verbs_sheet.c */
verb_run_fn verb_sheet;
/* verbs_export.c */
verb_run_fn verb_export;
/* verbs_jobs.c */
verb_run_fn verb_job_start, verb_job_list, verb_job_show, verb_job_cancel;
/* verbs_compare.c */
verb_run_fn verb_differences, verb_proof, verb_suggest;
/* verbs_upload.c */
verb_run_fn verb_upload_begin, verb_upload_show, verb_upload_append, verb_upload_finish,
	verb_upload_drop;
/* verbs_search.c */
verb_run_fn verb_search;
/* verbs_list.c */
verb_run_fn verb_list;
/* verbs_show.c */
verb_run_fn verb_show, verb_get, verb_text;
/* verbs_log.c */
verb_run_fn verb_log;
/* verbs_verify.c */
verb_run_fn verb_verify;
/* verbs_keep.c */
verb_run_fn verb_reindex, verb_recognise, verb_compact, verb_checkpoint, verb_signers,
	verb_signers_rotate, verb_journal_acknowledge;

/* File the text of a definition as a record of the series DEF, or as its next version; nothing when it is
 * in force already. Used by init, too. */
struct filed_definition {
	char code[64];
	char *number; /* free() */
	uint64_t version;
	bool changed;
};
int file_definition(struct archive *a, struct verb_call *call, struct str yaml, const char *file,
	struct filed_definition *ret, struct err *err);
/* File an account record. *ret_account becomes its id. */
int file_account(struct archive *a, struct verb_call *call, struct str name, char *ret_account,
	size_t room, struct id *ret_record, struct err *err);

#endif
