#include "tests/harness.h"

#include "store/custody.h"

#include "core/base/buf.h"
#include "core/base/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct id archive = { { 0xa0, 1 } };

static struct secret *phrase(const char *text)
{
	return secret_copy(text, strlen(text));
}

static struct id add(struct custody *c, const struct secret *root, const char *label)
{
	_cleanup_(secret_freep) struct secret *passphrase = NULL;
	struct buf text = BUF_INIT;
	struct id id;
	struct err err = ERR_INIT;

	buf_addf(&text, "passphrase of %s", label);
	passphrase = phrase(text.p);
	ck_ok(custody_add(c, root, label, passphrase, CUSTODY_COST_DEMONSTRATION, &id, &err), err);
	buf_done(&text);
	return id;
}

static struct secret *open_by(const struct custody *c, const struct id *who, const char *label)
{
	_cleanup_(secret_freep) struct secret *passphrase = NULL;
	struct secret *secret = NULL;
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	buf_addf(&text, "passphrase of %s", label);
	passphrase = phrase(text.p);
	ck_ok(custody_open_secret(c, who, passphrase, &secret, &err), err);
	buf_done(&text);
	return secret;
}

static void text_of(int dir, struct buf *ret)
{
	struct err err = ERR_INIT;

	buf_reset(ret);
	ck_ok(file_read_whole(dir, "custody.json", ret, &err), err);
}

START_TEST(any_two_of_three)
{
	static const char *const labels[3] = { "张三", "Li Si", "wang-wu" };
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), NULL);
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive), *read = NULL;
	struct secret *secrets[3];
	struct id ids[3];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 3; i++)
		ids[i] = add(c, root, labels[i]);
	ck_ok(custody_save(c, dir, root, &err), err);
	ck_ok(custody_load(dir, &read, &err), err);
	ck_assert_uint_eq(custody_count(read), 3);
	ck_assert_uint_eq(custody_epoch(read), 1);
	for (size_t i = 0; i < 3; i++)
		secrets[i] = open_by(read, &ids[i], labels[i]);
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++) {
			_cleanup_(secret_freep) struct secret *found = NULL;
			int r = custody_combine(
				read, &ids[i], secrets[i], &ids[j], secrets[j], &found, &err);

			if (i == j) {
				ck_fails(r, err, ERR_INVALID);
				continue;
			}
			ck_ok(r, err);
			ck_assert(secret_equal(found, root));
			/* One person's secret twice, under another's name. */
			secret_free(TAKE_PTR(found));
			ck_fails(custody_combine(read, &ids[i], secrets[i], &ids[j], secrets[i],
					 &found, &err),
				err, ERR_CRYPTO);
		}
	for (size_t i = 0; i < 3; i++)
		secret_free(secrets[i]);
}
END_TEST

START_TEST(passphrases)
{
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive);
	_cleanup_(secret_freep) struct secret *wrong = phrase("passphrase of B"),
					      *right = phrase("passphrase of A"), *found = NULL,
					      *empty = secret_new(0);
	struct id id = add(c, root, "A"), who, stranger = { { 1 } };
	struct err err = ERR_INIT;

	ck_fails(custody_open_secret(c, &id, wrong, &found, &err), err, ERR_CRYPTO);
	ck_assert_msg(!strstr(err.text, "passphrase of B"), "%s", err.text);
	ck_fails(custody_open_secret(c, &id, empty, &found, &err), err, ERR_CRYPTO);
	ck_fails(custody_open_secret(c, &stranger, right, &found, &err), err, ERR_NOTFOUND);
	ck_fails(custody_open_any(c, wrong, &who, &found, &err), err, ERR_CRYPTO);
	ck_ok(custody_open_any(c, right, &who, &found, &err), err);
	ck_assert(id_equal(&who, &id));
	/* Of two, one is tried in vain before the other fits: that leaves no message behind. */
	(void)add(c, root, "B");
	err = (struct err)ERR_INIT;
	secret_free(TAKE_PTR(found));
	ck_ok(custody_open_any(c, right, &who, &found, &err), err);
	secret_free(TAKE_PTR(found));
	ck_ok(custody_open_any(c, wrong, &who, &found, &err), err);
	ck_assert_int_eq(err.code, 0);
}
END_TEST

