/* files.c - see files.h. */
#include "www/files.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/hex.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { FILE_MAX = 16 << 20, FILES_MAX = 4000, HASH_DIGITS = 12 };

struct one {
	char *url;	 /* "/ui/app.js", "/vendor/preact/dist/preact.mjs", "index.html" */
	char *path;	 /* below the folder */
	const char *may; /* its policy */
	bool is_page;
	/* Once it was loaded: */
	bool is_loaded;
	char tag[2 * SHA256_BYTES + 1], *policy;
	struct buf plain, packed; /* packed: empty where that gains nothing */
};

struct files {
	int dir;
	bool is_fresh; /* read each time */
	char ui_hash[HASH_DIGITS + 1], vendor_hash[HASH_DIGITS + 1];
	struct one *list;
	size_t count, room;
	pthread_mutex_t lock;
};

/* What a page may do: nothing but our own files and our own server; scripts only where the page's import
 * map is the one that was written, HTML from text never (Trusted Types). */
static const char page_policy[] =
	"default-src 'none'; script-src 'self'%s; style-src 'self'; img-src 'self' data: blob:; "
	"font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
	"frame-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'%s";
static const char no_markup[] = "; require-trusted-types-for 'script'; trusted-types worker";
static const char markup[] = "";
/* What runs as a worker has the policy of its own file, not of the page that started it. */
static const char no_policy[] = "default-src 'none'; frame-ancestors 'none'";
static const char worker_policy[] = "default-src 'none'; script-src 'self'; connect-src 'self'";
static const char wasm_policy[] =
	"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

static const struct {
	const char *end, *media;
} kinds[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".wasm", "application/wasm" },
	{ ".md", "text/plain; charset=utf-8" },
	{ ".webmanifest", "application/manifest+json" },
};

static const char *media_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (str_ends(str_of(path), kinds[i].end))
			return kinds[i].media;
	}
	return "application/octet-stream";
}

/* ---- the manifest ---- */

static bool is_safe(struct str path)
{
	struct str rest = path;

	while (rest.p) {
		struct str piece = str_cut(&rest, '/');

		if (piece.n == 0 || piece.p[0] == '.')
			return false;
	}
	return true;
}

/* Where the files of "/ui/", "/vendor/" and "/api/" stand. */
static const char *folder_of(struct str prefix)
{
	return str_is(prefix, "vendor") ? "ui/node_modules/" : str_is(prefix, "ui") ? "ui/" : "";
}

static int add(
	struct files *f, struct str prefix, struct str path, const char *may, struct err *err)
{
	_cleanup_(buf_done) struct buf url = BUF_INIT_MAX(4096), where = BUF_INIT_MAX(4096);
	struct one *one;

	if (f->count == FILES_MAX)
		return err_set(
			err, ERR_LIMIT, tr("the manifest names more than %d files"), FILES_MAX);
	if (f->count == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		struct one *list = realloc(f->list, room * sizeof(*list));

		if (!list)
			return err_set(err, ERR_LIMIT, tr("out of memory"));
		f->list = list;
		f->room = room;
	}
	one = &f->list[f->count];
	*one = (struct one){ .may = may };
	one->is_page = str_is(prefix, "ui") && str_ends(path, ".html");
	if (!one->is_page)
		buf_addf(&url, "/%.*s/", STR_ARG(prefix));
	buf_add_str(&url, path);
	buf_adds(&where, folder_of(prefix));
	buf_add_str(&where, path);
	one->url = buf_detach(&url);
	one->path = buf_detach(&where);
	buf_init(&one->plain, FILE_MAX);
	buf_init(&one->packed, FILE_MAX);
	f->count++;
	return 0;
}

/* "lib/view*.js": every file of that folder whose name fits. */
static int add_pattern(
	struct files *f, struct str prefix, struct str pattern, const char *may, struct err *err)
{
	_cleanup_(buf_done) struct buf folder = BUF_INIT_MAX(4096), path = BUF_INIT_MAX(4096);
	_cleanup_(freep) char *last = NULL;
	_cleanup_(freep) char **names = NULL;
	_cleanup_(closep) int dir = -1;
	size_t slash = pattern.n, count;
	int r = 0;

