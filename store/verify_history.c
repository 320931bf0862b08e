/* verify_history.c - one volume's main, from its first commit to its head: form, signature, chain,
 * trees, slips, numbers. */
#include "store/verify_private.h"

#include "core/base/hash.h"
#include "core/base/tr.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the list of commits ---- */

/* The oids from the head back to the first commit, newest first. A commit that cannot be read ends
 * it. */
static int list_commits(struct verify *v, uint32_t volume, struct buf *ret, struct err *err)
{
	struct oid at = v->heads[volume - 1].main;

	while (!oid_is_zero(&at)) {
		_cleanup_(buf_done) struct buf content = BUF_INIT_MAX(COMMIT_MAX_BYTES);
		enum object_type type;
		char hex[OID_TEXT];
		struct str rest, line;

		if (store_read(v->store, volume, &at, &type, &content, NULL) < 0 ||
			type != OBJECT_COMMIT) {
			verify_found(v, FAULT_OBJECT, volume, hex_encode(at.b, OID_BYTES, hex),
				tr("this commit is missing or damaged"));
			break;
		}
		buf_add(ret, at.b, OID_BYTES);
		memset(&at, 0, sizeof(at));
		rest = buf_str(&content);
		while (rest.p && (line = str_cut(&rest, '\n')).n)
			if (str_starts(line, "parent ") &&
				oid_parse((struct str){ line.p + 7, line.n - 7 }, &at, NULL) < 0)
				break;
	}
	return buf_check(ret, err);
}

/* ---- signers ---- */

static void enrol(struct verify *v, const struct signer_line *line)
{
	struct verify_signer *s;

	for (size_t i = 0; i < v->signer_count; i++) {
		s = &v->signers[i];
		if (str_eq(s->name, line->signer) &&
			memcmp(&s->key, &line->key, sizeof(s->key)) == 0) {
			s->retired = line->retires;
			return;
		}
	}
	if (line->retires)
		return;
	if (v->signer_count == v->signer_room) {
		v->signer_room = v->signer_room ? v->signer_room * 2 : 8;
		v->signers = realloc(v->signers, v->signer_room * sizeof(*v->signers));
		if (!v->signers)
			abort();
	}
	s = &v->signers[v->signer_count++];
	*s = (struct verify_signer){ { arena_text(v->arena, line->signer), line->signer.n },
		line->key, false };
}

static bool may_sign(const struct verify *v, struct str name, const struct public_key *key)
{
	for (size_t i = 0; i < v->signer_count; i++)
		if (str_eq(v->signers[i].name, name) &&
			memcmp(&v->signers[i].key, key, sizeof(*key)) == 0)
			return !v->signers[i].retired;
	return false;
}

static void check_signature(
	struct verify *v, const struct facts *f, struct str text, const char *where)
{
	const struct commit *c = &f->commit;
	struct public_key key;
	struct err err = ERR_INIT;
	int r = commit_verify(text, &key, &err);

	if (r < 0) {
		verify_found(v, FAULT_SIGNATURE, c->volume, where, "%s", err.text);
		return;
	}
	/* The very first commit enrols the key that signs it; after that only enrolled keys count,
	 * by position. */
	if (v->actions == 0) {
		v->result->anchor = key;
		if (v->options->anchor && memcmp(v->options->anchor, &key, sizeof(key)) != 0)
			verify_found(v, FAULT_SIGNATURE, c->volume, where,
				tr("the first commit is signed by another key than expected: the "
				   "history was written anew"));
		for (size_t i = 0; i < c->signer_count; i++)
			enrol(v, &c->signers[i]);
	}
	if (!may_sign(v, c->signer, &key))
		verify_found(v, FAULT_SIGNATURE, c->volume, where,
			tr("signed by a key that '%.*s' did not have at this place"),
			STR_ARG(c->signer));
	for (size_t i = 0; i < c->signer_count; i++)
		enrol(v, &c->signers[i]);
	if (v->options->checkpoint && c->actions == v->options->checkpoint->actions)
		v->checkpoint_signed =
			may_sign(v, STR(ACCOUNT_SERVER), &v->options->checkpoint->server);
}

/* ---- chain ---- */

