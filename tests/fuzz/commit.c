/* commit.c - a commit that is read is written again byte for byte but for its signature; checking
 * never crashes. */
#include "store/commit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text without its gpgsig header. */
static struct buf without_signature(struct str text)
{
	struct buf b = BUF_INIT;
	const char *begin = memmem(text.p, text.n, "\ngpgsig ", 8);
	const char *end = memmem(text.p, text.n, "\n\n", 2);

	if (!begin || !end || begin > end)
		abort();
	buf_add(&b, text.p, (size_t)(begin - text.p));
	buf_add(&b, end, text.n - (size_t)(end - text.p));
	return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) void *memory = NULL;
	struct str text = { (const char *)data, size };
	struct public_key key;
	struct commit c;

	(void)commit_verify(text, &key, NULL);
	if (commit_parse(text, &c, &memory, NULL) == 0) {
		_cleanup_(secret_freep) struct secret *seed = secret_new(32);
		_cleanup_(signer_freep) struct signer *signer = signer_new(seed);
		struct buf again = BUF_INIT, left, right;

		commit_format(&c, signer, &again);
		if (again.failed)
			abort();
		left = without_signature(text);
		right = without_signature(buf_str(&again));
		if (!str_eq(buf_str(&left), buf_str(&right)))
			abort();
		buf_done(&left);
		buf_done(&right);
		buf_done(&again);
	}
	return 0;
}
