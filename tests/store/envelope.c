#include "tests/harness.h"

#include "store/envelope.h"

#include "core/base/bytes.h"

#include <sodium.h>
#include <string.h>

static const uint8_t key[32] = "a record key of thirty-two bytes";
static const struct envelope_binding binding = { { "archive" }, { "record" } };

static struct envelope_head part_head(uint64_t plain_bytes)
{
	return (struct envelope_head){
		.kind = ENVELOPE_PART,
		.key = { "key" },
		.part = { "part" },
		.chunks = 1,
		.plain_bytes = plain_bytes,
	};
}

static void seal(const struct envelope_head *head, const void *plain, struct buf *ret)
{
	struct err err = ERR_INIT;

	ck_ok(envelope_seal(&binding, head, key, plain, ret, &err), err);
}

/* Opening must fail in one of the two ways that changed bytes can fail, and leave nothing behind.
 */
static void refused(const struct buf *sealed)
{
	struct buf plain = BUF_INIT;
	struct err err = ERR_INIT;
	int r;

	buf_adds(&plain, "before");
	r = envelope_open(&binding, key, buf_str(sealed), &plain, &err);
	ck_assert(r == -ERR_CORRUPT || r == -ERR_CRYPTO || r == -ERR_UNSUPPORTED);
	ck_assert_int_eq(err.code, r);
	ck_assert_str_eq(plain.p, "before");
	buf_done(&plain);
}

static void opens_again(size_t n)
{
	_cleanup_(freep) char *text = xcalloc(1, n + 1);
	struct envelope_head head = part_head(n), read;
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	struct err err = ERR_INIT;

	randombytes_buf(text, n);
	seal(&head, text, &sealed);
	ck_assert_uint_eq(sealed.n, envelope_size(n));
	ck_ok(envelope_head(buf_str(&sealed), &read, &err), err);
	ck_assert_uint_eq(read.plain_bytes, n);
	ck_assert(id_equal(&read.key, &head.key) && id_equal(&read.part, &head.part));
	buf_adds(&plain, "before");
	ck_ok(envelope_open(&binding, key, buf_str(&sealed), &plain, &err), err);
	ck_assert_uint_eq(plain.n, 6 + n);
	ck_assert(memcmp(plain.p, "before", 6) == 0 && memcmp(plain.p + 6, text, n) == 0);
	buf_done(&sealed);
	buf_done(&plain);
}

START_TEST(opens_what_was_sealed)
{
	opens_again(0);
	opens_again(1);
	opens_again(ENVELOPE_SEGMENT - 1);
	opens_again(ENVELOPE_SEGMENT);
	opens_again(ENVELOPE_SEGMENT + 1);
	opens_again(ENVELOPE_CHUNK_MAX);
}
END_TEST

START_TEST(size_has_two_sides)
{
	_cleanup_(freep) char *text = xcalloc(1, ENVELOPE_CHUNK_MAX + 1);
	struct envelope_head head = part_head(ENVELOPE_CHUNK_MAX + 1);
	struct buf sealed = BUF_INIT;
	struct err err = ERR_INIT;

	ck_fails(envelope_seal(&binding, &head, key, text, &sealed, &err), err, ERR_LIMIT);
	ck_assert_uint_eq(sealed.n, 0);
	head = part_head(10);
	seal(&head, text, &sealed);
	put_be64((uint8_t *)sealed.p + 48, ENVELOPE_CHUNK_MAX + 1);
	ck_fails(envelope_head(buf_str(&sealed), &head, &err), err, ERR_CORRUPT);
	buf_done(&sealed);
}
END_TEST

START_TEST(every_flip_is_refused)
{
	static const size_t sizes[] = { 0, 5, ENVELOPE_SEGMENT + 3 };

	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		_cleanup_(freep) char *text = xcalloc(1, sizes[s] + 1);
		struct envelope_head head = part_head(sizes[s]);
		struct buf sealed = BUF_INIT;
		size_t step = 1;

		seal(&head, text, &sealed);
		for (size_t i = 0; i < sealed.n; i += step) {
			for (int bit = 0; bit < 8; bit++) {
				sealed.p[i] ^= (char)(1 << bit);
				refused(&sealed);
				sealed.p[i] ^= (char)(1 << bit);
			}
			/* All of the header, tags and edges; samples of a long run. */
			step = sealed.n > 1000 && i > 200 && i + 2000 < sealed.n ? 997 : 1;
			if (sealed.n > 1000 && i + 2000 >= sealed.n)
				step = 41;
		}
		buf_done(&sealed);
	}
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	struct envelope_head head = part_head(5);
	struct buf sealed = BUF_INIT;

	seal(&head, "12345", &sealed);
	buf_addc(&sealed, 0);
	refused(&sealed);
	buf_cut(&sealed, sealed.n - 1);
	while (sealed.n > 0) {
		buf_cut(&sealed, sealed.n - 1);
		refused(&sealed);
	}
	buf_done(&sealed);
}
END_TEST

