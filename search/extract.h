/* extract.h - the text of a document, for search and reading: text, Markdown, HTML, PDF, Word,
 * Excel, PowerPoint, OpenDocument, OFD, mail.
 *
 * The file is hostile until proved otherwise, and this process holds keys. So it never looks into
 * it: a program of its own (muniment-extract) gets the bytes by a sealed memfd, gives up every
 * right it has (jail.h), parses, and answers on a pipe in a little format (extract_wire.h) that is
 * parsed here as strictly as any foreign bytes. A bad file costs one job and has a reason; it never
 * costs the server. Plaintext is never written to a file.
 *
 * What a document holds inside itself (attachments of a mail) is extracted by jobs of their own,
 * from here, and its pages follow those of the document. */
#ifndef MUN_SEARCH_EXTRACT_H
#define MUN_SEARCH_EXTRACT_H

#include "core/base/buf.h"

/* Why a document has no text. The numbers go into the text cache and over the pipe; not reused. */
enum extract_reason {
	EXTRACT_OK = 0,
	EXTRACT_EMPTY = 1,     /* a file of 0 bytes */
	EXTRACT_BLANK = 2,     /* read, but there is no text in it */
	EXTRACT_PICTURE = 3,   /* read, but its pages are pictures: a scan */
	EXTRACT_TYPE = 4,      /* not a kind of file that we can read */
	EXTRACT_ENCRYPTED = 5, /* needs a password */
	EXTRACT_DAMAGED = 6,   /* truncated or broken */
	EXTRACT_TOO_LARGE = 7, /* larger than max_input_bytes */
	EXTRACT_BOMB = 8, /* unpacks to more, or nests deeper, than any honest document: refused */
	EXTRACT_TIMED_OUT = 9,	 /* took too long, by the clock or by the processor */
	EXTRACT_MEMORY = 10,	 /* needs more memory than allowed */
	EXTRACT_CRASHED = 11,	 /* the reader died of it, or answered nonsense */
	EXTRACT_FORBIDDEN = 12,	 /* the reader tried what the jail forbids: an attack */
	EXTRACT_NO_JAIL = 13,	 /* this kernel cannot jail, and nobody allowed to go without */
	EXTRACT_NO_PROGRAM = 14, /* the reader, or pdftotext, is not installed */
	EXTRACT_REASON_COUNT
};

/* A stable lower-case word for JSON: "ok", "empty", "blank", "picture" ... */
const char *extract_reason_word(enum extract_reason reason);
/* One sentence for people, in the language of the thread; "" for EXTRACT_OK. */
const char *extract_reason_text(enum extract_reason reason);
/* True when trying again later, elsewhere or with other options may help: the rest is a property of
 * the file. */
bool extract_reason_is_passing(enum extract_reason reason);

/* One page, sheet or slide. `text` and `label` are UTF-8 without NUL and without control characters
 * other than newline and tab; both point into the struct extracted. */
struct extracted_page {
	uint32_t number;     /* from 1; 0 where the format has no pages (text, Word, mail) */
	uint32_t attachment; /* 0 = the document itself, otherwise the n-th file inside it */
	struct str label;    /* name of the sheet or of the attached file, or empty */
	struct str text;
	/* 0: its text stood in the file. Otherwise it was read from a picture, and is right with this probability, in
	 * percent. */
	uint8_t sure;
};

struct extracted {
	enum extract_reason reason;
	char media_type[96]; /* what the bytes are, whatever the name says; "" when not looked at */
	bool name_differs;   /* the name's extension promises another kind of file */
	bool is_cut; /* text is missing: beyond max_text_bytes, or of an attachment or a part */
	struct str title, author; /* as the document says, or empty */
	struct str date;	  /* "2026-11-21": its own date of creation or sending, or empty */
	struct extracted_page *pages;
	size_t page_count;
	size_t text_bytes; /* of all pages */
	/* A scan: how many of its pages were tried to read (0: none, so that it waits or is not to be read), and how
	 * many it has (0: not known). */
	uint32_t scanned, total;

