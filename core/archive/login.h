/* login.h - logging in over HTTP: password and second factor in, a session out.
 *
 * A session is a token of 256 random bits that the browser keeps in a cookie. Here only its keyed hash is kept, in
 * state.db and in memory, with two ends: so long after the last request, and so long after log-in whatever happens
 * (settings login.idle_minutes and login.hours). Sealing does not end sessions, for a restart begins sealed and people
 * must not log in anew each time; but while the archive is sealed no session is known, and the two ends come nearer all
 * the same. What ends them at once: leaving, a new password, a reset, `account.end`.
 *
 * Guessing is made slow by Argon2id, by a wait that grows with failures in a row (credential.h), per account, and
 * for names that nobody has just the same; and it cannot exhaust memory, for only so many passwords are
 * checked at a time (ERR_BUSY). A try counts as failed until it has succeeded, so that tries side by side
 * gain nothing.
 *
 * Every function takes the archive's gate itself, so the caller must not be within a verb. ERR_SEALED while it is
 * sealed; ERR_UNSUPPORTED where it was opened for reading only, or state.db cannot be opened. Any thread. */
#ifndef MUN_ARCHIVE_LOGIN_H
#define MUN_ARCHIVE_LOGIN_H

#include "core/archive/access.h"
#include "core/archive/credential.h"
#include "core/base/secret.h"
#include "core/base/tr.h"

enum {
	LOGIN_TOKEN_BYTES = 32,
	LOGIN_TOKEN_TEXT = 43 + 1, /* base64url without padding, and a NUL */
	LOGIN_HASH_BYTES = 32,
	LOGIN_PEER_MAX = 64,
	LOGIN_NAME_ROOM = 256,
	LOGIN_SESSIONS_MAX = 20,   /* of one account; one more ends the oldest */
	LOGIN_FRESH_SECONDS = 600, /* how long a second factor need not be asked for again */
	LOGIN_SEEN_SECONDS = 60,   /* how exactly the last request is kept on disk */
	LOGIN_RETRY_SECONDS = 3	   /* after ERR_BUSY */
};

/* A session, copied: it may have ended since. */
struct login_session {
	uint8_t id
		[LOGIN_HASH_BYTES]; /* the token's keyed hash: tells sessions apart, opens nothing */
	char account[48];
	unsigned roles;	  /* access.h, as they are now */
	bool must_change; /* nothing but a new password until then */
	enum tr_language language;
	int64_t began, seen; /* instants */
	int64_t proved;	     /* when a second factor was last given */
	int64_t ends;	     /* the nearer of its two ends, from now */
	char peer[LOGIN_PEER_MAX];
	char name[LOGIN_NAME_ROOM]; /* of the person */
};

enum login_outcome {
	LOGIN_IN,	     /* token and session */
	LOGIN_CREDENTIALS,   /* name or password is wrong; which of them is not said */
	LOGIN_SECOND_FACTOR, /* the password is right; a code is missing or wrong */
	LOGIN_ENROL, /* the password is right; there is no second factor yet: secret and uri */
	LOGIN_WAIT   /* too many failures: retry_after seconds */
};
/* "in", "credentials", "second_factor", "enrol", "wait": stable words. */
const char *login_outcome_word(enum login_outcome outcome);
/* What it says to a person, in the language of the thread. */
const char *login_outcome_text(enum login_outcome outcome);

struct login_request {
	struct str name; /* or "u-00001" */
	const struct secret *password;
	struct str code; /* six digits, or a recovery code; empty: none */
	struct str peer; /* where from, for the list of sessions; may be empty */
	enum tr_language language;
	/* The code confirms the secret that LOGIN_ENROL gave; recovery codes come with the answer. */
	bool enrol;
};

struct login_answer {
	enum login_outcome outcome;
	char token[LOGIN_TOKEN_TEXT];
	struct login_session session;
	int64_t retry_after;
	struct buf secret, uri;	 /* ENROL; the uri is what the QR code says */
	unsigned recovery_count; /* IN after enrolment: shown once */
	char recovery[RECOVERY_CODES][RECOVERY_TEXT];
	unsigned recovery_left; /* IN */
	bool used_recovery;
};
void login_answer_init(struct login_answer *answer);
/* Zeroes what is secret. */
void login_answer_done(struct login_answer *answer);

