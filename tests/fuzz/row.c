/* row.c - the text of a registry row, and the sealed row around it: any bytes are read or refused. */
#include "core/archive/row.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = { 1 };
	static const struct id id = { { 2 } };
	const struct str bytes = { (const char *)data, size };
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, opened = BUF_INIT;
	struct row_commit commit;
	struct json *doc = NULL;
	struct row_text text;
	struct str name;
	struct id part;

	if (row_read(bytes, &doc, &text, NULL) == 0) {
		for (size_t i = 0; row_part(&text, i, &part, &name, NULL) == 0; i++)
			;
		for (uint64_t v = 1; row_commit_of(&text, v, &commit, NULL) == 0; v++)
			;
		json_free(doc);
	}
	/* Bytes that were not sealed do not open; those that were come back, and not when one is changed. */
	(void)row_key(bytes, &part, NULL);
	if (row_open(&id, &id, key, bytes, &opened, NULL) == 0)
		abort();
	row_seal(&id, &id, &id, key, bytes, &sealed);
	if (row_open(&id, &id, key, buf_str(&sealed), &opened, NULL) < 0 ||
		!str_eq(buf_str(&opened), bytes))
		abort();
	sealed.p[20] ^= 1;
	if (row_open(&id, &id, key, buf_str(&sealed), &opened, NULL) == 0)
		abort();
	return 0;
}
