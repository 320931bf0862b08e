/* checkpoint.h - a signed statement of every volume's head, in the C2SP signed-note form (FORMAT.md,
 * section 12). Pure. */
#ifndef MUN_STORE_CHECKPOINT_H
#define MUN_STORE_CHECKPOINT_H

#include "core/base/buf.h"
#include "core/model/id.h"
#include "store/sshsig.h"

struct checkpoint_volume {
	uint32_t volume;
	struct oid head;
	struct digest sha256; /* of the head commit's content */
};

enum { CHECKPOINT_MAX_VOLUMES = 10000, CHECKPOINT_MAX_BYTES = 2 << 20 };

struct checkpoint {
	struct id archive;
	uint64_t actions;
	int64_t time;
	struct checkpoint_volume *volumes; /* 1, 2, 3 ... all of them */
	size_t volume_count;
	/* Whose signature of the server's line is good: for the caller to compare with what the history enrols. Set by
	 * checkpoint_parse. */
	struct public_key server;
};

/* The note with its two signatures, appended to `ret`: by the key for checkpoints, and by the server's in the form that
 * ssh-keygen checks. The buf has failed when there is no volume or one is missing. */
void checkpoint_format(const struct checkpoint *c, const struct signer *signer,
	const struct signer *server, struct buf *ret);
/* Parses; checks the server's signature against the key that it names, and, when `key` is not NULL, that
 * the signature by that key is there and good; without a key that one is only looked at for its form.
 * Signature lines of others (witnesses) may stand anywhere. *ret_memory is freed by the caller. Errors:
 * ERR_INVALID with the line, ERR_LIMIT, ERR_CRYPTO. */
int checkpoint_parse(struct str text, const struct public_key *key, struct checkpoint *ret,
	void **ret_memory, struct err *err);

#endif
