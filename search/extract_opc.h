/* extract_opc.h - Office Open XML as a package: parts and the relations between them; properties.
 */
#ifndef MUN_SEARCH_EXTRACT_OPC_H
#define MUN_SEARCH_EXTRACT_OPC_H

#include "search/extract_xml.h"

struct opc_relation {
	char *id, *type; /* type: what stands behind the last '/' of its URI */
	char *target;	 /* name of the member */
};

struct opc_relations {
	struct opc_relation *rows;
	size_t count, room;
};

void opc_done(struct opc_relations *r);

/* What a part points to inside the package ("" for the package itself), in the order of the file. A
 * part that points to nothing has no rows. */
enum extract_reason opc_relations(
	struct job *j, struct zip *z, const char *part, struct opc_relations *ret);
/* The target of an id, or NULL. */
const char *opc_target(const struct opc_relations *r, struct str id);
/* The first target of a type, or NULL. */
const char *opc_first(const struct opc_relations *r, const char *type);

/* The member that `target` means, seen from `part` ("" for the top), heap; NULL when it leaves the package. */
char *opc_resolve(const char *part, struct str target);

/* The part where the document begins ("word/document.xml"), heap; NULL when this is no such
 * package. */
char *opc_main(struct job *j, struct zip *z);

/* Title, author and date out of docProps/core.xml or ODF's meta.xml. What is broken there is passed
 * over. */
void read_properties(struct job *j, struct zip *z, const char *member);

#endif
