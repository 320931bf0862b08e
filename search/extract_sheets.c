/* extract_sheets.c - .xlsx: one page a sheet, one line a row, a tab between cells; comments and
 * drawings behind.
 *
 * A cell holds a number, and only its style says that 46327 is the first of November 2026: so the
 * styles are read first, then the shared strings (which stand behind the sheets in the file), then
 * the sheets in the order of the workbook. Dates are written as 2026-11-01, whatever the cell's own
 * format, so that they can be searched. */
#include "search/extract_opc.h"
#include "core/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_STYLES = 1 << 16, MAX_FORMATS = 4096, MAX_SHEETS = 4096, MAX_CELL_BYTES = 1 << 20 };

enum format { FORMAT_PLAIN, FORMAT_DATE, FORMAT_TIME, FORMAT_BOTH };

/* ---- number formats ---- */

/* The formats that have no code in the file, with what they mean in Chinese Excel. */
static enum format built_in(uint32_t id)
{
	static const struct {
		uint32_t from, to;
		enum format format;
	} rows[] = { { 14, 17, FORMAT_DATE }, { 18, 21, FORMAT_TIME }, { 22, 22, FORMAT_BOTH },
		{ 27, 31, FORMAT_DATE }, { 32, 35, FORMAT_TIME }, { 36, 36, FORMAT_DATE },
		{ 45, 47, FORMAT_TIME }, { 50, 54, FORMAT_DATE }, { 55, 56, FORMAT_TIME },
		{ 57, 58, FORMAT_DATE } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (id >= rows[i].from && id <= rows[i].to)
			return rows[i].format;
	return FORMAT_PLAIN;
}

/* What a code like yyyy"年"m"月"d"日" or [h]:mm shows: letters outside quotes, brackets (but for
 * [h] [m] [s]) and escapes, in the section for positive numbers. A month alone is a date; beside
 * hours m means minutes. */
static enum format format_of_code(struct str code)
{
	bool has_day = false, has_hour = false, has_m = false;

	if (str_starts(code, "General"))
		return FORMAT_PLAIN;
	for (size_t i = 0; i < code.n && code.p[i] != ';'; i++) {
		char c = code.p[i];

		if (c == '"') {
			while (i + 1 < code.n && code.p[i + 1] != '"')
				i++;
			i++;
		} else if (c == '[' && i + 1 < code.n && !strchr("hms", code.p[i + 1])) {
			while (i + 1 < code.n && code.p[i] != ']')
				i++;
		} else if (c == '\\' || c == '_' || c == '*') {
			i++;
		} else if (c == 'y' || c == 'Y' || c == 'd' || c == 'D') {
			has_day = true;
		} else if (c == 'h' || c == 'H' || c == 's' || c == 'S') {
			has_hour = true;
		} else if (c == 'm' || c == 'M') {
			has_m = true;
		}
	}
	if (has_day && has_hour)
		return FORMAT_BOTH;
	if (has_day || (has_m && !has_hour))
		return FORMAT_DATE;
	return has_hour ? FORMAT_TIME : FORMAT_PLAIN;
}

struct styles {
	struct {
		uint32_t id;
		enum format format;
	} formats[MAX_FORMATS];
	size_t format_count;
	uint8_t by_style[MAX_STYLES];
	size_t style_count;
	bool in_cell_styles;
};

static enum format find_format(const struct styles *s, uint32_t id)
{
	for (size_t i = 0; i < s->format_count; i++)
		if (s->formats[i].id == id)
			return s->formats[i].format;
	return built_in(id);
}

static void on_style_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct styles *s = context;

