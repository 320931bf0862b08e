/* envelope_private.h - for tests/store/format.c alone: an envelope whose salt is not drawn. Never
 * seal two different plaintexts under one salt: that gives their difference away and lets anybody
 * forge. */
#ifndef MUN_STORE_ENVELOPE_PRIVATE_H
#define MUN_STORE_ENVELOPE_PRIVATE_H

#include "store/envelope.h"

int envelope_seal_with_salt(const struct envelope_binding *binding,
	const struct envelope_head *head, const uint8_t record_key[32], const uint8_t salt[32],
	const void *plain, struct buf *ret, struct err *err);

#endif
