/* walk.c - folders and archives as hostile people make them: what comes out, what is refused and why. */
#include "core/archive/walk.h"

#include "core/base/file.h"
#include "tests/harness.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a walk told, a line each ---- */

struct told {
	struct buf lines;
	const char *root; /* cut off from paths */
	size_t stop_after;
	size_t count;
};

static int each(void *context, struct walk_item *item, struct err *err)
{
	struct told *t = context;
	struct str path = item->path;
	size_t n = strlen(t->root);

	if (str_starts(path, t->root))
		path = (struct str){ path.p + n + 1, path.n - n - 1 };
	switch (item->kind) {
	case WALK_DOCUMENT: {
		_cleanup_(buf_done) struct buf content = BUF_INIT_MAX(64 << 20);

		ck_ok(file_read_fd(item->fd, &content, err), *err);
		ck_assert_uint_eq(content.n, item->bytes);
		buf_addf(&t->lines, "%.*s [%.*s] %zu\n", STR_ARG(path), STR_ARG(item->name),
			content.n);
		break;
	}
	case WALK_LEFT_OUT:
		buf_addf(&t->lines, "- %.*s\n", STR_ARG(path));
		break;
	default:
		buf_addf(&t->lines, "! %.*s: %s\n", STR_ARG(path), item->why);
	}
	return ++t->count == t->stop_after ? err_set(err, ERR_CANCELLED, "enough") : 0;
}

static void walk_is(
	const char *root, const char *path, const struct walk_limits *limits, const char *expected)
{
	struct told t = { .lines = BUF_INIT, .root = root };
	struct err err = ERR_INIT;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	ck_ok(walk_paths(&path, 1, limits, each, &t, &err), err);
	ck_assert_str_eq(t.lines.p, expected);
	buf_done(&t.lines);
}

/* ---- making files ---- */

static void put(const char *root, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static void make_dir(const char *root, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

struct making {
	struct archive *a;
	char path[512];
};

static void making_begin(
	struct making *m, const char *root, const char *name, bool is_zip, int filter)
{
	(void)snprintf(m->path, sizeof(m->path), "%s/%s", root, name);
	m->a = archive_write_new();
	if (is_zip)
		ck_assert_int_eq(archive_write_set_format_zip(m->a), ARCHIVE_OK);
	else
		ck_assert_int_eq(archive_write_set_format_pax_restricted(m->a), ARCHIVE_OK);
	if (filter)
		ck_assert_int_eq(archive_write_add_filter(m->a, filter), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_open_filename(m->a, m->path), ARCHIVE_OK);
}

static void making_add(
	struct making *m, const char *name, unsigned type, const char *link, size_t bytes)
{
	struct archive_entry *e = archive_entry_new();
	static char zeros[1 << 16];

	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, type);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, (int64_t)bytes);
	archive_entry_set_mtime(e, 1700000000, 0);
	if (link && type == AE_IFLNK)
		archive_entry_set_symlink(e, link);
	else if (link)
		archive_entry_set_hardlink(e, link);
	ck_assert_int_ge(archive_write_header(m->a, e), ARCHIVE_WARN);
	for (size_t left = bytes; left;) {
		size_t n = left < sizeof(zeros) ? left : sizeof(zeros);

		ck_assert_int_eq(archive_write_data(m->a, zeros, n), (la_ssize_t)n);
		left -= n;
	}
	archive_entry_free(e);
}

static void making_end(struct making *m)
{
	ck_assert_int_eq(archive_write_close(m->a), ARCHIVE_OK);
	(void)archive_write_free(m->a);
}

/* ---- folders ---- */

START_TEST(folders_in_order_and_what_they_hide)
{
	const char *root = harness_dir();
	char path[512];

	make_dir(root, "b");
	put(root, "b/二.txt", "22");
	put(root, "a.pdf", "1");
	put(root, "empty.txt", "");
	put(root, ".DS_Store", "x");
	put(root, "~$lock.docx", "x");
	put(root, "line\nbreak.txt", "x");
	put(root,
		"evil\xe2\x80\xae"
		"fdp.exe",
		"x");
	put(root, "\xce\xc4\xbc\xfe.txt", "gbk"); /* 文件 in GBK */
	put(root, "\xff\xff.txt", "x");
	(void)snprintf(path, sizeof(path), "%s/link", root);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	(void)snprintf(path, sizeof(path), "%s/pipe", root);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	walk_is(root, root, NULL,
		"- .DS_Store\n"
		"a.pdf [a.pdf] 1\n"
		"b/二.txt [二.txt] 2\n"
		"empty.txt [empty.txt] 0\n"
		"! evil\\u{202e}fdp.exe: file name 'evil\\u{202e}fdp.exe': the text has the "
		"control or "
		"format character U+202E\n"
		"! line\\nbreak.txt: file name 'line\\nbreak.txt': the text has the control or "
		"format "
		"character U+000A\n"
		"! link: it is a link; links are not followed\n"
		"! pipe: it is a pipe, not a file\n"
		"- ~$lock.docx\n"
		"\\xce\xc4\xbc\\xfe.txt [文件.txt] 3\n"
		"! \\xff\\xff.txt: its name is neither UTF-8 nor GBK\n");
}
END_TEST

