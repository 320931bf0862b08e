/* extract_html.h - the text of HTML, for web pages and mails. */
#ifndef MUN_SEARCH_EXTRACT_HTML_H
#define MUN_SEARCH_EXTRACT_HTML_H

#include "search/extract_job.h"

/* Add the text of a page (UTF-8, whatever it says of itself) to the job; its title becomes the
 * document's when the page is the document. */
enum extract_reason html_text(struct job *j, struct str utf8, bool is_document);

/* The charset that a page names in its first bytes, heap; NULL for none. */
char *html_charset(struct str bytes);

#endif
