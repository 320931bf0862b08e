/* extract_ocr.h - inside the jail: reading scans. What tesseract answers is parsed as strictly as any
 * foreign bytes. */
#ifndef MUN_SEARCH_EXTRACT_OCR_H
#define MUN_SEARCH_EXTRACT_OCR_H

#include "search/extract_job.h"

/* Pages out of tesseract's table (its "tsv"), with how sure it is of each; `first` is the number of the
 * table's page 1. Rows that are none are passed over. */
void ocr_take(struct job *j, struct str table, uint32_t first);

#endif
