/* extract.c - the caller's side of text extraction; see extract.h. Nothing here looks into a
 * document. */
#include "search/extract.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/tr.h"
#include "search/extract_kind.h"
#include "search/extract_job.h"
#include "search/jail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files inside a document, all together; and what an answer holds beside text and files. */
enum { MAX_FILE_BYTES = 64 << 20, ANSWER_OVERHEAD_BYTES = 20 << 20 };

enum { MAX_ARGUMENTS = 16, ARGUMENT_BYTES = 24 };

/* ---- where the helper is ---- */

static bool is_program(struct buf *ret, struct str folder, const char *name)
{
	buf_reset(ret);
	buf_add_str(ret, folder);
	buf_adds(ret, name);
	return !ret->failed && access(ret->p, X_OK) == 0;
}

int extract_helper_path(struct buf *ret, struct err *err)
{
	const char *asked = secure_getenv("MUNIMENT_EXTRACT");
	struct str folder = STR("");
	char self[4096];
	ssize_t n;

	if (asked && *asked) {
		buf_adds(ret, asked);
		return buf_check(ret, err);
	}
	n = readlink("/proc/self/exe", self, sizeof(self));
	if (n > 0 && (size_t)n < sizeof(self))
		folder = (struct str){ self, (size_t)n };
	while (folder.n > 0 && folder.p[folder.n - 1] != '/')
		folder.n--;
	/* Beside us, installed below the same prefix, or where the build was told to install. */
	if ((folder.n > 0 && is_program(ret, folder, "muniment-extract")) ||
		(folder.n > 0 && is_program(ret, folder, "../libexec/muniment/muniment-extract")) ||
		is_program(ret, STR(MUNIMENT_LIBEXECDIR), "/muniment-extract"))
		return 0;
	buf_reset(ret);
	return err_set(err, ERR_NOTFOUND,
		tr("the program 'muniment-extract', which reads documents, is not installed"));
}

const char *extract_type_of_name(const char *name)
{
	enum extract_kind kind = kind_of_name(name);

	return kind == KIND_OTHER ? NULL : kind_media_type(kind);
}

/* Kinds of text go for each other: that a .md is Markdown is known from its name only. A container
 * that could not be opened may be what its name says. */
static bool differs(const char *name, const struct extracted *e)
{
	const char *promised = extract_type_of_name(name);

	if (!promised || !e->media_type[0] || strcmp(promised, e->media_type) == 0)
		return false;
	if (e->reason != EXTRACT_OK && e->reason != EXTRACT_TYPE &&
		(strcmp(e->media_type, kind_media_type(KIND_ZIP)) == 0 ||
			strcmp(e->media_type, kind_media_type(KIND_OLE)) == 0))
		return false;
	return strncmp(promised, "text/", 5) != 0 || strncmp(e->media_type, "text/", 5) != 0 ||
	       strcmp(e->media_type, kind_media_type(KIND_RTF)) == 0;
}

static enum extract_hint hint_of(const char *name)
{
	switch (kind_of_name(name)) {
	case KIND_TEXT:
		return HINT_TEXT;
	case KIND_MARKDOWN:
		return HINT_MARKDOWN;
	case KIND_CSV:
		return HINT_CSV;
	case KIND_HTML:
		return HINT_HTML;
	case KIND_MAIL:
		return HINT_MAIL;
	default:
		return HINT_NONE;
	}
}

/* ---- one job ---- */

/* A document with all that is inside it: first itself, then what it holds, in the order found. */
struct answered {
	struct buf bytes; /* what `text` looks into */
	struct extracted *text;
	uint32_t attachment;
	struct str name; /* of the attachment; looks into the bytes of an earlier one */
};

struct run {
	const struct extract_options *options;
	const char *helper;
	int64_t deadline;
	struct answered *parts;
	size_t count, room;
	uint32_t attachments;
	uint64_t text_left;
	uint32_t scan_first, scan_count;
	bool is_cut;
};

