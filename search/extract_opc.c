/* extract_opc.c - see extract_opc.h. */
#include "search/extract_opc.h"

#include <stdlib.h>
#include <strings.h>

enum { MAX_RELATIONS = 10000, MAX_NAME_BYTES = 512 };

void opc_done(struct opc_relations *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->rows[i].id);
		free(r->rows[i].type);
		free(r->rows[i].target);
	}
	free(r->rows);
	*r = (struct opc_relations){ 0 };
}

/* One folder up; false at the top. */
static bool go_up(struct buf *path)
{
	size_t n = path->n;

	if (n == 0)
		return false;
	if (path->p[n - 1] == '/')
		n--;
	while (n > 0 && path->p[n - 1] != '/')
		n--;
	buf_cut(path, n);
	return true;
}

/* "ppt/slides/slide1.xml" and "../media/a.png" make "ppt/media/a.png". */
char *opc_resolve(const char *part, struct str target)
{
	struct buf path = BUF_INIT_MAX(2 * MAX_NAME_BYTES);
	const char *slash = strrchr(part, '/');
	bool stays = true;

	if (!str_starts(target, "/") && slash)
		buf_add(&path, part, (size_t)(slash + 1 - part));
	for (struct str rest = target; rest.p && stays;) {
		struct str step = str_cut(&rest, '/');

		if (step.n == 0 || str_is(step, "."))
			continue;
		if (str_is(step, "..")) {
			stays = go_up(&path);
			continue;
		}
		if (path.n > 0 && path.p[path.n - 1] != '/')
			buf_addc(&path, '/');
		buf_add_str(&path, step);
	}
	if (stays && path.n > 0 && !path.failed)
		return buf_detach(&path);
	buf_done(&path);
	return NULL;
}

struct collecting {
	const char *part;
	struct opc_relations *to;
};

static void on_relation(void *context, const char *name, const struct xml_attributes *a)
{
	struct collecting *c = context;
	struct str id = xml_attribute(a, "Id"), type = xml_attribute(a, "Type");
	struct str target = xml_attribute(a, "Target");
	char *member;

	if (strcmp(name, "Relationship") != 0 || !id.p || !type.p || !target.p ||
		str_is(xml_attribute(a, "TargetMode"), "External") ||
		c->to->count >= MAX_RELATIONS || target.n > MAX_NAME_BYTES)
		return;
	if (c->to->count == c->to->room) {
		size_t room = c->to->room ? c->to->room * 2 : 32;
		struct opc_relation *rows = reallocarray(c->to->rows, room, sizeof(*rows));

		if (!rows)
			return;
		c->to->rows = rows;
		c->to->room = room;
	}
	member = opc_resolve(c->part, target);
	if (!member)
		return;
	for (size_t i = type.n; i > 0; i--)
		if (type.p[i - 1] == '/') {
			type = (struct str){ type.p + i, type.n - i };
			break;
		}
	c->to->rows[c->to->count++] = (struct opc_relation){ str_dup(id), str_dup(type), member };
}

enum extract_reason opc_relations(
	struct job *j, struct zip *z, const char *part, struct opc_relations *ret)
{
	static const struct xml_handler handler = { .start = on_relation };
	struct collecting c = { part, ret };
	struct buf name = BUF_INIT_MAX(2 * MAX_NAME_BYTES);
	const char *base = strrchr(part, '/');
	enum extract_reason why;

	*ret = (struct opc_relations){ 0 };
	base = base ? base + 1 : part;
	buf_add(&name, part, (size_t)(base - part));
	buf_addf(&name, "_rels/%s.rels", base);
	why = name.failed ? EXTRACT_DAMAGED : xml_read(j, z, name.p, &handler, &c);
	buf_done(&name);
	return why == EXTRACT_TYPE ? EXTRACT_OK : why;
}

const char *opc_target(const struct opc_relations *r, struct str id)
{
	for (size_t i = 0; i < r->count; i++)
		if (str_is(id, r->rows[i].id))
			return r->rows[i].target;
	return NULL;
}

const char *opc_first(const struct opc_relations *r, const char *type)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->rows[i].type, type) == 0)
			return r->rows[i].target;
	return NULL;
}

char *opc_main(struct job *j, struct zip *z)
{
	static const char *const usual[] = { "word/document.xml", "xl/workbook.xml",
		"ppt/presentation.xml" };
	_cleanup_(opc_done) struct opc_relations r = { 0 };
	const char *target = NULL;

	if (opc_relations(j, z, "", &r) == EXTRACT_OK)
		target = opc_first(&r, "officeDocument");
	for (size_t i = 0; i < ARRAY_LEN(usual) && (!target || !zip_has(z, target)); i++)
		target = usual[i];
	return target && zip_has(z, target) ? xstrdup(target) : NULL;
}

/* ---- properties ---- */

struct properties {
	struct job *job;
	struct buf text;
};

static const struct {
	const char *name;
	enum wire_kind kind;
} property_names[] = {
	{ "title", WIRE_TITLE },
	{ "initial-creator", WIRE_AUTHOR },
	{ "creator", WIRE_AUTHOR },
	{ "created", WIRE_DATE },
	{ "creation-date", WIRE_DATE },
};

static void on_property_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct properties *p = context;

	(void)name, (void)a;
	buf_reset(&p->text);
}

static void on_property_text(void *context, struct str text)
{
	struct properties *p = context;

	buf_add_str(&p->text, text);
}

static void on_property_end(void *context, const char *name)
{
	struct properties *p = context;

	for (size_t i = 0; i < ARRAY_LEN(property_names); i++) {
		if (strcmp(name, property_names[i].name) != 0)
			continue;
		if (property_names[i].kind == WIRE_DATE)
			job_set_date(p->job, buf_str(&p->text));
		else
			job_set_line(p->job, property_names[i].kind, buf_str(&p->text));
	}
	buf_reset(&p->text);
}

void read_properties(struct job *j, struct zip *z, const char *member)
{
	static const struct xml_handler handler = { on_property_start, on_property_end,
		on_property_text };
	struct properties p = { .job = j, .text = BUF_INIT_MAX(1 << 16) };

	(void)xml_read(j, z, member, &handler, &p);
	buf_done(&p.text);
}
