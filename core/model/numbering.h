/* numbering.h - how records of a series get their numbers.
 *
 * A rule is a text with slots:
 *
 *   {date}        YYYYMMDD of the record's date        {year} YYYY      {month} MM
 *   {serial:4}    a counter of exactly 4 digits (1 to 9); past 9999 no number is given (REC-10)
 *   {serial:4+}   of at least 4 digits; goes on as 10000
 *   {code:NAME}   what NAME stands for: `department` (its code in the series), or a field: a
 * choice's code, a text {version}     the edition of a controlled document, as in 1.0 (DOC-02,
 * DOC-04)
 *
 * A rule has at most one {serial} and one {version}, and must be readable backwards: a slot of no
 * fixed width ends at the literal behind it, which may not start like the slot itself.
 *
 * The *scope* of a serial is the number with `*` for the serial (and for the version, for all
 * editions of a document share its serial): "资质审核记录-20250520-*". Serials in a scope count
 * from 1 without gaps, and none is used twice. */
#ifndef MUN_MODEL_NUMBERING_H
#define MUN_MODEL_NUMBERING_H

#include "core/base/buf.h"

struct number_rule;

enum { NUMBER_RULE_MAX = 256, NUMBER_SLOTS_MAX = 16 };

/* Errors: ERR_INVALID, with what was found and expected; ERR_LIMIT. */
int number_rule_parse(struct str text, struct number_rule **ret, struct err *err);
void number_rule_free(struct number_rule *rule);
DEFINE_CLEANUP(struct number_rule *, number_rule_free)

bool number_rule_has_serial(const struct number_rule *rule);
bool number_rule_has_version(const struct number_rule *rule);
/* The NAME of the i-th {code:NAME}, or an empty str behind the last. */
struct str number_rule_code(const struct number_rule *rule, size_t i);

/* What a number is made from. */
struct number_code {
	struct str name, value; /* value: 1 to 32 of A-Z a-z 0-9 . _ - */
};

struct number_input {
	int64_t day; /* the record's date */
	const struct number_code *codes;
	size_t code_count;
	struct str version; /* "1.0"; only where the rule has {version} */
};

/* Everything but the serial, so that the writer, which alone draws serials, has nothing left to
 * decide: number = head, serial, tail. Without {serial}, head is the whole number and `scope` is
 * empty. */
struct number_plan {
	struct buf scope, head, tail;
	unsigned digits; /* 0: no serial */
	bool may_widen;
};

void number_plan_done(struct number_plan *plan);
/* `ret` is filled on success only, and then is the caller's to number_plan_done(). Errors:
 * ERR_INVALID (a code or version is missing or has characters that may not stand in a number),
 * ERR_LIMIT. */
int number_plan_make(const struct number_rule *rule, const struct number_input *input,
	struct number_plan *ret, struct err *err);
/* Append the number with this serial (from 1). A serial that has too many digits is ERR_LIMIT and
 * names REC-10. */
int number_plan_add(
	const struct number_plan *plan, uint64_t serial, struct buf *b, struct err *err);
/* The highest serial that the plan can give. */
uint64_t number_plan_last(const struct number_plan *plan);

/* Read a number by its rule. `scope` (appended to) and `ret_serial` may be NULL; the serial of a
 * rule without one is 0. Errors: ERR_INVALID when it was not made by this rule. */
int number_read(const struct number_rule *rule, struct str number, struct buf *scope,
	uint64_t *ret_serial, struct err *err);

/* A number that somebody brings: must be a safe name (path_check_component). Errors: ERR_INVALID,
 * ERR_LIMIT. */
int number_check(struct str number, struct err *err);

#endif
