/* checkpoint.c - see checkpoint.h. */
#include "store/checkpoint.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <stdlib.h>

static const char origin[] = "muniment.example/";
static const char dash[] = "\xe2\x80\x94 "; /* em dash and space, as signed notes have it */

enum { KEY_HASH = 4, SIGNATURE = 64, ED25519 = 1 };

static void add_name(struct buf *b, const struct id *archive)
{
	buf_adds(b, origin);
	hex_add(b, archive->b, ID_BYTES);
}

/* The first four bytes of SHA-256(name, LF, algorithm, public key). */
static void key_hash(const struct id *archive, const struct public_key *key, uint8_t ret[KEY_HASH])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	uint8_t digest[SHA256_BYTES];

	add_name(&text, archive);
	buf_addc(&text, '\n');
	buf_addc(&text, ED25519);
	buf_add(&text, key->b, sizeof(key->b));
	sha256(text.p, text.n, digest);
	memcpy(ret, digest, KEY_HASH);
}

static void add_text(const struct checkpoint *c, struct buf *ret)
{
	static const struct digest zero;
	const struct checkpoint_volume *last =
		c->volume_count ? &c->volumes[c->volume_count - 1] : NULL;
	char at[21];

	add_name(ret, &c->archive);
	buf_addf(ret, "\n%llu\n", (unsigned long long)c->actions);
	base64_add(ret, last ? last->sha256.b : zero.b, sizeof(zero.b));
	buf_addc(ret, '\n');
	for (size_t i = 0; i < c->volume_count; i++) {
		buf_addf(ret, "volume %u ", c->volumes[i].volume);
		hex_add(ret, c->volumes[i].head.b, OID_BYTES);
		buf_addc(ret, ' ');
		hex_add(ret, c->volumes[i].sha256.b, sizeof(zero.b));
		buf_addc(ret, '\n');
	}
	buf_addf(ret, "time %s\n", instant_format(c->time, at));
}

void checkpoint_format(const struct checkpoint *c, const struct signer *signer, struct buf *ret)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	uint8_t raw[KEY_HASH + SIGNATURE];

	add_text(c, &text);
	key_hash(&c->archive, signer_public(signer), raw);
	signer_sign_raw(signer, text.p, text.n, raw + KEY_HASH);
	buf_add_str(ret, buf_str(&text));
	buf_addc(ret, '\n');
	buf_adds(ret, dash);
	add_name(ret, &c->archive);
	buf_addc(ret, ' ');
	base64_add(ret, raw, sizeof(raw));
	buf_addc(ret, '\n');
}

static int bad(struct err *err, const char *line)
{
	return err_set(err, ERR_INVALID,
		tr("this is not a checkpoint: the line '%s' is missing or not of the form"), line);
}

/* "2026-11-21T09:02:11Z" back to an instant, in exactly that form. */
static int parse_instant(struct str text, int64_t *ret)
{
	struct date date;
	char again[21];
	int64_t v[3] = { 0 };

	if (text.n != 20 || date_parse((struct str){ text.p, 10 }, &date, NULL) < 0)
		return -1;
	for (size_t i = 0; i < 3; i++)
		v[i] = (text.p[11 + 3 * i] - '0') * 10 + (text.p[12 + 3 * i] - '0');
	*ret = day_of_date(date) * 86400 + v[0] * 3600 + v[1] * 60 + v[2];
	return memcmp(instant_format(*ret, again), text.p, 20) == 0 ? 0 : -1;
}

static int parse_volume(struct str line, uint32_t before, struct checkpoint_volume *ret)
{
	struct str rest = line, word = str_cut(&rest, ' '), number = str_cut(&rest, ' '),
		   head = str_cut(&rest, ' ');
	uint64_t volume;

	if (!str_is(word, "volume") || !rest.p ||
		str_to_u64(number, UINT32_MAX, &volume, NULL) < 0 || volume <= before ||
		oid_parse(head, &ret->head, NULL) < 0 || digest_parse(rest, &ret->sha256, NULL) < 0)
		return -1;
	ret->volume = (uint32_t)volume;
	return 0;
}

