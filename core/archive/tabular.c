/* tabular.c - see tabular.h. */
#include "core/archive/tabular.h"

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdlib.h>
#include <zlib.h>

/* ---- CSV ---- */

static struct str shortened(struct str text)
{
	while (text.n > TABULAR_CELL_MAX ||
		(text.n == TABULAR_CELL_MAX && ((unsigned char)text.p[text.n - 1] & 0x80)))
		text.n--;
	/* Not within a character. */
	while (text.n > 0 && !str_is_utf8(text))
		text.n--;
	return text;
}

void csv_begin(struct buf *b)
{
	buf_adds(b, "\xef\xbb\xbf");
}

static bool is_line_start(const struct buf *b)
{
	return b->n == 0 || b->p[b->n - 1] == '\n' || (b->n == 3 && b->p[2] == '\xbf');
}

/* A tab and a line break begin a formula too, in some programs. */
static bool is_formula(struct str text)
{
	return text.n > 0 && strchr("=+-@\t\r\n|", text.p[0]);
}

void csv_cell(struct buf *b, struct str text)
{
	text = text.n > TABULAR_CELL_MAX ? shortened(text) : text;
	if (!is_line_start(b))
		buf_addc(b, ',');
	buf_addc(b, '"');
	if (is_formula(text))
		buf_addc(b, '\'');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_addc(b, '"');
		if (text.p[i] != '\0')
			buf_addc(b, text.p[i]);
	}
	buf_addc(b, '"');
}

void csv_end_line(struct buf *b)
{
	buf_adds(b, "\r\n");
}

/* ---- XML ---- */

/* Characters that XML 1.0 does not have are left out. */
static void add_xml(struct buf *b, struct str text)
{
	for (size_t at = 0, n; at < text.n; at += n) {
		int32_t c = text_char((struct str){ text.p + at, text.n - at }, &n);

		if (n == 0)
			break;
		if (c < 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0xfffe || c == 0xffff)
			continue;
		if (c == '<')
			buf_adds(b, "&lt;");
		else if (c == '>')
			buf_adds(b, "&gt;");
		else if (c == '&')
			buf_adds(b, "&amp;");
		else if (c == '"')
			buf_adds(b, "&quot;");
		else
			buf_add(b, text.p + at, n);
	}
}

/* ---- a zip ---- */

struct zip_item {
	const char *name;
	uint32_t crc, packed, bytes, at;
};

enum { ZIP_ITEMS = 7, ZIP_VERSION = 20, ZIP_DEFLATE = 8, ZIP_UTF8 = 1 << 11, ZIP_DAY = 0x0021 };

struct zipper {
	struct buf *out;
	struct zip_item items[ZIP_ITEMS];
	size_t count;
};

static void add_le16(struct buf *b, uint32_t v)
{
	uint8_t p[2];

	put_le16(p, (uint16_t)v);
	buf_add(b, p, sizeof(p));
}

static void add_le32(struct buf *b, uint32_t v)
{
	add_le16(b, v & 0xffff);
	add_le16(b, v >> 16);
}

/* What local header and directory have in common. */
static void add_common(struct buf *b, const struct zip_item *i)
{
	add_le16(b, ZIP_VERSION);
	add_le16(b, ZIP_UTF8);
	add_le16(b, ZIP_DEFLATE);
	add_le16(b, 0);
	add_le16(b, ZIP_DAY); /* 1980-01-01: when it was made stands on the cover */
	add_le32(b, i->crc);
	add_le32(b, i->packed);
	add_le32(b, i->bytes);
	add_le16(b, (uint32_t)strlen(i->name));
	add_le16(b, 0);
}

static int deflate_into(struct str text, struct buf *ret)
{
	z_stream z = { .next_in = (Bytef *)text.p, .avail_in = (uInt)text.n };
	char room[65536];
	int r;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
		    Z_DEFAULT_STRATEGY) != Z_OK)
		return -ERR_LIMIT;
	do {
		z.next_out = (Bytef *)room;
		z.avail_out = sizeof(room);
		r = deflate(&z, Z_FINISH);
		buf_add(ret, room, sizeof(room) - z.avail_out);
	} while (r == Z_OK);
	(void)deflateEnd(&z);
	explicit_bzero(room, sizeof(room));
	return r == Z_STREAM_END && !ret->failed ? 0 : -ERR_LIMIT;
}

