#include "tests/harness.h"

#include "core/base/file.h"
#include "store/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "muniment.example/000102030405060708090a0b0c0d0e0f"
#define SIGNED_BY "\xe2\x80\x94 " NAME " "
#define BY_SERVER "\xe2\x80\x94 server@000102030405060708090a0b0c0d0e0f "

/* The first signature was computed from the C2SP rules by other software: SHA-256 and Ed25519 with the seed
 * 00 01 ... 1f; the second, with the seed 02 03 ... 21, is what ssh-keygen accepts (below). */
static const char note[] = NAME
	"\n"
	"42\n"
	"IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=\n"
	"volume 1 1111111111111111111111111111111111111111"
	" 2121212121212121212121212121212121212121212121212121212121212121\n"
	"volume 2 1212121212121212121212121212121212121212"
	" 2222222222222222222222222222222222222222222222222222222222222222\n"
	"time 2026-11-21T09:02:11Z\n"
	"\n" SIGNED_BY "gLnYi910q+8f2Q/DfJa5bCGMC+aMtaydEcyzX37eDqpMEbhCXTGNpHGui8eHnIn8"
	"VTS0rOG66/iHRdzDRUA2p4ndogM=\n" BY_SERVER
	"DVe581NTSFNJRwAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIEPNwCPSLV+eEH0aBpNFfTXR0Q630hxyEZL1b13k"
	"BmXTAAAAE211bmltZW50LWNoZWNrcG9pbnQAAAAAAAAABnNoYTUxMgAAAFMAAAALc3NoLWVkMjU1MTkAAABA/PDc"
	"mH/zBVUfqRHwF3rRBppph6eRBfRqrPEOknmNH8O2x4Dk2g7wCwUL0GYpwO6Y21R6cRplTRz9U0Qdyyy4Dg==\n";

static struct signer *the_signer(uint8_t first)
{
	_cleanup_(secret_freep) struct secret *seed = secret_new(32);

	for (uint8_t i = 0; i < 32; i++)
		seed->p[i] = (uint8_t)(i + first);
	return signer_new(seed);
}

static struct checkpoint_volume volumes[2];

static struct checkpoint the_checkpoint(void)
{
	struct checkpoint c = {
		.actions = 42, .time = 1795251731, .volumes = volumes, .volume_count = 2
	};

	for (uint8_t i = 0; i < ID_BYTES; i++)
		c.archive.b[i] = i;
	for (uint8_t i = 0; i < 2; i++) {
		volumes[i].volume = i + 1U;
		memset(volumes[i].head.b, 0x11 + i, sizeof(volumes[i].head.b));
		memset(volumes[i].sha256.b, 0x21 + i, sizeof(volumes[i].sha256.b));
	}
	return c;
}

static int read_note(struct str text, const struct public_key *key, struct err *err)
{
	_cleanup_(freep) void *memory = NULL;
	struct checkpoint c;

	return checkpoint_parse(text, key, &c, &memory, err);
}

START_TEST(the_note_of_the_rules)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer(0), *server = the_signer(2);
	_cleanup_(freep) void *memory = NULL;
	struct checkpoint c = the_checkpoint(), read;
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	checkpoint_format(&c, signer, server, &text);
	ck_assert_str_eq(text.p, note);
	ck_ok(checkpoint_parse(buf_str(&text), signer_public(signer), &read, &memory, &err), err);
	ck_assert(id_equal(&read.archive, &c.archive));
	ck_assert_uint_eq(read.actions, 42);
	ck_assert_int_eq(read.time, c.time);
	ck_assert_uint_eq(read.volume_count, 2);
	ck_assert(memcmp(read.volumes, volumes, sizeof(volumes)) == 0);
	ck_assert(memcmp(&read.server, signer_public(server), sizeof(read.server)) == 0);
	ck_ok(read_note(buf_str(&text), NULL, &err), err);
	buf_done(&text);
}
END_TEST

