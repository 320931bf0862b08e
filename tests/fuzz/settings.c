/* settings.c - any bytes give settings or an error; settings that were read are written so that they are read again. */
#include "core/archive/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT, again = BUF_INIT;
	struct settings *s, *t;
	struct err err = ERR_INIT;

	if (settings_parse((struct str){ (const char *)data, size }, &s, &err) < 0) {
		if (!err.text[0])
			abort();
		return 0;
	}
	settings_format(s, &text);
	if (settings_parse(buf_str(&text), &t, &err) < 0)
		abort();
	settings_format(t, &again);
	if (!str_eq(buf_str(&text), buf_str(&again)))
		abort();
	settings_free(s);
	settings_free(t);
	return 0;
}