static void check_chain(struct verify *v, const struct facts *f, bool first,
	const struct oid *parent, const char *where)
{
	const struct commit *c = &f->commit;
	const uint32_t volume = c->volume;

	if (!id_equal(&c->archive, store_archive(v->store)))
		verify_found(
			v, FAULT_CHAIN, volume, where, tr("this commit is of another archive"));
	if (c->actions != v->actions + 1)
		verify_found(v, FAULT_CHAIN, volume, where, tr("action %llu follows action %llu"),
			(unsigned long long)c->actions, (unsigned long long)v->actions);
	if (!digest_equal(&c->previous, &v->previous))
		verify_found(v, FAULT_CHAIN, volume, where,
			tr("it does not name the SHA-256 of the commit before it"));
	if (c->time < v->last_time)
		verify_found(v, FAULT_CHAIN, volume, where,
			tr("it is dated before the commit before it"));
	if (first != (c->act == ACT_OPEN) || !oid_equal(&c->parent, parent))
		verify_found(v, FAULT_CHAIN, volume, where, tr("it does not stand where it says"));
	if (c->act == ACT_OPEN &&
		(c->last_volume != volume - 1 || !oid_equal(&c->last, &v->last_head)))
		verify_found(v, FAULT_CHAIN, volume, where,
			tr("the volume does not begin where the one before ended"));
	if (c->act == ACT_OPEN && c->demonstration != store_is_demonstration(v->store))
		verify_found(v, FAULT_CHAIN, volume, where,
			tr("archive.json and the first commit disagree about whether this is a "
			   "demonstration"));
	v->actions = c->actions;
	v->previous = f->sha256;
	v->last_time = c->time + (c->act == ACT_KEYS);
}

/* ---- slips ---- */

static struct verify_record *find_record(struct verify *v, const struct id *record)
{
	return map_get(&v->records, record->b);
}

static bool path_is(const struct verify_record *r, const struct fact *fact, uint64_t version)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT;

	if (version)
		buf_addf(&name, "%s/v%llu", r->folder, (unsigned long long)version);
	else
		buf_addf(&name, "%s/destroyed", r->folder);
	return str_eq(buf_str(&name), fact->path);
}

/* "<month>/<series>/<department>/<q / 1024>/<q / 32 % 32>/<number>": the tail follows from the
 * slip. */
static bool folder_fits(const struct slip *slip, struct str folder)
{
	_cleanup_(buf_done) struct buf tail = BUF_INIT;
	int slashes = 0;

	buf_addf(&tail, "/%04llu/%02llu/%.*s", (unsigned long long)(slip->sequence / 1024),
		(unsigned long long)(slip->sequence / 32 % 32), STR_ARG(slip->number));
	for (size_t i = 0; i < folder.n; i++)
		slashes += folder.p[i] == '/';
	return slashes == 5 && str_ends(folder, tail.p);
}

/* The number carries its serial where the scope has the (first) star. */
static bool carries_serial(const struct slip *slip)
{
	struct str tail = slip->scope, head = str_cut(&tail, '*');
	uint64_t serial = 0;
	size_t at = head.n;

	if (!tail.p || slip->number.n < head.n || memcmp(slip->number.p, head.p, head.n) != 0)
		return false;
	for (; at < slip->number.n && at < head.n + 18 && slip->number.p[at] >= '0' &&
		slip->number.p[at] <= '9';
		at++)
		serial = serial * 10 + (uint64_t)(slip->number.p[at] - '0');
	return at > head.n && serial == slip->serial;
}

static void check_serial(struct verify *v, uint32_t volume, const struct slip *slip)
{
	struct map_key key = map_key(slip->scope.p, slip->scope.n);
	uint64_t last = (uint64_t)(uintptr_t)map_get(&v->serials, key.b);

	if (slip->serial != last + 1)
		verify_found(v, FAULT_NUMBER, volume, arena_text(v->arena, slip->number),
			tr("serial %llu of '%.*s' follows %llu"), (unsigned long long)slip->serial,
			STR_ARG(slip->scope), (unsigned long long)last);
	(void)map_put(&v->serials, key.b, (void *)(uintptr_t)slip->serial);
	if (!carries_serial(slip))
		verify_found(v, FAULT_NUMBER, volume, arena_text(v->arena, slip->number),
			tr("the number does not carry the serial that was drawn for it"));
}

static struct verify_record *first_version(
	struct verify *v, uint32_t volume, const struct fact *fact)
{
	const struct slip *slip = &fact->slip;
	struct verify_record *r = arena_zero(v->arena, 1, sizeof(*r));
	struct map_key key = map_key(slip->number.p, slip->number.n);

	r->record = slip->record;
	r->sequence = slip->sequence;
	r->number = arena_text(v->arena, slip->number);
	r->folder = arena_text(v->arena, fact->folder);
	if (slip->sequence != v->records_filed)
		verify_found(v, FAULT_NUMBER, volume, r->number,
			tr("sequence number %llu stands where %llu should"),
			(unsigned long long)slip->sequence, (unsigned long long)v->records_filed);
	v->records_filed++;
	if (!folder_fits(slip, fact->folder))
		verify_found(v, FAULT_SLIP, volume, r->number,
			tr("the slip lies at a path that does not belong to it"));
	if (map_put(&v->numbers, key.b, r))
		verify_found(v, FAULT_NUMBER, volume, r->number, tr("this number is used twice"));
	if (map_put(&v->records, r->record.b, r))
		verify_found(v, FAULT_SLIP, volume, r->number, tr("this record was filed twice"));
	if (slip->serial)
		check_serial(v, volume, slip);
	*v->last_record = r;
	v->last_record = &r->next;
	return r;
}

