/* term.c - tables, pairs, wrapped text and progress, column by column. */
#include "core/main/term.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/marked.h"
#include "core/main/pairs.h"
#include "core/main/progress.h"
#include "core/main/table.h"
#include "tests/harness.h"

#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

const struct command *const commands[] = { NULL };
const size_t command_count = 0;

/* A term whose output can be read back. */
struct paper {
	struct term term;
	char *text;
	size_t n;
};

static void paper_open(struct paper *p)
{
	*p = (struct paper){ 0 };
	p->term.file = open_memstream(&p->text, &p->n);
}

static void paper_is(struct paper *p, const char *expected)
{
	(void)fclose(p->term.file);
	ck_assert_str_eq(p->text, expected);
	free(p->text);
}

static const struct table_column columns[] = {
	{ .title = { .zh = "编号", .en = "NUMBER" } },
	{ .title = { .zh = "题名", .en = "TITLE" }, .shrinks = 8 },
	{ .title = { .zh = "件", .en = "PARTS" }, .is_right = true },
	{ .title = { .zh = "部门", .en = "DEPARTMENT" } },
};

static struct table *sample(void)
{
	struct table *t = table_new(columns, ARRAY_LEN(columns));

	table_add(t, STR("QR-1"));
	table_add(t, STR("召回计划（一级）"));
	table_add_number(t, 2);
	table_add(t, STR("质量管理部"));
	table_add(t, STR("QR-1000"));
	table_add(t, STR("plain"));
	table_add_number(t, 1234);
	table_add(t, STR("QC\n\x1b[31m\u202e"));
	return t;
}

START_TEST(tables_align_wide_characters)
{
	_cleanup_(table_freep) struct table *t = sample();
	struct paper p;

	paper_open(&p);
	table_print(t, &p.term);
	paper_is(&p, "NUMBER   TITLE             PARTS  DEPARTMENT\n"
		     "QR-1     召回计划（一级）      2  质量管理部\n"
		     "QR-1000  plain              1234  QC\\n\\x1b[31m\\u{202e}\n");
	tr_set_language(TR_ZH);
	paper_open(&p);
	table_print(t, &p.term);
	tr_set_language(TR_EN);
	paper_is(&p, "编号     题名                件  部门\n"
		     "QR-1     召回计划（一级）     2  质量管理部\n"
		     "QR-1000  plain             1234  QC\\n\\x1b[31m\\u{202e}\n");
}
END_TEST

START_TEST(every_line_is_equally_wide_until_the_last_column)
{
	_cleanup_(table_freep) struct table *t = sample();
	struct paper p;
	struct str rest;
	size_t at = 0;

	paper_open(&p);
	table_print(t, &p.term);
	(void)fclose(p.term.file);
	for (rest = str_of(p.text); rest.n;) {
		struct str line = str_cut(&rest, '\n'), head = line;
		size_t gap = 0;

		/* The place of the last column's first letter, in columns of the screen. */
		for (size_t i = 0; i + 2 < line.n; i++)
			if (line.p[i] == ' ' && line.p[i + 1] == ' ' && line.p[i + 2] != ' ')
				gap = i + 2;
		head.n = gap;
		ck_assert(at == 0 || text_width(head) == at);
		at = text_width(head);
	}
	free(p.text);
}
END_TEST

START_TEST(no_rows_print_nothing)
{
	_cleanup_(table_freep) struct table *t = table_new(columns, ARRAY_LEN(columns));
	struct paper p;

	paper_open(&p);
	table_print(t, &p.term);
	paper_is(&p, "");
}
END_TEST

/* What a terminal of so many columns gets from `print`. */
static void on_terminal(unsigned short wide, void (*print)(struct term *t), struct buf *ret)
{
	struct winsize size = { .ws_row = 24, .ws_col = wide };
	struct termios raw;
	struct term t;
	int master, slave;
	char piece[4096];
	ssize_t n;

	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, &size), 0);
	ck_assert_int_eq(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(slave, TCSANOW, &raw), 0);
	(void)setenv("TERM", "xterm", 1);
	(void)unsetenv("NO_COLOR");
	term_init(&t, fdopen(slave, "w"), false);
	print(&t);
	(void)fclose(t.file);
	while ((n = read(master, piece, sizeof(piece))) > 0)
		buf_add(ret, piece, (size_t)n);
	(void)close(master);
}

