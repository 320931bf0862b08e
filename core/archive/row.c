/* row.c - see row.h. */
#include "core/archive/row.h"

#include "core/archive/say.h"
#include "core/base/bytes.h"
#include "core/base/tr.h"
#include "store/envelope.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

enum {
	KEY_AT = 0,
	NONCE_AT = 16,
	TEXT_AT = NONCE_AT + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
};

static const char purpose[] = "muniment registry row 1";

enum { AD_BYTES = sizeof(purpose) - 1 + 2 * ID_BYTES };

static void associated_data(
	const struct id *archive, const struct id *record, uint8_t out[AD_BYTES])
{
	memcpy(out, purpose, sizeof(purpose) - 1);
	memcpy(out + sizeof(purpose) - 1, archive->b, ID_BYTES);
	memcpy(out + sizeof(purpose) - 1 + ID_BYTES, record->b, ID_BYTES);
}

static void say_commit(struct buf *b, const struct row_commit *c)
{
	char text[16 + OID_TEXT], hex[OID_TEXT];

	(void)snprintf(
		text, sizeof(text), "%u:%s", c->volume, hex_encode(c->commit.b, OID_BYTES, hex));
	say_item(b, str_of(text));
}

void row_say_head(const struct manifest *m, struct buf *ret)
{
	char hex[ID_TEXT];

	buf_addc(ret, '{');
	say_text(ret, "account", m->action.account);
	say_instant(ret, "at", m->action.at);
	say_list(ret, "parts");
	for (size_t i = 0; i < m->part_count && i < ROW_PARTS; i++) {
		say_list(ret, NULL);
		say_item(ret, str_of(hex_encode(m->parts[i].id.b, ID_BYTES, hex)));
		say_item(ret, m->parts[i].name);
		say_end_list(ret);
	}
	say_end_list(ret);
	say_int(ret, "part_count", (int64_t)m->part_count);
	say_text(ret, "title", m->title);
}

void row_say_tail(const struct row_commit *before, size_t before_count,
	const struct row_commit *commit, struct buf *ret)
{
	say_list(ret, "commits");
	for (size_t i = 0; i < before_count; i++)
		say_commit(ret, &before[i]);
	say_commit(ret, commit);
	say_end_list(ret);
	say_end_map(ret);
}

void row_say(const struct manifest *m, const struct row_commit *before, size_t before_count,
	const struct row_commit *commit, struct buf *ret)
{
	row_say_head(m, ret);
	row_say_tail(before, before_count, commit, ret);
}

void row_seal(const struct id *archive, const struct id *record, const struct id *key,
	const uint8_t record_key[32], struct str text, struct buf *ret)
{
	uint8_t ad[AD_BYTES], k[32];
	uint8_t *p = buf_extend(ret, TEXT_AT + text.n + TAG);

	if (!p)
		return;
	memcpy(p + KEY_AT, key->b, ID_BYTES);
	randombytes_buf(p + NONCE_AT, TEXT_AT - NONCE_AT);
	associated_data(archive, record, ad);
	envelope_subkey(record_key, purpose, k);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(p + TEXT_AT, NULL, (const uint8_t *)text.p,
		text.n, ad, sizeof(ad), NULL, p + NONCE_AT, k);
	sodium_memzero(k, sizeof(k));
}

int row_key(struct str sealed, struct id *ret, struct err *err)
{
	if (sealed.n < ROW_OVERHEAD)
		return err_set(err, ERR_CORRUPT, tr("a row of the registry is too short"));
	memcpy(ret->b, sealed.p, ID_BYTES);
	return 0;
}

int row_open(const struct id *archive, const struct id *record, const uint8_t record_key[32],
	struct str sealed, struct buf *ret, struct err *err)
{
	const uint8_t *p = (const uint8_t *)sealed.p;
	uint8_t ad[AD_BYTES], k[32];
	size_t before = ret->n;
	char *out;
	int r;

	if (sealed.n < ROW_OVERHEAD)
		return err_set(err, ERR_CORRUPT, tr("a row of the registry is too short"));
	out = buf_extend(ret, sealed.n - ROW_OVERHEAD);
	if (!out)
		return buf_check(ret, err);
	associated_data(archive, record, ad);
	envelope_subkey(record_key, purpose, k);
	r = crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)out, NULL, NULL, p + TEXT_AT,
		sealed.n - TEXT_AT, ad, sizeof(ad), p + NONCE_AT, k);
	sodium_memzero(k, sizeof(k));
	if (r == 0)
		return 0;
	buf_cut(ret, before);
	return err_set(
		err, ERR_CORRUPT, tr("a row of the registry was changed: run 'muniment reindex'"));
}

