/* pairs.c - see pairs.h. */
#include "core/main/pairs.h"

#include "core/base/text.h"

#include <stdarg.h>
#include <stdlib.h>

enum { GAP = 2 };

struct pair {
	char *name, *value;
	struct pair *next;
};

struct pairs {
	struct pair *first, **end;
};

struct pairs *pairs_new(void)
{
	struct pairs *p = xcalloc(1, sizeof(*p));

	p->end = &p->first;
	return p;
}

void pairs_free(struct pairs *p)
{
	if (!p)
		return;
	while (p->first) {
		struct pair *next = p->first->next;

		free(p->first->name);
		free(p->first->value);
		free(p->first);
		p->first = next;
	}
	free(p);
}

void pairs_add(struct pairs *p, struct str name, struct str value)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT;
	struct pair *pair;

	if (value.n == 0)
		return;
	text_add_safe(&safe, name);
	pair = xcalloc(1, sizeof(*pair));
	pair->name = str_dup(buf_str(&safe));
	pair->value = str_dup(value);
	*p->end = pair;
	p->end = &pair->next;
}

void pairs_addf(struct pairs *p, const char *name, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pairs_add(p, str_of(name), str_of(text));
}

static void put_value(const struct term *term, size_t indent, struct str value)
{
	bool is_first = true;

	while (value.p) {
		struct str line = str_cut(&value, '\n');

		if (!is_first && !value.p && line.n == 0)
			break;
		if (!is_first)
			(void)fprintf(term->file, "%*s", (int)indent, "");
		term_put(term, TERM_PLAIN, line);
		(void)fputc('\n', term->file);
		is_first = false;
	}
}

void pairs_print(const struct pairs *p, const struct term *term, size_t indent)
{
	size_t width = 0;

	for (const struct pair *i = p->first; i; i = i->next) {
		size_t own = text_width(str_of(i->name));

		width = own > width ? own : width;
	}
	for (const struct pair *i = p->first; i; i = i->next) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		text_add_padded(&b, str_of(i->name), width);
		(void)fprintf(term->file, "%*s%s%s%s%*s", (int)indent, "",
			term_style(term, TERM_DIM), b.p, term_style(term, TERM_PLAIN), GAP, "");
		put_value(term, indent + width + GAP, str_of(i->value));
	}
}
