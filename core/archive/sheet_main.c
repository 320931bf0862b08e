/* sheet_main.c - muniment-sheet: the printed page of a record, as PDF. Started by sheet.c and nobody else.
 *
 * Descriptor 0 holds JSON: {"address"?, "labels" {..}, "by", "at", "record" {the reply of `show`}}; 1 takes the PDF.
 * What strangers wrote into a record goes through fonts and shaping here, so this is a program of its own and locked in
 * (jail.h) before it reads its input.
 *
 * The page is laid out twice: once to count the pages, once to draw them. */
#include "core/base/clock.h"
#include "core/base/json.h"
#include "search/jail.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	INPUT_MAX = 16 << 20,
	PAGES_MAX = 500,
	MEMORY_BYTES = 1 << 30,
	CPU_SECONDS = 30,
};

/* A4 in points. */
static const double page_width = 595.28, page_height = 841.89, margin = 56.7, qr_size = 79.4;

struct sheet {
	cairo_t *cairo;
	const struct json *doc, *labels, *record;
	double y;
	unsigned page, total;
	bool failed;
};

static struct str text_of(const struct json *map, const char *name)
{
	const struct json *v = map ? json_map_get(map, name) : NULL;

	return v && json_kind_of(v) == JSON_KIND_TEXT ? json_text(v) : STR("");
}

static int64_t int_of(const struct json *map, const char *name)
{
	const struct json *v = map ? json_map_get(map, name) : NULL;

	return v && json_kind_of(v) == JSON_KIND_INT ? json_int(v) : 0;
}

static struct str label(const struct sheet *s, const char *name)
{
	return text_of(s->labels, name);
}

/* As people here write it; kept until the next call. */
static struct str instant_of(const struct json *map, const char *name)
{
	static char text[17];
	int64_t at;

	if (instant_parse(text_of(map, name), &at, NULL) < 0)
		return text_of(map, name);
	return str_of(instant_format_local(at, text));
}

/* A word of the reply as people read it, where there is a label for it. */
static struct str label_or(const struct sheet *s, struct str word)
{
	char name[32];

	if (word.n >= sizeof(name))
		return word;
	memcpy(name, word.p, word.n);
	name[word.n] = '\0';
	return label(s, name).n ? label(s, name) : word;
}

/* ---- text ---- */

struct style {
	double size;
	bool bold, mono, grey;
};

static const struct style style_title = { 18, true, false, false },
			  style_head = { 11, true, false, false },
			  style_text = { 9.5, false, false, false },
			  style_name = { 9.5, false, false, true },
			  style_mono = { 7.5, false, true, false },
			  style_foot = { 8, false, false, true };

static PangoLayout *layout_of(
	struct sheet *s, struct str text, double width, const struct style *style)
{
	PangoLayout *layout = pango_cairo_create_layout(s->cairo);
	PangoFontDescription *font = pango_font_description_from_string(
		style->mono ? "Noto Sans Mono CJK SC,Noto Sans CJK SC,monospace"
			    : "Noto Sans CJK SC,Noto Serif CJK SC,sans-serif");

	pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
	if (style->bold)
		pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
	pango_layout_set_font_description(layout, font);
	pango_font_description_free(font);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(layout, text.p ? text.p : "", (int)text.n);
	return layout;
}

static double height_of(PangoLayout *layout)
{
	int height;

	pango_layout_get_size(layout, NULL, &height);
	return (double)height / PANGO_SCALE;
}

static double show(
	struct sheet *s, double x, double y, PangoLayout *layout, const struct style *style)
{
	double grey = style->grey ? 0.35 : 0;

	cairo_set_source_rgb(s->cairo, grey, grey, grey);
	cairo_move_to(s->cairo, x, y);
	pango_cairo_show_layout(s->cairo, layout);
	return height_of(layout);
}

/* ---- pages ---- */

static void put_foot(struct sheet *s)
{
	char text[64];
	PangoLayout *left, *right;
	double width = page_width - 2 * margin, y = page_height - margin + 12;

	(void)snprintf(text, sizeof(text), "%u / %u", s->page, s->total);
	left = layout_of(s, text_of(s->doc, "foot"), width - 60, &style_foot);
	right = layout_of(s, str_of(text), 60, &style_foot);
	pango_layout_set_alignment(right, PANGO_ALIGN_RIGHT);
	(void)show(s, margin, y, left, &style_foot);
	(void)show(s, page_width - margin - 60, y, right, &style_foot);
	g_object_unref(left);
	g_object_unref(right);
}