static enum extract_reason reason_of(const struct jail_result *result)
{
	switch (result->end) {
	case JAIL_TIMED_OUT:
		return EXTRACT_TIMED_OUT;
	case JAIL_EXITED:
		return result->status == 0 ? EXTRACT_OK : EXTRACT_CRASHED;
	case JAIL_SIGNALLED:
		/* A kill that is not ours comes from the kernel when memory is out. */
		return result->status == SIGSYS	   ? EXTRACT_FORBIDDEN
		       : result->status == SIGXCPU ? EXTRACT_TIMED_OUT
		       : result->status == SIGKILL ? EXTRACT_MEMORY
						   : EXTRACT_CRASHED;
	case JAIL_FLOODED:
		break;
	}
	return EXTRACT_CRASHED;
}

static int ask(struct run *run, int input, enum extract_hint hint, struct buf *output,
	struct jail_result *result, struct err *err)
{
	const struct extract_options *o = run->options;
	const uint64_t values[] = { o->max_unpacked_bytes, run->text_left, MAX_FILE_BYTES,
		o->max_ratio, o->max_members, o->max_attachments, o->max_memory_bytes,
		o->max_cpu_seconds, o->allow_unjailed, hint, run->scan_first, run->scan_count };
	char text[ARRAY_LEN(values)][ARGUMENT_BYTES];
	const char *argv[ARRAY_LEN(values) + 2] = { "muniment-extract" };
	struct jail_job job = { .program = run->helper,
		.argv = argv,
		.input = input,
		.max_output_bytes = output->max,
		.deadline = run->deadline,
		.cancel = o->cancel };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%llu", (unsigned long long)values[i]);
		argv[i + 1] = text[i];
	}
	return jail_run(&job, output, result, err);
}

/* What the helper answers to one document, as text; what it does wrong becomes a reason. */
static int run_job(struct run *run, int input, const char *name, struct buf *bytes,
	struct wire_answer *ret, struct err *err)
{
	enum extract_reason reason = EXTRACT_NO_PROGRAM;
	struct jail_result result;
	int r = ask(run, input, hint_of(name), bytes, &result, err);

	if (r < 0 && r != -ERR_NOTFOUND && r != -ERR_DENIED)
		return r;
	if (r == 0)
		reason = reason_of(&result);
	if (reason == EXTRACT_OK && wire_parse(buf_str(bytes), run->text_left, ret, NULL) < 0)
		reason = EXTRACT_CRASHED;
	if (reason == EXTRACT_OK)
		return 0;
	*ret = (struct wire_answer){ .text = xcalloc(1, sizeof(*ret->text)) };
	ret->text->reason = reason;
	return 0;
}

static struct answered *add_part(struct run *run)
{
	if (run->count == run->room) {
		size_t room = run->room ? run->room * 2 : 4;
		struct answered *parts = reallocarray(run->parts, room, sizeof(*parts));

		if (!parts)
			return NULL;
		run->parts = parts;
		run->room = room;
	}
	run->parts[run->count] = (struct answered){ .text = NULL };
	return &run->parts[run->count++];
}

static int memfd_of(struct str bytes, struct err *err)
{
	_cleanup_(closep) int fd = jail_memfd_new(err);
	int r;

	if (fd < 0)
		return fd;
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, tr("cannot make a file in memory"));
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	r = jail_memfd_seal(fd, err);
	return r < 0 ? r : TAKE_FD(fd);
}

/* That an attached logo has no text is no loss. */
static bool is_loss(enum extract_reason reason)
{
	return reason != EXTRACT_OK && reason != EXTRACT_EMPTY && reason != EXTRACT_BLANK &&
	       reason != EXTRACT_PICTURE && reason != EXTRACT_TYPE;
}

static int run_document(struct run *run, int fd, struct str name, uint32_t depth, struct err *err);

