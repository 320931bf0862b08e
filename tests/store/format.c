/* format.c - the worked examples of FORMAT.md, section 14: made again from fixed ids and keys, compared
 * with what stands there byte for byte, taken out of the page and read back.
 *
 * With MUNIMENT_PRINT_EXAMPLES set, the examples are printed instead, to be put into the page. */
#include "tests/harness.h"

#include "store/checkpoint.h"
#include "store/commit.h"
#include "store/custody.h"
#include "store/envelope_private.h"
#include "store/journal_private.h"
#include "store/slip.h"
#include "store/wrap.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/hash.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the fixed values: runs of bytes that count up ---- */

static void count_up(uint8_t first, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(first + i);
}

static struct id id_from(uint8_t first)
{
	struct id id;

	count_up(first, id.b, sizeof(id.b));
	return id;
}

static struct secret *secret_from(uint8_t first)
{
	struct secret *s = secret_new(32);

	count_up(first, s->p, s->n);
	return s;
}

#define ARCHIVE id_from(0x00)
#define RECORD id_from(0x10)
#define KEY id_from(0x20)
#define PART id_from(0x30)
#define ACTION id_from(0x50)
enum { RECORD_KEY = 0x40, ROOT = 0x60, SERVER = 0x80, CHECKPOINT = 0xa0, REQUESTS = 0xc0 };

static const char plaintext[] = "\xe7\x81\xad\xe8\x8f\x8c\xe8\xae\xb0\xe5\xbd\x95\n"; /* 灭菌记录 */
static const char number[] = "资质审核记录-20261121-001";
static const char scope[] = "资质审核记录-20261121-*";
static const char path[] = "2026-11/资质审核记录/运营部/0000/00/资质审核记录-20261121-001/v1";
static const char other_path[] = "2026-11/资质审核记录/运营部/0000/00/资质审核记录-20261121-002/v1";
static const int64_t now = 1795251731; /* 2026-11-21T09:02:11Z */

static struct signer *signer_from(uint8_t first)
{
	_cleanup_(secret_freep) struct secret *seed = secret_from(first);

	return signer_new(seed);
}

/* ---- making ---- */

static void seal(enum envelope_kind kind, uint8_t salt_from, struct str plain, struct buf *ret)
{
	struct envelope_binding binding = { ARCHIVE, RECORD };
	struct envelope_head head = {
		.kind = kind, .key = KEY, .chunks = 1, .plain_bytes = plain.n
	};
	uint8_t key[32], salt[32];
	struct err err = ERR_INIT;

	if (kind == ENVELOPE_PART)
		head.part = PART;
	count_up(RECORD_KEY, key, sizeof(key));
	count_up(salt_from, salt, sizeof(salt));
	ck_ok(envelope_seal_with_salt(&binding, &head, key, salt, plain.p, ret, &err), err);
}

static void make_envelope(struct buf *ret)
{
	seal(ENVELOPE_PART, 0xe0, str_of(plaintext), ret);
}

static void make_manifest(struct buf *ret)
{
	seal(ENVELOPE_MANIFEST, 0xd0, STR("{}"), ret);
}

static struct wrapped_key make_wrapped(void)
{
	_cleanup_(secret_freep) struct secret *root = secret_from(ROOT);
	struct wrapped_key w = { .key = KEY, .record = RECORD, .epoch = 1 };
	struct id archive = ARCHIVE;
	uint8_t key[32], nonce[WRAP_NONCE];

	count_up(RECORD_KEY, key, sizeof(key));
	count_up(0xb0, nonce, sizeof(nonce));
	record_key_wrap(root, &archive, nonce, key, &w);
	return w;
}

static struct slip_blob blob_of(const struct buf *content)
{
	struct slip_blob blob = { .volume = 1, .bytes = content->n };

	sha256(content->p, content->n, blob.sha256.b);
	object_name(OBJECT_BLOB, content->p, content->n, &blob.oid);
	return blob;
}

