/* draft.h - a version on its way into the store: checked against its definition, its parts sealed, its
 * manifest ready to be written once the number is drawn. */
#ifndef MUN_ARCHIVE_DRAFT_H
#define MUN_ARCHIVE_DRAFT_H

#include "core/archive/parts.h"
#include "core/base/arena.h"
#include "core/model/form.h"

struct draft {
	struct archive *archive;
	struct arena *arena; /* borrowed: of the whole action; keeps all that the draft points at */
	const struct series *series;
	struct manifest m; /* number and version are set when they are drawn */
	struct field *fields;
	size_t field_count, field_room;
	struct manifest_part *parts;
	struct change_part *sealed;
	size_t part_count, part_room;
	struct wrapped_key wrapped; /* a new record's key */
	struct id key;
	uint8_t *record_key; /* 32 bytes */
	struct number_plan plan;
	bool has_plan;
	struct manifest_pieces pieces; /* after draft_finish: all of the manifest that is known */
	struct change_record record;
};

/* Who does what, when, why: the same for all drafts of an action. */
struct deed {
	struct id action;
	const char *verb;
	struct str account, reason;
	int64_t at;
};
int deed_init(struct deed *d, struct verb_call *call, const char *verb, struct err *err);

/* A new record of a series, or a next version of one (`base`, whose fields, parts and key it starts with). */
int draft_new(struct draft *d, struct archive *a, struct arena *arena, const struct deed *deed,
	const struct series *series, struct err *err);
struct edition;
int draft_next(struct draft *d, struct archive *a, struct arena *arena, const struct deed *deed,
	const struct series *series, const struct edition *base, struct err *err);
void draft_done(struct draft *d);

/* What a request says, into the manifest. Texts are copied. */
int draft_title(struct draft *d, struct str title, struct err *err);
/* The named department; without one (p == NULL) the setting's, or the series' only one. */
int draft_department(struct draft *d, struct str department, struct err *err);
/* The same, for many records of one series: which it is, as its path shows it, appended to `ret`. */
int draft_find_department(struct archive *a, const struct series *series, struct str department,
	struct buf *ret, struct err *err);
/* {name or label: typed text}; "" clears. */
int draft_fields(struct draft *d, const struct json *typed, struct err *err);
int draft_links(struct draft *d, const struct json *links, struct err *err);
/* The record's date: given, or from the series' date field, or today. */
int draft_day(struct draft *d, bool given, int64_t day, struct err *err);
/* A number that is brought; without one (p == NULL) it is drawn. */
int draft_number(struct draft *d, struct str number, struct err *err);

/* Everything but the parts: before they are read. All problems at once: ERR_INVALID. */
int draft_check(struct draft *d, struct err *err);

/* Add a part, or replace the one of that name. `name` is made safe first. */
int draft_part(struct draft *d, struct intake *in, struct verb_call *call, struct source *source,
	struct str name, struct str media, struct str note, struct err *err);
int draft_remove_part(struct draft *d, struct str which, struct err *err);

/* An idempotency key; `kind` keeps keys of different verbs apart. */
int draft_request(struct draft *d, const char *kind, struct str request, struct err *err);

/* Fill d->record, ready for a change. */
int draft_finish(struct draft *d, struct err *err);

#endif
