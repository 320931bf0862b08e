/* verify.h - does everything fit together, and did nobody change it?
 *
 * Two levels. Sealed: hashes, signatures, the chain of commits, slips, lists and tombstones,
 * numbers, the content branch, the ciphertext's SHA-256s, the journal; needs no key. Unsealed, on
 * top: every envelope opens, keys are exactly those of the records that live, the ledger says what
 * the history says, the signing key is the one under seal.
 *
 * What of the sealed part `scripts/verify-archive.sh` finds with stock tools, and what it cannot, is in FORMAT.md,
 * section 13. A history that was signed anew as a whole by somebody who has the server's key, or
 * cut off at its end, is found only against a checkpoint from outside. */
#ifndef MUN_STORE_VERIFY_H
#define MUN_STORE_VERIFY_H

#include "store/store.h"

/* What is wrong, as a stable word for machines; verify_fault_name gives it. */
enum verify_fault {
	FAULT_OBJECT,	  /* an object is missing or its bytes do not fit its name */
	FAULT_COMMIT,	  /* a commit is not of the form */
	FAULT_SIGNATURE,  /* not signed, or not by who it says, or by a key that was not valid there
			   */
	FAULT_CHAIN,	  /* parent, Previous, counters, times, archive or volume do not follow */
	FAULT_TREE,	  /* a commit changes other files than it names, or other than by adding */
	FAULT_SLIP,	  /* a slip, list or tombstone does not fit its SHA-256, path, record or
			     predecessor */
	FAULT_NUMBER,	  /* a serial is missing or used twice, a number used twice */
	FAULT_ENVELOPE,	  /* ciphertext missing, changed, or of something else */
	FAULT_CONTENT,	  /* the content branch holds something else than the slips name */
	FAULT_DESTROYED,  /* something of a destroyed record is still there */
	FAULT_KEY,	  /* a key is missing, does not open, or belongs to nothing */
	FAULT_PACK,	  /* a pack or its index differs from its own checksum */
	FAULT_JOURNAL,	  /* a frame is damaged or was set aside */
	FAULT_LEDGER,	  /* the ledger differs from the history: delete derived/ and reindex */
	FAULT_CHECKPOINT, /* the history does not contain what the checkpoint states */
	FAULT_COUNT
};

const char *verify_fault_name(enum verify_fault fault);

struct verify_finding {
	enum verify_fault fault;
	uint32_t volume;   /* 0: not of one volume */
	const char *where; /* number, path or commit; borrowed */
	const char *text;  /* a sentence for people; borrowed */
};

struct verify_options {
	bool content; /* read every envelope's bytes; false: only the history and what exists */
	bool open;    /* unsealed level: also open each; needs an unsealed store */
	/* A checkpoint from outside, or NULL. */
	const struct checkpoint *checkpoint;
	/* The key that must have signed from the first commit on, or NULL: the one that the first
	 * commit enrols. */
	const struct public_key *anchor;

	/* Called for each fault; and now and then, to show progress and to be able to stop
	 * (non-zero stops with ERR_CANCELLED). Both may be NULL. */
	void (*found)(void *context, const struct verify_finding *finding);
	int (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
};

struct verify_result {
	/* `records` counts all that were filed, destroyed ones as well. */
	uint64_t commits, slips, records, tombstones, envelopes, bytes, keys, faults;
	struct public_key anchor; /* who signed the first commit */
	uint32_t volumes;
};

/* Flushes first when the store is writable. Others may write meanwhile: what comes after the beginning is not looked
 * at; a destruction waits. Returns 0 when the check could be made, whatever it
 * found: look at ret->faults. Errors: ERR_CANCELLED, ERR_SEALED (open asked of a sealed store),
 * ERR_IO. */
int store_verify(struct store *s, const struct verify_options *options, struct verify_result *ret,
	struct err *err);

#endif
