#include "tests/harness.h"

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/model/manifest.h"

#include <stdio.h>
#include <stdlib.h>

static const char sample[] =
	"{\"action\":{\"account\":\"u-00017\",\"at\":\"2025-05-20T02:00:00Z\",\"id\":"
	"\"04040404040404040404040404040404\","
	"\"reason\":\"首次归档\",\"verb\":\"file\"},\"archive\":"
	"\"01010101010101010101010101010101\",\"date\":\"2025-05-20\","
	"\"definition\":\"0505050505050505050505050505050505050505050505050505050505050505\","
	"\"department\":\"运营部\","
	"\"drawn\":true,\"fields\":{\"amount\":19800,\"name\":\"安康某某医疗器械有限公司\","
	"\"parties\":[\"consumer\",\"merchant\"],"
	"\"steps\":[{\"action\":\"核查\",\"at\":\"2025-05-20T02:00:00Z\"},{\"action\":"
	"\"退货\\n退款\"}]},\"format\":1,"
	"\"links\":[{\"record\":\"06060606060606060606060606060606\",\"rel\":\"cause\"}],"
	"\"number\":\"资质审核记录-20250520-001\",\"parts\":[{\"chunks\":2,\"id\":"
	"\"03030303030303030303030303030303\","
	"\"media\":\"application/pdf\",\"name\":\"营业执照.pdf\",\"note\":\"原件扫描\","
	"\"sha256\":\"0707070707070707070707070707070707070707070707070707070707070707\",\"size\":"
	"4194305}],"
	"\"record\":\"02020202020202020202020202020202\",\"series\":\"QR-QC-001\",\"title\":"
	"\"某某公司资质审核\",\"version\":1}";

static struct id id_of(uint8_t byte)
{
	struct id id;

	memset(id.b, byte, sizeof(id.b));
	return id;
}

static struct digest digest_of(uint8_t byte)
{
	struct digest digest;

	memset(digest.b, byte, sizeof(digest.b));
	return digest;
}

/* The same record as `sample`, fields out of order on purpose. */
struct example {
	struct manifest m;
	struct field fields[4], step_1[2], step_2[1];
	struct row steps[2];
	struct str parties[2];
	struct manifest_part part;
	struct manifest_link link;
};

static void fill(struct example *x)
{
	memset(x, 0, sizeof(*x));
	x->step_1[0] = (struct field){ STR("at"), VALUE_OF_TEXT(STR("2025-05-20T02:00:00Z")) };
	x->step_1[1] = (struct field){ STR("action"), VALUE_OF_TEXT(STR("核查")) };
	x->step_2[0] = (struct field){ STR("action"), VALUE_OF_TEXT(STR("退货\n退款")) };
	x->steps[0] = (struct row){ x->step_1, 2 };
	x->steps[1] = (struct row){ x->step_2, 1 };
	x->parties[0] = STR("consumer");
	x->parties[1] = STR("merchant");
	x->fields[0] = (struct field){ STR("steps"),
		{ .kind = VALUE_ROWS, .rows = x->steps, .count = 2 } };
	x->fields[1] = (struct field){ STR("amount"), VALUE_OF_INT(19800) };
	x->fields[2] = (struct field){ STR("parties"),
		{ .kind = VALUE_LIST, .list = x->parties, .count = 2 } };
	x->fields[3] =
		(struct field){ STR("name"), VALUE_OF_TEXT(STR("安康某某医疗器械有限公司")) };
	x->part = (struct manifest_part){ .id = id_of(3),
		.name = STR("营业执照.pdf"),
		.media = STR("application/pdf"),
		.note = STR("原件扫描"),
		.bytes = MANIFEST_CHUNK_BYTES + 1,
		.sha256 = digest_of(7) };
	x->link = (struct manifest_link){ .rel = STR("cause"), .record = id_of(6) };
	x->m = (struct manifest){ .archive = id_of(1),
		.record = id_of(2),
		.version = 1,
		.number = STR("资质审核记录-20250520-001"),
		.drawn = true,
		.series = STR("QR-QC-001"),
		.definition = digest_of(5),
		.department = STR("运营部"),
		.day = day_of_date((struct date){ 2025, 5, 20 }),
		.title = STR("某某公司资质审核"),
		.fields = x->fields,
		.field_count = 4,
		.parts = &x->part,
		.part_count = 1,
		.links = &x->link,
		.link_count = 1,
		.action = { .id = id_of(4),
			.verb = STR("file"),
			.account = STR("u-00017"),
			.at = 1747706400,
			.reason = STR("首次归档") } };
}

