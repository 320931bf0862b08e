/* request.c - whatever a client sends is answered: a status, headers without control characters, JSON that
 * parses; and nothing is leaked. The input is a request as text: "METHOD TARGET\n", headers, an empty line,
 * the body. */
#include "tests/www/web.h"
#include "www/route.h"

#include "core/base/file.h"
#include "core/base/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct web web;
static char folder[64];

static void leave(void)
{
	web_close(&web);
	(void)file_remove_tree(AT_FDCWD, folder, NULL);
}

static void enter(void)
{
	struct err err = ERR_INIT;

	secret_init();
	(void)snprintf(folder, sizeof(folder), "%s/muniment-fuzz-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(folder) || web_open(&web, folder, NULL, &err) < 0)
		abort();
	(void)atexit(leave);
}

static void check(const struct exchange *x)
{
	struct str media = exchange_get(x, "Content-Type");
	struct json *doc = NULL;

	if (x->status < 200 || x->status > 599)
		abort();
	for (size_t i = 0; i < x->header_count; i++) {
		for (size_t k = 0; k < x->headers[i].value.n; k++) {
			if ((unsigned char)x->headers[i].value.p[k] < ' ')
				abort();
		}
	}
	if (media.p && memmem(media.p, media.n, "json", 4) && !x->fixed.p &&
		x->method != METHOD_HEAD &&
		json_parse(buf_str(&x->reply), NULL, JSON_ALLOW_FLOATS, &doc, NULL) < 0)
		abort();
	json_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, line, method;
	_cleanup_(freep) char *name = NULL, *target = NULL, *headers = NULL;
	struct str body = { NULL, 0 };
	const char *gap;

	if (!web.www)
		enter();
	if (size > 1 << 16 || (size > 0 && memchr(data, 0, size)))
		return 0;
	line = str_cut(&rest, '\n');
	method = str_cut(&line, ' ');
	name = str_dup(method);
	target = str_dup(line.p ? line : STR(""));
	gap = rest.p ? memmem(rest.p, rest.n, "\n\n", 2) : NULL;
	if (gap)
		body = (struct str){ gap + 2, rest.n - (size_t)(gap + 2 - rest.p) };
	headers = str_dup((struct str){ rest.p, gap ? (size_t)(gap - rest.p) + 1 : rest.n });
	{
		_cleanup_(exchange_freep) struct exchange *x =
			web_ask(&web, name, target, headers, body);

		check(x);
	}
	return 0;
}
