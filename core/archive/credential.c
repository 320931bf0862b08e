/* credential.c - see credential.h. */
#include "core/archive/credential.h"

#include "core/archive/access.h"
#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum {
	VERSION = 1,
	FLAG_MUST_CHANGE = 1,
	FLAG_TOTP = 2,
	FLAG_CONFIRMED = 4,
	HEAD = 3 + 8 + 8 + 4 + 8 + 8 + 1,
	RECOVERY_CHARS = 16
};

_Static_assert(PASSWORD_HASH_MAX == crypto_pwhash_STRBYTES, "room for libsodium's text");

/* ---- lock-out ---- */

int64_t lock_wait(const struct lock_count *l, int64_t now)
{
	/* A clock that was set back must not lock anybody out for longer than the longest wait. */
	int64_t left = l->until - now;

	if (left > LOCK_MAX_SECONDS)
		left = LOCK_MAX_SECONDS;
	return left > 0 ? left : 0;
}

void lock_fail(struct lock_count *l, int64_t now)
{
	int64_t wait = LOCK_FIRST_SECONDS;

	if (l->failed_at + LOCK_FORGET_SECONDS <= now)
		l->failures = 0;
	if (l->failures < UINT32_MAX)
		l->failures++;
	l->failed_at = now;
	l->until = 0;
	if (l->failures < LOCK_FREE_FAILURES)
		return;
	for (uint32_t i = LOCK_FREE_FAILURES; i < l->failures && wait < LOCK_MAX_SECONDS; i++)
		wait *= 2;
	l->until = now + (wait < LOCK_MAX_SECONDS ? wait : LOCK_MAX_SECONDS);
}

/* ---- the row ---- */

void credential_done(struct credential *c)
{
	sodium_memzero(c, sizeof(*c));
}

void credential_write(const struct credential *c, struct buf *ret)
{
	size_t n = strnlen(c->hash, sizeof(c->hash) - 1);

	buf_addc(ret, VERSION);
	buf_addc(ret, (char)c->roles);
	buf_addc(ret,
		(char)((c->must_change ? FLAG_MUST_CHANGE : 0) | (c->has_totp ? FLAG_TOTP : 0) |
			(c->totp_confirmed ? FLAG_CONFIRMED : 0)));
	buf_add_be64(ret, (uint64_t)c->set_at);
	buf_add_be64(ret, c->last_step);
	buf_add_be32(ret, c->lock.failures);
	buf_add_be64(ret, (uint64_t)c->lock.failed_at);
	buf_add_be64(ret, (uint64_t)c->lock.until);
	buf_addc(ret, (char)n);
	buf_add(ret, c->hash, n);
	if (c->has_totp)
		buf_add(ret, c->totp, sizeof(c->totp));
	buf_addc(ret, (char)c->recovery_count);
	buf_add(ret, c->recovery, c->recovery_count * RECOVERY_HASH_BYTES);
}

static int damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, tr("the log-in of an account is damaged"));
}

static bool take_instant(const uint8_t *p, int64_t *ret)
{
	uint64_t v = get_be64(p);

	*ret = (int64_t)v;
	return v <= (uint64_t)INT64_MAX / 2;
}

/* What follows the head: hash, secret, recovery codes. */
static bool parse_tail(const uint8_t *p, size_t n, size_t hash_bytes, struct credential *c)
{
	if (hash_bytes >= sizeof(c->hash) || n < hash_bytes || memchr(p, '\0', hash_bytes) != NULL)
		return false;
	memcpy(c->hash, p, hash_bytes);
	p += hash_bytes;
	n -= hash_bytes;
	if (c->has_totp) {
		if (n < sizeof(c->totp))
			return false;
		memcpy(c->totp, p, sizeof(c->totp));
		p += sizeof(c->totp);
		n -= sizeof(c->totp);
	}
	if (n < 1 || p[0] > RECOVERY_CODES || n - 1 != (size_t)p[0] * RECOVERY_HASH_BYTES)
		return false;
	c->recovery_count = p[0];
	memcpy(c->recovery, p + 1, n - 1);
	return true;
}

