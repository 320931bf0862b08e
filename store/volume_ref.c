/* volume_ref.c - the refs of a volume: read from their own files, and moved with every sync that it takes
 * (volume.h). */
#include "store/volume_private.h"

#include "core/base/file.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>

enum { REF_MAX_BYTES = 256 };

static int parse_ref(struct str text, struct oid *ret, struct err *err)
{
	if (text.n != 2 * OID_BYTES + 1 || text.p[text.n - 1] != '\n')
		return err_set(err, ERR_CORRUPT, tr("a ref of a volume is damaged"));
	text.n--;
	if (oid_parse(text, ret, NULL) < 0)
		return err_set(err, ERR_CORRUPT, tr("a ref of a volume is damaged"));
	return 0;
}

/* "<oid> <name>" in packed-refs, which only stock git writes. */
static int packed_ref(int dir, const char *name, struct oid *ret, struct err *err)
{
	struct buf b = BUF_INIT;
	struct str rest;
	int r;

	*ret = (struct oid){ { 0 } };
	if (!file_exists(dir, "packed-refs"))
		return 0;
	r = file_read_whole(dir, "packed-refs", &b, err);
	rest = buf_str(&b);
	while (r == 0 && rest.p) {
		struct str line = str_cut(&rest, '\n'), oid = str_cut(&line, ' ');

		if (line.p && str_is(line, name) && oid_parse(oid, ret, NULL) < 0)
			r = err_set(err, ERR_CORRUPT, tr("a ref of a volume is damaged"));
	}
	buf_done(&b);
	return r;
}

int volume_ref(struct volume *v, const char *name, struct oid *ret, struct err *err)
{
	struct buf b = BUF_INIT_MAX(REF_MAX_BYTES);
	struct err own = ERR_INIT;
	struct oid oid;
	int r = file_read_whole(volume_dir(v), name, &b, &own);

	if (r < 0 && r != -ERR_NOTFOUND && err)
		*err = own;
	if (r == -ERR_NOTFOUND)
		r = packed_ref(volume_dir(v), name, &oid, err);
	else if (r == -ERR_LIMIT)
		r = err_set(err, ERR_CORRUPT, tr("a ref of a volume is damaged"));
	else if (r == 0)
		r = parse_ref(buf_str(&b), &oid, err);
	buf_done(&b);
	if (r == 0)
		*ret = oid;
	return r;
}

bool volume_has_main(int volumes_dir, uint32_t number)
{
	_cleanup_(closep) int dir = -1;
	struct oid oid;
	char name[32];

	(void)snprintf(name, sizeof(name), "%04u.git", number);
	dir = file_open_dir(volumes_dir, name, NULL);
	return dir >= 0 &&
	       (file_exists(dir, "refs/heads/main") ||
		       (packed_ref(dir, "refs/heads/main", &oid, NULL) == 0 && !oid_is_zero(&oid)));
}

/* A name ending in ".lock" is the only one that git does not take for a ref while it is written. */
static int write_ref(
	int dir, const char *name, const char *lock, const struct oid *oid, struct err *err)
{
	_cleanup_(closep) int fd = -1;
	char text[OID_TEXT + 1];
	int r = file_unlink(
		dir, lock, err); /* of a process that died: this one holds the archive's lock */

	if (r < 0)
		return r;
	hex_encode(oid->b, sizeof(oid->b), text);
	text[2 * OID_BYTES] = '\n';
	fd = file_create(dir, lock, err);
	if (fd < 0)
		return fd;
	r = file_pwrite(fd, text, 2 * OID_BYTES + 1, 0, err);
	if (r == 0)
		r = file_datasync(fd, err);
	if (r == 0)
		r = file_rename(dir, lock, dir, name, err);
	return r < 0 ? r : file_sync_dir(dir, err);
}

int volume_set_ref(struct volume *v, const char *name, const struct oid *oid, struct err *err)
{
	static const char heads[] = "refs/heads/";
	_cleanup_(closep) int dir = -1;
	_cleanup_(freep) char *lock = NULL;
	const char *last = name + sizeof(heads) - 1;

	if (!str_starts(str_of(name), heads) || !*last || strchr(last, '/') || *last == '.')
		return err_set(err, ERR_INVALID, tr("'%s' is no ref of a volume"), name);
	dir = file_open_dir(volume_dir(v), "refs/heads", err);
	if (dir < 0)
		return dir;
	if (asprintf(&lock, "%s.lock", last) < 0)
		abort();
	return write_ref(dir, last, lock, oid, err);
}
