#include "tests/harness.h"

#include "store/slip.h"

#include <string.h>

/* A slip with every line; tests cut and change it. */
static const char full[] =
	"muniment slip 1\n"
	"archive 0102030405060708090a0b0c0d0e0f10\n"
	"record 1102030405060708090a0b0c0d0e0f10\n"
	"sequence 7\n"
	"version 2\n"
	"before 1 000000000000000000000000000000000000000000000000000000000000000a\n"
	"serial 3 资质审核记录-20250520-*\n"
	"request 2102030405060708090a0b0c0d0e0f10\n"
	"key 3102030405060708090a0b0c0d0e0f10\n"
	"key 4102030405060708090a0b0c0d0e0f10\n"
	"manifest 2 000000000000000000000000000000000000000000000000000000000000000b 1234 "
	"00000000000000000000000000000000000000aa\n"
	"part 5102030405060708090a0b0c0d0e0f10 0/2 1 "
	"000000000000000000000000000000000000000000000000000000000000000c 4195448 "
	"00000000000000000000000000000000000000bb\n"
	"part 5102030405060708090a0b0c0d0e0f10 1/2 1 "
	"000000000000000000000000000000000000000000000000000000000000000d 137 "
	"00000000000000000000000000000000000000cc\n"
	"part 6102030405060708090a0b0c0d0e0f10 0/1 1 "
	"000000000000000000000000000000000000000000000000000000000000000e 136 "
	"00000000000000000000000000000000000000dd\n"
	"number 资质审核记录-20250520-003\n";

static const char least[] =
	"muniment slip 1\n"
	"archive 0102030405060708090a0b0c0d0e0f10\n"
	"record 1102030405060708090a0b0c0d0e0f10\n"
	"sequence 0\n"
	"version 1\n"
	"manifest 1 000000000000000000000000000000000000000000000000000000000000000b 1234 "
	"00000000000000000000000000000000000000aa\n"
	"number X 1\n";

static const char grave[] =
	"muniment tombstone 1\n"
	"archive 0102030405060708090a0b0c0d0e0f10\n"
	"record 1102030405060708090a0b0c0d0e0f10\n"
	"sequence 7\n"
	"versions 2\n"
	"epoch 1\n"
	"key 3102030405060708090a0b0c0d0e0f10\n"
	"envelope 1 000000000000000000000000000000000000000000000000000000000000000c 4195448 "
	"00000000000000000000000000000000000000bb\n"
	"envelope 2 000000000000000000000000000000000000000000000000000000000000000b 1234 "
	"00000000000000000000000000000000000000aa\n"
	"number 资质审核记录-20250520-003\n";

static const char list[] =
	"muniment list 1\n"
	"000000000000000000000000000000000000000000000000000000000000000c 2025-05/a/v1\n"
	"000000000000000000000000000000000000000000000000000000000000000b 2025-05/b c/v1\n"
	"000000000000000000000000000000000000000000000000000000000000000a 2025-05/记录/v1\n";

enum kind { SLIP, TOMBSTONE, LIST };

/* Read a text and, when it is accepted, hold that it is written again as it was. */
static int read_text(enum kind kind, struct str text, struct err *err)
{
	_cleanup_(freep) struct listed *files = NULL;
	_cleanup_(freep) void *memory = NULL;
	struct buf again = BUF_INIT;
	struct tombstone tombstone;
	struct slip slip;
	size_t count;
	int r;

	switch (kind) {
	case SLIP:
		r = slip_parse(text, &slip, &memory, err);
		if (r == 0)
			slip_format(&slip, &again);
		break;
	case TOMBSTONE:
		r = tombstone_parse(text, &tombstone, &memory, err);
		if (r == 0)
			tombstone_format(&tombstone, &again);
		break;
	case LIST:
	default:
		r = list_parse(text, &files, &count, err);
		if (r == 0)
			list_format(files, count, &again);
	}
	if (r == 0)
		ck_assert(!again.failed && str_eq(buf_str(&again), text));
	buf_done(&again);
	return r;
}