/* Remember an envelope that was not named before; one that was must be named the same. */
static void name_envelope(struct verify *v, struct verify_record *r, uint32_t volume,
	const struct slip_blob *blob, const struct slip_part *part)
{
	struct verify_envelope *e = map_get(&v->envelopes, blob->sha256.b);

	if (e) {
		if (e->owner != r || memcmp(&e->blob, blob, sizeof(*blob)) != 0)
			verify_found(v, FAULT_SLIP, volume, r->number,
				tr("two slips name one envelope differently"));
		return;
	}
	if (blob->volume != volume)
		verify_found(v, FAULT_SLIP, volume, r->number,
			tr("the slip names an envelope of volume %u that is not from there"),
			blob->volume);
	e = arena_zero(v->arena, 1, sizeof(*e));
	e->blob = *blob;
	e->owner = r;
	e->chunks = 1;
	if (part) {
		e->part = part->part;
		e->chunk = part->chunk;
		e->chunks = part->chunks;
	}
	(void)map_put(&v->envelopes, blob->sha256.b, e);
	*v->last_envelope = e;
	v->last_envelope = &e->next;
}

static void check_slip(struct verify *v, const struct commit *c, const struct fact *fact)
{
	const struct slip *slip = &fact->slip;
	struct verify_record *r = find_record(v, &slip->record);

	v->result->slips++;
	if (!r) {
		if (slip->version != 1)
			verify_found(v, FAULT_SLIP, c->volume, arena_text(v->arena, slip->number),
				tr("version %llu has no version 1"),
				(unsigned long long)slip->version);
		r = first_version(v, c->volume, fact);
	} else if (r->destroyed) {
		verify_found(v, FAULT_DESTROYED, c->volume, r->number,
			tr("a version follows the tombstone"));
	} else if (slip->version != r->version + 1 || slip->before_volume != r->volume ||
		   !digest_equal(&slip->before, &r->slip) || slip->sequence != r->sequence ||
		   !str_is(slip->number, r->number) || slip->serial) {
		verify_found(v, FAULT_SLIP, c->volume, r->number,
			tr("version %llu does not follow from the one before"),
			(unsigned long long)slip->version);
	}
	if (!path_is(r, fact, slip->version) || !id_equal(&slip->archive, store_archive(v->store)))
		verify_found(v, FAULT_SLIP, c->volume, r->number,
			tr("the slip lies at a path that does not belong to it"));
	if ((c->act == ACT_FILE) != (slip->version == 1) ||
		(c->act != ACT_FILE && c->act != ACT_REVISE))
		verify_found(v, FAULT_SLIP, c->volume, r->number,
			tr("the action does not fit what it did"));
	r->version = slip->version;
	r->volume = c->volume;
	r->slip = fact->sha256;
	name_envelope(v, r, c->volume, &slip->manifest, NULL);
	for (size_t i = 0; i < slip->part_count; i++)
		name_envelope(v, r, c->volume, &slip->parts[i].blob, &slip->parts[i]);
	for (size_t i = 0; i < slip->key_count; i++) {
		struct verify_key *k = arena_zero(v->arena, 1, sizeof(*k));

		k->key = slip->keys[i];
		k->owner = r;
		k->next = v->first_key;
		v->first_key = k;
		if (map_put(&v->keys, k->key.b, k))
			verify_found(v, FAULT_KEY, c->volume, r->number,
				tr("one key is brought in twice"));
	}
}

static void check_tombstone(struct verify *v, const struct commit *c, const struct fact *fact)
{
	const struct tombstone *t = &fact->tombstone;
	struct verify_record *r = find_record(v, &t->record);

	v->result->tombstones++;
	if (!r || r->destroyed || t->versions != r->version || t->sequence != r->sequence ||
		!str_is(t->number, r->number) || !path_is(r, fact, 0) || c->act != ACT_DESTROY) {
		verify_found(v, FAULT_SLIP, c->volume, arena_text(v->arena, t->number),
			tr("the tombstone does not fit the record"));
		return;
	}
	r->destroyed = true;
}

/* ---- a commit ---- */

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct verify_file *)a)->path, ((const struct verify_file *)b)->path);
}