START_TEST(limits_have_two_sides)
{
	static char long_text[PASSPHRASE_MAX + 2];
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES), *p = NULL;
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive);
	static const struct {
		size_t n;
		int code;
	} cases[] = { { PASSPHRASE_MIN - 1, ERR_INVALID }, { PASSPHRASE_MAX + 1, ERR_INVALID },
		{ PASSPHRASE_MIN, 0 }, { PASSPHRASE_MAX, 0 } };
	struct id id;
	struct err err = ERR_INIT;

	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char label[2] = { (char)('a' + i), 0 };

		secret_free(p);
		p = secret_copy(long_text, cases[i].n);
		if (cases[i].code)
			ck_fails(custody_add(
					 c, root, label, p, CUSTODY_COST_DEMONSTRATION, &id, &err),
				err, cases[i].code);
		else
			ck_ok(custody_add(c, root, label, p, CUSTODY_COST_DEMONSTRATION, &id, &err),
				err);
	}
	long_text[CUSTODY_LABEL_MAX + 1] = '\0';
	ck_fails(custody_add(c, root, long_text, p, CUSTODY_COST_DEMONSTRATION, &id, &err), err,
		ERR_INVALID);
	long_text[CUSTODY_LABEL_MAX] = '\0';
	ck_ok(custody_add(c, root, long_text, p, CUSTODY_COST_DEMONSTRATION, &id, &err), err);
	ck_assert_uint_eq(custody_count(c), 3);
}
END_TEST

START_TEST(names)
{
	static const char *const bad[] = { "", " a", "a ", "a\nb", "a\tb", "\xff", "e\xcc\x81",
		"a\xe2\x80\xae" };
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES),
					      *p = phrase("a passphrase");
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive);
	struct id id, a, b;
	char text[ID_TEXT];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_fails(custody_add(c, root, bad[i], p, CUSTODY_COST_DEMONSTRATION, &id, &err),
			err, ERR_INVALID);
	a = add(c, root, "A");
	b = add(c, root, "张 三");
	ck_fails(custody_add(c, root, "A", p, CUSTODY_COST_DEMONSTRATION, &id, &err), err,
		ERR_EXISTS);
	ck_ok(custody_find(c, "张 三", &id, &err), err);
	ck_assert(id_equal(&id, &b));
	(void)hex_encode(a.b, ID_BYTES, text);
	text[20] = '\0';
	ck_ok(custody_find(c, text, &id, &err), err);
	ck_assert(id_equal(&id, &a));
	ck_fails(custody_find(c, "B", &id, &err), err, ERR_NOTFOUND);
	ck_fails(custody_find(c, "", &id, &err), err, ERR_NOTFOUND);
	ck_fails(custody_find(c, "zz", &id, &err), err, ERR_NOTFOUND);
}
END_TEST

START_TEST(two_must_stay)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), NULL);
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	_cleanup_(secret_freep) struct secret *sa = NULL, *sb = NULL, *sd = NULL, *found = NULL;
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive), *old = NULL,
						*new = NULL;
	struct id a = add(c, root, "a"), b, d;
	struct buf text = BUF_INIT;
	char hex[ID_TEXT];
	struct err err = ERR_INIT;

	ck_fails(custody_save(c, dir, root, &err), err, ERR_INVALID);
	ck_fails(custody_remove(c, &a, &err), err, ERR_INVALID);
	b = add(c, root, "b");
	ck_fails(custody_remove(c, &b, &err), err, ERR_INVALID);
	ck_ok(custody_save(c, dir, root, &err), err);
	ck_ok(custody_load(dir, &old, &err), err);
	d = add(c, root, "d");
	ck_ok(custody_remove(c, &b, &err), err);
	ck_fails(custody_remove(c, &b, &err), err, ERR_NOTFOUND);
	ck_ok(custody_save(c, dir, root, &err), err);
	ck_ok(custody_load(dir, &new, &err), err);
	sa = open_by(new, &a, "a");
	sb = open_by(old, &b, "b");
	sd = open_by(new, &d, "d");
	ck_ok(custody_combine(new, &a, sa, &d, sd, &found, &err), err);
	ck_assert(secret_equal(found, root));
	secret_free(TAKE_PTR(found));
	ck_fails(custody_combine(new, &a, sa, &b, sb, &found, &err), err, ERR_NOTFOUND);
	text_of(dir, &text);
	ck_assert(!strstr(text.p, hex_encode(b.b, ID_BYTES, hex)));
	buf_done(&text);
}
END_TEST

/* Two custodians' secrets, opened once, against a file that somebody changed. */
struct opened {
	struct secret *root, *sa, *sb;
	struct id a, b;
	struct buf text;
};

static struct opened open_both(void)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), NULL);
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive);
	struct opened o = { .root = secret_random(KEY_BYTES), .text = BUF_INIT };
	struct err err = ERR_INIT;

	o.a = add(c, o.root, "a");
	o.b = add(c, o.root, "b");
	ck_ok(custody_save(c, dir, o.root, &err), err);
	o.sa = open_by(c, &o.a, "a");
	o.sb = open_by(c, &o.b, "b");
	text_of(dir, &o.text);
	return o;
}

