/* series.c - a definition is refused with a sentence, or is whole: labels, numbers and references all there. */
#include "core/model/series.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct series *series;

	if (series_parse((struct str){ (const char *)data, size }, "f.yaml", &series, &err) < 0) {
		if (err.code >= 0 || !err.text[0])
			abort();
		return 0;
	}
	if (!series->number || !series->title.zh || !series->title.en || !series->retention_count)
		abort();
	for (size_t i = 0; i < series->field_count; i++)
		if (series_find_field(series, str_of(series->fields[i].name)) != &series->fields[i])
			abort();
	series_free(series);
	return 0;
}
