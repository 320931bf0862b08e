/* credential.h - how an account proves who it is: the sealed row of a log-in, and what is pure about it.
 *
 * A row's value (STATE_LOGIN), integers big-endian:
 *
 *	u8  version, 1
 *	u8  roles (access.h)
 *	u8  flags: 1 the password must be changed, 2 a TOTP secret is there, 4 it was confirmed by a code
 *	u64 password set at (instant) | u64 last TOTP step that was accepted
 *	u32 failures in a row | u64 last failure (instant) | u64 locked until (instant)
 *	u8 n, n bytes: the password as Argon2id text ("$argon2id$..."); n = 0: none
 *	20 bytes TOTP secret, when flag 2 is set
 *	u8 n (at most 10), n * 16 bytes: keyed hashes of recovery codes that are left
 *
 * Everything here is a pure function; any thread. */
#ifndef MUN_ARCHIVE_CREDENTIAL_H
#define MUN_ARCHIVE_CREDENTIAL_H

#include "core/base/buf.h"
#include "core/base/secret.h"

enum {
	PASSWORD_MIN = 10,  /* characters */
	PASSWORD_MAX = 256, /* bytes */
	PASSWORD_HASH_MAX = 128,
	TOTP_SECRET_BYTES = 20,
	TOTP_PERIOD = 30, /* seconds */
	TOTP_DIGITS = 6,
	TOTP_DRIFT = 1, /* steps to both sides */
	RECOVERY_CODES = 10,
	RECOVERY_HASH_BYTES = 16,
	RECOVERY_TEXT = 20, /* "7k2m-9qxd-3tpa-5fhc" and a NUL */
	/* Failures in a row that cost nothing; each one from the last of them on doubles the wait. */
	LOCK_FREE_FAILURES = 5,
	LOCK_FIRST_SECONDS = 30,
	LOCK_MAX_SECONDS = 3600,
	LOCK_FORGET_SECONDS = 24 * 3600 /* after which failures are forgotten */
};

/* Failures in a row, of an account or of a name that no account has. */
struct lock_count {
	uint32_t failures;
	int64_t failed_at, until;
};
/* Seconds until the next try is looked at; 0: now. */
int64_t lock_wait(const struct lock_count *l, int64_t now);
/* A try fails. */
void lock_fail(struct lock_count *l, int64_t now);

struct credential {
	unsigned roles;
	bool must_change, has_totp, totp_confirmed;
	int64_t set_at;
	uint64_t last_step;
	struct lock_count lock;
	char hash[PASSWORD_HASH_MAX]; /* "" where there is no password */
	uint8_t totp[TOTP_SECRET_BYTES];
	size_t recovery_count;
	uint8_t recovery[RECOVERY_CODES][RECOVERY_HASH_BYTES];
};

/* Zeroes it, for _cleanup_. */
void credential_done(struct credential *c);
void credential_write(const struct credential *c, struct buf *ret);
/* Errors: ERR_CORRUPT, ERR_UNSUPPORTED. */
int credential_parse(struct str bytes, struct credential *ret, struct err *err);

/* ---- passwords ---- */

struct password_cost {
	uint64_t passes;
	size_t bytes;
};
/* UTF-8, PASSWORD_MIN characters to PASSWORD_MAX bytes, no control characters, not the account's name, not
 * one character again and again. Errors: ERR_INVALID. */
int password_check(const struct secret *password, struct str name, struct err *err);
/* Argon2id: takes cost->bytes of memory and a good part of a second; see turns.h. Errors: ERR_LIMIT (no memory). */
int password_hash(const struct secret *password, const struct password_cost *cost,
	char ret[PASSWORD_HASH_MAX], struct err *err);
bool password_fits(const struct secret *password, const char hash[PASSWORD_HASH_MAX]);
bool password_needs_rehash(const char hash[PASSWORD_HASH_MAX], const struct password_cost *cost);
/* Twenty characters in five groups: an initial password. */
struct secret *password_draw(void);

/* ---- the second factor ---- */

/* The step whose code this is, from TOTP_DRIFT before to TOTP_DRIFT after now, later than `last`; 0: none.
 * Takes the same time whichever it is. */
uint64_t totp_match(
	const uint8_t secret[TOTP_SECRET_BYTES], struct str code, int64_t now, uint64_t last);
void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t now, char ret[TOTP_DIGITS + 1]);
/* Base32 without padding, as people type it into an app. Appended. */
void totp_secret_text(const uint8_t secret[TOTP_SECRET_BYTES], struct buf *ret);
/* "otpauth://totp/..." (Key URI format). Appended. */
void totp_uri(const uint8_t secret[TOTP_SECRET_BYTES], struct str issuer, struct str name,
	struct buf *ret);

/* ---- recovery codes ---- */

/* A fresh one into RECOVERY_TEXT bytes, and its hash under a key for one account. */
void recovery_draw(char *ret);
/* What was typed: blanks, dashes and upper case do not matter. False when it is no such code at all. */
bool recovery_hash(const uint8_t key[32], struct str account, struct str typed,
	uint8_t ret[RECOVERY_HASH_BYTES]);
/* Take the code out of those that are left; false when it is none of them. */
bool recovery_use(struct credential *c, const uint8_t hash[RECOVERY_HASH_BYTES]);

#endif
