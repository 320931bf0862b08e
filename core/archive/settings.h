/* settings.h - what an operator may set: one table, from which come `muniment config`, the annotated file
 * and its manual page.
 *
 * The file ARCHIVE/muniment.yaml is a flat map; a setting that is missing has its default. A running
 * process takes a changed setting when it is set through it, or at its next start. */
#ifndef MUN_ARCHIVE_SETTINGS_H
#define MUN_ARCHIVE_SETTINGS_H

#include "core/base/buf.h"

#define SETTINGS_FILE "muniment.yaml"

enum setting {
	SETTING_FILING_DEPARTMENT,
	SETTING_PART_MAX_BYTES,
	SETTING_PART_MAX_COUNT,
	SETTING_UPLOAD_FREE,
	SETTING_IMPORT_MAX_LAG,
	SETTING_EXTRACT_WORKERS,
	SETTING_EXTRACT_SECONDS,
	SETTING_EXTRACT_MAX_BYTES,
	SETTING_EXTRACT_OCR,
	SETTING_EXTRACT_UNJAILED,
	SETTING_INDEX_FOLLOW,
	SETTING_INDEX_SHARDS,
	SETTING_INDEX_DOCUMENTS,
	SETTING_INDEX_MS,
	SETTING_VOLUME_MAX_BYTES,
	SETTING_PENDING_MAX_BYTES,
	SETTING_APPLY_DELAY_MS,
	SETTING_SERVER_CONNECTIONS,
	SETTING_SERVER_IDLE_SECONDS,
	SETTING_HTTP_LISTEN,
	SETTING_HTTP_CONNECTIONS,
	SETTING_HTTP_PER_ADDRESS,
	SETTING_HTTP_IDLE_SECONDS,
	SETTING_HTTP_WORKERS,
	SETTING_LOGIN_IDLE_MINUTES,
	SETTING_LOGIN_HOURS,
	SETTING_LOGIN_MIB,
	SETTING_LOGIN_PASSES,
	SETTING_LOG_LEVEL,
	SETTING_COUNT
};

enum setting_type { SETTING_INT, SETTING_BOOL, SETTING_WORD, SETTING_TEXT };

struct setting_row {
	const char *name;
	enum setting_type type;
	const char *initial; /* its default, as it is written */
	int64_t min, max;    /* INT; TEXT: max bytes */
	const char *words;   /* WORD: "error warning notice info" */
	const char *zh, *en; /* what it is for */
};

extern const struct setting_row setting_table[SETTING_COUNT];

const char *setting_type_word(enum setting_type type);
/* SETTING_COUNT when there is none of that name. */
enum setting setting_find(struct str name);

struct settings;

/* Every default. */
struct settings *settings_new(void);
void settings_free(struct settings *s);
DEFINE_CLEANUP(struct settings *, settings_free)

/* Read the file in a directory; a missing one means defaults. Errors: ERR_INVALID with file and line. */
int settings_load(int dir, struct settings **ret, struct err *err);
/* The parser alone. */
int settings_parse(struct str yaml, struct settings **ret, struct err *err);
/* The annotated file, whole; and write it. */
void settings_format(struct settings *s, struct buf *ret);
int settings_save(struct settings *s, int dir, struct err *err);

/* Any thread. INT, BOOL (0 or 1), WORD (its place among the words). */
int64_t settings_int(struct settings *s, enum setting which);
/* Append the value as it is written. */
void settings_text(struct settings *s, enum setting which, struct buf *ret);
/* Checked against type and limits. Errors: ERR_INVALID, ERR_LIMIT. */
int settings_set(struct settings *s, enum setting which, struct str value, struct err *err);

#endif