static int run_file(struct run *run, const struct wire_file *file, uint32_t depth, struct err *err)
{
	_cleanup_(closep) int fd = -1;

	if (depth > run->options->max_nesting ||
		run->attachments >= run->options->max_attachments) {
		run->is_cut = true;
		return 0;
	}
	fd = memfd_of(file->bytes, err);
	if (fd < 0)
		return fd;
	run->attachments++;
	return run_document(run, fd, file->name, depth, err);
}

static int run_document(struct run *run, int fd, struct str name, uint32_t depth, struct err *err)
{
	size_t max = (size_t)run->text_left + MAX_FILE_BYTES + ANSWER_OVERHEAD_BYTES;
	_cleanup_(closep) int input = jail_input(fd, run->options->max_input_bytes, err);
	_cleanup_(wire_answer_done) struct wire_answer answer = { 0 };
	_cleanup_(freep) char *name_copy = str_dup(name);
	struct buf bytes = BUF_INIT_MAX(max);
	struct answered *part;
	int r;

	if (input < 0)
		return input;
	r = run_job(run, input, name_copy, &bytes, &answer, err);
	part = r < 0 ? NULL : add_part(run);
	if (!part) {
		buf_wipe(&bytes);
		return r < 0 ? r : err_set(err, ERR_LIMIT, tr("out of memory"));
	}
	part->bytes = bytes;
	part->text = TAKE_PTR(answer.text);
	part->text->name_differs = differs(name_copy, part->text);
	part->attachment = depth > 0 ? run->attachments : 0;
	part->name = name;
	run->text_left -= part->text->text_bytes;
	run->is_cut |= part->text->is_cut || (depth > 0 && is_loss(part->text->reason));
	for (size_t i = 0; i < answer.file_count && r == 0; i++)
		r = run_file(run, &answer.files[i], depth + 1, err);
	return r;
}

/* ---- one answer out of many ---- */

/* "quote.xlsx: Sheet1", no longer than a label may be. */
static void add_label(struct buf *b, const struct answered *part, struct str label)
{
	buf_add_str(b, part->name);
	if (part->name.n > 0 && label.n > 0)
		buf_adds(b, ": ");
	buf_add_str(b, label);
}

/* Append the pages of a part; texts and labels are copied into `bytes`, and pages hold offsets
 * until all is there. */
static void append(struct extracted *to, struct buf *bytes, const struct answered *part)
{
	for (size_t i = 0; i < part->text->page_count; i++) {
		struct extracted_page page = part->text->pages[i];
		size_t from = bytes->n;

		add_label(bytes, part, page.label);
		page.label = (struct str){ NULL, bytes->n - from };
		buf_add_str(bytes, page.text);
		page.attachment = part->attachment;
		to->pages[to->page_count++] = page;
		to->text_bytes += page.text.n;
	}
}

static struct str keep(struct buf *bytes, struct str text)
{
	buf_add_str(bytes, text);
	return (struct str){ NULL, text.n };
}

/* All parts as one document, which owns its bytes. */
static int merge(const struct run *run, struct extracted **ret, struct err *err)
{
	_cleanup_(extracted_freep) struct extracted *to = xcalloc(1, sizeof(*to));
	const struct extracted *first = run->parts[0].text;
	struct str *const lines[] = { &to->title, &to->author, &to->date };
	struct buf bytes = BUF_INIT_MAX(SIZE_MAX / 2);
	size_t pages = 0;
	const char *at;

	for (size_t i = 0; i < run->count; i++)
		pages += run->parts[i].text->page_count;
	*to = *first;
	to->page_count = to->text_bytes = 0;
	to->pages = pages ? calloc(pages, sizeof(*to->pages)) : NULL;
	to->title = keep(&bytes, first->title);
	to->author = keep(&bytes, first->author);
	to->date = keep(&bytes, first->date);
	for (size_t i = 0; i < run->count && (to->pages || !pages); i++)
		append(to, &bytes, &run->parts[i]);
	if (bytes.failed || (pages && !to->pages)) {
		buf_wipe(&bytes);
		return err_set(err, ERR_LIMIT, tr("out of memory"));
	}
	to->byte_count = bytes.n;
	to->bytes = buf_detach(&bytes);
	at = to->bytes;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		lines[i]->p = at;
		at += lines[i]->n;
	}
	for (size_t i = 0; i < to->page_count; i++) {
		to->pages[i].label.p = at;
		to->pages[i].text.p = at + to->pages[i].label.n;
		at += to->pages[i].label.n + to->pages[i].text.n;
	}
	to->is_cut = run->is_cut;
	if (to->reason == EXTRACT_OK && to->page_count == 0)
		to->reason = EXTRACT_BLANK;
	*ret = TAKE_PTR(to);
	return 0;
}

