/* verbs_compare.c - `differences`: two versions beside each other; `proof`: where a version stands in the signed
 * history, and how anybody checks that; `suggest`: what somebody who has typed a few characters may mean. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/changes.h"
#include "core/archive/say.h"
#include "core/archive/show.h"

#include "core/base/hash.h"
#include "core/base/hex.h"
#include "core/base/tr.h"

enum { ENVELOPES_MAX = 200, SUGGEST_DEFAULT = 8, SUGGEST_MAX = 20, SUGGEST_QUERY_MAX = 200 };

/* ---- differences ---- */

static int open_version(struct archive *a, const struct record_head *head, int64_t version,
	struct edition *ret, struct err *err)
{
	if (version < 1 || (uint64_t)version > head->version)
		return err_set(err, ERR_NOTFOUND,
			tr("record '%s' has no version %lld; its newest is %llu"), head->number,
			(long long)version, (unsigned long long)head->version);
	return edition_open(a, head, (uint64_t)version, ret, err);
}

static int compare(struct archive *a, struct verb_call *call, const struct record_head *head,
	int64_t from, int64_t to, struct err *err)
{
	struct edition before, after;
	struct buf *b = call->reply;
	int r = open_version(a, head, from, &before, err);

	if (r < 0)
		return r;
	r = open_version(a, head, to, &after, err);
	if (r < 0) {
		edition_done(&before);
		return r;
	}
	say_id(b, "record", &head->record);
	say_cstr(b, "number", head->number);
	say_int(b, "from", from);
	say_int(b, "to", to);
	say_list(b, "fields");
	changes_say(a, &before, &after, CHANGES_MEMBERS, b);
	say_end_list(b);
	say_list(b, "parts");
	changes_say(a, &before, &after, CHANGES_PARTS, b);
	say_end_list(b);
	say_list(b, "text");
	r = changes_say_texts(a, &before, &after, b, err);
	say_end_list(b);
	edition_done(&after);
	edition_done(&before);
	return r;
}

int verb_differences(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "from", "to", NULL };
	struct record_head head;
	int64_t from = 0, to = 0;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_may_int(call->args, "from", 1, INT64_MAX, &from, err)) < 0 ||
		(r = json_may_int(call->args, "to", 1, INT64_MAX, &to, err)) < 0 ||
		(r = reading_find(a, call->args, &head, err)) < 0)
		return r;
	if (to == 0)
		to = (int64_t)head.version;
	if (from == 0)
		from = to - 1;
	if (from == 0)
		r = err_set(err, ERR_INVALID,
			tr("record '%s' has one version: there is nothing to compare it with"),
			head.number);
	else
		r = compare(a, call, &head, from, to, err);
	record_head_done(&head);
	return r;
}

/* ---- proof ---- */

/* What stands between the signed history and the bytes, for the page that shows it. */
static void say_envelope(struct buf *b, const char *kind, const struct slip_blob *blob)
{
	say_map(b, NULL);
	say_cstr(b, "kind", kind);
	say_int(b, "volume", blob->volume);
	say_int(b, "bytes", (int64_t)blob->bytes);
	say_hex(b, "sha256", blob->sha256.b, sizeof(blob->sha256.b));
	say_oid(b, "object", &blob->oid);
	say_end_map(b);
}

static void say_envelopes(struct buf *b, const struct slip *slip)
{
	say_int(b, "envelope_count", (int64_t)slip->part_count + 1);
	say_list(b, "envelopes");
	say_envelope(b, "manifest", &slip->manifest);
	for (size_t i = 0; i < slip->part_count && i < ENVELOPES_MAX; i++)
		say_envelope(b, "part", &slip->parts[i].blob);
	say_end_list(b);
}

/* For a shell, whatever stands in it. */
static void quote(struct buf *b, struct str text)
{
	buf_addc(b, '\'');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, text.p[i]);
	}
	buf_addc(b, '\'');
}

static void say_command(struct buf *b, struct buf *line)
{
	say_item(b, buf_str(line));
	buf_reset(line);
}

/* What somebody with the volume, and no trust in this program, types. */
static void say_commands(struct archive *a, const struct record_head *head, const struct edition *e,
	const struct oid *commit, uint32_t volume, struct buf *b)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT, path = BUF_INIT, object = BUF_INIT;
	char hex[2 * OID_BYTES + 1];

	quote(&path, str_of(a->path));
	(void)hex_encode(commit->b, OID_BYTES, hex);
	buf_addf(&object, "%s:%s/v%llu", hex, head->folder, (unsigned long long)e->version);
	say_list(b, "commands");
	buf_addf(
		&line, "git clone --mirror %s/volumes/%04u.git copy.git", path.p, (unsigned)volume);
	say_command(b, &line);
	buf_addf(&line, "muniment --archive %s signers --output signers", path.p);
	say_command(b, &line);
	buf_addf(&line, "muniment --archive %s checkpoint --output checkpoint.txt", path.p);
	say_command(b, &line);
	buf_addf(&line,
		"git -C copy.git -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=\"$PWD/signers\" "
		"verify-commit %s",
		hex);
	say_command(b, &line);
	buf_adds(&line, "git -C copy.git show ");
	quote(&line, buf_str(&object));
	buf_adds(&line, " | sha256sum");
	say_command(b, &line);
	if (e->slip.manifest.volume == volume) {
		(void)hex_encode(e->slip.manifest.oid.b, OID_BYTES, hex);
		buf_addf(&line, "git -C copy.git cat-file blob %s | sha256sum", hex);
		say_command(b, &line);
	}
	buf_adds(&line, "scripts/verify-archive.sh copy.git signers checkpoint.txt");
	say_command(b, &line);
	say_end_list(b);
}