	if (strcmp(name, "numFmt") == 0 && s->format_count < MAX_FORMATS) {
		s->formats[s->format_count].id = xml_attribute_number(a, "numFmtId", 0);
		s->formats[s->format_count++].format =
			format_of_code(xml_attribute(a, "formatCode"));
	} else if (strcmp(name, "cellXfs") == 0) {
		s->in_cell_styles = true;
	} else if (strcmp(name, "xf") == 0 && s->in_cell_styles && s->style_count < MAX_STYLES) {
		uint32_t id = xml_attribute_number(a, "numFmtId", 0);

		s->by_style[s->style_count++] = (uint8_t)find_format(s, id);
	}
}

static void on_style_end(void *context, const char *name)
{
	struct styles *s = context;

	if (strcmp(name, "cellXfs") == 0)
		s->in_cell_styles = false;
}

/* ---- shared strings ---- */

struct strings {
	struct buf bytes, ends; /* ends: one uint64_t to a string, where it ends in bytes */
	struct xml_skip skip;
	int in_text;
};

static const char *const phonetic[] = { "rPh", NULL };

static void on_string_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct strings *s = context;

	(void)a;
	if (!xml_skip_start(&s->skip, name, phonetic) && strcmp(name, "t") == 0)
		s->in_text++;
}

static void on_string_end(void *context, const char *name)
{
	struct strings *s = context;
	uint64_t end = s->bytes.n;

	if (xml_skip_end(&s->skip))
		return;
	if (strcmp(name, "t") == 0)
		s->in_text--;
	else if (strcmp(name, "si") == 0)
		buf_add(&s->ends, &end, sizeof(end));
}

static void on_string_text(void *context, struct str text)
{
	struct strings *s = context;

	if (s->in_text > 0 && s->skip.depth == 0)
		buf_add_str(&s->bytes, text);
}

static struct str shared_string(const struct strings *s, uint64_t i)
{
	uint64_t from = 0, to;

	if (i >= s->ends.n / sizeof(to))
		return (struct str){ NULL, 0 };
	memcpy(&to, s->ends.p + i * sizeof(to), sizeof(to));
	if (i > 0)
		memcpy(&from, s->ends.p + (i - 1) * sizeof(from), sizeof(from));
	return (struct str){ s->bytes.p + from, to - from };
}

/* ---- sheets ---- */

struct sheet {
	char *id;
	char *name;
};

struct book {
	struct job *job;
	struct zip *zip;
	struct styles *styles;
	struct strings strings;
	struct sheet *sheets;
	size_t sheet_count;
	bool from_1904;

	/* the cell being read */
	struct buf value;
	struct xml_skip skip;
	enum { TYPE_NUMBER, TYPE_SHARED, TYPE_TEXT, TYPE_BOOLEAN, TYPE_ERROR, TYPE_ISO } type;
	enum format format;
	int in_value;
};

static void on_book_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct book *b = context;

	if (strcmp(name, "workbookPr") == 0) {
		struct str since = xml_attribute(a, "date1904");

		b->from_1904 = str_is(since, "1") || str_is(since, "true");
	} else if (strcmp(name, "sheet") == 0 && b->sheet_count < MAX_SHEETS) {
		struct str id = xml_relation_id(a), title = xml_attribute(a, "name");

		b->sheets[b->sheet_count++] = (struct sheet){ str_dup(id), str_dup(title) };
	}
}

static void start_cell(struct book *b, const struct xml_attributes *a)
{
	static const char *const types[] = { "n", "s", "str", "b", "e", "d", "inlineStr" };
	struct str type = xml_attribute(a, "t");
	uint32_t style = xml_attribute_number(a, "s", 0);

	b->type = TYPE_NUMBER;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_is(type, types[i]))
			b->type = i == 6 ? TYPE_TEXT : (int)i;
	b->format = style < b->styles->style_count ? b->styles->by_style[style] : FORMAT_PLAIN;
	buf_reset(&b->value);
}

static void on_cell_start(void *context, const char *name, const struct xml_attributes *a)
{
	static const char *const skipped[] = { "f", "rPh", "headerFooter", "extLst", NULL };
	struct book *b = context;

	if (xml_skip_start(&b->skip, name, skipped))
		return;
	if (strcmp(name, "c") == 0)
		start_cell(b, a);
	else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
		b->in_value++;
}

