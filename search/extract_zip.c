/* extract_zip.c - see extract_zip.h. */
#include "search/extract_zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <strings.h>

enum { CHUNK_BYTES = 1 << 16, MAX_NAME_BYTES = 512 };

struct zip {
	struct job *job;
	char **names;
	size_t count, room;
	bool has_encrypted;
};

static void archive_donep(struct archive **a)
{
	if (*a)
		(void)archive_read_free(*a);
}

/* Only the reader that starts from the directory at the end: a file without it is cut off. */
static struct archive *start(const struct job *j)
{
	_cleanup_(archive_donep) struct archive *a = archive_read_new();

	if (!a || archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
		archive_read_open_memory(a, j->input.p, j->input.n) != ARCHIVE_OK)
		return NULL;
	return TAKE_PTR(a);
}

static const char *name_of(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	return name ? name : archive_entry_pathname_utf8(entry);
}

static bool remember(struct zip *z, const char *name)
{
	if (z->count == z->room) {
		size_t room = z->room ? z->room * 2 : 64;
		char **names = reallocarray(z->names, room, sizeof(*names));

		if (!names)
			return false;
		z->names = names;
		z->room = room;
	}
	z->names[z->count++] = xstrdup(name);
	return true;
}

static enum extract_reason list(struct zip *z)
{
	_cleanup_(archive_donep) struct archive *a = start(z->job);
	struct archive_entry *entry;
	uint32_t members = 0;
	int r;

	if (!a)
		return EXTRACT_DAMAGED;
	while ((r = archive_read_next_header(a, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		const char *name = name_of(entry);

		if (++members > z->job->limits.max_members)
			return EXTRACT_BOMB;
		if (archive_entry_is_data_encrypted(entry))
			z->has_encrypted = true;
		if (!name || strlen(name) > MAX_NAME_BYTES)
			continue;
		if (!remember(z, name))
			return EXTRACT_MEMORY;
	}
	return r == ARCHIVE_EOF && members > 0 ? EXTRACT_OK : EXTRACT_DAMAGED;
}

enum extract_reason zip_open(struct job *j, struct zip **ret)
{
	_cleanup_(zip_closep) struct zip *z = xcalloc(1, sizeof(*z));
	enum extract_reason why;

	z->job = j;
	why = list(z);
	if (why != EXTRACT_OK)
		return why;
	if (z->has_encrypted)
		return EXTRACT_ENCRYPTED;
	*ret = TAKE_PTR(z);
	return EXTRACT_OK;
}

void zip_close(struct zip *z)
{
	if (!z)
		return;
	for (size_t i = 0; i < z->count; i++)
		free(z->names[i]);
	free(z->names);
	free(z);
}

size_t zip_count(const struct zip *z)
{
	return z->count;
}

const char *zip_name(const struct zip *z, size_t i)
{
	return z->names[i];
}

bool zip_has(const struct zip *z, const char *name)
{
	for (size_t i = 0; i < z->count; i++)
		if (strcasecmp(z->names[i], name) == 0)
			return true;
	return false;
}

static enum extract_reason unpack(struct zip *z, struct archive *a,
	enum extract_reason (*chunk)(void *context, const char *p, size_t n), void *context)
{
	char room[CHUNK_BYTES];

	for (;;) {
		la_ssize_t n = archive_read_data(a, room, sizeof(room));
		enum extract_reason why;

		if (n < 0)
			return EXTRACT_DAMAGED;
		if (n == 0)
			return EXTRACT_OK;
		why = job_unpacked(z->job, (size_t)n, z->job->input.n);
		if (why == EXTRACT_OK)
			why = chunk(context, room, (size_t)n);
		if (why != EXTRACT_OK)
			return why;
	}
}

enum extract_reason zip_read(struct zip *z, const char *name,
	enum extract_reason (*chunk)(void *context, const char *p, size_t n), void *context)
{
	_cleanup_(archive_donep) struct archive *a = NULL;
	struct archive_entry *entry;
	int r;

	if (!zip_has(z, name))
		return EXTRACT_TYPE;
	a = start(z->job);
	if (!a)
		return EXTRACT_DAMAGED;
	while ((r = archive_read_next_header(a, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		const char *found = name_of(entry);

		if (found && strcasecmp(found, name) == 0)
			return unpack(z, a, chunk, context);
	}
	return EXTRACT_DAMAGED;
}

static enum extract_reason append(void *context, const char *p, size_t n)
{
	struct buf *b = context;

	buf_add(b, p, n);
	return b->failed ? EXTRACT_BOMB : EXTRACT_OK;
}

enum extract_reason zip_load(struct zip *z, const char *name, struct buf *ret)
{
	return zip_read(z, name, append, ret);
}
