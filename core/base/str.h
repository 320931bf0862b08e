/* str.h - looking at text without copying it, and strict numbers out of text. */
#ifndef MUN_BASE_STR_H
#define MUN_BASE_STR_H

#include "core/base/err.h"

#include <string.h>

/* A view of bytes that somebody else owns; p need not end in NUL and may be NULL when n is 0. */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *text)
{
	return (struct str){ text, text ? strlen(text) : 0 };
}

bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *text);
bool str_starts(struct str a, const char *prefix);
bool str_ends(struct str a, const char *suffix);

/* Cut off what stands before the first `sep` and return it; *rest becomes what stands behind it. Without
 * a `sep`, everything is returned and *rest is empty with p == NULL: `while (rest.p)` walks all fields. */
struct str str_cut(struct str *rest, char sep);

/* Without leading and trailing ASCII white space. */
struct str str_trim(struct str a);

/* Decimal digits only: no sign, no space, no leading zero but "0" itself, at most `max`.
 * Errors: ERR_INVALID, ERR_LIMIT. */
int str_to_u64(struct str a, uint64_t max, uint64_t *ret, struct err *err);

/* True when the bytes are UTF-8 as Unicode defines it: shortest form, no surrogates, no NUL. */
bool str_is_utf8(struct str a);

/* A heap copy that ends in NUL; free() it. Aborts when memory is out: for small things only. */
char *str_dup(struct str a);

/* calloc and strdup that abort: for small, fixed things. What has a size from outside is checked instead. */
void *xcalloc(size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((returns_nonnull));

/* free(*p), for _cleanup_(freep) on any pointer. */
void freep(void *p);

#endif
