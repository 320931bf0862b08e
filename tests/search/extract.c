/* Text extraction through the real helper in the real jail, over the documents of tests/make_samples.py. */
#include "tests/harness.h"

#include "core/base/file.h"
#include "search/extract.h"
#include "search/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORD "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#define SHEET "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#define SLIDES "application/vnd.openxmlformats-officedocument.presentationml.presentation"
#define ODF "application/vnd.oasis.opendocument."
#define SPACED \
	"各部门在接到通知后三天之内自查一遍，记录不良事\n件监测、投诉举报和抽检的情况，由质量管理" \
	"部汇总。\n"

static const struct extract_options usual = EXTRACT_OPTIONS_DEFAULT;

static struct extracted *read_at(
	const struct extract_options *o, const char *path, const char *name)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct extracted *e = NULL;
	struct err err = ERR_INIT;

	ck_assert_msg(fd >= 0, "cannot open '%s'", path);
	ck_ok(extract(o, fd, name, &e, &err), err);
	ck_assert_ptr_nonnull(e);
	return e;
}

static struct extracted *read_sample(const struct extract_options *o, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("MUNIMENT_SAMPLES"), name);
	return read_at(o, path, name);
}

static struct extracted *read_bytes(
	const struct extract_options *o, const void *p, size_t n, const char *name)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int fd = jail_memfd_new(&err);
	struct extracted *e = NULL;

	ck_ok(fd, err);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	ck_ok(jail_memfd_seal(fd, &err), err);
	ck_ok(extract(o, fd, name, &e, &err), err);
	return e;
}

/* All pages as "@number/attachment label", a line break, the text and a line break. */
static void write_out(const struct extracted *e, struct buf *ret)
{
	for (size_t i = 0; i < e->page_count; i++)
		buf_addf(ret, "@%u/%u %.*s\n%.*s\n", e->pages[i].number, e->pages[i].attachment,
			STR_ARG(e->pages[i].label), STR_ARG(e->pages[i].text));
}

struct expected {
	const char *name;
	enum extract_reason reason;
	const char *media_type;
	const char *text;
};

static void check_one(const struct expected *x)
{
	_cleanup_(extracted_freep) struct extracted *e = read_sample(NULL, x->name);
	struct buf text = BUF_INIT;

	write_out(e, &text);
	ck_assert_msg(e->reason == x->reason, "%s: %s", x->name, extract_reason_word(e->reason));
	ck_assert_msg(
		strcmp(e->media_type, x->media_type) == 0, "%s: is '%s'", x->name, e->media_type);
	ck_assert_msg(strcmp(text.p, x->text ? x->text : "") == 0, "%s:\n%s\nexpected:\n%s",
		x->name, text.p, x->text);
	ck_assert_msg(x->reason == EXTRACT_OK || e->page_count == 0, "%s has pages", x->name);
	buf_done(&text);
}

static const char word_text[] =
	"@0/0 \n召回计划\n责任到人。\n左\t右\n下一行\n批号\tB20260918\n温度\t121℃\n保持\n"
	"新加的话\n文本框\n脚注文字\n请补签字\n受控文件\n第一页\n";
static const char html_text[] = "@0/0 \n网页标题\n大标题\n第一段加粗\n甲\t乙\n<尾> end\n";
static const char pdf_text[] =
	"@1/0 \n第一页：召回计划\nBatch B20260918\n@2/0 \n第二页：责任到人\n";

