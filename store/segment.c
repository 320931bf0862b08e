/* segment.c - the files of the journal (FORMAT.md, section 10): made, opened, freed and used again.
 *
 * The states of a segment are its name:
 *
 *   N.new   zeros are being written
 *     |
 *   N.seg   the header is whole and durable, frames come behind it
 *     |
 *   N.old   freed; is being overwritten with zeros
 *     |
 *   M.seg   again, with a number larger than all before; or nothing
 *
 * Each arrow is a rename that is synced before the next step begins. So a .seg has its header and
 * its zeros whatever crashes, and a half overwritten one is never taken for frames.
 *
 * What is written here and appended to it, goes past the page cache: it is read after a crash only, and copying it
 * there twice (frames, later zeros) was a tenth of what filing small records costs. */
#include "store/journal_private.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>

static const char magic[8] = { 'M', 'U', 'N', 'J', 'R', 'N', 'L', '1' };

enum { NUMBER_DIGITS = 8, NUMBER_MAX = 99999999 };

char *segment_name(uint64_t number, const char *kind, char out[SEGMENT_NAME_MAX])
{
	(void)snprintf(out, SEGMENT_NAME_MAX, "%08llu.%s", (unsigned long long)number, kind);
	return out;
}

bool segment_name_parse(const char *name, const char *kind, uint64_t *ret)
{
	uint64_t number = 0;

	for (size_t i = 0; i < NUMBER_DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(name[i] - '0');
	}
	if (name[NUMBER_DIGITS] != '.' || strcmp(name + NUMBER_DIGITS + 1, kind) != 0 ||
		number == 0)
		return false;
	*ret = number;
	return true;
}

int segment_list(int dir, const char *kind, uint64_t **ret, size_t *ret_count, struct err *err)
{
	_cleanup_(freep) char **names = NULL;
	size_t name_count, count = 0;
	uint64_t *numbers;
	int r = file_list(dir, &names, &name_count, err);

	if (r < 0)
		return r;
	numbers = xcalloc(name_count + 1, sizeof(*numbers));
	for (size_t i = 0; i < name_count; i++)
		if (segment_name_parse(names[i], kind, &numbers[count]))
			count++;
	*ret = numbers;
	*ret_count = count;
	return 0;
}

static void put_header(
	const struct id *archive, uint64_t number, uint64_t bytes, uint8_t out[JOURNAL_BLOCK])
{
	memset(out, 0, JOURNAL_BLOCK);
	memcpy(out, magic, sizeof(magic));
	put_be64(out + 8, number);
	put_be64(out + 16, bytes);
	memcpy(out + 24, archive->b, ID_BYTES);
}

static int write_header(
	int fd, const struct id *archive, uint64_t number, uint64_t bytes, struct err *err)
{
	_Alignas(FILE_DIRECT_ALIGN) uint8_t header[JOURNAL_BLOCK];

	put_header(archive, number, bytes, header);
	return file_pwrite(fd, header, sizeof(header), 0, err);
}

void segment_close(struct segment *s)
{
	closep(&s->fd);
	s->fd = -1;
}

/* Write the file under its .new name, then give it its own. */
static int make_file(
	int dir, const struct id *archive, uint64_t number, uint64_t bytes, int fd, struct err *err)
{
	char fresh[SEGMENT_NAME_MAX], name[SEGMENT_NAME_MAX];
	int r = write_header(fd, archive, number, bytes, err);

	if (r == 0)
		r = file_pwrite_zeros(fd, bytes - JOURNAL_BLOCK, JOURNAL_BLOCK, err);
	if (r == 0)
		r = file_datasync(fd, err);
	if (r == 0)
		r = file_rename(dir, segment_name(number, "new", fresh), dir,
			segment_name(number, "seg", name), err);
	if (r < 0)
		return r;
	r = file_sync_dir(dir, err);
	if (r < 0)
		(void)file_unlink(dir, name, NULL);
	return r;
}

int segment_make(int dir, const struct id *archive, uint64_t number, uint64_t bytes,
	struct segment *ret, struct err *err)
{
	_cleanup_(closep) int fd = -1;
	char name[SEGMENT_NAME_MAX];
	int r;

	if (number > NUMBER_MAX)
		return err_set(
			err, ERR_LIMIT, tr("the journal has had all %d segments"), NUMBER_MAX);
	segment_name(number, "new", name);
	r = file_unlink(dir, name, err);
	if (r < 0)
		return r;
	fd = file_create(dir, name, err);
	if (fd >= 0)
		file_go_direct(fd);
	r = fd < 0 ? fd : make_file(dir, archive, number, bytes, fd, err);
	if (r < 0) {
		(void)file_unlink(dir, name, NULL);
		return r;
	}
	*ret = (struct segment){
		.number = number, .bytes = bytes, .used = JOURNAL_BLOCK, .fd = TAKE_FD(fd)
	};
	return 0;
}