static bool was_added(
	struct verify_file *files, size_t count, struct str path, const struct oid *oid)
{
	_cleanup_(freep) char *name = str_dup(path);
	struct verify_file key = { .path = name };
	const struct verify_file *f = bsearch(&key, files, count, sizeof(*files), compare_files);

	return f && (!oid || oid_equal(&f->oid, oid));
}

/* The trees say exactly what the commit says: its Slip, or its List and what that lists; or the
 * pages of a new volume. */
static int check_tree(struct verify *v, const struct facts *f, const struct oid *tree_before,
	const char *where, struct err *err)
{
	_cleanup_(freep) struct verify_file *files = NULL;
	const struct commit *c = &f->commit;
	size_t count, expected = f->count + c->is_list;
	bool all = true;
	int r = verify_added(v, c->volume, where, tree_before, &c->tree, &files, &count, err);

	if (r < 0)
		return r;
	qsort(files, count, sizeof(*files), compare_files);
	for (size_t i = 0; i < f->count; i++)
		all = all && was_added(files, count, f->facts[i].path, &f->facts[i].oid);
	if (c->is_list)
		all = all && was_added(files, count, c->file.path, NULL);
	if (c->act == ACT_OPEN) {
		expected = digest_is_zero(&c->checkpoint) ? 1 : 2;
		all = was_added(files, count, STR("README"), NULL);
	}
	if (!all || count != expected)
		verify_found(v, FAULT_TREE, c->volume, where,
			tr("the commit adds %zu files, and names %zu; they must be the same"),
			count, expected);
	return 0;
}

static int read_facts(struct verify *v, uint32_t volume, const struct oid *oid, struct facts *ret,
	const char *where)
{
	struct volume_facts source = { v->store, volume };
	struct facts_reader reader;
	struct err why = ERR_INIT;
	int r;

	read_facts_reader(&source, &reader);
	r = facts_read(&reader, oid, ret, &why);
	if (r < 0)
		verify_found(v, r == -ERR_NOTFOUND ? FAULT_OBJECT : FAULT_COMMIT, volume, where,
			"%s", why.text);
	return r;
}

static int check_commit(struct verify *v, uint32_t volume, const struct oid *oid, bool first,
	const struct oid *parent, struct oid *tree, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	char where[OID_TEXT];
	struct facts f;
	int r;

	v->result->commits++;
	(void)hex_encode(oid->b, OID_BYTES, where);
	if (read_facts(v, volume, oid, &f, where) < 0) {
		/* Go on with what the next commit should follow, so that one damaged commit is one
		 * finding and its neighbour's. */
		if (store_read(v->store, volume, oid, NULL, &text, NULL) == 0)
			sha256(text.p, text.n, v->previous.b);
		v->actions++;
		return 0;
	}
	r = store_read(v->store, volume, oid, NULL, &text, err);
	if (r == 0) {
		check_signature(v, &f, buf_str(&text), where);
		if (f.commit.volume != volume)
			verify_found(v, FAULT_CHAIN, volume, where,
				tr("it does not stand where it says"));
		check_chain(v, &f, first, parent, where);
		r = check_tree(v, &f, tree, where, err);
		*tree = f.commit.tree;
	}
	for (size_t i = 0; r == 0 && i < f.count; i++) {
		if (f.facts[i].is_tombstone)
			check_tombstone(v, &f.commit, &f.facts[i]);
		else
			check_slip(v, &f.commit, &f.facts[i]);
		if (verify_step(v))
			r = err_set(
				err, ERR_CANCELLED, tr("stopped before everything was checked"));
	}
	if (r == 0 && f.commit.records != v->records_filed)
		verify_found(v, FAULT_CHAIN, volume, where,
			tr("it counts %llu records where there are %llu"),
			(unsigned long long)f.commit.records, (unsigned long long)v->records_filed);
	facts_done(&f);
	if (r == 0 && verify_step(v))
		r = err_set(err, ERR_CANCELLED, tr("stopped before everything was checked"));
	return r;
}

int verify_volume(struct verify *v, uint32_t volume, struct err *err)
{
	_cleanup_(buf_done) struct buf oids = BUF_INIT_MAX((size_t)1 << 30);
	struct oid parent = { { 0 } }, tree = { { 0 } };
	int r = list_commits(v, volume, &oids, err);

	if (r == 0 && oids.n == 0)
		verify_found(v, FAULT_CHAIN, volume, "", tr("volume %u has no history"), volume);
	for (size_t at = oids.n; r == 0 && at >= OID_BYTES; at -= OID_BYTES) {
		struct oid oid;

		memcpy(oid.b, oids.p + at - OID_BYTES, OID_BYTES);
		r = check_commit(v, volume, &oid, at == oids.n, &parent, &tree, err);
		parent = oid;
	}
	v->last_head = parent;
	return r;
}