static int zip_add(struct zipper *z, const char *name, struct str text)
{
	_cleanup_(buf_wipe) struct buf packed = BUF_INIT_MAX((size_t)1 << 30);
	struct zip_item *item = &z->items[z->count++];

	if (deflate_into(text, &packed) < 0)
		return -ERR_LIMIT;
	*item = (struct zip_item){ .name = name,
		.crc = (uint32_t)crc32_z(0, (const Bytef *)text.p, text.n),
		.packed = (uint32_t)packed.n,
		.bytes = (uint32_t)text.n,
		.at = (uint32_t)z->out->n };
	buf_adds(z->out, "PK\3\4");
	add_common(z->out, item);
	buf_adds(z->out, name);
	buf_add_str(z->out, buf_str(&packed));
	return 0;
}

static void zip_end(struct zipper *z)
{
	uint32_t at = (uint32_t)z->out->n, n;

	for (size_t i = 0; i < z->count; i++) {
		buf_adds(z->out, "PK\1\2");
		add_le16(z->out, ZIP_VERSION);
		add_common(z->out, &z->items[i]);
		add_le16(z->out, 0);
		add_le16(z->out, 0);
		add_le16(z->out, 0);
		add_le32(z->out, 0);
		add_le32(z->out, z->items[i].at);
		buf_adds(z->out, z->items[i].name);
	}
	n = (uint32_t)z->out->n - at;
	buf_adds(z->out, "PK\5\6");
	add_le32(z->out, 0);
	add_le16(z->out, (uint32_t)z->count);
	add_le16(z->out, (uint32_t)z->count);
	add_le32(z->out, n);
	add_le32(z->out, at);
	add_le16(z->out, 0);
}

/* ---- the workbook ---- */

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define MAIN "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PACKAGE "http://schemas.openxmlformats.org/package/2006/"
#define SHEET_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml."

static const char content_types[] =
	XML "<Types xmlns=\"" PACKAGE "content-types\">"
	    "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package."
	    "relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>"
	    "<Override PartName=\"/xl/workbook.xml\" ContentType=\"" SHEET_TYPE "sheet.main+xml\"/>"
	    "<Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"" SHEET_TYPE
	    "worksheet+xml\"/><Override PartName=\"/xl/worksheets/sheet2.xml\" "
	    "ContentType=\"" SHEET_TYPE
	    "worksheet+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"" SHEET_TYPE
	    "styles+xml\"/></Types>";

static const char root_relations[] = XML
	"<Relationships xmlns=\"" PACKAGE "relationships\"><Relationship Id=\"rId1\" Type=\"" OFFICE
	"/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";

static const char book_relations[] = XML
	"<Relationships xmlns=\"" PACKAGE "relationships\"><Relationship Id=\"rId1\" Type=\"" OFFICE
	"/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"" OFFICE
	"/worksheet\" Target=\"worksheets/sheet2.xml\"/><Relationship Id=\"rId3\" Type=\"" OFFICE
	"/styles\" Target=\"styles.xml\"/></Relationships>";

/* Style 1: text, whatever it looks like; style 2: the same, bold. */
static const char styles[] = XML
	"<styleSheet xmlns=\"" MAIN "\"><fonts count=\"2\"><font><sz val=\"11\"/></font><font><b/>"
	"<sz val=\"11\"/></font></fonts><fills count=\"2\"><fill><patternFill "
	"patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>"
	"<borders count=\"1\"><border/></borders><cellStyleXfs count=\"1\"><xf/></cellStyleXfs>"
	"<cellXfs count=\"3\"><xf/><xf numFmtId=\"49\" applyNumberFormat=\"1\"/><xf "
	"numFmtId=\"49\" "
	"fontId=\"1\" applyNumberFormat=\"1\" applyFont=\"1\"/></cellXfs></styleSheet>";