/* First the zeros, then the header that counts them: a crash between leaves a file that is longer
 * than its header says, which is allowed. */
int segment_grow(struct segment *s, const struct id *archive, uint64_t bytes, struct err *err)
{
	int r = file_pwrite_zeros(s->fd, bytes - s->bytes, s->bytes, err);

	if (r == 0)
		r = file_datasync(s->fd, err);
	if (r < 0) {
		(void)file_truncate(s->fd, s->bytes, NULL);
		return r;
	}
	r = write_header(s->fd, archive, s->number, bytes, err);
	if (r == 0)
		r = file_datasync(s->fd, err);
	if (r == 0)
		s->bytes = bytes;
	return r;
}

static int damaged(struct err *err, uint64_t number, const char *what)
{
	return err_set(err, ERR_CORRUPT, tr("segment %llu of the journal is damaged: %s"),
		(unsigned long long)number, what);
}

static int check_header(
	int fd, const struct id *archive, uint64_t number, uint64_t *ret_bytes, struct err *err)
{
	uint8_t header[JOURNAL_BLOCK], expected[JOURNAL_BLOCK];
	uint64_t size, bytes;
	int r = file_size(fd, &size, err);

	if (r < 0)
		return r;
	if (size < JOURNAL_BLOCK)
		return damaged(err, number, tr("it is too short"));
	r = file_pread(fd, header, sizeof(header), 0, err);
	if (r < 0)
		return r;
	bytes = get_be64(header + 16);
	put_header(archive, number, bytes, expected);
	if (memcmp(header, expected, sizeof(header)) != 0)
		return damaged(
			err, number, tr("its header is wrong, or it belongs to another archive"));
	if (bytes > size || bytes % JOURNAL_BLOCK || bytes < JOURNAL_BLOCK)
		return damaged(err, number, tr("it is too short"));
	*ret_bytes = bytes;
	return 0;
}

int segment_open(int dir, const struct id *archive, uint64_t number, bool writable,
	struct segment *ret, struct err *err)
{
	char name[SEGMENT_NAME_MAX];
	_cleanup_(closep) int fd = -1;
	uint64_t bytes;
	int r;

	segment_name(number, "seg", name);
	fd = writable ? file_open_write(dir, name, err) : file_open_read(dir, name, err);
	if (fd < 0)
		return fd;
	r = check_header(fd, archive, number, &bytes, err);
	if (r < 0)
		return r;
	*ret = (struct segment){
		.number = number, .bytes = bytes, .used = JOURNAL_BLOCK, .fd = TAKE_FD(fd)
	};
	return 0;
}

int segment_retire(int dir, uint64_t number, struct err *err)
{
	char from[SEGMENT_NAME_MAX], to[SEGMENT_NAME_MAX];
	int r = file_rename(
		dir, segment_name(number, "seg", from), dir, segment_name(number, "old", to), err);

	return r < 0 ? r : file_sync_dir(dir, err);
}

/* Zeros over all of the old file, synced, before its size or name changes: cutting it first would
 * give blocks back to the file system with keys and ciphertext still on them. */
static int overwrite(int fd, struct err *err)
{
	uint64_t bytes;
	int r = file_size(fd, &bytes, err);

	if (r == 0)
		r = file_pwrite_zeros(fd, bytes, 0, err);
	if (r == 0)
		r = file_datasync(fd, err);
	return r;
}

int segment_recycle(int dir, const struct id *archive, uint64_t number, uint64_t fresh,
	uint64_t bytes, struct segment *ret, struct err *err)
{
	char old[SEGMENT_NAME_MAX], name[SEGMENT_NAME_MAX];
	_cleanup_(closep) int fd = file_open_write(dir, segment_name(number, "old", old), err);
	uint64_t size;
	int r;

	if (fd < 0)
		return fd;
	file_go_direct(fd);
	r = overwrite(fd, err);
	if (r == 0)
		r = file_size(fd, &size, err);
	if (r < 0)
		return r;
	if (fresh == 0 || size < bytes || fresh > NUMBER_MAX) {
		r = file_unlink(dir, old, err);
		ret->fd = -1;
		return r < 0 ? r : file_sync_dir(dir, err);
	}
	if (size > bytes)
		r = file_truncate(fd, bytes, err);
	if (r == 0)
		r = write_header(fd, archive, fresh, bytes, err);
	if (r == 0)
		r = file_datasync(fd, err);
	if (r == 0)
		r = file_rename(dir, old, dir, segment_name(fresh, "seg", name), err);
	if (r < 0)
		return r;
	r = file_sync_dir(dir, err);
	if (r < 0) {
		(void)file_rename(dir, name, dir, old, NULL);
		return r;
	}
	*ret = (struct segment){
		.number = fresh, .bytes = bytes, .used = JOURNAL_BLOCK, .fd = TAKE_FD(fd)
	};
	return 0;
}
