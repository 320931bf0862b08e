/* The parts of a container, so that the fuzzer works on XML and not on compressed bytes: each begins with a line
 * "== name"; they are packed here, stored, and read as whole file. */
#include "tests/fuzz/reader.h"

#include <archive.h>
#include <archive_entry.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACKED_BYTES = 1 << 20 };

static const struct str mark = STR("== ");

static void add_member(struct archive *a, struct str name, struct str body)
{
	struct archive_entry *entry = archive_entry_new();
	char *path = str_dup(name);

	archive_entry_set_pathname(entry, path);
	archive_entry_set_size(entry, (la_int64_t)body.n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	if (archive_write_header(a, entry) == ARCHIVE_OK)
		(void)archive_write_data(a, body.p, body.n);
	archive_entry_free(entry);
	free(path);
}

/* Where the next line begins that starts a part, or the end. */
static size_t next_part(struct str text, size_t from)
{
	for (size_t i = from; i + mark.n <= text.n; i++)
		if ((i == 0 || text.p[i - 1] == '\n') && memcmp(text.p + i, mark.p, mark.n) == 0)
			return i;
	return text.n;
}

static size_t pack(struct str text, char *out)
{
	struct archive *a = archive_write_new();
	size_t used = 0;

	if (archive_write_set_format_zip(a) != ARCHIVE_OK ||
		archive_write_set_options(a, "zip:compression=store") != ARCHIVE_OK ||
		archive_write_open_memory(a, out, PACKED_BYTES, &used) != ARCHIVE_OK)
		abort();
	for (size_t at = next_part(text, 0); at < text.n;) {
		size_t end = next_part(text, at + mark.n);
		struct str body = { text.p + at + mark.n, end - at - mark.n };
		struct str name = str_cut(&body, '\n');

		if (name.n > 0 && body.p)
			add_member(a, name, body);
		at = end;
	}
	(void)archive_write_close(a);
	(void)archive_write_free(a);
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *out = xcalloc(1, PACKED_BYTES);
	size_t n =
		size < PACKED_BYTES / 4 ? pack((struct str){ (const char *)data, size }, out) : 0;

	if (n > 0)
		fuzz_reader((const uint8_t *)out, n, HINT_NONE, NULL);
	return 0;
}
