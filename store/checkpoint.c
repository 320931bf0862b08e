/* checkpoint.c - see checkpoint.h; FORMAT.md, section 12.
 *
 * A note is a text, an empty line, and signature lines (C2SP signed-note). Others may add lines of theirs,
 * as witnesses do; they are looked at for their form and otherwise passed over. */
#include "store/checkpoint.h"

#include "store/lines.h"

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char origin[] = "muniment.example/";
static const char server[] = "server@";
static const char name_space[] = "muniment-checkpoint";
static const char dash[] = "\xe2\x80\x94 ";

enum {
	KEY_HASH = 4,
	SIGNATURE = 64,
	NAME_MAX_BYTES = sizeof(origin) - 1 + ID_TEXT,
	SIGNATURE_LINES_MAX = 64,
	ALGORITHM_ED25519 = 1,
	ALGORITHM_OTHER = 0xff,
	SSHSIG_MAX = 512,
};

static void add_base64(struct buf *b, const void *p, size_t n)
{
	base64_add(b, p, n);
	buf_addc(b, '\n');
}

/* "muniment.example/<archive id>": the first line, and the name of the key for checkpoints; "server@<archive id>": the
 * server's, as in its commits. */
static void name_of(const char *prefix, const struct id *archive, char ret[NAME_MAX_BYTES])
{
	memcpy(ret, prefix, strlen(prefix));
	(void)hex_encode(archive->b, sizeof(archive->b), ret + strlen(prefix));
}

/* The first bytes of SHA-256(name, LF, algorithm, public key). */
static void key_hash(
	const char *name, uint8_t algorithm, const struct public_key *key, uint8_t ret[KEY_HASH])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	uint8_t digest[SHA256_BYTES];

	buf_adds(&text, name);
	buf_addc(&text, '\n');
	buf_addc(&text, (char)algorithm);
	if (algorithm == ALGORITHM_OTHER)
		buf_adds(&text, "sshsig");
	buf_add(&text, key->b, sizeof(key->b));
	sha256(text.p, text.n, digest);
	memcpy(ret, digest, KEY_HASH);
}

/* Volumes are numbered from 1 without a gap, so that a list of them cannot hide one. */
static bool is_sound(const struct checkpoint *c)
{
	if (c->volume_count == 0 || c->volume_count > CHECKPOINT_MAX_VOLUMES || c->actions == 0 ||
		c->time < 0)
		return false;
	for (size_t i = 0; i < c->volume_count; i++)
		if (c->volumes[i].volume != i + 1)
			return false;
	return true;
}

static void add_text(const struct checkpoint *c, const char *name, struct buf *ret)
{
	char when[21];

	buf_adds(ret, name);
	buf_addc(ret, '\n');
	line_add_u64(ret, "", c->actions);
	add_base64(ret, c->volumes[c->volume_count - 1].sha256.b, sizeof(struct digest));
	for (size_t i = 0; i < c->volume_count; i++) {
		buf_adds(ret, "volume");
		word_add_u64(ret, c->volumes[i].volume);
		word_add_hex(ret, c->volumes[i].head.b, sizeof(c->volumes[i].head.b));
		word_add_hex(ret, c->volumes[i].sha256.b, sizeof(c->volumes[i].sha256.b));
		buf_addc(ret, '\n');
	}
	line_add_text(ret, "time ", str_of(instant_format(c->time, when)));
}

static void add_signature(struct buf *ret, const char *name, const void *p, size_t n)
{
	buf_adds(ret, dash);
	buf_adds(ret, name);
	buf_addc(ret, ' ');
	add_base64(ret, p, n);
}

