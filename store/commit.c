/* commit.c - see commit.h; FORMAT.md, section 8, has the lines.
 *
 * A commit is written in one piece into the caller's buf, and signed there: what git verifies is
 * the commit without its gpgsig header, so the header is put in between after the rest was signed.
 *
 *   tree, parent, author, committer | gpgsig ... | empty line, subject, empty line, trailers
 *
 * Values that no action of Muniment has (a first commit with a parent, a list of one file) are
 * neither written nor read; commit_is_sound holds these rules for both sides. */
#include "store/commit.h"

#include "store/lines.h"

#include "core/base/tr.h"

#include <stdlib.h>

/* Git's dates end where the year has five digits. */
#define TIME_MAX ((uint64_t)253402300799)

static const char key_type[] = "ssh-ed25519";
static const char begin_line[] = "-----BEGIN SSH SIGNATURE-----";
static const char end_line[] = " -----END SSH SIGNATURE-----\n";

static const char *const act_names[] = {
	[ACT_OPEN] = "open",
	[ACT_FILE] = "file",
	[ACT_REVISE] = "revise",
	[ACT_DESTROY] = "destroy",
	[ACT_KEYS] = "keys",
};

const char *commit_act_name(enum commit_act act)
{
	return (unsigned)act < ACT_COUNT ? act_names[act] : "";
}