	if (!memchr(pattern.p, '*', pattern.n))
		return add(f, prefix, pattern, may, err);
	while (slash > 0 && pattern.p[slash - 1] != '/')
		slash--;
	last = str_dup((struct str){ pattern.p + slash, pattern.n - slash });
	buf_adds(&folder, folder_of(prefix));
	buf_add(&folder, pattern.p, slash);
	dir = file_open_dir(f->dir, folder.p, NULL);
	if (dir < 0)
		return 0; /* not built: said when it is asked for */
	r = file_list(dir, &names, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (fnmatch(last, names[i], FNM_PERIOD) != 0)
			continue;
		buf_reset(&path);
		buf_add(&path, pattern.p, slash);
		buf_adds(&path, names[i]);
		r = add(f, prefix, buf_str(&path), may, err);
	}
	return r;
}

static const char *policy_of_word(struct str word)
{
	if (str_is(word, "wasm"))
		return wasm_policy;
	if (str_is(word, "worker"))
		return worker_policy;
	return str_is(word, "markup") ? markup : no_policy;
}

static int read_manifest(struct files *f, struct str rest, struct err *err)
{
	for (unsigned number = 1; rest.p; number++) {
		struct str line = str_trim(str_cut(&rest, '\n')), prefix, pattern;
		int r;

		if (line.n == 0 || line.p[0] == '#')
			continue;
		prefix = str_cut(&line, ' ');
		line = str_trim(line);
		pattern = str_cut(&line, ' ');
		if ((!str_is(prefix, "ui") && !str_is(prefix, "vendor")) || !is_safe(pattern))
			return err_set(err, ERR_INVALID,
				tr("line %u of the manifest names no file"), number);
		r = add_pattern(f, prefix, pattern, policy_of_word(str_trim(line)), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_url(const void *a, const void *b)
{
	return strcmp(((const struct one *)a)->url, ((const struct one *)b)->url);
}

/* ---- hashes ---- */

static void name_hash(struct hash *h, char out[HASH_DIGITS + 1])
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	hash_take(h, digest);
	hex_encode(digest, sizeof(digest), hex);
	memcpy(out, hex, HASH_DIGITS);
	out[HASH_DIGITS] = '\0';
}

static void add_file(struct files *f, const char *path, struct hash *h)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(FILE_MAX);

	if (file_read_whole(f->dir, path, &text, NULL) == 0)
		hash_add(h, text.p, text.n);
}

static void make_hashes(struct files *f)
{
	_cleanup_(hash_freep) struct hash *h = sha256_new();

	add_file(f, "ui/package-lock.json", h);
	name_hash(h, f->vendor_hash);
	for (size_t i = 0; i < f->count; i++) {
		hash_add(h, f->list[i].url, strlen(f->list[i].url) + 1);
		if (!str_starts(str_of(f->list[i].url), "/vendor/"))
			add_file(f, f->list[i].path, h);
	}
	name_hash(h, f->ui_hash);
}

/* ---- opening ---- */

static int open_folder(bool *ret_is_fresh)
{
	static const char *const beside[] = { "../share/muniment/www", "../../../www" };
	const char *asked = secure_getenv("MUNIMENT_WWW");
	_cleanup_(buf_done) struct buf path = BUF_INIT_MAX(8192);
	char self[4096];
	ssize_t n;
	size_t folder;

	*ret_is_fresh = asked && *asked;
	if (*ret_is_fresh)
		return file_open_dir(AT_FDCWD, asked, NULL);
	n = readlink("/proc/self/exe", self, sizeof(self));
	for (folder = n > 0 ? (size_t)n : 0; folder > 0 && self[folder - 1] != '/';)
		folder--;
	for (size_t i = 0; folder > 0 && i < ARRAY_LEN(beside); i++) {
		_cleanup_(closep) int dir = -1;

		buf_reset(&path);
		buf_add(&path, self, folder);
		buf_adds(&path, beside[i]);
		dir = file_open_dir(AT_FDCWD, path.p, NULL);
		if (dir >= 0 && file_exists(dir, "ui/manifest"))
			return TAKE_FD(dir);
	}
	return file_open_dir(AT_FDCWD, MUNIMENT_WWWDIR, NULL);
}

static int read_all(struct files *f, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(1 << 20);
	int r;

	if (f->dir < 0 || !file_exists(f->dir, "ui/manifest"))
		return 0;
	r = add(f, STR("api"), STR("openapi.json"), no_policy, err);
	if (r == 0)
		r = file_read_whole(f->dir, "ui/manifest", &text, err);
	if (r == 0)
		r = read_manifest(f, buf_str(&text), err);
	if (r < 0)
		return r;
	if (f->count > 0)
		qsort(f->list, f->count, sizeof(*f->list), by_url);
	make_hashes(f);
	return 0;
}

int files_open(struct files **ret, struct err *err)
{
	_cleanup_(files_freep) struct files *f = xcalloc(1, sizeof(*f));
	int r;

	(void)pthread_mutex_init(&f->lock, NULL);
	f->dir = open_folder(&f->is_fresh);
	r = read_all(f, err);
	if (r == 0)
		*ret = TAKE_PTR(f);
	return r;
}

static void one_unload(struct one *one)
{
	buf_reset(&one->plain);
	buf_reset(&one->packed);
	free(one->policy);
	one->policy = NULL;
	one->is_loaded = false;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		one_unload(&f->list[i]);
		buf_done(&f->list[i].plain);
		buf_done(&f->list[i].packed);
		free(f->list[i].url);
		free(f->list[i].path);
	}
	free(f->list);
	closep(&f->dir);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- loading one ---- */

bool files_compress(struct str plain, int level, struct buf *ret)
{
	z_stream z = { .next_in = (z_const Bytef *)plain.p, .avail_in = (uInt)plain.n };
	size_t bound, before = ret->n;
	int r;
	char *room;

	if (plain.n > FILE_MAX ||
		deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	bound = deflateBound(&z, (uLong)plain.n);
	room = buf_extend(ret, bound);
	if (!room) {
		(void)deflateEnd(&z);
		return false;
	}
	z.next_out = (Bytef *)room;
	z.avail_out = (uInt)bound;
	r = deflate(&z, Z_FINISH);
	buf_cut(ret, before + bound - z.avail_out);
	(void)deflateEnd(&z);
	if (r != Z_STREAM_END)
		buf_cut(ret, before);
	return r == Z_STREAM_END;
}

/* Addresses of our files with their hash, so that a browser may keep them for ever. */
static void rewrite(const struct files *f, struct str text, struct buf *ret)
{
	static const char *const prefixes[] = { "\"/ui/", "\"/vendor/" };
	const char *hashes[] = { f->ui_hash, f->vendor_hash };

	while (text.n > 0) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
			if (!str_starts(text, prefixes[i]))
				continue;
			buf_addf(ret, "%s%s/", prefixes[i], hashes[i]);
			text.p += strlen(prefixes[i]);
			text.n -= strlen(prefixes[i]);
			found = true;
		}
		if (!found) {
			buf_addc(ret, text.p[0]);
			text.p++;
			text.n--;
		}
	}
}

