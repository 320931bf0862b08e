/* verify.c - see verify.h. One pass over the history, oldest first, builds in memory what ought to
 * exist (records, numbers, envelopes, keys: some 300 bytes a record); then content, keys, ledger
 * and journal are compared with that. */
#include "store/verify_private.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/tr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const fault_names[FAULT_COUNT] = {
	[FAULT_OBJECT] = "object",
	[FAULT_PACK] = "pack",
	[FAULT_COMMIT] = "commit",
	[FAULT_SIGNATURE] = "signature",
	[FAULT_CHAIN] = "chain",
	[FAULT_TREE] = "tree",
	[FAULT_SLIP] = "slip",
	[FAULT_NUMBER] = "number",
	[FAULT_ENVELOPE] = "envelope",
	[FAULT_CONTENT] = "content",
	[FAULT_DESTROYED] = "destroyed",
	[FAULT_KEY] = "key",
	[FAULT_JOURNAL] = "journal",
	[FAULT_LEDGER] = "ledger",
	[FAULT_CHECKPOINT] = "checkpoint",
};

const char *verify_fault_name(enum verify_fault fault)
{
	return fault_names[fault];
}

void verify_found(struct verify *v, enum verify_fault fault, uint32_t volume, const char *where,
	const char *fmt, ...)
{
	_cleanup_(freep) char *text = NULL;
	struct verify_finding finding = { fault, volume, where, NULL };
	va_list ap;
	int n;

	v->result->faults++;
	if (!v->options->found)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	finding.text = text;
	v->options->found(v->options->context, &finding);
}

bool verify_step(struct verify *v)
{
	enum { EVERY = 64 };

	v->done++;
	if (!v->stopped && v->options->progress && v->done % EVERY == 0)
		v->stopped = v->options->progress(v->options->context, v->done, v->total) != 0;
	return v->stopped;
}

/* ---- the checkpoint ---- */

/* The head that a checkpoint states must be a commit of the volume's history: walk back from the
 * head to it. */
static void check_stated(struct verify *v, const struct checkpoint_volume *stated)
{
	struct oid at = v->heads[stated->volume - 1].main;

	while (!oid_is_zero(&at)) {
		_cleanup_(buf_done) struct buf content = BUF_INIT;
		_cleanup_(freep) void *memory = NULL;
		struct digest digest;
		struct commit c;

		if (store_read(v->store, stated->volume, &at, NULL, &content, NULL) < 0)
			break; /* reported by the history */
		if (oid_equal(&at, &stated->head)) {
			sha256(content.p, content.n, digest.b);
			if (digest_equal(&digest, &stated->sha256))
				return;
			break;
		}
		if (commit_parse(buf_str(&content), &c, &memory, NULL) < 0)
			break;
		at = c.parent;
	}
	verify_found(v, FAULT_CHECKPOINT, stated->volume, "",
		tr("the history does not contain the commit that the checkpoint states: "
		   "its end was cut off, or it was written anew"));
}

static void check_checkpoint(struct verify *v)
{
	const struct checkpoint *c = v->options->checkpoint;

	if (!c)
		return;
	if (!id_equal(&c->archive, store_archive(v->store))) {
		verify_found(
			v, FAULT_CHECKPOINT, 0, "", tr("the checkpoint is of another archive"));
		return;
	}
	for (size_t i = 0; i < c->volume_count; i++) {
		if (c->volumes[i].volume > v->volumes)
			verify_found(v, FAULT_CHECKPOINT, c->volumes[i].volume, "",
				tr("the checkpoint states a volume that is not there"));
		else
			check_stated(v, &c->volumes[i]);
	}
	if (c->actions <= v->actions && !v->checkpoint_signed)
		verify_found(v, FAULT_CHECKPOINT, 0, "",
			tr("the checkpoint is not signed by the key that the server had then"));
	if (c->actions > v->actions)
		verify_found(v, FAULT_CHECKPOINT, 0, "",
			tr("the checkpoint states %llu actions, the history has %llu"),
			(unsigned long long)c->actions, (unsigned long long)v->actions);
}

/* ---- what is written meanwhile ---- */