int credential_parse(struct str bytes, struct credential *ret, struct err *err)
{
	_cleanup_(credential_done) struct credential c = { .roles = 0 };
	const uint8_t *p = (const uint8_t *)bytes.p;

	if (bytes.n >= 1 && p[0] > VERSION)
		return err_set(
			err, ERR_UNSUPPORTED, tr("the log-in of an account is of a newer version"));
	if (bytes.n < HEAD || p[0] != VERSION || (p[1] & ~ROLE_ALL) ||
		(p[2] & ~(FLAG_MUST_CHANGE | FLAG_TOTP | FLAG_CONFIRMED)) ||
		(p[2] & (FLAG_TOTP | FLAG_CONFIRMED)) == FLAG_CONFIRMED)
		return damaged(err);
	c.roles = p[1];
	c.must_change = p[2] & FLAG_MUST_CHANGE;
	c.has_totp = p[2] & FLAG_TOTP;
	c.totp_confirmed = p[2] & FLAG_CONFIRMED;
	c.last_step = get_be64(p + 11);
	c.lock.failures = get_be32(p + 19);
	if (!take_instant(p + 3, &c.set_at) || !take_instant(p + 23, &c.lock.failed_at) ||
		!take_instant(p + 31, &c.lock.until) ||
		!parse_tail(p + HEAD, bytes.n - HEAD, p[39], &c))
		return damaged(err);
	*ret = c;
	return 0;
}

/* ---- passwords ---- */

int password_check(const struct secret *password, struct str name, struct err *err)
{
	struct str text = { (const char *)password->p, password->n };
	bool same = true;
	size_t n, count = 0;
	int32_t first = -1;

	if (!str_is_utf8(text))
		return err_set(err, ERR_INVALID, tr("a password is UTF-8 text"));
	for (size_t at = 0; at < text.n; at += n, count++) {
		int32_t c = text_char((struct str){ text.p + at, text.n - at }, &n);

		if (c < 0x20 || c == 0x7f)
			return err_set(
				err, ERR_INVALID, tr("a password has no control characters"));
		same = same && (first < 0 || c == first);
		first = c;
	}
	if (count < PASSWORD_MIN)
		return err_set(err, ERR_INVALID, tr("a password has at least %d characters"),
			PASSWORD_MIN);
	if (text.n > PASSWORD_MAX)
		return err_set(
			err, ERR_INVALID, tr("a password has at most %d bytes"), PASSWORD_MAX);
	if (same)
		return err_set(err, ERR_INVALID,
			tr("a password of one character again and again is none"));
	if (name.n > 0 && memmem(text.p, text.n, name.p, name.n))
		return err_set(err, ERR_INVALID, tr("a password does not hold the account's name"));
	return 0;
}

int password_hash(const struct secret *password, const struct password_cost *cost,
	char ret[PASSWORD_HASH_MAX], struct err *err)
{
	memset(ret, 0, PASSWORD_HASH_MAX);
	if (crypto_pwhash_str_alg(ret, (const char *)password->p, password->n, cost->passes,
		    cost->bytes, crypto_pwhash_ALG_ARGON2ID13) < 0)
		return err_set(err, ERR_LIMIT, tr("there is no memory to check a password"));
	return 0;
}

bool password_fits(const struct secret *password, const char hash[PASSWORD_HASH_MAX])
{
	return hash[0] &&
	       crypto_pwhash_str_verify(hash, (const char *)password->p, password->n) == 0;
}

bool password_needs_rehash(const char hash[PASSWORD_HASH_MAX], const struct password_cost *cost)
{
	return crypto_pwhash_str_needs_rehash(hash, cost->passes, cost->bytes) != 0;
}

/* Nothing that looks like another one. */
static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void draw_text(char *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = '-';
		*out++ = letters[randombytes_uniform(32)];
	}
}

struct secret *password_draw(void)
{
	struct secret *s = secret_new(20 + 4);

	draw_text((char *)s->p, 20);
	return s;
}

/* ---- the second factor ---- */

static void start_oath(void)
{
	if (oath_init() != OATH_OK)
		abort();
}

static void code_of_step(
	const uint8_t secret[TOTP_SECRET_BYTES], uint64_t step, char ret[TOTP_DIGITS + 1])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, start_oath);
	if (oath_hotp_generate((const char *)secret, TOTP_SECRET_BYTES, step, TOTP_DIGITS, false,
		    OATH_HOTP_DYNAMIC_TRUNCATION, ret) != OATH_OK)
		abort();
}