void checkpoint_format(const struct checkpoint *c, const struct signer *signer,
	const struct signer *by_server, struct buf *ret)
{
	_cleanup_(buf_done) struct buf ssh = BUF_INIT;
	uint8_t line[KEY_HASH + SIGNATURE];
	char name[NAME_MAX_BYTES];
	size_t start = ret->n, n;

	if (!is_sound(c)) {
		ret->failed = true;
		return;
	}
	name_of(origin, &c->archive, name);
	add_text(c, name, ret);
	if (ret->failed)
		return;
	n = ret->n - start;
	key_hash(name, ALGORITHM_ED25519, signer_public(signer), line);
	signer_sign_raw(signer, ret->p + start, n, line + KEY_HASH);
	buf_add(&ssh, line, KEY_HASH); /* room for the other hash */
	sshsig_sign_bytes(by_server, name_space, ret->p + start, n, &ssh);
	buf_addc(ret, '\n');
	add_signature(ret, name, line, sizeof(line));
	name_of(server, &c->archive, name);
	key_hash(name, ALGORITHM_OTHER, signer_public(by_server), (uint8_t *)ssh.p);
	add_signature(ret, name, ssh.p, ssh.n);
}

/* A word that is the base64 of exactly n bytes. */
static void word_base64(struct lines *l, uint8_t *ret, size_t n)
{
	struct str word = line_word(l);
	size_t got = 0;

	if (l->r < 0)
		return;
	if (sodium_base642bin(ret, n, word.p, word.n, NULL, &got, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0 ||
		got != n)
		(void)lines_fail(l);
}

/* "2026-11-21T09:02:11Z" and nothing else: what instant_format gives for the instant. */
static int64_t read_time(struct lines *l)
{
	struct str text = lines_text(l, "time ");
	struct date date;
	int64_t t = -1;
	char again[21];

	if (l->r < 0)
		return 0;
	if (text.n == 20 && date_parse((struct str){ text.p, 10 }, &date, NULL) == 0) {
		static const size_t at[3] = { 11, 14, 17 };
		int64_t seconds = 0;

		for (size_t i = 0; i < 3; i++)
			seconds =
				seconds * 60 + (text.p[at[i]] - '0') * 10 + text.p[at[i] + 1] - '0';
		t = day_of_date(date) * 86400 + seconds;
	}
	if (t < 0 || !str_is(text, instant_format(t, again)))
		(void)lines_fail(l);
	return t;
}

static void read_volumes(struct lines *l, struct checkpoint_volume *volumes, size_t count)
{
	for (size_t i = 0; i < count && l->r == 0; i++) {
		lines_take(l, "volume ");
		volumes[i].volume = (uint32_t)line_u64(l, i + 1, i + 1);
		line_hex(l, volumes[i].head.b, sizeof(volumes[i].head.b));
		line_hex(l, volumes[i].sha256.b, sizeof(volumes[i].sha256.b));
		line_end(l);
	}
}

/* What is known of the signature lines after reading them. */
struct found {
	bool ours;     /* one of the archive's name and an Ed25519 signature's length */
	bool verified; /* one by the key that was asked for */
	bool bad;      /* one that says it is by that key, and is not */
	bool by_server;
	struct public_key server;
};

/* The whole of a note while its signatures are read. */
struct note {
	struct str text; /* what is signed */
	const struct public_key *key;
	char name[NAME_MAX_BYTES], server_name[NAME_MAX_BYTES];
};

static void read_ours(
	struct lines *l, const struct note *note, struct str coded, struct found *found)
{
	uint8_t line[KEY_HASH + SIGNATURE], hash[KEY_HASH];

	l->words = coded;
	word_base64(l, line, sizeof(line));
	if (l->r < 0)
		return;
	found->ours = true;
	if (!note->key)
		return;
	key_hash(note->name, ALGORITHM_ED25519, note->key, hash);
	if (memcmp(hash, line, KEY_HASH) != 0)
		return;
	if (public_key_verify_raw(note->key, note->text.p, note->text.n, line + KEY_HASH))
		found->verified = true;
	else
		found->bad = true;
}

/* Nobody else signs under the server's name: one line, and it is good. */
static void read_servers(
	struct lines *l, const struct note *note, struct str coded, struct found *found)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT_MAX(SSHSIG_MAX);
	uint8_t hash[KEY_HASH];

	if (found->by_server || coded.n > SSHSIG_MAX || base64_decode(coded, &bytes, NULL) < 0 ||
		bytes.n <= KEY_HASH) {
		(void)lines_fail(l);
		return;
	}
	l->r = sshsig_verify_bytes((struct str){ bytes.p + KEY_HASH, bytes.n - KEY_HASH },
		name_space, note->text.p, note->text.n, &found->server, l->err);
	if (l->r < 0)
		return;
	key_hash(note->server_name, ALGORITHM_OTHER, &found->server, hash);
	if (memcmp(hash, bytes.p, KEY_HASH) != 0)
		(void)lines_fail(l);
	found->by_server = true;
}

