/* extract_type.c - what is this? By content: the extension only decides between kinds of text.
 *
 * Our own looks come first where they are surer than libmagic: PDF, zip containers (by the part
 * where the document begins), password-protected Office files, mails and web pages. The rest is
 * libmagic's. */
#include "search/extract_kind.h"
#include "search/extract_opc.h"

#include <magic.h>
#include <strings.h>

enum { SNIFF_BYTES = 4096 };

/* ---- containers ---- */

static enum extract_kind kind_of_odf(struct zip *z)
{
	struct buf type = BUF_INIT_MAX(256);
	enum extract_kind kind = KIND_ZIP;

	if (zip_load(z, "mimetype", &type) == EXTRACT_OK) {
		struct str name = str_trim(buf_str(&type));

		if (str_ends(name, "-template"))
			name.n -= strlen("-template");
		kind = kind_of_media_type(name);
	}
	buf_done(&type);
	return kind == KIND_OTHER ? KIND_ZIP : kind;
}

static enum extract_kind kind_of_members(struct job *j, struct zip *z)
{
	static const struct {
		const char *start;
		enum extract_kind kind;
	} mains[] = { { "word/", KIND_WORD }, { "xl/workbook.bin", KIND_XLSB },
		{ "xl/", KIND_SHEETS }, { "ppt/", KIND_SLIDES } };
	_cleanup_(freep) char *main = opc_main(j, z);

	for (size_t i = 0; main && i < ARRAY_LEN(mains); i++)
		if (strncasecmp(main, mains[i].start, strlen(mains[i].start)) == 0)
			return mains[i].kind;
	if (zip_has(z, "OFD.xml"))
		return KIND_OFD;
	return zip_has(z, "mimetype") ? kind_of_odf(z) : KIND_ZIP;
}

static enum extract_reason look_into_zip(struct job *j, enum extract_kind *ret)
{
	_cleanup_(zip_closep) struct zip *z = NULL;
	enum extract_reason why = zip_open(j, &z);

	*ret = KIND_ZIP;
	if (why == EXTRACT_OK)
		*ret = kind_of_members(j, z);
	return why;
}

/* ---- text ---- */

static bool is_mail(struct str start, enum extract_hint hint)
{
	static const char *const names[] = { "return-path", "received", "delivered-to", "from",
		"to", "subject", "date", "message-id", "mime-version", "dkim-signature", "x-mailer",
		"content-type", "reply-to", "cc", "sender", "x-originating-ip",
		"content-transfer-encoding" };
	bool has_from = false;
	unsigned known = 0;

	if (str_starts(start, "From ")) /* mbox */
		(void)str_cut(&start, '\n');
	while (start.p && start.n > 0) {
		struct str line = str_cut(&start, '\n'), value = line, name;

		if (line.n == 0 || line.p[0] == '\r')
			break;
		if (line.p[0] == ' ' || line.p[0] == '\t')
			continue;
		name = str_cut(&value, ':');
		if (!value.p || name.n == 0 || memchr(name.p, ' ', name.n))
			return known > 3;
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (name.n == strlen(names[i]) &&
				strncasecmp(name.p, names[i], name.n) == 0) {
				known++;
				has_from |= i <= 3;
			}
	}
	return known >= (hint == HINT_MAIL ? 1U : 3U) && has_from;
}

static bool is_html(struct str start, enum extract_hint hint)
{
	static const char *const tags[] = { "<!doctype html", "<html", "<head", "<body", "<meta ",
		"<title", "<table", "<div", "<p>", "<p ", "<h1" };

	start = str_trim(start);
	if (str_starts(start, "\xef\xbb\xbf"))
		start = str_trim((struct str){ start.p + 3, start.n - 3 });
	if (str_starts(start, "<?xml") && memmem(start.p, start.n, "<html", 5))
		return true;
	while (str_starts(start, "<!--")) {
		const char *end = memmem(start.p, start.n, "-->", 3);

		if (!end)
			break;
		start = str_trim((struct str){ end + 3, start.n - (size_t)(end + 3 - start.p) });
	}
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (start.n >= strlen(tags[i]) &&
			strncasecmp(start.p, tags[i], strlen(tags[i])) == 0)
			return i < 4 || hint == HINT_HTML || hint == HINT_NONE;
	return hint == HINT_HTML && memchr(start.p, '<', start.n);
}

