/* snippet.c - the input is a query, a newline and a page: the snippet of any text for any query is UTF-8 in one line,
 * not wider than asked, and never holds a phone number. */
#include "core/base/text.h"
#include "search/sensitive.h"
#include "search/snippet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS = 50 };

/* Digits before a mask can look like a number together with the mask's first ones. */
static void never(void *context, size_t start, size_t end, const char *value)
{
	const struct buf *shown = context;

	(void)start, (void)value;
	if (shown->p[end] != '*')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, typed = str_cut(&rest, '\n');
	struct snippet_page page = { 3, { rest.p ? rest.p : "", rest.n } };
	struct snippet_options options = { .columns = COLUMNS };
	struct query *query = NULL;
	struct buf b = BUF_INIT;
	uint32_t number;
	size_t index;
	bool met;

	if (query_parse(typed, &query, NULL) < 0)
		query = NULL;
	if (snippet_make(query, &page, 1, &options, &b, &number, &index, &met, NULL) < 0)
		abort();
	if (!str_is_utf8(buf_str(&b)) && b.n > 0)
		abort();
	if (text_width(buf_str(&b)) > COLUMNS + 2 || memchr(b.p, '\n', b.n))
		abort();
	if (sensitive_find(buf_str(&b), never, &b, NULL) < 0)
		abort();
	buf_done(&b);
	query_free(query);
	return 0;
}
