/* extract_words.h - encoded words in the headers of a mail (RFC 2047), made readable for gmime. */
#ifndef MUN_SEARCH_EXTRACT_WORDS_H
#define MUN_SEARCH_EXTRACT_WORDS_H

#include "core/base/buf.h"

/* Append the mail, with neighbouring base64 words of one charset as one word where one of them but the last ends in
 * padding. That is how every proper mailer writes long Chinese subjects, names and file names, and gmime 3.2 loses all
 * that follows such a word. */
void mail_add_joined(struct str mail, struct buf *ret);

#endif
