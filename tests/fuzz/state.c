/* state.c - a row of state.db: its plaintext, the sealed row around it, and the values of log-ins and
 * sessions in it; and the token of a cookie. Any bytes are read or refused; what is read comes back when it
 * is written. */
#include "core/archive/credential.h"
#include "core/archive/session.h"
#include "core/archive/state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_credential(struct str bytes)
{
	_cleanup_(buf_done) struct buf again = BUF_INIT;
	struct credential c;

	if (credential_parse(bytes, &c, NULL) < 0)
		return;
	credential_write(&c, &again);
	if (!str_eq(buf_str(&again), bytes))
		abort();
}

static void look_at_session(struct str bytes)
{
	_cleanup_(buf_done) struct buf again = BUF_INIT;
	struct login_session s;

	if (session_parse(bytes, &s, NULL) < 0)
		return;
	session_write(&s, &again);
	if (!str_eq(buf_str(&again), bytes))
		abort();
}

static void look_at_row(struct str bytes)
{
	static const struct id archive = { { 2 } };
	static const uint8_t key_bytes[KEY_BYTES] = { 1 };
	_cleanup_(secret_freep) struct secret *key = secret_copy(key_bytes, sizeof(key_bytes));
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, opened = BUF_INIT;
	struct state_place place = { .kind = STATE_DRAFT, .ends = 7 };
	struct state_keys keys;
	struct state_row row;

	state_keys_derive(key, &keys);
	/* Bytes that were not sealed do not open. */
	if (state_row_open(&keys, &archive, &place, bytes, &opened, &row, NULL) == 0)
		abort();
	if (state_row_parse(bytes, &row, NULL) < 0)
		return;
	state_hash(&keys, place.kind, row.owner, place.owner);
	state_hash(&keys, place.kind, row.name, place.name);
	state_row_seal(&keys, &archive, &place, &row, &sealed);
	buf_reset(&opened);
	if (state_row_open(&keys, &archive, &place, buf_str(&sealed), &opened, &row, NULL) < 0 ||
		!str_eq(buf_str(&opened), bytes))
		abort();
	/* Nor do those that were, at another place. */
	place.ends++;
	if (state_row_open(&keys, &archive, &place, buf_str(&sealed), &opened, &row, NULL) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str bytes = { (const char *)data, size };
	uint8_t token[LOGIN_TOKEN_BYTES], hash[RECOVERY_HASH_BYTES];
	static const uint8_t key[32] = { 3 };

	look_at_credential(bytes);
	look_at_session(bytes);
	look_at_row(bytes);
	(void)token_parse(bytes, token);
	(void)recovery_hash(key, STR("u-00001"), bytes, hash);
	(void)totp_match((const uint8_t *)"12345678901234567890", bytes, 1000000, 0);
	return 0;
}
