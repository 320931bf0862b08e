/* extract_old.c - the office files of before 2007: .doc, .xls, .ppt, by antiword and catdoc.
 *
 * They are OLE containers, little file systems of their own; which program wrote one is told by the name of a
 * stream, in UTF-16, wherever the container's directory lies. */
#include "search/extract_kind.h"
#include "search/extract_program.h"

#include <unistd.h>

/* The name of a stream as it stands in the directory. */
static bool has_stream(struct str input, const char *name)
{
	char wide[64];
	size_t n = 0;

	for (; name[n / 2] && n + 2 <= sizeof(wide); n += 2) {
		wide[n] = name[n / 2];
		wide[n + 1] = '\0';
	}
	return memmem(input.p, input.n, wide, n) != NULL;
}

static enum extract_kind kind_of_streams(struct str input)
{
	static const struct {
		const char *stream;
		enum extract_kind kind;
	} streams[] = { { "EncryptedPackage", KIND_OLE }, { "WordDocument", KIND_DOC },
		{ "PowerPoint Document", KIND_PPT }, { "Workbook", KIND_XLS } };

	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		if (has_stream(input, streams[i].stream))
			return streams[i].kind;
	}
	/* Excel 5. */
	return has_stream(input, "Book") ? KIND_XLS : KIND_OTHER;
}

bool job_is_old_office(struct str input)
{
	static const struct str magic = STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");

	return input.n > magic.n && memcmp(input.p, magic.p, magic.n) == 0;
}

/* Sheets and slides are separated by form feeds; a Word file is one page. */
static enum extract_reason take_text(struct job *j, const char *const *argv, bool has_pages)
{
	struct buf out = BUF_INIT_MAX(j->limits.max_text_bytes + (1 << 20));
	enum extract_reason why = program_run(argv, false, &out);
	uint32_t number = 0;

	for (struct str rest = buf_str(&out); rest.p && why == EXTRACT_OK && !job_is_full(j);) {
		struct str page = has_pages ? str_cut(&rest, '\f') : rest;

		if (!has_pages)
			rest.p = NULL;
		job_page(j, has_pages ? ++number : 0, STR(""));
		for (struct str lines = page; lines.p;) {
			struct str line = str_cut(&lines, '\n');

			if (str_is(str_trim(line), "[pic]"))
				continue;
			job_text(j, line);
			job_text(j, STR("\n"));
		}
	}
	if (out.failed)
		job_cut(j);
	buf_done(&out);
	return why;
}

/* antiword refuses files of less than a page, which catdoc reads; but catdoc reads anything, so it is asked only
 * then. Why antiword refused, it says to people: hence the second run. */
static enum extract_reason read_doc(struct job *j)
{
	static const char *const argv[] = { "/usr/bin/antiword", "-m", "UTF-8.txt", "-w", "0",
		DOCUMENT_PATH, NULL };
	static const char *const short_argv[] = { "/usr/bin/catdoc", "-d", "utf-8", "-w",
		DOCUMENT_PATH, NULL };
	struct buf out = BUF_INIT_MAX(1 << 20);
	enum extract_reason why = take_text(j, argv, false);

	if (why != EXTRACT_DAMAGED)
		return why;
	why = program_run(argv, true, &out);
	if (why == EXTRACT_DAMAGED && memmem(out.p ? out.p : "", out.n, "ncrypted", 8))
		why = EXTRACT_ENCRYPTED;
	else if (why == EXTRACT_DAMAGED && memmem(out.p ? out.p : "", out.n, "too small to", 12))
		why = take_text(j, short_argv, false);
	buf_done(&out);
	return why;
}

enum extract_reason read_old_office(struct job *j)
{
	static const char *const xls[] = { "/usr/bin/xls2csv", "-d", "utf-8", "-q", "0", "-c", "\t",
		DOCUMENT_PATH, NULL };
	static const char *const ppt[] = { "/usr/bin/catppt", "-d", "utf-8", DOCUMENT_PATH, NULL };
	enum extract_kind kind = kind_of_streams(j->input);

	if (kind == KIND_OTHER)
		return EXTRACT_TYPE;
	job_set_type(j, kind_media_type(kind));
	switch (kind) {
	case KIND_DOC:
		return read_doc(j);
	case KIND_XLS:
		return take_text(j, xls, true);
	case KIND_PPT:
		return take_text(j, ppt, true);
	default:
		return EXTRACT_ENCRYPTED;
	}
}
