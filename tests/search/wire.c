/* The answer's format: what it takes, and that it takes nothing else. */
#include "tests/harness.h"

#include "search/extract_wire.h"

#include <string.h>

static void full_answer(struct buf *b)
{
	wire_begin(b);
	wire_add(b, WIRE_TYPE, STR("text/plain"));
	wire_add(b, WIRE_TITLE, STR("题目"));
	wire_add(b, WIRE_AUTHOR, STR("王五"));
	wire_add(b, WIRE_DATE, STR("2026-02-28"));
	wire_add_page(b, 1, STR("一月"), STR("文本\n\t"));
	wire_add_page(b, 0, STR(""), STR(""));
	wire_add_file(b, STR("a.txt"), STR("\0\1\2"));
	wire_add(b, WIRE_CUT, STR(""));
	wire_end(b, EXTRACT_OK);
}

START_TEST(a_whole_answer_is_taken)
{
	struct buf b = BUF_INIT;
	struct wire_answer a = { 0 };
	struct err err = ERR_INIT;

	full_answer(&b);
	ck_ok(wire_parse(buf_str(&b), 8, &a, &err), err);
	ck_assert_str_eq(a.text->media_type, "text/plain");
	ck_assert(str_is(a.text->title, "题目") && str_is(a.text->author, "王五"));
	ck_assert(str_is(a.text->date, "2026-02-28"));
	ck_assert_uint_eq(a.text->page_count, 2);
	ck_assert_uint_eq(a.text->pages[0].number, 1);
	ck_assert(str_is(a.text->pages[0].label, "一月") &&
		  str_is(a.text->pages[0].text, "文本\n\t"));
	ck_assert_uint_eq(a.text->text_bytes, 8);
	ck_assert(a.text->is_cut);
	ck_assert_uint_eq(a.file_count, 1);
	ck_assert(str_is(a.files[0].name, "a.txt") && a.files[0].bytes.n == 3);
	wire_answer_done(&a);
	ck_fails(wire_parse(buf_str(&b), 7, &a, &err), err,
		ERR_INVALID); /* one byte of text too many */
	buf_done(&b);
}
END_TEST

START_TEST(every_cut_and_every_addition_is_refused)
{
	struct buf b = BUF_INIT;
	struct wire_answer a = { 0 };
	struct err err = ERR_INIT;

	full_answer(&b);
	for (size_t n = 0; n < b.n; n++)
		ck_fails(wire_parse((struct str){ b.p, n }, 100, &a, &err), err, ERR_INVALID);
	buf_addc(&b, 'x');
	ck_fails(wire_parse(buf_str(&b), 100, &a, &err), err, ERR_INVALID);
	buf_done(&b);
}
END_TEST

/* A frame in the middle of an otherwise good answer. */
static void refused(enum wire_kind kind, struct str body)
{
	struct buf b = BUF_INIT;
	struct wire_answer a = { 0 };
	struct err err = ERR_INIT;

	wire_begin(&b);
	wire_add(&b, kind, body);
	wire_end(&b, EXTRACT_OK);
	ck_fails(wire_parse(buf_str(&b), 100, &a, &err), err, ERR_INVALID);
	buf_done(&b);
}

START_TEST(what_a_captured_reader_may_try)
{
	char longer[WIRE_MAX_LINE + 1];

	memset(longer, 'a', sizeof(longer));
	refused((enum wire_kind)0, STR(""));
	refused((enum wire_kind)9, STR(""));
	refused(WIRE_TYPE, STR(""));
	refused(WIRE_TYPE, STR("text/plain; charset=x"));
	refused(WIRE_TYPE, STR("text\0plain"));
	refused(WIRE_TYPE, (struct str){ longer, WIRE_MAX_TYPE + 1 });
	refused(WIRE_TITLE, STR(""));
	refused(WIRE_TITLE, STR("a\nb"));
	refused(WIRE_TITLE, STR("a\xff"));
	refused(WIRE_TITLE, (struct str){ longer, sizeof(longer) });
	refused(WIRE_DATE, STR("2026-02-29"));
	refused(WIRE_DATE, STR("2026-2-1"));
	refused(WIRE_PAGE, STR("\0\0\0\1\0"));
	refused(WIRE_PAGE, STR("\0\0\0\1\0\2a"));
	refused(WIRE_PAGE, STR("\0\0\0\1\0\0a\0b"));
	refused(WIRE_PAGE, STR("\0\0\0\1\0\0a\rb"));
	refused(WIRE_PAGE, STR("\0\0\0\1\0\0a\xc2\x85"));
	refused(WIRE_PAGE, STR("\0\0\0\1\0\0\xe4\xb8"));
	refused(WIRE_PAGE, STR("\0\0\0\1\0\1\nx"));
	refused(WIRE_FILE, STR("\0\1\nx"));
	refused(WIRE_CUT, STR("x"));
	refused(WIRE_END, STR("\0\0"));
	refused(WIRE_END, STR("\x7f"));
}
END_TEST

START_TEST(order_and_number_matter)
{
	struct buf b = BUF_INIT;
	struct wire_answer a = { 0 };
	struct err err = ERR_INIT;

	/* the type is first */
	wire_begin(&b);
	wire_add(&b, WIRE_TITLE, STR("a"));
	wire_add(&b, WIRE_TYPE, STR("a/b"));
	wire_end(&b, EXTRACT_OK);
	ck_fails(wire_parse(buf_str(&b), 100, &a, &err), err, ERR_INVALID);
	/* one title */
	buf_reset(&b);
	wire_begin(&b);
	wire_add(&b, WIRE_TITLE, STR("a"));
	wire_add(&b, WIRE_TITLE, STR("a"));
	wire_end(&b, EXTRACT_OK);
	ck_fails(wire_parse(buf_str(&b), 100, &a, &err), err, ERR_INVALID);
	/* pages only with success */
	buf_reset(&b);
	wire_begin(&b);
	wire_add_page(&b, 1, STR(""), STR("a"));
	wire_end(&b, EXTRACT_DAMAGED);
	ck_fails(wire_parse(buf_str(&b), 100, &a, &err), err, ERR_INVALID);
	/* the number of files */
	for (size_t n = WIRE_MAX_FILES; n <= WIRE_MAX_FILES + 1; n++) {
		buf_reset(&b);
		wire_begin(&b);
		for (size_t i = 0; i < n; i++)
			wire_add_file(&b, STR(""), STR("x"));
		wire_end(&b, EXTRACT_OK);
		if (n == WIRE_MAX_FILES) {
			ck_ok(wire_parse(buf_str(&b), 100, &a, &err), err);
			wire_answer_done(&a);
		} else {
			ck_fails(wire_parse(buf_str(&b), 100, &a, &err), err, ERR_INVALID);
		}
	}
	buf_done(&b);
}
END_TEST

TESTS("search/wire", a_whole_answer_is_taken, every_cut_and_every_addition_is_refused,
	what_a_captured_reader_may_try, order_and_number_matter)