/* Whole segments left out at the end, with the size in the header made to fit. */
START_TEST(a_dropped_segment_is_refused)
{
	_cleanup_(freep) char *text = xcalloc(1, 2 * ENVELOPE_SEGMENT);
	struct envelope_head head = part_head(2 * ENVELOPE_SEGMENT);
	struct buf sealed = BUF_INIT;

	seal(&head, text, &sealed);
	buf_cut(&sealed, envelope_size(ENVELOPE_SEGMENT));
	refused(&sealed);
	put_be64((uint8_t *)sealed.p + 48, ENVELOPE_SEGMENT);
	refused(&sealed);
	buf_done(&sealed);
}
END_TEST

START_TEST(swapped_segments_are_refused)
{
	_cleanup_(freep) char *text = xcalloc(1, 3 * ENVELOPE_SEGMENT);
	struct envelope_head head = part_head(3 * ENVELOPE_SEGMENT);
	size_t n = ENVELOPE_SEGMENT + ENVELOPE_TAG;
	_cleanup_(freep) char *first = xcalloc(1, n);
	struct buf sealed = BUF_INIT;
	char *at;

	seal(&head, text, &sealed);
	at = sealed.p + ENVELOPE_HEADER;
	memcpy(first, at, n);
	memcpy(at, at + n, n);
	refused(&sealed);
	memcpy(at + n, first, n);
	refused(&sealed);
	buf_done(&sealed);
}
END_TEST

START_TEST(another_key_is_said_so)
{
	struct envelope_head head = part_head(5);
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	uint8_t other[32];
	struct err err = ERR_INIT;

	seal(&head, "12345", &sealed);
	for (size_t i = 0; i < sizeof(key); i++) {
		memcpy(other, key, sizeof(key));
		other[i] ^= 1;
		ck_fails(envelope_open(&binding, other, buf_str(&sealed), &plain, &err), err,
			ERR_CRYPTO);
	}
	ck_assert_uint_eq(plain.n, 0);
	buf_done(&sealed);
	buf_done(&plain);
}
END_TEST

START_TEST(bound_to_archive_and_record)
{
	struct envelope_binding other = binding;
	struct envelope_head head = part_head(5);
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	struct err err = ERR_INIT;

	seal(&head, "12345", &sealed);
	other.record.b[15] ^= 1;
	ck_fails(envelope_open(&other, key, buf_str(&sealed), &plain, &err), err, ERR_CORRUPT);
	other = binding;
	other.archive.b[0] ^= 1;
	ck_fails(envelope_open(&other, key, buf_str(&sealed), &plain, &err), err, ERR_CORRUPT);
	buf_done(&sealed);
	buf_done(&plain);
}
END_TEST

/* A well-formed header that names another part, chunk, count, key or kind. */
START_TEST(bound_to_its_header)
{
	struct envelope_head head = part_head(5), read;
	struct buf sealed = BUF_INIT;
	struct err err = ERR_INIT;
	uint8_t *p;

	head.chunk = 1;
	head.chunks = 2;
	seal(&head, "12345", &sealed);
	p = (uint8_t *)sealed.p;
	put_be32(p + 40, 2);
	put_be32(p + 44, 3);
	ck_ok(envelope_head(buf_str(&sealed), &read, &err), err);
	refused(&sealed);
	put_be32(p + 40, 1);
	put_be32(p + 44, 2);
	p[24] ^= 1;
	ck_ok(envelope_head(buf_str(&sealed), &read, &err), err);
	refused(&sealed);
	p[24] ^= 1;
	p[8] ^= 1;
	ck_ok(envelope_head(buf_str(&sealed), &read, &err), err);
	refused(&sealed);
	buf_done(&sealed);

	head = part_head(5);
	seal(&head, "12345", &sealed);
	p = (uint8_t *)sealed.p;
	p[6] = ENVELOPE_MANIFEST;
	memset(p + 24, 0, ID_BYTES);
	ck_ok(envelope_head(buf_str(&sealed), &read, &err), err);
	refused(&sealed);
	buf_done(&sealed);
}
END_TEST

/* GCM without commitment lets one ciphertext open under two keys. Whoever knows both keys can at
 * most make the commitment of one of them, so the other is turned away before a segment is touched.
 */