uint64_t totp_match(
	const uint8_t secret[TOTP_SECRET_BYTES], struct str code, int64_t now, uint64_t last)
{
	uint64_t step = now > 0 ? (uint64_t)now / TOTP_PERIOD : 0, found = 0;

	if (code.n != TOTP_DIGITS)
		return 0;
	for (uint64_t at = step > TOTP_DRIFT ? step - TOTP_DRIFT : 1; at <= step + TOTP_DRIFT;
		at++) {
		char right[TOTP_DIGITS + 1];

		code_of_step(secret, at, right);
		if (sodium_memcmp(right, code.p, TOTP_DIGITS) == 0 && at > last)
			found = at;
		sodium_memzero(right, sizeof(right));
	}
	return found;
}

void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t now, char ret[TOTP_DIGITS + 1])
{
	code_of_step(secret, (uint64_t)now / TOTP_PERIOD, ret);
}

void totp_secret_text(const uint8_t secret[TOTP_SECRET_BYTES], struct buf *ret)
{
	char *text = NULL;
	size_t n = 0;

	if (oath_base32_encode((const char *)secret, TOTP_SECRET_BYTES, &text, &n) != OATH_OK)
		abort();
	while (n > 0 && text[n - 1] == '=')
		n--;
	buf_add(ret, text, n);
	sodium_memzero(text, n);
	free(text);
}

static void add_escaped(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~')
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

void totp_uri(const uint8_t secret[TOTP_SECRET_BYTES], struct str issuer, struct str name,
	struct buf *ret)
{
	buf_adds(ret, "otpauth://totp/");
	add_escaped(ret, issuer);
	buf_addc(ret, ':');
	add_escaped(ret, name);
	buf_adds(ret, "?secret=");
	totp_secret_text(secret, ret);
	buf_adds(ret, "&issuer=");
	add_escaped(ret, issuer);
	buf_addf(ret, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_PERIOD);
}

/* ---- recovery codes ---- */

void recovery_draw(char *ret)
{
	draw_text(ret, RECOVERY_CHARS);
	ret[RECOVERY_TEXT - 1] = '\0';
}

/* The letter as it was meant: i and l are 1, o is 0. 0 for what is none. */
static char letter_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if (c == 'i' || c == 'l')
		c = '1';
	if (c == 'o')
		c = '0';
	return c && strchr(letters, c) ? c : '\0';
}

bool recovery_hash(const uint8_t key[32], struct str account, struct str typed,
	uint8_t ret[RECOVERY_HASH_BYTES])
{
	static const char context[] = "muniment recovery code 1";
	crypto_generichash_state h;
	char code[RECOVERY_CHARS];
	size_t n = 0;

	for (size_t i = 0; i < typed.n; i++) {
		char c = typed.p[i];

		if (c == '-' || c == ' ')
			continue;
		c = letter_of(c);
		if (!c || n == sizeof(code))
			return false;
		code[n++] = c;
	}
	if (n != sizeof(code))
		return false;
	(void)crypto_generichash_init(&h, key, 32, RECOVERY_HASH_BYTES);
	(void)crypto_generichash_update(&h, (const uint8_t *)context, sizeof(context));
	(void)crypto_generichash_update(&h, (const uint8_t *)account.p, account.n);
	(void)crypto_generichash_update(&h, (const uint8_t *)code, sizeof(code));
	(void)crypto_generichash_final(&h, ret, RECOVERY_HASH_BYTES);
	sodium_memzero(code, sizeof(code));
	return true;
}

bool recovery_use(struct credential *c, const uint8_t hash[RECOVERY_HASH_BYTES])
{
	size_t found = c->recovery_count;

	for (size_t i = 0; i < c->recovery_count; i++) {
		if (sodium_memcmp(c->recovery[i], hash, RECOVERY_HASH_BYTES) == 0)
			found = i;
	}
	if (found == c->recovery_count)
		return false;
	c->recovery_count--;
	memmove(c->recovery[found], c->recovery[c->recovery_count], RECOVERY_HASH_BYTES);
	sodium_memzero(c->recovery[c->recovery_count], RECOVERY_HASH_BYTES);
	return true;
}
