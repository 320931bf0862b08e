/* extract_job.h - inside the jail: one document being read. What readers share: the input, the
 * limits, and the text on its way out.
 *
 * A reader is a function that takes the input to text by job_page(), job_text() and job_break(),
 * and says how it ended. It may stop whenever job_is_full() or anything returns a reason; what it
 * gave is sent only with EXTRACT_OK. No reader writes anything but through here. */
#ifndef MUN_SEARCH_EXTRACT_JOB_H
#define MUN_SEARCH_EXTRACT_JOB_H

#include "search/extract_wire.h"

/* What the name of the file promises, as far as it decides between kinds of text. */
enum extract_hint { HINT_NONE, HINT_TEXT, HINT_MARKDOWN, HINT_CSV, HINT_HTML, HINT_MAIL };

struct extract_limits {
	uint64_t max_unpacked_bytes, max_text_bytes, max_file_bytes;
	uint32_t max_ratio, max_members, max_files;
};

/* How job_text() takes white space. */
enum job_space {
	SPACE_KEEP,    /* as it stands: text files, PDF */
	SPACE_COLLAPSE /* a run is one space, and none between Chinese characters: markup */
};

struct job {
	struct str input;
	enum extract_hint hint;
	struct extract_limits limits;

	struct buf head, body; /* the answer as it goes over the pipe, one behind the other */
	struct buf page, label;
	uint32_t number;
	bool in_page, is_cut;
	enum job_space space;
	char pending;	  /* '\n' or '\t' before the next character, or 0 */
	bool was_space;	  /* SPACE_COLLAPSE: white space waits */
	bool space_broke; /* ... and a line break was in it */
	uint32_t before;  /* the last character that went out, 0 at the start of a page */

	uint64_t text_left, file_bytes_left, unpacked;
	uint32_t files, pages;
	uint32_t seen_lines; /* title, author, date: the first of each counts */

	uint32_t scan_first, scan_count; /* pages to read as pictures; 0 of them: read the text */
	uint32_t sure; /* of the page: 0, or how sure the reading is, in percent */
};

void job_init(struct job *j, struct str input, enum extract_hint hint,
	const struct extract_limits *limits);
void job_done(struct job *j);

/* Find out what the input is, read it, and complete the answer. */
void job_run(struct job *j);
/* Complete the answer: what a reader does not call. */
void job_end(struct job *j, enum extract_reason reason);

void job_set_type(struct job *j, const char *media_type);
/* Title, author (any text, cleaned and shortened; empty is fine). */
void job_set_line(struct job *j, enum wire_kind kind, struct str text);
/* The first ten bytes of an ISO date, or the digits of a PDF's "D:20261121..."; anything else is
 * passed over. */
void job_set_date(struct job *j, struct str text);

/* A new page; the one before ends. Text before the first call goes to page 0. */
void job_page(struct job *j, uint32_t number, struct str label);
/* Text in UTF-8: made valid, control and invisible characters dropped. A piece must end on a
 * character. */
void job_text(struct job *j, struct str text);
/* A new cell ('\t') or line ('\n') before whatever text comes next; the last call counts. */
void job_break(struct job *j, char c);
/* The same, unless something waits already. */
void job_soft_break(struct job *j, char c);
/* A file inside this one, for a job of its own. */
void job_file(struct job *j, struct str name, struct str bytes);
/* The text of this page was read from a picture, and is right with this probability, in percent. */
void job_sure(struct job *j, uint32_t percent);
/* How many pages the document has, however many are read. */
void job_total(struct job *j, uint32_t pages);
/* Text is missing. */
void job_cut(struct job *j);
/* True when no more text is taken: readers may stop. */
static inline bool job_is_full(const struct job *j)
{
	return j->text_left == 0 && j->is_cut;
}

/* More bytes came out of a container, `packed` being the size of what they came from; EXTRACT_BOMB
 * when that is too much. */
enum extract_reason job_unpacked(struct job *j, size_t n, size_t packed);

/* ---- the readers: one or more to a file, search/extract_*.c ---- */

enum extract_reason read_plain(struct job *j);
enum extract_reason read_html(struct job *j);
enum extract_reason read_mail(struct job *j);
enum extract_reason read_pdf(struct job *j);
enum extract_reason read_word(struct job *j);
enum extract_reason read_sheets(struct job *j);
enum extract_reason read_slides(struct job *j);
enum extract_reason read_odf_text(struct job *j);
enum extract_reason read_odf_sheets(struct job *j);
enum extract_reason read_odf_slides(struct job *j);
enum extract_reason read_ofd(struct job *j);
enum extract_reason read_old_office(struct job *j);
/* Pages j->scan_first and following of a PDF, or a picture, by recognition. */
enum extract_reason read_scan(struct job *j);

/* The kinds that are read by programs, so that the jail must be the wider one. Look at few bytes. */
bool job_is_pdf(struct str input);
bool job_is_old_office(struct str input);

/* ---- characters ---- */

/* The character at *at, which moves behind it; U+FFFD for a byte that begins none. */
uint32_t utf8_next(struct str text, size_t *at);
/* Chinese characters and punctuation that are written without spaces between them. */
bool is_cjk(uint32_t c);

/* Bytes to UTF-8. charset: as a document names it, or NULL to guess (BOM, UTF-8, UTF-16, GB18030,
 * Windows-1252). Bytes that fit nowhere become U+FFFD. False when it does not look like text at
 * all. */
bool text_to_utf8(struct str bytes, const char *charset, struct buf *ret);

#endif
