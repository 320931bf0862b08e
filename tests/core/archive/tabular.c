/* Tables for spreadsheets: a cell is text, whatever stands in it; and the verb that fills them. */
#include "tests/core/archive/fixture.h"
#include "tests/harness.h"

#include "core/archive/tabular.h"
#include "core/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

START_TEST(csv_cells_are_text)
{
	static const struct {
		const char *cell, *text;
	} rows[] = { { "a", "\"a\"" }, { "", "\"\"" }, { "a\"b", "\"a\"\"b\"" },
		{ "=1+1", "\"'=1+1\"" }, { "+1", "\"'+1\"" }, { "-1", "\"'-1\"" },
		{ "@x", "\"'@x\"" }, { "\tx", "\"'\tx\"" }, { "a=b", "\"a=b\"" },
		{ "a\nb", "\"a\nb\"" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		csv_begin(&b);
		csv_cell(&b, str_of(rows[i].cell));
		csv_cell(&b, STR("x"));
		csv_end_line(&b);
		csv_cell(&b, STR("y"));
		ck_assert(strncmp(b.p, "\xef\xbb\xbf", 3) == 0);
		ck_assert(strncmp(b.p + 3, rows[i].text, strlen(rows[i].text)) == 0);
		ck_assert_str_eq(b.p + 3 + strlen(rows[i].text), ",\"x\"\r\n\"y\"");
	}
}
END_TEST

START_TEST(a_long_cell_is_cut_between_characters)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT, b = BUF_INIT;

	for (int i = 0; i < TABULAR_CELL_MAX; i++)
		buf_adds(&text, "召");
	csv_cell(&b, buf_str(&text));
	ck_assert(b.n <= TABULAR_CELL_MAX + 2);
	ck_assert(b.n > TABULAR_CELL_MAX - 4);
	ck_assert(str_is_utf8(buf_str(&b)));
}
END_TEST

static void export(struct desk *d, const char *view, const char *format, const char *request,
	struct buf *ret, struct json **ret_reply)
{
	int fd = memfd_create("table", MFD_CLOEXEC), out = dup(fd);

	*ret_reply = say_with(d, &fd, 1, "export", "{'view':'%s','format':'%s','request':%s}", view,
		format, request);
	(void)lseek(out, 0, SEEK_SET);
	read_fd(out, ret);
}

START_TEST(exactly_the_view)
{
	const char *path = world_new();
	_cleanup_(desk_freep) struct desk *d = world_desk(path);
	_cleanup_(buf_done) struct buf csv = BUF_INIT, xlsx = BUF_INIT, hits = BUF_INIT;
	struct json *reply;

	for (int i = 0; i < 3; i++)
		json_free(say(d, "file",
			"{'series':'GEN','department':'%s','title':'=封口记录 "
			"%d','date':'2026-10-13'}",
			i < 2 ? "质量管理部" : "运营部", i));
	export(d, "list", "csv", "{'series':'GEN','department':'质量管理部'}", &csv, &reply);
	ck_assert_int_eq(int_at(reply, "rows"), 2);
	ck_assert(bool_at(reply, "complete"));
	json_free(reply);
	ck_assert_ptr_nonnull(strstr(csv.p, "\"'=封口记录 0\""));
	ck_assert_ptr_nonnull(strstr(csv.p, "\"'=封口记录 1\""));
	ck_assert_ptr_null(strstr(csv.p, "封口记录 2"));
	ck_assert_ptr_nonnull(strstr(csv.p, "\"2026-10-13\""));
	export(d, "list", "xlsx", "{'series':'GEN'}", &xlsx, &reply);
	ck_assert_int_eq(int_at(reply, "rows"), 3);
	json_free(reply);
	ck_assert(xlsx.n > 1000 && memcmp(xlsx.p, "PK\3\4", 4) == 0);
	export(d, "search", "csv", "{'query':'封口','fresh':true}", &hits, &reply);
	ck_assert_int_eq(int_at(reply, "rows"), 3);
	json_free(reply);
	ck_assert_ptr_nonnull(strstr(hits.p, "封口记录 2"));
}
END_TEST

START_TEST(what_is_no_view)
{
	_cleanup_(desk_freep) struct desk *d = world_desk(world_new());
	int fd = memfd_create("table", MFD_CLOEXEC);

	say_fails(d, ERR_INVALID, NULL, &fd, 1, "export", "{'view':'x','format':'csv'}");
	fd = memfd_create("table", MFD_CLOEXEC);
	say_fails(d, ERR_INVALID, NULL, &fd, 1, "export", "{'view':'list','format':'pdf'}");
	fd = memfd_create("table", MFD_CLOEXEC);
	say_fails(d, ERR_INVALID, NULL, &fd, 1, "export",
		"{'view':'list','format':'csv','request':{'nonsense':1}}");
}
END_TEST

TESTS("core/archive/tabular", csv_cells_are_text, a_long_cell_is_cut_between_characters,
	exactly_the_view, what_is_no_view)
