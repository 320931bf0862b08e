/* pack.c - a pack and its index out of foreign bytes: refused, or every entry can be looked at and read
 * without harm. Input: length of the pack (4 bytes), the pack, the index. The index's copy of the pack's
 * checksum is put right, for a fuzzer would not find it. */
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "store/pack_private.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_with(const void *p, size_t n)
{
	int fd = memfd_create("pack", MFD_CLOEXEC);

	if (fd < 0 || file_pwrite(fd, p, n, 0, NULL) < 0)
		abort();
	return fd;
}

static void read_all(struct pack_reader *p)
{
	struct buf content = BUF_INIT_MAX(1 << 20);

	(void)pack_check_sums(p, NULL);
	for (size_t i = 0; i < pack_count(p); i++) {
		struct pack_entry entry;

		buf_reset(&content);
		if (pack_entry_at(p, i, &entry, NULL) == 0 &&
			pack_entry_read(p, i, &content, NULL) == 0 && content.n != entry.bytes)
			abort();
	}
	buf_done(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(pack_closep) struct pack_reader *p = NULL;
	_cleanup_(freep) uint8_t *copy = NULL;
	size_t pack, index;

	if (size < 4 || size > (1 << 20))
		return 0;
	pack = get_be32(data);
	if (pack > size - 4)
		return 0;
	index = size - 4 - pack;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (pack >= PACK_TRAILER && index >= 2 * PACK_TRAILER)
		memcpy(copy + size - 2 * PACK_TRAILER, copy + 4 + pack - PACK_TRAILER,
			PACK_TRAILER);
	if (pack_open_fds(file_with(copy + 4, pack), file_with(copy + 4 + pack, index), &p, NULL) ==
		0)
		read_all(p);
	return 0;
}
