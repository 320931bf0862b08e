/* checkpoint.c - a checkpoint that is read is written again byte for byte up to its signatures. */
#include "store/checkpoint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(secret_freep) struct secret *seed = secret_new(32);
	_cleanup_(signer_freep) struct signer *signer = NULL;
	_cleanup_(freep) void *memory = NULL;
	struct str text = { (const char *)data, size };
	struct buf again = BUF_INIT;
	struct checkpoint c;
	const char *end;

	for (uint8_t i = 0; i < 32; i++)
		seed->p[i] = i;
	signer = signer_new(seed);
	(void)checkpoint_parse(text, signer_public(signer), &c, &memory, NULL);
	freep(&memory);
	memory = NULL;
	if (checkpoint_parse(text, NULL, &c, &memory, NULL) < 0)
		return 0;
	checkpoint_format(&c, signer, signer, &again);
	end = memmem(again.p, again.n, "\n\n", 2);
	if (again.failed || !end || size < (size_t)(end - again.p) ||
		memcmp(again.p, text.p, (size_t)(end + 2 - again.p)) != 0)
		abort();
	buf_done(&again);
	return 0;
}
