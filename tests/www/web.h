/* web.h - the web layer of a whole archive in a temporary folder, asked without a socket or with one. */
#ifndef MUN_TESTS_WWW_WEB_H
#define MUN_TESTS_WWW_WEB_H

#include "core/archive/archive.h"
#include "www/exchange.h"
#include "www/www.h"

struct web {
	char *path;
	struct archive *archive;
	struct www *www;
};

/* A demonstration archive below `folder`, unsealed, served without a network unless `listen` says where. Sessions are
 * made up: the cookie "reader" or "filer" is one, whose account is u-00001. */
int web_open(struct web *w, const char *folder, const char *listen, struct err *err);
void web_close(struct web *w);

/* File a record with one part, as no client over HTTP does in one request. */
void web_file(struct web *w, const void *p, size_t n, const char *name, const char *media,
	char ret_record[33]);

/* The answer to a request; exchange_free() it. `headers` are lines, "Name: value", each ended by a newline. A stream is
 * read to its end and stands in x->reply. */
struct exchange *web_ask(struct web *w, const char *method, const char *target, const char *headers,
	struct str body);

#endif