START_TEST(the_bytes_are_those_of_the_format)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct example x;

	fill(&x);
	ck_ok(manifest_write(&x.m, &b, &err), err);
	ck_assert_str_eq(b.p, sample);
}
END_TEST

START_TEST(two_steps_give_the_same)
{
	_cleanup_(manifest_pieces_done) struct manifest_pieces pieces = { BUF_INIT, BUF_INIT };
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct example x;

	fill(&x);
	x.m.number = STR("");
	x.m.version = 0;
	ck_ok(manifest_prepare(&x.m, &pieces, &err), err);
	ck_ok(manifest_complete(&pieces, STR("资质审核记录-20250520-001"), 1, &b, &err), err);
	ck_assert_str_eq(b.p, sample);
	ck_fails(manifest_complete(&pieces, STR("a/b"), 1, &b, &err), err, ERR_INVALID);
	ck_fails(manifest_complete(&pieces, STR("a"), 0, &b, &err), err, ERR_INVALID);
	x.m.title = STR("");
	ck_fails(manifest_prepare(&x.m, &pieces, &err), err, ERR_INVALID);
}
END_TEST

START_TEST(they_are_canonical_json)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(json_parse(str_of(sample), NULL, 0, &doc, &err), err);
	ck_ok(json_add_canonical(&b, doc, &err), err);
	ck_assert_str_eq(b.p, sample);
}
END_TEST

START_TEST(it_is_read_back)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	const struct manifest *m = NULL;
	struct err err = ERR_INIT;

	ck_ok(manifest_parse(str_of(sample), arena, &m, &err), err);
	ck_assert(id_equal(
		&m->archive, &(struct id){ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } }));
	ck_assert_uint_eq(m->version, 1);
	ck_assert(m->drawn);
	ck_assert(str_is(m->series, "QR-QC-001"));
	ck_assert_int_eq(m->action.at, 1747706400);
	ck_assert_int_eq(manifest_field(m, "amount")->value.number, 19800);
	ck_assert_uint_eq(manifest_field(m, "steps")->value.count, 2);
	ck_assert_ptr_null(manifest_field(m, "nothing"));
	ck_assert_uint_eq(m->part_count, 1);
	ck_assert_ptr_eq(manifest_find_part(m, &m->parts[0].id), &m->parts[0]);
	ck_assert_ptr_null(manifest_find_part(m, &m->record));
	ck_assert(str_is(m->links[0].rel, "cause"));
}
END_TEST