static void print_sample(struct term *t)
{
	_cleanup_(table_freep) struct table *table = sample();

	t->has_colour = false;
	table_print(table, t);
}

START_TEST(a_narrow_terminal_shrinks_what_may)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	on_terminal(40, print_sample, &b);
	ck_assert_str_eq(b.p, "NUMBER   TITLE     PARTS  DEPARTMENT\n"
			      "QR-1     召回计…       2  质量管理部\n"
			      "QR-1000  plain      1234  QC\\n\\x1b[31m\\u{202e}\n");
}
END_TEST

static void print_mark(struct term *t)
{
	marked_put(t, STR("a" MARK_START "b\x1b" MARK_END "c"));
}

START_TEST(marks_are_colour_or_brackets_and_foreign_escapes_stay_out)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct paper p;

	on_terminal(80, print_mark, &b);
	ck_assert_str_eq(b.p, "a\033[1;33mb\\x1b\033[0mc");
	paper_open(&p);
	print_mark(&p.term);
	paper_is(&p, "a【b\\x1b】c");
}
END_TEST

START_TEST(colour_obeys)
{
	struct term t;

	(void)setenv("TERM", "xterm", 1);
	term_init(&t, stdout, false);
	ck_assert(t.is_terminal || !t.has_colour);
	ck_assert_str_eq(term_style(&(struct term){ .has_colour = false }, TERM_BAD), "");
	ck_assert_str_ne(term_style(&(struct term){ .has_colour = true }, TERM_BAD), "");
}
END_TEST

START_TEST(running_text_wraps)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	term_add_wrapped(&b, STR("one two three four"), 2, 12);
	ck_assert_str_eq(b.p, "one two\n  three four");
	buf_reset(&b);
	term_add_wrapped(&b, STR("校验全部历史，包括签名。"), 0, 10);
	ck_assert_str_eq(b.p, "校验全部历\n史，包括签\n名。");
	buf_reset(&b);
	term_add_wrapped(&b, STR("用 muniment verify 校验"), 0, 12);
	ck_assert_str_eq(b.p, "用 muniment\nverify 校验");
	buf_reset(&b);
	term_add_wrapped(&b, STR("unbreakableunbreakable x"), 0, 8);
	ck_assert_str_eq(b.p, "unbreakableunbreakable\nx");
}
END_TEST

START_TEST(pairs_align)
{
	_cleanup_(pairs_freep) struct pairs *p = pairs_new();
	struct paper paper;

	pairs_add(p, STR("编号"), STR("QR-1"));
	pairs_add(p, STR("empty"), STR(""));
	pairs_add(p, STR("reason"), STR("one\ntwo\x07\n"));
	paper_open(&paper);
	pairs_print(p, &paper.term, 2);
	paper_is(&paper, "  编号    QR-1\n  reason  one\n          two\\x07\n");
}
END_TEST

START_TEST(lines_are_made_safe_one_by_one)
{
	struct paper p;

	paper_open(&p);
	term_put_lines(&p.term, 2, STR("a\x1b]0;x\x07\n\nb\n"));
	paper_is(&p, "  a\\x1b]0;x\\x07\n  \n  b\n");
}
END_TEST

START_TEST(sizes_and_durations)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	term_add_size(&b, 0);
	buf_adds(&b, " / ");
	term_add_size(&b, 1023);
	buf_adds(&b, " / ");
	term_add_size(&b, 1024);
	buf_adds(&b, " / ");
	term_add_size(&b, (1 << 20) - 1);
	buf_adds(&b, " / ");
	term_add_size(&b, UINT64_MAX);
	ck_assert_str_eq(b.p, "0 B / 1023 B / 1.0 KiB / 1.0 MiB / 16.0 EiB");
	buf_reset(&b);
	term_add_duration(&b, 7);
	buf_adds(&b, " / ");
	term_add_duration(&b, 725);
	buf_adds(&b, " / ");
	term_add_duration(&b, 3723);
	ck_assert_str_eq(b.p, "0:07 / 12:05 / 1:02:03");
}
END_TEST

