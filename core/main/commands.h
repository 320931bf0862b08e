/* commands.h - what the files cmd_*.c export; main.c puts it into a table. */
#ifndef MUN_MAIN_COMMANDS_H
#define MUN_MAIN_COMMANDS_H

#include "core/main/command.h"

extern const struct command command_account_add, command_account_list, command_account_logout,
	command_account_password, command_account_role, command_account_totp,
	command_account_unlock;
extern const struct command command_checkpoint, command_signers, command_signers_rotate;
extern const struct command command_config;
extern const struct command command_custodian_add, command_custodian_drill, command_custodian_list,
	command_custodian_remove, command_custodian_rotate;
extern const struct command command_file, command_import, command_revise;
extern const struct command command_get, command_list, command_log, command_search, command_show;
extern const struct command command_help;
extern const struct command command_init;
extern const struct command command_journal_acknowledge;
extern const struct command command_differences, command_proof;
extern const struct command command_jobs, command_compact, command_recognise, command_reindex;
extern const struct command command_seal, command_serve, command_status, command_unseal;
extern const struct command command_series_add, command_series_list, command_series_show;
extern const struct command command_verify;

#endif
