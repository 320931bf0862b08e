/* pairs.h - "name   value" lines, aligned: how one thing is shown. */
#ifndef MUN_MAIN_PAIRS_H
#define MUN_MAIN_PAIRS_H

#include "core/main/command.h"
#include "core/main/term.h"

struct pairs;

struct pairs *pairs_new(void);
void pairs_free(struct pairs *p);
DEFINE_CLEANUP(struct pairs *, pairs_free)

/* Copies both. An empty value is left out. Values of several lines stand under each other. */
void pairs_add(struct pairs *p, struct str name, struct str value);
void pairs_addf(struct pairs *p, const char *name, const char *fmt, ...) _printf_(3, 4);
void pairs_print(const struct pairs *p, const struct term *term, size_t indent);

#endif
