/* id.c - see id.h. */
#include "core/model/id.h"

#include "core/base/bytes.h"
#include "core/base/clock.h"

#include <sodium.h>

struct id id_random(void)
{
	struct id id;

	randombytes_buf(id.b, sizeof(id.b));
	return id;
}

struct id id_ordered(void)
{
	struct id id = id_random();
	uint8_t now[8];

	put_be64(now, (uint64_t)clock_now());
	memcpy(id.b, now + 3, 5);
	return id;
}

int id_parse(struct str text, struct id *ret, struct err *err)
{
	struct id id;
	int r = hex_decode(text, id.b, sizeof(id.b), err);

	if (r == 0)
		*ret = id;
	return r;
}

int oid_parse(struct str text, struct oid *ret, struct err *err)
{
	struct oid oid;
	int r = hex_decode(text, oid.b, sizeof(oid.b), err);

	if (r == 0)
		*ret = oid;
	return r;
}

int digest_parse(struct str text, struct digest *ret, struct err *err)
{
	struct digest digest;
	int r = hex_decode(text, digest.b, sizeof(digest.b), err);

	if (r == 0)
		*ret = digest;
	return r;
}