static void on_cell_text(void *context, struct str text)
{
	struct book *b = context;

	if (b->in_value > 0 && b->skip.depth == 0)
		buf_add_str(&b->value, text);
}

/* Days since 1900 (with the leap day that never was) or 1904, and the part of a day. */
static bool add_serial(struct book *b, double serial)
{
	struct buf out = BUF_INIT_MAX(64);
	double days = floor(serial);
	int64_t seconds = (int64_t)llround((serial - days) * 86400.0);
	char date[11];

	if (!(serial >= 0 && serial < 2958466))
		return false;
	if (seconds == 86400) {
		days += 1;
		seconds = 0;
	}
	if (b->format != FORMAT_TIME && (days >= 1 || b->from_1904)) {
		int64_t day = (int64_t)days - (b->from_1904 ? 24107 : days < 60 ? 25568 : 25569);

		buf_adds(&out, date_format(day, date));
	}
	if (b->format != FORMAT_DATE && (seconds > 0 || out.n == 0)) {
		buf_addf(&out, "%s%02d:%02d", out.n ? " " : "", (int)(seconds / 3600),
			(int)(seconds / 60 % 60));
		if (seconds % 60)
			buf_addf(&out, ":%02d", (int)(seconds % 60));
	}
	job_text(b->job, buf_str(&out));
	buf_done(&out);
	return true;
}

static void add_number(struct book *b)
{
	char *end = NULL;
	double n = strtod(b->value.p, &end);
	char text[32];

	if (b->value.n == 0 || !end || *end || !isfinite(n)) {
		job_text(b->job, buf_str(&b->value));
		return;
	}
	if (b->format != FORMAT_PLAIN && add_serial(b, n))
		return;
	/* Fifteen digits are what Excel has; the file may say 0.10000000000000001. */
	(void)snprintf(text, sizeof(text), fabs(n) < 1e15 && floor(n) == n ? "%.0f" : "%.15g", n);
	job_text(b->job, str_of(text));
}

static void end_cell(struct book *b)
{
	uint64_t i;

	if (b->value.n > 0) {
		switch (b->type) {
		case TYPE_SHARED:
			if (str_to_u64(buf_str(&b->value), UINT64_MAX, &i, NULL) == 0)
				job_text(b->job, shared_string(&b->strings, i));
			break;
		case TYPE_NUMBER:
			add_number(b);
			break;
		case TYPE_BOOLEAN:
			job_text(b->job,
				str_is(buf_str(&b->value), "1") ? STR("TRUE") : STR("FALSE"));
			break;
		case TYPE_ERROR:
			break;
		case TYPE_ISO:
			buf_cut(&b->value, 10);
			job_text(b->job, buf_str(&b->value));
			break;
		case TYPE_TEXT:
			job_text(b->job, buf_str(&b->value));
			break;
		}
	}
	job_break(b->job, '\t');
	buf_reset(&b->value);
}

static void on_cell_end(void *context, const char *name)
{
	struct book *b = context;

	if (xml_skip_end(&b->skip))
		return;
	if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
		b->in_value--;
	else if (strcmp(name, "c") == 0)
		end_cell(b);
	else if (strcmp(name, "row") == 0)
		job_break(b->job, '\n');
}

/* Comments and text in drawings: every t, a line to each paragraph or comment. */
static void on_extra_end(void *context, const char *name)
{
	struct book *b = context;

	if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
		b->in_value--;
		job_text(b->job, buf_str(&b->value));
		buf_reset(&b->value);
	} else if (strcmp(name, "p") == 0 || strcmp(name, "comment") == 0) {
		job_break(b->job, '\n');
	}
	(void)xml_skip_end(&b->skip);
}