/* Replace the first `from` by `to`: must be refused, with that line named. */
static void refused(enum kind kind, const char *text, const char *from, const char *to, int line)
{
	const char *at = strstr(text, from);
	struct buf changed = BUF_INIT, expected = BUF_INIT;
	struct err err = ERR_INIT;

	ck_assert_msg(at != NULL, "'%s' is not in the text", from);
	buf_add(&changed, text, (size_t)(at - text));
	buf_adds(&changed, to);
	buf_adds(&changed, at + strlen(from));
	ck_fails(read_text(kind, buf_str(&changed), &err), err, ERR_CORRUPT);
	buf_addf(&expected, "line %d", line);
	ck_assert_msg(
		str_ends(str_of(err.text), expected.p), "'%s' -> '%s': %s", from, to, err.text);
	buf_done(&changed);
	buf_done(&expected);
}

START_TEST(there_and_back)
{
	struct err err = ERR_INIT;

	ck_ok(read_text(SLIP, str_of(full), &err), err);
	ck_ok(read_text(SLIP, str_of(least), &err), err);
	ck_ok(read_text(TOMBSTONE, str_of(grave), &err), err);
	ck_ok(read_text(LIST, str_of(list), &err), err);
}
END_TEST

START_TEST(values_arrive)
{
	_cleanup_(freep) void *memory = NULL, *grave_memory = NULL;
	struct tombstone t;
	struct slip s;
	struct err err = ERR_INIT;

	ck_ok(slip_parse(str_of(full), &s, &memory, &err), err);
	ck_assert_uint_eq(s.sequence, 7);
	ck_assert_uint_eq(s.version, 2);
	ck_assert_uint_eq(s.before_volume, 1);
	ck_assert_uint_eq(s.before.b[31], 10);
	ck_assert_uint_eq(s.serial, 3);
	ck_assert(str_is(s.scope, "资质审核记录-20250520-*"));
	ck_assert(s.has_request && s.request.b[0] == 0x21);
	ck_assert_uint_eq(s.key_count, 2);
	ck_assert_uint_eq(s.keys[1].b[0], 0x41);
	ck_assert_uint_eq(s.manifest.volume, 2);
	ck_assert_uint_eq(s.manifest.bytes, 1234);
	ck_assert_uint_eq(s.manifest.oid.b[19], 0xaa);
	ck_assert_uint_eq(s.part_count, 3);
	ck_assert_uint_eq(s.parts[1].chunk, 1);
	ck_assert_uint_eq(s.parts[1].chunks, 2);
	ck_assert_uint_eq(s.parts[2].blob.bytes, 136);
	ck_assert(str_is(s.number, "资质审核记录-20250520-003"));

	ck_ok(tombstone_parse(str_of(grave), &t, &grave_memory, &err), err);
	ck_assert_uint_eq(t.versions, 2);
	ck_assert_uint_eq(t.epoch, 1);
	ck_assert_uint_eq(t.key_count, 1);
	ck_assert_uint_eq(t.envelope_count, 2);
	ck_assert_uint_eq(t.envelopes[1].volume, 2);
}
END_TEST

