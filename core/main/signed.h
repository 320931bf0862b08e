/* signed.h - cells about actions: what was done, when, and whether the signature holds. */
#ifndef MUN_MAIN_SIGNED_H
#define MUN_MAIN_SIGNED_H

#include "core/main/table.h"

/* "file" is 归档 or "filed"; a word that is not known stays as it is, for the length of `act`. */
const char *act_text(struct str act);
void table_add_instant(struct table *t, struct str instant);
void table_add_signature(struct table *t, struct str signature);

#endif
