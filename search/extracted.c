/* extracted.c - the answer of extract.h: its reasons, in words, and its memory. */
#include "search/extract.h"
#include "core/base/tr.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word, *text;
	bool is_passing;
} reasons[EXTRACT_REASON_COUNT] = {
	[EXTRACT_OK] = { "ok", NULL, false },
	[EXTRACT_EMPTY] = { "empty", TR_MARK("no text: the file is empty"), false },
	[EXTRACT_BLANK] = { "blank", TR_MARK("no text: there are no words in the document"),
		false },
	[EXTRACT_PICTURE] = { "picture",
		TR_MARK("no text: the pages are pictures (a scan without a text layer)"), false },
	[EXTRACT_TYPE] = { "type", TR_MARK("no text: not a kind of file whose text can be read"),
		false },
	[EXTRACT_ENCRYPTED] = { "encrypted",
		TR_MARK("no text: the file is encrypted; file a copy without a password"), false },
	[EXTRACT_DAMAGED] = { "damaged", TR_MARK("no text: the file is damaged or cut off"),
		false },
	[EXTRACT_TOO_LARGE] = { "toolarge", TR_MARK("no text: the file is larger than the limit"),
		true },
	[EXTRACT_BOMB] = { "bomb",
		TR_MARK("no text: the file unpacks to more than an honest one would; it was "
			"refused"),
		false },
	[EXTRACT_TIMED_OUT] = { "timeout", TR_MARK("no text: reading the file took too long"),
		true },
	[EXTRACT_MEMORY] = { "memory", TR_MARK("no text: reading the file needs too much memory"),
		true },
	[EXTRACT_CRASHED] = { "crashed", TR_MARK("no text: the reader crashed on this file"),
		true },
	[EXTRACT_FORBIDDEN] = { "forbidden",
		TR_MARK("no text: while reading, the file tried what is forbidden; it may be an "
			"attack"),
		false },
	[EXTRACT_NO_JAIL] = { "nojail",
		TR_MARK("no text: this system cannot read files in a jail (landlock is missing)"),
		true },
	[EXTRACT_NO_PROGRAM] = { "noprogram",
		TR_MARK("no text: the program that reads such files is not installed"), true },
};

const char *extract_reason_word(enum extract_reason reason)
{
	return reasons[reason < EXTRACT_REASON_COUNT ? reason : EXTRACT_CRASHED].word;
}

const char *extract_reason_text(enum extract_reason reason)
{
	const char *text = reasons[reason < EXTRACT_REASON_COUNT ? reason : EXTRACT_CRASHED].text;

	return text ? tr(text) : "";
}

bool extract_reason_is_passing(enum extract_reason reason)
{
	return reason < EXTRACT_REASON_COUNT && reasons[reason].is_passing;
}

void extracted_free(struct extracted *e)
{
	if (!e)
		return;
	if (e->bytes)
		explicit_bzero(e->bytes, e->byte_count);
	free(e->bytes);
	free(e->pages);
	free(e);
}

/* ---- scans, page by page ---- */

static struct str append(struct buf *b, struct str text)
{
	buf_add_str(b, text);
	return (struct str){ NULL, text.n };
}

static void take_pages(struct extracted *to, struct buf *b, const struct extracted *from)
{
	for (size_t i = 0; i < from->page_count; i++) {
		struct extracted_page page = from->pages[i];

		page.label = append(b, page.label);
		page.text = append(b, page.text);
		to->pages[to->page_count++] = page;
		to->text_bytes += page.text.n;
	}
}

struct extracted *extracted_join(const struct extracted *so_far, const struct extracted *more)
{
	_cleanup_(extracted_freep) struct extracted *to = xcalloc(1, sizeof(*to));
	struct buf bytes = BUF_INIT_MAX(SIZE_MAX / 2);
	struct str *const lines[] = { &to->title, &to->author, &to->date };
	const char *at;

	*to = *so_far;
	to->page_count = to->text_bytes = 0;
	to->pages = calloc(so_far->page_count + more->page_count + 1, sizeof(*to->pages));
	to->title = append(&bytes, so_far->title);
	to->author = append(&bytes, so_far->author);
	to->date = append(&bytes, so_far->date);
	if (to->pages) {
		take_pages(to, &bytes, so_far);
		take_pages(to, &bytes, more);
	}
	if (bytes.failed || !to->pages) {
		to->bytes = NULL;
		buf_wipe(&bytes);
		return NULL;
	}
	to->byte_count = bytes.n;
	to->bytes = buf_detach(&bytes);
	at = to->bytes;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		lines[i]->p = at;
		at += lines[i]->n;
	}
	for (size_t i = 0; i < to->page_count; i++) {
		to->pages[i].label.p = at;
		to->pages[i].text.p = at + to->pages[i].label.n;
		at += to->pages[i].label.n + to->pages[i].text.n;
	}
	to->scanned = so_far->scanned + more->scanned;
	to->total = more->total > 0 ? more->total : so_far->total;
	to->is_cut = so_far->is_cut || more->is_cut ||
		     (more->reason != EXTRACT_OK && more->reason != EXTRACT_BLANK);
	to->reason = to->page_count > 0 ? EXTRACT_OK : EXTRACT_PICTURE;
	return TAKE_PTR(to);
}

uint32_t extracted_sure(const struct extracted *e)
{
	uint64_t sum = 0, count = 0;

	for (size_t i = 0; i < e->page_count; i++) {
		if (e->pages[i].sure > 0) {
			sum += e->pages[i].sure;
			count++;
		}
	}
	return count ? (uint32_t)(sum / count) : 0;
}