static void make_blobs(struct slip_blob *manifest, struct slip_blob *part)
{
	struct buf content = BUF_INIT;

	make_manifest(&content);
	*manifest = blob_of(&content);
	buf_reset(&content);
	make_envelope(&content);
	*part = blob_of(&content);
	buf_done(&content);
}

static void make_slip(struct buf *ret)
{
	struct id key = KEY;
	struct slip_part part = { .part = PART, .chunks = 1 };
	struct slip s = { .archive = ARCHIVE,
		.record = RECORD,
		.version = 1,
		.serial = 1,
		.scope = str_of(scope),
		.has_request = true,
		.keys = &key,
		.key_count = 1,
		.parts = &part,
		.part_count = 1,
		.number = str_of(number) };
	uint8_t requests[32];

	count_up(REQUESTS, requests, sizeof(requests));
	(void)crypto_generichash(s.request.b, sizeof(s.request.b), (const uint8_t *)"request 1", 9,
		requests, sizeof(requests));
	make_blobs(&s.manifest, &part.blob);
	slip_format(&s, ret);
}

static void make_tombstone(struct buf *ret)
{
	struct id key = KEY;
	struct slip_blob blobs[2];
	struct tombstone t = { .archive = ARCHIVE,
		.record = RECORD,
		.versions = 1,
		.epoch = 1,
		.keys = &key,
		.key_count = 1,
		.envelopes = blobs,
		.envelope_count = 2,
		.number = str_of(number) };

	make_blobs(&blobs[0], &blobs[1]);
	tombstone_format(&t, ret);
}

static void make_list(struct buf *ret)
{
	struct listed files[2] = { { .path = str_of(path) }, { .path = str_of(other_path) } };
	struct buf slip = BUF_INIT;

	make_slip(&slip);
	sha256(slip.p, slip.n, files[0].sha256.b);
	memset(files[1].sha256.b, 0x5a, sizeof(files[1].sha256.b));
	list_format(files, 2, ret);
	buf_done(&slip);
}

/* Both commits have git's empty tree, to keep the example short. */
static const struct oid empty_tree = { { 0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60,
	0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88, 0xfb, 0xee, 0x49, 0x04 } };

static void make_opening(struct buf *ret)
{
	_cleanup_(signer_freep) struct signer *signer = signer_from(SERVER);
	struct signer_line line = { .signer = STR("server"), .key = *signer_public(signer) };
	struct commit c = { .tree = empty_tree,
		.time = now,
		.subject = STR("open volume 1"),
		.archive = ARCHIVE,
		.action = ACTION,
		.volume = 1,
		.uid = 1000,
		.act = ACT_OPEN,
		.account = STR("u-00001"),
		.signer = STR("server"),
		.actions = 1,
		.signers = &line,
		.signer_count = 1 };

	commit_format(&c, signer, ret);
}

static void make_commit(struct buf *ret)
{
	_cleanup_(signer_freep) struct signer *signer = signer_from(SERVER);
	struct commit c = { .tree = empty_tree,
		.time = now + 1,
		.subject = STR("资质审核记录-20261121-001 file"),
		.archive = ARCHIVE,
		.action = ACTION,
		.volume = 1,
		.uid = 1000,
		.act = ACT_FILE,
		.account = STR("u-00017"),
		.signer = STR("server"),
		.actions = 2,
		.records = 1,
		.file = { .path = str_of(path) } };
	struct buf before = BUF_INIT, slip = BUF_INIT;

	c.action.b[0]++;
	make_opening(&before);
	object_name(OBJECT_COMMIT, before.p, before.n, &c.parent);
	sha256(before.p, before.n, c.previous.b);
	make_slip(&slip);
	sha256(slip.p, slip.n, c.file.sha256.b);
	commit_format(&c, signer, ret);
	buf_done(&before);
	buf_done(&slip);
}

