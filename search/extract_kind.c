/* extract_kind.c - see extract_kind.h. */
#include "search/extract_kind.h"

#include <strings.h>

static const struct {
	const char *media_type;
	const char *extensions; /* separated by spaces */
} kinds[KIND_COUNT] = {
	[KIND_TEXT] = { "text/plain", "txt text log" },
	[KIND_MARKDOWN] = { "text/markdown", "md markdown" },
	[KIND_CSV] = { "text/csv", "csv tsv" },
	[KIND_HTML] = { "text/html", "html htm xhtml" },
	[KIND_MAIL] = { "message/rfc822", "eml" },
	[KIND_PDF] = { "application/pdf", "pdf" },
	[KIND_WORD] = { "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"docx docm dotx dotm" },
	[KIND_SHEETS] = { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"xlsx xlsm xltx xltm" },
	[KIND_SLIDES] = { "application/"
			  "vnd.openxmlformats-officedocument.presentationml.presentation",
		"pptx pptm ppsx potx" },
	[KIND_ODT] = { "application/vnd.oasis.opendocument.text", "odt ott" },
	[KIND_ODS] = { "application/vnd.oasis.opendocument.spreadsheet", "ods ots" },
	[KIND_ODP] = { "application/vnd.oasis.opendocument.presentation", "odp otp" },
	[KIND_ZIP] = { "application/zip", "zip" },
	[KIND_OFD] = { "application/ofd", "ofd" },
	[KIND_OLE] = { "application/x-ole-storage", "msg" },
	[KIND_DOC] = { "application/msword", "doc dot wps" },
	[KIND_XLS] = { "application/vnd.ms-excel", "xls xlt et" },
	[KIND_PPT] = { "application/vnd.ms-powerpoint", "ppt pps dps" },
	[KIND_XLSB] = { "application/vnd.ms-excel.sheet.binary.macroenabled.12", "xlsb" },
	[KIND_EPUB] = { "application/epub+zip", "epub" },
	[KIND_RTF] = { "text/rtf", "rtf" },
	[KIND_JPEG] = { "image/jpeg", "jpg jpeg jfif" },
	[KIND_PNG] = { "image/png", "png" },
	[KIND_TIFF] = { "image/tiff", "tif tiff" },
	[KIND_GIF] = { "image/gif", "gif" },
	[KIND_BMP] = { "image/bmp", "bmp" },
	[KIND_XML] = { "text/xml", "xml" },
	[KIND_JSON] = { "application/json", "json" },
	[KIND_OTHER] = { "application/octet-stream", "" },
};

const char *kind_media_type(enum extract_kind kind)
{
	return kinds[kind].media_type;
}

enum extract_kind kind_of_name(const char *name)
{
	const char *dot = name ? strrchr(name, '.') : NULL;
	struct str extension = str_of(dot ? dot + 1 : "");

	for (size_t i = 0; i < KIND_COUNT && extension.n > 0; i++)
		for (struct str rest = str_of(kinds[i].extensions); rest.p;) {
			struct str one = str_cut(&rest, ' ');

			if (one.n == extension.n && strncasecmp(one.p, extension.p, one.n) == 0)
				return (enum extract_kind)i;
		}
	return KIND_OTHER;
}

enum extract_kind kind_of_media_type(struct str media_type)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (str_is(media_type, kinds[i].media_type))
			return (enum extract_kind)i;
	return KIND_OTHER;
}
