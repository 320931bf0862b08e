#include "tests/harness.h"

#include "store/sshsig.h"

#include "core/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static struct signer *signer_of(const char seed[33])
{
	_cleanup_(secret_freep) struct secret *s = secret_copy(seed, 32);

	return signer_new(s);
}

static const char one_seed[] = "the seed of one signer, 32 bytes";
static const char two_seed[] = "the seed of two signer, 32 bytes";

static void write_file(const char *dir, const char *name, struct str content)
{
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);
	struct err err = ERR_INIT;

	ck_ok(file_replace(fd, name, content.p, content.n, &err), err);
}

/* Exit status of `ssh-keygen -Y verify` over a message, as somebody with our public key would call
 * it. */
static int keygen_verify(const struct signer *s, struct str armored, struct str message)
{
	const char *dir = harness_dir();
	char allowed[128], signature[128];
	struct buf line = BUF_INIT;
	const char *argv[] = { "ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "server", "-n",
		"git", "-s", signature, NULL };

	(void)snprintf(allowed, sizeof(allowed), "%s/allowed", dir);
	(void)snprintf(signature, sizeof(signature), "%s/signature", dir);
	buf_adds(&line, "server namespaces=\"git\" ssh-ed25519 ");
	public_key_add(&line, signer_public(s));
	buf_addc(&line, '\n');
	write_file(dir, "allowed", buf_str(&line));
	write_file(dir, "signature", armored);
	buf_done(&line);
	return harness_exec(argv, message, NULL);
}

START_TEST(ssh_keygen_agrees)
{
	_cleanup_(signer_freep) struct signer *one = signer_of(one_seed);
	_cleanup_(signer_freep) struct signer *two = signer_of(two_seed);
	struct str message = STR("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n");
	struct buf armored = BUF_INIT;

	sshsig_sign(one, "git", message.p, message.n, &armored);
	ck_assert_int_eq(keygen_verify(one, buf_str(&armored), message), 0);
	ck_assert_int_ne(keygen_verify(two, buf_str(&armored), message), 0);
	ck_assert_int_ne(keygen_verify(one, buf_str(&armored), STR("another text")), 0);
	buf_reset(&armored);
	sshsig_sign(one, "file", message.p, message.n, &armored);
	ck_assert_int_ne(keygen_verify(one, buf_str(&armored), message), 0);
	buf_done(&armored);
}
END_TEST

/* A key and a signature that ssh-keygen made are read as our own. */
START_TEST(reads_what_ssh_keygen_signs)
{
	const char *dir = harness_dir();
	char path[128];
	const char *make[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path,
		NULL };
	const char *sign[] = { "ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", path, NULL };
	const char *print[] = { "ssh-keygen", "-l", "-f", path, NULL };
	struct buf armored = BUF_INIT, public = BUF_INIT, printed = BUF_INIT, ours = BUF_INIT;
	struct str message = STR("a message"), rest;
	struct public_key key, found;
	struct err err = ERR_INIT;
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);

	(void)snprintf(path, sizeof(path), "%s/key", dir);
	ck_assert_int_eq(harness_exec(make, STR(""), NULL), 0);
	ck_assert_int_eq(harness_exec(sign, message, &armored), 0);
	ck_assert_int_eq(harness_exec(print, STR(""), &printed), 0);
	ck_ok(file_read_whole(fd, "key.pub", &public, &err), err);
	rest = str_trim(buf_str(&public));
	(void)str_cut(&rest, ' ');
	ck_ok(public_key_parse(str_cut(&rest, ' '), &key, &err), err);
	ck_ok(sshsig_verify(str_trim(buf_str(&armored)), "git", message.p, message.n, &found, &err),
		err);
	ck_assert(memcmp(key.b, found.b, sizeof(key.b)) == 0);
	public_key_fingerprint(&key, &ours);
	rest = buf_str(&printed);
	(void)str_cut(&rest, ' ');
	ck_assert(str_eq(str_cut(&rest, ' '), buf_str(&ours)));
	buf_done(&armored);
	buf_done(&public);
	buf_done(&printed);
	buf_done(&ours);
}
END_TEST

START_TEST(verifies_and_says_whose)
{
	_cleanup_(signer_freep) struct signer *one = signer_of(one_seed);
	struct buf armored = BUF_INIT;
	struct public_key key;
	struct err err = ERR_INIT;

	sshsig_sign(one, "git", "", 0, &armored);
	ck_ok(sshsig_verify(buf_str(&armored), "git", "", 0, &key, &err), err);
	ck_assert(memcmp(key.b, signer_public(one)->b, sizeof(key.b)) == 0);
	ck_fails(sshsig_verify(buf_str(&armored), "git", "x", 1, &key, &err), err, ERR_CRYPTO);
	ck_fails(sshsig_verify(buf_str(&armored), "gix", "", 0, &key, &err), err, ERR_INVALID);
	ck_fails(sshsig_verify(buf_str(&armored), "muniment-action", "", 0, &key, &err), err,
		ERR_INVALID);
	buf_done(&armored);
}
END_TEST