static void make_frame(struct buf *ret)
{
	struct wrapped_key key = make_wrapped();
	struct buf envelope = BUF_INIT, opening = BUF_INIT, commit = BUF_INIT;
	struct frame_object object = { .type = OBJECT_BLOB, .is_envelope = true };
	struct frame f = { .volume = 1,
		.number = 1,
		.objects = &object,
		.object_count = 1,
		.keys = &key,
		.key_count = 1 };
	static const struct digest zero;

	make_envelope(&envelope);
	object.content = buf_str(&envelope);
	object_name(OBJECT_BLOB, envelope.p, envelope.n, &object.oid);
	make_opening(&opening);
	object_name(OBJECT_COMMIT, opening.p, opening.n, &f.head_before);
	make_commit(&commit);
	object_name(OBJECT_COMMIT, commit.p, commit.n, &f.head);
	frame_encode(&f, 1, &zero, buf_extend(ret, frame_bytes(frame_body_bytes(&f))));
	buf_done(&envelope);
	buf_done(&opening);
	buf_done(&commit);
}

static void make_checkpoint(struct buf *ret)
{
	_cleanup_(signer_freep) struct signer *signer = signer_from(CHECKPOINT),
					      *server = signer_from(SERVER);
	struct checkpoint_volume volume = { .volume = 1 };
	struct checkpoint c = { .archive = ARCHIVE,
		.actions = 2,
		.time = now + 2,
		.volumes = &volume,
		.volume_count = 1 };
	struct buf commit = BUF_INIT;

	make_commit(&commit);
	object_name(OBJECT_COMMIT, commit.p, commit.n, &volume.head);
	sha256(commit.p, commit.n, volume.sha256.b);
	checkpoint_format(&c, signer, server, ret);
	buf_done(&commit);
}

/* ---- the page ---- */

/* The fenced block below a "### heading". */
static void example(const char *heading, struct buf *ret)
{
	const char *source = getenv("MUNIMENT_SOURCE");
	struct buf page = BUF_INIT, title = BUF_INIT, name = BUF_INIT;
	const char *at, *end;
	struct err err = ERR_INIT;

	buf_addf(&name, "%s/store/FORMAT.md", source ? source : ".");
	ck_ok(file_read_whole(AT_FDCWD, name.p, &page, &err), err);
	buf_addf(&title, "\n### %s\n", heading);
	at = strstr(page.p, title.p);
	at = at ? strstr(at, "\n```\n") : NULL;
	end = at ? strstr(at + 5, "```\n") : NULL;
	ck_assert_msg(end != NULL, "FORMAT.md has no example '%s'", heading);
	buf_add(ret, at + 5, (size_t)(end - at - 5));
	buf_done(&page);
	buf_done(&title);
	buf_done(&name);
}

/* Sixteen bytes a line behind their offset; lines of zeros but the last are left out, and a line '*' says so. */
static void dump(struct str bytes, struct buf *ret)
{
	static const char zeros[16];
	bool skipping = false;

	for (size_t at = 0; at < bytes.n; at += 16) {
		size_t n = bytes.n - at < 16 ? bytes.n - at : 16;

		if (n == 16 && at + 16 < bytes.n && memcmp(bytes.p + at, zeros, 16) == 0) {
			if (!skipping)
				buf_adds(ret, "*\n");
			skipping = true;
			continue;
		}
		skipping = false;
		buf_addf(ret, "%4zu ", at);
		for (size_t i = 0; i < n; i++)
			buf_addf(ret, " %02x", (uint8_t)bytes.p[at + i]);
		buf_addf(ret, "%*s  ", (int)(3 * (16 - n)), "");
		for (size_t i = 0; i < n; i++) {
			char c = bytes.p[at + i];

			buf_addc(ret, c > 0x20 && c < 0x7f ? c : '.');
		}
		buf_addc(ret, '\n');
	}
}

/* And back, by what the lines say. */
static void undump(struct str text, struct buf *ret)
{
	while (text.n) {
		struct str line = str_cut(&text, '\n'), offset = { line.p, 4 };
		uint64_t at = 0;

		if (str_is(line, "*"))
			continue;
		ck_assert_int_eq(str_to_u64(str_trim(offset), 1 << 20, &at, NULL), 0);
		ck_assert(at >= ret->n);
		memset(buf_extend(ret, at - ret->n), 0, at - ret->n);
		for (size_t i = 6; i + 2 <= line.n && i < 6 + 48 && line.p[i] != ' '; i += 3) {
			uint8_t byte;

			ck_assert_int_eq(
				hex_decode((struct str){ line.p + i, 2 }, &byte, 1, NULL), 0);
			buf_addc(ret, (char)byte);
		}
	}
}

