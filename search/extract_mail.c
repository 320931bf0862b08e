/* extract_mail.c - .eml: who to whom about what, the text, and the names of what is attached; the
 * attached files go out as they are, for jobs of their own. gmime parses.
 *
 * Of alternatives the plain text counts, the HTML only when there is none. */
#include "search/extract_html.h"
#include "search/extract_words.h"

#include <gmime/gmime.h>
#include <stdlib.h>

enum { MAX_PARTS = 2000 };

struct mail {
	struct job *job;
	uint32_t parts;
	bool has_plain; /* in the message (not its attachments) */
};

static void add_header(struct job *j, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	job_text(j, str_of(name));
	job_text(j, STR(": "));
	j->space = SPACE_COLLAPSE; /* folded lines */
	job_text(j, str_of(value));
	j->space = SPACE_KEEP;
	job_break(j, '\n');
}

static void add_addresses(struct job *j, const char *name, InternetAddressList *list)
{
	char *text = list ? internet_address_list_to_string(list, NULL, FALSE) : NULL;

	add_header(j, name, text);
	g_free(text);
}

static void add_date(struct job *j, GMimeMessage *message)
{
	GDateTime *date = g_mime_message_get_date(message);
	char *text = date ? g_date_time_format(date, "%Y-%m-%d %H:%M") : NULL;

	add_header(j, "Date", text);
	if (text)
		job_set_date(j, str_of(text));
	g_free(text);
}

static void add_headers(struct job *j, GMimeMessage *message)
{
	const char *subject = g_mime_message_get_subject(message);
	InternetAddressList *from = g_mime_message_get_from(message);
	char *author = from ? internet_address_list_to_string(from, NULL, FALSE) : NULL;

	add_header(j, "Subject", subject);
	add_header(j, "From", author);
	add_addresses(j, "To", g_mime_message_get_to(message));
	add_addresses(j, "Cc", g_mime_message_get_cc(message));
	add_date(j, message);
	if (subject)
		job_set_line(j, WIRE_TITLE, str_of(subject));
	if (author)
		job_set_line(j, WIRE_AUTHOR, str_of(author));
	g_free(author);
}

/* What a part holds, decoded; NULL when it holds nothing. */
static GByteArray *content(GMimePart *part)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
	GMimeStream *stream = wrapper ? g_mime_stream_mem_new() : NULL;
	GByteArray *bytes = NULL;

	if (!stream)
		return NULL;
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	(void)g_mime_data_wrapper_write_to_stream(wrapper, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	g_object_unref(stream);
	return bytes;
}

static void add_text(struct job *j, GMimePart *part, bool is_html)
{
	const char *charset =
		g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
	struct buf utf8 = BUF_INIT_MAX(j->limits.max_unpacked_bytes);
	GByteArray *bytes = content(part);

	if (!bytes)
		return;
	job_break(j, '\n');
	if (!text_to_utf8((struct str){ (const char *)bytes->data, bytes->len }, charset, &utf8))
		job_cut(j);
	else if (is_html)
		(void)html_text(j, buf_str(&utf8), false);
	else
		job_text(j, buf_str(&utf8));
	buf_done(&utf8);
	(void)g_byte_array_free(bytes, TRUE);
}

static void add_attachment(struct job *j, struct str name, struct str bytes)
{
	job_break(j, '\n');
	job_text(j, STR("Attachment: "));
	j->space = SPACE_COLLAPSE;
	job_text(j, name.n ? name : STR("-"));
	j->space = SPACE_KEEP;
	job_break(j, '\n');
	job_file(j, name, bytes);
}

/* A message inside this one goes out whole, under its subject. */
static void add_message(struct job *j, GMimeMessagePart *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	GMimeStream *stream = g_mime_stream_mem_new();
	const char *subject = message ? g_mime_message_get_subject(message) : NULL;
	GByteArray *bytes;

	if (message)
		(void)g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	add_attachment(j, str_of(subject ? subject : ""),
		(struct str){ (const char *)bytes->data, bytes->len });
	g_object_unref(stream);
}

static bool is_text_of_message(GMimeObject *object, const char *subtype)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);

	return GMIME_IS_PART(object) && !g_mime_part_is_attachment(GMIME_PART(object)) &&
	       !g_mime_part_get_filename(GMIME_PART(object)) &&
	       g_mime_content_type_is_type(type, "text", subtype);
}

static void find_plain(GMimeObject *parent, GMimeObject *object, gpointer context)
{
	struct mail *m = context;

	(void)parent;
	m->has_plain |= is_text_of_message(object, "plain");
}

static void add_part(GMimeObject *parent, GMimeObject *object, gpointer context)
{
	struct mail *m = context;
	GByteArray *bytes;
	const char *name;

	(void)parent;
	if (GMIME_IS_MULTIPART(object) || job_is_full(m->job))
		return;
	if (++m->parts > MAX_PARTS) {
		job_cut(m->job);
		return;
	}
	if (GMIME_IS_MESSAGE_PART(object)) {
		add_message(m->job, GMIME_MESSAGE_PART(object));
		return;
	}
	if (!GMIME_IS_PART(object))
		return;
	if (is_text_of_message(object, "plain")) {
		add_text(m->job, GMIME_PART(object), false);
		return;
	}
	if (is_text_of_message(object, "html")) {
		if (!m->has_plain)
			add_text(m->job, GMIME_PART(object), true);
		return;
	}
	name = g_mime_part_get_filename(GMIME_PART(object));
	bytes = content(GMIME_PART(object));
	if (bytes && (name || g_mime_part_is_attachment(GMIME_PART(object))))
		add_attachment(m->job, str_of(name ? name : ""),
			(struct str){ (const char *)bytes->data, bytes->len });
	if (bytes)
		(void)g_byte_array_free(bytes, TRUE);
}

static GMimeMessage *parse(struct str input)
{
	static const char *const charsets[] = { "utf-8", "gb18030", NULL };
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(input.p, input.n);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeParserOptions *options = g_mime_parser_options_new();
	GMimeMessage *message;

	g_mime_parser_options_set_fallback_charsets(options, (const char **)charsets);
	message = g_mime_parser_construct_message(parser, options);
	g_mime_parser_options_free(options);
	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

enum extract_reason read_mail(struct job *j)
{
	/* Joined words are never longer than they were. */
	struct buf joined = BUF_INIT_MAX(j->input.n + 1);
	struct mail m = { .job = j };
	GMimeMessage *message;
	GMimeObject *body;

	g_mime_init();
	mail_add_joined(j->input, &joined);
	message = parse(joined.failed ? j->input : buf_str(&joined));
	if (!message) {
		buf_done(&joined);
		return EXTRACT_DAMAGED;
	}
	add_headers(j, message);
	body = g_mime_message_get_mime_part(message);
	if (body && GMIME_IS_MULTIPART(body)) {
		g_mime_multipart_foreach(GMIME_MULTIPART(body), find_plain, &m);
		g_mime_multipart_foreach(GMIME_MULTIPART(body), add_part, &m);
	} else if (body) {
		find_plain(NULL, body, &m);
		add_part(NULL, body, &m);
	}
	g_object_unref(message);
	buf_done(&joined);
	return EXTRACT_OK;
}
