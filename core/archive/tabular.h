/* tabular.h - tables for people who work on in a spreadsheet: CSV and XLSX.
 *
 * A cell is text, always: what begins like a formula stays text (CSV gets an apostrophe before it, XLSX says that it is
 * text). CSV is UTF-8 with a byte order mark, lines end in CRLF, as Excel wants it. XLSX has a cover sheet and the
 * table; it is put together in memory (a zip of six files), so nothing of it is on any disk. */
#ifndef MUN_ARCHIVE_TABULAR_H
#define MUN_ARCHIVE_TABULAR_H

#include "core/base/buf.h"

enum { TABULAR_CELL_MAX = 32000 /* bytes: Excel takes 32,767 characters */ };

/* ---- CSV ---- */

void csv_begin(struct buf *b);
/* A cell of the line that is open, and the end of the line. */
void csv_cell(struct buf *b, struct str text);
void csv_end_line(struct buf *b);

/* ---- XLSX ---- */

struct workbook;

/* Two sheets, with these names. */
struct workbook *workbook_new(const char *cover, const char *table);
void workbook_free(struct workbook *w);
DEFINE_CLEANUP(struct workbook *, workbook_free)

enum workbook_sheet { WORKBOOK_COVER, WORKBOOK_TABLE };
/* A cell of the row that is open; `is_head` is bold. */
void workbook_cell(struct workbook *w, enum workbook_sheet sheet, struct str text, bool is_head);
void workbook_end_row(struct workbook *w, enum workbook_sheet sheet);
/* The whole file. Errors: ERR_LIMIT. */
int workbook_finish(struct workbook *w, struct buf *ret, struct err *err);

#endif
