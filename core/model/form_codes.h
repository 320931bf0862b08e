/* form_codes.h - codes with a check character, as the national standards compute them. */
#ifndef MUN_MODEL_FORM_CODES_H
#define MUN_MODEL_FORM_CODES_H

#include "core/base/str.h"

/* 统一社会信用代码 (GB 32100): 18 of 0-9 and A-Z without I, O, S, V, Z; the last one checks the others. */
bool form_is_uscc(struct str code);

/* 公民身份号码 (GB 11643): 17 digits with a real date of birth, and a check character 0-9 or X. */
bool form_is_id_card(struct str code);

#endif