static void new_page(struct sheet *s)
{
	if (s->page > 0) {
		put_foot(s);
		cairo_show_page(s->cairo);
	}
	s->page++;
	s->y = margin;
	s->failed |= s->page > PAGES_MAX;
}

static void need(struct sheet *s, double height)
{
	if (s->y + height > page_height - margin && s->y > margin)
		new_page(s);
}

/* A paragraph over the whole width; one that is longer than a page is broken line by line. */
static void put_block(
	struct sheet *s, struct str text, const struct style *style, double x, double width)
{
	PangoLayout *layout = layout_of(s, text, width, style);
	PangoLayoutIter *i = pango_layout_get_iter(layout);

	do {
		PangoLayoutLine *line = pango_layout_iter_get_line_readonly(i);
		PangoRectangle box;
		double height, base;

		pango_layout_iter_get_line_extents(i, NULL, &box);
		height = (double)box.height / PANGO_SCALE;
		base = (double)(pango_layout_iter_get_baseline(i) - box.y) / PANGO_SCALE;
		need(s, height);
		if (s->failed)
			break;
		cairo_set_source_rgb(s->cairo, style->grey ? 0.35 : 0, style->grey ? 0.35 : 0,
			style->grey ? 0.35 : 0);
		cairo_move_to(s->cairo, x, s->y + base);
		pango_cairo_show_layout_line(s->cairo, line);
		s->y += height;
	} while (pango_layout_iter_next_line(i));
	pango_layout_iter_free(i);
	g_object_unref(layout);
}

static void put_head(struct sheet *s, struct str text)
{
	s->y += 10;
	need(s, 40);
	put_block(s, text, &style_head, margin, page_width - 2 * margin);
	cairo_set_source_rgb(s->cairo, 0.7, 0.7, 0.7);
	cairo_set_line_width(s->cairo, 0.5);
	cairo_move_to(s->cairo, margin, s->y + 2);
	cairo_line_to(s->cairo, page_width - margin, s->y + 2);
	cairo_stroke(s->cairo);
	s->y += 6;
}

/* "name  value", the value as long as it is. */
static void put_pair(struct sheet *s, struct str name, struct str value, const struct style *style)
{
	double left = 96;
	PangoLayout *layout;

	if (value.n == 0)
		return;
	layout = layout_of(s, name, left - 8, &style_name);
	need(s, height_of(layout));
	(void)show(s, margin, s->y, layout, &style_name);
	g_object_unref(layout);
	put_block(s, value, style, margin + left, page_width - 2 * margin - left);
	s->y += 2;
}

/* ---- the record ---- */

static void put_qr(struct sheet *s, struct str address)
{
	char text[1024];
	QRcode *code;
	double cell;

	if (address.n == 0 || address.n >= sizeof(text))
		return;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (!code)
		return;
	cell = qr_size / code->width;
	cairo_set_source_rgb(s->cairo, 0, 0, 0);
	for (int y = 0; y < code->width; y++) {
		for (int x = 0; x < code->width; x++) {
			if (code->data[y * code->width + x] & 1)
				cairo_rectangle(s->cairo, page_width - margin - qr_size + x * cell,
					margin + y * cell, cell, cell);
		}
	}
	cairo_fill(s->cairo);
	QRcode_free(code);
}

static void put_facts(struct sheet *s)
{
	static const char *const facts[] = { "number", "series_title", "department", "date", "at",
		"name", "reason" };
	const struct json *r = s->record;
	double width = page_width - 2 * margin - qr_size - 12, top;
	char text[64];

	put_qr(s, text_of(s->doc, "address"));
	put_block(s, label(s, "sheet"), &style_name, margin, width);
	put_block(s, text_of(r, "title"), &style_title, margin, width);
	top = margin + qr_size + 8;
	if (s->page == 1 && s->y < top)
		s->y = top;
	put_head(s, label(s, "facts"));
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		put_pair(s, label(s, facts[i]),
			strcmp(facts[i], "at") == 0 ? instant_of(r, facts[i])
						    : text_of(r, facts[i]),
			&style_text);
	(void)snprintf(text, sizeof(text), "%lld / %lld", (long long)int_of(r, "version"),
		(long long)int_of(r, "versions"));
	put_pair(s, label(s, "version"), str_of(text), &style_text);
	put_pair(s, label(s, "address"), text_of(s->doc, "address"), &style_mono);
}

static const struct json *list_of(const struct sheet *s, const char *name, size_t *ret_count)
{
	const struct json *list = json_map_get(s->record, name);

	*ret_count = list && json_kind_of(list) == JSON_KIND_LIST ? json_list_count(list) : 0;
	return list;
}