static void close_both(struct opened *o)
{
	secret_free(o->root);
	secret_free(o->sa);
	secret_free(o->sb);
	buf_done(&o->text);
}

static int unseal_with(const struct opened *o, struct str text, struct err *err)
{
	_cleanup_(custody_freep) struct custody *c = NULL;
	_cleanup_(secret_freep) struct secret *found = NULL;
	int r = custody_parse(text, &c, err);

	if (r == 0)
		r = custody_combine(c, &o->a, o->sa, &o->b, o->sb, &found, err);
	ck_assert(r < 0 || secret_equal(found, o->root));
	return r;
}

START_TEST(every_flip_is_noticed)
{
	struct opened o = open_both();
	struct err err = ERR_INIT;

	ck_ok(unseal_with(&o, buf_str(&o.text), &err), err);
	for (size_t i = 0; i < o.text.n; i++) {
		int r;

		o.text.p[i] ^= (char)(1 << i % 7);
		r = unseal_with(&o, buf_str(&o.text), &err);
		ck_assert_msg(r < 0, "byte %zu", i);
		o.text.p[i] ^= (char)(1 << i % 7);
	}
	for (size_t i = 0; i < o.text.n; i++)
		ck_assert(unseal_with(&o, (struct str){ o.text.p, i }, &err) < 0);
	close_both(&o);
}
END_TEST

static void replaced(const struct opened *o, const char *from, const char *to, int code)
{
	const char *at = strstr(o->text.p, from);
	struct buf changed = BUF_INIT;
	struct err err = ERR_INIT;

	ck_assert_msg(at != NULL, "'%s' is not in the text", from);
	buf_add(&changed, o->text.p, (size_t)(at - o->text.p));
	buf_adds(&changed, to);
	buf_adds(&changed, at + strlen(from));
	ck_fails(unseal_with(o, buf_str(&changed), &err), err, code);
	buf_done(&changed);
}

START_TEST(other_files_are_refused)
{
	struct opened o = open_both();

	/* Well-formed, but not what the MAC was made over. */
	replaced(&o, "\"label\":\"a\"", "\"label\":\"c\"", ERR_CORRUPT);
	replaced(&o, "\"epoch\":1", "\"epoch\":2", ERR_CORRUPT);
	replaced(&o, "\"ops\":2", "\"ops\":3", ERR_CORRUPT);
	/* Not well-formed. */
	replaced(&o, "\"format\":1", "\"format\":2", ERR_UNSUPPORTED);
	replaced(&o, "\"label\":\"a\"", "\"label\":\"b\"", ERR_CORRUPT);
	replaced(&o, "\"label\":\"a\"", "\"label\":\" a\"", ERR_CORRUPT);
	replaced(&o, "\"epoch\":1", "\"epoch\": 1", ERR_CORRUPT);
	replaced(&o, "\"epoch\":1", "\"epoch\":0", ERR_CORRUPT);
	replaced(&o, "\"ops\":2", "\"ops\":1", ERR_CORRUPT);
	replaced(&o, "\"ops\":2", "\"ops\":17", ERR_CORRUPT);
	replaced(&o, "67108864", "67108863", ERR_CORRUPT);
	replaced(&o, "67108864", "1073741825", ERR_CORRUPT);
	replaced(&o, "argon2id13", "argon2i13", ERR_CORRUPT);
	replaced(&o, "active", "retired", ERR_CORRUPT);
	replaced(&o, "\"kdf\"", "\"kde\"", ERR_CORRUPT);
	replaced(&o, "\"pairs\":[{", "\"pairs\":[],\"x\":[{", ERR_CORRUPT);
	replaced(&o, "}\n", "}", ERR_CORRUPT);
	replaced(&o, "}\n", "}\n\n", ERR_CORRUPT);
	close_both(&o);
}
END_TEST

/* Somebody who knows the format, but not the root key, puts in a custodian with a known passphrase. */
START_TEST(a_planted_custodian_opens_nothing)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), NULL);
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES),
					      *forged = secret_random(KEY_BYTES);
	_cleanup_(secret_freep) struct secret *sa = NULL, *sm = NULL, *found = NULL;
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive), *read = NULL;
	struct id a = add(c, root, "a"), m;
	struct err err = ERR_INIT;

	(void)add(c, root, "b");
	m = add(c, forged, "m");
	ck_ok(custody_save(c, dir, forged, &err), err);
	ck_ok(custody_load(dir, &read, &err), err);
	sa = open_by(read, &a, "a");
	sm = open_by(read, &m, "m");
	/* The pair gives the forger's root, under which no key of the archive opens; never the true one. */
	ck_ok(custody_combine(read, &a, sa, &m, sm, &found, &err), err);
	ck_assert(!secret_equal(found, root));
	secret_free(TAKE_PTR(found));
	ck_ok(custody_save(c, dir, root, &err), err);
	custody_free(TAKE_PTR(read));
	ck_ok(custody_load(dir, &read, &err), err);
	ck_fails(custody_combine(read, &a, sa, &m, sm, &found, &err), err, ERR_CORRUPT);
}
END_TEST