/* 0 whatever the outcome is; a negative code only when nothing could be decided: ERR_BUSY, ERR_SEALED ... */
int login_enter(struct archive *a, const struct login_request *request, struct login_answer *ret,
	struct err *err);

/* The session behind a cookie, and note that it was seen. Quick: it waits for no disk and for no verb (the
 * first time after unsealing aside). Errors: ERR_NOTFOUND: no such session, or it has ended: log in;
 * ERR_SEALED, also while it is being sealed or unsealed. */
int login_session(struct archive *a, struct str token, struct login_session *ret, struct err *err);
/* Whether an answer that began with this session may go on: false once it has ended or the account has no
 * role. It is not seen by that. While it is sealed nobody knows, so it goes on. As quick as login_session.
 * */
bool login_is_live(struct archive *a, const struct login_session *session);
/* What a verb call wants to know of it. */
void login_caller(const struct login_session *session, struct access_caller *ret);

/* End it. One that is not there is fine. */
int login_leave(struct archive *a, const struct login_session *session, struct err *err);
int login_set_language(struct archive *a, const struct login_session *session,
	enum tr_language language, struct err *err);

/* A new password of one's own. The code may be empty while the session's second factor is fresh. Every other session
 * of the account ends. *ret_outcome is LOGIN_IN when it was changed, else what was wrong, with
 * *ret_retry_after; errors: ERR_INVALID (the new one will not do, and why), ERR_BUSY ... */
int login_change_password(struct archive *a, const struct login_session *session,
	const struct secret *old, const struct secret *new, struct str code,
	enum login_outcome *ret_outcome, int64_t *ret_retry_after, struct err *err);

/* ---- within a verb: the gate is held ---- */

struct login;
struct state;

/* Opens state.db and everything that it holds. */
int login_open(struct archive *a, struct login **ret, struct err *err);
void login_close(struct login *l);
/* NULL: why there is none, as an error. */
int login_of(struct archive *a, struct login **ret, struct err *err);
struct state *login_state(struct login *l);

/* 0 for an account that cannot log in. */
unsigned login_roles(struct login *l, const char *account);
bool login_must_change(struct login *l, const char *account);

struct login_account {
	unsigned roles;
	bool has_password, must_change, has_totp;
	int64_t password_set; /* instant, or 0 */
	uint32_t failures;
	int64_t wait; /* seconds */
	unsigned recovery_left, sessions;
};
int login_look(struct login *l, const char *account, struct login_account *ret, struct err *err);

int login_set_roles(struct login *l, const char *account, unsigned roles, struct err *err);
/* By an operator: it must be changed at log-in; every session of the account ends. An account that had
 * neither password nor role becomes a reader. */
int login_give_password(struct login *l, const char *account, const struct secret *password,
	bool must_change, struct err *err);
/* Draw a second factor, or take it away (`secret` NULL; it is drawn at the next log-in). Every session ends. With
 * `confirmed` it holds at once, without a code that shows that the app has it. */
int login_give_totp(struct login *l, const char *account, const uint8_t *secret, bool confirmed,
	struct err *err);
/* As an app wants it: base32, and an otpauth:// uri. Appended. */
void login_say_totp(struct login *l, const char *account, const uint8_t *secret,
	struct buf *ret_text, struct buf *ret_uri);
/* The present code: for demonstration archives alone, else ERR_DENIED. */
int login_present_code(
	struct login *l, const char *account, char ret[TOTP_DIGITS + 1], struct err *err);
/* Failures and wait are forgotten. */
int login_unlock(struct login *l, const char *account, struct err *err);

/* The sessions of an account, the youngest first; at most LOGIN_SESSIONS_MAX. Returns how many. */
size_t login_sessions(
	struct login *l, const char *account, struct login_session ret[LOGIN_SESSIONS_MAX]);
int login_end_one(struct login *l, const uint8_t id[LOGIN_HASH_BYTES], struct err *err);
/* End those of an account (but the one whose id is `keep`, unless NULL), or of everybody (account NULL). How many. */
unsigned login_end(struct login *l, const char *account, const uint8_t *keep);
/* Take away what has ended. Now and then. */
void login_tidy(struct login *l);

#endif