static int say_proof(struct archive *a, struct verb_call *call, const struct record_head *head,
	const struct edition *e, struct err *err)
{
	struct show_commits commits;
	struct row_commit made;
	struct digest slip;
	struct buf *b = call->reply;
	int r;

	show_commits_find(a, &head->record, &commits);
	r = commits.known ? row_commit_of(&commits.text, e->version, &made, err)
			  : err_set(err, ERR_NOTFOUND,
				    tr("the registry does not know this version yet: try again"));
	show_commits_done(&commits);
	if (r < 0)
		return r;
	sha256(e->slip_text.p, e->slip_text.n, slip.b);
	say_id(b, "record", &head->record);
	say_cstr(b, "number", head->number);
	say_int(b, "version", (int64_t)e->version);
	show_commit(a, made.volume, &made.commit, b);
	say_text(b, "path", (struct str){ head->folder, strlen(head->folder) });
	say_hex(b, "slip_sha256", slip.b, sizeof(slip.b));
	say_text(b, "slip", buf_str(&e->slip_text));
	say_envelopes(b, &e->slip);
	say_commands(a, head, e, &made.commit, made.volume, b);
	return 0;
}

int verb_proof(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "number", "record", "version", NULL };
	struct record_head head;
	struct edition e;
	int64_t version = 0;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_may_int(call->args, "version", 1, INT64_MAX, &version, err)) < 0 ||
		(r = reading_find(a, call->args, &head, err)) < 0)
		return r;
	r = open_version(a, &head, version ? version : (int64_t)head.version, &e, err);
	if (r == 0) {
		r = say_proof(a, call, &head, &e, err);
		edition_done(&e);
	}
	record_head_done(&head);
	return r;
}

/* ---- suggest ---- */

/* A beginning of a word or number, as far as the grammar knows one: `召回*` means nothing for Chinese, which is found
 * anywhere. */
static void say_beginning(struct buf *b, struct str query)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	unsigned char last = query.n ? (unsigned char)query.p[query.n - 1] : 0;

	buf_add_str(&text, query);
	if (last < 0x80 && ((last >= '0' && last <= '9') || (last >= 'A' && last <= 'Z') ||
				   (last >= 'a' && last <= 'z')))
		buf_addc(&text, '*');
	say_text(b, "query", buf_str(&text));
}

static int search_for(struct archive *a, struct verb_call *call, struct str query, int64_t limit,
	struct json **ret, struct err *err)
{
	_cleanup_(buf_wipe) struct buf request = BUF_INIT, reply = BUF_INIT;
	_cleanup_(json_freep) struct json *args = NULL;
	struct verb_call inner = *call;
	int r;

	say_map(&request, NULL);
	say_beginning(&request, query);
	say_int(&request, "limit", limit);
	say_bool(&request, "snippets", false);
	say_end_map(&request);
	r = buf_check(&request, err);
	if (r == 0)
		r = json_parse(buf_str(&request), NULL, 0, &args, err);
	if (r < 0)
		return r;
	inner.args = args;
	inner.reply = &reply;
	buf_addc(&reply, '{');
	r = verb_search(a, &inner, err);
	buf_addc(&reply, '}');
	return r < 0 ? r : json_parse(buf_str(&reply), NULL, 0, ret, err);
}

static void say_suggestion(struct buf *b, const struct json *hit, const char *kind, struct str text)
{
	struct str record;

	say_map(b, NULL);
	say_text(b, "text", text);
	say_cstr(b, "kind", kind);
	if (json_need_text(hit, "record", &record, NULL) == 0)
		say_text(b, "record", record);
	say_end_map(b);
}

static bool has_beginning(struct str text, struct str what)
{
	for (size_t i = 0; i < what.n; i++) {
		char c = i < text.n ? text.p[i] : 0, d = what.p[i];

		if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) !=
			(d >= 'a' && d <= 'z' ? d - 'a' + 'A' : d))
			return false;
	}
	return true;
}

static void say_hits(struct buf *b, const struct json *reply, struct str query)
{
	const struct json *hits;

	if (json_need_list(reply, "hits", &hits, NULL) < 0)
		return;
	for (size_t i = 0; i < json_list_count(hits); i++) {
		const struct json *hit = json_list_at(hits, i);
		struct str number, title;

		if (json_need_text(hit, "number", &number, NULL) < 0 ||
			json_need_text(hit, "title", &title, NULL) < 0)
			continue;
		if (has_beginning(number, query))
			say_suggestion(b, hit, "number", number);
		else
			say_suggestion(b, hit, "title", title);
	}
}

/* Titles and numbers of what would be found: the same search, so the same rights, and nothing is kept of what anybody
 * typed. */
int verb_suggest(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "query", "limit", NULL };
	_cleanup_(json_freep) struct json *reply = NULL;
	int64_t limit = SUGGEST_DEFAULT;
	struct str query;
	int r = args_only(call, names, err);

	if (r < 0 || (r = json_need_text(call->args, "query", &query, err)) < 0 ||
		(r = json_may_int(call->args, "limit", 1, SUGGEST_MAX, &limit, err)) < 0)
		return r;
	query = str_trim(query);
	/* Half a query (an open quotation mark, a field without value) is no mistake while somebody types. */
	if (query.n > 0 && query.n <= SUGGEST_QUERY_MAX) {
		r = search_for(a, call, query, limit, &reply, err);
		if (r < 0 && r != -ERR_INVALID && r != -ERR_LIMIT)
			return r;
	}
	say_list(call->reply, "suggestions");
	if (reply)
		say_hits(call->reply, reply, query);
	say_end_list(call->reply);
	return 0;
}