/* Whether the page has exactly this under the heading. */
static void stands_there(const char *heading, struct str text)
{
	struct buf found = BUF_INIT;

	if (getenv("MUNIMENT_PRINT_EXAMPLES")) {
		(void)printf("### %s\n\n```\n%.*s```\n\n", heading, STR_ARG(text));
		return;
	}
	example(heading, &found);
	ck_assert_msg(str_eq(buf_str(&found), text),
		"%s: FORMAT.md has\n%s\nbut it should be\n%.*s", heading, found.p, STR_ARG(text));
	buf_done(&found);
}

/* The same for bytes; and the page's dump read back gives these bytes. */
static void dump_stands_there(const char *heading, const struct buf *bytes)
{
	struct buf text = BUF_INIT, found = BUF_INIT, back = BUF_INIT;

	dump(buf_str(bytes), &text);
	stands_there(heading, buf_str(&text));
	if (!getenv("MUNIMENT_PRINT_EXAMPLES")) {
		example(heading, &found);
		undump(buf_str(&found), &back);
		ck_assert(str_eq(buf_str(&back), buf_str(bytes)));
	}
	buf_done(&text);
	buf_done(&found);
	buf_done(&back);
}

START_TEST(envelope)
{
	struct envelope_binding binding = { ARCHIVE, RECORD };
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	uint8_t key[32];
	struct err err = ERR_INIT;

	make_envelope(&sealed);
	dump_stands_there("Envelope", &sealed);
	count_up(RECORD_KEY, key, sizeof(key));
	ck_ok(envelope_open(&binding, key, buf_str(&sealed), &plain, &err), err);
	ck_assert_str_eq(plain.p, plaintext);
	buf_reset(&sealed);
	make_manifest(&sealed);
	dump_stands_there("Manifest envelope", &sealed);
	buf_done(&sealed);
	buf_done(&plain);
}
END_TEST

START_TEST(keys)
{
	_cleanup_(secret_freep) struct secret *root = secret_from(ROOT);
	struct wrapped_key w = make_wrapped();
	struct id archive = ARCHIVE;
	uint8_t key[32], expected[32], wrapped[WRAPPED_BYTES], nonce[WRAP_NONCE];
	struct buf bytes = BUF_INIT;

	buf_add(&bytes, w.wrapped, sizeof(w.wrapped));
	dump_stands_there("Wrapped record key", &bytes);
	count_up(RECORD_KEY, expected, sizeof(expected));
	ck_assert(record_key_unwrap(root, &archive, &w, key));
	ck_assert(memcmp(key, expected, sizeof(key)) == 0);
	buf_reset(&bytes);
	count_up(0xb0, nonce, sizeof(nonce));
	count_up(SERVER, key, sizeof(key));
	purpose_key_wrap(root, &archive, 1, "server", nonce, key, wrapped);
	buf_add(&bytes, wrapped, sizeof(wrapped));
	dump_stands_there("Wrapped purpose key", &bytes);
	buf_reset(&bytes);
	envelope_subkey(expected, "muniment text 1", key);
	buf_add(&bytes, key, sizeof(key));
	dump_stands_there("Subkey", &bytes);
	buf_done(&bytes);
}
END_TEST

START_TEST(slip_tombstone_list)
{
	_cleanup_(freep) void *slip_memory = NULL, *tombstone_memory = NULL;
	_cleanup_(freep) struct listed *files = NULL;
	struct tombstone t;
	struct slip s;
	size_t count = 0;
	struct buf text = BUF_INIT, grave = BUF_INIT, list = BUF_INIT;
	struct err err = ERR_INIT;

	make_slip(&text);
	stands_there("Slip", buf_str(&text));
	ck_ok(slip_parse(buf_str(&text), &s, &slip_memory, &err), err);
	make_tombstone(&grave);
	stands_there("Tombstone", buf_str(&grave));
	ck_ok(tombstone_parse(buf_str(&grave), &t, &tombstone_memory, &err), err);
	make_list(&list);
	stands_there("List", buf_str(&list));
	ck_ok(list_parse(buf_str(&list), &files, &count, &err), err);
	ck_assert_uint_eq(count, 2);
	buf_done(&text);
	buf_done(&grave);
	buf_done(&list);
}
END_TEST

