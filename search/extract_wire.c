/* extract_wire.c - see extract_wire.h. */
#include "search/extract_wire.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/tr.h"

#include <stdlib.h>

static const struct str magic = STR("MXT1");

/* ---- writing ---- */

static void head(struct buf *out, enum wire_kind kind, size_t n)
{
	buf_addc(out, (char)kind);
	buf_add_be32(out, (uint32_t)n);
}

void wire_begin(struct buf *out)
{
	buf_add_str(out, magic);
}

void wire_add(struct buf *out, enum wire_kind kind, struct str text)
{
	head(out, kind, text.n);
	buf_add_str(out, text);
}

void wire_add_page(struct buf *out, uint32_t number, struct str label, struct str text)
{
	head(out, WIRE_PAGE, 4 + 2 + label.n + text.n);
	buf_add_be32(out, number);
	buf_add_be16(out, (uint16_t)label.n);
	buf_add_str(out, label);
	buf_add_str(out, text);
}

void wire_add_scan(struct buf *out, uint32_t number, uint32_t sure, struct str text)
{
	head(out, WIRE_SCAN, 4 + 1 + text.n);
	buf_add_be32(out, number);
	buf_addc(out, (char)sure);
	buf_add_str(out, text);
}

void wire_add_total(struct buf *out, uint32_t pages)
{
	head(out, WIRE_TOTAL, 4);
	buf_add_be32(out, pages);
}

void wire_add_file(struct buf *out, struct str name, struct str bytes)
{
	head(out, WIRE_FILE, 2 + name.n + bytes.n);
	buf_add_be16(out, (uint16_t)name.n);
	buf_add_str(out, name);
	buf_add_str(out, bytes);
}

void wire_end(struct buf *out, enum extract_reason reason)
{
	head(out, WIRE_END, 1);
	buf_addc(out, (char)reason);
}

/* ---- what text may hold ---- */

static bool has_controls(struct str text, bool is_line)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 && (is_line || (c != '\n' && c != '\t')))
			return true;
		if (c == 0x7f)
			return true;
		/* U+0080 to U+009F; in valid UTF-8 only they begin so. */
		if (c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0)
			return true;
	}
	return false;
}

bool wire_is_clean(struct str text)
{
	return str_is_utf8(text) && !has_controls(text, false);
}

bool wire_is_clean_line(struct str text)
{
	return str_is_utf8(text) && !has_controls(text, true);
}

/* ---- parsing ---- */

struct parser {
	struct str rest;
	uint64_t text_left;
	struct wire_answer *answer;
	uint32_t seen; /* kinds, as bits */
	size_t page_room, file_room;
};

static int refuse(struct err *err)
{
	return err_set(err, ERR_INVALID, tr("the reader of documents answered nonsense"));
}

/* The first n bytes; false when there are fewer. */
static bool cut(struct str *from, size_t n, struct str *ret)
{
	if (from->n < n)
		return false;
	*ret = (struct str){ from->p, n };
	from->p += n;
	from->n -= n;
	return true;
}

static bool cut_be16(struct str *from, uint32_t *ret)
{
	struct str raw;

	if (!cut(from, 2, &raw))
		return false;
	*ret = get_be16((const uint8_t *)raw.p);
	return true;
}

static bool cut_be32(struct str *from, uint32_t *ret)
{
	struct str raw;

	if (!cut(from, 4, &raw))
		return false;
	*ret = get_be32((const uint8_t *)raw.p);
	return true;
}

/* Room for one more in an array that doubles. */
static bool more(void **array, size_t *room, size_t count, size_t size, size_t max)
{
	void *bigger;
	size_t wanted;

	if (count < *room)
		return true;
	if (count >= max)
		return false;
	wanted = *room ? *room * 2 : 16;
	bigger = reallocarray(*array, wanted, size);
	if (!bigger)
		return false;
	*array = bigger;
	*room = wanted;
	return true;
}

static bool take_type(struct parser *p, struct str text)
{
	if (text.n < 1 || text.n > WIRE_MAX_TYPE)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(".+/-", c)) || !c)
			return false;
	}
	memcpy(p->answer->text->media_type, text.p, text.n);
	p->answer->text->media_type[text.n] = '\0';
	return true;
}

static bool take_line(struct str text, struct str *ret)
{
	if (text.n < 1 || text.n > WIRE_MAX_LINE || !wire_is_clean_line(text))
		return false;
	*ret = text;
	return true;
}

static bool take_date(struct str text, struct str *ret)
{
	struct date date;

	if (date_parse(text, &date, NULL) < 0)
		return false;
	*ret = text;
	return true;
}