START_TEST(every_format_gives_its_text)
{
	static const struct expected rows[] = {
		{ "word.docx", EXTRACT_OK, WORD, word_text },
		{ "numbered.docx", EXTRACT_OK, WORD,
			"@0/0 \n第一章 总则\n第一条 目的\n第二条 范围\n不编号\n第二章 职责\n第一条 "
			"部门\n"
			"1 甲\n1.a) 乙\n1.b) 丙\n1.2.1 丁\n点\n2 戊\n2.a) 己\n4 庚\n5 辛\n没有\n" },
		{ "sheet.xlsx", EXTRACT_OK, SHEET,
			"@1/0 台账\n设备编号\tSB-001\n2026-11-01\t2026-11-01\t2026-11-01 "
			"14:30\t12:00\t0.1\t1000\t"
			"TRUE\t直接\t公式值\t1900-02-28\t1900-01-01\n批注\n@2/0 附表\n第二页\n" },
		{ "slides.pptx", EXTRACT_OK, SLIDES,
			"@1/0 \n培训材料\n讲稿备注\n@2/0 \n年度总结\n" },
		{ "text.odt", EXTRACT_OK, ODF "text",
			"@0/0 \n投诉处理\n甲 乙 丙\n丁\n格一\t格二\n换行不断字\n页眉\n页脚\n" },
		{ "sheet.ods", EXTRACT_OK, ODF "spreadsheet",
			"@1/0 一月\n2026-01-31\t2026-01-31 14:30\t12.50\n@2/0 二月\n空表\n" },
		{ "slides.odp", EXTRACT_OK, ODF "presentation", "@1/0 封面\n一\n@2/0 正文\n二\n" },
		{ "page.ofd", EXTRACT_OK, "application/ofd",
			"@1/0 \n购买方名称\n税额 12.00\n@2/0 \n第二页\n" },
		{ "plain.pdf", EXTRACT_OK, "application/pdf", pdf_text },
		{ "stretched.pdf", EXTRACT_OK, "application/pdf",
			"@1/0 \n这一行字被拉开了\n这一行字没有拉开\n" },
		/* In the order in which it was written: a hanging line is no column. */
		{ "hanging.pdf", EXTRACT_OK, "application/pdf",
			"@1/0 \n产品名称：输液延长管 规格型号：一五〇 注册证号：澄械注准\n号后的字 "
			"有效期：两年\n" },
		{ "openable.pdf", EXTRACT_OK, "application/pdf", "@1/0 \nSealed words\n" },
		{ "page.html", EXTRACT_OK, "text/html", html_text },
		{ "gbk.html", EXTRACT_OK, "text/html", html_text },
		{ "note.md", EXTRACT_OK, "text/markdown", "@0/0 \n# 标题\n\n正文 *强调*\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_one(&rows[i]);
}
END_TEST

START_TEST(every_charset_gives_its_text)
{
	static const struct expected rows[] = {
		{ "utf8.txt", EXTRACT_OK, "text/plain", "@0/0 \n纯文本\n第二行\n" },
		{ "mark.txt", EXTRACT_OK, "text/plain", "@0/0 \n有标记\n" },
		{ "utf16.txt", EXTRACT_OK, "text/plain", "@0/0 \n宽文本，双字节\n" },
		{ "utf16be.txt", EXTRACT_OK, "text/plain", "@0/0 \n宽文本ABC abc abc\n" },
		{ "gbk.txt", EXTRACT_OK, "text/plain",
			"@0/0 \n国标文本：质量管理体系，责任到人。\n" },
		{ "gb18030.txt", EXTRACT_OK, "text/plain",
			"@0/0 \n四字节：㐀㐁，质量管理体系文件审核批准管理\n" },
		{ "latin.txt", EXTRACT_OK, "text/plain",
			"@0/0 \nPrüfung der Geräte, geänderte Fassung vom März\n" },
		{ "cut.txt", EXTRACT_OK, "text/plain", "@0/0 \n切断在字中间的文本文\n" },
		/* Lines of full width with empty ones between them are lines; items are paragraphs. */
		{ "spaced.txt", EXTRACT_OK, "text/plain",
			"@0/0 \n通知\n" SPACED SPACED SPACED SPACED SPACED "\n落款\n" },
		{ "items.txt", EXTRACT_OK, "text/plain",
			"@0/0 \n第1项。\n\n第2项。。\n\n第3项。。。\n\n第4项。。。。\n\n第5项。。"
			"。。。\n\n"
			"第6项。。。。。。\n\n第7项。。。。。。。\n\n第8项。。。。。。。。\n\n"
			"第9项。。。。。。。。。\n\n第10项。。。。。。。。。。\n\n"
			"第11项。。。。。。。。。。。\n\n第12项。。。。。。。。。。。。\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_one(&rows[i]);
}
END_TEST

START_TEST(mail_gives_headers_text_and_attachments)
{
	static const struct expected rows[] = {
		{ "gb2312.eml", EXTRACT_OK, "message/rfc822",
			"@0/0 \nSubject: 关于召回的通知\nFrom: 张三 <zhang@example.com>\nTo: "
			"li@example.com\n"
			"Date: 2026-05-20 09:02\n请于今日停止销售该批号。镕字在国标扩展里。\n" },
		{ "words.eml", EXTRACT_OK, "message/rfc822",
			"@0/0 \nSubject: 关于变更着色母粒供应商的通知\nFrom: 质量管理部李四 "
			"<li@example.com>\n"
			"Date: 2026-05-20 09:02\nbody\nAttachment: 召回通知书第二版.txt\n"
			"@0/1 召回通知书第二版.txt\n附件里的字\n" },
		{ "html.eml", EXTRACT_OK, "message/rfc822",
			"@0/0 \nSubject: only html\nFrom: b@example.com\nTo: c@example.com\nDate: "
			"2026-05-20 09:02\n"
			"网页正文\n" },
		{ "attached.eml", EXTRACT_OK, "message/rfc822",
			"@0/0 \nSubject: attached\nFrom: b@example.com\nTo: c@example.com\nDate: "
			"2026-05-20 09:02\n"
			"正文在此\nAttachment: 报价 ../单.xlsx\nAttachment: 说明.pdf\nAttachment: "
			"logo.png\n"
			"Attachment: inner\n"
			"@1/1 报价 ../单.xlsx: "
			"台账\n设备编号\tSB-001\n2026-11-01\t2026-11-01\t2026-11-01 14:30\t12:00\t"
			"0.1\t1000\tTRUE\t直接\t公式值\t1900-02-28\t1900-01-01\n批注\n"
			"@2/1 报价 ../单.xlsx: 附表\n第二页\n"
			"@1/2 说明.pdf\n第一页：召回计划\nBatch B20260918\n@2/2 "
			"说明.pdf\n第二页：责任到人\n"
			"@0/4 inner\nSubject: inner\nFrom: a@example.com\nDate: 2026-05-20 "
			"09:02\n转发的内容\n"
			"Attachment: 深处.docx\n@0/5 深处.docx\n第二层附件\n" },
	};
	struct extract_options none = usual;
	struct extracted *e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_one(&rows[i]);
	e = read_sample(NULL, "attached.eml");
	ck_assert(!e->is_cut);
	extracted_free(e);
	/* What is deeper than allowed, or more, is left out, and the answer says so. */
	e = read_sample(NULL, "nested.eml");
	ck_assert(e->is_cut);
	ck_assert_uint_eq(e->page_count, 3);
	extracted_free(e);
	none.max_attachments = 1;
	e = read_sample(&none, "attached.eml");
	ck_assert(e->is_cut);
	ck_assert_uint_eq(e->page_count, 3);
	extracted_free(e);
	none.max_nesting = 0;
	e = read_sample(&none, "attached.eml");
	ck_assert(e->is_cut);
	ck_assert_uint_eq(e->page_count, 1);
	extracted_free(e);
}
END_TEST

START_TEST(properties_come_along)
{
	static const struct {
		const char *name, *title, *author, *date;
	} rows[] = {
		{ "word.docx", "灭菌记录", "王五", "2026-05-20" },
		{ "text.odt", "投诉登记", "赵六", "2026-03-01" },
		{ "plain.pdf", "召回报告", "Zhao", "2026-05-20" },
		{ "page.html", "网页标题", "", "" },
		{ "gb2312.eml", "关于召回的通知", "张三 <zhang@example.com>", "2026-05-20" },
		{ "attached.eml", "attached", "b@example.com", "2026-05-20" },
		{ "utf8.txt", "", "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(extracted_freep) struct extracted *e = read_sample(NULL, rows[i].name);

		ck_assert_msg(str_is(e->title, rows[i].title), "%s: %.*s", rows[i].name,
			STR_ARG(e->title));
		ck_assert_msg(str_is(e->author, rows[i].author), "%s: %.*s", rows[i].name,
			STR_ARG(e->author));
		ck_assert_msg(
			str_is(e->date, rows[i].date), "%s: %.*s", rows[i].name, STR_ARG(e->date));
	}
}
END_TEST

START_TEST(broken_and_hostile_files_have_a_reason)
{
	static const struct expected rows[] = {
		{ "zero.docx", EXTRACT_EMPTY, "", NULL },
		{ "blank.pdf", EXTRACT_BLANK, "application/pdf", NULL },
		{ "empty.docx", EXTRACT_BLANK, WORD, NULL },
		{ "scan.pdf", EXTRACT_PICTURE, "application/pdf", NULL },
		{ "picture.png", EXTRACT_PICTURE, "image/png", NULL },
		{ "password.pdf", EXTRACT_ENCRYPTED, "application/pdf", NULL },
		{ "password.docx", EXTRACT_ENCRYPTED, "application/x-ole-storage", NULL },
		{ "password.odt", EXTRACT_ENCRYPTED, ODF "text", NULL },
		{ "locked.docx", EXTRACT_ENCRYPTED, "application/zip", NULL },
		{ "truncated.pdf", EXTRACT_DAMAGED, "application/pdf", NULL },
		{ "notpdf.pdf", EXTRACT_DAMAGED, "application/pdf", NULL },
		{ "truncated.docx", EXTRACT_DAMAGED, "application/zip", NULL },
		{ "cutxml.docx", EXTRACT_DAMAGED, WORD, NULL },
		{ "laughs.docx", EXTRACT_BOMB, WORD, NULL },
		{ "external.docx", EXTRACT_BOMB, WORD, NULL },
		{ "deep.docx", EXTRACT_BOMB, WORD, NULL },
		{ "bomb.docx", EXTRACT_BOMB, WORD, NULL },
		{ "many.docx", EXTRACT_BOMB, "application/zip", NULL },
		{ "nested.zip", EXTRACT_TYPE, "application/zip", NULL },
		{ "plain.zip", EXTRACT_TYPE, "application/zip", NULL },
		{ "scan.ofd", EXTRACT_PICTURE, "application/ofd", NULL },
		{ "rootless.ofd", EXTRACT_DAMAGED, "application/ofd", NULL },
		{ "pageless.ofd", EXTRACT_DAMAGED, "application/ofd", NULL },
		{ "liar.txt", EXTRACT_TYPE, "application/octet-stream", NULL },
		{ "traversal.docx", EXTRACT_OK, WORD, "@0/0 \n穿越路径\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_one(&rows[i]);
	ck_assert(!file_exists(AT_FDCWD, "/tmp/muniment-was-here"));
}
END_TEST

START_TEST(a_wrong_extension_is_noted)
{
	static const struct {
		const char *name;
		bool differs;
		const char *text;
	} rows[] = {
		{ "liar.docx", true, pdf_text },
		{ "liar.pdf", true, word_text },
		{ "liar.txt", true, "" },
		{ "truncated.docx", false, "" },
		{ "plain.pdf", false, pdf_text },
		{ "note.md", false, "@0/0 \n# 标题\n\n正文 *强调*\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(extracted_freep) struct extracted *e = read_sample(NULL, rows[i].name);
		struct buf text = BUF_INIT;

		write_out(e, &text);
		ck_assert_str_eq(text.p, rows[i].text);
		ck_assert_msg(e->name_differs == rows[i].differs, "%s", rows[i].name);
		buf_done(&text);
	}
}
END_TEST

START_TEST(names_can_be_anything)
{
	static const char *const names[] = { "", ".", "..", "../../etc/passwd", "a\nb.txt",
		"\u202egpj.txt", "\xff\xfe.docx", ".txt", "a.", "x.%s%n", NULL };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(extracted_freep) struct extracted *e =
			read_bytes(NULL, "hello", 5, names[i]);

		ck_assert_int_eq(e->reason, EXTRACT_OK);
		ck_assert(str_is(e->pages[0].text, "hello"));
	}
}
END_TEST

START_TEST(what_cannot_be_seen_is_not_text)
{
	_cleanup_(extracted_freep) struct extracted *e = read_sample(NULL, "hidden.txt");

	ck_assert_int_eq(e->reason, EXTRACT_OK);
	ck_assert(str_ends(e->pages[0].text, "的abcdefgh"));
}
END_TEST

START_TEST(limits_hold_on_both_sides)
{
	struct extract_options o = usual;
	struct extracted *e;

	o.max_input_bytes = 5;
	e = read_bytes(&o, "12345", 5, "a.txt");
	ck_assert_int_eq(e->reason, EXTRACT_OK);
	extracted_free(e);
	e = read_bytes(&o, "123456", 6, "a.txt");
	ck_assert_int_eq(e->reason, EXTRACT_TOO_LARGE);
	extracted_free(e);

	o = usual;
	o.max_text_bytes = 6;
	e = read_bytes(&o, "一二", 6, "a.txt");
	ck_assert(str_is(e->pages[0].text, "一二"));
	ck_assert(!e->is_cut);
	extracted_free(e);
	e = read_bytes(&o, "一二x", 7, "a.txt");
	ck_assert_int_eq(e->reason, EXTRACT_OK);
	ck_assert(str_is(e->pages[0].text, "一二"));
	ck_assert(e->is_cut);
	extracted_free(e);
	o.max_text_bytes = 5; /* never half a character */
	e = read_bytes(&o, "一二", 6, "a.txt");
	ck_assert(str_is(e->pages[0].text, "一"));
	extracted_free(e);

	o = usual;
	o.max_members = 10;
	e = read_sample(&o, "word.docx");
	ck_assert_int_eq(e->reason, EXTRACT_OK);
	extracted_free(e);
	o.max_members = 9;
	e = read_sample(&o, "word.docx");
	ck_assert_int_eq(e->reason, EXTRACT_BOMB);
	extracted_free(e);
	o.max_members = 10002;
	e = read_sample(&o, "many.docx");
	ck_assert_int_eq(e->reason, EXTRACT_TYPE);
	extracted_free(e);

	o = usual;
	o.max_unpacked_bytes = 20000;
	e = read_sample(&o, "word.docx");
	ck_assert_int_eq(e->reason, EXTRACT_OK);
	extracted_free(e);
	o.max_unpacked_bytes = 2000;
	e = read_sample(&o, "word.docx");
	ck_assert_int_eq(e->reason, EXTRACT_BOMB);
	extracted_free(e);
	o = usual;
	o.max_ratio = 2000;
	e = read_sample(&o, "bomb.docx");
	ck_assert_int_eq(e->reason, EXTRACT_OK);
	extracted_free(e);
}
END_TEST

/* The probe in place of the helper: whatever a reader does, it costs one job and has a reason. */
START_TEST(a_reader_that_goes_wrong_costs_one_job)
{
	static const struct {
		const char *order;
		enum extract_reason reason;
	} rows[] = {
		{ "well", EXTRACT_OK },
		{ "segv", EXTRACT_CRASHED },
		{ "nonsense", EXTRACT_CRASHED },
		{ "flood", EXTRACT_CRASHED },
		{ "memory", EXTRACT_CRASHED },
		{ "open /etc/passwd", EXTRACT_CRASHED },
		{ "no such order", EXTRACT_CRASHED },
		{ "loop", EXTRACT_TIMED_OUT },
		{ "sleep", EXTRACT_TIMED_OUT },
		{ "socket", EXTRACT_FORBIDDEN },
		{ "kill", EXTRACT_FORBIDDEN },
	};
	struct extract_options o = usual;

	o.helper = getenv("MUNIMENT_JAIL_PROBE");
	o.timeout_ms = 5000;
	o.max_text_bytes = 1 << 20;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct extracted *e;

		if (rows[i].reason == EXTRACT_TIMED_OUT)
			o.timeout_ms = 1500;
		e = read_bytes(&o, rows[i].order, strlen(rows[i].order), "a.txt");
		ck_assert_msg(e->reason == rows[i].reason, "%s: %s", rows[i].order,
			extract_reason_word(e->reason));
		ck_assert(e->reason == EXTRACT_OK || strlen(extract_reason_text(e->reason)) > 10);
		extracted_free(e);
	}
	o.helper = "/nowhere/muniment-extract";
	{
		_cleanup_(extracted_freep) struct extracted *e = read_bytes(&o, "x", 1, "a.txt");

		ck_assert_int_eq(e->reason, EXTRACT_NO_PROGRAM);
		ck_assert(extract_reason_is_passing(e->reason));
	}
}
END_TEST

/* A file of 2 GiB costs a look at its size; a pipe that never ends, max_input_bytes. */
START_TEST(two_gigabytes)
{
	struct err err = ERR_INIT;
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), &err);
	_cleanup_(closep) int fd = file_create(dir, "x", &err);
	_cleanup_(closep) int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct extract_options o = usual;
	struct extracted *e = NULL;

	ck_ok(fd, err);
	ck_assert_int_eq(ftruncate(fd, (off_t)2 << 30), 0);
	ck_ok(extract(NULL, fd, "x.pdf", &e, &err), err);
	ck_assert_int_eq(e->reason, EXTRACT_TOO_LARGE);
	extracted_free(e);
	o.max_input_bytes = 1 << 20;
	ck_ok(extract(&o, zero, "x.pdf", &e, &err), err);
	ck_assert_int_eq(e->reason, EXTRACT_TOO_LARGE);
	extracted_free(e);
	ck_assert_int_lt(extract(NULL, dir, "x.pdf", &e, &err), 0);
}
END_TEST

/* In a process of its own: this kernel without landlock. 0 when all is as it should be. */
static int without_landlock(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	struct extract_options o = usual;
	struct extracted *e;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		seccomp_rule_add(
			ctx, SCMP_ACT_ERRNO(ENOSYS), 444 /* landlock_create_ruleset */, 0) < 0 ||
		seccomp_load(ctx) < 0)
		return 2;
	if (jail_available())
		return 3;
	e = read_bytes(&o, "hello", 5, "a.txt");
	if (e->reason != EXTRACT_NO_JAIL || !extract_reason_is_passing(e->reason))
		return 4;
	extracted_free(e);
	o.allow_unjailed = true;
	e = read_bytes(&o, "hello", 5, "a.txt");
	if (e->reason != EXTRACT_OK)
		return 5;
	extracted_free(e);
	return 0;
}

START_TEST(without_landlock_nothing_is_read_unless_allowed)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(without_landlock());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static void *read_some(void *context)
{
	(void)context;
	for (int i = 0; i < 10; i++) {
		static const struct expected row = { "word.docx", EXTRACT_OK, WORD, word_text };

		check_one(&row);
	}
	return NULL;
}

START_TEST(many_at_once)
{
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_some, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

START_TEST(words_are_stable)
{
	static const char *const words[] = { "ok", "empty", "blank", "picture", "type", "encrypted",
		"damaged", "toolarge", "bomb", "timeout", "memory", "crashed", "forbidden",
		"nojail", "noprogram" };

	ck_assert_int_eq(ARRAY_LEN(words), EXTRACT_REASON_COUNT);
	for (int i = 0; i < EXTRACT_REASON_COUNT; i++) {
		ck_assert_str_eq(extract_reason_word((enum extract_reason)i), words[i]);
		ck_assert(i == EXTRACT_OK ||
			  strlen(extract_reason_text((enum extract_reason)i)) > 10);
	}
	ck_assert_str_eq(extract_type_of_name("a/b.DOCX"), WORD);
	ck_assert_ptr_null(extract_type_of_name("docx"));
	ck_assert_ptr_null(extract_type_of_name("a.docx.exe"));
}
END_TEST

/* ---- old office files, scans ---- */

static struct extracted *read_file(const char *name)
{
	char path[1024];

	(void)snprintf(
		path, sizeof(path), "%s/tests/search/files/%s", getenv("MUNIMENT_SOURCE"), name);
	return read_at(NULL, path, name);
}

START_TEST(old_office_files_give_their_text)
{
	static const struct {
		const char *name, *media_type, *phrase;
	} rows[] = {
		{ "maintenance.doc", "application/msword",
			"灭菌柜 EQ-017 于 2026-03-05 完成季度保养，更换门封条，真空泄漏测试合格" },
		{ "batches.xls", "application/vnd.ms-excel", "20260914-02\t1200" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(extracted_freep) struct extracted *e = read_file(rows[i].name);
		_cleanup_(buf_done) struct buf text = BUF_INIT;

		write_out(e, &text);
		ck_assert_msg(e->reason == EXTRACT_OK, "%s: %s", rows[i].name,
			extract_reason_word(e->reason));
		ck_assert_str_eq(e->media_type, rows[i].media_type);
		ck_assert_msg(strstr(text.p, rows[i].phrase), "%s: %s", rows[i].name, text.p);
		ck_assert(!e->name_differs);
	}
}
END_TEST

/* Of a file in memory, cut off or with bytes changed, there may be text or none, but an answer. */
START_TEST(broken_old_office_files_cost_nothing)
{
	static const char *const names[] = { "maintenance.doc", "batches.xls" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(buf_done) struct buf bytes = BUF_INIT_MAX(1 << 20);
		char path[1024];
		struct err err = ERR_INIT;

		(void)snprintf(
			path, sizeof(path), "%s/tests/search/files", getenv("MUNIMENT_SOURCE"));
		_cleanup_(closep) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_ok(file_read_whole(dir, names[i], &bytes, &err), err);
		for (size_t cut = 16; cut < bytes.n; cut = cut * 3 + 1) {
			_cleanup_(extracted_freep) struct extracted *e =
				read_bytes(NULL, bytes.p, cut, names[i]);

			ck_assert_int_ne(e->reason, EXTRACT_FORBIDDEN);
		}
		memset(bytes.p + 512, 0xff, 512);
		extracted_free(read_bytes(NULL, bytes.p, bytes.n, names[i]));
	}
}
END_TEST

static struct extracted *read_scan_of(
	const struct extract_options *o, const char *name, uint32_t first, uint32_t pages)
{
	char path[1024];
	struct extracted *e = NULL;
	struct err err = ERR_INIT;

	(void)snprintf(
		path, sizeof(path), "%s/tests/search/files/%s", getenv("MUNIMENT_SOURCE"), name);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_ok(extract_scan(o, fd, first, pages, &e, &err), err);
	return e;
}

static bool has_phrase(const struct extracted *e, size_t page, const char *phrase)
{
	struct str text = page < e->page_count ? e->pages[page].text : STR("");

	return memmem(text.p, text.n, phrase, strlen(phrase)) != NULL;
}

START_TEST(scans_are_recognised)
{
	_cleanup_(extracted_freep) struct extracted *first = read_file("scan.pdf");
	_cleanup_(extracted_freep) struct extracted *one = read_scan_of(NULL, "scan.pdf", 1, 1);
	_cleanup_(extracted_freep) struct extracted *two = read_scan_of(NULL, "scan.pdf", 2, 4);
	_cleanup_(extracted_freep) struct extracted *behind = read_scan_of(NULL, "scan.pdf", 3, 4);
	_cleanup_(extracted_freep) struct extracted *picture = read_scan_of(NULL, "scan.png", 1, 4);
	_cleanup_(extracted_freep) struct extracted *half = NULL;
	_cleanup_(extracted_freep) struct extracted *all = NULL;

	ck_assert_int_eq(first->reason, EXTRACT_PICTURE);
	ck_assert(extract_may_scan(first));
	ck_assert_uint_eq(one->page_count, 1);
	ck_assert_uint_eq(one->total, 2);
	ck_assert_uint_eq(one->scanned, 1);
	ck_assert_uint_eq(one->pages[0].number, 1);
	ck_assert_uint_gt(one->pages[0].sure, 80);
	ck_assert(has_phrase(one, 0, "无菌包装封口过程记录\n"));
	ck_assert(has_phrase(one, 0, "20260914-02"));
	ck_assert_uint_eq(two->scanned, 1);
	ck_assert_uint_eq(two->pages[0].number, 2);
	ck_assert(has_phrase(two, 0, "装载清单"));
	ck_assert_uint_eq(behind->page_count, 0);
	ck_assert(has_phrase(picture, 0, "抽样二十件"));
	ck_assert_uint_eq(picture->total, 1);
	half = extracted_join(first, one);
	ck_assert_uint_eq(half->scanned, 1);
	ck_assert_int_eq(half->reason, EXTRACT_OK);
	all = extracted_join(half, two);
	ck_assert_uint_eq(all->scanned, 2);
	ck_assert_uint_eq(all->page_count, 2);
	ck_assert(has_phrase(all, 0, "封口") && has_phrase(all, 1, "六十箱"));
	ck_assert_uint_gt(extracted_sure(all), 80);
	ck_assert_str_eq(all->media_type, "application/pdf");
}
END_TEST

START_TEST(what_is_no_scan_gives_a_reason)
{
	struct extract_options o = usual;
	_cleanup_(extracted_freep) struct extracted *word =
		read_scan_of(NULL, "maintenance.doc", 1, 1);
	_cleanup_(extracted_freep) struct extracted *late = NULL;

	ck_assert_int_ne(word->reason, EXTRACT_OK);
	o.timeout_ms = 1;
	late = read_scan_of(&o, "scan.pdf", 1, 4);
	ck_assert_int_eq(late->reason, EXTRACT_TIMED_OUT);
}
END_TEST

/* ---- real documents, where they are ---- */

static const char *corpus(void)
{
	static char path[1024];
	const char *asked = getenv("MUNIMENT_CORPUS");

	(void)snprintf(path, sizeof(path), "%s", asked ? asked : "");
	if (!asked)
		(void)snprintf(
			path, sizeof(path), "%s/../shared/corpus", getenv("MUNIMENT_SOURCE"));
	return access(path, R_OK) == 0 ? path : NULL;
}

START_TEST(real_documents)
{
	static const struct {
		const char *name, *phrase;
		size_t pages;
	} rows[] = {
		{ "qms/04-质量记录管理.docx", "密钥分 2 人存放", 1 },
		{ "qms/02-人员培训管理.docx", "培训", 1 },
		{ "qms/14-配合开展医疗器械不良事件调查和召回管理.pdf", "责任部门:质量管理部", 3 },
		{ "qms/15-突发事件应急处置.pdf", "应急", 5 },
		{ "regulators/2023年医疗器械质量安全专项整治工作通知.pdf", "安市监函〔2023〕201 号",
			7 },
		{ "regulators/医疗器械质量安全风险隐患排查整治工作方案.txt", "医疗器械", 1 },
		{ "scans/扫描件-质量记录管理-第1页.pdf", NULL, 0 },
	};
	const char *folder = corpus();

	if (!folder)
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[2048];
		struct extracted *e;
		bool found = false;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, rows[i].name);
		e = read_at(NULL, path, rows[i].name);
		for (size_t p = 0; p < e->page_count && rows[i].phrase; p++)
			found |= memmem(e->pages[p].text.p, e->pages[p].text.n, rows[i].phrase,
					 strlen(rows[i].phrase)) != NULL;
		ck_assert_msg(found == (rows[i].phrase != NULL), "%s", rows[i].name);
		ck_assert_uint_eq(e->page_count, rows[i].pages);
		ck_assert_int_eq(e->reason, rows[i].phrase ? EXTRACT_OK : EXTRACT_PICTURE);
		ck_assert(!e->name_differs && !e->is_cut);
		extracted_free(e);
	}
}
END_TEST

TESTS("search/extract", every_format_gives_its_text, every_charset_gives_its_text,
	mail_gives_headers_text_and_attachments, properties_come_along,
	broken_and_hostile_files_have_a_reason, a_wrong_extension_is_noted, names_can_be_anything,
	what_cannot_be_seen_is_not_text, limits_hold_on_both_sides,
	a_reader_that_goes_wrong_costs_one_job, two_gigabytes, old_office_files_give_their_text,
	broken_old_office_files_cost_nothing, scans_are_recognised, what_is_no_scan_gives_a_reason,
	without_landlock_nothing_is_read_unless_allowed, many_at_once, words_are_stable,
	real_documents)