START_TEST(progress_in_a_log_is_sparse)
{
	struct paper p;
	struct progress *progress;

	paper_open(&p);
	progress = progress_new(&p.term, "verify", false);
	for (uint64_t i = 0; i <= 1000; i++) {
		struct progress_state s = { i, 1000, i, "records" };

		progress_step(progress, &s, (int64_t)i * 10000000);
	}
	progress_free(progress);
	paper_is(&p, "verify  100/1000 records  10%  100.0/s  remaining 0:09\n"
		     "verify  200/1000 records  20%  100.0/s  remaining 0:08\n"
		     "verify  300/1000 records  30%  100.0/s  remaining 0:07\n"
		     "verify  400/1000 records  40%  100.0/s  remaining 0:06\n"
		     "verify  500/1000 records  50%  100.0/s  remaining 0:05\n"
		     "verify  600/1000 records  60%  100.0/s  remaining 0:04\n"
		     "verify  700/1000 records  70%  100.0/s  remaining 0:03\n"
		     "verify  800/1000 records  80%  100.0/s  remaining 0:02\n"
		     "verify  900/1000 records  90%  100.0/s  remaining 0:01\n"
		     "verify  1000/1000 records  100%  100.0/s\n");
}
END_TEST

START_TEST(progress_without_a_total_speaks_every_ten_seconds)
{
	struct paper p;
	struct progress *progress;

	paper_open(&p);
	progress = progress_new(&p.term, "import", false);
	for (uint64_t i = 0; i <= 21; i++) {
		struct progress_state s = { .done = i, .count = i };

		progress_step(progress, &s, (int64_t)i * 1000000000);
	}
	progress_free(progress);
	paper_is(&p, "import  10  1.0/s\nimport  20  1.0/s\n");
}
END_TEST

START_TEST(a_resumed_job_estimates_by_what_it_did_itself)
{
	struct paper p;
	struct progress *progress;

	paper_open(&p);
	progress = progress_new(&p.term, "reindex", false);
	progress_step(progress, &(struct progress_state){ 500, 1000, 500, NULL }, 0);
	progress_step(progress, &(struct progress_state){ 600, 1000, 600, NULL }, 10000000000);
	progress_free(progress);
	paper_is(&p, "reindex  600/1000  60%  10.0/s  remaining 0:40\n");
}
END_TEST

static void print_progress(struct term *t)
{
	struct progress *p = progress_new(t, "索引", false);

	progress_step(p, &(struct progress_state){ 1, 10, 1, NULL }, 0);
	progress_step(p, &(struct progress_state){ 2, 10, 2, NULL }, 1000); /* too soon */
	progress_step(p, &(struct progress_state){ 3, 10, 3, NULL }, 1000000000);
	progress_free(p);
}

START_TEST(progress_on_a_terminal_is_one_line_no_wider_than_it)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	on_terminal(24, print_progress, &b);
	ck_assert_str_eq(b.p, "\r索引  1/10  10%\033[K\r索引  3/10  30%  2.0/s \033[K\r\033[K");
}
END_TEST

TESTS("core/main/term", tables_align_wide_characters,
	every_line_is_equally_wide_until_the_last_column, no_rows_print_nothing,
	a_narrow_terminal_shrinks_what_may,
	marks_are_colour_or_brackets_and_foreign_escapes_stay_out, colour_obeys, running_text_wraps,
	pairs_align, lines_are_made_safe_one_by_one, sizes_and_durations,
	progress_in_a_log_is_sparse, progress_without_a_total_speaks_every_ten_seconds,
	a_resumed_job_estimates_by_what_it_did_itself,
	progress_on_a_terminal_is_one_line_no_wider_than_it)
