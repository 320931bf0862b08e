/* marked.c - see marked.h. */
#include "core/main/marked.h"

#include "core/base/text.h"

void marked_put(const struct term *term, struct str text)
{
	while (text.n) {
		struct str rest = text, plain = str_cut(&rest, MARK_START[0]), found;

		term_put(term, TERM_PLAIN, plain);
		if (!rest.p)
			return;
		found = str_cut(&rest, MARK_END[0]);
		if (term->has_colour) {
			term_put(term, TERM_MARK, found);
		} else {
			(void)fputs("【", term->file);
			term_put(term, TERM_PLAIN, found);
			(void)fputs("】", term->file);
		}
		text = rest;
	}
}