START_TEST(rotation_survives_a_crash_anywhere)
{
	_cleanup_(closep) int dir = file_open_dir(AT_FDCWD, harness_dir(), NULL);
	_cleanup_(secret_freep) struct secret *old_root = secret_random(KEY_BYTES),
					      *new_root = secret_random(KEY_BYTES);
	_cleanup_(secret_freep) struct secret *sa = NULL, *sb = NULL, *found = NULL;
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive), *read = NULL;
	struct id a = add(c, old_root, "a"), b = add(c, old_root, "b");
	struct err err = ERR_INIT;

	ck_ok(custody_save(c, dir, old_root, &err), err);
	sa = open_by(c, &a, "a");
	sb = open_by(c, &b, "b");
	ck_ok(custody_settle(dir, 1, &err), err);
	/* The keys were not rotated: what was prepared goes. */
	ck_ok(custody_rotate(c, new_root, &err), err);
	ck_ok(custody_save_next(c, dir, new_root, &err), err);
	ck_ok(custody_settle(dir, 1, &err), err);
	ck_assert(!file_exists(dir, "custody.next.json"));
	ck_ok(custody_load(dir, &read, &err), err);
	ck_ok(custody_combine(read, &a, sa, &b, sb, &found, &err), err);
	ck_assert(secret_equal(found, old_root));
	/* They were: it takes the place. */
	ck_ok(custody_save_next(c, dir, new_root, &err), err);
	ck_ok(custody_settle(dir, 2, &err), err);
	ck_ok(custody_settle(dir, 2, &err), err);
	ck_assert(!file_exists(dir, "custody.next.json"));
	custody_free(TAKE_PTR(read));
	secret_free(TAKE_PTR(found));
	ck_ok(custody_load(dir, &read, &err), err);
	ck_assert_uint_eq(custody_epoch(read), 2);
	ck_ok(custody_combine(read, &a, sa, &b, sb, &found, &err), err);
	ck_assert(secret_equal(found, new_root));
	/* One that is older than the keys was not written by us: hands off. */
	ck_ok(custody_save_next(c, dir, new_root, &err), err);
	ck_fails(custody_settle(dir, 3, &err), err, ERR_CORRUPT);
	ck_assert(file_exists(dir, "custody.next.json"));
}
END_TEST

struct opener {
	const struct custody *c;
	int r;
};

static void *open_wrongly(void *context)
{
	struct opener *o = context;
	_cleanup_(secret_freep) struct secret *wrong = phrase("another passphrase"), *found = NULL;
	struct id who;

	o->r = custody_open_any(o->c, wrong, &who, &found, NULL);
	return NULL;
}

/* The most memory that this process has had, in KiB. */
static long peak(void)
{
	struct buf text = BUF_INIT;
	const char *line;
	uint64_t kib = 0;
	struct str number;
	_cleanup_(closep) int fd = file_open_read(AT_FDCWD, "/proc/self/status", NULL);

	ck_assert_int_eq(file_read_fd(fd, &text, NULL), 0);
	line = strstr(text.p, "VmHWM:");
	ck_assert(line != NULL);
	number = str_trim((struct str){ line + 6, strcspn(line + 6, "k") });
	ck_assert_int_eq(str_to_u64(number, UINT64_MAX, &kib, NULL), 0);
	buf_done(&text);
	return (long)kib;
}

START_TEST(one_at_a_time)
{
	enum { THREADS = 4 };
	_cleanup_(secret_freep) struct secret *root = secret_random(KEY_BYTES);
	_cleanup_(custody_freep) struct custody *c = custody_new(&archive);
	struct opener openers[THREADS];
	pthread_t threads[THREADS];
	long before;

	(void)add(c, root, "a");
	before = peak();
	for (size_t i = 0; i < THREADS; i++) {
		openers[i] = (struct opener){ .c = c };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, open_wrongly, &openers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(openers[i].r, -ERR_CRYPTO);
	}
	/* Two at once would add 64 MiB. */
	ck_assert_int_lt(peak() - before, 40 << 10);
}
END_TEST

TESTS("store/custody", any_two_of_three, passphrases, limits_have_two_sides, names, two_must_stay,
	every_flip_is_noticed, other_files_are_refused, a_planted_custodian_opens_nothing,
	rotation_survives_a_crash_anywhere, one_at_a_time)
