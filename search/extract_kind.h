/* extract_kind.h - the kinds of files that we know by name: one table for both sides of the jail.
 */
#ifndef MUN_SEARCH_EXTRACT_KIND_H
#define MUN_SEARCH_EXTRACT_KIND_H

#include "core/base/str.h"

enum extract_kind {
	/* with a reader */
	KIND_TEXT,
	KIND_MARKDOWN,
	KIND_CSV,
	KIND_HTML,
	KIND_MAIL,
	KIND_PDF,
	KIND_WORD,
	KIND_SHEETS,
	KIND_SLIDES,
	KIND_ODT,
	KIND_ODS,
	KIND_ODP,
	KIND_OFD,
	KIND_DOC,
	KIND_XLS,
	KIND_PPT,
	/* without */
	KIND_ZIP,
	KIND_OLE,
	KIND_XLSB,
	KIND_EPUB,
	KIND_RTF,
	KIND_JPEG,
	KIND_PNG,
	KIND_TIFF,
	KIND_GIF,
	KIND_BMP,
	KIND_XML,
	KIND_JSON,
	KIND_OTHER,
	KIND_COUNT
};

const char *kind_media_type(enum extract_kind kind);
/* By the extension of a file name, whatever its case; KIND_OTHER for none that we know. */
enum extract_kind kind_of_name(const char *name);
/* KIND_OTHER for a media type that is not in the table. */
enum extract_kind kind_of_media_type(struct str media_type);

#endif
