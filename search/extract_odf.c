/* extract_odf.c - .odt, .ods, .odp: text of paragraphs and headings in content.xml, then headers
 * and footers.
 *
 * A cell with a date is written as the date it holds (2026-11-02), not as it is shown; deletions
 * that are still tracked stand apart in the file and are passed over. */
#include "search/extract_opc.h"

#include <strings.h>

enum kind { ODF_TEXT, ODF_SHEETS, ODF_SLIDES };

struct odf {
	struct job *job;
	enum kind kind;
	bool only_headings; /* styles.xml: what stands in headers and footers */
	struct xml_skip skip;
	int in_paragraph, in_heading, in_table;
	uint32_t page;
	bool in_date; /* a cell whose value was written already */
	bool is_encrypted;
};

static const char *const skipped[] = { "tracked-changes", "ruby-text", "binary-data", "scripts",
	"settings", "font-face-decls", "automatic-styles", NULL };

static bool is_paragraph(const char *name)
{
	return strcmp(name, "p") == 0 || strcmp(name, "h") == 0;
}

static bool is_heading_area(const char *name)
{
	static const char *const names[] = { "header", "footer", "header-left", "footer-left",
		"header-first", "footer-first" };

	return xml_find(name, names, ARRAY_LEN(names)) >= 0;
}

static void start_cell(struct odf *o, const struct xml_attributes *a)
{
	struct str date = xml_attribute(a, "date-value");

	o->in_date = o->kind == ODF_SHEETS && str_is(xml_attribute(a, "value-type"), "date") &&
		     date.n >= 10;
	if (!o->in_date)
		return;
	job_text(o->job, (struct str){ date.p, 10 });
	if (date.n >= 16 && memcmp(date.p + 10, "T00:00", 6) != 0) {
		job_text(o->job, STR(" "));
		job_text(o->job, (struct str){ date.p + 11, 5 });
	}
}

static void on_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct odf *o = context;

	if (xml_skip_start(&o->skip, name, skipped))
		return;
	if (is_heading_area(name))
		o->in_heading++;
	if (o->only_headings && o->in_heading == 0)
		return;
	if (is_paragraph(name)) {
		o->in_paragraph++;
		job_soft_break(o->job, '\n');
	} else if (strcmp(name, "s") == 0 || strcmp(name, "tab") == 0) {
		job_text(o->job, STR(" "));
	} else if (strcmp(name, "line-break") == 0) {
		job_break(o->job, '\n');
	} else if (strcmp(name, "table-cell") == 0) {
		start_cell(o, a);
	} else if (strcmp(name, "table") == 0 && o->kind == ODF_SHEETS) {
		if (o->in_table++ == 0)
			job_page(o->job, ++o->page, xml_attribute(a, "name"));
	} else if (strcmp(name, "page") == 0 && o->kind == ODF_SLIDES) {
		job_page(o->job, ++o->page, xml_attribute(a, "name"));
	}
}

static void on_end(void *context, const char *name)
{
	struct odf *o = context;

	if (xml_skip_end(&o->skip))
		return;
	if (is_heading_area(name) && o->in_heading > 0)
		o->in_heading--;
	if (is_paragraph(name) && o->in_paragraph > 0) {
		o->in_paragraph--;
		job_break(o->job, '\n');
	} else if (strcmp(name, "table-cell") == 0) {
		o->in_date = false;
		job_break(o->job, '\t');
	} else if (strcmp(name, "table-row") == 0) {
		job_break(o->job, '\n');
	} else if (strcmp(name, "table") == 0 && o->kind == ODF_SHEETS && o->in_table > 0) {
		o->in_table--;
	}
}

static void on_text(void *context, struct str text)
{
	struct odf *o = context;

	if (o->in_paragraph > 0 && o->skip.depth == 0 && !o->in_date)
		job_text(o->job, text);
}

static void on_manifest(void *context, const char *name, const struct xml_attributes *a)
{
	struct odf *o = context;

	(void)a;
	if (strcmp(name, "encryption-data") == 0)
		o->is_encrypted = true;
}

static enum extract_reason read_odf(struct job *j, enum kind kind)
{
	static const struct xml_handler text = { on_start, on_end, on_text };
	static const struct xml_handler manifest = { .start = on_manifest };
	_cleanup_(zip_closep) struct zip *z = NULL;
	struct odf o = { .job = j, .kind = kind };
	enum extract_reason why = zip_open(j, &z);

	if (why != EXTRACT_OK)
		return why;
	(void)xml_read(j, z, "META-INF/manifest.xml", &manifest, &o);
	if (o.is_encrypted)
		return EXTRACT_ENCRYPTED;
	read_properties(j, z, "meta.xml");
	j->space = SPACE_COLLAPSE;
	why = xml_read(j, z, "content.xml", &text, &o);
	if (why == EXTRACT_TYPE)
		return EXTRACT_DAMAGED;
	if (why != EXTRACT_OK || kind != ODF_TEXT || !zip_has(z, "styles.xml"))
		return why;
	o = (struct odf){ .job = j, .kind = kind, .only_headings = true };
	job_break(j, '\n');
	why = xml_read(j, z, "styles.xml", &text, &o);
	if (why == EXTRACT_BOMB)
		return why;
	if (why != EXTRACT_OK)
		job_cut(j);
	return EXTRACT_OK;
}

enum extract_reason read_odf_text(struct job *j)
{
	return read_odf(j, ODF_TEXT);
}

enum extract_reason read_odf_sheets(struct job *j)
{
	return read_odf(j, ODF_SHEETS);
}

enum extract_reason read_odf_slides(struct job *j)
{
	return read_odf(j, ODF_SLIDES);
}
