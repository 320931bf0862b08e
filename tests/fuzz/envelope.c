/* envelope.c - whatever the bytes, opening an envelope ends in an error or in exactly the bytes
 * that the header says. The key, archive and record are fixed, so that the corpus can hold
 * envelopes that open. */
#include "store/envelope.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct envelope_binding binding = { { "archive" }, { "record" } };
	static const uint8_t key[32] = "a record key of thirty-two bytes";
	struct str sealed = { (const char *)data, size };
	struct buf plain = BUF_INIT;
	struct envelope_head head;
	int r = envelope_open(&binding, key, sealed, &plain, NULL);

	if (r == 0 && (envelope_head(sealed, &head, NULL) < 0 || head.plain_bytes != plain.n))
		abort();
	if (r < 0 && plain.n != 0)
		abort();
	buf_done(&plain);
	return 0;
}
