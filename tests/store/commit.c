#include "tests/harness.h"

#include "store/commit.h"
#include "store/object.h"

#include "core/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct signer *signer_of(const char seed[33])
{
	_cleanup_(secret_freep) struct secret *s = secret_copy(seed, 32);

	return signer_new(s);
}

static struct signer *the_signer(void)
{
	return signer_of("the seed of the server, 32 bytes");
}

static const struct oid empty_tree = { { 0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60,
	0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88, 0xfb, 0xee, 0x49, 0x04 } };

/* The first commit of an archive, with the given signers. */
static struct commit opening(const struct signer_line *signers, size_t count)
{
	return (struct commit){
		.tree = empty_tree,
		.time = 1795251731,
		.subject = STR("open volume 1"),
		.archive = { { 1, 2, 3 } },
		.action = { { 9 } },
		.volume = 1,
		.uid = 1000,
		.act = ACT_OPEN,
		.account = STR("u-00001"),
		.signer = STR("server"),
		.actions = 1,
		.signers = signers,
		.signer_count = count,
	};
}

static struct commit filing(void)
{
	struct commit c = opening(NULL, 0);

	c.parent.b[0] = 0xab;
	c.subject = STR("资质审核记录-20250520-001 file");
	c.act = ACT_FILE;
	c.actions = 2;
	c.records = 1;
	c.previous.b[0] = 0xcd;
	c.file.sha256.b[0] = 0xef;
	c.file.path = STR("2025-05/资质审核记录/运营部/0000/00/资质审核记录-20250520-001/v1");
	return c;
}

static struct commit listing(void)
{
	struct commit c = filing();

	c.is_list = true;
	c.files = 500;
	c.file.path = STR("lists/0000/001");
	return c;
}

static void format(const struct commit *c, struct buf *ret)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer();

	commit_format(c, signer, ret);
}

/* Without its signature, which only its signer can write again. */
static struct buf unsigned_text(struct str text)
{
	struct buf b = BUF_INIT;
	const char *begin = memmem(text.p, text.n, "gpgsig ", 7);
	const char *end = memmem(text.p, text.n, "\n\n", 2);

	ck_assert(begin && end && begin < end);
	buf_add(&b, text.p, (size_t)(begin - text.p));
	buf_add(&b, end + 1, text.n - (size_t)(end + 1 - text.p));
	return b;
}

/* Read, and hold that an accepted text is written again as it was. */
static int read_text(struct str text, struct err *err)
{
	_cleanup_(freep) void *memory = NULL;
	struct buf again = BUF_INIT;
	struct commit c;
	int r = commit_parse(text, &c, &memory, err);

	if (r == 0) {
		struct buf left = unsigned_text(text), right;

		format(&c, &again);
		ck_assert(!again.failed);
		right = unsigned_text(buf_str(&again));
		ck_assert(str_eq(buf_str(&left), buf_str(&right)));
		buf_done(&left);
		buf_done(&right);
		buf_done(&again);
	}
	return r;
}

START_TEST(there_and_back)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer();
	struct signer_line lines[3] = { { .signer = STR("server") }, { .signer = STR("u-00002") },
		{ .signer = STR("u-00003"), .retires = true } };
	struct commit cases[5];
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		lines[i].key = *signer_public(signer);
	cases[0] = opening(lines, 2);
	cases[1] = filing();
	cases[2] = listing();
	cases[3] = opening(lines, 1);
	cases[3].demonstration = true;
	cases[3].volume = 3;
	cases[3].last_volume = 2;
	cases[3].last.b[3] = 1;
	cases[3].checkpoint.b[4] = 1;
	cases[3].actions = 77;
	cases[3].previous.b[0] = 1;
	cases[4] = filing();
	cases[4].act = ACT_KEYS;
	cases[4].signers = lines;
	cases[4].signer_count = 3;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) void *memory = NULL;
		struct public_key key;
		struct commit c;

		buf_reset(&text);
		format(&cases[i], &text);
		ck_assert(!text.failed);
		ck_ok(read_text(buf_str(&text), &err), err);
		ck_ok(commit_parse(buf_str(&text), &c, &memory, &err), err);
		ck_assert_int_eq(c.act, cases[i].act);
		ck_assert_int_eq(c.time, cases[i].time);
		ck_assert_uint_eq(c.uid, 1000);
		ck_assert(str_eq(c.subject, cases[i].subject));
		ck_assert(str_eq(
			c.file.path, cases[i].act == ACT_FILE ? cases[i].file.path : STR("")));
		ck_assert_uint_eq(c.files, cases[i].files);
		ck_assert_uint_eq(c.signer_count, cases[i].signer_count);
		ck_assert(!c.signer_count || str_is(c.signers[0].signer, "server"));
		ck_ok(commit_verify(buf_str(&text), &key, &err), err);
		ck_assert(memcmp(key.b, signer_public(signer)->b, sizeof(key.b)) == 0);
	}
	buf_done(&text);
}
END_TEST

