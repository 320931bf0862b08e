/* sshsig.c - a signature that verifies is written again byte for byte, and a public key that is
 * read is written as it was. */
#include "store/sshsig.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(secret_freep) struct secret *seed = secret_new(32);
	_cleanup_(signer_freep) struct signer *signer = signer_new(seed);
	struct str text = { (const char *)data, size };
	struct buf again = BUF_INIT;
	struct public_key key;

	if (sshsig_verify(text, "git", "message", 7, &key, NULL) == 0) {
		if (memcmp(key.b, signer_public(signer)->b, sizeof(key.b)) != 0)
			return 0;
		sshsig_sign(signer, "git", "message", 7, &again);
		if (!str_eq(buf_str(&again), text))
			abort();
	}
	buf_reset(&again);
	if (public_key_parse(text, &key, NULL) == 0) {
		public_key_add(&again, &key);
		if (!str_eq(buf_str(&again), text))
			abort();
	}
	buf_done(&again);
	return 0;
}