START_TEST(other_slips_are_refused)
{
	static const struct {
		const char *from, *to;
		int line;
	} cases[] = {
		{ "muniment slip 1", "muniment slip 2", 1 },
		{ "muniment slip 1", "muniment slip 1 ", 1 },
		{ "muniment slip 1\n", "", 1 },
		{ "archive 01", "archive 0", 2 },
		{ "archive 01", "archive  01", 2 },
		{ "0d0e0f10\nrecord", "0d0e0f10 \nrecord", 2 },
		{ "record 11", "record 1G", 3 },
		{ "0a0b0c0d0e0f10\nsequence", "0A0b0c0d0e0f10\nsequence", 3 },
		{ "sequence 7", "sequence 07", 4 },
		{ "sequence 7", "sequence -7", 4 },
		{ "sequence 7", "sequence 9223372036854775808", 4 },
		{ "version 2", "version 0", 5 },
		{ "version 2", "version 1", 6 },
		{ "version 2", "version", 5 },
		{ "before 1", "before 0", 6 },
		{ "before 1", "before 4294967296", 6 },
		{ "before 1 00", "before 1 0", 6 },
		{ "serial 3 ", "serial 0 ", 7 },
		{ "serial 3 ", "serial 3  ", 7 },
		{ "20250520-*\n", "20250520-* \n", 7 },
		{ " 资质审核记录-20250520-*", "", 7 },
		{ "request 21", "request 2", 8 },
		{ "request 21", "Request 21", 8 },
		{ "key 41", "key 4", 10 },
		{ "manifest 2 ", "manifest 0 ", 11 },
		{ "manifest 2 ", "manifest ", 11 },
		{ " 1234 ", " 01234 ", 11 },
		{ "0000aa\n", "0000aa x\n", 11 },
		{ " 0/2", " 1/2", 12 },
		{ " 0/2", " 0/3", 13 },
		{ " 0/2", " 0/1", 13 },
		{ " 0/2", " 0/0", 12 },
		{ " 0/2", " 2/2", 12 },
		{ " 0/2", " 0", 12 },
		{ " 0/2", " 0/2/2", 12 },
		{ " 1/2", " 0/2", 13 },
		{ "part 6102", "part 610", 14 },
		{ " 0/1", " 0/2", 14 },
		{ "number ", "number", 15 },
		{ "number ", "number  ", 15 },
		{ "003\n", "003\t\n", 15 },
		{ "003\n", "003", 15 },
		{ "003\n", "003\n\n", 16 },
		{ "003\n", "003\nnumber x\n", 16 },
		{ "003\n", "00\xff\n", 15 },
		{ "资质审核记录-20250520-003", "", 15 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refused(SLIP, full, cases[i].from, cases[i].to, cases[i].line);
	refused(SLIP, least, "version 1", "version 2", 6);
	refused(SLIP, least, "muniment", "", 1);
}
END_TEST

START_TEST(other_tombstones_are_refused)
{
	refused(TOMBSTONE, grave, "tombstone 1", "tombstone 2", 1);
	refused(TOMBSTONE, grave, "versions 2", "versions 0", 5);
	refused(TOMBSTONE, grave, "epoch 1", "epoch 0", 6);
	refused(TOMBSTONE, grave, "epoch 1\n", "", 6);
	refused(TOMBSTONE, grave, "key 31", "kex 31", 7);
	refused(TOMBSTONE, grave, "envelope 2", "envelope 02", 9);
	refused(TOMBSTONE, grave, "number ", "nummer ", 10);
	refused(TOMBSTONE, grave, "003\n", "003\nx", 11);
}
END_TEST

START_TEST(other_lists_are_refused)
{
	static const char *const paths[] = { "/2025-05/a/v1", "2025-05//v1", "2025-05/../v1",
		"2025-05/./v1", "2025-05/.git/v1", "2025-05/.GIT/v1", "2025-05/v1/", "2025-05/\x01",
		"..", "2025-05/\xc3(" };

	refused(LIST, list, "list 1", "list 2", 1);
	refused(LIST, list, "a/v1", "z/v1", 3);
	refused(LIST, list, "a/v1", "b c/v1", 3);
	refused(LIST, list, "000c 2025", "000c  2025", 2);
	refused(LIST, list, "000c 2025", "00c 2025", 2);
	refused(LIST, list, "录/v1\n", "录/v1", 4);
	refused(LIST, list, "录/v1\n", "录/v1\n\n", 5);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		refused(LIST, list, "2025-05/a/v1", paths[i], 2);
	refused(LIST, "muniment list 1\nx", "x", "", 1);
}
END_TEST

START_TEST(cut_short_is_refused)
{
	static const char *const texts[] = { full, grave, list };
	struct err err = ERR_INIT;

	for (enum kind kind = SLIP; kind <= LIST; kind++)
		for (size_t n = 0; n < strlen(texts[kind]); n++) {
			/* A list with fewer whole lines is a list. */
			if (kind == LIST && n > 20 && texts[kind][n - 1] == '\n')
				continue;
			ck_fails(read_text(kind, (struct str){ texts[kind], n }, &err), err,
				ERR_CORRUPT);
		}
}
END_TEST

/* Any changed byte is refused, or gives another text that is as strict. */
START_TEST(changed_bytes)
{
	static const char *const texts[] = { full, grave, list };
	struct err err = ERR_INIT;

	for (enum kind kind = SLIP; kind <= LIST; kind++) {
		_cleanup_(freep) char *copy = xstrdup(texts[kind]);
		size_t n = strlen(copy);

		for (size_t i = 0; i < n; i++)
			for (int bit = 0; bit < 8; bit++) {
				copy[i] ^= (char)(1 << bit);
				(void)read_text(kind, (struct str){ copy, n }, &err);
				copy[i] ^= (char)(1 << bit);
			}
	}
}
END_TEST

START_TEST(unfit_values_are_not_written)
{
	struct listed files[2] = { { .path = STR("a") }, { .path = STR("a") } };
	struct slip_part parts[2] = { { .chunk = 0, .chunks = 2 }, { .chunk = 0, .chunks = 1 } };
	struct slip good = { .version = 1, .number = STR("n") }, s;
	struct tombstone t = { .versions = 1, .epoch = 1, .number = STR("n") };
	struct buf b = BUF_INIT;

	good.manifest.volume = 1;
	slip_format(&good, &b);
	ck_assert(!b.failed);
	s = good;
	s.number = STR("n\nnumber m");
	slip_format(&s, &b);
	ck_assert(b.failed);
	buf_reset(&b);
	s = good;
	s.version = 2;
	slip_format(&s, &b);
	ck_assert(b.failed);
	buf_reset(&b);
	s = good;
	s.parts = parts;
	s.part_count = 1;
	slip_format(&s, &b);
	ck_assert(b.failed);
	buf_reset(&b);
	s.part_count = 2;
	slip_format(&s, &b);
	ck_assert(b.failed);
	buf_reset(&b);
	tombstone_format(&t, &b);
	ck_assert(!b.failed);
	t.epoch = 0;
	tombstone_format(&t, &b);
	ck_assert(b.failed);
	buf_reset(&b);
	list_format(files, 1, &b);
	ck_assert(!b.failed);
	list_format(files, 2, &b);
	ck_assert(b.failed);
	buf_reset(&b);
	files[0].path = STR("../a");
	list_format(files, 1, &b);
	ck_assert(b.failed);
	buf_reset(&b);
	list_format(files, 0, &b);
	ck_assert(b.failed);
	buf_done(&b);
}
END_TEST

static int parts_there_and_back(size_t count, struct err *err)
{
	_cleanup_(freep) struct slip_part *parts = xcalloc(count, sizeof(*parts));
	struct slip s = { .version = 1, .parts = parts, .part_count = count, .number = STR("n") };
	struct buf b = BUF_INIT;
	int r;

	s.manifest.volume = 1;
	for (size_t i = 0; i < count; i++) {
		parts[i].chunks = 1;
		parts[i].blob.volume = 1;
	}
	slip_format(&s, &b);
	if (b.failed) {
		/* Written by hand, to see the reader's limit and not the writer's. */
		buf_reset(&b);
		s.part_count = 0;
		slip_format(&s, &b);
		buf_cut(&b, b.n - strlen("number n\n"));
		for (size_t i = 0; i < count; i++)
			buf_adds(&b, "part 00000000000000000000000000000000 0/1 1 00000000000000000"
				     "00000000000000000000000000000000000000000000000 0 00000000000"
				     "00000000000000000000000000000\n");
		buf_adds(&b, "number n\n");
	}
	r = read_text(SLIP, buf_str(&b), err);
	buf_done(&b);
	return r;
}

START_TEST(limits_have_two_sides)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(parts_there_and_back(SLIP_MAX_PARTS, &err), err);
	ck_fails(parts_there_and_back(SLIP_MAX_PARTS + 1, &err), err, ERR_LIMIT);
	while (b.n <= SLIP_MAX_BYTES)
		buf_adds(&b, full);
	ck_fails(read_text(SLIP, buf_str(&b), &err), err, ERR_LIMIT);
	ck_fails(read_text(LIST, buf_str(&b), &err), err, ERR_LIMIT);
	ck_fails(read_text(TOMBSTONE, buf_str(&b), &err), err, ERR_LIMIT);
	buf_cut(&b, SLIP_MAX_BYTES);
	ck_fails(read_text(SLIP, buf_str(&b), &err), err, ERR_CORRUPT);
	buf_done(&b);
}
END_TEST

TESTS("store/slip", there_and_back, values_arrive, other_slips_are_refused,
	other_tombstones_are_refused, other_lists_are_refused, cut_short_is_refused, changed_bytes,
	unfit_values_are_not_written, limits_have_two_sides)