static bool add_page(struct parser *p, struct extracted_page page)
{
	struct extracted *text = p->answer->text;
	struct str body = page.text;

	if (body.n > p->text_left || !wire_is_clean(body))
		return false;
	if (!more((void **)&text->pages, &p->page_room, text->page_count, sizeof(page),
		    WIRE_MAX_PAGES))
		return false;
	text->pages[text->page_count++] = page;
	text->text_bytes += body.n;
	p->text_left -= body.n;
	return true;
}

static bool take_page(struct parser *p, struct str body)
{
	struct extracted_page page = { 0 };
	uint32_t n;

	if (!cut_be32(&body, &page.number) || !cut_be16(&body, &n) || !cut(&body, n, &page.label))
		return false;
	page.text = body;
	return n <= WIRE_MAX_LINE && wire_is_clean_line(page.label) && add_page(p, page);
}

static bool take_scan(struct parser *p, struct str body)
{
	struct extracted_page page = { 0 };
	struct str sure;

	if (!cut_be32(&body, &page.number) || !cut(&body, 1, &sure))
		return false;
	page.sure = (uint8_t)sure.p[0];
	page.text = body;
	return page.sure >= 1 && page.sure <= 100 && add_page(p, page);
}

static bool take_total(struct str body, uint32_t *ret)
{
	return body.n == 4 && cut_be32(&body, ret) && *ret >= 1 && *ret <= WIRE_MAX_PAGES;
}

static bool take_file(struct parser *p, struct str body)
{
	struct wire_answer *answer = p->answer;
	struct wire_file file;
	uint32_t n;

	if (!cut_be16(&body, &n) || !cut(&body, n, &file.name))
		return false;
	file.bytes = body;
	if (n > WIRE_MAX_LINE || !wire_is_clean_line(file.name) ||
		!more((void **)&answer->files, &p->file_room, answer->file_count, sizeof(file),
			WIRE_MAX_FILES))
		return false;
	answer->files[answer->file_count++] = file;
	return true;
}

static bool take_end(struct parser *p, struct str body)
{
	uint8_t reason;

	if (body.n != 1 || p->rest.n != 0)
		return false;
	reason = (uint8_t)body.p[0];
	if (reason >= EXTRACT_REASON_COUNT)
		return false;
	if (reason != EXTRACT_OK && (p->answer->text->page_count || p->answer->file_count))
		return false;
	p->answer->text->reason = (enum extract_reason)reason;
	return true;
}

static bool take_frame(struct parser *p, uint8_t kind, struct str body)
{
	struct extracted *text = p->answer->text;
	bool repeats = kind == WIRE_PAGE || kind == WIRE_FILE || kind == WIRE_SCAN;

	if (kind < WIRE_TYPE || kind > WIRE_SCAN || (!repeats && (p->seen & (1u << kind))) ||
		(kind == WIRE_TYPE && p->seen))
		return false;
	p->seen |= 1u << kind;
	switch (kind) {
	case WIRE_TYPE:
		return take_type(p, body);
	case WIRE_TITLE:
		return take_line(body, &text->title);
	case WIRE_AUTHOR:
		return take_line(body, &text->author);
	case WIRE_DATE:
		return take_date(body, &text->date);
	case WIRE_PAGE:
		return take_page(p, body);
	case WIRE_FILE:
		return take_file(p, body);
	case WIRE_SCAN:
		return take_scan(p, body);
	case WIRE_TOTAL:
		return take_total(body, &text->total);
	case WIRE_CUT:
		text->is_cut = true;
		return body.n == 0;
	default:
		return take_end(p, body);
	}
}

static bool parse(struct parser *p)
{
	struct str start, kind, body;
	uint32_t n;

	if (!cut(&p->rest, magic.n, &start) || !str_eq(start, magic))
		return false;
	while (!(p->seen & (1u << WIRE_END)))
		if (!cut(&p->rest, 1, &kind) || !cut_be32(&p->rest, &n) ||
			!cut(&p->rest, n, &body) || !take_frame(p, (uint8_t)kind.p[0], body))
			return false;
	return true;
}

void wire_answer_done(struct wire_answer *answer)
{
	extracted_free(answer->text);
	free(answer->files);
	*answer = (struct wire_answer){ 0 };
}

int wire_parse(struct str bytes, uint64_t max_text_bytes, struct wire_answer *ret, struct err *err)
{
	_cleanup_(wire_answer_done) struct wire_answer answer = { .text = xcalloc(1,
									  sizeof(*answer.text)) };
	struct parser p = { .rest = bytes, .text_left = max_text_bytes, .answer = &answer };

	if (!parse(&p))
		return refuse(err);
	*ret = answer;
	answer = (struct wire_answer){ 0 };
	return 0;
}
