/* id.h - names that never change: 16 random bytes for archives, records, parts, keys, actions,
 * custodians; and git's name for an object. In text they are lower-case hexadecimal. */
#ifndef MUN_MODEL_ID_H
#define MUN_MODEL_ID_H

#include "core/base/hex.h"

enum { ID_BYTES = 16, ID_TEXT = 2 * ID_BYTES + 1, OID_BYTES = 20, OID_TEXT = 2 * OID_BYTES + 1 };

struct id {
	uint8_t b[ID_BYTES];
};

/* Git's SHA-1 name of an object. */
struct oid {
	uint8_t b[OID_BYTES];
};

/* 256 bits, as SHA-256 gives them: what trust rests on. */
struct digest {
	uint8_t b[32];
};

struct id id_random(void);
/* The time in seconds (5 bytes), then 11 random bytes: for ids that a database indexes by the hundred
 * thousand. New ones stand at the index's end, so that adding one costs the same however many there
 * are. Nobody reads the time out of it. */
struct id id_ordered(void);

static inline bool id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool oid_equal(const struct oid *a, const struct oid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool oid_is_zero(const struct oid *a)
{
	static const struct oid zero = { { 0 } };

	return oid_equal(a, &zero);
}

static inline bool digest_is_zero(const struct digest *a)
{
	static const struct digest zero = { { 0 } };

	return digest_equal(a, &zero);
}

static inline bool id_is_zero(const struct id *a)
{
	static const struct id zero = { { 0 } };

	return id_equal(a, &zero);
}

/* Exactly the digits, or ERR_INVALID. */
int id_parse(struct str text, struct id *ret, struct err *err);
int oid_parse(struct str text, struct oid *ret, struct err *err);
int digest_parse(struct str text, struct digest *ret, struct err *err);

#endif