/* The policy names the import map, which must stand in the page itself, by its hash. */
static char *policy_of_page(struct str page, bool may_markup)
{
	static const char open[] = "<script type=\"importmap\">";
	_cleanup_(buf_done) struct buf hash = BUF_INIT_MAX(200), policy = BUF_INIT_MAX(4096);
	const char *start = memmem(page.p, page.n, open, sizeof(open) - 1), *end = NULL;
	uint8_t digest[SHA256_BYTES];

	if (start) {
		start += sizeof(open) - 1;
		end = memmem(start, page.n - (size_t)(start - page.p), "</script>", 9);
	}
	if (end) {
		sha256(start, (size_t)(end - start), digest);
		buf_adds(&hash, " 'sha256-");
		base64_add(&hash, digest, sizeof(digest));
		buf_adds(&hash, "'");
	}
	buf_addf(&policy, page_policy, hash.n ? hash.p : "", may_markup ? "" : no_markup);
	return buf_detach(&policy);
}

static bool is_text(const char *media)
{
	return strncmp(media, "text/", 5) == 0 || strstr(media, "json") || strstr(media, "svg") ||
	       strstr(media, "wasm");
}

static int load(struct files *f, struct one *one, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(FILE_MAX);
	uint8_t digest[SHA256_BYTES];
	int r = file_read_whole(f->dir, one->path, &text, err);

	if (r < 0)
		return r;
	one_unload(one);
	if (one->is_page && !f->is_fresh)
		rewrite(f, buf_str(&text), &one->plain);
	else
		buf_add_str(&one->plain, buf_str(&text));
	r = buf_check(&one->plain, err);
	if (r < 0)
		return r;
	sha256(one->plain.p, one->plain.n, digest);
	hex_encode(digest, sizeof(digest), one->tag);
	one->tag[32] = '\0';
	if (one->is_page)
		one->policy = policy_of_page(buf_str(&one->plain), one->may == markup);
	else
		one->policy = xstrdup(one->may);
	if (!f->is_fresh && one->plain.n > 200 && is_text(media_of(one->path))) {
		if (!files_compress(buf_str(&one->plain), 9, &one->packed) ||
			one->packed.n + 100 > one->plain.n)
			buf_reset(&one->packed);
	}
	one->is_loaded = true;
	return 0;
}