static struct extracted *only_reason(enum extract_reason reason)
{
	struct extracted *e = xcalloc(1, sizeof(*e));

	e->reason = reason;
	return e;
}

struct wanted {
	const char *name;
	uint32_t scan_first, scan_count;
};

static int extract_input(const struct extract_options *o, int input, const struct wanted *wanted,
	const char *helper, struct extracted **ret, struct err *err)
{
	const char *name = wanted->name;
	struct run run = { .options = o,
		.scan_first = wanted->scan_first,
		.scan_count = wanted->scan_count,
		.helper = helper,
		.deadline = clock_ticks() + (int64_t)o->timeout_ms * 1000000,
		.text_left = o->max_text_bytes };
	int r = run_document(&run, input, str_of(name ? name : ""), 0, err);

	if (r == 0) {
		run.parts[0].name = STR("");
		r = merge(&run, ret, err);
	}
	for (size_t i = 0; i < run.count; i++) {
		extracted_free(run.parts[i].text);
		buf_wipe(&run.parts[i].bytes);
	}
	free(run.parts);
	return r;
}

static int run_wanted(const struct extract_options *o, int fd, const struct wanted *wanted,
	struct extracted **ret, struct err *err)
{
	static const struct extract_options usual = EXTRACT_OPTIONS_DEFAULT;
	_cleanup_(closep) int input = -1;
	struct buf helper = BUF_INIT_MAX(8192);
	enum extract_reason reason = EXTRACT_OK;
	struct stat st;
	int r;

	o = o ? o : &usual;
	input = jail_input(fd, o->max_input_bytes, err);
	if (input < 0 && input != -ERR_LIMIT)
		return input;
	if (input < 0)
		reason = EXTRACT_TOO_LARGE;
	else if (fstat(input, &st) == 0 && st.st_size == 0)
		reason = EXTRACT_EMPTY;
	else if (!o->allow_unjailed && !jail_available())
		reason = EXTRACT_NO_JAIL;
	else if (!o->helper && extract_helper_path(&helper, NULL) < 0)
		reason = EXTRACT_NO_PROGRAM;
	if (reason != EXTRACT_OK) {
		*ret = only_reason(reason);
		buf_done(&helper);
		return 0;
	}
	r = extract_input(o, input, wanted, o->helper ? o->helper : helper.p, ret, err);
	buf_done(&helper);
	return r;
}

int extract(const struct extract_options *o, int fd, const char *name_hint, struct extracted **ret,
	struct err *err)
{
	return run_wanted(o, fd, &(struct wanted){ .name = name_hint }, ret, err);
}

int extract_scan(const struct extract_options *o, int fd, uint32_t first_page, uint32_t pages,
	struct extracted **ret, struct err *err)
{
	struct wanted wanted = { .scan_first = first_page, .scan_count = pages };
	int r = run_wanted(o, fd, &wanted, ret, err);

	if (r == 0) {
		uint32_t left = (*ret)->total >= first_page ? (*ret)->total - first_page + 1 : 1;

		(*ret)->scanned = left < pages ? left : pages;
	}
	return r;
}

bool extract_may_scan(const struct extracted *e)
{
	return e->reason == EXTRACT_PICTURE &&
	       (strcmp(e->media_type, kind_media_type(KIND_PDF)) == 0 ||
		       strncmp(e->media_type, "image/", 6) == 0);
}