/* Every variant of the sample in which `from` stands as `to` must be refused. */
START_TEST(what_the_writer_would_not_make_is_refused)
{
	static const struct {
		const char *from, *to;
		int code;
	} bad[] = {
		{ "\"version\":1}", "\"version\":1} ", ERR_INVALID },
		{ "\"version\":1}", "\"version\":1,\"zebra\":1}", ERR_INVALID },
		{ "\"version\":1}", "\"version\":0}", ERR_INVALID },
		{ "\"version\":1}", "\"version\":1.0}", ERR_INVALID },
		{ "\"version\":1}", "\"version\":\"1\"}", ERR_INVALID },
		{ "\"format\":1,", "\"format\":2,", ERR_UNSUPPORTED },
		{ "\"format\":1,", "\"format\": 1,", ERR_INVALID },
		{ "\"format\":1,", "", ERR_INVALID },
		{ "\"title\":\"某某公司资质审核\"", "\"title\":\"\"", ERR_INVALID },
		{ "\"title\":\"某某公司资质审核\"", "\"title\":\"a\\nb\"", ERR_INVALID },
		{ "\"title\":\"某某公司资质审核\"", "\"title\":\"\\u0061\"", ERR_INVALID },
		{ "\"title\":\"某某公司资质审核\"", "\"title\":\"a\xe2\x80\xae\"", ERR_INVALID },
		{ "\"reason\":\"首次归档\"", "\"reason\":\"\"", ERR_INVALID },
		{ "\"reason\":\"首次归档\"", "\"reason\":\"\\u0007\"", ERR_INVALID },
		{ "\"reason\":\"首次归档\",\"verb\":\"file\"",
			"\"verb\":\"file\",\"reason\":\"首次归档\"", ERR_INVALID },
		{ "\"verb\":\"file\"", "\"verb\":\"File\"", ERR_INVALID },
		{ "\"account\":\"u-00017\"", "\"account\":\"张三\"", ERR_INVALID },
		{ "\"at\":\"2025-05-20T02:00:00Z\",\"id\"",
			"\"at\":\"2025-05-20 02:00:00Z\",\"id\"", ERR_INVALID },
		{ "\"date\":\"2025-05-20\"", "\"date\":\"2025-5-20\"", ERR_INVALID },
		{ "\"date\":\"2025-05-20\"", "\"date\":\"2025-02-29\"", ERR_INVALID },
		{ "\"archive\":\"01", "\"archive\":\"0X", ERR_INVALID },
		{ "\"archive\":\"01010101010101010101010101010101\"",
			"\"archive\":\"00000000000000000000000000000000\"", ERR_INVALID },
		{ "\"series\":\"QR-QC-001\"", "\"series\":\"qr\"", ERR_INVALID },
		{ "\"department\":\"运营部\"", "\"department\":\"运营/部\"", ERR_INVALID },
		{ "\"number\":\"资质", "\"number\":\"../", ERR_INVALID },
		{ "\"amount\":19800", "\"amount\":198.00", ERR_INVALID },
		{ "\"amount\":19800", "\"amount\":true", ERR_INVALID },
		{ "\"amount\":19800", "\"Amount\":19800", ERR_INVALID },
		{ "\"amount\":19800", "\"amount\":19800,\"amount\":1", ERR_INVALID },
		{ "[\"consumer\",\"merchant\"]", "[]", ERR_INVALID },
		{ "[\"consumer\",\"merchant\"]", "[\"consumer\",1]", ERR_INVALID },
		{ "[\"consumer\",\"merchant\"]", "[\"consumer\",{\"a\":1}]", ERR_INVALID },
		{ "[\"consumer\",\"merchant\"]", "[{}]", ERR_INVALID },
		{ "[\"consumer\",\"merchant\"]", "[{\"a\":[\"b\"]}]", ERR_INVALID },
		{ "[\"consumer\",\"merchant\"]", "[[[[[\"b\"]]]]]", ERR_LIMIT },
		{ "\"chunks\":2", "\"chunks\":1", ERR_INVALID },
		{ "\"size\":4194305", "\"size\":-1", ERR_INVALID },
		{ "\"media\":\"application/pdf\"", "\"media\":\"PDF\"", ERR_INVALID },
		{ "\"name\":\"营业执照.pdf\"", "\"name\":\"../x\"", ERR_INVALID },
		{ "\"name\":\"营业执照.pdf\"", "\"name\":\"..\"", ERR_INVALID },
		{ "\"note\":\"原件扫描\"", "\"note\":\"\"", ERR_INVALID },
		{ "\"links\":[{\"record\":\"06060606060606060606060606060606\",\"rel\":\"cause\"}]",
			"\"links\":[]", ERR_INVALID },
		{ "\"links\":[{\"record\":\"06060606060606060606060606060606\",\"rel\":\"cause\"}]",
			"\"links\":[1]", ERR_INVALID },
		{ "\"drawn\":true", "\"drawn\":1", ERR_INVALID },
	};
	struct arena *arena = arena_new(0);
	struct err err = ERR_INIT;
	const struct manifest *m;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *at = strstr(sample, bad[i].from);
		struct buf b = BUF_INIT;
		int r;

		ck_assert_msg(at != NULL, "%zu: no such text", i);
		buf_add(&b, sample, (size_t)(at - sample));
		buf_adds(&b, bad[i].to);
		buf_adds(&b, at + strlen(bad[i].from));
		r = manifest_parse(buf_str(&b), arena, &m, &err);
		ck_assert_msg(r == -bad[i].code, "%s -> %s: %d", bad[i].from, bad[i].to, r);
		buf_done(&b);
	}
	for (size_t n = 0; n < sizeof(sample) - 1; n++)
		ck_assert_int_lt(manifest_parse((struct str){ sample, n }, arena, &m, &err), 0);
	arena_free(arena);
}
END_TEST

