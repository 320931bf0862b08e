/* access.c - see access.h. */
#include "core/archive/access.h"

#include "core/archive/inside.h"
#include "core/archive/login.h"

#include "core/base/tr.h"

/* Which roles an act needs, any of them; 0: a session is enough. And the sentence when they are missing. */
struct rule {
	unsigned roles;
	const char *refusal;
};

static const struct rule rules[ACCESS_ACT_COUNT] = {
	[ACCESS_OWN] = { 0, "" },
	[ACCESS_LOOK] = { ROLE_READER | ROLE_FILER,
		TR_MARK("this account may not read records: the role 'reader' or 'filer' is "
			"needed") },
	[ACCESS_FILE] = { ROLE_FILER,
		TR_MARK("this account may read, not file or revise: the role 'filer' is needed") },
	[ACCESS_JOB] = { ROLE_FILER | ROLE_OPERATOR,
		TR_MARK("this account may not run jobs: the role 'filer' or 'operator' is "
			"needed") },
	[ACCESS_SEAL] = { ROLE_FILER | ROLE_OPERATOR,
		TR_MARK("this account may not seal the archive: the role 'filer' or 'operator' is "
			"needed") },
	[ACCESS_PEOPLE] = { ROLE_ALL,
		TR_MARK("this account may not see the accounts: it has no role") },
	[ACCESS_ADMINISTER] = { ROLE_OPERATOR,
		TR_MARK("accounts, settings, series and custodians are kept by an operator: the "
			"role 'operator' is needed") },
};

static const struct {
	unsigned role;
	const char *word;
} words[] = { { ROLE_READER, "reader" }, { ROLE_FILER, "filer" }, { ROLE_OPERATOR, "operator" } };

unsigned access_role_of(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_is(word, words[i].word))
			return words[i].role;
	}
	return 0;
}

const char *access_role_word(unsigned role)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].role == role)
			return words[i].word;
	}
	return "";
}

const char *access_main_role(unsigned roles)
{
	return roles & ROLE_FILER ? "filer" : roles & ROLE_READER ? "reader" : "none";
}

/* Rule 1. */
static int check_owner(struct archive *a, const struct access_caller *who, struct err *err)
{
	if (who->uid == a->owner || who->uid == 0)
		return 0;
	return err_set(err, ERR_DENIED,
		tr("the archive's folder belongs to another user of this machine: log in, or have "
		   "that user run the command"));
}

/* Rules 2 and 3. */
static int check_session(
	struct archive *a, const struct access_caller *who, enum access_act act, struct err *err)
{
	struct login *l;
	int r;

	if (store_is_sealed(a->store))
		return err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it"));
	r = login_of(a, &l, err);
	if (r < 0)
		return r;
	if (act == ACCESS_OWN)
		return 0;
	if (login_must_change(l, who->account))
		return err_set(err, ERR_DENIED,
			tr("choose a password of your own first: this one was given by somebody "
			   "else"));
	return login_roles(l, who->account) & rules[act].roles
		       ? 0
		       : err_set(err, ERR_DENIED, "%s", tr(rules[act].refusal));
}

int access_check(struct archive *a, const struct access_caller *who, enum access_act act,
	const struct access_subject *subject, struct err *err)
{
	(void)subject; /* every record is for everybody who may look, until grants narrow it */
	if (act == ACCESS_STATE)
		return 0;
	switch (who->origin) {
	case ACCESS_OWNER:
		return check_owner(a, who, err);
	case ACCESS_SESSION:
		return check_session(a, who, act, err);
	case ACCESS_NOBODY:
		break;
	}
	/* Rule 4. */
	return err_set(err, ERR_DENIED, tr("please log in first"));
}