/* Replace the first `from` by `to`: must be refused, with that line named unless 0. */
static void refused(const struct commit *c, const char *from, const char *to, int line)
{
	struct buf text = BUF_INIT, changed = BUF_INIT, expected = BUF_INIT;
	struct err err = ERR_INIT;
	const char *at;

	format(c, &text);
	at = strstr(text.p, from);
	ck_assert_msg(at != NULL, "'%s' is not in the text", from);
	buf_add(&changed, text.p, (size_t)(at - text.p));
	buf_adds(&changed, to);
	buf_adds(&changed, at + strlen(from));
	ck_fails(read_text(buf_str(&changed), &err), err, ERR_CORRUPT);
	buf_addf(&expected, "line %d", line);
	if (line)
		ck_assert_msg(str_ends(str_of(err.text), expected.p), "'%s' -> '%s': %s", from, to,
			err.text);
	buf_done(&text);
	buf_done(&changed);
	buf_done(&expected);
}

START_TEST(other_commits_are_refused)
{
	static const struct {
		const char *from, *to;
		int line;
	} cases[] = {
		{ "tree 4b", "tree 4B", 1 },
		{ "parent ab", "parent", 2 },
		{ "parent ab", "parent 00", 0 },
		{ "author u-00001 ", "author u-00002 ", 3 },
		{ "author u-00001 ", "author  ", 3 },
		{ "<u-00001@", "<u-00002@", 3 },
		{ "<u-00001@01", "<u-00001@02", 14 },
		{ "<u-00001", "u-00001", 3 },
		{ "1795251731", "01795251731", 3 },
		{ "1795251731", "1795251732", 4 },
		{ "1795251731", "253402300800", 3 },
		{ "+0000", "+0800", 3 },
		{ "+0000\n", "+0000 \n", 3 },
		{ "committer server", "committer u-00001", 4 },
		{ "gpgsig ", "gpgsic ", 5 },
		{ "BEGIN", "BEGIM", 5 },
		{ " -----END", "-----END", 10 },
		{ "END SSH SIGNATURE-----\n\n", "END SSH SIGNATURE-----\n", 11 },
		{ "END SSH SIGNATURE-----\n", "END SSH SIGNATURE-----\nencoding UTF-8\n", 11 },
		{ "资质审核记录-20250520-001 file\n", "\n", 12 },
		{ " file\n", " file\x01\n", 12 },
		{ "Archive: 01", "Archive: 02", 14 },
		{ "Volume: 1", "Volume: 0", 15 },
		{ "Volume: 1", "Volume: 4294967296", 15 },
		{ "Act: file", "Act: fill", 16 },
		{ "Act: file", "Act: open", 24 },
		{ "Act: file", "Act: keys", 24 },
		{ "Action: 09", "Action: 9", 17 },
		{ "Account: u-00001", "Account: u-00002", 18 },
		{ "Uid: 1000", "Uid: -1", 19 },
		{ "Uid: 1000", "Uid: 4294967296", 19 },
		{ "Signer: server", "Signer: Server", 0 },
		{ "Signer: server", "Signer: ", 20 },
		{ "Actions: 2", "Actions: 0", 21 },
		{ "Actions: 2", "Actions: 1", 0 },
		{ "Records: 1", "Records: x", 22 },
		{ "Previous: cd", "Previous: c", 23 },
		{ "Slip: ef", "Slip: e", 24 },
		{ "Slip: ", "List: ", 24 },
		{ " 2025-05/", " /2025-05/", 0 },
		{ " 2025-05/", " ../2025-05/", 0 },
		{ "001/v1\n", "001/v1", 24 },
		{ "001/v1\n", "001/v1\n\n", 25 },
		{ "001/v1\n", "001/v1\nSlip: x\n", 25 },
	};
	struct commit c = filing(), l = listing();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refused(&c, cases[i].from, cases[i].to, cases[i].line);
	refused(&l, " 500", " 1", 24);
	refused(&l, " 500", "", 24);
	refused(&l, "lists/", "li sts/", 24);
}
END_TEST