START_TEST(limits_hold_on_both_sides)
{
	static char long_text[MANIFEST_MAX_TEXT + 1];
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	struct manifest_part *parts = calloc(MANIFEST_MAX_PARTS + 1, sizeof(*parts));
	struct field *fields = calloc(MANIFEST_MAX_FIELDS + 1, sizeof(*fields));
	struct buf b = BUF_INIT;
	const struct manifest *m;
	struct err err = ERR_INIT;
	struct example x;

	memset(long_text, 'x', sizeof(long_text));
	fill(&x);
	x.fields[3].value.text = (struct str){ long_text, MANIFEST_MAX_TEXT };
	ck_ok(manifest_write(&x.m, &b, &err), err);
	x.fields[3].value.text.n++;
	ck_fails(manifest_write(&x.m, &b, &err), err, ERR_LIMIT);
	fill(&x);
	x.m.title = (struct str){ long_text, MANIFEST_MAX_TITLE };
	ck_ok(manifest_write(&x.m, &b, &err), err);
	x.m.title.n++;
	ck_fails(manifest_write(&x.m, &b, &err), err, ERR_LIMIT);

	fill(&x);
	for (size_t i = 0; i <= MANIFEST_MAX_PARTS; i++) {
		parts[i] = (struct manifest_part){
			.id = id_of(0), .name = STR("a"), .media = STR("a/b")
		};
		parts[i].id.b[0] = (uint8_t)(i >> 8);
		parts[i].id.b[1] = (uint8_t)i;
		parts[i].id.b[2] = 1;
	}
	x.m.parts = parts;
	x.m.part_count = MANIFEST_MAX_PARTS;
	buf_reset(&b);
	ck_ok(manifest_write(&x.m, &b, &err), err);
	ck_ok(manifest_parse(buf_str(&b), arena, &m, &err), err);
	ck_assert_uint_eq(m->part_count, MANIFEST_MAX_PARTS);
	x.m.part_count++;
	ck_fails(manifest_write(&x.m, &b, &err), err, ERR_LIMIT);
	x.m.part_count = 2;
	parts[1].id = parts[0].id;
	ck_fails(manifest_write(&x.m, &b, &err), err, ERR_INVALID);

	fill(&x);
	for (size_t i = 0; i <= MANIFEST_MAX_FIELDS; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%zu", i);
		fields[i] = (struct field){ str_of(strdup(name)), VALUE_OF_INT((int64_t)i) };
	}
	x.m.fields = fields;
	x.m.field_count = MANIFEST_MAX_FIELDS;
	buf_reset(&b);
	ck_ok(manifest_write(&x.m, &b, &err), err);
	ck_ok(manifest_parse(buf_str(&b), arena, &m, &err), err);
	ck_assert(str_is(m->fields[2].name, "f10"));
	x.m.field_count++;
	ck_fails(manifest_write(&x.m, &b, &err), err, ERR_LIMIT);
	for (size_t i = 0; i < 20; i++)
		fields[i].value = VALUE_OF_TEXT(((struct str){ long_text, MANIFEST_MAX_TEXT }));
	x.m.field_count = 20;
	ck_fails(manifest_write(&x.m, &b, &err), err, ERR_LIMIT);
	free((char *)(uintptr_t)fields[1].name.p);
	fields[1].name = fields[0].name;
	x.m.field_count = 2;
	ck_fails(manifest_write(&x.m, &b, &err), err, ERR_INVALID);
	for (size_t i = 0; i <= MANIFEST_MAX_FIELDS; i++)
		if (i != 1)
			free((char *)(uintptr_t)fields[i].name.p);
	free(fields);
	free(parts);
	buf_done(&b);
}
END_TEST

