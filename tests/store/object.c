#include "tests/harness.h"

#include "store/object.h"

static const char *name_of(enum object_type type, const void *p, size_t n, char out[OID_TEXT])
{
	struct oid oid;

	object_name(type, p, n, &oid);
	return hex_encode(oid.b, sizeof(oid.b), out);
}

/* What `git hash-object -t blob` and `-t tree` print. */
START_TEST(names_are_gits)
{
	char text[OID_TEXT];

	ck_assert_str_eq(
		name_of(OBJECT_BLOB, NULL, 0, text), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
	ck_assert_str_eq(name_of(OBJECT_BLOB, "hello\n", 6, text),
		"ce013625030ba8dba906f756967f9e9ca394464a");
	ck_assert_str_eq(
		name_of(OBJECT_TREE, NULL, 0, text), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
	ck_assert_str_eq(object_type_name(OBJECT_COMMIT), "commit");
}
END_TEST

/* Zeros, on both sides of the size up to which a content is hashed in one call. */
START_TEST(long_and_short_agree)
{
	_cleanup_(freep) char *zeros = xcalloc(1, 4097);
	char text[OID_TEXT];

	ck_assert_str_eq(name_of(OBJECT_BLOB, zeros, 4096, text),
		"08e7df176454f3ee5eeda13efa0adaa54828dfd8");
	ck_assert_str_eq(name_of(OBJECT_BLOB, zeros, 4097, text),
		"c107c26374cf4112c4e11cde58deaeffb10f2b2b");
}
END_TEST

TESTS("store/object", names_are_gits, long_and_short_agree)