/* The second signature in its armor, as verify-archive.sh makes it, for ssh-keygen. */
START_TEST(ssh_keygen_agrees)
{
	_cleanup_(signer_freep) struct signer *server = the_signer(2);
	_cleanup_(buf_done) struct buf bytes = BUF_INIT, text = BUF_INIT, printed = BUF_INIT;
	const char *dir = harness_dir(), *at = strstr(note, BY_SERVER) + strlen(BY_SERVER);
	_cleanup_(closep) int fd = file_open_dir(AT_FDCWD, dir, NULL);
	char allowed[128], signature[128];
	const char *argv[] = { "ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "server", "-n",
		"muniment-checkpoint", "-s", signature, NULL };
	struct err err = ERR_INIT;

	(void)snprintf(allowed, sizeof(allowed), "%s/allowed", dir);
	(void)snprintf(signature, sizeof(signature), "%s/signature", dir);
	buf_adds(&text, "server namespaces=\"git,muniment-checkpoint\" ssh-ed25519 ");
	public_key_add(&text, signer_public(server));
	buf_addc(&text, '\n');
	ck_ok(file_replace(fd, "allowed", text.p, text.n, &err), err);
	ck_ok(base64_decode((struct str){ at, strcspn(at, "\n") }, &bytes, &err), err);
	buf_reset(&text);
	buf_adds(&text, "-----BEGIN SSH SIGNATURE-----\n");
	base64_add(&text, bytes.p + 4, bytes.n - 4);
	buf_adds(&text, "\n-----END SSH SIGNATURE-----\n");
	ck_ok(file_replace(fd, "signature", text.p, text.n, &err), err);
	at = strstr(note, "\n\n") + 1;
	ck_assert_msg(harness_exec(argv, (struct str){ note, (size_t)(at - note) }, &printed) == 0,
		"%s", printed.p);
	ck_assert_int_ne(
		harness_exec(argv, (struct str){ note, (size_t)(at - note) - 1 }, NULL), 0);
}
END_TEST

static int changed(const char *from, const char *to, const struct public_key *key, struct err *err)
{
	const char *at = strstr(note, from);
	struct buf text = BUF_INIT;
	int r;

	ck_assert_msg(at != NULL, "'%s' is not in the text", from);
	buf_add(&text, note, (size_t)(at - note));
	buf_adds(&text, to);
	buf_adds(&text, at + strlen(from));
	r = read_note(buf_str(&text), key, err);
	buf_done(&text);
	return r;
}

START_TEST(other_notes_are_refused)
{
	static const struct {
		const char *from, *to;
		int line;
	} cases[] = {
		{ "muniment.example", "muniment.invalid", 1 },
		{ "0f\n42", "0F\n42", 1 },
		{ "42\n", "042\n", 2 },
		{ "42\n", "0\n", 2 },
		{ "IiI=\n", "IiJ=\n", 3 },
		{ "IiI=\n", "IiI\n", 3 },
		{ "IiI=\n", "IiI= \n", 3 },
		{ "2\nIiIi", "2\nJiIi", 5 }, /* not the last volume's */
		{ "volume 1", "volume 2", 4 },
		{ "volume 2", "volume 3", 5 },
		{ "volume 1 11", "volume 1 1", 4 },
		{ "time ", "tine ", 6 },
		{ "2026-11-21T", "2026-11-31T", 6 },
		{ "T09:", "T25:", 6 },
		{ ":11Z", ":61Z", 6 },
		{ ":11Z", ":11", 6 },
		{ ":11Z", ".11Z", 6 },
		{ "2026-", "1960-", 6 },
		{ "11Z\n\n", "11Z\n", 7 },
		{ "11Z\n\n", "11Z\n\n\n", 8 },
		{ SIGNED_BY, "- " NAME " ", 8 },
		{ SIGNED_BY, "\xe2\x80\x94 other ", 9 },
		{ SIGNED_BY, "\xe2\x80\x94 ", 8 },
		{ "ogM=\n", "ogM=", 8 },
		{ "ogM=\n", "ogM= x\n", 8 },
		{ "ogM=\n", "ogM=\n\n", 9 },
		{ "ogM=\n", "ogM=\nx\n", 9 },
		{ "ndogM=\n", "ng==\n", 8 },
		{ BY_SERVER, "\xe2\x80\x94 other ", 9 },
		{ BY_SERVER, BY_SERVER "DVe5\n" BY_SERVER, 9 },
		{ BY_SERVER "DVe5", BY_SERVER "DVe6", 9 }, /* the hash of another key */
		{ "4Dg==\n", "4Dg==\n\n", 10 },
		{ "4Dg==\n", "4Dh==\n", 9 },
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf expected = BUF_INIT;

		ck_fails(changed(cases[i].from, cases[i].to, NULL, &err), err, ERR_INVALID);
		buf_addf(&expected, "line %d", cases[i].line);
		ck_assert_msg(str_ends(str_of(err.text), expected.p), "'%s' -> '%s': %s",
			cases[i].from, cases[i].to, err.text);
		buf_done(&expected);
	}
	for (size_t i = 0; i < sizeof(note) - 1; i++)
		ck_fails(read_note((struct str){ note, i }, NULL, &err), err, ERR_INVALID);
}
END_TEST

