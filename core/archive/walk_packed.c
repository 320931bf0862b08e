/* walk_packed.c - the members of .zip and .tar archives; one of the places that know libarchive.
 *
 * A bomb is seen while it unpacks: every block counts against the member's, the archive's and the ratio's
 * limit before it is kept. What was read before stays; the archive ends there, with a reason. */
#include "core/archive/walk_inside.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 16 };

struct packed {
	struct walk *w;
	struct archive *a;
	struct str path;
	uint64_t file_bytes, unpacked, members;
	char why[512];
};

static void reader_free(struct archive **a)
{
	if (*a)
		(void)archive_read_free(*a);
}

static struct archive *reader_new(void)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	(void)archive_read_support_format_zip(a);
	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_zstd(a);
	return a;
}

/* ---- names ---- */

static struct str raw_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (!name)
		name = archive_entry_pathname_utf8(entry);
	return name ? str_of(name) : (struct str){ NULL, 0 };
}

/* "/etc/x", "C:\x", "a/../../x", with either kind of slash. */
static bool climbs_out(struct str name)
{
	size_t start = 0;

	if (name.n && (name.p[0] == '/' || name.p[0] == '\\'))
		return true;
	if (name.n > 1 && isalpha((unsigned char)name.p[0]) && name.p[1] == ':')
		return true;
	for (size_t i = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != '/' && name.p[i] != '\\')
			continue;
		if (i - start == 2 && memcmp(name.p + start, "..", 2) == 0)
			return true;
		start = i + 1;
	}
	return false;
}

/* "folder/a.zip › b/c.pdf" */
static void add_path(struct buf *b, const struct packed *p, struct str name)
{
	buf_add_str(b, p->path);
	buf_adds(b, " › ");
	if (walk_add_decoded(b, name, NULL) < 0)
		buf_add_str(b, name);
}

/* ---- contents ---- */

/* What the whole archive may unpack to. NULL, or why it is too much. */
static const char *over_limit(const struct packed *p)
{
	const struct walk_limits *l = &p->w->limits;

	if (p->unpacked > l->archive_bytes)
		return tr("the archive unpacks to more than is accepted");
	if (p->unpacked > WALK_RATIO_FROM && p->unpacked / l->ratio > p->file_bytes)
		return tr("it unpacks to so much more than its size that it is taken for a bomb");
	return NULL;
}

static const char *reader_error(struct packed *p)
{
	const char *text = archive_error_string(p->a);

	(void)snprintf(p->why, sizeof(p->why), tr("it cannot be unpacked: %s"), text ? text : "?");
	return p->why;
}

struct member {
	int fd; /* -1: its bytes are only counted */
	uint64_t bytes;
	const char *why;   /* it is refused */
	bool ends_archive; /* nothing that follows can be trusted */
};

/* One block more. 1: there may be another; 0: that was all. */
static int unpack_block(struct packed *p, struct member *m)
{
	uint8_t block[BLOCK_BYTES];
	ssize_t n = archive_read_data(p->a, block, sizeof(block));
	const char *why;

	if (n <= 0) {
		m->ends_archive = n == ARCHIVE_FATAL;
		if (n < 0 && !m->why)
			m->why = reader_error(p);
		return 0;
	}
	p->unpacked += (uint64_t)n;
	why = over_limit(p);
	if (why) {
		m->why = why;
		m->ends_archive = true;
		return 0;
	}
	if (!m->why && file_pwrite(m->fd, block, (size_t)n, m->bytes, NULL) < 0)
		m->why = tr("there is no memory to unpack it");
	m->bytes += (uint64_t)n;
	if (!m->why && m->bytes > p->w->limits.member_bytes)
		m->why = tr("unpacked it is larger than a member of an archive may be; unpack it "
			    "and import the file itself");
	return 1;
}

/* Unpack a member into memory, or through to its end when it is refused: libarchive would do that uncounted. */
static void unpack(struct packed *p, struct member *m)
{
	if (!m->why)
		m->fd = memfd_create("member", MFD_CLOEXEC);
	if (!m->why && m->fd < 0)
		m->why = err_errno_text(errno, p->why, sizeof(p->why));
	while (unpack_block(p, m))
		;
	if (m->why)
		closep(&m->fd);
}

/* NULL, or why a member is refused before it is looked into. */
static const char *refusal_of(struct archive_entry *entry, struct str name)
{
	if (!name.p || name.n == 0)
		return tr("it has no name");
	if (climbs_out(name))
		return tr("its name climbs out of the archive");
	if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) ||
		archive_entry_filetype(entry) == AE_IFLNK)
		return tr("it is a link; links are not followed");
	if (archive_entry_filetype(entry) != AE_IFREG)
		return tr("it is a device, not a file");
	if (archive_entry_is_encrypted(entry))
		return tr(
			"it is encrypted; unpack it with its password and import the file itself");
	return NULL;
}

static uint64_t place_in_file(const struct packed *p)
{
	int64_t read = archive_filter_bytes(p->a, -1);

	return p->w->done + (read > 0 && (uint64_t)read < p->file_bytes ? (uint64_t)read : 0);
}

/* 1: go on with the next member; 0: the archive ends here. */
static int walk_member(struct packed *p, struct archive_entry *entry, struct err *err)
{
	struct str name = raw_name(entry);
	struct member m = { .fd = -1, .why = refusal_of(entry, name) };
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	int r;

	add_path(&path, p, name);
	if (!m.why && walk_is_litter(name)) {
		r = walk_leave_out(p->w, buf_str(&path), err);
		return r < 0 ? r : 1;
	}
	unpack(p, &m);
	if (m.why)
		r = walk_refuse(p->w, buf_str(&path), m.why, err);
	else
		r = walk_tell(p->w, buf_str(&path), name, m.fd, m.bytes,
			archive_entry_mtime_is_set(entry) ? archive_entry_mtime(entry) : 0, true,
			place_in_file(p), err);
	return r < 0 ? r : !m.ends_archive;
}

int walk_packed(struct walk *w, struct str path, int fd, uint64_t bytes, struct err *err)
{
	_cleanup_(reader_free) struct archive *a = reader_new();
	struct packed p = { .w = w, .a = a, .path = path, .file_bytes = bytes };
	struct archive_entry *entry;
	int state, r;

	if (!a)
		return err_set(err, ERR_UNSUPPORTED, tr("cannot read archives"));
	if (archive_read_open_fd(a, fd, BLOCK_BYTES) != ARCHIVE_OK)
		return walk_refuse(w, path, reader_error(&p), err);
	while ((state = archive_read_next_header(a, &entry)) == ARCHIVE_OK ||
		state == ARCHIVE_WARN) {
		if (++p.members > w->limits.members)
			return walk_refuse(
				w, path, tr("the archive has more members than are accepted"), err);
		if (archive_entry_filetype(entry) == AE_IFDIR)
			continue;
		r = walk_member(&p, entry, err);
		if (r <= 0)
			return r;
	}
	if (state != ARCHIVE_EOF)
		return walk_refuse(w, path, reader_error(&p), err);
	return 0;
}