static enum extract_reason read_extras(struct book *b, const char *part)
{
	static const char *const types[] = { "comments", "drawing" };
	static const struct xml_handler handler = { on_cell_start, on_extra_end, on_cell_text };
	_cleanup_(opc_done) struct opc_relations relations = { 0 };
	enum extract_reason why = opc_relations(b->job, b->zip, part, &relations);

	for (size_t i = 0; i < ARRAY_LEN(types) && why == EXTRACT_OK; i++) {
		const char *target = opc_first(&relations, types[i]);

		job_break(b->job, '\n');
		if (target)
			why = xml_read(b->job, b->zip, target, &handler, b);
	}
	return why;
}

static enum extract_reason read_sheet(struct book *b, size_t i, const char *part)
{
	static const struct xml_handler handler = { on_cell_start, on_cell_end, on_cell_text };
	enum extract_reason why;

	job_page(b->job, (uint32_t)i + 1, str_of(b->sheets[i].name));
	b->skip.depth = 0;
	b->in_value = 0;
	why = xml_read(b->job, b->zip, part, &handler, b);
	if (why != EXTRACT_OK)
		return why;
	why = read_extras(b, part);
	if (why == EXTRACT_BOMB)
		return why;
	if (why != EXTRACT_OK)
		job_cut(b->job);
	return EXTRACT_OK;
}

static enum extract_reason read_tables(struct book *b, const struct opc_relations *relations)
{
	static const struct xml_handler styles = { on_style_start, on_style_end, NULL };
	static const struct xml_handler strings = { on_string_start, on_string_end,
		on_string_text };
	const char *part = opc_first(relations, "styles");
	enum extract_reason why =
		part ? xml_read(b->job, b->zip, part, &styles, b->styles) : EXTRACT_OK;

	if (why != EXTRACT_OK)
		return why;
	part = opc_first(relations, "sharedStrings");
	if (part)
		why = xml_read(b->job, b->zip, part, &strings, &b->strings);
	if (b->strings.bytes.failed || b->strings.ends.failed)
		return EXTRACT_BOMB;
	return why;
}

static enum extract_reason read_book(struct book *b)
{
	static const struct xml_handler handler = { .start = on_book_start };
	_cleanup_(freep) char *main = opc_main(b->job, b->zip);
	_cleanup_(opc_done) struct opc_relations relations = { 0 };
	enum extract_reason why;

	if (!main)
		return EXTRACT_DAMAGED;
	read_properties(b->job, b->zip, "docProps/core.xml");
	why = opc_relations(b->job, b->zip, main, &relations);
	if (why == EXTRACT_OK)
		why = xml_read(b->job, b->zip, main, &handler, b);
	if (why == EXTRACT_OK)
		why = read_tables(b, &relations);
	for (size_t i = 0; i < b->sheet_count && why == EXTRACT_OK; i++) {
		const char *part = opc_target(&relations, str_of(b->sheets[i].id));

		if (part)
			why = read_sheet(b, i, part);
	}
	return why;
}

enum extract_reason read_sheets(struct job *j)
{
	_cleanup_(zip_closep) struct zip *z = NULL;
	struct book b = { .job = j, .value = BUF_INIT_MAX(MAX_CELL_BYTES) };
	enum extract_reason why = zip_open(j, &z);

	if (why != EXTRACT_OK)
		return why;
	b.zip = z;
	b.styles = xcalloc(1, sizeof(*b.styles));
	b.sheets = xcalloc(MAX_SHEETS, sizeof(*b.sheets));
	buf_init(&b.strings.bytes, j->limits.max_unpacked_bytes);
	buf_init(&b.strings.ends, j->limits.max_unpacked_bytes);
	why = read_book(&b);
	for (size_t i = 0; i < b.sheet_count; i++) {
		free(b.sheets[i].id);
		free(b.sheets[i].name);
	}
	buf_done(&b.strings.bytes);
	buf_done(&b.strings.ends);
	buf_done(&b.value);
	free(b.sheets);
	free(b.styles);
	return why;
}
