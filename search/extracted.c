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