static void put_fields(struct sheet *s)
{
	size_t count;
	const struct json *list = list_of(s, "fields", &count);

	if (count > 0)
		put_head(s, label(s, "fields"));
	for (size_t i = 0; i < count && !s->failed; i++) {
		const struct json *f = json_list_at(list, i);

		put_pair(s, text_of(f, "label").n ? text_of(f, "label") : text_of(f, "name"),
			text_of(f, "text"), &style_text);
	}
}

static void put_parts(struct sheet *s)
{
	size_t count;
	const struct json *list = list_of(s, "parts", &count);

	if (count > 0)
		put_head(s, label(s, "parts"));
	for (size_t i = 0; i < count && !s->failed; i++) {
		const struct json *p = json_list_at(list, i);
		char size[64];

		(void)snprintf(size, sizeof(size), "%lld", (long long)int_of(p, "size"));
		put_pair(s, label(s, "file"), text_of(p, "name"), &style_text);
		put_pair(s, label(s, "bytes"), str_of(size), &style_text);
		put_pair(s, STR("SHA-256"), text_of(p, "sha256"), &style_mono);
		s->y += 3;
	}
}

static void put_versions(struct sheet *s)
{
	size_t count;
	const struct json *list = list_of(s, "history", &count);

	if (count > 0)
		put_head(s, label(s, "versions"));
	for (size_t i = 0; i < count && !s->failed; i++) {
		const struct json *v = json_list_at(list, i);
		struct buf line = BUF_INIT_MAX(64 << 10);

		buf_addf(&line, "%lld   %.*s   %.*s   %.*s", (long long)int_of(v, "version"),
			STR_ARG(instant_of(v, "at")), STR_ARG(text_of(v, "name")),
			STR_ARG(text_of(v, "reason")));
		put_block(s, buf_str(&line), &style_text, margin, page_width - 2 * margin);
		put_pair(s, label(s, "signature"), label_or(s, text_of(v, "signature")),
			&style_text);
		put_pair(s, label(s, "commit"), text_of(v, "commit"), &style_mono);
		put_pair(s, label(s, "fingerprint"), text_of(v, "fingerprint"), &style_mono);
		s->y += 3;
		buf_done(&line);
	}
}

static void put_all(struct sheet *s)
{
	new_page(s);
	put_facts(s);
	put_fields(s);
	put_parts(s);
	put_versions(s);
	put_foot(s);
	cairo_show_page(s->cairo);
}

/* ---- the program ---- */

static cairo_status_t write_out(void *context, const unsigned char *p, unsigned n)
{
	bool is_real = context != NULL;

	while (is_real && n > 0) {
		ssize_t done = write(1, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return CAIRO_STATUS_WRITE_ERROR;
		p += done;
		n -= (unsigned)done;
	}
	return CAIRO_STATUS_SUCCESS;
}

static bool run(struct sheet *s, bool is_real)
{
	cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
		write_out, is_real ? s : NULL, page_width, page_height);
	bool good;

	s->cairo = cairo_create(surface);
	s->page = 0;
	put_all(s);
	cairo_destroy(s->cairo);
	cairo_surface_finish(surface);
	good = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS && !s->failed;
	cairo_surface_destroy(surface);
	return good;
}

static bool read_input(struct buf *ret)
{
	for (;;) {
		char room[65536];
		ssize_t n = read(0, room, sizeof(room));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 && !ret->failed;
		buf_add(ret, room, (size_t)n);
	}
}

int main(int argc, char **argv)
{
	static const struct json_limits json_limits = { INPUT_MAX, 32, 200000 };
	struct jail_limits limits = { .memory_bytes = MEMORY_BYTES, .cpu_seconds = CPU_SECONDS };
	struct buf input = BUF_INIT_MAX(INPUT_MAX);
	struct json *doc = NULL;
	struct sheet s = { .page = 0 };

	limits.allow_unjailed = argc > 1 && strcmp(argv[1], "unjailed") == 0;
	if (jail_enter(JAIL_PROGRAM, &limits, NULL) < 0)
		return 3;
	if (!read_input(&input) || json_parse(buf_str(&input), &json_limits, 0, &doc, NULL) < 0 ||
		json_kind_of(doc) != JSON_KIND_MAP)
		return EXIT_FAILURE;
	s.doc = doc;
	s.labels = json_map_get(doc, "labels");
	s.record = json_map_get(doc, "record");
	if (!s.labels || !s.record || json_kind_of(s.record) != JSON_KIND_MAP || !run(&s, false))
		return EXIT_FAILURE;
	s.total = s.page;
	return run(&s, true) ? EXIT_SUCCESS : EXIT_FAILURE;
}
