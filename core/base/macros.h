/* macros.h - the few macros that everything uses: clean-up at the end of a scope, array length. */
#ifndef MUN_BASE_MACROS_H
#define MUN_BASE_MACROS_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/* Run f(&variable) when the variable leaves its scope. */
#define _cleanup_(f) __attribute__((cleanup(f)))

/* Make `func##p` for _cleanup_ out of a destructor that takes the pointer itself. */
#define DEFINE_CLEANUP(type, func) \
	static inline void func##p(type *p) \
	{ \
		if (*p) \
			func(*p); \
	}

/* Hand a pointer over: the variable becomes NULL, so that its clean-up does nothing. */
#define TAKE_PTR(p) \
	({ \
		__typeof__(p) take_ptr_ = (p); \
		(p) = NULL; \
		take_ptr_; \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
