/* series.h - the definition of a kind of record (门类): its form, numbers, departments, retention classes.
 *
 * A definition is YAML that a quality department can read and revise. Members marked * may be left out:
 *
 *   series: QR-QC-001                  code, stable: at most 32 of A-Z, 0-9, -
 *   title: {zh: 资质审核记录, en: Qualification review record}
 *   number: "资质审核记录-{date}-{serial:3}"      the rule: numbering.h
 *   number_label: {zh: 订单号, en: Order number}  * what people call the number
 *   given: 'QMS-[A-Z]+-\d{4}'          * numbers that a filer may bring must look like this
 *                                      (pattern.h); without it every number is drawn
 *   date: review_date                  * the field that gives the record's date; else the day of filing
 *   departments:                       or the word `any`
 *     - {name: 质量管理部, code: QC}     code: what {code:department} gives; *
 *   retention: [R-QUAL, R-QUAL-P]      named classes: retention.h
 *   sensitivity: internal              * public, internal, restricted
 *   fields:                            in the order of the form
 *     review_result:                   name, stable: a-z, 0-9, _
 *       label: {zh: 审核结果, en: Review result}
 *       type: choice                   enum field_type; what goes with which type: series_parse.c
 *       choices: {passed: {zh: 通过, en: Passed}, failed: {zh: 不通过, en: Failed}}
 *       required: true                 *
 *     correction:
 *       label: {zh: 补正要求, en: Corrections required}
 *       type: long_text
 *       required_when: {review_result: [failed]}  *
 *
 * Everything that is wrong is refused with file, line, what was found and what was expected. The SHA-256 of
 * the text is the definition's identity; a manifest names it.
 *
 * A struct series is immutable; several threads may read it. Strings end in NUL. */
#ifndef MUN_MODEL_SERIES_H
#define MUN_MODEL_SERIES_H

#include "core/model/id.h"
#include "core/model/numbering.h"

struct pattern;

enum field_type {
	FIELD_TEXT,	 /* one line */
	FIELD_LONG_TEXT, /* lines */
	FIELD_CODE,	 /* a code with a check (`check: uscc`) */
	FIELD_DATE,	 /* VALUE_TEXT 2025-05-20 (REC-04) */
	FIELD_INSTANT,	 /* VALUE_TEXT 2025-05-20T02:00:00Z; typed and shown as 2025-05-20 10:00
			    (REC-04) */
	FIELD_MONEY,	 /* VALUE_INT, fen; typed and shown as 198.00 (REC-04) */
	FIELD_INTEGER,	 /* VALUE_INT */
	FIELD_CHOICE,	 /* VALUE_TEXT: a choice's name; with `several: true` VALUE_LIST */
	FIELD_PERSON,	 /* one line: a person's full name */
	FIELD_PHONE,	 /* always sensitive; shown 138****5678 (REC-08) */
	FIELD_ADDRESS,	 /* always sensitive; shown to the district (REC-08) */
	FIELD_ID_CARD,	 /* always sensitive; check digit */
	FIELD_ROWS	 /* VALUE_ROWS: a table with columns */
};

enum field_check {
	CHECK_NONE,
	CHECK_USCC /* 统一社会信用代码, 18 characters, GB 32100 */
};

enum sensitivity { SENSITIVITY_PUBLIC, SENSITIVITY_INTERNAL, SENSITIVITY_RESTRICTED };

struct label {
	const char *zh, *en;
};

struct series_choice {
	const char *name;
	struct label label;
	const char *code; /* what {code:FIELD} gives; "" when none */
};

struct series_field {
	const char *name;
	struct label label;
	enum field_type type;
	enum field_check check;
	bool required, sensitive, several;
	size_t max_chars;	       /* of a text; of a list or table: of each text in it */
	int64_t min, max;	       /* of an integer or money */
	const struct pattern *pattern; /* NULL: any */
	const char *pattern_text;      /* "" when none */
	const struct series_choice *choices;
	size_t choice_count;
	/* Required also when the choice field `when` has one of these values; NULL when not. */
	const char *when;
	const char *const *when_values;
	size_t when_count;
	const struct series_field *columns; /* FIELD_ROWS */
	size_t column_count, max_rows;
};

struct series_department {
	const char *name, *code;
};

struct series {
	const char *code;
	struct label title, number_label;
	const char *number_text;
	const struct number_rule *number;
	const struct pattern *given;	       /* NULL: numbers are drawn, never brought */
	const char *given_text;		       /* "" when none */
	const struct series_field *date_field; /* NULL: the day of filing */
	bool any_department;
	const struct series_department *departments;
	size_t department_count;
	const char *const *retention;
	size_t retention_count;
	enum sensitivity sensitivity;
	const struct series_field *fields;
	size_t field_count;
	const char *text; /* the YAML */
	size_t text_bytes;
	struct digest sha256; /* of it */
};

enum {
	SERIES_MAX_FIELDS = 200,
	SERIES_MAX_CHOICES = 200,
	SERIES_MAX_DEPARTMENTS = 500,
	SERIES_MAX_COLUMNS = 20,
	FIELD_MAX_CHARS = 20000, /* and never more than 64 KiB of UTF-8: MANIFEST_MAX_TEXT */
	FIELD_MAX_ROWS = 500
};

/* `file` is the name for messages. Errors: ERR_INVALID, ERR_LIMIT. */
int series_parse(struct str yaml, const char *file, struct series **ret, struct err *err);
void series_free(struct series *series);
DEFINE_CLEANUP(struct series *, series_free)

/* The text in the thread's language. */
const char *label_text(const struct label *label);

/* By name, or by either label; NULL when there is none. */
const struct series_field *series_find_field(const struct series *series, struct str name);
/* By name, label or code; NULL when there is none. */
const struct series_choice *series_find_choice(const struct series_field *field, struct str text);
/* By name or code; NULL when there is none (and with `any`). */
const struct series_department *series_find_department(
	const struct series *series, struct str text);
/* May this department file in this series? Errors: ERR_INVALID, naming those that may. */
int series_check_department(const struct series *series, struct str department, struct err *err);

const char *field_type_word(enum field_type type);
const char *sensitivity_word(enum sensitivity sensitivity);

/* ---- the series that come with the program ---- */

#define SERIES_DEFINITION "DEF" /* 门类定义: every definition that was ever in force */
#define SERIES_ACCOUNT "ACC"	/* 账户: who an opaque account id is */
#define SERIES_GENERAL "GEN"	/* 一般质量记录 */
#define SERIES_EXTERNAL "EXT"	/* 外来文件 */
#define SERIES_DOCUMENT "DOC"	/* 受控文件 */

struct series_builtin {
	const char *file; /* "qr-qc-001.yaml" */
	const char *text;
	size_t bytes;
};

extern const struct series_builtin series_builtins[];
extern const size_t series_builtin_count;

#endif