/* "<name> <base64>" behind the dash. */
static void read_signature(struct lines *l, const struct note *note, struct found *found)
{
	struct str who, coded;

	lines_take(l, dash);
	who = line_word(l);
	coded = line_word(l);
	line_end(l);
	if (l->r < 0)
		return;
	if (!line_text_is_fit(who) || !line_text_is_fit(coded))
		(void)lines_fail(l);
	else if (str_is(who, note->name))
		read_ours(l, note, coded, found);
	else if (str_is(who, note->server_name))
		read_servers(l, note, coded, found);
}

static int read_signatures(struct lines *l, const struct id *archive, const struct public_key *key,
	struct str text, struct public_key *ret_server)
{
	struct note note = { .text = text, .key = key };
	struct found found = { .ours = false };
	size_t count = 0;

	name_of(origin, archive, note.name);
	name_of(server, archive, note.server_name);
	while (l->r == 0 && (count == 0 || l->rest.n)) {
		read_signature(l, &note, &found);
		if (++count > SIGNATURE_LINES_MAX)
			(void)lines_fail(l);
	}
	if (l->r == 0 && (!found.ours || !found.by_server))
		(void)lines_fail(l);
	if (l->r < 0)
		return l->r;
	if (key && (found.bad || !found.verified))
		return err_set(l->err, ERR_CRYPTO,
			tr("the checkpoint is not signed by the archive's checkpoint key"));
	*ret_server = found.server;
	return 0;
}

int checkpoint_parse(struct str text, const struct public_key *key, struct checkpoint *ret,
	void **ret_memory, struct err *err)
{
	_cleanup_(freep) struct checkpoint_volume *volumes = NULL;
	struct checkpoint c = { .actions = 0 };
	struct digest last = { { 0 } };
	struct lines l;
	int r;

	lines_init(&l, tr("checkpoint"), text, CHECKPOINT_MAX_BYTES, err);
	l.code = ERR_INVALID;
	lines_hex(&l, origin, c.archive.b, sizeof(c.archive.b));
	c.actions = lines_u64(&l, "", 1, LINES_MAX_COUNT);
	lines_take(&l, "");
	word_base64(&l, last.b, sizeof(last.b));
	line_end(&l);
	if (l.r < 0)
		return l.r;
	c.volume_count = lines_count(&l, "volume ", CHECKPOINT_MAX_VOLUMES);
	if (c.volume_count > CHECKPOINT_MAX_VOLUMES)
		return err_set(err, ERR_LIMIT, tr("a checkpoint names more than %d volumes"),
			CHECKPOINT_MAX_VOLUMES);
	volumes = xcalloc(c.volume_count + 1, sizeof(*volumes));
	read_volumes(&l, volumes, c.volume_count);
	if (l.r == 0 &&
		(c.volume_count == 0 || !digest_equal(&volumes[c.volume_count - 1].sha256, &last)))
		(void)lines_fail(&l);
	c.time = read_time(&l);
	if (l.r < 0)
		return l.r;
	c.volumes = volumes;
	text.n = (size_t)(l.rest.p - text.p);
	lines_exact(&l, "");
	r = read_signatures(&l, &c.archive, key, text, &c.server);
	if (r < 0)
		return r;
	*ret = c;
	*ret_memory = TAKE_PTR(volumes);
	return 0;
}
