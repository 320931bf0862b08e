/* query.c - any bytes give a query or an error; a query's tree keeps its limits and can be
 * described. */
#include "search/query.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct query_node *node, unsigned depth)
{
	size_t n = 1;

	if (depth > 3 * QUERY_DEPTH_MAX + 3 ||
		(node->op == QUERY_TERM && node->text.n > TERM_TEXT_MAX) ||
		(node->op == QUERY_DAYS && node->day_from > node->day_to) ||
		(node->op >= QUERY_PHRASE && node->op <= QUERY_NOT && !node->child))
		abort();
	for (const struct query_node *child = node->child; child; child = child->next)
		n += count(child, depth + 1);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT;
	struct query *q = NULL;
	struct err err = ERR_INIT;

	if (query_parse((struct str){ (const char *)data, size }, &q, &err) < 0) {
		if (err.text[0] == '\0' || (err.code != -ERR_INVALID && err.code != -ERR_LIMIT))
			abort();
		return 0;
	}
	if (count(query_root(q), 0) > QUERY_NODES_MAX)
		abort();
	query_describe(q, &b);
	buf_done(&b);
	query_free(q);
	return 0;
}
