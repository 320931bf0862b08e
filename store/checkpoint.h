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
};

/* The note with our signature, appended to `ret`; the buf has failed when there is no volume or one is missing. */
void checkpoint_format(const struct checkpoint *c, const struct signer *signer, struct buf *ret);
/* Parses and, when `key` is not NULL, checks that its signature is there and good; without a key the signature is only
 * looked at for its form. Signature lines of others (witnesses) may follow or precede. *ret_memory is freed
 * by the caller. Errors: ERR_INVALID with the line, ERR_LIMIT, ERR_CRYPTO. */
int checkpoint_parse(struct str text, const struct public_key *key, struct checkpoint *ret,
	void **ret_memory, struct err *err);

#endif