START_TEST(other_openings_are_refused)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer();
	struct signer_line line = { .signer = STR("server"), .key = *signer_public(signer) };
	struct commit c = opening(&line, 1);

	refused(&c, "Format: 1", "Format: 2", 23);
	refused(&c, "Demonstration: no", "Demonstration: maybe", 24);
	refused(&c, "0 none", "1 none", 25);
	refused(&c, "0 none", "0", 25);
	refused(&c, "Checkpoint: 00", "Checkpoint: 01", 0);
	refused(&c, "Previous: 00", "Previous: 01", 0);
	refused(&c, "Volume: 1", "Volume: 2", 0);
	refused(&c, "Enrol: server", "Retire: server", 0);
	refused(&c, "Enrol: server", "Enrol: s_rver", 0);
	refused(&c, "Enrol: server", "Enroll: server", 27);
	refused(&c, "ssh-ed25519 ", "ssh-rsa ", 27);
	refused(&c, "ssh-ed25519 AAAAC3", "ssh-ed25519 AAAAC4", 27);
	c.parent.b[0] = 1;
	c.act = ACT_KEYS;
	c.actions = 2;
	c.previous.b[0] = 1;
	refused(&c, "Enrol: ", "Enrol:", 24);
}
END_TEST

START_TEST(cut_short_is_refused)
{
	struct commit c = filing();
	struct buf text = BUF_INIT;
	struct public_key key;
	struct err err = ERR_INIT;

	format(&c, &text);
	for (size_t n = 0; n < text.n; n++) {
		int r;

		ck_fails(read_text((struct str){ text.p, n }, &err), err, ERR_CORRUPT);
		r = commit_verify((struct str){ text.p, n }, &key, &err);
		ck_assert(r == -ERR_CORRUPT || r == -ERR_CRYPTO);
	}
	buf_done(&text);
}
END_TEST

START_TEST(every_flip_breaks_the_signature)
{
	struct commit c = listing();
	struct buf text = BUF_INIT;
	struct public_key key;
	struct err err = ERR_INIT;

	format(&c, &text);
	for (size_t i = 0; i < text.n; i++) {
		int r;

		text.p[i] ^= (char)(1 << i % 8);
		(void)read_text(buf_str(&text), &err);
		r = commit_verify(buf_str(&text), &key, &err);
		ck_assert(r == -ERR_CORRUPT || r == -ERR_CRYPTO);
		text.p[i] ^= (char)(1 << i % 8);
	}
	ck_ok(commit_verify(buf_str(&text), &key, &err), err);
	buf_done(&text);
}
END_TEST

START_TEST(unfit_commits_are_not_written)
{
	struct commit cases[12];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cases[i] = filing();
	cases[0].parent = (struct oid){ { 0 } };
	cases[1].previous = (struct digest){ { 0 } };
	cases[2].subject = STR("two\nlines");
	cases[3].account = STR("u 1");
	cases[4].account = STR("U-1");
	cases[5].signer = STR("");
	cases[6].file.path = STR("a/../b");
	cases[7].is_list = true;
	cases[7].files = 1;
	cases[8].act = ACT_KEYS;
	cases[9].volume = 0;
	cases[10].time = -1;
	cases[11].account = STR("u-0000000000000000000000000000000000000001");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf text = BUF_INIT;

		format(&cases[i], &text);
		ck_assert_msg(text.failed, "case %zu", i);
		buf_done(&text);
	}
}
END_TEST

static int open_with_signers(size_t count, struct err *err)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer();
	_cleanup_(freep) struct signer_line *lines = xcalloc(count + 1, sizeof(*lines));
	struct commit c = opening(lines, count < COMMIT_MAX_SIGNERS ? count : COMMIT_MAX_SIGNERS);
	struct buf text = BUF_INIT;
	int r;

	for (size_t i = 0; i < count; i++)
		lines[i] = (struct signer_line){ .signer = STR("server"),
			.key = *signer_public(signer) };
	format(&c, &text);
	for (size_t i = c.signer_count; i < count; i++)
		buf_adds(&text, "Enrol: server ssh-ed25519 AAAA\n");
	r = read_text(buf_str(&text), err);
	buf_done(&text);
	return r;
}