START_TEST(commits)
{
	_cleanup_(signer_freep) struct signer *signer = signer_from(SERVER);
	_cleanup_(freep) void *memory = NULL, *opening_memory = NULL;
	struct buf opening = BUF_INIT, text = BUF_INIT, line = BUF_INIT;
	struct public_key key;
	struct commit c, o;
	struct err err = ERR_INIT;

	make_opening(&opening);
	stands_there("Opening commit", buf_str(&opening));
	make_commit(&text);
	stands_there("Commit", buf_str(&text));
	ck_ok(commit_parse(buf_str(&opening), &o, &opening_memory, &err), err);
	ck_ok(commit_parse(buf_str(&text), &c, &memory, &err), err);
	ck_ok(commit_verify(buf_str(&text), &key, &err), err);
	ck_assert(memcmp(key.b, o.signers[0].key.b, sizeof(key.b)) == 0);
	buf_adds(&line, "server@");
	hex_add(&line, o.archive.b, sizeof(o.archive.b));
	buf_adds(&line, " namespaces=\"git,muniment-checkpoint\" ssh-ed25519 ");
	public_key_add(&line, signer_public(signer));
	buf_addc(&line, '\n');
	stands_there("Allowed signers", buf_str(&line));
	buf_done(&opening);
	buf_done(&text);
	buf_done(&line);
}
END_TEST

/* crypto_box_seal draws a key of its own for every share, so this file was made once; it is only read here. */
START_TEST(custody)
{
	static const char *const passphrases[2] = { "passphrase of Zhang", "passphrase of Li" };
	_cleanup_(secret_freep) struct secret *root = secret_from(ROOT), *found = NULL;
	_cleanup_(custody_freep) struct custody *c = NULL;
	struct secret *secrets[2] = { NULL, NULL };
	struct id ids[2];
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	example("custody.json", &text);
	ck_ok(custody_parse(buf_str(&text), &c, &err), err);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(secret_freep) struct secret *passphrase =
			secret_copy(passphrases[i], strlen(passphrases[i]));

		ck_ok(custody_open_any(c, passphrase, &ids[i], &secrets[i], &err), err);
	}
	ck_ok(custody_combine(c, &ids[0], secrets[0], &ids[1], secrets[1], &found, &err), err);
	ck_assert(secret_equal(found, root));
	secret_free(secrets[0]);
	secret_free(secrets[1]);
	buf_done(&text);
}
END_TEST

START_TEST(frame)
{
	_cleanup_(freep) void *memory = NULL;
	struct buf bytes = BUF_INIT;
	struct frame f;
	uint8_t digest[SHA256_BYTES];
	struct err err = ERR_INIT;

	make_frame(&bytes);
	dump_stands_there("Frame", &bytes);
	ck_ok(frame_parse(buf_str(&bytes), 1, &f, &memory, digest, &err), err);
	ck_assert_uint_eq(f.object_count, 1);
	ck_assert_uint_eq(f.key_count, 1);
	buf_done(&bytes);
}
END_TEST

START_TEST(checkpoint)
{
	_cleanup_(signer_freep) struct signer *signer = signer_from(CHECKPOINT);
	_cleanup_(freep) void *memory = NULL;
	struct buf text = BUF_INIT;
	struct checkpoint c;
	struct err err = ERR_INIT;

	make_checkpoint(&text);
	stands_there("Checkpoint", buf_str(&text));
	ck_ok(checkpoint_parse(buf_str(&text), signer_public(signer), &c, &memory, &err), err);
	buf_done(&text);
}
END_TEST

TESTS("store/format", envelope, keys, slip_tombstone_list, commits, custody, frame, checkpoint)