/* ---- answering ---- */

/* Without the hash that makes it immutable; *ret_is_kept says that it was there and right. */
static struct str without_hash(
	const struct files *f, struct str path, struct buf *room, bool *ret_is_kept)
{
	static const char *const prefixes[] = { "/ui/", "/vendor/" };
	const char *hashes[] = { f->ui_hash, f->vendor_hash };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (path.n > n + HASH_DIGITS && str_starts(path, prefixes[i]) &&
			memcmp(path.p + n, hashes[i], HASH_DIGITS) == 0 &&
			path.p[n + HASH_DIGITS] == '/') {
			buf_adds(room, prefixes[i]);
			buf_add(room, path.p + n + HASH_DIGITS + 1, path.n - n - HASH_DIGITS - 1);
			*ret_is_kept = true;
			return buf_str(room);
		}
	}
	return path;
}

static bool accepts_gzip(const struct exchange *x)
{
	struct str list = exchange_header(x, "Accept-Encoding");

	while (list.p) {
		struct str item = str_trim(str_cut(&list, ',')),
			   name = str_trim(str_cut(&item, ';'));

		if (str_is(name, "gzip"))
			return !item.p || !str_is(str_trim(item), "q=0");
	}
	return false;
}

static void say(struct files *f, struct exchange *x, struct one *one, bool is_kept)
{
	bool packed = one->packed.n > 0 && accepts_gzip(x);
	struct str body = buf_str(packed ? &one->packed : &one->plain);

	exchange_set(x, "Content-Type", "%s", media_of(one->path));
	exchange_set(x, "ETag", "\"%s%s\"", one->tag, packed ? "-gz" : "");
	exchange_set(x, "Cache-Control", "%s",
		is_kept ? "public, max-age=31536000, immutable" : "no-cache");
	exchange_set(x, "Content-Security-Policy", "%s", one->policy);
	if (one->packed.n > 0)
		exchange_set(x, "Vary", "Accept-Encoding");
	if (packed)
		exchange_set(x, "Content-Encoding", "gzip");
	if (one->is_page) {
		exchange_set(x, "Cross-Origin-Opener-Policy", "same-origin");
		exchange_set(x, "Permissions-Policy", "camera=(), microphone=(), geolocation=()");
	}
	if (f->is_fresh)
		buf_add_str(&x->reply, body);
	else
		x->fixed = body;
	x->is_conditional = true;
}

int files_answer(struct files *f, struct exchange *x, struct str path, struct err *err)
{
	_cleanup_(buf_done) struct buf room = BUF_INIT_MAX(EXCHANGE_MAX_TARGET + 1);
	_cleanup_(freep) char *url = NULL;
	bool is_kept = false;
	struct one *one, key;
	int r = 0;

	url = str_dup(without_hash(f, path, &room, &is_kept));
	key.url = url;
	one = f->count ? bsearch(&key, f->list, f->count, sizeof(*f->list), by_url) : NULL;
	if (!one)
		return err_set(err, ERR_NOTFOUND, tr("there is nothing at this address"));
	(void)pthread_mutex_lock(&f->lock);
	if (!one->is_loaded || f->is_fresh)
		r = load(f, one, err);
	if (r == 0)
		say(f, x, one, is_kept);
	(void)pthread_mutex_unlock(&f->lock);
	return r;
}