START_TEST(chunks_are_of_four_mebibytes)
{
	ck_assert_uint_eq(manifest_chunks(0), 1);
	ck_assert_uint_eq(manifest_chunks(1), 1);
	ck_assert_uint_eq(manifest_chunks(MANIFEST_CHUNK_BYTES), 1);
	ck_assert_uint_eq(manifest_chunks(MANIFEST_CHUNK_BYTES + 1), 2);
}
END_TEST

/* REC-06: a correction shows the value before and the value after. */
START_TEST(rec_06_before_and_after)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);
	const struct manifest_change *changes = NULL;
	struct example x, y;
	size_t n = 9;

	fill(&x);
	fill(&y);
	manifest_diff(&x.m, &y.m, arena, &changes, &n);
	ck_assert_uint_eq(n, 0);
	y.m.title = STR("改正后的题名");
	y.fields[1].value.number = 19801;
	y.fields[3].name = STR("other");
	y.part.id = id_of(8);
	y.part.sha256 = digest_of(8);
	y.link.rel = STR("result");
	manifest_diff(&x.m, &y.m, arena, &changes, &n);
	ck_assert_uint_eq(n, 7);
	ck_assert_str_eq(changes[0].member, "title");
	ck_assert(str_is(changes[0].before->text, "某某公司资质审核"));
	ck_assert(str_is(changes[0].after->text, "改正后的题名"));
	ck_assert(str_is(changes[1].name, "amount"));
	ck_assert_int_eq(changes[1].before->number, 19800);
	ck_assert_int_eq(changes[1].after->number, 19801);
	ck_assert_int_eq(changes[2].kind, CHANGE_ADDED);
	ck_assert(str_is(changes[2].name, "other"));
	ck_assert_int_eq(changes[3].kind, CHANGE_REMOVED);
	ck_assert(str_is(changes[3].name, "name"));
	ck_assert_int_eq(changes[4].kind, CHANGE_CHANGED);
	ck_assert_str_eq(changes[4].member, "part");
	ck_assert_ptr_eq(changes[4].part_before, &x.part);
	ck_assert_ptr_eq(changes[4].part_after, &y.part);
	ck_assert_int_eq(changes[5].kind, CHANGE_ADDED);
	ck_assert_int_eq(changes[6].kind, CHANGE_REMOVED);
	y.part.name = STR("另一份.pdf");
	manifest_diff(&x.m, &y.m, arena, &changes, &n);
	ck_assert_uint_eq(n, 8);
	ck_assert_int_eq(changes[4].kind, CHANGE_ADDED);
	ck_assert_int_eq(changes[5].kind, CHANGE_REMOVED);
}
END_TEST

TESTS("core/model/manifest", the_bytes_are_those_of_the_format, two_steps_give_the_same,
	they_are_canonical_json, it_is_read_back, what_the_writer_would_not_make_is_refused,
	limits_hold_on_both_sides, chunks_are_of_four_mebibytes, rec_06_before_and_after)