START_TEST(folders_too_deep)
{
	const char *root = harness_dir();
	struct walk_limits limits = walk_default_limits;

	limits.depth = 2;
	make_dir(root, "a");
	put(root, "a/fits.txt", "1");
	make_dir(root, "a/b");
	put(root, "a/b/hidden.txt", "1");
	walk_is(root, root, &limits,
		"! a/b: too many folders within folders\na/fits.txt [fits.txt] 1\n");
}
END_TEST

START_TEST(a_path_that_is_not_there_is_an_error)
{
	const char *path = "/nowhere/at/all";
	struct told t = { .lines = BUF_INIT, .root = "/" };
	struct err err = ERR_INIT;

	ck_fails(walk_paths(&path, 1, NULL, each, &t, &err), err, ERR_NOTFOUND);
}
END_TEST

START_TEST(the_caller_can_stop)
{
	const char *root = harness_dir();
	struct told t = { .lines = BUF_INIT, .root = root, .stop_after = 2 };
	struct err err = ERR_INIT;

	put(root, "a", "");
	put(root, "b", "");
	put(root, "c", "");
	ck_fails(walk_paths(&root, 1, NULL, each, &t, &err), err, ERR_CANCELLED);
	ck_assert_str_eq(t.lines.p, "a [a] 0\nb [b] 0\n");
	buf_done(&t.lines);
}
END_TEST

START_TEST(measured)
{
	const char *root = harness_dir();

	put(root, "a", "12345");
	make_dir(root, "b");
	put(root, "b/c", "123");
	put(root, "b/Thumbs.db", "123");
	ck_assert_uint_eq(walk_measure(&root, 1), 8);
}
END_TEST

/* ---- archives ---- */

static void check_honest(bool is_zip, int filter, const char *name)
{
	const char *root = harness_dir();
	struct making m;
	char expected[512];

	making_begin(&m, root, name, is_zip, filter);
	making_add(&m, "folder/", AE_IFDIR, NULL, 0);
	making_add(&m, "folder/one.pdf", AE_IFREG, NULL, 100000);
	making_add(&m, "__MACOSX/._one.pdf", AE_IFREG, NULL, 5);
	making_add(&m, "empty.txt", AE_IFREG, NULL, 0);
	making_add(&m, "inner.zip", AE_IFREG, NULL, 7);
	making_end(&m);
	(void)snprintf(expected, sizeof(expected),
		"%s › folder/one.pdf [one.pdf] 100000\n- %s › __MACOSX/._one.pdf\n"
		"%s › empty.txt [empty.txt] 0\n%s › inner.zip [inner.zip] 7\n",
		name, name, name, name);
	walk_is(root, m.path, NULL, expected);
}

START_TEST(honest_archives)
{
	check_honest(true, 0, "a.zip");
	check_honest(false, 0, "a.tar");
	check_honest(false, ARCHIVE_FILTER_GZIP, "a.tar.gz");
	check_honest(false, ARCHIVE_FILTER_XZ, "a.TXZ");
	check_honest(false, ARCHIVE_FILTER_BZIP2, "a.tbz2");
	check_honest(false, ARCHIVE_FILTER_ZSTD, "a.tar.zst");
}
END_TEST

