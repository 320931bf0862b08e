/* preview.c - see preview.h. */
#include "core/archive/preview.h"

#include "core/archive/document.h"
#include "core/archive/log.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hex.h"
#include "core/base/tr.h"
#include "search/jail.h"
#include "store/envelope.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEAL_VERSION = 1,
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	OVERHEAD = 1 + NONCE_BYTES + TAG_BYTES,
};

/* ---- kinds ---- */

static const char *const extensions[] = { "docx", "doc", "odt", "rtf", "wps", "xlsx", "xls", "ods",
	"et", "pptx", "ppt", "odp", "dps" };

/* The extension as LibreOffice is to see it: one of ours, never what somebody typed. */
static const char *extension_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
		size_t n = strlen(extensions[i]);

		if (name.n > n + 1 && name.p[name.n - n - 1] == '.' &&
			strncasecmp(name.p + name.n - n, extensions[i], n) == 0)
			return extensions[i];
	}
	return NULL;
}

bool preview_is_for(struct str name)
{
	return extension_of(name) != NULL;
}

/* ---- making ---- */

/* In bubblewrap: limits first, then the PDF to standard output. $1 is the document. */
static const char script[] =
	"ulimit -t 60; ulimit -c 0; ulimit -v 6000000; mkdir /room/out && "
	"soffice -env:UserInstallation=file:///room/lo --headless --norestore "
	"--convert-to pdf --outdir /room/out \"$1\" >/dev/null 2>&1 </dev/null; "
	"[ -x /usr/bin/soffice ] || exit 3; cat /room/out/in.pdf || exit 4";

static int run(struct archive *a, const char *extension, int input, struct buf *ret,
	struct jail_result *result, struct err *err)
{
	char path[64];
	const char *const argv[] = { "bwrap", "--unshare-all", "--die-with-parent", "--new-session",
		"--clearenv", "--setenv", "HOME", "/room", "--setenv", "TMPDIR", "/room",
		"--setenv", "PATH", "/usr/bin", "--ro-bind", "/usr", "/usr", "--ro-bind",
		"/etc/fonts", "/etc/fonts", "--ro-bind-try", "/etc/libreoffice", "/etc/libreoffice",
		"--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink",
		"usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/room",
		"--symlink", "room", "/tmp", "--file", "0", path, "sh", "-c", script, "sh", path,
		NULL };
	struct jail_job job = { .program = "/usr/bin/bwrap",
		.argv = argv,
		.input = input,
		.max_output_bytes = PREVIEW_MAX_BYTES,
		.deadline = clock_ticks() + (int64_t)PREVIEW_SECONDS * 1000000000,
		.cancel = &a->stopping };

	(void)snprintf(path, sizeof(path), "/room/in.%s", extension);
	return jail_run(&job, ret, result, err);
}

static int make(
	struct archive *a, const struct edition *e, size_t i, struct buf *ret, struct err *err)
{
	const struct manifest_part *part = &e->manifest->parts[i];
	const char *extension = extension_of(part->name);
	_cleanup_(closep) int fd = -1;
	struct jail_result result;
	int r;

	if (part->bytes > PREVIEW_INPUT_MAX)
		return err_set(err, ERR_LIMIT, tr("the file is too large for a preview"));
	fd = document_plaintext(a, e, i, err);
	if (fd < 0)
		return fd;
	r = run(a, extension, fd, ret, &result, err);
	if (r == -ERR_NOTFOUND || (r == 0 && result.end == JAIL_EXITED && result.status == 3))
		return err_set(err, ERR_UNSUPPORTED,
			tr("previews cannot be made here: bubblewrap or LibreOffice is not "
			   "installed"));
	if (r < 0)
		return r;
	if (result.end == JAIL_TIMED_OUT || result.end == JAIL_FLOODED)
		return err_set(
			err, ERR_LIMIT, tr("making the preview took too long or gave too much"));
	if (result.end != JAIL_EXITED || result.status != 0 || ret->n < 5 ||
		memcmp(ret->p, "%PDF-", 5) != 0)
		return err_set(err, ERR_INVALID,
			tr("no preview: the file cannot be read, or is encrypted, or this system "
			   "does not let bubblewrap work"));
	return 0;
}

/* ---- keeping ---- */

struct seal_key {
	uint8_t key[32];
	uint8_t ad[ID_BYTES + 32]; /* which part, and its SHA-256 */
};

static int key_of(
	struct archive *a, const struct edition *e, size_t i, struct seal_key *ret, struct err *err)
{
	_cleanup_(secret_freep) struct secret *text = reading_text_key(a, e);
	const struct manifest_part *part = &e->manifest->parts[i];

