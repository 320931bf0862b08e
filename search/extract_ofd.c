/* extract_ofd.c - .ofd (GB/T 33190), the page format of Chinese official documents and invoices.
 *
 * OFD.xml names the document, the document its pages in order, a page its text objects: runs of characters at a place.
 * There are no lines and no words; a run that stands at another height than the one before begins a new line. */
#include "search/extract_opc.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_PAGES = 10000, MAX_TEXT_BYTES = 4096 };

/* Millimetres between two heights that are still one line. */
static const double same_line = 1.0;

struct ofd {
	struct job *job;
	char *root;   /* of the first document */
	char **pages; /* as named in the document */
	size_t page_count, page_room;
	struct buf text;
	int in_code;
	double height;
};

/* ---- OFD.xml ---- */

static void on_root_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct ofd *o = context;

	(void)name, (void)a;
	buf_reset(&o->text);
}

static void on_any_text(void *context, struct str text)
{
	struct ofd *o = context;

	buf_add_str(&o->text, text);
}

static void on_root_end(void *context, const char *name)
{
	struct ofd *o = context;
	struct str text = str_trim(buf_str(&o->text));

	if (strcmp(name, "DocRoot") == 0 && !o->root)
		o->root = opc_resolve("", text);
	else if (strcmp(name, "Title") == 0)
		job_set_line(o->job, WIRE_TITLE, text);
	else if (strcmp(name, "Author") == 0)
		job_set_line(o->job, WIRE_AUTHOR, text);
	else if (strcmp(name, "CreationDate") == 0)
		job_set_date(o->job, text);
	buf_reset(&o->text);
}

/* ---- the document: its pages ---- */

static void on_document_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct ofd *o = context;
	struct str place = xml_attribute(a, "BaseLoc");

	if (strcmp(name, "Page") != 0 || !place.p || o->page_count >= MAX_PAGES)
		return;
	if (o->page_count == o->page_room) {
		size_t room = o->page_room ? o->page_room * 2 : 16;
		char **pages = reallocarray(o->pages, room, sizeof(*pages));

		if (!pages)
			return;
		o->pages = pages;
		o->page_room = room;
	}
	o->pages[o->page_count++] = opc_resolve(o->root, place);
}

/* ---- a page ---- */

/* The second of the four numbers of Boundary="x y w h". */
static double height_of(struct str boundary)
{
	char text[64];
	struct str rest = boundary, y;

	(void)str_cut(&rest, ' ');
	y = str_cut(&rest, ' ');
	if (!y.p || y.n >= sizeof(text))
		return 0;
	memcpy(text, y.p, y.n);
	text[y.n] = '\0';
	return strtod(text, NULL);
}

static void on_page_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct ofd *o = context;

	if (strcmp(name, "TextObject") == 0) {
		double height = height_of(xml_attribute(a, "Boundary"));

		if (!(fabs(height - o->height) <= same_line))
			job_break(o->job, '\n');
		o->height = height;
	} else if (strcmp(name, "TextCode") == 0) {
		o->in_code++;
	}
}

static void on_page_end(void *context, const char *name)
{
	struct ofd *o = context;

	if (strcmp(name, "TextCode") == 0)
		o->in_code--;
}

static void on_page_text(void *context, struct str text)
{
	struct ofd *o = context;

	if (o->in_code > 0)
		job_text(o->job, text);
}

/* ---- the whole ---- */

static enum extract_reason read_parts(struct ofd *o, struct zip *z)
{
	static const struct xml_handler root = { on_root_start, on_root_end, on_any_text };
	static const struct xml_handler document = { .start = on_document_start };
	static const struct xml_handler page = { on_page_start, on_page_end, on_page_text };
	enum extract_reason why = xml_read(o->job, z, "OFD.xml", &root, o);

	if (why == EXTRACT_OK && !o->root)
		return EXTRACT_DAMAGED;
	if (why == EXTRACT_OK)
		why = xml_read(o->job, z, o->root, &document, o);
	for (size_t i = 0; i < o->page_count && why == EXTRACT_OK; i++) {
		job_page(o->job, (uint32_t)i + 1, STR(""));
		o->in_code = 0;
		if (o->pages[i])
			why = xml_read(o->job, z, o->pages[i], &page, o);
	}
	return why == EXTRACT_TYPE ? EXTRACT_DAMAGED : why;
}

/* Invoices and scans are often one picture to a page. */
static bool has_pictures(const struct zip *z)
{
	static const char *const endings[] = { ".jpg", ".jpeg", ".png", ".jb2", ".bmp", ".tif" };

	for (size_t i = 0; i < zip_count(z); i++)
		for (size_t k = 0; k < ARRAY_LEN(endings); k++)
			if (str_ends(str_of(zip_name(z, i)), endings[k]))
				return true;
	return false;
}

enum extract_reason read_ofd(struct job *j)
{
	_cleanup_(zip_closep) struct zip *z = NULL;
	struct ofd o = { .job = j, .text = BUF_INIT_MAX(MAX_TEXT_BYTES) };
	enum extract_reason why = zip_open(j, &z);

	if (why != EXTRACT_OK)
		return why;
	why = read_parts(&o, z);
	for (size_t i = 0; i < o.page_count; i++)
		free(o.pages[i]);
	free(o.pages);
	free(o.root);
	buf_done(&o.text);
	if (why == EXTRACT_OK && j->pages == 0 && j->page.n == 0 && !j->is_cut && has_pictures(z))
		return EXTRACT_PICTURE;
	return why;
}