START_TEST(names_that_climb_and_things_that_are_no_files)
{
	const char *root = harness_dir();
	struct making m;

	making_begin(&m, root, "a.tar", false, 0);
	making_add(&m, "../up.txt", AE_IFREG, NULL, 1);
	making_add(&m, "a/../../up.txt", AE_IFREG, NULL, 1);
	making_add(&m, "/etc/passwd", AE_IFREG, NULL, 1);
	making_add(&m, "C:\\windows\\x.txt", AE_IFREG, NULL, 1);
	making_add(&m, "..\\x.txt", AE_IFREG, NULL, 1);
	making_add(&m, "link", AE_IFLNK, "/etc/passwd", 0);
	making_add(&m, "hard", AE_IFREG, "link", 0);
	making_add(&m, "tty", AE_IFCHR, NULL, 0);
	making_add(&m, "..fine..txt", AE_IFREG, NULL, 1);
	making_add(&m, "back\\slash.txt", AE_IFREG, NULL, 1);
	making_end(&m);
	walk_is(root, m.path, NULL,
		"! a.tar › ../up.txt: its name climbs out of the archive\n"
		"! a.tar › a/../../up.txt: its name climbs out of the archive\n"
		"! a.tar › /etc/passwd: its name climbs out of the archive\n"
		"! a.tar › C:\\\\windows\\\\x.txt: its name climbs out of the archive\n"
		"! a.tar › ..\\\\x.txt: its name climbs out of the archive\n"
		"! a.tar › link: it is a link; links are not followed\n"
		"! a.tar › hard: it is a link; links are not followed\n"
		"! a.tar › tty: it is a device, not a file\n"
		"a.tar › ..fine..txt [..fine..txt] 1\n"
		"a.tar › back\\\\slash.txt [slash.txt] 1\n");
}
END_TEST

/* A zip as a Chinese Windows makes it: names in GBK, no flag that says UTF-8. Written by hand, stored. */
static void put_zip(const char *root, const char *file, const char *name, uint16_t flags)
{
	uint8_t local[30] = { 'P', 'K', 3, 4, 20 }, central[46] = { 'P', 'K', 1, 2, 20, 0, 20 };
	uint8_t end[22] = { 'P', 'K', 5, 6 };
	uint16_t n = (uint16_t)strlen(name);
	uint32_t at = (uint32_t)(30 + n + 1);
	char path[512];
	FILE *f;

	/* one byte, 'x', whose CRC-32 is 8cdc1683 */
	memcpy(local + 14, "\x83\x16\xdc\x8c\1\0\0\0\1\0\0\0", 12);
	memcpy(central + 16, "\x83\x16\xdc\x8c\1\0\0\0\1\0\0\0", 12);
	local[6] = central[8] = (uint8_t)flags;
	local[7] = central[9] = (uint8_t)(flags >> 8);
	local[26] = central[28] = (uint8_t)n;
	end[8] = end[10] = 1;
	end[12] = (uint8_t)(46 + n);
	end[16] = (uint8_t)at;
	(void)snprintf(path, sizeof(path), "%s/%s", root, file);
	f = fopen(path, "w");
	(void)fwrite(local, 1, sizeof(local), f);
	(void)fwrite(name, 1, n, f);
	(void)fputc('x', f);
	(void)fwrite(central, 1, sizeof(central), f);
	(void)fwrite(name, 1, n, f);
	(void)fwrite(end, 1, sizeof(end), f);
	(void)fclose(f);
}

START_TEST(zip_names_in_gbk_and_utf8)
{
	const char *root = harness_dir();

	put_zip(root, "gbk.zip", "\xd5\xd9\xbb\xd8\xbc\xc6\xbb\xae.txt", 0); /* 召回计划 */
	put_zip(root, "utf8-flag.zip", "召回计划.txt", 0x800);
	put_zip(root, "utf8.zip", "召回计划.txt", 0);
	put_zip(root, "worse.zip", "\xff\xfe.txt", 0);
	put_zip(root, "secret.zip", "a.txt", 1);
	walk_is(root, root, NULL,
		"gbk.zip › 召回计划.txt [召回计划.txt] 1\n"
		"! secret.zip › a.txt: it is encrypted; unpack it with its password and import the "
		"file "
		"itself\n"
		"utf8-flag.zip › 召回计划.txt [召回计划.txt] 1\n"
		"utf8.zip › 召回计划.txt [召回计划.txt] 1\n"
		"! worse.zip › \\xff\\xfe.txt: its name is neither UTF-8 nor GBK\n");
}
END_TEST