static bool is_opaque(struct str name)
{
	if (name.n == 0 || name.n > COMMIT_ACCOUNT_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

static bool has_file(enum commit_act act)
{
	return act != ACT_OPEN && act != ACT_KEYS;
}

static bool file_is_sound(const struct commit *c)
{
	if (!line_path_is_fit(c->file.path))
		return false;
	return !c->is_list || (c->files > 1 && !memchr(c->file.path.p, ' ', c->file.path.n));
}

static bool signers_are_sound(const struct commit *c)
{
	if (c->signer_count == 0 || c->signer_count > COMMIT_MAX_SIGNERS)
		return false;
	for (size_t i = 0; i < c->signer_count; i++)
		if (!is_opaque(c->signers[i].signer) ||
			(c->signers[i].retires && c->act == ACT_OPEN))
			return false;
	return true;
}

static bool commit_is_sound(const struct commit *c)
{
	if ((unsigned)c->act >= ACT_COUNT || c->time < 0 || (uint64_t)c->time > TIME_MAX ||
		c->volume == 0 || c->actions == 0 || !is_opaque(c->account) ||
		!is_opaque(c->signer) || !line_text_is_fit(c->subject))
		return false;
	if (oid_is_zero(&c->parent) != (c->act == ACT_OPEN))
		return false;
	if (digest_is_zero(&c->previous) != (c->actions == 1))
		return false;
	if (c->act == ACT_OPEN && (c->last_volume + 1 != c->volume ||
					  oid_is_zero(&c->last) != (c->last_volume == 0) ||
					  digest_is_zero(&c->checkpoint) != (c->last_volume == 0)))
		return false;
	return has_file(c->act) ? file_is_sound(c) : signers_are_sound(c);
}

static void add_person(struct buf *b, const char *role, struct str name, const struct commit *c)
{
	buf_adds(b, role);
	buf_add_str(b, name);
	buf_adds(b, " <");
	buf_add_str(b, name);
	buf_addc(b, '@');
	hex_add(b, c->archive.b, sizeof(c->archive.b));
	buf_addc(b, '>');
	word_add_u64(b, (uint64_t)c->time);
	buf_adds(b, " +0000\n");
}

static void add_header(struct buf *b, const struct commit *c)
{
	line_add_hex(b, "tree ", c->tree.b, sizeof(c->tree.b));
	if (c->act != ACT_OPEN)
		line_add_hex(b, "parent ", c->parent.b, sizeof(c->parent.b));
	add_person(b, "author ", c->account, c);
	add_person(b, "committer ", STR("server"), c);
}

static void add_file(struct buf *b, const struct commit *c)
{
	buf_adds(b, c->is_list ? "List:" : "Slip:");
	word_add_hex(b, c->file.sha256.b, sizeof(c->file.sha256.b));
	buf_addc(b, ' ');
	buf_add_str(b, c->file.path);
	if (c->is_list)
		word_add_u64(b, c->files);
	buf_addc(b, '\n');
}

static void add_open(struct buf *b, const struct commit *c)
{
	buf_adds(b, "Format: 1\nDemonstration: ");
	buf_adds(b, c->demonstration ? "yes\nLast:" : "no\nLast:");
	word_add_u64(b, c->last_volume);
	if (c->last_volume) {
		word_add_hex(b, c->last.b, sizeof(c->last.b));
		buf_addc(b, '\n');
	} else {
		buf_adds(b, " none\n");
	}
	line_add_hex(b, "Checkpoint: ", c->checkpoint.b, sizeof(c->checkpoint.b));
}

static void add_signers(struct buf *b, const struct commit *c)
{
	for (size_t i = 0; i < c->signer_count; i++) {
		buf_adds(b, c->signers[i].retires ? "Retire: " : "Enrol: ");
		buf_add_str(b, c->signers[i].signer);
		buf_addc(b, ' ');
		buf_adds(b, key_type);
		buf_addc(b, ' ');
		public_key_add(b, &c->signers[i].key);
		buf_addc(b, '\n');
	}
}

static void add_message(struct buf *b, const struct commit *c)
{
	buf_addc(b, '\n');
	line_add_text(b, "", c->subject);
	buf_addc(b, '\n');
	line_add_hex(b, "Archive: ", c->archive.b, sizeof(c->archive.b));
	line_add_u64(b, "Volume: ", c->volume);
	line_add_text(b, "Act: ", str_of(commit_act_name(c->act)));
	line_add_hex(b, "Action: ", c->action.b, sizeof(c->action.b));
	line_add_text(b, "Account: ", c->account);
	line_add_u64(b, "Uid: ", c->uid);
	line_add_text(b, "Signer: ", c->signer);
	line_add_u64(b, "Actions: ", c->actions);
	line_add_u64(b, "Records: ", c->records);
	line_add_hex(b, "Previous: ", c->previous.b, sizeof(c->previous.b));
	if (has_file(c->act)) {
		add_file(b, c);
		return;
	}
	if (c->act == ACT_OPEN)
		add_open(b, c);
	add_signers(b, c);
}

/* An armored signature as a header: every line but the first begins with a space. */
static void add_folded(struct buf *b, struct str armored)
{
	buf_adds(b, "gpgsig");
	while (armored.p) {
		buf_addc(b, ' ');
		buf_add_str(b, str_cut(&armored, '\n'));
		buf_addc(b, '\n');
	}
}

void commit_format(const struct commit *c, const struct signer *signer, struct buf *ret)
{
	struct buf armored = BUF_INIT, folded = BUF_INIT;
	size_t start = ret->n, message, tail;

	if (!commit_is_sound(c)) {
		ret->failed = true;
		return;
	}
	add_header(ret, c);
	message = ret->n;
	add_message(ret, c);
	tail = ret->n - message;
	sshsig_sign(signer, "git", ret->p + start, ret->n - start, &armored);
	add_folded(&folded, buf_str(&armored));
	if (buf_extend(ret, folded.n)) {
		memmove(ret->p + message + folded.n, ret->p + message, tail);
		memcpy(ret->p + message, folded.p, folded.n);
	}
	if (ret->n - start > COMMIT_MAX_BYTES)
		ret->failed = true;
	buf_done(&armored);
	buf_done(&folded);
}

/* "<name> <<name>@<archive>> <time> +0000"; the archive is compared later, when its trailer was
 * read. */
static struct str read_person(
	struct lines *l, const char *role, struct id *ret_archive, int64_t *ret_time)
{
	struct str name, mail, inner;
	uint64_t when;

	lines_take(l, role);
	name = line_word(l);
	mail = line_word(l);
	when = line_u64(l, 0, TIME_MAX);
	if (!str_is(line_word(l), "+0000"))
		(void)lines_fail(l);
	line_end(l);
	if (l->r < 0)
		return STR("");
	if (!str_starts(mail, "<") || !str_ends(mail, ">")) {
		(void)lines_fail(l);
		return STR("");
	}
	inner = (struct str){ mail.p + 1, mail.n - 2 };
	if (!str_eq(str_cut(&inner, '@'), name) ||
		hex_decode(inner, ret_archive->b, sizeof(ret_archive->b), NULL) < 0)
		(void)lines_fail(l);
	*ret_time = (int64_t)when;
	return name;
}

static void read_signature(struct lines *l)
{
	lines_take(l, "gpgsig ");
	if (l->r == 0 && !str_is(l->words, begin_line))
		(void)lines_fail(l);
	while (lines_next_is(l, " ") && !lines_next_is(l, end_line))
		lines_take(l, " ");
	lines_take(l, " -----END SSH SIGNATURE-----");
}

/* Both people, the signature and the trailers up to `Previous`. */
static void read_common(struct lines *l, struct commit *c)
{
	struct id author = { { 0 } }, committer = { { 0 } };
	struct str name;
	int64_t time = 0;

	lines_hex(l, "tree ", c->tree.b, sizeof(c->tree.b));
	if (lines_next_is(l, "parent "))
		lines_hex(l, "parent ", c->parent.b, sizeof(c->parent.b));
	name = read_person(l, "author ", &author, &c->time);
	if (!str_is(read_person(l, "committer ", &committer, &time), "server") || time != c->time)
		(void)lines_fail(l);
	read_signature(l);
	lines_exact(l, "");
	c->subject = lines_text(l, "");
	lines_exact(l, "");
	lines_hex(l, "Archive: ", c->archive.b, sizeof(c->archive.b));
	if (!id_equal(&c->archive, &author) || !id_equal(&c->archive, &committer))
		(void)lines_fail(l);
	c->volume = (uint32_t)lines_u64(l, "Volume: ", 1, UINT32_MAX);
	lines_take(l, "Act: ");
	while (c->act < ACT_COUNT && l->r == 0 && !str_is(l->words, act_names[c->act]))
		c->act++;
	if (c->act == ACT_COUNT)
		(void)lines_fail(l);
	lines_hex(l, "Action: ", c->action.b, sizeof(c->action.b));
	c->account = lines_text(l, "Account: ");
	if (!str_eq(c->account, name))
		(void)lines_fail(l);
	c->uid = (uint32_t)lines_u64(l, "Uid: ", 0, UINT32_MAX);
	c->signer = lines_text(l, "Signer: ");
	c->actions = lines_u64(l, "Actions: ", 1, LINES_MAX_COUNT);
	c->records = lines_u64(l, "Records: ", 0, LINES_MAX_COUNT);
	lines_hex(l, "Previous: ", c->previous.b, sizeof(c->previous.b));
}

static void read_file(struct lines *l, struct commit *c)
{
	c->is_list = lines_next_is(l, "List: ");
	lines_take(l, c->is_list ? "List: " : "Slip: ");
	line_hex(l, c->file.sha256.b, sizeof(c->file.sha256.b));
	if (c->is_list) {
		c->file.path = line_word(l);
		c->files = line_u64(l, 2, LINES_MAX_COUNT);
		line_end(l);
	} else {
		c->file.path = line_text(l);
	}
}

static void read_open(struct lines *l, struct commit *c)
{
	lines_exact(l, "Format: 1");
	c->demonstration = lines_next_is(l, "Demonstration: yes\n");
	lines_exact(l, c->demonstration ? "Demonstration: yes" : "Demonstration: no");
	lines_take(l, "Last: ");
	c->last_volume = (uint32_t)line_u64(l, 0, UINT32_MAX - 1);
	if (c->last_volume)
		line_hex(l, c->last.b, sizeof(c->last.b));
	else if (!str_is(line_word(l), "none"))
		(void)lines_fail(l);
	line_end(l);
	lines_hex(l, "Checkpoint: ", c->checkpoint.b, sizeof(c->checkpoint.b));
}

static void read_signers(struct lines *l, struct signer_line *signers, size_t count)
{
	for (size_t i = 0; i < count && l->r == 0; i++) {
		struct signer_line *s = &signers[i];

		s->retires = lines_next_is(l, "Retire: ");
		lines_take(l, s->retires ? "Retire: " : "Enrol: ");
		s->signer = line_word(l);
		if (!str_is(line_word(l), key_type) ||
			public_key_parse(line_word(l), &s->key, NULL) < 0)
			(void)lines_fail(l);
		line_end(l);
	}
}

int commit_parse(struct str text, struct commit *ret, void **ret_memory, struct err *err)
{
	_cleanup_(freep) struct signer_line *signers = NULL;
	struct commit c = { .file.path = STR("") };
	struct lines l;

	lines_init(&l, tr("commit"), text, COMMIT_MAX_BYTES, err);
	read_common(&l, &c);
	if (l.r < 0)
		return l.r;
	if (has_file(c.act)) {
		read_file(&l, &c);
	} else {
		if (c.act == ACT_OPEN)
			read_open(&l, &c);
		c.signer_count = lines_count(&l, "", COMMIT_MAX_SIGNERS);
		if (c.signer_count > COMMIT_MAX_SIGNERS)
			return err_set(err, ERR_LIMIT, tr("a commit names more than %d signers"),
				COMMIT_MAX_SIGNERS);
		signers = xcalloc(c.signer_count + 1, sizeof(*signers));
		read_signers(&l, signers, c.signer_count);
		c.signers = signers;
	}
	if (lines_end(&l) < 0)
		return l.r;
	if (!commit_is_sound(&c))
		return err_set(err, ERR_CORRUPT, tr("a commit contradicts itself"));
	*ret = c;
	*ret_memory = TAKE_PTR(signers);
	return 0;
}

/* Where the one gpgsig header stands: it must be the last header. */
static bool find_signature(struct str text, size_t *ret_begin, size_t *ret_end)
{
	static const char name[] = "\ngpgsig ";
	const char *end = memmem(text.p, text.n, "\n\n", 2);
	const char *begin = end ? memmem(text.p, (size_t)(end - text.p), name, strlen(name)) : NULL;

	if (!begin)
		return false;
	/* Up to the end of the headers, every line belongs to it. */
	for (const char *p = begin + 1; p < end; p++)
		if (*p == '\n' && p[1] != ' ')
			return false;
	*ret_begin = (size_t)(begin + 1 - text.p);
	*ret_end = (size_t)(end + 1 - text.p);
	return true;
}

int commit_verify(struct str text, struct public_key *ret, struct err *err)
{
	struct buf payload = BUF_INIT, armored = BUF_INIT;
	size_t begin, end;
	struct str folded;
	int r;

	if (text.n > COMMIT_MAX_BYTES || !find_signature(text, &begin, &end))
		return err_set(err, ERR_CORRUPT, tr("a commit has no signature"));
	buf_add(&payload, text.p, begin);
	buf_add(&payload, text.p + end, text.n - end);
	folded = (struct str){ text.p + begin, end - 1 - begin };
	folded.p += strlen("gpgsig ");
	folded.n -= strlen("gpgsig ");
	while (folded.p) {
		buf_add_str(&armored, str_cut(&folded, '\n'));
		if (folded.p) {
			buf_addc(&armored, '\n');
			folded.p++;
			folded.n--;
		}
	}
	r = sshsig_verify(buf_str(&armored), "git", payload.p, payload.n, ret, err);
	if (r == -ERR_INVALID)
		r = err_set(err, ERR_CORRUPT, tr("a commit's signature is malformed"));
	buf_done(&payload);
	buf_done(&armored);
	return r;
}
