/* path.h - where a record lies in a volume, and which names may stand in a path or a number.
 *
 * STO-02 wants year-month, kind of record, department; between the department and the record stand
 * two levels of fan-out, from the record's acquisition sequence number q (from 0, for life), so
 * that no directory grows without end and neighbours in time are neighbours on disk:
 *
 *   2025-05/资质审核记录/运营部/0000/00/资质审核记录-20250520-001
 *   month   series      department  |   |  number
 *                    q/1024, 4+ digits  q/32 % 32, 2 digits
 *
 * The path is fixed at first filing. */
#ifndef MUN_MODEL_PATH_H
#define MUN_MODEL_PATH_H

#include "core/base/buf.h"

enum {
	PATH_COMPONENT_MAX = 200, /* bytes: git and every file system hold 255 */
	PATH_MAX_BYTES = 768
};

/* A name that may stand in a path, a ref-like text or a number: 1 to PATH_COMPONENT_MAX bytes of
 * UTF-8 in NFC form; no '/',
 * '\', '*', control, format or bidirectional character; no leading '.' or '-', no blank at either
 * end, not ".git" in any case. `what`, an English text for tr(), names it in the error ("the number").
 * Errors: ERR_INVALID, ERR_LIMIT. */
int path_check_component(struct str name, const char *what, struct err *err);

/* Append the path. `day`: the record's date (clock.h). */
int path_add(struct buf *b, int64_t day, struct str series_title, struct str department,
	uint64_t sequence, struct str number, struct err *err);

/* A path taken apart; views into the text. */
struct path {
	int year, month;
	struct str series_title, department, number;
	uint64_t first_sequence; /* the lowest of the 32 sequence numbers that lead here */
};

/* Strict: only what path_add makes. Errors: ERR_INVALID, ERR_LIMIT. */
int path_parse(struct str text, struct path *ret, struct err *err);

#endif
