/* walk.c - archives that people import: whatever the bytes, members stay within limits and names are honest. */
#include "core/archive/walk.h"

#include "core/base/file.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int each(void *context, struct walk_item *item, struct err *err)
{
	_cleanup_(buf_done) struct buf again = BUF_INIT;

	(void)context;
	(void)err;
	text_add_safe(&again, item->name);
	if (item->kind == WALK_DOCUMENT &&
		(item->bytes > 1000 || item->name.n == 0 || !str_is_utf8(item->path)))
		abort();
	if (item->kind == WALK_REFUSED && !item->why)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct walk_limits limits = {
		.member_bytes = 1000, .archive_bytes = 10000, .members = 20, .ratio = 10, .depth = 2
	};
	char folder[] = "/tmp/muniment-fuzz-XXXXXX", path[128];
	const char *paths[] = { path };
	FILE *f;

	if (!mkdtemp(folder))
		abort();
	(void)snprintf(
		path, sizeof(path), "%s/a.%s", folder, size && data[0] == 'P' ? "zip" : "tar");
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, size, f) != size)
		abort();
	(void)fclose(f);
	(void)walk_paths(paths, 1, &limits, each, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(folder);
	return 0;
}