int row_read(struct str text, struct json **ret_doc, struct row_text *ret, struct err *err)
{
	_cleanup_(json_freep) struct json *doc = NULL;
	struct row_text t;
	int64_t count;
	int r = json_parse(text, NULL, 0, &doc, err);

	if (r < 0 || (r = json_need_text(doc, "title", &t.title, err)) < 0 ||
		(r = json_need_text(doc, "account", &t.account, err)) < 0 ||
		(r = json_need_text(doc, "at", &t.at, err)) < 0 ||
		(r = json_need_list(doc, "parts", &t.parts, err)) < 0 ||
		(r = json_need_list(doc, "commits", &t.commits, err)) < 0 ||
		(r = json_need_int(doc, "part_count", 0, INT64_MAX, &count, err)) < 0)
		return r;
	t.part_count = (uint64_t)count;
	*ret = t;
	*ret_doc = TAKE_PTR(doc);
	return 0;
}

int row_part(const struct row_text *t, size_t i, struct id *ret_id, struct str *ret_name,
	struct err *err)
{
	const struct json *pair = i < json_list_count(t->parts) ? json_list_at(t->parts, i) : NULL;

	if (!pair || json_kind_of(pair) != JSON_KIND_LIST || json_list_count(pair) != 2 ||
		json_kind_of(json_list_at(pair, 0)) != JSON_KIND_TEXT ||
		json_kind_of(json_list_at(pair, 1)) != JSON_KIND_TEXT)
		return err_set(err, ERR_CORRUPT,
			tr("a row of the registry has a part that cannot be read"));
	*ret_name = json_text(json_list_at(pair, 1));
	return id_parse(json_text(json_list_at(pair, 0)), ret_id, err);
}

int row_commit_of(
	const struct row_text *t, uint64_t version, struct row_commit *ret, struct err *err)
{
	const struct json *item;
	struct str text, volume;
	uint64_t v;
	int r;

	if (version == 0 || version > json_list_count(t->commits))
		return err_set(err, ERR_NOTFOUND,
			tr("the registry does not know the commit of version %llu"),
			(unsigned long long)version);
	item = json_list_at(t->commits, (size_t)version - 1);
	if (json_kind_of(item) != JSON_KIND_TEXT)
		return err_set(err, ERR_CORRUPT,
			tr("a row of the registry has a commit that cannot be read"));
	text = json_text(item);
	volume = str_cut(&text, ':');
	r = str_to_u64(volume, UINT32_MAX, &v, err);
	if (r < 0)
		return r;
	r = oid_parse(text, &ret->commit, err);
	if (r == 0)
		ret->volume = (uint32_t)v;
	return r;
}

void lookup_hash(const struct secret *registry_key, uint32_t kind, struct str text, uint8_t ret[16])
{
	crypto_generichash_state state;
	uint8_t k[4];

	put_be32(k, kind);
	(void)crypto_generichash_init(&state, registry_key->p, registry_key->n, 16);
	(void)crypto_generichash_update(&state, k, sizeof(k));
	(void)crypto_generichash_update(&state, (const uint8_t *)text.p, text.n);
	(void)crypto_generichash_final(&state, ret, 16);
}

const char *row_type(const struct manifest *m)
{
	static const struct {
		const char *media, *type;
	} types[] = {
		{ "application/pdf", "pdf" },
		{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
			"docx" },
		{ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx" },
		{ "application/vnd.openxmlformats-officedocument.presentationml.presentation",
			"pptx" },
		{ "application/vnd.oasis.opendocument.text", "odt" },
		{ "application/vnd.oasis.opendocument.spreadsheet", "ods" },
		{ "message/rfc822", "eml" },
		{ "text/html", "html" },
		{ "text/markdown", "md" },
		{ "text/plain", "txt" },
		{ "text/csv", "csv" },
	};

	if (m->part_count == 0)
		return "form";
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_is(m->parts[0].media, types[i].media))
			return types[i].type;
	}
	return str_starts(m->parts[0].media, "image/") ? "image" : "other";
}
