/* signers.c - whose keys signed, from when to when: out of the commits that enrol and retire them.
 *
 * The ledger remembers which commits those are, so that a long history need not be read for them; what it does not know
 * yet is read. */
#include "store/internal.h"

#include "core/base/clock.h"

#include <stdlib.h>

/* The row of a key that counts; NULL when there is none. */
static struct signing_key *find(struct buf *keys, const struct signer_line *line)
{
	struct signing_key *rows = (struct signing_key *)(void *)keys->p;

	for (size_t i = keys->n / sizeof(*rows); i > 0; i--) {
		struct signing_key *k = &rows[i - 1];

		if (str_is(line->signer, k->signer) &&
			memcmp(&k->key, &line->key, sizeof(k->key)) == 0)
			return k->is_retired ? NULL : k;
	}
	return NULL;
}

static int take(struct buf *keys, const struct commit *c, struct err *err)
{
	for (size_t i = 0; i < c->signer_count; i++) {
		const struct signer_line *line = &c->signers[i];
		struct signing_key *k = find(keys, line);
		struct signing_key fresh = { .key = line->key };

		if (line->retires && k) {
			k->is_retired = true;
			k->before = c->time;
		}
		if (line->retires || k)
			continue;
		memcpy(fresh.signer, line->signer.p, line->signer.n);
		fresh.after = c->actions == 1 ? 0 : c->time;
		buf_add(keys, &fresh, sizeof(fresh));
	}
	return buf_check(keys, err);
}

static int take_facts(void *context, struct facts *f, struct err *err)
{
	struct buf *keys = context;

	return take(keys, &f->commit, err);
}

int signers_list(struct store *s, struct buf *ret, struct err *err)
{
	_cleanup_(freep) struct ledger_signing *rows = NULL;
	struct ledger_mark mark;
	size_t count = 0;
	int r = ledger_mark(s->ledger, &mark, err);

	if (r == 0 && mark.volume)
		r = ledger_signing(s->ledger, &rows, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT;
		_cleanup_(freep) void *memory = NULL;
		struct commit c;

		r = read_object(s, rows[i].volume, &rows[i].commit, NULL, &text, err);
		if (r == 0)
			r = commit_parse(buf_str(&text), &c, &memory, err);
		if (r == 0)
			r = take(ret, &c, err);
	}
	if (r < 0 || s->volume_count == 0)
		return r;
	return read_each_action(s, mark.volume ? mark.actions : 0, take_facts, ret, err);
}

/* "20261121090211Z", as ssh-keygen reads it. */
static void add_time(struct buf *b, const char *name, int64_t time)
{
	char text[21];

	buf_addf(b, ",%s=\"", name);
	(void)instant_format(time, text);
	for (const char *p = text; *p; p++)
		if (*p != '-' && *p != ':' && *p != 'T')
			buf_addc(b, *p);
	buf_addc(b, '"');
}

int store_allowed_signers(struct store *s, struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf keys = BUF_INIT;
	const struct signing_key *rows;
	char archive[ID_TEXT];
	int r = signers_list(s, &keys, err);

	rows = (const struct signing_key *)(const void *)keys.p;
	(void)hex_encode(s->archive.b, ID_BYTES, archive);
	for (size_t i = 0; r == 0 && i < keys.n / sizeof(*rows); i++) {
		const struct signing_key *k = &rows[i];

		buf_addf(ret, "%s@%s namespaces=\"git%s\"", k->signer, archive,
			strcmp(k->signer, ACCOUNT_SERVER) == 0 ? ",muniment-checkpoint" : "");
		if (k->after)
			add_time(ret, "valid-after", k->after);
		if (k->is_retired)
			add_time(ret, "valid-before", k->before);
		buf_adds(ret, " ssh-ed25519 ");
		public_key_add(ret, &k->key);
		buf_addc(ret, '\n');
	}
	return r < 0 ? r : buf_check(ret, err);
}
