/* session.h - the table of sessions: tokens to accounts, in memory, and in state.db so that a restart keeps them.
 *
 * A row's value (STATE_SESSION; its owner is the account, its name the token's keyed hash), big-endian:
 *
 *	u8  version, 1 | u8 language (enum tr_language)
 *	u64 began | u64 seen | u64 proved (instants)
 *	u8  n (less than LOGIN_PEER_MAX), n bytes: where from
 *
 * Any thread. */
#ifndef MUN_ARCHIVE_SESSION_H
#define MUN_ARCHIVE_SESSION_H

#include "core/archive/login.h"

struct sessions;
struct state;

struct session_limits {
	int64_t idle, whole; /* seconds */
};

/* Reads those that are in the state. `key` (32 bytes) hashes tokens. */
int sessions_new(struct state *state, const uint8_t key[32], const struct session_limits *limits,
	struct sessions **ret, struct err *err);
void sessions_free(struct sessions *s);
DEFINE_CLEANUP(struct sessions *, sessions_free)

/* Durable when it returns. `ret` gets id, began, seen, ends. */
int sessions_begin(struct sessions *s, const char *account, enum tr_language language,
	struct str peer, char ret_token[LOGIN_TOKEN_TEXT], struct login_session *ret,
	struct err *err);
/* Quick: no disk. ERR_NOTFOUND. Roles, must_change and name are left alone. */
int sessions_find(struct sessions *s, struct str token, struct login_session *ret, struct err *err);
/* Whether it has not ended, without its being seen: for what goes on by itself. */
bool sessions_is_live(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES]);
int sessions_set_language(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES],
	enum tr_language language, struct err *err);
/* A second factor was given just now. */
int sessions_prove(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES], struct err *err);
int sessions_end(struct sessions *s, const uint8_t id[LOGIN_HASH_BYTES], struct err *err);
unsigned sessions_end_all(struct sessions *s, const char *account, const uint8_t *keep);
size_t sessions_list(
	struct sessions *s, const char *account, struct login_session ret[LOGIN_SESSIONS_MAX]);
/* Write down of each when it was last seen, when that is `least` seconds or more later than what stands there; forget
 * those that have ended. Closing does so, too. */
void sessions_tidy(struct sessions *s, int64_t least);

/* The bytes alone, for tests and fuzzing. */
bool token_parse(struct str text, uint8_t ret[LOGIN_TOKEN_BYTES]);
void session_write(const struct login_session *session, struct buf *ret);
int session_parse(struct str bytes, struct login_session *ret, struct err *err);

#endif