START_TEST(limits_have_two_sides)
{
	struct buf text = BUF_INIT;
	struct commit c = filing();
	struct public_key key;
	struct err err = ERR_INIT;

	ck_ok(open_with_signers(COMMIT_MAX_SIGNERS, &err), err);
	ck_fails(open_with_signers(COMMIT_MAX_SIGNERS + 1, &err), err, ERR_LIMIT);
	format(&c, &text);
	while (text.n < COMMIT_MAX_BYTES)
		buf_addc(&text, 'x');
	ck_fails(read_text(buf_str(&text), &err), err, ERR_CORRUPT);
	buf_addc(&text, 'x');
	ck_fails(read_text(buf_str(&text), &err), err, ERR_LIMIT);
	ck_fails(commit_verify(buf_str(&text), &key, &err), err, ERR_CORRUPT);
	buf_done(&text);
}
END_TEST

/* A commit in a bare repository, as stock git sees it. */
static void git_accepts(
	const char *repository, const char *allowed, const struct commit *c, struct oid *ret)
{
	const char *add[] = { "git", "--git-dir", repository, "hash-object", "-t", "commit", "-w",
		"--stdin", NULL };
	char name[OID_TEXT], config[160];
	const char *verify[] = { "git", "--git-dir", repository, "-c", config, "verify-commit",
		name, NULL };
	struct buf text = BUF_INIT, printed = BUF_INIT;

	format(c, &text);
	object_name(OBJECT_COMMIT, text.p, text.n, ret);
	(void)hex_encode(ret->b, sizeof(ret->b), name);
	ck_assert_int_eq(harness_exec(add, buf_str(&text), &printed), 0);
	ck_assert(str_starts(buf_str(&printed), name));
	buf_reset(&printed);
	(void)snprintf(config, sizeof(config), "gpg.ssh.allowedSignersFile=%s", allowed);
	ck_assert_msg(harness_exec(verify, STR(""), &printed) == 0, "%s", printed.p);
	ck_assert(strstr(printed.p, "Good \"git\" signature for server"));
	buf_done(&text);
	buf_done(&printed);
}

START_TEST(stock_git_agrees)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer();
	struct signer_line line = { .signer = STR("server"), .key = *signer_public(signer) };
	const char *dir = harness_dir();
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);
	struct buf allowed = BUF_INIT, printed = BUF_INIT;
	char path[128], repository[128], name[OID_TEXT];
	const char *init[] = { "git", "init", "-q", "-b", "main", "--bare", repository, NULL };
	const char *tree[] = { "git", "--git-dir", repository, "hash-object", "-t", "tree", "-w",
		"--stdin", NULL };
	const char *ref[] = { "git", "--git-dir", repository, "update-ref", "refs/heads/main", name,
		NULL };
	const char *fsck[] = { "git", "--git-dir", repository, "fsck", "--strict", "--full", NULL };
	struct commit c = opening(&line, 1), next = listing();
	struct oid oid;

	(void)snprintf(path, sizeof(path), "%s/allowed", dir);
	(void)snprintf(repository, sizeof(repository), "%s/r.git", dir);
	buf_adds(&allowed, "server namespaces=\"git\" ssh-ed25519 ");
	public_key_add(&allowed, signer_public(signer));
	buf_addc(&allowed, '\n');
	ck_assert_int_eq(file_replace(fd, "allowed", allowed.p, allowed.n, NULL), 0);
	ck_assert_int_eq(harness_exec(init, STR(""), NULL), 0);
	ck_assert_int_eq(harness_exec(tree, STR(""), NULL), 0);
	git_accepts(repository, path, &c, &oid);
	next.tree = empty_tree;
	next.parent = oid;
	git_accepts(repository, path, &next, &oid);
	(void)hex_encode(oid.b, sizeof(oid.b), name);
	ck_assert_int_eq(harness_exec(ref, STR(""), NULL), 0);
	ck_assert_msg(harness_exec(fsck, STR(""), &printed) == 0, "%s", printed.p);
	ck_assert_str_eq(printed.p, "");
	buf_done(&allowed);
	buf_done(&printed);
}
END_TEST

TESTS("store/commit", there_and_back, other_commits_are_refused, other_openings_are_refused,
	cut_short_is_refused, every_flip_breaks_the_signature, unfit_commits_are_not_written,
	limits_have_two_sides, stock_git_agrees)
