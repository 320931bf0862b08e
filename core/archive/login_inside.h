/* login_inside.h - what login.c and login_enter.c share. */
#ifndef MUN_ARCHIVE_LOGIN_INSIDE_H
#define MUN_ARCHIVE_LOGIN_INSIDE_H

#include "core/archive/inside.h"
#include "core/archive/login.h"
#include "core/archive/session.h"
#include "core/archive/state.h"
#include "core/archive/turns.h"

struct login {
	struct archive *archive;
	struct state *state;
	struct sessions *sessions;
	struct turns *turns;
	struct secret *recovery_key, *stranger_key;
	pthread_mutex_t
		change_lock; /* one change of a credential at a time, and of what is known of it */
	pthread_mutex_t known_lock;
	struct known *known;

	/* Of the resident process: writes down who was seen. */
	pthread_mutex_t tidy_lock;
	pthread_cond_t end;
	pthread_t thread;
	bool has_thread, ending;
};

/* Change the credential of an account: `change` returns 0 to write, 1 to leave it, a negative code to fail.
 * Without a row it gets an empty one where `may_make`, else the call ends with ERR_NOTFOUND. Returns what
 * `change` returned. */
typedef int login_changer(void *context, struct credential *c, struct err *err);
int login_change(struct login *l, struct str account, bool may_make, login_changer *change,
	void *context, struct err *err);

/* Hold the gate, unsealed, with log-ins open; login_leave_gate lets go. */
int login_enter_gate(struct archive *a, struct login **ret, struct err *err);
void login_leave_gate(struct archive *a);

/* What passwords cost by the settings. */
void login_cost(struct login *l, struct password_cost *ret);
/* The name, as it is shown. Appended. */
void login_name(struct login *l, const char *account, struct buf *ret);

#endif