	if (!text)
		return err_set(err, ERR_NOTFOUND, tr("the record's key cannot be read"));
	envelope_subkey(text->p, "muniment preview 1", ret->key);
	memcpy(ret->ad, part->id.b, ID_BYTES);
	memcpy(ret->ad + ID_BYTES, part->sha256.b, sizeof(part->sha256.b));
	return 0;
}

static int open_cache(struct archive *a)
{
	_cleanup_(closep) int cache = file_make_dir(archive_dir(a), ARCHIVE_CACHE, NULL);

	return cache < 0 ? cache : file_make_dir(cache, "previews", NULL);
}

static int read_kept(int dir, const char *name, const struct seal_key *k, struct buf *ret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT_MAX(PREVIEW_MAX_BYTES + OVERHEAD);
	const uint8_t *p;
	uint8_t *out;

	if (dir < 0 || file_read_whole(dir, name, &sealed, NULL) < 0 || sealed.n < OVERHEAD ||
		sealed.p[0] != SEAL_VERSION)
		return -ERR_NOTFOUND;
	p = (const uint8_t *)sealed.p;
	out = buf_extend(ret, sealed.n - OVERHEAD);
	if (out && crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, p + 1 + NONCE_BYTES,
			   sealed.n - 1 - NONCE_BYTES, k->ad, sizeof(k->ad), p + 1, k->key) == 0) {
		/* It was wanted again: it is the youngest now. */
		(void)utimensat(dir, name, NULL, 0);
		return 0;
	}
	buf_reset(ret);
	return -ERR_NOTFOUND;
}

/* Oldest first, until what is to come fits. */
static void make_room(int dir, size_t bytes)
{
	for (;;) {
		char **names;
		size_t count, oldest = SIZE_MAX;
		struct timespec when = { 0, 0 };
		uint64_t sum = bytes;

		if (file_list(dir, &names, &count, NULL) < 0)
			return;
		for (size_t i = 0; i < count; i++) {
			struct stat st;

			if (fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			sum += (uint64_t)st.st_size;
			if (oldest == SIZE_MAX || st.st_mtim.tv_sec < when.tv_sec ||
				(st.st_mtim.tv_sec == when.tv_sec &&
					st.st_mtim.tv_nsec < when.tv_nsec)) {
				oldest = i;
				when = st.st_mtim;
			}
		}
		if (sum <= PREVIEW_CACHE_BYTES || oldest == SIZE_MAX ||
			file_unlink(dir, names[oldest], NULL) < 0)
			count = 0;
		free(names);
		if (count == 0)
			return;
	}
}

static void keep(int dir, const char *name, const struct seal_key *k, struct str pdf)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT_MAX(PREVIEW_MAX_BYTES + OVERHEAD);
	uint8_t *out = dir < 0 ? NULL : buf_extend(&sealed, pdf.n + OVERHEAD);
	struct err err = ERR_INIT;

	if (!out)
		return;
	out[0] = SEAL_VERSION;
	randombytes_buf(out + 1, NONCE_BYTES);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + 1 + NONCE_BYTES, NULL,
		(const uint8_t *)pdf.p, pdf.n, k->ad, sizeof(k->ad), NULL, out + 1, k->key);
	make_room(dir, sealed.n);
	if (file_replace(dir, name, sealed.p, sealed.n, &err) < 0)
		log_err(LOG_LEVEL_WARNING, "a preview cannot be kept", &err);
}

/* ---- the whole ---- */

int preview_get(
	struct archive *a, const struct edition *e, size_t i, struct buf *ret, struct err *err)
{
	const struct manifest_part *part = &e->manifest->parts[i];
	_cleanup_(closep) int dir = open_cache(a);
	char name[2 * ID_BYTES + 1];
	struct seal_key key;
	int r;

	if (!preview_is_for(part->name))
		return err_set(err, ERR_INVALID,
			tr("part '%.*s' is no office file: it has no preview"),
			STR_ARG(part->name));
	r = key_of(a, e, i, &key, err);
	if (r < 0)
		return r;
	(void)hex_encode(part->id.b, ID_BYTES, name);
	r = read_kept(dir, name, &key, ret);
	if (r < 0 && atomic_exchange(&a->is_previewing, true)) {
		r = err_set(err, ERR_LOCKED, tr("another preview is being made: ask again"));
	} else if (r < 0) {
		r = make(a, e, i, ret, err);
		atomic_store(&a->is_previewing, false);
		if (r == 0)
			keep(dir, name, &key, buf_str(ret));
	}
	explicit_bzero(&key, sizeof(key));
	return r;
}
