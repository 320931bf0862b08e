/* commit.h - a commit on main as bytes (FORMAT.md, section 8). Pure; any thread.
 *
 * Parsing is strict: commit_parse(commit_format(x)) gives x, and text that Muniment would not write is ERR_CORRUPT.
 * That includes values: only ACT_OPEN has no parent and names the volume before (its own number less 1),
 * only action 1 has no commit before it, only volume 1 no checkpoint; accounts and signers are lower-case
 * letters, digits and '-'; a list names at least two files. */
#ifndef MUN_STORE_COMMIT_H
#define MUN_STORE_COMMIT_H

#include "store/slip.h"
#include "store/sshsig.h"

enum commit_act { ACT_OPEN, ACT_FILE, ACT_REVISE, ACT_DESTROY, ACT_KEYS, ACT_COUNT };

/* "open", "file" ... as in the Act: trailer. */
const char *commit_act_name(enum commit_act act);

enum { COMMIT_MAX_BYTES = 1 << 20, COMMIT_ACCOUNT_MAX = 40, COMMIT_MAX_SIGNERS = 1000 };

struct signer_line {
	bool retires; /* Retire: instead of Enrol: */
	struct str signer;
	struct public_key key;
};

struct commit {
	struct oid tree, parent; /* parent: zeros in the first of a volume */
	int64_t time;		 /* of author and committer, UTC */
	struct str subject;	 /* the line for people */
	struct id archive, action;
	uint32_t volume, uid;
	enum commit_act act;
	struct str account, signer; /* "u-00001"; "server" */
	uint64_t actions, records;
	struct digest previous;

	/* Any act but ACT_OPEN and ACT_KEYS: one Slip, or one List. */
	bool is_list;
	struct listed file;
	uint64_t files; /* named by the list */

	/* ACT_OPEN */
	bool demonstration;
	uint32_t last_volume;
	struct oid last;
	struct digest checkpoint;
	const struct signer_line *signers; /* ACT_OPEN and ACT_KEYS */
	size_t signer_count;
};

/* The commit's content with its signature by `signer`, appended to `ret`. What commit_parse would refuse is
 * not written: the buf has failed then. */
void commit_format(const struct commit *c, const struct signer *signer, struct buf *ret);

/* `ret` points into `text` and into *ret_memory (free() it). The signature is not checked here. */
int commit_parse(struct str text, struct commit *ret, void **ret_memory, struct err *err);

/* Check the signature in a commit's content; whose key it is. Errors: ERR_CORRUPT (none, or malformed), ERR_CRYPTO. */
int commit_verify(struct str text, struct public_key *ret, struct err *err);

#endif
