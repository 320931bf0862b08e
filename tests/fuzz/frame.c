/* frame.c - what is read as a frame of the journal is written again byte for byte.
 *
 * The checksums would keep a fuzzer from everything behind them, so the input is tried as it is, and once
 * more with both checksums put right. */
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "store/journal_private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(struct str bytes)
{
	_cleanup_(freep) void *memory = NULL;
	struct buf again = BUF_INIT;
	struct digest previous;
	uint8_t digest[FRAME_DIGEST];
	struct frame f;
	uint64_t segment, n;

	if (bytes.n < FRAME_HEADER)
		return;
	segment = get_be64((const uint8_t *)bytes.p + 24);
	if (frame_parse(bytes, segment, &f, &memory, digest, NULL) < 0)
		return;
	memcpy(previous.b, bytes.p + 32, sizeof(previous.b));
	n = frame_bytes(frame_body_bytes(&f));
	frame_encode(&f, segment, &previous, buf_extend(&again, (size_t)n));
	if (n > bytes.n || memcmp(again.p, bytes.p, (size_t)n) != 0)
		abort();
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT;
	uint64_t body;
	uint8_t *p;

	try((struct str){ (const char *)data, size });
	if (size < FRAME_HEADER || size > (1 << 20))
		return 0;
	p = buf_extend(&b, size + 2 * JOURNAL_BLOCK);
	memset(p, 0, b.n);
	memcpy(p, data, size);
	memcpy(p, "MUNFRAME\0\0\0\1", 12);
	body = get_be64(p + 64);
	if (body > size) { /* frame_bytes(size) fits into the room that was taken */
		body %= size;
		put_be64(p + 64, body);
	}
	memset(p + FRAME_HEADER + body, 0, (size_t)(frame_bytes(body) - FRAME_HEADER - body));
	sha256(p, FRAME_SUMMED, p + FRAME_SUMMED);
	sha256(p, (size_t)frame_bytes(body) - FRAME_DIGEST, p + frame_bytes(body) - FRAME_DIGEST);
	try(buf_str(&b));
	buf_done(&b);
	return 0;
}