START_TEST(signatures_are_checked)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer(0), *other = the_signer(1);
	const struct public_key *key = signer_public(signer);
	char text[sizeof(note)];
	struct err err = ERR_INIT;

	ck_ok(read_note(str_of(note), key, &err), err);
	ck_fails(read_note(str_of(note), signer_public(other), &err), err, ERR_CRYPTO);
	ck_fails(changed("42\n", "43\n", key, &err), err, ERR_CRYPTO);
	ck_fails(changed("gLnYi9", "gLnYi8", key, &err), err, ERR_CRYPTO);
	/* Another key hash: a signature by somebody else, so ours is missing. */
	ck_fails(changed("gLnY", "gLnZ", key, &err), err, ERR_CRYPTO);
	memcpy(text, note, sizeof(note));
	for (size_t i = 0; i < sizeof(note) - 1; i++) {
		int r;

		text[i] ^= (char)(1 << i % 8);
		r = read_note((struct str){ text, sizeof(note) - 1 }, key, &err);
		ck_assert_msg(r == -ERR_CRYPTO || r == -ERR_INVALID, "byte %zu", i);
		text[i] ^= (char)(1 << i % 8);
	}
}
END_TEST

START_TEST(witnesses_may_sign_too)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer(0);
	const struct public_key *key = signer_public(signer);
	struct err err = ERR_INIT;

	ck_ok(changed("ogM=\n", "ogM=\n\xe2\x80\x94 witness.example/w AAAA\n", key, &err), err);
	ck_ok(changed(SIGNED_BY, "\xe2\x80\x94 witness.example/w AAAA\n" SIGNED_BY, key, &err),
		err);
	ck_fails(changed("ogM=\n", "ogM=\n\xe2\x80\x94 witness.example/w\n", key, &err), err,
		ERR_INVALID);
	/* A second line that says it is ours and is not spoils the note. */
	ck_fails(changed("ogM=\n",
			 "ogM=\n" SIGNED_BY
			 "gLnYi910q+8f2Q/DfJa5bCGMC+aMtaydEcyzX37eDqpMEbhCXTGNpHGu"
			 "i8eHnIn8VTS0rOG66/iHRdzDRUA2p4ndogQ=\n",
			 key, &err),
		err, ERR_CRYPTO);
}
END_TEST

START_TEST(unfit_checkpoints_are_not_written)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer(0), *server = the_signer(2);
	struct checkpoint cases[4];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cases[i] = the_checkpoint();
	cases[0].volume_count = 0;
	cases[1].actions = 0;
	cases[2].time = -1;
	cases[3].volumes = volumes + 1;
	cases[3].volume_count = 1;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf text = BUF_INIT;

		checkpoint_format(&cases[i], signer, server, &text);
		ck_assert(text.failed);
		buf_done(&text);
	}
}
END_TEST

START_TEST(limits_have_two_sides)
{
	_cleanup_(signer_freep) struct signer *signer = the_signer(0), *server = the_signer(2);
	_cleanup_(freep) struct checkpoint_volume *many =
		xcalloc(CHECKPOINT_MAX_VOLUMES + 1, sizeof(*many));
	struct checkpoint c = the_checkpoint();
	struct buf text = BUF_INIT, longer = BUF_INIT;
	struct err err = ERR_INIT;
	const char *time;

	for (uint32_t i = 0; i <= CHECKPOINT_MAX_VOLUMES; i++)
		many[i].volume = i + 1;
	c.volumes = many;
	c.volume_count = CHECKPOINT_MAX_VOLUMES + 1;
	checkpoint_format(&c, signer, server, &text);
	ck_assert(text.failed);
	buf_reset(&text);
	c.volume_count--;
	checkpoint_format(&c, signer, server, &text);
	ck_ok(read_note(buf_str(&text), signer_public(signer), &err), err);
	time = strstr(text.p, "time ");
	buf_add(&longer, text.p, (size_t)(time - text.p));
	buf_adds(&longer, "volume 10001 0 0\n");
	buf_adds(&longer, time);
	ck_fails(read_note(buf_str(&longer), NULL, &err), err, ERR_LIMIT);
	while (longer.n <= CHECKPOINT_MAX_BYTES)
		buf_addc(&longer, 'x');
	ck_fails(read_note(buf_str(&longer), NULL, &err), err, ERR_LIMIT);
	buf_done(&text);
	buf_done(&longer);
}
END_TEST

TESTS("store/checkpoint", the_note_of_the_rules, ssh_keygen_agrees, other_notes_are_refused,
	signatures_are_checked, witnesses_may_sign_too, unfit_checkpoints_are_not_written,
	limits_have_two_sides)