static int parse_text(struct str text, struct checkpoint *c, struct err *err)
{
	struct str rest = text, line = str_cut(&rest, '\n');
	_cleanup_(buf_done) struct buf last = BUF_INIT;
	uint32_t before = 0;

	if (!str_starts(line, origin) ||
		id_parse((struct str){ line.p + sizeof(origin) - 1, line.n - sizeof(origin) + 1 },
			&c->archive, NULL) < 0)
		return bad(err, origin);
	line = str_cut(&rest, '\n');
	if (str_to_u64(line, INT64_MAX, &c->actions, NULL) < 0)
		return bad(err, "actions");
	line = str_cut(&rest, '\n');
	if (base64_decode(line, &last, NULL) < 0 || last.n != SHA256_BYTES)
		return bad(err, "SHA-256");
	line = str_cut(&rest, '\n');
	for (; str_starts(line, "volume "); line = str_cut(&rest, '\n')) {
		if (c->volume_count == CHECKPOINT_MAX_VOLUMES)
			return err_set(err, ERR_LIMIT, tr("a checkpoint states at most %d volumes"),
				CHECKPOINT_MAX_VOLUMES);
		if (parse_volume(line, before, &c->volumes[c->volume_count]) < 0)
			return bad(err, "volume");
		before = c->volumes[c->volume_count++].volume;
	}
	if (!str_starts(line, "time ") ||
		parse_instant((struct str){ line.p + 5, line.n - 5 }, &c->time) < 0 || rest.n)
		return bad(err, "time");
	if (c->volume_count &&
		memcmp(last.p, c->volumes[c->volume_count - 1].sha256.b, SHA256_BYTES) != 0)
		return bad(err, "SHA-256");
	return 0;
}

/* One signature line: whether it is of this key's and good; *ret_ours says whether it claims to be. */
static int check_line(struct str line, const struct checkpoint *c, struct str text,
	const struct public_key *key, bool *ret_good, struct err *err)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT, name = BUF_INIT;
	uint8_t hash[KEY_HASH];
	struct str rest = line;

	if (!str_starts(line, dash))
		return bad(err, "signature");
	rest = (struct str){ line.p + sizeof(dash) - 1, line.n - sizeof(dash) + 1 };
	add_name(&name, &c->archive);
	if (!str_eq(str_cut(&rest, ' '), buf_str(&name)))
		return 0; /* a witness's: not ours to check */
	if (!rest.p || base64_decode(rest, &raw, NULL) < 0 || raw.n != KEY_HASH + SIGNATURE)
		return bad(err, "signature");
	*ret_good = true;
	if (!key)
		return 0;
	key_hash(&c->archive, key, hash);
	*ret_good = memcmp(raw.p, hash, KEY_HASH) == 0 &&
		    public_key_verify_raw(key, text.p, text.n, (const uint8_t *)raw.p + KEY_HASH);
	if (!*ret_good)
		return err_set(err, ERR_CRYPTO, tr("the checkpoint's signature does not verify"));
	return 0;
}

static int parse(
	struct str text, const struct public_key *key, struct checkpoint *c, struct err *err)
{
	const char *gap = text.n ? memmem(text.p, text.n, "\n\n", 2) : NULL;
	struct str note, rest;
	bool good = false;
	int r;

	if (!gap || !str_ends(text, "\n"))
		return bad(err, "signature");
	note = (struct str){ text.p, (size_t)(gap - text.p) + 1 };
	r = parse_text((struct str){ note.p, note.n - 1 }, c, err);
	rest = (struct str){ gap + 2, text.n - note.n - 1 };
	while (r == 0 && rest.n)
		r = check_line(str_cut(&rest, '\n'), c, note, key, &good, err);
	if (r == 0 && !good)
		r = bad(err, "signature");
	return r;
}

int checkpoint_parse(struct str text, const struct public_key *key, struct checkpoint *ret,
	void **ret_memory, struct err *err)
{
	struct checkpoint c = { .actions = 0 };
	int r;

	c.volumes = xcalloc(CHECKPOINT_MAX_VOLUMES, sizeof(*c.volumes));
	r = parse(text, key, &c, err);
	if (r < 0) {
		free(c.volumes);
		return r;
	}
	*ret = c;
	*ret_memory = c.volumes;
	return 0;
}
