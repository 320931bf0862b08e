/* extract_xml.h - XML out of a container, as a stream of elements; libxml2 behind it.
 *
 * Strict: no document type (so no entities and nothing to expand), no network, no files, limited
 * depth. Names are given without their namespace: the formats that we read use no name twice with
 * meanings that matter here. */
#ifndef MUN_SEARCH_EXTRACT_XML_H
#define MUN_SEARCH_EXTRACT_XML_H

#include "search/extract_zip.h"

struct xml_attributes;

/* The value, as a view that lives as long as the call; {NULL, 0} when there is none of that (local)
 * name. */
struct str xml_attribute(const struct xml_attributes *a, const char *name);

/* The value of r:id in OOXML, where a plain id may stand beside it. */
struct str xml_relation_id(const struct xml_attributes *a);

/* A number in an attribute, or `otherwise`. */
uint32_t xml_attribute_number(const struct xml_attributes *a, const char *name, uint32_t otherwise);

struct xml_handler {
	void (*start)(void *context, const char *name, const struct xml_attributes *attributes);
	void (*end)(void *context, const char *name);
	void (*text)(void *context, struct str text);
};

enum { XML_MAX_DEPTH = 200 };

/* Parse a member. EXTRACT_BOMB for a document type or too much depth; EXTRACT_DAMAGED when it is
 * not well formed; otherwise as zip_read(). Stops early, with EXTRACT_OK, when the job takes no
 * more text. */
enum extract_reason xml_read(struct job *j, struct zip *z, const char *member,
	const struct xml_handler *handler, void *context);

/* Elements whose content is not text for us: counts how deep we are in one. */
struct xml_skip {
	int depth; /* 0 = outside */
};

/* To be asked first in start and end; true when the element is, or is inside, one of `names` (ends
 * in NULL). */
bool xml_skip_start(struct xml_skip *s, const char *name, const char *const *names);
bool xml_skip_end(struct xml_skip *s);

/* Where a name stands in a table, -1 for none. */
int xml_find(const char *name, const char *const *names, size_t count);

#endif