struct sheet {
	struct buf xml;
	uint32_t rows;
	bool in_row;
};

struct workbook {
	struct buf names; /* workbook.xml */
	struct sheet sheets[2];
};

struct workbook *workbook_new(const char *cover, const char *table)
{
	static const char head[] =
		XML "<worksheet xmlns=\"" MAIN "\">%s<sheetFormatPr defaultRowHeight=\"15\"/><cols>"
		    "<col min=\"1\" max=\"30\" width=\"22\" customWidth=\"1\"/></cols><sheetData>";
	static const char frozen[] =
		"<sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" "
		"activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews>";
	struct workbook *w = xcalloc(1, sizeof(*w));
	const char *names[2] = { cover, table };

	buf_init(&w->names, 1 << 16);
	buf_adds(&w->names, XML "<workbook xmlns=\"" MAIN "\" xmlns:r=\"" OFFICE "\"><sheets>");
	for (size_t i = 0; i < 2; i++) {
		struct buf *b = &w->sheets[i].xml;

		buf_adds(&w->names, "<sheet name=\"");
		add_xml(&w->names, str_of(names[i]));
		buf_addf(&w->names, "\" sheetId=\"%zu\" r:id=\"rId%zu\"/>", i + 1, i + 1);
		buf_init(b, (size_t)512 << 20);
		buf_addf(b, head, i == WORKBOOK_TABLE ? frozen : "");
	}
	buf_adds(&w->names, "</sheets></workbook>");
	return w;
}

void workbook_free(struct workbook *w)
{
	if (!w)
		return;
	buf_done(&w->names);
	buf_wipe(&w->sheets[0].xml);
	buf_wipe(&w->sheets[1].xml);
	free(w);
}

void workbook_cell(struct workbook *w, enum workbook_sheet sheet, struct str text, bool is_head)
{
	struct sheet *s = &w->sheets[sheet];

	if (!s->in_row)
		buf_addf(&s->xml, "<row r=\"%u\">", ++s->rows);
	s->in_row = true;
	buf_addf(&s->xml, "<c t=\"inlineStr\" s=\"%d\"><is><t xml:space=\"preserve\">",
		is_head ? 2 : 1);
	add_xml(&s->xml, text.n > TABULAR_CELL_MAX ? shortened(text) : text);
	buf_adds(&s->xml, "</t></is></c>");
}

void workbook_end_row(struct workbook *w, enum workbook_sheet sheet)
{
	struct sheet *s = &w->sheets[sheet];

	if (!s->in_row)
		buf_addf(&s->xml, "<row r=\"%u\">", ++s->rows);
	buf_adds(&s->xml, "</row>");
	s->in_row = false;
}

int workbook_finish(struct workbook *w, struct buf *ret, struct err *err)
{
	struct zipper z = { .out = ret };
	int r = 0;

	for (size_t i = 0; i < 2; i++)
		buf_adds(&w->sheets[i].xml, "</sheetData></worksheet>");
	if (w->names.failed || w->sheets[0].xml.failed || w->sheets[1].xml.failed)
		r = -ERR_LIMIT;
	if (r == 0 &&
		((r = zip_add(&z, "[Content_Types].xml", str_of(content_types))) < 0 ||
			(r = zip_add(&z, "_rels/.rels", str_of(root_relations))) < 0 ||
			(r = zip_add(&z, "xl/workbook.xml", buf_str(&w->names))) < 0 ||
			(r = zip_add(&z, "xl/_rels/workbook.xml.rels", str_of(book_relations))) <
				0 ||
			(r = zip_add(&z, "xl/styles.xml", str_of(styles))) < 0 ||
			(r = zip_add(&z, "xl/worksheets/sheet1.xml", buf_str(&w->sheets[0].xml))) <
				0))
		r = -ERR_LIMIT;
	if (r == 0)
		r = zip_add(&z, "xl/worksheets/sheet2.xml", buf_str(&w->sheets[1].xml));
	zip_end(&z);
	return r < 0 || ret->failed
		       ? err_set(err, ERR_LIMIT, tr("the table is too large for one file"))
		       : 0;
}