/* The text of the first bytes as UTF-8, so that UTF-16 is seen as well. */
static enum extract_kind kind_of_text(const struct job *j)
{
	struct str start = { j->input.p, j->input.n < SNIFF_BYTES ? j->input.n : SNIFF_BYTES };
	struct buf utf8 = BUF_INIT_MAX(8 * SNIFF_BYTES);
	enum extract_kind kind = j->hint == HINT_MARKDOWN ? KIND_MARKDOWN
				 : j->hint == HINT_CSV	  ? KIND_CSV
							  : KIND_TEXT;

	if (text_to_utf8(start, NULL, &utf8)) {
		if (is_mail(buf_str(&utf8), j->hint))
			kind = KIND_MAIL;
		else if (is_html(buf_str(&utf8), j->hint))
			kind = KIND_HTML;
	}
	buf_done(&utf8);
	return kind;
}

/* ---- everything else ---- */

struct magic_answer {
	char type[WIRE_MAX_TYPE + 1];
};

static void ask_magic(struct str input, struct magic_answer *ret)
{
	magic_t magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
				   MAGIC_NO_CHECK_ELF);
	const char *type = NULL;

	*ret = (struct magic_answer){ "application/octet-stream" };
	if (magic && magic_load(magic, NULL) == 0)
		type = magic_buffer(magic, input.p, input.n);
	if (type && strlen(type) < sizeof(ret->type))
		memcpy(ret->type, type, strlen(type) + 1);
	if (magic)
		magic_close(magic);
}

/* What libmagic takes for text, or for nothing that it knows: then we see whether it reads as text.
 */
static bool may_be_text(const char *type)
{
	static const char *const types[] = { "application/octet-stream", "application/json",
		"application/x-ndjson", "application/javascript", "application/xml",
		"application/csv", "application/x-wine-extension-ini", "application/x-setupscript",
		"application/sql" };

	if (strcmp(type, "text/rtf") == 0)
		return false;
	if (strncmp(type, "text/", 5) == 0 || strncmp(type, "message/", 8) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static enum extract_reason read_text(struct job *j, const char *magic_type)
{
	enum extract_kind kind = kind_of_text(j);
	enum extract_reason why;

	if (kind == KIND_MAIL || kind == KIND_HTML) {
		job_set_type(j, kind_media_type(kind));
		return kind == KIND_MAIL ? read_mail(j) : read_html(j);
	}
	why = read_plain(j);
	if (why == EXTRACT_TYPE)
		kind = KIND_OTHER;
	else if (kind == KIND_TEXT && (strcmp(magic_type, "text/xml") == 0 ||
					      strcmp(magic_type, "application/json") == 0))
		kind = kind_of_media_type(str_of(magic_type));
	job_set_type(j, kind_media_type(kind));
	return why;
}

static enum extract_reason read_other(struct job *j)
{
	struct magic_answer magic;

	ask_magic(j->input, &magic);
	if (may_be_text(magic.type))
		return read_text(j, magic.type);
	job_set_type(j, magic.type);
	return strncmp(magic.type, "image/", 6) == 0 ? EXTRACT_PICTURE : EXTRACT_TYPE;
}

static enum extract_reason (*const zip_readers[KIND_COUNT])(struct job *j) = {
	[KIND_WORD] = read_word,
	[KIND_SHEETS] = read_sheets,
	[KIND_SLIDES] = read_slides,
	[KIND_ODT] = read_odf_text,
	[KIND_ODS] = read_odf_sheets,
	[KIND_ODP] = read_odf_slides,
	[KIND_OFD] = read_ofd,
};

static enum extract_reason read_zip(struct job *j)
{
	enum extract_kind kind;
	enum extract_reason why = look_into_zip(j, &kind);

	job_set_type(j, kind_media_type(kind));
	if (why != EXTRACT_OK)
		return why;
	return zip_readers[kind] ? zip_readers[kind](j) : EXTRACT_TYPE;
}

static enum extract_reason read_any(struct job *j)
{
	if (j->input.n == 0)
		return EXTRACT_EMPTY;
	if (job_is_pdf(j->input)) {
		job_set_type(j, kind_media_type(KIND_PDF));
		return read_pdf(j);
	}
	if (str_starts(j->input, "PK\003\004") || (str_starts(j->input, "PK") && j->input.n >= 22 &&
							  memcmp(j->input.p, "PK\005\006", 4) == 0))
		return read_zip(j);
	if (job_is_old_office(j->input)) {
		enum extract_reason why = read_old_office(j);

		if (why != EXTRACT_TYPE)
			return why;
	}
	return read_other(j);
}

void job_run(struct job *j)
{
	job_end(j, j->input.n > 0 && j->scan_count > 0 ? read_scan(j) : read_any(j));
}