/* Heads of all volumes that fit together: taken while nothing is being applied. */
static int take_heads(struct verify *v, struct err *err)
{
	struct store *s = v->store;
	uint32_t count = store_volumes(s);
	int r = 0;

	v->heads = xcalloc(count + 1, sizeof(*v->heads));
	(void)pthread_mutex_lock(&s->packs_lock);
	for (uint32_t n = 1; r == 0 && n <= count; n++) {
		struct verify_heads *h = &v->heads[n - 1];
		struct err why = ERR_INIT;
		struct volume *vol;
		struct oid coming;

		r = store_volume(s, n, &vol, err);
		if (r == 0)
			r = volume_ref(vol, "refs/heads/main", &h->main, err);
		if (r < 0)
			break;
		if (oid_is_zero(&h->main) && pending_main(&s->pending, n, &coming))
			break;
		if (volume_ref(vol, "refs/heads/content", &h->content, &why) < 0)
			verify_found(v, FAULT_CONTENT, n, "", "%s", why.text);
		v->volumes = n;
	}
	(void)pthread_mutex_unlock(&s->packs_lock);
	return r;
}

bool verify_is_newer(struct verify *v, const struct id *record, const struct verify_record *r)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	_cleanup_(buf_done) struct buf slip = BUF_INIT_MAX(SLIP_MAX_BYTES);
	struct record_head h;
	struct digest digest;
	bool newer;

	if (store_find(v->store, record, &h, NULL) < 0)
		return false;
	newer = r ? h.version > r->version && h.sequence == r->sequence
		  : h.sequence >= v->records_filed;
	buf_addf(&path, "%s/v%llu", h.folder, (unsigned long long)h.version);
	if (newer && read_main_file(v->store, h.volume, buf_str(&path), &slip, NULL) == 0)
		sha256(slip.p, slip.n, digest.b);
	else
		newer = false;
	newer = newer && digest_equal(&digest, &h.slip);
	record_head_done(&h);
	return newer;
}

/* ---- the whole ---- */

static int check_all(struct verify *v, struct err *err)
{
	int r = take_heads(v, err);

	for (uint32_t n = 1; r == 0 && n <= v->volumes; n++) {
		r = verify_volume(v, n, err);
		v->result->volumes = n;
	}
	for (uint32_t n = 1; r == 0 && n <= v->volumes; n++)
		r = verify_content_branch(v, n, err);
	if (r == 0)
		check_checkpoint(v);
	if (r == 0)
		r = verify_envelopes(v, err);
	for (uint32_t n = 1; r == 0 && v->options->content && n <= v->volumes; n++)
		r = verify_packs(v, n, err);
	if (r == 0)
		r = verify_keys(v, err);
	if (r == 0)
		r = verify_ledger(v, err);
	if (r == 0)
		r = verify_journal(v, err);
	return r;
}

int store_verify(struct store *s, const struct verify_options *options, struct verify_result *ret,
	struct err *err)
{
	struct verify v = {
		.store = s, .options = options, .result = ret, .arena = arena_new(1 << 20)
	};
	struct store_counts counts;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	(void)pthread_rwlock_rdlock(&s->whole);
	v.last_record = &v.first_record;
	v.last_envelope = &v.first_envelope;
	if (options->open && store_is_sealed(s))
		r = err_set(err, ERR_SEALED,
			tr("the archive is sealed: two custodians must unseal it first"));
	if (r == 0 && store_is_writable(s) && !store_is_sealed(s))
		r = store_flush(s, err);
	store_count(s, &counts);
	v.total = counts.actions + counts.records * (options->content ? 2 : 1);
	if (r == 0)
		r = check_all(&v, err);
	ret->records = v.records_filed;
	if (r == 0 && v.stopped)
		r = err_set(err, ERR_CANCELLED, tr("stopped before everything was checked"));
	map_done(&v.records);
	map_done(&v.numbers);
	map_done(&v.serials);
	map_done(&v.envelopes);
	map_done(&v.keys);
	free(v.signers);
	free(v.heads);
	arena_free(v.arena);
	(void)pthread_rwlock_unlock(&s->whole);
	return r;
}