/* There is one text for a signature: every other one is refused, whatever ssh-keygen would think of
 * it. */
START_TEST(strict_about_every_byte)
{
	_cleanup_(signer_freep) struct signer *one = signer_of(one_seed);
	struct buf armored = BUF_INIT, other = BUF_INIT;
	struct public_key key;
	struct err err = ERR_INIT;

	sshsig_sign(one, "git", "text", 4, &armored);
	for (size_t i = 0; i < armored.n; i++) {
		for (int c = 0; c < 256; c++) {
			char was = armored.p[i];
			int r;

			if ((char)c == was)
				continue;
			/* Whole bytes in places of the form; a few in the base64. */
			if (i > 40 && i + 40 < armored.n && c % 41 != 0)
				continue;
			armored.p[i] = (char)c;
			r = sshsig_verify(buf_str(&armored), "git", "text", 4, &key, &err);
			ck_assert(r == -ERR_INVALID || r == -ERR_CRYPTO);
			armored.p[i] = was;
		}
	}
	for (size_t i = 0; i < armored.n; i++)
		ck_fails(sshsig_verify((struct str){ armored.p, i }, "git", "text", 4, &key, &err),
			err, ERR_INVALID);
	for (size_t i = 0; i <= armored.n; i++) {
		buf_reset(&other);
		buf_add(&other, armored.p, i);
		buf_addc(&other, '\n');
		buf_add(&other, armored.p + i, armored.n - i);
		ck_fails(sshsig_verify(buf_str(&other), "git", "text", 4, &key, &err), err,
			ERR_INVALID);
	}
	buf_done(&armored);
	buf_done(&other);
}
END_TEST

START_TEST(too_long_is_refused)
{
	struct buf text = BUF_INIT;
	struct public_key key;
	struct err err = ERR_INIT;

	buf_adds(&text, "-----BEGIN SSH SIGNATURE-----\n");
	for (int i = 0; i < 100000; i++)
		buf_adds(&text, "AAAA\n");
	buf_adds(&text, "-----END SSH SIGNATURE-----");
	ck_fails(sshsig_verify(buf_str(&text), "git", "", 0, &key, &err), err, ERR_INVALID);
	buf_done(&text);
}
END_TEST

START_TEST(public_keys_there_and_back)
{
	_cleanup_(signer_freep) struct signer *one = signer_of(one_seed);
	struct buf text = BUF_INIT;
	struct public_key key;
	struct err err = ERR_INIT;

	public_key_add(&text, signer_public(one));
	ck_assert_uint_eq(text.n, 68);
	ck_ok(public_key_parse(buf_str(&text), &key, &err), err);
	ck_assert(memcmp(key.b, signer_public(one)->b, sizeof(key.b)) == 0);
	ck_fails(public_key_parse((struct str){ text.p, 64 }, &key, &err), err, ERR_INVALID);
	ck_fails(public_key_parse(STR(""), &key, &err), err, ERR_INVALID);
	text.p[10] = text.p[10] == 'A' ? 'B' : 'A';
	ck_fails(public_key_parse(buf_str(&text), &key, &err), err, ERR_INVALID);
	buf_addc(&text, '=');
	ck_fails(public_key_parse(buf_str(&text), &key, &err), err, ERR_INVALID);
	buf_done(&text);
}
END_TEST

START_TEST(raw_signatures)
{
	_cleanup_(signer_freep) struct signer *one = signer_of(one_seed);
	_cleanup_(signer_freep) struct signer *two = signer_of(two_seed);
	uint8_t signature[64];

	signer_sign_raw(one, "abc", 3, signature);
	ck_assert(public_key_verify_raw(signer_public(one), "abc", 3, signature));
	ck_assert(!public_key_verify_raw(signer_public(two), "abc", 3, signature));
	ck_assert(!public_key_verify_raw(signer_public(one), "abd", 3, signature));
	signature[63] ^= 1;
	ck_assert(!public_key_verify_raw(signer_public(one), "abc", 3, signature));
}
END_TEST

TESTS("store/sshsig", ssh_keygen_agrees, reads_what_ssh_keygen_signs, verifies_and_says_whose,
	strict_about_every_byte, too_long_is_refused, public_keys_there_and_back, raw_signatures)