	char *bytes; /* what all the views above look at */
	size_t byte_count;
};

/* NULL is fine. Zeroes the text first. */
void extracted_free(struct extracted *e);
DEFINE_CLEANUP(struct extracted *, extracted_free)

/* A scan as far as it was read, with more pages of it: a new text, NULL when memory is out. EXTRACT_PICTURE as long as
 * no characters were recognised. */
struct extracted *extracted_join(const struct extracted *so_far, const struct extracted *more);
/* How sure the recognised pages are, on average, in percent; 0 when there are none. */
uint32_t extracted_sure(const struct extracted *e);

struct extract_options {
	const char *helper;	     /* path of muniment-extract; NULL: extract_helper_path() */
	uint64_t max_input_bytes;    /* at most 256 MiB */
	uint64_t max_unpacked_bytes; /* out of containers, as counted while unpacking */
	uint64_t max_text_bytes;     /* what is over is cut off */
	uint32_t max_ratio;	     /* unpacked to packed, once 16 MiB are unpacked */
	uint32_t max_members;	     /* of a container */
	uint32_t max_attachments;    /* in all, of one document */
	uint32_t max_nesting;	     /* attachments of attachments: 0 = none are opened */
	uint32_t timeout_ms;	     /* for the document with all attachments */
	uint32_t max_cpu_seconds;    /* of one job */
	uint64_t max_memory_bytes;   /* of one job: address space */
	const _Atomic bool *cancel;  /* when it becomes true: EXTRACT_TIMED_OUT; may be NULL */
	bool allow_unjailed; /* the operator said to go on where the kernel has no landlock */
};

#define EXTRACT_OPTIONS_DEFAULT \
	{ \
		.max_input_bytes = (uint64_t)256 << 20, .max_unpacked_bytes = (uint64_t)512 << 20, \
		.max_text_bytes = (uint64_t)32 << 20, .max_ratio = 200, .max_members = 10000, \
		.max_attachments = 64, .max_nesting = 2, .timeout_ms = 60000, \
		.max_cpu_seconds = 30, .max_memory_bytes = (uint64_t)2 << 30 \
	}

/* The text of what fd holds, from its first byte whatever its position. fd is any descriptor that
 * can be read: a memfd sealed by jail_memfd_seal() is handed over as it is, anything else (a pipe
 * too, then from its position) is copied into one first; fd stays the caller's. name_hint is a file
 * name or NULL; only its extension is used. o may be NULL.
 *
 * 0 with *ret whenever there is an answer, also "no text, because" (ret->reason); negative only
 * when this side fails: ERR_IO, ERR_LIMIT (memory). Blocks until done or timed out; safe from many
 * threads, each call uses up to two processes at a time; the caller bounds how many run at once.
 * SIGCHLD must not be ignored. */
int extract(const struct extract_options *o, int fd, const char *name_hint, struct extracted **ret,
	struct err *err);

/* The same by recognising the characters of pictures: pages first_page (from 1) and following of a PDF, at most
 * `pages` of them, or a picture (its first page). A page takes two seconds; o->timeout_ms counts for this call. The
 * answer's pages have `sure`, `total` says how many there are, `scanned` how many were tried from first_page on.
 * Attachments are not looked at. */
int extract_scan(const struct extract_options *o, int fd, uint32_t first_page, uint32_t pages,
	struct extracted **ret, struct err *err);
/* Whether that may give text where extract() gave this: pictures, and PDFs without text. */
bool extract_may_scan(const struct extracted *e);

/* Where the helper is: $MUNIMENT_EXTRACT, beside this program, where it was installed.
 * ERR_NOTFOUND. */
int extract_helper_path(struct buf *ret, struct err *err);

/* The media type that an extension promises ("a.DOCX" -> "application/vnd.openxml..."), or NULL. */
const char *extract_type_of_name(const char *name);

#endif