START_TEST(limits_on_both_sides)
{
	const char *root = harness_dir();
	struct walk_limits limits = walk_default_limits;
	struct making m;

	making_begin(&m, root, "a.tar", false, 0);
	making_add(&m, "1", AE_IFREG, NULL, 1000);
	making_add(&m, "2", AE_IFREG, NULL, 1001);
	making_add(&m, "3", AE_IFREG, NULL, 1000);
	making_end(&m);
	limits.member_bytes = 1000;
	walk_is(root, m.path, &limits,
		"a.tar › 1 [1] 1000\n"
		"! a.tar › 2: unpacked it is larger than a member of an archive may be; unpack it "
		"and import the "
		"file itself\n"
		"a.tar › 3 [3] 1000\n");
	limits = walk_default_limits;
	limits.archive_bytes = 3000;
	walk_is(root, m.path, &limits,
		"a.tar › 1 [1] 1000\na.tar › 2 [2] 1001\n"
		"! a.tar › 3: the archive unpacks to more than is accepted\n");
	limits = walk_default_limits;
	limits.members = 2;
	walk_is(root, m.path, &limits,
		"a.tar › 1 [1] 1000\na.tar › 2 [2] 1001\n"
		"! a.tar: the archive has more members than are accepted\n");
	limits.members = 3;
	limits.archive_bytes = 3001;
	limits.member_bytes = 1001;
	walk_is(root, m.path, &limits,
		"a.tar › 1 [1] 1000\na.tar › 2 [2] 1001\na.tar › 3 [3] 1000\n");
}
END_TEST

START_TEST(bombs)
{
	const char *root = harness_dir();
	struct walk_limits limits = walk_default_limits;
	struct making m;

	limits.member_bytes = 32 << 20;
	making_begin(&m, root, "bomb.tar.gz", false, ARCHIVE_FILTER_GZIP);
	making_add(&m, "small", AE_IFREG, NULL, 10);
	making_add(&m, "../refused-but-counted", AE_IFREG, NULL, 40 << 20);
	making_add(&m, "after", AE_IFREG, NULL, 10);
	making_end(&m);
	walk_is(root, m.path, &limits,
		"bomb.tar.gz › small [small] 10\n"
		"! bomb.tar.gz › ../refused-but-counted: it unpacks to so much more than its size "
		"that it is taken for "
		"a bomb\n");
	making_begin(&m, root, "bomb.zip", true, 0);
	making_add(&m, "zeros", AE_IFREG, NULL, 40 << 20);
	making_end(&m);
	walk_is(root, m.path, &limits,
		"! bomb.zip › zeros: it unpacks to so much more than its size that it is taken for "
		"a bomb\n");
}
END_TEST

START_TEST(not_what_the_name_says)
{
	const char *root = harness_dir();
	struct told t = { .lines = BUF_INIT, .root = root };
	struct err err = ERR_INIT;
	struct making m;
	char path[512];

	put(root, "empty.zip", "");
	put(root, "text.tar",
		"this is no archive at all, and long enough for somebody to think about it\n");
	making_begin(&m, root, "cut.tar.gz", false, ARCHIVE_FILTER_GZIP);
	making_add(&m, "a", AE_IFREG, NULL, 100000);
	making_end(&m);
	ck_assert_int_eq(truncate(m.path, 60), 0);
	(void)snprintf(path, sizeof(path), "%s", root);
	ck_ok(walk_paths(&root, 1, NULL, each, &t, &err), err);
	ck_assert_ptr_nonnull(strstr(t.lines.p, "cut.tar.gz"));
	ck_assert_ptr_nonnull(strstr(t.lines.p, "! text.tar: it cannot be unpacked: "));
	ck_assert_ptr_null(strstr(t.lines.p, "\na ["));
	buf_done(&t.lines);
}
END_TEST

START_TEST(decoding)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	ck_ok(walk_add_decoded(&b, STR("\xb0\xb2\xbc\xe0.pdf"), &err), err);
	ck_assert_str_eq(b.p, "安监.pdf");
	ck_fails(walk_add_decoded(&b, STR("\xb0"), &err), err, ERR_INVALID);
	ck_assert_str_eq(b.p, "安监.pdf");
	ck_assert(walk_is_packed(STR("a.ZIP")));
	ck_assert(!walk_is_packed(STR(".zip")));
	ck_assert(!walk_is_packed(STR("a.docx")));
}
END_TEST

TESTS("core/archive/walk", folders_in_order_and_what_they_hide, folders_too_deep,
	a_path_that_is_not_there_is_an_error, the_caller_can_stop, measured, honest_archives,
	names_that_climb_and_things_that_are_no_files, zip_names_in_gbk_and_utf8,
	limits_on_both_sides, bombs, not_what_the_name_says, decoding)