START_TEST(opens_under_one_key_only)
{
	struct envelope_head head = part_head(5);
	struct buf one = BUF_INIT, two = BUF_INIT, plain = BUF_INIT;
	uint8_t other[32] = "the other one of the two keys...";
	struct err err = ERR_INIT;

	seal(&head, "12345", &one);
	ck_ok(envelope_seal(&binding, &head, other, "12345", &two, &err), err);
	/* Graft: salt and segments of one, commitment of the other. */
	memcpy(one.p + 88, two.p + 88, 32);
	ck_fails(envelope_open(&binding, key, buf_str(&one), &plain, &err), err, ERR_CRYPTO);
	ck_fails(envelope_open(&binding, other, buf_str(&one), &plain, &err), err, ERR_CRYPTO);
	/* And with the salt of the other: its commitment fits, its segments do not. */
	memcpy(one.p + 56, two.p + 56, 32);
	ck_fails(envelope_open(&binding, other, buf_str(&one), &plain, &err), err, ERR_CORRUPT);
	ck_fails(envelope_open(&binding, key, buf_str(&one), &plain, &err), err, ERR_CRYPTO);
	buf_done(&one);
	buf_done(&two);
	buf_done(&plain);
}
END_TEST

START_TEST(newer_formats_are_named)
{
	struct envelope_head head = part_head(0), read;
	struct buf sealed = BUF_INIT;
	struct err err = ERR_INIT;

	seal(&head, NULL, &sealed);
	sealed.p[5] = 2;
	ck_fails(envelope_head(buf_str(&sealed), &read, &err), err, ERR_UNSUPPORTED);
	sealed.p[5] = 1;
	sealed.p[4] = 2;
	ck_fails(envelope_head(buf_str(&sealed), &read, &err), err, ERR_UNSUPPORTED);
	buf_done(&sealed);
}
END_TEST

START_TEST(impossible_headers_are_not_sealed)
{
	struct buf sealed = BUF_INIT;
	struct err err = ERR_INIT;
	struct envelope_head heads[8];

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		heads[i] = part_head(1);
	heads[0].kind = 3;
	heads[1].chunks = 0;
	heads[2].chunk = 1;
	heads[3].kind = ENVELOPE_MANIFEST;
	heads[4].part = (struct id){ { 0 } };
	heads[5].chunks = 2; /* not full, yet not the last */
	heads[6].chunk = 1;  /* an empty last chunk */
	heads[6].chunks = 2;
	heads[6].plain_bytes = 0;
	heads[7] = (struct envelope_head){ .kind = ENVELOPE_MANIFEST, .chunks = 2 };
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		ck_fails(envelope_seal(&binding, &heads[i], key, "1", &sealed, &err), err,
			ERR_INVALID);
	buf_done(&sealed);
}
END_TEST

START_TEST(salts_differ)
{
	struct envelope_head head = part_head(5);
	struct buf one = BUF_INIT, two = BUF_INIT;

	seal(&head, "12345", &one);
	seal(&head, "12345", &two);
	ck_assert(memcmp(one.p + 56, two.p + 56, 32) != 0);
	ck_assert(memcmp(one.p + 120, two.p + 120, 5) != 0);
	buf_done(&one);
	buf_done(&two);
}
END_TEST

START_TEST(the_callers_ceiling_holds)
{
	struct envelope_head head = part_head(100);
	struct buf sealed = BUF_INIT, small = BUF_INIT_MAX(99);
	struct err err = ERR_INIT;
	char text[100] = "";

	ck_fails(envelope_seal(&binding, &head, key, text, &small, &err), err, ERR_LIMIT);
	buf_reset(&small);
	seal(&head, text, &sealed);
	ck_fails(envelope_open(&binding, key, buf_str(&sealed), &small, &err), err, ERR_LIMIT);
	buf_done(&sealed);
	buf_done(&small);
}
END_TEST

START_TEST(subkeys_differ_by_name)
{
	uint8_t a[32], b[32], c[32];

	envelope_subkey(key, "muniment registry row 1", a);
	envelope_subkey(key, "muniment registry row 1", b);
	envelope_subkey(key, "muniment text 1", c);
	ck_assert(memcmp(a, b, sizeof(a)) == 0);
	ck_assert(memcmp(a, c, sizeof(a)) != 0);
}
END_TEST

TESTS("store/envelope", opens_what_was_sealed, size_has_two_sides, every_flip_is_refused,
	every_truncation_is_refused, a_dropped_segment_is_refused, swapped_segments_are_refused,
	another_key_is_said_so, bound_to_archive_and_record, bound_to_its_header,
	opens_under_one_key_only, newer_formats_are_named, impossible_headers_are_not_sealed,
	salts_differ, the_callers_ceiling_holds, subkeys_differ_by_name)
